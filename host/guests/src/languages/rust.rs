//! Rust, by cargo.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::component::no_component;
use crate::manifest::Project;
use crate::{GuestError, component_of_module, read, tools};

/// What rules are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Names the folder of a toolchain unpacked by `debian-toolchain`.
pub(crate) const TOOLCHAIN_VARIABLE: &str = "IDR_GUEST_TOOLCHAIN";

/// Builds the folder's crate, which says in `wit_bindgen::generate!` what it is
/// made for.
pub(crate) fn build(project: &Project) -> Result<Vec<u8>, GuestError> {
    project.source("Cargo.toml", "`Cargo.toml`")?;
    let mut cargo = cargo()?;
    cargo.current_dir(&project.folder).args([
        "build",
        "--release",
        "--package",
        &project.name,
        "--message-format=json-render-diagnostics",
    ]);
    let output = tools::run(&mut cargo)?;
    let no_library = || GuestError::NoSource {
        what: "library of `crate-type = [\"cdylib\"]`, named as `rule.toml` says",
        folder: project.folder.clone(),
    };
    let messages = String::from_utf8_lossy(&output.stdout);
    let module = module_of(&messages, &project.name).ok_or_else(no_library)?;
    component_of_module(&read(&module)?).map_err(|source| no_component(project, source))
}

/// One of cargo's messages, as far as it matters.
#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    filenames: Vec<PathBuf>,
    target: Option<MessageTarget>,
}

#[derive(Deserialize)]
struct MessageTarget {
    name: String,
}

/// Returns the module that cargo says to have made of a package.
fn module_of(messages: &str, package: &str) -> Option<PathBuf> {
    let library = package.replace('-', "_");
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| {
            let target = message.target.as_ref();
            target.is_some_and(|target| target.name.replace('-', "_") == library)
        })
        .flat_map(|message| message.filenames)
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "wasm")
        })
}

/// Returns a command of a cargo that builds for WebAssembly: the one at hand, or
/// that of the folder which `IDR_GUEST_TOOLCHAIN` names.
///
/// # Errors
///
/// [`GuestError::MissingTool`] and [`GuestError::MissingTarget`].
pub fn cargo() -> Result<Command, GuestError> {
    let mut cargo = match std::env::var_os(TOOLCHAIN_VARIABLE) {
        Some(root) => {
            let mut cargo = unpacked_toolchain(Path::new(&root))?;
            cargo
                .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
                .env("CARGO_BUILD_TARGET", TARGET);
            cargo
        }
        None => installed_toolchain()?,
    };
    // Flags that are meant for the host don't suit the guest.
    cargo
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_BUILD_TARGET", TARGET);
    Ok(cargo)
}

fn installed_toolchain() -> Result<Command, GuestError> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", TARGET]);
    let library = tools::run(&mut rustc).map_err(|error| match error {
        GuestError::CannotStart { .. } => GuestError::MissingTool {
            tool: "rustc",
            language: crate::Language::Rust,
        },
        _ => GuestError::MissingTarget(TARGET),
    })?;
    let library = String::from_utf8_lossy(&library.stdout).trim().to_owned();
    if !Path::new(&library).is_dir() {
        return Err(GuestError::MissingTarget(TARGET));
    }
    Ok(Command::new(
        std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
    ))
}

/// Returns the cargo of a folder made by `debian-toolchain`, which builds the
/// standard library from source and borrows the linker of the host's toolchain.
fn unpacked_toolchain(root: &Path) -> Result<Command, GuestError> {
    let unreadable = |source| GuestError::Unreadable {
        path: root.to_owned(),
        source,
    };
    let root = root.canonicalize().map_err(unreadable)?;
    let cargo = root.join("usr/bin/cargo");
    if !cargo.is_file() {
        return Err(unreadable(std::io::ErrorKind::NotFound.into()));
    }
    let mut rustc = Command::new("rustc");
    let sysroot = tools::run(rustc.args(["--print", "sysroot"]))?.stdout;
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

#[cfg(test)]
mod tests {
    use super::module_of;

    #[test]
    fn the_module_is_the_one_of_the_package() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"wit_bindgen"},"filenames":["/t/wit_bindgen.wasm"]}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","target":{"name":"my_rule"},"filenames":["/t/my_rule.d","/t/my_rule.wasm"]}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(
            module_of(messages, "my-rule"),
            Some("/t/my_rule.wasm".into())
        );
        assert_eq!(module_of(messages, "other"), None);
    }
}
