//! Taking over single accounts that their connector has just read: after idr
//! has changed one, and where a refresh asks for accounts again. They take the
//! same path as accounts that are listed.

use std::collections::HashMap;
use std::sync::Arc;

use idr_core::definitions::{Application, Model};
use idr_core::model::{
    Account, AccountAction, AccountKey, AccountOperation, Link, Name, Uid, UnixMillis,
};
use idr_core::rule::RuleHost;

use super::AggregateContext;
use super::apply::{Applying, previous_full};
use super::error::AggregateError;
use crate::connect::{blank, carried_out};
use crate::store::{Aggregation, Store};

/// Takes over accounts that were read one by one, at one instant.
pub struct ReadBack<'a> {
    store: &'a dyn Store,
    model: &'a Arc<Model>,
    rules: &'a dyn RuleHost,
    as_of: UnixMillis,
    applying: HashMap<Name, Applying<'a>>,
}

impl<'a> ReadBack<'a> {
    /// Begins at an instant. The store has adopted the configuration that `model`
    /// is made from.
    pub fn new(
        store: &'a dyn Store,
        model: &'a Arc<Model>,
        rules: &'a dyn RuleHost,
        as_of: UnixMillis,
    ) -> Self {
        Self {
            store,
            model,
            rules,
            as_of,
            applying: HashMap::new(),
        }
    }

    /// Takes over what an application says of an account: none when it has no
    /// such account.
    ///
    /// # Errors
    ///
    /// [`AggregateError`] when the store can't be used; then nothing was written.
    pub fn take(
        &mut self,
        application: &'a Application,
        key: &AccountKey,
        listed: Option<Account>,
    ) -> Result<(), AggregateError> {
        let keys = std::slice::from_ref(key);
        let before = self.store.accounts(keys)?.pop();
        let applying = self.applying(application)?;
        let mut chunk = applying.chunk(keys)?;
        match (listed, before) {
            (Some(account), before) => applying.listed(&mut chunk, account, before)?,
            (None, Some(before)) => applying.missing(&mut chunk, before)?,
            (None, None) => {}
        }
        applying.write(chunk)
    }

    /// Takes over what an application says of an account with which an action was
    /// carried out for `owner`: what differs from that was done natively.
    ///
    /// # Errors
    ///
    /// As [`ReadBack::take`].
    pub fn take_changed(
        &mut self,
        application: &'a Application,
        action: &AccountAction,
        owner: Uid,
        listed: Option<Account>,
    ) -> Result<(), AggregateError> {
        let old = &action.account;
        let keys: Vec<AccountKey> = listed
            .iter()
            .map(|account| account.key.clone())
            .chain([old.clone()])
            .collect();
        let stored = self.store.accounts(&keys)?;
        let known = |key: &AccountKey| stored.iter().find(|known| known.key == *key).cloned();
        let applying = self.applying(application)?;
        let mut chunk = applying.chunk(&keys)?;
        let Some(listed) = listed else {
            if let Some(gone) = known(old) {
                applying.missing(&mut chunk, gone)?;
            }
            return applying.write(chunk);
        };
        let is_there = |account: &Account| account.missing_since.is_none();
        let before = known(old).filter(is_there);
        let blank = Account {
            owner: Some(owner),
            link: Link::Correlated,
            ..blank(old.application, &old.native_identity)
        };
        let expected = carried_out(action, before, blank);
        if action.operation == AccountOperation::Move
            && listed.key != *old
            && let Some(gone) = known(old)
        {
            applying.missing(&mut chunk, gone)?;
        }
        let before = known(&listed.key);
        applying.take(&mut chunk, listed, before.as_ref(), expected.as_ref())?;
        applying.write(chunk)
    }

    fn applying(
        &mut self,
        application: &'a Application,
    ) -> Result<&mut Applying<'a>, AggregateError> {
        if !self.applying.contains_key(&application.name) {
            let context = AggregateContext::new(self.store, self.model, self.rules, application);
            super::check_adopted(&context)?;
            let aggregation = Aggregation {
                // Behind every aggregation that there is.
                id: i64::MAX,
                application: application.name.to_string(),
                as_of: self.as_of,
                entitlements: application.entitlements().collect(),
                ..Aggregation::default()
            };
            let previous = previous_full(self.store, &aggregation)?;
            let begun = Applying::begin(&context, aggregation, previous)?;
            self.applying.insert(application.name, begun);
        }
        let known = self.applying.get_mut(&application.name);
        Ok(known.expect("it was just put there"))
    }
}
