//! `tasks/NAME.toml`: refreshes that are done again and again.

use std::collections::BTreeMap;

use idr_core::definitions::Population;
use idr_core::text::nearest;

use super::Source;
use super::names::Known;
use crate::config::Task;
use crate::config::document::Scope;
use crate::config::paths::FilterPlace;
use crate::config::problem::Problems;
use crate::config::raw::RawTask;
use crate::operations::{OPTIONS, Status};

/// The keys of a task file.
const KEYS: [&str; 7] = [
    "version",
    "all",
    "identity",
    "filter",
    "population",
    "exclude_inactive",
    "due",
];

/// Checks every task.
pub(super) fn check(
    sources: &BTreeMap<String, Source<RawTask>>,
    populations: &[Population],
    known: &Known,
    problems: &Problems,
) -> Vec<Task> {
    let task = |(name, source): (&String, &Source<RawTask>)| {
        let (scope, raw) = (source.scope(problems), &source.raw);
        scope.check_version(raw.version, false);
        for key in raw.other.keys() {
            refuse(&scope, key);
        }
        let lists = [("identity", &raw.identity), ("population", &raw.population)];
        for (key, list) in lists {
            if list.as_ref().is_some_and(Vec::is_empty) {
                scope
                    .at(key)
                    .report_with_hint("it names nobody", "leave it out, or name somebody");
            }
        }
        let chosen = raw.identity.is_some() || raw.population.is_some() || raw.filter.is_some();
        if raw.all && (chosen || raw.exclude_inactive || raw.due) {
            scope.at("all").report_with_hint(
                "everybody is meant, and others are left out",
                "leave `all` out: what else is there chooses from everybody",
            );
        }
        let filter = raw.filter.as_deref();
        Task {
            name: name.clone(),
            all: raw.all,
            identities: raw.identity.clone().unwrap_or_default(),
            filter: filter
                .and_then(|text| known.filter(&scope.at("filter"), text, FilterPlace::Included)),
            populations: chosen_populations(
                &scope,
                raw.population.as_deref().unwrap_or_default(),
                populations,
            ),
            exclude_inactive: raw.exclude_inactive,
            due: raw.due,
        }
    };
    sources.iter().map(task).collect()
}

fn chosen_populations(
    scope: &Scope<'_>,
    names: &[String],
    populations: &[Population],
) -> Vec<Population> {
    let mut chosen = Vec::new();
    for name in names {
        match populations.iter().find(|known| known.name.as_str() == name) {
            Some(population) => chosen.push(population.clone()),
            None => {
                let known = populations.iter().map(|known| known.name.as_str());
                let hint = match nearest(name, known) {
                    Some(nearest) => format!("do you mean `{nearest}`?"),
                    None => "populations.toml defines them".to_owned(),
                };
                scope
                    .at("population")
                    .report_with_hint(format!("there is no population `{name}`"), hint);
            }
        }
    }
    chosen
}

/// Reports a key that isn't known. One of IdentityIQ's is told what became of it:
/// it is never ignored.
fn refuse(scope: &Scope<'_>, key: &str) {
    let scope = scope.at(key);
    let Some(option) = OPTIONS.iter().find(|option| option.key == key) else {
        let hint = match nearest(key, KEYS) {
            Some(nearest) => format!("do you mean `{nearest}`?"),
            None => format!("the keys here are {}", KEYS.join(", ")),
        };
        scope.report_with_hint(format!("there is no key `{key}` here"), hint);
        return;
    };
    match option.status {
        Status::Works(_) => {
            let ours = option.name.trim_start_matches('-').replace('-', "_");
            scope.report_with_hint(
                "that is IdentityIQ's key for it",
                format!("call it `{ours}`"),
            );
        }
        Status::Replaced(remark) | Status::NotOffered(remark) => {
            scope.report_with_hint(
                format!("there is no such switch here: {remark}"),
                "leave it out",
            );
        }
        Status::NotYet => scope.report_with_hint(
            "this version of idr can't do that yet",
            "leave it out; see `idr options`",
        ),
    }
}
