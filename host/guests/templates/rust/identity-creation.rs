//! Which identity an account gives rise to: none for test accounts and for those
//! not in use, a contractor for externals. The parameter `prefix` replaces `test-`.

wit_bindgen::generate!({ path: "wit", world: "identity-creation-rule" });

mod panics;

use exports::idr::rules::identity_creation::{Creation, Guest, NewIdentity};
use idr::rules::account::{attribute, native_identity, status};
use idr::rules::parameters::parameter;
use idr::rules::types::{AccountStatus, RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn create() -> Result<Creation, RuleError> {
        let prefix = match parameter("prefix") {
            Some(Value::Text(prefix)) => prefix,
            _ => "test-".to_owned(),
        };
        if native_identity().starts_with(&prefix) {
            return Ok(Creation::Skip("a test account".to_owned()));
        }
        if status() != AccountStatus::Enabled {
            return Ok(Creation::Skip("not in use".to_owned()));
        }
        let is_external =
            matches!(attribute("employment"), Some(Value::Text(word)) if word == "external");
        // What is absent is as the application's configuration says.
        Ok(Creation::Create(NewIdentity {
            name: None,
            identity_type: is_external.then(|| "contractor".to_owned()),
        }))
    }
}
