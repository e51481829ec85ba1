//! Who decides about a violation of a policy that holds.
//!
//! Its own owner, where it has one. Else whoever owns what is held: a role, an
//! entitlement, or the application that this is in. Else the manager, and at last
//! the one to whom what nobody else gets goes.

use crate::definitions::{Model, Policy, PolicyKind};
use crate::phases::work_items::manager_or_fallback;
use crate::view::{SnapshotError, TrackedView};

/// Returns the names of all who are asked, sorted; a single none where nobody is.
/// `held` are the words for what the policy keeps out.
pub(super) fn of(
    view: &mut TrackedView,
    policy: &Policy,
    held: &[String],
) -> Result<Vec<Option<String>>, SnapshotError> {
    if let Some(owner) = &policy.owner {
        return Ok(vec![Some(owner.clone())]);
    }
    let model = view.model();
    let owners = held.iter().filter_map(|held| owner(model, policy, held));
    let mut owners: Vec<Option<String>> = owners.map(|name| Some(name.to_owned())).collect();
    owners.sort();
    owners.dedup();
    if owners.is_empty() {
        owners.push(manager_or_fallback(view)?);
    }
    Ok(owners)
}

/// Returns the owner of something that is held. A violation may be an earlier one, of
/// which nothing but the words is left.
fn owner<'a>(model: &'a Model, policy: &Policy, held: &str) -> Option<&'a str> {
    let of_role = match policy.kind {
        PolicyKind::Entitlements { .. } => None,
        _ => model.owners.owner_of(&format!("role `{held}`")),
    };
    let of_entitlement = || match policy.kind {
        PolicyKind::Roles { .. } => None,
        _ => owner_of_entitlement(model, held),
    };
    of_role.or_else(of_entitlement)
}

/// Returns who owns an entitlement, or its application. That of a sensitive value is
/// its application's: its words don't tell which it is.
fn owner_of_entitlement<'a>(model: &'a Model, held: &str) -> Option<&'a str> {
    let mut applications = model.applications.iter();
    let (application, attribute, value) = applications.find_map(|application| {
        let rest = held.strip_prefix(application.name.as_str())?;
        let rest = rest.strip_prefix(' ')?;
        application.entitlements().find_map(|attribute| {
            let value = rest.strip_prefix(attribute.as_str())?.strip_prefix(' ')?;
            Some((application.name, attribute, value))
        })
    })?;
    let entry = model.catalogue.get(application, attribute, value);
    let owner = entry.and_then(|entry| entry.owner.as_deref());
    owner.or_else(|| {
        model
            .owners
            .owner_of(&format!("application `{application}`"))
    })
}
