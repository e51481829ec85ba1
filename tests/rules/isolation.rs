//! A rule that remembers, in a tenant: it is caught, that is recorded, everybody
//! is asked again, and in the end all is as if each evaluation had had an
//! instance of its own.

use crate::acme::{AS_OF, tenant};
use crate::common::TestHost;
use crate::made::{ASK_WHO, ASKING, lifecycle_rule};

/// Answers `active` when it is first asked, then `inactive` for ever.
///
/// - `first`: what it does before that.
fn rule_that_remembers(first: &str) -> Vec<u8> {
    lifecycle_rule(
        &format!("{ASKING} (global $asked (mut i32) (i32.const 0))"),
        &format!(
            "{first}
            (if (result i32) (global.get $asked)
                (then (call $inactive))
                (else (global.set $asked (i32.const 1)) (call $active)))"
        ),
    )
}

fn isolated(isolation: &str, first: &str) -> TestHost {
    let people: Vec<String> = (0..1_500).map(|number| format!("p{number:04}")).collect();
    let entries = format!("isolation = \"{isolation}\"");
    tenant(&rule_that_remembers(first), &entries, &people)
}

fn refresh(host: &TestHost) -> serde_json::Value {
    host.json(["refresh", "--as-of", AS_OF])
}

fn export(host: &TestHost) -> String {
    host.run(["state", "export", "--canonical"])
}

#[test]
fn a_rule_that_remembers_does_no_lasting_harm() {
    let fresh = isolated("call", ASK_WHO);
    assert_eq!(refresh(&fresh)["refreshed"], 1_500);
    assert_eq!(refresh(&fresh)["refreshed"], 0, "nobody is due again");
    let right = export(&fresh);
    let somebody_inactive = r#""inactive":true"#;
    let squeezed = |text: &str| text.replace(' ', "");
    assert!(
        !squeezed(&right).contains(somebody_inactive),
        "each was the first to be asked"
    );

    let caught = isolated("reuse", ASK_WHO);
    assert_eq!(refresh(&caught)["refreshed"], 1_500);
    let wrong = export(&caught);
    assert!(
        squeezed(&wrong).contains(somebody_inactive),
        "some were answered before it was caught"
    );
    let listed = caught.json(["rule", "list"]);
    assert_eq!(listed[0]["isolation"], "call", "{listed}");

    assert_eq!(refresh(&caught)["refreshed"], 1_500, "everybody is due");
    assert_eq!(export(&caught), right);
    assert_eq!(refresh(&caught)["refreshed"], 0);
}

#[test]
fn whoever_is_told_the_same_is_answered_the_same() {
    let caught = isolated("reuse", "");
    assert_eq!(refresh(&caught)["refreshed"], 1_500);
    let right = export(&isolated_and_refreshed());
    assert_eq!(export(&caught), right, "it reads nothing of anybody");
    let listed = caught.json(["rule", "list"]);
    assert_eq!(
        listed[0]["isolation"], "call",
        "samples ask it all the same"
    );
}

fn isolated_and_refreshed() -> TestHost {
    let fresh = isolated("call", "");
    assert_eq!(refresh(&fresh)["refreshed"], 1_500);
    fresh
}
