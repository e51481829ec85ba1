//! Who owns what, by the owner's name.
//!
//! Kept apart from what is owned: another owner concerns the old and the new
//! one, and nobody else.

/// What everybody owns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners {
    /// Sorted by owner; what they own in words, sorted.
    owners: Vec<(String, Vec<String>)>,
}

impl Owners {
    /// Returns owners and what they own, from pairs of both.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort();
        pairs.dedup();
        let mut owners: Vec<(String, Vec<String>)> = Vec::new();
        for (owner, what) in pairs {
            match owners.last_mut() {
                Some((last, owned)) if *last == owner => owned.push(what),
                _ => owners.push((owner, vec![what])),
            }
        }
        Self { owners }
    }

    /// Returns what an identity with this name owns.
    pub fn owned_by(&self, name: &str) -> &[String] {
        let place = self
            .owners
            .binary_search_by(|(owner, _)| owner.as_str().cmp(name));
        place.map_or(&[], |place| &self.owners[place].1)
    }

    /// Returns who owns what is named by these words, such as ``role `Buyer` ``: of
    /// several the first by name.
    pub fn owner_of(&self, what: &str) -> Option<&str> {
        let owns = |owned: &[String]| owned.binary_search_by(|own| own.as_str().cmp(what)).is_ok();
        let mut owners = self.owners.iter();
        let owner = owners.find(|(_, owned)| owns(owned));
        owner.map(|(owner, _)| owner.as_str())
    }

    /// Returns every owner, in order, with what they own.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        let owners = self.owners.iter();
        owners.map(|(owner, owned)| (owner.as_str(), owned.as_slice()))
    }
}
