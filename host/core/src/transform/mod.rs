//! Native transforms: values that are worked out by operations that people
//! name in configuration instead of writing a rule.
//!
//! The configuration checks and builds a [`Transform`] once; attribute promotion
//! evaluates it as a source of an identity attribute. It reads through the
//! tracked view like everything else, so what it reads of the identity is
//! settled first, and time that it asks for wakes the identity.
//!
//! | file | operations |
//! |---|---|
//! | [`text`] | on one text: case, padding, parts, replacement, look-up |
//! | [`codes`] | phone numbers, countries, languages |
//! | [`account`] | attributes of accounts |
//! | [`moment`], [`pattern`] | days, moments, and how they are written |
//! | [`template`] | texts with variables |
//! | [`derived`] | values derived from the tenant's secret |
//! | [`reads`] | what a transform reads, without working it out |
//! | [`usernames`] | names of which each is given once |
//!
//! An operation on nothing gives nothing. An empty text is a value within a
//! transform (the fallback of `firstValid` is often one) and no value at its end.

pub mod account;
pub mod codes;
pub mod derived;
pub mod moment;
pub mod pattern;
pub mod reads;
pub mod template;
pub mod text;
pub mod usernames;

use std::sync::Arc;

use thiserror::Error;

use crate::model::{Name, Text, Value, ValueType};
use crate::time::Zone;
use crate::view::{ReadError, TrackedView};
use account::AccountRead;
use derived::Derived;
use moment::{Compare, DateMath, Format};
use template::Template;
use text::TextOperation;

/// A text that a transform makes is at most this long, in bytes: patterns and
/// tables could make a small one grow without bound.
pub const LONGEST_TEXT_BYTES: usize = 1 << 20;

/// A checked transform.
#[derive(Clone, Debug)]
pub enum Transform {
    /// What the transform is applied to: the value of the source, or what the
    /// one that refers to it gives it.
    Input,
    /// A shared transform, applied to something else.
    Of {
        /// What is [`Transform::Input`] in it.
        input: Box<Transform>,
        /// The shared transform.
        transform: Arc<Transform>,
    },
    /// A shared transform, applied to the same input.
    Shared(Arc<Transform>),
    /// A value; an empty text counts as one.
    Fixed(Value),
    /// An attribute of the identity's accounts.
    Account(AccountRead),
    /// An identity attribute or a reserved name.
    Attribute(Name),
    /// An attribute of somebody else.
    AttributeOf(Referenced, Name),
    /// An operation on one text.
    Text(Box<Transform>, TextOperation),
    /// A part of a text.
    Substring(Box<Substring>),
    /// A text with variables.
    Template(Template),
    /// All of them as one text; nothing when one of them is nothing.
    Concat(Vec<Transform>),
    /// Those that are there, with a separator between them.
    Join(Vec<Transform>, String),
    /// What a person is called: the texts that are there, with a space between.
    DisplayName(Vec<Transform>),
    /// The first that is there.
    FirstValid {
        /// What is tried, in order.
        values: Vec<Transform>,
        /// Whether one that fails counts as not there.
        ignore_errors: bool,
    },
    /// One of two, by whether two texts are the same.
    Conditional(Box<Conditional>),
    /// One of two, by which moment is earlier.
    Compare(Box<Compare>),
    /// A moment, moved and rounded.
    DateMath(Box<DateMath>),
    /// A moment, written another way.
    Format(Box<Format>),
    /// A value derived from the tenant's secret.
    Derived(Derived),
}

/// Whose attribute is read.
#[derive(Clone, Debug)]
pub enum Referenced {
    /// The manager's.
    Manager,
    /// That of the identity with this name.
    Named(String),
}

/// A part of a text, counted in characters from 0.
#[derive(Clone, Debug)]
pub struct Substring {
    /// The text.
    pub input: Transform,
    /// The first character of the part; -1 means the text's first.
    pub begin: Transform,
    /// Added to `begin`, unless that is -1.
    pub begin_offset: i64,
    /// The character after the part; -1 means the text's end.
    pub end: Transform,
    /// Added to `end`, unless that is -1.
    pub end_offset: i64,
}

/// One of two values, by whether two texts are the same.
#[derive(Clone, Debug)]
pub struct Conditional {
    /// One side; without a value it equals only another without one.
    pub left: Template,
    /// The other side.
    pub right: Template,
    /// Whether it holds when they differ.
    pub negated: bool,
    /// The value when it holds.
    pub positive: Transform,
    /// The value when it doesn't.
    pub negative: Transform,
}

/// What a transform comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A value, never an empty one.
    Value(Value),
    /// No value.
    Empty,
    /// No value, because accounts that it reads aren't there.
    NoAccount,
}

/// Why a transform gives no answer. Messages never contain values.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TransformFailure {
    /// A read stopped it.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An operation was given what it can't work with.
    #[error("`{operation}`: {message}")]
    Operation {
        /// The operation.
        operation: &'static str,
        /// The stable word for findings.
        cause: &'static str,
        /// What is wrong, in words.
        message: String,
    },
}

impl TransformFailure {
    fn wrong_type(operation: &'static str, wanted: &str) -> Self {
        Self::Operation {
            operation,
            cause: "wrong-type",
            message: format!("what it is given is not {wanted}"),
        }
    }

    fn bad_value(operation: &'static str, message: impl Into<String>) -> Self {
        Self::Operation {
            operation,
            cause: "bad-value",
            message: message.into(),
        }
    }
}

type Answer = Result<Option<Value>, TransformFailure>;

impl Transform {
    /// Returns the name of the outermost operation.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Of { transform, .. } | Self::Shared(transform) => transform.operation(),
            Self::Input | Self::Fixed(_) | Self::Template(_) => "static",
            Self::Account(_) => "accountAttribute",
            Self::Attribute(_) => "identityAttribute",
            Self::AttributeOf(..) => "getReferenceIdentityAttribute",
            Self::Text(_, operation) => operation.name(),
            Self::Substring(_) => "substring",
            Self::Concat(_) => "concat",
            Self::Join(..) => "join",
            Self::DisplayName(_) => "displayName",
            Self::FirstValid { .. } => "firstValid",
            Self::Conditional(_) => "conditional",
            Self::Compare(_) => "dateCompare",
            Self::DateMath(_) => "dateMath",
            Self::Format(_) => "dateFormat",
            Self::Derived(derived) => derived.name(),
        }
    }

    /// Works the transform out for an attribute of the view's identity; `wanted`
    /// is its type: for a date a moment may become the day that it is then.
    ///
    /// # Errors
    ///
    /// [`TransformFailure`]; also when something it reads isn't settled yet.
    pub fn evaluate(
        &self,
        view: &mut TrackedView,
        attribute: Name,
        wanted: ValueType,
    ) -> Result<Outcome, TransformFailure> {
        let mut evaluation = Evaluation::begin(view, attribute);
        let mut value = evaluation.value(self)?.and_then(Value::normalised);
        if let (Some(Value::Instant(instant)), ValueType::Date) = (&value, wanted) {
            value = Some(Value::Date(evaluation.zone()?.day_of(*instant)));
        }
        Ok(match value {
            Some(value) => Outcome::Value(value),
            None if evaluation.account_was_missing && !evaluation.field_was_blank => {
                Outcome::NoAccount
            }
            None => Outcome::Empty,
        })
    }
}

/// One evaluation under way.
struct Evaluation<'v> {
    view: &'v mut TrackedView,
    attribute: Name,
    /// What [`Transform::Input`] is at this place.
    input: Option<Value>,
    account_was_missing: bool,
    field_was_blank: bool,
}

impl<'v> Evaluation<'v> {
    fn begin(view: &'v mut TrackedView, attribute: Name) -> Self {
        Self {
            view,
            attribute,
            input: None,
            account_was_missing: false,
            field_was_blank: false,
        }
    }

    fn value(&mut self, transform: &Transform) -> Answer {
        match transform {
            Transform::Input => Ok(self.input.clone()),
            Transform::Of { input, transform } => {
                let input = self.value(input)?;
                let outer = std::mem::replace(&mut self.input, input);
                let answer = self.value(transform);
                self.input = outer;
                answer
            }
            Transform::Shared(transform) => self.value(transform),
            Transform::Fixed(value) => Ok(Some(value.clone())),
            Transform::Account(attribute) => self.account(attribute),
            Transform::Attribute(name) => Ok(self.view.attribute(name)?),
            Transform::AttributeOf(Referenced::Manager, name) => {
                Ok(self.view.manager_attribute(name)?)
            }
            Transform::AttributeOf(Referenced::Named(identity), name) => {
                Ok(self.view.attribute_of_named(identity, *name)?)
            }
            Transform::Text(input, operation) => match self.text(input, operation.name())? {
                Some(text) => operation.apply(&text),
                None => Ok(None),
            },
            Transform::Substring(substring) => self.substring(substring),
            Transform::Template(template) => self.template(template),
            Transform::Concat(values) => self.concat(values),
            Transform::Join(values, separator) => self.join(values, separator),
            Transform::DisplayName(values) => self.display_name(values),
            Transform::FirstValid {
                values,
                ignore_errors,
            } => self.first_valid(values, *ignore_errors),
            Transform::Conditional(conditional) => self.conditional(conditional),
            Transform::Compare(compare) => self.compare(compare),
            Transform::DateMath(math) => self.date_math(math),
            Transform::Format(format) => self.format(format),
            Transform::Derived(derived) => self.derived(*derived),
        }
    }

    /// Returns the value as one text.
    fn text(
        &mut self,
        transform: &Transform,
        operation: &'static str,
    ) -> Result<Option<Text>, TransformFailure> {
        match self.value(transform)? {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Many(mut texts)) if texts.len() <= 1 => Ok(texts.pop()),
            Some(Value::Many(_)) => Err(TransformFailure::wrong_type(
                operation,
                "one text, but a list of several",
            )),
            Some(value) => Ok(Some(value.to_string().into())),
        }
    }

    fn zone(&mut self) -> Result<Zone, TransformFailure> {
        Ok(self.view.own_zone()?)
    }

    fn substring(&mut self, substring: &Substring) -> Answer {
        const OPERATION: &str = "substring";
        let Some(text) = self.text(&substring.input, OPERATION)? else {
            return Ok(None);
        };
        let Some(begin) = self.place(&substring.begin, substring.begin_offset)? else {
            return Ok(None);
        };
        let Some(end) = self.place(&substring.end, substring.end_offset)? else {
            return Ok(None);
        };
        let begin = begin.unwrap_or(0);
        let characters = text.chars().skip(begin);
        let part: String = match end {
            Some(end) => characters.take(end.saturating_sub(begin)).collect(),
            None => characters.collect(),
        };
        Ok(Some(Value::text(part)))
    }

    /// Returns a place in a text; the inner none for -1, the outer when nothing
    /// says the place.
    fn place(
        &mut self,
        transform: &Transform,
        offset: i64,
    ) -> Result<Option<Option<usize>>, TransformFailure> {
        const OPERATION: &str = "substring";
        let Some(text) = self.text(transform, OPERATION)? else {
            return Ok(None);
        };
        let number: i64 = text
            .trim()
            .parse()
            .map_err(|_| TransformFailure::wrong_type(OPERATION, "a whole number"))?;
        if number == -1 {
            return Ok(Some(None));
        }
        let place = number.saturating_add(offset).max(0);
        Ok(Some(Some(usize::try_from(place).unwrap_or(usize::MAX))))
    }

    fn concat(&mut self, values: &[Transform]) -> Answer {
        const OPERATION: &str = "concat";
        let mut whole = String::new();
        for value in values {
            match self.text(value, OPERATION)? {
                Some(text) => append(&mut whole, &text, OPERATION)?,
                None => return Ok(None),
            }
        }
        Ok(Some(Value::text(whole)))
    }

    fn join(&mut self, values: &[Transform], separator: &str) -> Answer {
        const OPERATION: &str = "join";
        let mut whole: Option<String> = None;
        for value in values {
            let mut texts = Vec::new();
            if let Some(value) = self.value(value)? {
                value.each_text(|text| texts.push(text.to_owned()));
            }
            for text in texts.iter().filter(|text| !text.is_empty()) {
                match &mut whole {
                    None => whole = Some(text.clone()),
                    Some(whole) => {
                        append(whole, separator, OPERATION)?;
                        append(whole, text, OPERATION)?;
                    }
                }
            }
        }
        Ok(whole.map(Value::text))
    }

    fn display_name(&mut self, values: &[Transform]) -> Answer {
        const OPERATION: &str = "displayName";
        let mut whole = String::new();
        for value in values {
            let text = self.text(value, OPERATION)?.unwrap_or_default();
            if !whole.is_empty() && !text.is_empty() {
                append(&mut whole, " ", OPERATION)?;
            }
            append(&mut whole, &text, OPERATION)?;
        }
        Ok((!whole.is_empty()).then_some(Value::text(whole)))
    }

    fn first_valid(&mut self, values: &[Transform], ignore_errors: bool) -> Answer {
        for value in values {
            match self.value(value) {
                Ok(None) => {}
                Err(TransformFailure::Operation { .. }) if ignore_errors => {}
                answer => return answer,
            }
        }
        Ok(None)
    }

    fn conditional(&mut self, conditional: &Conditional) -> Answer {
        const OPERATION: &str = "conditional";
        let left = self.template_text(&conditional.left, OPERATION)?;
        let right = self.template_text(&conditional.right, OPERATION)?;
        if (left == right) != conditional.negated {
            self.value(&conditional.positive)
        } else {
            self.value(&conditional.negative)
        }
    }
}

fn append(whole: &mut String, text: &str, operation: &'static str) -> Result<(), TransformFailure> {
    if whole.len() + text.len() > LONGEST_TEXT_BYTES {
        return Err(too_long(operation));
    }
    whole.push_str(text);
    Ok(())
}

fn too_long(operation: &'static str) -> TransformFailure {
    TransformFailure::Operation {
        operation,
        cause: "too-long",
        message: format!("the text would be longer than {LONGEST_TEXT_BYTES} bytes"),
    }
}
