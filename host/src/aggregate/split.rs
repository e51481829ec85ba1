//! Splitting lines of a delimited file into fields, strictly: what is wrong
//! with the quotes of a record is said and not guessed at.

use memchr::memchr;

/// The fields of one record, in one text.
#[derive(Debug, Default)]
pub(super) struct Fields {
    text: String,
    ends: Vec<usize>,
}

impl Fields {
    /// Returns how many fields there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Returns a field without the blanks around it.
    pub(super) fn get(&self, index: usize) -> &str {
        let start = match index {
            0 => 0,
            index => self.ends[index - 1],
        };
        trim(&self.text[start..self.ends[index]])
    }

    /// Returns the fields without the blanks around them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index))
    }

    fn end_field(&mut self) {
        self.ends.push(self.text.len());
    }
}

/// Returns a text without the blanks around it. Hardly any has some.
pub(super) fn trim(text: &str) -> &str {
    let is_clear = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_graphic());
    let bytes = text.as_bytes();
    match is_clear(bytes.first()) && is_clear(bytes.last()) {
        true => text,
        false => text.trim(),
    }
}

/// A record that is being split, line after line.
pub(super) struct Splitter {
    delimiter: u8,
    quote: Option<u8>,
    fields: Fields,
    /// Within quotes: the next line belongs to the same field.
    open: bool,
}

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// The record is complete.
    Complete,
    /// A quote is still open: the record goes on in the next line.
    Open,
    /// Something stands between a closing quote and the next delimiter.
    AfterQuote,
}

impl Splitter {
    pub(super) fn new(delimiter: u8, quote: Option<u8>) -> Self {
        Self {
            delimiter,
            quote,
            fields: Fields::default(),
            open: false,
        }
    }

    /// Returns the fields of the record that was fed last.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// Forgets what was fed: a new record begins.
    pub(super) fn reset(&mut self) {
        self.fields.text.clear();
        self.fields.ends.clear();
        self.open = false;
    }

    /// Takes the next line of the record, without its line end.
    pub(super) fn feed(&mut self, line: &str) -> LineEnd {
        let mut rest = line;
        if self.open {
            self.fields.text.push('\n');
        }
        loop {
            if !self.open {
                match self.quote {
                    Some(quote) if rest.as_bytes().first() == Some(&quote) => {
                        self.open = true;
                        rest = &rest[1..];
                    }
                    _ => match self.plain(rest) {
                        Some(after) => {
                            rest = after;
                            continue;
                        }
                        None => return LineEnd::Complete,
                    },
                }
            }
            match self.quoted(rest) {
                Quoted::Open => return LineEnd::Open,
                Quoted::Closed(after) => match after.as_bytes().first() {
                    None => return LineEnd::Complete,
                    Some(&byte) if byte == self.delimiter => rest = &after[1..],
                    Some(_) => return LineEnd::AfterQuote,
                },
            }
        }
    }

    /// Takes a field without quotes; returns what follows its delimiter.
    fn plain<'t>(&mut self, text: &'t str) -> Option<&'t str> {
        let end = memchr(self.delimiter, text.as_bytes());
        self.fields
            .text
            .push_str(&text[..end.unwrap_or(text.len())]);
        self.fields.end_field();
        end.map(|end| &text[end + 1..])
    }

    /// Takes text within quotes, up to the closing one.
    fn quoted<'t>(&mut self, mut text: &'t str) -> Quoted<'t> {
        let quote = self.quote.expect("only a quote opens a quoted field");
        loop {
            let Some(end) = memchr(quote, text.as_bytes()) else {
                self.fields.text.push_str(text);
                return Quoted::Open;
            };
            self.fields.text.push_str(&text[..end]);
            text = &text[end + 1..];
            if text.as_bytes().first() != Some(&quote) {
                self.open = false;
                self.fields.end_field();
                return Quoted::Closed(text);
            }
            self.fields.text.push(char::from(quote));
            text = &text[1..];
        }
    }
}

enum Quoted<'t> {
    Open,
    Closed(&'t str),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LineEnd, Splitter};

    fn split(lines: &[&str]) -> (LineEnd, Vec<String>) {
        let mut splitter = Splitter::new(b',', Some(b'"'));
        let mut end = LineEnd::Complete;
        for line in lines {
            end = splitter.feed(line);
        }
        let fields = splitter.fields().iter().map(str::to_owned).collect();
        (end, fields)
    }

    #[test]
    fn fields_are_split_at_delimiters_outside_quotes() {
        let (end, fields) = split(&[r#"a, b ,"c, ""d""",,"""#]);
        assert_eq!(end, LineEnd::Complete);
        assert_eq!(fields, ["a", "b", "c, \"d\"", "", ""]);
        assert_eq!(split(&["a,\"b"]).0, LineEnd::Open);
        assert_eq!(split(&["",]).1, [""]);
        assert_eq!(split(&["a,"]).1, ["a", ""]);
    }

    #[test]
    fn a_quoted_field_goes_on_in_the_next_line() {
        let (end, fields) = split(&["1,\"two", "lines\",3"]);
        assert_eq!(end, LineEnd::Complete);
        assert_eq!(fields, ["1", "two\nlines", "3"]);
    }

    #[test]
    fn text_after_a_closing_quote_is_noticed() {
        assert_eq!(split(&["\"a\"b,c"]).0, LineEnd::AfterQuote);
        assert_eq!(
            split(&["1,\"broken,2", "3,\"fine\",4"]).0,
            LineEnd::AfterQuote
        );
    }

    #[test]
    fn a_quote_within_a_field_that_is_not_quoted_is_text() {
        assert_eq!(split(&["5\" pipe,x"]).1, ["5\" pipe", "x"]);
    }

    proptest! {
        /// Whatever is written as a record is read back, and the csv crate agrees.
        #[test]
        fn records_written_are_read_back(fields in prop::collection::vec("[a-c,\"\n;é]{0,6}", 2..6)) {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            writer.write_record(&fields).expect("memory can be written to");
            let written = writer.into_inner().expect("memory can be flushed");
            let written = String::from_utf8(written).expect("text was written");
            let lines: Vec<&str> = written.trim_end_matches('\n').split('\n').collect();
            let (end, found) = split(&lines);
            prop_assert_eq!(end, LineEnd::Complete);
            let wanted: Vec<&str> = fields.iter().map(|field| field.trim()).collect();
            prop_assert_eq!(found, wanted);
        }
    }
}
