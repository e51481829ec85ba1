//! Entitlements that come and go natively: how they stand in the ledger, who is
//! asked about them, and what is decided.

use idr::store::{AuditQuery, Store};
use idr::tenant::{Absent, OpenTenant};

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
    boss = {}
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
    name = "Project"
    type = "business"
    requires = ["CRM user"]
    [[role]]
    name = "CRM user"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["crm"] } }]
    //- feeds/hr.csv
    user,department,boss
    alice,Sales,bob
    bob,IT,
"#;

const AD: &str = r#"
vanish_grace = "3d"
correlation = [{ account = "owner", identity = "name" }]
SETTINGS
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
rekeyed = "off"
emptied = "off"
"#;

/// A tenant with these settings, in which alice has these groups on the first day.
fn tenant(settings: &str, groups: &str) -> TestHost {
    let host = TestHost::with_files(TENANT);
    host.write("applications/ad.toml", AD.replace("SETTINGS", settings));
    let report = host.json(["aggregate", "hr", "--as-of", "2026-03-01T08:00:00Z"]);
    assert_eq!(report["status"], "done");
    directory(&host, 1, groups);
    host
}

/// From this day of March on alice has these groups.
fn directory(host: &TestHost, day: u32, groups: &str) {
    accounts(host, day, &[("cn=alice", groups)]);
}

/// From this day of March on alice has these accounts with these groups.
fn accounts(host: &TestHost, day: u32, accounts: &[(&str, &str)]) {
    let rows = accounts
        .iter()
        .map(|(dn, groups)| format!("{dn},alice,{groups}\n"));
    let rows: String = rows.collect();
    host.write("feeds/ad.csv", format!("dn,owner,groups\n{rows}"));
    let as_of = format!("2026-03-{day:02}T08:00:00Z");
    let report = host.json(["aggregate", "ad", "--as-of", &as_of]);
    assert_eq!(report["status"], "done");
    refresh(host);
}

fn refresh(host: &TestHost) {
    assert_eq!(host.json(["refresh"])["status"], "done");
}

fn said(host: &TestHost, arguments: &[&str]) -> String {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    host.run(arguments.iter().copied().chain(why))
}

/// A person decides, and alice is refreshed.
fn decide(host: &TestHost, arguments: &[&str]) {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let decided = host.json(arguments.iter().copied().chain(why));
    assert!(decided.is_object());
    refresh(host);
}

/// How alice's entitlements stand.
fn stands(host: &TestHost) -> String {
    let shown = host.run(["identity", "show", "alice"]);
    let ledger = shown.split_once("  entitlements\n");
    let ledger = ledger.map_or("", |(_, ledger)| ledger);
    let rows = ledger.lines().take_while(|line| line.starts_with("    "));
    let rows: Vec<String> = rows
        .map(|row| row.split_whitespace().skip(1).collect::<Vec<_>>().join(" "))
        .collect();
    rows.join("\n")
}

/// The open findings about alice, and what waits in the outbox.
fn asked(host: &TestHost) -> Vec<String> {
    let findings = host.json(["finding", "list"]);
    let findings = findings.as_array().expect("a list").clone();
    let text = |value: &serde_json::Value, key: &str| {
        let text = value[key].as_str();
        text.unwrap_or("nobody").to_owned()
    };
    let findings = findings
        .iter()
        .map(|known| format!("{} {}", text(known, "severity"), text(known, "cause")));
    let effects = host.json(["outbox", "list", "--waiting"]);
    let effects = effects.as_array().expect("a list").clone();
    let effects = effects
        .iter()
        .map(|known| format!("{}: {}", text(known, "owner"), text(known, "description")));
    findings.chain(effects).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_lost_entitlement_that_is_restored_is_missing_while_a_role_calls_for_it() {
    let host = tenant("", "crm|wiki");
    assert_eq!(
        stands(&host),
        "cn=alice groups crm CRM user, for Sales (assignment)\ncn=alice groups wiki additional"
    );
    directory(&host, 2, "");
    // Nothing calls for the other one.
    assert_eq!(
        stands(&host),
        "cn=alice groups crm missing, for Sales (assignment), lost natively at 2026-03-02T08:00:00Z"
    );
    assert_eq!(asked(&host), NOTHING);
    let list = host.run(["entitlement", "list"]);
    insta::assert_snapshot!(list, @r"
    application  attribute  value  name  owner  held  natively  disconnected  missing  removing  roles
    ad           groups     crm                    0         0                      1            CRM user
    1 entitlement
    [exit 0]
    ");
    decide(&host, &["role", "deny", "alice", "Sales"]);
    assert_eq!(stands(&host), "");
    decide(&host, &["role", "revoke", "alice", "Sales"]);
    directory(&host, 3, "crm");
    assert_eq!(
        stands(&host),
        "cn=alice groups crm CRM user, for Sales (assignment)"
    );
}

#[test]
fn an_accepted_loss_is_not_called_for_until_the_role_is_assigned_anew_or_it_is_back() {
    let host = tenant("native_loss = \"accept\"", "crm");
    directory(&host, 2, "");
    assert_eq!(stands(&host), "");
    // Another role that calls for it is assigned after the loss.
    directory(&host, 3, "wiki");
    decide(&host, &["role", "assign", "alice", "Project"]);
    assert!(stands(&host).contains("groups crm missing, for Project (request), lost natively"));
    decide(&host, &["role", "revoke", "alice", "Project"]);
    assert!(!stands(&host).contains("crm"), "{}", stands(&host));
    // It was lost, came back and is lost again by a role that is new.
    decide(&host, &["role", "deny", "alice", "Sales"]);
    decide(&host, &["role", "revoke", "alice", "Sales"]);
    assert!(stands(&host).contains("groups crm missing, for Sales (assignment)"));
    directory(&host, 4, "crm");
    assert_eq!(
        stands(&host),
        "cn=alice groups crm CRM user, for Sales (assignment)"
    );
}

#[test]
fn a_loss_that_is_raised_is_missing_and_asks_the_manager_until_somebody_decides() {
    let host = tenant("native_loss = \"raise\"", "crm|wiki");
    assert_eq!(asked(&host), NOTHING);
    directory(&host, 2, "");
    insta::assert_snapshot!(stands(&host), @"cn=alice groups crm missing, for Sales (assignment), lost natively at 2026-03-02T08:00:00Z, to be decided");
    insta::assert_snapshot!(asked(&host).join("\n"), @r"
    warning lost-natively
    bob: decide about `groups` `crm` of `cn=alice` in `ad`, which was lost natively
    ");
    // Neither a refresh nor an aggregation that finds nothing new asks again.
    directory(&host, 3, "");
    assert_eq!(asked(&host).len(), 2);
    let command = ["entitlement", "restore", "alice", "ad", "groups", "crm"];
    insta::assert_snapshot!(said(&host, &command), @r"
    `crm` of `groups`, lost natively on `cn=alice`, is restored, once refreshed: idr refresh --identity alice
    [exit 0]
    ");
    refresh(&host);
    assert_eq!(asked(&host), NOTHING);
    assert!(stands(&host).contains("crm missing, for Sales (assignment), lost natively"));
    let command = ["entitlement", "accept", "alice", "ad", "groups", "crm"];
    insta::assert_snapshot!(said(&host, &command), @r"
    `crm` of `groups`, lost natively on `cn=alice`, is accepted, once refreshed: idr refresh --identity alice
    this replaces: restored by dora at 2026-03-03T08:00:00Z
    [exit 0]
    ");
    refresh(&host);
    assert_eq!(stands(&host), "");
    insta::assert_snapshot!(host.json(["identity", "show", "alice"])["entitlement_decisions"], @r#"[{"actor":"dora","application":"ad","at":"2026-03-03T08:00:00Z","attribute":"groups","native_change":"lost","native_identity":"cn=alice","reason":"a ticket","value":"crm","verdict":"accepted"}]"#);
    let tenant = OpenTenant::open(&host.path(""), Absent::Refuse).expect("the tenant opens");
    let audit = tenant
        .store
        .audit_entries(&AuditQuery::default(), 1)
        .expect("readable")
        .remove(0);
    assert_eq!(
        [audit.actor, audit.action, audit.subject, audit.reason],
        [
            "dora",
            "accept-entitlement",
            "alice ad cn=alice groups crm",
            "a ticket"
        ]
    );
    drop(tenant);
    // It is over when the entitlement is back; what goes again is another loss.
    directory(&host, 4, "crm");
    assert_eq!(
        host.json(["identity", "show", "alice"])["entitlement_decisions"],
        serde_json::json!([])
    );
    directory(&host, 5, "");
    assert_eq!(asked(&host).len(), 2);
    // No role calls for it any more.
    decide(&host, &["role", "deny", "alice", "Sales"]);
    assert_eq!(asked(&host), NOTHING);
}

/// Somebody gives by hand what a role calls for, and somebody takes it again.
#[test]
fn what_was_gained_natively_and_is_lost_is_asked_about() {
    let host = tenant("native_loss = \"raise\"", "wiki");
    directory(&host, 2, "wiki|crm|vpn");
    assert_eq!(asked(&host), NOTHING);
    directory(&host, 3, "wiki");
    // Nothing calls for the other one.
    insta::assert_snapshot!(asked(&host).join("\n"), @r"
    warning lost-natively
    bob: decide about `groups` `crm` of `cn=alice` in `ad`, which was lost natively
    ");
    let lost = "cn=alice groups crm missing, for Sales (assignment), lost natively at 2026-03-03T08:00:00Z, to be decided";
    assert_eq!(
        stands(&host),
        format!("{lost}\ncn=alice groups wiki additional")
    );
    directory(&host, 4, "wiki|crm");
    assert_eq!(asked(&host), NOTHING);
}

#[test]
fn an_accepted_gain_is_present_for_no_reason() {
    let host = tenant("", "wiki");
    directory(&host, 2, "wiki|admin");
    assert_eq!(
        stands(&host),
        "cn=alice groups admin additional, gained natively at 2026-03-02T08:00:00Z\n\
         cn=alice groups crm missing, for Sales (assignment)\n\
         cn=alice groups wiki additional"
    );
    assert_eq!(asked(&host), NOTHING);
    // A person may decide otherwise.
    decide(
        &host,
        &["entitlement", "restore", "alice", "ad", "groups", "admin"],
    );
    assert!(stands(&host).contains(
        "groups admin additional, gained natively at 2026-03-02T08:00:00Z, to be removed"
    ));
}

#[test]
fn a_gain_that_is_restored_is_to_be_removed_unless_a_role_calls_for_it() {
    let host = tenant("native_gain = \"restore\"", "wiki");
    directory(&host, 2, "wiki|admin|crm");
    assert_eq!(
        stands(&host),
        "cn=alice groups admin additional, gained natively at 2026-03-02T08:00:00Z, to be removed\n\
         cn=alice groups crm CRM user, for Sales (assignment), gained natively at 2026-03-02T08:00:00Z\n\
         cn=alice groups wiki additional"
    );
    let shown = host.json(["identity", "show", "alice"]);
    insta::assert_snapshot!(shown["entitlements"][0], @r#"{"aggregation_state":"connected","application":"ad","assigned_roles":[],"attribute":"groups","detected_roles":[],"native_change":"gained","native_change_at":"2026-03-02T08:00:00Z","native_identity":"cn=alice","status":"removing","undecided":false,"value":"admin"}"#);
    let counted = host.json(["entitlement", "list"]);
    insta::assert_snapshot!(counted[0], @r#"{"application":"ad","assignment":0,"attribute":"groups","connected":1,"description":null,"disconnected":0,"display_name":null,"held":1,"missing":0,"native":1,"owner":null,"removing":1,"request":0,"roles":[],"state":0,"value":"admin"}"#);
    // What has gone again is nothing to speak of.
    directory(&host, 3, "wiki");
    assert!(!stands(&host).contains("admin"));
    directory(&host, 4, "wiki|admin");
    assert!(stands(&host).contains("2026-03-04T08:00:00Z, to be removed"));
}

#[test]
fn a_gain_that_is_raised_is_present_and_asks_the_manager_until_somebody_decides() {
    let host = tenant("native_gain = \"raise\"", "wiki");
    directory(&host, 2, "wiki|admin|crm");
    insta::assert_snapshot!(stands(&host), @r"
    cn=alice groups admin additional, gained natively at 2026-03-02T08:00:00Z, to be decided
    cn=alice groups crm CRM user, for Sales (assignment), gained natively at 2026-03-02T08:00:00Z
    cn=alice groups wiki additional
    ");
    insta::assert_snapshot!(asked(&host).join("\n"), @r"
    access-at-risk gained-natively
    bob: decide about `groups` `admin` of `cn=alice` in `ad`, which was gained natively
    ");
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    1 open
        access-at-risk  alice  entitlements: ad groups admin
          `admin` of `groups` was gained natively, and no assigned role calls for it
          hint: decide: idr entitlement accept, or idr entitlement restore
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["outbox", "list"]), @r"
    2026-03-02T08:00:00Z  alice  work item for bob: decide about `groups` `admin` of `cn=alice` in `ad`, which was gained natively  waiting
    [exit 0]
    ");
    decide(
        &host,
        &["entitlement", "accept", "alice", "ad", "groups", "admin"],
    );
    assert_eq!(asked(&host), NOTHING);
    assert!(
        stands(&host)
            .contains("groups admin additional, gained natively at 2026-03-02T08:00:00Z\n")
    );
    // Without the role the other one is a gain as well.
    decide(&host, &["role", "deny", "alice", "Sales"]);
    assert_eq!(asked(&host).len(), 2);
    decide(
        &host,
        &["entitlement", "restore", "alice", "ad", "groups", "crm"],
    );
    assert_eq!(asked(&host), NOTHING);
    assert!(stands(&host).contains(
        "groups crm CRM user (native), gained natively at 2026-03-02T08:00:00Z, to be removed"
    ));
}

#[test]
fn whom_a_work_item_is_for_changes_with_the_manager() {
    let host = tenant("native_gain = \"raise\"", "wiki");
    directory(&host, 2, "wiki|admin");
    host.write(
        "feeds/hr.csv",
        "user,department,boss\nalice,Sales,\nbob,IT,\n",
    );
    let report = host.json(["aggregate", "hr", "--as-of", "2026-03-03T08:00:00Z"]);
    assert_eq!(report["status"], "done");
    refresh(&host);
    insta::assert_snapshot!(host.run(["outbox", "list"]), @r"
    2026-03-03T08:00:00Z  alice  work item for nobody: decide about `groups` `admin` of `cn=alice` in `ad`, which was gained natively  waiting
    2026-03-02T08:00:00Z  alice  work item for bob: decide about `groups` `admin` of `cn=alice` in `ad`, which was gained natively     withdrawn
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    1 open
        access-at-risk  alice  entitlements: ad groups admin
          `admin` of `groups` was gained natively, and no assigned role calls for it; without a manager nobody is asked
          hint: decide: idr entitlement accept, or idr entitlement restore
    [exit 0]
    ");
}

#[test]
fn what_was_there_before_idr_knew_the_account_is_never_touched() {
    let host = tenant("native_gain = \"restore\"", "wiki|admin");
    let before = "cn=alice groups admin additional\n\
                  cn=alice groups crm missing, for Sales (assignment)\n\
                  cn=alice groups wiki additional";
    assert_eq!(stands(&host), before);
    directory(&host, 2, "admin|wiki");
    assert_eq!(stands(&host), before);
}

#[test]
fn an_entitlement_that_two_roles_call_for_stays_while_one_of_them_does() {
    let host = tenant("native_gain = \"restore\"", "");
    decide(&host, &["role", "assign", "alice", "Project"]);
    directory(&host, 2, "crm");
    let gained = "gained natively at 2026-03-02T08:00:00Z";
    let crm = |roles: &str| format!("cn=alice groups crm CRM user{roles}, {gained}");
    assert_eq!(
        stands(&host),
        crm(", for Project (request), Sales (assignment)")
    );
    decide(&host, &["role", "revoke", "alice", "Project"]);
    assert_eq!(stands(&host), crm(", for Sales (assignment)"));
    decide(&host, &["role", "deny", "alice", "Sales"]);
    assert_eq!(stands(&host), crm(" (native)") + ", to be removed");
}

#[test]
fn of_several_accounts_nothing_is_called_for_unless_one_was_chosen() {
    let host = tenant("native_gain = \"raise\"", "wiki");
    accounts(&host, 2, &[("cn=adm", "wiki"), ("cn=alice", "wiki")]);
    assert!(!stands(&host).contains("missing"), "{}", stands(&host));
    decide(
        &host,
        &[
            "role",
            "assign",
            "alice",
            "Project",
            "--account",
            "ad",
            "cn=adm",
        ],
    );
    assert!(stands(&host).contains("cn=adm groups crm missing, for Project (request)"));
    accounts(
        &host,
        3,
        &[("cn=adm", "wiki|vpn"), ("cn=alice", "wiki|vpn")],
    );
    // One finding about both, and a work item for each.
    assert_eq!(asked(&host).len(), 3, "{:?}", asked(&host));
    let command = ["entitlement", "accept", "alice", "ad", "groups", "vpn"];
    insta::assert_snapshot!(said(&host, &command), @r"
    error: several accounts have gained or lost `vpn`
    hint: say which with --account: `cn=adm`, `cn=alice`
    [exit 2]
    ");
    decide(&host, &[&command[..], &["--account", "cn=adm"]].concat());
    assert_eq!(asked(&host).len(), 2);
    let command = ["entitlement", "accept", "alice", "ad", "groups", "wiki"];
    insta::assert_snapshot!(said(&host, &command), @r"
    error: no account of `alice` in `ad` has gained or lost `wiki` of `groups` natively
    hint: idr identity show alice says what was
    [exit 2]
    ");
    let command = ["entitlement", "accept", "alice", "ad", "group", "vpn"];
    insta::assert_snapshot!(said(&host, &command), @r"
    error: `group` is no entitlement of `ad`
    hint: do you mean `groups`?
    [exit 2]
    ");
}

#[test]
fn nothing_is_called_for_on_accounts_that_the_filter_of_a_profile_leaves_out() {
    let filtered = |filter: &str| {
        let host = tenant("", "wiki");
        let roles = host.read("roles/roles.toml").replace(
            "entitlements = { groups = [\"crm\"] }",
            &format!("entitlements = {{ groups = [\"crm\"] }}, filter = '{filter}'"),
        );
        host.write("roles/roles.toml", roles);
        accounts(&host, 2, &[("cn=adm", "wiki"), ("cn=alice", "wiki")]);
        let stands = stands(&host);
        let missing = stands.lines().filter(|row| row.contains("missing"));
        missing.map(str::to_owned).collect::<Vec<_>>()
    };
    // Of two, one is what it is for.
    assert_eq!(
        filtered("nativeIdentity != \"cn=adm\""),
        ["cn=alice groups crm missing, for Sales (assignment)"]
    );
    assert_eq!(filtered("owner == \"alice\""), NOTHING);
    assert_eq!(filtered("owner == \"bob\""), NOTHING);
}

/// A role of a type of one's own, and one that inherits profiles.
#[test]
fn what_an_assigned_role_itself_asks_for_is_called_for() {
    let host = tenant("native_gain = \"restore\"", "");
    let roles = r#"
        [types.Application]
        selector = true
        profiles = true
        [[role]]
        name = "VPN"
        type = "Application"
        selector = { match = { department = "Sales" } }
        profiles = [{ application = "ad", entitlements = { groups = ["vpn"] } }]
        [[role]]
        name = "Sales"
        type = "business"
        selector = { match = { department = "Sales" } }
        inherits = ["CRM user"]
        [[role]]
        name = "CRM user"
        type = "it"
        profiles = [{ application = "ad", entitlements = { groups = ["crm"] } }]
    "#;
    host.write("roles/roles.toml", roles);
    refresh(&host);
    insta::assert_snapshot!(stands(&host), @r"
    cn=alice groups crm missing, for Sales (assignment)
    cn=alice groups vpn missing, for VPN (assignment)
    ");
    directory(&host, 2, "crm|vpn|wiki");
    insta::assert_snapshot!(stands(&host), @r"
    cn=alice groups crm CRM user, for Sales (assignment), gained natively at 2026-03-02T08:00:00Z
    cn=alice groups vpn additional, for VPN (assignment), gained natively at 2026-03-02T08:00:00Z
    cn=alice groups wiki additional, gained natively at 2026-03-02T08:00:00Z, to be removed
    ");
}

#[test]
fn an_account_that_was_not_listed_is_disconnected_and_loses_nothing() {
    let host = tenant("native_loss = \"raise\"", "crm");
    accounts(&host, 2, &[]);
    assert_eq!(
        stands(&host),
        "cn=alice groups crm CRM user, for Sales (assignment), disconnected"
    );
    let counted = host.json(["entitlement", "list"]);
    assert_eq!(counted[0]["held"], 1);
    assert_eq!(counted[0]["disconnected"], 1);
    // Back in time with less, it has lost it; back too late, it is another account.
    directory(&host, 3, "");
    assert_eq!(asked(&host).len(), 2);
    directory(&host, 4, "crm");
    accounts(&host, 5, &[]);
    accounts(&host, 9, &[]);
    directory(&host, 10, "");
    assert_eq!(asked(&host), NOTHING);
    assert_eq!(
        stands(&host),
        "cn=alice groups crm missing, for Sales (assignment)"
    );
}

/// Somebody is to decide; nothing went wrong.
#[test]
fn what_is_to_be_decided_is_no_exception() {
    let host = tenant("native_gain = \"raise\"", "wiki");
    let settings = host.read("idr.toml") + "[refresh]\nmax_exceptions = 1\n";
    host.write("idr.toml", settings);
    directory(&host, 2, "wiki|admin");
    assert_eq!(asked(&host).len(), 2);
}

#[test]
fn what_is_sensitive_is_neither_printed_nor_in_the_audit() {
    let host = tenant("", "wiki");
    let application = host.read("applications/ad.toml");
    let application =
        application.replace("entitlement = true", "entitlement = true, sensitive = true");
    host.write("applications/ad.toml", application);
    directory(&host, 2, "wiki|admin");
    let restore = ["entitlement", "restore", "alice", "ad", "groups"];
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let run = |value: &'static str| host.run(restore.into_iter().chain([value]).chain(why));
    insta::assert_snapshot!(run("admin"), @r"
    `(sensitive)` of `groups`, gained natively on `cn=alice`, is restored, once refreshed: idr refresh --identity alice
    [exit 0]
    ");
    insta::assert_snapshot!(run("root"), @r"
    error: no account of `alice` in `ad` has gained or lost `(sensitive)` of `groups` natively
    hint: idr identity show alice says what was
    [exit 2]
    ");
    let tenant = OpenTenant::open(&host.path(""), Absent::Refuse).expect("the tenant opens");
    let audit = tenant
        .store
        .audit_entries(&AuditQuery::default(), 1)
        .expect("readable")
        .remove(0);
    assert_eq!(audit.subject, "alice ad cn=alice groups");
}

#[test]
fn what_is_decided_natively_about_an_account_goes_with_it() {
    let decisions = |host: &TestHost, name: &str| {
        let shown = host.json(["identity", "show", name]);
        let decisions = shown["entitlement_decisions"].as_array();
        decisions.expect("a list").len()
    };
    let link = ["account", "link", "ad", "cn=alice", "bob"];
    let merge = ["identity", "merge", "alice", "bob", "--state", "active"];
    let split = [
        "identity",
        "split",
        "alice",
        "ally",
        "--account",
        "ad",
        "cn=alice",
    ];
    for (command, owner) in [
        (&link[..], "bob"),
        (&merge[..], "bob"),
        (&split[..], "ally"),
    ] {
        let host = tenant("native_gain = \"raise\"", "wiki");
        directory(&host, 2, "wiki|admin");
        decide(
            &host,
            &["entitlement", "accept", "alice", "ad", "groups", "admin"],
        );
        decide(&host, command);
        assert_eq!(decisions(&host, "alice"), 0, "{command:?}");
        assert_eq!(decisions(&host, owner), 1, "{command:?}");
        assert_eq!(asked(&host), NOTHING, "{command:?}");
    }
}

#[test]
fn words_that_are_not_known_and_settings_without_effect_are_reported() {
    let host = tenant("", "");
    host.write(
        "applications/ad.toml",
        AD.replace(
            "SETTINGS",
            "native_gain = \"remove\"\nnative_loss = \"raise\"",
        )
        .replace(", entitlement = true", ""),
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 4 problems
    applications/ad.toml:4: native_gain: `remove` is not known here
        hint: the words here are accept, restore, raise
    applications/ad.toml:4: native_gain: it has no effect: none of the attributes is an entitlement
        hint: mark those that are with `entitlement = true`
    applications/ad.toml:5: native_loss: it has no effect: none of the attributes is an entitlement
        hint: mark those that are with `entitlement = true`
    roles/roles.toml:13: role[CRM user].profiles[0].entitlements.groups: `groups` is no entitlement
        hint: write `entitlement = true` for it in applications/ad.toml
    [exit 2]
    ");
}

/// What was decided about entitlements goes with the accounts, edits stay.
#[test]
fn decisions_about_entitlements_go_along_with_a_merge() {
    let host = tenant("native_gain = \"raise\"", "crm");
    let lifecycle = host.read("lifecycle.toml") + "[states.gone]\ninactive = true\n";
    host.write("lifecycle.toml", lifecycle);
    let identity = host.read("identity.toml");
    let editable = "attribute = \"department\" }]\nedit_mode = \"permanent\"";
    let identity = identity.replace("attribute = \"department\" }]", editable);
    host.write("identity.toml", identity);
    directory(&host, 2, "crm|wiki|vpn");
    decide(
        &host,
        &["entitlement", "accept", "alice", "ad", "groups", "wiki"],
    );
    decide(&host, &["identity", "edit", "alice", "department=IT"]);
    let decisions = |name: &str| {
        let shown = host.json(["identity", "show", name]);
        let decisions = shown["entitlement_decisions"]
            .as_array()
            .expect("a list")
            .clone();
        let of = decisions.iter().map(|known| {
            let text = |key: &str| known[key].as_str().unwrap_or_default().to_owned();
            [text("native_identity"), text("value"), text("verdict")].join(" ")
        });
        of.collect::<Vec<_>>()
    };
    assert_eq!(decisions("alice"), ["cn=alice wiki accepted"]);
    assert_eq!(decisions("bob"), [""; 0]);
    insta::assert_snapshot!(said(&host, &["identity", "merge", "alice", "bob"]), @r"
    `bob` has 2 accounts of `alice`, from the next refresh on: idr refresh
      ad cn=alice
      hr alice
    `department` of `alice` was edited by dora at 2026-03-02T08:00:00Z: that isn't taken over
    [exit 0]
    ");
    refresh(&host);
    assert_eq!(decisions("alice"), [""; 0]);
    assert_eq!(decisions("bob"), ["cn=alice wiki accepted"]);
    let bob = host.json(["identity", "show", "bob"]);
    assert_eq!(bob["edits"], serde_json::json!([]));
    let alice = host.json(["identity", "show", "alice"]);
    assert_eq!(alice["edits"][0]["attribute"], "department");
    // Only about the other one somebody is still to decide.
    let items = bob["work_items"].as_array().expect("a list");
    insta::assert_snapshot!(items.len(), @"1");
    insta::assert_snapshot!(items[0]["description"], @r#""decide about `groups` `vpn` of `cn=alice` in `ad`, which was gained natively""#);
}
