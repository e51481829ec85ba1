//! `entitlements.toml`: what entitlements are called, and who owns them.

use std::collections::BTreeMap;

use idr_core::definitions::{Application, Catalogue, CatalogueEntry};
use idr_core::model::Name;

use super::Source;
use super::names::Known;
use super::owners::owner;
use crate::config::document::Scope;
use crate::config::problem::Problems;
use crate::config::raw::{RawEntitlement, RawEntitlements};
use crate::config::values::required;

/// Checks `entitlements.toml`.
pub(super) fn check(
    source: &Source<RawEntitlements>,
    known: &Known,
    problems: &Problems,
) -> Catalogue {
    let scope = source.scope(problems);
    scope.check_version(source.raw.version, false);
    let mut entries: Vec<CatalogueEntry> = Vec::new();
    let mut seen: BTreeMap<(Name, Name, String), Scope<'_>> = BTreeMap::new();
    for (index, raw) in source.raw.entitlement.iter().enumerate() {
        let scope = scope.at("entitlement").item(index);
        let Some(entry) = entry(&scope, raw, known) else {
            continue;
        };
        let (application, attribute, value) = entry.key();
        if let Some(first) = seen.get(&(application, attribute, value.to_owned())) {
            let message = format!("it is there already, at {}", first.whereabouts());
            scope.at("value").report(message);
            continue;
        }
        seen.insert((application, attribute, value.to_owned()), scope);
        entries.push(entry);
    }
    Catalogue::new(entries)
}

fn entry(scope: &Scope<'_>, raw: &RawEntitlement, known: &Known) -> Option<CatalogueEntry> {
    let application = required(scope, "application", raw.application.as_deref());
    let attribute = required(scope, "attribute", raw.attribute.as_deref());
    let value = required(scope, "value", raw.value.as_deref());
    let owner = owner(scope, raw.owner.as_deref());
    if raw.display_name.is_none() && raw.description.is_none() && raw.owner.is_none() {
        scope.report_with_hint(
            "it says nothing",
            "give it a `display_name`, a `description` or an `owner`",
        );
    }
    let (application, attribute, value) = (application?, attribute?, value?);
    let name = known.application(&scope.at("application"), application)?;
    let attribute = known.account_attribute(&scope.at("attribute"), application, attribute)?;
    if !attribute.entitlement {
        scope.at("attribute").remark(
            format!("`{}` is no entitlement of `{name}`", attribute.name),
            format!("write `entitlement = true` for it in applications/{name}.toml"),
        );
    }
    Some(CatalogueEntry {
        application: name,
        attribute: attribute.name,
        value: value.to_owned(),
        display_name: raw.display_name.clone(),
        description: raw.description.clone(),
        owner,
    })
}

/// Returns who owns which entitlements, in words; sensitive values are masked.
pub(super) fn owned(catalogue: &Catalogue, applications: &[Application]) -> Vec<(String, String)> {
    let is_sensitive = |entry: &CatalogueEntry| {
        let mut applications = applications.iter();
        let application = applications.find(|known| known.name == entry.application);
        let attribute = application.and_then(|known| known.attribute(entry.attribute));
        attribute.is_some_and(|known| known.sensitive)
    };
    let owned = catalogue.iter().filter_map(|entry| {
        let value = match is_sensitive(entry) {
            true => "(sensitive)",
            false => &entry.value,
        };
        let (application, attribute) = (entry.application, entry.attribute);
        let what = format!("entitlement `{value}` of `{attribute}` in `{application}`");
        Some((entry.owner.clone()?, what))
    });
    owned.collect()
}
