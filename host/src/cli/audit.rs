//! `audit`: who did what, and why.

use std::io::Write;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::open::open;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::Table;
use crate::store::{AuditEntry, AuditQuery, Store};

/// Show who did what, and why
#[derive(Args, Debug)]
pub(super) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    List(ListArgs),
}

/// List what people did and what refreshes changed, the latest first
///
/// A refresh says which attributes, roles and states it changed, and no values of
/// attributes.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only what was done to this identity, or whatever else is the subject
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,

    /// Only what somebody did
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,

    /// Only what was done so, such as `refresh`, `edit` or `approve`
    #[arg(long)]
    action: Option<String>,

    /// List so many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
}

#[derive(Serialize)]
struct Report {
    at: String,
    actor: String,
    action: String,
    subject: String,
    reason: String,
}

impl Report {
    fn of(entry: AuditEntry) -> Self {
        let AuditEntry {
            at,
            actor,
            action,
            subject,
            reason,
        } = entry;
        Self {
            at: at.to_string(),
            actor,
            action,
            subject,
            reason,
        }
    }
}

/// Runs the command.
pub(super) fn run(
    args: &AuditArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let AuditCommand::List(args) = &args.command;
    let tenant = open(options)?;
    let query = AuditQuery {
        actor: args.actor.clone(),
        action: args.action.clone(),
        subject: args.subject.clone(),
    };
    let entries = tenant.store.audit_entries(&query, args.limit)?;
    let reports: Vec<_> = entries.into_iter().map(Report::of).collect();
    if options.json {
        write_json(out, &reports)?;
        return Ok(Outcome::Done);
    }
    if reports.is_empty() {
        writeln!(out, "nothing was done")?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["when", "who", "what", "to", "why"]);
    for report in reports {
        table.row([
            report.at,
            report.actor,
            report.action,
            report.subject,
            report.reason,
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}
