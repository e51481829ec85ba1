//! `rule check`: says whether components can be used as rules, and what their
//! authors may want to change.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::inspect::advice_about;
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::rules::{RuleComponent, RuleEngine, read};

/// Say whether components can be used as rules, and advise their authors
///
/// Exits with 2 when one of them can't. No tenant is needed, and nothing is asked:
/// `rule test` does that.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// The components
    #[arg(required = true)]
    paths: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Checked {
    component: PathBuf,
    kinds: Vec<&'static str>,
    /// Why it can't be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    advice: Vec<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &CheckArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let engine = RuleEngine::new().map_err(super::load_error)?;
    let checked = args.paths.iter().map(|path| check(&engine, path.clone()));
    let checked: Vec<Checked> = checked.collect();
    if options.json {
        write_json(out, &checked)?;
    } else {
        for one in &checked {
            write_checked(out, one, options.quiet)?;
        }
    }
    let unusable = checked.iter().filter(|one| one.error.is_some()).count();
    if unusable > 0 {
        let message = format!("{unusable} of {} components can't be used", checked.len());
        return Err(CommandError::usage(message));
    }
    Ok(Outcome::Done)
}

fn check(engine: &RuleEngine, component: PathBuf) -> Checked {
    let loaded = read(&component).and_then(|bytes| RuleComponent::load(engine, &bytes, None));
    match loaded {
        Ok(loaded) => Checked {
            component,
            kinds: loaded
                .surface()
                .kinds
                .iter()
                .map(|kind| kind.as_str())
                .collect(),
            error: None,
            hint: None,
            advice: advice_about(&loaded),
        },
        Err(error) => Checked {
            component,
            kinds: Vec::new(),
            hint: error.hint(),
            error: Some(crate::tenant::spoken(&error)),
            advice: Vec::new(),
        },
    }
}

fn write_checked(out: &mut dyn Write, checked: &Checked, quiet: bool) -> Result<(), CommandError> {
    let name = checked.component.display();
    match &checked.error {
        Some(error) => writeln!(out, "{name}: FAILED: {error}")?,
        None if quiet && checked.advice.is_empty() => {}
        None => writeln!(out, "{name}: ok: {}", checked.kinds.join(", "))?,
    }
    if let Some(hint) = &checked.hint {
        writeln!(out, "  hint    {hint}")?;
    }
    for advice in &checked.advice {
        writeln!(out, "  advice  {advice}")?;
    }
    Ok(())
}
