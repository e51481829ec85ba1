//! `rule test`: run rule components against the cases beside them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstyle::Style;
use clap::Args;
use serde::Serialize;

use super::{junit, load_error, unusable};
use crate::cli::colour::Palette;
use crate::cli::{CommandError, ErrorKind, GlobalOptions, Outcome, write_json};
use crate::report::{Cell, Table, counted, grouped, shortened};
use crate::rules::cases::{
    CaseReport, ComponentCases, Difference, FileStates, FindError, file_states, find, find_with,
    run as run_case,
};
use crate::rules::{Call, LoadError, LogLevel, LogLine, RuleComponent, RuleEngine, read};

/// From which part of its budget a value is shown as near its limit, in percent.
const NEAR_LIMIT_PERCENT: u64 = 80;

/// The longest answer that the table shows whole, in characters.
const ANSWER_CHARS: usize = 40;

/// How often files are looked at while watching.
const WATCH_INTERVAL: Duration = Duration::from_millis(250);

/// Run a component, or all below a folder, against the cases beside it
///
/// The cases of RULE.wasm are in RULE.cases.toml or cases.toml in the same
/// folder. Each is asked on a fresh instance, and twice on another one: all
/// must answer the same. No tenant and no store are needed. Fuel and memory
/// from 80 % of their limits on are shown in red.
#[derive(Args, Debug)]
pub(super) struct TestArgs {
    /// A component, whatever its name, or a folder with components
    path: PathBuf,

    /// Run the cases of this file instead; may be given again
    #[arg(long, value_name = "FILE")]
    cases: Vec<PathBuf>,

    /// Show of every case what was asked, called and logged
    #[arg(long)]
    details: bool,

    /// Also write the results to a file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,

    /// Run again whenever a component or its cases change, until interrupted
    #[arg(long)]
    watch: bool,
}

/// What was tested of one component.
#[derive(Serialize)]
pub(super) struct ComponentResult {
    pub(super) component: PathBuf,
    /// Why none of its cases could be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    pub(super) cases: Vec<CaseResult>,
}

/// How one case went.
#[derive(Serialize)]
pub(super) struct CaseResult {
    pub(super) name: String,
    question: String,
    pub(super) passed: bool,
    pub(super) problems: Vec<String>,
    /// The same as `problems`, field by field.
    differences: Vec<FieldDifference>,
    /// The answer, or why there is none.
    answer: String,
    calls: Vec<CallResult>,
    wakes_at: Option<String>,
    /// What a fresh instance used; that is what a limit should be set by.
    fuel: u64,
    /// What an instance used that had been asked the same before.
    fuel_again: Option<u64>,
    /// The most that it may use: its limit, or what the case allows.
    fuel_budget: u64,
    /// What a fresh instance had taken in the end, and may take.
    memory_bytes: usize,
    memory_limit_bytes: usize,
    /// What the texts of the answer take, and may take.
    output_bytes: usize,
    output_limit_bytes: usize,
    /// What was exchanged with the host apart from the answer, and may be.
    transfer_bytes: usize,
    transfer_limit_bytes: usize,
    /// What it took on this machine, this time, and may take.
    time_us: u64,
    time_limit_us: u64,
    pub(super) log: Vec<String>,
}

#[derive(Serialize)]
struct FieldDifference {
    field: String,
    expected: String,
    got: String,
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
    let engine = RuleEngine::new().map_err(load_error)?;
    if !args.watch {
        return test(args, &engine, options, out);
    }
    loop {
        let states = file_states(&args.path, &args.cases);
        match test(args, &engine, options, out) {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::BrokenPipe => return Err(error),
            Err(error) => writeln!(out, "{error}")?,
        }
        out.flush()?;
        wait_for_change(args, &states);
        if !options.json {
            writeln!(out)?;
        }
    }
}

/// Returns when the files have changed, and are no longer being written.
fn wait_for_change(args: &TestArgs, known: &FileStates) {
    let mut last = file_states(&args.path, &args.cases);
    loop {
        std::thread::sleep(WATCH_INTERVAL);
        let states = file_states(&args.path, &args.cases);
        if states != *known && states == last {
            return;
        }
        last = states;
    }
}

fn test(
    args: &TestArgs,
    engine: &RuleEngine,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let found = match args.cases.as_slice() {
        [] => find(&args.path),
        files => find_with(&args.path, files),
    };
    let found = found.map_err(find_error)?;
    let n_cases: usize = found.iter().map(|component| component.cases.len()).sum();
    if n_cases == 0 {
        return Err(no_cases(&args.path, &args.cases));
    }
    let text = TextOutput {
        only_failures: options.quiet,
        details: args.details,
        palette: Palette::of_output(),
    };
    let mut results = Vec::new();
    for component in found {
        let result = test_component(engine, component, args.path.is_file())?;
        if !options.json {
            text.write(out, &result)?;
        }
        results.push(result);
    }
    if options.json {
        write_json(out, &results)?;
    }
    if let Some(path) = &args.junit {
        junit::write(path, &results).map_err(|source| unwritable(path, source))?;
    }
    judge(&results, n_cases)?;
    if !options.json && !options.quiet {
        writeln!(out, "{} passed", counted(n_cases as u64, "case", "cases"))?;
    }
    Ok(Outcome::Done)
}

/// Says what failed.
fn judge(results: &[ComponentResult], n_cases: usize) -> Result<(), CommandError> {
    let cases = results.iter().flat_map(|result| &result.cases);
    let n_failed = cases.filter(|case| !case.passed).count();
    let unusable = results.iter().filter(|result| result.error.is_some());
    let n_unusable = unusable.count();
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
    if failures.is_empty() {
        return Ok(());
    }
    Err(CommandError::failed(failures.join(", ")))
}

/// Says that there is nothing to run.
pub(super) fn no_cases(path: &Path, files: &[PathBuf]) -> CommandError {
    let (message, hint) = match files {
        [] => (
            format!(
                "there are no cases beside the components in `{}`",
                path.display()
            ),
            "write `cases.toml` beside the component, or `RULE.cases.toml` for RULE.wasm",
        ),
        files => {
            let files: Vec<String> = files
                .iter()
                .map(|file| format!("`{}`", file.display()))
                .collect();
            (
                format!("there are no cases in {}", files.join(" and ")),
                "write a `[[case]]`",
            )
        }
    };
    CommandError::usage(message).with_hint(hint.to_owned())
}

/// Says that a file can't be written.
pub(super) fn unwritable(path: &Path, source: io::Error) -> CommandError {
    let path = path.to_owned();
    CommandError::failed(Unwritable { path, source })
}

#[derive(Debug, thiserror::Error)]
#[error("can't write `{}`", path.display())]
struct Unwritable {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Runs the cases of a component. What was named by itself and is none is an error of
/// the call; among several it fails like a case.
fn test_component(
    engine: &RuleEngine,
    found: ComponentCases,
    is_named: bool,
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
        Err(error @ (LoadError::NoWebAssembly | LoadError::CoreModule)) if is_named => {
            return Err(unusable(&result.component, error));
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
            fuel_budget: report.fuel_budget,
            memory_bytes: report.memory_bytes,
            memory_limit_bytes: report.memory_limit_bytes,
            output_bytes: report.output_bytes,
            output_limit_bytes: report.output_limit_bytes,
            transfer_bytes: report.transfer_bytes,
            transfer_limit_bytes: report.transfer_limit_bytes,
            time_us: micros(report.time),
            time_limit_us: micros(report.time_limit),
            differences: report
                .differences
                .into_iter()
                .map(FieldDifference::from)
                .collect(),
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

impl From<Difference> for FieldDifference {
    fn from(difference: Difference) -> Self {
        Self {
            field: difference.field,
            expected: difference.expected,
            got: difference.got,
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

/// How results are shown to people.
struct TextOutput {
    only_failures: bool,
    /// Whether more than the table is shown of cases that passed.
    details: bool,
    palette: Palette,
}

impl TextOutput {
    fn write(&self, out: &mut dyn Write, result: &ComponentResult) -> Result<(), CommandError> {
        let name = result.component.display();
        if let Some(error) = &result.error {
            writeln!(out, "{name}: {}", self.word(false))?;
            for line in error.lines() {
                writeln!(out, "  {line}")?;
            }
            return Ok(());
        }
        let is_shown = |case: &&CaseResult| !self.only_failures || !case.passed;
        let shown: Vec<&CaseResult> = result.cases.iter().filter(is_shown).collect();
        if self.only_failures && shown.is_empty() {
            return Ok(());
        }
        match result.cases.len() {
            0 => return Ok(writeln!(out, "{name}: no cases")?),
            n_cases => writeln!(out, "{name}: {}", counted(n_cases as u64, "case", "cases"))?,
        }
        self.table_of(&shown).write(out)?;
        for case in &shown {
            self.write_near_limits(out, case)?;
        }
        let in_detail = shown.iter().filter(|case| self.details || !case.passed);
        for case in in_detail {
            self.write_details(out, case)?;
        }
        Ok(())
    }

    fn table_of(&self, cases: &[&CaseResult]) -> Table {
        let headings = ["", "CASE", "ANSWER", "FUEL", "BUDGET", "USED", "MEMORY"];
        let mut table = Table::new(&headings).right(&[3, 4, 5, 6]).set_in(2);
        for case in cases {
            let fuel = percent(case.fuel, case.fuel_budget);
            let memory = percent(case.memory_bytes as u64, case.memory_limit_bytes as u64);
            table.row([
                Cell::from(word_for(case.passed)).styled(self.style_for(case.passed)),
                Cell::from(&case.name),
                Cell::from(shortened(&case.answer, ANSWER_CHARS)),
                Cell::from(grouped(case.fuel)).styled(self.near_limit(fuel)),
                Cell::from(grouped(case.fuel_budget)),
                Cell::from(format!("{fuel} %")).styled(self.near_limit(fuel)),
                Cell::from(format!("{memory} %")).styled(self.near_limit(memory)),
            ]);
        }
        table
    }

    /// Names the limits that a case came near to, apart from those of the table.
    fn write_near_limits(
        &self,
        out: &mut dyn Write,
        case: &CaseResult,
    ) -> Result<(), CommandError> {
        let bytes = |used: usize, limit: usize| (used as u64, limit as u64);
        let output = bytes(case.output_bytes, case.output_limit_bytes);
        let transfer = bytes(case.transfer_bytes, case.transfer_limit_bytes);
        for (what, (used, limit), unit) in [
            ("output", output, "bytes"),
            ("transfer", transfer, "bytes"),
            ("time", (case.time_us, case.time_limit_us), "us"),
        ] {
            let part = percent(used, limit);
            if part >= NEAR_LIMIT_PERCENT {
                let style = self.palette.bad;
                let (used, limit) = (grouped(used), grouped(limit));
                writeln!(
                    out,
                    "  {style}near its limit{style:#}  {}: {what} {used} of {limit} {unit}, {part} %",
                    case.name
                )?;
            }
        }
        Ok(())
    }

    fn write_details(&self, out: &mut dyn Write, case: &CaseResult) -> Result<(), CommandError> {
        writeln!(out, "  {}  {}", self.word(case.passed), case.name)?;
        let Palette { bad, good } = self.palette;
        let mut table = Table::plain(10);
        for difference in &case.differences {
            let FieldDifference {
                field,
                expected,
                got,
            } = difference;
            table.row([
                Cell::from(field),
                Cell::from("expected"),
                Cell::from(expected).styled(good),
            ]);
            table.row([
                Cell::from(""),
                Cell::from("got"),
                Cell::from(got).styled(bad),
            ]);
        }
        table.write(out)?;

        let mut table = Table::plain(10);
        table.row(["asked", &case.question]);
        table.row(["answer", &case.answer]);
        for call in &case.calls {
            table.row(["call", &format!("{} -> {}", call.call, call.answer)]);
        }
        table.row(["wakes", case.wakes_at.as_deref().unwrap_or("never")]);
        if let Some(again) = case.fuel_again {
            table.row(["again", &format!("{} fuel", grouped(again))]);
        }
        for line in &case.log {
            table.row(["log", line]);
        }
        table.write(out)?;
        Ok(())
    }

    fn word(&self, passed: bool) -> String {
        let style = self.style_for(passed);
        format!("{style}{}{style:#}", word_for(passed))
    }

    fn style_for(&self, passed: bool) -> Style {
        match passed {
            true => self.palette.good,
            false => self.palette.bad,
        }
    }

    fn near_limit(&self, percent: u64) -> Style {
        match percent >= NEAR_LIMIT_PERCENT {
            true => self.palette.bad,
            false => Style::new(),
        }
    }
}

fn word_for(passed: bool) -> &'static str {
    match passed {
        true => "ok",
        false => "FAILED",
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Returns the part of a limit that was used, rounded up: what used anything
/// used one percent.
fn percent(used: u64, limit: u64) -> u64 {
    used.saturating_mul(100).div_ceil(limit.max(1))
}

/// Says that components or cases can't be found or read.
pub(super) fn find_error(error: FindError) -> CommandError {
    let hint = error.hint();
    CommandError::usage(error).with_hint(hint)
}
