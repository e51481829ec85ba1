//! Stores to test, and what to put into them.

use idr::store::memory::MemoryStore;
use idr::store::sqlite::{SqliteOptions, SqliteStore};
use idr::store::{
    AccountWrite, AggregateBatch, ApplyChunk, Creation, IdentityWrite, Run, RunId, Store,
};
use idr_core::model::{
    Account, AccountKey, AccountStatus, AttributeState, Finding, Identity, IdentityRecord,
    IdentityType, Link, Name, Provenance, Severity, Uid, Value, finding,
};
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
    let folder = folder();
    let path = folder.path().join("state/idr.db");
    TestStore {
        store: SqliteStore::open(&path, &SqliteOptions::default()).expect("a store can be made"),
        _folder: Some(folder),
    }
}

/// Returns an empty folder.
pub(crate) fn folder() -> TempDir {
    TempDir::with_prefix("idr-store-").expect("a temporary folder can be made")
}

/// Creates persons with these names.
pub(crate) fn create<const N: usize>(store: &dyn Store, names: [&str; N]) -> [Uid; N] {
    let batch = AggregateBatch {
        creations: names
            .map(|name| creation(name, IdentityType::Person))
            .to_vec(),
        ..AggregateBatch::default()
    };
    let created = store.aggregate(&batch).expect("the names are free");
    created.try_into().expect("as many as asked for")
}

pub(crate) fn creation(name: &str, identity_type: IdentityType) -> Creation {
    Creation {
        name: name.to_owned(),
        identity_type,
    }
}

/// Reads one identity that is there.
pub(crate) fn read(store: &dyn Store, uid: Uid) -> IdentityRecord {
    let mut records = store.read_chunk(&[uid]).expect("the store can be read");
    records.pop().expect("the identity is there")
}

/// Returns the write of a changed identity, as if everything had been looked at.
pub(crate) fn write(
    store: &dyn Store,
    uid: Uid,
    change: impl FnOnce(&mut Identity),
) -> IdentityWrite {
    let record = read(store, uid);
    let mut identity = record.identity;
    change(&mut identity);
    let mut versions = record.versions;
    versions.identity_read = versions.input;
    versions.access_read = versions.input;
    versions.state += 1;
    IdentityWrite {
        uid,
        identity: Some(identity),
        expected: record.versions,
        versions,
        findings_changed: true,
        reads_changed: true,
        keys_changed: true,
        claims: Vec::new(),
    }
}

/// Returns a chunk of a run that doesn't exist.
pub(crate) fn chunk(writes: impl IntoIterator<Item = IdentityWrite>) -> ApplyChunk {
    ApplyChunk {
        writes: writes.into_iter().collect(),
        ..ApplyChunk::default()
    }
}

/// Writes a changed identity, which is not stale.
pub(crate) fn change(store: &dyn Store, uid: Uid, change: impl FnOnce(&mut Identity)) {
    let chunk = chunk([write(store, uid, change)]);
    let stale = store.apply(&chunk).expect("the write is accepted");
    assert_eq!(stale, []);
}

/// Begins a run, which then is as stored.
pub(crate) fn begin(store: &dyn Store) -> Run {
    begin_for(store, &[])
}

/// Begins a run that is asked to refresh these.
pub(crate) fn begin_for(store: &dyn Store, chosen: &[Uid]) -> Run {
    let run = Run::default();
    let id = store.begin_run(&run, chosen).expect("a run can be begun");
    Run { id, ..run }
}

/// Returns whom a run has selected.
pub(crate) fn selected(store: &dyn Store, run: RunId) -> Vec<Uid> {
    store
        .selected(run, None, 99)
        .expect("the store can be read")
}

/// Sets a text attribute from the first source.
pub(crate) fn set(identity: &mut Identity, attribute: &str, text: &str) {
    let name = Name::new(attribute);
    let state = AttributeState {
        value: Some(Value::text(text)),
        provenance: Provenance::Source(0),
    };
    let attributes = &mut identity.attributes;
    match attributes.binary_search_by(|(known, _)| known.cmp(&name)) {
        Ok(place) => attributes[place].1 = state,
        Err(place) => attributes.insert(place, (name, state)),
    }
}

pub(crate) fn names<const N: usize>(names: [&str; N]) -> Vec<Name> {
    names.map(Name::new).to_vec()
}

pub(crate) fn key(application: &str, native_identity: &str) -> AccountKey {
    AccountKey {
        application: Name::new(application),
        native_identity: native_identity.to_owned(),
    }
}

/// Returns an account with one attribute.
pub(crate) fn account(key: AccountKey, owner: Option<Uid>) -> Account {
    let email = format!("{}@example.org", key.native_identity);
    Account {
        key,
        status: AccountStatus::Enabled,
        missing_since: None,
        taken_away: false,
        attributes: vec![(Name::new("email"), Value::text(email))],
        native_entitlements: Vec::new(),
        link: match owner {
            Some(_) => Link::Correlated,
            None => Link::Uncorrelated,
        },
        owner,
    }
}

/// Writes accounts that look for nothing.
pub(crate) fn write_accounts(store: &dyn Store, accounts: impl IntoIterator<Item = Account>) {
    let writes = accounts.into_iter().map(|account| AccountWrite {
        account,
        created_owner: None,
        lookups: Vec::new(),
    });
    let batch = AggregateBatch {
        accounts: writes.collect(),
        ..AggregateBatch::default()
    };
    store.aggregate(&batch).expect("accounts can be written");
}

/// Returns a finding about a subject.
pub(crate) fn a_finding(severity: Severity, subject: &str, message: &str) -> Finding {
    Finding {
        severity,
        phase: finding::ROLES,
        subject: subject.to_owned(),
        cause: Name::new("rule-trapped"),
        message: message.to_owned(),
        hint: None,
    }
}
