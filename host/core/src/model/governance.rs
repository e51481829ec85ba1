//! Policy violations and risk scorecards: what governance makes of an identity.

use super::{AccountKey, Entitlement, Name, UnixMillis};

/// A policy that an identity violates, or with `ended` one that it did.
/// There is at most one per policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The policy.
    pub policy: Name,
    /// The instant of the refresh that first found it.
    pub since: UnixMillis,
    /// What violates it: what is there, or what is called for.
    pub basis: Basis,
    /// What stands on the left of a separation of duties, or else whatever is
    /// in the way; in words, sorted. Sensitive values are masked.
    pub left: Vec<String>,
    /// What stands on the right of a separation of duties, in words, sorted.
    pub right: Vec<String>,
    /// What people have decided about it.
    pub status: ViolationStatus,
    /// What is kept out of provisioning because of it, in words, sorted.
    pub held: Vec<String>,
    /// When it was over; violations that are over stay only where
    /// `keep_previous` says so.
    pub ended: Option<UnixMillis>,
}

/// What violates a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Basis {
    /// What is there, though it is on its way out.
    Actual,
    /// What is called for and isn't there yet.
    Desired,
    /// What is there and called for.
    Both,
}

impl Basis {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 3] = [
        ("actual", Self::Actual),
        ("desired", Self::Desired),
        ("both", Self::Both),
    ];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, basis)| *basis == self);
        found.expect("every case is listed").0
    }
}

/// What people have decided about a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViolationStatus {
    /// Nothing yet.
    Open,
    /// It is allowed for now.
    Mitigated,
    /// It was allowed, and isn't any more.
    Expired,
    /// It is not allowed.
    Denied,
}

impl ViolationStatus {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 4] = [
        ("open", Self::Open),
        ("mitigated", Self::Mitigated),
        ("expired", Self::Expired),
        ("denied", Self::Denied),
    ];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, status)| *status == self);
        found.expect("every case is listed").0
    }
}

/// What a person has decided about an identity's violation of a policy: an input
/// of its refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDecision {
    /// The policy.
    pub policy: Name,
    /// What was decided.
    pub verdict: PolicyVerdict,
    /// When an allowance ends; absent in denials.
    pub until: Option<UnixMillis>,
    /// Who decided it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: UnixMillis,
}

/// Which way a person has decided about a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyVerdict {
    /// It may be so for now (a mitigation).
    Allowed,
    /// It may not be so.
    Denied,
}

impl PolicyVerdict {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 2] =
        [("allowed", Self::Allowed), ("denied", Self::Denied)];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, verdict)| *verdict == self);
        found.expect("every case is listed").0
    }
}

/// What policies keep out of provisioning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Roles, sorted: nothing is provisioned that only they, or assigned roles
    /// among them, call for.
    pub roles: Vec<Name>,
    /// Entitlements, sorted.
    pub entitlements: Vec<Entitlement>,
}

impl Held {
    /// Says whether nothing is kept out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Says whether a role may not be provisioned on behalf of an assigned one.
    pub fn holds_role(&self, role: Name, by: Name) -> bool {
        let held = |role: &Name| self.roles.binary_search(role).is_ok();
        held(&role) || held(&by)
    }

    /// Says whether an entitlement may not be provisioned.
    pub fn holds(&self, account: &AccountKey, attribute: Name, value: &str) -> bool {
        let mut held = self.entitlements.iter();
        held.any(|known| {
            (&known.account, known.attribute, known.value.as_str()) == (account, attribute, value)
        })
    }
}

/// How risky an identity's access is, in points; more are worse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scorecard {
    /// All components together, by their weights.
    pub composite: u32,
    /// Assigned and detected roles.
    pub roles: Score,
    /// Entitlements that are in no detected role.
    pub entitlements: Score,
    /// Policy violations.
    pub policies: Score,
    /// How long ago somebody certified its access.
    pub certification: u32,
}

/// One component of a scorecard, in points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// As the weights say.
    pub raw: u32,
    /// After what people have decided about it, and not above the maximum.
    pub compensated: u32,
}
