//! Values: a text, a truth value and an integer are themselves, a list of texts
//! is a list, and what JSON has no type for is an object with one key:
//! `{"decimal":"1.5"}`, `{"date":"2026-01-31"}`, `{"instant":1234}`.

use std::fmt;
use std::str::FromStr;

use idr_core::model::{Uid, UnixMillis, Value};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::mirror::{In, Written, read_text};

impl Written for Value {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Self::Many(texts) => texts.serialize(serializer),
            Self::Decimal(decimal) => tagged(serializer, "decimal", &decimal.to_string()),
            Self::Date(date) => tagged(serializer, "date", &date.to_string()),
            Self::Instant(UnixMillis(milliseconds)) => tagged(serializer, "instant", milliseconds),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

fn tagged<S: Serializer>(
    serializer: S,
    tag: &'static str,
    value: &impl Serialize,
) -> Result<S::Ok, S::Error> {
    let mut object = serializer.serialize_map(Some(1))?;
    object.serialize_entry(tag, value)?;
    object.end()
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_bool<E: Error>(self, boolean: bool) -> Result<Value, E> {
        Ok(Value::Boolean(boolean))
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Value, E> {
        Ok(Value::Integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Value, E> {
        let integer = i64::try_from(integer);
        integer
            .map(Value::Integer)
            .map_err(|_| E::custom("an integer is too large"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut texts = Vec::with_capacity(16);
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        Ok(Value::Many(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let value = match object.next_key::<Tag>()? {
            Some(Tag::Decimal) => Value::Decimal(object.next_value::<Parsed<_>>()?.0),
            Some(Tag::Date) => Value::Date(object.next_value::<Parsed<_>>()?.0),
            Some(Tag::Instant) => Value::Instant(UnixMillis(object.next_value()?)),
            None => return Err(A::Error::custom("a value has no type")),
        };
        match object.next_key::<Tag>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::custom("a value has more than one type")),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Tag {
    Decimal,
    Date,
    Instant,
}

/// What is written as text.
struct Parsed<T>(T);

impl<'de, T: FromStr> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| text.parse().ok().map(Self);
        read_text(deserializer, "a decimal or date", read)
    }
}

impl Written for UnixMillis {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

impl Written for Uid {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}

impl Written for bool {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// Reads the next item of a list that must have one.
pub(super) fn next<'de, T: Written, A: SeqAccess<'de>>(items: &mut A) -> Result<T, A::Error> {
    match items.next_element::<In<T>>()? {
        Some(In(value)) => Ok(value),
        None => Err(A::Error::custom("a list is too short")),
    }
}
