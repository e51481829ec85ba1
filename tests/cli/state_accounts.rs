//! What lifecycle states do with accounts, and what triggers' handlers are to do:
//! recorded once, when its time has come, and withdrawn when it is called off.

use crate::common::TestHost;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    zone = "Europe/Berlin"
    //- applications/hr.toml
    vanish_grace = "0"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "id"
    [schema]
    user = {}
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- applications/ad.toml
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/ad.csv"
    native_identity = "dn"
    status = { column = "status", disabled = ["off"] }
    [schema]
    owner = {}
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    accounts = [{ application = "ad", do = "enable" }]
    [states.gone]
    inactive = true
    accounts = [
        { application = "ad", do = "disable" },
        { application = "ad", do = "move", to = ",ou=gone", after = "30d" },
        { application = "ad", do = "delete", after = "90d" },
    ]
    //- triggers.toml
    [[trigger]]
    name = "leaver"
    on = [{ type = "lifecycle-change", to = "gone" }]
    handlers = [
        { type = "work-item", owner = "manager", description = "Collect the laptop" },
        { type = "workflow", name = "Offboarding" },
    ]
    //- workflows.toml
    [[workflow]]
    name = "Offboarding"
    steps = [{ type = "work-item", owner = "manager", description = "Say goodbye" }]
    //- feeds/hr.csv
    id,user
    1,alice
    2,bob
    //- feeds/ad.csv
    dn,owner,status
    "cn=alice,ou=staff",alice,on
    "cn=bob,ou=staff",bob,on
"#;

/// The tenant, aggregated and refreshed on day 0.
fn tenant() -> TestHost {
    let host = TestHost::with_files(TENANT);
    for application in ["hr", "ad"] {
        let report = host.json(["aggregate", application, "--as-of", "2026-03-01T08:00:00Z"]);
        assert_eq!(report["status"], "done");
    }
    assert_eq!(host.json(["refresh"])["refreshed"], 2);
    host
}

fn set_state(host: &TestHost, arguments: &[&str]) {
    let command = ["identity", "state"].into_iter();
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let arguments = command.chain(arguments.iter().copied()).chain(why);
    assert!(host.json(arguments).is_object());
}

fn refresh(host: &TestHost, as_of: &str) {
    assert_eq!(host.json(["refresh", "--as-of", as_of])["status"], "done");
}

/// Day 0, 30 and 90 of somebody who leaves, and of somebody who returns on day 20.
#[test]
fn accounts_are_disabled_moved_and_deleted_in_time_unless_somebody_returns() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["outbox", "list"]), @r"
    nothing is to be done
    [exit 0]
    ");
    set_state(&host, &["alice", "gone"]);
    set_state(&host, &["bob", "gone"]);
    refresh(&host, "2026-03-01T08:00:00Z");
    insta::assert_snapshot!(host.run(["outbox", "list", "--waiting"]), @r"
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  bob    disable ad cn=bob,ou=staff                         waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  bob    leaver: workflow Offboarding                       waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  bob    leaver: work item for manager: Collect the laptop  waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  disable ad cn=alice,ou=staff                       waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  leaver: workflow Offboarding                       waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  leaver: work item for manager: Collect the laptop  waiting
    [exit 0]
    ");
    // The directory has done as it was told.
    host.write(
        "feeds/ad.csv",
        "dn,owner,status\n\"cn=alice,ou=staff\",alice,off\n\"cn=bob,ou=staff\",bob,off\n",
    );
    let report = host.json(["aggregate", "ad", "--as-of", "2026-03-02T08:00:00Z"]);
    assert_eq!(report["status"], "done");
    refresh(&host, "2026-03-02T08:00:00Z");
    set_state(&host, &["bob", "--take-back"]);
    refresh(&host, "2026-03-21T08:00:00Z");
    insta::assert_snapshot!(host.run(["outbox", "list", "--identity", "bob"]), @r"
    2026-03-21T08:00:00Z (09:00:00 in Europe/Berlin)  bob  enable ad cn=bob,ou=staff                          waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  bob  disable ad cn=bob,ou=staff                         withdrawn
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  bob  leaver: workflow Offboarding                       waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  bob  leaver: work item for manager: Collect the laptop  waiting
    [exit 0]
    ");
    // One refresh after all of it replays each moment.
    refresh(&host, "2026-03-31T07:59:59Z");
    insta::assert_snapshot!(host.run(["outbox", "list", "--identity", "alice"]), @r"
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  disable ad cn=alice,ou=staff                       withdrawn
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  leaver: workflow Offboarding                       waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  leaver: work item for manager: Collect the laptop  waiting
    [exit 0]
    ");
    refresh(&host, "2026-06-30T08:00:00Z");
    insta::assert_snapshot!(host.run(["outbox", "list", "--identity", "alice"]), @r"
    2026-05-30T08:00:00Z (10:00:00 in Europe/Berlin)  alice  delete ad cn=alice,ou=staff                        waiting
    2026-03-31T08:00:00Z (10:00:00 in Europe/Berlin)  alice  move ad cn=alice,ou=staff to ,ou=gone              withdrawn
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  disable ad cn=alice,ou=staff                       withdrawn
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  leaver: workflow Offboarding                       waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  leaver: work item for manager: Collect the laptop  waiting
    [exit 0]
    ");
    let bob = host.json(["outbox", "list", "--identity", "bob", "--waiting"]);
    assert_eq!(bob.as_array().map(Vec::len), Some(3), "{bob}");
    insta::assert_snapshot!(host.run(["identity", "show", "alice"]), @r"
    alice (person, uid 1)
      lifecycle state  gone since 2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin), inactive
      manager          none
      wakes up         never
      by hand
        state gone  by dora at 2026-03-01T08:00:00Z  a ticket
      accounts
        ad  cn=alice,ou=staff  disabled  correlated
        hr  1                  enabled   created
      to be done
        ad cn=alice,ou=staff  delete  since 2026-05-30T08:00:00Z
      latest events
        2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  leaver  alice
            lifecycleState: active -> gone
    [exit 0]
    ");
}

#[test]
fn what_is_called_off_before_it_is_done_is_withdrawn_and_what_is_undone_is_called_for_again() {
    let host = tenant();
    set_state(&host, &["alice", "gone"]);
    refresh(&host, "2026-03-01T08:00:00Z");
    set_state(&host, &["alice", "--take-back"]);
    refresh(&host, "2026-03-01T09:00:00Z");
    let effects = |host: &TestHost| {
        let effects = host.json(["outbox", "list", "--identity", "alice"]);
        let effects = effects.as_array().expect("a list").clone();
        let mut shown: Vec<String> = effects
            .iter()
            .filter(|effect| effect["kind"] == "account")
            .map(|effect| {
                let text = |key: &str| effect[key].as_str().unwrap_or_default().to_owned();
                [text("operation"), text("status"), text("effective_at")].join(" ")
            })
            .collect();
        shown.reverse();
        shown
    };
    assert_eq!(effects(&host), ["disable withdrawn 2026-03-01T08:00:00Z"]);
    set_state(&host, &["alice", "gone"]);
    refresh(&host, "2026-03-01T10:00:00Z");
    let directory = |status: &str, at: &str| {
        host.write(
            "feeds/ad.csv",
            format!("dn,owner,status\n\"cn=alice,ou=staff\",alice,{status}\n"),
        );
        let report = host.json(["aggregate", "ad", "--as-of", at]);
        assert_eq!(report["status"], "done");
        refresh(&host, at);
    };
    directory("off", "2026-03-02T08:00:00Z");
    // Somebody switches it on again over there.
    directory("on", "2026-03-03T08:00:00Z");
    assert_eq!(
        effects(&host),
        [
            "disable withdrawn 2026-03-01T08:00:00Z",
            "disable withdrawn 2026-03-01T10:00:00Z",
            "disable waiting 2026-03-03T08:00:00Z",
        ]
    );
}

/// State, refresh and outbox at once, whatever thresholds say.
#[test]
fn somebody_is_terminated_at_once() {
    let host = tenant();
    let idr = host.read("idr.toml") + "[thresholds]\nleavers = 0\naccount_disables = 0\n";
    host.write("idr.toml", idr);
    let terminate = |name: &'static str, more: &[&'static str]| {
        let why = ["--reason", "gross misconduct", "--actor", "dora"];
        let command = ["identity", "terminate", name];
        host.json(command.into_iter().chain(more.iter().copied()).chain(why))
    };
    let run = terminate("alice", &[]);
    assert_eq!(run["status"], "done", "{run}");
    let alice = host.json(["identity", "show", "alice"]);
    assert_eq!(alice["lifecycle_state"], "gone");
    insta::assert_snapshot!(host.run(["outbox", "list", "--waiting"]), @r"
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  disable ad cn=alice,ou=staff                       waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  leaver: workflow Offboarding                       waiting
    2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  alice  leaver: work item for manager: Collect the laptop  waiting
    [exit 0]
    ");
    // Whoever sets the state otherwise meets the threshold.
    set_state(&host, &["bob", "gone"]);
    let held = host.json(["refresh"]);
    assert_eq!(held["status"], "held");
    let why = ["--reason", "gross misconduct"];
    let command = ["identity", "terminate", "bob", "--state", "gon"];
    insta::assert_snapshot!(host.run(command.into_iter().chain(why)), @r"
    error: there is no lifecycle state `gon`
    hint: do you mean `gone`?
    [exit 2]
    ");
}

#[test]
fn two_identities_that_are_one_person_are_merged_and_split_again() {
    let host = tenant();
    let why = ["--reason", "one person", "--actor", "dora"];
    let said = |arguments: &[&'static str]| host.run(arguments.iter().copied().chain(why));
    insta::assert_snapshot!(said(&["identity", "merge", "alice", "alice"]), @r"
    error: an identity can't be merged into itself
    [exit 2]
    ");
    insta::assert_snapshot!(said(&["identity", "merge", "alice", "bob"]), @r"
    `bob` has 2 accounts of `alice`, from the next refresh on: idr refresh
      ad cn=alice,ou=staff
      hr 1
    [exit 0]
    ");
    refresh(&host, "2026-03-02T08:00:00Z");
    let accounts = |name: &'static str| {
        let shown = host.json(["identity", "show", name]);
        let accounts = shown["accounts"].as_array().expect("a list").clone();
        let keys = accounts
            .iter()
            .map(|account| account["native_identity"].clone());
        (shown["lifecycle_state"].clone(), keys.collect::<Vec<_>>())
    };
    let bobs = ["cn=alice,ou=staff", "cn=bob,ou=staff", "1", "2"].map(Into::into);
    assert_eq!(accounts("bob"), ("active".into(), bobs.to_vec()));
    assert_eq!(accounts("alice"), ("gone".into(), Vec::new()));
    // The next file leaves it at that.
    for application in ["hr", "ad"] {
        let report = host.json(["aggregate", application, "--as-of", "2026-03-03T08:00:00Z"]);
        assert_eq!(report["status"], "done");
    }
    refresh(&host, "2026-03-03T08:00:00Z");
    assert_eq!(accounts("bob"), ("active".into(), bobs.to_vec()));
    let account = ["--account", "hr", "1"];
    let split = |new: &'static str, account: &[&'static str]| {
        said(&[&["identity", "split", "bob", new][..], account].concat())
    };
    insta::assert_snapshot!(split("alice", &account), @r"
    error: there is an identity `alice` already
    hint: idr account link gives `alice` single accounts
    [exit 2]
    ");
    insta::assert_snapshot!(split("alice2", &["--account", "hr", "7"]), @r"
    error: `bob` has no account `7` in `hr`
    hint: idr identity show bob lists them
    [exit 2]
    ");
    insta::assert_snapshot!(split("alice2", &account), @r"
    `alice2` has 1 account of `bob`, from the next refresh on: idr refresh
      hr 1
    [exit 0]
    ");
    refresh(&host, "2026-03-03T08:00:00Z");
    assert_eq!(accounts("alice2"), ("active".into(), vec!["1".into()]));
}

#[test]
fn what_makes_no_sense_is_reported() {
    let host = TestHost::with_files(TENANT);
    host.write(
        "lifecycle.toml",
        r#"
        default_state = "active"
        [states.active]
        accounts = [
            { application = "ad", do = "enable", to = "x" },
            { application = "ad", do = "disable" },
            { application = "add", do = "move", after = "3" },
            { application = "ad", do = "remove" },
        ]
        "#,
    );
    host.write(
        "triggers.toml",
        r#"
        [[trigger]]
        name = "leaver"
        on = [{ type = "create" }]
        handlers = [
            { type = "work-item", description = "x", url = "https://a" },
            { type = "webhook", url = "a.example" },
            { type = "mail" },
        ]
        "#,
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 9 problems
    lifecycle.toml:5: states.active.accounts[0].to: it means nothing for `enable`
    lifecycle.toml:6: states.active.accounts[1].do: `disable` and `enable` of accounts in `ad` don't go together
        hint: leave one of them out
    lifecycle.toml:7: states.active.accounts[2].after: `3` is no duration
        hint: write 0, or numbers with units (w, d, h, m, s, ms) such as `3d` or `1h 30m`
    lifecycle.toml:7: states.active.accounts[2].application: there is no application `add`
        hint: write `ad`
    lifecycle.toml:8: states.active.accounts[3].do: `remove` is not known here
        hint: write `move`
    triggers.toml:6: trigger[leaver].handlers[0].owner: it is missing
    triggers.toml:6: trigger[leaver].handlers[0].url: it means nothing for type `work-item`
    triggers.toml:7: trigger[leaver].handlers[1].url: `a.example` is no address that can be sent to
        hint: write one that begins with https://, or `env:NAME` or `file:PATH` where it is a secret
    triggers.toml:8: trigger[leaver].handlers[2].type: `mail` is not known here
        hint: the words here are work-item, workflow, webhook
    [exit 2]
    ");
}

#[test]
fn handlers_and_applications_ask_the_fallback_where_nobody_else_is_to_be() {
    let host = TestHost::with_files(TENANT);
    let settings = host.read("idr.toml");
    let fallback = "[work_items]\nfallback = \"bob\"\n";
    host.write("idr.toml", format!("{settings}\n{fallback}"));
    for application in ["hr", "ad"] {
        let _ = host.json(["aggregate", application, "--as-of", "2026-03-01T08:00:00Z"]);
    }
    assert_eq!(host.json(["refresh"])["status"], "done");
    let why = ["--reason", "left", "--actor", "dora"];
    let gone = ["identity", "state", "alice", "gone"];
    assert!(host.json(gone.into_iter().chain(why)).is_object());
    assert_eq!(host.json(["refresh"])["status"], "done");
    let passed = host.run(["dispatch", "--once", "--as-of", "2026-03-01T09:00:00Z"]);
    assert!(passed.contains("3 work items opened"), "{passed}");
    let items = host.json(["work-item", "list"]);
    let items = items.as_array().expect("a list").iter();
    let mut asked: Vec<String> = items
        .map(|item| format!("{}: {}", item["owner"], item["description"]))
        .collect();
    asked.sort();
    insta::assert_snapshot!(asked.join("\n"), @r#"
    "bob": "Collect the laptop"
    "bob": "Say goodbye"
    "bob": "disable account `cn=alice,ou=staff` in `ad`"
    "#);
    let id = host.json(["work-item", "list"])[0]["id"].clone();
    let shown = host.run(["work-item", "show", id.as_str().expect("it has one")]);
    let shown = shown
        .lines()
        .filter(|line| !line.contains(id.as_str().expect("it has one")));
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r"
    disable account `cn=alice,ou=staff` in `ad`
      for bob, about alice
      opened 2026-03-01T09:00:00Z (10:00:00 in Europe/Berlin)
      open
    [exit 0]
    ");
}
