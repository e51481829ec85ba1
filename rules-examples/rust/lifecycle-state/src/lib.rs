//! Lifecycle state from employment dates: `prehire`, `active`, `leave` or
//! `inactive`.
//!
//! Attributes read:
//! - `startDate`, `endDate` (date): the first and the last day of work
//! - `endTime` (text, `17:00`): when the last day ends; without it, the
//!   tenant's end of day
//! - `status` (text): `leave` for somebody who is away for long
//!
//! Parameters:
//! - `applications` (text or list, default `hr`): where a person must have an
//!   account that is still listed; without one the person is `inactive`
//!
//! The rule never asks what time it is, only whether a day or a time has come.
//! The host notes when such an answer will change and refreshes the identity
//! at that moment: a leaver of 17:00 is inactive at 17:00.

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "lifecycle-state-rule" });

use exports::idr::rules::lifecycle_state::Guest;
use idr::rules::parameters::parameter;
use idr::rules::subject::{AccountStatus, accounts, attribute};
use idr::rules::time::{date_reached, day_over};
use idr::rules::types::{Date, RuleError, TimeOfDay, Value};

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
    fn state() -> Result<String, RuleError> {
        state().map(str::to_owned)
    }
}

fn state() -> Result<&'static str, RuleError> {
    if !has_listed_account()? {
        return Ok("inactive");
    }
    if let Some(start) = date_attribute("startDate")?
        && !date_reached(start, MIDNIGHT, THEIR_ZONE)
    {
        return Ok("prehire");
    }
    if let Some(end) = date_attribute("endDate")? {
        let over = match text_attribute("endTime")? {
            Some(text) => date_reached(end, time_of_day(&text)?, THEIR_ZONE),
            None => day_over(end, THEIR_ZONE),
        };
        if over {
            return Ok("inactive");
        }
    }
    match text_attribute("status")? {
        Some(status) if status == "leave" => Ok("leave"),
        _ => Ok("active"),
    }
}

/// Says whether one of the applications still lists the person.
fn has_listed_account() -> Result<bool, RuleError> {
    let applications = match parameter("applications") {
        None => vec!["hr".to_owned()],
        Some(Value::Text(name)) => vec![name],
        Some(Value::Many(names)) => names,
        Some(_) => {
            return Err(RuleError::Invalid(
                "parameter `applications` is not text".into(),
            ));
        }
    };
    Ok(applications.iter().any(|application| {
        accounts(application)
            .iter()
            .any(|account| account.status != AccountStatus::Vanished)
    }))
}

fn date_attribute(name: &str) -> Result<Option<Date>, RuleError> {
    match attribute(name) {
        None => Ok(None),
        Some(Value::Date(date)) => Ok(Some(date)),
        Some(_) => Err(RuleError::Invalid(format!("`{name}` is not a date"))),
    }
}

fn text_attribute(name: &str) -> Result<Option<String>, RuleError> {
    match attribute(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(RuleError::Invalid(format!("`{name}` is not text"))),
    }
}

/// Reads `17:00`.
fn time_of_day(text: &str) -> Result<TimeOfDay, RuleError> {
    let parsed = text.split_once(':').and_then(|(hour, minute)| {
        Some(TimeOfDay {
            hour: two_digits(hour, 23)?,
            minute: two_digits(minute, 59)?,
            second: 0,
        })
    });
    parsed.ok_or_else(|| RuleError::Invalid(format!("`{text}` is not a time such as 17:00")))
}

fn two_digits(text: &str, most: u8) -> Option<u8> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= most)
}
