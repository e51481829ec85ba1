//! Events that are judged with the plan that leads to them, so that their identity is
//! written once and not twice (ADR 4).
//!
//! Events wait until the waves of an instant have settled, as an identity may be planned
//! once more: because it has read what a wave changes, or because an account finds it by
//! what a wave changes. Whoever neither can happen to need not wait. Whether it can is
//! known when a wave is planned, before any of it is applied.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use idr_core::model::{Claim, Holder, Identity, IdentityRecord, Name, ReadKey, Uid, Value};
use idr_core::plan::{Changes, PlanContext, Planner};
use idr_core::planted::{self, Bug};
use idr_core::rule::RuleEvaluator;
use idr_core::view::{Snapshot, SnapshotError};

use super::Driver;
use super::events::{Judge, Judged};
use crate::store::{Awaited, Scope, Store, StoreError};

/// Whose events are judged with the plans of a wave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum AtOnce {
    /// They wait for the end of the instant.
    #[default]
    Nobody,
    /// Of those who have read nothing of others: no wave comes back to them.
    WithoutReads,
    /// It is the last wave of the instant.
    Everybody,
}

/// Key hashes of one wave that are held in memory. Whether a larger one has readers is
/// found out when they are selected.
const MOST_KEYS: usize = 1 << 20;

/// What a wave will change and has read, as far as it is planned.
#[derive(Default)]
pub(super) struct Outlook {
    /// Hashes of what it changes that others may have read.
    changed: Vec<i64>,
    /// Hashes of what it has newly read of others.
    read: Vec<i64>,
    /// The attributes that it changes.
    attributes: BTreeSet<Name>,
    /// Whether it isn't known what all of these are.
    is_cut: bool,
}

impl Outlook {
    /// Notes a plan. Where nobody had read anything before the wave, keys are of no use.
    pub(super) fn note(&mut self, changes: &Changes, before: &Identity, awaited: &Awaited) {
        let attributes = changes.attributes.iter().map(|(name, _)| *name);
        self.attributes.extend(attributes);
        let read = changes.reads.iter().flatten();
        if awaited.by_readers {
            self.read.extend(read.map(ReadKey::hash64));
            let keys = changes.keys(before);
            self.changed.extend(keys.iter().map(ReadKey::hash64));
            // What it would take is left to others should a threshold hold it.
            let claims = changes.claims.iter();
            let claims = claims.map(|new| ReadKey::Claim(new.claim.clone()));
            self.changed.extend(claims.map(|key| key.hash64()));
        } else {
            self.is_cut |= read.count() > 0;
        }
        self.keep_to_limit();
    }

    /// Adds another part of the wave.
    pub(super) fn add(&mut self, other: Self) {
        self.changed.extend(other.changed);
        self.read.extend(other.read);
        self.attributes.extend(other.attributes);
        self.is_cut |= other.is_cut;
        self.keep_to_limit();
    }

    /// Notes that something was planned otherwise than it was noted.
    pub(super) fn cut(&mut self) {
        self.is_cut = true;
        self.keep_to_limit();
    }

    fn keep_to_limit(&mut self) {
        self.is_cut |= self.changed.len() + self.read.len() > MOST_KEYS;
        if self.is_cut {
            self.changed = Vec::new();
            self.read = Vec::new();
        }
    }

    /// Says whether somebody may have read what changes, or will have.
    fn may_have_readers(&mut self, store: &dyn Store) -> Result<bool, StoreError> {
        if self.is_cut {
            return Ok(true);
        }
        self.changed.sort_unstable();
        self.changed.dedup();
        let is_changed = |read| self.changed.binary_search(read).is_ok();
        Ok(self.read.iter().any(is_changed) || store.has_readers(&self.changed)?)
    }
}

impl Driver<'_> {
    /// Says whose events may be judged with the plans of a wave.
    ///
    /// - `awaited`: before the wave.
    pub(super) fn at_once(
        &mut self,
        mut outlook: Outlook,
        awaited: &Awaited,
    ) -> Result<AtOnce, StoreError> {
        let sought: &[Name] = match self.correlates() {
            true => &awaited.by_accounts,
            false => &[],
        };
        let finds_accounts = sought.iter().any(|name| outlook.attributes.contains(name));
        let is_first = self.run.step.wave == 1;
        self.finds_accounts = finds_accounts || (self.finds_accounts && !is_first);
        // Thresholds want to know of all events before any is recorded.
        if self.bounds_events() {
            return Ok(AtOnce::Nobody);
        }
        if planted::is(Bug::JudgeTooEarly) {
            return Ok(AtOnce::Everybody);
        }
        if !self.finds_accounts && !outlook.may_have_readers(self.store)? {
            return Ok(AtOnce::Everybody);
        }
        // What later waves change isn't known.
        Ok(match sought.is_empty() {
            true => AtOnce::WithoutReads,
            false => AtOnce::Nobody,
        })
    }

    /// Says whether accounts without an owner are correlated once the waves of this
    /// instant have settled.
    pub(super) fn correlates(&self) -> bool {
        self.run.scope != Scope::Chosen && self.run.step.instant >= self.run.as_of
    }
}

/// Judges events with the plans of a wave: those that need nobody else.
pub(super) struct EarlyJudge<'e> {
    who: AtOnce,
    planner: Planner<'e>,
    judge: &'e Judge,
    context: PlanContext,
    others: Arc<NobodyElse>,
}

impl<'e> EarlyJudge<'e> {
    pub(super) fn new(who: AtOnce, judge: &'e Judge, evaluator: &'e mut dyn RuleEvaluator) -> Self {
        let others = Arc::new(NobodyElse::default());
        Self {
            who,
            planner: judge.planner(evaluator),
            judge,
            context: judge.context(Arc::clone(&others) as Arc<dyn Snapshot>),
            others,
        }
    }

    /// Says whether an identity's events may be judged with its plan.
    ///
    /// - `after`: as the plan leaves it.
    pub(super) fn may_judge(&self, after: &Identity) -> bool {
        let is_settled = match self.who {
            AtOnce::Nobody => false,
            // Later waves still ask which changes of idr's own led to what it has become.
            AtOnce::WithoutReads => after.reads.is_empty() && after.baseline.chains.is_empty(),
            AtOnce::Everybody => true,
        };
        // Triggers that read something of others most probably do so again.
        is_settled && after.event_reads.is_empty()
    }

    /// Judges an identity's events; gives it back where others are needed for that,
    /// who may not be settled yet.
    ///
    /// # Errors
    ///
    /// As [`Planner::plan_events`].
    pub(super) fn judge(
        &mut self,
        record: IdentityRecord,
    ) -> Result<Result<Judged, IdentityRecord>, SnapshotError> {
        self.others.was_asked.store(false, Ordering::Relaxed);
        let planned = self.judge.plan(&mut self.planner, &self.context, record)?;
        Ok(match self.others.was_asked.load(Ordering::Relaxed) {
            true => Err(planned.record),
            false => Ok(self.judge.carry_out(planned)),
        })
    }
}

/// Knows nobody, and notes that somebody was asked for.
#[derive(Default)]
struct NobodyElse {
    was_asked: AtomicBool,
}

impl NobodyElse {
    fn knows<T: Default>(&self) -> Result<T, SnapshotError> {
        self.was_asked.store(true, Ordering::Relaxed);
        Ok(T::default())
    }
}

impl Snapshot for NobodyElse {
    fn attribute_of(&self, _uid: Uid, _attribute: Name) -> Result<Option<Value>, SnapshotError> {
        self.knows()
    }

    fn find(&self, _attribute: Name, _folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        self.knows()
    }

    fn holder(&self, _claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        self.knows()
    }

    fn chain_of(&self, _uid: Uid, _attribute: Name) -> Result<u32, SnapshotError> {
        self.knows()
    }
}

#[cfg(test)]
mod tests {
    use idr_core::plan::LifecycleChange;

    use super::*;
    use crate::store::memory::MemoryStore;

    /// Somebody else's lifecycle state becomes another.
    fn moves() -> (Changes, Identity) {
        let lifecycle = LifecycleChange {
            state: Some(Name::new("leaver")),
            since: None,
            inactive: false,
        };
        let changes = Changes {
            lifecycle: Some(lifecycle),
            ..Changes::default()
        };
        let before = Identity {
            uid: Uid(1),
            ..Identity::default()
        };
        (changes, before)
    }

    fn reads(name: &str) -> (Changes, Identity) {
        let changes = Changes {
            reads: Some(vec![ReadKey::Attribute(Uid(1), Name::new(name))]),
            ..Changes::default()
        };
        (changes, Identity::default())
    }

    fn may_have_readers(by_readers: bool, parts: [(Changes, Identity); 2]) -> bool {
        let awaited = Awaited {
            by_readers,
            ..Awaited::default()
        };
        let mut outlook = Outlook::default();
        for (changes, before) in parts {
            let mut part = Outlook::default();
            part.note(&changes, &before, &awaited);
            outlook.add(part);
        }
        let store = MemoryStore::default();
        outlook.may_have_readers(&store).expect("readable")
    }

    #[test]
    fn what_is_newly_read_may_change_in_the_same_wave() {
        assert!(may_have_readers(true, [moves(), reads("lifecycleState")]));
        assert!(!may_have_readers(true, [moves(), reads("department")]));
        assert!(!may_have_readers(true, [moves(), moves()]));
        assert!(!may_have_readers(false, [moves(), moves()]));
        assert!(
            may_have_readers(false, [moves(), reads("department")]),
            "what had changed before wasn't noted"
        );
    }

    #[test]
    fn of_a_large_wave_it_is_not_known() {
        let halves = |number| {
            let mut outlook = Outlook::default();
            for _ in 0..number {
                outlook.add(Outlook {
                    changed: vec![0; MOST_KEYS / 2],
                    ..Outlook::default()
                });
            }
            outlook
        };
        let store = MemoryStore::default();
        assert!(!halves(2).may_have_readers(&store).expect("readable"));
        assert!(halves(3).changed.is_empty(), "it takes no memory");
        assert!(halves(4).may_have_readers(&store).expect("readable"));
    }
}
