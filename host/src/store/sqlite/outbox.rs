//! The outbox: what is to be done outside.

use idr_core::model::{AccountAction, Effect, EffectKind, Uid, UnixMillis};
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, Params, params, params_from_iter};

use super::apply::{Raiser, write_document};
use super::error::undecodable;
use super::identities::{self, row_limit};
use super::work_items;
use crate::store::{
    EffectProgress, EffectQuery, EffectStatus, StoreError, StoredEffect, codec, effect_id,
};

/// Records effects that aren't recorded yet; those that were withdrawn wait again.
pub(super) fn record<'e>(
    connection: &Connection,
    effects: impl Iterator<Item = &'e Effect>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO outbox (id, uid, status, document) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (uid, id) DO UPDATE SET status = ?3, attempts = 0, next_attempt = NULL,
             step = 0, message = NULL WHERE status = ?5",
    )?;
    for effect in effects {
        statement.execute(params![
            effect_id(effect),
            effect.uid.0,
            EffectStatus::Waiting.as_str(),
            codec::encode(effect),
            EffectStatus::Withdrawn.as_str(),
        ])?;
    }
    Ok(())
}

/// Withdraws effects that aren't carried out yet, with what people were to do.
pub(super) fn withdraw<'e>(
    connection: &Connection,
    effects: impl Iterator<Item = &'e Effect>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE outbox SET status = 'withdrawn', next_attempt = NULL
         WHERE uid = ?1 AND id = ?2
           AND (status IN ('waiting', 'failed', 'dead')
                OR status = 'sent' AND EXISTS (
                    SELECT 1 FROM work_item WHERE effect = ?2 AND work_item.status = 'open'))
         RETURNING attempts",
    )?;
    for effect in effects {
        let id = effect_id(effect);
        let withdrawn = statement.query_row(params![effect.uid.0, id], |row| row.get(0));
        let attempts: Option<u32> = withdrawn.optional()?;
        let Some(attempts) = attempts else { continue };
        let asked = work_items::withdraw(connection, &id)?;
        if let EffectKind::Account(action) = &effect.what {
            forget_sent(connection, effect.uid, action, !asked && attempts > 0)?;
        }
    }
    Ok(())
}

/// Lets the identity of a withdrawn action know.
fn forget_sent(
    connection: &Connection,
    uid: Uid,
    action: &AccountAction,
    tried: bool,
) -> Result<(), StoreError> {
    if let Some(mut identity) = identities::identity(connection, uid)?
        && identity.note_withdrawn(action, tried)
    {
        write_document(connection, &identity)?;
        Raiser::new(connection)?.raise(uid, 1, None)?;
    }
    Ok(())
}

/// See `Store::effects`.
pub(super) fn effects(
    connection: &Connection,
    query: &EffectQuery,
    limit: usize,
) -> Result<Vec<StoredEffect>, StoreError> {
    let mut conditions = vec!["1".to_owned()];
    let mut values = vec![SqlValue::Integer(row_limit(limit))];
    if let Some(uid) = query.uid {
        values.push(SqlValue::Integer(uid.0));
        conditions.push(format!("outbox.uid = ?{}", values.len()));
    }
    if let Some(id) = &query.id {
        values.push(SqlValue::Text(id.clone()));
        conditions.push(format!("outbox.id = ?{}", values.len()));
    }
    for (wanted, status) in [
        (query.waiting, EffectStatus::Waiting),
        (query.dead, EffectStatus::Dead),
    ] {
        if wanted {
            values.push(SqlValue::Text(status.as_str().to_owned()));
            conditions.push(format!("outbox.status = ?{}", values.len()));
        }
    }
    let sql = format!(
        "{SELECTED} WHERE {} ORDER BY outbox.number DESC LIMIT ?1",
        conditions.join(" AND ")
    );
    read(connection, &sql, params_from_iter(values))
}

/// See `Store::open_effects`.
pub(super) fn open_effects(
    connection: &Connection,
    after: i64,
    limit: usize,
) -> Result<Vec<StoredEffect>, StoreError> {
    let sql = format!(
        "{SELECTED} WHERE outbox.status IN ('waiting', 'sent', 'failed') AND outbox.number > ?1
         ORDER BY outbox.number LIMIT ?2"
    );
    read(connection, &sql, params![after, row_limit(limit)])
}

const SELECTED: &str = "SELECT outbox.id, coalesce(identity.name, ''), outbox.status,
        outbox.document, outbox.number, outbox.attempts, outbox.next_attempt, outbox.step,
        outbox.message, outbox.settled_at
    FROM outbox LEFT JOIN identity ON identity.uid = outbox.uid";

fn read(
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Vec<StoredEffect>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let mut effects = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let effect = codec::decode(row.get_ref(3)?.as_bytes()?)
            .map_err(|error| undecodable::<Effect>(&id, &error))?;
        let word: String = row.get(2)?;
        let status = EffectStatus::ALL.iter().find(|(known, _)| *known == word);
        let (_, status) = status.ok_or_else(|| StoreError::Corrupt {
            what: format!("effect {id}"),
            message: format!("`{word}` is no status of an effect"),
        })?;
        effects.push(StoredEffect {
            id,
            name: row.get(1)?,
            number: row.get(4)?,
            progress: EffectProgress {
                status: *status,
                attempts: row.get(5)?,
                next_attempt: row.get::<_, Option<i64>>(6)?.map(UnixMillis),
                step: row.get(7)?,
                message: row.get(8)?,
                at: row.get::<_, Option<i64>>(9)?.map(UnixMillis),
            },
            effect,
        });
    }
    Ok(effects)
}

/// Writes how far an effect has come, if it still stands as expected.
pub(super) fn update(
    connection: &Connection,
    number: i64,
    expected: EffectStatus,
    progress: &EffectProgress,
) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE outbox SET status = ?3, attempts = ?4, next_attempt = ?5, step = ?6,
             message = ?7, settled_at = ?8
         WHERE number = ?1 AND status = ?2",
    )?;
    let written = statement.execute(params![
        number,
        expected.as_str(),
        progress.status.as_str(),
        progress.attempts,
        progress.next_attempt.map(|at| at.0),
        progress.step,
        progress.message,
        progress.at.map(|at| at.0),
    ])?;
    Ok(written > 0)
}
