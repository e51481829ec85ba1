//! Owners of applications, roles and entitlements: when one leaves, the manager
//! is asked for another.

use crate::common::TestHost;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    vanish_grace = "0"
    owner = "alice"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    boss = {}
    groups = { type = "many", entitlement = true }
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- identity.toml
    [manager]
    sources = [{ application = "hr", attribute = "boss" }]
    identity_attribute = "name"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    [states.gone]
    inactive = true
    //- roles/roles.toml
    [[role]]
    name = "Sales"
    type = "business"
    owner = "alice"
    [[role]]
    name = "Project"
    type = "business"
    owner = "bob"
    //- entitlements.toml
    version = 1
    [[entitlement]]
    application = "hr"
    attribute = "groups"
    value = "crm"
    display_name = "Customers"
    description = "May see every customer"
    owner = "alice"
    [[entitlement]]
    application = "hr"
    attribute = "groups"
    value = "old"
    display_name = "Nobody has it"
    //- feeds/hr.csv
    user,boss,groups
    alice,bob,crm
    bob,,crm
    carol,bob,
"#;

fn tenant() -> TestHost {
    let host = TestHost::with_files(TENANT);
    let report = host.json(["aggregate", "hr", "--as-of", "2026-03-01T08:00:00Z"]);
    assert_eq!(report["status"], "done");
    refresh(&host);
    host
}

/// Refreshes who is due; returns how many that were.
fn refresh(host: &TestHost) -> u64 {
    let run = host.json(["refresh"]);
    assert_eq!(run["status"], "done");
    run["refreshed"].as_u64().expect("a number")
}

fn set_state(host: &TestHost, arguments: &[&str]) {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let command = ["identity", "state"].into_iter();
    let set = host.json(command.chain(arguments.iter().copied()).chain(why));
    assert!(set.is_object());
    refresh(host);
}

/// Replaces a text in a file.
fn edit(host: &TestHost, file: &str, old: &str, new: &str) {
    let text = host.read(file);
    assert!(text.contains(old), "{text}");
    host.write(file, text.replace(old, new));
}

#[test]
fn the_manager_of_a_leaver_who_owns_something_is_asked_for_another_owner() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    no open findings
    [exit 0]
    ");
    set_state(&host, &["alice", "gone"]);
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    1 open
        warning  alice  lifecycle-state: owner
          it is inactive and owns application `hr`, entitlement `crm` of `groups` in `hr`, role `Sales`
          hint: name another `owner` where that is defined
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["outbox", "list"]), @r"
    2026-03-01T08:00:00Z  alice  work item for bob: find another owner for application `hr`, entitlement `crm` of `groups` in `hr`, role `Sales`  waiting
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["identity", "show", "alice"]), @r"
    alice (person, uid 1)
      lifecycle state  gone since 2026-03-01T08:00:00Z, inactive
      manager          bob
      owns             application `hr`, entitlement `crm` of `groups` in `hr`, role `Sales`
      wakes up         never
      by hand
        state gone  by dora at 2026-03-01T08:00:00Z  a ticket
      accounts
        hr  alice  enabled  created
      to be done
        work item for bob  find another owner for application `hr`, entitlement `crm` of `groups` in `hr`, role `Sales`  since 2026-03-01T08:00:00Z
      entitlements
        hr alice  groups crm  additional
      findings
        warning  alice  lifecycle-state: owner
          it is inactive and owns application `hr`, entitlement `crm` of `groups` in `hr`, role `Sales`
          hint: name another `owner` where that is defined
    [exit 0]
    ");
    // It is asked for once.
    let _ = host.json(["refresh", "--all"]);
    assert_eq!(
        host.json(["outbox", "list"]).as_array().map(Vec::len),
        Some(1)
    );
    // Whoever is back is no leaver.
    set_state(&host, &["alice", "--take-back"]);
    insta::assert_snapshot!(host.run(["outbox", "list"]), @r"
    2026-03-01T08:00:00Z  alice  work item for bob: find another owner for application `hr`, entitlement `crm` of `groups` in `hr`, role `Sales`  withdrawn
    [exit 0]
    ");
    assert_eq!(host.json(["finding", "list"]), serde_json::json!([]));
}

#[test]
fn another_owner_in_the_configuration_concerns_both_and_withdraws_the_work_item() {
    let host = tenant();
    set_state(&host, &["alice", "gone"]);
    edit(&host, "applications/hr.toml", "\"alice\"", "\"carol\"");
    insta::assert_snapshot!(host.run(["check", "--impact"]), @r"
    no problems in tenant `acme`
      applications             1
      identity attributes      0
      lifecycle states         2
      business roles           2
      IT roles                 0
      triggers                 0
      populations              0
      rules                    0
      tasks                    0
    remark: lifecycle.toml:3: states.gone: nobody is in it but by hand: everybody is in `active`
        hint: name a `rule` that decides between the states
    changed since the last refresh
      owner alice
      owner carol
    this makes due: 2 identities
    [exit 0]
    ");
    assert_eq!(refresh(&host), 2);
    insta::assert_snapshot!(host.run(["outbox", "list"]), @r"
    2026-03-01T08:00:00Z  alice  work item for bob: find another owner for entitlement `crm` of `groups` in `hr`, role `Sales`                    waiting
    2026-03-01T08:00:00Z  alice  work item for bob: find another owner for application `hr`, entitlement `crm` of `groups` in `hr`, role `Sales`  withdrawn
    [exit 0]
    ");
    edit(&host, "roles/roles.toml", "\"alice\"", "\"helpdesk\"");
    edit(&host, "entitlements.toml", "owner = \"alice\"", "");
    assert_eq!(refresh(&host), 1);
    insta::assert_snapshot!(host.run(["outbox", "list", "--waiting"]), @r"
    nothing is to be done
    [exit 0]
    ");
    assert_eq!(host.json(["finding", "list"]), serde_json::json!([]));
    // What things are called concerns nobody.
    edit(&host, "entitlements.toml", "Customers", "Clients");
    assert_eq!(refresh(&host), 0);
}

#[test]
fn without_a_manager_nobody_is_asked_and_the_finding_says_so() {
    let host = tenant();
    set_state(&host, &["bob", "gone"]);
    insta::assert_snapshot!(host.run(["outbox", "list"]), @r"
    2026-03-01T08:00:00Z  bob  work item for nobody: find another owner for role `Project`  waiting
    [exit 0]
    ");
    let findings = host.json(["finding", "list"]);
    let findings = findings.as_array().expect("a list");
    let bobs = findings
        .iter()
        .find(|known| known["cause"] == "owner-inactive");
    assert_eq!(
        bobs.expect("there is one")["message"],
        "it is inactive and owns role `Project`; without a manager nobody is asked"
    );
}

#[test]
fn without_a_manager_the_fallback_is_asked_and_counts_as_an_owner() {
    let host = tenant();
    let settings = host.read("idr.toml");
    let fallback = |name: &str| {
        let fallback = format!("{settings}\n[work_items]\nfallback = \"{name}\"\n");
        host.write("idr.toml", fallback);
    };
    fallback("");
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    idr.toml:6: work_items.fallback: it is empty
        hint: write the name of an identity, or leave it out
    [exit 2]
    ");
    fallback("carol");
    set_state(&host, &["bob", "gone"]);
    insta::assert_snapshot!(host.run(["outbox", "list"]), @r"
    2026-03-01T08:00:00Z  bob  work item for carol: find another owner for role `Project`  waiting
    [exit 0]
    ");
    let findings = host.json(["finding", "list"]);
    assert!(
        !findings.to_string().contains("nobody is asked"),
        "{findings}"
    );
    let owns = host.json(["identity", "show", "carol"])["owns"].clone();
    assert_eq!(
        owns,
        serde_json::json!(["work items that nobody else gets"])
    );
}

#[test]
fn the_catalogue_says_what_entitlements_are_called_and_who_owns_them() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["entitlement", "list"]), @r"
    application  attribute  value  name           owner  held  natively  disconnected  missing  removing  roles
    hr           groups     crm    Customers      alice     2         2
    hr           groups     old    Nobody has it            0         0
    2 entitlements
    [exit 0]
    ");
    insta::assert_snapshot!(host.json(["entitlement", "list"])[0], @r#"{"application":"hr","assignment":0,"attribute":"groups","connected":2,"description":"May see every customer","disconnected":0,"display_name":"Customers","held":2,"missing":0,"native":2,"owner":"alice","removing":0,"request":0,"roles":[],"state":0,"value":"crm"}"#);
}

#[test]
fn what_is_wrong_with_a_catalogue_is_reported() {
    let host = tenant();
    edit(&host, "roles/roles.toml", "\"alice\"", "\"\"");
    let catalogue = r#"
        [[entitlement]]
        application = "hrr"
        attribute = "groups"
        value = "crm"
        owner = "alice"
        [[entitlement]]
        application = "hr"
        attribute = "group"
        value = "crm"
        display_name = "Customers"
        requestable = true
    "#;
    host.write("entitlements.toml", catalogue);
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 4 problems
    entitlements.toml:3: entitlement[0].application: there is no application `hrr`
        hint: write `hr`
    entitlements.toml:9: entitlement[1].attribute: accounts in `hr` have no attribute `group`
        hint: write `groups`
    entitlements.toml:12: entitlement[1].requestable: there is no key `requestable` here
        hint: the keys here are application, attribute, value, display_name, description, owner
    roles/roles.toml:4: role[Sales].owner: it is empty
        hint: write the name of an identity, or leave it out
    [exit 2]
    ");
    edit(&host, "roles/roles.toml", "\"\"", "\"alice\"");
    host.write(
        "entitlements.toml",
        r#"
        [[entitlement]]
        application = "hr"
        attribute = "boss"
        value = "bob"
        description = "Reports to bob"
        "#,
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    no problems in tenant `acme`
      applications             1
      identity attributes      0
      lifecycle states         2
      business roles           2
      IT roles                 0
      triggers                 0
      populations              0
      rules                    0
      tasks                    0
    remark: entitlements.toml:4: entitlement[0].attribute: `boss` is no entitlement of `hr`
        hint: write `entitlement = true` for it in applications/hr.toml
    remark: lifecycle.toml:3: states.gone: nobody is in it but by hand: everybody is in `active`
        hint: name a `rule` that decides between the states
    [exit 0]
    ");
    host.write(
        "entitlements.toml",
        r#"
        [[entitlement]]
        application = "hr"
        attribute = "groups"
        value = "crm"
        [[entitlement]]
        application = "hr"
        attribute = "groups"
        value = "crm"
        owner = "bob"
        [[entitlement]]
        application = "hr"
        attribute = "groups"
        owner = "bob"
        "#,
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 3 problems
    entitlements.toml:2: entitlement[0]: it says nothing
        hint: give it a `display_name`, a `description` or an `owner`
    entitlements.toml:9: entitlement[1].value: it is there already, at entitlements.toml:2
    entitlements.toml:11: entitlement[2].value: it is missing
    [exit 2]
    ");
}

#[test]
fn an_owner_who_is_not_there_is_said_with_the_impact() {
    let host = tenant();
    edit(
        &host,
        "roles/roles.toml",
        "owner = \"bob\"",
        "owner = \"Bob\"",
    );
    edit(
        &host,
        "applications/hr.toml",
        "owner = \"alice\"",
        "owner = \"zoe\"",
    );
    insta::assert_snapshot!(host.run(["check", "--impact"]), @r"
    no problems in tenant `acme`
      applications             1
      identity attributes      0
      lifecycle states         2
      business roles           2
      IT roles                 0
      triggers                 0
      populations              0
      rules                    0
      tasks                    0
    remark: lifecycle.toml:3: states.gone: nobody is in it but by hand: everybody is in `active`
        hint: name a `rule` that decides between the states
    changed since the last refresh
      owner Bob
      owner alice
      owner bob
      owner zoe
    this makes due: 2 identities
    there is no identity `Bob`, who owns role `Project`
    there is no identity `zoe`, who owns application `hr`
    [exit 0]
    ");
    let impact = &host.json(["check", "--impact"])["impact"];
    assert_eq!(impact["unknown_owners"][1]["name"], "zoe");
}

#[test]
fn where_people_change_accounts_somebody_is_to_be_asked() {
    let host = tenant();
    let remarks = || {
        let checked = host.json(["check"]);
        let remarks = checked["remarks"].as_array().expect("a list").iter();
        let texts = remarks.map(|known| known["message"].as_str().unwrap_or_default().to_owned());
        let asked = texts.filter(|text| text.contains("nobody is asked"));
        asked.collect::<Vec<_>>()
    };
    let nobody = "people are to change its accounts, and nobody is asked: work items for it have \
                  no owner";
    edit(&host, "applications/hr.toml", "owner = \"alice\"\n", "");
    assert_eq!(
        remarks(),
        [""; 0],
        "nothing is called for with its accounts"
    );
    let application = host.read("applications/hr.toml");
    host.write(
        "applications/hr.toml",
        format!("provisioning = true\n{application}"),
    );
    assert_eq!(remarks(), [nobody]);
    host.write(
        "applications/hr.toml",
        format!("owner = \"alice\"\n{application}"),
    );
    let disable = "inactive = true\naccounts = [{ application = \"hr\", do = \"disable\" }]";
    edit(&host, "lifecycle.toml", "inactive = true", disable);
    assert_eq!(remarks(), [""; 0]);
    host.write("applications/hr.toml", application);
    assert_eq!(remarks(), [nobody]);
}
