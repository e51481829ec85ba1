//! SQLite's errors as the store's: the one place that knows its codes.

use std::error::Error;

use rusqlite::types::FromSqlError;
use rusqlite::{Error as SqliteError, ErrorCode, ffi};

use super::super::codec::{DecodeError, Document};
use crate::store::StoreError;

impl From<SqliteError> for StoreError {
    fn from(error: SqliteError) -> Self {
        from_sqlite(error)
    }
}

fn from_sqlite(error: SqliteError) -> StoreError {
    use SqliteError as Sqlite;
    let is_malformed = matches!(
        error,
        Sqlite::InvalidColumnType(..)
            | Sqlite::FromSqlConversionFailure(..)
            | Sqlite::IntegralValueOutOfRange(..)
            | Sqlite::Utf8Error(..)
    );
    if is_malformed {
        return corrupt("a row", &error);
    }
    let extended_code = error.sqlite_error().map(|failure| failure.extended_code);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy(error.into()),
        Some(ErrorCode::DiskFull) => StoreError::Full(error.into()),
        // The index of the log is a file of its own, which can't grow either.
        Some(ErrorCode::SystemIoFailure) if extended_code == Some(ffi::SQLITE_IOERR_SHMSIZE) => {
            StoreError::Full(error.into())
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => corrupt("a file", &error),
        _ => StoreError::Unavailable(error.into()),
    }
}

impl From<FromSqlError> for StoreError {
    fn from(error: FromSqlError) -> Self {
        corrupt("a row", &error)
    }
}

/// Returns the error for a document that can't be read.
pub(super) fn undecodable<T: Document>(
    which: impl std::fmt::Display,
    error: &DecodeError,
) -> StoreError {
    StoreError::Corrupt {
        what: format!("{} {which}", T::KIND),
        message: error.to_string(),
    }
}

fn corrupt(what: &str, error: &dyn Error) -> StoreError {
    StoreError::Corrupt {
        what: what.to_owned(),
        message: error.to_string(),
    }
}

/// Says whether a write was refused because something is there already.
pub(super) fn is_taken(error: &SqliteError) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}
