//! Where things are in a configuration file: made only when there is a problem
//! to point at.

use std::collections::HashMap;
use std::fmt::Write;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step from a file's top to a key in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Segment {
    Key(String),
    Index(usize),
}

/// The steps from a file's top to a key in it.
pub(super) type KeyPath = Vec<Segment>;

/// The place of every key, and of every element of a list.
#[derive(Debug)]
pub(super) struct Outline {
    lines: Lines,
    places: HashMap<KeyPath, Place>,
}

#[derive(Debug)]
struct Place {
    line: usize,
    /// The name of an element of a list of tables.
    label: Option<String>,
}

impl Outline {
    /// Returns the outline of a file.
    pub(super) fn of(text: &str) -> Self {
        let mut outline = Self {
            lines: Lines::of(text.as_bytes()),
            places: HashMap::new(),
        };
        let (table, _) = DeTable::parse_recoverable(text);
        outline.note_table(table.get_ref(), &mut Vec::new());
        outline
    }

    fn note_table(&mut self, table: &DeTable<'_>, path: &mut KeyPath) {
        for (key, value) in table {
            path.push(Segment::Key(key.get_ref().to_string()));
            self.note(path, key.span().start, None);
            self.note_value(value, path);
            path.pop();
        }
    }

    fn note_value(&mut self, value: &Spanned<DeValue<'_>>, path: &mut KeyPath) {
        match value.get_ref() {
            DeValue::Table(table) => self.note_table(table, path),
            DeValue::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    let name = element.get_ref().get("name");
                    let name = name.and_then(|name| name.get_ref().as_str());
                    path.push(Segment::Index(index));
                    self.note(path, element.span().start, name.map(str::to_owned));
                    self.note_value(element, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, path: &KeyPath, offset: usize, label: Option<String>) {
        let line = self.lines.line_at(offset);
        self.places.insert(path.clone(), Place { line, label });
    }

    /// Returns the line on which a byte is.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        self.lines.line_at(offset)
    }

    /// Returns the line of a key, or of the nearest thing around it.
    pub(super) fn line(&self, path: &[Segment]) -> Option<usize> {
        (1..=path.len())
            .rev()
            .find_map(|length| self.places.get(&path[..length]))
            .map(|place| place.line)
    }

    /// Returns a key path as text: `role[Engineer].requires[0]`.
    pub(super) fn shown(&self, path: &[Segment]) -> String {
        let mut text = String::new();
        for (depth, segment) in path.iter().enumerate() {
            match segment {
                Segment::Key(key) => {
                    if depth > 0 {
                        text.push('.');
                    }
                    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
                    if !key.is_empty() && key.chars().all(plain) {
                        text += key;
                    } else {
                        let _ = write!(text, "{key:?}");
                    }
                }
                Segment::Index(index) => {
                    let place = self.places.get(&path[..=depth]);
                    match place.and_then(|place| place.label.as_deref()) {
                        Some(label) => text += &format!("[{label}]"),
                        None => text += &format!("[{index}]"),
                    }
                }
            }
        }
        text
    }
}

/// Where the lines of a text begin.
#[derive(Debug)]
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// Finds the lines.
    pub(super) fn of(content: &[u8]) -> Self {
        let ends = content.iter().enumerate();
        let ends = ends.filter(|(_, byte)| **byte == b'\n');
        Self(ends.map(|(offset, _)| offset + 1).collect())
    }

    /// Returns the line on which a byte is, counted from 1.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|begin| *begin <= offset)
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Outline, Segment};

    #[test]
    fn lines_are_counted_from_one() {
        let lines = Lines::of(b"a\nbc\n\nd");
        let at = [0, 1, 2, 4, 5, 6].map(|offset| lines.line_at(offset));
        assert_eq!(at, [1, 1, 2, 2, 3, 4]);
    }

    #[test]
    fn a_key_that_is_not_there_is_where_its_table_is() {
        let outline = Outline::of("[[role]]\nname = 'a'\n\n[[role]]\nname = 'b'\n");
        let path = [
            Segment::Key("role".to_owned()),
            Segment::Index(1),
            Segment::Key("type".to_owned()),
        ];
        assert_eq!(outline.line(&path), Some(4));
        assert_eq!(outline.shown(&path), "role[b].type");
    }
}
