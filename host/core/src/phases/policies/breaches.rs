//! What policy rules judge, and what they answer.
//!
//! A rule is asked about what is there, and again about that and what is called
//! for where there is more. Its answer stands on the sides of the violation: what
//! it names on the left, its words on the right.

use std::sync::Arc;

use super::entitlements::{called_roles, holdings};
use super::hold::What;
use super::sides::{Fact, Sides, spoken};
use crate::definitions::Model;
use crate::model::{AccountOperation, Entitlement, Identity, Name, UnixMillis};
use crate::phases::flights;
use crate::phases::roles::SettledRoles;
use crate::phases::selection::Selected;
use crate::rule::{Breach, BreachGrant};
use crate::view::{JudgedAccess, TrackedView};

/// What a policy rule is shown.
pub(super) struct Accesses {
    pub(super) actual: Arc<JudgedAccess>,
    /// What is called for as well, where that is more.
    pub(super) desired: Option<Arc<JudgedAccess>>,
    pub(super) grants: Grants,
}

/// What is called for and can still be kept out, with since when.
#[derive(Default)]
pub(super) struct Grants {
    roles: Vec<(Name, UnixMillis)>,
    entitlements: Vec<(Entitlement, UnixMillis)>,
}

impl Accesses {
    /// Returns what to keep out where nobody can say what may be given: what was
    /// `held`, and every entitlement that is called for only now.
    pub(super) fn to_come(&self, identity: &Identity, held: &[String], model: &Model) -> Vec<Fact> {
        let fact = |text: String, since: &UnixMillis, what| Fact {
            text,
            actual: false,
            desired: true,
            since: Some(*since),
            what: Some(what),
        };
        let was_held = |text: &str| held.iter().any(|known| known == text);
        let roles = self.grants.roles.iter();
        let roles = roles.map(|(role, since)| fact(role.to_string(), since, What::Role(*role)));
        let roles = roles.filter(|role| was_held(&role.text));
        let entitlements = self.grants.entitlements.iter();
        let entitlements = entitlements.filter_map(|(known, since)| {
            let text = spoken(known, model);
            let is_to_come = was_held(&text) || !is_under_way(identity, known);
            is_to_come.then(|| fact(text, since, What::Entitlement(known.clone())))
        });
        roles.chain(entitlements).collect()
    }
}

/// Says whether an entitlement was to be given already when events were last
/// processed, or has been sent.
fn is_under_way(identity: &Identity, entitlement: &Entitlement) -> bool {
    let provisioning = identity.settled_provisioning();
    let sent = provisioning.sent.iter().map(|sent| &sent.action);
    let mut actions = identity.settled_account_actions().iter().chain(sent);
    actions.any(|action| {
        let is_new = action.operation == AccountOperation::Create;
        flights::entitlements(action).any(|(mut given, adds)| {
            if is_new {
                given
                    .account
                    .native_identity
                    .clone_from(&entitlement.account.native_identity);
            }
            adds && given == *entitlement
        })
    })
}

/// Returns what there is to judge.
pub(super) fn accesses(
    view: &mut TrackedView,
    settled: &SettledRoles,
    selected: &Selected,
) -> Accesses {
    let model = Arc::clone(view.model());
    let applications = model.applications.iter();
    let attributes: Vec<(Name, Name)> = applications
        .flat_map(|known| {
            known
                .entitlements()
                .map(|attribute| (known.name, attribute))
        })
        .collect();
    let called = called_roles(view, settled);
    let holdings = holdings(view, settled, selected, |at, _| attributes.contains(&at));
    let assigned = settled.assigned.iter().map(|known| known.role);
    let detected = settled.detected.iter().map(|known| known.role);
    let there: Vec<Name> = assigned.chain(detected).collect();
    let place = |known: &Entitlement| {
        let (application, attribute) = (known.account.application, known.attribute);
        (application, attribute, known.value.clone())
    };
    let access = |desired, mut roles: Vec<Name>, mut held: Vec<(Name, Name, String)>| {
        roles.sort();
        roles.dedup();
        held.sort();
        held.dedup();
        Arc::new(JudgedAccess {
            desired,
            roles,
            entitlements: held,
        })
    };
    let present = holdings.present.iter().map(place);
    let removing = holdings.removing.iter().map(place);
    let missing = holdings.missing.iter().map(|(known, _)| place(known));
    let actual = access(
        false,
        there.clone(),
        present.clone().chain(removing).collect(),
    );
    let roles = there
        .into_iter()
        .chain(called.iter().map(|known| known.role));
    let desired = access(true, roles.collect(), present.chain(missing).collect());
    let is_same = (&actual.roles, &actual.entitlements) == (&desired.roles, &desired.entitlements);
    let is_there = |role: Name| settled.detected.iter().any(|known| known.role == role);
    let roles = called.iter().filter(|known| !is_there(known.role));
    Accesses {
        actual,
        desired: (!is_same).then_some(desired),
        grants: Grants {
            roles: roles.map(|known| (known.role, known.since)).collect(),
            entitlements: holdings.missing,
        },
    }
}

/// Returns the sides of what a rule has answered.
pub(super) fn sides(
    actual: &[Breach],
    desired: &[Breach],
    grants: &Grants,
    model: &Model,
) -> Sides {
    let mut sides = Sides::default();
    for (breaches, is_actual) in [(actual, true), (desired, false)] {
        for breach in breaches {
            let words = Fact::there(breach.description.clone());
            sides.right.push(words);
            let named = breach.grants.iter();
            let mut named: Vec<Fact> = named
                .flat_map(|grant| facts(grant, is_actual, grants, model))
                .collect();
            keep_newest(&mut named);
            sides.left.extend(named);
        }
    }
    sides
}

/// Lets nothing be kept out but the newest of what breaks a policy in one way: of
/// one instant the last by name.
fn keep_newest(named: &mut [Fact]) {
    let called_for = named
        .iter()
        .filter(|fact| fact.desired && fact.since.is_some());
    let newest = called_for.max_by_key(|fact| (fact.since, fact.text.clone()));
    let newest = newest.map(|fact| fact.text.clone());
    for fact in named {
        if newest.as_ref() != Some(&fact.text) {
            fact.since = None;
        }
    }
}

/// Returns what a rule has named: whatever of it can be kept out, or else that it
/// is there.
fn facts(grant: &BreachGrant, is_actual: bool, grants: &Grants, model: &Model) -> Vec<Fact> {
    let fact = |text: String, since, what| Fact {
        text,
        actual: is_actual,
        desired: !is_actual,
        since,
        what,
    };
    match grant {
        BreachGrant::Role(role) => {
            let known = grants
                .roles
                .iter()
                .find(|(known, _)| known.as_str() == role);
            let what = known.map(|(role, _)| What::Role(*role));
            vec![fact(role.clone(), known.map(|(_, since)| *since), what)]
        }
        BreachGrant::Entitlement {
            application,
            attribute,
            value,
        } => {
            let is_it = |known: &Entitlement| {
                known.account.application.as_str() == application
                    && known.attribute.as_str() == attribute
                    && known.value == *value
            };
            let missing = grants.entitlements.iter();
            let missing = missing.filter(|(known, _)| is_it(known));
            let mut facts: Vec<Fact> = missing
                .map(|(known, since)| {
                    let what = What::Entitlement(known.clone());
                    fact(spoken(known, model), Some(*since), Some(what))
                })
                .collect();
            if facts.is_empty() {
                let text = masked(application, attribute, value, model);
                facts.push(fact(text, None, None));
            }
            facts
        }
    }
}

/// Returns an entitlement that a rule names in words.
fn masked(application: &str, attribute: &str, value: &str, model: &Model) -> String {
    let mut applications = model.applications.iter();
    let known = applications.find(|known| known.name.as_str() == application);
    let mut schema = known.into_iter().flat_map(|known| &known.schema);
    let is_sensitive = schema.any(|known| known.name.as_str() == attribute && known.sensitive);
    let value = if is_sensitive { "(sensitive)" } else { value };
    format!("{application} {attribute} {value}")
}
