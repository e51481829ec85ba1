//! What a checked tenant is made of; problems are tested by the golden folders.

mod transforms;

use std::path::Path;

use idr_core::definitions::{Bound, OnTrip, Threshold};
use idr_core::model::Name;

use super::{Clock, Files, Tenant, sha256};

const COMPONENT: &[u8] = b"not really a component";

/// Returns a small tenant's files, with `more` of them or others instead.
fn files(more: &[(&str, &str)]) -> Files {
    let digest = sha256(COMPONENT);
    let rule =
        |name: &str| format!("[rules.{name}]\ncomponent = \"a.wasm\"\nsha256 = \"{digest}\"\n");
    let settings = r#"
        version = 1
        name = "acme"
        clock = "simulated"
        [thresholds]
        leavers = "2.5%"
        [limits]
        fuel = 1_000
    "#;
    let application = r#"
        vanish_grace = "1d"
        [connector]
        type = "delimited-file"
        native_identity = "id"
        delimiter = "\t"
        encoding = "latin1"
        [schema]
        id = {}
        groups = { column = "Groups", type = "many", separator = ";" }
        [authoritative]
        name = "id"
        [guard]
        new = "off"
    "#;
    let triggers = r#"
        [[trigger]]
        name = "soon"
        on = [{ type = "rule", rule = "watch" }]
    "#;
    let rules = rule("watch")
        + "parameters = { day = 2026-03-31, at = 2026-03-31T17:00:00+02:00, share = 1.50 }\n\
           limits = { time_ms = 5 }\n";
    let mut files = Files::default();
    for (path, text) in [
        ("idr.toml", settings),
        ("applications/hr.toml", application),
        ("triggers.toml", triggers),
        ("rules/rules.toml", &rules),
    ]
    .iter()
    .chain(more)
    {
        files.insert((*path).to_owned(), text.as_bytes().to_vec());
    }
    files.insert("rules/a.wasm".to_owned(), COMPONENT.to_vec());
    files.insert("rules/unused.wasm".to_owned(), COMPONENT.to_vec());
    files
}

fn tenant(more: &[(&str, &str)]) -> Tenant {
    Tenant::from_files(Path::new("/tenants/acme"), files(more)).expect("it has no problems")
}

#[test]
fn settings_arrive_as_values() {
    let tenant = tenant(&[]);
    assert_eq!(tenant.clock, Clock::Simulated);
    assert_eq!(tenant.store_path(), Path::new("/tenants/acme/state/idr.db"));
    assert_eq!(
        tenant.model.thresholds.leavers,
        Some(Bound {
            limit: Threshold::BasisPoints(250),
            window_ms: None,
            on_trip: OnTrip::HoldRun,
        })
    );
    let hr = &tenant.connectors[&Name::new("hr")];
    assert_eq!(hr.file.delimiter, b'\t');
    assert_eq!(hr.file.encoding.name(), "windows-1252");
    assert_eq!(
        hr.file.columns,
        [(Name::new("groups"), "Groups".to_owned())]
    );
    assert_eq!(
        hr.file.multi_valued,
        [(Name::new("groups"), ";".to_owned())]
    );
    assert_eq!(hr.guard.new, None);
    assert_eq!(tenant.model.applications[0].vanish_grace_ms, 86_400_000);
    let rule = &tenant.model.rules[0];
    assert_eq!((rule.limits.fuel, rule.limits.time_ms), (1_000, 5));
    let parameters: Vec<String> = rule
        .parameters
        .iter()
        .map(|(name, value)| format!("{name} {value:?}"))
        .collect();
    insta::assert_debug_snapshot!(parameters, @r#"
    [
        "at Instant(UnixMillis(1774969200000))",
        "day Date(2026-03-31)",
        "share Decimal(1.5)",
    ]
    "#);
}

#[test]
fn a_tenant_is_the_same_made_from_the_files_that_it_was_made_from() {
    let first = tenant(&[]);
    assert_eq!(first.files.get("rules/unused.wasm"), None);
    let second = Tenant::from_files(&first.directory, first.files.clone()).expect("no problems");
    assert_eq!(first.files, second.files);
    assert_eq!(first.files.digests(), second.files.digests());
    assert_eq!(format!("{:?}", first.model), format!("{:?}", second.model));
    let component = second.component(&sha256(COMPONENT));
    assert_eq!(component.as_deref(), Some(COMPONENT));
    assert_eq!(second.component("nothing has this digest"), None);
}

#[test]
fn a_trigger_is_edited_when_its_rule_is_and_not_when_others_are() {
    let digest = |more: &[(&str, &str)]| tenant(more).model.triggers[0].digest;
    let sha256 = sha256(COMPONENT);
    let before = digest(&[]);
    let with = |text: String| digest(&[("rules/rules.toml", &text)]);
    let watch = |more: &str| {
        format!("[rules.watch]\ncomponent = \"a.wasm\"\nsha256 = \"{sha256}\"\n{more}")
    };
    let parameters = "parameters = { day = 2026-03-31, at = 2026-03-31T15:00:00Z, share = 1.5 }\n";
    let another = format!("[rules.another]\ncomponent = \"a.wasm\"\nsha256 = \"{sha256}\"\n");
    assert_eq!(with(watch(parameters) + &another), before);
    assert_ne!(with(watch("parameters = { share = 2 }\n")), before);
    assert_ne!(
        digest(&[(
            "triggers.toml",
            "[[trigger]]\nname = 'soon'\non = [{ type = 'rule', rule = 'watch' }]\nincluded = 'inactive == true'\n"
        )]),
        before
    );
}

#[test]
fn a_folder_without_settings_is_told_by_its_problems() {
    let error = Tenant::from_files(Path::new("."), Files::default()).expect_err("nothing is there");
    insta::assert_snapshot!(error, @r"
    the configuration has 2 problems
    idr.toml: name: it is missing
    idr.toml: version: it is missing
        hint: write `version = 1`
    ");
}
