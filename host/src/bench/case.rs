//! What is measured: the cases, and what each needs.

use crate::store::Scope;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Everybody, for the first time.
    FullFirst,
    /// Everybody (`--all`), and nothing changes.
    FullUnchanged,
    /// Everybody, and each of them changes.
    FullChanged,
    /// Who is due, and nobody is.
    Incremental0,
    /// Who is due, and one in a thousand is.
    IncrementalTenth,
    /// Who is due, and one in a hundred is.
    Incremental1,
    /// Who is due, and one in ten is.
    Incremental10,
    /// One identity, by a process that has just been started.
    OneCold,
}

/// What a tenant has to be like before a case is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nobody has ever been refreshed.
    Fresh,
    /// Nobody is due.
    Settled,
    /// Nobody but one in so many is due: they have changed.
    Changed(u64),
}

impl Case {
    /// Every case with its name, in the order in which they are measured.
    pub const ALL: [(&'static str, Self); 8] = [
        ("full-first", Self::FullFirst),
        ("full-unchanged", Self::FullUnchanged),
        ("incremental-0", Self::Incremental0),
        ("one-cold", Self::OneCold),
        ("incremental-0.1", Self::IncrementalTenth),
        ("incremental-1", Self::Incremental1),
        ("incremental-10", Self::Incremental10),
        ("full-changed", Self::FullChanged),
    ];

    /// Returns the name.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, case)| *case == self);
        found.expect("every case is listed").0
    }

    /// Returns the case with this name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, case)| *case)
    }

    /// Returns what it needs.
    pub fn needs(self) -> Needs {
        match self {
            Self::FullFirst => Needs::Fresh,
            Self::FullUnchanged | Self::Incremental0 | Self::OneCold => Needs::Settled,
            Self::FullChanged => Needs::Changed(1),
            Self::IncrementalTenth => Needs::Changed(1_000),
            Self::Incremental1 => Needs::Changed(100),
            Self::Incremental10 => Needs::Changed(10),
        }
    }

    pub(super) fn scope(self) -> Scope {
        match self {
            Self::FullUnchanged | Self::FullChanged => Scope::All,
            Self::FullFirst
            | Self::Incremental0
            | Self::IncrementalTenth
            | Self::Incremental1
            | Self::Incremental10
            | Self::OneCold => Scope::Due,
        }
    }
}
