//! Asking applications for accounts again, one by one: before a refresh that is
//! to see them as they are now.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use idr_core::definitions::Model;
use idr_core::model::{Name, Uid, UnixMillis};
use idr_core::rule::RuleHost;

use super::error::AggregateError;
use super::read_back::ReadBack;
use crate::connect::{Capability, Connector, Connectors};
use crate::store::Store;
use crate::tenant::spoken;

/// Identities whose accounts are asked for at a time.
const CHUNK: usize = 1_000;

/// What came of asking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadAgain {
    /// Accounts that were read.
    pub read: u64,
    /// Accounts that their applications don't have any more.
    pub removed: u64,
    /// Accounts that could not be read; they stay as they are.
    pub unavailable: u64,
    /// Why, with how often.
    pub failures: BTreeMap<String, u64>,
}

/// Asks the applications that can be asked for the accounts that identities
/// have there, and takes over what they say. The store has adopted the
/// configuration that `model` is made from.
///
/// # Errors
///
/// [`AggregateError`] when the store can't be used; what was read before stays.
pub fn read_again(
    store: &dyn Store,
    model: &Arc<Model>,
    rules: &dyn RuleHost,
    connectors: &dyn Connectors,
    uids: &[Uid],
    as_of: UnixMillis,
) -> Result<ReadAgain, AggregateError> {
    let mut taking = ReadBack::new(store, model, rules, as_of);
    let mut outcome = ReadAgain::default();
    // An application that can't be reached is asked once.
    let mut open: HashMap<Name, Result<Box<dyn Connector>, String>> = HashMap::new();
    for chunk in uids.chunks(CHUNK) {
        for record in store.read_chunk(chunk)? {
            for account in &record.accounts {
                let name = account.key.application;
                let Some(application) = model.application(name) else {
                    continue;
                };
                if account.missing_since.is_some() || !connectors.can(name, Capability::Get) {
                    continue;
                }
                let connector = open.entry(name).or_insert_with(|| {
                    let opened = connectors.open(application);
                    opened.map_err(|error| spoken(&error))
                });
                let native_identity = &account.key.native_identity;
                let listed = match connector {
                    Ok(connector) => match connector.get(native_identity) {
                        Ok(Some(Err(broken))) => Err(broken.to_string()),
                        Ok(Some(Ok(listed))) => Ok(Some(listed)),
                        Ok(None) => Ok(None),
                        Err(error) => Err(spoken(&error)),
                    },
                    Err(message) => Err(message.clone()),
                };
                match listed {
                    Ok(listed) => {
                        match &listed {
                            Some(_) => outcome.read += 1,
                            None => outcome.removed += 1,
                        }
                        taking.take(application, &account.key, listed)?;
                    }
                    Err(message) => {
                        outcome.unavailable += 1;
                        *outcome.failures.entry(message).or_default() += 1;
                    }
                }
            }
        }
    }
    Ok(outcome)
}
