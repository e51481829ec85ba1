//! One process at a time: refreshes, aggregations and edits of a tenant.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::StoreError;

/// How often a lock that somebody else has is tried again.
const TRY_EVERY: Duration = Duration::from_millis(50);

/// Held by the one process that refreshes, aggregates or edits a tenant. The
/// system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock of the store in this file, once nobody else has it, and
    /// notes this process in the lock's file, which lies beside the store's.
    ///
    /// # Errors
    ///
    /// [`StoreError::Locked`], which names the other process, when that still
    /// has it after `wait`; [`StoreError::Unavailable`] when there can be no such file.
    pub fn take(store: &Path, wait: Duration) -> Result<Self, StoreError> {
        let unavailable = |error: io::Error| StoreError::Unavailable(error.into());
        let mut path = store.as_os_str().to_owned();
        path.push(".lock");
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(false);
        let mut file = open.mode(0o600).open(path).map_err(unavailable)?;
        let deadline = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    sign(&mut file).map_err(unavailable)?;
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    std::thread::sleep(TRY_EVERY);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(StoreError::Locked {
                        process: signature(&mut file),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(unavailable(error)),
            }
        }
    }
}

/// Writes who has the lock.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

/// Reads who has the lock, if that is there by now.
fn signature(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RunLock;
    use crate::store::StoreError;

    #[test]
    fn the_second_is_told_who_has_the_lock_until_it_is_let_go() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = folder.path().join("idr.db");
        let take = || RunLock::take(&store, Duration::ZERO);
        let first = take().expect("nobody has it");
        let error = take().expect_err("somebody has it");
        assert!(error.is_retryable());
        let own = std::process::id();
        assert!(matches!(error, StoreError::Locked { process: Some(process) } if process == own));
        drop(first);
        take().expect("nobody has it any more");
    }
}
