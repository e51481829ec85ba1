//! What idr remembers of its own doing.

use idr_core::model::{
    AccountAction, AccountKey, Entitlement, GivenEntitlement, Name, Provisioning, SentAction,
    SentOutcome, TargetAccount, UnixMillis,
};
use serde::{Deserialize, Serialize};

use super::mirror::{self, is_default, mirrored};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Provisioning", rename_all = "camelCase", deny_unknown_fields)]
struct ProvisioningDocument {
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    given: Vec<GivenEntitlement>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    targets: Vec<TargetAccount>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    sent: Vec<SentAction>,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "GivenEntitlement",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct GivenEntitlementDocument {
    #[serde(with = "mirror")]
    entitlement: Entitlement,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    roles: Vec<Name>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Entitlement", rename_all = "camelCase", deny_unknown_fields)]
struct EntitlementDocument {
    #[serde(with = "mirror")]
    account: AccountKey,
    #[serde(with = "mirror")]
    attribute: Name,
    value: String,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "TargetAccount",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct TargetAccountDocument {
    #[serde(with = "mirror")]
    role: Name,
    #[serde(with = "mirror")]
    account: AccountKey,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SentAction", rename_all = "camelCase", deny_unknown_fields)]
struct SentActionDocument {
    #[serde(with = "mirror")]
    action: AccountAction,
    #[serde(with = "mirror")]
    at: UnixMillis,
    #[serde(with = "mirror")]
    outcome: SentOutcome,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SentOutcome", rename_all = "camelCase", deny_unknown_fields)]
enum SentOutcomeDocument {
    Sent,
    Confirmed,
    Failed(String),
}

mirrored!(
    Provisioning => ProvisioningDocument,
    GivenEntitlement => GivenEntitlementDocument,
    Entitlement => EntitlementDocument,
    TargetAccount => TargetAccountDocument,
    SentAction => SentActionDocument,
    SentOutcome => SentOutcomeDocument,
);
