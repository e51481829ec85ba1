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

/// The tenant's secret can't be had.
#[derive(Debug, Error)]
pub enum SecretError {
    /// What `secret` in idr.toml refers to can't be read.
    #[error("`secret` in idr.toml can't be read")]
    Reference(#[from] ReferenceError),
    /// It is shorter than what can be called a secret.
    #[error("the tenant's secret has fewer than {SHORTEST_SECRET_BYTES} bytes")]
    TooShort,
}

/// What a reference refers to can't be read.
#[derive(Debug, Error)]
pub enum ReferenceError {
    /// The environment variable isn't set.
    #[error("the environment variable `{0}` is not set")]
    NotSet(String),
    /// The file can't be read.
    #[error("the file `{}` can't be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
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

    /// Reads the tenant's secret; files are relative to `directory`.
    ///
    /// # Errors
    ///
    /// [`SecretError`] when it can't be had.
    pub fn read(&self, directory: &Path) -> Result<Secret, SecretError> {
        Secret::new(self.bytes(directory)?).ok_or(SecretError::TooShort)
    }

    /// Reads what is there; files are relative to `directory`.
    ///
    /// # Errors
    ///
    /// [`ReferenceError`].
    pub fn bytes(&self, directory: &Path) -> Result<Vec<u8>, ReferenceError> {
        match self {
            Self::Environment(name) => env::var_os(name)
                .map(|value| value.into_encoded_bytes())
                .ok_or_else(|| ReferenceError::NotSet(name.clone())),
            Self::File(path) => {
                let path = directory.join(path);
                let mut bytes = fs::read(&path)
                    .map_err(|source| ReferenceError::Unreadable { path, source })?;
                let end = bytes.trim_ascii_end().len();
                bytes.truncate(end);
                Ok(bytes)
            }
        }
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
