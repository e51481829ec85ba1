//! What people are shown of a rule that goes wrong in a tenant.

use std::fmt::Write as _;

use crate::acme::{AS_OF, tenant};
use crate::made::{lifecycle_rule, outcome};

/// A rule that declines with this text, escaped as in WebAssembly's text format.
fn declining(text: &str, length: usize) -> Vec<u8> {
    lifecycle_rule(
        &format!(r#"(data (i32.const 2000) "{text}")"#),
        &format!(
            "(i32.store8 (i32.const 64) (i32.const 1))
             (i32.store8 (i32.const 68) (i32.const 0))
             (i32.store (i32.const 72) (i32.const 2000))
             (i32.store (i32.const 76) (i32.const {length}))
             (i32.const 64)"
        ),
    )
}

/// A rule that reads an attribute of this name and then answers.
fn reading(name: &str) -> Vec<u8> {
    let length = name.len();
    lifecycle_rule(
        &format!(
            r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
               (data (i32.const 2000) "{name}")"#
        ),
        &format!(
            "(call $attribute (i32.const 2000) (i32.const {length}) (i32.const 128)) (call $active)"
        ),
    )
}

/// Refreshes one person with this rule, and returns what `finding list` shows.
fn finding(rule: &[u8], reads: &str, limits: &str) -> String {
    let entries = format!("reads = {{ attributes = [{reads}] }}\nlimits = {{ {limits} }}");
    let host = tenant(rule, &entries, &["ana".to_owned()]);
    let _ = host.json(["refresh", "--as-of", AS_OF]);
    host.run(["finding", "list"])
}

#[test]
fn a_read_that_was_not_granted_is_a_finding_that_says_what_to_do() {
    insta::assert_snapshot!(finding(&reading("department"), "", ""), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          identity attribute `department` is not granted to the rule
          hint: add `department` to the rule's `reads` in rules/rules.toml
    [exit 0]
    ");
    insta::assert_snapshot!(finding(&reading("departement"), "", ""), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          there is no identity attribute `departement`; did you mean `department`?
          hint: write `department`
    [exit 0]
    ");
}

/// It can't come from itself, whatever the rule may read.
#[test]
fn a_rule_that_reads_what_it_works_out_is_a_finding() {
    insta::assert_snapshot!(finding(&reading("lifecycleState"), "\"lifecycleState\"", ""), @r"
    1 open
        access-at-risk  ana  lifecycle-state: lifecycleState
          the lifecycle state needs itself; it keeps its last value
          hint: let one of them come from a source that doesn't read the others
    [exit 0]
    ");
}

#[test]
fn a_limit_names_tenant_rule_kind_identity_limit_and_use() {
    let spinning = lifecycle_rule("", "(loop $again (br $again)) unreachable");
    insta::assert_snapshot!(finding(&spinning, "", "fuel = 1_000"), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) used up its limit of 1000 fuel (tenant `acme`, identity `ana`)
          hint: shorten the rule, or raise `fuel` in rules/rules.toml
    [exit 0]
    ");
    let growing = lifecycle_rule(
        "",
        "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) unreachable",
    );
    insta::assert_snapshot!(finding(&growing, "", "memory_bytes = 1_000_000"), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) wanted 1114112 bytes of memory, more than its limit of 1000000 (tenant `acme`, identity `ana`)
          hint: shorten the rule, or raise `memory_bytes` in rules/rules.toml
    [exit 0]
    ");
    let table = lifecycle_rule(
        "(table $t 1 funcref)",
        "(drop (table.grow $t (ref.null func) (i32.const 1000000))) (call $active)",
    );
    insta::assert_snapshot!(finding(&table, "", ""), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) wanted a table of 1000001 entries, more than the 20000 that the host gives any rule (tenant `acme`, identity `ana`)
          hint: no rule may have so large a table; build it with a smaller one
    [exit 0]
    ");
    let logging = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))"#,
        "(loop $again (call $info (i32.const 0) (i32.const 5000)) (br $again)) unreachable",
    );
    insta::assert_snapshot!(finding(&logging, "", "transfer_bytes = 20_000"), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) exchanged 25000 bytes with the host, more than its limit of 20000 bytes (tenant `acme`, identity `ana`)
          hint: read less, or raise `transfer_bytes` in rules/rules.toml
    [exit 0]
    ");
    let at_once = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))"#,
        "(call $info (i32.const 0) (i32.const 5000)) (call $info (i32.const 0) (i32.const 60000))
         (call $active)",
    );
    insta::assert_snapshot!(finding(&at_once, "", "transfer_bytes = 20_000"), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) exchanged 5000 bytes with the host, and then a text or list larger than its limit of 20000 bytes (tenant `acme`, identity `ana`)
          hint: read less, or raise `transfer_bytes` in rules/rules.toml
    [exit 0]
    ");
    let answering = lifecycle_rule(
        "",
        "(memory.fill (i32.const 4096) (i32.const 97) (i32.const 60000))
         (call $answer (i32.const 4096) (i32.const 60000))",
    );
    insta::assert_snapshot!(finding(&answering, "", "output_bytes = 2_000"), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) answered with 60000 bytes, more than its limit of 2000 (tenant `acme`, identity `ana`)
          hint: answer less, or raise `output_bytes` in rules/rules.toml
    [exit 0]
    ");
}

/// Time is measured on a busy machine, too: what is told is what was given.
#[test]
fn the_limit_of_time_is_told_with_what_the_rule_was_given() {
    let spinning = lifecycle_rule("", "(loop $again (br $again)) unreachable");
    let limits = "fuel = 9_000_000_000_000, time_ms = 5";
    insta::assert_snapshot!(finding(&spinning, "", limits), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) was still running after 50 ms, 10 times its limit of 5 ms (tenant `acme`, identity `ana`)
          hint: the host is overloaded, or `time_ms` in rules/rules.toml is too low for `fuel`
    [exit 0]
    ");
}

#[test]
fn what_a_rule_says_is_cut_and_gives_no_orders_to_the_terminal() {
    let rule = declining(r"\1b[2Jgone\07", 9);
    insta::assert_snapshot!(finding(&rule, "", ""), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) declined: \u{1b}[2Jgone\u{7}
    [exit 0]
    ");
    let mut long = String::new();
    for _ in 0..5_000 {
        let _ = write!(long, "long ");
    }
    let shown = outcome(&declining(&long, 25_000), "");
    assert!(shown.ends_with("long …") && shown.len() < 1_100, "{shown}");
}

#[test]
fn the_words_of_a_rule_that_may_read_sensitive_attributes_are_not_shown() {
    let rule = declining("earns 4711", 10);
    let shown = finding(&rule, "\"department\"", "");
    assert!(shown.contains("earns 4711"), "{shown}");
    insta::assert_snapshot!(finding(&rule, "\"salary\"", ""), @r"
    1 open
        access-at-risk  ana  lifecycle-state: state
          rule `state` (lifecycle-state) declined: (not shown: the rule may read sensitive attributes)
    [exit 0]
    ");
}
