/* Which identity an account gives rise to: none for test accounts and for those
 * not in use, a contractor for externals. The parameter `prefix` replaces `test-`. */

#include "idr.h"

typedef exports_idr_rules_identity_creation_creation_t creation;

static bool skip(creation *answer, const char *why) {
  answer->tag = EXPORTS_IDR_RULES_IDENTITY_CREATION_CREATION_SKIP;
  rule_string_dup(&answer->val.skip, why);
  return true;
}

static bool is_test_account(void) {
  text prefix = text_parameter("prefix", "test-"), name;
  idr_rules_account_native_identity(&name);
  bool is_test_account = begins_with(name, prefix);
  rule_string_free(&prefix);
  rule_string_free(&name);
  return is_test_account;
}

static bool is_external(void) {
  value employment;
  if (!idr_rules_account_attribute(TEXT("employment"), &employment)) return false;
  bool is_external = IS(employment, TEXT) && equals(employment.val.text, "external");
  idr_rules_types_value_free(&employment);
  return is_external;
}

bool exports_idr_rules_identity_creation_create(creation *answer, rule_error *error) {
  if (is_test_account()) return skip(answer, "a test account");
  if (idr_rules_account_status() != IDR_RULES_TYPES_ACCOUNT_STATUS_ENABLED) {
    return skip(answer, "not in use");
  }
  /* What is absent is as the application's configuration says. */
  answer->tag = EXPORTS_IDR_RULES_IDENTITY_CREATION_CREATION_CREATE;
  answer->val.create.name.is_some = false;
  answer->val.create.identity_type.is_some = is_external();
  if (answer->val.create.identity_type.is_some) {
    rule_string_dup(&answer->val.create.identity_type.val, "contractor");
  }
  return true;
}
