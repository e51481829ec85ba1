//! The store: everything a tenant knows, behind one chunk-grained trait.
//!
//! There are two implementations: [`memory`] is the plain model that tests
//! compare with, [`sqlite`] the embedded engine. Both pass the same contract
//! suite (`tests/store`). A call is one transaction: it happens whole or not at
//! all. The store holds no logic of the refresh: `refresh` and `aggregate` read
//! chunks, work out what they become, and hand back whole new states.

mod codec;
mod delivery;
mod documents;
mod error;
mod fingerprint;
mod lock;
pub mod memory;
mod run;
pub mod sqlite;

use std::collections::BTreeMap;
use std::sync::Arc;

use idr_core::filter::Superset;
use idr_core::model::{
    Account, AccountKey, AttributeChange, ByHand, Claim, Effect, EffectKind, EntitlementDecision,
    Event, Finding, Holder, Identity, IdentityRecord, IdentityType, Image, Name, NativeChange,
    NewClaim, ReadKey, Uid, UnixMillis, ValueChange, Versions,
};
use idr_core::plan::Changes;
use idr_core::planted::{self, Bug};
use idr_core::view::Snapshot;

pub use codec::{decode_record, encode_record};
pub use delivery::{
    EffectProgress, EffectStatus, NewWorkItem, OwnChange, Settlement, StoredWorkItem,
    WorkItemQuery, WorkItemStatus,
};
pub use documents::Documents;
pub use error::StoreError;
pub use fingerprint::{Fingerprint, Fingerprinter, account_fingerprint};
pub use lock::RunLock;
pub use run::{Counters, Run, RunId, RunProgress, RunSettings, RunStatus, Scope, Stage, Step};

/// A store of which there can be a copy to try things on. It is all that a dry
/// run is given, and nothing of it writes.
pub trait Rehearse: Send + Sync {
    /// Returns a copy of all that is stored now, which is gone when it is dropped.
    /// Others may go on writing to the store meanwhile.
    ///
    /// # Errors
    ///
    /// As any call; [`StoreError::Unavailable`] where there is no room for it.
    fn rehearsal(&self) -> Result<Box<dyn Store>, StoreError>;
}

/// A tenant's data. All methods may be called from several threads; writers
/// wait for each other.
///
/// Every method fails with [`StoreError::Busy`] when another process holds the
/// store past the configured wait (safe to retry), with [`StoreError::Corrupt`]
/// when what is stored can't be read back, and with [`StoreError::Unavailable`]
/// otherwise; the sections below name only what is special.
pub trait Store: Rehearse {
    // --- the tenant

    /// Returns what is known of the tenant as a whole.
    fn tenant(&self) -> Result<TenantState, StoreError>;

    /// Replaces what is known of the tenant as a whole; rebuilds the index of
    /// look-up attributes when these differ.
    fn set_tenant(&self, state: &TenantState) -> Result<(), StoreError>;

    /// Adopts a configuration: stores its files under their digest if they
    /// aren't there yet, the digests of its definitions, claims what is unique from
    /// now on, raises the input version of whom the change concerns, and rebuilds
    /// the index of look-up attributes when these differ from the last adoption's.
    fn adopt(&self, adoption: &Adoption) -> Result<(), StoreError>;

    /// Returns the files of an adopted configuration: relative path to content.
    fn configuration(&self, digest: &str) -> Result<Option<Files>, StoreError>;

    // --- reading identities

    /// Returns a view of all identities as they are now, which later writes
    /// don't change for as long as it is held.
    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError>;

    /// Returns identities with their accounts, in the order of `uids`; a uid
    /// that doesn't exist is left out.
    fn read_chunk(&self, uids: &[Uid]) -> Result<Vec<IdentityRecord>, StoreError>;

    /// Returns up to `limit` uids above `after` of identities that the
    /// pre-filter lets through, in order. May return more identities than a
    /// filter means, never fewer: evaluate the filter on what is read. Logical accounts
    /// are in no account's row, so what is asked of accounts narrows nothing.
    fn list(
        &self,
        superset: &Superset,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Uid>, StoreError>;

    /// Returns the identity with exactly this name.
    fn named(&self, name: &str) -> Result<Option<Uid>, StoreError>;

    /// Returns when identities were last refreshed, and last changed by anything
    /// else, in the order of `uids`.
    fn last_times(&self, uids: &[Uid]) -> Result<Vec<LastTimes>, StoreError>;

    /// Returns the versions of identities, in the order of `uids`; none for a uid
    /// that doesn't exist. Whoever has read them can tell whether they have moved on.
    fn versions(&self, uids: &[Uid]) -> Result<Vec<Option<Versions>>, StoreError>;

    /// Counts what percentages of thresholds are taken of.
    fn population(&self) -> Result<Population, StoreError>;

    /// Returns every identity that has a manager, in order of uid.
    fn managers(&self) -> Result<Vec<Managed>, StoreError>;

    // --- who is due

    /// Returns the earliest wake-up of any identity, or of those whom a run
    /// was asked to refresh.
    fn next_wake(&self, chosen_for: Option<RunId>) -> Result<Option<UnixMillis>, StoreError>;

    /// Returns up to `limit` identities that are due at `as_of`, in order of
    /// uid above `after`: an input has changed since it was read, the wake-up
    /// has passed, or the moment of a retry. Workgroups are never due.
    fn due(
        &self,
        as_of: UnixMillis,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError>;

    /// Returns up to `limit` identities whose events have not been processed,
    /// in order of uid above `after`.
    fn events_pending(&self, after: Option<Uid>, limit: usize) -> Result<Vec<Uid>, StoreError>;

    /// Returns what anybody may be waiting for of identities.
    fn awaited(&self) -> Result<Awaited, StoreError>;

    /// Says whether anybody has read a key with one of these hashes
    /// ([`ReadKey::hash64`]), or a key whose change is noted already
    /// ([`ApplyChunk::changed_keys`]) and whose readers aren't selected yet.
    fn has_readers(&self, hashes: &[i64]) -> Result<bool, StoreError>;

    // --- runs

    /// Stores a new run and gives it its number, with whom it was asked to
    /// refresh when its scope is [`Scope::Chosen`]. Drops what runs that are
    /// over have left behind: whom they were asked to refresh, their selections
    /// and spools.
    fn begin_run(&self, run: &Run, chosen: &[Uid]) -> Result<RunId, StoreError>;

    /// Replaces what is stored of a run.
    fn update_run(&self, run: &Run) -> Result<(), StoreError>;

    /// Returns a run.
    fn run(&self, id: RunId) -> Result<Option<Run>, StoreError>;

    /// Returns up to `limit` runs, the latest first.
    fn runs(&self, limit: usize) -> Result<Vec<Run>, StoreError>;

    /// Notes how far a run has come, for other processes; dropped with what runs
    /// that are over leave behind.
    fn note_progress(&self, run: RunId, progress: &RunProgress) -> Result<(), StoreError>;

    /// Returns how far a run had come when it last noted it.
    fn progress(&self, run: RunId) -> Result<Option<RunProgress>, StoreError>;

    /// Asks a run that is under way in another process to stop, as the audit says.
    fn ask_to_stop(&self, run: RunId, audit: &AuditEntry) -> Result<(), StoreError>;

    /// Says whether a run is asked to stop.
    fn is_asked_to_stop(&self, run: RunId) -> Result<bool, StoreError>;

    /// Replaces the run's selection (and drops its spool) by who is meant, and
    /// stores the run, in one transaction. Returns how many were selected.
    fn select(&self, run: &Run, selection: &Selection) -> Result<u64, StoreError>;

    /// Returns up to `limit` selected uids above `after`, in order.
    fn selected(
        &self,
        run: RunId,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Uid>, StoreError>;

    /// Puts plans into the run's spool, each in place of one that is there for
    /// the same identity: a wave that was cut short is planned again.
    fn spool(&self, run: RunId, plans: &[SpooledPlan]) -> Result<(), StoreError>;

    /// Returns up to `limit` spooled plans above `after`, in order of uid.
    fn spooled(
        &self,
        run: RunId,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<SpooledPlan>, StoreError>;

    /// Makes what can be made of a chunk before its turn to be written comes.
    /// [`Store::apply`] does it where nobody has.
    fn prepare(&self, _chunk: &mut ApplyChunk) {}

    /// Writes a chunk of the refresh: identities, events, changed keys, and
    /// the run with its cursor, all in one transaction.
    ///
    /// An identity whose versions are no longer the expected ones, or which would
    /// claim what is another's, is left alone, with its events; its uid is
    /// returned for planning again. One that
    /// doesn't exist is left out. An event that is recorded already stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when two identities would have one name.
    fn apply(&self, chunk: &ApplyChunk) -> Result<Vec<Uid>, StoreError>;

    // --- accounts

    /// Returns marks of up to `limit` accounts of an application with native
    /// identities above `after`, in order of these.
    fn account_marks(
        &self,
        application: Name,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AccountMark>, StoreError>;

    /// Returns the accounts with these keys that exist, in the order of `keys`.
    fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Account>, StoreError>;

    /// Returns up to `limit` accounts of an application (of all when absent)
    /// above `after`, in order of key.
    fn list_accounts(
        &self,
        application: Option<Name>,
        after: Option<&AccountKey>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError>;

    /// Returns the accounts without an owner (and not linked by hand) that look
    /// for a value which some identity now has, in order of key.
    fn correlatable(&self) -> Result<Vec<AccountKey>, StoreError>;

    /// Writes a batch of accounts: creates identities (and raises the input
    /// versions of those who have looked for their names), writes accounts (what
    /// was decided about their entitlements goes with them to another owner),
    /// raises the input versions of owners, notes native changes (and raises
    /// the input versions of the identities concerned), and stores the
    /// aggregation, all in one transaction. A new identity has input version 1,
    /// all others 0, and an unseen baseline. Who is created, owns an account or
    /// has a native change was modified at the batch's instant, or else when the
    /// person did it. Returns the uids of the identities created, in their order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when a name is taken.
    fn aggregate(&self, batch: &AggregateBatch) -> Result<Vec<Uid>, StoreError>;

    /// Stores a new aggregation and gives it its number.
    fn begin_aggregation(&self, aggregation: &Aggregation) -> Result<i64, StoreError>;

    /// Replaces what is stored of an aggregation.
    fn update_aggregation(&self, aggregation: &Aggregation) -> Result<(), StoreError>;

    /// Returns an aggregation.
    fn aggregation(&self, id: i64) -> Result<Option<Aggregation>, StoreError>;

    /// Returns up to `limit` aggregations, the latest first.
    fn aggregations(&self, limit: usize) -> Result<Vec<Aggregation>, StoreError>;

    /// Appends what an aggregation wants to do to its stage, which is kept
    /// until it is done, accepted or rejected.
    fn stage(&self, aggregation: i64, changes: &[StagedChange]) -> Result<(), StoreError>;

    /// Returns up to `limit` staged changes above position `after` (the first
    /// is 1), with their positions: fewer where their documents are large, none only
    /// where there are none.
    fn staged(
        &self,
        aggregation: i64,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, StagedChange)>, StoreError>;

    /// Drops the stage of an aggregation.
    fn clear_stage(&self, aggregation: i64) -> Result<(), StoreError>;

    // --- unique values

    /// Returns up to `limit` unique values above `after` that are somebody's or
    /// reserved, in order of namespace and value.
    fn claims(
        &self,
        query: &ClaimQuery,
        after: Option<&Claim>,
        limit: usize,
    ) -> Result<Vec<StoredClaim>, StoreError>;

    /// Changes by hand whose unique values are. Who wanted one that is released
    /// becomes due.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when a value to reserve is taken, or one to
    /// release isn't: then nothing is changed.
    fn edit_claims(&self, edit: &ClaimEdit, audit: &AuditEntry) -> Result<(), StoreError>;

    // --- what people do and see

    /// Replaces what people have decided about an identity, and raises its
    /// input version; it was modified when the audit says.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when there is no such identity.
    fn edit_identity(
        &self,
        uid: Uid,
        by_hand: &ByHand,
        audit: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// Returns up to `limit` events, the latest first; of one identity or trigger only, when given.
    fn events(&self, query: &EventQuery, limit: usize) -> Result<Vec<StoredEvent>, StoreError>;

    /// Returns up to `limit` effects of the outbox, the latest first; of one
    /// identity, or those that wait or were given up, only, when asked so.
    fn effects(&self, query: &EffectQuery, limit: usize) -> Result<Vec<StoredEffect>, StoreError>;

    /// Returns up to `limit` images of what an identity was, the latest first; only
    /// those up to an instant, when asked so.
    fn history(
        &self,
        uid: Uid,
        until: Option<UnixMillis>,
        limit: usize,
    ) -> Result<Vec<StoredImage>, StoreError>;

    /// Drops the images that had been followed by others of the same identity at an
    /// instant: whoever asks for what it was then, or later, is told as before.
    /// Returns how many.
    fn prune_history(&self, before: UnixMillis) -> Result<u64, StoreError>;

    /// Removes identities that nobody needs any more: with their accounts, which
    /// none of them has any more, and their history; findings about them are closed
    /// at an instant. Raises the input versions of who has read something of them.
    /// What was recorded of them stays; the unique values that were theirs are reserved,
    /// and their numbers are never given again. One whose versions are no longer the
    /// expected ones is left alone, with its audit entry. Returns how many are removed.
    fn prune(&self, prunes: &[Prune], at: UnixMillis) -> Result<u64, StoreError>;

    /// Returns up to `limit` effects that are to be carried out or under way,
    /// behind this place in the outbox, in order.
    fn open_effects(&self, after: i64, limit: usize) -> Result<Vec<StoredEffect>, StoreError>;

    /// Writes what has become of an effect, and what goes with it. Work items
    /// that are there already stay as they are, and are opened again where they
    /// were withdrawn. What was sent is noted with the identity, whose input
    /// version is raised. Returns false, and writes nothing, when the effect no
    /// longer stands as expected.
    fn settle(&self, settlement: &Settlement) -> Result<bool, StoreError>;

    /// Returns what idr itself has done, or is doing, with these accounts, in
    /// the order of `keys`; nothing for those that it hasn't touched.
    fn own_changes(&self, keys: &[AccountKey]) -> Result<Vec<OwnChange>, StoreError>;

    /// Returns what is kept of accounts that are nobody's, by their keys: identities that
    /// have nothing but what idr gave in the account, and what was decided about it.
    fn account_memory(&self) -> Result<Vec<(AccountKey, Identity)>, StoreError>;

    /// Returns up to `limit` work items, the latest first.
    fn work_items(
        &self,
        query: &WorkItemQuery,
        limit: usize,
    ) -> Result<Vec<StoredWorkItem>, StoreError>;

    /// Closes a work item as done, by whom and with what comment the audit says
    /// (its actor and its reason). An effect that consists of it is done then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Conflict`] when there is none with this id, or it isn't open.
    fn complete_work_item(&self, id: &str, audit: &AuditEntry) -> Result<(), StoreError>;

    /// Says whether nothing is to be carried out until a person says otherwise:
    /// the store is a restored backup, or somebody has paused it.
    fn is_dispatch_paused(&self) -> Result<bool, StoreError>;

    /// Pauses carrying out, or lets it go on.
    fn pause_dispatch(&self, paused: bool, audit: &AuditEntry) -> Result<(), StoreError>;

    /// Returns open findings about identities and applications, most severe
    /// first, then by identity (with `closed`, closed ones as well).
    fn findings(&self, closed: bool, limit: usize) -> Result<Vec<StoredFinding>, StoreError>;

    /// Counts the open findings that aren't muted at an instant.
    fn open_findings(&self, at: UnixMillis) -> Result<u64, StoreError>;

    /// Mutes open findings until an instant, or lets them speak again. Returns
    /// how many of the numbers are those of open findings. One that is opened
    /// anew isn't muted.
    fn mute_findings(
        &self,
        numbers: &[i64],
        until: Option<UnixMillis>,
        audit: &AuditEntry,
    ) -> Result<u64, StoreError>;

    /// Replaces the open findings about an application.
    fn set_application_findings(
        &self,
        application: Name,
        findings: &[Finding],
        at: UnixMillis,
    ) -> Result<(), StoreError>;

    /// Notes that something was done by a person.
    fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Returns up to `limit` audit entries, the latest first; those of one actor,
    /// action or subject only, when asked so.
    fn audit_entries(
        &self,
        query: &AuditQuery,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError>;
}

/// Identities are read in chunks of this many where nobody says otherwise.
const CHUNK: usize = 1_000;

/// Calls `visit` with every identity, in order of uid.
///
/// # Errors
///
/// [`StoreError`] when the store can't be read, and whatever `visit` returns.
pub fn each_identity<E: From<StoreError>>(
    store: &dyn Store,
    mut visit: impl FnMut(IdentityRecord) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = None;
    loop {
        let uids = store.list(&Superset::All, after, CHUNK)?;
        let Some(last) = uids.last().copied() else {
            return Ok(());
        };
        after = Some(last);
        for record in store.read_chunk(&uids)? {
            visit(record)?;
        }
    }
}

/// Configuration files: path relative to the tenant's directory, and content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What is known of a tenant as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantState {
    /// The latest instant at which anything was committed, by refresh or aggregation.
    pub last_as_of: Option<UnixMillis>,
    /// Whether a first refresh has set the trigger baselines.
    pub baselines_set: bool,
    /// Digest of the configuration last adopted.
    pub configuration: Option<String>,
    /// Digests of its definitions, by kind and name (`common`, `role NAME`, `trigger NAME`).
    pub definitions: BTreeMap<String, u64>,
    /// The attributes that the look-up index covers, sorted.
    pub lookup_attributes: Vec<Name>,
    /// Rule components (by sha256) whose reused instances answer differently
    /// from fresh ones: each call gets an instance of its own.
    pub isolated_rules: Vec<String>,
}

/// Taking over a configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adoption {
    /// Its digest.
    pub configuration: String,
    /// Its files.
    pub files: Files,
    /// As [`TenantState::definitions`].
    pub definitions: BTreeMap<String, u64>,
    /// As [`TenantState::lookup_attributes`].
    pub lookup_attributes: Vec<Name>,
    /// The values that identities have and that are to be unique from now on. Of
    /// each that is free the first becomes the holder.
    pub claims: Vec<(Claim, Uid)>,
    /// Whom the change makes due.
    pub raise: Raise,
}

/// Whose input version to raise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Raise {
    /// Nobody's.
    #[default]
    Nobody,
    /// Everybody's.
    Everybody,
    /// These identities'.
    Identities(Vec<Uid>),
}

/// What percentages of thresholds are taken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Population {
    /// All identities apart from workgroups.
    pub identities: u64,
    /// Those that aren't inactive.
    pub active: u64,
    /// Those with at least one assigned role.
    pub with_roles: u64,
}

/// When an identity was last refreshed, and last changed by anything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastTimes {
    /// The instant of the last run that refreshed it, as [`Selection::Readers`] noted.
    pub refreshed: Option<UnixMillis>,
    /// When an account of it or something that people decide was last written.
    pub modified: Option<UnixMillis>,
}

/// An identity that has a manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Managed {
    /// Who.
    pub uid: Uid,
    /// Whether it is inactive.
    pub inactive: bool,
    /// The manager.
    pub manager: Uid,
    /// Whether the manager is inactive.
    pub manager_inactive: bool,
}

/// Why an identity is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Who.
    pub uid: Uid,
    /// The name.
    pub name: String,
    /// Whether an input has changed since it was read.
    pub inputs_changed: bool,
    /// The wake-up, passed or to come.
    pub wake_at: Option<UnixMillis>,
    /// The moment of the next retry, passed or to come.
    pub retry_at: Option<UnixMillis>,
}

/// Who a run or a wave of it is about. Workgroups are never selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Nobody any more: what was selected and planned is dropped.
    Nobody {
        /// Raises the input version of whom the run had selected: only its
        /// selection knew that something they have read has changed.
        stay_due: bool,
    },
    /// Everybody.
    All,
    /// Who is due at an instant.
    Due(UnixMillis),
    /// Whose wake-up is exactly this instant.
    Wake(UnixMillis),
    /// Whom the run was asked to refresh.
    Chosen,
    /// Those of them whose wake-up is exactly this instant.
    ChosenWake(UnixMillis),
    /// Who has read something that was changed since this was last selected,
    /// by this run or by one that didn't get so far. The changed keys are
    /// dropped in the same transaction.
    Readers {
        /// Notes that whom the run had selected until now was refreshed at this
        /// instant, when it is given.
        refreshed_at: Option<UnixMillis>,
    },
}

/// What others may be waiting for of identities: see [`Store::awaited`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    /// Whether anybody has read something of others.
    pub by_readers: bool,
    /// The attributes that accounts without an owner (and not linked by hand) look for,
    /// in order.
    pub by_accounts: Vec<Name>,
}

/// One plan in a run's spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpooledPlan {
    /// Whose.
    pub uid: Uid,
    /// The versions that it was planned from.
    pub planned: Versions,
    /// Whether triggers may have something to say, although nothing changes.
    pub events: bool,
    /// What changes.
    pub changes: Changes,
}

/// A chunk of a refresh to be written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApplyChunk {
    /// The run with its cursor behind this chunk.
    pub run: Run,
    /// The identities.
    pub writes: Vec<IdentityWrite>,
    /// Events of identities in `writes`, in order.
    pub events: Vec<Event>,
    /// Effects about identities in `writes`, in order, for the outbox. One that
    /// was withdrawn waits again.
    pub effects: Vec<Effect>,
    /// Effects that are withdrawn where they aren't carried out yet: those that
    /// wait, that failed or were given up, or that somebody was asked to do, who
    /// isn't asked any more.
    pub withdrawn: Vec<Effect>,
    /// What changed that others may have read.
    pub changed_keys: Vec<ReadKey>,
    /// What identities in `writes` are from the run's instant on, for the history.
    pub history: Vec<(Uid, Image)>,
    /// What is done to identities in `writes`, for the audit.
    pub audit: Vec<(Uid, AuditEntry)>,
    /// Whether `as_of` of the run is to become the tenant's last.
    pub instant: Option<UnixMillis>,
    /// What is made of it beforehand: see [`Store::prepare`].
    pub documents: Documents,
}

impl ApplyChunk {
    /// Adds what another writes, behind its own.
    pub(crate) fn append(&mut self, other: Self) {
        let Self {
            run: _,
            writes,
            events,
            effects,
            withdrawn,
            changed_keys,
            history,
            audit,
            instant: _,
            documents,
        } = other;
        self.writes.extend(writes);
        self.events.extend(events);
        self.effects.extend(effects);
        self.withdrawn.extend(withdrawn);
        self.changed_keys.extend(changed_keys);
        self.history.extend(history);
        self.audit.extend(audit);
        self.documents.append(documents);
    }
}

/// An identity to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityWrite {
    /// The identity as it shall be; `None` leaves the document as it is and
    /// only sets the versions.
    pub identity: Option<Identity>,
    /// Who.
    pub uid: Uid,
    /// The versions that the plan was made from: `input` and `state` must
    /// still be the same.
    pub expected: Versions,
    /// The versions that it gets.
    pub versions: Versions,
    /// Whether the open findings differ from what is stored.
    pub findings_changed: bool,
    /// Whether what it read of others differs from what is stored.
    pub reads_changed: bool,
    /// Whether what it is looked up by differs, so that the look-up index must follow.
    pub keys_changed: bool,
    /// The unique values that it takes.
    pub claims: Vec<NewClaim>,
}

/// What aggregation knows of a stored account without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountMark {
    /// What its application calls it.
    pub native_identity: String,
    /// [`account_fingerprint`] of the account.
    pub fingerprint: Fingerprint,
    /// Whether the last full aggregation listed it.
    pub present: bool,
    /// Whether it belongs to an identity.
    pub owned: bool,
}

/// Accounts to be written by an aggregation, or by correlation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AggregateBatch {
    /// Identities to create, in input order.
    pub creations: Vec<Creation>,
    /// Accounts as they shall be, in place of what is stored under their keys.
    pub accounts: Vec<AccountWrite>,
    /// Native changes to note with identities for their triggers.
    pub native_changes: Vec<(Uid, NativeChange)>,
    /// The aggregation with its cursor behind this batch.
    pub aggregation: Option<Aggregation>,
    /// What a person did, if it was one.
    pub audit: Option<AuditEntry>,
    /// The instant to note as the tenant's last.
    pub instant: Option<UnixMillis>,
}

impl AggregateBatch {
    /// Returns when whom it concerns was modified by it; a refresh that
    /// correlates says nothing.
    fn modified_at(&self) -> Option<UnixMillis> {
        let audited = self.audit.as_ref().map(|entry| entry.at);
        self.instant.or(audited)
    }
}

/// An identity to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creation {
    /// Its name, which nobody has yet.
    pub name: String,
    /// What kind of identity it is.
    pub identity_type: IdentityType,
}

/// An account to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountWrite {
    /// The account. The input versions of its old and its new owner are raised.
    pub account: Account,
    /// Its owner is the identity created by this place in
    /// [`AggregateBatch::creations`], instead of `account.owner`.
    pub created_owner: Option<usize>,
    /// The values by which its identity was looked for.
    pub lookups: Vec<ReadKey>,
}

/// What one aggregation read and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aggregation {
    /// Its number, from [`Store::begin_aggregation`].
    pub id: i64,
    /// The application.
    pub application: String,
    /// The file that was read.
    pub file: String,
    /// Whether the file lists changes only.
    pub delta: bool,
    /// The instant that it speaks of.
    pub as_of: UnixMillis,
    /// How far it has come.
    pub status: AggregationStatus,
    /// Position in the stage behind which nothing is applied yet.
    pub cursor: i64,
    /// How much it found, by name: `read`, `unchanged`, `created`, `modified`,
    /// `vanished`, `returned`, `broken`, `correlated`, `identities`, ….
    pub counters: BTreeMap<String, u64>,
    /// Why it is held, with examples; empty when it isn't.
    pub held: Vec<String>,
    /// The entitlement attributes that the file was read for, sorted.
    pub entitlements: Vec<Name>,
}

/// How far an aggregation has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AggregationStatus {
    /// Reading; nothing is applied yet. One that was left so is forgotten by the next.
    #[default]
    Staging,
    /// Applying the stage; one that was left so is finished by the next.
    Applying,
    /// Waiting for a person.
    Held,
    /// Done.
    Done,
    /// A person said no, or a newer aggregation has overtaken it while it was held.
    Rejected,
}

impl AggregationStatus {
    /// Returns the word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Applying => "applying",
            Self::Held => "held",
            Self::Done => "done",
            Self::Rejected => "rejected",
        }
    }
}

/// One thing that an aggregation wants to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StagedChange {
    /// The account was listed like this: new, changed, or back again. `link`
    /// and `owner` mean nothing here.
    Listed(Account),
    /// The account was not listed by a full aggregation.
    Missing(AccountKey),
}

/// Which events to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Of this identity only.
    pub uid: Option<Uid>,
    /// Of this trigger only.
    pub trigger: Option<Name>,
}

/// An event as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its id: a hash of identity, sequence, trigger and what changed.
    pub id: String,
    /// The name of the identity now.
    pub name: String,
    /// The event.
    pub event: Event,
}

/// Which effects to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EffectQuery {
    /// About this identity only.
    pub uid: Option<Uid>,
    /// Only those that wait to be carried out.
    pub waiting: bool,
    /// Only those that were given up.
    pub dead: bool,
    /// The one with this id only.
    pub id: Option<String>,
}

/// An effect in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEffect {
    /// Its id, which is the same whichever run finds it.
    pub id: String,
    /// The name of the identity now.
    pub name: String,
    /// Its place in the outbox, counted from 1: effects are carried out in this order.
    pub number: i64,
    /// How it stands.
    pub progress: EffectProgress,
    /// The effect.
    pub effect: Effect,
}

/// Which unique values to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimQuery {
    /// Of this namespace only.
    pub namespace: Option<Name>,
    /// Those of this identity only.
    pub uid: Option<Uid>,
}

/// A unique value that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredClaim {
    /// The value.
    pub claim: Claim,
    /// Whose it is.
    pub holder: Holder,
    /// The name of that identity now; empty when it is reserved.
    pub name: String,
}

/// What a person does about unique values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimEdit {
    /// Keeps free values from being given.
    Reserve(Vec<Claim>),
    /// Lets taken values be given again.
    Release(Vec<Claim>),
    /// Gives what is one identity's to another.
    Give {
        /// The one.
        from: Uid,
        /// The other.
        to: Uid,
        /// Of these only what is the one's; all of it when absent.
        only: Option<Vec<Claim>>,
    },
}

/// An identity to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prune {
    /// Who.
    pub uid: Uid,
    /// The versions that it was judged by: `input` and `state` must still be the same.
    pub expected: Versions,
    /// What the audit says of it.
    pub audit: AuditEntry,
}

/// What the history says of an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredImage {
    /// From this instant on, until the next image.
    pub at: UnixMillis,
    /// What it was.
    pub image: Image,
}

/// A finding as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFinding {
    /// Its number, counted from 1.
    pub number: i64,
    /// The identity that it is about.
    pub uid: Option<Uid>,
    /// The name of that identity now, or of the application.
    pub name: String,
    /// The finding.
    pub finding: Finding,
    /// When it was first seen.
    pub first_seen: UnixMillis,
    /// When it was closed.
    pub closed_at: Option<UnixMillis>,
    /// Until when a person has muted it: then it doesn't count as open.
    pub muted_until: Option<UnixMillis>,
}

/// Which audit entries to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this actor only.
    pub actor: Option<String>,
    /// Of this action only.
    pub action: Option<String>,
    /// Only those whose subject is this, or begins with it and a space.
    pub subject: Option<String>,
}

impl AuditQuery {
    /// Says whether an entry is meant.
    fn means(&self, entry: &AuditEntry) -> bool {
        let is = |wanted: &Option<String>, text: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == text)
        };
        let is_subject = self.subject.as_ref().is_none_or(|wanted| {
            let rest = entry.subject.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        });
        is(&self.actor, &entry.actor) && is(&self.action, &entry.action) && is_subject
    }
}

/// Something done by a person, or by a run that a person has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: String,
    /// What: `refresh`, `edit`, `link`, `unlink`, `approve`, `reject`, `accept`, ….
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why.
    pub reason: String,
}

/// Refuses an account whose owner its batch doesn't create.
fn check_created_owner(write: &AccountWrite, creations: usize) -> Result<(), StoreError> {
    match write.created_owner {
        Some(place) if place >= creations => Err(StoreError::Conflict(format!(
            "the batch creates no identity {place}"
        ))),
        _ => Ok(()),
    }
}

/// Hands over what was decided about entitlements of an account, and what idr
/// remembers of it, to the identity that has the account now. Says whether there was
/// anything.
fn hand_over(account: &AccountKey, from: &mut Identity, to: &mut Identity) -> bool {
    let decisions = std::mem::take(&mut from.by_hand.entitlements).into_iter();
    let (taken, left): (Vec<EntitlementDecision>, _) =
        decisions.partition(|known| known.account == *account);
    from.by_hand.entitlements = left;
    let has_decisions = !taken.is_empty();
    if has_decisions {
        let decisions = &mut to.by_hand.entitlements;
        decisions.retain(|known| known.account != *account);
        decisions.extend(taken);
        decisions
            .sort_by(|one, other| (&one.account, &one.about).cmp(&(&other.account, &other.about)));
    }
    if planted::is(Bug::ForgetWhatWasGiven) {
        return has_decisions;
    }
    from.hand_over_provisioning(account, to) || has_decisions
}

/// Returns the id of an event: the same change of the same identity always has
/// the same one, whichever run finds it.
pub fn event_id(event: &Event) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(event.uid.0.to_le_bytes());
    hasher.update(event.sequence.to_le_bytes());
    hasher.update(event.trigger.as_bytes());
    for change in &event.changes {
        hasher.update([0]);
        hasher.update(&change.what);
        for value in [&change.old, &change.new] {
            hasher.update([1]);
            if let Some(value) = value {
                hasher.update(value.value_type().as_str());
                value.each_text(|text| {
                    hasher.update([2]);
                    hasher.update(text);
                });
            }
        }
    }
    hex::encode(&hasher.finalize()[..16])
}

/// Returns the id of an effect: the same for the same thing to be done, whichever
/// run finds it.
pub fn effect_id(effect: &Effect) -> String {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    hasher.update(effect.uid.0.to_le_bytes());
    match &effect.what {
        EffectKind::Account(action) => {
            hasher.update([0]);
            hasher.update(action.account.application.as_bytes());
            hasher.update([0]);
            hasher.update(&action.account.native_identity);
            hasher.update([0]);
            hasher.update(action.operation.as_str());
            hasher.update([0]);
            hasher.update(action.to.as_deref().unwrap_or_default());
            hasher.update(action.since.0.to_le_bytes());
            for change in &action.changes {
                hash_change(&mut hasher, change);
            }
        }
        EffectKind::WorkItem(item) => {
            hasher.update([2]);
            for text in [item.owner.as_deref().unwrap_or_default(), &item.description] {
                hasher.update((text.len() as u64).to_le_bytes());
                hasher.update(text);
            }
            hasher.update(item.since.0.to_le_bytes());
        }
        EffectKind::Handler {
            trigger,
            sequence,
            place,
            handler: _,
            hops: _,
        } => {
            hasher.update([1]);
            hasher.update(trigger.as_bytes());
            hasher.update(sequence.to_le_bytes());
            hasher.update(place.to_le_bytes());
        }
    }
    hex::encode(&hasher.finalize()[..16])
}

/// Adds a change to what an effect's id is made of: each part with its length.
fn hash_change(hasher: &mut sha2::Sha256, change: &AttributeChange) {
    use sha2::Digest;
    let (word, texts): (_, Vec<String>) = match &change.change {
        ValueChange::Set(value) => (
            "set",
            value.iter().map(|value| format!("{value:?}")).collect(),
        ),
        ValueChange::Add(values) => ("add", values.clone()),
        ValueChange::Remove(values) => ("remove", values.clone()),
    };
    let parts = [change.attribute.as_str(), word];
    hasher.update((texts.len() as u64).to_le_bytes());
    for part in parts.into_iter().chain(texts.iter().map(String::as_str)) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
}

/// Returns the hashes of all that others may have read of an identity, which are
/// changed when it is removed.
fn keys_of(identity: &Identity) -> Vec<i64> {
    let mut keys = vec![ReadKey::Lookup(
        Name::new("name"),
        idr_core::text::fold(&identity.name),
    )];
    let own = ["name", "uid", "lifecycleState", "inactive"].map(Name::new);
    let own = own.into_iter();
    for name in own.chain(identity.attributes.iter().map(|(name, _)| *name)) {
        keys.push(ReadKey::Attribute(identity.uid, name));
        if let Some(value) = identity.value(name) {
            value.each_text(|text| keys.push(ReadKey::Lookup(name, idr_core::text::fold(text))));
        }
    }
    let mut hashes: Vec<i64> = keys.iter().map(ReadKey::hash64).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// Returns the values under which an identity is found by look-up, sorted,
/// case-folded: for the index that both stores keep.
pub fn lookup_keys(identity: &Identity, lookup_attributes: &[Name]) -> Vec<(Name, String)> {
    let mut keys = Vec::new();
    for &attribute in lookup_attributes {
        if let Some(value) = identity.readable(attribute) {
            value.each_text(|text| keys.push((attribute, idr_core::text::fold(text))));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}
