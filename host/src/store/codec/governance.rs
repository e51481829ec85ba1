//! Policy violations, decisions about them, and scorecards.

use idr_core::model::{
    Basis, Name, PolicyDecision, PolicyVerdict, Score, Scorecard, UnixMillis, Violation,
    ViolationStatus,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::mirror::{self, Written, is_default, mirrored, words};

words!(
    Basis, "what violates a policy";
    PolicyVerdict, "a decision about a policy violation";
    ViolationStatus, "how a policy violation stands";
);

#[derive(Serialize, Deserialize)]
#[serde(remote = "Violation", rename_all = "camelCase", deny_unknown_fields)]
struct ViolationDocument {
    #[serde(with = "mirror")]
    policy: Name,
    #[serde(with = "mirror")]
    since: UnixMillis,
    #[serde(with = "mirror")]
    basis: Basis,
    #[serde(default, skip_serializing_if = "is_default")]
    left: Vec<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    right: Vec<String>,
    #[serde(with = "mirror")]
    status: ViolationStatus,
    #[serde(default, skip_serializing_if = "is_default")]
    held: Vec<String>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    ended: Option<UnixMillis>,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "PolicyDecision",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct PolicyDecisionDocument {
    #[serde(with = "mirror")]
    policy: Name,
    #[serde(with = "mirror")]
    verdict: PolicyVerdict,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    until: Option<UnixMillis>,
    actor: String,
    #[serde(default, skip_serializing_if = "is_default")]
    reason: String,
    #[serde(with = "mirror")]
    at: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Scorecard", rename_all = "camelCase", deny_unknown_fields)]
struct ScorecardDocument {
    composite: u32,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    roles: Score,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    entitlements: Score,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    policies: Score,
    #[serde(default, skip_serializing_if = "is_default")]
    certification: u32,
}

mirrored!(
    Violation => ViolationDocument,
    PolicyDecision => PolicyDecisionDocument,
    Scorecard => ScorecardDocument,
);

/// A pair: raw and compensated.
impl Written for Score {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.raw, self.compensated).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (raw, compensated) = Deserialize::deserialize(deserializer)?;
        Ok(Self { raw, compensated })
    }
}
