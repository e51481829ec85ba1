//! Writing and reading the model's types, which know no serialisation.
//!
//! [`Written`] is what `Serialize` and `Deserialize` would be if the types were
//! ours. Mirrors of structs (`#[serde(remote)]`) name this module in `with`;
//! [`map`] writes sorted pairs as an object, [`nested`] tells "stays" from
//! "becomes absent".

use std::fmt;
use std::marker::PhantomData;

use idr_core::model::Name;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that has a form in documents.
pub(in crate::store) trait Written: Sized {
    /// Writes the value.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads what [`Written::write`] has written.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// A value on its way out.
pub(super) struct Out<'a, T>(pub &'a T);

impl<T: Written> Serialize for Out<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// A value that has come in.
pub(super) struct In<T>(pub T);

impl<'de, T: Written> Deserialize<'de> for In<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// Writes a field: for `with`.
pub(super) fn serialize<T: Written, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.write(serializer)
}

/// Reads a field: for `with`.
pub(super) fn deserialize<'de, T: Written, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::read(deserializer)
}

/// Says whether a field can be left out.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl<T: Written> Written for Option<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => serializer.serialize_some(&Out(value)),
            None => serializer.serialize_none(),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::<In<T>>::deserialize(deserializer)?.map(|In(value)| value))
    }
}

impl<T: Written> Written for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Out))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);
        impl<'de, T: Written> Visitor<'de> for Items<T> {
            type Value = Vec<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<T>, A::Error> {
                let mut values = Vec::new();
                while let Some(In(value)) = items.next_element()? {
                    values.push(value);
                }
                Ok(values)
            }
        }
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

impl<A: Written, B: Written> Written for (A, B) {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Out(&self.0), Out(&self.1)).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (In(first), In(second)) = Deserialize::deserialize(deserializer)?;
        Ok((first, second))
    }
}

impl Written for u32 {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(*self)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

impl Written for Name {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a name", |text| Some(Name::new(text)))
    }
}

/// Reads a text as something that is `expected`, without copying it first.
pub(super) fn read_text<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    struct Text<F>(&'static str, F);
    impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).ok_or_else(|| E::custom(format_args!("`{text}` is not {}", self.0)))
        }
    }
    deserializer.deserialize_str(Text(expected, read))
}

/// Pairs with a name, as an object: for `with`.
pub(super) mod map {
    use super::*;

    /// Writes the pairs in their order.
    pub(in super::super) fn serialize<T: Written, S: Serializer>(
        pairs: &[(Name, T)],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(pairs.len()))?;
        for (name, value) in pairs {
            object.serialize_entry(name.as_str(), &Out(value))?;
        }
        object.end()
    }

    /// Reads the pairs in their order.
    pub(in super::super) fn deserialize<'de, T: Written, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(Name, T)>, D::Error> {
        struct Pairs<T>(PhantomData<T>);
        impl<'de, T: Written> Visitor<'de> for Pairs<T> {
            type Value = Vec<(Name, T)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(16);
                while let Some((In(name), In(value))) = object.next_entry()? {
                    pairs.push((name, value));
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

/// An optional change of something optional, left out when there is none: for `with`.
pub(super) mod nested {
    use super::*;

    /// Writes what it becomes; `null` when it becomes absent.
    pub(in super::super) fn serialize<T: Written, S: Serializer>(
        value: &Option<Option<T>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads what it becomes.
    pub(in super::super) fn deserialize<'de, T: Written, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::read(deserializer).map(Some)
    }
}

/// Gives a type the form of its mirror.
macro_rules! mirrored {
    ($($type:ty => $mirror:ident),+ $(,)?) => {$(
        impl $crate::store::codec::mirror::Written for $type {
            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $mirror::serialize(self, serializer)
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $mirror::deserialize(deserializer)
            }
        }
    )+};
}

/// Gives an enum the form of its words.
macro_rules! words {
    ($($type:ty, $what:literal);+ $(;)?) => {$(
        impl $crate::store::codec::mirror::Written for $type {
            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::store::codec::mirror::read_text(deserializer, $what, |word| {
                    let known = Self::ALL.iter().find(|(known, _)| *known == word);
                    known.map(|(_, case)| *case)
                })
            }
        }
    )+};
}

pub(super) use {mirrored, words};
