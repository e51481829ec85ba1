//! Account selection: which of several accounts a role is for, where a rule says.
//!
//! What it says is remembered with the role, so it is asked once.

use super::entitlements::Unplaced;
use super::{failure, read_failure, store_failure};
use crate::definitions::Model;
use crate::model::finding::PROVISIONING;
use crate::model::{AccountKey, Finding, Name, Severity, TargetAccount};
use crate::plan::Draft;
use crate::rule::{AccountNeed, AccountSelection, RuleEvaluator};
use crate::view::{SnapshotError, TrackedView};

/// What rules say about what has no account that it is certainly for.
#[derive(Debug, Default)]
pub(super) struct Selected {
    /// The accounts that rules have chosen.
    pub(super) chosen: Vec<TargetAccount>,
    /// What gets an account of its own, or has none yet.
    pub(super) creates: Vec<Unplaced>,
    /// What somebody is to choose an account for.
    pub(super) asks: Vec<Unplaced>,
}

/// Asks rules about what may be for several accounts.
pub(super) fn select(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    unplaced: &[Unplaced],
    draft: &mut Draft,
) -> Result<Selected, SnapshotError> {
    let model = view.model().clone();
    let mut selected = Selected::default();
    for need in unplaced {
        if need.accounts.is_empty() {
            selected.creates.push(need.clone());
            continue;
        }
        match ask(view, evaluator, &model, need, draft)? {
            Some(AccountSelection::Existing(native_identity)) => {
                let account = AccountKey {
                    application: need.application,
                    native_identity,
                };
                match need.accounts.contains(&account) {
                    true => selected.chosen.push(TargetAccount {
                        role: need.role,
                        account,
                    }),
                    false => draft.findings.push(unknown(need)),
                }
            }
            Some(AccountSelection::NewAccount) => selected.creates.push(Unplaced {
                accounts: Vec::new(),
                ..need.clone()
            }),
            Some(AccountSelection::Ask) => selected.asks.push(need.clone()),
            None => {}
        }
    }
    selected.chosen.sort();
    selected.chosen.dedup();
    selected.creates.sort();
    Ok(selected)
}

/// Returns what an application's rule says; a person is asked where there is
/// none, and nobody where it fails.
fn ask(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    need: &Unplaced,
    draft: &mut Draft,
) -> Result<Option<AccountSelection>, SnapshotError> {
    let application = model.application(need.application);
    let provisioning = application.map(|known| &known.provisioning);
    let Some(rule) = provisioning.and_then(|known| known.selection) else {
        return Ok(Some(AccountSelection::Ask));
    };
    let mut candidates = match view.accounts(&need.application) {
        Ok(accounts) => accounts,
        Err(error) => {
            let error = read_failure(error).map_err(store_failure)?;
            return Err(SnapshotError {
                message: error.to_string(),
            });
        }
    };
    candidates.retain(|known| {
        let mut accounts = need.accounts.iter();
        accounts.any(|account| account.native_identity == known.native_identity)
    });
    let asked = AccountNeed {
        application: &need.application,
        role: Some(&need.role),
        candidates: &candidates,
        may_create: provisioning.is_some_and(|known| known.template.is_some()),
    };
    match evaluator.select_account(rule, asked, view) {
        Ok(selection) => Ok(Some(selection)),
        Err(error) => {
            let subject = format!("{} {}", need.application, need.role);
            let failed = failure(PROVISIONING, Severity::Error, &subject, error);
            let failed = failed.map_err(store_failure)?;
            draft.retry_after(failed.retry_after_ms);
            draft.findings.push(failed.finding);
            Ok(None)
        }
    }
}

fn unknown(need: &Unplaced) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: PROVISIONING,
        subject: format!("{} {}", need.application, need.role),
        cause: Name::new("no-candidate"),
        message: format!(
            "the rule chose an account in `{}` that role `{}` can't be for",
            need.application, need.role
        ),
        hint: Some("let it choose one of the candidates that it is given".to_owned()),
    }
}
