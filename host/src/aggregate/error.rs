//! What ends an aggregation.

use std::path::PathBuf;

use idr_core::model::UnixMillis;
use idr_core::view::SnapshotError;
use thiserror::Error;

use crate::connect::ConnectError;
use crate::store::StoreError;

/// An aggregation that could not be made, or not finished. What it had applied
/// before stays, and the next aggregation of the application finishes it.
#[derive(Debug, Error)]
pub enum AggregateError {
    /// Neither the command nor the configuration names a file.
    #[error("application `{application}` has no file to read")]
    NoFile {
        /// The application.
        application: String,
    },
    /// A file is named for an application that is read directly.
    #[error("application `{application}` is read directly, and not from a file")]
    NotAFile {
        /// The application.
        application: String,
    },
    /// Changes only are asked of an application that always lists everything.
    #[error("application `{application}` lists all its accounts, and not changes only")]
    NoDelta {
        /// The application.
        application: String,
    },
    /// The application can't be reached, or isn't as its connector says.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No file is called as the configuration says.
    #[error("no file matches `{}`", pattern.display())]
    NoMatch {
        /// The pattern, with the folder.
        pattern: PathBuf,
    },
    /// The file can't be opened or read.
    #[error("the file `{}` can't be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file has no header.
    #[error("the file `{}` has no header line", path.display())]
    NoHeader {
        /// The file.
        path: PathBuf,
    },
    /// The header itself is broken.
    #[error("the header of `{}` is broken: {message}", path.display())]
    BrokenHeader {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A column that is read isn't there.
    #[error("the file `{}` has no column `{column}` for {purpose}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it is for: "the native identity", "attribute `email`".
        purpose: String,
        /// The header that is probably meant.
        nearest: Option<String>,
        /// The headers that there are.
        headers: Vec<String>,
    },
    /// A column that is read is there twice.
    #[error("the file `{}` has column `{column}` more than once", path.display())]
    RepeatedColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// The instant lies before what was done already.
    #[error("{as_of} lies before {last}, for which the tenant was changed last")]
    Backwards {
        /// The instant asked for.
        as_of: UnixMillis,
        /// The tenant's last.
        last: UnixMillis,
    },
    /// The instant lies in the future.
    #[error("{as_of} lies in the future: now it is {now}")]
    Future {
        /// The instant asked for.
        as_of: UnixMillis,
        /// Now.
        now: UnixMillis,
    },
    /// The look-up index isn't the one that the definitions need.
    #[error("the tenant's configuration is not adopted")]
    NotAdopted,
    /// There is no such aggregation.
    #[error("there is no aggregation {0}")]
    Unknown(i64),
    /// A decision about an aggregation that isn't waiting for one.
    #[error("aggregation {id} is {status}")]
    Undecidable {
        /// Its number.
        id: i64,
        /// How it stands.
        status: &'static str,
    },
    /// There is no such account.
    #[error("application `{application}` has no account `{native_identity}`")]
    UnknownAccount {
        /// The application.
        application: String,
        /// The native identity asked for.
        native_identity: String,
    },
    /// There is no such identity.
    #[error("there is no identity `{0}`")]
    UnknownIdentity(String),
    /// The account is not linked to anybody.
    #[error("account `{0}` is not linked to an identity")]
    NotLinked(String),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store can't be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl AggregateError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoFile { application } => Some(format!(
                "name one with --file, or in applications/{application}.toml"
            )),
            Self::MissingColumn {
                nearest: Some(nearest),
                ..
            } => Some(format!("did you mean `{nearest}`?")),
            Self::MissingColumn { headers, .. } => {
                Some(format!("its columns are: {}", headers.join(", ")))
            }
            Self::Backwards { .. } => Some(
                "older data would undo newer data; --force aggregates it all the same".to_owned(),
            ),
            Self::Future { .. } => {
                Some("only a tenant with `clock = \"simulated\"` can be told the time".to_owned())
            }
            Self::Undecidable { .. } | Self::Unknown(_) => {
                Some("`idr aggregation list` shows which are held".to_owned())
            }
            Self::UnknownAccount { .. } => Some("`idr account list` shows the accounts".to_owned()),
            Self::Store(error) => error.hint(),
            Self::Connect(error) => error.hint(),
            Self::NotAFile { .. } => Some("leave out --file".to_owned()),
            Self::NoDelta { .. } => Some("leave out --delta".to_owned()),
            Self::NoMatch { .. }
            | Self::Unreadable { .. }
            | Self::NoHeader { .. }
            | Self::BrokenHeader { .. }
            | Self::RepeatedColumn { .. }
            | Self::NotAdopted
            | Self::UnknownIdentity(_)
            | Self::NotLinked(_)
            | Self::Snapshot(_) => None,
        }
    }

    /// Says whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_retryable(),
            Self::Connect(error) => error.is_retryable(),
            _ => false,
        }
    }
}
