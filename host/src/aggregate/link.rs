//! What people link and unlink: correlation leaves these accounts alone.

use idr_core::model::{Account, AccountKey, Link, Uid};

use super::error::AggregateError;
use super::findings::ApplicationFindings;
use crate::store::{AccountWrite, AggregateBatch, AuditEntry, Creation, Store};

/// Links an account to an identity, whoever's it was; returns it as it is now.
///
/// # Errors
///
/// [`AggregateError::UnknownAccount`] and [`AggregateError::UnknownIdentity`].
pub fn link(
    store: &dyn Store,
    key: &AccountKey,
    identity: &str,
    audit: AuditEntry,
) -> Result<Account, AggregateError> {
    let mut account = account(store, key)?;
    let uid = store
        .named(identity)?
        .ok_or_else(|| AggregateError::UnknownIdentity(identity.to_owned()))?;
    account.owner = Some(uid);
    account.link = Link::Manual;
    write(store, account, audit)
}

/// Takes an account from its identity; returns it as it is now. It stays
/// apart until somebody links it.
///
/// # Errors
///
/// [`AggregateError::UnknownAccount`] and [`AggregateError::NotLinked`].
pub fn unlink(
    store: &dyn Store,
    key: &AccountKey,
    audit: AuditEntry,
) -> Result<Account, AggregateError> {
    let mut account = account(store, key)?;
    if account.owner.take().is_none() {
        return Err(AggregateError::NotLinked(key.native_identity.clone()));
    }
    account.link = Link::Manual;
    write(store, account, audit)
}

/// Gives accounts to another identity in one transaction; correlation leaves
/// them there from now on. With `created` that identity is created.
///
/// # Errors
///
/// [`AggregateError::Store`] when the name of the new identity is taken.
pub fn give(
    store: &dyn Store,
    accounts: Vec<Account>,
    owner: NewOwner,
    audit: AuditEntry,
) -> Result<(), AggregateError> {
    let (uid, creations) = match owner {
        NewOwner::Known(uid) => (Some(uid), Vec::new()),
        NewOwner::Created(creation) => (None, vec![creation]),
    };
    let created_owner = uid.is_none().then_some(0);
    let given = |account: Account| AccountWrite {
        account: Account {
            owner: uid,
            link: Link::Manual,
            ..account
        },
        created_owner,
        lookups: Vec::new(),
    };
    store.aggregate(&AggregateBatch {
        creations,
        accounts: accounts.into_iter().map(given).collect(),
        audit: Some(audit),
        ..AggregateBatch::default()
    })?;
    Ok(())
}

/// Who is given accounts.
#[derive(Clone, Debug)]
pub enum NewOwner {
    /// An identity that is there.
    Known(Uid),
    /// One that is created.
    Created(Creation),
}

fn account(store: &dyn Store, key: &AccountKey) -> Result<Account, AggregateError> {
    let found = store.accounts(std::slice::from_ref(key))?.pop();
    found.ok_or_else(|| AggregateError::UnknownAccount {
        application: key.application.to_string(),
        native_identity: key.native_identity.clone(),
    })
}

fn write(
    store: &dyn Store,
    account: Account,
    audit: AuditEntry,
) -> Result<Account, AggregateError> {
    let mut findings = ApplicationFindings::read(store, account.key.application)?;
    findings.set_account(&account.key.native_identity, None);
    findings.write(store, audit.at)?;
    store.aggregate(&AggregateBatch {
        accounts: vec![AccountWrite {
            account: account.clone(),
            created_owner: None,
            lookups: Vec::new(),
        }],
        audit: Some(audit),
        ..AggregateBatch::default()
    })?;
    Ok(account)
}
