//! `rule record`: real evaluations of a tenant as test cases.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use idr_core::definitions::RuleIndex;
use serde::Serialize;

use super::rehearsal::{Rehearsal, rule_named};
use crate::cli::open::{open, record_named};
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::counted;
use crate::rules::Evaluation;

/// Write what a rule is asked about an identity now as test cases
///
/// The identity's accounts are looked at and its refresh is planned as they are
/// now; nothing is written to the store. A case has what the rule read, and no
/// more. Values of sensitive attributes are replaced by others of the same type,
/// and what the case expects is the answer to these.
#[derive(Args, Debug)]
pub(super) struct RecordArgs {
    /// The identity
    #[arg(long, value_name = "NAME")]
    identity: String,

    /// The rule; needed where several are asked
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,

    /// A new file for the cases, instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct RecordedCases {
    rule: String,
    sha256: String,
    cases: Vec<RecordedEvaluation>,
}

#[derive(Serialize)]
struct RecordedEvaluation {
    name: String,
    toml: String,
    notes: Vec<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &RecordArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    let record = record_named(&tenant, &args.identity)?;
    let mut rehearsal = Rehearsal::of(&tenant)?;
    let wanted = args.rule.as_deref();
    let wanted = wanted.map(|name| rule_named(rehearsal.model(), name));
    let wanted = wanted.transpose()?;
    let evaluations = rehearsal.evaluations(record)?;
    let rule = the_rule(args, wanted, &evaluations, &rehearsal)?;
    let recorded = recorded(args, rule, &evaluations, &rehearsal);

    let text = file_of(&recorded.cases);
    if let Some(path) = &args.out {
        write_new(path, &text).map_err(|source| unwritable(path, source))?;
    }
    match (&args.out, options.json) {
        (_, true) => write_json(out, &recorded)?,
        (None, false) => write!(out, "{text}")?,
        (Some(path), false) => write_summary(out, path, &recorded, options.quiet)?,
    }
    Ok(Outcome::Done)
}

/// Returns the rule whose evaluations are recorded: cases of different rules
/// belong to different components.
fn the_rule(
    args: &RecordArgs,
    wanted: Option<RuleIndex>,
    evaluations: &[Evaluation],
    rehearsal: &Rehearsal,
) -> Result<RuleIndex, CommandError> {
    let asked: BTreeSet<usize> = evaluations.iter().map(|each| each.rule.0).collect();
    let identity = &args.identity;
    match (wanted, asked.first()) {
        (Some(wanted), _) if asked.contains(&wanted.0) => Ok(wanted),
        (Some(wanted), _) => {
            let name = rehearsal.model().rule(wanted).name;
            let message = format!("rule `{name}` isn't asked about `{identity}` now");
            Err(CommandError::usage(message)
                .with_hint("`idr rule list` says what each rule decides".to_owned()))
        }
        (None, Some(only)) if asked.len() == 1 => Ok(RuleIndex(*only)),
        (None, None) => {
            let message = format!("no rule is asked about `{identity}` now");
            Err(CommandError::usage(message))
        }
        (None, Some(_)) => {
            let names = asked.iter().map(|place| {
                let name = rehearsal.model().rule(RuleIndex(*place)).name;
                format!("`{name}`")
            });
            let names: Vec<String> = names.collect();
            let message = format!(
                "{} rules are asked about `{identity}`: {}",
                names.len(),
                names.join(", ")
            );
            Err(CommandError::usage(message).with_hint("choose one with --rule".to_owned()))
        }
    }
}

fn recorded(
    args: &RecordArgs,
    rule: RuleIndex,
    evaluations: &[Evaluation],
    rehearsal: &Rehearsal,
) -> RecordedCases {
    let model = rehearsal.model();
    let component = rehearsal.host.component_of(rule);
    let mut cases: Vec<RecordedEvaluation> = Vec::new();
    for evaluation in evaluations.iter().filter(|each| each.rule == rule) {
        let name = format!("{} for {}", evaluation.question, args.identity);
        let written = evaluation.case.write(&name, component, model);
        // The same question may have been asked of several accounts.
        if cases.iter().all(|known| known.toml != written.text) {
            cases.push(RecordedEvaluation {
                name,
                toml: written.text,
                notes: written.notes,
            });
        }
    }
    RecordedCases {
        rule: model.rule(rule).name.to_string(),
        sha256: component.sha256().to_owned(),
        cases,
    }
}

fn file_of(cases: &[RecordedEvaluation]) -> String {
    let mut text = "version = 1\n".to_owned();
    for case in cases {
        text.push('\n');
        text += &case.toml;
    }
    text
}

/// Writes a file that isn't there yet: cases that somebody has edited stay.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(text.as_bytes())
}

fn write_summary(
    out: &mut dyn Write,
    path: &Path,
    recorded: &RecordedCases,
    quiet: bool,
) -> io::Result<()> {
    if quiet {
        return Ok(());
    }
    let n_cases = counted(recorded.cases.len() as u64, "case", "cases");
    let (rule, path) = (&recorded.rule, path.display());
    writeln!(out, "{n_cases} of rule `{rule}` in `{path}`")?;
    for case in &recorded.cases {
        writeln!(out, "  {}", case.name)?;
        for note in &case.notes {
            writeln!(out, "    {note}")?;
        }
    }
    Ok(())
}

fn unwritable(path: &Path, source: io::Error) -> CommandError {
    let exists = source.kind() == io::ErrorKind::AlreadyExists;
    let hint = exists.then(|| "give another name, or remove the file first".to_owned());
    let path = path.to_owned();
    CommandError::usage(Unwritable { path, source }).with_hint(hint)
}

#[derive(Debug, thiserror::Error)]
#[error("can't write `{}`", path.display())]
struct Unwritable {
    path: PathBuf,
    #[source]
    source: io::Error,
}
