//! `run`: a threshold holds a run, and a person decides.

use crate::common::TestHost;
use crate::refresh::run;
use crate::small_tenant::{aggregate_file, dated_tenant};

/// Two of three people are gone from the file at once.
fn tenant_with_a_held_run() -> (TestHost, String) {
    let host = dated_tenant();
    host.write("feeds/hr.csv", "id,user,endDate,endTime,zone\n3,carol,,,\n");
    aggregate_file(&host, "hr", "2026-03-10T08:00:00Z");
    let held = run(&host, &["refresh"]);
    (host, held)
}

#[test]
fn a_held_run_is_shown_and_approved() {
    let (host, held) = tenant_with_a_held_run();
    insta::assert_snapshot!(held, @r"
    run 2: held
      as of      2026-03-10T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   2 identities (who was due), 1 skipped
      refreshed  2 in […]
      changed    0 identities
      events     0
      findings   0 new, 0 open
      held       2 leavers are more than 1
        idr run show 2                   see who it is about
        idr run approve 2 --reason TEXT  carry it out
        idr run reject 2 --reason TEXT   drop it; everybody stays due
    [exit 1]
    ");
    insta::assert_snapshot!(run(&host, &["run", "held"]), @r"
    run  status  as of                 refreshed  changed  events  findings
      2  held    2026-03-10T08:00:00Z          2        0       0         0
    run 2 is held: 2 leavers are more than 1
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, &["run", "show", "2"]), @r"
    run 2: held
      as of      2026-03-10T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   2 identities (who was due), 1 skipped
      refreshed  2 in […]
      changed    0 identities
      events     0
      findings   0 new, 0 open
      held       2 leavers are more than 1
        idr run show 2                   see who it is about
        idr run approve 2 --reason TEXT  carry it out
        idr run reject 2 --reason TEXT   drop it; everybody stays due
      held back: changes to 2 identities
      would leave: 2
        alice
        bob
      would lose roles: 2
        2  Staff
        alice  Staff
        bob    Staff
    [exit 0]
    ");
    let shown = host.json(["run", "show", "2"]);
    assert_eq!(
        shown["would"]["leavers"],
        serde_json::json!(["alice", "bob"])
    );
    let state = |name| host.json(["identity", "show", name])["lifecycle_state"].clone();
    assert_eq!(state("alice"), "active");
    insta::assert_snapshot!(
        run(&host, &["run", "approve", "2", "--reason", "the office is closed", "--actor", "mia"]),
        @r"
    run 2: done, approved
      as of      2026-03-10T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   2 identities (who was due), 1 skipped
      refreshed  2 in […]
      changed    2 identities
        5  attributes
        2  lifecycle states
        2  sets of assigned roles
        2  leavers
        2  identities that lost a role
      events     2
        2  leaver
      findings   0 new, 0 open
    [exit 0]
    "
    );
    assert_eq!(state("alice"), "inactive");
    insta::assert_snapshot!(run(&host, &["run", "list"]), @r"
    run  status  as of                 refreshed  changed  events  findings
      2  done    2026-03-10T08:00:00Z          2        2       2         0
      1  done    2026-03-01T08:00:00Z          3        3       0         0
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, &["run", "approve", "2", "--reason", "again"]), @r"
    error: run 2 is not held but done
    hint: see `idr run list`
    [exit 2]
    ");
}

#[test]
fn a_rejected_run_leaves_everybody_as_they_are_and_due() {
    let (host, _) = tenant_with_a_held_run();
    insta::assert_snapshot!(run(&host, &["run", "reject", "2", "--reason", "a broken file"]), @r"
    run 2: rejected
      as of      2026-03-10T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   2 identities (who was due), 1 skipped
      refreshed  2 in […]
      changed    0 identities
      events     0
      findings   0 new, 0 open
      held       2 leavers are more than 1
    [exit 0]
    ");
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
    insta::assert_snapshot!(host.run(["run", "held"]), @r"
    no runs
    [exit 0]
    ");
}

#[test]
fn a_dry_run_says_that_it_would_be_held_and_writes_nothing() {
    let host = dated_tenant();
    host.write("feeds/hr.csv", "id,user,endDate,endTime,zone\n3,carol,,,\n");
    aggregate_file(&host, "hr", "2026-03-10T08:00:00Z");
    let before = host.run(["state", "export", "--canonical"]);
    insta::assert_snapshot!(run(&host, &["refresh", "--dry-run"]), @r"
    dry run: this is what would happen; nothing is written
      as of      2026-03-10T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   2 identities (who was due), 1 skipped
      refreshed  2 in […]
      changed    0 identities
      events     0
      findings   0 new, 0 open
      held       2 leavers are more than 1
      held back: changes to 2 identities
      would leave: 2
        alice
        bob
      would lose roles: 2
        2  Staff
        alice  Staff
        bob    Staff
    [exit 1]
    ");
    assert_eq!(host.run(["state", "export", "--canonical"]), before);
    assert_eq!(host.json(["run", "list"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn a_run_that_is_not_there_or_over_is_a_usage_error() {
    let host = dated_tenant();
    insta::assert_snapshot!(host.run(["run", "show", "7"]), @r"
    error: there is no run 7
    hint: see `idr run list`
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["run", "resume", "1"]), @r"
    error: run 1 can't be resumed: it is done
    hint: see `idr run list`
    [exit 2]
    ");
}
