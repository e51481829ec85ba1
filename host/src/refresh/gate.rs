//! The gate: no run changes more than its thresholds allow without a person.

use idr_core::definitions::Threshold;
use idr_core::model::Identity;
use idr_core::plan::Changes;

use super::{Driver, RefreshError};
use crate::store::RunStatus;

/// What a wave's plans come to, as far as thresholds count it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    leavers: u64,
    role_removals: u64,
}

impl Tally {
    pub(super) fn note(&mut self, changes: &Changes, before: &Identity) {
        self.leavers += u64::from(changes.is_leaver(before));
        self.role_removals += u64::from(changes.removes_role(before));
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.leavers += other.leavers;
        self.role_removals += other.role_removals;
    }
}

impl Driver<'_> {
    /// Says why the wave may not be applied, if it may not.
    ///
    /// Counts what the run has done so far and what the wave would do, against
    /// all identities that it could apply to, never against the selection.
    pub(super) fn gate(&self, tally: &Tally) -> Result<Option<String>, RefreshError> {
        let thresholds = self.configured.model.thresholds;
        if self.run.approved || (tally.leavers == 0 && tally.role_removals == 0) {
            return Ok(None);
        }
        let population = self.store.population()?;
        let counters = &self.run.counters;
        let checks = [
            (
                "leavers",
                thresholds.leavers,
                counters.leavers + tally.leavers,
                { population.active + counters.leavers },
            ),
            (
                "role_removals",
                thresholds.role_removals,
                counters.role_removals + tally.role_removals,
                population.with_roles + counters.role_removals,
            ),
        ];
        let tripped = checks
            .into_iter()
            .filter_map(|(name, threshold, count, of)| {
                let threshold = threshold?;
                let allowed = threshold.allowed(of);
                let bound = match threshold {
                    Threshold::Count(count) => count.to_string(),
                    Threshold::BasisPoints(points) => {
                        format!(
                            "{}.{:02} % of {of}, that is {allowed}",
                            points / 100,
                            points % 100
                        )
                    }
                };
                (count > allowed).then(|| format!("{count} {name} are more than {bound}"))
            });
        let reasons: Vec<_> = tripped.collect();
        Ok((!reasons.is_empty()).then(|| reasons.join("; ")))
    }

    /// Lays the run aside for a person, with its plans in the spool.
    pub(super) fn hold(&mut self, reason: String) -> Result<(), RefreshError> {
        let plans = std::mem::take(&mut self.small_wave);
        if !plans.is_empty() {
            self.store.spool(self.run.id, &plans)?;
        }
        self.run.status = RunStatus::Held;
        self.run.held = Some(reason);
        self.run.step.stage = crate::store::Stage::Apply;
        self.run.step.cursor = None;
        self.run.counters.elapsed_ms = self.elapsed_ms();
        self.store.update_run(&self.run)?;
        Ok(())
    }
}
