//! One identity: what it is, and why.

use std::io::{self, Write};

use idr_core::definitions::{Model, Origin};
use idr_core::model::{
    Account, AccountAction, AssignmentSource, AttributeState, Identity, IdentityRecord, Name,
    Provenance, RoleDecision, StateOverride, UnixMillis, WorkItem,
};
use idr_core::phases::entitlements::ledger;
use idr_core::phases::role_metadata::{RoleMetadata, role_metadata};
use idr_core::view::{Snapshot, SnapshotError};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::action::{AttributeChangeReport, details, reason_words};
use super::canonical::plain;
use super::entitlement::{EntitlementDecisionReport, EntitlementReport, LedgerReport, shown_entry};
use super::event::MASK;
use super::governance::{PolicyDecisionReport, ScorecardReport, ViolationReport};
use super::name_of;
use super::text::{Table, counted, local};

/// An identity in a list.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityRow {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: i64,
    /// What kind of identity it is.
    #[serde(rename = "type")]
    pub identity_type: &'static str,
    /// Its lifecycle state.
    pub lifecycle_state: Option<&'static str>,
    /// Whether that state counts as inactive.
    pub inactive: bool,
    /// Its assigned roles.
    pub assigned_roles: Vec<&'static str>,
    /// How many findings about it are open.
    pub open_findings: usize,
    /// The lifecycle state that a person has set, while that is in force.
    pub state_override: Option<StateOverrideReport>,
}

impl IdentityRow {
    /// Returns the row of an identity at an instant.
    pub fn of(record: &IdentityRecord, at: UnixMillis) -> Self {
        let identity = &record.identity;
        Self {
            name: identity.name.clone(),
            uid: identity.uid.0,
            identity_type: identity.identity_type.as_str(),
            lifecycle_state: identity.lifecycle_state.map(Name::as_str),
            inactive: identity.inactive,
            assigned_roles: identity
                .assigned
                .iter()
                .map(|known| known.role.as_str())
                .collect(),
            open_findings: identity.findings.len(),
            state_override: StateOverrideReport::in_force(identity, at),
        }
    }

    /// Returns the lifecycle state in words, with who has set it.
    pub fn spoken_state(&self) -> String {
        let state = self.lifecycle_state.unwrap_or("none yet");
        match &self.state_override {
            Some(set) if set.state == state => format!("{state} (set by {})", set.actor),
            _ => state.to_owned(),
        }
    }
}

/// Everything about one identity.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityReport {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: i64,
    /// What kind of identity it is.
    #[serde(rename = "type")]
    pub identity_type: &'static str,
    /// Its attributes that have a value.
    pub attributes: Map<String, Json>,
    /// The name of its manager.
    pub manager: Option<String>,
    /// How many identities it is the manager of.
    pub reports: u64,
    /// What it owns.
    pub owns: Vec<String>,
    /// Its lifecycle state.
    pub lifecycle_state: Option<&'static str>,
    /// The instant at which it took that state.
    pub lifecycle_since: Option<String>,
    /// Whether that state counts as inactive.
    pub inactive: bool,
    /// Its accounts.
    pub accounts: Vec<AccountReport>,
    /// What its lifecycle state calls for with accounts and isn't so yet.
    pub account_actions: Vec<AccountActionReport>,
    /// What somebody is to do about it.
    pub work_items: Vec<WorkItemReport>,
    /// The policies that it violates.
    pub violations: Vec<ViolationReport>,
    /// How risky its access is, where the tenant scores that.
    pub scorecard: Option<ScorecardReport>,
    /// Its assigned roles.
    pub assigned_roles: Vec<&'static str>,
    /// Its detected roles.
    pub detected_roles: Vec<&'static str>,
    /// What its roles come to.
    pub role_metadata: Vec<RoleMetadataReport>,
    /// The entitlements that its accounts hold or its roles call for.
    pub entitlements: Vec<LedgerReport>,
    /// Entitlements that no detected role contains.
    pub additional_entitlements: Vec<EntitlementReport>,
    /// The next moment at which it must be refreshed although nothing was written to it.
    pub wake_at: Option<String>,
    /// When what failed is asked again, where that may have passed by then.
    pub retry_at: Option<String>,
    /// How often it has failed.
    pub failed_attempts: u32,
    /// Whether an input has changed since it was last refreshed.
    pub inputs_changed: bool,
    /// Edits by hand.
    pub edits: Vec<EditReport>,
    /// What people have decided about roles.
    pub role_decisions: Vec<RoleDecisionReport>,
    /// What people have decided about entitlements gained or lost natively.
    pub entitlement_decisions: Vec<EntitlementDecisionReport>,
    /// What people have decided about policy violations.
    pub policy_decisions: Vec<PolicyDecisionReport>,
    /// The lifecycle state, where a person has set it.
    pub state_override: Option<StateOverrideReport>,
    #[serde(skip)]
    shown: Shown,
}

/// One of an identity's accounts.
#[derive(Clone, Debug, Serialize)]
pub struct AccountReport {
    /// The application.
    pub application: &'static str,
    /// What the application itself calls it.
    pub native_identity: String,
    /// `enabled`, `disabled` or `locked`.
    pub status: &'static str,
    /// How it came to its identity.
    pub link: &'static str,
    /// When a full aggregation first didn't list it.
    pub missing_since: Option<String>,
    /// Its attributes.
    pub attributes: Map<String, Json>,
}

/// What is called for with an account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountActionReport {
    /// The application.
    pub application: &'static str,
    /// The account there.
    pub native_identity: String,
    /// `create`, `modify`, `enable`, `disable`, `move` or `delete`.
    pub operation: &'static str,
    /// Where to move it.
    pub to: Option<String>,
    /// The attributes that it is created with, or what changes of them.
    pub changes: Vec<AttributeChangeReport>,
    /// Why, in words.
    pub reasons: Vec<String>,
    /// Since when.
    pub since: String,
}

impl AccountActionReport {
    fn of(action: &AccountAction, model: &Model) -> Self {
        Self {
            application: action.account.application.as_str(),
            native_identity: action.account.native_identity.clone(),
            operation: action.operation.as_str(),
            to: action.to.clone(),
            changes: AttributeChangeReport::of(action, model),
            reasons: action.reasons.iter().map(reason_words).collect(),
            since: action.since.to_string(),
        }
    }

    fn row(&self) -> [String; 3] {
        [
            format!("{} {}", self.application, self.native_identity),
            format!(
                "{}{}",
                self.operation,
                details(self.to.as_deref(), &self.changes)
            ),
            format!("since {}", self.since),
        ]
    }
}

/// What somebody is to do about an identity.
#[derive(Clone, Debug, Serialize)]
pub struct WorkItemReport {
    /// The name of whoever is to do it; null for nobody.
    pub owner: Option<String>,
    /// What to do.
    pub description: String,
    /// Since when.
    pub since: String,
}

impl WorkItemReport {
    fn of(item: &WorkItem) -> Self {
        Self {
            owner: item.owner.clone(),
            description: item.description.clone(),
            since: item.since.to_string(),
        }
    }

    fn row(&self) -> [String; 3] {
        [
            format!(
                "work item for {}",
                self.owner.as_deref().unwrap_or("nobody")
            ),
            self.description.clone(),
            format!("since {}", self.since),
        ]
    }
}

/// What a role of an identity comes to.
#[derive(Clone, Debug, Serialize)]
pub struct RoleMetadataReport {
    /// The role.
    pub role: &'static str,
    /// What gives it: `rule`, `state` or `manual`; null when it isn't assigned.
    pub assigned: Option<&'static str>,
    /// Whether it is detected.
    pub detected: bool,
    /// Roles that it calls for and that aren't detected.
    pub missing: Vec<&'static str>,
    /// Whether it is detected although no assigned role calls for it.
    pub exception: bool,
    /// Roles that were assigned within it.
    pub permits: Vec<&'static str>,
}

impl RoleMetadataReport {
    fn of(metadata: RoleMetadata, identity: &Identity) -> Self {
        let texts = |names: &[Name]| names.iter().map(|name| name.as_str()).collect();
        let mut assigned = identity.assigned.iter();
        let assignment = assigned.find(|known| known.role == metadata.role);
        Self {
            role: metadata.role.as_str(),
            assigned: metadata.assigned.map(AssignmentSource::as_str),
            detected: metadata.detected,
            missing: texts(&metadata.missing),
            exception: metadata.exception,
            permits: assignment.map_or_else(Vec::new, |known| texts(&known.permits)),
        }
    }

    /// Returns what is to be said beside an assigned role.
    fn remark(&self) -> String {
        let given = match self.assigned {
            Some("rule") | None => String::new(),
            Some("manual") => "by hand".to_owned(),
            Some(source) => format!("by {source}"),
        };
        let with = match self.permits.as_slice() {
            [] => String::new(),
            permits => format!("with {}", permits.join(", ")),
        };
        let missing = match self.missing.as_slice() {
            [] => String::new(),
            missing => format!("missing {}", missing.join(", ")),
        };
        let parts = [given, with, missing];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("; ")
    }
}

/// What a person has decided about a role.
#[derive(Clone, Debug, Serialize)]
pub struct RoleDecisionReport {
    /// The role.
    pub role: &'static str,
    /// `assigned`, or `denied`.
    pub verdict: &'static str,
    /// The assigned role that permits it; null where it stands by itself.
    pub within: Option<&'static str>,
    /// The account that it is for: application and native identity.
    pub account: Option<[String; 2]>,
    /// When it begins to hold; null for at once.
    pub from: Option<String>,
    /// When it ceases to hold; null for never.
    pub until: Option<String>,
    /// Who decided it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

/// A lifecycle state set by hand.
#[derive(Clone, Debug, Serialize)]
pub struct StateOverrideReport {
    /// The state.
    pub state: &'static str,
    /// When the rule decides again; null for never.
    pub until: Option<String>,
    /// Who set it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

impl RoleDecisionReport {
    fn of(decision: &RoleDecision) -> Self {
        Self {
            role: decision.role.as_str(),
            verdict: decision.verdict.as_str(),
            within: decision.within.map(Name::as_str),
            account: decision.account.as_ref().map(|account| {
                let application = account.application.to_string();
                [application, account.native_identity.clone()]
            }),
            from: decision.from.map(|from| from.to_string()),
            until: decision.until.map(|until| until.to_string()),
            actor: decision.actor.clone(),
            reason: decision.reason.clone(),
            at: decision.at.to_string(),
        }
    }
}

impl StateOverrideReport {
    /// Returns the state of an identity that a person has set, if that is in force
    /// at an instant.
    pub fn in_force(identity: &Identity, at: UnixMillis) -> Option<Self> {
        let set = identity.by_hand.state.as_ref();
        set.filter(|set| set.is_in_force(at)).map(Self::of)
    }

    fn of(set: &StateOverride) -> Self {
        Self {
            state: set.state.as_str(),
            until: set.until.map(|until| until.to_string()),
            actor: set.actor.clone(),
            reason: set.reason.clone(),
            at: set.at.to_string(),
        }
    }
}

fn spoken_window(from: Option<&str>, until: Option<&str>) -> String {
    let part =
        |word: &str, at: Option<&str>| at.map_or_else(String::new, |at| format!(" {word} {at}"));
    part("from", from) + &part("until", until)
}

/// A value set by hand.
#[derive(Clone, Debug, Serialize)]
pub struct EditReport {
    /// The attribute.
    pub attribute: &'static str,
    /// Who set it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
}

/// What only the text shows.
#[derive(Clone, Debug, Default)]
struct Shown {
    attributes: Vec<[String; 3]>,
    lifecycle_since: Option<String>,
    wake_at: Option<String>,
    retry_at: Option<String>,
    roles: Vec<[String; 3]>,
    detections: Vec<[String; 2]>,
    ledger: Vec<[String; 3]>,
}

impl AccountReport {
    /// Returns the report on an account.
    pub fn of(account: &Account) -> Self {
        let attributes = account.attributes.iter();
        Self {
            application: account.key.application.as_str(),
            native_identity: account.key.native_identity.clone(),
            status: account.status.as_str(),
            link: account.link.as_str(),
            missing_since: account.missing_since.map(|at| at.to_string()),
            attributes: attributes
                .map(|(name, value)| (name.to_string(), plain(value)))
                .collect(),
        }
    }
}

impl IdentityReport {
    /// Returns the report on an identity at an instant, who is the manager of so
    /// many (`reports`). In the text, sensitive
    /// attributes are masked unless `show_sensitive`.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the store can't be read.
    pub fn of(
        record: &IdentityRecord,
        model: &Model,
        snapshot: &dyn Snapshot,
        reports: u64,
        at: UnixMillis,
        show_sensitive: bool,
    ) -> Result<Self, SnapshotError> {
        let identity = &record.identity;
        let manager = match identity.manager {
            Some(uid) => Some(name_of(snapshot, uid)?),
            None => None,
        };
        let entries = ledger(record, model, at);
        let metadata: Vec<_> = role_metadata(identity, model)
            .into_iter()
            .map(|metadata| RoleMetadataReport::of(metadata, identity))
            .collect();
        let zone = &model.zone;
        let shown = Shown {
            attributes: shown_attributes(record, model, show_sensitive),
            lifecycle_since: identity.lifecycle_since.map(|since| local(since, zone)),
            wake_at: identity.wake.at().map(|wake| local(wake, zone)),
            retry_at: identity.retries.at().map(|at| local(at, zone)),
            roles: identity
                .assigned
                .iter()
                .map(|known| {
                    let mut metadata = metadata.iter();
                    let of_role = metadata.find(|of| of.role == known.role.as_str());
                    let remark = of_role.map(RoleMetadataReport::remark);
                    let since = local(known.since, zone);
                    [known.role.to_string(), since, remark.unwrap_or_default()]
                })
                .collect(),
            detections: identity
                .detected
                .iter()
                .map(|known| {
                    let accounts = known.accounts.iter();
                    let keys =
                        accounts.map(|key| format!("{} {}", key.application, key.native_identity));
                    [known.role.to_string(), keys.collect::<Vec<_>>().join(", ")]
                })
                .collect(),
            ledger: entries
                .iter()
                .map(|entry| shown_entry(entry, model, show_sensitive))
                .collect(),
        };
        let values = identity.attributes.iter().filter_map(|(name, state)| {
            let value = state.value.as_ref()?;
            Some((name.to_string(), plain(value)))
        });
        Ok(Self {
            name: identity.name.clone(),
            uid: identity.uid.0,
            identity_type: identity.identity_type.as_str(),
            attributes: values.collect(),
            manager,
            reports,
            owns: model.owners.owned_by(&identity.name).to_vec(),
            lifecycle_state: identity.lifecycle_state.map(Name::as_str),
            lifecycle_since: identity.lifecycle_since.map(|since| since.to_string()),
            inactive: identity.inactive,
            accounts: record.accounts.iter().map(AccountReport::of).collect(),
            assigned_roles: identity
                .assigned
                .iter()
                .map(|known| known.role.as_str())
                .collect(),
            detected_roles: {
                let roles = identity.detected.iter();
                let mut roles: Vec<_> = roles.map(|known| known.role.as_str()).collect();
                roles.dedup();
                roles
            },
            role_metadata: metadata,
            account_actions: {
                let actions = identity.account_actions.iter();
                actions
                    .map(|action| AccountActionReport::of(action, model))
                    .collect()
            },
            work_items: identity.work_items.iter().map(WorkItemReport::of).collect(),
            violations: identity
                .violations
                .iter()
                .map(ViolationReport::of)
                .collect(),
            scorecard: {
                let card = identity.scorecard.as_ref();
                card.map(|card| ScorecardReport::of(card, model.risk.as_ref()))
            },
            entitlements: entries.iter().map(LedgerReport::of).collect(),
            additional_entitlements: EntitlementReport::additional(&entries),
            wake_at: identity.wake.at().map(|wake| wake.to_string()),
            retry_at: identity.retries.at().map(|at| at.to_string()),
            failed_attempts: identity.retries.next().map_or(0, |retry| retry.attempts),
            inputs_changed: record.versions.inputs_changed(),
            role_decisions: identity
                .by_hand
                .roles
                .iter()
                .map(RoleDecisionReport::of)
                .collect(),
            entitlement_decisions: {
                let decisions = identity.by_hand.entitlements.iter();
                let of = |known| EntitlementDecisionReport::of(known, model, show_sensitive);
                decisions.map(of).collect()
            },
            policy_decisions: {
                let decisions = identity.by_hand.policies.iter();
                decisions.map(PolicyDecisionReport::of).collect()
            },
            state_override: identity.by_hand.state.as_ref().map(StateOverrideReport::of),
            edits: identity
                .by_hand
                .edits
                .iter()
                .map(|edit| EditReport {
                    attribute: edit.attribute.as_str(),
                    actor: edit.actor.clone(),
                    reason: edit.reason.clone(),
                    at: edit.at.to_string(),
                })
                .collect(),
            shown,
        })
    }

    /// Returns what people have decided: what, who and when, and why.
    fn by_hand(&self) -> Vec<[String; 3]> {
        let edits = self.edits.iter().map(|edit| {
            let what = format!("{} edited", edit.attribute);
            (what, &edit.actor, &edit.at, &edit.reason)
        });
        let state = self.state_override.iter().map(|set| {
            let until = spoken_window(None, set.until.as_deref());
            let what = format!("state {}{until}", set.state);
            (what, &set.actor, &set.at, &set.reason)
        });
        let roles = self.role_decisions.iter().map(|decision| {
            let window = spoken_window(decision.from.as_deref(), decision.until.as_deref());
            let within = decision.within;
            let within = within.map_or_else(String::new, |role| format!(" within {role}"));
            let account = decision.account.as_ref();
            let account = account.map_or_else(String::new, |key| format!(" on {}", key.join(" ")));
            let role = decision.role;
            let what = format!("{role} {}{within}{account}{window}", decision.verdict);
            (what, &decision.actor, &decision.at, &decision.reason)
        });
        let entitlements = self.entitlement_decisions.iter().map(|decision| {
            let what = decision.spoken();
            (what, &decision.actor, &decision.at, &decision.reason)
        });
        let policies = self.policy_decisions.iter().map(|decision| {
            let until = spoken_window(None, decision.until.as_deref());
            let what = format!("policy {} {}{until}", decision.policy, decision.verdict);
            (what, &decision.actor, &decision.at, &decision.reason)
        });
        let all = edits.chain(state).chain(roles).chain(entitlements);
        let all = all.chain(policies);
        all.map(|(what, actor, at, reason)| [what, format!("by {actor} at {at}"), reason.clone()])
            .collect()
    }

    /// Writes the report for people.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let shown = &self.shown;
        writeln!(
            out,
            "{} ({}, uid {})",
            self.name, self.identity_type, self.uid
        )?;
        let mut facts = Table::plain(2);
        let state = match (self.lifecycle_state, &shown.lifecycle_since) {
            (Some(state), Some(since)) => format!("{state} since {since}"),
            (Some(state), None) => state.to_owned(),
            (None, _) => "none yet".to_owned(),
        };
        let inactive = if self.inactive { ", inactive" } else { "" };
        facts.row(["lifecycle state", &format!("{state}{inactive}")]);
        facts.row(["manager", self.manager.as_deref().unwrap_or("none")]);
        if self.reports > 0 {
            let managed = counted(self.reports, "identity", "identities");
            facts.row(["manages", &managed]);
        }
        if !self.owns.is_empty() {
            facts.row(["owns", &self.owns.join(", ")]);
        }
        if let Some(card) = &self.scorecard {
            facts.row(["risk", &card.spoken()]);
        }
        facts.row(["wakes up", shown.wake_at.as_deref().unwrap_or("never")]);
        if let Some(at) = &shown.retry_at {
            let attempts = counted(u64::from(self.failed_attempts), "attempt", "attempts");
            facts.row(["retry", &format!("{at}, after {attempts}")]);
        }
        if self.inputs_changed {
            facts.row(["due", "an input changed since the last refresh"]);
        }
        facts.write(out)?;
        section("attributes", &shown.attributes, out)?;
        section("by hand", &self.by_hand(), out)?;
        let accounts: Vec<[String; 4]> = self
            .accounts
            .iter()
            .map(|account| {
                let missing = account.missing_since.as_ref();
                [
                    account.application.to_owned(),
                    account.native_identity.clone(),
                    account.status.to_owned(),
                    missing.map_or_else(
                        || account.link.to_owned(),
                        |since| format!("{}, missing since {since}", account.link),
                    ),
                ]
            })
            .collect();
        section("accounts", &accounts, out)?;
        let actions = self.account_actions.iter().map(AccountActionReport::row);
        let items = self.work_items.iter().map(WorkItemReport::row);
        section("to be done", &actions.chain(items).collect::<Vec<_>>(), out)?;
        let violations: Vec<_> = self.violations.iter().map(ViolationReport::row).collect();
        section("policy violations", &violations, out)?;
        section("assigned roles", &shown.roles, out)?;
        section("detected roles", &shown.detections, out)?;
        section("entitlements", &shown.ledger, out)
    }
}

fn section<const N: usize>(
    heading: &str,
    rows: &[[String; N]],
    out: &mut dyn Write,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {heading}")?;
    let mut table = Table::plain(4);
    for row in rows {
        table.row(row.iter().cloned());
    }
    table.write(out)
}

/// Returns name, value and where the value comes from.
fn shown_attributes(
    record: &IdentityRecord,
    model: &Model,
    show_sensitive: bool,
) -> Vec<[String; 3]> {
    let attributes = record.identity.attributes.iter();
    attributes
        .map(|(name, state)| {
            let value = match &state.value {
                None => "(none)".to_owned(),
                Some(_) if !show_sensitive && is_sensitive(model, *name) => MASK.to_owned(),
                Some(value) => value.to_string(),
            };
            [name.to_string(), value, origin(model, *name, state)]
        })
        .collect()
}

fn is_sensitive(model: &Model, name: Name) -> bool {
    let known = model.attribute_index(name);
    known.is_some_and(|index| model.attributes[index].sensitive)
}

/// Returns where an attribute's value comes from, in words.
fn origin(model: &Model, name: Name, state: &AttributeState) -> String {
    let index = match state.provenance {
        Provenance::Manual => return "edited by hand".to_owned(),
        Provenance::Proposed(rule) => return format!("proposed by rule {rule}"),
        Provenance::Kept(since) => return format!("kept since {since}"),
        Provenance::Source(index) => index,
    };
    let known = model.attribute_index(name);
    let sources = known.map(|place| &model.attributes[place].sources);
    match sources.and_then(|sources| sources.get(usize::from(index))) {
        None => String::new(),
        Some(source) => match &source.origin {
            Origin::Account {
                application,
                attribute,
            } => format!("{application} {attribute}"),
            Origin::Static(_) => "static".to_owned(),
            Origin::Rule(rule) => format!("rule {}", model.rule(*rule).name),
            Origin::Transform(transform) => format!("transform {}", transform.operation()),
            Origin::Usernames(_) => "transform usernameGenerator".to_owned(),
        },
    }
}
