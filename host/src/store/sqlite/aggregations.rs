//! Aggregations, and what they want to do.

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

/// See `Store::stage`.
pub(super) fn stage(
    connection: &Connection,
    aggregation: i64,
    changes: &[StagedChange],
) -> Result<(), StoreError> {
    let mut last =
        connection.prepare_cached("SELECT max(position) FROM stage WHERE aggregation = ?1")?;
    let last: Option<i64> = last.query_row([aggregation], |row| row.get(0))?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO stage (aggregation, position, document) VALUES (?1, ?2, ?3)",
    )?;
    for (position, change) in (last.unwrap_or_default() + 1..).zip(changes) {
        insert.execute(params![aggregation, position, codec::encode(change)])?;
    }
    Ok(())
}

/// See `Store::staged`.
pub(super) fn staged(
    connection: &Connection,
    aggregation: i64,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, StagedChange)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT position, document FROM stage
         WHERE aggregation = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
    )?;
    let mut rows = statement.query([aggregation, after, row_limit(limit)])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let position: i64 = row.get(0)?;
        let change = codec::decode(row.get_ref(1)?.as_bytes()?).map_err(|error| {
            undecodable::<StagedChange>(format!("{aggregation}/{position}"), &error)
        })?;
        changes.push((position, change));
    }
    Ok(changes)
}

/// See `Store::clear_stage`.
pub(super) fn clear_stage(connection: &Connection, aggregation: i64) -> Result<(), StoreError> {
    connection.execute("DELETE FROM stage WHERE aggregation = ?1", [aggregation])?;
    Ok(())
}
