//! What was sent about entitlements and isn't confirmed yet.
//!
//! The ledger and the provisioning plan go by it: what is on its way isn't sent
//! twice, and what was overtaken is undone.

use crate::definitions::Model;
use crate::model::{
    AccountAction, Entitlement, Provisioning, SentAction, SentOutcome, UnixMillis, ValueChange,
};
use crate::planted::{self, Bug};
use crate::view::TrackedView;

/// The last thing that was sent about an entitlement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) entitlement: Entitlement,
    /// Whether it is given or taken away.
    pub(crate) adds: bool,
    /// Whether it came to nothing.
    pub(crate) failed: bool,
}

/// Returns what was sent about entitlements, of each the last, as it is at an instant.
pub(crate) fn flights(
    provisioning: &Provisioning,
    model: &Model,
    as_of: UnixMillis,
) -> Vec<Flight> {
    let mut flights: Vec<Flight> = Vec::new();
    for sent in &provisioning.sent {
        let failed = has_failed(sent, model, as_of);
        for (entitlement, adds) in entitlements(&sent.action) {
            flights.retain(|known| known.entitlement != entitlement);
            if sent.outcome == SentOutcome::Confirmed {
                continue;
            }
            flights.push(Flight {
                entitlement,
                adds,
                failed,
            });
        }
    }
    flights
}

/// Says whether something that was sent has come to nothing by an instant: it was given
/// up, or the time for its confirmation is over.
///
/// Whoever goes by it doesn't wake for it: only what is still waited for in the end does,
/// see [`wait`].
pub(crate) fn has_failed(sent: &SentAction, model: &Model, as_of: UnixMillis) -> bool {
    match sent.outcome {
        SentOutcome::Failed(_) => true,
        SentOutcome::Confirmed => false,
        SentOutcome::Sent => expires_at(sent, model).is_some_and(|at| at <= as_of),
    }
}

/// Wakes when the time is over for a confirmation that is waited for.
pub(crate) fn wait(view: &mut TrackedView, provisioning: &Provisioning) {
    let model = view.model().clone();
    for sent in &provisioning.sent {
        if sent.outcome == SentOutcome::Sent
            && let Some(at) = expires_at(sent, &model)
            && !planted::is(Bug::ForgetExpiry)
        {
            view.reached(at);
        }
    }
}

fn expires_at(sent: &SentAction, model: &Model) -> Option<UnixMillis> {
    let within_ms = model.provisioning.confirm_within_ms?;
    Some(sent.at.plus_ms(within_ms))
}

/// Returns the entitlements that an action gives (`true`) or takes away.
pub(crate) fn entitlements(action: &AccountAction) -> impl Iterator<Item = (Entitlement, bool)> {
    action.changes.iter().flat_map(move |change| {
        let (values, adds) = match &change.change {
            ValueChange::Add(values) => (values.as_slice(), true),
            ValueChange::Remove(values) => (values.as_slice(), false),
            ValueChange::Set(_) => (&[][..], true),
        };
        let entitlement = move |value: &String| Entitlement {
            account: action.account.clone(),
            attribute: change.attribute,
            value: value.clone(),
        };
        values.iter().map(move |value| (entitlement(value), adds))
    })
}
