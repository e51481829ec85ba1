//! What `rule new` makes can be built, and passes the cases that come with it: every
//! kind in every language.

use std::process::Command;

use idr::rules::RuleKind;
use idr::rules::cases::{ComponentCases, find, run};
use idr_guests::Language;

use crate::common::TestHost;
use crate::{idr, load};

#[test]
fn templates_in_rust() {
    check(Language::Rust);
}

#[test]
fn templates_in_c() {
    check(Language::C);
}

#[test]
fn templates_in_javascript() {
    check(Language::JavaScript);
}

#[test]
fn templates_in_python() {
    check(Language::Python);
}

#[test]
fn templates_in_go() {
    check(Language::Go);
}

#[test]
fn templates_in_typescript() {
    check(Language::TypeScript);
}

fn check(language: Language) {
    let host = TestHost::new();
    for kind in RuleKind::ALL {
        check_kind(&host, language, kind);
    }
}

fn check_kind(host: &TestHost, language: Language, kind: RuleKind) {
    let (folder, kind_name) = (host.path(""), kind.as_str());
    let new = [
        "rule",
        "new",
        kind_name,
        "--kind",
        kind_name,
        "--lang",
        language.as_str(),
    ];
    idr(&folder, &new);
    idr(&folder, &["rule", "build", kind_name]);
    // As `rule test` does, but compiling the component once.
    let found = find(&host.path(kind_name)).expect("a component with cases");
    let [ComponentCases { component, cases }] = found.as_slice() else {
        panic!("one component");
    };
    let component = load(component.clone());
    let surface = component.surface();
    assert_eq!(surface.kinds, [kind], "{language}");
    assert_eq!(surface.wasi, Vec::<String>::new(), "{language}");
    assert!(cases.len() >= 3, "{kind_name} has cases");
    for case in cases {
        let report = run(&component, case);
        let problems = report.problems.join("\n");
        assert!(
            problems.is_empty(),
            "{kind_name} in {language}, {}: {problems}",
            case.name
        );
    }
}

#[test]
fn what_a_compiler_says_is_shown() {
    let host = TestHost::new();
    let new = [
        "rule",
        "new",
        "broken",
        "--kind",
        "lifecycle-state",
        "--lang",
        "c",
    ];
    idr(&host.path(""), &new);
    host.write("broken/rule.c", "int broken(void) { return nothing; }\n");
    let output = Command::new(env!("CARGO_BIN_EXE_idr"))
        .current_dir(host.path(""))
        .args(["rule", "build", "broken"])
        .output()
        .expect("idr can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("use of undeclared identifier 'nothing'"),
        "{said}"
    );
}
