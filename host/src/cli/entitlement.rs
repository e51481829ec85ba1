//! `entitlement`: the catalogue of what accounts hold.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::model::{AssignmentSource, Name};
use idr_core::phases::entitlements::ledger;
use serde::Serialize;

use super::aggregate::application;
use super::open::open;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{Table, counted};
use crate::store::{StoreError, each_identity};
use crate::tenant::OpenTenant;

/// Show the catalogue of entitlements
#[derive(Args, Debug)]
pub(super) struct EntitlementArgs {
    #[command(subcommand)]
    command: EntitlementCommand,
}

#[derive(Debug, Subcommand)]
enum EntitlementCommand {
    List(ListArgs),
}

/// List every entitlement that an account holds or a role contains
///
/// With how many hold it, for how many of them an assigned role, a lifecycle
/// state or a request is the reason, and which roles contain it.
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
    /// How many accounts hold it.
    held: u64,
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
    let EntitlementCommand::List(args) = &args.command;
    let tenant = open(options)?;
    let wanted = match &args.application {
        Some(name) => Some(application(&tenant, name)?.name),
        None => None,
    };
    let mut rows: Vec<Row> = catalogue(&tenant)?
        .into_iter()
        .filter(|((application, ..), _)| wanted.is_none_or(|wanted| wanted == *application))
        .map(|((application, attribute, value), entry)| Row {
            application: application.as_str(),
            attribute: attribute.as_str(),
            value,
            held: entry.held,
            assignment: entry.assignment,
            state: entry.state,
            request: entry.request,
            native: entry.native,
            roles: entry.roles,
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
        "held",
        "natively",
        "roles",
    ];
    let mut table = Table::new(&headings).right(&[3, 4]);
    for row in &rows {
        table.row([
            row.application.to_owned(),
            row.attribute.to_owned(),
            row.value.clone(),
            row.held.to_string(),
            row.native.to_string(),
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
            entry.held += 1;
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
