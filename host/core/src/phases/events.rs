//! Events: which triggers fire, judged against the trigger baseline.
//!
//! Runs when the waves have settled, so that an intermediate value is never an
//! event. A trigger that can't tell keeps what it hasn't seen (its lag) and is
//! asked again; the others go on.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Failure, failure, proposals, provisioning, standing, store_failure};
use crate::definitions::{RuleIndex, Trigger, TriggerCondition};
use crate::filter::{Filter, SingleValue};
use crate::model::finding::EVENTS;
use crate::model::{
    AccountAction, Baseline, Effect, EffectKind, Event, EventChange, Finding, Identity,
    IdentityRecord, Lag, Name, NativeChange, Retry, Severity, TriggerMemory, Uid, UnixMillis,
    Value, WorkItem,
};
use crate::plan::{EventChanges, PlanContext, PlannedEvents};
use crate::rule::{Eligibility, RuleEvaluator, RuleFailure};
use crate::time::sooner;
use crate::view::{BaselineProperties, Node, ReadError, SnapshotError, Topic, TrackedView};

/// On what occasion events are planned.
pub(crate) struct Occasion<'o> {
    /// The instant at which the run was started.
    pub(crate) detected_at: UnixMillis,
    /// Whether no event is fired and the present becomes the baseline.
    pub(crate) silent: bool,
    /// Whether reads and steps are noted.
    pub(crate) trace: bool,
    /// The triggers that may not fire.
    pub(crate) held: &'o [Name],
}

/// Plans the events of one identity whose plan has been applied.
pub(crate) fn plan(
    context: &PlanContext,
    evaluator: &mut dyn RuleEvaluator,
    record: IdentityRecord,
    occasion: &Occasion<'_>,
) -> Result<PlannedEvents, SnapshotError> {
    let &Occasion {
        detected_at,
        silent,
        trace,
        held,
    } = occasion;
    let model = Arc::clone(&context.model);
    let past = Past {
        baseline: Arc::new(record.identity.baseline.clone()),
        native_changes: record.identity.native_changes.clone(),
        triggers: record.identity.triggers.clone(),
    };
    // Whoever was refreshed before, in a run that was asked for some only, has
    // a past to compare with.
    let silent = silent && past.baseline.unseen;
    let (uid, recorded) = (record.identity.uid, record.identity.events.0);
    let mut view = TrackedView::new(
        Arc::clone(&model),
        Arc::clone(&context.snapshot),
        context.as_of,
        record,
    );
    view.settle_from_record();
    view.open_entitlements();
    let own = standing::own_changes(view.record());
    view.show_own_changes(own);
    view.show_chains(&past.baseline.chains);
    if trace {
        view.start_trace();
    }
    let mut changes = EventChanges::default();
    let mut retry_after_ms: Option<i64> = None;
    for trigger in &model.triggers {
        let known = past
            .triggers
            .iter()
            .find(|memory| memory.trigger == trigger.name);
        let memory = known.filter(|memory| memory.digest == trigger.digest);
        let unseen = Unseen::of(&past, memory);
        view.explain(Some(Topic::Trigger(trigger.name)));
        let (judged, hops) =
            view.counting(|view| judge(view, evaluator, trigger, memory, &unseen, silent));
        view.explain(None);
        match judged {
            Ok(Judgement { fires: true, .. }) if !silent && held.contains(&trigger.name) => {
                changes.triggers.push(lagging(trigger, memory, unseen));
                changes.held.push(trigger.name);
            }
            Ok(Judgement { fires, level }) => {
                let fires = fires && !silent;
                // Until it fires because of something else, or is edited.
                let circles = match fires {
                    true => hops > provisioning::MOST_HOPS && !trigger.handlers.is_empty(),
                    false => memory.is_some_and(|memory| memory.circles),
                };
                if circles {
                    changes.findings.push(circle(trigger.name));
                }
                if fires {
                    let sequence = recorded + changes.events.len() as u64 + 1;
                    let handlers = trigger.handlers.iter().cloned().zip(0..);
                    let handlers = handlers.filter(|_| !circles);
                    changes
                        .effects
                        .extend(handlers.map(|(handler, place)| Effect {
                            uid,
                            what: EffectKind::Handler {
                                trigger: trigger.name,
                                sequence,
                                place,
                                handler,
                                hops,
                            },
                            effective_at: context.as_of,
                            detected_at,
                        }));
                    changes.events.push(Event {
                        uid,
                        sequence,
                        trigger: trigger.name,
                        effective_at: context.as_of,
                        detected_at,
                        changes: event_changes(context, &view.record().identity, &unseen)?,
                    });
                }
                if level.is_some() || circles {
                    let memory = memory_of(trigger, level.unwrap_or(false), None);
                    changes.triggers.push(TriggerMemory { circles, ..memory });
                }
            }
            Err(Stop::Store(error)) => return Err(error),
            Err(Stop::Failed(failed)) => {
                let mut memory = lagging(trigger, memory, unseen);
                memory.lag = memory.lag.filter(|_| !silent);
                changes.triggers.push(memory);
                retry_after_ms = sooner(retry_after_ms, failed.retry_after_ms);
                changes.findings.push(failed.finding);
            }
        }
    }
    level_effects(
        &view.record().identity,
        context.as_of,
        detected_at,
        &mut changes,
    );
    let failed_ms = proposals::for_the_next_refresh(&mut view, evaluator, &mut changes);
    let failed_ms = failed_ms.map_err(store_failure)?;
    retry_after_ms = sooner(retry_after_ms, failed_ms);
    changes.triggers.sort_by_key(|memory| memory.trigger);
    changes.findings.sort();
    changes.findings.dedup_by(|one, other| one.is_same(other));
    let trace = view.take_trace();
    let (record, reads, wake) = view.finish();
    changes.reads = reads;
    changes.wake = wake;
    let known = record.identity.retries.events;
    changes.retry = Retry::after(known, retry_after_ms, context.as_of);
    Ok(PlannedEvents {
        record,
        changes,
        trace,
    })
}

/// Makes effects of what is newly called for (with accounts, by the lifecycle
/// state; from people, by work items), and withdraws those of what isn't any more.
fn level_effects(
    identity: &Identity,
    as_of: UnixMillis,
    detected_at: UnixMillis,
    changes: &mut EventChanges,
) {
    let mut compare = |before: Vec<EffectKind>, now: Vec<EffectKind>| {
        let among = |what: &EffectKind, list: &[EffectKind]| {
            list.iter().any(|known| is_same_effect(known, what))
        };
        let effect = |what: &EffectKind| Effect {
            uid: identity.uid,
            what: what.clone(),
            effective_at: as_of,
            detected_at,
        };
        let new = now
            .iter()
            .filter(|what| !among(what, &before) && is_to_send(identity, what));
        changes.effects.extend(new.map(effect));
        let gone = before.iter().filter(|what| !among(what, &now));
        changes.withdrawn.extend(gone.map(effect));
    };
    if let Some(before) = &identity.baseline.account_actions {
        let of = |actions: &[AccountAction]| -> Vec<_> {
            actions.iter().cloned().map(EffectKind::Account).collect()
        };
        compare(of(before), of(&identity.account_actions));
    }
    if let Some(before) = &identity.baseline.work_items {
        let of = |items: &[WorkItem]| -> Vec<_> {
            items.iter().cloned().map(EffectKind::WorkItem).collect()
        };
        compare(of(before), of(&identity.work_items));
    }
}

/// Says whether what is called for is to be sent: it isn't yet, and doesn't go
/// round in circles.
fn is_to_send(identity: &Identity, what: &EffectKind) -> bool {
    match what {
        EffectKind::Account(action) => {
            action.hops <= provisioning::MOST_HOPS
                && !standing::is_sent(&identity.provisioning, action)
        }
        EffectKind::WorkItem(_) | EffectKind::Handler { .. } => true,
    }
}

/// Says whether two effects are one: why something is called for may change
/// while it is.
fn is_same_effect(one: &EffectKind, other: &EffectKind) -> bool {
    match (one, other) {
        (EffectKind::Account(one), EffectKind::Account(other)) => {
            one.is_same(other) && one.since == other.since
        }
        _ => one == other,
    }
}

fn memory_of(trigger: &Trigger, level: bool, lag: Option<Lag>) -> TriggerMemory {
    TriggerMemory {
        trigger: trigger.name,
        digest: trigger.digest,
        level,
        lag,
        circles: false,
    }
}

/// Returns what a trigger remembers that keeps what it hasn't seen.
fn lagging(trigger: &Trigger, memory: Option<&TriggerMemory>, unseen: Unseen<'_>) -> TriggerMemory {
    let level = memory.is_some_and(|memory| memory.level);
    let lag = (!unseen.is_empty()).then(|| unseen.into_lag());
    TriggerMemory {
        circles: memory.is_some_and(|memory| memory.circles),
        ..memory_of(trigger, level, lag)
    }
}

/// Says that a trigger fired because of what its handlers had done.
fn circle(trigger: Name) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: EVENTS,
        subject: trigger.to_string(),
        cause: Name::new("event-loop"),
        message: format!(
            "more than {} changes of idr's own led to each other and to this event; its handlers \
             weren't launched",
            provisioning::MOST_HOPS
        ),
        hint: Some(
            "let no trigger watch what its own handlers change: see idr outbox list".to_owned(),
        ),
    }
}

/// What the identity's triggers look back at.
struct Past {
    baseline: Arc<Baseline>,
    native_changes: Vec<NativeChange>,
    triggers: Vec<TriggerMemory>,
}

/// What a trigger has not yet seen of an identity.
struct Unseen<'a> {
    baseline: Arc<Baseline>,
    native_changes: Cow<'a, [NativeChange]>,
}

impl<'a> Unseen<'a> {
    fn of(past: &'a Past, memory: Option<&TriggerMemory>) -> Self {
        let Some(lag) = memory.and_then(|memory| memory.lag.as_ref()) else {
            return Self {
                baseline: Arc::clone(&past.baseline),
                native_changes: Cow::Borrowed(&past.native_changes),
            };
        };
        let mut baseline = lag.baseline.clone();
        baseline.absorb(&past.baseline);
        let native_changes = [lag.native_changes.as_slice(), &past.native_changes].concat();
        Self {
            baseline: Arc::new(baseline),
            native_changes: Cow::Owned(native_changes),
        }
    }

    fn is_empty(&self) -> bool {
        self.baseline.is_empty() && self.native_changes.is_empty()
    }

    fn into_lag(self) -> Lag {
        let mut baseline = Arc::unwrap_or_clone(self.baseline);
        // That is of this run.
        baseline.chains.clear();
        Lag {
            baseline,
            native_changes: self.native_changes.into_owned(),
        }
    }
}

/// What a trigger says.
struct Judgement {
    fires: bool,
    /// A rule trigger's answer at the present.
    level: Option<bool>,
}

/// Why a trigger says nothing.
enum Stop {
    Failed(Box<Failure>),
    Store(SnapshotError),
}

fn judge(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    trigger: &Trigger,
    memory: Option<&TriggerMemory>,
    unseen: &Unseen<'_>,
    silent: bool,
) -> Result<Judgement, Stop> {
    let read =
        |result: Result<bool, ReadError>| result.map_err(|error| stop(trigger, error.into()));
    view.show_baseline(Some(Arc::clone(&unseen.baseline)));
    let mut included = match &trigger.included {
        Some(filter) => read(filter.matches(view))?,
        None => true,
    };
    if let Some(rule) = trigger.included_rule.filter(|_| included) {
        included = includes(view, evaluator, trigger, rule)?;
    }
    if trigger.included.is_some() || trigger.included_rule.is_some() {
        view.step(|| "who is included now".to_owned(), yes_or_no(included));
    }
    let included_before = match &trigger.included_before {
        Some(filter) => read(filter.matches(&mut BaselineProperties(view)))?,
        None => true,
    };
    if trigger.included_before.is_some() {
        let name = || "who was included before".to_owned();
        view.step(name, yes_or_no(included_before));
    }
    let model = Arc::clone(view.model());
    let mut happened = false;
    let mut level = None;
    for condition in &trigger.conditions {
        let TriggerCondition::Rule(rule) = condition else {
            let is_so = read(holds(view, condition, unseen))?;
            view.step(|| spoken(condition), yes_or_no(is_so));
            happened |= is_so;
            continue;
        };
        let mut ask = |view: &mut TrackedView| {
            view.read_as(Some(*rule));
            let answer = evaluator.fires(*rule, trigger.name, view);
            view.read_as(None);
            answer.map_err(|error| stop(trigger, error))
        };
        // Who is new to events counts as false before; whom a new trigger
        // meets for the first time is only looked at.
        let was = match memory {
            Some(memory) => memory.level,
            None => !unseen.baseline.unseen,
        };
        if !unseen.baseline.is_empty() && !silent {
            // What this answer says of time is settled once it is given: only
            // the answer at the present can wake the identity.
            let wake = view.take_wake();
            happened |= ask(view)? && !was;
            view.take_wake();
            view.note_wake(wake);
        }
        view.show_baseline(Some(Arc::default()));
        let now = ask(view)? && included;
        if unseen.baseline.is_empty() {
            happened |= now && !was;
        }
        let name = || format!("rule {}", model.rule(*rule).name);
        view.step(
            name,
            format_args!(
                "says {} now, said {} before",
                yes_or_no(now),
                yes_or_no(was)
            ),
        );
        level = Some(level.unwrap_or(false) | now);
        view.show_baseline(Some(Arc::clone(&unseen.baseline)));
    }
    Ok(Judgement {
        fires: happened && included && included_before,
        level,
    })
}

fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

/// Says in words what a condition watches for.
fn spoken(condition: &TriggerCondition) -> String {
    let of = |name: &Option<Name>, any: &str| name.map_or(any.to_owned(), |name| name.to_string());
    match condition {
        TriggerCondition::Create => "seen for the first time".to_owned(),
        TriggerCondition::AttributeChange { attribute, .. } => format!("{attribute} has changed"),
        TriggerCondition::ManagerTransfer { .. } => "the manager has changed".to_owned(),
        TriggerCondition::LifecycleChange { from, to } => format!(
            "the lifecycle state has changed from {} to {}",
            of(from, "any"),
            of(to, "any")
        ),
        TriggerCondition::NativeChange { application } => {
            format!(
                "an account in {} was changed natively",
                of(application, "any application")
            )
        }
        TriggerCondition::Rule(_) => "a rule says so".to_owned(),
    }
}

/// Asks an assignment rule whether a trigger is about the identity.
fn includes(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    trigger: &Trigger,
    rule: RuleIndex,
) -> Result<bool, Stop> {
    view.read_as(Some(rule));
    let answers = evaluator.assign(rule, &[trigger.name], view);
    view.read_as(None);
    let answers = answers.map_err(|error| stop(trigger, error))?;
    match answers.into_iter().next() {
        Some(Eligibility::Yes) => Ok(true),
        Some(Eligibility::No) => Ok(false),
        Some(Eligibility::CannotTell(reason)) => Err(stop(trigger, cannot_tell(reason))),
        None => Err(stop(
            trigger,
            cannot_tell("the rule gave no answer".to_owned()),
        )),
    }
}

fn cannot_tell(message: String) -> RuleFailure {
    RuleFailure::Failed {
        cause: Name::new("cannot-tell"),
        message,
        hint: None,
        retry_after_ms: None,
    }
}

fn stop(trigger: &Trigger, error: RuleFailure) -> Stop {
    match failure(EVENTS, Severity::Error, &trigger.name, error) {
        Ok(failed) => Stop::Failed(Box::new(failed)),
        Err(interrupt) => Stop::Store(store_failure(interrupt)),
    }
}

/// Says whether a condition other than a rule holds.
fn holds(
    view: &mut TrackedView,
    condition: &TriggerCondition,
    unseen: &Unseen<'_>,
) -> Result<bool, ReadError> {
    let baseline = &unseen.baseline;
    match condition {
        TriggerCondition::Create => Ok(baseline.unseen),
        TriggerCondition::NativeChange { application } => Ok(unseen
            .native_changes
            .iter()
            .any(|change| application.is_none_or(|wanted| wanted == change.account.application))),
        // Whoever is seen for the first time has no past to differ from.
        _ if baseline.unseen => Ok(false),
        TriggerCondition::AttributeChange {
            attribute,
            old,
            new,
        } => {
            let before = view.baseline_attribute(attribute)?;
            let now = view.attribute(attribute)?;
            Ok(before != now && lets_through(old, &before)? && lets_through(new, &now)?)
        }
        TriggerCondition::ManagerTransfer { old, new } => {
            view.note_node_read(Node::Manager);
            let now = view.record().identity.manager;
            if baseline.manager.is_none_or(|before| before == now) {
                return Ok(false);
            }
            // Only who is asked about needs a name.
            let before = match old {
                Some(_) => view.baseline_attribute("manager")?,
                None => None,
            };
            let now = match new {
                Some(_) => view.attribute("manager")?,
                None => None,
            };
            Ok(lets_through(old, &before)? && lets_through(new, &now)?)
        }
        TriggerCondition::LifecycleChange { from, to } => {
            view.note_node_read(Node::LifecycleState);
            let now = view.record().identity.lifecycle_state;
            Ok(baseline.lifecycle_state.is_some_and(|before| {
                before != now
                    && from.is_none_or(|wanted| before == Some(wanted))
                    && to.is_none_or(|wanted| now == Some(wanted))
            }))
        }
        TriggerCondition::Rule(_) => Ok(false),
    }
}

/// Says whether a changed value is like a condition wants it.
fn lets_through(filter: &Option<Filter>, value: &Option<Value>) -> Result<bool, ReadError> {
    match filter {
        Some(filter) => filter.matches(&mut SingleValue(value.as_ref())),
        None => Ok(true),
    }
}

/// Lists what differs between the baseline and the present.
fn event_changes(
    context: &PlanContext,
    identity: &Identity,
    unseen: &Unseen<'_>,
) -> Result<Vec<EventChange>, SnapshotError> {
    let baseline = &unseen.baseline;
    let mut changes = Vec::new();
    let mut add = |what: String, old: Option<Value>, new: Option<Value>| {
        if old != new {
            changes.push(EventChange { what, old, new });
        }
    };
    let text = |text: Option<Name>| text.map(|text| Value::text(text.as_str()));
    let name_of = |uid: Option<Uid>| match uid {
        Some(uid) => context.snapshot.attribute_of(uid, Name::new("name")),
        None => Ok(None),
    };
    if let Some(old) = &baseline.name {
        let new = Some(Value::text(&identity.name));
        add("name".to_owned(), Some(Value::text(old)), new);
    }
    for (name, old) in &baseline.attributes {
        add(
            name.to_string(),
            old.clone(),
            identity.value(*name).cloned(),
        );
    }
    if let Some(old) = baseline.manager {
        add(
            "manager".to_owned(),
            name_of(old)?,
            name_of(identity.manager)?,
        );
    }
    if let Some(old) = baseline.lifecycle_state {
        add(
            "lifecycleState".to_owned(),
            text(old),
            text(identity.lifecycle_state),
        );
    }
    for (role, held) in &baseline.assigned {
        let has = identity.has_assigned(*role);
        if has == held.is_some() {
            continue;
        }
        add(
            format!("role {role}"),
            Some(Value::Boolean(held.is_some())),
            Some(Value::Boolean(has)),
        );
    }
    for change in unseen.native_changes.iter() {
        let what = format!(
            "account {} {}",
            change.account.application, change.account.native_identity
        );
        add(what, None, Some(Value::text(change.operation.as_str())));
    }
    Ok(changes)
}
