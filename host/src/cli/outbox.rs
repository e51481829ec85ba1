//! `outbox`: what is to be done outside because of what refreshes found, and
//! another attempt at what was given up.

use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::model::UnixMillis;
use serde::Serialize;

use super::open::{identity_named, open};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{EffectReport, Table};
use crate::store::{EffectProgress, EffectQuery, EffectStatus, Settlement, Store, StoredEffect};
use crate::tenant::OpenTenant;

/// Show what is to be done outside, and try again what was given up
#[derive(Args, Debug)]
pub(super) struct OutboxArgs {
    #[command(subcommand)]
    command: OutboxCommand,
}

#[derive(Debug, Subcommand)]
enum OutboxCommand {
    List(ListArgs),
    Retry(RetryArgs),
}

/// List effects, the latest first
///
/// What lifecycle states do with accounts, what managers are asked to decide or do,
/// and what triggers' handlers are to do.
/// One is withdrawn when it is no longer called for before it was carried out, and
/// dead when it was given up.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those about this identity
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,

    /// Only those that wait to be carried out
    #[arg(long, conflicts_with = "dead")]
    waiting: bool,

    /// Only those that were given up
    #[arg(long)]
    dead: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Try again what was given up, or failed and would be tried later
///
/// The next `idr dispatch` tries it, with as many attempts as the first time.
#[derive(Args, Debug)]
struct RetryArgs {
    /// The effect's id; `--dead` for all that were given up
    #[arg(required_unless_present = "dead", conflicts_with = "dead")]
    id: Option<String>,

    /// All that were given up
    #[arg(long)]
    dead: bool,

    #[command(flatten)]
    person: PersonArgs,
}

/// Runs the command.
pub(super) fn run(
    args: &OutboxArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    match &args.command {
        OutboxCommand::List(args) => list(args, options, out),
        OutboxCommand::Retry(args) => retry(args, options, out),
    }
}

#[derive(Serialize)]
struct Retried {
    retried: usize,
}

fn retry(
    args: &RetryArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    let _lock = tenant.lock()?;
    let query = EffectQuery {
        dead: args.dead,
        id: args.id.clone(),
        ..EffectQuery::default()
    };
    let effects = tenant.store.effects(&query, usize::MAX)?;
    if let Some(id) = &args.id {
        match effects.first().map(|effect| effect.progress.status) {
            Some(EffectStatus::Dead | EffectStatus::Failed) => {}
            Some(status) => {
                let message = format!("effect `{id}` is {}", status.as_str());
                let hint = "only one that failed or was given up is tried again";
                return Err(CommandError::usage(message).with_hint(hint.to_owned()));
            }
            None => {
                return Err(
                    CommandError::usage(format!("there is no effect `{id}`")).with_hint(
                        "`idr outbox list --dead` shows those that were given up".to_owned(),
                    ),
                );
            }
        }
    }
    let now = tenant.now()?;
    let mut retried = 0;
    for effect in &effects {
        retried += usize::from(retry_one(&tenant, effect, &args.person, now)?);
    }
    if options.json {
        write_json(out, &Retried { retried })?;
    } else if !options.quiet {
        writeln!(out, "{retried} to be tried again")?;
    }
    Ok(Outcome::Done)
}

fn retry_one(
    tenant: &OpenTenant,
    effect: &StoredEffect,
    person: &PersonArgs,
    now: UnixMillis,
) -> Result<bool, CommandError> {
    // A failure with attempts behind it: so the account is looked at first.
    let progress = EffectProgress {
        status: EffectStatus::Failed,
        attempts: 1,
        next_attempt: None,
        at: Some(now),
        ..effect.progress.clone()
    };
    Ok(tenant.store.settle(&Settlement {
        number: effect.number,
        expected: effect.progress.status,
        progress,
        audit: Some(person.audit(now, "retry", format!("effect {}", effect.id))),
        ..Settlement::default()
    })?)
}

fn list(
    args: &ListArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    let query = EffectQuery {
        uid: match &args.identity {
            Some(name) => Some(identity_named(&tenant, name)?),
            None => None,
        },
        waiting: args.waiting,
        dead: args.dead,
        ..EffectQuery::default()
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
