//! `bench aggregate`: how fast aggregations are.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tempfile::TempDir;

use super::apart::bench;
use super::refresh::SEED;
use super::{CommandError, GlobalOptions, Outcome, profile_parser, unusable, write_json};
use crate::bench::{FeedMeasurement, Place, Rows};
use crate::organisation::{Made, Profile};
use crate::report::{Table, grouped};

/// Measure aggregations: of feeds that nothing is known of, unchanged ones, and ones with
/// something else in every row
///
/// Works on a tenant that it makes in a temporary folder, which is removed afterwards.
/// Each application's feed is measured for itself.
#[derive(Args, Debug)]
pub(super) struct AggregateArgs {
    /// What the made tenant is like, as in `idr generate`
    #[arg(long, value_name = "PROFILE", default_value = "standard", value_parser = profile_parser())]
    profile: Profile,

    /// How many identities it has
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    identities: u64,

    /// Where to make the temporary folder
    #[arg(long, value_name = "DIR")]
    within: Option<PathBuf>,
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
    let within = args.within.clone().unwrap_or_else(std::env::temp_dir);
    let folder =
        TempDir::with_prefix_in("idr-bench-", &within).map_err(|error| unusable(&within, error))?;
    let made = Made {
        profile: args.profile,
        identities: args.identities,
        seed: SEED,
    };
    let place = Place::begin(folder.path(), made).map_err(|error| unusable(&within, error))?;
    made.write(&place.tenant())
        .map_err(|error| unusable(&within, error))?;
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
        profile: args.profile,
        identities: args.identities,
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
