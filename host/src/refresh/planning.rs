//! Planning a wave: read-only, in parallel, into the spool.

use std::sync::{Arc, Mutex, PoisonError};

use idr_core::meter;
use idr_core::model::finding::{ENTITLEMENTS, POLICIES, PROVISIONING};
use idr_core::model::{Finding, Identity, IdentityRecord, Image, Severity, Uid};
use idr_core::plan::{Changes, PlanContext, Planner};
use idr_core::planted::{self, Bug};
use idr_core::rule::RuleEvaluator;
use rayon::prelude::*;

use super::claims::WaveClaims;
use super::gate::Tally;
use super::in_hand::InHand;
use super::{Driver, RefreshError, RuleHost};
use crate::store::{Run, SpooledPlan, Stage, Store};

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
    /// Plans the selection, and lets thresholds have their say.
    ///
    /// Returns whether the run may go on; otherwise it is held.
    pub(super) fn plan_wave(&mut self) -> Result<bool, RefreshError> {
        self.count_policies();
        // A wave that was cut short is planned again from its beginning.
        let context = self.context()?;
        let mut tally = Tally::default();
        let mut claims = WaveClaims::default();
        let mut after = None;
        let mut done = 0;
        let chunk_size = self.chunk();
        let in_hand = Arc::clone(&self.in_hand);
        let source = (in_hand.as_ref(), self.store);
        let group = chunk_size * rayon::current_num_threads() * 2;
        self.small_wave.clear();
        (self.planned, self.written) = (0, 0);
        loop {
            let uids = self.store.selected(self.run.id, after, group)?;
            let Some(last) = uids.last().copied() else {
                break;
            };
            let chunks: Vec<_> = uids
                .par_chunks(chunk_size)
                .map(|uids| plan_chunk(source, &context, &self.evaluators, &self.run, uids))
                .collect();
            let whole_wave = after.is_none() && uids.len() <= chunk_size;
            for chunk in chunks {
                let chunk = chunk?;
                tally.add(&chunk.tally);
                self.exceptions.add(chunk.exceptions);
                self.planned += chunk.plans.len() as u64;
                claims.note(&chunk.plans);
                self.in_hand.keep(chunk.records);
                if whole_wave {
                    self.small_wave = chunk.plans;
                } else if !chunk.plans.is_empty() {
                    self.store.spool(self.run.id, &chunk.plans)?;
                }
            }
            after = Some(last);
            done += uids.len() as u64;
            self.check_exceptions()?;
            self.tell(done, done.max(self.run.counters.selected))?;
        }
        self.settle_claims(&context, claims, &mut tally)?;
        self.check_exceptions()?;
        self.run.counters.refreshed += done;
        self.run.counters.waves += u64::from(done > 0);
        let verdict = self.gate(&tally)?;
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
struct ChunkPlan {
    plans: Vec<SpooledPlan>,
    /// What they were planned with.
    records: Vec<IdentityRecord>,
    tally: Tally,
    exceptions: Exceptions,
}

fn plan_chunk(
    (in_hand, store): (&InHand, &dyn Store),
    context: &PlanContext,
    evaluators: &Evaluators,
    run: &Run,
    uids: &[Uid],
) -> Result<ChunkPlan, RefreshError> {
    let records = in_hand.read(store, uids)?;
    let _section = meter::section(meter::Stage::Plan);
    evaluators.with(|evaluator| {
        let mut planner = Planner::new(evaluator);
        planner.judge_only(run.settings.policies.as_deref());
        let mut chunk = ChunkPlan {
            plans: Vec::new(),
            records: Vec::new(),
            tally: Tally::default(),
            exceptions: Exceptions::default(),
        };
        for record in records {
            let (plan, before) = plan_one(&mut planner, context, run.silent, record)?;
            if let Some(plan) = plan {
                chunk.tally.note(&plan.changes, &before.identity);
                chunk.exceptions.note(&plan.changes, &before.identity);
                chunk.plans.push(plan);
                chunk.records.push(before);
            }
        }
        Ok(chunk)
    })
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
