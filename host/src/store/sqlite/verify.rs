//! Checking a store against itself: the file, every document, and that columns
//! and indexes say what the documents say.

use idr_core::model::{Event, Identity, Name, Uid};
use rusqlite::{CachedStatement, Connection, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::apply::read_hashes;
use super::error::undecodable;
use super::identities::{account, decode_identity, owner_from};
use super::records::finding_from;
use super::tenant;
use crate::store::codec::{self, Document};
use crate::store::{
    Aggregation, Run, SpooledPlan, StagedChange, StoreError, account_fingerprint, event_id,
    lookup_keys,
};

/// What was found in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// Identities checked.
    pub identities: u64,
    /// Accounts checked.
    pub accounts: u64,
    /// Events checked.
    pub events: u64,
    /// Findings checked, closed ones too.
    pub findings: u64,
    /// Runs checked.
    pub runs: u64,
    /// Aggregations checked.
    pub aggregations: u64,
    /// How many things are wrong.
    pub problem_count: u64,
    /// What is wrong: the first [`MOST_PROBLEMS`].
    pub problems: Vec<String>,
}

/// More problems than this are only counted.
pub const MOST_PROBLEMS: usize = 100;

impl Verification {
    fn problem(&mut self, problem: String) {
        self.problem_count += 1;
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// Takes what could be read. What can't be is a problem; a store that fails
    /// otherwise ends the check.
    fn take<T>(&mut self, result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt { what, message }) => {
                self.problem(format!("{what}: {message}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Checks what `connection` sees, as of now.
pub(super) fn verify(connection: &Connection) -> Result<Verification, StoreError> {
    let transaction = connection.unchecked_transaction()?;
    let mut found = Verification::default();
    for check in [
        file,
        configurations,
        identities,
        accounts,
        runs,
        aggregations,
        events,
        findings,
        claims,
    ] {
        let result = check(&transaction, &mut found);
        found.take(result)?;
    }
    Ok(found)
}

/// Does something with every row of a query; a row that can't be read is a problem.
fn each(
    connection: &Connection,
    found: &mut Verification,
    sql: &str,
    mut check: impl FnMut(&Row<'_>, &mut Verification) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let result = check(row, found);
        found.take(result)?;
    }
    Ok(())
}

fn count(connection: &Connection, sql: &str) -> Result<u64, StoreError> {
    let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

/// The file as SQLite sees it: pages, indexes, unique and required columns.
fn file(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    each(connection, found, "PRAGMA integrity_check", |row, found| {
        let line: String = row.get(0)?;
        if line != "ok" {
            found.problem(format!("the file: {line}"));
        }
        Ok(())
    })
}

fn configurations(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    each(
        connection,
        found,
        "SELECT configuration, path, content, bytes
         FROM configuration_file LEFT JOIN content ON content.digest = configuration_file.content",
        |row, found| {
            let digest = row.get_ref(2)?.as_blob()?;
            let bytes = row.get_ref(3)?.as_blob_or_null()?;
            if bytes.is_none_or(|bytes| Sha256::digest(bytes).as_slice() != digest) {
                let (configuration, path): (String, String) = (row.get(0)?, row.get(1)?);
                found.problem(format!(
                    "configuration {configuration}: `{path}` isn't what was adopted"
                ));
            }
            Ok(())
        },
    )?;
    let Some(adopted) = tenant::tenant(connection)?.configuration else {
        return Ok(());
    };
    if tenant::configuration(connection, &adopted)?.is_none() {
        found.problem(format!("tenant: configuration {adopted} is gone"));
    }
    Ok(())
}

/// One row where the population that is kept is the one that there is.
const POPULATION_AGREES: &str = "
    SELECT count(*) FROM population JOIN (
        SELECT count(*) AS identities, count(*) FILTER (WHERE NOT inactive) AS active,
            count(*) FILTER (WHERE has_roles) AS with_roles
        FROM identity WHERE type <> 'workgroup'
    ) USING (identities, active, with_roles)";

fn identities(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let lookup_attributes = tenant::tenant(connection)?.lookup_attributes;
    let mut indexes = Indexes::new(connection, lookup_attributes)?;
    each(
        connection,
        found,
        "SELECT identity.uid, document, name, type, inactive, has_roles, manager, wake_at,
             input_version >= max(identity_read, access_read) AND state_version >= events_read,
             retry_at
         FROM identity LEFT JOIN identity_document USING (uid) ORDER BY identity.uid",
        |row, found| {
            found.identities += 1;
            let uid = Uid(row.get(0)?);
            let Some(text) = row.get_ref(1)?.as_bytes_or_null()? else {
                found.problem(format!("identity {uid}: its document is gone"));
                return Ok(());
            };
            let identity = decode_identity(uid, text)?;
            for column in differing_columns(&identity, row)? {
                found.problem(format!(
                    "identity {uid}: column `{column}` isn't what the document says"
                ));
            }
            if !row.get::<_, bool>(8)? {
                found.problem(format!("identity {uid}: it was read before it was written"));
            }
            if !identity.attributes.is_sorted_by_key(|(name, _)| *name) {
                found.problem(format!("identity {uid}: its attributes aren't in order"));
            }
            indexes.check(&identity, found)
        },
    )?;
    indexes.check_counts(found)?;
    if count(connection, POPULATION_AGREES)? != 1 {
        found.problem("table population: it doesn't say how many identities there are".to_owned());
    }
    let strays = "SELECT count(*) FROM identity_document
         WHERE uid NOT IN (SELECT uid FROM identity)";
    match count(connection, strays)? {
        0 => {}
        strays => found.problem(format!(
            "table identity_document: {strays} rows of no identity"
        )),
    }
    Ok(())
}

fn differing_columns(identity: &Identity, row: &Row<'_>) -> Result<Vec<&'static str>, StoreError> {
    let mut differing = Vec::new();
    let mut compare = |column, is_equal: bool| {
        if !is_equal {
            differing.push(column);
        }
    };
    compare("name", row.get_ref(2)?.as_str()? == identity.name);
    compare(
        "type",
        row.get_ref(3)?.as_str()? == identity.identity_type.as_str(),
    );
    compare("inactive", row.get::<_, bool>(4)? == identity.inactive);
    compare(
        "has_roles",
        row.get::<_, bool>(5)? != identity.assigned.is_empty(),
    );
    compare(
        "manager",
        row.get::<_, Option<i64>>(6)? == identity.manager.map(|uid| uid.0),
    );
    compare(
        "wake_at",
        row.get::<_, Option<i64>>(7)? == identity.wake.at().map(|at| at.0),
    );
    compare(
        "retry_at",
        row.get::<_, Option<i64>>(9)? == identity.retries.at().map(|at| at.0),
    );
    Ok(differing)
}

/// The look-up index and the index of reads: what the documents say must be in
/// them, and nothing else.
struct Indexes<'c> {
    connection: &'c Connection,
    lookup_attributes: Vec<Name>,
    lookup: CachedStatement<'c>,
    read: CachedStatement<'c>,
    /// Rows that documents call for.
    lookups: u64,
    reads: u64,
}

impl<'c> Indexes<'c> {
    fn new(connection: &'c Connection, lookup_attributes: Vec<Name>) -> Result<Self, StoreError> {
        Ok(Self {
            connection,
            lookup_attributes,
            lookup: connection.prepare_cached(
                "SELECT 1 FROM identity_lookup WHERE attribute = ?1 AND value = ?2 AND uid = ?3",
            )?,
            read: connection
                .prepare_cached("SELECT 1 FROM identity_read WHERE key_hash = ?1 AND uid = ?2")?,
            lookups: 0,
            reads: 0,
        })
    }

    fn check(&mut self, identity: &Identity, found: &mut Verification) -> Result<(), StoreError> {
        let uid = identity.uid;
        for (attribute, value) in lookup_keys(identity, &self.lookup_attributes) {
            match self
                .lookup
                .exists(params![attribute.as_str(), value, uid.0])?
            {
                true => self.lookups += 1,
                false => found.problem(format!("identity {uid}: it isn't found by `{attribute}`")),
            }
        }
        for hash in read_hashes(identity) {
            match self.read.exists([hash, uid.0])? {
                true => self.reads += 1,
                false => found.problem(format!("identity {uid}: a read of others isn't noted")),
            }
        }
        Ok(())
    }

    fn check_counts(&self, found: &mut Verification) -> Result<(), StoreError> {
        for (table, called_for) in [
            ("identity_lookup", self.lookups),
            ("identity_read", self.reads),
        ] {
            let rows = count(self.connection, &format!("SELECT count(*) FROM {table}"))?;
            if rows > called_for {
                let strays = rows - called_for;
                found.problem(format!(
                    "table {table}: {strays} rows that no identity calls for"
                ));
            }
        }
        Ok(())
    }
}

fn accounts(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let mut called_for = 0;
    each(
        connection,
        found,
        "SELECT account.owner, account.application, account.native_identity, document,
             present, fingerprint,
             account.owner = 0 OR EXISTS (SELECT 1 FROM identity WHERE uid = account.owner)
         FROM account LEFT JOIN account_document USING (owner, application, native_identity)",
        |row, found| {
            found.accounts += 1;
            let key = format!(
                "account {} {}",
                row.get_ref(1)?.as_str()?,
                row.get_ref(2)?.as_str()?
            );
            if !row.get::<_, bool>(6)? {
                found.problem(format!("{key}: its owner is gone"));
            }
            if row.get_ref(3)?.as_bytes_or_null()?.is_none() {
                found.problem(format!("{key}: its document is gone"));
                return Ok(());
            }
            called_for += 1;
            let account = account(owner_from(row.get(0)?), row)?;
            if row.get::<_, bool>(4)? != account.missing_since.is_none() {
                found.problem(format!(
                    "{key}: column `present` isn't what the document says"
                ));
            }
            if row.get::<_, [u8; 16]>(5)? != account_fingerprint(&account).0 {
                found.problem(format!(
                    "{key}: column `fingerprint` isn't what the document says"
                ));
            }
            if !account.attributes.is_sorted_by_key(|(name, _)| *name) {
                found.problem(format!("{key}: its attributes aren't in order"));
            }
            Ok(())
        },
    )?;
    let documents = count(connection, "SELECT count(*) FROM account_document")?;
    if documents > called_for {
        let strays = documents - called_for;
        found.problem(format!(
            "table account_document: {strays} rows of no account"
        ));
    }
    let strays = "SELECT count(*) FROM account_lookup
         LEFT JOIN account USING (application, native_identity) WHERE owner IS NOT 0";
    match count(connection, strays)? {
        0 => Ok(()),
        strays => {
            found.problem(format!(
                "table account_lookup: {strays} rows of no account that waits"
            ));
            Ok(())
        }
    }
}

/// Reads a document from a column.
fn decode<T: Document>(
    which: impl std::fmt::Display,
    row: &Row<'_>,
    column: usize,
) -> Result<T, StoreError> {
    let text = row.get_ref(column)?.as_bytes()?;
    codec::decode(text).map_err(|error| undecodable::<T>(which, &error))
}

fn runs(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let sql = "SELECT id, status, document FROM run";
    each(connection, found, sql, |row, found| {
        found.runs += 1;
        let id: i64 = row.get(0)?;
        let run: Run = decode(id, row, 2)?;
        if run.id.0 != id || run.status.as_str() != row.get_ref(1)?.as_str()? {
            found.problem(format!(
                "run {id}: its columns aren't what the document says"
            ));
        }
        Ok(())
    })?;
    each(
        connection,
        found,
        "SELECT uid, document FROM spool",
        |row, _| {
            let uid: i64 = row.get(0)?;
            decode::<SpooledPlan>(uid, row, 1).map(drop)
        },
    )
}

fn aggregations(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let sql = "SELECT id, document FROM aggregation";
    each(connection, found, sql, |row, found| {
        found.aggregations += 1;
        let id: i64 = row.get(0)?;
        let aggregation: Aggregation = decode(id, row, 1)?;
        if aggregation.id != id {
            found.problem(format!("aggregation {id}: its document is of another one"));
        }
        Ok(())
    })?;
    let sql = "SELECT aggregation || '/' || position, document FROM stage";
    each(connection, found, sql, |row, _| {
        let place: String = row.get(0)?;
        decode::<StagedChange>(place, row, 1).map(drop)
    })
}

fn events(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let sql = "SELECT id, uid, sequence, trigger, document FROM event";
    each(connection, found, sql, |row, found| {
        found.events += 1;
        let id: String = row.get(0)?;
        let event: Event = decode(&id, row, 4)?;
        let columns = (
            row.get::<_, i64>(1)?,
            row.get::<_, i64>(2)?,
            row.get_ref(3)?.as_str()?,
        );
        let said = (
            event.uid.0,
            event.sequence.cast_signed(),
            event.trigger.as_str(),
        );
        if columns != said || event_id(&event) != id {
            found.problem(format!(
                "event {id}: its columns aren't what the document says"
            ));
        }
        Ok(())
    })
}

fn findings(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let sql = "SELECT severity, phase, subject, cause, message, hint FROM finding";
    each(connection, found, sql, |row, found| {
        found.findings += 1;
        finding_from(row).map(drop)
    })
}

fn claims(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let sql = "SELECT namespace, value, uid FROM claim
               WHERE uid <> 0 AND uid NOT IN (SELECT uid FROM identity)";
    each(connection, found, sql, |row, found| {
        let (namespace, value, uid): (String, String, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        found.problem(format!(
            "`{value}` in `{namespace}` is claimed by identity {uid}, which doesn't exist"
        ));
        Ok(())
    })
}
