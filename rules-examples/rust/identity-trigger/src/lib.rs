//! Three identity triggers.
//!
//! | trigger                      | fires when                                          |
//! |------------------------------|-----------------------------------------------------|
//! | `ends-soon`                  | `endDate` is at most `days` days away               |
//! | `department-moved-with-role` | `department` changed for a holder of a certain role |
//! | `renamed`                    | `displayName` changed                               |
//!
//! Parameters:
//! - `days` (integer, default 14): how early `ends-soon` fires
//! - `role` (text): the role that `department-moved-with-role` looks for
//!
//! An event is fired when the answer turns from false to true, so `ends-soon`
//! may go on answering true until the end without firing again. `subject` is
//! the identity as this refresh has settled it, `baseline` as it was when
//! events were last processed.

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "identity-trigger-rule" });

use exports::idr::rules::identity_trigger::Guest;
use idr::rules::baseline;
use idr::rules::parameters::parameter;
use idr::rules::subject;
use idr::rules::time::{date_reached, day_over, plus_days};
use idr::rules::types::{RuleError, TimeOfDay, Value};

struct Rule;
export!(Rule);

/// An empty zone is the identity's own, or else the tenant's.
const THEIR_ZONE: &str = "";
const MIDNIGHT: TimeOfDay = TimeOfDay {
    hour: 0,
    minute: 0,
    second: 0,
};

impl Guest for Rule {
    fn fires(trigger: String) -> Result<bool, RuleError> {
        match trigger.as_str() {
            "ends-soon" => ends_soon(),
            "department-moved-with-role" => department_moved_with_role(),
            "renamed" => Ok(has_changed("displayName")?.is_some()),
            other => Err(RuleError::Failed(format!(
                "this rule has no trigger `{other}`"
            ))),
        }
    }
}

/// Nobody needs to change anything for this one to fire: the host notes when
/// `date_reached` will answer differently and refreshes the identity then.
fn ends_soon() -> Result<bool, RuleError> {
    let end = match subject::attribute("endDate") {
        None => return Ok(false),
        Some(Value::Date(end)) => end,
        Some(_) => return Err(RuleError::Invalid("`endDate` is not a date".into())),
    };
    let days = match parameter("days") {
        None => 14,
        Some(Value::Integer(days @ 0..=3650)) => days as i32,
        Some(_) => {
            return Err(RuleError::Invalid(
                "parameter `days` is not 0 to 3650".into(),
            ));
        }
    };
    Ok(date_reached(plus_days(end, -days), MIDNIGHT, THEIR_ZONE) && !day_over(end, THEIR_ZONE))
}

fn department_moved_with_role() -> Result<bool, RuleError> {
    let Some(Value::Text(role)) = parameter("role") else {
        return Err(RuleError::Invalid("parameter `role` is not text".into()));
    };
    // Somebody who had no department before hasn't moved.
    let Some(before) = has_changed("department")? else {
        return Ok(false);
    };
    Ok(before.is_some() && baseline::had_assigned(&role))
}

/// Returns the attribute's value before, when it has another one now.
///
/// A new identity has no past and so hasn't changed.
fn has_changed(name: &str) -> Result<Option<Option<String>>, RuleError> {
    if !baseline::exists() {
        return Ok(None);
    }
    let before = text(name, baseline::attribute(name))?;
    let now = text(name, subject::attribute(name))?;
    Ok((before != now).then_some(before))
}

fn text(name: &str, value: Option<Value>) -> Result<Option<String>, RuleError> {
    match value {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(RuleError::Invalid(format!("`{name}` is not text"))),
    }
}
