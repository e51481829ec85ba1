//! Aggregations, and what they want to do.

use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension, params};

use super::apply::next_number;
use super::error::undecodable;
use super::identities::row_limit;
use crate::store::{Aggregation, StagedChange, StoreError, codec};

/// See `Store::begin_aggregation`.
pub(super) fn begin(connection: &Connection, aggregation: &Aggregation) -> Result<i64, StoreError> {
    let id = next_number(connection, "SELECT max(id) FROM aggregation")?;
    let aggregation = Aggregation {
        id,
        ..aggregation.clone()
    };
    connection.execute(
        "INSERT INTO aggregation (id, document) VALUES (?1, ?2)",
        params![id, codec::encode(&aggregation)],
    )?;
    Ok(id)
}

/// Replaces what is stored of an aggregation.
pub(super) fn update(connection: &Connection, aggregation: &Aggregation) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE aggregation SET document = ?2 WHERE id = ?1")?;
    statement.execute(params![aggregation.id, codec::encode(aggregation)])?;
    Ok(())
}

/// See `Store::aggregation`.
pub(super) fn aggregation(
    connection: &Connection,
    id: i64,
) -> Result<Option<Aggregation>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT document FROM aggregation WHERE id = ?1")?;
    let text: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
    text.map(|text| decode_aggregation(id, &text)).transpose()
}

/// See `Store::aggregations`.
pub(super) fn aggregations(
    connection: &Connection,
    limit: usize,
) -> Result<Vec<Aggregation>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id, document FROM aggregation ORDER BY id DESC LIMIT ?1")?;
    let mut rows = statement.query([row_limit(limit)])?;
    let mut aggregations = Vec::new();
    while let Some(row) = rows.next()? {
        aggregations.push(decode_aggregation(row.get(0)?, row.get_ref(1)?.as_str()?)?);
    }
    Ok(aggregations)
}

fn decode_aggregation(id: i64, text: &str) -> Result<Aggregation, StoreError> {
    codec::decode(text.as_bytes()).map_err(|error| undecodable::<Aggregation>(id, &error))
}

/// Changes are encoded and decoded by one thread so many at a time.
const TOGETHER: usize = 128;

/// Makes the documents of changes, in parallel, while nothing is being written yet.
pub(super) fn documents(changes: &[StagedChange]) -> Vec<String> {
    let changes = changes.par_iter().with_min_len(TOGETHER);
    changes.map(codec::encode).collect()
}

/// See `Store::stage`.
///
/// - `changes`: their documents, see [`documents`].
pub(super) fn stage(
    connection: &Connection,
    aggregation: i64,
    changes: &[String],
) -> Result<(), StoreError> {
    let mut last =
        connection.prepare_cached("SELECT max(position) FROM stage WHERE aggregation = ?1")?;
    let last: Option<i64> = last.query_row([aggregation], |row| row.get(0))?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO stage (aggregation, position, document) VALUES (?1, ?2, ?3)",
    )?;
    for (position, document) in (last.unwrap_or_default() + 1..).zip(changes) {
        insert.execute(params![aggregation, position, document])?;
    }
    Ok(())
}

/// So many bytes of staged changes are read at a time: about 8,000 accounts with 25 values.
const STAGED_BYTES: usize = 8_000_000;

/// See `Store::staged`. What is returned is still to be [decoded](decode).
pub(super) fn staged(
    connection: &Connection,
    aggregation: i64,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, String)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT position, document FROM stage
         WHERE aggregation = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
    )?;
    let mut rows = statement.query(params![aggregation, after, row_limit(limit)])?;
    let (mut changes, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let document: String = row.get(1)?;
        bytes += document.len();
        changes.push((row.get(0)?, document));
        if bytes >= STAGED_BYTES {
            break;
        }
    }
    Ok(changes)
}

/// Reads staged changes, in parallel.
pub(super) fn decode(
    aggregation: i64,
    documents: &[(i64, String)],
) -> Result<Vec<(i64, StagedChange)>, StoreError> {
    let decode = |(position, document): &(i64, String)| {
        let change = codec::decode(document.as_bytes()).map_err(|error| {
            undecodable::<StagedChange>(format!("{aggregation}/{position}"), &error)
        })?;
        Ok((*position, change))
    };
    let documents = documents.par_iter().with_min_len(TOGETHER);
    documents.map(decode).collect()
}

/// See `Store::clear_stage`.
pub(super) fn clear_stage(connection: &Connection, aggregation: i64) -> Result<(), StoreError> {
    let others = "SELECT EXISTS (SELECT 1 FROM stage WHERE aggregation < ?1)
         OR EXISTS (SELECT 1 FROM stage WHERE aggregation > ?1)";
    if connection.query_row(others, [aggregation], |row| row.get(0))? {
        connection.execute("DELETE FROM stage WHERE aggregation = ?1", [aggregation])?;
    } else {
        // Without a condition, rows aren't looked at one by one.
        connection.execute("DELETE FROM stage", [])?;
    }
    Ok(())
}
