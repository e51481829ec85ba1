//! A copy of the store to try things on: what a dry run refreshes.
//!
//! It lies beside the store, in a folder for nobody else to read, and is gone
//! when it is dropped. What a process that was killed has left is cleared away
//! by the next one.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::backup::copy;
use super::{SqliteOptions, SqliteStore};
use crate::store::{RunLock, StoreError};

const PREFIX: &str = ".idr-rehearsal-";

/// A folder younger than this may be one that is being made.
const YOUNG: Duration = Duration::from_secs(60);

/// The folder of a copy; removed when dropped.
pub(super) struct Folder {
    _folder: TempDir,
    _lock: RunLock,
}

/// Copies all that `connection` sees, and opens the copy. `path` is the store's.
pub(super) fn rehearsal(connection: &Connection, path: &Path) -> Result<SqliteStore, StoreError> {
    let beside = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    clear_away(beside);
    let folder = tempfile::Builder::new()
        .prefix(PREFIX)
        .tempdir_in(beside)
        .map_err(unavailable)?;
    let file = folder.path().join("idr.db");
    let lock = RunLock::take(&file, Duration::ZERO)?;
    // Nobody else shall read it, whatever the folder allows.
    super::open::create(&file).map_err(unavailable)?;
    copy(connection, &file, false)?;
    let options = SqliteOptions {
        lasting: false,
        ..SqliteOptions::default()
    };
    let mut store = SqliteStore::open(&file, &options)?;
    store.folder = Some(Folder {
        _folder: folder,
        _lock: lock,
    });
    Ok(store)
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}

/// Removes the copies of processes that are gone. One that can't be removed stays.
fn clear_away(beside: &Path) {
    let Ok(entries) = std::fs::read_dir(beside) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let age = entry.metadata().and_then(|known| known.modified());
        let age = age.ok().and_then(|at| at.elapsed().ok());
        if !is_ours || age.is_none_or(|age| age < YOUNG) {
            continue;
        }
        let path = entry.path();
        let lock = RunLock::take(&path.join("idr.db"), Duration::ZERO);
        if lock.is_ok()
            && let Err(error) = std::fs::remove_dir_all(&path)
        {
            tracing::warn!("`{}` can't be removed: {error}", path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::PREFIX;
    use crate::store::sqlite::{SqliteOptions, SqliteStore};
    use crate::store::{Rehearse, RunLock};

    #[test]
    fn a_copy_is_gone_when_dropped_and_those_left_behind_with_the_next() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("idr.db");
        let store = SqliteStore::open(&path, &SqliteOptions::default()).expect("it can be made");
        let copies = || {
            let entries = std::fs::read_dir(folder.path()).expect("it can be read");
            let names = entries.map(|entry| entry.expect("it can be read").file_name());
            names
                .filter(|name| name.to_string_lossy().starts_with(PREFIX))
                .count()
        };
        let copy = store.rehearsal().expect("it can be copied");
        assert_eq!((copies(), copy.tenant().is_ok()), (1, true));
        drop(copy);
        assert_eq!(copies(), 0);
        let aged = |name: &str| {
            let left = folder.path().join(format!("{PREFIX}{name}"));
            std::fs::create_dir(&left).expect("it can be made");
            let long_ago = SystemTime::now() - Duration::from_secs(3_600);
            (left, long_ago)
        };
        let set = |(left, long_ago): &(std::path::PathBuf, SystemTime)| {
            let opened = File::open(left).expect("it is there");
            opened.set_modified(*long_ago).expect("it is ours");
        };
        let gone = aged("gone");
        set(&gone);
        let in_use = aged("in-use");
        let lock = RunLock::take(&in_use.0.join("idr.db"), Duration::ZERO);
        set(&in_use);
        drop(store.rehearsal().expect("it can be copied"));
        assert!(!gone.0.exists() && in_use.0.exists());
        drop(lock);
    }
}
