//! How fast aggregations are: all feeds of a made tenant, in each of three states.

use std::time::Instant;

use idr_core::model::UnixMillis;
use serde::{Deserialize, Serialize};

use super::usage::{MemoryWatch, cpu_time};
use super::{BenchError, Place};
use crate::aggregate::AggregationReport;
use crate::organisation::{FIRST_INSTANT, aggregate_all};
use crate::store::AggregationStatus;
use crate::tenant::{Absent, OpenTenant};

/// What feeds say in relation to what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Nothing is known yet.
    First,
    /// The same.
    Unchanged,
    /// Something else in every row, of the applications in which people change.
    Changed,
}

/// What was measured of the feed of an application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FeedMeasurement {
    /// `aggregate-first`, `aggregate-unchanged` or `aggregate-changed`.
    pub name: String,
    /// The application.
    pub application: String,
    /// Rows that were read.
    pub rows: u64,
    /// How many of them were new or changed.
    pub changed: u64,
    /// Rows in a second.
    pub rows_per_second: f64,
    /// Wall time.
    pub seconds: f64,
    /// CPU time of all threads, divided by the rows.
    pub cpu_us_per_row: f64,
    /// The most anonymous memory that the process had, in MB.
    pub peak_mb: f64,
}

impl Rows {
    /// Every state with its name, in the order in which they are measured.
    pub const ALL: [(&'static str, Self); 3] = [
        ("aggregate-first", Self::First),
        ("aggregate-unchanged", Self::Unchanged),
        ("aggregate-changed", Self::Changed),
    ];
}

/// Measures the aggregation of each feed of the tenant in a place, in this process.
///
/// # Errors
///
/// [`BenchError`]; an aggregation that is held is one.
pub fn measure_rows(place: &mut Place, rows: Rows) -> Result<Vec<FeedMeasurement>, BenchError> {
    if rows == Rows::Changed {
        place.write_change(1)?;
    }
    let tenant = OpenTenant::open(&place.tenant(), Absent::Create)?;
    let _lock = tenant.lock()?;
    let (name, _) = Rows::ALL[rows as usize];
    let mut measured = Vec::new();
    for application in place.made().profile.applications() {
        measured.push(measure_feed(name, &tenant, application, FIRST_INSTANT)?);
    }
    Ok(measured)
}

fn measure_feed(
    name: &str,
    tenant: &OpenTenant,
    application: &str,
    as_of: UnixMillis,
) -> Result<FeedMeasurement, BenchError> {
    let memory = MemoryWatch::begin().map_err(BenchError::Usage)?;
    let cpu_before = cpu_time().map_err(BenchError::Usage)?;
    let began = Instant::now();
    let reports = aggregate_all(tenant, &[application], as_of)?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = cpu_time().map_err(BenchError::Usage)?;
    let peak_kib = memory.end().map_err(BenchError::Usage)?;
    let (mut rows, mut changed) = (0, 0);
    for AggregationReport { aggregation, .. } in reports {
        if aggregation.status != AggregationStatus::Done {
            return Err(BenchError::AggregationHeld(aggregation.application));
        }
        let counted = |what: &str| aggregation.counters.get(what).copied().unwrap_or(0);
        rows += counted("read");
        changed += counted("created") + counted("modified");
    }
    let each = rows.max(1) as f64;
    Ok(FeedMeasurement {
        name: name.to_owned(),
        application: application.to_owned(),
        rows,
        changed,
        rows_per_second: rows as f64 / seconds,
        seconds,
        cpu_us_per_row: cpu.saturating_sub(cpu_before).as_secs_f64() * 1e6 / each,
        peak_mb: peak_kib as f64 * 1_024.0 / 1e6,
    })
}
