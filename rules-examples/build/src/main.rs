//! Builds the example rules and checks their locks.
//!
//! `cargo run --release -p build-rules` compiles every crate of
//! `rules-examples/rust` for WebAssembly, makes each a component and writes
//! `NAME/NAME.wasm` and `NAME/NAME.lock` beside its sources. The components are
//! committed, so that nobody needs a guest toolchain to run them.
//!
//! - `-- --check` builds nothing: it says whether the committed components were
//!   built from the sources as they are now, and names every file that differs.
//! - `-- --out DIR` writes the components to DIR and touches nothing committed.

mod build;
mod lock;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "usage: build-rules [--check | --out DIR]";

enum Task {
    Build,
    Check,
    BuildInto(PathBuf),
}

fn main() -> ExitCode {
    match task_from_arguments().and_then(|task| run(&task)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn task_from_arguments() -> Result<Task> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => Ok(Task::Build),
        ["--check"] => Ok(Task::Check),
        ["--out", directory] => Ok(Task::BuildInto(PathBuf::from(directory))),
        _ => bail!("{USAGE}"),
    }
}

fn run(task: &Task) -> Result<ExitCode> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .context("the crate lies two folders below the repository")?;
    let rules = build::rule_names(repository)?;
    match task {
        Task::Check => return check(repository, &rules),
        Task::Build => {
            build::compile(repository)?;
            for rule in &rules {
                let folder = build::rule_folder(repository, rule);
                build::write_component(repository, rule, &folder)?;
                lock::write(repository, rule)?;
            }
        }
        Task::BuildInto(directory) => {
            build::compile(repository)?;
            std::fs::create_dir_all(directory)
                .with_context(|| format!("can't create `{}`", directory.display()))?;
            for rule in &rules {
                build::write_component(repository, rule, directory)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Exit code 1 when a lock disagrees.
fn check(repository: &Path, rules: &[String]) -> Result<ExitCode> {
    let mut differences = Vec::new();
    for rule in rules {
        differences.extend(lock::differences(repository, rule)?);
    }
    if differences.is_empty() {
        println!("{} locks agree with their sources", rules.len());
        return Ok(ExitCode::SUCCESS);
    }
    for difference in &differences {
        eprintln!("error: {difference}");
    }
    eprintln!("hint: build the rules again: cargo run --release -p build-rules");
    Ok(ExitCode::FAILURE)
}
