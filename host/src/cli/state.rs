//! `state`: the tenant's state as a whole.

use std::io::Write;

use clap::{Args, Subcommand};

use super::open::open;
use super::{CommandError, GlobalOptions, Outcome};
use crate::report::canonical;

/// Export the tenant's state
#[derive(Args, Debug)]
pub(super) struct StateArgs {
    #[command(subcommand)]
    command: StateCommand,
}

#[derive(Debug, Subcommand)]
enum StateCommand {
    Export(ExportArgs),
}

/// Write the state as lines of JSON
///
/// Two tenants whose state is the same export the same lines, whichever
/// refreshes brought them there.
#[derive(Args, Debug)]
struct ExportArgs {
    /// With natural keys, sorted, without run numbers and row versions
    #[arg(long, required = true)]
    canonical: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &StateArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let StateCommand::Export(_) = &args.command;
    let tenant = open(options)?;
    canonical::export(&tenant.store, &tenant.configuration.model, out)?;
    Ok(Outcome::Done)
}
