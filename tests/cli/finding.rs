//! `finding`: what is wrong, and the exit code that says so.

use crate::refresh::run;
use crate::small_tenant::{aggregate_file, refreshed_tenant};

#[test]
fn findings_are_shown_by_kind_and_closed_when_mended() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    no open findings
    [exit 0]
    ");
    let feed = host.read("feeds/hr.csv");
    host.write(
        "feeds/hr.csv",
        feed.replace("70000,", "70000,nobody")
            .replace(",alice\n", ",nobody\n"),
    );
    aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(run(&host, &["refresh"]), @r"
    run 2: done
      as of      2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   3 identities (who was due), 0 skipped
      refreshed  3 in […]
      changed    2 identities
        2  managers
      events     2
        2  manager-transfer
      findings   3 new, 3 open
        warning  alice, bob, carol  manager: manager
          no identity has `name` `nobody`, whom the account names as manager
    [exit 1]
    ");
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    3 open
        warning  alice, bob, carol  manager: manager
          no identity has `name` `nobody`, whom the account names as manager
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["finding", "list", "--limit", "1"]), @r"
    1 of 3 open
        warning  alice  manager: manager
          no identity has `name` `nobody`, whom the account names as manager
    [exit 0]
    ");
    let again = run(&host, &["refresh"]);
    assert!(
        again.contains("  findings   0 new, 3 open: idr finding list\n[exit 1]"),
        "{again}"
    );
    let findings = host.json(["finding", "list", "--limit", "1"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&findings).expect("JSON"), @r#"
    [
      {
        "cause": "manager-not-found",
        "closed_at": null,
        "first_seen": "2026-03-02T08:00:00Z",
        "hint": null,
        "message": "no identity has `name` `nobody`, whom the account names as manager",
        "muted_until": null,
        "name": "alice",
        "number": 1,
        "phase": "manager",
        "severity": "warning",
        "subject": "manager",
        "uid": 1
      }
    ]
    "#);

    host.write("feeds/hr.csv", feed);
    aggregate_file(&host, "hr", "2026-03-03T08:00:00Z");
    assert!(run(&host, &["refresh"]).ends_with("[exit 0]"));
    insta::assert_snapshot!(host.run(["finding", "list", "--closed"]), @r"
    no open findings
    3 closed
        warning  alice, bob, carol  manager: manager
          no identity has `name` `nobody`, whom the account names as manager
    [exit 0]
    ");
}

#[test]
fn a_muted_finding_does_not_count_until_its_time_is_over() {
    let host = refreshed_tenant();
    let feed = host.read("feeds/hr.csv");
    host.write("feeds/hr.csv", feed.replace(",alice\n", ",nobody\n"));
    aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    assert!(run(&host, &["refresh"]).ends_with("[exit 1]"));
    let mute = |meant: &[&str]| {
        let fixed = [
            "finding",
            "mute",
            "--reason",
            "HR knows",
            "--until",
            "2026-03-05",
        ];
        host.run(fixed.iter().chain(meant).copied())
    };
    insta::assert_snapshot!(mute(&["--name", "bob", "--cause", "manager-not-found"]), @r"
    1 finding muted until 2026-03-04T23:00:00Z
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    1 open
        warning  carol  manager: manager
          no identity has `name` `nobody`, whom the account names as manager
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["finding", "list", "--muted"]), @r"
    1 muted
        warning  bob  manager: manager
          no identity has `name` `nobody`, whom the account names as manager
    [exit 0]
    ");
    let report = host.json(["refresh"]);
    assert_eq!(report["findings"]["open"], 1);
    assert!(mute(&["2"]).starts_with("1 finding muted"));
    assert!(
        run(&host, &["refresh"]).ends_with("[exit 0]"),
        "none counts"
    );
    let unmute = [
        "finding", "unmute", "--phase", "manager", "--name", "carol", "--reason", "r",
    ];
    insta::assert_snapshot!(host.run(unmute), @r"
    1 finding no longer muted
    [exit 0]
    ");
    let later = ["refresh", "--as-of", "2026-03-05T00:00:00Z"];
    assert_eq!(host.json(later)["findings"]["open"], 2, "its time is over");
    for wrong in [&[][..], &["--name", "dave"], &["9"]] {
        let shown = mute(wrong);
        assert!(shown.ends_with("[exit 2]"), "{shown}");
    }
}

#[test]
fn managers_in_a_circle_are_a_finding_until_one_has_another() {
    let host = refreshed_tenant();
    let supervised = |alice: &str, at: &str| {
        let feed = "id,user,name,department,salary,supervisor\n\
                    2,bob,Bob Beck,Sales,60000,alice\n\
                    3,carol,Carol Cole,Engineering,80000,alice\n";
        let alice = format!("1,alice,Alice Ames,Sales,70000,{alice}\n");
        host.write("feeds/hr.csv", format!("{feed}{alice}"));
        aggregate_file(&host, "hr", at);
        let run = host.json(["refresh", "--as-of", at]);
        assert_eq!(run["status"], "done");
        let findings = host.json(["finding", "list"]);
        let findings = findings.as_array().expect("a list").clone();
        let mut about: Vec<String> = findings
            .iter()
            .map(|finding| format!("{} {}", finding["name"], finding["cause"]).replace('"', ""))
            .collect();
        about.sort();
        about
    };
    // Carol only leads into the circle.
    assert_eq!(
        supervised("bob", "2026-03-02T08:00:00Z"),
        ["alice manager-cycle", "bob manager-cycle"]
    );
    let shown = host.json(["identity", "show", "alice"]);
    assert_eq!(shown["manager"], "bob", "that is how it is recorded");
    assert_eq!(
        supervised("carol", "2026-03-03T08:00:00Z"),
        ["alice manager-cycle", "carol manager-cycle"]
    );
    assert_eq!(supervised("", "2026-03-04T08:00:00Z"), [""; 0]);
    // To report to oneself is how the top is often recorded.
    assert_eq!(supervised("alice", "2026-03-05T08:00:00Z"), [""; 0]);
}
