/* Whom an account names as the manager: by address, or by employee number. The
 * word `none` is nobody. */

#include <stdio.h>

#include "idr.h"

bool exports_idr_rules_manager_correlation_correlate(
    value *manager, exports_idr_rules_manager_correlation_option_lookup_t *answer,
    rule_error *error) {
  text named;
  char digits[24];
  if (IS(*manager, TEXT)) {
    named = manager->val.text;
  } else if (IS(*manager, INTEGER)) {
    snprintf(digits, sizeof digits, "%lld", (long long)manager->val.integer);
    rule_string_dup(&named, digits);
  } else {
    idr_rules_types_value_free(manager);
    return NO_ANSWER(error, INVALID, "the manager is neither text nor a number");
  }
  answer->is_some = !equals(named, "none");
  if (!answer->is_some) {
    rule_string_free(&named);
    return true;
  }
  bool is_address = memchr(named.ptr, '@', named.len) != NULL;
  rule_string_dup(&answer->val.attribute, is_address ? "email" : "employeeNumber");
  answer->val.value = named;
  return true;
}
