//! An answer that is a list reads as `clear` when there is nothing in it, in every
//! language: here of the attribute rules that answer whatever they like.

use idr::rules::cases::{parse, run};

use crate::rule_of;

/// Asks a rule that answers a list of what `x` is: of nothing, or of one text.
fn check(language: &str, path: &str, source: &str) {
    let rule = rule_of("attribute-promotion", language, path, source);
    let cases = "
        version = 1
        [defaults]
        as_of = 2026-03-31T12:00:00Z
        attribute = \"tags\"
        [[case]]
        name = \"empty\"
        expect = \"clear\"
        [[case]]
        name = \"full\"
        attributes = { x = \"ü\" }
        expect = { set = [\"ü\"] }
    ";
    for case in parse(cases).expect("cases") {
        let problems = run(&rule, &case).problems;
        assert!(problems.is_empty(), "{}: {problems:?}", case.name);
    }
}

#[test]
fn an_empty_list_clears_in_rust() {
    let source = r#"
        wit_bindgen::generate!({ path: "wit", world: "attribute-promotion-rule" });
        mod panics;

        use exports::idr::rules::attribute_promotion::{Guest, Promotion};
        use idr::rules::subject::attribute;
        use idr::rules::types::{RuleError, Value};

        struct Rule;
        export!(Rule);
        impl Guest for Rule {
            fn promote(_attribute: String) -> Result<Promotion, RuleError> {
                let texts = attribute("x").into_iter().map(|value| match value {
                    Value::Text(text) => text,
                    _ => "no text".to_owned(),
                });
                Ok(Promotion::Set(Value::Many(texts.collect())))
            }
        }
    "#;
    check("rust", "src/lib.rs", source);
}

#[test]
fn an_empty_list_clears_in_c() {
    let source = r#"
        #include <stdlib.h>
        #include "idr.h"

        bool exports_idr_rules_attribute_promotion_promote(
            text *attribute, exports_idr_rules_attribute_promotion_promotion_t *answer,
            rule_error *error) {
          value x;
          rule_string_free(attribute);
          bool is_there = idr_rules_subject_attribute(TEXT("x"), &x);
          answer->tag = EXPORTS_IDR_RULES_ATTRIBUTE_PROMOTION_PROMOTION_SET;
          answer->val.set.tag = IDR_RULES_TYPES_VALUE_MANY;
          answer->val.set.val.many.len = is_there ? 1 : 0;
          answer->val.set.val.many.ptr = is_there ? malloc(sizeof(text)) : NULL;
          if (is_there) answer->val.set.val.many.ptr[0] = x.val.text;
          return true;
        }
    "#;
    check("c", "rule.c", source);
}

#[test]
fn an_empty_list_clears_in_javascript() {
    let source = "
        import { attribute } from 'idr:rules/subject@0.1.2';
        export const attributePromotion = {
          promote() {
            const x = attribute('x');
            return { tag: 'set', val: { tag: 'many', val: x === null ? [] : [x.val] } };
          },
        };
    ";
    check("javascript", "rule.js", source);
}

#[test]
fn an_empty_list_clears_in_python() {
    let source = "\
from wit_world import exports
from wit_world.exports.attribute_promotion import Promotion_Set
from wit_world.imports.subject import attribute
from wit_world.imports.types import Value_Many


class AttributePromotion(exports.AttributePromotion):
    def promote(self, name):
        x = attribute(\"x\")
        return Promotion_Set(Value_Many([] if x is None else [x.value]))
";
    check("python", "rule.py", source);
}

#[test]
fn an_empty_list_clears_in_go() {
    let source = r#"package export_idr_rules_attribute_promotion

import (
	. "go.bytecodealliance.org/pkg/wit/types"
	promotion "wit_component/idr_rules_attribute_promotion"
	subject "wit_component/idr_rules_subject"
	. "wit_component/idr_rules_types"
	"wit_component/rules"
)

func Promote(attribute string) Result[promotion.Promotion, RuleError] {
	texts := []string{}
	if x := subject.Attribute("x"); x.IsSome() {
		texts = append(texts, x.Some().Text())
	}
	return rules.Answer(promotion.MakePromotionSet(MakeValueMany(texts)))
}
"#;
    let path = "export_idr_rules_attribute_promotion/rule.go";
    check("go", path, source);
}
