//! Reading a delimited file: records with their lines, typed by the
//! application's schema.
//!
//! A record that is broken is reported with its line and reading goes on. When
//! a quote isn't closed properly, only the line in which it opens is broken:
//! the lines after it are read for themselves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoding_rs::Encoding;
use idr_core::definitions::{AccountAttribute, Application};
use idr_core::model::{Account, AccountStatus, Name, Value, ValueType};
use idr_core::text::nearest;
use memchr::memchr_iter;

use super::connector::DelimitedFile;
use super::error::AggregateError;
use super::feed::{Content, Feed, Listed, PAGE, Page, Record};
use super::lines::{Line, Lines};
use super::problem::{BrokenRecord, LINE, Problem};
use super::split::{Fields, LineEnd, Splitter, trim};
use crate::connect::{Status, blank, parse, set};
use crate::store::Fingerprinter;

/// No record goes over more lines than that.
const RECORD_LIMIT_LINES: usize = 100;

/// Reads accounts from a file.
pub(super) struct DelimitedReader {
    path: PathBuf,
    lines: Lines,
    splitter: Splitter,
    columns: Arc<Columns>,
    encoding: &'static Encoding,
    delimiter: u8,
    quote: Option<u8>,
    field_count: usize,
    fingerprinter: Fingerprinter,
    page_bytes: usize,
    cut_off: bool,
}

/// Where things stand in a record.
pub(super) struct Columns {
    delimiter: u8,
    quote: Option<u8>,
    application: Name,
    native_identity: usize,
    native_identity_column: String,
    /// In order of name, as in the schema.
    attributes: Vec<Column>,
    status: Option<(usize, Status)>,
}

struct Column {
    index: usize,
    attribute: AccountAttribute,
    separator: Option<String>,
}

impl DelimitedReader {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// [`AggregateError`] when the file can't be read, or a column is missing.
    pub(super) fn open(
        path: &Path,
        application: &Application,
        settings: &DelimitedFile,
    ) -> Result<Self, AggregateError> {
        let unreadable = |source| AggregateError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let mut lines = Lines::open(path, settings.encoding).map_err(unreadable)?;
        let mut splitter = Splitter::new(settings.delimiter, settings.quote);
        let no_header = || AggregateError::NoHeader {
            path: path.to_owned(),
        };
        let mut first = next_line(&mut lines)
            .map_err(unreadable)?
            .ok_or_else(no_header)?;
        let encoding = lines.encoding();
        assemble(&mut lines, &mut splitter, &mut first, encoding, None)
            .map_err(unreadable)?
            .map_err(|problem| broken_header(path, &first, problem))?;
        let header = Header {
            path,
            names: splitter.fields().iter().map(str::to_owned).collect(),
        };
        Ok(Self {
            path: path.to_owned(),
            columns: Arc::new(Columns::find(&header, application, settings)?),
            field_count: header.names.len(),
            encoding,
            delimiter: settings.delimiter,
            quote: settings.quote,
            lines,
            splitter,
            fingerprinter: Fingerprinter::default(),
            page_bytes: 0,
            cut_off: false,
        })
    }

    fn page(&mut self) -> std::io::Result<Option<Page>> {
        let mut page = Page {
            records: Vec::with_capacity(PAGE),
            having: vec![0; self.columns.attributes.len()],
            text: String::with_capacity(self.page_bytes),
            columns: Some(Arc::clone(&self.columns)),
            ..Page::default()
        };
        while page.records.len() < PAGE {
            let Some(line) = next_line(&mut self.lines)? else {
                break;
            };
            let record = self.record(line, &mut page)?;
            page.records.push(record);
        }
        // Most pages are about as long as the one before.
        self.page_bytes = page.text.len() + page.text.len() / 8;
        page.progress = (self.lines.bytes_read(), self.lines.size());
        Ok((!page.records.is_empty()).then_some(page))
    }

    /// Returns the record that begins with a line; counts the attributes of its account
    /// that have a value.
    fn record(&mut self, mut line: Line, page: &mut Page) -> std::io::Result<Record> {
        let wanted = Some(self.field_count);
        let assembled = assemble(
            &mut self.lines,
            &mut self.splitter,
            &mut line,
            self.encoding,
            wanted,
        )?;
        if let Err(problem) = assembled {
            self.cut_off = !line.ended && !line.too_long;
            let presumed = self.presumed_native_identity(&line.text);
            return Ok(broken(line, None, presumed, problem));
        }
        let fields = self.splitter.fields();
        let native_identity = match self.columns.native_identity(fields) {
            Ok(native_identity) => native_identity,
            Err(problem) => return Ok(broken(line, None, None, problem)),
        };
        let told = self
            .columns
            .tell(fields, &mut self.fingerprinter, &mut page.having);
        if let Err(problem) = told {
            return Ok(broken(
                line,
                Some(native_identity.to_owned()),
                None,
                problem,
            ));
        }
        let listed = Listed {
            line: line.number,
            native_identity: page.keep(native_identity),
            fingerprint: self.fingerprinter.end(),
            content: Content::Text(page.keep(&line.text)),
        };
        self.lines.give_back(line);
        Ok(Record::Listed(listed))
    }

    /// Returns what stands where the native identity should.
    fn presumed_native_identity(&self, text: &str) -> Option<String> {
        let mut parts = text.split(char::from(self.delimiter));
        let part = parts.nth(self.columns.native_identity)?.trim();
        let part = match self.quote {
            Some(quote) => part.trim_matches(char::from(quote)).trim(),
            None => part,
        };
        (!part.is_empty()).then(|| part.to_owned())
    }
}

impl Feed for DelimitedReader {
    fn next(&mut self) -> Result<Option<Page>, AggregateError> {
        self.page().map_err(|source| AggregateError::Unreadable {
            path: self.path.clone(),
            source,
        })
    }

    fn cut_off(&self) -> bool {
        self.cut_off
    }
}

fn broken(
    line: Line,
    native_identity: Option<String>,
    presumed: Option<String>,
    problem: Problem,
) -> Record {
    Record::Broken(BrokenRecord {
        unit: LINE,
        line: line.number,
        native_identity,
        presumed,
        text: line.text,
        problem,
    })
}

fn broken_header(path: &Path, line: &Line, problem: Problem) -> AggregateError {
    let broken = BrokenRecord {
        unit: LINE,
        line: line.number,
        native_identity: None,
        presumed: None,
        text: String::new(),
        problem,
    };
    AggregateError::BrokenHeader {
        path: path.to_owned(),
        message: broken.finding().message,
    }
}

/// Returns the next line that isn't blank.
fn next_line(lines: &mut Lines) -> std::io::Result<Option<Line>> {
    while let Some(line) = lines.next()? {
        if line.damaged || line.too_long || !line.text.trim().is_empty() {
            return Ok(Some(line));
        }
    }
    Ok(None)
}

/// Splits the record that begins with `first` into its fields, which are then
/// in the splitter, and appends the further lines that belong to it. Of a broken
/// record only the first line is taken.
fn assemble(
    lines: &mut Lines,
    splitter: &mut Splitter,
    first: &mut Line,
    encoding: &'static Encoding,
    wanted: Option<usize>,
) -> std::io::Result<Result<(), Problem>> {
    if first.too_long {
        return Ok(Err(Problem::TooLong));
    }
    if first.damaged {
        let encoding = encoding.name();
        return Ok(Err(Problem::Bytes { encoding }));
    }
    splitter.reset();
    let mut end = splitter.feed(&first.text);
    let mut further = 0;
    while end == LineEnd::Open && further < RECORD_LIMIT_LINES {
        match lines.peek(further)? {
            Some(line) if !line.damaged && !line.too_long => {
                end = splitter.feed(&line.text);
                further += 1;
            }
            Some(_) | None => break,
        }
    }
    let found = splitter.fields().len();
    Ok(match end {
        LineEnd::Open => Err(Problem::OpenQuote),
        LineEnd::AfterQuote => Err(Problem::AfterQuote),
        LineEnd::Complete => match wanted {
            Some(wanted) if found != wanted => Err(Problem::FieldCount { found, wanted }),
            _ => {
                for line in lines.take(further) {
                    first.text.push('\n');
                    first.text.push_str(&line.text);
                }
                Ok(())
            }
        },
    })
}

struct Header<'a> {
    path: &'a Path,
    names: Vec<String>,
}

impl Header<'_> {
    fn column(&self, column: &str, purpose: &str) -> Result<usize, AggregateError> {
        let mut places = (0..self.names.len()).filter(|index| self.names[*index] == column);
        match (places.next(), places.next()) {
            (Some(index), None) => Ok(index),
            (Some(_), Some(_)) => Err(AggregateError::RepeatedColumn {
                path: self.path.to_owned(),
                column: column.to_owned(),
            }),
            (None, _) => Err(AggregateError::MissingColumn {
                path: self.path.to_owned(),
                column: column.to_owned(),
                purpose: purpose.to_owned(),
                nearest: nearest(column, self.names.iter().map(String::as_str)),
                headers: self.names.clone(),
            }),
        }
    }
}

impl Columns {
    fn find(
        header: &Header<'_>,
        application: &Application,
        settings: &DelimitedFile,
    ) -> Result<Self, AggregateError> {
        let of_attribute = |known: &(Name, String), attribute: Name| {
            (known.0 == attribute).then(|| known.1.clone())
        };
        let mut attributes = Vec::with_capacity(application.schema.len());
        for attribute in &application.schema {
            let name = attribute.name;
            let mapped = settings
                .columns
                .iter()
                .find_map(|known| of_attribute(known, name));
            let column = mapped.unwrap_or_else(|| name.to_string());
            attributes.push(Column {
                index: header.column(&column, &format!("attribute `{name}`"))?,
                attribute: attribute.clone(),
                separator: settings
                    .multi_valued
                    .iter()
                    .find_map(|known| of_attribute(known, name)),
            });
        }
        let native_identity_column = settings.native_identity.clone();
        let status = match &settings.status {
            Some(status) => Some((
                header.column(&status.column, "the status")?,
                Status::new(status),
            )),
            None => None,
        };
        Ok(Self {
            delimiter: settings.delimiter,
            quote: settings.quote,
            application: application.name,
            native_identity: header.column(&native_identity_column, "the native identity")?,
            native_identity_column,
            attributes,
            status,
        })
    }

    fn native_identity<'f>(&self, fields: &'f Fields) -> Result<&'f str, Problem> {
        match fields.get(self.native_identity) {
            "" => Err(Problem::NoNativeIdentity {
                column: self.native_identity_column.clone(),
            }),
            native_identity => Ok(native_identity),
        }
    }

    fn status(&self, fields: &Fields) -> Result<AccountStatus, Problem> {
        Ok(match &self.status {
            Some((index, words)) => words.of(fields.get(*index))?,
            None => AccountStatus::Enabled,
        })
    }

    /// Tells what a record says of its account, without making one; counts the
    /// attributes that have a value, unless something is wrong with one.
    fn tell(
        &self,
        fields: &Fields,
        fingerprinter: &mut Fingerprinter,
        having: &mut [u64],
    ) -> Result<(), Problem> {
        fingerprinter.begin(self.native_identity(fields)?, self.status(fields)?);
        for (place, column) in self.attributes.iter().enumerate() {
            let read = column.read(fields.get(column.index));
            let read = read.inspect_err(|_| self.discount(fields, &mut having[..place]))?;
            if let Read::Nothing = read {
                continue;
            }
            having[place] += 1;
            fingerprinter.attribute(column.attribute.name, column.attribute.value_type);
            match read {
                Read::Nothing => {}
                Read::Text(text) => fingerprinter.text(text),
                Read::Texts(texts) => texts.iter().for_each(|text| fingerprinter.text(text)),
                Read::Value(value) => fingerprinter.value(&value),
            }
        }
        Ok(())
    }

    /// Takes back what was counted of attributes before one that something is wrong with.
    fn discount(&self, fields: &Fields, having: &mut [u64]) {
        for (column, count) in self.attributes.iter().zip(having) {
            if !matches!(column.read(fields.get(column.index)), Ok(Read::Nothing)) {
                *count -= 1;
            }
        }
    }

    /// Returns the account that the text of a record speaks of, which could be told.
    pub(super) fn account(&self, text: &str) -> Account {
        let mut splitter = Splitter::new(self.delimiter, self.quote);
        splitter.feed(text);
        let fields = splitter.fields();
        let read = || -> Result<Account, Problem> {
            let mut account = blank(self.application, self.native_identity(fields)?);
            account.status = self.status(fields)?;
            account.attributes.reserve_exact(self.attributes.len());
            for column in &self.attributes {
                let value = match column.read(fields.get(column.index))? {
                    Read::Nothing => continue,
                    Read::Text(text) => Value::text(text),
                    Read::Texts(texts) => Value::many(texts),
                    Read::Value(value) => value,
                };
                account.attributes.push((column.attribute.name, value));
            }
            Ok(account)
        };
        read().expect("what could be told can be read")
    }
}

/// What a field says.
enum Read<'f> {
    Nothing,
    Text(&'f str),
    Texts(Vec<&'f str>),
    Value(Value),
}

impl Column {
    fn read<'f>(&self, field: &'f str) -> Result<Read<'f>, Problem> {
        if field.is_empty() {
            return Ok(Read::Nothing);
        }
        Ok(match (self.attribute.value_type, &self.separator) {
            (ValueType::Text, _) => Read::Text(field),
            (ValueType::Many, separator) => {
                let texts = match separator {
                    Some(separator) => split(field, separator),
                    None => vec![field],
                };
                let texts = set(&self.attribute, texts);
                if texts.is_empty() {
                    Read::Nothing
                } else {
                    Read::Texts(texts)
                }
            }
            _ => parse(&self.attribute, field)?.map_or(Read::Nothing, Read::Value),
        })
    }
}

/// Returns the parts of a field without the blanks around them.
fn split<'f>(field: &'f str, separator: &str) -> Vec<&'f str> {
    let [byte] = separator.as_bytes() else {
        return field.split(separator).map(trim).collect();
    };
    let mut parts = Vec::with_capacity(16);
    let mut start = 0;
    for end in memchr_iter(*byte, field.as_bytes()) {
        parts.push(trim(&field[start..end]));
        start = end + 1;
    }
    parts.push(trim(&field[start..]));
    parts
}

#[cfg(test)]
mod tests {
    use idr_core::definitions::{AccountAttribute, Application};
    use idr_core::model::{Account, Name, ValueType};
    use proptest::prelude::*;

    use super::super::connector::{DelimitedFile, StatusColumn};
    use super::super::error::AggregateError;
    use super::super::feed::{Content, Feed, Record, count_having};
    use super::DelimitedReader;
    use crate::store::account_fingerprint;

    fn application() -> Application {
        let attribute = |name: &str, value_type, entitlement, sensitive| AccountAttribute {
            name: Name::new(name),
            value_type,
            entitlement,
            sensitive,
        };
        Application {
            name: Name::new("hr"),
            schema: vec![
                attribute("groups", ValueType::Many, true, false),
                attribute("hired", ValueType::Date, false, true),
                attribute("name", ValueType::Text, false, false),
            ],
            correlation: Vec::new(),
            creates: None,
            vanish_grace_ms: 0,
            native_changes: None,
            native_entitlements: Default::default(),
            logical: None,
            provisioning: Default::default(),
        }
    }

    fn settings() -> DelimitedFile {
        DelimitedFile {
            columns: vec![(Name::new("name"), "full name".to_owned())],
            multi_valued: vec![(Name::new("groups"), "|".to_owned())],
            status: Some(StatusColumn {
                column: "state".to_owned(),
                enabled: vec!["on".to_owned()],
                disabled: vec!["off".to_owned()],
                locked: Vec::new(),
            }),
            ..DelimitedFile::default()
        }
    }

    fn open(content: &[u8]) -> Result<DelimitedReader, AggregateError> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let path = folder.path().join("hr.csv");
        std::fs::write(&path, content).expect("it can be written to");
        let reader = DelimitedReader::open(&path, &application(), &settings());
        reader.map_err(|error| match error {
            AggregateError::MissingColumn {
                column,
                purpose,
                nearest,
                headers,
                ..
            } => AggregateError::MissingColumn {
                path: "hr.csv".into(),
                column,
                purpose,
                nearest,
                headers,
            },
            error => error,
        })
    }

    fn show(account: &Account) -> String {
        let mut shown = format!(
            "{} {}",
            account.key.native_identity,
            account.status.as_str()
        );
        for (name, value) in &account.attributes {
            shown += &format!(" {name}={value}");
        }
        shown
    }

    /// Reads records, shown one a line.
    fn read(content: &[u8]) -> String {
        let mut reader = open(content).expect("the header is fine");
        let mut shown = String::new();
        while let Some(page) = reader.next().expect("it can be read") {
            let mut having = vec![0; reader.columns.attributes.len()];
            for record in page.records {
                shown += &match record {
                    Record::Listed(listed) => {
                        let Content::Text(text) = listed.content else {
                            panic!("a file has texts");
                        };
                        let account = reader.columns.account(&page.text[text]);
                        assert_eq!(listed.fingerprint, account_fingerprint(&account));
                        let native_identity = &page.text[listed.native_identity];
                        assert_eq!(native_identity, account.key.native_identity);
                        count_having(&mut having, &application(), &account);
                        format!("{}: {}\n", listed.line, show(&account))
                    }
                    Record::Broken(broken) => {
                        let finding = broken.finding();
                        format!("{}: {}: {}\n", broken.line, finding.cause, finding.message)
                    }
                };
            }
            assert_eq!(page.having, having);
        }
        if reader.cut_off() {
            shown += "cut off\n";
        }
        shown
    }

    #[test]
    fn fields_are_typed_by_the_schema() {
        let shown = read(
            b"id,full name,hired,groups,state,other\n\
              1, Ana ,2020-01-31,b|a| |b,ON,x\n\
              \n\
              2,,,,,\n",
        );
        insta::assert_snapshot!(shown, @r"
        2: 1 enabled groups=a, b hired=2020-01-31 name=Ana
        4: 2 enabled
        ");
    }

    #[test]
    fn a_broken_record_is_reported_with_its_line() {
        let shown = read(
            b"id,full name,hired,groups,state\n\
              1,\"Ana,2020-01-31,,on\n\
              2,\"Bela\",2020-01-31,,off\n\
              3,too,few\n\
              4,M\xFCller,,,\n\
              5,Eve,2020-02-31,,\n\
              ,Finn,,,\n\
              7,Gil,,,gone\n\
              8,\"He\nda\",,,\n\
              9,\"I\"da,,,\n\
              10,Jan,,,\n",
        );
        insta::assert_snapshot!(shown, @r"
        2: broken-quote: text follows a closing quote
        3: 2 disabled hired=2020-01-31 name=Bela
        4: wrong-field-count: the record has 3 fields, and the header has 5
        5: invalid-bytes: characters in the record can't be read as UTF-8
        6: wrong-type: account `5`: attribute `hired`: the value is not of type date
        7: no-native-identity: column `id` is blank
        8: unknown-status: account `7`: column `state` says `gone`, which is no status
        9: 8 enabled name=He
        da
        11: broken-quote: text follows a closing quote
        12: 10 enabled name=Jan
        ");
    }

    #[test]
    fn a_file_that_ends_within_a_record_is_cut_off() {
        let shown = read(b"id,full name,hired,groups,state\n1,Ana,,,\n2,Be");
        insta::assert_snapshot!(shown, @r"
        2: 1 enabled name=Ana
        3: wrong-field-count: the record has 2 fields, and the header has 5
        cut off
        ");
        let shown = read(b"id,full name,hired,groups,state\n1,Ana,,,");
        insta::assert_snapshot!(shown, @"2: 1 enabled name=Ana");
    }

    proptest! {
        /// Whatever stands there: what is told of a record is what is made of it.
        #[test]
        fn what_is_told_is_what_is_made(
            lines in prop::collection::vec("[12]?,(\"?[a,\"\n ü]{0,4}\"?|x),(2020-01-3[01]|x)?,[ab| ]{0,6},(on)?", 0..6)
        ) {
            let content = format!("id,full name,hired,groups,state\n{}\n", lines.join("\n"));
            read(content.as_bytes());
        }
    }

    #[test]
    fn a_missing_column_names_the_nearest() {
        let error = open(b"id,fullname,hired,groups,state\n").map(drop);
        let error = error.expect_err("a column is missing");
        insta::assert_snapshot!(error, @"the file `hr.csv` has no column `full name` for attribute `name`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `fullname`?"));
        let error = open(b"id,id,full name,hired,groups,state\n").map(drop);
        assert!(matches!(error, Err(AggregateError::RepeatedColumn { .. })));
        assert!(matches!(open(b"\n"), Err(AggregateError::NoHeader { .. })));
        assert!(matches!(
            open(b"id,\"x\n"),
            Err(AggregateError::BrokenHeader { .. })
        ));
    }
}
