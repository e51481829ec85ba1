//! `event` and `state`: what triggers saw, and the state as a whole.

use crate::common::TestHost;
use crate::small_tenant::{aggregate_file, refreshed_tenant};

fn moved_tenant() -> TestHost {
    let host = refreshed_tenant();
    let feed = host.read("feeds/hr.csv");
    let feed = feed.replace(
        "3,carol,Carol Cole,Engineering,80000,alice",
        "3,carol,Carol Cole,Sales,90000,bob",
    );
    host.write("feeds/hr.csv", feed);
    aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    let refreshed = host.json(["refresh"]);
    assert_eq!(refreshed["events"]["mover"], 1);
    host
}

#[test]
fn events_are_listed_by_identity_and_trigger() {
    let host = moved_tenant();
    insta::assert_snapshot!(host.run(["event", "list"]), @r"
    2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)  manager-transfer  carol
        department: Engineering -> Sales
        salary: (sensitive) -> (sensitive)
        manager: alice -> bob
        role Sales: gained
    2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)  mover  carol
        department: Engineering -> Sales
        salary: (sensitive) -> (sensitive)
        manager: alice -> bob
        role Sales: gained
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["event", "list", "--trigger", "joiner"]), @r"
    no events
    [exit 0]
    ");
    let events = host.json(["event", "list", "--identity", "carol", "--trigger", "mover"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&events).expect("JSON"), @r#"
    [
      {
        "changes": [
          {
            "new": "Sales",
            "old": "Engineering",
            "what": "department"
          },
          {
            "new": 90000,
            "old": 80000,
            "what": "salary"
          },
          {
            "new": "bob",
            "old": "alice",
            "what": "manager"
          },
          {
            "new": true,
            "old": false,
            "what": "role Sales"
          }
        ],
        "detected_at": "2026-03-02T08:00:00Z",
        "effective_at": "2026-03-02T08:00:00Z",
        "id": "a4e6be5cd4eaf10103c8a9978a81e96a",
        "name": "carol",
        "sequence": 1,
        "trigger": "mover",
        "uid": 3
      }
    ]
    "#);
    assert!(
        host.run(["event", "list", "--show-sensitive", "--limit", "1"])
            .contains("90000")
    );
}

#[test]
fn the_canonical_state_says_nothing_of_runs() {
    let host = moved_tenant();
    let before = host.run(["state", "export", "--canonical"]);
    assert_eq!(
        before.lines().count(),
        3 + 2 + 1,
        "identities, events, exit code"
    );
    assert_eq!(host.json(["refresh", "--all"])["refreshed"], 3);
    assert_eq!(host.run(["state", "export", "--canonical"]), before);
}
