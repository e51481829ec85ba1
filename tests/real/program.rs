//! A walk through the real binary: what it prints is what the oracle says, and
//! what it leaves in the store as well.

use std::collections::{BTreeMap, BTreeSet};

use idr::tenant::Absent;
use serde_json::{Value, json};

use crate::common::TestHost;
use crate::data;
use crate::oracle::{Oracle, Person, count};
use crate::tenant::{CertTenant, compare, compare_events, folder};
use crate::walks::instant;

#[test]
fn the_program_walks_forwards() {
    let Some(months) = data::months("the_program_walks_forwards") else {
        return;
    };
    let mut host = TestHost::copy_of(&folder());
    let mut oracle = Oracle::default();
    let mut seen_events = BTreeMap::<String, u64>::new();
    for (step, month) in months.iter().enumerate() {
        let (as_of, what) = (instant(step).to_string(), &month.name);
        let file = month.file.to_str().expect("the path is text");
        let _ = host.json(["aggregate", "hr", "--file", file, "--as-of", as_of.as_str()]);
        let report = host.json(["refresh", "--as-of", as_of.as_str()]);
        let expected = oracle.next(&month.rows);
        let counts = count(&expected);
        assert_eq!(report["events"], json!(counts), "{what}");
        assert_eq!(report["findings"]["open"], json!(0), "{what}");
        for (trigger, number) in counts {
            *seen_events.entry(trigger).or_default() += number;
        }

        let names: BTreeSet<String> = host
            .json(["identity", "list"])
            .as_array()
            .expect("it is a list")
            .iter()
            .map(|identity| identity["name"].as_str().expect("it has a name").to_owned())
            .collect();
        assert!(names.iter().eq(oracle.people.keys()), "{what}");
        // A few people who had events, and a few others.
        let concerned = expected
            .iter()
            .map(|(_, id)| id)
            .step_by(expected.len().max(4) / 4);
        for id in concerned.chain(oracle.people.keys().step_by(700)) {
            let shown = host.json(["identity", "show", id.as_str()]);
            assert_shown(&shown, id, &oracle.people[id]);
        }

        let again = host.json(["refresh"]);
        assert_eq!(again["selected"], json!(0), "{what}");
        assert_eq!(again["events"], json!({}), "{what}");

        let mut tenant = CertTenant::at(host, Absent::Refuse);
        compare(what, &tenant.people(), &oracle.people);
        if step > 0 {
            tenant.forget_events_before(instant(step));
            compare_events(what, &tenant.new_events(instant(step)), &expected);
        }
        host = tenant.host;
    }
    assert_eq!(seen_events["leaver"], 163);
    assert_eq!(seen_events["manager-transfer"], 2);
    assert_eq!(seen_events["mover"], 1666);
}

fn assert_shown(shown: &Value, id: &str, person: &Person) {
    assert_eq!(shown["name"], json!(id));
    assert!(shown["uid"].is_i64(), "{id}");
    assert_eq!(shown["attributes"], json!(person.attributes), "{id}");
    assert_eq!(shown["manager"], json!(person.manager), "{id}");
    assert_eq!(shown["lifecycle_state"], json!(person.state), "{id}");
    assert_eq!(shown["wake_at"], Value::Null, "{id}");
    assert_eq!(shown["detected_roles"], json!([]), "{id}");
    assert_eq!(shown["additional_entitlements"], json!([]), "{id}");
    let roles = shown["assigned_roles"].as_array().expect("it is a list");
    let roles: BTreeSet<&str> = roles.iter().map(role_name).collect();
    assert!(
        roles
            .iter()
            .copied()
            .eq(person.roles.iter().map(String::as_str)),
        "{id}"
    );
    let accounts = shown["accounts"].as_array().expect("it is a list");
    assert_eq!(accounts.len(), 1, "{id}");
}

/// Returns the name of an assigned role, which stands alone or with more about it.
fn role_name(role: &Value) -> &str {
    let name = role.as_str().or_else(|| role["name"].as_str());
    name.expect("a role has a name")
}
