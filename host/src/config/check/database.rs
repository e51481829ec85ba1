//! `[connector] type = "sql"`: accounts in the tables of a database.

use idr_core::model::{Name, ValueType};

use super::applications::status;
use crate::aggregate::connector::{Database, DatabaseAddress, ListTable, PasswordColumn};
use crate::config::document::Scope;
use crate::config::raw::{RawApplication, RawPassword};
use crate::config::secret::SecretReference;
use crate::config::values::{duration_ms, required, value_type};

/// How long an operation may take where nothing is said.
const TIMEOUT_MS: i64 = 30_000;

/// What stands for a password that is drawn for each account.
const RANDOM: &str = "random";

/// Checks how an application's database is reached, and where accounts are in it.
pub(super) fn check(application: &Scope<'_>, raw: &RawApplication) -> Option<Database> {
    let scope = application.at("connector");
    let connector = &raw.connector;
    for (key, is_there) in [
        ("path", connector.path.is_some()),
        ("delimiter", connector.delimiter.is_some()),
        ("quote", connector.quote.is_some()),
        ("encoding", connector.encoding.is_some()),
    ] {
        if is_there {
            let message = "it means nothing for type `sql`";
            scope.at(key).report_with_hint(message, "leave it out");
        }
    }
    let address = required(&scope, "url", connector.url.as_deref());
    let address = address.and_then(|text| address_of(&scope.at("url"), text));
    let table = required(&scope, "table", connector.table.as_deref());
    let native_identity = required(
        &scope,
        "native_identity",
        connector.native_identity.as_deref(),
    );
    let (columns, lists) = places(&application.at("schema"), raw);
    let separators = raw.schema.iter().filter_map(|(name, attribute)| {
        let separator = attribute.separator.as_ref()?;
        Some((Name::new(name), separator.clone()))
    });
    let timeout = connector.timeout.as_deref();
    let timeout_ms = timeout.and_then(|text| duration_ms(&scope.at("timeout"), text));
    if timeout_ms == Some(0) {
        scope.at("timeout").report("it is no time at all");
    }
    let read_only = connector.read_only.unwrap_or(false);
    let password = connector.password.as_ref();
    if read_only && password.is_some() {
        let scope = scope.at("password");
        scope.report("it has no effect on a connector that is `read_only`");
    }
    Some(Database {
        address: address?,
        table: table?.to_owned(),
        native_identity: native_identity?.to_owned(),
        columns,
        multi_valued: separators.collect(),
        lists,
        status: connector
            .status
            .as_ref()
            .and_then(|raw| status(&scope.at("status"), raw)),
        password: password.and_then(|raw| password_of(&scope.at("password"), raw)),
        read_only,
        certificates: connector.certificates.clone(),
        timeout_ms: timeout_ms.unwrap_or(TIMEOUT_MS).unsigned_abs(),
    })
}

/// Reports what only databases have.
pub(super) fn report_keys_of_databases(application: &Scope<'_>, raw: &RawApplication) {
    let connector = &raw.connector;
    let message = "it means nothing for type `delimited-file`";
    for (key, is_there) in [
        ("url", connector.url.is_some()),
        ("table", connector.table.is_some()),
        ("read_only", connector.read_only.is_some()),
        ("certificates", connector.certificates.is_some()),
        ("timeout", connector.timeout.is_some()),
        ("password", connector.password.is_some()),
    ] {
        if is_there {
            application.at("connector").at(key).report(message);
        }
    }
    for (name, attribute) in &raw.schema {
        let scope = application.at("schema").at(name);
        if attribute.table.is_some() {
            scope.at("table").report(message);
        }
        if attribute.native_identity.is_some() {
            scope.at("native_identity").report(message);
        }
    }
}

/// Reads where a database is. What is written here is seen by whoever reads the
/// configuration, so an address that may hold a password is only referred to.
fn address_of(scope: &Scope<'_>, text: &str) -> Option<DatabaseAddress> {
    if let Some(path) = text.strip_prefix("sqlite:") {
        if path.is_empty() {
            scope.report("it names no file");
            return None;
        }
        return Some(DatabaseAddress::Sqlite(path.to_owned()));
    }
    let reference = SecretReference::parse(text);
    if reference.is_none() {
        scope.report_with_hint(
            "the address of a database server is never written here",
            "say where it is: `env:NAME` for an environment variable, or `file:PATH`; \
             or name a SQLite file: `sqlite:PATH`",
        );
    }
    reference.map(DatabaseAddress::Reference)
}

/// Attributes, each with where it is.
type Places<P> = Vec<(Name, P)>;

/// Reads where attributes are whose place isn't the column of their own name.
fn places(scope: &Scope<'_>, raw: &RawApplication) -> (Places<String>, Places<ListTable>) {
    let (mut columns, mut lists) = (Vec::new(), Vec::new());
    for (name, attribute) in &raw.schema {
        let scope = scope.at(name);
        let Some(table) = &attribute.table else {
            if attribute.native_identity.is_some() {
                scope
                    .at("native_identity")
                    .report("it has no effect without `table`");
            }
            let column = attribute.column.clone();
            columns.extend(column.map(|column| (Name::new(name), column)));
            continue;
        };
        // A type that isn't one has been reported with the schema.
        let many = ValueType::Many.as_str();
        if attribute.value_type.as_deref() != Some(many) {
            let known = attribute.value_type.as_deref();
            let known = value_type(&scope, known.filter(|text| is_type(text)));
            scope.at("table").report_with_hint(
                format!("a value of type `{known}` needs no table of its own"),
                "write `type = \"many\"`",
            );
        }
        if attribute.separator.is_some() {
            scope
                .at("separator")
                .report("it has no effect with `table`, which has a row for each value");
        }
        let native_identity = required(
            &scope,
            "native_identity",
            attribute.native_identity.as_deref(),
        );
        let value = required(&scope, "column", attribute.column.as_deref());
        if let (Some(native_identity), Some(value)) = (native_identity, value) {
            let list = ListTable {
                table: table.clone(),
                native_identity: native_identity.to_owned(),
                value: value.to_owned(),
            };
            lists.push((Name::new(name), list));
        }
    }
    (columns, lists)
}

fn is_type(text: &str) -> bool {
    ValueType::ALL.iter().any(|(word, _)| *word == text)
}

fn password_of(scope: &Scope<'_>, raw: &RawPassword) -> Option<PasswordColumn> {
    let column = required(scope, "column", raw.column.as_deref());
    let value = raw.value.as_deref().unwrap_or(RANDOM);
    let reference = match value {
        RANDOM => None,
        text => {
            let reference = SecretReference::parse(text);
            if reference.is_none() {
                scope.at("value").report_with_hint(
                    "a password is never written here",
                    "write `random`, or say where it is: `env:NAME` or `file:PATH`",
                );
            }
            Some(reference?)
        }
    };
    Some(PasswordColumn {
        column: column?.to_owned(),
        reference,
    })
}
