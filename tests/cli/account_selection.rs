//! Rules that choose among several accounts: policies judge what they have chosen,
//! and whatever else has been worked out when.

use idr::config::sha256;

use crate::common::{TestHost, repository};

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    department = {}
    account = {}
    //- applications/ad.toml
    provisioning = true
    account_selection = "account"
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/ad.csv"
    native_identity = "dn"
    [schema]
    owner = {}
    accountType = {}
    groups = { type = "many", separator = "|", entitlement = true }
    [account]
    [account.native_identity.transform]
    type = "concat"
    values = ["cn=", { type = "identityAttribute", name = "name" }, "-new"]
    [account.attributes]
    owner = { attribute = "name" }
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    [attributes.employment]
    sources = [{ static = "internal" }]
    [attributes.primaryAccount]
    sources = [{ application = "hr", attribute = "account" }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- roles/roles.toml
    [[role]]
    name = "Clerk"
    type = "business"
    requires = ["Paying"]
    [[role]]
    name = "Operator"
    type = "business"
    requires = ["Paying"]
    [[role]]
    name = "Paying"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["pay"] } }]
    //- policies.toml
    [[policy]]
    name = "payments"
    owner = "olga"
    action = "hold"
    [policy.entitlements]
    left = [{ application = "ad", attribute = "groups", value = "buy" }]
    right = [{ application = "ad", attribute = "groups", value = "pay" }]
    //- feeds/hr.csv
    user,department,account
    alice,Sales,
    olga,Board,
"#;

fn tenant() -> TestHost {
    let host = TestHost::with_files(TENANT);
    let path = "rules-examples/rust/account-selection/account-selection.wasm";
    let content = std::fs::read(repository().join(path)).expect("the example is committed");
    host.write("rules/account-selection.wasm", &content);
    let rules = format!(
        "[rules.account]\ncomponent = \"account-selection.wasm\"\nsha256 = \"{}\"\n\
         reads = {{ attributes = [\"employment\", \"primaryAccount\"], accounts = {{ ad = [\"accountType\"] }} }}\n\
         parameters = {{ privileged = [\"Operator\"] }}\n",
        sha256(&content)
    );
    host.write("rules/rules.toml", rules);
    host
}

/// On this day of March the directory lists these accounts, and whoever is due is
/// refreshed, or everybody.
fn on(host: &TestHost, day: u32, accounts: &str, all: bool) {
    let as_of = format!("2026-03-{day:02}T08:00:00Z");
    host.write(
        "feeds/ad.csv",
        format!("dn,owner,accountType,groups\n{accounts}\n"),
    );
    for application in ["hr", "ad"] {
        let report = host.json(["aggregate", application, "--as-of", &as_of]);
        assert_eq!(report["status"], "done", "{report}");
    }
    refresh(host, day, all);
}

fn refresh(host: &TestHost, day: u32, all: bool) {
    let as_of = format!("2026-03-{day:02}T08:00:00Z");
    let all = all.then_some("--all");
    let report = host.json(["refresh", "--as-of", &as_of].into_iter().chain(all));
    assert_eq!(report["status"], "done", "{report}");
}

fn said(host: &TestHost, arguments: &[&str]) {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    assert!(host.json(arguments.iter().copied().chain(why)).is_object());
}

/// What waits to be done with accounts.
fn waiting(host: &TestHost) -> Vec<String> {
    let listed = host.json(["outbox", "list", "--waiting"]);
    let listed = listed.as_array().expect("a list").iter();
    let accounts = listed.filter(|known| known["kind"] == "account");
    let words = accounts.map(|known| {
        let word = |key: &str| known[key].as_str().unwrap_or_default();
        format!("{} {}", word("operation"), word("native_identity"))
    });
    words.collect()
}

fn held(host: &TestHost) -> serde_json::Value {
    host.json(["policy", "violations"])[0]["held"].clone()
}

const NOTHING: [&str; 0] = [];
const TWO: &str = "cn=a,alice,personal,buy\ncn=b,alice,admin,";

#[test]
fn what_a_rule_places_is_held_like_everything_else() {
    for all in [false, true] {
        let host = tenant();
        on(&host, 1, TWO, all);
        said(&host, &["role", "assign", "alice", "Clerk"]);
        refresh(&host, 2, all);
        assert_eq!(waiting(&host), NOTHING, "all: {all}");
        assert_eq!(held(&host).as_array().map(Vec::len), Some(1), "all: {all}");
        refresh(&host, 3, true);
        assert_eq!(waiting(&host), NOTHING, "all: {all}");
        let until = ["--until", "2026-12-31"];
        let allow = ["policy", "allow", "alice", "--policy", "payments"];
        said(&host, &[&allow[..], &until].concat());
        refresh(&host, 4, all);
        assert_eq!(waiting(&host), ["modify cn=a"], "all: {all}");
    }
}

#[test]
fn what_a_rule_gives_a_new_account_is_held_as_well() {
    let host = tenant();
    let two = "cn=a,alice,personal,buy\ncn=b,alice,personal,";
    on(&host, 1, two, false);
    said(&host, &["role", "assign", "alice", "Operator"]);
    refresh(&host, 2, false);
    assert_eq!(waiting(&host), ["create cn=alice-new"]);
    let known = host.json(["outbox", "list", "--waiting"]);
    let created = known.as_array().expect("a list").iter();
    let mut created = created.filter(|known| known["kind"] == "account");
    let created = created.next().expect("one");
    assert!(!created["changes"].to_string().contains("pay"), "{created}");
    assert_eq!(held(&host).as_array().map(Vec::len), Some(1));
}

#[test]
fn an_account_that_a_rule_wants_new_is_made_once() {
    let host = tenant();
    let two = "cn=a,alice,personal,\ncn=b,alice,personal,";
    on(&host, 1, two, false);
    said(&host, &["role", "assign", "alice", "Operator"]);
    refresh(&host, 2, false);
    assert_eq!(waiting(&host), ["create cn=alice-new"]);
    // It is made by hand, without what it was to have; the rule would have a new one.
    let three = format!("{two}\ncn=alice-new,alice,personal,");
    on(&host, 3, &three, false);
    assert_eq!(waiting(&host), ["modify cn=alice-new"]);
    let done = format!("{two}\ncn=alice-new,alice,personal,pay");
    on(&host, 4, &done, false);
    assert_eq!(waiting(&host), NOTHING);
}
