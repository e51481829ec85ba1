//! `due`: who is due, why, and who will be.

use std::io::Write;

use clap::Args;
use idr_core::model::UnixMillis;

use super::open::{command_for, open};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::config::parse_duration;
use crate::refresh;
use crate::report::{DueReport, Table, local};
use crate::store::{Due, Store, StoreError};
use crate::tenant::OpenTenant;

const CHUNK: usize = 1_000;

/// List who is due, and why
///
/// Somebody is due when an input has changed since it was last read, when a
/// moment has come that rules asked about, or when what failed is to be asked
/// again. Also lists who wakes up next, or who is due within a span of time.
#[derive(Args, Debug)]
pub(super) struct DueArgs {
    /// List everybody who is due within this span as well, such as 7d or 12h
    #[arg(long, value_name = "SPAN")]
    within: Option<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &DueArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    let now = tenant.now()?;
    let zone = &tenant.configuration.model.zone;
    let until = until(args, &tenant, now)?;
    let found = due_until(&tenant.store, until)?;
    let mut reports: Vec<DueReport> = found
        .into_iter()
        .map(|due| DueReport::of(due, now, zone))
        .collect();
    reports.sort_by_key(|report| (!report.due, report.next_at, report.uid));
    if options.json {
        write_json(out, &reports)?;
        return Ok(Outcome::Done);
    }
    let due_now = reports.iter().filter(|report| report.due).count();
    writeln!(out, "{due_now} due at {}", local(now, zone))?;
    let mut table = Table::plain(2);
    for report in &reports {
        table.row([report.name.clone(), report.when().to_owned(), report.why()]);
    }
    table.write(out)?;
    let adopted = tenant.store.tenant()?.configuration;
    if adopted.is_some_and(|digest| digest != refresh::files_digest(&tenant.files())) {
        writeln!(
            out,
            "the configuration has changed since the last refresh: {} check --impact",
            command_for(options)
        )?;
    }
    Ok(Outcome::Done)
}

/// Returns the last instant to list wake-ups of: of the span asked for, else
/// the next one that anybody has.
fn until(args: &DueArgs, tenant: &OpenTenant, now: UnixMillis) -> Result<UnixMillis, CommandError> {
    if let Some(text) = &args.within {
        let span_ms = parse_duration(text).ok_or_else(|| {
            CommandError::usage(format!("`{text}` is no span of time")).with_hint(
                "write numbers with units (w, d, h, m, s) such as `7d` or `1h 30m`".to_owned(),
            )
        })?;
        return Ok(now.plus_ms(span_ms));
    }
    let next = tenant.store.next_wake(None)?;
    Ok(next.map_or(now, |wake| wake.max(now)))
}

/// Returns everybody who is due, or will be until an instant.
fn due_until(store: &dyn Store, until: UnixMillis) -> Result<Vec<Due>, StoreError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let chunk = store.due(until, after, CHUNK)?;
        let Some(last) = chunk.last() else {
            return Ok(found);
        };
        after = Some(last.uid);
        found.extend(chunk);
    }
}
