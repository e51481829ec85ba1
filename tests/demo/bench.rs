//! `idr bench refresh`: every case is measured, and nothing is left behind.

use serde_json::Value;

use crate::common::TestHost;

fn names(report: &Value) -> Vec<&str> {
    let cases = report["cases"].as_array().expect("there are cases");
    cases
        .iter()
        .filter_map(|case| case["name"].as_str())
        .collect()
}

#[test]
fn every_case_is_measured_on_a_made_tenant() {
    let host = TestHost::new();
    let report = host.json(["bench", "refresh", "--identities", "400", "--within", "."]);
    assert_eq!(report["tenant"], "generated");
    assert_eq!(report["identities"], 400);
    let expected = [
        "full-first",
        "full-unchanged",
        "incremental-0",
        "incremental-1",
    ];
    assert_eq!(names(&report), expected);
    let cases = report["cases"].as_array().expect("there are cases");
    let refreshed: Vec<_> = cases.iter().map(|case| &case["refreshed"]).collect();
    // In the first, those who have a manager are planned again once she is known.
    assert_eq!(refreshed, [799, 400, 0, 4]);
    for case in cases {
        for measured in [
            "identities_per_second",
            "seconds",
            "cpu_us_per_identity",
            "peak_mb",
        ] {
            assert!(case[measured].is_number(), "{measured} of {case}");
        }
        assert!(case["peak_mb"].as_f64() > Some(0.0), "{case}");
    }
    let left = std::fs::read_dir(host.path("")).expect("the folder is there");
    assert_eq!(left.count(), 0);
}

#[test]
fn more_roles_may_be_measured_with() {
    let host = TestHost::new();
    let bench = ["bench", "refresh", "--identities", "50", "--roles", "40"];
    let report = host.json(bench.into_iter().chain(["--within", "."]));
    assert_eq!(names(&report).len(), 4);
}

#[test]
fn a_tenant_is_measured_as_a_copy() {
    let host = TestHost::new();
    let made = host.json(["generate", "acme", "--identities", "100"]);
    assert_eq!(made["identities"], 100);
    let copy = ["--tenant", "acme", "bench", "refresh", "--copy"];
    let report = host.json(copy.into_iter().chain(["--within", "."]));
    assert_eq!(report["tenant"], "copy of acme");
    assert_eq!(names(&report), ["full-unchanged", "incremental-0"]);
    // The tenant itself wasn't touched: everybody is still due.
    let refreshed = host.json(["--tenant", "acme", "refresh"]);
    assert_eq!(refreshed["selected"], 100);
}
