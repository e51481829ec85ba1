//! Compiled components on disk, so that a rule is compiled once per machine.
//!
//! A file is named by the component's digest and by everything that shapes
//! compiled code (wasmtime's version, its settings, the processor). Compiled
//! code is trusted, so the folder belongs to its owner alone (0700), and a
//! checksum finds files that a crash or a full disk has cut.

use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::Xxh3Default;

const CHECKSUM_BYTES: usize = 8;

/// A folder of compiled components.
///
/// A cache never makes anything fail: what it can't read is compiled again,
/// and what it can't write is said in the log.
#[derive(Clone, Debug)]
pub struct ComponentCache {
    folder: PathBuf,
}

impl ComponentCache {
    /// Returns the cache in this folder, which is made when first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    pub(super) fn load(&self, engine: &Engine, sha256: &str) -> Option<Component> {
        let path = self.path(engine, sha256);
        if !self.folder.exists() {
            return None;
        }
        if let Err(reason) = is_private(&self.folder) {
            tracing::warn!("`{}` isn't used: {reason}", self.folder.display());
            return None;
        }
        let content = match std::fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!("can't read `{}`: {error}", path.display());
                return None;
            }
        };
        let (checksum, compiled) = content.split_at_checked(CHECKSUM_BYTES)?;
        if checksum != checksum_of(&path, compiled).to_le_bytes() {
            tracing::warn!("`{}` is damaged and is made again", path.display());
            return None;
        }
        match deserialize(engine, compiled) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!("`{}` can't be used: {error:#}", path.display());
                None
            }
        }
    }

    pub(super) fn store(&self, engine: &Engine, sha256: &str, component: &Component) {
        if let Err(error) = self.try_store(engine, sha256, component) {
            tracing::warn!(
                "the compiled rule isn't kept in `{}`: {error:#}",
                self.folder.display()
            );
        }
    }

    fn try_store(
        &self,
        engine: &Engine,
        sha256: &str,
        component: &Component,
    ) -> anyhow::Result<()> {
        create_private_folder(&self.folder)?;
        is_private(&self.folder).map_err(anyhow::Error::msg)?;
        let compiled = component
            .serialize()
            .map_err(|error| anyhow::anyhow!("{error:#}"))?;
        let path = self.path(engine, sha256);
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&checksum_of(&path, &compiled).to_le_bytes())?;
        file.write_all(&compiled)?;
        file.persist(path)?;
        Ok(())
    }

    fn path(&self, engine: &Engine, sha256: &str) -> PathBuf {
        let mut hasher = Xxh3Default::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder
            .join(format!("{sha256}-{:016x}.cwasm", hasher.finish()))
    }
}

/// Covers the name as well, so that a file under another's name isn't taken for it.
fn checksum_of(path: &Path, compiled: &[u8]) -> u64 {
    let mut hasher = Xxh3Default::new();
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    hasher.update(&(name.len() as u64).to_le_bytes());
    hasher.update(name);
    hasher.update(compiled);
    hasher.digest()
}

#[expect(
    unsafe_code,
    reason = "loading compiled code is trusting it; see SAFETY"
)]
fn deserialize(engine: &Engine, compiled: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes come from a folder that only this user may write to,
    // their checksum is right, and wasmtime itself checks that they were made
    // by its own version with the same settings.
    unsafe { Component::deserialize(engine, compiled) }
}

#[cfg(unix)]
fn create_private_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn create_private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Compiled code from a folder of somebody else, or that others may write to,
/// isn't loaded.
#[cfg(unix)]
fn is_private(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let metadata = std::fs::symlink_metadata(folder).map_err(|error| error.to_string())?;
    if !metadata.is_dir() {
        return Err("it is no folder".to_owned());
    }
    // Where there is no /proc, only the mode tells.
    let own = std::fs::metadata("/proc/self").map(|process| process.uid());
    if own.is_ok_and(|own| own != metadata.uid()) {
        return Err("it belongs to somebody else".to_owned());
    }
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(format!(
            "others may write to it (mode {mode:o}); `chmod 700` it"
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn is_private(_folder: &Path) -> Result<(), String> {
    Ok(())
}
