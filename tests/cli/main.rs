//! The program as people meet it: one test binary, a module per subject.

#[path = "../common/mod.rs"]
mod common;

mod check;
mod wiring;
