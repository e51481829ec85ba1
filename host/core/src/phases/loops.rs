//! Changes of idr's own that lead to each other are counted, whichever way they go.

use std::sync::Arc;

use super::provisioning::MOST_HOPS;
use crate::definitions::{
    AccountAttribute, AccountTemplate, AttributeTarget, Composition, LogicalApplication,
    LogicalAttribute, Mapping, Model, Origin, Profile, ProfileSet, Role, RoleType, Roles,
    RuleIndex, Selector, Source, StateAction, Tier,
};
use crate::filter::Filter;
use crate::model::{
    Account, AccountAction, AccountOperation, AccountStatus, IdentityRecord, Name, Proposal,
    SentOutcome, UnixMillis, Value, ValueChange, ValueType,
};
use crate::testing::{
    Scripts, account, attribute, bare_role, from_account, model, person, refresh_and_process,
};
use crate::transform::Transform;
use crate::transform::account::AccountRead;
use crate::view::{AccountSummary, TrackedView};

/// `note` follows what it is made of, in a directory that is provisioned.
fn tenant(note: Vec<Source>) -> Model {
    let mut definition = attribute("note", note);
    definition.value_type = ValueType::Text;
    definition.targets = vec![AttributeTarget {
        application: Name::new("ad"),
        attribute: Name::new("note"),
        mapping: None,
        all_accounts: true,
        of: None,
    }];
    let mut tenant = model(&["groups"], vec![definition]);
    tenant.applications[0].provisioning.is_on = true;
    let schema = &mut tenant.applications[0].schema;
    schema.push(AccountAttribute {
        name: Name::new("note"),
        value_type: ValueType::Text,
        entitlement: false,
        sensitive: false,
    });
    schema.sort_by_key(|known| known.name);
    tenant
}

fn transform(transform: Transform) -> Source {
    Source {
        origin: Origin::Transform(Arc::new(transform)),
        ..from_account("ad", "note")
    }
}

fn grown(from: Transform) -> Transform {
    Transform::Concat(vec![from, Transform::Fixed(Value::text("x"))])
}

fn noted() -> Transform {
    Transform::Account(AccountRead {
        application: Name::new("ad"),
        attribute: Name::new("note"),
        sort_by: None,
        descending: false,
        first_only: false,
        filters: Vec::new(),
    })
}

fn somebody() -> IdentityRecord {
    let note = (Name::new("note"), Value::text("a"));
    let mut directory = account("ad", &[]);
    directory.attributes = vec![note];
    person(vec![directory, account("hr", &[("department", "d0")])])
}

/// Carries a change out in an account.
fn change(account: &mut Account, attribute: Name, change: &ValueChange) {
    let value = match change {
        ValueChange::Set(value) => value.clone(),
        ValueChange::Add(values) => Value::many(values).normalised(),
        ValueChange::Remove(_) => None,
    };
    account.attributes.retain(|(name, _)| *name != attribute);
    account
        .attributes
        .extend(value.map(|value| (attribute, value)));
    account.attributes.sort();
}

/// Carries out what is called for with an account.
fn carry_out(record: &mut IdentityRecord, action: &AccountAction, at: UnixMillis) {
    let is_it = |known: &&mut Account| known.key == action.account;
    let known = record.accounts.iter_mut().find(is_it);
    match (known, action.operation) {
        (Some(known), AccountOperation::Enable) => known.status = AccountStatus::Enabled,
        (Some(known), AccountOperation::Disable) => known.status = AccountStatus::Disabled,
        (Some(known), AccountOperation::Delete) => {
            known.missing_since = Some(at);
            known.taken_away = true;
        }
        (Some(known), AccountOperation::Create) => known.missing_since = None,
        (None, AccountOperation::Create) => {
            let mut made = account("ad", &[]);
            made.key = action.account.clone();
            record.accounts.insert(0, made);
        }
        (Some(known), AccountOperation::Modify) => {
            for changed in &action.changes {
                change(known, changed.attribute, &changed.change);
            }
        }
        (known, operation) => panic!("{operation:?} of {known:?}"),
    }
}

/// So many refreshes follow each other.
const ROUNDS: i64 = 30;

/// Refreshes, and carries out what is called for, again and again; between two
/// refreshes something else may change. Returns the hops of each round.
fn rounds(tenant: &Model, meanwhile: impl Fn(&mut IdentityRecord, i64)) -> Vec<u32> {
    rounds_with(tenant, &mut Scripts::default(), meanwhile)
}

/// The same with rules.
fn rounds_with(
    tenant: &Model,
    scripts: &mut Scripts,
    meanwhile: impl Fn(&mut IdentityRecord, i64),
) -> Vec<u32> {
    let mut record = somebody();
    let mut hops = Vec::new();
    for round in 0..ROUNDS {
        meanwhile(&mut record, round);
        let at = UnixMillis(1_000 + round);
        record = refresh_and_process(tenant, scripts, at, record).0;
        let actions = record.identity.account_actions.clone();
        let is_over = actions.iter().any(|action| action.hops > MOST_HOPS);
        hops.extend(actions.iter().map(|action| action.hops));
        let causes = record.identity.findings.iter().map(|known| known.cause);
        let is_found = causes
            .into_iter()
            .any(|cause| cause.as_str() == "provisioning-loop");
        assert_eq!(is_found, is_over);
        if is_over {
            break;
        }
        for action in actions {
            carry_out(&mut record, &action, at);
            let provisioning = &mut record.identity.provisioning;
            provisioning.note_sent(action, at, SentOutcome::Sent);
        }
    }
    hops
}

fn to_the_end() -> Vec<u32> {
    (0..=MOST_HOPS + 1).collect()
}

#[test]
fn what_is_made_of_itself_by_a_transform_is_sent_eight_times() {
    let tenant = tenant(vec![transform(grown(noted()))]);
    assert_eq!(rounds(&tenant, |_, _| ()), to_the_end());
}

#[test]
fn what_is_made_of_itself_through_another_attribute_is_sent_eight_times() {
    let through = grown(Transform::Attribute(Name::new("other")));
    let mut tenant = tenant(vec![transform(through)]);
    let mut other = attribute("other", vec![from_account("ad", "note")]);
    other.value_type = ValueType::Text;
    tenant.attributes.push(other);
    assert_eq!(rounds(&tenant, |_, _| ()), to_the_end());
}

#[test]
fn what_is_made_of_itself_through_a_logical_account_is_sent_eight_times() {
    let mut tenant = tenant(vec![transform(grown(Transform::Attribute(Name::new(
        "seen",
    ))))]);
    let mut seen = attribute("seen", vec![from_account("portal", "note")]);
    seen.value_type = ValueType::Text;
    tenant.attributes.push(seen);
    let mut portal = tenant.applications[0].clone();
    portal.name = Name::new("portal");
    portal.provisioning.is_on = false;
    let note = Name::new("note");
    portal.logical = Some(LogicalApplication {
        primary: Name::new("ad"),
        composition: Composition::Tiers(vec![Tier {
            application: Name::new("ad"),
            filter: None,
            matched: None,
        }]),
        attributes: vec![LogicalAttribute {
            name: note,
            application: Name::new("ad"),
            attribute: note,
        }],
    });
    tenant.applications.push(portal);
    tenant.applications.sort_by_key(|known| known.name);
    assert_eq!(rounds(&tenant, |_, _| ()), to_the_end());
}

#[test]
fn a_role_that_takes_what_it_gave_is_followed_eight_times() {
    let mut tenant = tenant(vec![from_account("hr", "department")]);
    tenant.attributes[0].targets.clear();
    let mut member = attribute("member", vec![from_account("ad", "groups")]);
    member.value_type = ValueType::Many;
    tenant.attributes.push(member);
    tenant.attributes.sort_by_key(|known| known.name);
    let filter = Filter::parse("!(member == \"g\")").expect("a filter");
    let business = Role {
        selector: Some(Selector::Filter(filter)),
        requires: vec![Name::new("it")],
        ..bare_role("business", RoleType::business())
    };
    let profile = Profile {
        application: Name::new("ad"),
        entitlements: vec![(Name::new("groups"), vec!["g".to_owned()])],
        filter: None,
    };
    let it = Role {
        detection: vec![ProfileSet {
            any: false,
            profiles: vec![profile],
        }],
        ..bare_role("it", RoleType::it())
    };
    tenant.roles = Roles::new(vec![business, it], &[]);
    assert_eq!(rounds(&tenant, |_, _| ()), to_the_end());
}

#[test]
fn what_comes_from_elsewhere_is_sent_for_ever() {
    let tenant = tenant(vec![from_account("hr", "department")]);
    let moved = |record: &mut IdentityRecord, round: i64| {
        let department = Value::text(format!("d{round}"));
        record.accounts[1].attributes = vec![(Name::new("department"), department)];
    };
    assert_eq!(rounds(&tenant, moved), [0; ROUNDS as usize]);
}

/// Whoever has a directory account that is as `is_meant` says is gone, and active
/// without; this is done with it in both states.
fn undoing(
    is_meant: impl Fn(&AccountSummary) -> bool + 'static,
    active: Option<AccountOperation>,
    gone: AccountOperation,
) -> (Model, Scripts) {
    let mut tenant = tenant(vec![from_account("hr", "department")]);
    tenant.attributes[0].targets.clear();
    tenant.lifecycle.rule = Some(RuleIndex(0));
    for (state, operation) in [(0, active), (1, Some(gone))] {
        let action = operation.map(|operation| StateAction {
            application: Name::new("ad"),
            operation,
            to: None,
            after_ms: 0,
        });
        tenant.lifecycle.states[state].accounts = action.into_iter().collect();
    }
    let lifecycle = move |view: &mut TrackedView| {
        let is_there = view.accounts("ad")?.iter().any(&is_meant);
        Ok(if is_there { "gone" } else { "active" }.to_owned())
    };
    let scripts = Scripts {
        lifecycle: Some(Box::new(lifecycle)),
        ..Scripts::default()
    };
    (tenant, scripts)
}

#[test]
fn a_state_that_undoes_itself_is_followed_eight_times() {
    let (tenant, mut scripts) = undoing(
        |account| account.status == Some(AccountStatus::Enabled),
        Some(AccountOperation::Enable),
        AccountOperation::Disable,
    );
    let hops = rounds_with(&tenant, &mut scripts, |_, _| ());
    assert_eq!(hops, to_the_end());
}

#[test]
fn an_account_that_is_made_and_deleted_in_turns_is_followed_eight_times() {
    let (mut tenant, mut scripts) = undoing(
        |account| account.status.is_some(),
        None,
        AccountOperation::Delete,
    );
    tenant.applications[0].provisioning.template = Some(AccountTemplate {
        native_identity: Mapping::Fixed(Value::text("1")),
        unique: None,
        attributes: Vec::new(),
    });
    tenant.lifecycle.states[0].roles = vec![Name::new("it")];
    let profile = Profile {
        application: Name::new("ad"),
        entitlements: vec![(Name::new("groups"), vec!["g".to_owned()])],
        filter: None,
    };
    let it = Role {
        detection: vec![ProfileSet {
            any: false,
            profiles: vec![profile],
        }],
        ..bare_role("it", RoleType::it())
    };
    tenant.roles = Roles::new(vec![it], &[]);
    let hops = rounds_with(&tenant, &mut scripts, |_, _| ());
    assert_eq!(hops, to_the_end());
}

#[test]
fn what_people_undo_is_done_for_ever() {
    let (tenant, mut scripts) = undoing(|_| true, None, AccountOperation::Disable);
    let switched_on = |record: &mut IdentityRecord, _| {
        record.accounts[0].status = AccountStatus::Enabled;
    };
    let hops = rounds_with(&tenant, &mut scripts, switched_on);
    assert!(hops.iter().all(|hops| *hops == 0), "{hops:?}");
}

#[test]
fn what_a_rule_proposes_of_what_it_led_to_is_followed_eight_times() {
    let mut tenant = tenant(Vec::new());
    tenant.attributes[0].proposals = true;
    let mut noted = attribute("noted", vec![from_account("ad", "note")]);
    noted.value_type = ValueType::Text;
    tenant.attributes.push(noted);
    tenant.after_refresh = Some(RuleIndex(0));
    let mut through_an_attribute = Scripts {
        after_refresh: Some(Box::new(|view| {
            let noted = view.attribute("noted")?;
            let noted = noted.map_or_else(String::new, |value| value.to_string());
            Ok(vec![proposed(format!("{noted}x"))])
        })),
        ..Scripts::default()
    };
    let hops = rounds_with(&tenant, &mut through_an_attribute, |_, _| ());
    assert_eq!(hops, to_the_end());
    let mut of_the_account = Scripts {
        after_refresh: Some(Box::new(|view| {
            let account = view.accounts("ad")?.remove(0);
            let noted = view.account_attribute(account.handle, "note")?;
            let noted = noted.map_or_else(String::new, |value| value.to_string());
            Ok(vec![proposed(format!("{noted}x"))])
        })),
        ..Scripts::default()
    };
    let hops = rounds_with(&tenant, &mut of_the_account, |_, _| ());
    assert_eq!(hops, to_the_end());
}

fn proposed(note: String) -> Proposal {
    Proposal {
        attribute: "note".to_owned(),
        value: Some(Value::text(note)),
    }
}

#[test]
fn what_a_rule_proposes_of_something_else_is_sent_for_ever() {
    let mut tenant = tenant(Vec::new());
    tenant.attributes[0].proposals = true;
    tenant.after_refresh = Some(RuleIndex(0));
    let mut scripts = Scripts {
        after_refresh: Some(Box::new(|view| {
            let account = view.accounts("hr")?.remove(0);
            let department = view.account_attribute(account.handle, "department")?;
            let department = department.map_or_else(String::new, |value| value.to_string());
            Ok(vec![proposed(department)])
        })),
        ..Scripts::default()
    };
    let moved = |record: &mut IdentityRecord, round: i64| {
        let department = Value::text(format!("d{round}"));
        record.accounts[1].attributes = vec![(Name::new("department"), department)];
    };
    let hops = rounds_with(&tenant, &mut scripts, moved);
    assert!(
        hops.len() > 20 && hops.iter().all(|hops| *hops == 0),
        "{hops:?}"
    );
}
