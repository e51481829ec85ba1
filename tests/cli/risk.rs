//! Risk: scorecards, worked out by hand, and what is made of them.

use serde_json::{Value, json};

use crate::common::TestHost;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    vanish_grace = "0"
    native_gain = "raise"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    department = {}
    certified = { type = "date" }
    groups = { type = "many", separator = "|", entitlement = true }
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    [attributes.certified]
    type = "date"
    sources = [{ application = "hr", attribute = "certified" }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- roles/roles.toml
    [[role]]
    name = "Seller"
    type = "business"
    selector = { match = { department = "Sales" } }
    risk_weight = 100
    [[role]]
    name = "CRM user"
    type = "it"
    profiles = [{ application = "hr", entitlements = { groups = ["crm"] } }]
    risk_weight = 30
    //- populations.toml
    [populations.sellers]
    filter = 'department == "Sales"'
    //- policies.toml
    [[policy]]
    name = "no wiki"
    weight = 20
    filter = 'links.groups == "wiki"'
    //- risk.toml
    [bands]
    medium = 61
    high = 63
    [[entitlement]]
    application = "hr"
    attribute = "groups"
    value = "wiki"
    weight = 40
    //- feeds/hr.csv
    user,department,certified,groups
    alice,Sales,2025-12-01,crm|wiki
    bob,Sales,,
    olga,Board,,mail|news
"#;

fn tenant() -> TestHost {
    let host = TestHost::with_files(TENANT);
    aggregate(&host, "2026-03-01");
    host
}

fn aggregate(host: &TestHost, day: &str) {
    let at = format!("{day}T08:00:00Z");
    let report = host.json(["aggregate", "hr", "--as-of", &at]);
    assert_eq!(report["status"], "done");
    refresh(host, &at);
}

fn refresh(host: &TestHost, at: &str) {
    assert_eq!(host.json(["refresh", "--as-of", at])["status"], "done");
}

fn scorecard(host: &TestHost, name: &str) -> Value {
    host.json(["identity", "show", name])["scorecard"].clone()
}

fn composite(host: &TestHost, name: &str) -> u64 {
    let scorecard = scorecard(host, name);
    scorecard["composite"].as_u64().expect("a number")
}

fn decide(host: &TestHost, arguments: &[&str], at: &str) {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let decided = host.json(arguments.iter().copied().chain(why));
    assert!(decided.is_object());
    refresh(host, at);
}

#[test]
fn a_scorecard_adds_up_roles_entitlements_and_violations() {
    let host = tenant();
    // Roles: 100 + 30. Entitlements: `crm` is in a role, `wiki` counts 40. Policies: 20.
    // Certification isn't set up, so the three weigh the same: 190 / 3 is 63.
    assert_eq!(
        scorecard(&host, "alice"),
        json!({
            "composite": 63,
            "band": "high",
            "roles": { "raw": 130, "compensated": 130 },
            "entitlements": { "raw": 40, "compensated": 40 },
            "policies": { "raw": 20, "compensated": 20 },
            "certification": 0,
        })
    );
    // 100 / 3 is 33; two entitlements of 1 each: 2 / 3 is 1.
    assert_eq!(["bob", "olga"].map(|name| composite(&host, name)), [33, 1]);
    let allow = ["policy", "allow", "alice", "--policy", "no wiki"];
    let until = ["--until", "2026-03-04T08:00:00Z"];
    let at = "2026-03-02T08:00:00Z";
    decide(&host, &[&allow[..], &until[..]].concat(), at);
    // A mitigated violation counts half: (130 + 40 + 10) / 3 is 60.
    assert_eq!(composite(&host, "alice"), 60);
    assert_eq!(scorecard(&host, "alice")["band"], "low");
    // One that was allowed counts one and a half times: (130 + 40 + 30) / 3 is 66.7.
    refresh(&host, "2026-03-04T08:00:00Z");
    assert_eq!(composite(&host, "alice"), 67);
    // One that was denied counts twice: (130 + 40 + 40) / 3 is 70.
    let deny = ["policy", "deny", "alice", "--policy", "no wiki"];
    decide(&host, &deny, "2026-03-05T08:00:00Z");
    assert_eq!(composite(&host, "alice"), 70);
}

#[test]
fn weights_factors_and_the_maximum_are_settings() {
    let host = tenant();
    let file = host.read("risk.toml");
    let more = "maximum = 50\n[weights]\nroles = 1\nentitlements = 3\npolicies = 0\n\
                [factors]\nuncertified = 0.5\n[entitlements]\ndefault = 7\n";
    host.write("risk.toml", format!("{more}{file}"));
    refresh(&host, "2026-03-02T08:00:00Z");
    // Roles: 130 × 0.5 is 65, no more than 50. Entitlements: 40 × 0.5 is 20.
    // (1 × 50 + 3 × 20) / 4 is 27.5.
    assert_eq!(composite(&host, "alice"), 28);
    // Entitlements: 2 × 7 × 0.5 is 7: 3 × 7 / 4 is 5.25.
    assert_eq!(composite(&host, "olga"), 5);
}

#[test]
fn what_people_decide_about_an_entitlement_counts() {
    let host = tenant();
    let feed = host
        .read("feeds/hr.csv")
        .replace("mail|news", "mail|news|root");
    host.write("feeds/hr.csv", feed);
    aggregate(&host, "2026-03-02");
    // Three entitlements of 1 each.
    let raw = |host: &TestHost| scorecard(host, "olga")["entitlements"].clone();
    assert_eq!(raw(&host), json!({ "raw": 3, "compensated": 3 }));
    let about = ["olga", "hr", "groups", "root"];
    let decided = |word| [&["entitlement", word][..], &about[..]].concat();
    // What is accepted is certified and counts nothing, what is to go counts twice.
    decide(&host, &decided("accept"), "2026-03-03T08:00:00Z");
    assert_eq!(raw(&host), json!({ "raw": 3, "compensated": 2 }));
    decide(&host, &decided("restore"), "2026-03-04T08:00:00Z");
    assert_eq!(raw(&host), json!({ "raw": 3, "compensated": 4 }));
}

#[test]
fn risk_grows_with_the_time_since_access_was_certified() {
    let host = tenant();
    let file = host.read("risk.toml");
    let certification = "[certification]\nattribute = \"certified\"\nrange = \"100d\"\n";
    host.write("risk.toml", format!("{file}{certification}"));
    let certified = |at: &str| {
        refresh(&host, at);
        scorecard(&host, "alice")["certification"].clone()
    };
    // Certified on 2025-12-01; 90 days later it begins, on 2026-03-01, and every ten
    // days it is a tenth more of 1,000.
    assert_eq!(certified("2026-03-10T23:59:59Z"), 0);
    assert_eq!(certified("2026-03-11T00:00:00Z"), 100);
    // With it four components weigh the same: (130 + 40 + 20 + 100) / 4 is 72.5.
    assert_eq!(composite(&host, "alice"), 73);
    assert_eq!(certified("2026-03-30T23:59:59Z"), 200);
    assert_eq!(certified("2026-07-01T00:00:00Z"), 1_000);
    // Who was never certified has the whole of it.
    assert_eq!(scorecard(&host, "bob")["certification"], 1_000);
}

#[test]
fn scores_are_listed_grouped_and_asked_for() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["risk", "list"]), @r"
    name   score  band  roles  entitlements  policies  certification
    alice     63  high    130            40        20              0
    bob       33  low     100             0         0              0
    olga       1  low       0             2         0              0
    [exit 0]
    ");
    let high = host.json(["risk", "list", "--band", "high"]);
    assert_eq!(high.as_array().map(Vec::len), Some(1));
    // Sales: (63 + 33) / 2 is 48.
    insta::assert_snapshot!(host.run(["risk", "groups", "department"]), @r"
    group  identities  average  highest  low  medium  high
    Board           1        1        1    1       0     0
    Sales           2       48       63    1       0     1
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["risk", "groups", "--populations"]), @r"
    group    identities  average  highest  low  medium  high
    sellers           2       48       63    1       0     1
    [exit 0]
    ");
    let filter = "scorecard.compositeScore >= 33 && scorecard.policyScore == 0";
    let chosen = host.json([
        "refresh",
        "--filter",
        filter,
        "--as-of",
        "2026-03-02T08:00:00Z",
    ]);
    assert_eq!(chosen["refreshed"], 1);
}

#[test]
fn without_its_file_nothing_is_scored() {
    let host = tenant();
    std::fs::remove_file(host.path("risk.toml")).expect("it is there");
    refresh(&host, "2026-03-02T08:00:00Z");
    assert_eq!(scorecard(&host, "alice"), Value::Null);
    insta::assert_snapshot!(host.run(["risk", "list"]), @r"
    error: this tenant scores no risk
    hint: write risk.toml; an empty one scores by the usual weights
    [exit 2]
    ");
}
