//! What a filter's text means: conditions over properties.
//!
//! Made by `parse`, read by `evaluate` and `superset`. Printing a condition
//! gives its one canonical text, which parses to an equal condition.

use std::fmt;

use super::compare::{Case, Demanded, Literal, Moment, Part};
use crate::model::Name;

/// The dotted name of a property, such as `department` or `manager.name`.
///
/// Names are interned, so a path compares by address and finds its attribute
/// without hashing text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Path {
    name: Name,
    segments: Box<[Name]>,
}

impl Path {
    /// Returns the path with this text, split at its dots.
    pub fn new(text: &str) -> Self {
        Self {
            name: Name::new(text),
            segments: text.split('.').map(Name::new).collect(),
        }
    }

    /// Returns the whole dotted text as one name.
    pub fn name(&self) -> Name {
        self.name
    }

    /// Returns the names between the dots; never empty.
    pub fn segments(&self) -> &[Name] {
        &self.segments
    }

    /// Returns the path of `inner`, read from an item of this collection.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self::new(&format!("{}.{}", self.name, inner.name))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.name)
    }
}

/// One condition. `p == null` and `p.isEmpty()` are kept as [`Self::IsNull`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Two or more, none of them an `And`.
    And(Vec<Condition>),
    /// Two or more, none of them an `Or`.
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        path: Path,
        operator: Operator,
        case: Case,
        operand: Operand,
    },
    In {
        path: Path,
        case: Case,
        choices: Vec<Literal>,
    },
    ContainsAll {
        path: Path,
        case: Case,
        wanted: Vec<Literal>,
    },
    /// `literal` is always a text.
    HasPart {
        path: Path,
        part: Part,
        case: Case,
        literal: Literal,
    },
    IsNull(Path),
    NotNull(Path),
    AnyItem {
        collection: Path,
        condition: Box<Condition>,
    },
}

/// The right side of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Literal(Literal),
    Property(Path),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
}

impl Operator {
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        (">", Self::Greater),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
    ];

    fn symbol(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, operator)| *operator == self);
        found.expect("every operator is listed").0
    }
}

impl Condition {
    /// Calls `visit` with every property that may be read, in reading order.
    /// Properties of a collection's items come as paths through the collection.
    pub(super) fn each_path(&self, visit: &mut dyn FnMut(Path)) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.each_path(visit));
            }
            Self::Not(condition) => condition.each_path(visit),
            Self::Compare { path, operand, .. } => {
                visit(path.clone());
                if let Operand::Property(path) = operand {
                    visit(path.clone());
                }
            }
            Self::In { path, .. }
            | Self::ContainsAll { path, .. }
            | Self::HasPart { path, .. }
            | Self::IsNull(path)
            | Self::NotNull(path) => visit(path.clone()),
            Self::AnyItem {
                collection,
                condition,
            } => {
                condition.each_path(&mut |inner| visit(collection.join(&inner)));
            }
        }
    }

    /// Calls `visit` with every property of which whoever matches has one of some
    /// values, and with those values.
    pub(super) fn each_demand(&self, visit: &mut dyn FnMut(Path, Vec<Demanded>)) {
        match self {
            Self::And(parts) => parts.iter().for_each(|part| part.each_demand(visit)),
            Self::Compare {
                path,
                operator: Operator::Equal,
                case: Case::Sensitive,
                operand: Operand::Literal(literal),
            } => {
                if let Some(value) = Demanded::of(literal) {
                    visit(path.clone(), vec![value]);
                }
            }
            Self::In {
                path,
                case: Case::Sensitive,
                choices,
            } => {
                if let Some(values) = choices.iter().map(Demanded::of).collect() {
                    visit(path.clone(), values);
                }
            }
            Self::ContainsAll {
                path,
                case: Case::Sensitive,
                wanted,
            } => {
                for value in wanted.iter().filter_map(Demanded::of) {
                    visit(path.clone(), vec![value]);
                }
            }
            Self::AnyItem {
                collection,
                condition,
            } => condition.each_demand(&mut |path, values| visit(collection.join(&path), values)),
            _ => {}
        }
    }

    /// Calls `visit` with every collection that is asked item by item.
    pub(super) fn each_collection(&self, visit: &mut dyn FnMut(Path)) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.each_collection(visit));
            }
            Self::Not(condition) => condition.each_collection(visit),
            Self::AnyItem {
                collection,
                condition,
            } => {
                visit(collection.clone());
                condition.each_collection(&mut |inner| visit(collection.join(&inner)));
            }
            Self::Compare { .. }
            | Self::In { .. }
            | Self::ContainsAll { .. }
            | Self::HasPart { .. }
            | Self::IsNull(_)
            | Self::NotNull(_) => {}
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => write_joined(formatter, parts, " && "),
            Self::Or(parts) => write_joined(formatter, parts, " || "),
            Self::Not(condition) => write!(formatter, "!({condition})"),
            Self::Compare {
                path,
                operator,
                case,
                operand,
            } => {
                let prefix = match case {
                    Case::Sensitive => "",
                    Case::Ignored => "i",
                };
                write!(formatter, "{path} {prefix}{} {operand}", operator.symbol())
            }
            Self::In {
                path,
                case,
                choices,
            } => write_list(formatter, path, "in", *case, choices),
            Self::ContainsAll { path, case, wanted } => {
                write_list(formatter, path, "containsAll", *case, wanted)
            }
            Self::HasPart {
                path,
                part,
                case,
                literal,
            } => {
                let method = match part {
                    Part::Start => "startsWith",
                    Part::End => "endsWith",
                    Part::Anywhere => "contains",
                };
                write!(formatter, "{path}.{method}{}({literal})", suffix(*case))
            }
            Self::IsNull(path) => write!(formatter, "{path}.isNull()"),
            Self::NotNull(path) => write!(formatter, "{path}.notNull()"),
            Self::AnyItem {
                collection,
                condition,
            } => {
                write!(formatter, "{collection}.collectionCondition(")?;
                write_quoted(formatter, &condition.to_string())?;
                formatter.write_str(")")
            }
        }
    }
}

fn suffix(case: Case) -> &'static str {
    match case {
        Case::Sensitive => "",
        Case::Ignored => "IgnoreCase",
    }
}

fn write_joined(
    formatter: &mut fmt::Formatter<'_>,
    parts: &[Condition],
    separator: &str,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            formatter.write_str(separator)?;
        }
        match part {
            Condition::Or(_) => write!(formatter, "({part})")?,
            _ => write!(formatter, "{part}")?,
        }
    }
    Ok(())
}

fn write_list(
    formatter: &mut fmt::Formatter<'_>,
    path: &Path,
    method: &str,
    case: Case,
    literals: &[Literal],
) -> fmt::Result {
    write!(formatter, "{path}.{method}{}({{", suffix(case))?;
    for (index, literal) in literals.iter().enumerate() {
        if index > 0 {
            formatter.write_str(", ")?;
        }
        write!(formatter, "{literal}")?;
    }
    formatter.write_str("})")
}

fn write_quoted(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write;

    formatter.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => formatter.write_str("\\\"")?,
            '\\' => formatter.write_str("\\\\")?,
            '\n' => formatter.write_str("\\n")?,
            '\r' => formatter.write_str("\\r")?,
            '\t' => formatter.write_str("\\t")?,
            '\0'..='\x1f' | '\x7f' => write!(formatter, "\\u{:04x}", u32::from(character))?,
            _ => formatter.write_char(character)?,
        }
    }
    formatter.write_char('"')
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(formatter),
            Self::Property(path) => path.fmt(formatter),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(literal) => write_quoted(formatter, &literal.text),
            Self::Integer(integer) => integer.fmt(formatter),
            Self::Decimal(decimal) => decimal.fmt(formatter),
            Self::Boolean(boolean) => boolean.fmt(formatter),
            Self::Moment(Moment::Day(date)) => write_quoted(formatter, &date.to_string()),
            Self::Moment(Moment::At(instant)) => write_quoted(formatter, &instant.to_string()),
        }
    }
}
