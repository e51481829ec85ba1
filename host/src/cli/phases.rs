//! `phases`: print the order of operations, which is fixed.

use std::io::Write;

use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::operations::{PHASES, markdown};

/// Print the order of operations of a refresh
///
/// The order is fixed: no option and no configuration changes it.
#[derive(clap::Args, Debug)]
pub(super) struct PhasesArgs {
    /// Print it as the documentation has it, with the options of IdentityIQ
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &PhasesArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    if options.json {
        write_json(out, &PHASES)?;
        return Ok(Outcome::Done);
    }
    if args.markdown {
        write!(out, "{}", markdown())?;
        return Ok(Outcome::Done);
    }
    for phase in &PHASES {
        let line = format!(
            "{:>2}  {:19}  {:8}  {}",
            phase.number,
            phase.phase,
            phase.group.unwrap_or_default(),
            phase.what
        );
        writeln!(out, "{line}")?;
        if !phase.identityiq_options.is_empty() {
            let keys = phase.identityiq_options.join(", ");
            writeln!(out, "{:35}IdentityIQ: {keys}", "")?;
        }
    }
    Ok(Outcome::Done)
}
