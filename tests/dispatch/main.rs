//! Reaching applications: connectors, and carrying out what refreshes call for.
//!
//! - `accounts`: accounts that are there already, people who are gone, and steps of
//!   workflows with several accounts.
//! - `asked`: refreshes that ask for accounts again.
//! - `dry`: dry runs that ask applications first.
//! - `late`: what was read before idr did something, and is taken over after it.
//! - `logical`: what is done with accounts that are made of others.
//! - `loops`: changes that lead to each other.
//! - `connectors`: one contract for every connector.
//! - `passes`: passes through the outbox, with applications that fail.
//! - `webhooks`: what is sent to addresses, and what people do in workflows.
//! - `circle`: from joining to being rehired, with the database as the judge.
//! - `by_time`: the same where a database and time are all that says so.
//! - `rounds`: who goes that way, and what is done in the database on it.
//! - `targets`: databases to test with; `hooks`: a server to send events to.

#[path = "../common/mod.rs"]
mod common;

mod accounts;
mod asked;
mod by_time;
mod circle;
mod connectors;
mod dry;
mod hooks;
mod late;
mod logical;
mod loops;
mod passes;
mod rounds;
mod targets;
mod webhooks;
