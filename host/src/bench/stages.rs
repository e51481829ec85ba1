//! Where the CPU time of a refresh goes, by the marks that are set in it
//! (`idr_core::meter`).

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::OnceLock;
use std::time::Instant;

use cpu_time::ThreadTime;
use idr_core::meter::{self, Clocks, Stage, Times};

/// CPU time for each identity by stage, in microseconds; `other` is what no mark
/// is about.
pub type StageTimes = BTreeMap<String, f64>;

/// Measures stages from when it is begun until it is ended.
pub(super) struct StageWatch {
    before: Times,
}

impl StageWatch {
    pub(super) fn begin() -> Self {
        meter::begin_timing(Clocks {
            wall: wall_ns,
            thread_cpu: thread_cpu_ns,
        });
        Self {
            before: meter::times(),
        }
    }

    /// Returns the times by stage, of all CPU time that the process had meanwhile, and
    /// about how much of it went into measuring, for each identity in microseconds.
    pub(super) fn end(self, all_us: f64, identities: f64) -> (StageTimes, f64) {
        let after = meter::times();
        let mut stages = StageTimes::new();
        let mut known_us = 0.0;
        for (place, (name, _)) in Stage::ALL.iter().enumerate() {
            let spent = after.nanoseconds[place] - self.before.nanoseconds[place];
            let spent_us = spent as f64 / 1e3;
            known_us += spent_us;
            stages.insert((*name).to_owned(), spent_us / identities);
        }
        let other_us = (all_us - known_us).max(0.0);
        stages.insert("other".to_owned(), other_us / identities);
        let switches = after.switches - self.before.switches;
        (stages, switches as f64 * switch_us() / identities)
    }
}

/// Returns what one mark takes, measured on the spot.
fn switch_us() -> f64 {
    const MARKS: u32 = 100_000;
    let _section = meter::section(Stage::Plan);
    let began = ThreadTime::now();
    for _ in 0..MARKS {
        drop(black_box(meter::stage(Stage::Roles)));
    }
    // Each stage begins and ends: two switches.
    began.elapsed().as_secs_f64() * 1e6 / f64::from(2 * MARKS)
}

fn wall_ns() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    nanoseconds(BEGAN.get_or_init(Instant::now).elapsed())
}

fn thread_cpu_ns() -> u64 {
    nanoseconds(ThreadTime::now().as_duration())
}

fn nanoseconds(of: std::time::Duration) -> u64 {
    u64::try_from(of.as_nanos()).unwrap_or(u64::MAX)
}
