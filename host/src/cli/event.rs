//! `event`: what triggers have seen.

use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::definitions::Model;
use idr_core::model::Name;

use super::open::{identity_named, open};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::EventReport;
use crate::store::{EventQuery, Store};
use crate::tenant::OpenTenant;

/// Show events
#[derive(Args, Debug)]
pub(super) struct EventArgs {
    #[command(subcommand)]
    command: EventCommand,
}

#[derive(Debug, Subcommand)]
enum EventCommand {
    List(ListArgs),
}

/// List events, the latest first, with what had changed
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those of this identity
    #[arg(long, value_name = "NAME")]
    identity: Option<String>,

    /// Only those of this trigger
    #[arg(long, value_name = "NAME")]
    trigger: Option<String>,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,

    /// Show the values of sensitive attributes
    #[arg(long)]
    show_sensitive: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &EventArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let EventCommand::List(args) = &args.command;
    let tenant = open(options)?;
    let query = EventQuery {
        uid: match &args.identity {
            Some(name) => Some(identity_named(&tenant, name)?),
            None => None,
        },
        trigger: args.trigger.as_deref().map(Name::new),
    };
    let limit = args.limit.unwrap_or(usize::MAX);
    let events = events(&tenant, &query, limit, args.show_sensitive)?;
    if options.json {
        write_json(out, &events)?;
        return Ok(Outcome::Done);
    }
    if events.is_empty() {
        writeln!(out, "no events")?;
    }
    for event in &events {
        event.write(0, out)?;
    }
    Ok(Outcome::Done)
}

/// Returns the reports on events, the latest first.
pub(super) fn events(
    tenant: &OpenTenant,
    query: &EventQuery,
    limit: usize,
    show_sensitive: bool,
) -> Result<Vec<EventReport>, CommandError> {
    let model: &Model = &tenant.configuration.model;
    let is_sensitive = |what: &str| {
        let index = Name::known(what).and_then(|name| model.attribute_index(name));
        !show_sensitive && index.is_some_and(|index| model.attributes[index].sensitive)
    };
    let events = tenant.store.events(query, limit)?;
    Ok(events
        .into_iter()
        .map(|event| EventReport::of(event, &model.zone, &is_sensitive))
        .collect())
}
