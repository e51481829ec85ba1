//! What isn't a rule, or one for another host: said in plain words at loading.

use crate::made::{
    component, component_against, contract, lifecycle_rule, load, load_error, newest_contract,
    outcome,
};
use idr::rules::RuleKind;

const STATE: &str =
    r#"(func (export "idr:rules/lifecycle-state@0.1.0#state") (result i32) unreachable)"#;

#[test]
fn what_is_no_component() {
    insta::assert_snapshot!(load_error(b"hello"), @"it is no WebAssembly component");
    insta::assert_snapshot!(load_error(b""), @"it is no WebAssembly component");
    let module = wat::parse_str("(module)").expect("well-formed");
    insta::assert_snapshot!(load_error(&module), @r"
    it is a core WebAssembly module, not a component
    hint: make it a component: `wasm-tools component new FILE.wasm -o RULE.wasm`
    ");
    // Cut anywhere in its first half, it is refused in one way or another.
    let whole = lifecycle_rule("", "(call $active)");
    for length in (8..whole.len() / 2).step_by(7) {
        load_error(&whole[..length]);
    }
    insta::assert_snapshot!(load_error(&whole[..whole.len() / 4]).lines().next().unwrap_or(""), @"it can't be compiled");
}

#[test]
fn a_component_that_is_no_rule_and_wants_a_database() {
    let component = wat::parse_str(
        r#"(component
            (import "acme:db/query@1.0.0"
                (instance (export "run" (func (param "sql" string) (result string)))))
            (import "wasi:sockets/tcp@0.2.6" (instance (export "connect" (func))))
        )"#,
    )
    .expect("well-formed");
    insta::assert_snapshot!(load_error(&component), @r"
    it doesn't fit the contract: exports no kind of rule: none of `account-correlation`, `identity-creation`, `before-refresh`, `attribute-promotion`, `manager-correlation`, `lifecycle-state`, `role-assignment`, `identity-trigger`, `value-change`, `after-refresh`, `logical-account`, `policy`, `account-selection`, `target-mapping`; imports `acme:db/query@1.0.0`: rules are given nothing but the interfaces of wit/0.1.2/rules.wit; imports `wasi:sockets/tcp@0.2.6`: rules get no files, network or other services of the system
    hint: make the component for a world of wit/0.1.2/rules.wit; `idr rule new` starts a rule of each kind; leave out what asks for it, perhaps a library: a rule reads what it needs through wit/0.1.2/rules.wit
    ");
}

#[test]
fn a_rule_for_a_later_contract() {
    let later = contract().replace("idr:rules@0.1.0", "idr:rules@0.2.0");
    let rule = component_against(
        &later,
        "",
        "lifecycle-state-rule",
        r#"(import "idr:rules/log@0.2.0" "info" (func $info (param i32 i32)))
           (func (export "idr:rules/lifecycle-state@0.2.0#state") (result i32) unreachable)"#,
    );
    insta::assert_snapshot!(load_error(&rule), @r"
    it doesn't fit the contract: imports `idr:rules/types@0.2.0`, but this host speaks versions 0.1.0 to 0.1.2; imports `idr:rules/log@0.2.0`, but this host speaks versions 0.1.0 to 0.1.2; exports `idr:rules/lifecycle-state@0.2.0`, but this host speaks versions 0.1.0 to 0.1.2
    hint: build the rule against wit/0.1.2/rules.wit, or use an idr that speaks its version
    ");
}

#[test]
fn a_rule_for_a_compatible_contract_is_loaded() {
    let later = contract().replace("idr:rules@0.1.0", "idr:rules@0.1.7");
    let rule = component_against(
        &later,
        "",
        "lifecycle-state-rule",
        r#"(import "idr:rules/log@0.1.7" "info" (func $info (param i32 i32)))
           (func (export "idr:rules/lifecycle-state@0.1.7#state") (result i32) unreachable)"#,
    );
    assert_eq!(load(&rule).surface().kinds, [RuleKind::LifecycleState]);
}

#[test]
fn functions_that_this_host_does_not_have() {
    let larger = contract().replace(
        "    /// Lists the subject's accounts",
        "    peers: func() -> u32;\n    friends: func() -> u32;\n    /// Lists the subject's accounts",
    );
    let rule = component_against(
        &larger,
        "",
        "lifecycle-state-rule",
        &format!(
            r#"(import "idr:rules/subject@0.1.0" "peers" (func (result i32)))
               (import "idr:rules/subject@0.1.0" "friends" (func (result i32))) {STATE}"#
        ),
    );
    insta::assert_snapshot!(load_error(&rule), @r"
    it doesn't fit the contract: imports `subject.peers`, which versions 0.1.0 to 0.1.2 don't have; imports `subject.friends`, which versions 0.1.0 to 0.1.2 don't have
    hint: build the rule against wit/0.1.2/rules.wit as it was released
    ");
}

#[test]
fn other_types_of_imports_and_exports() {
    let import = contract().replace(
        "        vanished,\n",
        "        vanished,\n        unknown,\n",
    );
    let rule = component_against(
        &import,
        "",
        "lifecycle-state-rule",
        &format!(
            r#"(import "idr:rules/subject@0.1.0" "accounts" (func (param i32 i32 i32))) {STATE}"#
        ),
    );
    insta::assert_snapshot!(load_error(&rule), @r"
    its types are not those of the contract (lifecycle-state): it imports `subject.accounts` as `func(application: string) -> list<record {handle: u32, native-identity: string, status: enum {enabled, disabled, locked, vanished, unknown}}>`, but the contract has `func(application: string) -> list<record {handle: u32, native-identity: string, status: enum {enabled, disabled, locked, vanished}}>`
    caused by: component imports instance `idr:rules/subject@0.1.0`, but a matching implementation was not found in the linker
    caused by: instance export `accounts` has the wrong type
    caused by: type mismatch with results
    caused by: type mismatch for field status
    caused by: expected enum of 4 names, found 5 names
    hint: build the rule against wit/0.1.2/rules.wit as it was released
    ");

    let export = contract().replace(
        "        failed(string),\n",
        "        failed(string),\n        bored(string),\n",
    );
    let rule = component_against(&export, "", "lifecycle-state-rule", STATE);
    insta::assert_snapshot!(load_error(&rule), @r"
    its types are not those of the contract (lifecycle-state): it exports `lifecycle-state.state` as `func() -> result<string, variant {declined(string), invalid(string), failed(string), bored(string)}>`, but the contract has `func() -> result<string, variant {declined(string), invalid(string), failed(string)}>`
    caused by: failed to convert function to given type
    caused by: type mismatch with results
    caused by: expected variant of 3 cases, found 4 cases
    hint: build the rule against wit/0.1.2/rules.wit as it was released
    ");
}

#[test]
fn a_kind_reads_only_what_is_settled_before_it() {
    let greedy = contract().replace(
        "world lifecycle-state-rule {",
        "world greedy { include common; import baseline; export lifecycle-state; }\nworld lifecycle-state-rule {",
    );
    let import = r#"(import "idr:rules/baseline@0.1.0" "exists" (func $exists (result i32)))"#;
    let rule = component_against(&greedy, "", "greedy", &format!("{import} {STATE}"));
    insta::assert_snapshot!(load_error(&rule), @r"
    it doesn't fit the contract: imports `baseline`, which only `identity-trigger` rules are given
    hint: don't ask for it, or ask in a rule of a kind that is given it: see the worlds in wit/0.1.2/rules.wit
    ");

    // A component of two kinds may import what only one of them is given.
    let both = contract().replace(
        "world lifecycle-state-rule {",
        "world both { include common; import baseline; export lifecycle-state; export identity-trigger; }\nworld lifecycle-state-rule {",
    );
    let rule = component_against(
        &both,
        "",
        "both",
        &format!(
            r#"{import}
               (func (export "idr:rules/lifecycle-state@0.1.0#state") (result i32)
                   (drop (call $exists)) unreachable)
               (func (export "idr:rules/identity-trigger@0.1.0#fires") (param i32 i32) (result i32)
                   (i32.store8 (i32.const 64) (i32.const 0))
                   (i32.store8 (i32.const 68) (call $exists))
                   (i32.const 64))"#
        ),
    );
    insta::assert_snapshot!(outcome(&rule, ""), @"rule-import: it called `baseline.exists`, which lifecycle-state rules are not given");
    let trigger = "trigger = \"t\"";
    insta::assert_snapshot!(outcome(&rule, trigger), @"false");
    insta::assert_snapshot!(outcome(&rule, &format!("{trigger}\nbaseline = {{}}")), @"true");
}

#[test]
fn a_policy_reads_access_and_nothing_that_follows_from_it() {
    let greedy = newest_contract().replace(
        "world policy-rule {",
        "world greedy { include common; import access; import roles; import baseline; import entitlements; import tiers; export policy; }\nworld policy-rule {",
    );
    let imports = [
        (
            r#""idr:rules/roles@0.1.2" "has-assigned""#,
            "(param i32 i32) (result i32)",
        ),
        (r#""idr:rules/baseline@0.1.2" "exists""#, "(result i32)"),
        (
            r#""idr:rules/entitlements@0.1.2" "held""#,
            "(param i32 i32 i32 i32 i32)",
        ),
        (
            r#""idr:rules/tiers@0.1.2" "accounts""#,
            "(param i32 i32 i32)",
        ),
    ];
    let fields: String = imports
        .iter()
        .map(|(name, types)| format!("(import {name} (func {types}))\n"))
        .collect();
    let rule = component_against(&greedy, "", "greedy", &format!("{fields} {JUDGE}"));
    let said = load_error(&rule);
    for problem in [
        "imports `roles`, which only `identity-trigger` and `value-change` and `after-refresh` \
         rules are given",
        "imports `baseline`, which only `identity-trigger` rules are given",
        "imports `entitlements`, which only `role-assignment` and `identity-trigger` and \
         `value-change` and `after-refresh` and `account-selection` and `target-mapping` rules \
         are given",
        "imports `tiers`, which only `logical-account` rules are given",
    ] {
        assert!(said.contains(problem), "{said}");
    }
    assert_eq!(said.matches("imports `").count(), 4, "{said}");

    // Nor does one of two kinds when it is asked about a policy.
    let both = newest_contract().replace(
        "world policy-rule {",
        "world both { include common; import roles; export policy; export after-refresh; }\nworld policy-rule {",
    );
    let asks = JUDGE.replace(
        "(param i32 i32) (result i32)",
        "(param i32 i32) (result i32) (drop (call $roles (i32.const 0) (i32.const 0)))",
    );
    let rule = component_against(
        &both,
        "",
        "both",
        &format!(
            r#"(import "idr:rules/roles@0.1.2" "has-assigned"
                   (func $roles (param i32 i32) (result i32)))
               (func (export "idr:rules/after-refresh@0.1.2#propose") (result i32) unreachable)
               {asks}"#
        ),
    );
    insta::assert_snapshot!(outcome(&rule, "policy = \"p\""), @"rule-import: it called `roles.has-assigned`, which policy rules are not given");
    let plain = component_against(&newest_contract(), "", "policy-rule", JUDGE);
    insta::assert_snapshot!(outcome(&plain, "policy = \"p\""), @"[]");
}

/// A policy that nothing breaks.
const JUDGE: &str = r#"
    (func (export "idr:rules/policy@0.1.2#judge") (param i32 i32) (result i32)
        (i32.store8 (i32.const 64) (i32.const 0))
        (i32.store (i32.const 68) (i32.const 128))
        (i32.store (i32.const 72) (i32.const 0))
        (i32.const 64))"#;

/// Whoever makes logical accounts can't ask about what may follow from them.
#[test]
fn logical_accounts_are_made_of_accounts_alone() {
    let greedy = newest_contract().replace(
        "world logical-account-rule {",
        "world greedy { import tiers; import subject; import time; export logical-account; }\nworld logical-account-rule {",
    );
    let compose = JUDGE.replace("policy@0.1.2#judge", "logical-account@0.1.2#compose");
    let rule = component_against(
        &greedy,
        "",
        "greedy",
        &format!(
            r#"(import "idr:rules/subject@0.1.2" "attribute" (func (param i32 i32 i32)))
               (import "idr:rules/time@0.1.2" "reached" (func (param i64) (result i32)))
               {compose}"#
        ),
    );
    insta::assert_snapshot!(load_error(&rule), @r"
    it doesn't fit the contract: imports `subject`, which only `before-refresh` and `attribute-promotion` and `lifecycle-state` and `role-assignment` and `identity-trigger` and `value-change` and `after-refresh` and `policy` and `account-selection` and `target-mapping` rules are given; imports `time`, which only `before-refresh` and `attribute-promotion` and `lifecycle-state` and `role-assignment` and `identity-trigger` and `value-change` and `after-refresh` and `policy` and `account-selection` and `target-mapping` rules are given
    hint: don't ask for it, or ask in a rule of a kind that is given it: see the worlds in wit/0.1.2/rules.wit
    ");
}

/// One thing too many in a rule that is right otherwise.
#[test]
fn a_rule_that_wants_the_network_as_well() {
    let system = r#"
        package test:greedy;
        world online {
            include idr:rules/lifecycle-state-rule@0.1.0;
            import wasi:http/outgoing-handler@0.2.6;
            import wasi:sockets/instance-network@0.2.6;
            import wasi:filesystem/preopens@0.2.6;
        }
        package wasi:http@0.2.6 { interface outgoing-handler { handle: func(request: u32) -> u32; } }
        package wasi:sockets@0.2.6 { interface instance-network { instance-network: func() -> u32; } }
        package wasi:filesystem@0.2.6 { interface preopens { open: func() -> u32; } }
    "#;
    let import =
        |name: &str, parameters: &str| format!("(import {name} (func {parameters} (result i32)))");
    let http = import(
        r#""wasi:http/outgoing-handler@0.2.6" "handle""#,
        "(param i32)",
    );
    let sockets = import(
        r#""wasi:sockets/instance-network@0.2.6" "instance-network""#,
        "",
    );
    let files = import(r#""wasi:filesystem/preopens@0.2.6" "open""#, "");
    let with = |import: &str| {
        let fields = format!("{import} {STATE}");
        load_error(&component_against(&contract(), system, "online", &fields))
    };
    insta::assert_snapshot!(with(&http), @r"
    it doesn't fit the contract: imports `wasi:http/outgoing-handler@0.2.6`: rules get no files, network or other services of the system
    hint: leave out what asks for it, perhaps a library: a rule reads what it needs through wit/0.1.2/rules.wit
    ");
    insta::assert_snapshot!(with(&sockets), @r"
    it doesn't fit the contract: imports `wasi:sockets/instance-network@0.2.6`: rules get no files, network or other services of the system
    hint: leave out what asks for it, perhaps a library: a rule reads what it needs through wit/0.1.2/rules.wit
    ");
    insta::assert_snapshot!(with(&files), @r"
    it doesn't fit the contract: imports `wasi:filesystem/preopens@0.2.6`: rules get no files, network or other services of the system
    hint: leave out what asks for it, perhaps a library: a rule reads what it needs through wit/0.1.2/rules.wit
    ");
}

#[test]
fn a_rule_about_an_account_reads_no_identity() {
    let correlate = r#"(func (export "idr:rules/account-correlation@0.1.0#correlate") (result i32)
        BODY
        (i32.store8 (i32.const 64) (i32.const 0))
        (i32.store8 (i32.const 68) (i32.const 0))
        (i32.const 64))"#;
    let greedy = contract().replace(
        "world account-correlation-rule {",
        "world greedy { include account-common; import subject; import time; export account-correlation; }\nworld account-correlation-rule {",
    );
    let imports = r#"
        (import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
        (import "idr:rules/time@0.1.0" "reached" (func $reached (param i64) (result i32)))"#;
    let body = correlate.replace("BODY", "");
    let rule = component_against(&greedy, "", "greedy", &format!("{imports} {body}"));
    insta::assert_snapshot!(load_error(&rule), @r"
    it doesn't fit the contract: imports `subject`, which only `before-refresh` and `attribute-promotion` and `lifecycle-state` and `role-assignment` and `identity-trigger` and `value-change` and `after-refresh` and `policy` and `account-selection` and `target-mapping` rules are given; imports `time`, which only `before-refresh` and `attribute-promotion` and `lifecycle-state` and `role-assignment` and `identity-trigger` and `value-change` and `after-refresh` and `policy` and `account-selection` and `target-mapping` rules are given
    hint: don't ask for it, or ask in a rule of a kind that is given it: see the worlds in wit/0.1.2/rules.wit
    ");

    // Nor does one of two kinds, when it is asked about an account.
    let both = contract().replace(
        "world account-correlation-rule {",
        "world both { include account-common; import subject; export account-correlation; export lifecycle-state; }\nworld account-correlation-rule {",
    );
    let import =
        r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))"#;
    let account = "account = { application = \"hr\", native_identity = \"7\" }";
    let case = format!("kind = \"account-correlation\"\n{account}");
    let asks = correlate.replace(
        "BODY",
        "(call $attribute (i32.const 0) (i32.const 0) (i32.const 128))",
    );
    let rule = component_against(&both, "", "both", &format!("{import} {STATE} {asks}"));
    insta::assert_snapshot!(outcome(&rule, &case), @"rule-import: it called `subject.attribute`, which account-correlation rules are not given");
    let rule = component_against(&both, "", "both", &format!("{import} {STATE} {body}"));
    insta::assert_snapshot!(outcome(&rule, &case), @"nobody");
}

#[test]
fn the_clock_and_chance_of_wasi_end_the_evaluation() {
    let wasi = r#"
        package test:wasi;
        world clock {
            include idr:rules/lifecycle-state-rule@0.1.0;
            import wasi:clocks/monotonic-clock@0.2.6;
            import wasi:clocks/wall-clock@0.2.6;
            import wasi:random/random@0.2.6;
            import wasi:io/poll@0.2.6;
        }
        package wasi:clocks@0.2.6 {
            interface monotonic-clock {
                use wasi:io/poll@0.2.6.{pollable};
                now: func() -> u64;
                subscribe: func(when: u64) -> pollable;
            }
            interface wall-clock { now: func() -> u64; }
        }
        package wasi:random@0.2.6 { interface random { get-random-u64: func() -> u64; } }
        package wasi:io@0.2.6 { interface poll { resource pollable { ready: func() -> bool; } } }
    "#;
    let rule = |body: &str| {
        component_against(
            &contract(),
            wasi,
            "clock",
            &format!(
                r#"(import "wasi:clocks/monotonic-clock@0.2.6" "now" (func $now (result i64)))
                   (import "wasi:clocks/monotonic-clock@0.2.6" "subscribe"
                       (func $subscribe (param i64) (result i32)))
                   (import "wasi:clocks/wall-clock@0.2.6" "now" (func $today (result i64)))
                   (import "wasi:random/random@0.2.6" "get-random-u64"
                       (func $random (result i64)))
                   (import "wasi:io/poll@0.2.6" "[method]pollable.ready"
                       (func $ready (param i32) (result i32)))
                   (data (i32.const 1024) "active")
                   (func (export "idr:rules/lifecycle-state@0.1.0#state") (result i32)
                       {body}
                       (i32.store8 (i32.const 64) (i32.const 0))
                       (i32.store (i32.const 68) (i32.const 1024))
                       (i32.store (i32.const 72) (i32.const 6))
                       (i32.const 64))"#
            ),
        )
    };
    insta::assert_snapshot!(outcome(&rule(""), ""), @"active");
    insta::assert_snapshot!(outcome(&rule("(drop (call $now))"), ""), @"rule-wasi: it called `wasi:clocks/monotonic-clock@0.2.6 now`, which rules are not given");
    insta::assert_snapshot!(outcome(&rule("(drop (call $today))"), ""), @"rule-wasi: it called `wasi:clocks/wall-clock@0.2.6 now`, which rules are not given");
    insta::assert_snapshot!(outcome(&rule("(drop (call $random))"), ""), @"rule-wasi: it called `wasi:random/random@0.2.6 get-random-u64`, which rules are not given");
    let hint = |body: &str| {
        let report = crate::made::report(&rule(body), "expect = \"active\"");
        report
            .outcome
            .expect_err("it is stopped")
            .hint()
            .expect("there is advice")
    };
    insta::assert_snapshot!(hint("(drop (call $now))"), @"there is no clock: ask `time.reached`, `time.date-reached` or `time.day-over`");
    insta::assert_snapshot!(hint("(drop (call $random))"), @"there is no randomness: derive what you need from the attribute `uid`");
}

#[test]
fn one_component_may_be_of_several_kinds() {
    let rule = component(
        "all-kinds",
        &format!(
            r#"{STATE}
            (func (export "idr:rules/account-correlation@0.1.0#correlate") (result i32) unreachable)
            (func (export "idr:rules/identity-creation@0.1.0#create") (result i32) unreachable)
            (func (export "idr:rules/after-refresh@0.1.0#propose") (result i32) unreachable)
            (func (export "idr:rules/value-change@0.1.0#propose")
                (param i32 i32 i32 i32 i64 i32 i32 i32 i32 i64 i32 i32) (result i32) unreachable)
            (func (export "idr:rules/before-refresh@0.1.0#propose") (result i32) unreachable)
            (func (export "idr:rules/manager-correlation@0.1.0#correlate")
                (param i32 i64 i32 i32) (result i32) unreachable)
            (func (export "idr:rules/attribute-promotion@0.1.0#promote") (param i32 i32) (result i32) unreachable)
            (func (export "idr:rules/role-assignment@0.1.0#assign") (param i32 i32) (result i32) unreachable)
            (func (export "idr:rules/identity-trigger@0.1.0#fires") (param i32 i32) (result i32) unreachable)"#
        ),
    );
    // The kinds of 0.1.0 are the first ones.
    assert_eq!(load(&rule).surface().kinds, RuleKind::ALL[..10]);
}
