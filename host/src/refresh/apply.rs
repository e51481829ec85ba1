//! Applying a wave: the spool in order, chunk by chunk, each in one transaction
//! with the cursor.

use std::sync::Arc;

use idr_core::meter::{self, Stage};
use idr_core::model::{Name, Uid};
use idr_core::plan::Planner;

use super::carry_out::{Carried, Carrier};
use super::events::Judge;
use super::planning::plan_one;
use super::{Driver, RefreshError};
use crate::store::{ApplyChunk, Run, SpooledPlan};

impl Driver<'_> {
    /// Applies the wave's plans behind the cursor: while one chunk is written, the
    /// next is carried out.
    pub(super) fn apply_wave(&mut self) -> Result<(), RefreshError> {
        let model = Arc::clone(&self.configured.model);
        let carrier = Carrier {
            store: self.store,
            in_hand: Arc::clone(&self.in_hand),
            run: self.run.clone(),
            looked_up: model.lookup_attributes(),
            model,
            evaluators: Arc::clone(&self.evaluators),
            at_once: self.at_once,
            judge: Judge::of(self),
        };
        let small_wave = std::mem::take(&mut self.small_wave);
        if !small_wave.is_empty() {
            return self.write(&carrier, carrier.carry_out(small_wave)?);
        }
        let chunk = self.chunk();
        let behind = |cursor| -> Result<Option<Carried>, RefreshError> {
            let plans = carrier.store.spooled(carrier.run.id, cursor, chunk)?;
            let some = (!plans.is_empty()).then(|| carrier.carry_out(plans));
            some.transpose()
        };
        let mut ready = behind(self.run.step.cursor)?;
        while let Some(carried) = ready {
            let last = carried.last;
            let mut next = Ok(None);
            rayon::in_place_scope(|scope| {
                scope.spawn(|_| next = behind(last));
                self.write(&carrier, carried)
            })?;
            ready = next?;
        }
        Ok(())
    }

    /// Writes what plans were carried out to in one transaction. Identities that
    /// have moved on since they were planned are planned again.
    fn write(&mut self, carrier: &Carrier<'_>, carried: Carried) -> Result<(), RefreshError> {
        let _section = meter::section(Stage::Apply);
        self.run.step.cursor = carried.last;
        let mut carried = carried;
        loop {
            let mut counters = self.run.counters.clone();
            counters.add(&carried.counters);
            counters.elapsed_ms = self.elapsed_ms();
            let chunk = ApplyChunk {
                instant: Some(self.run.step.instant),
                run: Run {
                    counters,
                    ..self.run.clone()
                },
                ..carried.chunk
            };
            let stale = self.store.apply(&chunk)?;
            self.run.counters = chunk.run.counters;
            self.note_written(chunk.writes.len() - stale.len())?;
            let written = chunk.writes.into_iter().zip(carried.left);
            let pending = written.filter_map(|(write, left)| left?.with(write));
            self.in_hand.keep(pending);
            if stale.is_empty() {
                return Ok(());
            }
            carried = carrier.carry_out(self.plan_again(&stale)?)?;
        }
    }

    /// Counts the policies that the run judges, once.
    pub(super) fn count_policies(&mut self) {
        let policies = self.configured.model.policies.iter();
        let only = &self.run.settings.policies;
        let is_judged = |name: Name| only.as_ref().is_none_or(|only| only.contains(&name));
        let judged = policies.filter(|policy| is_judged(policy.name)).count() as u64;
        let counters = &mut self.run.counters;
        if !counters.changes.contains_key("policies") {
            counters.count("policies", judged);
        }
    }

    /// Plans identities whose inputs have changed since they were planned.
    fn plan_again(&mut self, uids: &[Uid]) -> Result<Vec<SpooledPlan>, RefreshError> {
        self.run.counters.count("replanned", uids.len() as u64);
        let context = self.context()?;
        let records = self.store.read_chunk(uids)?;
        self.evaluators.with(|evaluator| {
            let mut planner = Planner::new(evaluator);
            planner.judge_only(self.run.settings.policies.as_deref());
            let mut plans = Vec::new();
            for record in records {
                plans.extend(plan_one(&mut planner, &context, self.run.silent, record)?.0);
            }
            Ok(plans)
        })
    }
}
