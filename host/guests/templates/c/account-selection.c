/* Which account is meant: roles whose names begin with `Admin` belong to the
 * administrator's account, whose native identity begins with `adm-`, everything
 * else to the other one. The parameter `prefix` replaces `adm-`. */

#include "idr.h"

typedef exports_idr_rules_account_selection_need_t need;

bool exports_idr_rules_account_selection_select(
    need *need, exports_idr_rules_account_selection_selection_t *answer, rule_error *error) {
  text prefix = text_parameter("prefix", "adm-"), fitting = {0};
  size_t n_fitting = 0;
  bool is_privileged = need->role.is_some && begins_with(need->role.val, *TEXT("Admin"));
  for (size_t index = 0; index < need->candidates.len; index++) {
    text name = need->candidates.ptr[index].native_identity;
    if (begins_with(name, prefix) != is_privileged) continue;
    fitting = name;
    n_fitting++;
  }
  if (n_fitting == 1) {
    answer->tag = EXPORTS_IDR_RULES_ACCOUNT_SELECTION_SELECTION_EXISTING;
    rule_string_dup_n(&answer->val.existing, (char *)fitting.ptr, fitting.len);
  } else if (n_fitting == 0 && need->may_create) {
    answer->tag = EXPORTS_IDR_RULES_ACCOUNT_SELECTION_SELECTION_NEW_ACCOUNT;
  } else {
    answer->tag = EXPORTS_IDR_RULES_ACCOUNT_SELECTION_SELECTION_ASK;
  }
  exports_idr_rules_account_selection_need_free(need);
  rule_string_free(&prefix);
  return true;
}
