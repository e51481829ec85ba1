//! Entitlements of one identity: the ledger, and what was decided about it.

use idr_core::definitions::Model;
use idr_core::model::{
    AssignmentSource, EntitlementDecision, EntitlementStatus, LedgerEntry, Name,
};
use serde::Serialize;

use super::event::MASK;

/// One entitlement on one account.
#[derive(Clone, Debug, Serialize)]
pub struct EntitlementReport {
    /// The application.
    pub application: &'static str,
    /// The account.
    pub native_identity: String,
    /// The account attribute that lists it.
    pub attribute: &'static str,
    /// Its value.
    pub value: String,
}

/// An entitlement of the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct LedgerReport {
    /// Which one.
    #[serde(flatten)]
    pub entitlement: EntitlementReport,
    /// `present`, `missing` or `removing`.
    pub status: &'static str,
    /// `connected` when the last aggregation of the account has seen it there,
    /// else `disconnected`.
    pub aggregation_state: &'static str,
    /// Whether it was `gained` or `lost` natively; null when neither.
    pub native_change: Option<&'static str>,
    /// When an aggregation found that.
    pub native_change_at: Option<String>,
    /// Whether that waits for somebody to decide.
    pub undecided: bool,
    /// The detected roles that contain it.
    pub detected_roles: Vec<&'static str>,
    /// The assigned roles that call for it.
    pub assigned_roles: Vec<ReasonReport>,
}

/// An assigned role that is a reason for an entitlement.
#[derive(Clone, Debug, Serialize)]
pub struct ReasonReport {
    /// The role.
    pub role: &'static str,
    /// `assignment`, `state` or `request`.
    pub reason: &'static str,
}

/// What a person has decided about an entitlement gained or lost natively.
#[derive(Clone, Debug, Serialize)]
pub struct EntitlementDecisionReport {
    /// Which one.
    #[serde(flatten)]
    pub entitlement: EntitlementReport,
    /// `gained` or `lost`.
    pub native_change: &'static str,
    /// `accepted`, or `restored`.
    pub verdict: &'static str,
    /// Who decided it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: String,
    #[serde(skip)]
    shown_value: String,
}

impl EntitlementReport {
    fn of(entry: &LedgerEntry) -> Self {
        let entitlement = &entry.entitlement;
        Self {
            application: entitlement.account.application.as_str(),
            native_identity: entitlement.account.native_identity.clone(),
            attribute: entitlement.attribute.as_str(),
            value: entitlement.value.clone(),
        }
    }

    /// Returns those that are there and that no detected role contains.
    pub fn additional(entries: &[LedgerEntry]) -> Vec<Self> {
        let there = |entry: &&LedgerEntry| entry.held;
        let entries = entries.iter().filter(there);
        let additional = entries.filter(|entry| entry.detected_roles.is_empty());
        additional.map(Self::of).collect()
    }
}

impl LedgerReport {
    /// Returns the report on an entry.
    pub fn of(entry: &LedgerEntry) -> Self {
        let reason = |(role, source): &(Name, AssignmentSource)| ReasonReport {
            role: role.as_str(),
            reason: reason(*source),
        };
        Self {
            entitlement: EntitlementReport::of(entry),
            status: entry.status.as_str(),
            aggregation_state: match entry.connected {
                true => "connected",
                false => "disconnected",
            },
            native_change: entry.native.map(|(change, _)| change.as_str()),
            native_change_at: entry.native.map(|(_, at)| at.to_string()),
            undecided: entry.undecided,
            detected_roles: entry
                .detected_roles
                .iter()
                .map(|role| role.as_str())
                .collect(),
            assigned_roles: entry.assigned_roles.iter().map(reason).collect(),
        }
    }
}

impl EntitlementDecisionReport {
    /// Returns the report on a decision.
    pub fn of(decision: &EntitlementDecision, model: &Model, show_sensitive: bool) -> Self {
        let about = &decision.about;
        let application = decision.account.application;
        Self {
            entitlement: EntitlementReport {
                application: decision.account.application.as_str(),
                native_identity: decision.account.native_identity.clone(),
                attribute: about.attribute.as_str(),
                value: about.value.clone(),
            },
            native_change: about.change.as_str(),
            verdict: decision.verdict.as_str(),
            actor: decision.actor.clone(),
            reason: decision.reason.clone(),
            at: decision.at.to_string(),
            shown_value: match show_sensitive || !is_sensitive(model, application, about.attribute)
            {
                true => about.value.clone(),
                false => MASK.to_owned(),
            },
        }
    }

    /// Returns what was decided about what.
    pub(super) fn spoken(&self) -> String {
        let entitlement = &self.entitlement;
        format!(
            "{} {} {} {}, {} natively, {}",
            entitlement.application,
            entitlement.native_identity,
            entitlement.attribute,
            self.shown_value,
            self.native_change,
            self.verdict
        )
    }
}

pub(crate) fn is_sensitive(model: &Model, application: Name, attribute: Name) -> bool {
    let application = model.application(application);
    let attribute = application.and_then(|known| known.attribute(attribute));
    attribute.is_some_and(|known| known.sensitive)
}

/// Returns the reason that an assigned role is for an entitlement.
fn reason(source: AssignmentSource) -> &'static str {
    match source {
        AssignmentSource::Rule => "assignment",
        AssignmentSource::State => "state",
        AssignmentSource::Manual => "request",
    }
}

/// Returns the account, the entitlement, and how it stands and why.
pub(crate) fn shown_entry(entry: &LedgerEntry, model: &Model, show_sensitive: bool) -> [String; 3] {
    let entitlement = &entry.entitlement;
    let account = &entitlement.account;
    let is_masked =
        !show_sensitive && is_sensitive(model, account.application, entitlement.attribute);
    let value = if is_masked { MASK } else { &entitlement.value };
    [
        format!("{} {}", account.application, account.native_identity),
        format!("{} {value}", entitlement.attribute),
        spoken(entry),
    ]
}

fn spoken(entry: &LedgerEntry) -> String {
    let names: Vec<&str> = entry
        .detected_roles
        .iter()
        .map(|role| role.as_str())
        .collect();
    let wanted = entry.assigned_roles.iter();
    let wanted: Vec<String> = wanted
        .map(|(role, source)| format!("{role} ({})", reason(*source)))
        .collect();
    let mut said = match (entry.status, names.is_empty()) {
        (EntitlementStatus::Missing, _) if !entry.held => "missing".to_owned(),
        (EntitlementStatus::Pending, _) => "pending".to_owned(),
        (EntitlementStatus::Failed, _) if !entry.held => "failed".to_owned(),
        (EntitlementStatus::Removing, _) if !entry.held => "pending".to_owned(),
        (_, true) => "additional".to_owned(),
        (_, false) if wanted.is_empty() => format!("{} (native)", names.join(", ")),
        (_, false) => names.join(", "),
    };
    if !wanted.is_empty() {
        said += &format!(", for {}", wanted.join(", "));
    }
    if let Some((change, at)) = entry.native {
        said += &format!(", {} natively at {at}", change.as_str());
    }
    if entry.status == EntitlementStatus::Removing {
        said += ", to be removed";
    }
    if entry.status == EntitlementStatus::Failed && entry.held {
        said += ", to be removed, which failed";
    }
    if entry.undecided {
        said += ", to be decided";
    }
    if entry.held && !entry.connected {
        said += ", disconnected";
    }
    said
}
