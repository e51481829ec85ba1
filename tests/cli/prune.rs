//! `identity prune`: who goes, who stays and why.

use crate::common::TestHost;
use crate::small_tenant::{aggregate_all, aggregate_file, small_tenant};

const FEED: &str = "id,user,name,department,salary,supervisor\n";
const GONE: &str = "2026-03-02T08:00:00Z";
const LATER: &str = "2026-04-02T08:00:00Z";

/// A tenant that prunes after 30 days, in which these rows are left of the HR file,
/// and no account in the directory.
fn tenant(rows: &str, settings: &str) -> TestHost {
    tenant_of("person", rows, settings)
}

/// The same where everybody is of a type.
fn tenant_of(identity_type: &str, rows: &str, settings: &str) -> TestHost {
    let host = small_tenant();
    let hr = host.read("applications/hr.toml");
    let name = "name = \"user\"";
    let typed = format!("{name}, type = \"{identity_type}\"");
    host.write("applications/hr.toml", hr.replacen(name, &typed, 1));
    let known = host.read("idr.toml");
    let prune = "[prune]\nwithout_accounts = \"30d\"\n";
    host.write("idr.toml", format!("{known}{prune}{settings}\n"));
    let guard = "[guard]\nvanished = \"off\"\n";
    host.write(
        "applications/ad.toml",
        format!("{}{guard}", host.read("applications/ad.toml")),
    );
    aggregate_all(&host, "2026-03-01T08:00:00Z");
    assert!(host.run(["refresh"]).ends_with("[exit 0]"));
    host.write("feeds/hr.csv", format!("{FEED}{rows}"));
    host.write("feeds/ad.csv", "dn,owner,groups\n");
    aggregate_file(&host, "hr", GONE);
    aggregate_file(&host, "ad", GONE);
    host
}

fn refresh(host: &TestHost, at: &str) {
    assert!(host.run(["refresh", "--as-of", at]).ends_with("[exit 0]"));
}

fn names(host: &TestHost) -> Vec<String> {
    let rows = host.json(["identity", "list"]);
    let rows = rows.as_array().expect("a list").iter();
    let name = |row: &serde_json::Value| row["name"].as_str().expect("a text").to_owned();
    rows.map(name).collect()
}

#[test]
fn who_has_no_account_for_so_long_goes_and_managers_stay() {
    // Alice is their manager, and stays on as that.
    let host = tenant("3,carol,Carol Cole,Engineering,80000,alice\n", "");
    refresh(&host, GONE);
    let early = ["identity", "prune", "--as-of", "2026-03-31T08:00:00Z"];
    insta::assert_snapshot!(host.run(early), @r"
    removed: 0 identities
    [exit 0]
    ");
    let dry = ["identity", "prune", "--dry-run", "--as-of", LATER];
    insta::assert_snapshot!(host.run(dry), @r"
    would be removed: 1 identity
      bob  without an account since 2026-03-02T08:00:00Z
    kept without an account: 1 identity
      alice  without an account since 2026-03-02T08:00:00Z  it is somebody's manager
    [exit 0]
    ");
    assert_eq!(names(&host), ["alice", "bob", "carol"]);
    insta::assert_snapshot!(host.run(["identity", "prune", "--as-of", LATER]), @r"
    removed: 1 identity
      bob  without an account since 2026-03-02T08:00:00Z
    kept without an account: 1 identity
      alice  without an account since 2026-03-02T08:00:00Z  it is somebody's manager
    [exit 0]
    ");
    assert_eq!(names(&host), ["alice", "carol"]);
    let audit = host.json(["audit", "list", "--subject", "bob", "--limit", "1"]);
    assert_eq!(audit[0]["action"], "prune");
    assert!(host.run(["store", "verify"]).ends_with("[exit 0]"));
    // Who comes back is somebody new.
    host.write(
        "feeds/hr.csv",
        format!("{FEED}2,bob,Bob Beck,Sales,60000,alice\n"),
    );
    aggregate_file(&host, "hr", LATER);
    refresh(&host, LATER);
    assert_eq!(host.json(["identity", "show", "bob"])["uid"], 4);
}

#[test]
fn whoever_is_due_is_refreshed_first() {
    let host = tenant("", "");
    let shown = host.json(["identity", "prune", "--dry-run", "--as-of", LATER]);
    assert_eq!(shown["removed"], serde_json::json!([]));
    assert_eq!(shown["kept"][1]["why"], "it is due: a refresh comes first");
}

#[test]
fn who_has_something_open_stays() {
    let everybody = "1,alice,Alice Ames,Sales,70000,\n2,bob,Bob Beck,Sales,60000,alice\n\
                     3,carol,Carol Cole,Engineering,80000,alice\n";
    let host = tenant(everybody, "");
    host.write(
        "triggers.toml",
        "[[trigger]]\nname = \"mover\"\n\
         on = [{ type = \"attribute-change\", attribute = \"department\" }]\n\
         included = 'name == \"bob\"'\n\
         handlers = [{ type = \"work-item\", owner = \"carol\", description = \"Look\" }]\n",
    );
    refresh(&host, GONE);
    // Bob moves, and then all of them are gone.
    let moved = everybody.replace("Beck,Sales", "Beck,IT");
    for (at, rows) in [
        ("2026-03-02T09:00:00Z", moved.as_str()),
        ("2026-03-02T10:00:00Z", ""),
    ] {
        host.write("feeds/hr.csv", format!("{FEED}{rows}"));
        aggregate_file(&host, "hr", at);
        refresh(&host, at);
    }
    let gone = "2026-03-02T10:00:00Z";
    let dispatched = host.run(["dispatch", "--once", "--as-of", gone]);
    assert!(
        dispatched.starts_with("0 done, 1 work item"),
        "{dispatched}"
    );
    let why = |place: usize| {
        let shown = host.json(["identity", "prune", "--dry-run", "--as-of", LATER]);
        shown["kept"][place]["why"].clone()
    };
    assert_eq!(why(1), "something about it waits to be done");
    assert_eq!(why(2), "a work item waits for it: Look");
    let items = host.json(["work-item", "list"]);
    let id = items[0]["id"].as_str().expect("it has one");
    let _ = host.json(["work-item", "complete", id, "--reason", "looked"]);
    assert_eq!(why(1), serde_json::Value::Null);
}

#[test]
fn owners_the_protected_and_those_linked_by_a_person_stay() {
    let host = tenant("", "protect = 'name == \"bob\"'");
    let application = host.read("applications/ad.toml");
    host.write(
        "applications/ad.toml",
        format!("owner = \"carol\"\n{application}"),
    );
    refresh(&host, GONE);
    let shown = host.json(["identity", "prune", "--dry-run", "--as-of", LATER]);
    let why = |place: usize| {
        shown["kept"][place]["why"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(why(0), "it is somebody's manager");
    assert_eq!(why(1), "idr.toml protects it");
    assert_eq!(why(2), "it owns application `ad`");

    let host = tenant("1,alice,Alice Ames,Sales,70000,\n", "");
    let link = ["account", "link", "ad", "cn=bob", "bob", "--reason", "r"];
    let linked = host.run(link);
    assert!(linked.ends_with("[exit 0]"), "{linked}");
    refresh(&host, GONE);
    let shown = host.json(["identity", "prune", "--dry-run", "--as-of", LATER]);
    assert_eq!(
        shown["kept"][0]["why"],
        "a person has linked an account to it"
    );
    assert_eq!(shown["removed"][0]["name"], "carol");
}

#[test]
fn who_owns_roles_or_policies_stays_and_so_do_services_and_bots() {
    let host = tenant("1,alice,Alice Ames,Sales,70000,\n", "");
    let roles = host.read("roles/roles.toml");
    let roles = roles.replacen("[[role]]", "[[role]]\nowner = \"bob\"", 1);
    host.write("roles/roles.toml", roles);
    host.write(
        "policies.toml",
        "[[policy]]\nname = \"second accounts\"\nowner = \"carol\"\n\
         accounts = { application = \"ad\", most = 1 }\n",
    );
    refresh(&host, GONE);
    let kept = |host: &TestHost| -> Vec<String> {
        let shown = host.json(["identity", "prune", "--dry-run", "--as-of", LATER]);
        let kept = shown["kept"].as_array().expect("a list").iter();
        kept.map(|known| format!("{}: {}", known["name"], known["why"]))
            .collect()
    };
    let owners = kept(&host);
    assert_eq!(owners.len(), 2, "{owners:?}");
    assert!(
        owners[0].starts_with("\"bob\": \"it owns role `"),
        "{owners:?}"
    );
    let policy = "\"carol\": \"it owns policy `second accounts`\"";
    assert_eq!(owners[1], policy);
    for (identity_type, expected) in [
        ("service", Some("it is a service")),
        ("bot", Some("it is a bot")),
        ("contractor", None),
        // Nobody expects one to have accounts.
        ("workgroup", None),
    ] {
        let host = tenant_of(identity_type, "1,alice,Alice Ames,Sales,70000,\n", "");
        refresh(&host, GONE);
        let shown = host.json(["identity", "prune", "--dry-run", "--as-of", LATER]);
        let whys = shown["kept"].as_array().expect("a list").iter();
        let whys: Vec<Option<&str>> = whys.map(|known| known["why"].as_str()).collect();
        let removed = shown["removed"].as_array().map(Vec::len);
        match (identity_type, expected) {
            (_, Some(why)) => assert_eq!((whys, removed), (vec![Some(why); 2], Some(0))),
            ("workgroup", None) => assert_eq!((whys.len(), removed), (0, Some(0))),
            (_, None) => assert_eq!((whys.len(), removed), (0, Some(2))),
        }
    }
}

#[test]
fn too_many_hold_all_of_them() {
    let host = tenant("1,alice,Alice Ames,Sales,70000,\n", "most = 1");
    refresh(&host, GONE);
    let held = host.run(["identity", "prune", "--as-of", LATER]);
    assert!(
        held.contains("2 identities to prune are more than 1"),
        "{held}"
    );
    assert!(held.ends_with("[exit 1]"), "{held}");
    host.write("tasks/nightly.toml", "version = 1\nprune = true\n");
    let held = host.run(["refresh", "--task", "nightly", "--as-of", LATER]);
    assert!(
        held.contains("2  identities to prune are too many"),
        "{held}"
    );
    assert!(held.ends_with("[exit 1]"), "{held}");
    assert_eq!(names(&host).len(), 3);
}

#[test]
fn a_task_prunes_once_its_run_is_done() {
    let rows = "1,alice,Alice Ames,Sales,70000,\n3,carol,Carol Cole,Engineering,80000,alice\n";
    let host = tenant(rows, "");
    host.write("tasks/nightly.toml", "version = 1\nprune = true\n");
    host.write("tasks/daily.toml", "version = 1\n");
    refresh(&host, GONE);
    let without = host.json(["refresh", "--task", "daily", "--as-of", LATER]);
    assert_eq!(
        without["counters"]["identitiesPruned"],
        serde_json::Value::Null
    );
    let dry = host.json([
        "refresh",
        "--task",
        "nightly",
        "--dry-run",
        "--as-of",
        LATER,
    ]);
    assert_eq!(dry["counters"]["identitiesPruned"], 1);
    assert_eq!(names(&host).len(), 3);
    let done = host.json(["refresh", "--task", "nightly", "--as-of", LATER]);
    assert_eq!(done["counters"]["identitiesPruned"], 1);
    assert_eq!(names(&host), ["alice", "carol"]);
    let run = host.json(["run", "show", "4"]);
    assert_eq!(run["counters"]["identitiesPruned"], 1, "{run}");
}

#[test]
fn without_settings_nobody_is_pruned_and_that_is_said() {
    let host = small_tenant();
    aggregate_all(&host, "2026-03-01T08:00:00Z");
    insta::assert_snapshot!(host.run(["identity", "prune"]), @r#"
    error: it isn't said which identities to prune
    hint: write a table [prune] with `without_accounts = "90d"` into idr.toml
    [exit 2]
    "#);
}

#[test]
fn whoever_has_decided_something_that_holds_stays() {
    let host = tenant("1,alice,Alice Ames,Sales,70000,\n", "");
    refresh(&host, GONE);
    let state = |how: &[&str]| {
        let command = ["identity", "state", "alice"];
        let why = ["--reason", "r", "--actor", "bob"];
        let command = command.into_iter().chain(how.iter().copied()).chain(why);
        let set = host.run(command);
        assert!(set.ends_with("[exit 0]"), "{set}");
        refresh(&host, GONE);
    };
    let kept = |at: &str| {
        let shown = host.json(["identity", "prune", "--dry-run", "--as-of", at]);
        let kept = shown["kept"].as_array().expect("a list").iter();
        let kept = kept.map(|known| format!("{} {}", known["name"], known["why"]));
        kept.collect::<Vec<_>>().join("; ").replace('"', "")
    };
    assert_eq!(kept(LATER), "");
    state(&["active", "--until", "2026-04-03T08:00:00Z"]);
    let decided = "bob what it has decided holds: the lifecycle state of alice";
    assert_eq!(kept(LATER), decided);
    assert_eq!(kept("2026-04-03T08:00:00Z"), "");
    state(&["--take-back"]);
    assert_eq!(kept(LATER), "");
}
