//! `identity`: list, show, edit, explain.

use crate::small_tenant::{aggregate_file, refreshed_tenant, small_tenant};

#[test]
fn identities_are_listed_and_filtered() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["identity", "list"]), @"");
    insta::assert_snapshot!(
        host.run(["identity", "list", "--filter", r#"department == "Sales" && manager.displayName == "Alice Ames""#]),
        @""
    );
    insta::assert_snapshot!(
        host.run(["identity", "list", "--filter", r#"assignedRoles == "Sales""#, "--limit", "1", "--json"]),
        @""
    );
    insta::assert_snapshot!(host.run(["identity", "list", "--filter", "departmnt.isNull()"]), @"");
    insta::assert_snapshot!(host.run(["identity", "list", "--filter", "department = 1"]), @"");
}

#[test]
fn an_identity_is_shown_with_reasons() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["identity", "show", "alice"]), @"");
    let shown = host.json(["identity", "show", "alice"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).expect("JSON"), @"");
    assert!(
        host.run(["identity", "show", "bob", "--show-sensitive"])
            .contains("60000")
    );
    insta::assert_snapshot!(host.run(["identity", "show", "nobody"]), @"");
}

#[test]
fn edits_stay_as_long_as_their_mode_says() {
    let host = refreshed_tenant();
    let person = ["--reason", "on loan", "--actor", "mia"];
    let edit = |arguments: &[&'static str]| {
        host.run(
            ["identity", "edit"]
                .into_iter()
                .chain(arguments.iter().copied())
                .chain(person),
        )
    };
    let department = || {
        let refreshed = host.json(["refresh"]);
        assert_eq!(refreshed["status"], "done");
        host.json(["identity", "show", "bob"])["attributes"]["department"].clone()
    };
    insta::assert_snapshot!(edit(&["bob", "department", "Engineering"]), @"");
    assert_eq!(department(), "Engineering");
    insta::assert_snapshot!(host.run(["identity", "show", "bob"]), @"");
    insta::assert_snapshot!(edit(&["bob", "department", "Research"]), @"");
    assert_eq!(department(), "Research");

    let feed = host.read("feeds/hr.csv");
    host.write(
        "feeds/hr.csv",
        feed.replace("Bob Beck,Sales", "Bob Beck,Support"),
    );
    aggregate_file(&host, "hr", "2026-03-03T08:00:00Z");
    assert_eq!(department(), "Support");

    assert_eq!(edit(&["bob", "department", "--clear"]).lines().count(), 2);
    assert_eq!(department(), serde_json::Value::Null);
    assert_eq!(
        edit(&["bob", "department", "--take-back"]).lines().count(),
        2
    );
    assert_eq!(department(), "Support");
    insta::assert_snapshot!(edit(&["bob", "department", "--take-back"]), @"");
    insta::assert_snapshot!(edit(&["bob", "nicknames", "Bobby", "Rob"]), @"");
    insta::assert_snapshot!(edit(&["bob", "displayName", "Bobby"]), @"");
    insta::assert_snapshot!(edit(&["bob", "departmnt", "Sales"]), @"");
    insta::assert_snapshot!(edit(&["bob", "department", "Sales", "Support"]), @"");
}

#[test]
fn everything_that_was_read_is_explained() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["identity", "explain", "bob"]), @"");
}

#[test]
fn without_a_store_there_is_a_hint() {
    let host = small_tenant();
    insta::assert_snapshot!(host.run(["identity", "list"]), @"");
}
