//! Reading a delimited file: records with their lines, typed by the
//! application's schema.
//!
//! A record that is broken is reported with its line and reading goes on. When
//! a quote isn't closed properly, only the line in which it opens is broken:
//! the lines after it are read for themselves.

use std::path::{Path, PathBuf};

use encoding_rs::Encoding;
use idr_core::definitions::{AccountAttribute, Application};
use idr_core::model::{Account, AccountStatus, Name, Value, ValueType};
use idr_core::text::nearest;

use super::connector::DelimitedFile;
use super::error::AggregateError;
use super::feed::{Feed, Record};
use super::lines::{Line, Lines};
use super::problem::{BrokenRecord, LINE, Problem};
use super::split::{Fields, LineEnd, Splitter};
use crate::connect::{Status, blank, value};

/// No record goes over more lines than that.
const RECORD_LIMIT_LINES: usize = 100;

/// Reads accounts from a file.
pub(super) struct DelimitedReader {
    path: PathBuf,
    lines: Lines,
    splitter: Splitter,
    columns: Columns,
    encoding: &'static Encoding,
    delimiter: u8,
    quote: Option<u8>,
    field_count: usize,
    cut_off: bool,
}

/// Where things stand in a record.
struct Columns {
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
        let first = next_line(&mut lines)
            .map_err(unreadable)?
            .ok_or_else(no_header)?;
        let encoding = lines.encoding();
        assemble(&mut lines, &mut splitter, &first, encoding, None)
            .map_err(unreadable)?
            .map_err(|problem| broken_header(path, &first, problem))?;
        let header = Header {
            path,
            names: splitter.fields().iter().map(str::to_owned).collect(),
        };
        Ok(Self {
            path: path.to_owned(),
            columns: Columns::find(&header, application, settings)?,
            field_count: header.names.len(),
            encoding,
            delimiter: settings.delimiter,
            quote: settings.quote,
            lines,
            splitter,
            cut_off: false,
        })
    }

    fn read(&mut self) -> std::io::Result<Option<Record>> {
        let Some(line) = next_line(&mut self.lines)? else {
            return Ok(None);
        };
        let wanted = Some(self.field_count);
        let assembled = assemble(
            &mut self.lines,
            &mut self.splitter,
            &line,
            self.encoding,
            wanted,
        )?;
        if let Err(problem) = assembled {
            self.cut_off = !line.ended && !line.too_long;
            let presumed = self.presumed_native_identity(&line.text);
            return Ok(Some(broken(line, None, presumed, problem)));
        }
        Ok(Some(match self.columns.account(self.splitter.fields()) {
            Ok(account) => Record::Account(line.number, account),
            Err((native_identity, problem)) => broken(line, native_identity, None, problem),
        }))
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
    fn next(&mut self) -> Result<Option<Record>, AggregateError> {
        self.read().map_err(|source| AggregateError::Unreadable {
            path: self.path.clone(),
            source,
        })
    }

    fn cut_off(&self) -> bool {
        self.cut_off
    }

    fn progress(&self) -> (u64, u64) {
        (self.lines.bytes_read(), self.lines.size())
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
/// in the splitter, and takes the further lines that belong to it. Of a broken
/// record only the first line is taken.
fn assemble(
    lines: &mut Lines,
    splitter: &mut Splitter,
    first: &Line,
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
                lines.skip(further);
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
            application: application.name,
            native_identity: header.column(&native_identity_column, "the native identity")?,
            native_identity_column,
            attributes,
            status,
        })
    }

    /// Returns the account that a record speaks of, or what is wrong with it
    /// (with the native identity, if that could be read).
    fn account(&self, fields: &Fields) -> Result<Account, (Option<String>, Problem)> {
        let native_identity = fields.get(self.native_identity).to_owned();
        if native_identity.is_empty() {
            let column = self.native_identity_column.clone();
            return Err((None, Problem::NoNativeIdentity { column }));
        }
        match self.content(fields) {
            Ok((status, attributes)) => Ok(Account {
                status,
                attributes,
                ..blank(self.application, &native_identity)
            }),
            Err(problem) => Err((Some(native_identity), problem)),
        }
    }

    fn content(&self, fields: &Fields) -> Result<(AccountStatus, Vec<(Name, Value)>), Problem> {
        let status = match &self.status {
            Some((index, words)) => words.of(fields.get(*index))?,
            None => AccountStatus::Enabled,
        };
        let mut attributes = Vec::with_capacity(self.attributes.len());
        for column in &self.attributes {
            if let Some(value) = column.value(fields.get(column.index))? {
                attributes.push((column.attribute.name, value));
            }
        }
        Ok((status, attributes))
    }
}

impl Column {
    fn value(&self, text: &str) -> Result<Option<Value>, Problem> {
        if text.is_empty() {
            return Ok(None);
        }
        let texts = match &self.separator {
            Some(separator) if self.attribute.value_type == ValueType::Many => text
                .split(separator.as_str())
                .map(|part| part.trim().to_owned())
                .collect(),
            _ => vec![text.to_owned()],
        };
        Ok(value(&self.attribute, texts)?)
    }
}

#[cfg(test)]
mod tests {
    use idr_core::definitions::{AccountAttribute, Application};
    use idr_core::model::{Account, Name, ValueType};

    use super::super::connector::{DelimitedFile, StatusColumn};
    use super::super::error::AggregateError;
    use super::super::feed::{Feed, Record};
    use super::DelimitedReader;

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
        while let Some(record) = reader.next().expect("it can be read") {
            shown += &match record {
                Record::Account(line, account) => format!("{line}: {}\n", show(&account)),
                Record::Broken(broken) => {
                    let finding = broken.finding();
                    format!("{}: {}: {}\n", broken.line, finding.cause, finding.message)
                }
            };
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
