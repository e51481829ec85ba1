//! `roles/*.toml`: business roles, IT roles, and what they require.

use std::collections::BTreeMap;

use idr_core::definitions::{Profile, Role, RoleType, Selector};
use idr_core::model::{Name, ValueType};

use super::Source;
use super::names::{Known, RuleUse, check_name};
use crate::config::document::Scope;
use crate::config::paths::FilterPlace;
use crate::config::problem::Problems;
use crate::config::raw::{RawProfile, RawRole, RawRoles, RawSelector};
use crate::config::values::{of_type, required, word};

/// The two types of role with the words for them.
pub(super) const TYPES: [(&str, RoleType); 2] =
    [("business", RoleType::Business), ("it", RoleType::It)];

/// Reserved names that a match list can ask for.
const MATCHABLE: [&str; 4] = ["name", "manager", "lifecycleState", "inactive"];

/// Checks all roles.
pub(super) fn check(sources: &[Source<RawRoles>], known: &Known, problems: &Problems) -> Vec<Role> {
    let mut roles = Vec::new();
    let mut seen: BTreeMap<&str, Scope<'_>> = BTreeMap::new();
    for source in sources {
        let scope = source.scope(problems);
        scope.check_version(source.raw.version, false);
        for (index, raw) in source.raw.role.iter().enumerate() {
            let scope = scope.at("role").item(index);
            let Some(name) = required(&scope, "name", raw.name.as_deref()) else {
                continue;
            };
            check_name(&scope.at("name"), name);
            match seen.get(name) {
                Some(first) => {
                    let first = first.whereabouts();
                    let message = format!("there is a role `{name}` already, at {first}");
                    scope.at("name").report(message);
                }
                None => {
                    seen.insert(name, scope.clone());
                }
            }
            roles.extend(role(&scope, name, raw, known));
        }
    }
    report_cycles(&roles, &seen);
    roles.sort_by_key(|role| role.name);
    roles
}

fn role(scope: &Scope<'_>, name: &str, raw: &RawRole, known: &Known) -> Option<Role> {
    let role_type = required(scope, "type", raw.role_type.as_deref())
        .and_then(|text| word(&scope.at("type"), text, &TYPES))?;
    match role_type {
        RoleType::Business => {
            if !raw.profiles.is_empty() {
                scope.at("profiles").report_with_hint(
                    "a business role has no profiles: it isn't detected",
                    "move them to an IT role, and let this one require it",
                );
            }
        }
        RoleType::It => {
            if raw.selector.is_some() {
                scope.at("selector").report_with_hint(
                    "an IT role isn't assigned by a selector",
                    "move it to a business role that requires this one",
                );
            }
            if raw.profiles.is_empty() {
                scope.at("profiles").report_with_hint(
                    "there are none, so it is never detected",
                    "say what one account must hold: `[[role.profiles]]`",
                );
            }
        }
    }
    let place = scope.at("requires");
    let mut requires = Vec::new();
    for (index, required) in raw.requires.iter().enumerate() {
        if let Some(required) = requirement(&place.item(index), role_type, required, known) {
            requires.push(required);
        }
    }
    requires.sort();
    requires.dedup();
    let profiles = raw.profiles.iter().enumerate();
    let selector = raw.selector.as_ref();
    Some(Role {
        name: Name::new(name),
        role_type,
        selector: selector.and_then(|raw| self::selector(&scope.at("selector"), raw, known)),
        requires,
        profiles: profiles
            .filter_map(|(index, raw)| profile(&scope.at("profiles").item(index), raw, known))
            .collect(),
    })
}

/// Checks one required role. Circles are reported once for all of them.
fn requirement(
    scope: &Scope<'_>,
    role_type: RoleType,
    required: &str,
    known: &Known,
) -> Option<Name> {
    let (name, required_type) = known.role(scope, required)?;
    if role_type == RoleType::It {
        scope.report_with_hint(
            "an IT role requires no others",
            "let the business role require each of them",
        );
    } else if required_type == Some(RoleType::Business) {
        scope.report_with_hint(
            format!("`{name}` is a business role; only IT roles can be required"),
            "require what that one requires",
        );
    }
    Some(name)
}

/// Reports every circle of roles that require each other, at the first of them.
fn report_cycles(roles: &[Role], places: &BTreeMap<&str, Scope<'_>>) {
    let requires: BTreeMap<Name, &[Name]> = roles
        .iter()
        .map(|role| (role.name, role.requires.as_slice()))
        .collect();
    for &start in requires.keys() {
        let Some(way) = way_back(start, &requires) else {
            continue;
        };
        // Each circle is reported from its first member only.
        if way.iter().any(|member| *member < start) {
            continue;
        }
        let mut names: Vec<String> = way.iter().map(|name| format!("`{name}`")).collect();
        names.push(format!("`{start}`"));
        if let Some(place) = places.get(start.as_str()) {
            place
                .at("requires")
                .report(format!("roles require each other: {}", names.join(" → ")));
        }
    }
}

/// Returns the shortest way from a role back to itself, the role first.
fn way_back(start: Name, requires: &BTreeMap<Name, &[Name]>) -> Option<Vec<Name>> {
    let mut ways = vec![vec![start]];
    let mut visited = Vec::new();
    while let Some(way) = (!ways.is_empty()).then(|| ways.remove(0)) {
        let last = *way.last().expect("a way has a beginning");
        for &next in requires.get(&last).copied().unwrap_or_default() {
            if next == start {
                return Some(way);
            }
            if !visited.contains(&next) {
                visited.push(next);
                ways.push([way.as_slice(), &[next]].concat());
            }
        }
    }
    None
}

fn selector(scope: &Scope<'_>, raw: &RawSelector, known: &Known) -> Option<Selector> {
    match (&raw.match_list, &raw.filter, &raw.population, &raw.rule) {
        (Some(terms), None, None, None) => {
            match_list(&scope.at("match"), terms, known).map(Selector::MatchList)
        }
        (None, Some(text), None, None) => known
            .filter(&scope.at("filter"), text, FilterPlace::Selector)
            .map(Selector::Filter),
        (None, None, Some(name), None) => known
            .population(&scope.at("population"), name)
            .map(Selector::Population),
        (None, None, None, Some(name)) => known
            .rule(&scope.at("rule"), name, RuleUse::RoleAssignment)
            .map(Selector::Rule),
        _ => {
            scope.report("a selector is exactly one of `match`, `filter`, `population` and `rule`");
            None
        }
    }
}

/// Reads a match list; each value is brought into the attribute's own form.
fn match_list(
    scope: &Scope<'_>,
    raw: &BTreeMap<String, toml::Value>,
    known: &Known,
) -> Option<Vec<(Name, Vec<String>)>> {
    if raw.is_empty() {
        scope.report("it would match everybody");
    }
    let mut terms = Vec::new();
    for (attribute, wanted) in raw {
        let scope = scope.at(attribute);
        let (name, value_type) = known.identity_attribute(&scope, attribute, &MATCHABLE)?;
        // What is compared with a list is each of its texts.
        let value_type = match value_type {
            ValueType::Many => ValueType::Text,
            single => single,
        };
        let values: Vec<(Scope<'_>, &toml::Value)> = match wanted {
            toml::Value::Array(values) => {
                let values = values.iter().enumerate();
                values
                    .map(|(index, value)| (scope.item(index), value))
                    .collect()
            }
            single => vec![(scope.clone(), single)],
        };
        if values.is_empty() {
            scope.report("it would match nobody");
        }
        let texts = values.iter().filter_map(|(scope, value)| {
            let text = of_type(scope, value, value_type)?.to_string();
            if name.as_str() == "lifecycleState" {
                known.state(scope, &text)?;
            }
            Some(text)
        });
        terms.push((name, texts.collect()));
    }
    Some(terms)
}

fn profile(scope: &Scope<'_>, raw: &RawProfile, known: &Known) -> Option<Profile> {
    let application = required(scope, "application", raw.application.as_deref())?;
    let place = scope.at("entitlements");
    if raw.entitlements.values().all(Vec::is_empty) {
        place.report("the profile asks for nothing, so any account would satisfy it");
    }
    let name = known.application(&scope.at("application"), application)?;
    let mut entitlements = Vec::new();
    for (attribute, values) in &raw.entitlements {
        let place = place.at(attribute);
        for (index, value) in values.iter().enumerate() {
            if value.is_empty() {
                place.item(index).report("an entitlement is never empty");
            }
        }
        if let Some(attribute) = known.entitlement(&place, application, attribute) {
            entitlements.push((attribute, values.clone()));
        }
    }
    Some(Profile {
        application: name,
        entitlements,
    })
}
