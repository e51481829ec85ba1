//! `policies.toml`: what nobody should have together, or be.

use std::collections::BTreeMap;

use idr_core::definitions::{
    Policies, Policy, PolicyAction, PolicyEntitlement, PolicyKind, Population,
};
use idr_core::filter::Filter;
use idr_core::model::{Name, Severity};

use super::Source;
use super::names::{Known, RuleUse, check_name};
use super::owners::owner;
use crate::config::document::Scope;
use crate::config::paths::FilterPlace;
use crate::config::problem::Problems;
use crate::config::raw::{RawPolicies, RawPolicy, RawPolicyAccounts, RawPolicyEntitlement};
use crate::config::values::{required, within, word, word_or_default};

/// What a violation adds to the risk where nothing is said.
const WEIGHT: u32 = 10;

/// No weight, and no number of accounts, is above this.
const MOST: u64 = 1_000_000;

/// Checks `policies.toml`: whether risk is scored matters to it, and whether somebody
/// gets the work items that nobody else gets.
pub(super) fn check(
    source: &Source<RawPolicies>,
    populations: &[Population],
    (has_risk, has_fallback): (bool, bool),
    known: &Known,
    problems: &Problems,
) -> Policies {
    let scope = source.scope(problems);
    scope.check_version(source.raw.version, false);
    let mut policies = Vec::new();
    let mut seen: BTreeMap<&str, Scope<'_>> = BTreeMap::new();
    for (index, raw) in source.raw.policy.iter().enumerate() {
        let scope = scope.at("policy").item(index);
        let Some(name) = required(&scope, "name", raw.name.as_deref()) else {
            continue;
        };
        check_name(&scope.at("name"), name);
        match seen.get(name) {
            Some(first) => {
                let first = first.whereabouts();
                let message = format!("there is a policy `{name}` already, at {first}");
                scope.at("name").report(message);
            }
            None => {
                seen.insert(name, scope.clone());
            }
        }
        let has = (has_risk, has_fallback);
        let policy = policy(&scope, name, raw, populations, has, known);
        policies.extend(policy.filter(|_| !raw.disabled));
    }
    Policies::new(policies, source.raw.keep_previous)
}

fn policy(
    scope: &Scope<'_>,
    name: &str,
    raw: &RawPolicy,
    populations: &[Population],
    (has_risk, has_fallback): (bool, bool),
    known: &Known,
) -> Option<Policy> {
    let owner = owner(scope, raw.owner.as_deref());
    let severity = raw.severity.as_deref();
    let severity = severity.and_then(|text| word(&scope.at("severity"), text, &Severity::ALL));
    let action = word_or_default(
        &scope.at("action"),
        raw.action.as_deref(),
        &PolicyAction::ALL,
    );
    let weight = raw
        .weight
        .map_or(Some(u64::from(WEIGHT)), |weight| {
            within(&scope.at("weight"), weight, 0, MOST)
        })
        .and_then(|weight| u32::try_from(weight).ok());
    let kind = kind(scope, raw, has_risk, known);
    if action == PolicyAction::Hold {
        if raw.owner.is_none() && !has_fallback {
            scope.at("owner").remark(
                "whoever owns what it holds decides, or else the manager: without either \
                 nobody is asked",
                "write the name of an identity, or `work_items.fallback` in idr.toml",
            );
        }
        let separates = matches!(
            kind,
            Some(PolicyKind::Roles { .. } | PolicyKind::Entitlements { .. } | PolicyKind::Rule(_))
        );
        if kind.is_some() && !separates {
            scope.at("action").report_with_hint(
                "it can't hold anything: only of what can't go together one is the newer",
                "write `action = \"report\"`, or separate `roles` or `entitlements`",
            );
        }
    }
    Some(Policy {
        name: Name::new(name),
        description: raw.description.clone(),
        owner,
        severity: severity.unwrap_or(Severity::Warning),
        weight: weight?,
        action,
        kind: kind?,
        excluded: excluded(scope, raw, populations, known),
    })
}

fn excluded(
    scope: &Scope<'_>,
    raw: &RawPolicy,
    populations: &[Population],
    known: &Known,
) -> Vec<Filter> {
    let filter = raw.excluded.as_deref();
    let filter =
        filter.and_then(|text| known.filter(&scope.at("excluded"), text, FilterPlace::Policy));
    let population = raw.excluded_population.as_deref();
    let population =
        population.and_then(|text| known.population(&scope.at("excluded_population"), text));
    let population = population.and_then(|place| populations.get(place));
    let population = population.map(|population| population.filter.clone());
    filter.into_iter().chain(population).collect()
}

/// The keys that say what a policy forbids.
const KINDS: [&str; 6] = [
    "roles",
    "entitlements",
    "filter",
    "accounts",
    "risk",
    "rule",
];

fn kind(scope: &Scope<'_>, raw: &RawPolicy, has_risk: bool, known: &Known) -> Option<PolicyKind> {
    let said = [
        raw.roles.is_some(),
        raw.entitlements.is_some(),
        raw.filter.is_some(),
        raw.accounts.is_some(),
        raw.risk.is_some(),
        raw.rule.is_some(),
    ];
    let mut said = KINDS.iter().zip(said).filter(|(_, is_said)| *is_said);
    let first = said.next();
    if first.is_none() {
        scope.report_with_hint(
            "it forbids nothing",
            "write one of `roles`, `entitlements`, `filter`, `accounts`, `risk` and `rule`",
        );
    }
    for (key, _) in said {
        let (first, _) = first.expect("there is one before it");
        scope.at(key).report_with_hint(
            format!("`{first}` says what it forbids already"),
            "make it a policy of its own",
        );
    }
    if let Some(sides) = &raw.roles {
        let place = scope.at("roles");
        let left = roles(&place.at("left"), &sides.left, known);
        let right = roles(&place.at("right"), &sides.right, known);
        report_both(&place, &left, &right, |known| known.as_str());
        return Some(PolicyKind::Roles { left, right });
    }
    if let Some(sides) = &raw.entitlements {
        let place = scope.at("entitlements");
        let left = entitlements(&place.at("left"), &sides.left, known);
        let right = entitlements(&place.at("right"), &sides.right, known);
        report_both(&place, &left, &right, |known| &known.value);
        return Some(PolicyKind::Entitlements { left, right });
    }
    if let Some(text) = &raw.filter {
        let filter = known.filter(&scope.at("filter"), text, FilterPlace::Policy);
        return filter.map(PolicyKind::Filter);
    }
    if let Some(raw) = &raw.accounts {
        return accounts(&scope.at("accounts"), raw, known);
    }
    if let Some(rule) = &raw.rule {
        let rule = known.rule(&scope.at("rule"), rule, RuleUse::Policy)?;
        return Some(PolicyKind::Rule(rule));
    }
    let least = raw.risk?;
    let place = scope.at("risk");
    if !has_risk {
        place.report_with_hint("risk isn't scored", "write risk.toml");
    }
    let least = within(&place, least, 1, MOST)?;
    u32::try_from(least).ok().map(PolicyKind::Risk)
}

/// Reports what stands on both sides.
fn report_both<T: PartialEq>(scope: &Scope<'_>, left: &[T], right: &[T], name: fn(&T) -> &str) {
    for both in left.iter().filter(|known| right.contains(known)) {
        scope.report(format!("`{}` stands on both sides", name(both)));
    }
}

fn roles(scope: &Scope<'_>, names: &[String], known: &Known) -> Vec<Name> {
    if names.is_empty() {
        scope.report("no role stands there, so nobody violates it");
    }
    let roles = names.iter().enumerate();
    let roles = roles.filter_map(|(index, name)| known.role(&scope.item(index), name));
    let mut roles: Vec<Name> = roles.map(|(name, _)| name).collect();
    roles.sort();
    roles.dedup();
    roles
}

fn entitlements(
    scope: &Scope<'_>,
    raw: &[RawPolicyEntitlement],
    known: &Known,
) -> Vec<PolicyEntitlement> {
    if raw.is_empty() {
        scope.report("no entitlement stands there, so nobody violates it");
    }
    let mut entitlements: Vec<PolicyEntitlement> = raw
        .iter()
        .enumerate()
        .filter_map(|(index, raw)| {
            let scope = scope.item(index);
            let value = required(&scope, "value", raw.value.as_deref());
            let (application, attribute) = (&raw.application, &raw.attribute);
            let (application, attribute) =
                entitlement(&scope, application.as_deref(), attribute.as_deref(), known)?;
            Some(PolicyEntitlement {
                application,
                attribute,
                value: value?.to_owned(),
            })
        })
        .collect();
    entitlements.sort();
    entitlements.dedup();
    entitlements
}

/// Resolves the application and attribute that an entitlement names.
pub(super) fn entitlement(
    scope: &Scope<'_>,
    application: Option<&str>,
    attribute: Option<&str>,
    known: &Known,
) -> Option<(Name, Name)> {
    let application = required(scope, "application", application);
    let attribute = required(scope, "attribute", attribute);
    let (application, attribute) = (application?, attribute?);
    let name = known.application(&scope.at("application"), application)?;
    let attribute = known.entitlement(&scope.at("attribute"), application, attribute)?;
    Some((name, attribute))
}

fn accounts(scope: &Scope<'_>, raw: &RawPolicyAccounts, known: &Known) -> Option<PolicyKind> {
    let text = required(scope, "application", raw.application.as_deref())?;
    let application = known.application(&scope.at("application"), text)?;
    let filter = match &raw.filter {
        Some(filter) => Some(known.account_filter(&scope.at("filter"), text, filter)?),
        None => None,
    };
    // Two are too many, and of those that a filter describes one.
    let most = raw.most.unwrap_or(i64::from(filter.is_none()));
    let most = within(&scope.at("most"), most, 0, MOST)?;
    Some(PolicyKind::Accounts {
        application,
        filter,
        most: u32::try_from(most).ok()?,
    })
}
