//! `identity history`: what somebody was, kept by refreshes where that is wanted.

use crate::common::TestHost;
use crate::small_tenant::{aggregate_all, aggregate_file, small_tenant};

const FEED: &str = "id,user,name,department,salary,supervisor\n";

/// A tenant with these settings besides, aggregated and refreshed once.
fn tenant(settings: &str) -> TestHost {
    let host = small_tenant();
    let known = host.read("idr.toml");
    host.write("idr.toml", format!("{known}{settings}\n"));
    aggregate_all(&host, "2026-03-01T08:00:00Z");
    assert!(host.run(["refresh"]).ends_with("[exit 0]"));
    host
}

/// Bob's row is this one, and everybody is refreshed who is due.
fn refresh(host: &TestHost, row: &str, at: &str) -> serde_json::Value {
    let alice = "1,alice,Alice Ames,Sales,70000,\n";
    host.write("feeds/hr.csv", format!("{FEED}{alice}{row}\n"));
    aggregate_file(host, "hr", at);
    host.json(["refresh", "--as-of", at])
}

fn with_three_images(settings: &str) -> TestHost {
    let host = tenant(settings);
    let moved = refresh(
        &host,
        "2,bob,Bob Beck,Legal,60000,alice",
        "2026-03-02T08:00:00Z",
    );
    // Carol isn't listed any more.
    assert_eq!(moved["counters"]["snapshotsCreated"], 2, "{moved}");
    let paid = refresh(
        &host,
        "2,bob,Bob Beck,Legal,61000,alice",
        "2026-03-03T08:00:00Z",
    );
    assert_eq!(paid["counters"]["snapshotsCreated"], 1, "{paid}");
    host
}

#[test]
fn images_are_kept_of_whoever_differs() {
    let host = with_three_images("[history]");
    insta::assert_snapshot!(host.run(["identity", "history", "bob"]), @r"
    bob
      2026-03-03T08:00:00Z  salary, account hr 2 salary
      2026-03-02T08:00:00Z  department, role Sales, account hr 2 department
      2026-03-01T08:00:00Z  the first that is kept
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["identity", "history", "bob", "--diff"]), @r"
    bob
      2026-03-03T08:00:00Z
        salary: (sensitive) -> (sensitive), another
        account hr 2 salary: (sensitive) -> (sensitive), another
      2026-03-02T08:00:00Z
        department: Sales -> Legal
        role Sales: rule since 2026-03-01T08:00:00Z -> nothing
        account hr 2 department: Sales -> Legal
      2026-03-01T08:00:00Z  the first that is kept
    [exit 0]
    ");
    let at = ["identity", "history", "bob", "--at", "2026-03-02T12:00:00Z"];
    insta::assert_snapshot!(host.run(at), @r"
    bob
      so from 2026-03-02T08:00:00Z until 2026-03-03T08:00:00Z
      accounts        ad cn=bob, groups wiki, owner bob, status enabled
      accounts        hr 2, department Legal, name Bob Beck, salary (sensitive), supervisor alice, user bob, status enabled
      department      Legal
      displayName     Bob Beck
      salary          (sensitive)
      inactive        false
      lifecycleSince  2026-03-01T08:00:00Z
      lifecycleState  active
      manager         alice
      name            bob
      type            person
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["identity", "history", "bob", "--limit", "1"]), @r"
    bob
      2026-03-03T08:00:00Z  salary, account hr 2 salary
      and earlier ones: --limit NUMBER lists more
    [exit 0]
    ");
    let shown = host.json(["identity", "history", "bob"]);
    assert!(!shown.to_string().contains("60000"), "{shown}");
    let shown = host.json(["identity", "history", "bob", "--show-sensitive"]);
    assert_eq!(shown[1]["image"]["attributes"]["salary"], 60000);
    assert_eq!(shown[1]["until"], "2026-03-03T08:00:00Z");
}

#[test]
fn nothing_is_kept_of_whom_nothing_happens_to() {
    let host = with_three_images("[history]");
    let again = host.json(["refresh", "--all", "--as-of", "2026-03-04T08:00:00Z"]);
    assert_eq!(
        again["counters"]["snapshotsCreated"],
        serde_json::Value::Null
    );
    let rows = host.json(["identity", "history", "alice"]);
    assert_eq!(rows.as_array().map(Vec::len), Some(1));
}

#[test]
fn an_account_that_changes_alone_is_a_difference() {
    let host = tenant("[history]");
    host.write(
        "feeds/ad.csv",
        "dn,owner,groups\ncn=alice,alice,crm|wiki\ncn=bob,bob,wiki|news\n",
    );
    aggregate_file(&host, "ad", "2026-03-02T08:00:00Z");
    let report = host.json(["refresh", "--as-of", "2026-03-02T08:00:00Z"]);
    assert_eq!(report["counters"]["snapshotsCreated"], 1, "{report}");
    let shown = host.run(["identity", "history", "bob", "--diff"]);
    assert!(
        shown.contains("account ad cn=bob groups: wiki -> news, wiki"),
        "{shown}"
    );
}

#[test]
fn old_images_are_dropped_by_runs() {
    let host = with_three_images("[history]\nkeep = \"36h\"");
    let kept = || {
        let rows = host.json(["identity", "history", "bob"]);
        rows.as_array().map(Vec::len)
    };
    assert_eq!(kept(), Some(3));
    let late = host.json(["refresh", "--as-of", "2026-03-04T08:00:00Z"]);
    // Bob's and Carol's first.
    assert_eq!(late["counters"]["snapshotsDropped"], 2, "{late}");
    assert_eq!(kept(), Some(2));
}

#[test]
fn without_a_history_nothing_is_kept_and_that_is_said() {
    let host = tenant("");
    insta::assert_snapshot!(host.run(["identity", "history", "bob"]), @r"
    error: nothing is kept of what `bob` was
    hint: write a table [history] into idr.toml; from then on refreshes keep it
    [exit 2]
    ");
    host.write("idr.toml", format!("{}[history]\n", host.read("idr.toml")));
    insta::assert_snapshot!(host.run(["identity", "history", "bob"]), @r"
    error: nothing is kept of what `bob` was
    hint: a refresh keeps the first image; see `idr identity history NAME`
    [exit 2]
    ");
    // Whoever is there is kept by the first refresh that keeps a history.
    let report = host.json(["refresh", "--as-of", "2026-03-02T08:00:00Z"]);
    assert_eq!(report["counters"]["snapshotsCreated"], 3, "{report}");
}
