//! What can go wrong with a store.

use std::path::PathBuf;

use idr_core::model::{Claim, Uid};
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
    /// Another process refreshes, aggregates or edits the tenant. Safe to retry.
    #[error("the tenant is being worked on{}", by(*process))]
    Locked {
        /// The number of the process, where it has left one.
        process: Option<u32>,
    },
    /// There is no store, and none was to be made.
    #[error("there is no store at `{}`", .0.display())]
    Missing(PathBuf),
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

fn by(process: Option<u32>) -> String {
    process
        .map(|process| format!(" by process {process}"))
        .unwrap_or_default()
}

impl StoreError {
    /// The error when no open work item has an id.
    pub(super) fn no_work_item(id: &str) -> Self {
        Self::Conflict(format!("there is no open work item `{id}`"))
    }

    /// The error when two identities would have one name.
    pub(super) fn name_taken(name: &str) -> Self {
        Self::Conflict(format!("there is an identity `{name}` already"))
    }

    /// The error when there is nobody to write to.
    pub(super) fn no_identity(uid: Uid) -> Self {
        Self::Conflict(format!("there is no identity {uid}"))
    }

    /// The error when a unique value that is to be reserved is somebody's.
    pub(super) fn claim_taken(claim: &Claim) -> Self {
        Self::Conflict(format!(
            "`{}` is taken in `{}` already",
            claim.value, claim.namespace
        ))
    }

    /// The error when a unique value that is to be released is nobody's.
    pub(super) fn no_claim(claim: &Claim) -> Self {
        Self::Conflict(format!(
            "nobody has taken `{}` in `{}`",
            claim.value, claim.namespace
        ))
    }

    /// Says whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy(_) | Self::Locked { .. })
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Busy(_) | Self::Locked { .. } => {
                Some("wait until the other process has finished, and try again".into())
            }
            Self::Missing(_) => Some("`idr aggregate` makes it; or give the tenant's folder with `--tenant DIR`".into()),
            Self::Full(_) => Some("make room on the disk; nothing was lost, and the run goes on with `idr run resume`".into()),
            Self::Newer { .. } => Some("use the version of idr that wrote the store".into()),
            Self::Corrupt { .. } => Some("run `idr store verify`, and restore a backup".into()),
            Self::Conflict(_) | Self::Unavailable(_) => None,
        }
    }
}
