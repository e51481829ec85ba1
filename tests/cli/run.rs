//! `run`: a threshold holds a run, and a person decides.

use crate::common::TestHost;
use crate::refresh::run;
use crate::small_tenant::{aggregate_file, dated_tenant};

/// Two of three people are gone from the file at once.
fn tenant_with_a_held_run() -> TestHost {
    let host = dated_tenant();
    host.write("feeds/hr.csv", "id,user,endDate,endTime,zone\n3,carol,,,\n");
    aggregate_file(&host, "hr", "2026-03-10T08:00:00Z");
    insta::assert_snapshot!(run(&host, &["refresh"]), @"");
    host
}

#[test]
fn a_held_run_is_shown_and_approved() {
    let host = tenant_with_a_held_run();
    insta::assert_snapshot!(run(&host, &["run", "held"]), @"");
    insta::assert_snapshot!(run(&host, &["run", "show", "2"]), @"");
    let shown = host.json(["run", "show", "2"]);
    assert_eq!(
        shown["would"]["leavers"],
        serde_json::json!(["alice", "bob"])
    );
    let state = |name| host.json(["identity", "show", name])["lifecycle_state"].clone();
    assert_eq!(state("alice"), "active");
    insta::assert_snapshot!(
        run(&host, &["run", "approve", "2", "--reason", "the office is closed", "--actor", "mia"]),
        @""
    );
    assert_eq!(state("alice"), "inactive");
    insta::assert_snapshot!(run(&host, &["run", "list"]), @"");
    insta::assert_snapshot!(run(&host, &["run", "approve", "2", "--reason", "again"]), @"");
}

#[test]
fn a_rejected_run_leaves_everybody_as_they_are_and_due() {
    let host = tenant_with_a_held_run();
    insta::assert_snapshot!(run(&host, &["run", "reject", "2", "--reason", "a broken file"]), @"");
    let state = host.json(["identity", "show", "alice"])["lifecycle_state"].clone();
    assert_eq!(state, "active");
    let due = host.json(["due"]);
    let names: Vec<_> = due
        .as_array()
        .expect("a list")
        .iter()
        .map(|due| &due["name"])
        .collect();
    assert_eq!(names, ["alice", "bob"]);
    insta::assert_snapshot!(host.run(["run", "held"]), @"");
}

#[test]
fn a_dry_run_says_that_it_would_be_held_and_writes_nothing() {
    let host = dated_tenant();
    host.write("feeds/hr.csv", "id,user,endDate,endTime,zone\n3,carol,,,\n");
    aggregate_file(&host, "hr", "2026-03-10T08:00:00Z");
    let before = host.run(["state", "export", "--canonical"]);
    insta::assert_snapshot!(run(&host, &["refresh", "--dry-run"]), @"");
    assert_eq!(host.run(["state", "export", "--canonical"]), before);
    assert_eq!(host.json(["run", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_run_that_is_not_there_or_over_is_a_usage_error() {
    let host = dated_tenant();
    insta::assert_snapshot!(host.run(["run", "show", "7"]), @"");
    insta::assert_snapshot!(host.run(["run", "resume", "1"]), @"");
}
