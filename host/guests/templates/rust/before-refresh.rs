//! The location of a person's first account that is in use. The parameter
//! `application` says where; it is `hr` otherwise.

wit_bindgen::generate!({ path: "wit", world: "before-refresh-rule" });

mod panics;

use exports::idr::rules::before_refresh::Guest;
use idr::rules::parameters::parameter;
use idr::rules::subject::{account_attribute, accounts};
use idr::rules::types::{AccountStatus, Proposal, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn propose() -> Result<Vec<Proposal>, RuleError> {
        let application = match parameter("application") {
            Some(Value::Text(application)) => application,
            _ => "hr".to_owned(),
        };
        let accounts = accounts(&application);
        let in_use = accounts
            .iter()
            .find(|account| account.status == AccountStatus::Enabled);
        let location = in_use.map(|account| Proposal {
            attribute: "location".to_owned(),
            value: account_attribute(account.handle, "location"),
        });
        // What isn't proposed comes from its sources.
        Ok(location.into_iter().collect())
    }
}
