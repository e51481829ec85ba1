//! `[logical]` of an application: what its accounts are made of.

use std::collections::BTreeMap;

use idr_core::definitions::{Composition, LogicalApplication, LogicalAttribute, Tier};
use idr_core::model::Name;

use super::Source;
use super::names::{Known, RuleUse};
use crate::config::document::Scope;
use crate::config::raw::{RawApplication, RawLogical, RawTier};
use crate::config::values::required;

/// Checks `[logical]`, if it is there.
pub(super) fn check(
    scope: &Scope<'_>,
    name: &str,
    raw: &RawApplication,
    sources: &BTreeMap<String, Source<RawApplication>>,
    known: &Known,
) -> Option<LogicalApplication> {
    let logical = raw.logical.as_ref()?;
    report_useless(scope, raw);
    let scope = scope.at("logical");
    let parts = Parts {
        own: name,
        sources,
        known,
    };
    let primary = required(&scope, "primary", logical.primary.as_deref())?;
    let primary = parts.application(&scope.at("primary"), primary)?;
    let composition = composition(&scope, logical, primary, &parts);
    let tiers: Vec<Name> = match &composition {
        Some(Composition::Tiers(tiers)) => tiers.iter().map(|tier| tier.application).collect(),
        _ => Vec::new(),
    };
    let attributes = attributes(&scope.at("attributes"), logical, &parts, &tiers);
    Some(LogicalApplication {
        primary,
        composition: composition?,
        attributes,
    })
}

/// What only makes sense where accounts are read from outside.
fn report_useless(scope: &Scope<'_>, raw: &RawApplication) {
    let given = [
        ("connector", raw.connector.is_given()),
        ("correlation", !raw.correlation.is_empty()),
        ("authoritative", raw.authoritative.is_some()),
        ("vanish_grace", raw.vanish_grace.is_some()),
        ("native_changes", raw.native_changes.is_some()),
        ("native_gain", raw.native_gain.is_some()),
        ("native_loss", raw.native_loss.is_some()),
    ];
    for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
        scope.at(key).report_with_hint(
            "accounts of a logical application are made of others, and never aggregated",
            "leave it out, or say it of the applications of its tiers",
        );
    }
}

/// Resolves what accounts are made of.
struct Parts<'a> {
    own: &'a str,
    sources: &'a BTreeMap<String, Source<RawApplication>>,
    known: &'a Known,
}

impl Parts<'_> {
    fn application(&self, scope: &Scope<'_>, text: &str) -> Option<Name> {
        let name = self.known.application(scope, text)?;
        let is_logical = self
            .sources
            .get(text)
            .is_some_and(|source| source.raw.logical.is_some());
        if is_logical {
            let message = match text == self.own {
                true => "it is the logical application itself".to_owned(),
                false => format!("`{text}` is a logical application, too"),
            };
            scope.report_with_hint(message, "name one whose accounts are aggregated");
            return None;
        }
        Some(name)
    }
}

fn composition(
    scope: &Scope<'_>,
    raw: &RawLogical,
    primary: Name,
    parts: &Parts<'_>,
) -> Option<Composition> {
    if let Some(rule) = &raw.rule {
        if !raw.tiers.is_empty() {
            scope
                .at("tiers")
                .report("they have no effect: the rule puts the accounts together");
        }
        let rule = parts
            .known
            .rule(&scope.at("rule"), rule, RuleUse::LogicalAccount)?;
        return Some(Composition::Rule(rule));
    }
    if raw.tiers.is_empty() {
        scope.report_with_hint(
            "nothing puts its accounts together",
            "write a `[[logical.tiers]]` for each application, or `rule`",
        );
        return None;
    }
    let mut tiers: Vec<Tier> = Vec::new();
    for (index, raw) in raw.tiers.iter().enumerate() {
        let scope = scope.at("tiers").item(index);
        let Some(tier) = tier(&scope, raw, primary, parts) else {
            continue;
        };
        if tiers
            .iter()
            .any(|known| known.application == tier.application)
        {
            scope
                .at("application")
                .report(format!("`{}` is a tier already", tier.application));
        }
        tiers.push(tier);
    }
    if tiers.len() == raw.tiers.len() && !tiers.iter().any(|tier| tier.application == primary) {
        scope.at("primary").report_with_hint(
            format!("`{primary}` is none of the tiers"),
            "write a `[[logical.tiers]]` for it",
        );
    }
    Some(Composition::Tiers(tiers))
}

fn tier(scope: &Scope<'_>, raw: &RawTier, primary: Name, parts: &Parts<'_>) -> Option<Tier> {
    let text = required(scope, "application", raw.application.as_deref())?;
    let application = parts.application(&scope.at("application"), text)?;
    let filter = match &raw.filter {
        Some(filter) => {
            let place = scope.at("filter");
            Some(parts.known.account_filter(&place, text, filter)?)
        }
        None => None,
    };
    let matched = match (&raw.account, &raw.primary) {
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            scope.report_with_hint(
                "`account` and `primary` go together",
                "name the attribute of this tier's account and that of the primary tier's which it equals",
            );
            None
        }
        (Some(_), Some(_)) if application == primary => {
            scope
                .at("account")
                .report("it has no effect on the primary tier");
            None
        }
        (Some(own), Some(of_primary)) => {
            let own = parts
                .known
                .account_attribute(&scope.at("account"), text, own);
            let of_primary =
                parts
                    .known
                    .account_attribute(&scope.at("primary"), primary.as_str(), of_primary);
            own.zip(of_primary)
                .map(|(own, of_primary)| (own.name, of_primary.name))
        }
    };
    Some(Tier {
        application,
        filter,
        matched,
    })
}

fn attributes(
    scope: &Scope<'_>,
    raw: &RawLogical,
    parts: &Parts<'_>,
    tiers: &[Name],
) -> Vec<LogicalAttribute> {
    let mut attributes = Vec::new();
    for (name, raw) in &raw.attributes {
        let scope = scope.at(name);
        let own = parts.known.account_attribute(&scope, parts.own, name);
        let Some(text) = required(&scope, "application", raw.application.as_deref()) else {
            continue;
        };
        let place = scope.at("application");
        let Some(application) = parts.application(&place, text) else {
            continue;
        };
        if !tiers.is_empty() && !tiers.contains(&application) {
            place.report_with_hint(
                format!("`{text}` is none of the tiers"),
                "name the application of a tier",
            );
        }
        let attribute = required(&scope, "attribute", raw.attribute.as_deref()).and_then(|name| {
            parts
                .known
                .account_attribute(&scope.at("attribute"), text, name)
        });
        if let (Some(own), Some(attribute)) = (own, attribute) {
            attributes.push(LogicalAttribute {
                name: own.name,
                application,
                attribute: attribute.name,
            });
        }
    }
    attributes.sort_by_key(|known| known.name);
    attributes
}
