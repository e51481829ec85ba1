//! What a refresh does to identities, as the audit says it: what changes, and no
//! value of an attribute.

use idr_core::definitions::Model;
use idr_core::model::{AccountKey, Identity, Name, ValueChange};
use idr_core::plan::Changes;

use crate::store::{AuditEntry, Run};

/// Returns the entry on what a run does to an identity.
pub(super) fn entry(run: &Run, name: &str, what: String) -> AuditEntry {
    AuditEntry {
        at: run.step.instant,
        actor: run.actor.clone(),
        action: "refresh".to_owned(),
        subject: name.to_owned(),
        reason: format!("run {}: {what}", run.id.0),
    }
}

/// Says what a plan visibly changes, such as `department, lifecycle state active
/// to inactive, +role Sales, modify ad cn=a, +entitlement ad groups crm`; none when
/// that is nothing.
pub(super) fn what_changes(changes: &Changes, before: &Identity, model: &Model) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let attributes = changes.attributes.iter();
    let attributes = attributes.filter(|(name, state)| {
        let value = state.as_ref().and_then(|state| state.value.as_ref());
        value != before.value(*name)
    });
    parts.extend(attributes.map(|(name, _)| name.to_string()));
    if changes.manager.is_some() {
        parts.push("manager".to_owned());
    }
    if let Some(lifecycle) = &changes.lifecycle {
        let shown =
            |state: Option<Name>| state.map_or("none".to_owned(), |state| state.to_string());
        let (old, new) = (shown(before.lifecycle_state), shown(lifecycle.state));
        parts.push(format!("lifecycle state {old} to {new}"));
    }
    if let Some(assigned) = &changes.assigned {
        let old = before.assigned.iter().map(|known| known.role);
        let new = assigned.iter().map(|known| known.role);
        parts.extend(differences("role", old.collect(), new.collect()));
    }
    if let Some(detected) = &changes.detected {
        let old = before.detected.iter().map(|known| known.role);
        let new = detected.iter().map(|known| known.role);
        parts.extend(differences("detected role", old.collect(), new.collect()));
    }
    if let Some(actions) = &changes.account_actions {
        let new = actions.iter();
        for action in new.filter(|action| !before.account_actions.contains(action)) {
            let AccountKey {
                application,
                native_identity,
            } = &action.account;
            let operation = action.operation.as_str();
            parts.push(format!("{operation} {application} {native_identity}"));
            for change in &action.changes {
                let (sign, values) = match &change.change {
                    ValueChange::Set(_) => continue,
                    ValueChange::Add(values) => ('+', values),
                    ValueChange::Remove(values) => ('-', values),
                };
                let told = |value: &String| {
                    let told = entitlement_told(model, *application, change.attribute, value);
                    format!("{sign}{told}")
                };
                parts.extend(values.iter().map(told));
            }
        }
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// Returns an entitlement as the audit tells of it: without what would end it there,
/// and without a sensitive value.
pub fn entitlement_told(model: &Model, application: Name, attribute: Name, value: &str) -> String {
    let definition = model.application(application);
    let definition = definition.and_then(|known| known.attribute(attribute));
    match definition {
        Some(known) if known.sensitive => {
            format!("entitlement {application} {attribute} (sensitive)")
        }
        _ => format!(
            "entitlement {application} {attribute} {}",
            value.replace(", ", ",")
        ),
    }
}

fn differences(what: &str, mut old: Vec<Name>, mut new: Vec<Name>) -> Vec<String> {
    // They are sorted, and a role may be detected more than once.
    old.dedup();
    new.dedup();
    let added = new.iter().filter(|role| !old.contains(role));
    let mut parts: Vec<String> = added.map(|role| format!("+{what} {role}")).collect();
    let removed = old.iter().filter(|role| !new.contains(role));
    parts.extend(removed.map(|role| format!("-{what} {role}")));
    parts
}
