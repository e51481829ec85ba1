//! Rules: the examples answer their cases, and hostile ones do no harm.

#[path = "../common/mod.rs"]
mod common;

mod command;
mod contract;
mod examples;
mod hostile;
mod made;
mod retry;
mod verdict;
