//! The lines of a text file, with their numbers, decoded one by one: a line
//! with bytes that mean nothing doesn't spoil the others.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use encoding_rs::{CoderResult, Decoder, Encoding};
use memchr::memchr;

/// No line is longer than that; the rest of a longer one is skipped.
const LINE_LIMIT_BYTES: usize = 1 << 20;

/// A line without its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: u64,
    /// The text; with replacement characters where it is damaged.
    pub(super) text: String,
    /// Whether bytes in it mean nothing in the file's encoding.
    pub(super) damaged: bool,
    /// Whether it was longer than any line may be.
    pub(super) too_long: bool,
    /// Whether a line end follows.
    pub(super) ended: bool,
}

/// Reads a file line by line, and can look ahead.
pub(super) struct Lines {
    input: Box<dyn BufRead + Send>,
    /// UTF-8, where the file had to be decoded as a whole.
    encoding_of_input: &'static Encoding,
    encoding: &'static Encoding,
    ahead: VecDeque<Line>,
    number: u64,
    /// Memory for the next line.
    spare: Vec<u8>,
    bytes_read: u64,
    size: u64,
}

impl Lines {
    /// Opens a file. A mark at its beginning decides on the encoding, if there
    /// is one; else it is `encoding`.
    pub(super) fn open(path: &Path, encoding: &'static Encoding) -> io::Result<Self> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut input = BufReader::with_capacity(1 << 16, file);
        let marked = Encoding::for_bom(input.fill_buf()?);
        let (encoding, mark) = marked.unwrap_or((encoding, 0));
        input.consume(mark);
        // In these encodings a line end can't be told from the bytes, so they
        // are decoded first.
        let (input, encoding_of_input): (Box<dyn BufRead + Send>, _) =
            if encoding.is_ascii_compatible() {
                (Box::new(input), encoding)
            } else {
                let decoded = DecodedReader::new(input, encoding);
                (Box::new(BufReader::new(decoded)), encoding_rs::UTF_8)
            };
        Ok(Self {
            input,
            encoding_of_input,
            encoding,
            ahead: VecDeque::new(),
            number: 0,
            spare: Vec::new(),
            bytes_read: mark as u64,
            size,
        })
    }

    /// Returns the encoding of the file.
    pub(super) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// Returns the size of the file in bytes.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Returns how many bytes were read, after decoding.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Returns the next line.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        match self.ahead.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.read(),
        }
    }

    /// Returns the line `distance` lines behind the next one, which stays
    /// where it is.
    pub(super) fn peek(&mut self, distance: usize) -> io::Result<Option<&Line>> {
        while self.ahead.len() <= distance {
            let Some(line) = self.read()? else {
                return Ok(None);
            };
            self.ahead.push_back(line);
        }
        Ok(self.ahead.get(distance))
    }

    /// Takes the next `count` lines, which were looked at.
    pub(super) fn take(&mut self, count: usize) -> impl Iterator<Item = Line> {
        self.ahead.drain(..count)
    }

    /// Takes back the memory of a line that is done with.
    pub(super) fn give_back(&mut self, line: Line) {
        self.spare = line.text.into_bytes();
        self.spare.clear();
    }

    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = std::mem::take(&mut self.spare);
        let (mut too_long, mut ended) = (false, false);
        while !ended {
            let available = self.input.fill_buf()?;
            if available.is_empty() {
                break;
            }
            let end = memchr(b'\n', available);
            let taken = end.map_or(available.len(), |end| end + 1);
            let wanted = &available[..end.unwrap_or(available.len())];
            let room = LINE_LIMIT_BYTES - bytes.len();
            too_long |= wanted.len() > room;
            bytes.extend_from_slice(&wanted[..wanted.len().min(room)]);
            self.input.consume(taken);
            self.bytes_read += taken as u64;
            ended = end.is_some();
        }
        if bytes.is_empty() && !ended {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        self.number += 1;
        let (text, damaged) = self.decode(bytes);
        Ok(Some(Line {
            number: self.number,
            text,
            damaged,
            too_long,
            ended,
        }))
    }

    fn decode(&self, bytes: Vec<u8>) -> (String, bool) {
        if self.encoding_of_input == encoding_rs::UTF_8 {
            return match String::from_utf8(bytes) {
                // What the decoder of the whole file couldn't read looks so.
                Ok(text) => {
                    let damaged = !text.is_ascii() && text.contains(char::REPLACEMENT_CHARACTER);
                    (text, damaged)
                }
                Err(error) => (String::from_utf8_lossy(error.as_bytes()).into_owned(), true),
            };
        }
        let (text, damaged) = self.encoding_of_input.decode_without_bom_handling(&bytes);
        (text.into_owned(), damaged)
    }
}

/// Turns a file into UTF-8 while it is read.
struct DecodedReader<R> {
    input: R,
    decoder: Decoder,
    finished: bool,
}

impl<R: BufRead> DecodedReader<R> {
    fn new(input: R, encoding: &'static Encoding) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_without_bom_handling(),
            finished: false,
        }
    }
}

impl<R: BufRead> Read for DecodedReader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.finished {
            let input = self.input.fill_buf()?;
            let last = input.is_empty();
            let (result, read, written, _) = self.decoder.decode_to_utf8(input, out, last);
            self.input.consume(read);
            self.finished = last && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
            if result == CoderResult::OutputFull {
                return Err(io::Error::other(
                    "the buffer is too small for one character",
                ));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

    use super::{LINE_LIMIT_BYTES, Line, Lines};

    fn lines(content: &[u8], encoding: &'static Encoding) -> Vec<Line> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("feed.csv");
        std::fs::write(&path, content).expect("it can be written to");
        let mut lines = Lines::open(&path, encoding).expect("it can be opened");
        let mut found = Vec::new();
        while let Some(line) = lines.next().expect("it can be read") {
            found.push(line);
        }
        found
    }

    fn texts(content: &[u8], encoding: &'static Encoding) -> Vec<String> {
        let lines = lines(content, encoding);
        assert!(lines.iter().all(|line| !line.damaged));
        lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn line_ends_and_marks_are_not_part_of_the_text() {
        assert_eq!(
            texts(b"\xEF\xBB\xBFa\r\nb\n\nc", UTF_8),
            ["a", "b", "", "c"]
        );
        assert!(texts(b"", UTF_8).is_empty());
    }

    #[test]
    fn other_encodings_are_read() {
        assert_eq!(texts(b"M\xFCller\n\x80", WINDOWS_1252), ["Müller", "€"]);
        let utf_16: Vec<u8> = "ü\n😀".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(texts(&utf_16, encoding_rs::UTF_16LE), ["ü", "😀"]);
        let marked = [&[0xFF, 0xFE][..], &utf_16].concat();
        assert_eq!(texts(&marked, UTF_8), ["ü", "😀"]);
    }

    #[test]
    fn damage_stays_in_its_line() {
        let lines = lines(b"a\nM\xFCller\nb\n", UTF_8);
        let damaged: Vec<bool> = lines.iter().map(|line| line.damaged).collect();
        assert_eq!(damaged, [false, true, false]);
        assert_eq!(lines[1].text, "M\u{FFFD}ller");
    }

    #[test]
    fn a_line_without_end_is_not_kept_whole() {
        let mut content = vec![b'x'; LINE_LIMIT_BYTES + 10];
        content.extend(b"\nb");
        let lines = lines(&content, UTF_8);
        assert!(lines[0].too_long && lines[0].ended);
        assert_eq!(lines[0].text.len(), LINE_LIMIT_BYTES);
        assert!(!lines[1].too_long && !lines[1].ended);
        assert_eq!(lines[1].number, 2);
    }
}
