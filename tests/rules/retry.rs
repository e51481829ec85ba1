//! A rule that the host is too slow for: who is due because of it, and when.

use crate::common::TestHost;
use crate::made::lifecycle_rule;
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
    department = {}
    [guard]
    new = "off"
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    //- lifecycle.toml
    rule = "presence"
    [states.active]
    [states.inactive]
    inactive = true
    //- feeds/hr.csv
    id,department
    ana,Sales
"#;

/// Lets the state come from a rule with this body.
fn decide_by(host: &TestHost, body: &str) {
    let component = lifecycle_rule("", body);
    let digest = digest_of(&component);
    host.write("rules/presence.wasm", &component);
    host.write(
        "rules/rules.toml",
        format!(
            "[rules.presence]\ncomponent = \"presence.wasm\"\nsha256 = \"{digest}\"\n\
             limits = {{ fuel = 9_000_000_000_000, time_ms = 1 }}\n"
        ),
    );
}

#[test]
fn whoever_a_rule_was_too_slow_for_is_due_again_ever_more_rarely() {
    let host = TestHost::with_files(FILES);
    decide_by(&host, "(loop $again (br $again)) unreachable");
    let _ = host.json(["aggregate", "hr", "--as-of", "2026-03-01T22:00:00Z"]);
    let _ = host.json(["refresh", "--as-of", "2026-03-01T22:00:00Z"]);
    insta::assert_snapshot!(host.run(["due", "--within", "1h"]), @r"
    0 due at 2026-03-01T22:00:00Z
      ana  later  retry at 2026-03-01T22:10:00Z
    [exit 0]
    ");
    let _ = host.json(["refresh", "--as-of", "2026-03-01T22:10:00Z"]);
    let shown = host.run(["identity", "show", "ana"]);
    let retry = shown.lines().find(|line| line.contains("retry"));
    insta::assert_snapshot!(retry.expect("it says when"), @"  retry            2026-03-01T22:30:00Z, after 2 attempts");

    // A night without refreshes costs one evaluation, not one for each moment.
    let explained = host.run([
        "refresh",
        "--due",
        "--explain-selection",
        "--as-of",
        "2026-03-02T08:00:00Z",
    ]);
    insta::assert_snapshot!(explained, @r"
    criterion  lets through  with those above
    due                   1                 1
    1 of 1 identity would be refreshed
    [exit 0]
    ");
    let report = host.json(["refresh", "--as-of", "2026-03-02T08:00:00Z"]);
    assert_eq!(report["refreshed"], 1, "{report}");
    let due = host.json(["due", "--within", "1h"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&due).expect("JSON"), @r#"
    [
      {
        "due": false,
        "name": "ana",
        "reasons": [
          "retry"
        ],
        "retry_at": "2026-03-02T08:40:00Z",
        "uid": 1,
        "wake_at": null
      }
    ]
    "#);
    let early = host.json(["refresh", "--as-of", "2026-03-02T08:39:59Z"]);
    assert_eq!(early["refreshed"], 0, "{early}");
    let tried = host.json(["refresh", "--dry-run", "--as-of", "2026-03-02T08:40:00Z"]);
    assert_eq!(tried["refreshed"], 1, "{tried}");

    decide_by(&host, "(call $active)");
    let _ = host.json(["refresh", "--as-of", "2026-03-02T09:00:00Z"]);
    let shown = host.json(["identity", "show", "ana"]);
    assert_eq!(shown["lifecycle_state"], "active");
    assert_eq!(shown["retry_at"], serde_json::Value::Null);
}
