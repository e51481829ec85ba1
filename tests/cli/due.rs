//! `due`: who is due and why; and the end date of 17:00 in somebody's zone.

use crate::refresh::run;
use crate::small_tenant::{aggregate_file, dated_tenant, refreshed_tenant};

#[test]
fn a_leaver_of_five_leaves_at_five_where_they_are() {
    let host = dated_tenant();
    let refreshed = host.json(["refresh", "--all", "--as-of", "2026-03-31T16:59:59"]);
    assert_eq!(refreshed["events"], serde_json::json!({}));
    let state = |name| host.json(["identity", "show", name])["lifecycle_state"].clone();
    assert_eq!(state("alice"), "active");
    insta::assert_snapshot!(host.run(["due"]), @"");
    insta::assert_snapshot!(host.run(["due", "--within", "7d"]), @"");
    let shown = host.json(["identity", "show", "alice"]);
    assert_eq!(shown["wake_at"], "2026-03-31T15:00:00Z");

    insta::assert_snapshot!(run(&host, &["refresh", "--as-of", "2026-03-31T17:00:00"]), @"");
    assert_eq!(state("alice"), "inactive");
    assert_eq!(state("bob"), "active");
    insta::assert_snapshot!(host.run(["event", "list"]), @"");
}

#[test]
fn wake_ups_that_have_passed_are_events_at_their_own_time() {
    let host = dated_tenant();
    insta::assert_snapshot!(run(&host, &["refresh", "--as-of", "2026-03-31T15:00:00Z"]), @"");
    insta::assert_snapshot!(run(&host, &["refresh", "--as-of", "2026-04-02"]), @"");
    insta::assert_snapshot!(host.run(["event", "list"]), @"");
}

#[test]
fn whose_inputs_have_changed_is_due() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["due"]), @"");
    host.write(
        "feeds/ad.csv",
        "dn,owner,groups\ncn=alice,alice,crm\ncn=bob,bob,wiki\n",
    );
    aggregate_file(&host, "ad", "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(host.run(["due"]), @"");
    insta::assert_snapshot!(serde_json::to_string_pretty(&host.json(["due"])).expect("JSON"), @"");
    insta::assert_snapshot!(host.run(["due", "--within", "soon"]), @"");
}

#[test]
fn a_changed_configuration_is_said_to_make_people_due() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["check", "--impact"]), @"");
    let roles = host.read("roles/roles.toml");
    host.write(
        "roles/roles.toml",
        roles.replace("Sales\"'", "Engineering\"'"),
    );
    insta::assert_snapshot!(host.run(["check", "--impact"]), @"");
    insta::assert_snapshot!(host.run(["due"]), @"");
}
