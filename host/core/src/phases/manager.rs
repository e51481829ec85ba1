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
/// manager; without any account the manager stays.
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
                return Ok(last);
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
                last
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
