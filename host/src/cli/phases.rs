//! `phases`: print the order of operations, which is fixed.

use std::io::Write;

use serde::Serialize;

use super::{CommandError, GlobalOptions, Outcome, write_json};

/// Print the order of operations of a refresh
///
/// The order is fixed: no option and no configuration changes it.
#[derive(clap::Args, Debug)]
pub(super) struct PhasesArgs {}

/// One step of the order of operations.
#[derive(Serialize)]
struct Step {
    /// Its number, which stays when later versions add steps in between.
    number: &'static str,
    phase: &'static str,
    /// Steps of one group are due, skipped and frozen together.
    group: Option<&'static str>,
    /// The options of IdentityIQ's refresh task that mean this step.
    identityiq_options: &'static [&'static str],
    what: &'static str,
}

const STEPS: [Step; 10] = [
    Step {
        number: "0",
        phase: "selection",
        group: None,
        identityiq_options: &[
            "filter",
            "filterGroups",
            "filterNeedsRefresh",
            "excludeInactive",
        ],
        what: "who is due: an input changed, a moment has come, or a definition changed; or who was chosen",
    },
    Step {
        number: "2",
        phase: "correlation",
        group: Some("identity"),
        identityiq_options: &[],
        what: "accounts without an identity look for theirs again",
    },
    Step {
        number: "4",
        phase: "attribute-promotion",
        group: Some("identity"),
        identityiq_options: &["promoteAttributes"],
        what: "identity attributes from their sources, in order",
    },
    Step {
        number: "4",
        phase: "manager",
        group: Some("identity"),
        identityiq_options: &["promoteAttributes", "refreshManagerStatus"],
        what: "the identity that the manager's attribute names",
    },
    Step {
        number: "4",
        phase: "lifecycle-state",
        group: Some("identity"),
        identityiq_options: &["promoteAttributes"],
        what: "the state that the lifecycle rule answers",
    },
    Step {
        number: "5",
        phase: "entitlements",
        group: Some("access"),
        identityiq_options: &["refreshIdentityEntitlements"],
        what: "what the accounts hold, with the reasons",
    },
    Step {
        number: "7",
        phase: "roles",
        group: Some("access"),
        identityiq_options: &["correlateEntitlements"],
        what: "assigned roles, then detected ones, then additional entitlements",
    },
    Step {
        number: "13",
        phase: "events",
        group: Some("events"),
        identityiq_options: &["processTriggers"],
        what: "triggers, against what they have last seen",
    },
    Step {
        number: "15",
        phase: "gate",
        group: None,
        identityiq_options: &["disableIdentityProcessingThreshold"],
        what: "thresholds over everything planned: a trip holds the run",
    },
    Step {
        number: "15",
        phase: "apply",
        group: None,
        identityiq_options: &["noResetNeedsRefresh"],
        what: "each identity's changes in one transaction",
    },
];

/// Runs the command.
pub(super) fn run(
    _args: &PhasesArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    if options.json {
        write_json(out, &STEPS)?;
        return Ok(Outcome::Done);
    }
    for step in &STEPS {
        let line = format!(
            "{:>2}  {:19}  {:8}  {}",
            step.number,
            step.phase,
            step.group.unwrap_or_default(),
            step.what
        );
        writeln!(out, "{line}")?;
        if !step.identityiq_options.is_empty() {
            let keys = step.identityiq_options.join(", ");
            writeln!(out, "{:35}IdentityIQ: {keys}", "")?;
        }
    }
    Ok(Outcome::Done)
}
