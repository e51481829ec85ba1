//! An aggregation: what it read, what it did, and why it is held.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use idr_core::definitions::Model;
use idr_core::model::{Account, AccountKey, Name};
use serde::Serialize;

use super::event::MASK;
use super::text::{grouped, shortened};
use crate::aggregate::{AggregationReport, counters};
use crate::store::{Aggregation, AggregationStatus, StagedChange, Store, StoreError};

/// An aggregation, as reports show it.
#[derive(Clone, Debug, Serialize)]
pub struct ShownAggregation {
    /// Its number.
    pub aggregation: i64,
    /// The application.
    pub application: String,
    /// The file that was read.
    pub file: String,
    /// Whether the file lists changes only.
    pub delta: bool,
    /// The instant that it speaks of.
    pub as_of: String,
    /// `staging`, `applying`, `held`, `done` or `rejected`.
    pub status: &'static str,
    /// How much it found and did.
    pub counters: BTreeMap<&'static str, u64>,
    /// Why it is held, or was.
    pub held: Vec<String>,
    /// How it ended, when it has just ended.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndedAggregation>,
}

/// What is only known of an aggregation that has just ended.
#[derive(Clone, Debug, Serialize)]
pub struct EndedAggregation {
    /// How many findings about the application are open.
    pub open_findings: u64,
    /// The number of an earlier one that was found unfinished, and was finished first.
    pub finished: Option<i64>,
    /// How long it took.
    pub seconds: f64,
    /// How many records it read in a second.
    pub records_per_second: u64,
}

impl ShownAggregation {
    /// Returns what is stored of an aggregation.
    pub fn of(aggregation: &Aggregation) -> Self {
        let count = |name: &'static str| {
            let count = aggregation.counters.get(name).copied().unwrap_or(0);
            (name, count)
        };
        Self {
            aggregation: aggregation.id,
            application: aggregation.application.clone(),
            file: aggregation.file.clone(),
            delta: aggregation.delta,
            as_of: aggregation.as_of.to_string(),
            status: aggregation.status.as_str(),
            counters: counters::REPORTED.map(count).into(),
            held: aggregation.held.clone(),
            ended: None,
        }
    }

    /// Returns an aggregation that has just ended, after so much time.
    pub fn of_ended(report: &AggregationReport, took: Duration) -> Self {
        let mut shown = Self::of(&report.aggregation);
        let read = shown.counters.get(counters::READ).copied().unwrap_or(0);
        let seconds = took.as_secs_f64();
        shown.ended = Some(EndedAggregation {
            open_findings: report.open_findings,
            finished: report.finished.as_ref().map(|earlier| earlier.id),
            seconds,
            records_per_second: (read as f64 / seconds.max(1e-6)).round() as u64,
        });
        shown
    }

    /// Says whether a person should look: it is held, or findings about the
    /// application are open.
    pub fn wants_attention(&self) -> bool {
        let open = self.ended.as_ref().map_or(0, |ended| ended.open_findings);
        self.status == AggregationStatus::Held.as_str() || open > 0
    }

    /// Returns the counters that aren't zero, in words.
    pub fn counted(&self) -> String {
        let parts: Vec<String> = counters::REPORTED
            .into_iter()
            .filter_map(|name| {
                let count = self.counters.get(name).copied().unwrap_or(0);
                let word = match name {
                    counters::NATIVE_CHANGES => "native changes",
                    counters::IDENTITIES => "identities created",
                    counters::CREATED => "new",
                    name => name,
                };
                (count > 0).then(|| format!("{} {word}", grouped(count)))
            })
            .collect();
        if parts.is_empty() {
            "nothing read".to_owned()
        } else {
            parts.join(", ")
        }
    }

    /// Writes it for people. `command` is how the program is called.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, command: &str, out: &mut dyn Write) -> io::Result<()> {
        if let Some(finished) = self.ended.as_ref().and_then(|ended| ended.finished) {
            writeln!(
                out,
                "aggregation {finished} was left unfinished, and is done now"
            )?;
        }
        let delta = if self.delta { ", changes only" } else { "" };
        writeln!(
            out,
            "aggregation {} of {} is {}, as of {}{delta}",
            self.aggregation, self.application, self.status, self.as_of
        )?;
        writeln!(out, "  {}", self.counted())?;
        for reason in &self.held {
            writeln!(out, "  held: {reason}")?;
        }
        if self.status == AggregationStatus::Held.as_str() {
            let id = self.aggregation;
            writeln!(out, "  nothing is applied until a person decides:")?;
            writeln!(out, "    {command} aggregation show {id}")?;
            writeln!(out, "    {command} aggregation accept {id} --reason WHY")?;
            writeln!(out, "    {command} aggregation reject {id} --reason WHY")?;
        }
        let Some(ended) = &self.ended else {
            return Ok(());
        };
        if ended.open_findings > 0 {
            writeln!(
                out,
                "  open findings about {}: {} ({command} finding list)",
                self.application,
                grouped(ended.open_findings)
            )?;
        }
        writeln!(
            out,
            "  {:.1} s, {} records/s",
            ended.seconds,
            grouped(ended.records_per_second)
        )
    }
}

/// One thing that a held aggregation would do.
#[derive(Clone, Debug, Serialize)]
pub struct StagedReport {
    /// `new`, `modified`, `returned` or `vanished`.
    pub change: &'static str,
    /// The account.
    pub native_identity: String,
    /// What would change in it: attribute, old and new value.
    pub attributes: Vec<(String, Option<String>, Option<String>)>,
}

impl StagedReport {
    /// Returns the first changes on the stage of an aggregation, up to `limit`
    /// of each kind. Sensitive values are masked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub fn list(
        store: &dyn Store,
        model: &Model,
        aggregation: i64,
        limit: usize,
    ) -> Result<Vec<Self>, StoreError> {
        let mut kinds: BTreeMap<usize, Vec<Self>> = BTreeMap::new();
        let mut after = 0;
        loop {
            let staged = store.staged(aggregation, after, 1_000)?;
            let Some((last, _)) = staged.last() else {
                break;
            };
            after = *last;
            let keys: Vec<AccountKey> = staged.iter().map(|(_, change)| key(change)).collect();
            let stored = store.accounts(&keys)?.into_iter();
            let stored: BTreeMap<AccountKey, Account> = stored
                .map(|account| (account.key.clone(), account))
                .collect();
            for (_, change) in staged {
                let before = stored.get(&key(&change));
                let Some(report) = Self::of(model, before, &change) else {
                    continue;
                };
                let kind = KINDS.iter().position(|kind| *kind == report.change);
                let known = kinds.entry(kind.unwrap_or(KINDS.len())).or_default();
                if known.len() < limit {
                    known.push(report);
                }
            }
        }
        Ok(kinds.into_values().flatten().collect())
    }

    fn of(model: &Model, before: Option<&Account>, change: &StagedChange) -> Option<Self> {
        let (change, native_identity, attributes) = match (change, before) {
            (StagedChange::Missing(key), _) => ("vanished", &key.native_identity, Vec::new()),
            (StagedChange::Listed(account), None) => {
                ("new", &account.key.native_identity, Vec::new())
            }
            (StagedChange::Listed(account), Some(before)) => {
                let attributes = differences(model, before, account);
                let change = match before.missing_since {
                    Some(_) => "returned",
                    None if attributes.is_empty() => return None,
                    None => "modified",
                };
                (change, &account.key.native_identity, attributes)
            }
        };
        Some(Self {
            change,
            native_identity: native_identity.clone(),
            attributes,
        })
    }

    /// Writes it for people, in one line.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut line = format!("{:8}  {}", self.change, self.native_identity);
        for (attribute, old, new) in &self.attributes {
            let value =
                |value: &Option<String>| value.clone().unwrap_or_else(|| "blank".to_owned());
            line += &format!("  {attribute}: {} -> {}", value(old), value(new));
        }
        writeln!(out, "  {}", shortened(&line, 160))
    }
}

const KINDS: [&str; 4] = ["vanished", "new", "modified", "returned"];

fn key(change: &StagedChange) -> AccountKey {
    match change {
        StagedChange::Listed(account) => account.key.clone(),
        StagedChange::Missing(key) => key.clone(),
    }
}

fn differences(
    model: &Model,
    before: &Account,
    after: &Account,
) -> Vec<(String, Option<String>, Option<String>)> {
    let application = model.application(before.key.application);
    let shown = |account: &Account, name: Name| {
        let sensitive = application
            .and_then(|application| application.attribute(name))
            .is_some_and(|attribute| attribute.sensitive);
        let value = account.attribute(name)?;
        Some(if sensitive {
            MASK.to_owned()
        } else {
            value.to_string()
        })
    };
    let both = before.attributes.iter().chain(&after.attributes);
    let mut names: Vec<Name> = both
        .map(|(name, _)| *name)
        .filter(|name| before.attribute(*name) != after.attribute(*name))
        .collect();
    names.sort();
    names.dedup();
    let mut differences: Vec<_> = names
        .into_iter()
        .map(|name| (name.to_string(), shown(before, name), shown(after, name)))
        .collect();
    if before.status != after.status {
        let status = |account: &Account| Some(account.status.as_str().to_owned());
        differences.push(("status".to_owned(), status(before), status(after)));
    }
    differences
}
