//! The commands `rule test` and `rule inspect`, as their users see them.

use crate::common::{TestHost, repository};
use crate::made::{component, lifecycle_rule};
use idr::rules::digest_of;

#[test]
fn a_component_is_tested_with_the_cases_beside_it() {
    let example = repository().join("rules-examples/rust/hr-presence");
    let host = TestHost::copy_of(&example);
    let output = host.run(["rule", "test", "hr-presence.wasm"]);
    let (first, rest) = output.split_once("  ok ").expect("a case passed");
    insta::assert_snapshot!(first, @"hr-presence.wasm: 6 cases");
    insta::assert_snapshot!(rest.split_once("  ok ").expect("another case").0, @r"
    listed is active
         asked    lifecycle-state
         answer   active
         call     parameter application -> none
         call     accounts hr -> 100 (enabled)
         wakes    never
         fuel     1728 (asked again 1429)
    ");
    assert!(output.ends_with("6 cases passed\n[exit 0]"), "{output}");
    insta::assert_snapshot!(host.run(["rule", "test", ".", "--quiet"]), @"[exit 0]");
}

#[test]
fn failed_cases_say_what_differs() {
    let host = TestHost::with_files(
        r#"
        //- cases.toml
        version = 1
        [defaults]
        as_of = 2026-03-31T12:00:00Z
        [[case]]
        name = "gone"
        expect = "inactive"
        reads = ["attribute endDate"]
        wakes_at = 2026-04-01T00:00:00Z
        fuel = 1
        [[case]]
        name = "here"
        expect = "active"
        "#,
    );
    host.write("rule.wasm", lifecycle_rule("", "(call $active)"));
    insta::assert_snapshot!(host.run(["rule", "test", ".", "--quiet"]), @r"
    ./rule.wasm: 2 cases
      FAILED  gone
              problem  expected inactive, got active
              problem  expected to wake at 2026-04-01T00:00:00Z, but it is never
              problem  didn't read `attribute endDate`
              problem  used 17 fuel, more than 1
              asked    lifecycle-state
              answer   active
              wakes    never
              fuel     17 (asked again 17)
    error: 1 of 2 cases failed
    [exit 3]
    ");
    let output = host
        .command()
        .args(["rule", "test", ".", "--json"])
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(3));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json[0]["cases"][0]["passed"], false);
    assert_eq!(json[0]["cases"][1]["passed"], true);
    assert_eq!(json[0]["cases"][1]["answer"], "active");
}

#[test]
fn nothing_to_test_is_a_usage_error() {
    let host = TestHost::with_files("//- empty/readme.md\nnothing here\n");
    insta::assert_snapshot!(host.run(["rule", "test", "empty"]), @r"
    error: there is no rule component in `empty`
    hint: build the rule first: cases are run on its component, a .wasm file
    [exit 2]
    ");
    host.write("rule.wasm", lifecycle_rule("", "(call $active)"));
    insta::assert_snapshot!(host.run(["rule", "test", "rule.wasm"]), @r"
    error: there are no cases beside the components in `rule.wasm`
    hint: write `cases.toml` beside the component, or `RULE.cases.toml` for RULE.wasm
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["rule", "test", "none.wasm"]), @r"
    error: can't read `none.wasm`
    caused by: No such file or directory (os error 2)
    [exit 2]
    ");
    host.write(
        "cases.toml",
        "version = 1\n[[case]]\nname = \"a\"\nexpect = \"b\"\n",
    );
    insta::assert_snapshot!(host.run(["rule", "test", "."]), @r"
    error: `./cases.toml` is not right
    caused by: case `a`: `as_of` is missing
    [exit 2]
    ");
    host.write("other.wasm", "");
    insta::assert_snapshot!(host.run(["rule", "test", "."]), @r"
    error: `./cases.toml` lies beside more than one component
    hint: name the cases of `RULE.wasm` `RULE.cases.toml`
    [exit 2]
    ");
}

#[test]
fn a_component_that_cannot_be_used_fails_and_the_others_are_tested() {
    let host = TestHost::with_files(
        r#"
        //- bad/cases.toml
        version = 1
        [[case]]
        as_of = 2026-03-31T12:00:00Z
        expect = "active"
        //- good/cases.toml
        version = 1
        [[case]]
        as_of = 2026-03-31T12:00:00Z
        expect = "active"
        "#,
    );
    host.write(
        "bad/rule.wasm",
        wat::parse_str("(module)").expect("well-formed"),
    );
    host.write("good/rule.wasm", lifecycle_rule("", "(call $active)"));
    insta::assert_snapshot!(host.run(["rule", "test", "."]), @r"
    ./bad/rule.wasm: FAILED
      error: it is a core WebAssembly module, not a component
      hint: make it a component: `wasm-tools component new FILE.wasm -o RULE.wasm`
    ./good/rule.wasm: 1 case
      ok      number 1
              asked    lifecycle-state
              answer   active
              wakes    never
              fuel     17 (asked again 17)
    error: 1 of 2 components can't be used
    [exit 3]
    ");
}

#[test]
fn a_component_can_be_looked_into() {
    let host = TestHost::copy_of(&repository().join("rules-examples/rust/identity-trigger"));
    let output = host.run(["rule", "inspect", "identity-trigger.wasm"]);
    let lines = output
        .lines()
        .filter(|line| !line.starts_with("sha256") && !line.starts_with("size"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    component  identity-trigger.wasm
    kinds      identity-trigger
    imports    idr:rules/baseline@0.1.0: exists, attribute, had-assigned
    imports    idr:rules/subject@0.1.0: attribute
    imports    idr:rules/time@0.1.0: date-reached, day-over, plus-days
    imports    idr:rules/parameters@0.1.0: parameter
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["rule", "inspect", "Cargo.toml"]), @r"
    error: `Cargo.toml` is no usable rule component
    caused by: it is no WebAssembly component
    [exit 2]
    ");
}

/// A tenant with one component, under two names.
fn tenant(rule: &[u8]) -> TestHost {
    let sha256 = digest_of(rule);
    let host = TestHost::with_files(&format!(
        r#"
        //- idr.toml
        version = 1
        name = "acme"
        //- applications/hr.toml
        version = 1
        [connector]
        type = "delimited-file"
        path = "feeds/hr.csv"
        native_identity = "id"
        [schema]
        id = {{}}
        end = {{ type = "date" }}
        [authoritative]
        rank = 1
        name = "id"
        //- identity.toml
        version = 1
        [attributes.endDate]
        type = "date"
        sources = [{{ application = "hr", attribute = "end" }}]
        //- lifecycle.toml
        version = 1
        rule = "state"
        [states.active]
        [states.inactive]
        inactive = true
        //- rules/rules.toml
        version = 1
        [rules.state]
        component = "state.wasm"
        sha256 = "{sha256}"
        reads = {{ attributes = ["endDate"], accounts = {{ hr = ["end"] }} }}
        parameters = {{ days = 14 }}
        [rules.unused]
        component = "state.wasm"
        sha256 = "{sha256}"
        limits = {{ fuel = 1000 }}
        "#
    ));
    host.write("rules/state.wasm", rule);
    host
}

#[test]
fn the_rules_of_a_tenant_are_listed() {
    let rule = lifecycle_rule("", "(call $active)");
    let (host, sha256) = (tenant(&rule), digest_of(&rule));
    let list = host.run(["rule", "list"]).replace(&sha256, "SHA256");
    insta::assert_snapshot!(list, @r"
    state
      component   rules/state.wasm
      sha256      SHA256
      decides     the lifecycle state
      reads       endDate
      accounts    hr: end
      parameter   days = 14
      limits      50000000 fuel, 1000 ms, 67108864 bytes of memory, 1048576 bytes passed, 65536 bytes answered, 20 log lines, 1000 in a run
      isolation   reuse
    unused
      component   rules/state.wasm
      sha256      SHA256
      decides     nothing: no definition names it
      limits      1000 fuel, 1000 ms, 67108864 bytes of memory, 1048576 bytes passed, 65536 bytes answered, 20 log lines, 1000 in a run
      isolation   reuse
    [exit 0]
    ");
    let json = host.json(["rule", "list"]);
    assert_eq!(json[0]["decides"][0], "the lifecycle state");
    assert_eq!(json[1]["limits"]["fuel"], 1000);
}

#[test]
fn a_tenants_components_are_checked_with_everything_else() {
    let checked = |rule: &[u8]| tenant(rule).run(["check", "--quiet"]);
    insta::assert_snapshot!(checked(&lifecycle_rule("", "(call $active)")), @"[exit 0]");
    let promotion = r#"(func (export "idr:rules/attribute-promotion@0.1.0#promote")
        (param i32 i32) (result i32) unreachable)"#;
    let promotion = component("attribute-promotion-rule", promotion);
    insta::assert_snapshot!(checked(&promotion), @r"
    error: the configuration has 1 problem
    rules/rules.toml: rules.state.component: it is used as lifecycle-state rule, but exports attribute-promotion
        hint: `idr rule inspect` shows what a component exports
    [exit 2]
    ");
    insta::assert_snapshot!(checked(b"no component"), @r"
    error: the configuration has 2 problems
    rules/rules.toml: rules.state.component: it is no WebAssembly component
    rules/rules.toml: rules.unused.component: it is no WebAssembly component
    [exit 2]
    ");
}
