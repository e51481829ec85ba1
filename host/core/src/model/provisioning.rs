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
    /// It was given up, for this reason.
    Failed(String),
}

impl Provisioning {
    /// Says whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Notes what was sent, or what has come of it: for whoever carries effects
    /// out. What was sent before of the same is replaced.
    pub fn note_sent(&mut self, action: AccountAction, at: UnixMillis, outcome: SentOutcome) {
        let same = |known: &SentAction| {
            known.action.is_same(&action) && known.action.since == action.since
        };
        self.sent.retain(|known| !same(known));
        self.sent.push(SentAction {
            action,
            at,
            outcome,
        });
    }

    /// Notes that an action won't be carried out any more, and says whether that
    /// changes anything. One that was `tried` may have had its effect: it has
    /// failed. Any other is as if it had never been sent.
    pub fn note_withdrawn(&mut self, action: &AccountAction, tried: bool) -> bool {
        let same =
            |known: &SentAction| known.action.is_same(action) && known.action.since == action.since;
        let Some(place) = self.sent.iter().position(same) else {
            return false;
        };
        match (&mut self.sent[place].outcome, tried) {
            (SentOutcome::Failed(_), true) => return false,
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
