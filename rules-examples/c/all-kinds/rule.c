/* Every kind of rule in one component, told by parameters what to read.
 *
 * The same as `rules-examples/rust/all-kinds`, where the parameters are
 * explained. One function per kind: true with an answer, false with an error.
 * Whatever the host hands over, as an argument or as a result, is freed here. */

#include <stdlib.h>

#include "idr.h"
#include "reads.h"

static void lookup(uint64_t drawn, idr_rules_types_lookup_t *answer, bool *is_some) {
  *is_some = drawn != 1;
  if (!*is_some) return;
  rule_string_dup(&answer->attribute, drawn == 2 || drawn == 3 ? "location" : "title");
  numbered(&answer->value, drawn % 4);
}

bool exports_idr_rules_account_correlation_correlate(
    exports_idr_rules_account_correlation_option_lookup_t *answer, rule_error *error) {
  uint64_t drawn;
  if (!draw(&drawn, error)) return false;
  if (drawn % 7 == 0) return by_chance(error);
  lookup(drawn % 7, &answer->val, &answer->is_some);
  return true;
}

bool exports_idr_rules_identity_creation_create(
    exports_idr_rules_identity_creation_creation_t *answer, rule_error *error) {
  uint64_t drawn;
  if (!draw(&drawn, error)) return false;
  switch (drawn % 5) {
    case 0:
      return by_chance(error);
    case 1:
      answer->tag = EXPORTS_IDR_RULES_IDENTITY_CREATION_CREATION_SKIP;
      rule_string_dup(&answer->val.skip, "by chance");
      return true;
    default:
      answer->tag = EXPORTS_IDR_RULES_IDENTITY_CREATION_CREATION_CREATE;
      answer->val.create.name.is_some = true;
      numbered(&answer->val.create.name.val, drawn % 5);
      answer->val.create.identity_type.is_some = false;
      return true;
  }
}

/* The kinds that propose have lists of the same shape. */
typedef exports_idr_rules_before_refresh_list_proposal_t proposals;

static void propose(proposals *answer, const char *attribute, bool is_some, uint64_t number) {
  idr_rules_types_proposal_t *proposal = &answer->ptr[answer->len++];
  rule_string_dup(&proposal->attribute, attribute);
  proposal->value.is_some = is_some;
  if (!is_some) return;
  proposal->value.val.tag = IDR_RULES_TYPES_VALUE_TEXT;
  numbered(&proposal->value.val.val.text, number % 4);
}

static bool propose_all(uint64_t drawn, proposals *answer, rule_error *error) {
  if (drawn % 7 == 0) return by_chance(error);
  *answer = (proposals){calloc(2, sizeof *answer->ptr), 0};
  switch (drawn % 7) {
    case 1:
      break;
    case 2:
      propose(answer, "team", false, 0);
      break;
    case 3:
      propose(answer, "department", true, drawn);
      break;
    case 4:
      propose(answer, "location", true, drawn);
      break;
    default:
      propose(answer, "team", true, drawn);
      propose(answer, "location", true, drawn + 1);
  }
  return true;
}

bool exports_idr_rules_before_refresh_propose(proposals *answer, rule_error *error) {
  uint64_t drawn;
  return draw(&drawn, error) && propose_all(drawn, answer, error);
}

bool exports_idr_rules_after_refresh_propose(
    exports_idr_rules_after_refresh_list_proposal_t *answer, rule_error *error) {
  uint64_t drawn;
  return draw(&drawn, error) && propose_all(drawn, (proposals *)answer, error);
}

bool exports_idr_rules_value_change_propose(
    text *attribute, value *old_value, value *new_value,
    exports_idr_rules_value_change_list_proposal_t *answer, rule_error *error) {
  char *words[] = {from_text(*attribute), spoken(old_value), spoken(new_value)};
  uint64_t drawn = 0;
  bool is_drawn = draw(&drawn, error);
  for (size_t index = 0; index < 3; index++) {
    if (index > 0) drawn = stirred(drawn, "/", 1);
    drawn = stirred(drawn, words[index], strlen(words[index]));
    free(words[index]);
  }
  rule_string_free(attribute);
  if (old_value) idr_rules_types_value_free(old_value);
  if (new_value) idr_rules_types_value_free(new_value);
  return is_drawn && propose_all(drawn, (proposals *)answer, error);
}

bool exports_idr_rules_manager_correlation_correlate(
    value *manager, exports_idr_rules_manager_correlation_option_lookup_t *answer,
    rule_error *error) {
  uint64_t drawn;
  bool is_drawn = draw(&drawn, error), is_text = IS(*manager, TEXT);
  if (is_drawn && is_text) {
    drawn = stirred(drawn, (char *)manager->val.text.ptr, manager->val.text.len) % 7;
  }
  idr_rules_types_value_free(manager);
  if (!is_drawn) return false;
  if (!is_text) return NO_ANSWER(error, INVALID, "the manager is no text");
  if (drawn == 0) return by_chance(error);
  lookup(drawn, &answer->val, &answer->is_some);
  return true;
}

bool exports_idr_rules_attribute_promotion_promote(
    text *attribute, exports_idr_rules_attribute_promotion_promotion_t *answer,
    rule_error *error) {
  bool is_echo = equals(*attribute, "echo"), is_some;
  rule_string_free(attribute);
  answer->tag = EXPORTS_IDR_RULES_ATTRIBUTE_PROMOTION_PROMOTION_SET;
  if (is_echo) {
    if (!last_read(&answer->val.set, &is_some, error)) return false;
    if (!is_some) answer->tag = EXPORTS_IDR_RULES_ATTRIBUTE_PROMOTION_PROMOTION_CLEAR;
    return true;
  }
  uint64_t drawn;
  if (!draw(&drawn, error)) return false;
  switch (drawn % 9) {
    case 0:
      answer->tag = EXPORTS_IDR_RULES_ATTRIBUTE_PROMOTION_PROMOTION_CLEAR;
      return true;
    case 1:
      answer->tag = EXPORTS_IDR_RULES_ATTRIBUTE_PROMOTION_PROMOTION_NEXT;
      return true;
    case 2:
      return by_chance(error);
    default:
      answer->val.set.tag = IDR_RULES_TYPES_VALUE_TEXT;
      numbered(&answer->val.set.val.text, drawn % 9 % 4);
      return true;
  }
}

static bool is_gone(void) {
  value application;
  if (!idr_rules_parameters_parameter(TEXT("gone-without"), &application)) return false;
  bool is_gone = IS(application, TEXT);
  if (is_gone) {
    idr_rules_subject_list_account_t accounts;
    idr_rules_subject_accounts(&application.val.text, &accounts);
    for (size_t index = 0; index < accounts.len; index++) {
      is_gone &= accounts.ptr[index].status == IDR_RULES_TYPES_ACCOUNT_STATUS_VANISHED;
    }
    idr_rules_subject_list_account_free(&accounts);
  }
  idr_rules_types_value_free(&application);
  return is_gone;
}

bool exports_idr_rules_lifecycle_state_state(text *answer, rule_error *error) {
  static const char *const states[] = {0,       "no such state", "gone",   "leave",
                                       "leave", "active",        "active", "active"};
  uint64_t drawn;
  if (is_gone()) {
    rule_string_dup(answer, "gone");
    return true;
  }
  if (!draw(&drawn, error)) return false;
  if (drawn % 8 == 0) return by_chance(error);
  rule_string_dup(answer, states[drawn % 8]);
  return true;
}

bool exports_idr_rules_role_assignment_assign(
    rule_list_string_t *candidates, exports_idr_rules_role_assignment_list_eligibility_t *answer,
    rule_error *error) {
  uint64_t drawn;
  size_t n_candidates = candidates->len;
  rule_list_string_free(candidates);
  if (!draw(&drawn, error)) return false;
  if (drawn % 11 == 0) return by_chance(error);
  answer->ptr = calloc(n_candidates, sizeof *answer->ptr);
  answer->len = n_candidates;
  for (size_t index = 0; index < n_candidates; index++) {
    exports_idr_rules_role_assignment_eligibility_t *eligibility = &answer->ptr[index];
    switch ((drawn + index) % 5) {
      case 0:
      case 1:
        eligibility->tag = EXPORTS_IDR_RULES_ROLE_ASSIGNMENT_ELIGIBILITY_YES;
        break;
      case 2:
        eligibility->tag = EXPORTS_IDR_RULES_ROLE_ASSIGNMENT_ELIGIBILITY_CANNOT_TELL;
        rule_string_dup(&eligibility->val.cannot_tell, "by chance");
        break;
      default:
        eligibility->tag = EXPORTS_IDR_RULES_ROLE_ASSIGNMENT_ELIGIBILITY_NO;
    }
  }
  return true;
}

bool exports_idr_rules_identity_trigger_fires(text *trigger, bool *answer, rule_error *error) {
  uint64_t drawn;
  rule_string_free(trigger);
  if (!draw(&drawn, error)) return false;
  if (drawn % 5 == 0) return by_chance(error);
  *answer = drawn % 5 % 2 == 0;
  return true;
}
