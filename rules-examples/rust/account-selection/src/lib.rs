//! Which account is meant where somebody has one to work with and one to
//! administrate with.
//!
//! Privileged roles belong to accounts whose attribute `accountType` is `admin`,
//! everything else to those where it is `personal`, or isn't set. If several would
//! do, it is the one that the identity attribute `primaryAccount` names; accounts
//! that are disabled are meant only where there is no other.
//!
//! Where none would do, a new one is made; but nobody external gets an account for
//! administrators without a person saying so.
//!
//! Parameters:
//! - `privileged` (list of texts): the roles that are privileged

wit_bindgen::generate!({ path: "../../../wit/0.1.1", world: "account-selection-rule" });

use exports::idr::rules::account_selection::{Guest, Need, Selection};
use idr::rules::parameters::parameter;
use idr::rules::subject::{Account, AccountStatus, account_attribute, attribute};
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn select(need: Need) -> Result<Selection, RuleError> {
        let is_privileged = need.role.as_ref().is_some_and(is_privileged);
        let wanted = if is_privileged { "admin" } else { "personal" };
        let mut fitting = Vec::new();
        for account in need.candidates {
            if type_of(&account)? == wanted {
                fitting.push(account);
            }
        }
        let is_in_use = |account: &Account| account.status == AccountStatus::Enabled;
        if fitting.iter().any(is_in_use) {
            fitting.retain(is_in_use);
        }
        match fitting.as_slice() {
            [] if need.may_create && !(is_privileged && is_external()) => Ok(Selection::NewAccount),
            [] => Ok(Selection::Ask),
            [account] => Ok(existing(account)),
            several => Ok(primary(several).map_or(Selection::Ask, existing)),
        }
    }
}

fn is_privileged(role: &String) -> bool {
    match parameter("privileged") {
        Some(Value::Many(roles)) => roles.contains(role),
        _ => false,
    }
}

fn is_external() -> bool {
    matches!(attribute("employment"), Some(Value::Text(text)) if text == "external")
}

fn type_of(account: &Account) -> Result<String, RuleError> {
    match account_attribute(account.handle, "accountType") {
        None => Ok("personal".to_owned()),
        Some(Value::Text(text)) => Ok(text),
        Some(_) => Err(RuleError::Invalid(format!(
            "`accountType` of `{}` is not text",
            account.native_identity
        ))),
    }
}

fn primary(accounts: &[Account]) -> Option<&Account> {
    let Some(Value::Text(name)) = attribute("primaryAccount") else {
        return None;
    };
    accounts
        .iter()
        .find(|account| account.native_identity == name)
}

fn existing(account: &Account) -> Selection {
    Selection::Existing(account.native_identity.clone())
}
