//! Killed at any write: the next aggregation leaves what the undisturbed one
//! would have left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use idr::aggregate::{AggregateError, AggregateOptions, resume};
use idr::store::{
    AccountMark, Adoption, AggregateBatch, Aggregation, AggregationStatus, ApplyChunk, AuditEntry,
    AuditQuery, Awaited, ClaimEdit, ClaimQuery, Due, EffectQuery, EventQuery, Files, LastTimes,
    Managed, OwnChange, Population, Prune, Rehearse, Run, RunId, RunProgress, Selection,
    Settlement, SpooledPlan, StagedChange, Store, StoreError, StoredClaim, StoredEffect,
    StoredEvent, StoredFinding, StoredImage, StoredWorkItem, TenantState, WorkItemQuery,
};
use idr_core::definitions::NativeChangeDetection;
use idr_core::filter::Superset;
use idr_core::model::{
    Account, AccountKey, ByHand, Claim, Finding, Identity, IdentityRecord, Name, NativeOperation,
    Uid, UnixMillis, Versions,
};
use idr_core::view::Snapshot;

use crate::tenant::{Tenant, day, everybody};

/// A store that fails at one of its writes: before it, or after it was done.
struct Fragile<'a> {
    inner: &'a dyn Store,
    writes_left: AtomicU32,
    after: bool,
}

impl Fragile<'_> {
    fn write<T>(&self, write: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let killed = || StoreError::Unavailable("killed".into());
        let left = self.writes_left.fetch_sub(1, Ordering::Relaxed);
        match left {
            0 => panic!("the program went on although it was killed"),
            1 if self.after => write().and_then(|_| Err(killed())),
            1 => Err(killed()),
            _ => write(),
        }
    }
}

impl Rehearse for Fragile<'_> {
    fn rehearsal(&self) -> Result<Box<dyn Store>, StoreError> {
        self.inner.rehearsal()
    }
}

macro_rules! fragile {
    (
        $(read $read:ident($($ra:ident: $rt:ty),*) -> $ro:ty;)*
        $(write $write:ident($($wa:ident: $wt:ty),*) -> $wo:ty;)*
    ) => {
        impl Store for Fragile<'_> {
            $(fn $read(&self, $($ra: $rt),*) -> Result<$ro, StoreError> {
                self.inner.$read($($ra),*)
            })*
            $(fn $write(&self, $($wa: $wt),*) -> Result<$wo, StoreError> {
                self.write(|| self.inner.$write($($wa),*))
            })*
        }
    };
}

fragile! {
    read tenant() -> TenantState;
    read configuration(digest: &str) -> Option<Files>;
    read snapshot() -> Arc<dyn Snapshot>;
    read read_chunk(uids: &[Uid]) -> Vec<IdentityRecord>;
    read list(superset: &Superset, after: Option<Uid>, limit: usize) -> Vec<Uid>;
    read versions(uids: &[Uid]) -> Vec<Option<Versions>>;
    read named(name: &str) -> Option<Uid>;
    read progress(run: RunId) -> Option<RunProgress>;
    read is_asked_to_stop(run: RunId) -> bool;
    read last_times(uids: &[Uid]) -> Vec<LastTimes>;
    read population() -> Population;
    read managers() -> Vec<Managed>;
    read next_wake(chosen_for: Option<RunId>) -> Option<UnixMillis>;
    read due(as_of: UnixMillis, after: Option<Uid>, limit: usize) -> Vec<Due>;
    read events_pending(after: Option<Uid>, limit: usize) -> Vec<Uid>;
    read awaited() -> Awaited;
    read has_readers(hashes: &[i64]) -> bool;
    read run(id: RunId) -> Option<Run>;
    read runs(limit: usize) -> Vec<Run>;
    read selected(run: RunId, after: Option<Uid>, limit: usize) -> Vec<Uid>;
    read spooled(run: RunId, after: Option<Uid>, limit: usize) -> Vec<SpooledPlan>;
    read account_marks(
        application: Name,
        after: Option<&str>,
        limit: usize
    ) -> Vec<AccountMark>;
    read accounts(keys: &[AccountKey]) -> Vec<Account>;
    read list_accounts(
        application: Option<Name>,
        after: Option<&AccountKey>,
        limit: usize
    ) -> Vec<Account>;
    read correlatable() -> Vec<AccountKey>;
    read aggregation(id: i64) -> Option<Aggregation>;
    read aggregations(limit: usize) -> Vec<Aggregation>;
    read staged(aggregation: i64, after: i64, limit: usize) -> Vec<(i64, StagedChange)>;
    read events(query: &EventQuery, limit: usize) -> Vec<StoredEvent>;
    read effects(query: &EffectQuery, limit: usize) -> Vec<StoredEffect>;
    read open_effects(after: i64, limit: usize) -> Vec<StoredEffect>;
    read own_changes(keys: &[AccountKey]) -> Vec<OwnChange>;
    read account_memory() -> Vec<(AccountKey, Identity)>;
    read work_items(query: &WorkItemQuery, limit: usize) -> Vec<StoredWorkItem>;
    read is_dispatch_paused() -> bool;
    read history(uid: Uid, until: Option<UnixMillis>, limit: usize) -> Vec<StoredImage>;
    read findings(closed: bool, limit: usize) -> Vec<StoredFinding>;
    read open_findings(at: UnixMillis) -> u64;
    read claims(query: &ClaimQuery, after: Option<&Claim>, limit: usize) -> Vec<StoredClaim>;
    read audit_entries(query: &AuditQuery, limit: usize) -> Vec<AuditEntry>;
    write set_tenant(state: &TenantState) -> ();
    write adopt(adoption: &Adoption) -> ();
    write begin_run(run: &Run, chosen: &[Uid]) -> RunId;
    write update_run(run: &Run) -> ();
    write select(run: &Run, selection: &Selection) -> u64;
    write spool(run: RunId, plans: &[SpooledPlan]) -> ();
    write apply(chunk: &ApplyChunk) -> Vec<Uid>;
    write aggregate(batch: &AggregateBatch) -> Vec<Uid>;
    write begin_aggregation(aggregation: &Aggregation) -> i64;
    write update_aggregation(aggregation: &Aggregation) -> ();
    write stage(aggregation: i64, changes: &[StagedChange]) -> ();
    write clear_stage(aggregation: i64) -> ();
    write edit_identity(uid: Uid, by_hand: &ByHand, audit: &AuditEntry) -> ();
    write settle(settlement: &Settlement) -> bool;
    write complete_work_item(id: &str, audit: &AuditEntry) -> ();
    write pause_dispatch(paused: bool, audit: &AuditEntry) -> ();
    write prune(prunes: &[Prune], at: UnixMillis) -> u64;
    write prune_history(before: UnixMillis) -> u64;
    write set_application_findings(
        application: Name,
        findings: &[Finding],
        at: UnixMillis
    ) -> ();
    write audit(entry: &AuditEntry) -> ();
    write edit_claims(edit: &ClaimEdit, audit: &AuditEntry) -> ();
    write mute_findings(
        numbers: &[i64],
        until: Option<UnixMillis>,
        audit: &AuditEntry
    ) -> u64;
    write note_progress(run: RunId, progress: &RunProgress) -> ();
    write ask_to_stop(run: RunId, audit: &AuditEntry) -> ();
}

const BEFORE: &str = "
    1,ana,ana@x,IT,a,
    2,bela,bela@x,IT,b,
    3,chidi,chidi@x,HR,,
    4,dora,team@x,HR,,
    5,eve,team@x,HR,,
    6,,finn@x,HR,,";

const AFTER: &str = "
    7,gil,gil@x,IT,,
    1,ana,ana@x,HR,a|c,
    4,dora,team@x,HR,,
    5,ana,team@x,IT,,off
    8,gil,ana@x,IT,,
    9,,nobody@x,IT,,
    2,bela
    6,finn,finn@x,HR,,
    10,hana,team@x,IT,,";

fn tenant(accounts_per_transaction: usize) -> Tenant {
    let mut tenant = Tenant::new();
    tenant.accounts_per_transaction = accounts_per_transaction;
    let hr = tenant.application("hr");
    hr.correlation.reverse();
    hr.native_changes = Some(NativeChangeDetection {
        operations: vec![
            NativeOperation::Create,
            NativeOperation::Modify,
            NativeOperation::Delete,
        ],
        attributes: Vec::new(),
    });
    tenant.full("hr", 1, BEFORE);
    tenant.set("ana", "email", "ana@x");
    tenant.set("dora", "email", "team@x");
    tenant.set("eve", "email", "team@x");
    tenant.write(AFTER);
    tenant
}

fn options(tenant: &Tenant) -> AggregateOptions<'_> {
    AggregateOptions {
        as_of: Some(day(2)),
        ..tenant.options()
    }
}

/// Aggregates into a store that is killed at a write; says whether it got so far.
fn killed_at(tenant: &Tenant, write: u32, after: bool) -> bool {
    let store = Fragile {
        inner: &tenant.store,
        writes_left: AtomicU32::new(write),
        after,
    };
    match tenant.try_aggregate(&store, "hr", &options(tenant)) {
        Ok(_) => false,
        Err(AggregateError::Store(StoreError::Unavailable(_))) => true,
        Err(error) => panic!("{error}"),
    }
}

/// Everything that an aggregation leaves, apart from the list of aggregations.
fn state(tenant: &Tenant) -> (Vec<IdentityRecord>, String, Vec<StoredFinding>, TenantState) {
    let store = &tenant.store;
    let records = store
        .read_chunk(&everybody(store))
        .expect("memory never fails");
    let findings = store.findings(false, 1_000).expect("memory never fails");
    let known = store.tenant().expect("memory never fails");
    (records, tenant.accounts(), findings, known)
}

#[test]
fn the_undisturbed_aggregation_does_a_bit_of_everything() {
    let tenant = tenant(1_000);
    let counted = tenant.aggregated("hr", &options(&tenant));
    insta::assert_snapshot!(counted, @"2 done: read=9 unchanged=1 created=4 modified=3 vanished=1 broken=1 correlated=3 uncorrelated=1 ambiguous=1 identities=2 nativeChanges=4");
}

#[test]
fn the_next_aggregation_finishes_what_was_killed() {
    for accounts_per_transaction in [1, 2, 1_000] {
        let undisturbed = tenant(accounts_per_transaction);
        undisturbed.aggregated("hr", &options(&undisturbed));
        let wanted = state(&undisturbed);
        let mut write = 1;
        loop {
            let mut got_so_far = false;
            for after in [false, true] {
                let tenant = tenant(accounts_per_transaction);
                got_so_far = killed_at(&tenant, write, after);
                tenant.aggregated("hr", &options(&tenant));
                assert_eq!(
                    state(&tenant),
                    wanted,
                    "killed at write {write}, after: {after}"
                );
            }
            if !got_so_far {
                break;
            }
            write += 1;
        }
        assert!(write > 5, "an aggregation writes several times");
    }
}

#[test]
fn what_was_being_applied_can_be_resumed_without_the_file() {
    let undisturbed = tenant(2);
    undisturbed.aggregated("hr", &options(&undisturbed));
    let wanted = state(&undisturbed);
    let aggregation = |tenant: &Tenant| {
        let known = tenant.store.aggregation(2).expect("memory never fails");
        // Each tenant lies in a folder of its own.
        known.map(|known| Aggregation {
            file: String::new(),
            ..known
        })
    };
    let mut resumed = 0;
    for write in 1.. {
        let tenant = tenant(2);
        if !killed_at(&tenant, write, true) {
            break;
        }
        std::fs::remove_file(tenant.feed()).expect("it is there");
        let status = aggregation(&tenant).map(|known| known.status);
        let done = resume(&tenant.context(&tenant.store, "hr"), &mut |_| {});
        let done = done.expect("memory never fails");
        assert_eq!(done.is_some(), status == Some(AggregationStatus::Applying));
        if done.is_some() {
            assert_eq!(state(&tenant), wanted);
            assert_eq!(aggregation(&tenant), aggregation(&undisturbed));
            resumed += 1;
        }
    }
    assert!(resumed > 3);
}

#[test]
fn what_was_only_read_is_forgotten() {
    let tenant = tenant(1);
    let before = tenant.accounts();
    assert!(killed_at(&tenant, 3, true));
    let known = tenant.store.aggregation(2).expect("memory never fails");
    assert_eq!(
        known.expect("it has begun").status,
        AggregationStatus::Staging
    );
    assert_eq!(tenant.accounts(), before);
    tenant.write(BEFORE);
    let counted = tenant.aggregated("hr", &options(&tenant));
    insta::assert_snapshot!(counted, @"2 done: read=6 unchanged=6 uncorrelated=1");
}
