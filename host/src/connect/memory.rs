//! An application in memory, which can be told to fail: for tests of what
//! reaches applications, and the model that other connectors are compared with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use idr_core::definitions::Application;
use idr_core::model::{
    Account, AccountAction, AccountKey, AccountOperation, AttributeChange, Name, UnixMillis,
};

use super::{
    Capability, ConnectError, Connector, Connectors, Listed, NewAccount, Performed, carried_out,
    row,
};

/// Applications in memory. Clones are the same applications.
#[derive(Clone, Default)]
pub struct MemoryApplications {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    accounts: BTreeMap<AccountKey, Account>,
    /// What was carried out, in order: the operation and the account.
    log: Vec<String>,
    /// Asked before every call; an answer is its failure.
    failure: Option<Failure>,
}

/// Says whether a call fails, by what it is called, and before or after it is done.
pub type Failure = Box<dyn FnMut(&str, Moment) -> Option<ConnectError> + Send>;

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before anything is done.
    Before,
    /// When it is done, so that whoever called doesn't know.
    After,
}

impl MemoryApplications {
    /// Makes calls fail from now on.
    pub fn fail(&self, failure: Option<Failure>) {
        self.state().failure = failure;
    }

    /// Puts an account there, as somebody else would.
    pub fn put(&self, account: Account) {
        self.state().accounts.insert(account.key.clone(), account);
    }

    /// Takes an account away, as somebody else would.
    pub fn take(&self, key: &AccountKey) -> Option<Account> {
        self.state().accounts.remove(key)
    }

    /// Returns all accounts, in order.
    pub fn accounts(&self) -> Vec<Account> {
        self.state().accounts.values().cloned().collect()
    }

    /// Returns what was carried out, in order: `disable crm ana`.
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connectors for MemoryApplications {
    fn open(&self, application: &Application) -> Result<Box<dyn Connector>, ConnectError> {
        Ok(Box::new(MemoryConnector {
            applications: self.clone(),
            application: application.clone(),
        }))
    }

    fn can(&self, _application: Name, _capability: Capability) -> bool {
        true
    }
}

struct MemoryConnector {
    applications: MemoryApplications,
    application: Application,
}

impl MemoryConnector {
    fn key(&self, native_identity: &str) -> AccountKey {
        AccountKey {
            application: self.application.name,
            native_identity: native_identity.to_owned(),
        }
    }

    /// Does a call, unless it is to fail.
    fn call<T>(
        &self,
        name: &str,
        work: impl FnOnce(&mut State) -> Result<T, ConnectError>,
    ) -> Result<T, ConnectError> {
        let mut state = self.applications.state();
        let mut failure = state.failure.take();
        let mut fails = |moment| failure.as_mut().and_then(|failure| failure(name, moment));
        let result = match fails(Moment::Before) {
            Some(error) => Err(error),
            None => match (work(&mut state), fails(Moment::After)) {
                (Ok(_), Some(error)) => Err(error),
                (result, _) => result,
            },
        };
        state.failure = failure;
        result
    }

    fn change(
        &self,
        native_identity: &str,
        operation: AccountOperation,
        changes: &[AttributeChange],
    ) -> Result<Performed, ConnectError> {
        let action = AccountAction {
            account: self.key(native_identity),
            operation,
            to: None,
            changes: changes.to_vec(),
            reasons: Vec::new(),
            hops: 0,
            since: UnixMillis(0),
        };
        let blank = row::blank(self.application.name, native_identity);
        self.call(operation.as_str(), |state| {
            let before = state.accounts.get(&action.account).cloned();
            if before.is_none() {
                let message = format!("there is no account `{native_identity}`");
                return Err(ConnectError::refused(&self.application.name, message));
            }
            let after = carried_out(&action, before.clone(), blank);
            if after == before {
                return Ok(Performed::WasSo);
            }
            state.note(operation.as_str(), &action.account);
            state
                .accounts
                .extend(after.map(|account| (account.key.clone(), account)));
            Ok(Performed::Done)
        })
    }
}

impl State {
    fn note(&mut self, what: &str, key: &AccountKey) {
        let AccountKey {
            application,
            native_identity,
        } = key;
        self.log
            .push(format!("{what} {application} {native_identity}"));
    }
}

impl Connector for MemoryConnector {
    fn can(&self, _capability: Capability) -> bool {
        true
    }

    fn page(&mut self, after: Option<&str>, limit: usize) -> Result<Vec<Listed>, ConnectError> {
        self.call("list", |state| {
            let own = state.accounts.values().filter(|account| {
                account.key.application == self.application.name
                    && after.is_none_or(|after| account.key.native_identity.as_str() > after)
            });
            Ok(own.take(limit).cloned().map(Ok).collect())
        })
    }

    fn get(&mut self, native_identity: &str) -> Result<Option<Listed>, ConnectError> {
        let key = self.key(native_identity);
        self.call("get", |state| Ok(state.accounts.get(&key).cloned().map(Ok)))
    }

    fn create(&mut self, account: &NewAccount<'_>) -> Result<Performed, ConnectError> {
        let mut created = row::blank(self.application.name, account.native_identity);
        created.attributes.clone_from(&account.attributes);
        created.attributes.sort_by_key(|(name, _)| *name);
        self.call("create", |state| {
            if state.accounts.contains_key(&created.key) {
                return Ok(Performed::WasSo);
            }
            state.note("create", &created.key);
            state.accounts.insert(created.key.clone(), created);
            Ok(Performed::Done)
        })
    }

    fn modify(
        &mut self,
        native_identity: &str,
        changes: &[AttributeChange],
    ) -> Result<Performed, ConnectError> {
        self.change(native_identity, AccountOperation::Modify, changes)
    }

    fn enable(&mut self, native_identity: &str, enabled: bool) -> Result<Performed, ConnectError> {
        let operation = match enabled {
            true => AccountOperation::Enable,
            false => AccountOperation::Disable,
        };
        self.change(native_identity, operation, &[])
    }

    fn rename(&mut self, native_identity: &str, to: &str) -> Result<Performed, ConnectError> {
        let (old, new) = (self.key(native_identity), self.key(to));
        self.call("move", |state| {
            match (
                state.accounts.remove(&old),
                state.accounts.contains_key(&new),
            ) {
                (Some(account), false) => {
                    state.note("move", &old);
                    let key = new.clone();
                    state.accounts.insert(new, Account { key, ..account });
                    Ok(Performed::Done)
                }
                (Some(account), true) => {
                    state.accounts.insert(old, account);
                    let message = format!("there is an account `{to}` already");
                    Err(ConnectError::refused(&self.application.name, message))
                }
                (None, true) => Ok(Performed::WasSo),
                (None, false) => {
                    let message = format!("there is no account `{native_identity}`");
                    Err(ConnectError::refused(&self.application.name, message))
                }
            }
        })
    }

    fn delete(&mut self, native_identity: &str) -> Result<Performed, ConnectError> {
        let key = self.key(native_identity);
        self.call("delete", |state| match state.accounts.remove(&key) {
            Some(_) => {
                state.note("delete", &key);
                Ok(Performed::Done)
            }
            None => Ok(Performed::WasSo),
        })
    }
}
