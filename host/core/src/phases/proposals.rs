//! Proposals: values of attributes that rules propose, checked.
//!
//! Those of the before-refresh rule are settled on demand together with the attributes, which take them before they
//! ask their sources. So the rule may read whatever doesn't depend on its own
//! answer, and a rule that does depend on it is a cycle like any other. It
//! never sees what an earlier refresh left, or the outcome would depend on how
//! often somebody was refreshed.
//!
//! Those of the after-refresh rule are made from what the waves have settled,
//! with the events. They are stored, and an input of the next refresh: so that
//! rule may read what it has brought about, one step per refresh. The same goes
//! for rules that are asked when an attribute has changed (`value_change`).

use std::sync::Arc;

use super::{Interrupt, failure, value_change};
use crate::definitions::{AttributeDefinition, Model};
use crate::model::finding::{AFTER_REFRESH, BEFORE_REFRESH, VALUE_CHANGE};
use crate::model::{Finding, Name, Severity};
use crate::plan::{Draft, EventChanges};
use crate::rule::{Proposal, RuleEvaluator};
use crate::text::nearest;
use crate::time::sooner;
use crate::view::{Proposed, Slot, TrackedView};

/// Asks the rule, if there is one.
pub(super) fn ask(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    draft: &mut Draft,
) -> Result<Slot, Interrupt> {
    let model = view.model().clone();
    let Some(rule) = model.before_refresh else {
        return Ok(Slot::Proposals(Some(Vec::new())));
    };
    view.read_as(Some(rule));
    let answer = evaluator.before_refresh(rule, view);
    view.read_as(None);
    match answer {
        Ok(proposals) => {
            let checked = check(&model, BEFORE_REFRESH, proposals, &mut draft.findings);
            Ok(Slot::Proposals(Some(checked)))
        }
        Err(error) => {
            let name = model.rule(rule).name;
            let failed = failure(BEFORE_REFRESH, Severity::Error, &name, error)?;
            draft.retry_after(failed.retry_after_ms);
            draft.findings.push(failed.finding);
            Ok(Slot::Proposals(None))
        }
    }
}

/// After so many refreshes running with new proposals it is a finding.
const MOST_ROUNDS: u32 = 8;

/// Asks the rules whose proposals are inputs of the next refresh; returns, when
/// the trouble of one may pass by itself, in how many milliseconds to ask again.
pub(super) fn for_the_next_refresh(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    changes: &mut EventChanges,
) -> Result<Option<i64>, Interrupt> {
    // Roles can be read from here on; these kinds aren't given the past itself.
    view.show_baseline(Some(Arc::default()));
    let (asked, hops) = view.counting(|view| {
        let asked = value_change::ask(view, evaluator, &mut changes.findings)?;
        Ok::<_, Interrupt>((asked, after_refresh(view, evaluator, changes)?))
    });
    let ((memory, changed_ms), after_ms) = asked?;
    let model = view.model().clone();
    let last = &view.record().identity;
    let answered = value_change::proposing_anew(&model, &last.value_changes, &memory);
    let mut anew: Vec<_> = answered
        .into_iter()
        .map(|name| (VALUE_CHANGE, name))
        .collect();
    if let Some(rule) = model.after_refresh
        && changes.proposals.attributes != last.proposals.attributes
    {
        anew.push((AFTER_REFRESH, model.rule(rule).name));
    }
    changes.proposes_anew = !anew.is_empty();
    let rounds = match anew.is_empty() {
        true => 0,
        false => last.proposals.rounds.saturating_add(1).min(MOST_ROUNDS),
    };
    for (phase, subject) in anew.into_iter().filter(|_| rounds == MOST_ROUNDS) {
        let message = format!("the last {MOST_ROUNDS} refreshes each brought other proposals");
        let hint = "let the rule not depend on what its own proposals bring about".to_owned();
        let mut endless = finding(phase, &subject, "never-settles", message, hint);
        endless.severity = Severity::Warning;
        changes.findings.push(endless);
    }
    changes.proposals.rounds = rounds;
    changes.proposals.hops = if changes.proposes_anew { hops } else { 0 };
    changes.value_changes = memory;
    Ok(sooner(changed_ms, after_ms))
}

/// Asks the after-refresh rule, if there is one; returns, when its trouble may
/// pass by itself, in how many milliseconds to ask again.
fn after_refresh(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    changes: &mut EventChanges,
) -> Result<Option<i64>, Interrupt> {
    let model = view.model().clone();
    let Some(rule) = model.after_refresh else {
        return Ok(None);
    };
    view.read_as(Some(rule));
    let answer = evaluator.after_refresh(rule, view);
    view.read_as(None);
    let last = view.record().identity.proposals.attributes.clone();
    let name = model.rule(rule).name;
    let proposed = match answer {
        Ok(proposals) => check(&model, AFTER_REFRESH, proposals, &mut changes.findings),
        Err(error) => {
            let failed = failure(AFTER_REFRESH, Severity::Error, &name, error)?;
            changes.findings.push(failed.finding);
            changes.proposals.attributes = last;
            return Ok(failed.retry_after_ms);
        }
    };
    let known = |name: &Name| {
        let place = last.binary_search_by(|(known, _)| known.cmp(name));
        place.ok().map(|place| last[place].clone())
    };
    let usable = proposed
        .into_iter()
        .filter_map(|(name, proposed)| match proposed {
            Proposed::Value(value) => Some((name, value)),
            Proposed::Unusable => known(&name),
        });
    changes.proposals.attributes = usable.collect();
    Ok(None)
}

/// Returns what may be proposed, sorted by attribute; the rest are findings.
pub(super) fn check(
    model: &Model,
    phase: &'static str,
    proposals: Vec<Proposal>,
    findings: &mut Vec<Finding>,
) -> Vec<(Name, Proposed)> {
    let mut checked: Vec<(Name, Proposed)> = Vec::new();
    for proposal in proposals {
        let definition = match definition(model, phase, &proposal.attribute) {
            Ok(definition) => definition,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        let proposed = match proposal
            .value
            .map(|value| value.convert(definition.value_type))
        {
            None | Some(Ok(None)) => Proposed::Value(None),
            Some(Ok(value)) => Proposed::Value(value),
            Some(Err(error)) => {
                let message = match definition.sensitive {
                    true => format!("a value is not of type {}", definition.value_type),
                    false => error.to_string(),
                };
                let hint = format!("mend the rule, or the type of `{}`", definition.name);
                let name = &definition.name;
                findings.push(finding(phase, name, "wrong-type", message, hint));
                Proposed::Unusable
            }
        };
        match checked.binary_search_by(|(known, _)| known.cmp(&definition.name)) {
            Err(place) => checked.insert(place, (definition.name, proposed)),
            Ok(place) => {
                checked[place].1 = Proposed::Unusable;
                findings.push(finding(
                    phase,
                    &definition.name,
                    "proposed-twice",
                    "the rule proposes more than one value".to_owned(),
                    "let it propose one".to_owned(),
                ));
            }
        }
    }
    checked
}

/// Returns the attribute, if rules may propose a value for it.
fn definition<'m>(
    model: &'m Model,
    phase: &'static str,
    attribute: &str,
) -> Result<&'m AttributeDefinition, Finding> {
    let index = Name::known(attribute).and_then(|name| model.attribute_index(name));
    let Some(index) = index else {
        let names = model.attributes.iter().map(|known| known.name.as_str());
        let hint = match nearest(attribute, names) {
            Some(nearest) => format!("did the rule mean `{nearest}`?"),
            None => "identity.toml defines the attributes".to_owned(),
        };
        return Err(finding(
            phase,
            attribute,
            "unknown-name",
            format!("the rule proposes a value for `{attribute}`, which isn't defined"),
            hint,
        ));
    };
    let definition = &model.attributes[index];
    if definition.proposals {
        return Ok(definition);
    }
    Err(finding(
        phase,
        attribute,
        "not-proposable",
        format!("the rule proposes a value for `{attribute}`, for which no rule may"),
        format!("write `proposals = true` for `{attribute}` in identity.toml"),
    ))
}

fn finding(
    phase: &'static str,
    subject: &str,
    cause: &str,
    message: String,
    hint: String,
) -> Finding {
    Finding {
        severity: Severity::Error,
        phase,
        subject: subject.to_owned(),
        cause: Name::new(cause),
        message,
        hint: Some(hint),
    }
}

#[cfg(test)]
mod tests {
    use crate::definitions::{EditMode, Model, RuleIndex};
    use crate::model::{IdentityRecord, ManualEdit, Name, UnixMillis, Value, ValueType};

    use super::MOST_ROUNDS;
    use crate::plan::EventChanges;
    use crate::rule::{Proposal, RuleFailure};
    use crate::testing::{
        ProposingScript, Scripts, account, attribute, from_account, model, person, refresh,
        refresh_and_process, shown,
    };

    const NOW: UnixMillis = UnixMillis(1_000);

    fn tenant() -> Model {
        let sources = || vec![from_account("hr", "place")];
        let mut model = model(
            &["place"],
            vec![
                attribute("location", sources()),
                attribute("office", sources()),
                attribute("desk", sources()),
            ],
        );
        model.before_refresh = Some(RuleIndex(0));
        for definition in &mut model.attributes {
            definition.proposals = definition.name.as_str() != "office";
        }
        model
    }

    fn proposing(proposals: &'static [(&str, &str)]) -> Scripts {
        Scripts {
            before_refresh: Some(Box::new(move |view| {
                view.attribute("office")?;
                let proposals = proposals.iter().map(|(attribute, value)| Proposal {
                    attribute: (*attribute).to_owned(),
                    value: (!value.is_empty()).then(|| Value::text(*value)),
                });
                Ok(proposals.collect())
            })),
            ..Scripts::default()
        }
    }

    fn somebody() -> IdentityRecord {
        person(vec![account("hr", &[("place", "Bern")])])
    }

    /// The values are settled: events have seen them.
    fn seen(mut record: IdentityRecord) -> IdentityRecord {
        record.identity.apply_events(&EventChanges::default());
        record
    }

    fn findings(record: &IdentityRecord) -> Vec<String> {
        let findings = record.identity.findings.iter();
        findings
            .map(|known| format!("{} {}", known.subject, known.cause))
            .collect()
    }

    #[test]
    fn what_is_proposed_counts_before_the_sources() {
        let mut scripts = proposing(&[("location", "Basel"), ("desk", "")]);
        let refreshed = refresh(tenant(), &mut scripts, NOW, somebody());
        assert_eq!(
            shown(&refreshed, "location"),
            format!("Basel Proposed({:?})", Name::new("rule-0"))
        );
        assert_eq!(shown(&refreshed, "office"), "Bern Source(0)");
        assert_eq!(shown(&refreshed, "desk"), "never set");
        assert_eq!(findings(&refreshed), [""; 0]);
        let again = refresh(tenant(), &mut proposing(&[]), NOW, refreshed);
        assert_eq!(shown(&again, "location"), "Bern Source(0)");
    }

    #[test]
    fn what_may_not_be_proposed_is_a_finding_and_nothing_else() {
        let mut scripts = proposing(&[("office", "x"), ("ofice", "y"), ("location", "Basel")]);
        let refreshed = refresh(tenant(), &mut scripts, NOW, somebody());
        assert_eq!(shown(&refreshed, "office"), "Bern Source(0)");
        assert!(shown(&refreshed, "location").starts_with("Basel"));
        assert_eq!(
            findings(&refreshed),
            ["office not-proposable", "ofice unknown-name"]
        );
    }

    #[test]
    fn a_value_that_cannot_be_used_leaves_the_attribute_as_it_is() {
        let first = seen(refresh(tenant(), &mut proposing(&[]), NOW, somebody()));
        let mut strict = tenant();
        for definition in &mut strict.attributes {
            if definition.name.as_str() == "desk" {
                definition.value_type = ValueType::Integer;
            }
        }
        let mut scripts = proposing(&[("desk", "seven"), ("location", "a"), ("location", "b")]);
        let refreshed = refresh(strict, &mut scripts, NOW, first);
        assert_eq!(shown(&refreshed, "desk"), "Bern Kept(UnixMillis(1000))");
        assert_eq!(shown(&refreshed, "location"), "Bern Kept(UnixMillis(1000))");
        assert_eq!(
            findings(&refreshed),
            ["desk wrong-type", "location proposed-twice"]
        );
    }

    #[test]
    fn a_rule_that_fails_keeps_what_it_could_have_proposed() {
        let mut scripts = proposing(&[("desk", "7")]);
        let mut moved = seen(refresh(tenant(), &mut scripts, NOW, somebody()));
        moved.accounts = vec![account("hr", &[("place", "Chur")])];
        let mut scripts = Scripts {
            before_refresh: Some(Box::new(|_| {
                Err(RuleFailure::Failed {
                    cause: Name::new("rule-declined"),
                    message: "it can't tell".to_owned(),
                    hint: None,
                    retry_after_ms: None,
                })
            })),
            ..Scripts::default()
        };
        let kept = refresh(tenant(), &mut scripts, NOW, moved);
        assert_eq!(shown(&kept, "desk"), "7 Kept(UnixMillis(1000))");
        assert_eq!(shown(&kept, "location"), "Bern Kept(UnixMillis(1000))");
        assert_eq!(shown(&kept, "office"), "Chur Source(0)");
        assert_eq!(findings(&kept), ["rule-0 rule-declined"]);
    }

    #[test]
    fn a_rule_that_reads_what_it_may_propose_waits_for_itself() {
        let mut scripts = Scripts {
            before_refresh: Some(Box::new(|view| {
                view.attribute("location")?;
                Ok(Vec::new())
            })),
            ..Scripts::default()
        };
        let refreshed = refresh(tenant(), &mut scripts, NOW, somebody());
        assert_eq!(findings(&refreshed), ["location cycle"]);
        assert_eq!(shown(&refreshed, "desk"), "never set");
        assert_eq!(shown(&refreshed, "office"), "Bern Source(0)");
    }

    /// Refreshes and processes events, as a run does; says whether the next
    /// refresh has something new to go by.
    fn run(model: &Model, scripts: &mut Scripts, record: IdentityRecord) -> (IdentityRecord, bool) {
        let (record, changes) = refresh_and_process(model, scripts, NOW, record);
        (record, changes.proposes_anew)
    }

    fn following(script: ProposingScript) -> (Model, Scripts) {
        let mut model = tenant();
        model.before_refresh = None;
        model.after_refresh = Some(RuleIndex(1));
        let scripts = Scripts {
            after_refresh: Some(script),
            ..Scripts::default()
        };
        (model, scripts)
    }

    fn proposal(attribute: &str, value: Option<Value>) -> Proposal {
        Proposal {
            attribute: attribute.to_owned(),
            value,
        }
    }

    #[test]
    fn what_a_rule_proposes_afterwards_counts_in_the_next_refresh() {
        let (model, mut scripts) = following(Box::new(|view| {
            let office = view.attribute("office")?;
            Ok(vec![proposal("desk", office)])
        }));
        let chur = || vec![account("hr", &[("place", "Chur")])];
        let (first, anew) = run(&model, &mut scripts, somebody());
        assert_eq!(
            (shown(&first, "desk").as_str(), anew),
            ("Bern Source(0)", true)
        );
        let (second, anew) = run(&model, &mut scripts, first);
        assert!(shown(&second, "desk").starts_with("Bern Proposed"));
        assert!(!anew);
        let moved = IdentityRecord {
            accounts: chur(),
            ..second
        };
        let (third, anew) = run(&model, &mut scripts, moved);
        assert!(shown(&third, "desk").starts_with("Bern Proposed"));
        assert!(anew);
        let (fourth, anew) = run(&model, &mut scripts, third);
        assert!(shown(&fourth, "desk").starts_with("Chur Proposed"));
        assert!(!anew);
        scripts.after_refresh = Some(Box::new(|_| Ok(Vec::new())));
        let (fifth, anew) = run(&model, &mut scripts, fourth);
        assert!(anew);
        let (sixth, anew) = run(&model, &mut scripts, fifth);
        assert_eq!(
            (shown(&sixth, "desk").as_str(), anew),
            ("Chur Source(0)", false)
        );
        assert_eq!(findings(&sixth), [""; 0]);
    }

    #[test]
    fn an_after_refresh_rule_that_fails_leaves_its_last_answer() {
        let (model, mut scripts) = following(Box::new(|_| {
            Ok(vec![proposal("desk", Some(Value::text("7")))])
        }));
        let (first, _) = run(&model, &mut scripts, somebody());
        scripts.after_refresh = Some(Box::new(|view| {
            view.attribute("no such attribute")?;
            Ok(Vec::new())
        }));
        let model = {
            let mut strict = model;
            strict.rules[1].grant.everything = false;
            strict
        };
        let (second, anew) = run(&model, &mut scripts, first);
        assert!(!anew);
        assert!(shown(&second, "desk").starts_with("7 Proposed"));
        assert_eq!(findings(&second), ["rule-1 unknown-name"]);
        scripts.after_refresh = Some(Box::new(|_| {
            Ok(vec![proposal("office", None), proposal("location", None)])
        }));
        let (third, anew) = run(&model, &mut scripts, second);
        assert!(anew);
        assert_eq!(findings(&third), ["office not-proposable"]);
    }

    #[test]
    fn proposals_that_never_settle_are_a_finding() {
        let (model, mut scripts) = following(Box::new(|view| {
            let desk = view.attribute("desk")?.map(|value| value.to_string());
            let longer = format!("{}I", desk.unwrap_or_default());
            Ok(vec![proposal("desk", Some(Value::text(longer)))])
        }));
        let mut record = somebody();
        for round in 1..=MOST_ROUNDS + 1 {
            let (next, anew) = run(&model, &mut scripts, record);
            assert!(anew, "each refresh goes one step");
            let expected: &[&str] = match round < MOST_ROUNDS {
                true => &[],
                false => &["rule-1 never-settles"],
            };
            assert_eq!(findings(&next), expected, "{round}");
            record = next;
        }
    }

    #[test]
    fn a_persons_edit_comes_first_and_a_proposal_ends_it_as_a_feed_would() {
        let edited = |mode| {
            let mut model = tenant();
            for definition in &mut model.attributes {
                definition.edit_mode = mode;
            }
            let mut record = somebody();
            record.identity.by_hand.edits.push(ManualEdit {
                attribute: Name::new("location"),
                value: Some(Value::text("Genf")),
                feed_value: Some(Value::text("Bern")),
                actor: "olga".to_owned(),
                reason: String::new(),
                at: NOW,
            });
            let mut scripts = proposing(&[("location", "Basel")]);
            shown(&refresh(model, &mut scripts, NOW, record), "location")
        };
        assert_eq!(edited(EditMode::Permanent), "Genf Manual");
        assert!(edited(EditMode::UntilFeedChanges).starts_with("Basel Proposed"));
    }
}
