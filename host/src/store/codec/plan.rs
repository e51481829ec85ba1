//! Plans in the spool: what changes, and what it was planned from.

use idr_core::model::{
    AccountAction, AttributeState, Claim, ClaimOrigin, EntitlementDecision, Finding,
    LogicalAccount, ManualEdit, Name, NewClaim, Provisioning, ReadKey, Retries, Retry,
    RoleAssignment, RoleDetection, Scorecard, Uid, UnixMillis, Versions, Violation, WorkItem,
};
use idr_core::plan::{Changes, LifecycleChange};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::mirror::{self, Written, is_default, map, mirrored, nested, words};
use crate::store::SpooledPlan;

/// A plan without its uid, which stands beside the document.
#[derive(Serialize, Deserialize)]
#[serde(remote = "SpooledPlan", rename_all = "camelCase", deny_unknown_fields)]
struct PlanDocument {
    #[serde(skip)]
    uid: Uid,
    #[serde(with = "mirror")]
    planned: Versions,
    #[serde(default, skip_serializing_if = "is_default")]
    events: bool,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    changes: Changes,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Changes", rename_all = "camelCase", deny_unknown_fields)]
struct ChangesDocument {
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    attributes: Vec<(Name, Option<AttributeState>)>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    edits: Option<Vec<ManualEdit>>,
    #[serde(default, skip_serializing_if = "is_default")]
    override_ended: bool,
    #[serde(with = "nested", default, skip_serializing_if = "is_default")]
    manager: Option<Option<Uid>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    lifecycle: Option<LifecycleChange>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    logical_accounts: Option<Vec<LogicalAccount>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    assigned: Option<Vec<RoleAssignment>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    detected: Option<Vec<RoleDetection>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    account_actions: Option<Vec<AccountAction>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    provisioning: Option<Provisioning>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    entitlement_decisions: Option<Vec<EntitlementDecision>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    work_items: Option<Vec<WorkItem>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    violations: Option<Vec<Violation>>,
    #[serde(with = "nested", default, skip_serializing_if = "is_default")]
    scorecard: Option<Option<Scorecard>>,
    #[serde(default, skip_serializing_if = "is_default")]
    left_out: bool,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    reads: Option<Vec<ReadKey>>,
    #[serde(with = "nested", default, skip_serializing_if = "is_default")]
    wake: Option<Option<UnixMillis>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    retries: Option<Retries>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    findings: Option<Vec<Finding>>,
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    chains: Vec<(Name, u32)>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    claims: Vec<NewClaim>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    declined: Vec<Claim>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NewClaim", rename_all = "camelCase", deny_unknown_fields)]
struct NewClaimDocument {
    #[serde(with = "mirror")]
    claim: Claim,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    origin: ClaimOrigin,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Claim", rename_all = "camelCase", deny_unknown_fields)]
struct ClaimDocument {
    #[serde(with = "mirror")]
    namespace: Name,
    value: String,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Retries", rename_all = "camelCase", deny_unknown_fields)]
struct RetriesDocument {
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    phases: Option<Retry>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    events: Option<Retry>,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "LifecycleChange",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct LifecycleChangeDocument {
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    state: Option<Name>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    since: Option<UnixMillis>,
    #[serde(default, skip_serializing_if = "is_default")]
    inactive: bool,
}

mirrored!(
    SpooledPlan => PlanDocument,
    Changes => ChangesDocument,
    LifecycleChange => LifecycleChangeDocument,
    NewClaim => NewClaimDocument,
    Claim => ClaimDocument,
    Retries => RetriesDocument,
);

words!(ClaimOrigin, "where a unique value comes from");

/// The five counters, in their order.
impl Written for Versions {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let counters = [
            self.input,
            self.identity_read,
            self.access_read,
            self.state,
            self.events_read,
        ];
        counters.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [input, identity_read, access_read, state, events_read] =
            Deserialize::deserialize(deserializer)?;
        Ok(Self {
            input,
            identity_read,
            access_read,
            state,
            events_read,
        })
    }
}
