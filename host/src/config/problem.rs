//! What is wrong with a tenant's configuration: every problem at once, each
//! with its file, line, key and a hint.

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use thiserror::Error;

/// Why a tenant's configuration can't be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The folder isn't a tenant's.
    #[error("`{}` is not a tenant's folder: there is no idr.toml in it", directory.display())]
    NotATenant {
        /// The folder that was asked for.
        directory: PathBuf,
    },
    /// A file or folder can't be read.
    #[error("`{}` can't be read", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The files can be read, but what they say is wrong.
    #[error("{}", spoken(.0))]
    Invalid(Vec<Problem>),
}

impl ConfigError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotATenant { .. } => {
                Some("name the tenant's folder with --tenant DIR".to_owned())
            }
            Self::Unreadable { .. } | Self::Invalid(_) => None,
        }
    }
}

/// Returns a heading and the problems below it.
fn spoken(problems: &[Problem]) -> String {
    let mut text = counted(problems.len());
    for problem in problems {
        text += &format!("\n{problem}");
    }
    text
}

/// Returns `the configuration has 3 problems`.
fn counted(problems: usize) -> String {
    match problems {
        1 => "the configuration has 1 problem".to_owned(),
        n => format!("the configuration has {n} problems"),
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file, relative to the tenant's folder; a folder ends with `/`.
    pub file: String,
    /// The line that it is on, counted from 1, where it is on one.
    pub line: Option<usize>,
    /// The key in the file, such as `role[Engineer].requires[0]`.
    pub key: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// `roles/it.toml:14: role[Engineer].type: message`, with the hint below.
impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(key) = &self.key {
            write!(formatter, ": {key}")?;
        }
        write!(formatter, ": {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(formatter, "\n    hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Where checks put what they find.
#[derive(Debug, Default)]
pub(super) struct Problems {
    problems: RefCell<Vec<Problem>>,
    remarks: RefCell<Vec<Problem>>,
}

impl Problems {
    /// Adds a problem, unless it is known already.
    pub(super) fn add(&self, problem: Problem) {
        add(&self.problems, problem);
    }

    /// Adds something that is right, but probably not meant, unless it is known
    /// already.
    pub(super) fn remark(&self, remark: Problem) {
        add(&self.remarks, remark);
    }

    /// Adds a problem with a file as a whole.
    pub(super) fn add_to_file(&self, file: &str, message: String, hint: Option<String>) {
        self.add(Problem {
            file: file.to_owned(),
            line: None,
            key: None,
            message,
            hint,
        });
    }

    /// Returns all problems and all remarks, each in order of file and line.
    pub(super) fn into_sorted(self) -> (Vec<Problem>, Vec<Problem>) {
        let mut problems = self.problems.into_inner();
        let mut remarks = self.remarks.into_inner();
        problems.sort();
        remarks.sort();
        (problems, remarks)
    }
}

fn add(list: &RefCell<Vec<Problem>>, problem: Problem) {
    let mut list = list.borrow_mut();
    if !list.contains(&problem) {
        list.push(problem);
    }
}
