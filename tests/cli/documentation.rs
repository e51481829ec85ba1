//! The examples of `docs/configuration.md` are one tenant without problems.

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
        "attribute-promotion",
        "lifecycle-state",
        "role-assignment",
        "identity-trigger",
    ] {
        let component = repository().join(format!("{RULES}/{rule}/{rule}.wasm"));
        let component = fs::read(component).expect("the example rules are committed");
        host.write(&format!("rules/{rule}.wasm"), component);
    }
    assert_eq!(n_files, 9);
    insta::assert_snapshot!(host.run(["check"]), @r"
    no problems in tenant `acme`
      applications             2
      identity attributes      4
      lifecycle states         3
      business roles           4
      IT roles                 1
      triggers                 4
      populations              1
      rules                    4
    [exit 0]
    ");
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
