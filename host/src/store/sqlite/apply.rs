//! Writing what a refresh has changed.

use idr_core::model::{Effect, Identity, Name, ReadKey, Uid, UnixMillis};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ToSql, params};

use super::error::is_taken;
use super::identities;
use super::{claims, history, outbox, records, runs, tenant};
use crate::store::{ApplyChunk, Documents, IdentityWrite, StoreError, codec, lookup_keys};

/// See `Store::apply`.
///
/// - `documents`: those of the chunk.
pub(super) fn apply(
    connection: &Connection,
    chunk: &ApplyChunk,
    documents: &Documents,
) -> Result<Vec<Uid>, StoreError> {
    let mut writer = IdentityWriter::new(connection)?;
    let mut stale = Vec::new();
    for (write, document) in chunk.writes.iter().zip(&documents.identities) {
        match writer.write(write, document.as_deref())? {
            Outcome::Written => {}
            Outcome::Absent => continue,
            Outcome::Stale => {
                stale.push(write.uid);
                continue;
            }
            Outcome::Refused => {
                // Should nobody get round to planning it again, it is due.
                Raiser::new(connection)?.raise(write.uid, 1, None)?;
                stale.push(write.uid);
                continue;
            }
        }
        if let Some(identity) = write.identity.as_ref().filter(|_| write.findings_changed) {
            let about = records::About::Identity(write.uid);
            let at = chunk.run.step.instant;
            records::set_findings(connection, about, &identity.findings, at)?;
        }
    }
    let events = chunk.events.iter().zip(&documents.events);
    let events = events.filter(|(event, _)| !stale.contains(&event.uid));
    records::record_events(connection, events)?;
    let is_written = |effect: &&Effect| !stale.contains(&effect.uid);
    outbox::withdraw(connection, chunk.withdrawn.iter().filter(is_written))?;
    outbox::record(connection, chunk.effects.iter().filter(is_written))?;
    let kept = chunk.history.iter().filter(|(uid, _)| !stale.contains(uid));
    history::keep(connection, chunk.run.step.instant, kept)?;
    let audit = chunk.audit.iter();
    for (_, entry) in audit.filter(|(uid, _)| !stale.contains(uid)) {
        records::audit(connection, entry)?;
    }
    // Whoever was refused what isn't taken now is asked again.
    let untaken = chunk.writes.iter();
    let untaken = untaken.filter(|write| stale.contains(&write.uid));
    let untaken = untaken.flat_map(|write| &write.claims);
    let untaken = untaken.map(|new| ReadKey::Claim(new.claim.clone()));
    note_changed_keys(connection, &untaken.collect::<Vec<_>>())?;
    note_changed_keys(connection, &chunk.changed_keys)?;
    tenant::note_instant(connection, chunk.instant)?;
    runs::update(connection, &chunk.run)?;
    Ok(stale)
}

enum Outcome {
    Written,
    Absent,
    /// It has moved on.
    Stale,
    /// It would claim what is another's.
    Refused,
}

/// The statements that write an identity, prepared once per chunk.
struct IdentityWriter<'c> {
    connection: &'c Connection,
    versions: CachedStatement<'c>,
    /// With what the population is counted by.
    whole: CachedStatement<'c>,
    /// Without it.
    others: CachedStatement<'c>,
    /// What it is counted by, as it is.
    counted: CachedStatement<'c>,
    document: CachedStatement<'c>,
    /// Read when the first identity needs it.
    lookup_attributes: Option<Vec<Name>>,
}

impl<'c> IdentityWriter<'c> {
    fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            connection,
            versions: connection.prepare_cached(
                "UPDATE identity SET input_version = ?4, identity_read = ?5, access_read = ?6,
                     state_version = ?7, events_read = ?8
                 WHERE uid = ?1 AND input_version = ?2 AND state_version = ?3",
            )?,
            whole: connection.prepare_cached(
                "UPDATE identity SET input_version = ?4, identity_read = ?5, access_read = ?6,
                     state_version = ?7, events_read = ?8,
                     manager = ?9, wake_at = ?10, retry_at = ?11,
                     type = ?12, inactive = ?13, has_roles = ?14
                 WHERE uid = ?1 AND input_version = ?2 AND state_version = ?3",
            )?,
            others: connection.prepare_cached(
                "UPDATE identity SET input_version = ?4, identity_read = ?5, access_read = ?6,
                     state_version = ?7, events_read = ?8,
                     manager = ?9, wake_at = ?10, retry_at = ?11
                 WHERE uid = ?1 AND input_version = ?2 AND state_version = ?3",
            )?,
            counted: connection
                .prepare_cached("SELECT type, inactive, has_roles FROM identity WHERE uid = ?1")?,
            document: connection
                .prepare_cached("UPDATE identity_document SET document = ?2 WHERE uid = ?1")?,
            lookup_attributes: None,
        })
    }

    fn write(
        &mut self,
        write: &IdentityWrite,
        document: Option<&str>,
    ) -> Result<Outcome, StoreError> {
        if !claims::are_free(self.connection, write.uid, &write.claims)? {
            return Ok(match self.not_written(write.uid)? {
                Outcome::Absent => Outcome::Absent,
                _ => Outcome::Refused,
            });
        }
        let (expected, versions) = (&write.expected, &write.versions);
        let written = match &write.identity {
            None => self.versions.execute(params![
                write.uid.0,
                expected.input,
                expected.state,
                versions.input,
                versions.identity_read,
                versions.access_read,
                versions.state,
                versions.events_read,
            ])?,
            Some(identity) => self.write_columns(write, identity)?,
        };
        if written == 0 {
            return self.not_written(write.uid);
        }
        claims::take(self.connection, write.uid, &write.claims)?;
        if let Some(identity) = &write.identity {
            self.follow(write, identity)?;
            self.document.execute(params![write.uid.0, document])?;
        }
        Ok(Outcome::Written)
    }

    /// Writes what stands beside the document; returns how many rows that are.
    fn write_columns(
        &mut self,
        write: &IdentityWrite,
        identity: &Identity,
    ) -> Result<usize, StoreError> {
        let identity_type = identity.identity_type.as_str();
        let has_roles = !identity.assigned.is_empty();
        let (expected, versions) = (&write.expected, &write.versions);
        let counted = (identity_type, identity.inactive, has_roles);
        let is_counted_so = self.counted.query_row([write.uid.0], |row| {
            let known = (row.get_ref(0)?.as_str()?, row.get(1)?, row.get(2)?);
            Ok(known == counted)
        });
        let (uid, manager) = (write.uid.0, identity.manager.map(|uid| uid.0));
        let wake_at = identity.wake.at().map(|wake| wake.0);
        let retry_at = identity.retries.at().map(|at| at.0);
        let (input, state) = (expected.input, expected.state);
        let columns: [&dyn ToSql; 14] = [
            &uid,
            &input,
            &state,
            &versions.input,
            &versions.identity_read,
            &versions.access_read,
            &versions.state,
            &versions.events_read,
            &manager,
            &wake_at,
            &retry_at,
            &identity_type,
            &identity.inactive,
            &has_roles,
        ];
        match is_counted_so.optional()? {
            Some(true) => Ok(self.others.execute(&columns[..11])?),
            _ => Ok(self.whole.execute(&columns[..])?),
        }
    }

    fn not_written(&self, uid: Uid) -> Result<Outcome, StoreError> {
        let sql = "SELECT 1 FROM identity WHERE uid = ?1";
        let mut exists = self.connection.prepare_cached(sql)?;
        Ok(match exists.exists([uid.0])? {
            true => Outcome::Stale,
            false => Outcome::Absent,
        })
    }

    /// Lets the indexes follow. What was in them is what the old document says.
    fn follow(&mut self, write: &IdentityWrite, identity: &Identity) -> Result<(), StoreError> {
        if !write.reads_changed && !write.keys_changed {
            return Ok(());
        }
        let old = identities::identity(self.connection, write.uid)?.unwrap_or_default();
        if write.reads_changed {
            replace_reads(
                self.connection,
                write.uid,
                &read_hashes(&old),
                &read_hashes(identity),
            )?;
        }
        if write.keys_changed {
            if old.name != identity.name {
                rename(self.connection, write.uid, &identity.name)?;
            }
            let attributes = match &mut self.lookup_attributes {
                Some(attributes) => attributes,
                unread => unread.insert(tenant::tenant(self.connection)?.lookup_attributes),
            };
            let (old, new) = (
                lookup_keys(&old, attributes),
                lookup_keys(identity, attributes),
            );
            replace_lookups(self.connection, write.uid, &old, &new)?;
        }
        Ok(())
    }
}

fn rename(connection: &Connection, uid: Uid, name: &str) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE identity SET name = ?2 WHERE uid = ?1")?;
    match statement.execute(params![uid.0, name]) {
        Err(error) if is_taken(&error) => Err(StoreError::name_taken(name)),
        result => {
            result?;
            Ok(())
        }
    }
}

/// Returns the hashes of all that an identity has read of others, sorted.
pub(super) fn read_hashes(identity: &Identity) -> Vec<i64> {
    let reads = identity.reads.iter().chain(&identity.event_reads);
    let mut hashes: Vec<i64> = reads.map(ReadKey::hash64).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Replaces what the index of reads says of an identity; both are sorted.
pub(super) fn replace_reads(
    connection: &Connection,
    uid: Uid,
    old: &[i64],
    new: &[i64],
) -> Result<(), StoreError> {
    let mut delete =
        connection.prepare_cached("DELETE FROM identity_read WHERE key_hash = ?1 AND uid = ?2")?;
    for hash in old.iter().filter(|hash| new.binary_search(hash).is_err()) {
        delete.execute([*hash, uid.0])?;
    }
    let mut insert = connection
        .prepare_cached("INSERT OR IGNORE INTO identity_read (key_hash, uid) VALUES (?1, ?2)")?;
    for hash in new.iter().filter(|hash| old.binary_search(hash).is_err()) {
        insert.execute([*hash, uid.0])?;
    }
    Ok(())
}

/// Replaces what the look-up index says of an identity; both are sorted.
pub(super) fn replace_lookups(
    connection: &Connection,
    uid: Uid,
    old: &[(Name, String)],
    new: &[(Name, String)],
) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM identity_lookup WHERE attribute = ?1 AND value = ?2 AND uid = ?3",
    )?;
    for key @ (attribute, value) in old {
        if new.binary_search(key).is_err() {
            delete.execute(params![attribute.as_str(), value, uid.0])?;
        }
    }
    let mut insert = connection.prepare_cached(
        "INSERT OR IGNORE INTO identity_lookup (attribute, value, uid) VALUES (?1, ?2, ?3)",
    )?;
    for key @ (attribute, value) in new {
        if old.binary_search(key).is_err() {
            insert.execute(params![attribute.as_str(), value, uid.0])?;
        }
    }
    Ok(())
}

/// Keeps the hashes of changed keys, in one row, until readers are selected.
pub(super) fn note_changed_keys(
    connection: &Connection,
    keys: &[ReadKey],
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut hashes: Vec<i64> = keys.iter().map(ReadKey::hash64).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
    let mut insert =
        connection.prepare_cached("INSERT INTO changed_keys (key_hashes) VALUES (?1)")?;
    insert.execute([bytes])?;
    Ok(())
}

/// Hashes of changed keys that are held in memory at a time.
const KEYS_AT_ONCE: usize = 1 << 20;

/// Takes the changed keys away and hands over their hashes, some at a time, each
/// time sorted and without repetitions.
pub(super) fn take_changed_keys(
    connection: &Connection,
    mut work: impl FnMut(&[i64]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut hashes: Vec<i64> = Vec::new();
    let mut statement = connection.prepare_cached("SELECT key_hashes FROM changed_keys")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (chunks, rest) = row.get_ref(0)?.as_blob()?.as_chunks();
        if !rest.is_empty() {
            return Err(StoreError::Corrupt {
                what: "changed keys".to_owned(),
                message: "a hash is cut off".to_owned(),
            });
        }
        hashes.extend(chunks.iter().map(|bytes| i64::from_le_bytes(*bytes)));
        if hashes.len() >= KEYS_AT_ONCE {
            hand_over(&mut hashes, &mut work)?;
        }
    }
    hand_over(&mut hashes, &mut work)?;
    drop(rows);
    connection.execute("DELETE FROM changed_keys", [])?;
    Ok(())
}

fn hand_over(
    hashes: &mut Vec<i64>,
    work: &mut impl FnMut(&[i64]) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    hashes.sort_unstable();
    hashes.dedup();
    work(hashes)?;
    hashes.clear();
    Ok(())
}

/// Raises the input version of everybody who has read something of others.
pub(super) fn raise_readers(connection: &Connection, key: &ReadKey) -> Result<(), StoreError> {
    raise_reader_hash(connection, key.hash64())
}

/// Raises the input version of everybody who has read what has this hash.
pub(super) fn raise_reader_hash(connection: &Connection, hash: i64) -> Result<(), StoreError> {
    let mut raise = connection.prepare_cached(
        "UPDATE identity SET input_version = input_version + 1
         WHERE uid IN (SELECT uid FROM identity_read WHERE key_hash = ?1)",
    )?;
    raise.execute([hash])?;
    Ok(())
}

/// Raises the input version of identities.
pub(super) struct Raiser<'c> {
    statement: CachedStatement<'c>,
}

impl<'c> Raiser<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        let statement = connection.prepare_cached(
            "UPDATE identity SET input_version = input_version + ?2,
                 modified_at = ifnull(?3, modified_at)
             WHERE uid = ?1",
        )?;
        Ok(Self { statement })
    }

    /// Raises it by so much, and notes when the identity was modified, if it
    /// was; one that doesn't exist is left alone.
    pub(super) fn raise(
        &mut self,
        uid: Uid,
        by: i64,
        modified_at: Option<UnixMillis>,
    ) -> Result<(), StoreError> {
        let modified_at = modified_at.map(|at| at.0);
        self.statement.execute(params![uid.0, by, modified_at])?;
        Ok(())
    }
}

/// Replaces an identity's document, for writes outside a refresh that leave its
/// columns as they are.
pub(super) fn write_document(
    connection: &Connection,
    identity: &Identity,
) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE identity_document SET document = ?2 WHERE uid = ?1")?;
    statement.execute(params![identity.uid.0, codec::encode(identity)])?;
    Ok(())
}

/// Returns the number that the next row of a table gets, counted from 1.
pub(super) fn next_number(connection: &Connection, sql: &str) -> Result<i64, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let last: Option<i64> = statement
        .query_row([], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(last.unwrap_or_default() + 1)
}
