//! Correlation: whose an account is.
//!
//! The only step that concerns an account and an identity at once. Aggregation
//! asks when an account is new, and a refresh asks again for accounts without
//! an identity once a value that they look for has appeared.

use std::sync::Arc;

use super::{Interrupt, failure, store_failure};
use crate::definitions::{Application, CorrelationStep, Model, RuleIndex};
use crate::model::finding::CORRELATION;
use crate::model::{Account, Finding, Name, ReadKey, Severity, Uid};
use crate::rule::RuleEvaluator;
use crate::text::fold;
use crate::view::{Snapshot, SnapshotError, TrackedView};

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
    /// A rule can't say: the account stays as it is.
    Failed(Finding),
}

/// Finds the identity that an account belongs to: the application's steps
/// are tried in order, and the first that finds somebody decides. A rule that
/// can't say ends it: what it would have found isn't given to somebody else.
///
/// # Errors
///
/// [`SnapshotError`] when the store can't be read.
pub fn correlate(
    account: &Account,
    application: &Application,
    model: &Arc<Model>,
    snapshot: &dyn Snapshot,
    evaluator: &mut dyn RuleEvaluator,
) -> Result<Correlation, SnapshotError> {
    let mut lookups = Vec::new();
    for step in &application.correlation {
        let (attribute, texts) = match step {
            CorrelationStep::Match(matched) => {
                let Some(value) = account.attribute(matched.account_attribute) else {
                    continue;
                };
                let mut texts = Vec::new();
                value.each_text(|text| texts.push(fold(text)));
                (matched.identity_attribute, texts)
            }
            CorrelationStep::Rule(rule) => match ask(account, model, *rule, evaluator)? {
                Ok(None) => continue,
                Ok(Some((attribute, folded))) => (attribute, vec![folded]),
                Err(finding) => {
                    let outcome = Outcome::Failed(finding);
                    return Ok(Correlation { outcome, lookups });
                }
            },
        };
        let mut found = Vec::new();
        for folded in texts {
            found.extend(snapshot.find(attribute, &folded)?);
            lookups.push(ReadKey::Lookup(attribute, folded));
        }
        found.sort();
        found.dedup();
        let outcome = match found.as_slice() {
            [] => continue,
            [uid] => Outcome::Identity(*uid),
            _ => Outcome::Ambiguous(attribute, found),
        };
        return Ok(Correlation { outcome, lookups });
    }
    Ok(Correlation {
        outcome: Outcome::Nobody,
        lookups,
    })
}

/// Asks a rule whom to look for: the identity attribute and the folded value.
fn ask(
    account: &Account,
    model: &Arc<Model>,
    rule: RuleIndex,
    evaluator: &mut dyn RuleEvaluator,
) -> Result<Result<Option<(Name, String)>, Finding>, SnapshotError> {
    let mut view = TrackedView::of_account(Arc::clone(model), account.clone());
    view.read_as(Some(rule));
    let answer = evaluator.correlate_account(rule, &mut view);
    let error = match answer {
        Ok(None) => return Ok(Ok(None)),
        Ok(Some(lookup)) => match view.granted_lookup(rule, &lookup.attribute) {
            Ok(attribute) => return Ok(Ok(Some((attribute, fold(&lookup.value))))),
            Err(error) => error.into(),
        },
        Err(error) => error,
    };
    finding(account, error).map(Err).map_err(store_failure)
}

/// Returns the finding about a rule that was asked about an account.
pub(super) fn finding(
    account: &Account,
    error: crate::rule::RuleFailure,
) -> Result<Finding, Interrupt> {
    let subject = &account.key.native_identity;
    failure(CORRELATION, Severity::Error, subject, error).map(|failed| failed.finding)
}
