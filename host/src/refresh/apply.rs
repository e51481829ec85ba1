//! Applying a wave: the spool in order, chunk by chunk, each in one transaction
//! with the cursor.

use idr_core::meter::{self, Stage};
use idr_core::model::{Name, Uid};
use idr_core::plan::Planner;
use rayon::prelude::*;

use super::carry_out::{Carrier, parts};
use super::planning::plan_one;
use super::{Driver, RefreshError};
use crate::store::{ApplyChunk, SpooledPlan};

impl Driver<'_> {
    /// Applies the wave's plans behind the cursor.
    pub(super) fn apply_wave(&mut self) -> Result<(), RefreshError> {
        let small_wave = std::mem::take(&mut self.small_wave);
        if !small_wave.is_empty() {
            return self.apply_plans(small_wave);
        }
        loop {
            let plans = self
                .store
                .spooled(self.run.id, self.run.step.cursor, self.chunk())?;
            if plans.is_empty() {
                return Ok(());
            }
            self.apply_plans(plans)?;
        }
    }

    /// Applies some plans in one transaction. Identities that have moved on
    /// since they were planned are planned again.
    fn apply_plans(&mut self, plans: Vec<SpooledPlan>) -> Result<(), RefreshError> {
        let _section = meter::section(Stage::Apply);
        let mut plans = plans;
        self.run.step.cursor = plans.last().map(|plan| plan.uid);
        while !plans.is_empty() {
            let mut chunk = ApplyChunk {
                instant: Some(self.run.step.instant),
                ..Default::default()
            };
            let mut counters = self.run.counters.clone();
            let carrier = Carrier {
                store: self.store,
                run: &self.run,
                model: &self.configured.model,
            };
            let carried: Vec<_> = parts(plans)
                .into_par_iter()
                .map(|plans| carrier.carry_out(plans))
                .collect();
            for part in carried {
                let part = part?;
                chunk.writes.extend(part.writes);
                chunk.changed_keys.extend(part.changed_keys);
                chunk.audit.extend(part.audit);
                counters.add(&part.counters);
            }
            counters.elapsed_ms = self.elapsed_ms();
            chunk.run = crate::store::Run {
                counters,
                ..self.run.clone()
            };
            let stale = self.store.apply(&chunk)?;
            self.run.counters = chunk.run.counters;
            self.note_written(chunk.writes.len() - stale.len())?;
            plans = self.plan_again(&stale)?;
        }
        Ok(())
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
        if uids.is_empty() {
            return Ok(Vec::new());
        }
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
