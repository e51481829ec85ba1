//! The months of real input: where they are, and reading and writing them.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::common::repository;

/// The columns of every file, in order.
pub(crate) const COLUMNS: [&str; 10] = [
    "employee_name",
    "user_id",
    "email",
    "role",
    "projects",
    "business_unit",
    "functional_unit",
    "department",
    "team",
    "supervisor",
];

/// One employee in one month: the fields in order of [`COLUMNS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row(pub(crate) [String; COLUMNS.len()]);

impl Row {
    /// Returns the field of a column.
    pub(crate) fn field(&self, column: &str) -> &str {
        &self.0[place(column)]
    }

    /// Replaces the field of a column.
    pub(crate) fn set(&mut self, column: &str, text: &str) {
        self.0[place(column)] = text.to_owned();
    }
}

fn place(column: &str) -> usize {
    let found = COLUMNS.iter().position(|known| *known == column);
    found.expect("the test names columns that there are")
}

/// One monthly snapshot of the whole directory.
#[derive(Clone, Debug)]
pub(crate) struct Month {
    /// `YYYY-MM`.
    pub(crate) name: String,
    /// The file that holds it.
    pub(crate) file: PathBuf,
    /// The employees, in order of the file.
    pub(crate) rows: Vec<Row>,
}

/// Returns the months in order, or nothing where the data is absent: then it
/// says so where everybody sees it.
///
/// The folder is `IDR_REAL_DATA`, relative to the repository, or else
/// `../shared/data`.
///
/// # Panics
///
/// When the data is absent and `IDR_REAL_DATA_REQUIRED` is `1`, or when it
/// isn't what the test knows.
pub(crate) fn months(test: &str) -> Option<Vec<Month>> {
    let configured = env::var_os("IDR_REAL_DATA").filter(|folder| !folder.is_empty());
    let folder = configured.map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let folder = repository().join(folder).join("cert-r5.2-ldap");
    if !folder.is_dir() {
        let required = env::var_os("IDR_REAL_DATA_REQUIRED").is_some_and(|text| text == "1");
        assert!(
            !required,
            "the real input is required, but there is no folder {}; name its parent in IDR_REAL_DATA",
            folder.display()
        );
        // Not with `eprintln!`, which the test harness keeps to itself.
        writeln!(
            std::io::stderr(),
            "SKIPPED: {test} needs the real input, and there is no folder {}; name its parent in IDR_REAL_DATA",
            folder.display()
        )
        .expect("standard error can be written to");
        return None;
    }
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the data can be read")
        .map(|entry| entry.expect("the data can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "csv"))
        .collect();
    files.sort();
    let months: Vec<Month> = files.iter().map(|file| read(file)).collect();
    assert_eq!(months.len(), 13, "months in {}", folder.display());
    Some(months)
}

fn read(file: &Path) -> Month {
    let mut reader = csv::Reader::from_path(file).expect("the data can be read");
    let header = reader.headers().expect("the file has a header");
    assert_eq!(header, COLUMNS.as_slice(), "columns of {}", file.display());
    let rows = reader.deserialize();
    Month {
        name: file
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy()
            .into_owned(),
        file: file.to_owned(),
        rows: rows
            .map(|row| Row(row.expect("the file has whole rows")))
            .collect(),
    }
}

/// Writes months as files into a folder.
pub(crate) fn write(months: &[Month], folder: &Path) -> Vec<Month> {
    let mut written = Vec::new();
    for month in months {
        let file = folder.join(format!("{}.csv", month.name));
        let mut writer = csv::Writer::from_path(&file).expect("the test's folder can be written");
        writer.write_record(COLUMNS).expect("the file is written");
        for row in &month.rows {
            writer.write_record(&row.0).expect("the file is written");
        }
        writer.flush().expect("the file is written");
        written.push(Month {
            file,
            ..month.clone()
        });
    }
    written
}
