//! What people decide: roles assigned and denied, lifecycle states, each with
//! an actor and a reason, for as long as it was meant to hold.

use crate::common::TestHost;
use crate::small_tenant::{dated_tenant, refreshed_tenant};

/// Refreshes who is due, at an instant; returns the report.
fn refresh(host: &TestHost, as_of: &str) -> serde_json::Value {
    host.json(["refresh", "--as-of", as_of])
}

fn roles(host: &TestHost, name: &str) -> Vec<String> {
    let shown = host.json(["identity", "show", name]);
    let roles = shown["assigned_roles"].as_array().expect("a list");
    let names = roles.iter().filter_map(|role| role.as_str());
    names.map(str::to_owned).collect()
}

fn state(host: &TestHost, name: &str) -> String {
    let shown = host.json(["identity", "show", name]);
    shown["lifecycle_state"]
        .as_str()
        .expect("a state")
        .to_owned()
}

/// Gives a command by which a person decides something, which must be accepted.
fn decide(host: &TestHost, arguments: &[&str]) -> serde_json::Value {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    host.json(arguments.iter().copied().chain(why))
}

#[test]
fn a_role_assigned_by_hand_begins_and_ends_by_itself() {
    let host = refreshed_tenant();
    let window = ["--from", "2026-03-05T08:00", "--until", "2026-03-09T18:00"];
    decide(
        &host,
        &[&["role", "assign", "carol", "Sales"][..], &window].concat(),
    );
    refresh(&host, "2026-03-05T06:59:59Z");
    assert_eq!(roles(&host, "carol"), [""; 0]);
    let due = host.json(["due", "--within", "1d"]);
    assert_eq!(due[0]["name"], "carol", "{due}");
    let begun = refresh(&host, "2026-03-05T07:00:00Z");
    assert_eq!(begun["selected"], 1);
    assert_eq!(roles(&host, "carol"), ["Sales"]);
    refresh(&host, "2026-03-09T17:00:00Z");
    assert_eq!(roles(&host, "carol"), [""; 0]);
}

#[test]
fn a_denied_role_is_not_given_by_its_selector_until_the_denial_ends() {
    let host = refreshed_tenant();
    assert_eq!(roles(&host, "bob"), ["Sales"]);
    decide(
        &host,
        &["role", "deny", "bob", "Sales", "--until", "2026-03-19"],
    );
    refresh(&host, "2026-03-02T08:00:00Z");
    assert_eq!(roles(&host, "bob"), [""; 0]);
    refresh(&host, "2026-03-20T08:00:00Z");
    assert_eq!(roles(&host, "bob"), ["Sales"]);
}

#[test]
fn a_denial_survives_the_selector_not_matching_and_yields_to_an_assignment() {
    let host = refreshed_tenant();
    // Carol is no seller: nothing to take away now, and nothing later.
    decide(&host, &["role", "deny", "carol", "Sales"]);
    host.write(
        "feeds/hr.csv",
        "id,user,name,department,salary,supervisor\n3,carol,Carol Cole,Sales,1,\n",
    );
    let aggregated = host.json(["aggregate", "hr", "--as-of", "2026-03-02T08:00:00Z"]);
    assert_eq!(aggregated["status"], "done");
    refresh(&host, "2026-03-02T09:00:00Z");
    assert_eq!(roles(&host, "carol"), [""; 0]);
    decide(&host, &["role", "assign", "carol", "Sales"]);
    refresh(&host, "2026-03-02T09:00:00Z");
    assert_eq!(roles(&host, "carol"), ["Sales"]);
    decide(&host, &["role", "revoke", "carol", "Sales"]);
    refresh(&host, "2026-03-02T09:00:00Z");
    assert_eq!(
        roles(&host, "carol"),
        ["Sales"],
        "now its selector gives it"
    );
}

#[test]
fn what_a_decision_replaces_or_does_not_do_is_said() {
    let host = refreshed_tenant();
    let said = |arguments: &[&str]| {
        let why = ["--reason", "a ticket", "--actor", "dora"];
        host.run(arguments.iter().copied().chain(why))
    };
    let window = ["role", "assign", "carol", "Sales", "--from", "2026-05-01"];
    insta::assert_snapshot!(said(&window), @r"
    role `Sales` of `carol` is assigned from 2026-04-30T22:00:00Z, once refreshed: idr refresh --identity carol
    [exit 0]
    ");
    insta::assert_snapshot!(said(&["role", "assign", "carol", "Sales"]), @r"
    role `Sales` of `carol` is assigned, once refreshed: idr refresh --identity carol
    this replaces: assigned by dora at 2026-03-01T08:00:00Z
    [exit 0]
    ");
    insta::assert_snapshot!(said(&["role", "deny", "carol", "Sales"]), @r"
    role `Sales` of `carol` is denied, once refreshed: idr refresh --identity carol
    it stays assigned by dora at 2026-03-01T08:00:00Z: `idr role revoke` ends that
    [exit 0]
    ");
    insta::assert_snapshot!(said(&["role", "revoke", "carol", "Sales"]), @r"
    role `Sales` of `carol` is revoked, once refreshed: idr refresh --identity carol
    it is no longer assigned by dora at 2026-03-01T08:00:00Z
    it is no longer denied by dora at 2026-03-01T08:00:00Z
    [exit 0]
    ");
}

#[test]
fn a_state_set_by_hand_outranks_the_rule_and_ends_by_itself() {
    let host = dated_tenant();
    decide(
        &host,
        &[
            "identity",
            "state",
            "carol",
            "inactive",
            "--until",
            "2026-03-10T12:00",
        ],
    );
    let report = refresh(&host, "2026-03-02T08:00:00Z");
    assert_eq!(report["events"]["leaver"], 1);
    assert_eq!(state(&host, "carol"), "inactive");
    assert_eq!(
        roles(&host, "carol"),
        [""; 0],
        "automatic roles go with the state"
    );
    refresh(&host, "2026-03-10T10:59:59Z");
    assert_eq!(state(&host, "carol"), "inactive");
    refresh(&host, "2026-03-10T11:00:00Z");
    assert_eq!(state(&host, "carol"), "active");
    decide(&host, &["identity", "state", "carol", "leave"]);
    refresh(&host, "2026-03-10T11:00:00Z");
    assert_eq!(state(&host, "carol"), "leave");
    decide(&host, &["identity", "state", "carol", "--take-back"]);
    refresh(&host, "2026-03-10T11:00:00Z");
    assert_eq!(state(&host, "carol"), "active");
}

#[test]
fn a_state_that_was_set_does_not_outlast_its_end_because_the_rule_fails() {
    let host = dated_tenant();
    refresh(&host, "2026-03-31T15:00:00Z");
    assert_eq!(state(&host, "alice"), "inactive");
    let active = [
        "identity",
        "state",
        "alice",
        "active",
        "--until",
        "2026-04-01",
    ];
    decide(&host, &active);
    // From now on the rule can't tell when her last day is over.
    host.write(
        "feeds/hr.csv",
        "id,user,endDate,endTime,zone\n1,alice,2026-03-31,5 pm,\n3,carol,,,\n",
    );
    let aggregated = host.json(["aggregate", "hr", "--as-of", "2026-04-01T08:00:00Z"]);
    assert_eq!(aggregated["status"], "done");
    refresh(&host, "2026-04-01T09:00:00Z");
    assert_eq!(state(&host, "alice"), "active");
    refresh(&host, "2026-04-02T09:00:00Z");
    assert_eq!(state(&host, "alice"), "inactive");
    let again = host.json(["refresh", "--all", "--as-of", "2026-04-02T09:00:00Z"]);
    assert_eq!(again["changed"], 0);
    assert_eq!(roles(&host, "alice"), [""; 0]);
}

#[test]
fn a_state_keeps_or_takes_away_what_people_have_assigned() {
    let host = dated_tenant();
    host.write(
        "roles/more.toml",
        "version = 1\n[[role]]\nname = \"Laptop\"\ntype = \"business\"\nselector = { filter = 'name == \"nobody\"' }\n",
    );
    decide(&host, &["role", "assign", "alice", "Laptop"]);
    refresh(&host, "2026-03-02T08:00:00Z");
    assert_eq!(roles(&host, "alice"), ["Laptop", "Staff"]);
    decide(&host, &["identity", "state", "alice", "inactive"]);
    refresh(&host, "2026-03-02T08:00:00Z");
    assert_eq!(
        roles(&host, "alice"),
        ["Laptop"],
        "requests are kept by default"
    );
    let lifecycle = host.read("lifecycle.toml");
    let removing = lifecycle.replace(
        "automatic_roles = \"remove\"",
        "automatic_roles = \"remove\"\nrequested_roles = \"remove\"",
    );
    host.write("lifecycle.toml", removing);
    refresh(&host, "2026-03-02T08:00:00Z");
    assert_eq!(roles(&host, "alice"), [""; 0]);
    decide(&host, &["identity", "state", "alice", "--take-back"]);
    refresh(&host, "2026-03-02T08:00:00Z");
    assert_eq!(roles(&host, "alice"), ["Laptop", "Staff"]);
}

#[test]
fn decisions_are_shown_wherever_the_identity_is() {
    let host = dated_tenant();
    decide(
        &host,
        &["role", "deny", "alice", "Staff", "--until", "2026-05-01"],
    );
    decide(&host, &["identity", "state", "alice", "leave"]);
    refresh(&host, "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(host.run(["identity", "show", "alice"]), @r"
    alice (person, uid 1)
      lifecycle state  leave since 2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)
      manager          none
      wakes up         2026-05-01T22:00:00Z (2026-05-02 00:00:00 in Europe/Berlin)
      attributes
        endDate    2026-03-31  hr endDate
        endTime    17:00       hr endTime
        startDate  2020-01-01  static
        status     employed    static
      by hand
        state leave                              by dora at 2026-03-01T08:00:00Z  a ticket
        Staff denied until 2026-05-01T22:00:00Z  by dora at 2026-03-01T08:00:00Z  a ticket
      accounts
        hr  1  enabled  created
    [exit 0]
    ");
    let shown = host.json(["identity", "show", "alice"]);
    assert_eq!(shown["role_decisions"][0]["verdict"], "denied");
    assert_eq!(shown["role_decisions"][0]["actor"], "dora");
    assert_eq!(shown["state_override"]["state"], "leave");
}

#[test]
fn who_has_set_a_state_is_said_while_it_holds() {
    let host = dated_tenant();
    let leave = [
        "identity",
        "state",
        "alice",
        "leave",
        "--until",
        "2026-03-05T08:00",
    ];
    decide(&host, &leave);
    decide(&host, &["identity", "state", "bob", "leave"]);
    refresh(&host, "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(host.run(["identity", "list"]), @r"
    name   type    lifecycle state      roles  findings
    alice  person  leave (set by dora)  Staff
    bob    person  leave (set by dora)  Staff
    carol  person  active               Staff
    [exit 0]
    ");
    let listed = host.json(["identity", "list"]);
    let set = |listed: &serde_json::Value, place: usize| listed[place]["state_override"].clone();
    assert_eq!(set(&listed, 0)["actor"], "dora");
    assert_eq!(set(&listed, 0)["until"], "2026-03-05T07:00:00Z");
    assert_eq!(set(&listed, 2), serde_json::Value::Null);
    let explained = |name: &'static str| {
        let said = host.run(["identity", "explain", name]);
        said.lines().nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(
        explained("alice"),
        "  state leave set by dora until 2026-03-05T07:00:00Z"
    );
    assert_eq!(
        explained("bob"),
        "  state leave set by dora until it is taken back"
    );
    assert_eq!(explained("carol"), "  reads");
    refresh(&host, "2026-03-05T07:00:00Z");
    let listed = host.json(["identity", "list"]);
    assert_eq!(set(&listed, 0), serde_json::Value::Null);
    assert_eq!(set(&listed, 1)["state"], "leave");
    assert_eq!(explained("alice"), "  reads");
}

#[test]
fn a_decision_that_makes_no_sense_is_refused() {
    let host = refreshed_tenant();
    let refused = |arguments: &[&str]| {
        let why = ["--reason", "a ticket"];
        host.run(arguments.iter().copied().chain(why))
    };
    insta::assert_snapshot!(refused(&["role", "assign", "carol", "Sale"]), @r"
    error: there is no role `Sale`
    hint: do you mean `Sales`?
    [exit 2]
    ");
    insta::assert_snapshot!(refused(&["role", "assign", "carol", "CRM user"]), @r"
    error: nobody assigns roles of type `it` such as `CRM user`
    hint: assign a role that requires it, or assign it `--within` one that permits it
    [exit 2]
    ");
    insta::assert_snapshot!(refused(&["role", "revoke", "bob", "Sales"]), @r"
    error: nobody has decided anything about role `Sales` of `bob`
    hint: its selector gives it; see `idr role deny --help`
    [exit 2]
    ");
    insta::assert_snapshot!(refused(&["role", "deny", "bob", "Sales", "--until", "2026-02-01"]), @r"
    error: `--until` has passed already
    [exit 2]
    ");
    insta::assert_snapshot!(refused(&["identity", "state", "bob", "activ"]), @r"
    error: there is no lifecycle state `activ`
    hint: do you mean `active`?
    [exit 2]
    ");
    insta::assert_snapshot!(refused(&["identity", "state", "bob", "--take-back"]), @r"
    error: nobody has set the state of `bob`
    [exit 2]
    ");
}

#[test]
fn a_manager_who_left_is_a_finding_about_those_who_stay() {
    let host = refreshed_tenant();
    let states = host.read("lifecycle.toml") + "[states.gone]\ninactive = true\n";
    host.write("lifecycle.toml", states);
    let about = |host: &TestHost| {
        let findings = host.json(["finding", "list"]);
        let findings = findings.as_array().expect("a list").clone();
        let mut names: Vec<String> = findings
            .iter()
            .filter(|finding| finding["cause"] == "manager-inactive")
            .map(|finding| finding["name"].as_str().expect("a name").to_owned())
            .collect();
        names.sort();
        names
    };
    decide(&host, &["identity", "terminate", "alice"]);
    assert_eq!(about(&host), ["bob", "carol"]);
    decide(&host, &["identity", "terminate", "bob"]);
    assert_eq!(about(&host), ["carol"]);
    decide(&host, &["identity", "state", "alice", "--take-back"]);
    refresh(&host, "2026-03-02T08:00:00Z");
    assert_eq!(about(&host), [""; 0]);
}

/// Alice is in Berlin, bob in New York; at the tenant the day ends at 17:00.
#[test]
fn a_day_as_an_end_is_the_last_day_in_the_identitys_zone() {
    let host = dated_tenant();
    let settings = host.read("idr.toml");
    host.write(
        "idr.toml",
        settings.replace("zone = ", "end_of_day = 17:00:00\nzone = "),
    );
    let until = |command: &[&str]| {
        let more = ["--until", "2026-03-20", "--reason", "a visit"];
        let shown = host.run(command.iter().copied().chain(more));
        assert!(shown.ends_with("[exit 0]"), "{shown}");
    };
    until(&["identity", "state", "bob", "leave"]);
    until(&["role", "deny", "alice", "Staff"]);
    let exported = host.run(["state", "export", "--canonical"]);
    assert!(
        exported.contains(r#""until":"2026-03-20T21:00:00Z""#),
        "{exported}"
    );
    assert!(
        exported.contains(r#""until":"2026-03-20T16:00:00Z""#),
        "{exported}"
    );
    let states = |at: &str| {
        let refreshed = host.json(["refresh", "--as-of", at]);
        assert_eq!(refreshed["status"], "done");
        let shown = host.json(["identity", "show", "bob"]);
        shown["lifecycle_state"].clone()
    };
    assert_eq!(states("2026-03-20T20:59:59Z"), "leave");
    assert_eq!(states("2026-03-20T21:00:00Z"), "active");
}
