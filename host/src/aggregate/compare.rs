//! What listed accounts come to beside what is known of them, as far as nobody has to
//! be asked whose they are: what is to be written, and what was done natively. A
//! function of what was read alone, so that chunks are compared on all threads.

use idr_core::definitions::Application;
use idr_core::model::{
    Account, Link, Name, NativeChange, NativeEntitlement, NativeOperation, UnixMillis,
};

use super::counters;
use crate::store::Aggregation;

/// Compares the accounts of one aggregation.
pub(super) struct Comparer<'a> {
    application: &'a Application,
    as_of: UnixMillis,
    /// The instant of the full aggregation before this one.
    previous: Option<UnixMillis>,
    /// The entitlement attributes that both were read for.
    entitlements: Vec<Name>,
    /// The application had no accounts at all.
    first_load: bool,
    /// The highest uid that was given before the aggregation.
    newest: u64,
}

/// What a listed account comes to.
pub(super) enum Compared {
    /// It is as it was.
    Same(Account),
    /// It is to be written like this, whosever it is.
    Settled(Account, Option<NativeChange>),
    /// It is nobody's so far, and is to be correlated.
    Nobodys(Box<Nobodys>),
}

/// A listed account that is nobody's so far.
pub(super) struct Nobodys {
    pub(super) account: Account,
    /// What it was.
    pub(super) before: Option<Account>,
    /// The same with what idr itself has done since.
    pub(super) expected: Option<Account>,
}

impl<'a> Comparer<'a> {
    /// Compares for an aggregation behind the full one before it.
    pub(super) fn new(
        application: &'a Application,
        aggregation: &Aggregation,
        previous: Option<&Aggregation>,
    ) -> Self {
        // What the full file before this one wasn't read for is only now known, and
        // what this one wasn't read for, which was held since, isn't.
        let was_read = |name: &Name| {
            let mut known = previous.into_iter().flat_map(|known| &known.entitlements);
            known.any(|known| known == name) && aggregation.entitlements.contains(name)
        };
        let counter = |name: &str| aggregation.counters.get(name).copied();
        Self {
            application,
            as_of: aggregation.as_of,
            previous: previous.map(|known| known.as_of),
            entitlements: application.entitlements().filter(was_read).collect(),
            first_load: counter(counters::KNOWN) == Some(0),
            newest: counter(counters::NEWEST_IDENTITY).unwrap_or(0),
        }
    }

    /// Compares an account that is there. `before` is what it was, and `expected` the
    /// same with what idr itself has done with it since: what differs from that was
    /// done natively.
    pub(super) fn compare(
        &self,
        listed: Account,
        before: Option<&Account>,
        expected: Option<&Account>,
    ) -> Compared {
        let mut account = Account {
            missing_since: None,
            taken_away: false,
            link: expected.map_or(Link::Uncorrelated, |known| known.link),
            owner: expected.and_then(|known| known.owner),
            ..listed
        };
        account.native_entitlements = self.entitlements(expected, &account);
        if account.owner.is_none() && account.link != Link::Manual {
            return Compared::Nobodys(Box::new(Nobodys {
                account,
                before: before.cloned(),
                expected: expected.cloned(),
            }));
        }
        if before == Some(&account) {
            return Compared::Same(account);
        }
        let change = self.listing(expected, &account);
        Compared::Settled(account, change)
    }

    /// Returns what was natively done to an account that was listed.
    ///
    /// A creation counts for identities that were there before, and not in the
    /// application's first load. A modification counts for accounts that
    /// already belonged to the identity.
    pub(super) fn listing(
        &self,
        before: Option<&Account>,
        account: &Account,
    ) -> Option<NativeChange> {
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
                if self.first_load || owner.0.unsigned_abs() > self.newest {
                    return None;
                }
                account.attributes.iter().map(|(name, _)| *name).collect()
            }
        };
        Some(self.change(account, operation, attributes))
    }

    /// Returns what an account that was listed notes of entitlements gained and
    /// lost natively: nothing where it is new, or back after it had vanished.
    fn entitlements(&self, before: Option<&Account>, listed: &Account) -> Vec<NativeEntitlement> {
        let before = before.filter(|before| !self.was_deleted(before));
        before.map_or_else(Vec::new, |before| {
            before.native_entitlements_after(listed, &self.entitlements, self.as_of)
        })
    }

    /// Returns the deletion of an account that wasn't listed: once, by the
    /// full aggregation that first finds its grace over.
    pub(super) fn absence(&self, before: &Account) -> Option<NativeChange> {
        let detection = self.application.native_changes.as_ref()?;
        let (as_of, grace_ms) = (self.as_of, self.application.vanish_grace_ms);
        let missing_since = before.missing_since.unwrap_or(as_of);
        let over = missing_since.plus_ms(grace_ms) <= as_of;
        let noted = before.missing_since.is_some() && self.was_deleted(before);
        let wanted = detection.operations.contains(&NativeOperation::Delete);
        (wanted && over && !noted).then(|| self.change(before, NativeOperation::Delete, Vec::new()))
    }

    /// Says whether an earlier aggregation has found the account's grace over, or
    /// idr itself has taken it away.
    fn was_deleted(&self, account: &Account) -> bool {
        let vanished = account.vanishes_at(self.application.vanish_grace_ms);
        vanished.is_some_and(|at| account.taken_away || Some(at) <= self.previous)
    }

    fn change(
        &self,
        account: &Account,
        operation: NativeOperation,
        attributes: Vec<Name>,
    ) -> NativeChange {
        NativeChange {
            account: account.key.clone(),
            operation,
            attributes,
            detected_at: self.as_of,
        }
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
