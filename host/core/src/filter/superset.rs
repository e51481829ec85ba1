//! What a store can ask its documents to leave out whom a filter can't match.
//!
//! A [`Superset`] is implied by its filter: whoever matches the filter matches
//! the superset. Whatever a store can't know exactly becomes wider, up to
//! [`Superset::All`]; the evaluator then decides about everybody who is left.
//! Only the store knows how to ask; here is no SQL.

use rust_decimal::Decimal;

use super::ast::{Condition, Operand, Operator, Path};
use super::compare::{Case, Literal, Part, Reading, TextLiteral};

/// More tests than this aren't worth translating: the filter becomes [`Superset::All`].
pub const MAX_TESTS: usize = 100;

/// A condition that everybody who matches a filter fulfils.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Superset {
    /// Everybody.
    All,
    /// Who fulfils each; two or more.
    And(Vec<Superset>),
    /// Who fulfils any; two or more.
    Or(Vec<Superset>),
    /// Who has a value of this property that passes the test.
    Some(Path, ValueTest),
    /// Who has no value of this property that passes the test. Made only of
    /// tests that are exact, so a store must ask these exactly.
    NoneOf(Path, ValueTest),
}

/// A test of one value; of a list, of each text in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueTest {
    /// Any value at all. Exact.
    Present,
    /// A text that is one of these. Exact in [`Superset::NoneOf`], where no
    /// value of another type reads like any of them.
    Texts(Vec<String>),
    /// A text that, case-folded, is one of these, which are folded.
    FoldedTexts(Vec<String>),
    /// A text before this one by code points, or equal to it.
    TextUpTo(String),
    /// A text after this one by code points, or equal to it.
    TextFrom(String),
    /// A text that begins so; any value that isn't a text.
    Begins(String),
    /// A text that ends so; any value that isn't a text.
    Ends(String),
    /// A text that contains this; any value that isn't a text.
    Contains(String),
    /// A number, or a text that reads as one, within these bounds.
    Number {
        /// The least, if there is one.
        least: Option<Decimal>,
        /// The greatest, if there is one.
        greatest: Option<Decimal>,
    },
    /// This truth value, or the text that reads as it. Exact.
    Boolean(bool),
}

/// Returns the superset of a filter's condition.
pub(super) fn superset(condition: &Condition) -> Superset {
    let superset = of(condition, true);
    match superset.tests() {
        0..=MAX_TESTS => superset,
        _ => Superset::All,
    }
}

impl Superset {
    /// Returns how many tests are in it.
    fn tests(&self) -> usize {
        match self {
            Self::All => 0,
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::tests).sum(),
            Self::Some(..) | Self::NoneOf(..) => 1,
        }
    }

    fn and(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut narrow: Vec<Self> = parts
            .into_iter()
            .filter(|part| *part != Self::All)
            .collect();
        match narrow.len() {
            0 => Self::All,
            1 => narrow.remove(0),
            _ => Self::And(narrow),
        }
    }

    fn or(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts: Vec<Self> = parts.into_iter().collect();
        match parts.len() {
            1 => parts.remove(0),
            _ if parts.contains(&Self::All) => Self::All,
            _ => Self::Or(parts),
        }
    }
}

/// Returns the superset of a condition, or of its negation when `wanted` is
/// false: negations are carried down to the tests, where it is known which are
/// exact.
fn of(condition: &Condition, wanted: bool) -> Superset {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => {
            let parts = parts.iter().map(|part| of(part, wanted));
            match matches!(condition, Condition::And(_)) == wanted {
                true => Superset::and(parts),
                false => Superset::or(parts),
            }
        }
        Condition::Not(condition) => of(condition, !wanted),
        Condition::Compare {
            path,
            operator,
            case,
            operand: Operand::Literal(literal),
        } => match operator {
            Operator::Equal => one_of(path, std::slice::from_ref(literal), *case, wanted),
            Operator::NotEqual => one_of(path, std::slice::from_ref(literal), *case, !wanted),
            _ => ordered(path, *operator, literal, *case, wanted),
        },
        Condition::In {
            path,
            case,
            choices,
        } => one_of(path, choices, *case, wanted),
        Condition::ContainsAll {
            path,
            case,
            wanted: literals,
        } => {
            let parts = literals
                .iter()
                .map(|literal| one_of(path, std::slice::from_ref(literal), *case, wanted));
            match wanted {
                true => Superset::and(parts),
                false => Superset::or(parts),
            }
        }
        Condition::HasPart {
            path,
            part,
            case,
            literal: Literal::Text(literal),
        } => has_part(path, *part, literal, *case, wanted),
        Condition::IsNull(path) => present(path, !wanted),
        Condition::NotNull(path) => present(path, wanted),
        Condition::Compare {
            operand: Operand::Property(_),
            ..
        }
        | Condition::HasPart { .. }
        | Condition::AnyItem { .. } => Superset::All,
    }
}

fn present(path: &Path, wanted: bool) -> Superset {
    match wanted {
        true => Superset::Some(path.clone(), ValueTest::Present),
        false => Superset::NoneOf(path.clone(), ValueTest::Present),
    }
}

/// The superset of "some value equals one of the literals", or of its negation.
fn one_of(path: &Path, literals: &[Literal], case: Case, wanted: bool) -> Superset {
    let tests = equality_tests(literals, case);
    if wanted {
        return Superset::or(
            tests
                .into_iter()
                .map(|test| Superset::Some(path.clone(), test)),
        );
    }
    let is_exact = |test: &ValueTest| matches!(test, ValueTest::Texts(_) | ValueTest::Boolean(_));
    match tests.iter().all(is_exact) {
        true => Superset::and(
            tests
                .into_iter()
                .map(|test| Superset::NoneOf(path.clone(), test)),
        ),
        false => Superset::All,
    }
}

/// Returns few tests however many literals there are: numbers become one range,
/// and where a date is among the literals any value at all may be meant.
fn equality_tests(literals: &[Literal], case: Case) -> Vec<ValueTest> {
    let mut texts = Vec::new();
    let mut numbers: Vec<Decimal> = Vec::new();
    let mut tests = Vec::new();
    for literal in literals {
        let reading = match literal {
            Literal::Text(literal) => {
                texts.push(match case {
                    Case::Sensitive => literal.text.clone(),
                    Case::Ignored => literal.folded.clone(),
                });
                literal.reading
            }
            Literal::Integer(integer) => Reading::Number((*integer).into()),
            Literal::Decimal(decimal) => Reading::Number(*decimal),
            Literal::Boolean(boolean) => Reading::Boolean(*boolean),
            Literal::Moment(moment) => Reading::Moment(*moment),
        };
        match reading {
            Reading::OnlyText => {}
            Reading::Number(number) => numbers.push(number),
            Reading::Boolean(boolean) => tests.push(ValueTest::Boolean(boolean)),
            Reading::Moment(_) => return vec![ValueTest::Present],
        }
    }
    tests.dedup();
    if let (Some(least), Some(greatest)) = (numbers.iter().min(), numbers.iter().max()) {
        tests.push(ValueTest::Number {
            least: Some(*least),
            greatest: Some(*greatest),
        });
    }
    match case {
        _ if texts.is_empty() => {}
        Case::Sensitive => tests.push(ValueTest::Texts(texts)),
        Case::Ignored => tests.push(ValueTest::FoldedTexts(texts)),
    }
    tests
}

/// The test for what a text literal is when it meets a value that isn't a text.
fn reading_test(reading: Reading, operator: Operator) -> Option<ValueTest> {
    match reading {
        Reading::OnlyText => None,
        Reading::Number(decimal) => Some(number(operator, decimal)),
        Reading::Boolean(boolean) => Some(ValueTest::Boolean(boolean)),
        Reading::Moment(_) => Some(ValueTest::Present),
    }
}

/// Orders are widened to include the bound itself, so that a store may compare
/// by rounded numbers.
fn number(operator: Operator, bound: Decimal) -> ValueTest {
    let (least, greatest) = match operator {
        Operator::Equal | Operator::NotEqual => (Some(bound), Some(bound)),
        Operator::Less | Operator::LessOrEqual => (None, Some(bound)),
        Operator::Greater | Operator::GreaterOrEqual => (Some(bound), None),
    };
    ValueTest::Number { least, greatest }
}

fn ordered(
    path: &Path,
    operator: Operator,
    literal: &Literal,
    case: Case,
    wanted: bool,
) -> Superset {
    if !wanted {
        return Superset::All;
    }
    let some = |test| Superset::Some(path.clone(), test);
    let upwards = matches!(operator, Operator::Greater | Operator::GreaterOrEqual);
    match literal {
        Literal::Integer(integer) => some(number(operator, (*integer).into())),
        Literal::Decimal(decimal) => some(number(operator, *decimal)),
        Literal::Text(literal) if case == Case::Sensitive => {
            let as_text = match upwards {
                true => ValueTest::TextFrom(literal.text.clone()),
                false => ValueTest::TextUpTo(literal.text.clone()),
            };
            let other = reading_test(literal.reading, operator);
            Superset::or([Some(as_text), other].into_iter().flatten().map(some))
        }
        Literal::Text(_) | Literal::Boolean(_) | Literal::Moment(_) => some(ValueTest::Present),
    }
}

fn has_part(path: &Path, part: Part, literal: &TextLiteral, case: Case, wanted: bool) -> Superset {
    if !wanted {
        return Superset::All;
    }
    let text = literal.text.clone();
    let test = match (part, case) {
        (_, Case::Ignored) => ValueTest::Present,
        (Part::Start, Case::Sensitive) => ValueTest::Begins(text),
        (Part::End, Case::Sensitive) => ValueTest::Ends(text),
        (Part::Anywhere, Case::Sensitive) => ValueTest::Contains(text),
    };
    Superset::Some(path.clone(), test)
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::{Superset, ValueTest};
    use crate::filter::{Filter, Path};

    fn of(text: &str) -> Superset {
        Filter::parse(text).expect("a filter").superset()
    }

    fn id() -> Path {
        Path::new("id")
    }

    #[test]
    fn plain_texts_are_asked_for_exactly_also_when_negated() {
        let sales = ValueTest::Texts(vec!["Sales".to_owned()]);
        assert_eq!(of(r#"id == "Sales""#), Superset::Some(id(), sales.clone()));
        assert_eq!(
            of(r#"!(id == "Sales" || id.isNull())"#),
            Superset::And(vec![
                Superset::NoneOf(id(), sales),
                Superset::Some(id(), ValueTest::Present),
            ])
        );
    }

    #[test]
    fn what_reads_as_another_type_is_wider_and_never_negated() {
        let forty_two = Some(Decimal::from(42));
        let number = ValueTest::Number {
            least: forty_two,
            greatest: forty_two,
        };
        assert_eq!(
            of(r#"id == "0042""#),
            Superset::Or(vec![
                Superset::Some(id(), number),
                Superset::Some(id(), ValueTest::Texts(vec!["0042".to_owned()])),
            ])
        );
        assert_eq!(
            of(r#"id == "2026-01-31""#),
            Superset::Some(id(), ValueTest::Present)
        );
        assert_eq!(of(r#"id != "0042""#), Superset::All);
        assert_eq!(of(r#"!(id < "b")"#), Superset::All);
    }

    #[test]
    fn what_cannot_be_asked_for_widens_what_it_stands_in() {
        let other = "email == contact";
        assert_eq!(of(other), Superset::All);
        assert_eq!(of(&format!(r#"a == "b" && {other}"#)), of(r#"a == "b""#));
        assert_eq!(of(&format!(r#"a == "b" || {other}"#)), Superset::All);
        assert_eq!(of(&format!(r#"!(a == "b" && {other})"#)), Superset::All);
        assert_eq!(of(&format!(r#"!(a == "b" || {other})"#)), of(r#"a != "b""#));
        let long = vec![r#"a.startsWith("b")"#; 101].join(" || ");
        assert_eq!(of(&long), Superset::All);
    }
}
