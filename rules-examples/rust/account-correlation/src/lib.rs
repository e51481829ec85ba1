//! Correlation for a directory in which people have a second account.
//!
//! Administrators have an account of their own for that work, called like the
//! everyday one with something in front (`adm-ana`), and service accounts name
//! their owner in the description.
//!
//! | account               | belongs to                                      |
//! |-----------------------|-------------------------------------------------|
//! | `adm-ana`             | whoever is named `ana`                          |
//! | `owner: ana@acme.org` | whose `email` that is                           |
//! | others                | whom the configured matches find                |
//!
//! Parameter:
//! - `prefixes` (list of texts): what such accounts begin with

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "account-correlation-rule" });

use exports::idr::rules::account_correlation::Guest;
use idr::rules::account::{attribute, native_identity};
use idr::rules::parameters::parameter;
use idr::rules::types::{Lookup, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn correlate() -> Result<Option<Lookup>, RuleError> {
        let prefixes = match parameter("prefixes") {
            None => Vec::new(),
            Some(Value::Many(prefixes)) => prefixes,
            Some(_) => return Err(RuleError::Invalid("`prefixes` is not a list".into())),
        };
        let login = native_identity();
        let everyday = prefixes
            .iter()
            .find_map(|prefix| login.strip_prefix(prefix));
        if let Some(name) = everyday {
            return Ok(whose("name", name));
        }
        match attribute("description") {
            Some(Value::Text(description)) => Ok(description
                .strip_prefix("owner:")
                .and_then(|owner| whose("email", owner.trim()))),
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
