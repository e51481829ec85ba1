//! What idr itself has done with accounts: it is no native change, and an
//! aggregation that read them before must not undo it.

use std::collections::HashMap;

use idr_core::model::{Account, AccountAction, AccountKey, AccountOperation, UnixMillis};

use super::compare::{Compared, Comparer};
use super::error::AggregateError;
use crate::connect::{blank, carried_out, is_so};
use crate::store::{OwnChange, Store};

/// What idr has done, or is doing, with the accounts of a chunk.
pub(super) struct OwnChanges {
    known: HashMap<AccountKey, OwnChange>,
    as_of: UnixMillis,
}

impl OwnChanges {
    /// Reads it, for an aggregation that speaks of `as_of`.
    pub(super) fn read(
        store: &dyn Store,
        keys: &[AccountKey],
        as_of: UnixMillis,
    ) -> Result<Self, AggregateError> {
        let known = store.own_changes(keys)?.into_iter();
        Ok(Self {
            known: known.map(|own| (own.account.clone(), own)).collect(),
            as_of,
        })
    }

    /// Says whether an account was changed, and read again since, behind what the
    /// aggregation speaks of.
    pub(super) fn is_newer(&self, key: &AccountKey) -> bool {
        let own = self.known.get(key);
        own.is_some_and(|own| own.confirmed_at > Some(self.as_of))
    }

    /// Compares an account that is listed with what it was, and with what idr is doing
    /// with it where that is shown to be done.
    pub(super) fn compare(
        &self,
        comparer: &Comparer<'_>,
        listed: Account,
        before: Option<Account>,
    ) -> Compared {
        let own = self.known.get(&listed.key);
        let under_way = own.and_then(|own| Some((own, own.under_way.as_ref()?)));
        match under_way.filter(|(_, action)| is_so(action, Some(&listed))) {
            Some((own, action)) => {
                let expected = after(action, before.clone(), own);
                comparer.compare(listed, before.as_ref(), expected.as_ref())
            }
            None => comparer.compare(listed, before.as_ref(), before.as_ref()),
        }
    }

    /// Says whether an account that isn't listed was deleted by idr itself, or by
    /// nobody but idr as far as is known.
    pub(super) fn has_deleted(&self, before: &Account) -> bool {
        let Some(own) = self.known.get(&before.key) else {
            return false;
        };
        let deletes = own.under_way.as_ref().is_some_and(|action| {
            matches!(
                action.operation,
                AccountOperation::Delete | AccountOperation::Move
            )
        });
        deletes || (own.gone && own.confirmed_at == before.missing_since)
    }
}

fn after(action: &AccountAction, before: Option<Account>, own: &OwnChange) -> Option<Account> {
    let blank = Account {
        owner: own.owner,
        link: idr_core::model::Link::Correlated,
        ..blank(action.account.application, &own.account.native_identity)
    };
    // Whoever created it for somebody knows whose it is.
    let before = before.filter(|known| known.missing_since.is_none());
    let mut after = carried_out(action, before, blank)?;
    after.key = own.account.clone();
    Some(after)
}
