//! Correlation: whose an account is.
//!
//! The only step that concerns an account and an identity at once. Aggregation
//! asks when an account is new, and a refresh asks again for accounts without
//! an identity once a value that they look for has appeared.

use crate::definitions::Application;
use crate::model::{Account, Name, ReadKey, Uid};
use crate::text::fold;
use crate::view::{Snapshot, SnapshotError};

/// What correlation says of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correlation {
    /// Whose it is.
    pub outcome: Outcome,
    /// The look-ups made, in order; those that found nobody are tried again
    /// when the value appears.
    pub lookups: Vec<ReadKey>,
}

/// Whose an account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This identity's.
    Identity(Uid),
    /// One of several identities', by this identity attribute.
    Ambiguous(Name, Vec<Uid>),
    /// Nobody's that is known.
    Nobody,
}

/// Finds the identity that an account belongs to: the application's matches
/// are tried in order, and the first that finds somebody decides.
///
/// # Errors
///
/// [`SnapshotError`] when the store can't be read.
pub fn correlate(
    account: &Account,
    application: &Application,
    snapshot: &dyn Snapshot,
) -> Result<Correlation, SnapshotError> {
    let mut lookups = Vec::new();
    for rule in &application.correlation {
        let Some(value) = account.attribute(rule.account_attribute) else {
            continue;
        };
        let mut found = Vec::new();
        let mut texts = Vec::new();
        value.each_text(|text| texts.push(fold(text)));
        for folded in texts {
            found.extend(snapshot.find(rule.identity_attribute, &folded)?);
            lookups.push(ReadKey::Lookup(rule.identity_attribute, folded));
        }
        found.sort();
        found.dedup();
        let outcome = match found.as_slice() {
            [] => continue,
            [uid] => Outcome::Identity(*uid),
            _ => Outcome::Ambiguous(rule.identity_attribute, found),
        };
        return Ok(Correlation { outcome, lookups });
    }
    Ok(Correlation {
        outcome: Outcome::Nobody,
        lookups,
    })
}
