//! What an aggregation does: through the library with the memory store, and
//! through the program.

#[path = "../common/mod.rs"]
mod common;

mod correlation;
mod feeds;
mod guard;
mod held;
mod interrupted;
mod native_changes;
mod native_entitlements;
mod program;
mod properties;
mod rules;
mod scripted;
mod tenant;
