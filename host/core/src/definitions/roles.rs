//! A tenant's roles, and which of them could concern an identity at all.
//!
//! With ten thousand roles, asking each about each identity would be most of a
//! refresh. A selector that asks for one of some texts of an attribute is found
//! by the attribute's value, and a profile by an entitlement that it asks for.
//! The roles phase goes through what is found, in the order of the roles.

use std::collections::HashMap;
use std::ops::Deref;

use super::{Role, Selector};
use crate::model::Name;

/// All roles, sorted by name. They don't change once they are here.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    roles: Vec<Role>,
    selected: Places<Name>,
    detected: Places<(Name, Name)>,
}

/// The places of roles by the texts that they ask for, and of those that can't
/// be found so. `K` says where the texts stand.
#[derive(Clone, Debug)]
struct Places<K> {
    by_text: Vec<(K, HashMap<String, Vec<usize>>)>,
    others: Vec<usize>,
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self {
            by_text: Vec::new(),
            others: Vec::new(),
        }
    }
}

impl<K: PartialEq> Places<K> {
    fn add(&mut self, key: K, texts: impl IntoIterator<Item = String>, place: usize) {
        let known = self.by_text.iter().position(|(known, _)| *known == key);
        let index = known.unwrap_or_else(|| {
            self.by_text.push((key, HashMap::new()));
            self.by_text.len() - 1
        });
        for text in texts {
            self.by_text[index].1.entry(text).or_default().push(place);
        }
    }
}

impl Roles {
    /// Returns these roles.
    pub fn new(mut roles: Vec<Role>) -> Self {
        roles.sort_by_key(|role| role.name);
        let mut selected = Places::default();
        let mut detected = Places::default();
        for (place, role) in roles.iter().enumerate() {
            match role.selector.as_ref().map(wanted) {
                None => {}
                Some(Some((attribute, texts))) => selected.add(attribute, texts, place),
                Some(None) => selected.others.push(place),
            }
            let entitlements = role
                .detection
                .first()
                .map(|set| match set.profiles.as_slice() {
                    [profile, more @ ..] if !set.any || more.is_empty() => Some(profile),
                    _ => None,
                });
            match entitlements {
                None => {}
                Some(profile) => {
                    let wanted = profile.and_then(|profile| {
                        let mut entitlements = profile.entitlements.iter();
                        let (attribute, values) = entitlements.find(|(_, v)| !v.is_empty())?;
                        Some(((profile.application, *attribute), values[0].clone()))
                    });
                    match wanted {
                        Some((key, text)) => detected.add(key, [text], place),
                        None => detected.others.push(place),
                    }
                }
            }
        }
        Self {
            roles,
            selected,
            detected,
        }
    }

    /// Returns a role.
    pub fn get(&self, name: Name) -> Option<&Role> {
        let place = self.roles.binary_search_by(|known| known.name.cmp(&name));
        Some(&self.roles[place.ok()?])
    }

    /// Returns the places of the roles whose selector might let an identity
    /// through, in order. `each` is given an attribute, and calls back with each
    /// text of its value; when it can't be read, with none, and says so: then
    /// every selector that starts from it might.
    pub fn maybe_selected<E>(
        &self,
        mut each: impl FnMut(Name, &mut dyn FnMut(&str)) -> Result<bool, E>,
    ) -> Result<Vec<usize>, E> {
        let mut places = self.selected.others.clone();
        for (attribute, by_text) in &self.selected.by_text {
            let readable = each(*attribute, &mut |text| {
                places.extend(by_text.get(text).into_iter().flatten());
            })?;
            if !readable {
                places.extend(by_text.values().flatten());
            }
        }
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    /// Returns the places of the roles that could be detected, in order. `each`
    /// is given an application and one of its entitlement attributes, and calls
    /// back with each value that is held there.
    pub fn maybe_detected(&self, each: impl Fn(Name, Name, &mut dyn FnMut(&str))) -> Vec<usize> {
        let mut places = self.detected.others.clone();
        for ((application, attribute), by_text) in &self.detected.by_text {
            each(*application, *attribute, &mut |text| {
                places.extend(by_text.get(text).into_iter().flatten());
            });
        }
        places.sort_unstable();
        places.dedup();
        places
    }
}

impl Deref for Roles {
    type Target = [Role];

    fn deref(&self) -> &[Role] {
        &self.roles
    }
}

impl<'r> IntoIterator for &'r Roles {
    type Item = &'r Role;
    type IntoIter = std::slice::Iter<'r, Role>;

    fn into_iter(self) -> Self::IntoIter {
        self.roles.iter()
    }
}

impl From<Vec<Role>> for Roles {
    fn from(roles: Vec<Role>) -> Self {
        Self::new(roles)
    }
}

/// Properties of filters that are no attributes.
const COLLECTIONS: [&str; 4] = ["links", "accounts", "assignedRoles", "detectedRoles"];

/// Returns an attribute and the texts of which whoever is selected has one, if
/// the selector says so.
fn wanted(selector: &Selector) -> Option<(Name, Vec<String>)> {
    match selector {
        Selector::MatchList(terms) => terms.first().cloned(),
        Selector::Filter(filter) => {
            let mut demands = filter.demands().into_iter();
            demands.find_map(|(path, texts)| match path.segments() {
                [attribute] if !COLLECTIONS.contains(&attribute.as_str()) => {
                    Some((*attribute, texts))
                }
                _ => None,
            })
        }
        Selector::Population(_) | Selector::Rule(_) => None,
    }
}
