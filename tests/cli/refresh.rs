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
    insta::assert_snapshot!(run(&host, &["refresh"]), @r"
    run 1: done
      as of      2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   3 identities (who was due), 0 skipped
      refreshed  3 in […]
      changed    3 identities
        9  attributes
        2  managers
        3  lifecycle states
        2  sets of assigned roles
        1  set of detected roles
        1  set of additional entitlements
        1  entitlement newly in the ledger
        1  entitlement that stands otherwise
      events     none: the first refresh only notes how things are
      findings   0 new, 0 open
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, &["refresh"]), @r"
    run 2: done
      as of      2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   0 identities (who was due), 3 skipped
      refreshed  nobody
      changed    0 identities
      events     0
      findings   0 new, 0 open
    [exit 0]
    ");
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
    insta::assert_snapshot!(run(&host, &["refresh", "--as-of", "2026-03-02T09:00"]), @r"
    run 2: done
      as of      2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   2 identities (who was due), 2 skipped
      refreshed  2 in […]
      changed    2 identities
        4  attributes
        2  managers
        1  lifecycle state
        2  sets of assigned roles
        1  identity that lost a role
      events     3
        1  joiner
        1  manager-transfer
        1  mover
      findings   0 new, 0 open
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, &["event", "list"]), @r"
    2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)  joiner  dave
        department: nothing -> Sales
        displayName: nothing -> Dave Dunn
        salary: nothing -> (sensitive)
        manager: nothing -> bob
        lifecycleState: nothing -> active
        role Sales: gained
    2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)  manager-transfer  bob
        department: Sales -> Engineering
        manager: alice -> carol
        role Sales: lost
    2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)  mover  bob
        department: Sales -> Engineering
        manager: alice -> carol
        role Sales: lost
    [exit 0]
    ");
}

#[test]
fn one_object_of_json() {
    let host = small_tenant();
    aggregate_all(&host, "2026-03-01T08:00:00Z");
    let mut report = host.json(["refresh", "--fire-initial"]);
    report["seconds"] = "[…]".into();
    report["threads"] = "[…]".into();
    report["identities_per_second"] = "[…]".into();
    report["configuration"] = "[…]".into();
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).expect("JSON"), @r#"
    {
      "approved": false,
      "as_of": "2026-03-01T08:00:00Z",
      "changed": 3,
      "chunk_size": 1000,
      "configuration": "[…]",
      "counters": {
        "accountDeletions": 0,
        "accountDisables": 0,
        "additionalEntitlements": 1,
        "assignedRoles": 2,
        "attributes": 9,
        "chunks": 2,
        "detectedRoles": 1,
        "entitlementsCreated": 1,
        "entitlementsUpdated": 1,
        "leavers": 0,
        "lifecycleStates": 3,
        "managers": 2,
        "roleRemovals": 0
      },
      "error": null,
      "events": {
        "joiner": 3
      },
      "findings": {
        "new": 0,
        "open": 0
      },
      "held": null,
      "held_kinds": {},
      "identities_per_second": "[…]",
      "progress": null,
      "refreshed": 3,
      "run": 1,
      "scope": "due",
      "seconds": "[…]",
      "selected": 3,
      "silent": false,
      "skipped": 0,
      "started_at": "2026-03-01T08:00:00Z",
      "status": "done",
      "threads": "[…]",
      "waves": 1
    }
    "#);
}

#[test]
fn everybody_or_some_are_refreshed_when_asked() {
    let host = refreshed_tenant();
    assert_eq!(host.json(["refresh", "--all"])["refreshed"], 3);
    assert_eq!(
        host.json(["refresh", "--identity", "bob", "carol"])["refreshed"],
        2
    );
    insta::assert_snapshot!(host.run(["refresh", "--identity", "bbo"]), @r"
    error: there is no identity `bbo`
    hint: see `idr identity list`
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["refresh", "--all", "--as-of", "yesterday"]), @r"
    error: `yesterday` is not an instant
    hint: write 2026-03-31T17:00:00Z; or 2026-03-31T17:00 or 2026-03-31, in the tenant's time zone
    [exit 2]
    ");
    assert_eq!(host.run(["refresh", "--quiet"]), "[exit 0]");
}

#[test]
fn two_refreshes_of_one_tenant_wait_for_each_other() {
    let host = refreshed_tenant();
    let tenant = OpenTenant::open(&host.path(""), Absent::Refuse).expect("the tenant opens");
    let lock = tenant.lock().expect("nobody else has it");
    let holder = format!("process {}", std::process::id());
    insta::assert_snapshot!(host.run(["refresh"]).replace(&holder, "process $HOLDER"), @r"
    error: the tenant is being worked on by process $HOLDER
    hint: wait until the other process has finished, and try again
    [exit 3]
    ");
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
    insta::assert_snapshot!(host.run(["refresh", "--as-of", "2020-01-01"]), @r#"
    error: 2019-12-31T23:00:00Z is before 2026-03-01T08:00:00Z, up to which something was committed already
    hint: leave `--as-of` out; only a tenant with `clock = "simulated"` moves freely in time
    [exit 2]
    "#);
}

#[test]
fn the_order_of_accounts_does_not_matter() {
    let exported = |reversed: bool| {
        let host = small_tenant();
        let more = [
            ("feeds/hr.csv", "4,dan,Dan Dale,Legal,1,bob\n"),
            ("feeds/ad.csv", "cn=bob2,bob,crm\ncn=a,alice,\n"),
        ];
        for (path, rows) in more {
            let feed = host.read(path) + rows;
            let (head, rows) = feed.split_once('\n').expect("a header");
            let mut rows: Vec<&str> = rows.lines().collect();
            if reversed {
                rows.reverse();
            }
            host.write(path, format!("{head}\n{}\n", rows.join("\n")));
        }
        aggregate_all(&host, "2026-03-01T08:00:00Z");
        assert_eq!(host.json(["refresh"])["status"], "done");
        host.run(["state", "export", "--canonical"])
    };
    let forwards = exported(false);
    assert!(forwards.contains("cn=bob2"), "{forwards}");
    assert_eq!(forwards, exported(true));
}
