//! Texts with variables: `static`, and the texts of `conditional`.
//!
//! `$name` and `${name}` stand for a variable; without a value the whole text
//! has none. `$!name` and `$!{name}` are empty then. A `$` before anything else
//! is itself.

use super::{Evaluation, Transform, TransformFailure, append};
use crate::model::Value;

/// A text with variables.
#[derive(Clone, Debug)]
pub struct Template {
    /// What it is made of, in order.
    pub parts: Vec<Part>,
    /// Whether a variable that fails counts as one without a value.
    pub ignore_errors: bool,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Part {
    /// Text as it stands.
    Text(String),
    /// A variable.
    Variable {
        /// What it stands for.
        transform: Transform,
        /// Whether it is empty where it has no value.
        quiet: bool,
    },
}

/// A part of a template whose variables aren't resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawPart<'t> {
    /// Text as it stands.
    Text(&'t str),
    /// A variable, by name, and whether it may be without a value.
    Variable(&'t str, bool),
}

/// Splits a text at its variables.
pub fn split(text: &str) -> Vec<RawPart<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        match variable(&rest[dollar + 1..]) {
            Some((name, quiet, after)) => {
                if dollar > 0 {
                    parts.push(RawPart::Text(&rest[..dollar]));
                }
                parts.push(RawPart::Variable(name, quiet));
                rest = after;
            }
            None => {
                let (literal, after) = rest.split_at(dollar + 1);
                parts.push(RawPart::Text(literal));
                rest = after;
            }
        }
    }
    if !rest.is_empty() {
        parts.push(RawPart::Text(rest));
    }
    parts
}

/// Reads what follows a `$`: the name, whether it is quiet, and the rest.
fn variable(text: &str) -> Option<(&str, bool, &str)> {
    let (quiet, text) = match text.strip_prefix('!') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (braced, text) = match text.strip_prefix('{') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || (c == '-' && braced);
    let end = text.find(|c| !in_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        return None;
    }
    match braced {
        true => Some((name, quiet, rest.strip_prefix('}')?)),
        false => Some((name, quiet, rest)),
    }
}

impl Evaluation<'_> {
    /// Returns a template's value: that of its one variable as it is, or a text.
    pub(super) fn template(
        &mut self,
        template: &Template,
    ) -> Result<Option<Value>, TransformFailure> {
        if let [Part::Variable { transform, .. }] = template.parts.as_slice() {
            return match self.value(transform) {
                Err(TransformFailure::Operation { .. }) if template.ignore_errors => Ok(None),
                answer => answer,
            };
        }
        Ok(self.template_text(template, "static")?.map(Value::text))
    }

    /// Returns a template's text.
    pub(super) fn template_text(
        &mut self,
        template: &Template,
        operation: &'static str,
    ) -> Result<Option<String>, TransformFailure> {
        let mut whole = String::new();
        for part in &template.parts {
            match part {
                Part::Text(text) => append(&mut whole, text, operation)?,
                Part::Variable { transform, quiet } => {
                    let text = match self.text(transform, operation) {
                        Err(TransformFailure::Operation { .. }) if template.ignore_errors => None,
                        answer => answer?,
                    };
                    match text {
                        Some(text) => append(&mut whole, &text, operation)?,
                        None if *quiet => {}
                        None => return Ok(None),
                    }
                }
            }
        }
        Ok(Some(whole))
    }
}

#[cfg(test)]
mod tests {
    use super::{RawPart, split};

    #[test]
    fn variables_are_told_from_other_dollars() {
        use RawPart::{Text, Variable};
        assert_eq!(split("$a.b"), [Variable("a", false), Text(".b")]);
        assert_eq!(
            split("x${a-b}y$!c $!{d}"),
            [
                Text("x"),
                Variable("a-b", false),
                Text("y"),
                Variable("c", true),
                Text(" "),
                Variable("d", true)
            ]
        );
        assert_eq!(split("5$"), [Text("5$")]);
        assert_eq!(split("$5 ${"), [Text("$"), Text("5 $"), Text("{")]);
        assert_eq!(split(""), []);
    }
}
