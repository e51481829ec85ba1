//! Accounts by lifecycle state: what the state does with them, and when.
//!
//! What is called for is worked out from what accounts are now, so it is called
//! for again when somebody undoes it, and no longer when it is so, or when the
//! state ends before its time has come. The events phase makes effects of it.

use super::standing;
use crate::definitions::{LogicalApplication, Model, StateAction};
use crate::model::{
    Account, AccountAction, AccountKey, AccountOperation, AccountStatus, ActionReason, Name,
    UnixMillis,
};
use crate::text::fold;
use crate::view::{Node, TrackedView};

/// Returns what a state that was taken at `since` calls for and isn't so yet, sorted.
pub(crate) fn plan(
    view: &mut TrackedView,
    state: Option<Name>,
    since: Option<UnixMillis>,
) -> Vec<AccountAction> {
    let model = view.model().clone();
    let definition = state.and_then(|state| model.state(state));
    let (Some(definition), Some(since)) = (definition, since) else {
        return Vec::new();
    };
    let on_its_way = standing::switched(view);
    let hops = view.chain_of(Node::LifecycleState);
    let mut actions: Vec<AccountAction> = Vec::new();
    for action in &definition.accounts {
        let accounts = view.operable_accounts(action.application).into_iter();
        let wanted: Vec<_> = accounts
            .filter(|account| is_wanted(action, account, &on_its_way))
            .map(|account| account.key.clone())
            .collect();
        // Whoever has no such account is refreshed when one comes.
        if wanted.is_empty() || !view.reached(since.plus_ms(action.after_ms)) {
            continue;
        }
        actions.extend(wanted.into_iter().map(|account| AccountAction {
            hops: hops.max(view.chain_of_account(&account)),
            account,
            operation: action.operation,
            to: action.to.clone(),
            changes: Vec::new(),
            reasons: vec![ActionReason::State {
                state: definition.name,
            }],
            since: view.as_of(),
        }));
    }
    // What is to be deleted need not be anything else.
    let deleted: Vec<_> = actions
        .iter()
        .filter(|action| action.operation == AccountOperation::Delete)
        .map(|action| action.account.clone())
        .collect();
    actions.retain(|action| {
        action.operation == AccountOperation::Delete || !deleted.contains(&action.account)
    });
    for action in &mut actions {
        *action = standing::as_known(&view.record().identity, action.clone());
    }
    actions.sort();
    actions.dedup_by(|one, other| one.is_same(other));
    actions
}

/// Returns the applications in which nobody in a state gets an account: it
/// switches them off, or deletes them. Of a logical one it does that with the parts.
pub(crate) fn closed(model: &Model, state: Option<Name>) -> Vec<Name> {
    let state = state.and_then(|state| model.state(state));
    let actions = state.map_or(&[][..], |state| &state.accounts);
    let closing = actions.iter().filter(|action| {
        let operation = action.operation;
        matches!(
            operation,
            AccountOperation::Disable | AccountOperation::Delete
        )
    });
    let with_parts = |name: Name| {
        let application = model.application(name);
        let logical = application.and_then(|known| known.logical.as_ref());
        let parts = logical.map(LogicalApplication::applications);
        [name].into_iter().chain(parts.into_iter().flatten())
    };
    closing
        .flat_map(|action| with_parts(action.application))
        .collect()
}

/// Says whether an account is there and isn't yet as the action makes it.
fn is_wanted(
    action: &StateAction,
    account: &Account,
    on_its_way: &[(AccountKey, AccountOperation)],
) -> bool {
    if account.missing_since.is_some() {
        return false;
    }
    let sent = on_its_way.iter().rev().find(|(key, _)| *key == account.key);
    let sent = sent.map(|(_, operation)| *operation);
    match action.operation {
        AccountOperation::Enable => {
            account.status == AccountStatus::Disabled || sent == Some(AccountOperation::Disable)
        }
        AccountOperation::Disable => {
            account.status != AccountStatus::Disabled || sent == Some(AccountOperation::Enable)
        }
        AccountOperation::Move => action
            .to
            .as_ref()
            .is_some_and(|to| !fold(&account.key.native_identity).ends_with(&fold(to))),
        AccountOperation::Delete => true,
        // No state does that.
        AccountOperation::Create | AccountOperation::Modify => false,
    }
}
