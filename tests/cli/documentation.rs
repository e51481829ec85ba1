//! The documentation is true: the examples of `docs/configuration.md` are one
//! tenant without problems, and the order of operations is the program's.

use std::fs;

use crate::common::{TestHost, repository};

const RULES: &str = "rules-examples/rust";

#[test]
fn the_examples_of_the_configuration_are_one_tenant_without_problems() {
    let text = fs::read_to_string(repository().join("docs/configuration.md"))
        .expect("the documentation is there");
    let host = TestHost::new();
    let mut n_files = 0;
    for (path, example) in examples(&text) {
        host.write(&path, with_digests(&example));
        n_files += 1;
    }
    for rule in [
        "account-correlation",
        "identity-creation",
        "manager-correlation",
        "before-refresh",
        "value-change",
        "after-refresh",
        "attribute-promotion",
        "lifecycle-state",
        "role-assignment",
        "identity-trigger",
    ] {
        let component = repository().join(format!("{RULES}/{rule}/{rule}.wasm"));
        let component = fs::read(component).expect("the example rules are committed");
        host.write(&format!("rules/{rule}.wasm"), component);
    }
    assert_eq!(n_files, 13);
    insta::assert_snapshot!(host.run(["check"]), @r"
    no problems in tenant `acme`
      applications             2
      identity attributes      8
      lifecycle states         3
      business roles           6
      IT roles                 2
      triggers                 4
      populations              1
      rules                   10
      tasks                    3
    [exit 0]
    ");
}

/// `BLESS=1` writes the file anew.
#[test]
fn the_order_of_operations_is_the_programs() {
    let path = repository().join("docs/order-of-operations.md");
    let made = idr::operations::markdown();
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &made).expect("the documentation can be written");
    }
    let text = fs::read_to_string(&path).expect("the documentation is there");
    assert_eq!(text, made, "run this test with BLESS=1");
    let printed = TestHost::new().run(["phases", "--markdown"]);
    assert_eq!(printed.strip_suffix("[exit 0]"), Some(made.as_str()));
}

#[test]
fn every_option_that_works_has_a_test_and_every_phase_is_known() {
    let host = TestHost::new();
    let options = host.json(["options"]);
    let options = options.as_array().expect("a list");
    let phases = host.json(["phases"]);
    let mentioned: Vec<_> = phases
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|phase| phase["identityiq_options"].as_array())
        .flatten()
        .collect();
    let keys: Vec<_> = options.iter().map(|option| &option["key"]).collect();
    for key in mentioned {
        assert!(keys.contains(&key), "{key} is no option");
        let there = options
            .iter()
            .any(|option| option["key"] == *key && option["status"] != "not-yet");
        assert!(there, "{key} isn't there yet");
    }
    let mut tested = 0;
    for option in options {
        let (key, status) = (&option["key"], option["status"].as_str());
        match status {
            Some("works") => {
                let test = option["test"].as_str().expect("it has a test");
                let (file, function) = test.split_once("::").expect("FILE::FUNCTION");
                let path = repository().join(format!("tests/cli/{file}.rs"));
                let text = fs::read_to_string(path).expect("the file is there");
                assert!(text.contains(&format!("fn {function}()")), "{key}: {test}");
                assert!(option["name"].is_string(), "{key} has a name");
                tested += 1;
            }
            Some("replaced" | "not-offered") => {
                assert!(option["remark"].is_string(), "{key} says why");
            }
            status => assert_eq!(status, Some("not-yet"), "{key}"),
        }
    }
    assert_eq!(
        host.json(["options", "--status", "works"])
            .as_array()
            .map(Vec::len),
        Some(tested)
    );
}

/// Returns each example with the file that it is: the one named by the heading
/// above it, or by its first line.
fn examples(text: &str) -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for part in text.split("\n## ").skip(1) {
        let heading = part.lines().next().unwrap_or_default();
        for example in part.split("```toml\n").skip(1) {
            let example = example.split("```").next().unwrap_or(example);
            let first = example.lines().next().unwrap_or_default();
            let named = first
                .strip_prefix("# ")
                .filter(|name| name.ends_with(".toml"));
            let path = named.unwrap_or(match heading {
                "applications/NAME.toml" => "applications/hr.toml",
                "roles/*.toml" => "roles/all.toml",
                other => other,
            });
            examples.push((path.to_owned(), example.to_owned()));
        }
    }
    examples
}

/// Puts each component's digest, which its lock has, for `$SHA256`.
fn with_digests(example: &str) -> String {
    let mut component = "";
    let mut text = String::new();
    for line in example.lines() {
        if let Some(rest) = line.strip_prefix("component = \"") {
            component = rest.split('.').next().unwrap_or(rest);
        }
        if line.contains("$SHA256") {
            let lock = repository().join(format!("{RULES}/{component}/{component}.lock"));
            let lock = fs::read_to_string(lock).expect("the lock is committed");
            let digest = lock
                .lines()
                .find(|line| line.ends_with(".wasm"))
                .and_then(|line| line.split(' ').next())
                .expect("the lock has the component's digest");
            text += &line.replace("$SHA256", digest);
        } else {
            text += line;
        }
        text.push('\n');
    }
    text
}
