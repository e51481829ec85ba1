//! One file per language: what its build calls, in which order.

pub(crate) mod c;
pub(crate) mod go;
pub(crate) mod javascript;
pub(crate) mod python;
pub(crate) mod rust;

use wit_bindgen_core::{Files, WorldGenerator};

use crate::GuestError;
use crate::component::Contract;
use crate::manifest::Project;

/// Generates bindings for the world that a rule is made for.
fn bindings(
    project: &Project,
    contract: &mut Contract,
    mut generator: Box<dyn WorldGenerator>,
) -> Result<Files, GuestError> {
    let mut files = Files::default();
    generator
        .generate(&mut contract.resolve, contract.world, &mut files)
        .map_err(|source| GuestError::BadContract {
            path: project.wit.clone(),
            world: project.world.clone(),
            source,
        })?;
    Ok(files)
}
