//! What a filter asks that something lists, apart from what else it asks: the
//! configuration makes entitlements of it that can be given.

use super::Filter;
use super::ast::{Condition, Operand, Operator, Path};
use super::compare::{Case, Literal};
use crate::model::Name;

impl Filter {
    /// Separates the texts that certain properties must have, or list, from the
    /// rest: `p == "a"` and `p.containsAll({"a", "b"})`, as far as all of it must
    /// hold. Returns them by property, and the rest, if there is one.
    pub fn separate(
        &self,
        is_wanted: impl Fn(Name) -> bool,
    ) -> (Vec<(Name, Vec<String>)>, Option<Self>) {
        let mut texts: Vec<(Name, Vec<String>)> = Vec::new();
        let mut rest = Vec::new();
        let conditions = match self.condition.as_ref() {
            Condition::And(conditions) => conditions.as_slice(),
            one => std::slice::from_ref(one),
        };
        for condition in conditions {
            let asked = asked(condition)
                .filter(|(path, _)| path.segments().len() == 1 && is_wanted(path.name()));
            let Some((path, asked)) = asked else {
                rest.push(condition.clone());
                continue;
            };
            let known = texts.iter_mut().find(|(name, _)| *name == path.name());
            match known {
                Some((_, known)) => known.extend(asked),
                None => texts.push((path.name(), asked)),
            }
        }
        for (_, texts) in &mut texts {
            texts.sort();
            texts.dedup();
        }
        let condition = match rest.len() {
            0 => None,
            1 => rest.pop(),
            _ => Some(Condition::And(rest)),
        };
        let rest = condition.map(|condition| Self {
            text: condition.to_string(),
            condition: Box::new(condition),
        });
        (texts, rest)
    }
}

/// Returns the texts that a condition asks a property for, if it asks for just those.
fn asked(condition: &Condition) -> Option<(&Path, Vec<String>)> {
    match condition {
        Condition::Compare {
            path,
            operator: Operator::Equal,
            case: Case::Sensitive,
            operand: Operand::Literal(literal),
        } => Some((path, vec![text(literal)?])),
        Condition::ContainsAll {
            path,
            case: Case::Sensitive,
            wanted,
        } => Some((path, wanted.iter().map(text).collect::<Option<_>>()?)),
        _ => None,
    }
}

fn text(literal: &Literal) -> Option<String> {
    match literal {
        Literal::Text(literal) if !literal.text.is_empty() => Some(literal.text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn separated(text: &str) -> String {
        let filter = Filter::parse(text).expect("a filter");
        let (texts, rest) = filter.separate(|name| name.as_str() == "groups");
        let texts = texts.iter().map(|(_, texts)| texts.join(" "));
        let rest = rest.map(|rest| rest.to_string());
        format!(
            "{} | {}",
            texts.collect::<String>(),
            rest.unwrap_or_default()
        )
    }

    #[test]
    fn what_must_be_listed_is_separated_from_the_rest() {
        assert_eq!(separated(r#"groups == "a""#), "a | ");
        assert_eq!(
            separated(r#"groups.containsAll({"b", "a"}) && status == "enabled" && groups == "c""#),
            r#"a b c | status == "enabled""#
        );
        for unclear in [
            r#"groups == "a" || groups == "b""#,
            r#"!(groups == "a")"#,
            r#"groups i== "a""#,
            "groups == 7",
            r#"title == "a""#,
            r#"groups.in({"a", "b"})"#,
        ] {
            let rest = Filter::parse(unclear).expect("a filter").to_string();
            assert_eq!(separated(unclear), format!(" | {rest}"));
        }
    }
}
