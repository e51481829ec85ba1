//! `rule.toml`: what a folder of sources is.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{GuestError, Language};

const FILE_NAME: &str = "rule.toml";

/// A folder of sources, and what its manifest says.
#[derive(Debug)]
pub(crate) struct Project {
    /// The folder, from the root.
    pub(crate) folder: PathBuf,
    /// What the component is called.
    pub(crate) name: String,
    pub(crate) language: Language,
    /// The world of the contract that the rule is made for.
    pub(crate) world: String,
    /// The contract: a folder or a file.
    pub(crate) wit: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    version: u32,
    name: String,
    language: String,
    world: String,
    #[serde(default = "usual_wit")]
    wit: PathBuf,
}

fn usual_wit() -> PathBuf {
    PathBuf::from("wit")
}

impl Project {
    /// Reads the manifest of the rule in a folder.
    pub(crate) fn open(folder: &Path) -> Result<Self, GuestError> {
        let path = folder.join(FILE_NAME);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(GuestError::NoManifest(folder.to_owned()));
            }
            Err(source) => return Err(GuestError::Unreadable { path, source }),
        };
        let folder = folder
            .canonicalize()
            .map_err(|source| GuestError::Unreadable {
                path: folder.to_owned(),
                source,
            })?;
        Self::parse(folder, &text).map_err(|problem| GuestError::BadManifest { path, problem })
    }

    fn parse(folder: PathBuf, text: &str) -> Result<Self, String> {
        let raw: RawManifest = toml::from_str(text).map_err(|error| error.to_string())?;
        if raw.version != 1 {
            return Err(format!("version {} isn't known, only 1", raw.version));
        }
        if !is_rule_name(&raw.name) {
            return Err(GuestError::BadName(raw.name).to_string());
        }
        let language = Language::named(&raw.language).ok_or_else(|| {
            let known = Language::ALL.map(Language::as_str).join(", ");
            format!("`{}` is no language: they are {known}", raw.language)
        })?;
        Ok(Self {
            wit: folder.join(raw.wit),
            folder,
            name: raw.name,
            language,
            world: raw.world,
        })
    }

    /// Returns where what is generated for the sources to use belongs.
    pub(crate) fn bindings(&self) -> PathBuf {
        self.folder.join("bindings")
    }

    /// Returns where what only the build needs belongs.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// Returns the file of the component.
    pub(crate) fn component(&self) -> PathBuf {
        self.folder.join(format!("{}.wasm", self.name))
    }

    /// Returns a file of the sources, which must be there.
    pub(crate) fn source(&self, file: &str, what: &'static str) -> Result<PathBuf, GuestError> {
        let path = self.folder.join(file);
        if path.exists() {
            return Ok(path);
        }
        Err(GuestError::NoSource {
            what,
            folder: self.folder.clone(),
        })
    }
}

/// Says whether a name does for a file, a package and a rule.
pub(crate) fn is_rule_name(name: &str) -> bool {
    let is_fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.bytes().all(is_fine) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::Project;

    fn problem(text: &str) -> String {
        Project::parse("/rules/a".into(), text).expect_err("a mistake")
    }

    #[test]
    fn mistakes_are_named() {
        let manifest = |version: u32, name: &str, language: &str| {
            problem(&format!(
                "version = {version}\nname = \"{name}\"\nlanguage = \"{language}\"\nworld = \"w\""
            ))
        };
        insta::assert_snapshot!(manifest(2, "a", "c"), @"version 2 isn't known, only 1");
        insta::assert_snapshot!(manifest(1, "../a", "c"), @"`../a` is no name for a rule");
        insta::assert_snapshot!(
            manifest(1, "a", "cobol"),
            @"`cobol` is no language: they are rust, c, javascript, typescript, python, go"
        );
        assert!(problem("version = 1\nname = \"a\"").contains("missing field `language`"));
    }
}
