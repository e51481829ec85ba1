//! Thresholds: by number, by percentage, over a window, per trigger, and holding
//! the run or only one kind of change.

use serde_json::Value;

use crate::common::TestHost;
use crate::small_tenant::{aggregate_file, dated_tenant};

/// A tenant with three people and these thresholds, and triggers.
fn tenant(thresholds: &str, trigger: &str) -> TestHost {
    let host = dated_tenant();
    host.write(
        "idr.toml",
        format!(
            "version = 1\nname = \"dated\"\nclock = \"simulated\"\nzone = \"Europe/Berlin\"\n\
             [thresholds]\n{thresholds}\n"
        ),
    );
    host.write(
        "triggers.toml",
        format!(
            "[[trigger]]\nname = \"leaver\"\n\
             on = [{{ type = \"lifecycle-change\", from = \"active\", to = \"inactive\" }}]\n{trigger}\n"
        ),
    );
    host
}

/// Of alice, bob and carol only these are still in the file.
fn only(host: &TestHost, people: &[&str], at: &str) -> Value {
    let known = ["alice", "bob", "carol"];
    let mut feed = "id,user,endDate,endTime,zone\n".to_owned();
    for (number, name) in (1..).zip(known) {
        if people.contains(&name) {
            feed += &format!("{number},{name},,,\n");
        }
    }
    host.write("feeds/hr.csv", feed);
    aggregate_file(host, "hr", at);
    host.json(["refresh", "--as-of", at])
}

fn approve(host: &TestHost, run: &str) -> Value {
    let command = [
        "run",
        "approve",
        run,
        "--actor",
        "dora",
        "--reason",
        "looked at",
    ];
    host.json(command)
}

fn states(host: &TestHost) -> Vec<String> {
    let listed = host.json(["identity", "list"]);
    let listed = listed.as_array().expect("a list");
    let states = listed.iter().map(|row| row["lifecycle_state"].as_str());
    states
        .map(|state| state.unwrap_or("none").to_owned())
        .collect()
}

#[test]
fn a_number_holds_the_run_when_more_would_change() {
    let host = tenant("leavers = 1", "");
    let held = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(held["held"], "2 leavers are more than 1");
    assert_eq!(states(&host), ["active"; 3]);
    let host = tenant("leavers = 2", "");
    let done = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(done["status"], "done");
}

#[test]
fn a_percentage_is_of_all_that_it_could_apply_to() {
    let host = tenant("leavers = \"40%\"", "");
    let held = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(
        held["held"],
        "2 leavers are more than 40.00 % of 3, that is 1"
    );
    let host = tenant("leavers = \"70%\"", "");
    let done = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(done["status"], "done");
}

#[test]
fn a_window_counts_what_earlier_runs_did() {
    let thresholds = "leavers = { limit = 1, window = \"7d\" }";
    let host = tenant(thresholds, "");
    let first = only(&host, &["bob", "carol"], "2026-03-10T08:00:00Z");
    assert_eq!(first["status"], "done");
    let second = only(&host, &["carol"], "2026-03-17T07:59:59Z");
    assert_eq!(second["held"], "2 leavers within 7d are more than 1");
    let third = only(&host, &["carol"], "2026-03-17T08:00:00Z");
    assert_eq!(third["status"], "done", "the first is out of the window");
    let host = tenant("leavers = 1", "");
    only(&host, &["bob", "carol"], "2026-03-10T08:00:00Z");
    let second = only(&host, &["carol"], "2026-03-17T07:59:59Z");
    assert_eq!(
        second["status"], "done",
        "without a window each run counts by itself"
    );
}

/// Alice and Bob have ended, and their accounts are still there.
fn ended(host: &TestHost) -> Value {
    host.write(
        "feeds/hr.csv",
        "id,user,endDate,endTime,zone\n1,alice,2026-03-05,,\n2,bob,2026-03-05,,\n3,carol,,,\n",
    );
    aggregate_file(host, "hr", "2026-03-10T08:00:00Z");
    host.json(["refresh", "--as-of", "2026-03-10T08:00:00Z"])
}

/// A tenant that does this with the accounts of leavers.
fn with_accounts(thresholds: &str, operation: &str) -> TestHost {
    let host = tenant(thresholds, "");
    let lifecycle = host.read("lifecycle.toml");
    let accounts = format!("accounts = [{{ application = \"hr\", do = \"{operation}\" }}]\n");
    host.write("lifecycle.toml", lifecycle + &accounts);
    host
}

#[test]
fn roles_that_would_be_lost_are_counted() {
    let host = tenant("role_removals = 1", "");
    let held = ended(&host);
    assert_eq!(held["held"], "2 role_removals are more than 1");
    assert_eq!(states(&host), ["active"; 3]);
    let host = tenant("role_removals = 2", "");
    let done = ended(&host);
    assert_eq!(done["status"], "done");
    assert_eq!(done["counters"]["roleRemovals"], 2);
    assert_eq!(done["counters"]["leavers"], 2);
    assert_eq!(done["counters"]["lifecycleStates"], 2);
    assert_eq!(done["counters"]["assignedRoles"], 2);
}

#[test]
fn accounts_that_would_be_disabled_are_counted() {
    let host = with_accounts("account_disables = 1", "disable");
    let held = ended(&host);
    assert_eq!(held["held"], "2 account_disables are more than 1");
    assert_eq!(states(&host), ["active"; 3]);
    // Another kind of change isn't bound by it.
    let host = with_accounts("account_disables = 1", "delete");
    assert_eq!(ended(&host)["status"], "done");
    let host = with_accounts("account_disables = 2", "disable");
    let done = ended(&host);
    assert_eq!(done["status"], "done");
    assert_eq!(done["counters"]["accountDisables"], 2);
    assert_eq!(done["counters"]["accountDeletions"], 0);
    assert_eq!(done["counters"]["effects"], 2);
}

#[test]
fn accounts_that_would_be_deleted_are_counted() {
    let host = with_accounts("account_deletions = \"40%\"", "delete");
    let held = ended(&host);
    let reason = "2 account_deletions are more than 40.00 % of 3, that is 1";
    assert_eq!(held["held"], reason);
    assert_eq!(host.json(["outbox", "list"]), serde_json::json!([]));
    let approved = approve(&host, &held["run"].to_string());
    assert_eq!(approved["counters"]["accountDeletions"], 2);
    assert_eq!(approved["counters"]["effects"], 2);
    let host = with_accounts("account_deletions = \"70%\"", "delete");
    let done = ended(&host);
    assert_eq!(done["status"], "done");
    assert_eq!(done["counters"]["accountDeletions"], 2);
    assert_eq!(done["counters"]["accountDisables"], 0);
}

/// Whose account is to be disabled is left as they are, state and all.
#[test]
fn disabling_may_be_left_out_while_the_run_goes_on() {
    let thresholds = "account_disables = { limit = 1, on_trip = \"hold-kind\" }";
    let host = with_accounts(thresholds, "disable");
    let run = ended(&host);
    assert_eq!(run["status"], "done");
    let reason = "2 account_disables are more than 1";
    assert_eq!(run["held_kinds"]["account_disables"], reason);
    assert_eq!(run["counters"]["held"], 2);
    assert_eq!(states(&host), ["active"; 3]);
    assert_eq!(host.json(["outbox", "list"]), serde_json::json!([]));
}

#[test]
fn a_kind_of_change_may_be_left_out_while_the_run_goes_on() {
    let thresholds = "leavers = { limit = 1, on_trip = \"hold-kind\" }";
    let host = tenant(thresholds, "");
    host.write(
        "roles/roles.toml",
        "[[role]]\nname = \"Staff\"\ntype = \"business\"\nselector = { filter = 'endDate.isNull()' }\n",
    );
    let run = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(run["status"], "done");
    assert_eq!(run["held_kinds"]["leavers"], "2 leavers are more than 1");
    assert_eq!(run["counters"]["held"], 2);
    assert_eq!(run["counters"]["leavers"], 0);
    assert_eq!(states(&host), ["active"; 3]);
    let due = host.json(["due"]);
    let due: Vec<_> = due
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| &row["name"])
        .collect();
    assert_eq!(due, ["alice", "bob"]);
    // The next run leaves them out again; a person carries it out.
    let again = host.json(["refresh", "--as-of", "2026-03-11T08:00:00Z"]);
    assert_eq!(again["held_kinds"]["leavers"], "2 leavers are more than 1");
    let id = again["run"].to_string();
    assert_eq!(approve(&host, &id)["status"], "done");
    assert_eq!(states(&host), ["inactive", "inactive", "active"]);
}

/// Two end at 17:00: that moment isn't replayed for ever, and approving the run
/// sees to them.
#[test]
fn whoever_is_left_out_does_not_wake_again_at_the_moment_that_passed() {
    let thresholds = "leavers = { limit = 1, on_trip = \"hold-kind\" }";
    let host = tenant(thresholds, "included = 'lifecycleState == \"inactive\"'");
    host.write(
        "feeds/hr.csv",
        "id,user,endDate,endTime,zone\n\
         1,alice,2026-03-10,17:00,\n2,bob,2026-03-10,17:00,\n3,carol,,,\n",
    );
    aggregate_file(&host, "hr", "2026-03-09T08:00:00Z");
    let before = host.json(["refresh", "--as-of", "2026-03-09T08:00:00Z"]);
    assert_eq!(before["status"], "done");
    let run = host.json(["refresh", "--as-of", "2026-03-11T08:00:00Z"]);
    assert_eq!(run["held_kinds"]["leavers"], "2 leavers are more than 1");
    assert_eq!(states(&host), ["active"; 3]);
    let id = run["run"].to_string();
    assert_eq!(approve(&host, &id)["events"]["leaver"], 2);
    let again = ["run", "approve", &id, "--reason", "twice"];
    let again = host.run(again);
    assert!(again.ends_with("[exit 2]"), "{again}");
}

/// Whom the other configuration concerns would be planned by the old one, and be due
/// no more.
#[test]
fn a_held_run_does_not_go_on_once_another_configuration_is_adopted() {
    let host = tenant("leavers = 1", "");
    let held = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    host.write(
        "roles/roles.toml",
        "[[role]]\nname = \"Staff\"\ntype = \"business\"\nselector = { filter = 'endDate.isNull()' }\n",
    );
    aggregate_file(&host, "hr", "2026-03-10T09:00:00Z");
    let id = held["run"].to_string();
    let overtaken = host.run(["run", "approve", &id, "--reason", "looked at"]);
    assert!(
        overtaken.contains("another configuration was adopted since"),
        "{overtaken}"
    );
    assert!(overtaken.ends_with("[exit 2]"), "{overtaken}");
    let again = host.json(["refresh", "--as-of", "2026-03-10T10:00:00Z"]);
    assert_eq!(again["held"], "2 leavers are more than 1");
    let id = again["run"].to_string();
    assert_eq!(approve(&host, &id)["status"], "done");
    assert_eq!(states(&host), ["inactive", "inactive", "active"]);
    let carol = host.run(["identity", "show", "carol"]);
    assert!(carol.contains("Staff"), "{carol}");
    assert_eq!(host.json(["due"]), serde_json::json!([]));
}

#[test]
fn a_triggers_threshold_holds_the_run_before_any_event_is_recorded() {
    let host = tenant("", "threshold = 1");
    let held = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(held["held"], "2 events of `leaver` are more than 1");
    assert_eq!(host.json(["event", "list"]), serde_json::json!([]));
    let id = held["run"].to_string();
    let done = approve(&host, &id);
    assert_eq!(done["events"]["leaver"], 2);
    let host = tenant("", "threshold = 2");
    let done = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(done["events"]["leaver"], 2);
}

#[test]
fn a_triggers_threshold_may_be_a_percentage() {
    let host = tenant("", "threshold = \"40%\"");
    let held = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    let reason = "2 events of `leaver` are more than 40.00 % of 3, that is 1";
    assert_eq!(held["held"], reason);
    let host = tenant("", "threshold = \"70%\"");
    let done = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(done["events"]["leaver"], 2);
}

#[test]
fn a_triggers_window_counts_what_earlier_runs_fired() {
    let host = tenant("", "threshold = { limit = 1, window = \"7d\" }");
    let first = only(&host, &["bob", "carol"], "2026-03-10T08:00:00Z");
    assert_eq!(first["events"]["leaver"], 1);
    let second = only(&host, &["carol"], "2026-03-17T07:59:59Z");
    let reason = "2 events of `leaver` within 7d are more than 1";
    assert_eq!(second["held"], reason);
    let host = tenant("", "threshold = { limit = 1, window = \"7d\" }");
    only(&host, &["bob", "carol"], "2026-03-10T08:00:00Z");
    let second = only(&host, &["carol"], "2026-03-17T08:00:00Z");
    assert_eq!(second["events"]["leaver"], 1, "the first is out of it");
    let host = tenant("", "threshold = 1");
    only(&host, &["bob", "carol"], "2026-03-10T08:00:00Z");
    let second = only(&host, &["carol"], "2026-03-17T07:59:59Z");
    assert_eq!(second["events"]["leaver"], 1, "each run counts by itself");
}

#[test]
fn a_triggers_events_may_be_left_out_while_the_run_goes_on() {
    let host = tenant("", "threshold = { limit = 1, on_trip = \"hold-kind\" }");
    let run = only(&host, &["carol"], "2026-03-10T08:00:00Z");
    assert_eq!(run["status"], "done");
    let reason = "2 events of `leaver` are more than 1";
    assert_eq!(run["held_kinds"]["trigger leaver"], reason);
    assert_eq!(states(&host), ["inactive", "inactive", "active"]);
    assert_eq!(host.json(["event", "list"]), serde_json::json!([]));
    // They stay due and are left out again; a person lets them be recorded.
    let again = host.json(["refresh", "--as-of", "2026-03-11T08:00:00Z"]);
    assert_eq!(again["held_kinds"]["trigger leaver"], reason);
    let id = again["run"].to_string();
    assert_eq!(approve(&host, &id)["events"]["leaver"], 2);
    let after = host.json(["refresh", "--as-of", "2026-03-12T08:00:00Z"]);
    assert_eq!(after["events"], serde_json::json!({}), "each once");
    assert_eq!(after["selected"], 0);
}

#[test]
fn a_threshold_that_makes_no_sense_is_reported() {
    let host = tenant(
        "leavers = { limt = 3 }\nrole_removals = { limit = \"2%\", window = 7, on_trip = \"stop\" }",
        "threshold = { limit = 1, on_trip = \"hold\" }",
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 5 problems
    idr.toml:6: thresholds.leavers.limit: it is missing
    idr.toml:6: thresholds.leavers.limt: this key is unknown
        hint: write `limit`
    idr.toml:7: thresholds.role_removals.on_trip: `stop` is not known here
        hint: the words here are hold-run, hold-kind
    idr.toml:7: thresholds.role_removals.window: `7` is no text
    triggers.toml:4: trigger[leaver].threshold.on_trip: `hold` is not known here
        hint: the words here are hold-run, hold-kind
    [exit 2]
    ");
}
