//! `refresh`: bring identities up to date.

use std::io::Write;

use clap::Args;
use idr_core::filter::Superset;
use idr_core::model::{Name, UnixMillis};
use serde::Serialize;

use super::open::{command_for, instant_or_now, open, open_or_create};
use super::person::actor;
use super::policy::policy_named;
use super::progress::RunProgress;
use super::selection::{self, SelectionArgs};
use super::{CommandError, GlobalOptions, Outcome, identity_prune, write_json};
use crate::aggregate::{ReadAgain, read_again};
use crate::config::{RefreshSettings, Task};
use crate::connect::{Capability, OnlyReads, TenantConnectors};
use crate::refresh::selection::{Criterion, choose};
use crate::refresh::{self, Rehearsal, Request};
use crate::report::{DryRunReport, RunReport, counted};
use crate::store::{Raise, Run, RunSettings, RunStatus, Scope, Store};
use crate::tenant::OpenTenant;

/// Refresh identities: those that are due, unless told otherwise
///
/// With options of the selection everybody who fulfils all of them is refreshed,
/// due or not; an empty selection refreshes nobody.
///
/// First replays wake-ups that have passed, each at its own instant, then plans
/// and applies wave by wave, and fires events. A threshold that trips holds the
/// run until a person decides. Exit code 1 when it is held or cancelled, or findings
/// are open.
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

    /// First ask applications that can be asked for the accounts of whom it refreshes
    /// again; those that can't be reached leave them as they are
    #[arg(long)]
    accounts: bool,

    /// Leave whom it refreshes due: for all but the last of several refreshes
    #[arg(long)]
    keep_due: bool,

    /// Judge only these policies: what others have found stays as it is, and whoever
    /// they would find otherwise stays due
    #[arg(
        long,
        value_name = "POLICY",
        value_delimiter = ',',
        conflicts_with = "no_policies"
    )]
    policies: Option<Vec<String>>,

    /// Judge no policies, likewise
    #[arg(long)]
    no_policies: bool,

    /// Plan on so many threads [default: as many as there are processors]
    #[arg(long, value_name = "NUMBER", help_heading = "How it is done",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(RefreshSettings::MOST_THREADS)))]
    threads: Option<u32>,

    /// Read, plan and commit so many identities together: what a crash can make
    /// it do again [default: 1000]
    #[arg(long, value_name = "NUMBER", help_heading = "How it is done",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(RefreshSettings::MOST_IN_CHUNK)))]
    chunk_size: Option<u32>,

    /// Stop, with nothing of the wave written, once so many identities have new
    /// errors [default: go on]
    #[arg(long, value_name = "NUMBER", help_heading = "How it is done",
        value_parser = clap::value_parser!(u32).range(1..))]
    max_exceptions: Option<u32>,

    /// Only say what would happen: refresh a copy of the store, which is then dropped
    #[arg(long)]
    dry_run: bool,

    /// Who asks for it, for the audit, if not the user of the operating system
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,

    /// Let a tenant's first refresh fire events, too
    #[arg(long)]
    fire_initial: bool,
}

impl RefreshArgs {
    /// Returns the only policies to judge, where it is said.
    fn policies(&self, tenant: &OpenTenant) -> Result<Option<Vec<Name>>, CommandError> {
        let Some(names) = &self.policies else {
            return Ok(self.no_policies.then(Vec::new));
        };
        let names = names.iter().map(|name| policy_named(name, tenant));
        Ok(Some(names.collect::<Result<_, _>>()?))
    }

    fn settings(&self) -> RefreshSettings {
        RefreshSettings {
            threads: self.threads,
            chunk_size: self.chunk_size,
            max_exceptions: self.max_exceptions.map(u64::from),
        }
    }
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
    let task = match &args.selection.task {
        Some(name) => Some(selection::task(name, &tenant.configuration)?),
        None => None,
    };
    if let Some(sequence) = task.filter(|task| !task.tasks.is_empty()) {
        if only_reads {
            let message = format!("task `{}` consists of tasks", sequence.name);
            let hint = format!("name one of them: {}", sequence.tasks.join(", "));
            return Err(CommandError::usage(message).with_hint(hint.to_owned()));
        }
        return run_sequence(sequence, args, &tenant, options, out);
    }
    let as_of = instant_or_now(&tenant, args.as_of.as_deref())?;
    if args.selection.explain_selection {
        let criteria = args.selection.criteria(task, &tenant)?;
        selection::explain(&criteria, &tenant, as_of, options, out)?;
        return Ok(Outcome::Done);
    }
    if args.dry_run {
        let request = request(args, task, as_of, &tenant)?;
        let prunes = task.is_some_and(|task| task.prune);
        let asks = args.accounts || task.is_some_and(|task| task.accounts);
        return dry_run(&request, asks, prunes, &tenant, options, out);
    }
    let run = refresh(args, task, as_of, &tenant, options)?;
    report(&run, &tenant, options, out)
}

/// Returns what a run is asked to do: by the options, or else by the task, or
/// else by `idr.toml`.
fn request(
    args: &RefreshArgs,
    task: Option<&Task>,
    as_of: UnixMillis,
    tenant: &OpenTenant,
) -> Result<Request, CommandError> {
    let criteria = args.selection.criteria(task, tenant)?;
    let settings = args.settings();
    let settings = task.map_or(settings, |task| settings.or(task.settings));
    let settings = settings.or(tenant.configuration.refresh);
    let defaults = RunSettings::default();
    Ok(Request {
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
        actor: actor(args.actor.as_deref()),
        approved: false,
        settings: RunSettings {
            keep_due: args.keep_due || task.is_some_and(|task| task.keep_due),
            policies: match args.policies(tenant)? {
                None => task.and_then(|task| task.policies.clone()),
                some => some,
            },
            threads: settings.threads,
            chunk_size: settings.chunk_size.unwrap_or(defaults.chunk_size),
            max_exceptions: settings.max_exceptions,
        },
    })
}

fn refresh(
    args: &RefreshArgs,
    task: Option<&Task>,
    as_of: UnixMillis,
    tenant: &OpenTenant,
    options: &GlobalOptions,
) -> Result<Run, CommandError> {
    let prunes = task.is_some_and(|task| task.prune);
    if prunes {
        // Said before anything is done, not after.
        identity_prune::settings(tenant)?;
    }
    let request = request(args, task, as_of, tenant)?;
    let asks = args.accounts || task.is_some_and(|task| task.accounts);
    let asked = match asks {
        true => Some(read_accounts(&request, &tenant.store, tenant)?),
        false => None,
    };
    let mut run = run_shown(&request, tenant, options)?;
    if let Some(asked) = &asked {
        count_accounts(&mut run, asked, &tenant.store)?;
    }
    if prunes {
        prune(&mut run, &tenant.store, tenant)?;
    }
    Ok(run)
}

/// Asks for the accounts of whom a refresh means again, and lets the store have them:
/// the tenant's, or a copy of it.
fn read_accounts(
    request: &Request,
    store: &dyn Store,
    tenant: &OpenTenant,
) -> Result<ReadAgain, CommandError> {
    let configuration = &tenant.configuration;
    let mut connectors = configuration.connectors.values();
    if !connectors.any(|connector| connector.can(Capability::Get)) {
        let error = "no application's connector can read one account";
        return Err(CommandError::configuration(error)
            .with_hint("leave out --accounts, and aggregate the applications".to_owned()));
    }
    let configured = tenant.configured()?;
    refresh::adopt(store, tenant, &configured, &tenant.files())?;
    let as_of = request.as_of;
    let uids = match &request.scope {
        Scope::Due => {
            let due = store.due(as_of, None, usize::MAX)?;
            due.into_iter().map(|due| due.uid).collect()
        }
        Scope::All => store.list(&Superset::All, None, usize::MAX)?,
        Scope::Chosen => {
            let raise = Raise::default();
            let criteria = &request.criteria;
            choose(store, &configured.model, criteria, as_of, &raise, false)?.uids
        }
    };
    let connectors = TenantConnectors::new(&configuration.connectors, &configuration.directory);
    Ok(read_again(
        store,
        &configured.model,
        configured.rules.as_ref(),
        &OnlyReads(&connectors),
        &uids,
        as_of,
    )?)
}

/// Counts with the run what came of asking for accounts.
fn count_accounts(run: &mut Run, asked: &ReadAgain, store: &dyn Store) -> Result<(), CommandError> {
    for (message, count) in &asked.failures {
        tracing::warn!("{count} accounts: {message}");
    }
    for (name, count) in [
        ("accountsRead", asked.read),
        ("accountsRemoved", asked.removed),
        ("accountsUnavailable", asked.unavailable),
    ] {
        run.counters.count(name, count);
    }
    store.update_run(run)?;
    Ok(())
}

/// Prunes after a run that is done, and counts it with the run.
fn prune(run: &mut Run, store: &dyn Store, tenant: &OpenTenant) -> Result<(), CommandError> {
    if run.status != RunStatus::Done {
        return Ok(());
    }
    let settings = identity_prune::settings(tenant)?;
    let model = &tenant.configuration.model;
    let pruning = refresh::prune::prune(store, model, settings, run.as_of, &run.actor)?;
    run.counters.count("identitiesPruned", pruning.pruned);
    if pruning.held.is_some() {
        let wanted = pruning.accountless.iter();
        let wanted = wanted.filter(|known| known.kept.is_none()).count();
        run.counters.count("pruneHeld", wanted as u64);
    }
    store.update_run(run)?;
    Ok(())
}

/// Refreshes, and shows how far it has come.
pub(super) fn run_shown(
    request: &Request,
    tenant: &OpenTenant,
    options: &GlobalOptions,
) -> Result<Run, CommandError> {
    let progress = RunProgress::new(options);
    let run = refresh::run(
        &tenant.store,
        tenant,
        &tenant.files(),
        request,
        &|run, done, of| progress.show(run, done, of),
    );
    progress.finish();
    Ok(run?)
}

/// One of the tasks of a sequence, as it went.
#[derive(Serialize)]
struct Step<'a> {
    task: &'a str,
    #[serde(flatten)]
    report: Option<RunReport>,
    error: Option<String>,
}

/// Runs tasks one after the other. One that is held or cancelled is the last: a
/// later run would plan anew what waits for a person.
fn run_sequence(
    sequence: &Task,
    args: &RefreshArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let mut steps = Vec::new();
    let mut outcome = Outcome::Done;
    let mut failed = Vec::new();
    let shows = !options.json && !options.quiet;
    for name in &sequence.tasks {
        if shows {
            writeln!(out, "task {name}")?;
        }
        let task = selection::task(name, &tenant.configuration)?;
        let as_of = instant_or_now(tenant, args.as_of.as_deref())?;
        let run = match refresh(args, Some(task), as_of, tenant, options) {
            Ok(run) => run,
            Err(error) => {
                if shows {
                    writeln!(out, "{error}")?;
                }
                steps.push(Step {
                    task: name,
                    report: None,
                    error: Some(error.to_string()),
                });
                failed.push(name.as_str());
                if sequence.stop_at_error {
                    break;
                }
                continue;
            }
        };
        let zone = &tenant.configuration.model.zone;
        let report = RunReport::of(&run, &tenant.store, zone)?;
        if shows {
            report.write(&command_for(options), out)?;
        }
        if report.wants_attention() {
            outcome = Outcome::OpenFindings;
        }
        steps.push(Step {
            task: name,
            report: Some(report),
            error: None,
        });
        if run.status != RunStatus::Done {
            break;
        }
    }
    if options.json {
        write_json(out, &steps)?;
    }
    let left_out = sequence.tasks.len() - steps.len();
    if shows && left_out > 0 {
        let left_out = &sequence.tasks[steps.len()..];
        writeln!(out, "left out: {}", left_out.join(", "))?;
    }
    if failed.is_empty() {
        return Ok(outcome);
    }
    let message = format!(
        "task `{}`: {} of {} went wrong: {}",
        sequence.name,
        failed.len(),
        counted(sequence.tasks.len() as u64, "task", "tasks"),
        failed.join(", ")
    );
    Err(CommandError::failed(message))
}

fn dry_run(
    request: &Request,
    asks: bool,
    prunes: bool,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let rehearsal = Rehearsal::of(&tenant.store)?;
    let asked = match asks {
        true => Some(read_accounts(request, rehearsal.store(), tenant)?),
        false => None,
    };
    let progress = RunProgress::new(options);
    let show = |run: &Run, done, of| progress.show(run, done, of);
    let preview = rehearsal.run(tenant, &tenant.files(), request, &show);
    progress.finish();
    let mut preview = preview?;
    if let Some(asked) = &asked {
        count_accounts(&mut preview.run, asked, preview.store.as_ref())?;
    }
    if prunes {
        prune(&mut preview.run, preview.store.as_ref(), tenant)?;
    }
    let report = DryRunReport::of(&preview, &tenant.configuration.model)?;
    if options.json {
        write_json(out, &report)?;
    } else {
        report.write(&command_for(options), out)?;
    }
    Ok(
        match report.run.wants_attention() || report.run.held.is_some() {
            true => Outcome::OpenFindings,
            false => Outcome::Done,
        },
    )
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
