//! What a committed component was built from.
//!
//! A lock has one line per file, sorted by path: the file's sha256 and its path
//! from the repository's root, the form that `sha256sum --check` reads. It
//! covers the component itself, the rule's own files, what the rules' workspace
//! shares, and the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::build::rule_folder;

/// The sha256 of each file, by its path from the repository's root.
type Digests = BTreeMap<String, String>;

/// Writes the lock of a rule that was just built.
pub(crate) fn write(repository: &Path, rule: &str) -> Result<()> {
    let text: String = current(repository, rule)?
        .iter()
        .map(|(path, digest)| format!("{digest}  {path}\n"))
        .collect();
    let path = lock_path(repository, rule);
    std::fs::write(&path, text).with_context(|| format!("can't write `{}`", path.display()))
}

/// Says, a line each, how a rule's lock differs from the files as they are.
pub(crate) fn differences(repository: &Path, rule: &str) -> Result<Vec<String>> {
    let current = current(repository, rule)?;
    let path = lock_path(repository, rule);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(vec![format!("rule `{rule}` has no lock")]);
        }
        Err(error) => {
            return Err(error).with_context(|| format!("can't read `{}`", path.display()));
        }
    };
    Ok(compare(rule, &parse(&text), &current))
}

fn parse(text: &str) -> Digests {
    text.lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, path)| (path.to_owned(), digest.to_owned()))
        .collect()
}

fn compare(rule: &str, locked: &Digests, current: &Digests) -> Vec<String> {
    let paths: BTreeSet<&String> = locked.keys().chain(current.keys()).collect();
    paths
        .into_iter()
        .filter_map(|path| match (locked.get(path), current.get(path)) {
            (Some(locked), Some(current)) if locked == current => None,
            (Some(_), Some(_)) => {
                Some(format!("rule `{rule}`: `{path}` is not what the lock says"))
            }
            (Some(_), None) => Some(format!("rule `{rule}`: `{path}` is gone")),
            (None, _) => Some(format!("rule `{rule}`: `{path}` is not in the lock")),
        })
        .collect()
}

fn lock_path(repository: &Path, rule: &str) -> PathBuf {
    rule_folder(repository, rule).join(format!("{rule}.lock"))
}

/// Returns the digests of everything that makes the rule what it is.
fn current(repository: &Path, rule: &str) -> Result<Digests> {
    let folder = rule_folder(repository, rule);
    let workspace = repository.join("rules-examples/rust");
    let mut files = vec![
        folder.join(format!("{rule}.wasm")),
        folder.join("Cargo.toml"),
        workspace.join("Cargo.toml"),
        workspace.join("Cargo.lock"),
    ];
    let mut sources = Vec::new();
    add_files_below(&folder.join("src"), &mut sources)?;
    for version in contracts_of(repository, &sources)? {
        add_files_below(&version, &mut files)?;
    }
    files.append(&mut sources);

    let mut digests = Digests::new();
    for file in files {
        let content = match std::fs::read(&file) {
            Ok(content) => content,
            // A missing file is a difference, not an error.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(error).with_context(|| format!("can't read `{}`", file.display()));
            }
        };
        let path = file
            .strip_prefix(repository)
            .context("every file is in the repository")?;
        let path = path
            .to_string_lossy()
            .replace(std::path::MAIN_SEPARATOR, "/");
        digests.insert(path, hex::encode(Sha256::digest(content)));
    }
    Ok(digests)
}

/// Returns the folders of the released contracts that a rule's sources name.
fn contracts_of(repository: &Path, sources: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let folder = repository.join("wit");
    let entries =
        std::fs::read_dir(&folder).with_context(|| format!("can't list `{}`", folder.display()))?;
    let mut texts = String::new();
    for source in sources {
        texts += &std::fs::read_to_string(source)
            .with_context(|| format!("can't read `{}`", source.display()))?;
    }
    let mut contracts = Vec::new();
    for entry in entries {
        let entry = entry?;
        let named = format!("wit/{}\"", entry.file_name().to_string_lossy());
        if texts.contains(&named) {
            contracts.push(entry.path());
        }
    }
    Ok(contracts)
}

fn add_files_below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("can't list `{}`", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            add_files_below(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{compare, parse};

    #[test]
    fn every_kind_of_difference_is_named() {
        let locked = parse("aa  same.rs\nbb  changed.rs\ncc  gone.rs\n");
        let current = parse("aa  same.rs\nb0  changed.rs\ndd  new.rs\n");
        assert_eq!(
            compare("x", &locked, &current),
            [
                "rule `x`: `changed.rs` is not what the lock says",
                "rule `x`: `gone.rs` is gone",
                "rule `x`: `new.rs` is not in the lock",
            ]
        );
        assert!(compare("x", &locked, &locked).is_empty());
    }
}
