//! `tasks/NAME.toml`: refreshes that are done again and again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use idr_core::definitions::{Policies, Population};
use idr_core::filter::Filter;
use idr_core::model::Name;
use idr_core::text::nearest;
use idr_core::time::Zone;

use super::Source;
use super::names::Known;
use super::settings::refresh;
use crate::aggregate::connector::Connector;
use crate::config::Task;
use crate::config::document::Scope;
use crate::config::paths::FilterPlace;
use crate::config::problem::Problems;
use crate::config::raw::RawTask;
use crate::config::values::{duration_ms, group_filter, instant};
use crate::connect::Capability;
use crate::operations::{OPTIONS, Status};

/// The keys of a task file.
const KEYS: [&str; 23] = [
    "version",
    "all",
    "identity",
    "identities_from",
    "filter",
    "population",
    "group",
    "refreshed_before",
    "not_refreshed_for",
    "refreshed_within",
    "or_modified",
    "exclude_inactive",
    "due",
    "accounts",
    "keep_due",
    "policies",
    "no_policies",
    "prune",
    "threads",
    "chunk_size",
    "max_exceptions",
    "tasks",
    "stop_at_error",
];

/// Checks every task.
pub(super) fn check(
    sources: &BTreeMap<String, Source<RawTask>>,
    populations: &[Population],
    known: &Known,
    zone: &Zone,
    policies: &Policies,
    connectors: &BTreeMap<Name, Connector>,
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
        let chosen = lists.iter().any(|(_, list)| list.is_some())
            || raw.identities_from.is_some()
            || raw.filter.is_some();
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
            identities_from: raw
                .identities_from
                .as_deref()
                .and_then(|text| list(&scope.at("identities_from"), text)),
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
            accounts: raw.accounts && can_be_asked(&scope.at("accounts"), connectors),
            keep_due: raw.keep_due,
            policies: judged(&scope, raw, policies),
            prune: raw.prune,
            settings: refresh(&scope, raw.threads, raw.chunk_size, raw.max_exceptions),
            tasks: sequence(&scope, raw, sources),
            stop_at_error: raw.stop_at_error.unwrap_or(true),
        }
    };
    sources.iter().map(task).collect()
}

/// Returns the only policies that a task judges; all of them when it doesn't say.
/// Checks that there is an application that can be asked for one account.
fn can_be_asked(scope: &Scope<'_>, connectors: &BTreeMap<Name, Connector>) -> bool {
    let can = connectors
        .values()
        .any(|connector| connector.can(Capability::Get));
    if !can {
        scope.report_with_hint(
            "no application's connector can read one account",
            "leave it out: applications with `type = \"delimited-file\"` are aggregated",
        );
    }
    can
}

fn judged(scope: &Scope<'_>, raw: &RawTask, policies: &Policies) -> Option<Vec<Name>> {
    let Some(names) = &raw.policies else {
        return raw.no_policies.then(Vec::new);
    };
    let place = scope.at("policies");
    if raw.no_policies {
        place.report_with_hint("no policy is judged", "leave `no_policies` out");
    }
    if names.is_empty() {
        place.report_with_hint("it names no policy", "write `no_policies = true`");
    }
    for (index, name) in names.iter().enumerate() {
        let known = || policies.iter().map(|known| known.name.as_str());
        if !known().any(|known| known == name) {
            let hint = match nearest(name, known()) {
                Some(nearest) => format!("do you mean `{nearest}`?"),
                None => "policies.toml defines them".to_owned(),
            };
            let message = format!("there is no policy `{name}` in use");
            place.item(index).report_with_hint(message, hint);
        }
    }
    Some(names.iter().map(|name| Name::new(name)).collect())
}

/// Reads where a list of names is. Whether it is there is seen when the task starts.
fn list(scope: &Scope<'_>, text: &str) -> Option<PathBuf> {
    let path = Path::new(text);
    if text.is_empty() {
        scope.report("it is empty");
    } else if text == "-" {
        scope.report_with_hint(
            "a task has no standard input",
            "write the list's path, or use `--identities-from -`",
        );
    } else if path.is_absolute() {
        scope.report_with_hint(
            "it is not relative to the tenant's directory",
            "write a path such as `lists/nightly.txt`",
        );
    } else {
        return Some(path.to_owned());
    }
    None
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

/// Reads the tasks that a task consists of. Such a task says nothing else: what it
/// would say of each belongs into their files.
fn sequence(
    scope: &Scope<'_>,
    raw: &RawTask,
    sources: &BTreeMap<String, Source<RawTask>>,
) -> Vec<String> {
    let Some(tasks) = &raw.tasks else {
        if raw.stop_at_error.is_some() {
            scope
                .at("stop_at_error")
                .report_with_hint("it is about `tasks`, which isn't there", "leave it out");
        }
        return Vec::new();
    };
    let alone = RawTask {
        version: raw.version,
        tasks: raw.tasks.clone(),
        stop_at_error: raw.stop_at_error,
        ..RawTask::default()
    };
    if *raw != alone {
        scope.at("tasks").report_with_hint(
            "a task that consists of tasks says nothing else",
            "say it in the files of those",
        );
    }
    let scope = scope.at("tasks");
    if tasks.is_empty() {
        scope.report_with_hint("it names no task", "leave it out, or name some");
    }
    for name in tasks {
        match sources.get(name) {
            Some(known) if known.raw.tasks.is_some() => scope.report_with_hint(
                format!("`{name}` consists of tasks itself"),
                "name those instead",
            ),
            Some(_) => {}
            None => {
                let hint = nearest(name, sources.keys().map(String::as_str))
                    .map(|nearest| format!("do you mean `{nearest}`?"));
                let message = format!("there is no task `{name}`");
                match hint {
                    Some(hint) => scope.report_with_hint(message, hint),
                    None => scope.report(message),
                }
            }
        }
    }
    tasks.clone()
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
        Status::Replaced(remark, _) | Status::NotOffered(remark) => {
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

#[cfg(test)]
mod tests {
    use super::KEYS;
    use crate::operations::OPTIONS;

    #[test]
    fn every_key_of_a_task_is_an_option() {
        for key in KEYS.into_iter().filter(|key| *key != "version") {
            let known = OPTIONS.iter().any(|option| option.is_task_key(key));
            assert!(known, "{key}");
        }
    }
}
