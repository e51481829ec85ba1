//! `bench aggregate`: how fast aggregations are.

use std::ffi::OsStr;
use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::apart::bench;
use super::{CommandError, GlobalOptions, MadeArgs, Outcome, unusable, write_json};
use crate::bench::{FeedMeasurement, Rows};
use crate::organisation::Profile;
use crate::report::{Table, grouped};

/// Measure aggregations: of feeds that nothing is known of, unchanged ones, and ones with
/// something else in every row
///
/// Works on a tenant that it makes in a temporary folder, which is removed afterwards.
/// Each application's feed is measured for itself.
#[derive(Args, Debug)]
pub(super) struct AggregateArgs {
    #[command(flatten)]
    made: MadeArgs,
}

#[derive(Serialize)]
struct Report {
    profile: Profile,
    identities: u64,
    feeds: Vec<FeedMeasurement>,
}

/// Runs the command.
pub(super) fn run(
    args: &AggregateArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let (folder, place, made) = args.made.begin()?;
    made.write(&place.tenant())
        .map_err(|error| unusable(folder.path(), error))?;
    let program = std::env::current_exe().map_err(CommandError::failed)?;
    let mut feeds: Vec<FeedMeasurement> = Vec::new();
    for (name, _) in Rows::ALL {
        let arguments: [&OsStr; 4] = [
            "rows".as_ref(),
            folder.path().as_ref(),
            name.as_ref(),
            "--json".as_ref(),
        ];
        let output = bench(&program, &arguments)?;
        let measured: Vec<FeedMeasurement> =
            serde_json::from_slice(&output).map_err(CommandError::failed)?;
        feeds.extend(measured);
    }
    let report = Report {
        profile: made.profile,
        identities: made.identities,
        feeds,
    };
    if options.json {
        write_json(out, &report)?;
        return Ok(Outcome::Done);
    }
    let headings = [
        "case",
        "application",
        "rows/s",
        "seconds",
        "CPU us/row",
        "peak MB",
        "rows",
        "changed",
    ];
    let mut table = Table::new(&headings).right(&[2, 3, 4, 5, 6, 7]);
    for feed in &report.feeds {
        table.row([
            feed.name.clone(),
            feed.application.clone(),
            grouped(feed.rows_per_second as u64),
            format!("{:.2}", feed.seconds),
            format!("{:.1}", feed.cpu_us_per_row),
            format!("{:.0}", feed.peak_mb),
            grouped(feed.rows),
            grouped(feed.changed),
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}
