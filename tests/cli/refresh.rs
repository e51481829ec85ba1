//! `refresh`: who is refreshed, what is reported, and the exit codes.

use idr::tenant::{Absent, OpenTenant};

use crate::common::TestHost;
use crate::small_tenant::{aggregate_all, aggregate_file, refreshed_tenant, small_tenant};

/// Runs the program and blanks what differs from machine to machine.
pub(crate) fn run(host: &TestHost, arguments: &[&str]) -> String {
    let shown = host.run(arguments.iter().copied());
    let lines = shown.lines().map(|line| match line.split_once(" in ") {
        Some((work, _)) if line.starts_with("  refreshed") => format!("{work} in […]"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_report_says_what_changed() {
    let host = small_tenant();
    aggregate_all(&host, "2026-03-01T08:00:00Z");
    insta::assert_snapshot!(run(&host, &["refresh"]), @"");
    insta::assert_snapshot!(run(&host, &["refresh"]), @"");
}

#[test]
fn only_who_is_due_is_refreshed() {
    let host = refreshed_tenant();
    host.write(
        "feeds/hr.csv",
        "id,user,name,department,salary,supervisor\n\
         1,alice,Alice Ames,Sales,70000,\n\
         2,bob,Bob Beck,Engineering,60000,carol\n\
         3,carol,Carol Cole,Engineering,80000,alice\n\
         4,dave,Dave Dunn,Sales,50000,bob\n",
    );
    aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(run(&host, &["refresh", "--as-of", "2026-03-02T09:00"]), @"");
    insta::assert_snapshot!(run(&host, &["event", "list"]), @"");
}

#[test]
fn one_object_of_json() {
    let host = small_tenant();
    aggregate_all(&host, "2026-03-01T08:00:00Z");
    let mut report = host.json(["refresh", "--fire-initial"]);
    report["seconds"] = "[…]".into();
    report["identities_per_second"] = "[…]".into();
    report["configuration"] = "[…]".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).expect("JSON"), @"");
}

#[test]
fn everybody_or_some_are_refreshed_when_asked() {
    let host = refreshed_tenant();
    assert_eq!(host.json(["refresh", "--all"])["refreshed"], 3);
    assert_eq!(
        host.json(["refresh", "--identity", "bob", "carol"])["refreshed"],
        2
    );
    insta::assert_snapshot!(host.run(["refresh", "--identity", "bbo"]), @"");
    insta::assert_snapshot!(host.run(["refresh", "--all", "--as-of", "yesterday"]), @"");
    assert_eq!(host.run(["refresh", "--quiet"]), "[exit 0]");
}

#[test]
fn two_refreshes_of_one_tenant_wait_for_each_other() {
    let host = refreshed_tenant();
    let tenant = OpenTenant::open(&host.path(""), Absent::Refuse).expect("the tenant opens");
    let lock = tenant.lock().expect("nobody else has it");
    insta::assert_snapshot!(host.run(["refresh"]), @"");
    drop(lock);
    assert_eq!(host.run(["refresh", "--quiet"]), "[exit 0]");
}

#[test]
fn the_system_clock_knows_no_future() {
    let host = refreshed_tenant();
    let settings = host.read("idr.toml").replace("clock = \"simulated\"\n", "");
    host.write("idr.toml", settings);
    let shown = host.run(["refresh", "--as-of", "2999-01-01"]);
    assert!(
        shown.starts_with("error: 2998-12-31T23:00:00Z is in the future: it is "),
        "{shown}"
    );
    assert!(shown.ends_with("[exit 2]"), "{shown}");
    insta::assert_snapshot!(host.run(["refresh", "--as-of", "2020-01-01"]), @"");
}
