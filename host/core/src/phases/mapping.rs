//! Values for accounts: what mappings of templates and targets come to.

use super::attributes::transform_failure;
use super::{read_failure, store_failure};
use crate::definitions::Mapping;
use crate::model::finding::PROVISIONING;
use crate::model::{Finding, Name, Severity, Value, ValueType};
use crate::transform::Outcome;
use crate::view::{SnapshotError, TrackedView};

/// Returns the value that a mapping gives an account attribute, of its type;
/// otherwise the finding that says why there is none.
pub(super) fn value(
    view: &mut TrackedView,
    mapping: &Mapping,
    (application, attribute): (Name, Name),
    wanted: ValueType,
) -> Result<Result<Option<Value>, Finding>, SnapshotError> {
    let value = match mapping {
        Mapping::Fixed(value) => Some(value.clone()),
        Mapping::Attribute(name) => match view.attribute(name) {
            Ok(value) => value,
            Err(error) => {
                let error = read_failure(error).map_err(store_failure)?;
                let cause = error.cause();
                return Ok(Err(finding(
                    application,
                    attribute,
                    cause,
                    error.to_string(),
                )));
            }
        },
        Mapping::Transform(transform) => match transform.evaluate(view, attribute, wanted) {
            Ok(Outcome::Value(value)) => Some(value),
            Ok(Outcome::Empty | Outcome::NoAccount) => None,
            Err(error) => {
                let failed = transform_failure(attribute, error).map_err(store_failure)?;
                let Finding { cause, message, .. } = failed.finding;
                return Ok(Err(finding(
                    application,
                    attribute,
                    cause.as_str(),
                    message,
                )));
            }
        },
    };
    let Some(value) = value else {
        return Ok(Ok(None));
    };
    Ok(value.convert(wanted).map_err(|_| {
        let message = format!("what it is given is not of type {wanted}");
        finding(application, attribute, "wrong-type", message)
    }))
}

fn finding(application: Name, attribute: Name, cause: &str, message: String) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: PROVISIONING,
        subject: format!("{application} {attribute}"),
        cause: Name::new(cause),
        message,
        hint: Some(format!(
            "mend what `{attribute}` of accounts in `{application}` is made of"
        )),
    }
}
