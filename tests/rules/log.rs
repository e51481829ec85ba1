//! What rules log in a run, and how much of it is kept.

use crate::common::TestHost;
use crate::made::lifecycle_rule;
use idr::rules::digest_of;

#[test]
fn a_rule_logs_so_much_in_a_run_and_no_more() {
    let host = TestHost::with_files(
        r#"
        //- idr.toml
        version = 1
        name = "acme"
        clock = "simulated"
        //- applications/hr.toml
        authoritative = { name = "id" }
        correlation = [{ account = "id", identity = "name" }]
        [connector]
        type = "delimited-file"
        path = "feeds/hr.csv"
        native_identity = "id"
        [schema]
        id = {}
        [guard]
        new = "off"
        //- lifecycle.toml
        rule = "chatty"
        [states.active]
        //- feeds/hr.csv
        id
        ana
        bob
        cem
        dua
        eva
        "#,
    );
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "warn" (func $warn (param i32 i32)))
           (data (i32.const 2000) "hello")"#,
        "(call $warn (i32.const 2000) (i32.const 5)) (call $active)",
    );
    let digest = digest_of(&rule);
    host.write("rules/chatty.wasm", &rule);
    host.write(
        "rules/rules.toml",
        format!(
            "[rules.chatty]\ncomponent = \"chatty.wasm\"\nsha256 = \"{digest}\"\n\
             limits = {{ log_lines_per_run = 3 }}\n"
        ),
    );
    let _ = host.json(["aggregate", "hr", "--as-of", "2026-03-01T22:00:00Z"]);
    let refresh = || host.run(["refresh", "--all", "--as-of", "2026-03-01T22:00:00Z"]);
    let warnings = |output: &str| {
        let lines = output.lines().filter_map(|line| line.split_once("WARN "));
        lines
            .map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    insta::assert_snapshot!(warnings(&refresh()), @r"
    idr::rule: rule `chatty`: hello
    idr::rule: rule `chatty`: hello
    idr::rule: rule `chatty`: hello
    idr::rule: rule `chatty` of tenant `acme` has logged its limit of 3 lines in this run: the rest is dropped
    ");
    // Another run may say as much again.
    assert_eq!(warnings(&refresh()).matches("hello").count(), 3);
}
