//! What the history keeps of an identity: what it was at an instant.

use super::{
    AccountKey, AccountStatus, IdentityRecord, IdentityType, Name, RoleAssignment, RoleDetection,
    Uid, UnixMillis, Value,
};

/// What an identity was once a refresh had settled it: what it is and has, and none
/// of what the program remembers to go on from there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Its name.
    pub name: String,
    /// What kind of identity it was.
    pub identity_type: IdentityType,
    /// Its attributes that had a value, sorted by name.
    pub attributes: Vec<(Name, Value)>,
    /// Its manager.
    pub manager: Option<Uid>,
    /// Its lifecycle state.
    pub lifecycle_state: Option<Name>,
    /// The instant at which it took that state.
    pub lifecycle_since: Option<UnixMillis>,
    /// Whether that state counted as inactive.
    pub inactive: bool,
    /// Its assigned roles, sorted.
    pub assigned: Vec<RoleAssignment>,
    /// Its detected roles, sorted.
    pub detected: Vec<RoleDetection>,
    /// Its accounts, sorted; their entitlements are among their attributes.
    pub accounts: Vec<AccountImage>,
}

/// What an account was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountImage {
    /// Which account.
    pub key: AccountKey,
    /// What the application said of it.
    pub status: AccountStatus,
    /// Whether the application no longer listed it.
    pub missing: bool,
    /// Its attributes, sorted by name.
    pub attributes: Vec<(Name, Value)>,
}

impl Image {
    /// Returns what an identity is.
    pub fn of(record: &IdentityRecord) -> Self {
        let identity = &record.identity;
        let attributes = identity.attributes.iter();
        let accounts = record.accounts.iter().map(|account| AccountImage {
            key: account.key.clone(),
            status: account.status,
            missing: account.missing_since.is_some(),
            attributes: account.attributes.clone(),
        });
        Self {
            name: identity.name.clone(),
            identity_type: identity.identity_type,
            attributes: attributes
                .filter_map(|(name, state)| Some((*name, state.value.clone()?)))
                .collect(),
            manager: identity.manager,
            lifecycle_state: identity.lifecycle_state,
            lifecycle_since: identity.lifecycle_since,
            inactive: identity.inactive,
            assigned: identity.assigned.clone(),
            detected: identity.detected.clone(),
            accounts: accounts.collect(),
        }
    }

    /// Returns a fingerprint: equal images have equal ones. It may change with a new
    /// version of the program, which then keeps an image more.
    pub fn digest(&self) -> u64 {
        xxhash_rust::xxh3::xxh3_64(format!("{self:?}").as_bytes())
    }
}
