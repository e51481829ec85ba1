//! What is recorded for people: events, findings, and the audit.

use idr_core::model::{Event, Finding, Severity, Uid, UnixMillis, finding};
use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::error::undecodable;
use super::identities::{name_column, row_limit};
use crate::store::documents::EventRow;
use crate::store::{
    AuditEntry, AuditQuery, EventQuery, StoreError, StoredEvent, StoredFinding, codec,
};

/// Records events that aren't recorded yet.
pub(super) fn record_events<'e>(
    connection: &Connection,
    events: impl Iterator<Item = (&'e Event, &'e EventRow)>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO event (id, uid, sequence, trigger, document)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (event, row) in events {
        statement.execute(params![
            row.id,
            event.uid.0,
            event.sequence.cast_signed(),
            event.trigger.as_str(),
            row.document,
        ])?;
    }
    Ok(())
}

/// See `Store::events`.
pub(super) fn events(
    connection: &Connection,
    query: &EventQuery,
    limit: usize,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut conditions = vec!["1".to_owned()];
    let mut values = vec![SqlValue::Integer(row_limit(limit))];
    if let Some(uid) = query.uid {
        values.push(SqlValue::Integer(uid.0));
        conditions.push(format!("event.uid = ?{}", values.len()));
    }
    if let Some(trigger) = query.trigger {
        values.push(SqlValue::Text(trigger.to_string()));
        conditions.push(format!("event.trigger = ?{}", values.len()));
    }
    let sql = format!(
        "SELECT event.id, coalesce(identity.name, ''), event.document
         FROM event LEFT JOIN identity ON identity.uid = event.uid
         WHERE {} ORDER BY event.number DESC LIMIT ?1",
        conditions.join(" AND ")
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let event = codec::decode(row.get_ref(2)?.as_bytes()?)
            .map_err(|error| undecodable::<Event>(&id, &error))?;
        events.push(StoredEvent {
            id,
            name: row.get(1)?,
            event,
        });
    }
    Ok(events)
}

/// What findings are about.
#[derive(Clone, Copy)]
pub(super) enum About<'a> {
    Identity(Uid),
    Application(&'a str),
}

/// Replaces the open findings about something: updates those that are still the
/// case, closes those that aren't, opens the others.
pub(super) fn set_findings(
    connection: &Connection,
    about: About<'_>,
    findings: &[Finding],
    at: UnixMillis,
) -> Result<(), StoreError> {
    let mut known: Vec<Finding> = Vec::new();
    for (number, stored) in open_about(connection, about)? {
        match findings.iter().find(|finding| finding.is_same(&stored)) {
            None => {
                let mut close = connection
                    .prepare_cached("UPDATE finding SET closed_at = ?2 WHERE number = ?1")?;
                close.execute([number, at.0])?;
                continue;
            }
            Some(finding) if *finding != stored => {
                let mut update = connection.prepare_cached(
                    "UPDATE finding SET severity = ?2, message = ?3, hint = ?4 WHERE number = ?1",
                )?;
                let severity = severity_column(finding.severity);
                update.execute(params![number, severity, finding.message, finding.hint])?;
            }
            Some(_) => {}
        }
        known.push(stored);
    }
    for finding in findings {
        if known.iter().any(|known| known.is_same(finding)) {
            continue;
        }
        open(connection, about, finding, at)?;
        known.push(finding.clone());
    }
    Ok(())
}

fn open(
    connection: &Connection,
    about: About<'_>,
    finding: &Finding,
    at: UnixMillis,
) -> Result<(), StoreError> {
    let (uid, application) = match about {
        About::Identity(uid) => (Some(uid.0), ""),
        About::Application(application) => (None, application),
    };
    let mut insert = connection.prepare_cached(
        "INSERT INTO finding (uid, application, severity, phase, subject, cause, message, hint,
             first_seen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    insert.execute(params![
        uid,
        application,
        severity_column(finding.severity),
        finding.phase,
        finding.subject,
        finding.cause.as_str(),
        finding.message,
        finding.hint,
        at.0,
    ])?;
    Ok(())
}

fn open_about(
    connection: &Connection,
    about: About<'_>,
) -> Result<Vec<(i64, Finding)>, StoreError> {
    let mut statement;
    let mut rows = match about {
        About::Identity(uid) => {
            statement = connection.prepare_cached(
                "SELECT severity, phase, subject, cause, message, hint, number FROM finding
                 WHERE closed_at IS NULL AND uid = ?1 ORDER BY number",
            )?;
            statement.query([uid.0])?
        }
        About::Application(application) => {
            statement = connection.prepare_cached(
                "SELECT severity, phase, subject, cause, message, hint, number FROM finding
                 WHERE closed_at IS NULL AND uid IS NULL AND application = ?1 ORDER BY number",
            )?;
            statement.query([application])?
        }
    };
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        findings.push((row.get(6)?, finding_from(row)?));
    }
    Ok(findings)
}

/// See `Store::findings`.
pub(super) fn findings(
    connection: &Connection,
    closed: bool,
    limit: usize,
) -> Result<Vec<StoredFinding>, StoreError> {
    let condition = if closed { "1" } else { "closed_at IS NULL" };
    let sql = format!(
        "SELECT severity, phase, subject, cause, message, hint,
             finding.uid, coalesce(identity.name, application), first_seen, closed_at,
             number, muted_until
         FROM finding LEFT JOIN identity ON identity.uid = finding.uid
         WHERE {condition}
         ORDER BY severity, finding.uid, phase, subject, cause, message, hint, number LIMIT ?1"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([row_limit(limit)])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        findings.push(StoredFinding {
            uid: row.get::<_, Option<i64>>(6)?.map(Uid),
            name: row.get(7)?,
            finding: finding_from(row)?,
            first_seen: UnixMillis(row.get(8)?),
            closed_at: row.get::<_, Option<i64>>(9)?.map(UnixMillis),
            number: row.get(10)?,
            muted_until: row.get::<_, Option<i64>>(11)?.map(UnixMillis),
        });
    }
    Ok(findings)
}

/// Returns the place of a severity: the order in which findings are shown.
fn severity_column(severity: Severity) -> i64 {
    let place = Severity::ALL
        .iter()
        .position(|(_, known)| *known == severity);
    place.expect("every case is listed") as i64
}

/// Reads a finding from the first columns.
pub(super) fn finding_from(row: &Row<'_>) -> Result<Finding, StoreError> {
    let unknown = |what: &str| StoreError::Corrupt {
        what: "a finding".to_owned(),
        message: format!("there is no such {what}"),
    };
    let severity: u8 = row.get(0)?;
    let (_, severity) = Severity::ALL
        .get(usize::from(severity))
        .ok_or_else(|| unknown("severity"))?;
    let phase = finding::known_phase(row.get_ref(1)?.as_str()?);
    Ok(Finding {
        severity: *severity,
        phase: phase.ok_or_else(|| unknown("phase"))?,
        subject: row.get(2)?,
        cause: name_column(row, 3)?,
        message: row.get(4)?,
        hint: row.get(5)?,
    })
}

/// See `Store::open_findings`.
pub(super) fn open_findings(connection: &Connection, at: UnixMillis) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM finding
         WHERE closed_at IS NULL AND (muted_until IS NULL OR muted_until <= ?1)",
    )?;
    let count: i64 = statement.query_row([at.0], |row| row.get(0))?;
    Ok(count.cast_unsigned())
}

/// See `Store::mute_findings`.
pub(super) fn mute_findings(
    connection: &Connection,
    numbers: &[i64],
    until: Option<UnixMillis>,
) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "UPDATE finding SET muted_until = ?2 WHERE number = ?1 AND closed_at IS NULL",
    )?;
    let mut muted = 0;
    for number in numbers {
        muted += statement.execute(params![number, until.map(|until| until.0)])?;
    }
    Ok(muted as u64)
}

/// Adds an entry to the audit.
pub(super) fn audit(connection: &Connection, entry: &AuditEntry) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO audit (at, actor, action, subject, reason) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    statement.execute(params![
        entry.at.0,
        entry.actor,
        entry.action,
        entry.subject,
        entry.reason,
    ])?;
    Ok(())
}

/// See `Store::audit_entries`.
pub(super) fn audit_entries(
    connection: &Connection,
    query: &AuditQuery,
    limit: usize,
) -> Result<Vec<AuditEntry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT at, actor, action, subject, reason FROM audit
         WHERE (?2 IS NULL OR actor = ?2) AND (?3 IS NULL OR action = ?3)
           AND (?4 IS NULL OR subject = ?4
                OR substr(subject, 1, length(?4) + 1) = ?4 || ' ')
         ORDER BY number DESC LIMIT ?1",
    )?;
    let wanted = params![row_limit(limit), query.actor, query.action, query.subject];
    let rows = statement.query_map(wanted, |row| {
        Ok(AuditEntry {
            at: UnixMillis(row.get(0)?),
            actor: row.get(1)?,
            action: row.get(2)?,
            subject: row.get(3)?,
            reason: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
