//! The `idr` binary.
fn main() {}
