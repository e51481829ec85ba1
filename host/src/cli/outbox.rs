//! `outbox`: what is to be done outside because of what refreshes found.

use std::io::Write;

use clap::{Args, Subcommand};

use super::open::{identity_named, open};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{EffectReport, Table};
use crate::store::{EffectQuery, Store};

/// Show what is to be done outside
#[derive(Args, Debug)]
pub(super) struct OutboxArgs {
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
enum OutboxCommand {
    List(ListArgs),
}

/// List effects, the latest first
///
/// What lifecycle states do with accounts, what managers are asked to decide or do,
/// and what triggers' handlers are to do.
/// One is withdrawn when it is no longer called for before it was carried out.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those about this identity
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,

    /// Only those that wait to be carried out
    #[arg(long)]
    waiting: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Runs the command.
pub(super) fn run(
    args: &OutboxArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let OutboxCommand::List(args) = &args.command;
    let tenant = open(options)?;
    let query = EffectQuery {
        uid: match &args.identity {
            Some(name) => Some(identity_named(&tenant, name)?),
            None => None,
        },
        waiting: args.waiting,
    };
    let model = &tenant.configuration.model;
    let effects = tenant
        .store
        .effects(&query, args.limit.unwrap_or(usize::MAX))?;
    let effects = effects.into_iter();
    let reports: Vec<_> = effects
        .map(|effect| EffectReport::of(effect, model, &model.zone))
        .collect();
    if options.json {
        write_json(out, &reports)?;
        return Ok(Outcome::Done);
    }
    if reports.is_empty() {
        writeln!(out, "nothing is to be done")?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::plain(0);
    for report in &reports {
        table.row(report.row());
    }
    table.write(out)?;
    Ok(Outcome::Done)
}
