//! How much work a refresh does: numbers that are the same on every machine, however
//! busy it is.

use std::collections::BTreeMap;
use std::path::Path;

use idr_core::meter::{self, Work};

use super::{BenchError, Case, refresh};
use crate::store::RunSettings;
use crate::tenant::{Absent, OpenTenant};

/// How much work there was, by what is counted.
pub type Counted = BTreeMap<&'static str, u64>;

/// Counts the work of a case on the tenant in a folder, in this process, on one thread.
/// What opening the store takes isn't counted.
///
/// # Errors
///
/// As [`super::measure`].
pub fn count(directory: &Path, case: Case) -> Result<Counted, BenchError> {
    // Connections count statements if they are opened after this.
    meter::begin_counting();
    let tenant = OpenTenant::open(directory, Absent::Refuse)?;
    let _lock = tenant.lock()?;
    let as_of = tenant.now()?;
    let before = meter::counts();
    let settings = RunSettings {
        threads: Some(1),
        ..RunSettings::default()
    };
    refresh(&tenant, case.scope(), as_of, settings)?;
    let after = meter::counts();
    let counted = Work::ALL.iter().zip(before.iter().zip(&after));
    Ok(counted
        .map(|((name, _), (before, after))| (*name, after - before))
        .collect())
}
