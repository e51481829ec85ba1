//! Reports: what was done and what is known, as text for people and as JSON.
//!
//! A report is a plain value made from the store; its text is fit for 80 to
//! 100 columns, its JSON keeps its names. Commands print them.

mod action;
mod address;
mod aggregation;
pub mod canonical;
mod dry_run;
mod due;
mod effect;
mod entitlement;
mod event;
mod explanation;
mod finding;
mod governance;
mod held;
mod history;
mod identity;
mod run;
mod text;
mod work_item;

pub use action::{AttributeChangeReport, reason_words};
pub(crate) use address::shown_address;
pub use aggregation::{EndedAggregation, ShownAggregation, StagedReport};
pub use dry_run::{DryRunReport, IdentityChange};
pub use due::DueReport;
pub use effect::{EffectReport, EffectWhat};
pub use entitlement::{EntitlementDecisionReport, EntitlementReport, LedgerReport, ReasonReport};
pub(crate) use entitlement::{is_sensitive as is_sensitive_of, shown_entry};
pub use event::{ChangeReport, EventReport, MASK};
pub use explanation::{
    Explanation, LastChange, LineOf, MomentReport, PlaceReport, ReadReport, RuleReport, Sources,
    StepReport, Subject, is_sensitive,
};
pub use finding::{FindingReport, write_findings};
pub use governance::{PolicyDecisionReport, ScorecardReport, ViolationReport};
pub use held::{HeldReport, RoleLoss};
pub use history::{HistoryChange, HistoryReport, ImageSettings};
pub use identity::{
    AccountReport, EditReport, IdentityReport, IdentityRow, StateOverrideReport, WorkItemReport,
};
pub use run::{FindingCounts, ProgressReport, RunReport, changes_in_words};
pub use text::{Cell, Table, counted, grouped, local, shortened};
pub use work_item::OpenWorkItemReport;

use idr_core::model::{Name, Uid};
use idr_core::view::{Snapshot, SnapshotError};

/// Returns the name of an identity as a snapshot knows it.
///
/// # Errors
///
/// [`SnapshotError`] when the store can't be read.
pub fn name_of(snapshot: &dyn Snapshot, uid: Uid) -> Result<String, SnapshotError> {
    let name = snapshot.attribute_of(uid, Name::new("name"))?;
    Ok(name.map_or_else(|| format!("uid {uid}"), |name| name.to_string()))
}
