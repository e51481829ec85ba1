//! Findings: what is wrong now, the most severe first.

use std::io::{self, Write};

use idr_core::model::UnixMillis;
use serde::Serialize;

use super::text::{counted, shortened};
use crate::store::{Store, StoreError, StoredFinding};

/// A finding, as reports show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingReport {
    /// Its number.
    pub number: i64,
    /// `access-at-risk`, `error` or `warning`.
    pub severity: &'static str,
    /// The identity or application that it is about.
    pub name: String,
    /// The number of the identity; none for an application.
    pub uid: Option<i64>,
    /// The phase that found it.
    pub phase: &'static str,
    /// What it is about: an attribute, role, trigger, rule or line.
    pub subject: String,
    /// What kind of trouble it is.
    pub cause: String,
    /// The trouble in words.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// When it was first seen.
    pub first_seen: String,
    /// When it was closed.
    pub closed_at: Option<String>,
    /// Until when it is muted: then it doesn't count as open.
    pub muted_until: Option<String>,
    #[serde(skip)]
    muted_until_ms: Option<UnixMillis>,
}

impl From<StoredFinding> for FindingReport {
    fn from(stored: StoredFinding) -> Self {
        let finding = stored.finding;
        Self {
            number: stored.number,
            severity: finding.severity.as_str(),
            name: stored.name,
            uid: stored.uid.map(|uid| uid.0),
            phase: finding.phase,
            subject: finding.subject,
            cause: finding.cause.to_string(),
            message: finding.message,
            hint: finding.hint,
            first_seen: stored.first_seen.to_string(),
            closed_at: stored.closed_at.map(|at| at.to_string()),
            muted_until: stored.muted_until.map(|until| until.to_string()),
            muted_until_ms: stored.muted_until,
        }
    }
}

impl FindingReport {
    /// Returns the open findings, the most severe first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub fn open(store: &dyn Store) -> Result<Vec<Self>, StoreError> {
        Self::list(store, false, usize::MAX)
    }

    /// Returns open findings, and with `closed` closed ones as well.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub fn list(store: &dyn Store, closed: bool, limit: usize) -> Result<Vec<Self>, StoreError> {
        let findings = store.findings(closed, limit)?;
        Ok(findings.into_iter().map(Self::from).collect())
    }

    /// Says whether it is muted at an instant.
    pub fn is_muted(&self, at: UnixMillis) -> bool {
        self.muted_until_ms.is_some_and(|until| until > at)
    }

    fn kind(&self) -> (&str, &str, &str, &str) {
        (self.severity, self.phase, &self.subject, &self.cause)
    }
}

/// Writes findings for people: those of one kind together, with the first
/// message and hint and some of the names. Only `most` kinds when given.
///
/// # Errors
///
/// As writing to `out`.
pub fn write_findings(
    findings: &[FindingReport],
    most: Option<usize>,
    command: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut kinds: Vec<Vec<&FindingReport>> = Vec::new();
    for finding in findings {
        match kinds
            .iter_mut()
            .find(|known| known[0].kind() == finding.kind())
        {
            Some(known) => known.push(finding),
            None => kinds.push(vec![finding]),
        }
    }
    let most = most.unwrap_or(usize::MAX);
    for kind in kinds.iter().take(most) {
        let first = kind[0];
        writeln!(
            out,
            "    {}  {}  {}: {}",
            first.severity,
            whom(kind),
            first.phase,
            first.subject
        )?;
        writeln!(out, "      {}", shortened(&first.message, 300))?;
        if let Some(hint) = &first.hint {
            writeln!(out, "      hint: {hint}")?;
        }
    }
    let more: usize = kinds.iter().skip(most).map(Vec::len).sum();
    if more > 0 {
        writeln!(
            out,
            "    and {} more: {command} finding list",
            counted(more as u64, "finding", "findings")
        )?;
    }
    Ok(())
}

/// Returns `alice`, `alice, bob, carol` or `alice, bob and 12 others`.
fn whom(kind: &[&FindingReport]) -> String {
    let names: Vec<&str> = kind.iter().map(|finding| finding.name.as_str()).collect();
    match names.as_slice() {
        few @ ([_] | [_, _] | [_, _, _]) => few.join(", "),
        many => format!("{}, {} and {} others", many[0], many[1], many.len() - 2),
    }
}
