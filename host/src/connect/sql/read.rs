//! Reading accounts of a database: page by page, or one.

use std::collections::HashMap;

use idr_core::definitions::AccountAttribute;
use idr_core::model::Account;

use super::tables::{List, Stands};
use super::{Row, SqlConnector, quoted};
use crate::connect::row::{self, BrokenPart, BrokenRow};
use crate::connect::{ConnectError, Listed};

impl SqlConnector {
    /// Returns a page of accounts, in order of the key column.
    pub(super) fn listed(
        &mut self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Listed>, ConnectError> {
        let mut listed = Vec::new();
        if after.is_none() {
            self.check_keys()?;
            listed = self.without_key(limit)?;
        }
        let key = &self.tables.key;
        let column = quoted(&key.name);
        let behind = match after {
            None => format!("{column} IS NOT NULL"),
            Some(_) => format!("{column} > {}", self.engine.parameter(1, key)),
        };
        let sql = format!(
            "SELECT {} FROM {} WHERE {behind} ORDER BY {column} LIMIT {limit}",
            self.selected(),
            self.tables.accounts,
        );
        let values: Vec<_> = after
            .map(|after| Some(after.to_owned()))
            .into_iter()
            .collect();
        let rows = self.engine.query(&sql, &values)?;
        listed.extend(self.accounts(rows)?);
        Ok(listed)
    }

    /// Returns what to report of rows without a key, of so many at most.
    fn without_key(&mut self, limit: usize) -> Result<Vec<Listed>, ConnectError> {
        let column = &self.tables.key.name;
        let sql = format!(
            "SELECT '1' FROM {} WHERE {} IS NULL LIMIT {limit}",
            self.tables.accounts,
            quoted(column),
        );
        let broken = BrokenRow {
            native_identity: None,
            what: BrokenPart::NativeIdentity {
                column: column.clone(),
            },
        };
        let rows = self.engine.query(&sql, &[])?;
        Ok(rows.iter().map(|_| Err(broken.clone())).collect())
    }

    /// Returns the account with this native identity.
    pub(super) fn one(&mut self, native_identity: &str) -> Result<Option<Listed>, ConnectError> {
        let key = &self.tables.key;
        let sql = format!(
            "SELECT {} FROM {} WHERE {} = {} LIMIT 2",
            self.selected(),
            self.tables.accounts,
            quoted(&key.name),
            self.engine.parameter(1, key),
        );
        let rows = self
            .engine
            .query(&sql, &[Some(native_identity.to_owned())])?;
        if rows.len() > 1 {
            return Err(self.repeated(native_identity));
        }
        Ok(self.accounts(rows)?.pop())
    }

    /// Refuses a table in which two rows have one key: pages would lose one of
    /// them, and changes would hit both.
    fn check_keys(&mut self) -> Result<(), ConnectError> {
        let key = self.engine.text_of(&self.tables.key);
        let sql = format!(
            "SELECT min({key}) FROM {table} WHERE {column} IS NOT NULL
             GROUP BY {column} HAVING count(*) > 1 LIMIT 1",
            table = self.tables.accounts,
            column = quoted(&self.tables.key.name),
        );
        match self
            .engine
            .query(&sql, &[])?
            .pop()
            .and_then(|mut row| row.pop())
        {
            Some(repeated) => Err(self.repeated(&repeated.unwrap_or_default())),
            None => Ok(()),
        }
    }

    fn repeated(&self, native_identity: &str) -> ConnectError {
        ConnectError::Settings {
            application: self.application.name.to_string(),
            message: format!(
                "connector.native_identity: column `{}` has `{native_identity}` more than once",
                self.tables.key.name
            ),
            hint: Some("name a column in which no value is there twice".to_owned()),
        }
    }

    /// Returns what is selected of an account: the key, the status if there is
    /// one, and the attributes that are in the same table.
    fn selected(&self) -> String {
        let tables = &self.tables;
        let status = tables.status.iter().map(|(column, _)| column);
        let attributes = tables
            .attributes
            .iter()
            .filter_map(|place| match &place.stands {
                Stands::Column(column, _) => Some(column),
                Stands::List(_) => None,
            });
        let columns = std::iter::once(&tables.key).chain(status).chain(attributes);
        let columns: Vec<String> = columns.map(|column| self.engine.text_of(column)).collect();
        columns.join(", ")
    }

    /// Makes accounts of rows, with their values in other tables.
    fn accounts(&mut self, rows: Vec<Row>) -> Result<Vec<Listed>, ConnectError> {
        let keys: Vec<String> = rows.iter().filter_map(|row| row.first()?.clone()).collect();
        let mut lists = Vec::new();
        for list in self.tables.lists() {
            lists.push(values(self.engine.as_mut(), list, &keys)?);
        }
        Ok(rows
            .into_iter()
            .map(|row| self.account(row, &mut lists))
            .collect())
    }

    fn account(&self, row: Row, lists: &mut [HashMap<String, Vec<String>>]) -> Listed {
        let mut fields = row.into_iter();
        let key = fields.next().flatten();
        let Some(key) = key.filter(|key| !key.trim().is_empty()) else {
            let column = self.tables.key.name.clone();
            return Err(BrokenRow {
                native_identity: None,
                what: BrokenPart::NativeIdentity { column },
            });
        };
        self.filled(&key, fields, lists).map_err(|what| BrokenRow {
            native_identity: Some(key.clone()),
            what,
        })
    }

    fn filled(
        &self,
        key: &str,
        mut fields: impl Iterator<Item = Option<String>>,
        lists: &mut [HashMap<String, Vec<String>>],
    ) -> Result<Account, BrokenPart> {
        let mut account = row::blank(self.application.name, key);
        if let Some((_, words)) = &self.tables.status {
            let word = fields.next().flatten().unwrap_or_default();
            account.status = words.of(word.trim())?;
        }
        let mut lists = lists.iter_mut();
        for place in &self.tables.attributes {
            let texts = match &place.stands {
                Stands::Column(_, separator) => split(
                    fields.next().flatten(),
                    &place.attribute,
                    separator.as_deref(),
                ),
                Stands::List(_) => {
                    let list = lists.next();
                    list.and_then(|list| list.remove(key)).unwrap_or_default()
                }
            };
            let value = row::value(&place.attribute, texts)?;
            let name = place.attribute.name;
            account.attributes.extend(value.map(|value| (name, value)));
        }
        Ok(account)
    }
}

/// Returns the texts in a field: with a separator several. What surrounds them is
/// no part of them.
pub(super) fn split(
    field: Option<String>,
    attribute: &AccountAttribute,
    separator: Option<&str>,
) -> Vec<String> {
    let Some(field) = field else {
        return Vec::new();
    };
    let trimmed = match separator {
        Some(separator) if attribute.value_type == idr_core::model::ValueType::Many => field
            .split(separator)
            .map(|part| part.trim().to_owned())
            .collect(),
        _ => vec![field.trim().to_owned()],
    };
    trimmed
        .into_iter()
        .filter(|text: &String| !text.is_empty())
        .collect()
}

/// Returns the values that a list has of some accounts, in order.
fn values(
    engine: &mut dyn super::Engine,
    list: &List,
    keys: &[String],
) -> Result<HashMap<String, Vec<String>>, ConnectError> {
    let mut values: HashMap<String, Vec<String>> = HashMap::new();
    if keys.is_empty() {
        return Ok(values);
    }
    let parameters: Vec<String> = (1..=keys.len())
        .map(|number| engine.parameter(number, &list.key))
        .collect();
    let sql = format!(
        "SELECT {key}, {value} FROM {table} WHERE {column} IN ({parameters})
         AND {value} IS NOT NULL ORDER BY 1, 2",
        key = engine.text_of(&list.key),
        value = engine.text_of(&list.value),
        table = list.table,
        column = quoted(&list.key.name),
        parameters = parameters.join(", "),
    );
    let keys: Vec<Option<String>> = keys.iter().cloned().map(Some).collect();
    for row in engine.query(&sql, &keys)? {
        let mut fields = row.into_iter().flatten();
        if let (Some(key), Some(value)) = (fields.next(), fields.next()) {
            let of_account = values.entry(key).or_default();
            if !value.trim().is_empty() {
                of_account.push(value.trim().to_owned());
            }
        }
    }
    Ok(values)
}
