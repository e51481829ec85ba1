//! Reading identities: whole, by filter, and who is due.

use idr_core::filter::{Path, Superset};
use idr_core::model::{
    Account, AccountKey, Identity, IdentityRecord, Name, Uid, UnixMillis, Versions,
};
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, Row, Statement, params, params_from_iter};

use super::error::undecodable;
use super::superset;
use crate::store::codec;
use crate::store::{Due, LastTimes, Managed, Population, RunId, StoreError};

/// Uids this far apart are still read as one range.
const WIDEST_GAP: i64 = 8;

/// See `Store::read_chunk`. All is read in one transaction, so identities and
/// accounts are of one state.
pub(super) fn read_chunk(
    connection: &Connection,
    uids: &[Uid],
) -> Result<Vec<IdentityRecord>, StoreError> {
    let transaction = connection.unchecked_transaction()?;
    let mut identity_statement = transaction.prepare_cached(
        "SELECT document, input_version, identity_read, access_read, state_version, events_read, uid
         FROM identity JOIN identity_document USING (uid)
         WHERE uid BETWEEN ?1 AND ?2 ORDER BY uid",
    )?;
    let mut account_statement = transaction.prepare_cached(
        "SELECT owner, application, native_identity, document
         FROM account_document
         WHERE owner BETWEEN ?1 AND ?2 ORDER BY owner, application, native_identity",
    )?;
    let mut records = Vec::with_capacity(uids.len());
    for range in ranges(uids) {
        let (Some(first), Some(last)) = (range.first(), range.last()) else {
            continue;
        };
        let mut wanted = range.iter().copied().peekable();
        let mut identities = identity_statement.query([first.0, last.0])?;
        let mut accounts = account_statement.query([first.0, last.0])?;
        let mut account_row = accounts.next()?;
        while let Some(row) = identities.next()? {
            let uid = Uid(row.get(6)?);
            while wanted.next_if(|next| *next < uid).is_some() {}
            if wanted.peek() != Some(&uid) {
                continue;
            }
            let mut record = record(uid, row)?;
            while let Some(row) = account_row {
                let owner = Uid(row.get(0)?);
                if owner > uid {
                    break;
                }
                if owner == uid {
                    record.accounts.push(account(Some(owner), row)?);
                }
                account_row = accounts.next()?;
            }
            record.show_logical_accounts();
            records.push(record);
        }
    }
    Ok(records)
}

/// Splits uids into ascending runs without wide gaps; uids in another order are
/// runs of one.
fn ranges(uids: &[Uid]) -> impl Iterator<Item = &[Uid]> {
    uids.chunk_by(|left, right| left < right && right.0 - left.0 <= WIDEST_GAP)
}

fn record(uid: Uid, row: &Row<'_>) -> Result<IdentityRecord, StoreError> {
    let text = row.get_ref(0)?.as_bytes()?;
    Ok(IdentityRecord {
        identity: decode_identity(uid, text)?,
        accounts: Vec::new(),
        versions: versions_from(row)?,
    })
}

/// Reads versions from the second to the sixth column.
fn versions_from(row: &Row<'_>) -> rusqlite::Result<Versions> {
    Ok(Versions {
        input: row.get(1)?,
        identity_read: row.get(2)?,
        access_read: row.get(3)?,
        state: row.get(4)?,
        events_read: row.get(5)?,
    })
}

/// Reads an identity's document.
pub(super) fn decode_identity(uid: Uid, text: &[u8]) -> Result<Identity, StoreError> {
    let identity: Identity =
        codec::decode(text).map_err(|error| undecodable::<Identity>(uid, &error))?;
    Ok(Identity { uid, ..identity })
}

/// Reads an account from `owner, application, native_identity, document`.
pub(super) fn account(owner: Option<Uid>, row: &Row<'_>) -> Result<Account, StoreError> {
    decode_account(account_key(row)?, owner, row.get_ref(3)?.as_bytes()?)
}

/// Reads an account's document.
pub(super) fn decode_account(
    key: AccountKey,
    owner: Option<Uid>,
    text: &[u8],
) -> Result<Account, StoreError> {
    match codec::decode::<Account>(text) {
        Ok(account) => Ok(Account {
            key,
            owner,
            ..account
        }),
        Err(error) => {
            let which = format!("{} {}", key.application, key.native_identity);
            Err(undecodable::<Account>(which, &error))
        }
    }
}

/// Reads a key from columns 1 and 2.
pub(super) fn account_key(row: &Row<'_>) -> Result<AccountKey, StoreError> {
    Ok(AccountKey {
        application: Name::new(row.get_ref(1)?.as_str()?),
        native_identity: row.get_ref(2)?.as_str()?.to_owned(),
    })
}

/// Returns the owner as the column has it: 0 for none.
pub(super) fn owner_column(owner: Option<Uid>) -> i64 {
    owner.map_or(0, |owner| owner.0)
}

/// Returns the owner that a column says.
pub(super) fn owner_from(column: i64) -> Option<Uid> {
    (column != 0).then_some(Uid(column))
}

/// Reads one identity.
pub(super) fn identity(connection: &Connection, uid: Uid) -> Result<Option<Identity>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT document FROM identity_document WHERE uid = ?1")?;
    let mut rows = statement.query([uid.0])?;
    match rows.next()? {
        Some(row) => decode_identity(uid, row.get_ref(0)?.as_bytes()?).map(Some),
        None => Ok(None),
    }
}

/// See `Store::list`.
pub(super) fn list(
    connection: &Connection,
    superset: &Superset,
    after: Option<Uid>,
    limit: usize,
) -> Result<Vec<Uid>, StoreError> {
    let after = SqlValue::Integer(above(after));
    let limit = SqlValue::Integer(row_limit(limit));
    if *superset == Superset::All {
        let sql = "SELECT uid FROM identity WHERE uid > ?1 ORDER BY uid LIMIT ?2";
        return uids(connection, sql, [after, limit]);
    }
    let (clause, values) = superset::where_clause(superset, "document", 3, &place);
    let sql = format!(
        "SELECT uid FROM identity_document WHERE uid > ?1 AND ({clause}) ORDER BY uid LIMIT ?2"
    );
    uids(connection, &sql, [after, limit].into_iter().chain(values))
}

/// Returns where a document has a property in a form that SQL can test.
fn place(path: &Path) -> Option<String> {
    let [property] = path.segments() else {
        return None;
    };
    match property.as_str() {
        "name" | "lifecycleState" => superset::json_path(&[property.as_str()]),
        // Not in the document, or left out of it when false, or worked out.
        "uid" | "inactive" | "manager" | "zone" | "assignedRoles" | "detectedRoles" | "links"
        | "accounts" => None,
        attribute => superset::json_path(&["attributes", attribute]),
    }
}

fn uids(
    connection: &Connection,
    sql: &str,
    values: impl IntoIterator<Item = SqlValue>,
) -> Result<Vec<Uid>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0).map(Uid))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the uid above which to read, as the column has it.
pub(super) fn above(after: Option<Uid>) -> i64 {
    after.map_or(i64::MIN, |uid| uid.0)
}

/// Returns a limit as SQL has it.
pub(super) fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// See `Store::named`.
pub(super) fn named(connection: &Connection, name: &str) -> Result<Option<Uid>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT uid FROM identity WHERE name = ?1")?;
    let found = statement.query_row([name], |row| row.get(0)).optional()?;
    Ok(found.map(Uid))
}

/// See `Store::last_times`.
pub(super) fn last_times(
    connection: &Connection,
    uids: &[Uid],
) -> Result<Vec<LastTimes>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT uid, at, modified_at FROM identity LEFT JOIN last_refresh USING (uid)
         WHERE uid BETWEEN ?1 AND ?2 ORDER BY uid",
    )?;
    let times = of_each(&mut statement, uids, |row| {
        Ok(LastTimes {
            refreshed: row.get::<_, Option<i64>>(1)?.map(UnixMillis),
            modified: row.get::<_, Option<i64>>(2)?.map(UnixMillis),
        })
    })?;
    Ok(times.into_iter().map(Option::unwrap_or_default).collect())
}

/// See `Store::versions`.
pub(super) fn versions(
    connection: &Connection,
    uids: &[Uid],
) -> Result<Vec<Option<Versions>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT uid, input_version, identity_read, access_read, state_version, events_read
         FROM identity WHERE uid BETWEEN ?1 AND ?2 ORDER BY uid",
    )?;
    of_each(&mut statement, uids, versions_from)
}

/// Reads one row of each identity, in the order of `uids`; none where there is no row.
/// The statement finds those between two uids, in order, the uid in the first column.
fn of_each<T>(
    statement: &mut Statement<'_>,
    uids: &[Uid],
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<Option<T>>, StoreError> {
    let mut found = Vec::with_capacity(uids.len());
    for range in ranges(uids) {
        let (Some(first), Some(last)) = (range.first(), range.last()) else {
            continue;
        };
        let mut wanted = range.iter().copied().peekable();
        let mut rows = statement.query([first.0, last.0])?;
        while let Some(row) = rows.next()? {
            let uid = Uid(row.get(0)?);
            while wanted.next_if(|next| *next < uid).is_some() {
                found.push(None);
            }
            if wanted.next_if_eq(&uid).is_some() {
                found.push(Some(read(row)?));
            }
        }
        found.extend(wanted.map(|_| None));
    }
    Ok(found)
}

/// See `Store::population`.
pub(super) fn population(connection: &Connection) -> Result<Population, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT identities, active, with_roles FROM population")?;
    let counted = |count: i64| count.cast_unsigned();
    let population = statement.query_row([], |row| {
        Ok(Population {
            identities: row.get(0).map(counted)?,
            active: row.get(1).map(counted)?,
            with_roles: row.get(2).map(counted)?,
        })
    })?;
    Ok(population)
}

/// See `Store::managers`.
pub(super) fn managers(connection: &Connection) -> Result<Vec<Managed>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT one.uid, one.inactive, one.manager, coalesce(manager.inactive, 0)
         FROM identity AS one LEFT JOIN identity AS manager ON manager.uid = one.manager
         WHERE one.manager IS NOT NULL ORDER BY one.uid",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Managed {
            uid: Uid(row.get(0)?),
            inactive: row.get(1)?,
            manager: Uid(row.get(2)?),
            manager_inactive: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// See `Store::next_wake`.
pub(super) fn next_wake(
    connection: &Connection,
    chosen_for: Option<RunId>,
) -> Result<Option<UnixMillis>, StoreError> {
    let found = match chosen_for {
        None => connection
            .prepare_cached(
                "SELECT wake_at FROM identity WHERE type <> 'workgroup' AND wake_at IS NOT NULL
                 ORDER BY wake_at LIMIT 1",
            )?
            .query_row([], |row| row.get(0)),
        Some(run) => connection
            .prepare_cached(
                "SELECT wake_at FROM chosen JOIN identity USING (uid)
                 WHERE run = ?1 AND type <> 'workgroup' AND wake_at IS NOT NULL
                 ORDER BY wake_at LIMIT 1",
            )?
            .query_row([run.0], |row| row.get(0)),
    };
    Ok(found.optional()?.map(UnixMillis))
}

/// Whose inputs have changed; as in the index `identity_due`.
pub(super) const INPUTS_CHANGED: &str =
    "type <> 'workgroup' AND (input_version <> identity_read OR input_version <> access_read)";

/// See `Store::due`.
pub(super) fn due(
    connection: &Connection,
    as_of: UnixMillis,
    after: Option<Uid>,
    limit: usize,
) -> Result<Vec<Due>, StoreError> {
    let sql = format!(
        "SELECT uid, name, input_version <> identity_read OR input_version <> access_read, wake_at,
             retry_at
         FROM identity
         WHERE uid IN (
             SELECT uid FROM (
                 SELECT uid FROM identity WHERE {INPUTS_CHANGED} AND uid > ?2
                 ORDER BY uid LIMIT ?3
             )
             UNION
             SELECT uid FROM (
                 SELECT uid FROM identity
                 WHERE type <> 'workgroup' AND wake_at <= ?1 AND +uid > ?2
                 ORDER BY uid LIMIT ?3
             )
             UNION
             SELECT uid FROM (
                 SELECT uid FROM identity
                 WHERE type <> 'workgroup' AND retry_at <= ?1 AND +uid > ?2
                 ORDER BY uid LIMIT ?3
             )
         )
         ORDER BY uid LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![as_of.0, above(after), row_limit(limit)], |row| {
        Ok(Due {
            uid: Uid(row.get(0)?),
            name: row.get(1)?,
            inputs_changed: row.get(2)?,
            wake_at: row.get::<_, Option<i64>>(3)?.map(UnixMillis),
            retry_at: row.get::<_, Option<i64>>(4)?.map(UnixMillis),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// See `Store::events_pending`.
pub(super) fn events_pending(
    connection: &Connection,
    after: Option<Uid>,
    limit: usize,
) -> Result<Vec<Uid>, StoreError> {
    let sql = "SELECT uid FROM identity
         WHERE type <> 'workgroup' AND state_version <> events_read AND uid > ?1
         ORDER BY uid LIMIT ?2";
    let values = [above(after), row_limit(limit)].map(SqlValue::Integer);
    uids(connection, sql, values)
}

/// Reads a document's name from a column.
pub(super) fn name_column(row: &Row<'_>, column: usize) -> Result<Name, StoreError> {
    Ok(Name::new(row.get_ref(column)?.as_str()?))
}
