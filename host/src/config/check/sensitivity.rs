//! What is sensitive stays so wherever it goes: an account attribute that follows
//! a sensitive identity attribute is sensitive, too, also through a transform or a
//! rule that may read one, and so is one of a logical account that comes from a
//! sensitive one.

use std::collections::BTreeSet;

use idr_core::definitions::{Application, AttributeDefinition, Mapping, Rule};
use idr_core::model::Name;
use idr_core::transform::reads::Input;

/// Marks the account attributes that sensitive values go to.
pub(super) fn carry(
    applications: &mut [Application],
    attributes: &[AttributeDefinition],
    rules: &[Rule],
) {
    // What is marked may go on to others.
    loop {
        let mut marked = by_mappings(applications, attributes, rules);
        marked.extend(by_logical_accounts(applications));
        if !mark(applications, &marked) {
            return;
        }
    }
}

/// Returns the account attributes that are mapped from something sensitive.
fn by_mappings(
    applications: &[Application],
    attributes: &[AttributeDefinition],
    rules: &[Rule],
) -> BTreeSet<(Name, Name)> {
    let sensitive = attributes.iter().filter(|known| known.sensitive);
    let names: BTreeSet<Name> = sensitive.clone().map(|known| known.name).collect();
    let mut marked: BTreeSet<(Name, Name)> = sensitive
        .flat_map(|known| &known.targets)
        .map(|target| (target.application, target.attribute))
        .collect();
    let is_one = |name: Name| names.contains(&name);
    let is_one_of = |application, name| is_sensitive(applications, application, name);
    let is_made_of_one = |mapping: &Mapping| {
        if let Mapping::Rule(rule) = mapping {
            let rule = rules.get(rule.0);
            return rule.is_some_and(|rule| rule.grant.reads_any(is_one, is_one_of));
        }
        let mut found = false;
        mapping.each_input(&mut |input| {
            found |= match input {
                Input::Attribute(of) => is_one(of),
                Input::Account(application, attribute) => is_one_of(application, attribute),
            };
        });
        found
    };
    for target in attributes.iter().flat_map(|known| &known.targets) {
        if target.mapping.as_ref().is_some_and(is_made_of_one) {
            marked.insert((target.application, target.attribute));
        }
    }
    for application in applications {
        let template = application.provisioning.template.iter();
        for made in template.flat_map(|template| &template.attributes) {
            if made.mapping.as_ref().is_some_and(is_made_of_one) {
                marked.insert((application.name, made.name));
            }
        }
    }
    marked
}

/// Returns the attributes of logical accounts that come from sensitive ones.
fn by_logical_accounts(applications: &[Application]) -> BTreeSet<(Name, Name)> {
    let logical = applications.iter().flat_map(|application| {
        let mapped = application.logical.iter();
        let mapped = mapped.flat_map(|logical| &logical.attributes);
        mapped
            .filter(|mapped| is_sensitive(applications, mapped.application, mapped.attribute))
            .map(|mapped| (application.name, mapped.name))
    });
    logical.collect()
}

fn is_sensitive(applications: &[Application], application: Name, attribute: Name) -> bool {
    let mut known = applications.iter();
    let known = known.find(|known| known.name == application);
    let known = known.and_then(|known| known.attribute(attribute));
    known.is_some_and(|known| known.sensitive)
}

/// Marks account attributes; says whether there is one that wasn't.
fn mark(applications: &mut [Application], marked: &BTreeSet<(Name, Name)>) -> bool {
    let mut is_new = false;
    for application in applications {
        for attribute in &mut application.schema {
            let is_meant = marked.contains(&(application.name, attribute.name));
            is_new |= is_meant && !attribute.sensitive;
            attribute.sensitive |= is_meant;
        }
    }
    is_new
}
