//! What is read and written of a database, checked against its catalogue.

use idr_core::definitions::{AccountAttribute, Application};
use idr_core::model::Name;
use idr_core::text::nearest;

use super::{Column, Engine, quoted_table};
use crate::aggregate::connector::Database;
use crate::connect::{ConnectError, Status};

/// Where accounts stand.
pub(super) struct Tables {
    /// The table with a row for each account, quoted.
    pub(super) accounts: String,
    /// The column of the native identity.
    pub(super) key: Column,
    /// Where each attribute of the schema stands, in its order.
    pub(super) attributes: Vec<Place>,
    pub(super) status: Option<(Column, Status)>,
    pub(super) password: Option<Column>,
}

/// Where an attribute stands.
pub(super) struct Place {
    pub(super) attribute: AccountAttribute,
    pub(super) stands: Stands,
}

/// Where values stand.
pub(super) enum Stands {
    /// In a column of the accounts' table; several values with a separator.
    Column(Column, Option<String>),
    /// In a table with a row for each.
    List(List),
}

/// A table with a row for each value of an attribute.
pub(super) struct List {
    /// The table, quoted.
    pub(super) table: String,
    pub(super) key: Column,
    pub(super) value: Column,
}

impl Tables {
    /// Looks up everything that the settings name.
    pub(super) fn find(
        engine: &mut dyn Engine,
        application: &Application,
        database: &Database,
    ) -> Result<Self, ConnectError> {
        let name = application.name;
        let table = Table::find(engine, name, &database.table, "connector.table")?;
        let mut attributes = Vec::with_capacity(application.schema.len());
        for attribute in &application.schema {
            let is_it = |known: &Name| *known == attribute.name;
            let list = database.lists.iter().find(|(known, _)| is_it(known));
            let key = |end: &str| format!("schema.{}.{end}", attribute.name);
            let stands = match list {
                Some((_, list)) => {
                    let table = Table::find(engine, name, &list.table, &key("table"))?;
                    Stands::List(List {
                        key: table.column(&list.native_identity, &key("native_identity"))?,
                        value: table.column(&list.value, &key("column"))?,
                        table: table.quoted,
                    })
                }
                None => {
                    let columns = &mut database.columns.iter();
                    let column = columns.find(|(known, _)| is_it(known));
                    let column = column.map_or(attribute.name.as_str(), |(_, column)| column);
                    let separators = &mut database.multi_valued.iter();
                    let separator = separators.find(|(known, _)| is_it(known));
                    let column = table.column(column, &key("column"))?;
                    Stands::Column(column, separator.map(|(_, separator)| separator.clone()))
                }
            };
            attributes.push(Place {
                attribute: attribute.clone(),
                stands,
            });
        }
        let status = match &database.status {
            Some(status) => Some((
                table.column(&status.column, "connector.status.column")?,
                Status::new(status),
            )),
            None => None,
        };
        let password = match &database.password {
            Some(password) => Some(table.column(&password.column, "connector.password.column")?),
            None => None,
        };
        Ok(Self {
            key: table.column(&database.native_identity, "connector.native_identity")?,
            accounts: table.quoted,
            attributes,
            status,
            password,
        })
    }

    /// Returns the tables with a row for each value.
    pub(super) fn lists(&self) -> impl Iterator<Item = &List> {
        self.attributes
            .iter()
            .filter_map(|place| match &place.stands {
                Stands::List(list) => Some(list),
                Stands::Column(..) => None,
            })
    }
}

struct Table {
    application: Name,
    name: String,
    quoted: String,
    columns: Vec<Column>,
}

impl Table {
    fn find(
        engine: &mut dyn Engine,
        application: Name,
        name: &str,
        key: &str,
    ) -> Result<Self, ConnectError> {
        let Some(columns) = engine.columns(name)? else {
            return Err(ConnectError::Settings {
                application: application.to_string(),
                message: format!("{key}: the database has no table `{name}`"),
                hint: None,
            });
        };
        Ok(Self {
            application,
            name: name.to_owned(),
            quoted: quoted_table(name),
            columns,
        })
    }

    fn column(&self, name: &str, key: &str) -> Result<Column, ConnectError> {
        let found = self.columns.iter().find(|column| column.name == name);
        found.cloned().ok_or_else(|| {
            let names = || self.columns.iter().map(|column| column.name.as_str());
            let hint = match nearest(name, names()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!(
                    "its columns are: {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            };
            ConnectError::Settings {
                application: self.application.to_string(),
                message: format!("{key}: table `{}` has no column `{name}`", self.name),
                hint: Some(hint),
            }
        })
    }
}
