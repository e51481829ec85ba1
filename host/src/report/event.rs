//! Events, with what had changed.

use std::io::{self, Write};

use idr_core::model::{EventChange, Value};
use idr_core::time::Zone;
use serde::Serialize;
use serde_json::Value as Json;

use super::canonical::plain;
use super::text::local;
use crate::store::StoredEvent;

/// An event, as reports show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EventReport {
    /// Its id, which is the same whichever run finds it.
    pub id: String,
    /// The trigger that fired.
    pub trigger: String,
    /// The name of the identity now.
    pub name: String,
    /// The identity's number.
    pub uid: i64,
    /// Which of the identity's events it is.
    pub sequence: u64,
    /// When what it tells of took effect.
    pub effective_at: String,
    /// When the run that found it was started.
    pub detected_at: String,
    /// What had changed.
    pub changes: Vec<ChangeReport>,
    #[serde(skip)]
    shown: String,
    #[serde(skip)]
    detected_later: bool,
}

/// One thing that had changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeReport {
    /// An identity attribute, a reserved name, `role NAME` or `account …`.
    pub what: String,
    /// What it was.
    pub old: Option<Json>,
    /// What it is.
    pub new: Option<Json>,
    #[serde(skip)]
    shown: String,
}

impl EventReport {
    /// Returns the report on an event; `is_sensitive` says of an attribute
    /// whether its values are masked in the text.
    pub fn of(stored: StoredEvent, zone: &Zone, is_sensitive: &dyn Fn(&str) -> bool) -> Self {
        let event = stored.event;
        let change = |change: EventChange| ChangeReport::of(change, is_sensitive);
        Self {
            id: stored.id,
            trigger: event.trigger.to_string(),
            name: stored.name,
            uid: event.uid.0,
            sequence: event.sequence,
            effective_at: event.effective_at.to_string(),
            detected_at: event.detected_at.to_string(),
            changes: event.changes.into_iter().map(change).collect(),
            shown: local(event.effective_at, zone),
            detected_later: event.detected_at != event.effective_at,
        }
    }

    /// Writes the event for people, set in by some spaces.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, indentation: usize, out: &mut dyn Write) -> io::Result<()> {
        let margin = " ".repeat(indentation);
        writeln!(
            out,
            "{margin}{}  {}  {}",
            self.shown, self.trigger, self.name
        )?;
        if self.detected_later {
            writeln!(out, "{margin}    detected at {}", self.detected_at)?;
        }
        for change in &self.changes {
            writeln!(out, "{margin}    {}", change.shown)?;
        }
        Ok(())
    }
}

impl ChangeReport {
    fn of(change: EventChange, is_sensitive: &dyn Fn(&str) -> bool) -> Self {
        let masked = is_sensitive(&change.what);
        let json = |value: &Option<Value>| value.as_ref().map(plain);
        let text = |value: &Option<Value>| match value {
            Some(_) if masked => MASK.to_owned(),
            Some(value) => value.to_string(),
            None => "nothing".to_owned(),
        };
        let shown = match (&change.old, &change.new) {
            (Some(Value::Boolean(false)), Some(Value::Boolean(true))) if is_role(&change.what) => {
                format!("{}: gained", change.what)
            }
            (Some(Value::Boolean(true)), Some(Value::Boolean(false))) if is_role(&change.what) => {
                format!("{}: lost", change.what)
            }
            (old, new) => format!("{}: {} -> {}", change.what, text(old), text(new)),
        };
        Self {
            shown,
            old: json(&change.old),
            new: json(&change.new),
            what: change.what,
        }
    }
}

fn is_role(what: &str) -> bool {
    what.starts_with("role ")
}

/// What is shown instead of a sensitive value.
pub const MASK: &str = "(sensitive)";
