//! The folder in which a made tenant is measured, and what has become of it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{BenchError, refresh};
use crate::organisation::{FIRST_INSTANT, Made, aggregate_all};
use crate::store::{AggregationStatus, RunSettings, Scope};
use crate::tenant::{Absent, OpenTenant};

const STATE: &str = "state";
const FIRST_STATE: &str = "state-first";

/// A made tenant in a folder of its own, beside a note of what it was made with and
/// of whom has changed since.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    note: Note,
}

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    made: Made,
    /// Each time something changed, it was of one in so many.
    changes: Vec<u64>,
}

impl Place {
    /// Begins a place in a new or empty folder. The tenant is to be made in
    /// [`Place::tenant`].
    ///
    /// # Errors
    ///
    /// When it can't be written to.
    pub fn begin(folder: &Path, made: Made) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let note = Note {
            made,
            changes: Vec::new(),
        };
        let place = Self {
            folder: folder.to_owned(),
            note,
        };
        place.save()?;
        Ok(place)
    }

    /// Opens the place that was begun in a folder.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let note = fs::read(folder.join("made.json"))?;
        Ok(Self {
            folder: folder.to_owned(),
            note: serde_json::from_slice(&note)?,
        })
    }

    /// Returns the tenant's folder.
    pub fn tenant(&self) -> PathBuf {
        self.folder.join("tenant")
    }

    /// Keeps the tenant's store as it is, for [`Place::start_again`].
    ///
    /// # Errors
    ///
    /// When it can't be copied.
    pub fn keep_first(&self) -> io::Result<()> {
        copy_folder(&self.tenant().join(STATE), &self.folder.join(FIRST_STATE))
    }

    /// Puts the store that was kept in the place of the tenant's.
    ///
    /// # Errors
    ///
    /// When none was kept, or it can't be copied.
    pub fn start_again(&self) -> io::Result<()> {
        let state = self.tenant().join(STATE);
        fs::remove_dir_all(&state)?;
        copy_folder(&self.folder.join(FIRST_STATE), &state)
    }

    /// Brings the tenant up to date, so that nobody is due.
    ///
    /// # Errors
    ///
    /// As [`super::measure`].
    pub fn settle(&self) -> Result<(), BenchError> {
        settle(&self.tenant())
    }

    /// Returns what the tenant was made with.
    pub fn made(&self) -> Made {
        self.note.made
    }

    /// Changes one in so many people, and aggregates that.
    ///
    /// # Errors
    ///
    /// [`BenchError`].
    pub fn change(&mut self, one_in: u64) -> Result<(), BenchError> {
        self.write_change(one_in)?;
        let tenant = OpenTenant::open(&self.tenant(), Absent::Refuse)?;
        let _lock = tenant.lock()?;
        let applications = self.made().profile.applications();
        for report in aggregate_all(&tenant, applications, FIRST_INSTANT)? {
            let aggregation = report.aggregation;
            if aggregation.status != AggregationStatus::Done {
                return Err(BenchError::AggregationHeld(aggregation.application));
            }
        }
        Ok(())
    }

    /// Changes one in so many people: writes what feeds say then.
    ///
    /// # Errors
    ///
    /// [`BenchError`].
    pub fn write_change(&mut self, one_in: u64) -> Result<(), BenchError> {
        self.note.changes.push(one_in);
        let changes = &self.note.changes;
        let version = |index: u64| {
            let changed = changes
                .iter()
                .filter(|one_in| index % **one_in == **one_in / 2);
            changed.count() as u64
        };
        let (made, directory) = (self.note.made, self.tenant());
        made.write_feeds(&directory, &version)
            .and_then(|()| self.save())
            .map_err(|source| BenchError::Folder { directory, source })
    }

    fn save(&self) -> io::Result<()> {
        let note = serde_json::to_vec(&self.note)?;
        fs::write(self.folder.join("made.json"), note)
    }
}

/// Brings the tenant in a folder up to date, so that nobody is due.
///
/// # Errors
///
/// As [`super::measure`].
pub fn settle(directory: &Path) -> Result<(), BenchError> {
    let tenant = OpenTenant::open(directory, Absent::Refuse)?;
    let _lock = tenant.lock()?;
    refresh(&tenant, Scope::Due, tenant.now()?, RunSettings::default()).map(drop)
}

fn copy_folder(source: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let target = target.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &target)?,
            false => fs::copy(entry.path(), target).map(drop)?,
        }
    }
    Ok(())
}
