//! The identity refresh host.
