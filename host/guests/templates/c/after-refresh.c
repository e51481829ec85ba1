/* A red badge for whoever has a role, from the next refresh on: `Administrator`,
 * or what the parameter `role` says. */

#include <stdlib.h>

#include "idr.h"

bool exports_idr_rules_after_refresh_propose(
    exports_idr_rules_after_refresh_list_proposal_t *answer, rule_error *error) {
  text role = text_parameter("role", "Administrator");
  bool has_role = idr_rules_roles_has_assigned(&role);
  rule_string_free(&role);
  answer->ptr = calloc(1, sizeof *answer->ptr);
  answer->len = 1;
  rule_string_dup(&answer->ptr->attribute, "badge");
  answer->ptr->value.is_some = has_role;
  if (has_role) {
    answer->ptr->value.val.tag = IDR_RULES_TYPES_VALUE_TEXT;
    rule_string_dup(&answer->ptr->value.val.val.text, "red");
  }
  return true;
}
