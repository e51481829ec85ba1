//! What made tenants are like: each profile can be checked and refreshed, a second
//! refresh changes nothing, and there is as much of everything as is said.

use std::collections::BTreeMap;

use idr::organisation::{Made, Profile};
use serde_json::Value;

use crate::common::TestHost;

/// A made tenant of so many, refreshed.
fn refreshed(profile: &str, identities: &str) -> TestHost {
    let host = TestHost::new();
    let arguments = ["--profile", profile, "--identities", identities];
    let made = host.json(["generate", "made"].into_iter().chain(arguments));
    assert_eq!(made["profile"], profile);
    let checked = host.run(["--tenant", "made", "check"]);
    assert!(checked.ends_with("[exit 0]"), "{checked}");
    assert!(!checked.contains("warning"), "{checked}");
    let first = host.json(["--tenant", "made", "refresh"]);
    assert_eq!(first["selected"].to_string(), identities);
    assert_eq!(first["changed"].to_string(), identities);
    let again = host.json(["--tenant", "made", "refresh", "--all"]);
    assert_eq!(again["refreshed"].to_string(), identities);
    assert_eq!(again["changed"], 0, "{again}");
    host
}

fn identity(host: &TestHost, name: &str) -> Value {
    host.json(["--tenant", "made", "identity", "show", name])
}

fn length(of: &Value) -> usize {
    of.as_array().expect("it is a list").len()
}

#[test]
fn every_profile_has_a_name() {
    for (name, profile) in Profile::ALL {
        assert_eq!(Profile::named(name), Some(profile));
        let in_json = serde_json::to_value(profile).expect("it has a name");
        assert_eq!(in_json, name);
    }
    assert_eq!(Profile::named("average"), None);
}

#[test]
fn the_standard_tenant_has_what_it_should() {
    let host = refreshed("standard", "300");
    for name in ["100000", "100123", "100299"] {
        let shown = identity(&host, name);
        assert_eq!(length(&shown["accounts"]), 3, "{shown}");
        let mut held: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in shown["entitlements"].as_array().expect("it is a list") {
            if entry["aggregation_state"] == "connected" {
                let application = entry["application"].as_str().unwrap_or_default();
                *held.entry(application).or_default() += 1;
            }
        }
        let expected = [("directory", 15), ("erp", 15), ("hr", 15)];
        assert_eq!(held, BTreeMap::from(expected), "{name}");
    }
    insta::assert_snapshot!(host.run(["--tenant", "made", "check"]), @r"
    no problems in tenant `standard`
      applications             3
      identity attributes     40
      lifecycle states         5
      business roles         100
      IT roles                50
      triggers                10
      populations              0
      rules                    5
      tasks                    0
    [exit 0]
    ");
}

/// Whoever is of an odd version has changed as a benchmark wants it.
#[test]
fn in_the_standard_tenant_everybody_can_change() {
    let host = refreshed("standard", "400");
    let made = Made {
        profile: Profile::Standard,
        identities: 400,
        seed: 1,
    };
    for (version, as_of) in [(1, "2026-03-01T06:00:00Z"), (2, "2026-03-01T06:00:00Z")] {
        made.write_feeds(&host.path("made"), &|_| version)
            .expect("feeds can be written");
        for application in made.profile.applications() {
            let aggregate = [
                "--tenant",
                "made",
                "aggregate",
                application,
                "--as-of",
                as_of,
            ];
            let report = host.json(aggregate);
            assert_eq!(report["status"], "done", "{report}");
        }
        let report = host.json(["--tenant", "made", "refresh"]);
        assert_eq!(report["changed"], 400, "{report}");
        assert_eq!(report["counters"]["attributes"], 800, "{report}");
        assert_eq!(report["counters"]["lifecycleStates"], 400, "{report}");
        assert_eq!(report["counters"]["assignedRoles"], 400, "{report}");
        let events = report["events"].as_object().expect("events by trigger");
        let events: u64 = events.values().filter_map(Value::as_u64).sum();
        assert_eq!(events, 400, "{report}");
    }
}

#[test]
fn the_source_of_midpoints_shape_has_fifty_mappings_of_each_kind() {
    let host = refreshed("midpoint-1s-50m", "60");
    let shown = identity(&host, "u00000010");
    let attributes = shown["attributes"].as_object().expect("there are some");
    let many = attributes.values().filter(|value| value.is_array());
    assert!(many.clone().all(|value| length(value) == 5), "{shown}");
    assert_eq!(many.count(), 50);
    // Some of one value are empty for most.
    let single = attributes.values().filter(|value| value.is_string());
    assert!((40..=50).contains(&single.count()), "{shown}");
    assert_eq!(length(&shown["accounts"]), 1);
}

#[test]
fn with_targets_midpoints_shape_has_twenty_assignments_and_nothing_to_do() {
    let host = refreshed("midpoint-1s-50m-5t-20a", "60");
    let shown = identity(&host, "u00000010");
    assert_eq!(length(&shown["accounts"]), 6, "{shown}");
    assert_eq!(length(&shown["assigned_roles"]), 20, "{shown}");
    assert_eq!(length(&shown["detected_roles"]), 20, "{shown}");
    let waiting = host.json(["--tenant", "made", "outbox", "list"]);
    assert_eq!(length(&waiting), 0, "{waiting}");
}
