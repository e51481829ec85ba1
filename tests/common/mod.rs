//! What tests of the program share: a tenant in a temporary folder, and the
//! real binary run on it without anything of the user's environment.
//!
//! Every test binary takes this in as a module and uses a part of it.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A tenant in a temporary folder that is removed with it.
pub(crate) struct TestHost {
    folder: TempDir,
}

impl TestHost {
    /// Makes an empty folder.
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("idr-test-").expect("a temporary folder can be made");
        Self { folder }
    }

    /// Makes a folder with these files, given as one text: a line `//- PATH`
    /// begins a file. The indentation that all lines share is taken off.
    pub(crate) fn with_files(fixture: &str) -> Self {
        let host = Self::new();
        for (path, text) in files_of(fixture) {
            host.write(&path, &text);
        }
        host
    }

    /// Makes a folder with a copy of all that is in `source`.
    pub(crate) fn copy_of(source: &Path) -> Self {
        let host = Self::new();
        copy_folder(source, host.folder.path());
        host
    }

    /// Returns the path of something in the folder; `""` is the folder itself.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.folder.path().join(relative)
    }

    /// Writes a file, with the folders that it needs.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        let parent = path.parent().expect("a file lies in a folder");
        fs::create_dir_all(parent).expect("the test's folder can be written to");
        fs::write(path, content).expect("the test's folder can be written to");
    }

    /// Reads a file as text.
    pub(crate) fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).expect("the file is there")
    }

    /// Returns the binary, to be run in the tenant's folder: no environment, a
    /// fixed width of the terminal.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_idr"));
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("COLUMNS", "100");
        command
    }

    /// Runs the program and returns what it printed to standard output, then
    /// what it printed to standard error, then `[exit N]`. The folder's own path
    /// is shown as `$TENANT`.
    #[must_use = "either snapshot the output or assert on it"]
    pub(crate) fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.output(arguments);
        let mut shown = String::new();
        for stream in [&output.stdout, &output.stderr] {
            shown += &String::from_utf8_lossy(stream);
            if !shown.is_empty() && !shown.ends_with('\n') {
                shown.push('\n');
            }
        }
        shown += &match output.status.code() {
            Some(code) => format!("[exit {code}]"),
            None => "[killed]".to_owned(),
        };
        shown.replace(&*self.folder.path().to_string_lossy(), "$TENANT")
    }

    /// Runs the program with `--json` and returns what it printed to standard
    /// output. The exit code must be 0 or 1.
    #[must_use]
    pub(crate) fn json<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> serde_json::Value {
        let output = self.output(arguments.into_iter().chain(["--json"]));
        let done = matches!(output.status.code(), Some(0 | 1));
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(done, "the command failed: {errors}");
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("the output is not JSON ({error}); {errors}"))
    }

    fn output<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        self.command()
            .args(arguments)
            .output()
            .expect("the binary can be started")
    }
}

/// Returns the folder of the repository.
pub(crate) fn repository() -> PathBuf {
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    host.parent()
        .expect("the host lies in the repository")
        .to_owned()
}

/// Splits a fixture into paths and texts.
fn files_of(fixture: &str) -> Vec<(String, String)> {
    let lines = || fixture.lines().filter(|line| !line.trim().is_empty());
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let shared = lines().map(indentation).min().unwrap_or(0);
    let mut files: Vec<(String, String)> = Vec::new();
    for line in fixture.lines() {
        let line = line.get(shared..).unwrap_or("");
        if let Some(path) = line.strip_prefix("//- ") {
            files.push((path.trim().to_owned(), String::new()));
        } else if let Some((_, text)) = files.last_mut() {
            text.push_str(line);
            text.push('\n');
        } else {
            assert!(line.trim().is_empty(), "a fixture begins with `//- PATH`");
        }
    }
    files
}

fn copy_folder(source: &Path, target: &Path) {
    fs::create_dir_all(target).expect("the test's folder can be written to");
    for entry in fs::read_dir(source).expect("the folder to copy is there") {
        let entry = entry.expect("the folder to copy can be read");
        let to = target.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("the file can be copied");
        }
    }
}
