//! Two policies about access, whatever role or request it came by.
//!
//! | policy       | is broken by                                                   |
//! |--------------|----------------------------------------------------------------|
//! | `payments`   | creating vendors together with releasing payments              |
//! | `privileged` | more privileged entitlements than `most`                       |
//!
//! Whoever may release only small amounts may create vendors: the identity
//! attribute `releaseLimit` says up to which amount somebody releases, and what
//! isn't more than `harmless` breaks nothing.
//!
//! Parameters, where an entitlement is written `APPLICATION ATTRIBUTE VALUE`:
//! - `vendors`, `releases` (lists): what lets people create vendors, and release
//! - `harmless` (integer): up to which amount releasing is harmless (default 0)
//! - `privileged` (list): the privileged entitlements
//! - `most` (integer): how many of them somebody may have (default 2)
//!
//! The same component judges what is there and what is called for: a violation
//! that is only called for can be held back by the host.

wit_bindgen::generate!({ path: "../../../wit/0.1.1", world: "policy-rule" });

use exports::idr::rules::policy::{Entitlement, Grant, Guest, Violation};
use idr::rules::access::holds;
use idr::rules::parameters::parameter;
use idr::rules::subject::attribute;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn judge(policy: String) -> Result<Vec<Violation>, RuleError> {
        match policy.as_str() {
            "payments" => payments(),
            "privileged" => privileged(),
            _ => Err(RuleError::Invalid(format!(
                "`{policy}` is no policy of this rule"
            ))),
        }
    }
}

fn payments() -> Result<Vec<Violation>, RuleError> {
    let vendors = held("vendors")?;
    if vendors.is_empty() {
        return Ok(Vec::new());
    }
    let releases = held("releases")?;
    // Whom the limit can't save needn't have it read.
    if releases.is_empty() || is_harmless()? {
        return Ok(Vec::new());
    }
    Ok(vec![Violation {
        description: "creates vendors and releases payments".to_owned(),
        grants: vendors.into_iter().chain(releases).collect(),
    }])
}

fn is_harmless() -> Result<bool, RuleError> {
    let harmless = integer_parameter("harmless", 0)?;
    match attribute("releaseLimit") {
        Some(Value::Integer(limit)) => Ok(limit <= harmless),
        // Without a limit somebody releases whatever comes.
        None => Ok(false),
        Some(_) => Err(RuleError::Invalid(
            "`releaseLimit` is not an integer".to_owned(),
        )),
    }
}

fn privileged() -> Result<Vec<Violation>, RuleError> {
    let most = integer_parameter("most", 2)?;
    let grants = held("privileged")?;
    if grants.len() as i64 <= most {
        return Ok(Vec::new());
    }
    // The number isn't part of the description: the violation is the same
    // for as long as the same entitlements break the policy.
    Ok(vec![Violation {
        description: format!("more than {most} privileged entitlements"),
        grants,
    }])
}

/// Returns those of a parameter's entitlements that somebody has.
fn held(parameter_name: &str) -> Result<Vec<Grant>, RuleError> {
    let entitlements = match parameter(parameter_name) {
        Some(Value::Many(entitlements)) => entitlements,
        _ => return Err(invalid(parameter_name, "a list of texts")),
    };
    let mut grants = Vec::new();
    for text in entitlements {
        let mut words = text.splitn(3, ' ');
        let (Some(application), Some(attribute), Some(value)) =
            (words.next(), words.next(), words.next())
        else {
            return Err(invalid(parameter_name, "APPLICATION ATTRIBUTE VALUE"));
        };
        if holds(application, attribute, value) {
            grants.push(Grant::Entitlement(Entitlement {
                application: application.to_owned(),
                attribute: attribute.to_owned(),
                value: value.to_owned(),
            }));
        }
    }
    Ok(grants)
}

fn integer_parameter(name: &str, otherwise: i64) -> Result<i64, RuleError> {
    match parameter(name) {
        None => Ok(otherwise),
        Some(Value::Integer(number)) => Ok(number),
        Some(_) => Err(invalid(name, "an integer")),
    }
}

fn invalid(parameter_name: &str, wanted: &str) -> RuleError {
    RuleError::Invalid(format!("parameter `{parameter_name}` is not {wanted}"))
}
