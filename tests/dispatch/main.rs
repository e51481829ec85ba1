//! Reaching applications: connectors, and carrying out what refreshes call for.
//!
//! - `connectors`: one contract for every connector.
//! - `passes`: passes through the outbox, with applications that fail.
//! - `webhooks`: what is sent to addresses, and what people do in workflows.
//! - `circle`: from joining to being rehired, with the database as the judge.
//! - `targets`: databases to test with.

#[path = "../common/mod.rs"]
mod common;

mod circle;
mod connectors;
mod passes;
mod targets;
mod webhooks;
