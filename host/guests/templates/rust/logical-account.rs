//! The accounts of a logical application: whoever's account in `directory` is in
//! the group `crm-users` has one. Its `level` is that of the account with the same
//! native identity in `crm-db`. The parameter `group` names another group.

wit_bindgen::generate!({ path: "wit", world: "logical-account-rule" });

mod panics;

use exports::idr::rules::logical_account::{Attribute, Composed, Guest, Part};
use idr::rules::parameters::parameter;
use idr::rules::tiers::{Account, accounts, attribute};
use idr::rules::types::{AccountStatus, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn compose(_application: String) -> Result<Vec<Composed>, RuleError> {
        let group = match parameter("group") {
            Some(Value::Text(group)) => group,
            _ => "crm-users".to_owned(),
        };
        let rows = present("crm-db");
        let members = present("directory")
            .into_iter()
            .filter(|account| is_in(account, &group));
        let composed = members.map(|account| {
            let mut rows = rows.iter();
            let row = rows.find(|row| row.native_identity == account.native_identity);
            compose(&account, row)
        });
        Ok(composed.collect())
    }
}

/// Lists the accounts that haven't vanished.
fn present(application: &str) -> Vec<Account> {
    let mut accounts = accounts(application);
    accounts.retain(|account| account.status != AccountStatus::Vanished);
    accounts
}

fn is_in(account: &Account, group: &String) -> bool {
    match attribute(account.handle, "groups") {
        Some(Value::Many(groups)) => groups.contains(group),
        _ => false,
    }
}

fn compose(account: &Account, row: Option<&Account>) -> Composed {
    let level = row.and_then(|row| attribute(row.handle, "level"));
    let attributes = level.into_iter().map(|value| Attribute {
        name: "level".to_owned(),
        value,
    });
    let part = |application: &str| Part {
        application: application.to_owned(),
        native_identity: account.native_identity.clone(),
    };
    Composed {
        native_identity: account.native_identity.clone(),
        status: account.status,
        attributes: attributes.collect(),
        parts: match row {
            Some(_) => vec![part("directory"), part("crm-db")],
            None => vec![part("directory")],
        },
    }
}
