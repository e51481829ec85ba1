//! The provisioning plan: what is called for with accounts and isn't so yet.
//!
//! Worked out from what accounts are now, and from what was sent and isn't
//! confirmed. One action per account, operation and instant since which it is
//! called for: what is sent once isn't sent again because something joins it.
//! The events phase makes effects of what is new, and withdraws what isn't
//! called for any more.

use super::entitlements::{CalledFor, Unplaced, called_for};
use super::flights;
use super::remembered::remembered;
use super::roles::SettledRoles;
use super::selection::Selected;
use super::standing::{Standing, standing, still_sent};
use super::{new_accounts, standing, synchronisation};
use crate::definitions::Model;
use crate::model::finding::PROVISIONING;
use crate::model::{
    AccountAction, AccountKey, AccountOperation, ActionReason, AssignmentSource, AttributeChange,
    EntitlementChange, EntitlementStatus, Finding, GivenEntitlement, Held, Identity, LedgerEntry,
    Name, Provisioning, SentAction, SentOutcome, Severity, UnixMillis, Value, ValueChange,
};
use crate::plan::Draft;
use crate::rule::RuleEvaluator;
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

/// Returns the reason that a role is.
pub(super) fn reason(role: Name, source: AssignmentSource) -> ActionReason {
    ActionReason::Role { role, source }
}

/// Plans what is called for with accounts, given what the lifecycle state calls
/// for and where nobody of it gets an account. What policies have `held` is left
/// out.
pub(crate) fn plan(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    (settled, selected): (&SettledRoles, &Selected),
    (state, closed): (Vec<AccountAction>, Vec<Name>),
    held: &Held,
    draft: &mut Draft,
) -> Result<ProvisioningPlan, SnapshotError> {
    let memory = remembered(view.record()).into_owned();
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
    let mut called = called_for(view, settled, selected, held);
    let (mut wanted, mut creations, mut questions) = (Vec::new(), Vec::new(), Vec::new());
    if settings.roles {
        standing.targets.clone_from(&called.targets);
        wanted.extend(by_roles(view, &model, &called, &memory));
        let creates;
        (creates, questions) = selected.sort_out(std::mem::take(&mut called.unplaced));
        creations = new_accounts::plan(view, evaluator, &creates, &standing, draft)?;
    }
    if settings.synchronise {
        wanted.extend(synchronisation::plan(view, evaluator, &standing, draft)?);
    }
    wanted.retain(|wanted| !standing.goes(&wanted.account));
    let mut actions = standing.state.clone();
    let identity = &view.record().identity;
    actions.extend(modifications(identity, wanted, view.as_of()));
    let creations = creations.into_iter();
    actions.extend(creations.map(|action| standing::as_known(identity, action)));
    actions.sort();
    let memory = Provisioning {
        given: match settings.roles {
            true => given(&model, &called, &actions, &memory),
            false => memory.given,
        },
        targets: standing.targets.clone(),
        sent: still_sent(&standing.sent, &actions),
    };
    flights::wait(view, &memory);
    draft
        .findings
        .extend(findings(&standing, &memory, &actions));
    Ok(ProvisioningPlan {
        actions,
        memory,
        questions,
    })
}

/// Returns what roles call for on accounts that are there: what they ask for,
/// and that what was given for roles goes with the last of them.
fn by_roles(
    view: &TrackedView,
    model: &Model,
    called: &CalledFor,
    memory: &Provisioning,
) -> Vec<Wanted> {
    let mut wanted = Vec::new();
    for entry in &called.entries {
        let entitlement = &entry.entitlement;
        let application = model.application(entitlement.account.application);
        let is_there =
            view.record().accounts.iter().any(|account| {
                account.key == entitlement.account && account.missing_since.is_none()
            });
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
        let roles = reasons.iter().filter_map(|reason| match reason {
            ActionReason::Role { role, .. } | ActionReason::RoleGone { role } => Some(*role),
            _ => None,
        });
        let hops = roles.map(|role| view.role_chain(role)).max();
        wanted.push(Wanted {
            account: entitlement.account.clone(),
            attribute: entitlement.attribute,
            atom,
            reasons,
            hops: hops.unwrap_or(0),
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
    if entry.given {
        return reasons;
    }
    let gained = entry
        .native
        .filter(|(change, _)| *change == EntitlementChange::Gained);
    reasons.extend(gained.map(|(change, _)| ActionReason::NativeChange { change }));
    reasons
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
            let account = wanted.account.clone();
            let Some(known) = known_change(identity, &wanted) else {
                return (account, as_of, wanted);
            };
            let single = modification(&[(account.clone(), as_of, wanted.clone())]);
            let since = standing::since(identity, Some(known), &single);
            if since == known.since {
                wanted.hops = known.hops;
            }
            (account, since, wanted)
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
    let (cause, message) = match outcome {
        SentOutcome::Failed(why) => (
            "provisioning-failed",
            format!("`{operation}` of an account in `{application}` failed: {why}"),
        ),
        SentOutcome::Sent | SentOutcome::Confirmed => (
            "unconfirmed",
            format!(
                "`{operation}` of an account in `{application}` was sent at {} and never shown",
                sent.at
            ),
        ),
    };
    Finding {
        severity: match takes_access(action) {
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
    let attributes: Vec<&str> = action
        .changes
        .iter()
        .map(|change| change.attribute.as_str())
        .collect();
    let (application, operation) = (action.account.application, action.operation.as_str());
    let is_changed = action.operation == AccountOperation::Modify;
    let (what, last, hint) = match is_changed {
        true => (
            attributes.join(" "),
            format!("of `{}` in `{application}`", attributes.join("`, `")),
            "let no attribute follow what it is made of; see `targets` in identity.toml",
        ),
        false => (
            operation.to_owned(),
            format!("`{operation}` of an account in `{application}`"),
            "let lifecycle states and roles not depend on what they do with accounts",
        ),
    };
    Finding {
        severity: match takes_access(action) {
            true => Severity::AccessAtRisk,
            false => Severity::Error,
        },
        phase: PROVISIONING,
        subject: format!("{application} {what}"),
        cause: Name::new("provisioning-loop"),
        message: format!(
            "more than {MOST_HOPS} changes of idr's own led to each other, the last {last}; it \
             isn't sent"
        ),
        hint: Some(hint.to_owned()),
    }
}

/// Says whether somebody may keep what an action takes away, if it isn't carried out.
fn takes_access(action: &AccountAction) -> bool {
    let removes = |change: &AttributeChange| matches!(change.change, ValueChange::Remove(_));
    matches!(
        action.operation,
        AccountOperation::Disable | AccountOperation::Delete
    ) || action.changes.iter().any(removes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definitions::{Profile, ProfileSet, Role, RoleType, Roles, Selector};
    use crate::model::IdentityRecord;
    use crate::testing::{
        Scripts, account, attribute, bare_role, from_account, model, person, refresh,
        refresh_and_process,
    };

    const NOW: UnixMillis = UnixMillis(1_000);
    const LATER: UnixMillis = UnixMillis(2_000);

    /// Whoever is in sales should have group `g` in the directory, and nobody
    /// waits for a confirmation longer than a second.
    fn tenant() -> Model {
        let sources = vec![from_account("hr", "department")];
        let mut tenant = model(
            &["department", "groups"],
            vec![attribute("department", sources)],
        );
        tenant.applications[0].provisioning.is_on = true;
        tenant.provisioning.confirm_within_ms = Some(1_000);
        let sales = vec![(Name::new("department"), vec!["sales".to_owned()])];
        let profile = Profile {
            application: Name::new("ad"),
            entitlements: vec![(Name::new("groups"), vec!["g".to_owned()])],
            filter: None,
        };
        let business = Role {
            selector: Some(Selector::MatchList(sales)),
            requires: vec![Name::new("it")],
            ..bare_role("business", RoleType::business())
        };
        let it = Role {
            detection: vec![ProfileSet {
                any: false,
                profiles: vec![profile],
            }],
            ..bare_role("it", RoleType::it())
        };
        tenant.roles = Roles::new(vec![business, it], &[]);
        tenant
    }

    fn somebody(department: &str, groups: &[&str]) -> IdentityRecord {
        let mut directory = account("ad", &[]);
        let groups = groups.iter().map(|group| (*group).into()).collect();
        let groups = Value::Many(groups).normalised();
        directory.attributes = groups
            .map(|groups| (Name::new("groups"), groups))
            .into_iter()
            .collect();
        person(vec![
            directory,
            account("hr", &[("department", department)]),
        ])
    }

    fn settled(tenant: &Model, at: UnixMillis, record: IdentityRecord) -> IdentityRecord {
        refresh_and_process(tenant, &mut Scripts::default(), at, record).0
    }

    fn at(at: UnixMillis, record: IdentityRecord) -> IdentityRecord {
        settled(&tenant(), at, record)
    }

    /// Gives a record other accounts.
    fn now(record: IdentityRecord, other: IdentityRecord) -> IdentityRecord {
        IdentityRecord {
            accounts: other.accounts,
            ..record
        }
    }

    fn changes(record: &IdentityRecord) -> Vec<String> {
        let actions = record.identity.account_actions.iter();
        let words = |action: &AccountAction| {
            let changes = action.changes.iter().map(|change| match &change.change {
                ValueChange::Set(value) => format!("{} = {value:?}", change.attribute),
                ValueChange::Add(values) => format!("+{}", values.join("+")),
                ValueChange::Remove(values) => format!("-{}", values.join("-")),
            });
            changes.collect::<Vec<_>>().join(" ")
        };
        actions.map(words).collect()
    }

    /// Sends everything that is called for, and says what came of it.
    fn sent(mut record: IdentityRecord, at: UnixMillis, outcome: SentOutcome) -> IdentityRecord {
        let identity = &mut record.identity;
        for action in identity.account_actions.clone() {
            identity.provisioning.note_sent(action, at, outcome.clone());
        }
        record
    }

    #[test]
    fn what_was_sent_is_called_for_until_the_account_shows_it() {
        let given = at(NOW, somebody("sales", &[]));
        assert_eq!(changes(&given), ["+g"]);
        let given = at(NOW, sent(given, NOW, SentOutcome::Sent));
        assert_eq!(changes(&given), ["+g"]);
        assert_eq!(given.identity.account_actions[0].since, NOW);
        assert_eq!(given.identity.wake.phases, Some(LATER));
        let shown = at(UnixMillis(1_500), now(given, somebody("sales", &["g"])));
        assert!(changes(&shown).is_empty());
        assert!(shown.identity.provisioning.sent.is_empty());
        assert_eq!(shown.identity.wake.phases, None);
        assert!(shown.identity.findings.is_empty());
        let gone = at(LATER, now(shown, somebody("it", &["g"])));
        assert_eq!(changes(&gone), ["-g"]);
    }

    #[test]
    fn what_is_never_shown_has_failed_once_its_time_is_over() {
        let given = at(NOW, somebody("sales", &[]));
        let waits = sent(given.clone(), NOW, SentOutcome::Sent);
        let failed = sent(given, NOW, SentOutcome::Failed("it is full".to_owned()));
        for (record, cause) in [(waits, "unconfirmed"), (failed, "provisioning-failed")] {
            let over = at(LATER, record);
            assert_eq!(changes(&over), ["+g"]);
            let causes: Vec<_> = over
                .identity
                .findings
                .iter()
                .map(|known| known.cause)
                .collect();
            assert_eq!(causes, [Name::new(cause)]);
            // Nobody asks for it any more, so nothing is wrong.
            let gone = at(UnixMillis(3_000), now(over, somebody("it", &[])));
            assert!(changes(&gone).is_empty());
            assert!(
                gone.identity.provisioning.is_empty(),
                "{:?}",
                gone.identity.provisioning
            );
            assert!(gone.identity.findings.is_empty());
        }
    }

    #[test]
    fn what_is_on_its_way_is_undone_before_anybody_has_seen_it() {
        let given = sent(at(NOW, somebody("sales", &[])), NOW, SentOutcome::Sent);
        let taken = at(UnixMillis(1_100), now(given, somebody("it", &[])));
        assert_eq!(changes(&taken), ["-g"]);
        let taken = sent(taken, UnixMillis(1_100), SentOutcome::Sent);
        // Back again: what takes it away is on its way.
        let back = at(UnixMillis(1_200), now(taken, somebody("sales", &[])));
        assert_eq!(changes(&back), ["+g"]);
        assert_eq!(back.identity.account_actions[0].since, UnixMillis(1_200));
    }

    #[test]
    fn what_was_shown_and_is_not_so_any_more_is_called_for_anew() {
        let given = at(NOW, somebody("sales", &[]));
        for (later, since) in [(UnixMillis(1_100), 1_100), (NOW, 1_001)] {
            let shown = sent(given.clone(), NOW, SentOutcome::Confirmed);
            let again = at(later, shown);
            assert_eq!(changes(&again), ["+g"]);
            assert_eq!(again.identity.account_actions[0].since, UnixMillis(since));
            assert!(again.identity.provisioning.sent.is_empty());
        }
        // Nobody asks for it any more, so nothing is on its way.
        let shown = sent(given, NOW, SentOutcome::Confirmed);
        let gone = at(UnixMillis(1_100), now(shown, somebody("it", &[])));
        assert!(changes(&gone).is_empty());
        assert!(gone.identity.provisioning.is_empty());
    }

    #[test]
    fn what_has_overtaken_something_has_overtaken_it_once_it_is_shown() {
        let given = sent(at(NOW, somebody("sales", &[])), NOW, SentOutcome::Sent);
        let mut taken = at(UnixMillis(1_100), now(given.clone(), somebody("it", &[])));
        // As where both were sent before anybody looked again.
        taken.identity.provisioning.sent = given.identity.provisioning.sent.clone();
        let taken = sent(taken, UnixMillis(1_100), SentOutcome::Sent);
        assert_eq!(taken.identity.provisioning.sent.len(), 2);
        let seen = at(UnixMillis(1_200), taken);
        assert!(changes(&seen).is_empty());
        assert!(seen.identity.provisioning.sent.is_empty());
        assert!(changes(&at(UnixMillis(1_300), seen)).is_empty());
    }

    #[test]
    fn what_one_profile_of_a_role_says_counts_for_its_others() {
        let mut tenant = tenant();
        let mut roles = tenant.roles.to_vec();
        let it = roles.iter_mut().find(|role| role.name.as_str() == "it");
        let profiles = &mut it.expect("there is one").detection[0].profiles;
        let filter = crate::filter::Filter::parse("nativeIdentity == \"b\"");
        profiles.push(Profile {
            entitlements: vec![(Name::new("groups"), vec!["h".to_owned()])],
            filter: Some(filter.expect("a filter")),
            ..profiles[0].clone()
        });
        tenant.roles = Roles::new(roles, &[]);
        let mut record = somebody("sales", &[]);
        record.accounts[0].key.native_identity = "a".to_owned();
        let mut second = record.accounts[0].clone();
        second.key.native_identity = "b".to_owned();
        record.accounts.insert(1, second);
        let first = settled(&tenant, NOW, record);
        assert_eq!(changes(&first), ["+g+h"]);
        assert!(first.identity.findings.is_empty());
        let again = settled(&tenant, LATER, first.clone());
        assert_eq!(
            again.identity.account_actions,
            first.identity.account_actions
        );
        assert_eq!(again.identity.provisioning, first.identity.provisioning);
    }

    #[test]
    fn what_a_wave_gives_and_the_next_takes_was_never_given() {
        let mut tenant = tenant();
        tenant.applications[0].provisioning.adopt = true;
        let mut scripts = Scripts::default();
        let first = refresh(tenant.clone(), &mut scripts, NOW, somebody("sales", &["g"]));
        assert_eq!(first.identity.provisioning.given.len(), 1);
        let second = refresh(
            tenant,
            &mut scripts,
            NOW,
            now(first, somebody("it", &["g"])),
        );
        assert!(changes(&second).is_empty());
        assert!(second.identity.provisioning.is_empty());
    }
}
