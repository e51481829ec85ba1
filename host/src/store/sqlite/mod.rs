//! The embedded backend: one SQLite file for one tenant.

pub mod superset;
