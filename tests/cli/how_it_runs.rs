//! How a refresh runs: threads, chunks, exceptions, one task after the other,
//! and what other processes see of it and ask of it.

use std::path::Path;
use std::time::Duration;

use idr::store::{AuditQuery, Run, RunLock, RunProgress, RunStatus, Scope, Step, Store};
use idr::tenant::{Absent, OpenTenant};

use crate::common::TestHost;
use crate::refresh::run;
use crate::small_tenant::{aggregate_all, aggregate_file, refreshed_tenant, small_tenant};

#[test]
fn a_run_plans_on_as_many_threads_as_it_is_told() {
    let host = refreshed_tenant();
    let threads = |options: &[&str]| {
        let report = host.json(["refresh"].iter().chain(options).copied());
        report["threads"].as_u64().expect("a number")
    };
    assert_eq!(threads(&["--all", "--threads", "3"]), 3);
    let settings = host.read("idr.toml");
    host.write("idr.toml", settings + "[refresh]\nthreads = 5\n");
    assert_eq!(threads(&["--all"]), 5);
    host.write("tasks/two.toml", "version = 1\nthreads = 2\n");
    assert_eq!(threads(&["--task", "two"]), 2);
    assert_eq!(threads(&["--task", "two", "--threads", "1"]), 1);
    let shown = host.run(["refresh", "--threads", "0"]);
    assert!(shown.ends_with("[exit 2]"), "{shown}");
}

#[test]
fn a_chunk_is_what_is_committed_together() {
    let chunks = |options: &[&str]| {
        let host = small_tenant();
        aggregate_all(&host, "2026-03-01T08:00:00Z");
        host.write("tasks/pairs.toml", "version = 1\nchunk_size = 2\n");
        let report = host.json(["refresh"].iter().chain(options).copied());
        assert_eq!(report["changed"], 3);
        let state = host.run(["state", "export", "--canonical"]);
        (
            report["counters"]["chunks"].as_u64().expect("a number"),
            state,
        )
    };
    let (together, state) = chunks(&[]);
    let (alone, same) = chunks(&["--chunk-size", "1"]);
    let (pairs, too) = chunks(&["--task", "pairs"]);
    let on_one_thread = chunks(&["--task", "pairs", "--threads", "1"]);
    assert_eq!(on_one_thread, (pairs, too.clone()));
    let configured = {
        let host = small_tenant();
        let settings = host.read("idr.toml");
        host.write("idr.toml", settings + "[refresh]\nchunk_size = 1\n");
        aggregate_all(&host, "2026-03-01T08:00:00Z");
        let report = host.json(["refresh"]);
        assert_eq!(report["chunk_size"], 1);
        report["counters"]["chunks"].as_u64().expect("a number")
    };
    assert_eq!(configured, alone);
    assert!(
        together < pairs && pairs < alone,
        "{together} {pairs} {alone}"
    );
    assert_eq!([&state, &state], [&same, &too]);
}

/// The tenant, with an attribute that can't be worked out for anybody.
fn with_errors() -> TestHost {
    let host = refreshed_tenant();
    let level = "[attributes.level]\n\
                 type = \"integer\"\n\
                 sources = [{ application = \"hr\", attribute = \"department\" }]\n";
    let identity = host.read("identity.toml");
    host.write("identity.toml", identity + level);
    host
}

#[test]
fn a_run_stops_once_too_many_have_new_errors_and_can_be_resumed() {
    let host = with_errors();
    host.write("tasks/careful.toml", "version = 1\nmax_exceptions = 2\n");
    insta::assert_snapshot!(host.run(["refresh", "--task", "careful"]), @r"
    error: run 2 stopped: 3 identities have new errors, 2 are too many
      alice: attribute-promotion: level: `Sales` is not an integer within +-(2^53 - 1)
      bob: attribute-promotion: level: `Sales` is not an integer within +-(2^53 - 1)
      carol: attribute-promotion: level: `Engineering` is not an integer within +-(2^53 - 1)
    hint: nothing of the wave is written; `idr run resume 2` goes on whatever their number
    [exit 3]
    ");
    let shown = run(&host, &["run", "show", "2"]);
    assert!(
        shown.starts_with("run 2: failed\n  run 2 stopped: 3 identities"),
        "{shown}"
    );
    let findings = host.json(["finding", "list"]);
    assert_eq!(findings, serde_json::json!([]), "nothing is written");
    let report = host.json(["run", "resume", "2"]);
    assert_eq!(
        (&report["status"], &report["findings"]["new"]),
        (&"done".into(), &3.into())
    );
    // They aren't new any more.
    let report = host.json(["refresh", "--all", "--max-exceptions", "1"]);
    assert_eq!(report["status"], "done");
}

/// `idr.toml` says how many are too many, unless a task or the command does.
#[test]
fn how_many_exceptions_are_too_many_may_be_configured() {
    let stopped = |settings: &str, options: &[&str]| {
        let host = with_errors();
        let known = host.read("idr.toml");
        host.write("idr.toml", known + settings);
        let said = host.run(["refresh"].iter().chain(options).copied());
        said.contains("3 identities have new errors")
    };
    assert!(!stopped("", &[]));
    let two = "[refresh]\nmax_exceptions = 2\n";
    assert!(stopped(two, &[]));
    assert!(!stopped(two, &["--max-exceptions", "4"]));
    assert!(!stopped("[refresh]\nmax_exceptions = 4\n", &[]));
}

#[test]
fn a_run_that_stopped_is_not_resumed_once_another_has_begun() {
    let host = with_errors();
    let shown = host.run(["refresh", "--max-exceptions", "1"]);
    assert!(shown.ends_with("[exit 3]"), "{shown}");
    let report = host.json(["refresh"]);
    assert_eq!(
        (&report["run"], &report["selected"]),
        (&3.into(), &3.into())
    );
    let shown = host.run(["run", "resume", "2"]);
    assert!(shown.ends_with("[exit 2]"), "{shown}");
}

#[test]
fn tasks_are_compared_by_option() {
    let host = refreshed_tenant();
    host.write(
        "tasks/a.toml",
        "version = 1\ndue = false\ngroup = [\"department=Sales\"]\n",
    );
    host.write(
        "tasks/b.toml",
        "version = 1\nkeep_due = true\nthreads = 2\n",
    );
    insta::assert_snapshot!(host.run(["options", "--diff", "a", "b"]), @r#"
    option    a                     b     IdentityIQ
    group     ["department=Sales"]  -     filterGroups
    keep_due  -                     true  noResetNeedsRefresh
    threads   -                     2     refreshThreads
    [exit 0]
    "#);
    insta::assert_snapshot!(host.run(["options", "--diff", "a", "a"]), @r"
    no differences
    [exit 0]
    ");
    let shown = host.run(["options", "--diff", "a", "bb"]);
    assert!(shown.contains("do you mean `b`?"), "{shown}");
}

#[test]
fn tasks_of_a_task_run_in_order() {
    let host = refreshed_tenant();
    host.write("tasks/first.toml", "version = 1\nkeep_due = true\n");
    host.write("tasks/second.toml", "version = 1\n");
    host.write(
        "tasks/both.toml",
        "version = 1\ntasks = [\"first\", \"second\"]\n",
    );
    let feed = host.read("feeds/hr.csv");
    host.write("feeds/hr.csv", feed.replace("Engineering", "Research"));
    aggregate_file(&host, "hr", "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(run(&host, &["refresh", "--task", "both"]), @r"
    task first
    run 2: done
      as of      2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   1 identity (who was due), 2 skipped
      refreshed  1 in […]
      changed    1 identity
        1  attribute
      events     1
        1  mover
      findings   0 new, 0 open
    task second
    run 3: done
      as of      2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   1 identity (who was due), 2 skipped
      refreshed  1 in […]
      changed    0 identities
      events     0
      findings   0 new, 0 open
    [exit 0]
    ");
    let steps = host.json(["refresh", "--task", "both"]);
    let selected = |step: usize| (&steps[step]["task"], &steps[step]["selected"]);
    assert_eq!(selected(0), (&"first".into(), &0.into()));
    assert_eq!(selected(1), (&"second".into(), &0.into()));
    for reading in ["--dry-run", "--explain-selection"] {
        let shown = host.run(["refresh", "--task", "both", reading]);
        assert!(shown.ends_with("[exit 2]"), "{shown}");
    }
}

#[test]
fn a_task_that_goes_wrong_is_the_last_unless_told_otherwise() {
    let host = refreshed_tenant();
    host.write("tasks/wrong.toml", "version = 1\nidentity = [\"zoe\"]\n");
    host.write("tasks/right.toml", "version = 1\nall = true\n");
    let sequence = "version = 1\ntasks = [\"wrong\", \"right\"]\n";
    host.write("tasks/stop.toml", sequence);
    host.write(
        "tasks/on.toml",
        format!("{sequence}stop_at_error = false\n"),
    );
    insta::assert_snapshot!(run(&host, &["refresh", "--task", "stop"]), @r"
    task wrong
    error: task `wrong`: there is no identity `zoe`
    hint: correct `identity` in tasks/wrong.toml
    left out: right
    error: task `stop`: 1 of 2 tasks went wrong: wrong
    [exit 3]
    ");
    insta::assert_snapshot!(run(&host, &["refresh", "--task", "on"]), @r"
    task wrong
    error: task `wrong`: there is no identity `zoe`
    hint: correct `identity` in tasks/wrong.toml
    task right
    run 2: done
      as of      2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)
      selected   3 identities (everybody), 0 skipped
      refreshed  3 in […]
      changed    0 identities
      events     0
      findings   0 new, 0 open
    error: task `on`: 1 of 2 tasks went wrong: wrong
    [exit 3]
    ");
}

#[test]
fn a_task_of_tasks_says_nothing_else() {
    let host = refreshed_tenant();
    host.write(
        "tasks/a.toml",
        "version = 1\nall = true\nstop_at_error = true\n",
    );
    host.write(
        "tasks/b.toml",
        "version = 1\ntasks = [\"a\", \"c\"]\nall = true\n",
    );
    host.write("tasks/c.toml", "version = 1\ntasks = [\"a\", \"d\"]\n");
    host.write("tasks/e.toml", "version = 1\ntasks = []\nthreads = 0\n");
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 7 problems
    tasks/a.toml:3: stop_at_error: it is about `tasks`, which isn't there
        hint: leave it out
    tasks/b.toml:2: tasks: `c` consists of tasks itself
        hint: name those instead
    tasks/b.toml:2: tasks: a task that consists of tasks says nothing else
        hint: say it in the files of those
    tasks/c.toml:2: tasks: there is no task `d`
        hint: do you mean `a`?
    tasks/e.toml:2: tasks: a task that consists of tasks says nothing else
        hint: say it in the files of those
    tasks/e.toml:2: tasks: it names no task
        hint: leave it out, or name some
    tasks/e.toml:3: threads: 0 is not between 1 and 1024
    [exit 2]
    ");
}

/// A run that a process is working on, or has left behind.
fn under_way(host: &TestHost) -> OpenTenant {
    let folder = host.path("");
    let tenant = OpenTenant::open(Path::new(&folder), Absent::Refuse).expect("it is there");
    let known = tenant.store.tenant().expect("readable");
    let run = Run {
        as_of: known.last_as_of.expect("something is committed"),
        scope: Scope::All,
        step: Step {
            instant: known.last_as_of.expect("something is committed"),
            wave: 1,
            ..Step::default()
        },
        configuration: known.configuration.expect("one is adopted"),
        ..Run::default()
    };
    let id = tenant.store.begin_run(&run, &[]).expect("accepted");
    assert_eq!(id.0, 2);
    tenant
}

#[test]
fn another_process_sees_how_far_a_run_has_come_and_cancels_it() {
    let host = refreshed_tenant();
    let tenant = under_way(&host);
    let id = idr::store::RunId(2);
    let progress = RunProgress {
        done: 1_200,
        of: 3_000,
        step_ms: 600,
        elapsed_ms: 1_500,
    };
    tenant.store.note_progress(id, &progress).expect("accepted");
    let lock = RunLock::take(tenant.store.path(), Duration::ZERO).expect("it is free");
    insta::assert_snapshot!(run(&host, &["run", "list", "--limit", "1"]), @r"
    run  status   as of                 refreshed  changed  events  findings
      2  running  2026-03-01T08:00:00Z          0        0       0         0
    run 2 is at 2026-03-01T08:00:00Z wave 1 planning: 1,200 of 3,000, 2,000 a second, 1.5 s so far
    [exit 0]
    ");
    let shown = host.json(["run", "show", "current"]);
    assert_eq!(shown["progress"]["identities_per_second"], 2_000.0);
    let cancel = ["run", "cancel", "current", "--reason", "too early"];
    insta::assert_snapshot!(host.run(cancel), @r"
    run 2 stops after the chunk that it is at
    [exit 0]
    ");
    // The process notices.
    drop(lock);
    let report = host.json(["refresh"]);
    assert_eq!(
        (&report["run"], &report["status"]),
        (&3.into(), &"done".into())
    );
    let cancelled = host.json(["run", "show", "2"]);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["refreshed"], 0);
    let run = tenant
        .store
        .run(id)
        .expect("readable")
        .expect("it is there");
    assert_eq!(run.status, RunStatus::Cancelled);
    insta::assert_snapshot!(host.run(cancel), @r"
    error: no run is under way or held
    hint: see `idr run list`
    [exit 2]
    ");
    let audit = tenant
        .store
        .audit_entries(&AuditQuery::default(), 1)
        .expect("readable");
    assert_eq!(
        (audit[0].action.as_str(), audit[0].reason.as_str()),
        ("cancel", "too early")
    );
}

#[test]
fn a_run_that_was_left_behind_or_is_held_is_cancelled_at_once() {
    let host = refreshed_tenant();
    drop(under_way(&host));
    let cancel = ["run", "cancel", "2", "--reason", "r"];
    let shown = run(&host, &cancel);
    assert!(shown.starts_with("run 2: cancelled"), "{shown}");
    assert!(shown.ends_with("[exit 1]"), "{shown}");
    let shown = host.run(cancel);
    insta::assert_snapshot!(shown, @r"
    error: run 2 can't be cancelled: it is cancelled
    hint: see `idr run list`
    [exit 2]
    ");
    let shown = host.run(["run", "resume", "2"]);
    assert!(
        shown.contains("can't be resumed: it is cancelled"),
        "{shown}"
    );
}

/// It would plan by the old one, and whom the new one concerns would be due no more.
#[test]
fn a_run_that_was_left_behind_does_not_go_on_once_another_configuration_is_adopted() {
    let host = refreshed_tenant();
    drop(under_way(&host));
    host.write(
        "roles/late.toml",
        "[[role]]\nname = \"Late\"\ntype = \"business\"\nselector = { filter = 'name.notNull()' }\n",
    );
    let aggregated = host.run(["aggregate", "hr"]);
    assert!(aggregated.ends_with("[exit 0]"), "{aggregated}");
    let resumed = host.run(["run", "resume", "2"]);
    insta::assert_snapshot!(resumed, @r"
    error: run 2 is not the last one, or another configuration was adopted since
    hint: refresh, and decide about what the new run holds or leaves out
    [exit 2]
    ");
    let report = host.json(["refresh"]);
    assert_eq!(
        (&report["run"], &report["status"]),
        (&3.into(), &"done".into())
    );
    assert_eq!(host.json(["run", "show", "2"])["status"], "superseded");
    let listed = host.json(["identity", "list"]);
    for row in listed.as_array().expect("a list") {
        let name = row["name"].as_str().expect("a name");
        let shown = host.run(["identity", "show", name]);
        assert!(shown.contains("Late"), "{shown}");
    }
}
