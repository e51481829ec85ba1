//! Decides whether a filter holds. This is what defines the language; every
//! other form of a filter, such as SQL, may only narrow down whom to ask.

use std::borrow::Cow;

use super::ast::{Condition, Operand, Operator, Path};
use super::compare::{Case, Literal, any_single};
use crate::model::Value;

/// Where a filter reads properties from: the tracked view of an identity, a
/// stored document, or a single value.
///
/// Every read goes through here, in the order that the language states, so an
/// implementation can note what was read. `E` is why a read can fail; a filter
/// never catches it.
pub trait Properties<E> {
    /// Returns the value of a property, none when it has no value.
    ///
    /// A path through a collection, such as `links.application.name`, answers
    /// with the texts of all items as [`Value::Many`]; the path of a collection
    /// itself answers with its items' keys or names.
    ///
    /// # Errors
    ///
    /// Whatever keeps the property from being known.
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, E>;

    /// Asks `holds` about the items of a collection in their order, and stops
    /// at the first for which it is true; returns whether there was one.
    ///
    /// # Errors
    ///
    /// Whatever keeps the items from being known, and what `holds` returns.
    fn any_item(
        &mut self,
        collection: &Path,
        holds: &mut dyn FnMut(&mut dyn Properties<E>) -> Result<bool, E>,
    ) -> Result<bool, E>;
}

/// A single value as properties: it is called `value`, and there is nothing else.
///
/// This is what a trigger's filters on the old and on the new value read.
#[derive(Clone, Copy, Debug)]
pub struct SingleValue<'a>(pub Option<&'a Value>);

impl SingleValue<'_> {
    /// The name of the one property.
    pub const PROPERTY: &'static str = "value";
}

impl<E> Properties<E> for SingleValue<'_> {
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, E> {
        let known = path.name().as_str() == Self::PROPERTY;
        Ok(self.0.filter(|_| known).map(Cow::Borrowed))
    }

    fn any_item(
        &mut self,
        _collection: &Path,
        _holds: &mut dyn FnMut(&mut dyn Properties<E>) -> Result<bool, E>,
    ) -> Result<bool, E> {
        Ok(false)
    }
}

impl Condition {
    pub(super) fn holds<P, E>(&self, properties: &mut P) -> Result<bool, E>
    where
        P: Properties<E> + ?Sized,
    {
        match self {
            Self::And(parts) => {
                for part in parts {
                    if !part.holds(properties)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Or(parts) => {
                for part in parts {
                    if part.holds(properties)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Not(condition) => Ok(!condition.holds(properties)?),
            Self::Compare {
                path,
                operator,
                case,
                operand: Operand::Literal(literal),
            } => {
                let value = properties.property(path)?;
                Ok(operator.holds(value.as_deref(), literal, *case))
            }
            Self::Compare {
                path,
                operator,
                case,
                operand: Operand::Property(other),
            } => {
                let left = properties.property(path)?.map(Cow::into_owned);
                let right = properties.property(other)?;
                Ok(operator.holds_between(left.as_ref(), right.as_deref(), *case))
            }
            Self::In {
                path,
                case,
                choices,
            } => {
                let value = properties.property(path)?;
                Ok(value.is_some_and(|value| {
                    any_single(&value, |single| {
                        choices.iter().any(|choice| choice.is_equal(single, *case))
                    })
                }))
            }
            Self::ContainsAll { path, case, wanted } => {
                let value = properties.property(path)?;
                Ok(value.is_some_and(|value| {
                    wanted
                        .iter()
                        .all(|wanted| any_single(&value, |single| wanted.is_equal(single, *case)))
                }))
            }
            Self::HasPart {
                path,
                part,
                case,
                literal,
            } => {
                let value = properties.property(path)?;
                let Literal::Text(literal) = literal else {
                    return Ok(false);
                };
                Ok(value.is_some_and(|value| {
                    any_single(&value, |single| literal.is_part(single, *part, *case))
                }))
            }
            Self::IsNull(path) => Ok(properties.property(path)?.is_none()),
            Self::NotNull(path) => Ok(properties.property(path)?.is_some()),
            Self::AnyItem {
                collection,
                condition,
            } => properties.any_item(collection, &mut |item| condition.holds(item)),
        }
    }
}

impl Operator {
    fn holds(self, value: Option<&Value>, literal: &Literal, case: Case) -> bool {
        let any = |test: &dyn Fn(std::cmp::Ordering) -> bool| {
            value.is_some_and(|value| {
                any_single(value, |single| {
                    literal.order(single, case).is_some_and(test)
                })
            })
        };
        match self {
            Self::Equal | Self::NotEqual => {
                let equal = value.is_some_and(|value| {
                    any_single(value, |single| literal.is_equal(single, case))
                });
                equal == (self == Self::Equal)
            }
            Self::Less => any(&|order| order.is_lt()),
            Self::Greater => any(&|order| order.is_gt()),
            Self::LessOrEqual => any(&|order| order.is_le()),
            Self::GreaterOrEqual => any(&|order| order.is_ge()),
        }
    }

    fn holds_between(self, left: Option<&Value>, right: Option<&Value>, case: Case) -> bool {
        if self == Self::NotEqual {
            return !Self::Equal.holds_between(left, right, case);
        }
        match right {
            Some(right) => any_single(right, |single| self.holds(left, &Literal::of(single), case)),
            None => self == Self::Equal && left.is_none(),
        }
    }
}
