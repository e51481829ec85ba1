//! Changes of idr's own that lead to each other are counted, whichever way they go.

use std::sync::Arc;

use super::provisioning::MOST_HOPS;
use crate::definitions::{
    AccountAttribute, AttributeTarget, Model, Origin, Profile, ProfileSet, Role, RoleType, Roles,
    Selector, Source,
};
use crate::filter::Filter;
use crate::model::{
    Account, IdentityRecord, Name, SentOutcome, UnixMillis, Value, ValueChange, ValueType,
};
use crate::testing::{
    Scripts, account, attribute, bare_role, from_account, model, person, refresh_and_process,
};
use crate::transform::Transform;
use crate::transform::account::AccountRead;

/// `note` follows what it is made of, in a directory that is provisioned.
fn tenant(note: Vec<Source>) -> Model {
    let mut definition = attribute("note", note);
    definition.value_type = ValueType::Text;
    definition.targets = vec![AttributeTarget {
        application: Name::new("ad"),
        attribute: Name::new("note"),
        mapping: None,
        all_accounts: true,
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
    Transform::Concat(vec![from, Transform::Fixed(Value::Text("x".to_owned()))])
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
    let note = (Name::new("note"), Value::Text("a".to_owned()));
    let mut directory = account("ad", &[]);
    directory.attributes = vec![note];
    person(vec![directory, account("hr", &[("department", "d0")])])
}

/// Carries a change out in an account.
fn change(account: &mut Account, attribute: Name, change: &ValueChange) {
    let value = match change {
        ValueChange::Set(value) => value.clone(),
        ValueChange::Add(values) => Value::Many(values.clone()).normalised(),
        ValueChange::Remove(_) => None,
    };
    account.attributes.retain(|(name, _)| *name != attribute);
    account
        .attributes
        .extend(value.map(|value| (attribute, value)));
    account.attributes.sort();
}

/// Refreshes, and carries out what is called for, twelve times; between two
/// refreshes something else may change. Returns the hops of each round.
fn rounds(tenant: &Model, meanwhile: impl Fn(&mut IdentityRecord, i64)) -> Vec<u32> {
    let mut record = somebody();
    let mut hops = Vec::new();
    for round in 0..12 {
        meanwhile(&mut record, round);
        let at = UnixMillis(1_000 + round);
        record = refresh_and_process(tenant, &mut Scripts::default(), at, record).0;
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
            for known in &action.changes {
                change(&mut record.accounts[0], known.attribute, &known.change);
            }
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
        let department = Value::Text(format!("d{round}"));
        record.accounts[1].attributes = vec![(Name::new("department"), department)];
    };
    assert_eq!(rounds(&tenant, moved), [0; 12]);
}
