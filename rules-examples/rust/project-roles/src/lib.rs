//! Project roles: a role named like a project is for the people on it.
//!
//! The candidate role `Project 25` is for whoever's `projects` names
//! `Project 25`. The attribute is a text (several projects with `;` between
//! them) or a list.
//!
//! Parameters:
//! - `attribute` (text, default `projects`): the identity attribute to read

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "role-assignment-rule" });

use exports::idr::rules::role_assignment::{Eligibility, Guest};
use idr::rules::parameters::parameter;
use idr::rules::subject::attribute;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn assign(candidates: Vec<String>) -> Result<Vec<Eligibility>, RuleError> {
        let name = match parameter("attribute") {
            None => "projects".to_owned(),
            Some(Value::Text(name)) => name,
            Some(_) => {
                return Err(RuleError::Invalid(
                    "parameter `attribute` is not text".into(),
                ));
            }
        };
        let projects = match attribute(&name) {
            None => Vec::new(),
            Some(Value::Text(text)) => text.split(';').map(|each| each.trim().to_owned()).collect(),
            Some(Value::Many(projects)) => projects,
            Some(_) => {
                return Err(RuleError::Invalid(format!(
                    "`{name}` is neither text nor list"
                )));
            }
        };
        Ok(candidates
            .iter()
            .map(|role| {
                if projects.contains(role) {
                    Eligibility::Yes
                } else {
                    Eligibility::No
                }
            })
            .collect())
    }
}
