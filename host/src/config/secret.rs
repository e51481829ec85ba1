//! Secrets: the configuration says where they are, and nothing stores, prints or
//! adopts them. They are read when planning needs them.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use idr_core::transform::derived::{SHORTEST_SECRET_BYTES, Secret};
use thiserror::Error;

/// Where a secret is, and which one it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSettings {
    /// Where it is.
    pub reference: SecretReference,
    /// Counted by people: another secret is taken only with a higher one.
    pub generation: u64,
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretReference {
    /// In an environment variable (`env:NAME`).
    Environment(String),
    /// In a file (`file:PATH`), relative to the tenant's folder unless it is
    /// absolute; a line break at its end doesn't belong to it.
    File(PathBuf),
}

/// A secret that can't be had.
#[derive(Debug, Error)]
pub enum SecretError {
    /// The environment variable isn't set.
    #[error("the environment variable `{0}`, which `secret` in idr.toml names, is not set")]
    NotSet(String),
    /// The file can't be read.
    #[error("the file {}, which `secret` in idr.toml names, can't be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is shorter than what can be called a secret.
    #[error("the tenant's secret has fewer than {SHORTEST_SECRET_BYTES} bytes")]
    TooShort,
}

impl SecretReference {
    /// Reads `env:NAME` or `file:PATH`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match (kind, rest) {
            (_, "") => None,
            ("env", name) => Some(Self::Environment(name.to_owned())),
            ("file", path) => Some(Self::File(path.into())),
            _ => None,
        }
    }

    /// Reads the secret itself; files are relative to `directory`.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when it can't be had.
    pub fn read(&self, directory: &Path) -> Result<Secret, SecretError> {
        let bytes = match self {
            Self::Environment(name) => env::var_os(name)
                .ok_or_else(|| SecretError::NotSet(name.clone()))?
                .into_encoded_bytes(),
            Self::File(path) => {
                let path = directory.join(path);
                let mut bytes =
                    fs::read(&path).map_err(|source| SecretError::Unreadable { path, source })?;
                let end = bytes.trim_ascii_end().len();
                bytes.truncate(end);
                bytes
            }
        };
        Secret::new(bytes).ok_or(SecretError::TooShort)
    }
}

#[cfg(test)]
mod tests {
    use super::SecretReference;

    #[test]
    fn only_references_are_read() {
        let file = SecretReference::File("keys/idr".into());
        assert_eq!(SecretReference::parse("file:keys/idr"), Some(file));
        let variable = SecretReference::Environment("IDR_SECRET".to_owned());
        assert_eq!(SecretReference::parse("env:IDR_SECRET"), Some(variable));
        for wrong in ["", "env:", "file:", "hunter2", "http://x"] {
            assert_eq!(SecretReference::parse(wrong), None, "{wrong}");
        }
    }
}
