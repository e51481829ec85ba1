//! How what the store keeps is written down.
//!
//! A document is JSON text. Its first byte is its version: `{` is version 1.
//! What is as by default is left out, so documents stay small, and keys that
//! this version doesn't know are refused: whoever adds one raises the version
//! or adds it with a default, and keeps reading what the fixtures hold.
//!
//! What SQL may rely on (see `sqlite::superset`): the value of an identity
//! attribute is at `$."attributes"."NAME"` of an identity's document, an
//! account attribute's at the same place of an account's. A text is a string,
//! an integer a number, a truth value `true` or `false`, a list an array of
//! strings; decimals, dates and instants are objects with one key,
//! `{"decimal":"1.5"}`, `{"date":"2026-01-31"}`, `{"instant":1234}`. An absent
//! value has no key. An identity further has `name`, `lifecycleState` (strings),
//! `inactive` (left out when false) and `manager` (a uid).
//!
//! Databases call [`encode`] and [`decode`]; what stands beside a document in
//! columns (the uid of an identity, the key and owner of an account) is not in
//! it, and comes back from [`decode`] as by default.

mod account;
mod effect;
mod governance;
mod identity;
mod image;
mod mirror;
mod plan;
mod provisioning;
mod record;
#[cfg(test)]
mod tests;
mod value;

use idr_core::meter::{self, Work};
use idr_core::model::{Account, AccountAction, Effect, Event, Identity, IdentityRecord, Image};
use thiserror::Error;

use self::mirror::{In, Out, Written};
use super::{Aggregation, Run, SpooledPlan, StagedChange, StoreError, TenantState};

/// What is kept as a document.
pub(super) trait Document: Written {
    /// What it is called in errors.
    const KIND: &'static str;
    /// Whether it counts as work that is always the same.
    const IS_COUNTED: bool = true;
}

impl Document for Identity {
    const KIND: &'static str = "identity";
}
impl Document for Image {
    const KIND: &'static str = "image of identity";
}
impl Document for Account {
    const KIND: &'static str = "account";
}
impl Document for Run {
    const KIND: &'static str = "run";
    // It says how long the run took.
    const IS_COUNTED: bool = false;
}
impl Document for SpooledPlan {
    const KIND: &'static str = "plan of identity";
}
impl Document for Aggregation {
    const KIND: &'static str = "aggregation";
}
impl Document for StagedChange {
    const KIND: &'static str = "staged change";
}
impl Document for Event {
    const KIND: &'static str = "event";
}
impl Document for Effect {
    const KIND: &'static str = "effect";
}
impl Document for AccountAction {
    const KIND: &'static str = "account action";
}
impl Document for TenantState {
    const KIND: &'static str = "tenant";
}

/// A document that can't be read. Says where, and nothing of what is in it.
#[derive(Debug, Error)]
pub(super) enum DecodeError {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// It is of a version that this program doesn't know, or no document at all.
    #[error("it begins with {0:?}, as no version of documents does")]
    Version(char),
    /// It isn't what its version says.
    #[error("{0}")]
    Malformed(String),
}

/// Writes a document.
pub(super) fn encode<T: Document>(value: &T) -> String {
    let _stage = meter::stage(meter::Stage::Encode);
    let text = sonic_rs::to_string(&Out(value));
    let text = text.expect("what the model holds can be written as JSON");
    if T::IS_COUNTED {
        meter::count(Work::DocumentsEncoded, 1);
        meter::count(Work::BytesEncoded, text.len() as u64);
    }
    text
}

/// Reads a document.
pub(super) fn decode<T: Document>(text: &[u8]) -> Result<T, DecodeError> {
    let _stage = meter::stage(meter::Stage::Decode);
    if T::IS_COUNTED {
        meter::count(Work::DocumentsDecoded, 1);
        meter::count(Work::BytesDecoded, text.len() as u64);
    }
    check_version(text)?;
    match sonic_rs::from_slice(text) {
        Ok(In(value)) => Ok(value),
        Err(error) => Err(malformed(&error)),
    }
}

/// Reads what is at one place of a document, and only looks over what stands
/// before it; none when nothing is there.
pub(super) fn decode_at<T: Written>(text: &[u8], place: &[&str]) -> Result<Option<T>, DecodeError> {
    check_version(text)?;
    match sonic_rs::get(text, place) {
        Ok(found) => match sonic_rs::from_str(found.as_raw_str()) {
            Ok(In(value)) => Ok(Some(value)),
            Err(error) => Err(malformed(&error)),
        },
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(malformed(&error)),
    }
}

/// Returns the documents of an identity and its accounts as databases keep them, the
/// identity's first: for measuring.
pub fn encode_record(record: &IdentityRecord) -> Vec<String> {
    let accounts = record.accounts.iter().map(encode);
    std::iter::once(encode(&record.identity))
        .chain(accounts)
        .collect()
}

/// Reads what [`encode_record`] has written; what stands beside documents is as by
/// default.
///
/// # Errors
///
/// [`StoreError::Corrupt`] when something else has.
pub fn decode_record(documents: &[String]) -> Result<IdentityRecord, StoreError> {
    let corrupt = |error: DecodeError| StoreError::Corrupt {
        what: "a document".to_owned(),
        message: error.to_string(),
    };
    let mut documents = documents.iter().map(String::as_bytes);
    let identity = decode(documents.next().unwrap_or_default()).map_err(corrupt)?;
    let accounts = documents.map(|document| decode(document).map_err(corrupt));
    Ok(IdentityRecord {
        identity,
        accounts: accounts.collect::<Result<_, _>>()?,
        ..IdentityRecord::default()
    })
}

fn check_version(text: &[u8]) -> Result<(), DecodeError> {
    match text.first() {
        Some(b'{') => Ok(()),
        Some(other) => Err(DecodeError::Version(char::from(*other))),
        None => Err(DecodeError::Empty),
    }
}

fn malformed(error: &sonic_rs::Error) -> DecodeError {
    // The lines below the first show the text around the place.
    let message = error.to_string();
    let first_line = message.lines().next().unwrap_or_default();
    DecodeError::Malformed(first_line.to_owned())
}
