//! Whose an account is: by its employee number; `adm-anna` is a second account of
//! whoever logs in as `anna`. The parameter `prefix` replaces `adm-`.

wit_bindgen::generate!({ path: "wit", world: "account-correlation-rule" });

mod panics;

use exports::idr::rules::account_correlation::Guest;
use idr::rules::account::{attribute, native_identity};
use idr::rules::parameters::parameter;
use idr::rules::types::{Lookup, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn correlate() -> Result<Option<Lookup>, RuleError> {
        match attribute("employeeNumber") {
            None => {}
            Some(Value::Text(number)) => return Ok(Some(lookup("employeeNumber", &number))),
            Some(_) => {
                return Err(RuleError::Invalid(
                    "`employeeNumber` is not text".to_owned(),
                ));
            }
        }
        let prefix = match parameter("prefix") {
            Some(Value::Text(prefix)) => prefix,
            _ => "adm-".to_owned(),
        };
        let name = native_identity();
        let login = name.strip_prefix(&prefix);
        Ok(login.map(|login| lookup("login", login)))
    }
}

fn lookup(attribute: &str, value: &str) -> Lookup {
    Lookup {
        attribute: attribute.to_owned(),
        value: value.to_owned(),
    }
}
