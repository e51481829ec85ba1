//! From a core module to a component.

use std::path::Path;

use anyhow::Context;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, WorldId};

use crate::GuestError;
use crate::manifest::Project;

/// What modules for the system interface get instead of a system.
const CLOSED_SYSTEM: &str = include_str!("../support/closed.wat");

/// A contract, and the world of it that a rule is made for.
pub(crate) struct Contract {
    pub(crate) resolve: Resolve,
    pub(crate) world: WorldId,
}

impl Contract {
    /// Reads the contract that a rule is made for.
    pub(crate) fn of(project: &Project) -> Result<Self, GuestError> {
        let bad = |source| GuestError::BadContract {
            path: project.wit.clone(),
            world: project.world.clone(),
            source,
        };
        Self::read(&project.wit, &project.world).map_err(bad)
    }

    fn read(path: &Path, world: &str) -> anyhow::Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(path)?;
        let world = resolve.select_world(&[package], Some(world))?;
        Ok(Self { resolve, world })
    }

    /// Returns the version of `idr:rules` that the world is of, or builds on.
    pub(crate) fn version(&self) -> Option<String> {
        let names = self
            .resolve
            .packages
            .iter()
            .map(|(_, package)| &package.name);
        let mut rules = names.filter(|name| name.namespace == "idr" && name.name == "rules");
        let version = rules.next().and_then(|name| name.version.as_ref());
        version.map(ToString::to_string)
    }

    /// Tells a module what it was compiled for.
    pub(crate) fn embedded_in(
        &self,
        mut module: Vec<u8>,
        project: &Project,
    ) -> Result<Vec<u8>, GuestError> {
        let encoding = StringEncoding::UTF8;
        embed_component_metadata(&mut module, &self.resolve, self.world, encoding, false)
            .map_err(|source| no_component(project, source))?;
        Ok(module)
    }

    /// Returns the system that isn't one, which logs as this version of the contract
    /// has it.
    fn closed_system(&self) -> anyhow::Result<Vec<u8>> {
        let version = self.version().context("it isn't made for `idr:rules`")?;
        let mut system = wat::parse_str(CLOSED_SYSTEM.replace("{version}", &version))
            .context("the closed system doesn't parse")?;
        let mut resolve = self.resolve.clone();
        let world =
            format!("package idr:closed; world system {{ import idr:rules/log@{version}; }}");
        let package = resolve.push_source("closed.wit", &world)?;
        let world = resolve.select_world(&[package], Some("system"))?;
        embed_component_metadata(&mut system, &resolve, world, StringEncoding::UTF8, false)?;
        Ok(system)
    }
}

/// Makes a module that may import the system interface a component that doesn't.
pub(crate) fn closed(
    module: &[u8],
    contract: &Contract,
    project: &Project,
) -> Result<Vec<u8>, GuestError> {
    let encode = || {
        ComponentEncoder::default()
            .validate(true)
            .module(module)?
            .adapter("wasi_snapshot_preview1", &contract.closed_system()?)?
            .encode()
    };
    encode().map_err(|source| no_component(project, source))
}

/// Leaves out what only a debugger reads. The linker leaves either everything in or
/// takes the functions' names out too, which the trace of a crash needs.
pub(crate) fn without_debug_sections(module: &[u8]) -> Vec<u8> {
    let (header, mut rest) = module.split_at(module.len().min(8));
    let mut kept = header.to_vec();
    while let Some(section) = first_section(rest) {
        let (bytes, content) = section;
        let is_debug = bytes[0] == 0 && custom_name(content).starts_with(b".debug");
        if !is_debug {
            kept.extend_from_slice(bytes);
        }
        rest = &rest[bytes.len()..];
    }
    kept.extend_from_slice(rest);
    kept
}

/// Returns the first section, whole and what it contains; none where there is no
/// whole one.
fn first_section(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, n_bytes) = number(bytes.get(1..)?)?;
    let section = bytes.get(..1 + n_bytes + size)?;
    Some((section, &section[1 + n_bytes..]))
}

fn custom_name(content: &[u8]) -> &[u8] {
    number(content)
        .and_then(|(length, n_bytes)| content.get(n_bytes..n_bytes + length))
        .unwrap_or_default()
}

/// Reads a number of seven bits a byte, and says how many bytes it takes.
fn number(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number = 0;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        number |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((number, place + 1));
        }
    }
    None
}

pub(crate) fn no_component(project: &Project, source: anyhow::Error) -> GuestError {
    GuestError::NoComponent {
        world: project.world.clone(),
        source,
    }
}

/// Makes a module that says itself what it was compiled for a component.
///
/// # Errors
///
/// Says what is wrong with the module.
pub fn component_of_module(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)?
        .encode()
}

#[cfg(test)]
mod tests {
    use super::without_debug_sections;

    #[test]
    fn only_debug_sections_are_left_out() {
        let module = wat::parse_str(
            r#"(module (@custom ".debug_info" "abc") (func $named) (@custom "kept" "abc")
               (@custom ".debug_line" (after last) "abc"))"#,
        );
        let wanted = wat::parse_str(r#"(module (func $named) (@custom "kept" "abc"))"#);
        let module = module.expect("a module");
        assert_eq!(without_debug_sections(&module), wanted.expect("a module"));
        for length in 0..module.len() {
            // Half a module is the encoder's to refuse.
            without_debug_sections(&module[..length]);
        }
    }
}
