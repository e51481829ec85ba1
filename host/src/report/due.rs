//! Who is due, and why.

use idr_core::model::UnixMillis;
use idr_core::time::Zone;
use serde::Serialize;

use super::text::local;
use crate::store::Due;

/// An identity that is due, or will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DueReport {
    /// The name.
    pub name: String,
    /// The number.
    pub uid: i64,
    /// Whether it is due now.
    pub due: bool,
    /// Why: `inputs-changed`, `wake-up`.
    pub reasons: Vec<&'static str>,
    /// The wake-up, passed or to come.
    pub wake_at: Option<String>,
    /// The same in the tenant's zone.
    #[serde(skip)]
    wake_shown: Option<String>,
}

impl DueReport {
    /// Returns the report on somebody who is due or wakes up later than `now`.
    pub fn of(due: Due, now: UnixMillis, zone: &Zone) -> Self {
        let woken = due.wake_at.is_some_and(|wake| wake <= now);
        let mut reasons = Vec::new();
        if due.inputs_changed {
            reasons.push("inputs-changed");
        }
        if woken || !due.inputs_changed {
            reasons.push("wake-up");
        }
        Self {
            name: due.name,
            uid: due.uid.0,
            due: due.inputs_changed || woken,
            reasons,
            wake_at: due.wake_at.map(|wake| wake.to_string()),
            wake_shown: due.wake_at.map(|wake| local(wake, zone)),
        }
    }

    /// Returns when it is due, in words.
    pub fn when(&self) -> &'static str {
        if self.due { "now" } else { "later" }
    }

    /// Returns why it is due, in words.
    pub fn why(&self) -> String {
        let wake = self.wake_shown.as_deref().unwrap_or_default();
        let words = self.reasons.iter().map(|reason| match *reason {
            "inputs-changed" => "an input changed".to_owned(),
            _ => format!("wakes up at {wake}"),
        });
        words.collect::<Vec<_>>().join("; ")
    }
}
