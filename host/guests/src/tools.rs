//! Finds a language's own tools and runs them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::{GuestError, Language};

/// Names the folder that `rules-examples/build/guest-tools` has filled.
pub(crate) const FOLDER_VARIABLE: &str = "IDR_GUEST_TOOLS";

/// Where the tools lie in that folder.
const PLACES: [&str; 2] = ["python/bin", "node_modules/.bin"];

/// Returns the command of a tool that a language needs: that of the folder which
/// `IDR_GUEST_TOOLS` names, or else the one on the path.
pub(crate) fn tool(name: &'static str, language: Language) -> Result<Command, GuestError> {
    let folder = std::env::var_os(FOLDER_VARIABLE);
    let search = std::env::var_os("PATH").unwrap_or_default();
    let missing = || GuestError::MissingTool {
        tool: name,
        language,
    };
    let path = locate(name, folder.as_deref(), &search).ok_or_else(missing)?;
    let mut command = Command::new(&path);
    // Tools written in JavaScript start `node`, those of a Python package `python`.
    if let Some(place) = path.parent() {
        let mut places = vec![place.to_owned()];
        places.extend(std::env::split_paths(&search));
        if let Ok(joined) = std::env::join_paths(places) {
            command.env("PATH", joined);
        }
    }
    Ok(command)
}

fn locate(name: &str, folder: Option<&OsStr>, search: &OsString) -> Option<PathBuf> {
    let own = folder
        .into_iter()
        .flat_map(|folder| PLACES.map(|place| Path::new(folder).join(place)));
    // The Python package of Zig calls it `python-zig`.
    let names = match name {
        "zig" => vec!["python-zig", "zig"],
        name => vec![name],
    };
    let found = own
        .chain(std::env::split_paths(search))
        .flat_map(|place| names.iter().map(move |name| place.join(name)))
        .find(|path| path.is_file())?;
    std::path::absolute(found).ok()
}

/// Runs a command to its end and returns what it wrote.
///
/// # Errors
///
/// [`GuestError::ToolFailed`] with everything that it wrote.
pub(crate) fn run(command: &mut Command) -> Result<Output, GuestError> {
    let tool = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let output = match command.output() {
        Ok(output) => output,
        Err(source) => return Err(GuestError::CannotStart { tool, source }),
    };
    if output.status.success() {
        return Ok(output);
    }
    let written = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes));
    Err(GuestError::ToolFailed {
        tool,
        output: written.concat().trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::locate;

    #[test]
    fn the_folder_of_tools_comes_before_the_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = folder.path().join("own");
        let path = folder.path().join("path");
        std::fs::create_dir_all(own.join("python/bin")).expect("a folder");
        std::fs::create_dir_all(&path).expect("a folder");
        std::fs::write(own.join("python/bin/python-zig"), "").expect("a file");
        std::fs::write(path.join("zig"), "").expect("a file");
        std::fs::write(path.join("go"), "").expect("a file");

        let search = OsString::from(&path);
        let found = |name| locate(name, Some(own.as_os_str()), &search);
        assert_eq!(found("zig"), Some(own.join("python/bin/python-zig")));
        assert_eq!(found("go"), Some(path.join("go")));
        assert_eq!(found("esbuild"), None);
        assert_eq!(locate("zig", None, &search), Some(path.join("zig")));
    }
}
