//! `work-item`: what people are to do, and saying that it is done.

use std::io::Write;

use clap::{Args, Subcommand};

use super::open::{identity_named, open};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{OpenWorkItemReport, Table};
use crate::store::{Store, StoredWorkItem, WorkItemQuery};
use crate::tenant::OpenTenant;

/// List what people are to do, show one thing, and say that it is done
#[derive(Args, Debug)]
pub(super) struct WorkItemArgs {
    #[command(subcommand)]
    command: WorkItemCommand,
}

#[derive(Debug, Subcommand)]
enum WorkItemCommand {
    List(ListArgs),
    Show(ShowArgs),
    Complete(CompleteArgs),
}

/// List work items, the latest first: those that are open
///
/// `idr dispatch` opens them. One is withdrawn when it is no longer called for.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,

    /// Only those about this identity
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,

    /// Also those that are done or withdrawn
    #[arg(long)]
    all: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Show a work item
#[derive(Args, Debug)]
struct ShowArgs {
    /// Its id
    id: String,
}

/// Say that a work item is done
///
/// A workflow that waits for it goes on with the next `idr dispatch`. What was to be
/// done with an account is confirmed by the application's next aggregation.
#[derive(Args, Debug)]
struct CompleteArgs {
    /// Its id
    id: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// Runs the command.
pub(super) fn run(
    args: &WorkItemArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    match &args.command {
        WorkItemCommand::List(args) => list(&tenant, args, options, out),
        WorkItemCommand::Show(args) => show(&tenant, &args.id, options, out),
        WorkItemCommand::Complete(args) => complete(&tenant, args, options, out),
    }
}

fn list(
    tenant: &OpenTenant,
    args: &ListArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let query = WorkItemQuery {
        owner: args.owner.clone(),
        uid: match &args.identity {
            Some(name) => Some(identity_named(tenant, name)?),
            None => None,
        },
        open: !args.all,
        ..WorkItemQuery::default()
    };
    let limit = args.limit.unwrap_or(usize::MAX);
    let items = tenant.store.work_items(&query, limit)?;
    let zone = &tenant.configuration.model.zone;
    let reports = items
        .into_iter()
        .map(|item| OpenWorkItemReport::of(item, zone));
    let reports: Vec<_> = reports.collect();
    if options.json {
        write_json(out, &reports)?;
        return Ok(Outcome::Done);
    }
    if reports.is_empty() {
        writeln!(out, "nobody is to do anything")?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::plain(0);
    for report in &reports {
        table.row(report.row());
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

fn item(tenant: &OpenTenant, id: &str) -> Result<StoredWorkItem, CommandError> {
    let query = WorkItemQuery {
        id: Some(id.to_owned()),
        ..WorkItemQuery::default()
    };
    let found = tenant.store.work_items(&query, 1)?.pop();
    found.ok_or_else(|| {
        CommandError::usage(format!("there is no work item `{id}`"))
            .with_hint("`idr work-item list` shows them".to_owned())
    })
}

fn show(
    tenant: &OpenTenant,
    id: &str,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let zone = &tenant.configuration.model.zone;
    let report = OpenWorkItemReport::of(item(tenant, id)?, zone);
    if options.json {
        write_json(out, &report)?;
    } else {
        report.write(out)?;
    }
    Ok(Outcome::Done)
}

fn complete(
    tenant: &OpenTenant,
    args: &CompleteArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let _lock = tenant.lock()?;
    let known = item(tenant, &args.id)?;
    if known.status != crate::store::WorkItemStatus::Open {
        let message = format!("work item `{}` is {}", args.id, known.status.as_str());
        return Err(CommandError::usage(message));
    }
    let subject = format!("work item {}", args.id);
    let audit = args.person.audit(tenant.now()?, "complete", subject);
    tenant.store.complete_work_item(&args.id, &audit)?;
    show(tenant, &args.id, options, out)
}
