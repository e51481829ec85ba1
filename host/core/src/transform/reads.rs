//! What transforms read of the identity that they are worked out for: for whoever
//! checks what values are made of before anything is worked out.

use super::moment::Side;
use super::template::{Part, Template};
use super::{Conditional, Transform};
use crate::definitions::{Mapping, Origin};
use crate::model::Name;
use crate::transform::usernames::Pattern;

/// Something that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// An attribute of the identity's accounts in an application.
    Account(Name, Name),
    /// An identity attribute or a reserved name.
    Attribute(Name),
}

impl Transform {
    /// Tells everything that the transform may read of its own identity; what it
    /// reads of others isn't told.
    pub fn each_input(&self, each: &mut dyn FnMut(Input)) {
        match self {
            Self::Input | Self::Fixed(_) | Self::AttributeOf(..) | Self::Derived(_) => {}
            Self::Of { input, transform } => {
                input.each_input(each);
                transform.each_input(each);
            }
            Self::Shared(transform) => transform.each_input(each),
            Self::Account(read) => each(Input::Account(read.application, read.attribute)),
            Self::Attribute(name) => each(Input::Attribute(*name)),
            Self::Text(input, _) => input.each_input(each),
            Self::Substring(substring) => {
                for part in [&substring.input, &substring.begin, &substring.end] {
                    part.each_input(each);
                }
            }
            Self::Template(template) => template.each_input(each),
            Self::Concat(values) | Self::Join(values, _) | Self::DisplayName(values) => {
                values.iter().for_each(|value| value.each_input(each));
            }
            Self::FirstValid { values, .. } => {
                values.iter().for_each(|value| value.each_input(each));
            }
            Self::Conditional(conditional) => {
                let Conditional {
                    left,
                    right,
                    positive,
                    negative,
                    ..
                } = conditional.as_ref();
                left.each_input(each);
                right.each_input(each);
                positive.each_input(each);
                negative.each_input(each);
            }
            Self::Compare(compare) => {
                for side in [&compare.first, &compare.second] {
                    if let Side::Of(transform) = side {
                        transform.each_input(each);
                    }
                }
                compare.positive.each_input(each);
                compare.negative.each_input(each);
            }
            Self::DateMath(math) => math.input.each_input(each),
            Self::Format(format) => format.input.each_input(each),
        }
    }
}

impl Template {
    fn each_input(&self, each: &mut dyn FnMut(Input)) {
        for part in &self.parts {
            if let Part::Variable { transform, .. } = part {
                transform.each_input(each);
            }
        }
    }
}

impl Origin {
    /// Tells everything that a source may read of its own identity, as far as that
    /// is written down: what a rule reads isn't.
    pub fn each_input(&self, each: &mut dyn FnMut(Input)) {
        match self {
            Self::Account {
                application,
                attribute,
            } => each(Input::Account(*application, *attribute)),
            Self::Transform(transform) => transform.each_input(each),
            Self::Usernames(generator) => {
                for pattern in &generator.patterns {
                    match pattern {
                        Pattern::Fixed(template) => template.each_input(each),
                        Pattern::Counted(before, after) => {
                            before.each_input(each);
                            after.each_input(each);
                        }
                    }
                }
            }
            Self::Static(_) | Self::Rule(_) => {}
        }
    }
}

impl Mapping {
    /// Tells everything that a mapping may read of the identity, as far as that is
    /// written down: what a rule reads isn't.
    pub fn each_input(&self, each: &mut dyn FnMut(Input)) {
        match self {
            Self::Attribute(name) => each(Input::Attribute(*name)),
            Self::Transform(transform) => transform.each_input(each),
            Self::Fixed(_) | Self::Rule(_) => {}
        }
    }
}
