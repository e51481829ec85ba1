//! Runs: one refresh from selection to the last event.

use std::collections::BTreeMap;

use idr_core::model::{Name, Uid, UnixMillis};

/// The number of a run, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// A refresh run: what it was asked, how far it has come, what it did.
///
/// Enough to go on after a crash: planning is repeated, applying continues
/// behind the cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// Its number, from `Store::begin_run`.
    pub id: RunId,
    /// How it stands.
    pub status: RunStatus,
    /// The instant that it brings identities up to.
    pub as_of: UnixMillis,
    /// When it was started, by the tenant's clock.
    pub started_at: UnixMillis,
    /// Who started it.
    pub actor: String,
    /// Whom it was asked to refresh.
    pub scope: Scope,
    /// How it is done.
    pub settings: RunSettings,
    /// Whether it chose whom to refresh by a window of last refreshes. Then it
    /// doesn't count as one, or else it would choose the same again and again.
    pub by_window: bool,
    /// Digest of the configuration that it uses to its end.
    pub configuration: String,
    /// Whether no events are fired: the tenant's first refresh.
    pub silent: bool,
    /// How far it has come.
    pub step: Step,
    /// Why it is held, once it tripped a threshold.
    pub held: Option<String>,
    /// Kinds of change that tripped a threshold and were left out, with why:
    /// whoever would change so stays due until a person approves.
    pub held_kinds: BTreeMap<String, String>,
    /// Kinds of change that a person has approved; their thresholds no longer
    /// stop it.
    pub approved_kinds: Vec<String>,
    /// Whether a person has approved what tripped it; thresholds then no
    /// longer stop it.
    pub approved: bool,
    /// What it did so far.
    pub counters: Counters,
    /// What ended it, if it failed.
    pub error: Option<String>,
}

/// How a run is done. Nothing of it changes what comes out but `keep_due`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSettings {
    /// Whom it refreshes stays due: for all but the last of several refreshes
    /// of who is due.
    pub keep_due: bool,
    /// Only these policies are judged, and whoever would come out otherwise by
    /// another stays due; all policies when absent.
    pub policies: Option<Vec<Name>>,
    /// On how many threads it plans; as many as there are processors when absent.
    pub threads: Option<u32>,
    /// So many identities are read, planned and committed together.
    pub chunk_size: u32,
    /// It stops once so many identities have new errors; never when absent.
    pub max_exceptions: Option<u64>,
}

impl Default for RunSettings {
    fn default() -> Self {
        Self {
            keep_due: false,
            policies: None,
            threads: None,
            chunk_size: 1_000,
            max_exceptions: None,
        }
    }
}

/// How far a run has come with what its step says, for other processes to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunProgress {
    /// Identities that are done.
    pub done: u64,
    /// Of so many.
    pub of: u64,
    /// Wall time spent on them, in milliseconds.
    pub step_ms: u64,
    /// Wall time spent on the run, in milliseconds.
    pub elapsed_ms: u64,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunStatus {
    /// Under way, or left behind by a process that is gone.
    #[default]
    Running,
    /// Tripped a threshold; waits for a person.
    Held,
    /// Done.
    Done,
    /// Ended by an error; what was committed stays.
    Failed,
    /// A person said no; nothing of what was held was done.
    Rejected,
    /// Held, and overtaken by a later run that planned anew.
    Superseded,
    /// A person stopped it; what was committed stays.
    Cancelled,
}

impl RunStatus {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 7] = [
        ("running", Self::Running),
        ("held", Self::Held),
        ("done", Self::Done),
        ("failed", Self::Failed),
        ("rejected", Self::Rejected),
        ("superseded", Self::Superseded),
        ("cancelled", Self::Cancelled),
    ];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, status)| *status == self);
        found.expect("every case is listed").0
    }

    /// Says whether the run has come to its end.
    pub fn is_over(self) -> bool {
        match self {
            Self::Running | Self::Held => false,
            Self::Done | Self::Failed | Self::Rejected | Self::Superseded | Self::Cancelled => true,
        }
    }
}

/// Whom a run was asked to refresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Who is due.
    #[default]
    Due,
    /// Everybody.
    All,
    /// Identities that were chosen by name or by criteria; the store keeps
    /// them beside the run.
    Chosen,
}

/// How far a run has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The instant that is being worked on: a passed wake-up, then `as_of`.
    pub instant: UnixMillis,
    /// The wave within the instant, counted from 1.
    pub wave: u32,
    /// What is being done.
    pub stage: Stage,
    /// The last uid that is applied.
    pub cursor: Option<Uid>,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Working out what to do next; nothing of it is stored.
    #[default]
    Start,
    /// Planning the wave's selection. Repeated after a crash.
    Plan,
    /// Applying the wave's spool. Continued behind the cursor after a crash.
    Apply,
    /// Processing events. Continued behind the cursor after a crash.
    Events,
}

impl Stage {
    /// Returns what it is called where progress is shown.
    pub fn doing(self) -> &'static str {
        match self {
            Self::Start | Self::Plan => "planning",
            Self::Apply => "writing",
            Self::Events => "events",
        }
    }
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters {
    /// Identities selected, over all instants; waves after the first not counted.
    pub selected: u64,
    /// Identities planned, each wave counted.
    pub refreshed: u64,
    /// Identities in which something changed.
    pub changed: u64,
    /// Waves that had somebody in them.
    pub waves: u64,
    /// Identities that turned inactive.
    pub leavers: u64,
    /// Identities that lost an assigned role.
    pub role_removals: u64,
    /// Identities whose state newly called for an account to be disabled.
    pub account_disables: u64,
    /// Identities whose state newly called for an account to be deleted.
    pub account_deletions: u64,
    /// Identities for whom an account was newly to be created.
    pub account_creations: u64,
    /// Identities from whom an entitlement was newly to be taken away.
    pub entitlement_removals: u64,
    /// Chunks written.
    pub chunks: u64,
    /// Findings opened.
    pub findings_opened: u64,
    /// Events by trigger.
    pub events: BTreeMap<String, u64>,
    /// What changed, by name: `attributes`, `managers`, `lifecycleStates`,
    /// `assignedRoles`, `detectedRoles`, `additionalEntitlements`,
    /// `policies` (judged), `policyViolations` (opened), `policyNotifications`
    /// (owners newly asked), `scoresChanged`,
    /// `entitlementsCreated`, `entitlementsUpdated`, `provisioningRequests`,
    /// `unansweredAccountSelections`, `unansweredAccountSelectionsIdentities`, `correlated`, `replanned`, `held`,
    /// `snapshotsCreated`, `snapshotsDropped`, `identitiesPruned`, `pruneHeld`,
    /// `effects` and by kind of these `accountActions`, `workItems`, `workflows`
    /// and `webhooks`, `chunks` (written, each in one transaction).
    pub changes: BTreeMap<String, u64>,
    /// Wall time spent, in milliseconds.
    pub elapsed_ms: u64,
}

impl Counters {
    /// Counts so much more of what changed.
    pub fn count(&mut self, what: &str, number: u64) {
        if number > 0 {
            *self.changes.entry(what.to_owned()).or_default() += number;
        }
    }

    /// Adds what was counted elsewhere; the time is left alone.
    pub fn add(&mut self, other: &Self) {
        let Self {
            selected,
            refreshed,
            changed,
            waves,
            leavers,
            role_removals,
            account_disables,
            account_deletions,
            account_creations,
            entitlement_removals,
            chunks,
            findings_opened,
            events,
            changes,
            elapsed_ms: _,
        } = other;
        self.selected += selected;
        self.refreshed += refreshed;
        self.changed += changed;
        self.waves += waves;
        self.leavers += leavers;
        self.role_removals += role_removals;
        self.account_disables += account_disables;
        self.account_deletions += account_deletions;
        self.account_creations += account_creations;
        self.entitlement_removals += entitlement_removals;
        self.chunks += chunks;
        self.findings_opened += findings_opened;
        for (trigger, number) in events {
            *self.events.entry(trigger.clone()).or_default() += number;
        }
        for (what, number) in changes {
            self.count(what, *number);
        }
    }
}
