//! What kinds of rule of 0.1.1 are asked and answer, across the border: logical
//! accounts, breaches of policies, selections of accounts, target mappings.

use std::collections::BTreeSet;

use idr_core::model::AccountStatus;
use idr_core::rule::{
    AccountNeed, AccountSelection, Breach, BreachGrant, ComposedAccount, Mapping, Target,
};
use idr_core::view::AccountSummary;

use super::bindings::exports::idr::rules::{
    account_selection, logical_account, policy, target_mapping,
};
use super::bindings::idr::rules::{tiers, types};
use super::plain::{NAME_BYTES, TEXT_CHARS, plain};
use super::values::{Nonsense, account_to_rule, status_to_rule, value_from_rule};

/// How much of a name that makes no sense is shown, in characters.
const SHOWN_CHARS: usize = 100;

pub(super) fn tier_to_rule(account: AccountSummary) -> tiers::Account {
    tiers::Account {
        handle: account.handle,
        native_identity: account.native_identity,
        status: status_to_rule(account.status),
    }
}

pub(super) fn need_to_rule(need: AccountNeed<'_>) -> account_selection::Need {
    account_selection::Need {
        application: need.application.to_owned(),
        role: need.role.map(str::to_owned),
        candidates: need
            .candidates
            .iter()
            .cloned()
            .map(account_to_rule)
            .collect(),
        may_create: need.may_create,
    }
}

/// Returns the selection if it was one of the possibilities.
pub(super) fn selection_from_rule(
    selection: account_selection::Selection,
    need: AccountNeed<'_>,
) -> Result<AccountSelection, Nonsense> {
    match selection {
        account_selection::Selection::Existing(native_identity) => {
            let mut candidates = need.candidates.iter();
            if candidates.any(|account| account.native_identity == native_identity) {
                return Ok(AccountSelection::Existing(native_identity));
            }
            let shown = plain(&native_identity, SHOWN_CHARS);
            Err(format!("`{shown}`, which is none of the candidates"))
        }
        account_selection::Selection::NewAccount if need.may_create => {
            Ok(AccountSelection::NewAccount)
        }
        account_selection::Selection::NewAccount => {
            Err("`new-account`, where none can be created".to_owned())
        }
        account_selection::Selection::Ask => Ok(AccountSelection::Ask),
    }
}

pub(super) fn target_to_rule(target: Target<'_>) -> target_mapping::Target {
    target_mapping::Target {
        application: target.application.to_owned(),
        attribute: target.attribute.to_owned(),
        native_identity: target.native_identity.map(str::to_owned),
    }
}

pub(super) fn mapping_from_rule(mapping: target_mapping::Mapping) -> Result<Mapping, Nonsense> {
    Ok(match mapping {
        target_mapping::Mapping::Set(value) => match value_from_rule(value)? {
            Some(value) => Mapping::Set(value),
            None => Mapping::Clear,
        },
        target_mapping::Mapping::Clear => Mapping::Clear,
        target_mapping::Mapping::Leave => Mapping::Leave,
    })
}

/// Returns the breaches, each with something that breaks the policy.
pub(super) fn breaches_from_rule(
    violations: Vec<policy::Violation>,
) -> Result<Vec<Breach>, Nonsense> {
    let checked = violations.into_iter().map(|violation| {
        if violation.grants.is_empty() {
            return Err("a violation without grants: nothing breaks the policy".to_owned());
        }
        let grants = violation.grants.into_iter().map(grant_from_rule);
        Ok(Breach {
            description: plain(&violation.description, TEXT_CHARS),
            grants: grants.collect::<Result<_, _>>()?,
        })
    });
    checked.collect()
}

fn grant_from_rule(grant: policy::Grant) -> Result<BreachGrant, Nonsense> {
    Ok(match grant {
        policy::Grant::Role(role) => BreachGrant::Role(named(role, "a role")?),
        policy::Grant::Entitlement(entitlement) => BreachGrant::Entitlement {
            application: named(entitlement.application, "an application")?,
            attribute: named(entitlement.attribute, "an attribute")?,
            value: entitlement.value,
        },
    })
}

/// Returns logical accounts that make sense by themselves: whether their parts
/// and attributes exist is for planning to say.
pub(super) fn composed_from_rule(
    accounts: Vec<logical_account::Composed>,
) -> Result<Vec<ComposedAccount>, Nonsense> {
    let mut native_identities = BTreeSet::new();
    let mut composed = Vec::new();
    for account in accounts {
        let native_identity = named(account.native_identity, "a native identity")?;
        if !native_identities.insert(native_identity.clone()) {
            let shown = plain(&native_identity, SHOWN_CHARS);
            return Err(format!("two accounts with the native identity `{shown}`"));
        }
        if account.parts.is_empty() {
            let shown = plain(&native_identity, SHOWN_CHARS);
            return Err(format!("account `{shown}`, which is made of none"));
        }
        let status = match account.status {
            types::AccountStatus::Enabled => AccountStatus::Enabled,
            types::AccountStatus::Disabled => AccountStatus::Disabled,
            types::AccountStatus::Locked => AccountStatus::Locked,
            types::AccountStatus::Vanished => {
                let shown = plain(&native_identity, SHOWN_CHARS);
                return Err(format!(
                    "account `{shown}` as vanished: leave it out instead"
                ));
            }
        };
        let mut attributes: Vec<(String, _)> = Vec::new();
        for attribute in account.attributes {
            let name = named(attribute.name, "an attribute")?;
            if attributes.iter().any(|(known, _)| *known == name) {
                return Err(format!("attribute `{name}` of one account twice"));
            }
            if let Some(value) = value_from_rule(attribute.value)? {
                attributes.push((name, value));
            }
        }
        let parts = account.parts.into_iter();
        let parts = parts.map(|part| {
            Ok((
                named(part.application, "an application")?,
                part.native_identity,
            ))
        });
        composed.push(ComposedAccount {
            native_identity,
            status,
            attributes,
            parts: parts.collect::<Result<_, Nonsense>>()?,
        });
    }
    Ok(composed)
}

/// Refuses what can't be a name.
fn named(name: String, what: &str) -> Result<String, Nonsense> {
    if name.is_empty() {
        return Err(format!("{what} without a name"));
    }
    if name.len() > NAME_BYTES {
        return Err(format!("{what} with a name of {} bytes", name.len()));
    }
    Ok(name)
}
