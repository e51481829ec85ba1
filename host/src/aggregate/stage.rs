//! Staging: comparing a file with what is known of the application's accounts,
//! by fingerprints, and writing down what would have to be done.
//!
//! An account that is listed as it was costs no write, and isn't even read.

use std::collections::{BTreeMap, HashMap, HashSet};

use idr_core::definitions::Application;
use idr_core::model::{Account, AccountKey, Finding, NativeOperation, UnixMillis};

use super::error::AggregateError;
use super::feed::{Feed, Record};
use super::findings::{LIMIT, cut_off, further_records, kept};
use super::guard::Damage;
use super::problem::{BrokenRecord, Problem};
use super::{EXAMPLES, Progress, counters};
use crate::store::{AccountMark, StagedChange, Store, account_fingerprint, account_key_hash};

/// With more broken records that could be anybody's than that, every account
/// that isn't listed is kept.
const UNKNOWN_LIMIT: usize = 200;

/// What is compared, and how.
#[derive(Clone, Copy)]
pub(super) struct Staging<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) application: &'a Application,
    /// The number of the aggregation whose stage is filled.
    pub(super) aggregation: i64,
    pub(super) as_of: UnixMillis,
    /// The file lists changes only: what it doesn't list stays.
    pub(super) delta: bool,
    pub(super) chunk: usize,
}

/// What staging came to.
pub(super) struct Staged<'a> {
    pub(super) counters: BTreeMap<String, u64>,
    /// About the feed.
    pub(super) findings: Vec<Finding>,
    pub(super) damage: Damage<'a>,
}

impl<'a> Staging<'a> {
    /// Reads the whole file and fills the stage: what is listed in its order,
    /// then what is missing in order of native identity.
    pub(super) fn read(
        self,
        reader: &mut dyn Feed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Staged<'a>, AggregateError> {
        let known = self.store.account_fingerprints(self.application.name)?;
        let present = known.values().filter(|mark| mark.present).count() as u64;
        let known_count = known.len() as u64;
        let mut comparison = Comparison {
            staging: self,
            seen: HashSet::with_capacity(known.len()),
            pending: Vec::with_capacity(self.chunk),
            damage: Damage::new(self.application, known_count, present),
            broken: Broken::default(),
            counters: BTreeMap::from([(counters::KNOWN.to_owned(), known_count)]),
            known,
        };
        while let Some(record) = reader.next()? {
            match record {
                Record::Account(line, account) => {
                    comparison.listed(reader.unit(), line, account)?;
                }
                Record::Broken(broken) => comparison.broken(broken),
            }
            let read = comparison.counters.entry(counters::READ.to_owned());
            let read = read.and_modify(|count| *count += 1).or_insert(1);
            if read.is_multiple_of(10_000) {
                let (done, of) = reader.progress();
                progress(Progress::Read(done, of));
            }
        }
        comparison.flush()?;
        let mut findings = Vec::new();
        if reader.cut_off() {
            findings.push(cut_off());
        } else if !self.delta {
            comparison.find_missing(&mut findings)?;
        }
        let Comparison {
            damage,
            broken,
            mut counters,
            ..
        } = comparison;
        counters::add(&mut counters, counters::BROKEN, broken.count);
        findings.extend(broken.findings);
        if broken.count > LIMIT as u64 {
            findings.push(further_records(broken.count - LIMIT as u64));
        }
        Ok(Staged {
            counters,
            findings,
            damage,
        })
    }
}

struct Comparison<'a> {
    staging: Staging<'a>,
    /// What is known of accounts that the file hasn't listed yet.
    known: HashMap<u64, AccountMark>,
    /// Key hashes of what the file has listed.
    seen: HashSet<u64>,
    /// Listed accounts to be staged, with what is known of them.
    pending: Vec<(Account, Option<AccountMark>)>,
    damage: Damage<'a>,
    broken: Broken,
    counters: BTreeMap<String, u64>,
}

impl Comparison<'_> {
    fn listed(
        &mut self,
        unit: &'static str,
        line: u64,
        account: Account,
    ) -> Result<(), AggregateError> {
        let hash = account_key_hash(&account.key.native_identity);
        if !self.seen.insert(hash) {
            self.broken.add(BrokenRecord {
                unit,
                line,
                native_identity: Some(account.key.native_identity),
                presumed: None,
                text: String::new(),
                problem: Problem::Repeated,
            });
            return Ok(());
        }
        let mark = self.known.remove(&hash);
        if let Some(mark) = mark
            && mark.present
            && mark.fingerprint == account_fingerprint(&account)
        {
            self.damage.unchanged(&account);
            counters::add(&mut self.counters, counters::UNCHANGED, 1);
            // Its identity may be created this time: the name has become free.
            if mark.owned || self.staging.application.creates.is_none() {
                return Ok(());
            }
        }
        self.pending.push((account, mark));
        if self.pending.len() >= self.staging.chunk {
            self.flush()?;
        }
        Ok(())
    }

    fn broken(&mut self, record: BrokenRecord) {
        let presumed = record.presumed.as_deref().map(account_key_hash);
        match (&record.native_identity, presumed) {
            (Some(native_identity), _) => {
                let hash = account_key_hash(native_identity);
                self.seen.insert(hash);
                self.known.remove(&hash);
            }
            (None, Some(hash)) if self.known.remove(&hash).is_some() => {
                self.seen.insert(hash);
            }
            (None, Some(hash)) if self.seen.contains(&hash) => {}
            (None, _) => self.broken.unknown(&record.text),
        }
        self.broken.add(record);
    }

    /// Stages what is pending.
    fn flush(&mut self) -> Result<(), AggregateError> {
        let pending = std::mem::take(&mut self.pending);
        let with_mark = pending.iter().filter(|(_, mark)| mark.is_some());
        let keys: Vec<AccountKey> = with_mark.map(|(account, _)| account.key.clone()).collect();
        let stored = self.staging.store.accounts(&keys)?.into_iter();
        let stored: HashMap<AccountKey, Account> = stored
            .map(|account| (account.key.clone(), account))
            .collect();
        let mut changes = Vec::with_capacity(pending.len());
        for (account, mark) in pending {
            let counter = match (stored.get(&account.key), mark) {
                (Some(before), Some(mark)) if mark.present => {
                    if mark.fingerprint == account_fingerprint(&account) {
                        changes.push(StagedChange::Listed(account));
                        continue;
                    }
                    self.damage.changed(before, &account);
                    counters::MODIFIED
                }
                (Some(_), _) => counters::RETURNED,
                (None, _) => {
                    self.damage.appeared(&account);
                    counters::CREATED
                }
            };
            counters::add(&mut self.counters, counter, 1);
            changes.push(StagedChange::Listed(account));
        }
        if !changes.is_empty() {
            self.staging
                .store
                .stage(self.staging.aggregation, &changes)?;
        }
        Ok(())
    }

    /// Stages the accounts that a full file doesn't list, apart from those
    /// that could be among its broken records.
    fn find_missing(&mut self, findings: &mut Vec<Finding>) -> Result<(), AggregateError> {
        let Staging {
            store,
            application,
            aggregation,
            as_of,
            chunk,
            ..
        } = self.staging;
        // Whether a deletion is noted only when the grace is over.
        let late_deletions = application.vanish_grace_ms > 0
            && application
                .native_changes
                .as_ref()
                .is_some_and(|detection| detection.operations.contains(&NativeOperation::Delete));
        if !self
            .known
            .values()
            .any(|mark| mark.present || late_deletions)
        {
            return Ok(());
        }
        let (mut kept_count, mut kept_examples) = (0, Vec::new());
        let mut after: Option<AccountKey> = None;
        loop {
            let accounts = store.list_accounts(Some(application.name), after.as_ref(), chunk)?;
            let Some(last) = accounts.last() else { break };
            after = Some(last.key.clone());
            let mut changes = Vec::new();
            for account in accounts {
                let hash = account_key_hash(&account.key.native_identity);
                if !self.known.contains_key(&hash) {
                    continue;
                }
                match account.missing_since {
                    Some(since) => {
                        if late_deletions && since.plus_ms(application.vanish_grace_ms) <= as_of {
                            changes.push(StagedChange::Missing(account.key));
                        }
                    }
                    None if self.broken.could_be(&account) => {
                        kept_count += 1;
                        if kept_examples.len() < EXAMPLES {
                            kept_examples.push(format!("`{}`", account.key.native_identity));
                        }
                    }
                    None => {
                        self.damage.vanished(&account);
                        counters::add(&mut self.counters, counters::VANISHED, 1);
                        changes.push(StagedChange::Missing(account.key));
                    }
                }
            }
            if !changes.is_empty() {
                store.stage(aggregation, &changes)?;
            }
        }
        if kept_count > 0 {
            counters::add(&mut self.counters, counters::KEPT, kept_count);
            findings.push(kept(kept_count, &kept_examples));
        }
        Ok(())
    }
}

/// The broken records of a file.
#[derive(Default)]
struct Broken {
    count: u64,
    findings: Vec<Finding>,
    /// The texts of those that could be anybody's.
    unknown: Vec<String>,
    too_many: bool,
}

impl Broken {
    fn add(&mut self, record: BrokenRecord) {
        self.count += 1;
        if self.findings.len() < LIMIT {
            self.findings.push(record.finding());
        }
    }

    fn unknown(&mut self, text: &str) {
        if self.unknown.len() < UNKNOWN_LIMIT {
            self.unknown.push(text.to_owned());
        } else {
            self.too_many = true;
        }
    }

    /// Says whether one of the records could be the account's: it contains its
    /// native identity, or at least half of its values.
    fn could_be(&self, account: &Account) -> bool {
        self.too_many || self.unknown.iter().any(|text| speaks_of(text, account))
    }
}

fn speaks_of(text: &str, account: &Account) -> bool {
    if contains_word(text, &account.key.native_identity) {
        return true;
    }
    let mut found = 0;
    for (_, value) in &account.attributes {
        let mut all = true;
        value.each_text(|part| all &= text.contains(part));
        found += usize::from(all);
    }
    2 * found >= account.attributes.len()
}

/// Says whether a text contains a word that doesn't go on before or behind.
fn contains_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let behind = text[start + word.len()..].chars().next();
        ![before, behind]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use idr_core::model::{Account, AccountKey, AccountStatus, Link, Name, Value};

    use super::{contains_word, speaks_of};

    #[test]
    fn a_word_ends_where_letters_and_digits_end() {
        assert!(contains_word("x,E17,y", "E17"));
        assert!(contains_word("\"E17\"", "E17"));
        assert!(!contains_word("x,E171,y", "E17"));
        assert!(!contains_word("12", "1"));
    }

    #[test]
    fn a_broken_record_speaks_of_whoever_shares_its_key_or_half_its_values() {
        let text = |text: &str| Value::Text(text.to_owned());
        let account = Account {
            key: AccountKey {
                application: Name::new("hr"),
                native_identity: "E17".to_owned(),
            },
            status: AccountStatus::Enabled,
            missing_since: None,
            attributes: vec![
                (Name::new("department"), text("Sales")),
                (Name::new("email"), text("ana@acme.example")),
            ],
            native_entitlements: Vec::new(),
            link: Link::default(),
            owner: None,
        };
        assert!(speaks_of("E17,\"Ana", &account));
        assert!(speaks_of(",Ana,ana@acme.example,IT", &account));
        assert!(!speaks_of("E18,Bela,bela@acme.example,IT", &account));
    }
}
