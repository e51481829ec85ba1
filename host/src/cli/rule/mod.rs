//! `rule`: what authors of rules and their tenants do with rule components.

mod bench;
mod build;
mod check;
mod inspect;
mod junit;
mod list;
mod new;
mod profile;
mod record;
mod rehearsal;
mod seen;
mod sign;
mod test;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use idr_guests::GuestError;

use super::{CommandError, ErrorKind, GlobalOptions, Outcome};
use crate::rules::LoadError;

/// Write, test and inspect rule components
#[derive(Args, Debug)]
pub(super) struct RuleArgs {
    #[command(subcommand)]
    command: RuleCommand,
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    New(new::NewArgs),
    Build(build::BuildArgs),
    Check(check::CheckArgs),
    Test(test::TestArgs),
    Bench(bench::BenchArgs),
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
        RuleCommand::New(args) => new::run(args, options, out),
        RuleCommand::Build(args) => build::run(args, options, out),
        RuleCommand::Check(args) => check::run(args, options, out),
        RuleCommand::Test(args) => test::run(args, options, out),
        RuleCommand::Bench(args) => bench::run(args, options, out),
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

/// Says that a file that was named can't be used as a rule.
fn unusable(path: &Path, source: LoadError) -> CommandError {
    let hint = source.hint();
    let path = path.to_owned();
    CommandError::configuration(UnusableComponent { path, source }).with_hint(hint)
}

#[derive(Debug, thiserror::Error)]
#[error("`{}` is no usable rule component", path.display())]
struct UnusableComponent {
    path: PathBuf,
    #[source]
    source: LoadError,
}

/// What is wrong with how it was called, or with `rule.toml`, exits with 2; what
/// was tried and went wrong, such as compiling, with 3.
fn guest_error(error: GuestError) -> CommandError {
    let hint = error.hint();
    let kind = match &error {
        GuestError::NoManifest(_)
        | GuestError::NoSource { .. }
        | GuestError::BadName(_)
        | GuestError::UnknownKind(_)
        | GuestError::Exists(_) => ErrorKind::Usage,
        GuestError::BadManifest { .. } | GuestError::BadContract { .. } => ErrorKind::Configuration,
        _ => ErrorKind::Failed,
    };
    CommandError::new(kind, error).with_hint(hint)
}
