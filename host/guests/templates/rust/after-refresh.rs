//! A red badge for whoever has a role, from the next refresh on: `Administrator`,
//! or what the parameter `role` says.

wit_bindgen::generate!({ path: "wit", world: "after-refresh-rule" });

mod panics;

use exports::idr::rules::after_refresh::Guest;
use idr::rules::parameters::parameter;
use idr::rules::roles::has_assigned;
use idr::rules::types::{Proposal, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn propose() -> Result<Vec<Proposal>, RuleError> {
        let role = match parameter("role") {
            Some(Value::Text(role)) => role,
            _ => "Administrator".to_owned(),
        };
        Ok(vec![Proposal {
            attribute: "badge".to_owned(),
            value: has_assigned(&role).then(|| Value::Text("red".to_owned())),
        }])
    }
}
