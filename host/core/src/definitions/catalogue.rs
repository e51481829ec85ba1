//! The catalogue: what entitlements are called.

use crate::model::Name;

/// What single entitlements are called, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Sorted by application, attribute and value.
    entries: Vec<CatalogueEntry>,
}

/// What an entitlement is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CatalogueEntry {
    /// The application.
    pub application: Name,
    /// The account attribute that lists it.
    pub attribute: Name,
    /// Its value.
    pub value: String,
    /// What people call it.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The name of the identity that owns it.
    pub owner: Option<String>,
}

impl CatalogueEntry {
    /// Returns which entitlement it is about.
    pub fn key(&self) -> (Name, Name, &str) {
        (self.application, self.attribute, &self.value)
    }
}

impl Catalogue {
    /// Returns a catalogue of these entries, of which no two are about the same.
    pub fn new(mut entries: Vec<CatalogueEntry>) -> Self {
        entries.sort();
        Self { entries }
    }

    /// Returns what is known about an entitlement.
    pub fn get(&self, application: Name, attribute: Name, value: &str) -> Option<&CatalogueEntry> {
        let wanted = (application, attribute, value);
        let place = self
            .entries
            .binary_search_by(|entry| entry.key().cmp(&wanted));
        Some(&self.entries[place.ok()?])
    }

    /// Returns every entry, in order.
    pub fn iter(&self) -> impl Iterator<Item = &CatalogueEntry> {
        self.entries.iter()
    }
}
