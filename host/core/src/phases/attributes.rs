//! Attribute promotion, and the on-demand graph that it shares with manager
//! and lifecycle state.
//!
//! Rules say what they need by reading it. A read of something that isn't
//! settled yet abandons the evaluation; the other is settled first, and the
//! evaluation is repeated. Each evaluation waits for at most one other, so a
//! cycle has the same members whichever was asked first; they keep their last
//! values. Roles read the outcome.

use std::sync::Arc;

use super::{
    Failure, Interrupt, failure, lifecycle, manager, proposals, read_failure, store_failure,
    unique, value_change,
};
use crate::definitions::{
    AttributeDefinition, EditMode, Model, OnEmpty, OnNoAccount, Origin, Source,
};
use crate::model::finding::{ATTRIBUTE_PROMOTION, BEFORE_REFRESH, LIFECYCLE_STATE, MANAGER};
use crate::model::{AttributeState, Finding, ManualEdit, Name, Provenance, Severity, Value};
use crate::plan::Draft;
use crate::rule::{Promotion, RuleEvaluator};
use crate::transform::{Outcome, TransformFailure};
use crate::view::{Node, Proposed, Slot, SnapshotError, Topic, TrackedView};

/// What an edit is called in explanations.
const EDIT: &str = "edit by hand";

/// Settles every attribute, the manager and the lifecycle state.
///
/// `order` is the order in which things could be settled last time; it is
/// tried first and brought up to date.
pub(crate) fn settle_all(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    order: &mut Vec<Node>,
    draft: &mut Draft,
) -> Result<(), SnapshotError> {
    let model = Arc::clone(view.model());
    let count = model.attributes.len() + 2 + usize::from(model.before_refresh.is_some());
    if order.len() != count {
        order.clear();
        let attributes = model.attributes.iter();
        order.extend(attributes.map(|known| Node::Attribute(known.name)));
        order.extend([Node::Manager, Node::LifecycleState]);
        order.extend(model.before_refresh.map(|_| Node::Proposals));
    }
    let mut settled = Vec::with_capacity(count);
    if !view.is_traced() {
        settle_unfed(view, &model, &mut settled);
    }
    let mut waiting = Vec::new();
    for &node in order.iter() {
        if !view.is_settled(node) {
            waiting.push(node);
            settle(view, evaluator, &model, &mut waiting, &mut settled, draft)
                .map_err(store_failure)?;
        }
    }
    *order = settled;
    Ok(())
}

/// Settles the attributes that nothing feeds and that have no value: what people may fill
/// in most people don't have.
fn settle_unfed(view: &mut TrackedView, model: &Model, settled: &mut Vec<Node>) {
    for definition in model.attributes.iter().filter(|known| known.is_unfed()) {
        let identity = &view.record().identity;
        let mut edits = identity.by_hand.edits.iter();
        let is_edited = edits.any(|edit| edit.attribute == definition.name);
        if !is_edited && identity.attribute(definition.name).is_none() {
            let node = Node::Attribute(definition.name);
            view.settle(node, Slot::Attribute(None));
            settled.push(node);
        }
    }
}

/// Settles the one that is waiting, and before it whatever it turns out to need.
fn settle(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    waiting: &mut Vec<Node>,
    settled: &mut Vec<Node>,
    draft: &mut Draft,
) -> Result<(), Interrupt> {
    while let Some(&node) = waiting.last() {
        view.explain(Some(Topic::Node(node)));
        let (outcome, chain) = view.counting(|view| evaluate(view, evaluator, model, node, draft));
        view.explain(None);
        match outcome {
            Ok(slot) => {
                view.settle(node, slot);
                view.note_chain(node, chain);
                settled.push(node);
                waiting.pop();
            }
            Err(Interrupt::Unsettled(needed)) => {
                view.explain_again(Topic::Node(node));
                match waiting.iter().position(|&known| known == needed) {
                    Some(first) => {
                        let members = waiting.split_off(first);
                        for &member in &members {
                            view.settle(member, last_known(view, member));
                            settled.push(member);
                        }
                        draft.findings.push(cycle(&members));
                    }
                    None => waiting.push(needed),
                }
            }
            Err(interrupt) => return Err(interrupt),
        }
    }
    Ok(())
}

fn evaluate(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    node: Node,
    draft: &mut Draft,
) -> Result<Slot, Interrupt> {
    match node {
        Node::Attribute(name) => promote(view, evaluator, model, name, draft).map(Slot::Attribute),
        Node::Manager => manager::correlate(view, evaluator, draft).map(Slot::Manager),
        Node::LifecycleState => lifecycle::decide(view, evaluator, draft),
        Node::Proposals => proposals::ask(view, evaluator, draft),
    }
}

/// Returns what a node was before this plan.
pub(super) fn last_known(view: &TrackedView, node: Node) -> Slot {
    let identity = &view.record().identity;
    match node {
        Node::Attribute(name) => Slot::Attribute(keep_settled(view, name)),
        Node::Manager => Slot::Manager(identity.settled_manager()),
        Node::LifecycleState => lifecycle::last_known(view),
        // What it could have proposed keeps its value.
        Node::Proposals => Slot::Proposals(None),
    }
}

/// Returns the finding about things that need each other.
fn cycle(members: &[Node]) -> Finding {
    let mut names: Vec<_> = members.iter().map(ToString::to_string).collect();
    names.sort();
    let first = *members.iter().min().expect("a cycle has members");
    let (phase, subject) = match first {
        Node::Attribute(name) => (ATTRIBUTE_PROMOTION, name.to_string()),
        Node::Manager => (MANAGER, "manager".to_owned()),
        Node::LifecycleState => (LIFECYCLE_STATE, "lifecycleState".to_owned()),
        Node::Proposals => (BEFORE_REFRESH, "proposals".to_owned()),
    };
    let severity = if members.contains(&Node::LifecycleState) {
        Severity::AccessAtRisk
    } else {
        Severity::Error
    };
    let message = match names.as_slice() {
        [one] => format!("{one} needs itself; it keeps its last value"),
        names => format!(
            "{} need each other; they keep their last values",
            names.join(" and ")
        ),
    };
    let hint = Some("let one of them come from a source that doesn't read the others".to_owned());
    Finding {
        severity,
        phase,
        subject,
        cause: Name::new("cycle"),
        message,
        hint,
    }
}

/// What the sources of an attribute come to.
enum Feed {
    /// This value, or none.
    Says(AttributeState),
    /// Nothing, because no account is there: the value is kept.
    Keeps,
    /// Nothing that could be used: the value stays what it was.
    Fails,
}

fn promote(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    name: Name,
    draft: &mut Draft,
) -> Result<Option<AttributeState>, Interrupt> {
    let index = model
        .attribute_index(name)
        .expect("only defined attributes are promoted");
    let definition = &model.attributes[index];
    let state = work_out(view, evaluator, model, definition, draft)?;
    match definition.unique {
        None => Ok(state),
        Some(namespace) => {
            let wanted = view.is_traced().then(|| state.clone());
            let state = unique::claim(view, definition, namespace, state, draft)?;
            if wanted.is_some_and(|wanted| wanted != state) {
                view.step(
                    || "the value".to_owned(),
                    "is somebody else's, and must be unique",
                );
            }
            Ok(state)
        }
    }
}

/// Works an attribute out, whoever else has its value.
fn work_out(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    definition: &AttributeDefinition,
    draft: &mut Draft,
) -> Result<Option<AttributeState>, Interrupt> {
    let name = definition.name;
    let edit = match definition.edit_mode {
        EditMode::ReadOnly => None,
        EditMode::Permanent | EditMode::UntilFeedChanges => view
            .record()
            .identity
            .by_hand
            .edits
            .iter()
            .find(|edit| edit.attribute == name)
            .cloned(),
    };
    if let Some(edit) = &edit
        && definition.edit_mode == EditMode::Permanent
    {
        view.step(|| EDIT.to_owned(), "counts; sources aren't asked");
        return Ok(Some(edited(edit)));
    }
    // Findings of an abandoned evaluation would be made again by its repetition.
    let mut findings = Vec::new();
    let feed = match proposed(view, model, definition)? {
        Some(feed) => {
            view.step(
                || "proposal of a rule".to_owned(),
                "counts; sources aren't asked",
            );
            feed
        }
        None => ask_sources(view, evaluator, definition, &mut findings, draft)?,
    };
    draft.findings.append(&mut findings);
    if edit.is_some() {
        let over = matches!((&edit, &feed), (Some(edit), Feed::Says(state)) if state.value != edit.feed_value);
        let way = match over {
            true => "is over: the sources say something else than when it was made",
            false => "counts until the sources say something else",
        };
        view.step(|| EDIT.to_owned(), way);
    } else if matches!(feed, Feed::Keeps | Feed::Fails) {
        view.step(|| "the value".to_owned(), "stays as it is");
    }
    let state = match (edit, feed) {
        (Some(edit), Feed::Keeps | Feed::Fails) => Some(edited(&edit)),
        (Some(edit), Feed::Says(state)) if state.value == edit.feed_value => Some(edited(&edit)),
        (edit, Feed::Says(state)) => {
            draft.ended_edits.extend(edit.map(|edit| edit.attribute));
            Some(state)
        }
        (None, Feed::Keeps) => keep(view, name),
        (None, Feed::Fails) => keep_settled(view, name),
    };
    // An attribute that never had a value isn't listed for not having one.
    Ok(state
        .filter(|state| state.value.is_some() || view.record().identity.attribute(name).is_some()))
}

/// Returns what is proposed for an attribute, which counts before its sources:
/// by the before-refresh rule, or else by the after-refresh rule of the last
/// refresh, or else by a rule that has answered a change.
fn proposed(
    view: &mut TrackedView,
    model: &Model,
    definition: &AttributeDefinition,
) -> Result<Option<Feed>, Interrupt> {
    if !definition.proposals {
        return Ok(None);
    }
    let says = |value: &Option<Value>, rule| {
        Feed::Says(AttributeState {
            value: value.clone(),
            provenance: Provenance::Proposed(model.rule(rule).name),
        })
    };
    if let Some(rule) = model.before_refresh {
        view.note_node_read(Node::Proposals);
        let Slot::Proposals(proposals) = view.slot(Node::Proposals) else {
            return Err(Interrupt::Unsettled(Node::Proposals));
        };
        let Some(proposals) = proposals else {
            return Ok(Some(Feed::Fails));
        };
        let place = proposals.binary_search_by(|(known, _)| known.cmp(&definition.name));
        if let Ok(place) = place {
            return Ok(Some(match &proposals[place].1 {
                Proposed::Unusable => Feed::Fails,
                Proposed::Value(value) => says(value, rule),
            }));
        }
    }
    view.note_led_to(view.record().identity.proposals.hops);
    let identity = &view.record().identity;
    if let Some(rule) = model.after_refresh {
        let stored = &identity.proposals.attributes;
        let place = stored.binary_search_by(|(known, _)| known.cmp(&definition.name));
        if let Ok(place) = place {
            return Ok(Some(says(&stored[place].1, rule)));
        }
    }
    let answered = value_change::proposed(model, &identity.value_changes, definition.name);
    Ok(answered.map(|(rule, proposed)| match proposed {
        Proposed::Unusable => Feed::Fails,
        Proposed::Value(value) => says(&value, rule),
    }))
}

fn edited(edit: &ManualEdit) -> AttributeState {
    AttributeState {
        value: edit.value.clone(),
        provenance: Provenance::Manual,
    }
}

fn keep(view: &TrackedView, name: Name) -> Option<AttributeState> {
    let mut state = view.record().identity.attribute(name)?.clone();
    if !matches!(state.provenance, Provenance::Kept(_)) {
        state.provenance = Provenance::Kept(view.as_of());
    }
    Some(state)
}

/// Keeps what an attribute was before any wave worked it out from values that
/// others have no longer.
pub(super) fn keep_settled(view: &TrackedView, name: Name) -> Option<AttributeState> {
    let identity = &view.record().identity;
    let present = identity.attribute(name)?;
    match identity.settled_value(name) {
        Some(settled) if settled != present.value.as_ref() => Some(AttributeState {
            value: settled.cloned(),
            provenance: Provenance::Kept(view.as_of()),
        }),
        _ => keep(view, name),
    }
}

fn ask_sources(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    definition: &AttributeDefinition,
    findings: &mut Vec<Finding>,
    draft: &mut Draft,
) -> Result<Feed, Interrupt> {
    let (mut an_account_was_missing, mut a_field_was_blank) = (false, false);
    for (index, source) in definition.sources.iter().enumerate() {
        let answer = ask(view, evaluator, definition, source);
        explain_source(view, definition, index, &answer);
        match answer {
            Ok(Answer::Value(value)) => match value.convert(definition.value_type) {
                Ok(Some(value)) => {
                    return Ok(Feed::Says(AttributeState::from_source(Some(value), index)));
                }
                Ok(None) => match source.on_empty {
                    OnEmpty::Clear => return Ok(cleared(index)),
                    OnEmpty::Next => a_field_was_blank = true,
                },
                Err(error) => {
                    let shown = if definition.sensitive {
                        format!("a value is not of type {}", definition.value_type)
                    } else {
                        error.to_string()
                    };
                    findings.push(Finding {
                        severity: Severity::Error,
                        phase: ATTRIBUTE_PROMOTION,
                        subject: definition.name.to_string(),
                        cause: Name::new("wrong-type"),
                        message: shown,
                        hint: Some(format!(
                            "mend the value, or the type of `{}` in identity.toml",
                            definition.name
                        )),
                    });
                    return Ok(Feed::Fails);
                }
            },
            Ok(Answer::Clear) => return Ok(cleared(index)),
            Ok(Answer::Next) => {}
            Ok(Answer::Empty) => match source.on_empty {
                OnEmpty::Clear => return Ok(cleared(index)),
                OnEmpty::Next => a_field_was_blank = true,
            },
            Ok(Answer::NoAccount) => match source.on_no_account {
                OnNoAccount::Keep => return Ok(Feed::Keeps),
                OnNoAccount::Clear => return Ok(cleared(index)),
                OnNoAccount::Next => an_account_was_missing = true,
            },
            Ok(Answer::Failed(failure)) => {
                draft.retry_after(failure.retry_after_ms);
                findings.push(failure.finding);
                return Ok(Feed::Fails);
            }
            Err(interrupt) => return Err(interrupt),
        }
    }
    if an_account_was_missing && !a_field_was_blank {
        return Ok(Feed::Keeps);
    }
    Ok(cleared(definition.sources.len().saturating_sub(1)))
}

/// Notes what a source came to, and after one that counts that the others
/// aren't asked.
fn explain_source(
    view: &mut TrackedView,
    definition: &AttributeDefinition,
    index: usize,
    answer: &Result<Answer, Interrupt>,
) {
    let Ok(answer) = answer else { return };
    if !view.is_traced() {
        return;
    }
    let source = &definition.sources[index];
    let (way, counts) = match answer {
        Answer::Value(_) => ("has a value, which counts", true),
        Answer::Clear => ("clears the attribute", true),
        Answer::Next => ("leaves it to the next source", false),
        Answer::Empty => match source.on_empty {
            OnEmpty::Clear => ("is blank, which clears the attribute", true),
            OnEmpty::Next => ("is blank: the next source is asked", false),
        },
        Answer::NoAccount => match source.on_no_account {
            OnNoAccount::Keep => ("has no account, which keeps the value", true),
            OnNoAccount::Clear => ("has no account, which clears the attribute", true),
            OnNoAccount::Next => ("has no account: the next source is asked", false),
        },
        Answer::Failed(_) => ("failed, which keeps the value", true),
    };
    let model = Arc::clone(view.model());
    let name = |place: usize| {
        let origin = spoken(&definition.sources[place].origin, &model);
        format!("source {}: {origin}", place + 1)
    };
    view.step(|| name(index), way);
    if counts {
        for later in index + 1..definition.sources.len() {
            view.step(|| name(later), "isn't asked");
        }
    }
}

/// Says in words where a source takes its value from.
fn spoken(origin: &Origin, model: &Model) -> String {
    match origin {
        Origin::Account {
            application,
            attribute,
        } => format!("{application} {attribute}"),
        Origin::Static(_) => "a fixed value".to_owned(),
        Origin::Rule(rule) => format!("rule {}", model.rule(*rule).name),
        Origin::Transform(_) => "a transform".to_owned(),
        Origin::Usernames(_) => "a generated name".to_owned(),
    }
}

fn cleared(index: usize) -> Feed {
    Feed::Says(AttributeState::from_source(None, index))
}

pub(super) enum Answer {
    Value(Value),
    Clear,
    Next,
    Empty,
    NoAccount,
    Failed(Failure),
}

fn ask(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    definition: &AttributeDefinition,
    source: &Source,
) -> Result<Answer, Interrupt> {
    match &source.origin {
        Origin::Account {
            application,
            attribute,
        } => {
            let Some(place) = view.first_account_index(*application) else {
                return Ok(Answer::NoAccount);
            };
            view.note_account_read(place, *attribute);
            let account = &view.record().accounts[place];
            let value = account.attribute(*attribute).cloned();
            view.note_of(
                place,
                || format!("{application} {attribute}"),
                || {
                    value
                        .as_ref()
                        .map_or_else(|| "blank".to_owned(), ToString::to_string)
                },
            );
            Ok(value.map_or(Answer::Empty, Answer::Value))
        }
        Origin::Static(value) => Ok(Answer::Value(value.clone())),
        Origin::Rule(rule) => {
            view.read_as(Some(*rule));
            let answer = evaluator.promote(*rule, definition.name, view);
            view.read_as(None);
            Ok(match answer {
                Ok(Promotion::Set(value)) => {
                    value.normalised().map_or(Answer::Clear, Answer::Value)
                }
                Ok(Promotion::Clear) => Answer::Clear,
                Ok(Promotion::Next) => Answer::Next,
                Err(error) => Answer::Failed(failure(
                    ATTRIBUTE_PROMOTION,
                    Severity::Error,
                    &definition.name,
                    error,
                )?),
            })
        }
        Origin::Transform(transform) => {
            match transform.evaluate(view, definition.name, definition.value_type) {
                Ok(Outcome::Value(value)) => Ok(Answer::Value(value)),
                Ok(Outcome::Empty) => Ok(Answer::Empty),
                Ok(Outcome::NoAccount) => Ok(Answer::NoAccount),
                Err(error) => Ok(Answer::Failed(transform_failure(definition.name, error)?)),
            }
        }
        Origin::Usernames(generator) => unique::generate(view, definition, generator),
    }
}

pub(super) fn transform_failure(
    attribute: Name,
    error: TransformFailure,
) -> Result<Failure, Interrupt> {
    let (cause, message) = match error {
        TransformFailure::Read(error) => {
            let error = read_failure(error)?;
            (error.cause(), error.to_string())
        }
        TransformFailure::Operation { cause, .. } => (cause, error.to_string()),
    };
    let finding = Finding {
        severity: Severity::Error,
        phase: ATTRIBUTE_PROMOTION,
        subject: attribute.to_string(),
        cause: Name::new(cause),
        message,
        hint: Some(format!(
            "mend what it reads, or the transform of `{attribute}` in identity.toml"
        )),
    };
    Ok(Failure {
        finding,
        retry_after_ms: None,
    })
}

#[cfg(test)]
mod tests {
    use crate::definitions::{EditMode, OnEmpty, OnNoAccount, Origin, RuleIndex};
    use crate::model::{ManualEdit, Name, UnixMillis, Value};
    use crate::plan::EventChanges;
    use crate::rule::{Promotion, RuleFailure};
    use crate::testing::{
        Script, Scripts, account, attribute, from_account, model, person, plan, refresh, shown,
        source,
    };
    use crate::view::TrackedView;

    const NOW: UnixMillis = UnixMillis(1_000);

    fn text(text: &str) -> Value {
        Value::text(text)
    }

    #[test]
    fn the_first_source_with_a_value_counts() {
        let mail = || {
            let sources = vec![from_account("hr", "mail"), from_account("ad", "mail")];
            model(&["mail"], vec![attribute("email", sources)])
        };
        let mut scripts = Scripts::default();
        let both = vec![
            account("hr", &[("mail", "hr@x")]),
            account("ad", &[("mail", "ad@x")]),
        ];
        let refreshed = refresh(mail(), &mut scripts, NOW, person(both));
        assert_eq!(shown(&refreshed, "email"), "hr@x Source(0)");
        let blank = vec![account("hr", &[]), account("ad", &[("mail", "ad@x")])];
        let refreshed = refresh(mail(), &mut scripts, NOW, person(blank));
        assert_eq!(shown(&refreshed, "email"), "ad@x Source(1)");
    }

    #[test]
    fn a_blank_field_clears_and_a_missing_account_keeps() {
        let mail = || {
            model(
                &["mail"],
                vec![attribute("email", vec![from_account("hr", "mail")])],
            )
        };
        let mut scripts = Scripts::default();
        let first = refresh(
            mail(),
            &mut scripts,
            NOW,
            person(vec![account("hr", &[("mail", "a@x")])]),
        );
        let mut gone = first.clone();
        gone.accounts.clear();
        let kept = refresh(mail(), &mut scripts, UnixMillis(2_000), gone);
        assert_eq!(shown(&kept, "email"), "a@x Kept(UnixMillis(2000))");
        let still = refresh(mail(), &mut scripts, UnixMillis(3_000), kept);
        assert_eq!(shown(&still, "email"), "a@x Kept(UnixMillis(2000))");
        let mut blank = first;
        blank.accounts = vec![account("hr", &[])];
        let cleared = refresh(mail(), &mut scripts, NOW, blank);
        assert_eq!(shown(&cleared, "email"), "absent Source(0)");
    }

    #[test]
    fn each_source_says_what_blanks_and_missing_accounts_mean() {
        let mut first = from_account("hr", "mail");
        first.on_empty = OnEmpty::Clear;
        first.on_no_account = OnNoAccount::Clear;
        let mail = || {
            let sources = vec![first.clone(), from_account("ad", "mail")];
            model(&["mail"], vec![attribute("email", sources)])
        };
        let mut scripts = Scripts::default();
        let ad = || account("ad", &[("mail", "ad@x")]);
        let blank = refresh(
            mail(),
            &mut scripts,
            NOW,
            person(vec![account("hr", &[]), ad()]),
        );
        assert_eq!(shown(&blank, "email"), "never set");
        let missing = refresh(mail(), &mut scripts, NOW, person(vec![ad()]));
        assert_eq!(shown(&missing, "email"), "never set");
    }

    #[test]
    fn a_present_account_comes_before_one_that_is_missing() {
        let mail = || {
            let mut model = model(
                &["mail"],
                vec![attribute("email", vec![from_account("hr", "mail")])],
            );
            for application in &mut model.applications {
                application.vanish_grace_ms = 500;
            }
            model
        };
        let numbered = |number: &str, missing_since: Option<UnixMillis>| {
            let mut account = account("hr", &[("mail", number)]);
            account.key.native_identity = number.to_owned();
            account.missing_since = missing_since;
            account
        };
        let mut scripts = Scripts::default();
        let missing = || numbered("1", Some(UnixMillis(800)));
        let both = person(vec![missing(), numbered("2", None)]);
        let refreshed = refresh(mail(), &mut scripts, NOW, both);
        assert_eq!(shown(&refreshed, "email"), "2 Source(0)");
        let refreshed = refresh(mail(), &mut scripts, NOW, person(vec![missing()]));
        assert_eq!(shown(&refreshed, "email"), "1 Source(0)");
    }

    #[test]
    fn a_failed_rule_keeps_the_value_and_never_falls_through() {
        let by_rule = || {
            let sources = vec![
                source(Origin::Rule(RuleIndex(0))),
                from_account("hr", "mail"),
            ];
            model(&["mail"], vec![attribute("email", sources)])
        };
        let declines: Script = Box::new(|_: &mut TrackedView| {
            Err(RuleFailure::Failed {
                cause: Name::new("rule-declined"),
                message: "no idea".to_owned(),
                hint: None,
                retry_after_ms: None,
            })
        });
        let mut scripts = Scripts {
            promotions: vec![declines],
            ..Scripts::default()
        };
        let record = person(vec![account("hr", &[("mail", "a@x")])]);
        let planned = plan(by_rule(), &mut scripts, NOW, record);
        let findings = planned.changes.findings.expect("a finding");
        assert_eq!(findings[0].message, "no idea");
        assert!(planned.changes.attributes.is_empty());
    }

    #[test]
    fn a_failed_rule_keeps_what_was_there_before_the_first_wave() {
        let by_rule = || {
            let sources = vec![source(Origin::Rule(RuleIndex(0)))];
            model(&["mail"], vec![attribute("email", sources)])
        };
        let answers = |value: &'static str| -> Script {
            Box::new(move |_: &mut TrackedView| Ok(Promotion::Set(text(value))))
        };
        let fails: Script = Box::new(|_: &mut TrackedView| {
            Err(RuleFailure::Failed {
                cause: Name::new("rule-trapped"),
                message: "no idea".to_owned(),
                hint: None,
                retry_after_ms: None,
            })
        });
        let mut record = person(Vec::new());
        for script in [answers("old"), answers("of the first wave"), fails] {
            let mut scripts = Scripts {
                promotions: vec![script],
                ..Scripts::default()
            };
            record = refresh(by_rule(), &mut scripts, NOW, record);
            if shown(&record, "email").starts_with("old") {
                // The run is over: events have seen it.
                record.identity.apply_events(&EventChanges::default());
            }
        }
        assert_eq!(shown(&record, "email"), "old Kept(UnixMillis(1000))");
    }

    #[test]
    fn what_a_rule_needs_is_settled_first() {
        let chain = vec![
            attribute("a", vec![source(Origin::Rule(RuleIndex(0)))]),
            attribute("b", vec![source(Origin::Rule(RuleIndex(1)))]),
            attribute("c", vec![from_account("hr", "c")]),
        ];
        let copy = |from: &'static str| -> Script {
            Box::new(move |view: &mut TrackedView| {
                Ok(view
                    .attribute(from)?
                    .map_or(Promotion::Clear, Promotion::Set))
            })
        };
        let mut scripts = Scripts {
            promotions: vec![copy("b"), copy("c")],
            ..Scripts::default()
        };
        let record = person(vec![account("hr", &[("c", "deep")])]);
        let refreshed = refresh(model(&["c"], chain), &mut scripts, NOW, record);
        assert_eq!(shown(&refreshed, "a"), "deep Source(0)");
    }

    #[test]
    fn a_cycle_is_a_finding_and_its_members_keep_their_values() {
        let circle = || {
            let by =
                |name: &str, rule| attribute(name, vec![source(Origin::Rule(RuleIndex(rule)))]);
            model(&[], vec![by("a", 0), by("b", 1), by("outside", 2)])
        };
        let read = |from: &'static str| -> Script {
            Box::new(move |view: &mut TrackedView| {
                let value = view.attribute(from)?;
                Ok(Promotion::Set(Value::Text(
                    format!("from {from}: {value:?}").into(),
                )))
            })
        };
        let mut scripts = Scripts {
            promotions: vec![read("b"), read("a"), read("a")],
            ..Scripts::default()
        };
        let planned = plan(circle(), &mut scripts, NOW, person(Vec::new()));
        let findings = planned.changes.findings.expect("a finding");
        assert_eq!(
            findings[0].message,
            "attribute `a` and attribute `b` need each other; they keep their last values"
        );
        let changed: Vec<_> = planned
            .changes
            .attributes
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(changed, ["outside"], "who only reads the cycle goes on");
    }

    #[test]
    fn edits_by_hand_follow_their_mode() {
        let edited = |mode, feed: &str| {
            let mut email = attribute("email", vec![from_account("hr", "mail")]);
            email.edit_mode = mode;
            let mut record = person(vec![account("hr", &[("mail", feed)])]);
            record.identity.by_hand.edits = vec![ManualEdit {
                attribute: Name::new("email"),
                value: Some(text("by hand")),
                feed_value: Some(text("feed at the time")),
                actor: "bo".to_owned(),
                reason: "married".to_owned(),
                at: NOW,
            }];
            let refreshed = refresh(
                model(&["mail"], vec![email]),
                &mut Scripts::default(),
                NOW,
                record,
            );
            format!(
                "{}, {} edits",
                shown(&refreshed, "email"),
                refreshed.identity.by_hand.edits.len()
            )
        };
        assert_eq!(
            edited(EditMode::ReadOnly, "other"),
            "other Source(0), 1 edits"
        );
        assert_eq!(
            edited(EditMode::Permanent, "other"),
            "by hand Manual, 1 edits"
        );
        let until = EditMode::UntilFeedChanges;
        assert_eq!(edited(until, "feed at the time"), "by hand Manual, 1 edits");
        assert_eq!(edited(until, "other"), "other Source(0), 0 edits");
    }
}
