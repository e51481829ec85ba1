//! `aggregation`: what aggregations did, and what becomes of one that is held
//! or was left behind.

use std::io::Write;
use std::time::Instant;

use clap::{Args, Subcommand};
use idr_core::definitions::Application;
use serde::Serialize;

use super::aggregate::{AggregationProgress, application, context, print};
use super::open::{command_for, open};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::aggregate;
use crate::report::{ShownAggregation, StagedReport, Table, grouped};
use crate::store::{AggregationStatus, AuditEntry, Store};
use crate::tenant::OpenTenant;

/// List aggregations, show one, resume one, and decide about one that is held
#[derive(Args, Debug)]
pub(super) struct AggregationArgs {
    #[command(subcommand)]
    command: AggregationCommand,
}

#[derive(Debug, Subcommand)]
enum AggregationCommand {
    /// List aggregations, the latest first
    List(ListArgs),
    /// Show an aggregation; of one that is held, what it would do
    Show(ShowArgs),
    /// Go on with aggregations that were left behind while they were applied
    Resume,
    /// Apply a held aggregation
    Accept(DecideArgs),
    /// Drop a held aggregation
    Reject(DecideArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    /// Only those of this application
    #[arg(long, value_name = "NAME")]
    application: Option<String>,

    /// Only those that wait for a person
    #[arg(long)]
    held: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
}

#[derive(Args, Debug)]
struct ShowArgs {
    /// The aggregation's number
    aggregation: i64,

    /// Show so many changes of each kind at most
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    limit: usize,
}

#[derive(Args, Debug)]
struct DecideArgs {
    /// The aggregation's number
    aggregation: i64,

    #[command(flatten)]
    person: PersonArgs,
}

/// An aggregation, and of one that is held what it would do.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    aggregation: ShownAggregation,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<StagedReport>>,
}

/// Runs the command.
pub(super) fn run(
    args: &AggregationArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    match &args.command {
        AggregationCommand::List(args) => list(&tenant, args, options, out),
        AggregationCommand::Show(args) => show(&tenant, args, options, out),
        AggregationCommand::Resume => resume(&tenant, options, out),
        AggregationCommand::Accept(args) => {
            let _lock = tenant.lock()?;
            let configured = tenant.adopt()?;
            let (application, audit) = decision(&tenant, args, "accept")?;
            let context = context(&tenant, &configured, application);
            let progress = AggregationProgress::new(options);
            let started = Instant::now();
            let report = aggregate::accept(&context, args.aggregation, audit, &mut |made| {
                progress.show(made);
            })?;
            progress.finish();
            print(&report, started, options, out)
        }
        AggregationCommand::Reject(args) => {
            let _lock = tenant.lock()?;
            let (application, audit) = decision(&tenant, args, "reject")?;
            let (store, number) = (&tenant.store, args.aggregation);
            let report = aggregate::reject(store, application.name, number, audit)?;
            let shown = ShownAggregation::of(&report.aggregation);
            if options.json {
                write_json(out, &shown)?;
            } else if !options.quiet {
                shown.write(&command_for(options), out)?;
            }
            Ok(Outcome::Done)
        }
    }
}

/// Returns the application of an aggregation, and the audit entry on a decision about it.
fn decision<'a>(
    tenant: &'a OpenTenant,
    args: &DecideArgs,
    action: &str,
) -> Result<(&'a Application, AuditEntry), CommandError> {
    let known = aggregate::aggregation(&tenant.store, args.aggregation)?;
    let subject = format!("aggregation {}", known.id);
    let audit = args.person.audit(tenant.now()?, action, subject);
    Ok((application(tenant, &known.application)?, audit))
}

fn list(
    tenant: &OpenTenant,
    args: &ListArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let mut aggregations = tenant.store.aggregations(usize::MAX)?;
    aggregations.retain(|known| {
        let wanted = args.application.as_ref();
        wanted.is_none_or(|name| *name == known.application)
            && (!args.held || known.status == AggregationStatus::Held)
    });
    aggregations.truncate(args.limit);
    let shown: Vec<ShownAggregation> = aggregations.iter().map(ShownAggregation::of).collect();
    if options.json {
        write_json(out, &shown)?;
        return Ok(Outcome::Done);
    }
    if shown.is_empty() {
        writeln!(out, "no aggregations")?;
        return Ok(Outcome::Done);
    }
    let headings = ["number", "application", "status", "as of", "read", "what"];
    let mut table = Table::new(&headings).right(&[0, 4]);
    for known in &shown {
        let read = known.counters.get("read").copied().unwrap_or(0);
        let counted = known.counted();
        let what = counted.split_once(", ").map_or("", |(_, what)| what);
        table.row([
            known.aggregation.to_string(),
            known.application.clone(),
            known.status.to_owned(),
            known.as_of.clone(),
            grouped(read),
            what.to_owned(),
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

fn show(
    tenant: &OpenTenant,
    args: &ShowArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let known = aggregate::aggregation(&tenant.store, args.aggregation)?;
    let model = &tenant.configuration.model;
    let changes = match known.status {
        AggregationStatus::Held => Some(StagedReport::list(
            &tenant.store,
            model,
            known.id,
            args.limit,
        )?),
        _ => None,
    };
    let shown = Shown {
        aggregation: ShownAggregation::of(&known),
        changes,
    };
    if options.json {
        write_json(out, &shown)?;
        return Ok(Outcome::Done);
    }
    shown.aggregation.write(&command_for(options), out)?;
    writeln!(out, "  file: {}", shown.aggregation.file)?;
    for change in shown.changes.iter().flatten() {
        change.write(out)?;
    }
    Ok(Outcome::Done)
}

fn resume(
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let _lock = tenant.lock()?;
    let configured = tenant.adopt()?;
    let mut resumed = Vec::new();
    for application in &tenant.configuration.model.applications {
        let progress = AggregationProgress::new(options);
        let context = context(tenant, &configured, application);
        let done = aggregate::resume(&context, &mut |made| {
            progress.show(made);
        })?;
        progress.finish();
        resumed.extend(done.as_ref().map(ShownAggregation::of));
    }
    if options.json {
        write_json(out, &resumed)?;
    } else if !options.quiet {
        if resumed.is_empty() {
            writeln!(out, "no aggregation was left unfinished")?;
        }
        for shown in &resumed {
            shown.write(&command_for(options), out)?;
        }
    }
    Ok(Outcome::Done)
}
