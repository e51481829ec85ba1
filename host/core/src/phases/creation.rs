//! Identity creation: which identity an account gives rise to that is nobody's.
//!
//! Aggregation asks for accounts of authoritative applications and carries out
//! what is answered, once it has made sure that nobody has the name.

use std::sync::Arc;

use super::{correlation, store_failure};
use crate::definitions::{IdentityCreation, Model};
use crate::model::finding::CORRELATION;
use crate::model::{Account, Finding, IdentityType, Name, Severity};
use crate::rule::{Creation as Proposal, RuleEvaluator};
use crate::text::nearest;
use crate::view::{SnapshotError, TrackedView};

/// What becomes of an account that is nobody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    /// It gets an identity of this name and kind.
    Identity(String, IdentityType),
    /// It gets none, because the rule says so; and why.
    Skipped(String),
    /// It gets none, because that can't be told.
    Failed(Finding),
}

/// Says which identity an account gives rise to: what the rule proposes, and
/// for the rest what the configuration says.
///
/// # Errors
///
/// [`SnapshotError`] when the store can't be read.
pub fn create(
    account: &Account,
    creation: &IdentityCreation,
    model: &Arc<Model>,
    evaluator: &mut dyn RuleEvaluator,
) -> Result<Creation, SnapshotError> {
    let (mut proposed_name, mut proposed_type) = (None, None);
    if let Some(rule) = creation.rule {
        let mut view = TrackedView::of_account(Arc::clone(model), account.clone());
        view.read_as(Some(rule));
        match evaluator.create_identity(rule, &mut view) {
            Ok(Proposal::Create {
                name,
                identity_type,
            }) => (proposed_name, proposed_type) = (name, identity_type),
            Ok(Proposal::Skip(why)) => return Ok(Creation::Skipped(why)),
            Err(error) => {
                let finding = correlation::finding(account, error).map_err(store_failure)?;
                return Ok(Creation::Failed(finding));
            }
        }
    }
    let identity_type = match proposed_type {
        None => creation.identity_type,
        Some(word) => match IdentityType::ALL.iter().find(|(known, _)| *known == word) {
            Some((_, identity_type)) => *identity_type,
            None => return Ok(Creation::Failed(unknown_type(account, &word))),
        },
    };
    let named = account.attribute(creation.name_attribute);
    Ok(match (proposed_name, named) {
        (Some(name), _) if !is_a_name(&name) => Creation::Failed(not_a_name(account, &name)),
        (Some(name), _) => Creation::Identity(name, identity_type),
        (None, Some(value)) => Creation::Identity(value.to_string(), identity_type),
        (None, None) => Creation::Failed(name_blank(account, creation.name_attribute)),
    })
}

/// Says whether people can write it down and tell it from others.
fn is_a_name(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.chars().any(char::is_control)
}

fn not_a_name(account: &Account, name: &str) -> Finding {
    finding(
        account,
        "name-unusable",
        format!("the rule proposes {name:?}, which can't be the name of an identity"),
        "it needs a character, and has no space at the ends and no line breaks".to_owned(),
    )
}

fn name_blank(account: &Account, attribute: Name) -> Finding {
    finding(
        account,
        "name-blank",
        format!("`{attribute}` is blank, so no identity can be created"),
        format!("mend it in `{}`", account.key.application),
    )
}

fn unknown_type(account: &Account, word: &str) -> Finding {
    let words = IdentityType::ALL.map(|(word, _)| word);
    let hint = match nearest(word, words) {
        Some(nearest) => format!("did the rule mean `{nearest}`?"),
        None => format!("they are {}", words.join(", ")),
    };
    finding(
        account,
        "unknown-type",
        format!("the rule proposes an identity of the type `{word}`, which there isn't"),
        hint,
    )
}

fn finding(account: &Account, cause: &str, message: String, hint: String) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: CORRELATION,
        subject: account.key.native_identity.clone(),
        cause: Name::new(cause),
        message,
        hint: Some(hint),
    }
}
