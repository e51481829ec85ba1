//! The example rules: their locks agree, and what is committed answers its
//! cases just as what the sources say now.

use std::path::{Path, PathBuf};
use std::process::Command;

use idr::rules::cases::{CaseReport, find, run};
use idr::rules::{RuleComponent, read};

use crate::common::repository;
use crate::made::engine;

fn examples() -> PathBuf {
    repository().join("rules-examples/rust")
}

fn build_rules(arguments: &[&str]) {
    let output = Command::new(env!("CARGO"))
        .current_dir(repository())
        .args([
            "run",
            "--release",
            "--quiet",
            "--package",
            "build-rules",
            "--",
        ])
        .args(arguments)
        .output()
        .expect("cargo can be started");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn load(path: &Path) -> RuleComponent {
    let bytes = read(path).expect("the component is there");
    RuleComponent::load(engine(), &bytes, None)
        .unwrap_or_else(|error| panic!("{} is loaded: {error:?}", path.display()))
}

#[test]
fn the_committed_components_are_those_of_the_sources() {
    build_rules(&["--check"]);
}

#[test]
fn components_built_from_the_sources_answer_as_the_committed_ones() {
    let built = tempfile::tempdir().expect("a temporary folder");
    build_rules(&["--out", &built.path().to_string_lossy()]);
    let mut n_cases = 0;
    for found in find(&examples()).expect("the examples are there") {
        let name = found.component.file_name().expect("a file");
        let (committed, built) = (load(&found.component), load(&built.path().join(name)));
        assert_eq!(
            committed.surface(),
            built.surface(),
            "{}",
            found.component.display()
        );
        for case in &found.cases {
            let (committed, built) = (run(&committed, case), run(&built, case));
            assert_eq!(built.problems, [""; 0], "{}", built.name);
            assert_eq!(comparable(&committed), comparable(&built), "{}", built.name);
            n_cases += 1;
        }
    }
    assert!(n_cases > 50, "there are cases");
}

/// Everything but the fuel, which another compiler may change.
fn comparable(report: &CaseReport) -> String {
    format!(
        "{:?} {:?} {:?} {:?}",
        report.outcome, report.calls, report.wakes_at, report.log
    )
}

#[test]
fn every_example_has_cases_and_imports_nothing_of_wasi() {
    for found in find(&examples()).expect("the examples are there") {
        assert!(!found.cases.is_empty(), "{}", found.component.display());
        assert!(load(&found.component).surface().wasi.is_empty());
    }
}
