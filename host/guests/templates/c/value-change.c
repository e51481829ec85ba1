/* Keeps the family name that somebody had before, in the attribute that the
 * parameter `keepIn` names, or in `formerName`. */

#include <stdlib.h>

#include "idr.h"

bool exports_idr_rules_value_change_propose(
    text *attribute, value *old_value, value *new_value,
    exports_idr_rules_value_change_list_proposal_t *answer, rule_error *error) {
  bool is_kept = equals(*attribute, "familyName") && old_value != NULL;
  rule_string_free(attribute);
  if (new_value) idr_rules_types_value_free(new_value);
  answer->ptr = calloc(1, sizeof *answer->ptr);
  answer->len = is_kept;
  if (is_kept) {
    /* The value goes to the host, which frees it. */
    answer->ptr->attribute = text_parameter("keepIn", "formerName");
    answer->ptr->value.is_some = true;
    answer->ptr->value.val = *old_value;
  } else if (old_value) {
    idr_rules_types_value_free(old_value);
  }
  return true;
}
