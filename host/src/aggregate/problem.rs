//! What can be wrong with one record of a feed: a finding with its line, and
//! never the end of the aggregation.

use crate::connect::BrokenPart;
use idr_core::model::finding::AGGREGATION;
use idr_core::model::{Finding, Name, Severity};

/// What the records of a file are counted in.
pub(super) const LINE: &str = "line";
/// What the records of an application that is read directly are counted in.
pub(super) const RECORD: &str = "record";

/// A record that can't be used, or not fully.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BrokenRecord {
    /// What it is counted in: [`LINE`] or [`RECORD`].
    pub(super) unit: &'static str,
    /// The line that it begins in, or its place.
    pub(super) line: u64,
    /// The native identity, when that much could be read.
    pub(super) native_identity: Option<String>,
    /// What stands where the native identity should, when the record can't be
    /// split properly.
    pub(super) presumed: Option<String>,
    /// The text of that line, as far as it can be read: what a vanished
    /// account's values are looked for in.
    pub(super) text: String,
    /// What is wrong with it.
    pub(super) problem: Problem,
}

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// A quoted field isn't closed within the next lines.
    OpenQuote,
    /// Something stands between a closing quote and the next delimiter.
    AfterQuote,
    /// The number of fields differs from the header's.
    FieldCount { found: usize, wanted: usize },
    /// Bytes mean nothing in the file's encoding.
    Bytes { encoding: &'static str },
    /// The line is longer than any may be.
    TooLong,
    /// The field of the native identity is blank.
    NoNativeIdentity { column: String },
    /// A value isn't of the attribute's type.
    WrongType { attribute: Name, message: String },
    /// The status column has a word that isn't listed.
    UnknownStatus { column: String, word: String },
    /// The native identity was listed before.
    Repeated,
}

impl From<BrokenPart> for Problem {
    fn from(part: BrokenPart) -> Self {
        match part {
            BrokenPart::NativeIdentity { column } => Self::NoNativeIdentity { column },
            BrokenPart::Attribute { attribute, message } => Self::WrongType { attribute, message },
            BrokenPart::Status { column, word } => Self::UnknownStatus { column, word },
        }
    }
}

impl BrokenRecord {
    /// Returns the finding about it.
    pub(super) fn finding(&self) -> Finding {
        Finding {
            severity: Severity::Error,
            phase: AGGREGATION,
            subject: format!("{} {}", self.unit, self.line),
            cause: Name::new(self.problem.cause()),
            message: self.message(),
            hint: self.problem.hint(),
        }
    }

    fn message(&self) -> String {
        let account = match &self.native_identity {
            Some(native_identity) => format!("account `{native_identity}`"),
            None => "the record".to_owned(),
        };
        match &self.problem {
            Problem::OpenQuote => "a quoted field begins and isn't closed".to_owned(),
            Problem::AfterQuote => "text follows a closing quote".to_owned(),
            Problem::FieldCount { found, wanted } => {
                format!("the record has {found} fields, and the header has {wanted}")
            }
            Problem::Bytes { encoding } => {
                format!("characters in the record can't be read as {encoding}")
            }
            Problem::TooLong => "the line is longer than 1 MiB".to_owned(),
            Problem::NoNativeIdentity { column } => format!("column `{column}` is blank"),
            Problem::WrongType { attribute, message } => {
                format!("{account}: attribute `{attribute}`: {message}")
            }
            Problem::UnknownStatus { column, word } => {
                format!("{account}: column `{column}` says `{word}`, which is no status")
            }
            Problem::Repeated => format!("{account} is listed again; the first one counts"),
        }
    }
}

impl Problem {
    fn cause(&self) -> &'static str {
        match self {
            Self::OpenQuote | Self::AfterQuote => "broken-quote",
            Self::FieldCount { .. } => "wrong-field-count",
            Self::Bytes { .. } => "invalid-bytes",
            Self::TooLong => "line-too-long",
            Self::NoNativeIdentity { .. } => "no-native-identity",
            Self::WrongType { .. } => "wrong-type",
            Self::UnknownStatus { .. } => "unknown-status",
            Self::Repeated => "repeated-native-identity",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::OpenQuote | Self::AfterQuote => "double every quote within a quoted field",
            Self::FieldCount { .. } => "quote fields that contain the delimiter",
            Self::Bytes { .. } => "name the file's encoding in the application's connector",
            Self::WrongType { .. } => "mend the value, or the attribute's type in the schema",
            Self::UnknownStatus { .. } => "add the word to the connector's status column",
            Self::TooLong | Self::NoNativeIdentity { .. } | Self::Repeated => return None,
        };
        Some(hint.to_owned())
    }
}
