//! What can go wrong with a store.

use thiserror::Error;

/// A failed call to the store: nothing of it has happened.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another process holds the store. Safe to retry.
    #[error("the store is in use by another process")]
    Busy(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The disk, or the limit set for the store, is full.
    #[error("there is no room left for the store")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store was written by a newer version of idr.
    #[error("the store has schema {found}, and this version of idr knows {known}")]
    Newer {
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// Something stored can't be read back.
    #[error("the store holds {what} that can't be read: {message}")]
    Corrupt {
        /// What it is: "identity 17".
        what: String,
        /// What is wrong with it.
        message: String,
    },
    /// What a call refers to doesn't exist, or exists already.
    #[error("{0}")]
    Conflict(String),
    /// Anything else.
    #[error("the store can't be used")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Says whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy(_))
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Busy(_) => Some("wait until the other process has finished, and try again".into()),
            Self::Full(_) => Some("make room on the disk; nothing was lost, and the run goes on with `idr run resume`".into()),
            Self::Newer { .. } => Some("use the version of idr that wrote the store".into()),
            Self::Corrupt { .. } => Some("run `idr store verify`, and restore a backup".into()),
            Self::Conflict(_) | Self::Unavailable(_) => None,
        }
    }
}
