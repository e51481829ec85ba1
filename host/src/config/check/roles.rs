//! `roles/*.toml`: roles of all types, and what they have to do with each other.

use std::collections::BTreeMap;

use idr_core::definitions::{Population, Profile, ProfileSet, Role, RoleType, Roles, Selector};
use idr_core::filter::Filter;
use idr_core::model::{Name, UnixMillis, Value, ValueType};

use super::Source;
use super::names::{Known, RuleUse, check_name};
use crate::config::document::Scope;
use crate::config::paths::{COLLECTIONS, FilterPlace};
use crate::config::problem::Problems;
use crate::config::raw::{RawProfile, RawRole, RawRoles, RawSelector};
use crate::config::values::{of_type, required, within, word_or_default};

/// Whether each of a role's profiles is needed, or one is enough.
const PROFILES_MATCH: [(&str, bool); 2] = [("all", false), ("any", true)];

/// Reserved names that a match list can ask for.
const MATCHABLE: [&str; 4] = ["name", "manager", "lifecycleState", "inactive"];

/// A role with the roles that it inherits from, before it has what they have.
struct Own {
    role: Role,
    inherits: Vec<Name>,
}

/// Checks all roles.
pub(super) fn check(
    sources: &[Source<RawRoles>],
    populations: &[Population],
    known: &Known,
    problems: &Problems,
) -> Roles {
    let mut own = BTreeMap::new();
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
            if let Some(role) = role(&scope, name, raw, known) {
                own.insert(role.role.name, role);
            }
        }
    }
    let related = |key, of: &dyn Fn(&Own) -> &[Name], said| {
        let relations = own.iter().map(|(name, role)| (*name, of(role))).collect();
        report_cycles(&relations, &seen, key, said)
    };
    related("requires", &|own| &own.role.requires, "require");
    if related("inherits", &|own| &own.inherits, "inherit from") {
        return Roles::default();
    }
    let roles = own.values().map(|known| inherited(known, &own)).collect();
    let roles = Roles::new(roles, populations);
    remark_on_circles(&roles, populations, &seen);
    roles
}

/// Remarks on every role whose selector asks for an entitlement that only the
/// role itself calls for: nobody gets it but who was given the entitlement in
/// some other way, and whoever has it keeps it.
fn remark_on_circles(
    roles: &Roles,
    populations: &[Population],
    places: &BTreeMap<&str, Scope<'_>>,
) {
    let mut callers: BTreeMap<(Name, &str), Vec<Name>> = BTreeMap::new();
    for role in roles {
        let required = role.requires.iter().filter_map(|name| roles.get(*name));
        for (attribute, values) in required
            .flat_map(Role::profiles)
            .flat_map(|p| &p.entitlements)
        {
            for value in values {
                let roles = callers.entry((*attribute, value.as_str())).or_default();
                roles.push(role.name);
            }
        }
    }
    for role in roles {
        let filter = match &role.selector {
            Some(Selector::Filter(filter)) => filter,
            Some(Selector::Population(place)) => match populations.get(*place) {
                Some(population) => &population.filter,
                None => continue,
            },
            _ => continue,
        };
        for (path, values) in filter.demands() {
            let [collection, attribute] = path.segments() else {
                continue;
            };
            let only_itself = |text: &&str| {
                let callers = callers.get(&(*attribute, *text));
                callers.is_some_and(|callers| callers.iter().all(|caller| *caller == role.name))
            };
            let texts = values.iter().filter_map(|value| value.text.as_deref());
            let texts: Vec<&str> = texts.filter(only_itself).collect();
            if COLLECTIONS.contains(&collection.as_str())
                && texts.len() == values.len()
                && let Some(place) = places.get(role.name.as_str())
            {
                let texts = texts.join("`, `");
                place.at("selector").remark(
                    format!("it asks for `{attribute}` `{texts}`, which only this role calls for"),
                    "nobody gets the role by it, and whoever has it keeps it: ask for something else",
                );
            }
        }
    }
}

/// Returns a role with everything that it has from others.
fn inherited(known: &Own, all: &BTreeMap<Name, Own>) -> Role {
    let mut role = known.role.clone();
    let mut from = known.inherits.clone();
    let mut place = 0;
    while let Some(parent) = from.get(place).and_then(|name| all.get(name)) {
        role.requires.extend(&parent.role.requires);
        role.permits.extend(&parent.role.permits);
        role.detection.extend_from_slice(&parent.role.detection);
        for name in &parent.inherits {
            if !from.contains(name) {
                from.push(*name);
            }
        }
        place += 1;
    }
    for list in [&mut role.requires, &mut role.permits] {
        list.sort();
        list.dedup();
    }
    role
}

fn role(scope: &Scope<'_>, name: &str, raw: &RawRole, known: &Known) -> Option<Own> {
    let role_type = required(scope, "type", raw.role_type.as_deref())
        .and_then(|text| known.role_type(&scope.at("type"), text))?;
    let refuse = |key, is_there: bool, may: bool, hint: &str| {
        if is_there && !may {
            let type_name = role_type.name;
            let message = format!("a role of type `{type_name}` has no `{key}`");
            scope.at(key).report_with_hint(message, hint);
        }
    };
    refuse(
        "selector",
        raw.selector.is_some(),
        role_type.selector,
        "move it to a business role that requires this one",
    );
    refuse(
        "profiles",
        !raw.profiles.is_empty(),
        role_type.profiles,
        "move them to an IT role, and let this one require it",
    );
    refuse(
        "requires",
        !raw.requires.is_empty(),
        role_type.requirements,
        "let a business role require each of them",
    );
    refuse(
        "permits",
        !raw.permits.is_empty(),
        role_type.permits,
        "let a business role permit each of them",
    );
    if role_type.profiles && raw.profiles.is_empty() && raw.inherits.is_empty() {
        scope.at("profiles").report_with_hint(
            "there are none, so it is never detected",
            "say what one account must hold: `[[role.profiles]]`",
        );
    }
    let related = |key, names: &[String], may: fn(RoleType) -> bool, said| {
        let place = scope.at(key);
        let mut roles = Vec::new();
        for (index, name) in names.iter().enumerate() {
            roles.extend(relation(&place.item(index), name, may, said, known));
        }
        roles.sort();
        roles.dedup();
        roles
    };
    let instant = |key, value: &Option<toml::Value>| -> Option<UnixMillis> {
        match of_type(&scope.at(key), value.as_ref()?, ValueType::Instant)? {
            Value::Instant(instant) => Some(instant),
            _ => None,
        }
    };
    let active_from = instant("active_from", &raw.active_from);
    let active_until = instant("active_until", &raw.active_until);
    if let (Some(from), Some(until)) = (active_from, active_until)
        && until <= from
    {
        scope
            .at("active_until")
            .report("it is not after `active_from`, so the role is never in use");
    }
    let profiles = raw.profiles.iter().enumerate();
    let profiles: Vec<Profile> = profiles
        .filter_map(|(index, raw)| profile(&scope.at("profiles").item(index), raw, known))
        .collect();
    let any = raw.profiles_match.as_deref();
    let any = word_or_default(&scope.at("profiles_match"), any, &PROFILES_MATCH);
    let detection = match profiles.is_empty() {
        true => Vec::new(),
        false => vec![ProfileSet { any, profiles }],
    };
    let selector = raw.selector.as_ref();
    Some(Own {
        inherits: related("inherits", &raw.inherits, |_| true, ""),
        role: Role {
            name: Name::new(name),
            role_type,
            disabled: raw.disabled,
            active_from,
            active_until,
            selector: selector.and_then(|raw| self::selector(&scope.at("selector"), raw, known)),
            requires: related(
                "requires",
                &raw.requires,
                |known| known.required,
                "required",
            ),
            permits: related(
                "permits",
                &raw.permits,
                |known| known.permitted,
                "permitted",
            ),
            detection,
            risk_weight: {
                let weight = raw.risk_weight.unwrap_or_default();
                let weight = within(&scope.at("risk_weight"), weight, 0, 1_000_000);
                weight
                    .and_then(|weight| u32::try_from(weight).ok())
                    .unwrap_or_default()
            },
        },
    })
}

/// Checks one role that another requires, permits or inherits from. Circles are
/// reported once for all of them.
fn relation(
    scope: &Scope<'_>,
    text: &str,
    may: fn(RoleType) -> bool,
    said: &str,
    known: &Known,
) -> Option<Name> {
    let (name, role_type) = known.role(scope, text)?;
    if let Some(role_type) = role_type
        && !may(role_type)
    {
        let type_name = role_type.name;
        scope.report_with_hint(
            format!("`{name}` is of type `{type_name}`, which can't be {said}"),
            "name an IT role; inherit from this one to have what it has",
        );
    }
    Some(name)
}

/// Reports every circle of roles that have something to do with each other, at
/// the first of them; says whether there are any.
fn report_cycles(
    relations: &BTreeMap<Name, &[Name]>,
    places: &BTreeMap<&str, Scope<'_>>,
    key: &str,
    said: &str,
) -> bool {
    let mut found = false;
    for &start in relations.keys() {
        let Some(way) = way_back(start, relations) else {
            continue;
        };
        found = true;
        // Each circle is reported from its first member only.
        if way.iter().any(|member| *member < start) {
            continue;
        }
        let mut names: Vec<String> = way.iter().map(|name| format!("`{name}`")).collect();
        names.push(format!("`{start}`"));
        if let Some(place) = places.get(start.as_str()) {
            place
                .at(key)
                .report(format!("roles {said} each other: {}", names.join(" → ")));
        }
    }
    found
}

/// Returns the shortest way from a role back to itself, the role first.
fn way_back(start: Name, relations: &BTreeMap<Name, &[Name]>) -> Option<Vec<Name>> {
    let mut ways = vec![vec![start]];
    let mut visited = Vec::new();
    while let Some(way) = (!ways.is_empty()).then(|| ways.remove(0)) {
        let last = *way.last().expect("a way has a beginning");
        for &next in relations.get(&last).copied().unwrap_or_default() {
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
pub(super) fn match_list(
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
    if raw.entitlements.values().all(Vec::is_empty) && raw.filter.is_none() {
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
    let mut filter = match &raw.filter {
        Some(text) => Some(known.account_filter(&scope.at("filter"), application, text)?),
        None => None,
    };
    if known.is_provisioned(application)
        && let Some(whole) = filter.take()
    {
        // What it asks accounts to hold can be given to them.
        let (asked, rest) = whole.separate(|name| known.is_entitlement(application, name));
        for (attribute, values) in asked {
            match entitlements.iter_mut().find(|(name, _)| *name == attribute) {
                Some((_, known)) => known.extend(values),
                None => entitlements.push((attribute, values)),
            }
        }
        let rest_asks = |rest: &Filter| {
            let mut paths = rest.paths().into_iter();
            paths.any(|path| known.is_entitlement(application, path.name()))
        };
        if rest.as_ref().is_some_and(rest_asks) {
            scope.at("filter").report_with_hint(
                format!(
                    "what it asks accounts in `{application}` to hold can't be given to them: it \
                     isn't just a list"
                ),
                "write `==`, `containsAll` or `entitlements`, and leave out alternatives and \
                 negations of entitlements",
            );
        }
        filter = rest;
    }
    Some(Profile {
        application: name,
        entitlements,
        filter,
    })
}
