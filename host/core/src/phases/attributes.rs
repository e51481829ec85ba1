//! Attribute promotion, and the on-demand graph that it shares with manager
//! and lifecycle state.
//!
//! Rules say what they need by reading it. A read of something that isn't
//! settled yet abandons the evaluation; the other is settled first, and the
//! evaluation is repeated. Each evaluation waits for at most one other, so a
//! cycle has the same members whichever was asked first; they keep their last
//! values. Roles read the outcome.

use super::{Failure, Interrupt, failure, lifecycle, manager, store_failure};
use crate::definitions::{AttributeDefinition, EditMode, OnEmpty, OnNoAccount, Origin, Source};
use crate::model::finding::{ATTRIBUTE_PROMOTION, LIFECYCLE_STATE, MANAGER};
use crate::model::{AttributeState, Finding, ManualEdit, Name, Provenance, Severity, Value};
use crate::plan::Draft;
use crate::rule::{Promotion, RuleEvaluator};
use crate::view::{Node, Slot, SnapshotError, TrackedView};

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
    let count = view.model().attributes.len() + 2;
    if order.len() != count {
        order.clear();
        order.extend(
            view.model()
                .attributes
                .iter()
                .map(|known| Node::Attribute(known.name)),
        );
        order.extend([Node::Manager, Node::LifecycleState]);
    }
    let mut settled = Vec::with_capacity(count);
    for &node in order.iter() {
        if !view.is_settled(node) {
            settle(view, evaluator, node, &mut settled, draft).map_err(store_failure)?;
        }
    }
    *order = settled;
    Ok(())
}

/// Settles `wanted`, and before it whatever it turns out to need.
fn settle(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    wanted: Node,
    settled: &mut Vec<Node>,
    draft: &mut Draft,
) -> Result<(), Interrupt> {
    let mut waiting = vec![wanted];
    while let Some(&node) = waiting.last() {
        match evaluate(view, evaluator, node, draft) {
            Ok(slot) => {
                view.settle(node, slot);
                settled.push(node);
                waiting.pop();
            }
            Err(Interrupt::Unsettled(needed)) => {
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
    node: Node,
    draft: &mut Draft,
) -> Result<Slot, Interrupt> {
    match node {
        Node::Attribute(name) => promote(view, evaluator, name, draft).map(Slot::Attribute),
        Node::Manager => manager::correlate(view, draft).map(Slot::Manager),
        Node::LifecycleState => lifecycle::decide(view, evaluator, draft),
    }
}

/// Returns what a node was before this plan.
pub(super) fn last_known(view: &TrackedView, node: Node) -> Slot {
    let identity = &view.record().identity;
    match node {
        Node::Attribute(name) => Slot::Attribute(keep(view, name)),
        Node::Manager => Slot::Manager(identity.manager),
        Node::LifecycleState => lifecycle::last_known(view),
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
    /// Nothing that could be used: the value is kept.
    Keeps,
}

fn promote(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    name: Name,
    draft: &mut Draft,
) -> Result<Option<AttributeState>, Interrupt> {
    let model = view.model().clone();
    let index = model
        .attribute_index(name)
        .expect("only defined attributes are promoted");
    let definition = &model.attributes[index];
    let edit = match definition.edit_mode {
        EditMode::ReadOnly => None,
        EditMode::Permanent | EditMode::UntilFeedChanges => view
            .record()
            .identity
            .edits
            .iter()
            .find(|edit| edit.attribute == name)
            .cloned(),
    };
    if let Some(edit) = &edit
        && definition.edit_mode == EditMode::Permanent
    {
        return Ok(Some(edited(edit)));
    }
    // Findings of an abandoned evaluation would be made again by its repetition.
    let mut findings = Vec::new();
    let feed = ask_sources(view, evaluator, definition, &mut findings, draft)?;
    draft.findings.append(&mut findings);
    let state = match (edit, feed) {
        (Some(edit), Feed::Keeps) => Some(edited(&edit)),
        (Some(edit), Feed::Says(state)) if state.value == edit.feed_value => Some(edited(&edit)),
        (edit, Feed::Says(state)) => {
            draft.ended_edits.extend(edit.map(|edit| edit.attribute));
            Some(state)
        }
        (None, Feed::Keeps) => keep(view, name),
    };
    // An attribute that never had a value isn't listed for not having one.
    Ok(state
        .filter(|state| state.value.is_some() || view.record().identity.attribute(name).is_some()))
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

fn ask_sources(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    definition: &AttributeDefinition,
    findings: &mut Vec<Finding>,
    draft: &mut Draft,
) -> Result<Feed, Interrupt> {
    let (mut an_account_was_missing, mut a_field_was_blank) = (false, false);
    for (index, source) in definition.sources.iter().enumerate() {
        match ask(view, evaluator, definition, source) {
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
                    return Ok(Feed::Keeps);
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
                draft.retry_after(view.as_of(), failure.retry_after_ms);
                findings.push(failure.finding);
                return Ok(Feed::Keeps);
            }
            Err(interrupt) => return Err(interrupt),
        }
    }
    if an_account_was_missing && !a_field_was_blank {
        return Ok(Feed::Keeps);
    }
    Ok(cleared(definition.sources.len().saturating_sub(1)))
}

fn cleared(index: usize) -> Feed {
    Feed::Says(AttributeState::from_source(None, index))
}

enum Answer {
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
            let Some(account) = view.first_account(*application) else {
                return Ok(Answer::NoAccount);
            };
            let value = account.attribute(*attribute).cloned();
            view.note(
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
    }
}
