//! Lifecycle state: whether somebody is coming, here, away or gone.
//!
//! Settled on demand together with the attributes. When the rule can't say,
//! the state stays and the finding comes first everywhere: somebody may keep
//! access that should have gone.

use super::{Interrupt, attributes, failure};
use crate::definitions::Model;
use crate::model::finding::LIFECYCLE_STATE;
use crate::model::{Finding, Name, Severity};
use crate::plan::Draft;
use crate::rule::RuleEvaluator;
use crate::text::nearest;
use crate::view::{Node, Slot, TrackedView};

/// Works out the lifecycle state.
pub(super) fn decide(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    draft: &mut Draft,
) -> Result<Slot, Interrupt> {
    let model = view.model().clone();
    let by_hand = by_hand(view, &model, draft);
    if let ByHand::InForce(state) = by_hand {
        view.step(
            || format!("state {state} set by hand"),
            "is in force; the rule isn't asked",
        );
        return Ok(slot(view, Some(state)));
    }
    if by_hand == ByHand::Over {
        view.step(|| "state set by hand".to_owned(), "is over");
    }
    let Some(rule) = model.lifecycle.rule else {
        draft.override_ended = by_hand == ByHand::Over;
        view.step(
            || "the default state".to_owned(),
            "counts: there is no rule",
        );
        return Ok(slot(view, model.lifecycle.default_state));
    };
    view.read_as(Some(rule));
    let answer = evaluator.lifecycle_state(rule, view);
    view.read_as(None);
    let way = match &answer {
        Ok(state) => format!("answers {state}"),
        Err(_) => "failed: the state stays".to_owned(),
    };
    view.step(|| format!("rule {}", model.rule(rule).name), way);
    match answer {
        Ok(state) => {
            let known = Name::known(&state).filter(|state| model.state(*state).is_some());
            if known.is_some() {
                draft.override_ended = by_hand == ByHand::Over;
                return Ok(slot(view, known));
            }
            let states = model
                .lifecycle
                .states
                .iter()
                .map(|state| state.name.as_str());
            let hint = nearest(&state, states.clone()).map_or_else(
                || format!("the states are {}", states.collect::<Vec<_>>().join(", ")),
                |nearest| format!("did the rule mean `{nearest}`?"),
            );
            draft.findings.push(Finding {
                severity: Severity::AccessAtRisk,
                phase: LIFECYCLE_STATE,
                subject: model.rule(rule).name.to_string(),
                cause: Name::new("unknown-state"),
                message: format!(
                    "the rule answered `{state}`, which lifecycle.toml doesn't define"
                ),
                hint: Some(hint),
            });
        }
        Err(error) => {
            let subject = model.rule(rule).name;
            let failed = failure(LIFECYCLE_STATE, Severity::AccessAtRisk, &subject, error)?;
            draft.retry_after(failed.retry_after_ms);
            draft.findings.push(failed.finding);
        }
    }
    Ok(attributes::last_known(view, Node::LifecycleState))
}

/// What a person has decided about the state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByHand {
    /// It is this one, for now.
    InForce(Name),
    /// That is over.
    Over,
    /// Nothing that could be followed.
    Nothing,
}

fn by_hand(view: &mut TrackedView, model: &Model, draft: &mut Draft) -> ByHand {
    let Some(set) = view.record().identity.by_hand.state.clone() else {
        return ByHand::Nothing;
    };
    if set.until.is_some_and(|until| view.reached(until)) {
        return ByHand::Over;
    }
    if model.state(set.state).is_some() {
        return ByHand::InForce(set.state);
    }
    draft.findings.push(Finding {
        severity: Severity::AccessAtRisk,
        phase: LIFECYCLE_STATE,
        subject: set.state.to_string(),
        cause: Name::new("unknown-state"),
        message: format!(
            "{} set the state `{}`, which lifecycle.toml doesn't define any more",
            set.actor, set.state
        ),
        hint: Some("set another, or take it back: idr identity state".to_owned()),
    });
    ByHand::Nothing
}

/// Returns the state that the rule gave last, if it is still defined. One that
/// a person had set doesn't outlast its end because the rule can't answer.
pub(super) fn last_known(view: &TrackedView) -> Slot {
    let identity = &view.record().identity;
    let settled = identity.settled_lifecycle_state();
    let set = identity.by_hand.state.as_ref();
    let last = match set.filter(|set| settled == Some(set.state)) {
        Some(set) => set.before,
        None => settled,
    };
    slot(view, last)
}

fn slot(view: &TrackedView, state: Option<Name>) -> Slot {
    let definition = state.and_then(|state| view.model().state(state));
    Slot::LifecycleState(
        definition.map(|known| known.name),
        definition.is_some_and(|s| s.inactive),
    )
}
