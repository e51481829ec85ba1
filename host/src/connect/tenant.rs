//! The connectors that a tenant's configuration describes.

use std::collections::BTreeMap;
use std::path::Path;

use idr_core::definitions::Application;
use idr_core::model::Name;

use super::{Capability, ConnectError, Connector, Connectors, Password};
use crate::aggregate::connector::Connector as Settings;

/// Opens what the configuration describes.
#[derive(Clone, Copy)]
pub struct TenantConnectors<'a> {
    settings: &'a BTreeMap<Name, Settings>,
    directory: &'a Path,
}

impl<'a> TenantConnectors<'a> {
    /// Returns those with these settings; paths are relative to `directory`.
    pub fn new(settings: &'a BTreeMap<Name, Settings>, directory: &'a Path) -> Self {
        Self {
            settings,
            directory,
        }
    }
}

impl Connectors for TenantConnectors<'_> {
    fn open(&self, application: &Application) -> Result<Box<dyn Connector>, ConnectError> {
        let incapable = || ConnectError::Incapable {
            application: application.name.to_string(),
            what: Capability::Get.as_str(),
        };
        let settings = self.settings.get(&application.name).ok_or_else(incapable)?;
        super::open(application, settings, self.directory)?.ok_or_else(incapable)
    }

    fn can(&self, application: Name, capability: Capability) -> bool {
        let settings = self.settings.get(&application);
        settings.is_some_and(|settings| settings.can(capability))
    }

    fn password(&self, application: Name) -> Result<Option<Password>, ConnectError> {
        let settings = self.settings.get(&application);
        let database = settings.and_then(|settings| settings.database.as_ref());
        let Some(password) = database.and_then(|database| database.password.as_ref()) else {
            return Ok(None);
        };
        let name = application.as_str();
        let Some(reference) = &password.reference else {
            return Password::draw(name).map(Some);
        };
        let bytes = reference.bytes(self.directory).map_err(|source| {
            let application = name.to_owned();
            let key = "password.value";
            ConnectError::Reference {
                application,
                key,
                source,
            }
        })?;
        let text = String::from_utf8(bytes).map_err(|_| ConnectError::Settings {
            application: name.to_owned(),
            message: "what `password.value` refers to is not UTF-8".to_owned(),
            hint: None,
        })?;
        Ok(Some(Password::new(text)))
    }
}
