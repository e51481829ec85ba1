//! `check`: read a tenant's configuration and say everything that is wrong.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::open::open;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::config::{ConfigError, Problem, Tenant};
use crate::connect;
use crate::refresh;
use crate::report::counted;
use crate::rules::{RuleEngine, RuleHost, RuleLoadError};
use crate::store::{Raise, Store};
use crate::tenant::{OpenTenant, files_of, spoken};

/// Check the tenant's configuration and report every problem at once
///
/// Each problem comes with its file, line and key, and a hint where there is
/// one. Nothing is refreshed and nothing is written. Exit code 2 with problems.
#[derive(clap::Args, Debug)]
pub(super) struct CheckArgs {
    /// Say which definitions have changed since they were last adopted, and how
    /// many identities that makes due; and which owners aren't there
    #[arg(long)]
    impact: bool,

    /// Also reach the applications that are read directly, and look up in them what
    /// their connectors name
    #[arg(long)]
    connect: bool,
}

#[derive(Serialize)]
struct Report<'a> {
    problems: &'a [Problem],
    /// What is right, but probably not meant.
    remarks: &'a [Problem],
    /// Absent when there are problems.
    tenant: Option<Summary>,
    /// Present when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    impact: Option<ImpactReport>,
}

/// What adopting the configuration would mean.
#[derive(Serialize)]
struct ImpactReport {
    /// The definitions that differ from those adopted last.
    changed: Vec<String>,
    /// How many identities they make due, who weren't due already or were.
    due: u64,
    /// Whether that is everybody.
    everybody: bool,
    /// Owners of whom there is no identity.
    unknown_owners: Vec<UnknownOwner>,
}

/// Somebody who owns something, and isn't there.
#[derive(Serialize)]
struct UnknownOwner {
    name: String,
    owns: Vec<String>,
}

impl UnknownOwner {
    /// Returns those of a tenant, in order.
    fn all(tenant: &OpenTenant) -> Result<Vec<Self>, CommandError> {
        let mut unknown = Vec::new();
        for (name, owned) in tenant.configuration.model.owners.iter() {
            if tenant.store.named(name)?.is_none() {
                unknown.push(Self {
                    name: name.to_owned(),
                    owns: owned.to_vec(),
                });
            }
        }
        Ok(unknown)
    }
}

impl ImpactReport {
    fn of(tenant: &OpenTenant) -> Result<Self, CommandError> {
        let impact = tenant.impact()?;
        let (due, everybody) = match impact.raise {
            Raise::Nobody => (0, false),
            Raise::Everybody => (tenant.store.population()?.identities, true),
            Raise::Identities(uids) => (uids.len() as u64, false),
        };
        Ok(Self {
            changed: impact.changed,
            due,
            everybody,
            unknown_owners: UnknownOwner::all(tenant)?,
        })
    }

    fn write(&self, out: &mut dyn Write) -> Result<(), CommandError> {
        self.write_changes(out)?;
        for UnknownOwner { name, owns } in &self.unknown_owners {
            writeln!(
                out,
                "there is no identity `{name}`, who owns {}",
                owns.join(", ")
            )?;
        }
        Ok(())
    }

    fn write_changes(&self, out: &mut dyn Write) -> Result<(), CommandError> {
        if self.changed.is_empty() {
            writeln!(out, "no definition has changed since the last refresh")?;
            return Ok(());
        }
        writeln!(out, "changed since the last refresh")?;
        for definition in &self.changed {
            writeln!(out, "  {definition}")?;
        }
        let who = if self.everybody { ", everybody" } else { "" };
        let due = counted(self.due, "identity", "identities");
        writeln!(out, "this makes due: {due}{who}")?;
        Ok(())
    }
}

/// What a tenant defines.
#[derive(Serialize)]
struct Summary {
    name: String,
    /// The sha256 over all configuration files and components.
    digest: String,
    applications: usize,
    attributes: usize,
    lifecycle_states: usize,
    business_roles: usize,
    it_roles: usize,
    triggers: usize,
    populations: usize,
    rules: usize,
    tasks: usize,
}

impl Summary {
    fn of(tenant: &Tenant) -> Self {
        let model = &tenant.model;
        let detected = model.roles.iter().filter(|role| role.role_type.profiles);
        let it_roles = detected.count();
        Self {
            name: tenant.name.clone(),
            digest: refresh::files_digest(&files_of(tenant)),
            applications: model.applications.len(),
            attributes: model.attributes.len(),
            lifecycle_states: model.lifecycle.states.len(),
            business_roles: model.roles.len() - it_roles,
            it_roles,
            triggers: model.triggers.len(),
            populations: model.populations.len(),
            rules: model.rules.len(),
            tasks: tenant.tasks.len(),
        }
    }
}

/// Opens every connector, and says all at once which can't be.
fn connect_all(tenant: &Tenant) -> Result<(), CommandError> {
    let mut problems = Vec::new();
    for application in &tenant.model.applications {
        let settings = &tenant.connectors[&application.name];
        if let Err(error) = connect::open(application, settings, &tenant.directory) {
            let hint = error.hint();
            let hint = hint.map_or_else(String::new, |hint| format!("\n    hint: {hint}"));
            problems.push(format!("{}{hint}", spoken(&error)));
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(CommandError::configuration(format!(
            "connectors don't find what they name\n{}",
            problems.join("\n")
        ))),
    }
}

/// Runs the command.
pub(super) fn run(
    args: &CheckArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    match load(&options.tenant) {
        Ok(tenant) => {
            let summary = Summary::of(&tenant);
            if args.connect {
                connect_all(&tenant)?;
            }
            let impact = match args.impact {
                true => Some(ImpactReport::of(&open(options)?)?),
                false => None,
            };
            if options.json {
                let report = Report {
                    problems: &[],
                    remarks: &tenant.remarks,
                    tenant: Some(summary),
                    impact,
                };
                write_json(out, &report)?;
            } else if !options.quiet {
                print_summary(&summary, out)?;
                for remark in &tenant.remarks {
                    writeln!(out, "remark: {remark}")?;
                }
                if let Some(impact) = &impact {
                    impact.write(out)?;
                }
            }
            Ok(Outcome::Done)
        }
        // For JSON the problems are the result; for people they are the error.
        Err(ConfigError::Invalid(problems)) if options.json => {
            let report = Report {
                problems: &problems,
                remarks: &[],
                tenant: None,
                impact: None,
            };
            write_json(out, &report)?;
            let message = format!("problems in the configuration: {}", problems.len());
            Err(CommandError::configuration(message))
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads and checks the tenant's folder, its components included.
fn load(directory: &Path) -> Result<Tenant, ConfigError> {
    let tenant = Tenant::load(directory)?;
    let problems = component_problems(&tenant);
    if problems.is_empty() {
        Ok(tenant)
    } else {
        Err(ConfigError::Invalid(problems))
    }
}

/// Says which components don't fit the contract, or what they are used for.
fn component_problems(tenant: &Tenant) -> Vec<Problem> {
    let problem = |key: Option<String>, message: String, hint: Option<String>| Problem {
        file: "rules/rules.toml".to_owned(),
        line: None,
        key,
        message,
        hint,
    };
    if tenant.model.rules.is_empty() {
        return Vec::new();
    }
    let engine = match RuleEngine::new() {
        Ok(engine) => engine,
        Err(error) => return vec![problem(None, spoken(&error), error.hint())],
    };
    let bytes_of = |sha256: &str| tenant.component(sha256);
    let errors = RuleHost::load(&engine, &tenant.name, &tenant.model, bytes_of, None).err();
    let errors = errors.unwrap_or_default().into_iter();
    errors
        .map(|RuleLoadError { rule, source }| {
            let key = format!("rules.{rule}.component");
            problem(Some(key), spoken(&source), source.hint())
        })
        .collect()
}

fn print_summary(summary: &Summary, out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(out, "no problems in tenant `{}`", summary.name)?;
    for (number, what) in [
        (summary.applications, "applications"),
        (summary.attributes, "identity attributes"),
        (summary.lifecycle_states, "lifecycle states"),
        (summary.business_roles, "business roles"),
        (summary.it_roles, "IT roles"),
        (summary.triggers, "triggers"),
        (summary.populations, "populations"),
        (summary.rules, "rules"),
        (summary.tasks, "tasks"),
    ] {
        writeln!(out, "  {what:<20}{number:>6}")?;
    }
    Ok(())
}
