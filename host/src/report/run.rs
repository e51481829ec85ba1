//! What a refresh run did.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use idr_core::time::Zone;
use serde::Serialize;

use super::finding::{FindingReport, write_findings};
use super::text::{Table, counted, grouped, local};
use crate::store::{Run, RunStatus, Scope, Stage, Store, StoreError};

/// Findings of so many kinds are shown with a run.
const FINDINGS_SHOWN: usize = 5;

/// To find the kinds that matter most, so many are read at most.
const FINDINGS_READ: usize = 10_000;

/// A run, as `idr refresh` and `idr run show` report it.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Its number; none for a dry run.
    pub run: Option<i64>,
    /// `running`, `held`, `done`, `failed`, `rejected`, `superseded`, `cancelled`
    /// or `dry-run`.
    pub status: &'static str,
    /// Why it is held, or would be.
    pub held: Option<String>,
    /// Kinds of change that it left out, or would, with why.
    pub held_kinds: BTreeMap<String, String>,
    /// What ended it, if it failed.
    pub error: Option<String>,
    /// How far it has come, while it is under way or was left behind.
    pub progress: Option<ProgressReport>,
    /// The instant that it brings identities up to.
    pub as_of: String,
    /// When it was started.
    pub started_at: String,
    /// Whom it was asked to refresh: `due`, `all` or `identities`.
    pub scope: &'static str,
    /// Whether no events were fired: the tenant's first refresh.
    pub silent: bool,
    /// Whether a person approved what tripped a threshold.
    pub approved: bool,
    /// Identities selected, over all instants.
    pub selected: u64,
    /// Identities planned, each wave counted.
    pub refreshed: u64,
    /// Identities that there was no reason to look at.
    pub skipped: u64,
    /// Identities in which something changed.
    pub changed: u64,
    /// Waves that had somebody in them.
    pub waves: u64,
    /// Findings.
    pub findings: FindingCounts,
    /// Events by trigger.
    pub events: BTreeMap<String, u64>,
    /// How much changed, by name.
    pub counters: BTreeMap<String, u64>,
    /// On how many threads it planned.
    pub threads: Option<u32>,
    /// How many identities were committed together.
    pub chunk_size: u32,
    /// Wall time.
    pub seconds: f64,
    /// Identities refreshed in a second.
    pub identities_per_second: f64,
    /// Digest of the configuration that it used.
    pub configuration: String,
    #[serde(skip)]
    as_of_local: String,
    /// Whether it is held before its events.
    #[serde(skip)]
    holds_events: bool,
    /// The open findings, where some are new: the others were shown when they were.
    #[serde(skip)]
    open: Vec<FindingReport>,
}

/// How far a run has come with what it is doing, as it last noted.
#[derive(Clone, Debug, Serialize)]
pub struct ProgressReport {
    /// `planning`, `writing` or `events`.
    pub doing: &'static str,
    /// The instant that it works on.
    pub instant: String,
    /// The wave within the instant.
    pub wave: u32,
    /// Identities that are done.
    pub done: u64,
    /// Of so many.
    pub of: u64,
    /// Identities done in a second.
    pub identities_per_second: f64,
    /// Wall time spent on the run.
    pub seconds: f64,
}

impl ProgressReport {
    /// Returns how far a run has come; none of one that isn't under way, or that
    /// has not noted anything yet, which takes it a second.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub fn of(run: &Run, store: &dyn Store) -> Result<Option<Self>, StoreError> {
        if run.status != RunStatus::Running {
            return Ok(None);
        }
        let progress = store.progress(run.id)?;
        Ok(progress.map(|progress| Self {
            doing: run.step.stage.doing(),
            instant: run.step.instant.to_string(),
            wave: run.step.wave,
            done: progress.done,
            of: progress.of,
            identities_per_second: (progress.done as f64 * 1_000.0
                / progress.step_ms.max(1) as f64)
                .round(),
            seconds: progress.elapsed_ms as f64 / 1_000.0,
        }))
    }
}

impl fmt::Display for ProgressReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} wave {} {}: {} of {}, {} a second, {:.1} s so far",
            self.instant,
            self.wave,
            self.doing,
            grouped(self.done),
            grouped(self.of),
            grouped(self.identities_per_second as u64),
            self.seconds
        )
    }
}

/// How many findings there are.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FindingCounts {
    /// Opened by this run.
    pub new: u64,
    /// Open now, whoever opened them, apart from muted ones.
    pub open: u64,
}

/// Returns what a counter of changes counts, of which there may be any number.
pub fn changes_in_words(counter: &str) -> String {
    let known = CHANGES.iter().find(|(name, _, _)| *name == counter);
    known.map_or(counter, |(_, _, many)| many).to_owned()
}

/// What can change, by the name of its counter, in words.
const CHANGES: [(&str, &str, &str); 25] = [
    ("attributes", "attribute", "attributes"),
    ("managers", "manager", "managers"),
    ("lifecycleStates", "lifecycle state", "lifecycle states"),
    (
        "assignedRoles",
        "set of assigned roles",
        "sets of assigned roles",
    ),
    (
        "detectedRoles",
        "set of detected roles",
        "sets of detected roles",
    ),
    (
        "additionalEntitlements",
        "set of additional entitlements",
        "sets of additional entitlements",
    ),
    (
        "entitlementsCreated",
        "entitlement newly in the ledger",
        "entitlements newly in the ledger",
    ),
    (
        "entitlementsUpdated",
        "entitlement that stands otherwise",
        "entitlements that stand otherwise",
    ),
    (
        "correlated",
        "account given its identity",
        "accounts given their identities",
    ),
    ("leavers", "leaver", "leavers"),
    (
        "roleRemovals",
        "identity that lost a role",
        "identities that lost a role",
    ),
    (
        "held",
        "identity left as it is, and due",
        "identities left as they are, and due",
    ),
    (
        "effects",
        "effect put into the outbox",
        "effects put into the outbox",
    ),
    (
        "accountActions",
        "change of an account called for",
        "changes of accounts called for",
    ),
    ("workItems", "work item", "work items"),
    ("workflows", "workflow", "workflows"),
    ("webhooks", "webhook", "webhooks"),
    (
        "snapshotsCreated",
        "image of an identity kept",
        "images of identities kept",
    ),
    (
        "snapshotsDropped",
        "image of an identity dropped",
        "images of identities dropped",
    ),
    ("accountsRead", "account read again", "accounts read again"),
    (
        "accountsRemoved",
        "account that its application doesn't have any more",
        "accounts that their applications don't have any more",
    ),
    (
        "accountsUnavailable",
        "account that could not be read again",
        "accounts that could not be read again",
    ),
    ("identitiesPruned", "identity pruned", "identities pruned"),
    (
        "pruneHeld",
        "identity to prune is one too many: nobody was pruned",
        "identities to prune are too many: nobody was pruned",
    ),
    (
        "replanned",
        "identity planned again, as it changed meanwhile",
        "identities planned again, as they changed meanwhile",
    ),
];

impl RunReport {
    /// Returns the report on a run, with the findings that are open now.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub fn of(run: &Run, store: &dyn Store, zone: &Zone) -> Result<Self, StoreError> {
        let counters = &run.counters;
        let population = store.population()?.identities;
        let seconds = counters.elapsed_ms as f64 / 1_000.0;
        let rate = counters.refreshed as f64 / seconds.max(0.001);
        let mut changes = counters.changes.clone();
        changes.insert("chunks".to_owned(), counters.chunks);
        changes.insert("leavers".to_owned(), counters.leavers);
        changes.insert("roleRemovals".to_owned(), counters.role_removals);
        changes.insert("accountDisables".to_owned(), counters.account_disables);
        changes.insert("accountDeletions".to_owned(), counters.account_deletions);
        let new = [
            ("accountCreations", counters.account_creations),
            ("entitlementRemovals", counters.entitlement_removals),
        ];
        let new = new.into_iter().filter(|(_, count)| *count > 0);
        changes.extend(new.map(|(name, count)| (name.to_owned(), count)));
        Ok(Self {
            run: Some(run.id.0),
            status: run.status.as_str(),
            held: run.held.clone(),
            held_kinds: run.held_kinds.clone(),
            error: run.error.clone(),
            progress: ProgressReport::of(run, store)?,
            as_of: run.as_of.to_string(),
            started_at: run.started_at.to_string(),
            scope: scope_word(&run.scope),
            silent: run.silent,
            approved: run.approved,
            selected: counters.selected,
            refreshed: counters.refreshed,
            skipped: population.saturating_sub(counters.selected),
            changed: counters.changed,
            waves: counters.waves,
            findings: FindingCounts {
                new: counters.findings_opened,
                open: store.open_findings(run.as_of)?,
            },
            events: counters.events.clone(),
            counters: changes,
            threads: run.settings.threads,
            chunk_size: run.settings.chunk_size,
            seconds,
            identities_per_second: rate.round(),
            configuration: run.configuration.clone(),
            as_of_local: local(run.as_of, zone),
            holds_events: run.step.stage == Stage::Events,
            open: shown_findings(run, store)?,
        })
    }

    /// Returns the report on a run that was only planned.
    ///
    /// # Errors
    ///
    /// As [`RunReport::of`].
    pub fn of_dry_run(run: &Run, store: &dyn Store, zone: &Zone) -> Result<Self, StoreError> {
        Ok(Self {
            run: None,
            status: "dry-run",
            ..Self::of(run, store, zone)?
        })
    }

    /// Says whether a person has something to look at: it is held or cancelled,
    /// or findings are open.
    pub fn wants_attention(&self) -> bool {
        let stopped = [RunStatus::Held, RunStatus::Cancelled].map(RunStatus::as_str);
        self.findings.open > 0
            || stopped.contains(&self.status)
            || !self.held_kinds.is_empty()
            || self.counters.contains_key("pruneHeld")
    }

    /// Writes the report for people. `command` is how the program is called for
    /// this tenant (`idr --tenant acme`).
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, command: &str, out: &mut dyn Write) -> io::Result<()> {
        let approved = if self.approved { ", approved" } else { "" };
        match self.run {
            Some(id) => writeln!(out, "run {id}: {}{approved}", self.status)?,
            None => writeln!(
                out,
                "dry run: this is what would happen; nothing is written"
            )?,
        }
        if let Some(error) = &self.error {
            writeln!(out, "  {error}")?;
        }
        let mut facts = Table::plain(2);
        if let Some(progress) = &self.progress {
            facts.row(["at", &progress.to_string()]);
        }
        facts.row(["as of", &self.as_of_local]);
        facts.row(["selected", &self.selection()]);
        facts.row(["refreshed", &self.work()]);
        facts.row(["changed", &counted(self.changed, "identity", "identities")]);
        facts.write(out)?;
        let mut changes = Table::plain(4).right(&[0]);
        for (name, one, many) in CHANGES {
            match self.counters.get(name) {
                None | Some(0) => {}
                Some(&1) => changes.row(["1", one]),
                Some(&number) => changes.row([grouped(number).as_str(), many]),
            }
        }
        changes.write(out)?;
        self.write_events(out)?;
        let (new, open) = (self.findings.new, self.findings.open);
        let (new_text, open_text) = (grouped(new), grouped(open));
        if new == 0 && open > 0 {
            writeln!(
                out,
                "  findings   0 new, {open_text} open: {command} finding list"
            )?;
        } else {
            writeln!(out, "  findings   {new_text} new, {open_text} open")?;
            write_findings(&self.open, Some(FINDINGS_SHOWN), command, out)?;
        }
        for held in self.held_kinds.values() {
            writeln!(out, "  left out   {held}")?;
        }
        if let (Some(id), false) = (self.run, self.held_kinds.is_empty()) {
            writeln!(
                out,
                "    {command} run approve {id} --reason TEXT  carry it out as well"
            )?;
        }
        if let Some(held) = &self.held {
            writeln!(out, "  held       {held}")?;
            let waits = self.status == RunStatus::Held.as_str();
            let Some(id) = self.run.filter(|_| waits) else {
                return Ok(());
            };
            let mut ways = Table::plain(4);
            ways.row([
                format!("{command} run show {id}"),
                "see who it is about".to_owned(),
            ]);
            ways.row([
                format!("{command} run approve {id} --reason TEXT"),
                "carry it out".to_owned(),
            ]);
            ways.row([
                format!("{command} run reject {id} --reason TEXT"),
                match self.holds_events {
                    true => "drop it; its events wait for the next run",
                    false => "drop it; everybody stays due",
                }
                .to_owned(),
            ]);
            ways.write(out)?;
        }
        Ok(())
    }

    fn selection(&self) -> String {
        let whom = match self.scope {
            "all" => "everybody",
            "chosen" => "those chosen",
            _ => "who was due",
        };
        format!(
            "{} ({whom}), {} skipped",
            counted(self.selected, "identity", "identities"),
            grouped(self.skipped)
        )
    }

    fn work(&self) -> String {
        let waves = counted(self.waves, "wave", "waves");
        if self.refreshed == 0 {
            return "nobody".to_owned();
        }
        format!(
            "{} in {waves}, {:.1} s, {} a second",
            grouped(self.refreshed),
            self.seconds,
            grouped(self.identities_per_second as u64)
        )
    }

    fn write_events(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.silent {
            return writeln!(
                out,
                "  events     none: the first refresh only notes how things are"
            );
        }
        let total: u64 = self.events.values().sum();
        writeln!(out, "  events     {}", grouped(total))?;
        let mut table = Table::plain(4).right(&[0]);
        for (trigger, number) in &self.events {
            table.row([grouped(*number).as_str(), trigger]);
        }
        table.write(out)
    }
}

/// Returns the open findings, where some are new.
fn shown_findings(run: &Run, store: &dyn Store) -> Result<Vec<FindingReport>, StoreError> {
    if run.counters.findings_opened == 0 {
        return Ok(Vec::new());
    }
    let mut findings = FindingReport::list(store, false, FINDINGS_READ)?;
    findings.retain(|finding| !finding.is_muted(run.as_of));
    Ok(findings)
}

fn scope_word(scope: &Scope) -> &'static str {
    match scope {
        Scope::Due => "due",
        Scope::All => "all",
        Scope::Chosen => "chosen",
    }
}
