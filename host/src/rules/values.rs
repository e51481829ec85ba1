//! Values across the border: the contract's types to the model's and back.
//!
//! What comes from a rule is checked here, because the contract's types allow
//! more than makes sense: every language can produce the 255th month.

use idr_core::model::{AccountStatus, INTEGER_LIMIT, UnixMillis, Value};
use idr_core::rule::{Creation, Eligibility, Lookup, Promotion, Proposal};
use idr_core::view::AccountSummary;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use rust_decimal::Decimal;

use super::bindings::exports::idr::rules::{
    attribute_promotion, identity_creation, role_assignment,
};
use super::bindings::idr::rules::{subject, types};
use super::plain::{TEXT_CHARS, plain};

/// How much of a text that makes no sense is shown, in characters.
const NONSENSE_CHARS: usize = 100;

/// Something that a rule passed or answered and that makes no sense, in words
/// that follow "passed" or "answered".
pub(super) type Nonsense = String;

/// Returns the value as rules see it.
pub(super) fn to_rule(value: Value) -> types::Value {
    match value {
        Value::Text(text) => types::Value::Text(text.to_string()),
        Value::Integer(integer) => types::Value::Integer(integer),
        Value::Decimal(decimal) => types::Value::Decimal(decimal.to_string()),
        Value::Boolean(boolean) => types::Value::Boolean(boolean),
        Value::Date(date) => types::Value::Date(date_to_rule(date)),
        Value::Instant(instant) => types::Value::Instant(instant.0),
        Value::Many(texts) => types::Value::Many(texts.into_iter().map(String::from).collect()),
    }
}

pub(super) fn date_to_rule(date: Date) -> types::Date {
    types::Date {
        year: i32::from(date.year()),
        month: date.month().unsigned_abs(),
        day: date.day().unsigned_abs(),
    }
}

pub(super) fn date_from_rule(date: types::Date) -> Result<Date, Nonsense> {
    let types::Date { year, month, day } = date;
    let found = i16::try_from(year)
        .ok()
        .zip(i8::try_from(month).ok())
        .zip(i8::try_from(day).ok())
        .and_then(|((year, month), day)| Date::new(year, month, day).ok());
    found.ok_or_else(|| format!("`{year:04}-{month:02}-{day:02}`, which no calendar has"))
}

pub(super) fn time_from_rule(time: types::TimeOfDay) -> Result<Time, Nonsense> {
    let types::TimeOfDay {
        hour,
        minute,
        second,
    } = time;
    let found = i8::try_from(hour)
        .ok()
        .zip(i8::try_from(minute).ok())
        .zip(i8::try_from(second).ok())
        .and_then(|((hour, minute), second)| Time::new(hour, minute, second, 0).ok());
    found.ok_or_else(|| format!("`{hour:02}:{minute:02}:{second:02}`, which no clock shows"))
}

pub(super) fn instant_from_rule(instant: i64) -> Result<UnixMillis, Nonsense> {
    if instant.unsigned_abs() > INTEGER_LIMIT.unsigned_abs() {
        return Err(format!(
            "the instant {instant}, which is beyond +-(2^53 - 1)"
        ));
    }
    Ok(UnixMillis(instant))
}

/// Returns an answered value in its canonical form; none when it is empty.
pub(super) fn value_from_rule(value: types::Value) -> Result<Option<Value>, Nonsense> {
    let value = match value {
        types::Value::Text(text) => Value::text(text),
        types::Value::Integer(integer) => {
            if integer.unsigned_abs() > INTEGER_LIMIT.unsigned_abs() {
                return Err(format!(
                    "the integer {integer}, which is beyond +-(2^53 - 1)"
                ));
            }
            Value::Integer(integer)
        }
        types::Value::Decimal(text) => Value::Decimal(decimal(&text)?),
        types::Value::Boolean(boolean) => Value::Boolean(boolean),
        types::Value::Date(date) => Value::Date(date_from_rule(date)?),
        types::Value::Instant(instant) => {
            let instant = instant_from_rule(instant)?;
            if Timestamp::from_millisecond(instant.0).is_err() {
                return Err(format!(
                    "the instant {}, which is beyond the calendar",
                    instant.0
                ));
            }
            Value::Instant(instant)
        }
        types::Value::Many(texts) => Value::many(texts),
    };
    Ok(value.normalised())
}

/// Reads `-12.5`: digits, at most one point with digits on both sides.
fn decimal(text: &str) -> Result<Decimal, Nonsense> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_plain = all_digits(whole) && all_digits(fraction);
    let parsed = is_plain
        .then(|| Decimal::from_str_exact(text).ok())
        .flatten();
    let shown = || plain(text, NONSENSE_CHARS);
    parsed.ok_or_else(|| {
        format!(
            "{:?}, which is no decimal number of at most 28 digits",
            shown()
        )
    })
}

pub(super) fn promotion_from_rule(
    promotion: attribute_promotion::Promotion,
) -> Result<Promotion, Nonsense> {
    Ok(match promotion {
        attribute_promotion::Promotion::Set(value) => match value_from_rule(value)? {
            Some(value) => Promotion::Set(value),
            None => Promotion::Clear,
        },
        attribute_promotion::Promotion::Clear => Promotion::Clear,
        attribute_promotion::Promotion::Next => Promotion::Next,
    })
}

/// Returns whom to look for; nobody when the value is empty.
pub(super) fn lookup_from_rule(lookup: Option<types::Lookup>) -> Option<Lookup> {
    let types::Lookup { attribute, value } = lookup?;
    (!value.is_empty()).then_some(Lookup { attribute, value })
}

/// Returns the proposed identity; an empty text proposes nothing.
pub(super) fn creation_from_rule(creation: identity_creation::Creation) -> Creation {
    let said = |text: Option<String>| text.filter(|text| !text.is_empty());
    match creation {
        identity_creation::Creation::Create(proposal) => Creation::Create {
            name: said(proposal.name),
            identity_type: said(proposal.identity_type),
        },
        identity_creation::Creation::Skip(why) => Creation::Skip(plain(&why, TEXT_CHARS)),
    }
}

pub(super) fn proposals_from_rule(
    proposals: Vec<types::Proposal>,
) -> Result<Vec<Proposal>, Nonsense> {
    let checked = proposals.into_iter().map(|proposal| {
        let value = proposal.value.map(value_from_rule).transpose()?;
        Ok(Proposal {
            attribute: proposal.attribute,
            value: value.flatten(),
        })
    });
    checked.collect()
}

/// Returns the answers if there is one for each of the candidates.
pub(super) fn eligibilities_from_rule(
    answers: Vec<role_assignment::Eligibility>,
    candidates: usize,
) -> Result<Vec<Eligibility>, Nonsense> {
    if answers.len() != candidates {
        return Err(format!(
            "for {} roles, but {candidates} were asked about",
            answers.len()
        ));
    }
    Ok(answers
        .into_iter()
        .map(|answer| match answer {
            role_assignment::Eligibility::Yes => Eligibility::Yes,
            role_assignment::Eligibility::No => Eligibility::No,
            role_assignment::Eligibility::CannotTell(why) => {
                Eligibility::CannotTell(plain(&why, TEXT_CHARS))
            }
        })
        .collect())
}

/// Returns the name of a state, if it could be one.
pub(super) fn state_from_rule(state: String) -> Result<String, Nonsense> {
    if state.is_empty() {
        return Err("an empty text, which names no lifecycle state".to_owned());
    }
    Ok(state)
}

pub(super) fn account_to_rule(account: AccountSummary) -> subject::Account {
    subject::Account {
        handle: account.handle,
        native_identity: account.native_identity,
        status: status_to_rule(account.status),
    }
}

/// Returns the status as rules see it; an account without one has vanished.
pub(super) fn status_to_rule(status: Option<AccountStatus>) -> types::AccountStatus {
    match status {
        Some(AccountStatus::Enabled) => types::AccountStatus::Enabled,
        Some(AccountStatus::Disabled) => types::AccountStatus::Disabled,
        Some(AccountStatus::Locked) => types::AccountStatus::Locked,
        None => types::AccountStatus::Vanished,
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn answered(value: types::Value) -> Result<Option<String>, Nonsense> {
        Ok(value_from_rule(value)?.map(|value| value.to_string()))
    }

    #[test]
    fn empty_answers_are_none() {
        assert_eq!(answered(types::Value::Text(String::new())), Ok(None));
        assert_eq!(answered(types::Value::Many(vec![String::new()])), Ok(None));
    }

    #[test]
    fn decimals_have_one_form() {
        let decimal = |text: &str| answered(types::Value::Decimal(text.to_owned()));
        assert_eq!(decimal("-12.50"), Ok(Some("-12.5".to_owned())));
        assert_eq!(decimal("1.0"), Ok(Some("1".to_owned())));
        for nonsense in ["", "abc", "1.", ".5", "1e5", "1_000", "+1", "--1", "1.2.3"] {
            assert!(decimal(nonsense).is_err(), "{nonsense}");
        }
        assert!(
            decimal("0.00000000000000000000000000001").is_err(),
            "29 digits"
        );
    }

    #[test]
    fn what_is_out_of_range_says_so() {
        let date = types::Date {
            year: -2_147_483_648,
            month: 255,
            day: 0,
        };
        assert_eq!(
            answered(types::Value::Date(date)),
            Err("`-2147483648-255-00`, which no calendar has".to_owned())
        );
        let date = types::Date {
            year: 2026,
            month: 2,
            day: 30,
        };
        assert_eq!(
            answered(types::Value::Date(date)),
            Err("`2026-02-30`, which no calendar has".to_owned())
        );
        assert_eq!(
            answered(types::Value::Integer(INTEGER_LIMIT)),
            Ok(Some("9007199254740991".into()))
        );
        assert!(answered(types::Value::Integer(INTEGER_LIMIT + 1)).is_err());
        assert!(answered(types::Value::Integer(i64::MIN)).is_err());
        assert!(answered(types::Value::Instant(i64::MAX)).is_err());
        assert!(
            answered(types::Value::Instant(INTEGER_LIMIT)).is_err(),
            "beyond the calendar"
        );
        let time = types::TimeOfDay {
            hour: 24,
            minute: 0,
            second: 0,
        };
        assert_eq!(
            time_from_rule(time),
            Err("`24:00:00`, which no clock shows".to_owned())
        );
    }

    #[test]
    fn values_survive_the_way_there_and_back() {
        let values = [
            Value::text("Weiß \u{202e}\0🙂"),
            Value::Integer(-INTEGER_LIMIT),
            Value::Decimal(Decimal::from_str("12.5").expect("a decimal")),
            Value::Boolean(false),
            Value::Date(Date::new(-44, 3, 15).expect("a date")),
            Value::Instant(UnixMillis(-1)),
            Value::many(["a", "b"]),
        ];
        for value in values {
            assert_eq!(value_from_rule(to_rule(value.clone())), Ok(Some(value)));
        }
    }

    #[test]
    fn empty_texts_look_for_nobody_and_propose_nothing() {
        let lookup = |value: &str| {
            lookup_from_rule(Some(types::Lookup {
                attribute: "name".to_owned(),
                value: value.to_owned(),
            }))
        };
        assert_eq!(lookup(""), None);
        assert!(lookup("ana").is_some());
        let proposal = identity_creation::NewIdentity {
            name: Some(String::new()),
            identity_type: Some("bot".to_owned()),
        };
        assert_eq!(
            creation_from_rule(identity_creation::Creation::Create(proposal)),
            Creation::Create {
                name: None,
                identity_type: Some("bot".to_owned())
            }
        );
    }

    #[test]
    fn there_is_one_answer_for_each_role() {
        let answers = vec![role_assignment::Eligibility::Yes];
        assert_eq!(
            eligibilities_from_rule(answers, 2),
            Err("for 1 roles, but 2 were asked about".to_owned())
        );
    }
}
