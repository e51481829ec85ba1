//! `rule list`: the rules of a tenant.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use idr_core::definitions::{Isolation, RuleIndex};
use idr_core::model::Name;
use serde::Serialize;

use crate::cli::open::open;
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::config::Tenant;
use crate::rules::uses_of;
use crate::store::Store;

/// List the tenant's rules: what they decide, may read and may use
#[derive(Args, Debug)]
pub(super) struct ListArgs {}

/// A rule of a tenant.
#[derive(Serialize)]
struct RuleEntry {
    name: String,
    /// The component's path, relative to the tenant's folder.
    component: String,
    sha256: String,
    /// What the rule decides; nothing when no definition names it.
    decides: Vec<String>,
    reads: Reads,
    parameters: BTreeMap<String, String>,
    limits: Limits,
    /// `call` when each evaluation has an instance of its own.
    isolation: &'static str,
    /// Whether it was caught answering differently on a used instance.
    caught: bool,
}

/// What a rule may read.
#[derive(Serialize)]
struct Reads {
    attributes: Vec<String>,
    manager: Vec<String>,
    accounts: BTreeMap<String, Vec<String>>,
    entitlements: BTreeMap<String, Vec<String>>,
}

/// What one evaluation may use.
#[derive(Serialize)]
struct Limits {
    fuel: u64,
    time_ms: u64,
    memory_bytes: usize,
    transfer_bytes: usize,
    output_bytes: usize,
    log_lines: usize,
    log_lines_per_run: usize,
}

/// Runs the command.
pub(super) fn run(options: &GlobalOptions, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let tenant = options.load_tenant()?;
    let caught = caught(options, &tenant)?;
    let places = (0..tenant.model.rules.len()).map(RuleIndex);
    let entries = places.map(|place| RuleEntry::of(&tenant, place, &caught));
    let entries: Vec<RuleEntry> = entries.collect();
    if options.json {
        write_json(out, &entries)?;
        return Ok(Outcome::Done);
    }
    for entry in &entries {
        write_entry(out, entry)?;
    }
    Ok(Outcome::Done)
}

/// Returns the digests of the components that were caught answering differently
/// on used instances; none before the tenant has a store.
fn caught(options: &GlobalOptions, tenant: &Tenant) -> Result<Vec<String>, CommandError> {
    if !tenant.store_path().exists() {
        return Ok(Vec::new());
    }
    Ok(open(options)?.store.tenant()?.isolated_rules)
}

impl RuleEntry {
    fn of(tenant: &Tenant, place: RuleIndex, caught: &[String]) -> Self {
        let rule = tenant.model.rule(place);
        let limits = &rule.limits;
        Self {
            name: rule.name.to_string(),
            component: tenant.component_path(place).to_owned(),
            sha256: rule.sha256.clone(),
            decides: uses_of(&tenant.model, place)
                .into_iter()
                .map(|rule_use| rule_use.of)
                .collect(),
            reads: Reads {
                attributes: texts(&rule.grant.attributes),
                manager: texts(&rule.grant.manager_attributes),
                accounts: texts_by_application(&rule.grant.accounts),
                entitlements: texts_by_application(&rule.grant.entitlements),
            },
            parameters: rule
                .parameters
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            limits: Limits {
                fuel: limits.fuel,
                time_ms: limits.time_ms,
                memory_bytes: limits.memory_bytes,
                transfer_bytes: limits.transfer_bytes,
                output_bytes: limits.output_bytes,
                log_lines: limits.log_lines,
                log_lines_per_run: limits.log_lines_per_run,
            },
            isolation: match rule.isolation {
                Isolation::Reuse if caught.contains(&rule.sha256) => "call",
                Isolation::Reuse => "reuse",
                Isolation::Call => "call",
            },
            caught: caught.contains(&rule.sha256),
        }
    }
}

fn texts(names: &[Name]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

fn texts_by_application(granted: &[(Name, Vec<Name>)]) -> BTreeMap<String, Vec<String>> {
    granted
        .iter()
        .map(|(application, names)| (application.to_string(), texts(names)))
        .collect()
}

fn write_entry(out: &mut dyn Write, entry: &RuleEntry) -> Result<(), CommandError> {
    writeln!(out, "{}", entry.name)?;
    writeln!(out, "  component   {}", entry.component)?;
    writeln!(out, "  sha256      {}", entry.sha256)?;
    let decides = match entry.decides.as_slice() {
        [] => "nothing: no definition names it".to_owned(),
        decides => decides.join(", "),
    };
    writeln!(out, "  decides     {decides}")?;
    let reads = &entry.reads;
    if !reads.attributes.is_empty() {
        writeln!(out, "  reads       {}", reads.attributes.join(", "))?;
    }
    if !reads.manager.is_empty() {
        writeln!(out, "  of manager  {}", reads.manager.join(", "))?;
    }
    for (application, names) in &reads.accounts {
        writeln!(out, "  accounts    {application}: {}", names.join(", "))?;
    }
    for (application, names) in &reads.entitlements {
        writeln!(out, "  holds       {application}: {}", names.join(", "))?;
    }
    for (name, value) in &entry.parameters {
        writeln!(out, "  parameter   {name} = {value}")?;
    }
    let limits = &entry.limits;
    writeln!(
        out,
        "  limits      {} fuel, {} ms, {} bytes of memory, {} bytes passed, {} bytes answered, \
         {} log lines, {} in a run",
        limits.fuel,
        limits.time_ms,
        limits.memory_bytes,
        limits.transfer_bytes,
        limits.output_bytes,
        limits.log_lines,
        limits.log_lines_per_run
    )?;
    let caught = if entry.caught {
        ": it was caught answering differently on a used instance"
    } else {
        ""
    };
    writeln!(out, "  isolation   {}{caught}", entry.isolation)?;
    Ok(())
}
