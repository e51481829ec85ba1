//! The outbox: what is to be done outside.

use idr_core::model::Effect;
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, params, params_from_iter};

use super::error::undecodable;
use super::identities::row_limit;
use crate::store::{EffectQuery, EffectStatus, StoreError, StoredEffect, codec, effect_id};

/// Records effects that aren't recorded yet; those that were withdrawn wait again.
pub(super) fn record<'e>(
    connection: &Connection,
    effects: impl Iterator<Item = &'e Effect>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO outbox (id, uid, status, document) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (uid, id) DO UPDATE SET status = ?3 WHERE status = ?5",
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

/// Withdraws effects that still wait.
pub(super) fn withdraw<'e>(
    connection: &Connection,
    effects: impl Iterator<Item = &'e Effect>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE outbox SET status = ?3 WHERE uid = ?1 AND id = ?2 AND status = ?4",
    )?;
    for effect in effects {
        statement.execute(params![
            effect.uid.0,
            effect_id(effect),
            EffectStatus::Withdrawn.as_str(),
            EffectStatus::Waiting.as_str(),
        ])?;
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
    if query.waiting {
        values.push(SqlValue::Text(EffectStatus::Waiting.as_str().to_owned()));
        conditions.push(format!("outbox.status = ?{}", values.len()));
    }
    let sql = format!(
        "SELECT outbox.id, coalesce(identity.name, ''), outbox.status, outbox.document
         FROM outbox LEFT JOIN identity ON identity.uid = outbox.uid
         WHERE {} ORDER BY outbox.number DESC LIMIT ?1",
        conditions.join(" AND ")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
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
            status: *status,
            effect,
        });
    }
    Ok(effects)
}
