//! The two sides of a separation of duties, as they stand for one identity.

use super::hold::What;
use crate::definitions::{Model, PolicyEntitlement};
use crate::model::{Basis, Entitlement, UnixMillis};
use crate::phases::entitlements::Holdings;

/// Something that a policy names and the identity has or should have.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// What it is, in words.
    pub(super) text: String,
    /// Whether it is there.
    pub(super) actual: bool,
    /// Whether it is there and stays, or is called for.
    pub(super) desired: bool,
    /// Since when it is called for; absent where it can't be kept out any more.
    pub(super) since: Option<UnixMillis>,
    /// What to keep out.
    pub(super) what: Option<What>,
}

impl Fact {
    /// Returns something that is there.
    pub(super) fn there(text: String) -> Self {
        Self {
            text,
            actual: true,
            desired: true,
            since: None,
            what: None,
        }
    }
}

/// What there is of both sides.
#[derive(Clone, Debug, Default)]
pub(super) struct Sides {
    pub(super) left: Vec<Fact>,
    pub(super) right: Vec<Fact>,
}

impl Sides {
    /// Returns what brings both sides together, if anything does.
    pub(super) fn basis(&self) -> Option<Basis> {
        let on = |of: fn(&Fact) -> bool| self.left.iter().any(of) && self.right.iter().any(of);
        match (on(|fact| fact.actual), on(|fact| fact.desired)) {
            (true, true) => Some(Basis::Both),
            (true, false) => Some(Basis::Actual),
            (false, true) => Some(Basis::Desired),
            (false, false) => None,
        }
    }
}

/// Returns the words for what is involved, sorted, without repeats.
pub(super) fn texts(side: &[Fact], basis: Basis) -> Vec<String> {
    let is_involved = |fact: &&Fact| match basis {
        Basis::Actual => fact.actual,
        Basis::Desired => fact.desired,
        Basis::Both => true,
    };
    let involved = side.iter().filter(is_involved);
    let mut texts: Vec<String> = involved.map(|fact| fact.text.clone()).collect();
    texts.sort();
    texts.dedup();
    texts
}

/// Returns which of these entitlements the identity has or should have.
pub(super) fn held(holdings: &Holdings, wanted: &[PolicyEntitlement], model: &Model) -> Vec<Fact> {
    let is_wanted = |known: &Entitlement| {
        let of = |wanted: &PolicyEntitlement| {
            let key = (wanted.application, wanted.attribute, wanted.value.as_str());
            let (application, attribute) = (known.account.application, known.attribute);
            key.cmp(&(application, attribute, known.value.as_str()))
        };
        wanted.binary_search_by(of).is_ok()
    };
    let fact = |known: &Entitlement, actual, desired, since| Fact {
        text: spoken(known, model),
        actual,
        desired,
        since,
        what: Some(What::Entitlement(known.clone())),
    };
    let of = |known: &Entitlement, actual, desired, since| {
        is_wanted(known).then(|| fact(known, actual, desired, since))
    };
    let present = holdings.present.iter();
    let present = present.filter_map(|known| of(known, true, true, None));
    let removing = holdings.removing.iter();
    let removing = removing.filter_map(|known| of(known, true, false, None));
    let missing = holdings.missing.iter();
    let missing = missing.filter_map(|(known, since)| of(known, false, true, Some(*since)));
    present.chain(removing).chain(missing).collect()
}

/// Returns an entitlement in words.
fn spoken(known: &Entitlement, model: &Model) -> String {
    let (application, attribute) = (known.account.application, known.attribute);
    let definition = model.application(application);
    let definition = definition.and_then(|application| application.attribute(attribute));
    let value = match definition {
        Some(definition) if definition.sensitive => "(sensitive)",
        _ => known.value.as_str(),
    };
    format!("{application} {attribute} {value}")
}
