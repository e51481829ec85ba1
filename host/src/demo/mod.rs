//! The demonstration: a made-up organisation in which a month passes, and what
//! a person would want to see of it.
//!
//! `idr demo` calls [`run`] and prints what comes out with
//! [`Demonstration::write`]. Every morning the applications write their feeds,
//! which are aggregated and refreshed as people would do it.
//!
//! | file | what it does |
//! |---|---|
//! | `cast` | who has which part in the story |
//! | `month` | what happens on which day |
//! | `story` | the report |

mod cast;
mod month;
mod story;

use std::io;
use std::path::{Path, PathBuf};

use idr_core::model::{AccountKey, Name, UnixMillis};
use thiserror::Error;

use crate::organisation::{
    APPLICATIONS, FIRST_INSTANT, LoadError, Organisation, aggregate_all, write_configuration,
};
use crate::refresh::{self, RefreshError, Request};
use crate::report::FindingReport;
use crate::store::{
    EventQuery, Run, RunSettings, RunStatus, Scope, Store, StoreError, StoredEvent,
};
use crate::tenant::{Absent, OpenError, OpenTenant};
use cast::Part;
use month::{DAYS, Month, Scene};

/// How many people the organisation has, and which of the possible ones it is.
const SIZE: u64 = 2_000;
const SEED: u64 = 2026;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A demonstration that couldn't be carried through.
#[derive(Debug, Error)]
pub enum DemoError {
    /// A file can't be written.
    #[error("the folder `{}` can't be written to", directory.display())]
    Write {
        /// The tenant's folder.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The tenant can't be opened.
    #[error("the tenant can't be opened")]
    Open(#[from] OpenError),
    /// A morning's feeds can't be aggregated.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A refresh failed.
    #[error("the refresh as of {as_of} failed")]
    Refresh {
        /// As of when.
        as_of: UnixMillis,
        /// Why.
        #[source]
        source: Box<RefreshError>,
    },
    /// A refresh or an aggregation was held, which nothing in the story should cause.
    #[error("{what} as of {as_of} is held: {reason}")]
    Held {
        /// The refresh or the aggregation.
        what: String,
        /// As of when.
        as_of: UnixMillis,
        /// What tripped a limit.
        reason: String,
    },
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What has come of a demonstration.
pub struct Demonstration {
    directory: PathBuf,
    identities: u64,
    /// Accounts by application, on the first morning.
    accounts: Vec<(String, u64)>,
    first: Run,
    /// The refreshes of the month.
    later: Vec<Run>,
    scenes: Vec<(Scene, WhatCameOfIt)>,
    findings: Vec<FindingReport>,
    /// Whom to look at.
    example: String,
}

/// What the program knows of somebody in the story.
struct WhatCameOfIt {
    /// The events, the earliest first.
    events: Vec<StoredEvent>,
    /// The accounts now.
    accounts: Vec<AccountKey>,
}

/// Makes the tenant in a folder that is new or empty, and lets the month pass.
/// `progress` is told how many of the days have passed, and of how many.
///
/// # Errors
///
/// [`DemoError`]; the folder is left as it is then.
pub fn run(
    directory: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Demonstration, DemoError> {
    let unwritable = |source| DemoError::Write {
        directory: directory.to_owned(),
        source,
    };
    write_configuration(directory).map_err(unwritable)?;
    let feeds = directory.join("feeds");
    let mut month = Month::new(Organisation::new(SIZE, SEED));
    let tenant = OpenTenant::open(directory, Absent::Create)?;
    let _lock = tenant.lock()?;
    let (mut accounts, mut identities) = (Vec::new(), 0);
    let mut runs = Vec::new();
    for day in 0..=DAYS {
        if day > 0 {
            month.pass_to(day);
        }
        month.write_feeds(&feeds).map_err(unwritable)?;
        let as_of = FIRST_INSTANT.plus_ms(i64::from(day) * DAY_MS);
        let read = aggregate_morning(&tenant, as_of)?;
        if day == 0 {
            accounts = read;
            identities = tenant.store.population()?.identities;
        }
        runs.push(refresh_morning(&tenant, as_of)?);
        progress(day.unsigned_abs().into(), DAYS.unsigned_abs().into());
    }
    let first = runs.remove(0);
    let mut scenes = Vec::new();
    for scene in month.scenes() {
        let outcome = what_came_of(&tenant, &scene.name)?;
        scenes.push((scene, outcome));
    }
    Ok(Demonstration {
        directory: directory.to_owned(),
        identities,
        accounts,
        first,
        later: runs,
        scenes,
        findings: FindingReport::open(&tenant.store)?,
        example: month.name_of(Part::Leaver).to_owned(),
    })
}

/// Aggregates a morning's feeds; returns how many accounts each has.
fn aggregate_morning(
    tenant: &OpenTenant,
    as_of: UnixMillis,
) -> Result<Vec<(String, u64)>, DemoError> {
    let mut accounts = Vec::new();
    for report in aggregate_all(tenant, &APPLICATIONS, as_of)? {
        let aggregation = report.aggregation;
        if !aggregation.held.is_empty() {
            return Err(DemoError::Held {
                what: format!("the aggregation of `{}`", aggregation.application),
                as_of,
                reason: aggregation.held.join("; "),
            });
        }
        let read = aggregation.counters.get("read").copied().unwrap_or(0);
        accounts.push((aggregation.application, read));
    }
    Ok(accounts)
}

fn refresh_morning(tenant: &OpenTenant, as_of: UnixMillis) -> Result<Run, DemoError> {
    let request = Request {
        scope: Scope::Due,
        criteria: Vec::new(),
        as_of,
        simulated: true,
        now: as_of,
        fire_initial: false,
        actor: "demo".to_owned(),
        approved: false,
        settings: RunSettings::default(),
    };
    let run = refresh::run(
        &tenant.store,
        tenant,
        &tenant.files(),
        &request,
        &|_, _, _| {},
    )
    .map_err(|source| DemoError::Refresh {
        as_of,
        source: Box::new(source),
    })?;
    if run.status == RunStatus::Done {
        return Ok(run);
    }
    Err(DemoError::Held {
        what: "the refresh".to_owned(),
        as_of,
        reason: run.held.unwrap_or_default(),
    })
}

fn what_came_of(tenant: &OpenTenant, name: &str) -> Result<WhatCameOfIt, StoreError> {
    let Some(uid) = tenant.store.named(name)? else {
        return Ok(WhatCameOfIt {
            events: Vec::new(),
            accounts: Vec::new(),
        });
    };
    let query = EventQuery {
        uid: Some(uid),
        ..EventQuery::default()
    };
    let mut events = tenant.store.events(&query, usize::MAX)?;
    // Triggers of one moment in the order of their definition.
    let triggers = &tenant.configuration.model.triggers;
    let place = |name: Name| triggers.iter().position(|trigger| trigger.name == name);
    events.sort_by_key(|stored| (stored.event.effective_at, place(stored.event.trigger)));
    let records = tenant.store.read_chunk(&[uid])?;
    let accounts = records.into_iter().flat_map(|record| record.accounts);
    Ok(WhatCameOfIt {
        events,
        accounts: accounts.map(|account| account.key).collect(),
    })
}
