//! The entitlement ledger: every entitlement present, and why it is there.
//!
//! Worked out from the accounts and the roles that a refresh has settled;
//! reports and exports show it. Entitlements that no detected role contains
//! are the additional entitlements.

use crate::definitions::{Model, Profile};
use crate::model::{Account, Entitlement, IdentityRecord, LedgerEntry, Name, UnixMillis, Value};

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
                let detected_roles = containing(record, model, &entitlement);
                let requires = |role: Name| {
                    let definition = model.role(role);
                    definition.is_some_and(|known| {
                        known
                            .requires
                            .iter()
                            .any(|required| detected_roles.contains(required))
                    })
                };
                let assigned = record.identity.assigned.iter().map(|known| known.role);
                let assigned_roles = assigned.filter(|role| requires(*role)).collect();
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

/// Returns the detected roles that contain an entitlement on its account.
fn containing(record: &IdentityRecord, model: &Model, entitlement: &Entitlement) -> Vec<Name> {
    let contains = |profile: &Profile| {
        profile.application == entitlement.account.application
            && profile.entitlements.iter().any(|(attribute, values)| {
                *attribute == entitlement.attribute && values.contains(&entitlement.value)
            })
    };
    let detected = record.identity.detected.iter();
    detected
        .filter(|detection| detection.accounts.contains(&entitlement.account))
        .filter(|detection| {
            model
                .role(detection.role)
                .is_some_and(|role| role.profiles.iter().any(contains))
        })
        .map(|detection| detection.role)
        .collect()
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
