//! `bench roofline`: what no refresh can be faster than.

use std::ffi::OsStr;
use std::io::Write;

use clap::Args;
use serde::Serialize;

use super::apart::bench;
use super::{CommandError, GlobalOptions, MadeArgs, Outcome, write_json};
use crate::bench::{self as benches, Roofline};
use crate::cli::generate::make_tenant;
use crate::organisation::Profile;
use crate::report::grouped;

/// Measure what this machine does when nothing else is to be done: reading all rows,
/// decoding them, the lifecycle rule in native code, and writing documents again, each
/// alone and on one thread
#[derive(Args, Debug)]
pub(super) struct RooflineArgs {
    #[command(flatten)]
    made: MadeArgs,
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
    let (folder, place, made) = args.made.begin()?;
    make_tenant(&place.tenant(), made)?;
    let program = std::env::current_exe().map_err(CommandError::failed)?;
    let settle: [&OsStr; 2] = ["settle".as_ref(), folder.path().as_ref()];
    bench(&program, &settle)?;
    let roofline = benches::roofline(&place.tenant())?;
    let profile = made.profile;
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
        ("reading rows", Some(roofline.read_us)),
        ("decoding them", Some(roofline.decode_us)),
        ("the lifecycle rule, native", roofline.native_rule_us),
        ("the same as a component", roofline.rule_us),
        ("writing the identity's", Some(roofline.write_us)),
    ] {
        if let Some(us) = us {
            writeln!(out, "  {what:<28}{us:>9.3}")?;
        }
    }
    Ok(Outcome::Done)
}
