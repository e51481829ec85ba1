//! Compiled components on disk, so that a rule is compiled once per machine.
//!
//! A file is named by the component's digest and by everything that shapes
//! compiled code (wasmtime's version, its settings, the processor). Compiled
//! code is trusted, so the folder belongs to its owner alone (0700), and a
//! checksum at the end finds files that a crash or a full disk has cut. Files are
//! mapped into memory, so that only what runs of a large one is read.

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::Xxh3Default;

const CHECKSUM_BYTES: usize = 8;

/// How files are laid out: another layout has other names.
const LAYOUT: u32 = 2;

/// So much of a file is read at once.
const CHUNK_BYTES: usize = 256 * 1_024;

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
        if let Err(reason) = keep_private(&self.folder) {
            tracing::warn!("`{}` isn't used: {reason}", self.folder.display());
            return None;
        }
        match is_whole(&path) {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!("`{}` is damaged and is made again", path.display());
                return None;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                tracing::warn!("can't read `{}`: {error}", path.display());
                return None;
            }
        }
        match deserialize(engine, &path) {
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
        keep_private(&self.folder).map_err(anyhow::Error::msg)?;
        let compiled = component
            .serialize()
            .map_err(|error| anyhow::anyhow!("{error:#}"))?;
        let path = self.path(engine, sha256);
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut checksum = checksum_of(&path);
        checksum.update(&compiled);
        file.write_all(&compiled)?;
        file.write_all(&checksum.digest().to_le_bytes())?;
        file.persist(path)?;
        Ok(())
    }

    fn path(&self, engine: &Engine, sha256: &str) -> PathBuf {
        let mut hasher = Xxh3Default::new();
        LAYOUT.hash(&mut hasher);
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder
            .join(format!("{sha256}-{:016x}.cwasm", hasher.finish()))
    }
}

/// Begins a file's checksum, which covers its name as well: a file under another's
/// name isn't taken for it.
fn checksum_of(path: &Path) -> Xxh3Default {
    let mut checksum = Xxh3Default::new();
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    checksum.update(&(name.len() as u64).to_le_bytes());
    checksum.update(name);
    checksum
}

/// Says whether a file ends with the checksum of what comes before.
fn is_whole(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let Some(mut left) = file.metadata()?.len().checked_sub(CHECKSUM_BYTES as u64) else {
        return Ok(false);
    };
    let mut checksum = checksum_of(path);
    let mut chunk = vec![0; CHUNK_BYTES];
    while left > 0 {
        let wanted = usize::try_from(left)
            .unwrap_or(CHUNK_BYTES)
            .min(CHUNK_BYTES);
        file.read_exact(&mut chunk[..wanted])?;
        checksum.update(&chunk[..wanted]);
        left -= wanted as u64;
    }
    let mut end = [0; CHECKSUM_BYTES];
    file.read_exact(&mut end)?;
    Ok(end == checksum.digest().to_le_bytes())
}

#[expect(
    unsafe_code,
    reason = "loading compiled code is trusting it; see SAFETY"
)]
fn deserialize(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is in a folder that only this user may write to, its
    // checksum is right, and wasmtime itself checks that it was made by its own
    // version with the same settings. It stays what it is while it is mapped:
    // idr only ever puts a whole new file in its place.
    unsafe { Component::deserialize_file(engine, path) }
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

/// Compiled code from a folder of somebody else, or that others may write to, isn't
/// loaded. One that others may only look into is closed to them: a tenant that was
/// copied has one.
#[cfg(unix)]
fn keep_private(folder: &Path) -> Result<(), String> {
    use std::fs::Permissions;
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
            "others may write to it (mode {mode:o}); delete it, and it is made again"
        ));
    }
    if mode & 0o055 != 0
        && let Err(error) = std::fs::set_permissions(folder, Permissions::from_mode(0o700))
    {
        tracing::debug!("others may look into `{}`: {error}", folder.display());
    }
    Ok(())
}

#[cfg(not(unix))]
fn keep_private(_folder: &Path) -> Result<(), String> {
    Ok(())
}
