//! Filters over an identity, read through the tracked view.

use std::borrow::Cow;

use super::{ReadError, TrackedView};
use crate::filter::{Path, Properties};
use crate::model::{Name, Value};

impl Properties<ReadError> for TrackedView {
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, ReadError> {
        let value = match path.segments() {
            [name] => match name.as_str() {
                "assignedRoles" | "detectedRoles" | "links" | "accounts" => {
                    self.collection(*name, &path.name())?
                }
                _ => self.attribute(name)?,
            },
            [first, rest] if first.as_str() == "manager" => self.manager_attribute(rest)?,
            [first, ..] => self.collection(*first, &path.name())?,
            [] => None,
        };
        Ok(value.map(Cow::Owned))
    }

    fn any_item(
        &mut self,
        collection: &Path,
        _holds: &mut dyn FnMut(&mut dyn Properties<ReadError>) -> Result<bool, ReadError>,
    ) -> Result<bool, ReadError> {
        Err(ReadError::Unknown {
            what: "collection",
            name: collection.name().to_string(),
            nearest: None,
        })
    }
}

impl TrackedView {
    /// Answers a path through the identity's accounts or roles with the texts
    /// of all items.
    fn collection(&mut self, first: Name, path: &str) -> Result<Option<Value>, ReadError> {
        let field = path.split_once('.').map_or("", |(_, field)| field);
        let identity = &self.state().record.identity;
        let texts: Vec<String> = match (first.as_str(), field) {
            ("assignedRoles", "" | "name") => {
                self.roles_are_readable()?;
                identity
                    .assigned
                    .iter()
                    .map(|known| known.role.to_string())
                    .collect()
            }
            ("detectedRoles", "" | "name") => {
                self.roles_are_readable()?;
                identity
                    .detected
                    .iter()
                    .map(|known| known.role.to_string())
                    .collect()
            }
            ("links" | "accounts", "" | "nativeIdentity") => {
                self.present_accounts(|key| key.native_identity.clone())
            }
            ("links" | "accounts", "application" | "application.name") => {
                self.present_accounts(|key| key.application.to_string())
            }
            _ => {
                return Err(ReadError::Unknown {
                    what: "property",
                    name: path.to_owned(),
                    nearest: None,
                });
            }
        };
        Ok(Value::Many(texts).normalised())
    }

    fn roles_are_readable(&self) -> Result<(), ReadError> {
        self.state()
            .baseline
            .as_ref()
            .map(drop)
            .ok_or(ReadError::Phase("roles"))
    }

    fn present_accounts(
        &mut self,
        show: impl Fn(&crate::model::AccountKey) -> String,
    ) -> Vec<String> {
        let mut texts = Vec::new();
        for index in 0..self.state().record.accounts.len() {
            if !self.is_vanished(index) {
                texts.push(show(&self.state().record.accounts[index].key));
            }
        }
        texts.dedup();
        texts
    }
}

/// Filters over an identity as it was when events were last processed.
///
/// Accounts and roles have no past here: only attributes and reserved names do.
pub struct BaselineProperties<'v>(pub &'v mut TrackedView);

impl Properties<ReadError> for BaselineProperties<'_> {
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, ReadError> {
        match path.segments() {
            [name] => Ok(self.0.baseline_attribute(name)?.map(Cow::Owned)),
            _ => Err(ReadError::Unknown {
                what: "property of the past",
                name: path.name().to_string(),
                nearest: None,
            }),
        }
    }

    fn any_item(
        &mut self,
        collection: &Path,
        _holds: &mut dyn FnMut(&mut dyn Properties<ReadError>) -> Result<bool, ReadError>,
    ) -> Result<bool, ReadError> {
        Err(ReadError::Unknown {
            what: "property of the past",
            name: collection.name().to_string(),
            nearest: None,
        })
    }
}
