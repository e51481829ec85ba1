//! The identity refresh host.
//!
//! [`cli`] has one file per command.

pub mod cli;
pub mod store;
