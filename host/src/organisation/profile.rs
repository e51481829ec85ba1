//! Profiles: what a made tenant is like. `idr generate` and `idr bench` make
//! tenants of each, of any size.
//!
//! Whoever a made tenant has is worked out from its profile, its size and a seed
//! alone. For measuring changes everybody has a *version*, which the feeds are
//! written for: another version of somebody is a changed somebody.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::feeds::APPLICATIONS;
use super::midpoint::{self, Midpoint};
use super::{FeedWriter, Organisation, standard, tenant};

/// What a made tenant is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// A company: employees and contractors with their managers, a directory that
    /// not everybody is in, a CRM for some, forty roles.
    Organisation,
    /// The standard tenant, with which figures of speed are measured.
    Standard,
    /// midPoint's shape of one source with fifty mappings, without targets.
    #[serde(rename = "midpoint-1s-50m")]
    MidpointSource,
    /// midPoint's shape of one source with fifty mappings, five targets with fifty
    /// mappings each, and twenty assignments.
    #[serde(rename = "midpoint-1s-50m-5t-20a")]
    MidpointTargets,
}

impl Profile {
    /// Every profile with its name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("organisation", Self::Organisation),
        ("standard", Self::Standard),
        ("midpoint-1s-50m", Self::MidpointSource),
        ("midpoint-1s-50m-5t-20a", Self::MidpointTargets),
    ];

    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, profile)| *profile == self);
        found.expect("every profile is listed").0
    }

    /// Returns the profile with this name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, profile)| *profile)
    }

    /// Returns the applications, in the order in which they should be aggregated:
    /// those that create identities first.
    pub fn applications(self) -> &'static [&'static str] {
        match self {
            Self::Organisation => &APPLICATIONS,
            Self::Standard => &standard::APPLICATIONS,
            Self::MidpointSource => Midpoint::Source.applications(),
            Self::MidpointTargets => Midpoint::Targets.applications(),
        }
    }

    /// Returns about how much of the disk a tenant takes for each identity,
    /// refreshed, with its feeds.
    pub fn bytes_per_identity(self) -> u64 {
        match self {
            Self::Organisation => 6_000,
            Self::Standard => 6_500,
            Self::MidpointSource => 32_000,
            Self::MidpointTargets => 95_000,
        }
    }
}

/// A made tenant: all that follows from its profile, its size and a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// What it is like.
    pub profile: Profile,
    /// How many identities it has.
    pub identities: u64,
    /// Which of the many possible ones.
    pub seed: u64,
}

impl Made {
    /// Writes the tenant into a new or empty folder: configuration, rules, and the
    /// feeds of the first day.
    ///
    /// # Errors
    ///
    /// When a file can't be written.
    pub fn write(self, directory: &Path) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        match self.profile {
            Profile::Organisation => tenant::write(directory)?,
            Profile::Standard => standard::write(directory)?,
            Profile::MidpointSource => midpoint::write(Midpoint::Source, directory)?,
            Profile::MidpointTargets => midpoint::write(Midpoint::Targets, directory)?,
        }
        self.write_feeds(directory, &|_| 0)
    }

    /// Writes the feeds, each person as of this version.
    ///
    /// In the organisation, everybody of an odd version has another cost center and
    /// telephone number, and one in ten works in another department. In the standard
    /// tenant two attributes, the lifecycle state and the roles are others than of an
    /// even version, and that is an event. In the shapes of midPoint, two attributes are.
    ///
    /// # Errors
    ///
    /// When a file can't be written.
    pub fn write_feeds(self, directory: &Path, version: &dyn Fn(u64) -> u64) -> io::Result<()> {
        let folder = directory.join("feeds");
        fs::create_dir_all(&folder)?;
        match self.profile {
            Profile::Organisation => {
                let mut feeds = FeedWriter::create(&folder)?;
                for (index, mut person) in (0..).zip(self.organisation().people()) {
                    if version(index) % 2 == 1 {
                        person.change(index);
                    }
                    feeds.write(&person)?;
                }
                feeds.finish(&[])
            }
            Profile::Standard => standard::write_feeds(self.organisation(), &folder, version),
            Profile::MidpointSource => {
                midpoint::write_feeds(Midpoint::Source, self, &folder, version)
            }
            Profile::MidpointTargets => {
                midpoint::write_feeds(Midpoint::Targets, self, &folder, version)
            }
        }
    }

    fn organisation(self) -> Organisation {
        Organisation::new(self.identities, self.seed)
    }
}
