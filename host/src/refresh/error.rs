//! What can end a run.

use idr_core::model::UnixMillis;
use idr_core::view::{ReadError, SnapshotError};
use thiserror::Error;

use crate::store::{RunId, RunStatus, StoreError};

/// A refresh that could not go on. What was committed stays.
#[derive(Debug, Error)]
pub enum RefreshError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no copy of the store to try things on.
    #[error("there can be no copy of the store to try it on")]
    NoCopy(#[source] StoreError),
    /// The store failed while planning.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// Correlating waiting accounts failed.
    #[error("accounts without an identity could not be correlated")]
    Correlation(#[source] crate::aggregate::AggregateError),
    /// A criterion of the selection reads what can't be read.
    #[error("`{criterion}` can't be evaluated")]
    Criterion {
        /// Which, as on the command line.
        criterion: &'static str,
        /// Why.
        #[source]
        source: ReadError,
    },
    /// The configuration can't be used.
    #[error("the configuration can't be used:\n{0}")]
    Configuration(String),
    /// The tenant's secret isn't the one that values were derived from.
    #[error("the tenant's secret is not the one that values were derived from")]
    SecretChanged,
    /// The instant is in the future.
    #[error("{as_of} is in the future: it is {now}")]
    InTheFuture {
        /// The instant asked for.
        as_of: UnixMillis,
        /// The time it is.
        now: UnixMillis,
    },
    /// The instant is before the last committed one.
    #[error("{as_of} is before {last}, up to which something was committed already")]
    BeforeTheLast {
        /// The instant asked for.
        as_of: UnixMillis,
        /// The last committed one.
        last: UnixMillis,
    },
    /// There is no such run.
    #[error("there is no run {}", .0.0)]
    NoSuchRun(RunId),
    /// The run isn't held.
    #[error("run {} is not held but {}", .run.0, .status.as_str())]
    NotHeld {
        /// The run.
        run: RunId,
        /// How it stands.
        status: RunStatus,
    },
    /// A run can't go on, or what it left out can't be carried out any more.
    #[error("run {} is not the last one, or another configuration was adopted since", .0.0)]
    Overtaken(RunId),
    /// The run is over.
    #[error("run {} can't be cancelled: it is {}", .run.0, .status.as_str())]
    NotCancellable {
        /// The run.
        run: RunId,
        /// How it stands.
        status: RunStatus,
    },
    /// Another process has asked the run to stop.
    #[error("run {} was cancelled", .0.0)]
    Cancelled(RunId),
    /// More identities have new errors than the run may leave behind.
    #[error("run {} stopped: {exceptions} identities have new errors, {most} are too many\n{}", .run.0, .examples.join("\n"))]
    TooManyExceptions {
        /// The run.
        run: RunId,
        /// How many there are, of those planned so far.
        exceptions: u64,
        /// `max_exceptions`.
        most: u64,
        /// The first of them, in a line each.
        examples: Vec<String>,
    },
    /// There can't be so many threads.
    #[error("the threads can't be started")]
    Threads(#[source] rayon::ThreadPoolBuildError),
    /// The run isn't under way.
    #[error("run {} can't be resumed: it is {}", .run.0, .status.as_str())]
    NotResumable {
        /// The run.
        run: RunId,
        /// How it stands.
        status: RunStatus,
    },
}

impl RefreshError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.hint(),
            Self::NoCopy(_) => Some(
                "a dry run works on a copy beside the store, and needs as much room as that"
                    .to_owned(),
            ),
            Self::InTheFuture { .. } | Self::BeforeTheLast { .. } => Some(
                "leave `--as-of` out; only a tenant with `clock = \"simulated\"` moves freely in time"
                    .to_owned(),
            ),
            Self::SecretChanged => Some(
                "put the old one back; or raise `secret_generation` in idr.toml, and every \
                 derived value changes"
                    .to_owned(),
            ),
            Self::Configuration(_) => Some("see `idr check`".to_owned()),
            Self::NoSuchRun(_)
            | Self::NotHeld { .. }
            | Self::NotResumable { .. }
            | Self::NotCancellable { .. } => Some("see `idr run list`".to_owned()),
            Self::Overtaken(_) => Some(
                "refresh, and decide about what the new run holds or leaves out".to_owned(),
            ),
            Self::TooManyExceptions { run, .. } => Some(format!(
                "nothing of the wave is written; `idr run resume {}` goes on whatever their number",
                run.0
            )),
            Self::Criterion { source, .. } => source.hint(),
            Self::Snapshot(_) | Self::Correlation(_) | Self::Cancelled(_) | Self::Threads(_) => None,
        }
    }
}
