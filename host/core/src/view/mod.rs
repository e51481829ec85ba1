//! The tracked view: the one door through which rules, filters and phases read
//! an identity, and through which they learn about time.
//!
//! From what passes through it come *explanation* (the trace), *data
//! minimisation* (a rule reads what it is granted), *invalidation* (what was
//! read of others) and the *wake-up* (the next moment at which an answer about
//! time would change). It is an owned value that is moved into whatever
//! evaluates and back, so that no reference ever leaves planning.

mod access;
mod account;
mod chain;
mod grant;
mod graph;
mod mark;
mod properties;
mod read;
mod time;
mod trace;

use std::sync::Arc;

use thiserror::Error;

use crate::definitions::{Model, RuleIndex};
use crate::model::{
    Baseline, Claim, Holder, IdentityRecord, LogicalAccount, Name, ReadKey, RoleAssignment,
    RoleDetection, Uid, UnixMillis, Value,
};
use crate::planted::{self, Bug};
use crate::time::sooner;

pub use access::JudgedAccess;
use chain::Chain;
pub(crate) use chain::{PRESENCE, STATUS};
pub use graph::{Node, Proposed, Slot};
pub use mark::{ViewMark, ViewNotes};
pub use properties::BaselineProperties;
pub use read::{AccountHandle, AccountSummary};
pub use trace::{Topic, TraceEntry, Traced};

/// What planning may learn of other identities: the store as it was before the
/// current wave.
pub trait Snapshot: Send + Sync {
    /// Returns an identity attribute, or `name`, of another identity.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the store can't be read: the run ends.
    fn attribute_of(&self, uid: Uid, attribute: Name) -> Result<Option<Value>, SnapshotError>;

    /// Returns the identities whose attribute (or `name`) has this case-folded
    /// value, in order of uid.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the store can't be read: the run ends.
    fn find(&self, attribute: Name, folded: &str) -> Result<Vec<Uid>, SnapshotError>;

    /// Returns whose a unique value is.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the store can't be read: the run ends.
    fn holder(&self, claim: &Claim) -> Result<Option<Holder>, SnapshotError>;

    /// Returns how many changes of idr's own led to the present value of an attribute
    /// of another identity, as far as that has changed in the same run.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] when the store can't be read: the run ends.
    fn chain_of(&self, _uid: Uid, _attribute: Name) -> Result<u32, SnapshotError> {
        Ok(0)
    }
}

/// The store could not be read while planning.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("the store can't be read: {message}")]
pub struct SnapshotError {
    /// The store's own error, with its causes.
    pub message: String,
}

/// Why a read gives no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReadError {
    /// What was asked for is itself still to be worked out in this plan.
    #[error("{0} is not worked out yet")]
    Unsettled(Node),
    /// Nothing of that name is defined.
    #[error("there is no {what} `{name}`{}", suggestion(nearest))]
    Unknown {
        /// What kind of thing: "identity attribute", "application".
        what: &'static str,
        /// The name asked for.
        name: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// The rule isn't granted to read it.
    #[error("{what} `{name}` is not granted to the rule")]
    NotGranted {
        /// What kind of thing: "identity attribute", "application".
        what: &'static str,
        /// The name asked for.
        name: String,
    },
    /// An argument makes no sense: a zone that doesn't exist, an account that wasn't listed.
    #[error("{0}")]
    Argument(String),
    /// Only a rule of a later phase may read that.
    #[error("{0} can't be read in this phase")]
    Phase(&'static str),
    /// The store can't be read: the run ends.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}

impl ReadError {
    /// Returns the stable word for findings.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Unsettled(_) => "unsettled",
            Self::Unknown { .. } => "unknown-name",
            Self::NotGranted { .. } => "not-granted",
            Self::Argument(_) => "bad-argument",
            Self::Phase(_) => "wrong-phase",
            Self::Snapshot(_) => "store",
        }
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotGranted { name, .. } => Some(format!(
                "add `{name}` to the rule's `reads` in rules/rules.toml"
            )),
            Self::Unknown {
                nearest: Some(nearest),
                ..
            } => Some(format!("write `{nearest}`")),
            _ => None,
        }
    }
}

/// Whether an identity may have a unique value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Availability {
    /// It is nobody's yet.
    Free,
    /// It is the identity's own already.
    Own,
    /// It is another's, or reserved.
    Taken,
}

/// The tracked view of one identity. Its default is detached: it answers
/// nothing, and stands in while the real one is lent out.
#[derive(Default)]
pub struct TrackedView {
    state: Option<Box<ViewState>>,
}

/// What the view holds while it is attached.
pub struct ViewState {
    pub(crate) model: Arc<Model>,
    pub(crate) snapshot: Arc<dyn Snapshot>,
    pub(crate) as_of: UnixMillis,
    /// The identity as the last refresh left it, and its accounts as they are.
    pub(crate) record: IdentityRecord,
    /// One per identity attribute of the model, then manager, then lifecycle
    /// state, then proposals.
    pub(crate) slots: Vec<Slot>,
    /// Set for the time of a rule's call.
    pub(crate) rule: Option<RuleIndex>,
    /// Set while a rule about one account is asked: its place in the record.
    pub(crate) account: Option<usize>,
    /// Set while triggers are evaluated: what the past looked like.
    pub(crate) baseline: Option<Arc<Baseline>>,
    /// The identity's logical accounts, as this plan settles them.
    pub(crate) logical: Vec<LogicalAccount>,
    /// Set while policies are judged: what they judge.
    pub(crate) judged: Option<Arc<JudgedAccess>>,
    /// Whether entitlements may be read: from the access group on.
    pub(crate) access: bool,
    /// Set once this plan has settled the roles: those assigned and detected.
    pub(crate) roles: Option<(Vec<RoleAssignment>, Vec<RoleDetection>)>,
    /// How many changes of idr's own have led to what is worked out.
    pub(crate) chain: Chain,
    pub(crate) wake: Option<UnixMillis>,
    pub(crate) reads: Vec<ReadKey>,
    pub(crate) trace: Option<Vec<TraceEntry>>,
    /// What is being worked out, for the trace.
    pub(crate) topic: Option<Topic>,
}

impl TrackedView {
    /// Returns a view of `record` at `as_of`, with nothing settled yet.
    pub fn new(
        model: Arc<Model>,
        snapshot: Arc<dyn Snapshot>,
        as_of: UnixMillis,
        record: IdentityRecord,
    ) -> Self {
        let slots = vec![Slot::Unsettled; model.attributes.len() + 3];
        let state = ViewState {
            model,
            snapshot,
            as_of,
            record,
            slots,
            rule: None,
            account: None,
            baseline: None,
            logical: Vec::new(),
            judged: None,
            access: false,
            roles: None,
            chain: Chain::default(),
            wake: None,
            reads: Vec::new(),
            trace: None,
            topic: None,
        };
        Self {
            state: Some(Box::new(state)),
        }
    }

    /// Returns the instant of this plan.
    pub fn as_of(&self) -> UnixMillis {
        self.state().as_of
    }

    /// Returns the tenant's definitions.
    pub fn model(&self) -> &Arc<Model> {
        &self.state().model
    }

    /// Returns the identity as it was before this plan, and its accounts.
    pub fn record(&self) -> &IdentityRecord {
        &self.state().record
    }

    /// Says under which rule's grant the next reads are made; `None` for the
    /// built-in phases, which may read everything.
    pub fn read_as(&mut self, rule: Option<RuleIndex>) {
        self.state_mut().rule = rule;
    }

    /// Lets entitlements be read from now on: the access group has begun.
    pub fn open_entitlements(&mut self) {
        self.state_mut().access = true;
    }

    /// Lets roles be read from now on, as this plan has settled them.
    pub(crate) fn show_roles(&mut self, assigned: &[RoleAssignment], detected: &[RoleDetection]) {
        self.state_mut().roles = Some((assigned.to_vec(), detected.to_vec()));
    }

    /// Returns the assigned roles: as this plan has settled them, or else as the
    /// last one has.
    pub(crate) fn assigned_roles(&self) -> &[RoleAssignment] {
        let state = self.state();
        match &state.roles {
            Some((assigned, _)) => assigned,
            None => &state.record.identity.assigned,
        }
    }

    /// Returns the detected roles, likewise.
    pub(crate) fn detected_roles(&self) -> &[RoleDetection] {
        let state = self.state();
        match &state.roles {
            Some((_, detected)) => detected,
            None => &state.record.identity.detected,
        }
    }

    /// Shows triggers what the past looked like.
    pub fn show_baseline(&mut self, baseline: Option<Arc<Baseline>>) {
        self.state_mut().baseline = baseline;
    }

    /// Notes a moment at which an answer would change.
    pub(crate) fn note_wake(&mut self, moment: Option<UnixMillis>) {
        if planted::is(Bug::ForgetWakeUp) {
            return;
        }
        let state = self.state_mut();
        state.wake = sooner(state.wake, moment);
    }

    /// Takes the earliest moment noted so far at which an answer would change.
    pub fn take_wake(&mut self) -> Option<UnixMillis> {
        self.state_mut().wake.take()
    }

    /// Ends the view: returns the record, what was read of others (sorted,
    /// without repeats), and the wake-up noted since it was last taken.
    pub fn finish(mut self) -> (IdentityRecord, Vec<ReadKey>, Option<UnixMillis>) {
        let state = self
            .state
            .take()
            .expect("a view is finished once, while attached");
        let mut reads = state.reads;
        reads.sort();
        reads.dedup();
        (state.record, reads, state.wake)
    }

    pub(crate) fn state(&self) -> &ViewState {
        self.state
            .as_deref()
            .expect("a view is only read while attached")
    }

    pub(crate) fn state_mut(&mut self) -> &mut ViewState {
        self.state
            .as_deref_mut()
            .expect("a view is only read while attached")
    }

    /// Says whether the identity may have a unique value.
    pub(crate) fn availability(&self, claim: &Claim) -> Result<Availability, SnapshotError> {
        let own = Holder::Identity(self.state().record.identity.uid);
        Ok(match self.state().snapshot.holder(claim)? {
            None => Availability::Free,
            Some(holder) if holder == own => Availability::Own,
            Some(_) => Availability::Taken,
        })
    }

    pub(crate) fn note_read(&mut self, key: ReadKey) {
        let reads = &mut self.state_mut().reads;
        if !reads.contains(&key) {
            reads.push(key);
        }
    }
}
