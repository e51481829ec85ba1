//! `finding`: what is wrong now.

use std::io::Write;

use clap::{Args, Subcommand};

use super::open::{command_for, open};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{FindingReport, grouped, write_findings};
use crate::store::Store;

/// Show what is wrong
#[derive(Args, Debug)]
pub(super) struct FindingArgs {
    #[command(subcommand)]
    command: FindingCommand,
}

#[derive(Debug, Subcommand)]
enum FindingCommand {
    List(ListArgs),
}

/// List open findings, the most severe first
///
/// Findings of one kind are shown together, with the first message and hint.
/// With --json each is listed.
#[derive(Args, Debug)]
struct ListArgs {
    /// List closed ones as well
    #[arg(long)]
    closed: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Runs the command.
pub(super) fn run(
    args: &FindingArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let FindingCommand::List(args) = &args.command;
    let tenant = open(options)?;
    let limit = args.limit.unwrap_or(usize::MAX);
    let findings = FindingReport::list(&tenant.store, args.closed, limit)?;
    if options.json {
        write_json(out, &findings)?;
        return Ok(Outcome::Done);
    }
    let (closed, open): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| finding.closed_at.is_some());
    let command = command_for(options);
    if open.is_empty() {
        writeln!(out, "no open findings")?;
    } else {
        match tenant.store.open_findings()? {
            total if total > open.len() as u64 => writeln!(
                out,
                "{} of {} open",
                grouped(open.len() as u64),
                grouped(total)
            )?,
            total => writeln!(out, "{} open", grouped(total))?,
        }
        write_findings(&open, None, &command, out)?;
    }
    if !closed.is_empty() {
        writeln!(out, "{} closed", closed.len())?;
        write_findings(&closed, None, &command, out)?;
    }
    Ok(Outcome::Done)
}
