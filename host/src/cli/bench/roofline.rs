//! `bench roofline`: what no refresh can be faster than.

use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use tempfile::TempDir;

use super::apart::bench;
use super::refresh::SEED;
use super::{CommandError, GlobalOptions, Outcome, profile_parser, unusable, write_json};
use crate::bench::{self as benches, Place, Roofline};
use crate::cli::generate::make_tenant;
use crate::organisation::{Made, Profile};
use crate::report::grouped;

/// Measure what this machine does when nothing else is to be done: reading all rows,
/// decoding them, and writing them again, each alone and on one thread
#[derive(Args, Debug)]
pub(super) struct RooflineArgs {
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
    roofline: Roofline,
}

/// Runs the command.
pub(super) fn run(
    args: &RooflineArgs,
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
    make_tenant(&place.tenant(), made)?;
    let program = std::env::current_exe().map_err(CommandError::failed)?;
    let settle: [&OsStr; 2] = ["settle".as_ref(), folder.path().as_ref()];
    bench(&program, &settle)?;
    let roofline = benches::roofline(&place.tenant())?;
    let profile = args.profile;
    if options.json {
        write_json(out, &Report { profile, roofline })?;
        return Ok(Outcome::Done);
    }
    writeln!(
        out,
        "{} identities of {:.1} documents and {:.0} bytes, one thread; microseconds for each:",
        grouped(roofline.identities),
        roofline.documents_per_identity,
        roofline.bytes_per_identity
    )?;
    for (what, us) in [
        ("reading rows", roofline.read_us),
        ("decoding them", roofline.decode_us),
        ("writing the identity's", roofline.write_us),
    ] {
        writeln!(out, "  {what:<24}{us:>8.2}")?;
    }
    Ok(Outcome::Done)
}
