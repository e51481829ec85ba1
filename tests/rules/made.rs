//! Components made from a few lines of text, to show what no compiler makes.

use std::sync::OnceLock;

use idr::rules::cases::{Case, CaseReport, parse, run};
use idr::rules::{LoadError, RuleComponent, RuleEngine};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use crate::common::repository;

/// Returns the one engine of this test binary.
pub(crate) fn engine() -> &'static RuleEngine {
    static ENGINE: OnceLock<RuleEngine> = OnceLock::new();
    ENGINE.get_or_init(|| RuleEngine::new().expect("this machine runs WebAssembly"))
}

/// Returns the text of the contract's first version.
pub(crate) fn contract() -> String {
    contract_of("0.1.0")
}

/// Returns the text of the contract's newest version.
pub(crate) fn newest_contract() -> String {
    contract_of("0.1.2")
}

fn contract_of(version: &str) -> String {
    let path = repository().join(format!("wit/{version}/rules.wit"));
    std::fs::read_to_string(path).expect("the contract is there")
}

/// What every rule below has: memory, and an allocator that never frees.
/// Addresses below 4096 are for answers and texts.
const RUNTIME: &str = r#"
    (memory (export "memory") 1)
    (global $free (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (local $address i32)
        (local.set $address (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
        (global.set $free (i32.add (local.get $address) (local.get 3)))
        (local.get $address))
"#;

/// Makes a component of a world from the text of a core module's fields.
pub(crate) fn component(world: &str, fields: &str) -> Vec<u8> {
    component_against(&contract(), "", world, fields)
}

/// Makes a component against another text of the contract, and more packages.
pub(crate) fn component_against(
    contract: &str,
    more_packages: &str,
    world: &str,
    fields: &str,
) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let mut package = resolve
        .push_source("rules.wit", contract)
        .expect("the contract is well-formed");
    if !more_packages.is_empty() {
        package = resolve
            .push_source("more.wit", more_packages)
            .expect("the packages are well-formed");
    }
    let world = resolve
        .select_world(&[package], Some(world))
        .expect("the world exists");
    encoded(&resolve, world, &format!("(module {fields} {RUNTIME})"))
}

/// Makes a component of a world from the text of a core module that brings a
/// memory and an allocator of its own.
pub(crate) fn bare_component(world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve
        .push_source("rules.wit", &contract())
        .expect("the contract is well-formed");
    let world = resolve
        .select_world(&[package], Some(world))
        .expect("the world exists");
    encoded(&resolve, world, module)
}

fn encoded(resolve: &Resolve, world: WorldId, text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).expect("the module is well-formed");
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8, false)
        .expect("the module can be told its world");
    ComponentEncoder::default()
        .module(&module)
        .and_then(|encoder| encoder.validate(true).encode())
        .expect("the module fits its world")
}

/// What a rule needs for [`ASK_WHO`].
pub(crate) const ASKING: &str = r#"
    (import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
    (data (i32.const 1100) "uid")"#;

/// Reads something that is everybody's own, so that no answer is used again.
pub(crate) const ASK_WHO: &str = "(call $attribute (i32.const 1100) (i32.const 3) (i32.const 128))";

/// A lifecycle rule with this body; it ends with the address of the answer.
pub(crate) fn lifecycle_rule(fields: &str, body: &str) -> Vec<u8> {
    let fields = format!(
        r#"{fields}
        (data (i32.const 1024) "active")
        (data (i32.const 1040) "inactive")
        (func $answer (param $text i32) (param $length i32) (result i32)
            (i32.store8 (i32.const 64) (i32.const 0))
            (i32.store (i32.const 68) (local.get $text))
            (i32.store (i32.const 72) (local.get $length))
            (i32.const 64))
        (func $active (result i32) (call $answer (i32.const 1024) (i32.const 6)))
        (func $inactive (result i32) (call $answer (i32.const 1040) (i32.const 8)))
        (func (export "idr:rules/lifecycle-state@0.1.0#state") (result i32) {body})"#
    );
    component("lifecycle-state-rule", &fields)
}

pub(crate) fn load(bytes: &[u8]) -> RuleComponent {
    RuleComponent::load(engine(), bytes, None).expect("the component fits the contract")
}

/// Returns why a component isn't loaded: the whole chain, a line each, and the hint.
pub(crate) fn load_error(bytes: &[u8]) -> String {
    let Err(error) = RuleComponent::load(engine(), bytes, None) else {
        panic!("the component is loaded");
    };
    spoken(&error)
}

pub(crate) fn spoken(error: &LoadError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!("\ncaused by: {error}");
        cause = error.source();
    }
    if let Some(hint) = error.hint() {
        text += &format!("\nhint: {hint}");
    }
    text
}

/// Runs a rule on one case, given by its entries.
pub(crate) fn report(bytes: &[u8], entries: &str) -> CaseReport {
    run(&load(bytes), &case(entries))
}

pub(crate) fn case(entries: &str) -> Case {
    let text = format!("version = 1\n[[case]]\nas_of = 2026-03-31T12:00:00Z\n{entries}\n");
    parse(&text).expect("the case is well-formed").remove(0)
}

/// Returns a rule's answer to one case, or its error.
pub(crate) fn outcome(bytes: &[u8], entries: &str) -> String {
    match report(bytes, &format!("{entries}\nerror = \"anything\"")).outcome {
        Ok(answer) => answer.to_string(),
        Err(trouble) => format!("{}: it {trouble}", trouble.cause()),
    }
}
