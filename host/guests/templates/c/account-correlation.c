/* Whose an account is: by its employee number; `adm-anna` is a second account of
 * whoever logs in as `anna`. The parameter `prefix` replaces `adm-`. */

#include "idr.h"

bool exports_idr_rules_account_correlation_correlate(
    exports_idr_rules_account_correlation_option_lookup_t *answer, rule_error *error) {
  value number;
  answer->is_some = true;
  if (idr_rules_account_attribute(TEXT("employeeNumber"), &number)) {
    if (!IS(number, TEXT)) {
      idr_rules_types_value_free(&number);
      return NO_ANSWER(error, INVALID, "`employeeNumber` is not text");
    }
    rule_string_dup(&answer->val.attribute, "employeeNumber");
    answer->val.value = number.val.text;
    return true;
  }
  text prefix = text_parameter("prefix", "adm-"), name;
  idr_rules_account_native_identity(&name);
  answer->is_some = begins_with(name, prefix);
  if (answer->is_some) {
    rule_string_dup(&answer->val.attribute, "login");
    rule_string_dup_n(&answer->val.value, (char *)name.ptr + prefix.len, name.len - prefix.len);
  }
  rule_string_free(&prefix);
  rule_string_free(&name);
  return true;
}
