//! The entitlement ledger: every entitlement that is there or called for, how
//! it stands, and why.
//!
//! Worked out from the accounts and the roles that a refresh has settled;
//! reports and exports show it. Entitlements that no detected role contains
//! are the additional entitlements. What of it somebody is to decide becomes
//! findings and work items (`work_items`).

mod access;
mod entries;
mod profiles;

use std::borrow::Cow;

use rustc_hash::FxHashSet;

use self::access::{Access, wanted};
use self::profiles::asked;
pub(crate) use self::profiles::satisfies;
use super::flights::flights;
use super::remembered::remembered;
use super::roles::{self, SettledRoles};
use super::selection::Selected;
use crate::definitions::{Application, Model, NativeResponse, Profile, Role};
use crate::model::{
    Account, AccountKey, AssignmentSource, ByHand, Entitlement, EntitlementDecision, Held,
    IdentityRecord, LedgerEntry, Name, RoleAssignment, RoleDetection, TargetAccount, UnixMillis,
};
use crate::plan::Changes;
use crate::view::TrackedView;

/// Returns every entitlement that the identity's accounts hold or that its
/// assigned roles call for, sorted. Accounts that have vanished by `as_of` hold
/// nothing, and nothing is called for on them.
pub fn ledger(record: &IdentityRecord, model: &Model, as_of: UnixMillis) -> Vec<LedgerEntry> {
    let identity = &record.identity;
    let settled = (identity.assigned.as_slice(), identity.detected.as_slice());
    ledger_of(
        record,
        settled,
        &identity.by_hand,
        model,
        as_of,
        &|_, _, _| true,
    )
}

/// Returns the ledger as it is before and as it is once a plan has been carried
/// out, both without entitlements that the plan can't make differ.
///
/// Accounts and what was sent are the same before and after, so that leaves what
/// some role asks for that is had otherwise before than after; and everything where
/// decisions are over.
pub fn ledgers_around(
    record: &IdentityRecord,
    changes: &Changes,
    model: &Model,
    as_of: UnixMillis,
) -> (Vec<LedgerEntry>, Vec<LedgerEntry>) {
    let identity = &record.identity;
    let before = (identity.assigned.as_slice(), identity.detected.as_slice());
    let after = (
        changes.assigned.as_deref().unwrap_or(before.0),
        changes.detected.as_deref().unwrap_or(before.1),
    );
    let mut by_hand = Cow::Borrowed(&identity.by_hand);
    if let Some(decisions) = &changes.entitlement_decisions {
        by_hand.to_mut().entitlements.clone_from(decisions);
    }
    let assigned = unlike(before.0, after.0).flat_map(|known| {
        let requires = model.role(known.role).map(|role| &role.requires);
        let called_for = requires.into_iter().flatten().chain(&known.permits);
        called_for.chain([&known.role])
    });
    let detected = unlike(before.1, after.1).map(|known| &known.role);
    let roles = assigned.chain(detected);
    let roles = roles.filter_map(|role| model.role(*role));
    let mut asked_for: FxHashSet<(Name, Name, &str)> = FxHashSet::default();
    for profile in roles.flat_map(asked) {
        for (attribute, values) in &profile.entitlements {
            let values = values.iter().map(String::as_str);
            asked_for.extend(values.map(|value| (profile.application, *attribute, value)));
        }
    }
    let decides = changes.entitlement_decisions.is_some();
    if asked_for.is_empty() && !decides {
        return (Vec::new(), Vec::new());
    }
    let is_meant = |application, attribute, value: &str| {
        decides || asked_for.contains(&(application, attribute, value))
    };
    (
        ledger_of(record, before, &identity.by_hand, model, as_of, &is_meant),
        ledger_of(record, after, &by_hand, model, as_of, &is_meant),
    )
}

/// Returns what only one of two has.
fn unlike<'a, T: PartialEq>(one: &'a [T], other: &'a [T]) -> impl Iterator<Item = &'a T> {
    let only = |these: &'a [T], those: &'a [T]| {
        let mine = these.iter();
        mine.filter(move |known| !those.contains(known))
    };
    only(one, other).chain(only(other, one))
}

/// Says of an application, an attribute and a value whether it is meant.
type IsMeant<'a> = &'a dyn Fn(Name, Name, &str) -> bool;

/// Returns the ledger that follows from these assigned and detected roles, of
/// what accounts hold as far as it is meant.
fn ledger_of(
    record: &IdentityRecord,
    (assigned, detected): (&[RoleAssignment], &[RoleDetection]),
    by_hand: &ByHand,
    model: &Model,
    as_of: UnixMillis,
    is_meant: IsMeant<'_>,
) -> Vec<LedgerEntry> {
    let there = |account: &&Account| {
        let application = model.application(account.key.application);
        let grace_ms = application.map_or(0, |application| application.vanish_grace_ms);
        let vanishes = account.vanishes_at(grace_ms);
        vanishes.is_none_or(|at| at > as_of)
    };
    let provisioning = remembered(record);
    let provisioning = provisioning.as_ref();
    let targets = &provisioning.targets;
    let wanted = wanted(assigned, (by_hand, targets), model, |role| {
        role.is_in_use(as_of)
    });
    let access = Access {
        provisioning,
        flights: flights(provisioning, model, as_of),
        accounts: record.accounts.iter().filter(there).collect(),
        detected,
        by_hand,
        model,
        wanted,
    };
    access.entries(is_meant)
}

/// Returns the entries of the ledger that wait for somebody to decide, as the
/// plan has settled the roles.
pub(crate) fn undecided(
    view: &mut TrackedView,
    settled: &SettledRoles,
    selected: &Selected,
) -> Vec<LedgerEntry> {
    let model = view.model().clone();
    let raises = |account: &Account| {
        let application = model.application(account.key.application);
        let raises = |application: &Application| {
            let mut notes = account.native_entitlements.iter();
            notes.any(|note| {
                let response = application.native_entitlements.response(note.change);
                response == NativeResponse::Raise
            })
        };
        application.is_some_and(raises)
    };
    if !view.record().accounts.iter().any(raises) {
        return Vec::new();
    }
    let chosen = selected.chosen();
    let mut entries = with_access(view, settled, chosen, |access| {
        access.entries(&|_, _, _| true)
    });
    entries.retain(|entry| entry.undecided);
    entries
}

/// What the roles that a plan has settled call for.
#[derive(Debug)]
pub(crate) struct CalledFor {
    /// The ledger.
    pub(crate) entries: Vec<LedgerEntry>,
    /// The accounts that roles are certainly for, one per role and application,
    /// sorted.
    pub(crate) targets: Vec<TargetAccount>,
    /// What is asked for and has no account that it is certainly for.
    pub(crate) unplaced: Vec<Unplaced>,
}

/// What a role asks for of an application and has no account that it is
/// certainly for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unplaced {
    /// The application.
    pub(crate) application: Name,
    /// The assigned role.
    pub(crate) role: Name,
    /// What gives that role.
    pub(crate) source: AssignmentSource,
    /// The entitlements, by attribute.
    pub(crate) entitlements: Vec<(Name, Vec<String>)>,
    /// The accounts that it may be for; none where there is no account at all.
    pub(crate) accounts: Vec<AccountKey>,
}

/// Returns what the settled roles ask for and has no account that it is certainly
/// for.
pub(crate) fn unplaced(view: &mut TrackedView, settled: &SettledRoles) -> Vec<Unplaced> {
    with_access(view, settled, &[], |access| {
        access.placed(&Held::default()).1
    })
}

/// Returns what the settled roles call for in applications that are
/// provisioned, given what was `selected`. What is `held` waits for somebody to
/// decide, as far as it isn't there.
pub(crate) fn called_for(
    view: &mut TrackedView,
    settled: &SettledRoles,
    selected: &Selected,
    held: &Held,
) -> CalledFor {
    with_access(view, settled, selected.chosen(), |access| {
        let (_, unplaced) = access.placed(held);
        let targets = only_ones(&access.placed(&Held::default()).0);
        let mut entries = access.entries(&|_, _, _| true);
        for entry in entries.iter_mut().filter(|entry| !entry.held) {
            entry.undecided |= access.is_held_back(&entry.entitlement, held);
        }
        CalledFor {
            entries,
            targets,
            unplaced,
        }
    })
}

/// A role that is called for: an assigned one, or one with profiles that an
/// assigned one requires, or that was assigned within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CalledRole {
    pub(crate) role: Name,
    /// The assigned role.
    pub(crate) by: Name,
    /// Since when.
    pub(crate) since: UnixMillis,
}

/// Returns the roles that are called for.
pub(crate) fn called_roles(view: &mut TrackedView, settled: &SettledRoles) -> Vec<CalledRole> {
    let model = view.model().clone();
    let by_hand = view.record().identity.by_hand.clone();
    let wanted = wanted(&settled.assigned, (&by_hand, &[]), &model, |role| {
        !role.detection.is_empty() && roles::is_in_use(view, role)
    });
    let assigned = settled.assigned.iter().map(|known| CalledRole {
        role: known.role,
        by: known.role,
        since: known.since,
    });
    let called = wanted.iter().filter(|wanted| wanted.role.name != wanted.by);
    let called = called.map(|wanted| CalledRole {
        role: wanted.role.name,
        by: wanted.by,
        since: wanted.since,
    });
    assigned.chain(called).collect()
}

/// What the ledger comes to, as far as policies look at it.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// What is there and stays.
    pub(crate) present: Vec<Entitlement>,
    /// What is there and is to go.
    pub(crate) removing: Vec<Entitlement>,
    /// What is called for and isn't there, with since when. In an account that is
    /// yet to be made it has no native identity.
    pub(crate) missing: Vec<(Entitlement, UnixMillis)>,
}

/// Returns the entitlements that are there or called for, of those that
/// `is_meant` means by application, attribute and value.
pub(crate) fn holdings(
    view: &mut TrackedView,
    settled: &SettledRoles,
    selected: &Selected,
    is_meant: impl Fn((Name, Name), &str) -> bool,
) -> Holdings {
    with_access(view, settled, selected.chosen(), |access| {
        access.holdings(selected, is_meant)
    })
}

/// What is in no detected role: values of an entitlement attribute of an account.
pub(crate) struct Additional<'r> {
    pub(crate) account: &'r Account,
    pub(crate) attribute: Name,
    pub(crate) values: Vec<Cow<'r, str>>,
}

/// Returns the entitlements that are in no detected role, of the accounts at these
/// places.
pub(crate) fn additional<'r>(
    model: &Model,
    record: &'r IdentityRecord,
    present: &[usize],
    detected: &[RoleDetection],
) -> Vec<Additional<'r>> {
    let mut found = Vec::new();
    for account in present.iter().map(|&index| &record.accounts[index]) {
        let on_it = detected.iter();
        let on_it = on_it.filter(|detection| detection.accounts.contains(&account.key));
        let roles = on_it.filter_map(|detection| model.role(detection.role));
        let profiles = roles.flat_map(Role::profiles);
        let satisfied: Vec<&Profile> = profiles
            .filter(|profile| satisfies(account, profile))
            .collect();
        let application = model.application(account.key.application);
        for attribute in application.into_iter().flat_map(Application::entitlements) {
            let Some(value) = account.attribute(attribute) else {
                continue;
            };
            let asked = satisfied.iter().flat_map(|profile| &profile.entitlements);
            let asked = asked.filter(|(known, _)| *known == attribute);
            let in_roles: Vec<&String> = asked.flat_map(|(_, values)| values).collect();
            let mut values = value.texts();
            values.retain(|text| !in_roles.iter().any(|known| *known == text));
            found.push(Additional {
                account,
                attribute,
                values,
            });
        }
    }
    found
}

/// Works something out of the access that a plan has settled.
fn with_access<T>(
    view: &mut TrackedView,
    settled: &SettledRoles,
    chosen: &[TargetAccount],
    work_out: impl FnOnce(&Access<'_>) -> T,
) -> T {
    let model = view.model().clone();
    let by_hand = view.record().identity.by_hand.clone();
    let provisioning = remembered(view.record());
    let provisioning = provisioning.into_owned();
    let mut targets = provisioning.targets.clone();
    targets.extend_from_slice(chosen);
    let flights = flights(&provisioning, &model, view.as_of());
    let there = view.present_accounts();
    // What one profile of a role says counts for its others, and what none says
    // any more is forgotten: in this plan as in the next, which remembers it.
    let mut rounds = match model.provisions() {
        true => 3,
        false => 0,
    };
    loop {
        let wanted = wanted(&settled.assigned, (&by_hand, &targets), &model, |role| {
            roles::is_in_use(view, role)
        });
        let accounts = &view.record().accounts;
        let access = Access {
            accounts: there.iter().map(|&index| &accounts[index]).collect(),
            detected: &settled.detected,
            by_hand: &by_hand,
            model: &model,
            wanted,
            provisioning: &provisioning,
            flights: flights.clone(),
        };
        let found = match rounds {
            0 => targets.clone(),
            _ => only_ones(&access.placed(&Held::default()).0),
        };
        if rounds == 0 || found == targets {
            return work_out(&access);
        }
        targets = found;
        rounds -= 1;
    }
}

/// Returns the accounts to remember: those that are one per role and application.
fn only_ones(targets: &[TargetAccount]) -> Vec<TargetAccount> {
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

/// Returns the decisions that aren't over, if one is: what it was about is no
/// longer noted on the account.
pub(crate) fn remaining_decisions(record: &IdentityRecord) -> Option<Vec<EntitlementDecision>> {
    let holds = |decision: &&EntitlementDecision| {
        let mut accounts = record.accounts.iter();
        let account = accounts.find(|account| account.key == decision.account);
        account.is_some_and(|account| account.native_entitlements.contains(&decision.about))
    };
    let decisions = &record.identity.by_hand.entitlements;
    let remaining: Vec<_> = decisions.iter().filter(holds).cloned().collect();
    (remaining.len() < decisions.len()).then_some(remaining)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::definitions::{ProfileSet, RoleType, Roles};
    use crate::model::Value;
    use crate::testing::{account, bare_role, model, person};

    const GROUPS: [&str; 5] = ["a", "b", "c", "d", "e"];

    /// IT roles, each with alternatives or not, and business roles that require some.
    fn tenant(it: &[(bool, Vec<Vec<usize>>)], business: &[Vec<usize>]) -> Model {
        let mut tenant = model(&["groups"], Vec::new());
        let named = |number: usize| format!("it-{number}");
        let it = it.iter().enumerate().map(|(number, (any, profiles))| {
            let profiles = profiles.iter().map(|groups| Profile {
                application: Name::new("ad"),
                entitlements: vec![(
                    Name::new("groups"),
                    groups
                        .iter()
                        .map(|group| GROUPS[*group].to_owned())
                        .collect(),
                )],
                filter: None,
            });
            Role {
                detection: vec![ProfileSet {
                    any: *any,
                    profiles: profiles.collect(),
                }],
                ..bare_role(&named(number), RoleType::it())
            }
        });
        let business = business.iter().enumerate().map(|(number, requires)| Role {
            requires: requires.iter().map(|it| Name::new(&named(*it))).collect(),
            ..bare_role(&format!("business-{number}"), RoleType::business())
        });
        tenant.roles = Roles::new(it.chain(business).collect(), &[]);
        tenant
    }

    /// Roles by number: those below 3 are IT roles; and since when they are had.
    type Had = Vec<(usize, i64)>;

    fn assigned(had: &Had) -> Vec<RoleAssignment> {
        let assignment = |(role, since): &(usize, i64)| {
            let name = match role {
                0..3 => format!("it-{role}"),
                _ => format!("business-{}", role - 3),
            };
            RoleAssignment::by_rule(Name::new(&name), UnixMillis(*since))
        };
        had.iter().map(assignment).collect()
    }

    fn detected(roles: &[usize], on: &AccountKey) -> Vec<RoleDetection> {
        let detection = |role: &usize| RoleDetection {
            role: Name::new(&format!("it-{role}")),
            accounts: vec![on.clone()],
        };
        roles.iter().map(detection).collect()
    }

    fn had() -> impl Strategy<Value = Had> {
        vec((0..5_usize, 1..3_i64), 0..4)
    }

    proptest! {
        #[test]
        fn what_is_left_out_does_not_differ(
            it in vec((any::<bool>(), vec(vec(0..5_usize, 1..3), 1..3)), 3),
            business in vec(vec(0..3_usize, 0..3), 2),
            held in vec(0..5_usize, 0..5),
            assigned_around in (had(), had()),
            detected_around in (vec(0..3_usize, 0..3), vec(0..3_usize, 0..3)),
        ) {
            let tenant = tenant(&it, &business);
            let mut directory = account("ad", &[]);
            let groups = held.iter().map(|group| GROUPS[*group].into()).collect();
            let groups = Value::Many(groups).normalised();
            directory.attributes = groups
                .map(|groups| (Name::new("groups"), groups))
                .into_iter()
                .collect();
            let key = directory.key.clone();
            let mut before = person(vec![directory]);
            before.identity.assigned = assigned(&assigned_around.0);
            before.identity.detected = detected(&detected_around.0, &key);
            let mut after = before.clone();
            after.identity.assigned = assigned(&assigned_around.1);
            after.identity.detected = detected(&detected_around.1, &key);
            let changes = Changes {
                assigned: Some(after.identity.assigned.clone()),
                detected: Some(after.identity.detected.clone()),
                ..Changes::default()
            };
            let differences = |before: &[LedgerEntry], after: &[LedgerEntry]| -> Vec<LedgerEntry> {
                unlike(before, after).cloned().collect()
            };
            let at = UnixMillis(9);
            let (meant_before, meant_after) = ledgers_around(&before, &changes, &tenant, at);
            prop_assert_eq!(
                differences(&meant_before, &meant_after),
                differences(&ledger(&before, &tenant, at), &ledger(&after, &tenant, at))
            );
        }
    }
}
