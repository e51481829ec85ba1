//! `tasks/NAME.toml`: refreshes that are done again and again.

use std::collections::BTreeMap;

use idr_core::definitions::Population;
use idr_core::filter::Filter;
use idr_core::text::nearest;
use idr_core::time::Zone;

use super::Source;
use super::names::Known;
use crate::config::Task;
use crate::config::document::Scope;
use crate::config::paths::FilterPlace;
use crate::config::problem::Problems;
use crate::config::raw::RawTask;
use crate::config::values::{duration_ms, group_filter, instant};
use crate::operations::{OPTIONS, Status};

/// The keys of a task file.
const KEYS: [&str; 13] = [
    "version",
    "all",
    "identity",
    "filter",
    "population",
    "group",
    "refreshed_before",
    "not_refreshed_for",
    "refreshed_within",
    "or_modified",
    "exclude_inactive",
    "due",
    "keep_due",
];

/// Checks every task.
pub(super) fn check(
    sources: &BTreeMap<String, Source<RawTask>>,
    populations: &[Population],
    known: &Known,
    zone: &Zone,
    problems: &Problems,
) -> Vec<Task> {
    let task = |(name, source): (&String, &Source<RawTask>)| {
        let (scope, raw) = (source.scope(problems), &source.raw);
        scope.check_version(raw.version, false);
        for key in raw.other.keys() {
            refuse(&scope, key);
        }
        let lists = [
            ("identity", &raw.identity),
            ("population", &raw.population),
            ("group", &raw.group),
        ];
        for (key, list) in lists {
            if list.as_ref().is_some_and(Vec::is_empty) {
                scope
                    .at(key)
                    .report_with_hint("it names nobody", "leave it out, or name somebody");
            }
        }
        let chosen = lists.iter().any(|(_, list)| list.is_some()) || raw.filter.is_some();
        let timed = raw.refreshed_before.is_some()
            || raw.not_refreshed_for.is_some()
            || raw.refreshed_within.is_some();
        if raw.or_modified && raw.refreshed_within.is_none() {
            scope.at("or_modified").report_with_hint(
                "it widens `refreshed_within`, which isn't there",
                "write `refreshed_within` as well",
            );
        }
        if raw.all && (chosen || timed || raw.exclude_inactive || raw.due) {
            scope.at("all").report_with_hint(
                "everybody is meant, and others are left out",
                "leave `all` out: what else is there chooses from everybody",
            );
        }
        let filter = raw.filter.as_deref();
        let refreshed_before = raw.refreshed_before.as_ref();
        let window = |key: &str, text: &Option<String>| {
            let text = text.as_deref()?;
            duration_ms(&scope.at(key), text)
        };
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
            groups: groups(&scope, raw.group.as_deref().unwrap_or_default(), known),
            refreshed_before: refreshed_before
                .and_then(|value| instant(&scope.at("refreshed_before"), value, zone)),
            not_refreshed_for_ms: window("not_refreshed_for", &raw.not_refreshed_for),
            refreshed_within_ms: window("refreshed_within", &raw.refreshed_within),
            or_modified: raw.or_modified,
            exclude_inactive: raw.exclude_inactive,
            due: raw.due,
            keep_due: raw.keep_due,
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

fn groups(scope: &Scope<'_>, texts: &[String], known: &Known) -> Vec<Filter> {
    let scope = scope.at("group");
    let group = |text: &String| {
        let Some(filter) = group_filter(text) else {
            scope.report_with_hint(
                format!("`{text}` is no group"),
                "write an attribute and its value, such as `department=Sales`",
            );
            return None;
        };
        known.filter(&scope, &filter, FilterPlace::Included)
    };
    texts.iter().filter_map(group).collect()
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
            let ours = option.name.replace("--", "").replace('-', "_");
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
