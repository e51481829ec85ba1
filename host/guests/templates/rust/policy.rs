//! Nobody may have more than two administrator roles: those whose names begin
//! with `Admin`. The parameter `most` is another number.

wit_bindgen::generate!({ path: "wit", world: "policy-rule" });

mod panics;

use exports::idr::rules::policy::{Grant, Guest, Violation};
use idr::rules::access::roles;
use idr::rules::parameters::parameter;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn judge(_policy: String) -> Result<Vec<Violation>, RuleError> {
        let most = match parameter("most") {
            Some(Value::Integer(most)) => most,
            _ => 2,
        };
        let mut held = roles();
        held.retain(|role| role.starts_with("Admin"));
        if held.len() as i64 <= most {
            return Ok(Vec::new());
        }
        Ok(vec![Violation {
            description: format!("more than {most} administrator roles"),
            grants: held.into_iter().map(Grant::Role).collect(),
        }])
    }
}
