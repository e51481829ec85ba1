//! How many changes of idr's own have led to what is worked out.
//!
//! What idr has set of an account, and reads back in this plan, may lead to another
//! change, and that to another. The view knows which account attributes those are;
//! whoever reads one, or something that was worked out from one, is one change
//! further. The provisioning plan counts them, and finds what goes round in circles.

use super::{Node, TrackedView};
use crate::model::{AccountKey, Name};
use crate::planted::{self, Bug};

/// Stands for whether an account is there, among its attributes.
pub(crate) const PRESENCE: &str = "(presence)";

/// Stands for whether an account is switched on.
pub(crate) const STATUS: &str = "(status)";

/// What is known of chains of changes; empty for almost everybody.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    /// The attributes of accounts that idr has changed, each with how many changes
    /// had led to that.
    own: Vec<(AccountKey, Name, u32)>,
    /// The logical applications whose accounts are made of what idr has changed, each
    /// with how many changes have led to what they are now, or to there being none.
    composed: Vec<(Name, u32)>,
    /// How many changes have led to what is being worked out.
    count: u32,
    /// How many have led to what was worked out.
    nodes: Vec<(Node, u32)>,
    /// How many have led to whether the identity has a role.
    roles: Vec<(Name, u32)>,
    /// How many have led to whether it has one that wasn't asked about.
    other_roles: u32,
}

impl TrackedView {
    /// Says what idr has changed and this plan reads back.
    pub(crate) fn show_own_changes(&mut self, own: Vec<(AccountKey, Name, u32)>) {
        self.state_mut().chain.own = own;
    }

    /// Says how many changes of idr's own led to what the last plan has worked out.
    pub(crate) fn show_chains(&mut self, chains: &[(Name, u32)]) {
        for (name, count) in chains {
            let node = match name.as_str() {
                "manager" => Node::Manager,
                "lifecycleState" => Node::LifecycleState,
                _ => Node::Attribute(*name),
            };
            self.note_chain(node, *count);
        }
    }

    /// Returns how many changes of idr's own led to what this plan has worked out,
    /// where that is any.
    pub(crate) fn chains(&self) -> &[(Node, u32)] {
        &self.state().chain.nodes
    }

    /// Notes that something is read to which so many changes of idr's own led.
    pub(crate) fn note_led_to(&mut self, count: u32) {
        let chain = &mut self.state_mut().chain;
        chain.count = chain.count.max(count);
    }

    /// Works something out, and returns with it how many changes of idr's own have
    /// led to it.
    pub(crate) fn counting<T>(&mut self, work_out: impl FnOnce(&mut Self) -> T) -> (T, u32) {
        let outer = std::mem::take(&mut self.state_mut().chain.count);
        let result = work_out(self);
        let chain = &mut self.state_mut().chain;
        let count = chain.count;
        chain.count = outer.max(count);
        (result, count)
    }

    /// Notes that an account attribute is read, by the account's place in the record.
    pub(crate) fn note_account_read(&mut self, account: usize, attribute: Name) {
        let state = self.state_mut();
        if state.chain.own.is_empty() || planted::is(Bug::CountNoChanges) {
            return;
        }
        let Some(account) = state.record.accounts.get(account) else {
            return;
        };
        let own = state.chain.own.iter();
        let own = own.filter(|known| known.0 == account.key && known.1 == attribute);
        let most = own.map(|known| known.2 + 1).max();
        let application = account.key.application;
        state.chain.count = state.chain.count.max(most.unwrap_or(0));
        self.note_composed_read(Some(application));
    }

    /// Notes that accounts of a logical application are made of this.
    pub(crate) fn note_composed(&mut self, application: Name, count: u32) {
        if count > 0 {
            self.state_mut().chain.composed.push((application, count));
        }
    }

    /// Notes that accounts of an application are looked for, or of any.
    pub(crate) fn note_composed_read(&mut self, application: Option<Name>) {
        let chain = &mut self.state_mut().chain;
        let composed = chain.composed.iter();
        let composed = composed.filter(|known| application.is_none_or(|name| known.0 == name));
        let most = composed.map(|known| known.1).max();
        chain.count = chain.count.max(most.unwrap_or(0));
    }

    /// Notes that it is asked whether an account is there (`PRESENCE`) or switched on
    /// (`STATUS`).
    pub(crate) fn note_account_asked(&mut self, account: usize, what: &str) {
        if !self.state().chain.own.is_empty() {
            self.note_account_read(account, Name::new(what));
        }
    }

    /// Returns how many changes have led to an account being there, and switched on or
    /// off as it is.
    pub(crate) fn chain_of_account(&self, account: &AccountKey) -> u32 {
        let own = self.state().chain.own.iter();
        let own = own
            .filter(|known| known.0 == *account && matches!(known.1.as_str(), PRESENCE | STATUS));
        own.map(|known| known.2 + 1).max().unwrap_or(0)
    }

    /// Returns how many changes have led to the identity having no account in an
    /// application: one more than to idr's own deletion, where this plan reads that back.
    pub(crate) fn chain_of_absence(&self, application: Name) -> u32 {
        let own = self.state().chain.own.iter();
        let gone =
            own.filter(|known| known.0.application == application && known.1.as_str() == PRESENCE);
        gone.map(|known| known.2 + 1).max().unwrap_or(0)
    }

    /// Returns how many changes have led to something that this plan has worked out.
    pub(crate) fn chain_of(&mut self, node: Node) -> u32 {
        self.counting(|view| view.note_node_read(node)).1
    }

    /// Notes that something is read that this plan has worked out.
    pub(crate) fn note_node_read(&mut self, node: Node) {
        let chain = &mut self.state_mut().chain;
        let count = chain.nodes.iter().find(|known| known.0 == node);
        chain.count = chain.count.max(count.map_or(0, |known| known.1));
    }

    /// Notes how many changes have led to what was worked out.
    pub(crate) fn note_chain(&mut self, node: Node, count: u32) {
        if count > 0 {
            self.state_mut().chain.nodes.push((node, count));
        }
    }

    /// Notes how many changes have led to whether the identity has a role; without
    /// one, any that nothing is noted about.
    pub(crate) fn note_role_chain(&mut self, role: Option<Name>, count: u32) {
        let chain = &mut self.state_mut().chain;
        match role {
            Some(role) => chain.roles.push((role, count)),
            None => chain.other_roles = chain.other_roles.max(count),
        }
    }

    /// Returns how many changes have led to whether the identity has a role.
    pub(crate) fn role_chain(&self, role: Name) -> u32 {
        let chain = &self.state().chain;
        let noted = chain.roles.iter().filter(|known| known.0 == role);
        noted
            .map(|known| known.1)
            .max()
            .unwrap_or(chain.other_roles)
    }
}
