//! Role metadata: what an identity's roles come to, role by role.
//!
//! Worked out from the roles that a refresh has settled when somebody asks;
//! nothing of it is stored. Reports show it, and counts of it over everybody.

use crate::definitions::Model;
use crate::model::{AccountKey, AssignmentSource, Identity, Name};

/// One role of one identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleMetadata {
    /// The role.
    pub role: Name,
    /// What gives it, where it is assigned.
    pub assigned: Option<AssignmentSource>,
    /// Whether it is detected.
    pub detected: bool,
    /// Roles that it requires, or that were assigned within it, and that aren't
    /// detected; on the account that it is for, where one was chosen. In order.
    pub missing: Vec<Name>,
    /// Whether it is detected although no assigned role calls for it.
    pub exception: bool,
}

/// Returns the metadata of every role that is assigned or detected, in order.
pub fn role_metadata(identity: &Identity, model: &Model) -> Vec<RoleMetadata> {
    let mut called_for: Vec<Name> = Vec::new();
    let mut roles: Vec<RoleMetadata> = Vec::new();
    for assignment in &identity.assigned {
        let Some(role) = model.role(assignment.role) else {
            continue;
        };
        called_for.extend(role.requires.iter().chain(&role.permits));
        let is_there = |required: &Name| {
            let mut detected = identity.detected.iter();
            detected.any(|known| {
                let on_account = |account: &AccountKey| {
                    let mut keys = known.accounts.iter();
                    let elsewhere = keys.all(|key| key.application != account.application);
                    elsewhere || known.accounts.contains(account)
                };
                known.role == *required && assignment.account.as_ref().is_none_or(on_account)
            })
        };
        let wanted = role.requires.iter().chain(&assignment.permits);
        let mut missing: Vec<Name> = wanted.filter(|role| !is_there(role)).copied().collect();
        missing.sort();
        missing.dedup();
        roles.push(RoleMetadata {
            role: role.name,
            assigned: Some(assignment.source),
            detected: identity.has_detected(role.name),
            missing,
            exception: false,
        });
    }
    for detection in &identity.detected {
        if roles.iter().any(|known| known.role == detection.role) {
            continue;
        }
        roles.push(RoleMetadata {
            role: detection.role,
            assigned: None,
            detected: true,
            missing: Vec::new(),
            exception: !called_for.contains(&detection.role),
        });
    }
    roles.sort_by_key(|known| known.role);
    roles
}
