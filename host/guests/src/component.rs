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
}

/// Makes a module that may import the system interface a component that doesn't.
pub(crate) fn closed(module: &[u8], project: &Project) -> Result<Vec<u8>, GuestError> {
    let encode = || {
        let system = wat::parse_str(CLOSED_SYSTEM).context("the closed system doesn't parse")?;
        ComponentEncoder::default()
            .validate(true)
            .module(module)?
            .adapter("wasi_snapshot_preview1", &system)?
            .encode()
    };
    encode().map_err(|source| no_component(project, source))
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
