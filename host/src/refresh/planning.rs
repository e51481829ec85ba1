//! Planning a wave: read-only, in parallel, into the spool.

use std::sync::{Arc, Mutex, PoisonError};

use idr_core::meter;
use idr_core::model::finding::{ENTITLEMENTS, POLICIES, PROVISIONING};
use idr_core::model::{Finding, Identity, IdentityRecord, Image, Severity, Uid};
use idr_core::plan::{Changes, PlanContext, Planner};
use idr_core::planted::{self, Bug};
use idr_core::rule::RuleEvaluator;
use rayon::prelude::*;

use super::at_once::Outlook;
use super::claims::WaveClaims;
use super::gate::Tally;
use super::in_hand::InHand;
use super::{Driver, RefreshError, RuleHost, TOGETHER};
use crate::store::{Awaited, Run, SpooledPlan, Stage, Store};

/// Rule evaluators that wait for their next chunk.
pub(super) struct Evaluators {
    rules: Arc<dyn RuleHost>,
    idle: Mutex<Vec<Box<dyn RuleEvaluator + Send>>>,
}

impl Evaluators {
    pub(super) fn new(rules: Arc<dyn RuleHost>) -> Self {
        Self {
            rules,
            idle: Mutex::default(),
        }
    }

    /// Lends an evaluator to `work`.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut dyn RuleEvaluator) -> T) -> T {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let mut evaluator = idle.unwrap_or_else(|| self.rules.evaluator());
        let result = work(evaluator.as_mut());
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(evaluator);
        result
    }
}

impl Driver<'_> {
    /// Plans the selection, and lets thresholds have their say: while the plans of some
    /// are spooled, the next are planned.
    ///
    /// Returns whether the run may go on; otherwise it is held.
    pub(super) fn plan_wave(&mut self) -> Result<bool, RefreshError> {
        self.count_policies();
        // A wave that was cut short is planned again from its beginning.
        let planning = Planning::of(self)?;
        let mut wave = Wave::default();
        self.small_wave.clear();
        (self.planned, self.written) = (0, 0);
        let mut ready = planning.behind(None)?;
        while let Some(last) = ready.last {
            let mut next = Ok(Group::default());
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| next = planning.behind(Some(last)));
                self.note(ready, &mut wave)
            })?;
            ready = next?;
        }
        if self.settle_claims(&planning.context, wave.claims, &mut wave.tally)? {
            wave.outlook.cut();
        }
        self.check_exceptions()?;
        self.run.counters.refreshed += wave.done;
        self.run.counters.waves += u64::from(wave.done > 0);
        self.at_once = self.at_once(wave.outlook, &planning.awaited)?;
        let verdict = self.gate(&wave.tally)?;
        self.run.held_kinds.extend(verdict.kinds);
        if let Some(reason) = verdict.run {
            return self.hold(reason).map(|()| false);
        }
        self.run.step.stage = Stage::Apply;
        self.run.step.cursor = None;
        if self.small_wave.is_empty() {
            // A small wave is applied in one transaction, which stores the run
            // as well; until then it counts as not planned.
            self.store.update_run(&self.run)?;
        }
        Ok(true)
    }

    /// Notes what was planned: in the spool, unless it is the whole wave and small.
    fn note(&mut self, group: Group, wave: &mut Wave) -> Result<(), RefreshError> {
        let is_small = wave.done == 0 && group.is_last && group.identities <= self.chunk();
        for chunk in group.chunks {
            wave.tally.add(&chunk.tally);
            wave.outlook.add(chunk.outlook);
            self.exceptions.add(chunk.exceptions);
            self.planned += chunk.plans.len() as u64;
            wave.claims.note(&chunk.plans);
            if is_small {
                self.small_wave = chunk.plans;
            } else if !chunk.plans.is_empty() {
                self.store.spool(self.run.id, &chunk.plans)?;
            }
        }
        wave.done += group.identities as u64;
        self.check_exceptions()?;
        self.tell(wave.done, wave.done.max(self.run.counters.selected))
    }
}

/// What a wave has come to so far.
#[derive(Default)]
struct Wave {
    /// Identities that are planned.
    done: u64,
    tally: Tally,
    claims: WaveClaims,
    outlook: Outlook,
}

/// So many exceptions are said.
const EXAMPLES: usize = 3;

/// Returns the first error that a plan opens. That somebody is to decide about
/// an entitlement or a policy violation is none: nothing went wrong.
pub(super) fn opened<'c>(changes: &'c Changes, before: &Identity) -> Option<&'c Finding> {
    changes.findings.iter().flatten().find(|new| {
        new.severity < Severity::Warning
            && ![ENTITLEMENTS, POLICIES, PROVISIONING].contains(&new.phase)
            && !before.findings.iter().any(|old| old.is_same(new))
    })
}

/// Identities that planning opens errors about.
#[derive(Default)]
pub(super) struct Exceptions {
    count: u64,
    /// The first of them, in a line each.
    examples: Vec<String>,
}

impl Exceptions {
    fn note(&mut self, changes: &Changes, before: &Identity) {
        let Some(finding) = opened(changes, before) else {
            return;
        };
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            let Finding {
                phase,
                subject,
                message,
                ..
            } = finding;
            let name = &before.name;
            self.examples
                .push(format!("  {name}: {phase}: {subject}: {message}"));
        }
    }

    /// Notes a plan that takes the place of another, which may have been noted.
    pub(super) fn note_again(&mut self, noted: bool, changes: &Changes, before: &Identity) {
        if !noted {
            self.note(changes, before);
        }
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.examples.extend(other.examples);
        self.examples.truncate(EXAMPLES);
    }
}

impl Driver<'_> {
    fn check_exceptions(&mut self) -> Result<(), RefreshError> {
        match self.run.settings.max_exceptions {
            Some(most) if self.exceptions.count >= most => Err(RefreshError::TooManyExceptions {
                run: self.run.id,
                exceptions: self.exceptions.count,
                most,
                examples: std::mem::take(&mut self.exceptions.examples),
            }),
            _ => Ok(()),
        }
    }
}

/// The plans of a chunk: only of identities to which something happens.
#[derive(Default)]
struct ChunkPlan {
    plans: Vec<SpooledPlan>,
    tally: Tally,
    outlook: Outlook,
    exceptions: Exceptions,
}

/// Who is planned at a time, in chunks.
#[derive(Default)]
struct Group {
    /// The last of them; none when nobody is left.
    last: Option<Uid>,
    /// Whether nobody is left behind them, as far as that can be seen.
    is_last: bool,
    identities: usize,
    chunks: Vec<ChunkPlan>,
}

/// Plans a wave, and writes nothing.
struct Planning<'a> {
    store: &'a dyn Store,
    in_hand: Arc<InHand>,
    context: PlanContext,
    awaited: Awaited,
    evaluators: Arc<Evaluators>,
    run: Run,
    chunk: usize,
}

impl<'a> Planning<'a> {
    fn of(driver: &Driver<'a>) -> Result<Self, RefreshError> {
        Ok(Self {
            store: driver.store,
            in_hand: Arc::clone(&driver.in_hand),
            context: driver.context()?,
            awaited: driver.store.awaited()?,
            evaluators: Arc::clone(&driver.evaluators),
            run: driver.run.clone(),
            chunk: driver.chunk(),
        })
    }

    /// Plans some of the selection behind a cursor.
    fn behind(&self, cursor: Option<Uid>) -> Result<Group, RefreshError> {
        let many = self.chunk * rayon::current_num_threads();
        let uids = self.store.selected(self.run.id, cursor, many)?;
        let chunks = uids.par_chunks(self.chunk);
        let chunks: Vec<_> = chunks.map(|uids| self.plan(uids)).collect();
        Ok(Group {
            last: uids.last().copied(),
            is_last: uids.len() < many,
            identities: uids.len(),
            chunks: chunks.into_iter().collect::<Result<_, _>>()?,
        })
    }

    fn plan(&self, uids: &[Uid]) -> Result<ChunkPlan, RefreshError> {
        self.evaluators.with(|evaluator| {
            let mut planner = Planner::new(evaluator);
            planner.judge_only(self.run.settings.policies.as_deref());
            let mut chunk = ChunkPlan::default();
            for uids in uids.chunks(TOGETHER) {
                let records = self.in_hand.read(self.store, uids)?;
                let _section = meter::section(meter::Stage::Plan);
                let mut planned = Vec::new();
                for record in records {
                    let (plan, before) =
                        plan_one(&mut planner, &self.context, self.run.silent, record)?;
                    if let Some(plan) = plan {
                        chunk.tally.note(&plan.changes, &before.identity);
                        let outlook = &mut chunk.outlook;
                        outlook.note(&plan.changes, &before.identity, &self.awaited);
                        chunk.exceptions.note(&plan.changes, &before.identity);
                        chunk.plans.push(plan);
                        planned.push(before);
                    }
                }
                self.in_hand.keep(planned);
            }
            Ok(chunk)
        })
    }
}

/// Plans one identity; `None` when there is nothing to write about it.
pub(super) fn plan_one(
    planner: &mut Planner<'_>,
    context: &PlanContext,
    silent: bool,
    record: IdentityRecord,
) -> Result<(Option<SpooledPlan>, IdentityRecord), RefreshError> {
    let planned = planner.plan(context, record, false)?;
    let (mut record, changes) = (planned.record, planned.changes);
    let retries = &record.identity.retries;
    let is_retried = retries.events.is_some_and(|at| at.at <= context.as_of);
    let mut events = !changes.is_empty() || is_retried;
    if !events {
        // Nothing changed, so triggers can be asked at once: almost always
        // they have nothing to say, and the identity isn't read again.
        let asked = planner.plan_events(context, record, context.as_of, silent)?;
        record = asked.record;
        events = !asked.changes.changes_nothing(&record.identity);
        // Accounts may have changed without anything that follows from them.
        let keeps = context.model.history.kept && !planted::is(Bug::ForgetFirstImage);
        if !events && keeps && record.versions.inputs_changed() {
            events = record.identity.history != Some(Image::of(&record).digest());
        }
    }
    let plan = (events || record.versions.inputs_changed()).then_some(SpooledPlan {
        uid: record.identity.uid,
        planned: record.versions,
        events,
        changes,
    });
    Ok((plan, record))
}
