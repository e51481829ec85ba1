//! What planning asks of a customer's rules, without knowing how they run.
//!
//! The host answers through WebAssembly components; tests answer with plain
//! functions. Whatever answers must give the same answer for the same reads.

use crate::definitions::RuleIndex;
pub use crate::model::Proposal;
use crate::model::{AccountStatus, Name, Value};
use crate::view::{AccountSummary, ReadError, TrackedView};

/// Runs the rules of one model. One per worker: it keeps instances.
///
/// The view is handed over for the time of the call; the evaluator may move it
/// out with `std::mem::take` as long as it puts it back.
pub trait RuleEvaluator {
    /// Asks a correlation rule whose the view's account is.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn correlate_account(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure>;

    /// Asks a creation rule which identity the view's account gives rise to.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn create_identity(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Creation, RuleFailure>;

    /// Asks a manager correlation rule whom the view's account names as the
    /// manager, `named` being the value of its manager attribute.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn correlate_manager(
        &mut self,
        rule: RuleIndex,
        named: &Value,
        view: &mut TrackedView,
    ) -> Result<Option<Lookup>, RuleFailure>;

    /// Asks a before-refresh rule which values of attributes it proposes.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn before_refresh(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure>;

    /// Asks an after-refresh rule which values of attributes it proposes for the
    /// next refresh.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn after_refresh(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure>;

    /// Asks a value-change rule which values of attributes it proposes for the
    /// next refresh, now that an attribute has changed.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn value_change(
        &mut self,
        rule: RuleIndex,
        change: ValueChange<'_>,
        view: &mut TrackedView,
    ) -> Result<Vec<Proposal>, RuleFailure>;

    /// Asks a promotion rule for the value of an identity attribute.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn promote(
        &mut self,
        rule: RuleIndex,
        attribute: Name,
        view: &mut TrackedView,
    ) -> Result<Promotion, RuleFailure>;

    /// Asks a lifecycle rule for the name of the state.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn lifecycle_state(
        &mut self,
        rule: RuleIndex,
        view: &mut TrackedView,
    ) -> Result<String, RuleFailure>;

    /// Asks an assignment rule about roles: one answer per candidate, in their order.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn assign(
        &mut self,
        rule: RuleIndex,
        candidates: &[Name],
        view: &mut TrackedView,
    ) -> Result<Vec<Eligibility>, RuleFailure>;

    /// Asks a trigger rule whether its event has happened since the baseline.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn fires(
        &mut self,
        rule: RuleIndex,
        trigger: Name,
        view: &mut TrackedView,
    ) -> Result<bool, RuleFailure>;

    /// Asks a logical-account rule for the identity's accounts in a logical
    /// application.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn compose_accounts(
        &mut self,
        rule: RuleIndex,
        application: Name,
        view: &mut TrackedView,
    ) -> Result<Vec<ComposedAccount>, RuleFailure>;

    /// Asks a policy rule how the access that the view shows breaks a policy.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn judge(
        &mut self,
        rule: RuleIndex,
        policy: Name,
        view: &mut TrackedView,
    ) -> Result<Vec<Breach>, RuleFailure>;

    /// Asks an account-selection rule which account is meant.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn select_account(
        &mut self,
        rule: RuleIndex,
        need: AccountNeed<'_>,
        view: &mut TrackedView,
    ) -> Result<AccountSelection, RuleFailure>;

    /// Asks a target-mapping rule what an attribute of an account should be.
    ///
    /// # Errors
    ///
    /// [`RuleFailure`], always about this rule and this call.
    fn map_target(
        &mut self,
        rule: RuleIndex,
        target: Target<'_>,
        view: &mut TrackedView,
    ) -> Result<Mapping, RuleFailure>;
}

/// Hands out rule evaluators, one per worker.
pub trait RuleHost: Send + Sync {
    /// Returns an evaluator; it may keep instances between calls.
    fn evaluator(&self) -> Box<dyn RuleEvaluator + Send>;

    /// Returns the sha256 of components that were caught answering differently
    /// on reused instances since the host was made.
    fn impure(&self) -> Vec<String>;
}

/// Whom a correlation rule looks for: the identity whose attribute has this
/// value, compared case-folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The identity attribute as the rule wrote it, or `name`.
    pub attribute: String,
    /// The value; never empty.
    pub value: String,
}

/// What a creation rule proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Creation {
    /// An identity. What is absent is as the application's configuration says.
    Create {
        /// Its name.
        name: Option<String>,
        /// The word for what kind of identity it is.
        identity_type: Option<String>,
    },
    /// None, and why.
    Skip(String),
}

/// How an identity attribute has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueChange<'a> {
    /// The attribute.
    pub attribute: &'a str,
    /// The value that it had, if it had one.
    pub old: Option<&'a Value>,
    /// The value that it has, if it has one.
    pub new: Option<&'a Value>,
}

/// What a promotion rule answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// The attribute gets this value.
    Set(Value),
    /// The attribute has no value.
    Clear,
    /// The rule has nothing to say: ask the next source.
    Next,
}

/// What an assignment rule answers for one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Eligibility {
    /// The identity should have the role.
    Yes,
    /// The identity shouldn't have the role by this rule.
    No,
    /// The rule can't say, and why: the role stays as it is.
    CannotTell(String),
}

/// An account of a logical application, as a rule composes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposedAccount {
    /// Its native identity; never empty.
    pub native_identity: String,
    /// Its status.
    pub status: AccountStatus,
    /// Its attributes as the rule wrote them, with their values.
    pub attributes: Vec<(String, Value)>,
    /// The accounts that it is made of, as application and native identity.
    pub parts: Vec<(String, String)>,
}

/// One way in which a policy is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// What is wrong, in the rule's words.
    pub description: String,
    /// What of the access breaks it.
    pub grants: Vec<BreachGrant>,
}

/// Something that somebody was given, as a rule names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BreachGrant {
    /// A role.
    Role(String),
    /// An entitlement.
    Entitlement {
        /// The application.
        application: String,
        /// The account attribute.
        attribute: String,
        /// Its value.
        value: String,
    },
}

/// What an account is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountNeed<'a> {
    /// The application.
    pub application: &'a str,
    /// The role that calls for it, if one does.
    pub role: Option<&'a str>,
    /// The accounts that could be meant, in order of native identity.
    pub candidates: &'a [AccountSummary],
    /// Whether a new account is possible.
    pub may_create: bool,
}

/// Which account is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountSelection {
    /// The candidate with this native identity.
    Existing(String),
    /// A new one.
    NewAccount,
    /// A person says which.
    Ask,
}

/// An attribute of an account that is worked out from the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The application.
    pub application: &'a str,
    /// The account attribute.
    pub attribute: &'a str,
    /// The account; none while it is yet to be created.
    pub native_identity: Option<&'a str>,
}

/// What an attribute of an account should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// This value.
    Set(Value),
    /// No value.
    Clear,
    /// Whatever it is.
    Leave,
}

/// Why a rule gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleFailure {
    /// A read stopped it. [`ReadError::Unsettled`] isn't a failure of the rule:
    /// planning settles what is missing and asks again.
    Read(ReadError),
    /// The rule itself failed.
    Failed {
        /// What kind of trouble it is, such as `rule-trapped`: stable, for scripts.
        cause: Name,
        /// The trouble in words.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// Set when the trouble may pass by itself (the host was too slow):
        /// ask again after that many milliseconds.
        retry_after_ms: Option<i64>,
    },
}

impl From<ReadError> for RuleFailure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}
