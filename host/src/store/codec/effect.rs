//! Effects in the outbox, and what lifecycle states call for.

use idr_core::model::{
    AccountAction, AccountKey, AccountOperation, ActionReason, AssignmentSource, AttributeChange,
    Effect, EffectKind, EntitlementChange, Handler, Name, Uid, UnixMillis, Value, ValueChange,
    WorkItem,
};
use serde::{Deserialize, Serialize};

use super::mirror::{self, is_default, mirrored, words};

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "AccountAction",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct AccountActionDocument {
    #[serde(with = "mirror")]
    account: AccountKey,
    #[serde(with = "mirror")]
    operation: AccountOperation,
    #[serde(default, skip_serializing_if = "is_default")]
    to: Option<String>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    changes: Vec<AttributeChange>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    reasons: Vec<ActionReason>,
    #[serde(default, skip_serializing_if = "is_default")]
    hops: u32,
    #[serde(with = "mirror")]
    since: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "AttributeChange",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct AttributeChangeDocument {
    #[serde(with = "mirror")]
    attribute: Name,
    #[serde(with = "mirror")]
    change: ValueChange,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ValueChange", rename_all = "camelCase", deny_unknown_fields)]
enum ValueChangeDocument {
    Set(#[serde(with = "mirror")] Option<Value>),
    Add(Vec<String>),
    Remove(Vec<String>),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ActionReason", rename_all = "camelCase", deny_unknown_fields)]
enum ActionReasonDocument {
    Role {
        #[serde(with = "mirror")]
        role: Name,
        #[serde(with = "mirror")]
        source: AssignmentSource,
    },
    RoleGone {
        #[serde(with = "mirror")]
        role: Name,
    },
    State {
        #[serde(with = "mirror")]
        state: Name,
    },
    Synchronisation {
        #[serde(with = "mirror")]
        attribute: Name,
    },
    NativeChange {
        #[serde(with = "mirror")]
        change: EntitlementChange,
    },
    Workflow {
        workflow: String,
        #[serde(with = "mirror")]
        trigger: Name,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "WorkItem", rename_all = "camelCase", deny_unknown_fields)]
struct WorkItemDocument {
    #[serde(default, skip_serializing_if = "is_default")]
    owner: Option<String>,
    description: String,
    #[serde(with = "mirror")]
    since: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Effect", rename_all = "camelCase", deny_unknown_fields)]
struct EffectDocument {
    #[serde(with = "mirror")]
    uid: Uid,
    #[serde(with = "mirror")]
    what: EffectKind,
    #[serde(with = "mirror")]
    effective_at: UnixMillis,
    #[serde(with = "mirror")]
    detected_at: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EffectKind", rename_all = "camelCase", deny_unknown_fields)]
enum EffectKindDocument {
    Account(#[serde(with = "mirror")] AccountAction),
    WorkItem(#[serde(with = "mirror")] WorkItem),
    Handler {
        #[serde(with = "mirror")]
        trigger: Name,
        sequence: u64,
        place: u32,
        #[serde(with = "mirror")]
        handler: Handler,
        #[serde(default, skip_serializing_if = "is_default")]
        hops: u32,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Handler", rename_all = "camelCase", deny_unknown_fields)]
enum HandlerDocument {
    WorkItem { owner: String, description: String },
    Workflow { name: String },
    Webhook { url: String },
}

mirrored!(
    AccountAction => AccountActionDocument,
    ActionReason => ActionReasonDocument,
    AttributeChange => AttributeChangeDocument,
    Effect => EffectDocument,
    EffectKind => EffectKindDocument,
    Handler => HandlerDocument,
    ValueChange => ValueChangeDocument,
    WorkItem => WorkItemDocument,
);
words!(AccountOperation, "an operation on an account");
