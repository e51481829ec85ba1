//! `idr generate`: the same tenant every time, and ready for its first refresh.

use crate::common::TestHost;

const ARGUMENTS: [&str; 6] = ["generate", "acme", "--identities", "300", "--seed", "7"];

#[test]
fn a_generated_tenant_waits_for_its_first_refresh() {
    let host = TestHost::new();
    insta::assert_snapshot!(host.run(ARGUMENTS), @r"
    300 identities in acme
      hr                     279 accounts
      contractors             21 accounts
      ad                     298 accounts
      crm                    123 accounts
    everybody is due: idr --tenant acme refresh
    [exit 0]
    ");
    let due = host.json(["--tenant", "acme", "refresh"]);
    assert_eq!(due["selected"], 300);
    assert_eq!(due["findings"]["open"], 0);
    let again = host.json(["--tenant", "acme", "refresh", "--all"]);
    assert_eq!(again["refreshed"], 300);
    assert_eq!(again["changed"], 0);
}

#[test]
fn the_same_number_and_seed_make_the_same_tenant() {
    let state = |seed: &str| {
        let host = TestHost::new();
        let arguments = ["generate", "acme", "--identities", "300", "--seed", seed];
        let made = host.json(arguments);
        assert_eq!(made["identities"], 300);
        let refreshed = host.json(["--tenant", "acme", "refresh"]);
        assert_eq!(refreshed["status"], "done");
        host.run(["--tenant", "acme", "state", "export", "--canonical"])
    };
    let first = state("7");
    assert!(first.lines().count() >= 300, "{first}");
    assert!(first == state("7"), "the same seed made another tenant");
    assert!(first != state("8"), "another seed made the same tenant");
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let host = TestHost::new();
    host.write("acme/notes.txt", "keep me");
    insta::assert_snapshot!(host.run(ARGUMENTS), @r"
    error: `acme` exists and isn't empty
    hint: name a folder that is new or empty
    [exit 2]
    ");
    assert_eq!(host.read("acme/notes.txt"), "keep me");
}
