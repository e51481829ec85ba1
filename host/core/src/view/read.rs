//! Reads of the subject, its accounts, its manager, its roles and its past.

use super::{Node, PRESENCE, ReadError, STATUS, Slot, TrackedView};
use crate::model::{
    AccountStatus, AttributeState, Identity, Name, Provenance, ReadKey, Uid, Value,
};
use crate::planted::{self, Bug};

/// Names one of the subject's accounts during one evaluation, counted from 0.
pub type AccountHandle = u32;

/// An account as rules see it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AccountSummary {
    /// Names it in later reads.
    pub handle: AccountHandle,
    /// Its native identity.
    pub native_identity: String,
    /// What the application says of it; none when it has vanished.
    pub status: Option<AccountStatus>,
}

impl TrackedView {
    /// Returns an identity attribute of the subject, as settled by this plan;
    /// also the reserved names.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when it isn't settled yet, isn't defined, or isn't granted.
    pub fn attribute(&mut self, name: &str) -> Result<Option<Value>, ReadError> {
        let Some(name) = self.granted_attribute(name)? else {
            return Ok(None);
        };
        let value = self.own_attribute(name)?;
        self.note(|| name.to_string(), || spoken(value.as_ref()));
        Ok(value)
    }

    /// Returns an identity attribute of the subject's manager, as it was before
    /// the current wave.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::attribute`]; [`ReadError::Snapshot`] when the store can't be read.
    pub fn manager_attribute(&mut self, name: &str) -> Result<Option<Value>, ReadError> {
        let Some(name) = self.granted_manager_attribute(name)? else {
            return Ok(None);
        };
        let value = match self.settled_manager()? {
            Some(manager) => self.attribute_of(manager, name)?,
            None => None,
        };
        self.note(|| format!("manager {name}"), || spoken(value.as_ref()));
        Ok(value)
    }

    /// Lists the subject's accounts in an application, in order of native identity.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the application isn't defined or isn't granted.
    pub fn accounts(&mut self, application: &str) -> Result<Vec<AccountSummary>, ReadError> {
        let Some(application) = self.granted_application(application)? else {
            return Ok(Vec::new());
        };
        self.note_composed_read(Some(application));
        let mut summaries = Vec::new();
        for index in 0..self.state().record.accounts.len() {
            if self.state().record.accounts[index].key.application != application {
                continue;
            }
            let vanished = self.is_vanished(index);
            self.note_account_asked(index, STATUS);
            let account = &self.state().record.accounts[index];
            summaries.push(AccountSummary {
                handle: AccountHandle::try_from(index).unwrap_or(AccountHandle::MAX),
                native_identity: account.key.native_identity.clone(),
                status: (!vanished).then_some(account.status),
            });
        }
        self.note(
            || format!("accounts in {application}"),
            || {
                summaries
                    .iter()
                    .map(spoken_account)
                    .collect::<Vec<_>>()
                    .join(", ")
            },
        );
        Ok(summaries)
    }

    /// Returns the handle of the subject's first account in an application, in
    /// order of native identity: of those that are present, or else of those that
    /// are missing and haven't vanished yet, or else of those that have.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the application isn't defined or isn't granted.
    pub fn first_account(&mut self, application: &str) -> Result<Option<AccountHandle>, ReadError> {
        let Some(application) = self.granted_application(application)? else {
            return Ok(None);
        };
        let first = self.first_account_index(application).or_else(|| {
            let mut accounts = self.state().record.accounts.iter();
            accounts.position(|account| account.key.application == application)
        });
        let handle =
            first.map(|index| AccountHandle::try_from(index).unwrap_or(AccountHandle::MAX));
        self.note(
            || format!("first account in {application}"),
            || handle.map_or_else(|| "none".to_owned(), |handle| handle.to_string()),
        );
        Ok(handle)
    }

    /// Returns an attribute of one of the subject's accounts.
    ///
    /// # Errors
    ///
    /// [`ReadError`] for a handle that [`TrackedView::accounts`] or
    /// [`TrackedView::first_account`] didn't give, or an attribute that isn't defined or isn't granted.
    pub fn account_attribute(
        &mut self,
        handle: AccountHandle,
        name: &str,
    ) -> Result<Option<Value>, ReadError> {
        let account = usize::try_from(handle)
            .ok()
            .and_then(|index| self.state().record.accounts.get(index))
            .ok_or_else(|| {
                ReadError::Argument(format!("there is no account with handle {handle}"))
            })?;
        let application = account.key.application;
        let Some(name) = self.granted_account_attribute(application, name)? else {
            return Ok(None);
        };
        self.note_account_read(handle as usize, name);
        let account = &self.state().record.accounts[handle as usize];
        let value = account.attribute(name).cloned();
        self.note_of(
            handle as usize,
            || format!("{application} account {handle} {name}"),
            || spoken(value.as_ref()),
        );
        Ok(value)
    }

    /// Says whether any account in the application that hasn't vanished holds
    /// an entitlement.
    ///
    /// # Errors
    ///
    /// [`ReadError`] before the access group, or when the application or
    /// attribute isn't defined or isn't granted.
    pub fn holds(
        &mut self,
        application: &str,
        attribute: &str,
        value: &str,
    ) -> Result<bool, ReadError> {
        Ok(self
            .held(application, attribute)?
            .iter()
            .any(|held| held == value))
    }

    /// Lists the values of an entitlement attribute over all accounts in the
    /// application that haven't vanished, sorted, without repeats.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::holds`].
    pub fn held(&mut self, application: &str, attribute: &str) -> Result<Vec<String>, ReadError> {
        if !self.state().access {
            return Err(ReadError::Phase("entitlements"));
        }
        let Some((application, attribute)) = self.granted_entitlement(application, attribute)?
        else {
            return Ok(Vec::new());
        };
        let mut values = Vec::new();
        for index in 0..self.state().record.accounts.len() {
            let account = &self.state().record.accounts[index];
            if account.key.application != application {
                continue;
            }
            if account.attribute(attribute).is_none() {
                self.note_account_read(index, attribute);
                continue;
            }
            if self.is_vanished(index) {
                continue;
            }
            self.note_account_read(index, attribute);
            if let Some(value) = self.state().record.accounts[index].attribute(attribute) {
                value.each_text(|text| values.push(text.to_owned()));
            }
        }
        values.sort();
        values.dedup();
        self.note(
            || format!("entitlements {application} {attribute}"),
            || values.join(", "),
        );
        Ok(values)
    }

    /// Says whether the identity has a role assigned.
    ///
    /// # Errors
    ///
    /// [`ReadError`] before roles are settled, or for a role that isn't defined.
    pub fn has_assigned(&mut self, role: &str) -> Result<bool, ReadError> {
        let Some(role) = self.readable_role(role)? else {
            return Ok(false);
        };
        let mut assigned = self.assigned_roles().iter();
        let answer = assigned.any(|known| known.role == role);
        self.note(|| format!("has assigned {role}"), || answer.to_string());
        Ok(answer)
    }

    /// Says whether the identity has a role detected.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::has_assigned`].
    pub fn has_detected(&mut self, role: &str) -> Result<bool, ReadError> {
        let Some(role) = self.readable_role(role)? else {
            return Ok(false);
        };
        let mut detected = self.detected_roles().iter();
        let answer = detected.any(|known| known.role == role);
        self.note(|| format!("has detected {role}"), || answer.to_string());
        Ok(answer)
    }

    /// Says whether events have seen the identity before.
    ///
    /// # Errors
    ///
    /// [`ReadError::Phase`] outside triggers.
    pub fn baseline_exists(&mut self) -> Result<bool, ReadError> {
        let baseline = self
            .state()
            .baseline
            .as_ref()
            .ok_or(ReadError::Phase("the baseline"))?;
        let answer = !baseline.unseen;
        self.note(|| "baseline exists".to_owned(), || answer.to_string());
        Ok(answer)
    }

    /// Returns an identity attribute as it was when events were last processed.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::attribute`]; [`ReadError::Phase`] outside triggers.
    pub fn baseline_attribute(&mut self, name: &str) -> Result<Option<Value>, ReadError> {
        let Some(name) = self.granted_attribute(name)? else {
            return Ok(None);
        };
        let baseline = self
            .state()
            .baseline
            .as_ref()
            .ok_or(ReadError::Phase("the baseline"))?;
        let value = if baseline.unseen {
            None
        } else {
            match name.as_str() {
                "name" if baseline.name.is_some() => baseline.name.clone().map(Value::text),
                "lifecycleState" if baseline.lifecycle_state.is_some() => baseline
                    .lifecycle_state
                    .flatten()
                    .map(|state| Value::text(state.as_str())),
                "inactive" if baseline.inactive.is_some() => baseline.inactive.map(Value::Boolean),
                "manager" if baseline.manager.is_some() => match baseline.manager.flatten() {
                    Some(uid) => self.attribute_of(uid, Name::new("name"))?,
                    None => None,
                },
                _ => match baseline
                    .attributes
                    .binary_search_by(|(known, _)| known.cmp(&name))
                {
                    Ok(index) => baseline.attributes[index].1.clone(),
                    Err(_) => self.own_attribute(name)?,
                },
            }
        };
        self.note(|| format!("baseline {name}"), || spoken(value.as_ref()));
        Ok(value)
    }

    /// Says whether the identity had a role assigned when events were last processed.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::has_assigned`].
    pub fn had_assigned(&mut self, role: &str) -> Result<bool, ReadError> {
        let Some(role) = self.readable_role(role)? else {
            return Ok(false);
        };
        let state = self.state();
        let baseline = state
            .baseline
            .as_ref()
            .ok_or(ReadError::Phase("the baseline"))?;
        let answer = match baseline
            .assigned
            .binary_search_by(|(known, _)| known.cmp(&role))
        {
            Ok(index) => baseline.assigned[index].1.is_some(),
            Err(_) => !baseline.unseen && state.record.identity.has_assigned(role),
        };
        self.note(|| format!("had assigned {role}"), || answer.to_string());
        Ok(answer)
    }

    /// Returns the identities with this value of an attribute (or `name`),
    /// compared case-folded. For correlation and the manager, not for rules.
    ///
    /// # Errors
    ///
    /// [`ReadError::Snapshot`] when the store can't be read.
    pub fn find(&mut self, attribute: Name, value: &str) -> Result<Vec<Uid>, ReadError> {
        let folded = crate::text::fold(value);
        let found = self.state().snapshot.find(attribute, &folded)?;
        if !(found.is_empty() && planted::is(Bug::DropLookupKey)) {
            self.note_read(ReadKey::Lookup(attribute, folded));
        }
        self.note(
            || format!("whose {attribute} is {value}"),
            || format!("{} found", found.len()),
        );
        Ok(found)
    }

    /// Settles every node from the record, for phases that only look back at
    /// what was settled (events).
    pub fn settle_from_record(&mut self) {
        let state = self.state_mut();
        let identity = &state.record.identity;
        let count = state.model.attributes.len();
        state.slots[..count].fill(Slot::Recorded);
        state.slots[count] = Slot::Manager(identity.manager);
        state.slots[count + 1] = Slot::LifecycleState(identity.lifecycle_state, identity.inactive);
    }

    /// Says whether an account counts as vanished, noting when it will.
    pub(crate) fn is_vanished(&mut self, index: usize) -> bool {
        self.note_account_asked(index, PRESENCE);
        let account = &self.state().record.accounts[index];
        let application = self.state().model.application(account.key.application);
        let grace_ms = application.map_or(0, |application| application.vanish_grace_ms);
        let vanishes = account.vanishes_at(grace_ms);
        vanishes.is_some_and(|at| self.reached(at))
    }

    /// Returns the places in the record of the accounts that haven't vanished,
    /// noting when they will.
    pub(crate) fn present_accounts(&mut self) -> Vec<usize> {
        self.note_composed_read(None);
        let all = 0..self.state().record.accounts.len();
        all.filter(|&index| !self.is_vanished(index)).collect()
    }

    /// Returns the place in the record of the first account in an application,
    /// in order of native identity: of those that are present, or else of those
    /// that are missing and haven't vanished yet.
    pub(crate) fn first_account_index(&mut self, application: Name) -> Option<usize> {
        self.note_composed_read(Some(application));
        let accounts = &self.state().record.accounts;
        let own = |index: &usize| accounts[*index].key.application == application;
        let present = |index: &usize| own(index) && accounts[*index].missing_since.is_none();
        let count = accounts.len();
        (0..count).find(present).or_else(|| {
            (0..count).find(|&index| {
                self.state().record.accounts[index].key.application == application
                    && !self.is_vanished(index)
            })
        })
    }

    /// Returns all accounts in an application that count, in order of native
    /// identity: those that are present, or else those that are missing and
    /// haven't vanished yet.
    pub(crate) fn usable_accounts(&mut self, application: Name) -> Vec<usize> {
        self.note_composed_read(Some(application));
        let accounts = &self.state().record.accounts;
        let own =
            (0..accounts.len()).filter(|&index| accounts[index].key.application == application);
        let own: Vec<usize> = own.collect();
        let present = |index: &usize| accounts[*index].missing_since.is_none();
        if own.iter().any(present) {
            return own.iter().copied().filter(present).collect();
        }
        let mut usable = own;
        usable.retain(|&index| !self.is_vanished(index));
        usable
    }

    /// Returns an attribute of the identity with a name, as it was before the
    /// current wave. For native transforms, not for rules.
    pub(crate) fn attribute_of_named(
        &mut self,
        identity: &str,
        name: Name,
    ) -> Result<Option<Value>, ReadError> {
        let found = self.find(Name::new("name"), identity)?;
        let value = match found.as_slice() {
            [uid] => self.attribute_of(*uid, name)?,
            _ => None,
        };
        self.note(|| format!("{identity} {name}"), || spoken(value.as_ref()));
        Ok(value)
    }

    pub(crate) fn own_attribute(&mut self, name: Name) -> Result<Option<Value>, ReadError> {
        match name.as_str() {
            "name" => Ok(Some(Value::text(self.record().identity.name.clone()))),
            "uid" => Ok(Some(Value::Integer(self.record().identity.uid.0))),
            "manager" => match self.settled_manager()? {
                Some(manager) => self.attribute_of(manager, Name::new("name")),
                None => Ok(None),
            },
            "lifecycleState" => {
                let (state, _) = self.settled_state()?;
                Ok(state.map(|state| Value::text(state.as_str())))
            }
            "inactive" => Ok(Some(Value::Boolean(self.settled_state()?.1))),
            _ => {
                let node = Node::Attribute(name);
                self.note_node_read(node);
                match self.slot(node) {
                    Slot::Attribute(state) => Ok(state.as_ref().and_then(|s| s.value.clone())),
                    Slot::Recorded => Ok(self.state().record.identity.value(name).cloned()),
                    _ if self.state().model.attribute_index(name).is_some() => {
                        Err(ReadError::Unsettled(node))
                    }
                    // `zone` where the tenant doesn't define it, and whatever a
                    // case run without a tenant doesn't list.
                    _ => Ok(None),
                }
            }
        }
    }

    fn settled_manager(&mut self) -> Result<Option<Uid>, ReadError> {
        self.note_node_read(Node::Manager);
        match self.slot(Node::Manager) {
            Slot::Manager(manager) => Ok(*manager),
            _ => Err(ReadError::Unsettled(Node::Manager)),
        }
    }

    fn settled_state(&mut self) -> Result<(Option<Name>, bool), ReadError> {
        self.note_node_read(Node::LifecycleState);
        match self.slot(Node::LifecycleState) {
            Slot::LifecycleState(state, inactive) => Ok((*state, *inactive)),
            _ => Err(ReadError::Unsettled(Node::LifecycleState)),
        }
    }

    fn attribute_of(&mut self, uid: Uid, name: Name) -> Result<Option<Value>, ReadError> {
        let value = self.state().snapshot.attribute_of(uid, name)?;
        // Only where something is called for can changes lead to each other.
        if self.model().provisions() && !planted::is(Bug::CountNoChanges) {
            let count = self.state().snapshot.chain_of(uid, name)?;
            self.note_led_to(count);
        }
        self.note_read(ReadKey::Attribute(uid, name));
        Ok(value)
    }
}

impl Identity {
    /// Returns what others may read of this identity: an attribute, or one of
    /// `name`, `uid`, `lifecycleState`, `inactive`.
    pub fn readable(&self, name: Name) -> Option<Value> {
        match name.as_str() {
            "name" => Some(Value::text(&self.name)),
            "uid" => Some(Value::Integer(self.uid.0)),
            "lifecycleState" => self
                .lifecycle_state
                .map(|state| Value::text(state.as_str())),
            "inactive" => Some(Value::Boolean(self.inactive)),
            _ => self.value(name).cloned(),
        }
    }
}

impl AttributeState {
    /// Returns a value that stems from the source at `index`.
    pub(crate) fn from_source(value: Option<Value>, index: usize) -> Self {
        Self {
            value,
            provenance: Provenance::Source(u16::try_from(index).unwrap_or(u16::MAX)),
        }
    }
}

fn spoken(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), ToString::to_string)
}

fn spoken_account(account: &AccountSummary) -> String {
    let status = account.status.map_or("vanished", AccountStatus::as_str);
    format!("{} ({status})", account.native_identity)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::TrackedView;
    use crate::model::UnixMillis;
    use crate::testing::{Nobody, account, model, person};

    #[test]
    fn the_first_account_is_there_or_missing_lately_or_else_vanished() {
        const LATELY: Option<UnixMillis> = Some(UnixMillis(4_500));
        const LONG_AGO: Option<UnixMillis> = Some(UnixMillis(1_000));
        let first = |missing: &[Option<UnixMillis>]| {
            let mut tenant = model(&[], Vec::new());
            for application in &mut tenant.applications {
                application.vanish_grace_ms = 1_000;
            }
            let of_hr = missing.iter().zip(["1", "2", "3"]);
            let of_hr = of_hr.map(|(missing_since, native)| {
                let mut account = account("hr", &[]);
                account.key.native_identity = native.to_owned();
                account.missing_since = *missing_since;
                account
            });
            let accounts = [account("ad", &[])].into_iter().chain(of_hr).collect();
            let (tenant, nobody) = (Arc::new(tenant), Arc::new(Nobody));
            let mut view = TrackedView::new(tenant, nobody, UnixMillis(5_000), person(accounts));
            view.first_account("hr").expect("it is granted")
        };
        assert_eq!(first(&[None, None]), Some(1));
        assert_eq!(first(&[LATELY, None, LONG_AGO]), Some(2));
        assert_eq!(first(&[LONG_AGO, LATELY, None]), Some(3));
        assert_eq!(first(&[LONG_AGO, LATELY, LONG_AGO]), Some(2));
        assert_eq!(first(&[LONG_AGO, LONG_AGO]), Some(1));
        assert_eq!(first(&[]), None);
    }
}
