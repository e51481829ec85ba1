//! Birthright roles: a role's name says who should have it.
//!
//! | candidate role                         | is for people                       |
//! |----------------------------------------|-------------------------------------|
//! | `Department: Sales`                    | whose `department` is `Sales`       |
//! | `Location: Berlin`                     | whose `location` is `Berlin`        |
//! | `Job: Engineer`                        | whose `jobTitle` is `Engineer`      |
//! | `Department: Sales, Location: Berlin`  | both                                |
//!
//! Parameters:
//! - `department`, `location`, `job` (text): the identity attributes to read
//!   (default `department`, `location`, `jobTitle`)
//!
//! Somebody without a department is in none: `no`. Answer `cannot-tell`
//! instead where a missing value should leave the roles as they are.

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "role-assignment-rule" });

use exports::idr::rules::role_assignment::{Eligibility, Guest};
use idr::rules::parameters::parameter;
use idr::rules::subject::attribute;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn assign(candidates: Vec<String>) -> Result<Vec<Eligibility>, RuleError> {
        let mut person = Person::default();
        candidates
            .iter()
            .map(|candidate| person.is_eligible(candidate))
            .collect()
    }
}

/// What is known of the person: each attribute is read when a candidate first
/// asks for it, and only then. What a rule doesn't read can't concern it, so
/// the host needn't refresh anybody for its sake.
#[derive(Default)]
struct Person {
    department: Option<Option<Value>>,
    location: Option<Option<Value>>,
    job: Option<Option<Value>>,
}

impl Person {
    /// Says whether every condition in the role's name holds.
    fn is_eligible(&mut self, candidate: &str) -> Result<Eligibility, RuleError> {
        for condition in candidate.split(',') {
            let Some((what, wanted)) = condition.split_once(':') else {
                return Ok(Eligibility::CannotTell(format!(
                    "`{condition}` is no condition"
                )));
            };
            let value = match what.trim() {
                "Department" => read(&mut self.department, "department", "department")?,
                "Location" => read(&mut self.location, "location", "location")?,
                "Job" => read(&mut self.job, "job", "jobTitle")?,
                _ => return Ok(Eligibility::CannotTell(format!("`{what}` is no condition"))),
            };
            match value {
                Some(Value::Text(text)) if text == wanted.trim() => {}
                Some(Value::Text(_)) | None => return Ok(Eligibility::No),
                Some(_) => return Ok(Eligibility::CannotTell(format!("`{what}` is not text"))),
            }
        }
        Ok(Eligibility::Yes)
    }
}

/// Returns the attribute that the parameter names, reading it only once.
fn read<'a>(
    known: &'a mut Option<Option<Value>>,
    parameter_name: &str,
    usual_attribute: &str,
) -> Result<&'a Option<Value>, RuleError> {
    if known.is_none() {
        let value = match parameter(parameter_name) {
            None => attribute(usual_attribute),
            Some(Value::Text(name)) => attribute(&name),
            Some(_) => {
                return Err(RuleError::Invalid(format!(
                    "parameter `{parameter_name}` is not text"
                )));
            }
        };
        *known = Some(value);
    }
    Ok(known.as_ref().unwrap_or(&None))
}
