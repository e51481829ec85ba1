//! The selection of `refresh`: each option narrows it, and they are ANDed.

use crate::common::TestHost;
use crate::small_tenant::{dated_tenant, refreshed_tenant};

/// Refreshes with these options; returns how many were selected.
pub(crate) fn selected(host: &TestHost, options: &[&str]) -> u64 {
    let report = host.json(["refresh"].into_iter().chain(options.iter().copied()));
    report["selected"].as_u64().expect("a number")
}

/// The tenant, with two populations.
fn with_populations() -> TestHost {
    let host = refreshed_tenant();
    host.write(
        "populations.toml",
        "version = 1\n\
         [populations.Sellers]\n\
         filter = 'department == \"Sales\"'\n\
         [populations.Managers]\n\
         filter = 'name == \"alice\"'\n",
    );
    host
}

#[test]
fn a_filter_selects_who_fulfils_it_due_or_not() {
    let host = refreshed_tenant();
    assert_eq!(selected(&host, &[]), 0);
    assert_eq!(selected(&host, &["--all"]), 3);
    let sales = "department == \"Sales\"";
    assert_eq!(selected(&host, &["--filter", sales]), 2);
    assert_eq!(
        selected(&host, &["--filter", sales, "--identity", "bob"]),
        1
    );
    assert_eq!(selected(&host, &["--filter", sales, "--due"]), 0);
    let edit = [
        "identity",
        "edit",
        "bob",
        "nicknames",
        "bobby",
        "--reason",
        "r",
    ];
    assert!(host.run(edit).ends_with("[exit 0]"));
    assert_eq!(selected(&host, &["--filter", sales, "--due"]), 1);
}

#[test]
fn an_empty_selection_refreshes_nobody() {
    let host = refreshed_tenant();
    let report = host.json(["refresh", "--filter", "department == \"Nowhere\""]);
    assert_eq!(report["selected"], 0);
    assert_eq!(report["refreshed"], 0);
    assert_eq!(report["scope"], "chosen");
    let report = host.json(["refresh", "--dry-run", "--filter", "name == \"bob\""]);
    assert_eq!(report["selected"], 1);
}

#[test]
fn populations_and_groups_are_ored_and_everything_else_is_anded() {
    let host = with_populations();
    // What kind of thing a population means for somebody isn't told apart yet.
    assert_eq!(selected(&host, &[]), 3);
    assert_eq!(selected(&host, &["--population", "Sellers"]), 2);
    assert_eq!(selected(&host, &["--population", "Managers"]), 1);
    let both = ["--population", "Sellers", "--population", "Managers"];
    assert_eq!(selected(&host, &both), 2);
    let and = ["--population", "Sellers", "--filter", "name != \"alice\""];
    assert_eq!(selected(&host, &and), 1);
    assert_eq!(selected(&host, &["--group", "department=Sales"]), 2);
    assert_eq!(selected(&host, &["--group", "nicknames="]), 3);
    assert_eq!(selected(&host, &["--group", "department="]), 0);
    let both = ["--population", "Managers", "--group", "name=carol"];
    assert_eq!(selected(&host, &both), 2);
    let either = ["--group", "name=carol", "name=bob"];
    assert_eq!(selected(&host, &either), 2);
    host.write(
        "tasks/group.toml",
        "version = 1\npopulation = [\"Managers\"]\ngroup = [\"department=Engineering\"]\n",
    );
    assert_eq!(selected(&host, &["--task", "group"]), 2);
    for (group, message) in [
        ("department", "`department` is no group"),
        ("departement=Sales", "hint: write `department`"),
    ] {
        let shown = host.run(["refresh", "--group", group]);
        assert!(shown.ends_with("[exit 2]"), "{shown}");
        assert!(shown.contains(message), "{shown}");
    }
}

#[test]
fn a_task_says_whom_to_refresh_and_options_narrow_it() {
    let host = with_populations();
    host.write("tasks/everybody.toml", "version = 1\nall = true\n");
    host.write("tasks/due.toml", "version = 1\n");
    host.write(
        "tasks/sellers.toml",
        "version = 1\npopulation = [\"Sellers\"]\nfilter = 'name != \"alice\"'\nexclude_inactive = true\n",
    );
    assert_eq!(selected(&host, &["--task", "due"]), 3);
    assert_eq!(selected(&host, &["--task", "due"]), 0);
    assert_eq!(selected(&host, &["--task", "everybody"]), 3);
    assert_eq!(selected(&host, &["--task", "sellers"]), 1);
    let carol = ["--task", "everybody", "--identity", "carol"];
    assert_eq!(selected(&host, &carol), 1);
    insta::assert_snapshot!(host.run(["refresh", "--task", "seller"]), @r"
    error: there is no task `seller`
    hint: do you mean `sellers`?
    [exit 2]
    ");
}

#[test]
fn a_task_that_says_nothing_means_who_is_due_whatever_narrows_it() {
    let host = refreshed_tenant();
    host.write("tasks/nothing.toml", "version = 1\n");
    assert_eq!(selected(&host, &["--task", "nothing"]), 0);
    let narrowed = ["--task", "nothing", "--filter", "department == \"Sales\""];
    assert_eq!(selected(&host, &narrowed), 0);
    for options in [&["--task", "nothing"][..], &[]] {
        let explain = ["refresh", "--explain-selection"].iter().chain(options);
        let explained = host.json(explain.copied());
        assert_eq!(explained["selected"], 0, "{explained}");
        assert_eq!(explained["criteria"][0]["criterion"], "due");
    }
}

#[test]
fn what_the_configuration_makes_due_counts_before_anybody_is_chosen() {
    let host = dated_tenant();
    assert_eq!(selected(&host, &["--as-of", "2026-03-31T15:00:00Z"]), 1);
    let active = ["--exclude-inactive"];
    assert_eq!(selected(&host, &active), 2);
    let lifecycle = host.read("lifecycle.toml");
    let keeping = lifecycle.replace(
        "automatic_roles = \"remove\"",
        "automatic_roles = \"freeze\"",
    );
    host.write("lifecycle.toml", keeping);
    let dry = ["--exclude-inactive", "--dry-run"];
    assert_eq!(selected(&host, &dry), 3);
    assert_eq!(selected(&host, &active), 3, "the leaver is due");
    assert_eq!(selected(&host, &active), 2);
}

#[test]
fn a_tenant_refreshed_in_parts_fires_events_about_those_it_knows() {
    let host = crate::small_tenant::small_tenant();
    crate::small_tenant::aggregate_all(&host, "2026-03-01T08:00:00Z");
    assert_eq!(selected(&host, &["--identity", "bob"]), 1);
    host.write(
        "feeds/hr.csv",
        "id,user,name,department,salary,supervisor\n2,bob,Bob Beck,Engineering,1,\n",
    );
    crate::small_tenant::aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    let report = host.json(["refresh", "--identity", "bob"]);
    assert_eq!(report["events"]["mover"], 1, "{report}");
    let report = host.json(["refresh", "--identity", "alice"]);
    assert_eq!(
        report["events"],
        serde_json::json!({}),
        "a first refresh is silent"
    );
}

#[test]
fn a_list_of_names_is_read_from_a_file() {
    let host = refreshed_tenant();
    host.write("list.txt", "\u{feff}alice\r\n\r\n  carol \r\nalice\r\n");
    let list = host.path("list.txt");
    let list = list.to_str().expect("UTF-8");
    assert_eq!(selected(&host, &["--identities-from", list]), 2);
    host.write("list.txt", "alice\nalcie\nbob\ncarrol\n");
    let shown = host.run(["refresh", "--identities-from", "list.txt"]);
    insta::assert_snapshot!(shown, @r"
    error: the list `list.txt` has 2 names that no identity has: `alcie` (line 2), `carrol` (line 4)
    hint: correct the list, or take them out; see `idr identity list`
    [exit 2]
    ");
}

#[test]
fn a_task_may_have_a_list_of_names() {
    let host = refreshed_tenant();
    let everybody = "version = 1\nfilter = 'name.notNull()'\n";
    host.write("tasks/everybody.toml", everybody);
    let listed = format!("{everybody}identities_from = \"lists/some.txt\"\n");
    host.write("tasks/listed.toml", listed);
    let said = host.run(["refresh", "--task", "listed"]);
    assert!(said.contains("lists/some.txt` can't be read"), "{said}");
    assert!(said.ends_with("[exit 2]"), "{said}");
    host.write("lists/some.txt", "alice\n\ncarol\n");
    assert_eq!(selected(&host, &["--task", "everybody"]), 3);
    assert_eq!(selected(&host, &["--task", "listed"]), 2);
    let narrowed = ["--task", "listed", "--identity", "carol", "bob"];
    assert_eq!(selected(&host, &narrowed), 1);
    // It is read when the task starts, wherever that is done from.
    host.write("lists/some.txt", "bob\n");
    let run = host
        .command()
        .current_dir("/")
        .arg("--tenant")
        .arg(host.path(""))
        .args(["refresh", "--task", "listed", "--json"])
        .output()
        .expect("the binary can be started");
    let run: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!(run["selected"], 1, "{run}");
    host.write("lists/some.txt", "alice\nalcie\n");
    let said = host.run(["refresh", "--task", "listed"]);
    assert!(
        said.contains("1 name that no identity has: `alcie` (line 2)"),
        "{said}"
    );
    assert!(said.ends_with("[exit 2]"), "{said}");
}

#[test]
fn a_task_may_name_identities_and_leave_out_who_is_not_due_or_inactive() {
    let host = dated_tenant();
    assert_eq!(selected(&host, &["--as-of", "2026-03-31T15:00:00Z"]), 1);
    let with = |more: &str| {
        let task = format!("version = 1\nfilter = 'name.notNull()'\n{more}\n");
        host.write("tasks/some.toml", task);
        selected(&host, &["--task", "some"])
    };
    assert_eq!(with(""), 3);
    // Alice has left.
    assert_eq!(with("exclude_inactive = true"), 2);
    assert_eq!(with("exclude_inactive = false"), 3);
    assert_eq!(with("identity = [\"alice\", \"carol\"]"), 2);
    assert_eq!(with("identity = [\"alice\"]\nexclude_inactive = true"), 0);
    assert_eq!(with("due = true"), 0);
    let command = ["role", "deny", "carol", "Staff", "--reason", "a ticket"];
    assert!(host.run(command).ends_with("[exit 0]"));
    assert_eq!(with("due = true\nidentity = [\"alice\"]"), 0);
    assert_eq!(with("due = true"), 1);
    assert_eq!(with("due = false"), 3);
    host.write("tasks/some.toml", "version = 1\nidentity = [\"alcie\"]\n");
    insta::assert_snapshot!(host.run(["refresh", "--task", "some"]), @r"
    error: task `some`: there is no identity `alcie`
    hint: correct `identity` in tasks/some.toml
    [exit 2]
    ");
}

#[test]
fn whoever_is_inactive_is_left_out_unless_something_is_due() {
    let host = dated_tenant();
    assert_eq!(selected(&host, &["--as-of", "2026-03-31T15:00:00Z"]), 1);
    let active = ["--exclude-inactive"];
    // Alice has left at 17:00 in Berlin, and Bob has until 17:00 in New York.
    assert_eq!(selected(&host, &active), 2);
    assert_eq!(selected(&host, &["--filter", "name.notNull()"]), 3);
    host.write(
        "feeds/hr.csv",
        "id,user,endDate,endTime,zone\n1,alice,,,\n3,carol,,,\n",
    );
    let aggregated = host.json(["aggregate", "hr", "--as-of", "2026-03-31T16:00:00Z"]);
    assert_eq!(aggregated["status"], "done");
    let shown = host.json(["refresh", "--exclude-inactive"]);
    assert_eq!(
        shown["selected"], 3,
        "Alice is due, since HR says otherwise"
    );
}

#[test]
fn the_wake_ups_of_those_chosen_are_replayed_and_only_theirs() {
    let host = dated_tenant();
    let report = host.json([
        "refresh",
        "--filter",
        "name == \"alice\"",
        "--as-of",
        "2026-04-02T08:00:00Z",
    ]);
    assert_eq!(report["events"]["leaver"], 1);
    let events = host.json(["event", "list"]);
    assert_eq!(events[0]["name"], "alice");
    assert_eq!(events[0]["effective_at"], "2026-03-31T15:00:00Z");
    assert_eq!(events.as_array().map(Vec::len), Some(1));
    let bob = host.json(["identity", "show", "bob"]);
    assert_eq!(bob["lifecycle_state"], "active");
}

#[test]
fn a_selection_is_explained_without_refreshing_anybody() {
    let host = with_populations();
    let options = [
        "refresh",
        "--identity",
        "alice",
        "bob",
        "--filter",
        "department == \"Sales\"",
        "--population",
        "Managers",
        "--exclude-inactive",
        "--explain-selection",
    ];
    insta::assert_snapshot!(host.run(options), @r"
    criterion         lets through  with those above
    identity                     2                 2
    filter                       2                 2
    population                   1                 1
    exclude-inactive             3                 1
    1 of 3 identities would be refreshed
    [exit 0]
    ");
    let runs = host.json(["run", "list"]);
    assert_eq!(runs.as_array().map(Vec::len), Some(1));
}

#[test]
fn what_nobody_can_mean_is_refused() {
    let host = with_populations();
    for options in [
        &["--filter", "departement == \"Sales\""][..],
        &["--population", "Seller"],
        &["--all", "--filter", "name == \"bob\""],
    ] {
        let shown = host.run(["refresh"].into_iter().chain(options.iter().copied()));
        assert!(shown.ends_with("[exit 2]"), "{shown}");
    }
    insta::assert_snapshot!(host.run(["refresh", "--population", "Seller"]), @r"
    error: there is no population `Seller`
    hint: do you mean `Sellers`?
    [exit 2]
    ");
}

#[test]
fn a_workgroup_is_never_refreshed_and_nothing_is_decided_about_it() {
    let host = refreshed_tenant();
    let hr = host.read("applications/hr.toml");
    let groups = hr
        .replace(
            "name = \"user\"",
            "name = \"user\", type = \"workgroup\", rank = 2",
        )
        .replace("feeds/hr.csv", "feeds/groups.csv");
    host.write("applications/groups.toml", groups);
    host.write(
        "feeds/groups.csv",
        "id,user,name,department,salary,supervisor\ng1,platform,Platform,Sales,1,\n",
    );
    crate::small_tenant::aggregate_file(&host, "groups", "2026-03-02T08:00:00Z");
    let listed = host.json(["identity", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(4));
    assert_eq!(listed[3]["type"], "workgroup");
    assert_eq!(selected(&host, &["--all"]), 3);
    assert_eq!(selected(&host, &["--identity", "platform"]), 0);
    assert_eq!(selected(&host, &["--filter", "name == \"platform\""]), 0);
    assert_eq!(selected(&host, &["--all", "--dry-run"]), 3);
    let why = ["--reason", "a ticket"];
    for command in [
        &["role", "assign", "platform", "Sales"][..],
        &["role", "deny", "platform", "Sales"],
        &["role", "revoke", "platform", "Sales"],
        &["identity", "state", "platform", "active"],
        &["identity", "edit", "platform", "nicknames=x"],
        &["identity", "merge", "platform", "alice"],
        &["identity", "merge", "alice", "platform"],
    ] {
        let said = host.run(command.iter().copied().chain(why));
        assert_eq!(
            said, "error: `platform` is a workgroup, which is never refreshed\n[exit 2]",
            "{command:?}"
        );
    }
}

/// Whom the accounts belong to is only known once the refresh has settled it.
#[test]
fn accounts_that_find_their_identity_by_a_refresh_are_counted() {
    let host = crate::small_tenant::small_tenant();
    let ad = host.read("applications/ad.toml");
    let by_name = ad.replace("identity = \"name\"", "identity = \"displayName\"");
    host.write("applications/ad.toml", by_name);
    host.write(
        "feeds/ad.csv",
        "dn,owner,groups\ncn=alice,Alice Ames,crm\ncn=bob,Bob Beck,wiki\ncn=x,Nobody,wiki\n",
    );
    crate::small_tenant::aggregate_all(&host, "2026-03-01T08:00:00Z");
    let run = host.json(["refresh"]);
    assert_eq!(run["counters"]["correlated"], 2);
    assert_eq!(run["counters"]["attributes"], 9);
    assert_eq!(run["counters"]["detectedRoles"], 1);
    let again = host.json(["refresh", "--all"]);
    assert_eq!(again["counters"].get("correlated"), None);
}
