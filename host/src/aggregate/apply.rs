//! Applying an aggregation: from its stage into the accounts, chunk by chunk,
//! each in one transaction with the cursor.
//!
//! What comes out depends neither on where chunks end nor on how often the
//! process was killed in between: a chunk reads what it needs from the store
//! and the stage alone.

use std::sync::Arc;

use idr_core::definitions::{Application, Model};
use idr_core::filter::Superset;
use idr_core::model::{Account, AccountKey, Link, NativeChange, Uid, UnixMillis};
use idr_core::phases::creation::{Creation as Rise, create};
use idr_core::rule::RuleEvaluator;
use rayon::prelude::*;

use super::compare::{Compared, Comparer, Nobodys};
use super::correlation::{Correlator, Owner};
use super::error::AggregateError;
use super::findings::{ApplicationFindings, ambiguous, name_taken};
use super::own::OwnChanges;
use super::{AggregateContext, Progress, counters};
use crate::store::{
    AccountWrite, AggregateBatch, Aggregation, AggregationStatus, Creation, StagedChange, Store,
};

/// Accounts are compared by one thread so many at a time.
const TOGETHER: usize = 128;

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
    let comparer = Arc::clone(&applying.comparer);
    let fetch = |after| Fetched::read(store, &comparer, (id, as_of), after, limit);
    let mut fetched = fetch(applying.aggregation.cursor)?;
    while let Some(&(last, _)) = fetched.changes.last() {
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
    comparer: Arc<Comparer<'a>>,
    findings: ApplicationFindings,
}

/// One chunk while it is put together.
pub(super) struct Chunk<'a> {
    correlator: Correlator<'a>,
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
        let comparer = Comparer::new(application, &aggregation, previous.as_ref());
        Ok(Self {
            store,
            model,
            application,
            rules: context.rules.evaluator(),
            comparer: Arc::new(comparer),
            findings: ApplicationFindings::read(store, application.name)?,
            aggregation,
        })
    }

    /// Begins a chunk with these accounts.
    pub(super) fn chunk(&self, keys: &[AccountKey]) -> Result<Chunk<'a>, AggregateError> {
        self.chunk_of(OwnChanges::read(self.store, keys, self.aggregation.as_of)?)
    }

    fn chunk_of(&self, own: OwnChanges) -> Result<Chunk<'a>, AggregateError> {
        Ok(Chunk {
            correlator: Correlator::new(self.store, self.model)?,
            own,
            batch: AggregateBatch::default(),
        })
    }

    /// Writes a chunk.
    pub(super) fn write(&mut self, mut chunk: Chunk<'a>) -> Result<(), AggregateError> {
        // Findings first: when this ends here, the chunk comes to the same again.
        self.findings.write(self.store, self.aggregation.as_of)?;
        chunk.batch.instant = Some(self.aggregation.as_of);
        self.store.aggregate(&chunk.batch)?;
        Ok(())
    }

    fn apply(&mut self, fetched: Fetched) -> Result<(), AggregateError> {
        let mut chunk = self.chunk_of(fetched.own)?;
        for (position, change) in fetched.changes {
            self.aggregation.cursor = position;
            match change {
                Change::Passed => {}
                Change::Listed(compared) => self.settle(&mut chunk, compared)?,
                Change::Missing(before) => self.missing(&mut chunk, before)?,
            }
        }
        chunk.batch.aggregation = Some(self.aggregation.clone());
        self.write(chunk)
    }

    /// Takes over an account that was listed; `before` is what it was.
    pub(super) fn listed(
        &mut self,
        chunk: &mut Chunk<'a>,
        listed: Account,
        before: Option<Account>,
    ) -> Result<(), AggregateError> {
        let compared = chunk.own.compare(&self.comparer, listed, before);
        self.settle(chunk, compared)
    }

    /// As [`Applying::listed`], where it is known what was to be expected.
    pub(super) fn take(
        &mut self,
        chunk: &mut Chunk<'a>,
        listed: Account,
        before: Option<&Account>,
        expected: Option<&Account>,
    ) -> Result<(), AggregateError> {
        let compared = self.comparer.compare(listed, before, expected);
        self.settle(chunk, compared)
    }

    fn settle(&mut self, chunk: &mut Chunk<'a>, compared: Compared) -> Result<(), AggregateError> {
        let (account, change) = match compared {
            Compared::Same(account) => {
                self.note_present(chunk, &account);
                return Ok(());
            }
            Compared::Settled(account, change) => (account, change),
            Compared::Nobodys(listed) => return self.correlate(chunk, *listed),
        };
        self.note_present(chunk, &account);
        self.note_native(chunk, account.owner, change);
        chunk.batch.accounts.push(AccountWrite {
            account,
            created_owner: None,
            lookups: Vec::new(),
        });
        Ok(())
    }

    /// Finds out whose an account is that was listed, and takes it over.
    fn correlate(&mut self, chunk: &mut Chunk<'a>, listed: Nobodys) -> Result<(), AggregateError> {
        let Nobodys {
            mut account,
            before,
            expected,
        } = listed;
        let mut created_owner = None;
        let mut lookups = Vec::new();
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
            Link::Correlated | Link::Created | Link::Manual | Link::Logical => counters::CORRELATED,
        });
        self.note_present(chunk, &account);
        if before.as_ref() == Some(&account) && created_owner.is_none() {
            return Ok(());
        }
        let change = self.comparer.listing(expected.as_ref(), &account);
        self.note_native(chunk, account.owner, change);
        chunk.batch.accounts.push(AccountWrite {
            account,
            created_owner,
            lookups,
        });
        Ok(())
    }

    /// Notes whose account is there, where accounts create identities.
    fn note_present(&self, chunk: &mut Chunk<'a>, account: &Account) {
        if let Some(owner) = account.owner
            && self.application.creates.is_some()
        {
            chunk.correlator.note_present(owner);
        }
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

    /// Notes that an account, which was this before, wasn't listed.
    pub(super) fn missing(
        &mut self,
        chunk: &mut Chunk<'a>,
        before: Account,
    ) -> Result<(), AggregateError> {
        let taken_away = chunk.own.has_deleted(&before);
        if !taken_away {
            let change = self.comparer.absence(&before);
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

/// A chunk of the stage, with what its changes come to.
struct Fetched {
    changes: Vec<(i64, Change)>,
    own: OwnChanges,
}

/// A change of the stage, beside what is stored.
enum Change {
    /// What it read is older than what idr itself has done since, or there is nothing
    /// that it could change.
    Passed,
    Listed(Compared),
    /// What was known of an account that isn't listed.
    Missing(Account),
}

impl Fetched {
    /// Reads the chunk behind a position of the aggregation's stage, and compares it.
    fn read(
        store: &dyn Store,
        comparer: &Comparer<'_>,
        (aggregation, as_of): (i64, UnixMillis),
        after: i64,
        limit: usize,
    ) -> Result<Self, AggregateError> {
        let staged = store.staged(aggregation, after, limit)?;
        let keys = staged.iter().map(|(_, change)| key_of(change).clone());
        let keys: Vec<AccountKey> = keys.collect();
        let own = OwnChanges::read(store, &keys, as_of)?;
        // In the order in which it was asked for.
        let mut stored = store.accounts(&keys)?.into_iter().peekable();
        let beside = |(position, change): (i64, StagedChange)| {
            let before = stored.next_if(|account| account.key == *key_of(&change));
            (position, change, before)
        };
        let staged: Vec<_> = staged.into_iter().map(beside).collect();
        let compare = |(position, change, before): (i64, StagedChange, Option<Account>)| {
            let change = match (change, before) {
                (change, _) if own.is_newer(key_of(&change)) => Change::Passed,
                (StagedChange::Listed(account), before) => {
                    Change::Listed(own.compare(comparer, account, before))
                }
                (StagedChange::Missing(_), Some(before)) => Change::Missing(before),
                (StagedChange::Missing(_), None) => Change::Passed,
            };
            (position, change)
        };
        let changes = staged.into_par_iter().with_min_len(TOGETHER).map(compare);
        Ok(Self {
            changes: changes.collect(),
            own,
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
