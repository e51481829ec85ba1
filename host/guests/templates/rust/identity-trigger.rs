//! Whether somebody has moved: the department isn't what it was. The parameter
//! `attribute` names another attribute to look at.

wit_bindgen::generate!({ path: "wit", world: "identity-trigger-rule" });

mod panics;

use exports::idr::rules::identity_trigger::Guest;
use idr::rules::parameters::parameter;
use idr::rules::types::{RuleError, Value};
use idr::rules::{baseline, subject};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn fires(_trigger: String) -> Result<bool, RuleError> {
        // Somebody who is new hasn't moved.
        if !baseline::exists() {
            return Ok(false);
        }
        let name = match parameter("attribute") {
            Some(Value::Text(name)) => name,
            _ => "department".to_owned(),
        };
        Ok(text_in(subject::attribute(&name)) != text_in(baseline::attribute(&name)))
    }
}

fn text_in(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}
