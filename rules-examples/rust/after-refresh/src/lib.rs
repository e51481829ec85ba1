//! A badge of the colour of the highest role that somebody has.
//!
//! Roles are settled after attributes, so an attribute can't come from a role in
//! the same refresh: this proposes it for the next one. Whoever has none of the
//! roles is left to the sources, and whoever has gone loses the badge.
//!
//! Parameters:
//! - `attribute` (text): the identity attribute
//! - `roles` (list of texts): `ROLE=COLOUR`, the highest role first

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "after-refresh-rule" });

use exports::idr::rules::after_refresh::Guest;
use idr::rules::parameters::parameter;
use idr::rules::roles::has_assigned;
use idr::rules::subject;
use idr::rules::types::{Proposal, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn propose() -> Result<Vec<Proposal>, RuleError> {
        let Some(Value::Text(attribute)) = parameter("attribute") else {
            return Err(RuleError::Invalid("`attribute` is not a text".into()));
        };
        let Some(Value::Many(roles)) = parameter("roles") else {
            return Err(RuleError::Invalid("`roles` is not a list".into()));
        };
        if matches!(subject::attribute("inactive"), Some(Value::Boolean(true))) {
            let value = None;
            return Ok(vec![Proposal { attribute, value }]);
        }
        for entry in &roles {
            let Some((role, colour)) = entry.split_once('=') else {
                return Err(RuleError::Invalid(format!("`{entry}` is not ROLE=COLOUR")));
            };
            if has_assigned(role) {
                let value = Some(Value::Text(colour.into()));
                return Ok(vec![Proposal { attribute, value }]);
            }
        }
        Ok(Vec::new())
    }
}
