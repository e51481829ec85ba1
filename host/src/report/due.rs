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
    /// Why: `inputs-changed`, `wake-up`, `retry`.
    pub reasons: Vec<&'static str>,
    /// The wake-up, passed or to come.
    pub wake_at: Option<String>,
    /// When what failed is asked again, passed or to come.
    pub retry_at: Option<String>,
    /// The earlier of the two.
    #[serde(skip)]
    pub next_at: Option<UnixMillis>,
    /// Both in the tenant's zone.
    #[serde(skip)]
    shown: [String; 2],
}

impl DueReport {
    /// Returns the report on somebody who is due, or will be later than `now`.
    pub fn of(due: Due, now: UnixMillis, zone: &Zone) -> Self {
        let moments = [("wake-up", due.wake_at), ("retry", due.retry_at)];
        let has_come = |at: Option<UnixMillis>| at.is_some_and(|at| at <= now);
        let is_due = due.inputs_changed || moments.iter().any(|(_, at)| has_come(*at));
        let counts = |at: Option<UnixMillis>| match is_due {
            true => has_come(at),
            false => at.is_some(),
        };
        let changed = due.inputs_changed.then_some("inputs-changed");
        let come = moments.into_iter().filter(|(_, at)| counts(*at));
        let shown = |at: Option<UnixMillis>| at.map_or_else(String::new, |at| local(at, zone));
        Self {
            name: due.name,
            uid: due.uid.0,
            due: is_due,
            reasons: changed
                .into_iter()
                .chain(come.map(|(why, _)| why))
                .collect(),
            wake_at: due.wake_at.map(|at| at.to_string()),
            retry_at: due.retry_at.map(|at| at.to_string()),
            next_at: [due.wake_at, due.retry_at].into_iter().flatten().min(),
            shown: [due.wake_at, due.retry_at].map(shown),
        }
    }

    /// Returns when it is due, in words.
    pub fn when(&self) -> &'static str {
        if self.due { "now" } else { "later" }
    }

    /// Returns why it is due, in words.
    pub fn why(&self) -> String {
        let [wake, retry] = &self.shown;
        let words = self.reasons.iter().map(|reason| match *reason {
            "inputs-changed" => "an input changed".to_owned(),
            "retry" => format!("retry at {retry}"),
            _ => format!("wakes up at {wake}"),
        });
        words.collect::<Vec<_>>().join("; ")
    }
}
