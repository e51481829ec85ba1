//! From a crate's sources to a component.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// Names the folder of an unpacked toolchain, see `debian-toolchain`.
const TOOLCHAIN_VARIABLE: &str = "IDR_GUEST_TOOLCHAIN";

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
    let mut cargo = match std::env::var_os(TOOLCHAIN_VARIABLE) {
        Some(root) => unpacked_toolchain(Path::new(&root))?,
        None => installed_toolchain()?,
    };
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
    if std::env::var_os(TOOLCHAIN_VARIABLE).is_some() {
        cargo.arg("-Zbuild-std=std,panic_abort");
    }
    // Flags that are meant for the host don't suit the guest.
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo
        .env_remove("CARGO_BUILD_TARGET")
        .env_remove("CARGO_TARGET_DIR");
    let status = cargo.status().context("can't start cargo")?;
    if !status.success() {
        bail!("the example rules don't compile");
    }
    Ok(())
}

fn target_folder(repository: &Path) -> PathBuf {
    workspace(repository).join("target")
}

/// Returns the cargo at hand, if it has the standard library for the target.
fn installed_toolchain() -> Result<Command> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("can't start rustc")?;
    let library = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if !output.status.success() || !library.is_dir() {
        bail!(
            "the Rust toolchain can't build for {TARGET}: run `rustup target add {TARGET}`, or, \
             where that can't be had, on Debian `rules-examples/build/debian-toolchain DIR` and \
             set {TOOLCHAIN_VARIABLE}=DIR"
        );
    }
    Ok(Command::new(
        std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
    ))
}

/// Returns the cargo of a folder made by `debian-toolchain`, which builds the
/// standard library from source and borrows the linker of the host's toolchain.
fn unpacked_toolchain(root: &Path) -> Result<Command> {
    let root = std::path::absolute(root).context("can't resolve the toolchain's folder")?;
    let cargo = root.join("usr/bin/cargo");
    if !cargo.is_file() {
        bail!(
            "{TOOLCHAIN_VARIABLE} is set, but there is no `{}`",
            cargo.display()
        );
    }
    let output = Command::new("rustc").args(["--print", "sysroot"]).output();
    let sysroot = output.context("can't start rustc")?.stdout;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot).trim());
    let mut command = Command::new(cargo);
    command
        .env("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu"))
        .env("RUSTC", root.join("usr/bin/rustc"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
            sysroot.join("lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld"),
        );
    Ok(command)
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
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.encode())
        .with_context(|| format!("can't make `{rule}` a component"))?;
    let path = directory.join(format!("{rule}.wasm"));
    std::fs::write(&path, &component)
        .with_context(|| format!("can't write `{}`", path.display()))?;
    println!("{} ({} bytes)", path.display(), component.len());
    Ok(())
}
