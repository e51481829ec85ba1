//! What aggregation reads: records, wherever they come from.

use std::ops::Range;
use std::sync::Arc;

use idr_core::definitions::Application;
use idr_core::model::Account;

use super::delimited::Columns;
use super::error::AggregateError;
use super::problem::{BrokenRecord, LINE};
use crate::store::Fingerprint;

/// So many records are handed on at a time.
pub(super) const PAGE: usize = 1_000;

/// Some records of a feed, in its order.
#[derive(Default)]
pub(super) struct Page {
    /// The records.
    pub(super) records: Vec<Record>,
    /// For each attribute of the application's schema: how many of the accounts that
    /// are listed have a value.
    pub(super) having: Vec<u64>,
    /// The texts that records refer to, one after the other.
    pub(super) text: String,
    /// What the texts of records are read with.
    pub(super) columns: Option<Arc<Columns>>,
    /// How much of the feed is read, of how much.
    pub(super) progress: (u64, u64),
}

impl Page {
    /// Keeps a text, and returns where it stands.
    pub(super) fn keep(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }
}

/// A record of a feed.
pub(super) enum Record {
    /// It lists an account.
    Listed(Listed),
    /// It can't be used.
    Broken(BrokenRecord),
}

/// An account that is listed: what it takes to see whether it has changed.
pub(super) struct Listed {
    /// On which line, or at which place.
    pub(super) line: u64,
    /// Where its native identity stands in [`Page::text`].
    pub(super) native_identity: Range<usize>,
    /// That of the account.
    pub(super) fingerprint: Fingerprint,
    pub(super) content: Content,
}

/// What a record says of its account.
pub(super) enum Content {
    /// The account.
    Account(Account),
    /// What stands here in [`Page::text`], and is yet to be read with [`Page::columns`].
    Text(Range<usize>),
}

/// The records that an application lists.
pub(super) trait Feed: Send {
    /// Returns the next records, of which there are some; none at the end.
    ///
    /// # Errors
    ///
    /// [`AggregateError`] when there is no reading any further.
    fn next(&mut self) -> Result<Option<Page>, AggregateError>;

    /// Says whether it ended in the middle of a record.
    fn cut_off(&self) -> bool {
        false
    }

    /// Returns what its records are counted in.
    fn unit(&self) -> &'static str {
        LINE
    }
}

/// Counts the attributes of an account that have a value.
pub(super) fn count_having(having: &mut [u64], application: &Application, account: &Account) {
    let mut schema = application.schema.iter().zip(having);
    for (name, _) in &account.attributes {
        // Both are sorted by name.
        if let Some((_, count)) = schema.by_ref().find(|(known, _)| known.name == *name) {
            *count += 1;
        }
    }
}
