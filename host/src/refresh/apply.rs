//! Applying a wave: the spool in order, chunk by chunk, each in one transaction
//! with the cursor.

use idr_core::definitions::PolicyAction;
use idr_core::meter::{self, Stage};
use idr_core::model::finding::ACCOUNT_SELECTION;
use idr_core::model::{
    AccountOperation, Entitlement, Identity, IdentityRecord, LedgerEntry, Name, ReadKey, Uid,
    Versions, Violation, ViolationStatus, Wake,
};
use idr_core::phases::entitlements::{ledger, ledger_after};
use idr_core::plan::{Changes, Planner};
use idr_core::planted::{self, Bug};

use super::audit;
use super::gate::Kind;
use super::planning::plan_one;
use super::{Driver, RefreshError};
use crate::store::{ApplyChunk, Counters, IdentityWrite, SpooledPlan};

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
            let uids: Vec<Uid> = plans.iter().map(|plan| plan.uid).collect();
            let records = self.store.read_chunk(&uids)?;
            let mut chunk = ApplyChunk {
                instant: Some(self.run.step.instant),
                ..Default::default()
            };
            let mut counters = self.run.counters.clone();
            let mut known = records.into_iter().peekable();
            for mut plan in plans {
                let Some(record) = known.next_if(|record| record.identity.uid == plan.uid) else {
                    continue;
                };
                if planted::is(Bug::ClearVersionUnseen) {
                    plan.planned = record.versions;
                }
                if self.is_held(&plan.changes, &record.identity) {
                    // Whoever was refused what it would have taken is asked again.
                    let claims = plan.changes.claims.iter();
                    let claims = claims.map(|new| ReadKey::Claim(new.claim.clone()));
                    chunk.changed_keys.extend(claims);
                    counters.count("held", 1);
                    chunk.writes.push(put_off(&plan, record));
                    continue;
                }
                count(&mut counters, &plan.changes, &record.identity);
                self.count_entitlements(&mut counters, &plan.changes, &record);
                self.count_violations(&mut counters, &plan.changes, &record.identity);
                if let Some(what) = audit::what_changes(&plan.changes, &record.identity) {
                    let entry = audit::entry(&self.run, &record.identity.name, what);
                    chunk.audit.push((plan.uid, entry));
                }
                let (write, keys) = carry_out(plan, record, self.run.settings.keep_due);
                chunk.writes.push(write);
                chunk.changed_keys.extend(keys);
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

    /// Says whether a plan is of a kind that a threshold holds.
    fn is_held(&self, changes: &Changes, before: &Identity) -> bool {
        let held = &self.run.held_kinds;
        let mut kinds = Kind::ALL.into_iter();
        !held.is_empty()
            && kinds.any(|(name, kind)| held.contains_key(name) && kind.is(changes, before))
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

    /// Counts the policy violations that a plan opens, and the owners whom it asks
    /// about one.
    pub(super) fn count_violations(
        &self,
        counters: &mut Counters,
        changes: &Changes,
        before: &Identity,
    ) {
        let policies = &self.configured.model.policies;
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
        let (model, at) = (&self.configured.model, self.run.step.instant);
        let before = ledger(record, model, at);
        let after = ledger_after(record, changes, model, at);
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

/// Works out what a plan makes of its identity.
fn carry_out(
    plan: SpooledPlan,
    record: IdentityRecord,
    keep_due: bool,
) -> (IdentityWrite, Vec<ReadKey>) {
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
    if !keep_due {
        versions.identity_read = planned.input;
        versions.access_read = planned.input;
    }
    let mut write = IdentityWrite {
        identity: None,
        uid,
        expected: planned,
        versions,
        findings_changed: changes.findings.is_some(),
        reads_changed: changes.reads.is_some(),
        keys_changed: !changes.attributes.is_empty(),
        claims: changes.claims.clone(),
    };
    let mut keys = Vec::new();
    if !changes.is_empty() {
        let mut identity = record.identity;
        let declined = changes.declined.iter().cloned();
        let declined: Vec<_> = declined.map(ReadKey::Claim).collect();
        keys = identity.apply(changes).keys;
        keys.extend(declined);
        write.identity = Some(identity);
    }
    (write, keys)
}

pub(super) fn count(counters: &mut Counters, changes: &Changes, before: &Identity) {
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
