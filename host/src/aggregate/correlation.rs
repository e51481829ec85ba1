//! Whose an account is, within one chunk of an aggregation: what the store
//! says, what the chunk is about to create, and who comes first of several.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use idr_core::definitions::{Application, Model};
use idr_core::model::{Account, Claim, Finding, Holder, Name, ReadKey, Uid, Value};
use idr_core::phases::correlation::{Outcome, correlate};
use idr_core::rule::RuleEvaluator;
use idr_core::text::fold;
use idr_core::view::{Snapshot, SnapshotError};

use super::error::AggregateError;
use crate::store::Store;

/// Whose an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// This identity's.
    Identity(Uid),
    /// That of the identity at this place among those that the chunk creates.
    Created(usize),
    /// One of several identities', by this identity attribute.
    Ambiguous(Name, Vec<Uid>),
    /// Nobody's that is known.
    Nobody,
    /// That can't be told: the account stays as it is.
    Unknown(Finding),
}

/// Finds owners, and keeps what the chunk creates until the store has it: so
/// results don't depend on where a chunk ends.
pub(super) struct Correlator<'a> {
    store: &'a dyn Store,
    model: &'a Arc<Model>,
    people: PeopleToCome,
    /// Owners of accounts that the chunk has found present.
    present: HashSet<Uid>,
}

impl<'a> Correlator<'a> {
    /// Returns one that sees the store as it is now.
    pub(super) fn new(store: &'a dyn Store, model: &'a Arc<Model>) -> Result<Self, AggregateError> {
        let people = PeopleToCome {
            snapshot: store.snapshot()?,
            names: Vec::new(),
            by_folded_name: BTreeMap::new(),
        };
        Ok(Self {
            store,
            model,
            people,
            present: HashSet::new(),
        })
    }

    /// Returns whose an account is, and the values by which that was looked for.
    pub(super) fn owner(
        &self,
        account: &Account,
        application: &Application,
        rules: &mut dyn RuleEvaluator,
    ) -> Result<(Owner, Vec<ReadKey>), AggregateError> {
        let correlation = correlate(account, application, self.model, &self.people, rules)?;
        let owner = match correlation.outcome {
            Outcome::Identity(uid) => self.people.owner(uid),
            Outcome::Ambiguous(attribute, uids) => match self.present_ones(&uids)?.as_slice() {
                [uid] => self.people.owner(*uid),
                _ => Owner::Ambiguous(attribute, uids),
            },
            Outcome::Nobody => Owner::Nobody,
            Outcome::Failed(finding) => Owner::Unknown(finding),
        };
        Ok((owner, correlation.lookups))
    }

    /// Says whether an identity has this name, or is about to.
    pub(super) fn is_taken(&self, name: &str) -> Result<bool, AggregateError> {
        Ok(self.people.is_to_come(name) || self.store.named(name)?.is_some())
    }

    /// Notes that the chunk creates an identity; returns its place.
    pub(super) fn create(&mut self, name: &str) -> usize {
        self.people.create(name)
    }

    /// Notes that the chunk leaves an account of this identity present.
    pub(super) fn note_present(&mut self, owner: Uid) {
        self.present.insert(owner);
    }

    /// Returns those who still have an account in an authoritative application:
    /// somebody who is there comes before somebody who has gone and whose
    /// address was given away.
    fn present_ones(&self, uids: &[Uid]) -> Result<Vec<Uid>, AggregateError> {
        let stored: Vec<Uid> = uids
            .iter()
            .copied()
            .filter(|uid| !is_to_come(*uid))
            .collect();
        let mut present: Vec<Uid> = uids
            .iter()
            .copied()
            .filter(|uid| is_to_come(*uid))
            .collect();
        for record in self.store.read_chunk(&stored)? {
            let uid = record.identity.uid;
            let vouched_for = record.accounts.iter().any(|account| {
                account.missing_since.is_none() && self.is_authoritative(account.key.application)
            });
            if vouched_for || self.present.contains(&uid) {
                present.push(uid);
            }
        }
        Ok(present)
    }

    /// Says whether an application creates identities.
    pub(super) fn is_authoritative(&self, application: Name) -> bool {
        let application = self.model.application(application);
        application.is_some_and(|application| application.creates.is_some())
    }
}

/// The store's identities and those that the chunk creates. The latter have a
/// name and nothing else, and stand under negative numbers for the time being.
struct PeopleToCome {
    snapshot: Arc<dyn Snapshot>,
    names: Vec<String>,
    by_folded_name: BTreeMap<String, Vec<usize>>,
}

fn is_to_come(uid: Uid) -> bool {
    uid.0 < 0
}

impl PeopleToCome {
    fn create(&mut self, name: &str) -> usize {
        let place = self.names.len();
        self.names.push(name.to_owned());
        let namesakes = self.by_folded_name.entry(fold(name)).or_default();
        namesakes.push(place);
        place
    }

    fn is_to_come(&self, name: &str) -> bool {
        let namesakes = self.by_folded_name.get(&fold(name)).into_iter().flatten();
        namesakes.copied().any(|place| self.names[place] == name)
    }

    fn owner(&self, uid: Uid) -> Owner {
        match self.place(uid) {
            Some(place) => Owner::Created(place),
            None => Owner::Identity(uid),
        }
    }

    fn place(&self, uid: Uid) -> Option<usize> {
        let place = usize::try_from(-1 - uid.0).ok()?;
        (place < self.names.len()).then_some(place)
    }
}

impl Snapshot for PeopleToCome {
    fn attribute_of(&self, uid: Uid, attribute: Name) -> Result<Option<Value>, SnapshotError> {
        match self.place(uid) {
            Some(place) if attribute.as_str() == "name" => {
                Ok(Some(Value::text(&self.names[place])))
            }
            Some(_) => Ok(None),
            None => self.snapshot.attribute_of(uid, attribute),
        }
    }

    fn find(&self, attribute: Name, folded: &str) -> Result<Vec<Uid>, SnapshotError> {
        let mut found = self.snapshot.find(attribute, folded)?;
        if attribute.as_str() == "name" {
            let places = self.by_folded_name.get(folded).into_iter().flatten();
            found.extend(places.map(|place| Uid(-1 - *place as i64)));
        }
        Ok(found)
    }

    fn holder(&self, claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        self.snapshot.holder(claim)
    }
}
