//! Attribute synchronisation: account attributes that follow identity attributes.
//!
//! Level-based like everything that is called for: a target that differs is to
//! be set for as long as it differs.

use super::mapping::{self, Mapped, Place};
use super::provisioning::{Atom, Wanted};
use super::standing::Standing;
use crate::definitions::{AttributeDefinition, AttributeTarget, Mapping};
use crate::model::finding::{ACCOUNT_SELECTION, PROVISIONING};
use crate::model::{AccountKey, ActionReason, Finding, Name, Severity, Value, ValueType};
use crate::plan::Draft;
use crate::rule::RuleEvaluator;
use crate::view::{Node, Slot, SnapshotError, TrackedView};

/// Returns what is to be set on accounts that are there.
pub(super) fn plan(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    standing: &Standing,
    draft: &mut Draft,
) -> Result<Vec<Wanted>, SnapshotError> {
    let model = view.model().clone();
    let mut wanted = Vec::new();
    for definition in &model.attributes {
        for target in &definition.targets {
            let application = model.application(target.application);
            if !application.is_some_and(|known| known.is_provisioned()) {
                continue;
            }
            let accounts = accounts(view, standing, definition, target, draft);
            for account in accounts {
                let native_identity = Some(account.native_identity.as_str());
                let (mapped, hops) = view.counting(|view| {
                    value(view, evaluator, definition, target, native_identity, draft)
                });
                let Mapped::Value(value) = mapped? else {
                    continue;
                };
                let account_now = view.record().accounts.iter();
                let mut account_now = account_now.filter(|known| known.key == account);
                let now = account_now
                    .next()
                    .and_then(|known| known.attribute(target.attribute));
                let sent = standing.last_set(&account, target.attribute);
                let is_so = is_same(now, value.as_ref());
                if is_so && sent.is_none_or(|sent| is_same(sent, value.as_ref())) {
                    continue;
                }
                wanted.push(Wanted {
                    hops,
                    account,
                    attribute: target.attribute,
                    atom: Atom::Set(value.clone()),
                    reasons: vec![ActionReason::Synchronisation {
                        attribute: definition.name,
                    }],
                });
            }
        }
    }
    Ok(wanted)
}

/// Returns what a new account is given because attributes are followed.
pub(super) fn of_new_account(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    application: Name,
    draft: &mut Draft,
) -> Result<Vec<(Name, Value)>, SnapshotError> {
    let model = view.model().clone();
    let mut values = Vec::new();
    for definition in &model.attributes {
        for target in &definition.targets {
            // Accounts are made of it once it is there.
            if target.application != application || target.of.is_some() {
                continue;
            }
            // What nobody can say now is set when the account is there.
            let mapped = value(view, evaluator, definition, target, None, draft)?;
            if let Mapped::Value(Some(value)) = mapped {
                values.push((target.attribute, value));
            }
        }
    }
    Ok(values)
}

/// Says whether two values are the same; lists may be in any order.
fn is_same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Many(one)), Some(Value::Many(other))) => {
            let (mut one, mut other) = (one.clone(), other.clone());
            one.sort();
            other.sort();
            one == other
        }
        _ => one == other,
    }
}

/// Returns the accounts that follow.
fn accounts(
    view: &TrackedView,
    standing: &Standing,
    definition: &AttributeDefinition,
    target: &AttributeTarget,
    draft: &mut Draft,
) -> Vec<AccountKey> {
    let accounts = view.record().accounts.iter();
    let is_meant = |key: &AccountKey| match target.of {
        None => key.application == target.application,
        Some(logical) => view.is_part(key, target.application, logical),
    };
    let present = accounts.filter(|account| {
        is_meant(&account.key) && account.missing_since.is_none() && !standing.goes(&account.key)
    });
    let mut keys: Vec<AccountKey> = present.map(|account| account.key.clone()).collect();
    if target.all_accounts || keys.len() < 2 {
        return keys;
    }
    keys.retain(|key| standing.is_target(key));
    if keys.len() == 1 {
        return keys;
    }
    draft.findings.push(Finding {
        severity: Severity::Warning,
        phase: PROVISIONING,
        subject: format!("{} {}", target.application, target.attribute),
        cause: Name::new(ACCOUNT_SELECTION),
        message: format!(
            "of several accounts in `{}` nobody can say which is to follow `{}`",
            target.application, definition.name
        ),
        hint: Some(format!(
            "write `all_accounts = true` for that target of `{}`, or choose an account for a role \
             there: idr role assign --account",
            definition.name
        )),
    });
    Vec::new()
}

/// Works out the value that a target is to have.
fn value(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    definition: &AttributeDefinition,
    target: &AttributeTarget,
    native_identity: Option<&str>,
    draft: &mut Draft,
) -> Result<Mapped, SnapshotError> {
    // One that was never worked out says nothing about accounts.
    let Slot::Attribute(Some(_)) = view.slot(Node::Attribute(definition.name)) else {
        return Ok(Mapped::Leave);
    };
    let application = view.model().application(target.application);
    let attribute = application.and_then(|known| known.attribute(target.attribute));
    let itself = Mapping::Attribute(definition.name);
    let mapping = target.mapping.as_ref().unwrap_or(&itself);
    let place = Place {
        application: target.application,
        attribute: target.attribute,
        native_identity,
        value_type: attribute.map_or(ValueType::Text, |known| known.value_type),
    };
    mapping::value(view, evaluator, mapping, place, draft)
}
