//! Who becomes an identity, and as what, when HR lists somebody unknown.
//!
//! | account                       | becomes                                   |
//! |-------------------------------|-------------------------------------------|
//! | a number that `test` begins   | nobody                                    |
//! | `category` is `external`      | a contractor, as `x-` and the number      |
//! | others                        | what the configuration says               |
//!
//! Parameter:
//! - `test` (text): what the numbers of test records begin with

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "identity-creation-rule" });

use exports::idr::rules::identity_creation::{Creation, Guest, NewIdentity};
use idr::rules::account::{attribute, native_identity};
use idr::rules::parameters::parameter;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn create() -> Result<Creation, RuleError> {
        let number = native_identity();
        if let Some(Value::Text(test)) = parameter("test")
            && number.starts_with(&test)
        {
            return Ok(Creation::Skip("it is a test record".into()));
        }
        let is_external = match attribute("category") {
            None => return Err(RuleError::Declined("`category` is blank".into())),
            Some(Value::Text(category)) => category == "external",
            Some(_) => return Err(RuleError::Invalid("`category` is not a text".into())),
        };
        Ok(Creation::Create(if is_external {
            NewIdentity {
                name: Some(format!("x-{}", number.to_ascii_lowercase())),
                identity_type: Some("contractor".into()),
            }
        } else {
            NewIdentity {
                name: None,
                identity_type: None,
            }
        }))
    }
}
