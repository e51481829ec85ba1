//! Which account is meant: roles whose names begin with `Admin` belong to the
//! administrator's account, whose native identity begins with `adm-`, everything
//! else to the other one. The parameter `prefix` replaces `adm-`.

wit_bindgen::generate!({ path: "wit", world: "account-selection-rule" });

mod panics;

use exports::idr::rules::account_selection::{Guest, Need, Selection};
use idr::rules::parameters::parameter;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn select(need: Need) -> Result<Selection, RuleError> {
        let prefix = match parameter("prefix") {
            Some(Value::Text(prefix)) => prefix,
            _ => "adm-".to_owned(),
        };
        let is_privileged = need.role.is_some_and(|role| role.starts_with("Admin"));
        let mut candidates = need.candidates;
        candidates.retain(|account| account.native_identity.starts_with(&prefix) == is_privileged);
        Ok(match candidates.as_slice() {
            [account] => Selection::Existing(account.native_identity.clone()),
            [] if need.may_create => Selection::NewAccount,
            _ => Selection::Ask,
        })
    }
}
