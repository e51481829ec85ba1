//! Identities.
//!
//! `attributes` has the plain values, so that SQL reads them at
//! `$."attributes"."NAME"`; where one comes from stands in `origins`, unless it
//! is the first source.

use std::fmt;

use idr_core::model::{
    AccountAction, AccountKey, AssignmentSource, AttributeState, Baseline, ByHand, ChangeAnswer,
    ChangeMemory, Claim, EntitlementDecision, EntitlementVerdict, EventTally, Finding, Holding,
    Identity, IdentityType, Lag, LogicalAccount, ManualEdit, Name, NativeChange, NativeEntitlement,
    NativeOperation, PolicyDecision, Proposal, Proposals, Provenance, Provisioning, ReadKey,
    Retries, Retry, RoleAssignment, RoleDecision, RoleDetection, RoleVerdict, Scorecard, Severity,
    StateOverride, TriggerMemory, Uid, UnansweredChange, UnixMillis, Value, Violation, Wake,
    WorkItem, finding,
};
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::mirror::{self, In, Out, Written, is_default, map, mirrored, nested, words};
use super::value::next;

/// The identity without its uid, which stands beside the document.
impl Written for Identity {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("name", &self.name)?;
        put(&mut object, "type", &self.identity_type)?;
        put(&mut object, "edits", &self.by_hand.edits)?;
        put(&mut object, "roleDecisions", &self.by_hand.roles)?;
        put(&mut object, "stateOverride", &self.by_hand.state)?;
        put(
            &mut object,
            "entitlementDecisions",
            &self.by_hand.entitlements,
        )?;
        put(&mut object, "policyDecisions", &self.by_hand.policies)?;
        put(&mut object, "proposals", &self.proposals)?;
        put(&mut object, "valueChanges", &self.value_changes)?;
        put(&mut object, "nativeChanges", &self.native_changes)?;
        if !self.attributes.is_empty() {
            object.serialize_entry("attributes", &Values(&self.attributes))?;
            if self.attributes.iter().any(|(_, state)| has_origin(state)) {
                object.serialize_entry("origins", &Origins(&self.attributes))?;
            }
        }
        put(&mut object, "manager", &self.manager)?;
        put(&mut object, "lifecycleState", &self.lifecycle_state)?;
        put(&mut object, "lifecycleSince", &self.lifecycle_since)?;
        put(&mut object, "inactive", &self.inactive)?;
        put(&mut object, "logicalAccounts", &self.logical_accounts)?;
        put(&mut object, "assigned", &self.assigned)?;
        put(&mut object, "detected", &self.detected)?;
        put(&mut object, "accountActions", &self.account_actions)?;
        put(&mut object, "provisioning", &self.provisioning)?;
        put(&mut object, "workItems", &self.work_items)?;
        put(&mut object, "violations", &self.violations)?;
        put(&mut object, "scorecard", &self.scorecard)?;
        put(&mut object, "baseline", &self.baseline)?;
        put(&mut object, "triggers", &self.triggers)?;
        put(&mut object, "events", &self.events)?;
        put(&mut object, "reads", &self.reads)?;
        put(&mut object, "eventReads", &self.event_reads)?;
        put(&mut object, "wakePhases", &self.wake.phases)?;
        put(&mut object, "wakeEvents", &self.wake.events)?;
        put(&mut object, "retryPhases", &self.retries.phases)?;
        put(&mut object, "retryEvents", &self.retries.events)?;
        put(&mut object, "findings", &self.findings)?;
        if let Some(digest) = self.history {
            object.serialize_entry("history", &digest)?;
        }
        object.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = IdentityIn::deserialize(deserializer)?;
        Ok(Self {
            uid: Uid::default(),
            name: document.name,
            identity_type: document.identity_type,
            by_hand: ByHand {
                edits: document.edits,
                roles: document.role_decisions,
                state: document.state_override,
                entitlements: document.entitlement_decisions,
                policies: document.policy_decisions,
            },
            proposals: document.proposals,
            value_changes: document.value_changes,
            native_changes: document.native_changes,
            attributes: merged(document.attributes, document.origins),
            manager: document.manager,
            lifecycle_state: document.lifecycle_state,
            lifecycle_since: document.lifecycle_since,
            inactive: document.inactive,
            logical_accounts: document.logical_accounts,
            assigned: document.assigned,
            detected: document.detected,
            account_actions: document.account_actions,
            provisioning: document.provisioning,
            work_items: document.work_items,
            violations: document.violations,
            scorecard: document.scorecard,
            baseline: document.baseline,
            triggers: document.triggers,
            events: document.events,
            reads: document.reads,
            event_reads: document.event_reads,
            wake: Wake {
                phases: document.wake_phases,
                events: document.wake_events,
            },
            retries: Retries {
                phases: document.retry_phases,
                events: document.retry_events,
            },
            findings: document.findings,
            history: document.history,
        })
    }
}

/// Writes an entry unless it is as when nothing is written.
fn put<M: SerializeMap, T: Written + Default + PartialEq>(
    object: &mut M,
    key: &'static str,
    value: &T,
) -> Result<(), M::Error> {
    match is_default(value) {
        true => Ok(()),
        false => object.serialize_entry(key, &Out(value)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IdentityIn {
    name: String,
    #[serde(rename = "type", with = "mirror_in", default)]
    identity_type: IdentityType,
    #[serde(with = "mirror_in", default)]
    edits: Vec<ManualEdit>,
    #[serde(with = "mirror_in", default)]
    role_decisions: Vec<RoleDecision>,
    #[serde(with = "mirror_in", default)]
    state_override: Option<StateOverride>,
    #[serde(with = "mirror_in", default)]
    entitlement_decisions: Vec<EntitlementDecision>,
    #[serde(with = "mirror_in", default)]
    policy_decisions: Vec<PolicyDecision>,
    #[serde(with = "mirror_in", default)]
    proposals: Proposals,
    #[serde(with = "mirror_in", default)]
    value_changes: Vec<ChangeMemory>,
    #[serde(with = "mirror_in", default)]
    native_changes: Vec<NativeChange>,
    #[serde(deserialize_with = "values", default)]
    attributes: Vec<(Name, AttributeState)>,
    #[serde(deserialize_with = "map::deserialize", default)]
    origins: Vec<(Name, Provenance)>,
    #[serde(with = "mirror_in", default)]
    manager: Option<Uid>,
    #[serde(with = "mirror_in", default)]
    lifecycle_state: Option<Name>,
    #[serde(with = "mirror_in", default)]
    lifecycle_since: Option<UnixMillis>,
    #[serde(default)]
    inactive: bool,
    #[serde(with = "mirror_in", default)]
    logical_accounts: Vec<LogicalAccount>,
    #[serde(with = "mirror_in", default)]
    assigned: Vec<RoleAssignment>,
    #[serde(with = "mirror_in", default)]
    detected: Vec<RoleDetection>,
    #[serde(with = "mirror_in", default)]
    account_actions: Vec<AccountAction>,
    #[serde(with = "mirror_in", default)]
    provisioning: Provisioning,
    #[serde(with = "mirror_in", default)]
    work_items: Vec<WorkItem>,
    #[serde(with = "mirror_in", default)]
    violations: Vec<Violation>,
    #[serde(with = "mirror_in", default)]
    scorecard: Option<Scorecard>,
    #[serde(with = "mirror_in", default)]
    baseline: Baseline,
    #[serde(with = "mirror_in", default)]
    triggers: Vec<TriggerMemory>,
    #[serde(with = "mirror_in", default)]
    events: EventTally,
    #[serde(with = "mirror_in", default)]
    reads: Vec<ReadKey>,
    #[serde(with = "mirror_in", default)]
    event_reads: Vec<ReadKey>,
    #[serde(with = "mirror_in", default)]
    wake_phases: Option<UnixMillis>,
    #[serde(with = "mirror_in", default)]
    wake_events: Option<UnixMillis>,
    #[serde(with = "mirror_in", default)]
    retry_phases: Option<Retry>,
    #[serde(with = "mirror_in", default)]
    retry_events: Option<Retry>,
    #[serde(with = "mirror_in", default)]
    findings: Vec<Finding>,
    #[serde(default)]
    history: Option<u64>,
}

/// [`mirror`] for structs that are only read.
mod mirror_in {
    pub(super) use super::mirror::deserialize;
}

/// The first source is where a value comes from when nothing else is written.
const FIRST_SOURCE: Provenance = Provenance::Source(0);

fn has_origin(state: &AttributeState) -> bool {
    state.value.is_none() || state.provenance != FIRST_SOURCE
}

/// The attributes that have a value, with the value.
struct Values<'a>(&'a [(Name, AttributeState)]);

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (name, state) in self.0 {
            if let Some(value) = &state.value {
                object.serialize_entry(name.as_str(), &Out(value))?;
            }
        }
        object.end()
    }
}

/// The attributes whose value is absent or not from the first source, with where it comes from.
struct Origins<'a>(&'a [(Name, AttributeState)]);

impl Serialize for Origins<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        for (name, state) in self.0.iter().filter(|(_, state)| has_origin(state)) {
            object.serialize_entry(name.as_str(), &Out(&state.provenance))?;
        }
        object.end()
    }
}

/// Reads values as if all came from the first source.
fn values<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(Name, AttributeState)>, D::Error> {
    struct Attributes;
    impl<'de> Visitor<'de> for Attributes {
        type Value = Vec<(Name, AttributeState)>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("attributes")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
            let mut attributes = Vec::with_capacity(16);
            while let Some((In(name), In(value))) = object.next_entry()? {
                let state = AttributeState {
                    value: Some(value),
                    provenance: FIRST_SOURCE,
                };
                attributes.push((name, state));
            }
            Ok(attributes)
        }
    }
    deserializer.deserialize_map(Attributes)
}

/// Puts origins to values, and attributes without a value between those with one.
fn merged(
    mut attributes: Vec<(Name, AttributeState)>,
    origins: Vec<(Name, Provenance)>,
) -> Vec<(Name, AttributeState)> {
    let mut from = 0;
    for (name, provenance) in origins {
        // Both are sorted, so the search goes on where the last one ended.
        let place = attributes[from..]
            .iter()
            .position(|(known, _)| *known >= name);
        from = place.map_or(attributes.len(), |place| from + place);
        match attributes.get_mut(from) {
            Some((known, state)) if *known == name => state.provenance = provenance,
            _ => {
                let state = AttributeState {
                    value: None,
                    provenance,
                };
                attributes.insert(from, (name, state));
            }
        }
    }
    attributes
}

/// A source by its place, `"manual"`, since when it is kept, or which rule
/// proposes it.
impl Written for Provenance {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Source(place) => serializer.serialize_u16(*place),
            Self::Manual => serializer.serialize_str("manual"),
            Self::Kept(since) => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry("kept", &Out(since))?;
                object.end()
            }
            Self::Proposed(rule) => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry("proposed", rule.as_str())?;
                object.end()
            }
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Origin;
        impl<'de> Visitor<'de> for Origin {
            type Value = Provenance;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("where a value comes from")
            }

            fn visit_u64<E: Error>(self, place: u64) -> Result<Provenance, E> {
                let place = u16::try_from(place);
                place
                    .map(Provenance::Source)
                    .map_err(|_| E::custom("a source's place is too large"))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Provenance, E> {
                match text {
                    "manual" => Ok(Provenance::Manual),
                    _ => Err(E::custom(format_args!("values don't come from `{text}`"))),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Provenance, A::Error> {
                #[derive(Deserialize)]
                #[serde(rename_all = "camelCase")]
                enum Key {
                    Kept,
                    Proposed,
                }
                let provenance = match object.next_key()? {
                    Some(Key::Kept) => {
                        let In(since) = object.next_value()?;
                        Provenance::Kept(since)
                    }
                    Some(Key::Proposed) => {
                        let In(rule) = object.next_value()?;
                        Provenance::Proposed(rule)
                    }
                    None => return Err(A::Error::custom("it says nothing")),
                };
                match object.next_key::<Key>()? {
                    None => Ok(provenance),
                    Some(_) => Err(A::Error::custom("a value comes from one place")),
                }
            }
        }
        deserializer.deserialize_any(Origin)
    }
}

/// A pair: value (or null) and where it comes from.
impl Written for AttributeState {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Out(&self.value), Out(&self.provenance)).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (value, provenance) = Written::read(deserializer)?;
        Ok(Self { value, provenance })
    }
}

words!(
    AssignmentSource, "what gives a role";
    EntitlementVerdict, "a decision about an entitlement";
    IdentityType, "a type of identity";
    NativeOperation, "an operation on an account";
    RoleVerdict, "a decision about a role";
    Severity, "a severity";
);

#[derive(Serialize, Deserialize)]
#[serde(remote = "ManualEdit", rename_all = "camelCase", deny_unknown_fields)]
struct EditDocument {
    #[serde(with = "mirror")]
    attribute: Name,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    value: Option<Value>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    feed_value: Option<Value>,
    actor: String,
    #[serde(default, skip_serializing_if = "is_default")]
    reason: String,
    #[serde(with = "mirror")]
    at: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RoleDecision", rename_all = "camelCase", deny_unknown_fields)]
struct RoleDecisionDocument {
    #[serde(with = "mirror")]
    role: Name,
    #[serde(with = "mirror")]
    verdict: RoleVerdict,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    within: Option<Name>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    account: Option<AccountKey>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    from: Option<UnixMillis>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    until: Option<UnixMillis>,
    actor: String,
    #[serde(default, skip_serializing_if = "is_default")]
    reason: String,
    #[serde(with = "mirror")]
    at: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "StateOverride",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct StateOverrideDocument {
    #[serde(with = "mirror")]
    state: Name,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    until: Option<UnixMillis>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    before: Option<Name>,
    actor: String,
    #[serde(default, skip_serializing_if = "is_default")]
    reason: String,
    #[serde(with = "mirror")]
    at: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "EntitlementDecision",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct EntitlementDecisionDocument {
    #[serde(with = "mirror")]
    account: AccountKey,
    #[serde(with = "mirror")]
    about: NativeEntitlement,
    #[serde(with = "mirror")]
    verdict: EntitlementVerdict,
    actor: String,
    #[serde(default, skip_serializing_if = "is_default")]
    reason: String,
    #[serde(with = "mirror")]
    at: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Proposals", rename_all = "camelCase", deny_unknown_fields)]
struct ProposalsDocument {
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    attributes: Vec<(Name, Option<Value>)>,
    #[serde(default, skip_serializing_if = "is_default")]
    rounds: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    hops: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Proposal", rename_all = "camelCase", deny_unknown_fields)]
struct ProposalDocument {
    attribute: String,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    value: Option<Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ChangeMemory", rename_all = "camelCase", deny_unknown_fields)]
struct ChangeMemoryDocument {
    #[serde(with = "mirror")]
    attribute: Name,
    #[serde(with = "mirror")]
    rule: Name,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    answer: Option<ChangeAnswer>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    unanswered: Option<UnansweredChange>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "ChangeAnswer", rename_all = "camelCase", deny_unknown_fields)]
struct ChangeAnswerDocument {
    #[serde(with = "mirror")]
    at: UnixMillis,
    #[serde(with = "mirror")]
    proposals: Vec<Proposal>,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "UnansweredChange",
    rename_all = "camelCase",
    deny_unknown_fields
)]
struct UnansweredChangeDocument {
    #[serde(with = "mirror")]
    at: UnixMillis,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    old: Option<Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "NativeChange", rename_all = "camelCase", deny_unknown_fields)]
struct NativeChangeDocument {
    #[serde(with = "mirror")]
    account: AccountKey,
    #[serde(with = "mirror")]
    operation: NativeOperation,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    attributes: Vec<Name>,
    #[serde(with = "mirror")]
    detected_at: UnixMillis,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Baseline", rename_all = "camelCase", deny_unknown_fields)]
struct BaselineDocument {
    #[serde(default, skip_serializing_if = "is_default")]
    unseen: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    name: Option<String>,
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    attributes: Vec<(Name, Option<Value>)>,
    #[serde(with = "nested", default, skip_serializing_if = "is_default")]
    manager: Option<Option<Uid>>,
    #[serde(with = "nested", default, skip_serializing_if = "is_default")]
    lifecycle_state: Option<Option<Name>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    lifecycle_since: Option<UnixMillis>,
    #[serde(default, skip_serializing_if = "is_default")]
    inactive: Option<bool>,
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    assigned: Vec<(Name, Option<Holding>)>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    account_actions: Option<Vec<AccountAction>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    provisioning: Option<Provisioning>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    work_items: Option<Vec<WorkItem>>,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    violations: Option<Vec<Violation>>,
    #[serde(with = "map", default, skip_serializing_if = "is_default")]
    chains: Vec<(Name, u32)>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Lag", rename_all = "camelCase", deny_unknown_fields)]
struct LagDocument {
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    baseline: Baseline,
    #[serde(with = "mirror", default, skip_serializing_if = "is_default")]
    native_changes: Vec<NativeChange>,
}

/// Under a name of its own, for else serde wants to borrow it from the document.
type Phase = &'static str;

#[derive(Serialize, Deserialize)]
#[serde(remote = "Finding", rename_all = "camelCase", deny_unknown_fields)]
struct FindingDocument {
    #[serde(with = "mirror")]
    severity: Severity,
    #[serde(deserialize_with = "phase")]
    phase: Phase,
    subject: String,
    #[serde(with = "mirror")]
    cause: Name,
    message: String,
    #[serde(default, skip_serializing_if = "is_default")]
    hint: Option<String>,
}

fn phase<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Phase, D::Error> {
    mirror::read_text(deserializer, "a phase", finding::known_phase)
}

mirrored!(
    ManualEdit => EditDocument,
    RoleDecision => RoleDecisionDocument,
    StateOverride => StateOverrideDocument,
    EntitlementDecision => EntitlementDecisionDocument,
    Proposals => ProposalsDocument,
    Proposal => ProposalDocument,
    ChangeMemory => ChangeMemoryDocument,
    ChangeAnswer => ChangeAnswerDocument,
    UnansweredChange => UnansweredChangeDocument,
    NativeChange => NativeChangeDocument,
    Baseline => BaselineDocument,
    Lag => LagDocument,
    Finding => FindingDocument,
);

/// Role, since when, what gives it unless that is its selector, and the account
/// and permitted roles where there are any.
impl Written for RoleAssignment {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let more = self.account.is_some() || !self.permits.is_empty();
        let length = match (more, self.source) {
            (true, _) => 5,
            (false, AssignmentSource::Rule) => 2,
            (false, _) => 3,
        };
        let mut items = serializer.serialize_seq(Some(length))?;
        items.serialize_element(&Out(&self.role))?;
        items.serialize_element(&Out(&self.since))?;
        if length > 2 {
            items.serialize_element(&Out(&self.source))?;
        }
        if more {
            items.serialize_element(&Out(&self.account))?;
            items.serialize_element(&Out(&self.permits))?;
        }
        items.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Assignment;
        impl<'de> Visitor<'de> for Assignment {
            type Value = RoleAssignment;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a role and since when it is assigned")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> Result<RoleAssignment, A::Error> {
                let (role, since) = (next(&mut items)?, next(&mut items)?);
                let source = source(&mut items)?;
                let account = items.next_element::<In<Option<AccountKey>>>()?;
                let permits = match account {
                    Some(_) => next(&mut items)?,
                    None => Vec::new(),
                };
                ended(items)?;
                Ok(RoleAssignment {
                    role,
                    since,
                    source,
                    account: account.and_then(|In(account)| account),
                    permits,
                })
            }
        }
        deserializer.deserialize_seq(Assignment)
    }
}

fn source<'de, A: SeqAccess<'de>>(items: &mut A) -> Result<AssignmentSource, A::Error> {
    let source = items.next_element::<In<AssignmentSource>>()?;
    Ok(source.map_or(AssignmentSource::Rule, |In(source)| source))
}

/// Since when, and what gives it unless that is its selector.
impl Written for Holding {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.source {
            AssignmentSource::Rule => [Out(&self.since)].serialize(serializer),
            source => (Out(&self.since), Out(&source)).serialize(serializer),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Held;
        impl<'de> Visitor<'de> for Held {
            type Value = Holding;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("since when a role was had")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Holding, A::Error> {
                let since = next(&mut items)?;
                let source = source(&mut items)?;
                ended(items)?;
                Ok(Holding { since, source })
            }
        }
        deserializer.deserialize_seq(Held)
    }
}

/// A pair: role and accounts.
impl Written for RoleDetection {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Out(&self.role), Out(&self.accounts)).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (role, accounts) = Written::read(deserializer)?;
        Ok(Self { role, accounts })
    }
}

impl Written for EventTally {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer).map(Self)
    }
}

/// A pair: how many attempts have failed, and when the next one is.
impl Written for Retry {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.attempts, Out(&self.at)).serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (attempts, In(at)) = Deserialize::deserialize(deserializer)?;
        Ok(Self { attempts, at })
    }
}

/// A list: trigger, digest, and then, where they say something, level, lag, and
/// whether it goes round in circles.
impl Written for TriggerMemory {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(None)?;
        items.serialize_element(&Out(&self.trigger))?;
        items.serialize_element(&self.digest)?;
        if self.level || self.lag.is_some() || self.circles {
            items.serialize_element(&self.level)?;
        }
        if self.lag.is_some() || self.circles {
            items.serialize_element(&self.lag.as_ref().map(Out))?;
        }
        if self.circles {
            items.serialize_element(&true)?;
        }
        items.end()
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Memory;
        impl<'de> Visitor<'de> for Memory {
            type Value = TriggerMemory;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("what a trigger remembers")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<TriggerMemory, A::Error> {
                let trigger = next(&mut items)?;
                let Some(digest) = items.next_element()? else {
                    return Err(A::Error::custom("a trigger has no digest"));
                };
                let level = items.next_element()?.unwrap_or_default();
                let lag = items.next_element::<Option<In<Lag>>>()?.flatten();
                let lag = lag.map(|In(lag)| lag);
                let circles = items.next_element()?.unwrap_or_default();
                ended(items)?;
                Ok(TriggerMemory {
                    trigger,
                    digest,
                    level,
                    lag,
                    circles,
                })
            }
        }
        deserializer.deserialize_seq(Memory)
    }
}

/// A pair: uid and attribute, or attribute and the value looked for; or a
/// namespace, the unique value, and a word that says so.
impl Written for ReadKey {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Attribute(uid, attribute) => (Out(uid), Out(attribute)).serialize(serializer),
            Self::Lookup(attribute, value) => (Out(attribute), value).serialize(serializer),
            Self::Claim(Claim { namespace, value }) => {
                (Out(namespace), value, CLAIM).serialize(serializer)
            }
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl<'de> Visitor<'de> for Key {
            type Value = ReadKey;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("what was read of others")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<ReadKey, A::Error> {
                let key = match next(&mut items)? {
                    Of::Identity(uid) => ReadKey::Attribute(uid, next(&mut items)?),
                    Of::Everybody(attribute) => match items.next_element()? {
                        Some(value) => ReadKey::Lookup(attribute, value),
                        None => return Err(A::Error::custom("a look-up has no value")),
                    },
                };
                match (items.next_element::<String>()?, key) {
                    (None, key) => Ok(key),
                    (Some(word), ReadKey::Lookup(namespace, value)) if word == CLAIM => {
                        ended(items)?;
                        Ok(ReadKey::Claim(Claim { namespace, value }))
                    }
                    (Some(_), _) => Err(A::Error::custom("it has more than two parts")),
                }
            }
        }
        deserializer.deserialize_seq(Key)
    }
}

/// What stands behind a unique value that was read.
const CLAIM: &str = "claim";

/// How a read of others begins.
enum Of {
    Identity(Uid),
    Everybody(Name),
}

impl Written for Of {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Identity(uid) => uid.write(serializer),
            Self::Everybody(attribute) => attribute.write(serializer),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Beginning;
        impl Visitor<'_> for Beginning {
            type Value = Of;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a uid or an attribute")
            }

            fn visit_i64<E: Error>(self, uid: i64) -> Result<Of, E> {
                Ok(Of::Identity(Uid(uid)))
            }

            fn visit_u64<E: Error>(self, uid: u64) -> Result<Of, E> {
                let uid = i64::try_from(uid);
                uid.map(|uid| Of::Identity(Uid(uid)))
                    .map_err(|_| E::custom("a uid is too large"))
            }

            fn visit_str<E: Error>(self, attribute: &str) -> Result<Of, E> {
                Ok(Of::Everybody(Name::new(attribute)))
            }
        }
        deserializer.deserialize_any(Beginning)
    }
}

fn ended<'de, A: SeqAccess<'de>>(mut items: A) -> Result<(), A::Error> {
    match items.next_element::<IgnoredAny>()? {
        None => Ok(()),
        Some(_) => Err(A::Error::custom("a list is too long")),
    }
}
