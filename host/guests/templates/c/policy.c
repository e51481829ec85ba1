/* Nobody may have more than two administrator roles: those whose names begin with
 * `Admin`. The parameter `most` is another number. */

#include <stdio.h>
#include <stdlib.h>

#include "idr.h"

typedef exports_idr_rules_policy_violation_t violation;
typedef exports_idr_rules_policy_grant_t grant;

static long long most_roles(void) {
  value most;
  long long number = 2;
  if (!idr_rules_parameters_parameter(TEXT("most"), &most)) return number;
  if (IS(most, INTEGER)) number = most.val.integer;
  idr_rules_types_value_free(&most);
  return number;
}

bool exports_idr_rules_policy_judge(
    text *policy, exports_idr_rules_policy_list_violation_t *answer, rule_error *error) {
  rule_string_free(policy);
  rule_list_string_t roles;
  idr_rules_access_roles(&roles);
  violation broken = {.grants = {calloc(roles.len, sizeof(grant)), 0}};
  for (size_t index = 0; index < roles.len; index++) {
    text role = roles.ptr[index];
    if (!begins_with(role, *TEXT("Admin"))) continue;
    grant *grant = &broken.grants.ptr[broken.grants.len++];
    grant->tag = EXPORTS_IDR_RULES_POLICY_GRANT_ROLE;
    rule_string_dup_n(&grant->val.role, (char *)role.ptr, role.len);
  }
  rule_list_string_free(&roles);

  long long most = most_roles();
  char description[64];
  snprintf(description, sizeof description, "more than %lld administrator roles", most);
  rule_string_dup(&broken.description, description);
  bool is_broken = (long long)broken.grants.len > most;
  if (!is_broken) exports_idr_rules_policy_violation_free(&broken);
  answer->ptr = calloc(1, sizeof *answer->ptr);
  answer->len = is_broken;
  if (is_broken) *answer->ptr = broken;
  return true;
}
