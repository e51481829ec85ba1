//! What is held of what can't go together, and what policy rules are asked.

use super::hold::{What, newer};
use super::sides::{Fact, Sides};
use crate::definitions::{
    Model, Policies, Policy, PolicyAction, PolicyEntitlement, PolicyKind, Profile, ProfileSet,
    Role, RoleType, RuleIndex, Selector,
};
use crate::filter::Filter;
use crate::model::{
    Account, Basis, IdentityRecord, Name, PolicyDecision, PolicyVerdict, Severity, UnixMillis,
    Value, ViolationStatus,
};
use crate::rule::{Breach, BreachGrant};
use crate::testing::{
    Scripts, account, attribute, bare_role, from_account, model, person, refresh,
    refresh_and_process,
};

/// A role that is called for since then, or is there without a number.
fn role(name: &str, since: Option<i64>) -> Fact {
    Fact {
        text: name.to_owned(),
        actual: since.is_none(),
        desired: true,
        since: since.map(UnixMillis),
        what: Some(What::Role(Name::new(name))),
    }
}

fn held(left: Vec<Fact>, right: Vec<Fact>) -> Vec<String> {
    let sides = Sides { left, right };
    newer(&sides).into_iter().map(|fact| fact.text).collect()
}

#[test]
fn the_newer_side_is_held_and_of_one_instant_the_later_by_name() {
    assert_eq!(
        held(vec![role("a", Some(1))], vec![role("b", Some(2))]),
        ["b"]
    );
    assert_eq!(
        held(vec![role("a", Some(2))], vec![role("b", Some(1))]),
        ["a"]
    );
    assert_eq!(
        held(vec![role("b", Some(1))], vec![role("a", Some(1))]),
        ["b"]
    );
    assert!(held(vec![role("a", Some(1))], Vec::new()).is_empty());
}

#[test]
fn what_is_there_comes_first_and_is_never_held() {
    assert_eq!(held(vec![role("a", Some(1))], vec![role("b", None)]), ["a"]);
    assert!(held(vec![role("a", None)], vec![role("b", None)]).is_empty());
}

#[test]
fn of_several_only_what_can_not_go_with_the_older_ones_is_held() {
    // `b` was first, so `c` can't come, and with `c` out `a` may.
    let left = vec![role("a", Some(3)), role("b", Some(1))];
    assert_eq!(held(left, vec![role("c", Some(2))]), ["c"]);
    let left = vec![role("a", Some(3)), role("b", Some(2))];
    assert_eq!(held(left, vec![role("c", Some(1))]), ["b", "a"]);
}

const NOW: UnixMillis = UnixMillis(1_000);

/// Whoever is in sales is to have the group `crm`, if a rule lets them.
fn tenant(action: PolicyAction) -> Model {
    let in_sales = vec![(Name::new("department"), vec!["sales".to_owned()])];
    let crm = Profile {
        application: Name::new("ad"),
        entitlements: vec![(Name::new("groups"), vec!["crm".to_owned()])],
        filter: None,
    };
    let department = attribute("department", vec![from_account("hr", "department")]);
    let mut model = model(&["department", "groups"], vec![department]);
    model.roles = vec![
        Role {
            selector: Some(Selector::MatchList(in_sales)),
            requires: vec![Name::new("crm")],
            ..bare_role("sales", RoleType::business())
        },
        Role {
            detection: vec![ProfileSet {
                any: false,
                profiles: vec![crm],
            }],
            ..bare_role("crm", RoleType::it())
        },
    ]
    .into();
    let policy = Policy {
        name: Name::new("by rule"),
        description: None,
        owner: Some("olga".to_owned()),
        severity: Severity::Warning,
        weight: 10,
        action,
        kind: PolicyKind::Rule(RuleIndex(0)),
        excluded: Vec::new(),
    };
    model.policies = Policies::new(vec![policy], false);
    model
}

/// Somebody in sales, for whom a role calls for the group `crm`.
fn somebody(groups: &[&str]) -> IdentityRecord {
    let mut directory: Account = account("ad", &[]);
    let groups = groups.iter().map(|group| (*group).into()).collect();
    let groups = Value::Many(groups).normalised();
    directory.attributes = groups
        .map(|groups| (Name::new("groups"), groups))
        .into_iter()
        .collect();
    person(vec![directory, account("hr", &[("department", "sales")])])
}

fn refreshed(scripts: &mut Scripts, action: PolicyAction, groups: &[&str]) -> IdentityRecord {
    refresh(tenant(action), scripts, NOW, somebody(groups))
}

/// A rule that forbids the group `crm`.
fn forbids_crm() -> Scripts {
    Scripts {
        judge: Some(Box::new(|view| {
            let holds = view.access_holds("ad", "groups", "crm")?;
            let breach = || Breach {
                description: "no customers".to_owned(),
                grants: vec![BreachGrant::Entitlement {
                    application: "ad".to_owned(),
                    attribute: "groups".to_owned(),
                    value: "crm".to_owned(),
                }],
            };
            Ok(holds.then(breach).into_iter().collect())
        })),
        ..Scripts::default()
    }
}

#[test]
fn a_rule_is_asked_about_what_is_there_and_what_is_called_for() {
    let mut scripts = forbids_crm();
    let record = refreshed(&mut scripts, PolicyAction::Hold, &["wiki"]);
    let [violation] = record.identity.violations.as_slice() else {
        panic!("{:?}", record.identity);
    };
    assert_eq!(violation.basis, Basis::Desired);
    assert_eq!(violation.status, ViolationStatus::Open);
    assert_eq!(violation.left, ["ad groups crm"]);
    assert_eq!(violation.right, ["no customers"]);
    assert_eq!(violation.held, ["ad groups crm"]);
    let there = refreshed(&mut scripts, PolicyAction::Hold, &["crm"]);
    let violation = &there.identity.violations[0];
    assert_eq!((violation.basis, violation.held.len()), (Basis::Both, 0));
    let reported = refreshed(&mut scripts, PolicyAction::Report, &["wiki"]);
    assert!(reported.identity.violations[0].held.is_empty());
    assert!(reported.identity.work_items.is_empty());
}

/// A rule that fails: policies see no past.
fn fails() -> Scripts {
    Scripts {
        judge: Some(Box::new(|view| {
            view.baseline_exists()?;
            Ok(Vec::new())
        })),
        ..Scripts::default()
    }
}

/// Refreshes where the directory is provisioned.
fn provisioned(
    scripts: &mut Scripts,
    action: PolicyAction,
    at: i64,
    record: IdentityRecord,
) -> IdentityRecord {
    let mut tenant = tenant(action);
    tenant.applications[0].provisioning.is_on = true;
    refresh_and_process(&tenant, scripts, UnixMillis(at), record).0
}

#[test]
fn while_a_rule_that_holds_fails_nothing_new_is_given() {
    let hold = PolicyAction::Hold;
    let given = |record: &IdentityRecord| !record.identity.account_actions.is_empty();
    let reported = provisioned(&mut fails(), PolicyAction::Report, 1_000, somebody(&[]));
    assert!(given(&reported));
    let mut record = provisioned(&mut fails(), hold, 1_000, somebody(&[]));
    assert!(!given(&record));
    // Nor later, until it says something: what it lets through.
    record = provisioned(&mut fails(), hold, 2_000, record);
    assert!(!given(&record) && record.identity.violations.is_empty());
    record = provisioned(&mut Scripts::default(), hold, 3_000, record);
    assert!(given(&record));
    // That stays while it fails again.
    assert!(given(&provisioned(&mut fails(), hold, 4_000, record)));
}

#[test]
fn what_a_rule_has_held_stays_held_while_it_fails() {
    let hold = PolicyAction::Hold;
    let mut record = provisioned(&mut forbids_crm(), hold, 1_000, somebody(&[]));
    for verdict in [None, Some(PolicyVerdict::Denied)] {
        record.identity.by_hand.policies = verdict
            .map(|verdict| PolicyDecision {
                policy: Name::new("by rule"),
                verdict,
                until: None,
                actor: "olga".to_owned(),
                reason: String::new(),
                at: NOW,
            })
            .into_iter()
            .collect();
        record = provisioned(&mut fails(), hold, 2_000, record);
        assert!(record.identity.account_actions.is_empty());
        let violation = &record.identity.violations[0];
        assert_eq!(violation.held, ["ad groups crm"]);
        let is_denied = violation.status == ViolationStatus::Denied;
        assert_eq!(is_denied, verdict.is_some());
    }
}

#[test]
fn a_rule_that_fails_leaves_violations_as_they_are() {
    let mut scripts = fails();
    let record = refreshed(&mut scripts, PolicyAction::Report, &["crm"]);
    assert!(record.identity.violations.is_empty());
    let finding = &record.identity.findings[0];
    assert_eq!(
        (finding.phase, finding.cause.as_str()),
        ("policies", "wrong-phase")
    );
}

/// Somebody who has `wiki` and should have `crm`, where both can't go together, but
/// for whom a filter lets through.
fn apart(excluded: Option<&str>) -> IdentityRecord {
    let mut tenant = tenant(PolicyAction::Hold);
    tenant.applications[0].provisioning.is_on = true;
    let group = |value: &str| {
        vec![PolicyEntitlement {
            application: Name::new("ad"),
            attribute: Name::new("groups"),
            value: value.to_owned(),
        }]
    };
    let excluded = excluded.map(|text| Filter::parse(text).expect("a filter"));
    let policy = Policy {
        name: Name::new("apart"),
        description: None,
        owner: Some("olga".to_owned()),
        severity: Severity::Warning,
        weight: 10,
        action: PolicyAction::Hold,
        kind: PolicyKind::Entitlements {
            left: group("crm"),
            right: group("wiki"),
        },
        excluded: excluded.into_iter().collect(),
    };
    tenant.policies = Policies::new(vec![policy], false);
    let mut scripts = Scripts::default();
    refresh_and_process(&tenant, &mut scripts, NOW, somebody(&["wiki"])).0
}

#[test]
fn an_exclusion_that_cannot_tell_leaves_nobody_out() {
    let given = |record: &IdentityRecord| !record.identity.account_actions.is_empty();
    let held = apart(None);
    assert!(!given(&held) && held.identity.violations.len() == 1);
    let excluded = apart(Some("department == \"sales\""));
    assert!(given(&excluded) && excluded.identity.violations.is_empty());
    let other = apart(Some("department == \"it\""));
    assert!(!given(&other));
    // It can't be read: that is found, and nothing is given meanwhile.
    let unknown = apart(Some("deparment == \"sales\""));
    assert!(!given(&unknown) && unknown.identity.violations.is_empty());
    let finding = &unknown.identity.findings[0];
    assert_eq!(
        (finding.phase, finding.subject.as_str()),
        ("policies", "apart")
    );
    assert!(finding.message.contains("deparment"), "{}", finding.message);
}
