//! A plan: what a refresh would do to one identity, and doing it.
//!
//! [`Planner::plan`] takes one identity through the phases up to roles and
//! [`Planner::plan_events`] through its triggers; neither writes anything.
//! [`Identity::apply`] and [`Identity::apply_events`] carry plans out on the
//! identity itself; the host stores the result.

use std::sync::Arc;

use crate::definitions::Model;
use crate::meter::{self, Stage};
use crate::model::{
    AccountAction, AccountOperation, AttributeState, Baseline, ChangeMemory, Claim, Effect,
    EntitlementDecision, Event, Finding, Identity, IdentityRecord, LogicalAccount, ManualEdit,
    Name, NewClaim, Proposals, Provisioning, ReadKey, Retries, Retry, RoleAssignment,
    RoleDetection, Scorecard, TriggerMemory, Uid, UnixMillis, ValueChange, Violation, WorkItem,
    finding,
};
use crate::phases::events::Occasion;
use crate::phases::provisioning::{self, ProvisioningPlan};
use crate::phases::{
    attributes, entitlements, events, logical_accounts, policies, role_explanation, roles,
    selection, standing, state_accounts, work_items,
};
use crate::rule::RuleEvaluator;
use crate::time::sooner;
use crate::view::{Node, Slot, Snapshot, SnapshotError, TraceEntry, TrackedView};

/// What a plan changes in an identity; what is `None` or not listed stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Attributes with a new state, sorted by name; `None` drops the attribute
    /// altogether (it is no longer defined).
    pub attributes: Vec<(Name, Option<AttributeState>)>,
    /// The edits that remain, where one has ended.
    pub edits: Option<Vec<ManualEdit>>,
    /// Whether the lifecycle state that a person had set is over, and the rule
    /// has answered since.
    pub override_ended: bool,
    /// The new manager.
    pub manager: Option<Option<Uid>>,
    /// The new lifecycle state.
    pub lifecycle: Option<LifecycleChange>,
    /// The new accounts in logical applications.
    pub logical_accounts: Option<Vec<LogicalAccount>>,
    /// The new assigned roles.
    pub assigned: Option<Vec<RoleAssignment>>,
    /// The new detected roles.
    pub detected: Option<Vec<RoleDetection>>,
    /// What is newly called for with accounts.
    pub account_actions: Option<Vec<AccountAction>>,
    /// What idr remembers anew of its own doing.
    pub provisioning: Option<Provisioning>,
    /// The decisions about entitlements that remain, where one is over.
    pub entitlement_decisions: Option<Vec<EntitlementDecision>>,
    /// The new work items.
    pub work_items: Option<Vec<WorkItem>>,
    /// The new policy violations.
    pub violations: Option<Vec<Violation>>,
    /// The new scorecard.
    pub scorecard: Option<Option<Scorecard>>,
    /// Whether something was left out on demand and would have come out
    /// otherwise: the identity stays due.
    pub left_out: bool,
    /// The new reads of others.
    pub reads: Option<Vec<ReadKey>>,
    /// The new wake-up of the phases up to roles.
    pub wake: Option<Option<UnixMillis>>,
    /// The new moments at which failures may have passed.
    pub retries: Option<Retries>,
    /// The new open findings of the phases up to roles.
    pub findings: Option<Vec<Finding>>,
    /// How many changes of idr's own led to what changes, where that is any and isn't
    /// noted yet, sorted by name.
    pub chains: Vec<(Name, u32)>,
    /// The unique values that it takes and that aren't its own yet, sorted.
    pub claims: Vec<NewClaim>,
    /// The unique values that its first plan of the wave would have taken, and
    /// that it leaves to others: whoever was refused one is asked again.
    pub declined: Vec<Claim>,
}

/// A new lifecycle state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifecycleChange {
    /// The state.
    pub state: Option<Name>,
    /// The instant at which it was taken.
    pub since: Option<UnixMillis>,
    /// Whether it counts as inactive.
    pub inactive: bool,
}

impl Changes {
    /// Says whether the plan leaves the identity as it is.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what others may have read of `before` and won't find so any more once the
    /// plan is carried out; and the unique values that it leaves to others.
    pub fn keys(&self, before: &Identity) -> Vec<ReadKey> {
        let mut keys = Vec::new();
        for (name, new) in &self.attributes {
            let old = before.value(*name);
            let new = new.as_ref().and_then(|state| state.value.as_ref());
            if old == new {
                continue;
            }
            keys.push(ReadKey::Attribute(before.uid, *name));
            for value in [old, new].into_iter().flatten() {
                value.each_text(|text| {
                    keys.push(ReadKey::Lookup(*name, crate::text::fold(text)));
                });
            }
        }
        if let Some(lifecycle) = self.lifecycle {
            let properties = [
                ("lifecycleState", lifecycle.state != before.lifecycle_state),
                ("inactive", lifecycle.inactive != before.inactive),
            ];
            let changed = properties.into_iter().filter(|(_, is_changed)| *is_changed);
            keys.extend(changed.map(|(name, _)| ReadKey::Attribute(before.uid, Name::new(name))));
        }
        keys.extend(self.declined.iter().cloned().map(ReadKey::Claim));
        keys
    }

    /// Says whether the identity turns inactive: what the threshold on leavers counts.
    pub fn is_leaver(&self, before: &Identity) -> bool {
        self.lifecycle.is_some_and(|change| change.inactive)
            && !before.inactive
            && before.lifecycle_state.is_some()
    }

    /// Says whether it is newly called for that an account is treated
    /// so: what thresholds on accounts count.
    pub fn calls_for(&self, before: &Identity, operation: AccountOperation) -> bool {
        self.account_actions.as_ref().is_some_and(|actions| {
            let mut wanted = actions
                .iter()
                .filter(|action| action.operation == operation);
            wanted.any(|action| !before.calls_for(action))
        })
    }

    /// Says whether it is newly called for that an entitlement is taken away: what
    /// the threshold on entitlement removals counts.
    pub fn removes_entitlement(&self, before: &Identity) -> bool {
        let removes = |action: &&AccountAction| {
            let mut changes = action.changes.iter();
            changes.any(|known| matches!(known.change, ValueChange::Remove(_)))
        };
        let mut removals = self.account_actions.iter().flatten().filter(removes);
        removals.any(|action| !before.calls_for(action))
    }

    /// Says whether the identity loses an assigned role: what the threshold on
    /// role removals counts.
    pub fn removes_role(&self, before: &Identity) -> bool {
        self.assigned.as_ref().is_some_and(|assigned| {
            before
                .assigned
                .iter()
                .any(|old| !assigned.iter().any(|new| new.role == old.role))
        })
    }
}

/// What the triggers of one identity come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventChanges {
    /// The events to record.
    pub events: Vec<Event>,
    /// The effects to record.
    pub effects: Vec<Effect>,
    /// What is no longer called for: effects that, where they still wait, are
    /// taken back.
    pub withdrawn: Vec<Effect>,
    /// What the triggers remember from now on.
    pub triggers: Vec<TriggerMemory>,
    /// The new wake-up of the triggers.
    pub wake: Option<UnixMillis>,
    /// When to ask again what failed in a way that may pass by itself.
    pub retry: Option<Retry>,
    /// What the triggers read of others.
    pub reads: Vec<ReadKey>,
    /// The open findings of the triggers, the value-change rules and the
    /// after-refresh rule.
    pub findings: Vec<Finding>,
    /// What the after-refresh rule proposes for the next refresh.
    pub proposals: Proposals,
    /// The triggers that would have fired and are held.
    pub held: Vec<Name>,
    /// What the value-change rules remember from now on.
    pub value_changes: Vec<ChangeMemory>,
    /// Whether the identity's next refresh has other proposals to go by.
    pub proposes_anew: bool,
}

impl EventChanges {
    /// Says whether the triggers' open findings are others than the identity's.
    pub fn findings_differ(&self, identity: &Identity) -> bool {
        !self.findings.iter().eq(identity
            .findings
            .iter()
            .filter(|known| known.is_of_events()))
    }

    /// Says whether recording this would leave the identity as it is.
    pub fn changes_nothing(&self, identity: &Identity) -> bool {
        self.events.is_empty()
            && self.effects.is_empty()
            && self.withdrawn.is_empty()
            && identity.baseline.is_empty()
            && identity.native_changes.is_empty()
            && self.triggers == identity.triggers
            && self.wake == identity.wake.events
            && self.retry == identity.retries.events
            && self.reads == identity.event_reads
            && self.proposals == identity.proposals
            && self.value_changes == identity.value_changes
            && !self.findings_differ(identity)
    }
}

/// How one run plans: the same for every identity in it.
#[derive(Clone)]
pub struct PlanContext {
    /// The tenant's definitions.
    pub model: Arc<Model>,
    /// The store as it was before the wave.
    pub snapshot: Arc<dyn Snapshot>,
    /// The instant to plan for.
    pub as_of: UnixMillis,
}

/// The plan of one identity up to roles.
#[derive(Debug)]
pub struct Planned {
    /// The identity as it was read, given back.
    pub record: IdentityRecord,
    /// What changes.
    pub changes: Changes,
    /// Every read that was made and way that was taken, when a trace was asked for.
    pub trace: Vec<TraceEntry>,
}

/// The event plan of one identity.
#[derive(Debug)]
pub struct PlannedEvents {
    /// The identity as it was read, given back.
    pub record: IdentityRecord,
    /// What its triggers come to.
    pub changes: EventChanges,
    /// What they read and which way they went, when a trace was asked for.
    pub trace: Vec<TraceEntry>,
}

/// Plans identities one after the other; one per worker.
///
/// It remembers in which order things could be worked out last time and tries
/// that order first. The result never depends on it.
pub struct Planner<'e> {
    evaluator: &'e mut dyn RuleEvaluator,
    order: Vec<Node>,
    held_triggers: Vec<Name>,
    only_policies: Option<Vec<Name>>,
}

impl<'e> Planner<'e> {
    /// Returns a planner that asks `evaluator` for the answers of rules.
    pub fn new(evaluator: &'e mut dyn RuleEvaluator) -> Self {
        Self {
            evaluator,
            order: Vec::new(),
            held_triggers: Vec::new(),
            only_policies: None,
        }
    }

    /// Lets these triggers fire no events: they keep what they would have fired
    /// for, as if they had declined.
    pub fn hold(&mut self, triggers: &[Name]) {
        self.held_triggers = triggers.to_vec();
    }

    /// Judges these policies only, where there are any: the violations of others
    /// stay as they are. Whoever's would have come out otherwise stays due.
    pub fn judge_only(&mut self, policies: Option<&[Name]>) {
        self.only_policies = policies.map(<[Name]>::to_vec);
    }

    /// Plans one identity through the phases up to roles.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the store can't be read. Everything that is wrong
    /// with the identity itself is a finding in the plan.
    pub fn plan(
        &mut self,
        context: &PlanContext,
        record: IdentityRecord,
        trace: bool,
    ) -> Result<Planned, SnapshotError> {
        let mut view = TrackedView::new(
            Arc::clone(&context.model),
            Arc::clone(&context.snapshot),
            context.as_of,
            record,
        );
        if trace {
            view.start_trace();
        }
        let own = standing::own_changes(view.record());
        view.show_own_changes(own);
        let mut draft = Draft::default();
        meter::timed(Stage::LogicalAccounts, || {
            logical_accounts::settle(&mut view, self.evaluator, &mut draft)
        })?;
        meter::timed(Stage::Attributes, || {
            attributes::settle_all(&mut view, self.evaluator, &mut self.order, &mut draft)
        })?;
        let settled_roles = meter::timed(Stage::Roles, || {
            roles::plan(&mut view, self.evaluator, &mut draft)
        })?;
        let only = self.only_policies.as_deref();
        let selected = meter::timed(Stage::Provisioning, || {
            selection::plan(&mut view, self.evaluator, &settled_roles, &mut draft)
        })?;
        let access = (&settled_roles, &selected);
        let governed = meter::timed(Stage::Policies, || {
            policies::plan(&mut view, self.evaluator, access, only, &mut draft)
        })?;
        let provisioning_stage = meter::stage(Stage::Provisioning);
        let lifecycle = lifecycle(&view);
        let by_state = by_state(&mut view, lifecycle);
        let provisioning = provisioning::plan(
            &mut view,
            self.evaluator,
            access,
            by_state,
            &governed.held,
            &mut draft,
        )?;
        let questions = &provisioning.questions;
        let items = work_items::plan(&mut view, access, &governed.asks, questions, &mut draft)?;
        drop(provisioning_stage);
        let trace = view.take_trace();
        let mut changes = differences(&mut view, draft, settled_roles);
        changes.lifecycle = lifecycle;
        let identity = &view.record().identity;
        let logical = view.logical_accounts();
        changes.logical_accounts = (logical != identity.logical_accounts).then(|| logical.to_vec());
        let ProvisioningPlan {
            actions, memory, ..
        } = provisioning;
        changes.account_actions = (actions != identity.account_actions).then_some(actions);
        changes.provisioning = (memory != identity.provisioning).then_some(memory);
        changes.work_items = (items != view.record().identity.work_items).then_some(items);
        let identity = &view.record().identity;
        changes.violations =
            (governed.violations != identity.violations).then_some(governed.violations);
        changes.scorecard =
            (governed.scorecard != identity.scorecard).then_some(governed.scorecard);
        changes.left_out = governed.left_out;
        changes.chains = chains(&view, &changes);
        view.hide_logical_accounts();
        let (mut record, reads, _) = view.finish();
        record.show_logical_accounts();
        if reads != record.identity.reads {
            changes.reads = Some(reads);
        }
        Ok(Planned {
            record,
            changes,
            trace,
        })
    }

    /// Plans the events of one identity.
    ///
    /// `detected_at` is the instant at which the run was started; with `silent`
    /// no event is fired and the present becomes the baseline.
    ///
    /// # Errors
    ///
    /// As [`Planner::plan`].
    pub fn plan_events(
        &mut self,
        context: &PlanContext,
        record: IdentityRecord,
        detected_at: UnixMillis,
        silent: bool,
    ) -> Result<PlannedEvents, SnapshotError> {
        let occasion = Occasion {
            detected_at,
            silent,
            trace: false,
            held: &self.held_triggers,
        };
        let _stage = meter::stage(Stage::Events);
        events::plan(context, self.evaluator, record, &occasion)
    }

    /// Plans the events of one identity as the next run would, and notes what
    /// triggers read and which way they went.
    ///
    /// # Errors
    ///
    /// As [`Planner::plan`].
    pub fn explain_events(
        &mut self,
        context: &PlanContext,
        record: IdentityRecord,
    ) -> Result<PlannedEvents, SnapshotError> {
        let occasion = Occasion {
            detected_at: context.as_of,
            silent: false,
            trace: true,
            held: &[],
        };
        events::plan(context, self.evaluator, record, &occasion)
    }

    /// Returns all that decides whether an identity, whose plan has been applied,
    /// has a role; nothing for one that isn't defined.
    ///
    /// # Errors
    ///
    /// As [`Planner::plan`].
    pub fn explain_role(
        &mut self,
        context: &PlanContext,
        record: IdentityRecord,
        role: Name,
    ) -> Result<Vec<TraceEntry>, SnapshotError> {
        let model = Arc::clone(&context.model);
        let Some(role) = model.role(role) else {
            return Ok(Vec::new());
        };
        let snapshot = Arc::clone(&context.snapshot);
        let mut view = TrackedView::new(Arc::clone(&model), snapshot, context.as_of, record);
        view.settle_from_record();
        view.open_entitlements();
        view.start_trace();
        role_explanation::explain(&mut view, self.evaluator, role)?;
        Ok(view.take_trace())
    }
}

/// What phases collect on the way.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) findings: Vec<Finding>,
    pub(crate) ended_edits: Vec<Name>,
    pub(crate) override_ended: bool,
    pub(crate) claims: Vec<NewClaim>,
    pub(crate) retry_after_ms: Option<i64>,
}

impl Draft {
    /// Notes that something failed in a way that may have passed after so long.
    pub(crate) fn retry_after(&mut self, retry_after_ms: Option<i64>) {
        self.retry_after_ms = sooner(self.retry_after_ms, retry_after_ms);
    }
}

/// Returns how many changes of idr's own led to what has changed since events were
/// last processed, where that isn't noted yet.
fn chains(view: &TrackedView, changes: &Changes) -> Vec<(Name, u32)> {
    let identity = &view.record().identity;
    let baseline = &identity.baseline;
    let attribute_changes = |name: Name| {
        let mut changed = changes.attributes.iter();
        let new = changed.find(|(known, _)| *known == name);
        let differs = new.is_some_and(|(_, new)| {
            new.as_ref().and_then(|state| state.value.as_ref()) != identity.value(name)
        });
        differs || identity.settled_value(name).is_some()
    };
    let chains = view.chains().iter().filter_map(|(node, count)| {
        let (name, changes) = match node {
            Node::Attribute(name) => (*name, attribute_changes(*name)),
            Node::Manager => {
                let changes = changes.manager.is_some() || baseline.manager.is_some();
                (Name::new("manager"), changes)
            }
            Node::LifecycleState => {
                let moves = |change: LifecycleChange| change.state != identity.lifecycle_state;
                let changes = changes.lifecycle.is_some_and(moves);
                let changes = changes || baseline.lifecycle_state.is_some();
                (Name::new("lifecycleState"), changes)
            }
            Node::Proposals => return None,
        };
        (changes && baseline.chain_of(name) != *count).then_some((name, *count))
    });
    let mut chains: Vec<(Name, u32)> = chains.collect();
    chains.sort();
    chains.dedup_by_key(|(name, _)| *name);
    chains
}

/// Returns the lifecycle state that was settled, if it differs.
fn lifecycle(view: &TrackedView) -> Option<LifecycleChange> {
    let identity = &view.record().identity;
    let Slot::LifecycleState(state, inactive) = *view.slot(Node::LifecycleState) else {
        return None;
    };
    if state == identity.lifecycle_state && inactive == identity.inactive {
        return None;
    }
    let moved = state != identity.lifecycle_state;
    // Whoever is back in the state that earlier waves took away never left it.
    let since = match moved {
        true if state == identity.settled_lifecycle_state() => identity.settled_lifecycle_since(),
        true => Some(view.as_of()),
        false => identity.lifecycle_since,
    };
    Some(LifecycleChange {
        state,
        since,
        inactive,
    })
}

/// Returns what the lifecycle state calls for with accounts, and the
/// applications in which nobody who is in it gets one.
fn by_state(
    view: &mut TrackedView,
    change: Option<LifecycleChange>,
) -> (Vec<AccountAction>, Vec<Name>) {
    let identity = &view.record().identity;
    let (state, since) = match change {
        Some(change) => (change.state, change.since),
        None => (identity.lifecycle_state, identity.lifecycle_since),
    };
    let closed = state_accounts::closed(view.model(), state);
    (state_accounts::plan(view, state, since), closed)
}

fn differences(view: &mut TrackedView, draft: Draft, settled: roles::SettledRoles) -> Changes {
    let mut changes = Changes::default();
    let wake = view.take_wake();
    let model = Arc::clone(view.model());
    let identity = &view.record().identity;
    // Both are sorted by name; whatever isn't defined any more has no value.
    let mut recorded = identity.attributes.iter().peekable();
    for (definition, slot) in model.attributes.iter().zip(view.attribute_slots()) {
        while let Some((gone, _)) = recorded.next_if(|(name, _)| *name < definition.name) {
            changes.attributes.push((*gone, None));
        }
        let old = recorded.next_if(|(name, _)| *name == definition.name);
        if let Slot::Attribute(new) = slot
            && new.as_ref() != old.map(|(_, state)| state)
        {
            changes.attributes.push((definition.name, new.clone()));
        }
    }
    changes
        .attributes
        .extend(recorded.map(|(gone, _)| (*gone, None)));
    if !draft.ended_edits.is_empty() {
        let remains = |edit: &&ManualEdit| !draft.ended_edits.contains(&edit.attribute);
        let edits = identity.by_hand.edits.iter();
        changes.edits = Some(edits.filter(remains).cloned().collect());
    }
    changes.override_ended = draft.override_ended;
    changes.entitlement_decisions = entitlements::remaining_decisions(view.record());
    if let Slot::Manager(manager) = view.slot(Node::Manager)
        && *manager != identity.manager
    {
        changes.manager = Some(*manager);
    }
    if settled.assigned != identity.assigned {
        changes.assigned = Some(settled.assigned);
    }
    if settled.detected != identity.detected {
        changes.detected = Some(settled.detected);
    }
    if wake != identity.wake.phases {
        changes.wake = Some(wake);
    }
    // Other inputs may not fail: whatever failed before begins anew.
    let known = match view.record().versions.inputs_changed() {
        true => Retries::default(),
        false => identity.retries,
    };
    let retries = Retries {
        phases: Retry::after(known.phases, draft.retry_after_ms, view.as_of()),
        events: known.events,
    };
    if retries != identity.retries {
        changes.retries = Some(retries);
    }
    let mut findings = draft.findings;
    findings.sort();
    findings.dedup();
    if !findings
        .iter()
        .eq(identity.findings.iter().filter(|known| of_phases(known)))
    {
        changes.findings = Some(findings);
    }
    changes.claims = draft.claims;
    changes.claims.sort();
    changes.claims.dedup();
    changes
}

/// Says whether a finding belongs to what [`Planner::plan`] works out, and so
/// is replaced by it.
fn of_phases(finding: &Finding) -> bool {
    !finding.is_of_events() && !finding::is_across(finding)
}

impl Identity {
    /// Carries out a plan, noting old values in the baseline.
    pub fn apply(&mut self, changes: Changes) {
        let mut older = Baseline::default();
        for (name, new) in changes.attributes {
            let old = self.value(name).cloned();
            let value = new.as_ref().and_then(|state| state.value.clone());
            if old != value {
                older.attributes.push((name, old));
            }
            let place = self
                .attributes
                .binary_search_by(|(known, _)| known.cmp(&name));
            match (place, new) {
                (Ok(index), Some(state)) => self.attributes[index].1 = state,
                (Ok(index), None) => drop(self.attributes.remove(index)),
                (Err(index), Some(state)) => self.attributes.insert(index, (name, state)),
                (Err(_), None) => {}
            }
        }
        if let Some(edits) = changes.edits {
            self.by_hand.edits = edits;
        }
        if changes.override_ended {
            self.by_hand.state = None;
        }
        if let Some(decisions) = changes.entitlement_decisions {
            self.by_hand.entitlements = decisions;
        }
        if let Some(logical_accounts) = changes.logical_accounts {
            self.logical_accounts = logical_accounts;
        }
        if let Some(manager) = changes.manager {
            older.manager = Some(self.manager);
            self.manager = manager;
        }
        if let Some(lifecycle) = changes.lifecycle {
            if lifecycle.state != self.lifecycle_state {
                older.lifecycle_state = Some(self.lifecycle_state);
                older.lifecycle_since = self.lifecycle_since;
            }
            if lifecycle.inactive != self.inactive {
                older.inactive = Some(self.inactive);
            }
            self.lifecycle_state = lifecycle.state;
            self.lifecycle_since = lifecycle.since;
            self.inactive = lifecycle.inactive;
        }
        if let Some(assigned) = changes.assigned {
            for role in self
                .assigned
                .iter()
                .chain(&assigned)
                .map(|assignment| assignment.role)
            {
                let held = self.holding(role);
                let new = assigned.iter().find(|assignment| assignment.role == role);
                if held.map(|held| held.source) != new.map(|new| new.source) {
                    older.assigned.push((role, held));
                }
            }
            older.assigned.sort_by_key(|(role, _)| *role);
            older.assigned.dedup_by_key(|(role, _)| *role);
            self.assigned = assigned;
        }
        if let Some(detected) = changes.detected {
            self.detected = detected;
        }
        if let Some(actions) = changes.account_actions {
            older.account_actions = Some(std::mem::replace(&mut self.account_actions, actions));
        }
        if let Some(provisioning) = changes.provisioning {
            let old = std::mem::replace(&mut self.provisioning, provisioning);
            older.provisioning = Some(old);
        }
        if let Some(items) = changes.work_items {
            older.work_items = Some(std::mem::replace(&mut self.work_items, items));
        }
        if let Some(violations) = changes.violations {
            older.violations = Some(std::mem::replace(&mut self.violations, violations));
        }
        if let Some(scorecard) = changes.scorecard {
            self.scorecard = scorecard;
        }
        if let Some(reads) = changes.reads {
            self.reads = reads;
        }
        if let Some(wake) = changes.wake {
            self.wake.phases = wake;
        }
        if let Some(retries) = changes.retries {
            self.retries = retries;
        }
        if let Some(findings) = changes.findings {
            self.findings.retain(|known| !of_phases(known));
            self.findings.extend(findings);
            self.findings.sort();
        }
        if !older.is_empty() {
            self.baseline.absorb(&older);
        }
        self.baseline.note_chains(changes.chains);
    }

    /// Carries out an event plan: the present becomes the baseline.
    pub fn apply_events(&mut self, changes: &EventChanges) {
        self.baseline = Baseline::default();
        self.native_changes.clear();
        self.triggers.clone_from(&changes.triggers);
        self.wake.events = changes.wake;
        self.retries.events = changes.retry;
        self.events.0 += changes.events.len() as u64;
        self.event_reads.clone_from(&changes.reads);
        self.proposals.clone_from(&changes.proposals);
        self.value_changes.clone_from(&changes.value_changes);
        self.findings.retain(|known| !known.is_of_events());
        self.findings.extend(changes.findings.iter().cloned());
        self.findings.sort();
    }
}
