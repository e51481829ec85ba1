//! What a run has in hand: an identity to which something happens is planned, carried
//! out, and its events are judged, and needn't be read and decoded for each of these.
//!
//! Only so many are kept as fit into the memory for that; of the others, and of those
//! that have moved on, the documents are read. Nobody can tell the difference: versions
//! say whether an identity has changed since, and whoever writes one with the versions
//! that it had has it forgotten ([`InHand::forget`]).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use idr_core::model::{Account, IdentityRecord, Uid, Value};
use idr_core::planted::{self, Bug};

use crate::store::{Store, StoreError};

/// As much memory as what is kept may take, about: that of 8,000 identities with three
/// accounts of 25 values.
const MOST_BYTES: usize = 100_000_000;

/// What an identity takes besides values, about.
const IDENTITY_BYTES: usize = 2_000;

/// Identities as they were read, or as a plan has left them.
#[derive(Default)]
pub(super) struct InHand(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    records: HashMap<Uid, IdentityRecord>,
    bytes: usize,
}

impl InHand {
    /// Keeps records, as far as there is room for them.
    pub(super) fn keep(&self, records: impl IntoIterator<Item = IdentityRecord>) {
        let mut kept = self.kept();
        for record in records {
            let bytes = bytes_of(&record);
            if kept.bytes + bytes > MOST_BYTES {
                return;
            }
            kept.bytes += bytes;
            if let Some(older) = kept.records.insert(record.identity.uid, record) {
                kept.bytes -= bytes_of(&older);
            }
        }
    }

    /// Returns what [`Store::read_chunk`] does. What was kept of these identities
    /// isn't any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read.
    pub(super) fn read(
        &self,
        store: &dyn Store,
        uids: &[Uid],
    ) -> Result<Vec<IdentityRecord>, StoreError> {
        let mut kept = self.take(uids);
        if kept.is_empty() {
            return store.read_chunk(uids);
        }
        let asked: Vec<Uid> = uids
            .iter()
            .copied()
            .filter(|uid| kept.contains_key(uid))
            .collect();
        for (uid, versions) in asked.iter().zip(store.versions(&asked)?) {
            let has_moved_on = kept.get(uid).map(|record| record.versions) != versions;
            if has_moved_on && !planted::is(Bug::TrustWhatIsInHand) {
                kept.remove(uid);
            }
        }
        let others: Vec<Uid> = uids
            .iter()
            .copied()
            .filter(|uid| !kept.contains_key(uid))
            .collect();
        let mut read = store.read_chunk(&others)?.into_iter().peekable();
        let mut records = Vec::with_capacity(uids.len());
        for uid in uids {
            let record = kept.remove(uid);
            let record = record.or_else(|| read.next_if(|record| record.identity.uid == *uid));
            records.extend(record);
        }
        Ok(records)
    }

    /// Keeps these no longer.
    pub(super) fn forget(&self, uids: &[Uid]) {
        drop(self.take(uids));
    }

    fn take(&self, uids: &[Uid]) -> HashMap<Uid, IdentityRecord> {
        let mut kept = self.kept();
        if kept.records.is_empty() {
            return HashMap::new();
        }
        let mut taken = HashMap::new();
        for uid in uids {
            if let Some(record) = kept.records.remove(uid) {
                kept.bytes -= bytes_of(&record);
                taken.insert(*uid, record);
            }
        }
        taken
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns how much memory a record takes, about.
fn bytes_of(record: &IdentityRecord) -> usize {
    let own = record.identity.attributes.iter();
    let own = own.filter_map(|(_, state)| state.value.as_ref());
    let accounts = record.accounts.iter().map(Account::bytes);
    IDENTITY_BYTES + own.map(Value::bytes).sum::<usize>() + accounts.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use idr_core::model::{
        AccountKey, AccountStatus, AttributeState, IdentityType, Link, Name, Provenance,
    };

    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::{AccountWrite, AggregateBatch, Creation};

    fn account_of(uid: Uid) -> AggregateBatch {
        let account = Account {
            key: AccountKey {
                application: Name::new("hr"),
                native_identity: uid.0.to_string(),
            },
            status: AccountStatus::Enabled,
            missing_since: None,
            taken_away: false,
            attributes: Vec::new(),
            native_entitlements: Vec::new(),
            link: Link::Manual,
            owner: Some(uid),
        };
        AggregateBatch {
            accounts: vec![AccountWrite {
                account,
                created_owner: None,
                lookups: Vec::new(),
            }],
            ..AggregateBatch::default()
        }
    }

    #[test]
    fn what_is_kept_is_told_until_somebody_has_moved_on() {
        let store = MemoryStore::default();
        let create = |name: &str| Creation {
            name: name.to_owned(),
            identity_type: IdentityType::Person,
        };
        let batch = AggregateBatch {
            creations: ["ana", "bo", "cyd"].map(create).to_vec(),
            ..AggregateBatch::default()
        };
        let uids = store.aggregate(&batch).expect("the names are free");
        let in_hand = InHand::default();
        let mut kept = store.read_chunk(&uids[..2]).expect("readable");
        for record in &mut kept {
            record.identity.name = format!("{} as kept", record.identity.name);
        }
        in_hand.keep(kept);
        store.aggregate(&account_of(uids[1])).expect("accepted");

        let names = |uids: &[Uid]| -> Vec<_> {
            let records = in_hand.read(&store, uids).expect("readable");
            records
                .into_iter()
                .map(|record| record.identity.name)
                .collect()
        };
        let asked = [uids[2], Uid(9), uids[1], uids[0]];
        assert_eq!(names(&asked), ["cyd", "bo", "ana as kept"]);
        assert_eq!(names(&asked), ["cyd", "bo", "ana"], "it is told once");
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let in_hand = InHand::default();
        let kept = || {
            let kept = in_hand.kept();
            (kept.records.len(), kept.bytes)
        };
        let named = |uid: usize| {
            let mut record = IdentityRecord::default();
            record.identity.uid = Uid(i64::try_from(uid).expect("few"));
            record
        };
        let room = MOST_BYTES / IDENTITY_BYTES;
        in_hand.keep((0..room + 5).map(named));
        assert_eq!(kept(), (room, room * IDENTITY_BYTES));

        in_hand.forget(&[Uid(7), Uid(8)]);
        in_hand.keep([named(9), named(7)]);
        assert_eq!(kept(), (room - 1, (room - 1) * IDENTITY_BYTES));

        let mut large = named(8);
        let value = Value::text("x".repeat(IDENTITY_BYTES));
        let state = AttributeState {
            value: Some(value),
            provenance: Provenance::Manual,
        };
        large.identity.attributes = vec![(Name::new("note"), state)];
        in_hand.keep([large]);
        assert_eq!(kept().0, room - 1, "it is too large");
    }
}
