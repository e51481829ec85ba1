//! A tenant's policies, and which of them could concern an identity at all.
//!
//! With a thousand policies, asking each about each identity would be most of a
//! refresh. A separation of duties is found by what stands on its left, a filter
//! by the value that it asks for, a bound on accounts by the application; only
//! rules and risk are asked of everybody.

use std::ops::Deref;

use rustc_hash::FxHashMap as HashMap;

use super::RuleIndex;
use super::roles::{Places, demanded};
use crate::filter::Filter;
use crate::model::{Name, Severity, Value};

/// A policy that is in use.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// What it is for, in words.
    pub description: Option<String>,
    /// The name of the identity who decides about its violations. Without it whoever
    /// owns what it holds does, or the manager.
    pub owner: Option<String>,
    /// How much a violation matters among findings.
    pub severity: Severity,
    /// What a violation adds to the risk.
    pub weight: u32,
    /// What is done about a violation.
    pub action: PolicyAction,
    /// What it forbids.
    pub kind: PolicyKind,
    /// Whom it doesn't concern: whoever one of these lets through.
    pub excluded: Vec<Filter>,
}

/// What is done about a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PolicyAction {
    /// It is reported.
    #[default]
    Report,
    /// It is reported, the newer of what can't go together isn't provisioned,
    /// and somebody is asked.
    Hold,
}

impl PolicyAction {
    /// Every case with the word used in configuration and reports.
    pub const ALL: [(&'static str, Self); 2] = [("report", Self::Report), ("hold", Self::Hold)];

    /// Returns the word used in configuration and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Hold => "hold",
        }
    }
}

/// What a policy forbids.
#[derive(Clone, Debug)]
pub enum PolicyKind {
    /// To have a role of the left and one of the right; each sorted.
    Roles {
        /// The roles of the left.
        left: Vec<Name>,
        /// The roles of the right.
        right: Vec<Name>,
    },
    /// To have an entitlement of the left and one of the right; each sorted.
    Entitlements {
        /// The entitlements of the left.
        left: Vec<PolicyEntitlement>,
        /// The entitlements of the right.
        right: Vec<PolicyEntitlement>,
    },
    /// To be let through by a filter.
    Filter(Filter),
    /// To have more accounts than that.
    Accounts {
        /// In this application.
        application: Name,
        /// Only accounts that this lets through count.
        filter: Option<Filter>,
        /// So many may be.
        most: u32,
    },
    /// To have a composite score of at least so much.
    Risk(u32),
    /// What a rule says, by its place in [`super::Model::rules`].
    Rule(RuleIndex),
}

impl PolicyKind {
    /// Returns the word used in configuration and reports.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Roles { .. } => "roles",
            Self::Entitlements { .. } => "entitlements",
            Self::Filter(_) => "filter",
            Self::Accounts { .. } => "accounts",
            Self::Risk(_) => "risk",
            Self::Rule(_) => "rule",
        }
    }
}

/// An entitlement as policies and risk name it: on whichever account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyEntitlement {
    /// The application.
    pub application: Name,
    /// The account attribute.
    pub attribute: Name,
    /// The value.
    pub value: String,
}

/// The places of policies by the values of an attribute.
type PlacesByValue = HashMap<String, Vec<usize>>;

/// The policies that are in use, sorted by name. They don't change once they
/// are here.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    policies: Vec<Policy>,
    keep_previous: bool,
    by_role: HashMap<Name, Vec<usize>>,
    by_entitlement: Vec<((Name, Name), PlacesByValue)>,
    by_filter: Places<Name>,
    by_application: HashMap<Name, Vec<usize>>,
    of_everybody: Vec<usize>,
    of_roles: bool,
}

impl Policies {
    /// Returns these policies. With `keep_previous`, violations that are over
    /// stay for people to see.
    pub fn new(mut policies: Vec<Policy>, keep_previous: bool) -> Self {
        policies.sort_by_key(|policy| policy.name);
        let mut all = Self {
            keep_previous,
            ..Self::default()
        };
        for (place, policy) in policies.iter().enumerate() {
            match &policy.kind {
                PolicyKind::Roles { left, .. } => {
                    all.of_roles = true;
                    for role in left {
                        all.by_role.entry(*role).or_default().push(place);
                    }
                }
                PolicyKind::Entitlements { left, right } => {
                    for known in left {
                        let at = (known.application, known.attribute);
                        let places = all.at(at).entry(known.value.clone()).or_default();
                        places.push(place);
                    }
                    // What stands there is looked at as well, and finds nothing.
                    for known in right {
                        let at = (known.application, known.attribute);
                        all.at(at).entry(known.value.clone()).or_default();
                    }
                }
                PolicyKind::Filter(filter) => match demanded(filter) {
                    Some((attribute, values)) => all.by_filter.add(attribute, values, place),
                    None => all.of_everybody.push(place),
                },
                PolicyKind::Accounts { application, .. } => {
                    let places = all.by_application.entry(*application).or_default();
                    places.push(place);
                }
                PolicyKind::Risk(_) | PolicyKind::Rule(_) => all.of_everybody.push(place),
            }
        }
        all.policies = policies;
        all
    }

    fn at(&mut self, at: (Name, Name)) -> &mut PlacesByValue {
        let known = self
            .by_entitlement
            .iter()
            .position(|(known, _)| *known == at);
        let place = known.unwrap_or_else(|| {
            self.by_entitlement.push((at, HashMap::default()));
            self.by_entitlement.len() - 1
        });
        &mut self.by_entitlement[place].1
    }

    /// Returns a policy that is in use.
    pub fn get(&self, name: Name) -> Option<&Policy> {
        let place = self
            .policies
            .binary_search_by(|known| known.name.cmp(&name));
        Some(&self.policies[place.ok()?])
    }

    /// Says whether some policy that holds leaves it to the owners of what it holds
    /// to decide.
    pub fn ask_other_owners(&self) -> bool {
        let mut policies = self.policies.iter();
        policies.any(|known| known.action == PolicyAction::Hold && known.owner.is_none())
    }

    /// Says whether violations that are over stay.
    pub fn keep_previous(&self) -> bool {
        self.keep_previous
    }

    /// Says whether some policy separates roles.
    pub fn are_of_roles(&self) -> bool {
        self.of_roles
    }

    /// Says whether some policy separates entitlements.
    pub fn are_of_entitlements(&self) -> bool {
        !self.by_entitlement.is_empty()
    }

    /// Says whether some policy names an entitlement.
    pub fn names(&self, at: (Name, Name), value: &str) -> bool {
        self.places_of(at, value).is_some()
    }

    fn places_of(&self, at: (Name, Name), value: &str) -> Option<&Vec<usize>> {
        let (_, by_value) = self.by_entitlement.iter().find(|(known, _)| *known == at)?;
        by_value.get(value)
    }

    /// Adds the places of what has this role on its left.
    pub fn with_role(&self, role: Name, places: &mut Vec<usize>) {
        places.extend(self.by_role.get(&role).into_iter().flatten());
    }

    /// Adds the places of what has this entitlement on its left.
    pub fn with_entitlement(&self, at: (Name, Name), value: &str, places: &mut Vec<usize>) {
        places.extend(self.places_of(at, value).into_iter().flatten());
    }

    /// Adds the places of what bounds accounts in this application.
    pub fn with_application(&self, application: Name, places: &mut Vec<usize>) {
        places.extend(self.by_application.get(&application).into_iter().flatten());
    }

    /// Adds the places of filters that might let an identity through; see
    /// [`super::Roles::maybe_selected`].
    pub fn with_attributes<E>(
        &self,
        each: impl FnMut(Name, &mut dyn FnMut(&Value)) -> Result<bool, E>,
        places: &mut Vec<usize>,
    ) -> Result<(), E> {
        self.by_filter.find(each, places)
    }

    /// Returns the places of what must be asked of everybody.
    pub fn of_everybody(&self) -> &[usize] {
        &self.of_everybody
    }
}

impl Deref for Policies {
    type Target = [Policy];

    fn deref(&self) -> &[Policy] {
        &self.policies
    }
}
