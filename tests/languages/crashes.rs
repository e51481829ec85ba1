//! What a crash tells in each language: the rule's own functions, and what it said.

use crate::{rule, trouble};

#[test]
fn a_panic_in_rust() {
    let rule = rule(
        "rust",
        "src/lib.rs",
        r#"
        wit_bindgen::generate!({ path: "wit", world: "lifecycle-state-rule" });
        mod panics;

        struct Rule;
        export!(Rule);
        impl exports::idr::rules::lifecycle_state::Guest for Rule {
            fn state() -> Result<String, idr::rules::types::RuleError> {
                Ok(grade(17))
            }
        }

        #[inline(never)]
        fn grade(number: u32) -> String {
            panic!("no such grade: {number}")
        }
        "#,
    );
    let said = trouble(&rule);
    let place = "crashed: wasm `unreachable` instruction executed, in `state::grade` < ";
    assert!(said.starts_with(place), "{said}");
    let text = "`idr:rules/lifecycle-state@0.1.2#state`; it said: panicked at src/lib.rs:";
    assert!(said.contains(text), "{said}");
    assert!(said.ends_with("\nno such grade: 17"), "{said}");
}

#[test]
fn an_assertion_in_c() {
    let rule = rule(
        "c",
        "rule.c",
        r#"
        #include <assert.h>
        #include "idr.h"

        __attribute__((noinline)) static int grade(int number) {
          assert(number < 5);
          return number;
        }

        bool exports_idr_rules_lifecycle_state_state(text *answer, rule_error *error) {
          return grade((int)equals(*TEXT("a"), "a") + 16) == 0;
        }
        "#,
    );
    assert_eq!(
        trouble(&rule),
        "crashed: wasm `unreachable` instruction executed, in `grade` < \
         `exports_idr_rules_lifecycle_state_state` < \
         `__wasm_export_exports_idr_rules_lifecycle_state_state`; \
         it said: Assertion failed: number < 5 (rule.c: grade: 6)"
    );
}

#[test]
fn an_error_in_c_that_is_written_in_pieces() {
    let rule = rule(
        "c",
        "rule.c",
        r#"
        #include <stdio.h>
        #include <stdlib.h>
        #include "idr.h"

        bool exports_idr_rules_lifecycle_state_state(text *answer, rule_error *error) {
          fputs("\nno such grade: ", stderr);
          for (int digit = 0; digit < 2000; digit++) fputc('0' + digit % 10, stderr);
          fputs("\nhalf a line", stderr);
          exit(1);
        }
        "#,
    );
    let said = trouble(&rule);
    let expected = format!("; it said: no such grade: {}", "0123456789".repeat(28));
    assert!(said.contains(&expected), "{said}");
    assert!(!said.contains("half a line"), "{said}");
}

/// A lifecycle rule in Go whose function `grade` does this.
fn go(body: &str) -> String {
    let source = format!(
        r#"package export_idr_rules_lifecycle_state

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

//go:noinline
func grade(number int) string {{
	{body}
}}

func State() Result[string, RuleError] {{
	return rules.Answer(grade(17))
}}
"#
    );
    let path = "export_idr_rules_lifecycle_state/rule.go";
    trouble(&rule("go", path, &source))
}

#[test]
fn a_panic_in_go_that_nobody_guards_against() {
    let said = go("var names []string\n\treturn names[number]");
    assert!(said.starts_with("crashed: "), "{said}");
    let function = "in `wit_component_export_idr_rules_lifecycle_state.grade` < ";
    assert!(said.contains(function), "{said}");
    let text = "; it said: panic: runtime error: index out of range [17] with length 0";
    assert!(said.ends_with(text), "{said}");
}

#[test]
fn a_fatal_error_of_go() {
    let said = go("select {}");
    assert!(said.starts_with("crashed: "), "{said}");
    let text = "; it said: fatal error: all goroutines are asleep - deadlock!";
    assert!(said.ends_with(text), "{said}");
}

#[test]
fn whatever_is_thrown_in_javascript() {
    let thrown = |what: &str| {
        let source = format!(
            "import {{ guard }} from './bindings/idr.js';
             export const lifecycleState = guard({{ state: () => grade(17) }});
             function grade(number) {{ {what} }}"
        );
        trouble(&rule("javascript", "rule.js", &source))
    };
    let said = thrown("return null.name;");
    assert!(
        said.starts_with("failed: TypeError: cannot read property 'name' of null\n    at grade ("),
        "{said}"
    );
    let said = thrown("throw `no such grade: ${number}`;");
    assert_eq!(said, "failed: threw \"no such grade: 17\"");
}

#[test]
fn whatever_is_raised_in_python() {
    let source = "\
from idr_rule import guarded
from wit_world import exports


class LifecycleState(exports.LifecycleState):
    @guarded
    def state(self):
        try:
            grade(17)
        except KeyError as error:
            leave(error)


def grade(number):
    return {}[number]


def leave(error):
    raise SystemExit(f\"no such grade: {error}\")
";
    assert_eq!(
        trouble(&rule("python", "rule.py", source)),
        "failed: SystemExit: no such grade: 17\n    at leave (line 19)\n    \
         at LifecycleState.state (line 11)"
    );
}
