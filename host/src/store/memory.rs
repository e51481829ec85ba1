//! The store in memory: the plain model that tests compare with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use idr_core::filter::Superset;
use idr_core::model::{
    Account, AccountKey, ByHand, Claim, Effect, EffectKind, Finding, Holder, Identity,
    IdentityRecord, IdentityType, Image, Name, NewClaim, ReadKey, Uid, UnixMillis, Value, Versions,
};
use idr_core::view::{Snapshot, SnapshotError};

use super::{
    AccountMark, Adoption, AggregateBatch, Aggregation, ApplyChunk, AuditEntry, AuditQuery,
    Awaited, ClaimEdit, ClaimQuery, Due, EffectProgress, EffectQuery, EffectStatus, EventQuery,
    Files, IdentityWrite, LastTimes, Managed, NewWorkItem, OwnChange, Population, Prune, Raise,
    Rehearse, Run, RunId, RunProgress, RunStatus, Selection, Settlement, SpooledPlan, StagedChange,
    Store, StoreError, StoredClaim, StoredEffect, StoredEvent, StoredFinding, StoredImage,
    StoredWorkItem, TenantState, WorkItemQuery, WorkItemStatus, account_fingerprint,
    check_created_owner, effect_id, event_id, hand_over, keys_of, lookup_keys,
};

/// A store that is gone when it is dropped.
#[derive(Default)]
pub struct MemoryStore {
    data: Mutex<Data>,
}

#[derive(Clone, Default)]
struct Data {
    tenant: TenantState,
    configurations: BTreeMap<String, Files>,
    people: Arc<People>,
    accounts: BTreeMap<AccountKey, (Account, Vec<ReadKey>)>,
    runs: Vec<Run>,
    chosen: BTreeMap<RunId, BTreeSet<Uid>>,
    last_times: BTreeMap<Uid, LastTimes>,
    progress: BTreeMap<RunId, RunProgress>,
    asked_to_stop: BTreeSet<RunId>,
    selections: BTreeMap<RunId, Vec<Uid>>,
    spools: BTreeMap<RunId, Vec<SpooledPlan>>,
    changed_keys: BTreeSet<i64>,
    aggregations: Vec<Aggregation>,
    stages: BTreeMap<i64, Vec<StagedChange>>,
    events: Vec<idr_core::model::Event>,
    event_ids: BTreeSet<String>,
    outbox: Vec<(Effect, EffectProgress)>,
    work_items: Vec<StoredWorkItem>,
    own_changes: BTreeMap<AccountKey, OwnChange>,
    account_memory: BTreeMap<AccountKey, Identity>,
    dispatch_paused: bool,
    findings: Vec<StoredFinding>,
    audit: Vec<AuditEntry>,
    history: BTreeMap<(Uid, UnixMillis), Image>,
    last_uid: i64,
}

/// What a snapshot sees; copied when it is written to while one is held.
#[derive(Clone, Default)]
struct People {
    identities: BTreeMap<Uid, (Identity, Versions)>,
    lookup_attributes: Vec<Name>,
    claims: BTreeMap<Claim, Holder>,
}

impl Snapshot for People {
    fn attribute_of(&self, uid: Uid, attribute: Name) -> Result<Option<Value>, SnapshotError> {
        Ok(self
            .identities
            .get(&uid)
            .and_then(|(identity, _)| identity.readable(attribute)))
    }

    fn find(&self, attribute: Name, folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        let has = |identity: &Identity| {
            let keys = lookup_keys(identity, &self.lookup_attributes);
            keys.iter()
                .any(|(name, text)| *name == attribute && text == folded)
        };
        let found = self
            .identities
            .iter()
            .filter(|(_, (identity, _))| has(identity));
        Ok(found.map(|(uid, _)| *uid).collect())
    }

    fn holder(&self, claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        Ok(self.claims.get(claim).copied())
    }

    fn chain_of(&self, uid: Uid, attribute: Name) -> Result<u32, SnapshotError> {
        let known = self.identities.get(&uid);
        Ok(known.map_or(0, |(identity, _)| identity.baseline.chain_of(attribute)))
    }
}

impl Data {
    /// Returns the accounts that look for an identity, with what they look for.
    fn looking(&self) -> impl Iterator<Item = &(Account, Vec<ReadKey>)> {
        let accounts = self.accounts.values();
        accounts.filter(|(account, _)| {
            account.owner.is_none() && account.link != idr_core::model::Link::Manual
        })
    }

    /// Records an effect that isn't recorded yet; one that was withdrawn waits again.
    fn record_effect(&mut self, effect: &Effect) {
        let id = effect_id(effect);
        let mut known = self.outbox.iter_mut();
        let found = known.find(|(known, _)| known.uid == effect.uid && effect_id(known) == id);
        match found {
            None => self
                .outbox
                .push((effect.clone(), EffectProgress::default())),
            Some((_, progress)) if progress.status == EffectStatus::Withdrawn => {
                *progress = EffectProgress {
                    at: progress.at,
                    ..EffectProgress::default()
                };
            }
            Some(_) => {}
        }
    }

    /// Withdraws an effect that isn't carried out yet, with what people were to do.
    fn withdraw_effect(&mut self, effect: &Effect) {
        let id = effect_id(effect);
        let is_open =
            |item: &StoredWorkItem| item.item.effect == id && item.status == WorkItemStatus::Open;
        let asked = self.work_items.iter().any(is_open);
        let mut known = self.outbox.iter_mut();
        let found = known.find(|(known, _)| known.uid == effect.uid && effect_id(known) == id);
        let Some((_, progress)) = found else { return };
        match progress.status {
            EffectStatus::Waiting | EffectStatus::Failed | EffectStatus::Dead => {}
            EffectStatus::Sent if asked => {}
            EffectStatus::Sent | EffectStatus::Done | EffectStatus::Withdrawn => return,
        }
        let tried = !asked && progress.attempts > 0;
        progress.status = EffectStatus::Withdrawn;
        progress.next_attempt = None;
        for item in self.work_items.iter_mut().filter(|item| is_open(item)) {
            item.status = WorkItemStatus::Withdrawn;
        }
        if let EffectKind::Account(action) = &effect.what
            && let Some((identity, versions)) = self.people().identities.get_mut(&effect.uid)
            && identity.note_withdrawn(action, tried)
        {
            versions.input += 1;
        }
    }

    /// Returns an effect by its place.
    fn stored_effect(&self, index: usize) -> StoredEffect {
        let (effect, progress) = &self.outbox[index];
        let known = self.people.identities.get(&effect.uid);
        let name = known.map(|(identity, _)| identity.name.clone());
        StoredEffect {
            id: effect_id(effect),
            name: name.unwrap_or_default(),
            number: index as i64 + 1,
            progress: progress.clone(),
            effect: effect.clone(),
        }
    }

    /// Opens a work item that isn't there yet, or again one that was withdrawn.
    fn open_work_item(&mut self, item: &NewWorkItem) {
        let known = self
            .work_items
            .iter_mut()
            .find(|known| known.item.id == item.id);
        match known {
            None => self.work_items.push(StoredWorkItem {
                item: item.clone(),
                name: String::new(),
                status: WorkItemStatus::Open,
                closed_at: None,
                closed_by: None,
                comment: None,
            }),
            Some(known) if known.status == WorkItemStatus::Withdrawn => {
                known.status = WorkItemStatus::Open;
                known.item.opened_at = item.opened_at;
            }
            Some(_) => {}
        }
    }

    fn people(&mut self) -> &mut People {
        Arc::make_mut(&mut self.people)
    }

    fn record(&self, uid: Uid) -> Option<IdentityRecord> {
        let (identity, versions) = self.people.identities.get(&uid)?;
        let owned = self
            .accounts
            .values()
            .filter(|(account, _)| account.owner == Some(uid));
        let accounts = owned.map(|(account, _)| account.clone()).collect();
        let mut record = IdentityRecord {
            identity: identity.clone(),
            accounts,
            versions: *versions,
        };
        record.show_logical_accounts();
        Some(record)
    }

    fn raise(&mut self, uid: Uid) {
        if let Some((_, versions)) = self.people().identities.get_mut(&uid) {
            versions.input += 1;
        }
    }

    fn modify(&mut self, uid: Uid, at: Option<UnixMillis>) {
        if at.is_some() && self.people.identities.contains_key(&uid) {
            self.last_times.entry(uid).or_default().modified = at;
        }
    }

    /// Gives another owner what was decided about entitlements of an account, and
    /// what idr remembers of it. While the account is nobody's, that is kept beside it.
    fn hand_over(&mut self, account: &AccountKey, from: Option<Uid>, to: Option<Uid>) {
        let kept = self.account_memory.remove(account).unwrap_or_default();
        let identities = &mut self.people().identities;
        let of = |uid: Option<Uid>| match uid {
            Some(uid) => identities.get(&uid).map(|(identity, _)| identity.clone()),
            None => Some(kept.clone()),
        };
        let (Some(mut giver), Some(mut taker)) = (of(from), of(to)) else {
            return;
        };
        if !hand_over(account, &mut giver, &mut taker) {
            return;
        }
        for (uid, identity) in [(from, giver), (to, taker)] {
            let known = uid.and_then(|uid| self.people().identities.get_mut(&uid));
            match known {
                Some((known, _)) => *known = identity,
                None if uid == to => {
                    self.account_memory.insert(account.clone(), identity);
                }
                None => {}
            }
        }
    }

    fn raise_readers(&mut self, key: i64) {
        for (identity, versions) in self.people().identities.values_mut() {
            let mut reads = identity.reads.iter().chain(&identity.event_reads);
            if reads.any(|read| read.hash64() == key) {
                versions.input += 1;
            }
        }
    }

    fn refreshed(&self) -> impl Iterator<Item = (Uid, &Identity, &Versions)> {
        let everybody = self.people.identities.iter();
        everybody
            .filter(|(_, (identity, _))| identity.identity_type != IdentityType::Workgroup)
            .map(|(uid, (identity, versions))| (*uid, identity, versions))
    }

    fn due(&self, as_of: UnixMillis) -> Vec<Due> {
        self.refreshed()
            .filter(|(_, identity, versions)| {
                let has_come = |at: Option<UnixMillis>| at.is_some_and(|at| at <= as_of);
                versions.inputs_changed()
                    || has_come(identity.wake.at())
                    || has_come(identity.retries.at())
            })
            .map(|(uid, identity, versions)| Due {
                uid,
                name: identity.name.clone(),
                inputs_changed: versions.inputs_changed(),
                wake_at: identity.wake.at(),
                retry_at: identity.retries.at(),
            })
            .collect()
    }

    fn set_findings(
        &mut self,
        uid: Option<Uid>,
        application: &str,
        findings: &[Finding],
        at: UnixMillis,
    ) {
        let about = |stored: &StoredFinding| {
            stored.uid == uid && (uid.is_some() || stored.name == application)
        };
        for stored in self.findings.iter_mut().filter(|stored| about(stored)) {
            let open = findings
                .iter()
                .find(|finding| finding.is_same(&stored.finding));
            match open {
                Some(finding) if stored.closed_at.is_none() => stored.finding = finding.clone(),
                None if stored.closed_at.is_none() => stored.closed_at = Some(at),
                _ => {}
            }
        }
        for finding in findings {
            let known = self.findings.iter().any(|stored| {
                about(stored) && stored.closed_at.is_none() && stored.finding.is_same(finding)
            });
            if !known {
                self.findings.push(StoredFinding {
                    number: self.findings.len() as i64 + 1,
                    uid,
                    name: application.to_owned(),
                    finding: finding.clone(),
                    first_seen: at,
                    closed_at: None,
                    muted_until: None,
                });
            }
        }
    }

    fn is_chosen(&self, run: RunId, uid: Uid) -> bool {
        self.chosen
            .get(&run)
            .is_some_and(|uids| uids.contains(&uid))
    }

    /// Drops whom runs that are over were asked to refresh, their selections and spools.
    fn drop_what_is_over(&mut self) {
        for run in self.runs.iter().filter(|run| run.status.is_over()) {
            self.chosen.remove(&run.id);
            self.selections.remove(&run.id);
            self.spools.remove(&run.id);
            self.progress.remove(&run.id);
            self.asked_to_stop.remove(&run.id);
        }
    }

    /// Says what becomes of each write.
    fn fates(&self, writes: &[IdentityWrite]) -> Vec<Fate> {
        let mut claims = self.people.claims.clone();
        let mut fate = |write: &IdentityWrite| {
            let Some((_, versions)) = self.people.identities.get(&write.uid) else {
                return Fate::Written;
            };
            let own = Holder::Identity(write.uid);
            let is_free = |new: &NewClaim| claims.get(&new.claim).is_none_or(|known| *known == own);
            if !write.claims.iter().all(is_free) {
                return Fate::Refused;
            }
            if is_stale(versions, &write.expected) {
                return Fate::Stale;
            }
            claims.extend(write.claims.iter().map(|new| (new.claim.clone(), own)));
            Fate::Written
        };
        writes.iter().map(&mut fate).collect()
    }

    /// Refuses writes after which two identities would have one name.
    fn check_names(&self, writes: &[IdentityWrite], fates: &[Fate]) -> Result<(), StoreError> {
        let mut names: BTreeMap<&str, Uid> = BTreeMap::new();
        for (uid, (identity, _)) in &self.people.identities {
            names.insert(&identity.name, *uid);
        }
        for (write, fate) in writes.iter().zip(fates) {
            let (Some(new), Some((old, _))) =
                (&write.identity, self.people.identities.get(&write.uid))
            else {
                continue;
            };
            if new.name == old.name || *fate != Fate::Written {
                continue;
            }
            if names.insert(&new.name, write.uid).is_some() {
                return Err(StoreError::name_taken(&new.name));
            }
            names.remove(old.name.as_str());
        }
        Ok(())
    }

    fn store_run(&mut self, run: &Run) {
        if let Some(stored) = self.runs.iter_mut().find(|stored| stored.id == run.id) {
            stored.clone_from(run);
        }
    }

    fn store_aggregation(&mut self, aggregation: &Aggregation) {
        if let Some(stored) = self
            .aggregations
            .iter_mut()
            .find(|known| known.id == aggregation.id)
        {
            stored.clone_from(aggregation);
        }
    }

    fn note_instant(&mut self, instant: Option<UnixMillis>) {
        self.tenant.last_as_of = self.tenant.last_as_of.max(instant);
    }
}

/// What becomes of a write.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is written, if the identity is there.
    Written,
    /// The identity has moved on.
    Stale,
    /// It would claim what is another's.
    Refused,
}

/// Says whether an identity has moved on since it was planned.
fn is_stale(versions: &Versions, expected: &Versions) -> bool {
    versions.input != expected.input || versions.state != expected.state
}

impl MemoryStore {
    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rehearse for MemoryStore {
    fn rehearsal(&self) -> Result<Box<dyn Store>, StoreError> {
        let data = Mutex::new(self.data().clone());
        Ok(Box::new(Self { data }))
    }
}

impl Store for MemoryStore {
    fn tenant(&self) -> Result<TenantState, StoreError> {
        Ok(self.data().tenant.clone())
    }

    fn set_tenant(&self, state: &TenantState) -> Result<(), StoreError> {
        let mut data = self.data();
        data.tenant.clone_from(state);
        data.people()
            .lookup_attributes
            .clone_from(&state.lookup_attributes);
        Ok(())
    }

    fn adopt(&self, adoption: &Adoption) -> Result<(), StoreError> {
        let mut data = self.data();
        data.configurations
            .entry(adoption.configuration.clone())
            .or_insert_with(|| adoption.files.clone());
        data.tenant.configuration = Some(adoption.configuration.clone());
        data.tenant.definitions.clone_from(&adoption.definitions);
        data.tenant
            .lookup_attributes
            .clone_from(&adoption.lookup_attributes);
        data.people()
            .lookup_attributes
            .clone_from(&adoption.lookup_attributes);
        for (claim, uid) in &adoption.claims {
            let claims = data.people().claims.entry(claim.clone());
            claims.or_insert(Holder::Identity(*uid));
        }
        let raised: Vec<Uid> = match &adoption.raise {
            Raise::Nobody => Vec::new(),
            Raise::Everybody => data.people.identities.keys().copied().collect(),
            Raise::Identities(uids) => uids.clone(),
        };
        raised.into_iter().for_each(|uid| data.raise(uid));
        Ok(())
    }

    fn configuration(&self, digest: &str) -> Result<Option<Files>, StoreError> {
        Ok(self.data().configurations.get(digest).cloned())
    }

    fn snapshot(&self) -> Result<Arc<dyn Snapshot>, StoreError> {
        Ok(Arc::clone(&self.data().people) as Arc<dyn Snapshot>)
    }

    fn read_chunk(&self, uids: &[Uid]) -> Result<Vec<IdentityRecord>, StoreError> {
        let data = self.data();
        Ok(uids.iter().filter_map(|uid| data.record(*uid)).collect())
    }

    fn list(
        &self,
        _superset: &Superset,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Uid>, StoreError> {
        let data = self.data();
        let above = data
            .people
            .identities
            .keys()
            .copied()
            .filter(|uid| Some(*uid) > after);
        Ok(above.take(limit).collect())
    }

    fn named(&self, name: &str) -> Result<Option<Uid>, StoreError> {
        let data = self.data();
        let found = data
            .people
            .identities
            .iter()
            .find(|(_, (identity, _))| identity.name == name);
        Ok(found.map(|(uid, _)| *uid))
    }

    fn last_times(&self, uids: &[Uid]) -> Result<Vec<LastTimes>, StoreError> {
        let data = self.data();
        let known = uids.iter().map(|uid| data.last_times.get(uid).copied());
        Ok(known.map(Option::unwrap_or_default).collect())
    }

    fn versions(&self, uids: &[Uid]) -> Result<Vec<Option<Versions>>, StoreError> {
        let data = self.data();
        let known = uids.iter().map(|uid| data.people.identities.get(uid));
        Ok(known
            .map(|known| known.map(|(_, versions)| *versions))
            .collect())
    }

    fn population(&self) -> Result<Population, StoreError> {
        let data = self.data();
        let mut population = Population::default();
        for (_, identity, _) in data.refreshed() {
            population.identities += 1;
            population.active += u64::from(!identity.inactive);
            population.with_roles += u64::from(!identity.assigned.is_empty());
        }
        Ok(population)
    }

    fn managers(&self) -> Result<Vec<Managed>, StoreError> {
        let data = self.data();
        let people = &data.people.identities;
        let is_inactive = |uid| people.get(&uid).is_some_and(|(known, _)| known.inactive);
        let managed = people.iter().filter_map(|(uid, (identity, _))| {
            Some(Managed {
                uid: *uid,
                inactive: identity.inactive,
                manager: identity.manager?,
                manager_inactive: is_inactive(identity.manager?),
            })
        });
        Ok(managed.collect())
    }

    fn next_wake(&self, chosen_for: Option<RunId>) -> Result<Option<UnixMillis>, StoreError> {
        let data = self.data();
        Ok(data
            .refreshed()
            .filter(|(uid, ..)| chosen_for.is_none_or(|run| data.is_chosen(run, *uid)))
            .filter_map(|(_, identity, _)| identity.wake.at())
            .min())
    }

    fn due(
        &self,
        as_of: UnixMillis,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Due>, StoreError> {
        let due = self.data().due(as_of);
        Ok(due
            .into_iter()
            .filter(|due| Some(due.uid) > after)
            .take(limit)
            .collect())
    }

    fn events_pending(&self, after: Option<Uid>, limit: usize) -> Result<Vec<Uid>, StoreError> {
        let data = self.data();
        let pending = data
            .refreshed()
            .filter(|(_, _, versions)| versions.events_pending());
        Ok(pending
            .map(|(uid, ..)| uid)
            .filter(|uid| Some(*uid) > after)
            .take(limit)
            .collect())
    }

    fn awaited(&self) -> Result<Awaited, StoreError> {
        let data = self.data();
        let mut people = data.people.identities.values();
        let reads =
            |identity: &Identity| !identity.reads.is_empty() || !identity.event_reads.is_empty();
        let lookups = data.looking().flat_map(|(_, lookups)| lookups);
        let attributes: BTreeSet<&str> = lookups
            .filter_map(|key| match key {
                ReadKey::Lookup(attribute, _) => Some(attribute.as_str()),
                ReadKey::Attribute(..) | ReadKey::Claim(_) => None,
            })
            .collect();
        Ok(Awaited {
            by_readers: people.any(|(identity, _)| reads(identity)),
            by_accounts: attributes.into_iter().map(Name::new).collect(),
        })
    }

    fn has_readers(&self, hashes: &[i64]) -> Result<bool, StoreError> {
        let data = self.data();
        let hashes: BTreeSet<i64> = hashes.iter().copied().collect();
        let mut people = data.people.identities.values();
        Ok(!data.changed_keys.is_empty()
            || people.any(|(identity, _)| {
                let mut reads = identity.reads.iter().chain(&identity.event_reads);
                reads.any(|read| hashes.contains(&read.hash64()))
            }))
    }

    fn begin_run(&self, run: &Run, chosen: &[Uid]) -> Result<RunId, StoreError> {
        let mut data = self.data();
        data.drop_what_is_over();
        let id = RunId(data.runs.len() as i64 + 1);
        data.chosen.insert(id, chosen.iter().copied().collect());
        data.runs.push(Run { id, ..run.clone() });
        Ok(id)
    }

    fn update_run(&self, run: &Run) -> Result<(), StoreError> {
        self.data().store_run(run);
        Ok(())
    }

    fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        Ok(self.data().runs.iter().find(|run| run.id == id).cloned())
    }

    fn runs(&self, limit: usize) -> Result<Vec<Run>, StoreError> {
        Ok(self.data().runs.iter().rev().take(limit).cloned().collect())
    }

    fn note_progress(&self, run: RunId, progress: &RunProgress) -> Result<(), StoreError> {
        self.data().progress.insert(run, *progress);
        Ok(())
    }

    fn progress(&self, run: RunId) -> Result<Option<RunProgress>, StoreError> {
        Ok(self.data().progress.get(&run).copied())
    }

    fn ask_to_stop(&self, run: RunId, audit: &AuditEntry) -> Result<(), StoreError> {
        let mut data = self.data();
        data.asked_to_stop.insert(run);
        data.audit.push(audit.clone());
        Ok(())
    }

    fn is_asked_to_stop(&self, run: RunId) -> Result<bool, StoreError> {
        Ok(self.data().asked_to_stop.contains(&run))
    }

    fn select(&self, run: &Run, selection: &Selection) -> Result<u64, StoreError> {
        let mut data = self.data();
        let uids: Vec<Uid> = match selection {
            Selection::Nobody { stay_due } => {
                if *stay_due {
                    for uid in data.selections.remove(&run.id).unwrap_or_default() {
                        data.raise(uid);
                    }
                }
                Vec::new()
            }
            Selection::All => data.refreshed().map(|(uid, ..)| uid).collect(),
            Selection::Due(as_of) => data.due(*as_of).into_iter().map(|due| due.uid).collect(),
            Selection::Wake(instant) => data
                .refreshed()
                .filter(|(_, identity, _)| identity.wake.at() == Some(*instant))
                .map(|(uid, ..)| uid)
                .collect(),
            Selection::Chosen => data
                .refreshed()
                .map(|(uid, ..)| uid)
                .filter(|uid| data.is_chosen(run.id, *uid))
                .collect(),
            Selection::ChosenWake(instant) => data
                .refreshed()
                .filter(|(_, identity, _)| identity.wake.at() == Some(*instant))
                .map(|(uid, ..)| uid)
                .filter(|uid| data.is_chosen(run.id, *uid))
                .collect(),
            Selection::Readers { refreshed_at } => {
                if refreshed_at.is_some() {
                    for uid in data.selections.remove(&run.id).unwrap_or_default() {
                        data.last_times.entry(uid).or_default().refreshed = *refreshed_at;
                    }
                }
                let keys = std::mem::take(&mut data.changed_keys);
                data.refreshed()
                    .filter(|(_, identity, _)| {
                        let mut reads = identity.reads.iter().chain(&identity.event_reads);
                        reads.any(|read| keys.contains(&read.hash64()))
                    })
                    .map(|(uid, ..)| uid)
                    .collect()
            }
        };
        let count = uids.len() as u64;
        data.selections.insert(run.id, uids);
        data.spools.remove(&run.id);
        data.store_run(run);
        Ok(count)
    }

    fn selected(
        &self,
        run: RunId,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<Uid>, StoreError> {
        let data = self.data();
        let selection = data.selections.get(&run).map_or(&[][..], Vec::as_slice);
        Ok(selection
            .iter()
            .copied()
            .filter(|uid| Some(*uid) > after)
            .take(limit)
            .collect())
    }

    fn spool(&self, run: RunId, plans: &[SpooledPlan]) -> Result<(), StoreError> {
        let mut data = self.data();
        let spool = data.spools.entry(run).or_default();
        spool.retain(|known| !plans.iter().any(|plan| plan.uid == known.uid));
        spool.extend_from_slice(plans);
        spool.sort_by_key(|plan| plan.uid);
        Ok(())
    }

    fn spooled(
        &self,
        run: RunId,
        after: Option<Uid>,
        limit: usize,
    ) -> Result<Vec<SpooledPlan>, StoreError> {
        let data = self.data();
        let spool = data.spools.get(&run).map_or(&[][..], Vec::as_slice);
        Ok(spool
            .iter()
            .filter(|plan| Some(plan.uid) > after)
            .take(limit)
            .cloned()
            .collect())
    }

    fn apply(&self, chunk: &ApplyChunk) -> Result<Vec<Uid>, StoreError> {
        let mut data = self.data();
        let fates = data.fates(&chunk.writes);
        data.check_names(&chunk.writes, &fates)?;
        let mut stale = Vec::new();
        let at = chunk.run.step.instant;
        for (write, fate) in chunk.writes.iter().zip(fates) {
            if fate != Fate::Written {
                if fate == Fate::Refused {
                    data.raise(write.uid);
                }
                let untaken = write.claims.iter();
                let untaken = untaken.map(|new| ReadKey::Claim(new.claim.clone()).hash64());
                data.changed_keys.extend(untaken);
                stale.push(write.uid);
                continue;
            }
            let people = data.people();
            let Some((identity, versions)) = people.identities.get_mut(&write.uid) else {
                continue;
            };
            for new in &write.claims {
                let own = Holder::Identity(write.uid);
                people.claims.insert(new.claim.clone(), own);
            }
            *versions = write.versions;
            let Some(new) = &write.identity else { continue };
            identity.clone_from(new);
            if write.findings_changed {
                data.set_findings(Some(write.uid), "", &new.findings, at);
            }
        }
        for event in chunk
            .events
            .iter()
            .filter(|event| !stale.contains(&event.uid))
        {
            if data.event_ids.insert(event_id(event)) {
                data.events.push(event.clone());
            }
        }
        for effect in &chunk.withdrawn {
            if !stale.contains(&effect.uid) {
                data.withdraw_effect(effect);
            }
        }
        for effect in &chunk.effects {
            if !stale.contains(&effect.uid) {
                data.record_effect(effect);
            }
        }
        for (uid, image) in &chunk.history {
            if !stale.contains(uid) {
                data.history.insert((*uid, at), image.clone());
            }
        }
        for (uid, entry) in &chunk.audit {
            if !stale.contains(uid) {
                data.audit.push(entry.clone());
            }
        }
        data.changed_keys
            .extend(chunk.changed_keys.iter().map(ReadKey::hash64));
        data.note_instant(chunk.instant);
        data.store_run(&chunk.run);
        Ok(stale)
    }

    fn account_marks(
        &self,
        application: Name,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<AccountMark>, StoreError> {
        let after = after.map(|native_identity| AccountKey {
            application,
            native_identity: native_identity.to_owned(),
        });
        let accounts = self.list_accounts(Some(application), after.as_ref(), limit)?;
        let mark = |account: Account| AccountMark {
            fingerprint: account_fingerprint(&account),
            present: account.missing_since.is_none(),
            owned: account.owner.is_some(),
            native_identity: account.key.native_identity,
        };
        Ok(accounts.into_iter().map(mark).collect())
    }

    fn accounts(&self, keys: &[AccountKey]) -> Result<Vec<Account>, StoreError> {
        let data = self.data();
        let known = keys.iter().filter_map(|key| data.accounts.get(key));
        Ok(known.map(|(account, _)| account.clone()).collect())
    }

    fn list_accounts(
        &self,
        application: Option<Name>,
        after: Option<&AccountKey>,
        limit: usize,
    ) -> Result<Vec<Account>, StoreError> {
        let data = self.data();
        let wanted = |key: &AccountKey| application.is_none_or(|name| key.application == name);
        let known = data
            .accounts
            .iter()
            .filter(|(key, _)| wanted(key) && Some(*key) > after);
        Ok(known
            .take(limit)
            .map(|(_, (account, _))| account.clone())
            .collect())
    }

    fn correlatable(&self) -> Result<Vec<AccountKey>, StoreError> {
        let data = self.data();
        let mut present = BTreeSet::new();
        for (identity, _) in data.people.identities.values() {
            for (name, text) in lookup_keys(identity, &data.tenant.lookup_attributes) {
                present.insert(ReadKey::Lookup(name, text).hash64());
            }
        }
        let looking = data.looking().filter(|(_, lookups)| {
            let mut lookups = lookups.iter();
            lookups.any(|lookup| present.contains(&lookup.hash64()))
        });
        Ok(looking.map(|(account, _)| account.key.clone()).collect())
    }

    fn aggregate(&self, batch: &AggregateBatch) -> Result<Vec<Uid>, StoreError> {
        let mut data = self.data();
        let mut created = Vec::new();
        let known = data.people.identities.values();
        let mut names: BTreeSet<&str> = known.map(|(identity, _)| identity.name.as_str()).collect();
        for creation in &batch.creations {
            if !names.insert(&creation.name) {
                return Err(StoreError::name_taken(&creation.name));
            }
        }
        for write in &batch.accounts {
            check_created_owner(write, batch.creations.len())?;
        }
        let at = batch.modified_at();
        let unfinished = [RunStatus::Running, RunStatus::Held];
        let running = data.runs.iter().any(|run| unfinished.contains(&run.status));
        for creation in &batch.creations {
            data.last_uid += 1;
            let uid = Uid(data.last_uid);
            let mut identity = Identity {
                uid,
                name: creation.name.clone(),
                identity_type: creation.identity_type,
                ..Identity::default()
            };
            identity.baseline.unseen = true;
            let keys = lookup_keys(&identity, &data.tenant.lookup_attributes);
            for (name, text) in keys {
                let key = ReadKey::Lookup(name, text).hash64();
                data.raise_readers(key);
                // Whom a run under way has planned, but not yet written, has
                // looked for it as well.
                if running {
                    data.changed_keys.insert(key);
                }
            }
            let versions = Versions {
                input: 1,
                ..Versions::default()
            };
            data.people().identities.insert(uid, (identity, versions));
            data.modify(uid, at);
            created.push(uid);
        }
        for write in &batch.accounts {
            let mut account = write.account.clone();
            if let Some(index) = write.created_owner {
                account.owner = Some(created[index]);
            }
            let before = data
                .accounts
                .get(&account.key)
                .and_then(|(known, _)| known.owner);
            let after = account.owner.filter(|owner| Some(*owner) != before);
            for owner in before.into_iter().chain(after) {
                data.raise(owner);
                data.modify(owner, at);
            }
            if before != account.owner {
                data.hand_over(&account.key, before, account.owner);
            }
            data.accounts
                .insert(account.key.clone(), (account, write.lookups.clone()));
        }
        for (uid, change) in &batch.native_changes {
            if let Some((identity, _)) = data.people().identities.get_mut(uid) {
                identity.native_changes.push(change.clone());
            }
            data.raise(*uid);
            data.modify(*uid, at);
        }
        if let Some(aggregation) = &batch.aggregation {
            data.store_aggregation(aggregation);
        }
        data.audit.extend(batch.audit.clone());
        data.note_instant(batch.instant);
        Ok(created)
    }

    fn begin_aggregation(&self, aggregation: &Aggregation) -> Result<i64, StoreError> {
        let mut data = self.data();
        let id = data.aggregations.len() as i64 + 1;
        data.aggregations.push(Aggregation {
            id,
            ..aggregation.clone()
        });
        Ok(id)
    }

    fn update_aggregation(&self, aggregation: &Aggregation) -> Result<(), StoreError> {
        self.data().store_aggregation(aggregation);
        Ok(())
    }

    fn aggregation(&self, id: i64) -> Result<Option<Aggregation>, StoreError> {
        Ok(self
            .data()
            .aggregations
            .iter()
            .find(|known| known.id == id)
            .cloned())
    }

    fn aggregations(&self, limit: usize) -> Result<Vec<Aggregation>, StoreError> {
        Ok(self
            .data()
            .aggregations
            .iter()
            .rev()
            .take(limit)
            .cloned()
            .collect())
    }

    fn stage(&self, aggregation: i64, changes: &[StagedChange]) -> Result<(), StoreError> {
        self.data()
            .stages
            .entry(aggregation)
            .or_default()
            .extend_from_slice(changes);
        Ok(())
    }

    fn staged(
        &self,
        aggregation: i64,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, StagedChange)>, StoreError> {
        let data = self.data();
        let stage = data.stages.get(&aggregation).map_or(&[][..], Vec::as_slice);
        let numbered = (1_i64..).zip(stage.iter().cloned());
        Ok(numbered
            .filter(|(position, _)| *position > after)
            .take(limit)
            .collect())
    }

    fn clear_stage(&self, aggregation: i64) -> Result<(), StoreError> {
        self.data().stages.remove(&aggregation);
        Ok(())
    }

    fn claims(
        &self,
        query: &ClaimQuery,
        after: Option<&Claim>,
        limit: usize,
    ) -> Result<Vec<StoredClaim>, StoreError> {
        let data = self.data();
        let wanted = data.people.claims.iter().filter(|(claim, holder)| {
            Some(*claim) > after
                && query.namespace.is_none_or(|name| name == claim.namespace)
                && query
                    .uid
                    .is_none_or(|uid| **holder == Holder::Identity(uid))
        });
        let stored = wanted.take(limit).map(|(claim, holder)| StoredClaim {
            claim: claim.clone(),
            holder: *holder,
            name: match holder {
                Holder::Identity(uid) => data.people.identities.get(uid),
                Holder::Reserved => None,
            }
            .map_or_else(String::new, |(identity, _)| identity.name.clone()),
        });
        Ok(stored.collect())
    }

    fn edit_claims(&self, edit: &ClaimEdit, audit: &AuditEntry) -> Result<(), StoreError> {
        let mut data = self.data();
        let mut claims = data.people.claims.clone();
        let mut released = Vec::new();
        match edit {
            ClaimEdit::Reserve(reserved) => {
                for claim in reserved {
                    if claims.insert(claim.clone(), Holder::Reserved).is_some() {
                        return Err(StoreError::claim_taken(claim));
                    }
                }
            }
            ClaimEdit::Release(taken) => {
                for claim in taken {
                    if claims.remove(claim).is_none() {
                        return Err(StoreError::no_claim(claim));
                    }
                    released.push(ReadKey::Claim(claim.clone()).hash64());
                }
            }
            ClaimEdit::Give { from, to, only } => {
                let is_meant =
                    |claim: &Claim| only.as_ref().is_none_or(|only| only.contains(claim));
                for (claim, holder) in &mut claims {
                    if *holder == Holder::Identity(*from) && is_meant(claim) {
                        *holder = Holder::Identity(*to);
                    }
                }
            }
        }
        data.people().claims = claims;
        data.changed_keys.extend(&released);
        released.into_iter().for_each(|key| data.raise_readers(key));
        data.audit.push(audit.clone());
        Ok(())
    }

    fn edit_identity(
        &self,
        uid: Uid,
        by_hand: &ByHand,
        audit: &AuditEntry,
    ) -> Result<(), StoreError> {
        let mut data = self.data();
        let Some((identity, versions)) = data.people().identities.get_mut(&uid) else {
            return Err(StoreError::no_identity(uid));
        };
        identity.by_hand = by_hand.clone();
        versions.input += 1;
        data.modify(uid, Some(audit.at));
        data.audit.push(audit.clone());
        Ok(())
    }

    fn events(&self, query: &EventQuery, limit: usize) -> Result<Vec<StoredEvent>, StoreError> {
        let data = self.data();
        let wanted = data.events.iter().rev().filter(|event| {
            query.uid.is_none_or(|uid| uid == event.uid)
                && query.trigger.is_none_or(|trigger| trigger == event.trigger)
        });
        Ok(wanted
            .take(limit)
            .map(|event| {
                let name = data.people.identities.get(&event.uid);
                let name = name
                    .map(|(identity, _)| identity.name.clone())
                    .unwrap_or_default();
                StoredEvent {
                    id: event_id(event),
                    name,
                    event: event.clone(),
                }
            })
            .collect())
    }

    fn effects(&self, query: &EffectQuery, limit: usize) -> Result<Vec<StoredEffect>, StoreError> {
        let data = self.data();
        let all = (0..data.outbox.len()).rev();
        let all = all.map(|index| data.stored_effect(index));
        let wanted = all.filter(|stored| {
            let status = stored.progress.status;
            query.uid.is_none_or(|uid| uid == stored.effect.uid)
                && (!query.waiting || status == EffectStatus::Waiting)
                && (!query.dead || status == EffectStatus::Dead)
                && query.id.as_ref().is_none_or(|id| *id == stored.id)
        });
        Ok(wanted.take(limit).collect())
    }

    fn open_effects(&self, after: i64, limit: usize) -> Result<Vec<StoredEffect>, StoreError> {
        let data = self.data();
        let all = (0..data.outbox.len()).filter(|index| *index as i64 >= after);
        let open = all.filter(|index| data.outbox[*index].1.status.is_open());
        Ok(open
            .take(limit)
            .map(|index| data.stored_effect(index))
            .collect())
    }

    fn history(
        &self,
        uid: Uid,
        until: Option<UnixMillis>,
        limit: usize,
    ) -> Result<Vec<StoredImage>, StoreError> {
        let data = self.data();
        let latest = until.unwrap_or(UnixMillis(i64::MAX));
        let known = data
            .history
            .range((uid, UnixMillis(i64::MIN))..=(uid, latest));
        let images = known.rev().take(limit).map(|((_, at), image)| StoredImage {
            at: *at,
            image: image.clone(),
        });
        Ok(images.collect())
    }

    fn prune(&self, prunes: &[Prune], at: UnixMillis) -> Result<u64, StoreError> {
        let mut data = self.data();
        let mut pruned = 0;
        for prune in prunes {
            let uid = prune.uid;
            let known = data.people.identities.get(&uid).cloned();
            let Some((identity, _)) =
                known.filter(|(_, versions)| !is_stale(versions, &prune.expected))
            else {
                continue;
            };
            let people = data.people();
            people.identities.remove(&uid);
            // Nobody else is given what was theirs.
            for holder in people.claims.values_mut() {
                if *holder == Holder::Identity(uid) {
                    *holder = Holder::Reserved;
                }
            }
            data.accounts
                .retain(|_, (account, _)| account.owner != Some(uid));
            data.history.retain(|(known, _), _| *known != uid);
            data.last_times.remove(&uid);
            data.set_findings(Some(uid), "", &[], at);
            for key in keys_of(&identity) {
                data.raise_readers(key);
            }
            data.audit.push(prune.audit.clone());
            pruned += 1;
        }
        Ok(pruned)
    }

    fn prune_history(&self, before: UnixMillis) -> Result<u64, StoreError> {
        let mut data = self.data();
        let count = data.history.len();
        let keys: Vec<(Uid, UnixMillis)> = data.history.keys().copied().collect();
        for pair in keys.windows(2) {
            if pair[0].0 == pair[1].0 && pair[1].1 <= before {
                data.history.remove(&pair[0]);
            }
        }
        Ok((count - data.history.len()) as u64)
    }

    fn settle(&self, settlement: &Settlement) -> Result<bool, StoreError> {
        let mut data = self.data();
        let index = usize::try_from(settlement.number - 1).unwrap_or(usize::MAX);
        match data.outbox.get_mut(index) {
            Some((_, progress)) if progress.status == settlement.expected => {
                progress.clone_from(&settlement.progress);
            }
            Some(_) | None => return Ok(false),
        }
        if let Some((uid, sent)) = &settlement.sent
            && let Some((identity, versions)) = data.people().identities.get_mut(uid)
        {
            let sent = sent.clone();
            identity
                .provisioning
                .note_sent(sent.action, sent.at, sent.outcome);
            versions.input += 1;
        }
        for own in &settlement.own {
            data.own_changes.insert(own.account.clone(), own.clone());
        }
        for item in &settlement.work_items {
            data.open_work_item(item);
        }
        data.audit.extend(settlement.audit.clone());
        Ok(true)
    }

    fn own_changes(&self, keys: &[AccountKey]) -> Result<Vec<OwnChange>, StoreError> {
        let data = self.data();
        let known = keys.iter().filter_map(|key| data.own_changes.get(key));
        Ok(known.cloned().collect())
    }

    fn account_memory(&self) -> Result<Vec<(AccountKey, Identity)>, StoreError> {
        let data = self.data();
        let kept = data.account_memory.iter();
        Ok(kept
            .map(|(key, kept)| (key.clone(), kept.clone()))
            .collect())
    }

    fn work_items(
        &self,
        query: &WorkItemQuery,
        limit: usize,
    ) -> Result<Vec<StoredWorkItem>, StoreError> {
        let data = self.data();
        let is = |wanted: &Option<String>, text: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == text
        };
        let wanted = data.work_items.iter().rev().filter(|stored| {
            let item = &stored.item;
            is(&query.id, Some(&item.id))
                && is(&query.effect, Some(&item.effect))
                && is(&query.owner, item.owner.as_deref())
                && query.uid.is_none_or(|uid| uid == item.uid)
                && (!query.open || stored.status == WorkItemStatus::Open)
        });
        let named = wanted.take(limit).map(|stored| {
            let known = data.people.identities.get(&stored.item.uid);
            let name = known.map(|(identity, _)| identity.name.clone());
            StoredWorkItem {
                name: name.unwrap_or_default(),
                ..stored.clone()
            }
        });
        Ok(named.collect())
    }

    fn complete_work_item(&self, id: &str, audit: &AuditEntry) -> Result<(), StoreError> {
        let mut data = self.data();
        let mut items = data.work_items.iter_mut();
        let open = |known: &&mut StoredWorkItem| {
            known.item.id == id && known.status == WorkItemStatus::Open
        };
        let Some(stored) = items.find(open) else {
            return Err(StoreError::no_work_item(id));
        };
        stored.status = WorkItemStatus::Done;
        stored.closed_at = Some(audit.at);
        stored.closed_by = Some(audit.actor.clone());
        stored.comment = Some(audit.reason.clone());
        let effect = stored.item.effect.clone();
        let mut outbox = data.outbox.iter_mut();
        // The steps of a workflow have ids of their own.
        if effect == id
            && let Some((_, progress)) = outbox.find(|(known, progress)| {
                progress.status == EffectStatus::Sent && effect_id(known) == effect
            })
        {
            progress.status = EffectStatus::Done;
            progress.at = Some(audit.at);
        }
        data.audit.push(audit.clone());
        Ok(())
    }

    fn is_dispatch_paused(&self) -> Result<bool, StoreError> {
        Ok(self.data().dispatch_paused)
    }

    fn pause_dispatch(&self, paused: bool, audit: &AuditEntry) -> Result<(), StoreError> {
        let mut data = self.data();
        data.dispatch_paused = paused;
        data.audit.push(audit.clone());
        Ok(())
    }

    fn findings(&self, closed: bool, limit: usize) -> Result<Vec<StoredFinding>, StoreError> {
        let data = self.data();
        let wanted = data
            .findings
            .iter()
            .filter(|stored| closed || stored.closed_at.is_none());
        let mut findings: Vec<StoredFinding> = wanted.cloned().collect();
        for stored in &mut findings {
            if let Some((identity, _)) = stored.uid.and_then(|uid| data.people.identities.get(&uid))
            {
                stored.name.clone_from(&identity.name);
            }
        }
        findings.sort_by(|left, right| {
            let key = |stored: &StoredFinding| (stored.finding.severity, stored.uid);
            key(left)
                .cmp(&key(right))
                .then_with(|| left.finding.cmp(&right.finding))
        });
        findings.truncate(limit);
        Ok(findings)
    }

    fn open_findings(&self, at: UnixMillis) -> Result<u64, StoreError> {
        let data = self.data();
        Ok(data
            .findings
            .iter()
            .filter(|stored| stored.closed_at.is_none())
            .filter(|stored| stored.muted_until.is_none_or(|until| until <= at))
            .count() as u64)
    }

    fn mute_findings(
        &self,
        numbers: &[i64],
        until: Option<UnixMillis>,
        audit: &AuditEntry,
    ) -> Result<u64, StoreError> {
        let mut data = self.data();
        let mut muted = 0;
        for stored in &mut data.findings {
            if stored.closed_at.is_none() && numbers.contains(&stored.number) {
                stored.muted_until = until;
                muted += 1;
            }
        }
        data.audit.push(audit.clone());
        Ok(muted)
    }

    fn set_application_findings(
        &self,
        application: Name,
        findings: &[Finding],
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.data().set_findings(None, &application, findings, at);
        Ok(())
    }

    fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.data().audit.push(entry.clone());
        Ok(())
    }

    fn audit_entries(
        &self,
        query: &AuditQuery,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self
            .data()
            .audit
            .iter()
            .rev()
            .filter(|entry| query.means(entry))
            .take(limit)
            .cloned()
            .collect())
    }
}
