//! What this machine does with the documents of a store when nothing else is done:
//! reading them alone, decoding them alone, writing them alone. For `idr bench roofline`.

use std::time::{Duration, Instant};

use idr_core::model::{Account, Identity};
use rusqlite::{Connection, params};

use super::error::undecodable;
use crate::store::StoreError;
use crate::store::codec::{self, Document};

/// Documents are handled in chunks of so many identities, as a refresh does.
const CHUNK: i64 = 1_000;

/// What was done with all documents of a store, and how long each part took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone {
    /// Identities.
    pub identities: u64,
    /// Documents of identities and accounts.
    pub documents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Fetching them all.
    pub read: Duration,
    /// Making identities and accounts of them all.
    pub decode: Duration,
    /// Writing the identities' again, a transaction for each chunk.
    pub write: Duration,
}

/// Reads, decodes and rewrites all documents, chunk by chunk, on this thread. What is
/// written is what was there. What is done with identities by `each` doesn't count.
pub(super) fn alone(
    reader: &Connection,
    writer: &mut Connection,
    each: &mut dyn FnMut(&[Identity]),
) -> Result<Alone, StoreError> {
    let mut alone = Alone::default();
    let last: Option<i64> =
        reader.query_row("SELECT max(uid) FROM identity", [], |row| row.get(0))?;
    let mut first = 1;
    while first <= last.unwrap_or(0) {
        let began = Instant::now();
        let identities = fetch(
            reader,
            "SELECT uid, document FROM identity_document WHERE uid BETWEEN ?1 AND ?2 ORDER BY uid",
            first,
        )?;
        let accounts = fetch(
            reader,
            "SELECT owner, document FROM account_document WHERE owner BETWEEN ?1 AND ?2
             ORDER BY owner, application, native_identity",
            first,
        )?;
        alone.read += began.elapsed();
        let began = Instant::now();
        let decoded = decode::<Identity>(&identities)?;
        std::hint::black_box(decode::<Account>(&accounts)?);
        alone.decode += began.elapsed();
        each(&decoded);
        let began = Instant::now();
        let transaction = writer.transaction()?;
        {
            let mut statement = transaction
                .prepare_cached("UPDATE identity_document SET document = ?2 WHERE uid = ?1")?;
            for (uid, document) in &identities {
                statement.execute(params![uid, document])?;
            }
        }
        transaction.commit()?;
        alone.write += began.elapsed();
        alone.identities += identities.len() as u64;
        alone.documents += (identities.len() + accounts.len()) as u64;
        let all = identities.iter().chain(&accounts);
        alone.bytes += all.map(|(_, text)| text.len() as u64).sum::<u64>();
        first += CHUNK;
    }
    Ok(alone)
}

fn fetch(connection: &Connection, sql: &str, first: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([first, first + CHUNK - 1], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn decode<T: Document>(documents: &[(i64, String)]) -> Result<Vec<T>, StoreError> {
    let decode = |(uid, text): &(i64, String)| {
        codec::decode(text.as_bytes()).map_err(|error| undecodable::<T>(uid, &error))
    };
    documents.iter().map(decode).collect()
}
