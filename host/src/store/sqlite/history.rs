//! What identities were.

use idr_core::model::{Image, Uid, UnixMillis};
use rusqlite::{Connection, params};

use super::error::undecodable;
use super::identities::row_limit;
use crate::store::{StoreError, StoredImage, codec};

/// Keeps images, each in place of one of the same instant.
pub(super) fn keep<'i>(
    connection: &Connection,
    at: UnixMillis,
    images: impl Iterator<Item = &'i (Uid, Image)>,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO identity_history (uid, at, until, document)
         VALUES (?1, ?2,
             (SELECT min(at) FROM identity_history WHERE uid = ?1 AND at > ?2), ?3)
         ON CONFLICT (uid, at) DO UPDATE SET document = ?3",
    )?;
    let mut end = connection.prepare_cached(
        "UPDATE identity_history SET until = ?2 WHERE uid = ?1
         AND at = (SELECT max(at) FROM identity_history WHERE uid = ?1 AND at < ?2)",
    )?;
    for (uid, image) in images {
        insert.execute(params![uid.0, at.0, codec::encode(image)])?;
        end.execute([uid.0, at.0])?;
    }
    Ok(())
}

/// See `Store::history`.
pub(super) fn history(
    connection: &Connection,
    uid: Uid,
    until: Option<UnixMillis>,
    limit: usize,
) -> Result<Vec<StoredImage>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT at, document FROM identity_history WHERE uid = ?1 AND at <= ?2
         ORDER BY at DESC LIMIT ?3",
    )?;
    let until = until.map_or(i64::MAX, |until| until.0);
    let mut rows = statement.query(params![uid.0, until, row_limit(limit)])?;
    let mut images = Vec::new();
    while let Some(row) = rows.next()? {
        let at = UnixMillis(row.get(0)?);
        let image = codec::decode(row.get_ref(1)?.as_bytes()?)
            .map_err(|error| undecodable::<Image>(format!("{uid} at {at}"), &error))?;
        images.push(StoredImage { at, image });
    }
    Ok(images)
}

/// See `Store::prune_history`.
pub(super) fn prune(connection: &Connection, before: UnixMillis) -> Result<u64, StoreError> {
    let mut statement =
        connection.prepare_cached("DELETE FROM identity_history WHERE until <= ?1")?;
    Ok(statement.execute([before.0])? as u64)
}
