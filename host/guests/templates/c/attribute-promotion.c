/* The display name: given name and family name, whichever there are. */

#include <stdlib.h>

#include "idr.h"

/* Adds a name to the others; false when it is no text. */
static bool add_name(text *names, text *attribute) {
  value name;
  if (!idr_rules_subject_attribute(attribute, &name)) return true;
  bool is_text = IS(name, TEXT);
  if (is_text) {
    names->ptr = realloc(names->ptr, names->len + 1 + name.val.text.len);
    if (names->len > 0) names->ptr[names->len++] = ' ';
    memcpy(names->ptr + names->len, name.val.text.ptr, name.val.text.len);
    names->len += name.val.text.len;
  }
  idr_rules_types_value_free(&name);
  return is_text;
}

bool exports_idr_rules_attribute_promotion_promote(
    text *attribute, exports_idr_rules_attribute_promotion_promotion_t *answer,
    rule_error *error) {
  text names = {0};
  rule_string_free(attribute);
  if (!add_name(&names, TEXT("givenName"))) {
    return NO_ANSWER(error, INVALID, "`givenName` is not text");
  }
  if (!add_name(&names, TEXT("familyName"))) {
    rule_string_free(&names);
    return NO_ANSWER(error, INVALID, "`familyName` is not text");
  }
  /* Without any, the attribute's next source is asked. */
  answer->tag = names.len == 0 ? EXPORTS_IDR_RULES_ATTRIBUTE_PROMOTION_PROMOTION_NEXT
                               : EXPORTS_IDR_RULES_ATTRIBUTE_PROMOTION_PROMOTION_SET;
  answer->val.set.tag = IDR_RULES_TYPES_VALUE_TEXT;
  answer->val.set.val.text = names;
  return true;
}
