//! What a crash tells in each language: the rule's own functions, and what it said.

use idr::rules::RuleComponent;
use idr::rules::cases::{parse, run};

use crate::{rule, rule_of, trouble};

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
            "export const lifecycleState = {{ state: () => grade(17) }};
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
    let said = thrown("throw { tag: 'declined', val: number };");
    assert_eq!(said, "failed: threw {\"tag\":\"declined\",\"val\":17}");
}

/// A rule from before every rule was guarded.
#[test]
fn a_guard_of_its_own_does_no_harm_in_javascript() {
    let source = "import { declined, guard } from './bindings/idr.js';
         export const lifecycleState = guard({ state() { throw declined('no such grade'); } });";
    assert_eq!(
        trouble(&rule("javascript", "rule.js", source)),
        "declined: no such grade"
    );
}

#[test]
fn whatever_is_raised_in_python() {
    let source = "\
from wit_world import exports


class LifecycleState(exports.LifecycleState):
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
        "failed: SystemExit: no such grade: 17\n    at leave (line 17)\n    \
         at LifecycleState.state (line 9)"
    );
}

/// An attribute rule that answers one of these, by a parameter.
fn promotion(language: &str, path: &str, source: &str) -> RuleComponent {
    rule_of("attribute-promotion", language, path, source)
}

/// Asks it for one of them, and returns what it says instead.
fn misfit(rule: &RuleComponent, number: usize) -> String {
    let case = format!(
        "version = 1\n[[case]]\nas_of = 2026-03-31T12:00:00Z\nattribute = \"a\"\nerror = \"\"\n\
         parameters = {{ number = {number} }}\n"
    );
    let outcome = run(rule, &parse(&case).expect("a case")[0]).outcome;
    outcome.expect_err("it doesn't fit").to_string()
}

#[test]
fn an_answer_that_does_not_fit_in_javascript() {
    let values = "`boolean`, `date`, `decimal`, `instant`, `integer`, `many`, `text`";
    let answers = [
        (
            "17",
            "17, and not an object whose `tag` is one of `clear`, `next`, `set`",
        ),
        (
            "undefined",
            "nothing, and not an object whose `tag` is one of `clear`, `next`, `set`",
        ),
        (
            "{ tag: 'sett' }",
            "{\"tag\":\"sett\"}, and not an object whose `tag` is one of `clear`, `next`, `set`",
        ),
        ("set('text', 17)", "17 as `val.val`, and not a text"),
        (
            "set('text', 'a\\ud800')",
            "\"a\\ud800\" as `val.val`, and not a text of whole characters",
        ),
        ("set('boolean', 1)", "1 as `val.val`, and not true or false"),
        (
            "set('integer', 1.5)",
            "1.5 as `val.val`, and not a whole number from -9007199254740991 to 9007199254740991",
        ),
        (
            "set('integer', 17n)",
            "17n as `val.val`, and not a whole number from -9007199254740991 to 9007199254740991",
        ),
        ("set('many', 'ab')", "\"ab\" as `val.val`, and not a list"),
        (
            "set('many', ['a', null])",
            "null as `val.val[1]`, and not a text",
        ),
        (
            "set('date', '2026-01-31')",
            "\"2026-01-31\" as `val.val`, and not an object with `day`, `month`, `year`",
        ),
        (
            "set('date', { year: 2026, month: 261, day: 1 })",
            "261 as `val.val.month`, and not a whole number from 0 to 255",
        ),
    ];
    let sources: Vec<&str> = answers.iter().map(|(source, _)| *source).collect();
    let source = format!(
        "import {{ parameter }} from 'idr:rules/parameters@0.1.2';
         const set = (tag, val) => ({{ tag: 'set', val: {{ tag, val }} }});
         const ANSWERS = [{}, set('day', 1)];
         export const attributePromotion = {{ promote: () => ANSWERS[parameter('number').val] }};",
        sources.join(", ")
    );
    let rule = promotion("javascript", "rule.js", &source);
    for (number, (_, wanted)) in answers.iter().enumerate() {
        let wanted = format!("failed: `promote` answers {wanted}");
        assert_eq!(misfit(&rule, number), wanted);
    }
    let said = misfit(&rule, answers.len());
    assert!(said.ends_with(values), "{said}");
}

#[test]
fn an_answer_that_does_not_fit_in_python() {
    let promotions = "`Promotion_Clear`, `Promotion_Next`, `Promotion_Set`";
    let values = "`Value_Boolean`, `Value_Date`, `Value_Decimal`, `Value_Instant`, `Value_Integer`, \
                  `Value_Many`, `Value_Text`";
    let answers = [
        ("17", format!("17, and not one of {promotions}")),
        ("None", format!("None, and not one of {promotions}")),
        ("Promotion_Set('a')", format!("'a' as `value`, and not one of {values}")),
        ("Promotion_Set(Value_Text(17))", "17 as `value.value`, and not a text".to_owned()),
        ("Promotion_Set(Value_Text('a\\ud800'))", "'a\\ud800' as `value.value`, and not a text of whole characters".to_owned()),
        ("Promotion_Set(Value_Integer(1.5))", "1.5 as `value.value`, and not a whole number from -9007199254740991 to 9007199254740991".to_owned()),
        ("Promotion_Set(Value_Many(('a',)))", "('a',) as `value.value`, and not a list".to_owned()),
        ("Promotion_Set(Value_Many(['a', None]))", "None as `value.value[1]`, and not a text".to_owned()),
        ("Promotion_Set(Value_Date(2026))", "2026 as `value.value`, and not something with `day`, `month`, `year`".to_owned()),
        ("Promotion_Set(Value_Date(Date(2026, 261, 1)))", "261 as `value.value.month`, and not a whole number from 0 to 255".to_owned()),
    ];
    let sources: Vec<&str> = answers.iter().map(|(source, _)| *source).collect();
    let source = format!(
        "\
from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.attribute_promotion import Promotion_Set
from wit_world.imports.parameters import parameter
from wit_world.imports.types import Date, Value_Date, Value_Integer, Value_Many, Value_Text


class AttributePromotion(exports.AttributePromotion):
    def promote(self, attribute):
        number = parameter(\"number\").value
        return fail() if number == {} else [{}][number]


def fail():
    raise Err(\"no such grade\")
",
        answers.len(),
        sources.join(", ")
    );
    let rule = promotion("python", "rule.py", &source);
    for (number, (_, wanted)) in answers.iter().enumerate() {
        let wanted = format!("failed: `AttributePromotion.promote` answers {wanted}");
        assert_eq!(misfit(&rule, number), wanted);
    }
    assert_eq!(
        misfit(&rule, answers.len()),
        "failed: raised 'no such grade'\n    at fail (line 15)\n    \
         at AttributePromotion.promote (line 11)"
    );
}
