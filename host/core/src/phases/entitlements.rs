//! The entitlement ledger: every entitlement present, and why it is there.
//!
//! Worked out from the accounts and the roles that a refresh has settled;
//! reports and exports show it. Entitlements that no detected role contains
//! are the additional entitlements.

use crate::definitions::{Model, Profile};
use crate::model::{
    Account, Entitlement, IdentityRecord, LedgerEntry, Name, RoleAssignment, UnixMillis, Value,
};

/// Returns every entitlement that the identity's accounts hold, sorted, with
/// its reasons. Accounts that have vanished by `as_of` hold nothing.
pub fn ledger(record: &IdentityRecord, model: &Model, as_of: UnixMillis) -> Vec<LedgerEntry> {
    let mut entries = Vec::new();
    for account in &record.accounts {
        let Some(application) = model.application(account.key.application) else {
            continue;
        };
        let vanishes = account
            .missing_since
            .map(|at| at.plus_ms(application.vanish_grace_ms));
        if vanishes.is_some_and(|at| at <= as_of) {
            continue;
        }
        for definition in application.schema.iter().filter(|known| known.entitlement) {
            let Some(value) = account.attribute(definition.name) else {
                continue;
            };
            value.each_text(|text| {
                let entitlement = Entitlement {
                    account: account.key.clone(),
                    attribute: definition.name,
                    value: text.to_owned(),
                };
                let detected_roles = containing(record, model, account, &entitlement);
                let assigned = record.identity.assigned.iter();
                let assigned_roles = assigned
                    .filter(|known| calls_for(known, model, &detected_roles))
                    .map(|known| (known.role, known.source))
                    .collect();
                entries.push(LedgerEntry {
                    entitlement,
                    detected_roles,
                    assigned_roles,
                });
            });
        }
    }
    entries.sort();
    entries.dedup();
    entries
}

/// Says whether an assigned role is a reason to have any of these detected ones.
fn calls_for(assignment: &RoleAssignment, model: &Model, detected: &[Name]) -> bool {
    let definition = model.role(assignment.role);
    let requires = definition.map_or(&[][..], |role| &role.requires);
    let mut wanted = requires.iter().chain(&assignment.permits);
    wanted.any(|wanted| detected.contains(wanted))
}

/// Returns the detected roles that contain an entitlement on its account.
fn containing(
    record: &IdentityRecord,
    model: &Model,
    account: &Account,
    entitlement: &Entitlement,
) -> Vec<Name> {
    let contains = |profile: &Profile| {
        let asks_for_it = |(attribute, values): &(Name, Vec<String>)| {
            *attribute == entitlement.attribute && values.contains(&entitlement.value)
        };
        profile.entitlements.iter().any(asks_for_it) && satisfies(account, profile)
    };
    let detected = record.identity.detected.iter();
    let mut roles: Vec<Name> = detected
        .filter(|detection| detection.accounts.contains(&account.key))
        .filter_map(|detection| model.role(detection.role))
        .filter(|role| role.profiles().any(contains))
        .map(|role| role.name)
        .collect();
    roles.dedup();
    roles
}

/// Says whether one account holds everything that a profile asks for.
pub(crate) fn satisfies(account: &Account, profile: &Profile) -> bool {
    account.key.application == profile.application
        && profile.entitlements.iter().all(|(attribute, wanted)| {
            let held = account.attribute(*attribute);
            wanted.iter().all(|wanted| match held {
                Some(Value::Many(values)) => values.contains(wanted),
                Some(Value::Text(value)) => value == wanted,
                _ => false,
            })
        })
}
