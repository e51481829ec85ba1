//! Filters over an identity, read through the tracked view.

use std::borrow::Cow;

use super::{AccountHandle, Node, ReadError, STATUS, Slot, TrackedView};
use crate::definitions::Application;
use crate::filter::{Filter, Path, Properties};
use crate::model::{Name, Scorecard, Value};

impl Properties<ReadError> for TrackedView {
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, ReadError> {
        if let [name] = path.segments()
            && let Some(index) = self.unrestricted(*name)
        {
            self.note_node_read(Node::Attribute(*name));
            return Ok(self.value_at(index).map(Cow::Borrowed));
        }
        let value = match path.segments() {
            [name] => match name.as_str() {
                "assignedRoles" | "detectedRoles" | "links" | "accounts" => {
                    self.collection(*name, &path.name())?
                }
                _ => self.attribute(name)?,
            },
            [first, rest] if first.as_str() == "manager" => self.manager_attribute(rest)?,
            [first, rest] if first.as_str() == "scorecard" => self.score(rest)?,
            [first, ..] => self.collection(*first, &path.name())?,
            [] => None,
        };
        Ok(value.map(Cow::Owned))
    }

    fn any_item(
        &mut self,
        collection: &Path,
        holds: &mut dyn FnMut(&mut dyn Properties<ReadError>) -> Result<bool, ReadError>,
    ) -> Result<bool, ReadError> {
        if !matches!(collection.name().as_str(), "links" | "accounts") {
            return Err(unknown("collection", collection));
        }
        for index in 0..self.state().record.accounts.len() {
            if !self.is_vanished(index) && holds(&mut AccountProperties { view: self, index })? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// One of the identity's accounts, as an inner filter over `links` reads it.
struct AccountProperties<'v> {
    view: &'v mut TrackedView,
    index: usize,
}

impl Properties<ReadError> for AccountProperties<'_> {
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, ReadError> {
        let value = self.view.account_property(self.index, &path.name())?;
        Ok(value.map(Cow::Owned))
    }

    fn any_item(
        &mut self,
        collection: &Path,
        _holds: &mut dyn FnMut(&mut dyn Properties<ReadError>) -> Result<bool, ReadError>,
    ) -> Result<bool, ReadError> {
        Err(unknown("collection", collection))
    }
}

fn unknown(what: &'static str, path: &Path) -> ReadError {
    ReadError::Unknown {
        what,
        name: path.name().to_string(),
        nearest: None,
    }
}

impl TrackedView {
    /// Returns the place of an attribute that is settled, where nobody's grant
    /// restricts the read and nobody wants to know of it: roles have many filters,
    /// and most reads are such.
    fn unrestricted(&self, name: Name) -> Option<usize> {
        let state = self.state();
        let index = match (state.rule, &state.trace) {
            (None, None) => state.model.attribute_index(name)?,
            _ => return None,
        };
        matches!(state.slots[index], Slot::Attribute(_) | Slot::Recorded).then_some(index)
    }

    /// Returns the value of a settled attribute by its place.
    fn value_at(&self, index: usize) -> Option<&Value> {
        let state = self.state();
        match &state.slots[index] {
            Slot::Attribute(known) => known.as_ref()?.value.as_ref(),
            _ => {
                let name = state.model.attributes[index].name;
                state.record.identity.value(name)
            }
        }
    }

    /// Says whether a filter that reads the properties of an account lets one of
    /// the identity's through.
    pub(crate) fn account_matches(
        &mut self,
        index: usize,
        filter: &Filter,
    ) -> Result<bool, ReadError> {
        filter.matches(&mut AccountProperties { view: self, index })
    }

    /// Returns a score of the identity's scorecard as the last refresh left it;
    /// absent where nothing is scored.
    fn score(&mut self, name: &str) -> Result<Option<Value>, ReadError> {
        if self.state().baseline.is_none() {
            return Err(ReadError::Phase("the scorecard"));
        }
        let card = self.state().record.identity.scorecard;
        let score = |card: Scorecard| {
            Some(match name {
                "compositeScore" => card.composite,
                "roleScore" => card.roles.compensated,
                "entitlementScore" => card.entitlements.compensated,
                "policyScore" => card.policies.compensated,
                "certificationScore" => card.certification,
                _ => return None,
            })
        };
        let score = card.and_then(score);
        self.note(
            || format!("scorecard {name}"),
            || score.map_or_else(|| "absent".to_owned(), |score| score.to_string()),
        );
        Ok(score.map(|score| Value::Integer(score.into())))
    }

    /// Answers a path through the identity's accounts or roles with the texts
    /// of all items.
    fn collection(&mut self, first: Name, path: &str) -> Result<Option<Value>, ReadError> {
        let field = path.split_once('.').map_or("", |(_, field)| field);
        let texts: Vec<String> = match (first.as_str(), field) {
            ("assignedRoles", "" | "name") => {
                self.roles_are_readable()?;
                self.assigned_roles()
                    .iter()
                    .map(|known| known.role.to_string())
                    .collect()
            }
            ("detectedRoles", "" | "name") => {
                self.roles_are_readable()?;
                self.detected_roles()
                    .iter()
                    .map(|known| known.role.to_string())
                    .collect()
            }
            ("links" | "accounts", "") => self.account_texts("nativeIdentity")?,
            ("links" | "accounts", field) => self.account_texts(field)?,
            _ => {
                return Err(ReadError::Unknown {
                    what: "property",
                    name: path.to_owned(),
                    nearest: None,
                });
            }
        };
        Ok(Value::many(texts).normalised())
    }

    fn roles_are_readable(&self) -> Result<(), ReadError> {
        match (&self.state().baseline, &self.state().roles) {
            (None, None) => Err(ReadError::Phase("roles")),
            _ => Ok(()),
        }
    }

    /// Returns the texts of a property of all accounts that haven't vanished.
    fn account_texts(&mut self, field: &str) -> Result<Vec<String>, ReadError> {
        self.note_composed_read(None);
        let mut texts = Vec::new();
        for index in 0..self.state().record.accounts.len() {
            if self.is_vanished(index) {
                continue;
            }
            if let Some(value) = self.account_property(index, field)? {
                value.each_text(|text| texts.push(text.to_owned()));
            }
        }
        texts.dedup();
        Ok(texts)
    }

    /// Returns a property of an account: `application`, `nativeIdentity`,
    /// `status`, or an attribute of its application; absent where another
    /// application defines the attribute.
    fn account_property(&mut self, index: usize, field: &str) -> Result<Option<Value>, ReadError> {
        if field == "status" {
            self.note_account_asked(index, STATUS);
        }
        let account = &self.state().record.accounts[index];
        let text = match field {
            "application" | "application.name" => account.key.application.to_string(),
            "nativeIdentity" => account.key.native_identity.clone(),
            "status" => account.status.as_str().to_owned(),
            _ => {
                let application = account.key.application;
                let defined_in = |application: &Application| {
                    application
                        .schema
                        .iter()
                        .any(|known| known.name.as_str() == field)
                };
                let model = self.model();
                let is_own = model.application(application).is_some_and(defined_in);
                if !is_own && model.applications.iter().any(defined_in) {
                    return Ok(None);
                }
                let handle = AccountHandle::try_from(index).unwrap_or(AccountHandle::MAX);
                return self.account_attribute(handle, field);
            }
        };
        self.note_of(
            index,
            || format!("account {index} {field}"),
            || text.clone(),
        );
        Ok(Some(Value::text(text)))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{ReadError, TrackedView};
    use crate::definitions::{AccountAttribute, Application, Model};
    use crate::filter::Filter;
    use crate::model::{
        Account, AccountKey, AccountStatus, Claim, Holder, IdentityRecord, Link, Name, Uid,
        UnixMillis, Value, ValueType,
    };
    use crate::view::{Snapshot, SnapshotError};

    struct Nobody;

    impl Snapshot for Nobody {
        fn attribute_of(&self, _: Uid, _: Name) -> Result<Option<Value>, SnapshotError> {
            Ok(None)
        }

        fn find(&self, _: Name, _: &str) -> Result<Vec<Uid>, SnapshotError> {
            Ok(Vec::new())
        }

        fn holder(&self, _claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
            Ok(None)
        }
    }

    fn application(name: &str, attribute: &str) -> Application {
        Application {
            name: Name::new(name),
            schema: vec![AccountAttribute {
                name: Name::new(attribute),
                value_type: ValueType::Text,
                entitlement: false,
                sensitive: false,
            }],
            correlation: Vec::new(),
            creates: None,
            vanish_grace_ms: 0,
            native_changes: None,
            native_entitlements: Default::default(),
            logical: None,
            provisioning: Default::default(),
        }
    }

    fn account(application: &str, status: AccountStatus, attribute: &str, value: &str) -> Account {
        Account {
            key: AccountKey {
                application: Name::new(application),
                native_identity: format!("{application}-1"),
            },
            status,
            missing_since: None,
            taken_away: false,
            attributes: vec![(Name::new(attribute), Value::text(value))],
            native_entitlements: Vec::new(),
            link: Link::Correlated,
            owner: None,
        }
    }

    /// An identity with an enabled `crm` and a disabled `hr` account, and a
    /// vanished `hr` account.
    fn matches(text: &str) -> Result<bool, ReadError> {
        let mut vanished = account("hr", AccountStatus::Locked, "grade", "99");
        vanished.key.native_identity = "hr-2".to_owned();
        vanished.missing_since = Some(UnixMillis(1));
        let model = Model {
            applications: vec![application("crm", "region"), application("hr", "grade")],
            ..Model::default()
        };
        let record = IdentityRecord {
            accounts: vec![
                account("crm", AccountStatus::Enabled, "region", "west"),
                account("hr", AccountStatus::Disabled, "grade", "7"),
                vanished,
            ],
            ..IdentityRecord::default()
        };
        let mut view = TrackedView::new(Arc::new(model), Arc::new(Nobody), UnixMillis(2), record);
        Filter::parse(text).expect("a filter").matches(&mut view)
    }

    #[test]
    fn accounts_are_read_through_paths_and_one_by_one() {
        for text in [
            r#"links.application.name.containsAll({"crm", "hr"})"#,
            r#"links.status == "enabled" && links.status == "disabled""#,
            r#"links.grade == "7" && links.region == "west""#,
            r#"links.collectionCondition("application.name == \"hr\" && status == \"disabled\"")"#,
            r#"links.collectionCondition("region.isNull() && nativeIdentity == \"hr-1\"")"#,
            r#"!links.collectionCondition("status == \"enabled\" && grade.notNull()")"#,
            r#"links.notNull() && links == "hr-1" && links != "hr-2""#,
            r#"!(links.status == "locked" || links.grade > 7)"#,
        ] {
            assert_eq!(matches(text), Ok(true), "{text}");
        }
    }

    #[test]
    fn what_no_account_can_have_is_an_error() {
        for text in [
            "links.collectionCondition(\"graed.isNull()\")",
            "links.graed.isNull()",
            "assignments.collectionCondition(\"name.isNull()\")",
        ] {
            assert!(
                matches!(matches(text), Err(ReadError::Unknown { .. })),
                "{text}"
            );
        }
    }
}
