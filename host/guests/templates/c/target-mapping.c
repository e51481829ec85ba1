/* The home directory of an account: `/home`, the site if there is one, and the
 * login. The parameter `root` replaces `/home`. */

#include <stdio.h>
#include <stdlib.h>

#include "idr.h"

typedef exports_idr_rules_target_mapping_mapping_t mapping;

/* Reads an attribute, which is the caller's to free if there is one. */
typedef struct {
  bool is_some, is_text;
  value value;
} found;

static found text_of(text *name) {
  found found = {.is_some = idr_rules_subject_attribute(name, &found.value)};
  found.is_text = !found.is_some || IS(found.value, TEXT);
  return found;
}

static void home(text *answer, text site, text login) {
  text root = text_parameter("root", "/home");
  size_t size = root.len + site.len + login.len + 3;
  char *path = malloc(size);
  snprintf(path, size, "%.*s%s%.*s/%.*s", (int)root.len, (char *)root.ptr, site.len > 0 ? "/" : "",
           (int)site.len, (char *)site.ptr, (int)login.len, (char *)login.ptr);
  rule_string_dup(answer, path);
  free(path);
  rule_string_free(&root);
}

bool exports_idr_rules_target_mapping_map_target(
    exports_idr_rules_target_mapping_target_t *target, mapping *answer, rule_error *error) {
  bool is_home = equals(target->attribute, "homeDirectory");
  exports_idr_rules_target_mapping_target_free(target);
  answer->tag = EXPORTS_IDR_RULES_TARGET_MAPPING_MAPPING_LEAVE;
  if (!is_home) return true;

  found login = text_of(TEXT("login")), site = text_of(TEXT("site"));
  bool is_fine = login.is_text && site.is_text;
  answer->tag = EXPORTS_IDR_RULES_TARGET_MAPPING_MAPPING_CLEAR;
  if (is_fine && login.is_some) {
    text no_site = {(uint8_t *)"", 0};
    answer->tag = EXPORTS_IDR_RULES_TARGET_MAPPING_MAPPING_SET;
    answer->val.set.tag = IDR_RULES_TYPES_VALUE_TEXT;
    home(&answer->val.set.val.text, site.is_some ? site.value.val.text : no_site,
         login.value.val.text);
  }
  if (login.is_some) idr_rules_types_value_free(&login.value);
  if (site.is_some) idr_rules_types_value_free(&site.value);
  if (!login.is_text) return NO_ANSWER(error, INVALID, "`login` is not text");
  if (!site.is_text) return NO_ANSWER(error, INVALID, "`site` is not text");
  return true;
}
