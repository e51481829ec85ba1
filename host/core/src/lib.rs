//! The pure part of idr: what a refresh would do to one identity.
//!
//! [`model`] has the values, [`definitions`] what a tenant defines, [`filter`]
//! the filter language, [`view`] the one door for reads, [`phases`] the built-in
//! phases with their native [`transform`]s, and [`plan`] takes one identity
//! through them. Nothing here reads a clock, a file, a network or a store; the same input gives the
//! same plan everywhere.

pub mod definitions;
pub mod filter;
pub mod meter;
pub mod model;
pub mod phases;
pub mod plan;
pub mod planted;
pub mod rule;
#[cfg(test)]
mod testing;
pub mod text;
pub mod time;
pub mod transform;
pub mod view;
