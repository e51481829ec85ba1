//! The gate: no run changes more than its thresholds allow without a person.
//!
//! What a wave would do is counted before anything of it is written, and what
//! triggers would fire before any event is recorded; with what this run and,
//! over a window, earlier ones have done.

use std::collections::BTreeMap;

use idr_core::definitions::{Bound, OnTrip, Threshold, Thresholds};
use idr_core::model::{AccountOperation, Identity, Name, UnixMillis};
use idr_core::plan::Changes;

use super::{Driver, RefreshError};
use crate::store::{Counters, Population, RunStatus, Stage};

/// A kind of change that thresholds bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Leavers,
    RoleRemovals,
    AccountDisables,
    AccountDeletions,
    AccountCreations,
    EntitlementRemovals,
}

impl Kind {
    /// Every kind with its name in `idr.toml`.
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("leavers", Self::Leavers),
        ("role_removals", Self::RoleRemovals),
        ("account_disables", Self::AccountDisables),
        ("account_deletions", Self::AccountDeletions),
        ("account_creations", Self::AccountCreations),
        ("entitlement_removals", Self::EntitlementRemovals),
    ];

    fn bound(self, thresholds: &Thresholds) -> Option<Bound> {
        match self {
            Self::Leavers => thresholds.leavers,
            Self::RoleRemovals => thresholds.role_removals,
            Self::AccountDisables => thresholds.account_disables,
            Self::AccountDeletions => thresholds.account_deletions,
            Self::AccountCreations => thresholds.account_creations,
            Self::EntitlementRemovals => thresholds.entitlement_removals,
        }
    }

    fn counted(self, counters: &Counters) -> u64 {
        match self {
            Self::Leavers => counters.leavers,
            Self::RoleRemovals => counters.role_removals,
            Self::AccountDisables => counters.account_disables,
            Self::AccountDeletions => counters.account_deletions,
            Self::AccountCreations => counters.account_creations,
            Self::EntitlementRemovals => counters.entitlement_removals,
        }
    }

    /// Returns the counter of the identities that a run changes so.
    pub(super) fn counter(self, counters: &mut Counters) -> &mut u64 {
        match self {
            Self::Leavers => &mut counters.leavers,
            Self::RoleRemovals => &mut counters.role_removals,
            Self::AccountDisables => &mut counters.account_disables,
            Self::AccountDeletions => &mut counters.account_deletions,
            Self::AccountCreations => &mut counters.account_creations,
            Self::EntitlementRemovals => &mut counters.entitlement_removals,
        }
    }

    /// Returns how many identities it could apply to, those included to whom it
    /// was `done` already.
    fn population(self, population: &Population, done: u64) -> u64 {
        match self {
            Self::Leavers => population.active + done,
            Self::RoleRemovals => population.with_roles + done,
            Self::AccountDisables
            | Self::AccountDeletions
            | Self::AccountCreations
            | Self::EntitlementRemovals => population.identities,
        }
    }

    /// Says whether a plan is a change of this kind.
    pub(super) fn is(self, changes: &Changes, before: &Identity) -> bool {
        match self {
            Self::Leavers => changes.is_leaver(before),
            Self::RoleRemovals => changes.removes_role(before),
            Self::AccountDisables => changes.calls_for(before, AccountOperation::Disable),
            Self::AccountDeletions => changes.calls_for(before, AccountOperation::Delete),
            Self::AccountCreations => changes.calls_for(before, AccountOperation::Create),
            Self::EntitlementRemovals => changes.removes_entitlement(before),
        }
    }
}

/// What plans come to, as far as thresholds count it: identities by kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally([u64; Kind::ALL.len()]);

impl Tally {
    pub(super) fn note(&mut self, changes: &Changes, before: &Identity) {
        for (count, (_, kind)) in self.0.iter_mut().zip(Kind::ALL) {
            *count += u64::from(kind.is(changes, before));
        }
    }

    /// Takes back what was noted of plans that aren't carried out.
    pub(super) fn take_back(&mut self, changes: &Changes, before: &Identity) {
        for (count, (_, kind)) in self.0.iter_mut().zip(Kind::ALL) {
            *count -= u64::from(kind.is(changes, before));
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }
}

/// What thresholds say of a wave, or of the events that are pending.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Why the run is to be held, if it is.
    pub(super) run: Option<String>,
    /// The names of the kinds of change that are left out, and why.
    pub(super) kinds: BTreeMap<String, String>,
}

impl Verdict {
    /// Adds that something exceeds its threshold.
    fn add(&mut self, kind: &str, on_trip: OnTrip, reason: String) {
        match (on_trip, &mut self.run) {
            (OnTrip::HoldKind, _) => drop(self.kinds.insert(kind.to_owned(), reason)),
            (OnTrip::HoldRun, Some(reasons)) => *reasons = format!("{reasons}; {reason}"),
            (OnTrip::HoldRun, run @ None) => *run = Some(reason),
        }
    }
}

/// Returns the kind of change that a trigger's events are.
fn kind_of(trigger: Name) -> String {
    format!("trigger {trigger}")
}

impl Driver<'_> {
    /// Says what of the wave may not be applied.
    ///
    /// Counts what the run has done so far and what the wave would do, against
    /// all identities that it could apply to, never against the selection.
    pub(super) fn gate(&self, tally: &Tally) -> Result<Verdict, RefreshError> {
        let mut verdict = Verdict::default();
        if self.run.approved || tally.0.iter().all(|count| *count == 0) {
            return Ok(verdict);
        }
        let thresholds = self.configured.model.thresholds;
        let population = self.store.population()?;
        for ((name, kind), planned) in Kind::ALL.into_iter().zip(tally.0) {
            let approved = self.run.approved_kinds.iter().any(|kind| kind == name);
            let Some(bound) = kind.bound(&thresholds).filter(|_| planned > 0 && !approved) else {
                continue;
            };
            let done = self.done(bound.window_ms, |counters| kind.counted(counters))?;
            let of = kind.population(&population, done);
            let Some(reason) = exceeded(name, bound, done + planned, of) else {
                continue;
            };
            verdict.add(name, bound.on_trip, reason);
        }
        Ok(verdict)
    }

    /// Says which of the events that triggers would fire may not be recorded.
    pub(super) fn gate_events(&self, fired: &BTreeMap<Name, u64>) -> Result<Verdict, RefreshError> {
        let population = self.store.population()?;
        let mut verdict = Verdict::default();
        for trigger in &self.configured.model.triggers {
            let (Some(bound), Some(planned)) = (trigger.threshold, fired.get(&trigger.name)) else {
                continue;
            };
            let kind = kind_of(trigger.name);
            if self.run.approved_kinds.contains(&kind) {
                continue;
            }
            let name = trigger.name.as_str();
            let counted = |counters: &Counters| counters.events.get(name).copied();
            let done = self.done(bound.window_ms, |counters| {
                counted(counters).unwrap_or_default()
            })?;
            let what = format!("events of `{name}`");
            let Some(reason) = exceeded(&what, bound, done + planned, population.identities) else {
                continue;
            };
            verdict.add(&kind, bound.on_trip, reason);
        }
        Ok(verdict)
    }

    /// Returns the triggers whose events the run leaves out.
    pub(super) fn held_triggers(&self) -> Vec<Name> {
        let triggers = self.configured.model.triggers.iter();
        let names = triggers.map(|trigger| trigger.name);
        names
            .filter(|name| self.run.held_kinds.contains_key(&kind_of(*name)))
            .collect()
    }

    /// Counts what this run has done so far, and with a window what earlier runs
    /// did whose instant lies within it.
    fn done(
        &self,
        window_ms: Option<i64>,
        counted: impl Fn(&Counters) -> u64,
    ) -> Result<u64, RefreshError> {
        let mut done = counted(&self.run.counters);
        let Some(window_ms) = window_ms else {
            return Ok(done);
        };
        let begin = self.run.as_of.plus_ms(-window_ms);
        for (as_of, counters) in self.earlier_runs()? {
            if *as_of > begin && *as_of <= self.run.as_of {
                done += counted(counters);
            }
        }
        Ok(done)
    }

    /// Returns what other runs did. They are over, so they are read once.
    fn earlier_runs(&self) -> Result<&[(UnixMillis, Counters)], RefreshError> {
        if let Some(earlier) = self.earlier.get() {
            return Ok(earlier);
        }
        let mut runs = self.store.runs(usize::MAX)?;
        runs.retain(|run| run.id != self.run.id);
        let earlier = runs.into_iter().map(|run| (run.as_of, run.counters));
        Ok(self.earlier.get_or_init(|| earlier.collect()))
    }

    /// Lays the run aside for a person, with its plans in the spool.
    pub(super) fn hold(&mut self, reason: String) -> Result<(), RefreshError> {
        let plans = std::mem::take(&mut self.small_wave);
        if !plans.is_empty() {
            self.store.spool(self.run.id, &plans)?;
        }
        self.hold_at(Stage::Apply, reason)
    }

    /// Lays the run aside; once approved it goes on with this stage.
    pub(super) fn hold_at(&mut self, stage: Stage, reason: String) -> Result<(), RefreshError> {
        self.run.status = RunStatus::Held;
        self.run.held = Some(reason);
        self.run.step.stage = stage;
        self.run.step.cursor = None;
        self.run.counters.elapsed_ms = self.elapsed_ms();
        self.store.update_run(&self.run)?;
        Ok(())
    }
}

/// Says why so many are too many, if they are.
fn exceeded(what: &str, bound: Bound, count: u64, of: u64) -> Option<String> {
    let allowed = bound.limit.allowed(of);
    let limit = match bound.limit {
        Threshold::Count(count) => count.to_string(),
        Threshold::BasisPoints(points) => format!(
            "{}.{:02} % of {of}, that is {allowed}",
            points / 100,
            points % 100
        ),
    };
    let window = match bound.window_ms {
        Some(window_ms) => format!(" within {}", shown_duration(window_ms)),
        None => String::new(),
    };
    (count > allowed).then(|| format!("{count} {what}{window} are more than {limit}"))
}

/// Returns a duration in its largest whole unit.
fn shown_duration(milliseconds: i64) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ];
    let whole = units.iter().find(|(_, unit)| milliseconds % unit == 0);
    match whole {
        Some((name, unit)) => format!("{}{name}", milliseconds / unit),
        None => format!("{milliseconds}ms"),
    }
}
