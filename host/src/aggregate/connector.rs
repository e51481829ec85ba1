//! What the configuration says of an application's feed: plain settings,
//! checked by the configuration room and used by the reader and the guard.

use encoding_rs::Encoding;
use idr_core::definitions::Threshold;
use idr_core::model::Name;

/// How an application's accounts are read, and what is too much at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connector {
    /// The delimited file.
    pub file: DelimitedFile,
    /// How much one aggregation may damage before a person is asked.
    pub guard: Guard,
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
