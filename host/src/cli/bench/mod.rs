//! `bench`: measure on this machine.

mod aggregate;
mod apart;
mod compare;
mod goals;
mod refresh;
mod report;
mod roofline;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use tempfile::TempDir;

use super::generate::{make_tenant, profile_parser};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::bench::{self, BenchError, Case, Place, Rows};
use crate::organisation::{Made, Profile};

/// Measure on this machine
#[derive(Args, Debug)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    Refresh(refresh::RefreshArgs),
    Aggregate(aggregate::AggregateArgs),
    Roofline(roofline::RooflineArgs),
    Report(report::ReportArgs),
    #[command(hide = true)]
    Prepare(PrepareArgs),
    #[command(hide = true)]
    Settle(PlaceArgs),
    #[command(hide = true)]
    Change(ChangeArgs),
    #[command(hide = true)]
    Case(CaseArgs),
    #[command(hide = true)]
    Rows(RowsArgs),
}

/// A made tenant to measure on
#[derive(Args, Debug)]
struct MadeArgs {
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

impl MadeArgs {
    /// Begins a place in a temporary folder, which is removed when it is dropped.
    fn begin(&self) -> Result<(TempDir, Place, Made), CommandError> {
        let folder = temporary(self.within.as_deref())?;
        let made = Made {
            profile: self.profile,
            identities: self.identities,
            seed: refresh::SEED,
        };
        let place = Place::begin(folder.path(), made);
        let place = place.map_err(|error| unusable(folder.path(), error))?;
        Ok((folder, place, made))
    }
}

/// Makes a temporary folder, in the usual place unless another is named.
fn temporary(within: Option<&Path>) -> Result<TempDir, CommandError> {
    let within = within.map_or_else(std::env::temp_dir, Path::to_owned);
    TempDir::with_prefix_in("idr-bench-", &within).map_err(|error| unusable(&within, error))
}

/// Make a tenant in a place of its own
#[derive(Args, Debug)]
struct PrepareArgs {
    place: PathBuf,
    #[arg(long, value_parser = profile_parser())]
    profile: Profile,
    #[arg(long)]
    identities: u64,
    #[arg(long)]
    seed: u64,
}

/// Bring the tenant in a place up to date
#[derive(Args, Debug)]
struct PlaceArgs {
    place: PathBuf,
}

/// Change one in so many in a place, and aggregate that
#[derive(Args, Debug)]
struct ChangeArgs {
    place: PathBuf,
    one_in: u64,
}

/// Measure one case on the tenant, in this process
#[derive(Args, Debug)]
struct CaseArgs {
    name: String,
    /// Without the time of each stage
    #[arg(long)]
    without_stages: bool,
    /// Count the work instead
    #[arg(long)]
    count: bool,
}

/// Measure the aggregation of a place's feeds, in this process
#[derive(Args, Debug)]
struct RowsArgs {
    place: PathBuf,
    name: String,
}

/// Runs the command.
pub(super) fn run(
    args: &BenchArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    match &args.command {
        BenchCommand::Refresh(args) => return refresh::run(args, options, out),
        BenchCommand::Aggregate(args) => return aggregate::run(args, options, out),
        BenchCommand::Roofline(args) => return roofline::run(args, options, out),
        BenchCommand::Report(args) => return report::run(args, out),
        BenchCommand::Rows(args) => {
            let known = Rows::ALL.iter().find(|(name, _)| *name == args.name);
            let (_, rows) = known.ok_or_else(|| no_such_case(&args.name))?;
            write_json(out, &bench::measure_rows(&mut open(&args.place)?, *rows)?)?;
        }
        BenchCommand::Prepare(args) => {
            let made = Made {
                profile: args.profile,
                identities: args.identities,
                seed: args.seed,
            };
            let place =
                Place::begin(&args.place, made).map_err(|error| unusable(&args.place, error))?;
            make_tenant(&place.tenant(), made)?;
        }
        BenchCommand::Settle(args) => open(&args.place)?.settle()?,
        BenchCommand::Change(args) => open(&args.place)?.change(args.one_in)?,
        BenchCommand::Case(args) => {
            let Some(case) = Case::named(&args.name) else {
                return Err(no_such_case(&args.name));
            };
            if args.count {
                write_json(out, &bench::count(&options.tenant, case)?)?;
            } else {
                let with_stages = !args.without_stages;
                write_json(out, &bench::measure(&options.tenant, case, with_stages)?)?;
            }
        }
    }
    Ok(Outcome::Done)
}

fn open(folder: &Path) -> Result<Place, CommandError> {
    Place::open(folder).map_err(|error| unusable(folder, error))
}

fn no_such_case(name: &str) -> CommandError {
    let names: Vec<&str> = Case::ALL.iter().map(|(name, _)| *name).collect();
    let hint = format!("cases are {}", names.join(", "));
    CommandError::usage(format!("there is no case `{name}`")).with_hint(hint)
}

fn unusable(folder: &Path, source: io::Error) -> CommandError {
    #[derive(Debug, thiserror::Error)]
    #[error("the folder `{folder}` can't be used")]
    struct Unusable {
        folder: String,
        source: io::Error,
    }
    let folder = folder.display().to_string();
    CommandError::failed(Unusable { folder, source })
}

impl From<BenchError> for CommandError {
    fn from(error: BenchError) -> Self {
        Self::failed(error)
    }
}
