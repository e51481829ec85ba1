//! The account that a rule is asked about before anything is known of an
//! identity: correlation, creation, and whom an account names as the manager.

use std::sync::Arc;

use super::{ReadError, Snapshot, SnapshotError, TrackedView};
use crate::definitions::{Application, Model};
use crate::model::{
    Account, AccountKey, AccountStatus, Claim, Holder, IdentityRecord, LogicalAccount, Name, Uid,
    UnixMillis, Value,
};

impl TrackedView {
    /// Returns a view of an account that is nobody's yet, and of nothing else.
    pub fn of_account(model: Arc<Model>, account: Account) -> Self {
        let record = IdentityRecord {
            accounts: vec![account],
            ..IdentityRecord::default()
        };
        let mut view = Self::new(model, Arc::new(NobodyElse), UnixMillis::default(), record);
        view.show_account(Some(0));
        view
    }

    /// Takes the logical accounts of the last refresh out of sight.
    pub(crate) fn hide_logical_accounts(&mut self) {
        self.state_mut().record.hide_logical_accounts();
    }

    /// Shows logical accounts beside the others.
    pub(crate) fn show_logical_accounts(&mut self, logical: Vec<LogicalAccount>) {
        let state = self.state_mut();
        state.record.add_logical_accounts(&logical);
        state.logical = logical;
    }

    /// Returns the logical accounts, as this plan has settled them.
    pub(crate) fn logical_accounts(&self) -> &[LogicalAccount] {
        &self.state().logical
    }

    /// Says whether an account is the part of `application` of which an account in a
    /// logical one is made: the first of several, where its attributes come from.
    pub(crate) fn is_part(&self, key: &AccountKey, application: Name, logical: Name) -> bool {
        let known = self.logical_accounts().iter();
        let mut own = known.filter(|known| known.account.key.application == logical);
        own.any(|known| {
            let mut parts = known.parts.iter();
            parts.find(|part| part.application == application) == Some(key)
        })
    }

    /// Returns the accounts of an application that an operation on its accounts
    /// is for: of a logical one those that its accounts are made of.
    pub(crate) fn operable_accounts(&self, application: Name) -> Vec<&Account> {
        let accounts = self.state().record.accounts.iter();
        let is_logical = |definition: &Application| definition.logical.is_some();
        if !self
            .model()
            .application(application)
            .is_some_and(is_logical)
        {
            let own = accounts.filter(|account| account.key.application == application);
            return own.collect();
        }
        let logical = self.logical_accounts().iter();
        let own = logical.filter(|known| known.account.key.application == application);
        let parts: Vec<&AccountKey> = own.flat_map(|known| &known.parts).collect();
        accounts
            .filter(|account| parts.contains(&&account.key))
            .collect()
    }

    /// Lets the next reads be about the account at this place of the record.
    pub(crate) fn show_account(&mut self, index: Option<usize>) {
        self.state_mut().account = index;
    }

    /// Returns the account that the rule is asked about.
    ///
    /// # Errors
    ///
    /// [`ReadError::Phase`] for rules that are about an identity.
    pub fn account(&self) -> Result<&Account, ReadError> {
        let state = self.state();
        let account = state
            .account
            .and_then(|index| state.record.accounts.get(index));
        account.ok_or(ReadError::Phase("a single account"))
    }

    /// Returns the application of the account that the rule is asked about.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::account`].
    pub fn shown_application(&mut self) -> Result<Name, ReadError> {
        let application = self.account()?.key.application;
        self.note(
            || "account application".to_owned(),
            || application.to_string(),
        );
        Ok(application)
    }

    /// Returns the native identity of the account that the rule is asked about.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::account`].
    pub fn shown_native_identity(&mut self) -> Result<String, ReadError> {
        let native_identity = self.account()?.key.native_identity.clone();
        self.note(
            || "account native identity".to_owned(),
            || native_identity.clone(),
        );
        Ok(native_identity)
    }

    /// Returns what the application last said of the account that the rule is
    /// asked about, whether or not it still lists it.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::account`].
    pub fn shown_status(&mut self) -> Result<AccountStatus, ReadError> {
        let status = self.account()?.status;
        self.note(
            || "account status".to_owned(),
            || status.as_str().to_owned(),
        );
        Ok(status)
    }

    /// Returns an attribute of the account that the rule is asked about.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::account`]; [`ReadError`] for an attribute that isn't
    /// defined or isn't granted.
    pub fn shown_attribute(&mut self, name: &str) -> Result<Option<Value>, ReadError> {
        let application = self.account()?.key.application;
        let Some(name) = self.granted_account_attribute(application, name)? else {
            return Ok(None);
        };
        if let Some(index) = self.state().account {
            self.note_account_read(index, name);
        }
        let value = self.account()?.attribute(name).cloned();
        self.note(
            || format!("account {name}"),
            || {
                value
                    .as_ref()
                    .map_or_else(|| "absent".to_owned(), ToString::to_string)
            },
        );
        Ok(value)
    }
}

/// What is known of others where only an account is looked at.
struct NobodyElse;

impl Snapshot for NobodyElse {
    fn attribute_of(&self, _: Uid, _: Name) -> Result<Option<Value>, SnapshotError> {
        Ok(None)
    }

    fn find(&self, _: Name, _: &str) -> Result<Vec<Uid>, SnapshotError> {
        Ok(Vec::new())
    }

    fn holder(&self, _claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        Ok(None)
    }
}
