//! Lifecycle state by presence: whoever the HR application lists is `active`,
//! whoever it no longer lists is `inactive`.
//!
//! Parameters:
//! - `application`: the application that decides (text, default `hr`)

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "lifecycle-state-rule" });

use exports::idr::rules::lifecycle_state::Guest;
use idr::rules::parameters::parameter;
use idr::rules::subject::{AccountStatus, accounts};
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn state() -> Result<String, RuleError> {
        let application = match parameter("application") {
            None => "hr".to_owned(),
            Some(Value::Text(name)) => name,
            Some(_) => {
                return Err(RuleError::Invalid(
                    "parameter `application` is not text".into(),
                ));
            }
        };
        // An account that the application no longer lists is `vanished`; a
        // disabled or locked one still belongs to somebody who is there.
        let listed = accounts(&application)
            .iter()
            .any(|account| account.status != AccountStatus::Vanished);
        Ok(if listed { "active" } else { "inactive" }.to_owned())
    }
}
