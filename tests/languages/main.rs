//! Rules in every language: the component with every kind answers the same cases
//! in all of them, and what `rule new` makes can be built and passes its cases.
//!
//! Needs the tools that `rules-examples/build/guest-tools` installs, in the folder
//! that IDR_GUEST_TOOLS names: `tests/run --languages` sees to it.

#[path = "../common/mod.rs"]
mod common;

mod conformance;
mod crashes;
mod empty;
mod system;
mod templates;

use std::path::{Path, PathBuf};
use std::process::Command;

use idr::rules::cases::{CaseReport, parse, run};
use idr::rules::{RuleComponent, RuleEngine};

use common::TestHost;

/// Runs `idr` in a folder and returns what it printed. The environment is that of
/// the test, so that languages' tools are found.
fn idr(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_idr"))
        .current_dir(folder)
        .args(arguments)
        // What crates in a folder are built from is built once.
        .env("CARGO_TARGET_DIR", folder.join("cargo"))
        .output()
        .expect("idr can be started");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "idr {}: {printed}{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

/// Loads a component as a host does.
fn load(path: PathBuf) -> RuleComponent {
    let engine = RuleEngine::new().expect("an engine");
    let bytes = std::fs::read(&path).expect("the component was built");
    RuleComponent::load(&engine, &bytes, None).expect("a rule component")
}

/// Builds a lifecycle rule from one source in place of the template's.
///
/// - `path`: the source, such as `rule.c`.
fn rule(language: &str, path: &str, source: &str) -> RuleComponent {
    rule_of("lifecycle-state", language, path, source)
}

/// The same of another kind.
fn rule_of(kind: &str, language: &str, path: &str, source: &str) -> RuleComponent {
    let host = TestHost::new();
    let new = ["rule", "new", "state", "--kind", kind, "--lang", language];
    idr(&host.path(""), &new);
    host.write(&format!("state/{path}"), source);
    idr(&host.path(""), &["rule", "build", "state"]);
    load(host.path("state/state.wasm"))
}

/// Asks a lifecycle rule on a fresh instance.
fn asked(rule: &RuleComponent) -> CaseReport {
    let cases = "version = 1\n[[case]]\nas_of = 2026-03-31T12:00:00Z\nerror = \"any\"\n";
    run(rule, &parse(cases).expect("a case")[0])
}

/// Asks a lifecycle rule that answers nothing, and returns what it says instead.
fn trouble(rule: &RuleComponent) -> String {
    let outcome = asked(rule).outcome;
    outcome.expect_err("it gives no answer").to_string()
}

/// Asks a lifecycle rule for its answer.
fn answer(rule: &RuleComponent) -> String {
    let outcome = asked(rule).outcome;
    outcome.expect("it gives an answer").to_string()
}
