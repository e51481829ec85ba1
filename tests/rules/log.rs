//! What rules log in a run, and how much of it is kept.

use crate::acme::{AS_OF, tenant};
use crate::made::lifecycle_rule;

/// Returns the warnings in what a command printed, a line each.
fn warnings(output: &str) -> String {
    let lines = output.lines().filter_map(|line| line.split_once("WARN "));
    lines.map(|(_, line)| format!("{line}\n")).collect()
}

#[test]
fn a_rule_logs_so_much_in_a_run_and_no_more() {
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "warn" (func $warn (param i32 i32)))
           (data (i32.const 2000) "hello")"#,
        "(call $warn (i32.const 2000) (i32.const 5)) (call $active)",
    );
    let people = ["ana", "bob", "cem", "dua", "eva"].map(str::to_owned);
    let host = tenant(&rule, "limits = { log_lines_per_run = 3 }", &people);
    let refresh = || host.run(["refresh", "--all", "--as-of", AS_OF]);
    insta::assert_snapshot!(warnings(&refresh()), @r"
    idr::rule: rule `state`: hello
    idr::rule: rule `state`: hello
    idr::rule: rule `state`: hello
    idr::rule: rule `state` (lifecycle-state) has logged 4 lines, more than its limit of 3 (`log_lines_per_run`): the rest is dropped (tenant `acme`, identity `dua`)
    ");
    // Another run may say as much again.
    assert_eq!(warnings(&refresh()).matches("hello").count(), 3);
}

#[test]
fn a_rule_logs_so_much_in_an_evaluation_and_no_more() {
    let warn = "(call $warn (i32.const 2000) (i32.const 5))";
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "warn" (func $warn (param i32 i32)))
           (data (i32.const 2000) "hello")"#,
        &format!("{} (call $active)", warn.repeat(5)),
    );
    let host = tenant(&rule, "limits = { log_lines = 2 }", &["ana".to_owned()]);
    let output = host.run(["refresh", "--all", "--as-of", AS_OF]);
    insta::assert_snapshot!(warnings(&output), @r"
    idr::rule: rule `state`: hello
    idr::rule: rule `state`: hello
    idr::rule: rule `state` (lifecycle-state) has logged 5 lines, more than its limit of 2 (`log_lines`): the rest is dropped (tenant `acme`, identity `ana`)
    ");
}
