//! The value before, kept in another attribute: a former name, by which people
//! still look for somebody who has another one now.
//!
//! Whoever had no value before is left to the sources, and so is whoever's value
//! has gone: that is a mistake of the feed more often than a change.
//!
//! Parameters:
//! - `into` (text): the identity attribute that gets the value before

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "value-change-rule" });

use exports::idr::rules::value_change::Guest;
use idr::rules::parameters::parameter;
use idr::rules::types::{Proposal, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn propose(
        _attribute: String,
        old_value: Option<Value>,
        new_value: Option<Value>,
    ) -> Result<Vec<Proposal>, RuleError> {
        let Some(Value::Text(attribute)) = parameter("into") else {
            return Err(RuleError::Invalid("`into` is not a text".into()));
        };
        if old_value.is_none() || new_value.is_none() {
            return Ok(Vec::new());
        }
        let value = old_value;
        Ok(vec![Proposal { attribute, value }])
    }
}
