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
        let file = format!("{rule}.toml");
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
    assert_eq!(kinds.len(), 10, "every kind was recorded: {kinds:?}");
}

#[test]
fn a_recorded_case_has_what_was_read_and_no_more() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["rule", "record", "--identity", "ann", "--rule", "fires"]), @"");
    insta::assert_snapshot!(host.run(["rule", "record", "--identity", "ann", "--rule", "roles"]), @"");
    insta::assert_snapshot!(host.run(["rule", "record", "--identity", "ann", "--rule", "change"]), @"");
}

#[test]
fn sensitive_values_are_masked_and_what_that_changes_is_said() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["rule", "record", "--identity", "ann", "--rule", "grade"]), @"");
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
    insta::assert_snapshot!(file, @"");
    assert!(!host.read("boss.toml").contains("bob"));
}

#[test]
fn what_cannot_be_recorded_is_a_usage_error() {
    let host = tenant();
    let record = |rest: &[&str]| {
        let arguments = ["rule", "record", "--identity"].iter().chain(rest);
        host.run(arguments.copied())
    };
    insta::assert_snapshot!(record(&["ann"]), @"");
    insta::assert_snapshot!(record(&["ann", "--rule", "gradee"]), @"");
    insta::assert_snapshot!(record(&["nobody"]), @"");
    insta::assert_snapshot!(record(&["bob", "--rule", "boss"]), @"");
    insta::assert_snapshot!(record(&["ann", "--rule", "grade", "--out", "idr.toml"]), @"");
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
    insta::assert_snapshot!(inspect("grade"), @"");
    insta::assert_snapshot!(inspect("state"), @"");
    insta::assert_snapshot!(inspect("whose"), @"");
    let json = host.json(["rule", "inspect", "--rule", "state", "--sample", "1"]);
    assert_eq!(json["rule"]["identities"], 2);
    assert_eq!(json["rule"]["looked_at"], 1);
}
