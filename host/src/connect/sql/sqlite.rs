//! SQLite files.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};

use super::{Column, Engine, Row, quoted};
use crate::connect::ConnectError;

/// A connection to a SQLite file.
pub(super) struct Sqlite {
    application: String,
    connection: Connection,
}

/// Opens a file, which must be there.
pub(super) fn open(
    application: &str,
    path: &Path,
    timeout_ms: u64,
) -> Result<Sqlite, ConnectError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |error| failure(application, &error);
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    let timeout = Duration::from_millis(timeout_ms);
    connection.busy_timeout(timeout).map_err(failed)?;
    connection
        .pragma_update(None, "foreign_keys", true)
        .map_err(failed)?;
    Ok(Sqlite {
        application: application.to_owned(),
        connection,
    })
}

impl Sqlite {
    fn run(&self, sql: &str) -> Result<(), ConnectError> {
        let run = self.connection.execute_batch(sql);
        run.map_err(|error| failure(&self.application, &error))
    }
}

impl Engine for Sqlite {
    fn columns(&mut self, table: &str) -> Result<Option<Vec<Column>>, ConnectError> {
        let (schema, table) = table.split_once('.').unwrap_or(("main", table));
        let read = || -> rusqlite::Result<Vec<Column>> {
            let sql = "SELECT name, type FROM pragma_table_info(?1, ?2)";
            let mut statement = self.connection.prepare_cached(sql)?;
            let columns = statement.query_map([table, schema], |row| {
                Ok(Column {
                    name: row.get(0)?,
                    sql_type: row.get::<_, String>(1)?.to_uppercase(),
                })
            })?;
            columns.collect()
        };
        let columns = read().map_err(|error| failure(&self.application, &error))?;
        Ok((!columns.is_empty()).then_some(columns))
    }

    fn parameter(&self, number: usize, _column: &Column) -> String {
        format!("?{number}")
    }

    fn text_of(&self, column: &Column) -> String {
        format!("CAST({} AS TEXT)", quoted(&column.name))
    }

    /// Truth values are 0 and 1 where a column is for numbers.
    fn written(&self, text: String, column: &Column) -> String {
        let numeric = column.sql_type.contains("INT") || column.sql_type.contains("BOOL");
        match text.as_str() {
            "true" if numeric => "1".to_owned(),
            "false" if numeric => "0".to_owned(),
            _ => text,
        }
    }

    fn begin(&mut self, write: bool) -> Result<(), ConnectError> {
        self.run(if write { "BEGIN IMMEDIATE" } else { "BEGIN" })
    }

    fn commit(&mut self) -> Result<(), ConnectError> {
        self.run("COMMIT")
    }

    fn rollback(&mut self) {
        if let Err(error) = self.run("ROLLBACK") {
            tracing::debug!("{error}");
        }
    }

    fn query(&mut self, sql: &str, values: &[Option<String>]) -> Result<Vec<Row>, ConnectError> {
        let read = || -> rusqlite::Result<Vec<Row>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let width = statement.column_count();
            let mut rows = statement.query(params_from_iter(values.iter().map(bound)))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let fields = (0..width).map(|index| row.get(index));
                found.push(fields.collect::<rusqlite::Result<Row>>()?);
            }
            Ok(found)
        };
        read().map_err(|error| failure(&self.application, &error))
    }

    fn execute(&mut self, sql: &str, values: &[Option<String>]) -> Result<u64, ConnectError> {
        let write = || -> rusqlite::Result<usize> {
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.execute(params_from_iter(values.iter().map(bound)))
        };
        let written = write().map_err(|error| failure(&self.application, &error))?;
        Ok(written as u64)
    }
}

fn bound(value: &Option<String>) -> SqlValue {
    match value {
        Some(text) => SqlValue::Text(text.clone()),
        None => SqlValue::Null,
    }
}

fn failure(application: &str, error: &rusqlite::Error) -> ConnectError {
    let passing = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::CannotOpen
                | ErrorCode::SystemIoFailure
                | ErrorCode::DiskFull
                | ErrorCode::OutOfMemory
        )
    );
    match passing {
        true => ConnectError::unavailable(application, error.to_string()),
        false => ConnectError::refused(application, error.to_string()),
    }
}
