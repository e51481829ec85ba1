//! One refresh run: adopt, select, plan in waves, gate, apply, record events.
//!
//! Start reading at [`run`]. A run works through instants: first the wake-ups
//! that have passed, each at its own moment, then `as_of`. At each instant it
//! plans and applies waves until nobody has read something that changed, and
//! then processes events. What a run has done so far is in its [`Run`] record,
//! stored together with every chunk, so that a run which was killed goes on
//! where it was.

mod across;
mod adopt;
mod apply;
mod error;
mod events;
mod gate;
mod planning;
mod preview;
pub mod selection;

use std::sync::Arc;
use std::time::Instant;

use idr_core::definitions::Model;
use idr_core::model::UnixMillis;
use idr_core::plan::PlanContext;
use idr_core::planted::{self, Bug};

use crate::aggregate::correlate_waiting;
use crate::store::{
    Files, Raise, Run, RunId, RunStatus, Scope, Selection, Stage, Step, Store, StoreError,
};

use selection::{Criterion, choose};

pub use adopt::{Impact, adopt, files_digest, impact};
pub use error::RefreshError;
pub use idr_core::rule::RuleHost;
pub use preview::preview;

/// Identities are read, planned and written in chunks of this many.
pub const CHUNK: usize = 1_000;

/// After this many waves the rest is a finding and stays due.
pub const MAX_WAVES: u32 = 8;

/// What a refresh needs of its surroundings: definitions and rules made from
/// configuration files, today's or those that a run was started with.
pub trait Configurator: Sync {
    /// Makes definitions and rules from configuration files.
    ///
    /// # Errors
    ///
    /// A text that lists what is wrong with them.
    fn configure(&self, files: &Files) -> Result<Configured, String>;
}

/// Definitions and the rules that they refer to.
#[derive(Clone)]
pub struct Configured {
    /// The definitions.
    pub model: Arc<Model>,
    /// The rules.
    pub rules: Arc<dyn RuleHost>,
}

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whom to refresh.
    pub scope: Scope,
    /// Whom [`Scope::Chosen`] means: who fulfils all of these.
    pub criteria: Vec<Criterion>,
    /// The instant to bring them up to.
    pub as_of: UnixMillis,
    /// Whether `as_of` may lie before the last committed instant or in the
    /// future: in tenants with a simulated clock.
    pub simulated: bool,
    /// What the tenant's clock says.
    pub now: UnixMillis,
    /// Whether the tenant's first refresh fires events, too.
    pub fire_initial: bool,
    /// How it is done.
    pub settings: RunSettings,
}

/// How a run is done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunSettings {
    /// Whom it refreshes stays due: for all but the last of several refreshes
    /// of who is due.
    pub keep_due: bool,
    /// No threshold stops it: a person has decided about whom it refreshes.
    pub approved: bool,
}

/// Told how far a run has come: `(done, of)` identities of what the run's step
/// says is being done, whenever some more of them are done.
pub type Progress<'a> = &'a (dyn Fn(&Run, u64, u64) + Sync);

/// Refreshes identities: finishes a run that was left behind, adopts the
/// configuration, and works through a new run.
///
/// Returns the new run as it stands at the end: done, or held by a threshold.
///
/// # Errors
///
/// [`RefreshError`]; what was committed stays, and the run can be resumed.
pub fn run(
    store: &dyn Store,
    configurator: &dyn Configurator,
    files: &Files,
    request: &Request,
    progress: Progress<'_>,
) -> Result<Run, RefreshError> {
    settle_earlier_runs(store, configurator, progress)?;
    let tenant = store.tenant()?;
    check_instant(request, tenant.last_as_of)?;
    let configured = configure(configurator, files)?;
    let configuration = adopt(store, configurator, &configured, files)?;
    let mut run = Run {
        status: RunStatus::Running,
        as_of: request.as_of,
        started_at: request.now,
        scope: request.scope.clone(),
        keep_due: request.settings.keep_due,
        approved: request.settings.approved,
        by_window: request.criteria.iter().any(Criterion::is_window),
        configuration,
        silent: !tenant.baselines_set && !request.fire_initial,
        ..Run::default()
    };
    let chosen = match run.scope {
        Scope::Chosen => {
            let (model, criteria) = (&configured.model, &request.criteria);
            choose(store, model, criteria, run.as_of, &Raise::Nobody, false)?.uids
        }
        Scope::Due | Scope::All => Vec::new(),
    };
    run.id = store.begin_run(&run, &chosen)?;
    Driver::new(store, configured, run, progress).drive()
}

/// Goes on with a run that was left behind.
///
/// # Errors
///
/// [`RefreshError::NotResumable`] for a run that isn't under way; others as [`run`].
pub fn resume(
    store: &dyn Store,
    configurator: &dyn Configurator,
    id: RunId,
    progress: Progress<'_>,
) -> Result<Run, RefreshError> {
    let run = known_run(store, id)?;
    match run.status {
        RunStatus::Running | RunStatus::Failed => continue_run(store, configurator, run, progress),
        status => Err(RefreshError::NotResumable { run: id, status }),
    }
}

/// Carries out a held run: what tripped a threshold has been looked at.
///
/// # Errors
///
/// [`RefreshError::NotHeld`] for a run that isn't held; others as [`run`].
pub fn approve(
    store: &dyn Store,
    configurator: &dyn Configurator,
    id: RunId,
    progress: Progress<'_>,
) -> Result<Run, RefreshError> {
    let mut run = known_run(store, id)?;
    if run.status == RunStatus::Done && !run.held_kinds.is_empty() {
        return approve_kinds(store, configurator, run, progress);
    }
    if run.status != RunStatus::Held {
        return Err(RefreshError::NotHeld {
            run: id,
            status: run.status,
        });
    }
    run.approved = true;
    run.status = RunStatus::Running;
    run.held = None;
    store.update_run(&run)?;
    continue_run(store, configurator, run, progress)
}

/// Carries out what a run left out: whoever is due, with thresholds no longer in
/// the way, by the configuration and at the instant of that run.
fn approve_kinds(
    store: &dyn Store,
    configurator: &dyn Configurator,
    mut held: Run,
    progress: Progress<'_>,
) -> Result<Run, RefreshError> {
    let last = store.tenant()?.last_as_of.unwrap_or_default();
    let mut run = Run {
        status: RunStatus::Running,
        as_of: held.as_of.max(last),
        started_at: held.started_at.max(last),
        scope: Scope::Due,
        configuration: held.configuration.clone(),
        approved: true,
        ..Run::default()
    };
    held.held_kinds.clear();
    store.update_run(&held)?;
    run.id = store.begin_run(&run, &[])?;
    continue_run(store, configurator, run, progress)
}

/// Gives up a held run: nothing of what was held is done, and everybody in it
/// stays due.
///
/// # Errors
///
/// [`RefreshError::NotHeld`] for a run that isn't held.
pub fn reject(store: &dyn Store, id: RunId) -> Result<Run, RefreshError> {
    let mut run = known_run(store, id)?;
    if run.status != RunStatus::Held {
        return Err(RefreshError::NotHeld {
            run: id,
            status: run.status,
        });
    }
    run.status = RunStatus::Rejected;
    store.select(&run, &Selection::Nobody)?;
    Ok(run)
}

fn known_run(store: &dyn Store, id: RunId) -> Result<Run, RefreshError> {
    store.run(id)?.ok_or(RefreshError::NoSuchRun(id))
}

/// Finishes a run that was left behind and lays aside one that is held: the
/// new run plans afresh.
fn settle_earlier_runs(
    store: &dyn Store,
    configurator: &dyn Configurator,
    progress: Progress<'_>,
) -> Result<(), RefreshError> {
    let Some(mut last) = store.runs(1)?.pop() else {
        return Ok(());
    };
    if last.status == RunStatus::Running {
        tracing::info!(
            run = last.id.0,
            "going on with the run that was left behind"
        );
        last = continue_run(store, configurator, last, progress)?;
    }
    if last.status == RunStatus::Held {
        last.status = RunStatus::Superseded;
        store.select(&last, &Selection::Nobody)?;
    }
    Ok(())
}

fn continue_run(
    store: &dyn Store,
    configurator: &dyn Configurator,
    mut run: Run,
    progress: Progress<'_>,
) -> Result<Run, RefreshError> {
    let files = store.configuration(&run.configuration)?.ok_or_else(|| {
        RefreshError::Configuration(format!(
            "the configuration {} that run {} was started with is gone",
            run.configuration, run.id.0
        ))
    })?;
    run.status = RunStatus::Running;
    let configured = configure(configurator, &files)?;
    adopt::check_secret(&store.tenant()?, &configured.model)?;
    Driver::new(store, configured, run, progress).drive()
}

fn configure(configurator: &dyn Configurator, files: &Files) -> Result<Configured, RefreshError> {
    configurator
        .configure(files)
        .map_err(RefreshError::Configuration)
}

fn check_instant(request: &Request, last: Option<UnixMillis>) -> Result<(), RefreshError> {
    if !request.simulated && request.as_of > request.now {
        return Err(RefreshError::InTheFuture {
            as_of: request.as_of,
            now: request.now,
        });
    }
    match last {
        Some(last) if request.as_of < last && !request.simulated => {
            Err(RefreshError::BeforeTheLast {
                as_of: request.as_of,
                last,
            })
        }
        _ => Ok(()),
    }
}

/// Works through one run.
struct Driver<'a> {
    store: &'a dyn Store,
    configured: Configured,
    run: Run,
    progress: Progress<'a>,
    evaluators: planning::Evaluators,
    /// Plans of a wave that fits into one chunk: they don't pass through the spool.
    small_wave: Vec<crate::store::SpooledPlan>,
    /// Plans of the wave, as far as this process made them.
    planned: u64,
    /// Identities of the wave that are written, or whose events are.
    written: u64,
    started: Instant,
    elapsed_before_ms: u64,
}

impl<'a> Driver<'a> {
    fn new(store: &'a dyn Store, configured: Configured, run: Run, progress: Progress<'a>) -> Self {
        let evaluators = planning::Evaluators::new(Arc::clone(&configured.rules));
        let elapsed_before_ms = run.counters.elapsed_ms;
        Self {
            store,
            configured,
            run,
            progress,
            evaluators,
            small_wave: Vec::new(),
            planned: 0,
            written: 0,
            started: Instant::now(),
            elapsed_before_ms,
        }
    }

    /// Takes the run to its end, or until a threshold holds it.
    fn drive(mut self) -> Result<Run, RefreshError> {
        match self.work() {
            Ok(()) => {}
            // The run stays as it was last stored: whoever comes next goes on.
            Err(error) => return Err(error),
        }
        Ok(self.run)
    }

    fn work(&mut self) -> Result<(), RefreshError> {
        loop {
            match self.run.step.stage {
                Stage::Start => self.start_instant()?,
                Stage::Plan if self.run.step.wave > MAX_WAVES => {
                    self.report_endless_waves()?;
                    self.settle_instant()?;
                }
                Stage::Plan => {
                    if !self.plan_wave()? {
                        return Ok(());
                    }
                }
                Stage::Apply => {
                    self.apply_wave()?;
                    self.next_wave()?;
                }
                Stage::Events => {
                    if !self.process_events()? {
                        return Ok(());
                    }
                    if self.run.step.instant >= self.run.as_of {
                        return self.finish();
                    }
                    self.run.step.stage = Stage::Start;
                    self.store.update_run(&self.run)?;
                }
            }
        }
    }

    /// Selects the first wave of the next instant.
    fn start_instant(&mut self) -> Result<(), RefreshError> {
        if self.run.scope != Scope::Chosen {
            self.correlate_waiting(self.run.as_of)?;
        }
        let chosen_for = (self.run.scope == Scope::Chosen).then_some(self.run.id);
        let (instant, selection) = match self.store.next_wake(chosen_for)? {
            Some(wake) if wake < self.run.as_of => match self.run.scope {
                Scope::Chosen => (wake, Selection::ChosenWake(wake)),
                Scope::Due | Scope::All => (wake, Selection::Wake(wake)),
            },
            _ => {
                let selection = match self.run.scope {
                    Scope::Due => Selection::Due(self.run.as_of),
                    Scope::All => Selection::All,
                    Scope::Chosen => Selection::Chosen,
                };
                (self.run.as_of, selection)
            }
        };
        self.run.step = Step {
            instant,
            wave: 1,
            stage: Stage::Plan,
            cursor: None,
        };
        self.run.counters.selected += self.select(&selection)?;
        Ok(())
    }

    fn correlate_waiting(&self, as_of: UnixMillis) -> Result<u64, RefreshError> {
        let (store, model) = (self.store, &self.configured.model);
        self.evaluators
            .with(|rules| correlate_waiting(store, model, rules, as_of))
            .map_err(RefreshError::Correlation)
    }

    fn select(&mut self, selection: &Selection) -> Result<u64, StoreError> {
        self.store.select(&self.run, selection)
    }

    /// Selects whoever has read something that the wave changed, or settles the
    /// instant when there is nobody.
    fn next_wave(&mut self) -> Result<(), RefreshError> {
        let (instant, wave) = (self.run.step.instant, self.run.step.wave + 1);
        self.run.step = Step {
            instant,
            wave,
            stage: Stage::Plan,
            cursor: None,
        };
        let refreshed_at = (!self.run.by_window).then_some(self.run.as_of);
        let readers = self.select(&Selection::Readers { refreshed_at })?;
        if readers == 0 || planted::is(Bug::SkipWave) {
            self.settle_instant()?;
        }
        Ok(())
    }

    /// Goes on to the events, unless what the waves settled gives accounts an
    /// identity: then to another round of waves.
    fn settle_instant(&mut self) -> Result<(), RefreshError> {
        let Step { instant, wave, .. } = self.run.step;
        let everybody = self.run.scope != Scope::Chosen;
        if everybody && instant >= self.run.as_of {
            let linked = self.correlate_waiting(instant)?;
            if linked > 0 {
                *self
                    .run
                    .counters
                    .changes
                    .entry("correlated".to_owned())
                    .or_default() += linked;
                self.run.step = Step {
                    instant,
                    wave: 1,
                    stage: Stage::Plan,
                    cursor: None,
                };
                self.select(&Selection::Due(instant))?;
                return Ok(());
            }
        }
        self.report_managers()?;
        self.run.step = Step {
            instant,
            wave,
            stage: Stage::Events,
            cursor: None,
        };
        self.store.update_run(&self.run)?;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), RefreshError> {
        let mut tenant = self.store.tenant()?;
        tenant.last_as_of = tenant.last_as_of.max(Some(self.run.as_of));
        // Refreshing an empty tenant sets nobody's baseline.
        if self.run.scope != Scope::Chosen && self.store.population()?.identities > 0 {
            tenant.baselines_set = true;
        }
        let impure = self.configured.rules.impure();
        let newly_isolated: Vec<_> = impure
            .into_iter()
            .filter(|sha256| !tenant.isolated_rules.contains(sha256))
            .collect();
        if !newly_isolated.is_empty() {
            adopt::isolate(self.store, &mut tenant, &newly_isolated)?;
        }
        self.store.set_tenant(&tenant)?;
        self.run.status = RunStatus::Done;
        // What one wave opened another may have closed again.
        let open = self.store.open_findings()?;
        self.run.counters.findings_opened = self.run.counters.findings_opened.min(open);
        self.run.counters.elapsed_ms = self.elapsed_ms();
        self.store.update_run(&self.run)?;
        Ok(())
    }

    /// Tells that so many more identities are written.
    fn note_written(&mut self, more: usize) {
        self.written += more as u64;
        (self.progress)(&self.run, self.written, self.planned.max(self.written));
    }

    fn elapsed_ms(&self) -> u64 {
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.elapsed_before_ms.saturating_add(elapsed_ms)
    }

    /// Returns how the current wave plans: against the store as it is now.
    fn context(&self) -> Result<PlanContext, StoreError> {
        Ok(PlanContext {
            model: Arc::clone(&self.configured.model),
            snapshot: self.store.snapshot()?,
            as_of: self.run.step.instant,
        })
    }
}
