//! `rule test`: run rule components against the cases beside them.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::load_error;
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::rules::cases::{CaseReport, ComponentCases, FindError, find, run as run_case};
use crate::rules::{Call, LogLevel, LogLine, RuleComponent, RuleEngine, read};

/// Run a component, or all below a folder, against the cases beside it
///
/// The cases of RULE.wasm are in RULE.cases.toml or cases.toml in the same
/// folder. Each is asked on a fresh instance, and twice on another one: all
/// must answer the same. No tenant and no store are needed.
#[derive(Args, Debug)]
pub(super) struct TestArgs {
    /// A component, or a folder with components
    path: PathBuf,
}

/// What was tested of one component.
#[derive(Serialize)]
struct ComponentResult {
    component: PathBuf,
    /// Why none of its cases could be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    cases: Vec<CaseResult>,
}

#[derive(Serialize)]
struct CaseResult {
    name: String,
    question: String,
    passed: bool,
    problems: Vec<String>,
    /// The answer, or why there is none.
    answer: String,
    calls: Vec<CallResult>,
    wakes_at: Option<String>,
    /// What a fresh instance used; that is what a limit should be set by.
    fuel: u64,
    /// What an instance used that had been asked the same before.
    fuel_again: Option<u64>,
    log: Vec<String>,
}

#[derive(Serialize)]
struct CallResult {
    call: String,
    answer: String,
}

/// Runs the command.
pub(super) fn run(
    args: &TestArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let found = find(&args.path).map_err(find_error)?;
    let n_cases: usize = found.iter().map(|component| component.cases.len()).sum();
    if n_cases == 0 {
        let message = format!(
            "there are no cases beside the components in `{}`",
            args.path.display()
        );
        let hint = "write `cases.toml` beside the component, or `RULE.cases.toml` for RULE.wasm";
        return Err(CommandError::usage(message).with_hint(hint.to_owned()));
    }
    let engine = RuleEngine::new().map_err(load_error)?;
    let mut results = Vec::new();
    for component in found {
        let result = test_component(&engine, component)?;
        if !options.json {
            write_component(out, &result, options.quiet)?;
        }
        results.push(result);
    }
    if options.json {
        write_json(out, &results)?;
    }

    let n_failed = results
        .iter()
        .flat_map(|result| &result.cases)
        .filter(|case| !case.passed)
        .count();
    let n_unusable = results
        .iter()
        .filter(|result| result.error.is_some())
        .count();
    if n_failed > 0 || n_unusable > 0 {
        let mut failures = Vec::new();
        if n_failed > 0 {
            failures.push(format!("{n_failed} of {n_cases} cases failed"));
        }
        if n_unusable > 0 {
            failures.push(format!(
                "{n_unusable} of {} components can't be used",
                results.len()
            ));
        }
        return Err(CommandError::failed(failures.join(", ")));
    }
    if !options.json && !options.quiet {
        writeln!(out, "{n_cases} cases passed")?;
    }
    Ok(Outcome::Done)
}

fn test_component(
    engine: &RuleEngine,
    found: ComponentCases,
) -> Result<ComponentResult, CommandError> {
    let bytes = read(&found.component).map_err(load_error)?;
    let mut result = ComponentResult {
        component: found.component,
        error: None,
        cases: Vec::new(),
    };
    match RuleComponent::load(engine, &bytes, None) {
        Ok(component) => {
            let reports = found.cases.iter().map(|case| run_case(&component, case));
            result.cases = reports.map(CaseResult::from).collect();
        }
        Err(error) => result.error = Some(load_error(error).to_string()),
    }
    Ok(result)
}

impl From<CaseReport> for CaseResult {
    fn from(report: CaseReport) -> Self {
        let passed = report.has_passed();
        let mut log: Vec<String> = report.log.lines.iter().map(log_line).collect();
        if report.log.dropped > 0 {
            log.push(format!("({} more lines)", report.log.dropped));
        }
        Self {
            passed,
            answer: match &report.outcome {
                Ok(answer) => answer.to_string(),
                Err(trouble) => format!("none: it {trouble}"),
            },
            calls: report.calls.into_iter().map(CallResult::from).collect(),
            wakes_at: report.wakes_at.map(|moment| moment.to_string()),
            name: report.name,
            question: report.question,
            problems: report.problems,
            fuel: report.fuel,
            fuel_again: report.fuel_again,
            log,
        }
    }
}

impl From<Call> for CallResult {
    fn from(call: Call) -> Self {
        Self {
            call: call.what,
            answer: call.answer,
        }
    }
}

fn log_line(line: &LogLine) -> String {
    let level = match line.level {
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
    };
    format!("{level}: {}", line.message)
}

fn write_component(
    out: &mut dyn Write,
    result: &ComponentResult,
    only_failures: bool,
) -> Result<(), CommandError> {
    let name = result.component.display();
    if let Some(error) = &result.error {
        writeln!(out, "{name}: FAILED")?;
        for line in error.lines() {
            writeln!(out, "  {line}")?;
        }
        return Ok(());
    }
    let cases: Vec<&CaseResult> = result
        .cases
        .iter()
        .filter(|case| !only_failures || !case.passed)
        .collect();
    if only_failures && cases.is_empty() {
        return Ok(());
    }
    match result.cases.len() {
        0 => writeln!(out, "{name}: no cases")?,
        1 => writeln!(out, "{name}: 1 case")?,
        n_cases => writeln!(out, "{name}: {n_cases} cases")?,
    }
    for case in cases {
        write_case(out, case)?;
    }
    Ok(())
}

fn write_case(out: &mut dyn Write, case: &CaseResult) -> Result<(), CommandError> {
    let word = if case.passed { "ok" } else { "FAILED" };
    writeln!(out, "  {word:6}  {}", case.name)?;
    for problem in &case.problems {
        writeln!(out, "          problem  {problem}")?;
    }
    writeln!(out, "          asked    {}", case.question)?;
    writeln!(out, "          answer   {}", case.answer)?;
    for call in &case.calls {
        writeln!(out, "          call     {} -> {}", call.call, call.answer)?;
    }
    writeln!(
        out,
        "          wakes    {}",
        case.wakes_at.as_deref().unwrap_or("never")
    )?;
    match case.fuel_again {
        Some(again) => writeln!(
            out,
            "          fuel     {} (asked again {again})",
            case.fuel
        )?,
        None => writeln!(out, "          fuel     {}", case.fuel)?,
    }
    for line in &case.log {
        writeln!(out, "          log      {line}")?;
    }
    Ok(())
}

fn find_error(error: FindError) -> CommandError {
    let hint = error.hint();
    CommandError::usage(error).with_hint(hint)
}
