//! Interned names: attributes, applications, roles, states, triggers.
//!
//! A tenant's configuration and feeds use a small, bounded set of names, and a
//! refresh compares them all the time. A [`Name`] is one pointer, copied freely
//! and compared by address. Text that a rule sends in is never interned, only
//! looked up ([`Name::known`]), so a rule can't make the set grow.

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering as Access};
use std::sync::{LazyLock, PoisonError, RwLock};

static NAMES: LazyLock<RwLock<HashMap<&'static str, Name>>> = LazyLock::new(RwLock::default);

/// Places in a thread's cache of names; a power of two.
const CACHED: usize = 512;

thread_local! {
    /// The names met last by this thread, each in the one place that its text
    /// gives: a refresh meets the same few names again and again.
    static RECENT: [Cell<Option<Name>>; CACHED] = const { [const { Cell::new(None) }; CACHED] };
}

/// The name of an attribute, application, role, lifecycle state or trigger.
///
/// Ordered by its text, so that sorted output doesn't depend on addresses.
#[derive(Clone, Copy)]
pub struct Name(&'static Interned);

/// The text of a name, and its first bytes as a number: most names differ in
/// them, so most comparisons end there.
struct Interned {
    prefix: u64,
    /// Where it was found last; see [`Name::place_in`].
    place: AtomicUsize,
    text: Box<str>,
}

fn prefix(text: &str) -> u64 {
    let mut bytes = [0; 8];
    let length = text.len().min(bytes.len());
    bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
    u64::from_be_bytes(bytes)
}

/// Returns the place of a text in the cache, by its length and its ends.
fn place(text: &str) -> usize {
    let bytes = text.as_bytes();
    let end = match bytes.last_chunk() {
        Some(end) => u64::from_be_bytes(*end),
        None => 0,
    };
    let ends = prefix(text) ^ end.rotate_left(23) ^ bytes.len() as u64;
    (ends.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 55) as usize % CACHED
}

impl Name {
    /// Returns the name with this text, interning it if it is new.
    pub fn new(text: &str) -> Self {
        if let Some(known) = Self::known(text) {
            return known;
        }
        let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(interned) = names.get(text) {
            return *interned;
        }
        let interned: &'static Interned = Box::leak(Box::new(Interned {
            prefix: prefix(text),
            place: AtomicUsize::new(0),
            text: text.into(),
        }));
        names.insert(&interned.text, Self(interned));
        Self(interned)
    }

    /// Returns the name with this text if anybody has used it before.
    pub fn known(text: &str) -> Option<Self> {
        RECENT.with(|recent| {
            let cell = &recent[place(text)];
            if let Some(name) = cell.get()
                && name.as_str() == text
            {
                return Some(name);
            }
            let names = NAMES.read().unwrap_or_else(PoisonError::into_inner);
            let name = *names.get(text)?;
            cell.set(Some(name));
            Some(name)
        })
    }

    /// Returns its place among what is sorted by name.
    ///
    /// It is looked for first where it was found last: definitions are asked for
    /// all the time, and stay where they are. For definitions only: a name that is
    /// looked for in two lists in turn is searched for each time, and threads would
    /// wait for one another to write its place down.
    pub fn place_in<T>(self, sorted: &[T], name_of: impl Fn(&T) -> Self) -> Option<usize> {
        let last = self.0.place.load(Access::Relaxed);
        if sorted.get(last).is_some_and(|known| name_of(known) == self) {
            return Some(last);
        }
        let found = sorted.binary_search_by(|known| name_of(known).cmp(&self));
        let place = found.ok()?;
        self.0.place.store(place, Access::Relaxed);
        Some(place)
    }

    /// Returns the text.
    pub fn as_str(self) -> &'static str {
        &self.0.text
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::hash(self.0, state);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other {
            return Ordering::Equal;
        }
        let by_prefix = self.0.prefix.cmp(&other.0.prefix);
        by_prefix.then_with(|| self.0.text.cmp(&other.0.text))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0.text
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0.text)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn equal_text_is_the_same_name() {
        let first = Name::new("department");
        let second = Name::new(&String::from("department"));
        assert_eq!(first, second);
        assert!(Name::new("a") < Name::new("b"));
    }

    #[test]
    fn a_name_is_found_whatever_it_was_last_looked_for_in() {
        let names = |texts: &[&str]| texts.iter().map(|text| Name::new(text)).collect::<Vec<_>>();
        let (all, some) = (names(&["p1", "p2", "p3", "p4"]), names(&["p1", "p3"]));
        for _ in 0..2 {
            let places = |sorted: &[Name]| {
                let places = all.iter().map(|name| name.place_in(sorted, |known| *known));
                places.collect::<Vec<_>>()
            };
            assert_eq!(places(&all), [Some(0), Some(1), Some(2), Some(3)]);
            assert_eq!(places(&some), [Some(0), None, Some(1), None]);
            assert_eq!(places(&[]), [None; 4]);
        }
    }

    #[test]
    fn names_are_in_order_of_their_texts() {
        let mut texts = [
            "",
            "a",
            "a\0",
            "department",
            "departments",
            "departed",
            "é",
            "z",
        ];
        let mut names = texts.map(Name::new);
        texts.sort_unstable();
        names.sort_unstable();
        assert_eq!(names.map(Name::as_str), texts);
    }

    #[test]
    fn asking_for_an_unknown_name_does_not_create_it() {
        assert_eq!(Name::known("nobody-ever-used-this"), None);
        assert_eq!(Name::known("nobody-ever-used-this"), None);
    }
}
