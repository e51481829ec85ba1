//! What aggregation reads: records, wherever they come from.

use idr_core::model::Account;

use super::error::AggregateError;
use super::problem::{BrokenRecord, LINE};

/// A record of a feed.
#[derive(Debug)]
pub(super) enum Record {
    /// An account, on this line or at this place.
    Account(u64, Account),
    /// A record that can't be used.
    Broken(BrokenRecord),
}

/// The records that an application lists.
pub(super) trait Feed {
    /// Returns the next record.
    ///
    /// # Errors
    ///
    /// [`AggregateError`] when there is no reading any further.
    fn next(&mut self) -> Result<Option<Record>, AggregateError>;

    /// Says whether it ended in the middle of a record.
    fn cut_off(&self) -> bool {
        false
    }

    /// Returns what its records are counted in.
    fn unit(&self) -> &'static str {
        LINE
    }

    /// Returns how much is read, of how much.
    fn progress(&self) -> (u64, u64);
}
