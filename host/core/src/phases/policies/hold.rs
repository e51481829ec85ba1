//! What a policy keeps out: of what can't go together the newer.

use super::sides::{Fact, Sides};
use crate::model::{Entitlement, Held, Name};

/// Something that can be kept out.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A role.
    Role(Name),
    /// An entitlement.
    Entitlement(Entitlement),
}

/// Returns what is to be kept out so that what is called for violates nothing.
///
/// Whatever is there already, and then whatever was called for first, comes
/// first; what can't go with it is kept out. Of two that were called for at one
/// instant the later by name is.
pub(super) fn newer(sides: &Sides) -> Vec<Fact> {
    let left = sides.left.iter().map(|fact| (fact, true));
    let right = sides.right.iter().map(|fact| (fact, false));
    let mut facts: Vec<(&Fact, bool)> = left.chain(right).filter(|(f, _)| f.desired).collect();
    facts.sort_by_key(|(fact, is_left)| (fact.since, fact.text.as_str(), !is_left));
    let (mut has_left, mut has_right) = (false, false);
    let mut newer = Vec::new();
    for (fact, is_left) in facts {
        let collides = if is_left { has_right } else { has_left };
        if collides && fact.since.is_some() {
            newer.push(fact.clone());
        } else if is_left {
            has_left = true;
        } else {
            has_right = true;
        }
    }
    newer
}

/// Returns what is to be kept out of what a rule names.
pub(super) fn named(sides: &Sides) -> Vec<Fact> {
    let facts = sides.left.iter();
    let called_for = facts.filter(|fact| fact.desired && fact.since.is_some());
    called_for.cloned().collect()
}

/// Returns the words for what is held, sorted, without repeats.
pub(super) fn texts(held: &[Fact]) -> Vec<String> {
    let mut texts: Vec<String> = held.iter().map(|fact| fact.text.clone()).collect();
    texts.sort();
    texts.dedup();
    texts
}

/// Adds these to what mustn't be provisioned.
pub(super) fn keep_out(facts: &[Fact], held: &mut Held) {
    for fact in facts {
        match &fact.what {
            Some(What::Role(role)) => held.roles.push(*role),
            Some(What::Entitlement(entitlement)) => held.entitlements.push(entitlement.clone()),
            None => {}
        }
    }
}
