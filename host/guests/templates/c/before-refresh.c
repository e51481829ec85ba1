/* The location of a person's first account that is in use. The parameter
 * `application` says where; it is `hr` otherwise. */

#include <stdlib.h>

#include "idr.h"

bool exports_idr_rules_before_refresh_propose(
    exports_idr_rules_before_refresh_list_proposal_t *answer, rule_error *error) {
  text application = text_parameter("application", "hr");
  idr_rules_subject_list_account_t accounts;
  idr_rules_subject_accounts(&application, &accounts);
  rule_string_free(&application);
  /* What isn't proposed comes from its sources. */
  answer->ptr = calloc(1, sizeof *answer->ptr);
  answer->len = 0;
  for (size_t index = 0; index < accounts.len && answer->len == 0; index++) {
    if (accounts.ptr[index].status != IDR_RULES_TYPES_ACCOUNT_STATUS_ENABLED) continue;
    rule_string_dup(&answer->ptr->attribute, "location");
    answer->ptr->value.is_some = idr_rules_subject_account_attribute(
        accounts.ptr[index].handle, TEXT("location"), &answer->ptr->value.val);
    answer->len = 1;
  }
  idr_rules_subject_list_account_free(&accounts);
  return true;
}
