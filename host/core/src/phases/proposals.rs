//! Proposals: values of attributes that the before-refresh rule proposes, checked.
//!
//! Settled on demand together with the attributes, which take them before they
//! ask their sources. So the rule may read whatever doesn't depend on its own
//! answer, and a rule that does depend on it is a cycle like any other. It
//! never sees what an earlier refresh left, or the outcome would depend on how
//! often somebody was refreshed.

use super::{Interrupt, failure};
use crate::definitions::{AttributeDefinition, Model};
use crate::model::finding::BEFORE_REFRESH;
use crate::model::{Finding, Name, Severity};
use crate::plan::Draft;
use crate::rule::{Proposal, RuleEvaluator};
use crate::text::nearest;
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
        Ok(proposals) => Ok(Slot::Proposals(Some(check(&model, proposals, draft)))),
        Err(error) => {
            let name = model.rule(rule).name;
            let failed = failure(BEFORE_REFRESH, Severity::Error, &name, error)?;
            draft.retry_after(view.as_of(), failed.retry_after_ms);
            draft.findings.push(failed.finding);
            Ok(Slot::Proposals(None))
        }
    }
}

/// Returns what may be proposed, sorted by attribute; the rest are findings.
fn check(model: &Model, proposals: Vec<Proposal>, draft: &mut Draft) -> Vec<(Name, Proposed)> {
    let mut checked: Vec<(Name, Proposed)> = Vec::new();
    for proposal in proposals {
        let definition = match definition(model, &proposal.attribute) {
            Ok(definition) => definition,
            Err(finding) => {
                draft.findings.push(finding);
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
                draft
                    .findings
                    .push(finding(name, "wrong-type", message, hint));
                Proposed::Unusable
            }
        };
        match checked.binary_search_by(|(known, _)| known.cmp(&definition.name)) {
            Err(place) => checked.insert(place, (definition.name, proposed)),
            Ok(place) => {
                checked[place].1 = Proposed::Unusable;
                draft.findings.push(finding(
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
fn definition<'m>(model: &'m Model, attribute: &str) -> Result<&'m AttributeDefinition, Finding> {
    let index = Name::known(attribute).and_then(|name| model.attribute_index(name));
    let Some(index) = index else {
        let names = model.attributes.iter().map(|known| known.name.as_str());
        let hint = match nearest(attribute, names) {
            Some(nearest) => format!("did the rule mean `{nearest}`?"),
            None => "identity.toml defines the attributes".to_owned(),
        };
        return Err(finding(
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
        attribute,
        "not-proposable",
        format!("the rule proposes a value for `{attribute}`, for which no rule may"),
        format!("write `proposals = true` for `{attribute}` in identity.toml"),
    ))
}

fn finding(subject: &str, cause: &str, message: String, hint: String) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: BEFORE_REFRESH,
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
    use crate::plan::EventChanges;
    use crate::rule::{Proposal, RuleFailure};
    use crate::testing::{
        Scripts, account, attribute, from_account, model, person, refresh, shown,
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
                    value: (!value.is_empty()).then(|| Value::Text((*value).to_owned())),
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
                value: Some(Value::Text("Genf".to_owned())),
                feed_value: Some(Value::Text("Bern".to_owned())),
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
