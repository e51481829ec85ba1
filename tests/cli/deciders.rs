//! Who is asked about what a policy holds: the policy's owner, the owner of what is
//! held, the manager, or whoever gets what nobody else gets.

use serde_json::Value;

use crate::common::TestHost;

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
    groups = { type = "many", separator = "|", entitlement = true }
    [guard]
    new = "off"
    //- identity.toml
    [manager]
    sources = [{ application = "hr", attribute = "boss" }]
    identity_attribute = "name"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- roles/roles.toml
    [[role]]
    name = "Buyer"
    type = "business"
    requires = ["Buying"]
    [[role]]
    name = "Payer"
    type = "business"
    [[role]]
    name = "Treasurer"
    type = "business"
    [[role]]
    name = "Buying"
    type = "it"
    profiles = [{ application = "hr", entitlements = { groups = ["buy"] } }]
    //- feeds/hr.csv
    user,boss,groups
    alice,bob,wiki
    bob,,
"#;

const PAYMENTS: &str = r#"
[[policy]]
name = "payments"
action = "hold"
roles = { left = ["Buyer"], right = ["Payer", "Treasurer"] }
"#;

const GROUPS: &str = r#"
[[policy]]
name = "groups"
action = "hold"
[policy.entitlements]
left = [{ application = "hr", attribute = "groups", value = "buy" }]
right = [{ application = "hr", attribute = "groups", value = "wiki" }]
"#;

/// A tenant where these are buyers and, an hour later, have another role.
fn tenant(policies: &str, held: &[(&str, &str)]) -> TestHost {
    let host = TestHost::with_files(TENANT);
    host.write("policies.toml", policies);
    let report = host.json(["aggregate", "hr", "--as-of", "2026-03-01T08:00:00Z"]);
    assert_eq!(report["status"], "done");
    refresh(&host, "08");
    for (name, _) in held {
        assign(&host, name, "Buyer");
    }
    refresh(&host, "09");
    for (name, role) in held {
        assign(&host, name, role);
    }
    refresh(&host, "10");
    host
}

fn assign(host: &TestHost, name: &str, role: &str) {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let assigned = host.json(["role", "assign", name, role].into_iter().chain(why));
    assert!(assigned.is_object());
}

/// Refreshes who is due; returns how many that were.
fn refresh(host: &TestHost, hour: &str) -> u64 {
    let as_of = format!("2026-03-01T{hour}:00:00Z");
    let run = host.json(["refresh", "--as-of", &as_of]);
    assert_eq!(run["status"], "done");
    run["refreshed"].as_u64().expect("a number")
}

/// Whom a work item waits for, and about whom.
fn asked(host: &TestHost) -> Vec<String> {
    let waiting = host.json(["outbox", "list", "--waiting"]);
    let waiting = waiting.as_array().expect("a list");
    let word = |known: &Value, key: &str| known[key].as_str().unwrap_or("nobody").to_owned();
    let items = waiting.iter();
    let items = items.filter(|known| known["kind"] == "work-item");
    let mut items: Vec<String> = items
        .map(|known| format!("{} about {}", word(known, "owner"), word(known, "name")))
        .collect();
    items.sort();
    items
}

/// Gives a role an owner, or takes it away.
fn let_own(host: &TestHost, role: &str, owner: Option<&str>) {
    let roles = host.read("roles/roles.toml");
    let mut roles: toml::Table = roles.parse().expect("it is TOML");
    let all = roles["role"].as_array_mut().expect("there are roles");
    let of = |known: &&mut toml::Value| known["name"].as_str() == Some(role);
    let known = all.iter_mut().find(of).expect("it is there");
    let known = known.as_table_mut().expect("a role");
    match owner {
        Some(owner) => known.insert("owner".to_owned(), owner.into()),
        None => known.remove("owner"),
    };
    host.write("roles/roles.toml", roles.to_string());
}

fn let_fall_back(host: &TestHost) {
    let settings = host.read("idr.toml");
    let fallback = "[work_items]\nfallback = \"helpdesk\"\n";
    host.write("idr.toml", format!("{settings}\n{fallback}"));
}

#[test]
fn the_owner_of_a_role_that_is_held_is_asked_before_the_manager_and_the_fallback() {
    let host = tenant(PAYMENTS, &[("alice", "Payer"), ("bob", "Payer")]);
    // Without an owner: alice's manager, and nobody about bob, who has none.
    assert_eq!(asked(&host), ["bob about alice", "nobody about bob"]);
    let findings = host.json(["finding", "list"]);
    let findings = findings.as_array().expect("a list").iter();
    let mut findings: Vec<&str> = findings
        .filter_map(|known| known["message"].as_str())
        .collect();
    findings.sort_unstable();
    let collide = "`Buyer` can't go with `Payer`";
    let nobody = format!("{collide}; without an owner or a manager nobody is asked");
    assert_eq!(findings, [collide, &nobody]);

    let_fall_back(&host);
    assert_eq!(refresh(&host, "11"), 2);
    assert_eq!(asked(&host), ["bob about alice", "helpdesk about bob"]);
    let findings = host.json(["finding", "list"]).to_string();
    assert!(!findings.contains("nobody is asked"), "{findings}");

    // Another owner of what is held concerns whoever it is held from.
    let_own(&host, "Payer", Some("olga"));
    assert_eq!(refresh(&host, "12"), 2);
    assert_eq!(asked(&host), ["olga about alice", "olga about bob"]);
    // What isn't held asks nobody.
    let_own(&host, "Payer", None);
    let_own(&host, "Buyer", Some("olga"));
    assert_eq!(refresh(&host, "13"), 2);
    assert_eq!(asked(&host), ["bob about alice", "helpdesk about bob"]);

    // The policy's own owner is asked before everybody else.
    let_own(&host, "Payer", Some("olga"));
    let owned = PAYMENTS.replace("action", "owner = \"audit\"\naction");
    host.write("policies.toml", owned);
    assert_eq!(refresh(&host, "14"), 2);
    assert_eq!(asked(&host), ["audit about alice", "audit about bob"]);
    // Then owners of roles concern nobody but those owners.
    let_own(&host, "Payer", None);
    assert_eq!(refresh(&host, "15"), 0);
}

#[test]
fn each_owner_of_what_is_held_is_asked_until_one_has_decided() {
    let host = tenant(PAYMENTS, &[("alice", "Payer"), ("alice", "Treasurer")]);
    let_own(&host, "Payer", Some("olga"));
    let_own(&host, "Treasurer", Some("tom"));
    assert_eq!(refresh(&host, "11"), 2, "it is new to everybody");
    assert_eq!(asked(&host), ["olga about alice", "tom about alice"]);
    let deny = ["policy", "deny", "alice", "--policy", "payments"];
    let why = ["--reason", "a ticket", "--actor", "olga"];
    assert!(host.json(deny.into_iter().chain(why)).is_object());
    assert_eq!(refresh(&host, "12"), 1);
    assert_eq!(asked(&host), [""; 0]);
}

#[test]
fn the_owner_of_an_entitlement_that_is_held_is_asked_or_that_of_its_application() {
    let host = tenant(GROUPS, &[("alice", "Buyer")]);
    let held = &host.json(["policy", "violations"])[0]["held"];
    assert_eq!(*held, serde_json::json!(["hr groups buy"]));
    assert_eq!(asked(&host), ["bob about alice"]);
    let application = host.read("applications/hr.toml");
    host.write(
        "applications/hr.toml",
        format!("owner = \"olga\"\n{application}"),
    );
    assert_eq!(refresh(&host, "11"), 2);
    assert_eq!(asked(&host), ["olga about alice"]);
    let entitlement = r#"
        [[entitlement]]
        application = "hr"
        attribute = "groups"
        value = "buy"
        owner = "tom"
    "#;
    host.write("entitlements.toml", entitlement);
    assert_eq!(refresh(&host, "12"), 2);
    assert_eq!(asked(&host), ["tom about alice"]);
    // What it is called concerns nobody.
    host.write(
        "entitlements.toml",
        format!("{entitlement}display_name = \"Buying\"\n"),
    );
    assert_eq!(refresh(&host, "13"), 0);
}

#[test]
fn that_nobody_may_be_asked_is_remarked() {
    let host = tenant(PAYMENTS, &[]);
    let remarks = || {
        let checked = host.json(["check"]);
        let remarks = checked["remarks"].as_array().expect("a list").iter();
        let remarks = remarks.filter(|known| known["key"] == "policy[payments].owner");
        remarks.count()
    };
    assert_eq!(remarks(), 1);
    let_fall_back(&host);
    assert_eq!(remarks(), 0);
}
