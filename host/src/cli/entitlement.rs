//! `entitlement`: the catalogue of what accounts hold, and what people decide
//! about what came and went natively.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::model::{AssignmentSource, EntitlementStatus, EntitlementVerdict, Name};
use idr_core::phases::entitlements::ledger;
use serde::Serialize;

use super::aggregate::application;
use super::entitlement_decision::{self, DecideArgs};
use super::open::open;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{Table, counted};
use crate::store::{StoreError, each_identity};
use crate::tenant::OpenTenant;

/// List entitlements, or decide about one that was gained or lost natively
///
/// What is decided takes effect with the next refresh, and is over when the
/// account loses what it gained, or has again what it lost.
#[derive(Args, Debug)]
pub(super) struct EntitlementArgs {
    #[command(subcommand)]
    command: EntitlementCommand,
}

#[derive(Debug, Subcommand)]
enum EntitlementCommand {
    List(ListArgs),
    /// Leave it as the application has it
    Accept(DecideArgs),
    /// Have it as it was before: gone again if it was gained, back if it was lost
    Restore(DecideArgs),
}

/// List every entitlement that an account holds, a role contains or the
/// catalogue names
///
/// With its name and owner, how many hold it, for how many of them an assigned role, a lifecycle
/// state or a request is the reason, how many should hold it or shouldn't, and
/// which roles contain it.
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those of this application
    #[arg(long, value_name = "NAME")]
    application: Option<String>,

    /// Only those that no role contains
    #[arg(long)]
    without_role: bool,
}

/// An entitlement of the catalogue.
#[derive(Serialize)]
struct Row {
    application: &'static str,
    attribute: &'static str,
    value: String,
    /// What people call it; null where the catalogue doesn't say.
    display_name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// The name of whoever owns it.
    owner: Option<String>,
    /// How many accounts hold it.
    held: u64,
    /// How many of these the last aggregation of the application has seen.
    connected: u64,
    /// How many of these the last aggregation hasn't seen.
    disconnected: u64,
    /// On how many accounts it is called for and isn't there.
    missing: u64,
    /// From how many of those that hold it it is to be taken.
    removing: u64,
    /// For how many of these an assigned role is a reason.
    assignment: u64,
    /// For how many a lifecycle state is.
    state: u64,
    /// For how many a request is.
    request: u64,
    /// For how many there is no reason: they hold it natively.
    native: u64,
    /// The roles whose profiles ask for it.
    roles: Vec<&'static str>,
}

/// What is known of an entitlement: the counts of [`Row`], and its roles.
#[derive(Default)]
struct Entry {
    held: u64,
    disconnected: u64,
    missing: u64,
    removing: u64,
    assignment: u64,
    state: u64,
    request: u64,
    native: u64,
    roles: Vec<&'static str>,
}

/// Runs the command.
pub(super) fn run(
    args: &EntitlementArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let args = match &args.command {
        EntitlementCommand::List(args) => args,
        EntitlementCommand::Accept(args) => {
            return entitlement_decision::run(args, EntitlementVerdict::Accepted, options, out);
        }
        EntitlementCommand::Restore(args) => {
            return entitlement_decision::run(args, EntitlementVerdict::Restored, options, out);
        }
    };
    let tenant = open(options)?;
    let wanted = match &args.application {
        Some(name) => Some(application(&tenant, name)?.name),
        None => None,
    };
    let mut rows: Vec<Row> = catalogue(&tenant)?
        .into_iter()
        .filter(|((application, ..), _)| wanted.is_none_or(|wanted| wanted == *application))
        .map(|((application, attribute, value), entry)| {
            let model = &tenant.configuration.model;
            let named = model.catalogue.get(application, attribute, &value);
            Row {
                application: application.as_str(),
                attribute: attribute.as_str(),
                value,
                display_name: named.and_then(|named| named.display_name.clone()),
                description: named.and_then(|named| named.description.clone()),
                owner: named.and_then(|named| named.owner.clone()),
                held: entry.held,
                connected: entry.held - entry.disconnected,
                disconnected: entry.disconnected,
                missing: entry.missing,
                removing: entry.removing,
                assignment: entry.assignment,
                state: entry.state,
                request: entry.request,
                native: entry.native,
                roles: entry.roles,
            }
        })
        .collect();
    if args.without_role {
        rows.retain(|row| row.roles.is_empty());
    }
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    let headings = [
        "application",
        "attribute",
        "value",
        "name",
        "owner",
        "held",
        "natively",
        "disconnected",
        "missing",
        "removing",
        "roles",
    ];
    let count = |count: u64| match count {
        0 => String::new(),
        count => count.to_string(),
    };
    let mut table = Table::new(&headings).right(&[5, 6, 7, 8, 9]);
    for row in &rows {
        table.row([
            row.application.to_owned(),
            row.attribute.to_owned(),
            row.value.clone(),
            row.display_name.clone().unwrap_or_default(),
            row.owner.clone().unwrap_or_default(),
            row.held.to_string(),
            row.native.to_string(),
            count(row.disconnected),
            count(row.missing),
            count(row.removing),
            row.roles.join(", "),
        ]);
    }
    if !rows.is_empty() {
        table.write(out)?;
    }
    let number = counted(rows.len() as u64, "entitlement", "entitlements");
    writeln!(out, "{number}")?;
    Ok(Outcome::Done)
}

/// Returns every entitlement by application, attribute and value.
fn catalogue(tenant: &OpenTenant) -> Result<BTreeMap<(Name, Name, String), Entry>, CommandError> {
    let model = &tenant.configuration.model;
    let mut entries: BTreeMap<(Name, Name, String), Entry> = BTreeMap::new();
    for named in model.catalogue.iter() {
        let key = (named.application, named.attribute, named.value.clone());
        entries.entry(key).or_default();
    }
    for role in &model.roles {
        for profile in role.profiles() {
            for (attribute, values) in &profile.entitlements {
                for value in values {
                    let key = (profile.application, *attribute, value.clone());
                    let roles = &mut entries.entry(key).or_default().roles;
                    if !roles.contains(&role.name.as_str()) {
                        roles.push(role.name.as_str());
                    }
                }
            }
        }
    }
    let at = tenant.now()?;
    each_identity(&tenant.store, |record| {
        for known in ledger(&record, model, at) {
            let entitlement = known.entitlement;
            let application = entitlement.account.application;
            let key = (application, entitlement.attribute, entitlement.value);
            let entry = entries.entry(key).or_default();
            if !known.held {
                entry.missing += 1;
                continue;
            }
            entry.held += 1;
            entry.disconnected += u64::from(!known.connected);
            entry.removing += u64::from(known.status == EntitlementStatus::Removing);
            entry.native += u64::from(known.assigned_roles.is_empty());
            for (source, count) in [
                (AssignmentSource::Rule, &mut entry.assignment),
                (AssignmentSource::State, &mut entry.state),
                (AssignmentSource::Manual, &mut entry.request),
            ] {
                let mut reasons = known.assigned_roles.iter();
                *count += u64::from(reasons.any(|(_, known)| *known == source));
            }
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(entries)
}
