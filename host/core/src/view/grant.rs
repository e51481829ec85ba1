//! Data minimisation: which names exist, and which of them a rule may read.
//!
//! A name that isn't defined is an error that names the nearest one: a rule
//! with a misspelt attribute must not silently read nothing.

use super::{ReadError, TrackedView};
use crate::definitions::{Grant, RESERVED, RuleIndex};
use crate::model::Name;
use crate::text::nearest;

const ATTRIBUTE: &str = "identity attribute";
const APPLICATION: &str = "application";
const ACCOUNT_ATTRIBUTE: &str = "account attribute";
const ENTITLEMENT: &str = "entitlement attribute";

impl TrackedView {
    /// Checks an identity attribute; `None` when it isn't known and needn't be.
    pub(super) fn granted_attribute(&self, name: &str) -> Result<Option<Name>, ReadError> {
        let grant = self.grant();
        let Some(known) = self.known_attribute(name, grant)? else {
            return Ok(None);
        };
        match grant {
            Some(grant) if !allows(grant, &grant.attributes, known) => {
                Err(not_granted(ATTRIBUTE, name))
            }
            _ => Ok(Some(known)),
        }
    }

    /// Checks an attribute of the manager; `None` when it isn't known and needn't be.
    pub(super) fn granted_manager_attribute(&self, name: &str) -> Result<Option<Name>, ReadError> {
        let grant = self.grant();
        let Some(known) = self.known_attribute(name, grant)? else {
            return Ok(None);
        };
        if known.as_str() == "manager" {
            return Err(ReadError::Argument(
                "the manager's manager can't be read".to_owned(),
            ));
        }
        match grant {
            Some(grant) if !allows(grant, &grant.manager_attributes, known) => {
                Err(not_granted("manager attribute", name))
            }
            _ => Ok(Some(known)),
        }
    }

    /// Checks an identity attribute, or `name`, that a rule wants to look
    /// somebody up by.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when it isn't defined, or when `rule` may not look people
    /// up by it.
    pub fn granted_lookup(&self, rule: RuleIndex, name: &str) -> Result<Name, ReadError> {
        let grant = &self.state().model.rule(rule).grant;
        let known = match self.known_attribute(name, Some(grant))? {
            Some(known) => known,
            None => Name::new(name),
        };
        if grant.everything || known.as_str() == "name" || grant.lookups.contains(&known) {
            return Ok(known);
        }
        Err(not_granted("look-up by", name))
    }

    /// Checks an application; `None` when it isn't known and needn't be.
    pub(super) fn granted_application(&self, name: &str) -> Result<Option<Name>, ReadError> {
        let known =
            Name::known(name).filter(|known| self.state().model.application(*known).is_some());
        let grant = self.grant();
        match (known, grant) {
            (None, Some(grant)) if grant.everything => Ok(Name::known(name)),
            (None, _) => Err(self.unknown_application(name)),
            (Some(known), Some(grant))
                if !grant.everything && !grant.accounts.iter().any(|(name, _)| *name == known) =>
            {
                Err(not_granted(APPLICATION, name))
            }
            (Some(known), _) => Ok(Some(known)),
        }
    }

    /// Checks an account attribute; `None` when it isn't known and needn't be.
    pub(super) fn granted_account_attribute(
        &self,
        application: Name,
        name: &str,
    ) -> Result<Option<Name>, ReadError> {
        let grant = self.grant();
        if grant.is_some_and(|grant| grant.everything) {
            return Ok(Name::known(name));
        }
        let known = self.known_account_attribute(application, name)?;
        match grant {
            Some(grant) if !allows_of(&grant.accounts, application, known) => Err(not_granted(
                ACCOUNT_ATTRIBUTE,
                &format!("{application}.{name}"),
            )),
            _ => Ok(Some(known)),
        }
    }

    /// Checks an entitlement attribute; `None` when it isn't known and needn't be.
    pub(super) fn granted_entitlement(
        &self,
        application: &str,
        attribute: &str,
    ) -> Result<Option<(Name, Name)>, ReadError> {
        let grant = self.grant();
        if grant.is_some_and(|grant| grant.everything) {
            return Ok(Name::known(application).zip(Name::known(attribute)));
        }
        let known = Name::known(application)
            .filter(|known| self.state().model.application(*known).is_some())
            .ok_or_else(|| self.unknown_application(application))?;
        let known_attribute = self.known_account_attribute(known, attribute)?;
        match grant {
            Some(grant) if !allows_of(&grant.entitlements, known, known_attribute) => Err(
                not_granted(ENTITLEMENT, &format!("{application}.{attribute}")),
            ),
            _ => Ok(Some((known, known_attribute))),
        }
    }

    /// Checks a role; `None` when it isn't known and needn't be.
    pub(super) fn readable_role(&self, name: &str) -> Result<Option<Name>, ReadError> {
        if self.state().baseline.is_none() && self.state().roles.is_none() {
            return Err(ReadError::Phase("roles"));
        }
        self.known_role(name)
    }

    /// Checks the name of a role; `None` when it isn't known and needn't be.
    pub(super) fn known_role(&self, name: &str) -> Result<Option<Name>, ReadError> {
        let model = &self.state().model;
        let known = Name::known(name).filter(|known| model.role(*known).is_some());
        match known {
            Some(known) => Ok(Some(known)),
            None if self.grant().is_some_and(|grant| grant.everything) => Ok(Name::known(name)),
            None => Err(ReadError::Unknown {
                what: "role",
                name: name.to_owned(),
                nearest: nearest(name, model.roles.iter().map(|role| role.name.as_str())),
            }),
        }
    }

    fn grant(&self) -> Option<&Grant> {
        let state = self.state();
        state.rule.map(|rule| &state.model.rule(rule).grant)
    }

    fn known_attribute(
        &self,
        name: &str,
        grant: Option<&Grant>,
    ) -> Result<Option<Name>, ReadError> {
        let model = &self.state().model;
        let known = Name::known(name).filter(|known| {
            model.attribute_index(*known).is_some() || RESERVED.contains(&known.as_str())
        });
        match known {
            Some(known) => Ok(Some(known)),
            None if RESERVED.contains(&name) => Ok(Some(Name::new(name))),
            None if grant.is_some_and(|grant| grant.everything) => Ok(None),
            None => Err(ReadError::Unknown {
                what: ATTRIBUTE,
                name: name.to_owned(),
                nearest: nearest(
                    name,
                    model
                        .attributes
                        .iter()
                        .map(|known| known.name.as_str())
                        .chain(RESERVED),
                ),
            }),
        }
    }

    fn known_account_attribute(&self, application: Name, name: &str) -> Result<Name, ReadError> {
        let Some(definition) = self.state().model.application(application) else {
            return Err(self.unknown_application(&application));
        };
        Name::known(name)
            .filter(|known| definition.attribute(*known).is_some())
            .ok_or_else(|| ReadError::Unknown {
                what: ACCOUNT_ATTRIBUTE,
                name: format!("{application}.{name}"),
                nearest: nearest(
                    name,
                    definition.schema.iter().map(|known| known.name.as_str()),
                ),
            })
    }

    fn unknown_application(&self, name: &str) -> ReadError {
        let applications = &self.state().model.applications;
        ReadError::Unknown {
            what: APPLICATION,
            name: name.to_owned(),
            nearest: nearest(name, applications.iter().map(|known| known.name.as_str())),
        }
    }
}

fn allows(grant: &Grant, granted: &[Name], name: Name) -> bool {
    grant.everything || granted.contains(&name) || RESERVED.contains(&name.as_str())
}

fn allows_of(granted: &[(Name, Vec<Name>)], application: Name, attribute: Name) -> bool {
    granted
        .iter()
        .any(|(name, attributes)| *name == application && attributes.contains(&attribute))
}

fn not_granted(what: &'static str, name: &str) -> ReadError {
    ReadError::NotGranted {
        what,
        name: name.to_owned(),
    }
}
