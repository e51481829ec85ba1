//! What a language's library finds of a system: no time of day, and random numbers
//! that are the same on every instance.

use crate::{answer, asked, rule, trouble};

const GO_RULE: &str = "export_idr_rules_lifecycle_state/rule.go";

fn javascript(expression: &str) -> String {
    format!(
        "import {{ guard }} from './bindings/idr.js';
         export const lifecycleState = guard({{ state: () => String({expression}) }});"
    )
}

fn python(module: &str, expression: &str) -> String {
    format!(
        "\
import {module}
from idr_rule import guarded
from wit_world import exports


class LifecycleState(exports.LifecycleState):
    @guarded
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

#[test]
fn the_time_of_day_is_a_trap_in_javascript() {
    is_a_trap("javascript", "rule.js", &javascript("Date.now()"));
    is_a_trap("javascript", "rule.js", &javascript("new Date()"));
}

#[test]
fn the_time_of_day_is_a_trap_in_python() {
    is_a_trap("python", "rule.py", &python("time", "time.time()"));
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
