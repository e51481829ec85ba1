//! From the texts that an application keeps to a typed account.

use std::fmt;

use idr_core::definitions::AccountAttribute;
use idr_core::model::{Account, AccountKey, AccountStatus, Link, Name, Value, ValueType};
use idr_core::text::fold;

use crate::aggregate::connector::StatusColumn;

/// A record of an application that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRow {
    /// The native identity, when there is one.
    pub native_identity: Option<String>,
    /// The attribute that it is about.
    pub what: BrokenPart,
}

/// What of a record can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrokenPart {
    /// The native identity is blank.
    NativeIdentity {
        /// Its column.
        column: String,
    },
    /// A value isn't of its attribute's type.
    Attribute {
        /// The attribute.
        attribute: Name,
        /// What is wrong with the value.
        message: String,
    },
    /// The status is a word that isn't listed.
    Status {
        /// Its column.
        column: String,
        /// The word.
        word: String,
    },
}

impl fmt::Display for BrokenRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.native_identity {
            Some(native_identity) => write!(formatter, "account `{native_identity}`: ")?,
            None => write!(formatter, "an account: ")?,
        }
        match &self.what {
            BrokenPart::NativeIdentity { column } => {
                write!(formatter, "column `{column}` is blank")
            }
            BrokenPart::Attribute { attribute, message } => {
                write!(formatter, "attribute `{attribute}`: {message}")
            }
            BrokenPart::Status { column, word } => {
                write!(
                    formatter,
                    "column `{column}` says `{word}`, which is no status"
                )
            }
        }
    }
}

/// The words of the status column, case-folded.
pub(crate) struct Status {
    column: String,
    words: Vec<(String, AccountStatus)>,
    others_are_enabled: bool,
}

impl Status {
    /// Returns the words that the settings list.
    pub(crate) fn new(column: &StatusColumn) -> Self {
        let mut words = Vec::new();
        for (list, status) in [
            (&column.enabled, AccountStatus::Enabled),
            (&column.disabled, AccountStatus::Disabled),
            (&column.locked, AccountStatus::Locked),
        ] {
            words.extend(list.iter().map(|word| (fold(word.trim()), status)));
        }
        Self {
            column: column.column.clone(),
            words,
            others_are_enabled: column.enabled.is_empty(),
        }
    }

    /// Returns what a word of the column means.
    pub(crate) fn of(&self, text: &str) -> Result<AccountStatus, BrokenPart> {
        if text.is_empty() {
            return Ok(AccountStatus::Enabled);
        }
        let folded = fold(text);
        match self.words.iter().find(|(word, _)| *word == folded) {
            Some((_, status)) => Ok(*status),
            None if self.others_are_enabled => Ok(AccountStatus::Enabled),
            None => Err(BrokenPart::Status {
                column: self.column.clone(),
                word: text.to_owned(),
            }),
        }
    }
}

/// Reads a value of an attribute from its texts: one, or for type `many` any number.
pub(crate) fn value(
    attribute: &AccountAttribute,
    texts: Vec<String>,
) -> Result<Option<Value>, BrokenPart> {
    if attribute.value_type == ValueType::Many {
        return Ok(Value::many(set(attribute, texts)).normalised());
    }
    match texts.first() {
        Some(text) => parse(attribute, text),
        None => Ok(None),
    }
}

/// Returns the texts of an attribute of type `many` without empty ones. Entitlements
/// are a set: in whichever order they come, the account is the same.
pub(crate) fn set<T: AsRef<str> + PartialEq>(
    attribute: &AccountAttribute,
    mut texts: Vec<T>,
) -> Vec<T> {
    texts.retain(|text| !text.as_ref().is_empty());
    if attribute.entitlement {
        // Most are told apart by how they begin.
        texts.sort_unstable_by(|one, other| {
            let (one, other) = (one.as_ref(), other.as_ref());
            beginning(one)
                .cmp(&beginning(other))
                .then_with(|| one.cmp(other))
        });
        texts.dedup();
    }
    texts
}

/// Returns the first bytes of a text as a number: texts are in its order.
fn beginning(text: &str) -> u64 {
    let bytes = text.as_bytes();
    match bytes.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => (0..8).fold(0, |number, place| {
            number << 8 | u64::from(bytes.get(place).copied().unwrap_or(0))
        }),
    }
}

/// Reads the one value of an attribute that isn't of type `many`; none when it is blank.
pub(crate) fn parse(attribute: &AccountAttribute, text: &str) -> Result<Option<Value>, BrokenPart> {
    attribute.value_type.parse(text).map_err(|error| {
        let message = match attribute.sensitive {
            true => format!("the value is not of type {}", attribute.value_type),
            false => error.to_string(),
        };
        BrokenPart::Attribute {
            attribute: attribute.name,
            message,
        }
    })
}

/// Returns an account without attributes, as an application first says of it.
pub(crate) fn blank(application: Name, native_identity: &str) -> Account {
    Account {
        key: AccountKey {
            application,
            native_identity: native_identity.to_owned(),
        },
        status: AccountStatus::Enabled,
        missing_since: None,
        taken_away: false,
        attributes: Vec::new(),
        native_entitlements: Vec::new(),
        link: Link::default(),
        owner: None,
    }
}
