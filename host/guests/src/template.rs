//! Folders to start a rule in: a small rule of each kind in each language, which
//! all pass the same cases.

use std::path::{Path, PathBuf};

use crate::manifest::is_rule_name;
use crate::{GuestError, Language, write};

/// The contract that the templates are made for.
const CONTRACT: &str = include_str!("../../../wit/0.1.2/rules.wit");
const README: &str = include_str!("../templates/shared/README.md");
const CARGO: &str = include_str!("../templates/rust/Cargo.toml.txt");
const PANICS: &str = include_str!("../templates/rust/panics.rs");
const TSCONFIG: &str = include_str!("../templates/typescript/tsconfig.json");
const GO_IGNORED: &str = include_str!("../templates/go/gitignore.txt");
const IGNORED: &str = "# What `idr rule build` generates.\n/bindings/\n/target/\n";

/// A kind of rule: its cases, and a source in each language.
struct Kind {
    name: &'static str,
    cases: &'static str,
    rust: &'static str,
    c: &'static str,
    javascript: &'static str,
    typescript: &'static str,
    python: &'static str,
    go: &'static str,
}

macro_rules! kinds {
    ($($name:literal),+ $(,)?) => {
        [$(Kind {
            name: $name,
            cases: include_str!(concat!("../templates/cases/", $name, ".toml")),
            rust: include_str!(concat!("../templates/rust/", $name, ".rs")),
            c: include_str!(concat!("../templates/c/", $name, ".c")),
            javascript: include_str!(concat!("../templates/javascript/", $name, ".js")),
            typescript: include_str!(concat!("../templates/typescript/", $name, ".ts")),
            python: include_str!(concat!("../templates/python/", $name, ".py")),
            go: include_str!(concat!("../templates/go/", $name, ".go")),
        }),+]
    };
}

const KINDS: [Kind; 14] = kinds![
    "account-correlation",
    "identity-creation",
    "before-refresh",
    "attribute-promotion",
    "manager-correlation",
    "lifecycle-state",
    "role-assignment",
    "identity-trigger",
    "value-change",
    "after-refresh",
    "logical-account",
    "policy",
    "account-selection",
    "target-mapping",
];

/// Returns the kinds that there are templates of.
pub fn kinds() -> Vec<&'static str> {
    KINDS.iter().map(|kind| kind.name).collect()
}

/// Makes a folder with a rule of a kind, and returns what is in it. The last part
/// of the path is the rule's name.
///
/// # Errors
///
/// [`GuestError::BadName`], [`GuestError::UnknownKind`], [`GuestError::Exists`], or
/// what keeps the folder from being written.
pub fn create(folder: &Path, kind: &str, language: Language) -> Result<Vec<PathBuf>, GuestError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    if !is_rule_name(&name) {
        return Err(GuestError::BadName(name.into_owned()));
    }
    let kind = KINDS
        .iter()
        .find(|known| known.name == kind)
        .ok_or_else(|| GuestError::UnknownKind(kind.to_owned()))?;
    if folder.exists() {
        return Err(GuestError::Exists(folder.to_owned()));
    }
    let files = files(&name, kind, language);
    for (path, content) in &files {
        write(&folder.join(path), content.as_bytes())?;
    }
    Ok(files.into_iter().map(|(path, _)| path.into()).collect())
}

/// Returns the files of a rule, each with what it says.
fn files(name: &str, kind: &Kind, language: Language) -> Vec<(String, String)> {
    let (source, content) = source(kind, language);
    let ignored = match language {
        Language::Go => GO_IGNORED,
        _ => IGNORED,
    };
    let mut files = vec![
        ("rule.toml".to_owned(), manifest(name, kind, language)),
        ("cases.toml".to_owned(), kind.cases.to_owned()),
        ("wit/rules.wit".to_owned(), CONTRACT.to_owned()),
        (".gitignore".to_owned(), ignored.to_owned()),
        (
            "README.md".to_owned(),
            readme(name, kind, language, &source),
        ),
        (source, content.to_owned()),
    ];
    match language {
        Language::Rust => {
            files.push(("Cargo.toml".to_owned(), CARGO.replace("{name}", name)));
            files.push(("src/panics.rs".to_owned(), PANICS.to_owned()));
        }
        Language::TypeScript => files.push(("tsconfig.json".to_owned(), TSCONFIG.to_owned())),
        _ => {}
    }
    files.sort();
    files
}

fn source(kind: &Kind, language: Language) -> (String, &'static str) {
    match language {
        Language::Rust => ("src/lib.rs".to_owned(), kind.rust),
        Language::C => ("rule.c".to_owned(), kind.c),
        Language::JavaScript => ("rule.js".to_owned(), kind.javascript),
        Language::TypeScript => ("rule.ts".to_owned(), kind.typescript),
        Language::Python => ("rule.py".to_owned(), kind.python),
        Language::Go => {
            let interface = kind.name.replace('-', "_");
            (format!("export_idr_rules_{interface}/rule.go"), kind.go)
        }
    }
}

fn manifest(name: &str, kind: &Kind, language: Language) -> String {
    let world = kind.name;
    format!(
        "version = 1\nname = \"{name}\"\nlanguage = \"{}\"\n\
         # What it is made for: a world of the contract in `wit`.\nworld = \"{world}-rule\"\n",
        language.as_str()
    )
}

fn readme(name: &str, kind: &Kind, language: Language, source: &str) -> String {
    README
        .replace("{name}", name)
        .replace("{kind}", kind.name)
        .replace("{language}", &language.to_string())
        .replace("{source}", source)
        .replace("{note}", note(language))
}

/// Returns what an author in that language should know first.
fn note(language: Language) -> &'static str {
    match language {
        Language::Rust => {
            "Don't panic:\na panic ends the instance, too, which makes the next evaluation slower; say\n\
             `RuleError::Failed` with a text instead. `src/panics.rs` sees to it that its text is told."
        }
        Language::C => {
            "Free\nwhatever the host hands over: arguments, values, texts and lists. `bindings/rule.h` has\n\
             the names, once the rule is built. What is written to stderr is logged, so a crash\n\
             tells it: `assert` says what was wrong."
        }
        Language::JavaScript | Language::TypeScript => {
            "An exception\nbecomes the error `failed`, and so does an answer that doesn't fit its type. There is no\n\
             clock: `Date.now()` throws."
        }
        Language::Python => {
            "An exception\nbecomes the error `failed`, and so does an answer that doesn't fit its type. Import at the\n\
             top of the file only, and there is no clock: `time.time()` raises."
        }
        Language::Go => {
            "`Guard`\nmakes a panic the error `failed`, with its text and the functions it came through;\n\
             `time.Now()` is a trap: there is no clock."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KINDS, create, files};
    use crate::{GuestError, Language};

    #[test]
    fn a_folder_has_what_its_rule_needs() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("leavers");
        let files = create(&folder, "lifecycle-state", Language::Rust).expect("a rule");
        let names: Vec<_> = files.iter().map(|path| path.to_string_lossy()).collect();
        assert_eq!(
            names,
            [
                ".gitignore",
                "Cargo.toml",
                "README.md",
                "cases.toml",
                "rule.toml",
                "src/lib.rs",
                "src/panics.rs",
                "wit/rules.wit"
            ]
        );
        let manifest = std::fs::read_to_string(folder.join("rule.toml")).expect("a manifest");
        assert!(manifest.contains("name = \"leavers\""), "{manifest}");
        let again = create(&folder, "lifecycle-state", Language::C);
        assert!(matches!(again, Err(GuestError::Exists(_))));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let parent = tempfile::tempdir().expect("a folder");
        let odd = create(
            &parent.path().join("Odd Name"),
            "lifecycle-state",
            Language::C,
        );
        assert!(matches!(odd, Err(GuestError::BadName(_))));
        let unknown = create(&parent.path().join("rule"), "weather", Language::C);
        assert!(matches!(unknown, Err(GuestError::UnknownKind(_))));
    }

    #[test]
    fn no_placeholder_is_left() {
        for kind in &KINDS {
            for language in Language::ALL {
                for (path, content) in files("a-rule", kind, language) {
                    let is_filled = path.ends_with(".md") || path.ends_with(".toml");
                    for placeholder in ["{name}", "{kind}", "{language}", "{source}", "{note}"] {
                        assert!(
                            !is_filled || !content.contains(placeholder),
                            "{placeholder} is left in {path}"
                        );
                    }
                }
            }
        }
    }
}
