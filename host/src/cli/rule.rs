//! `rule`: test rule components in isolation, look into them, and list a
//! tenant's rules.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use idr_core::definitions::RuleIndex;
use idr_core::model::Name;
use serde::Serialize;

use super::{CommandError, ErrorKind, GlobalOptions, Outcome, write_json};
use crate::config::Tenant;
use crate::rules::cases::{CaseReport, ComponentCases, FindError, find, run as run_case};
use crate::rules::{Call, LoadError, LogLevel, LogLine, RuleComponent, RuleEngine, read, uses_of};

/// Test and inspect rule components
#[derive(Args, Debug)]
pub(super) struct RuleArgs {
    #[command(subcommand)]
    command: RuleCommand,
}

#[derive(Debug, Subcommand)]
enum RuleCommand {
    Test(TestArgs),
    Inspect(InspectArgs),
    List(ListArgs),
}

/// Run a component, or all below a folder, against the cases beside it
///
/// The cases of RULE.wasm are in RULE.cases.toml or cases.toml in the same
/// folder. Each is asked on a fresh instance, and twice on another one: all
/// must answer the same. No tenant and no store are needed.
#[derive(Args, Debug)]
struct TestArgs {
    /// A component, or a folder with components
    path: PathBuf,
}

/// Show what a component exports, imports and needs
#[derive(Args, Debug)]
struct InspectArgs {
    /// The component
    path: PathBuf,
}

/// List the tenant's rules: what they decide, may read and may use
#[derive(Args, Debug)]
struct ListArgs {}

/// Runs the command.
pub(super) fn run(
    args: &RuleArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    match &args.command {
        RuleCommand::Test(args) => test(args, options, out),
        RuleCommand::Inspect(args) => inspect(args, options, out),
        RuleCommand::List(_) => list(options, out),
    }
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

fn test(
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

/// What a component is.
#[derive(Serialize)]
struct Inspection {
    component: PathBuf,
    sha256: String,
    size_bytes: usize,
    /// The kinds of rule that it exports.
    kinds: Vec<&'static str>,
    imports: Vec<Import>,
    /// What its author may want to change.
    advice: Vec<String>,
}

#[derive(Serialize)]
struct Import {
    interface: String,
    functions: Vec<String>,
}

fn inspect(
    args: &InspectArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let bytes = read(&args.path).map_err(load_error)?;
    let engine = RuleEngine::new().map_err(load_error)?;
    let component = RuleComponent::load(&engine, &bytes, None).map_err(|error| {
        let hint = error.hint();
        let unusable = UnusableComponent {
            path: args.path.clone(),
            source: error,
        };
        CommandError::configuration(unusable).with_hint(hint)
    })?;
    let inspection = Inspection::of(args.path.clone(), &component);
    if options.json {
        write_json(out, &inspection)?;
        return Ok(Outcome::Done);
    }
    writeln!(out, "component  {}", inspection.component.display())?;
    writeln!(out, "sha256     {}", inspection.sha256)?;
    writeln!(out, "size       {} bytes", inspection.size_bytes)?;
    writeln!(out, "kinds      {}", inspection.kinds.join(", "))?;
    for import in &inspection.imports {
        writeln!(
            out,
            "imports    {}: {}",
            import.interface,
            import.functions.join(", ")
        )?;
    }
    for advice in &inspection.advice {
        writeln!(out, "advice     {advice}")?;
    }
    Ok(Outcome::Done)
}

impl Inspection {
    fn of(path: PathBuf, component: &RuleComponent) -> Self {
        let surface = component.surface();
        let mut advice: Vec<String> = surface
            .wasi
            .iter()
            .map(|name| {
                format!("it imports `{name}`: calling that ends the evaluation, there is no WASI")
            })
            .collect();
        let asks_today = surface.imports.iter().any(|(interface, functions)| {
            interface.starts_with("idr:rules/time@")
                && functions.iter().any(|function| function == "today")
        });
        if asks_today {
            advice.push(
                "it imports `time.today`: calling that wakes the identity every midnight; \
                 prefer `date-reached` or `day-over`"
                    .to_owned(),
            );
        }
        let imports = surface
            .imports
            .iter()
            .filter(|(_, functions)| !functions.is_empty());
        Self {
            component: path,
            sha256: component.sha256().to_owned(),
            size_bytes: component.size_bytes(),
            kinds: surface.kinds.iter().map(|kind| kind.as_str()).collect(),
            imports: imports
                .map(|(interface, functions)| Import {
                    interface: interface.clone(),
                    functions: functions.clone(),
                })
                .collect(),
            advice,
        }
    }
}

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
    log_lines: usize,
}

fn list(options: &GlobalOptions, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let tenant = options.load_tenant()?;
    let places = (0..tenant.model.rules.len()).map(RuleIndex);
    let entries: Vec<RuleEntry> = places.map(|place| RuleEntry::of(&tenant, place)).collect();
    if options.json {
        write_json(out, &entries)?;
        return Ok(Outcome::Done);
    }
    for entry in &entries {
        write_entry(out, entry)?;
    }
    Ok(Outcome::Done)
}

impl RuleEntry {
    fn of(tenant: &Tenant, place: RuleIndex) -> Self {
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
                log_lines: limits.log_lines,
            },
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
        "  limits      {} fuel, {} ms, {} bytes of memory, {} bytes passed, {} log lines",
        limits.fuel, limits.time_ms, limits.memory_bytes, limits.transfer_bytes, limits.log_lines
    )?;
    Ok(())
}

#[derive(Debug, thiserror::Error)]
#[error("`{}` is no usable rule component", path.display())]
struct UnusableComponent {
    path: PathBuf,
    #[source]
    source: LoadError,
}

fn find_error(error: FindError) -> CommandError {
    let hint = error.hint();
    CommandError::usage(error).with_hint(hint)
}

fn load_error(error: LoadError) -> CommandError {
    let hint = error.hint();
    let kind = match &error {
        LoadError::Engine(_) => ErrorKind::Failed,
        _ => ErrorKind::Configuration,
    };
    CommandError::new(kind, error).with_hint(hint)
}
