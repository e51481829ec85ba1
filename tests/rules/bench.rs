//! `rule bench`: what cases cost, and where the fuel goes.

use crate::common::TestHost;
use crate::made::lifecycle_rule;

/// A folder with a rule that spends much fuel in one function and little in another.
fn host() -> TestHost {
    let host = TestHost::with_files(
        r#"
        //- cases.toml
        version = 1
        [[case]]
        name = "counting"
        as_of = 2026-03-31T12:00:00Z
        expect = "active"
        "#,
    );
    let fields = "
        (func $count (param $times i32)
            (loop $again
                (local.set $times (i32.sub (local.get $times) (i32.const 1)))
                (br_if $again (local.get $times))))
        (func $long (call $count (i32.const 900)))
        (func $short (call $count (i32.const 100)))
        ";
    let body = "(call $long) (call $short) (call $active)";
    host.write("rule.wasm", lifecycle_rule(fields, body));
    host
}

#[test]
fn a_case_costs_time_and_always_the_same_fuel() {
    let host = host();
    let costs = host.json(["rule", "bench", ".", "--rounds", "20"]);
    let case = &costs[0]["cases"][0];
    assert_eq!(case["name"], "counting");
    assert_eq!(case["rounds"], 20);
    assert_eq!(case["fuel"], case["fuel_again"]);
    for what in ["instance", "fresh", "reused"] {
        let time = |which: &str| case[what][which].as_u64().expect("a time");
        assert!(
            time("median_ns") > 0 && time("median_ns") <= time("p99_ns"),
            "{case}"
        );
    }
    let text = host.run(["rule", "bench", ".", "--rounds", "1"]);
    let fuel = case["fuel"].as_u64().expect("fuel");
    assert!(text.contains("CASE") && text.contains("counting"), "{text}");
    let grouped = format!("{},{:03}", fuel / 1000, fuel % 1000);
    assert!(text.contains(&grouped), "{text}");
}

#[test]
fn a_profile_says_in_which_functions_the_fuel_goes() {
    let host = host();
    let profile = |name: &str| -> serde_json::Value {
        let arguments = [
            "rule",
            "bench",
            ".",
            "--rounds",
            "1",
            "--samples",
            "100",
            "--profile",
            name,
        ];
        let output = host.run(arguments);
        assert!(
            output.ends_with("profiler.firefox.com\n[exit 0]"),
            "{output}"
        );
        serde_json::from_str(&host.read(name)).expect("JSON")
    };
    let first = profile("fuel.json");
    assert_eq!(first, profile("again.json"), "fuel is the same every time");

    let thread = &first["threads"][0];
    assert_eq!(thread["name"], "counting");
    // A sample stands for an interval, and that for a unit of fuel: a microsecond.
    assert_eq!(thread["samples"]["weightType"], "samples");
    assert_eq!(first["meta"]["interval"], 0.001);
    let by_function = fuel_by_function(&first);
    let of = |function: &str| {
        let found = by_function.iter().find(|(name, _)| name == function);
        found
            .unwrap_or_else(|| panic!("{function} is in {by_function:?}"))
            .1
    };
    // `long` counts nine times as far as `short`.
    let (long, short) = (of("long"), of("short"));
    assert!(long > 7 * short && short > 0, "{by_function:?}");
    assert_eq!(of("count"), long + short);
}

/// Returns how much fuel went into each function and what it calls.
fn fuel_by_function(profile: &serde_json::Value) -> Vec<(String, i64)> {
    let thread = &profile["threads"][0];
    let strings = [&profile["shared"]["stringArray"], &thread["stringArray"]];
    let strings = strings
        .iter()
        .find_map(|texts| texts.as_array())
        .expect("texts");
    let number = |table: &str, column: &str, row: usize| {
        thread[table][column][row]
            .as_u64()
            .and_then(|place| usize::try_from(place).ok())
    };
    let mut fuel: Vec<(String, i64)> = Vec::new();
    let stacks = thread["samples"]["stack"].as_array().expect("samples");
    for (row, stack) in stacks.iter().enumerate() {
        let weight = thread["samples"]["weight"][row].as_i64().expect("a weight");
        let mut stack = stack.as_u64().map(|place| place as usize);
        while let Some(place) = stack {
            let frame = number("stackTable", "frame", place).expect("a frame");
            let function = number("frameTable", "func", frame).expect("a function");
            let name = number("funcTable", "name", function).expect("a name");
            let name = strings[name].as_str().expect("text");
            match fuel.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += weight,
                None => fuel.push((name.to_owned(), weight)),
            }
            stack = number("stackTable", "prefix", place);
        }
    }
    fuel
}

#[test]
fn what_cannot_be_measured_is_named() {
    let host = host();
    host.write("none.toml", "version = 1\n");
    insta::assert_snapshot!(host.run(["rule", "bench", ".", "--cases", "none.toml"]), @r"
    error: there are no cases in `none.toml`
    hint: write a `[[case]]`
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["rule", "bench", ".", "--rounds", "0"]), @r"
    error: invalid value '0' for '--rounds <COUNT>': 0 is not in 1..=1000000

    For more information, try '--help'.
    [exit 2]
    ");
    let stopped = host.read("cases.toml") + "limits = { memory_bytes = 10_000 }\n";
    host.write("cases.toml", stopped);
    insta::assert_snapshot!(host.run(["rule", "bench", "."]), @r"
    error: case `counting`: the rule wanted 65536 bytes of memory, more than its limit of 10000
    hint: shorten the rule, or raise `memory_bytes` in rules/rules.toml
    [exit 3]
    ");
}
