//! `check`: read a tenant's configuration and say everything that is wrong.

use std::io::Write;

use serde::Serialize;

use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::config::{ConfigError, Problem, Tenant};

/// Check the tenant's configuration and report every problem at once
///
/// Each problem comes with its file, line and key, and a hint where there is
/// one. Nothing is refreshed and nothing is written. Exit code 2 with problems.
#[derive(clap::Args, Debug)]
pub(super) struct CheckArgs {}

#[derive(Serialize)]
struct Report<'a> {
    problems: &'a [Problem],
    /// Absent when there are problems.
    tenant: Option<Summary>,
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
}

impl Summary {
    fn of(tenant: &Tenant) -> Self {
        use idr_core::definitions::RoleType;

        let model = &tenant.model;
        let roles = |wanted: RoleType| {
            let roles = model.roles.iter();
            roles.filter(|role| role.role_type == wanted).count()
        };
        Self {
            name: tenant.name.clone(),
            digest: tenant.files.digest(),
            applications: model.applications.len(),
            attributes: model.attributes.len(),
            lifecycle_states: model.lifecycle.states.len(),
            business_roles: roles(RoleType::Business),
            it_roles: roles(RoleType::It),
            triggers: model.triggers.len(),
            populations: model.populations.len(),
            rules: model.rules.len(),
        }
    }
}

/// Runs the command.
pub(super) fn run(
    _args: &CheckArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    match Tenant::load(&options.tenant) {
        Ok(tenant) => {
            let summary = Summary::of(&tenant);
            if options.json {
                let tenant = Some(summary);
                write_json(
                    out,
                    &Report {
                        problems: &[],
                        tenant,
                    },
                )?;
            } else if !options.quiet {
                print_summary(&summary, out)?;
            }
            Ok(Outcome::Done)
        }
        // For JSON the problems are the result; for people they are the error.
        Err(ConfigError::Invalid(problems)) if options.json => {
            let report = Report {
                problems: &problems,
                tenant: None,
            };
            write_json(out, &report)?;
            let message = format!("problems in the configuration: {}", problems.len());
            Err(CommandError::configuration(message))
        }
        Err(error) => Err(error.into()),
    }
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
    ] {
        writeln!(out, "  {what:<20}{number:>6}")?;
    }
    Ok(())
}
