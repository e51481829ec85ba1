//! Rules that misbehave: each gets an error of its own and does no harm.

use crate::acme::{AS_OF, tenant};
use crate::common::repository;
use crate::made::{case, component, lifecycle_rule, load, outcome, report};
use idr::rules::cases::run;

const LOOP: &str = "(loop $again (br $again)) unreachable";

#[test]
fn a_crash_says_where_and_what_the_rule_said_last() {
    let fields = r#"
        (import "idr:rules/log@0.1.0" "warn" (func $warn (param i32 i32)))
        (data (i32.const 1100) "no such grade: 17")
        (func $core::panicking::panic
            (call $warn (i32.const 1100) (i32.const 17)) unreachable)
        (func $_ZN5grade6lookup17h0123456789abcdefE (call $core::panicking::panic))
        "#;
    let rule = lifecycle_rule(
        fields,
        "(call $_ZN5grade6lookup17h0123456789abcdefE) (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-crashed: it crashed: wasm `unreachable` instruction executed, in `grade::lookup` < function 6; it said: no such grade: 17");
}

/// However much it logged before.
#[test]
fn what_a_rule_said_last_is_told_beyond_the_limit_of_its_log() {
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "warn" (func $warn (param i32 i32)))
           (data (i32.const 1100) "onetwothree")"#,
        "(call $warn (i32.const 1100) (i32.const 3)) (call $warn (i32.const 1103) (i32.const 3))
         (call $warn (i32.const 1106) (i32.const 5)) unreachable",
    );
    let said = |limits: &str| {
        let said = outcome(&rule, limits);
        said.split("; ").last().expect("a part").to_owned()
    };
    assert_eq!(said(""), "it said: three");
    assert_eq!(said("limits = { log_lines = 1 }"), "it said: three");
    assert_eq!(said("limits = { log_lines = 0 }"), "it said: three");
}

/// The example with every kind panics where it is told to.
fn panicking() -> Vec<u8> {
    let path = repository().join("rules-examples/rust/all-kinds/all-kinds.wasm");
    std::fs::read(path).expect("the committed component")
}

const PANIC: &str = "parameters = { reads = [\"throw no such grade: 17\"] }";

#[test]
fn a_panic_in_rust_tells_its_text_and_its_functions() {
    let said = outcome(&panicking(), &format!("attribute = \"echo\"\n{PANIC}"));
    let (place, text) = said.split_once("; it said: ").expect("it said something");
    insta::assert_snapshot!(place, @"rule-crashed: it crashed: wasm `unreachable` instruction executed, in `all_kinds::read_one` < `all_kinds::last_read` < `idr:rules/attribute-promotion@0.1.2#promote`");
    assert!(
        text.starts_with("panicked at all-kinds/src/lib.rs:"),
        "{text}"
    );
    assert!(text.ends_with("\nno such grade: 17"), "{text}");
}

#[test]
fn a_refresh_and_a_test_tell_a_panic_in_full() {
    let host = tenant(&panicking(), PANIC, &["ana".to_owned()]);
    let _ = host.json(["refresh", "--as-of", AS_OF]);
    let finding = host.run(["finding", "list"]);
    host.write(
        "rules/cases.toml",
        format!(
            "version = 1\n[[case]]\nkind = \"lifecycle-state\"\nas_of = {AS_OF}\n{PANIC}\n\
             expect = \"active\"\n"
        ),
    );
    let tested = host.run(["rule", "test", "rules"]);
    for shown in [finding, tested] {
        for part in [
            "crashed: wasm `unreachable` instruction executed, in `all_kinds::read_one` < ",
            "`idr:rules/lifecycle-state@0.1.2#state`; it said: panicked at ",
            "no such grade: 17",
        ] {
            assert!(shown.contains(part), "`{part}` isn't in\n{shown}");
        }
    }
}

#[test]
fn a_rule_that_crashes() {
    let rule = lifecycle_rule("", "unreachable");
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-crashed: it crashed: wasm `unreachable` instruction executed, in function 3");

    let rule = lifecycle_rule("", "(i32.load (i32.const -4))");
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-crashed: it crashed: out of bounds memory access, in function 3");

    let rule = lifecycle_rule(
        "(func $deeper (call $deeper))",
        "(call $deeper) (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-crashed: it crashed: call stack exhausted, in `deeper` (20 deep)");
}

#[test]
fn a_rule_that_loops_for_ever_runs_out_of_fuel() {
    let rule = lifecycle_rule("", LOOP);
    insta::assert_snapshot!(outcome(&rule, "limits = { fuel = 100_000 }"), @"rule-out-of-fuel: it used up its limit of 100000 fuel");
}

/// An author looks there first.
#[test]
fn a_limit_says_in_which_functions_where_they_have_names() {
    let spins = lifecycle_rule(
        "(func $spin (loop $again (br $again)))",
        "(call $spin) unreachable",
    );
    insta::assert_snapshot!(outcome(&spins, "limits = { fuel = 100_000 }"), @"rule-out-of-fuel: it used up its limit of 100000 fuel, in `spin` < function 4");
    let grows = lifecycle_rule(
        "(func $grow (loop $again (drop (memory.grow (i32.const 16))) (br $again)))",
        "(call $grow) unreachable",
    );
    insta::assert_snapshot!(outcome(&grows, "limits = { memory_bytes = 10_000_000 }"), @"rule-out-of-memory: it wanted 10551296 bytes of memory, more than its limit of 10000000, in `grow` < function 4");
}

#[test]
fn without_a_limit_in_reach_time_is_up() {
    let rule = lifecycle_rule("", LOOP);
    let limits = "limits = { fuel = 1_000_000_000_000, time_ms = 20 }";
    insta::assert_snapshot!(outcome(&rule, limits), @"host-too-slow: it was still running after 20 ms, its limit of 20 ms");
}

#[test]
fn a_rule_that_eats_memory() {
    let rule = lifecycle_rule(
        "",
        "(loop $again (drop (memory.grow (i32.const 16))) (br $again)) unreachable",
    );
    insta::assert_snapshot!(outcome(&rule, "limits = { memory_bytes = 10_000_000 }"), @"rule-out-of-memory: it wanted 10551296 bytes of memory, more than its limit of 10000000");
}

#[test]
fn a_rule_that_needs_more_memory_than_it_may_have_to_begin_with() {
    let rule = lifecycle_rule("", "(call $active)");
    insta::assert_snapshot!(outcome(&rule, "limits = { memory_bytes = 10_000 }"), @"rule-out-of-memory: it wanted 65536 bytes of memory, more than its limit of 10000");
}

#[test]
fn a_rule_that_passes_too_much() {
    // The same 60,000 bytes of its memory, again and again.
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))"#,
        "(loop $again
            (call $info (i32.const 0) (i32.const 60000))
            (br $again)) unreachable",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-transfer: it exchanged 1080000 bytes with the host, more than its limit of 1048576 bytes");

    // More at once than may be passed at all: the host doesn't even copy it.
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))"#,
        "(call $info (i32.const 0) (i32.const 60000)) (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, "limits = { transfer_bytes = 10_000 }"), @"rule-transfer: it exchanged 0 bytes with the host, and then a text or list larger than its limit of 10000 bytes");
    insta::assert_snapshot!(outcome(&rule, ""), @"active");
}

#[test]
fn a_rule_that_asks_for_what_nothing_is_called() {
    let rule = lifecycle_rule(
        r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))"#,
        "(call $attribute (i32.const 0) (i32.const 60000) (i32.const 128)) (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-argument: it passed a name of 60000 bytes, and nothing is called so");
}

#[test]
fn a_rule_that_is_passed_too_much() {
    let rule = lifecycle_rule(
        r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
           (data (i32.const 2000) "essay")"#,
        "(call $attribute (i32.const 2000) (i32.const 5) (i32.const 128)) (call $active)",
    );
    let essay = format!("attributes = {{ essay = \"{}\" }}", "a".repeat(20_000));
    insta::assert_snapshot!(outcome(&rule, &essay), @"active");
    let limited = format!("{essay}\nlimits = {{ transfer_bytes = 10_000 }}");
    insta::assert_snapshot!(outcome(&rule, &limited), @"rule-transfer: it exchanged 20021 bytes with the host, more than its limit of 10000 bytes");
}

#[test]
fn a_rule_that_logs_without_end_is_cut_and_still_answers() {
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))
           (global $left (mut i32) (i32.const 100))"#,
        "(loop $again
            (call $info (i32.const 1024) (i32.const 6))
            (global.set $left (i32.sub (global.get $left) (i32.const 1)))
            (br_if $again (i32.gt_s (global.get $left) (i32.const 0))))
         (global.set $left (i32.const 100))
         (call $active)",
    );
    let report = report(&rule, "expect = \"active\"\nlimits = { log_lines = 3 }");
    assert_eq!(report.problems, [""; 0]);
    assert_eq!((report.log.lines.len(), report.log.dropped), (3, 97));
}

#[test]
fn a_rule_that_reads_what_it_works_out() {
    let read_own = |name: &str| {
        let length = name.len();
        let fields = format!(
            r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
               (data (i32.const 2000) "{name}")"#
        );
        (
            fields,
            format!("(call $attribute (i32.const 2000) (i32.const {length}) (i32.const 128))"),
        )
    };
    let (fields, read) = read_own("lifecycleState");
    let rule = lifecycle_rule(&fields, &format!("{read} (call $active)"));
    insta::assert_snapshot!(outcome(&rule, ""), @"unsettled: it asked for what can't be read: the lifecycle state is not worked out yet");

    let (fields, read) = read_own("nickname");
    let rule = promotion_rule(
        &fields,
        &format!("{read} (i32.store8 (i32.const 72) (i32.const 2))"),
    );
    insta::assert_snapshot!(outcome(&rule, "attribute = \"nickname\""), @"unsettled: it asked for what can't be read: attribute `nickname` is not worked out yet");
    insta::assert_snapshot!(outcome(&rule, "attribute = \"other\""), @"next");
}

/// A promotion rule with this body, which writes the answer at address 64: 0
/// at 64 says that it is one; at 72 stands its case, at 80 that of a value, at
/// 88 the value.
fn promotion_rule(fields: &str, body: &str) -> Vec<u8> {
    let fields = format!(
        r#"{fields}
        (func (export "idr:rules/attribute-promotion@0.1.0#promote") (param i32 i32) (result i32)
            (i32.store8 (i32.const 64) (i32.const 0))
            {body}
            (i32.const 64))"#
    );
    component("attribute-promotion-rule", &fields)
}

/// A promotion rule that answers `set` with a value.
fn setting_rule(case: u8, value: &str) -> Vec<u8> {
    let body = format!(
        "(i32.store8 (i32.const 72) (i32.const 0)) (i32.store8 (i32.const 80) (i32.const {case}))
         {value}"
    );
    promotion_rule(r#"(data (i32.const 2000) "12.500")"#, &body)
}

#[test]
fn values_that_make_no_sense() {
    let set = |case: u8, value: &str| outcome(&setting_rule(case, value), "attribute = \"x\"");
    let text = |length: u32| {
        format!(
            "(i32.store (i32.const 88) (i32.const 2000)) (i32.store (i32.const 92) (i32.const {length}))"
        )
    };
    insta::assert_snapshot!(set(0, &text(6)), @r#"set "12.500""#);
    insta::assert_snapshot!(set(0, &text(0)), @"clear");
    insta::assert_snapshot!(set(2, &text(6)), @"set 12.5");
    insta::assert_snapshot!(set(2, &text(3)), @r#"rule-answer: it answered "12.", which is no decimal number of at most 28 digits"#);
    insta::assert_snapshot!(set(6, &text(0)), @"clear");
    insta::assert_snapshot!(set(1, "(i64.store (i32.const 88) (i64.const 9007199254740991))"), @"set 9007199254740991");
    insta::assert_snapshot!(set(1, "(i64.store (i32.const 88) (i64.const 9007199254740992))"), @"rule-answer: it answered the integer 9007199254740992, which is beyond +-(2^53 - 1)");
    insta::assert_snapshot!(set(5, "(i64.store (i32.const 88) (i64.const -9007199254740991))"), @"rule-answer: it answered the instant -9007199254740991, which is beyond the calendar");
    let date = "(i32.store (i32.const 88) (i32.const 2026)) (i32.store8 (i32.const 92) (i32.const 255)) (i32.store8 (i32.const 93) (i32.const 0))";
    insta::assert_snapshot!(set(4, date), @"rule-answer: it answered `2026-255-00`, which no calendar has");
    // What isn't of the type at all: a case that doesn't exist, a text outside the memory.
    insta::assert_snapshot!(set(7, ""), @"rule-crashed: it crashed: unexpected discriminant: 7");
    let outside =
        "(i32.store (i32.const 88) (i32.const -8)) (i32.store (i32.const 92) (i32.const 100))";
    insta::assert_snapshot!(set(0, outside), @"rule-crashed: it crashed: string pointer/length out of bounds of memory");
}

#[test]
fn arguments_that_make_no_sense() {
    let rule = lifecycle_rule(
        r#"(import "idr:rules/time@0.1.0" "reached" (func $reached (param i64) (result i32)))"#,
        "(drop (call $reached (i64.const 9007199254740992))) (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-argument: it passed the instant 9007199254740992, which is beyond +-(2^53 - 1)");

    let rule = lifecycle_rule(
        r#"(import "idr:rules/time@0.1.0" "day-over"
               (func $day_over (param i32 i32 i32 i32 i32) (result i32)))
           (data (i32.const 2000) "Mars/Olympus")"#,
        "(drop (call $day_over (i32.const 2026) (i32.const 3) (i32.const 31)
            (i32.const 2000) (i32.const 12)))
         (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"bad-argument: it asked for what can't be read: there is no time zone `Mars/Olympus`");

    let rule = lifecycle_rule(
        r#"(import "idr:rules/subject@0.1.0" "account-attribute"
               (func $read (param i32 i32 i32 i32)))"#,
        "(call $read (i32.const 7) (i32.const 1024) (i32.const 6) (i32.const 128)) (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"bad-argument: it asked for what can't be read: there is no account with handle 7");
}

#[test]
fn a_list_of_answers_of_the_wrong_length() {
    // Says "yes" once, however many roles it was asked about.
    let rule = component(
        "role-assignment-rule",
        r#"(func (export "idr:rules/role-assignment@0.1.0#assign") (param i32 i32) (result i32)
            (i32.store8 (i32.const 64) (i32.const 0))
            (i32.store (i32.const 68) (i32.const 128))
            (i32.store (i32.const 72) (i32.const 1))
            (i32.store8 (i32.const 128) (i32.const 0))
            (i32.const 64))"#,
    );
    insta::assert_snapshot!(outcome(&rule, "candidates = [\"A\"]"), @"[yes]");
    insta::assert_snapshot!(outcome(&rule, "candidates = [\"A\", \"B\"]"), @"rule-answer: it answered for 1 roles, but 2 were asked about");
}

#[test]
fn a_list_of_answers_as_long_as_memory_allows() {
    // A thousand times the same 30,000 bytes: the host stops copying.
    let rule = component(
        "role-assignment-rule",
        r#"(func (export "idr:rules/role-assignment@0.1.0#assign") (param i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.const 20000))
            (loop $again
                (i32.store8 (local.get $at) (i32.const 2))
                (i32.store offset=4 (local.get $at) (i32.const 33000))
                (i32.store offset=8 (local.get $at) (i32.const 30000))
                (local.set $at (i32.add (local.get $at) (i32.const 12)))
                (br_if $again (i32.lt_u (local.get $at) (i32.const 32000))))
            (i32.store8 (i32.const 64) (i32.const 0))
            (i32.store (i32.const 68) (i32.const 20000))
            (i32.store (i32.const 72) (i32.const 1000))
            (i32.const 64))"#,
    );
    insta::assert_snapshot!(outcome(&rule, "candidates = [\"A\"]"), @"rule-transfer: it exchanged 17 bytes with the host, and then a text or list larger than its limit of 1048576 bytes");
}

#[test]
fn a_state_without_a_name() {
    let rule = lifecycle_rule("", "(call $answer (i32.const 0) (i32.const 0))");
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-answer: it answered an empty text, which names no lifecycle state");
}

#[test]
fn a_rule_that_answers_differently_when_asked_again_fails_its_cases() {
    let rule = lifecycle_rule(
        "(global $asked (mut i32) (i32.const 0))",
        "(if (result i32) (global.get $asked)
            (then (call $inactive))
            (else (global.set $asked (i32.const 1)) (call $active)))",
    );
    let report = run(&load(&rule), &case("expect = \"active\""));
    assert_eq!(
        report.problems,
        ["the same instance, asked again, answered inactive"]
    );
}
