//! What stands in place of options of IdentityIQ's refresh task that aren't there: what
//! it does where there is something to do, and that it does nothing where there isn't.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::common::TestHost;

/// Two people of whom one sells, with an account in the CRM, and their boss.
const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    vanish_grace = "0"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    boss = {}
    department = {}
    groups = { type = "many", separator = "|", entitlement = true }
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department", on_empty = "clear" }]
    [manager]
    sources = [{ application = "hr", attribute = "boss" }]
    identity_attribute = "name"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    [states.gone]
    inactive = true
    //- roles/roles.toml
    [[role]]
    name = "Sales"
    type = "business"
    selector = { match = { department = "Sales" } }
    requires = ["Seller"]
    [[role]]
    name = "Seller"
    type = "it"
    profiles = [{ application = "crm", entitlements = { groups = ["sell"] } }]
    [[role]]
    name = "Reader"
    type = "it"
    profiles = [{ application = "hr", entitlements = { groups = ["read"] } }]
    //- triggers.toml
    [[trigger]]
    name = "mover"
    on = [{ type = "attribute-change", attribute = "department" }]
"#;

/// What the CRM's accounts are like.
const CRM: &str = r#"
provisioning = true
correlation = [{ account = "owner", identity = "name" }]
[schema]
owner = {}
groups = { type = "many", separator = "|", entitlement = true }
[guard]
new = "off"
[connector]
native_identity = "login"
"#;

const IN_A_FILE: &str = "type = \"delimited-file\"\npath = \"feeds/crm.csv\"\n";
const IN_A_DATABASE: &str = "type = \"sql\"\nurl = \"sqlite:crm.db\"\ntable = \"account\"\n";

const PEOPLE: &str = "alice,olga,Sales,\nbob,olga,IT,\nolga,,Board,\n";

const NOTHING: [&str; 0] = [];

/// A tenant with a CRM in a file, as of the first of March.
fn tenant() -> TestHost {
    tenant_with("")
}

/// The same with these settings more.
fn tenant_with(settings: &str) -> TestHost {
    let host = TestHost::with_files(TENANT);
    host.write("applications/crm.toml", format!("{CRM}{IN_A_FILE}"));
    let idr = host.read("idr.toml");
    host.write("idr.toml", format!("{idr}{settings}"));
    crm_says(&host, "a1,alice,\nb1,bob,\n", "01T08");
    hr_says(&host, PEOPLE, "01T08");
    let run = refresh(&host, "01T08", &[]);
    assert_eq!(run["status"], "done");
    host
}

/// Aggregates what the personnel department says at this hour of that day in March.
fn hr_says(host: &TestHost, rows: &str, at: &str) {
    host.write(
        "feeds/hr.csv",
        format!("user,boss,department,groups\n{rows}"),
    );
    aggregate(host, "hr", at);
}

fn crm_says(host: &TestHost, rows: &str, at: &str) {
    host.write("feeds/crm.csv", format!("login,owner,groups\n{rows}"));
    aggregate(host, "crm", at);
}

fn aggregate(host: &TestHost, application: &str, at: &str) {
    let report = host.json(["aggregate", application, "--as-of", &instant(at)]);
    assert_eq!(report["status"], "done", "{report}");
}

fn instant(at: &str) -> String {
    format!("2026-03-{at}:00:00Z")
}

fn refresh(host: &TestHost, at: &str, options: &[&str]) -> Value {
    let as_of = instant(at);
    let command = ["refresh", "--as-of", &as_of];
    host.json(command.into_iter().chain(options.iter().copied()))
}

fn dispatch(host: &TestHost, at: &str) -> String {
    host.run(["dispatch", "--once", "--as-of", &instant(at)])
}

/// The values of a key in everything that a command lists.
fn listed(host: &TestHost, command: &[&str], key: &str) -> Vec<Value> {
    let listed = host.json(command.iter().copied());
    let listed = listed.as_array().expect("a list").iter();
    listed.map(|known| known[key].clone()).collect()
}

/// Attribute, roles and additional entitlements of somebody.
fn shown(host: &TestHost, name: &str) -> Value {
    let shown = host.json(["identity", "show", name]);
    json!([
        shown["attributes"]["department"],
        shown["assigned_roles"],
        shown["detected_roles"],
        shown["additional_entitlements"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|known| &known["value"])
            .collect::<Vec<_>>(),
    ])
}

#[test]
fn every_refresh_does_all_of_it_for_whom_it_concerns_and_for_nobody_else() {
    let host = tenant();
    assert_eq!(shown(&host, "bob"), json!(["IT", [], [], []]));
    let moved = PEOPLE.replace("bob,olga,IT,", "bob,olga,Sales,read|write");
    hr_says(&host, &moved, "02T08");
    // Not before the refresh.
    assert_eq!(shown(&host, "bob")[0], "IT");
    let run = refresh(&host, "02T08", &[]);
    assert_eq!(run["refreshed"], 1);
    assert_eq!(run["events"], json!({"mover": 1}));
    assert_eq!(
        shown(&host, "bob"),
        json!(["Sales", ["Sales"], ["Reader"], ["write"]])
    );
    // It concerns nobody any more, and whoever is refreshed all the same stays the same.
    let run = refresh(&host, "03T08", &[]);
    assert_eq!((&run["refreshed"], &run["changed"]), (&json!(0), &json!(0)));
    let run = refresh(&host, "03T08", &["--all"]);
    assert_eq!((&run["refreshed"], &run["changed"]), (&json!(3), &json!(0)));
    assert_eq!(listed(&host, &["event", "list"], "name"), ["bob"]);
}

#[test]
fn how_many_somebody_manages_is_counted_when_somebody_asks() {
    let host = tenant();
    let reports = |name: &str| host.json(["identity", "show", name])["reports"].clone();
    assert_eq!((reports("olga"), reports("alice")), (json!(2), json!(0)));
    hr_says(&host, &PEOPLE.replace("bob,olga", "bob,alice"), "02T08");
    // Neither manager has to be refreshed for it.
    let run = refresh(&host, "02T08", &[]);
    assert_eq!(run["refreshed"], 1);
    assert_eq!((reports("olga"), reports("alice")), (json!(1), json!(1)));
}

#[test]
fn who_has_a_role_and_what_it_lacks_is_counted_when_somebody_asks() {
    let host = tenant();
    let counted = || {
        let roles = host.json(["role", "list"]);
        let mut roles = roles.as_array().expect("a list").iter();
        let sales = roles.find(|known| known["name"] == "Sales");
        let sales = sales.expect("it is there");
        (sales["assigned"].clone(), sales["missing"].clone())
    };
    assert_eq!(counted(), (json!(1), json!(1)));
    crm_says(&host, "a1,alice,sell\nb1,bob,\n", "02T08");
    refresh(&host, "02T08", &[]);
    assert_eq!(counted(), (json!(1), json!(0)));
    hr_says(&host, &PEOPLE.replace("Sales", "IT"), "03T08");
    refresh(&host, "03T08", &[]);
    assert_eq!(counted(), (json!(0), json!(0)));
}

#[test]
fn what_is_called_for_is_planned_once_and_again_only_when_something_has_changed() {
    let host = tenant();
    let planned = |run: &Value| run["counters"]["provisioningRequests"].as_u64();
    let effects = || listed(&host, &["outbox", "list"], "native_identity");
    assert_eq!(effects(), ["a1"]);
    // Nothing has changed, whether it waits or was sent.
    assert_eq!(planned(&refresh(&host, "01T09", &["--all"])), None);
    assert!(dispatch(&host, "01T09").contains("1 work item"));
    assert_eq!(planned(&refresh(&host, "01T10", &["--all"])), None);
    assert_eq!(effects(), ["a1"]);
    // Who has changed is called for; who hasn't, not once more.
    hr_says(
        &host,
        &PEOPLE.replace("bob,olga,IT", "bob,olga,Sales"),
        "01T11",
    );
    assert_eq!(planned(&refresh(&host, "01T11", &["--all"])), Some(1));
    assert_eq!(effects(), ["b1", "a1"]);
    // It was done, and somebody has undone it.
    crm_says(&host, "a1,alice,sell\nb1,bob,sell\n", "01T12");
    assert_eq!(planned(&refresh(&host, "01T12", &["--all"])), None);
    crm_says(&host, "a1,alice,\nb1,bob,sell\n", "02T08");
    assert_eq!(planned(&refresh(&host, "02T08", &["--all"])), Some(1));
    assert_eq!(effects(), ["a1", "b1", "a1"]);
}

#[test]
fn what_was_sent_is_confirmed_by_its_account_or_fails_after_a_while() {
    let errors = |run: &Value| run["counters"]["provisioningErrors"].as_u64();
    for settings in ["", "[provisioning]\nconfirm_within = \"2d\"\n"] {
        let host = tenant_with(settings);
        assert!(dispatch(&host, "01T09").contains("1 work item"));
        assert_eq!(errors(&refresh(&host, "02T08", &["--all"])), None);
        let is_late = settings.is_empty().then_some(1);
        assert_eq!(errors(&refresh(&host, "02T10", &["--all"])), is_late);
    }
    let host = tenant();
    assert!(dispatch(&host, "01T09").contains("1 work item"));
    crm_says(&host, "a1,alice,sell\nb1,bob,\n", "01T10");
    refresh(&host, "01T10", &[]);
    assert_eq!(errors(&refresh(&host, "09T08", &["--all"])), None);
    assert_eq!(listed(&host, &["finding", "list"], "message"), NOTHING);
}

#[test]
fn people_do_what_no_connector_can_and_connectors_everything_else() {
    let items = |host: &TestHost| listed(host, &["work-item", "list"], "description");
    let host = tenant();
    let shown = dispatch(&host, "01T09");
    assert!(shown.starts_with("0 done, 1 work item opened"), "{shown}");
    let task = "change account `a1` in `crm`: add sell to groups";
    assert_eq!(items(&host), [task]);

    let host = TestHost::with_files(TENANT);
    host.write("applications/crm.toml", format!("{CRM}{IN_A_DATABASE}"));
    let database = Connection::open(host.path("crm.db")).expect("a file can be made");
    let rows = "CREATE TABLE account (login TEXT PRIMARY KEY, owner TEXT, groups TEXT);
                INSERT INTO account VALUES ('a1', 'alice', NULL), ('b1', 'bob', NULL)";
    database.execute_batch(rows).expect("the statements run");
    hr_says(&host, PEOPLE, "01T08");
    aggregate(&host, "crm", "01T08");
    refresh(&host, "01T08", &[]);
    let shown = dispatch(&host, "01T09");
    assert!(shown.starts_with("1 done, 0 work items opened"), "{shown}");
    assert_eq!(items(&host), NOTHING);
    let groups = "SELECT group_concat(login || ' ' || coalesce(groups, '-'), ', ') FROM account";
    let groups: String = database
        .query_row(groups, [], |row| row.get(0))
        .expect("it can be read");
    assert_eq!(groups, "a1 sell, b1 -");
}

#[test]
fn a_run_that_trips_a_threshold_waits_for_a_person_and_any_other_goes_on() {
    let state = |host: &TestHost| listed(host, &["identity", "list"], "lifecycle_state");
    let leave = |host: &TestHost| {
        for name in ["alice", "bob"] {
            let why = ["--reason", "left", "--actor", "dora"];
            let gone = ["identity", "state", name, "gone"].into_iter().chain(why);
            assert!(host.json(gone).is_object());
        }
        refresh(host, "02T08", &[])
    };
    for settings in ["", "[thresholds]\nleavers = 2\n"] {
        let host = tenant_with(settings);
        assert_eq!(leave(&host)["status"], "done", "{settings}");
        assert_eq!(state(&host), ["gone", "gone", "active"]);
    }
    let host = tenant_with("[thresholds]\nleavers = 1\n");
    let held = leave(&host);
    assert_eq!(held["held"], "2 leavers are more than 1");
    assert_eq!(state(&host), ["active"; 3]);
    // Refreshing again doesn't get around it.
    assert_eq!(refresh(&host, "02T09", &["--all"])["status"], "held");
    assert_eq!(state(&host), ["active"; 3]);
    let number = host.json(["run", "list"])[0]["run"].to_string();
    let why = ["--reason", "a reorganisation", "--actor", "dora"];
    let approve = ["run", "approve", &number].into_iter().chain(why);
    assert_eq!(host.json(approve)["status"], "done");
    assert_eq!(state(&host), ["gone", "gone", "active"]);
}

#[test]
fn accounts_of_a_logical_application_are_there_where_it_is_defined() {
    let host = tenant();
    let accounts = || {
        let shown = host.json(["identity", "show", "alice"]);
        let accounts = shown["accounts"].as_array().expect("a list").iter();
        let names = accounts.map(|known| known["application"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(accounts(), ["crm", "hr"]);
    let portal = "[schema]\nowner = {}\n\
                  [logical]\nprimary = \"crm\"\n\
                  [[logical.tiers]]\napplication = \"crm\"\n\
                  [logical.attributes]\nowner = { application = \"crm\", attribute = \"owner\" }\n";
    host.write("applications/portal.toml", portal);
    refresh(&host, "02T08", &[]);
    assert_eq!(accounts(), ["crm", "hr", "portal"]);
    // Whoever has no part of it has none.
    let olga = host.json(["identity", "show", "olga"]);
    assert_eq!(olga["accounts"].as_array().map(Vec::len), Some(1));
    std::fs::remove_file(host.path("applications/portal.toml")).expect("it is there");
    refresh(&host, "03T08", &[]);
    assert_eq!(accounts(), ["crm", "hr"]);
}

#[test]
fn groups_and_scopes_are_there_as_long_as_somebody_is_in_them() {
    let host = tenant();
    host.write("risk.toml", "");
    refresh(&host, "01T09", &[]);
    let groups = || listed(&host, &["risk", "groups", "department"], "group");
    let selected = |group: &str| {
        let run = refresh(&host, "03T08", &["--group", &format!("department={group}")]);
        run["refreshed"].clone()
    };
    assert_eq!(groups(), ["Board", "IT", "Sales"]);
    hr_says(&host, &PEOPLE.replace("IT", "Purchase"), "02T08");
    refresh(&host, "02T08", &[]);
    assert_eq!(groups(), ["Board", "Purchase", "Sales"]);
    assert_eq!((selected("Purchase"), selected("IT")), (json!(1), json!(0)));
}

#[test]
fn scores_are_worked_out_where_there_is_a_scorecard() {
    let host = tenant();
    let score =
        |name: &str| host.json(["identity", "show", name])["scorecard"]["composite"].clone();
    assert_eq!(score("bob"), json!(null));
    host.write("risk.toml", "[entitlements]\ndefault = 30\n");
    hr_says(
        &host,
        &PEOPLE.replace("bob,olga,IT,", "bob,olga,IT,read|write"),
        "02T08",
    );
    refresh(&host, "02T08", &[]);
    // One of two is in a detected role: 30 of three components.
    assert_eq!((score("alice"), score("bob")), (json!(0), json!(10)));
    let average = |group: &str| {
        let groups = host.json(["risk", "groups", "department"]);
        let mut groups = groups.as_array().expect("a list").iter();
        let group = groups.find(|known| known["group"] == group);
        group.expect("it is there")["average"].clone()
    };
    assert_eq!((average("IT"), average("Board")), (json!(10), json!(0)));
    std::fs::remove_file(host.path("risk.toml")).expect("it is there");
    refresh(&host, "03T08", &[]);
    assert_eq!(score("bob"), json!(null));
}

#[test]
fn the_catalogue_is_what_is_held_and_what_roles_contain() {
    let host = tenant();
    let values = || listed(&host, &["entitlement", "list"], "value");
    // `sell` is held by nobody, and stands in a role.
    assert_eq!(values(), ["sell", "read"]);
    hr_says(&host, &PEOPLE.replace("IT,", "IT,write"), "02T08");
    refresh(&host, "02T08", &[]);
    assert_eq!(values(), ["sell", "read", "write"]);
    hr_says(&host, PEOPLE, "03T08");
    refresh(&host, "03T08", &[]);
    assert_eq!(values(), ["sell", "read"]);
}

#[test]
fn a_trigger_launches_the_workflow_that_it_names_and_another_none() {
    let workflow = "[[workflow]]\nname = \"Move\"\n\
                    steps = [{ type = \"work-item\", owner = \"manager\", description = \"Move the desk\" }]\n";
    let handler = "handlers = [{ type = \"workflow\", name = \"Move\" }]\n";
    for (handlers, launched) in [(handler, 1), ("", 0)] {
        let host = tenant();
        let triggers = host.read("triggers.toml");
        host.write("triggers.toml", format!("{triggers}{handlers}"));
        host.write("workflows.toml", workflow);
        refresh(&host, "01T09", &[]);
        hr_says(&host, &PEOPLE.replace("IT", "Purchase"), "02T08");
        let run = refresh(&host, "02T08", &[]);
        assert_eq!(run["events"], json!({"mover": 1}));
        let counted = run["counters"]["workflows"].as_u64().unwrap_or_default();
        assert_eq!(counted, launched);
        dispatch(&host, "02T09");
        let items = listed(&host, &["work-item", "list"], "description");
        let is_launched = items.contains(&json!("Move the desk"));
        assert_eq!(is_launched, launched == 1, "{items:?}");
    }
}
