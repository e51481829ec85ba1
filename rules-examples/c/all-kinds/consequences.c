/* The kinds that say what follows: logical accounts, policies, which account is
 * meant, and what an attribute of it should be. */

#include <stdlib.h>

#include "idr.h"
#include "reads.h"

static text copied(text text) {
  rule_string_t copy;
  rule_string_dup_n(&copy, (char *)text.ptr, text.len);
  return copy;
}

static uint64_t stirred_text(uint64_t drawn, text text) {
  return stirred(drawn, (char *)text.ptr, text.len);
}

typedef exports_idr_rules_logical_account_composed_t composed;
typedef exports_idr_rules_logical_account_part_t part;
typedef idr_rules_tiers_list_account_t tier_accounts;

static void add_part(composed *composed, text tiers, text native_identity) {
  composed->parts.ptr[composed->parts.len++] = (part){copied(tiers), copied(native_identity)};
}

/* Makes a logical account that nothing is known of yet. */
static composed *add_composed(
    exports_idr_rules_logical_account_list_composed_t *answer, uint8_t status, size_t n_parts) {
  composed *composed = &answer->ptr[answer->len++];
  composed->status = status;
  composed->attributes.ptr = calloc(1, sizeof *composed->attributes.ptr);
  composed->parts.ptr = calloc(n_parts, sizeof(part));
  return composed;
}

static void compose_one_of_all(
    uint64_t drawn, text tiers, const tier_accounts *accounts,
    exports_idr_rules_logical_account_list_composed_t *answer) {
  composed *composed = NULL;
  for (size_t index = 0; index < accounts->len; index++) {
    const idr_rules_tiers_account_t *account = &accounts->ptr[index];
    if (account->status == IDR_RULES_TYPES_ACCOUNT_STATUS_VANISHED) continue;
    if (composed == NULL) {
      composed = add_composed(answer, account->status, accounts->len);
      numbered(&composed->native_identity, drawn % 4);
    }
    add_part(composed, tiers, account->native_identity);
  }
}

static void compose_one_of_each(
    uint64_t drawn, text tiers, const tier_accounts *accounts,
    exports_idr_rules_logical_account_list_composed_t *answer) {
  for (size_t index = 0; index < accounts->len; index++) {
    const idr_rules_tiers_account_t *account = &accounts->ptr[index];
    if (account->status == IDR_RULES_TYPES_ACCOUNT_STATUS_VANISHED) continue;
    uint64_t number = drawn + answer->len;
    composed *composed = add_composed(answer, account->status, 1);
    composed->native_identity = copied(account->native_identity);
    composed->attributes.len = 1;
    rule_string_dup(&composed->attributes.ptr->name, "level");
    composed->attributes.ptr->value.tag = IDR_RULES_TYPES_VALUE_TEXT;
    numbered(&composed->attributes.ptr->value.val.text, number % 4);
    add_part(composed, tiers, account->native_identity);
  }
}

bool exports_idr_rules_logical_account_compose(
    text *application, exports_idr_rules_logical_account_list_composed_t *answer,
    rule_error *error) {
  uint64_t drawn;
  bool is_drawn = draw(&drawn, error);
  drawn = is_drawn ? stirred_text(drawn, *application) : 0;
  rule_string_free(application);
  if (!is_drawn) return false;
  value tiers;
  bool is_set = idr_rules_parameters_parameter(TEXT("tiers"), &tiers);
  if (!is_set || !IS(tiers, TEXT)) {
    if (is_set) idr_rules_types_value_free(&tiers);
    return NO_ANSWER(error, INVALID, "`tiers` is not text");
  }
  tier_accounts accounts;
  idr_rules_tiers_accounts(&tiers.val.text, &accounts);
  *answer = (exports_idr_rules_logical_account_list_composed_t){
      calloc(accounts.len, sizeof(composed)), 0};
  uint64_t number = drawn % 7;
  if (number == 2) {
    compose_one_of_all(drawn, tiers.val.text, &accounts, answer);
  } else if (number > 2) {
    compose_one_of_each(drawn, tiers.val.text, &accounts, answer);
  }
  idr_rules_tiers_list_account_free(&accounts);
  idr_rules_types_value_free(&tiers);
  if (number > 0) return true;
  free(answer->ptr);
  return by_chance(error);
}

typedef exports_idr_rules_policy_list_violation_t violations;
typedef exports_idr_rules_policy_list_grant_t grants;

/* Adds a violation, if anything breaks the policy. */
static void violate(violations *answer, text description, grants grants) {
  if (grants.len == 0) {
    rule_string_free(&description);
    free(grants.ptr);
    return;
  }
  answer->ptr[answer->len++] = (exports_idr_rules_policy_violation_t){description, grants};
}

static grants all_roles(const rule_list_string_t *roles) {
  grants grants = {calloc(roles->len, sizeof *grants.ptr), roles->len};
  for (size_t index = 0; index < roles->len; index++) {
    grants.ptr[index].tag = EXPORTS_IDR_RULES_POLICY_GRANT_ROLE;
    grants.ptr[index].val.role = copied(roles->ptr[index]);
  }
  return grants;
}

/* The entitlements of the access that `held` names, if it is a text. */
static bool granted(grants *grants, rule_error *error) {
  value held;
  *grants = (exports_idr_rules_policy_list_grant_t){NULL, 0};
  if (!idr_rules_parameters_parameter(TEXT("held"), &held)) return true;
  if (!IS(held, TEXT)) {
    idr_rules_types_value_free(&held);
    return NO_ANSWER(error, INVALID, "`held` is not text");
  }
  text application = held.val.text, attribute = {held.val.text.ptr, 0};
  uint8_t *space = memchr(application.ptr, ' ', application.len);
  if (space != NULL) {
    attribute.ptr = space + 1;
    attribute.len = application.len - (size_t)(space + 1 - application.ptr);
    application.len = (size_t)(space - application.ptr);
  }
  rule_list_string_t values;
  idr_rules_access_held(&application, &attribute, &values);
  grants->ptr = calloc(values.len, sizeof *grants->ptr);
  grants->len = values.len;
  for (size_t index = 0; index < values.len; index++) {
    grants->ptr[index].tag = EXPORTS_IDR_RULES_POLICY_GRANT_ENTITLEMENT;
    grants->ptr[index].val.entitlement = (exports_idr_rules_policy_entitlement_t){
        copied(application), copied(attribute), copied(values.ptr[index])};
  }
  rule_list_string_free(&values);
  idr_rules_types_value_free(&held);
  return true;
}

static bool violated(uint64_t drawn, violations *answer, rule_error *error) {
  text description;
  grants grants;
  if (drawn % 7 == 4) {
    if (!granted(&grants, error)) return false;
    *answer = (violations){calloc(1, sizeof *answer->ptr), 0};
    rule_string_dup(&description, "by chance");
    violate(answer, description, grants);
    return true;
  }
  rule_list_string_t roles;
  idr_rules_access_roles(&roles);
  *answer = (violations){calloc(roles.len + 1, sizeof *answer->ptr), 0};
  if (drawn % 7 == 3) {
    rule_string_dup(&description, "by chance");
    violate(answer, description, all_roles(&roles));
  }
  for (size_t index = 0; drawn % 7 > 4 && index < roles.len; index++) {
    rule_list_string_t role = {&roles.ptr[index], 1};
    numbered(&description, (drawn + index) % 4);
    violate(answer, description, all_roles(&role));
  }
  rule_list_string_free(&roles);
  return true;
}

bool exports_idr_rules_policy_judge(text *policy, violations *answer, rule_error *error) {
  uint64_t drawn;
  bool is_drawn = draw(&drawn, error);
  drawn = is_drawn ? stirred_text(drawn, *policy) : 0;
  rule_string_free(policy);
  if (!is_drawn) return false;
  switch (drawn % 7) {
    case 0:
      return by_chance(error);
    case 1:
    case 2:
      *answer = (violations){calloc(1, sizeof *answer->ptr), 0};
      return true;
    default:
      return violated(drawn, answer, error);
  }
}

static bool selected(
    uint64_t drawn, const exports_idr_rules_account_selection_need_t *need,
    exports_idr_rules_account_selection_selection_t *answer, rule_error *error) {
  answer->tag = EXPORTS_IDR_RULES_ACCOUNT_SELECTION_SELECTION_ASK;
  if (drawn % 5 == 0) return by_chance(error);
  if (drawn % 5 == 1) return true;
  if (drawn % 5 == 2 && need->may_create) {
    answer->tag = EXPORTS_IDR_RULES_ACCOUNT_SELECTION_SELECTION_NEW_ACCOUNT;
  } else if (need->candidates.len > 0) {
    answer->tag = EXPORTS_IDR_RULES_ACCOUNT_SELECTION_SELECTION_EXISTING;
    size_t index = drawn % need->candidates.len;
    answer->val.existing = copied(need->candidates.ptr[index].native_identity);
  }
  return true;
}

bool exports_idr_rules_account_selection_select(
    exports_idr_rules_account_selection_need_t *need,
    exports_idr_rules_account_selection_selection_t *answer, rule_error *error) {
  uint64_t drawn;
  bool is_answered = draw(&drawn, error);
  if (is_answered) {
    drawn = stirred(stirred_text(drawn, need->application), "/", 1);
    if (need->role.is_some) drawn = stirred_text(drawn, need->role.val);
    is_answered = selected(drawn, need, answer, error);
  }
  exports_idr_rules_account_selection_need_free(need);
  return is_answered;
}

bool exports_idr_rules_target_mapping_map_target(
    exports_idr_rules_target_mapping_target_t *target,
    exports_idr_rules_target_mapping_mapping_t *answer, rule_error *error) {
  uint64_t drawn = 0;
  bool is_echo = equals(target->attribute, "echo"), is_some, is_answered;
  answer->tag = EXPORTS_IDR_RULES_TARGET_MAPPING_MAPPING_SET;
  if (is_echo) {
    is_answered = last_read(&answer->val.set, &is_some, error);
    if (is_answered && !is_some) answer->tag = EXPORTS_IDR_RULES_TARGET_MAPPING_MAPPING_CLEAR;
  } else if ((is_answered = draw(&drawn, error))) {
    drawn = stirred(stirred_text(drawn, target->application), "/", 1);
    drawn = stirred(stirred_text(drawn, target->attribute), "/", 1);
    if (target->native_identity.is_some) drawn = stirred_text(drawn, target->native_identity.val);
  }
  exports_idr_rules_target_mapping_target_free(target);
  if (is_echo || !is_answered) return is_answered;
  switch (drawn % 7) {
    case 0:
      return by_chance(error);
    case 1:
      answer->tag = EXPORTS_IDR_RULES_TARGET_MAPPING_MAPPING_CLEAR;
      return true;
    case 2:
      answer->tag = EXPORTS_IDR_RULES_TARGET_MAPPING_MAPPING_LEAVE;
      return true;
    default:
      answer->val.set.tag = IDR_RULES_TYPES_VALUE_TEXT;
      numbered(&answer->val.set.val.text, drawn % 4);
      return true;
  }
}
