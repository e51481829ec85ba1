//! `explain`: which way something came about, what was read for it and where that
//! comes from, when it changed and when it may change next.

use crate::common::TestHost;
use crate::small_tenant::{aggregate_file, dated_tenant, refreshed_tenant};

const TODAY: &str = "2026-03-02T08:00:00Z";

/// Runs the program and blanks who had a refresh done: the user of this machine.
pub(crate) fn explained(host: &TestHost, arguments: &[&str]) -> String {
    let shown = host.run(arguments.iter().copied());
    let lines = shown
        .lines()
        .map(|line| match line.split_once(" (refresh): ") {
            Some((before, after)) => {
                let (when, _) = before.rsplit_once(" by ").expect("it says who");
                format!("{when} by … (refresh): {after}")
            }
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn everything_is_told_in_a_line_each() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(explained(&host, &["explain", "bob"]), @r"
    bob at 2026-03-01T08:00:00Z
      department       Sales                              source 1: hr department
      displayName      Bob Beck                           source 1: hr name
      nicknames        no value
      salary           (sensitive)                        source 1: hr salary
      manager          alice                              hr supervisor
      lifecycle state  active since 2026-03-01T08:00:00Z  the default state
      roles            Sales (rule)
      changes only when something that was read changes
      a refresh now would change nothing of this
    [exit 0]
    ");
}

#[test]
fn a_value_is_traced_to_its_account_and_line() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "attribute", "department"]), @r"
    attribute department: Sales
      how
        source 1: hr department  has a value, which counts
      read
        hr department  Sales  hr 2, aggregation 1 of 2026-03-01T08:00:00Z, $TENANT/feeds/hr.csv line 3
      changes only when something that was read changes
      last changed 2026-03-01T08:00:00Z by … (refresh): run 1: department, displayName, salary, manager, lifecycle state none to active, +role Sales
    [exit 0]
    ");
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
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "manager"]), @r"
    manager: carol
      that is what a refresh now would make of it; stored is: alice
      how
        hr supervisor  names somebody, which counts
      read
        hr supervisor        carol    hr 2, aggregation 3 of 2026-03-02T08:00:00Z, $TENANT/feeds/hr.csv line 2
        whose name is carol  1 found
      changes only when something that was read changes
      last changed 2026-03-01T08:00:00Z by … (refresh): run 1: department, displayName, salary, manager, lifecycle state none to active, +role Sales
    [exit 0]
    ");
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "role", "Sales"]), @r#"
    role Sales: neither assigned nor detected
      that is what a refresh now would make of it; stored is: assigned by rule since 2026-03-01T08:00:00Z
      how
        lifecycle state active   lets selectors give roles
        selector: a filter       doesn't hold
          department == "Sales"  doesn't hold
      read
        department  Engineering
      changes only when something that was read changes
      last changed 2026-03-01T08:00:00Z by … (refresh): run 1: department, displayName, salary, manager, lifecycle state none to active, +role Sales
    [exit 0]
    "#);
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "role", "Sales", "--why-not"]), @r#"
    role Sales: neither assigned nor detected
      that is what a refresh now would make of it; stored is: assigned by rule since 2026-03-01T08:00:00Z
      how
        selector: a filter       doesn't hold
          department == "Sales"  doesn't hold
      read
        department  Engineering
      changes only when something that was read changes
      last changed 2026-03-01T08:00:00Z by … (refresh): run 1: department, displayName, salary, manager, lifecycle state none to active, +role Sales
    [exit 0]
    "#);
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "event", "mover"]), @r"
    trigger mover: would fire
      how
        department has changed  yes
      read
        baseline department  Sales
        department           Engineering
      changes only when something that was read changes
      it has never fired for bob
    [exit 0]
    ");
    assert!(host.run(["refresh"]).ends_with("[exit 0]"));
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "event", "mover"]), @r"
    trigger mover: would not fire
      how
        department has changed  no
      read
        baseline department  Engineering
        department           Engineering
      changes only when something that was read changes
      fired last
        2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)  mover  bob
            department: Sales -> Engineering
            manager: alice -> carol
            role Sales: lost
    [exit 0]
    ");
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "attribute", "department"]), @r"
    attribute department: Engineering
      how
        source 1: hr department  has a value, which counts
      read
        hr department  Engineering  hr 2, aggregation 3 of 2026-03-02T08:00:00Z, $TENANT/feeds/hr.csv line 2
      changes only when something that was read changes
      last changed 2026-03-02T08:00:00Z by … (refresh): run 2: department, manager, -role Sales
    [exit 0]
    ");
}

#[test]
fn an_edit_by_hand_is_told_before_the_sources() {
    let host = refreshed_tenant();
    let edit = [
        "identity",
        "edit",
        "bob",
        "department=Legal",
        "--reason",
        "r",
    ];
    assert!(host.run(edit).ends_with("[exit 0]"));
    let explained = explained(&host, &["explain", "bob", "attribute", "department"]);
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
    let masked = explained(&host, &["explain", "bob", "attribute", "salary"]);
    assert!(
        !masked.contains("60000") && masked.contains("(sensitive)"),
        "{masked}"
    );
    let shown = explained(
        &host,
        &["explain", "bob", "attribute", "salary", "--show-sensitive"],
    );
    assert!(shown.contains("60000"), "{shown}");
    assert!(!explained(&host, &["explain", "bob"]).contains("60000"));
    assert!(!explained(&host, &["explain", "bob", "--json"]).contains("60000"));
}

#[test]
fn a_rule_is_named_with_its_component_and_the_moment_at_which_it_changes_its_mind() {
    let host = dated_tenant();
    insta::assert_snapshot!(explained(&host, &["explain", "alice", "state"]), @r"
    lifecycle state: active since 2026-03-01T08:00:00Z
      how
        rule state  answers active
      read
        accounts in hr  1 (enabled)
        startDate       2020-01-01
        endDate         2026-03-31
        endTime         17:00
        status          employed
      moments
        2019-12-31T23:00:00Z  has come
        2026-03-31T15:00:00Z  is to come
      rule state is component 8805305957c2…
      may change by itself at 2026-03-31T15:00:00Z
      last changed 2026-03-01T08:00:00Z by … (refresh): run 1: endDate, endTime, startDate, status, lifecycle state none to active, +role Staff
    [exit 0]
    ");
    let explained = host.json(["explain", "alice", "state"]);
    assert_eq!(explained["may_change_at"], "2026-03-31T15:00:00Z");
}

#[test]
fn detection_and_entitlements_name_accounts_and_roles() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "role", "CRM user"]), @r"
    role CRM user: neither assigned nor detected
      how
        lifecycle state active  lets selectors give roles
        selector                there is none: people or states assign it, or it is detected
        detection               needs all of these profiles
          ad: groups crm        not satisfied by cn=bob
        assigned role Sales     requires it
      changes only when something that was read changes
      the audit knows of no change
    [exit 0]
    ");
    insta::assert_snapshot!(explained(&host, &["explain", "bob", "entitlement", "crm"]), @r"
    entitlement crm: ad cn=bob: missing, for Sales (assignment)
      how
        assigned role Sales  calls for it; it is assigned by rule
      changes only when something that was read changes
      last changed 2026-03-01T08:00:00Z by … (refresh): run 1: department, displayName, salary, manager, lifecycle state none to active, +role Sales
    [exit 0]
    ");
    insta::assert_snapshot!(explained(&host, &["explain", "alice", "entitlement", "crm"]), @r"
    entitlement crm: ad cn=alice: CRM user, for Sales (assignment)
      how
        detected role CRM user  contains it
        assigned role Sales     calls for it; it is assigned by rule
      read
        ad groups  crm  ad cn=alice, aggregation 2 of 2026-03-01T08:00:00Z, $TENANT/feeds/ad.csv line 2
      changes only when something that was read changes
      last changed 2026-03-01T08:00:00Z by … (refresh): run 1: department, displayName, salary, lifecycle state none to active, +role Sales, +detected role CRM user
    [exit 0]
    ");
}

#[test]
fn what_is_not_there_is_an_error_that_names_the_nearest() {
    let host = refreshed_tenant();
    let shown = |arguments: &[&str]| explained(&host, arguments);
    insta::assert_snapshot!(shown(&["explain", "bob", "attribute", "deparment"]), @r"
    error: there is no identity attribute `deparment`
    hint: do you mean `department`?
    [exit 2]
    ");
    insta::assert_snapshot!(shown(&["explain", "bob", "role", "Sale"]), @r"
    error: there is no role `Sale`
    hint: do you mean `Sales`?
    [exit 2]
    ");
    insta::assert_snapshot!(shown(&["explain", "bob", "event"]), @r"
    error: which one: this needs the name of a trigger
    [exit 2]
    ");
    insta::assert_snapshot!(shown(&["explain", "bob", "state", "x"]), @r"
    error: `x`: there is only one of these
    [exit 2]
    ");
    insta::assert_snapshot!(shown(&["explain", "bob", "entitlement", "crn"]), @r"
    error: `bob` neither holds nor should hold `crn`
    hint: do you mean `crm`?
    [exit 2]
    ");
    insta::assert_snapshot!(shown(&["explain", "bob", "state", "--why-not"]), @r"
    error: `--why-not` is about a role
    hint: write idr explain bob role ROLE --why-not
    [exit 2]
    ");
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

#[test]
fn every_source_says_why_it_counts_or_not() {
    let host = refreshed_tenant();
    let sources = "sources = [{ application = \"ad\", attribute = \"owner\", on_no_account = \"next\" }, \
                   { application = \"hr\", attribute = \"name\" }, { static = \"nobody\" }]";
    let identity = host.read("identity.toml");
    let single = "sources = [{ application = \"hr\", attribute = \"name\" }]";
    assert!(identity.contains(single));
    host.write("identity.toml", identity.replace(single, sources));
    let explained = explained(&host, &["explain", "carol", "attribute", "displayName"]);
    for told in [
        "source 1: ad owner      has no account: the next source is asked",
        "source 2: hr name       has a value, which counts",
        "source 3: a fixed value  isn't asked",
    ] {
        let told: Vec<&str> = told.split("  ").filter(|part| !part.is_empty()).collect();
        let is_there = |line: &str| told.iter().all(|part| line.contains(part.trim()));
        assert!(explained.lines().any(is_there), "{told:?}: {explained}");
    }
}
