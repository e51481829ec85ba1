//! The commands around aggregation, through the program and the embedded store.

use crate::common::TestHost;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    correlation = [{ account = "user", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/hr-*.csv"
    native_identity = "id"
    status = { column = "state", disabled = ["left"] }
    [schema]
    user = {}
    email = {}
    salary = { type = "integer", sensitive = true }
    [authoritative]
    name = "user"
    [guard]
    vanished = "10%"
    //- applications/crm.toml
    correlation = [{ account = "mail", identity = "email" }]
    [connector]
    type = "delimited-file"
    native_identity = "login"
    delimiter = ";"
    encoding = "latin1"
    [schema]
    mail = {}
    groups = { type = "many", separator = "|", entitlement = true }
    //- identity.toml
    [attributes.email]
    sources = [{ application = "hr", attribute = "email" }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- feeds/hr-2026-01.csv
    id,user,email,salary,state
    1,ana,ana@x,100,
    2,bela,team@x,90,
    3,chidi,team@x,80,left
    //- feeds/hr-2026-02.csv
    id,user,email,salary,state
    1,ana,ana@x,200,
    4,"dora,dora@x,70,
    //- feeds/crm.csv
    login;mail;groups
    a1;ANA@X;b|a
    t1;team@x;
    z1;zoe@x;"a|
"#;

/// Runs a command without the line that says how long it took.
fn run<'a>(host: &TestHost, arguments: impl IntoIterator<Item = &'a str>) -> String {
    let shown = host.run(arguments);
    let lines = shown.lines().filter(|line| !line.ends_with("records/s"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_month_of_aggregations() {
    let host = TestHost::with_files(TENANT);
    let january = "2026-01-31";
    insta::assert_snapshot!(run(&host, ["aggregate", "hr", "--file", "feeds/hr-2026-01.csv", "--as-of", january]), @r"
    aggregation 1 of hr is done, as of 2026-01-31T00:00:00Z
      3 read, 3 new, 3 correlated, 3 identities created
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, ["aggregate", "crm", "--file", "feeds/crm.csv"]), @r"
    aggregation 2 of crm is done, as of 2026-01-31T00:00:00Z
      3 read, 2 new, 1 broken, 2 uncorrelated
      open findings about crm: 1 (idr finding list)
    [exit 1]
    ");
    insta::assert_snapshot!(run(&host, ["refresh", "--quiet"]), @"[exit 1]");
    insta::assert_snapshot!(run(&host, ["account", "list", "--application", "crm"]), @r"
    application  account  status   identity  link        missing since
    crm          a1       enabled  ana       correlated
    crm          t1       enabled  -         ambiguous
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, ["account", "link", "crm", "t1", "bela", "--reason", "she asked", "--actor", "olga"]), @r"
    crm t1 now belongs to bela
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, ["account", "list", "--ambiguous"]), @r"
    no accounts
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, ["account", "unlink", "crm", "t1", "--reason", "a mistake", "--actor", "olga"]), @r"
    crm t1 now belongs to nobody
    [exit 0]
    ");
    let accounts = host.json(["account", "list", "--application", "crm"]);
    let link = |index: usize| {
        (
            accounts[index]["identity"].as_str(),
            accounts[index]["link"].as_str(),
        )
    };
    assert_eq!(link(0), (Some("ana"), Some("correlated")));
    assert_eq!(link(1), (None, Some("manual")));
    assert_eq!(
        accounts[0]["attributes"]["groups"],
        serde_json::json!(["a", "b"])
    );
}

#[test]
fn a_changed_correlation_finds_owners_when_it_is_adopted() {
    let host = TestHost::with_files(TENANT);
    let january = [
        "aggregate",
        "hr",
        "--file",
        "feeds/hr-2026-01.csv",
        "--as-of",
        "2026-01-31",
    ];
    assert!(run(&host, january).ends_with("[exit 0]"));
    host.write("feeds/crm.csv", "login;mail;groups\nl1;Ana;a\n");
    assert!(run(&host, ["aggregate", "crm", "--file", "feeds/crm.csv"]).ends_with("[exit 0]"));
    let crm = host.read("applications/crm.toml");
    let by_name = crm.replace(r#"identity = "email""#, r#"identity = "name""#);
    host.write("applications/crm.toml", by_name);
    assert!(run(&host, ["refresh"]).ends_with("[exit 0]"));
    insta::assert_snapshot!(run(&host, ["account", "list", "--application", "crm"]), @r"
    application  account  status   identity  link        missing since
    crm          l1       enabled  ana       correlated
    [exit 0]
    ");
}

#[test]
fn a_held_aggregation_waits_for_a_person() {
    let host = TestHost::with_files(TENANT);
    let january = [
        "aggregate",
        "hr",
        "--file",
        "feeds/hr-2026-01.csv",
        "--as-of",
        "2026-01-31",
    ];
    assert!(run(&host, january).ends_with("[exit 0]"));
    insta::assert_snapshot!(run(&host, ["aggregate", "hr", "--as-of", "2026-02-28"]), @r"
    aggregation 2 of hr is held, as of 2026-02-28T00:00:00Z
      2 read, 1 modified, 2 vanished, 1 broken
      held: 2 of 3 accounts aren't listed any more, 1 may: `2`, `3`
      nothing is applied until a person decides:
        idr aggregation show 2
        idr aggregation accept 2 --reason WHY
        idr aggregation reject 2 --reason WHY
      open findings about hr: 2 (idr finding list)
    [exit 1]
    ");
    insta::assert_snapshot!(run(&host, ["aggregation", "show", "2"]), @r"
    aggregation 2 of hr is held, as of 2026-02-28T00:00:00Z
      2 read, 1 modified, 2 vanished, 1 broken
      held: 2 of 3 accounts aren't listed any more, 1 may: `2`, `3`
      nothing is applied until a person decides:
        idr aggregation show 2
        idr aggregation accept 2 --reason WHY
        idr aggregation reject 2 --reason WHY
      file: ./feeds/hr-2026-02.csv
      vanished  2
      vanished  3
      modified  1  salary: (sensitive) -> (sensitive)
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, ["aggregation", "reject", "2", "--reason", "half a file"]), @r"
    aggregation 2 of hr is rejected, as of 2026-02-28T00:00:00Z
      2 read, 1 modified, 2 vanished, 1 broken
      held: 2 of 3 accounts aren't listed any more, 1 may: `2`, `3`
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, ["aggregation", "accept", "2", "--reason", "on second thoughts"]), @r"
    error: aggregation 2 is rejected
    hint: `idr aggregation list` shows which are held
    [exit 2]
    ");
    assert!(run(&host, ["aggregate", "hr", "--as-of", "2026-02-28"]).ends_with("[exit 1]"));
    insta::assert_snapshot!(run(&host, ["aggregation", "accept", "3", "--reason", "they left"]), @r"
    aggregation 3 of hr is done, as of 2026-02-28T00:00:00Z
      2 read, 1 modified, 2 vanished, 1 broken
      held: 2 of 3 accounts aren't listed any more, 1 may: `2`, `3`
      open findings about hr: 1 (idr finding list)
    [exit 1]
    ");
    insta::assert_snapshot!(run(&host, ["account", "list", "--missing"]), @r"
    application  account  status    identity  link     missing since
    hr           2        enabled   bela      created  2026-02-28T00:00:00Z
    hr           3        disabled  chidi     created  2026-02-28T00:00:00Z
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, ["aggregation", "list"]), @r"
    number  application  status    as of                 read  what
         3  hr           done      2026-02-28T00:00:00Z     2  1 modified, 2 vanished, 1 broken
         2  hr           rejected  2026-02-28T00:00:00Z     2  1 modified, 2 vanished, 1 broken
         1  hr           done      2026-01-31T00:00:00Z     3  3 new, 3 correlated, 3 identities created
    [exit 0]
    ");
}

#[test]
fn mistakes_are_said_with_what_to_do() {
    let host = TestHost::with_files(TENANT);
    host.write(
        "feeds/hr-2026-03.csv",
        "id,user,mail,salary,state\n1,ana,ana@x,1,\n",
    );
    insta::assert_snapshot!(run(&host, ["aggregate", "hr"]), @r"
    error: the file `./feeds/hr-2026-03.csv` has no column `email` for attribute `email`
    hint: did you mean `mail`?
    [exit 3]
    ");
    insta::assert_snapshot!(run(&host, ["aggregate", "hrs"]), @r"
    error: there is no application `hrs`
    hint: did you mean `hr`?
    [exit 2]
    ");
    insta::assert_snapshot!(run(&host, ["aggregate", "crm"]), @r"
    error: application `crm` has no file to read
    hint: name one with --file, or in applications/crm.toml
    [exit 2]
    ");
    insta::assert_snapshot!(run(&host, ["aggregate", "crm", "--file", "gone.csv"]), @r"
    error: the file `gone.csv` can't be read
    caused by: No such file or directory (os error 2)
    [exit 3]
    ");
    let report = host.json([
        "aggregate",
        "crm",
        "--file",
        "feeds/crm.csv",
        "--as-of",
        "2026-03-01",
    ]);
    assert_eq!(report["counters"]["broken"], 1);
    assert_eq!(report["status"], "done");
    insta::assert_snapshot!(run(&host, ["aggregate", "crm", "--file", "feeds/crm.csv", "--as-of", "2026-02-01"]), @r"
    error: 2026-02-01T00:00:00Z lies before 2026-03-01T00:00:00Z, for which the tenant was changed last
    hint: older data would undo newer data; --force aggregates it all the same
    [exit 2]
    ");
    insta::assert_snapshot!(run(&host, ["aggregation", "resume"]), @r"
    no aggregation was left unfinished
    [exit 0]
    ");
}
