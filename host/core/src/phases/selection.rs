//! Account selection: which of several accounts a role is for, where a rule says.
//!
//! Rules are asked once roles are settled, before policies are judged: what is
//! placed on an account by a rule is judged there like everything else. What they
//! say is remembered with the role, so they are asked once.

use super::entitlements::{Unplaced, unplaced};
use super::mapping::{self, Mapped, Place};
use super::roles::SettledRoles;
use super::{failure, read_failure, store_failure};
use crate::definitions::{Application, Model};
use crate::model::finding::PROVISIONING;
use crate::model::{AccountKey, Finding, Name, Severity, TargetAccount, Value, ValueType};
use crate::plan::Draft;
use crate::rule::{AccountNeed, AccountSelection, RuleEvaluator};
use crate::text::fold;
use crate::view::{SnapshotError, TrackedView};

/// What rules say about what may be for several accounts.
#[derive(Debug, Default)]
pub(crate) struct Selected {
    /// The accounts that rules have chosen, sorted.
    chosen: Vec<TargetAccount>,
    /// What is for a new account.
    new: Vec<Need>,
    /// What nobody is to be asked about: the rule hasn't answered, or has chosen
    /// what isn't a candidate, and there is a finding.
    unanswered: Vec<Need>,
}

/// What a rule is asked about: an application, a role, and the accounts that it
/// may be for.
type Need = (Name, Name, Vec<AccountKey>);

impl Selected {
    /// Returns the accounts that rules have chosen.
    pub(super) fn chosen(&self) -> &[TargetAccount] {
        &self.chosen
    }

    /// Says whether what a role asks for is for a new account, though it may be for
    /// these.
    pub(super) fn is_new(&self, application: Name, role: Name, accounts: &[AccountKey]) -> bool {
        has(&self.new, application, role, accounts)
    }

    /// Sorts what has no account that it is certainly for into what gets an account
    /// of its own, and what somebody is to choose one for.
    pub(super) fn sort_out(&self, unplaced: Vec<Unplaced>) -> (Vec<Unplaced>, Vec<Unplaced>) {
        let (mut creates, mut asks) = (Vec::new(), Vec::new());
        for need in unplaced {
            let (application, role) = (need.application, need.role);
            if need.accounts.is_empty() {
                creates.push(need);
            } else if self.is_new(application, role, &need.accounts) {
                creates.push(Unplaced {
                    accounts: Vec::new(),
                    ..need
                });
            } else if !has(&self.unanswered, application, role, &need.accounts) {
                asks.push(need);
            }
        }
        creates.sort();
        (creates, asks)
    }
}

fn has(needs: &[Need], application: Name, role: Name, accounts: &[AccountKey]) -> bool {
    let mut needs = needs.iter();
    needs.any(|known| (known.0, known.1) == (application, role) && known.2 == accounts)
}

/// Asks rules about what may be for several accounts.
pub(crate) fn plan(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    settled: &SettledRoles,
    draft: &mut Draft,
) -> Result<Selected, SnapshotError> {
    let model = view.model().clone();
    let mut selected = Selected::default();
    if !model.provisioning.roles || !is_asked(view, &model) {
        return Ok(selected);
    }
    let mut asked: Vec<Need> = Vec::new();
    for need in unplaced(view, settled) {
        let (application, role) = (need.application, need.role);
        if need.accounts.is_empty() || has(&asked, application, role, &need.accounts) {
            continue;
        }
        let about = (application, role, need.accounts.clone());
        asked.push(about.clone());
        match ask(view, evaluator, &model, &need, draft)? {
            Some(AccountSelection::Existing(native_identity)) => {
                let account = AccountKey {
                    application,
                    native_identity,
                };
                match need.accounts.contains(&account) {
                    true => selected.chosen.push(TargetAccount { role, account }),
                    false => {
                        draft.findings.push(unknown(&need));
                        selected.unanswered.push(about);
                    }
                }
            }
            Some(AccountSelection::NewAccount) => {
                // It was made already, perhaps just now.
                match made(view, evaluator, &model, &need)? {
                    Some(account) if need.accounts.contains(&account) => {
                        selected.chosen.push(TargetAccount { role, account });
                    }
                    Some(account) => {
                        draft.findings.push(made_in_vain(&need, &account));
                        selected.unanswered.push(about);
                    }
                    None => selected.new.push(about),
                }
            }
            Some(AccountSelection::Ask) => {}
            None => selected.unanswered.push(about),
        }
    }
    selected.chosen.sort();
    selected.chosen.dedup();
    Ok(selected)
}

/// Says whether there are several accounts where a rule chooses.
fn is_asked(view: &TrackedView, model: &Model) -> bool {
    let accounts = &view.record().accounts;
    let is_asked = |application: &Application| {
        let of_it = accounts
            .iter()
            .filter(|known| known.key.application == application.name);
        application.provisioning.selection.is_some()
            && application.is_provisioned()
            && of_it.count() > 1
    };
    model.applications.iter().any(is_asked)
}

/// Returns the account that a new one would be by its native identity.
fn made(
    view: &mut TrackedView,
    evaluator: &mut dyn RuleEvaluator,
    model: &Model,
    need: &Unplaced,
) -> Result<Option<AccountKey>, SnapshotError> {
    let application = model.application(need.application);
    let Some(template) = application.and_then(|known| known.provisioning.template.as_ref()) else {
        return Ok(None);
    };
    let place = Place {
        application: need.application,
        attribute: Name::new("native_identity"),
        native_identity: None,
        value_type: ValueType::Text,
    };
    // What goes wrong here goes wrong again where the account is made, and is found there.
    let mut unheeded = Draft::default();
    let mapping = &template.native_identity;
    let mapped = mapping::value(view, evaluator, mapping, place, &mut unheeded)?;
    let Mapped::Value(Some(Value::Text(native_identity))) = mapped else {
        return Ok(None);
    };
    let native_identity = fold(&native_identity);
    let accounts = view.record().accounts.iter();
    let mut made = accounts.filter(|known| {
        known.key.application == need.application
            && known.missing_since.is_none()
            && fold(&known.key.native_identity) == native_identity
    });
    Ok(made.next().map(|known| known.key.clone()))
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

fn made_in_vain(need: &Unplaced, made: &AccountKey) -> Finding {
    Finding {
        severity: Severity::Error,
        phase: PROVISIONING,
        subject: format!("{} {}", need.application, need.role),
        cause: Name::new("no-candidate"),
        message: format!(
            "the rule wants a new account in `{}` for role `{}`, and that is there: `{}`, which \
             the role can't be for",
            need.application, need.role, made.native_identity
        ),
        hint: Some("let the template make what the role's profiles ask for".to_owned()),
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
