//! `rule inspect`: look into a rule component.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::rehearsal::{Rehearsal, rule_named};
use super::seen::SeenRule;
use super::{load_error, unusable};
use crate::cli::open::open;
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{Table, counted, grouped};
use crate::rules::{RuleComponent, RuleEngine, read};

/// What is larger than this, in bytes, brings an interpreter or a runtime along.
const RUNTIME_BYTES: usize = 500_000;

/// How many identities are looked at to see what a rule reads.
const SAMPLE: usize = 200;

/// One of the two.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Inspected {
    /// The component
    path: Option<PathBuf>,

    /// A rule of the tenant
    #[arg(long, value_name = "NAME")]
    rule: Option<String>,
}

/// Show what a component exports, imports and needs
///
/// With `--rule` it is the component of one of the tenant's rules, and what the
/// rule has been seen to read is shown beside what it may read: everything that
/// the tenant would ask it now about a sample of identities, which are evenly
/// spread over all of them and the same every time.
#[derive(Args, Debug)]
pub(super) struct InspectArgs {
    #[command(flatten)]
    inspected: Inspected,

    /// With --rule: about how many identities it is asked
    #[arg(long, value_name = "COUNT", default_value_t = SAMPLE)]
    sample: usize,
}

/// What a component is.
#[derive(Serialize)]
struct Inspection {
    component: PathBuf,
    sha256: String,
    size_bytes: usize,
    /// The version of the contract that it was built against.
    contract: String,
    /// The kinds of rule that it exports.
    kinds: Vec<&'static str>,
    imports: Vec<Import>,
    /// What it imports of WASI: a call ends the evaluation.
    stubs: Vec<String>,
    /// What an instance takes before it is asked anything.
    resources: Option<InitialResources>,
    /// What one of the tenant's rules has been seen to read with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<SeenRule>,
    /// What its author may want to change.
    advice: Vec<String>,
}

#[derive(Serialize)]
struct Import {
    interface: String,
    functions: Vec<String>,
}

#[derive(Serialize)]
struct InitialResources {
    memories: u32,
    memory_pages: u64,
    tables: u32,
    table_entries: u64,
}

/// Runs the command.
pub(super) fn run(
    args: &InspectArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let inspection = match (&args.inspected.path, &args.inspected.rule) {
        (_, Some(name)) => inspect_rule(name, args.sample, options)?,
        (Some(path), None) => inspect_file(path)?,
        (None, None) => unreachable!("one of them is required"),
    };
    if options.json {
        write_json(out, &inspection)?;
    } else {
        write_inspection(out, &inspection)?;
    }
    Ok(Outcome::Done)
}

fn inspect_file(path: &Path) -> Result<Inspection, CommandError> {
    let bytes = read(path).map_err(load_error)?;
    let engine = RuleEngine::new().map_err(load_error)?;
    let component = RuleComponent::load(&engine, &bytes, None);
    let component = component.map_err(|error| unusable(path, error))?;
    Ok(Inspection::of(path.to_owned(), &component))
}

fn inspect_rule(
    name: &str,
    sample: usize,
    options: &GlobalOptions,
) -> Result<Inspection, CommandError> {
    let tenant = open(options)?;
    let mut rehearsal = Rehearsal::of(&tenant)?;
    let rule = rule_named(rehearsal.model(), name)?;
    let seen = SeenRule::of(rule, sample, &tenant, &mut rehearsal)?;
    let path = PathBuf::from(tenant.configuration.component_path(rule));
    let mut inspection = Inspection::of(path, rehearsal.host.component_of(rule));
    inspection.advice.extend(seen.advice());
    inspection.rule = Some(seen);
    Ok(inspection)
}

fn write_inspection(out: &mut dyn Write, inspection: &Inspection) -> Result<(), CommandError> {
    let mut table = Table::plain(0);
    table.row(["component", &inspection.component.display().to_string()]);
    table.row(["sha256", &inspection.sha256]);
    let size = grouped(inspection.size_bytes as u64);
    table.row(["size", &format!("{size} bytes")]);
    table.row(["contract", &format!("idr:rules@{}", inspection.contract)]);
    table.row(["kinds", &inspection.kinds.join(", ")]);
    for import in &inspection.imports {
        let functions = import.functions.join(", ");
        table.row(["imports", &format!("{}: {functions}", import.interface)]);
    }
    for stub in &inspection.stubs {
        table.row(["stubbed", stub]);
    }
    if let Some(resources) = &inspection.resources {
        table.row(["memory", &resources.spoken_memory()]);
        table.row(["tables", &resources.spoken_tables()]);
    }
    table.write(out)?;
    if let Some(rule) = &inspection.rule {
        rule.write(out)?;
    }
    let mut table = Table::plain(0);
    for advice in &inspection.advice {
        table.row(["advice   ", advice]);
    }
    table.write(out)?;
    Ok(())
}

impl InitialResources {
    fn spoken_memory(&self) -> String {
        let memories = counted(self.memories.into(), "memory", "memories");
        let pages = counted(self.memory_pages, "page", "pages");
        format!("{memories}, at first {pages} of 64 KiB in the largest")
    }

    fn spoken_tables(&self) -> String {
        let tables = counted(self.tables.into(), "table", "tables");
        let entries = counted(self.table_entries, "entry", "entries");
        format!("{tables}, at first {entries} in the largest")
    }
}

impl Inspection {
    fn of(path: PathBuf, component: &RuleComponent) -> Self {
        let surface = component.surface();
        let imports = surface
            .imports
            .iter()
            .filter(|(_, functions)| !functions.is_empty());
        Self {
            component: path,
            sha256: component.sha256().to_owned(),
            size_bytes: component.size_bytes(),
            contract: surface.version.clone(),
            kinds: surface.kinds.iter().map(|kind| kind.as_str()).collect(),
            imports: imports
                .map(|(interface, functions)| Import {
                    interface: interface.clone(),
                    functions: functions.clone(),
                })
                .collect(),
            stubs: surface.wasi.clone(),
            resources: component.resources().map(|resources| InitialResources {
                memories: resources.memories,
                memory_pages: resources.memory_pages,
                tables: resources.tables,
                table_entries: resources.table_entries,
            }),
            rule: None,
            advice: advice_about(component),
        }
    }
}

/// Says what an author may want to change.
pub(super) fn advice_about(component: &RuleComponent) -> Vec<String> {
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
    // A runtime inside the component stands in for clock and randomness there,
    // where nobody sees what is called.
    if component.size_bytes() > RUNTIME_BYTES {
        advice.push(
            "it brings the runtime of its language: there the time of day is a trap, and random \
             numbers are always the same; ask `time.reached` and derive from `uid` instead"
                .to_owned(),
        );
    }
    advice
}
