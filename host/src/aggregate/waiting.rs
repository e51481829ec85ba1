//! Accounts that wait for their identity: tried again when a value that they
//! look for has appeared, or when the correlation itself has changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use idr_core::definitions::Model;
use idr_core::model::{Account, AccountKey, Finding, Link, Name, ReadKey, UnixMillis};
use idr_core::rule::RuleEvaluator;

use super::CHUNK;
use super::correlation::{Correlator, Owner};
use super::error::AggregateError;
use super::findings::{ApplicationFindings, ambiguous};
use crate::store::{AccountWrite, AggregateBatch, Store};

/// Links accounts without an owner to identities that have appeared since
/// they were last looked for; returns how many were linked.
///
/// Only accounts are looked at that look for a value which somebody has now.
/// Nothing is written when nothing changes. Accounts that a person has linked
/// or unlinked are left alone.
///
/// - `rules`: answers for correlation rules.
/// - `as_of`: the instant at which findings about accounts are opened and closed.
///
/// # Errors
///
/// [`AggregateError`] when the store can't be used; what was linked before
/// stays linked.
pub fn correlate_waiting(
    store: &dyn Store,
    model: &Arc<Model>,
    rules: &mut dyn RuleEvaluator,
    as_of: UnixMillis,
) -> Result<u64, AggregateError> {
    let keys = store.correlatable()?;
    let mut waiting = Waiting::new(store, model, rules, as_of);
    for keys in keys.chunks(CHUNK) {
        waiting.correlate(store.accounts(keys)?, false)?;
    }
    Ok(waiting.linked)
}

/// Links accounts without an owner by a changed correlation of their
/// application; returns how many were linked.
///
/// Every such account of the applications is looked at and written, as it
/// looks for other values from now on.
///
/// # Errors
///
/// As [`correlate_waiting`].
pub fn correlate_again(
    store: &dyn Store,
    model: &Arc<Model>,
    rules: &mut dyn RuleEvaluator,
    applications: &[Name],
    as_of: UnixMillis,
) -> Result<u64, AggregateError> {
    let mut waiting = Waiting::new(store, model, rules, as_of);
    for &application in applications {
        let mut after: Option<AccountKey> = None;
        loop {
            let accounts = store.list_accounts(Some(application), after.as_ref(), CHUNK)?;
            let Some(last) = accounts.last() else { break };
            after = Some(last.key.clone());
            let without_owner = accounts
                .into_iter()
                .filter(|account| account.owner.is_none() && account.link != Link::Manual);
            waiting.correlate(without_owner.collect(), true)?;
        }
    }
    Ok(waiting.linked)
}

struct Waiting<'a> {
    store: &'a dyn Store,
    model: &'a Arc<Model>,
    rules: &'a mut dyn RuleEvaluator,
    as_of: UnixMillis,
    findings: BTreeMap<Name, ApplicationFindings>,
    linked: u64,
}

impl<'a> Waiting<'a> {
    fn new(
        store: &'a dyn Store,
        model: &'a Arc<Model>,
        rules: &'a mut dyn RuleEvaluator,
        as_of: UnixMillis,
    ) -> Self {
        Self {
            store,
            model,
            rules,
            as_of,
            findings: BTreeMap::new(),
            linked: 0,
        }
    }

    /// Looks for the owners of a chunk of accounts. With `always` they are
    /// written although their owner stays the same.
    fn correlate(&mut self, accounts: Vec<Account>, always: bool) -> Result<(), AggregateError> {
        let correlator = Correlator::new(self.store, self.model)?;
        let mut batch = AggregateBatch::default();
        for account in accounts {
            let (found, lookups, finding) = self.find(&correlator, &account)?;
            if found == account && !always {
                continue;
            }
            self.note(&account.key, finding)?;
            self.linked += u64::from(found.owner.is_some());
            batch.accounts.push(AccountWrite {
                account: found,
                created_owner: None,
                lookups,
            });
        }
        // Findings first: when this ends here, the same accounts are found again.
        for known in self.findings.values_mut() {
            known.write(self.store, self.as_of)?;
        }
        if !batch.accounts.is_empty() {
            self.store.aggregate(&batch)?;
        }
        Ok(())
    }

    /// Returns the account as it should be, what it keeps looking for, and the
    /// finding about it.
    fn find(
        &mut self,
        correlator: &Correlator<'_>,
        account: &Account,
    ) -> Result<(Account, Vec<ReadKey>, Option<Finding>), AggregateError> {
        let mut found = account.clone();
        let Some(application) = self.model.application(account.key.application) else {
            return Ok((found, Vec::new(), None));
        };
        let (owner, lookups) = correlator.owner(account, application, self.rules)?;
        Ok(match owner {
            Owner::Identity(uid) => {
                found.owner = Some(uid);
                found.link = Link::Correlated;
                (found, Vec::new(), None)
            }
            Owner::Ambiguous(attribute, uids) => {
                found.link = Link::Ambiguous;
                let finding = ambiguous(account, attribute, uids.len());
                (found, lookups, Some(finding))
            }
            Owner::Unknown(finding) => (found, lookups, Some(finding)),
            Owner::Created(_) | Owner::Nobody => {
                found.link = Link::Uncorrelated;
                (found, lookups, None)
            }
        })
    }

    fn note(&mut self, key: &AccountKey, finding: Option<Finding>) -> Result<(), AggregateError> {
        let known = match self.findings.entry(key.application) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(ApplicationFindings::read(self.store, key.application)?)
            }
        };
        known.set_account(&key.native_identity, finding);
        Ok(())
    }
}
