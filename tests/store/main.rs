//! The store: one contract for every backend, and what is special to SQLite.
//!
//! - `contract`: what each method promises, run for every store.
//! - `delivery`: the same for carrying effects out.
//! - `random`: random histories, with the store in memory as the oracle.
//! - `sqlite`: files, several connections, full disks, backups, damage.
//! - `command`: `idr store`.
//! - `samples`: stores to test, and what to put into them.

#[path = "../common/mod.rs"]
mod common;

mod command;
mod contract;
mod delivery;
mod random;
mod samples;
mod sqlite;
