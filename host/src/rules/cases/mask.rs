//! Sensitive values in recorded cases: replaced by others of the same type.

use std::collections::{BTreeMap, BTreeSet};

use idr_core::definitions::Model;
use idr_core::model::{Name, UnixMillis, Value};
use jiff::ToSpan;
use jiff::civil::date;
use rust_decimal::Decimal;

use super::consequences::AccessSetting;
use super::format::{AccountSetting, BaselineSetting, OwnedChange, OwnedQuestion, Setting};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Replaces sensitive values. The same value is always replaced by the same, so
/// that what is compared is still equal or not.
pub(super) struct Masker<'m> {
    model: &'m Model,
    known: Vec<Value>,
    masked: BTreeSet<String>,
}

impl<'m> Masker<'m> {
    pub(super) fn new(model: &'m Model) -> Self {
        Self {
            model,
            known: Vec::new(),
            masked: BTreeSet::new(),
        }
    }

    /// Returns the names of the attributes that had values to be masked.
    pub(super) fn masked(&self) -> &BTreeSet<String> {
        &self.masked
    }

    pub(super) fn setting(&mut self, setting: &Setting) -> Setting {
        Setting {
            attributes: self.attributes(&setting.attributes),
            manager_attributes: setting
                .manager_attributes
                .as_ref()
                .map(|attributes| self.attributes(attributes)),
            accounts: setting
                .accounts
                .iter()
                .map(|account| self.account(account))
                .collect(),
            account: setting
                .account
                .as_ref()
                .map(|account| self.account(account)),
            baseline: setting.baseline.as_ref().map(|baseline| BaselineSetting {
                attributes: self.attributes(&baseline.attributes),
                ..baseline.clone()
            }),
            access: self.access(&setting.access),
            ..setting.clone()
        }
    }

    pub(super) fn question(
        &mut self,
        question: &OwnedQuestion,
        setting: &Setting,
    ) -> OwnedQuestion {
        match question {
            OwnedQuestion::ValueChange(change) if self.is_sensitive(&change.attribute) => {
                self.masked.insert(change.attribute.clone());
                OwnedQuestion::ValueChange(OwnedChange {
                    attribute: change.attribute.clone(),
                    old: change.old.as_ref().map(|value| self.mask(value)),
                    new: change.new.as_ref().map(|value| self.mask(value)),
                })
            }
            OwnedQuestion::CorrelateManager(named) => match self.manager_attribute_of(setting) {
                Some(attribute) => {
                    self.masked.insert(attribute);
                    OwnedQuestion::CorrelateManager(self.mask(named))
                }
                None => question.clone(),
            },
            _ => question.clone(),
        }
    }

    /// Returns the account attribute that names the manager, if it is sensitive.
    fn manager_attribute_of(&self, setting: &Setting) -> Option<String> {
        let application = &setting.account.as_ref()?.application;
        let sources = &self.model.manager.as_ref()?.sources;
        let (_, attribute) = sources
            .iter()
            .find(|(known, _)| known.as_str() == application)?;
        let name = attribute.to_string();
        self.is_sensitive_in(application, &name).then_some(name)
    }

    fn attributes(&mut self, values: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
        let masked = values.iter().map(|(name, value)| {
            let value = match self.is_sensitive(name) {
                true => {
                    self.masked.insert(name.clone());
                    self.mask(value)
                }
                false => value.clone(),
            };
            (name.clone(), value)
        });
        masked.collect()
    }

    fn account(&mut self, account: &AccountSetting) -> AccountSetting {
        let attributes = account.attributes.iter().map(|(name, value)| {
            let value = match self.is_sensitive_in(&account.application, name) {
                true => {
                    self.masked
                        .insert(format!("{}.{name}", account.application));
                    self.mask(value)
                }
                false => value.clone(),
            };
            (name.clone(), value)
        });
        AccountSetting {
            attributes: attributes.collect(),
            ..account.clone()
        }
    }

    fn access(&mut self, access: &AccessSetting) -> AccessSetting {
        let mut masked = access.clone();
        for (application, attribute, value) in &mut masked.entitlements {
            if self.is_sensitive_in(application, attribute) {
                self.masked.insert(format!("{application}.{attribute}"));
                *value = masked_text(self.place_of(&Value::text(&*value)));
            }
        }
        masked
    }

    fn is_sensitive(&self, attribute: &str) -> bool {
        let attributes = &self.model.attributes;
        attributes
            .iter()
            .any(|known| known.sensitive && known.name.as_str() == attribute)
    }

    fn is_sensitive_in(&self, application: &str, attribute: &str) -> bool {
        let application = Name::known(application).and_then(|name| self.model.application(name));
        let schema = application.into_iter().flat_map(|known| &known.schema);
        schema
            .filter(|known| known.sensitive)
            .any(|known| known.name.as_str() == attribute)
    }

    fn mask(&mut self, value: &Value) -> Value {
        match value {
            Value::Many(texts) => {
                let texts = texts.iter().map(|text| {
                    let place = self.place_of(&Value::Text(text.clone()));
                    masked_text(place)
                });
                Value::many(texts)
            }
            Value::Text(_) => Value::text(masked_text(self.place_of(value))),
            Value::Integer(_) => Value::Integer(self.place_of(value)),
            Value::Decimal(_) => Value::Decimal(Decimal::new(self.place_of(value) * 10 + 5, 1)),
            Value::Boolean(_) => {
                self.place_of(value);
                Value::Boolean(false)
            }
            Value::Date(_) => {
                let first = date(2000, 1, 1);
                let day = first.checked_add(self.place_of(value).days());
                Value::Date(day.unwrap_or(first))
            }
            Value::Instant(_) => {
                let first = UnixMillis(30 * 365 * DAY_MS);
                Value::Instant(first.plus_ms(self.place_of(value) * DAY_MS))
            }
        }
    }

    /// Returns a number for a value, counted from 1 as values are met.
    fn place_of(&mut self, value: &Value) -> i64 {
        let place = self.known.iter().position(|known| known == value);
        let place = place.unwrap_or_else(|| {
            self.known.push(value.clone());
            self.known.len() - 1
        });
        i64::try_from(place).map_or(i64::from(i32::MAX), |place| place + 1)
    }
}

fn masked_text(place: i64) -> String {
    format!("masked {place}")
}
