//! The files that a tenant's configuration is made of, as a run adopts them.
//!
//! Read from the tenant's folder once; checking and everything later works on
//! these bytes, also when a run is resumed and the folder looks different now.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use idr_core::text::nearest;
use sha2::{Digest, Sha256};

use super::problem::{ConfigError, Problem};
use crate::trust::SIGNATURE_ENDING;

/// The file that makes a folder a tenant's.
pub(super) const SETTINGS: &str = "idr.toml";
/// Identity attributes and how managers are found.
pub(super) const IDENTITY: &str = "identity.toml";
/// Lifecycle states.
pub(super) const LIFECYCLE: &str = "lifecycle.toml";
/// What entitlements are called, and who owns them.
pub(super) const ENTITLEMENTS: &str = "entitlements.toml";
/// Triggers.
pub(super) const TRIGGERS: &str = "triggers.toml";
/// What workflows consist of.
pub(super) const WORKFLOWS: &str = "workflows.toml";
/// Populations.
pub(super) const POPULATIONS: &str = "populations.toml";
/// Policies.
pub(super) const POLICIES: &str = "policies.toml";
/// How risk is scored.
pub(super) const RISK: &str = "risk.toml";
/// Rules.
pub(super) const RULES: &str = "rules/rules.toml";

const SINGLE_FILES: [&str; 9] = [
    SETTINGS,
    IDENTITY,
    LIFECYCLE,
    ENTITLEMENTS,
    TRIGGERS,
    WORKFLOWS,
    POPULATIONS,
    POLICIES,
    RISK,
];
/// One file per application.
pub(super) const APPLICATIONS: &str = "applications";
/// One file per refresh task.
pub(super) const TASKS: &str = "tasks";
/// Any number of files with roles.
pub(super) const ROLES: &str = "roles";
/// Rule components beside [`RULES`].
pub(super) const RULE_FOLDER: &str = "rules";

/// What a signature of a component ends in, see [`SIGNATURE_ENDING`].
const SIGNATURE: &str = ".wasm.sig";

const FOLDERS: [&str; 4] = [APPLICATIONS, ROLES, RULE_FOLDER, TASKS];

/// The largest configuration file or component that is read.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Configuration files and rule components: path relative to the tenant's
/// folder (with `/`) and content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    entries: BTreeMap<String, Arc<[u8]>>,
}

impl Files {
    /// Reads the configuration files, and every component in `rules/`, from a
    /// tenant's folder. Other files are left alone.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NotATenant`] without an `idr.toml`,
    /// [`ConfigError::Unreadable`] when something can't be read.
    pub fn read(directory: &Path) -> Result<Self, ConfigError> {
        if !directory.join(SETTINGS).is_file() {
            return Err(ConfigError::NotATenant {
                directory: directory.to_owned(),
            });
        }
        let mut files = Self::default();
        for name in SINGLE_FILES {
            let path = directory.join(name);
            if path.is_file() {
                files.insert(name.to_owned(), read_file(&path)?);
            }
        }
        for folder in FOLDERS {
            let path = directory.join(folder);
            if path.is_dir() {
                files.read_folder(&path, folder)?;
            }
        }
        Ok(files)
    }

    fn read_folder(&mut self, folder: &Path, relative: &str) -> Result<(), ConfigError> {
        for entry in entries_of(folder)? {
            let path = folder.join(&entry);
            let relative = format!("{relative}/{entry}");
            if is_folder(&path) {
                self.read_folder(&path, &relative)?;
            } else if is_ours(&relative) {
                self.insert(relative, read_file(&path)?);
            }
        }
        Ok(())
    }

    /// Adds a file or replaces it.
    pub fn insert(&mut self, path: String, content: Vec<u8>) {
        self.entries.insert(path, content.into());
    }

    /// Returns the content of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.entries.get(path).map(AsRef::as_ref)
    }

    /// Returns the content of a file, shared.
    pub(super) fn shared(&self, path: &str) -> Option<Arc<[u8]>> {
        self.entries.get(path).cloned()
    }

    /// Returns every file, in order of path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_ref()))
    }

    /// Returns the files below a folder that end so.
    pub(super) fn below<'a>(
        &'a self,
        folder: &'a str,
        ending: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.iter().filter(move |(path, _)| {
            path.ends_with(ending)
                && path
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Drops the components that `is_used` doesn't want, and their signatures.
    pub(super) fn retain_components(&mut self, is_used: impl Fn(&str) -> bool) {
        self.entries.retain(|path, _| {
            let component = path.strip_suffix(SIGNATURE_ENDING).unwrap_or(path);
            !component.ends_with(".wasm") || is_used(component)
        });
    }

    /// Returns every file's sha256 in lower-case hexadecimal, in order of path.
    pub fn digests(&self) -> Vec<(&str, String)> {
        self.iter()
            .map(|(path, content)| (path, sha256(content)))
            .collect()
    }
}

impl FromIterator<(String, Vec<u8>)> for Files {
    fn from_iter<I: IntoIterator<Item = (String, Vec<u8>)>>(files: I) -> Self {
        let shared = |(path, content): (String, Vec<u8>)| (path, content.into());
        Self {
            entries: files.into_iter().map(shared).collect(),
        }
    }
}

/// Returns the sha256 of bytes in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Returns a problem for everything in a tenant's folder that looks like
/// configuration but isn't read.
///
/// # Errors
///
/// [`ConfigError::Unreadable`] when a folder can't be listed.
pub(super) fn strays(directory: &Path) -> Result<Vec<Problem>, ConfigError> {
    let mut problems = Vec::new();
    for entry in entries_of(directory)? {
        let path = directory.join(&entry);
        if SINGLE_FILES.contains(&entry.as_str()) {
            continue;
        }
        if FOLDERS.contains(&entry.as_str()) {
            strays_in(&path, &entry, &mut problems)?;
        } else if path.is_dir() {
            let meant = nearest(&entry, FOLDERS);
            if let Some(meant) = meant.filter(|_| holds_configuration(&path)) {
                let message = "the folder is not read".to_owned();
                problems.push(stray(
                    shown(&path, &entry),
                    message,
                    &format!("call it `{meant}/`"),
                ));
            }
        } else if let Some(meant) = nearest(&entry, SINGLE_FILES) {
            let message = "the file is not read".to_owned();
            problems.push(stray(entry, message, &format!("call it `{meant}`")));
        }
    }
    Ok(problems)
}

fn strays_in(
    folder: &Path,
    relative: &str,
    problems: &mut Vec<Problem>,
) -> Result<(), ConfigError> {
    for entry in entries_of(folder)? {
        let path = folder.join(&entry);
        let relative = format!("{relative}/{entry}");
        if is_folder(&path) {
            strays_in(&path, &relative, problems)?;
        } else if !is_ours(&relative) {
            let ending = entry.rsplit_once('.').map_or("", |(_, ending)| ending);
            let hint = if relative.starts_with(RULE_FOLDER) && ending == "toml" {
                "only rules/rules.toml is read; call it that".to_owned()
            } else if nearest(ending, ["toml"]).is_some() {
                "let its name end in `.toml`".to_owned()
            } else {
                continue;
            };
            problems.push(stray(relative, "the file is not read".to_owned(), &hint));
        }
    }
    Ok(())
}

fn stray(file: String, message: String, hint: &str) -> Problem {
    Problem {
        file,
        line: None,
        key: None,
        message,
        hint: Some(hint.to_owned()),
    }
}

fn shown(path: &Path, entry: &str) -> String {
    if path.is_dir() {
        format!("{entry}/")
    } else {
        entry.to_owned()
    }
}

/// Says whether something in one of our folders is a folder to look into. Links
/// to folders aren't followed: they could lead round in circles.
fn is_folder(path: &Path) -> bool {
    path.is_dir() && !path.is_symlink()
}

/// Says whether a file in one of our folders is read.
fn is_ours(relative: &str) -> bool {
    let name = relative.rsplit('/').next().unwrap_or(relative);
    if relative.starts_with(RULE_FOLDER) {
        return relative == RULES || name.ends_with(".wasm") || name.ends_with(SIGNATURE);
    }
    name.ends_with(".toml")
}

fn holds_configuration(folder: &Path) -> bool {
    entries_of(folder).is_ok_and(|entries| {
        entries
            .iter()
            .any(|entry| entry.ends_with(".toml") || entry.ends_with(".wasm"))
    })
}

/// Returns the names in a folder, sorted. Hidden ones, and those that aren't
/// Unicode, can't be ours and are left out.
fn entries_of(folder: &Path) -> Result<Vec<String>, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().into_string();
        names.extend(name.ok().filter(|name| !name.starts_with('.')));
    }
    names.sort();
    Ok(names)
}

fn read_file(path: &Path) -> Result<Vec<u8>, ConfigError> {
    read_regular_file(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// Reads a file that isn't a device or a pipe, and isn't too large.
///
/// # Errors
///
/// As reading does, or what is wrong with the file.
pub(crate) fn read_regular_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let length = metadata.len();
    if length > MAX_FILE_BYTES {
        let message = format!("it has {length} bytes, more than the {MAX_FILE_BYTES} allowed");
        return Err(io::Error::other(message));
    }
    fs::read(path)
}
