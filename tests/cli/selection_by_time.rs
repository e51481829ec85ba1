//! The selection of `refresh` by when identities were last refreshed and
//! modified, and refreshes that leave whom they refresh due.

use crate::common::TestHost;
use crate::selection::selected;
use crate::small_tenant::{aggregate_file, refreshed_tenant};

/// Refreshes at an instant with these options; returns how many were selected.
fn selected_at(host: &TestHost, instant: &str, options: &[&str]) -> u64 {
    selected(host, &[&["--as-of", instant], options].concat())
}

/// Returns how many the options would choose at an instant.
fn would_select(host: &TestHost, instant: &str, options: &[&str]) -> u64 {
    let fixed = ["refresh", "--explain-selection", "--as-of", instant];
    let explained = host.json(fixed.iter().chain(options).copied());
    explained["selected"].as_u64().expect("a number")
}

/// The tenant, refreshed on 1 March at 08:00, and Bob again on the 5th.
fn refreshed_twice() -> TestHost {
    let host = refreshed_tenant();
    let bob = ["--identity", "bob"];
    assert_eq!(selected_at(&host, "2026-03-05T08:00:00Z", &bob), 1);
    host
}

#[test]
fn who_was_refreshed_before_an_instant_or_never() {
    let host = refreshed_twice();
    let now = "2026-03-06T08:00:00Z";
    let before = |instant| would_select(&host, now, &["--refreshed-before", instant]);
    assert_eq!(before("2026-03-01"), 0);
    assert_eq!(before("2026-03-01T08:00:00Z"), 0);
    assert_eq!(before("2026-03-01T08:00:01Z"), 2);
    assert_eq!(before("2026-03-06"), 3);
    host.write(
        "tasks/old.toml",
        "version = 1\nrefreshed_before = 2026-03-02\n",
    );
    assert_eq!(would_select(&host, now, &["--task", "old"]), 2);
    let feed = host.read("feeds/hr.csv");
    host.write("feeds/hr.csv", feed + "4,dave,Dave Dunn,Sales,1,\n");
    aggregate_file(&host, "hr", now);
    assert_eq!(before("2026-03-01"), 1, "Dave was never refreshed");
    assert_eq!(
        selected_at(&host, now, &["--refreshed-before", "2026-03-01"]),
        1
    );
    assert_eq!(before("2026-03-01"), 0);
}

#[test]
fn who_was_not_refreshed_for_some_time() {
    let host = refreshed_twice();
    let swept = |instant| would_select(&host, instant, &["--not-refreshed-for", "24h"]);
    assert_eq!(swept("2026-03-05T08:00:00Z"), 2);
    assert_eq!(swept("2026-03-06T07:59:59Z"), 2);
    assert_eq!(swept("2026-03-06T08:00:00Z"), 3);
    host.write(
        "tasks/sweep.toml",
        "version = 1\nnot_refreshed_for = \"1d\"\n",
    );
    let sweep = ["--task", "sweep"];
    assert_eq!(selected_at(&host, "2026-03-05T09:00:00Z", &sweep), 2);
    assert_eq!(selected_at(&host, "2026-03-05T10:00:00Z", &sweep), 0);
    let shown = host.run(["refresh", "--not-refreshed-for", "24"]);
    assert!(shown.ends_with("[exit 2]"), "{shown}");
}

/// An hourly task that refreshes whom others have refreshed within two hours
/// would choose everybody for ever, once it has chosen them.
#[test]
fn a_window_never_snowballs_since_what_a_refresh_itself_touched_does_not_count() {
    let host = refreshed_twice();
    host.write(
        "tasks/hourly.toml",
        "version = 1\nrefreshed_within = \"2h\"\n",
    );
    let hourly = |hour: u32| {
        let instant = format!("2026-03-05T{hour:02}:00:00Z");
        selected_at(&host, &instant, &["--task", "hourly"])
    };
    assert_eq!([hourly(8), hourly(9), hourly(10)], [1, 1, 1]);
    assert_eq!(hourly(11), 0, "Bob was refreshed at 8 by another");
    // Another refresh of everybody is seen, and no longer than two hours.
    assert_eq!(selected_at(&host, "2026-03-05T12:00:00Z", &["--all"]), 3);
    assert_eq!([hourly(13), hourly(14), hourly(15)], [3, 3, 0]);
}

#[test]
fn who_was_modified_within_the_window_as_well() {
    let host = refreshed_twice();
    let feed = host.read("feeds/hr.csv");
    host.write("feeds/hr.csv", feed.replace("80000", "90000"));
    aggregate_file(&host, "hr", "2026-03-09T08:00:00Z");
    let within = ["--refreshed-within", "12h"];
    let or_modified = ["--refreshed-within", "12h", "--or-modified"];
    let now = "2026-03-09T09:00:00Z";
    assert_eq!(would_select(&host, now, &within), 0);
    assert_eq!(would_select(&host, now, &or_modified), 1, "Carol");
    let edit = [
        "identity",
        "edit",
        "alice",
        "nicknames",
        "al",
        "--reason",
        "r",
    ];
    assert!(host.run(edit).ends_with("[exit 0]"));
    assert_eq!(would_select(&host, now, &or_modified), 2);
    // What the refresh itself changes modifies nobody.
    assert_eq!(selected_at(&host, now, &or_modified), 2);
    let later = "2026-03-09T20:00:00Z";
    assert_eq!(would_select(&host, later, &or_modified), 2);
    let after = "2026-03-09T21:00:00Z";
    assert_eq!(would_select(&host, after, &or_modified), 0);
    host.write(
        "tasks/wrong.toml",
        "version = 1\nrefreshed_within = \"2 hours\"\n",
    );
    host.write("tasks/alone.toml", "version = 1\nor_modified = true\n");
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 2 problems
    tasks/alone.toml:2: or_modified: it widens `refreshed_within`, which isn't there
        hint: write `refreshed_within` as well
    tasks/wrong.toml:2: refreshed_within: `2 hours` is no duration
        hint: write 0, or numbers with units (w, d, h, m, s, ms) such as `3d` or `1h 30m`
    [exit 2]
    ");
}

#[test]
fn whom_a_refresh_keeps_due_is_refreshed_again_by_the_next() {
    let host = refreshed_tenant();
    let feed = host.read("feeds/hr.csv");
    host.write("feeds/hr.csv", feed.replace("Engineering", "Research"));
    aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    host.write("tasks/first.toml", "version = 1\nkeep_due = true\n");
    let report = host.json(["refresh", "--keep-due"]);
    assert_eq!(
        (&report["selected"], &report["changed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(report["events"]["mover"], 1);
    let report = host.json(["refresh", "--task", "first"]);
    assert_eq!(
        (&report["selected"], &report["changed"]),
        (&1.into(), &0.into())
    );
    assert_eq!(report["events"], serde_json::json!({}));
    assert_eq!(selected(&host, &[]), 1);
    assert_eq!(selected(&host, &[]), 0, "the last one didn't keep it");
}

#[test]
fn criteria_by_time_are_explained_like_any_other() {
    let host = refreshed_twice();
    let shown = host.run([
        "refresh",
        "--explain-selection",
        "--as-of",
        "2026-03-05T12:00:00Z",
        "--group",
        "department=Sales",
        "--not-refreshed-for",
        "1d",
        "--refreshed-within",
        "7d",
        "--or-modified",
    ]);
    insta::assert_snapshot!(shown, @r"
    criterion                      lets through  with those above
    group                                     2                 2
    not-refreshed-for                         2                 1
    refreshed-within, or-modified             3                 1
    1 of 3 identities would be refreshed
    [exit 0]
    ");
}
