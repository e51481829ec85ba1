//! Keeps the family name that somebody had before, in the attribute that the
//! parameter `keepIn` names, or in `formerName`.

wit_bindgen::generate!({ path: "wit", world: "value-change-rule" });

mod panics;

use exports::idr::rules::value_change::Guest;
use idr::rules::parameters::parameter;
use idr::rules::types::{Proposal, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn propose(
        attribute: String,
        old_value: Option<Value>,
        _new_value: Option<Value>,
    ) -> Result<Vec<Proposal>, RuleError> {
        if attribute != "familyName" || old_value.is_none() {
            return Ok(Vec::new());
        }
        let keep_in = match parameter("keepIn") {
            Some(Value::Text(name)) => name,
            _ => "formerName".to_owned(),
        };
        Ok(vec![Proposal {
            attribute: keep_in,
            value: old_value,
        }])
    }
}
