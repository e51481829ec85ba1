//! The made-up organisation: `idr demo` and `idr generate`, as people use them.

#[path = "../common/mod.rs"]
mod common;

mod bench;
mod demo;
mod full_disk;
mod generate;
mod profiles;
mod work;
