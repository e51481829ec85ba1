//! Databases: one connector for SQLite files and PostgreSQL.
//!
//! All values travel as texts, and the database makes of them what its columns
//! are: so everything but [`Engine`] is the same for both. Table and column names
//! come from the configuration, are looked up in the database's own catalogue
//! before anything else, and are quoted; values are always bound.
//!
//! | file | what it does |
//! |---|---|
//! | `tables` | what is read and written, checked against the catalogue |
//! | `read` | listing accounts page by page, and reading one |
//! | `write` | operations, each in one transaction |
//! | `sqlite`, `postgres` | the engines |

mod postgres;
mod read;
mod sqlite;
mod tables;
mod write;

use std::path::Path;

use idr_core::definitions::Application;
use idr_core::model::AttributeChange;

use self::tables::Tables;
use super::{Capability, ConnectError, Connector, Listed, NewAccount, Performed};
use crate::aggregate::connector::{Connector as Settings, Database, DatabaseAddress};

/// A row of a result: texts, none for `NULL`.
type Row = Vec<Option<String>>;

/// A column as the catalogue describes it.
#[derive(Clone, Debug)]
struct Column {
    name: String,
    /// Its type, in the engine's own words.
    sql_type: String,
}

/// What the engines do differently. Parameters and results are texts.
trait Engine: Send {
    /// Returns the columns of a table, or of a view; none when there is no such.
    fn columns(&mut self, table: &str) -> Result<Option<Vec<Column>>, ConnectError>;

    /// Returns the place of the parameter with this number (from 1), for a
    /// column of this type.
    fn parameter(&self, number: usize, column: &Column) -> String;

    /// Returns the expression that reads a column as text.
    fn text_of(&self, column: &Column) -> String;

    /// Returns the text that stands for a value in a column of this type.
    fn written(&self, text: String, column: &Column) -> String;

    /// Begins a transaction; one that only reads sees one state throughout.
    fn begin(&mut self, write: bool) -> Result<(), ConnectError>;

    /// Commits the transaction.
    fn commit(&mut self) -> Result<(), ConnectError>;

    /// Gives the transaction up, if there is one. The error that led to it says more
    /// than any in doing so.
    fn rollback(&mut self);

    /// Returns the rows that a statement answers.
    fn query(&mut self, sql: &str, values: &[Option<String>]) -> Result<Vec<Row>, ConnectError>;

    /// Returns how many rows a statement has written.
    fn execute(&mut self, sql: &str, values: &[Option<String>]) -> Result<u64, ConnectError>;
}

/// An application whose accounts are in a database.
struct SqlConnector {
    application: Application,
    settings: Settings,
    engine: Box<dyn Engine>,
    tables: Tables,
    /// Whether a listing has begun and not come to its end.
    listing: bool,
}

/// Opens a database and checks the settings against its catalogue.
///
/// # Errors
///
/// As any call of a [`Connector`].
pub(super) fn open(
    application: &Application,
    database: &Database,
    directory: &Path,
) -> Result<Box<dyn Connector>, ConnectError> {
    let name = application.name.as_str();
    let mut engine = engine(name, database, directory)?;
    let tables = Tables::find(engine.as_mut(), application, database)?;
    let settings = Settings {
        database: Some(database.clone()),
        ..Settings::default()
    };
    Ok(Box::new(SqlConnector {
        application: application.clone(),
        settings,
        engine,
        tables,
        listing: false,
    }))
}

fn engine(
    application: &str,
    database: &Database,
    directory: &Path,
) -> Result<Box<dyn Engine>, ConnectError> {
    let address = match &database.address {
        DatabaseAddress::Sqlite(path) => format!("sqlite:{path}"),
        DatabaseAddress::Reference(reference) => {
            let bytes = reference.bytes(directory).map_err(|source| {
                let application = application.to_owned();
                ConnectError::Reference {
                    application,
                    key: "url",
                    source,
                }
            })?;
            String::from_utf8(bytes).map_err(|_| wrong_address(application))?
        }
    };
    let address = address.trim();
    if let Some(path) = address.strip_prefix("sqlite:") {
        let path = directory.join(path);
        let engine = sqlite::open(application, &path, database.timeout_ms)?;
        return Ok(Box::new(engine));
    }
    if !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
        return Err(wrong_address(application));
    }
    let certificates = database.certificates.as_ref();
    let certificates = certificates.map(|path| directory.join(path));
    let engine = postgres::open(
        application,
        address,
        certificates.as_deref(),
        database.timeout_ms,
    )?;
    Ok(Box::new(engine))
}

/// The address may hold a password: nothing of it is shown.
fn wrong_address(application: &str) -> ConnectError {
    ConnectError::Settings {
        application: application.to_owned(),
        message: "what `url` refers to is no address of a database".to_owned(),
        hint: Some("write `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`".to_owned()),
    }
}

/// Returns a name quoted for SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns the name of a table quoted for SQL, with its schema if there is one.
fn quoted_table(table: &str) -> String {
    let parts: Vec<String> = table.splitn(2, '.').map(quoted).collect();
    parts.join(".")
}

impl Connector for SqlConnector {
    fn can(&self, capability: Capability) -> bool {
        self.settings.can(capability)
    }

    fn page(&mut self, after: Option<&str>, limit: usize) -> Result<Vec<Listed>, ConnectError> {
        if !self.listing {
            self.engine.begin(false)?;
            self.listing = true;
        }
        let page = self.listed(after, limit);
        match &page {
            Ok(rows) if !rows.is_empty() => {}
            Ok(_) => {
                self.listing = false;
                self.engine.commit()?;
            }
            Err(_) => {
                self.listing = false;
                self.engine.rollback();
            }
        }
        page
    }

    fn get(&mut self, native_identity: &str) -> Result<Option<Listed>, ConnectError> {
        self.one(native_identity)
    }

    fn create(&mut self, account: &NewAccount<'_>) -> Result<Performed, ConnectError> {
        self.in_transaction(|connector| connector.insert(account))
    }

    fn modify(
        &mut self,
        native_identity: &str,
        changes: &[AttributeChange],
    ) -> Result<Performed, ConnectError> {
        self.in_transaction(|connector| connector.update(native_identity, changes))
    }

    fn enable(&mut self, native_identity: &str, enabled: bool) -> Result<Performed, ConnectError> {
        self.in_transaction(|connector| connector.set_status(native_identity, enabled))
    }

    fn rename(&mut self, native_identity: &str, to: &str) -> Result<Performed, ConnectError> {
        self.in_transaction(|connector| connector.set_key(native_identity, to))
    }

    fn delete(&mut self, native_identity: &str) -> Result<Performed, ConnectError> {
        self.in_transaction(|connector| connector.remove(native_identity))
    }
}

impl SqlConnector {
    fn in_transaction(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Performed, ConnectError>,
    ) -> Result<Performed, ConnectError> {
        if self.listing {
            self.listing = false;
            self.engine.rollback();
        }
        self.engine.begin(true)?;
        match work(self) {
            Ok(performed) => {
                self.engine.commit()?;
                Ok(performed)
            }
            Err(error) => {
                self.engine.rollback();
                Err(error)
            }
        }
    }

    fn refused(&self, message: impl AsRef<str>) -> ConnectError {
        ConnectError::refused(&self.application.name, message)
    }
}
