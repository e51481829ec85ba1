//! `idr refresh --accounts`: applications are asked for accounts again.

use rusqlite::Connection;

use crate::common::TestHost;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    authoritative = { name = "login" }
    [connector]
    type = "sql"
    url = "sqlite:hr.db"
    table = "person"
    native_identity = "login"
    timeout = "50ms"
    [schema]
    login = {}
    department = {}
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    //- tasks/ana.toml
    identity = ["ana"]
    accounts = true
"#;

fn tenant() -> TestHost {
    let host = TestHost::with_files(TENANT);
    execute(
        &host,
        "CREATE TABLE person (login TEXT PRIMARY KEY, department TEXT);
         INSERT INTO person VALUES ('ana', 'Sales'), ('bo', 'Sales'), ('cy', 'Sales')",
    );
    let aggregated = host.json(["aggregate", "hr", "--as-of", "2026-03-01T08:00:00Z"]);
    assert_eq!(aggregated["counters"]["created"], 3);
    let run = host.json(["refresh", "--as-of", "2026-03-01T08:00:00Z"]);
    assert_eq!(run["status"], "done");
    host
}

fn execute(host: &TestHost, sql: &str) {
    let connection = Connection::open(host.path("hr.db")).expect("a file can be made");
    connection.execute_batch(sql).expect("the statements run");
}

fn department(host: &TestHost, name: &str) -> serde_json::Value {
    let identity = host.json(["identity", "show", name]);
    identity["attributes"]["department"].clone()
}

#[test]
fn accounts_are_asked_for_again_before_a_refresh() {
    let host = tenant();
    execute(&host, "UPDATE person SET department = 'IT'");
    // Without, a refresh sees what was aggregated.
    let at = ["--as-of", "2026-03-02T08:00:00Z"];
    let run = host.json(["refresh", "--all"].into_iter().chain(at));
    assert_eq!(run["changed"], 0);
    assert_eq!(department(&host, "ana"), "Sales");
    let run = host.json(["refresh", "--task", "ana"].into_iter().chain(at));
    assert_eq!(run["counters"]["accountsRead"], 1, "{run}");
    assert_eq!(department(&host, "ana"), "IT");
    assert_eq!(department(&host, "bo"), "Sales");
    execute(&host, "DELETE FROM person WHERE login = 'cy'");
    let run = host.json(["refresh", "--all", "--accounts"].into_iter().chain(at));
    assert_eq!(run["counters"]["accountsRead"], 2);
    assert_eq!(run["counters"]["accountsRemoved"], 1);
    assert_eq!(department(&host, "bo"), "IT");
    // What can't be reached stays as it is.
    execute(&host, "ALTER TABLE person RENAME TO people");
    let run = host.json(["refresh", "--all", "--accounts"].into_iter().chain(at));
    assert_eq!(run["counters"]["accountsUnavailable"], 2);
    assert_eq!(department(&host, "bo"), "IT");
}

#[test]
fn a_dry_run_asks_for_accounts_and_keeps_nothing_of_them() {
    let host = tenant();
    execute(&host, "UPDATE person SET department = 'IT'");
    let stored = || host.run(["state", "export", "--canonical"]);
    let before = stored();
    let at = ["--as-of", "2026-03-02T08:00:00Z"];
    for asked in [["--task", "ana"].as_slice(), &["--all", "--accounts"]] {
        let asked = ["refresh"].iter().chain(asked).chain(&at).copied();
        let foretold = host.json(asked.clone().chain(["--dry-run"]));
        assert_eq!(stored(), before);
        assert_eq!(foretold["changes"][0]["name"], "ana");
        assert_eq!(foretold["changes"][0]["what"], "department");
        let copy = host.path("");
        let done = TestHost::copy_of(&copy).json(asked);
        assert_eq!(foretold["counters"], done["counters"], "{foretold}");
        assert!(done["counters"]["accountsRead"].as_u64() > Some(0));
    }
}

#[test]
fn an_application_that_can_not_be_asked_is_an_error() {
    let host = tenant();
    host.write(
        "applications/hr.toml",
        "authoritative = { name = \"login\" }\n[schema]\nlogin = {}\ndepartment = {}\n\
         [connector]\ntype = \"delimited-file\"\nnative_identity = \"login\"\n",
    );
    let shown = host.run(["refresh", "--task", "ana"]);
    assert!(
        shown.contains(
            "tasks/ana.toml:2: accounts: no application's connector can read one account"
        ),
        "{shown}"
    );
    host.write("tasks/ana.toml", "identity = [\"ana\"]\n");
    let shown = host.run(["refresh", "--accounts"]);
    assert!(
        shown.contains("error: no application's connector can read one account")
            && shown.ends_with("[exit 2]"),
        "{shown}"
    );
}

#[test]
fn what_connectors_name_is_looked_up_when_asked() {
    let host = tenant();
    assert!(host.run(["check", "--connect"]).ends_with("[exit 0]"));
    execute(&host, "ALTER TABLE person RENAME COLUMN department TO dept");
    let shown = host.run(["check", "--connect"]);
    assert!(
        shown.contains(
            "applications/hr.toml: schema.department.column: table `person` has no column `department`"
        ) && shown.ends_with("[exit 2]"),
        "{shown}"
    );
}
