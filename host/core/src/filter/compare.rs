//! How two single values compare: the one place that knows.
//!
//! The rules are written down in the module's documentation, "Comparing".

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use crate::model::{INTEGER_LIMIT, UnixMillis, Value};
use crate::text::{fold, folded_characters};

/// Whether upper and lower case are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Sensitive,
    Ignored,
}

/// Which part of a text is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Start,
    End,
    Anywhere,
}

/// One value of a property, borrowed: what a list is made of, or the value itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Single<'a> {
    Text(&'a str),
    Integer(i64),
    Decimal(Decimal),
    Boolean(bool),
    Moment(Moment),
}

/// A day or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Day(Date),
    At(UnixMillis),
}

impl Moment {
    /// Reads `YYYY-MM-DD` or an RFC 3339 instant; nothing else.
    fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !bytes.first()?.is_ascii_digit() {
            return None;
        }
        match bytes.len() {
            10 if bytes[4] == b'-' && bytes[7] == b'-' => text.parse().ok().map(Self::Day),
            20.. if matches!(bytes[10], b'T' | b't') => text.parse().ok().map(Self::At),
            _ => None,
        }
    }

    fn day(self) -> Date {
        match self {
            Self::Day(date) => date,
            Self::At(instant) => TimeZone::UTC.to_datetime(instant.timestamp()).date(),
        }
    }

    fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::At(instant), Self::At(other)) => instant.cmp(&other),
            _ => self.day().cmp(&other.day()),
        }
    }
}

/// Reads `-?digits(.digits)?`; nothing else, and nothing that doesn't fit exactly.
pub(super) fn read_number(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    Decimal::from_str_exact(text)
        .ok()
        .map(|decimal| decimal.normalize())
}

fn read_boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

impl Single<'_> {
    /// Returns the value as the text that is searched by `startsWith` and its like.
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Integer(integer) => Cow::Owned(integer.to_string()),
            Self::Decimal(decimal) => Cow::Owned(decimal.to_string()),
            Self::Boolean(boolean) => Cow::Borrowed(if *boolean { "true" } else { "false" }),
            Self::Moment(Moment::Day(date)) => Cow::Owned(date.to_string()),
            Self::Moment(Moment::At(instant)) => Cow::Owned(instant.to_string()),
        }
    }
}

/// Returns whether `test` holds for the value, or for any text of a list.
pub(super) fn any_single(value: &Value, mut test: impl FnMut(Single<'_>) -> bool) -> bool {
    match value {
        Value::Text(text) => test(Single::Text(text)),
        Value::Integer(integer) => test(Single::Integer(*integer)),
        Value::Decimal(decimal) => test(Single::Decimal(*decimal)),
        Value::Boolean(boolean) => test(Single::Boolean(*boolean)),
        Value::Date(date) => test(Single::Moment(Moment::Day(*date))),
        Value::Instant(instant) => test(Single::Moment(Moment::At(*instant))),
        Value::Many(texts) => texts.iter().any(|text| test(Single::Text(text))),
    }
}

/// Calls `visit` with each number that the value is, or that a text of it reads as.
pub fn each_number(value: &Value, mut visit: impl FnMut(Decimal)) {
    any_single(value, |single| {
        let number = match single {
            Single::Text(text) => read_number(text),
            Single::Integer(integer) => Some(Decimal::from(integer)),
            Single::Decimal(decimal) => Some(decimal),
            Single::Boolean(_) | Single::Moment(_) => None,
        };
        number.into_iter().for_each(&mut visit);
        false
    });
}

/// How a value is found that equals one which a filter asks for: it is this text,
/// or is this number or reads as it. Not each that is found so is equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demanded {
    /// The text.
    pub text: Option<String>,
    /// The number.
    pub number: Option<Decimal>,
}

impl Demanded {
    /// None for truth values, of which there are too few to find anybody by, and
    /// for texts that read as one or as a moment.
    pub(super) fn of(literal: &Literal) -> Option<Self> {
        let (text, number) = match literal {
            Literal::Text(literal) => match literal.reading {
                Reading::OnlyText => (Some(&literal.text), None),
                Reading::Number(number) => (Some(&literal.text), Some(number)),
                Reading::Boolean(_) | Reading::Moment(_) => return None,
            },
            Literal::Integer(integer) => (None, Some(Decimal::from(*integer))),
            Literal::Decimal(decimal) => (None, Some(*decimal)),
            Literal::Boolean(_) | Literal::Moment(_) => return None,
        };
        Some(Self {
            text: text.cloned(),
            number,
        })
    }
}

/// A value to compare others with, read once in every way that it can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Text(TextLiteral),
    Integer(i64),
    Decimal(Decimal),
    Boolean(bool),
    /// Never written without quotes: only the right side's property yields one.
    Moment(Moment),
}

/// A text, and what it is when it meets a value of another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextLiteral {
    pub(super) text: String,
    pub(super) folded: String,
    pub(super) reading: Reading,
}

/// What else a text could be. The forms exclude one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    OnlyText,
    Number(Decimal),
    Boolean(bool),
    Moment(Moment),
}

impl Reading {
    fn of(text: &str) -> Self {
        if let Some(number) = read_number(text) {
            Self::Number(number)
        } else if let Some(boolean) = read_boolean(text) {
            Self::Boolean(boolean)
        } else if let Some(moment) = Moment::read(text) {
            Self::Moment(moment)
        } else {
            Self::OnlyText
        }
    }
}

impl Literal {
    pub(super) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        let (folded, reading) = (fold(&text), Reading::of(&text));
        Self::Text(TextLiteral {
            text,
            folded,
            reading,
        })
    }

    /// Returns the number in its one canonical form: an integer wherever it is one.
    pub(super) fn number(decimal: Decimal) -> Self {
        let normalised = decimal.normalize();
        match i64::try_from(normalised) {
            Ok(integer)
                if normalised.is_integer()
                    && integer.unsigned_abs() <= INTEGER_LIMIT.unsigned_abs() =>
            {
                Self::Integer(integer)
            }
            _ => Self::Decimal(normalised),
        }
    }

    pub(super) fn of(single: Single<'_>) -> Self {
        match single {
            Single::Text(text) => Self::text(text),
            Single::Integer(integer) => Self::Integer(integer),
            Single::Decimal(decimal) => Self::Decimal(decimal),
            Single::Boolean(boolean) => Self::Boolean(boolean),
            Single::Moment(moment) => Self::Moment(moment),
        }
    }

    pub(super) fn is_equal(&self, single: Single<'_>, case: Case) -> bool {
        match (single, self, case) {
            (Single::Text(text), Self::Text(literal), Case::Sensitive) => text == literal.text,
            (Single::Text(text), Self::Text(literal), Case::Ignored) => {
                folded_characters(text).eq(literal.folded.chars())
            }
            _ => self.order(single, case) == Some(Ordering::Equal),
        }
    }

    /// Returns how `single` stands to the literal; none when they don't compare.
    ///
    /// Truth values are equal or don't compare: they have no order.
    pub(super) fn order(&self, single: Single<'_>, case: Case) -> Option<Ordering> {
        match single {
            Single::Text(text) => self.order_text(text, case),
            Single::Integer(integer) => match self {
                Self::Integer(literal) => Some(integer.cmp(literal)),
                _ => Some(Decimal::from(integer).cmp(&self.as_number()?)),
            },
            Single::Decimal(decimal) => Some(decimal.cmp(&self.as_number()?)),
            Single::Boolean(boolean) => same(boolean, self.as_boolean()?),
            Single::Moment(moment) => Some(moment.order(self.as_moment()?)),
        }
    }

    fn order_text(&self, text: &str, case: Case) -> Option<Ordering> {
        match self {
            Self::Text(literal) => Some(match case {
                Case::Sensitive => text.cmp(&literal.text),
                Case::Ignored => folded_characters(text).cmp(literal.folded.chars()),
            }),
            Self::Integer(integer) => Some(read_number(text)?.cmp(&Decimal::from(*integer))),
            Self::Decimal(decimal) => Some(read_number(text)?.cmp(decimal)),
            Self::Boolean(boolean) => same(read_boolean(text)?, *boolean),
            Self::Moment(moment) => Some(Moment::read(text)?.order(*moment)),
        }
    }

    fn as_number(&self) -> Option<Decimal> {
        match self {
            Self::Integer(integer) => Some(Decimal::from(*integer)),
            Self::Decimal(decimal) => Some(*decimal),
            Self::Text(TextLiteral {
                reading: Reading::Number(number),
                ..
            }) => Some(*number),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::Text(TextLiteral {
                reading: Reading::Boolean(boolean),
                ..
            }) => Some(*boolean),
            _ => None,
        }
    }

    fn as_moment(&self) -> Option<Moment> {
        match self {
            Self::Moment(moment) => Some(*moment),
            Self::Text(TextLiteral {
                reading: Reading::Moment(moment),
                ..
            }) => Some(*moment),
            _ => None,
        }
    }
}

fn same(left: bool, right: bool) -> Option<Ordering> {
    (left == right).then_some(Ordering::Equal)
}

impl TextLiteral {
    /// Returns whether the literal is that part of the value's text.
    pub(super) fn is_part(&self, single: Single<'_>, part: Part, case: Case) -> bool {
        let text = single.text();
        match (part, case) {
            (Part::Start, Case::Sensitive) => text.starts_with(&self.text),
            (Part::End, Case::Sensitive) => text.ends_with(&self.text),
            (Part::Anywhere, Case::Sensitive) => text.contains(&self.text),
            (Part::Start, Case::Ignored) => begins(folded_characters(&text), self.folded.chars()),
            (Part::End, Case::Ignored) => {
                begins(folded_characters(&text).rev(), self.folded.chars().rev())
            }
            (Part::Anywhere, Case::Ignored) => fold(&text).contains(&self.folded),
        }
    }
}

fn begins(
    mut characters: impl Iterator<Item = char>,
    mut wanted: impl Iterator<Item = char>,
) -> bool {
    wanted.all(|character| characters.next() == Some(character))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{Case, Literal, Single, any_single, read_number};
    use crate::model::ValueType;

    fn order(value_type: ValueType, value: &str, literal: &str) -> Option<Ordering> {
        let value = value_type
            .parse(value)
            .expect("a value")
            .expect("not blank");
        let mut found = None;
        any_single(&value, |single| {
            found = Literal::text(literal).order(single, Case::Sensitive);
            true
        });
        found
    }

    #[test]
    fn a_text_is_read_as_the_type_that_it_meets() {
        assert_eq!(order(ValueType::Integer, "7", "7.0"), Some(Ordering::Equal));
        assert_eq!(order(ValueType::Decimal, "1.5", "2"), Some(Ordering::Less));
        assert_eq!(
            order(ValueType::Boolean, "true", "true"),
            Some(Ordering::Equal)
        );
        assert_eq!(order(ValueType::Boolean, "true", "false"), None);
        assert_eq!(
            order(ValueType::Date, "2026-01-31", "2026-02-01"),
            Some(Ordering::Less)
        );
        assert_eq!(order(ValueType::Date, "2026-01-31", "20260131"), None);
        assert_eq!(order(ValueType::Text, "10", "9"), Some(Ordering::Less));
    }

    #[test]
    fn a_day_and_an_instant_compare_by_day_in_utc() {
        let late = "2026-01-31T23:59:59.999Z";
        assert_eq!(
            order(ValueType::Instant, late, "2026-01-31"),
            Some(Ordering::Equal)
        );
        let west = "2026-01-31T23:00:00-05:00";
        assert_eq!(
            order(ValueType::Instant, west, "2026-01-31"),
            Some(Ordering::Greater)
        );
        assert_eq!(
            order(ValueType::Date, "2026-01-31", late),
            Some(Ordering::Equal)
        );
    }

    #[test]
    fn numbers_are_exact_and_strict() {
        assert!(read_number("0.1").is_some());
        for text in [
            "",
            "-",
            "1.",
            ".5",
            "+1",
            "1_000",
            "1e3",
            " 1",
            "٣",
            &"9".repeat(40),
        ] {
            assert_eq!(read_number(text), None, "{text}");
        }
        let third = Literal::text("0.30");
        assert!(third.is_equal(
            Single::Decimal(read_number("0.3").expect("fits")),
            Case::Sensitive
        ));
    }

    #[test]
    fn case_is_folded_beyond_ascii() {
        assert!(Literal::text("ſmith").is_equal(Single::Text("SMITH"), Case::Ignored));
    }
}
