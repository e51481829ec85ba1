//! Finds components and the cases beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;

use super::format::{Case, CaseError, parse};

/// A component with its cases, which may be none.
#[derive(Debug)]
pub struct ComponentCases {
    /// The component's file.
    pub component: PathBuf,
    /// The cases, file by file in order of name, each in its own order.
    pub cases: Vec<Case>,
}

/// Components or cases can't be found or read.
#[derive(Debug, Error)]
pub enum FindError {
    /// A file or folder can't be read.
    #[error("can't read `{}`", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is nothing to test.
    #[error("there is no rule component in `{}`", .0.display())]
    NoComponent(PathBuf),
    /// A file of cases isn't right.
    #[error("`{}` is not right", path.display())]
    BadCases {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: CaseError,
    },
    /// Cases whose component can't be told.
    #[error("`{}` lies beside more than one component", .0.display())]
    Ambiguous(PathBuf),
}

impl FindError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoComponent(_) => {
                Some("build the rule first: cases are run on its component".to_owned())
            }
            Self::Ambiguous(_) => {
                Some("name the cases of `RULE.wasm` `RULE.cases.toml`".to_owned())
            }
            Self::Unreadable { .. } | Self::BadCases { .. } => None,
        }
    }
}

/// Returns the component at `path`, or all those below it, with their cases.
///
/// The cases of `RULE.wasm` lie in the same folder: `RULE.cases.toml`, and, if
/// it is the only component there, `cases.toml` and `cases-ANYTHING.toml`. A
/// component may have any name; what is called `.wasm` has to be one. Folders
/// named `target` or `node_modules` and hidden ones are left out.
///
/// # Errors
///
/// [`FindError`].
pub fn find(path: &Path) -> Result<Vec<ComponentCases>, FindError> {
    let found = components(path)?.into_iter().map(|component| {
        let cases = read_cases(&case_files(&component)?)?;
        Ok(ComponentCases { component, cases })
    });
    found.collect()
}

/// Returns the component at `path`, or all those below it, each with the cases
/// of these files, whatever lies beside it.
///
/// # Errors
///
/// [`FindError`].
pub fn find_with(path: &Path, files: &[PathBuf]) -> Result<Vec<ComponentCases>, FindError> {
    let cases = read_cases(files)?;
    let found = components(path)?
        .into_iter()
        .map(|component| ComponentCases {
            component,
            cases: cases.clone(),
        });
    Ok(found.collect())
}

/// Tells whether any of some files has changed: when each was written, and its size.
pub type FileStates = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

/// Returns the state of every file that [`find`] or [`find_with`] reads. What
/// can't be read just now has no state.
pub fn file_states(path: &Path, files: &[PathBuf]) -> FileStates {
    let components = components(path).unwrap_or_default();
    let beside = components
        .iter()
        .filter(|_| files.is_empty())
        .flat_map(|component| case_files(component).unwrap_or_default());
    let all: BTreeSet<PathBuf> = beside
        .chain(files.iter().cloned())
        .chain(components.iter().cloned())
        .chain([path.to_owned()])
        .collect();
    all.into_iter()
        .map(|path| {
            let state = std::fs::metadata(&path).ok();
            let state = state.and_then(|state| Some((state.modified().ok()?, state.len())));
            (path, state)
        })
        .collect()
}

fn components(path: &Path) -> Result<Vec<PathBuf>, FindError> {
    let mut found = Vec::new();
    if path.is_dir() {
        components_below(path, &mut found)?;
    } else {
        std::fs::metadata(path).map_err(unreadable(path))?;
        found.push(path.to_owned());
    }
    if found.is_empty() {
        return Err(FindError::NoComponent(path.to_owned()));
    }
    Ok(found)
}

fn read_cases(files: &[PathBuf]) -> Result<Vec<Case>, FindError> {
    let mut cases = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
        cases.extend(parse(&text).map_err(|source| FindError::BadCases {
            path: path.clone(),
            source,
        })?);
    }
    Ok(cases)
}

fn components_below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), FindError> {
    for path in entries(folder)? {
        let name = file_name(&path);
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                components_below(&path, found)?;
            }
        } else if is_component(&path) {
            found.push(path);
        }
    }
    Ok(())
}

fn case_files(component: &Path) -> Result<Vec<PathBuf>, FindError> {
    let folder = component
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let stem = component.file_stem().unwrap_or_default().to_string_lossy();
    let own_name = format!("{stem}.cases.toml");
    let siblings = entries(folder)?;
    let is_alone = siblings.iter().filter(|path| is_component(path)).count() <= 1;
    let mut files = Vec::new();
    for path in siblings {
        let name = file_name(&path);
        let is_shared =
            name == "cases.toml" || (name.starts_with("cases-") && name.ends_with(".toml"));
        if is_shared && !is_alone {
            return Err(FindError::Ambiguous(path));
        }
        if is_shared || name == own_name {
            files.push(path);
        }
    }
    Ok(files)
}

/// Returns what a folder holds, in order of name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, FindError> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))? {
        paths.push(entry.map_err(unreadable(folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> FindError {
    let path = path.to_owned();
    |source| FindError::Unreadable { path, source }
}

/// Says whether a file is called a component, or begins like one.
fn is_component(path: &Path) -> bool {
    const BEGINNING: &[u8; 8] = b"\0asm\x0d\0\x01\0";
    let is_called = path
        .extension()
        .is_some_and(|extension| extension == "wasm");
    let begins = || {
        let mut beginning = [0; BEGINNING.len()];
        let read = File::open(path).and_then(|mut file| file.read_exact(&mut beginning));
        read.is_ok() && beginning == *BEGINNING
    };
    path.is_file() && (is_called || begins())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
