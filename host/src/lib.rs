//! The identity refresh host.
//!
//! [`config`] reads a tenant's folder; [`aggregate`] reads accounts into the
//! [`store`]; [`rules`] runs customers' rules; [`refresh`] brings identities up to
//! date; [`report`] says what was done; [`tenant`] opens all that a command works
//! with; [`cli`] has one file per command.

pub mod aggregate;
pub mod bench;
pub mod cli;
pub mod config;
pub mod connect;
pub mod demo;
pub mod dispatch;
pub mod operations;
pub mod organisation;
pub mod refresh;
pub mod report;
pub mod rules;
pub mod store;
pub mod tenant;
pub mod trust;
