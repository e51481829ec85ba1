//! Four identity attributes worked out from a person's account.
//!
//! | attribute     | from the account's             | answer                                   |
//! |---------------|--------------------------------|------------------------------------------|
//! | `displayName` | `preferredName` or `givenName`, and `familyName` | `Ana Bauer`            |
//! | `costCenter`  | `costCenter`                   | `CC-4711`, however it was typed          |
//! | `location`    | `site`                         | what parameter `site.CODE` says, or next |
//! | `contractEnd` | `contractEnd`                  | a date, from `2026-03-31` or `31.03.2026`|
//!
//! Parameters:
//! - `application` (text, default `hr`): whose account is read
//! - `site.CODE` (text), one per site: the location's name
//!
//! Each answer is one of three: *set* a value, *clear* the attribute because
//! the account says that there is none, or *next* because this rule has
//! nothing to say and the attribute's next source should be asked.

wit_bindgen::generate!({
    path: "../../../wit/0.1.2",
    world: "attribute-promotion-rule",
    ownership: Borrowing { duplicate_if_necessary: false },
});

use exports::idr::rules::attribute_promotion::{Guest, Promotion};
use idr::rules::parameters::parameter;
use idr::rules::subject::{account_attributes, first_account};
use idr::rules::types::{Date, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn promote(attribute: String) -> Result<Promotion, RuleError> {
        let Some(account) = Account::of_the_person()? else {
            return Ok(Promotion::Next);
        };
        match attribute.as_str() {
            "displayName" => display_name(&account),
            "costCenter" => cost_center(&account),
            "location" => location(&account),
            "contractEnd" => contract_end(&account),
            other => Err(RuleError::Failed(format!(
                "this rule has no attribute `{other}`"
            ))),
        }
    }
}

fn display_name(account: &Account) -> Result<Promotion, RuleError> {
    let [preferred, given, family] = account.texts(["preferredName", "givenName", "familyName"])?;
    let parts: Vec<String> = [preferred.or(given), family]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() {
        return Ok(Promotion::Clear);
    }
    Ok(Promotion::Set(Value::Text(parts.join(" "))))
}

/// `cc 4711`, `CC4711` and `4711` are all `CC-4711`.
fn cost_center(account: &Account) -> Result<Promotion, RuleError> {
    let [Some(written)] = account.texts(["costCenter"])? else {
        return Ok(Promotion::Clear);
    };
    let upper = written.to_ascii_uppercase();
    let number = upper
        .strip_prefix("CC")
        .unwrap_or(&upper)
        .trim_start_matches([' ', '-']);
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RuleError::Invalid(format!(
            "`{written}` is not a cost center"
        )));
    }
    Ok(Promotion::Set(Value::Text(format!("CC-{number}"))))
}

/// A site without a name in the parameters is left to the next source.
fn location(account: &Account) -> Result<Promotion, RuleError> {
    let [Some(site)] = account.texts(["site"])? else {
        return Ok(Promotion::Clear);
    };
    match parameter(&format!("site.{}", site.to_ascii_uppercase())) {
        Some(name @ Value::Text(_)) => Ok(Promotion::Set(name)),
        _ => Ok(Promotion::Next),
    }
}

fn contract_end(account: &Account) -> Result<Promotion, RuleError> {
    let [value] = account.values(["contractEnd"]);
    match value {
        None => Ok(Promotion::Clear),
        Some(date @ Value::Date(_)) => Ok(Promotion::Set(date)),
        Some(Value::Text(text)) => match date(&text) {
            Some(date) => Ok(Promotion::Set(Value::Date(date))),
            None => Err(RuleError::Invalid(format!("`{text}` is not a date"))),
        },
        Some(_) => Err(RuleError::Invalid(
            "`contractEnd` is neither date nor text".into(),
        )),
    }
}

/// Reads `2026-03-31` and `31.03.2026`. The host refuses days that no calendar has.
fn date(text: &str) -> Option<Date> {
    let (year, month, day) = if let Some((year, rest)) = text.split_once('-') {
        let (month, day) = rest.split_once('-')?;
        (year, month, day)
    } else {
        let (day, rest) = text.split_once('.')?;
        let (month, year) = rest.split_once('.')?;
        (year, month, day)
    };
    Some(Date {
        year: year.parse().ok()?,
        month: month.parse().ok()?,
        day: day.parse().ok()?,
    })
}

/// The account that the attributes are taken from.
struct Account {
    handle: u32,
}

impl Account {
    /// Returns the person's account: the first that is still listed, or else
    /// the first that has gone, which keeps what it last said.
    fn of_the_person() -> Result<Option<Self>, RuleError> {
        let application = match parameter("application") {
            None => "hr".to_owned(),
            Some(Value::Text(name)) => name,
            Some(_) => {
                return Err(RuleError::Invalid(
                    "parameter `application` is not text".into(),
                ));
            }
        };
        Ok(first_account(&application).map(|handle| Self { handle }))
    }

    fn values<const N: usize>(&self, names: [&str; N]) -> [Option<Value>; N] {
        let values = account_attributes(self.handle, &names);
        values.try_into().expect("a value for every name")
    }

    /// Returns texts without blanks around them; a blank one is none.
    fn texts<const N: usize>(&self, names: [&str; N]) -> Result<[Option<String>; N], RuleError> {
        let mut texts = [const { None }; N];
        for ((text, name), value) in texts.iter_mut().zip(names).zip(self.values(names)) {
            *text = match value {
                None => None,
                Some(Value::Text(text)) => {
                    let text = text.trim();
                    (!text.is_empty()).then(|| text.to_owned())
                }
                Some(Value::Integer(number)) => Some(number.to_string()),
                Some(_) => return Err(RuleError::Invalid(format!("`{name}` is not text"))),
            };
        }
        Ok(texts)
    }
}
