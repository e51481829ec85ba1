//! Reads the text of a filter. The grammar is in the module's documentation.
//!
//! The parser never looks back further than one name, so its time is linear in
//! the text, and it recurses at most [`MAX_NESTING`] levels.

use rust_decimal::Decimal;
use winnow::Parser;
use winnow::combinator::opt;
use winnow::error::ParserError;
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::{any, one_of, take_while};

use super::ast::{Condition, Operand, Operator, Path};
use super::compare::{Case, Literal, Part, read_number};
use super::error::SyntaxError;
use crate::text;

/// Most levels of parentheses, negations and inner filters within one another.
pub const MAX_NESTING: usize = 64;

/// Most bytes in the text of a filter.
pub const MAX_LENGTH_BYTES: usize = 1 << 20;

/// What is left of the text, and how many levels deep we are.
type Input<'a> = Stateful<LocatingSlice<&'a str>, usize>;
type Parsed<T> = Result<T, SyntaxError>;

const MORE: &str = "`&&`, `||` or the end of the filter";
const OPERATOR: &str = "an operator such as `==` or a method such as `.isNull()`";
const VALUE: &str = "a text in double quotes, a number, `true`, `false`, `null` or a property";
const LIST_VALUE: &str = "a text in double quotes, a number, `true` or `false`";
const CONDITION: &str = "a condition, `!` or `(`";

impl ParserError<Input<'_>> for SyntaxError {
    type Inner = Self;

    fn from_input(input: &Input<'_>) -> Self {
        unexpected(input, CONDITION)
    }

    fn into_inner(self) -> Result<Self::Inner, Self> {
        Ok(self)
    }
}

/// Reads a whole text; `nesting` is how deep the text itself lies in others.
pub(super) fn parse(text: &str, nesting: usize) -> Parsed<Condition> {
    if text.len() > MAX_LENGTH_BYTES {
        let expected = format!("at most {MAX_LENGTH_BYTES} bytes");
        return Err(SyntaxError::new(
            0,
            expected,
            format!("{} bytes", text.len()),
        ));
    }
    let mut input = Input {
        input: LocatingSlice::new(text),
        state: nesting,
    };
    let condition = disjunction(&mut input)?;
    if rest(&input).is_empty() {
        return Ok(condition);
    }
    Err(unexpected_after_condition(&input, MORE))
}

fn disjunction(input: &mut Input<'_>) -> Parsed<Condition> {
    let mut parts = Vec::new();
    loop {
        match conjunction(input)? {
            Condition::Or(inner) => parts.extend(inner),
            part => parts.push(part),
        }
        if !symbol(input, "||")? {
            break;
        }
    }
    Ok(single_or(parts, Condition::Or))
}

fn conjunction(input: &mut Input<'_>) -> Parsed<Condition> {
    let mut parts = Vec::new();
    loop {
        match negation(input)? {
            Condition::And(inner) => parts.extend(inner),
            part => parts.push(part),
        }
        if !symbol(input, "&&")? {
            break;
        }
    }
    Ok(single_or(parts, Condition::And))
}

fn single_or(mut parts: Vec<Condition>, join: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

/// `!` and the parentheses right after it are one level of nesting.
fn negation(input: &mut Input<'_>) -> Parsed<Condition> {
    blank(input)?;
    match rest(input).chars().next() {
        Some('!') => nested(input, |input| {
            any.void().parse_next(input)?;
            blank(input)?;
            let inner = match rest(input).starts_with('(') {
                true => parenthesised(input)?,
                false => negation(input)?,
            };
            Ok(Condition::Not(Box::new(inner)))
        }),
        Some('(') => nested(input, parenthesised),
        _ => condition(input),
    }
}

fn parenthesised(input: &mut Input<'_>) -> Parsed<Condition> {
    any.void().parse_next(input)?;
    let inner = disjunction(input)?;
    if symbol(input, ")")? {
        return Ok(inner);
    }
    Err(unexpected_after_condition(input, "`&&`, `||` or `)`"))
}

/// Runs `inner` one level deeper.
fn nested<T>(input: &mut Input<'_>, inner: fn(&mut Input<'_>) -> Parsed<T>) -> Parsed<T> {
    check_nesting(input, input.current_token_start())?;
    input.state += 1;
    let result = inner(input)?;
    input.state -= 1;
    Ok(result)
}

fn check_nesting(input: &Input<'_>, offset: usize) -> Parsed<()> {
    if input.state < MAX_NESTING {
        return Ok(());
    }
    Err(SyntaxError::new(
        offset,
        format!("at most {MAX_NESTING} levels of nesting"),
        "one more",
    ))
}

fn condition(input: &mut Input<'_>) -> Parsed<Condition> {
    let starts_at = input.current_token_start();
    let mut names = names(input, OPERATOR)?.ok_or_else(|| {
        unexpected(input, CONDITION).with_hint_opt(match first(input) {
            Some('"' | '0'..='9' | '-') => Some("the property comes first, then the value".into()),
            _ => None,
        })
    })?;
    blank(input)?;
    if rest(input).starts_with('(') {
        let method = names.pop().expect("a property has a name");
        return match names.is_empty() {
            true => Err(SyntaxError::new(starts_at, "a property", method.quoted())
                .with_hint(format!("write `property.{}(…)`", method.text))),
            false => call(input, &path(&names), &method),
        };
    }
    comparison(input, &names)
}

// Comparisons

fn comparison(input: &mut Input<'_>, names: &[NamePart<'_>]) -> Parsed<Condition> {
    if is_keyword(names) {
        let found = names[0].quoted();
        return Err(SyntaxError::new(names[0].offset, "a property", found)
            .with_hint("the property comes first, then the value"));
    }
    let starts_at = input.current_token_start();
    let (operator, case) = operator(input, names)?;
    blank(input)?;
    let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
    let path = path(names);
    let operand = match value(input, VALUE)? {
        Written::Literal(Literal::Boolean(boolean)) if ordered => {
            return Err(no_order(starts_at, &format!("`{boolean}`")));
        }
        Written::Null if ordered => return Err(no_order(starts_at, "`null`")),
        Written::Null if operator == Operator::Equal => return Ok(Condition::IsNull(path)),
        Written::Null => return Ok(Condition::NotNull(path)),
        Written::Literal(literal) => Operand::Literal(literal),
        Written::Property(path) => Operand::Property(path),
    };
    Ok(Condition::Compare {
        path,
        operator,
        case,
        operand,
    })
}

fn no_order(offset: usize, value: &str) -> SyntaxError {
    SyntaxError::new(offset, "`==` or `!=`", format!("an order before {value}"))
        .with_hint(format!("{value} comes neither before nor after others"))
}

/// Reads an operator; `names` is the property before it, to explain a word.
fn operator(input: &mut Input<'_>, names: &[NamePart<'_>]) -> Parsed<(Operator, Case)> {
    let starts_at = input.current_token_start();
    let ignores_case = ignores_case_ahead(rest(input));
    if ignores_case {
        any.void().parse_next(input)?;
    }
    let written: &str = operator_characters.parse_next(input)?;
    let case = if ignores_case {
        Case::Ignored
    } else {
        Case::Sensitive
    };
    if let Some((_, operator)) = Operator::ALL.iter().find(|(symbol, _)| *symbol == written) {
        return Ok((*operator, case));
    }
    let prefix = if ignores_case { "i" } else { "" };
    if !written.is_empty() {
        let nearest = nearest_symbol(written);
        return Err(
            SyntaxError::new(starts_at, OPERATOR, format!("`{prefix}{written}`"))
                .with_hint_opt(nearest.map(|nearest| did_you_mean(&format!("{prefix}{nearest}")))),
        );
    }
    let last = names.last().expect("a property has a name");
    if let Some((before, word)) = last.text.rsplit_once(' ')
        && let Some(nearest) = nearest_for_word(word)
    {
        let offset = last.offset + before.len() + 1;
        return Err(SyntaxError::new(offset, OPERATOR, format!("`{word}`"))
            .with_hint(did_you_mean(nearest)));
    }
    let is_method = METHODS.iter().any(|(method, _)| *method == last.text) && names.len() > 1;
    Err(unexpected(input, OPERATOR).with_hint_opt(
        is_method.then(|| format!("a method is called with parentheses: `{}(…)`", last.text)),
    ))
}

fn operator_characters<'a>(input: &mut Input<'a>) -> Parsed<&'a str> {
    take_while(0.., ['=', '!', '<', '>', '~']).parse_next(input)
}

/// Whether an `i` that belongs to the operator after it is next.
fn ignores_case_ahead(rest: &str) -> bool {
    let after = rest.strip_prefix('i');
    after.is_some_and(|after| after.starts_with(['=', '!', '<', '>', '~']))
}

fn nearest_symbol(written: &str) -> Option<&'static str> {
    match written {
        "=" | "===" | "~=" | "=~" | "=!=" => Some("=="),
        "<>" | "!" | "!==" | "=!" | "!~" => Some("!="),
        "=>" | ">>" | ">==" => Some(">="),
        "=<" | "<<" | "<==" => Some("<="),
        _ => None,
    }
}

fn nearest_for_word(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "eq" | "is" | "equals" | "equal" => Some("=="),
        "ne" | "neq" | "isnt" => Some("!="),
        "lt" | "before" => Some("<"),
        "gt" | "after" => Some(">"),
        "le" | "lte" => Some("<="),
        "ge" | "gte" => Some(">="),
        "in" => Some(".in({…})"),
        "like" | "contains" | "co" => Some(".contains(…)"),
        "startswith" | "sw" => Some(".startsWith(…)"),
        "endswith" | "ew" => Some(".endsWith(…)"),
        "pr" | "present" => Some(".notNull()"),
        _ => None,
    }
}

fn did_you_mean(nearest: &str) -> String {
    format!("did you mean `{nearest}`?")
}

// Methods

#[derive(Clone, Copy)]
enum Method {
    In(Case),
    ContainsAll(Case),
    HasPart(Part, Case),
    IsNull,
    NotNull,
    CollectionCondition,
    Join,
    Subquery,
}

const METHODS: [(&str, Method); 16] = [
    ("in", Method::In(Case::Sensitive)),
    ("inIgnoreCase", Method::In(Case::Ignored)),
    ("containsAll", Method::ContainsAll(Case::Sensitive)),
    ("containsAllIgnoreCase", Method::ContainsAll(Case::Ignored)),
    ("startsWith", Method::HasPart(Part::Start, Case::Sensitive)),
    (
        "startsWithIgnoreCase",
        Method::HasPart(Part::Start, Case::Ignored),
    ),
    ("endsWith", Method::HasPart(Part::End, Case::Sensitive)),
    (
        "endsWithIgnoreCase",
        Method::HasPart(Part::End, Case::Ignored),
    ),
    ("contains", Method::HasPart(Part::Anywhere, Case::Sensitive)),
    (
        "containsIgnoreCase",
        Method::HasPart(Part::Anywhere, Case::Ignored),
    ),
    ("isNull", Method::IsNull),
    ("notNull", Method::NotNull),
    ("isEmpty", Method::IsNull),
    ("collectionCondition", Method::CollectionCondition),
    ("join", Method::Join),
    ("subquery", Method::Subquery),
];

/// Reads the arguments of a method; the input is at their `(`.
fn call(input: &mut Input<'_>, path: &Path, written: &NamePart<'_>) -> Parsed<Condition> {
    let found = METHODS.iter().find(|(method, _)| *method == written.text);
    let (name, method) = found.ok_or_else(|| {
        SyntaxError::new(written.offset, "a method", written.quoted()).with_hint_opt(Some(
            nearest_method(written.text).map_or_else(every_method, did_you_mean),
        ))
    })?;
    any.void().parse_next(input)?;
    let path = path.clone();
    let condition = match *method {
        Method::In(case) => Condition::In {
            path,
            case,
            choices: list(input)?,
        },
        Method::ContainsAll(case) => Condition::ContainsAll {
            path,
            case,
            wanted: list(input)?,
        },
        Method::HasPart(part, case) => {
            blank(input)?;
            let literal = Literal::text(argument(input)?.checked()?.text);
            Condition::HasPart {
                path,
                part,
                case,
                literal,
            }
        }
        Method::IsNull => Condition::IsNull(path),
        Method::NotNull => Condition::NotNull(path),
        Method::CollectionCondition => {
            blank(input)?;
            let condition = inner_filter(input)?;
            Condition::AnyItem {
                collection: path,
                condition: Box::new(condition),
            }
        }
        Method::Join => {
            return Err(refused(written).with_hint(
                "only identities can be asked for here: name the property by its path, such as \
                 `manager.name` or `links.application.name`, or use `collectionCondition`",
            ));
        }
        Method::Subquery => {
            return Err(refused(written).with_hint(
                "only identities can be asked for here: use `in`, or `collectionCondition` on a \
                 collection of the identity",
            ));
        }
    };
    if symbol(input, ")")? {
        return Ok(condition);
    }
    Err(unexpected(
        input,
        format!("`)` after the arguments of `{name}`"),
    ))
}

fn refused(written: &NamePart<'_>) -> SyntaxError {
    SyntaxError::new(
        written.offset,
        "a condition on the identity itself",
        written.quoted(),
    )
}

fn nearest_method(written: &str) -> Option<&'static str> {
    let plain = written.replace([' ', '_', '-'], "").to_ascii_lowercase();
    match plain.as_str() {
        "like" | "includes" | "has" => return Some("contains"),
        "beginswith" => return Some("startsWith"),
        "isnotnull" | "exists" | "notempty" | "isnotempty" | "ispresent" => return Some("notNull"),
        "anyof" | "oneof" => return Some("in"),
        _ => {}
    }
    let nearest = text::nearest(&plain, METHODS.iter().map(|(method, _)| *method))?;
    METHODS
        .iter()
        .map(|(method, _)| *method)
        .find(|method| *method == nearest)
}

fn every_method() -> String {
    let methods: Vec<&str> = METHODS
        .iter()
        .filter(|(_, method)| !matches!(method, Method::Join | Method::Subquery))
        .map(|(name, _)| *name)
        .collect();
    format!("the methods are {}", methods.join(", "))
}

fn list(input: &mut Input<'_>) -> Parsed<Vec<Literal>> {
    blank(input)?;
    if !symbol(input, "{")? {
        let hint = "a list is written `{\"a\", \"b\"}`";
        return Err(unexpected(input, "`{`").with_hint(hint));
    }
    let mut literals = Vec::new();
    loop {
        blank(input)?;
        let starts_at = input.current_token_start();
        match value(input, LIST_VALUE)? {
            Written::Literal(literal) => literals.push(literal),
            Written::Null => {
                return Err(SyntaxError::new(starts_at, LIST_VALUE, "`null`")
                    .with_hint("ask with `isNull()` as well"));
            }
            Written::Property(path) => {
                return Err(SyntaxError::new(starts_at, LIST_VALUE, format!("`{path}`"))
                    .with_hint("a text needs double quotes"));
            }
        }
        if symbol(input, "}")? {
            return Ok(literals);
        }
        if !symbol(input, ",")? {
            return Err(unexpected(input, "`,` or `}`"));
        }
    }
}

/// Reads the filter in a quoted text; its errors point into the outer text.
fn inner_filter(input: &mut Input<'_>) -> Parsed<Condition> {
    let starts_at = input.current_token_start();
    check_nesting(input, starts_at)?;
    let quoted = argument(input)?.checked()?;
    parse(&quoted.text, input.state + 1).map_err(|error| {
        let offset = quoted
            .offsets
            .get(error.offset)
            .copied()
            .unwrap_or(starts_at);
        SyntaxError { offset, ..error }
    })
}

fn argument(input: &mut Input<'_>) -> Parsed<Quoted> {
    if rest(input).starts_with('"') {
        return quoted(input);
    }
    let hint = first(input)
        .filter(|character| character.is_alphanumeric())
        .map(|_| "a text needs double quotes".to_owned());
    let error = unexpected(input, "a text in double quotes");
    Err(match error.hint {
        None => error.with_hint_opt(hint),
        Some(_) => error,
    })
}

// Values

enum Written {
    Literal(Literal),
    Null,
    Property(Path),
}

fn value(input: &mut Input<'_>, expected: &str) -> Parsed<Written> {
    match first(input) {
        Some('"') => Ok(Written::Literal(Literal::text(
            quoted(input)?.checked()?.text,
        ))),
        Some('0'..='9' | '-') => Ok(Written::Literal(Literal::number(number(input)?))),
        _ => {
            let names = names(input, MORE)?.ok_or_else(|| unexpected(input, expected))?;
            Ok(match (names.len(), names[0].text) {
                (1, "null") => Written::Null,
                (1, "true") => Written::Literal(Literal::Boolean(true)),
                (1, "false") => Written::Literal(Literal::Boolean(false)),
                _ => Written::Property(path(&names)),
            })
        }
    }
}

fn number(input: &mut Input<'_>) -> Parsed<Decimal> {
    let starts_at = input.current_token_start();
    let written: &str = take_while(1.., |character: char| {
        character.is_alphanumeric() || matches!(character, '-' | '.' | '_' | '+')
    })
    .parse_next(input)?;
    read_number(written).ok_or_else(|| {
        let hint = "a text, such as an id or a date, needs double quotes";
        SyntaxError::new(
            starts_at,
            "a number such as 42 or -1.5",
            format!("`{written}`"),
        )
        .with_hint(hint)
    })
}

/// A text literal without its quotes and escapes.
struct Quoted {
    text: String,
    /// For every byte of `text`, and for its end, where that was written.
    offsets: Vec<usize>,
    starts_at: usize,
}

impl Quoted {
    fn checked(self) -> Parsed<Self> {
        if self.text.is_empty() {
            return Err(
                SyntaxError::new(self.starts_at, "a text that isn't empty", "`\"\"`").with_hint(
                    "no property ever holds an empty text: ask with `isNull()` or `notNull()`",
                ),
            );
        }
        Ok(self)
    }
}

/// Reads a text; the input is at its opening quote.
fn quoted(input: &mut Input<'_>) -> Parsed<Quoted> {
    let starts_at = input.current_token_start();
    let found = describe(rest(input));
    any.void().parse_next(input)?;
    let mut quoted = Quoted {
        text: String::new(),
        offsets: Vec::new(),
        starts_at,
    };
    loop {
        let offset = input.current_token_start();
        let character = match opt(any).parse_next(input)? {
            Some('"') => {
                quoted.offsets.push(offset);
                return Ok(quoted);
            }
            Some('\\') => escaped(input, offset)?,
            Some(character) => character,
            None => {
                return Err(SyntaxError::new(
                    starts_at,
                    "a text that ends with `\"`",
                    found,
                ));
            }
        };
        quoted.text.push(character);
        quoted.offsets.resize(quoted.text.len(), offset);
    }
}

/// Reads what follows a backslash, which stands at `offset`.
fn escaped(input: &mut Input<'_>, offset: usize) -> Parsed<char> {
    let after = rest(input);
    let mut characters = after.chars();
    let (character, length) = match characters.next() {
        Some(character @ ('"' | '\\')) => (Some(character), 1),
        Some('n') => (Some('\n'), 1),
        Some('r') => (Some('\r'), 1),
        Some('t') => (Some('\t'), 1),
        Some('u') => (hexadecimal(after.get(1..5)), 5),
        _ => (None, 0),
    };
    match character {
        Some(character) => {
            input.next_slice(length);
            Ok(character)
        }
        None => {
            let shown: String = after.chars().take(1).collect();
            Err(SyntaxError::new(
                offset,
                "an escape (`\\\"`, `\\\\`, `\\n`, `\\r`, `\\t` or `\\u` and four hexadecimal digits)",
                format!("`\\{shown}`"),
            )
            .with_hint("a backslash itself is written `\\\\`"))
        }
    }
}

fn hexadecimal(digits: Option<&str>) -> Option<char> {
    let digits = digits?;
    let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let code = u32::from_str_radix(digits, 16)
        .ok()
        .filter(|_| is_hexadecimal)?;
    char::from_u32(code)
}

// Names

/// One name of a dotted path, and where it stands.
struct NamePart<'a> {
    text: &'a str,
    offset: usize,
}

impl NamePart<'_> {
    fn quoted(&self) -> String {
        format!("`{}`", self.text)
    }
}

fn path(names: &[NamePart<'_>]) -> Path {
    let texts: Vec<&str> = names.iter().map(|name| name.text).collect();
    Path::new(&texts.join("."))
}

fn is_keyword(names: &[NamePart<'_>]) -> bool {
    names.len() == 1 && matches!(names[0].text, "true" | "false" | "null")
}

/// Reads names with dots between them; none when no name is next.
/// `expected_after` is what should follow a complete property here.
fn names<'a>(input: &mut Input<'a>, expected_after: &str) -> Parsed<Option<Vec<NamePart<'a>>>> {
    let Some(name_first) = name(input, expected_after)? else {
        return Ok(None);
    };
    let mut names = vec![name_first];
    while opt('.').parse_next(input)?.is_some() {
        let next = name(input, expected_after)?;
        names.push(next.ok_or_else(|| unexpected(input, "a name or a method after `.`"))?);
    }
    Ok(Some(names))
}

/// Reads one name: words with single spaces between them.
fn name<'a>(input: &mut Input<'a>, expected_after: &str) -> Parsed<Option<NamePart<'a>>> {
    let offset = input.current_token_start();
    let whole = rest(input);
    let Some(start) = opt(one_of(starts_name)).parse_next(input)? else {
        return Ok(None);
    };
    let word_rest = continue_word(input)?;
    let mut length = start.len_utf8() + word_rest;
    loop {
        let checkpoint = input.checkpoint();
        let is_next = opt(' ').parse_next(input)?.is_some()
            && first(input).is_some_and(|character| continues_name(character) && character != '-')
            && !ignores_case_ahead(rest(input));
        if !is_next {
            input.reset(&checkpoint);
            return Ok(Some(NamePart {
                text: &whole[..length],
                offset,
            }));
        }
        let word_at = input.current_token_start();
        let word_length = continue_word(input)?;
        let word = NamePart {
            text: &whole[length + 1..][..word_length],
            offset: word_at,
        };
        let before = whole[..length].rsplit(' ').next().unwrap_or_default();
        refuse_foreign_word(before, &word, expected_after)?;
        length += 1 + word_length;
    }
}

fn continue_word(input: &mut Input<'_>) -> Parsed<usize> {
    take_while(0.., continues_name)
        .map(str::len)
        .parse_next(input)
}

/// Words that mean something elsewhere can't be inside a name: `a == b and c`
/// would otherwise ask for a property called "b and c".
fn refuse_foreign_word(before: &str, word: &NamePart<'_>, expected: &str) -> Parsed<()> {
    let is_constant = |word: &str| matches!(word, "true" | "false" | "null");
    let nearest = match word.text.to_ascii_lowercase().as_str() {
        "and" => Some("&&"),
        "or" => Some("||"),
        "not" => Some("!="),
        _ if is_constant(word.text) => nearest_for_word(before),
        _ if is_constant(before) => None,
        _ => return Ok(()),
    };
    Err(SyntaxError::new(word.offset, expected, word.quoted())
        .with_hint_opt(nearest.map(did_you_mean)))
}

fn starts_name(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn continues_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '$')
}

// The input

fn rest<'a>(input: &Input<'a>) -> &'a str {
    let rest: &LocatingSlice<&'a str> = &input.input;
    rest
}

fn first(input: &Input<'_>) -> Option<char> {
    rest(input).chars().next()
}

fn blank(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., char::is_whitespace)
        .void()
        .parse_next(input)
}

/// Skips blanks, and the symbol if it is next.
fn symbol(input: &mut Input<'_>, symbol: &str) -> Parsed<bool> {
    blank(input)?;
    Ok(opt(symbol).parse_next(input)?.is_some())
}

fn unexpected(input: &Input<'_>, expected: impl Into<String>) -> SyntaxError {
    let rest = rest(input);
    let hint = match rest.chars().next() {
        Some('\'' | '“' | '”' | '„' | '‘' | '’') => {
            Some("a text needs double quotes (`\"`)".into())
        }
        _ => None,
    };
    SyntaxError::new(input.current_token_start(), expected, describe(rest)).with_hint_opt(hint)
}

/// Like [`unexpected`], with help for other languages' ways to join conditions.
fn unexpected_after_condition(input: &Input<'_>, expected: &str) -> SyntaxError {
    let error = unexpected(input, expected);
    let nearest = match error.found.to_ascii_lowercase().as_str() {
        "`and`" | "`&`" | "`,`" => "&&",
        "`or`" | "`|`" => "||",
        _ => return error,
    };
    error.with_hint(did_you_mean(nearest))
}

/// Names the first token of a text, shortened to 24 characters.
fn describe(rest: &str) -> String {
    let Some(first) = rest.chars().next() else {
        return "the end of the filter".to_owned();
    };
    let same_kind: fn(char) -> bool = match first {
        _ if continues_name(first) => continues_name,
        '=' | '!' | '<' | '>' | '~' | '&' | '|' => |character| "=!<>~&|".contains(character),
        '"' => return shorten(rest.split_inclusive('"').take(2).flat_map(str::chars)),
        _ => return format!("`{first}`"),
    };
    shorten(rest.chars().take_while(|character| same_kind(*character)))
}

fn shorten(characters: impl Iterator<Item = char>) -> String {
    let mut shown: String = characters.take(25).collect();
    if let Some((cut, _)) = shown.char_indices().nth(24) {
        shown.replace_range(cut.., "…");
    }
    format!("`{shown}`")
}
