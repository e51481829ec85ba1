//! Settling claims: who of a wave gets a unique value that several would take.
//!
//! Plans of a wave don't see each other, so several may take one value. Before
//! the gate they are gone through in one order, whatever the chunks and
//! threads: values that people have already (in accounts, by hand) before names
//! that are generated, and among those by uid. Whoever comes too late is planned
//! again with what is taken by then.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use idr_core::model::{Claim, Holder, Name, NewClaim, Uid, Value};
use idr_core::plan::{Changes, PlanContext, Planner};
use idr_core::view::{Snapshot, SnapshotError};

use super::gate::Tally;
use super::planning::{opened, plan_one};
use super::{Driver, RefreshError};
use crate::store::SpooledPlan;

/// What the plans of a wave would take.
#[derive(Default)]
pub(super) struct WaveClaims(Vec<(Uid, NewClaim)>);

impl WaveClaims {
    pub(super) fn note(&mut self, plans: &[SpooledPlan]) {
        for plan in plans {
            let claims = plan.changes.claims.iter();
            self.0.extend(claims.map(|new| (plan.uid, new.clone())));
        }
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

    /// Forgets what the first plan of an identity took: it is planned again.
    fn give_back(&self, plan: &SpooledPlan) {
        let mut claims = self.claims.write().unwrap_or_else(PoisonError::into_inner);
        for new in &plan.changes.claims {
            if claims.get(&new.claim) == Some(&plan.uid) {
                claims.remove(&new.claim);
            }
        }
    }

    fn take(&self, claim: Claim, uid: Uid) {
        let mut claims = self.claims.write().unwrap_or_else(PoisonError::into_inner);
        claims.insert(claim, uid);
    }
}

impl Snapshot for Taken {
    fn attribute_of(&self, uid: Uid, attribute: Name) -> Result<Option<Value>, SnapshotError> {
        self.before.attribute_of(uid, attribute)
    }

    fn find(&self, attribute: Name, folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        self.before.find(attribute, folded)
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
    pub(super) fn settle_claims(
        &mut self,
        context: &PlanContext,
        claims: WaveClaims,
        tally: &mut Tally,
    ) -> Result<(), RefreshError> {
        let mut wanted = claims.0;
        if wanted.len() < 2 {
            return Ok(());
        }
        wanted.sort_by(|(uid, new), (other_uid, other)| {
            (new.generated, uid, &new.claim).cmp(&(other.generated, other_uid, &other.claim))
        });
        let taken = Arc::new(Taken {
            before: Arc::clone(&context.snapshot),
            claims: RwLock::default(),
        });
        let settled = PlanContext {
            snapshot: Arc::clone(&taken) as Arc<dyn Snapshot>,
            ..context.clone()
        };
        let mut planned_again = HashSet::new();
        for (uid, new) in wanted {
            if planned_again.contains(&uid) {
                continue;
            }
            match taken.holder_since(&new.claim) {
                None => taken.take(new.claim, uid),
                Some(holder) if holder == uid => {}
                Some(_) => {
                    planned_again.insert(uid);
                    self.settle_again(uid, context, &settled, &taken, tally)?;
                }
            }
        }
        Ok(())
    }

    /// Plans an identity again with what is taken by now, in place of its first
    /// plan.
    fn settle_again(
        &mut self,
        uid: Uid,
        before: &PlanContext,
        settled: &PlanContext,
        taken: &Taken,
        tally: &mut Tally,
    ) -> Result<(), RefreshError> {
        let silent = self.run.silent;
        let Some(record) = self.store.read_chunk(&[uid])?.pop() else {
            return Ok(());
        };
        let (first, again, record) = self.evaluators.with(|evaluator| {
            let mut planner = Planner::new(evaluator);
            let (first, record) = plan_one(&mut planner, before, silent, record)?;
            first.iter().for_each(|plan| taken.give_back(plan));
            let (again, record) = plan_one(&mut planner, settled, silent, record)?;
            Ok::<_, RefreshError>((first, again, record))
        })?;
        let mut first_opens = false;
        if let Some(first) = first {
            tally.take_back(&first.changes, &record.identity);
            first_opens = opened(&first.changes, &record.identity).is_some();
        }
        // One that comes to nothing takes the first one's place all the same.
        let plan = again.unwrap_or_else(|| SpooledPlan {
            uid,
            planned: record.versions,
            events: false,
            changes: Changes::default(),
        });
        tally.note(&plan.changes, &record.identity);
        self.exceptions
            .note_again(first_opens, &plan.changes, &record.identity);
        for new in &plan.changes.claims {
            taken.take(new.claim.clone(), uid);
        }
        match self.small_wave.iter_mut().find(|known| known.uid == uid) {
            Some(known) => *known = plan,
            None => self.store.spool(self.run.id, &[plan])?,
        }
        Ok(())
    }
}
