#include "reads.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_WORDS 4

/* An empty zone is the identity's own, or else the tenant's. */
static text their_zone = {0};

static const char *const status_words[] = {"enabled", "disabled", "locked", "vanished"};

/* A read, cut into words, which all are parts of it. */
typedef struct {
  text whole;
  text word[MOST_WORDS];
  size_t n_words;
} read_words;

static read_words cut(text whole) {
  read_words read = {.whole = whole};
  size_t begin = 0;
  for (size_t at = 0; at <= whole.len; at++) {
    if (at < whole.len && whole.ptr[at] != ' ') continue;
    if (read.n_words < MOST_WORDS) read.word[read.n_words] = (text){whole.ptr + begin, at - begin};
    read.n_words++;
    begin = at + 1;
  }
  return read;
}

/* Says whether a read is this word and so many others. */
static bool is(const read_words *read, const char *word, size_t n_others) {
  return read->n_words == n_others + 1 && equals(read->word[0], word);
}

/* Fills an error with a text in quotes, and what is said of it. */
static bool no_sense(rule_error *error, text quoted, const char *said) {
  size_t size = quoted.len + strlen(said) + 3;
  char *why = malloc(size);
  snprintf(why, size, "`%.*s`%s", (int)quoted.len, (char *)quoted.ptr, said);
  error->tag = IDR_RULES_TYPES_RULE_ERROR_INVALID;
  rule_string_dup(&error->val.invalid, why);
  free(why);
  return false;
}

/* Reads a whole number without allocating; false when it is none. */
static bool number(text word, long *number) {
  char digits[12] = {0}, *end;
  if (word.len == 0 || word.len >= sizeof digits) return false;
  memcpy(digits, word.ptr, word.len);
  *number = strtol(digits, &end, 10);
  return *end == 0;
}

static bool day_of(text name, idr_rules_types_date_t *day, bool *is_some, rule_error *error) {
  value found;
  *is_some = idr_rules_subject_attribute(&name, &found);
  if (!*is_some) return true;
  bool is_date = IS(found, DATE);
  *day = found.val.date;
  idr_rules_types_value_free(&found);
  return is_date || no_sense(error, name, " is not a date");
}

static bool o_clock(text word, idr_rules_types_time_of_day_t *at, rule_error *error) {
  long hour;
  if (!number(word, &hour) || hour < 0 || hour > 23) {
    return no_sense(error, word, " is not an hour");
  }
  *at = (idr_rules_types_time_of_day_t){(uint8_t)hour, 0, 0};
  return true;
}

/* The reads that begin with a day: `over`, `reached`, `at`, `plus`. */
static bool read_of_day(const read_words *read, value *found, bool *is_some, rule_error *error) {
  idr_rules_types_date_t day;
  idr_rules_types_time_of_day_t at;
  long days;
  if (!day_of(read->word[1], &day, is_some, error)) return false;
  if (!*is_some) return true;
  if (is(read, "over", 1)) {
    found->tag = IDR_RULES_TYPES_VALUE_BOOLEAN;
    found->val.boolean = idr_rules_time_day_over(&day, &their_zone);
  } else if (is(read, "plus", 2)) {
    if (!number(read->word[2], &days)) return no_sense(error, read->word[2], " is not a number");
    found->tag = IDR_RULES_TYPES_VALUE_DATE;
    idr_rules_time_plus_days(&day, (int32_t)days, &found->val.date);
  } else if (!o_clock(read->word[2], &at, error)) {
    return false;
  } else if (is(read, "reached", 2)) {
    found->tag = IDR_RULES_TYPES_VALUE_BOOLEAN;
    found->val.boolean = idr_rules_time_date_reached(&day, &at, &their_zone);
  } else {
    found->tag = IDR_RULES_TYPES_VALUE_INSTANT;
    found->val.instant = idr_rules_time_instant_at(&day, &at, &their_zone);
  }
  return true;
}

static bool read_passed(text name, value *found, bool *is_some, rule_error *error) {
  *is_some = idr_rules_subject_attribute(&name, found);
  if (!*is_some) return true;
  if (!IS(*found, INSTANT)) {
    idr_rules_types_value_free(found);
    return no_sense(error, name, " is not an instant");
  }
  found->tag = IDR_RULES_TYPES_VALUE_BOOLEAN;
  found->val.boolean = idr_rules_time_reached(found->val.instant);
  return true;
}

/* Adds a text that is freed to another. */
static void append(text *told, char *word) {
  size_t length = strlen(word);
  told->ptr = realloc(told->ptr, told->len + length + 1);
  memcpy(told->ptr + told->len, word, length);
  told->len += length;
  free(word);
}

/* Tells the status and a value of each account. */
static text accounts(text application, text name) {
  text told = {malloc(1), 0};
  idr_rules_subject_list_account_t accounts;
  idr_rules_subject_accounts(&application, &accounts);
  for (size_t index = 0; index < accounts.len; index++) {
    idr_rules_subject_account_t *account = &accounts.ptr[index];
    value found;
    bool is_some = idr_rules_subject_account_attribute(account->handle, &name, &found);
    append(&told, strdup(status_words[account->status]));
    append(&told, spoken(is_some ? &found : NULL));
    if (is_some) idr_rules_types_value_free(&found);
  }
  idr_rules_subject_list_account_free(&accounts);
  return told;
}

static text tier_accounts(text application, text name) {
  text told = {malloc(1), 0};
  idr_rules_tiers_list_account_t accounts;
  idr_rules_tiers_accounts(&application, &accounts);
  for (size_t index = 0; index < accounts.len; index++) {
    idr_rules_tiers_account_t *account = &accounts.ptr[index];
    value found;
    bool is_some = idr_rules_tiers_attribute(account->handle, &name, &found);
    append(&told, strdup(status_words[account->status]));
    append(&told, spoken(is_some ? &found : NULL));
    if (is_some) idr_rules_types_value_free(&found);
  }
  idr_rules_tiers_list_account_free(&accounts);
  return told;
}

/* Tells values one after the other, and frees them. */
static text all(idr_rules_subject_list_option_value_t *values) {
  text told = {malloc(1), 0};
  for (size_t index = 0; index < values->len; index++) {
    idr_rules_subject_option_value_t *each = &values->ptr[index];
    append(&told, spoken(each->is_some ? &each->val : NULL));
  }
  idr_rules_subject_list_option_value_free(values);
  return told;
}

static text native_identity(void) {
  text application, native, told = {malloc(1), 0};
  idr_rules_account_application(&application);
  idr_rules_account_native_identity(&native);
  append(&told, from_text(application));
  append(&told, strdup(" "));
  append(&told, from_text(native));
  rule_string_free(&application);
  rule_string_free(&native);
  return told;
}

static bool is_text(value *found, text text) {
  found->tag = IDR_RULES_TYPES_VALUE_TEXT;
  found->val.text = text;
  return true;
}

static bool is_truth(value *found, bool truth) {
  found->tag = IDR_RULES_TYPES_VALUE_BOOLEAN;
  found->val.boolean = truth;
  return true;
}

/* What only policies can read; false when it is none of that. */
static bool read_access(const read_words *read, value *found) {
  text *word = (text *)read->word;
  found->tag = IDR_RULES_TYPES_VALUE_MANY;
  if (is(read, "roles", 0)) {
    idr_rules_access_roles(&found->val.many);
  } else if (is(read, "granted", 2)) {
    idr_rules_access_held(&word[1], &word[2], &found->val.many);
  } else if (is(read, "desired", 0)) {
    is_truth(found, idr_rules_access_is_desired());
  } else if (is(read, "has", 1)) {
    is_truth(found, idr_rules_access_has_role(&word[1]));
  } else if (is(read, "can", 3)) {
    is_truth(found, idr_rules_access_holds(&word[1], &word[2], &word[3]));
  } else {
    return false;
  }
  return true;
}

static bool read_value(text whole, value *found, bool *is_some, rule_error *error) {
  read_words read = cut(whole);
  text *word = read.word;
  *is_some = true;
  if (is(&read, "attribute", 1)) {
    *is_some = idr_rules_subject_attribute(&word[1], found);
  } else if (is(&read, "both", 2)) {
    idr_rules_subject_list_option_value_t values;
    rule_list_string_t names = {&word[1], 2};
    idr_rules_subject_attributes(&names, &values);
    is_text(found, all(&values));
  } else if (is(&read, "first", 3)) {
    uint32_t handle;
    *is_some = idr_rules_subject_first_account(&word[1], &handle);
    if (!*is_some) return true;
    idr_rules_subject_list_option_value_t values;
    rule_list_string_t names = {&word[2], 2};
    idr_rules_subject_account_attributes(handle, &names, &values);
    is_text(found, all(&values));
  } else if (is(&read, "manager-attribute", 1)) {
    *is_some = idr_rules_subject_manager_attribute(&word[1], found);
  } else if (is(&read, "parameter", 1)) {
    *is_some = idr_rules_parameters_parameter(&word[1], found);
  } else if (is(&read, "account", 2)) {
    is_text(found, accounts(word[1], word[2]));
  } else if (is(&read, "over", 1) || is(&read, "reached", 2) || is(&read, "at", 2) ||
             is(&read, "plus", 2)) {
    return read_of_day(&read, found, is_some, error);
  } else if (is(&read, "passed", 1)) {
    return read_passed(word[1], found, is_some, error);
  } else if (is(&read, "today", 0)) {
    found->tag = IDR_RULES_TYPES_VALUE_DATE;
    idr_rules_time_today(&their_zone, &found->val.date);
  } else if (is(&read, "holds", 3)) {
    is_truth(found, idr_rules_entitlements_holds(&word[1], &word[2], &word[3]));
  } else if (is(&read, "held", 2)) {
    found->tag = IDR_RULES_TYPES_VALUE_MANY;
    idr_rules_entitlements_held(&word[1], &word[2], &found->val.many);
  } else if (is(&read, "assigned", 1)) {
    is_truth(found, idr_rules_roles_has_assigned(&word[1]));
  } else if (is(&read, "detected", 1)) {
    is_truth(found, idr_rules_roles_has_detected(&word[1]));
  } else if (is(&read, "seen", 0)) {
    is_truth(found, idr_rules_baseline_exists());
  } else if (is(&read, "baseline", 1)) {
    *is_some = idr_rules_baseline_attribute(&word[1], found);
  } else if (is(&read, "had", 1)) {
    is_truth(found, idr_rules_baseline_had_assigned(&word[1]));
  } else if (is(&read, "own", 1)) {
    *is_some = idr_rules_account_attribute(&word[1], found);
  } else if (is(&read, "status", 0)) {
    text status;
    rule_string_dup(&status, status_words[idr_rules_account_status()]);
    is_text(found, status);
  } else if (is(&read, "native-identity", 0)) {
    is_text(found, native_identity());
  } else if (is(&read, "tier", 2)) {
    is_text(found, tier_accounts(word[1], word[2]));
  } else if (!read_access(&read, found)) {
    return no_sense(error, whole, " is no read");
  }
  return true;
}

static bool fails(rule_error *error, uint8_t how, text why) {
  error->tag = how;
  rule_string_dup_n(&error->val.failed, (char *)why.ptr, why.len);
  return false;
}

static bool read_one(text whole, value *found, bool *is_some, rule_error *error) {
  read_words read = cut(whole);
  text what = read.word[0];
  text rest = {whole.ptr + what.len + 1, whole.len > what.len ? whole.len - what.len - 1 : 0};
  *is_some = false;
  if (equals(what, "info")) {
    idr_rules_log_info(&rest);
  } else if (equals(what, "warn")) {
    idr_rules_log_warn(&rest);
  } else if (equals(what, "declined")) {
    return fails(error, IDR_RULES_TYPES_RULE_ERROR_DECLINED, rest);
  } else if (equals(what, "invalid")) {
    return fails(error, IDR_RULES_TYPES_RULE_ERROR_INVALID, rest);
  } else if (equals(what, "failed")) {
    return fails(error, IDR_RULES_TYPES_RULE_ERROR_FAILED, rest);
  } else if (equals(what, "throw")) {
    fprintf(stderr, "%.*s\n", (int)rest.len, (const char *)rest.ptr);
    abort();
  } else {
    return read_value(whole, found, is_some, error);
  }
  return true;
}

static bool seed(uint64_t *seed, rule_error *error) {
  value found;
  *seed = 0;
  if (!idr_rules_parameters_parameter(TEXT("seed"), &found)) return true;
  bool is_integer = IS(found, INTEGER);
  if (is_integer) *seed = (uint64_t)found.val.integer;
  idr_rules_types_value_free(&found);
  return is_integer || NO_ANSWER(error, INVALID, "`seed` is not an integer");
}

/* Reads everything, mixing it into `drawn` by FNV-1a; what comes last is `last`. */
static bool read_all(uint64_t *drawn, value *last, bool *is_some, rule_error *error) {
  value reads;
  bool is_set = idr_rules_parameters_parameter(TEXT("reads"), &reads), is_fine = true;
  if (!is_set || !IS(reads, MANY)) {
    if (is_set) idr_rules_types_value_free(&reads);
    return NO_ANSWER(error, INVALID, "`reads` is not a list of texts");
  }
  *is_some = false;
  for (size_t index = 0; is_fine && index < reads.val.many.len; index++) {
    if (*is_some) idr_rules_types_value_free(last);
    is_fine = read_one(reads.val.many.ptr[index], last, is_some, error);
    if (!is_fine) break;
    char *words = spoken(*is_some ? last : NULL);
    for (char *at = words; *at; at++) *drawn = (*drawn ^ (uint8_t)*at) * 0x100000001b3u;
    free(words);
  }
  idr_rules_types_value_free(&reads);
  return is_fine;
}

bool draw(uint64_t *drawn, rule_error *error) {
  value last;
  bool is_some;
  if (!seed(drawn, error) || !read_all(drawn, &last, &is_some, error)) return false;
  if (is_some) idr_rules_types_value_free(&last);
  *drawn >>= 7;
  return true;
}

bool last_read(value *last, bool *is_some, rule_error *error) {
  uint64_t drawn = 0;
  return read_all(&drawn, last, is_some, error);
}

bool by_chance(rule_error *error) { return NO_ANSWER(error, DECLINED, "by chance"); }

void numbered(text *answer, uint64_t number) {
  char word[24];
  snprintf(word, sizeof word, "v%llu", (unsigned long long)number);
  rule_string_dup(answer, word);
}

uint64_t stirred(uint64_t drawn, const char *bytes, size_t length) {
  for (size_t at = 0; at < length; at++) drawn = drawn * 31 + (uint8_t)bytes[at];
  return drawn;
}

char *from_text(text text) {
  char *copy = malloc(text.len + 1);
  memcpy(copy, text.ptr, text.len);
  copy[text.len] = 0;
  return copy;
}

static char *joined(rule_list_string_t texts) {
  text told = {malloc(1), 0};
  for (size_t index = 0; index < texts.len; index++) {
    if (index > 0) append(&told, strdup(", "));
    append(&told, from_text(texts.ptr[index]));
  }
  char *copy = from_text(told);
  free(told.ptr);
  return copy;
}

char *spoken(const value *value) {
  char words[40] = "";
  if (value == NULL) return strdup(words);
  switch (value->tag) {
    case IDR_RULES_TYPES_VALUE_TEXT:
    case IDR_RULES_TYPES_VALUE_DECIMAL:
      return from_text(value->val.text);
    case IDR_RULES_TYPES_VALUE_INTEGER:
    case IDR_RULES_TYPES_VALUE_INSTANT:
      snprintf(words, sizeof words, "%lld", (long long)value->val.integer);
      break;
    case IDR_RULES_TYPES_VALUE_BOOLEAN:
      return strdup(value->val.boolean ? "yes" : "no");
    case IDR_RULES_TYPES_VALUE_DATE:
      snprintf(words, sizeof words, "%04d-%02d-%02d", (int)value->val.date.year,
               value->val.date.month, value->val.date.day);
      break;
    case IDR_RULES_TYPES_VALUE_MANY:
      return joined(value->val.many);
  }
  return strdup(words);
}
