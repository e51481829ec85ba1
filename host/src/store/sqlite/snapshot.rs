//! A view of all identities that later writes don't change.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use idr_core::model::{Claim, Holder, Identity, Name, Uid, Value};
use idr_core::view::{Snapshot, SnapshotError};
use rusqlite::{OptionalExtension, params};

use super::claims;
use super::error::undecodable;
use super::pool::Reader;
use crate::store::StoreError;
use crate::store::codec::{self, DecodeError};

/// Several connections, each in a read transaction that sees the same state, so
/// that as many threads can ask at once.
pub(super) struct SqliteSnapshot {
    readers: Vec<Mutex<Reader>>,
}

impl SqliteSnapshot {
    /// Takes connections over and fixes what they see. Nobody may commit
    /// meanwhile: the caller holds the write lock.
    pub(super) fn begin(readers: Vec<Reader>) -> Result<Self, StoreError> {
        for reader in &readers {
            reader.execute_batch("BEGIN")?;
            // The transaction begins with what it first reads.
            reader.query_row("SELECT 1 FROM tenant", [], |_| Ok(()))?;
        }
        let readers = readers.into_iter().map(Mutex::new).collect();
        Ok(Self { readers })
    }

    /// Returns a connection: the thread's own where it can be had.
    fn reader(&self) -> MutexGuard<'_, Reader> {
        let count = self.readers.len();
        let own = rayon::current_thread_index().unwrap_or_default() % count;
        for offset in 0..count {
            match self.readers[(own + offset) % count].try_lock() {
                Ok(reader) => return reader,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.readers[own]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn read_attribute(&self, uid: Uid, attribute: Name) -> Result<Option<Value>, StoreError> {
        let reader = self.reader();
        if attribute.as_str() == "name" {
            let mut statement =
                reader.prepare_cached("SELECT name FROM identity WHERE uid = ?1")?;
            let name = statement.query_row([uid.0], |row| row.get::<_, String>(0));
            return Ok(name.optional()?.map(Value::text));
        }
        let mut statement =
            reader.prepare_cached("SELECT document FROM identity_document WHERE uid = ?1")?;
        let mut rows = statement.query([uid.0])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let text = row.get_ref(0)?.as_bytes()?;
        readable(uid, text, attribute).map_err(|error| undecodable::<Identity>(uid, &error))
    }

    fn read_chain(&self, uid: Uid, attribute: Name) -> Result<u32, StoreError> {
        let reader = self.reader();
        let mut statement =
            reader.prepare_cached("SELECT document FROM identity_document WHERE uid = ?1")?;
        let mut rows = statement.query([uid.0])?;
        let Some(row) = rows.next()? else {
            return Ok(0);
        };
        let text = row.get_ref(0)?.as_bytes()?;
        let chain = codec::decode_at(text, &["baseline", "chains", attribute.as_str()]);
        let chain = chain.map_err(|error| undecodable::<Identity>(uid, &error))?;
        Ok(chain.unwrap_or(0))
    }

    fn look_up(&self, attribute: Name, folded: &str) -> Result<Vec<Uid>, StoreError> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached(
            "SELECT uid FROM identity_lookup WHERE attribute = ?1 AND value = ?2 ORDER BY uid",
        )?;
        let rows = statement.query_map(params![attribute.as_str(), folded], |row| {
            row.get(0).map(Uid)
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// As [`Identity::readable`], without reading the whole document.
fn readable(uid: Uid, text: &[u8], attribute: Name) -> Result<Option<Value>, DecodeError> {
    match attribute.as_str() {
        "uid" => Ok(Some(Value::Integer(uid.0))),
        "inactive" => {
            let inactive = codec::decode_at(text, &["inactive"])?;
            Ok(Some(Value::Boolean(inactive.unwrap_or_default())))
        }
        place @ ("name" | "lifecycleState") => codec::decode_at(text, &[place]),
        name => codec::decode_at(text, &["attributes", name]),
    }
}

impl Snapshot for SqliteSnapshot {
    fn attribute_of(&self, uid: Uid, attribute: Name) -> Result<Option<Value>, SnapshotError> {
        self.read_attribute(uid, attribute).map_err(failed)
    }

    fn find(&self, attribute: Name, folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        self.look_up(attribute, folded).map_err(failed)
    }

    fn holder(&self, claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        claims::holder(&self.reader(), claim).map_err(failed)
    }

    fn chain_of(&self, uid: Uid, attribute: Name) -> Result<u32, SnapshotError> {
        self.read_chain(uid, attribute).map_err(failed)
    }
}

fn failed(error: StoreError) -> SnapshotError {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    SnapshotError { message }
}
