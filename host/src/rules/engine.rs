//! The WebAssembly engine: one per process, shared by all tenants and workers.
//!
//! Everything that shapes compiled code is set in [`config`], so that what one
//! engine compiled every other one may load.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Linker;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::call::CallState;
use super::error::LoadError;
use super::kind::RuleKind;
use super::linker::linker_for;

/// How often the engine looks whether an evaluation's time is up.
const TICK: Duration = Duration::from_millis(10);

/// How many linear memories the pool has. A rule in Rust takes one, an
/// interpreter three; there is one instance per rule, kind and worker, and one
/// more per worker while an answer is checked on a fresh one.
const MEMORIES: u32 = 1_024;

/// How many memories and tables one component may have: an interpreter has a few.
pub(super) const MEMORIES_OF_A_RULE: usize = 8;
pub(super) const TABLES_OF_A_RULE: usize = 32;

/// Instances of components and of the core modules in them cost next to
/// nothing by themselves.
const INSTANCES: u32 = 8 * MEMORIES;

/// The most memory that a rule may be given.
pub(super) const MOST_MEMORY_BYTES: usize = 1 << 30;

/// The most entries that one table may have; large interpreters use some thousands.
pub(super) const TABLE_ENTRIES: usize = 20_000;

/// How many of the innermost functions an error knows.
const FRAMES: NonZeroUsize = NonZeroUsize::new(20).expect("it isn't zero");

/// How many a profile knows.
const DEEP_FRAMES: NonZeroUsize = NonZeroUsize::new(1_000).expect("it isn't zero");

/// Compiles and runs rule components.
#[derive(Clone)]
pub struct RuleEngine {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    linkers: [Linker<CallState>; RuleKind::ALL.len()],
}

impl RuleEngine {
    /// Returns a new engine, with a thread of its own that keeps time.
    ///
    /// Instances come from a pool, which makes fresh ones cheap; where the
    /// system doesn't grant the address space for it, they are allocated one
    /// by one.
    ///
    /// # Errors
    ///
    /// [`LoadError::Engine`] when this machine can't run WebAssembly.
    pub fn new() -> Result<Self, LoadError> {
        Self::with_backtraces(FRAMES)
    }

    /// Returns a new engine whose backtraces reach further than errors show:
    /// for profiles, where the outermost functions matter.
    ///
    /// # Errors
    ///
    /// As [`RuleEngine::new`].
    pub fn with_deep_backtraces() -> Result<Self, LoadError> {
        Self::with_backtraces(DEEP_FRAMES)
    }

    fn with_backtraces(frames: NonZeroUsize) -> Result<Self, LoadError> {
        let with = |pooling| Engine::new(config(pooling).wasm_backtrace_max_frames(Some(frames)));
        let engine = match with(true) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!("rules run without a pool of instances: {error:#}");
                with(false).map_err(LoadError::Engine)?
            }
        };
        let mut linkers = Vec::with_capacity(RuleKind::ALL.len());
        for kind in RuleKind::ALL {
            linkers.push(linker_for(&engine, kind).map_err(LoadError::Engine)?);
        }
        let linkers = linkers
            .try_into()
            .ok()
            .expect("there is one linker per kind");
        keep_time(&engine).map_err(|error| LoadError::Engine(error.into()))?;
        Ok(Self {
            shared: Arc::new(Shared { engine, linkers }),
        })
    }

    pub(super) fn wasmtime(&self) -> &Engine {
        &self.shared.engine
    }

    pub(super) fn linker(&self, kind: RuleKind) -> &Linker<CallState> {
        &self.shared.linkers[kind as usize]
    }
}

/// Returns the ticks after which at least that much time has passed: the first
/// may come at once.
pub(super) fn ticks(time_ms: u64) -> u64 {
    let tick_ms = u64::try_from(TICK.as_millis()).unwrap_or(u64::MAX);
    (time_ms / tick_ms).saturating_add(2)
}

fn config(pooling: bool) -> Config {
    let mut config = Config::new();
    config
        // Fuel is the contract, epochs are the safety net.
        .consume_fuel(true)
        .epoch_interruption(true)
        // The same input gives the same answer on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .memory_init_cow(true)
        .max_wasm_stack(512 << 10);
    if pooling {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(INSTANCES)
            .total_core_instances(INSTANCES)
            .total_memories(MEMORIES)
            .total_tables(4 * MEMORIES)
            .table_elements(TABLE_ENTRIES)
            .max_memory_size(MOST_MEMORY_BYTES)
            // What a rule touched is cleared, not given back to the kernel,
            // which says what that was.
            .linear_memory_keep_resident(1 << 20)
            .table_keep_resident(64 << 10)
            .pagemap_scan(Enabled::Auto)
            .max_unused_warm_slots(64);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// Starts the thread that counts time for as long as the engine lives.
fn keep_time(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("rule-time".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })?;
    Ok(())
}
