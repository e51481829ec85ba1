//! `explain`: which way something came about, what was read for it and where that
//! comes from, when it changed and when it may change next.

use crate::common::TestHost;
use crate::small_tenant::{aggregate_file, dated_tenant, refreshed_tenant};

const TODAY: &str = "2026-03-02T08:00:00Z";

#[test]
fn everything_is_told_in_a_line_each() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["explain", "bob"]), @"");
}

#[test]
fn a_value_is_traced_to_its_account_and_line() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["explain", "bob", "attribute", "department"]), @"");
    let explained = host.json(["explain", "bob", "attribute", "department"]);
    let from = &explained["reads"][0]["from"];
    assert_eq!(
        (&from["line"], &from["aggregation"]),
        (&3.into(), &1.into())
    );
}

#[test]
fn what_would_change_is_told_beside_what_is_stored() {
    let host = refreshed_tenant();
    let row = "2,bob,Bob Beck,Engineering,60000,carol\n";
    let feed = "id,user,name,department,salary,supervisor\n";
    host.write("feeds/hr.csv", format!("{feed}{row}"));
    aggregate_file(&host, "hr", TODAY);
    insta::assert_snapshot!(host.run(["explain", "bob", "manager"]), @"");
    insta::assert_snapshot!(host.run(["explain", "bob", "role", "Sales"]), @"");
    insta::assert_snapshot!(host.run(["explain", "bob", "role", "Sales", "--why-not"]), @"");
    insta::assert_snapshot!(host.run(["explain", "bob", "event", "mover"]), @"");
    assert!(host.run(["refresh"]).ends_with("[exit 0]"));
    insta::assert_snapshot!(host.run(["explain", "bob", "event", "mover"]), @"");
    insta::assert_snapshot!(host.run(["explain", "bob", "attribute", "department"]), @"");
}

#[test]
fn an_edit_by_hand_is_told_before_the_sources() {
    let host = refreshed_tenant();
    let edit = [
        "identity",
        "edit",
        "bob",
        "--attribute",
        "department",
        "--value",
        "Legal",
        "--reason",
        "r",
    ];
    assert!(host.run(edit).ends_with("[exit 0]"));
    let explained = host.run(["explain", "bob", "attribute", "department"]);
    assert!(explained.contains("edit by hand"), "{explained}");
    assert!(
        explained.contains("counts until the sources say something else"),
        "{explained}"
    );
    assert!(explained.contains("(edit): r"), "{explained}");
}

#[test]
fn what_is_sensitive_is_masked_unless_asked_for() {
    let host = refreshed_tenant();
    let explained = host.run(["explain", "bob", "attribute", "salary"]);
    assert!(
        !explained.contains("60000") && explained.contains("(sensitive)"),
        "{explained}"
    );
    let shown = host.run(["explain", "bob", "attribute", "salary", "--show-sensitive"]);
    assert!(shown.contains("60000"), "{shown}");
    assert!(!host.run(["explain", "bob"]).contains("60000"));
    assert!(!host.run(["explain", "bob", "--json"]).contains("60000"));
}

#[test]
fn a_rule_is_named_with_its_component_and_the_moment_at_which_it_changes_its_mind() {
    let host = dated_tenant();
    insta::assert_snapshot!(host.run(["explain", "alice", "state"]), @"");
    let explained = host.json(["explain", "alice", "state"]);
    assert_eq!(explained["may_change_at"], "2026-03-31T15:00:00Z");
}

#[test]
fn detection_and_entitlements_name_accounts_and_roles() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["explain", "bob", "role", "CRM user"]), @"");
    insta::assert_snapshot!(host.run(["explain", "bob", "entitlement", "crm"]), @"");
    insta::assert_snapshot!(host.run(["explain", "alice", "entitlement", "crm"]), @"");
}

#[test]
fn what_is_not_there_is_an_error_that_names_the_nearest() {
    let host = refreshed_tenant();
    let shown = |arguments: &[&'static str]| host.run(arguments.iter().copied());
    insta::assert_snapshot!(shown(&["explain", "bob", "attribute", "deparment"]), @"");
    insta::assert_snapshot!(shown(&["explain", "bob", "role", "Sale"]), @"");
    insta::assert_snapshot!(shown(&["explain", "bob", "event"]), @"");
    insta::assert_snapshot!(shown(&["explain", "bob", "state", "x"]), @"");
    insta::assert_snapshot!(shown(&["explain", "bob", "entitlement", "crn"]), @"");
    insta::assert_snapshot!(shown(&["explain", "bob", "state", "--why-not"]), @"");
}

/// Explaining writes nothing.
#[test]
fn nothing_is_written() {
    let host: TestHost = refreshed_tenant();
    let stored = || host.run(["state", "export", "--canonical"]);
    let before = stored();
    for kind in [&["state"][..], &["role", "Sales"], &["event", "mover"]] {
        let arguments = ["explain", "bob"].iter().chain(kind);
        assert!(host.run(arguments.copied()).ends_with("[exit 0]"));
    }
    assert_eq!(stored(), before);
}
