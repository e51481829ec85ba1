//! Account operations: through the application's connector, or by people where
//! it has none that could.
//!
//! An operation is confirmed by reading the account again; what is read takes
//! the path of every aggregated account, so that the identity is due and its
//! next refresh sees what has become of it. An operation that was under way
//! when a process died is looked at first: what is so already isn't done again.

use idr_core::definitions::Application;
use idr_core::model::{
    Account, AccountAction, AccountKey, AccountOperation, Name, SentAction, SentOutcome, Uid,
    Value, ValueChange,
};
use idr_core::phases::standing::is_shown;

use super::retry::Failure;
use super::{DispatchError, Outcome, Pass, stop_at};
use crate::connect::{Capability, ConnectError, Connector, NewAccount, Performed, is_so};
use crate::store::{EffectStatus, OwnChange, Settlement, StoredEffect};

impl<'a> Pass<'a> {
    /// Carries out what is called for with an account.
    pub(super) fn account(
        &mut self,
        stored: &mut StoredEffect,
        action: &AccountAction,
    ) -> Result<Outcome, DispatchError> {
        let name = action.account.application;
        let model = self.context.model;
        let uid = stored.effect.uid;
        if self.context.store.read_chunk(&[uid])?.is_empty() {
            let message = format!(
                "{} (uid {uid}), whose account `{}` in `{name}` it is about, was removed; \
                 nothing is done with it",
                stored.name, action.account.native_identity
            );
            return Ok(Outcome::Failed(Failure::lasting(message)));
        }
        let Some(application) = model.application(name) else {
            let message = format!("application `{name}` is no longer configured");
            return Ok(Outcome::Failed(Failure::lasting(message)));
        };
        let capability = Capability::Operation(action.operation);
        if !self.context.connectors.can(name, capability) {
            return self.ask_for_action(stored, action);
        }
        if let Some(message) = self.unreachable.get(&name) {
            // Somebody before has tried it in this pass.
            tracing::debug!("effect {} waits: {message}", stored.id);
            return Ok(Outcome::Failed(Failure::passing(message.clone())));
        }
        let was_tried = match action.operation {
            AccountOperation::Create => self.may_have_created(&action.account, uid)?,
            _ => stored.progress.attempts > 0,
        };
        let begun = Settlement {
            sent: Some((uid, self.sent(action, SentOutcome::Sent))),
            own: self.under_way(action, uid)?,
            ..Settlement::default()
        };
        if !self.begin(stored, begun)? {
            return Ok(Outcome::Gone);
        }
        let is_shown = match self.change(application, action, uid, was_tried)? {
            Ok(is_shown) => is_shown,
            Err(mut failure) => {
                failure.is_untouched &= !was_tried;
                return Ok(Outcome::Failed(failure));
            }
        };
        let confirmed = || (uid, self.sent(action, SentOutcome::Confirmed));
        let finished = Settlement {
            sent: is_shown.then(confirmed),
            own: self.confirmed(action, uid),
            ..Settlement::default()
        };
        self.finish(stored, finished)
    }

    /// Says whether an attempt to create an account for somebody has begun, and
    /// may have reached the application: then the account may be ours.
    fn may_have_created(&self, account: &AccountKey, owner: Uid) -> Result<bool, DispatchError> {
        let known = self
            .context
            .store
            .own_changes(std::slice::from_ref(account))?;
        Ok(known.iter().any(|known| {
            let under_way = known.under_way.as_ref();
            known.owner == Some(owner)
                && under_way.is_some_and(|action| action.operation == AccountOperation::Create)
        }))
    }

    /// Returns why an account that was to be created, and is there already, isn't
    /// taken for that one; none where it is theirs.
    fn is_taken(
        &self,
        action: &AccountAction,
        owner: Uid,
        was_tried: bool,
    ) -> Result<Option<Failure>, DispatchError> {
        let keys = std::slice::from_ref(&action.account);
        let mut known = self.context.store.accounts(keys)?.into_iter();
        let known = known.find(|known| known.missing_since.is_none());
        let whose = match known.and_then(|known| known.owner) {
            Some(uid) if uid == owner => return Ok(None),
            Some(uid) => {
                let record = self.context.store.read_chunk(&[uid])?.pop();
                let name = record.map(|record| record.identity.name);
                let name = name.unwrap_or_else(|| format!("uid {uid}"));
                format!("and it is {name}'s")
            }
            None if was_tried => return Ok(None),
            None => "which may be somebody else's".to_owned(),
        };
        Ok(Some(there_already(action, &whose)))
    }

    /// Changes an account, reads it again and takes over what is read. `was_tried`
    /// says that an earlier attempt may have reached the application. Says whether
    /// what was read shows the change as planning looks for it.
    pub(super) fn change(
        &mut self,
        application: &'a Application,
        action: &AccountAction,
        owner: Uid,
        was_tried: bool,
    ) -> Result<Result<bool, Failure>, DispatchError> {
        let Some(native_identity) = action.leads_to() else {
            let message = format!(
                "account `{}` can't be moved to `{}`: its native identity has no such end",
                action.account.native_identity,
                action.to.as_deref().unwrap_or_default()
            );
            return Ok(Err(Failure::lasting(message)));
        };
        let password = match action.operation {
            AccountOperation::Create => self.context.connectors.password(application.name),
            _ => Ok(None),
        };
        let connector = password.and_then(|password| Ok((self.connector(application)?, password)));
        let (connector, password) = match connector {
            Ok(opened) => opened,
            Err(error) => {
                let mut failure = self.note(application.name, &error);
                failure.is_untouched = true;
                return Ok(Err(failure));
            }
        };
        let change = || {
            if was_tried {
                let now = read(connector, &native_identity)?;
                if is_so(action, now.as_ref()) {
                    return Ok(Confirmed::Read(now));
                }
            }
            let performed = perform(connector, action, &native_identity, password)?;
            Ok(Confirmed::Performed(performed))
        };
        let changed = change();
        stop_at("dispatch-performed")?;
        // Before it is read: what is somebody else's never looks like ours.
        let was_there = action.operation == AccountOperation::Create
            && matches!(
                changed,
                Ok(Confirmed::Read(_) | Confirmed::Performed(Performed::WasSo))
            );
        if was_there && let Some(failure) = self.is_taken(action, owner, was_tried)? {
            return Ok(Err(failure));
        }
        let read_now = match changed {
            Ok(Confirmed::Read(account)) => Ok(account),
            Ok(Confirmed::Performed(_)) => {
                let connector = self.connector(application);
                connector.and_then(|connector| read(connector, &native_identity))
            }
            Err(error) => Err(error),
        };
        let account = match read_now {
            Ok(account) => account,
            Err(error) => return Ok(Err(self.note(application.name, &error))),
        };
        if was_there && !is_so(action, account.as_ref()) {
            let whose = "and it isn't as the one to be created";
            return Ok(Err(there_already(action, whose)));
        }
        if let Some(failure) = contradiction(action, account.as_ref()) {
            return Ok(Err(failure));
        }
        let is_shown = is_shown(action, account.as_ref());
        self.read_back
            .take_changed(application, action, owner, account)?;
        stop_at("dispatch-read-back")?;
        Ok(Ok(is_shown))
    }

    /// Returns an application's connector, opened once in a pass.
    fn connector(
        &mut self,
        application: &Application,
    ) -> Result<&mut Box<dyn Connector>, ConnectError> {
        let name = application.name;
        if !self.open.contains_key(&name) {
            let opened = self.context.connectors.open(application)?;
            self.open.insert(name, opened);
        }
        Ok(self.open.get_mut(&name).expect("it was just put there"))
    }

    /// Makes a failure of what went wrong. An application that can't be reached
    /// is left in peace for the rest of the pass.
    fn note(&mut self, application: Name, error: &ConnectError) -> Failure {
        let failure = Failure::from(error);
        if error.is_retryable() {
            self.open.remove(&application);
            self.unreachable
                .insert(application, failure.message.clone());
        }
        failure
    }

    /// Returns what is noted with the identity of something that was sent.
    pub(super) fn sent(&self, action: &AccountAction, outcome: SentOutcome) -> SentAction {
        SentAction {
            action: action.clone(),
            at: self.context.now,
            outcome,
        }
    }

    /// Returns what goes with an attempt in vain: the account isn't being changed
    /// any more, and whoever gives up tells planning.
    pub(super) fn in_vain(
        &self,
        stored: &StoredEffect,
        failure: &Failure,
        gives_up: bool,
    ) -> Result<Settlement, DispatchError> {
        let idr_core::model::EffectKind::Account(action) = &stored.effect.what else {
            return Ok(Settlement::default());
        };
        let uid = stored.effect.uid;
        let failed = || self.sent(action, SentOutcome::Failed(failure.message.clone()));
        let own = match gives_up || failure.is_untouched {
            // A later attempt may find that it was carried out all the same.
            false => Vec::new(),
            true => self.not_under_way(action)?,
        };
        Ok(Settlement {
            sent: gives_up.then(|| (uid, failed())),
            own,
            ..Settlement::default()
        })
    }

    /// Returns that an action with an account has begun.
    pub(super) fn under_way(
        &self,
        action: &AccountAction,
        owner: Uid,
    ) -> Result<Vec<OwnChange>, DispatchError> {
        let keys = keys_of(action);
        let known = self.context.store.own_changes(&keys)?;
        let own = keys.into_iter().map(|account| {
            let known = known.iter().find(|known| known.account == account);
            OwnChange {
                owner: Some(owner),
                under_way: Some(action.clone()),
                confirmed_at: known.and_then(|known| known.confirmed_at),
                gone: known.is_some_and(|known| known.gone),
                account,
            }
        });
        Ok(own.collect())
    }

    fn not_under_way(&self, action: &AccountAction) -> Result<Vec<OwnChange>, DispatchError> {
        let known = self.context.store.own_changes(&keys_of(action))?;
        let own = known.into_iter().map(|known| OwnChange {
            under_way: None,
            ..known
        });
        Ok(own.collect())
    }

    /// Returns that an action with an account is carried out, and read.
    pub(super) fn confirmed(&self, action: &AccountAction, owner: Uid) -> Vec<OwnChange> {
        let moved = action.operation == AccountOperation::Move;
        let keys = keys_of(action);
        let last = keys.len() - 1;
        let own = keys
            .into_iter()
            .enumerate()
            .map(|(place, account)| OwnChange {
                account,
                owner: Some(owner),
                under_way: None,
                confirmed_at: Some(self.context.now),
                gone: action.operation == AccountOperation::Delete || (moved && place < last),
            });
        own.collect()
    }

    /// Lets people do what no connector can.
    fn ask_for_action(
        &mut self,
        stored: &StoredEffect,
        action: &AccountAction,
    ) -> Result<Outcome, DispatchError> {
        if stored.progress.status == EffectStatus::Sent {
            return Ok(Outcome::WithPeople);
        }
        let owner = self.application_owner(action.account.application);
        let description = super::people::in_words(action, self.context.model);
        let sent = (stored.effect.uid, self.sent(action, SentOutcome::Sent));
        self.open_item(stored, owner, &description, Some(sent))
    }

    /// Returns who is asked to do what an application's connector can't.
    pub(super) fn application_owner(&self, application: Name) -> Option<String> {
        let model = self.context.model;
        let owner = model
            .owners
            .owner_of(&format!("application `{application}`"));
        let owner = owner.map(str::to_owned);
        owner.or_else(|| model.work_item_fallback.clone())
    }
}

enum Confirmed {
    /// It is so, as was just read.
    Read(Option<Account>),
    /// It was carried out, and isn't read yet.
    Performed(Performed),
}

/// Returns the accounts that an action is about: where it is moved from, and last
/// the one that it leads to.
fn keys_of(action: &AccountAction) -> Vec<AccountKey> {
    let mut keys = vec![action.account.clone()];
    if let Some(native_identity) = action.leads_to()
        && native_identity != action.account.native_identity
    {
        keys.push(AccountKey {
            native_identity,
            ..action.account.clone()
        });
    }
    keys
}

/// Reads an account that must be one that idr can read.
fn read(
    connector: &mut Box<dyn Connector>,
    native_identity: &str,
) -> Result<Option<Account>, ConnectError> {
    let listed = connector.get(native_identity)?;
    listed.transpose().map_err(|broken| ConnectError::Refused {
        application: String::new(),
        message: broken.to_string(),
    })
}

fn perform(
    connector: &mut Box<dyn Connector>,
    action: &AccountAction,
    moved_to: &str,
    password: Option<crate::connect::Password>,
) -> Result<Performed, ConnectError> {
    let native_identity = &action.account.native_identity;
    match action.operation {
        AccountOperation::Create => connector.create(&NewAccount {
            native_identity,
            attributes: attributes(action),
            password,
        }),
        AccountOperation::Modify => connector.modify(native_identity, &action.changes),
        AccountOperation::Enable => connector.enable(native_identity, true),
        AccountOperation::Disable => connector.enable(native_identity, false),
        AccountOperation::Move => connector.rename(native_identity, moved_to),
        AccountOperation::Delete => connector.delete(native_identity),
    }
}

/// Returns the attributes that an account is created with.
fn attributes(action: &AccountAction) -> Vec<(Name, Value)> {
    let attributes = action.changes.iter().filter_map(|change| {
        let value = match &change.change {
            ValueChange::Set(value) => value.clone()?,
            ValueChange::Add(texts) => Value::many(texts).normalised()?,
            ValueChange::Remove(_) => return None,
        };
        Some((change.attribute, value))
    });
    attributes.collect()
}

/// Returns that an account is there already that was to be created.
fn there_already(action: &AccountAction, whose: &str) -> Failure {
    let AccountKey {
        application,
        native_identity,
    } = &action.account;
    Failure::lasting(format!(
        "there is an account `{native_identity}` in `{application}` already, {whose}: aggregate \
         the application, so that the account is correlated, and then refresh"
    ))
}

/// Returns what is wrong where an application says that something is carried
/// out, and its account says otherwise.
fn contradiction(action: &AccountAction, account: Option<&Account>) -> Option<Failure> {
    if is_so(action, account) {
        return None;
    }
    let native_identity = &action.account.native_identity;
    match action.operation {
        // What the application makes of values is for planning to judge.
        AccountOperation::Create | AccountOperation::Modify if account.is_some() => None,
        operation => Some(Failure::passing(format!(
            "the application says that it is done, but account `{native_identity}` isn't so: {}",
            operation.as_str()
        ))),
    }
}
