//! `rule`: what authors of rules and their tenants do with rule components.

mod inspect;
mod junit;
mod list;
mod record;
mod rehearsal;
mod seen;
mod sign;
mod test;

use std::io::Write;

use clap::{Args, Subcommand};

use super::{CommandError, ErrorKind, GlobalOptions, Outcome};
use crate::rules::LoadError;

/// Test and inspect rule components
#[derive(Args, Debug)]
pub(super) struct RuleArgs {
    #[command(subcommand)]
    command: RuleCommand,
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    Test(test::TestArgs),
    Inspect(inspect::InspectArgs),
    Record(record::RecordArgs),
    List(list::ListArgs),
    Sign(sign::SignArgs),
}

/// Runs the command.
pub(super) fn run(
    args: &RuleArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    match &args.command {
        RuleCommand::Test(args) => test::run(args, options, out),
        RuleCommand::Inspect(args) => inspect::run(args, options, out),
        RuleCommand::Record(args) => record::run(args, options, out),
        RuleCommand::List(_) => list::run(options, out),
        RuleCommand::Sign(args) => sign::run(args, options, out),
    }
}

fn load_error(error: LoadError) -> CommandError {
    let hint = error.hint();
    let kind = match &error {
        LoadError::Engine(_) => ErrorKind::Failed,
        _ => ErrorKind::Configuration,
    };
    CommandError::new(kind, error).with_hint(hint)
}
