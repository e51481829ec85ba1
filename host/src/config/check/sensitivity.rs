//! What is sensitive stays so wherever it goes: an account attribute that follows
//! a sensitive identity attribute is sensitive, too, also through a transform, and
//! so is one of a logical account that comes from a sensitive one.

use std::collections::BTreeSet;

use idr_core::definitions::{Application, AttributeDefinition, Mapping};
use idr_core::model::Name;
use idr_core::transform::reads::Input;

/// Marks the account attributes that sensitive values go to.
pub(super) fn carry(applications: &mut [Application], attributes: &[AttributeDefinition]) {
    let sensitive = attributes.iter().filter(|known| known.sensitive);
    let names: BTreeSet<Name> = sensitive.clone().map(|known| known.name).collect();
    let mut marked: BTreeSet<(Name, Name)> = sensitive
        .flat_map(|known| &known.targets)
        .map(|target| (target.application, target.attribute))
        .collect();
    let is_sensitive = |mapping: &Mapping| {
        let mut found = false;
        mapping.each_input(&mut |input| {
            found |= match input {
                Input::Attribute(of) => names.contains(&of),
                Input::Account(application, attribute) => {
                    let mut known = applications.iter();
                    let known = known.find(|known| known.name == application);
                    let known = known.and_then(|known| known.attribute(attribute));
                    known.is_some_and(|known| known.sensitive)
                }
            };
        });
        found
    };
    for target in attributes.iter().flat_map(|known| &known.targets) {
        if target.mapping.as_ref().is_some_and(is_sensitive) {
            marked.insert((target.application, target.attribute));
        }
    }
    for application in applications.iter() {
        let template = application.provisioning.template.iter();
        for made in template.flat_map(|template| &template.attributes) {
            if made.mapping.as_ref().is_some_and(is_sensitive) {
                marked.insert((application.name, made.name));
            }
        }
    }
    mark(applications, &marked);
    // Logical accounts last: by now their parts are marked.
    let is_sensitive = |application: Name, attribute: Name| {
        let mut known = applications.iter();
        let known = known.find(|known| known.name == application);
        let known = known.and_then(|known| known.attribute(attribute));
        known.is_some_and(|known| known.sensitive)
    };
    let logical = applications.iter().flat_map(|application| {
        let mapped = application.logical.iter();
        let mapped = mapped.flat_map(|logical| &logical.attributes);
        mapped
            .filter(|mapped| is_sensitive(mapped.application, mapped.attribute))
            .map(|mapped| (application.name, mapped.name))
    });
    let logical: BTreeSet<(Name, Name)> = logical.collect();
    mark(applications, &logical);
}

fn mark(applications: &mut [Application], marked: &BTreeSet<(Name, Name)>) {
    for application in applications {
        for attribute in &mut application.schema {
            attribute.sensitive |= marked.contains(&(application.name, attribute.name));
        }
    }
}
