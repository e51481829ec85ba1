//! `rule bench`: what cases of rules cost, in time and in fuel.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use serde::Serialize;

use super::load_error;
use super::profile::FuelProfile;
use super::test::{find_error, no_cases, unwritable};
use crate::cli::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{Table, grouped, shortened};
use crate::rules::cases::{Case, ComponentCases, Times, find, find_with, measure, sample_fuel};
use crate::rules::{RuleComponent, RuleEngine, Trouble, read};

/// The longest name of a case that the table shows whole, in characters.
const CASE_CHARS: usize = 50;

/// Measure what the cases of a component, or of all below a folder, cost
///
/// Of each case: starting an instance, the first evaluation on it (fresh) and
/// each further one (reused), as median and as what 99 of 100 rounds don't
/// exceed, in microseconds; and the fuel, which is the same every time. What is
/// answered isn't looked at: that is for `rule test`.
#[derive(Args, Debug)]
pub(super) struct BenchArgs {
    /// A component, or a folder with components
    path: PathBuf,

    /// Measure the cases of this file instead; may be given again
    #[arg(long, value_name = "FILE")]
    cases: Vec<PathBuf>,

    /// How often each case is measured
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    rounds: usize,

    /// Also write where the fuel goes, for profiler.firefox.com
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,

    /// With --profile: at how many points of each case's fuel
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = RangedU64ValueParser::<u64>::new().range(1..=1_000_000))]
    samples: u64,
}

#[derive(Serialize)]
struct ComponentCosts {
    component: PathBuf,
    cases: Vec<CaseCosts>,
}

#[derive(Serialize)]
struct CaseCosts {
    name: String,
    question: String,
    rounds: usize,
    fuel: u64,
    fuel_again: Option<u64>,
    instance: ShownTimes,
    fresh: ShownTimes,
    reused: Option<ShownTimes>,
}

#[derive(Clone, Copy, Serialize)]
struct ShownTimes {
    median_ns: u64,
    p99_ns: u64,
}

/// Runs the command.
pub(super) fn run(
    args: &BenchArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let found = match args.cases.as_slice() {
        [] => find(&args.path),
        files => find_with(&args.path, files),
    };
    let found = found.map_err(find_error)?;
    if found.iter().all(|component| component.cases.is_empty()) {
        return Err(no_cases(&args.path, &args.cases));
    }
    let engine = RuleEngine::with_deep_backtraces().map_err(load_error)?;
    let mut profile = args.profile.as_ref().map(|_| FuelProfile::new());
    let mut all = Vec::new();
    for ComponentCases {
        component: path,
        cases,
    } in &found
    {
        let bytes = read(path).map_err(load_error)?;
        let component = RuleComponent::load(&engine, &bytes, None).map_err(load_error)?;
        let mut costs = Vec::new();
        for case in cases {
            costs.push(costs_of(&component, case, args.rounds)?);
        }
        if let Some(profile) = &mut profile {
            add_to_profile(profile, path, &component, cases, args.samples)?;
        }
        let costs = ComponentCosts {
            component: path.clone(),
            cases: costs,
        };
        if !options.json {
            write_costs(out, &costs)?;
        }
        all.push(costs);
    }
    if options.json {
        write_json(out, &all)?;
    }
    if let (Some(path), Some(profile)) = (&args.profile, &profile) {
        profile
            .write(path)
            .map_err(|source| unwritable(path, source))?;
        if !options.json && !options.quiet {
            write_profile_summary(out, path, profile)?;
        }
    }
    Ok(Outcome::Done)
}

fn costs_of(
    component: &RuleComponent,
    case: &Case,
    rounds: usize,
) -> Result<CaseCosts, CommandError> {
    let costs = measure(component, case, rounds).map_err(|trouble| not_started(case, trouble))?;
    Ok(CaseCosts {
        name: case.name.clone(),
        question: case.question().to_string(),
        rounds,
        fuel: costs.fuel,
        fuel_again: costs.fuel_again,
        instance: costs.instance.into(),
        fresh: costs.fresh.into(),
        reused: costs.reused.map(ShownTimes::from),
    })
}

impl From<Times> for ShownTimes {
    fn from(times: Times) -> Self {
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            median_ns: nanoseconds(times.median),
            p99_ns: nanoseconds(times.p99),
        }
    }
}

fn add_to_profile(
    profile: &mut FuelProfile,
    path: &Path,
    component: &RuleComponent,
    cases: &[Case],
    samples: u64,
) -> Result<(), CommandError> {
    profile.begin_component(&path.display().to_string());
    for case in cases {
        let samples = sample_fuel(component, case, samples);
        profile.add(
            &case.name,
            &samples.map_err(|trouble| not_started(case, trouble))?,
        );
    }
    Ok(())
}

fn not_started(case: &Case, trouble: Trouble) -> CommandError {
    let hint = trouble.hint();
    CommandError::failed(format!("case `{}`: the rule {trouble}", case.name)).with_hint(hint)
}

fn write_costs(out: &mut dyn Write, costs: &ComponentCosts) -> Result<(), CommandError> {
    writeln!(out, "{}", costs.component.display())?;
    let headings = [
        "CASE", "FUEL", "AGAIN", "INSTANCE", "P99", "FRESH", "P99", "REUSED", "P99",
    ];
    let mut table = Table::new(&headings)
        .right(&[1, 2, 3, 4, 5, 6, 7, 8])
        .set_in(2);
    for case in &costs.cases {
        let mut row = vec![
            shortened(&case.name, CASE_CHARS),
            grouped(case.fuel),
            case.fuel_again.map_or("-".to_owned(), grouped),
        ];
        for times in [Some(case.instance), Some(case.fresh), case.reused] {
            let of = |nanoseconds: fn(ShownTimes) -> u64| {
                times.map_or("-".to_owned(), |times| microseconds(nanoseconds(times)))
            };
            row.push(of(|times| times.median_ns));
            row.push(of(|times| times.p99_ns));
        }
        table.row(row);
    }
    table.write(out)?;
    Ok(())
}

fn microseconds(nanoseconds: u64) -> String {
    let tenths = nanoseconds.div_ceil(100);
    format!("{}.{} µs", grouped(tenths / 10), tenths % 10)
}

fn write_profile_summary(
    out: &mut dyn Write,
    path: &Path,
    profile: &FuelProfile,
) -> Result<(), CommandError> {
    let path = path.display();
    writeln!(out, "{path}: open it in https://profiler.firefox.com")?;
    if !profile.has_names() {
        writeln!(
            out,
            "  the functions have numbers only: build the component with their names"
        )?;
    }
    Ok(())
}
