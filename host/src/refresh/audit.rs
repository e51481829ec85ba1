//! What a refresh does to identities, as the audit says it: what changes, and no
//! value of an attribute.

use std::fmt::Write as _;

use idr_core::model::{Identity, Name};
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
/// to inactive, +role Sales`; none when that is nothing.
pub(super) fn what_changes(changes: &Changes, before: &Identity) -> Option<String> {
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
        let new = new.filter(|action| !before.account_actions.contains(action));
        parts.extend(new.map(|action| {
            let mut part = action.operation.as_str().to_owned();
            // Writing to a text never fails.
            let _ = write!(
                part,
                " {} {}",
                action.account.application, action.account.native_identity
            );
            part
        }));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
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
