//! What a refresh would do, without doing it: `idr refresh --dry-run` and tests.
//!
//! A run like any other, on a copy of the store: every instant, wave, threshold
//! and event, by the same code, so it comes to what the run itself would. All
//! that this is given of the store is that there can be a copy of it, so that
//! nothing can be written to it; and nothing here knows of connectors.

use super::{Configurator, Progress, RefreshError, Request, run};
use crate::store::{Files, Rehearse, Run, Store};

/// What a refresh would do.
pub struct Preview {
    /// The run as it would stand at the end.
    pub run: Run,
    /// The copy of the store as the run would leave it; gone when dropped.
    pub store: Box<dyn Store>,
}

/// Tries what [`super::run`] would do, on a copy of the store.
///
/// # Errors
///
/// [`RefreshError::NoCopy`] when there can be no copy; otherwise as [`super::run`].
pub fn preview(
    store: &dyn Rehearse,
    configurator: &dyn Configurator,
    files: &Files,
    request: &Request,
    progress: Progress<'_>,
) -> Result<Preview, RefreshError> {
    let copy = store.rehearsal().map_err(RefreshError::NoCopy)?;
    let run = run(copy.as_ref(), configurator, files, request, progress)?;
    Ok(Preview { run, store: copy })
}
