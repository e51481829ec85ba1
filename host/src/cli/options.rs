//! `options`: what became of the options of IdentityIQ's refresh task.

use std::collections::BTreeSet;
use std::io::Write;

use serde::Serialize;

use super::selection;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::config::Tenant;
use crate::operations::{OPTIONS, RefreshOption, Status};
use crate::report::Table;

/// Print what became of every option of IdentityIQ's refresh task, then our own
#[derive(clap::Args, Debug)]
pub(super) struct OptionsArgs {
    /// Only those with this status
    #[arg(long, value_parser = ["works", "replaced", "not-offered", "not-yet"])]
    status: Option<String>,

    /// Instead say in which options two tasks of the tenant (`tasks/NAME.toml`) differ
    #[arg(long, num_args = 2, value_names = ["TASK", "TASK"], conflicts_with = "status")]
    diff: Option<Vec<String>>,
}

/// An option in which two tasks differ.
#[derive(Serialize)]
struct Difference {
    option: String,
    /// IdentityIQ's key for it.
    key: Option<&'static str>,
    /// What the tasks say, as it would be written; null where one says nothing.
    tasks: [Option<String>; 2],
}

#[derive(Serialize)]
struct Row {
    key: &'static str,
    /// What it is called here; null where there is nothing of the kind.
    name: Option<&'static str>,
    /// Its label in IdentityIQ; null for what is set in XML or by API only.
    label: Option<&'static str>,
    /// The number of the step in `idr phases`; null for what is about the run.
    phase: Option<&'static str>,
    default: Option<&'static str>,
    status: Status,
    /// What takes its place, or why there is nothing.
    remark: Option<&'static str>,
    /// The test that shows the difference it makes, or what takes its place does.
    test: Option<&'static str>,
}

impl Row {
    fn of(option: &RefreshOption) -> Self {
        let given = |text: &'static str| (!text.is_empty()).then_some(text);
        Self {
            key: option.key,
            name: given(option.name),
            label: given(option.label),
            phase: given(option.phase),
            default: given(option.default),
            status: option.status,
            remark: option.status.remark(),
            test: option.status.test(),
        }
    }

    /// Returns what is said of it below its line.
    fn notes(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let notes = [
            ("IdentityIQ", self.label),
            ("default", self.default),
            (self.status.as_str(), self.remark),
            ("test", self.test),
        ];
        notes
            .into_iter()
            .filter_map(|(what, said)| Some((what, said?)))
    }
}

/// Runs the command.
pub(super) fn run(
    args: &OptionsArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    if let Some(names) = &args.diff {
        return diff(names, options, out);
    }
    let wanted = |option: &&RefreshOption| {
        let status = args.status.as_deref();
        status.is_none_or(|status| status == option.status.as_str())
    };
    let rows: Vec<Row> = OPTIONS.iter().filter(wanted).map(Row::of).collect();
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["key", "here", "phase", "status"]);
    for row in &rows {
        table.row([
            row.key,
            row.name.unwrap_or_default(),
            row.phase.unwrap_or_default(),
            row.status.as_str(),
        ]);
    }
    let mut lines = Vec::new();
    table.write(&mut lines)?;
    let lines = String::from_utf8_lossy(&lines);
    let mut lines = lines.lines();
    writeln!(out, "{}", lines.next().unwrap_or_default())?;
    for (line, row) in lines.zip(&rows) {
        writeln!(out, "{line}")?;
        for (what, said) in row.notes() {
            writeln!(out, "    {what}: {said}")?;
        }
    }
    Ok(Outcome::Done)
}

/// Says in which options two tasks differ.
fn diff(
    names: &[String],
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = Tenant::load(&options.tenant)?;
    let mut said = Vec::new();
    for name in names {
        selection::task(name, &tenant)?;
        said.push(task_text(name, &tenant)?);
    }
    let [first, second] = said.as_slice() else {
        return Err(CommandError::usage("name two tasks"));
    };
    let keys: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let differences: Vec<Difference> = keys
        .into_iter()
        .filter(|key| value_of(first, key) != value_of(second, key))
        .map(|key| Difference {
            option: key.clone(),
            key: OPTIONS
                .iter()
                .find(|option| option.is_task_key(key))
                .map(|option| option.key)
                .filter(|key| !key.is_empty()),
            tasks: [first, second].map(|task| task.get(key).map(ToString::to_string)),
        })
        .collect();
    if options.json {
        write_json(out, &differences)?;
        return Ok(Outcome::Done);
    }
    if differences.is_empty() {
        writeln!(out, "no differences")?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["option", &names[0], &names[1], "IdentityIQ"]);
    for difference in &differences {
        let [first, second] = &difference.tasks;
        table.row([
            difference.option.as_str(),
            first.as_deref().unwrap_or("-"),
            second.as_deref().unwrap_or("-"),
            difference.key.unwrap_or_default(),
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

/// Returns what a task's file says, apart from its version.
fn task_text(name: &str, tenant: &Tenant) -> Result<toml::Table, CommandError> {
    let path = format!("tasks/{name}.toml");
    let content = tenant.files.get(&path).unwrap_or_default();
    let text = String::from_utf8_lossy(content);
    let mut table: toml::Table = text.parse().map_err(CommandError::configuration)?;
    table.remove("version");
    Ok(table)
}

/// Returns what a task says; a switch that it doesn't mention is as it is by default.
fn value_of(task: &toml::Table, key: &str) -> Option<toml::Value> {
    let default = match key {
        "stop_at_error" => Some(true),
        "all" | "or_modified" | "exclude_inactive" | "due" | "keep_due" | "no_policies"
        | "prune" => Some(false),
        _ => None,
    };
    let default = default.map(toml::Value::Boolean);
    task.get(key).cloned().or(default)
}
