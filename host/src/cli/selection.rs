//! Whom to refresh: the options of `refresh`, turned into criteria.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use idr_core::definitions::Population;
use idr_core::filter::Filter;
use idr_core::model::UnixMillis;
use idr_core::text::nearest;
use serde::Serialize;

use super::open::{identity_named, instant, lines_of};
use super::{CommandError, GlobalOptions, write_json};
use crate::config::{FilterPlace, Readable, Task, Tenant, group_filter, parse_duration};
use crate::refresh::selection::{Choice, Criterion, choose};
use crate::report::{Table, counted, grouped};
use crate::store::Store;
use crate::tenant::OpenTenant;

/// So many of the names that nobody has are said.
const NAMES_SAID: usize = 5;

/// Whom to choose. Each option narrows the choice.
#[derive(Args, Debug)]
pub(super) struct SelectionArgs {
    /// Refresh whom this task (`tasks/NAME.toml`) refreshes; other options
    /// narrow it
    #[arg(long, value_name = "NAME", help_heading = "Selection")]
    pub(super) task: Option<String>,

    /// Refresh these identities (can be repeated)
    #[arg(long, value_name = "NAME", num_args = 1.., help_heading = "Selection")]
    identity: Vec<String>,

    /// Refresh the identities whose names this file lists, one a line (`-`:
    /// standard input)
    #[arg(long, value_name = "FILE", help_heading = "Selection")]
    identities_from: Option<PathBuf>,

    /// Refresh who fulfils this filter, such as 'department == "Sales"'
    #[arg(long, help_heading = "Selection")]
    filter: Option<String>,

    /// Refresh who belongs to at least one of these populations (can be repeated)
    #[arg(long, value_name = "NAME", num_args = 1.., help_heading = "Selection")]
    population: Vec<String>,

    /// Refresh who belongs to at least one of these groups: who has one value of an
    /// attribute, such as department=Sales, or none (department=). Populations and
    /// groups are ORed (can be repeated)
    #[arg(long, value_name = "ATTRIBUTE=VALUE", num_args = 1.., help_heading = "Selection")]
    group: Vec<String>,

    /// Refresh who was last refreshed before this instant, or never
    #[arg(long, value_name = "INSTANT", help_heading = "Selection")]
    refreshed_before: Option<String>,

    /// Refresh who was last refreshed at least so long ago (24h, 3d), or never
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Selection")]
    not_refreshed_for: Option<i64>,

    /// Refresh who was last refreshed within this time (24h, 3d). Such a refresh
    /// doesn't count as one itself, so that it doesn't choose the same for ever
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Selection")]
    refreshed_within: Option<i64>,

    /// Refresh as well who was modified within that time: by an aggregation or a
    /// person, never by a refresh
    #[arg(long, requires = "refreshed_within", help_heading = "Selection")]
    or_modified: bool,

    /// Leave out who is inactive, unless something is due about them: a
    /// leaver's access still ends in time
    #[arg(long, help_heading = "Selection")]
    exclude_inactive: bool,

    /// Of those chosen otherwise, refresh who is due
    #[arg(long, help_heading = "Selection")]
    due: bool,

    /// Refresh nobody: say how many identities each of these options lets through
    #[arg(long, help_heading = "Selection")]
    pub(super) explain_selection: bool,
}

impl SelectionArgs {
    /// Returns the criteria, in the order of the help.
    pub(super) fn criteria(
        &self,
        task: Option<&Task>,
        tenant: &OpenTenant,
    ) -> Result<Vec<Criterion>, CommandError> {
        let mut criteria = match task {
            Some(task) => criteria_of(task, tenant)?,
            None => Vec::new(),
        };
        if !self.identity.is_empty() {
            let uids = self
                .identity
                .iter()
                .map(|name| identity_named(tenant, name));
            criteria.push(Criterion::Listed(uids.collect::<Result<_, _>>()?));
        }
        if let Some(file) = &self.identities_from {
            criteria.push(listed(file, tenant)?);
        }
        if let Some(filter) = &self.filter {
            criteria.push(Criterion::Filter(checked_filter(filter, tenant)?));
        }
        if !self.population.is_empty() || !self.group.is_empty() {
            criteria.push(Criterion::Populations {
                populations: populations(&self.population, tenant)?,
                groups: groups(&self.group, tenant)?,
            });
        }
        if let Some(text) = &self.refreshed_before {
            let instant = instant(text, tenant)?;
            criteria.push(Criterion::RefreshedBefore(instant));
        }
        criteria.extend(self.not_refreshed_for.map(Criterion::NotRefreshedFor));
        criteria.extend(
            self.refreshed_within
                .map(|milliseconds| Criterion::RefreshedWithin {
                    milliseconds,
                    or_modified: self.or_modified,
                }),
        );
        if self.exclude_inactive {
            criteria.push(Criterion::NotInactive);
        }
        if self.due || (criteria.is_empty() && task.is_none()) {
            criteria.push(Criterion::Due);
        }
        Ok(criteria)
    }
}

/// Returns the task with this name.
pub(super) fn task<'a>(name: &str, tenant: &'a Tenant) -> Result<&'a Task, CommandError> {
    let tasks = &tenant.tasks;
    tasks.iter().find(|task| task.name == name).ok_or_else(|| {
        let names = tasks.iter().map(|task| task.name.as_str());
        let hint = match nearest(name, names.clone()) {
            Some(nearest) => format!("do you mean `{nearest}`?"),
            None if tasks.is_empty() => "write tasks/NAME.toml".to_owned(),
            None => format!("the tasks are {}", names.collect::<Vec<_>>().join(", ")),
        };
        CommandError::usage(format!("there is no task `{name}`")).with_hint(hint)
    })
}

fn criteria_of(task: &Task, tenant: &OpenTenant) -> Result<Vec<Criterion>, CommandError> {
    let mut criteria = Vec::new();
    if !task.identities.is_empty() {
        let mut uids = BTreeSet::new();
        for name in &task.identities {
            let Some(uid) = tenant.store.named(name)? else {
                let message = format!("task `{}`: there is no identity `{name}`", task.name);
                let hint = format!("correct `identity` in tasks/{}.toml", task.name);
                return Err(CommandError::usage(message).with_hint(hint));
            };
            uids.insert(uid);
        }
        criteria.push(Criterion::Listed(uids));
    }
    if let Some(path) = &task.identities_from {
        let file = tenant.configuration.directory.join(path);
        criteria.push(listed(&file, tenant)?);
    }
    criteria.extend(task.filter.clone().map(Criterion::Filter));
    if !task.populations.is_empty() || !task.groups.is_empty() {
        criteria.push(Criterion::Populations {
            populations: task.populations.clone(),
            groups: task.groups.clone(),
        });
    }
    criteria.extend(task.refreshed_before.map(Criterion::RefreshedBefore));
    criteria.extend(task.not_refreshed_for_ms.map(Criterion::NotRefreshedFor));
    criteria.extend(
        task.refreshed_within_ms
            .map(|milliseconds| Criterion::RefreshedWithin {
                milliseconds,
                or_modified: task.or_modified,
            }),
    );
    if task.exclude_inactive {
        criteria.push(Criterion::NotInactive);
    }
    if task.due || (criteria.is_empty() && !task.all) {
        criteria.push(Criterion::Due);
    }
    Ok(criteria)
}

/// Reads a list of names. None of them may be wrong: who is left out by a
/// misspelt name would go unnoticed.
fn listed(file: &Path, tenant: &OpenTenant) -> Result<Criterion, CommandError> {
    let (mut uids, mut unknown) = (BTreeSet::new(), Vec::new());
    for (number, name) in lines_of(file)? {
        match tenant.store.named(&name)? {
            Some(uid) => drop(uids.insert(uid)),
            None => unknown.push(format!("`{}` (line {number})", name.escape_debug())),
        }
    }
    if unknown.is_empty() {
        return Ok(Criterion::Listed(uids));
    }
    let more = match unknown.len().saturating_sub(NAMES_SAID) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let total = counted(unknown.len() as u64, "name", "names");
    unknown.truncate(NAMES_SAID);
    let message = format!(
        "the list `{}` has {total} that no identity has: {}{more}",
        file.display(),
        unknown.join(", ")
    );
    let hint = "correct the list, or take them out; see `idr identity list`";
    Err(CommandError::usage(message).with_hint(hint.to_owned()))
}

fn populations(names: &[String], tenant: &OpenTenant) -> Result<Vec<Population>, CommandError> {
    let known = &tenant.configuration.model.populations;
    let named = names.iter().map(|name| {
        let found = known.iter().find(|known| known.name.as_str() == name);
        found.cloned().ok_or_else(|| {
            let names = known.iter().map(|known| known.name.as_str());
            let hint = match nearest(name, names) {
                Some(nearest) => format!("do you mean `{nearest}`?"),
                None => "populations.toml defines them".to_owned(),
            };
            CommandError::usage(format!("there is no population `{name}`")).with_hint(hint)
        })
    });
    named.collect()
}

fn groups(texts: &[String], tenant: &OpenTenant) -> Result<Vec<Filter>, CommandError> {
    let group = |text: &String| {
        let filter = group_filter(text).ok_or_else(|| {
            let hint = "write an attribute and its value, such as `department=Sales`";
            CommandError::usage(format!("`{text}` is no group")).with_hint(hint.to_owned())
        })?;
        checked_filter(&filter, tenant)
    };
    texts.iter().map(group).collect()
}

/// Reads a duration in milliseconds.
fn duration(text: &str) -> Result<i64, String> {
    parse_duration(text)
        .ok_or_else(|| "write numbers with units (w, d, h, m, s) such as `24h` or `1d 12h`".into())
}

#[derive(Serialize)]
struct Explained {
    identities: u64,
    criteria: Vec<ExplainedCriterion>,
    selected: u64,
}

#[derive(Serialize)]
struct ExplainedCriterion {
    criterion: &'static str,
    /// How many fulfil it.
    alone: u64,
    /// How many fulfil it and those before it.
    with_earlier: u64,
}

/// Says how many identities each criterion lets through.
pub(super) fn explain(
    criteria: &[Criterion],
    tenant: &OpenTenant,
    as_of: UnixMillis,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let model = &tenant.configuration.model;
    let choice: Choice = choose(
        &tenant.store,
        model,
        criteria,
        as_of,
        &tenant.impact()?.raise,
        true,
    )?;
    let counts = criteria.iter().zip(&choice.counts);
    let explained = Explained {
        identities: choice.of,
        criteria: counts
            .map(|(criterion, count)| ExplainedCriterion {
                criterion: criterion.as_str(),
                alone: count.alone,
                with_earlier: count.with_earlier,
            })
            .collect(),
        selected: choice.uids.len() as u64,
    };
    if options.json {
        write_json(out, &explained)?;
        return Ok(());
    }
    let mut table = Table::new(&["criterion", "lets through", "with those above"]).right(&[1, 2]);
    for row in &explained.criteria {
        table.row([
            row.criterion.to_owned(),
            grouped(row.alone),
            grouped(row.with_earlier),
        ]);
    }
    table.write(out)?;
    writeln!(
        out,
        "{} of {} would be refreshed",
        grouped(explained.selected),
        counted(explained.identities, "identity", "identities"),
    )?;
    Ok(())
}

/// Reads a filter, and checks that everything in it can be read.
pub(super) fn checked_filter(text: &str, tenant: &OpenTenant) -> Result<Filter, CommandError> {
    let filter = Filter::parse(text).map_err(|error| {
        let hint = error.hint();
        CommandError::usage(error).with_hint(hint)
    })?;
    let readable = Readable::of(&tenant.configuration.model);
    match readable.check(FilterPlace::Included, &filter) {
        Ok(()) => Ok(filter),
        Err(mut errors) => {
            let error = errors.swap_remove(0);
            let hint = error.hint();
            Err(CommandError::usage(error).with_hint(hint))
        }
    }
}
