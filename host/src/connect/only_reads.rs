//! Applications that are only asked: for dry runs, which may read and must not act.

use idr_core::definitions::Application;
use idr_core::model::{AttributeChange, Name};

use super::{Capability, ConnectError, Connector, Connectors, Listed, NewAccount, Performed};

/// Other connectors, of which nothing but reading is left.
#[derive(Clone, Copy)]
pub struct OnlyReads<'a>(pub &'a dyn Connectors);

impl Connectors for OnlyReads<'_> {
    fn open(&self, application: &Application) -> Result<Box<dyn Connector>, ConnectError> {
        let connector = self.0.open(application)?;
        let application = application.name;
        Ok(Box::new(Reader {
            connector,
            application,
        }))
    }

    fn can(&self, application: Name, capability: Capability) -> bool {
        is_reading(capability) && self.0.can(application, capability)
    }
}

/// Says whether something changes nothing.
fn is_reading(capability: Capability) -> bool {
    match capability {
        Capability::List | Capability::Get => true,
        Capability::Operation(_) => false,
    }
}

struct Reader {
    connector: Box<dyn Connector>,
    application: Name,
}

impl Reader {
    fn refused(&self) -> ConnectError {
        ConnectError::refused(&self.application, "it is only read")
    }
}

impl Connector for Reader {
    fn can(&self, capability: Capability) -> bool {
        is_reading(capability) && self.connector.can(capability)
    }

    fn page(&mut self, after: Option<&str>, limit: usize) -> Result<Vec<Listed>, ConnectError> {
        self.connector.page(after, limit)
    }

    fn get(&mut self, native_identity: &str) -> Result<Option<Listed>, ConnectError> {
        self.connector.get(native_identity)
    }

    fn create(&mut self, _: &NewAccount<'_>) -> Result<Performed, ConnectError> {
        Err(self.refused())
    }

    fn modify(&mut self, _: &str, _: &[AttributeChange]) -> Result<Performed, ConnectError> {
        Err(self.refused())
    }

    fn enable(&mut self, _: &str, _: bool) -> Result<Performed, ConnectError> {
        Err(self.refused())
    }

    fn rename(&mut self, _: &str, _: &str) -> Result<Performed, ConnectError> {
        Err(self.refused())
    }

    fn delete(&mut self, _: &str) -> Result<Performed, ConnectError> {
        Err(self.refused())
    }
}
