//! Where an account stands in a feed: for explanations.

use std::path::Path;

use idr_core::definitions::Application;

use super::connector::Connector;
use super::delimited::DelimitedReader;
use super::error::AggregateError;
use super::feed::{Feed, Record};

/// Returns the line of a feed, as the file is now, on which an account stands;
/// of several the last, as an aggregation reads them; none when it isn't there.
///
/// # Errors
///
/// [`AggregateError`] when the file can't be read as that application's feed.
pub fn line_of(
    file: &Path,
    application: &Application,
    connector: &Connector,
    native_identity: &str,
) -> Result<Option<u64>, AggregateError> {
    let mut reader = DelimitedReader::open(file, application, &connector.file)?;
    let mut last = None;
    while let Some(record) = reader.next()? {
        match record {
            Record::Account(line, account) if account.key.native_identity == native_identity => {
                last = Some(line);
            }
            Record::Account(..) | Record::Broken(_) => {}
        }
    }
    Ok(last)
}
