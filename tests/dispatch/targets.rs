//! Databases to test with: a SQLite file each, and where there is a PostgreSQL
//! (`IDR_TEST_POSTGRES`, see `tests/with-postgres`) a schema each. Where there is none
//! that is said aloud, or fails with `IDR_TEST_POSTGRES_REQUIRED`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use idr::aggregate::connector::{
    Connector as Settings, Database, DatabaseAddress, ListTable, StatusColumn,
};
use idr::config::SecretReference;
use idr::connect::{ConnectError, Connector, open};
use idr_core::definitions::{AccountAttribute, Application};
use idr_core::model::{Name, ValueType};
use tempfile::TempDir;

/// Names the address of a PostgreSQL.
pub(crate) const POSTGRES: &str = "IDR_TEST_POSTGRES";

/// Set where tests are to fail without a PostgreSQL, instead of saying so.
const POSTGRES_REQUIRED: &str = "IDR_TEST_POSTGRES_REQUIRED";

/// A database with the tables that [`application`] is read from.
pub(crate) struct Target {
    folder: TempDir,
    /// The schema, in PostgreSQL.
    schema: Option<String>,
}

impl Target {
    /// Makes a SQLite file.
    pub(crate) fn sqlite() -> Self {
        let target = Self {
            folder: TempDir::with_prefix("idr-target-").expect("a temporary folder can be made"),
            schema: None,
        };
        target.execute(
            "CREATE TABLE account (login TEXT PRIMARY KEY, mail TEXT, hired TEXT, level INTEGER,
                 vip INTEGER, seen TEXT, tags TEXT, \"state\" TEXT, secret TEXT,
                 note TEXT DEFAULT 'kept');
             CREATE TABLE account_group (login TEXT NOT NULL REFERENCES account (login),
                 \"group\" TEXT NOT NULL, PRIMARY KEY (login, \"group\"));",
        );
        target
    }

    /// Makes a schema in the PostgreSQL at hand; none where there is none.
    pub(crate) fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if std::env::var_os(POSTGRES).is_none() {
            let message = format!("{POSTGRES} isn't set, so nothing is tried on PostgreSQL");
            assert!(
                std::env::var_os(POSTGRES_REQUIRED).is_none(),
                "{message}, and {POSTGRES_REQUIRED} is"
            );
            // What tests print is kept from whom they pass for; this isn't.
            writeln!(std::io::stderr(), "SKIPPED: {message}").expect("it can be written to");
            return None;
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let target = Self {
            folder: TempDir::with_prefix("idr-target-").expect("a temporary folder can be made"),
            schema: Some(format!("t{}_{number}", std::process::id())),
        };
        let schema = target.schema.clone().unwrap_or_default();
        client()
            .batch_execute(&format!(
                "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"
            ))
            .expect("a schema can be made");
        target.execute(
            "CREATE TABLE account (login varchar(40) PRIMARY KEY, mail text, hired date,
                 level smallint, vip boolean, seen timestamptz, tags text, \"state\" char(10),
                 secret text, note text DEFAULT 'kept');
             CREATE TABLE account_group (login varchar(40) NOT NULL REFERENCES account (login),
                 \"group\" text NOT NULL, PRIMARY KEY (login, \"group\"));",
        );
        Some(target)
    }

    /// Runs statements as somebody else would.
    pub(crate) fn execute(&self, sql: &str) {
        match &self.schema {
            None => {
                let connection = rusqlite::Connection::open(self.path()).expect("a file");
                connection
                    .busy_timeout(std::time::Duration::from_secs(20))
                    .expect("settable");
                connection.execute_batch(sql).expect("the statements run");
            }
            Some(schema) => {
                let sql = format!("SET search_path TO {schema}; {sql}");
                client().batch_execute(&sql).expect("the statements run");
            }
        }
    }

    /// Returns what a statement answers: a line a row.
    pub(crate) fn query(&self, sql: &str) -> String {
        let mut lines = Vec::new();
        match &self.schema {
            None => {
                let connection = rusqlite::Connection::open(self.path()).expect("a file");
                let mut statement = connection.prepare(sql).expect("a statement");
                let width = statement.column_count();
                let mut rows = statement.query([]).expect("it runs");
                while let Some(row) = rows.next().expect("a row") {
                    let fields = (0..width).map(|index| {
                        let field: rusqlite::types::Value = row.get(index).expect("a field");
                        match field {
                            rusqlite::types::Value::Null => "-".to_owned(),
                            rusqlite::types::Value::Integer(number) => number.to_string(),
                            rusqlite::types::Value::Text(text) => text,
                            other => format!("{other:?}"),
                        }
                    });
                    lines.push(fields.collect::<Vec<_>>().join(" "));
                }
            }
            Some(schema) => {
                let mut client = client();
                let path = format!("SET search_path TO {schema}");
                client.batch_execute(&path).expect("settable");
                for message in client.simple_query(sql).expect("it runs") {
                    let postgres::SimpleQueryMessage::Row(row) = message else {
                        continue;
                    };
                    let fields = (0..row.len()).map(|index| {
                        let field = row.get(index).map(|text| text.trim_end().to_owned());
                        field.unwrap_or_else(|| "-".to_owned())
                    });
                    lines.push(fields.collect::<Vec<_>>().join(" "));
                }
            }
        }
        lines.join("\n")
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.schema.is_some()
    }

    /// Does something while somebody else holds the tables.
    pub(crate) fn held(&self, meanwhile: impl FnOnce()) {
        match &self.schema {
            None => {
                let held = rusqlite::Connection::open(self.path()).expect("it is there");
                held.execute_batch("BEGIN EXCLUSIVE").expect("it is free");
                meanwhile();
                held.execute_batch("ROLLBACK").expect("it is held");
            }
            Some(schema) => {
                let mut client = client();
                let lock = format!("BEGIN; LOCK TABLE {schema}.account, {schema}.account_group");
                client.batch_execute(&lock).expect("they are free");
                meanwhile();
                client.batch_execute("ROLLBACK").expect("they are held");
            }
        }
    }

    /// Returns the file.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("target.db")
    }

    /// Returns the name of a table as configuration has it.
    pub(crate) fn table(&self, name: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{name}"),
            None => name.to_owned(),
        }
    }

    /// Returns the settings that describe the tables.
    pub(crate) fn settings(&self) -> Database {
        Database {
            address: match &self.schema {
                Some(_) => {
                    let reference = SecretReference::Environment(POSTGRES.to_owned());
                    DatabaseAddress::Reference(reference)
                }
                None => DatabaseAddress::Sqlite("target.db".to_owned()),
            },
            table: self.table("account"),
            native_identity: "login".to_owned(),
            columns: vec![(Name::new("email"), "mail".to_owned())],
            multi_valued: vec![(Name::new("tags"), "|".to_owned())],
            lists: vec![(
                Name::new("groups"),
                ListTable {
                    table: self.table("account_group"),
                    native_identity: "login".to_owned(),
                    value: "group".to_owned(),
                },
            )],
            status: Some(StatusColumn {
                column: "state".to_owned(),
                enabled: vec!["on".to_owned(), "new".to_owned()],
                disabled: vec!["off".to_owned()],
                locked: vec!["locked".to_owned()],
            }),
            password: None,
            read_only: false,
            certificates: None,
            timeout_ms: 20_000,
        }
    }

    /// Opens the connector with other settings.
    pub(crate) fn connect_with(
        &self,
        settings: Database,
    ) -> Result<Box<dyn Connector>, ConnectError> {
        let settings = Settings {
            database: Some(settings),
            ..Settings::default()
        };
        let opened = open(&application(), &settings, self.folder.path())?;
        Ok(opened.expect("the settings describe a database"))
    }

    /// Opens the connector.
    pub(crate) fn connect(&self) -> Box<dyn Connector> {
        let connector = self.connect_with(self.settings());
        connector.expect("the tables are as the settings say")
    }
}

fn client() -> postgres::Client {
    let address = std::env::var(POSTGRES).expect("it is set");
    postgres::Client::connect(&address, postgres::NoTls).expect("the server is there")
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(schema) = &self.schema {
            let dropped = client().batch_execute(&format!("DROP SCHEMA {schema} CASCADE"));
            if let Err(error) = dropped {
                eprintln!("{schema} is left behind: {error}");
            }
        }
    }
}

/// The application whose accounts are there.
pub(crate) fn application() -> Application {
    let attribute = |name: &str, value_type, entitlement| AccountAttribute {
        name: Name::new(name),
        value_type,
        entitlement,
        sensitive: false,
    };
    Application {
        name: Name::new("crm"),
        schema: vec![
            attribute("email", ValueType::Text, false),
            attribute("groups", ValueType::Many, true),
            attribute("hired", ValueType::Date, false),
            attribute("level", ValueType::Integer, false),
            attribute("seen", ValueType::Instant, false),
            attribute("tags", ValueType::Many, false),
            attribute("vip", ValueType::Boolean, false),
        ],
        correlation: Vec::new(),
        creates: None,
        vanish_grace_ms: 0,
        native_changes: None,
        native_entitlements: Default::default(),
        logical: None,
        provisioning: Default::default(),
    }
}
