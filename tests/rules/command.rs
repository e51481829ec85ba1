//! The commands `rule test` and `rule inspect`, as their users see them.

use crate::common::{TestHost, repository};
use crate::made::{component, component_against, contract, lifecycle_rule};
use idr::rules::digest_of;

#[test]
fn a_component_is_tested_with_the_cases_beside_it() {
    let example = repository().join("rules-examples/rust/hr-presence");
    let host = TestHost::copy_of(&example);
    let output = host.run(["rule", "test", "hr-presence.wasm"]);
    insta::assert_snapshot!(output, @r"
    hr-presence.wasm: 6 cases
          CASE                                     ANSWER                                     FUEL  BUDGET  USED  MEMORY
      ok  listed is active                         active                                    1,728  10,000  18 %     2 %
      ok  disabled or locked is still listed       active                                    2,079  10,000  21 %     2 %
      ok  vanished is inactive                     inactive                                  1,734  10,000  18 %     2 %
      ok  an account elsewhere doesn't count       inactive                                    917  10,000  10 %     2 %
      ok  the parameter names another application  active                                    1,749  10,000  18 %     2 %
      ok  a parameter that is no text              none: it calls it invalid: parameter `a…    640  10,000   7 %     2 %
    6 cases passed
    [exit 0]
    ");
    let details = host.run(["rule", "test", "hr-presence.wasm", "--details"]);
    let first = details.split("  ok ").nth(7).expect("a case in detail");
    insta::assert_snapshot!(first, @r"
    listed is active
             asked   lifecycle-state
             answer  active
             call    parameter application -> none
             call    accounts hr -> 100 (enabled)
             wakes   never
             again   1,429 fuel
    ");
    insta::assert_snapshot!(host.run(["rule", "test", ".", "--quiet"]), @"[exit 0]");
}

#[test]
fn components_are_checked_without_being_asked() {
    let host = TestHost::new();
    host.write("good.wasm", lifecycle_rule("", "(call $active)"));
    host.write("bad.wasm", "hello");
    insta::assert_snapshot!(host.run(["rule", "check", "good.wasm", "bad.wasm"]), @r"
    good.wasm: ok: lifecycle-state
    bad.wasm: FAILED: it is no WebAssembly component
    error: 1 of 2 components can't be used
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["rule", "check", "good.wasm", "--quiet"]), @"[exit 0]");
    let waking = lifecycle_rule(
        r#"(import "idr:rules/time@0.1.0" "today" (func $today (param i32 i32 i32)))"#,
        "(call $active)",
    );
    host.write("waking.wasm", waking);
    insta::assert_snapshot!(host.run(["rule", "check", "waking.wasm"]), @r"
    waking.wasm: ok: lifecycle-state
      advice  it imports `time.today`: calling that wakes the identity every midnight; prefer `date-reached` or `day-over`
    [exit 0]
    ");
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
              CASE  ANSWER  FUEL  BUDGET    USED  MEMORY
      FAILED  gone  active    17       1  1700 %     1 %
      FAILED  gone
              answer                     expected  inactive
                                         got       active
              wakes_at                   expected  2026-04-01T00:00:00Z
                                         got       never
              reads `attribute endDate`  expected  yes
                                         got       no
              fuel                       expected  at most 1
                                         got       17
              asked   lifecycle-state
              answer  active
              wakes   never
              again   17 fuel
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
    insta::assert_snapshot!(json[0]["cases"][0]["differences"][0], @r#"{"expected":"inactive","field":"answer","got":"active"}"#);
    assert_eq!(json[0]["cases"][0]["fuel_budget"], 1);
    assert_eq!(json[0]["cases"][1]["fuel_budget"], 50_000_000);
    assert_eq!(json[0]["cases"][1]["memory_bytes"], 65_536);
}

/// A folder with a rule that uses 17 of the 21 fuel that its case allows.
fn nearly_exhausted() -> TestHost {
    let host = TestHost::with_files(
        r#"
        //- cases.toml
        version = 1
        [[case]]
        as_of = 2026-03-31T12:00:00Z
        expect = "active"
        fuel = 21
        "#,
    );
    host.write("rule.wasm", lifecycle_rule("", "(call $active)"));
    host
}

#[test]
fn what_is_near_its_limit_is_red_where_colours_are_shown() {
    let host = nearly_exhausted();
    let shown = |variables: &[(&str, &str)]| {
        let mut command = host.command();
        command.args(["rule", "test", "rule.wasm"]);
        let output = command.envs(variables.iter().copied()).output();
        String::from_utf8(output.expect("it runs").stdout).expect("text")
    };
    let coloured = shown(&[("CLICOLOR_FORCE", "1")]);
    insta::assert_snapshot!(coloured.replace('\u{1b}', "ESC"), @r"
    rule.wasm: 1 case
          CASE      ANSWER  FUEL  BUDGET  USED  MEMORY
      ESC[32mokESC[0m  number 1  active    ESC[31m17ESC[0m      21  ESC[31m81 %ESC[0m     1 %
    1 case passed
    ");
    let plain = shown(&[]);
    assert!(!plain.contains('\u{1b}'), "not on a terminal: {plain}");
    assert_eq!(shown(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), plain);
}

#[test]
fn every_limit_that_a_case_comes_near_to_is_named() {
    let host = TestHost::with_files(
        r#"
        //- cases.toml
        version = 1
        [defaults]
        as_of = 2026-03-31T12:00:00Z
        expect = "active"
        [[case]]
        name = "plenty"
        [[case]]
        name = "a long answer"
        limits = { output_bytes = 7 }
        [[case]]
        name = "much to say"
        limits = { transfer_bytes = 60 }
        "#,
    );
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))"#,
        "(call $info (i32.const 1024) (i32.const 50)) (call $active)",
    );
    host.write("rule.wasm", rule);
    let output = host.run(["rule", "test", "rule.wasm"]);
    insta::assert_snapshot!(output, @r"
    rule.wasm: 3 cases
          CASE           ANSWER  FUEL      BUDGET  USED  MEMORY
      ok  plenty         active    25  50,000,000   1 %     1 %
      ok  a long answer  active    25  50,000,000   1 %     1 %
      ok  much to say    active    25  50,000,000   1 %     1 %
      near its limit  a long answer: output 6 of 7 bytes, 86 %
      near its limit  much to say: transfer 50 of 60 bytes, 84 %
    3 cases passed
    [exit 0]
    ");
    let mut command = host.command();
    command
        .args(["rule", "test", "rule.wasm"])
        .env("CLICOLOR_FORCE", "1");
    let coloured = command.output().expect("it runs").stdout;
    let coloured = String::from_utf8(coloured).expect("text");
    let red = "\u{1b}[31mnear its limit\u{1b}[0m  a long answer: output";
    assert!(coloured.contains(red), "{coloured}");
    let json = host.json(["rule", "test", "rule.wasm"]);
    let case = &json[0]["cases"][2];
    assert_eq!(case["output_bytes"], 6);
    assert_eq!(case["output_limit_bytes"], 65_536);
    assert_eq!(case["transfer_bytes"], 50);
    assert_eq!(case["transfer_limit_bytes"], 60);
    assert_eq!(case["time_limit_us"], 1_000_000);
    // It may be less than a microsecond.
    assert!(case["time_us"].is_u64(), "{case}");

    // Time that is short for any machine; more of it isn't taken.
    host.write(
        "cases.toml",
        "version = 1\n[[case]]\nas_of = 2026-03-31T12:00:00Z\n\
         limits = { time_ms = 5, fuel = 9_000_000_000_000 }\nerror = \"still running\"\n",
    );
    host.write(
        "rule.wasm",
        lifecycle_rule("", "(loop $again (br $again)) unreachable"),
    );
    let output = host.run(["rule", "test", "rule.wasm"]);
    assert!(
        output.contains("\n  near its limit  number 1: time "),
        "{output}"
    );
    assert!(output.contains(" of 5,000 us, "), "{output}");
}

#[test]
fn a_file_that_is_no_component_is_an_error_of_the_call() {
    let host = nearly_exhausted();
    host.write("rule.wasm", "hello");
    insta::assert_snapshot!(host.run(["rule", "test", "rule.wasm"]), @r"
    error: `rule.wasm` is no usable rule component
    caused by: it is no WebAssembly component
    [exit 2]
    ");
    host.write(
        "rule.wasm",
        wat::parse_str("(module)").expect("well-formed"),
    );
    insta::assert_snapshot!(host.run(["rule", "test", "rule.wasm"]), @r"
    error: `rule.wasm` is no usable rule component
    caused by: it is a core WebAssembly module, not a component
    hint: make it a component: `wasm-tools component new FILE.wasm -o RULE.wasm`
    [exit 2]
    ");
}

#[test]
fn results_are_also_written_as_junit() {
    let host = TestHost::with_files(
        r#"
        //- cases.toml
        version = 1
        [defaults]
        as_of = 2026-03-31T12:00:00Z
        [[case]]
        name = "here & \"now\""
        expect = "active"
        [[case]]
        name = "gone"
        expect = "in<active>\u0001"
        "#,
    );
    let fields = r#"
        (import "idr:rules/log@0.1.0" "warn" (func $warn (param i32 i32)))
        (data (i32.const 1100) "a < b")
        "#;
    let rule = lifecycle_rule(
        fields,
        "(call $warn (i32.const 1100) (i32.const 5)) (call $active)",
    );
    host.write("rule.wasm", rule);
    let output = host.run(["rule", "test", ".", "--quiet", "--junit", "results.xml"]);
    assert!(
        output.ends_with("1 of 2 cases failed\n[exit 3]"),
        "{output}"
    );
    insta::assert_snapshot!(host.read("results.xml"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="./rule.wasm" tests="2" failures="1" errors="0">
        <testcase classname="./rule.wasm" name="here &amp; &quot;now&quot;">
          <system-out>warn: a &lt; b</system-out>
        </testcase>
        <testcase classname="./rule.wasm" name="gone">
          <failure message="answer: expected in&lt;active&gt;�, got active">answer: expected in&lt;active&gt;�, got active</failure>
          <system-out>warn: a &lt; b</system-out>
        </testcase>
      </testsuite>
    </testsuites>
    "#);

    host.write("rule.wasm", "nothing");
    let output = host.run(["rule", "test", ".", "--junit", "results.xml"]);
    assert!(
        output.ends_with("1 of 1 components can't be used\n[exit 3]"),
        "{output}"
    );
    insta::assert_snapshot!(host.read("results.xml"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="./rule.wasm" tests="1" failures="0" errors="1">
        <testcase classname="./rule.wasm" name="the component can be used">
          <error message="error: it is no WebAssembly component">error: it is no WebAssembly component</error>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
    insta::assert_snapshot!(host.run(["rule", "test", ".", "--quiet", "--junit", "no/such/folder.xml"]), @r"
    ./rule.wasm: FAILED
      error: it is no WebAssembly component
    error: can't write `no/such/folder.xml`
    caused by: No such file or directory (os error 2)
    [exit 3]
    ");
}

#[test]
fn other_cases_can_be_given() {
    let host = nearly_exhausted();
    host.write("other/rule", lifecycle_rule("", "(call $inactive)"));
    let output = host.run([
        "rule",
        "test",
        "other/rule",
        "--cases",
        "cases.toml",
        "--quiet",
    ]);
    insta::assert_snapshot!(output, @r"
    other/rule: 1 case
              CASE      ANSWER    FUEL  BUDGET  USED  MEMORY
      FAILED  number 1  inactive    17      21  81 %     1 %
      FAILED  number 1
              answer  expected  active
                      got       inactive
              asked   lifecycle-state
              answer  inactive
              wakes   never
              again   17 fuel
    error: 1 of 1 cases failed
    [exit 3]
    ");
    host.write("none.toml", "version = 1\n");
    let none = host.run(["rule", "test", "other", "--cases", "none.toml"]);
    insta::assert_snapshot!(none, @r"
    error: there are no cases in `none.toml`
    hint: write a `[[case]]`
    [exit 2]
    ");
    let missing = host.run(["rule", "test", "other", "--cases", "missing.toml"]);
    insta::assert_snapshot!(missing, @r"
    error: can't read `missing.toml`
    caused by: No such file or directory (os error 2)
    [exit 2]
    ");
}

#[test]
fn a_component_may_have_any_name() {
    let host = nearly_exhausted();
    std::fs::rename(host.path("rule.wasm"), host.path("rule.component")).expect("renamed");
    let output = host.run(["rule", "test", "."]);
    assert!(output.starts_with("./rule.component: 1 case\n"), "{output}");
    assert!(output.ends_with("1 case passed\n[exit 0]"), "{output}");
    let output = host.run(["rule", "test", "rule.component"]);
    assert!(output.ends_with("1 case passed\n[exit 0]"), "{output}");
}

#[test]
fn what_exports_no_kind_of_rule_is_refused_by_name() {
    let host = nearly_exhausted();
    let empty = wat::parse_str("(component)").expect("well-formed");
    host.write("rule.wasm", empty);
    insta::assert_snapshot!(host.run(["rule", "test", "."]), @r"
    ./rule.wasm: FAILED
      error: it doesn't fit the contract: exports no kind of rule: none of `account-correlation`, `identity-creation`, `before-refresh`, `attribute-promotion`, `manager-correlation`, `lifecycle-state`, `role-assignment`, `identity-trigger`, `value-change`, `after-refresh`, `logical-account`, `policy`, `account-selection`, `target-mapping`
      hint: make the component for a world of wit/0.1.2/rules.wit; `idr rule new` starts a rule of each kind
    error: 1 of 1 components can't be used
    [exit 3]
    ");
}

#[test]
fn watching_runs_the_cases_again_when_something_changes() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let host = nearly_exhausted();
    let child = host
        .command()
        .args(["rule", "test", ".", "--watch"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut running = Running(child);
    let output = running.0.stdout.take().expect("its output");
    let mut lines = BufReader::new(output).lines();
    let mut until = |wanted: &str| {
        let mut seen = Vec::new();
        for line in &mut lines {
            let line = line.expect("text");
            if line.contains(wanted) {
                return;
            }
            seen.push(line);
        }
        panic!("`{wanted}` wasn't said: {seen:?}");
    };
    until("1 case passed");
    host.write("rule.wasm", lifecycle_rule("", "(call $inactive) nop"));
    until("error: 1 of 1 cases failed");
    host.write("cases.toml", "version = 2");
    until("version 2 isn't known");
    let cases = host.read("cases.toml").replace('2', "1");
    host.write(
        "cases.toml",
        format!("{cases}\n[[case]]\nas_of = 2026-03-31T12:00:00Z\nexpect = \"inactive\""),
    );
    until("1 case passed");
}

/// A process that ends with the test.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn nothing_to_test_is_a_usage_error() {
    let host = TestHost::with_files("//- empty/readme.md\nnothing here\n");
    insta::assert_snapshot!(host.run(["rule", "test", "empty"]), @r"
    error: there is no rule component in `empty`
    hint: build the rule first: cases are run on its component
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
          CASE      ANSWER  FUEL      BUDGET  USED  MEMORY
      ok  number 1  active    17  50,000,000   1 %     1 %
    error: 1 of 2 components can't be used
    [exit 3]
    ");
}

#[test]
fn a_component_can_be_looked_into() {
    let host = TestHost::copy_of(&repository().join("rules-examples/rust/identity-trigger"));
    let output = host.run(["rule", "inspect", "identity-trigger.wasm"]);
    let component = std::fs::read(host.path("identity-trigger.wasm")).expect("it is there");
    let output = output.replace(&digest_of(&component), "(its digest)");
    insta::assert_snapshot!(output, @r"
    component  identity-trigger.wasm
    sha256     (its digest)
    size       27,344 bytes
    contract   idr:rules@0.1.0
    kinds      identity-trigger
    imports    idr:rules/baseline@0.1.0: exists, attribute, had-assigned
    imports    idr:rules/subject@0.1.0: attribute
    imports    idr:rules/time@0.1.0: date-reached, day-over, plus-days
    imports    idr:rules/parameters@0.1.0: parameter
    memory     1 memory, at first 17 pages of 64 KiB in the largest
    tables     2 tables, at first 13 entries in the largest
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["rule", "inspect", "Cargo.toml"]), @r"
    error: `Cargo.toml` is no usable rule component
    caused by: it is no WebAssembly component
    [exit 2]
    ");
}

/// A component that imports a part of the system, and is as large as one that brings
/// its language's runtime along.
fn with_a_runtime() -> Vec<u8> {
    let system = r#"
        package test:runtime;
        world rule {
            include idr:rules/lifecycle-state-rule@0.1.0;
            import wasi:clocks/wall-clock@0.2.6;
            import wasi:random/random@0.2.6;
        }
        package wasi:clocks@0.2.6 { interface wall-clock { now: func() -> u64; } }
        package wasi:random@0.2.6 { interface random { get-random-u64: func() -> u64; } }
    "#;
    let runtime = "a".repeat(600_000);
    component_against(
        &contract(),
        system,
        "rule",
        &format!(
            r#"(import "wasi:clocks/wall-clock@0.2.6" "now" (func $now (result i64)))
               (import "wasi:random/random@0.2.6" "get-random-u64" (func (result i64)))
               (@custom "runtime" "{runtime}")
               (func (export "idr:rules/lifecycle-state@0.1.0#state") (result i32)
                   (drop (call $now)) unreachable)"#
        ),
    )
}

#[test]
fn what_a_component_imports_of_the_system_is_told() {
    let host = TestHost::new();
    let rule = with_a_runtime();
    host.write("rule.wasm", &rule);
    let output = host.run(["rule", "inspect", "rule.wasm"]);
    let output = output.replace(&digest_of(&rule), "(its digest)");
    insta::assert_snapshot!(output, @r"
    component  rule.wasm
    sha256     (its digest)
    size       601,814 bytes
    contract   idr:rules@0.1.0
    kinds      lifecycle-state
    imports    wasi:clocks/wall-clock@0.2.6: now
    imports    wasi:random/random@0.2.6: get-random-u64
    stubbed    wasi:clocks/wall-clock@0.2.6
    stubbed    wasi:random/random@0.2.6
    memory     1 memory, at first 1 page of 64 KiB in the largest
    tables     0 tables, at first 0 entries in the largest
    advice     it imports `wasi:clocks/wall-clock@0.2.6`: calling that ends the evaluation, there is no WASI
    advice     it imports `wasi:random/random@0.2.6`: calling that ends the evaluation, there is no WASI
    advice     it brings the runtime of its language: there the time of day is a trap, and random numbers are always the same; ask `time.reached` and derive from `uid` instead
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["rule", "check", "rule.wasm"]), @r"
    rule.wasm: ok: lifecycle-state
      advice  it imports `wasi:clocks/wall-clock@0.2.6`: calling that ends the evaluation, there is no WASI
      advice  it imports `wasi:random/random@0.2.6`: calling that ends the evaluation, there is no WASI
      advice  it brings the runtime of its language: there the time of day is a trap, and random numbers are always the same; ask `time.reached` and derive from `uid` instead
    [exit 0]
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
