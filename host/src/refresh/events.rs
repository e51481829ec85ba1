//! Processing events, when the waves of an instant have settled; of those whose events
//! weren't judged with their plans already (`at_once`).

use std::collections::BTreeMap;
use std::sync::Arc;

use idr_core::definitions::Model;
use idr_core::meter;
use idr_core::model::{
    EffectKind, Finding, Handler, IdentityRecord, Image, Name, Uid, UnixMillis, Versions,
};
use idr_core::plan::{EventChanges, PlanContext, PlannedEvents, Planner};
use idr_core::planted::{self, Bug};
use idr_core::rule::RuleEvaluator;
use idr_core::view::{Snapshot, SnapshotError};
use rayon::prelude::*;

use super::gate::Verdict;
use super::in_hand::InHand;
use super::planning::Evaluators;
use super::{Driver, RefreshError, TOGETHER};
use crate::store::{ApplyChunk, Counters, IdentityWrite, Stage, Store};

impl Driver<'_> {
    /// Processes the events of everybody for whom they are pending, behind the
    /// cursor: while those of some are recorded, those of the next are judged.
    ///
    /// Returns whether the run may go on; otherwise it is held.
    pub(super) fn process_events(&mut self) -> Result<bool, RefreshError> {
        let verdict = self.too_many_events()?;
        self.run.held_kinds.extend(verdict.kinds);
        if let Some(reason) = verdict.run {
            return self.hold_at(Stage::Events, reason).map(|()| false);
        }
        let judging = Judging::of(self)?;
        (self.planned, self.written) = (0, 0);
        let mut ready = judging.behind(self.run.step.cursor)?;
        while let Some(last) = ready.last {
            let mut next = Ok(Pending::default());
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| next = judging.behind(Some(last)));
                let mut chunks = ready.chunks.into_iter();
                chunks.try_for_each(|chunk| self.record(chunk))
            })?;
            ready = next?;
        }
        Ok(true)
    }

    /// Says which of the events that are pending may not be recorded, by the
    /// thresholds of triggers. They are all judged beforehand; where no trigger
    /// has a threshold nobody is judged twice.
    fn too_many_events(&self) -> Result<Verdict, RefreshError> {
        // Behind a cursor it was let through, and some of it is recorded.
        if !self.bounds_events() || self.run.step.cursor.is_some() {
            return Ok(Verdict::default());
        }
        let judging = Judging::of(self)?;
        let mut fired: BTreeMap<Name, u64> = BTreeMap::new();
        let mut after = None;
        loop {
            let pending = judging.behind(after)?;
            if pending.last.is_none() {
                return self.gate_events(&fired);
            }
            after = pending.last;
            let judged = pending.chunks.into_iter();
            for event in judged.flat_map(|judged| judged.chunk.events) {
                *fired.entry(event.trigger).or_default() += 1;
            }
        }
    }

    /// Says whether thresholds of triggers may stand in the way of events.
    pub(super) fn bounds_events(&self) -> bool {
        let mut triggers = self.configured.model.triggers.iter();
        let bounded = triggers.any(|trigger| trigger.threshold.is_some());
        bounded && !self.run.approved && !self.run.silent
    }

    fn record(&mut self, judged: JudgedChunk) -> Result<(), RefreshError> {
        let _section = meter::section(meter::Stage::Apply);
        let JudgedChunk {
            mut chunk,
            counters,
        } = judged;
        let last = chunk.writes.last().map(|write| write.uid);
        self.run.step.cursor = last.or(self.run.step.cursor);
        self.run.counters.add(&counters);
        self.run.counters.elapsed_ms = self.elapsed_ms();
        chunk.run = self.run.clone();
        chunk.instant = Some(self.run.step.instant);
        // Whoever has moved on since stays pending: the next run sees to it.
        self.store.apply(&chunk)?;
        self.note_written(chunk.writes.len())
    }
}

/// What the triggers of an identity come to, carried out on it.
pub(super) struct Judged {
    changes: EventChanges,
    write: IdentityWrite,
    /// What is kept of its history.
    image: Option<Image>,
    findings_opened: u64,
}

impl Judged {
    /// Writes with the events what would have been written before them.
    ///
    /// - `plan`: all of it but the identity.
    pub(super) fn with(mut self, plan: IdentityWrite) -> Self {
        self.write = IdentityWrite {
            expected: plan.expected,
            findings_changed: self.write.findings_changed || plan.findings_changed,
            reads_changed: self.write.reads_changed || plan.reads_changed,
            keys_changed: plan.keys_changed,
            claims: plan.claims,
            ..self.write
        };
        self
    }

    /// Adds this to what is written, and counts it.
    pub(super) fn add_to(self, chunk: &mut ApplyChunk, counters: &mut Counters) {
        let Self {
            changes,
            write,
            image,
            findings_opened,
        } = self;
        counters.findings_opened += findings_opened;
        counters.count("held", changes.held.len() as u64);
        for event in &changes.events {
            *counters
                .events
                .entry(event.trigger.to_string())
                .or_default() += 1;
        }
        if let Some(image) = image {
            counters.count("snapshotsCreated", 1);
            chunk.history.push((write.uid, image));
        }
        chunk.writes.push(write);
        for effect in &changes.effects {
            for counter in ["effects", counter_of(&effect.what)] {
                counters.count(counter, 1);
            }
        }
        chunk.events.extend(changes.events);
        chunk.effects.extend(changes.effects);
        chunk.withdrawn.extend(changes.withdrawn);
    }
}

/// Returns the counter of effects like this one.
fn counter_of(what: &EffectKind) -> &'static str {
    match what {
        EffectKind::Account(_) => "accountActions",
        EffectKind::WorkItem(_) => "workItems",
        EffectKind::Handler { handler, .. } => match handler {
            Handler::WorkItem { .. } => "workItems",
            Handler::Workflow { .. } => "workflows",
            Handler::Webhook { .. } => "webhooks",
        },
    }
}

/// Who is judged at a time, in chunks.
#[derive(Default)]
struct Pending {
    /// The last of them; none when nobody is left.
    last: Option<Uid>,
    chunks: Vec<JudgedChunk>,
}

/// What those of a chunk come to.
#[derive(Default)]
struct JudgedChunk {
    /// What is to be written; the run is still missing.
    chunk: ApplyChunk,
    counters: Counters,
}

/// Judges triggers, and writes nothing.
pub(super) struct Judge {
    model: Arc<Model>,
    instant: UnixMillis,
    detected_at: UnixMillis,
    silent: bool,
    held: Vec<Name>,
}

impl Judge {
    pub(super) fn of(driver: &Driver<'_>) -> Self {
        Self {
            model: Arc::clone(&driver.configured.model),
            instant: driver.run.step.instant,
            detected_at: driver.run.started_at,
            silent: driver.run.silent,
            held: driver.held_triggers(),
        }
    }

    /// Returns a planner that lets no trigger fire which may not.
    pub(super) fn planner<'e>(&self, evaluator: &'e mut dyn RuleEvaluator) -> Planner<'e> {
        let mut planner = Planner::new(evaluator);
        planner.hold(&self.held);
        planner
    }

    /// Returns the context of what is judged, which sees so much of others.
    pub(super) fn context(&self, snapshot: Arc<dyn Snapshot>) -> PlanContext {
        PlanContext {
            model: Arc::clone(&self.model),
            snapshot,
            as_of: self.instant,
        }
    }

    /// Works out what the triggers of an identity come to.
    pub(super) fn plan(
        &self,
        planner: &mut Planner<'_>,
        context: &PlanContext,
        record: IdentityRecord,
    ) -> Result<PlannedEvents, SnapshotError> {
        planner.plan_events(context, record, self.detected_at, self.silent)
    }

    /// Carries it out on the identity.
    pub(super) fn carry_out(&self, planned: PlannedEvents) -> Judged {
        let PlannedEvents {
            changes, record, ..
        } = planned;
        let known = &record.identity.findings;
        let is_new = |new: &&Finding| !known.iter().any(|old| old.is_same(new));
        let findings_opened = changes.findings.iter().filter(is_new).count() as u64;
        let findings_changed = changes.findings_differ(&record.identity);
        // Nothing that it is changes by its events.
        let keeps = self.model.history.kept;
        let image = keeps.then(|| Image::of(&record));
        let known = record.identity.history;
        let image = image.map(|image| (image.digest(), image));
        let image = image.filter(|(digest, _)| known != Some(*digest));
        let mut identity = record.identity;
        if let Some((digest, _)) = &image {
            identity.history = Some(*digest);
        }
        let reads_changed = changes.reads != identity.event_reads;
        // What is proposed is an input of the next refresh; and whoever's events are
        // left out stays due.
        let proposes = changes.proposes_anew && !planted::is(Bug::ForgetProposal);
        let is_held = !changes.held.is_empty() && !planted::is(Bug::SettleHeldEvents);
        let anew = i64::from(proposes || is_held);
        identity.apply_events(&changes);
        let write = IdentityWrite {
            uid: identity.uid,
            identity: Some(identity),
            expected: record.versions,
            versions: Versions {
                input: record.versions.input + anew,
                events_read: record.versions.state,
                ..record.versions
            },
            findings_changed,
            reads_changed,
            keys_changed: false,
            claims: Vec::new(),
        };
        Judged {
            changes,
            write,
            image: image.map(|(_, image)| image),
            findings_opened,
        }
    }
}

/// Judges those for whom events are pending.
struct Judging<'a> {
    store: &'a dyn Store,
    in_hand: Arc<InHand>,
    judge: Judge,
    context: PlanContext,
    evaluators: Arc<Evaluators>,
    chunk: usize,
}

impl<'a> Judging<'a> {
    fn of(driver: &Driver<'a>) -> Result<Self, RefreshError> {
        Ok(Self {
            store: driver.store,
            in_hand: Arc::clone(&driver.in_hand),
            judge: Judge::of(driver),
            context: driver.context()?,
            evaluators: Arc::clone(&driver.evaluators),
            chunk: driver.chunk(),
        })
    }

    /// Judges some of those behind a cursor for whom events are pending.
    fn behind(&self, cursor: Option<Uid>) -> Result<Pending, RefreshError> {
        let many = self.chunk * rayon::current_num_threads();
        let uids = self.store.events_pending(cursor, many)?;
        let chunks = uids.par_chunks(self.chunk);
        let chunks: Vec<_> = chunks.map(|uids| self.judge(uids)).collect();
        Ok(Pending {
            last: uids.last().copied(),
            chunks: chunks.into_iter().collect::<Result<_, _>>()?,
        })
    }

    fn judge(&self, uids: &[Uid]) -> Result<JudgedChunk, RefreshError> {
        self.evaluators.with(|evaluator| {
            let mut planner = self.judge.planner(evaluator);
            let mut judged = JudgedChunk::default();
            for uids in uids.chunks(TOGETHER) {
                let records = self.in_hand.read(self.store, uids)?;
                let _section = meter::section(meter::Stage::Events);
                for record in records {
                    let planned = self.judge.plan(&mut planner, &self.context, record)?;
                    let of_one = self.judge.carry_out(planned);
                    of_one.add_to(&mut judged.chunk, &mut judged.counters);
                }
            }
            self.store.prepare(&mut judged.chunk);
            Ok(judged)
        })
    }
}
