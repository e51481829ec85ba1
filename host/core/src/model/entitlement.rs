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
    /// Whether the last aggregation of its account has seen it there.
    pub connected: bool,
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
    /// It is there.
    Present,
    /// It is there and is to be taken away.
    Removing,
}

impl EntitlementStatus {
    /// Returns the word used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Present => "present",
            Self::Removing => "removing",
        }
    }
}

/// An entitlement of an account that an aggregation found gained or lost: idr
/// hadn't done it. Noted on the account until it goes again, or comes back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NativeEntitlement {
    /// The account attribute that lists it, or did.
    pub attribute: Name,
    /// Its value.
    pub value: String,
    /// Whether the account has it now.
    pub change: EntitlementChange,
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
    /// noted, unless it undoes what was noted before.
    pub fn native_entitlements_after(
        &self,
        listed: &Self,
        attributes: &[Name],
        detected_at: UnixMillis,
    ) -> Vec<NativeEntitlement> {
        let mut notes = self.native_entitlements.clone();
        for &attribute in attributes {
            let (old, new) = (self.texts(attribute), listed.texts(attribute));
            let gained = new.iter().filter(|text| !old.contains(text));
            let lost = old.iter().filter(|text| !new.contains(text));
            let gained = gained.map(|text| (text, EntitlementChange::Gained));
            let lost = lost.map(|text| (text, EntitlementChange::Lost));
            for (text, change) in gained.chain(lost) {
                let is_it =
                    |note: &NativeEntitlement| note.attribute == attribute && note.value == *text;
                if notes.iter().any(is_it) {
                    notes.retain(|note| !is_it(note));
                    continue;
                }
                notes.push(NativeEntitlement {
                    attribute,
                    value: text.clone(),
                    change,
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
