/* Who is eligible for which role: a role is named after the department that has
 * it. The parameter `always` lists roles that everybody has. */

#include <stdlib.h>

#include "idr.h"

typedef exports_idr_rules_role_assignment_eligibility_t eligibility;

static bool same(text one, text other) {
  return one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0;
}

static bool is_for_everybody(text role) {
  value always;
  bool is_among = false;
  if (!idr_rules_parameters_parameter(TEXT("always"), &always)) return false;
  for (size_t index = 0; IS(always, MANY) && index < always.val.many.len; index++) {
    is_among |= same(always.val.many.ptr[index], role);
  }
  idr_rules_types_value_free(&always);
  return is_among;
}

bool exports_idr_rules_role_assignment_assign(
    rule_list_string_t *candidates, exports_idr_rules_role_assignment_list_eligibility_t *answer,
    rule_error *error) {
  value department;
  bool is_known = idr_rules_subject_attribute(TEXT("department"), &department);
  bool is_text = is_known && IS(department, TEXT);
  /* One answer per candidate, in their order. */
  answer->len = candidates->len;
  answer->ptr = calloc(answer->len, sizeof *answer->ptr);
  for (size_t index = 0; index < answer->len; index++) {
    text role = candidates->ptr[index];
    eligibility *eligibility = &answer->ptr[index];
    if (is_for_everybody(role) || (is_text && same(department.val.text, role))) {
      eligibility->tag = EXPORTS_IDR_RULES_ROLE_ASSIGNMENT_ELIGIBILITY_YES;
    } else if (!is_known) {
      eligibility->tag = EXPORTS_IDR_RULES_ROLE_ASSIGNMENT_ELIGIBILITY_CANNOT_TELL;
      rule_string_dup(&eligibility->val.cannot_tell, "no department");
    } else {
      eligibility->tag = EXPORTS_IDR_RULES_ROLE_ASSIGNMENT_ELIGIBILITY_NO;
    }
  }
  if (is_known) idr_rules_types_value_free(&department);
  rule_list_string_free(candidates);
  return true;
}
