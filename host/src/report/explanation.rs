//! Why something of an identity is as it is: which way the plan took, what it
//! read and where that came from, when it last changed and when it may change
//! next.
//!
//! Made from the trace of a plan and from what the store remembers. Values of
//! sensitive attributes are masked.

use std::io::{self, Write};

use idr_core::definitions::{Model, RuleIndex};
use idr_core::model::{AccountKey, Finding, IdentityRecord, Name, UnixMillis};
use idr_core::view::{TraceEntry, Traced};
use serde::Serialize;

use super::event::MASK;
use super::text::Table;
use crate::store::{AggregationStatus, AuditQuery, Store, StoreError};

/// So far back is looked for what changed something last: entries of the audit
/// about one identity, and aggregations.
const LOOKED_BACK: usize = 10_000;

/// What is explained of an identity.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What it is about: `attribute department`, `role Sales`, ….
    pub about: String,
    /// What it is, or would be if the identity were refreshed now.
    pub outcome: String,
    /// What it is as stored, where a refresh now would change that.
    pub stored: Option<String>,
    /// Which way it came to that.
    pub steps: Vec<StepReport>,
    /// What was read for it.
    pub reads: Vec<ReadReport>,
    /// Which moments it asked for.
    pub moments: Vec<MomentReport>,
    /// The rules that may decide about it.
    pub rules: Vec<RuleReport>,
    /// When it last changed, as far as the audit says.
    pub last_changed: Option<LastChange>,
    /// The next moment at which it may change although nothing is written.
    pub may_change_at: Option<String>,
    /// What is wrong with it.
    pub findings: Vec<String>,
}

/// A way that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// How deep it lies within the steps before it, from 0.
    pub depth: usize,
    /// What was asked: a source, a rule, a part of a selector.
    pub what: String,
    /// What it came to.
    pub answer: String,
}

/// Something that was read.
#[derive(Clone, Debug, Serialize)]
pub struct ReadReport {
    /// What was read.
    pub what: String,
    /// What came back; masked where it is sensitive.
    pub answer: String,
    /// The account that it was read of.
    pub from: Option<PlaceReport>,
}

/// Where an account comes from.
#[derive(Clone, Debug, Serialize)]
pub struct PlaceReport {
    /// The application.
    pub application: String,
    /// What the application calls the account.
    pub native_identity: String,
    /// The last aggregation of the application that was carried out.
    pub aggregation: Option<i64>,
    /// The instant that it speaks of.
    pub as_of: Option<String>,
    /// The file that it read.
    pub file: Option<String>,
    /// The line of the account in that file, as the file is now.
    pub line: Option<u64>,
}

/// A moment that was asked for.
#[derive(Clone, Debug, Serialize)]
pub struct MomentReport {
    /// The moment.
    pub at: String,
    /// Whether it has come.
    pub reached: bool,
}

/// A rule that may decide.
#[derive(Clone, Debug, Serialize)]
pub struct RuleReport {
    /// Its name.
    pub name: String,
    /// The sha256 of its component.
    pub sha256: String,
}

/// The last change that is known.
#[derive(Clone, Debug, Serialize)]
pub struct LastChange {
    /// When.
    pub at: String,
    /// Who did it, or had the refresh done.
    pub actor: String,
    /// What was done: `refresh`, `edit`, ….
    pub action: String,
    /// Why; of a refresh its run and what it changed.
    pub reason: String,
}

/// Finds the line of an account in a file.
pub type LineOf<'a> = &'a dyn Fn(&AccountKey, &str) -> Option<u64>;

/// What explanations of one identity are made from.
pub struct Sources<'a> {
    /// The store.
    pub store: &'a dyn Store,
    /// The definitions that it was planned by.
    pub model: &'a Model,
    /// The instant that it was planned for.
    pub at: UnixMillis,
    /// The identity as it is stored.
    pub stored: &'a IdentityRecord,
    /// The identity as a refresh would leave it.
    pub refreshed: &'a IdentityRecord,
    /// Whether values of sensitive attributes are shown.
    pub show_sensitive: bool,
    /// Finds lines of accounts.
    pub line_of: LineOf<'a>,
}

/// What is to be explained.
pub struct Subject<'a> {
    /// What it is about, as [`Explanation::about`].
    pub about: String,
    /// What it is, of an identity.
    pub value: &'a dyn Fn(&IdentityRecord) -> String,
    /// The rules that may decide.
    pub rules: Vec<RuleIndex>,
    /// Says whether a finding is about it.
    pub is_found: &'a dyn Fn(&Finding) -> bool,
    /// Says whether the part of an audit entry that tells of one thing tells of this.
    pub is_changed: &'a dyn Fn(&str) -> bool,
}

impl Sources<'_> {
    /// Returns the explanation of something, from what was traced about it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub fn explain(
        &self,
        subject: &Subject<'_>,
        trace: &[TraceEntry],
    ) -> Result<Explanation, StoreError> {
        let outcome = (subject.value)(self.refreshed);
        let stored = (subject.value)(self.stored);
        let (mut steps, mut reads, mut moments) = (Vec::new(), Vec::new(), Vec::new());
        let mut next: Option<UnixMillis> = None;
        let mut places: Vec<(AccountKey, PlaceReport)> = Vec::new();
        for entry in trace {
            match &entry.kind {
                Traced::Step(depth) => steps.push(StepReport {
                    depth: *depth,
                    what: entry.what.clone(),
                    answer: entry.answer.clone(),
                }),
                Traced::Time(at) => {
                    let reached = *at <= self.at;
                    if !reached {
                        next = Some(next.map_or(*at, |known| known.min(*at)));
                    }
                    moments.push(MomentReport {
                        at: at.to_string(),
                        reached,
                    });
                }
                Traced::Read(account) => {
                    let from = match account {
                        Some(key) => Some(self.place(key, &mut places)?),
                        None => None,
                    };
                    let (what, answer) = self.masked(entry);
                    reads.push(ReadReport { what, answer, from });
                }
            }
        }
        let findings = self.refreshed.identity.findings.iter();
        let findings = findings.filter(|finding| (subject.is_found)(finding));
        let rule = |index: &RuleIndex| {
            let rule = self.model.rule(*index);
            RuleReport {
                name: rule.name.to_string(),
                sha256: rule.sha256.clone(),
            }
        };
        Ok(Explanation {
            about: subject.about.clone(),
            stored: (stored != outcome).then_some(stored),
            outcome,
            steps,
            reads,
            moments,
            rules: subject.rules.iter().map(rule).collect(),
            last_changed: self.last_change(subject.is_changed)?,
            may_change_at: next.map(|at| at.to_string()),
            findings: findings.map(|finding| finding.message.clone()).collect(),
        })
    }

    /// Returns what was read and what came back, without what is sensitive.
    fn masked(&self, entry: &TraceEntry) -> (String, String) {
        let (what, answer) = (entry.what.clone(), entry.answer.clone());
        if self.show_sensitive {
            return (what, answer);
        }
        // `whose ATTRIBUTE is VALUE`: the value is in the question.
        if let Some(asked) = what.strip_prefix("whose ")
            && let Some((attribute, _)) = asked.split_once(" is ")
        {
            return match is_sensitive(self.model, attribute) {
                true => (format!("whose {attribute} is {MASK}"), answer),
                false => (what, answer),
            };
        }
        match is_sensitive(self.model, &what) {
            true => (what, MASK.to_owned()),
            false => (what, answer),
        }
    }

    fn place(
        &self,
        key: &AccountKey,
        known: &mut Vec<(AccountKey, PlaceReport)>,
    ) -> Result<PlaceReport, StoreError> {
        if let Some((_, place)) = known.iter().find(|(known, _)| known == key) {
            return Ok(place.clone());
        }
        let aggregations = self.store.aggregations(LOOKED_BACK)?.into_iter();
        let last = aggregations
            .filter(|known| known.status == AggregationStatus::Done)
            .find(|known| known.application == key.application.as_str());
        let line = last
            .as_ref()
            .and_then(|last| (self.line_of)(key, &last.file));
        let place = PlaceReport {
            application: key.application.to_string(),
            native_identity: key.native_identity.clone(),
            aggregation: last.as_ref().map(|last| last.id),
            as_of: last.as_ref().map(|last| last.as_of.to_string()),
            file: last.map(|last| last.file),
            line,
        };
        known.push((key.clone(), place.clone()));
        Ok(place)
    }

    /// Returns the last change of it that the audit knows of.
    fn last_change(
        &self,
        is_changed: &dyn Fn(&str) -> bool,
    ) -> Result<Option<LastChange>, StoreError> {
        let name = &self.stored.identity.name;
        let query = AuditQuery {
            subject: Some(name.clone()),
            ..AuditQuery::default()
        };
        let entries = self.store.audit_entries(&query, LOOKED_BACK)?.into_iter();
        let mut changes = entries.filter(|entry| match entry.action.as_str() {
            "refresh" => {
                let told = entry.reason.split_once(": ");
                let parts = told.map_or("", |(_, parts)| parts);
                parts.split(", ").any(is_changed)
            }
            // What a person did: to the identity's attribute, role, ….
            _ => {
                let about = entry.subject.strip_prefix(name.as_str());
                let about = about.map_or("", str::trim);
                !about.is_empty() && is_changed(about)
            }
        });
        Ok(changes.next().map(|entry| LastChange {
            at: entry.at.to_string(),
            actor: entry.actor,
            action: entry.action,
            reason: entry.reason,
        }))
    }
}

/// Says whether a read is of something sensitive: its last word is the
/// attribute, of the identity or of an account.
pub fn is_sensitive(model: &Model, what: &str) -> bool {
    let word = what.rsplit(' ').next().unwrap_or(what);
    let attributes = model.attributes.iter();
    let attributes = attributes.filter(|known| known.sensitive);
    let of_accounts = model.applications.iter().flat_map(|known| &known.schema);
    let of_accounts = of_accounts.filter(|known| known.sensitive);
    let mut names = attributes
        .map(|known| known.name)
        .chain(of_accounts.map(|known| known.name));
    names.any(|name: Name| name.as_str() == word)
}

impl Explanation {
    /// Writes the explanation for people.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_without_changes(out)?;
        match &self.last_changed {
            Some(last) => writeln!(
                out,
                "  last changed {} by {} ({}): {}",
                last.at, last.actor, last.action, last.reason
            ),
            None => writeln!(out, "  the audit knows of no change"),
        }
    }

    /// Writes the explanation for people, without what last changed it.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write_without_changes(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}: {}", self.about, self.outcome)?;
        if let Some(stored) = &self.stored {
            writeln!(
                out,
                "  that is what a refresh now would make of it; stored is: {stored}"
            )?;
        }
        let mut steps = Table::plain(4);
        for step in &self.steps {
            let margin = "  ".repeat(step.depth);
            steps.row([format!("{margin}{}", step.what), step.answer.clone()]);
        }
        list("how", !self.steps.is_empty(), out)?;
        steps.write(out)?;
        let mut reads = Table::plain(4);
        for read in &self.reads {
            let from = read.from.as_ref().map(PlaceReport::spoken);
            reads.row([
                read.what.clone(),
                read.answer.clone(),
                from.unwrap_or_default(),
            ]);
        }
        list("read", !self.reads.is_empty(), out)?;
        reads.write(out)?;
        let mut moments = Table::plain(4);
        for moment in &self.moments {
            let reached = if moment.reached {
                "has come"
            } else {
                "is to come"
            };
            moments.row([moment.at.as_str(), reached]);
        }
        list("moments", !self.moments.is_empty(), out)?;
        moments.write(out)?;
        for rule in &self.rules {
            let short = rule.sha256.get(..12).unwrap_or(&rule.sha256);
            writeln!(out, "  rule {} is component {short}…", rule.name)?;
        }
        match &self.may_change_at {
            Some(at) => writeln!(out, "  may change by itself at {at}")?,
            None => writeln!(out, "  changes only when something that was read changes")?,
        }
        for finding in &self.findings {
            writeln!(out, "  finding: {finding}")?;
        }
        Ok(())
    }
}

fn list(what: &str, is_there: bool, out: &mut dyn Write) -> io::Result<()> {
    match is_there {
        true => writeln!(out, "  {what}"),
        false => Ok(()),
    }
}

impl PlaceReport {
    fn spoken(&self) -> String {
        let mut said = format!("{} {}", self.application, self.native_identity);
        if let (Some(aggregation), Some(as_of)) = (self.aggregation, &self.as_of) {
            said += &format!(", aggregation {aggregation} of {as_of}");
        }
        if let (Some(file), Some(line)) = (&self.file, self.line) {
            said += &format!(", {file} line {line}");
        }
        said
    }
}
