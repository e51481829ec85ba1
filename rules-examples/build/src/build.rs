//! From a crate's sources to a component.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use idr_guests::{TARGET, cargo, component_of_module};

/// Returns the names of the rule crates in order: the folders of
/// `rules-examples/rust` that hold a `Cargo.toml`.
pub(crate) fn rule_names(repository: &Path) -> Result<Vec<String>> {
    let workspace = workspace(repository);
    let entries = std::fs::read_dir(&workspace)
        .with_context(|| format!("can't list `{}`", workspace.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Returns the folder of a rule's crate.
pub(crate) fn rule_folder(repository: &Path, rule: &str) -> PathBuf {
    workspace(repository).join(rule)
}

fn workspace(repository: &Path) -> PathBuf {
    repository.join("rules-examples/rust")
}

/// Compiles every rule crate to a core module.
pub(crate) fn compile(repository: &Path) -> Result<()> {
    let mut cargo = cargo().map_err(|error| match error.hint() {
        Some(hint) => anyhow!("{error}: {hint}"),
        None => anyhow!(error),
    })?;
    cargo
        .current_dir(workspace(repository))
        .args([
            "build",
            "--release",
            "--locked",
            "--workspace",
            "--target",
            TARGET,
        ])
        .arg("--target-dir")
        .arg(target_folder(repository));
    cargo.env_remove("CARGO_TARGET_DIR");
    let status = cargo.status().context("can't start cargo")?;
    if !status.success() {
        bail!("the example rules don't compile");
    }
    Ok(())
}

fn target_folder(repository: &Path) -> PathBuf {
    workspace(repository).join("target")
}

/// Makes a compiled rule a component and writes it to `directory/RULE.wasm`.
pub(crate) fn write_component(repository: &Path, rule: &str, directory: &Path) -> Result<()> {
    let file = format!("{}.wasm", rule.replace('-', "_"));
    let module_path = target_folder(repository)
        .join(TARGET)
        .join("release")
        .join(file);
    let module = std::fs::read(&module_path)
        .with_context(|| format!("can't read `{}`", module_path.display()))?;
    let component =
        component_of_module(&module).with_context(|| format!("can't make `{rule}` a component"))?;
    let path = directory.join(format!("{rule}.wasm"));
    std::fs::write(&path, &component)
        .with_context(|| format!("can't write `{}`", path.display()))?;
    println!("{} ({} bytes)", path.display(), component.len());
    Ok(())
}
