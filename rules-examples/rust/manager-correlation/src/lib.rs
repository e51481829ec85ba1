//! Whom HR means by the supervisor.
//!
//! | supervisor          | account                 | manager                        |
//! |---------------------|-------------------------|--------------------------------|
//! | `ana@acme.org`      |                         | whose `email` that is          |
//! | `00417`             |                         | whose `employeeId` is `417`    |
//! | `SELF`              |                         | nobody                         |
//! | others              | `country` is `CH`       | whose `email` is `TEXT@acme.ch`|
//! | others              |                         | whom the configuration finds   |

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "manager-correlation-rule" });

use exports::idr::rules::manager_correlation::Guest;
use idr::rules::account::attribute;
use idr::rules::types::{Lookup, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn correlate(manager: Value) -> Result<Option<Lookup>, RuleError> {
        let named = match manager {
            Value::Text(text) => text,
            Value::Integer(number) => number.to_string(),
            _ => {
                return Err(RuleError::Invalid(
                    "the supervisor is no text or number".into(),
                ));
            }
        };
        if named == "SELF" {
            return Ok(None);
        }
        if named.contains('@') {
            return Ok(whose("email", &named));
        }
        if named.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(whose("employeeId", named.trim_start_matches('0')));
        }
        match attribute("country") {
            Some(Value::Text(country)) if country == "CH" => Ok(whose(
                "email",
                &format!("{}@acme.ch", named.to_ascii_lowercase()),
            )),
            _ => Ok(None),
        }
    }
}

fn whose(attribute: &str, value: &str) -> Option<Lookup> {
    Some(Lookup {
        attribute: attribute.into(),
        value: value.into(),
    })
}
