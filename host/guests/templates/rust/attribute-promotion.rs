//! The display name: given name and family name, whichever there are.

wit_bindgen::generate!({ path: "wit", world: "attribute-promotion-rule" });

mod panics;

use exports::idr::rules::attribute_promotion::{Guest, Promotion};
use idr::rules::subject::attribute;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn promote(_attribute: String) -> Result<Promotion, RuleError> {
        let mut names = vec![text_of("givenName")?, text_of("familyName")?];
        names.retain(|name| !name.is_empty());
        // Without any, the attribute's next source is asked.
        if names.is_empty() {
            return Ok(Promotion::Next);
        }
        Ok(Promotion::Set(Value::Text(names.join(" "))))
    }
}

fn text_of(name: &str) -> Result<String, RuleError> {
    match attribute(name) {
        None => Ok(String::new()),
        Some(Value::Text(text)) => Ok(text),
        Some(_) => Err(RuleError::Invalid(format!("`{name}` is not text"))),
    }
}
