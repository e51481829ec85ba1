//! What a refresh would do, without doing it: `idr refresh --dry-run` and tests.
//!
//! A run like any other, on a copy of the store: every instant, wave, threshold
//! and event, by the same code, so it comes to what the run itself would. All
//! that this is given of the store is that there can be a copy of it, so that
//! nothing can be written to it; and nothing here knows of connectors. Who wants
//! accounts asked for again first lets the copy have what is read, through connectors
//! that only read (`connect::OnlyReads`).

use super::{Configurator, Progress, RefreshError, Request, run};
use crate::store::{Files, Rehearse, Run, Store};

/// What a refresh would do.
pub struct Preview {
    /// The run as it would stand at the end.
    pub run: Run,
    /// The copy of the store as the run would leave it; gone when dropped.
    pub store: Box<dyn Store>,
}

/// A copy of a store on which a refresh is tried, and nothing else of that store.
pub struct Rehearsal {
    copy: Box<dyn Store>,
}

impl Rehearsal {
    /// Copies a store.
    ///
    /// # Errors
    ///
    /// [`RefreshError::NoCopy`] when there can be no copy.
    pub fn of(store: &dyn Rehearse) -> Result<Self, RefreshError> {
        let copy = store.rehearsal().map_err(RefreshError::NoCopy)?;
        Ok(Self { copy })
    }

    /// Returns the copy, for what comes before the refresh.
    pub fn store(&self) -> &dyn Store {
        self.copy.as_ref()
    }

    /// Tries what [`super::run`] would do.
    ///
    /// # Errors
    ///
    /// As [`super::run`].
    pub fn run(
        self,
        configurator: &dyn Configurator,
        files: &Files,
        request: &Request,
        progress: Progress<'_>,
    ) -> Result<Preview, RefreshError> {
        let run = run(self.store(), configurator, files, request, progress)?;
        Ok(Preview {
            run,
            store: self.copy,
        })
    }
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
    Rehearsal::of(store)?.run(configurator, files, request, progress)
}
