//! What a rule's author needs: from sources in any of five languages to a
//! component, and templates to start from.
//!
//! [`build`] reads `rule.toml`, generates what the sources use, calls the
//! language's own compiler and makes its output a component, without WASI.
//! [`create`] writes a folder with a small rule that works, and its cases. Knows
//! nothing of tenants, and runs no rule.

mod answers;
mod component;
mod error;
mod languages;
mod manifest;
mod template;
mod tools;

use std::fmt;
use std::path::{Path, PathBuf};

pub use component::component_of_module;
pub use error::GuestError;
pub use languages::rust::{TARGET, cargo};
pub use template::{create, kinds};

use manifest::Project;

/// A language that rules are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Rust, by cargo.
    Rust,
    /// C, by Zig's compiler.
    C,
    /// JavaScript, run by QuickJS.
    JavaScript,
    /// TypeScript, run by QuickJS; types are stripped and not checked.
    TypeScript,
    /// Python, run by CPython.
    Python,
    /// Go, by its own compiler.
    Go,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 6] = [
        Self::Rust,
        Self::C,
        Self::JavaScript,
        Self::TypeScript,
        Self::Python,
        Self::Go,
    ];

    /// Returns the word for it in `rule.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
            Self::Python => "python",
            Self::Go => "go",
        }
    }

    /// Returns its name as it is written.
    fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::C => "C",
            Self::JavaScript => "JavaScript",
            Self::TypeScript => "TypeScript",
            Self::Python => "Python",
            Self::Go => "Go",
        }
    }

    /// Returns the language that a word names.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == word)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title())
    }
}

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component's file.
    pub component: PathBuf,
    /// The language it was written in.
    pub language: Language,
    /// The size of the component.
    pub size_bytes: usize,
}

/// Builds the rule in a folder, and writes `NAME.wasm` beside its sources.
///
/// # Errors
///
/// [`GuestError`], with the compiler's own words where it was that.
pub fn build(folder: &Path) -> Result<Built, GuestError> {
    let project = Project::open(folder)?;
    let bytes = match project.language {
        Language::Rust => languages::rust::build(&project),
        Language::C => languages::c::build(&project),
        Language::JavaScript | Language::TypeScript => languages::javascript::build(&project),
        Language::Python => languages::python::build(&project),
        Language::Go => languages::go::build(&project),
    }?;
    let component = folder.join(format!("{}.wasm", project.name));
    write(&project.component(), &bytes)?;
    Ok(Built {
        component,
        language: project.language,
        size_bytes: bytes.len(),
    })
}

/// Writes a file, and the folders that it needs. A file that says the same
/// already is left alone, so that no compiler takes it for changed.
fn write(path: &Path, content: &[u8]) -> Result<(), GuestError> {
    if std::fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, content))
        .map_err(|source| GuestError::Unwritable {
            path: path.to_owned(),
            source,
        })
}

fn read(path: &Path) -> Result<Vec<u8>, GuestError> {
    std::fs::read(path).map_err(|source| GuestError::Unreadable {
        path: path.to_owned(),
        source,
    })
}
