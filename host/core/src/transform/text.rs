//! Operations on one text.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::{Regex, RegexBuilder};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::codes::{self, CountryFormat, Region};
use super::{LONGEST_TEXT_BYTES, TransformFailure, too_long};
use crate::model::Value;

/// An operation on one text.
#[derive(Clone, Debug)]
pub enum TextOperation {
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Without white space at the ends.
    Trim,
    /// A person's name as it is usually written.
    NormalizeNames,
    /// Without accents and other marks.
    DecomposeDiacriticalMarks,
    /// Base64 of the text's UTF-8.
    Base64Encode,
    /// The text whose UTF-8 was encoded as base64.
    Base64Decode,
    /// A phone number in E.164; nothing when it isn't a valid one.
    E164Phone(Region),
    /// A country's code; nothing for what isn't a country.
    Iso3166(CountryFormat),
    /// A language's tag; nothing for what isn't a language.
    Rfc5646,
    /// The piece at `index`, counted from 0.
    Split {
        /// What stands between pieces.
        delimiter: Pattern,
        /// Which piece.
        index: usize,
        /// Whether a piece that isn't there is a failure, or else no value.
        throws: bool,
    },
    /// All matches replaced.
    Replace(Vec<Replacement>),
    /// The value in a row of a table.
    Lookup {
        /// The rows.
        table: BTreeMap<String, String>,
        /// The value of a text without a row.
        default: Option<String>,
    },
    /// Where a text first stands, counted in characters from 0; -1 when it
    /// doesn't.
    IndexOf(String),
    /// Where a text last stands.
    LastIndexOf(String),
    /// As long as this, in characters, by characters before it.
    LeftPad(Padding),
    /// As long as this, in characters, by characters after it.
    RightPad(Padding),
    /// The last characters; nothing when there are fewer.
    EndOfString(usize),
}

/// A pattern and what stands for its matches.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// The pattern. Matching takes time in proportion to the text.
    pub pattern: Pattern,
    /// What a match becomes; `${1}` is its first group.
    pub replacement: String,
    /// Which operation it belongs to.
    pub operation: &'static str,
}

/// How a text is made longer.
#[derive(Clone, Debug)]
pub struct Padding {
    /// The length wanted, in characters.
    pub length: usize,
    /// The text that is repeated; its last repetition may be cut.
    pub padding: String,
}

/// A compiled pattern.
pub type Pattern = Regex;

/// A pattern may be compiled to this much, in bytes.
const PATTERN_LIMIT_BYTES: usize = 1 << 20;

/// Compiles a pattern; matching it takes time in proportion to the text.
///
/// # Errors
///
/// A text that says what is wrong.
pub fn pattern(text: &str) -> Result<Pattern, String> {
    RegexBuilder::new(text)
        .size_limit(PATTERN_LIMIT_BYTES)
        .build()
        .map_err(|error| {
            let error = error.to_string();
            let last = error.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        })
}

/// Returns a delimiter: one character stands for itself, more are a pattern.
///
/// # Errors
///
/// As [`pattern`].
pub fn delimiter(text: &str) -> Result<Pattern, String> {
    if text.chars().count() == 1 {
        return pattern(&regex::escape(text));
    }
    pattern(text)
}

/// Rewrites what stands for a match from Java's form (`$1`, `${name}`, `\$`) to
/// [`Replacement::replacement`]'s.
pub fn replacement(java: &str) -> String {
    let mut written = String::new();
    let mut rest = java.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('$') => written += "$$",
                Some(other) => written.push(other),
                None => written.push('\\'),
            },
            '$' if rest.peek().is_some_and(char::is_ascii_digit) => {
                let group = rest.next().unwrap_or_default();
                written += &format!("${{{group}}}");
            }
            '$' if rest.peek() == Some(&'{') => written.push('$'),
            '$' => written += "$$",
            other => written.push(other),
        }
    }
    written
}

impl TextOperation {
    /// Returns the name that configuration uses.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Trim => "trim",
            Self::NormalizeNames => "normalizeNames",
            Self::DecomposeDiacriticalMarks => "decomposeDiacriticalMarks",
            Self::Base64Encode => "base64Encode",
            Self::Base64Decode => "base64Decode",
            Self::E164Phone(_) => "e164phone",
            Self::Iso3166(_) => "iso3166",
            Self::Rfc5646 => "rfc5646",
            Self::Split { .. } => "split",
            Self::Replace(replacements) => replacements
                .first()
                .map_or("replaceAll", |replacement| replacement.operation),
            Self::Lookup { .. } => "lookup",
            Self::IndexOf(_) => "indexOf",
            Self::LastIndexOf(_) => "lastIndexOf",
            Self::LeftPad(_) => "leftPad",
            Self::RightPad(_) => "rightPad",
            Self::EndOfString(_) => "getEndOfString",
        }
    }

    /// Carries the operation out.
    ///
    /// # Errors
    ///
    /// [`TransformFailure::Operation`] for a text that it can't work with.
    pub fn apply(&self, text: &str) -> Result<Option<Value>, TransformFailure> {
        let made = match self {
            Self::Lower => text.to_lowercase(),
            Self::Upper => text.to_uppercase(),
            Self::Trim => text.trim().to_owned(),
            Self::NormalizeNames => normalize_names(text),
            Self::DecomposeDiacriticalMarks => text
                .nfd()
                .filter(|c| !is_combining_mark(*c))
                .nfc()
                .collect(),
            Self::Base64Encode => STANDARD.encode(text),
            Self::Base64Decode => base64_decode(text)?,
            Self::E164Phone(region) => return Ok(codes::e164(text, *region).map(Value::text)),
            Self::Iso3166(format) => return Ok(codes::country(text, *format).map(Value::text)),
            Self::Rfc5646 => return Ok(codes::language(text).map(Value::text)),
            Self::Split {
                delimiter,
                index,
                throws,
            } => match delimiter.split(text).nth(*index) {
                Some(piece) => piece.to_owned(),
                None if *throws => {
                    let message = format!("there is no piece {index}");
                    return Err(TransformFailure::bad_value(self.name(), message));
                }
                None => return Ok(None),
            },
            Self::Replace(replacements) => replace_all(text, replacements)?,
            Self::Lookup { table, default } => {
                let row = table.get(text).or(default.as_ref());
                return Ok(row.cloned().map(Value::text));
            }
            Self::IndexOf(part) => return Ok(Some(character_at(text, text.find(part)))),
            Self::LastIndexOf(part) => return Ok(Some(character_at(text, text.rfind(part)))),
            Self::LeftPad(padding) => padding.missing(text) + text,
            Self::RightPad(padding) => text.to_owned() + &padding.missing(text),
            Self::EndOfString(count) => match text.chars().count().checked_sub(*count) {
                Some(before) => text.chars().skip(before).collect(),
                None => return Ok(None),
            },
        };
        if made.len() > LONGEST_TEXT_BYTES {
            return Err(too_long(self.name()));
        }
        Ok(Some(Value::text(made)))
    }
}

impl Padding {
    fn missing(&self, text: &str) -> String {
        let missing = self.length.saturating_sub(text.chars().count());
        self.padding.chars().cycle().take(missing).collect()
    }
}

fn base64_decode(text: &str) -> Result<String, TransformFailure> {
    const OPERATION: &str = "base64Decode";
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|_| TransformFailure::bad_value(OPERATION, "what it is given is no base64"))?;
    String::from_utf8(bytes)
        .map_err(|_| TransformFailure::bad_value(OPERATION, "what was encoded is no text"))
}

fn replace_all(text: &str, replacements: &[Replacement]) -> Result<String, TransformFailure> {
    let mut text = text.to_owned();
    for known in replacements {
        let mut replaced = String::new();
        let mut end = 0;
        for captures in known.pattern.captures_iter(&text) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            replaced.push_str(&text[end..whole.start()]);
            captures.expand(&known.replacement, &mut replaced);
            end = whole.end();
            if replaced.len() > LONGEST_TEXT_BYTES {
                return Err(too_long(known.operation));
            }
        }
        replaced.push_str(&text[end..]);
        text = replaced;
    }
    Ok(text)
}

fn character_at(text: &str, offset: Option<usize>) -> Value {
    let characters = offset.map(|offset| text[..offset].chars().count());
    Value::Integer(characters.map_or(-1, |count| i64::try_from(count).unwrap_or(i64::MAX)))
}

/// Particles that stay in lower case, unless a name begins with one.
const PARTICLES: [&str; 12] = [
    "von", "van", "der", "den", "de", "del", "della", "di", "da", "du", "la", "of",
];

/// Writes a person's name as it is usually written: capitals at the beginning of
/// each part, also after an apostrophe and after `Mc`; particles such as `von`
/// in lower case; Roman numerals at the end in upper case.
fn normalize_names(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let last = words.len().saturating_sub(1);
    let written = words.iter().enumerate().map(|(index, word)| {
        let lower = word.to_lowercase();
        let is_numeral = matches!(
            lower.as_str(),
            "ii" | "iii" | "iv" | "vi" | "vii" | "viii" | "ix"
        );
        if index > 0 && index < last && PARTICLES.contains(&lower.as_str()) {
            lower
        } else if index > 0 && index == last && is_numeral {
            lower.to_uppercase()
        } else {
            capitalised(&lower)
        }
    });
    written.collect::<Vec<_>>().join(" ")
}

fn capitalised(lower: &str) -> String {
    let mut written = String::new();
    let mut at_beginning = true;
    for (offset, character) in lower.char_indices() {
        let part = &lower[..offset];
        let part = &part[part.rfind(['-', '\'', '\u{2019}', '.']).map_or(0, |place| {
            place + part[place..].chars().next().map_or(1, char::len_utf8)
        })..];
        if at_beginning || part == "mc" {
            written.extend(character.to_uppercase());
        } else {
            written.push(character);
        }
        at_beginning = matches!(character, '-' | '\'' | '\u{2019}' | '.');
    }
    written
}
