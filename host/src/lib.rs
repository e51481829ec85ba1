//! The identity refresh host.
//!
//! [`aggregate`] reads accounts into the [`store`]; [`cli`] has one file per
//! command.

pub mod aggregate;
pub mod cli;
pub mod store;
