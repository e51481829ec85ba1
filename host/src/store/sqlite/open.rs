//! Opening a store's file: who may read it, how SQLite treats it, and bringing
//! its schema up to date.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use idr_core::meter::{self, Work};
use idr_core::model::{AccountKey, Name};
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::identities::decode_account;
use crate::store::{StoreError, account_fingerprint};

/// How a store is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// Whether the file is made when it isn't there.
    pub create: bool,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// Whether what is written outlasts a crash of the machine. A copy to try
    /// things on doesn't.
    pub lasting: bool,
    /// The most pages that the file may have: for tests of a full disk.
    pub max_page_count: Option<u32>,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            create: true,
            busy_timeout: Duration::from_secs(10),
            lasting: true,
            max_page_count: None,
        }
    }
}

/// Marks the file as a store of idr: "idr1".
const APPLICATION_ID: i32 = 0x6964_7231;

/// A page holds a few documents; the default of 4096 would hold one or two.
const PAGE_SIZE: i64 = 8192;

/// The log goes into the file when it has this many pages (32 MB).
const LOG_PAGES: i64 = 4096;

/// What the log is cut down to once it is in the file.
const LOG_BYTES_KEPT: i64 = 64 << 20;

/// What each connection remembers of the file, in KB.
const CACHE_KB: i64 = 4 << 10;

/// Statements that a connection keeps prepared.
const CACHED_STATEMENTS: usize = 64;

/// The migrations, in order; a file's schema is the number of those it has.
const MIGRATIONS: [&str; 14] = [
    include_str!("../../../migrations/sqlite/0001_tenant-identities-accounts-runs.sql"),
    include_str!("../../../migrations/sqlite/0002_chosen.sql"),
    include_str!("../../../migrations/sqlite/0003_last-times.sql"),
    include_str!("../../../migrations/sqlite/0004_outbox.sql"),
    include_str!("../../../migrations/sqlite/0005_runs-seen-by-others.sql"),
    include_str!("../../../migrations/sqlite/0006_muted-findings.sql"),
    include_str!("../../../migrations/sqlite/0007_retries.sql"),
    include_str!("../../../migrations/sqlite/0008_claims.sql"),
    include_str!("../../../migrations/sqlite/0009_dispatch.sql"),
    include_str!("../../../migrations/sqlite/0010_history.sql"),
    include_str!("../../../migrations/sqlite/0011_fingerprints.sql"),
    include_str!("../../../migrations/sqlite/0012_account-memory.sql"),
    include_str!("../../../migrations/sqlite/0013_population.sql"),
    include_str!("../../../migrations/sqlite/0014_open-findings.sql"),
];

/// What migrations call the function that returns an account's fingerprint: of native
/// identity and document.
const FINGERPRINT: &str = "account_fingerprint";

/// Opens the file for writing: makes it if it isn't there and may be made, and
/// brings its schema up to date.
///
/// # Errors
///
/// [`StoreError::Missing`], [`StoreError::Newer`], and as any call.
pub(super) fn writer(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    if !path.exists() {
        if !options.create {
            return Err(StoreError::Missing(path.to_owned()));
        }
        create(path).map_err(|error| StoreError::Unavailable(error.into()))?;
    }
    let mut connection = connect(path, options)?;
    connection.pragma_update(None, "page_size", PAGE_SIZE)?;
    turn_on_log(&connection, options.busy_timeout)?;
    let synchronous = if options.lasting { "FULL" } else { "OFF" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
    if let Some(pages) = options.max_page_count {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    migrate(&mut connection)?;
    Ok(connection)
}

/// Opens the file for reading only. It must be a store already.
pub(super) fn reader(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let connection = connect(path, options)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path, options: &SqliteOptions) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(options.busy_timeout)?;
    if meter::is_counted() {
        let count = |_: TraceEvent<'_>| meter::count(Work::Statements, 1);
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(count))?;
    }
    connection.pragma_update(None, "cache_size", -CACHE_KB)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    // A plan never depends on what is bound: otherwise statements are prepared
    // again and again, for each value that is bound.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Makes the folder and an empty file, for nobody else to read. SQLite gives its
/// log the rights of the file.
pub(super) fn create(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut open = OpenOptions::new();
    open.write(true).create(true).truncate(false).mode(0o600);
    open.open(path).map(drop)
}

/// SQLite doesn't wait for others while the log is turned on, so this does.
fn turn_on_log(connection: &Connection, timeout: Duration) -> Result<(), StoreError> {
    let deadline = Instant::now() + timeout;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return Ok(result?),
        }
    }
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    let schema = |connection: &Connection| -> Result<i64, StoreError> {
        let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match found {
            0..=i64::MAX if found <= known => Ok(found),
            _ => Err(StoreError::Newer { found, known }),
        }
    };
    if schema(connection)? == known {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it meanwhile.
    let found = schema(&transaction)?;
    transaction.create_scalar_function(FINGERPRINT, 2, FunctionFlags::default(), |arguments| {
        let key = AccountKey {
            application: Name::new(""),
            native_identity: arguments.get(0)?,
        };
        let document: Option<String> = arguments.get(1)?;
        let document = document.unwrap_or_default();
        let account = decode_account(key, None, document.as_bytes());
        Ok(account.ok().map(|account| account_fingerprint(&account).0))
    })?;
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.remove_function(FINGERPRINT, 2)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}
