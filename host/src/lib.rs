//! The identity refresh host.
//!
//! [`config`] reads a tenant's folder; [`aggregate`] reads accounts into the
//! [`store`]; [`tenant`] opens all that a command works with; [`cli`] has one file per command; [`rules`] runs customers' rules.

pub mod aggregate;
pub mod cli;
pub mod config;
pub mod refresh;
pub mod report;
pub mod rules;
pub mod store;
pub mod tenant;
