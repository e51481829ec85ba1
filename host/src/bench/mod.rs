//! Measuring a refresh: how fast, how much CPU time, how much memory.
//!
//! `idr bench refresh` prepares a tenant in a [`Place`] and has each [`Case`]
//! measured in a process of its own, so that none profits or suffers from another's
//! memory.

mod case;
mod cold;
mod count;
mod place;
mod roofline;
mod rows;
mod stages;
mod usage;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use idr_core::model::UnixMillis;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::organisation::LoadError;
use crate::refresh::{self, RefreshError, Request};
use crate::store::{Run, RunSettings, RunStatus, Scope, Stage, Store, StoreError};
use crate::tenant::{Absent, OpenError, OpenTenant};
pub use case::{Case, Needs};
pub use count::{Counted, count};
pub use place::{Place, settle};
pub use roofline::{Roofline, roofline};
pub use rows::{FeedMeasurement, Rows, measure_rows};
pub use stages::StageTimes;
use stages::StageWatch;
pub use usage::Io;
use usage::{MemoryWatch, cpu_time};

/// What was measured of a case. Rates are of all identities of the tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The case.
    pub name: String,
    /// How many identities the tenant has.
    pub identities: u64,
    /// How many were planned, each wave counted.
    pub refreshed: u64,
    /// In how many something changed.
    pub changed: u64,
    /// How many events were recorded.
    pub events: u64,
    /// Identities of the tenant in a second.
    pub identities_per_second: f64,
    /// Wall time.
    pub seconds: f64,
    /// CPU time of all threads, divided by the identities of the tenant.
    pub cpu_us_per_identity: f64,
    /// The most anonymous memory that the process had (`RssAnon`), in MB.
    pub peak_mb: f64,
    /// What was read and written.
    pub io: Io,
    /// Where the CPU time went, in microseconds for each identity.
    pub stages: StageTimes,
    /// About how much of it is there only because stages are measured.
    pub measuring_us_per_identity: f64,
    /// Where the wall time went.
    pub wall_seconds: WallTimes,
}

/// Wall time by what the run was doing, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WallTimes {
    /// Reading identities, working out what changes, and spooling it.
    pub plan: f64,
    /// Carrying the plans out.
    pub apply: f64,
    /// Asking triggers about what changed.
    pub events: f64,
    /// Adopting the configuration, selecting, finishing.
    pub other: f64,
}

/// A measurement that couldn't be made.
#[derive(Debug, Error)]
pub enum BenchError {
    /// The tenant can't be opened.
    #[error("the tenant can't be opened")]
    Open(#[from] OpenError),
    /// The feeds can't be aggregated.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The refresh failed.
    #[error("the refresh failed")]
    Refresh(#[source] Box<RefreshError>),
    /// A threshold tripped.
    #[error("the refresh is held: {0}")]
    Held(String),
    /// The guard of an aggregation tripped.
    #[error("the accounts of `{0}` are held")]
    AggregationHeld(String),
    /// The store can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The process can't be watched.
    #[error("what this process uses can't be read")]
    Usage(#[source] io::Error),
    /// The tenant's folder can't be used.
    #[error("the folder `{}` can't be used", directory.display())]
    Folder {
        /// The folder.
        directory: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A process that refreshes one identity failed.
    #[error("a process that refreshes `{name}` couldn't be measured")]
    Process {
        /// The identity.
        name: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The native rule that is measured isn't the tenant's.
    #[error("the lifecycle rule and the same in native code don't say the same of `{0}`")]
    RulesDiffer(String),
    /// The tenant has nobody.
    #[error("the tenant has no identities")]
    Nobody,
}

/// Measures a case on the tenant in a folder, in this process; with stages, which takes
/// a little time of its own.
///
/// # Errors
///
/// [`BenchError`]; a refresh that was held is one.
pub fn measure(directory: &Path, case: Case, with_stages: bool) -> Result<Measurement, BenchError> {
    if case == Case::OneCold {
        return cold::measure(directory);
    }
    let tenant = OpenTenant::open(directory, Absent::Refuse)?;
    let _lock = tenant.lock()?;
    let as_of = tenant.now()?;
    let io_before = Io::now().map_err(BenchError::Usage)?;
    let stages = with_stages.then(StageWatch::begin);
    let memory = MemoryWatch::begin().map_err(BenchError::Usage)?;
    let cpu_before = cpu_time().map_err(BenchError::Usage)?;
    let settings = RunSettings::default();
    let (run, seconds, wall_seconds) = refresh(&tenant, case.scope(), as_of, settings)?;
    let cpu = cpu_time()
        .map_err(BenchError::Usage)?
        .saturating_sub(cpu_before);
    let peak_kib = memory.end().map_err(BenchError::Usage)?;
    let io = Io::now().map_err(BenchError::Usage)?.since(io_before);
    let identities = tenant.store.population()?.identities;
    let each = identities.max(1) as f64;
    let cpu_us = cpu.as_secs_f64() * 1e6;
    let stages = stages.map(|stages| stages.end(cpu_us, each));
    let (stages, measuring_us_per_identity) = stages.unwrap_or_default();
    Ok(Measurement {
        name: case.as_str().to_owned(),
        identities,
        refreshed: run.counters.refreshed,
        changed: run.counters.changed,
        events: run.counters.events.values().sum(),
        identities_per_second: (identities as f64 / seconds).round(),
        seconds,
        cpu_us_per_identity: cpu_us / each,
        peak_mb: peak_kib as f64 * 1_024.0 / 1e6,
        io,
        stages,
        measuring_us_per_identity,
        wall_seconds,
    })
}

fn refresh(
    tenant: &OpenTenant,
    scope: Scope,
    as_of: UnixMillis,
    settings: RunSettings,
) -> Result<(Run, f64, WallTimes), BenchError> {
    let request = Request {
        scope,
        criteria: Vec::new(),
        as_of,
        simulated: tenant.is_simulated(),
        now: as_of,
        fire_initial: false,
        actor: "bench".to_owned(),
        approved: false,
        settings,
    };
    let clock = StageClock::start();
    let progress = |run: &Run, _: u64, _: u64| clock.tell(run.step.stage);
    let run = refresh::run(&tenant.store, tenant, &tenant.files(), &request, &progress)
        .map_err(|error| BenchError::Refresh(Box::new(error)))?;
    let (seconds, stages) = clock.stop();
    match run.held {
        None if run.status == RunStatus::Done => Ok((run, seconds, stages)),
        held => Err(BenchError::Held(held.unwrap_or_default())),
    }
}

/// Attributes time to stages: what has passed when a run tells how far it has
/// come was spent on what it says it is doing.
struct StageClock {
    started: Instant,
    told: Mutex<Told>,
}

struct Told {
    last: Instant,
    plan: Duration,
    apply: Duration,
    events: Duration,
}

impl StageClock {
    fn start() -> Self {
        let started = Instant::now();
        let told = Told {
            last: started,
            plan: Duration::ZERO,
            apply: Duration::ZERO,
            events: Duration::ZERO,
        };
        Self {
            started,
            told: Mutex::new(told),
        }
    }

    fn tell(&self, stage: Stage) {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = now - told.last;
        told.last = now;
        match stage {
            Stage::Plan => told.plan += passed,
            Stage::Apply => told.apply += passed,
            Stage::Events => told.events += passed,
            Stage::Start => {}
        }
    }

    fn stop(self) -> (f64, WallTimes) {
        let total = self.started.elapsed();
        let told = self
            .told
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let other = total.saturating_sub(told.plan + told.apply + told.events);
        let times = WallTimes {
            plan: told.plan.as_secs_f64(),
            apply: told.apply.as_secs_f64(),
            events: told.events.as_secs_f64(),
            other: other.as_secs_f64(),
        };
        (total.as_secs_f64(), times)
    }
}
