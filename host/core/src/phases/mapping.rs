//! Values for accounts: what mappings of templates and targets come to.

use super::attributes::transform_failure;
use super::{failure, read_failure, store_failure};
use crate::definitions::Mapping;
use crate::model::finding::PROVISIONING;
use crate::model::{Finding, Name, Severity, Value, ValueType};
use crate::plan::Draft;
use crate::rule::{self, RuleEvaluator, Target};
use crate::transform::Outcome;
use crate::view::{SnapshotError, TrackedView};

/// The attribute of an account that a value is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) application: Name,
    pub(super) attribute: Name,
    /// The account; none while it is yet to be created.
    pub(super) native_identity: Option<&'a str>,
    pub(super) value_type: ValueType,
}

/// What a mapping comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Mapped {
    /// This value, of the attribute's type, or none.
    Value(Option<Value>),
    /// The attribute stays as it is.
    Leave,
    /// Nobody can say; there is a finding that says why.
    Failed,
}

/// Works out what a mapping gives an account attribute.
pub(super) fn value(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    mapping: &Mapping,
    place: Place<'_>,
    draft: &mut Draft,
) -> Result<Mapped, SnapshotError> {
    let attribute = place.attribute;
    let value = match mapping {
        Mapping::Fixed(value) => Some(value.clone()),
        Mapping::Attribute(name) => match view.attribute(name) {
            Ok(value) => value,
            Err(error) => {
                let error = read_failure(error).map_err(store_failure)?;
                let found = finding(place, error.cause(), error.to_string());
                draft.findings.push(found);
                return Ok(Mapped::Failed);
            }
        },
        Mapping::Transform(transform) => {
            match transform.evaluate(view, attribute, place.value_type) {
                Ok(Outcome::Value(value)) => Some(value),
                Ok(Outcome::Empty | Outcome::NoAccount) => None,
                Err(error) => {
                    let failed = transform_failure(attribute, error).map_err(store_failure)?;
                    let Finding { cause, message, .. } = failed.finding;
                    draft.findings.push(finding(place, cause.as_str(), message));
                    return Ok(Mapped::Failed);
                }
            }
        }
        Mapping::Rule(rule) => {
            let target = Target {
                application: &place.application,
                attribute: &attribute,
                native_identity: place.native_identity,
            };
            match evaluator.map_target(*rule, target, view) {
                Ok(rule::Mapping::Set(value)) => value.normalised(),
                Ok(rule::Mapping::Clear) => None,
                Ok(rule::Mapping::Leave) => return Ok(Mapped::Leave),
                Err(error) => {
                    let subject = subject(place);
                    let failed = failure(PROVISIONING, Severity::Error, &subject, error);
                    let failed = failed.map_err(store_failure)?;
                    draft.retry_after(failed.retry_after_ms);
                    draft.findings.push(failed.finding);
                    return Ok(Mapped::Failed);
                }
            }
        }
    };
    let Some(value) = value else {
        return Ok(Mapped::Value(None));
    };
    Ok(match value.convert(place.value_type) {
        Ok(value) => Mapped::Value(value),
        Err(_) => {
            let message = format!("what it is given is not of type {}", place.value_type);
            draft.findings.push(finding(place, "wrong-type", message));
            Mapped::Failed
        }
    })
}

fn subject(place: Place<'_>) -> String {
    format!("{} {}", place.application, place.attribute)
}

fn finding(place: Place<'_>, cause: &str, message: String) -> Finding {
    let (application, attribute) = (place.application, place.attribute);
    Finding {
        severity: Severity::Error,
        phase: PROVISIONING,
        subject: subject(place),
        cause: Name::new(cause),
        message,
        hint: Some(format!(
            "mend what `{attribute}` of accounts in `{application}` is made of"
        )),
    }
}
