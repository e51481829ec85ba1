//! What a run has in hand: an identity to which something happens is planned, carried
//! out, and its events are judged, and needn't be read and decoded for each of these.
//!
//! Only as many are kept as memory may hold; of the others, and of those that have moved
//! on, the documents are read. Nobody can tell the difference: versions say what of an
//! identity has changed since.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use idr_core::model::{IdentityRecord, Uid};
use idr_core::planted::{self, Bug};

use crate::store::{Store, StoreError};

/// So many identities are kept, with their accounts: some 50 MB.
const MOST: usize = 10_000;

/// Identities as they were read, or as a plan has left them.
#[derive(Default)]
pub(super) struct InHand(Mutex<HashMap<Uid, IdentityRecord>>);

impl InHand {
    /// Keeps records, as far as there is room for them.
    pub(super) fn keep(&self, records: impl IntoIterator<Item = IdentityRecord>) {
        let mut known = self.known();
        for record in records {
            if known.len() >= MOST {
                return;
            }
            known.insert(record.identity.uid, record);
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

    /// Keeps these no longer: they are written with the versions that they had.
    pub(super) fn forget(&self, uids: &[Uid]) {
        drop(self.take(uids));
    }

    fn take(&self, uids: &[Uid]) -> HashMap<Uid, IdentityRecord> {
        let mut known = self.known();
        if known.is_empty() {
            return HashMap::new();
        }
        let taken = uids.iter().filter_map(|uid| known.remove_entry(uid));
        taken.collect()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Uid, IdentityRecord>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use idr_core::model::{Account, AccountKey, AccountStatus, IdentityType, Link, Name};

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
        let many = i64::try_from(MOST).expect("few") + 5;
        in_hand.keep((0..many).map(|uid| {
            let mut record = IdentityRecord::default();
            record.identity.uid = Uid(uid);
            record
        }));
        assert_eq!(in_hand.known().len(), MOST);
    }
}
