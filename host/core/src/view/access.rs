//! The access that a policy judges: for policy rules, and for nobody else.

use std::sync::Arc;

use super::{ReadError, TrackedView};
use crate::model::Name;

/// Roles and entitlements that a policy judges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JudgedAccess {
    /// Whether it includes what is called for and isn't there yet.
    pub desired: bool,
    /// Assigned and detected roles, sorted, without repeats.
    pub roles: Vec<Name>,
    /// Entitlements as application, attribute and value, sorted, without repeats.
    pub entitlements: Vec<(Name, Name, String)>,
}

impl TrackedView {
    /// Shows policy rules what they judge.
    pub fn show_access(&mut self, access: Option<Arc<JudgedAccess>>) {
        self.state_mut().judged = access;
    }

    /// Says whether what is called for is judged as well.
    ///
    /// # Errors
    ///
    /// [`ReadError::Phase`] outside policies.
    pub fn access_is_desired(&mut self) -> Result<bool, ReadError> {
        let desired = self.judged()?.desired;
        self.note(|| "access is desired".to_owned(), || desired.to_string());
        Ok(desired)
    }

    /// Says whether a role is part of what is judged.
    ///
    /// # Errors
    ///
    /// [`ReadError::Phase`] outside policies; [`ReadError::Unknown`] for a role
    /// that isn't defined.
    pub fn access_has_role(&mut self, role: &str) -> Result<bool, ReadError> {
        let access = self.judged()?;
        let has = match self.known_role(role)? {
            Some(role) => access.roles.binary_search(&role).is_ok(),
            None => false,
        };
        self.note(|| format!("access has role {role}"), || has.to_string());
        Ok(has)
    }

    /// Returns the roles that are judged, sorted.
    ///
    /// # Errors
    ///
    /// [`ReadError::Phase`] outside policies.
    pub fn access_roles(&mut self) -> Result<Vec<Name>, ReadError> {
        let roles = self.judged()?.roles.clone();
        self.note(
            || "access roles".to_owned(),
            || {
                let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
                names.join(", ")
            },
        );
        Ok(roles)
    }

    /// Says whether an entitlement is part of what is judged.
    ///
    /// # Errors
    ///
    /// [`ReadError::Phase`] outside policies; [`ReadError`] for an entitlement
    /// attribute that isn't defined or isn't granted.
    pub fn access_holds(
        &mut self,
        application: &str,
        attribute: &str,
        value: &str,
    ) -> Result<bool, ReadError> {
        let held = self.access_of(application, attribute)?;
        let holds = held.iter().any(|known| known == value);
        self.note(
            || format!("access {application} {attribute} {value}"),
            || holds.to_string(),
        );
        Ok(holds)
    }

    /// Returns the entitlements of an attribute that are judged, sorted.
    ///
    /// # Errors
    ///
    /// As [`TrackedView::access_holds`].
    pub fn access_held(
        &mut self,
        application: &str,
        attribute: &str,
    ) -> Result<Vec<String>, ReadError> {
        let held = self.access_of(application, attribute)?;
        self.note(
            || format!("access {application} {attribute}"),
            || held.join(", "),
        );
        Ok(held)
    }

    fn access_of(&self, application: &str, attribute: &str) -> Result<Vec<String>, ReadError> {
        let access = self.judged()?;
        let Some(of) = self.granted_entitlement(application, attribute)? else {
            return Ok(Vec::new());
        };
        let entitlements = access.entitlements.iter();
        let held = entitlements
            .filter(|(application, attribute, _)| (*application, *attribute) == of)
            .map(|(_, _, value)| value.clone());
        Ok(held.collect())
    }

    fn judged(&self) -> Result<Arc<JudgedAccess>, ReadError> {
        let judged = self.state().judged.clone();
        judged.ok_or(ReadError::Phase("the access that policies judge"))
    }
}
