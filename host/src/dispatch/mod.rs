//! Dispatch: carrying out what refreshes have put into the outbox.
//!
//! Start reading at [`dispatch`]. One pass goes through all open effects in the
//! order in which they were recorded: account operations through connectors,
//! work items into the store, events to addresses, workflows step by step. That
//! an effect is under way is written before anything is done outside, and what
//! came of it after that, so that nothing is lost, and whatever was under way
//! when a process died is first looked at and not just done again. Outside it is
//! at least once: the effect's id goes with everything that is sent.
//!
//! | file | what it does |
//! |---|---|
//! | `account` | account operations, and reading the account again |
//! | `people` | work items |
//! | `webhook` | events to addresses, as CloudEvents |
//! | `workflow` | the steps of workflows |
//! | `retry` | when it is tried again, and when given up |

mod account;
mod error;
mod people;
mod retry;
mod webhook;
mod workflow;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use idr_core::definitions::Model;
use idr_core::model::{EffectKind, Handler, Name, Uid, UnixMillis};
use idr_core::rule::RuleHost;

use crate::aggregate::ReadBack;
use crate::config::{DispatchSettings, Step, Workflow};
use crate::connect::{Connector, Connectors};
use crate::store::{EffectProgress, EffectStatus, Settlement, Store, StoreError, StoredEffect};

pub use error::DispatchError;
use retry::Failure;
pub use webhook::{Courier, Delivery, HttpCourier};

/// Effects that are read from the outbox at a time.
const CHUNK: usize = 500;

/// What dispatch of a tenant goes by.
#[derive(Clone, Copy)]
pub struct DispatchContext<'a> {
    /// The tenant's data. It has adopted the configuration that `model` is made from.
    pub store: &'a dyn Store,
    /// The tenant's name.
    pub tenant: &'a str,
    /// Its definitions.
    pub model: &'a Arc<Model>,
    /// The rules that they refer to.
    pub rules: &'a dyn RuleHost,
    /// Its applications.
    pub connectors: &'a dyn Connectors,
    /// Who sends events to addresses.
    pub courier: &'a dyn Courier,
    /// Its workflows.
    pub workflows: &'a [Workflow],
    /// How often it is tried, and when.
    pub settings: DispatchSettings,
    /// The instant of the pass.
    pub now: UnixMillis,
}

/// What a pass has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct DispatchReport {
    /// Effects that were carried out.
    pub done: u64,
    /// Effects that people were asked to carry out, and steps of workflows.
    pub asked: u64,
    /// Attempts in vain; the next one comes.
    pub failed: u64,
    /// Effects that were given up.
    pub dead: u64,
    /// Why attempts were in vain, with how often.
    pub failures: BTreeMap<String, u64>,
}

/// Carries out what is open in the outbox, once.
///
/// Nothing is carried out twice that is known to be: see `account` for what is
/// done about an operation that was under way when a process died.
///
/// # Errors
///
/// [`DispatchError::Paused`] when nothing is to be carried out; otherwise the
/// store can't be used, and the next pass goes on where this one was. What goes
/// wrong outside ends nothing: it is noted with its effect.
pub fn dispatch(context: &DispatchContext<'_>) -> Result<DispatchReport, DispatchError> {
    if context.store.is_dispatch_paused()? {
        return Err(DispatchError::Paused);
    }
    let mut pass = Pass {
        context,
        report: DispatchReport::default(),
        read_back: ReadBack::new(context.store, context.model, context.rules, context.now),
        open: HashMap::new(),
        unreachable: HashMap::new(),
        held_up: HashSet::new(),
    };
    let mut after = 0;
    loop {
        let effects = context.store.open_effects(after, CHUNK)?;
        let Some(last) = effects.last() else {
            return Ok(pass.report);
        };
        after = last.number;
        for effect in effects {
            pass.handle(effect)?;
        }
    }
}

/// What keeps its order: what is done with somebody's accounts in one
/// application, and what is sent about somebody to one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Lane {
    Application(Uid, Name),
    Address(Uid, String),
}

/// What has become of an effect, or of a step of one.
enum Outcome {
    /// It is carried out.
    Done,
    /// It is with people, and comes to its end without this.
    WithPeople,
    /// It was in vain.
    Failed(Failure),
    /// Something before it isn't carried out.
    HeldUp,
    /// It is somebody else's by now: withdrawn, or settled by another process.
    Gone,
}

/// One pass through the outbox.
struct Pass<'a> {
    context: &'a DispatchContext<'a>,
    report: DispatchReport,
    read_back: ReadBack<'a>,
    /// Connectors that were opened.
    open: HashMap<Name, Box<dyn Connector>>,
    /// Applications that could not be reached: nothing more is tried in this pass.
    unreachable: HashMap<Name, String>,
    /// What has an effect before it that isn't carried out.
    held_up: HashSet<Lane>,
}

impl<'a> Pass<'a> {
    fn handle(&mut self, mut stored: StoredEffect) -> Result<(), DispatchError> {
        if self.is_held_up(&stored) {
            return Ok(());
        }
        let comes_later = stored
            .progress
            .next_attempt
            .is_some_and(|at| at > self.context.now);
        let settled = !comes_later && self.attempt(&mut stored)?;
        if !settled {
            // That of the step that a workflow has come to.
            self.held_up.extend(self.lane_of(&stored));
        }
        Ok(())
    }

    /// Tries to carry an effect out. Says whether what comes behind it may go on.
    fn attempt(&mut self, stored: &mut StoredEffect) -> Result<bool, DispatchError> {
        let outcome = match stored.effect.what.clone() {
            EffectKind::Account(action) => self.account(stored, &action)?,
            EffectKind::WorkItem(item) => {
                self.ask(stored, item.owner.as_deref(), &item.description)?
            }
            EffectKind::Handler { handler, .. } => match handler {
                Handler::WorkItem { owner, description } => {
                    let owner = self.owner(stored.effect.uid, &owner)?;
                    self.ask(stored, owner.as_deref(), &description)?
                }
                Handler::Webhook { url } => self.webhook(stored, &url)?,
                Handler::Workflow { name } => self.workflow(stored, &name)?,
            },
        };
        match outcome {
            Outcome::Done => {
                self.report.done += 1;
                Ok(true)
            }
            Outcome::WithPeople | Outcome::Gone => Ok(true),
            Outcome::HeldUp => Ok(false),
            Outcome::Failed(failure) => self.fail(stored, failure),
        }
    }

    /// Says whether something that keeps its order stands before an effect, or
    /// before the step that a workflow has come to, and isn't carried out.
    fn is_held_up(&self, stored: &StoredEffect) -> bool {
        let lane = self.lane_of(stored);
        lane.is_some_and(|lane| self.held_up.contains(&lane))
    }

    /// Returns what keeps its order with an effect, or with the step that a workflow
    /// has come to.
    fn lane_of(&self, stored: &StoredEffect) -> Option<Lane> {
        let uid = stored.effect.uid;
        let address = |url: &String| Some(Lane::Address(uid, url.clone()));
        match &stored.effect.what {
            EffectKind::Account(action) => Some(Lane::Application(uid, action.account.application)),
            EffectKind::WorkItem(_) => None,
            EffectKind::Handler { handler, .. } => match handler {
                // People take their time, and hold nobody up.
                Handler::WorkItem { .. } => None,
                Handler::Webhook { url } => address(url),
                Handler::Workflow { name } => match self.step_of(name, stored.progress.step)? {
                    Step::Accounts { application, .. } => {
                        Some(Lane::Application(uid, *application))
                    }
                    Step::Webhook { url } => address(url),
                    Step::WorkItem { .. } => None,
                },
            },
        }
    }

    /// Returns a step of a workflow, counted from 0.
    fn step_of(&self, workflow: &str, place: u32) -> Option<&'a Step> {
        let mut workflows = self.context.workflows.iter();
        let workflow = workflows.find(|known| known.name == workflow)?;
        workflow.steps.get(place as usize)
    }

    /// Writes how an effect stands now, which is as `stored` says; says whether
    /// it still was so. `stored` follows.
    fn settle(
        &self,
        stored: &mut StoredEffect,
        progress: EffectProgress,
        mut settlement: Settlement,
    ) -> Result<bool, StoreError> {
        settlement.number = stored.number;
        settlement.expected = stored.progress.status;
        settlement.progress = EffectProgress {
            at: Some(self.context.now),
            ..progress
        };
        let settled = self.context.store.settle(&settlement)?;
        if settled {
            stored.progress = settlement.progress;
        }
        Ok(settled)
    }

    /// Notes that an effect is under way, with another attempt.
    fn begin(
        &self,
        stored: &mut StoredEffect,
        settlement: Settlement,
    ) -> Result<bool, DispatchError> {
        let progress = EffectProgress {
            status: EffectStatus::Sent,
            attempts: stored.progress.attempts + 1,
            next_attempt: None,
            ..stored.progress.clone()
        };
        let begun = self.settle(stored, progress, settlement)?;
        stop_at("dispatch-begun")?;
        Ok(begun)
    }

    /// Notes that an effect is carried out.
    fn finish(
        &self,
        stored: &mut StoredEffect,
        settlement: Settlement,
    ) -> Result<Outcome, DispatchError> {
        let progress = EffectProgress {
            status: EffectStatus::Done,
            next_attempt: None,
            message: None,
            ..stored.progress.clone()
        };
        Ok(match self.settle(stored, progress, settlement)? {
            true => Outcome::Done,
            false => Outcome::Gone,
        })
    }

    /// Notes that an attempt was in vain: it is made again later, or the effect is
    /// given up. Says whether what comes behind it may go on.
    fn fail(&mut self, stored: &StoredEffect, failure: Failure) -> Result<bool, DispatchError> {
        let mut stored = stored.clone();
        let attempts = stored.progress.attempts;
        let next = retry::next(&self.context.settings, attempts, &failure, self.context.now);
        let gives_up = next.is_none();
        let progress = EffectProgress {
            status: match gives_up {
                true => EffectStatus::Dead,
                false => EffectStatus::Failed,
            },
            next_attempt: next,
            message: Some(failure.message.clone()),
            ..stored.progress.clone()
        };
        let settlement = self.in_vain(&stored, &failure, gives_up)?;
        if !self.settle(&mut stored, progress, settlement)? {
            return Ok(true);
        }
        tracing::warn!("effect {}: {}", stored.id, failure.message);
        *self.report.failures.entry(failure.message).or_default() += 1;
        match gives_up {
            true => self.report.dead += 1,
            false => self.report.failed += 1,
        }
        // What was given up holds nothing up: a person looks at it.
        Ok(gives_up)
    }
}

/// Fails (`return`) or ends the process (`return(abort)`) where a test wants it.
#[cfg(feature = "failpoints")]
fn stop_at(name: &'static str) -> Result<(), DispatchError> {
    fail::fail_point!(name, |argument| {
        if argument.as_deref() == Some("abort") {
            std::process::abort();
        }
        let message = format!("stopped at `{name}`");
        Err(StoreError::Unavailable(message.into()).into())
    });
    Ok(())
}

/// Does nothing: there are no points to stop at.
#[cfg(not(feature = "failpoints"))]
fn stop_at(_name: &'static str) -> Result<(), DispatchError> {
    Ok(())
}
