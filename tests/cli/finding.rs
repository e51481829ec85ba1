//! `finding`: what is wrong, and the exit code that says so.

use crate::refresh::run;
use crate::small_tenant::{aggregate_file, refreshed_tenant};

#[test]
fn findings_are_shown_by_kind_and_closed_when_mended() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["finding", "list"]), @"");
    let feed = host.read("feeds/hr.csv");
    host.write(
        "feeds/hr.csv",
        feed.replace("70000,", "70000,nobody")
            .replace(",alice\n", ",nobody\n"),
    );
    aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(run(&host, &["refresh"]), @"");
    insta::assert_snapshot!(host.run(["finding", "list"]), @"");
    let findings = host.json(["finding", "list", "--limit", "1"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&findings).expect("JSON"), @"");

    host.write("feeds/hr.csv", feed);
    aggregate_file(&host, "hr", "2026-03-03T08:00:00Z");
    assert!(run(&host, &["refresh"]).ends_with("[exit 0]"));
    insta::assert_snapshot!(host.run(["finding", "list", "--closed"]), @"");
}
