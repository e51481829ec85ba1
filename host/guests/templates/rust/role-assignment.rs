//! Who is eligible for which role: a role is named after the department that has
//! it. The parameter `always` lists roles that everybody has.

wit_bindgen::generate!({ path: "wit", world: "role-assignment-rule" });

mod panics;

use exports::idr::rules::role_assignment::{Eligibility, Guest};
use idr::rules::parameters::parameter;
use idr::rules::subject::attribute;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn assign(candidates: Vec<String>) -> Result<Vec<Eligibility>, RuleError> {
        let department = match attribute("department") {
            Some(Value::Text(department)) => Some(department),
            _ => None,
        };
        let always = match parameter("always") {
            Some(Value::Many(roles)) => roles,
            _ => Vec::new(),
        };
        // One answer per candidate, in their order.
        let answers = candidates.iter().map(|role| match &department {
            _ if always.contains(role) => Eligibility::Yes,
            None => Eligibility::CannotTell("no department".to_owned()),
            Some(department) if department == role => Eligibility::Yes,
            Some(_) => Eligibility::No,
        });
        Ok(answers.collect())
    }
}
