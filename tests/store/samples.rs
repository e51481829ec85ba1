//! Stores to test.

use idr::store::memory::MemoryStore;
use idr::store::sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

/// A store that is gone with the test.
pub(crate) struct TestStore<S> {
    pub(crate) store: S,
    /// Removed after the store is closed.
    _folder: Option<TempDir>,
}

/// Returns an empty store in memory.
pub(crate) fn memory() -> TestStore<MemoryStore> {
    TestStore {
        store: MemoryStore::default(),
        _folder: None,
    }
}

/// Returns an empty store in a file.
pub(crate) fn sqlite() -> TestStore<SqliteStore> {
    let folder = TempDir::with_prefix("idr-store-").expect("a temporary folder can be made");
    let path = folder.path().join("state/idr.db");
    TestStore {
        store: SqliteStore::open(&path, &SqliteOptions::default()).expect("a store can be made"),
        _folder: Some(folder),
    }
}
