//! Components made to hurt the host. What can be loaded exports a kind of rule,
//! so that it is run and not only refused.

use idr::rules::RuleComponent;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ComponentExportKind, ComponentExportSection,
    ComponentSection, RawSection,
};
use wasmparser::{ComponentExternalKind, Parser, Payload, Validator};

use crate::common::{TestHost, repository};
use crate::made::{
    bare_component, case, component_against, contract, engine, lifecycle_rule, load, load_error,
    newest_contract, outcome, report,
};

const STATE: &str = "idr:rules/lifecycle-state@0.1.0#state";
const PROMOTE: &str = "idr:rules/attribute-promotion@0.1.0#promote";
const REALLOC: &str = r#"(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)"#;

#[test]
fn a_component_that_never_starts() {
    let rule = lifecycle_rule(
        "(func $spin (loop $again (br $again))) (start $spin)",
        "(call $active)",
    );
    insta::assert_snapshot!(first_line_and_cause(&rule), @"it can't be started / caused by: wasm trap: all fuel consumed by WebAssembly");
    let rule = lifecycle_rule(
        "(func $deeper (call $deeper)) (start $deeper)",
        "(call $active)",
    );
    insta::assert_snapshot!(first_line_and_cause(&rule), @"it can't be started / caused by: wasm trap: call stack exhausted");
}

/// The whole error has addresses in it.
fn first_line_and_cause(bytes: &[u8]) -> String {
    let error = load_error(bytes);
    let cause = error.lines().last().unwrap_or_default();
    format!("{} / {cause}", error.lines().next().unwrap_or_default())
}

#[test]
fn memory_bombs() {
    let declared = |pages: u32| {
        bare_component(
            "lifecycle-state-rule",
            &format!(
                r#"(module (memory (export "memory") {pages})
                    {REALLOC} unreachable)
                    (func (export "{STATE}") (result i32) unreachable))"#
            ),
        )
    };
    insta::assert_snapshot!(first_line_and_cause(&declared(65_536)), @"it can't be compiled / caused by: memory has a minimum byte size of 4294967296 which exceeds the limit of 0x40000000 bytes");
    insta::assert_snapshot!(outcome(&declared(2_000), ""), @"rule-out-of-memory: it wanted 131072000 bytes of memory, more than its limit of 67108864");

    // As much as it may have, all of it touched, and then some.
    let rule = lifecycle_rule(
        "(global $at (mut i32) (i32.const 65536))",
        "(loop $again
            (drop (memory.grow (i32.const 1)))
            (i32.store (global.get $at) (i32.const 1))
            (global.set $at (i32.add (global.get $at) (i32.const 65536)))
            (br $again)) unreachable",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-out-of-memory: it wanted 67174400 bytes of memory, more than its limit of 67108864");
}

#[test]
fn more_memories_than_its_share() {
    let rule = lifecycle_rule(&"(memory 1)".repeat(20), "(call $active)");
    insta::assert_snapshot!(first_line_and_cause(&rule), @"it can't be compiled / caused by: defined memories count of 21 exceeds the per-instance limit of 1");
}

/// Types that double with every level are said only so far.
#[test]
fn types_as_large_as_a_library() {
    let mut types = "type t0 = tuple<string, string>;\n".to_owned();
    for level in 1..14 {
        let below = level - 1;
        types += &format!("    type t{level} = tuple<t{below}, t{below}>;\n");
    }
    let contract = contract().replace(
        "    reached: func(moment: instant) -> bool;",
        &format!("    {types}    reached: func(moment: list<t13>) -> bool;"),
    );
    let rule = component_against(
        &contract,
        "",
        "lifecycle-state-rule",
        &format!(
            r#"(import "idr:rules/time@0.1.0" "reached" (func (param i32 i32) (result i32)))
               (func (export "{STATE}") (result i32) unreachable)"#
        ),
    );
    let error = load_error(&rule);
    assert!(error.len() < 5_000, "{} bytes", error.len());
    insta::assert_snapshot!(error.chars().take(150).collect::<String>(), @"its types are not those of the contract (lifecycle-state): it imports `time.reached` as `func(moment: list<tuple<tuple<tuple<tuple<tuple<tuple<tuple<t");
}

#[test]
fn devices_and_pipes_are_no_components() {
    let host = TestHost::new();
    insta::assert_snapshot!(host.run(["rule", "check", "/dev/zero"]), @r"
    /dev/zero: FAILED: can't read the rule component `/dev/zero`: it is no file
    error: 1 of 1 components can't be used
    [exit 2]
    ");
}

#[test]
fn table_bombs() {
    let declared = lifecycle_rule("(table 10000000 funcref)", "(call $active)");
    insta::assert_snapshot!(first_line_and_cause(&declared), @"it can't be compiled / caused by: table index 0 has a minimum element size of 10000000 which exceeds the limit of 20000");
    let rule = lifecycle_rule(
        "(table $t 1 funcref)",
        "(drop (table.grow $t (ref.null func) (i32.const 1000000))) (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-table: it wanted a table of 1000001 entries, more than the 20000 that the host gives any rule");
    let rule = lifecycle_rule(
        "(table $t 1 funcref)",
        "(loop $again (drop (table.grow $t (ref.null func) (i32.const 100))) (br $again)) unreachable",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-table: it wanted a table of 20001 entries, more than the 20000 that the host gives any rule");
}

/// A promotion rule with this allocator; the host asks it for room for the
/// attribute's name.
fn with_allocator(body: &str) -> Vec<u8> {
    bare_component(
        "attribute-promotion-rule",
        &format!(
            r#"(module (memory (export "memory") 1)
                {REALLOC} {body})
                (func (export "{PROMOTE}") (param i32 i32) (result i32)
                    (i32.store8 (i32.const 72) (i32.const 2))
                    (i32.const 64)))"#
        ),
    )
}

#[test]
fn allocators_that_crash_lie_or_never_come_back() {
    let asked = |body: &str| {
        outcome(
            &with_allocator(body),
            "attribute = \"x\"\nlimits = { fuel = 100_000 }",
        )
    };
    insta::assert_snapshot!(asked("(i32.const 1024)"), @"next");
    insta::assert_snapshot!(asked("unreachable"), @"rule-crashed: it crashed: wasm `unreachable` instruction executed, in function 0");
    insta::assert_snapshot!(asked("(i32.const -1)"), @"rule-crashed: it crashed: realloc return: beyond end of memory");
    insta::assert_snapshot!(asked("(i32.const 65536)"), @"rule-crashed: it crashed: realloc return: beyond end of memory");
    insta::assert_snapshot!(asked("(loop $again (br $again)) unreachable"), @"rule-out-of-fuel: it used up its limit of 100000 fuel");
}

#[test]
fn an_allocator_that_calls_the_host() {
    let rule = bare_component(
        "attribute-promotion-rule",
        &format!(
            r#"(module
                (import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))
                (memory (export "memory") 1)
                {REALLOC} (call $info (i32.const 0) (i32.const 5)) (i32.const 1024))
                (func (export "{PROMOTE}") (param i32 i32) (result i32) (i32.const 64)))"#
        ),
    );
    insta::assert_snapshot!(outcome(&rule, "attribute = \"x\""), @"rule-crashed: it crashed: cannot leave component instance, in function 0 < function 1");
}

#[test]
fn answers_that_are_no_answers() {
    let answers = |body: &str| {
        outcome(
            &lifecycle_rule(r#"(data (i32.const 2000) "\ff\fe\00\80")"#, body),
            "",
        )
    };
    // A text that is no UTF-8, at an address that isn't there, longer than all of memory.
    insta::assert_snapshot!(answers("(call $answer (i32.const 2000) (i32.const 4))"), @"rule-crashed: it crashed: invalid utf-8 sequence of 1 bytes from index 0");
    insta::assert_snapshot!(answers("(call $answer (i32.const -16) (i32.const 4))"), @"rule-crashed: it crashed: string pointer/length out of bounds of memory");
    insta::assert_snapshot!(answers("(call $answer (i32.const 0) (i32.const -1))"), @"rule-crashed: it crashed: string pointer/length out of bounds of memory");
    // An answer outside of memory, one that isn't aligned, and neither ok nor err.
    insta::assert_snapshot!(answers("(i32.const -64)"), @"rule-crashed: it crashed: pointer out of bounds of memory");
    insta::assert_snapshot!(answers("(i32.const 65)"), @"rule-crashed: it crashed: return pointer not aligned");
    insta::assert_snapshot!(answers("(i32.store8 (i32.const 64) (i32.const 9)) (i32.const 64)"), @"rule-crashed: it crashed: invalid expected discriminant");
    // An error of a kind that doesn't exist.
    insta::assert_snapshot!(answers("(i32.store8 (i32.const 64) (i32.const 1)) (i32.store8 (i32.const 68) (i32.const 77)) (i32.const 64)"), @"rule-crashed: it crashed: unexpected discriminant: 77");
}

#[test]
fn a_text_that_is_no_unicode_is_not_logged() {
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))
           (data (i32.const 2000) "\ff\fe")"#,
        "(call $info (i32.const 2000) (i32.const 2)) (call $active)",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-crashed: it crashed: invalid utf-8 sequence of 1 bytes from index 0, in function 0 < function 4");
}

#[test]
fn a_line_of_the_log_as_long_as_a_book_is_cut() {
    let rule = lifecycle_rule(
        r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))"#,
        "(memory.fill (i32.const 4096) (i32.const 65) (i32.const 60000))
         (call $info (i32.const 4096) (i32.const 60000)) (call $active)",
    );
    let report = report(&rule, "expect = \"active\"");
    assert_eq!(report.problems, [""; 0]);
    assert!(report.log.lines[0].message.len() < 1_100);
}

#[test]
fn an_answer_beyond_its_limit() {
    let rule = lifecycle_rule(
        "",
        "(memory.fill (i32.const 4096) (i32.const 97) (i32.const 60000))
         (call $answer (i32.const 4096) (i32.const 60000))",
    );
    insta::assert_snapshot!(outcome(&rule, "limits = { output_bytes = 10_000 }"), @"rule-output: it answered with 60000 bytes, more than its limit of 10000");
    assert!(outcome(&rule, "limits = { output_bytes = 60_000 }").starts_with("aaa"));
}

/// What a number that is none consists of differs between processors; here it
/// never does.
#[test]
fn numbers_that_are_none_look_the_same_everywhere() {
    let rule = lifecycle_rule(
        "(global $nan (mut f64) (f64.const nan:0x4000000000001))",
        "(if (result i32)
            (i64.eq
                (i64.reinterpret_f64
                    (f64.div
                        (f64.mul (global.get $nan) (f64.const -3))
                        (f64.sub (f64.const inf) (f64.const inf))))
                (i64.const 0x7ff8000000000000))
            (then (call $active))
            (else (call $inactive)))",
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"active");
}

/// A component with many exports more, all the same instance.
fn with_exports(rule: &[u8], count: usize) -> Vec<u8> {
    let mut exported = None;
    for payload in Parser::new(0).parse_all(rule) {
        if let Payload::ComponentExportSection(exports) = payload.expect("well-formed") {
            for export in exports {
                let export = export.expect("well-formed");
                if export.kind == ComponentExternalKind::Instance {
                    exported = Some(export.index);
                }
            }
        }
    }
    let index = exported.expect("a rule exports an instance");
    let mut section = ComponentExportSection::new();
    for number in 0..count {
        let name = format!("more{number}");
        section.export(name.as_str(), ComponentExportKind::Instance, index, None);
    }
    let mut bytes = rule.to_vec();
    section.append_to_component(&mut bytes);
    bytes
}

/// A component whose function is exported so many times more.
fn with_functions_exported(rule: &[u8], count: u32) -> Vec<u8> {
    let instance = {
        let types = Validator::new().validate_all(rule).expect("well-formed");
        types.as_ref().component_instance_count() - 1
    };
    let mut bytes = rule.to_vec();
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::InstanceExport {
        instance,
        kind: ComponentExportKind::Func,
        name: "state",
    });
    aliases.append_to_component(&mut bytes);
    let function = {
        let types = Validator::new().validate_all(&bytes).expect("well-formed");
        types.as_ref().component_function_count() - 1
    };
    let mut exports = ComponentExportSection::new();
    for number in 0..count {
        let name = format!("more{number}");
        exports.export(name.as_str(), ComponentExportKind::Func, function, None);
    }
    exports.append_to_component(&mut bytes);
    bytes
}

#[test]
fn thousands_of_exports() {
    let rule = |count| with_exports(&lifecycle_rule("", "(call $active)"), count);
    insta::assert_snapshot!(outcome(&rule(900), ""), @"active");
    insta::assert_snapshot!(first_line_and_cause(&rule(50_000)), @"it can't be compiled / caused by: instances count exceeds limit of 1000 (at offset 0x3374)");
    let functions = with_functions_exported(&lifecycle_rule("", "(call $active)"), 5_000);
    insta::assert_snapshot!(outcome(&functions, ""), @"active");
}

/// A rule in so many components, each of which passes on what is in it.
fn nested_rule(depth: usize) -> Vec<u8> {
    let mut component = format!(
        r#"(component $c0
            (core module $m
                (memory (export "memory") 1)
                (data (i32.const 1024) "active")
                {REALLOC} unreachable)
                (func (export "state") (result i32)
                    (i32.store (i32.const 68) (i32.const 1024))
                    (i32.store (i32.const 72) (i32.const 6))
                    (i32.const 64)))
            (core instance $i (instantiate $m))
            (type $unnamed
                (variant (case "declined" string) (case "invalid" string) (case "failed" string)))
            (export $error "rule-error" (type $unnamed))
            (func $state (result (result string (error $error)))
                (canon lift (core func $i "state") (memory (core memory $i "memory"))
                    (realloc (core func $i "cabi_realloc"))))
            (export "state" (func $state)))"#
    );
    for level in 1..=depth {
        let below = level - 1;
        let passed_on = match level {
            1 => format!("(instance $rule (instantiate $c{below}))"),
            _ => format!(
                "(instance $i (instantiate $c{below})) (alias export $i \"rule\" (instance $rule))"
            ),
        };
        let name = match level == depth {
            true => "idr:rules/lifecycle-state@0.1.0",
            false => "rule",
        };
        component = format!(
            "(component $c{level} {component} {passed_on} (export \"{name}\" (instance $rule)))"
        );
    }
    wat::parse_str(component).expect("well-formed")
}

#[test]
fn a_rule_in_components_in_components() {
    insta::assert_snapshot!(outcome(&nested_rule(1), ""), @"active");
    insta::assert_snapshot!(outcome(&nested_rule(30), ""), @"active");
}

/// Texts that aren't where a rule says, passed to a function of the host.
#[test]
fn wild_pointers_into_the_host() {
    let passing = |text: &str| {
        let rule = lifecycle_rule(
            r#"(import "idr:rules/log@0.1.0" "info" (func $info (param i32 i32)))"#,
            &format!("(call $info {text}) (call $active)"),
        );
        outcome(&rule, "")
    };
    insta::assert_snapshot!(passing("(i32.const 65536) (i32.const 0)"), @"active");
    insta::assert_snapshot!(passing("(i32.const 65536) (i32.const 1)"), @"rule-crashed: it crashed: string pointer/length out of bounds of memory, in function 0 < function 4");
    insta::assert_snapshot!(passing("(i32.const -16) (i32.const 4)"), @"rule-crashed: it crashed: string pointer/length out of bounds of memory, in function 0 < function 4");
    insta::assert_snapshot!(passing("(i32.const -16) (i32.const 32)"), @"rule-crashed: it crashed: string pointer/length out of bounds of memory, in function 0 < function 4");
    insta::assert_snapshot!(passing("(i32.const 0) (i32.const -1)"), @"rule-crashed: it crashed: string pointer/length out of bounds of memory, in function 0 < function 4");

    // Where the answer is to be written.
    let told_to = |place: &str| {
        let rule = lifecycle_rule(
            r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
               (data (i32.const 1100) "uid")"#,
            &format!(
                "(call $attribute (i32.const 1100) (i32.const 3) (i32.const {place})) (call $active)"
            ),
        );
        outcome(&rule, "")
    };
    insta::assert_snapshot!(told_to("128"), @"active");
    insta::assert_snapshot!(told_to("129"), @"rule-crashed: it crashed: pointer not aligned, in function 0 < function 4");
    insta::assert_snapshot!(told_to("65528"), @"rule-crashed: it crashed: pointer out of bounds, in function 0 < function 4");
    insta::assert_snapshot!(told_to("-8"), @"rule-crashed: it crashed: pointer out of bounds, in function 0 < function 4");

    // A list of texts whose entries are elsewhere.
    let listing = |list: &str| {
        let rule = component_against(
            &newest_contract(),
            "",
            "attribute-promotion-rule",
            &format!(
                r#"(import "idr:rules/subject@0.1.2" "attributes" (func $attributes (param i32 i32 i32)))
                   (data (i32.const 1200) "\f0\ff\ff\ff\ff\ff\ff\ff")
                   (func (export "idr:rules/attribute-promotion@0.1.2#promote") (param i32 i32) (result i32)
                       (call $attributes {list} (i32.const 128))
                       (i32.store8 (i32.const 72) (i32.const 2))
                       (i32.const 64))"#
            ),
        );
        outcome(&rule, "attribute = \"x\"")
    };
    insta::assert_snapshot!(listing("(i32.const 1200) (i32.const 0)"), @"next");
    insta::assert_snapshot!(listing("(i32.const 1200) (i32.const 1)"), @"rule-crashed: it crashed: string pointer/length out of bounds of memory, in function 0 < function 1");
    insta::assert_snapshot!(listing("(i32.const 1200) (i32.const 536870912)"), @"rule-crashed: it crashed: list pointer/length out of bounds of memory, in function 0 < function 1");
    insta::assert_snapshot!(listing("(i32.const 65532) (i32.const 1)"), @"rule-crashed: it crashed: list pointer/length out of bounds of memory, in function 0 < function 1");
}

#[test]
fn components_in_components_in_components() {
    const NESTED_COMPONENT: u8 = 4;
    let mut nested = Component::new().finish();
    for _ in 0..20_000 {
        let mut outer = Component::new();
        outer.section(&RawSection {
            id: NESTED_COMPONENT,
            data: &nested,
        });
        nested = outer.finish();
        if nested.len() > 4 << 20 {
            break;
        }
    }
    insta::assert_snapshot!(first_line_and_cause(&nested), @"it doesn't fit the contract: exports no kind of rule: none of `account-correlation`, `identity-creation`, `before-refresh`, `attribute-promotion`, `manager-correlation`, `lifecycle-state`, `role-assignment`, `identity-trigger`, `value-change`, `after-refresh`, `logical-account`, `policy`, `account-selection`, `target-mapping` / hint: make the component for a world of wit/0.1.2/rules.wit; `idr rule new` starts a rule of each kind");
}

/// Loads bytes and, when they make a rule, asks it, with limits that keep it short.
fn load_and_run(bytes: &[u8]) {
    if let Ok(rule) = RuleComponent::load(engine(), bytes, None) {
        let limits = "error = \"anything\"\nlimits = { fuel = 100_000, time_ms = 200 }";
        idr::rules::cases::run(&rule, &case(limits));
    }
}

/// Whatever a disk, a mailer or somebody with an editor does to a component, it
/// is refused or it runs within its limits. Seeded: the same every time.
#[test]
fn components_that_were_cut_or_changed() {
    let example = repository().join("rules-examples/rust/hr-presence/hr-presence.wasm");
    let whole = [
        lifecycle_rule("", "(call $active)"),
        std::fs::read(example).expect("the example is there"),
    ];
    let config = Config {
        cases: 150,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Config::default()
    };
    let flips = prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 0..4);
    let strategy = (
        0_usize..2,
        flips,
        prop::option::of(any::<prop::sample::Index>()),
    );
    TestRunner::new(config)
        .run(&strategy, |(which, flips, cut)| {
            let mut bytes = whole[which].clone();
            for (place, bit) in flips {
                let place = place.index(bytes.len());
                bytes[place] ^= 1 << bit;
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len()));
            }
            load_and_run(&bytes);
            Ok(())
        })
        .expect("nothing of it hurts the host");
    // The same engine still serves everybody else.
    insta::assert_snapshot!(outcome(&whole[0], ""), @"active");
}

/// Bytes that begin as a component does and go on at random.
#[test]
fn noise() {
    let config = Config {
        cases: 2_000,
        rng_seed: RngSeed::Fixed(11),
        failure_persistence: None,
        ..Config::default()
    };
    let strategy = prop::collection::vec(any::<u8>(), 0..200);
    TestRunner::new(config)
        .run(&strategy, |noise| {
            let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
            bytes.extend(noise);
            load_and_run(&bytes);
            Ok(())
        })
        .expect("nothing of it hurts the host");
}

/// One rule's troubles are nobody else's: they share an engine, and nothing more.
#[test]
fn a_rule_that_crashes_on_one_thread_disturbs_nobody_on_another() {
    let bad = load(&lifecycle_rule(
        "(func $deeper (call $deeper))",
        "(call $deeper) (call $active)",
    ));
    let good = load(&lifecycle_rule("", "(call $active)"));
    let asked = |rule: &RuleComponent, entries: &str| idr::rules::cases::run(rule, &case(entries));
    std::thread::scope(|scope| {
        let crashing = scope.spawn(|| {
            (0..200).all(|_| asked(&bad, "error = \"call stack exhausted\"").has_passed())
        });
        let answering =
            scope.spawn(|| (0..200).all(|_| asked(&good, "expect = \"active\"").has_passed()));
        assert!(crashing.join().expect("it doesn't panic"));
        assert!(answering.join().expect("it doesn't panic"));
    });
}
