/* Whether somebody has moved: the department isn't what it was. The parameter
 * `attribute` names another attribute to look at. */

#include "idr.h"

/* Compares texts; one that isn't there, or is no text, is as an empty one. */
static bool differ(const value *one, const value *other) {
  text before = {0}, now = {0};
  if (one && IS(*one, TEXT)) before = one->val.text;
  if (other && IS(*other, TEXT)) now = other->val.text;
  return before.len != now.len || memcmp(before.ptr, now.ptr, now.len) != 0;
}

bool exports_idr_rules_identity_trigger_fires(text *trigger, bool *answer, rule_error *error) {
  rule_string_free(trigger);
  /* Somebody who is new hasn't moved. */
  *answer = false;
  if (!idr_rules_baseline_exists()) return true;
  value before, now;
  text name = text_parameter("attribute", "department");
  bool was_set = idr_rules_baseline_attribute(&name, &before);
  bool is_set = idr_rules_subject_attribute(&name, &now);
  rule_string_free(&name);
  *answer = differ(was_set ? &before : NULL, is_set ? &now : NULL);
  if (was_set) idr_rules_types_value_free(&before);
  if (is_set) idr_rules_types_value_free(&now);
  return true;
}
