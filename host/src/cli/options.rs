//! `options`: what became of the options of IdentityIQ's refresh task.

use std::io::Write;

use serde::Serialize;

use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::operations::{OPTIONS, RefreshOption, Status};
use crate::report::Table;

/// Print what became of every option of IdentityIQ's refresh task
#[derive(clap::Args, Debug)]
pub(super) struct OptionsArgs {
    /// Only those with this status
    #[arg(long, value_parser = ["works", "replaced", "not-offered", "not-yet"])]
    status: Option<String>,
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
    /// The test that shows the difference it makes.
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
}

/// Runs the command.
pub(super) fn run(
    args: &OptionsArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let wanted = |option: &&RefreshOption| {
        let status = args.status.as_deref();
        status.is_none_or(|status| status == option.status.as_str())
    };
    let rows: Vec<Row> = OPTIONS.iter().filter(wanted).map(Row::of).collect();
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["key", "here", "phase", "status", ""]);
    for row in &rows {
        table.row([
            row.key,
            row.name.unwrap_or_default(),
            row.phase.unwrap_or_default(),
            row.status.as_str(),
            row.remark.unwrap_or_default(),
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}
