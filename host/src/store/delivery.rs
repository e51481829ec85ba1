//! What the store keeps of carrying effects out: how each stands, what people
//! are to do, and what idr itself has done with accounts.

use idr_core::model::{AccountAction, AccountKey, SentAction, Uid, UnixMillis};

use super::AuditEntry;

/// How an effect stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EffectStatus {
    /// It is to be carried out.
    #[default]
    Waiting,
    /// It is under way: somebody was asked and hasn't answered, or the process
    /// that carried it out has died and nobody knows yet what came of it.
    Sent,
    /// An attempt was in vain; the next one comes.
    Failed,
    /// It was carried out.
    Done,
    /// It was given up, until a person says otherwise.
    Dead,
    /// It was no longer called for before it was carried out.
    Withdrawn,
}

impl EffectStatus {
    /// Every case with the word used in the store and in reports.
    pub const ALL: [(&'static str, Self); 6] = [
        ("waiting", Self::Waiting),
        ("sent", Self::Sent),
        ("failed", Self::Failed),
        ("done", Self::Done),
        ("dead", Self::Dead),
        ("withdrawn", Self::Withdrawn),
    ];

    /// Returns the word used in the store and in reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, status)| *status == self);
        found.expect("every case is listed").0
    }

    /// Says whether whoever carries effects out has something to do about it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Sent | Self::Failed)
    }
}

/// How far an effect has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EffectProgress {
    /// How it stands.
    pub status: EffectStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried again, where an attempt was in vain.
    pub next_attempt: Option<UnixMillis>,
    /// Steps of a workflow that are done.
    pub step: u32,
    /// What went wrong last.
    pub message: Option<String>,
    /// When this was last written; none where nothing was done yet.
    pub at: Option<UnixMillis>,
}

/// What has become of an effect: written in one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settlement {
    /// The effect's number in the outbox.
    pub number: i64,
    /// How it must still stand.
    pub expected: EffectStatus,
    /// How far it is now.
    pub progress: EffectProgress,
    /// What was sent to an application, or what came of that, for the identity
    /// that it is about: an input of its refresh.
    pub sent: Option<(Uid, SentAction)>,
    /// What idr has done, or is doing, with accounts.
    pub own: Vec<OwnChange>,
    /// What people are to do for it.
    pub work_items: Vec<NewWorkItem>,
    /// What a person did, if it was one.
    pub audit: Option<AuditEntry>,
}

/// What idr itself has done, or is doing, with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnChange {
    /// The account.
    pub account: AccountKey,
    /// For whom.
    pub owner: Option<Uid>,
    /// What was sent, and isn't confirmed yet.
    pub under_way: Option<AccountAction>,
    /// When the account was last read again after a change of idr's own.
    pub confirmed_at: Option<UnixMillis>,
    /// Whether that change took the account away from there.
    pub gone: bool,
}

/// Something that somebody is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWorkItem {
    /// Its id: the same whenever it is opened again for the same reason.
    pub id: String,
    /// The effect that it is for.
    pub effect: String,
    /// Whom it is about.
    pub uid: Uid,
    /// The name of whoever is to do it; nobody without one.
    pub owner: Option<String>,
    /// What to do.
    pub description: String,
    /// When it was opened.
    pub opened_at: UnixMillis,
}

/// A work item as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWorkItem {
    /// What is to be done.
    pub item: NewWorkItem,
    /// The name of the identity that it is about.
    pub name: String,
    /// How it stands.
    pub status: WorkItemStatus,
    /// When it was closed.
    pub closed_at: Option<UnixMillis>,
    /// Who has done it.
    pub closed_by: Option<String>,
    /// What that person says of it.
    pub comment: Option<String>,
}

/// How a work item stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkItemStatus {
    /// Somebody is to do it.
    Open,
    /// It is done.
    Done,
    /// It is no longer called for.
    Withdrawn,
}

impl WorkItemStatus {
    /// Every case with the word used in the store and in reports.
    pub const ALL: [(&'static str, Self); 3] = [
        ("open", Self::Open),
        ("done", Self::Done),
        ("withdrawn", Self::Withdrawn),
    ];

    /// Returns the word used in the store and in reports.
    pub fn as_str(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, status)| *status == self);
        found.expect("every case is listed").0
    }
}

/// Which work items to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkItemQuery {
    /// The one with this id only.
    pub id: Option<String>,
    /// Those for this effect only.
    pub effect: Option<String>,
    /// About this identity only.
    pub uid: Option<Uid>,
    /// Of this owner only.
    pub owner: Option<String>,
    /// Only those that are open.
    pub open: bool,
}
