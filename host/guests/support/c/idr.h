/* What every rule in C uses. Written by `idr rule build`; changes are lost. */
#ifndef IDR_H
#define IDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rule.h"

typedef rule_string_t text;
typedef idr_rules_types_value_t value;
typedef idr_rules_types_rule_error_t rule_error;

/* A text from a literal, which nobody frees: TEXT("department"). */
#define TEXT(literal) (&(text){(uint8_t *)(literal), sizeof(literal) - 1})

/* Says what a value is: IS(value, DATE). */
#define IS(value, type) ((value).tag == IDR_RULES_TYPES_VALUE_##type)

/* Gives no answer, and says why: return NO_ANSWER(error, DECLINED, "status is missing"); */
#define NO_ANSWER(error, case, why)                         \
  ((error)->tag = IDR_RULES_TYPES_RULE_ERROR_##case,        \
   rule_string_dup(&(error)->val.declined, (why)), false)

/* Says whether a text is this word. */
static inline bool equals(text text, const char *word) {
  return text.len == strlen(word) && memcmp(text.ptr, word, text.len) == 0;
}

/* Says whether a text begins with another. */
static inline bool begins_with(text text, rule_string_t beginning) {
  return text.len >= beginning.len && memcmp(text.ptr, beginning.ptr, beginning.len) == 0;
}

/* Returns a parameter that is a text, or else a text of the rule's own; either is
 * the caller's to free. */
static inline text text_parameter(const char *name, const char *otherwise) {
  value found;
  text text = {(uint8_t *)name, strlen(name)};
  bool is_set = idr_rules_parameters_parameter(&text, &found);
  if (is_set && IS(found, TEXT)) return found.val.text;
  if (is_set) idr_rules_types_value_free(&found);
  rule_string_dup(&text, otherwise);
  return text;
}

#endif
