//! `idr refresh --accounts`: a database is asked for accounts again, one by one, with
//! what its other tables say of them.

use serde_json::{Value, json};

use crate::common::TestHost;
use crate::targets::{POSTGRES, Target};

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/crm.toml
    authoritative = { name = "login" }
    [connector]
    type = "sql"
    url = "$URL"
    table = "$TABLE"
    native_identity = "login"
    status = { column = "state", enabled = ["on"], disabled = ["off"] }
    [schema]
    login = {}
    email = { column = "mail" }
    level = { type = "integer" }
    groups = { type = "many", entitlement = true, table = "$LIST", native_identity = "login", column = "group" }
    //- identity.toml
    [attributes.email]
    sources = [{ application = "crm", attribute = "email" }]
"#;

/// Three people, as they were aggregated.
fn tenant(target: &Target) -> TestHost {
    let url = match target.is_postgres() {
        true => "file:database".to_owned(),
        false => format!("sqlite:{}", target.path().display()),
    };
    let tenant = TENANT
        .replace("$URL", &url)
        .replace("$TABLE", &target.table("account"))
        .replace("$LIST", &target.table("account_group"));
    let host = TestHost::with_files(&tenant);
    if target.is_postgres() {
        host.write("database", std::env::var(POSTGRES).expect("it is set"));
    }
    target.execute(
        "INSERT INTO account (login, mail, level, state) VALUES ('ana', 'ana@old.example', 1, 'on'),
             ('bo', 'bo@old.example', 1, 'on'), ('cy', 'cy@old.example', 1, 'on');
         INSERT INTO account_group VALUES ('ana', 'sell'), ('bo', 'sell')",
    );
    let aggregated = host.json(["aggregate", "crm", "--as-of", "2026-03-01T08:00:00Z"]);
    assert_eq!(aggregated["counters"]["created"], 3);
    let run = host.json(["refresh", "--as-of", "2026-03-01T08:00:00Z"]);
    assert_eq!(run["status"], "done");
    host
}

/// What an identity's email is, and its account's status, level and groups.
fn shown(host: &TestHost, name: &str) -> Value {
    let identity = host.json(["identity", "show", name]);
    let account = &identity["accounts"][0];
    let attributes = &account["attributes"];
    json!([
        identity["attributes"]["email"],
        account["status"],
        attributes["level"],
        attributes["groups"]
    ])
}

fn refresh(host: &TestHost, whom: &[&str]) -> Value {
    let at = ["--as-of", "2026-03-02T08:00:00Z"];
    host.json(["refresh"].iter().chain(whom).chain(&at).copied())
}

fn accounts_are_asked_for_again(target: &Target) {
    let host = tenant(target);
    target.execute(
        "UPDATE account SET mail = login || '@new.example', level = 2, state = 'off';
         DELETE FROM account_group; INSERT INTO account_group VALUES ('ana', 'buy'), ('ana', 'pay')",
    );
    let old = |name: &str| json!([format!("{name}@old.example"), "enabled", 1, ["sell"]]);
    // Without, a refresh sees what was aggregated.
    assert_eq!(refresh(&host, &["--all"])["changed"], 0);
    assert_eq!(shown(&host, "ana"), old("ana"));
    let run = refresh(&host, &["--identity", "ana", "--accounts"]);
    assert_eq!(run["counters"]["accountsRead"], 1, "{run}");
    let new = json!(["ana@new.example", "disabled", 2, ["buy", "pay"]]);
    assert_eq!(shown(&host, "ana"), new);
    assert_eq!(shown(&host, "bo"), old("bo"));
    target.execute("DELETE FROM account WHERE login = 'cy'");
    let run = refresh(&host, &["--all", "--accounts"]);
    assert_eq!(run["counters"]["accountsRead"], 2);
    assert_eq!(run["counters"]["accountsRemoved"], 1);
    // The last of his groups is gone.
    let bo = json!(["bo@new.example", "disabled", 2, null]);
    assert_eq!(shown(&host, "bo"), bo);
    // What can't be reached stays as it is.
    target.execute("ALTER TABLE account RENAME TO people");
    let run = refresh(&host, &["--all", "--accounts"]);
    assert_eq!(run["counters"]["accountsUnavailable"], 2);
    assert_eq!(shown(&host, "bo"), bo);
    assert_eq!(shown(&host, "ana"), new);
}

#[test]
fn accounts_are_asked_for_again_on_sqlite() {
    accounts_are_asked_for_again(&Target::sqlite());
}

#[test]
fn accounts_are_asked_for_again_on_postgres() {
    if let Some(target) = Target::postgres() {
        accounts_are_asked_for_again(&target);
    }
}
