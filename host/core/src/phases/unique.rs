//! Unique values: of each namespace an identity takes what nobody else has ever had.
//!
//! A plan says which values it would take (`Changes::claims`), by what others
//! had before the wave. Where several of a wave would take the same, the host
//! lets one have it and plans the others again. What is taken stays taken, so a
//! name that somebody had is never another's later.

use super::Interrupt;
use super::attributes::{Answer, keep_settled, transform_failure};
use crate::definitions::{AttributeDefinition, Origin};
use crate::model::finding::ATTRIBUTE_PROMOTION;
use crate::model::{
    AttributeState, Claim, ClaimOrigin, Finding, IdentityRecord, Name, NewClaim, Provenance,
    ReadKey, Severity, Text, Value,
};
use crate::plan::Draft;
use crate::transform::usernames::{Candidate, UsernameGenerator};
use crate::view::{Availability, TrackedView};

/// Takes the value that was worked out for a unique attribute, or leaves the
/// attribute as it was when the value is another's.
pub(super) fn claim(
    view: &mut TrackedView,
    definition: &AttributeDefinition,
    namespace: Name,
    state: Option<AttributeState>,
    draft: &mut Draft,
) -> Result<Option<AttributeState>, Interrupt> {
    let Some(wanted) = take(view, definition, namespace, state.as_ref(), draft)? else {
        return Ok(state);
    };
    if state
        .as_ref()
        .is_some_and(|state| lays_no_claim(view.record(), state))
    {
        return Ok(state);
    }
    draft
        .findings
        .push(not_unique(definition, namespace, &wanted));
    view.note_read(ReadKey::Claim(wanted));
    let kept = keep_settled(view, definition.name);
    // Two who had one value before it had to be unique both keep it; what is
    // kept and nobody's is taken now.
    take(view, definition, namespace, kept.as_ref(), draft)?;
    Ok(kept)
}

/// Returns the value of an attribute that an identity lays claim to once it is to be
/// unique.
pub fn held_claim(record: &IdentityRecord, attribute: Name, namespace: Name) -> Option<Claim> {
    let states = &record.identity.attributes;
    let (_, state) = states.iter().find(|(name, _)| *name == attribute)?;
    let Some(Value::Text(text)) = &state.value else {
        return None;
    };
    (!lays_no_claim(record, state)).then(|| Claim::on(namespace, text))
}

/// Says whether a value is only left over: whoever has no accounts any more, as
/// after a merge, keeps it and lays no claim to it.
fn lays_no_claim(record: &IdentityRecord, state: &AttributeState) -> bool {
    let is_left_over = matches!(
        state.provenance,
        Provenance::Kept(_) | Provenance::Source(_)
    );
    is_left_over && record.accounts.is_empty()
}

/// Takes a value, unless that is another's: then it is returned.
fn take(
    view: &TrackedView,
    definition: &AttributeDefinition,
    namespace: Name,
    state: Option<&AttributeState>,
    draft: &mut Draft,
) -> Result<Option<Claim>, Interrupt> {
    let Some(state) = state else { return Ok(None) };
    let Some(Value::Text(text)) = &state.value else {
        return Ok(None);
    };
    let claim = Claim::on(namespace, text);
    match view.availability(&claim)? {
        Availability::Own => Ok(None),
        Availability::Taken => Ok(Some(claim)),
        Availability::Free => {
            let origin = origin(definition, state.provenance);
            draft.claims.push(NewClaim { claim, origin });
            Ok(None)
        }
    }
}

fn origin(definition: &AttributeDefinition, provenance: Provenance) -> ClaimOrigin {
    let Provenance::Source(index) = provenance else {
        return ClaimOrigin::Given;
    };
    let source = definition.sources.get(usize::from(index));
    match source.map(|source| &source.origin) {
        Some(Origin::Usernames(_)) => ClaimOrigin::Generated,
        Some(Origin::Transform(_) | Origin::Rule(_)) => ClaimOrigin::Derived,
        Some(Origin::Account { .. } | Origin::Static(_)) | None => ClaimOrigin::Given,
    }
}

fn not_unique(definition: &AttributeDefinition, namespace: Name, wanted: &Claim) -> Finding {
    let value = match definition.sensitive {
        true => "its value".to_owned(),
        false => format!("`{}`", wanted.value),
    };
    Finding {
        severity: Severity::Error,
        phase: ATTRIBUTE_PROMOTION,
        subject: definition.name.to_string(),
        cause: Name::new("not-unique"),
        message: format!("{value} is or was another identity's in `{namespace}`"),
        hint: Some(format!(
            "mend where the value comes from; `idr claim list --namespace {namespace}` says whose \
             it is, `idr claim release` lets it be given again"
        )),
    }
}

/// Returns the name that a generator gives: the one that the identity has, or
/// the first that is free.
pub(super) fn generate(
    view: &mut TrackedView,
    definition: &AttributeDefinition,
    generator: &UsernameGenerator,
) -> Result<Answer, Interrupt> {
    let namespace = definition.unique.unwrap_or(definition.name);
    let held = own_name(view, definition.name, namespace)?;
    if let Some(name) = held.as_ref().filter(|_| !generator.renew) {
        return Ok(Answer::Value(Value::Text(name.clone())));
    }
    let made = match generator.candidates(view, definition.name) {
        Ok(made) => made,
        Err(error) => return Ok(Answer::Failed(transform_failure(definition.name, error)?)),
    };
    if let Some(name) = held.filter(|name| made.candidates.iter().any(|known| known.makes(name))) {
        return Ok(Answer::Value(Value::text(name)));
    }
    if made.candidates.is_empty() {
        return Ok(match made.account_was_missing {
            true => Answer::NoAccount,
            false => Answer::Empty,
        });
    }
    for name in made.candidates.iter().flat_map(Candidate::names) {
        if view.availability(&Claim::on(namespace, &name))? != Availability::Taken {
            let shown = match definition.sensitive {
                true => "a name".to_owned(),
                false => name.clone(),
            };
            view.note(|| format!("free in {namespace}"), || shown);
            return Ok(Answer::Value(Value::text(name)));
        }
    }
    for candidate in &made.candidates {
        if let Candidate::Fixed(name) = candidate {
            view.note_read(ReadKey::Claim(Claim::on(namespace, name)));
        }
    }
    Ok(Answer::Failed(no_free_name(definition, namespace)))
}

/// Returns the name that an identity had before the first wave, if it is its
/// own, or left over.
fn own_name(
    view: &TrackedView,
    attribute: Name,
    namespace: Name,
) -> Result<Option<Text>, Interrupt> {
    let identity = &view.record().identity;
    let settled = identity.settled_value(attribute);
    let Some(Value::Text(name)) = settled.unwrap_or_else(|| identity.value(attribute)) else {
        return Ok(None);
    };
    let is_own = view.availability(&Claim::on(namespace, name))? == Availability::Own;
    let is_left_over = view.record().accounts.is_empty();
    Ok((is_own || is_left_over).then(|| name.clone()))
}

fn no_free_name(definition: &AttributeDefinition, namespace: Name) -> super::Failure {
    let finding = Finding {
        severity: Severity::Error,
        phase: ATTRIBUTE_PROMOTION,
        subject: definition.name.to_string(),
        cause: Name::new("no-free-name"),
        message: format!("every name that its patterns make is taken in `{namespace}`"),
        hint: Some("let its last pattern have a `${uniqueCounter}`".to_owned()),
    };
    super::Failure {
        finding,
        retry_after_ms: None,
    }
}
