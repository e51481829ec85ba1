//! Entitlements: what accounts hold, what they should hold, and why.

use super::{Account, AccountKey, AssignmentSource, Name, UnixMillis};

/// One entitlement on one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entitlement {
    /// The account that holds it, or should.
    pub account: AccountKey,
    /// The account attribute that lists it.
    pub attribute: Name,
    /// Its value.
    pub value: String,
}

/// An entitlement of the ledger, and why it is there or should be.
///
/// The ledger is worked out from accounts, roles and decisions when somebody
/// asks; nothing of it is stored that they don't already say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerEntry {
    /// The entitlement.
    pub entitlement: Entitlement,
    /// How it stands.
    pub status: EntitlementStatus,
    /// Whether its account is known to hold it.
    pub held: bool,
    /// Whether the last aggregation of its account has seen it there.
    pub connected: bool,
    /// Whether an assigned role asks for it, or may.
    pub called_for: bool,
    /// Whether idr gave it or has taken it over: it goes with its last role.
    pub given: bool,
    /// Since when it is gained or lost natively, if it is.
    pub native: Option<(EntitlementChange, UnixMillis)>,
    /// Whether that waits for somebody to decide.
    pub undecided: bool,
    /// The detected roles that contain it, in order. Without any it is an
    /// additional entitlement.
    pub detected_roles: Vec<Name>,
    /// The assigned roles that call for it, in order. Without any it was there
    /// natively.
    pub assigned_roles: Vec<(Name, AssignmentSource)>,
}

/// How an entitlement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntitlementStatus {
    /// It is called for and isn't there.
    Missing,
    /// It is called for and was sent; that it is there isn't confirmed.
    Pending,
    /// It is there.
    Present,
    /// That it is given or taken away was sent, and came to nothing.
    Failed,
    /// It is there and is to be taken away.
    Removing,
}

impl EntitlementStatus {
    /// Returns the word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Pending => "pending",
            Self::Present => "present",
            Self::Failed => "failed",
            Self::Removing => "removing",
        }
    }
}

/// An entitlement of an account that an aggregation found gained or lost: idr
/// hadn't done it. Noted on the account until what it always had is back; what it
/// hadn't may come and go any number of times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NativeEntitlement {
    /// The account attribute that lists it, or did.
    pub attribute: Name,
    /// Its value.
    pub value: String,
    /// Whether the account has it now.
    pub change: EntitlementChange,
    /// Whether the account had it before it was first noted.
    pub was_there: bool,
    /// The instant of the aggregation that found it.
    pub detected_at: UnixMillis,
}

/// What became of an entitlement natively.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntitlementChange {
    /// The account has it and hadn't.
    Gained,
    /// The account had it and hasn't.
    Lost,
}

impl EntitlementChange {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 2] = [("gained", Self::Gained), ("lost", Self::Lost)];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, change)| *change == self);
        found.expect("every case is listed").0
    }
}

/// What a person has decided about an entitlement gained or lost natively.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementDecision {
    /// The account.
    pub account: AccountKey,
    /// What it gained or lost. The decision is over when the account doesn't
    /// note exactly that any more.
    pub about: NativeEntitlement,
    /// What was decided.
    pub verdict: EntitlementVerdict,
    /// Who decided it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: UnixMillis,
}

/// Which way a person has decided about a native gain or loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntitlementVerdict {
    /// It stays as the application has it.
    Accepted,
    /// It is to be as it was before.
    Restored,
}

impl EntitlementVerdict {
    /// Every case with the word used in documents and reports.
    pub const ALL: [(&'static str, Self); 2] =
        [("accepted", Self::Accepted), ("restored", Self::Restored)];

    /// Returns the word used in documents and reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, verdict)| *verdict == self);
        found.expect("every case is listed").0
    }
}

impl Account {
    /// Returns what the account notes of native gains and losses once it is
    /// listed as `listed`: what of its entitlement `attributes` came or went is
    /// noted in place of what was noted of it before, unless what had always
    /// been there is back.
    pub fn native_entitlements_after(
        &self,
        listed: &Self,
        attributes: &[Name],
        detected_at: UnixMillis,
    ) -> Vec<NativeEntitlement> {
        let mut notes = self.native_entitlements.clone();
        for &attribute in attributes {
            if self.attribute(attribute) == listed.attribute(attribute) {
                continue;
            }
            let (old, new) = (self.texts(attribute), listed.texts(attribute));
            let gained = new.iter().filter(|text| !old.contains(text));
            let lost = old.iter().filter(|text| !new.contains(text));
            let gained = gained.map(|text| (text, EntitlementChange::Gained));
            let lost = lost.map(|text| (text, EntitlementChange::Lost));
            for (text, change) in gained.chain(lost) {
                let is_it =
                    |note: &NativeEntitlement| note.attribute == attribute && note.value == *text;
                let known = notes.iter().position(is_it);
                let known = known.map(|place| notes.remove(place));
                let is_lost = change == EntitlementChange::Lost;
                let was_there = known.map_or(is_lost, |known| known.was_there);
                if was_there && !is_lost {
                    continue;
                }
                notes.push(NativeEntitlement {
                    attribute,
                    value: text.clone(),
                    change,
                    was_there,
                    detected_at,
                });
            }
        }
        notes.sort();
        notes
    }

    /// Returns the texts of an attribute's value, without repeats.
    fn texts(&self, attribute: Name) -> Vec<String> {
        let mut texts = Vec::new();
        if let Some(value) = self.attribute(attribute) {
            value.each_text(|text| {
                if !texts.iter().any(|known| known == text) {
                    texts.push(text.to_owned());
                }
            });
        }
        texts
    }

    /// Returns what the account notes about one of its entitlements.
    pub fn native_entitlement(&self, attribute: Name, value: &str) -> Option<&NativeEntitlement> {
        let mut notes = self.native_entitlements.iter();
        notes.find(|note| note.attribute == attribute && note.value == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountStatus, Link, Value};

    fn holding(groups: &str) -> Account {
        let groups = Value::many(groups.split_whitespace());
        let groups = groups.normalised();
        Account {
            key: AccountKey {
                application: Name::new("ad"),
                native_identity: "a".to_owned(),
            },
            status: AccountStatus::Enabled,
            missing_since: None,
            taken_away: false,
            attributes: groups
                .map(|groups| (Name::new("groups"), groups))
                .into_iter()
                .collect(),
            native_entitlements: Vec::new(),
            link: Link::Correlated,
            owner: None,
        }
    }

    /// Lists an account with these groups one after the other, those with a
    /// question mark without looking at them, and returns what it notes.
    fn noted(listed: &[&str]) -> String {
        let mut account = holding(listed[0]);
        for (at, groups) in (1..).zip(&listed[1..]) {
            let next = holding(groups.trim_start_matches('?'));
            let is_read = !groups.starts_with('?');
            let attributes = is_read.then(|| Name::new("groups"));
            let attributes = attributes.as_slice();
            let native_entitlements =
                account.native_entitlements_after(&next, attributes, UnixMillis(at));
            account = Account {
                native_entitlements,
                ..next
            };
        }
        let notes = account.native_entitlements.iter();
        let notes = notes.map(|note| {
            let was_there = if note.was_there { ", was there" } else { "" };
            let (change, at) = (note.change.as_str(), note.detected_at.0);
            format!("{} {change} at {at}{was_there}", note.value)
        });
        notes.collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn what_was_there_is_noted_until_it_is_back() {
        assert_eq!(noted(&["x", ""]), "x lost at 1, was there");
        assert_eq!(noted(&["x", "", "x"]), "");
        assert_eq!(noted(&["x", "", "x", ""]), "x lost at 3, was there");
    }

    #[test]
    fn what_was_not_there_is_gained_and_lost_each_time() {
        assert_eq!(noted(&["", "x"]), "x gained at 1");
        assert_eq!(noted(&["", "x", ""]), "x lost at 2");
        assert_eq!(noted(&["", "x", "", "x"]), "x gained at 3");
        assert_eq!(
            noted(&["", "x", "", "x", "y"]),
            "x lost at 4; y gained at 4"
        );
    }

    #[test]
    fn a_note_of_the_same_is_replaced() {
        assert_eq!(noted(&["x", "", "?x", ""]), "x lost at 3, was there");
        assert_eq!(noted(&["", "x", "?", "x"]), "x gained at 3");
        assert_eq!(noted(&["", "x", "", "?x", ""]), "x lost at 4");
    }
}
