//! `refresh`: bring identities up to date.

use std::io::Write;

use clap::Args;

use super::open::{command_for, instant_or_now, open, open_or_create};
use super::progress::RunProgress;
use super::selection::{self, SelectionArgs};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::config::Task;
use crate::refresh::selection::Criterion;
use crate::refresh::{self, Request, RunSettings};
use crate::report::RunReport;
use crate::store::{Run, Scope};
use crate::tenant::OpenTenant;

/// Refresh identities: those that are due, unless told otherwise
///
/// With options of the selection everybody who fulfils all of them is refreshed,
/// due or not; an empty selection refreshes nobody.
///
/// First replays wake-ups that have passed, each at its own instant, then plans
/// and applies wave by wave, and fires events. A threshold that trips holds the
/// run until a person decides. Exit code 1 when it is held or findings are open.
#[derive(Args, Debug)]
pub(super) struct RefreshArgs {
    /// Refresh everybody
    #[arg(long, conflicts_with = "SelectionArgs")]
    all: bool,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Bring them up to this instant instead of now
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,

    /// Leave whom it refreshes due: for all but the last of several refreshes
    #[arg(long)]
    keep_due: bool,

    /// Only say what would change: plan the first wave and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Let a tenant's first refresh fire events, too
    #[arg(long)]
    fire_initial: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &RefreshArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let only_reads = args.dry_run || args.selection.explain_selection;
    let (tenant, _lock) = if only_reads {
        (open(options)?, None)
    } else {
        let tenant = open_or_create(options)?;
        let lock = tenant.lock()?;
        (tenant, Some(lock))
    };
    let as_of = instant_or_now(&tenant, args.as_of.as_deref())?;
    let criteria = args.selection.criteria(&tenant)?;
    if args.selection.explain_selection {
        selection::explain(&criteria, &tenant, as_of, options, out)?;
        return Ok(Outcome::Done);
    }
    let task = match &args.selection.task {
        Some(name) => Some(selection::task(name, &tenant)?),
        None => None,
    };
    let request = Request {
        scope: scope(args, task, &criteria),
        criteria,
        as_of,
        simulated: tenant.is_simulated(),
        now: if tenant.is_simulated() {
            as_of
        } else {
            tenant.now()?
        },
        fire_initial: args.fire_initial,
        settings: RunSettings {
            keep_due: args.keep_due || task.is_some_and(|task| task.keep_due),
            approved: false,
        },
    };
    if args.dry_run {
        return dry_run(&request, &tenant, options, out);
    }
    let progress = RunProgress::new(options);
    let run = refresh::run(
        &tenant.store,
        &tenant,
        &tenant.files(),
        &request,
        &|run, done, of| progress.show(run, done, of),
    )?;
    progress.finish();
    report(&run, &tenant, options, out)
}

fn dry_run(
    request: &Request,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let run = refresh::preview(&tenant.store, tenant, &tenant.files(), request)?;
    let zone = &tenant.configuration.model.zone;
    let report = RunReport::of_dry_run(&run, &tenant.store, zone)?;
    if options.json {
        write_json(out, &report)?;
    } else {
        report.write(&command_for(options), out)?;
    }
    Ok(if report.held.is_some() {
        Outcome::OpenFindings
    } else {
        Outcome::Done
    })
}

/// Returns the run's scope.
fn scope(args: &RefreshArgs, task: Option<&Task>, criteria: &[Criterion]) -> Scope {
    let everybody = match task {
        Some(task) => task.all && criteria.is_empty(),
        None => args.all,
    };
    match criteria {
        _ if everybody => Scope::All,
        [Criterion::Due] => Scope::Due,
        _ => Scope::Chosen,
    }
}

/// Prints the report on a run that has just come to its end, or was held.
pub(super) fn report(
    run: &Run,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let report = RunReport::of(run, &tenant.store, &tenant.configuration.model.zone)?;
    if options.json {
        write_json(out, &report)?;
    } else if !options.quiet {
        report.write(&command_for(options), out)?;
    }
    Ok(if report.wants_attention() {
        Outcome::OpenFindings
    } else {
        Outcome::Done
    })
}
