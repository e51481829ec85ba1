//! Logical applications: accounts that are made of accounts of others.

use idr::config::sha256;

use crate::common::{TestHost, repository};

const TENANT: &str = r#"
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
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- applications/ad.toml
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/ad.csv"
    native_identity = "dn"
    status = { column = "status", disabled = ["off"] }
    [schema]
    owner = {}
    login = {}
    groups = { type = "many", separator = "|", entitlement = true }
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- applications/db.toml
    correlation = [{ account = "person", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/db.csv"
    native_identity = "key"
    [schema]
    person = {}
    user = {}
    profile = { entitlement = true }
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- applications/crm.toml
    [schema]
    login = {}
    profile = { entitlement = true }
    [logical]
    primary = "ad"
    [[logical.tiers]]
    application = "ad"
    filter = 'groups.containsAll({"crm"})'
    [[logical.tiers]]
    application = "db"
    account = "user"
    primary = "login"
    [logical.attributes]
    login = { application = "ad", attribute = "login" }
    profile = { application = "db", attribute = "profile" }
    //- identity.toml
    [attributes.crmLogin]
    sources = [{ application = "crm", attribute = "login" }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    [states.gone]
    inactive = true
    accounts = [{ application = "crm", do = "disable" }]
    //- roles/roles.toml
    [[role]]
    name = "CRM seller"
    type = "it"
    [[role.profiles]]
    application = "crm"
    entitlements = { profile = ["seller"] }
    //- feeds/hr.csv
    id,user
    1,alice
    2,bob
    3,carl
    //- feeds/ad.csv
    dn,owner,login,groups,status
    cn=alice,alice,ALI,crm|mail,on
    cn=bob,bob,bob,mail,on
    cn=carl,carl,carl,crm,on
    //- feeds/db.csv
    key,person,user,profile
    7,alice,ali,seller
    8,bob,bob,seller
    9,carl,someone,seller
"#;

fn aggregate(host: &TestHost, application: &str, at: &str) {
    let report = host.json(["aggregate", application, "--as-of", at]);
    assert_eq!(report["status"], "done", "{report:#}");
}

fn tenant() -> TestHost {
    let host = TestHost::with_files(TENANT);
    for application in ["hr", "ad", "db"] {
        aggregate(&host, application, "2026-03-01T08:00:00Z");
    }
    assert_eq!(host.json(["refresh"])["refreshed"], 3);
    host
}

/// Returns the identity's logical account, its attribute and its roles.
fn shown(host: &TestHost, name: &str) -> String {
    let identity = host.json(["identity", "show", name]);
    let accounts = identity["accounts"].as_array().expect("accounts");
    let crm = accounts.iter().find(|known| known["application"] == "crm");
    let native = crm.map_or("no account", |known| {
        known["native_identity"].as_str().expect("a text")
    });
    let login = &identity["attributes"]["crmLogin"];
    let roles = identity["detected_roles"].as_array().map_or(0, Vec::len);
    format!("{native}, login {login}, {roles} roles")
}

#[test]
fn there_is_one_for_whoever_has_an_account_of_each_tier() {
    let host = tenant();
    insta::assert_snapshot!(shown(&host, "alice"), @r#"cn=alice, login "ALI", 1 roles"#);
    // Not in the group.
    insta::assert_snapshot!(shown(&host, "bob"), @"no account, login null, 0 roles");
    // Another's account in the database.
    insta::assert_snapshot!(shown(&host, "carl"), @"no account, login null, 0 roles");
}

#[test]
fn filters_find_people_by_it() {
    let host = tenant();
    let found = host.json([
        "identity",
        "list",
        "--filter",
        r#"links.application.name == "crm""#,
    ]);
    let names: Vec<_> = found.as_array().expect("a list").iter().collect();
    assert_eq!(names.len(), 1, "{found:#}");
    assert_eq!(names[0]["name"], "alice");
}

#[test]
fn it_goes_with_a_part_and_comes_back_with_it() {
    let host = tenant();
    let db = "key,person,user,profile\n8,bob,bob,seller\n9,carl,someone,seller\n";
    host.write("feeds/db.csv", db);
    aggregate(&host, "db", "2026-03-02T08:00:00Z");
    assert_eq!(host.json(["refresh"])["refreshed"], 1);
    insta::assert_snapshot!(shown(&host, "alice"), @r#"no account, login "ALI", 0 roles"#);
    host.write("feeds/db.csv", format!("{db}7,alice,ali,clerk\n"));
    aggregate(&host, "db", "2026-03-03T08:00:00Z");
    assert_eq!(host.json(["refresh"])["refreshed"], 1);
    insta::assert_snapshot!(shown(&host, "alice"), @r#"cn=alice, login "ALI", 0 roles"#);
}

#[test]
fn what_a_state_does_with_it_is_done_with_its_parts() {
    let host = tenant();
    let state = [
        "identity", "state", "alice", "gone", "--reason", "a ticket", "--actor", "dora",
    ];
    assert!(host.json(state).is_object());
    assert_eq!(host.json(["refresh"])["status"], "done");
    let effects = host.json(["outbox", "list"]);
    let effects = effects.as_array().expect("a list").iter();
    let mut said: Vec<String> = effects
        .map(|effect| {
            let text = |key: &str| effect[key].as_str().unwrap_or("?").to_owned();
            format!(
                "{} {} {}",
                text("operation"),
                text("application"),
                text("native_identity")
            )
        })
        .collect();
    said.sort();
    insta::assert_snapshot!(said.join("\n"), @r"
    disable ad cn=alice
    disable db 7
    ");
}

#[test]
fn it_is_not_aggregated_itself() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["aggregate", "crm"]), @r"
    error: `crm` is a logical application: its accounts are made of those of others
    hint: idr aggregate ad, then idr refresh
    [exit 2]
    ");
}

#[test]
fn mistakes_in_it_are_named() {
    let host = TestHost::with_files(TENANT);
    host.write(
        "applications/crm.toml",
        r#"
        vanish_grace = "3d"
        [connector]
        type = "delimited-file"
        [schema]
        login = {}
        [logical]
        primary = "hr"
        [[logical.tiers]]
        application = "ad"
        filter = 'grups == "a"'
        account = "login"
        [[logical.tiers]]
        application = "crm"
        [logical.attributes]
        login = { application = "db", attribute = "usr" }
        sign = { application = "ad", attribute = "login" }
        "#,
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 7 problems
    applications/crm.toml:2: vanish_grace: accounts of a logical application are made of others, and never aggregated
        hint: leave it out, or say it of the applications of its tiers
    applications/crm.toml:3: connector: accounts of a logical application are made of others, and never aggregated
        hint: leave it out, or say it of the applications of its tiers
    applications/crm.toml:11: logical.tiers[0].filter: column 1: accounts in `ad` have no attribute `grups`
        hint: write `groups`
    applications/crm.toml:14: logical.tiers[1].application: it is the logical application itself
        hint: name one whose accounts are aggregated
    applications/crm.toml:16: logical.attributes.login.attribute: accounts in `db` have no attribute `usr`
        hint: write `user`
    applications/crm.toml:17: logical.attributes.sign: accounts in `crm` have no attribute `sign`
        hint: define it in the schema of applications/crm.toml
    roles/roles.toml:6: role[CRM seller].profiles[0].entitlements.profile: accounts in `crm` have no attribute `profile`
        hint: define it in the schema of applications/crm.toml
    [exit 2]
    ");
}

#[test]
fn no_workflow_does_anything_with_its_accounts() {
    let host = TestHost::with_files(TENANT);
    host.write(
        "workflows.toml",
        "[[workflow]]\nname = \"Leave\"\nsteps = [\n\
         { type = \"accounts\", application = \"ad\", do = \"delete\" },\n\
         { type = \"accounts\", application = \"crm\", do = \"delete\" },\n]\n",
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    workflows.toml:5: workflow[Leave].steps[1].application: `crm` is logical: its accounts are made of others
        hint: name the applications of its tiers, in a step each
    [exit 2]
    ");
}

#[test]
fn what_roles_ask_of_it_is_asked_of_its_parts() {
    let host = TestHost::with_files(TENANT);
    for application in ["ad", "db"] {
        let file = format!("applications/{application}.toml");
        let text = host.read(&file);
        host.write(&file, format!("provisioning = true\n{text}"));
    }
    let roles = host.read("roles/roles.toml");
    let seller = "[[role]]\nname = \"Seller\"\ntype = \"business\"\nrequires = [\"CRM seller\"]\n\
                  selector = { filter = 'name == \"bob\"' }\n";
    host.write("roles/roles.toml", format!("{roles}{seller}"));
    let db = host.read("feeds/db.csv").replace("bob,seller", "bob,clerk");
    host.write("feeds/db.csv", db);
    for application in ["hr", "ad", "db"] {
        aggregate(&host, application, "2026-03-01T08:00:00Z");
    }
    assert_eq!(host.json(["refresh"])["refreshed"], 3);
    let actions = host.json(["identity", "show", "bob"]);
    let actions = actions["account_actions"].as_array().expect("a list");
    let said = actions.iter().map(|action| {
        let text = |key: &str| action[key].as_str().unwrap_or("?").to_owned();
        let (operation, application) = (text("operation"), text("application"));
        format!("{operation} {application}: {}", action["changes"])
    });
    insta::assert_snapshot!(said.collect::<Vec<_>>().join("\n"), @r#"
    modify ad: [{"attribute":"groups","change":"add","value":["crm"]}]
    modify db: [{"attribute":"profile","change":"add","value":["seller"]}]
    "#);
}

#[test]
fn what_follows_an_attribute_is_set_on_the_part_that_it_comes_from() {
    let host = TestHost::with_files(TENANT);
    let target = "[attributes.desk]\nsources = [{ static = \"7\" }]\n\
                  [[attributes.desk.targets]]\napplication = \"crm\"\nattribute = \"login\"\n";
    let identity = host.read("identity.toml");
    host.write("identity.toml", format!("{identity}{target}"));
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    identity.toml:6: attributes.desk.targets[0].application: accounts in `ad`, of which those in `crm` are made, aren't provisioned
        hint: write `provisioning = true` in applications/ad.toml
    [exit 2]
    ");
    let ad = host.read("applications/ad.toml");
    host.write("applications/ad.toml", format!("provisioning = true\n{ad}"));
    for application in ["hr", "ad", "db"] {
        aggregate(&host, application, "2026-03-01T08:00:00Z");
    }
    assert_eq!(host.json(["refresh"])["refreshed"], 3);
    // Bob's account in the directory is part of none in the CRM.
    let listed = host.json(["outbox", "list"]);
    let listed = listed.as_array().expect("a list").iter();
    let said: Vec<String> = listed
        .map(|known| format!("{} {}", known["native_identity"], known["changes"]))
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r#""cn=alice" [{"attribute":"login","change":"set","value":"7"}]"#);
}

#[test]
fn targets_that_can_not_be_set_are_named() {
    let host = TestHost::with_files(TENANT);
    let ad = host.read("applications/ad.toml");
    host.write("applications/ad.toml", format!("provisioning = true\n{ad}"));
    let crm = host.read("applications/crm.toml");
    let crm = crm.replace("login = {}", "login = {}\nnote = {}");
    host.write("applications/crm.toml", crm);
    host.write(
        "identity.toml",
        r#"
        [attributes.crmLogin]
        sources = [{ application = "crm", attribute = "login" }]
        targets = [
            { application = "ad", attribute = "login" },
            { application = "crm", attribute = "login" },
            { application = "crm", attribute = "note" },
        ]
        "#,
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 4 problems
    identity.toml:5: attributes.crmLogin.targets[0]: it comes from `login` of accounts in `ad` as well, so each would follow the other
        hint: leave one of them out, or write `round_trip = true` where that is meant
    identity.toml:6: attributes.crmLogin.targets[1]: `login` of accounts in `ad` follows `crmLogin` already
        hint: let it follow one of them
    identity.toml:6: attributes.crmLogin.targets[1]: it comes from `login` of accounts in `ad` as well, so each would follow the other
        hint: leave one of them out, or write `round_trip = true` where that is meant
    identity.toml:7: attributes.crmLogin.targets[2].attribute: `note` of accounts in `crm` comes from no account, so nothing can be set
        hint: say in `[logical.attributes]` of `crm` where it comes from
    [exit 2]
    ");
}

/// Puts an example component into a tenant, as a rule with these settings.
fn component(host: &TestHost, kind: &str, settings: &str) {
    let path = format!("rules-examples/rust/{kind}/{kind}.wasm");
    let content = std::fs::read(repository().join(path)).expect("the example is committed");
    host.write(&format!("rules/{kind}.wasm"), &content);
    let digest = sha256(&content);
    let rule =
        format!("[rules.{kind}]\ncomponent = \"{kind}.wasm\"\nsha256 = \"{digest}\"\n{settings}\n");
    let others = match host.path("rules/rules.toml").exists() {
        true => host.read("rules/rules.toml"),
        false => String::new(),
    };
    host.write("rules/rules.toml", format!("{others}{rule}"));
}

#[test]
fn components_make_accounts_of_others_and_judge_what_they_give() {
    let host = TestHost::with_files(TENANT);
    component(
        &host,
        "logical-account",
        "reads = { accounts = { ad = [\"groups\", \"mail\"], db = [\"mail\", \"profile\", \"region\"] } }\n\
         parameters = { directory = \"ad\", database = \"db\", group = \"crm\" }",
    );
    component(
        &host,
        "policy",
        "reads = { attributes = [\"releaseLimit\"], entitlements = { crm = [\"profile\"], ad = [\"groups\"] } }\n\
         parameters = { vendors = [\"crm profile seller\"], releases = [\"ad groups mail\"] }",
    );
    host.write(
        "applications/crm.toml",
        "[schema]\nprofile = { entitlement = true }\nregion = {}\n\
         [logical]\nprimary = \"ad\"\nrule = \"logical-account\"\n",
    );
    host.write(
        "policies.toml",
        "[[policy]]\nname = \"payments\"\nrule = \"policy\"\n",
    );
    for (application, schema) in [("ad", "login = {}"), ("db", "user = {}")] {
        let file = format!("applications/{application}.toml");
        let text = host.read(&file);
        let more = match application {
            "ad" => format!("{schema}\nmail = {{}}"),
            _ => format!("{schema}\nmail = {{}}\nregion = {{}}"),
        };
        host.write(&file, text.replace(schema, &more));
    }
    host.write(
        "identity.toml",
        "[attributes.crmLogin]\nsources = [{ application = \"crm\", attribute = \"region\" }]\n\
         [attributes.releaseLimit]\ntype = \"integer\"\nsources = [{ static = 7 }]\n",
    );
    host.write(
        "feeds/ad.csv",
        "dn,owner,login,groups,status,mail\ncn=alice,alice,ALI,crm|mail,on,A@acme.example\n\
         cn=bob,bob,bob,crm,on,b@acme.example\n",
    );
    host.write(
        "feeds/db.csv",
        "key,person,user,profile,mail,region\n7,alice,ali,seller,a@acme.example,north\n\
         8,bob,bob,seller,b@acme.example,south\n",
    );
    for application in ["hr", "ad", "db"] {
        aggregate(&host, application, "2026-03-01T08:00:00Z");
    }
    assert_eq!(host.json(["refresh"])["refreshed"], 3);
    insta::assert_snapshot!(shown(&host, "alice"), @r#"cn=alice, login "north", 1 roles"#);
    insta::assert_snapshot!(shown(&host, "bob"), @r#"cn=bob, login "south", 1 roles"#);
    insta::assert_snapshot!(shown(&host, "carl"), @"no account, login null, 0 roles");
    insta::assert_snapshot!(host.run(["policy", "violations"]), @r"
    name   policy    status  what                                                                        since
    alice  payments  open    ad groups mail, crm profile seller / creates vendors and releases payments  2026-03-01T08:00:00Z
    [exit 0]
    ");
}
