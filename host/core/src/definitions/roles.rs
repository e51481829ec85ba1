//! A tenant's roles, and which of them could concern an identity at all.
//!
//! With ten thousand roles, asking each about each identity would be most of a
//! refresh. A selector that asks for one of some values of an attribute is found
//! by the attribute's value, also where it asks by a population, and a profile by
//! an entitlement that it asks for. A code that reads as a number is found as the
//! text and as the number, as filters compare it.
//! The roles phase goes through what is found, in the order of the roles.

use std::ops::Deref;

use rust_decimal::Decimal;
use rustc_hash::FxHashMap as HashMap;

use super::{Population, Role, Selector};
use crate::filter::{Demanded, Filter, each_number};
use crate::model::{Name, Value};

/// All roles, sorted by name. They don't change once they are here.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    roles: Vec<Role>,
    selected: Places<Name>,
    detected: Places<(Name, Name)>,
}

/// The places of roles by the values that they ask for, and of those that can't
/// be found so. `K` says where the values stand.
#[derive(Clone, Debug)]
pub(super) struct Places<K> {
    by_value: Vec<(K, ByValue)>,
    others: Vec<usize>,
}

/// The places of roles by a text, or a number.
#[derive(Clone, Debug, Default)]
struct ByValue {
    texts: HashMap<String, Vec<usize>>,
    numbers: HashMap<Decimal, Vec<usize>>,
}

impl ByValue {
    fn add(&mut self, wanted: Demanded, place: usize) {
        if let Some(text) = wanted.text {
            self.texts.entry(text).or_default().push(place);
        }
        if let Some(number) = wanted.number {
            self.numbers.entry(number).or_default().push(place);
        }
    }

    fn with_text(&self, text: &str) -> impl Iterator<Item = usize> {
        self.texts.get(text).into_iter().flatten().copied()
    }

    /// Adds the places of whatever asks for the value.
    fn find(&self, value: &Value, places: &mut Vec<usize>) {
        value.each_text(|text| places.extend(self.with_text(text)));
        if !self.numbers.is_empty() {
            each_number(value, |number| {
                places.extend(self.numbers.get(&number).into_iter().flatten());
            });
        }
    }

    fn all(&self) -> impl Iterator<Item = usize> {
        let places = self.texts.values().chain(self.numbers.values());
        places.flatten().copied()
    }
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self {
            by_value: Vec::new(),
            others: Vec::new(),
        }
    }
}

impl<K: PartialEq> Places<K> {
    pub(super) fn add(&mut self, key: K, wanted: impl IntoIterator<Item = Demanded>, place: usize) {
        let known = self.by_value.iter().position(|(known, _)| *known == key);
        let index = known.unwrap_or_else(|| {
            self.by_value.push((key, ByValue::default()));
            self.by_value.len() - 1
        });
        for wanted in wanted {
            self.by_value[index].1.add(wanted, place);
        }
    }
}

impl Places<Name> {
    /// Adds the places of whatever asks for a value that `each` calls back with;
    /// see [`Roles::maybe_selected`].
    pub(super) fn find<E>(
        &self,
        mut each: impl FnMut(Name, &mut dyn FnMut(&Value)) -> Result<bool, E>,
        places: &mut Vec<usize>,
    ) -> Result<(), E> {
        for (attribute, by_value) in &self.by_value {
            let readable = each(*attribute, &mut |value| by_value.find(value, places))?;
            if !readable {
                places.extend(by_value.all());
            }
        }
        Ok(())
    }
}

impl Roles {
    /// Returns these roles, whose selectors refer to these populations.
    pub fn new(mut roles: Vec<Role>, populations: &[Population]) -> Self {
        roles.sort_by_key(|role| role.name);
        let mut selected = Places::default();
        let mut detected = Places::default();
        for (place, role) in roles.iter().enumerate() {
            let selector = role.selector.as_ref();
            match selector.map(|selector| wanted(selector, populations)) {
                None => {}
                Some(Some((attribute, values))) => selected.add(attribute, values, place),
                Some(None) => selected.others.push(place),
            }
        }
        let mut asking: HashMap<_, usize> = HashMap::default();
        for entitlement in roles.iter().flat_map(necessary) {
            *asking.entry(entitlement).or_default() += 1;
        }
        for (place, role) in roles.iter().enumerate() {
            // What everybody holds tells nothing: the one that the fewest ask for.
            let rarest = necessary(role).min_by_key(|entitlement| asking[entitlement]);
            match rarest {
                Some((key, text)) => detected.add(key, [as_text(text.to_owned())], place),
                None if role.detection.is_empty() => {}
                None => detected.others.push(place),
            }
        }
        Self {
            roles,
            selected,
            detected,
        }
    }

    /// Returns these roles, none of which is found by a value.
    #[cfg(test)]
    pub(crate) fn asked_one_by_one(roles: Vec<Role>) -> Self {
        let others: Vec<usize> = (0..roles.len()).collect();
        let mut known = Self::new(roles, &[]);
        known.selected = Places {
            by_value: Vec::new(),
            others,
        };
        known
    }

    /// Returns a role.
    pub fn get(&self, name: Name) -> Option<&Role> {
        let place = name.place_in(&self.roles, |known| known.name)?;
        Some(&self.roles[place])
    }

    /// Returns the places of the roles whose selector might let an identity
    /// through, in order. `each` is given an attribute, and calls back with its
    /// value, if it has one; when it can't be read, not at all, and says so: then
    /// every selector that starts from it might.
    pub fn maybe_selected<E>(
        &self,
        each: impl FnMut(Name, &mut dyn FnMut(&Value)) -> Result<bool, E>,
    ) -> Result<Vec<usize>, E> {
        let mut places = self.selected.others.clone();
        self.selected.find(each, &mut places)?;
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    /// Returns the places of the roles that could be detected, in order. `each`
    /// is given an application and one of its entitlement attributes, and calls
    /// back with each value that is held there.
    pub fn maybe_detected(&self, each: impl Fn(Name, Name, &mut dyn FnMut(&str))) -> Vec<usize> {
        let mut places = self.detected.others.clone();
        for ((application, attribute), by_value) in &self.detected.by_value {
            each(*application, *attribute, &mut |text| {
                places.extend(by_value.with_text(text));
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
    /// Roles whose populations aren't known are asked about everybody.
    fn from(roles: Vec<Role>) -> Self {
        Self::new(roles, &[])
    }
}

/// An entitlement that a role asks for: application and attribute, and the value.
type Asked<'r> = ((Name, Name), &'r str);

/// Returns entitlements without each of which a role isn't detected.
fn necessary(role: &Role) -> impl Iterator<Item = Asked<'_>> {
    let sets = role.detection.iter();
    let sets = sets.filter(|set| !set.any || set.profiles.len() == 1);
    sets.flat_map(|set| &set.profiles).flat_map(|profile| {
        let entitlements = profile.entitlements.iter();
        entitlements.flat_map(|(attribute, values)| {
            let key = (profile.application, *attribute);
            values.iter().map(move |value| (key, value.as_str()))
        })
    })
}

/// Properties of filters that are no attributes.
const COLLECTIONS: [&str; 4] = ["links", "accounts", "assignedRoles", "detectedRoles"];

/// Returns an attribute and the values of which whoever is selected has one, if
/// the selector says so.
fn wanted(selector: &Selector, populations: &[Population]) -> Option<(Name, Vec<Demanded>)> {
    match selector {
        Selector::MatchList(terms) => {
            let (attribute, texts) = terms.first()?;
            Some((*attribute, texts.iter().cloned().map(as_text).collect()))
        }
        Selector::Filter(filter) => demanded(filter),
        Selector::Population(place) => demanded(&populations.get(*place)?.filter),
        Selector::Rule(_) => None,
    }
}

/// Returns an attribute and the values of which whoever a filter lets through has
/// one, if the filter says so.
pub(super) fn demanded(filter: &Filter) -> Option<(Name, Vec<Demanded>)> {
    let mut demands = filter.demands().into_iter();
    demands.find_map(|(path, values)| match path.segments() {
        [attribute] if !COLLECTIONS.contains(&attribute.as_str()) => Some((*attribute, values)),
        _ => None,
    })
}

/// Returns how a value is found that is compared by its text alone.
fn as_text(text: String) -> Demanded {
    Demanded {
        text: Some(text),
        number: None,
    }
}
