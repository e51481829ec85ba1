//! `check`: what it says of a tenant, and the golden folders: each is a tenant
//! with mistakes, beside it what `check` must say.
//!
//! `BLESS=1 cargo test --release -p idr --test cli` writes what it says now.

use std::fs;

use crate::common::{TestHost, repository};

/// A small tenant that uses every kind of definition.
const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    zone = "Europe/Berlin"
    end_of_day = 17:00:00
    [thresholds]
    leavers = "2%"
    role_removals = 50
    //- applications/hr.toml
    version = 1
    correlation = [{ account = "email", identity = "email" }]
    vanish_grace = "3d"
    [connector]
    type = "delimited-file"
    path = "feeds/hr-*.csv"
    native_identity = "id"
    status = { column = "state", disabled = ["left"] }
    [schema]
    name = { column = "user" }
    email = { sensitive = true }
    department = {}
    startDate = { type = "date" }
    supervisor = {}
    [authoritative]
    name = "name"
    [native_changes]
    operations = ["modify"]
    //- applications/ad.toml
    correlation = [{ account = "mail", identity = "email" }]
    [connector]
    type = "delimited-file"
    native_identity = "dn"
    delimiter = ";"
    encoding = "latin1"
    [schema]
    mail = {}
    memberOf = { type = "many", separator = "|", entitlement = true }
    [guard]
    vanished = 10
    emptied = "off"
    //- identity.toml
    [attributes.email]
    sources = [{ application = "hr", attribute = "email", on_empty = "clear", on_no_account = "keep" }]
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }, { static = "Unknown" }]
    edit_mode = "until-feed-changes"
    [attributes.level]
    type = "integer"
    edit_mode = "permanent"
    [manager]
    sources = [{ application = "hr", attribute = "supervisor" }]
    identity_attribute = "name"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- roles/business.toml
    [[role]]
    name = "Engineer"
    type = "business"
    selector = { match = { department = ["Engineering", "Research"], level = 3 } }
    requires = ["Code"]
    [[role]]
    name = "Manager of engineers"
    type = "business"
    selector = { population = "engineers" }
    //- roles/it.toml
    [[role]]
    name = "Code"
    type = "it"
    [[role.profiles]]
    application = "ad"
    entitlements = { memberOf = ["CN=code"] }
    //- populations.toml
    [populations.engineers]
    filter = 'department == "Engineering" && links.collectionCondition("memberOf == \"CN=code\"")'
    //- triggers.toml
    [[trigger]]
    name = "joiner"
    on = [{ type = "create" }, { type = "native-change", application = "hr" }]
    included = 'detectedRoles.name == "Code"'
    [[trigger]]
    name = "mover"
    on = [{ type = "attribute-change", attribute = "department", new = 'value.notNull()' }]
    included_before = 'lifecycleState == "active"'
    //- feeds/hr-1.csv
    id,user
"#;

#[test]
fn a_tenant_without_problems_is_summed_up() {
    let host = TestHost::with_files(TENANT);
    insta::assert_snapshot!(host.run(["check"]), @r"
    no problems in tenant `acme`
      applications             2
      identity attributes      3
      lifecycle states         1
      business roles           2
      IT roles                 1
      triggers                 2
      populations              1
      rules                    0
      tasks                    0
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["check", "--quiet"]), @"[exit 0]");
}

#[test]
fn the_digest_covers_configuration_and_nothing_else() {
    let host = TestHost::with_files(TENANT);
    let digest = |host: &TestHost| host.json(["check"])["tenant"]["digest"].to_string();
    let before = digest(&host);
    host.write("feeds/hr-2.csv", "id,user\n");
    assert_eq!(digest(&host), before);
    host.write(
        "populations.toml",
        "[populations.engineers]\nfilter = 'level > 2'\n",
    );
    assert_ne!(digest(&host), before);
}

#[test]
fn a_folder_that_is_no_tenant_says_so() {
    let host = TestHost::new();
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: `.` is not a tenant's folder: there is no idr.toml in it
    hint: name the tenant's folder with --tenant DIR
    [exit 2]
    ");
}

#[test]
fn problems_are_data_for_programs() {
    let host = TestHost::with_files(
        "
        //- idr.toml
        version = 1
        name = 'acme'
        zone = 'Europe/Berln'
        ",
    );
    insta::assert_snapshot!(host.run(["check", "--json"]), @r#"
    {
      "problems": [
        {
          "file": "idr.toml",
          "line": 3,
          "key": "zone",
          "message": "there is no time zone `Europe/Berln`",
          "hint": "write `Europe/Berlin`"
        }
      ],
      "remarks": [],
      "tenant": null
    }
    {
      "error": "problems in the configuration: 1",
      "causes": [],
      "hint": null,
      "exit_code": 2
    }
    [exit 2]
    "#);
}

#[test]
fn every_golden_folder_gets_the_problems_beside_it() {
    let folder = repository().join("tests/golden");
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .expect("the golden folders are there")
        .map(|entry| entry.expect("the golden folders can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    let mut differing = Vec::new();
    for case in cases {
        let host = TestHost::copy_of(&case.join("tenant"));
        let said = host.run(["check"]) + "\n";
        let expected = case.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &said).expect("the golden folders can be written to");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&said) {
            differing.push(format!("{} now says:\n{said}", case.display()));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
