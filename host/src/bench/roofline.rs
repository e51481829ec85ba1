//! What the machine does when nothing else is to be done: no refresh is faster.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::BenchError;
use crate::tenant::{Absent, OpenTenant};

/// How fast the parts of a refresh are alone, on one thread.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Roofline {
    /// Identities of the tenant.
    pub identities: u64,
    /// Documents of an identity and its accounts.
    pub documents_per_identity: f64,
    /// Their bytes.
    pub bytes_per_identity: f64,
    /// Microseconds for each identity: reading its rows and those of its accounts.
    pub read_us: f64,
    /// Microseconds: decoding them.
    pub decode_us: f64,
    /// Microseconds: writing its document, and committing.
    pub write_us: f64,
}

/// Measures on the tenant in a folder, in this process.
///
/// # Errors
///
/// [`BenchError`].
pub fn roofline(directory: &Path) -> Result<Roofline, BenchError> {
    let tenant = OpenTenant::open(directory, Absent::Refuse)?;
    let _lock = tenant.lock()?;
    // The first time fetches what the second finds in memory, as a refresh does.
    tenant.store.alone()?;
    let alone = tenant.store.alone()?;
    let each = alone.identities.max(1) as f64;
    let us = |of: Duration| of.as_secs_f64() * 1e6 / each;
    Ok(Roofline {
        identities: alone.identities,
        documents_per_identity: alone.documents as f64 / each,
        bytes_per_identity: alone.bytes as f64 / each,
        read_us: us(alone.read),
        decode_us: us(alone.decode),
        write_us: us(alone.write),
    })
}
