//! What ends a pass.

use thiserror::Error;

use crate::aggregate::AggregateError;
use crate::store::StoreError;

/// A pass that could not begin, or not go on. The next one does.
#[derive(Debug, Error)]
pub enum DispatchError {
    /// Nothing is to be carried out until a person says otherwise.
    #[error("dispatch is paused: the store was restored from a backup, or somebody has paused it")]
    Paused,
    /// An account that was read again could not be taken over.
    #[error("an account that was read again could not be taken over")]
    ReadBack(#[from] AggregateError),
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DispatchError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Paused => Some(
                "aggregate the applications first, so that nothing is done again; then give \
                 `idr dispatch --resume --reason TEXT`"
                    .to_owned(),
            ),
            Self::ReadBack(error) => error.hint(),
            Self::Store(error) => error.hint(),
        }
    }
}
