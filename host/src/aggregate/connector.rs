//! What the configuration says of how an application is reached: plain settings,
//! checked by the configuration room and used by the reader, the guard and
//! connectors.

use encoding_rs::Encoding;
use idr_core::definitions::Threshold;
use idr_core::model::{AccountOperation, Name};

use crate::config::SecretReference;
use crate::connect::Capability;

/// How an application's accounts are read, and what is too much at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connector {
    /// The delimited file, where there is no database.
    pub file: DelimitedFile,
    /// The database that its accounts are in.
    pub database: Option<Database>,
    /// How much one aggregation may damage before a person is asked.
    pub guard: Guard,
}

impl Connector {
    /// Says whether it can do something. What a connector that changes nothing
    /// can't do becomes a work item.
    pub fn can(&self, capability: Capability) -> bool {
        let Some(database) = &self.database else {
            return capability == Capability::List;
        };
        let operation = match capability {
            Capability::List | Capability::Get => return true,
            Capability::Operation(_) if database.read_only => return false,
            Capability::Operation(operation) => operation,
        };
        let status = database.status.as_ref();
        match operation {
            AccountOperation::Enable => status.is_some_and(|status| !status.enabled.is_empty()),
            AccountOperation::Disable => status.is_some_and(|status| !status.disabled.is_empty()),
            AccountOperation::Create
            | AccountOperation::Modify
            | AccountOperation::Move
            | AccountOperation::Delete => true,
        }
    }

    /// Says whether people carry out what is to be done with its accounts: it is
    /// read from a file.
    pub fn is_manual(&self) -> bool {
        self.database.is_none()
    }
}

/// Accounts in the tables of a database.
///
/// One table has a row for each account. Attributes of the application's schema
/// that `columns` and `lists` don't mention are in the column with their own name.
/// Columns that nothing is read from are left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Where the database is.
    pub address: DatabaseAddress,
    /// The table with a row for each account; `SCHEMA.TABLE` in PostgreSQL, where
    /// it isn't in the search path.
    pub table: String,
    /// The column that holds the native identity; no two rows have the same.
    pub native_identity: String,
    /// Attributes whose column has another name: attribute, column.
    pub columns: Vec<(Name, String)>,
    /// Attributes (of type `many`) with several values in one field:
    /// attribute, separator.
    pub multi_valued: Vec<(Name, String)>,
    /// Attributes (of type `many`) that have a table of their own.
    pub lists: Vec<(Name, ListTable)>,
    /// The column that says whether an account is enabled; without one all are.
    /// The first word of each list is what idr writes.
    pub status: Option<StatusColumn>,
    /// Where accounts that are created get their first password.
    pub password: Option<PasswordColumn>,
    /// Nothing is ever changed in it.
    pub read_only: bool,
    /// The certificates (PEM, relative to the tenant's directory) that the
    /// server's is checked with; those of public authorities without.
    pub certificates: Option<String>,
    /// How long an operation may take, in milliseconds.
    pub timeout_ms: u64,
}

/// Where a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseAddress {
    /// A SQLite file, relative to the tenant's directory unless it is absolute.
    Sqlite(String),
    /// What this refers to: `sqlite:PATH` or `postgres://…`, which may hold a password.
    Reference(SecretReference),
}

/// A table with a row for each value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListTable {
    /// The table.
    pub table: String,
    /// The column with the account's native identity.
    pub native_identity: String,
    /// The column with the value.
    pub value: String,
}

/// Where an account that is created gets its first password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordColumn {
    /// The column.
    pub column: String,
    /// What it is; drawn at random for each account without a reference.
    pub reference: Option<SecretReference>,
}

/// A delimited text file with a header line.
///
/// Attributes of the application's schema that `columns` doesn't mention are
/// read from the column with their own name. Columns that nothing is read from
/// are left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelimitedFile {
    /// Where the file is, relative to the tenant's directory. The last part
    /// may contain `*` for any text: the last match in order of name is read.
    /// None: the file is always named on the command line.
    pub path: Option<String>,
    /// Stands between fields; ASCII, and not the quote, a line end or a space.
    pub delimiter: u8,
    /// Stands around fields that contain delimiters, line ends or quotes;
    /// ASCII. A quote within a quoted field is doubled. None: nothing is quoted.
    pub quote: Option<u8>,
    /// How text is encoded; the mark at the beginning of a file, if there is
    /// one, is believed instead. (`Encoding::for_label` finds it by any of its
    /// usual names.)
    pub encoding: &'static Encoding,
    /// The column that holds the native identity.
    pub native_identity: String,
    /// Attributes whose column has another name: attribute, column.
    pub columns: Vec<(Name, String)>,
    /// Attributes (of type `many`) with several values in one field:
    /// attribute, separator. Without a separator the field is one value.
    pub multi_valued: Vec<(Name, String)>,
    /// The column that says whether an account is enabled; without one all are.
    pub status: Option<StatusColumn>,
}

impl Default for DelimitedFile {
    fn default() -> Self {
        Self {
            path: None,
            delimiter: b',',
            quote: Some(b'"'),
            encoding: encoding_rs::UTF_8,
            native_identity: "id".to_owned(),
            columns: Vec::new(),
            multi_valued: Vec::new(),
            status: None,
        }
    }
}

/// The column that says whether an account is enabled.
///
/// Words are compared case-folded. A blank field means enabled. A word that is
/// not listed makes the record a finding, unless `enabled` is empty: then
/// every other word means enabled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusColumn {
    /// The column.
    pub column: String,
    /// Words for an account in use.
    pub enabled: Vec<String>,
    /// Words for an account that is switched off.
    pub disabled: Vec<String>,
    /// Words for an account that is locked.
    pub locked: Vec<String>,
}

/// How much of an application one aggregation may damage before a person is
/// asked; a percentage is of the accounts that the last aggregations left
/// present. None: no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Accounts that a full aggregation doesn't list any more.
    pub vanished: Option<Threshold>,
    /// Accounts never seen before. An application's first load is free.
    pub new: Option<Threshold>,
    /// Accounts that seem to have got another native identity: a new or
    /// overwritten account agrees with one that vanished or was overwritten.
    pub rekeyed: Option<Threshold>,
    /// For each attribute: accounts that had a value and now have none. A
    /// percentage is of the accounts that had one.
    pub emptied: Option<Threshold>,
}

impl Default for Guard {
    /// 10 % vanished, 25 % new, 5 % re-keyed, 10 % emptied.
    fn default() -> Self {
        Self {
            vanished: Some(Threshold::BasisPoints(1_000)),
            new: Some(Threshold::BasisPoints(2_500)),
            rekeyed: Some(Threshold::BasisPoints(500)),
            emptied: Some(Threshold::BasisPoints(1_000)),
        }
    }
}
