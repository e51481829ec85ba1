//! Work items: what people are to do, or have done.

use std::io::{self, Write};

use idr_core::time::Zone;
use serde::Serialize;

use super::text::local;
use crate::store::StoredWorkItem;

/// A work item, as reports show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OpenWorkItemReport {
    /// Its id.
    pub id: String,
    /// `open`, `done` or `withdrawn`.
    pub status: &'static str,
    /// The effect that it is for.
    pub effect: String,
    /// The name of the identity that it is about.
    pub name: String,
    /// The identity's number.
    pub uid: i64,
    /// The name of whoever is to do it; null for nobody.
    pub owner: Option<String>,
    /// What to do.
    pub description: String,
    /// When it was opened.
    pub opened_at: String,
    /// When it was done.
    pub closed_at: Option<String>,
    /// By whom.
    pub closed_by: Option<String>,
    /// What that person says of it.
    pub comment: Option<String>,
    #[serde(skip)]
    shown_at: String,
}

impl OpenWorkItemReport {
    /// Returns the report on a work item.
    pub fn of(stored: StoredWorkItem, zone: &Zone) -> Self {
        let item = stored.item;
        Self {
            id: item.id,
            status: stored.status.as_str(),
            effect: item.effect,
            name: stored.name,
            uid: item.uid.0,
            owner: item.owner,
            description: item.description,
            opened_at: item.opened_at.to_string(),
            closed_at: stored.closed_at.map(|at| at.to_string()),
            closed_by: stored.closed_by,
            comment: stored.comment,
            shown_at: local(item.opened_at, zone),
        }
    }

    /// Returns the row for people: id, when, for whom, about whom, what, and how
    /// it stands.
    pub fn row(&self) -> [String; 6] {
        [
            self.id.clone(),
            self.shown_at.clone(),
            self.owner.clone().unwrap_or_else(|| "nobody".to_owned()),
            self.name.clone(),
            self.description.clone(),
            self.status.to_owned(),
        ]
    }

    /// Writes the work item for people.
    ///
    /// # Errors
    ///
    /// As writing to `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.description)?;
        let owner = self.owner.as_deref().unwrap_or("nobody");
        writeln!(out, "  for {owner}, about {}", self.name)?;
        writeln!(out, "  opened {}", self.shown_at)?;
        match (&self.closed_at, &self.closed_by) {
            (Some(at), Some(by)) => {
                writeln!(out, "  done {at} by {by}")?;
            }
            _ => writeln!(out, "  {}", self.status)?,
        }
        if let Some(comment) = &self.comment {
            writeln!(out, "  {comment}")?;
        }
        Ok(())
    }
}
