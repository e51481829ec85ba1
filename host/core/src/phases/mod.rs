//! The built-in phases, in the order of operations.
//!
//! | file | what it settles | reads |
//! |---|---|---|
//! | [`correlation`] | whose an account is | the account; look-ups by value |
//! | [`creation`] | which identity an account gives rise to | the account |
//! | `logical_accounts` | accounts of logical applications, made of others | accounts |
//! | `proposals` | what a rule proposes for attributes | accounts, attributes that it can't propose |
//! | [`attributes`] | identity attributes, manager and lifecycle state, on demand | accounts, edits, each other |
//! | `unique` | values that only one identity may have, and names that are generated | attributes, claims |
//! | [`roles`] | assigned, then detected roles (`detection`) | the above and entitlements |
//! | `remembered` | what idr remembers of its own doing, by the keys that accounts have now | what was sent, accounts |
//! | `flights` | what was sent about entitlements and isn't confirmed | what idr remembers of its own doing |
//! | `role_explanation` | nothing: it says why a role is assigned or detected, or isn't | all that decides about it |
//! | [`entitlements`] | the ledger: why each entitlement is there, or should be | accounts, roles, decisions |
//! | `policies` | what violates policies, and what they keep out | the above; decisions |
//! | `risk` | the scorecard | roles, entitlements, violations |
//! | `work_items` | what somebody is to decide or do | the ledger, the manager, violations |
//! | [`role_metadata`] | what roles come to: missing, exceptions | roles |
//! | `state_accounts` | what the lifecycle state does with accounts | the state and accounts |
//! | `provisioning` | what is called for with accounts, one operation each: by roles, the state (`state_accounts`), attributes (`synchronisation`), in new accounts (`new_accounts`) | the ledger, accounts, what was sent |
//! | `standing` | what was sent, and what of it is so by now | accounts, what idr remembers of its own doing |
//! | `selection` | which of several accounts a role is for | accounts |
//! | `mapping` | values for accounts | attributes |
//! | [`events`] | which triggers fire | all of it and the baseline |
//! | `value_change` | what rules propose when attributes have changed | all of it |
//!
//! A phase reads the tracked view and adds to the plan; it never writes.

pub mod attributes;
pub mod correlation;
pub mod creation;
mod detection;
pub mod entitlements;
pub mod events;
mod flights;
mod lifecycle;
pub(crate) mod logical_accounts;
#[cfg(test)]
mod loops;
mod manager;
mod mapping;
mod new_accounts;
pub(crate) mod policies;
mod proposals;
pub(crate) mod provisioning;
mod remembered;
mod risk;
pub(crate) mod role_explanation;
pub mod role_metadata;
pub mod roles;
pub(crate) mod selection;
pub mod standing;
pub(crate) mod state_accounts;
mod synchronisation;
pub mod unique;
mod value_change;
pub(crate) mod work_items;

use crate::model::{Finding, Name, Severity};
use crate::rule::RuleFailure;
use crate::view::{Node, ReadError, SnapshotError};

/// Why a phase can't go on with what it is at.
#[derive(Debug)]
pub(crate) enum Interrupt {
    /// It needs something that isn't settled yet.
    Unsettled(Node),
    /// The store can't be read.
    Snapshot(SnapshotError),
}

/// A failed evaluation: a finding, and whether to try again later.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) finding: Finding,
    pub(crate) retry_after_ms: Option<i64>,
}

/// Sorts a rule's failure into what interrupts the plan and what is a finding.
pub(crate) fn failure(
    phase: &'static str,
    severity: Severity,
    subject: &str,
    failure: RuleFailure,
) -> Result<Failure, Interrupt> {
    let (cause, message, hint, retry_after_ms) = match failure {
        RuleFailure::Read(error) => {
            let error = read_failure(error)?;
            (
                Name::new(error.cause()),
                error.to_string(),
                error.hint(),
                None,
            )
        }
        RuleFailure::Failed {
            cause,
            message,
            hint,
            retry_after_ms,
        } => (cause, message, hint, retry_after_ms),
    };
    let finding = Finding {
        severity,
        phase,
        subject: subject.to_owned(),
        cause,
        message,
        hint,
    };
    Ok(Failure {
        finding,
        retry_after_ms,
    })
}

/// Returns the error if it is about what was read, not about the plan's order.
pub(crate) fn read_failure(error: ReadError) -> Result<ReadError, Interrupt> {
    match error {
        ReadError::Unsettled(node) => Err(Interrupt::Unsettled(node)),
        ReadError::Snapshot(error) => Err(Interrupt::Snapshot(error)),
        error => Ok(error),
    }
}

/// Takes an interrupt where everything is settled: only the store can fail.
pub(crate) fn store_failure(interrupt: Interrupt) -> SnapshotError {
    match interrupt {
        Interrupt::Snapshot(error) => error,
        Interrupt::Unsettled(node) => SnapshotError {
            message: format!("{node} was asked for before it was settled"),
        },
    }
}

impl From<SnapshotError> for Interrupt {
    fn from(error: SnapshotError) -> Self {
        Self::Snapshot(error)
    }
}
