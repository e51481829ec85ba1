//! The lifecycle state, by the first and the last day of work. The parameter
//! `graceDays` says for how long somebody stays active afterwards.
//!
//! The rule never asks what time it is, only whether a day has come or is over:
//! so the host knows when to refresh the person again.

wit_bindgen::generate!({ path: "wit", world: "lifecycle-state-rule" });

mod panics;

use exports::idr::rules::lifecycle_state::Guest;
use idr::rules::parameters::parameter;
use idr::rules::subject::attribute;
use idr::rules::time::{date_reached, day_over, plus_days};
use idr::rules::types::{Date, RuleError, TimeOfDay, Value};

struct Rule;
export!(Rule);

const MIDNIGHT: TimeOfDay = TimeOfDay {
    hour: 0,
    minute: 0,
    second: 0,
};
/// An empty zone is the identity's own, or else the tenant's.
const THEIR_ZONE: &str = "";

impl Guest for Rule {
    fn state() -> Result<String, RuleError> {
        if let Some(start) = date_of("startDate")?
            && !date_reached(start, MIDNIGHT, THEIR_ZONE)
        {
            return Ok("prehire".to_owned());
        }
        let grace_days = match parameter("graceDays") {
            Some(Value::Integer(days)) => days as i32,
            _ => 0,
        };
        if let Some(end) = date_of("endDate")?
            && day_over(plus_days(end, grace_days), THEIR_ZONE)
        {
            return Ok("inactive".to_owned());
        }
        Ok("active".to_owned())
    }
}

fn date_of(name: &str) -> Result<Option<Date>, RuleError> {
    match attribute(name) {
        None => Ok(None),
        Some(Value::Date(date)) => Ok(Some(date)),
        Some(_) => Err(RuleError::Invalid(format!("`{name}` is not a date"))),
    }
}
