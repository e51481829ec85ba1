//! What the history keeps.
//!
//! Written as identities are, with the same places of values; accounts carry their
//! keys, as nothing stands beside them.

use idr_core::model::{
    AccountImage, AccountKey, AccountStatus, IdentityType, Image, Name, RoleAssignment,
    RoleDetection, Uid, UnixMillis, Value,
};
use serde::{Deserialize, Serialize};

use super::mirror::{self, is_default, map, mirrored};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Image", rename_all = "camelCase", deny_unknown_fields)]
struct ImageDocument {
    name: String,
    #[serde(
        rename = "type",
        with = "mirror",
        default,
        skip_serializing_if = "is_default"
    )]
    identity_type: IdentityType,
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    attributes: Vec<(Name, Value)>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    manager: Option<Uid>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    lifecycle_state: Option<Name>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    lifecycle_since: Option<UnixMillis>,
    #[serde(default, skip_serializing_if = "is_default")]
    inactive: bool,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    assigned: Vec<RoleAssignment>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    detected: Vec<RoleDetection>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    accounts: Vec<AccountImage>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AccountImage", rename_all = "camelCase", deny_unknown_fields)]
struct AccountImageDocument {
    #[serde(with = "mirror")]
    key: AccountKey,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    status: AccountStatus,
    #[serde(default, skip_serializing_if = "is_default")]
    missing: bool,
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    attributes: Vec<(Name, Value)>,
}

mirrored!(
    Image => ImageDocument,
    AccountImage => AccountImageDocument,
);
