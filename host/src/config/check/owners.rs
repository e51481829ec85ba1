//! Who owns applications, roles, entitlements and policies. Whether there are such
//! identities only the store knows.

use std::collections::{BTreeMap, BTreeSet};

use idr_core::definitions::Owners;
use idr_core::model::Name;

use super::{Source, Sources};
use crate::aggregate::connector::Connector;
use crate::config::document::Scope;
use crate::config::problem::Problems;
use crate::config::raw::RawRoles;

/// Collects the owners; `entitlements` are those of the catalogue, with what
/// they own.
pub(super) fn check(
    sources: &Sources,
    entitlements: Vec<(String, String)>,
    fallback: Option<String>,
    problems: &Problems,
) -> Owners {
    let mut pairs = entitlements;
    // Nobody prunes whoever is asked then, and once inactive they need a successor.
    pairs.extend(fallback.map(|name| (name, "work items that nobody else gets".to_owned())));
    for (name, source) in &sources.applications {
        let owner = owner(&source.scope(problems), source.raw.owner.as_deref());
        pairs.extend(owner.map(|owner| (owner, format!("application `{name}`"))));
    }
    for source in &sources.roles {
        pairs.extend(roles(source, problems));
    }
    for policy in &sources.policies.raw.policy {
        // What is wrong with it is reported with the policy.
        let owner = policy.owner.clone().filter(|owner| !owner.is_empty());
        if let (Some(owner), Some(name)) = (owner, &policy.name) {
            pairs.push((owner, format!("policy `{name}`")));
        }
    }
    Owners::new(pairs)
}

/// Remarks on applications with whose accounts something may be called for that
/// people are to do, and that have no owner to ask.
pub(super) fn remark_on_nobody(
    sources: &Sources,
    changed: &BTreeSet<Name>,
    connectors: &BTreeMap<Name, Connector>,
    problems: &Problems,
) {
    for (name, source) in &sources.applications {
        let Some(name) = Name::known(name).filter(|name| changed.contains(name)) else {
            continue;
        };
        let is_manual = connectors.get(&name).is_some_and(Connector::is_manual);
        if is_manual && source.raw.owner.is_none() {
            source.scope(problems).at("owner").remark(
                "people are to change its accounts, and nobody is asked: work items for it \
                 have no owner",
                "write the name of the identity that is to do it, or `work_items.fallback` in idr.toml",
            );
        }
    }
}

fn roles(source: &Source<RawRoles>, problems: &Problems) -> Vec<(String, String)> {
    let scope = source.scope(problems).at("role");
    let mut pairs = Vec::new();
    for (index, raw) in source.raw.role.iter().enumerate() {
        let owner = owner(&scope.item(index), raw.owner.as_deref());
        // One without a name is reported as such.
        if let (Some(owner), Some(name)) = (owner, &raw.name) {
            pairs.push((owner, format!("role `{name}`")));
        }
    }
    pairs
}

/// Returns the owner that something names.
pub(super) fn owner(scope: &Scope<'_>, owner: Option<&str>) -> Option<String> {
    match owner {
        Some("") => {
            scope.at("owner").report_with_hint(
                "it is empty",
                "write the name of an identity, or leave it out",
            );
            None
        }
        owner => owner.map(str::to_owned),
    }
}
