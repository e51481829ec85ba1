//! What a run's report counts of what it did.

use serde_json::{Value, json};

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
    department = {}
    groups = { type = "many", entitlement = true }
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    [manager]
    sources = [{ application = "hr", attribute = "boss" }]
    identity_attribute = "name"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- roles/roles.toml
    [[role]]
    name = "Sales"
    type = "business"
    selector = { match = { department = "Sales" } }
    requires = ["CRM user"]
    [[role]]
    name = "CRM user"
    type = "it"
    profiles = [{ application = "hr", entitlements = { groups = ["crm"] } }]
    //- triggers.toml
    [[trigger]]
    name = "mover"
    on = [{ type = "attribute-change", attribute = "department" }]
    handlers = [{ type = "workflow", name = "Move" }]
    //- workflows.toml
    [[workflow]]
    name = "Move"
    steps = [{ type = "work-item", owner = "manager", description = "Move the desk" }]
    //- feeds/hr.csv
    user,boss,department,groups
    alice,bob,Sales,
    bob,,IT,crm
"#;

fn refreshed(host: &TestHost, feed: &str, as_of: &str) -> Value {
    host.write(
        "feeds/hr.csv",
        format!("user,boss,department,groups\n{feed}"),
    );
    let report = host.json(["aggregate", "hr", "--as-of", as_of]);
    assert_eq!(report["status"], "done");
    host.json(["refresh"])
}

const FIRST: &str = "alice,bob,Sales,\nbob,,IT,crm\n";

#[test]
fn what_becomes_of_entitlements_is_counted() {
    let host = TestHost::with_files(TENANT);
    let run = refreshed(&host, FIRST, "2026-03-01T08:00:00Z");
    // Alice should have what she hasn't, and what Bob has a role contains.
    let counters = &run["counters"];
    assert_eq!(counters["detectedRoles"], 1);
    assert_eq!(counters["entitlementsCreated"], 1);
    assert_eq!(counters["entitlementsUpdated"], 1);
    assert_eq!(counters["additionalEntitlements"], 1);
    let again = host.json(["refresh", "--all"]);
    for counter in [
        "entitlementsCreated",
        "entitlementsUpdated",
        "additionalEntitlements",
    ] {
        assert_eq!(again["counters"][counter], Value::Null, "{counter}");
    }
    // Now a role calls for what Bob has had all along.
    let moved = FIRST.replace("IT", "Sales");
    let run = refreshed(&host, &moved, "2026-03-02T08:00:00Z");
    assert_eq!(run["counters"]["entitlementsCreated"], Value::Null);
    assert_eq!(run["counters"]["entitlementsUpdated"], 1);
    assert_eq!(run["counters"]["additionalEntitlements"], Value::Null);
}

#[test]
fn what_a_run_does_is_counted() {
    let host = TestHost::with_files(TENANT);
    let run = refreshed(&host, FIRST, "2026-03-01T08:00:00Z");
    assert_eq!(run["counters"]["managers"], 1);
    assert_eq!(run["events"], json!({}));
    let moved = FIRST.replace("IT", "Sales");
    let run = refreshed(&host, &moved, "2026-03-02T08:00:00Z");
    assert_eq!(run["refreshed"], 1);
    assert_eq!(run["events"], json!({ "mover": 1 }));
    assert_eq!(run["counters"]["workflows"], 1);
    assert_eq!(run["counters"]["managers"], Value::Null);
}
