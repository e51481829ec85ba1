//! What an author relies on, asked of the component with every kind, in each
//! language.

use std::path::Path;

use idr::rules::cases::{Case, parse, run};
use idr::rules::{LogLevel, RuleComponent, RuleKind};

use crate::common::{TestHost, repository};
use crate::{idr, load};

const CONFORMANCE: &str = include_str!("conformance.toml");

/// What differs from language to language.
struct Language {
    name: &'static str,
    /// No case of a few reads needs more fuel, on a fresh instance: an author's
    /// budget depends on it, so growth should be noticed.
    most_fuel: u64,
    /// What a rule that goes wrong by accident says: how it begins, its own text, and
    /// the function it happened in, in the language's own order.
    accident: [&'static str; 3],
}

#[test]
fn rust_conforms() {
    let rust = Language {
        name: "rust",
        most_fuel: 25_000,
        accident: ["crashed: ", "`all_kinds::read_one`", "boom äöü"],
    };
    // The committed component; that its sources give one is tested elsewhere.
    let folder = repository().join("rules-examples/rust/all-kinds");
    check(&rust, &folder.join("all-kinds.wasm"));
    check_fuel_of_processes(&folder.join("all-kinds.wasm"));
}

#[test]
fn c_conforms() {
    build_and_check(&Language {
        name: "c",
        most_fuel: 35_000,
        accident: ["crashed: ", "`read_all` < ", "boom äöü"],
    });
}

#[test]
fn javascript_conforms() {
    build_and_check(&Language {
        name: "javascript",
        most_fuel: 1_200_000,
        accident: ["failed: Error: ", "boom äöü\n", "    at readOne ("],
    });
}

#[test]
fn python_conforms() {
    build_and_check(&Language {
        name: "python",
        most_fuel: 900_000,
        accident: [
            "failed: RuntimeError: ",
            "boom äöü\n",
            "    at read_one (line ",
        ],
    });
}

#[test]
fn go_conforms() {
    build_and_check(&Language {
        name: "go",
        most_fuel: 300_000,
        accident: ["failed: ", "boom äöü\n", "    at reads.readOne (reads.go:"],
    });
}

fn build_and_check(language: &Language) {
    let host = TestHost::new();
    let folder = format!("rules-examples/{}/all-kinds", language.name);
    copy(&repository().join(&folder), &host.path(&folder));
    copy(&repository().join("wit"), &host.path("wit"));
    idr(&host.path(&folder), &["rule", "build"]);
    let component = host.path(&folder).join("all-kinds.wasm");
    check(language, &component);
    check_fuel_of_processes(&component);
}

/// A fresh instance uses the same fuel in every process.
fn check_fuel_of_processes(component: &Path) {
    let folder = component.parent().expect("it lies in a folder");
    let component = component.to_string_lossy();
    let fuel = || {
        let printed = idr(folder, &["--json", "rule", "test", &component]);
        let results: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
        let cases = results[0]["cases"].as_array().expect("cases").iter();
        cases
            .map(|case| case["fuel"].as_u64().expect("fuel"))
            .collect::<Vec<_>>()
    };
    let first = fuel();
    assert!(
        first.len() > 10 && first.iter().all(|fuel| *fuel > 0),
        "{first:?}"
    );
    assert_eq!(fuel(), first);
}

/// Copies a folder's sources; what links point to is copied itself.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the test's folder can be written to");
    for entry in std::fs::read_dir(from).expect("the sources are there") {
        let path = entry.expect("the sources can be listed").path();
        let name = path.file_name().expect("a file has a name");
        let is_built = name == "target" || name == "bindings";
        if path.is_dir() && !is_built {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            std::fs::copy(&path, to.join(name)).expect("the sources can be copied");
        }
    }
}

fn check(language: &Language, component: &Path) {
    let component = load(component.to_owned());
    let surface = component.surface();
    assert_eq!(surface.kinds.len(), RuleKind::ALL.len(), "every kind");
    assert_eq!(surface.wasi, Vec::<String>::new(), "no system interface");

    let shared = repository().join("rules-examples/rust/all-kinds/cases.toml");
    let shared = std::fs::read_to_string(shared).expect("the shared cases");
    let large = large_cases();
    let mut problems = Vec::new();
    for (cases, most_fuel) in [
        (shared.as_str(), language.most_fuel),
        (CONFORMANCE, language.most_fuel),
        (&large, u64::MAX),
    ] {
        for case in parse(cases).expect("cases") {
            problems.extend(problems_of(&component, &case, most_fuel));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    check_log(&component);
    check_accident(language, &component);
}

/// Runs a case twice, on fresh instances each time.
fn problems_of(component: &RuleComponent, case: &Case, most_fuel: u64) -> Vec<String> {
    let (first, second) = (run(component, case), run(component, case));
    let mut problems = first.problems;
    if first.fuel != second.fuel {
        problems.push(format!("{} fuel, then {}", first.fuel, second.fuel));
    }
    if first.fuel > most_fuel {
        problems.push(format!("{} fuel, more than {most_fuel}", first.fuel));
    }
    let in_case = |problem| format!("{}: {problem}", case.name);
    problems.into_iter().map(in_case).collect()
}

/// Texts and lists that a rule seldom sees, too large to be written down.
fn large_cases() -> String {
    let ascii = "a".repeat(100_000);
    let wide = "Łü東🦀".repeat(10_000);
    let quoted = |texts: Vec<String>| format!("[\"{}\"]", texts.join("\", \""));
    let many = quoted((0..500).map(|number| format!("wert-{number}-ü")).collect());
    let roles = quoted((0..500).map(|number| format!("role-{number}")).collect());
    // Drawn of nothing: (0 + place) % 5, but 0 % 11 is declined, so a seed is set
    // that draws 2.
    let answers: Vec<&str> = (0..500).map(|place| eligibility(2 + place)).collect();
    let answers = answers.join(", ");
    format!(
        r#"
version = 1
[defaults]
as_of = 2026-03-31T12:00:00Z
attribute = "echo"
parameters = {{ reads = ["attribute x"] }}
limits = {{ output_bytes = 1_000_000 }}

[[case]]
name = "a text of 100,000 bytes"
attributes = {{ x = "{ascii}" }}
expect = {{ set = "{ascii}" }}

[[case]]
name = "a text of 40,000 characters in 110,000 bytes"
attributes = {{ x = "{wide}" }}
expect = {{ set = "{wide}" }}

[[case]]
name = "500 texts"
attributes = {{ x = {many} }}
expect = {{ set = {many} }}

[[case]]
name = "500 candidates"
parameters = {{ reads = ["info drawn of nothing"], seed = 256 }}
candidates = {roles}
expect = [{answers}]

[[case]]
name = "an answer beyond its limit"
attributes = {{ x = "{ascii}" }}
limits = {{ output_bytes = 50_000 }}
error = "more than its limit of 50000"
"#
    )
}

fn eligibility(number: u32) -> &'static str {
    match number % 5 {
        0 | 1 => "\"yes\"",
        2 => "{ cannot-tell = \"by chance\" }",
        _ => "\"no\"",
    }
}

/// Lines arrive as they were written, each at its level.
fn check_log(component: &RuleComponent) {
    let cases = parse(CONFORMANCE).expect("cases");
    let case = cases.iter().find(|case| case.name == "the log");
    let log = run(component, case.expect("the case")).log;
    let lines: Vec<(LogLevel, &str)> = log
        .lines
        .iter()
        .map(|line| (line.level, line.message.as_str()))
        .collect();
    assert_eq!(
        lines,
        [(LogLevel::Info, "gelesen: ü"), (LogLevel::Warn, "")]
    );
}

/// A rule that goes wrong by accident is stopped, and says why and where.
fn check_accident(language: &Language, component: &RuleComponent) {
    let cases = parse(
        r#"
        version = 1
        [[case]]
        as_of = 2026-03-31T12:00:00Z
        attribute = "echo"
        parameters = { reads = ["throw boom äöü"] }
        error = ""
        "#,
    );
    let report = run(component, &cases.expect("cases")[0]);
    let trouble = report.outcome.expect_err("an accident").to_string();
    let mut rest = trouble.as_str();
    for part in language.accident {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("`{part}` isn't said, or not there: {trouble}");
        };
        rest = after;
    }
}
