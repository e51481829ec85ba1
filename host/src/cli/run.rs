//! `run`: what refresh runs did, and what becomes of one that is held or was
//! left behind.

use std::io::Write;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::open::{command_for, open};
use super::person::PersonArgs;
use super::progress::RunProgress;
use super::refresh::report;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::refresh::{self, RefreshError};
use crate::report::{HeldReport, ProgressReport, RunReport, Table, grouped};
use crate::store::{Run, RunId, RunLock, RunStatus, Stage, Store, StoreError};
use crate::tenant::OpenTenant;

/// List refresh runs, show one, resume or cancel one, and decide about one that is held
#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(subcommand)]
    command: RunCommand,
}

#[derive(Debug, Subcommand)]
enum RunCommand {
    /// List runs, the latest first
    List(ListArgs),
    /// List runs that wait for a person
    Held,
    /// Show a run; of one that is held, who would leave or lose roles
    Show(IdArgs),
    /// Go on with a run that was left behind
    Resume(IdArgs),
    /// Carry out a held run
    Approve(DecideArgs),
    /// Drop a held run; everybody in it stays due
    Reject(DecideArgs),
    /// Stop a run that is under way, was left behind or is held; what is written
    /// stays, everybody else stays due
    Cancel(CancelArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    /// List so many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
}

#[derive(Args, Debug)]
struct IdArgs {
    /// The run's number, or `current`: the one that is not over
    run: RunName,
}

#[derive(Args, Debug)]
struct CancelArgs {
    /// The run's number, or `current`: the one that is not over
    run: RunName,

    #[command(flatten)]
    person: PersonArgs,
}

/// A run, as people name it.
#[derive(Clone, Copy, Debug)]
enum RunName {
    Current,
    Number(i64),
}

impl FromStr for RunName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "current" => Ok(Self::Current),
            number => number
                .parse()
                .map(Self::Number)
                .map_err(|_| "write the run's number, or `current`".to_owned()),
        }
    }
}

impl RunName {
    /// Returns the run's number.
    fn id(self, tenant: &OpenTenant) -> Result<RunId, CommandError> {
        match self {
            Self::Number(number) => Ok(RunId(number)),
            Self::Current => {
                let last = tenant.store.runs(1)?.pop();
                let current = last.filter(|run| !run.status.is_over());
                current.map(|run| run.id).ok_or_else(|| {
                    CommandError::usage("no run is under way or held")
                        .with_hint("see `idr run list`".to_owned())
                })
            }
        }
    }
}

#[derive(Args, Debug)]
struct DecideArgs {
    /// The run's number
    run: i64,

    #[command(flatten)]
    person: PersonArgs,
}

/// A run, and of one that is held what it would do.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    run: RunReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    would: Option<HeldReport>,
}

/// Runs the command.
pub(super) fn run(
    args: &RunArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    match &args.command {
        RunCommand::List(args) => {
            let runs = tenant.store.runs(args.limit)?;
            list(&runs, &tenant, options, out)
        }
        RunCommand::Held => {
            let mut runs = tenant.store.runs(usize::MAX)?;
            runs.retain(|run| run.status == RunStatus::Held);
            list(&runs, &tenant, options, out)
        }
        RunCommand::Show(args) => show(&tenant, args.run.id(&tenant)?, options, out),
        RunCommand::Resume(args) => {
            let _lock = tenant.lock()?;
            let progress = RunProgress::new(options);
            let id = args.run.id(&tenant)?;
            let run = refresh::resume(&tenant.store, &tenant, id, &|run, done, of| {
                progress.show(run, done, of);
            })?;
            progress.finish();
            report(&run, &tenant, options, out)
        }
        RunCommand::Approve(args) => {
            let _lock = tenant.lock()?;
            let id = decide(&tenant, args, "approve")?;
            let progress = RunProgress::new(options);
            let run = refresh::approve(&tenant.store, &tenant, id, &|run, done, of| {
                progress.show(run, done, of);
            })?;
            progress.finish();
            report(&run, &tenant, options, out)
        }
        RunCommand::Reject(args) => {
            let _lock = tenant.lock()?;
            let id = decide(&tenant, args, "reject")?;
            let run = refresh::reject(&tenant.store, id)?;
            report(&run, &tenant, options, out)
        }
        RunCommand::Cancel(args) => cancel(&tenant, args, options, out),
    }
}

/// Cancels a run; one that is under way in another process is asked to stop.
fn cancel(
    tenant: &OpenTenant,
    args: &CancelArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let id = args.run.id(tenant)?;
    let run = known(tenant, id)?;
    let subject = format!("run {}", id.0);
    let entry = args.person.audit(tenant.now()?, "cancel", subject);
    let lock = match run.status {
        RunStatus::Running => RunLock::take(tenant.store.path(), Duration::ZERO),
        _ => tenant.lock(),
    };
    match lock {
        Ok(_lock) => {
            let run = refresh::cancel(&tenant.store, id)?;
            tenant.store.audit(&entry)?;
            report(&run, tenant, options, out)
        }
        Err(StoreError::Locked { .. }) if run.status == RunStatus::Running => {
            tenant.store.ask_to_stop(id, &entry)?;
            if options.json {
                let run = RunReport::of(&run, &tenant.store, &tenant.configuration.model.zone)?;
                write_json(out, &run)?;
            } else if !options.quiet {
                writeln!(out, "run {} stops after the chunk that it is at", id.0)?;
            }
            Ok(Outcome::Done)
        }
        Err(error) => Err(error.into()),
    }
}

/// Notes a decision about a held run before it is carried out.
fn decide(tenant: &OpenTenant, args: &DecideArgs, action: &str) -> Result<RunId, CommandError> {
    let id = RunId(args.run);
    let run = known(tenant, id)?;
    let left_out = action == "approve" && !run.held_kinds.is_empty();
    if run.status != RunStatus::Held && !left_out {
        let status = run.status;
        return Err(RefreshError::NotHeld { run: id, status }.into());
    }
    let subject = format!("run {}", id.0);
    let entry = args.person.audit(tenant.now()?, action, subject);
    tenant.store.audit(&entry)?;
    Ok(id)
}

fn known(tenant: &OpenTenant, id: RunId) -> Result<Run, CommandError> {
    let run = tenant.store.run(id)?;
    run.ok_or_else(|| RefreshError::NoSuchRun(id).into())
}

fn show(
    tenant: &OpenTenant,
    id: RunId,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let run = known(tenant, id)?;
    let would = match run.status {
        // Held by a trigger's threshold, its plans are carried out already.
        RunStatus::Held if run.step.stage != Stage::Events => {
            Some(HeldReport::of(id, &tenant.store)?)
        }
        _ => None,
    };
    let run = RunReport::of(&run, &tenant.store, &tenant.configuration.model.zone)?;
    let shown = Shown { run, would };
    if options.json {
        write_json(out, &shown)?;
        return Ok(Outcome::Done);
    }
    shown.run.write(&command_for(options), out)?;
    if let Some(would) = &shown.would {
        would.write(out)?;
    }
    Ok(Outcome::Done)
}

fn list(
    runs: &[Run],
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    if options.json {
        let zone = &tenant.configuration.model.zone;
        let reports: Vec<RunReport> = runs
            .iter()
            .map(|run| RunReport::of(run, &tenant.store, zone))
            .collect::<Result<_, _>>()?;
        write_json(out, &reports)?;
        return Ok(Outcome::Done);
    }
    if runs.is_empty() {
        writeln!(out, "no runs")?;
        return Ok(Outcome::Done);
    }
    let headings = [
        "run",
        "status",
        "as of",
        "refreshed",
        "changed",
        "events",
        "findings",
    ];
    let mut table = Table::new(&headings).right(&[0, 3, 4, 5, 6]);
    for run in runs {
        let counters = &run.counters;
        table.row([
            run.id.0.to_string(),
            run.status.as_str().to_owned(),
            run.as_of.to_string(),
            grouped(counters.refreshed),
            grouped(counters.changed),
            grouped(counters.events.values().sum()),
            grouped(counters.findings_opened),
        ]);
    }
    table.write(out)?;
    for run in runs.iter().filter(|run| run.status == RunStatus::Held) {
        if let Some(held) = &run.held {
            writeln!(out, "run {} is held: {held}", run.id.0)?;
        }
    }
    for run in runs.iter().filter(|run| run.status == RunStatus::Running) {
        if let Some(progress) = ProgressReport::of(run, &tenant.store)? {
            writeln!(out, "run {} is at {progress}", run.id.0)?;
        }
    }
    Ok(Outcome::Done)
}
