//! Real evaluations as cases (`rule record`), and what rules have been seen to
//! read (`rule inspect --rule`).

use crate::common::{TestHost, repository};
use idr::rules::digest_of;

/// Every rule of the tenant below.
const RULES: [&str; 10] = [
    "whose", "becomes", "before", "grade", "boss", "state", "roles", "fires", "change", "after",
];

/// A tenant with one rule of every kind, all of them the example component
/// that does what its parameters say, and one person in two applications.
fn tenant() -> TestHost {
    let component = repository().join("rules-examples/rust/all-kinds/all-kinds.wasm");
    let component = std::fs::read(component).expect("the example is there");
    let host = TestHost::with_files(
        r#"
        //- idr.toml
        version = 1
        name = "acme"
        zone = "Europe/Berlin"
        clock = "simulated"
        //- applications/hr.toml
        version = 1
        [connector]
        type = "delimited-file"
        path = "feeds/hr.csv"
        native_identity = "id"
        [schema]
        id = {}
        boss = { sensitive = true }
        department = {}
        end = { type = "date" }
        band = { type = "integer", sensitive = true }
        group = { entitlement = true }
        [authoritative]
        name = "id"
        //- applications/ad.toml
        version = 1
        correlation = [{ rule = "whose" }, { account = "id", identity = "name" }]
        [connector]
        type = "delimited-file"
        path = "feeds/ad.csv"
        native_identity = "id"
        [schema]
        id = {}
        [authoritative]
        rank = 2
        name = "id"
        rule = "becomes"
        //- identity.toml
        version = 1
        before_refresh = "before"
        after_refresh = "after"
        [manager]
        sources = [{ application = "hr", attribute = "boss" }]
        rule = "boss"
        identity_attribute = "name"
        [attributes.department]
        sources = [{ application = "hr", attribute = "department" }]
        on_change = "change"
        [attributes.endDate]
        type = "date"
        sources = [{ application = "hr", attribute = "end" }]
        [attributes.band]
        type = "integer"
        sources = [{ application = "hr", attribute = "band" }]
        sensitive = true
        [attributes.grade]
        sources = [{ rule = "grade" }]
        [attributes.team]
        proposals = true
        [attributes.location]
        proposals = true
        [attributes.title]
        proposals = true
        //- lifecycle.toml
        version = 1
        rule = "state"
        [states.active]
        [states.leave]
        [states.gone]
        inactive = true
        //- roles/roles.toml
        version = 1
        [[role]]
        name = "One"
        type = "business"
        selector = { rule = "roles" }
        [[role]]
        name = "Two"
        type = "business"
        selector = { rule = "roles" }
        //- triggers.toml
        version = 1
        [[trigger]]
        name = "moved"
        on = [{ type = "rule", rule = "fires" }]
        //- feeds/hr.csv
        id,boss,department,end,band,group
        ann,bob,Sales,2026-04-30,7,badge
        bob,,Sales,,9,
        //- feeds/ad.csv
        id
        ann
        "#,
    );
    let rules = [
        (
            "whose",
            r#"accounts = { ad = ["id"] }, lookups = ["location", "title"]"#,
            r#"["own id", "status"]"#,
        ),
        ("becomes", r#"accounts = { ad = ["id"] }"#, r#"["own id"]"#),
        (
            "before",
            r#"accounts = { hr = ["band"] }"#,
            r#"["account hr band"]"#,
        ),
        (
            "grade",
            r#"attributes = ["band", "department", "endDate"]"#,
            r#"["attribute band", "over endDate", "attribute zone"]"#,
        ),
        (
            "boss",
            r#"accounts = { hr = ["id"] }, lookups = ["location", "title"]"#,
            r#"["own id"]"#,
        ),
        (
            "state",
            r#"attributes = ["department"]"#,
            r#"["attribute department", "attribute band"]"#,
        ),
        (
            "roles",
            r#"attributes = ["department"], manager = ["band"], entitlements = { hr = ["group"] }"#,
            r#"["manager-attribute band", "holds hr group badge"]"#,
        ),
        (
            "fires",
            r#"attributes = ["department", "endDate"]"#,
            r#"["attribute department", "baseline department", "reached endDate 8"]"#,
        ),
        (
            "change",
            r#"attributes = ["department"]"#,
            r#"["attribute department"]"#,
        ),
        (
            "after",
            r#"attributes = ["grade"], entitlements = { hr = ["group"] }"#,
            r#"["attribute grade", "holds hr group badge"]"#,
        ),
    ];
    let sha256 = digest_of(&component);
    let mut text = "version = 1\n".to_owned();
    for (rule, grant, reads) in rules {
        // Seeds by which each gives an answer, and no refusal.
        text += &format!(
            "[rules.{rule}]\ncomponent = \"all-kinds.wasm\"\nsha256 = \"{sha256}\"\n\
             reads = {{ {grant} }}\nparameters = {{ reads = {reads}, seed = 1 }}\n"
        );
    }
    host.write("rules/rules.toml", text);
    host.write("rules/all-kinds.wasm", component);
    let run = |arguments: &[&str]| {
        let output = host.run(arguments.iter().copied());
        assert!(
            output.contains("[exit 0]") || output.contains("[exit 1]"),
            "{output}"
        );
    };
    run(&["aggregate", "hr", "--as-of", "2026-03-31T12:00:00Z"]);
    run(&["aggregate", "ad", "--as-of", "2026-03-31T12:00:00Z"]);
    run(&["refresh", "--as-of", "2026-03-31T12:00:00Z"]);
    // What has changed since is what the value-change rule is asked about.
    let feed = host.read("feeds/hr.csv");
    host.write("feeds/hr.csv", feed.replacen("Sales", "Finance", 1));
    run(&["aggregate", "hr", "--as-of", "2026-03-31T13:00:00Z"]);
    host
}

#[test]
fn what_was_recorded_of_every_kind_passes_as_a_case() {
    let host = tenant();
    let mut kinds = Vec::new();
    for rule in RULES {
        let file = format!("recorded-{rule}.toml");
        let recorded = host.json([
            "rule",
            "record",
            "--identity",
            "ann",
            "--rule",
            rule,
            "--out",
            &file,
        ]);
        let cases = recorded["cases"].as_array().expect("cases");
        assert!(!cases.is_empty(), "{rule} was asked");
        for case in cases {
            let name = case["name"].as_str().expect("a name");
            kinds.push(name.split(' ').next().expect("a kind").to_owned());
        }
        let output = host.run(["rule", "test", "rules/all-kinds.wasm", "--cases", &file]);
        assert!(output.ends_with("passed\n[exit 0]"), "{rule}: {output}");
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(
        kinds.len(),
        10,
        "every kind of 0.1.0 was recorded: {kinds:?}"
    );
}

/// A tenant with a rule of each kind about what follows from access: one person with
/// two accounts, which a logical one is made of.
fn tenant_of_consequences() -> TestHost {
    let component = repository().join("rules-examples/rust/all-kinds/all-kinds.wasm");
    let component = std::fs::read(component).expect("the example is there");
    let host = TestHost::with_files(
        r#"
        //- idr.toml
        version = 1
        name = "acme"
        clock = "simulated"
        //- applications/hr.toml
        authoritative = { name = "id" }
        [connector]
        type = "delimited-file"
        path = "feeds/hr.csv"
        native_identity = "id"
        [schema]
        id = {}
        department = {}
        //- applications/ad.toml
        provisioning = true
        account_selection = "chooses"
        correlation = [{ account = "owner", identity = "name" }]
        [connector]
        type = "delimited-file"
        path = "feeds/ad.csv"
        native_identity = "dn"
        [schema]
        owner = {}
        title = {}
        groups = { type = "many", separator = "|", entitlement = true }
        //- applications/crm.toml
        [schema]
        level = {}
        [logical]
        primary = "ad"
        rule = "composes"
        //- identity.toml
        [attributes.department]
        sources = [{ application = "hr", attribute = "department" }]
        targets = [{ application = "ad", attribute = "title", rule = "maps", all_accounts = true }]
        //- lifecycle.toml
        default_state = "active"
        [states.active]
        //- roles/roles.toml
        [[role]]
        name = "Clerk"
        type = "business"
        requires = ["Paying"]
        selector = { filter = 'department == "Sales"' }
        [[role]]
        name = "Paying"
        type = "it"
        profiles = [{ application = "ad", entitlements = { groups = ["pay"] } }]
        //- policies.toml
        [[policy]]
        name = "payments"
        rule = "judges"
        //- feeds/hr.csv
        id,department
        ann,Sales
        //- feeds/ad.csv
        dn,owner,title,groups
        cn=ann,ann,,mail
        cn=adm-ann,ann,,mail
        "#,
    );
    let sha256 = digest_of(&component);
    let mut text = "version = 1\n".to_owned();
    for (rule, grant, parameters) in [
        (
            "composes",
            r#"accounts = { ad = ["owner"] }"#,
            r#"reads = ["tier ad owner"], tiers = "ad", seed = 1"#,
        ),
        (
            "judges",
            r#"attributes = ["department"]"#,
            r#"reads = ["attribute department", "desired", "roles"], seed = 4"#,
        ),
        (
            "chooses",
            r#"attributes = ["department"], accounts = { ad = ["title"] }"#,
            r#"reads = ["attribute department", "account ad title"], seed = 1"#,
        ),
        (
            "maps",
            r#"attributes = ["department"]"#,
            r#"reads = ["attribute department"], seed = 1"#,
        ),
    ] {
        text += &format!(
            "[rules.{rule}]\ncomponent = \"all-kinds.wasm\"\nsha256 = \"{sha256}\"\n\
             reads = {{ {grant} }}\nparameters = {{ {parameters} }}\n"
        );
    }
    host.write("rules/rules.toml", text);
    host.write("rules/all-kinds.wasm", component);
    for application in ["hr", "ad"] {
        let report = host.json(["aggregate", application, "--as-of", "2026-03-31T12:00:00Z"]);
        assert_eq!(report["status"], "done", "{report}");
    }
    // Nobody is refreshed yet: which account was chosen would be known from then on.
    host
}

#[test]
fn what_was_recorded_of_access_passes_as_a_case() {
    let host = tenant_of_consequences();
    for (rule, kind) in [
        ("composes", "logical-account"),
        ("judges", "policy"),
        ("chooses", "account-selection"),
        ("maps", "target-mapping"),
    ] {
        let file = format!("{rule}.toml");
        let record = [
            "rule",
            "record",
            "--identity",
            "ann",
            "--rule",
            rule,
            "--out",
            &file,
        ];
        let recorded = host.json(record);
        let cases = recorded["cases"].as_array().expect("cases");
        assert!(!cases.is_empty(), "{rule} was asked");
        for case in cases {
            let name = case["name"].as_str().expect("a name");
            assert!(name.starts_with(kind), "{name}");
        }
        let text = host.read(&file);
        assert!(!text.contains("error = "), "it answered: {text}");
        let output = host.run(["rule", "test", "rules/all-kinds.wasm", "--cases", &file]);
        assert!(output.ends_with("passed\n[exit 0]"), "{rule}: {output}");
    }
    let cases = ["composes", "judges", "chooses", "maps"].map(|rule| {
        let text = host.read(&format!("{rule}.toml"));
        // The first case of each.
        text.split("[[case]]").nth(1).expect("a case").to_owned()
    });
    insta::assert_snapshot!(cases.join("\n[[case]]").trim(), @r#"
    name = "logical-account of `crm` for ann"
    as_of = 2026-03-31T12:00:00Z
    zone = "UTC"
    logical = "crm"
    wakes_at = "never"
    reads = ["account-attribute ad owner", "accounts ad", "parameter reads", "parameter seed", "parameter tiers"]

    [[case.accounts]]
    application = "ad"
    native_identity = "cn=adm-ann"
    status = "enabled"

    [case.accounts.attributes]
    owner = "ann"

    [[case.accounts]]
    application = "ad"
    native_identity = "cn=ann"
    status = "enabled"

    [case.accounts.attributes]
    owner = "ann"

    [case.parameters]
    reads = ["tier ad owner"]
    seed = 1
    tiers = "ad"

    [[case.expect]]
    native_identity = "cn=adm-ann"
    status = "enabled"

    [case.expect.attributes]
    level = "v1"

    [[case.expect.parts]]
    application = "ad"
    native_identity = "cn=adm-ann"

    [[case.expect]]
    native_identity = "cn=ann"
    status = "enabled"

    [case.expect.attributes]
    level = "v2"

    [[case.expect.parts]]
    application = "ad"
    native_identity = "cn=ann"

    [[case]]
    name = "policy `payments` for ann"
    as_of = 2026-03-31T12:00:00Z
    zone = "UTC"
    policy = "payments"
    wakes_at = "never"
    reads = ["access is-desired", "access roles", "attribute department", "parameter reads", "parameter seed"]

    [case.access]
    desired = false
    roles = ["Clerk"]
    entitlements = []

    [case.attributes]
    department = "Sales"

    [case.parameters]
    reads = ["attribute department", "desired", "roles"]
    seed = 4

    [[case.expect]]
    description = "by chance"

    [[case.expect.grants]]
    role = "Clerk"


    [[case]]
    name = "account-selection in `ad` for ann"
    as_of = 2026-03-31T12:00:00Z
    zone = "UTC"
    wakes_at = "never"
    reads = ["account-attribute ad title", "accounts ad", "attribute department", "parameter reads", "parameter seed"]

    [case.need]
    application = "ad"
    role = "Clerk"
    candidates = ["cn=adm-ann", "cn=ann"]
    may_create = false

    [case.attributes]
    department = "Sales"

    [[case.accounts]]
    application = "ad"
    native_identity = "cn=adm-ann"
    status = "enabled"

    [case.accounts.attributes]

    [[case.accounts]]
    application = "ad"
    native_identity = "cn=ann"
    status = "enabled"

    [case.accounts.attributes]

    [case.parameters]
    reads = ["attribute department", "account ad title"]
    seed = 1

    [case.expect]
    existing = "cn=adm-ann"

    [[case]]
    name = "target-mapping of `title` in `ad` for ann"
    as_of = 2026-03-31T12:00:00Z
    zone = "UTC"
    wakes_at = "never"
    reads = ["attribute department", "parameter reads", "parameter seed"]

    [case.target]
    application = "ad"
    attribute = "title"
    native_identity = "cn=adm-ann"

    [case.attributes]
    department = "Sales"

    [case.parameters]
    reads = ["attribute department"]
    seed = 1

    [case.expect]
    set = "v2"
    "#);
}

#[test]
fn a_recorded_case_has_what_was_read_and_no_more() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["rule", "record", "--identity", "ann", "--rule", "fires"]), @r#"
    version = 1

    [[case]]
    name = "identity-trigger `moved` for ann"
    as_of = 2026-03-31T13:00:00Z
    zone = "Europe/Berlin"
    trigger = "moved"
    expect = false
    wakes_at = 2026-04-30T06:00:00Z
    reads = ["attribute department", "attribute endDate", "baseline attribute department", "parameter reads", "parameter seed"]

    [case.attributes]
    department = "Finance"
    endDate = 2026-04-30

    [case.baseline]
    assigned = []

    [case.baseline.attributes]
    department = "Sales"

    [case.parameters]
    reads = ["attribute department", "baseline department", "reached endDate 8"]
    seed = 1

    [[case]]
    name = "identity-trigger `moved` for ann"
    as_of = 2026-03-31T13:00:00Z
    zone = "Europe/Berlin"
    trigger = "moved"
    expect = false
    wakes_at = 2026-04-30T06:00:00Z
    reads = ["attribute department", "attribute endDate", "baseline attribute department", "parameter reads", "parameter seed"]

    [case.attributes]
    department = "Finance"
    endDate = 2026-04-30

    [case.baseline]
    assigned = []

    [case.baseline.attributes]
    department = "Finance"

    [case.parameters]
    reads = ["attribute department", "baseline department", "reached endDate 8"]
    seed = 1
    [exit 0]
    "#);
    insta::assert_snapshot!(host.run(["rule", "record", "--identity", "ann", "--rule", "roles"]), @r#"
    version = 1

    # `band` masked: other values of the same type stand here
    # masking changes the answer: what is expected is the answer to the masked values
    [[case]]
    name = "role-assignment of 2 roles for ann"
    as_of = 2026-03-31T13:00:00Z
    zone = "Europe/Berlin"
    candidates = ["One", "Two"]
    expect = ["no", "yes"]
    wakes_at = "never"
    reads = ["holds hr group badge", "manager-attribute band", "parameter reads", "parameter seed"]

    [case.manager_attributes]
    band = 1

    [[case.accounts]]
    application = "hr"
    native_identity = "ann"
    status = "enabled"

    [case.accounts.attributes]
    group = ["badge"]

    [case.parameters]
    reads = ["manager-attribute band", "holds hr group badge"]
    seed = 1
    [exit 0]
    "#);
    insta::assert_snapshot!(host.run(["rule", "record", "--identity", "ann", "--rule", "change"]), @r#"
    version = 1

    [[case]]
    name = "value-change of `department` for ann"
    as_of = 2026-03-31T13:00:00Z
    zone = "Europe/Berlin"
    wakes_at = "never"
    reads = ["attribute department", "parameter reads", "parameter seed"]

    [case.changed]
    attribute = "department"
    old = "Sales"
    new = "Finance"

    [case.attributes]
    department = "Finance"

    [case.parameters]
    reads = ["attribute department"]
    seed = 1

    [[case.expect]]
    attribute = "location"
    value = "v0"
    [exit 0]
    "#);
}

#[test]
fn sensitive_values_are_masked_and_what_that_changes_is_said() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["rule", "record", "--identity", "ann", "--rule", "grade"]), @r#"
    version = 1

    # `band` masked: other values of the same type stand here
    [[case]]
    name = "attribute-promotion of `grade` for ann"
    as_of = 2026-03-31T13:00:00Z
    zone = "Europe/Berlin"
    attribute = "grade"
    wakes_at = 2026-04-30T22:00:00Z
    reads = ["attribute band", "attribute endDate", "attribute zone", "parameter reads", "parameter seed"]

    [case.attributes]
    band = 1
    endDate = 2026-04-30

    [case.parameters]
    reads = ["attribute band", "over endDate", "attribute zone"]
    seed = 1

    [case.expect]
    set = "v0"
    [exit 0]
    "#);
    let file = host.run([
        "rule",
        "record",
        "--identity",
        "ann",
        "--rule",
        "boss",
        "--out",
        "boss.toml",
    ]);
    insta::assert_snapshot!(file, @r"
    1 case of rule `boss` in `boss.toml`
      manager-correlation for ann
        `boss` masked: other values of the same type stand here
        masking changes the answer: what is expected is the answer to the masked values
    [exit 0]
    ");
    assert!(!host.read("boss.toml").contains("bob"));
}

#[test]
fn what_cannot_be_recorded_is_a_usage_error() {
    let host = tenant();
    let record = |rest: &[&str]| {
        let arguments = ["rule", "record", "--identity"].iter().chain(rest);
        host.run(arguments.copied())
    };
    insta::assert_snapshot!(record(&["ann"]), @r"
    error: 10 rules are asked about `ann`: `after`, `becomes`, `before`, `boss`, `change`, `fires`, `grade`, `roles`, `state`, `whose`
    hint: choose one with --rule
    [exit 2]
    ");
    insta::assert_snapshot!(record(&["ann", "--rule", "gradee"]), @r"
    error: there is no rule `gradee`
    hint: `idr rule list` lists them
    [exit 2]
    ");
    insta::assert_snapshot!(record(&["nobody"]), @r"
    error: there is no identity `nobody`
    hint: see `idr identity list`
    [exit 2]
    ");
    insta::assert_snapshot!(record(&["bob", "--rule", "boss"]), @r"
    error: rule `boss` isn't asked about `bob` now
    hint: `idr rule list` says what each rule decides
    [exit 2]
    ");
    insta::assert_snapshot!(record(&["ann", "--rule", "grade", "--out", "idr.toml"]), @r"
    error: can't write `idr.toml`
    caused by: File exists (os error 17)
    hint: give another name, or remove the file first
    [exit 2]
    ");
}

#[test]
fn what_a_rule_has_been_seen_to_read_is_shown_beside_its_grant() {
    let host = tenant();
    let inspect = |rule: &str| {
        let output = host.run(["rule", "inspect", "--rule", rule]);
        let of_rule = |line: &&str| {
            ["rule ", "parameter", "seen", "reads", "advice"]
                .iter()
                .any(|word| line.starts_with(word))
        };
        output
            .lines()
            .filter(of_rule)
            .collect::<Vec<_>>()
            .join("\n")
    };
    insta::assert_snapshot!(inspect("grade"), @r"
    rule       grade
    parameter  reads = attribute band, over endDate, attribute zone
    parameter  seed = 1
    seen       2 evaluations for 2 of 2 identities at 2026-03-31T13:00:00Z
    reads      attribute band (2 times)
    reads      attribute endDate (2 times)
    reads      attribute zone (2 times)
    reads      parameter reads (2 times)
    reads      parameter seed (2 times)
    advice     it imports `time.today`: calling that wakes the identity every midnight; prefer `date-reached` or `day-over`
    advice     granted but never read: attribute department; take it back, or look at more people with --sample
    ");
    insta::assert_snapshot!(inspect("state"), @r"
    rule       state
    parameter  reads = attribute department, attribute band
    parameter  seed = 1
    seen       2 evaluations for 2 of 2 identities at 2026-03-31T13:00:00Z
    reads      attribute department (2 times)
    reads      parameter gone-without (2 times)
    reads      parameter reads (2 times)
    reads      parameter seed (2 times)
    advice     it imports `time.today`: calling that wakes the identity every midnight; prefer `date-reached` or `day-over`
    advice     refused in 2 evaluations: identity attribute `band` is not granted to the rule
    ");
    insta::assert_snapshot!(inspect("whose"), @r"
    rule       whose
    parameter  reads = own id, status
    parameter  seed = 1
    seen       1 evaluation for 2 of 2 identities at 2026-03-31T13:00:00Z
    reads      accounts in ad (1 time)
    reads      attribute id of accounts in ad (1 time)
    reads      parameter reads (1 time)
    reads      parameter seed (1 time)
    reads      status of the account (1 time)
    advice     it imports `time.today`: calling that wakes the identity every midnight; prefer `date-reached` or `day-over`
    ");
    let json = host.json(["rule", "inspect", "--rule", "state", "--sample", "1"]);
    assert_eq!(json["rule"]["identities"], 2);
    assert_eq!(json["rule"]["looked_at"], 1);
}
