//! Provisioning, wherever files speak of it: `[provisioning]` in `idr.toml`, how
//! an application's accounts are made and changed, and what follows identity
//! attributes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use idr_core::definitions::{
    AccountTemplate, Application, ApplicationProvisioning, AttributeDefinition, AttributeTarget,
    Mapping, ProvisioningSettings, TemplateAttribute,
};
use idr_core::model::{AccountOperation, Name, ValueType};
use idr_core::transform::Transform;
use idr_core::transform::reads::Input;

use super::Source;
use super::lifecycle::check_capability;
use super::names::{Known, RuleUse, check_name};
use super::transforms::Shelf;
use crate::aggregate::connector::Connector;
use crate::config::document::Scope;
use crate::config::problem::Problems;
use crate::config::raw::{
    RawAccountTemplate, RawApplication, RawIdentity, RawMapping, RawProvisioning, RawTarget,
};
use crate::config::values::{duration_ms, of_type, required};

/// Checks `[provisioning]` in `idr.toml`.
pub(super) fn settings(scope: &Scope<'_>, raw: &RawProvisioning) -> ProvisioningSettings {
    let defaults = ProvisioningSettings::default();
    let roles = raw.roles.unwrap_or(defaults.roles);
    if !roles && raw.remove == Some(true) {
        scope.at("remove").report_with_hint(
            "nothing is given for roles, so nothing goes with them",
            "leave it out, or write `roles = true`",
        );
    }
    ProvisioningSettings {
        roles,
        remove: raw.remove.unwrap_or(defaults.remove),
        synchronise: raw.synchronise.unwrap_or(defaults.synchronise),
        manual_account_selection: raw.manual_account_selection,
        confirm_within_ms: match raw.confirm_within.as_deref() {
            None => defaults.confirm_within_ms,
            Some("off") => None,
            Some(text) => duration_ms(&scope.at("confirm_within"), text),
        },
    }
}

/// Reads how the applications' accounts are provisioned into them.
pub(super) fn applications(
    sources: &BTreeMap<String, Source<RawApplication>>,
    identity: &Source<RawIdentity>,
    known: &Known,
    problems: &Problems,
    applications: &mut [Application],
) {
    let identity_scope = identity.scope(problems);
    let shelf = Shelf::new(
        identity_scope.at("transforms"),
        &identity.raw.transforms,
        known,
    );
    for application in applications {
        let Some(source) = sources.get(application.name.as_str()) else {
            continue;
        };
        let scope = source.scope(problems);
        application.provisioning = of_application(&scope, &source.raw, application, known, &shelf);
    }
}

fn of_application(
    scope: &Scope<'_>,
    raw: &RawApplication,
    application: &Application,
    known: &Known,
    shelf: &Shelf<'_>,
) -> ApplicationProvisioning {
    let keys = [
        ("adopt", raw.adopt),
        ("account_selection", raw.account_selection.is_some()),
        ("account", raw.account.is_some()),
    ];
    for (key, is_there) in keys {
        if is_there && !raw.provisioning {
            scope.at(key).report_with_hint(
                "it has no effect: its accounts aren't provisioned",
                "write `provisioning = true`",
            );
        }
    }
    if raw.provisioning && raw.logical.is_some() {
        scope.at("provisioning").report_with_hint(
            "its accounts are made of others",
            "provision the applications of its tiers: what roles and `targets` ask of it is asked of those",
        );
    }
    let selection = raw.account_selection.as_deref();
    let place = scope.at("account_selection");
    let template = raw.account.as_ref();
    ApplicationProvisioning {
        is_on: raw.provisioning,
        adopt: raw.adopt,
        selection: selection.and_then(|rule| known.rule(&place, rule, RuleUse::AccountSelection)),
        template: template
            .and_then(|raw| self::template(&scope.at("account"), raw, application, known, shelf)),
    }
}

fn template(
    scope: &Scope<'_>,
    raw: &RawAccountTemplate,
    application: &Application,
    known: &Known,
    shelf: &Shelf<'_>,
) -> Option<AccountTemplate> {
    let native_identity = match &raw.native_identity {
        Some(raw) => mapping(
            &scope.at("native_identity"),
            raw,
            ValueType::Text,
            known,
            shelf,
        ),
        None => {
            scope.at("native_identity").report_with_hint(
                "it is missing",
                "say what a new account is called, such as `native_identity = { attribute = \"login\" }`",
            );
            None
        }
    };
    let unique = raw.unique.as_deref();
    let unique = unique.filter(|name| check_name(&scope.at("unique"), name));
    let places = scope.at("attributes");
    let mut attributes = Vec::new();
    for (name, raw) in &raw.attributes {
        let scope = places.at(name);
        let attribute = known.account_attribute(&scope, application.name.as_str(), name);
        let Some(attribute) = attribute else {
            continue;
        };
        if attribute.entitlement {
            scope.report_with_hint(
                "it lists entitlements, and roles give those",
                "leave it out, and let a role ask for them",
            );
        }
        let schema = application.attribute(attribute.name);
        let value_type = schema.map_or(ValueType::Text, |known| known.value_type);
        let raw_mapping = RawMapping {
            attribute: raw.attribute.clone(),
            fixed: raw.fixed.clone(),
            transform: raw.transform.clone(),
            rule: raw.rule.clone(),
        };
        let is_mapped = raw_mapping != RawMapping::default();
        let mapping = is_mapped
            .then(|| mapping(&scope, &raw_mapping, value_type, known, shelf))
            .flatten();
        let default = raw.default.as_ref();
        let default = default.and_then(|value| of_type(&scope.at("default"), value, value_type));
        if !is_mapped && raw.default.is_none() {
            scope.report_with_hint(
                "it never has a value",
                "write `attribute`, `static`, `transform` or `rule`, or a `default`",
            );
        }
        attributes.push(TemplateAttribute {
            name: attribute.name,
            mapping,
            default,
            required: raw.required,
        });
    }
    attributes.sort_by_key(|known| known.name);
    Some(AccountTemplate {
        native_identity: native_identity?,
        unique: unique.map(Name::new),
        attributes,
    })
}

/// Reads where a value for an account comes from.
fn mapping(
    scope: &Scope<'_>,
    raw: &RawMapping,
    value_type: ValueType,
    known: &Known,
    shelf: &Shelf<'_>,
) -> Option<Mapping> {
    match (&raw.attribute, &raw.fixed, &raw.transform, &raw.rule) {
        (Some(attribute), None, None, None) => known
            .identity_attribute(&scope.at("attribute"), attribute, &["name"])
            .map(|(name, _)| Mapping::Attribute(name)),
        (None, Some(value), None, None) => {
            of_type(&scope.at("static"), value, value_type).map(Mapping::Fixed)
        }
        (None, None, Some(raw), None) => shelf
            .transform(&scope.at("transform"), raw, false)
            .map(|transform| Mapping::Transform(Arc::new(transform))),
        (None, None, None, Some(rule)) => known
            .rule(&scope.at("rule"), rule, RuleUse::TargetMapping)
            .map(Mapping::Rule),
        _ => {
            scope.report_with_hint(
                "a value comes from one of an identity attribute, a fixed value, a transform, or a rule",
                "write `attribute`, or `static`, or `transform`, or `rule`",
            );
            None
        }
    }
}

/// Reports applications that are provisioned and whose connectors can't change what
/// provisioning changes.
pub(super) fn check_connectors(
    sources: &BTreeMap<String, Source<RawApplication>>,
    applications: &[Application],
    connectors: &BTreeMap<Name, Connector>,
    problems: &Problems,
) {
    for application in applications.iter().filter(|known| known.is_provisioned()) {
        let Some(source) = sources.get(application.name.as_str()) else {
            continue;
        };
        let place = source.scope(problems).at("provisioning");
        let operation = AccountOperation::Modify;
        check_capability(&place, application.name, operation, connectors);
    }
}

/// Reads what follows identity attributes into their definitions.
pub(super) fn targets(
    source: &Source<RawIdentity>,
    applications: &[Application],
    known: &Known,
    problems: &Problems,
    attributes: &mut [AttributeDefinition],
) {
    let scope = source.scope(problems);
    let shelf = Shelf::new(scope.at("transforms"), &source.raw.transforms, known);
    let places = scope.at("attributes");
    let mut taken: Vec<(Name, Name, Name)> = Vec::new();
    let made_of = MadeOf::new(attributes, applications);
    for definition in attributes {
        let Some(raw) = source.raw.attributes.get(definition.name.as_str()) else {
            continue;
        };
        let scope = places.at(&definition.name).at("targets");
        for (index, raw_target) in raw.targets.iter().enumerate() {
            let scope = scope.item(index);
            let Some(target) = target(&scope, raw_target, definition, applications, known, &shelf)
            else {
                continue;
            };
            let way = made_of.way(definition.name, &target);
            report_round_trip(&scope, raw_target, way.as_deref(), &target);
            let key = (target.application, target.attribute);
            let first = taken.iter().find(|known| (known.0, known.1) == key);
            if let Some((.., first)) = first {
                scope.report_with_hint(
                    format!(
                        "`{}` of accounts in `{}` follows `{first}` already",
                        target.attribute, target.application
                    ),
                    "let it follow one of them",
                );
            }
            taken.push((target.application, target.attribute, definition.name));
            definition.targets.push(target);
        }
    }
}

/// Returns where an attribute of a logical account comes from, and any other as it is.
fn as_part(input: Input, applications: &[Application]) -> Input {
    let Input::Account(application, attribute) = input else {
        return input;
    };
    let mut logical = applications
        .iter()
        .filter(|known| known.name == application)
        .flat_map(|known| &known.logical)
        .flat_map(|logical| &logical.attributes);
    let mapped = logical.find(|mapped| mapped.name == attribute);
    mapped.map_or(input, |mapped| {
        Input::Account(mapped.application, mapped.attribute)
    })
}

/// What identity attributes are made of, as far as sources and transforms say.
struct MadeOf(BTreeMap<Name, Vec<Input>>);

impl MadeOf {
    fn new(attributes: &[AttributeDefinition], applications: &[Application]) -> Self {
        let of = |definition: &AttributeDefinition| {
            let mut inputs = Vec::new();
            for source in &definition.sources {
                source
                    .origin
                    .each_input(&mut |input| inputs.push(as_part(input, applications)));
            }
            (definition.name, inputs)
        };
        Self(attributes.iter().map(of).collect())
    }

    /// Returns the identity attributes on the way from a target's account attribute
    /// back to what follows the attribute `from`; none where there is no such way.
    fn way(&self, from: Name, target: &AttributeTarget) -> Option<Vec<Name>> {
        let end = Input::Account(target.application, target.attribute);
        let mut begin = vec![Input::Attribute(from)];
        if let Some(mapping) = &target.mapping {
            mapping.each_input(&mut |input| begin.push(input));
        }
        if begin.contains(&end) {
            return Some(Vec::new());
        }
        let mut seen: BTreeSet<Name> = BTreeSet::new();
        let mut ways: VecDeque<(Name, Vec<Name>)> = VecDeque::new();
        let attributes = begin.into_iter().filter_map(|input| match input {
            Input::Attribute(name) if name == from => Some((name, Vec::new())),
            Input::Attribute(name) => Some((name, vec![name])),
            Input::Account(..) => None,
        });
        ways.extend(attributes);
        while let Some((name, way)) = ways.pop_front() {
            if !seen.insert(name) {
                continue;
            }
            for input in self.0.get(&name).into_iter().flatten() {
                match *input {
                    input if input == end => return Some(way),
                    Input::Attribute(next) => {
                        let next_way = way.iter().copied().chain([next]).collect();
                        ways.push_back((next, next_way));
                    }
                    Input::Account(..) => {}
                }
            }
        }
        None
    }
}

/// Reports an attribute that is its own source and target and isn't meant to be,
/// or is meant to be and isn't.
fn report_round_trip(
    scope: &Scope<'_>,
    raw: &RawTarget,
    way: Option<&[Name]>,
    target: &AttributeTarget,
) {
    let place = format!(
        "`{}` of accounts in `{}`",
        target.attribute, target.application
    );
    match (way, raw.round_trip) {
        (Some(way), false) => {
            let through: Vec<String> = way.iter().map(|name| format!("`{name}`")).collect();
            let through = match through.is_empty() {
                true => String::new(),
                false => format!(", through {}", through.join(" and ")),
            };
            scope.report_with_hint(
                format!("it comes from {place} as well{through}, so each would follow the other"),
                "leave one of them out, or write `round_trip = true` where that is meant",
            );
        }
        (None, true) => scope
            .at("round_trip")
            .report_with_hint(format!("it doesn't come from {place}"), "leave it out"),
        _ => {}
    }
}

fn target(
    scope: &Scope<'_>,
    raw: &RawTarget,
    definition: &AttributeDefinition,
    applications: &[Application],
    known: &Known,
    shelf: &Shelf<'_>,
) -> Option<AttributeTarget> {
    let application = required(scope, "application", raw.application.as_deref());
    let attribute = required(scope, "attribute", raw.attribute.as_deref());
    let (application, attribute) = (application?, attribute?);
    let name = known.application(&scope.at("application"), application)?;
    let attribute = known.account_attribute(&scope.at("attribute"), application, attribute)?;
    if attribute.entitlement {
        scope.at("attribute").report_with_hint(
            "it lists entitlements, and roles give those",
            "choose another attribute, or let a role ask for them",
        );
    }
    let found = |name: Name| applications.iter().find(|known| known.name == name);
    let logical = found(name).and_then(|known| known.logical.as_ref());
    let part = match logical {
        None => (name, attribute.name),
        Some(logical) => {
            let mut mapped = logical.attributes.iter();
            let Some(mapped) = mapped.find(|mapped| mapped.name == attribute.name) else {
                scope.at("attribute").report_with_hint(
                    format!(
                        "`{}` of accounts in `{name}` comes from no account, so nothing can be set",
                        attribute.name
                    ),
                    format!("say in `[logical.attributes]` of `{name}` where it comes from"),
                );
                return None;
            };
            (mapped.application, mapped.attribute)
        }
    };
    if found(part.0).is_some_and(|known| !known.is_provisioned()) {
        let made_of = match logical {
            Some(_) => format!(", of which those in `{name}` are made,"),
            None => String::new(),
        };
        scope.at("application").report_with_hint(
            format!("accounts in `{}`{made_of} aren't provisioned", part.0),
            format!(
                "write `provisioning = true` in applications/{}.toml",
                part.0
            ),
        );
    }
    let mapping = match (&raw.transform, &raw.rule) {
        (None, None) => None,
        (Some(raw), None) => {
            let transform = shelf.transform(&scope.at("transform"), raw, true)?;
            Some(Mapping::Transform(Arc::new(Transform::Of {
                input: Box::new(Transform::Attribute(definition.name)),
                transform: Arc::new(transform),
            })))
        }
        (None, Some(rule)) => {
            let rule = known.rule(&scope.at("rule"), rule, RuleUse::TargetMapping)?;
            Some(Mapping::Rule(rule))
        }
        (Some(_), Some(_)) => {
            scope.report_with_hint(
                "the value comes from the transform or from the rule",
                "leave one of them out",
            );
            return None;
        }
    };
    Some(AttributeTarget {
        application: part.0,
        attribute: part.1,
        mapping,
        all_accounts: raw.all_accounts,
        of: logical.map(|_| name),
    })
}
