//! The accounts of a CRM that has none of its own: people get in with an account
//! of the directory that is in its group, and see what a row of its database says.
//!
//! | there is                         | account in the CRM                          |
//! |----------------------------------|---------------------------------------------|
//! | member of the group, row         | both; `profile` and `region` from the row   |
//! | member of the group only         | with the profile `none`: they see nothing   |
//! | row only                         | none: nobody can get in with it             |
//!
//! A row belongs to the directory account with the same `mail`, however it is
//! written. The logical account is locked or disabled as soon as one of the two is.
//!
//! Parameters:
//! - `directory`, `database` (text): the two applications (default `directory`, `crm-db`)
//! - `group` (text): the group that lets people in (default `crm-users`)

wit_bindgen::generate!({ path: "../../../wit/0.1.1", world: "logical-account-rule" });

use exports::idr::rules::logical_account::{Attribute, Composed, Guest, Part};
use idr::rules::parameters::parameter;
use idr::rules::tiers::{Account, accounts, attribute};
use idr::rules::types::{AccountStatus, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn compose(_application: String) -> Result<Vec<Composed>, RuleError> {
        let directory = text_parameter("directory", "directory")?;
        let database = text_parameter("database", "crm-db")?;
        let group = text_parameter("group", "crm-users")?;

        let mut members = Vec::new();
        for account in present(&directory) {
            if is_member(&account, &group)? {
                members.push((mail_of(&account)?, account));
            }
        }
        // The database is asked only if somebody can get in.
        if members.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        for row in present(&database) {
            rows.push((mail_of(&row)?, row));
        }
        let composed = members.into_iter().map(|(mail, account)| {
            let mut rows = rows.iter();
            let row = rows.find(|(other, _)| mail.is_some() && *other == mail);
            compose(&directory, &account, &database, row.map(|(_, row)| row))
        });
        Ok(composed.collect())
    }
}

fn compose(directory: &str, account: &Account, database: &str, row: Option<&Account>) -> Composed {
    let attributes = match row {
        Some(row) => ["profile", "region"]
            .into_iter()
            .filter_map(|name| named(name, attribute(row.handle, name)))
            .collect(),
        None => named("profile", Some(Value::Text("none".to_owned())))
            .into_iter()
            .collect(),
    };
    let mut parts = vec![part(directory, account)];
    parts.extend(row.map(|row| part(database, row)));
    Composed {
        native_identity: account.native_identity.clone(),
        status: row.map_or(account.status, |row| stricter(account.status, row.status)),
        attributes,
        parts,
    }
}

fn named(name: &str, value: Option<Value>) -> Option<Attribute> {
    let name = name.to_owned();
    value.map(|value| Attribute { name, value })
}

fn part(application: &str, account: &Account) -> Part {
    Part {
        application: application.to_owned(),
        native_identity: account.native_identity.clone(),
    }
}

/// Returns disabled before locked before enabled.
fn stricter(one: AccountStatus, other: AccountStatus) -> AccountStatus {
    let either = |status| one == status || other == status;
    if either(AccountStatus::Disabled) {
        AccountStatus::Disabled
    } else if either(AccountStatus::Locked) {
        AccountStatus::Locked
    } else {
        AccountStatus::Enabled
    }
}

/// Lists the accounts that haven't vanished.
fn present(application: &str) -> Vec<Account> {
    let mut accounts = accounts(application);
    accounts.retain(|account| account.status != AccountStatus::Vanished);
    accounts
}

fn is_member(account: &Account, group: &str) -> Result<bool, RuleError> {
    match attribute(account.handle, "groups") {
        None => Ok(false),
        Some(Value::Text(only)) => Ok(only == group),
        Some(Value::Many(groups)) => Ok(groups.iter().any(|each| each == group)),
        Some(_) => Err(wrong(account, "groups")),
    }
}

/// Returns an account's address in small letters.
fn mail_of(account: &Account) -> Result<Option<String>, RuleError> {
    match attribute(account.handle, "mail") {
        None => Ok(None),
        Some(Value::Text(mail)) => Ok(Some(mail.to_ascii_lowercase())),
        Some(_) => Err(wrong(account, "mail")),
    }
}

fn wrong(account: &Account, name: &str) -> RuleError {
    let native_identity = &account.native_identity;
    RuleError::Invalid(format!("`{name}` of `{native_identity}` is not text"))
}

fn text_parameter(name: &str, otherwise: &str) -> Result<String, RuleError> {
    match parameter(name) {
        None => Ok(otherwise.to_owned()),
        Some(Value::Text(text)) => Ok(text),
        Some(_) => Err(RuleError::Invalid(format!(
            "parameter `{name}` is not text"
        ))),
    }
}
