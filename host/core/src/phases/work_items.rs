//! Work items: what somebody is to decide or do about an identity.
//!
//! Each goes with a finding, and is called for as long as that is open. The
//! events phase makes effects of them.

use super::entitlements::Unplaced;
use super::roles::SettledRoles;
use super::selection::Selected;
use super::{entitlements, read_failure, store_failure};
use crate::model::finding::{ACCOUNT_SELECTION, ENTITLEMENTS, LIFECYCLE_STATE, PROVISIONING};
use crate::model::{
    EntitlementChange, Finding, Identity, LedgerEntry, Name, Severity, UnixMillis, Value, WorkItem,
};
use crate::plan::Draft;
use crate::view::{Node, Slot, SnapshotError, TrackedView};

/// Something that somebody is to do: the finding, and the words of the work item.
struct Task {
    finding: Finding,
    description: String,
}

/// Returns the work items of an identity, sorted, and adds their findings. `asks`
/// are what policies ask, and whom; those findings are there already.
pub(crate) fn plan(
    view: &mut TrackedView,
    (settled, selected): (&SettledRoles, &Selected),
    asks: &[(Option<String>, String)],
    questions: &[Unplaced],
    draft: &mut Draft,
) -> Result<Vec<WorkItem>, SnapshotError> {
    let undecided = entitlements::undecided(view, settled, selected);
    let mut tasks: Vec<Task> = undecided.iter().map(|entry| decide(view, entry)).collect();
    tasks.extend(find_owner(view));
    if view.model().provisioning.manual_account_selection {
        tasks.extend(questions.iter().map(choose));
    } else {
        let choices = questions.iter().map(choose);
        draft.findings.extend(choices.map(|task| task.finding));
    }
    let mut items: Vec<WorkItem> = asks
        .iter()
        .map(|(owner, description)| WorkItem {
            owner: owner.clone(),
            description: description.clone(),
            since: view.as_of(),
        })
        .collect();
    let owner = match tasks.is_empty() {
        true => None,
        false => manager_or_fallback(view)?,
    };
    for Task {
        mut finding,
        description,
    } in tasks
    {
        if owner.is_none() {
            finding.message += "; without a manager nobody is asked";
        }
        draft.findings.push(finding);
        items.push(WorkItem {
            owner: owner.clone(),
            description,
            since: view.as_of(),
        });
    }
    for item in &mut items {
        item.since = called_for_since(&view.record().identity, item);
    }
    items.sort();
    items.dedup();
    Ok(items)
}

/// Returns the name of whoever is asked where nothing else says who: the manager, or
/// else the one to whom what nobody else gets goes.
pub(super) fn manager_or_fallback(view: &mut TrackedView) -> Result<Option<String>, SnapshotError> {
    let manager = manager_name(view)?;
    Ok(manager.or_else(|| view.model().work_item_fallback.clone()))
}

/// Returns the manager's name.
fn manager_name(view: &mut TrackedView) -> Result<Option<String>, SnapshotError> {
    match view.manager_attribute("name") {
        Ok(Some(Value::Text(name))) => Ok(Some(name.to_string())),
        Ok(_) => Ok(None),
        Err(error) => match read_failure(error) {
            Ok(error) => Err(SnapshotError {
                message: error.to_string(),
            }),
            Err(interrupt) => Err(store_failure(interrupt)),
        },
    }
}

/// Returns since when a work item is called for; what an earlier wave gave up
/// and this one calls for again always was.
fn called_for_since(identity: &Identity, item: &WorkItem) -> UnixMillis {
    let settled = identity.settled_work_items().iter();
    let mut known = settled.chain(&identity.work_items);
    let same = known.find(|known| known.is_same(item));
    same.map_or(item.since, |known| known.since)
}

/// Asks for another owner of what somebody inactive owns.
fn find_owner(view: &TrackedView) -> Option<Task> {
    let Slot::LifecycleState(_, true) = view.slot(Node::LifecycleState) else {
        return None;
    };
    let owned = view.model().owners.owned_by(&view.record().identity.name);
    if owned.is_empty() {
        return None;
    }
    let owned = owned.join(", ");
    let finding = Finding {
        severity: Severity::Warning,
        phase: LIFECYCLE_STATE,
        subject: "owner".to_owned(),
        cause: Name::new("owner-inactive"),
        message: format!("it is inactive and owns {owned}"),
        hint: Some("name another `owner` where that is defined".to_owned()),
    };
    Some(Task {
        finding,
        description: format!("find another owner for {owned}"),
    })
}

/// Asks which of several accounts a role is for.
fn choose(question: &Unplaced) -> Task {
    let Unplaced {
        application,
        role,
        accounts,
        ..
    } = question;
    let count = accounts.len();
    let finding = Finding {
        severity: Severity::Warning,
        phase: PROVISIONING,
        subject: format!("{application} {role}"),
        cause: Name::new(ACCOUNT_SELECTION),
        message: format!(
            "of {count} accounts in `{application}` nobody can say which role `{role}` is for"
        ),
        hint: Some(format!(
            "choose one: idr role assign NAME {role} --account {application} NATIVE_IDENTITY"
        )),
    };
    Task {
        finding,
        description: format!(
            "choose which of the {count} accounts in `{application}` role `{role}` is for"
        ),
    }
}

/// Asks for a decision about an entitlement that was gained or lost natively.
fn decide(view: &TrackedView, entry: &LedgerEntry) -> Task {
    let entitlement = &entry.entitlement;
    let (account, attribute) = (&entitlement.account, entitlement.attribute);
    let application = view.model().application(account.application);
    let definition = application.and_then(|application| application.attribute(attribute));
    let value = match definition {
        Some(definition) if definition.sensitive => "(sensitive)",
        _ => entitlement.value.as_str(),
    };
    let change = entry.native.map(|(change, _)| change);
    let lost = change == Some(EntitlementChange::Lost);
    let what = match lost {
        true => "was lost natively",
        false => "was gained natively",
    };
    let but = match lost {
        true => "though an assigned role calls for it",
        false => "and no assigned role calls for it",
    };
    // About two accounts it is one finding.
    let finding = Finding {
        severity: match lost {
            true => Severity::Warning,
            false => Severity::AccessAtRisk,
        },
        phase: ENTITLEMENTS,
        subject: format!("{} {attribute} {value}", account.application),
        cause: Name::new(match lost {
            true => "lost-natively",
            false => "gained-natively",
        }),
        message: format!("`{value}` of `{attribute}` {what}, {but}"),
        hint: Some("decide: idr entitlement accept, or idr entitlement restore".to_owned()),
    };
    Task {
        finding,
        description: format!(
            "decide about `{attribute}` `{value}` of `{}` in `{}`, which {what}",
            account.native_identity, account.application
        ),
    }
}
