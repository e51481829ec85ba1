//! Runs, aggregations, events, and the tenant.

use std::collections::BTreeMap;

use idr_core::model::{Event, EventChange, Name, Uid, UnixMillis, Value};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::mirror::{self, Written, is_default, mirrored, words};
use crate::store::{
    Aggregation, AggregationStatus, Counters, Run, RunId, RunSettings, RunStatus, Scope, Stage,
    Step, TenantState,
};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Run", rename_all = "camelCase", deny_unknown_fields)]
struct RunDocument {
    #[serde(with = "mirror")]
    id: RunId,
    #[serde(with = "mirror")]
    status: RunStatus,
    #[serde(with = "mirror")]
    as_of: UnixMillis,
    #[serde(with = "mirror")]
    started_at: UnixMillis,
    #[serde(default, skip_serializing_if = "is_default")]
    actor: String,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    scope: Scope,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    settings: RunSettings,
    #[serde(default, skip_serializing_if = "is_default")]
    by_window: bool,
    configuration: String,
    #[serde(default, skip_serializing_if = "is_default")]
    silent: bool,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    step: Step,
    #[serde(default, skip_serializing_if = "is_default")]
    held: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    held_kinds: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "is_default")]
    approved_kinds: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    approved: bool,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    counters: Counters,
    #[serde(default, skip_serializing_if = "is_default")]
    error: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RunSettings", rename_all = "camelCase", deny_unknown_fields)]
struct RunSettingsDocument {
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    policies: Option<Vec<Name>>,
    #[serde(default, skip_serializing_if = "is_default")]
    keep_due: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    threads: Option<u32>,
    chunk_size: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    max_exceptions: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Scope", rename_all = "camelCase")]
enum ScopeDocument {
    Due,
    All,
    Chosen,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Step", rename_all = "camelCase", deny_unknown_fields)]
struct StepDocument {
    #[serde(with = "mirror")]
    instant: UnixMillis,
    wave: u32,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    stage: Stage,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    cursor: Option<Uid>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Stage", rename_all = "camelCase")]
enum StageDocument {
    Start,
    Plan,
    Apply,
    Events,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Counters", rename_all = "camelCase", deny_unknown_fields)]
struct CountersDocument {
    #[serde(default, skip_serializing_if = "is_default")]
    selected: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    refreshed: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    changed: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    waves: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    leavers: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    role_removals: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    account_disables: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    account_deletions: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    account_creations: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    entitlement_removals: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    chunks: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    findings_opened: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    events: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    changes: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    elapsed_ms: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Aggregation", rename_all = "camelCase", deny_unknown_fields)]
struct AggregationDocument {
    id: i64,
    application: String,
    file: String,
    #[serde(default, skip_serializing_if = "is_default")]
    delta: bool,
    #[serde(with = "mirror")]
    as_of: UnixMillis,
    #[serde(with = "mirror")]
    status: AggregationStatus,
    #[serde(default, skip_serializing_if = "is_default")]
    cursor: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    counters: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "is_default")]
    held: Vec<String>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    entitlements: Vec<Name>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AggregationStatus", rename_all = "camelCase")]
enum AggregationStatusDocument {
    Staging,
    Applying,
    Held,
    Done,
    Rejected,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Event", rename_all = "camelCase", deny_unknown_fields)]
struct EventDocument {
    #[serde(with = "mirror")]
    uid: Uid,
    sequence: u64,
    #[serde(with = "mirror")]
    trigger: Name,
    #[serde(with = "mirror")]
    effective_at: UnixMillis,
    #[serde(with = "mirror")]
    detected_at: UnixMillis,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    changes: Vec<EventChange>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EventChange", rename_all = "camelCase", deny_unknown_fields)]
struct EventChangeDocument {
    what: String,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    old: Option<Value>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    new: Option<Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "TenantState", rename_all = "camelCase", deny_unknown_fields)]
struct TenantDocument {
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    last_as_of: Option<UnixMillis>,
    #[serde(default, skip_serializing_if = "is_default")]
    baselines_set: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    configuration: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    definitions: BTreeMap<String, u64>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    lookup_attributes: Vec<Name>,
    #[serde(default, skip_serializing_if = "is_default")]
    isolated_rules: Vec<String>,
}

mirrored!(
    Run => RunDocument,
    RunSettings => RunSettingsDocument,
    Scope => ScopeDocument,
    Step => StepDocument,
    Stage => StageDocument,
    Counters => CountersDocument,
    Aggregation => AggregationDocument,
    AggregationStatus => AggregationStatusDocument,
    Event => EventDocument,
    EventChange => EventChangeDocument,
    TenantState => TenantDocument,
);
words!(RunStatus, "a status of a run");

impl Written for RunId {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self)
    }
}
