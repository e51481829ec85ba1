//! The store: one contract for every backend.
//!
//! - `random`: random histories, with the store in memory as the oracle.
//! - `samples`: stores to test.

mod random;
mod samples;
