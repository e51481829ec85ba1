//! A rule component, read, checked and ready to be instantiated.

use std::path::Path;

use sha2::{Digest, Sha256};
use wasmtime::Store;
use wasmtime::component::{Component, Instance, InstancePre};

use super::bindings::exports::idr::rules::{
    account_correlation, account_selection, after_refresh, attribute_promotion, before_refresh,
    identity_creation, identity_trigger, lifecycle_state, logical_account, manager_correlation,
    policy, role_assignment, target_mapping, value_change,
};
use super::cache::ComponentCache;
use super::call::CallState;
use super::contract::{Surface, speaks_our_version, stub_wasi, surface};
use super::difference::differences;
use super::engine::{RuleEngine, ticks};
use super::error::LoadError;
use super::kind::RuleKind;
use super::parts::{can_be_compiled, can_be_held};
use crate::config::read_regular_file;

/// What starting an instance may use, apart from the rule's own limits: some
/// languages need a million instructions before the first of the rule's.
pub(super) const START_FUEL: u64 = 200_000_000;
pub(super) const START_TIME_MS: u64 = 10_000;

/// The memory that an instance may take while a component is checked.
const CHECK_MEMORY_BYTES: usize = 256 << 20;

/// Returns the sha256 of a component, in lower-case hexadecimal.
pub fn digest_of(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Reads a component file.
///
/// # Errors
///
/// [`LoadError::Unreadable`].
pub fn read(path: &Path) -> Result<Vec<u8>, LoadError> {
    read_regular_file(path).map_err(|source| LoadError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

/// A component that fits the contract.
pub struct RuleComponent {
    sha256: String,
    surface: Surface,
    size_bytes: usize,
    prepared: [Option<Prepared>; RuleKind::ALL.len()],
}

impl RuleComponent {
    /// Compiles a component, or takes it from the cache, and checks it against
    /// the contract: names of imports and exports, types of imports, and, on an
    /// instance, types of exports.
    ///
    /// # Errors
    ///
    /// [`LoadError`], always about this component.
    pub fn load(
        engine: &RuleEngine,
        bytes: &[u8],
        cache: Option<&ComponentCache>,
    ) -> Result<Self, LoadError> {
        Self::load_as(engine, digest_of(bytes), bytes, cache)
    }

    /// Loads a component whose sha256 is known.
    ///
    /// # Errors
    ///
    /// As [`RuleComponent::load`].
    pub(super) fn load_as(
        engine: &RuleEngine,
        sha256: String,
        bytes: &[u8],
        cache: Option<&ComponentCache>,
    ) -> Result<Self, LoadError> {
        is_a_component(bytes)?;
        speaks_our_version(bytes).map_err(LoadError::Contract)?;
        let wasmtime = engine.wasmtime();
        let cached = cache.and_then(|cache| cache.load(wasmtime, &sha256));
        let is_cached = cached.is_some();
        let component = match cached {
            Some(component) => component,
            None => {
                can_be_compiled(bytes)?;
                Component::from_binary(wasmtime, bytes).map_err(LoadError::Broken)?
            }
        };
        can_be_held(&component)?;
        let surface = surface(wasmtime, &component).map_err(LoadError::Contract)?;
        let mut prepared = [const { None }; RuleKind::ALL.len()];
        for kind in &surface.kinds {
            let linked = Prepared::new(engine, &component, &surface, *kind, is_cached);
            let linked = linked.map_err(|error| explained(error, engine, &component));
            prepared[*kind as usize] = Some(linked?);
        }
        // What is kept has been checked.
        if let Some(cache) = cache.filter(|_| !is_cached) {
            cache.store(wasmtime, &sha256, &component);
        }
        Ok(Self {
            sha256,
            surface,
            size_bytes: bytes.len(),
            prepared,
        })
    }

    /// Returns the component's sha256, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Returns what it imports and exports.
    pub fn surface(&self) -> &Surface {
        &self.surface
    }

    /// Returns the size of the component file in bytes.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Returns what an instance takes before it is asked anything; none when
    /// that depends on what it is started with.
    pub fn resources(&self) -> Option<Resources> {
        let prepared = self.prepared.iter().flatten().next()?;
        let required = prepared.instance.component().resources_required()?;
        let entries = required.max_initial_table_size.unwrap_or(0);
        Some(Resources {
            memories: required.num_memories,
            memory_pages: required.max_initial_memory_size.unwrap_or(0),
            tables: required.num_tables,
            table_entries: entries,
        })
    }

    /// Returns what is needed to start an instance of a kind.
    ///
    /// # Errors
    ///
    /// [`LoadError::NotOfThatKind`] when it doesn't export that kind.
    pub(super) fn prepared(&self, kind: RuleKind) -> Result<&Prepared, LoadError> {
        self.prepared[kind as usize]
            .as_ref()
            .ok_or_else(|| LoadError::NotOfThatKind {
                wanted: kind,
                exported: self.surface.kinds.clone(),
            })
    }
}

/// Puts both signatures side by side where types differ.
fn explained(error: LoadError, engine: &RuleEngine, component: &Component) -> LoadError {
    match error {
        LoadError::Types { kind, source, .. } => LoadError::Types {
            kind,
            differences: differences(engine.wasmtime(), component),
            source,
        },
        other => other,
    }
}

/// What an instance takes before it is asked anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// How many linear memories.
    pub memories: u32,
    /// The pages of 64 KiB of the largest.
    pub memory_pages: u64,
    /// How many tables.
    pub tables: u32,
    /// The entries of the largest.
    pub table_entries: u64,
}

fn is_a_component(bytes: &[u8]) -> Result<(), LoadError> {
    const MAGIC: &[u8] = b"\0asm";
    const CORE_LAYER: &[u8] = &[0, 0];
    match (bytes.get(..4), bytes.get(6..8)) {
        (Some(MAGIC), Some(CORE_LAYER)) => Err(LoadError::CoreModule),
        (Some(MAGIC), Some(_)) => Ok(()),
        _ => Err(LoadError::NoWebAssembly),
    }
}

/// A component linked for one kind.
pub(super) struct Prepared {
    instance: InstancePre<CallState>,
    indices: Indices,
}

/// Where a component's functions are.
enum Indices {
    Correlation(account_correlation::GuestIndices),
    Creation(identity_creation::GuestIndices),
    BeforeRefresh(before_refresh::GuestIndices),
    ValueChange(value_change::GuestIndices),
    AfterRefresh(after_refresh::GuestIndices),
    Manager(manager_correlation::GuestIndices),
    Promotion(attribute_promotion::GuestIndices),
    State(lifecycle_state::GuestIndices),
    Assignment(role_assignment::GuestIndices),
    Trigger(identity_trigger::GuestIndices),
    Logical(logical_account::GuestIndices),
    Policy(policy::GuestIndices),
    Selection(account_selection::GuestIndices),
    Mapping(target_mapping::GuestIndices),
}

/// A started instance's functions.
pub(super) enum Exports {
    Correlation(account_correlation::Guest),
    Creation(identity_creation::Guest),
    BeforeRefresh(before_refresh::Guest),
    ValueChange(value_change::Guest),
    AfterRefresh(after_refresh::Guest),
    Manager(manager_correlation::Guest),
    Promotion(attribute_promotion::Guest),
    State(lifecycle_state::Guest),
    Assignment(role_assignment::Guest),
    Trigger(identity_trigger::Guest),
    Logical(logical_account::Guest),
    Policy(policy::Guest),
    Selection(account_selection::Guest),
    Mapping(target_mapping::Guest),
}

impl Prepared {
    fn new(
        engine: &RuleEngine,
        component: &Component,
        surface: &Surface,
        kind: RuleKind,
        is_checked: bool,
    ) -> Result<Self, LoadError> {
        let types = |source| LoadError::Types {
            kind,
            differences: Vec::new(),
            source,
        };
        let linked = if surface.wasi.is_empty() {
            engine.linker(kind).instantiate_pre(component)
        } else {
            let mut linker = engine.linker(kind).clone();
            stub_wasi(&mut linker, engine.wasmtime(), component).map_err(types)?;
            linker.instantiate_pre(component)
        };
        let instance = linked.map_err(types)?;
        let indices = match kind {
            RuleKind::AccountCorrelation => {
                account_correlation::GuestIndices::new(&instance).map(Indices::Correlation)
            }
            RuleKind::IdentityCreation => {
                identity_creation::GuestIndices::new(&instance).map(Indices::Creation)
            }
            RuleKind::BeforeRefresh => {
                before_refresh::GuestIndices::new(&instance).map(Indices::BeforeRefresh)
            }
            RuleKind::ValueChange => {
                value_change::GuestIndices::new(&instance).map(Indices::ValueChange)
            }
            RuleKind::AfterRefresh => {
                after_refresh::GuestIndices::new(&instance).map(Indices::AfterRefresh)
            }
            RuleKind::ManagerCorrelation => {
                manager_correlation::GuestIndices::new(&instance).map(Indices::Manager)
            }
            RuleKind::AttributePromotion => {
                attribute_promotion::GuestIndices::new(&instance).map(Indices::Promotion)
            }
            RuleKind::LifecycleState => {
                lifecycle_state::GuestIndices::new(&instance).map(Indices::State)
            }
            RuleKind::RoleAssignment => {
                role_assignment::GuestIndices::new(&instance).map(Indices::Assignment)
            }
            RuleKind::IdentityTrigger => {
                identity_trigger::GuestIndices::new(&instance).map(Indices::Trigger)
            }
            RuleKind::LogicalAccount => {
                logical_account::GuestIndices::new(&instance).map(Indices::Logical)
            }
            RuleKind::Policy => policy::GuestIndices::new(&instance).map(Indices::Policy),
            RuleKind::AccountSelection => {
                account_selection::GuestIndices::new(&instance).map(Indices::Selection)
            }
            RuleKind::TargetMapping => {
                target_mapping::GuestIndices::new(&instance).map(Indices::Mapping)
            }
        };
        let prepared = Self {
            instance,
            indices: indices.map_err(types)?,
        };

        if is_checked {
            return Ok(prepared);
        }
        // The types of exports are only compared on an instance; better now
        // than at the first call.
        let (mut store, instance) = prepared
            .instantiate(CHECK_MEMORY_BYTES)
            .map_err(LoadError::CannotStart)?;
        prepared.exports(&mut store, &instance).map_err(types)?;
        Ok(prepared)
    }

    /// Starts an instance in a store of its own.
    pub(super) fn start(
        &self,
        memory_bytes: usize,
    ) -> wasmtime::Result<(Store<CallState>, Exports)> {
        let (mut store, instance) = self.instantiate(memory_bytes)?;
        let exports = self.exports(&mut store, &instance)?;
        Ok((store, exports))
    }

    fn instantiate(&self, memory_bytes: usize) -> wasmtime::Result<(Store<CallState>, Instance)> {
        let mut store = Store::new(self.instance.engine(), CallState::new(memory_bytes));
        store.limiter(|state| &mut state.memory);
        store.set_fuel(START_FUEL)?;
        store.set_epoch_deadline(ticks(START_TIME_MS));
        let instance = self.instance.instantiate(&mut store)?;
        Ok((store, instance))
    }

    fn exports(
        &self,
        store: &mut Store<CallState>,
        instance: &Instance,
    ) -> wasmtime::Result<Exports> {
        Ok(match &self.indices {
            Indices::Correlation(indices) => Exports::Correlation(indices.load(store, instance)?),
            Indices::Creation(indices) => Exports::Creation(indices.load(store, instance)?),
            Indices::BeforeRefresh(indices) => {
                Exports::BeforeRefresh(indices.load(store, instance)?)
            }
            Indices::ValueChange(indices) => Exports::ValueChange(indices.load(store, instance)?),
            Indices::AfterRefresh(indices) => Exports::AfterRefresh(indices.load(store, instance)?),
            Indices::Manager(indices) => Exports::Manager(indices.load(store, instance)?),
            Indices::Promotion(indices) => Exports::Promotion(indices.load(store, instance)?),
            Indices::State(indices) => Exports::State(indices.load(store, instance)?),
            Indices::Assignment(indices) => Exports::Assignment(indices.load(store, instance)?),
            Indices::Trigger(indices) => Exports::Trigger(indices.load(store, instance)?),
            Indices::Logical(indices) => Exports::Logical(indices.load(store, instance)?),
            Indices::Policy(indices) => Exports::Policy(indices.load(store, instance)?),
            Indices::Selection(indices) => Exports::Selection(indices.load(store, instance)?),
            Indices::Mapping(indices) => Exports::Mapping(indices.load(store, instance)?),
        })
    }
}
