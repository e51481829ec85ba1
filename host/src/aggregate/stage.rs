//! Staging: comparing a feed with what is known of the application's accounts,
//! by fingerprints, and writing down what would have to be done.
//!
//! The feed is read by a thread of its own, page by page, while what is known is read
//! from the store, and after that beside the comparison. An account that is listed as
//! it was costs no write, and isn't even made.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use idr_core::definitions::Application;
use idr_core::model::{Account, AccountKey, Finding, NativeOperation, UnixMillis};
use rayon::prelude::*;

use super::broken::Broken;
use super::error::AggregateError;
use super::feed::{Content, Feed, Page, Record};
use super::findings::{cut_off, kept};
use super::guard::Damage;
use super::known::{Known, Listing};
use super::problem::{BrokenRecord, Problem};
use super::{EXAMPLES, Progress, counters};
use crate::store::{StagedChange, Store};

/// So many pages are read ahead of the comparison.
const AHEAD: usize = 8;

/// Accounts are made of their texts by one thread so many at a time.
const TOGETHER: usize = 128;

/// Accounts that take so much memory are staged together, however few they are: about
/// 8,000 with 25 values each.
const PENDING_BYTES: usize = 24_000_000;

/// So many marks are read at a time when looking for what is missing.
const MARKS: usize = 10_000;

/// What is compared, and how.
#[derive(Clone, Copy)]
pub(super) struct Staging<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) application: &'a Application,
    /// The number of the aggregation whose stage is filled.
    pub(super) aggregation: i64,
    pub(super) as_of: UnixMillis,
    /// The feed lists changes only: what it doesn't list stays.
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
    /// Reads the whole feed and fills the stage: what is listed in its order,
    /// then what is missing in order of native identity.
    pub(super) fn read(
        self,
        feed: &mut dyn Feed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Staged<'a>, AggregateError> {
        let unit = feed.unit();
        let mut comparison = std::thread::scope(|scope| {
            let (sender, pages) = sync_channel(AHEAD);
            scope.spawn(|| read_pages(feed, sender));
            self.compare(unit, pages, progress)
        })?;
        let mut findings = Vec::new();
        if feed.cut_off() {
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
        counters::add(&mut counters, counters::BROKEN, broken.count());
        findings.extend(broken.into_findings());
        Ok(Staged {
            counters,
            findings,
            damage,
        })
    }

    fn compare(
        self,
        unit: &'static str,
        pages: Receiver<Result<Page, AggregateError>>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Comparison<'a>, AggregateError> {
        let known = Known::read(self.store, self.application.name)?;
        let count = known.count();
        let mut comparison = Comparison {
            staging: self,
            unit,
            pending: Vec::new(),
            pending_bytes: 0,
            ready: Vec::new(),
            damage: Damage::new(self.application, count, known.present()),
            broken: Broken::default(),
            counters: BTreeMap::from([(counters::KNOWN.to_owned(), count)]),
            known,
        };
        for page in pages {
            let page = page?;
            let (done, of) = page.progress;
            comparison.page(page)?;
            progress(Progress::Read(done, of));
        }
        comparison.flush()?;
        self.write(&comparison.ready)?;
        Ok(comparison)
    }

    fn write(&self, changes: &[StagedChange]) -> Result<(), AggregateError> {
        if !changes.is_empty() {
            self.store.stage(self.aggregation, changes)?;
        }
        Ok(())
    }
}

/// Reads a feed to its end, unless nobody wants to know any more.
fn read_pages(feed: &mut dyn Feed, pages: SyncSender<Result<Page, AggregateError>>) {
    while let Some(page) = feed.next().transpose() {
        let is_last = page.is_err();
        if pages.send(page).is_err() || is_last {
            break;
        }
    }
}

struct Comparison<'a> {
    staging: Staging<'a>,
    /// What records are counted in.
    unit: &'static str,
    /// What is known of accounts, and which of them were listed.
    known: Known,
    /// Listed accounts to be staged, with what listing them means.
    pending: Vec<(Account, Listing)>,
    /// How much memory they take, about.
    pending_bytes: usize,
    /// What is to be written to the stage while the next are looked at.
    ready: Vec<StagedChange>,
    damage: Damage<'a>,
    broken: Broken,
    counters: BTreeMap<String, u64>,
}

impl Comparison<'_> {
    /// Compares a page.
    fn page(&mut self, page: Page) -> Result<(), AggregateError> {
        self.damage.listed(&page.having);
        let read = page.records.len() as u64;
        counters::add(&mut self.counters, counters::READ, read);
        let mut unchanged = 0;
        let mut differing = Vec::new();
        for record in page.records {
            let listed = match record {
                Record::Listed(listed) => listed,
                Record::Broken(broken) => {
                    self.broken(broken);
                    continue;
                }
            };
            let native_identity = &page.text[listed.native_identity];
            let listing = self.known.list(native_identity, listed.fingerprint);
            if let Listing::Unchanged { owned } = listing {
                unchanged += 1;
                // Its identity may be created this time: the name has become free.
                if owned || self.staging.application.creates.is_none() {
                    continue;
                }
            }
            if listing == Listing::Repeated {
                self.broken.add(BrokenRecord {
                    unit: self.unit,
                    line: listed.line,
                    native_identity: Some(native_identity.to_owned()),
                    presumed: None,
                    text: String::new(),
                    problem: Problem::Repeated,
                });
            }
            differing.push((listed.content, listing));
        }
        if unchanged > 0 {
            counters::add(&mut self.counters, counters::UNCHANGED, unchanged);
        }
        let account = |(content, listing)| {
            let account = match content {
                Content::Account(account) => account,
                Content::Text(text) => {
                    let columns = page.columns.as_ref();
                    let columns = columns.expect("a page with texts has columns");
                    columns.account(&page.text[text])
                }
            };
            (account, listing)
        };
        let differing = differing.into_par_iter().with_min_len(TOGETHER);
        let accounts: Vec<(Account, Listing)> = differing.map(account).collect();
        for (account, listing) in accounts {
            if !matches!(listing, Listing::Unchanged { .. }) {
                self.damage.not_as_it_was(&account);
            }
            if listing == Listing::Repeated {
                continue;
            }
            self.pending_bytes += account.bytes();
            self.pending.push((account, listing));
            let is_full = self.pending.len() >= self.staging.chunk;
            if is_full || self.pending_bytes >= PENDING_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn broken(&mut self, record: BrokenRecord) {
        match (&record.native_identity, &record.presumed) {
            (Some(native_identity), _) => self.known.list_broken(native_identity),
            (None, Some(presumed))
                if self.known.list_if_left(presumed) || self.known.is_listed(presumed) => {}
            (None, _) => self.broken.unknown(&record.text),
        }
        self.broken.add(record);
    }

    /// Makes ready what is pending, while what was ready is staged.
    fn flush(&mut self) -> Result<(), AggregateError> {
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        let ready = std::mem::take(&mut self.ready);
        let staging = self.staging;
        let (written, changes) = rayon::join(|| staging.write(&ready), || self.changes(pending));
        written?;
        self.ready = changes?;
        Ok(())
    }

    /// Counts what listed accounts come to beside what is stored.
    fn changes(
        &mut self,
        pending: Vec<(Account, Listing)>,
    ) -> Result<Vec<StagedChange>, AggregateError> {
        let known = pending
            .iter()
            .filter(|(_, listing)| *listing != Listing::New);
        let keys: Vec<AccountKey> = known.map(|(account, _)| account.key.clone()).collect();
        // In the order in which it was asked for.
        let mut stored = self.staging.store.accounts(&keys)?.into_iter().peekable();
        let mut changes = Vec::with_capacity(pending.len());
        for (account, listing) in pending {
            let before = stored.next_if(|known| known.key == account.key);
            let counter = match &before {
                Some(_) if matches!(listing, Listing::Unchanged { .. }) => None,
                Some(before) if before.missing_since.is_none() => {
                    self.damage.changed(before, &account);
                    Some(counters::MODIFIED)
                }
                Some(_) => Some(counters::RETURNED),
                None => {
                    self.damage.appeared(&account);
                    Some(counters::CREATED)
                }
            };
            if let Some(counter) = counter {
                counters::add(&mut self.counters, counter, 1);
            }
            changes.push(StagedChange::Listed(account));
        }
        Ok(changes)
    }

    /// Stages the accounts that a full feed doesn't list, apart from those
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
        if !self.known.is_any_left(!late_deletions) {
            return Ok(());
        }
        let (mut kept_count, mut kept_examples) = (0, Vec::new());
        let mut after: Option<String> = None;
        loop {
            let mut marks = store.account_marks(application.name, after.as_deref(), MARKS)?;
            let last = marks.last().map(|last| last.native_identity.clone());
            if last.is_none() {
                break;
            }
            after = last;
            marks.retain(|mark| {
                (mark.present || late_deletions) && self.known.is_left(&mark.native_identity)
            });
            let keys: Vec<AccountKey> = marks
                .into_iter()
                .map(|mark| AccountKey {
                    application: application.name,
                    native_identity: mark.native_identity,
                })
                .collect();
            for keys in keys.chunks(chunk) {
                let mut changes = Vec::new();
                for account in store.accounts(keys)? {
                    match account.missing_since {
                        Some(since) => {
                            if since.plus_ms(application.vanish_grace_ms) <= as_of {
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
        }
        if kept_count > 0 {
            counters::add(&mut self.counters, counters::KEPT, kept_count);
            findings.push(kept(kept_count, &kept_examples));
        }
        Ok(())
    }
}
