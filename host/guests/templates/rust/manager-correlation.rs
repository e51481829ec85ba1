//! Whom an account names as the manager: by address, or by employee number. The
//! word `none` is nobody.

wit_bindgen::generate!({ path: "wit", world: "manager-correlation-rule" });

mod panics;

use exports::idr::rules::manager_correlation::Guest;
use idr::rules::types::{Lookup, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn correlate(manager: Value) -> Result<Option<Lookup>, RuleError> {
        let value = match manager {
            Value::Text(text) => text,
            Value::Integer(number) => number.to_string(),
            _ => {
                return Err(RuleError::Invalid(
                    "the manager is neither text nor a number".to_owned(),
                ));
            }
        };
        if value == "none" {
            return Ok(None);
        }
        let attribute = if value.contains('@') {
            "email"
        } else {
            "employeeNumber"
        };
        Ok(Some(Lookup {
            attribute: attribute.to_owned(),
            value,
        }))
    }
}
