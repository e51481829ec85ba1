//! Lifecycle state from four attributes: `prehire`, `active`, `leave`,
//! `inactive` or, for contractors whose time is over, `ended`.
//!
//! Small on purpose: the benches measure what one evaluation costs with it.
//!
//! Attributes read: `status`, `employeeType` (text), `startDate`, `endDate` (date).

wit_bindgen::generate!({
    path: "../../../wit/0.1.2",
    world: "lifecycle-state-rule",
    ownership: Borrowing { duplicate_if_necessary: false },
});

use exports::idr::rules::lifecycle_state::Guest;
use idr::rules::subject::attributes;
use idr::rules::time::{date_reached, day_over};
use idr::rules::types::{Date, RuleError, TimeOfDay, Value};

struct Rule;
export!(Rule);

const READ: [&str; 4] = ["status", "employeeType", "startDate", "endDate"];
const THEIR_ZONE: &str = "";
const MIDNIGHT: TimeOfDay = TimeOfDay {
    hour: 0,
    minute: 0,
    second: 0,
};

impl Guest for Rule {
    fn state() -> Result<String, RuleError> {
        let values: [_; 4] = attributes(&READ).try_into().expect("one for every name");
        let [status, employee_type, start, end] = values;
        let status = text("status", status)?;
        let employee_type = text("employeeType", employee_type)?;
        let start = date("startDate", start)?;
        let end = date("endDate", end)?;
        if start.is_some_and(|start| !date_reached(start, MIDNIGHT, THEIR_ZONE)) {
            return Ok("prehire".into());
        }
        if end.is_some_and(|end| day_over(end, THEIR_ZONE)) {
            let is_contractor = employee_type.as_deref() == Some("contractor");
            return Ok(if is_contractor { "ended" } else { "inactive" }.into());
        }
        let is_away = status.as_deref() == Some("leave");
        Ok(if is_away { "leave" } else { "active" }.into())
    }
}

fn text(name: &str, value: Option<Value>) -> Result<Option<String>, RuleError> {
    match value {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(RuleError::Invalid(format!("{name} is not text"))),
    }
}

fn date(name: &str, value: Option<Value>) -> Result<Option<Date>, RuleError> {
    match value {
        None => Ok(None),
        Some(Value::Date(date)) => Ok(Some(date)),
        Some(_) => Err(RuleError::Invalid(format!("{name} is not a date"))),
    }
}
