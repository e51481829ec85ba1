//! `explain NAME entitlement E`: everything that calls for it, keeps it out or has
//! become of it.

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
    department = {}
    [guard]
    new = "off"
    vanished = "off"
    //- applications/ad.toml
    provisioning = true
    owner = "olga"
    correlation = [{ account = "owner", identity = "name" }]
    native_gain = "raise"
    [connector]
    type = "delimited-file"
    path = "feeds/ad.csv"
    native_identity = "dn"
    [schema]
    owner = {}
    groups = { type = "many", separator = "|", entitlement = true }
    [guard]
    new = "off"
    vanished = "off"
    [account]
    native_identity = { attribute = "name" }
    [account.attributes]
    owner = { attribute = "name" }
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    roles = ["Base"]
    //- roles/roles.toml
    [[role]]
    name = "Base"
    type = "business"
    requires = ["Wiki user"]
    [[role]]
    name = "Sales"
    type = "business"
    selector = { match = { department = "Sales" } }
    requires = ["CRM user"]
    [[role]]
    name = "Payer"
    type = "business"
    requires = ["Pay user"]
    [[role]]
    name = "CRM user"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["crm"] } }]
    [[role]]
    name = "Wiki user"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["wiki"] } }]
    [[role]]
    name = "Pay user"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["pay"] } }]
    //- policies.toml
    [[policy]]
    name = "money"
    owner = "olga"
    action = "hold"
    roles = { left = ["Sales"], right = ["Payer"] }
    //- feeds/hr.csv
    user,department
    alice,Sales
    bob,Sales
    carol,IT
    //- feeds/ad.csv
    dn,owner,groups
    cn=alice,alice,crm
    cn=carol,carol,
"#;

fn tenant() -> TestHost {
    let host = TestHost::with_files(TENANT);
    for application in ["hr", "ad"] {
        let _ = host.json(["aggregate", application, "--as-of", "2026-03-01T08:00:00Z"]);
    }
    refresh(&host, "2026-03-01T08:00:00Z");
    host
}

fn refresh(host: &TestHost, at: &str) {
    let report = host.json(["refresh", "--as-of", at]);
    assert_eq!(report["status"], "done");
}

/// Checks that an explanation has these lines, in this order, whatever stands between
/// their words.
fn tells(host: &TestHost, (name, value): (&str, &str), lines: &[&str]) {
    let shown = host.run(["explain", name, "entitlement", value]);
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let told: Vec<String> = shown.lines().map(words).collect();
    let mut told = told.iter();
    for line in lines {
        let is_there = told.any(|known| known.starts_with(line));
        assert!(is_there, "{line}: {shown}");
    }
}

#[test]
fn who_and_what_calls_for_it_is_told() {
    let host = tenant();
    let lines = [
        "entitlement crm: ad cn=alice: CRM user, for Sales (assignment)",
        "detected role CRM user contains it",
        "assigned role Sales calls for it; it is assigned by rule",
        "given not by idr: it stays when no role calls for it any more",
    ];
    tells(&host, ("alice", "crm"), &lines);
    let adopted = host.read("applications/ad.toml");
    host.write("applications/ad.toml", format!("adopt = true\n{adopted}"));
    refresh(&host, "2026-03-01T09:00:00Z");
    let given = "given by idr, or taken over (`adopt`), for Sales: it goes with the last role";
    tells(&host, ("alice", "crm"), &[given]);
    let lines = [
        "entitlement wiki: ad cn=alice: missing, for Base (state)",
        "assigned role Base calls for it; it is assigned by state",
        "lifecycle state active gives role Base",
        "add modify, called for since 2026-03-01T08:00:00Z: role Base (by state)",
        "add, in the outbox as",
    ];
    tells(&host, ("alice", "wiki"), &lines);
}

#[test]
fn what_is_sent_is_told_with_how_it_stands() {
    let host = tenant();
    let sent = host.run(["dispatch", "--once", "--as-of", "2026-03-01T09:00:00Z"]);
    assert!(sent.contains("work items opened"), "{sent}");
    refresh(&host, "2026-03-01T10:00:00Z");
    let lines = [
        "entitlement wiki: ad cn=alice: pending, for Base (state)",
        "add modify, called for since 2026-03-01T08:00:00Z: role Base (by state)",
        "add, sent at 2026-03-01T09:00:00Z: the account hasn't shown it yet",
        "add, in the outbox as",
    ];
    tells(&host, ("alice", "wiki"), &lines);
    let shown = host.run(["explain", "alice", "entitlement", "wiki"]);
    assert!(shown.contains("sent, tried 1 time"), "{shown}");
    refresh(&host, "2026-03-03T09:00:00Z");
    let failed = "add, sent at 2026-03-01T09:00:00Z: the account hasn't shown it yet";
    tells(
        &host,
        ("alice", "wiki"),
        &["entitlement wiki: ad cn=alice: failed", failed],
    );
}

#[test]
fn requests_and_the_policies_that_hold_them_are_told() {
    let host = tenant();
    let assign = [
        "role",
        "assign",
        "alice",
        "Payer",
        "--until",
        "2026-12-31T00:00:00Z",
    ];
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let assigned = host.run(assign.into_iter().chain(why));
    assert!(assigned.ends_with("[exit 0]"), "{assigned}");
    refresh(&host, "2026-03-02T08:00:00Z");
    let lines = [
        "assigned role Payer calls for it; it is assigned by manual",
        "role Payer assigned by dora at",
        "policy money keeps `Payer` out since 2026-03-02T08:00:00Z: open",
    ];
    tells(&host, ("alice", "pay"), &lines);
    let shown = host.run(["explain", "alice", "entitlement", "pay"]);
    assert!(
        shown.contains("until 2026-12-31T00:00:00Z: a ticket"),
        "{shown}"
    );
}

#[test]
fn what_came_natively_is_told_with_what_was_decided() {
    let host = tenant();
    host.write(
        "feeds/ad.csv",
        "dn,owner,groups\ncn=alice,alice,crm|own\ncn=carol,carol,\n",
    );
    let _ = host.json(["aggregate", "ad", "--as-of", "2026-03-02T08:00:00Z"]);
    refresh(&host, "2026-03-02T08:00:00Z");
    let gained = "gained natively at 2026-03-02T08:00:00Z, which somebody is to decide about";
    tells(&host, ("alice", "own"), &[gained]);
    let accept = ["entitlement", "accept", "alice", "ad", "groups", "own"];
    let why = ["--reason", "fine", "--actor", "dora"];
    let accepted = host.run(accept.into_iter().chain(why));
    assert!(accepted.ends_with("[exit 0]"), "{accepted}");
    let lines = [
        "gained natively at 2026-03-02T08:00:00Z",
        "accepted by dora at",
    ];
    tells(&host, ("alice", "own"), &lines);
}

#[test]
fn why_it_is_not_called_for_is_told() {
    let host = tenant();
    let lines = [
        "entitlement crm: neither held nor called for",
        "role CRM user asks for it as one of `groups` in `ad`",
        "assigned role Sales calls for it; it is assigned by rule",
        "account bob create, called for since 2026-03-01T08:00:00Z:",
        "add, in the outbox as",
    ];
    tells(&host, ("bob", "crm"), &lines);
    let lines = [
        "entitlement crm: neither held nor called for",
        "role CRM user asks for it as one of `groups` in `ad`",
        "it isn't assigned nor a role that requires it; see idr explain carol role CRM user",
    ];
    tells(&host, ("carol", "crm"), &lines);
    let application = host.read("applications/ad.toml");
    let (without, _) = application
        .split_once("[account]")
        .expect("it has a template");
    host.write("applications/ad.toml", without);
    let lines = ["an account in ad isn't there: none is made (`[account]`)"];
    tells(&host, ("bob", "crm"), &lines);
    let unknown = host.run(["explain", "carol", "entitlement", "nothing"]);
    assert!(unknown.ends_with("[exit 2]"), "{unknown}");
}

#[test]
fn when_it_last_changed_is_told_with_the_run() {
    let host = tenant();
    let changed = |name: &str, value: &str| {
        let shown = host.json(["explain", name, "entitlement", value]);
        let last = &shown["last_changed"];
        format!("{} {}", last["at"], last["reason"])
    };
    insta::assert_snapshot!(changed("alice", "wiki"), @r#""2026-03-01T08:00:00Z" "run 1: department, lifecycle state none to active, +role Base, +role Sales, +detected role CRM user, modify ad cn=alice, +entitlement ad groups wiki""#);
    // Carol gets what Sales have, and loses it again.
    let moved = |department: &str, at: &str| {
        let feed = format!("user,department\nalice,Sales\nbob,Sales\ncarol,{department}\n");
        host.write("feeds/hr.csv", feed);
        let _ = host.json(["aggregate", "hr", "--as-of", at]);
        refresh(&host, at);
    };
    insta::assert_snapshot!(changed("carol", "crm"), @"null null");
    moved("Sales", "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(changed("carol", "crm"), @r#""2026-03-02T08:00:00Z" "run 2: department, +role Sales, modify ad cn=carol, +entitlement ad groups crm""#);
    moved("IT", "2026-03-03T08:00:00Z");
    insta::assert_snapshot!(changed("carol", "crm"), @r#""2026-03-03T08:00:00Z" "run 3: department, -role Sales""#);
    insta::assert_snapshot!(changed("carol", "wiki"), @r#""2026-03-01T08:00:00Z" "run 1: department, lifecycle state none to active, +role Base, modify ad cn=carol, +entitlement ad groups wiki""#);
    // What is sensitive is in no audit.
    let audit = host.run(["audit", "list", "--subject", "carol"]);
    assert!(audit.contains("+entitlement ad groups crm"), "{audit}");
}

#[test]
fn what_a_detected_role_is_found_by_is_told_and_what_keeps_somebody_from_one() {
    let host = tenant();
    let explained = |arguments: &[&str]| crate::explain::explained(&host, arguments);
    insta::assert_snapshot!(explained(&["explain", "alice", "role", "CRM user"]), @r"
    role CRM user: detected on ad cn=alice
      how
        lifecycle state active  lets selectors give roles
        selector                there is none: people or states assign it, or it is detected
        detection               needs all of these profiles
          ad: groups crm        satisfied by cn=alice
        assigned role Sales     requires it
      read
        ad groups  crm  ad cn=alice, aggregation 2 of 2026-03-01T08:00:00Z, ./feeds/ad.csv line 2
      changes only when something that was read changes
      last changed 2026-03-01T08:00:00Z by … (refresh): run 1: department, lifecycle state none to active, +role Base, +role Sales, +detected role CRM user, modify ad cn=alice, +entitlement ad groups wiki
    [exit 0]
    ");
    insta::assert_snapshot!(explained(&["explain", "carol", "role", "CRM user", "--why-not"]), @r"
    role CRM user: neither assigned nor detected
      how
        selector          there is none: people or states assign it, or it is detected
        detection         needs all of these profiles
          ad: groups crm  not satisfied by cn=carol
      changes only when something that was read changes
      the audit knows of no change
    [exit 0]
    ");
    insta::assert_snapshot!(explained(&["explain", "carol", "role", "Sales", "--why-not"]), @r"
    role Sales: neither assigned nor detected
      how
        selector: all of a match list  doesn't hold
          department is Sales          doesn't hold
      read
        department  IT
      changes only when something that was read changes
      the audit knows of no change
    [exit 0]
    ");
}
