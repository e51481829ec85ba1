//! Events: what a trigger has seen happen to an identity.

use super::{Name, Uid, UnixMillis, Value};

/// How many events an identity has had: part of an event's id, so that the
/// same change happening twice gives two events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventTally(pub u64);

/// One difference between the baseline and the present.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventChange {
    /// What differs: an identity attribute, a reserved name (`name`,
    /// `manager`, `lifecycleState`, `inactive`), `role NAME`, or `account APPLICATION NATIVE-IDENTITY`.
    pub what: String,
    /// What it was.
    pub old: Option<Value>,
    /// What it is.
    pub new: Option<Value>,
}

/// An event, recorded once in the transaction that advances the baseline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Whom it is about.
    pub uid: Uid,
    /// Which of the identity's events it is, counted from 1.
    pub sequence: u64,
    /// The trigger that fired.
    pub trigger: Name,
    /// When what it tells of took effect: the instant the refresh evaluated.
    pub effective_at: UnixMillis,
    /// When the run that found it was started.
    pub detected_at: UnixMillis,
    /// What had changed, in order.
    pub changes: Vec<EventChange>,
}
