//! The audit: everything that people decide and that refreshes change is in it,
//! with who it was and why.

use serde_json::Value;

use crate::common::TestHost;
use crate::small_tenant::refreshed_tenant;

fn audit(host: &TestHost, more: &[&str]) -> Vec<Value> {
    let command = ["audit", "list"].into_iter().chain(more.iter().copied());
    let listed = host.json(command);
    listed.as_array().expect("a list").clone()
}

/// Returns actor, action, subject and reason of the last entry.
fn last(host: &TestHost) -> [String; 4] {
    let entry = audit(host, &["--limit", "1"]).remove(0);
    ["actor", "action", "subject", "reason"]
        .map(|key| entry[key].as_str().expect("a text").to_owned())
}

#[test]
fn what_people_decide_is_noted_with_actor_and_reason() {
    let host = refreshed_tenant();
    let roles = host.read("roles/roles.toml");
    host.write(
        "roles/roles.toml",
        format!("{roles}[[role]]\nname = \"Guest\"\ntype = \"business\"\n"),
    );
    let lifecycle = host.read("lifecycle.toml");
    host.write(
        "lifecycle.toml",
        format!("{lifecycle}[states.gone]\ninactive = true\n"),
    );
    let identities = host.read("identity.toml");
    let unique = identities.replace(
        "[attributes.nicknames]",
        "[attributes.alias]\nunique = true\nedit_mode = \"permanent\"\n[attributes.nicknames]",
    );
    host.write("identity.toml", unique);
    for (command, action, subject) in [
        (
            &["identity", "edit", "bob", "department=Legal"][..],
            "edit",
            "bob department",
        ),
        (
            &["identity", "edit", "bob", "department", "--take-back"],
            "take-back",
            "bob department",
        ),
        (
            &["role", "assign", "bob", "Guest"],
            "assign-role",
            "bob Guest",
        ),
        (&["role", "deny", "bob", "Guest"], "deny-role", "bob Guest"),
        (
            &["role", "revoke", "bob", "Guest"],
            "revoke-role",
            "bob Guest",
        ),
        (
            &["identity", "state", "carol", "gone"],
            "set-state",
            "carol gone",
        ),
        (
            &["identity", "state", "carol", "--take-back"],
            "take-back-state",
            "carol",
        ),
        (
            &["claim", "reserve", "alias", "root"],
            "reserve",
            "alias root",
        ),
        (
            &["claim", "release", "alias", "root"],
            "release",
            "alias root",
        ),
        (&["identity", "merge", "carol", "bob"], "merge", "carol bob"),
    ] {
        let by_dora = ["--actor", "dora", "--reason", "she said so"];
        let shown = host.run(command.iter().copied().chain(by_dora));
        assert!(shown.ends_with("[exit 0]"), "{shown}");
        let wanted = ["dora", action, subject, "she said so"];
        assert_eq!(last(&host), wanted, "{command:?}");
    }
    // Without a name it is whoever runs the program.
    let by_nobody = ["role", "deny", "alice", "Guest", "--reason", "why not"];
    let shown = host.run(by_nobody);
    assert!(shown.ends_with("[exit 0]"), "{shown}");
    let [actor, ..] = last(&host);
    assert!(!actor.is_empty());
    assert_ne!(actor, "dora");
}

#[test]
fn what_a_refresh_changes_is_noted_with_who_asked_for_it() {
    let host = refreshed_tenant();
    assert_eq!(audit(&host, &["--action", "refresh"]).len(), 3);
    let feed = host.read("feeds/hr.csv");
    host.write(
        "feeds/hr.csv",
        feed.replace("Bob Beck,Sales", "Bob Beck,Legal"),
    );
    crate::small_tenant::aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    let refresh = [
        "refresh",
        "--as-of",
        "2026-03-02T08:00:00Z",
        "--actor",
        "nightly",
    ];
    assert_eq!(host.json(refresh)["changed"], 1);
    insta::assert_snapshot!(host.run(["audit", "list", "--actor", "nightly"]), @r"
    when                  who      what     to   why
    2026-03-02T08:00:00Z  nightly  refresh  bob  run 2: department, -role Sales
    [exit 0]
    ");
    assert_eq!(audit(&host, &["--subject", "bob"]).len(), 2);
    assert_eq!(audit(&host, &["--subject", "bo"]).len(), 0);
    // Nothing changes: nothing is noted.
    let again = ["refresh", "--all", "--as-of", "2026-03-03T08:00:00Z"];
    assert_eq!(host.json(again)["changed"], 0);
    assert_eq!(audit(&host, &["--action", "refresh"]).len(), 4);
}
