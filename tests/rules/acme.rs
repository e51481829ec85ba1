//! A small tenant whose lifecycle states come from one rule.

use crate::common::TestHost;
use idr::rules::digest_of;

const FILES: &str = r#"
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
    salary = { sensitive = true }
    department = {}
    [guard]
    new = "off"
    //- identity.toml
    [attributes.salary]
    sensitive = true
    sources = [{ application = "hr", attribute = "salary" }]
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    //- lifecycle.toml
    rule = "state"
    [states.active]
    [states.inactive]
    inactive = true
"#;

/// Returns the tenant with these people aggregated, and nobody refreshed.
///
/// - `entries`: what `rules.toml` says of the rule, apart from its component.
pub(crate) fn tenant(rule: &[u8], entries: &str, people: &[String]) -> TestHost {
    let host = TestHost::with_files(FILES);
    host.write("rules/state.wasm", rule);
    let digest = digest_of(rule);
    host.write(
        "rules/rules.toml",
        format!("[rules.state]\ncomponent = \"state.wasm\"\nsha256 = \"{digest}\"\n{entries}\n"),
    );
    let lines = people.iter().map(|name| format!("{name},4711,Sales\n"));
    let lines: String = lines.collect();
    host.write("feeds/hr.csv", format!("id,salary,department\n{lines}"));
    let _ = host.json(["aggregate", "hr", "--as-of", AS_OF]);
    host
}

/// When all of it happens.
pub(crate) const AS_OF: &str = "2026-03-01T22:00:00Z";
