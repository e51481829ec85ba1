//! What has become of effects, and what idr itself has done with accounts.

use idr_core::model::{AccountAction, AccountKey, Name, UnixMillis};
use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{Raiser, write_document};
use super::error::undecodable;
use super::identities::{self, owner_column, owner_from};
use super::{outbox, records, work_items};
use crate::store::{AuditEntry, OwnChange, Settlement, StoreError, codec};

/// See `Store::settle`.
pub(super) fn settle(connection: &Connection, settlement: &Settlement) -> Result<bool, StoreError> {
    let Settlement {
        number,
        expected,
        progress,
        sent,
        own,
        work_items: items,
        audit,
    } = settlement;
    if !outbox::update(connection, *number, *expected, progress)? {
        return Ok(false);
    }
    if let Some((uid, sent)) = sent
        && let Some(mut identity) = identities::identity(connection, *uid)?
    {
        let sent = sent.clone();
        identity
            .provisioning
            .note_sent(sent.action, sent.at, sent.outcome);
        write_document(connection, &identity)?;
        Raiser::new(connection)?.raise(*uid, 1, None)?;
    }
    for own in own {
        write_own(connection, own)?;
    }
    work_items::open(connection, items)?;
    if let Some(audit) = audit {
        records::audit(connection, audit)?;
    }
    Ok(true)
}

fn write_own(connection: &Connection, own: &OwnChange) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO own_change
             (application, native_identity, owner, under_way, confirmed_at, gone)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    statement.execute(params![
        own.account.application.as_str(),
        own.account.native_identity,
        owner_column(own.owner),
        own.under_way.as_ref().map(codec::encode),
        own.confirmed_at.map(|at| at.0),
        own.gone,
    ])?;
    Ok(())
}

/// See `Store::own_changes`.
pub(super) fn own_changes(
    connection: &Connection,
    keys: &[AccountKey],
) -> Result<Vec<OwnChange>, StoreError> {
    let transaction = connection.unchecked_transaction()?;
    let mut statement = transaction.prepare_cached(
        "SELECT owner, under_way, confirmed_at, gone FROM own_change
         WHERE application = ?1 AND native_identity = ?2",
    )?;
    let mut any = transaction
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM own_change WHERE application = ?1)")?;
    let mut last: Option<(Name, bool)> = None;
    let mut found = Vec::new();
    for key in keys {
        // Most keys are of one application, and in most nothing was done.
        let application = key.application;
        let is_any = match last {
            Some((known, is_any)) if known == application => is_any,
            _ => any.query_row([application.as_str()], |row| row.get(0))?,
        };
        last = Some((application, is_any));
        if !is_any {
            continue;
        }
        let mut rows = statement.query([application.as_str(), &key.native_identity])?;
        let Some(row) = rows.next()? else { continue };
        let under_way: Option<String> = row.get(1)?;
        let under_way = under_way.map(|document| {
            codec::decode(document.as_bytes())
                .map_err(|error| undecodable::<AccountAction>(&key.native_identity, &error))
        });
        found.push(OwnChange {
            account: key.clone(),
            owner: owner_from(row.get(0)?),
            under_way: under_way.transpose()?,
            confirmed_at: row.get::<_, Option<i64>>(2)?.map(UnixMillis),
            gone: row.get(3)?,
        });
    }
    Ok(found)
}

/// See `Store::is_dispatch_paused`.
pub(super) fn is_paused(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT dispatch_paused FROM tenant";
    let paused = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(paused.unwrap_or(false))
}

/// See `Store::pause_dispatch`.
pub(super) fn pause(
    connection: &Connection,
    paused: bool,
    audit: &AuditEntry,
) -> Result<(), StoreError> {
    connection.execute("UPDATE tenant SET dispatch_paused = ?1", [paused])?;
    records::audit(connection, audit)
}
