//! Manager correlation: who somebody reports to.
//!
//! Settled on demand together with the attributes. The look-up is noted also
//! when it finds nobody, so that somebody who comes later is found then.

use super::{Interrupt, read_failure};
use crate::model::finding::MANAGER;
use crate::model::{Finding, Name, Severity, Uid};
use crate::plan::Draft;
use crate::view::TrackedView;

/// Works out the manager.
///
/// The first account attribute with a value decides. A blank one means no
/// manager; without any account the manager stays. When several are named it
/// stays, too: as it was before other waves of the run looked.
pub(super) fn correlate(
    view: &mut TrackedView,
    draft: &mut Draft,
) -> Result<Option<Uid>, Interrupt> {
    let model = view.model().clone();
    let Some(correlation) = &model.manager else {
        return Ok(None);
    };
    let last = view.record().identity.manager;
    let mut an_account_was_there = false;
    for (application, attribute) in &correlation.sources {
        let Some(account) = view.first_account(*application) else {
            continue;
        };
        an_account_was_there = true;
        let Some(value) = account.attribute(*attribute).cloned() else {
            continue;
        };
        let text = value.to_string();
        let found = match view.find(correlation.identity_attribute, &text) {
            Ok(found) => found,
            Err(error) => {
                let error = read_failure(error)?;
                draft
                    .findings
                    .push(finding(Severity::Error, error.cause(), error.to_string()));
                return Ok(view.record().identity.settled_manager());
            }
        };
        return Ok(match found.as_slice() {
            [manager] => Some(*manager),
            [] => {
                let message = format!(
                    "no identity has `{}` `{text}`, whom the account names as manager",
                    correlation.identity_attribute
                );
                draft
                    .findings
                    .push(finding(Severity::Warning, "manager-not-found", message));
                None
            }
            several => {
                let message = format!(
                    "{} identities have `{}` `{text}`; the manager stays",
                    several.len(),
                    correlation.identity_attribute
                );
                draft
                    .findings
                    .push(finding(Severity::Error, "manager-ambiguous", message));
                view.record().identity.settled_manager()
            }
        });
    }
    Ok(if an_account_was_there { None } else { last })
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

    use crate::definitions::ManagerCorrelation;
    use crate::model::{IdentityRecord, Name, Uid, UnixMillis, Value};
    use crate::plan::{EventChanges, PlanContext, Planner};
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
    }

    /// Refreshes the person while so many have the manager's name.
    fn wave(record: IdentityRecord, named: &[i64]) -> IdentityRecord {
        let mut model = model(&["boss"], Vec::new());
        model.manager = Some(ManagerCorrelation {
            sources: vec![(Name::new("hr"), Name::new("boss"))],
            identity_attribute: Name::new("name"),
        });
        let context = PlanContext {
            model: Arc::new(model),
            snapshot: Arc::new(Named(named.iter().copied().map(Uid).collect())),
            as_of: UnixMillis(1_000),
        };
        let planned = Planner::new(&mut Scripts::default())
            .plan(&context, record, false)
            .expect("there is no store to fail");
        let mut record = planned.record;
        record.identity.apply(planned.changes);
        record
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
