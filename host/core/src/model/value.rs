//! Attribute values, their types, and reading them from text.

use std::borrow::Cow;
use std::fmt;

use jiff::civil::Date;
use rust_decimal::Decimal;
use smol_str::SmolStr;
use thiserror::Error;

use super::UnixMillis;

/// Integers, and instants in milliseconds, stay within what every rule
/// language holds exactly: 2^53 - 1.
pub const INTEGER_LIMIT: i64 = (1 << 53) - 1;

/// A text in a value: short ones (23 bytes) are held in place, longer ones shared, so
/// that reading a document and copying a value seldom allocate.
pub type Text = SmolStr;

/// A value of an attribute. An attribute without one is absent (`None`), never
/// an empty text or list: see [`Value::normalised`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// Any text that isn't empty.
    Text(Text),
    /// Within plus or minus [`INTEGER_LIMIT`].
    Integer(i64),
    /// Kept without trailing zeros.
    Decimal(Decimal),
    /// A truth value.
    Boolean(bool),
    /// A day.
    Date(Date),
    /// A moment.
    Instant(UnixMillis),
    /// Several texts, in order.
    Many(Vec<Text>),
}

/// The type of an attribute, as configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// [`Value::Text`].
    #[default]
    Text,
    /// [`Value::Integer`].
    Integer,
    /// [`Value::Decimal`].
    Decimal,
    /// [`Value::Boolean`].
    Boolean,
    /// [`Value::Date`].
    Date,
    /// [`Value::Instant`].
    Instant,
    /// [`Value::Many`].
    Many,
}

/// Text that isn't a value of the wanted type.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{text}` is not {wanted}")]
pub struct ValueError {
    /// What was found.
    pub text: String,
    /// What was wanted, with its article: "a date (YYYY-MM-DD)".
    pub wanted: &'static str,
}

impl Value {
    /// Returns the text as a value.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the texts as a list.
    pub fn many(texts: impl IntoIterator<Item = impl Into<Text>>) -> Self {
        Self::Many(texts.into_iter().map(Into::into).collect())
    }

    /// Returns the value in its one canonical form, or none when it is empty.
    ///
    /// Empty texts and lists are absent; empty texts within a list are
    /// dropped; decimals lose trailing zeros.
    pub fn normalised(self) -> Option<Self> {
        match self {
            Self::Text(text) => (!text.is_empty()).then_some(Self::Text(text)),
            Self::Many(mut texts) => {
                texts.retain(|text| !text.is_empty());
                (!texts.is_empty()).then_some(Self::Many(texts))
            }
            Self::Decimal(decimal) => Some(Self::Decimal(decimal.normalize())),
            value => Some(value),
        }
    }

    /// Returns the type.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Integer(_) => ValueType::Integer,
            Self::Decimal(_) => ValueType::Decimal,
            Self::Boolean(_) => ValueType::Boolean,
            Self::Date(_) => ValueType::Date,
            Self::Instant(_) => ValueType::Instant,
            Self::Many(_) => ValueType::Many,
        }
    }

    /// Returns the text of a text value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Calls `visit` with the value as text: once, or once per text of a list.
    ///
    /// This is how values are compared with entitlements and looked up by key.
    pub fn each_text(&self, mut visit: impl FnMut(&str)) {
        match self {
            Self::Text(text) => visit(text),
            Self::Many(texts) => texts.iter().for_each(|text| visit(text)),
            other => visit(&other.to_string()),
        }
    }

    /// Returns how much memory it takes, about: with its name, where it comes from, and
    /// room to grow.
    pub fn bytes(&self) -> usize {
        const BESIDES_TEXT: usize = 96;
        match self {
            Self::Text(text) => BESIDES_TEXT + text.len(),
            Self::Many(texts) => texts.iter().map(|text| BESIDES_TEXT + text.len()).sum(),
            _ => BESIDES_TEXT,
        }
    }

    /// Returns the value as texts, as [`Value::each_text`] visits them.
    pub fn texts(&self) -> Vec<Cow<'_, str>> {
        match self {
            Self::Text(text) => vec![Cow::Borrowed(text)],
            Self::Many(texts) => texts.iter().map(|text| Cow::from(text.as_str())).collect(),
            other => vec![Cow::Owned(other.to_string())],
        }
    }

    /// Returns the value as one of `wanted`, where that loses nothing: a text
    /// is read as the type, a single value becomes a list of one.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when it can't be read so.
    pub fn convert(self, wanted: ValueType) -> Result<Option<Self>, ValueError> {
        if self.value_type() == wanted {
            return Ok(self.normalised());
        }
        match (self, wanted) {
            (Self::Text(text), wanted) => wanted.parse(&text),
            (Self::Many(mut texts), wanted) if texts.len() == 1 => wanted.parse(&texts.remove(0)),
            (Self::Many(texts), wanted) => Err(ValueError {
                text: texts.join(", "),
                wanted: wanted.description(),
            }),
            (value, wanted) => wanted.parse(&value.to_string()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Integer(integer) => integer.fmt(formatter),
            Self::Decimal(decimal) => decimal.fmt(formatter),
            Self::Boolean(boolean) => boolean.fmt(formatter),
            Self::Date(date) => date.fmt(formatter),
            Self::Instant(instant) => instant.fmt(formatter),
            Self::Many(texts) => formatter.write_str(&texts.join(", ")),
        }
    }
}

impl ValueType {
    /// Every type with the word that configuration uses for it.
    pub const ALL: [(&'static str, Self); 7] = [
        ("text", Self::Text),
        ("integer", Self::Integer),
        ("decimal", Self::Decimal),
        ("boolean", Self::Boolean),
        ("date", Self::Date),
        ("instant", Self::Instant),
        ("many", Self::Many),
    ];

    /// Returns the word that configuration uses.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, value_type)| *value_type == self);
        found.expect("every type is listed").0
    }

    fn description(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer => "an integer within +-(2^53 - 1)",
            Self::Decimal => "a decimal number",
            Self::Boolean => "true or false",
            Self::Date => "a date (YYYY-MM-DD)",
            Self::Instant => "an instant (RFC 3339, such as 2026-03-01T17:00:00Z)",
            Self::Many => "a list",
        }
    }

    /// Reads a value of this type from a field of text; blank text is absent.
    ///
    /// # Errors
    ///
    /// [`ValueError`] when the text isn't of this type.
    pub fn parse(self, text: &str) -> Result<Option<Value>, ValueError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(None);
        }
        let value = match self {
            Self::Text => Some(Value::text(text)),
            Self::Many => Some(Value::many([text])),
            Self::Integer => trimmed
                .parse::<i64>()
                .ok()
                .filter(|integer| integer.unsigned_abs() <= INTEGER_LIMIT.unsigned_abs())
                .map(Value::Integer),
            Self::Decimal => trimmed
                .parse::<Decimal>()
                .ok()
                .map(|decimal| Value::Decimal(decimal.normalize())),
            Self::Boolean => match trimmed {
                "true" | "TRUE" | "True" | "1" => Some(Value::Boolean(true)),
                "false" | "FALSE" | "False" | "0" => Some(Value::Boolean(false)),
                _ => None,
            },
            Self::Date => trimmed.parse::<Date>().ok().map(Value::Date),
            Self::Instant => trimmed.parse::<UnixMillis>().ok().map(Value::Instant),
        };
        value.map(Some).ok_or_else(|| ValueError {
            text: text.to_owned(),
            wanted: self.description(),
        })
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, ValueType};

    #[test]
    fn empty_values_are_absent() {
        assert_eq!(Value::text("").normalised(), None);
        assert_eq!(Value::many([""]).normalised(), None);
        assert_eq!(ValueType::Date.parse("  "), Ok(None));
    }

    #[test]
    fn decimals_lose_trailing_zeros() {
        let one = ValueType::Decimal
            .parse("1.00")
            .expect("a decimal")
            .expect("not blank");
        assert_eq!(one.to_string(), "1");
    }

    #[test]
    fn what_is_not_of_the_type_says_so() {
        let error = ValueType::Date
            .parse("2026-02-30")
            .expect_err("no such day");
        assert_eq!(error.to_string(), "`2026-02-30` is not a date (YYYY-MM-DD)");
        let error = ValueType::Integer
            .parse("9007199254740992")
            .expect_err("too large");
        assert_eq!(
            error.to_string(),
            "`9007199254740992` is not an integer within +-(2^53 - 1)"
        );
    }

    #[test]
    fn conversion_keeps_what_is_there() {
        let many = Value::text("a").convert(ValueType::Many).expect("a list");
        assert_eq!(many, Some(Value::many(["a"])));
        assert!(Value::many(["a", "b"]).convert(ValueType::Text).is_err());
        let text = Value::Integer(7).convert(ValueType::Text).expect("a text");
        assert_eq!(text, Some(Value::text("7")));
    }
}
