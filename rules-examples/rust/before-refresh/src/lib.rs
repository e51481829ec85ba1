//! Which of several employments counts, for whoever has more than one.
//!
//! A source reads the first account only. This proposes the attributes of the
//! account with the highest workload; of equal ones, the first counts. Whoever
//! has one employment is left to the sources.
//!
//! Parameters:
//! - `application` (text): the application that lists employments
//! - `attributes` (list of texts): what is taken from the account, under the
//!   same names
//! - `workload` (text, default `workload`): the account attribute with percent

wit_bindgen::generate!({ path: "../../../wit/0.1.0", world: "before-refresh-rule" });

use exports::idr::rules::before_refresh::Guest;
use idr::rules::parameters::parameter;
use idr::rules::subject::{AccountStatus, account_attribute, accounts};
use idr::rules::types::{Proposal, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn propose() -> Result<Vec<Proposal>, RuleError> {
        let Some(Value::Text(application)) = parameter("application") else {
            return Err(RuleError::Invalid("`application` is not a text".into()));
        };
        let Some(Value::Many(attributes)) = parameter("attributes") else {
            return Err(RuleError::Invalid("`attributes` is not a list".into()));
        };
        let workload = match parameter("workload") {
            Some(Value::Text(name)) => name,
            _ => "workload".into(),
        };
        let mut employments = accounts(&application);
        employments.retain(|account| account.status == AccountStatus::Enabled);
        if employments.len() < 2 {
            return Ok(Vec::new());
        }
        let mut main = (employments[0].handle, -1);
        for account in &employments {
            let percent = match account_attribute(account.handle, &workload) {
                None => 0,
                Some(Value::Integer(percent)) => percent,
                Some(_) => return Err(RuleError::Invalid(format!("`{workload}` is no integer"))),
            };
            if percent > main.1 {
                main = (account.handle, percent);
            }
        }
        let proposals = attributes.into_iter().map(|attribute| Proposal {
            value: account_attribute(main.0, &attribute),
            attribute,
        });
        Ok(proposals.collect())
    }
}
