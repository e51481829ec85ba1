//! The guard: how much damage a feed would do, counted before any of it is
//! applied. A file that lost half of its lines, a column that came out blank,
//! or keys that slipped by a row must wait for a person.

use std::collections::{BTreeMap, HashMap};

use idr_core::definitions::{Application, Threshold};
use idr_core::model::{Account, AccountKey, Name, Value};
use xxhash_rust::xxh3::Xxh3;

use super::connector::Guard;
use super::error::AggregateError;
use super::feed::count_having;
use super::{CHUNK, EXAMPLES};
use crate::store::Store;

/// So many accounts on either side are compared when looking for those that
/// got another native identity. More only means that the count is too low, far
/// above any sensible limit.
const COMPARED_LIMIT: usize = 50_000;

/// A value that more stored accounts have says nothing about who it is.
const DISTINCTIVE_LIMIT: u32 = 2;

/// What a feed would do to an application's accounts.
pub(super) struct Damage<'a> {
    application: &'a Application,
    /// Accounts that are present before.
    present: u64,
    /// Whether the application has no accounts at all yet.
    first_load: bool,
    vanished: Count,
    new: Count,
    /// For each attribute of the schema: how many accounts had a value.
    had: Vec<u64>,
    /// For each attribute of the schema: how many have none any more.
    emptied: Vec<Count>,
    /// What is no longer there: vanished and overwritten accounts as they were.
    gone: Vec<Content>,
    /// What wasn't there before: new and overwritten accounts as they are.
    come: Vec<Content>,
}

/// A number of accounts, with the first few of them.
#[derive(Clone, Debug, Default)]
struct Count {
    number: u64,
    examples: Vec<String>,
}

impl Count {
    fn add(&mut self, example: impl FnOnce() -> String) {
        self.number += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }

    fn examples(&self) -> String {
        let more = if self.number > self.examples.len() as u64 {
            ", …"
        } else {
            ""
        };
        format!("{}{more}", self.examples.join(", "))
    }
}

impl<'a> Damage<'a> {
    /// Returns a count of nothing, for an application that has `known`
    /// accounts, of which `present` are present.
    pub(super) fn new(application: &'a Application, known: u64, present: u64) -> Self {
        let attributes = application.schema.len();
        Self {
            application,
            present,
            first_load: known == 0,
            vanished: Count::default(),
            new: Count::default(),
            had: vec![0; attributes],
            emptied: vec![Count::default(); attributes],
            gone: Vec::new(),
            come: Vec::new(),
        }
    }

    /// Counts accounts that are listed, by how many have a value of each attribute of
    /// the schema: as if all of them were listed as they were.
    pub(super) fn listed(&mut self, having: &[u64]) {
        for (had, having) in self.had.iter_mut().zip(having) {
            *had += having;
        }
    }

    /// Takes one of them back, which isn't listed as it was.
    pub(super) fn not_as_it_was(&mut self, account: &Account) {
        let mut having = vec![0; self.had.len()];
        count_having(&mut having, self.application, account);
        for (had, having) in self.had.iter_mut().zip(having) {
            *had -= having;
        }
    }

    /// Counts an account that is listed with another content.
    pub(super) fn changed(&mut self, before: &Account, after: &Account) {
        for (index, known) in self.application.schema.iter().enumerate() {
            if before.attribute(known.name).is_some() {
                self.had[index] += 1;
                if after.attribute(known.name).is_none() {
                    self.emptied[index].add(|| shown(&before.key));
                }
            }
        }
        if !agree(before, after) {
            push(&mut self.gone, || Content::of(before));
            push(&mut self.come, || Content::of(after));
        }
    }

    /// Counts an account that was never seen before.
    pub(super) fn appeared(&mut self, account: &Account) {
        self.new.add(|| shown(&account.key));
        if !self.first_load {
            push(&mut self.come, || Content::of(account));
        }
    }

    /// Counts an account that isn't listed any more.
    pub(super) fn vanished(&mut self, account: &Account) {
        self.vanished.add(|| shown(&account.key));
        push(&mut self.gone, || Content::of(account));
    }

    /// Returns why a person must be asked, one reason a line; nothing when
    /// the damage is within the limits.
    ///
    /// # Errors
    ///
    /// [`AggregateError::Store`] when the stored accounts can't be read, which
    /// is only done when many seem to be re-keyed.
    pub(super) fn reasons(
        &self,
        guard: &Guard,
        store: &dyn Store,
    ) -> Result<Vec<String>, AggregateError> {
        let present = self.present;
        let mut reasons = Vec::new();
        if let Some(allowed) = exceeded(guard.vanished, self.vanished.number, present) {
            let (number, examples) = (self.vanished.number, self.vanished.examples());
            reasons.push(format!(
                "{number} of {present} accounts aren't listed any more, {allowed} may: {examples}"
            ));
        }
        if !self.first_load
            && let Some(allowed) = exceeded(guard.new, self.new.number, present)
        {
            let (number, examples) = (self.new.number, self.new.examples());
            reasons.push(format!(
                "{number} accounts are new beside {present}, {allowed} may: {examples}"
            ));
        }
        for (index, emptied) in self.emptied.iter().enumerate() {
            let had = self.had[index];
            if let Some(allowed) = exceeded(guard.emptied, emptied.number, had) {
                let attribute = self.application.schema[index].name;
                let (number, examples) = (emptied.number, emptied.examples());
                reasons.push(format!(
                    "`{attribute}` is blank now in {number} of {had} accounts that had it, {allowed} may: {examples}"
                ));
            }
        }
        if let Some(limit) = guard.rekeyed {
            let allowed = limit.allowed(present);
            let rekeyed = self.rekeyed(allowed, store)?;
            if rekeyed.number > allowed {
                let (number, examples) = (rekeyed.number, rekeyed.examples());
                reasons.push(format!(
                    "{number} of {present} accounts seem to have got another native identity, {allowed} may: {examples}"
                ));
            }
        }
        Ok(reasons)
    }

    /// Counts accounts whose content was under another native identity before.
    ///
    /// Two contents are one account's when they agree in more than half of
    /// their values, and one of these is hardly anybody else's. How many
    /// others have a value is only counted when that could matter.
    fn rekeyed(&self, allowed: u64, store: &dyn Store) -> Result<Count, AggregateError> {
        let pairs = self.pairs();
        if pairs.len() as u64 <= allowed {
            return Ok(Count::default());
        }
        let mut holders: HashMap<u64, u32> = HashMap::new();
        for (old, new) in &pairs {
            holders.extend(old.shared(new).map(|value| (value, 0)));
        }
        let mut after: Option<AccountKey> = None;
        loop {
            let name = Some(self.application.name);
            let accounts = store.list_accounts(name, after.as_ref(), CHUNK)?;
            let Some(last) = accounts.last() else { break };
            after = Some(last.key.clone());
            for value in accounts.iter().flat_map(|known| Content::of(known).values) {
                if let Some(number) = holders.get_mut(&value) {
                    *number += 1;
                }
            }
        }
        let distinctive = |value: u64| {
            holders
                .get(&value)
                .is_some_and(|number| *number <= DISTINCTIVE_LIMIT)
        };
        // One account's content can match several; count each key once.
        let mut found: BTreeMap<&str, &str> = BTreeMap::new();
        for (old, new) in pairs {
            if old.shared(new).any(distinctive) {
                found.entry(&new.key).or_insert(&old.key);
            }
        }
        let mut count = Count::default();
        for (new, old) in found {
            count.add(|| format!("{new} looks like {old}"));
        }
        Ok(count)
    }

    /// Returns what has gone and what has come that agree, under different keys.
    fn pairs(&self) -> Vec<(&Content, &Content)> {
        let mut by_value: HashMap<u64, Vec<&Content>> = HashMap::new();
        for old in &self.gone {
            for value in &old.values {
                by_value.entry(*value).or_default().push(old);
            }
        }
        let mut pairs = Vec::new();
        for new in &self.come {
            let mut candidates: Vec<&Content> = new
                .values
                .iter()
                .filter_map(|value| by_value.get(value))
                .filter(|holders| holders.len() <= DISTINCTIVE_LIMIT as usize)
                .flatten()
                .copied()
                .collect();
            candidates.sort_by(|left, right| left.key.cmp(&right.key));
            candidates.dedup_by(|left, right| left.key == right.key);
            let matching = candidates
                .into_iter()
                .find(|old| old.key != new.key && old.agrees(new));
            pairs.extend(matching.map(|old| (old, new)));
        }
        pairs
    }
}

fn push(contents: &mut Vec<Content>, content: impl FnOnce() -> Content) {
    if contents.len() < COMPARED_LIMIT {
        contents.push(content());
    }
}

/// Returns the values of an account that don't say its native identity.
fn others(account: &Account) -> impl Iterator<Item = &(Name, Value)> {
    account.attributes.iter().filter(|(_, value)| {
        let mut is_key = false;
        value.each_text(|text| is_key |= text == account.key.native_identity);
        !is_key
    })
}

/// Says what [`Content::agrees`] does, of an account before and after.
fn agree(before: &Account, after: &Account) -> bool {
    let shared = others(before).filter(|(name, value)| after.attribute(*name) == Some(value));
    let most = others(before).count().max(others(after).count());
    2 * shared.count() > most
}

fn shown(key: &AccountKey) -> String {
    format!("`{}`", key.native_identity)
}

/// Returns the limit when there are more than it allows.
fn exceeded(limit: Option<Threshold>, number: u64, population: u64) -> Option<u64> {
    let allowed = limit?.allowed(population);
    (number > allowed).then_some(allowed)
}

/// The values of an account, apart from its native identity.
#[derive(Clone, Debug)]
struct Content {
    /// The native identity, as it is shown.
    key: String,
    /// Hashes of attribute and value, sorted.
    values: Vec<u64>,
}

impl Content {
    fn of(account: &Account) -> Self {
        let hashes = others(account).map(|(name, value)| hash(*name, value));
        let mut values: Vec<u64> = hashes.collect();
        values.sort_unstable();
        Self {
            key: shown(&account.key),
            values,
        }
    }

    fn shared<'c>(&'c self, other: &'c Self) -> impl Iterator<Item = u64> + 'c {
        let has = |value: &u64| other.values.binary_search(value).is_ok();
        self.values.iter().copied().filter(move |value| has(value))
    }

    /// Says whether both agree in more than half of their values.
    fn agrees(&self, other: &Self) -> bool {
        2 * self.shared(other).count() > self.values.len().max(other.values.len())
    }
}

fn hash(name: Name, value: &Value) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.update(name.as_bytes());
    value.each_text(|text| {
        hasher.update(&[0]);
        hasher.update(text.as_bytes());
    });
    hasher.digest()
}
