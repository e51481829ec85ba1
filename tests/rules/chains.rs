//! Attributes that are worked out of each other, one after another.

use std::fmt::Write as _;

use crate::common::TestHost;
use crate::made::component;
use idr::rules::digest_of;

const LENGTH: usize = 50;

/// A rule that answers what `a50` is.
fn rule_that_reads_the_last() -> Vec<u8> {
    component(
        "attribute-promotion-rule",
        r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
        (data (i32.const 2000) "a50")
        (func (export "idr:rules/attribute-promotion@0.1.0#promote") (param i32 i32) (result i32)
            (call $attribute (i32.const 2000) (i32.const 3) (i32.const 128))
            (i32.store8 (i32.const 72) (i32.const 2))
            (i32.const 64))"#,
    )
}

/// A rule that, asked for `a07`, answers what `a06` is.
fn rule_that_looks_before() -> Vec<u8> {
    component(
        "attribute-promotion-rule",
        r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
        (func (export "idr:rules/attribute-promotion@0.1.0#promote")
            (param $name i32) (param $length i32) (result i32)
            (local $ones i32) (local $tens i32)
            (local.set $tens (i32.add (local.get $name) (i32.const 1)))
            (local.set $ones (i32.add (local.get $name) (i32.const 2)))
            (if (i32.eq (i32.load8_u (local.get $ones)) (i32.const 48))
                (then
                    (i32.store8 (local.get $ones) (i32.const 57))
                    (i32.store8 (local.get $tens)
                        (i32.sub (i32.load8_u (local.get $tens)) (i32.const 1))))
                (else
                    (i32.store8 (local.get $ones)
                        (i32.sub (i32.load8_u (local.get $ones)) (i32.const 1)))))
            (call $attribute (local.get $name) (local.get $length) (i32.const 128))
            (i32.store8 (i32.const 64) (i32.const 0))
            (if (i32.load8_u (i32.const 128))
                (then
                    (i32.store8 (i32.const 72) (i32.const 0))
                    (memory.copy (i32.const 80) (i32.const 136) (i32.const 24)))
                (else (i32.store8 (i32.const 72) (i32.const 1))))
            (i32.const 64))"#,
    )
}

fn tenant(first: &str) -> TestHost {
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
        word = {}
        [guard]
        new = "off"
        //- lifecycle.toml
        default_state = "active"
        [states.active]
        //- feeds/hr.csv
        id,word
        ana,Sales
        "#,
    );
    let rule = rule_that_looks_before();
    let digest = digest_of(&rule);
    host.write("rules/before.wasm", &rule);
    let names: Vec<String> = (0..LENGTH)
        .map(|number| format!("\"a{number:02}\""))
        .collect();
    host.write(
        "rules/rules.toml",
        format!(
            "[rules.before]\ncomponent = \"before.wasm\"\nsha256 = \"{digest}\"\n\
             reads = {{ attributes = [{}] }}\n",
            names.join(", ")
        ),
    );
    let mut identity = format!("version = 1\n[attributes.a00]\nsources = [{first}]\n");
    for number in 1..=LENGTH {
        let _ = write!(
            identity,
            "[attributes.a{number:02}]\nsources = [{{ rule = \"before\" }}]\n"
        );
    }
    host.write("identity.toml", identity);
    host
}

fn refresh(host: &TestHost) -> serde_json::Value {
    let _ = host.json(["aggregate", "hr", "--as-of", "2026-03-01T22:00:00Z"]);
    host.json(["refresh", "--as-of", "2026-03-01T22:00:00Z"])
}

#[test]
fn a_chain_of_fifty_attributes_is_worked_out_at_once() {
    let host = tenant(r#"{ application = "hr", attribute = "word" }"#);
    let report = refresh(&host);
    assert_eq!(report["findings"]["open"], 0, "{report}");
    let shown = host.json(["identity", "show", "ana"]);
    assert_eq!(shown["attributes"]["a50"], "Sales", "{shown}");
}

#[test]
fn a_circle_of_fifty_attributes_is_a_finding() {
    // The first of them is worked out of the last, by another rule.
    let host = tenant(r#"{ rule = "last" }"#);
    let rule = rule_that_reads_the_last();
    let digest = digest_of(&rule);
    host.write("rules/last.wasm", &rule);
    let rules = host.read("rules/rules.toml");
    host.write(
        "rules/rules.toml",
        format!(
            "{rules}[rules.last]\ncomponent = \"last.wasm\"\nsha256 = \"{digest}\"\n\
             reads = {{ attributes = [\"a{LENGTH}\"] }}\n"
        ),
    );
    let _ = refresh(&host);
    let findings = host.json(["finding", "list"]);
    let message = findings[0]["message"].as_str().unwrap_or_default();
    insta::assert_snapshot!(message.split_once("`a02`").unwrap_or_default().0, @"attribute `a00` and attribute `a01` and attribute ");
    assert!(
        message.ends_with("attribute `a50` need each other; they keep their last values"),
        "{message}"
    );
}
