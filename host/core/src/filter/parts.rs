//! A filter taken apart: which of its parts hold, for explanations.

use super::Filter;
use super::ast::Condition;
use super::evaluate::Properties;

/// One part of a filter, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How deep it lies within other parts, from 0.
    pub depth: usize,
    /// Its canonical text; `all of`, `any of` or `not` for one that has parts.
    pub text: String,
    /// Whether it holds.
    pub holds: bool,
}

impl Filter {
    /// Returns every part of the filter with whether it holds, each before its
    /// own parts. Unlike [`Filter::matches`] it reads them all.
    ///
    /// # Errors
    ///
    /// Whatever the first read that failed returned.
    pub fn parts<P, E>(&self, properties: &mut P) -> Result<Vec<Part>, E>
    where
        P: Properties<E> + ?Sized,
    {
        let mut parts = Vec::new();
        take_apart(&self.condition, 0, properties, &mut parts)?;
        Ok(parts)
    }
}

fn take_apart<P, E>(
    condition: &Condition,
    depth: usize,
    properties: &mut P,
    parts: &mut Vec<Part>,
) -> Result<bool, E>
where
    P: Properties<E> + ?Sized,
{
    let place = parts.len();
    parts.push(Part {
        depth,
        text: String::new(),
        holds: false,
    });
    let mut each = |conditions: &[Condition]| {
        let mut held = Vec::new();
        for condition in conditions {
            held.push(take_apart(condition, depth + 1, properties, parts)?);
        }
        Ok(held)
    };
    let (text, holds) = match condition {
        Condition::And(conditions) => {
            let held = each(conditions)?;
            ("all of".to_owned(), held.into_iter().all(|holds| holds))
        }
        Condition::Or(conditions) => {
            let held = each(conditions)?;
            ("any of".to_owned(), held.into_iter().any(|holds| holds))
        }
        Condition::Not(condition) => {
            let held = each(std::slice::from_ref(condition))?;
            ("not".to_owned(), held.into_iter().all(|holds| !holds))
        }
        leaf => (leaf.to_string(), leaf.holds(properties)?),
    };
    parts[place].text = text;
    parts[place].holds = holds;
    Ok(holds)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::SingleValue;
    use super::Filter;
    use crate::model::Value;

    #[test]
    fn each_part_is_told_before_its_own_parts() {
        let filter = "value == \"a\" && !(value == \"b\" || value.isNull())";
        let filter = Filter::parse(filter).expect("a filter");
        let value = Value::text("b");
        let parts = filter.parts::<_, ()>(&mut SingleValue(Some(&value)));
        let parts = parts.expect("nothing can fail");
        let shown = parts.iter().map(|part| {
            let margin = " ".repeat(part.depth);
            format!("{margin}{}: {}", part.text, part.holds)
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                "all of: false",
                " value == \"a\": false",
                " not: false",
                "  any of: true",
                "   value == \"b\": true",
                "   value.isNull(): false",
            ]
        );
    }

    proptest! {
        /// What the parts come to is what the filter says.
        #[test]
        fn parts_come_to_what_the_whole_says(
            text in "(!?\\(value == \"[ab]\" (&&|\\|\\|) !?\\(value == \"[ab]\" (&&|\\|\\|) value[.]notNull\\(\\)\\)\\))",
            value in "[abc]",
        ) {
            let filter = Filter::parse(&text).expect("a filter");
            let value = Value::text(value);
            let whole = filter.matches::<_, ()>(&mut SingleValue(Some(&value)));
            let parts = filter.parts::<_, ()>(&mut SingleValue(Some(&value)));
            prop_assert_eq!(whole, parts.map(|parts| parts[0].holds));
        }
    }
}
