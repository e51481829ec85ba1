//! Connectors: how idr reaches an application directly, to read accounts and to
//! change them.
//!
//! A [`Connector`] says what it can do ([`Capability`]); `idr check` refuses
//! configuration that asks for more. The dispatcher changes accounts through it
//! (`dispatch`), and aggregation reads them (`aggregate`). Nothing else knows
//! how an application is spoken to.
//!
//! | file | what it does |
//! |---|---|
//! | `error` | what goes wrong, and whether trying again may help |
//! | `outcome` | what an account is to look like once an operation is carried out |
//! | `only_reads` | connectors of which nothing but reading is left, for dry runs |
//! | `password` | first passwords of new accounts |
//! | `tenant` | the connectors that a tenant's configuration describes |
//! | `row` | from texts to a typed account |
//! | `sql` | databases: SQLite files and PostgreSQL |
//! | [`memory`] | accounts in memory, which fail as they are told: for tests |

mod error;
pub mod memory;
mod only_reads;
mod outcome;
mod password;
mod row;
mod sql;
mod tenant;

use std::path::Path;

use idr_core::definitions::Application;
use idr_core::model::{Account, AccountOperation, AttributeChange, Name, Value};

use crate::aggregate::connector::Connector as Settings;
pub use error::ConnectError;
pub(crate) use error::shown;
pub use only_reads::OnlyReads;
pub use outcome::{carried_out, is_so};
pub use password::Password;
pub use row::{BrokenPart, BrokenRow};
pub(crate) use row::{Status, blank, parse, set};
pub use tenant::TenantConnectors;

/// Something that a connector may be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Read all accounts.
    List,
    /// Read one account.
    Get,
    /// Carry out an operation on an account.
    Operation(AccountOperation),
}

impl Capability {
    /// Returns what it is called in messages: "read one account", "disable".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list accounts",
            Self::Get => "read one account",
            Self::Operation(operation) => operation.as_str(),
        }
    }
}

/// What an application says of one of its accounts, or what is wrong with that.
pub type Listed = Result<Account, BrokenRow>;

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Performed {
    /// It was carried out.
    Done,
    /// Nothing was to be done: it is so already.
    WasSo,
}

/// An account to be created.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// Its native identity.
    pub native_identity: &'a str,
    /// Its attributes, each with a value.
    pub attributes: Vec<(Name, Value)>,
    /// Its first password, where the application is given one.
    pub password: Option<Password>,
}

/// An application that can be reached.
///
/// Every operation may be given again after it was carried out, and then
/// answers [`Performed::WasSo`] or [`Performed::Done`]: a process may die
/// between carrying one out and noting that.
///
/// # Errors
///
/// Every method fails with [`ConnectError::Unavailable`] when the application
/// can't be reached now (trying again later may help), with
/// [`ConnectError::Refused`] when it says no, with [`ConnectError::Incapable`]
/// for what [`Connector::can`] denies, and with [`ConnectError::Settings`] when
/// the application isn't as the configuration says.
pub trait Connector: Send {
    /// Says whether it can do something.
    fn can(&self, capability: Capability) -> bool;

    /// Returns up to `limit` accounts behind the one with the native identity
    /// `after`, in an order of the application's own; none when there are no
    /// more. From the first page to the empty one all pages show one state.
    fn page(&mut self, after: Option<&str>, limit: usize) -> Result<Vec<Listed>, ConnectError>;

    /// Returns an account as it is now; none when there is none.
    fn get(&mut self, native_identity: &str) -> Result<Option<Listed>, ConnectError>;

    /// Creates an account. [`Performed::WasSo`] when there is one by that native
    /// identity: it is left as it is.
    fn create(&mut self, account: &NewAccount<'_>) -> Result<Performed, ConnectError>;

    /// Changes attributes of an account, all or none.
    fn modify(
        &mut self,
        native_identity: &str,
        changes: &[AttributeChange],
    ) -> Result<Performed, ConnectError>;

    /// Switches an account on or off.
    fn enable(&mut self, native_identity: &str, enabled: bool) -> Result<Performed, ConnectError>;

    /// Gives an account another native identity. [`Performed::WasSo`] when there
    /// is none by the old one and one by the new one.
    fn rename(&mut self, native_identity: &str, to: &str) -> Result<Performed, ConnectError>;

    /// Deletes an account. [`Performed::WasSo`] when there is none.
    fn delete(&mut self, native_identity: &str) -> Result<Performed, ConnectError>;
}

/// Opens applications' connectors.
pub trait Connectors {
    /// Opens the connector of an application.
    ///
    /// # Errors
    ///
    /// [`ConnectError`], as any call of a [`Connector`].
    fn open(&self, application: &Application) -> Result<Box<dyn Connector>, ConnectError>;

    /// Says whether an application's connector can do something, without
    /// reaching it.
    fn can(&self, application: Name, capability: Capability) -> bool;

    /// Returns the first password of an account that is to be created; none where
    /// the application is given none.
    ///
    /// # Errors
    ///
    /// [`ConnectError::Reference`] when what it refers to can't be read.
    fn password(&self, _application: Name) -> Result<Option<Password>, ConnectError> {
        Ok(None)
    }
}

/// Opens the connector that the settings of an application describe; none when
/// they describe a file, which nothing can be asked of. Paths are relative to
/// `directory`.
///
/// # Errors
///
/// As any call of a [`Connector`].
pub fn open(
    application: &Application,
    settings: &Settings,
    directory: &Path,
) -> Result<Option<Box<dyn Connector>>, ConnectError> {
    match &settings.database {
        Some(database) => Ok(Some(sql::open(application, database, directory)?)),
        None => Ok(None),
    }
}
