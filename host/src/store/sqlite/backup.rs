//! Copying the store into another file while it is in use.

use std::io;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use crate::store::StoreError;

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The file is there already, and isn't overwritten.
    #[error("there is a file `{0}` already")]
    Exists(String),
    /// The file can't be written.
    #[error("the backup can't be written")]
    Write(#[source] io::Error),
    /// The store can't be read, or the copy not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Every page.
const ALL: i32 = -1;

/// Copies all that `connection` sees into `file`, which is made for nobody else
/// to read. It has its name only once it is complete. Returns its size in bytes.
pub(super) fn backup(connection: &Connection, file: &Path) -> Result<u64, BackupError> {
    if file.exists() {
        return Err(BackupError::Exists(file.display().to_string()));
    }
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let draft = tempfile::Builder::new()
        .prefix(".idr-backup-")
        .tempfile_in(folder)
        .map_err(BackupError::Write)?;
    copy(connection, draft.path(), true)?;
    draft.as_file().sync_all().map_err(BackupError::Write)?;
    let bytes = draft
        .as_file()
        .metadata()
        .map_err(BackupError::Write)?
        .len();
    draft.persist_noclobber(file).map_err(|error| {
        match error.error.kind() == io::ErrorKind::AlreadyExists {
            true => BackupError::Exists(file.display().to_string()),
            false => BackupError::Write(error.error),
        }
    })?;
    Ok(bytes)
}

/// Copies in one go: a copy in parts would begin again with every write of
/// somebody else, and might never end. Writers aren't held up.
pub(super) fn copy(connection: &Connection, file: &Path, lasting: bool) -> Result<(), StoreError> {
    let mut copy = Connection::open(file)?;
    if !lasting {
        copy.pragma_update(None, "synchronous", "OFF")?;
    }
    let backup = Backup::new(connection, &mut copy)?;
    match backup.step(ALL)? {
        StepResult::Done => {}
        step => {
            let message = format!("the copy stopped: {step:?}");
            return Err(StoreError::Busy(message.into()));
        }
    }
    drop(backup);
    // What was carried out since would be carried out again: whoever restores the
    // copy says when it goes on. The log is left out: the copy is one file.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    copy.execute("UPDATE tenant SET dispatch_paused = 1", [])?;
    Ok(())
}
