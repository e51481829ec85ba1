//! The source that gives each name once: `usernameGenerator`.

use std::cell::Cell;

use idr_core::transform::usernames::{Pattern, UsernameGenerator};

use super::{Fields, Reader, Shelf, Variables};
use crate::config::document::Scope;

/// The operation's name.
pub(super) const OPERATION: &str = "usernameGenerator";

/// Its keys; everything else is a variable.
const KEYS: [&str; 4] = ["patterns", "renew", "sourceCheck", "*"];

/// What stands for the number in a pattern.
const COUNTER: [&str; 2] = ["${uniqueCounter}", "$uniqueCounter"];

/// Says whether a transform generates names.
pub(in crate::config::check) fn is_generator(raw: &toml::Value) -> bool {
    raw.get("type").and_then(toml::Value::as_str) == Some(OPERATION)
}

impl Shelf<'_> {
    /// Reads the generator of a source.
    pub(in crate::config::check) fn usernames(
        &self,
        scope: &Scope<'_>,
        raw: &toml::Value,
    ) -> Option<UsernameGenerator> {
        let fields = Fields::of(scope, raw.as_table()?, OPERATION, &KEYS);
        let reader = Reader {
            shelf: self,
            has_input: false,
            needs_input: Cell::default(),
            operations: Cell::default(),
        };
        let generator = reader.usernames(&fields)?;
        reader.is_within_bounds(scope).then_some(generator)
    }
}

impl Reader<'_, '_> {
    fn usernames(&self, fields: &Fields<'_>) -> Option<UsernameGenerator> {
        if fields.truth("sourceCheck", false)? {
            fields.at("sourceCheck").report_with_hint(
                "names aren't looked for in applications",
                "leave it out, and name the attribute of the accounts as a source before this \
                 one: whoever has a name there keeps it, and nobody else is given it",
            );
            return None;
        }
        let renew = fields.truth("renew", false)?;
        let variables = Variables::of(self, fields, &["patterns", "renew", "sourceCheck"]);
        let place = fields.at("patterns");
        let texts = match fields.table.get("patterns") {
            Some(toml::Value::Array(texts)) if !texts.is_empty() => texts,
            _ => {
                let hint =
                    "write a list such as `[\"$first.$last\", \"$first.$last${uniqueCounter}\"]`";
                place.report_with_hint("there are none", hint);
                return None;
            }
        };
        let mut patterns = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let scope = place.item(index);
            let Some(text) = text.as_str().filter(|text| !text.is_empty()) else {
                scope.report("a pattern is a text, and not an empty one");
                return None;
            };
            if matches!(patterns.last(), Some(Some(Pattern::Counted(..)))) {
                scope.report("it is never reached: the pattern before it has a number");
            }
            patterns.push(pattern(&scope, &variables, text));
        }
        variables.check_used();
        let patterns = patterns.into_iter().collect::<Option<Vec<_>>>()?;
        Some(UsernameGenerator { patterns, renew })
    }
}

fn pattern(scope: &Scope<'_>, variables: &Variables<'_>, text: &str) -> Option<Pattern> {
    let around = COUNTER.iter().find_map(|counter| text.split_once(counter));
    let Some((before, after)) = around else {
        let template = variables.template(scope, text, false)?;
        return Some(Pattern::Fixed(template));
    };
    if COUNTER.iter().any(|counter| after.contains(counter)) {
        scope.report("a name has one number at most");
        return None;
    }
    let before = variables.template(scope, before, false);
    let after = variables.template(scope, after, false);
    Some(Pattern::Counted(before?, after?))
}
