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
mod at_once;
mod audit;
mod carry_out;
mod claims;
mod error;
mod events;
mod gate;
mod in_hand;
mod planning;
mod preview;
pub mod prune;
pub mod selection;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use idr_core::definitions::Model;
use idr_core::model::UnixMillis;
use idr_core::plan::PlanContext;
use idr_core::planted::{self, Bug};

use crate::aggregate::correlate_waiting;
use crate::store::{
    Counters, Files, Raise, Run, RunId, RunProgress, RunSettings, RunStatus, Scope, Selection,
    Stage, Step, Store, StoreError,
};

use at_once::AtOnce;
use in_hand::InHand;
use selection::{Criterion, choose};

pub use adopt::{Impact, adopt, files_digest, impact};
pub use audit::entitlement_told;
pub use error::RefreshError;
pub use idr_core::rule::RuleHost;
pub use preview::{Preview, Rehearsal, preview};

/// Identities are looked at in chunks of this many where no run says otherwise.
const CHUNK: usize = 1_000;

/// Of a chunk so many identities are read at a time: as many as stay in the processor's
/// cache until they are worked on.
const TOGETHER: usize = 64;

/// How often a run notes its progress for other processes.
const NOTE_EVERY: Duration = Duration::from_secs(1);

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
    /// Who asks for it, for the audit.
    pub actor: String,
    /// Whether the tenant's first refresh fires events, too.
    pub fire_initial: bool,
    /// How it is done.
    pub settings: RunSettings,
    /// Whether no threshold stops it: a person has decided about whom it refreshes.
    pub approved: bool,
}

/// Told how far a run has come: `(done, of)` identities of what the run's step
/// says is being done, whenever some more of them are done.
pub type Progress<'a> = &'a (dyn Fn(&Run, u64, u64) + Sync);

/// Refreshes identities: finishes a run that was left behind, adopts the
/// configuration, and works through a new run.
///
/// Returns the new run as it stands at the end: done, held by a threshold, or
/// cancelled from another process.
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
    on_threads(request.settings.threads, || {
        begin(store, configurator, files, request, progress)
    })
}

fn begin(
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
        actor: request.actor.clone(),
        scope: request.scope.clone(),
        settings: RunSettings {
            threads: u32::try_from(rayon::current_num_threads()).ok(),
            ..request.settings.clone()
        },
        approved: request.approved,
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

/// Does `work` where planning has so many threads.
fn on_threads<T: Send>(
    threads: Option<u32>,
    work: impl FnOnce() -> Result<T, RefreshError> + Send,
) -> Result<T, RefreshError> {
    let Some(threads) = threads else {
        return work();
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads as usize)
        .build()
        .map_err(RefreshError::Threads)?;
    pool.install(work)
}

/// Goes on with a run that was left behind, or with the last one if it stopped
/// because of too many exceptions: then it goes on whatever their number.
///
/// # Errors
///
/// [`RefreshError::NotResumable`] for any other run, [`RefreshError::Overtaken`] when
/// another configuration was adopted since; others as [`run`].
pub fn resume(
    store: &dyn Store,
    configurator: &dyn Configurator,
    id: RunId,
    progress: Progress<'_>,
) -> Result<Run, RefreshError> {
    let mut run = known_run(store, id)?;
    // A later run has dropped what this one had selected.
    let is_last = store.runs(1)?.first().is_some_and(|last| last.id == id);
    match run.status {
        RunStatus::Running => {}
        RunStatus::Failed if is_last => {
            run.settings.max_exceptions = None;
            run.error = None;
        }
        status => return Err(RefreshError::NotResumable { run: id, status }),
    }
    if is_overtaken(store, &run)? {
        return Err(RefreshError::Overtaken(id));
    }
    continue_run(store, configurator, run, progress)
}

/// Cancels a run that is held or was left behind: what was committed stays,
/// everybody else stays due. One that is under way in another process is asked
/// to stop instead ([`Store::ask_to_stop`]), and cancels itself.
///
/// # Errors
///
/// [`RefreshError::NotCancellable`] for a run that is over.
pub fn cancel(store: &dyn Store, id: RunId) -> Result<Run, RefreshError> {
    let mut run = known_run(store, id)?;
    if run.status.is_over() {
        let status = run.status;
        return Err(RefreshError::NotCancellable { run: id, status });
    }
    run.status = RunStatus::Cancelled;
    give_up(store, &run)?;
    Ok(run)
}

/// Carries out a held run: what tripped a threshold has been looked at.
///
/// # Errors
///
/// [`RefreshError::NotHeld`] for a run that isn't held, [`RefreshError::Overtaken`] when
/// another configuration was adopted since; others as [`run`].
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
    check_held(&run)?;
    if is_overtaken(store, &run)? {
        return Err(RefreshError::Overtaken(id));
    }
    run.approved = true;
    run.status = RunStatus::Running;
    run.held = None;
    store.update_run(&run)?;
    continue_run(store, configurator, run, progress)
}

/// Carries out what the last run left out: a run of who is due, at the same
/// instant and by the same configuration, in whose way those thresholds no
/// longer are.
fn approve_kinds(
    store: &dyn Store,
    configurator: &dyn Configurator,
    mut held: Run,
    progress: Progress<'_>,
) -> Result<Run, RefreshError> {
    let is_last = store.runs(1)?.iter().all(|last| last.id == held.id);
    if !is_last || is_overtaken(store, &held)? {
        return Err(RefreshError::Overtaken(held.id));
    }
    let last = store.tenant()?.last_as_of.unwrap_or_default();
    let mut run = Run {
        status: RunStatus::Running,
        as_of: held.as_of.max(last),
        started_at: held.started_at.max(last),
        actor: held.actor.clone(),
        scope: Scope::Due,
        settings: held.settings.clone(),
        configuration: held.configuration.clone(),
        approved_kinds: held.held_kinds.keys().cloned().collect(),
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
    check_held(&run)?;
    run.status = RunStatus::Rejected;
    give_up(store, &run)?;
    Ok(run)
}

fn check_held(run: &Run) -> Result<(), RefreshError> {
    match run.status {
        RunStatus::Held => Ok(()),
        status => Err(RefreshError::NotHeld {
            run: run.id,
            status,
        }),
    }
}

/// Says whether another configuration was adopted since a run began. Whomever that
/// makes due would be planned by the old one if the run went on, and be due no more.
fn is_overtaken(store: &dyn Store, run: &Run) -> Result<bool, StoreError> {
    Ok(store.tenant()?.configuration.as_ref() != Some(&run.configuration))
}

fn known_run(store: &dyn Store, id: RunId) -> Result<Run, RefreshError> {
    store.run(id)?.ok_or(RefreshError::NoSuchRun(id))
}

/// Finishes a run that was left behind, unless another configuration was adopted since,
/// and lays aside one that is held: the new run plans afresh.
fn settle_earlier_runs(
    store: &dyn Store,
    configurator: &dyn Configurator,
    progress: Progress<'_>,
) -> Result<(), RefreshError> {
    let Some(mut last) = store.runs(1)?.pop() else {
        return Ok(());
    };
    if last.status == RunStatus::Running && !is_overtaken(store, &last)? {
        tracing::info!(
            run = last.id.0,
            "going on with the run that was left behind"
        );
        last = continue_run(store, configurator, last, progress)?;
    }
    match last.status {
        RunStatus::Held | RunStatus::Running => {
            last.status = RunStatus::Superseded;
            give_up(store, &last)
        }
        RunStatus::Failed => give_up(store, &last),
        RunStatus::Done | RunStatus::Rejected | RunStatus::Superseded | RunStatus::Cancelled => {
            Ok(())
        }
    }
}

/// Drops what a run has selected and planned. Whom a later wave was about stays
/// due: what they have read was changed by an earlier one, and nobody else knows.
fn give_up(store: &dyn Store, run: &Run) -> Result<(), RefreshError> {
    let stay_due = run.step.wave > 1 && matches!(run.step.stage, Stage::Plan | Stage::Apply);
    store.select(run, &Selection::Nobody { stay_due })?;
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
    on_threads(run.settings.threads, || {
        Driver::new(store, configured, run, progress).drive()
    })
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

/// Returns the wall time since then.
fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Works through one run.
struct Driver<'a> {
    store: &'a dyn Store,
    configured: Configured,
    run: Run,
    progress: Progress<'a>,
    evaluators: Arc<planning::Evaluators>,
    /// Plans of a wave that fits into one chunk: they don't pass through the spool.
    small_wave: Vec<crate::store::SpooledPlan>,
    in_hand: Arc<InHand>,
    /// Whose events are judged with the wave's plans: nobody's, unless this process made
    /// them.
    at_once: AtOnce,
    /// Whether accounts without an owner may be found an identity by what the waves since
    /// the last correlation changed. Of waves that another process planned it isn't known.
    finds_accounts: bool,
    /// Plans of the wave, as far as this process made them.
    planned: u64,
    /// Identities of the wave that are written, or whose events are.
    written: u64,
    /// Identities with new errors, as far as this process planned them.
    exceptions: planning::Exceptions,
    /// What earlier runs did, by their instants, once a threshold's window asks.
    earlier: OnceLock<Vec<(UnixMillis, Counters)>>,
    started: Instant,
    elapsed_before_ms: u64,
    step_started: Instant,
    noted: Instant,
}

impl<'a> Driver<'a> {
    fn new(store: &'a dyn Store, configured: Configured, run: Run, progress: Progress<'a>) -> Self {
        let evaluators = Arc::new(planning::Evaluators::new(Arc::clone(&configured.rules)));
        let elapsed_before_ms = run.counters.elapsed_ms;
        let now = Instant::now();
        Self {
            store,
            configured,
            run,
            progress,
            evaluators,
            small_wave: Vec::new(),
            in_hand: Arc::default(),
            at_once: AtOnce::default(),
            finds_accounts: true,
            planned: 0,
            written: 0,
            exceptions: planning::Exceptions::default(),
            earlier: OnceLock::new(),
            started: now,
            elapsed_before_ms,
            step_started: now,
            noted: now,
        }
    }

    /// Takes the run to its end, or until a threshold holds it or somebody
    /// cancels it.
    fn drive(mut self) -> Result<Run, RefreshError> {
        match self.work() {
            Ok(()) => {}
            Err(RefreshError::Cancelled(_)) => {
                self.run.status = RunStatus::Cancelled;
                self.run.counters.elapsed_ms = self.elapsed_ms();
                give_up(self.store, &self.run)?;
            }
            Err(error @ RefreshError::TooManyExceptions { .. }) => {
                self.run.status = RunStatus::Failed;
                self.run.error = Some(error.to_string());
                self.run.counters.elapsed_ms = self.elapsed_ms();
                self.store.update_run(&self.run)?;
                return Err(error);
            }
            // The run stays as it was last stored: whoever comes next goes on.
            Err(error) => return Err(error),
        }
        Ok(self.run)
    }

    /// Stops the run if another process has asked it to.
    fn stop_if_asked(&self) -> Result<(), RefreshError> {
        match self.store.is_asked_to_stop(self.run.id)? {
            true => Err(RefreshError::Cancelled(self.run.id)),
            false => Ok(()),
        }
    }

    fn work(&mut self) -> Result<(), RefreshError> {
        loop {
            self.stop_if_asked()?;
            self.step_started = Instant::now();
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
        if self.correlates() {
            let linked = self.correlate_waiting(instant)?;
            if linked > 0 {
                self.run.counters.count("correlated", linked);
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
        if !tenant.baselines_set && self.run.scope != Scope::Chosen {
            tenant.baselines_set = self.store.population()?.identities > 0;
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
        if let Some(keep_ms) = self.configured.model.history.keep_ms {
            let dropped = self.store.prune_history(self.run.as_of.plus_ms(-keep_ms))?;
            self.run.counters.count("snapshotsDropped", dropped);
        }
        self.run.status = RunStatus::Done;
        // What one wave opened another may have closed again.
        if self.run.counters.findings_opened > 0 {
            let open = self.store.open_findings(self.run.as_of)?;
            self.run.counters.findings_opened = self.run.counters.findings_opened.min(open);
        }
        self.run.counters.elapsed_ms = self.elapsed_ms();
        self.store.update_run(&self.run)?;
        Ok(())
    }

    /// Tells that so many more identities are written.
    fn note_written(&mut self, more: usize) -> Result<(), RefreshError> {
        self.written += more as u64;
        self.run.counters.chunks += 1;
        self.tell(self.written, self.planned.max(self.written))
    }

    /// Tells how far the step has come: whoever started the run, and once in a
    /// while other processes. Stops the run when one of those has asked for it.
    fn tell(&mut self, done: u64, of: u64) -> Result<(), RefreshError> {
        (self.progress)(&self.run, done, of);
        if self.noted.elapsed() >= NOTE_EVERY {
            let progress = RunProgress {
                done,
                of,
                step_ms: milliseconds(self.step_started),
                elapsed_ms: self.elapsed_ms(),
            };
            self.store.note_progress(self.run.id, &progress)?;
            self.noted = Instant::now();
        }
        self.stop_if_asked()
    }

    fn elapsed_ms(&self) -> u64 {
        self.elapsed_before_ms
            .saturating_add(milliseconds(self.started))
    }

    /// Returns how many identities are read, planned and committed together.
    fn chunk(&self) -> usize {
        self.run.settings.chunk_size as usize
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
