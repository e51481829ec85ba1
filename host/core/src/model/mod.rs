//! The plain values that a refresh works on: identities, accounts, findings,
//! events, and the attribute values in them.
//!
//! No I/O, no clock, no serialisation: the store's codec knows how these are
//! written down. Everybody uses this room; it uses no other.

mod account;
mod claim;
mod effect;
mod entitlement;
mod event;
pub mod finding;
mod governance;
mod identity;
mod image;
mod instant;
mod name;
mod provisioning;
mod value;

pub use account::{Account, AccountKey, AccountStatus, Link, LogicalAccount};
pub use claim::{Claim, ClaimOrigin, Holder, NewClaim};
pub use effect::{
    AccountAction, AccountOperation, ActionReason, AttributeChange, Effect, EffectKind, Handler,
    ValueChange, WorkItem,
};
pub use entitlement::{
    Entitlement, EntitlementChange, EntitlementDecision, EntitlementStatus, EntitlementVerdict,
    LedgerEntry, NativeEntitlement,
};
pub use event::{Event, EventChange, EventTally};
pub use finding::{Finding, Severity};
pub use governance::{
    Basis, Held, PolicyDecision, PolicyVerdict, Score, Scorecard, Violation, ViolationStatus,
};
pub use identity::{
    AssignmentSource, AttributeState, Baseline, ByHand, ChangeAnswer, ChangeMemory, Holding,
    Identity, IdentityRecord, IdentityType, Lag, ManualEdit, NativeChange, NativeOperation,
    Proposal, Proposals, Provenance, ReadKey, Retries, Retry, RoleAssignment, RoleDecision,
    RoleDetection, RoleVerdict, StateOverride, TriggerMemory, Uid, UnansweredChange, Versions,
    Wake,
};
pub use image::{AccountImage, Image};
pub use instant::UnixMillis;
pub use name::Name;
pub use provisioning::{GivenEntitlement, Provisioning, SentAction, SentOutcome, TargetAccount};
pub use value::{INTEGER_LIMIT, Text, Value, ValueError, ValueType};
