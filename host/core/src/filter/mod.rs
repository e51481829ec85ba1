//! The filter language: who is selected, who is in a population, who gets a role.
//!
//! [`Filter::parse`] reads a text, [`Filter::matches`] decides about an
//! identity, and [`Filter::superset`] is what a store may leave out beforehand.
//! Used by selection, roles, populations, triggers and `idr check`.
//!
//! ```text
//! department == "Engineering" && !(location.in({"Basel", "Bern"}) || inactive == true)
//! ```
//!
//! # Grammar
//!
//! ```text
//! filter     = either
//! either     = both { "||" both }
//! both       = negation { "&&" negation }
//! negation   = "!" negation | "(" either ")" | condition
//! condition  = property operator value
//!            | property "." method
//! operator   = [ "i" ] ( "==" | "!=" | "<" | ">" | "<=" | ">=" )
//! method     = ( "in" | "inIgnoreCase" | "containsAll" | "containsAllIgnoreCase" ) "(" list ")"
//!            | ( "startsWith" | "endsWith" | "contains" ) [ "IgnoreCase" ] "(" text ")"
//!            | ( "isNull" | "notNull" | "isEmpty" ) "(" ")"
//!            | "collectionCondition" "(" text ")"
//! list       = "{" literal { "," literal } "}"
//! literal    = text | number | "true" | "false"
//! value      = literal | "null" | property
//! text       = '"' { character | "\" ( '"' | "\" | "n" | "r" | "t" | "u" 4 hexdigit ) } '"'
//! number     = [ "-" ] digit { digit } [ "." digit { digit } ]
//! property   = name { "." name }
//! name       = word { " " word }
//! word       = letters, digits, "_", "-" and "$"; the first word begins with a letter or "_"
//! ```
//!
//! - White space may stand between any two of these, but not around the dots of
//!   a property, nor between `i` and its operator.
//! - `!` binds tightest (`!a == "b"` negates the comparison), then `&&`, then `||`.
//! - A name may contain single spaces (`Cost Center`). The words `and`, `or`,
//!   `not`, `true`, `false` and `null` can't follow such a space, nor can an `i`
//!   that stands directly before an operator. A property is never called just
//!   `true`, `false` or `null`.
//! - A text is never empty, because no property holds an empty text: ask with
//!   `isNull()`. A list has at least one literal.
//! - A number has at most 28 digits and is kept exactly.
//! - The text of `collectionCondition` is itself a filter, with its quotes
//!   escaped: `links.collectionCondition("status == \"enabled\"")`.
//! - `join` and `subquery`, known from elsewhere, are refused with advice: there
//!   are only identities to ask for. So is a constant of a Java enumeration; it
//!   reads as a property that nobody defines.
//! - Parentheses, negations and inner filters nest [`MAX_NESTING`] levels deep
//!   (a `!` and its parentheses are one); a text has [`MAX_LENGTH_BYTES`] at most.
//!
//! # Properties, and having no value
//!
//! A filter is true or false, never unknown. A property has no value, one value
//! or several texts. The rules in the order in which they apply:
//!
//! | condition | is true when |
//! |---|---|
//! | `p.isNull()`, `p.isEmpty()`, `p == null` | p has no value |
//! | `p.notNull()`, `p != null` | p has a value |
//! | `p == v` | any value of p equals v |
//! | `p == q` of two properties | any value of p equals any value of q, or neither has a value |
//! | `p != v`, `p != q` | `p == v`, `p == q` is false: so also when p has no value |
//! | `p < v` and its like | any value of p is before v; false when p or the other property has no value |
//! | `p.in({…})` | any value of p equals any literal |
//! | `p.containsAll({…})` | each literal equals some value of p |
//! | `p.startsWith(t)` and its like | the text of any value of p does |
//! | `c.collectionCondition(f)` | any single item of the collection c matches f |
//! | `!f` | f is false: so also when a property in it has no value |
//!
//! Two conditions on one collection may be met by different items
//! (`links.application.name == "AD" && links.status == "enabled"`); only
//! `collectionCondition` asks for one item that meets both. Properties within
//! it are those of the item.
//!
//! # Comparing
//!
//! - Texts compare by Unicode code points, without normalisation. With `i` or
//!   `IgnoreCase` both are folded first by Unicode simple case folding: `ß` is
//!   not `ss`, and no language has rules of its own.
//! - Integers and decimals compare by their exact values.
//! - Dates compare by the calendar, instants by time. A date and an instant
//!   compare by the instant's day in UTC, so `< "2026-02-01"` is before that
//!   day, `<= "2026-02-01"` until its end, and `== "2026-02-01"` during it.
//! - Truth values are equal or not; they have no order.
//! - A text that meets a value of another type is read as that type: as a
//!   number (in the form above), `true` or `false`, a date (`2026-01-31`) or an
//!   RFC 3339 instant (`2026-01-31T17:00:00Z`). This holds whether the text is
//!   the literal or the value, so `level == "3"` works for a number and
//!   `employeeNumber == 42` for the text `0042`; two texts compare as texts.
//! - Otherwise values of different types are neither equal nor in order.
//! - `startsWith` and its like see numbers, dates and truth values as they are
//!   written here, instants in UTC.
//!
//! # Order of reads
//!
//! Reads are tracked, so their order is part of the language. Conditions are
//! evaluated from left to right; `&&` stops at the first that is false, `||` at
//! the first that is true. A condition reads its property once, then that on its
//! right side, whatever the first one was. The items of a collection are asked
//! in their order until one matches.

mod ast;
mod compare;
mod error;
mod evaluate;
mod parse;
mod parts;
mod separate;
mod superset;
#[cfg(test)]
mod tests;

use std::fmt;

use ast::Condition;

pub use ast::Path;
pub use compare::{Demanded, each_number};
pub use error::FilterError;
pub use evaluate::{Properties, SingleValue};
pub use parse::{MAX_LENGTH_BYTES, MAX_NESTING};
pub use parts::Part;
pub use superset::{MAX_TESTS, Superset, ValueTest};

/// A parsed filter.
///
/// Two filters are equal when they mean the same conditions in the same order,
/// however they are written. `Display` gives the one canonical text of that.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    condition: Box<Condition>,
}

impl Filter {
    /// Reads a filter.
    ///
    /// The names in it are interned, so this is for what administrators write,
    /// not for what rules say.
    ///
    /// # Errors
    ///
    /// [`FilterError`] with the column, what was expected there, and a hint
    /// where something else was probably meant.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        match parse::parse(text, 0) {
            Ok(condition) => Ok(Self {
                text: text.to_owned(),
                condition: Box::new(condition),
            }),
            Err(error) => Err(error.within(text)),
        }
    }

    /// Returns the text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns every property that the filter may read, each once, in the order
    /// of reading. Properties of items come as paths through the collection.
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        self.condition.each_path(&mut |path| {
            if !paths.contains(&path) {
                paths.push(path);
            }
        });
        paths
    }

    /// Returns properties of which whoever matches has one of some values, each
    /// with those values. It need not find all there are.
    pub fn demands(&self) -> Vec<(Path, Vec<Demanded>)> {
        let mut demands = Vec::new();
        self.condition
            .each_demand(&mut |path, values| demands.push((path, values)));
        demands
    }

    /// Returns every collection that the filter asks item by item
    /// (`collectionCondition`), each once. One within another comes as a path
    /// through it.
    pub fn collections(&self) -> Vec<Path> {
        let mut collections = Vec::new();
        self.condition.each_collection(&mut |path| {
            if !collections.contains(&path) {
                collections.push(path);
            }
        });
        collections
    }

    /// Returns whether the filter holds for these properties.
    ///
    /// # Errors
    ///
    /// Whatever the first read that failed returned.
    pub fn matches<P, E>(&self, properties: &mut P) -> Result<bool, E>
    where
        P: Properties<E> + ?Sized,
    {
        self.condition.holds(properties)
    }

    /// Returns a condition that everybody who matches fulfils, for a store to
    /// narrow down whom to ask.
    pub fn superset(&self) -> Superset {
        superset::superset(&self.condition)
    }
}

impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.condition == other.condition
    }
}

impl Eq for Filter {}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(formatter)
    }
}
