//! The home directory of an account: `/home`, the site if there is one, and the
//! login. The parameter `root` replaces `/home`.

wit_bindgen::generate!({ path: "wit", world: "target-mapping-rule" });

mod panics;

use exports::idr::rules::target_mapping::{Guest, Mapping, Target};
use idr::rules::parameters::parameter;
use idr::rules::subject::attribute;
use idr::rules::types::{RuleError, Value};

struct Rule;
export!(Rule);

impl Guest for Rule {
    fn map_target(target: Target) -> Result<Mapping, RuleError> {
        if target.attribute != "homeDirectory" {
            return Ok(Mapping::Leave);
        }
        let Some(login) = text_of("login")? else {
            return Ok(Mapping::Clear);
        };
        let root = match parameter("root") {
            Some(Value::Text(root)) => root,
            _ => "/home".to_owned(),
        };
        let home = match text_of("site")? {
            Some(site) => format!("{root}/{site}/{login}"),
            None => format!("{root}/{login}"),
        };
        Ok(Mapping::Set(Value::Text(home)))
    }
}

fn text_of(name: &str) -> Result<Option<String>, RuleError> {
    match attribute(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(RuleError::Invalid(format!("`{name}` is not text"))),
    }
}
