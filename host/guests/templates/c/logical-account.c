/* The accounts of a logical application: whoever's account in `directory` is in
 * the group `crm-users` has one. Its `level` is that of the account with the same
 * native identity in `crm-db`. The parameter `group` names another group. */

#include <stdlib.h>

#include "idr.h"

typedef idr_rules_tiers_list_account_t accounts;
typedef idr_rules_tiers_account_t account;
typedef exports_idr_rules_logical_account_composed_t composed;

static bool same(text one, text other) {
  return one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0;
}

static bool is_present(const account *account) {
  return account->status != IDR_RULES_TYPES_ACCOUNT_STATUS_VANISHED;
}

static bool is_in(const account *account, text group) {
  value groups;
  bool is_in = false;
  if (!idr_rules_tiers_attribute(account->handle, TEXT("groups"), &groups)) return false;
  for (size_t index = 0; IS(groups, MANY) && index < groups.val.many.len; index++) {
    is_in |= same(groups.val.many.ptr[index], group);
  }
  idr_rules_types_value_free(&groups);
  return is_in;
}

/* Returns the account of that name, or null. */
static const account *find(const accounts *rows, text name) {
  for (size_t index = 0; index < rows->len; index++) {
    const account *row = &rows->ptr[index];
    if (is_present(row) && same(row->native_identity, name)) return row;
  }
  return NULL;
}

static void add_part(composed *composed, const char *application, text name) {
  exports_idr_rules_logical_account_part_t *part = &composed->parts.ptr[composed->parts.len++];
  rule_string_dup(&part->application, application);
  rule_string_dup_n(&part->native_identity, (char *)name.ptr, name.len);
}

static void compose(composed *composed, const account *account, const accounts *rows) {
  text name = account->native_identity;
  rule_string_dup_n(&composed->native_identity, (char *)name.ptr, name.len);
  composed->status = account->status;
  composed->attributes.ptr = calloc(1, sizeof *composed->attributes.ptr);
  composed->parts.ptr = calloc(2, sizeof *composed->parts.ptr);
  add_part(composed, "directory", name);
  const idr_rules_tiers_account_t *row = find(rows, name);
  if (row == NULL) return;
  add_part(composed, "crm-db", name);
  exports_idr_rules_logical_account_attribute_t *level = composed->attributes.ptr;
  /* The value goes to the host, which frees it. */
  if (!idr_rules_tiers_attribute(row->handle, TEXT("level"), &level->value)) return;
  rule_string_dup(&level->name, "level");
  composed->attributes.len = 1;
}

bool exports_idr_rules_logical_account_compose(
    text *application, exports_idr_rules_logical_account_list_composed_t *answer,
    rule_error *error) {
  rule_string_free(application);
  text group = text_parameter("group", "crm-users");
  accounts members, rows;
  idr_rules_tiers_accounts(TEXT("directory"), &members);
  idr_rules_tiers_accounts(TEXT("crm-db"), &rows);
  answer->ptr = calloc(members.len, sizeof *answer->ptr);
  answer->len = 0;
  for (size_t index = 0; index < members.len; index++) {
    const account *account = &members.ptr[index];
    if (!is_present(account) || !is_in(account, group)) continue;
    compose(&answer->ptr[answer->len++], account, &rows);
  }
  idr_rules_tiers_list_account_free(&members);
  idr_rules_tiers_list_account_free(&rows);
  rule_string_free(&group);
  return true;
}
