//! Unique values and generated names through the program: who gets which, what
//! people reserve and release, and that threads and dry runs change nothing.

use std::fmt::Write as _;

use serde_json::Value;

use crate::common::TestHost;
use crate::small_tenant::aggregate_file;

const FILES: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    zone = "Europe/Berlin"
    //- applications/hr.toml
    vanish_grace = "0"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "id"
    [schema]
    user = {}
    first = {}
    last = {}
    badge = {}
    [guard]
    vanished = "off"
    new = "off"
    rekeyed = "off"
    emptied = "off"
    //- applications/ad.toml
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/ad.csv"
    native_identity = "dn"
    [schema]
    owner = {}
    sam = {}
    //- identity.toml
    [attributes.badge]
    unique = true
    sources = [{ application = "hr", attribute = "badge" }]
    [attributes.last]
    sources = [{ application = "hr", attribute = "last" }]
    edit_mode = "permanent"
    [attributes.login]
    edit_mode = "permanent"
    sources = [
        { application = "ad", attribute = "sam", on_no_account = "next" },
        { transform = { type = "usernameGenerator", patterns = ["$first.$last", "$first.$last${uniqueCounter}"],
            first = { type = "lower", input = { type = "accountAttribute", sourceName = "hr", attributeName = "first" } },
            last = { type = "lower", input = { type = "identityAttribute", name = "last" } } } },
    ]
    [attributes.mail]
    sources = [{ transform = { type = "concat", values = [{ type = "identityAttribute", name = "login" }, "@acme.example"] } }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    [states.gone]
    inactive = true
    //- feeds/hr.csv
    id,user,first,last,badge
    1,p1,Ann,Lee,B1
    2,p2,Ann,Lee,B2
    3,p3,Ann,Lee,B3
    4,p4,Bo,,B4
    //- feeds/ad.csv
    dn,owner,sam
    cn=3,p3,Ann.Lee
"#;

const NOW: &str = "2026-03-01T08:00:00Z";

fn tenant() -> TestHost {
    let host = TestHost::with_files(FILES);
    aggregate_file(&host, "hr", NOW);
    aggregate_file(&host, "ad", NOW);
    host
}

fn refreshed() -> TestHost {
    let host = tenant();
    refresh(&host);
    host
}

fn ok<'a>(host: &TestHost, arguments: impl IntoIterator<Item = &'a str>) -> String {
    let shown = host.run(arguments);
    assert!(shown.ends_with("[exit 0]"), "{shown}");
    shown
}

fn refresh(host: &TestHost) {
    assert_eq!(host.json(["refresh"])["status"], "done");
}

fn fails<'a>(host: &TestHost, arguments: impl IntoIterator<Item = &'a str>) -> String {
    let shown = host.run(arguments);
    assert!(shown.ends_with("[exit 2]"), "{shown}");
    shown
}

/// Returns an attribute of somebody, or `-`.
fn value(host: &TestHost, name: &str, attribute: &str) -> String {
    let shown = host.json(["identity", "show", name]);
    let value = shown["attributes"][attribute].as_str();
    value.unwrap_or("-").to_owned()
}

fn logins(host: &TestHost) -> Vec<String> {
    let people = ["p1", "p2", "p3", "p4"];
    people.map(|name| value(host, name, "login")).to_vec()
}

fn claims(host: &TestHost, namespace: &str) -> Vec<String> {
    let listed = host.json(["claim", "list", "--namespace", namespace]);
    let listed = listed.as_array().expect("a list");
    let shown = |claim: &Value| {
        let identity = claim["identity"].as_str().unwrap_or("reserved");
        format!("{} {identity}", claim["value"].as_str().expect("a text"))
    };
    listed.iter().map(shown).collect()
}

fn findings(host: &TestHost) -> Vec<String> {
    let listed = host.json(["finding", "list"]);
    let listed = listed.as_array().expect("a list");
    let shown = |finding: &Value| {
        format!(
            "{} {} {}",
            finding["name"].as_str().expect("a text"),
            finding["subject"].as_str().expect("a text"),
            finding["cause"].as_str().expect("a text")
        )
    };
    listed.iter().map(shown).collect()
}

#[test]
fn whoever_has_a_name_keeps_it_and_the_others_get_the_next_free_one() {
    let host = refreshed();
    assert_eq!(logins(&host), ["ann.lee1", "ann.lee2", "Ann.Lee", "-"]);
    assert_eq!(value(&host, "p2", "mail"), "ann.lee2@acme.example");
    assert_eq!(
        claims(&host, "login"),
        ["ann.lee p3", "ann.lee1 p1", "ann.lee2 p2"]
    );
    assert_eq!(findings(&host), [""; 0]);
}

#[test]
fn a_name_stays_when_what_it_was_made_of_changes() {
    let host = refreshed();
    ok(
        &host,
        ["identity", "edit", "p1", "last=Ames", "--reason", "married"],
    );
    refresh(&host);
    assert_eq!(value(&host, "p1", "login"), "ann.lee1");
    let text = std::fs::read_to_string(host.path("identity.toml")).expect("it is there");
    let renewing = text.replace(
        "\"usernameGenerator\",",
        "\"usernameGenerator\", renew = true,",
    );
    host.write("identity.toml", renewing);
    refresh(&host);
    assert_eq!(
        logins(&host),
        ["ann.ames", "ann.lee2", "Ann.Lee", "-"],
        "with `renew` only whose name was made of other values gets another"
    );
    ok(
        &host,
        ["identity", "edit", "p1", "last=Lee", "--reason", "divorced"],
    );
    refresh(&host);
    assert_eq!(
        value(&host, "p1", "login"),
        "ann.lee1",
        "it is still theirs"
    );
    assert_eq!(
        claims(&host, "login"),
        ["ann.ames p1", "ann.lee p3", "ann.lee1 p1", "ann.lee2 p2"]
    );
}

#[test]
fn a_value_that_is_another_identitys_is_a_finding_and_changes_nothing() {
    let host = refreshed();
    let feed = std::fs::read_to_string(host.path("feeds/hr.csv")).expect("it is there");
    host.write("feeds/hr.csv", feed.replace("Lee,B2", "Lee,b1"));
    aggregate_file(&host, "hr", NOW);
    refresh(&host);
    assert_eq!(value(&host, "p2", "badge"), "B2");
    assert_eq!(findings(&host), ["p2 badge not-unique"]);
    let refused = fails(
        &host,
        ["claim", "release", "badge", "b1", "--reason", "a typo"],
    );
    assert!(refused.contains("`b1` is the `badge` of `p1`"), "{refused}");

    // It was p2's badge all along: p1 gets another one, and gives it up.
    let feed = feed.replace("Lee,B2", "Lee,b1").replace("Lee,B1", "Lee,B9");
    host.write("feeds/hr.csv", feed);
    aggregate_file(&host, "hr", NOW);
    refresh(&host);
    assert_eq!(value(&host, "p1", "badge"), "B9");
    assert_eq!(value(&host, "p2", "badge"), "B2", "it was p1's");
    ok(
        &host,
        ["claim", "release", "badge", "B1", "--reason", "a typo"],
    );
    assert_eq!(host.json(["refresh"])["selected"], 1);
    assert_eq!(value(&host, "p2", "badge"), "b1");
    assert_eq!(findings(&host), [""; 0]);
}

/// Addresses are made of logins, and nobody may have two.
#[test]
fn what_is_made_of_a_generated_name_may_be_unique_as_well() {
    let host = tenant();
    let attributes = host.read("identity.toml");
    let unique = attributes.replace("[attributes.mail]", "[attributes.mail]\nunique = true");
    host.write("identity.toml", unique);
    refresh(&host);
    assert_eq!(logins(&host), ["ann.lee1", "ann.lee2", "Ann.Lee", "-"]);
    let mails = ["p1", "p2", "p3"].map(|name| value(&host, name, "mail"));
    let at_acme = ["ann.lee1", "ann.lee2", "Ann.Lee"].map(|login| format!("{login}@acme.example"));
    assert_eq!(mails, at_acme);
    assert_eq!(findings(&host), [""; 0]);
    assert_eq!(host.json(["refresh", "--all"])["changed"], 0);
}

#[test]
fn a_reserved_name_is_given_to_nobody() {
    let host = tenant();
    ok(&host, ["refresh", "--identity", "p4"]);
    host.write("reserved.txt", "ann.lee1\nroot\n");
    let list = host.path("reserved.txt").display().to_string();
    let reserve = [
        "claim", "reserve", "login", "--from", &list, "--reason", "ours",
    ];
    ok(&host, reserve);
    refresh(&host);
    assert_eq!(logins(&host), ["ann.lee2", "ann.lee3", "Ann.Lee", "-"]);
    assert!(claims(&host, "login").contains(&"root reserved".to_owned()));
    let again = fails(&host, reserve);
    assert!(
        again.contains("`ann.lee1` is taken in `login` already"),
        "{again}"
    );
    let unknown = fails(
        &host,
        ["claim", "reserve", "logins", "x", "--reason", "ours"],
    );
    assert!(unknown.contains("do you mean `login`?"), "{unknown}");
}

#[test]
fn a_name_that_is_given_by_hand_is_claimed_and_a_taken_one_is_not_given() {
    let host = refreshed();
    ok(
        &host,
        [
            "identity",
            "edit",
            "p4",
            "login=bo",
            "--reason",
            "asked for it",
        ],
    );
    refresh(&host);
    assert_eq!(value(&host, "p4", "login"), "bo");
    ok(
        &host,
        [
            "identity",
            "edit",
            "p4",
            "login=ANN.LEE1",
            "--reason",
            "asked for it",
        ],
    );
    refresh(&host);
    assert_eq!(value(&host, "p4", "login"), "bo");
    assert_eq!(findings(&host), ["p4 login not-unique"]);
}

#[test]
fn who_is_merged_gives_names_away() {
    let host = refreshed();
    ok(
        &host,
        ["identity", "merge", "p2", "p1", "--reason", "one person"],
    );
    assert_eq!(
        claims(&host, "login"),
        ["ann.lee p3", "ann.lee1 p1", "ann.lee2 p1"]
    );
    // What is left over of the one is nobody's trouble.
    refresh(&host);
    assert_eq!(value(&host, "p1", "login"), "ann.lee1");
    assert_eq!(value(&host, "p2", "login"), "ann.lee2");
    assert_eq!(findings(&host), [""; 0]);
}

#[test]
fn who_is_split_gives_the_accounts_names_away() {
    let host = refreshed();
    host.write(
        "feeds/ad.csv",
        "dn,owner,sam\ncn=3,p3,Ann.Lee\ncn=4,p4,beau\n",
    );
    aggregate_file(&host, "ad", NOW);
    refresh(&host);
    ok(
        &host,
        [
            "identity",
            "split",
            "p3",
            "p5",
            "--account",
            "ad",
            "cn=3",
            "--reason",
            "another",
        ],
    );
    refresh(&host);
    assert_eq!(value(&host, "p5", "login"), "Ann.Lee");
    assert_eq!(value(&host, "p3", "login"), "ann.lee3");
    assert_eq!(findings(&host), [""; 0]);
}

#[test]
fn a_dry_run_claims_nothing() {
    let host = tenant();
    let report = host.json(["refresh", "--dry-run"]);
    assert_eq!(report["selected"], 4);
    assert_eq!(claims(&host, "login"), [""; 0]);
    refresh(&host);
    assert_eq!(logins(&host), ["ann.lee1", "ann.lee2", "Ann.Lee", "-"]);
}

#[test]
fn a_thousand_equal_names_are_settled_alike_on_one_thread_and_on_eight() {
    let mut feed = "id,user,first,last,badge\n".to_owned();
    for number in 1..=1_000 {
        writeln!(feed, "{number},p{number},Ann,Lee,").expect("a text takes everything");
    }
    let settled = |threads: &str, chunk: &str| {
        let host = TestHost::with_files(FILES);
        host.write("feeds/hr.csv", &feed);
        aggregate_file(&host, "hr", NOW);
        aggregate_file(&host, "ad", NOW);
        let options = ["refresh", "--threads", threads, "--chunk-size", chunk];
        ok(&host, options);
        ok(&host, ["state", "export", "--canonical"])
    };
    let one = settled("1", "300");
    let eight = settled("8", "7");
    assert!(one == eight, "threads and chunks change nothing");
    assert!(
        one.contains(r#""claim":{"identity":"p1000","namespace":"login","value":"ann.lee999"}"#)
    );
}

#[test]
fn what_is_in_use_is_claimed_before_a_newcomer_is_given_a_name() {
    let host = TestHost::with_files(FILES);
    let unique = host.read("identity.toml");
    let (before, _) = unique
        .split_once("[attributes.login]")
        .expect("it is there");
    let plain = "[attributes.login]\nsources = [{ application = \"ad\", attribute = \"sam\" }]\n";
    host.write("identity.toml", before.to_owned() + plain);
    aggregate_file(&host, "hr", NOW);
    aggregate_file(&host, "ad", NOW);
    refresh(&host);
    assert_eq!(logins(&host), ["-", "-", "Ann.Lee", "-"]);
    assert_eq!(claims(&host, "login"), [""; 0]);
    host.write("identity.toml", unique);
    ok(&host, ["refresh", "--identity", "p1"]);
    assert_eq!(claims(&host, "login"), ["ann.lee p3", "ann.lee1 p1"]);
    refresh(&host);
    assert_eq!(logins(&host), ["ann.lee1", "ann.lee2", "Ann.Lee", "-"]);
}
