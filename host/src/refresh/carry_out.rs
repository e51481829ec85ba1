//! What plans make of their identities: worked out in parallel, before the one
//! transaction that writes it (`apply`).

use std::sync::Arc;

use idr_core::definitions::{Model, PolicyAction};
use idr_core::meter::{self, Stage};
use idr_core::model::finding::ACCOUNT_SELECTION;
use idr_core::model::{
    Account, AccountOperation, Entitlement, Identity, IdentityRecord, LedgerEntry, Name, ReadKey,
    Uid, Versions, Violation, ViolationStatus, Wake,
};
use idr_core::phases::entitlements::ledgers_around;
use idr_core::plan::Changes;
use idr_core::planted::{self, Bug};
use idr_core::view::SnapshotError;
use rayon::prelude::*;

use super::at_once::{AtOnce, EarlyJudge};
use super::audit;
use super::events::Judge;
use super::gate::Kind;
use super::in_hand::InHand;
use super::planning::Evaluators;
use super::{RefreshError, TOGETHER};
use crate::store::{ApplyChunk, Counters, IdentityWrite, Run, SpooledPlan, Store};

/// No fewer plans are worth a thread.
const LEAST_PART: usize = 250;

/// Parts plans, in order, for the threads that there are.
fn parts(mut plans: Vec<SpooledPlan>) -> Vec<Vec<SpooledPlan>> {
    let each = plans.len().div_ceil(rayon::current_num_threads());
    let each = each.max(LEAST_PART);
    let mut parts = Vec::new();
    while plans.len() > each {
        let others = plans.split_off(each);
        parts.push(std::mem::replace(&mut plans, others));
    }
    parts.push(plans);
    parts
}

/// What some plans come to.
#[derive(Default)]
pub(super) struct Carried {
    /// Whose plan was the last.
    pub(super) last: Option<Uid>,
    /// What is to be written; the run is still missing.
    pub(super) chunk: ApplyChunk,
    /// What is known of whom the chunk writes besides what is written, where it will be needed.
    pub(super) left: Vec<Option<Left>>,
    pub(super) counters: Counters,
}

/// What a write leaves as it is, of an identity whose events are pending then.
pub(super) struct Left {
    /// Unless it is written.
    identity: Option<Identity>,
    accounts: Vec<Account>,
}

impl Left {
    /// Returns what the store has once this is written.
    pub(super) fn with(self, written: IdentityWrite) -> Option<IdentityRecord> {
        let identity = written.identity.or(self.identity)?;
        Some(record_of(identity, self.accounts, written.versions))
    }
}

/// Returns an identity as it is after its plan.
fn record_of(identity: Identity, accounts: Vec<Account>, versions: Versions) -> IdentityRecord {
    let mut record = IdentityRecord {
        identity,
        accounts,
        versions,
    };
    record.hide_logical_accounts();
    record.show_logical_accounts();
    record
}

/// Carries out plans of a run.
pub(super) struct Carrier<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) in_hand: Arc<InHand>,
    /// As it is before the wave is applied.
    pub(super) run: Run,
    pub(super) model: Arc<Model>,
    /// The attributes that people are looked up by.
    pub(super) looked_up: Vec<Name>,
    pub(super) evaluators: Arc<Evaluators>,
    /// Whose events are judged with their plans.
    pub(super) at_once: AtOnce,
    pub(super) judge: Judge,
}

impl Carrier<'_> {
    /// Works out what becomes of the identities, and counts it.
    ///
    /// # Errors
    ///
    /// When they can't be read.
    pub(super) fn carry_out(&self, plans: Vec<SpooledPlan>) -> Result<Carried, RefreshError> {
        let last = plans.last().map(|plan| plan.uid);
        let parts = parts(plans).into_par_iter();
        let parts: Vec<_> = parts.map(|plans| self.carry_out_part(plans)).collect();
        let mut all = Carried {
            last,
            ..Carried::default()
        };
        for part in parts {
            let part = part?;
            all.chunk.append(part.chunk);
            all.left.extend(part.left);
            all.counters.add(&part.counters);
        }
        Ok(all)
    }

    fn carry_out_part(&self, plans: Vec<SpooledPlan>) -> Result<Carried, RefreshError> {
        let _section = meter::section(Stage::Apply);
        let uids: Vec<Uid> = plans.iter().map(|plan| plan.uid).collect();
        let mut plans = plans.into_iter();
        let mut part = Carried::default();
        self.evaluators.with(|evaluator| {
            let mut early = EarlyJudge::new(self.at_once, &self.judge, evaluator);
            for uids in uids.chunks(TOGETHER) {
                let records = self.in_hand.read(self.store, uids)?;
                let mut known = records.into_iter().peekable();
                for plan in plans.by_ref().take(uids.len()) {
                    if let Some(record) = known.next_if(|record| record.identity.uid == plan.uid) {
                        self.carry_out_one(plan, record, &mut early, &mut part)?;
                    }
                }
            }
            self.store.prepare(&mut part.chunk);
            Ok(part)
        })
    }

    fn carry_out_one(
        &self,
        mut plan: SpooledPlan,
        record: IdentityRecord,
        early: &mut EarlyJudge<'_>,
        part: &mut Carried,
    ) -> Result<(), SnapshotError> {
        if planted::is(Bug::ClearVersionUnseen) {
            plan.planned = record.versions;
        }
        if self.is_held(&plan.changes, &record.identity) {
            // Whoever was refused what it would have taken is asked again.
            let claims = plan.changes.claims.iter();
            let claims = claims.map(|new| ReadKey::Claim(new.claim.clone()));
            part.chunk.changed_keys.extend(claims);
            part.counters.count("held", 1);
            part.chunk.writes.push(put_off(&plan, record));
            part.left.push(None);
            return Ok(());
        }
        count(&mut part.counters, &plan.changes, &record.identity);
        self.count_entitlements(&mut part.counters, &plan.changes, &record);
        self.count_violations(&mut part.counters, &plan.changes, &record.identity);
        if let Some(what) = audit::what_changes(&plan.changes, &record.identity, &self.model) {
            let entry = audit::entry(&self.run, &record.identity.name, what);
            part.chunk.audit.push((plan.uid, entry));
        }
        part.chunk
            .changed_keys
            .extend(plan.changes.keys(&record.identity));
        self.write_one(plan, record, early, part)
    }

    /// Says whether a plan is of a kind that a threshold holds.
    fn is_held(&self, changes: &Changes, before: &Identity) -> bool {
        let held = &self.run.held_kinds;
        let mut kinds = Kind::ALL.into_iter();
        !held.is_empty()
            && kinds.any(|(name, kind)| held.contains_key(name) && kind.is(changes, before))
    }

    /// Counts the policy violations that a plan opens, and the owners whom it asks
    /// about one.
    fn count_violations(&self, counters: &mut Counters, changes: &Changes, before: &Identity) {
        let policies = &self.model.policies;
        let is_asked = |violation: &Violation| {
            let policy = policies.get(violation.policy);
            let holds = policy.is_some_and(|policy| policy.action == PolicyAction::Hold);
            let statuses = [ViolationStatus::Open, ViolationStatus::Expired];
            holds && violation.ended.is_none() && statuses.contains(&violation.status)
        };
        for new in changes.violations.iter().flatten() {
            let mut known = before.violations.iter();
            let known = known.find(|known| known.policy == new.policy);
            let was_open = known.is_some_and(|known| known.ended.is_none());
            let opens = new.ended.is_none() && !was_open;
            counters.count("policyViolations", u64::from(opens));
            let asks = is_asked(new) && !known.is_some_and(is_asked);
            counters.count("policyNotifications", u64::from(asks));
        }
    }

    /// Works out what a plan makes of its identity, and of its events where they needn't
    /// wait.
    fn write_one(
        &self,
        plan: SpooledPlan,
        record: IdentityRecord,
        early: &mut EarlyJudge<'_>,
        part: &mut Carried,
    ) -> Result<(), SnapshotError> {
        let SpooledPlan {
            uid,
            planned,
            events,
            changes,
        } = plan;
        let mut versions = Versions {
            state: planned.state + i64::from(events),
            ..planned
        };
        if changes.left_out {
            versions.input = planned.input + 1;
        }
        if !self.run.settings.keep_due {
            versions.identity_read = planned.input;
            versions.access_read = planned.input;
        }
        let mut changed = changes.attributes.iter();
        let keys_changed = changed.any(|(name, _)| self.looked_up.contains(name));
        let mut write = IdentityWrite {
            identity: None,
            uid,
            expected: planned,
            versions,
            findings_changed: changes.findings.is_some(),
            reads_changed: changes.reads.is_some(),
            keys_changed,
            claims: changes.claims.clone(),
        };
        let is_changed = !changes.is_empty();
        let IdentityRecord {
            mut identity,
            mut accounts,
            ..
        } = record;
        if is_changed {
            identity.apply(changes);
        }
        if events && early.may_judge(&identity) {
            match early.judge(record_of(identity, accounts, versions))? {
                Ok(judged) => {
                    let judged = judged.with(write);
                    judged.add_to(&mut part.chunk, &mut part.counters);
                    part.left.push(None);
                    return Ok(());
                }
                Err(back) => (identity, accounts) = (back.identity, back.accounts),
            }
        }
        let mut left = Left {
            identity: None,
            accounts,
        };
        match is_changed {
            true => write.identity = Some(identity),
            false => left.identity = Some(identity),
        }
        part.chunk.writes.push(write);
        part.left.push(events.then_some(left));
        Ok(())
    }

    /// Counts what becomes of the ledger. Accounts don't change in a refresh, so
    /// only roles and decisions can change it.
    fn count_entitlements(
        &self,
        counters: &mut Counters,
        changes: &Changes,
        record: &IdentityRecord,
    ) {
        let touches_roles = changes.assigned.is_some() || changes.detected.is_some();
        if !touches_roles && changes.entitlement_decisions.is_none() {
            return;
        }
        let (model, at) = (&self.model, self.run.step.instant);
        let (before, after) = ledgers_around(record, changes, model, at);
        let known = |entry: &&LedgerEntry| {
            let place = before.binary_search_by(|old| old.entitlement.cmp(&entry.entitlement));
            place.ok().map(|place| &before[place])
        };
        let created = after.iter().filter(|entry| known(entry).is_none());
        counters.count("entitlementsCreated", created.count() as u64);
        let differs = |entry: &&LedgerEntry| known(entry).is_some_and(|old| old != *entry);
        let updated = after.iter().filter(differs);
        counters.count("entitlementsUpdated", updated.count() as u64);
        let is_changed = !additional(&before).eq(additional(&after));
        counters.count("additionalEntitlements", u64::from(is_changed));
    }
}

/// Returns the additional entitlements: those that are there, and in no detected role.
fn additional(ledger: &[LedgerEntry]) -> impl Iterator<Item = &Entitlement> {
    let is_additional = |entry: &&LedgerEntry| entry.held && entry.detected_roles.is_empty();
    let entries = ledger.iter().filter(is_additional);
    entries.map(|entry| &entry.entitlement)
}

/// Leaves an identity as it is, and due. What its wake-up was for is seen to
/// whenever it is refreshed, so it need not wake any more.
fn put_off(plan: &SpooledPlan, record: IdentityRecord) -> IdentityWrite {
    let mut identity = record.identity;
    identity.wake = Wake::default();
    IdentityWrite {
        uid: plan.uid,
        identity: Some(identity),
        expected: plan.planned,
        versions: Versions {
            input: plan.planned.input + 1,
            ..plan.planned
        },
        findings_changed: false,
        reads_changed: false,
        keys_changed: false,
        claims: Vec::new(),
    }
}

fn count(counters: &mut Counters, changes: &Changes, before: &Identity) {
    if changes.is_empty() {
        return;
    }
    for (_, kind) in Kind::ALL {
        *kind.counter(counters) += u64::from(kind.is(changes, before));
    }
    if let Some(findings) = &changes.findings {
        let opened = findings
            .iter()
            .filter(|new| !before.findings.iter().any(|old| old.is_same(new)));
        counters.findings_opened += opened.count() as u64;
    }
    let actions = changes.account_actions.iter().flatten();
    let new = actions.filter(|action| {
        matches!(
            action.operation,
            AccountOperation::Create | AccountOperation::Modify
        ) && !before.calls_for(action)
    });
    counters.count("provisioningRequests", new.count() as u64);
    let open = changes.findings.iter().flatten();
    let unanswered = open.filter(|new| {
        new.cause.as_str() == ACCOUNT_SELECTION
            && !before.findings.iter().any(|old| old.is_same(new))
    });
    let unanswered = unanswered.count() as u64;
    counters.count("unansweredAccountSelections", unanswered);
    let open = changes.findings.iter().flatten();
    let errors = open.filter(|new| {
        matches!(new.cause.as_str(), "provisioning-failed" | "unconfirmed")
            && !before.findings.iter().any(|old| old.is_same(new))
    });
    counters.count("provisioningErrors", errors.count() as u64);
    let identities = u64::from(unanswered > 0);
    counters.count("unansweredAccountSelectionsIdentities", identities);
    let parts = [
        ("attributes", changes.attributes.len() as u64),
        ("managers", u64::from(changes.manager.is_some())),
        ("lifecycleStates", u64::from(changes.lifecycle.is_some())),
        ("assignedRoles", u64::from(changes.assigned.is_some())),
        ("detectedRoles", u64::from(changes.detected.is_some())),
        ("scoresChanged", u64::from(changes.scorecard.is_some())),
    ];
    let calls_for = changes.account_actions.is_some();
    let mut visible = 0;
    for (name, number) in parts {
        counters.count(name, number);
        visible += number;
    }
    counters.changed += u64::from(visible > 0 || calls_for);
}
