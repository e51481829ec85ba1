//! `usernameGenerator`: names of which each is given once.
//!
//! A generator makes candidates, in an order that people configure; attribute
//! promotion takes the first that is free. It is a source by itself and not an
//! operation on values, because what it comes to depends on what was given to others.

use std::fmt::Write as _;

use super::template::Template;
use super::{Evaluation, TransformFailure};
use crate::model::Name;
use crate::view::TrackedView;

/// A counter goes from 1 to this number.
pub const LAST_NUMBER: u32 = 1_000_000;

/// What makes names.
#[derive(Clone, Debug)]
pub struct UsernameGenerator {
    /// What names look like, in order of preference.
    pub patterns: Vec<Pattern>,
    /// Whether somebody whose name was made of other values gets another one.
    pub renew: bool,
}

/// What a name looks like. One that needs a value which isn't there is left out.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// One name.
    Fixed(Template),
    /// Names with a number that is counted up: what is before it and after it.
    Counted(Template, Template),
}

/// Names of one pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Candidate {
    /// This name.
    Fixed(String),
    /// These, with a number in between.
    Counted(String, String),
}

impl Candidate {
    /// Returns the names, in order.
    pub fn names(&self) -> Box<dyn Iterator<Item = String> + '_> {
        match self {
            Self::Fixed(name) => Box::new(std::iter::once(name.clone())),
            Self::Counted(before, after) => Box::new((1..=LAST_NUMBER).map(move |number| {
                let mut name = before.clone();
                // Writing to a text never fails.
                let _ = write!(name, "{number}{after}");
                name
            })),
        }
    }

    /// Says whether a name is one of them, whatever its case.
    pub fn makes(&self, name: &str) -> bool {
        let name = crate::text::fold(name);
        match self {
            Self::Fixed(fixed) => name == crate::text::fold(fixed),
            Self::Counted(before, after) => {
                let (before, after) = (crate::text::fold(before), crate::text::fold(after));
                let number = name.strip_prefix(&before);
                let number = number.and_then(|rest| rest.strip_suffix(&after));
                number.is_some_and(|number| {
                    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
                    is_number && !number.starts_with('0') && number.parse::<u32>().is_ok()
                })
            }
        }
    }
}

/// What the generator comes to for an identity.
#[derive(Debug)]
pub struct Candidates {
    /// Patterns with their values.
    pub candidates: Vec<Candidate>,
    /// Whether there are none because accounts that it reads aren't there.
    pub account_was_missing: bool,
}

impl UsernameGenerator {
    /// Returns the names that the view's identity could have.
    ///
    /// # Errors
    ///
    /// As [`super::Transform::evaluate`].
    pub fn candidates(
        &self,
        view: &mut TrackedView,
        attribute: Name,
    ) -> Result<Candidates, TransformFailure> {
        const OPERATION: &str = "usernameGenerator";
        let mut evaluation = Evaluation::begin(view, attribute);
        let mut candidates = Vec::new();
        for pattern in &self.patterns {
            let candidate = match pattern {
                Pattern::Fixed(template) => {
                    let name = evaluation.template_text(template, OPERATION)?;
                    name.filter(|name| !name.is_empty()).map(Candidate::Fixed)
                }
                Pattern::Counted(before, after) => {
                    let before = evaluation.template_text(before, OPERATION)?;
                    let after = evaluation.template_text(after, OPERATION)?;
                    before
                        .zip(after)
                        .map(|(before, after)| Candidate::Counted(before, after))
                }
            };
            candidates.extend(candidate);
        }
        Ok(Candidates {
            account_was_missing: evaluation.account_was_missing && !evaluation.field_was_blank,
            candidates,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Candidate;

    #[test]
    fn names_are_counted_from_one() {
        let counted = Candidate::Counted("ann.lee".to_owned(), "@x".to_owned());
        let names: Vec<_> = counted.names().take(3).collect();
        assert_eq!(names, ["ann.lee1@x", "ann.lee2@x", "ann.lee3@x"]);
        let fixed = Candidate::Fixed("ann".to_owned());
        assert_eq!(fixed.names().collect::<Vec<_>>(), ["ann"]);
    }

    #[test]
    fn a_name_is_told_from_those_of_other_patterns() {
        let counted = Candidate::Counted("Ann".to_owned(), String::new());
        assert!(counted.makes("ann17"));
        assert!(counted.makes("ANN1"));
        for other in ["ann", "ann0", "ann01", "ann1b", "anna1", "ann-1"] {
            assert!(!counted.makes(other), "{other}");
        }
        assert!(Candidate::Fixed("Ann".to_owned()).makes("ANN"));
        assert!(!Candidate::Fixed("Ann".to_owned()).makes("ann1"));
    }
}
