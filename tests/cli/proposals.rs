//! Rules that propose values, and rules about a single account, as components
//! in a tenant's configuration.

use idr::config::sha256;

use crate::common::{TestHost, repository};

const FILES: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    authoritative = { name = "user" }
    correlation = [{ account = "user", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "id"
    [schema]
    user = {}
    department = {}
    location = {}
    email = {}
    category = {}
    supervisor = {}
    country = {}
    workload = { type = "integer" }
    [guard]
    new = "off"
    //- applications/ad.toml
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/ad.csv"
    native_identity = "login"
    [schema]
    owner = {}
    description = {}
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    [attributes.location]
    sources = [{ application = "hr", attribute = "location" }]
    [attributes.email]
    sources = [{ application = "hr", attribute = "email" }]
    [attributes.employeeId]
    sources = [{ static = "none" }]
    [manager]
    sources = [{ application = "hr", attribute = "supervisor" }]
    identity_attribute = "name"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- feeds/hr.csv
    id,user,department,location,email,category,supervisor,workload,country
    1,ana,Sales,Bern,ana@acme.org,employee,,20,
    2,ana,IT,Basel,ana@acme.org,employee,,60,
    3,bela,Sales,Bern,bela@acme.org,employee,ana@acme.org,100,
    T9,test,Sales,Bern,test@acme.org,employee,,100,
    P4,Chidi,IT,Chur,,external,ana,100,
    //- feeds/ad.csv
    login,owner,description
    adm-bela,nobody,
    backup,nobody,owner: ana@acme.org
    bela,bela,
"#;

/// Writes rules into the tenant: name, component, and the rest of its table.
fn add_rules(host: &TestHost, rules: &[(&str, &str, &str)]) {
    let mut text = String::new();
    for (name, component, rest) in rules {
        let path = repository().join(format!("rules-examples/rust/{component}/{component}.wasm"));
        let content = std::fs::read(path).expect("the example is committed");
        host.write(&format!("rules/{component}.wasm"), &content);
        let digest = sha256(&content);
        text += &format!(
            "[rules.{name}]\ncomponent = \"{component}.wasm\"\nsha256 = \"{digest}\"\n{rest}\n"
        );
    }
    host.write("rules/rules.toml", text);
}

/// Changes a file of the tenant.
fn edit(host: &TestHost, file: &str, from: &str, to: &str) {
    let text = host.read(file);
    assert!(text.contains(from), "{file}: {from}");
    host.write(file, text.replace(from, to));
}

/// Aggregates and refreshes; a few test records may be findings.
fn aggregate_and_refresh(host: &TestHost) {
    for application in ["hr", "ad"] {
        let _ = host.json(["aggregate", application, "--as-of", "2026-03-01"]);
    }
    let _ = host.json(["refresh", "--as-of", "2026-03-01"]);
}

/// Returns the line about an attribute of an identity.
fn attribute(host: &TestHost, identity: &str, name: &str) -> String {
    let shown = host.run(["identity", "show", identity]);
    let mut lines = shown.lines().map(str::trim);
    let found = lines.find(|line| line.starts_with(name));
    found.expect("it has a value").to_owned()
}

const BEFORE: (&str, &str, &str) = (
    "employments",
    "before-refresh",
    "reads = { accounts = { hr = [\"workload\", \"department\", \"location\"] } }\n\
     parameters = { application = \"hr\", attributes = [\"department\"] }",
);

#[test]
fn a_before_refresh_rule_proposes_what_counts_before_the_sources() {
    let host = TestHost::with_files(FILES);
    aggregate_and_refresh(&host);
    insta::assert_snapshot!(attribute(&host, "ana", "department"), @"department  Sales         hr department");

    add_rules(&host, &[BEFORE]);
    edit(
        &host,
        "identity.toml",
        "[attributes.department]\n",
        "before_refresh = \"employments\"\n[attributes.department]\nproposals = true\n",
    );
    let _ = host.json(["refresh"]);
    insta::assert_snapshot!(attribute(&host, "ana", "department"), @"department  IT            proposed by rule employments");
    insta::assert_snapshot!(attribute(&host, "ana", "location"), @"location    Bern          hr location");
    insta::assert_snapshot!(attribute(&host, "bela", "department"), @"department  Sales          hr department");

    // What may not be proposed is a finding, and comes from its sources.
    edit(
        &host,
        "rules/rules.toml",
        "attributes = [\"department\"] }",
        "attributes = [\"department\", \"location\"] }",
    );
    let _ = host.json(["refresh"]);
    insta::assert_snapshot!(attribute(&host, "ana", "location"), @"location    Bern          hr location");
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    2 open
        error  ana  before-refresh: location
          the rule proposes a value for `location`, for which no rule may
          hint: write `proposals = true` for `location` in identity.toml
        warning  bela  manager: manager
          no identity has `name` `ana@acme.org`, whom the account names as manager
    [exit 0]
    ");
}

#[test]
fn rules_about_an_account_correlate_create_and_find_managers() {
    let host = TestHost::with_files(FILES);
    add_rules(
        &host,
        &[
            (
                "second-accounts",
                "account-correlation",
                "reads = { accounts = { ad = [\"description\"] }, lookups = [\"email\"] }\n\
                 parameters = { prefixes = [\"adm-\"] }",
            ),
            (
                "who-becomes",
                "identity-creation",
                "reads = { accounts = { hr = [\"category\"] } }\nparameters = { test = \"T9\" }",
            ),
            (
                "supervisor",
                "manager-correlation",
                "reads = { accounts = { hr = [\"country\"] }, lookups = [\"email\", \"employeeId\"] }",
            ),
        ],
    );
    edit(
        &host,
        "applications/ad.toml",
        "correlation = [",
        "correlation = [{ rule = \"second-accounts\" }, ",
    );
    edit(
        &host,
        "applications/hr.toml",
        "name = \"user\" }",
        "name = \"user\", rule = \"who-becomes\" }",
    );
    edit(
        &host,
        "identity.toml",
        "identity_attribute = ",
        "rule = \"supervisor\"\nidentity_attribute = ",
    );
    aggregate_and_refresh(&host);
    insta::assert_snapshot!(host.run(["account", "list"]), @r"
    application  account   status   identity  link          missing since
    ad           adm-bela  enabled  bela      correlated
    ad           backup    enabled  ana       correlated
    ad           bela      enabled  bela      correlated
    hr           1         enabled  ana       created
    hr           2         enabled  ana       correlated
    hr           3         enabled  bela      created
    hr           P4        enabled  x-p4      created
    hr           T9        enabled  -         uncorrelated
    [exit 0]
    ");
    let shown = |identity: &str| {
        let shown = host.json(["identity", "show", identity]);
        format!("{} {}", shown["type"], shown["manager"])
    };
    insta::assert_snapshot!(shown("bela"), @r#""person" "ana""#);
    // The rule leaves names to the configuration.
    insta::assert_snapshot!(shown("x-p4"), @r#""contractor" "ana""#);
}

#[test]
fn an_after_refresh_rule_proposes_inputs_of_the_next_refresh() {
    let host = TestHost::with_files(FILES);
    host.write(
        "roles/roles.toml",
        "[[role]]\nname = \"Staff\"\ntype = \"business\"\n\
         selector = { filter = 'department == \"Sales\"' }\n",
    );
    add_rules(
        &host,
        &[(
            "badges",
            "after-refresh",
            "parameters = { attribute = \"badge\", roles = [\"Staff=blue\"] }",
        )],
    );
    edit(
        &host,
        "identity.toml",
        "[attributes.department]\n",
        "after_refresh = \"badges\"\n[attributes.badge]\nproposals = true\n\
         sources = [{ static = \"white\" }]\n[attributes.department]\n",
    );
    aggregate_and_refresh(&host);
    insta::assert_snapshot!(attribute(&host, "bela", "badge"), @"badge       white          static");
    let due = host.json(["due"]);
    let due: Vec<_> = due.as_array().expect("a list").iter().collect();
    assert!(due.iter().any(|known| known["name"] == "bela"), "{due:?}");
    let _ = host.json(["refresh"]);
    insta::assert_snapshot!(attribute(&host, "bela", "badge"), @"badge       blue           proposed by rule badges");
    let _ = host.json(["refresh"]);
    let report = host.json(["refresh"]);
    assert_eq!(report["refreshed"], 0, "it settles: {report}");

    edit(&host, "identity.toml", "after_refresh = \"badges\"\n", "");
    edit(&host, "identity.toml", "proposals = true\n", "");
    let _ = host.json(["refresh"]);
    insta::assert_snapshot!(attribute(&host, "bela", "badge"), @"badge       white          static");
}

#[test]
fn a_value_change_rule_is_asked_once_per_change_and_its_answer_stays() {
    let host = TestHost::with_files(FILES);
    add_rules(
        &host,
        &[(
            "former",
            "value-change",
            "parameters = { into = \"formerLocation\" }",
        )],
    );
    edit(
        &host,
        "identity.toml",
        "[attributes.location]\n",
        "[attributes.formerLocation]\nproposals = true\n\
         sources = [{ static = \"none\" }]\n[attributes.location]\non_change = \"former\"\n",
    );
    let move_bela = |from: &str, to: &str, day: &str| {
        edit(
            &host,
            "feeds/hr.csv",
            &format!("bela,Sales,{from}"),
            &format!("bela,Sales,{to}"),
        );
        let _ = host.json(["aggregate", "hr", "--as-of", day]);
        host.json(["refresh", "--as-of", day])
    };
    aggregate_and_refresh(&host);
    insta::assert_snapshot!(attribute(&host, "bela", "formerLocation"), @"formerLocation  none           static");

    let _ = move_bela("Bern", "Basel", "2026-03-02");
    assert_eq!(due(&host), ["bela"]);
    let refreshed = host.json(["refresh", "--as-of", "2026-03-03"]);
    assert_eq!(refreshed["refreshed"], 1);
    insta::assert_snapshot!(attribute(&host, "bela", "formerLocation"), @"formerLocation  Bern           proposed by rule former");
    let everybody = host.json(["refresh", "--all", "--as-of", "2026-03-04"]);
    assert_eq!(everybody["changed"], 0, "it isn't asked again: {everybody}");
    let rules = host.run(["rule", "list"]);
    assert!(rules.contains("changes of attribute `location`"), "{rules}");

    // A change that it can't answer waits for it; the last answer stays.
    edit(&host, "rules/rules.toml", "into =", "onto =");
    let _ = move_bela("Basel", "Chur", "2026-03-05");
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    2 open
        error  bela  value-change: location
          rule `former` (value-change of `location`) calls it invalid: `into` is not a text
        warning  bela  manager: manager
          no identity has `name` `ana@acme.org`, whom the account names as manager
    [exit 0]
    ");
    let _ = move_bela("Chur", "Genf", "2026-03-06");
    insta::assert_snapshot!(attribute(&host, "bela", "formerLocation"), @"formerLocation  Bern           proposed by rule former");
    edit(&host, "rules/rules.toml", "onto =", "into =");
    let _ = host.json(["refresh", "--as-of", "2026-03-07"]);
    let _ = host.json(["refresh", "--as-of", "2026-03-08"]);
    insta::assert_snapshot!(attribute(&host, "bela", "formerLocation"), @"formerLocation  Basel          proposed by rule former");

    edit(&host, "identity.toml", "on_change = \"former\"\n", "");
    edit(&host, "identity.toml", "proposals = true\n", "");
    let _ = host.json(["refresh", "--as-of", "2026-03-09"]);
    insta::assert_snapshot!(attribute(&host, "bela", "formerLocation"), @"formerLocation  none           static");
    assert_eq!(due(&host), [""; 0]);
}

/// Returns the names of those who are due.
fn due(host: &TestHost) -> Vec<String> {
    let due = host.json(["due"]);
    let due = due.as_array().expect("a list").iter();
    let names = due.map(|known| known["name"].as_str().expect("a name").to_owned());
    names.collect()
}
