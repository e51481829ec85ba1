//! PostgreSQL.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::types::ToSql;
use postgres::{Client, Config, NoTls};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Column, Engine, Row, quoted, quoted_table};
use crate::connect::ConnectError;

/// A connection to a PostgreSQL database.
pub(super) struct Postgres {
    application: String,
    client: Client,
}

/// Connects to a database. The connection is encrypted unless the server is on
/// this machine, or the address itself says `sslmode`.
pub(super) fn open(
    application: &str,
    address: &str,
    certificates: Option<&Path>,
    timeout_ms: u64,
) -> Result<Postgres, ConnectError> {
    // What the library says of an address might show the password in it.
    let mut config: Config = address
        .parse()
        .map_err(|_| super::wrong_address(application))?;
    let timeout = Duration::from_millis(timeout_ms);
    config
        .application_name("idr")
        .connect_timeout(timeout)
        .tcp_user_timeout(timeout)
        // Values are read and written as ISO 8601 says, whatever the server's habits.
        .options(&format!(
            "-c statement_timeout={timeout_ms} -c lock_timeout={timeout_ms} \
             -c DateStyle=ISO -c TimeZone=UTC -c standard_conforming_strings=on"
        ));
    let said = address.contains("sslmode=");
    if !said {
        config.ssl_mode(match is_local(&config) {
            true => SslMode::Prefer,
            false => SslMode::Require,
        });
    }
    let client = match config.get_ssl_mode() {
        SslMode::Disable => config.connect(NoTls),
        _ => config.connect(tls(application, certificates)?),
    };
    let client = client.map_err(|error| failure(application, &error))?;
    Ok(Postgres {
        application: application.to_owned(),
        client,
    })
}

fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        Host::Unix(_) => true,
    })
}

fn tls(application: &str, certificates: Option<&Path>) -> Result<MakeRustlsConnect, ConnectError> {
    let mut roots = RootCertStore::empty();
    match certificates {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(path) => {
            let unusable = |message: String| ConnectError::Settings {
                application: application.to_owned(),
                message: format!("connector.certificates: `{}` {message}", path.display()),
                hint: Some("name a file with certificates in PEM".to_owned()),
            };
            let read = CertificateDer::pem_file_iter(path)
                .map_err(|error| unusable(format!("can't be read: {error}")))?;
            for certificate in read {
                certificate
                    .map_err(|error| error.to_string())
                    .and_then(|known| roots.add(known).map_err(|error| error.to_string()))
                    .map_err(|error| unusable(format!("has no such: {error}")))?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConnectError::unavailable(application, error.to_string()))?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

impl Postgres {
    fn run(&mut self, sql: &str) -> Result<(), ConnectError> {
        let run = self.client.batch_execute(sql);
        run.map_err(|error| failure(&self.application, &error))
    }
}

impl Engine for Postgres {
    fn columns(&mut self, table: &str) -> Result<Option<Vec<Column>>, ConnectError> {
        // A type's name with the modifier -1 has no length: a value that is too
        // long is an error, and not cut.
        let sql = "SELECT attname::text, format_type(atttypid, -1) FROM pg_attribute
                   WHERE attrelid = to_regclass($1::text) AND attnum > 0 AND NOT attisdropped
                   ORDER BY attnum";
        let rows = self.query(sql, &[Some(quoted_table(table))])?;
        let columns: Vec<Column> = rows
            .into_iter()
            .filter_map(|row| {
                let mut fields = row.into_iter().flatten();
                Some(Column {
                    name: fields.next()?,
                    sql_type: fields.next()?,
                })
            })
            .collect();
        Ok((!columns.is_empty()).then_some(columns))
    }

    fn parameter(&self, number: usize, column: &Column) -> String {
        // The type's name is the catalogue's own, as it is written in SQL.
        format!("${number}::text::{}", column.sql_type)
    }

    fn text_of(&self, column: &Column) -> String {
        let name = quoted(&column.name);
        match column.sql_type.as_str() {
            "timestamp with time zone" => {
                format!("to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
            }
            _ => format!("{name}::text"),
        }
    }

    fn written(&self, text: String, _column: &Column) -> String {
        text
    }

    fn begin(&mut self, write: bool) -> Result<(), ConnectError> {
        self.run(match write {
            true => "BEGIN",
            false => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })
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
        let values: Vec<&(dyn ToSql + Sync)> = values
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        let rows = self.client.query(sql, &values);
        let rows = rows.map_err(|error| failure(&self.application, &error))?;
        let read = |row: &postgres::Row| -> Result<Row, postgres::Error> {
            (0..row.len()).map(|index| row.try_get(index)).collect()
        };
        rows.iter()
            .map(|row| read(row).map_err(|error| failure(&self.application, &error)))
            .collect()
    }

    fn execute(&mut self, sql: &str, values: &[Option<String>]) -> Result<u64, ConnectError> {
        let values: Vec<&(dyn ToSql + Sync)> = values
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        let written = self.client.execute(sql, &values);
        written.map_err(|error| failure(&self.application, &error))
    }
}

/// What passes by itself, by class of SQLSTATE: lost connections, too many of
/// them, rolled back for others' sake, stopped by the operator.
const PASSING: [&str; 5] = ["08", "53", "40", "57", "55"];

/// Values that don't fit their column: what the server says shows the value.
const DATA: &str = "22";

fn failure(application: &str, error: &postgres::Error) -> ConnectError {
    let Some(said) = error.as_db_error() else {
        let mut message = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            message += &format!(": {cause}");
        }
        return ConnectError::unavailable(application, message);
    };
    let code = said.code().code();
    if PASSING.iter().any(|class| code.starts_with(class)) {
        return ConnectError::unavailable(application, format!("{} ({code})", said.message()));
    }
    let message = match code.starts_with(DATA) {
        true => format!("a value doesn't fit its column ({code})"),
        false => format!("{} ({code})", said.message()),
    };
    ConnectError::refused(application, message)
}
