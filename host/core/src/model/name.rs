//! Interned names: attributes, applications, roles, states, triggers.
//!
//! A tenant's configuration and feeds use a small, bounded set of names, and a
//! refresh compares them all the time. A [`Name`] is one pointer, copied freely
//! and compared by address. Text that a rule sends in is never interned, only
//! looked up ([`Name::known`]), so a rule can't make the set grow.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::{LazyLock, PoisonError, RwLock};

static NAMES: LazyLock<RwLock<HashSet<&'static str>>> = LazyLock::new(RwLock::default);

thread_local! {
    /// Spares most look-ups the shared lock.
    static RECENT: RefCell<HashSet<&'static str>> = RefCell::default();
}

/// The name of an attribute, application, role, lifecycle state or trigger.
///
/// Ordered by its text, so that sorted output doesn't depend on addresses.
#[derive(Clone, Copy)]
pub struct Name(&'static str);

impl Name {
    /// Returns the name with this text, interning it if it is new.
    pub fn new(text: &str) -> Self {
        if let Some(known) = Self::known(text) {
            return known;
        }
        let mut names = NAMES.write().unwrap_or_else(PoisonError::into_inner);
        let interned = match names.get(text) {
            Some(interned) => *interned,
            None => {
                let leaked: &'static str = Box::leak(text.to_owned().into_boxed_str());
                names.insert(leaked);
                leaked
            }
        };
        Self(interned)
    }

    /// Returns the name with this text if anybody has used it before.
    pub fn known(text: &str) -> Option<Self> {
        RECENT.with_borrow_mut(|recent| {
            if let Some(interned) = recent.get(text) {
                return Some(Self(interned));
            }
            let names = NAMES.read().unwrap_or_else(PoisonError::into_inner);
            let interned = *names.get(text)?;
            recent.insert(interned);
            Some(Self(interned))
        })
    }

    /// Returns the text.
    pub fn as_str(self) -> &'static str {
        self.0
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
        self.0.as_ptr().hash(state);
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(other.0)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.0)
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
    fn asking_for_an_unknown_name_does_not_create_it() {
        assert_eq!(Name::known("nobody-ever-used-this"), None);
        assert_eq!(Name::known("nobody-ever-used-this"), None);
    }
}
