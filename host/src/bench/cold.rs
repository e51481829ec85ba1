//! One identity, refreshed by a process that has just been started.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::usage::{self, Io};
use super::{BenchError, Case, Measurement, StageTimes, WallTimes};
use crate::store::Store;
use crate::tenant::{Absent, OpenTenant};
use idr_core::model::Uid;

/// So many processes are measured; what is told is the median's time.
const PROCESSES: usize = 21;

/// How often a process is looked at.
const LOOK_EVERY: Duration = Duration::from_micros(500);

struct Process {
    seconds: f64,
    peak_kib: u64,
}

/// Measures around processes of this program, each of which refreshes one identity
/// of the tenant in a folder. The first isn't counted: it may have to compile rules.
pub(super) fn measure(directory: &Path) -> Result<Measurement, BenchError> {
    let (name, identities) = somebody(directory)?;
    refresh_one(directory, &name)?;
    let cpu_before = usage::cpu_time_of_children().map_err(BenchError::Usage)?;
    let mut processes = Vec::with_capacity(PROCESSES);
    for _ in 0..PROCESSES {
        processes.push(refresh_one(directory, &name)?);
    }
    let cpu = usage::cpu_time_of_children()
        .map_err(BenchError::Usage)?
        .saturating_sub(cpu_before);
    processes.sort_by(|left, right| left.seconds.total_cmp(&right.seconds));
    let seconds = processes[PROCESSES / 2].seconds;
    let peak_kib = processes.iter().map(|process| process.peak_kib).max();
    Ok(Measurement {
        name: Case::OneCold.as_str().to_owned(),
        identities,
        refreshed: 1,
        changed: 0,
        events: 0,
        identities_per_second: 1.0 / seconds,
        seconds,
        cpu_us_per_identity: cpu.as_secs_f64() * 1e6 / PROCESSES as f64,
        peak_mb: peak_kib.unwrap_or(0) as f64 * 1_024.0 / 1e6,
        io: Io::default(),
        stages: StageTimes::default(),
        measuring_us_per_identity: 0.0,
        wall_seconds: WallTimes::default(),
    })
}

/// Returns the name of somebody in the middle, and how many there are.
fn somebody(directory: &Path) -> Result<(String, u64), BenchError> {
    let tenant = OpenTenant::open(directory, Absent::Refuse)?;
    let identities = tenant.store.population()?.identities;
    let middle = Uid(i64::try_from(identities / 2 + 1).unwrap_or(1));
    let records = tenant.store.read_chunk(&[middle])?;
    let record = records.first().ok_or(BenchError::Nobody)?;
    Ok((record.identity.name.to_string(), identities))
}

fn refresh_one(directory: &Path, name: &str) -> Result<Process, BenchError> {
    let failed = |source| BenchError::Process {
        name: name.to_owned(),
        source,
    };
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .args(["refresh", "--quiet", "--identity", name, "--tenant"])
        .arg(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let mut peak_kib = 0;
    let status = loop {
        // Of a process that has just ended nothing is to be read.
        peak_kib = peak_kib.max(usage::memory_kib(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        std::thread::sleep(LOOK_EVERY);
    };
    let seconds = started.elapsed().as_secs_f64();
    // Open findings are no failure.
    match status.code() {
        Some(0 | 1) => Ok(Process { seconds, peak_kib }),
        _ => Err(failed(io::Error::other(format!("it ended with {status}")))),
    }
}
