//! The provisioning plan: what is called for with accounts and isn't so yet.
//!
//! Worked out from what accounts are now, and from what was sent and isn't
//! confirmed. One action per account, operation and instant since which it is
//! called for: what is sent once isn't sent again because something joins it.
//! The events phase makes effects of what is new, and withdraws what isn't
//! called for any more.

use super::entitlements::{CalledFor, Unplaced, called_for};
use super::flights::{self, has_failed};
use super::roles::SettledRoles;
use super::selection::{Selected, select};
use super::{new_accounts, synchronisation};
use crate::definitions::Model;
use crate::model::finding::PROVISIONING;
use crate::model::{
    Account, AccountAction, AccountKey, AccountOperation, AccountStatus, ActionReason,
    AssignmentSource, AttributeChange, EntitlementChange, EntitlementStatus, Finding,
    GivenEntitlement, Held, Identity, IdentityRecord, LedgerEntry, Name, Provisioning, SentAction,
    SentOutcome, Severity, TargetAccount, UnixMillis, Value, ValueChange,
};
use crate::plan::Draft;
use crate::rule::RuleEvaluator;
use crate::text::fold;
use crate::view::{SnapshotError, TrackedView};

/// A change that so many changes of idr's own have led to is a loop.
pub(crate) const MOST_HOPS: u32 = 8;

/// What is called for with an identity's accounts, and what idr remembers.
pub(crate) struct ProvisioningPlan {
    /// What is called for, sorted.
    pub(crate) actions: Vec<AccountAction>,
    /// What idr remembers of its own doing.
    pub(crate) memory: Provisioning,
    /// What a role asks for and several accounts could be meant.
    pub(crate) questions: Vec<Unplaced>,
}

/// One change of one attribute of one account.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) account: AccountKey,
    pub(super) attribute: Name,
    pub(super) atom: Atom,
    pub(super) reasons: Vec<ActionReason>,
    pub(super) hops: u32,
}

/// The smallest change of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Atom {
    Set(Option<Value>),
    Add(String),
    Remove(String),
}

/// What accounts are to be, as far as this plan knows already, and what was sent.
pub(super) struct Standing {
    /// What the lifecycle state calls for.
    state: Vec<AccountAction>,
    /// The applications in which nobody of that state gets an account.
    closed: Vec<Name>,
    /// What was sent and isn't confirmed, with whether it came to nothing.
    sent: Vec<(SentAction, bool)>,
    /// What was sent and is so by now.
    confirmed: Vec<SentAction>,
    targets: Vec<TargetAccount>,
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

    /// Returns how many changes led to what was set of an attribute and is
    /// confirmed by now.
    pub(super) fn confirmed_sets(&self, application: Name, attribute: Name) -> Option<u32> {
        let sets = self.confirmed.iter().filter(|sent| {
            sent.action.account.application == application
                && sent.action.changes.iter().any(|change| {
                    change.attribute == attribute && matches!(change.change, ValueChange::Set(_))
                })
        });
        sets.map(|sent| sent.action.hops).max()
    }
}

/// Returns the reason that a role is.
pub(super) fn reason(role: Name, source: AssignmentSource) -> ActionReason {
    ActionReason::Role { role, source }
}

/// Plans what is called for with accounts, given what the lifecycle state calls
/// for. What policies have `held` is left out.
pub(crate) fn plan(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    settled: &SettledRoles,
    state: Vec<AccountAction>,
    closed: Vec<Name>,
    held: &Held,
    draft: &mut Draft,
) -> Result<ProvisioningPlan, SnapshotError> {
    let memory = view.record().identity.settled_provisioning().into_owned();
    let model = view.model().clone();
    if !model.provisions() && memory.is_empty() {
        return Ok(ProvisioningPlan {
            actions: state,
            memory,
            questions: Vec::new(),
        });
    }
    let mut standing = standing(view, &model, &memory, state);
    standing.closed = closed;
    let settings = model.provisioning;
    let mut called = called_for(view, settled, &[], held);
    let mut selected = Selected::default();
    if settings.roles {
        selected = select(view, evaluator, &called.unplaced, draft)?;
        if !selected.chosen.is_empty() {
            called = called_for(view, settled, &selected.chosen, held);
        }
    }
    if settings.roles {
        standing.targets = remembered(&called.targets);
    }
    let mut wanted = Vec::new();
    let mut creations = Vec::new();
    if settings.roles {
        wanted.extend(by_roles(view.record(), &model, &called, &memory));
        creations = new_accounts::plan(view, evaluator, &selected.creates, &standing, draft)?;
    }
    if settings.synchronise {
        wanted.extend(synchronisation::plan(view, evaluator, &standing, draft)?);
    }
    wanted.retain(|wanted| !standing.goes(&wanted.account));
    let mut actions = standing.state.clone();
    let identity = &view.record().identity;
    actions.extend(modifications(identity, wanted, view.as_of()));
    actions.extend(creations.into_iter().map(|action| since(identity, action)));
    actions.sort();
    let memory = Provisioning {
        given: match settings.roles {
            true => given(&model, &called, &actions, &memory),
            false => memory.given,
        },
        targets: standing.targets.clone(),
        sent: still_sent(&standing.sent, &actions),
    };
    draft
        .findings
        .extend(findings(&standing, &memory, &actions));
    Ok(ProvisioningPlan {
        actions,
        memory,
        questions: selected.asks,
    })
}

/// Sorts what was sent into what is so by now, what came to nothing, and the rest.
fn standing(
    view: &mut TrackedView,
    model: &Model,
    memory: &Provisioning,
    state: Vec<AccountAction>,
) -> Standing {
    let (mut sent, mut confirmed) = (Vec::new(), Vec::new());
    for known in &memory.sent {
        if is_so(view.record(), &known.action) {
            confirmed.push(known.clone());
        } else {
            let failed = has_failed(known, model, |at| view.reached(at));
            sent.push((known.clone(), failed));
        }
    }
    Standing {
        state,
        closed: Vec::new(),
        sent,
        confirmed,
        targets: memory.targets.clone(),
    }
}

/// Says whether accounts are as an action makes them.
fn is_so(record: &IdentityRecord, action: &AccountAction) -> bool {
    let mut present = record.accounts.iter().filter(|account| {
        account.key.application == action.account.application && account.missing_since.is_none()
    });
    if action.operation == AccountOperation::Create {
        // Whatever the application made of its native identity.
        return present.next().is_some();
    }
    let account = present.find(|account| account.key == action.account);
    match action.operation {
        AccountOperation::Create => false,
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

/// Returns what roles call for on accounts that are there: what they ask for,
/// and that what was given for roles goes with the last of them.
fn by_roles(
    record: &IdentityRecord,
    model: &Model,
    called: &CalledFor,
    memory: &Provisioning,
) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for entry in &called.entries {
        let entitlement = &entry.entitlement;
        let application = model.application(entitlement.account.application);
        let is_there = record
            .accounts
            .iter()
            .any(|account| account.key == entitlement.account && account.missing_since.is_none());
        if !is_there || !application.is_some_and(|known| known.is_provisioned()) {
            continue;
        }
        let value = entitlement.value.clone();
        let (atom, reasons) = match entry.status {
            EntitlementStatus::Present => continue,
            EntitlementStatus::Removing => (Atom::Remove(value), why_removed(entry, memory)),
            EntitlementStatus::Failed if entry.held => {
                (Atom::Remove(value), why_removed(entry, memory))
            }
            EntitlementStatus::Missing | EntitlementStatus::Pending | EntitlementStatus::Failed => {
                // Somebody is to decide first, or nobody asks for it certainly.
                if entry.undecided || entry.assigned_roles.is_empty() {
                    continue;
                }
                (Atom::Add(value), why_given(entry))
            }
        };
        wanted.push(Wanted {
            account: entitlement.account.clone(),
            attribute: entitlement.attribute,
            atom,
            reasons,
            hops: 0,
        });
    }
    wanted
}

fn why_given(entry: &LedgerEntry) -> Vec<ActionReason> {
    let roles = entry.assigned_roles.iter();
    let mut reasons: Vec<_> = roles.map(|(role, source)| reason(*role, *source)).collect();
    let lost = entry
        .native
        .filter(|(change, _)| *change == EntitlementChange::Lost);
    reasons.extend(lost.map(|(change, _)| ActionReason::NativeChange { change }));
    reasons
}

fn why_removed(entry: &LedgerEntry, memory: &Provisioning) -> Vec<ActionReason> {
    let mut given = memory.given.iter();
    let given = given.find(|known| known.entitlement == entry.entitlement);
    let roles = given.map_or(&[][..], |known| &known.roles);
    let gone = roles
        .iter()
        .map(|role| ActionReason::RoleGone { role: *role });
    let mut reasons: Vec<_> = gone.collect();
    let gained = entry
        .native
        .filter(|(change, _)| *change == EntitlementChange::Gained);
    reasons.extend(gained.map(|(change, _)| ActionReason::NativeChange { change }));
    reasons
}

/// Returns the accounts to remember: those that are one per role and application.
fn remembered(targets: &[TargetAccount]) -> Vec<TargetAccount> {
    let is_only = |target: &&TargetAccount| {
        let mut others = targets.iter();
        !others.any(|other| {
            other.role == target.role
                && other.account.application == target.account.application
                && other.account != target.account
        })
    };
    targets.iter().filter(is_only).cloned().collect()
}

/// Makes actions of single changes: one per account and instant since which they
/// are called for.
fn modifications(
    identity: &Identity,
    wanted: Vec<Wanted>,
    as_of: UnixMillis,
) -> Vec<AccountAction> {
    let mut dated: Vec<(AccountKey, UnixMillis, Wanted)> = wanted
        .into_iter()
        .map(|mut wanted| {
            let known = known_change(identity, &wanted);
            wanted.hops = known.map_or(wanted.hops, |known| known.hops);
            let since = known.map_or(as_of, |known| known.since);
            (wanted.account.clone(), since, wanted)
        })
        .collect();
    dated.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    let groups = dated.chunk_by(|one, other| (&one.0, one.1) == (&other.0, other.1));
    groups.map(modification).collect()
}

/// Returns the action that already calls for a change.
fn known_change<'i>(identity: &'i Identity, wanted: &Wanted) -> Option<&'i AccountAction> {
    let settled = identity.settled_account_actions().iter();
    let mut known = settled.chain(&identity.account_actions);
    known.find(|action| {
        action.operation == AccountOperation::Modify
            && action.account == wanted.account
            && action.changes.iter().any(|change| {
                change.attribute == wanted.attribute
                    && match (&change.change, &wanted.atom) {
                        (ValueChange::Set(known), Atom::Set(value)) => known == value,
                        (ValueChange::Add(known), Atom::Add(value))
                        | (ValueChange::Remove(known), Atom::Remove(value)) => {
                            known.contains(value)
                        }
                        _ => false,
                    }
            })
    })
}

fn modification(group: &[(AccountKey, UnixMillis, Wanted)]) -> AccountAction {
    let (account, since, _) = &group[0];
    let mut changes: Vec<AttributeChange> = Vec::new();
    let mut reasons = Vec::new();
    for (_, _, wanted) in group {
        reasons.extend(wanted.reasons.iter().cloned());
        let attribute = wanted.attribute;
        let of_attribute = |change: &&mut AttributeChange| change.attribute == attribute;
        let mut known = changes.iter_mut().filter(of_attribute);
        let joined = match &wanted.atom {
            Atom::Set(_) => false,
            Atom::Add(value) => known.any(|change| match &mut change.change {
                ValueChange::Add(values) => {
                    values.push(value.clone());
                    true
                }
                _ => false,
            }),
            Atom::Remove(value) => known.any(|change| match &mut change.change {
                ValueChange::Remove(values) => {
                    values.push(value.clone());
                    true
                }
                _ => false,
            }),
        };
        if !joined {
            let change = match wanted.atom.clone() {
                Atom::Set(value) => ValueChange::Set(value),
                Atom::Add(value) => ValueChange::Add(vec![value]),
                Atom::Remove(value) => ValueChange::Remove(vec![value]),
            };
            changes.push(AttributeChange { attribute, change });
        }
    }
    for change in &mut changes {
        if let ValueChange::Add(values) | ValueChange::Remove(values) = &mut change.change {
            values.sort();
            values.dedup();
        }
    }
    changes.sort();
    reasons.sort();
    reasons.dedup();
    AccountAction {
        account: account.clone(),
        operation: AccountOperation::Modify,
        to: None,
        changes,
        reasons,
        hops: group
            .iter()
            .map(|(_, _, wanted)| wanted.hops)
            .max()
            .unwrap_or(0),
        since: *since,
    }
}

/// Returns an action with the instant since which it is called for.
fn since(identity: &Identity, action: AccountAction) -> AccountAction {
    let settled = identity.settled_account_actions().iter();
    let mut known = settled.chain(&identity.account_actions);
    let same = known.find(|known| known.is_same(&action));
    let since = same.map_or(action.since, |known| known.since);
    AccountAction { since, ..action }
}

/// Returns the entitlements that idr has given or has taken over.
fn given(
    model: &Model,
    called: &CalledFor,
    actions: &[AccountAction],
    memory: &Provisioning,
) -> Vec<GivenEntitlement> {
    let mut given: Vec<GivenEntitlement> = Vec::new();
    for entry in &called.entries {
        let account = &entry.entitlement.account;
        let application = model.application(account.application);
        let Some(application) = application.filter(|known| known.is_provisioned()) else {
            continue;
        };
        let asked = !entry.assigned_roles.is_empty() && !entry.undecided;
        let is_given = match entry.called_for {
            true => {
                let anew = asked && (!entry.held || application.provisioning.adopt);
                entry.given || anew
            }
            // Where nothing is taken away, it is theirs from now on.
            false => entry.given && model.provisioning.remove,
        };
        if !is_given {
            continue;
        }
        let known = memory.given.iter();
        let mut known = known.filter(|known| known.entitlement == entry.entitlement);
        let mut roles: Vec<Name> = entry.assigned_roles.iter().map(|(role, _)| *role).collect();
        if roles.is_empty() {
            roles = known
                .next()
                .map(|known| known.roles.clone())
                .unwrap_or_default();
        }
        roles.dedup();
        given.push(GivenEntitlement {
            entitlement: entry.entitlement.clone(),
            roles,
        });
    }
    let creations = actions.iter();
    let creations = creations.filter(|action| action.operation == AccountOperation::Create);
    for action in creations {
        let reasons = action.reasons.iter().filter_map(|reason| match reason {
            ActionReason::Role { role, .. } => Some(*role),
            _ => None,
        });
        let roles: Vec<Name> = reasons.collect();
        for (entitlement, _) in flights::entitlements(action) {
            if !given.iter().any(|known| known.entitlement == entitlement) {
                given.push(GivenEntitlement {
                    entitlement,
                    roles: roles.clone(),
                });
            }
        }
    }
    given.sort();
    given
}

/// Returns what of what was sent is still to be remembered: what is under way
/// and wasn't overtaken, and what came to nothing and is still called for.
fn still_sent(sent: &[(SentAction, bool)], actions: &[AccountAction]) -> Vec<SentAction> {
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
fn overlaps(one: &AccountAction, other: &AccountAction) -> bool {
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

/// Returns what is wrong with what was sent, and with what goes round in circles.
fn findings(standing: &Standing, memory: &Provisioning, actions: &[AccountAction]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let failed = standing
        .sent
        .iter()
        .filter(|(sent, failed)| *failed && memory.sent.contains(sent));
    findings.extend(failed.map(|(sent, _)| unexecuted(sent)));
    let circling = actions.iter().filter(|action| action.hops > MOST_HOPS);
    findings.extend(circling.map(circle));
    findings.sort();
    findings.dedup_by(|one, other| one.is_same(other));
    findings
}

fn unexecuted(sent: &SentAction) -> Finding {
    let SentAction {
        action, outcome, ..
    } = sent;
    let (application, operation) = (action.account.application, action.operation.as_str());
    let removes = |change: &AttributeChange| matches!(change.change, ValueChange::Remove(_));
    let takes = matches!(
        action.operation,
        AccountOperation::Disable | AccountOperation::Delete
    ) || action.changes.iter().any(removes);
    let (cause, message) = match outcome {
        SentOutcome::Failed(why) => (
            "provisioning-failed",
            format!("`{operation}` of an account in `{application}` failed: {why}"),
        ),
        SentOutcome::Sent => (
            "unconfirmed",
            format!(
                "`{operation}` of an account in `{application}` was sent at {} and never shown",
                sent.at
            ),
        ),
    };
    Finding {
        severity: match takes {
            true => Severity::AccessAtRisk,
            false => Severity::Error,
        },
        phase: PROVISIONING,
        subject: format!("{application} {operation}"),
        cause: Name::new(cause),
        message,
        hint: Some(
            "see `idr outbox list`; it is over when the account is as it should be".to_owned(),
        ),
    }
}

fn circle(action: &AccountAction) -> Finding {
    let attributes = action
        .changes
        .iter()
        .map(|change| change.attribute.as_str());
    let attributes: Vec<_> = attributes.collect();
    let application = action.account.application;
    Finding {
        severity: Severity::Error,
        phase: PROVISIONING,
        subject: format!("{application} {}", attributes.join(" ")),
        cause: Name::new("provisioning-loop"),
        message: format!(
            "more than {MOST_HOPS} changes of idr's own led to each other, the last of `{}` in \
             `{application}`; it isn't sent",
            attributes.join("`, `")
        ),
        hint: Some(
            "let no attribute follow what it is made of; see `targets` in identity.toml".to_owned(),
        ),
    }
}
