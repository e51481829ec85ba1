//! Accounts: what was read from an application for one person.

use super::{Name, NativeEntitlement, Uid, UnixMillis, Value};

/// What an application says of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountStatus {
    /// In use.
    #[default]
    Enabled,
    /// Switched off in the application.
    Disabled,
    /// Locked, for instance after wrong passwords.
    Locked,
}

impl AccountStatus {
    /// Returns the word used in feeds, documents and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Locked => "locked",
        }
    }
}

/// How an account came to its identity, or why it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// No identity matched; tried again when a value that it looks for appears.
    #[default]
    Uncorrelated,
    /// More than one identity matched; kept apart until somebody decides.
    Ambiguous,
    /// A correlation rule of its application matched.
    Correlated,
    /// The identity was created from this account.
    Created,
    /// A person linked it; correlation leaves it alone.
    Manual,
    /// It is made of other accounts of the identity.
    Logical,
}

impl Link {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 6] = [
        ("uncorrelated", Self::Uncorrelated),
        ("ambiguous", Self::Ambiguous),
        ("correlated", Self::Correlated),
        ("created", Self::Created),
        ("manual", Self::Manual),
        ("logical", Self::Logical),
    ];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, link)| *link == self);
        found.expect("every case is listed").0
    }
}

/// An account is named by its application and its native identity there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// The application.
    pub application: Name,
    /// The account's native identity: what the application itself calls it.
    pub native_identity: String,
}

/// An account as last aggregated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which account it is.
    pub key: AccountKey,
    /// What the application says of it.
    pub status: AccountStatus,
    /// When a full aggregation first didn't list it. Once the application's
    /// `vanish_grace` has passed as well, the account counts as vanished.
    pub missing_since: Option<UnixMillis>,
    /// Whether it is missing because idr itself has taken it away: then it has
    /// vanished at once.
    pub taken_away: bool,
    /// The attributes, sorted by name, each with a value that isn't empty.
    pub attributes: Vec<(Name, Value)>,
    /// Entitlements gained or lost natively since it is known, sorted. An input.
    pub native_entitlements: Vec<NativeEntitlement>,
    /// How it came to `owner`.
    pub link: Link,
    /// The identity that it belongs to.
    pub owner: Option<Uid>,
}

/// An account of a logical application, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogicalAccount {
    /// The account; its `link` is [`Link::Logical`], and it has no owner of its own.
    pub account: Account,
    /// The accounts that it is made of, the leading one first.
    pub parts: Vec<AccountKey>,
}

impl Account {
    /// Returns when it counts as vanished, where it is missing; `grace_ms` is its
    /// application's.
    pub fn vanishes_at(&self, grace_ms: i64) -> Option<UnixMillis> {
        let grace_ms = if self.taken_away { 0 } else { grace_ms };
        self.missing_since.map(|at| at.plus_ms(grace_ms))
    }

    /// Returns how much memory its values take, about.
    pub fn bytes(&self) -> usize {
        self.attributes.iter().map(|(_, value)| value.bytes()).sum()
    }

    /// Returns the value of an attribute.
    pub fn attribute(&self, name: Name) -> Option<&Value> {
        // Names are compared by address, so looking at all beats a search by text.
        let mut attributes = self.attributes.iter();
        let (_, found) = attributes.find(|(known, _)| *known == name)?;
        Some(found)
    }
}
