//! Unique values and whose they are.

use idr_core::model::{Claim, Holder, Name, NewClaim, ReadKey, Uid};
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::identities::row_limit;
use super::{apply, records};
use crate::store::{AuditEntry, ClaimEdit, ClaimQuery, StoreError, StoredClaim};

/// The uid of a value that is reserved.
const RESERVED: i64 = 0;

fn holder_from(uid: i64) -> Holder {
    match uid {
        RESERVED => Holder::Reserved,
        uid => Holder::Identity(Uid(uid)),
    }
}

/// Returns whose a value is.
pub(super) fn holder(connection: &Connection, claim: &Claim) -> Result<Option<Holder>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT uid FROM claim WHERE namespace = ?1 AND value = ?2")?;
    let uid = statement
        .query_row(params![claim.namespace.as_str(), claim.value], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(uid.map(holder_from))
}

/// Says whether an identity can have all of these.
pub(super) fn are_free(
    connection: &Connection,
    uid: Uid,
    claims: &[NewClaim],
) -> Result<bool, StoreError> {
    for new in claims {
        let holder = holder(connection, &new.claim)?;
        if holder.is_some_and(|holder| holder != Holder::Identity(uid)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Notes what an identity takes; it is free.
pub(super) fn take(
    connection: &Connection,
    uid: Uid,
    claims: &[NewClaim],
) -> Result<(), StoreError> {
    for new in claims {
        insert(connection, &new.claim, uid.0)?;
    }
    Ok(())
}

/// Claims a value for an identity, unless it is somebody's.
pub(super) fn insert(connection: &Connection, claim: &Claim, uid: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO claim (namespace, value, uid) VALUES (?1, ?2, ?3)",
    )?;
    statement.execute(params![claim.namespace.as_str(), claim.value, uid])?;
    Ok(())
}

/// See `Store::claims`.
pub(super) fn claims(
    connection: &Connection,
    query: &ClaimQuery,
    after: Option<&Claim>,
    limit: usize,
) -> Result<Vec<StoredClaim>, StoreError> {
    let mut conditions = vec!["1".to_owned()];
    let mut values = vec![SqlValue::Integer(row_limit(limit))];
    if let Some(namespace) = query.namespace {
        values.push(SqlValue::Text(namespace.to_string()));
        conditions.push(format!("claim.namespace = ?{}", values.len()));
    }
    if let Some(uid) = query.uid {
        values.push(SqlValue::Integer(uid.0));
        conditions.push(format!("claim.uid = ?{}", values.len()));
    }
    if let Some(after) = after {
        values.push(SqlValue::Text(after.namespace.to_string()));
        values.push(SqlValue::Text(after.value.clone()));
        let (namespace, value) = (values.len() - 1, values.len());
        conditions.push(format!(
            "(claim.namespace, claim.value) > (?{namespace}, ?{value})"
        ));
    }
    let mut statement = connection.prepare_cached(&format!(
        "SELECT claim.namespace, claim.value, claim.uid, identity.name
         FROM claim LEFT JOIN identity ON identity.uid = claim.uid
         WHERE {} ORDER BY claim.namespace, claim.value LIMIT ?1",
        conditions.join(" AND ")
    ))?;
    let rows = statement.query_map(params_from_iter(values), stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredClaim> {
    let namespace: String = row.get(0)?;
    Ok(StoredClaim {
        claim: Claim {
            namespace: Name::new(&namespace),
            value: row.get(1)?,
        },
        holder: holder_from(row.get(2)?),
        name: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
    })
}

/// See `Store::edit_claims`.
pub(super) fn edit(
    connection: &Connection,
    edit: &ClaimEdit,
    audit: &AuditEntry,
) -> Result<(), StoreError> {
    match edit {
        ClaimEdit::Reserve(claims) => {
            for claim in claims {
                match holder(connection, claim)? {
                    None => insert(connection, claim, RESERVED)?,
                    Some(_) => return Err(StoreError::claim_taken(claim)),
                }
            }
        }
        ClaimEdit::Release(claims) => {
            let mut delete = connection
                .prepare_cached("DELETE FROM claim WHERE namespace = ?1 AND value = ?2")?;
            for claim in claims {
                if delete.execute(params![claim.namespace.as_str(), claim.value])? == 0 {
                    return Err(StoreError::no_claim(claim));
                }
                apply::raise_readers(connection, &ReadKey::Claim(claim.clone()))?;
            }
            // Whom a run that isn't over has refused it has read it as well.
            let keys: Vec<_> = claims.iter().cloned().map(ReadKey::Claim).collect();
            apply::note_changed_keys(connection, &keys)?;
        }
        ClaimEdit::Give {
            from,
            to,
            only: None,
        } => {
            connection.execute("UPDATE claim SET uid = ?2 WHERE uid = ?1", [from.0, to.0])?;
        }
        ClaimEdit::Give {
            from,
            to,
            only: Some(claims),
        } => {
            let mut give = connection.prepare_cached(
                "UPDATE claim SET uid = ?2 WHERE uid = ?1 AND namespace = ?3 AND value = ?4",
            )?;
            for claim in claims {
                give.execute(params![from.0, to.0, claim.namespace.as_str(), claim.value])?;
            }
        }
    }
    records::audit(connection, audit)
}
