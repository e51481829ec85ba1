//! Runs, whom they select, and what they have planned.

use idr_core::meter::{self, Stage};
use idr_core::model::{Name, Uid, UnixMillis};
use rayon::prelude::*;
use rusqlite::{Connection, OptionalExtension, params};

use super::apply::{next_number, take_changed_keys};
use super::error::undecodable;
use super::identities::{INPUTS_CHANGED, above, row_limit};
use crate::store::{Awaited, Run, RunId, RunProgress, Selection, SpooledPlan, StoreError, codec};

/// See `Store::begin_run`.
pub(super) fn begin(
    connection: &Connection,
    run: &Run,
    chosen: &[Uid],
) -> Result<RunId, StoreError> {
    drop_what_is_over(connection)?;
    let id = RunId(next_number(connection, "SELECT max(id) FROM run")?);
    let run = Run { id, ..run.clone() };
    let mut statement =
        connection.prepare_cached("INSERT INTO run (id, status, document) VALUES (?1, ?2, ?3)")?;
    statement.execute(params![id.0, run.status.as_str(), codec::encode(&run)])?;
    let mut statement =
        connection.prepare_cached("INSERT OR IGNORE INTO chosen (run, uid) VALUES (?1, ?2)")?;
    for uid in chosen {
        statement.execute([id.0, uid.0])?;
    }
    Ok(id)
}

/// Drops whom runs that are over were asked to refresh, their selections, spools
/// and progress.
fn drop_what_is_over(connection: &Connection) -> Result<(), StoreError> {
    for table in ["chosen", "selection", "spool", "progress", "asked_to_stop"] {
        let sql = format!(
            "DELETE FROM {table} WHERE run IN
                 (SELECT id FROM run WHERE status IN ('done', 'failed', 'rejected', 'superseded', 'cancelled'))"
        );
        connection.execute(&sql, [])?;
    }
    Ok(())
}

/// Replaces what is stored of a run.
pub(super) fn update(connection: &Connection, run: &Run) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("UPDATE run SET status = ?2, document = ?3 WHERE id = ?1")?;
    statement.execute(params![run.id.0, run.status.as_str(), codec::encode(run)])?;
    Ok(())
}

/// See `Store::run`.
pub(super) fn run(connection: &Connection, id: RunId) -> Result<Option<Run>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT document FROM run WHERE id = ?1")?;
    let text: Option<String> = statement.query_row([id.0], |row| row.get(0)).optional()?;
    text.map(|text| decode_run(id.0, &text)).transpose()
}

/// See `Store::runs`.
pub(super) fn runs(connection: &Connection, limit: usize) -> Result<Vec<Run>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, document FROM run ORDER BY id DESC LIMIT ?1")?;
    let mut rows = statement.query([row_limit(limit)])?;
    let mut runs = Vec::new();
    while let Some(row) = rows.next()? {
        runs.push(decode_run(row.get(0)?, row.get_ref(1)?.as_str()?)?);
    }
    Ok(runs)
}

fn decode_run(id: i64, text: &str) -> Result<Run, StoreError> {
    codec::decode(text.as_bytes()).map_err(|error| undecodable::<Run>(id, &error))
}

/// See `Store::note_progress`.
pub(super) fn note_progress(
    connection: &Connection,
    run: RunId,
    progress: &RunProgress,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO progress (run, done, of, step_ms, elapsed_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    statement.execute([
        run.0,
        progress.done.cast_signed(),
        progress.of.cast_signed(),
        progress.step_ms.cast_signed(),
        progress.elapsed_ms.cast_signed(),
    ])?;
    Ok(())
}

/// See `Store::progress`.
pub(super) fn progress(
    connection: &Connection,
    run: RunId,
) -> Result<Option<RunProgress>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT done, of, step_ms, elapsed_ms FROM progress WHERE run = ?1")?;
    let number = |number: i64| number.cast_unsigned();
    let progress = statement.query_row([run.0], |row| {
        Ok(RunProgress {
            done: row.get(0).map(number)?,
            of: row.get(1).map(number)?,
            step_ms: row.get(2).map(number)?,
            elapsed_ms: row.get(3).map(number)?,
        })
    });
    Ok(progress.optional()?)
}

/// See `Store::ask_to_stop`.
pub(super) fn ask_to_stop(connection: &Connection, run: RunId) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("INSERT OR IGNORE INTO asked_to_stop (run) VALUES (?1)")?;
    statement.execute([run.0])?;
    Ok(())
}

/// See `Store::is_asked_to_stop`.
pub(super) fn is_asked_to_stop(connection: &Connection, run: RunId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM asked_to_stop WHERE run = ?1")?;
    Ok(statement.exists([run.0])?)
}

/// See `Store::select`.
pub(super) fn select(
    connection: &Connection,
    run: &Run,
    selection: &Selection,
) -> Result<u64, StoreError> {
    match selection {
        Selection::Readers {
            refreshed_at: Some(refreshed_at),
        } => note_refreshed(connection, run.id, *refreshed_at)?,
        Selection::Nobody { stay_due: true } => drop(connection.execute(
            "UPDATE identity SET input_version = input_version + 1
             WHERE uid IN (SELECT uid FROM selection WHERE run = ?1)",
            [run.id.0],
        )?),
        _ => {}
    }
    connection.execute("DELETE FROM selection WHERE run = ?1", [run.id.0])?;
    connection.execute("DELETE FROM spool WHERE run = ?1", [run.id.0])?;
    update(connection, run)?;
    let selected = match selection {
        Selection::Nobody { .. } => 0,
        Selection::All => connection.execute(
            "INSERT INTO selection (run, uid)
             SELECT ?1, uid FROM identity WHERE type <> 'workgroup' ORDER BY uid",
            [run.id.0],
        )?,
        Selection::Due(as_of) => {
            let sql = format!(
                "INSERT INTO selection (run, uid)
                 SELECT ?1, uid FROM identity WHERE {INPUTS_CHANGED}
                 UNION
                 SELECT ?1, uid FROM identity WHERE type <> 'workgroup' AND wake_at <= ?2
                 UNION
                 SELECT ?1, uid FROM identity WHERE type <> 'workgroup' AND retry_at <= ?2"
            );
            connection.execute(&sql, [run.id.0, as_of.0])?
        }
        Selection::Wake(instant) => connection.execute(
            "INSERT INTO selection (run, uid)
             SELECT ?1, uid FROM identity
             WHERE type <> 'workgroup' AND wake_at = ?2 ORDER BY uid",
            [run.id.0, instant.0],
        )?,
        Selection::Chosen => connection.execute(
            "INSERT INTO selection (run, uid)
             SELECT ?1, uid FROM chosen JOIN identity USING (uid)
             WHERE run = ?1 AND type <> 'workgroup' ORDER BY uid",
            [run.id.0],
        )?,
        Selection::ChosenWake(instant) => connection.execute(
            "INSERT INTO selection (run, uid)
             SELECT ?1, uid FROM chosen JOIN identity USING (uid)
             WHERE run = ?1 AND type <> 'workgroup' AND wake_at = ?2 ORDER BY uid",
            [run.id.0, instant.0],
        )?,
        Selection::Readers { .. } => select_readers(connection, run.id)?,
    };
    Ok(selected as u64)
}

/// Notes when whom the run has selected was refreshed.
fn note_refreshed(connection: &Connection, run: RunId, at: UnixMillis) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO last_refresh (uid, at)
         SELECT uid, ?2 FROM selection WHERE run = ?1 ORDER BY uid",
    )?;
    statement.execute([run.0, at.0])?;
    Ok(())
}

fn select_readers(connection: &Connection, run: RunId) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR IGNORE INTO selection (run, uid)
         SELECT ?1, uid FROM identity_read JOIN identity USING (uid)
         WHERE key_hash = ?2 AND type <> 'workgroup'",
    )?;
    if !connection
        .prepare_cached("SELECT 1 FROM identity_read")?
        .exists([])?
    {
        connection.execute("DELETE FROM changed_keys", [])?;
        return Ok(0);
    }
    let mut selected = 0;
    take_changed_keys(connection, |hashes| {
        for hash in hashes {
            selected += statement.execute([run.0, *hash])?;
        }
        Ok(())
    })?;
    Ok(selected)
}

/// See `Store::awaited`.
pub(super) fn awaited(connection: &Connection) -> Result<Awaited, StoreError> {
    let read = "SELECT 1 FROM identity_read";
    let sought = "SELECT DISTINCT attribute FROM account_lookup ORDER BY attribute";
    let mut sought = connection.prepare_cached(sought)?;
    let attributes = sought.query_map([], |row| Ok(Name::new(row.get_ref(0)?.as_str()?)))?;
    Ok(Awaited {
        by_readers: connection.prepare_cached(read)?.exists([])?,
        by_accounts: attributes.collect::<Result<_, _>>()?,
    })
}

/// See `Store::has_readers`.
pub(super) fn has_readers(connection: &Connection, hashes: &[i64]) -> Result<bool, StoreError> {
    let noted = "SELECT 1 FROM changed_keys";
    if connection.prepare_cached(noted)?.exists([])? {
        return Ok(true);
    }
    let mut read = connection.prepare_cached("SELECT 1 FROM identity_read WHERE key_hash = ?1")?;
    for hash in hashes {
        if read.exists([*hash])? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// See `Store::selected`.
pub(super) fn selected(
    connection: &Connection,
    run: RunId,
    after: Option<Uid>,
    limit: usize,
) -> Result<Vec<Uid>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT uid FROM selection WHERE run = ?1 AND uid > ?2 ORDER BY uid LIMIT ?3",
    )?;
    let rows = statement.query_map([run.0, above(after), row_limit(limit)], |row| {
        row.get(0).map(Uid)
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// So many documents are made by one thread at a time.
const ENCODED_TOGETHER: usize = 64;

/// Makes the documents of plans on all threads, while nothing is being written yet.
pub(super) fn documents(plans: &[SpooledPlan]) -> Vec<String> {
    let parts = plans.par_chunks(ENCODED_TOGETHER).flat_map_iter(|part| {
        let _section = meter::section(Stage::Encode);
        part.iter().map(codec::encode).collect::<Vec<_>>()
    });
    parts.collect()
}

/// See `Store::spool`.
///
/// - `documents`: those of the plans, see [`documents`].
pub(super) fn spool(
    connection: &Connection,
    run: RunId,
    plans: &[SpooledPlan],
    documents: &[String],
) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare_cached("INSERT OR REPLACE INTO spool (run, uid, document) VALUES (?1, ?2, ?3)")?;
    for (plan, document) in plans.iter().zip(documents) {
        statement.execute(params![run.0, plan.uid.0, document])?;
    }
    Ok(())
}

/// See `Store::spooled`.
pub(super) fn spooled(
    connection: &Connection,
    run: RunId,
    after: Option<Uid>,
    limit: usize,
) -> Result<Vec<SpooledPlan>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT uid, document FROM spool WHERE run = ?1 AND uid > ?2 ORDER BY uid LIMIT ?3",
    )?;
    let mut rows = statement.query([run.0, above(after), row_limit(limit)])?;
    let mut plans = Vec::new();
    while let Some(row) = rows.next()? {
        let uid = Uid(row.get(0)?);
        let plan: SpooledPlan = codec::decode(row.get_ref(1)?.as_bytes()?)
            .map_err(|error| undecodable::<SpooledPlan>(uid, &error))?;
        plans.push(SpooledPlan { uid, ..plan });
    }
    Ok(plans)
}
