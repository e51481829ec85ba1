//! Workflows: their steps, one after the other. How many are done is written
//! with each, so that a workflow goes on where it was.

use idr_core::model::{
    AccountAction, AccountKey, AccountOperation, ActionReason, EffectKind, Handler, Name,
    SentOutcome,
};

use super::retry::Failure;
use super::{DispatchError, Outcome, Pass};
use crate::config::Step;
use crate::connect::Capability;
use crate::store::{
    EffectProgress, EffectStatus, Settlement, StoredEffect, WorkItemQuery, WorkItemStatus,
};

/// What became of a step.
enum Stepped {
    /// It is done.
    On,
    /// It waits for somebody.
    Waits,
    /// It was in vain.
    Failed(Failure),
    /// The effect isn't what it was.
    Gone,
}

impl Pass<'_> {
    /// Takes a workflow as far as it comes.
    pub(super) fn workflow(
        &mut self,
        stored: &mut StoredEffect,
        name: &str,
    ) -> Result<Outcome, DispatchError> {
        let workflows = self.context.workflows;
        let Some(workflow) = workflows.iter().find(|workflow| workflow.name == name) else {
            let message = format!("there is no workflow `{name}` any more");
            return Ok(Outcome::Failed(Failure::lasting(message)));
        };
        loop {
            let Some(step) = workflow.steps.get(stored.progress.step as usize) else {
                return self.finish(stored, Settlement::default());
            };
            if self.is_held_up(stored) {
                return Ok(Outcome::HeldUp);
            }
            match self.step(stored, step)? {
                Stepped::On => {
                    let progress = EffectProgress {
                        status: EffectStatus::Sent,
                        // Attempts are those of a step.
                        attempts: 0,
                        next_attempt: None,
                        step: stored.progress.step + 1,
                        message: None,
                        ..stored.progress.clone()
                    };
                    if !self.settle(stored, progress, Settlement::default())? {
                        return Ok(Outcome::Gone);
                    }
                }
                Stepped::Waits => return Ok(Outcome::WithPeople),
                Stepped::Failed(failure) => return Ok(Outcome::Failed(failure)),
                Stepped::Gone => return Ok(Outcome::Gone),
            }
        }
    }

    fn step(&mut self, stored: &mut StoredEffect, step: &Step) -> Result<Stepped, DispatchError> {
        let id = format!("{}-{}", stored.id, stored.progress.step + 1);
        match step {
            Step::WorkItem {
                owner,
                description,
                wait,
            } => self.ask_in_workflow(stored, id, owner, description, *wait),
            Step::Webhook { url } => {
                if !self.begin(stored, Settlement::default())? {
                    return Ok(Stepped::Gone);
                }
                Ok(match self.deliver(stored, &id, url)? {
                    Ok(()) => Stepped::On,
                    Err(failure) => Stepped::Failed(failure),
                })
            }
            Step::Accounts {
                application,
                operation,
            } => self.accounts(stored, &id, *application, *operation),
        }
    }

    /// Gives somebody something to do, and waits for it where that is wanted.
    fn ask_in_workflow(
        &mut self,
        stored: &mut StoredEffect,
        id: String,
        owner: &str,
        description: &str,
        wait: bool,
    ) -> Result<Stepped, DispatchError> {
        let query = WorkItemQuery {
            id: Some(id.clone()),
            ..WorkItemQuery::default()
        };
        let known = self.context.store.work_items(&query, 1)?.pop();
        if let Some(known) = known {
            return Ok(match known.status {
                WorkItemStatus::Open if wait => Stepped::Waits,
                WorkItemStatus::Open | WorkItemStatus::Done | WorkItemStatus::Withdrawn => {
                    Stepped::On
                }
            });
        }
        let owner = self.owner(stored.effect.uid, owner)?;
        let item = self.work_item(stored, id, owner, description);
        let progress = EffectProgress {
            status: EffectStatus::Sent,
            ..stored.progress.clone()
        };
        let settlement = Settlement {
            work_items: vec![item],
            ..Settlement::default()
        };
        if !self.settle(stored, progress, settlement)? {
            return Ok(Stepped::Gone);
        }
        self.report.asked += 1;
        Ok(if wait { Stepped::Waits } else { Stepped::On })
    }

    /// Does something with all accounts that the identity has in an application.
    fn accounts(
        &mut self,
        stored: &mut StoredEffect,
        id: &str,
        name: Name,
        operation: AccountOperation,
    ) -> Result<Stepped, DispatchError> {
        let model = self.context.model;
        let Some(application) = model.application(name) else {
            let message = format!("application `{name}` is no longer configured");
            return Ok(Stepped::Failed(Failure::lasting(message)));
        };
        let uid = stored.effect.uid;
        let record = self.context.store.read_chunk(&[uid])?.pop();
        let accounts = record.into_iter().flat_map(|record| record.accounts);
        let actions: Vec<AccountAction> = accounts
            .filter(|account| account.key.application == name && account.missing_since.is_none())
            .map(|account| action(stored, account.key, operation))
            .collect();
        let capability = Capability::Operation(operation);
        if !self.context.connectors.can(name, capability) {
            let owner = self.application_owner(name);
            let items = actions.iter().map(|action| {
                let native_identity = &action.account.native_identity;
                let description = super::people::in_words(action, model);
                let id = format!("{id}-{native_identity}");
                self.work_item(stored, id, owner.clone(), &description)
            });
            let settlement = Settlement {
                work_items: items.collect(),
                ..Settlement::default()
            };
            self.report.asked += settlement.work_items.len() as u64;
            return Ok(match self.begin(stored, settlement)? {
                true => Stepped::On,
                false => Stepped::Gone,
            });
        }
        if let Some(message) = self.unreachable.get(&name) {
            // Somebody before has tried it in this pass.
            tracing::debug!("effect {} waits: {message}", stored.id);
            return Ok(Stepped::Failed(Failure::passing(message.clone())));
        }
        for (place, action) in actions.iter().enumerate() {
            let begun = Settlement {
                own: self.under_way(action, uid)?,
                ..Settlement::default()
            };
            // All of them are one attempt at the step.
            let begun = match place {
                0 => self.begin(stored, begun)?,
                _ => self.settle(stored, stored.progress.clone(), begun)?,
            };
            if !begun {
                return Ok(Stepped::Gone);
            }
            let is_shown = match self.change(application, action, uid, true)? {
                Ok(is_shown) => is_shown,
                Err(failure) => return Ok(Stepped::Failed(failure)),
            };
            let progress = stored.progress.clone();
            // What follows from it goes on counting.
            let sent = || (uid, self.sent(action, SentOutcome::Confirmed));
            let confirmed = Settlement {
                sent: is_shown.then(sent),
                own: self.confirmed(action, uid),
                ..Settlement::default()
            };
            if !self.settle(stored, progress, confirmed)? {
                return Ok(Stepped::Gone);
            }
        }
        Ok(Stepped::On)
    }
}

/// Returns what a step of a workflow does with an account.
fn action(
    stored: &StoredEffect,
    account: AccountKey,
    operation: AccountOperation,
) -> AccountAction {
    let (reasons, hops) = match &stored.effect.what {
        EffectKind::Handler {
            trigger,
            handler: Handler::Workflow { name },
            hops,
            ..
        } => {
            let reason = ActionReason::Workflow {
                workflow: name.clone(),
                trigger: *trigger,
            };
            (vec![reason], *hops)
        }
        _ => (Vec::new(), 0),
    };
    AccountAction {
        account,
        operation,
        to: None,
        changes: Vec::new(),
        reasons,
        hops,
        since: stored.effect.effective_at,
    }
}
