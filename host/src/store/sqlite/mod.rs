//! The embedded backend: one SQLite file for one tenant.
//!
//! One connection writes, behind a mutex, in transactions that take the write
//! lock at once; as many others as are needed read. The log (WAL) lets them read
//! while it writes. Each file here has the SQL of one kind of thing; the tables
//! and what each is for stand in `migrations/sqlite`.

mod accounts;
mod aggregations;
mod alone;
mod apply;
mod backup;
mod claims;
mod delivery;
mod error;
mod history;
mod identities;
mod open;
mod outbox;
mod pool;
mod prune;
mod records;
mod rehearsal;
mod runs;
mod snapshot;
pub mod superset;
mod tenant;
mod verify;
mod work_items;

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use idr_core::filter::Superset;
use idr_core::meter::{self, Stage, Work};
use idr_core::model::{
    Account, AccountKey, ByHand, Claim, Finding, Identity, IdentityRecord, Name, Uid, UnixMillis,
    Versions,
};
use idr_core::view::Snapshot;
use rusqlite::{Connection, TransactionBehavior};

use self::pool::{Reader, Readers};
use self::records::About;
use self::snapshot::SqliteSnapshot;
use super::{
    AccountMark, Adoption, AggregateBatch, Aggregation, ApplyChunk, AuditEntry, AuditQuery,
    Awaited, ClaimEdit, ClaimQuery, Documents, Due, EffectQuery, EventQuery, Files, LastTimes,
    Managed, OwnChange, Population, Prune, Rehearse, Run, RunId, RunProgress, Selection,
    Settlement, SpooledPlan, StagedChange, Store, StoreError, StoredClaim, StoredEffect,
    StoredEvent, StoredFinding, StoredImage, StoredWorkItem, TenantState, WorkItemQuery,
};

pub use self::alone::Alone;
pub use self::backup::BackupError;
pub use self::open::SqliteOptions;
pub use self::verify::{MOST_PROBLEMS, Verification};

/// More threads than this share the connections of a snapshot.
const MOST_SNAPSHOT_READERS: usize = 16;

/// A store in a file.
pub struct SqliteStore {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Arc<Readers>,
    /// Of a copy to try things on: what it lies in. Removed last.
    folder: Option<rehearsal::Folder>,
}

/// The named points of a write at which tests make it fail or stop.
struct WritePoints {
    kind: &'static str,
    begin: &'static str,
    commit: &'static str,
}

impl WritePoints {
    /// Returns what a thread is busy with that writes there.
    fn stage(&self) -> Stage {
        match self.kind {
            "select" => Stage::Select,
            "spool" => Stage::Spool,
            _ => Stage::Apply,
        }
    }
}

/// Returns the names of all points: `store-KIND-begin`, when a writing
/// transaction has begun, and `store-KIND-commit`, just before it is committed.
#[cfg(feature = "failpoints")]
pub fn write_points() -> Vec<String> {
    let kinds = [
        "tenant",
        "adopt",
        "run",
        "progress",
        "stop",
        "select",
        "spool",
        "apply",
        "aggregate",
        "aggregation",
        "stage",
        "stage-clear",
        "claims",
        "edit",
        "findings",
        "history",
        "mute",
        "prune",
        "audit",
        "settle",
        "work-item",
        "pause",
    ];
    let both = |kind| {
        [
            format!("store-{kind}-begin"),
            format!("store-{kind}-commit"),
        ]
    };
    kinds.into_iter().flat_map(both).collect()
}

macro_rules! points {
    ($name:literal) => {
        &WritePoints {
            kind: $name,
            begin: concat!("store-", $name, "-begin"),
            commit: concat!("store-", $name, "-commit"),
        }
    };
}

impl SqliteStore {
    /// Opens the store in this file: makes it, in a folder for nobody else to
    /// read, if it isn't there, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] when it isn't there and shall not be made,
    /// [`StoreError::Newer`] when a newer version of idr wrote it, and as any
    /// call of [`Store`].
    pub fn open(path: &Path, options: &SqliteOptions) -> Result<Self, StoreError> {
        let writer = open::writer(path, options)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Readers::new(path.to_owned(), options.clone()),
            folder: None,
        })
    }

    /// Returns the store's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Copies the store as it is now into a file that isn't there yet, while
    /// it is in use, and returns the size of the copy in bytes.
    ///
    /// # Errors
    ///
    /// [`BackupError`]; then there is no such file.
    pub fn backup(&self, file: &Path) -> Result<u64, BackupError> {
        backup::backup(&*self.reader()?, file)
    }

    /// Checks the store against itself: the file, every document, and that
    /// columns and indexes say what the documents say. Nothing is repaired.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the check itself isn't possible; what is wrong with
    /// the store is in the result.
    pub fn verify(&self) -> Result<Verification, StoreError> {
        verify::verify(&*self.reader()?)
    }

    /// Reads, decodes and rewrites every document, and nothing else: what a refresh
    /// can't be faster than. The identities of each chunk are shown to `each`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] as any call.
    pub fn alone(&self, each: &mut dyn FnMut(&[Identity])) -> Result<Alone, StoreError> {
        let reader = self.reader()?;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        alone::alone(&reader, &mut writer, each)
    }

    /// Does `work` in a transaction that holds the write lock from its beginning.
    fn write<T>(
        &self,
        points: &WritePoints,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let _section = meter::section(points.stage());
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        stop_at(points, |points| points.begin)?;
        let rows_before = transaction.total_changes();
        let result = work(&transaction)?;
        meter::count(Work::RowsWritten, transaction.total_changes() - rows_before);
        meter::count(Work::Commits, 1);
        stop_at(points, |points| points.commit)?;
        let _commit = meter::section(Stage::Commit);
        transaction.commit()?;
        Ok(result)
    }

    /// As [`SqliteStore::write`], in statements about one identity or account each: what
    /// one copies of pages, in case it fails, stays in memory. Of those about everybody
    /// that would be as much as the tenant is large, so they copy into a file.
    fn write_one_by_one<T>(
        &self,
        points: &WritePoints,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.copy_into("MEMORY")?;
        let result = self.write(points, work);
        self.copy_into("FILE")?;
        result
    }

    fn copy_into(&self, place: &str) -> Result<(), StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.pragma_update(None, "temp_store", place)?;
        Ok(())
    }

    fn reader(&self) -> Result<Reader, StoreError> {
        self.readers.take()
    }
}

/// Fails (`return`) or ends the process (`return(abort)`) where a test wants it.
#[cfg(feature = "failpoints")]
fn stop_at(
    points: &WritePoints,
    point: impl FnOnce(&WritePoints) -> &'static str,
) -> Result<(), StoreError> {
    let name = point(points);
    fail::fail_point!(name, |argument| {
        if argument.as_deref() == Some("abort") {
            std::process::abort();
        }
        Err(StoreError::Unavailable(
            format!("stopped at `{name}`").into(),
        ))
    });
    Ok(())
}

/// Does nothing: there are no points to stop at.
#[cfg(not(feature = "failpoints"))]
fn stop_at(
    _points: &WritePoints,
    _point: impl FnOnce(&WritePoints) -> &'static str,
) -> Result<(), StoreError> {
    Ok(())
}

impl Rehearse for SqliteStore {
    fn rehearsal(&self) -> Result<Box<dyn Store>, StoreError> {
        let copy = rehearsal::rehearsal(&*self.reader()?, &self.path)?;
        Ok(Box::new(copy))
    }
}

impl Store for SqliteStore {
    fn tenant(&self) -> Result<TenantState, StoreError> {
        tenant::tenant(&*self.reader()?)
    }

    fn set_tenant(&self, state: &TenantState) -> Result<(), StoreError> {
        self.write(points!("tenant"), |connection| {
            tenant::set_tenant(connection, state)
        })
    }

    fn adopt(&self, adoption: &Adoption) -> Result<(), StoreError> {
        self.write(points!("adopt"), |connection| {
            tenant::adopt(connection, adoption)
        })
    }

    fn configuration(&self, digest: &str) -> Result<Option<Files>, StoreError> {
        tenant::configuration(&*self.reader()?, digest)
    }

    /// Waits for writers, and holds them up for a moment: the connections of the
    /// snapshot must all see the same state.
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let readers = (0..threads.min(MOST_SNAPSHOT_READERS)).map(|_| self.reader());
        let readers: Vec<Reader> = readers.collect::<Result<_, _>>()?;
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let held = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let snapshot = SqliteSnapshot::begin(readers)?;
        held.rollback()?;
        Ok(Arc::new(snapshot))
    }

    fn read_chunk(&self, uids: &[Uid]) -> Result<Vec<IdentityRecord>, StoreError> {
        let _section = meter::section(Stage::Read);
        identities::read_chunk(&*self.reader()?, uids)
    }

    fn list(
        &self,
        superset: &Superset,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Uid>, StoreError> {
        identities::list(&*self.reader()?, superset, after, limit)
    }

    fn named(&self, name: &str) -> Result<Option<Uid>, StoreError> {
        identities::named(&*self.reader()?, name)
    }

    fn last_times(&self, uids: &[Uid]) -> Result<Vec<LastTimes>, StoreError> {
        identities::last_times(&*self.reader()?, uids)
    }

    fn versions(&self, uids: &[Uid]) -> Result<Vec<Option<Versions>>, StoreError> {
        identities::versions(&*self.reader()?, uids)
    }

    fn population(&self) -> Result<Population, StoreError> {
        identities::population(&*self.reader()?)
    }

    fn managers(&self) -> Result<Vec<Managed>, StoreError> {
        identities::managers(&*self.reader()?)
    }

    fn next_wake(&self, chosen_for: Option<RunId>) -> Result<Option<UnixMillis>, StoreError> {
        identities::next_wake(&*self.reader()?, chosen_for)
    }

    fn due(
        &self,
        as_of: UnixMillis,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        identities::due(&*self.reader()?, as_of, after, limit)
    }

    fn events_pending(&self, after: Option<Uid>, limit: usize) -> Result<Vec<Uid>, StoreError> {
        identities::events_pending(&*self.reader()?, after, limit)
    }

    fn awaited(&self) -> Result<Awaited, StoreError> {
        runs::awaited(&*self.reader()?)
    }

    fn has_readers(&self, hashes: &[i64]) -> Result<bool, StoreError> {
        let _section = meter::section(Stage::Select);
        runs::has_readers(&*self.reader()?, hashes)
    }

    fn begin_run(&self, run: &Run, chosen: &[Uid]) -> Result<RunId, StoreError> {
        self.write(points!("run"), |connection| {
            runs::begin(connection, run, chosen)
        })
    }

    fn update_run(&self, run: &Run) -> Result<(), StoreError> {
        self.write(points!("run"), |connection| runs::update(connection, run))
    }

    fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        runs::run(&*self.reader()?, id)
    }

    fn runs(&self, limit: usize) -> Result<Vec<Run>, StoreError> {
        runs::runs(&*self.reader()?, limit)
    }

    fn note_progress(&self, run: RunId, progress: &RunProgress) -> Result<(), StoreError> {
        self.write(points!("progress"), |connection| {
            runs::note_progress(connection, run, progress)
        })
    }

    fn progress(&self, run: RunId) -> Result<Option<RunProgress>, StoreError> {
        runs::progress(&*self.reader()?, run)
    }

    fn ask_to_stop(&self, run: RunId, audit: &AuditEntry) -> Result<(), StoreError> {
        self.write(points!("stop"), |connection| {
            runs::ask_to_stop(connection, run)?;
            records::audit(connection, audit)
        })
    }

    fn is_asked_to_stop(&self, run: RunId) -> Result<bool, StoreError> {
        runs::is_asked_to_stop(&*self.reader()?, run)
    }

    fn select(&self, run: &Run, selection: &Selection) -> Result<u64, StoreError> {
        self.write(points!("select"), |connection| {
            runs::select(connection, run, selection)
        })
    }

    fn selected(
        &self,
        run: RunId,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Uid>, StoreError> {
        let _section = meter::section(Stage::Select);
        runs::selected(&*self.reader()?, run, after, limit)
    }

    fn spool(&self, run: RunId, plans: &[SpooledPlan]) -> Result<(), StoreError> {
        let documents = runs::documents(plans);
        self.write(points!("spool"), |connection| {
            runs::spool(connection, run, plans, &documents)
        })
    }

    fn spooled(
        &self,
        run: RunId,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<SpooledPlan>, StoreError> {
        let _section = meter::section(Stage::Read);
        runs::spooled(&*self.reader()?, run, after, limit)
    }

    fn prepare(&self, chunk: &mut ApplyChunk) {
        chunk.documents = Documents::of(chunk);
    }

    fn apply(&self, chunk: &ApplyChunk) -> Result<Vec<Uid>, StoreError> {
        let made;
        let documents = match chunk.documents.are_of(chunk) {
            true => &chunk.documents,
            false => {
                made = Documents::of(chunk);
                &made
            }
        };
        self.write_one_by_one(points!("apply"), |connection| {
            apply::apply(connection, chunk, documents)
        })
    }

    fn account_marks(
        &self,
        application: Name,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AccountMark>, StoreError> {
        accounts::marks(&*self.reader()?, application, after, limit)
    }

    fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Account>, StoreError> {
        let documents = accounts::documents(&*self.reader()?, keys)?;
        accounts::decode(keys, &documents)
    }

    fn list_accounts(
        &self,
        application: Option<Name>,
        after: Option<&AccountKey>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        accounts::list(&*self.reader()?, application, after, limit)
    }

    fn correlatable(&self) -> Result<Vec<AccountKey>, StoreError> {
        accounts::correlatable(&*self.reader()?)
    }

    fn aggregate(&self, batch: &AggregateBatch) -> Result<Vec<Uid>, StoreError> {
        let encoded = accounts::encode(batch);
        self.write_one_by_one(points!("aggregate"), |connection| {
            accounts::aggregate(connection, batch, &encoded)
        })
    }

    fn begin_aggregation(&self, aggregation: &Aggregation) -> Result<i64, StoreError> {
        self.write(points!("aggregation"), |connection| {
            aggregations::begin(connection, aggregation)
        })
    }

    fn update_aggregation(&self, aggregation: &Aggregation) -> Result<(), StoreError> {
        self.write(points!("aggregation"), |connection| {
            aggregations::update(connection, aggregation)
        })
    }

    fn aggregation(&self, id: i64) -> Result<Option<Aggregation>, StoreError> {
        aggregations::aggregation(&*self.reader()?, id)
    }

    fn aggregations(&self, limit: usize) -> Result<Vec<Aggregation>, StoreError> {
        aggregations::aggregations(&*self.reader()?, limit)
    }

    fn stage(&self, aggregation: i64, changes: &[StagedChange]) -> Result<(), StoreError> {
        let documents = aggregations::documents(changes);
        self.write(points!("stage"), |connection| {
            aggregations::stage(connection, aggregation, &documents)
        })
    }

    fn staged(
        &self,
        aggregation: i64,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, StagedChange)>, StoreError> {
        let documents = aggregations::staged(&*self.reader()?, aggregation, after, limit)?;
        aggregations::decode(aggregation, &documents)
    }

    fn clear_stage(&self, aggregation: i64) -> Result<(), StoreError> {
        self.write(points!("stage-clear"), |connection| {
            aggregations::clear_stage(connection, aggregation)
        })
    }

    fn claims(
        &self,
        query: &ClaimQuery,
        after: Option<&Claim>,
        limit: usize,
    ) -> Result<Vec<StoredClaim>, StoreError> {
        claims::claims(&*self.reader()?, query, after, limit)
    }

    fn edit_claims(&self, edit: &ClaimEdit, audit: &AuditEntry) -> Result<(), StoreError> {
        self.write(points!("claims"), |connection| {
            claims::edit(connection, edit, audit)
        })
    }

    fn edit_identity(
        &self,
        uid: Uid,
        by_hand: &ByHand,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        self.write(points!("edit"), |connection| {
            let Some(mut identity) = identities::identity(connection, uid)? else {
                return Err(StoreError::no_identity(uid));
            };
            identity.by_hand = by_hand.clone();
            apply::write_document(connection, &identity)?;
            apply::Raiser::new(connection)?.raise(uid, 1, Some(audit.at))?;
            records::audit(connection, audit)
        })
    }

    fn events(&self, query: &EventQuery, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        records::events(&*self.reader()?, query, limit)
    }

    fn effects(&self, query: &EffectQuery, limit: usize) -> Result<Vec<StoredEffect>, StoreError> {
        outbox::effects(&*self.reader()?, query, limit)
    }

    fn history(
        &self,
        uid: Uid,
        until: Option<UnixMillis>,
        limit: usize,
    ) -> Result<Vec<StoredImage>, StoreError> {
        history::history(&*self.reader()?, uid, until, limit)
    }

    fn prune(&self, prunes: &[Prune], at: UnixMillis) -> Result<u64, StoreError> {
        self.write(points!("prune"), |connection| {
            prune::prune(connection, prunes, at)
        })
    }

    fn prune_history(&self, before: UnixMillis) -> Result<u64, StoreError> {
        self.write(points!("history"), |connection| {
            history::prune(connection, before)
        })
    }

    fn open_effects(&self, after: i64, limit: usize) -> Result<Vec<StoredEffect>, StoreError> {
        outbox::open_effects(&*self.reader()?, after, limit)
    }

    fn settle(&self, settlement: &Settlement) -> Result<bool, StoreError> {
        self.write(points!("settle"), |connection| {
            delivery::settle(connection, settlement)
        })
    }

    fn own_changes(&self, keys: &[AccountKey]) -> Result<Vec<OwnChange>, StoreError> {
        delivery::own_changes(&*self.reader()?, keys)
    }

    fn account_memory(&self) -> Result<Vec<(AccountKey, Identity)>, StoreError> {
        accounts::account_memory(&*self.reader()?)
    }

    fn work_items(
        &self,
        query: &WorkItemQuery,
        limit: usize,
    ) -> Result<Vec<StoredWorkItem>, StoreError> {
        work_items::work_items(&*self.reader()?, query, limit)
    }

    fn complete_work_item(&self, id: &str, audit: &AuditEntry) -> Result<(), StoreError> {
        self.write(points!("work-item"), |connection| {
            work_items::complete(connection, id, audit)
        })
    }

    fn is_dispatch_paused(&self) -> Result<bool, StoreError> {
        delivery::is_paused(&*self.reader()?)
    }

    fn pause_dispatch(&self, paused: bool, audit: &AuditEntry) -> Result<(), StoreError> {
        self.write(points!("pause"), |connection| {
            delivery::pause(connection, paused, audit)
        })
    }

    fn findings(&self, closed: bool, limit: usize) -> Result<Vec<StoredFinding>, StoreError> {
        records::findings(&*self.reader()?, closed, limit)
    }

    fn open_findings(&self, at: UnixMillis) -> Result<u64, StoreError> {
        records::open_findings(&*self.reader()?, at)
    }

    fn mute_findings(
        &self,
        numbers: &[i64],
        until: Option<UnixMillis>,
        audit: &AuditEntry,
    ) -> Result<u64, StoreError> {
        self.write(points!("mute"), |connection| {
            let muted = records::mute_findings(connection, numbers, until)?;
            records::audit(connection, audit)?;
            Ok(muted)
        })
    }

    fn set_application_findings(
        &self,
        application: Name,
        findings: &[Finding],
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.write(points!("findings"), |connection| {
            records::set_findings(connection, About::Application(&application), findings, at)
        })
    }

    fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.write(points!("audit"), |connection| {
            records::audit(connection, entry)
        })
    }

    fn audit_entries(
        &self,
        query: &AuditQuery,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        records::audit_entries(&*self.reader()?, query, limit)
    }
}
