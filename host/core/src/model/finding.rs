//! Findings: what is wrong now, as state and not as a log.

use super::Name;

/// How much a finding matters. The order is the order in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody may keep access that should have gone: comes first everywhere.
    AccessAtRisk,
    /// A rule, a feed or a definition is wrong; what depends on it is frozen.
    Error,
    /// Worth looking at; nothing is frozen.
    Warning,
}

impl Severity {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 3] = [
        ("access-at-risk", Self::AccessAtRisk),
        ("error", Self::Error),
        ("warning", Self::Warning),
    ];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, severity)| *severity == self);
        found.expect("every case is listed").0
    }
}

/// Something that is wrong, about one identity or about an application.
///
/// There is one per (identity or application, phase, subject, cause): it is
/// opened by the refresh that first sees it and closed by the one that doesn't
/// any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The phase that found it, as `idr phases` prints it.
    pub phase: &'static str,
    /// What it is about: an attribute, role, trigger, rule or line.
    pub subject: String,
    /// What kind of trouble it is, such as `rule-trapped`: stable, for scripts.
    pub cause: Name,
    /// The trouble in words, without personal data beyond the identity's name.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    /// Says whether it is found once the waves have settled, with the events.
    pub fn is_of_events(&self) -> bool {
        [EVENTS, VALUE_CHANGE, AFTER_REFRESH].contains(&self.phase)
    }

    /// Says whether both are the same trouble, however they put it in words.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.phase, &self.subject, self.cause) == (other.phase, &other.subject, other.cause)
    }
}

/// Returns the phase with this name as the constant that findings carry.
pub fn known_phase(name: &str) -> Option<&'static str> {
    PHASES.iter().copied().find(|phase| *phase == name)
}

/// Every phase that makes findings, in the order of operations.
pub const PHASES: [&str; 15] = [
    AGGREGATION,
    CORRELATION,
    LOGICAL_ACCOUNTS,
    BEFORE_REFRESH,
    ATTRIBUTE_PROMOTION,
    MANAGER,
    LIFECYCLE_STATE,
    ENTITLEMENTS,
    ROLES,
    POLICIES,
    RISK,
    PROVISIONING,
    EVENTS,
    VALUE_CHANGE,
    AFTER_REFRESH,
];

/// Reading accounts from an application.
pub const AGGREGATION: &str = "aggregation";
/// Finding the identity that an account belongs to.
pub const CORRELATION: &str = "correlation";
/// Making accounts of logical applications.
pub const LOGICAL_ACCOUNTS: &str = "logical-accounts";
/// Proposing values of attributes before their sources are asked.
pub const BEFORE_REFRESH: &str = "before-refresh";
/// Working out identity attributes.
pub const ATTRIBUTE_PROMOTION: &str = "attribute-promotion";
/// Working out the manager.
pub const MANAGER: &str = "manager";
/// Working out the lifecycle state.
pub const LIFECYCLE_STATE: &str = "lifecycle-state";
/// Working out the entitlement ledger.
pub const ENTITLEMENTS: &str = "entitlements";
/// Assigning and detecting roles.
pub const ROLES: &str = "roles";
/// Judging policies.
pub const POLICIES: &str = "policies";
/// Scoring risk.
pub const RISK: &str = "risk";
/// Working out what is called for with accounts.
pub const PROVISIONING: &str = "provisioning-plan";
/// The cause of findings about several accounts of which nobody can say which a
/// role is for.
pub const ACCOUNT_SELECTION: &str = "account-selection";
/// The cause of findings about managers who manage each other in a circle.
/// They are found over all identities, after the waves.
pub const MANAGER_CYCLE: &str = "manager-cycle";
/// The cause of findings about managers who are inactive though those who
/// report to them are not. Found over all identities, after the waves.
pub const MANAGER_INACTIVE: &str = "manager-inactive";

/// Says whether a finding is about several identities: it is found after the
/// waves, and no plan of a single one replaces it.
pub fn is_across(finding: &Finding) -> bool {
    [MANAGER_CYCLE, MANAGER_INACTIVE].contains(&finding.cause.as_str())
}

/// Firing triggers.
pub const EVENTS: &str = "events";
/// Proposing values of attributes for the next refresh, when one has changed.
pub const VALUE_CHANGE: &str = "value-change";
/// Proposing values of attributes for the next refresh.
pub const AFTER_REFRESH: &str = "after-refresh";
