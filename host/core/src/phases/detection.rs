//! Detection: which roles' profiles the identity's accounts satisfy.
//!
//! Part of the roles phase, after assignment: some roles are detected only
//! where an assigned role calls for them. The ledger and role metadata read it.

use super::{entitlements, roles};
use crate::definitions::{Detection, Model, ProfileSet, Role};
use crate::model::{Account, RoleAssignment, RoleDetection};
use crate::view::TrackedView;

/// Detects roles, each profile by one account. Sorted.
///
/// Where all profiles are about one application, a role is detected once for
/// every account that satisfies them alone; else once, over all accounts that
/// satisfy any of them.
pub(super) fn detect(
    view: &mut TrackedView,
    model: &Model,
    assigned: &[RoleAssignment],
) -> Vec<RoleDetection> {
    let present = view.present_accounts();
    let candidates = {
        let record = view.record();
        model.roles.maybe_detected(|application, attribute, each| {
            for &index in &present {
                let account = &record.accounts[index];
                if account.key.application == application
                    && let Some(value) = account.attribute(attribute)
                {
                    value.each_text(&mut *each);
                }
            }
        })
    };
    let found: Vec<(&Role, Vec<RoleDetection>)> = {
        let accounts: Vec<&Account> = present
            .iter()
            .map(|&index| &view.record().accounts[index])
            .collect();
        let candidates = candidates.iter().map(|&place| &model.roles[place]);
        candidates
            .filter(|role| match role.role_type.detection {
                Detection::Never => false,
                Detection::IfAssigned => is_called_for(role, model, assigned),
                Detection::Always => true,
            })
            .map(|role| (role, detections(role, &accounts)))
            .filter(|(_, found)| !found.is_empty())
            .collect()
    };
    let mut detected = Vec::new();
    for (role, found) in found {
        if roles::is_in_use(view, role) {
            detected.extend(found);
        }
    }
    detected
}

/// Says whether an assigned role requires or permits a role.
fn is_called_for(role: &Role, model: &Model, assigned: &[RoleAssignment]) -> bool {
    let definitions = assigned.iter().filter_map(|known| model.role(known.role));
    let mut lists = definitions.flat_map(|known| [&known.requires, &known.permits]);
    lists.any(|list| list.contains(&role.name))
}

fn detections(role: &Role, accounts: &[&Account]) -> Vec<RoleDetection> {
    let satisfy = |accounts: &[&Account]| role.detection.iter().all(|set| satisfies(accounts, set));
    let of = |accounts: &[&Account]| {
        let mut keys: Vec<_> = accounts.iter().map(|known| known.key.clone()).collect();
        keys.sort();
        RoleDetection {
            role: role.name,
            accounts: keys,
        }
    };
    let mut alone: Vec<RoleDetection> = accounts
        .iter()
        .map(std::slice::from_ref)
        .filter(|account| satisfy(account))
        .map(of)
        .collect();
    if !alone.is_empty() {
        alone.sort();
        return alone;
    }
    if !satisfy(accounts) {
        return Vec::new();
    }
    let serves = |account: &&Account| {
        let mut profiles = role.profiles();
        profiles.any(|profile| entitlements::satisfies(account, profile))
    };
    let together: Vec<&Account> = accounts
        .iter()
        .filter(|known| serves(known))
        .copied()
        .collect();
    vec![of(&together)]
}

/// Says whether these accounts satisfy a set of profiles, each by one of them.
fn satisfies(accounts: &[&Account], set: &ProfileSet) -> bool {
    let mut profiles = set.profiles.iter();
    let satisfied = |profile| {
        let mut accounts = accounts.iter();
        accounts.any(|account| entitlements::satisfies(account, profile))
    };
    match set.any {
        true => profiles.any(satisfied),
        false => profiles.all(satisfied),
    }
}
