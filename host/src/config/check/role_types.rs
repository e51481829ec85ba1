//! `[types.NAME]` in `roles/*.toml`: what may be done with roles of a type.

use std::collections::BTreeMap;

use idr_core::definitions::{Detection, RoleType};
use idr_core::model::Name;

use super::Source;
use super::names::check_name;
use crate::config::problem::Problems;
use crate::config::raw::{RawRoleType, RawRoles};
use crate::config::values::word_or_default;

const DETECTION: [(&str, Detection); 3] = [
    ("never", Detection::Never),
    ("if-assigned", Detection::IfAssigned),
    ("always", Detection::Always),
];

/// Returns every type by its name, as far as it is right.
pub(super) fn gather(sources: &[Source<RawRoles>]) -> BTreeMap<String, RoleType> {
    let defined = sources.iter().flat_map(|source| &source.raw.types);
    let defined = defined.map(|(name, raw)| role_type(name, raw));
    let types = RoleType::built_in().into_iter().chain(defined);
    types.map(|known| (known.name.to_string(), known)).collect()
}

fn role_type(name: &str, raw: &RawRoleType) -> RoleType {
    let detection = raw.detection.as_deref().unwrap_or_default();
    let detection = DETECTION.iter().find(|(word, _)| *word == detection);
    RoleType {
        name: Name::new(name),
        selector: raw.selector,
        manual: raw.manual,
        requirements: raw.requirements,
        permits: raw.permits,
        profiles: raw.profiles,
        detection: detection.map(|(_, known)| *known).unwrap_or_default(),
        required: raw.required,
        permitted: raw.permitted,
    }
}

/// Checks all types.
pub(super) fn check(sources: &[Source<RawRoles>], problems: &Problems) {
    let built_in = RoleType::built_in();
    let mut seen = BTreeMap::new();
    for source in sources {
        let scope = source.scope(problems).at("types");
        for (name, raw) in &source.raw.types {
            let scope = scope.at(name);
            check_name(&scope, name);
            if built_in.iter().any(|known| known.name.as_str() == name) {
                scope.report_with_hint(
                    format!("the type `{name}` is built in"),
                    "give yours another name",
                );
            } else if let Some(first) = seen.insert(name, scope.clone()) {
                let first = first.whereabouts();
                scope.report(format!("there is a type `{name}` already, at {first}"));
            }
            let detection = raw.detection.as_deref();
            let detection = word_or_default(&scope.at("detection"), detection, &DETECTION);
            if detection != Detection::Never && !raw.profiles {
                scope.at("detection").report_with_hint(
                    "roles without profiles can't be detected",
                    "say `profiles = true` as well",
                );
            }
        }
    }
}
