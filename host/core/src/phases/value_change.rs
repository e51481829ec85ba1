//! Value changes: what rules propose when an identity attribute has changed.
//!
//! Asked with the events, against the baseline, once per change. An answer is
//! remembered and stays an input of the refreshes that follow, until the rule
//! answers the next change of that attribute. A change that it can't answer is
//! remembered by its old value, as a trigger's lag is, and asked again whenever
//! the identity's events are processed.
//!
//! An answer is remembered as it was said and checked whenever it is used: so
//! its findings don't depend on how often the identity was refreshed.

use super::proposals::check;
use super::{Interrupt, failure};
use crate::definitions::{Model, RuleIndex};
use crate::model::finding::VALUE_CHANGE;
use crate::model::{
    Baseline, ChangeAnswer, ChangeMemory, Finding, Name, Severity, UnansweredChange, Value,
};
use crate::rule::{RuleEvaluator, ValueChange};
use crate::time::sooner;
use crate::view::{Proposed, TrackedView};

/// Asks about every attribute that has changed and has a rule for it. Returns
/// what is remembered from now on and, when the trouble of a rule may pass by
/// itself, in how many milliseconds to ask again.
pub(super) fn ask(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    findings: &mut Vec<Finding>,
) -> Result<(Vec<ChangeMemory>, Option<i64>), Interrupt> {
    let model = view.model().clone();
    let mut memory = Vec::new();
    let mut retry_after_ms: Option<i64> = None;
    for definition in &model.attributes {
        let Some(rule) = definition.on_change else {
            continue;
        };
        let mut known = known(view, definition.name, model.rule(rule).name);
        let new = view.record().identity.value(definition.name).cloned();
        known.unanswered = changed(view, &known, new.as_ref());
        if let Some(change) = &known.unanswered {
            let mark = view.mark();
            let asked = ValueChange {
                attribute: &definition.name,
                old: change.old.as_ref(),
                new: new.as_ref(),
            };
            view.read_as(Some(rule));
            let answer = evaluator.value_change(rule, asked, view);
            view.read_as(None);
            match answer {
                Ok(proposals) => {
                    // It isn't asked again, whatever becomes of what it read.
                    view.rewind(&mark);
                    let at = change.at;
                    let answer = ChangeAnswer { at, proposals };
                    known.answer = Some(answer).filter(|answer| !answer.proposals.is_empty());
                    known.unanswered = None;
                }
                Err(error) => {
                    let failed = failure(VALUE_CHANGE, Severity::Error, &definition.name, error)?;
                    findings.push(failed.finding);
                    retry_after_ms = sooner(retry_after_ms, failed.retry_after_ms);
                }
            }
        }
        if let Some(answer) = &known.answer {
            check(&model, VALUE_CHANGE, answer.proposals.clone(), findings);
        }
        if known.answer.is_some() || known.unanswered.is_some() {
            memory.push(known);
        }
    }
    Ok((memory, retry_after_ms))
}

/// Returns what the rule remembers of an attribute.
fn known(view: &TrackedView, attribute: Name, rule: Name) -> ChangeMemory {
    let memory = &view.record().identity.value_changes;
    let place = memory.binary_search_by_key(&attribute, |known| known.attribute);
    let known = place.ok().map(|place| memory[place].clone());
    known
        .filter(|known| known.rule == rule)
        .unwrap_or(ChangeMemory {
            attribute,
            rule,
            answer: None,
            unanswered: None,
        })
}

/// Returns the change to ask about, if there is one.
fn changed(
    view: &TrackedView,
    known: &ChangeMemory,
    new: Option<&Value>,
) -> Option<UnansweredChange> {
    let Baseline {
        unseen, attributes, ..
    } = &view.record().identity.baseline;
    let place = attributes.binary_search_by(|(name, _)| name.cmp(&known.attribute));
    let noted = place.ok().map(|place| attributes[place].1.clone());
    // Whoever is seen for the first time has no past to differ from.
    let noted = noted.filter(|old| !unseen && old.as_ref() != new);
    let at = view.as_of();
    let change = match (known.unanswered.clone(), noted) {
        (None, None) => return None,
        (None, Some(old)) => UnansweredChange { at, old },
        (Some(earlier), None) => earlier,
        (Some(earlier), Some(_)) => UnansweredChange { at, ..earlier },
    };
    (change.old.as_ref() != new).then_some(change)
}

/// Returns what the remembered answers propose for an attribute, and which rule:
/// the latest change counts first, of several the first by attribute.
pub(super) fn proposed(
    model: &Model,
    memory: &[ChangeMemory],
    attribute: Name,
) -> Option<(RuleIndex, Proposed)> {
    let mut answers: Vec<(RuleIndex, &ChangeAnswer)> = memory
        .iter()
        .filter_map(|known| {
            let definition = &model.attributes[model.attribute_index(known.attribute)?];
            let rule = definition.on_change?;
            let is_current = model.rule(rule).name == known.rule;
            Some((rule, known.answer.as_ref().filter(|_| is_current)?))
        })
        .collect();
    // They are in order of the attributes, and stay so where instants are equal.
    answers.sort_by_key(|(_, answer)| std::cmp::Reverse(answer.at));
    answers.into_iter().find_map(|(rule, answer)| {
        let checked = check(
            model,
            VALUE_CHANGE,
            answer.proposals.clone(),
            &mut Vec::new(),
        );
        let mut checked = checked.into_iter();
        let found = checked.find(|(known, _)| *known == attribute);
        found.map(|(_, proposed)| (rule, proposed))
    })
}

/// Returns the attributes for which the answers now propose something else.
pub(super) fn proposing_anew(
    model: &Model,
    before: &[ChangeMemory],
    after: &[ChangeMemory],
) -> Vec<Name> {
    if before == after {
        return Vec::new();
    }
    let takers = model.attributes.iter().filter(|known| known.proposals);
    let names = takers.map(|known| known.name);
    names
        .filter(|name| proposed(model, before, *name) != proposed(model, after, *name))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use crate::definitions::{Model, RuleIndex};
    use crate::model::{IdentityRecord, Name, Uid, UnixMillis, Value};
    use crate::rule::{Proposal, RuleFailure};
    use crate::testing::{
        ChangeScript, Scripts, account, attribute, from_account, model, person,
        refresh_and_process, shown,
    };

    /// Attributes `desk`, `office` and `site`, of which the last two can't be
    /// proposed; a rule is asked about `office` and `site`.
    fn tenant() -> Model {
        let from = |field| vec![from_account("hr", field)];
        let mut model = model(
            &["desk", "office", "site"],
            vec![
                attribute("desk", from("desk")),
                attribute("office", from("office")),
                attribute("site", from("site")),
            ],
        );
        for definition in &mut model.attributes {
            definition.proposals = definition.name.as_str() == "desk";
            definition.on_change = (!definition.proposals).then_some(RuleIndex(1));
        }
        model
    }

    fn text(text: &str) -> Option<Value> {
        (!text.is_empty()).then(|| Value::text(text))
    }

    fn proposal(attribute: &str, value: &str) -> Proposal {
        Proposal {
            attribute: attribute.to_owned(),
            value: text(value),
        }
    }

    fn answering(script: ChangeScript) -> Scripts {
        Scripts {
            value_change: Some(script),
            ..Scripts::default()
        }
    }

    /// Proposes `desk` from what was and is, and notes what it was asked.
    fn noting(asked: &Rc<RefCell<Vec<String>>>) -> Scripts {
        let asked = Rc::clone(asked);
        answering(Box::new(move |change, _| {
            let said = |value: Option<&Value>| value.map_or("-".to_owned(), ToString::to_string);
            let change = format!(
                "{} {}>{}",
                change.attribute,
                said(change.old),
                said(change.new)
            );
            asked.borrow_mut().push(change.clone());
            Ok(vec![proposal("desk", &change)])
        }))
    }

    fn failing(retry_after_ms: Option<i64>) -> Scripts {
        answering(Box::new(move |_, view| {
            let _ = view.reached(UnixMillis(5_000));
            Err(RuleFailure::Failed {
                cause: Name::new("rule-declined"),
                message: "it can't tell".to_owned(),
                hint: None,
                retry_after_ms,
            })
        }))
    }

    fn at(office: &str, site: &str) -> Vec<crate::model::Account> {
        let mut account = account("hr", &[("desk", "1"), ("office", office), ("site", site)]);
        account
            .attributes
            .retain(|(_, value)| *value != Value::text(""));
        vec![account]
    }

    /// Somebody whom events have seen, with no rule to ask.
    fn somebody(model: &Model) -> IdentityRecord {
        let mut silent = Scripts::default();
        let somebody = person(at("A", "X"));
        refresh_and_process(model, &mut silent, UnixMillis(1), somebody).0
    }

    fn run(
        model: &Model,
        scripts: &mut Scripts,
        now: i64,
        record: IdentityRecord,
    ) -> (IdentityRecord, bool) {
        let (record, changes) = refresh_and_process(model, scripts, UnixMillis(now), record);
        (record, changes.proposes_anew)
    }

    fn moved(record: IdentityRecord, office: &str, site: &str) -> IdentityRecord {
        IdentityRecord {
            accounts: at(office, site),
            ..record
        }
    }

    fn desk(record: &IdentityRecord) -> String {
        let shown = shown(record, "desk");
        shown.replace(&format!("{:?}", Name::new("rule-1")), "rule-1")
    }

    fn findings(record: &IdentityRecord) -> Vec<String> {
        let findings = record.identity.findings.iter();
        findings
            .map(|known| format!("{} {} {}", known.phase, known.subject, known.cause))
            .collect()
    }

    #[test]
    fn a_change_is_asked_about_once_and_its_answer_stays() {
        let model = tenant();
        let asked = Rc::default();
        let mut scripts = noting(&asked);
        let mut record = somebody(&model);
        for (now, office, expected, is_new) in [
            (2, "B", "1 Source(0)", true),
            (3, "B", "office A>B Proposed(rule-1)", false),
            (4, "B", "office A>B Proposed(rule-1)", false),
            (5, "C", "office A>B Proposed(rule-1)", true),
            (6, "", "office B>C Proposed(rule-1)", true),
            (7, "", "office C>- Proposed(rule-1)", false),
        ] {
            let (next, anew) = run(&model, &mut scripts, now, moved(record, office, "X"));
            assert_eq!((desk(&next).as_str(), anew), (expected, is_new), "{now}");
            record = next;
        }
        assert_eq!(*asked.borrow(), ["office A>B", "office B>C", "office C>-"]);
        scripts.value_change = Some(Box::new(|_, _| Ok(Vec::new())));
        let (record, anew) = run(&model, &mut scripts, 8, moved(record, "D", "X"));
        assert!(anew);
        assert!(record.identity.value_changes.is_empty());
        assert_eq!(desk(&run(&model, &mut scripts, 9, record).0), "1 Source(0)");
    }

    #[test]
    fn whoever_is_new_to_events_has_not_changed() {
        let asked = Rc::default();
        let mut record = person(at("A", "X"));
        record.identity.baseline.unseen = true;
        let (record, anew) = run(&tenant(), &mut noting(&asked), 1, record);
        assert!(!anew && asked.borrow().is_empty());
        run(&tenant(), &mut noting(&asked), 2, moved(record, "B", "X"));
        assert_eq!(*asked.borrow(), ["office A>B"]);
    }

    #[test]
    fn a_change_that_is_not_answered_is_asked_about_again_with_its_old_value() {
        let model = tenant();
        let asked = Rc::default();
        let known = somebody(&model);
        let (answered, _) = run(&model, &mut noting(&asked), 2, moved(known, "B", "X"));

        let (waiting, anew) = run(&model, &mut failing(None), 3, moved(answered, "C", "X"));
        assert!(!anew);
        assert_eq!(desk(&waiting), "office A>B Proposed(rule-1)");
        assert_eq!(findings(&waiting), ["value-change office rule-declined"]);
        assert_eq!(waiting.identity.wake.events, Some(UnixMillis(5_000)));
        let (again, _) = run(&model, &mut failing(None), 4, waiting.clone());
        assert_eq!(again.identity, waiting.identity);

        let (back, anew) = run(&model, &mut noting(&asked), 5, moved(again, "B", "X"));
        assert!(!anew);
        assert_eq!(desk(&back), "office A>B Proposed(rule-1)");
        assert_eq!(findings(&back), [""; 0]);
        assert_eq!(back.identity.wake.events, None);
        assert_eq!(back.identity.value_changes[0].unanswered, None);

        let (later, _) = run(&model, &mut failing(None), 6, moved(waiting, "D", "X"));
        let (later, anew) = run(&model, &mut noting(&asked), 7, later);
        assert!(anew);
        assert_eq!(*asked.borrow(), ["office A>B", "office B>D"]);
        // The instant of the change, not of the answer.
        let answer = later.identity.value_changes[0].answer.as_ref();
        assert_eq!(answer.expect("an answer").at, UnixMillis(6));
    }

    #[test]
    fn what_an_answered_question_read_does_not_matter_any_more() {
        let model = tenant();
        let mut scripts = answering(Box::new(|_, view| {
            let _ = view.reached(UnixMillis(5_000));
            view.manager_attribute("office")?;
            Ok(Vec::new())
        }));
        let managed = |mut record: IdentityRecord| {
            record.identity.manager = Some(Uid(2));
            record
        };
        let known = managed(somebody(&model));
        let (known, changes) =
            refresh_and_process(&model, &mut scripts, UnixMillis(2), moved(known, "B", "X"));
        assert_eq!((known.identity.wake.events, changes.reads.len()), (None, 0));
    }

    #[test]
    fn the_latest_change_counts_first_and_the_after_refresh_rule_before_it() {
        let mut model = tenant();
        let asked = Rc::default();
        let mut scripts = noting(&asked);
        let (both, _) = run(&model, &mut scripts, 2, moved(somebody(&model), "B", "Y"));
        let (both, _) = run(&model, &mut scripts, 3, both);
        assert_eq!(desk(&both), "office A>B Proposed(rule-1)");
        let (site, anew) = run(&model, &mut scripts, 4, moved(both, "B", "Z"));
        assert!(anew);
        let (site, _) = run(&model, &mut scripts, 5, site);
        assert_eq!(desk(&site), "site Y>Z Proposed(rule-1)");
        model.after_refresh = Some(RuleIndex(2));
        scripts.after_refresh = Some(Box::new(|_| Ok(vec![proposal("desk", "last")])));
        let (after, _) = run(&model, &mut scripts, 6, site);
        let (after, _) = run(&model, &mut scripts, 7, after);
        assert!(desk(&after).starts_with("last Proposed"));
    }

    #[test]
    fn what_may_not_be_proposed_stays_a_finding_until_the_next_answer() {
        let model = tenant();
        let mut scripts = answering(Box::new(|_, _| {
            let twice = [proposal("nothing", "x"), proposal("nothing", "y")];
            Ok([proposal("office", "x"), proposal("desk", "2")]
                .into_iter()
                .chain(twice)
                .collect())
        }));
        let (first, _) = run(&model, &mut scripts, 2, moved(somebody(&model), "B", "X"));
        let expected = [
            "value-change nothing unknown-name",
            "value-change office not-proposable",
        ];
        assert_eq!(findings(&first), expected);
        let (second, _) = run(&model, &mut scripts, 3, first);
        assert_eq!(findings(&second), expected);
        assert_eq!(desk(&second), "2 Proposed(rule-1)");
        let (third, _) = run(
            &model,
            &mut noting(&Rc::default()),
            4,
            moved(second, "C", "X"),
        );
        assert_eq!(findings(&third), [""; 0]);
    }

    #[test]
    fn what_a_rule_remembers_goes_with_its_definition() {
        let mut model = tenant();
        let mut scripts = noting(&Rc::default());
        let (known, _) = run(&model, &mut scripts, 2, moved(somebody(&model), "B", "X"));
        for definition in &mut model.attributes {
            definition.on_change = definition.on_change.map(|_| RuleIndex(2));
        }
        let (other, anew) = run(&model, &mut scripts, 3, known);
        assert!(!anew);
        assert_eq!(desk(&other), "1 Source(0)");
        assert!(other.identity.value_changes.is_empty());
    }

    #[test]
    fn answers_that_bring_about_the_next_change_are_a_finding() {
        let mut model = tenant();
        for definition in &mut model.attributes {
            definition.on_change = definition.proposals.then_some(RuleIndex(1));
        }
        let mut scripts = answering(Box::new(|change, _| {
            let new = change.new.map_or_else(String::new, ToString::to_string);
            Ok(vec![proposal("desk", &format!("{new}I"))])
        }));
        let mut record = somebody(&model);
        record.accounts = vec![account("hr", &[("desk", "2")])];
        for round in 1..=9 {
            let (next, anew) = run(&model, &mut scripts, 10 + round, record);
            assert!(anew, "each refresh goes one step");
            let expected: &[&str] = match round < 8 {
                true => &[],
                false => &["value-change desk never-settles"],
            };
            assert_eq!(findings(&next), expected, "{round}");
            record = next;
        }
    }
}
