//! Connections that read: as many as are needed at once, kept for the next use.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::open::{self, SqliteOptions};
use crate::store::StoreError;

/// More idle connections than this are closed.
const MOST_IDLE: usize = 16;

/// The connections of one store.
pub(super) struct Readers {
    path: PathBuf,
    options: SqliteOptions,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, options: SqliteOptions) -> Arc<Self> {
        Arc::new(Self {
            path,
            options,
            idle: Mutex::default(),
        })
    }

    /// Returns a connection that is nobody else's until it is dropped.
    pub(super) fn take(self: &Arc<Self>) -> Result<Reader, StoreError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open::reader(&self.path, &self.options)?,
        };
        Ok(Reader {
            connection: Some(connection),
            home: Arc::clone(self),
        })
    }
}

/// A connection on loan. What it has begun is rolled back when it is dropped.
pub(super) struct Reader {
    connection: Option<Connection>,
    home: Arc<Readers>,
}

impl Deref for Reader {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
            .as_ref()
            .expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() {
            return;
        }
        let mut idle = self
            .home
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE {
            idle.push(connection);
        }
    }
}
