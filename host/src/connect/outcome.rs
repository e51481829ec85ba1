//! What an account is to look like once an operation is carried out: for
//! confirming it by reading the account again, and for telling idr's own
//! changes from native ones.

use idr_core::model::{
    Account, AccountAction, AccountOperation, AccountStatus, AttributeChange, Name, Value,
    ValueChange,
};

/// Says whether an action is carried out, by what its application says now of
/// the account that it leads to ([`AccountAction::leads_to`]). An account that is to be created
/// may have more than it is created with.
pub fn is_so(action: &AccountAction, account: Option<&Account>) -> bool {
    let Some(account) = account else {
        return action.operation == AccountOperation::Delete;
    };
    match action.operation {
        AccountOperation::Create | AccountOperation::Modify => action
            .changes
            .iter()
            .all(|change| is_changed(account, change)),
        AccountOperation::Enable => account.status != AccountStatus::Disabled,
        AccountOperation::Disable => account.status == AccountStatus::Disabled,
        AccountOperation::Move => true,
        AccountOperation::Delete => false,
    }
}

fn is_changed(account: &Account, change: &AttributeChange) -> bool {
    let now = texts(account.attribute(change.attribute));
    match &change.change {
        ValueChange::Set(value) => now == texts(value.as_ref()),
        ValueChange::Add(added) => added.iter().all(|text| now.contains(text)),
        ValueChange::Remove(removed) => !removed.iter().any(|text| now.contains(text)),
    }
}

/// Returns the texts of a value, sorted: applications keep several values in
/// no order.
fn texts(value: Option<&Value>) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(value) = value {
        value.each_text(|text| texts.push(text.to_owned()));
    }
    texts.sort();
    texts.dedup();
    texts
}

/// Returns an account as it is once an action is carried out; none when that
/// deletes it. What isn't there yet begins as `blank`, with the action's key.
pub fn carried_out(
    action: &AccountAction,
    before: Option<Account>,
    blank: Account,
) -> Option<Account> {
    let mut account = before.unwrap_or(blank);
    match action.operation {
        AccountOperation::Delete => return None,
        AccountOperation::Create | AccountOperation::Modify => {
            for change in &action.changes {
                change_attribute(&mut account, change);
            }
        }
        AccountOperation::Enable => account.status = AccountStatus::Enabled,
        AccountOperation::Disable => account.status = AccountStatus::Disabled,
        AccountOperation::Move => {
            if let Some(to) = action.leads_to() {
                account.key.native_identity = to;
            }
        }
    }
    Some(account)
}

fn change_attribute(account: &mut Account, change: &AttributeChange) {
    let name = change.attribute;
    let value = match &change.change {
        ValueChange::Set(value) => value.clone(),
        ValueChange::Add(added) => {
            let mut now = texts(account.attribute(name));
            now.extend(added.iter().cloned());
            several(account, name, now)
        }
        ValueChange::Remove(removed) => {
            let mut now = texts(account.attribute(name));
            now.retain(|text| !removed.contains(text));
            several(account, name, now)
        }
    };
    account.attributes.retain(|(known, _)| *known != name);
    account.attributes.extend(value.map(|value| (name, value)));
    account.attributes.sort_by_key(|(known, _)| *known);
}

/// Returns several texts as the value of an attribute, of the type that it has.
fn several(account: &Account, name: Name, mut texts: Vec<String>) -> Option<Value> {
    texts.sort();
    texts.dedup();
    match account.attribute(name) {
        Some(Value::Text(_)) if texts.len() <= 1 => texts.pop().map(Value::text),
        _ => Value::many(texts).normalised(),
    }
}
