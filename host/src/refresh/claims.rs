//! Settling claims: who of a wave gets a unique value that several would take.
//!
//! Plans of a wave don't see each other, so several may take one value. Before
//! the gate they are gone through in one order, whatever the chunks and
//! threads. What accounts and people say is set aside first, in order of uid;
//! then each plan takes what it would, those that generate names last. Whoever
//! comes too late is planned again with what is taken by then. What it leaves to
//! others by that may have been refused to somebody before: who was refused has
//! read the claim, and is in the next wave.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use idr_core::model::{Claim, ClaimOrigin, Holder, Name, Uid, Value};
use idr_core::plan::{Changes, PlanContext, Planner};
use idr_core::view::{Snapshot, SnapshotError};

use super::gate::Tally;
use super::planning::{opened, plan_one};
use super::{Driver, RefreshError};
use crate::store::SpooledPlan;

/// What the plans of a wave would take: whether any of it is generated, and
/// whose they are.
#[derive(Default)]
pub(super) struct WaveClaims(BTreeMap<(bool, Uid), Vec<Wanted>>);

/// A unique value that a plan would take.
struct Wanted {
    claim: Claim,
    /// Whether it is set aside before any plan takes something.
    is_given: bool,
}

impl WaveClaims {
    pub(super) fn note(&mut self, plans: &[SpooledPlan]) {
        for plan in plans.iter().filter(|plan| !plan.changes.claims.is_empty()) {
            self.insert(plan);
        }
    }

    fn insert(&mut self, plan: &SpooledPlan) {
        let claims = &plan.changes.claims;
        let generates = claims
            .iter()
            .any(|new| new.origin == ClaimOrigin::Generated);
        let wanted = claims.iter().map(|new| Wanted {
            claim: new.claim.clone(),
            // What is derived may be derived from the generated name.
            is_given: match new.origin {
                ClaimOrigin::Given => true,
                ClaimOrigin::Derived => !generates,
                ClaimOrigin::Generated => false,
            },
        });
        self.0.insert((generates, plan.uid), wanted.collect());
    }
}

/// The store as it was before the wave, with what has been taken since.
struct Taken {
    before: Arc<dyn Snapshot>,
    claims: RwLock<HashMap<Claim, Uid>>,
}

impl Taken {
    fn holder_since(&self, claim: &Claim) -> Option<Uid> {
        let claims = self.claims.read().unwrap_or_else(PoisonError::into_inner);
        claims.get(claim).copied()
    }

    /// Takes a value, if nobody has taken it.
    fn take(&self, claim: &Claim, uid: Uid) {
        let mut claims = self.claims.write().unwrap_or_else(PoisonError::into_inner);
        claims.entry(claim.clone()).or_insert(uid);
    }

    fn is_free(&self, claim: &Claim, uid: Uid) -> bool {
        self.holder_since(claim).is_none_or(|holder| holder == uid)
    }

    /// Gives back what an identity has set aside.
    fn give_back(&self, claim: &Claim, uid: Uid) {
        let mut claims = self.claims.write().unwrap_or_else(PoisonError::into_inner);
        if claims.get(claim) == Some(&uid) {
            claims.remove(claim);
        }
    }
}

impl Snapshot for Taken {
    fn attribute_of(&self, uid: Uid, attribute: Name) -> Result<Option<Value>, SnapshotError> {
        self.before.attribute_of(uid, attribute)
    }

    fn find(&self, attribute: Name, folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        self.before.find(attribute, folded)
    }

    fn chain_of(&self, uid: Uid, attribute: Name) -> Result<u32, SnapshotError> {
        self.before.chain_of(uid, attribute)
    }

    fn holder(&self, claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        match self.holder_since(claim) {
            Some(uid) => Ok(Some(Holder::Identity(uid))),
            None => self.before.holder(claim),
        }
    }
}

impl Driver<'_> {
    /// Plans those of the wave again who would take what somebody before them takes.
    /// Says whether there are any.
    pub(super) fn settle_claims(
        &mut self,
        context: &PlanContext,
        claims: WaveClaims,
        tally: &mut Tally,
    ) -> Result<bool, RefreshError> {
        let mut waiting = claims;
        if waiting.0.len() < 2 {
            return Ok(false);
        }
        let taken = Arc::new(Taken {
            before: Arc::clone(&context.snapshot),
            claims: RwLock::default(),
        });
        let settled = PlanContext {
            snapshot: Arc::clone(&taken) as Arc<dyn Snapshot>,
            ..context.clone()
        };
        let mut given: Vec<(Uid, &Claim)> = Vec::new();
        for ((_, uid), wanted) in &waiting.0 {
            let of_plan = wanted.iter().filter(|wanted| wanted.is_given);
            given.extend(of_plan.map(|wanted| (*uid, &wanted.claim)));
        }
        given.sort();
        for (uid, claim) in given {
            taken.take(claim, uid);
        }
        let (mut done, mut planned_again) = (0, false);
        while let Some(((_, uid), wanted)) = waiting.0.pop_first() {
            done += 1;
            if done % u64::from(self.run.settings.chunk_size) == 0 {
                self.tell(done, done + waiting.0.len() as u64)?;
            }
            if wanted
                .iter()
                .all(|wanted| taken.is_free(&wanted.claim, uid))
            {
                for wanted in &wanted {
                    taken.take(&wanted.claim, uid);
                }
                continue;
            }
            for wanted in &wanted {
                taken.give_back(&wanted.claim, uid);
            }
            planned_again = true;
            if let Some(plan) = self.settle_again(uid, &settled, tally)? {
                waiting.insert(&plan);
            }
        }
        Ok(planned_again)
    }

    /// Plans an identity again with what is taken by now, in place of its first
    /// plan. Returns the plan if it takes something.
    fn settle_again(
        &mut self,
        uid: Uid,
        settled: &PlanContext,
        tally: &mut Tally,
    ) -> Result<Option<SpooledPlan>, RefreshError> {
        let silent = self.run.silent;
        let (Some(record), Some(first)) = (
            self.store.read_chunk(&[uid])?.pop(),
            self.planned_first(uid)?,
        ) else {
            return Ok(None);
        };
        let (again, record) = self.evaluators.with(|evaluator| {
            let mut planner = Planner::new(evaluator);
            planner.judge_only(self.run.settings.policies.as_deref());
            plan_one(&mut planner, settled, silent, record)
        })?;
        // One that comes to nothing takes the first one's place all the same.
        let mut plan = again.unwrap_or_else(|| SpooledPlan {
            uid,
            planned: record.versions,
            events: false,
            changes: Changes::default(),
        });
        let is_kept = |claim: &Claim| plan.changes.claims.iter().any(|new| new.claim == *claim);
        let mut declined = first.changes.declined.clone();
        declined.extend(first.changes.claims.iter().map(|new| new.claim.clone()));
        declined.retain(|claim| !is_kept(claim));
        plan.changes.declined = declined;
        tally.take_back(&first.changes, &record.identity);
        tally.note(&plan.changes, &record.identity);
        let first_opens = opened(&first.changes, &record.identity).is_some();
        self.exceptions
            .note_again(first_opens, &plan.changes, &record.identity);
        match self.small_wave.iter_mut().find(|known| known.uid == uid) {
            Some(known) => known.clone_from(&plan),
            None => self.store.spool(self.run.id, &[plan.clone()])?,
        }
        Ok(Some(plan).filter(|plan| !plan.changes.claims.is_empty()))
    }

    /// Returns what the wave has planned for an identity.
    fn planned_first(&self, uid: Uid) -> Result<Option<SpooledPlan>, RefreshError> {
        if let Some(plan) = self.small_wave.iter().find(|known| known.uid == uid) {
            return Ok(Some(plan.clone()));
        }
        let before = Uid(uid.0 - 1);
        let spooled = self.store.spooled(self.run.id, Some(before), 1)?;
        Ok(spooled.into_iter().find(|plan| plan.uid == uid))
    }
}
