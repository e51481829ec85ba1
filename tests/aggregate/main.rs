//! What an aggregation does, through the library and the memory store.

mod correlation;
mod feeds;
mod guard;
mod held;
mod interrupted;
mod native_changes;
mod properties;
mod tenant;
