//! Applying an aggregation: from its stage into the accounts, chunk by chunk,
//! each in one transaction with the cursor.
//!
//! What comes out depends neither on where chunks end nor on how often the
//! process was killed in between: a chunk reads what it needs from the store
//! and the stage alone.

use std::collections::HashMap;
use std::sync::Arc;

use idr_core::definitions::{Application, Model};
use idr_core::filter::Superset;
use idr_core::model::{
    Account, AccountKey, Link, Name, NativeChange, NativeEntitlement, NativeOperation, Uid,
    UnixMillis,
};
use idr_core::phases::creation::{Creation as Rise, create};
use idr_core::rule::RuleEvaluator;

use super::correlation::{Correlator, Owner};
use super::error::AggregateError;
use super::findings::{ApplicationFindings, ambiguous, name_taken};
use super::own::OwnChanges;
use super::{AggregateContext, Progress, counters};
use crate::store::{
    AccountWrite, AggregateBatch, Aggregation, AggregationStatus, Creation, StagedChange, Store,
};

/// Applies what is left of an aggregation's stage. Returns the aggregation,
/// done, and how many findings about the application are open.
pub(super) fn finish(
    context: &AggregateContext<'_>,
    aggregation: Aggregation,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Aggregation, u64), AggregateError> {
    let store = context.store;
    let total = staged_count(&aggregation);
    let previous = previous_full(store, &aggregation)?;
    let mut applying = Applying::begin(context, aggregation, previous)?;
    let (id, limit) = (applying.aggregation.id, context.accounts_per_transaction);
    let as_of = applying.aggregation.as_of;
    let fetch = |after| Fetched::read(store, id, after, limit, as_of);
    let mut fetched = fetch(applying.aggregation.cursor)?;
    while let Some(&(last, _)) = fetched.staged.last() {
        let cursor = applying.aggregation.cursor;
        progress(Progress::Applied(cursor.unsigned_abs(), total));
        // No account is staged twice, so the next chunk can be read beside this one.
        let (applied, next) = rayon::join(|| applying.apply(fetched), || fetch(last));
        applied?;
        fetched = next?;
    }
    let Applying {
        mut aggregation,
        findings,
        ..
    } = applying;
    // The stage first: behind the cursor there is nothing either way.
    store.clear_stage(aggregation.id)?;
    aggregation.status = AggregationStatus::Done;
    store.aggregate(&AggregateBatch {
        instant: Some(aggregation.as_of),
        aggregation: Some(aggregation.clone()),
        ..AggregateBatch::default()
    })?;
    Ok((aggregation, findings.count()))
}

fn staged_count(aggregation: &Aggregation) -> u64 {
    let count = |name: &str| aggregation.counters.get(name).copied().unwrap_or(0);
    let staged = [
        counters::CREATED,
        counters::MODIFIED,
        counters::RETURNED,
        counters::VANISHED,
    ];
    staged.into_iter().map(count).sum()
}

/// Returns the full aggregation of the application before this one.
pub(super) fn previous_full(
    store: &dyn Store,
    aggregation: &Aggregation,
) -> Result<Option<Aggregation>, AggregateError> {
    let earlier = store.aggregations(usize::MAX)?.into_iter().find(|known| {
        known.application == aggregation.application
            && known.id < aggregation.id
            && known.status == AggregationStatus::Done
            && !known.delta
    });
    Ok(earlier)
}

/// Returns the highest uid given so far.
///
/// Natively created accounts count for identities that were there before the
/// aggregation, not for those that it creates.
pub(super) fn newest_identity(store: &dyn Store) -> Result<i64, AggregateError> {
    let someone_above = |uid: i64| -> Result<Option<i64>, AggregateError> {
        let found = store.list(&Superset::All, Some(Uid(uid)), 1)?;
        Ok(found.first().map(|uid| uid.0))
    };
    let (mut newest, mut step) = (0_i64, 1_i64);
    while let Some(uid) = someone_above(newest.saturating_add(step))? {
        newest = uid;
        step = step.saturating_mul(2);
    }
    let mut nobody_above = newest.saturating_add(step);
    while newest < nobody_above {
        let middle = newest + (nobody_above - newest) / 2;
        match someone_above(middle)? {
            Some(uid) => newest = uid,
            None => nobody_above = middle,
        }
    }
    Ok(newest)
}

/// Takes accounts over, chunk by chunk.
pub(super) struct Applying<'a> {
    store: &'a dyn Store,
    model: &'a Arc<Model>,
    application: &'a Application,
    rules: Box<dyn RuleEvaluator + Send>,
    aggregation: Aggregation,
    /// The instant of the full aggregation before this one.
    previous: Option<UnixMillis>,
    /// The entitlement attributes that both were read for.
    entitlements: Vec<Name>,
    findings: ApplicationFindings,
}

/// One chunk while it is put together.
pub(super) struct Chunk<'a> {
    correlator: Correlator<'a>,
    before: HashMap<AccountKey, Account>,
    own: OwnChanges,
    batch: AggregateBatch,
}

impl<'a> Applying<'a> {
    /// Begins an aggregation, behind the full one before it.
    pub(super) fn begin(
        context: &AggregateContext<'a>,
        aggregation: Aggregation,
        previous: Option<Aggregation>,
    ) -> Result<Self, AggregateError> {
        let AggregateContext {
            store,
            model,
            application,
            ..
        } = *context;
        // What the full file before this one wasn't read for is only now known, and
        // what this one wasn't read for, which was held since, isn't.
        let was_read = |name: &Name| {
            let mut previous = previous.iter().flat_map(|known| &known.entitlements);
            previous.any(|known| known == name) && aggregation.entitlements.contains(name)
        };
        Ok(Self {
            store,
            model,
            application,
            rules: context.rules.evaluator(),
            entitlements: application.entitlements().filter(was_read).collect(),
            previous: previous.as_ref().map(|known| known.as_of),
            findings: ApplicationFindings::read(store, application.name)?,
            aggregation,
        })
    }

    /// Begins a chunk with these accounts.
    pub(super) fn chunk(&self, keys: &[AccountKey]) -> Result<Chunk<'a>, AggregateError> {
        let before = self.store.accounts(keys)?;
        let own = OwnChanges::read(self.store, keys, self.aggregation.as_of)?;
        self.chunk_of(before, own)
    }

    fn chunk_of(&self, before: Vec<Account>, own: OwnChanges) -> Result<Chunk<'a>, AggregateError> {
        let before = before.into_iter();
        Ok(Chunk {
            correlator: Correlator::new(self.store, self.model)?,
            before: before
                .map(|account| (account.key.clone(), account))
                .collect(),
            own,
            batch: AggregateBatch::default(),
        })
    }

    /// Writes a chunk whose accounts were read one by one.
    pub(super) fn write(&mut self, mut chunk: Chunk<'a>) -> Result<(), AggregateError> {
        self.findings.write(self.store, self.aggregation.as_of)?;
        chunk.batch.instant = Some(self.aggregation.as_of);
        self.store.aggregate(&chunk.batch)?;
        Ok(())
    }

    fn apply(&mut self, fetched: Fetched) -> Result<(), AggregateError> {
        let mut chunk = self.chunk_of(fetched.before, fetched.own)?;
        for (position, change) in fetched.staged {
            // What it read is older than what idr itself has done since.
            if chunk.own.is_newer(key_of(&change)) {
                self.aggregation.cursor = position;
                continue;
            }
            match change {
                StagedChange::Listed(account) => self.listed(&mut chunk, account)?,
                StagedChange::Missing(key) => self.missing(&mut chunk, &key)?,
            }
            self.aggregation.cursor = position;
        }
        // Findings first: when this ends here, the chunk comes to the same again.
        self.findings.write(self.store, self.aggregation.as_of)?;
        chunk.batch.instant = Some(self.aggregation.as_of);
        chunk.batch.aggregation = Some(self.aggregation.clone());
        self.store.aggregate(&chunk.batch)?;
        Ok(())
    }

    /// Takes over an account that was listed.
    pub(super) fn listed(
        &mut self,
        chunk: &mut Chunk<'a>,
        listed: Account,
    ) -> Result<(), AggregateError> {
        let before = chunk.remove(&listed.key);
        let done = chunk.own.done(before.as_ref(), &listed);
        let expected = match &done {
            Some(after) => after.as_ref(),
            None => before.as_ref(),
        };
        self.take(chunk, listed, before.as_ref(), expected)
    }

    /// Takes over an account that is there. `before` is what it was, taken from the
    /// chunk, and `expected` the same with what idr itself has done with it since: what
    /// differs from that was done natively.
    pub(super) fn take(
        &mut self,
        chunk: &mut Chunk<'a>,
        listed: Account,
        before: Option<&Account>,
        expected: Option<&Account>,
    ) -> Result<(), AggregateError> {
        let mut account = Account {
            missing_since: None,
            taken_away: false,
            link: expected.map_or(Link::Uncorrelated, |known| known.link),
            owner: expected.and_then(|known| known.owner),
            ..listed
        };
        account.native_entitlements = self.native_entitlements(expected, &account);
        let mut created_owner = None;
        let mut lookups = Vec::new();
        if account.owner.is_none() && account.link != Link::Manual {
            let rules = self.rules.as_mut();
            let (owner, looked_for) = chunk.correlator.owner(&account, self.application, rules)?;
            let finding = match owner {
                Owner::Identity(uid) => {
                    account.owner = Some(uid);
                    account.link = Link::Correlated;
                    None
                }
                Owner::Created(place) => {
                    created_owner = Some(place);
                    account.link = Link::Correlated;
                    None
                }
                Owner::Ambiguous(attribute, uids) => {
                    account.link = Link::Ambiguous;
                    Some(ambiguous(&account, attribute, uids.len()))
                }
                Owner::Nobody => {
                    account.link = Link::Uncorrelated;
                    match self.create(chunk, &account)? {
                        Created::Identity(place) => {
                            created_owner = Some(place);
                            account.link = Link::Created;
                            None
                        }
                        Created::No(finding) => finding,
                    }
                }
                Owner::Unknown(finding) => Some(finding),
            };
            self.findings
                .set_account(&account.key.native_identity, finding);
            if created_owner.is_none() && account.owner.is_none() {
                lookups = looked_for;
            }
            self.count(match account.link {
                Link::Ambiguous => counters::AMBIGUOUS,
                Link::Uncorrelated => counters::UNCORRELATED,
                Link::Correlated | Link::Created | Link::Manual | Link::Logical => {
                    counters::CORRELATED
                }
            });
        }
        if let Some(owner) = account.owner
            && self.application.creates.is_some()
        {
            chunk.correlator.note_present(owner);
        }
        if before == Some(&account) && created_owner.is_none() {
            return Ok(());
        }
        let change = self.native_listing(expected, &account);
        self.note_native(chunk, account.owner, change);
        chunk.batch.accounts.push(AccountWrite {
            account,
            created_owner,
            lookups,
        });
        Ok(())
    }

    /// Creates an identity for an account that matches nobody, if its
    /// application does that.
    fn create(
        &mut self,
        chunk: &mut Chunk<'a>,
        account: &Account,
    ) -> Result<Created, AggregateError> {
        let Some(creation) = &self.application.creates else {
            return Ok(Created::No(None));
        };
        let (name, identity_type) =
            match create(account, creation, self.model, self.rules.as_mut())? {
                Rise::Identity(name, identity_type) => (name, identity_type),
                Rise::Skipped(why) => {
                    tracing::info!(
                        "no identity for `{}` in `{}`: {why}",
                        account.key.native_identity,
                        account.key.application
                    );
                    self.count(counters::SKIPPED);
                    return Ok(Created::No(None));
                }
                Rise::Failed(finding) => return Ok(Created::No(Some(finding))),
            };
        if chunk.correlator.is_taken(&name)? {
            return Ok(Created::No(Some(name_taken(account, &name))));
        }
        let place = chunk.correlator.create(&name);
        chunk.batch.creations.push(Creation {
            name,
            identity_type,
        });
        self.count(counters::IDENTITIES);
        Ok(Created::Identity(place))
    }

    /// Notes that an account wasn't listed.
    pub(super) fn missing(
        &mut self,
        chunk: &mut Chunk<'a>,
        key: &AccountKey,
    ) -> Result<(), AggregateError> {
        let Some(before) = chunk.remove(key) else {
            return Ok(());
        };
        let taken_away = chunk.own.has_deleted(&before);
        if !taken_away {
            let change = self.native_absence(&before);
            self.note_native(chunk, before.owner, change);
        }
        if before.missing_since.is_some() {
            return Ok(());
        }
        let account = Account {
            missing_since: Some(self.aggregation.as_of),
            taken_away,
            ..before
        };
        let lookups = if account.owner.is_none() && account.link != Link::Manual {
            // Whom it matches is asked when it comes back, or by the next
            // refresh; here only what it looks for must not be lost.
            let rules = self.rules.as_mut();
            chunk.correlator.owner(&account, self.application, rules)?.1
        } else {
            Vec::new()
        };
        self.findings
            .set_account(&account.key.native_identity, None);
        chunk.batch.accounts.push(AccountWrite {
            account,
            created_owner: None,
            lookups,
        });
        Ok(())
    }

    /// Returns what was natively done to an account that was listed.
    ///
    /// A creation counts for identities that were there before, and not in the
    /// application's first load. A modification counts for accounts that
    /// already belonged to the identity.
    fn native_listing(&self, before: Option<&Account>, account: &Account) -> Option<NativeChange> {
        let detection = self.application.native_changes.as_ref()?;
        let owner = account.owner?;
        let gone = before.is_none_or(|before| self.was_deleted(before));
        let operation = if gone {
            NativeOperation::Create
        } else {
            NativeOperation::Modify
        };
        if !detection.operations.contains(&operation) {
            return None;
        }
        let attributes = match before {
            Some(before) if !gone => {
                if before.owner != Some(owner) {
                    return None;
                }
                let mut changed = differences(before, account);
                if !detection.attributes.is_empty() {
                    changed.retain(|name| detection.attributes.contains(name));
                }
                if changed.is_empty() {
                    return None;
                }
                changed
            }
            _ => {
                let counter = |name: &str| self.aggregation.counters.get(name).copied();
                let first_load = counter(counters::KNOWN) == Some(0);
                let newest = counter(counters::NEWEST_IDENTITY).unwrap_or(0);
                if first_load || owner.0.unsigned_abs() > newest {
                    return None;
                }
                account.attributes.iter().map(|(name, _)| *name).collect()
            }
        };
        Some(self.native_change(account, operation, attributes))
    }

    /// Returns what an account that was listed notes of entitlements gained and
    /// lost natively: nothing where it is new, or back after it had vanished.
    fn native_entitlements(
        &self,
        before: Option<&Account>,
        listed: &Account,
    ) -> Vec<NativeEntitlement> {
        let before = before.filter(|before| !self.was_deleted(before));
        before.map_or_else(Vec::new, |before| {
            let as_of = self.aggregation.as_of;
            before.native_entitlements_after(listed, &self.entitlements, as_of)
        })
    }

    /// Returns the deletion of an account that wasn't listed: once, by the
    /// full aggregation that first finds its grace over.
    fn native_absence(&self, before: &Account) -> Option<NativeChange> {
        let detection = self.application.native_changes.as_ref()?;
        let (as_of, grace_ms) = (self.aggregation.as_of, self.application.vanish_grace_ms);
        let missing_since = before.missing_since.unwrap_or(as_of);
        let over = missing_since.plus_ms(grace_ms) <= as_of;
        let noted = before.missing_since.is_some() && self.was_deleted(before);
        let wanted = detection.operations.contains(&NativeOperation::Delete);
        (wanted && over && !noted)
            .then(|| self.native_change(before, NativeOperation::Delete, Vec::new()))
    }

    /// Says whether an earlier aggregation has found the account's grace over, or
    /// idr itself has taken it away.
    fn was_deleted(&self, account: &Account) -> bool {
        let vanished = account.vanishes_at(self.application.vanish_grace_ms);
        vanished.is_some_and(|at| account.taken_away || Some(at) <= self.previous)
    }

    fn native_change(
        &self,
        account: &Account,
        operation: NativeOperation,
        attributes: Vec<Name>,
    ) -> NativeChange {
        NativeChange {
            account: account.key.clone(),
            operation,
            attributes,
            detected_at: self.aggregation.as_of,
        }
    }

    fn note_native(
        &mut self,
        chunk: &mut Chunk<'a>,
        owner: Option<Uid>,
        change: Option<NativeChange>,
    ) {
        if let (Some(owner), Some(change)) = (owner, change) {
            chunk.batch.native_changes.push((owner, change));
            self.count(counters::NATIVE_CHANGES);
        }
    }

    fn count(&mut self, counter: &str) {
        counters::add(&mut self.aggregation.counters, counter, 1);
    }
}

impl Chunk<'_> {
    /// Returns what is known of an account.
    pub(super) fn known(&self, key: &AccountKey) -> Option<Account> {
        self.before.get(key).cloned()
    }

    /// Takes what is known of an account, which is then dealt with.
    pub(super) fn remove(&mut self, key: &AccountKey) -> Option<Account> {
        self.before.remove(key)
    }
}

/// A chunk of the stage, with what is stored of its accounts.
struct Fetched {
    staged: Vec<(i64, StagedChange)>,
    before: Vec<Account>,
    own: OwnChanges,
}

impl Fetched {
    /// Reads the chunk behind a position.
    fn read(
        store: &dyn Store,
        aggregation: i64,
        after: i64,
        limit: usize,
        as_of: UnixMillis,
    ) -> Result<Self, AggregateError> {
        let staged = store.staged(aggregation, after, limit)?;
        let keys = staged.iter().map(|(_, change)| key_of(change).clone());
        let keys: Vec<AccountKey> = keys.collect();
        Ok(Self {
            before: store.accounts(&keys)?,
            own: OwnChanges::read(store, &keys, as_of)?,
            staged,
        })
    }
}

enum Created {
    Identity(usize),
    No(Option<idr_core::model::Finding>),
}

fn key_of(change: &StagedChange) -> &AccountKey {
    match change {
        StagedChange::Listed(account) => &account.key,
        StagedChange::Missing(key) => key,
    }
}

/// Returns the names of the attributes that differ, in order; `status` where
/// the status does.
fn differences(before: &Account, after: &Account) -> Vec<Name> {
    let names = before.attributes.iter().chain(&after.attributes);
    let mut changed: Vec<Name> = names
        .map(|(name, _)| *name)
        .filter(|name| before.attribute(*name) != after.attribute(*name))
        .collect();
    if before.status != after.status {
        changed.push(Name::new("status"));
    }
    changed.sort();
    changed.dedup();
    changed
}
