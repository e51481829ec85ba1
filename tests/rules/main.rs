//! Rules: the examples answer their cases, and hostile ones do no harm.

#[path = "../common/mod.rs"]
mod common;

mod acme;
mod bench;
mod bombs;
mod chains;
mod command;
mod contract;
mod corpus;
mod examples;
mod hostile;
mod isolation;
mod log;
mod made;
mod making;
mod recording;
mod retry;
mod shown;
mod trust;
mod tutorial;
mod verdict;
mod versions;
