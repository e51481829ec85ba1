//! Manager correlation: who somebody reports to.
//!
//! Settled on demand together with the attributes. The look-up is noted also
//! when it finds nobody, so that somebody who comes later is found then.

use super::{Failure, Interrupt, failure};
use crate::definitions::{ManagerCorrelation, RuleIndex};
use crate::model::finding::MANAGER;
use crate::model::{Finding, Name, Severity, Uid, Value};
use crate::plan::Draft;
use crate::rule::RuleEvaluator;
use crate::view::{ReadError, TrackedView};

/// Works out the manager.
///
/// The first account attribute with a value decides: the rule says whom it
/// means, or else the identity attribute with that value. A blank one means no
/// manager; without any account the manager stays. When several are named, or
/// the rule can't say, it stays, too: as it was before other waves of the run
/// looked.
pub(super) fn correlate(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    draft: &mut Draft,
) -> Result<Option<Uid>, Interrupt> {
    let model = view.model().clone();
    let Some(correlation) = &model.manager else {
        return Ok(None);
    };
    let last = view.record().identity.manager;
    let mut an_account_was_there = false;
    for (application, attribute) in &correlation.sources {
        let name = || format!("{application} {attribute}");
        let Some(index) = view.first_account_index(*application) else {
            view.step(name, "has no account: the next is asked");
            continue;
        };
        an_account_was_there = true;
        view.note_account_read(index, *attribute);
        let Some(value) = view.record().accounts[index].attribute(*attribute).cloned() else {
            view.step(name, "is blank: the next is asked");
            continue;
        };
        view.note_of(index, name, || value.to_string());
        view.step(name, "names somebody, which counts");
        return match named(view, evaluator, correlation, index, &value)? {
            Named::Identity(manager) => Ok(Some(manager)),
            Named::Nobody(message) => {
                draft
                    .findings
                    .push(finding(Severity::Warning, "manager-not-found", message));
                Ok(None)
            }
            Named::Several(message) => {
                draft
                    .findings
                    .push(finding(Severity::Error, "manager-ambiguous", message));
                Ok(view.record().identity.settled_manager())
            }
            Named::Failed(failed) => {
                draft.retry_after(failed.retry_after_ms);
                draft.findings.push(failed.finding);
                Ok(view.record().identity.settled_manager())
            }
        };
    }
    Ok(if an_account_was_there { None } else { last })
}

/// Whom an account names.
enum Named {
    Identity(Uid),
    /// Nobody who is known; in words.
    Nobody(String),
    /// One of several; in words.
    Several(String),
    /// That can't be told.
    Failed(Failure),
}

fn named(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    correlation: &ManagerCorrelation,
    account: usize,
    value: &Value,
) -> Result<Named, Interrupt> {
    let mut tried = Vec::new();
    if let Some(rule) = correlation.rule {
        match asked(view, evaluator, rule, account, value)? {
            Ok(lookup) => tried.extend(lookup),
            Err(failed) => return Ok(Named::Failed(failed)),
        }
    }
    let configured = correlation.identity_attribute;
    tried.extend(configured.map(|attribute| (attribute, value.to_string())));
    let Some(last) = tried.last().cloned() else {
        return Ok(Named::Nobody(format!(
            "the rule names nobody for `{value}`, whom the account names as manager"
        )));
    };
    for (attribute, text) in tried {
        let found = match view.find(attribute, &text) {
            Ok(found) => found,
            Err(error) => return Ok(Named::Failed(unreadable("manager", error)?)),
        };
        match found.as_slice() {
            [] => {}
            [manager] => return Ok(Named::Identity(*manager)),
            several => {
                return Ok(Named::Several(format!(
                    "{} identities have `{attribute}` `{text}`; the manager stays",
                    several.len(),
                )));
            }
        }
    }
    let (attribute, text) = last;
    Ok(Named::Nobody(format!(
        "no identity has `{attribute}` `{text}`, whom the account names as manager"
    )))
}

/// Asks the rule whom to look for: the identity attribute and the value.
fn asked(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    rule: RuleIndex,
    account: usize,
    value: &Value,
) -> Result<Result<Option<(Name, String)>, Failure>, Interrupt> {
    view.read_as(Some(rule));
    view.show_account(Some(account));
    let answer = evaluator.correlate_manager(rule, value, view);
    view.show_account(None);
    view.read_as(None);
    let name = view.model().rule(rule).name;
    match answer {
        Ok(None) => Ok(Ok(None)),
        Ok(Some(lookup)) => match view.granted_lookup(rule, &lookup.attribute) {
            Ok(attribute) => Ok(Ok(Some((attribute, lookup.value)))),
            Err(error) => Ok(Err(unreadable(&name, error)?)),
        },
        Err(error) => Ok(Err(failure(MANAGER, Severity::Error, &name, error)?)),
    }
}

fn unreadable(subject: &str, error: ReadError) -> Result<Failure, Interrupt> {
    failure(MANAGER, Severity::Error, subject, error.into())
}

fn finding(severity: Severity, cause: &str, message: String) -> Finding {
    Finding {
        severity,
        phase: MANAGER,
        subject: "manager".to_owned(),
        cause: Name::new(cause),
        message,
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::definitions::{Grant, ManagerCorrelation, RuleIndex};
    use crate::model::{Claim, Holder, IdentityRecord, Name, ReadKey, Uid, UnixMillis, Value};
    use crate::plan::{EventChanges, PlanContext, Planner};
    use crate::rule::Lookup;
    use crate::testing::{Scripts, account, model, person};
    use crate::view::{Snapshot, SnapshotError};

    /// A store in which these have the name that is looked for.
    struct Named(Vec<Uid>);

    impl Snapshot for Named {
        fn attribute_of(
            &self,
            _uid: Uid,
            _attribute: Name,
        ) -> Result<Option<Value>, SnapshotError> {
            Ok(None)
        }

        fn find(&self, _attribute: Name, _folded: &str) -> Result<Vec<Uid>, SnapshotError> {
            Ok(self.0.clone())
        }

        fn holder(&self, _claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
            Ok(None)
        }
    }

    /// Refreshes the person while so many have the manager's name.
    fn wave(record: IdentityRecord, named: &[i64]) -> IdentityRecord {
        let by_name = Some(Name::new("name"));
        asking(record, named, None, by_name, &mut Scripts::default())
    }

    /// Refreshes the person while so many have whatever is looked for.
    fn asking(
        record: IdentityRecord,
        named: &[i64],
        rule: Option<RuleIndex>,
        identity_attribute: Option<Name>,
        scripts: &mut Scripts,
    ) -> IdentityRecord {
        let mut model = model(&["boss"], Vec::new());
        model.manager = Some(ManagerCorrelation {
            sources: vec![(Name::new("hr"), Name::new("boss"))],
            rule,
            identity_attribute,
        });
        model.rules[0].grant = Grant {
            lookups: vec![Name::new("zone")],
            ..Grant::default()
        };
        let context = PlanContext {
            model: Arc::new(model),
            snapshot: Arc::new(Named(named.iter().copied().map(Uid).collect())),
            as_of: UnixMillis(1_000),
        };
        let planned = Planner::new(scripts)
            .plan(&context, record, false)
            .expect("there is no store to fail");
        let mut record = planned.record;
        record.identity.apply(planned.changes);
        record
    }

    /// Refreshes the person with a rule that looks for this, or for nobody.
    fn by_rule(
        named: &[i64],
        lookup: Option<(&str, &str)>,
        configured: Option<&str>,
    ) -> IdentityRecord {
        let mut scripts = Scripts {
            lookup: lookup.map(|(attribute, value)| Lookup {
                attribute: attribute.to_owned(),
                value: value.to_owned(),
            }),
            ..Scripts::default()
        };
        let mut record = person(vec![account("hr", &[("boss", "Bo")])]);
        record.identity.manager = Some(Uid(3));
        let configured = configured.map(Name::new);
        asking(record, named, Some(RuleIndex(0)), configured, &mut scripts)
    }

    fn looked_for(record: &IdentityRecord) -> Vec<String> {
        let reads = record.identity.reads.iter();
        reads
            .map(|key| match key {
                ReadKey::Lookup(attribute, value) => format!("{attribute} {value}"),
                ReadKey::Attribute(..) => "an attribute".to_owned(),
                ReadKey::Claim(claim) => format!("whose {} is", claim.value),
            })
            .collect()
    }

    fn causes(record: &IdentityRecord) -> Vec<&str> {
        let findings = record.identity.findings.iter();
        findings.map(|known| known.cause.as_str()).collect()
    }

    #[test]
    fn a_rule_says_whom_to_look_for_and_the_configured_attribute_comes_after() {
        let found = by_rule(&[7], Some(("zone", "Basel")), Some("name"));
        assert_eq!(found.identity.manager, Some(Uid(7)));
        assert_eq!(looked_for(&found), ["zone basel"]);
        let configured = by_rule(&[7], None, Some("name"));
        assert_eq!(configured.identity.manager, Some(Uid(7)));
        assert_eq!(looked_for(&configured), ["name bo"]);
    }

    #[test]
    fn somebody_who_comes_later_is_waited_for_by_both_values() {
        let missing = by_rule(&[], Some(("zone", "Basel")), Some("name"));
        assert_eq!(missing.identity.manager, None);
        assert_eq!(looked_for(&missing), ["name bo", "zone basel"]);
        assert_eq!(causes(&missing), ["manager-not-found"]);
        let nobody = by_rule(&[7], None, None);
        assert_eq!(nobody.identity.manager, None);
        assert_eq!(looked_for(&nobody), [""; 0]);
        assert_eq!(causes(&nobody), ["manager-not-found"]);
    }

    #[test]
    fn a_rule_that_looks_by_what_it_may_not_leaves_the_manager() {
        let refused = by_rule(&[7], Some(("manager", "Bo")), Some("name"));
        assert_eq!(refused.identity.manager, Some(Uid(3)));
        assert_eq!(causes(&refused), ["not-granted"]);
        let unknown = by_rule(&[7], Some(("zon", "Bo")), None);
        assert_eq!(unknown.identity.manager, Some(Uid(3)));
        assert_eq!(causes(&unknown), ["unknown-name"]);
    }

    #[test]
    fn a_manager_who_cannot_be_told_stays_as_before_the_first_wave() {
        let record = person(vec![account("hr", &[("boss", "bo")])]);
        let mut record = wave(record, &[7]);
        record.identity.apply_events(&EventChanges::default());
        let first_wave = wave(record, &[]);
        assert_eq!(first_wave.identity.manager, None);
        let second_wave = wave(first_wave, &[8, 9]);
        assert_eq!(second_wave.identity.manager, Some(Uid(7)));
        let without_account = wave(
            IdentityRecord {
                accounts: Vec::new(),
                ..second_wave
            },
            &[8, 9],
        );
        assert_eq!(without_account.identity.manager, Some(Uid(7)));
    }
}
