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
    let report = host.json(["bench", "refresh", "--identities", "2000", "--within", "."]);
    assert_eq!(report["tenant"], "generated");
    assert_eq!(report["profile"], "standard");
    assert_eq!(report["identities"], 2_000);
    let cases = report["cases"].as_array().expect("there are cases");
    let measured: Vec<_> = cases
        .iter()
        .map(|case| {
            let counts = ["refreshed", "changed", "events"].map(|name| case[name].as_u64());
            (
                case["name"].as_str().unwrap_or_default(),
                counts.map(Option::unwrap_or_default),
            )
        })
        .collect();
    let expected = [
        ("full-first", [2_000, 2_000, 0]),
        ("full-unchanged", [2_000, 0, 0]),
        ("incremental-0", [0, 0, 0]),
        ("one-cold", [1, 0, 0]),
        ("incremental-0.1", [2, 2, 2]),
        ("incremental-1", [20, 20, 20]),
        ("incremental-10", [200, 200, 200]),
        ("full-changed", [2_000, 2_000, 2_000]),
    ];
    assert_eq!(measured, expected);
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
        assert!(case["stages"].is_object(), "{case}");
    }
    let left = std::fs::read_dir(host.path("")).expect("the folder is there");
    assert_eq!(left.count(), 0);
}

#[test]
fn measurements_are_compared_with_a_file_and_with_another_program() {
    let host = TestHost::new();
    let bench = ["bench", "refresh", "--identities", "50", "--within", "."];
    let cases = ["--case", "full-first", "--case", "incremental-1"];
    let earlier = host.json(bench.into_iter().chain(cases));
    assert_eq!(names(&earlier), ["full-first", "incremental-1"]);
    host.write("earlier.json", earlier.to_string());
    let program = env!("CARGO_BIN_EXE_idr");
    let with = [
        "--compare",
        "earlier.json",
        "--against",
        program,
        "--repeat",
        "2",
    ];
    let report = host.json(
        bench
            .into_iter()
            .chain(["--case", "full-first"])
            .chain(with),
    );
    assert_eq!(names(&report), ["full-first"]);
    assert_eq!(report["cases"][0]["runs"].as_array().map(Vec::len), Some(2));
    for (ratios, cases) in [("compared", 1), ("against", 1)] {
        let ratios = report[ratios].as_array().expect("there are ratios");
        assert_eq!(ratios.len(), cases);
        assert!(
            ratios[0]["identities_per_second"].as_f64() > Some(0.0),
            "{report}"
        );
    }
}

#[test]
fn what_can_not_be_measured_is_said() {
    let host = TestHost::new();
    host.write("other.json", "{\"cases\": 7}");
    insta::assert_snapshot!(host.run(["bench", "refresh", "--case", "half"]), @r"
    error: there is no case `half`
    hint: cases are full-first, full-unchanged, incremental-0, one-cold, incremental-0.1, incremental-1, incremental-10, full-changed
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["bench", "refresh", "--copy", "--case", "full-first"]), @r"
    error: `full-first` can't be measured on a copy
    hint: nothing of a tenant that isn't made can be changed; leave out `--copy`
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["bench", "refresh", "--compare", "other.json"]), @r"
    error: `other.json` isn't what `idr bench refresh --json` prints: invalid type: integer `7`, expected a sequence at line 1 column 11
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["bench", "refresh", "--compare", "none.json"]), @r"
    error: `none.json` can't be read: No such file or directory (os error 2)
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["bench", "refresh", "--profile", "average"]), @r"
    error: invalid value 'average' for '--profile <PROFILE>'
      [possible values: organisation, standard, midpoint-1s-50m, midpoint-1s-50m-5t-20a]

    For more information, try '--help'.
    [exit 2]
    ");
}

#[test]
fn more_roles_may_be_measured_with() {
    let host = TestHost::new();
    let bench = ["bench", "refresh", "--identities", "50", "--roles", "40"];
    let profile = ["--profile", "organisation", "--within", "."];
    let report = host.json(bench.into_iter().chain(profile));
    assert_eq!(names(&report).len(), 8);
}

#[test]
fn a_tenant_is_measured_as_a_copy() {
    let host = TestHost::new();
    let made = host.json(["generate", "acme", "--identities", "100"]);
    assert_eq!(made["identities"], 100);
    let copy = ["--tenant", "acme", "bench", "refresh", "--copy"];
    let report = host.json(copy.into_iter().chain(["--within", "."]));
    assert_eq!(report["tenant"], "copy of acme");
    assert_eq!(
        names(&report),
        ["full-unchanged", "incremental-0", "one-cold"]
    );
    // The tenant itself wasn't touched: everybody is still due.
    let refreshed = host.json(["--tenant", "acme", "refresh"]);
    assert_eq!(refreshed["selected"], 100);
}

#[test]
fn aggregations_are_measured_and_tables_made_of_everything() {
    let host = TestHost::new();
    let of = ["--identities", "60", "--within", "."];
    let aggregate = host.json(["bench", "aggregate"].into_iter().chain(of));
    let feeds = aggregate["feeds"].as_array().expect("there are feeds");
    let counts: Vec<String> = feeds
        .iter()
        .map(|feed| {
            let name = feed["name"].as_str().unwrap_or_default();
            let application = feed["application"].as_str().unwrap_or_default();
            format!("{name} {application} {} {}", feed["rows"], feed["changed"])
        })
        .collect();
    insta::assert_snapshot!(counts.join("\n"), @r"
    aggregate-first hr 60 60
    aggregate-first directory 60 60
    aggregate-first erp 60 60
    aggregate-unchanged hr 60 0
    aggregate-unchanged directory 60 0
    aggregate-unchanged erp 60 0
    aggregate-changed hr 60 60
    aggregate-changed directory 60 60
    aggregate-changed erp 60 60
    ");
    let roofline = host.json(["bench", "roofline"].into_iter().chain(of));
    assert_eq!(roofline["roofline"]["documents_per_identity"], 4.0);
    for of in [
        "read_us",
        "decode_us",
        "native_rule_us",
        "rule_us",
        "write_us",
    ] {
        let us = roofline["roofline"][of].as_f64();
        assert!(us > Some(0.0), "{of} of {roofline}");
    }
    let case = ["--case", "full-unchanged"];
    let refresh = host.json(["bench", "refresh"].into_iter().chain(case).chain(of));
    for (name, report) in [("a", &aggregate), ("b", &refresh), ("c", &roofline)] {
        host.write(&format!("{name}.json"), report.to_string());
    }
    let report = host.run(["bench", "report", "a.json", "b.json", "c.json"]);
    let headings: Vec<&str> = report
        .lines()
        .filter(|line| {
            ["#", "| full", "| the lifecycle", "| all"]
                .iter()
                .any(|begin| line.starts_with(begin))
        })
        .filter_map(|line| line.split([',', '|']).find(|part| !part.is_empty()))
        .map(str::trim)
        .collect();
    insta::assert_snapshot!(headings.join("\n"), @r"
    ### What is aimed at
    full-unchanged
    ### Aggregations: standard
    ### Refreshes: standard
    full-unchanged
    ### Roofline: standard
    the lifecycle rule in native code; ours: one evaluation
    all of it
    all of it
    ");
    host.write("d.json", "[]");
    insta::assert_snapshot!(host.run(["bench", "report", "d.json"]), @r"
    error: `d.json` isn't what a measurement printed
    hint: write into it what `idr bench refresh --json` prints, or `aggregate`, `roofline`
    [exit 2]
    ");
}
