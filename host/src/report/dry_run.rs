//! What a dry run comes to: the run's report, and whom it would change how.

use std::io::{self, Write};

use idr_core::definitions::Model;
use idr_core::model::Name;
use serde::Serialize;

use super::effect::EffectReport;
use super::event::EventReport;
use super::held::HeldReport;
use super::run::RunReport;
use super::text::{Table, grouped};
use crate::refresh::Preview;
use crate::store::{AuditQuery, EffectQuery, EventQuery, RunStatus, Stage, StoreError};

/// So many changes, events and effects are listed at most: the report counts all.
const LISTED: usize = 1_000;

/// Of these so many are shown to people.
const SHOWN: usize = 20;

/// What a run would do.
#[derive(Clone, Debug, Serialize)]
pub struct DryRunReport {
    /// The report that the run would give.
    #[serde(flatten)]
    pub run: RunReport,
    /// What it would be held for, and not do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would: Option<HeldReport>,
    /// Whom it would change, in the order in which it would; the last 1,000.
    pub changes: Vec<IdentityChange>,
    /// The events that it would fire; the last 1,000.
    pub fired: Vec<EventReport>,
    /// What it would put into the outbox: account actions, work items and what
    /// handlers do; the last 1,000.
    pub effects: Vec<EffectReport>,
}

/// What would become of an identity at an instant.
#[derive(Clone, Debug, Serialize)]
pub struct IdentityChange {
    /// The name of the identity.
    pub name: String,
    /// The instant.
    pub at: String,
    /// What changes, as the audit would say it: no values of attributes.
    pub what: String,
}

impl DryRunReport {
    /// Returns the report on what was tried.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the copy can't be read.
    pub fn of(preview: &Preview, model: &Model) -> Result<Self, StoreError> {
        let (run, store, zone) = (&preview.run, preview.store.as_ref(), &model.zone);
        let counters = &run.counters;
        let listed = |number: u64| LISTED.min(usize::try_from(number).unwrap_or(LISTED));
        let number = listed(counters.events.values().sum());
        let is_sensitive = |what: &str| {
            let index = Name::known(what).and_then(|name| model.attribute_index(name));
            index.is_some_and(|index| model.attributes[index].sensitive)
        };
        let mut fired: Vec<EventReport> = Vec::new();
        for event in store.events(&EventQuery::default(), number)? {
            fired.push(EventReport::of(event, zone, &is_sensitive));
        }
        fired.reverse();
        let number = counters.changes.get("effects").copied();
        let number = listed(number.unwrap_or_default());
        let mut effects: Vec<EffectReport> = Vec::new();
        for effect in store.effects(&EffectQuery::default(), number)? {
            effects.push(EffectReport::of(effect, model, zone));
        }
        effects.reverse();
        // Held by a trigger's threshold, its plans are carried out already.
        let would = match run.status {
            RunStatus::Held if run.step.stage != Stage::Events => {
                Some(HeldReport::of(run.id, store)?)
            }
            _ => None,
        };
        Ok(Self {
            would,
            changes: changes(preview)?,
            run: RunReport::of_dry_run(run, store, zone)?,
            fired,
            effects,
        })
    }

    /// Writes the report for people. `command` is how the program is called for
    /// this tenant.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, command: &str, out: &mut dyn Write) -> io::Result<()> {
        self.run.write(command, out)?;
        if let Some(would) = &self.would {
            would.write(out)?;
        }
        let mut table = Table::plain(4);
        for change in self.changes.iter().take(SHOWN) {
            table.row([&change.name, &change.what]);
        }
        heading("changes", self.changes.len(), self.run.changed, out)?;
        table.write(out)?;
        let total: u64 = self.run.events.values().sum();
        heading("would fire", self.fired.len(), total, out)?;
        for event in self.fired.iter().take(SHOWN) {
            event.write(4, out)?;
        }
        let total = self.run.counters.get("effects").copied();
        let total = total.unwrap_or_default();
        heading("would do", self.effects.len(), total, out)?;
        let mut table = Table::plain(4);
        for effect in self.effects.iter().take(SHOWN) {
            let [at, name, what, _] = effect.row();
            table.row([at, name, what]);
        }
        table.write(out)
    }
}

/// Begins a list, if there is anything in it.
fn heading(what: &str, listed: usize, total: u64, out: &mut dyn Write) -> io::Result<()> {
    match listed {
        0 => Ok(()),
        1..=SHOWN => writeln!(out, "  {what}"),
        _ => writeln!(
            out,
            "  {what}: {SHOWN} of {}; --json lists up to {}",
            grouped(total.max(listed as u64)),
            grouped(LISTED as u64)
        ),
    }
}

fn changes(preview: &Preview) -> Result<Vec<IdentityChange>, StoreError> {
    let query = AuditQuery {
        action: Some("refresh".to_owned()),
        ..AuditQuery::default()
    };
    let of_run = format!("run {}: ", preview.run.id.0);
    let mut changes = Vec::new();
    for entry in preview.store.audit_entries(&query, LISTED)? {
        if let Some(what) = entry.reason.strip_prefix(&of_run) {
            changes.push(IdentityChange {
                name: entry.subject,
                at: entry.at.to_string(),
                what: what.to_owned(),
            });
        }
    }
    changes.reverse();
    Ok(changes)
}
