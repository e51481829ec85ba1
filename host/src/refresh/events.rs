//! Processing events, when the waves of an instant have settled.

use std::collections::BTreeMap;

use idr_core::meter;
use idr_core::model::{EffectKind, Handler, IdentityRecord, Image, Name, Uid, Versions};
use idr_core::plan::{EventChanges, PlanContext, Planner};
use idr_core::planted::{self, Bug};
use rayon::prelude::*;

use super::gate::Verdict;
use super::planning::Evaluators;
use super::{Driver, RefreshError};
use crate::store::{ApplyChunk, IdentityWrite, Run, Stage, Store};

impl Driver<'_> {
    /// Processes the events of everybody for whom they are pending, behind the cursor.
    ///
    /// Returns whether the run may go on; otherwise it is held.
    pub(super) fn process_events(&mut self) -> Result<bool, RefreshError> {
        let context = self.context()?;
        let verdict = self.too_many_events(&context)?;
        self.run.held_kinds.extend(verdict.kinds);
        if let Some(reason) = verdict.run {
            return self.hold_at(Stage::Events, reason).map(|()| false);
        }
        let group = self.chunk() * rayon::current_num_threads() * 2;
        (self.planned, self.written) = (0, 0);
        loop {
            let uids = self.store.events_pending(self.run.step.cursor, group)?;
            if uids.is_empty() {
                return Ok(true);
            }
            for chunk in self.plan_events(&context, &uids) {
                self.record(chunk?)?;
            }
        }
    }

    /// Says which of the events that are pending may not be recorded, by the
    /// thresholds of triggers. They are all judged beforehand; where no trigger
    /// has a threshold nobody is judged twice.
    fn too_many_events(&self, context: &PlanContext) -> Result<Verdict, RefreshError> {
        let mut triggers = context.model.triggers.iter();
        let bounded = triggers.any(|trigger| trigger.threshold.is_some());
        // Behind a cursor it was let through, and some of it is recorded.
        if !bounded || self.run.approved || self.run.silent || self.run.step.cursor.is_some() {
            return Ok(Verdict::default());
        }
        let group = self.chunk() * rayon::current_num_threads() * 2;
        let mut fired: BTreeMap<Name, u64> = BTreeMap::new();
        let mut after = None;
        loop {
            let uids = self.store.events_pending(after, group)?;
            let Some(last) = uids.last() else {
                return self.gate_events(&fired);
            };
            after = Some(*last);
            for chunk in self.plan_events(context, &uids) {
                for event in chunk?.into_iter().flat_map(|(_, changes)| changes.events) {
                    *fired.entry(event.trigger).or_default() += 1;
                }
            }
        }
    }

    fn plan_events(
        &self,
        context: &PlanContext,
        uids: &[Uid],
    ) -> Vec<Result<Vec<(IdentityRecord, EventChanges)>, RefreshError>> {
        let (detected_at, silent) = (self.run.started_at, self.run.silent);
        let held = self.held_triggers();
        uids.par_chunks(self.chunk())
            .map(|uids| {
                plan_chunk(
                    self.store,
                    context,
                    &self.evaluators,
                    detected_at,
                    silent,
                    &held,
                    uids,
                )
            })
            .collect()
    }

    fn record(&mut self, planned: Vec<(IdentityRecord, EventChanges)>) -> Result<(), RefreshError> {
        let _section = meter::section(meter::Stage::Apply);
        self.run.step.cursor = planned.last().map(|(record, _)| record.identity.uid);
        let mut chunk = ApplyChunk {
            instant: Some(self.run.step.instant),
            ..Default::default()
        };
        let mut counters = self.run.counters.clone();
        for (record, changes) in planned {
            let findings_changed = changes.findings_differ(&record.identity);
            if findings_changed {
                let known = &record.identity.findings;
                let opened = changes
                    .findings
                    .iter()
                    .filter(|new| !known.iter().any(|old| old.is_same(new)));
                counters.findings_opened += opened.count() as u64;
            }
            counters.count("held", changes.held.len() as u64);
            for event in &changes.events {
                *counters
                    .events
                    .entry(event.trigger.to_string())
                    .or_default() += 1;
            }
            let kept = self.configured.model.history.kept;
            let (write, image) = carry_out(&changes, record, findings_changed, kept);
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
        counters.elapsed_ms = self.elapsed_ms();
        chunk.run = Run {
            counters,
            ..self.run.clone()
        };
        // Whoever has moved on since stays pending: the next run sees to it.
        self.store.apply(&chunk)?;
        self.run.counters = chunk.run.counters;
        self.note_written(chunk.writes.len())
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

fn plan_chunk(
    store: &dyn Store,
    context: &PlanContext,
    evaluators: &Evaluators,
    detected_at: idr_core::model::UnixMillis,
    silent: bool,
    held: &[Name],
    uids: &[Uid],
) -> Result<Vec<(IdentityRecord, EventChanges)>, RefreshError> {
    let records = store.read_chunk(uids)?;
    let _section = meter::section(meter::Stage::Events);
    evaluators.with(|evaluator| {
        let mut planner = Planner::new(evaluator);
        planner.hold(held);
        let plan = |record| {
            let planned = planner.plan_events(context, record, detected_at, silent)?;
            Ok((planned.record, planned.changes))
        };
        records.into_iter().map(plan).collect()
    })
}

fn carry_out(
    changes: &EventChanges,
    record: IdentityRecord,
    findings_changed: bool,
    keeps_history: bool,
) -> (IdentityWrite, Option<Image>) {
    // Nothing that it is changes by its events.
    let image = keeps_history.then(|| Image::of(&record));
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
    identity.apply_events(changes);
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
    (write, image.map(|(_, image)| image))
}
