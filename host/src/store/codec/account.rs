//! Accounts, and what an aggregation wants to do with them.

use idr_core::model::{
    Account, AccountKey, AccountStatus, EntitlementChange, Link, LogicalAccount, Name,
    NativeEntitlement, Uid, UnixMillis, Value,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::mirror::{self, In, Out, Written, is_default, map, mirrored, read_text, words};
use crate::store::StagedChange;

/// An account without its key and owner, which stand beside the document.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Account", rename_all = "camelCase", deny_unknown_fields)]
struct AccountDocument {
    #[serde(skip, default = "no_key")]
    key: AccountKey,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    status: AccountStatus,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    missing_since: Option<UnixMillis>,
    #[serde(default, skip_serializing_if = "is_default")]
    taken_away: bool,
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    attributes: Vec<(Name, Value)>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    native_entitlements: Vec<NativeEntitlement>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    link: Link,
    #[serde(skip)]
    owner: Option<Uid>,
}

fn no_key() -> AccountKey {
    AccountKey {
        application: Name::new(""),
        native_identity: String::new(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "NativeEntitlement",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct NativeEntitlementDocument {
    #[serde(with = "mirror")]
    attribute: Name,
    value: String,
    #[serde(with = "mirror")]
    change: EntitlementChange,
    #[serde(default, skip_serializing_if = "is_default")]
    was_there: bool,
    #[serde(with = "mirror")]
    detected_at: UnixMillis,
}

/// The account of a logical application carries its key; its owner is whoever
/// holds the document.
#[derive(Serialize, Deserialize)]
#[serde(
    remote = "LogicalAccount",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct LogicalAccountDocument {
    #[serde(with = "keyed")]
    account: Account,
    #[serde(with = "mirror")]
    parts: Vec<AccountKey>,
}

/// An account as a pair of its key and its document.
mod keyed {
    use super::*;

    pub(super) fn serialize<S: Serializer>(
        account: &Account,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (Out(&account.key), Out(account)).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Account, D::Error> {
        let (In(key), In(account)): (In<AccountKey>, In<Account>) =
            Deserialize::deserialize(deserializer)?;
        Ok(Account { key, ..account })
    }
}

mirrored!(
    Account => AccountDocument,
    LogicalAccount => LogicalAccountDocument,
    NativeEntitlement => NativeEntitlementDocument,
);
words!(
    EntitlementChange, "a change of an entitlement";
    Link, "a way to be linked";
);

impl Written for AccountStatus {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "a status", |word| {
            let known = [Self::Enabled, Self::Disabled, Self::Locked];
            known.into_iter().find(|status| status.as_str() == word)
        })
    }
}

/// A pair: application and native identity.
impl Written for AccountKey {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Out(&self.application), &self.native_identity).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (In(application), native_identity) = Deserialize::deserialize(deserializer)?;
        Ok(Self {
            application,
            native_identity,
        })
    }
}

#[derive(Serialize)]
struct StagedOut<'a> {
    key: Out<'a, AccountKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listed: Option<Out<'a, Account>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StagedIn {
    key: In<AccountKey>,
    listed: Option<In<Account>>,
}

/// Without `listed` the account is missing. `owner` means nothing here.
impl Written for StagedChange {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, listed) = match self {
            Self::Listed(account) => (&account.key, Some(Out(account))),
            Self::Missing(key) => (key, None),
        };
        let key = Out(key);
        StagedOut { key, listed }.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let StagedIn {
            key: In(key),
            listed,
        } = Deserialize::deserialize(deserializer)?;
        Ok(match listed {
            Some(In(account)) => Self::Listed(Account { key, ..account }),
            None => Self::Missing(key),
        })
    }
}
