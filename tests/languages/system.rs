//! What a language's library finds of a system: no time of day, and random numbers
//! that are the same on every instance.

use std::process::Command;

use idr::rules::RuleComponent;
use idr::rules::cases::{parse, run};

use crate::common::TestHost;
use crate::{answer, asked, idr, rule, trouble};

const GO_RULE: &str = "export_idr_rules_lifecycle_state/rule.go";

fn javascript(expression: &str) -> String {
    format!("export const lifecycleState = {{ state: () => String({expression}) }};")
}

fn python(module: &str, expression: &str) -> String {
    format!(
        "\
import {module}
from wit_world import exports


class LifecycleState(exports.LifecycleState):
    def state(self):
        return str({expression})
"
    )
}

fn c(includes: &str, expression: &str) -> String {
    format!(
        r#"
        {includes}
        #include <stdio.h>
        #include "idr.h"

        bool exports_idr_rules_lifecycle_state_state(text *answer, rule_error *error) {{
          char number[40];
          snprintf(number, sizeof(number), "%lld", (long long)({expression}));
          rule_string_dup(answer, number);
          return true;
        }}
        "#
    )
}

fn go(imports: &str, expression: &str) -> String {
    format!(
        r#"package export_idr_rules_lifecycle_state

import (
	"fmt"
	{imports}

	. "go.bytecodealliance.org/pkg/wit/types"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func State() Result[string, RuleError] {{
	return rules.Answer(fmt.Sprint({expression}))
}}
"#
    )
}

/// A rule that asks what time it is would answer differently from day to day: the
/// clock is a trap, not a constant, which nobody would notice.
fn is_a_trap(language: &str, path: &str, source: &str) {
    let said = trouble(&rule(language, path, source));
    assert!(said.starts_with("crashed: wasm `unreachable`"), "{said}");
}

/// The same answer on every fresh instance; some tools draw it when they build.
fn is_constant(language: &str, path: &str, source: &str) {
    let first = rule(language, path, source);
    let number = answer(&first);
    assert!(number.parse::<f64>().is_ok(), "{number} is a number");
    assert_eq!(answer(&first), number);
    let fuel = asked(&first).fuel;
    assert_eq!(asked(&first).fuel, fuel);
}

/// What a rule is told that has asked for the time by a function.
fn no_clock(function: &str, instead: &str) -> String {
    format!("`{function}` needs a clock, and a rule has none: ask {instead}")
}

#[test]
fn the_time_of_day_is_refused_in_javascript() {
    let instead = "`reached`, `dateReached`, `dayOver` or `today` of `idr:rules/time`\n";
    for function in ["Date.now()", "new Date()", "Date()", "performance.now()"] {
        let said = trouble(&rule("javascript", "rule.js", &javascript(function)));
        let wanted = format!("failed: Error: {}", no_clock(function, instead));
        assert!(said.starts_with(&wanted), "{said}");
        assert!(said.contains("\n    at state ("), "{said}");
    }
    // What needs no clock is there.
    let date = "new Date(86_400_000).getUTCDate() + Number(new Date(0) instanceof Date)";
    assert_eq!(
        answer(&rule("javascript", "rule.js", &javascript(date))),
        "3"
    );
}

#[test]
fn the_time_of_day_is_refused_in_python() {
    let instead =
        "`reached`, `date_reached`, `day_over` or `today` of `wit_world.imports.time`\n    at ";
    // All in one rule: Python takes its time to build.
    let asking = [
        ("time.time()", "time.time()"),
        ("clock()", "time.time()"),
        ("time.monotonic_ns()", "time.monotonic_ns()"),
        ("time.strftime('%Y')", "time.strftime()"),
        ("time.sleep(1)", "time.sleep()"),
        ("datetime.datetime.now()", "datetime.now()"),
        ("datetime.datetime.utcnow()", "datetime.utcnow()"),
        ("datetime.datetime.today()", "datetime.today()"),
        ("datetime.date.today()", "date.today()"),
    ];
    let shown = "f\"{datetime.date(2026, 1, 31) + datetime.timedelta(1)} {time.strftime('%Y', time.gmtime(0))}\"";
    let asks: Vec<String> = asking
        .iter()
        .map(|(ask, _)| format!("    lambda: {ask},\n"))
        .collect();
    // A module of the library that asks for the time when it is imported.
    let source = format!(
        "\
import datetime
import logging
import time
from time import time as clock

from wit_world import exports
from wit_world.imports.parameters import parameter

ASKS = [
{}    lambda: {shown},
]


class LifecycleState(exports.LifecycleState):
    def state(self):
        return str(ASKS[parameter(\"number\").value]())
",
        asks.concat()
    );
    let rule = rule("python", "rule.py", &source);
    for (number, (_, function)) in asking.iter().enumerate() {
        let said = outcome(&rule, number).expect_err("there is no clock");
        let wanted = format!("failed: RuntimeError: {}", no_clock(function, instead));
        assert!(said.starts_with(&wanted), "{said}");
        assert!(
            said.ends_with("at LifecycleState.state (line 25)"),
            "{said}"
        );
    }
    // What needs no clock is there.
    let answer = outcome(&rule, asking.len());
    assert_eq!(answer.as_deref(), Ok("2026-02-01 1970"));
}

/// Asks a lifecycle rule with a parameter `number`.
fn outcome(rule: &RuleComponent, number: usize) -> Result<String, String> {
    let case = format!(
        "version = 1\n[[case]]\nas_of = 2026-03-31T12:00:00Z\nerror = \"\"\n\
         parameters = {{ number = {number} }}\n"
    );
    let outcome = run(rule, &parse(&case).expect("a case")[0]).outcome;
    let answer = outcome.map(|answer| answer.to_string());
    answer.map_err(|error| error.to_string())
}

/// The answer would be the same ever after.
#[test]
fn the_time_of_day_is_refused_while_a_rule_is_built() {
    let refusal = |language: &str, path: &str, source: &str| {
        let host = TestHost::new();
        let new = [
            "rule",
            "new",
            "state",
            "--kind",
            "lifecycle-state",
            "--lang",
        ];
        idr(&host.path(""), &[&new[..], &[language]].concat());
        host.write(&format!("state/{path}"), source);
        let output = Command::new(env!("CARGO_BIN_EXE_idr"))
            .current_dir(host.path(""))
            .args(["rule", "build", "state"])
            .output()
            .expect("idr can be started");
        assert_eq!(output.status.code(), Some(3));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let script =
        "const NOW = Date.now();\nexport const lifecycleState = { state: () => `${NOW}` };";
    let said = refusal("javascript", "rule.js", script);
    assert!(
        said.contains("`Date.now()` needs a clock, and a rule has none"),
        "{said}"
    );
    let script = "from datetime import date\nTODAY = date.today()\n";
    let said = refusal("python", "rule.py", script);
    assert!(
        said.contains("`date.today()` needs a clock, and a rule has none"),
        "{said}"
    );
    let script = "import time\nNOW = time.time()\n";
    let said = refusal("python", "rule.py", script);
    assert!(
        said.contains("`time.time()` needs a clock, and a rule has none"),
        "{said}"
    );
}

#[test]
fn the_time_of_day_is_a_trap_in_c() {
    is_a_trap("c", "rule.c", &c("#include <time.h>", "time(NULL)"));
}

#[test]
fn the_time_of_day_is_a_trap_in_go() {
    let source = go("\"time\"", "time.Now().Weekday()");
    is_a_trap("go", GO_RULE, &source);
}

/// Go's runtime sleeps by itself before it panics, but whoever waits for time to pass
/// waits for ever.
#[test]
fn sleeping_is_a_trap_in_go() {
    let source = go("\"time\"", "func() int { time.Sleep(1); return 1 }()");
    let said = trouble(&rule("go", GO_RULE, &source));
    assert!(said.starts_with("crashed: wasm `unreachable`"), "{said}");
}

#[test]
fn random_numbers_are_always_the_same_in_javascript() {
    is_constant("javascript", "rule.js", &javascript("Math.random()"));
}

#[test]
fn random_numbers_are_always_the_same_in_python() {
    is_constant("python", "rule.py", &python("random", "random.random()"));
}

#[test]
fn random_numbers_are_always_the_same_in_c() {
    let entropy = "({ int number = 0; getentropy(&number, sizeof(number)); number; })";
    is_constant(
        "c",
        "rule.c",
        &c("#define _GNU_SOURCE\n#include <unistd.h>", entropy),
    );
}

#[test]
fn random_numbers_are_always_the_same_in_go() {
    is_constant("go", GO_RULE, &go("\"math/rand/v2\"", "rand.Int()"));
}
