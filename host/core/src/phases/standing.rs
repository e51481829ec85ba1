//! What was sent of what was called for, and how it stands by now.
//!
//! The provisioning plan goes by it: what is on its way is neither sent again nor
//! overlooked, what is so by now is forgotten, and what came to nothing is
//! remembered for as long as it is called for.

use super::flights::has_failed;
use crate::definitions::Model;
use crate::model::{
    Account, AccountAction, AccountKey, AccountOperation, AccountStatus, AttributeChange, Identity,
    IdentityRecord, Name, Provisioning, SentAction, SentOutcome, TargetAccount, UnixMillis, Value,
    ValueChange,
};
use crate::text::fold;
use crate::view::{PRESENCE, STATUS, TrackedView};

/// What accounts are to be, as far as this plan knows already, and what was sent.
pub(super) struct Standing {
    /// What the lifecycle state calls for.
    pub(super) state: Vec<AccountAction>,
    /// The applications in which nobody of that state gets an account.
    pub(super) closed: Vec<Name>,
    /// What was sent and isn't confirmed, with whether it came to nothing.
    pub(super) sent: Vec<(SentAction, bool)>,
    pub(super) targets: Vec<TargetAccount>,
}

impl Standing {
    /// Says whether an account is to be deleted.
    pub(super) fn goes(&self, account: &AccountKey) -> bool {
        let deletes = |action: &AccountAction| {
            action.operation == AccountOperation::Delete && action.account == *account
        };
        let mut under_way = self.sent.iter().filter(|(_, failed)| !failed);
        self.state.iter().any(deletes) || under_way.any(|(sent, _)| deletes(&sent.action))
    }

    /// Says whether nobody of the lifecycle state gets an account there.
    pub(super) fn is_closed(&self, application: Name) -> bool {
        self.closed.contains(&application)
    }

    /// Says whether an account was chosen for a role.
    pub(super) fn is_target(&self, account: &AccountKey) -> bool {
        self.targets.iter().any(|target| target.account == *account)
    }

    /// Returns the creation that is under way in an application.
    pub(super) fn creation(&self, application: Name) -> Option<&AccountAction> {
        let mut sent = self.sent.iter().filter(|(_, failed)| !failed);
        let found = sent.find(|(sent, _)| {
            sent.action.operation == AccountOperation::Create
                && sent.action.account.application == application
        });
        found.map(|(sent, _)| &sent.action)
    }

    /// Returns what an attribute was last sent to be set to, if that is under way.
    pub(super) fn last_set(&self, account: &AccountKey, attribute: Name) -> Option<Option<&Value>> {
        let under_way = self
            .sent
            .iter()
            .rev()
            .filter(|(sent, failed)| !failed && sent.action.account == *account);
        let changes = under_way.flat_map(|(sent, _)| &sent.action.changes);
        let mut sets = changes.filter_map(|change| match &change.change {
            ValueChange::Set(value) if change.attribute == attribute => Some(value.as_ref()),
            _ => None,
        });
        sets.next()
    }
}

/// Sorts what was sent into what came to nothing and the rest, without what is so by
/// now or was, and what that has overtaken.
pub(super) fn standing(
    view: &TrackedView,
    model: &Model,
    memory: &Provisioning,
    state: Vec<AccountAction>,
) -> Standing {
    let (record, as_of) = (view.record(), view.as_of());
    let over = |known: &SentAction| {
        known.outcome == SentOutcome::Confirmed || is_so(record, &known.action)
    };
    let over: Vec<bool> = memory.sent.iter().map(over).collect();
    let mut sent = Vec::new();
    for (place, known) in memory.sent.iter().enumerate() {
        let mut later = memory.sent.iter().zip(&over).skip(place + 1);
        let is_overtaken =
            later.any(|(later, over)| *over && overtakes(&later.action, &known.action));
        if !over[place] && !is_overtaken {
            let failed = has_failed(known, model, as_of);
            sent.push((known.clone(), failed));
        }
    }
    Standing {
        state,
        closed: Vec::new(),
        sent,
        targets: memory.targets.clone(),
    }
}

/// Returns the account attributes that idr has changed and that are so by now, and the
/// accounts that it has made, moved, deleted, or switched on or off, each with how many
/// changes had led to that.
pub(crate) fn own_changes(record: &IdentityRecord) -> Vec<(AccountKey, Name, u32)> {
    let provisioning = record.identity.settled_provisioning();
    let mut own = Vec::new();
    for known in &provisioning.sent {
        let action = &known.action;
        if is_so(record, action) {
            let attributes = action.changes.iter().map(|change| change.attribute);
            let itself = match action.operation {
                AccountOperation::Modify => None,
                AccountOperation::Enable | AccountOperation::Disable => Some(STATUS),
                AccountOperation::Create | AccountOperation::Move | AccountOperation::Delete => {
                    Some(PRESENCE)
                }
            };
            let account = || action.account.clone();
            let changed = attributes.chain(itself.map(Name::new));
            own.extend(changed.map(|attribute| (account(), attribute, action.hops)));
        }
    }
    own
}

/// Returns the accounts that are being switched on or off, the last sent last.
pub(super) fn switched(view: &TrackedView) -> Vec<(AccountKey, AccountOperation)> {
    let (model, as_of) = (view.model(), view.as_of());
    let mut switched = Vec::new();
    for known in &view.record().identity.settled_provisioning().sent {
        let operation = known.action.operation;
        let switches = matches!(
            operation,
            AccountOperation::Enable | AccountOperation::Disable
        );
        if !switches {
            continue;
        }
        if known.outcome == SentOutcome::Confirmed {
            switched.retain(|(account, _)| *account != known.action.account);
        } else if !has_failed(known, model, as_of) {
            switched.push((known.action.account.clone(), operation));
        }
    }
    switched
}

/// Returns since when an action is called for: since the refresh that first called
/// for it, or for `known`, of which it is part. Where accounts have shown it once and
/// no longer do, it is called for anew, behind that.
pub(super) fn since(
    identity: &Identity,
    known: Option<&AccountAction>,
    action: &AccountAction,
) -> UnixMillis {
    let Some(known) = known else {
        return action.since;
    };
    let provisioning = identity.settled_provisioning();
    let mut sent = provisioning.sent.iter();
    let was_shown = sent.any(|sent| {
        sent.outcome == SentOutcome::Confirmed
            && sent.action.since == known.since
            && overlaps(&sent.action, action)
    });
    match was_shown {
        true => action.since.max(known.since.plus_ms(1)),
        false => known.since,
    }
}

/// Returns an action that is called for as a whole with since when it is, and what had
/// led to it then; what an earlier wave gave up and this one calls for again always was.
pub(super) fn as_known(identity: &Identity, action: AccountAction) -> AccountAction {
    let settled = identity.settled_account_actions().iter();
    let mut known = settled.chain(&identity.account_actions);
    let known = known.find(|known| known.is_same(&action));
    let since = since(identity, known, &action);
    let known = known.filter(|known| known.since == since);
    AccountAction {
        since,
        hops: known.map_or(action.hops, |known| known.hops),
        ..action
    }
}

/// Says whether accounts are as an action makes them.
pub(super) fn is_so(record: &IdentityRecord, action: &AccountAction) -> bool {
    let mut present = record.accounts.iter().filter(|account| {
        account.key.application == action.account.application && account.missing_since.is_none()
    });
    if action.operation == AccountOperation::Create {
        let present: Vec<_> = present.collect();
        let native_identity = fold(&action.account.native_identity);
        let is_it = |account: &&Account| fold(&account.key.native_identity) == native_identity;
        // The application may have made something else of its native identity.
        return present.len() == 1 || present.iter().any(is_it);
    }
    let account = present.find(|account| account.key == action.account);
    is_shown(action, account)
}

/// Says whether the account that an action is about, or that it leads to, is as the
/// action makes it; none where there is no such account.
pub fn is_shown(action: &AccountAction, account: Option<&Account>) -> bool {
    match action.operation {
        AccountOperation::Create => account.is_some(),
        AccountOperation::Delete => account.is_none(),
        AccountOperation::Enable => {
            account.is_some_and(|known| known.status != AccountStatus::Disabled)
        }
        AccountOperation::Disable => {
            account.is_some_and(|known| known.status == AccountStatus::Disabled)
        }
        AccountOperation::Move => account.is_none_or(|known| {
            let native_identity = fold(&known.key.native_identity);
            let end = action.to.as_deref().map(fold);
            end.is_some_and(|end| native_identity.ends_with(&end))
        }),
        AccountOperation::Modify => account.is_some_and(|known| {
            let mut changes = action.changes.iter();
            changes.all(|change| shows(known, change))
        }),
    }
}

/// Says whether an account shows a change.
fn shows(account: &Account, change: &AttributeChange) -> bool {
    let now = account.attribute(change.attribute);
    let has = |value: &String| {
        let mut found = false;
        if let Some(now) = now {
            now.each_text(|text| found |= text == value);
        }
        found
    };
    match &change.change {
        ValueChange::Set(value) => now == value.as_ref(),
        ValueChange::Add(values) => values.iter().all(has),
        ValueChange::Remove(values) => !values.iter().any(has),
    }
}

/// Returns what of what was sent is still to be remembered: what is under way
/// and wasn't overtaken, and what came to nothing and is still called for.
pub(super) fn still_sent(
    sent: &[(SentAction, bool)],
    actions: &[AccountAction],
) -> Vec<SentAction> {
    let kept = sent.iter().enumerate().filter(|(place, (known, failed))| {
        let action = &known.action;
        if *failed {
            return actions.iter().any(|called| overlaps(called, action));
        }
        !sent[place + 1..]
            .iter()
            .any(|(later, _)| overtakes(&later.action, action))
    });
    kept.map(|(_, (known, _))| known.clone()).collect()
}

/// Says whether everything that an action does was sent already: it was part of
/// something larger.
pub(super) fn is_sent(memory: &Provisioning, action: &AccountAction) -> bool {
    let sent = || memory.sent.iter().map(|sent| &sent.action);
    let of_it = || {
        sent().filter(|sent| sent.account == action.account && sent.operation == action.operation)
    };
    if action.operation != AccountOperation::Modify {
        return of_it().any(|sent| sent.is_same(action) && sent.since == action.since);
    }
    let does = |sent: &AccountAction, change: &AttributeChange, value: Option<&String>| {
        sent.changes.iter().any(|known| {
            known.attribute == change.attribute
                && match (&known.change, &change.change, value) {
                    (ValueChange::Add(known), ValueChange::Add(_), Some(value))
                    | (ValueChange::Remove(known), ValueChange::Remove(_), Some(value)) => {
                        known.contains(value)
                    }
                    (known, change, None) => known == change,
                    _ => false,
                }
        })
    };
    let since = action.since;
    let then = || of_it().filter(move |sent| sent.since == since);
    let was_sent = |change: &AttributeChange| match &change.change {
        ValueChange::Set(_) => then().any(|sent| does(sent, change, None)),
        ValueChange::Add(values) | ValueChange::Remove(values) => values
            .iter()
            .all(|value| then().any(|sent| does(sent, change, Some(value)))),
    };
    action.changes.iter().all(was_sent)
}

/// Says whether two actions do something of the same.
pub(super) fn overlaps(one: &AccountAction, other: &AccountAction) -> bool {
    if one.account != other.account || one.operation != other.operation || one.to != other.to {
        return false;
    }
    let shared = |change: &AttributeChange| {
        other
            .changes
            .iter()
            .any(|known| match (&change.change, &known.change) {
                (ValueChange::Add(one), ValueChange::Add(other))
                | (ValueChange::Remove(one), ValueChange::Remove(other)) => {
                    change.attribute == known.attribute && one.iter().any(|one| other.contains(one))
                }
                _ => change == known,
            })
    };
    one.operation != AccountOperation::Modify || one.changes.iter().any(shared)
}

/// Says whether a later action says otherwise about everything that an earlier one does.
fn overtakes(later: &AccountAction, earlier: &AccountAction) -> bool {
    if later.account != earlier.account {
        return false;
    }
    match (later.operation, earlier.operation) {
        (AccountOperation::Delete, _) => true,
        (AccountOperation::Enable, AccountOperation::Disable)
        | (AccountOperation::Disable, AccountOperation::Enable) => true,
        (AccountOperation::Modify, AccountOperation::Modify) => earlier.changes.iter().all(|old| {
            later.changes.iter().any(|new| {
                new.attribute == old.attribute
                    && match (&new.change, &old.change) {
                        (ValueChange::Set(_), ValueChange::Set(_)) => true,
                        (ValueChange::Add(new), ValueChange::Remove(old))
                        | (ValueChange::Remove(new), ValueChange::Add(old)) => {
                            old.iter().all(|value| new.contains(value))
                        }
                        _ => false,
                    }
            })
        }),
        _ => false,
    }
}
