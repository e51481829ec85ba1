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
    /// Where the value comes from.
    pub origin: ClaimOrigin,
}

/// Where a claimed value comes from. Of a wave's claims the generated come last:
/// who has a name already keeps it before anybody is given one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClaimOrigin {
    /// An account has it, or a person or rule says it.
    #[default]
    Given,
    /// It was made of other values, perhaps of a generated name.
    Derived,
    /// A generator made it up.
    Generated,
}

impl ClaimOrigin {
    /// Every case with the word used in documents.
    pub const ALL: [(&'static str, Self); 3] = [
        ("given", Self::Given),
        ("derived", Self::Derived),
        ("generated", Self::Generated),
    ];

    /// Returns the word used in documents.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, origin)| *origin == self);
        found.expect("every case is listed").0
    }
}
