//! Builds the example rules and checks their lock.
fn main() {}
