//! What people are to do.

use idr_core::model::{Uid, UnixMillis};
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::identities::row_limit;
use super::records;
use crate::store::{
    AuditEntry, NewWorkItem, StoreError, StoredWorkItem, WorkItemQuery, WorkItemStatus,
};

/// Opens work items that aren't there yet, and again those that were withdrawn.
pub(super) fn open(connection: &Connection, items: &[NewWorkItem]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO work_item (id, effect, uid, owner, description, status, opened_at)
         VALUES (?1, ?2, ?3, ?4, ?5, 'open', ?6)
         ON CONFLICT (id) DO UPDATE SET status = 'open', opened_at = ?6
             WHERE status = 'withdrawn'",
    )?;
    for item in items {
        statement.execute(params![
            item.id,
            item.effect,
            item.uid.0,
            item.owner,
            item.description,
            item.opened_at.0,
        ])?;
    }
    Ok(())
}

/// Closes what people were to do for an effect, and says whether there was any.
pub(super) fn withdraw(connection: &Connection, effect: &str) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE work_item SET status = 'withdrawn' WHERE effect = ?1 AND status = 'open'",
    )?;
    Ok(statement.execute([effect])? > 0)
}

/// See `Store::work_items`.
pub(super) fn work_items(
    connection: &Connection,
    query: &WorkItemQuery,
    limit: usize,
) -> Result<Vec<StoredWorkItem>, StoreError> {
    let mut conditions = vec!["1".to_owned()];
    let mut values = vec![SqlValue::Integer(row_limit(limit))];
    let texts = [
        ("id", &query.id),
        ("effect", &query.effect),
        ("owner", &query.owner),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            values.push(SqlValue::Text(text.clone()));
            conditions.push(format!("work_item.{column} = ?{}", values.len()));
        }
    }
    if let Some(uid) = query.uid {
        values.push(SqlValue::Integer(uid.0));
        conditions.push(format!("work_item.uid = ?{}", values.len()));
    }
    if query.open {
        conditions.push("work_item.status = 'open'".to_owned());
    }
    let sql = format!(
        "SELECT id, effect, work_item.uid, owner, description, status, opened_at, closed_at,
             closed_by, comment, coalesce(identity.name, '')
         FROM work_item LEFT JOIN identity ON identity.uid = work_item.uid
         WHERE {} ORDER BY number DESC LIMIT ?1",
        conditions.join(" AND ")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let word: String = row.get(5)?;
        let status = WorkItemStatus::ALL.iter().find(|(known, _)| *known == word);
        let (_, status) = status.ok_or_else(|| StoreError::Corrupt {
            what: format!("work item {id}"),
            message: format!("`{word}` is no status of a work item"),
        })?;
        items.push(StoredWorkItem {
            item: NewWorkItem {
                id,
                effect: row.get(1)?,
                uid: Uid(row.get(2)?),
                owner: row.get(3)?,
                description: row.get(4)?,
                opened_at: UnixMillis(row.get(6)?),
            },
            name: row.get(10)?,
            status: *status,
            closed_at: row.get::<_, Option<i64>>(7)?.map(UnixMillis),
            closed_by: row.get(8)?,
            comment: row.get(9)?,
        });
    }
    Ok(items)
}

/// See `Store::complete_work_item`.
pub(super) fn complete(
    connection: &Connection,
    id: &str,
    audit: &AuditEntry,
) -> Result<(), StoreError> {
    let effect: Option<String> = connection
        .query_row(
            "UPDATE work_item SET status = 'done', closed_at = ?2, closed_by = ?3, comment = ?4
             WHERE id = ?1 AND status = 'open' RETURNING effect",
            params![id, audit.at.0, audit.actor, audit.reason],
            |row| row.get(0),
        )
        .optional()?;
    let Some(effect) = effect else {
        return Err(StoreError::no_work_item(id));
    };
    // The steps of a workflow have ids of their own.
    if effect == id {
        connection.execute(
            "UPDATE outbox SET status = 'done', settled_at = ?2 WHERE id = ?1 AND status = 'sent'",
            params![effect, audit.at.0],
        )?;
    }
    records::audit(connection, audit)
}
