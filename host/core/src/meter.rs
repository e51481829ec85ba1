//! Where the time of a refresh goes, and how much work it does: marks at the places
//! where one stage becomes another, which do next to nothing unless somebody measures.
//!
//! This crate has no clock: whoever measures brings clocks along ([`begin_timing`]).
//! Nothing that is planned ever depends on what is measured.
//!
//! `idr bench` times, and a test counts ([`begin_counting`]).

use std::cell::RefCell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a thread is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Stage {
    /// Finding out whom to refresh.
    Select,
    /// Fetching rows from the store.
    Read,
    /// Making identities and accounts, or plans, of documents.
    Decode,
    /// Logical accounts.
    LogicalAccounts,
    /// Attributes, manager, lifecycle state: without their rules.
    Attributes,
    /// Assigned and detected roles and entitlements: without their rules.
    Roles,
    /// Policies and the risk score: without rules.
    Policies,
    /// What is called for with accounts, and work items.
    Provisioning,
    /// What triggers say: without rules.
    Events,
    /// Everything else of planning: what differs, what was read.
    Plan,
    /// Rules, with what the host does for them while they run.
    Rules,
    /// Making documents.
    Encode,
    /// Writing plans down.
    Spool,
    /// Working out what plans make of identities, and writing rows.
    Apply,
    /// Ending transactions.
    Commit,
}

impl Stage {
    /// Every stage with its name, in order.
    pub const ALL: [(&'static str, Self); STAGES] = [
        ("select", Self::Select),
        ("read", Self::Read),
        ("decode", Self::Decode),
        ("plan-logical-accounts", Self::LogicalAccounts),
        ("plan-attributes", Self::Attributes),
        ("plan-roles", Self::Roles),
        ("plan-policies", Self::Policies),
        ("plan-provisioning", Self::Provisioning),
        ("plan-events", Self::Events),
        ("plan-other", Self::Plan),
        ("rules", Self::Rules),
        ("encode", Self::Encode),
        ("spool", Self::Spool),
        ("apply", Self::Apply),
        ("commit", Self::Commit),
    ];
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Work {
    /// Documents that were made values of.
    DocumentsDecoded,
    /// Their bytes.
    BytesDecoded,
    /// Documents that were made.
    DocumentsEncoded,
    /// Their bytes.
    BytesEncoded,
    /// Questions that rules were asked.
    RuleCalls,
    /// Statements that the store was given.
    Statements,
    /// Rows that were inserted, updated or deleted.
    RowsWritten,
    /// Transactions that wrote.
    Commits,
}

impl Work {
    /// Everything that is counted with its name, in order.
    pub const ALL: [(&'static str, Self); WORKS] = [
        ("documents decoded", Self::DocumentsDecoded),
        ("bytes decoded", Self::BytesDecoded),
        ("documents encoded", Self::DocumentsEncoded),
        ("bytes encoded", Self::BytesEncoded),
        ("rule calls", Self::RuleCalls),
        ("statements", Self::Statements),
        ("rows written", Self::RowsWritten),
        ("commits", Self::Commits),
    ];
}

const STAGES: usize = 15;
const WORKS: usize = 8;

/// The clocks of whoever measures, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Goes on whatever happens; asked often.
    pub wall: fn() -> u64,
    /// The time that this thread has had of a processor; asked seldom.
    pub thread_cpu: fn() -> u64,
}

/// CPU time by stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// Nanoseconds, in the order of [`Stage::ALL`].
    pub nanoseconds: [u64; STAGES],
    /// How often one stage became another.
    pub switches: u64,
}

static IS_TIMED: AtomicBool = AtomicBool::new(false);
static IS_COUNTED: AtomicBool = AtomicBool::new(false);
static CLOCKS: OnceLock<Clocks> = OnceLock::new();
static TIMES: [AtomicU64; STAGES] = [const { AtomicU64::new(0) }; STAGES];
static SWITCHES: AtomicU64 = AtomicU64::new(0);
static COUNTS: [AtomicU64; WORKS] = [const { AtomicU64::new(0) }; WORKS];

thread_local! {
    static SECTIONS: RefCell<Vec<Section>> = const { RefCell::new(Vec::new()) };
}

/// A part of a thread's work whose CPU time is known; stages share it by the wall time
/// that they took in it, so that waiting counts for nobody.
struct Section {
    stage: Stage,
    wall: [u64; STAGES],
    /// When the present stage began, or went on.
    stage_since: u64,
    cpu: u64,
    cpu_since: u64,
    switches: u64,
}

/// Begins to time stages, in this process, for good. Only the first clocks count.
pub fn begin_timing(clocks: Clocks) {
    CLOCKS.get_or_init(|| clocks);
    IS_TIMED.store(true, Ordering::Relaxed);
}

/// Returns what was timed so far.
pub fn times() -> Times {
    let mut times = Times {
        switches: SWITCHES.load(Ordering::Relaxed),
        ..Times::default()
    };
    for (time, total) in times.nanoseconds.iter_mut().zip(&TIMES) {
        *time = total.load(Ordering::Relaxed);
    }
    times
}

/// Begins to count work, in this process, for good.
pub fn begin_counting() {
    IS_COUNTED.store(true, Ordering::Relaxed);
}

/// Says whether work is counted.
pub fn is_counted() -> bool {
    IS_COUNTED.load(Ordering::Relaxed)
}

/// Counts so much more work.
pub fn count(work: Work, more: u64) {
    if is_counted() {
        COUNTS[work as usize].fetch_add(more, Ordering::Relaxed);
    }
}

/// Returns what was counted so far, in the order of [`Work::ALL`].
pub fn counts() -> [u64; WORKS] {
    std::array::from_fn(|place| COUNTS[place].load(Ordering::Relaxed))
}

/// Marks the beginning of a larger part of a thread's work: of a chunk of identities, or
/// what waits. Until what is returned is dropped the thread is busy with `stage`, but for
/// what is marked within.
pub fn section(stage: Stage) -> Marked {
    if !IS_TIMED.load(Ordering::Relaxed) {
        return Marked::Nothing;
    }
    let Some(clocks) = CLOCKS.get() else {
        return Marked::Nothing;
    };
    let (wall, cpu) = ((clocks.wall)(), (clocks.thread_cpu)());
    SECTIONS.with_borrow_mut(|sections| {
        if let Some(outer) = sections.last_mut() {
            outer.stop(wall, cpu);
        }
        sections.push(Section {
            stage,
            wall: [0; STAGES],
            stage_since: wall,
            cpu: 0,
            cpu_since: cpu,
            switches: 0,
        });
    });
    Marked::Section
}

/// Marks that a thread is busy with `stage` until what is returned is dropped. Outside of
/// a section it says nothing.
pub fn stage(stage: Stage) -> Marked {
    if !IS_TIMED.load(Ordering::Relaxed) {
        return Marked::Nothing;
    }
    let Some(clocks) = CLOCKS.get() else {
        return Marked::Nothing;
    };
    let before = SECTIONS.with_borrow_mut(|sections| {
        let section = sections.last_mut()?;
        Some(section.switch(stage, (clocks.wall)()))
    });
    before.map_or(Marked::Nothing, Marked::Stage)
}

/// Does `work`, with which the thread is busy in `stage`.
pub fn timed<T>(of: Stage, work: impl FnOnce() -> T) -> T {
    let _marked = stage(of);
    work()
}

/// What a thread is marked to be busy with until this is dropped.
#[must_use = "the stage ends when it is dropped"]
#[derive(Debug)]
pub enum Marked {
    /// Nothing is measured.
    Nothing,
    /// A section.
    Section,
    /// A stage; before, it was busy with this one.
    Stage(Stage),
}

impl Drop for Marked {
    fn drop(&mut self) {
        let Some(clocks) = CLOCKS.get() else {
            return;
        };
        match self {
            Self::Nothing => {}
            Self::Stage(before) => SECTIONS.with_borrow_mut(|sections| {
                if let Some(section) = sections.last_mut() {
                    section.switch(*before, (clocks.wall)());
                }
            }),
            Self::Section => {
                let (wall, cpu) = ((clocks.wall)(), (clocks.thread_cpu)());
                SECTIONS.with_borrow_mut(|sections| {
                    if let Some(mut section) = sections.pop() {
                        section.stop(wall, cpu);
                        section.add_up();
                    }
                    if let Some(outer) = sections.last_mut() {
                        (outer.stage_since, outer.cpu_since) = (wall, cpu);
                    }
                });
            }
        }
    }
}

impl Section {
    /// Another stage begins. Returns the one that was.
    fn switch(&mut self, stage: Stage, now: u64) -> Stage {
        self.wall[self.stage as usize] += now.saturating_sub(self.stage_since);
        self.stage_since = now;
        self.switches += 1;
        std::mem::replace(&mut self.stage, stage)
    }

    /// The section is over, or another begins within it.
    fn stop(&mut self, wall: u64, cpu: u64) {
        self.wall[self.stage as usize] += wall.saturating_sub(self.stage_since);
        self.cpu += cpu.saturating_sub(self.cpu_since);
    }

    /// Adds what the section has measured to what was measured of all threads.
    fn add_up(&self) {
        let wall: u64 = self.wall.iter().sum();
        for (stage, total) in self.wall.iter().zip(&TIMES) {
            if *stage > 0 {
                let share = u128::from(self.cpu) * u128::from(*stage) / u128::from(wall);
                total.fetch_add(u64::try_from(share).unwrap_or(0), Ordering::Relaxed);
            }
        }
        SWITCHES.fetch_add(self.switches, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::{Clocks, Stage, Work, begin_timing, section, stage, times};

    static NOW: AtomicU64 = AtomicU64::new(0);

    /// The processor has time for this thread half of the time.
    fn pass(time: u64) {
        NOW.fetch_add(time, Ordering::SeqCst);
    }

    #[test]
    fn a_sections_cpu_time_is_shared_by_its_stages() {
        {
            let _unmeasured = section(Stage::Read);
            pass(1_000);
        }
        begin_timing(Clocks {
            wall: || NOW.load(Ordering::SeqCst),
            thread_cpu: || NOW.load(Ordering::SeqCst) / 2,
        });
        {
            let _stage_without_section = stage(Stage::Rules);
            pass(500);
        }
        {
            let _section = section(Stage::Plan);
            pass(10);
            {
                let _roles = stage(Stage::Roles);
                pass(20);
                let _rules = stage(Stage::Rules);
                pass(40);
            }
            {
                let _commit = section(Stage::Commit);
                pass(100);
            }
            pass(30);
        }
        let measured = times();
        let of = |stage: Stage| measured.nanoseconds[stage as usize];
        assert_eq!(of(Stage::Plan), 20);
        assert_eq!(of(Stage::Roles), 10);
        assert_eq!(of(Stage::Rules), 20);
        assert_eq!(of(Stage::Commit), 50);
        assert_eq!(of(Stage::Read), 0);
        assert_eq!(measured.switches, 4);
    }

    #[test]
    fn everything_stands_at_its_place() {
        for (place, (_, stage)) in Stage::ALL.iter().enumerate() {
            assert_eq!(*stage as usize, place);
        }
        for (place, (_, work)) in Work::ALL.iter().enumerate() {
            assert_eq!(*work as usize, place);
        }
    }
}
