//! Two stories that people told of other systems: a role that depends on an
//! entitlement and came a day late, and somebody who was to leave at 17:00 and did so
//! the next morning.

use crate::common::TestHost;
use crate::small_tenant::{aggregate_file, dated_tenant, refreshed_tenant};

fn roles(host: &TestHost, name: &str) -> Vec<String> {
    let shown = host.json(["identity", "show", name]);
    let roles = shown["assigned_roles"].as_array().expect("a list").iter();
    let text = |role: &serde_json::Value| role.as_str().expect("a text").to_owned();
    roles.map(text).collect()
}

#[test]
fn a_role_for_an_entitlement_comes_with_the_refresh_after_its_aggregation() {
    let host = refreshed_tenant();
    let role = "[[role]]\n\
                name = \"Editors\"\n\
                type = \"business\"\n\
                selector = { filter = 'links.groups == \"news\"' }\n";
    host.write("roles/editors.toml", role);
    assert!(host.run(["refresh"]).ends_with("[exit 0]"));
    assert_eq!(roles(&host, "bob"), ["Sales"]);

    let groups = |bob: &str, at| {
        let feed = format!("dn,owner,groups\ncn=alice,alice,crm|wiki\ncn=bob,bob,{bob}\n");
        host.write("feeds/ad.csv", feed);
        aggregate_file(&host, "ad", at);
        // Who is due, and nobody asked for bob or for roles.
        host.json(["refresh", "--as-of", at])
    };
    let report = groups("wiki|news", "2026-03-02T08:00:00Z");
    assert_eq!(
        (&report["scope"], &report["selected"]),
        (&"due".into(), &1.into())
    );
    assert_eq!(roles(&host, "bob"), ["Editors", "Sales"]);
    let explained = host.run(["explain", "bob", "role", "Editors"]);
    assert!(
        explained.contains("links.groups == \"news\"  holds"),
        "{explained}"
    );

    // It goes as it came.
    groups("wiki", "2026-03-03T08:00:00Z");
    assert_eq!(roles(&host, "bob"), ["Sales"]);
}

/// A tenant whose Alice leaves on 31 March at 17:00 in Berlin, and Bob at 17:00 in
/// New York, and that may lose both.
fn leaving() -> TestHost {
    let host = dated_tenant();
    let settings = host.read("idr.toml").replace("leavers = 1", "leavers = 10");
    host.write("idr.toml", settings);
    host
}

fn state(host: &TestHost, name: &str) -> (String, String) {
    let shown = host.json(["identity", "show", name]);
    let text = |key: &str| shown[key].as_str().expect("a text").to_owned();
    (text("lifecycle_state"), text("lifecycle_since"))
}

#[test]
fn who_leaves_at_17_00_is_active_until_then_and_inactive_from_then_on() {
    let host = leaving();
    let at = |at| host.json(["refresh", "--as-of", at]);
    at("2026-03-31T14:59:59Z");
    assert_eq!(state(&host, "alice").0, "active");
    let report = at("2026-03-31T15:00:00Z");
    assert_eq!(report["counters"]["leavers"], 1);
    let inactive = ("inactive".to_owned(), "2026-03-31T15:00:00Z".to_owned());
    assert_eq!(state(&host, "alice"), inactive);
    assert_eq!(state(&host, "bob").0, "active");
}

#[test]
fn one_run_in_the_night_sees_to_every_end_at_its_own_moment() {
    let host = leaving();
    let report = host.json(["refresh", "--as-of", "2026-04-01T03:00:00Z"]);
    assert_eq!(report["counters"]["leavers"], 2);
    let inactive = |since: &str| ("inactive".to_owned(), since.to_owned());
    assert_eq!(state(&host, "alice"), inactive("2026-03-31T15:00:00Z"));
    assert_eq!(state(&host, "bob"), inactive("2026-03-31T21:00:00Z"));
    assert_eq!(state(&host, "carol").0, "active");
    let events = host.json(["event", "list"]);
    let events = events.as_array().expect("a list").iter();
    let told = events.map(|event| (&event["name"], &event["effective_at"]));
    let told: Vec<_> = told.collect();
    let bob = (&"bob".into(), &"2026-03-31T21:00:00Z".into());
    let alice = (&"alice".into(), &"2026-03-31T15:00:00Z".into());
    assert_eq!(told, [bob, alice]);
}
