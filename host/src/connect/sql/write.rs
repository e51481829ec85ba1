//! Changing accounts of a database. Each of these is called within a
//! transaction of its own.

use idr_core::model::{AttributeChange, Value, ValueChange};

use super::read::split;
use super::tables::{List, Stands};
use super::{Column, SqlConnector, quoted};
use crate::connect::{ConnectError, NewAccount, Performed};

/// Columns with what is written into them.
#[derive(Default)]
struct Assignments {
    columns: Vec<Column>,
    values: Vec<Option<String>>,
}

impl Assignments {
    fn add(&mut self, column: &Column, value: Option<String>) {
        self.columns.push(column.clone());
        self.values.push(value);
    }
}

impl SqlConnector {
    /// Inserts the row of an account, and its values in other tables.
    pub(super) fn insert(&mut self, account: &NewAccount<'_>) -> Result<Performed, ConnectError> {
        let key = account.native_identity;
        if self.is_there(key)? {
            return Ok(Performed::WasSo);
        }
        let mut row = Assignments::default();
        row.add(&self.tables.key, Some(key.to_owned()));
        if let Some((column, word)) = self.status_word(true) {
            row.add(&column, Some(word));
        }
        if let (Some(column), Some(password)) = (&self.tables.password, &account.password) {
            row.add(column, Some(password.reveal().to_owned()));
        }
        let mut lists = Vec::new();
        for (index, place) in self.tables.attributes.iter().enumerate() {
            let mut known = account.attributes.iter();
            let value = known.find(|(name, _)| *name == place.attribute.name);
            let Some((_, value)) = value else { continue };
            match &place.stands {
                // The key itself may be an attribute as well.
                Stands::Column(column, _) if column.name == self.tables.key.name => {}
                Stands::Column(column, separator) => {
                    row.add(column, joined(value, separator.as_deref(), self, column));
                }
                Stands::List(_) => lists.push((index, texts(value))),
            }
        }
        for attribute in &account.attributes {
            self.known(attribute.0)?;
        }
        let columns: Vec<String> = row
            .columns
            .iter()
            .map(|column| quoted(&column.name))
            .collect();
        let parameters: Vec<String> = (1..)
            .zip(&row.columns)
            .map(|(number, column)| self.engine.parameter(number, column))
            .collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.tables.accounts,
            columns.join(", "),
            parameters.join(", "),
        );
        self.engine.execute(&sql, &row.values)?;
        for (index, texts) in lists {
            self.add_values(index, key, &texts)?;
        }
        Ok(Performed::Done)
    }

    /// Changes attributes of an account.
    pub(super) fn update(
        &mut self,
        key: &str,
        changes: &[AttributeChange],
    ) -> Result<Performed, ConnectError> {
        if !self.is_there(key)? {
            return Err(self.absent(key));
        }
        // A column is written once, whatever becomes of the attribute in it.
        let mut in_columns: Vec<(usize, Vec<&ValueChange>)> = Vec::new();
        for change in changes {
            let index = self.known(change.attribute)?;
            match &self.tables.attributes[index].stands {
                Stands::Column(..) => {
                    match in_columns.iter_mut().find(|(known, _)| *known == index) {
                        Some((_, changes)) => changes.push(&change.change),
                        None => in_columns.push((index, vec![&change.change])),
                    }
                }
                Stands::List(_) => match &change.change {
                    ValueChange::Set(value) => {
                        let texts = value.as_ref().map(texts).unwrap_or_default();
                        self.remove_other_values(index, key, &texts)?;
                        self.add_values(index, key, &texts)?;
                    }
                    ValueChange::Add(texts) => self.add_values(index, key, texts)?,
                    ValueChange::Remove(texts) => self.remove_values(index, key, texts)?,
                },
            }
        }
        let mut row = Assignments::default();
        for (index, changes) in in_columns {
            let Stands::Column(column, separator) = &self.tables.attributes[index].stands else {
                continue;
            };
            let (column, separator) = (column.clone(), separator.clone());
            let value = self.changed(key, index, &changes, &column, separator.as_deref())?;
            row.add(&column, value);
        }
        self.assign(key, row)
    }

    /// Writes the word for enabled or disabled accounts.
    pub(super) fn set_status(
        &mut self,
        key: &str,
        enabled: bool,
    ) -> Result<Performed, ConnectError> {
        let Some((column, word)) = self.status_word(enabled) else {
            return Err(ConnectError::Incapable {
                application: self.application.name.to_string(),
                what: if enabled { "enable" } else { "disable" },
            });
        };
        let mut row = Assignments::default();
        row.add(&column, Some(word));
        self.assign(key, row)
    }

    /// Writes another native identity, in all tables.
    pub(super) fn set_key(&mut self, key: &str, to: &str) -> Result<Performed, ConnectError> {
        match (self.is_there(key)?, self.is_there(to)?) {
            (true, false) => {}
            (false, true) => return Ok(Performed::WasSo),
            (true, true) => {
                return Err(self.refused(format!("there is an account `{to}` already")));
            }
            (false, false) => return Err(self.absent(key)),
        }
        // Values first refer to the account by its old key, unless the database
        // itself lets them follow: so they are taken away and put back.
        let mut kept = Vec::new();
        for index in 0..self.tables.attributes.len() {
            if let Stands::List(list) = &self.tables.attributes[index].stands {
                let texts = self.values_of(&clone(list), key)?;
                self.remove_other_values(index, key, &[])?;
                kept.push((index, texts));
            }
        }
        let mut row = Assignments::default();
        row.add(&self.tables.key.clone(), Some(to.to_owned()));
        self.assign(key, row)?;
        for (index, texts) in kept {
            self.add_values(index, to, &texts)?;
        }
        Ok(Performed::Done)
    }

    /// Deletes an account, and first its values in other tables.
    pub(super) fn remove(&mut self, key: &str) -> Result<Performed, ConnectError> {
        for index in 0..self.tables.attributes.len() {
            if matches!(self.tables.attributes[index].stands, Stands::List(_)) {
                self.remove_other_values(index, key, &[])?;
            }
        }
        let sql = format!(
            "DELETE FROM {} WHERE {} = {}",
            self.tables.accounts,
            quoted(&self.tables.key.name),
            self.engine.parameter(1, &self.tables.key),
        );
        match self.engine.execute(&sql, &[Some(key.to_owned())])? {
            0 => Ok(Performed::WasSo),
            1 => Ok(Performed::Done),
            _ => Err(self.refused(format!("there are several accounts `{key}`"))),
        }
    }

    /// Writes into the row of an account, of which there must be one.
    fn assign(&mut self, key: &str, row: Assignments) -> Result<Performed, ConnectError> {
        if row.columns.is_empty() {
            return Ok(Performed::Done);
        }
        let assignments: Vec<String> = (1..)
            .zip(&row.columns)
            .map(|(number, column)| {
                let parameter = self.engine.parameter(number, column);
                format!("{} = {parameter}", quoted(&column.name))
            })
            .collect();
        let number = row.columns.len() + 1;
        let sql = format!(
            "UPDATE {} SET {} WHERE {} = {}",
            self.tables.accounts,
            assignments.join(", "),
            quoted(&self.tables.key.name),
            self.engine.parameter(number, &self.tables.key),
        );
        let mut values = row.values;
        values.push(Some(key.to_owned()));
        match self.engine.execute(&sql, &values)? {
            0 => Err(self.absent(key)),
            1 => Ok(Performed::Done),
            _ => Err(self.refused(format!("there are several accounts `{key}`"))),
        }
    }

    /// Returns what a column holds once an attribute in it has changed, one change
    /// after the other.
    fn changed(
        &mut self,
        key: &str,
        index: usize,
        changes: &[&ValueChange],
        column: &Column,
        separator: Option<&str>,
    ) -> Result<Option<String>, ConnectError> {
        if let [.., ValueChange::Set(value)] = changes {
            return Ok(value
                .as_ref()
                .and_then(|value| joined(value, separator, self, column)));
        }
        let mut held = self.held(key, index, column, separator)?;
        for change in changes {
            match change {
                ValueChange::Set(value) => held = value.as_ref().map(texts).unwrap_or_default(),
                ValueChange::Add(added) => {
                    for text in added {
                        if !held.contains(text) {
                            held.push(text.clone());
                        }
                    }
                }
                ValueChange::Remove(removed) => held.retain(|text| !removed.contains(text)),
            }
        }
        if held.len() > 1 && separator.is_none() {
            let name = self.tables.attributes[index].attribute.name;
            return Err(self.refused(format!("attribute `{name}` has room for one value only")));
        }
        let text = held.join(separator.unwrap_or_default());
        let text = (!text.is_empty()).then_some(text);
        Ok(text.map(|text| self.engine.written(text, column)))
    }

    /// Returns the values that an account has in a column.
    fn held(
        &mut self,
        key: &str,
        index: usize,
        column: &Column,
        separator: Option<&str>,
    ) -> Result<Vec<String>, ConnectError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE {} = {}",
            self.engine.text_of(column),
            self.tables.accounts,
            quoted(&self.tables.key.name),
            self.engine.parameter(1, &self.tables.key),
        );
        let row = self.engine.query(&sql, &[Some(key.to_owned())])?.pop();
        let field = row.and_then(|mut row| row.pop()).flatten();
        let attribute = &self.tables.attributes[index].attribute;
        Ok(split(field, attribute, separator))
    }

    fn is_there(&mut self, key: &str) -> Result<bool, ConnectError> {
        let sql = format!(
            "SELECT '1' FROM {} WHERE {} = {} LIMIT 1",
            self.tables.accounts,
            quoted(&self.tables.key.name),
            self.engine.parameter(1, &self.tables.key),
        );
        let rows = self.engine.query(&sql, &[Some(key.to_owned())])?;
        Ok(!rows.is_empty())
    }

    fn absent(&self, key: &str) -> ConnectError {
        self.refused(format!("there is no account `{key}`"))
    }

    /// Returns the place of an attribute, which the schema must have.
    fn known(&self, attribute: idr_core::model::Name) -> Result<usize, ConnectError> {
        let mut places = self.tables.attributes.iter();
        let place = places.position(|place| place.attribute.name == attribute);
        place.ok_or_else(|| {
            self.refused(format!("there is no attribute `{attribute}` in its schema"))
        })
    }

    /// Returns the status column with the word that idr writes.
    fn status_word(&self, enabled: bool) -> Option<(Column, String)> {
        let (column, _) = self.tables.status.as_ref()?;
        let database = self.settings.database.as_ref()?;
        let status = database.status.as_ref()?;
        let words = if enabled {
            &status.enabled
        } else {
            &status.disabled
        };
        Some((column.clone(), words.first()?.clone()))
    }

    fn values_of(&mut self, list: &List, key: &str) -> Result<Vec<String>, ConnectError> {
        let sql = format!(
            "SELECT {} FROM {} WHERE {} = {} ORDER BY 1",
            self.engine.text_of(&list.value),
            list.table,
            quoted(&list.key.name),
            self.engine.parameter(1, &list.key),
        );
        let rows = self.engine.query(&sql, &[Some(key.to_owned())])?;
        Ok(rows.into_iter().flatten().flatten().collect())
    }

    /// Adds the values of an account that a list doesn't have yet.
    fn add_values(
        &mut self,
        index: usize,
        key: &str,
        texts: &[String],
    ) -> Result<(), ConnectError> {
        let Some(list) = self.list(index) else {
            return Ok(());
        };
        let known = self.values_of(&list, key)?;
        let sql = format!(
            "INSERT INTO {} ({}, {}) VALUES ({}, {})",
            list.table,
            quoted(&list.key.name),
            quoted(&list.value.name),
            self.engine.parameter(1, &list.key),
            self.engine.parameter(2, &list.value),
        );
        for text in texts {
            if !known.contains(text) {
                let text = self.engine.written(text.clone(), &list.value);
                self.engine
                    .execute(&sql, &[Some(key.to_owned()), Some(text)])?;
            }
        }
        Ok(())
    }

    fn remove_values(
        &mut self,
        index: usize,
        key: &str,
        texts: &[String],
    ) -> Result<(), ConnectError> {
        let Some(list) = self.list(index) else {
            return Ok(());
        };
        let sql = format!(
            "DELETE FROM {} WHERE {} = {} AND {} = {}",
            list.table,
            quoted(&list.key.name),
            self.engine.parameter(1, &list.key),
            quoted(&list.value.name),
            self.engine.parameter(2, &list.value),
        );
        for text in texts {
            let text = self.engine.written(text.clone(), &list.value);
            self.engine
                .execute(&sql, &[Some(key.to_owned()), Some(text)])?;
        }
        Ok(())
    }

    /// Removes the values of an account apart from these.
    fn remove_other_values(
        &mut self,
        index: usize,
        key: &str,
        kept: &[String],
    ) -> Result<(), ConnectError> {
        let Some(list) = self.list(index) else {
            return Ok(());
        };
        let mut gone = self.values_of(&list, key)?;
        gone.retain(|text| !kept.contains(text));
        gone.dedup();
        self.remove_values(index, key, &gone)
    }

    fn list(&self, index: usize) -> Option<List> {
        match &self.tables.attributes.get(index)?.stands {
            Stands::List(list) => Some(clone(list)),
            Stands::Column(..) => None,
        }
    }
}

fn clone(list: &List) -> List {
    List {
        table: list.table.clone(),
        key: list.key.clone(),
        value: list.value.clone(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    value.each_text(|text| texts.push(text.to_owned()));
    texts
}

/// Returns what a column holds for a value.
fn joined(
    value: &Value,
    separator: Option<&str>,
    connector: &SqlConnector,
    column: &Column,
) -> Option<String> {
    let text = texts(value).join(separator.unwrap_or(" "));
    (!text.is_empty()).then(|| connector.engine.written(text, column))
}
