//! Provisioning: what idr has given and sent, so that planning knows.
//!
//! Whoever carries effects out notes here, in the transaction that writes the
//! effect's status, what was sent; planning reads it as an input.

use super::{AccountAction, AccountKey, Entitlement, Name, UnixMillis};

/// What idr remembers of its own doing for one identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provisioning {
    /// Entitlements that idr has given or has taken over, sorted: they go with
    /// the last role that asks for them.
    pub given: Vec<GivenEntitlement>,
    /// The accounts that were chosen for roles, sorted by role and application.
    pub targets: Vec<TargetAccount>,
    /// What was sent and isn't confirmed yet, in the order in which it was sent.
    /// An input.
    pub sent: Vec<SentAction>,
}

/// An entitlement that is there because idr gave it or took it over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GivenEntitlement {
    /// The entitlement.
    pub entitlement: Entitlement,
    /// The assigned roles that it was last there for, sorted.
    pub roles: Vec<Name>,
}

/// The account of an application that was chosen for a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TargetAccount {
    /// The assigned role.
    pub role: Name,
    /// The account.
    pub account: AccountKey,
}

/// An action that was sent to its application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentAction {
    /// What was sent.
    pub action: AccountAction,
    /// When.
    pub at: UnixMillis,
    /// What came of it as far as is known.
    pub outcome: SentOutcome,
}

/// What came of an action that was sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SentOutcome {
    /// Nobody has said no. It is confirmed when the account shows it.
    Sent,
    /// The account has shown it. What is otherwise since is called for anew.
    Confirmed,
    /// It was given up, for this reason.
    Failed(String),
}

impl SentAction {
    /// Says whether it is this action that was sent.
    fn is_of(&self, action: &AccountAction) -> bool {
        self.action.is_same(action) && self.action.since == action.since
    }
}

impl Provisioning {
    /// Says whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes out what is remembered of an account: for whoever has it now.
    pub fn take(&mut self, account: &AccountKey) -> Self {
        let is_of = |key: &AccountKey| key == account;
        let (given, left) = std::mem::take(&mut self.given)
            .into_iter()
            .partition(|known| is_of(&known.entitlement.account));
        self.given = left;
        let (targets, left) = std::mem::take(&mut self.targets)
            .into_iter()
            .partition(|known| is_of(&known.account));
        self.targets = left;
        let (sent, left) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|known| is_of(&known.action.account));
        self.sent = left;
        Self {
            given,
            targets,
            sent,
        }
    }

    /// Adds what another identity has remembered of an account. Its roles' accounts
    /// stay those that were chosen here.
    pub fn add(&mut self, other: &Self) {
        for given in &other.given {
            let mut known = self.given.iter();
            if !known.any(|known| known.entitlement == given.entitlement) {
                self.given.push(given.clone());
            }
        }
        self.given.sort();
        for target in &other.targets {
            let mut known = self.targets.iter();
            let is_same = |known: &TargetAccount| {
                (known.role, known.account.application) == (target.role, target.account.application)
            };
            if !known.any(is_same) {
                self.targets.push(target.clone());
            }
        }
        self.targets.sort();
        self.sent.extend(other.sent.iter().cloned());
    }

    /// Lets what is remembered of an account be of the one that it has become.
    pub fn rename(&mut self, from: &AccountKey, to: &AccountKey) {
        for given in &mut self.given {
            if given.entitlement.account == *from {
                given.entitlement.account = to.clone();
            }
        }
        self.given.sort();
        self.given
            .dedup_by(|one, other| one.entitlement == other.entitlement);
        for target in &mut self.targets {
            if target.account == *from {
                target.account = to.clone();
            }
        }
        self.targets.sort();
        self.targets.dedup();
    }

    /// Notes what was sent, or what has come of it: for whoever carries effects
    /// out. What was sent before of the same is replaced; what has come of it
    /// stays in its place.
    pub fn note_sent(&mut self, action: AccountAction, at: UnixMillis, outcome: SentOutcome) {
        let place = self.sent.iter().position(|known| known.is_of(&action));
        let is_sent_now = outcome == SentOutcome::Sent;
        let noted = SentAction {
            action,
            at,
            outcome,
        };
        match place {
            Some(place) if !is_sent_now => self.sent[place] = noted,
            place => {
                place.map(|place| self.sent.remove(place));
                self.sent.push(noted);
            }
        }
    }

    /// Notes that an action won't be carried out any more, and says whether that
    /// changes anything. One that was `tried` may have had its effect: it has
    /// failed. Any other is as if it had never been sent.
    pub fn note_withdrawn(&mut self, action: &AccountAction, tried: bool) -> bool {
        let Some(place) = self.sent.iter().position(|known| known.is_of(action)) else {
            return false;
        };
        match (&mut self.sent[place].outcome, tried) {
            (SentOutcome::Failed(_), true) | (SentOutcome::Confirmed, _) => return false,
            (outcome, true) => {
                *outcome = SentOutcome::Failed("it was withdrawn after an attempt".to_owned());
            }
            (_, false) => {
                self.sent.remove(place);
            }
        }
        true
    }
}
