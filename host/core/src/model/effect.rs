//! Effects: what is to be done outside because of what a refresh found.
//!
//! Planned together with events and recorded in the outbox, in the transaction
//! that advances the baseline. Whoever carries them out reads the outbox.

use super::{AccountKey, AssignmentSource, EntitlementChange, Name, Uid, UnixMillis, Value};

/// What may be done with an account. The order is that in which they are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountOperation {
    /// Create it, with the attributes that are set.
    Create,
    /// Change its attributes.
    Modify,
    /// Switch it on.
    Enable,
    /// Switch it off.
    Disable,
    /// Move it, such as to another branch of a directory.
    Move,
    /// Delete it.
    Delete,
}

impl AccountOperation {
    /// Every case with the word used in configuration, documents and reports.
    pub const ALL: [(&'static str, Self); 6] = [
        ("create", Self::Create),
        ("modify", Self::Modify),
        ("enable", Self::Enable),
        ("disable", Self::Disable),
        ("move", Self::Move),
        ("delete", Self::Delete),
    ];

    /// What a lifecycle state may do with accounts, with the words.
    pub const OF_STATES: [(&'static str, Self); 4] = [
        ("enable", Self::Enable),
        ("disable", Self::Disable),
        ("move", Self::Move),
        ("delete", Self::Delete),
    ];

    /// Returns the word used in configuration, documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, operation)| *operation == self);
        found.expect("every case is listed").0
    }
}

/// Something that is called for with an account and isn't so yet: one operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountAction {
    /// The account.
    pub account: AccountKey,
    /// What is to be done with it.
    pub operation: AccountOperation,
    /// Where to move it: the end of its native identity.
    pub to: Option<String>,
    /// The attributes that it is created with, or what changes of them, sorted.
    pub changes: Vec<AttributeChange>,
    /// Why, sorted. What changes here alone is no new action.
    pub reasons: Vec<ActionReason>,
    /// How many changes that idr had made itself led to this one, each to the next.
    pub hops: u32,
    /// The instant of the refresh that called for it.
    pub since: UnixMillis,
}

impl AccountAction {
    /// Says whether both call for the same, whenever they did first.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.account, self.operation, &self.to, &self.changes)
            == (&other.account, other.operation, &other.to, &other.changes)
    }

    /// Returns the native identity that the account has once this is carried out:
    /// another one only when it is moved. None when it can't be moved there.
    ///
    /// `to` is the end of the new one. It takes the place of what stands from the
    /// first of the same character on with which it begins (`@new.example`), or
    /// else behind the first comma (`OU=Leavers,DC=acme`).
    pub fn leads_to(&self) -> Option<String> {
        let old = &self.account.native_identity;
        let (AccountOperation::Move, Some(to)) = (self.operation, &self.to) else {
            return Some(old.clone());
        };
        let first = to.chars().next()?;
        if first.is_alphanumeric() {
            let (beginning, _) = old.split_once(',')?;
            return Some(format!("{beginning},{to}"));
        }
        let (beginning, _) = old.split_once(first)?;
        Some(format!("{beginning}{to}"))
    }
}

/// What changes in one attribute of an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeChange {
    /// The account attribute.
    pub attribute: Name,
    /// How it changes.
    pub change: ValueChange,
}

/// How the value of an attribute changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ValueChange {
    /// It becomes this; without a value it is emptied.
    Set(Option<Value>),
    /// These values are added; it has them once, also where it had them before.
    Add(Vec<String>),
    /// These values are taken away, where it has them.
    Remove(Vec<String>),
}

/// Why something is called for with an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionReason {
    /// An assigned role asks for it.
    Role {
        /// The assigned role.
        role: Name,
        /// What gives that role.
        source: AssignmentSource,
    },
    /// The last role that it was given for is no longer assigned.
    RoleGone {
        /// That role.
        role: Name,
    },
    /// The lifecycle state does it with accounts.
    State {
        /// The state.
        state: Name,
    },
    /// An account attribute follows an identity attribute.
    Synchronisation {
        /// The identity attribute.
        attribute: Name,
    },
    /// An entitlement gained or lost natively is put back.
    NativeChange {
        /// What became of it.
        change: EntitlementChange,
    },
    /// A workflow does it with accounts.
    Workflow {
        /// The workflow.
        workflow: String,
        /// The trigger that launched it.
        trigger: Name,
    },
}

/// Something that somebody is to do about an identity, for as long as it is so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkItem {
    /// The name of whoever is to do it: the manager, or else whom the tenant names for
    /// that. Nobody without either.
    pub owner: Option<String>,
    /// What to do.
    pub description: String,
    /// The instant of the refresh that called for it.
    pub since: UnixMillis,
}

impl WorkItem {
    /// Says whether both ask the same of the same, whenever they did first.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.owner, &self.description) == (&other.owner, &other.description)
    }
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// Whom it is about.
    pub uid: Uid,
    /// What is to be done.
    pub what: EffectKind,
    /// When what calls for it took effect: the instant the refresh evaluated.
    pub effective_at: UnixMillis,
    /// When the run that found it was started.
    pub detected_at: UnixMillis,
}

/// What is to be done outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EffectKind {
    /// What is called for with an account.
    Account(AccountAction),
    /// What somebody is to do.
    WorkItem(WorkItem),
    /// What a trigger's handler is to do about an event.
    Handler {
        /// The trigger.
        trigger: Name,
        /// Which of the identity's events it is, counted from 1.
        sequence: u64,
        /// The place of the handler in the trigger's definition, counted from 0.
        place: u32,
        /// What it does.
        handler: Handler,
        /// How many changes that idr had made itself led to the event.
        hops: u32,
    },
}

/// What happens when a trigger has fired.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Handler {
    /// Somebody gets something to do.
    WorkItem {
        /// Who: `manager`, `identity`, or the name of an identity.
        owner: String,
        /// What to do.
        description: String,
    },
    /// A workflow elsewhere is launched.
    Workflow {
        /// Its name there.
        name: String,
    },
    /// The event is sent to an address.
    Webhook {
        /// The address.
        url: String,
    },
}
