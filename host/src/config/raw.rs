//! What configuration files may say, before it is checked. Every field is
//! optional: what must be there is a check's matter, so that one missing key
//! doesn't hide other problems.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Value;

/// `idr.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSettings {
    pub(super) version: Option<i64>,
    pub(super) name: Option<String>,
    pub(super) clock: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) end_of_day: Option<Value>,
    pub(super) secret: Option<String>,
    pub(super) secret_generation: Option<i64>,
    pub(super) trust: RawTrust,
    pub(super) store: RawStore,
    pub(super) limits: RawLimits,
    pub(super) thresholds: RawThresholds,
    pub(super) refresh: RawRefresh,
    pub(super) provisioning: RawProvisioning,
    pub(super) history: Option<RawHistory>,
    pub(super) prune: Option<RawPrune>,
    pub(super) dispatch: RawDispatch,
    pub(super) work_items: RawWorkItems,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawWorkItems {
    pub(super) fallback: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawProvisioning {
    pub(super) roles: Option<bool>,
    pub(super) remove: Option<bool>,
    pub(super) synchronise: Option<bool>,
    pub(super) manual_account_selection: bool,
    pub(super) confirm_within: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPrune {
    pub(super) without_accounts: Option<String>,
    pub(super) protect: Option<String>,
    pub(super) most: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawHistory {
    pub(super) keep: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawDispatch {
    pub(super) attempts: Option<i64>,
    pub(super) retry_after: Option<String>,
    pub(super) retry_at_most_after: Option<String>,
    pub(super) webhook_timeout: Option<String>,
    pub(super) webhook_secret: Option<String>,
}

/// `workflows.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawWorkflows {
    pub(super) version: Option<i64>,
    pub(super) workflow: Vec<RawWorkflow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawWorkflow {
    pub(super) name: Option<String>,
    pub(super) steps: Vec<RawStep>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStep {
    #[serde(rename = "type")]
    pub(super) step_type: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) description: Option<String>,
    pub(super) wait: Option<bool>,
    pub(super) url: Option<String>,
    pub(super) application: Option<String>,
    #[serde(rename = "do")]
    pub(super) operation: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTrust {
    pub(super) keys: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) path: Option<String>,
    pub(super) wait: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) fuel: Option<i64>,
    pub(super) time_ms: Option<i64>,
    pub(super) memory_bytes: Option<i64>,
    pub(super) transfer_bytes: Option<i64>,
    pub(super) output_bytes: Option<i64>,
    pub(super) log_lines: Option<i64>,
    pub(super) log_lines_per_run: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRefresh {
    pub(super) threads: Option<i64>,
    pub(super) chunk_size: Option<i64>,
    pub(super) max_exceptions: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawThresholds {
    pub(super) leavers: Option<Value>,
    pub(super) role_removals: Option<Value>,
    pub(super) account_disables: Option<Value>,
    pub(super) account_deletions: Option<Value>,
    pub(super) account_creations: Option<Value>,
    pub(super) entitlement_removals: Option<Value>,
}

/// `applications/NAME.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawApplication {
    pub(super) version: Option<i64>,
    pub(super) connector: RawConnector,
    pub(super) schema: BTreeMap<String, RawAccountAttribute>,
    pub(super) correlation: Vec<RawCorrelationStep>,
    pub(super) authoritative: Option<RawAuthoritative>,
    pub(super) vanish_grace: Option<String>,
    pub(super) native_changes: Option<RawNativeChanges>,
    pub(super) native_gain: Option<String>,
    pub(super) native_loss: Option<String>,
    pub(super) logical: Option<RawLogical>,
    pub(super) owner: Option<String>,
    pub(super) guard: RawGuard,
    pub(super) provisioning: bool,
    pub(super) adopt: bool,
    pub(super) account_selection: Option<String>,
    pub(super) account: Option<RawAccountTemplate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAccountTemplate {
    pub(super) native_identity: Option<RawMapping>,
    pub(super) unique: Option<String>,
    pub(super) attributes: BTreeMap<String, RawTemplateAttribute>,
}

/// Where a value for an account comes from.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawMapping {
    pub(super) attribute: Option<String>,
    #[serde(rename = "static")]
    pub(super) fixed: Option<Value>,
    pub(super) transform: Option<Value>,
    pub(super) rule: Option<String>,
}

/// A mapping, and what else is said of an attribute of new accounts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTemplateAttribute {
    pub(super) attribute: Option<String>,
    #[serde(rename = "static")]
    pub(super) fixed: Option<Value>,
    pub(super) transform: Option<Value>,
    pub(super) rule: Option<String>,
    pub(super) default: Option<Value>,
    pub(super) required: bool,
}

/// An account attribute that follows an identity attribute.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTarget {
    pub(super) application: Option<String>,
    pub(super) attribute: Option<String>,
    pub(super) transform: Option<Value>,
    pub(super) rule: Option<String>,
    pub(super) all_accounts: bool,
    pub(super) round_trip: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLogical {
    pub(super) primary: Option<String>,
    pub(super) rule: Option<String>,
    pub(super) tiers: Vec<RawTier>,
    pub(super) attributes: BTreeMap<String, RawLogicalAttribute>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTier {
    pub(super) application: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) account: Option<String>,
    pub(super) primary: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLogicalAttribute {
    pub(super) application: Option<String>,
    pub(super) attribute: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawConnector {
    #[serde(rename = "type")]
    pub(super) connector_type: Option<String>,
    pub(super) path: Option<String>,
    pub(super) delimiter: Option<String>,
    pub(super) quote: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) native_identity: Option<String>,
    pub(super) status: Option<RawStatus>,
    pub(super) url: Option<String>,
    pub(super) table: Option<String>,
    pub(super) read_only: Option<bool>,
    pub(super) certificates: Option<String>,
    pub(super) timeout: Option<String>,
    pub(super) password: Option<RawPassword>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPassword {
    pub(super) column: Option<String>,
    pub(super) value: Option<String>,
}

impl RawConnector {
    /// Says whether anything is said about it.
    pub(super) fn is_given(&self) -> bool {
        self.connector_type.is_some() || self.path.is_some() || self.native_identity.is_some()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStatus {
    pub(super) column: Option<String>,
    pub(super) enabled: Vec<String>,
    pub(super) disabled: Vec<String>,
    pub(super) locked: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAccountAttribute {
    #[serde(rename = "type")]
    pub(super) value_type: Option<String>,
    pub(super) column: Option<String>,
    pub(super) separator: Option<String>,
    pub(super) table: Option<String>,
    pub(super) native_identity: Option<String>,
    pub(super) entitlement: bool,
    pub(super) sensitive: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCorrelationStep {
    pub(super) rule: Option<String>,
    pub(super) account: Option<String>,
    pub(super) identity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAuthoritative {
    pub(super) rank: Option<i64>,
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) identity_type: Option<String>,
    pub(super) rule: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawNativeChanges {
    pub(super) operations: Option<Vec<String>>,
    pub(super) attributes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawGuard {
    pub(super) vanished: Option<Value>,
    pub(super) new: Option<Value>,
    pub(super) rekeyed: Option<Value>,
    pub(super) emptied: Option<Value>,
}

/// `identity.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawIdentity {
    pub(super) version: Option<i64>,
    pub(super) attributes: BTreeMap<String, RawAttribute>,
    pub(super) before_refresh: Option<String>,
    pub(super) after_refresh: Option<String>,
    pub(super) transforms: BTreeMap<String, Value>,
    pub(super) manager: Option<RawManager>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAttribute {
    #[serde(rename = "type")]
    pub(super) value_type: Option<String>,
    pub(super) sources: Vec<RawSource>,
    pub(super) proposals: bool,
    pub(super) unique: Option<RawUnique>,
    pub(super) on_change: Option<String>,
    pub(super) edit_mode: Option<String>,
    pub(super) sensitive: bool,
    pub(super) targets: Vec<RawTarget>,
}

/// `true`, or the namespace that several attributes share.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawUnique {
    Is(bool),
    Within(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSource {
    pub(super) application: Option<String>,
    pub(super) attribute: Option<String>,
    #[serde(rename = "static")]
    pub(super) fixed: Option<Value>,
    pub(super) rule: Option<String>,
    pub(super) transform: Option<Value>,
    pub(super) on_empty: Option<String>,
    pub(super) on_no_account: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawManager {
    pub(super) sources: Vec<RawManagerSource>,
    pub(super) rule: Option<String>,
    pub(super) identity_attribute: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawManagerSource {
    pub(super) application: Option<String>,
    pub(super) attribute: Option<String>,
}

/// `lifecycle.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLifecycle {
    pub(super) version: Option<i64>,
    pub(super) rule: Option<String>,
    pub(super) default_state: Option<String>,
    pub(super) states: BTreeMap<String, RawState>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawState {
    pub(super) inactive: bool,
    pub(super) automatic_roles: Option<String>,
    pub(super) requested_roles: Option<String>,
    pub(super) roles: Vec<String>,
    pub(super) accounts: Vec<RawStateAction>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStateAction {
    pub(super) application: Option<String>,
    #[serde(rename = "do")]
    pub(super) operation: Option<String>,
    pub(super) to: Option<String>,
    pub(super) after: Option<String>,
}

/// `roles/*.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRoles {
    pub(super) version: Option<i64>,
    pub(super) types: BTreeMap<String, RawRoleType>,
    pub(super) role: Vec<RawRole>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRoleType {
    pub(super) selector: bool,
    pub(super) manual: bool,
    pub(super) requirements: bool,
    pub(super) permits: bool,
    pub(super) profiles: bool,
    pub(super) detection: Option<String>,
    pub(super) required: bool,
    pub(super) permitted: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRole {
    pub(super) name: Option<String>,
    #[serde(rename = "type")]
    pub(super) role_type: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) disabled: bool,
    pub(super) active_from: Option<Value>,
    pub(super) active_until: Option<Value>,
    pub(super) inherits: Vec<String>,
    pub(super) selector: Option<RawSelector>,
    pub(super) requires: Vec<String>,
    pub(super) permits: Vec<String>,
    pub(super) profiles: Vec<RawProfile>,
    pub(super) profiles_match: Option<String>,
    pub(super) risk_weight: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawSelector {
    #[serde(rename = "match")]
    pub(super) match_list: Option<BTreeMap<String, Value>>,
    pub(super) filter: Option<String>,
    pub(super) population: Option<String>,
    pub(super) rule: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawProfile {
    pub(super) application: Option<String>,
    pub(super) entitlements: BTreeMap<String, Vec<String>>,
    pub(super) filter: Option<String>,
}

/// `entitlements.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawEntitlements {
    pub(super) version: Option<i64>,
    pub(super) entitlement: Vec<RawEntitlement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawEntitlement {
    pub(super) application: Option<String>,
    pub(super) attribute: Option<String>,
    pub(super) value: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) owner: Option<String>,
}

/// `triggers.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTriggers {
    pub(super) version: Option<i64>,
    pub(super) trigger: Vec<RawTrigger>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawTrigger {
    pub(super) name: Option<String>,
    pub(super) on: Vec<RawCondition>,
    pub(super) disabled: bool,
    pub(super) included: Option<String>,
    pub(super) included_match: Option<BTreeMap<String, Value>>,
    pub(super) included_population: Option<String>,
    pub(super) included_rule: Option<String>,
    pub(super) included_before: Option<String>,
    pub(super) handlers: Vec<RawHandler>,
    pub(super) threshold: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawHandler {
    #[serde(rename = "type")]
    pub(super) handler_type: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) description: Option<String>,
    pub(super) name: Option<String>,
    pub(super) url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCondition {
    #[serde(rename = "type")]
    pub(super) condition_type: Option<String>,
    pub(super) attribute: Option<String>,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    pub(super) application: Option<String>,
    pub(super) rule: Option<String>,
}

/// `populations.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPopulations {
    pub(super) version: Option<i64>,
    pub(super) populations: BTreeMap<String, RawPopulation>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPopulation {
    pub(super) filter: Option<String>,
}

/// `policies.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPolicies {
    pub(super) version: Option<i64>,
    pub(super) keep_previous: bool,
    pub(super) policy: Vec<RawPolicy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPolicy {
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) severity: Option<String>,
    pub(super) weight: Option<i64>,
    pub(super) action: Option<String>,
    pub(super) disabled: bool,
    pub(super) excluded: Option<String>,
    pub(super) excluded_population: Option<String>,
    pub(super) roles: Option<RawPolicyRoles>,
    pub(super) entitlements: Option<RawPolicyEntitlements>,
    pub(super) filter: Option<String>,
    pub(super) accounts: Option<RawPolicyAccounts>,
    pub(super) risk: Option<i64>,
    pub(super) rule: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPolicyRoles {
    pub(super) left: Vec<String>,
    pub(super) right: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPolicyEntitlements {
    pub(super) left: Vec<RawPolicyEntitlement>,
    pub(super) right: Vec<RawPolicyEntitlement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPolicyEntitlement {
    pub(super) application: Option<String>,
    pub(super) attribute: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawPolicyAccounts {
    pub(super) application: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) most: Option<i64>,
}

/// `risk.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRisk {
    pub(super) version: Option<i64>,
    pub(super) maximum: Option<i64>,
    pub(super) weights: RawRiskWeights,
    pub(super) factors: RawRiskFactors,
    pub(super) bands: RawRiskBands,
    pub(super) entitlements: RawRiskEntitlements,
    pub(super) entitlement: Vec<RawRiskEntitlement>,
    pub(super) certification: Option<RawCertification>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRiskWeights {
    pub(super) roles: Option<i64>,
    pub(super) entitlements: Option<i64>,
    pub(super) policies: Option<i64>,
    pub(super) certification: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRiskFactors {
    pub(super) mitigated: Option<Value>,
    pub(super) expired: Option<Value>,
    pub(super) remediated: Option<Value>,
    pub(super) certified: Option<Value>,
    pub(super) uncertified: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRiskBands {
    pub(super) medium: Option<i64>,
    pub(super) high: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRiskEntitlements {
    pub(super) default: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRiskEntitlement {
    pub(super) application: Option<String>,
    pub(super) attribute: Option<String>,
    pub(super) value: Option<String>,
    pub(super) weight: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawCertification {
    pub(super) attribute: Option<String>,
    pub(super) offset: Option<String>,
    pub(super) range: Option<String>,
}

/// `tasks/NAME.toml`. Keys that aren't known are told apart by who checks it.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct RawTask {
    pub(super) version: Option<i64>,
    pub(super) all: bool,
    pub(super) identity: Option<Vec<String>>,
    pub(super) identities_from: Option<String>,
    pub(super) filter: Option<String>,
    pub(super) population: Option<Vec<String>>,
    pub(super) group: Option<Vec<String>>,
    pub(super) refreshed_before: Option<Value>,
    pub(super) not_refreshed_for: Option<String>,
    pub(super) refreshed_within: Option<String>,
    pub(super) or_modified: bool,
    pub(super) exclude_inactive: bool,
    pub(super) due: bool,
    pub(super) accounts: bool,
    pub(super) keep_due: bool,
    pub(super) policies: Option<Vec<String>>,
    pub(super) no_policies: bool,
    pub(super) prune: bool,
    pub(super) threads: Option<i64>,
    pub(super) chunk_size: Option<i64>,
    pub(super) max_exceptions: Option<i64>,
    pub(super) tasks: Option<Vec<String>>,
    pub(super) stop_at_error: Option<bool>,
    #[serde(flatten)]
    pub(super) other: BTreeMap<String, toml::Value>,
}

/// `rules/rules.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRules {
    pub(super) version: Option<i64>,
    pub(super) rules: BTreeMap<String, RawRule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawRule {
    pub(super) component: Option<String>,
    pub(super) sha256: Option<String>,
    pub(super) reads: RawReads,
    pub(super) parameters: BTreeMap<String, Value>,
    pub(super) limits: RawLimits,
    pub(super) isolation: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawReads {
    pub(super) attributes: Vec<String>,
    pub(super) manager: Vec<String>,
    pub(super) accounts: BTreeMap<String, Vec<String>>,
    pub(super) entitlements: BTreeMap<String, Vec<String>>,
    pub(super) lookups: Vec<String>,
}
