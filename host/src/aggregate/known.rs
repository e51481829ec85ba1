//! What is known of an application's accounts while its feed is read: 24 bytes an
//! account, so that one that is listed as it was is neither read nor written.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use idr_core::model::Name;
use rayon::prelude::*;

use super::error::AggregateError;
use crate::store::{AccountMark, Fingerprint, Store};

/// Marks that are asked for at a time.
const PAGE: usize = 10_000;

/// Accounts are kept in so many parts, by the highest bits of their key.
const PARTS_BITS: u32 = 8;

/// What is known of accounts, and which of them the feed has listed.
pub(super) struct Known {
    /// Keys are hashes of native identities, with a secret of this process: nobody can
    /// choose two that meet. Should two meet by chance, they are told apart by their
    /// fingerprints, or else when they are read.
    hasher: RandomState,
    /// Each in order of key.
    parts: Vec<Vec<Entry>>,
    /// Keys that the feed has listed, and that weren't known.
    others: HashSet<u64>,
    count: u64,
    present: u64,
}

/// What a record means that lists an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    /// The account is there as it was.
    Unchanged {
        /// Whether it belongs to an identity.
        owned: bool,
    },
    /// The account was seen before, and something of it differs.
    Changed,
    /// The account was never seen before.
    New,
    /// The feed has listed it already.
    Repeated,
}

impl Known {
    /// Reads what is known of an application's accounts.
    pub(super) fn read(store: &dyn Store, application: Name) -> Result<Self, AggregateError> {
        let mut known = Self {
            hasher: RandomState::new(),
            parts: vec![Vec::new(); 1 << PARTS_BITS],
            others: HashSet::new(),
            count: 0,
            present: 0,
        };
        let mut after: Option<String> = None;
        loop {
            let mut marks = store.account_marks(application, after.as_deref(), PAGE)?;
            for mark in &marks {
                known.add(mark);
            }
            match marks.pop() {
                Some(last) => after = Some(last.native_identity),
                None => break,
            }
        }
        known.parts.par_iter_mut().for_each(|part| {
            part.sort_unstable_by_key(|entry| entry.key);
            part.shrink_to_fit();
        });
        Ok(known)
    }

    fn add(&mut self, mark: &AccountMark) {
        let key = self.key(&mark.native_identity);
        self.count += 1;
        self.present += u64::from(mark.present);
        self.parts[part_of(key)].push(Entry::new(key, mark));
    }

    /// Returns how many accounts are known, present or not.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Returns how many of them are present.
    pub(super) fn present(&self) -> u64 {
        self.present
    }

    /// Notes that the feed lists an account, and says what that means.
    pub(super) fn list(&mut self, native_identity: &str, fingerprint: Fingerprint) -> Listing {
        let key = self.key(native_identity);
        let entries = self.entries(key);
        if entries.is_empty() {
            return match self.others.insert(key) {
                true => Listing::New,
                false => Listing::Repeated,
            };
        }
        let mut left = entries.iter_mut().filter(|entry| !entry.is(SEEN));
        if let Some(same) = left.find(|entry| entry.is(PRESENT) && entry.matches(fingerprint)) {
            same.set(SEEN);
            let owned = same.is(OWNED);
            return Listing::Unchanged { owned };
        }
        match entries.iter_mut().find(|entry| !entry.is(SEEN)) {
            Some(changed) => {
                changed.set(SEEN);
                Listing::Changed
            }
            None => Listing::Repeated,
        }
    }

    /// Notes that a broken record is this account's: it isn't missing, and what is
    /// listed of it further on doesn't count.
    pub(super) fn list_broken(&mut self, native_identity: &str) {
        if !self.list_if_left(native_identity) {
            let key = self.key(native_identity);
            if self.entries(key).is_empty() {
                self.others.insert(key);
            }
        }
    }

    /// Notes that a broken record is this account's, if it is known and wasn't listed.
    /// Says whether it was so.
    pub(super) fn list_if_left(&mut self, native_identity: &str) -> bool {
        let key = self.key(native_identity);
        let left = self.entries(key).iter_mut().find(|entry| !entry.is(SEEN));
        left.map(|entry| entry.set(SEEN)).is_some()
    }

    /// Says whether the feed has listed an account.
    pub(super) fn is_listed(&mut self, native_identity: &str) -> bool {
        let key = self.key(native_identity);
        self.others.contains(&key) || self.entries(key).iter().any(|entry| entry.is(SEEN))
    }

    /// Says whether an account is known that the feed hasn't listed; whether it was
    /// present only matters when asked so.
    pub(super) fn is_any_left(&self, present_only: bool) -> bool {
        let mut entries = self.parts.iter().flatten();
        entries.any(|entry| !entry.is(SEEN) && (entry.is(PRESENT) || !present_only))
    }

    /// Says whether a known account is one that the feed hasn't listed.
    pub(super) fn is_left(&mut self, native_identity: &str) -> bool {
        let key = self.key(native_identity);
        self.entries(key).iter().any(|entry| !entry.is(SEEN))
    }

    fn key(&self, native_identity: &str) -> u64 {
        self.hasher.hash_one(native_identity)
    }

    /// Returns the known accounts with this key: one, or hardly ever more.
    fn entries(&mut self, key: u64) -> &mut [Entry] {
        let part = &mut self.parts[part_of(key)];
        let first = place(part, key);
        let same = part[first..].iter().take_while(|entry| entry.key == key);
        let end = first + same.count();
        &mut part[first..end]
    }
}

fn part_of(key: u64) -> usize {
    (key >> (u64::BITS - PARTS_BITS)) as usize
}

/// Returns where a key is in a part, or would be. Keys are spread evenly, so it is
/// looked for from where it is likely to be.
fn place(part: &[Entry], key: u64) -> usize {
    let within = u128::from(key << PARTS_BITS);
    let mut place = ((within * part.len() as u128) >> u64::BITS) as usize;
    while place > 0 && part[place - 1].key >= key {
        place -= 1;
    }
    while place < part.len() && part[place].key < key {
        place += 1;
    }
    place
}

/// Whether an account was present before, belongs to an identity, and has been listed.
const PRESENT: u64 = 1;
const OWNED: u64 = 2;
const SEEN: u64 = 4;
const FLAGS: u64 = PRESENT | OWNED | SEEN;

/// What is kept of an account. Flags stand in the place of three bits of its
/// fingerprint.
#[derive(Clone, Debug)]
struct Entry {
    key: u64,
    high: u64,
    low_and_flags: u64,
}

impl Entry {
    fn new(key: u64, mark: &AccountMark) -> Self {
        let (high, low) = halves(mark.fingerprint);
        let mut entry = Self {
            key,
            high,
            low_and_flags: low & !FLAGS,
        };
        for (flag, is_set) in [(PRESENT, mark.present), (OWNED, mark.owned)] {
            if is_set {
                entry.set(flag);
            }
        }
        entry
    }

    fn matches(&self, fingerprint: Fingerprint) -> bool {
        let (high, low) = halves(fingerprint);
        self.high == high && self.low_and_flags & !FLAGS == low & !FLAGS
    }

    fn is(&self, flag: u64) -> bool {
        self.low_and_flags & flag != 0
    }

    fn set(&mut self, flag: u64) {
        self.low_and_flags |= flag;
    }
}

fn halves(Fingerprint(bytes): Fingerprint) -> (u64, u64) {
    let whole = u128::from_be_bytes(bytes);
    ((whole >> u64::BITS) as u64, whole as u64)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::RandomState;

    use super::{Entry, Known, Listing, PARTS_BITS, place};
    use crate::store::{AccountMark, Fingerprint};

    fn fingerprint(number: u64) -> Fingerprint {
        Fingerprint((u128::from(number) << 64 | u128::from(number) << 3).to_be_bytes())
    }

    fn known(marks: &[AccountMark]) -> Known {
        let mut known = Known {
            hasher: RandomState::new(),
            parts: vec![Vec::new(); 1 << PARTS_BITS],
            others: HashSet::new(),
            count: 0,
            present: 0,
        };
        marks.iter().for_each(|mark| known.add(mark));
        for part in &mut known.parts {
            part.sort_unstable_by_key(|entry| entry.key);
        }
        known
    }

    fn mark(number: u64, present: bool) -> AccountMark {
        AccountMark {
            native_identity: number.to_string(),
            fingerprint: fingerprint(number),
            present,
            owned: number.is_multiple_of(2),
        }
    }

    #[test]
    fn an_account_takes_24_bytes() {
        assert_eq!(size_of::<Entry>(), 24);
    }

    #[test]
    fn every_account_is_found_once() {
        let marks: Vec<AccountMark> = (0..20_000).map(|number| mark(number, true)).collect();
        let mut known = known(&marks);
        assert_eq!((known.count(), known.present()), (20_000, 20_000));
        for number in 0..20_000 {
            let text = number.to_string();
            assert!(known.is_left(&text) && !known.is_listed(&text));
            let expected = match number % 3 {
                0 => Listing::Changed,
                _ => Listing::Unchanged {
                    owned: number % 2 == 0,
                },
            };
            let told = fingerprint(number + u64::from(number % 3 == 0));
            assert_eq!(known.list(&text, told), expected);
            assert_eq!(known.list(&text, told), Listing::Repeated);
            assert!(!known.is_left(&text) && known.is_listed(&text));
        }
        assert!(!known.is_any_left(false));
        assert_eq!(known.list("new", fingerprint(1)), Listing::New);
        assert_eq!(known.list("new", fingerprint(1)), Listing::Repeated);
    }

    #[test]
    fn who_was_missing_has_changed_when_listed_again() {
        let mut known = known(&[mark(1, false), mark(2, true)]);
        assert_eq!((known.count(), known.present()), (2, 1));
        assert_eq!(
            known.list("2", fingerprint(2)),
            Listing::Unchanged { owned: true }
        );
        assert!(known.is_any_left(false) && !known.is_any_left(true));
        assert_eq!(known.list("1", fingerprint(1)), Listing::Changed);
    }

    #[test]
    fn a_broken_record_keeps_its_account() {
        let mut known = known(&[mark(1, true), mark(2, true)]);
        known.list_broken("1");
        known.list_broken("3");
        assert!(!known.list_if_left("1") && !known.list_if_left("3"));
        assert!(known.is_listed("1") && known.is_listed("3"));
        assert!(known.list_if_left("2"));
        assert!(!known.is_any_left(true));
        assert_eq!(known.list("1", fingerprint(1)), Listing::Repeated);
    }

    #[test]
    fn accounts_whose_keys_meet_are_told_apart_by_fingerprints() {
        let mut known = known(&[]);
        let part = &mut known.parts[0];
        part.extend([1, 2].map(|number| Entry::new(7, &mark(number, true))));
        assert_eq!(place(part, 7), 0);
        let entries = known.entries(7);
        assert_eq!(entries.len(), 2);
        assert!(entries[1].matches(fingerprint(2)) && !entries[0].matches(fingerprint(2)));
    }
}
