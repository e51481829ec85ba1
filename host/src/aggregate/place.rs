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
    while let Some(page) = reader.next()? {
        for record in page.records {
            match record {
                Record::Listed(listed)
                    if page.text[listed.native_identity.clone()] == *native_identity =>
                {
                    last = Some(listed.line);
                }
                Record::Listed(_) | Record::Broken(_) => {}
            }
        }
    }
    Ok(last)
}
