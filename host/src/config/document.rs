//! One configuration file: read in full even where parts of it are wrong, so
//! that every problem in it is reported.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;

use idr_core::text::nearest;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use super::outline::{KeyPath, Lines, Outline, Segment};
use super::problem::{Problem, Problems};

/// The version of the configuration format that this program reads.
pub(super) const VERSION: i64 = 1;

/// After this many things that can't be read the rest of a file is left.
const MAX_UNREADABLE: usize = 100;

/// One file, as far as problems in it need to know.
#[derive(Debug, Default)]
pub(super) struct Document {
    file: String,
    text: String,
    outline: OnceCell<Outline>,
    /// What was taken out because it could not be read: checks say nothing more
    /// about it.
    removed: HashSet<KeyPath>,
    /// Set when the file isn't TOML throughout: what could be read of it is
    /// used, but only that is said about it.
    broken: bool,
}

/// Reads a file into `R`, whose fields are all optional.
///
/// What isn't as `R` wants it is reported and taken out, until the rest can be
/// read: one mistake doesn't hide another.
pub(super) fn read<R: DeserializeOwned + Default>(
    file: &str,
    content: &[u8],
    problems: &Problems,
) -> (R, Document) {
    let mut document = Document {
        file: file.to_owned(),
        ..Document::default()
    };
    let text = match std::str::from_utf8(content) {
        Ok(text) => text,
        Err(error) => {
            let line = Lines::of(content).line_at(error.valid_up_to());
            let message = "the file is not UTF-8".to_owned();
            document.add(problems, Some(line), None, message, None);
            document.broken = true;
            return (R::default(), document);
        }
    };
    document.text = text.to_owned();
    let (mut table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = error.span();
        let line = line.map(|span| document.outline().line_at(span.start));
        document.add(problems, line, None, error.message().to_owned(), None);
    }
    document.broken = !errors.is_empty();
    for _ in 0..MAX_UNREADABLE {
        let error = match R::deserialize(Deserializer::from(table.clone())) {
            Ok(raw) => return (raw, document),
            Err(error) => error,
        };
        let message = in_plain_words(error.message());
        let meant = meant_by(error.message());
        let removed = error
            .span()
            .and_then(|span| remove(table.get_mut(), &span, &mut Vec::new()));
        let Some((key, place)) = removed else {
            document.add(problems, None, None, message, None);
            return (R::default(), document);
        };
        let line = document.outline().line_at(place.start);
        let shown = document.outline().shown(&key);
        let hint = meant.as_ref().map(Meant::hint);
        if !document.broken {
            document.add(problems, Some(line), Some(shown), message, hint);
        }
        if let Some(Meant::Key(meant)) = meant {
            // That the right key is missing needn't be said as well.
            let mut sibling = key.clone();
            sibling.pop();
            sibling.push(Segment::Key(meant));
            document.removed.insert(sibling);
        }
        document.removed.insert(key);
    }
    let message =
        format!("more than {MAX_UNREADABLE} things can't be read; the rest is not looked at");
    document.add(problems, None, None, message, None);
    (R::default(), document)
}

impl Document {
    /// Returns the whole file as a place to report problems at.
    pub(super) fn scope<'a>(&'a self, problems: &'a Problems) -> Scope<'a> {
        Scope {
            document: self,
            problems,
            path: Vec::new(),
        }
    }

    /// Returns the file's path.
    pub(super) fn file(&self) -> &str {
        &self.file
    }

    fn add(
        &self,
        problems: &Problems,
        line: Option<usize>,
        key: Option<String>,
        message: String,
        hint: Option<String>,
    ) {
        problems.add(Problem {
            file: self.file.clone(),
            line,
            key,
            message,
            hint,
        });
    }

    fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::of(&self.text))
    }
}

/// A place in a file, at which a check reports problems.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    document: &'a Document,
    problems: &'a Problems,
    path: KeyPath,
}

impl<'a> Scope<'a> {
    /// Returns the place of a key in this table.
    pub(super) fn at(&self, key: &str) -> Self {
        self.below(Segment::Key(key.to_owned()))
    }

    /// Returns the place of an element of this list.
    pub(super) fn item(&self, index: usize) -> Self {
        self.below(Segment::Index(index))
    }

    fn below(&self, segment: Segment) -> Self {
        let mut below = self.clone();
        below.path.push(segment);
        below
    }

    /// Reports a problem here.
    pub(super) fn report(&self, message: impl Into<String>) {
        self.report_with_hint_opt(message, None);
    }

    /// Reports a problem here, with what to do about it.
    pub(super) fn report_with_hint(&self, message: impl Into<String>, hint: impl Into<String>) {
        self.report_with_hint_opt(message, Some(hint.into()));
    }

    /// Reports a problem here. Nothing is said of what could not be read at
    /// all: that has been reported already.
    pub(super) fn report_with_hint_opt(
        &self,
        message: impl Into<String>,
        hint_opt: Option<String>,
    ) {
        let unread = |path: &[Segment]| self.document.removed.contains(path);
        if self.document.broken || (1..=self.path.len()).any(|end| unread(&self.path[..end])) {
            return;
        }
        self.problems.add(self.problem(message.into(), hint_opt));
    }

    /// Says something that is right here, but probably not meant.
    pub(super) fn remark(&self, message: impl Into<String>, hint: impl Into<String>) {
        let remark = self.problem(message.into(), Some(hint.into()));
        self.problems.remark(remark);
    }

    fn problem(&self, message: String, hint: Option<String>) -> Problem {
        let outline = self.document.outline();
        Problem {
            file: self.document.file.clone(),
            line: outline.line(&self.path),
            key: (!self.path.is_empty()).then(|| outline.shown(&self.path)),
            message,
            hint,
        }
    }

    /// Returns where this is, for problems reported elsewhere: `roles/it.toml:3`.
    pub(super) fn whereabouts(&self) -> String {
        match self.document.outline().line(&self.path) {
            Some(line) => format!("{}:{line}", self.document.file),
            None => self.document.file.clone(),
        }
    }

    /// Checks a `version`, which only `idr.toml` must have.
    pub(super) fn check_version(&self, version: Option<i64>, required: bool) {
        let scope = self.at("version");
        match version {
            Some(VERSION) => {}
            Some(other) => scope.report_with_hint(
                format!("this program reads version {VERSION}, not {other}"),
                format!("write `version = {VERSION}`"),
            ),
            None if required => {
                scope.report_with_hint("it is missing", format!("write `version = {VERSION}`"));
            }
            None => {}
        }
    }
}

/// Takes out the key that an error is about: the deepest one whose own place or
/// whose value's is the error's, or for a list, whose element's is.
fn remove(
    table: &mut DeTable<'_>,
    span: &Range<usize>,
    path: &mut KeyPath,
) -> Option<(KeyPath, Range<usize>)> {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        path.push(Segment::Key(key.get_ref().to_string()));
        let deeper = remove_in_value(value, span, path);
        if let Deeper::Removed(removed) = deeper {
            path.pop();
            return Some(removed);
        }
        if matches!(deeper, Deeper::IsElement) || key.span() == *span || value.span() == *span {
            found = Some((path.clone(), key.clone()));
        }
        path.pop();
    }
    let (path, key) = found?;
    table.remove(&key);
    Some((path, key.span()))
}

enum Deeper {
    Removed((KeyPath, Range<usize>)),
    /// An element of the list is meant: it is taken out with the list, so that
    /// the places of the others stay what they are.
    IsElement,
    Nothing,
}

fn remove_in_value(
    value: &mut Spanned<DeValue<'_>>,
    span: &Range<usize>,
    path: &mut KeyPath,
) -> Deeper {
    match value.get_mut() {
        DeValue::Table(table) => match remove(table, span, path) {
            Some(removed) => Deeper::Removed(removed),
            None => Deeper::Nothing,
        },
        DeValue::Array(elements) => {
            for (index, element) in elements.iter_mut().enumerate() {
                path.push(Segment::Index(index));
                let deeper = remove_in_value(element, span, path);
                path.pop();
                if matches!(deeper, Deeper::Removed(_)) {
                    return deeper;
                }
                if element.span() == *span || matches!(deeper, Deeper::IsElement) {
                    return Deeper::IsElement;
                }
            }
            Deeper::Nothing
        }
        _ => Deeper::Nothing,
    }
}

/// Rewords what serde says: the files are TOML, not Rust.
fn in_plain_words(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let field = rest.split(", ").next().unwrap_or(rest);
        return format!("there is no key {field} here");
    }
    let mut message = message.replace("invalid type: ", "found ");
    for (rust, plain) in [
        ("expected i64", "expected an integer"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
        ("expected a string", "expected a text"),
        ("expected a boolean", "expected true or false"),
        ("found map", "found a table"),
        ("found sequence", "found a list"),
        ("found string ", "found the text "),
        ("found floating point ", "found the number "),
    ] {
        message = message.replace(rust, plain);
    }
    match message.split_once("expected struct ") {
        Some((before, _)) => format!("{before}expected a table"),
        None => message,
    }
}

/// What somebody who wrote an unknown key may have meant.
enum Meant {
    Key(String),
    OneOf(Vec<String>),
}

impl Meant {
    fn hint(&self) -> String {
        match self {
            Self::Key(key) => format!("write `{key}`"),
            Self::OneOf(keys) => format!("the keys here are {}", keys.join(", ")),
        }
    }
}

/// Guesses what was meant by an unknown key, from the keys that serde lists.
fn meant_by(message: &str) -> Option<Meant> {
    let (unknown, known) = message
        .strip_prefix("unknown field ")?
        .split_once(", expected ")?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let nearest = nearest(unknown.trim_matches('`'), known.iter().copied());
    let all = || known.iter().map(ToString::to_string).collect();
    Some(nearest.map_or_else(|| Meant::OneOf(all()), Meant::Key))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::problem::Problems;
    use super::read;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Raw {
        version: Option<i64>,
        role: Vec<RawRole>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct RawRole {
        name: Option<String>,
        requires: Vec<String>,
    }

    fn problems_of(text: &str) -> (Raw, String) {
        let problems = Problems::default();
        let (raw, document) = read::<Raw>("roles/a.toml", text.as_bytes(), &problems);
        for (index, role) in raw.role.iter().enumerate() {
            let scope = document.scope(&problems).at("role").item(index);
            if role.requires.is_empty() {
                scope.at("requires").report("nothing is required");
            }
        }
        let lines: Vec<String> = problems
            .into_sorted()
            .0
            .iter()
            .map(ToString::to_string)
            .collect();
        (raw, lines.join("\n"))
    }

    #[test]
    fn every_mistake_of_a_file_is_reported_and_the_rest_is_read() {
        let (raw, problems) = problems_of(
            r#"
            version = "1"
            [[role]]
            name = "Engineer"
            reqires = ["a"]
            [[role]]
            nmae = "Clerk"
            requires = ["b", 7]
            [[role]]
            name = 5
            colour = "red"
            "#,
        );
        assert_eq!(raw.role.len(), 3);
        assert_eq!(raw.role[0].name.as_deref(), Some("Engineer"));
        insta::assert_snapshot!(problems, @r#"
        roles/a.toml:2: version: found the text "1", expected an integer
        roles/a.toml:5: role[Engineer].reqires: there is no key `reqires` here
            hint: write `requires`
        roles/a.toml:7: role[1].nmae: there is no key `nmae` here
            hint: write `name`
        roles/a.toml:8: role[1].requires: found integer `7`, expected a text
        roles/a.toml:9: role[2].requires: nothing is required
        roles/a.toml:10: role[2].name: found integer `5`, expected a text
        roles/a.toml:11: role[2].colour: there is no key `colour` here
            hint: the keys here are name, requires
        "#);
    }

    #[test]
    fn what_is_not_toml_is_reported_by_line_and_nothing_else_is_said_of_the_file() {
        let (_, problems) = problems_of("version = 1\n[[role]]\nname = 'a\n[[role]]\nx = = 1\n");
        insta::assert_snapshot!(problems, @r"
        roles/a.toml:3: invalid literal string, expected `'`
        roles/a.toml:5: extra `=`, expected nothing
        roles/a.toml:5: unexpected key or value, expected newline, `#`
        ");
    }

    #[test]
    fn what_is_not_utf_8_is_reported_by_line() {
        let problems = Problems::default();
        let (_, _) = read::<Raw>("roles/a.toml", b"version = 1\n# caf\xe9\n", &problems);
        insta::assert_snapshot!(problems.into_sorted().0[0], @"roles/a.toml:2: the file is not UTF-8");
    }
}
