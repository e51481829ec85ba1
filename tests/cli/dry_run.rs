//! `refresh --dry-run`: all that a run would do, and nothing done.

use crate::common::TestHost;
use crate::refresh::run;
use crate::small_tenant::{aggregate_file, dated_tenant, refreshed_tenant};

/// Alice moves, and Bob's manager is somebody else.
fn tenant_with_changes() -> TestHost {
    let host = refreshed_tenant();
    host.write(
        "feeds/hr.csv",
        "id,user,name,department,salary,supervisor\n\
         1,alice,Alice Ames,Engineering,70000,\n\
         2,bob,Bob Beck,Sales,60000,carol\n\
         3,carol,Carol Cole,Engineering,80000,alice\n",
    );
    aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    host
}

#[test]
fn changes_events_and_effects_are_told_beforehand() {
    let host = tenant_with_changes();
    insta::assert_snapshot!(run(&host, &["refresh", "--dry-run"]), @r"
    dry run: this is what would happen; nothing is written
      as of      2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   2 identities (who was due), 1 skipped
      refreshed  2 in […]
      changed    2 identities
        1  attribute
        1  manager
        1  set of assigned roles
        1  entitlement that stands otherwise
        1  identity that lost a role
      events     2
        1  manager-transfer
        1  mover
      findings   0 new, 0 open
      changes
        alice  department, -role Sales
        bob    manager
      would fire
        2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)  mover  alice
            department: Sales -> Engineering
            role Sales: lost
        2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)  manager-transfer  bob
            manager: alice -> carol
    [exit 0]
    ");
}

#[test]
fn the_run_then_does_what_the_dry_run_said_and_the_dry_run_did_nothing() {
    let host = tenant_with_changes();
    let stored = || host.run(["state", "export", "--canonical"]);
    let before = stored();
    let foretold = host.json(["refresh", "--dry-run"]);
    assert_eq!(stored(), before);
    assert_eq!(host.json(["run", "list"]).as_array().map(Vec::len), Some(1));
    let left = std::fs::read_dir(host.path("state")).expect("it is there");
    let left = left.map(|entry| entry.expect("it can be read").file_name());
    let copies = left.filter(|name| name.to_string_lossy().contains("rehearsal"));
    assert_eq!(copies.count(), 0);
    let done = host.json(["refresh"]);
    for part in [
        "selected",
        "refreshed",
        "changed",
        "waves",
        "events",
        "counters",
        "findings",
    ] {
        assert_eq!(foretold[part], done[part], "{part}");
    }
    let mut events = host.json(["event", "list"]);
    let events = events.as_array_mut().expect("a list");
    events.reverse();
    assert_eq!(foretold["fired"].as_array(), Some(&*events));
    let changes = foretold["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 2);
}

#[test]
fn passed_wake_ups_are_replayed_at_their_instants() {
    let host = dated_tenant();
    host.write("feeds/hr.csv", ends("2026-03-10"));
    aggregate_file(&host, "hr", "2026-03-09T08:00:00Z");
    assert!(host.run(["refresh"]).ends_with("[exit 0]"));
    let foretold = host.json(["refresh", "--dry-run", "--as-of", "2026-03-12T08:00:00Z"]);
    let done = host.json(["refresh", "--as-of", "2026-03-12T08:00:00Z"]);
    assert_eq!(foretold["changes"][0]["name"], "alice");
    assert_eq!(foretold["changes"][0]["at"], "2026-03-10T16:00:00Z");
    assert_eq!(foretold["counters"], done["counters"]);
}

fn ends(day: &str) -> String {
    format!(
        "id,user,endDate,endTime,zone\n1,alice,{day},17:00,Europe/Berlin\n2,bob,,,\n3,carol,,,\n"
    )
}

#[test]
fn what_goes_wrong_is_json_where_results_are() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["identity", "show", "zoe", "--json"]), @r#"
    {
      "error": "there is no identity `zoe`",
      "causes": [],
      "hint": "see `idr identity list`",
      "exit_code": 2
    }
    [exit 2]
    "#);
    let too_early = ["refresh", "--dry-run", "--json", "--as-of", "yesterday"];
    insta::assert_snapshot!(host.run(too_early), @r#"
    {
      "error": "`yesterday` is not an instant",
      "causes": [],
      "hint": "write 2026-03-31T17:00:00Z; or 2026-03-31T17:00 or 2026-03-31, in the tenant's time zone",
      "exit_code": 2
    }
    [exit 2]
    "#);
}

/// Who leaves loses their account, and somebody is to collect their laptop.
const LEAVERS: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    //- applications/ad.toml
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/ad.csv"
    native_identity = "dn"
    status = { column = "status", disabled = ["off"] }
    [schema]
    owner = {}
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    [states.gone]
    inactive = true
    accounts = [{ application = "ad", do = "disable" }]
    //- triggers.toml
    [[trigger]]
    name = "leaver"
    on = [{ type = "lifecycle-change", to = "gone" }]
    handlers = [{ type = "work-item", owner = "bob", description = "Collect the laptop" }]
    //- feeds/hr.csv
    user
    alice
    bob
    //- feeds/ad.csv
    dn,owner,status
    cn=alice,alice,on
"#;

#[test]
fn what_would_be_done_outside_is_told_beforehand() {
    let host = TestHost::with_files(LEAVERS);
    for application in ["hr", "ad"] {
        aggregate_file(&host, application, "2026-03-01T08:00:00Z");
    }
    assert!(host.run(["refresh"]).ends_with("[exit 0]"));
    let why = ["--reason", "left", "--actor", "dora"];
    let gone = ["identity", "state", "alice", "gone"];
    assert!(host.json(gone.into_iter().chain(why)).is_object());
    insta::assert_snapshot!(run(&host, &["refresh", "--dry-run"]), @r"
    dry run: this is what would happen; nothing is written
      as of      2026-03-01T08:00:00Z
      selected   1 identity (who was due), 1 skipped
      refreshed  1 in […]
      changed    1 identity
        1  lifecycle state
        1  leaver
        2  effects put into the outbox
        1  change of an account called for
        1  work item
      events     1
        1  leaver
      findings   0 new, 0 open
      changes
        alice  lifecycle state active to gone, disable ad cn=alice
      would fire
        2026-03-01T08:00:00Z  leaver  alice
            lifecycleState: active -> gone
      would do
        2026-03-01T08:00:00Z  alice  leaver: work item for bob: Collect the laptop
        2026-03-01T08:00:00Z  alice  disable ad cn=alice
    [exit 0]
    ");
    let foretold = host.json(["refresh", "--dry-run"]);
    assert_eq!(
        host.json(["outbox", "list"]).as_array().map(Vec::len),
        Some(0)
    );
    assert_eq!(host.json(["refresh"])["status"], "done");
    let mut outbox = host.json(["outbox", "list"]);
    let outbox = outbox.as_array_mut().expect("a list");
    outbox.reverse();
    assert_eq!(foretold["effects"].as_array(), Some(&*outbox));
}
