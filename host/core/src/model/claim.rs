//! Claims: unique values, each of which one identity has taken for good.

use super::{Name, Uid};
use crate::text::fold;

/// A unique value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// Within which values are unique.
    pub namespace: Name,
    /// The value, case-folded.
    pub value: String,
}

impl Claim {
    /// Returns the claim on a value as somebody wrote it.
    pub fn on(namespace: Name, value: &str) -> Self {
        let value = fold(value);
        Self { namespace, value }
    }
}

/// Whose a unique value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// That of the identity that has had it, and of no other ever after.
    Identity(Uid),
    /// Nobody's: a person keeps it from being given.
    Reserved,
}

/// A claim that a plan makes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NewClaim {
    /// The value.
    pub claim: Claim,
    /// Whether the name was made up. Of a wave's claims these come last: who has
    /// a name already keeps it before anybody is given one.
    pub generated: bool,
}
