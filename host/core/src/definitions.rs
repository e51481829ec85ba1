//! A tenant's definitions, checked and ready: what a refresh goes by.
//!
//! The host's configuration room reads the tenant's directory into a
//! [`Model`]; planning, aggregation and the reports use it. A run stores the
//! files it was made from and keeps to them.

use std::fmt::Debug;
use std::sync::Arc;

use jiff::civil::Time;

use crate::filter::Filter;
use crate::model::{
    AccountOperation, EntitlementChange, Handler, IdentityType, Name, NativeOperation, UnixMillis,
    Value, ValueType,
};
use crate::time::Zone;
use crate::transform::Transform;
use crate::transform::derived::Secret;
use crate::transform::usernames::UsernameGenerator;

mod catalogue;
mod owners;
mod policies;
mod provisioning;
mod risk;
mod roles;

pub use catalogue::{Catalogue, CatalogueEntry};
pub use owners::Owners;
pub use policies::{Policies, Policy, PolicyAction, PolicyEntitlement, PolicyKind};
pub use provisioning::{
    AccountTemplate, ApplicationProvisioning, AttributeTarget, Mapping, ProvisioningSettings,
    TemplateAttribute,
};
pub use risk::{Band, CertificationRisk, EntitlementRisk, Risk, RiskFactors, RiskWeights};
pub use roles::Roles;

/// Everything that a tenant defines. All references between definitions are
/// resolved: names have been checked to exist.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The time zone of identities that name none.
    pub zone: Zone,
    /// When a day is over; none means 24:00.
    pub end_of_day: Option<Time>,
    /// What is kept of what identities were.
    pub history: History,
    /// Applications, sorted by name.
    pub applications: Vec<Application>,
    /// Identity attributes, sorted by name.
    pub attributes: Vec<AttributeDefinition>,
    /// The rule that proposes values of attributes before their sources are asked.
    pub before_refresh: Option<RuleIndex>,
    /// The rule that proposes values of attributes for the next refresh, from
    /// what this one has settled.
    pub after_refresh: Option<RuleIndex>,
    /// How managers are found.
    pub manager: Option<ManagerCorrelation>,
    /// The lifecycle states and what decides between them.
    pub lifecycle: Lifecycle,
    /// Roles, sorted by name.
    pub roles: Roles,
    /// The name of whoever is asked where somebody has no manager, or an application
    /// no owner.
    pub work_item_fallback: Option<String>,
    /// Who owns applications, roles and entitlements.
    pub owners: Owners,
    /// What entitlements are called.
    pub catalogue: Catalogue,
    /// What of everybody's access is called for.
    pub provisioning: ProvisioningSettings,
    /// Triggers, in the order in which they are evaluated.
    pub triggers: Vec<Trigger>,
    /// What nobody should have together, or be.
    pub policies: Policies,
    /// How risk is scored; it isn't when absent.
    pub risk: Option<Risk>,
    /// Named filters, sorted by name.
    pub populations: Vec<Population>,
    /// Uses of rule components, sorted by name.
    pub rules: Vec<Rule>,
    /// How much one run may change.
    pub thresholds: Thresholds,
    /// Whether some attribute is derived from the tenant's secret.
    pub needs_secret: bool,
    /// The tenant's secret, where planning needs it.
    pub secret: Option<Secret>,
    /// Counted by people: another secret is taken only with a higher one.
    pub secret_generation: u64,
}

/// What is kept of what identities were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Whether anything is.
    pub kept: bool,
    /// How long, in milliseconds; for ever when absent.
    pub keep_ms: Option<i64>,
}

/// An application that accounts are aggregated from.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its name.
    pub name: Name,
    /// The attributes of its accounts, sorted by name.
    pub schema: Vec<AccountAttribute>,
    /// How its accounts find their identity: tried in order, the first that
    /// finds somebody counts.
    pub correlation: Vec<CorrelationStep>,
    /// Set when accounts without an identity get one.
    pub creates: Option<IdentityCreation>,
    /// How long an account may be missing before it counts as vanished, in milliseconds.
    pub vanish_grace_ms: i64,
    /// Which native changes are recorded for triggers; none are without.
    pub native_changes: Option<NativeChangeDetection>,
    /// What is done about entitlements that its accounts gain or lose natively.
    pub native_entitlements: NativeEntitlements,
    /// Set when its accounts are made of accounts of other applications.
    pub logical: Option<LogicalApplication>,
    /// How its accounts are provisioned.
    pub provisioning: ApplicationProvisioning,
}

/// What accounts of a logical application are made of.
#[derive(Clone, Debug)]
pub struct LogicalApplication {
    /// The application whose accounts lead: without one there is no logical account.
    pub primary: Name,
    /// What puts them together.
    pub composition: Composition,
    /// Which attributes they have from their parts, sorted by name; also where
    /// what is to be changed of them is changed.
    pub attributes: Vec<LogicalAttribute>,
}

impl LogicalApplication {
    /// Returns the applications whose accounts are parts, as far as that is defined: a
    /// rule may take those of others as well.
    pub fn applications(&self) -> Vec<Name> {
        match &self.composition {
            Composition::Tiers(tiers) => tiers.iter().map(|tier| tier.application).collect(),
            Composition::Rule(_) => vec![self.primary],
        }
    }
}

/// What puts logical accounts together.
#[derive(Clone, Debug)]
pub enum Composition {
    /// An account of each tier; the primary one is among them.
    Tiers(Vec<Tier>),
    /// A rule, by its place in [`Model::rules`].
    Rule(RuleIndex),
}

/// A tier of a logical application.
#[derive(Clone, Debug)]
pub struct Tier {
    /// The application.
    pub application: Name,
    /// Which of its accounts qualify; all without.
    pub filter: Option<Filter>,
    /// Its attribute that has the value of an attribute of the primary tier's
    /// account, compared case-folded; any account goes with it without.
    pub matched: Option<(Name, Name)>,
}

/// An attribute of logical accounts, and where it comes from.
#[derive(Clone, Copy, Debug)]
pub struct LogicalAttribute {
    /// The attribute.
    pub name: Name,
    /// The application of the part.
    pub application: Name,
    /// The part's attribute.
    pub attribute: Name,
}

/// An attribute of an application's accounts.
#[derive(Clone, Debug)]
pub struct AccountAttribute {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub value_type: ValueType,
    /// Whether its values are entitlements.
    pub entitlement: bool,
    /// Whether its values are masked in logs, findings and recorded cases.
    pub sensitive: bool,
}

/// One way in which an account may find its identity.
#[derive(Clone, Copy, Debug)]
pub enum CorrelationStep {
    /// By one of its attributes.
    Match(CorrelationMatch),
    /// By what a rule says, by its place in [`Model::rules`].
    Rule(RuleIndex),
}

/// An account belongs to the identity whose attribute has the value of the
/// account's, compared case-folded.
#[derive(Clone, Copy, Debug)]
pub struct CorrelationMatch {
    /// The account attribute.
    pub account_attribute: Name,
    /// The identity attribute, or `name`.
    pub identity_attribute: Name,
}

/// How an authoritative application creates identities.
#[derive(Clone, Debug)]
pub struct IdentityCreation {
    /// Among authoritative applications, the lowest rank decides.
    pub rank: u32,
    /// The account attribute that gives the new identity its name.
    pub name_attribute: Name,
    /// What kind of identity is created.
    pub identity_type: IdentityType,
    /// The rule that may say otherwise, by its place in [`Model::rules`].
    pub rule: Option<RuleIndex>,
}

/// Which native changes of an application are recorded.
#[derive(Clone, Debug)]
pub struct NativeChangeDetection {
    /// The operations to record.
    pub operations: Vec<NativeOperation>,
    /// The attributes that count for a modification; all when empty.
    pub attributes: Vec<Name>,
}

/// What is done about entitlements that accounts gain or lose natively.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NativeEntitlements {
    /// About those gained.
    pub gain: NativeResponse,
    /// About those lost that roles call for.
    pub loss: NativeResponse,
}

impl Default for NativeEntitlements {
    fn default() -> Self {
        Self {
            gain: NativeResponse::Accept,
            loss: NativeResponse::Restore,
        }
    }
}

impl NativeEntitlements {
    /// Returns what is done about a change.
    pub fn response(self, change: EntitlementChange) -> NativeResponse {
        match change {
            EntitlementChange::Gained => self.gain,
            EntitlementChange::Lost => self.loss,
        }
    }
}

/// What is done about a native change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeResponse {
    /// It stays as the application has it.
    Accept,
    /// It is to be as it was before.
    Restore,
    /// Somebody is to decide.
    Raise,
}

impl NativeResponse {
    /// Every case with the word used in configuration.
    pub const ALL: [(&'static str, Self); 3] = [
        ("accept", Self::Accept),
        ("restore", Self::Restore),
        ("raise", Self::Raise),
    ];
}

/// An identity attribute and where its value comes from.
#[derive(Clone, Debug)]
pub struct AttributeDefinition {
    /// Its name.
    pub name: Name,
    /// Its type; what a source gives is converted to it.
    pub value_type: ValueType,
    /// The sources, tried in order.
    pub sources: Vec<Source>,
    /// Whether rules may propose a value, which counts before the sources.
    pub proposals: bool,
    /// The namespace within which no two identities ever have the same value,
    /// case-folded.
    pub unique: Option<Name>,
    /// The rule that is asked what to propose when the value has changed.
    pub on_change: Option<RuleIndex>,
    /// Whether and how long an edit by hand stays.
    pub edit_mode: EditMode,
    /// Whether its values are masked in logs, findings and recorded cases.
    pub sensitive: bool,
    /// The account attributes that follow it.
    pub targets: Vec<AttributeTarget>,
}

impl AttributeDefinition {
    /// Says whether only people give it a value: no source does, and no rule.
    pub(crate) fn is_unfed(&self) -> bool {
        self.sources.is_empty() && !self.proposals && self.unique.is_none()
    }
}

/// One source of an identity attribute.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where the value comes from.
    pub origin: Origin,
    /// What happens when the account is there and the field is blank.
    pub on_empty: OnEmpty,
    /// What happens when there is no account.
    pub on_no_account: OnNoAccount,
}

/// Where a source takes the value from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// An attribute of the identity's account in an application. Of several
    /// accounts the first in order of native identity that is present; without
    /// one, the first that is missing and hasn't vanished yet.
    Account {
        /// The application.
        application: Name,
        /// The account attribute.
        attribute: Name,
    },
    /// Always the same value.
    Static(Value),
    /// A promotion rule, by its place in [`Model::rules`].
    Rule(RuleIndex),
    /// What a native transform comes to.
    Transform(Arc<Transform>),
    /// The first free name of a generator. The attribute is unique.
    Usernames(Arc<UsernameGenerator>),
}

/// What a source's blank field means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnEmpty {
    /// Ask the next source; when none has a value the attribute is cleared.
    #[default]
    Next,
    /// Clear the attribute.
    Clear,
}

/// What a source without an account means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnNoAccount {
    /// Ask the next source; when no source has an account the value is kept.
    #[default]
    Next,
    /// Keep the value.
    Keep,
    /// Clear the attribute.
    Clear,
}

/// Whether a person may edit an attribute, and how long the edit stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EditMode {
    /// Nobody edits it.
    #[default]
    ReadOnly,
    /// An edit stays until somebody takes it back.
    Permanent,
    /// An edit stays while the sources say what they said when it was made.
    UntilFeedChanges,
}

/// How managers are found: first by what the rule makes of the account's value,
/// then the manager is the identity whose attribute has it, compared case-folded.
#[derive(Clone, Debug)]
pub struct ManagerCorrelation {
    /// Account attributes that name the manager: asked in order as sources are.
    pub sources: Vec<(Name, Name)>,
    /// The rule that is asked first, by its place in [`Model::rules`].
    pub rule: Option<RuleIndex>,
    /// The identity attribute that is compared, or `name`; without it only the
    /// rule finds anybody.
    pub identity_attribute: Option<Name>,
}

/// The lifecycle states and the rule that decides between them.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// The states, sorted by name.
    pub states: Vec<LifecycleState>,
    /// The rule; without one everybody is in `default_state`.
    pub rule: Option<RuleIndex>,
    /// The state without a rule.
    pub default_state: Option<Name>,
}

/// What a lifecycle state does.
#[derive(Clone, Debug)]
pub struct LifecycleState {
    /// Its name.
    pub name: Name,
    /// Whether identities in it count as inactive.
    pub inactive: bool,
    /// What becomes of roles assigned by rule.
    pub automatic_roles: AutomaticRoles,
    /// What becomes of roles that people have assigned.
    pub requested_roles: RequestedRoles,
    /// Roles that everybody in it has, sorted.
    pub roles: Vec<Name>,
    /// What it does with accounts.
    pub accounts: Vec<StateAction>,
}

/// What a lifecycle state does with accounts of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateAction {
    /// The application.
    pub application: Name,
    /// What it does.
    pub operation: AccountOperation,
    /// Where it moves them: the end of their native identity.
    pub to: Option<String>,
    /// How long after the state was taken, in milliseconds.
    pub after_ms: i64,
}

/// What becomes of roles that people have assigned while in a lifecycle state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestedRoles {
    /// They stay.
    #[default]
    Keep,
    /// They are taken away, and given back when the state ends.
    Remove,
}

/// What becomes of roles assigned by rule while in a lifecycle state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutomaticRoles {
    /// The selectors decide.
    #[default]
    Evaluate,
    /// They stay as they are.
    Freeze,
    /// They go.
    Remove,
}

/// A role.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its name.
    pub name: Name,
    /// What may be done with it.
    pub role_type: RoleType,
    /// Whether nobody has it, whatever else is said.
    pub disabled: bool,
    /// When it comes into use; it always was when absent.
    pub active_from: Option<UnixMillis>,
    /// When it goes out of use; never when absent.
    pub active_until: Option<UnixMillis>,
    /// Who gets it assigned; nobody without.
    pub selector: Option<Selector>,
    /// Roles that whoever has it should have, sorted; inherited ones included.
    pub requires: Vec<Name>,
    /// Roles that whoever has it may be given on top, sorted; inherited ones included.
    pub permits: Vec<Name>,
    /// What accounts must hold for it to be detected: each of these, its own
    /// and the inherited ones. Without any it is never detected.
    pub detection: Vec<ProfileSet>,
    /// What its profiles on logical accounts ask of the accounts that these are
    /// made of: called for, and never detected.
    pub parts: Vec<Profile>,
    /// What it adds to the risk of whoever has it, in points.
    pub risk_weight: u32,
}

impl Role {
    /// Says whether it is in use at an instant.
    pub fn is_in_use(&self, at: UnixMillis) -> bool {
        !self.disabled
            && self.active_from.is_none_or(|from| from <= at)
            && self.active_until.is_none_or(|until| at < until)
    }

    /// Returns the profiles that must hold. Of alternatives nobody can say which.
    pub fn certain_profiles(&self) -> impl Iterator<Item = &Profile> {
        let sets = self.detection.iter();
        let sets = sets.filter(|set| !set.any || set.profiles.len() == 1);
        sets.flat_map(|set| &set.profiles)
    }

    /// Returns all its profiles, inherited ones included.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.detection.iter().flat_map(|set| &set.profiles)
    }
}

/// What may be done with roles of a type: the flags of IdentityIQ's role types,
/// said positively.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleType {
    /// Its name.
    pub name: Name,
    /// Whether a selector may assign them.
    pub selector: bool,
    /// Whether a person may assign them.
    pub manual: bool,
    /// Whether they may require others.
    pub requirements: bool,
    /// Whether they may permit others.
    pub permits: bool,
    /// Whether they have profiles.
    pub profiles: bool,
    /// Whether they are detected from what accounts hold.
    pub detection: Detection,
    /// Whether others may require them.
    pub required: bool,
    /// Whether others may permit them.
    pub permitted: bool,
}

/// When roles of a type are detected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detection {
    /// Never.
    #[default]
    Never,
    /// When an assigned role requires or permits them.
    IfAssigned,
    /// Whenever accounts hold what their profiles ask for.
    Always,
}

impl RoleType {
    /// Returns a type with this name with which nothing may be done.
    pub fn new(name: &str) -> Self {
        Self {
            name: Name::new(name),
            selector: false,
            manual: false,
            requirements: false,
            permits: false,
            profiles: false,
            detection: Detection::Never,
            required: false,
            permitted: false,
        }
    }

    /// Returns the type of roles that only hand down what they have to others.
    pub fn organizational() -> Self {
        Self::new("organizational")
    }

    /// Returns the type of roles that are assigned to people by what they do.
    pub fn business() -> Self {
        Self {
            selector: true,
            manual: true,
            requirements: true,
            permits: true,
            ..Self::new("business")
        }
    }

    /// Returns the type of roles that are detected from what accounts hold.
    pub fn it() -> Self {
        Self {
            profiles: true,
            detection: Detection::Always,
            required: true,
            permitted: true,
            ..Self::new("it")
        }
    }

    /// Returns the older type of IT role, for one application.
    pub fn entitlement() -> Self {
        Self {
            name: Name::new("entitlement"),
            ..Self::it()
        }
    }

    /// Returns every type that needs no definition.
    pub fn built_in() -> [Self; 4] {
        [
            Self::organizational(),
            Self::business(),
            Self::it(),
            Self::entitlement(),
        ]
    }
}

/// Who gets a business role.
#[derive(Clone, Debug)]
pub enum Selector {
    /// Whoever has, for each attribute, one of its values.
    MatchList(Vec<(Name, Vec<String>)>),
    /// Whoever the filter lets through.
    Filter(Filter),
    /// The members of a population, by its place in [`Model::populations`].
    Population(usize),
    /// Whoever a rule says, by its place in [`Model::rules`].
    Rule(RuleIndex),
}

/// Profiles of one role.
#[derive(Clone, Debug)]
pub struct ProfileSet {
    /// Whether one of them is enough; otherwise each is needed.
    pub any: bool,
    /// The profiles, each satisfied by one account; never empty.
    pub profiles: Vec<Profile>,
}

/// What one account must hold.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The application of the account.
    pub application: Name,
    /// For each entitlement attribute the values that the account must all hold.
    pub entitlements: Vec<(Name, Vec<String>)>,
    /// What else must be so of the account: its attributes, `nativeIdentity`, `status`.
    pub filter: Option<Filter>,
}

/// A named filter over identities.
#[derive(Clone, Debug)]
pub struct Population {
    /// Its name.
    pub name: Name,
    /// Who belongs to it.
    pub filter: Filter,
}

/// Something that is to be noticed about identities.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// Its name.
    pub name: Name,
    /// What it watches for: any of these.
    pub conditions: Vec<TriggerCondition>,
    /// Only identities that this lets through, as they are now.
    pub included: Option<Filter>,
    /// Only identities of which this assignment rule says yes, asked about a
    /// candidate with the trigger's name.
    pub included_rule: Option<RuleIndex>,
    /// Only identities that this lets through, as they were.
    pub included_before: Option<Filter>,
    /// What happens when it has fired.
    pub handlers: Vec<Handler>,
    /// How many events one run may fire; a percentage is of all identities.
    pub threshold: Option<Bound>,
    /// Fingerprint of the definition.
    pub digest: u64,
}

/// What a trigger watches for.
#[derive(Clone, Debug)]
pub enum TriggerCondition {
    /// The identity is seen for the first time.
    Create,
    /// An attribute has changed.
    AttributeChange {
        /// The identity attribute, or `name` or `inactive`.
        attribute: Name,
        /// What the old value must be like (`value` in the filter).
        old: Option<Filter>,
        /// What the new value must be like (`value` in the filter).
        new: Option<Filter>,
    },
    /// The manager has changed, also to or from nobody.
    ManagerTransfer {
        /// What the old manager's name must be like (`value` in the filter).
        old: Option<Filter>,
        /// What the new manager's name must be like (`value` in the filter).
        new: Option<Filter>,
    },
    /// The lifecycle state has changed.
    LifecycleChange {
        /// From this state; from any when absent.
        from: Option<Name>,
        /// To this state; to any when absent.
        to: Option<Name>,
    },
    /// An account was changed natively.
    NativeChange {
        /// In this application; in any when absent.
        application: Option<Name>,
    },
    /// A rule says so, by its place in [`Model::rules`]: fired when its answer
    /// turns from false to true.
    Rule(RuleIndex),
}

/// The place of a rule in [`Model::rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleIndex(pub usize);

/// One use of a rule component.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The name by which definitions refer to it.
    pub name: Name,
    /// The component's sha256, in lower-case hexadecimal.
    pub sha256: String,
    /// What it may read.
    pub grant: Grant,
    /// What the tenant passes to it, sorted by name.
    pub parameters: Vec<(Name, Value)>,
    /// What one evaluation may use.
    pub limits: RuleLimits,
    /// Whether instances are used again.
    pub isolation: Isolation,
}

/// Whether a rule's instances are used for several evaluations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// They are, and what that changes is found out.
    #[default]
    Reuse,
    /// Each evaluation has an instance of its own.
    Call,
}

/// What a rule may read. Reserved names need no grant.
#[derive(Clone, Debug, Default)]
pub struct Grant {
    /// Identity attributes.
    pub attributes: Vec<Name>,
    /// Attributes of the manager.
    pub manager_attributes: Vec<Name>,
    /// Applications with the account attributes that may be read.
    pub accounts: Vec<(Name, Vec<Name>)>,
    /// Applications with the entitlement attributes that may be read.
    pub entitlements: Vec<(Name, Vec<Name>)>,
    /// Identity attributes by which correlation rules look people up.
    pub lookups: Vec<Name>,
    /// Everything, including names that don't exist: for cases run without a tenant.
    pub everything: bool,
}

impl Grant {
    /// Says whether something may be read that is meant: identity attributes (the
    /// manager's, too), or account attributes of applications.
    pub fn reads_any(
        &self,
        is_meant: impl Fn(Name) -> bool,
        is_meant_of: impl Fn(Name, Name) -> bool,
    ) -> bool {
        let mut attributes = self.attributes.iter().chain(&self.manager_attributes);
        let mut accounts = self.accounts.iter().chain(&self.entitlements);
        attributes.any(|name| is_meant(*name))
            || accounts.any(|(application, names)| {
                names.iter().any(|name| is_meant_of(*application, *name))
            })
    }
}

/// What one evaluation of a rule may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleLimits {
    /// Wasmtime fuel; the contract.
    pub fuel: u64,
    /// Wall time in milliseconds; the safety net, never a verdict.
    pub time_ms: u64,
    /// Linear memory in bytes.
    pub memory_bytes: usize,
    /// Bytes passed between host and rule in one evaluation.
    pub transfer_bytes: usize,
    /// Bytes of texts in one answer.
    pub output_bytes: usize,
    /// Log lines kept of one evaluation.
    pub log_lines: usize,
    /// Log lines kept of all evaluations of the rule in one run.
    pub log_lines_per_run: usize,
}

impl Default for RuleLimits {
    fn default() -> Self {
        Self {
            fuel: 50_000_000,
            time_ms: 1_000,
            memory_bytes: 64 << 20,
            transfer_bytes: 1 << 20,
            output_bytes: 64 << 10,
            log_lines: 20,
            log_lines_per_run: 1_000,
        }
    }
}

/// How much one run may change before a person is asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Thresholds {
    /// Identities that turn inactive; a percentage is of the active ones.
    pub leavers: Option<Bound>,
    /// Identities that lose an assigned role; a percentage is of those that have one.
    pub role_removals: Option<Bound>,
    /// Identities whose state newly calls for an account to be disabled; a
    /// percentage is of all.
    pub account_disables: Option<Bound>,
    /// Identities whose state newly calls for an account to be deleted; a
    /// percentage is of all.
    pub account_deletions: Option<Bound>,
    /// Identities for whom an account is newly to be created; a percentage is of
    /// all.
    pub account_creations: Option<Bound>,
    /// Identities from whom an entitlement is newly to be taken away; a
    /// percentage is of all.
    pub entitlement_removals: Option<Bound>,
}

/// A threshold, what it counts over, and what happens when it trips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// How many are allowed.
    pub limit: Threshold,
    /// Runs count whose instant is less than so many milliseconds ago; only the
    /// run itself when absent.
    pub window_ms: Option<i64>,
    /// What is held for a person.
    pub on_trip: OnTrip,
}

/// What a threshold that trips holds for a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnTrip {
    /// The run.
    #[default]
    HoldRun,
    /// Whoever would change in that way; the run goes on with the others.
    HoldKind,
}

/// A bound on how many identities one run may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// That many.
    Count(u64),
    /// That many hundredths of a percent of all identities that it could apply to.
    BasisPoints(u32),
}

impl Threshold {
    /// Returns the number of identities that are still allowed, of `population`.
    ///
    /// A percentage is rounded down, but never to nobody: one change in a small
    /// organisation isn't a catastrophe.
    pub fn allowed(self, population: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::BasisPoints(points) => (population * u64::from(points) / 10_000).max(1),
        }
    }
}

/// Names that are read like identity attributes but can't be defined.
pub const RESERVED: [&str; 6] = [
    "name",
    "uid",
    "manager",
    "lifecycleState",
    "inactive",
    "zone",
];

impl Model {
    /// Returns the place of an identity attribute in [`Model::attributes`].
    pub fn attribute_index(&self, name: Name) -> Option<usize> {
        name.place_in(&self.attributes, |known| known.name)
    }

    /// Says whether roles and synchronisation call for changes of accounts.
    pub fn provisions(&self) -> bool {
        self.applications.iter().any(Application::is_provisioned)
    }

    /// Returns the namespaces of unique values, sorted.
    pub fn namespaces(&self) -> Vec<Name> {
        let attributes = self.attributes.iter();
        let mut namespaces: Vec<Name> = attributes.filter_map(|known| known.unique).collect();
        let templates = self.applications.iter();
        let templates = templates.filter_map(|known| known.provisioning.template.as_ref());
        namespaces.extend(templates.filter_map(|template| template.unique));
        namespaces.sort();
        namespaces.dedup();
        namespaces
    }

    /// Returns an application.
    pub fn application(&self, name: Name) -> Option<&Application> {
        let place = name.place_in(&self.applications, |known| known.name)?;
        Some(&self.applications[place])
    }

    /// Returns a lifecycle state.
    pub fn state(&self, name: Name) -> Option<&LifecycleState> {
        let place = name.place_in(&self.lifecycle.states, |known| known.name)?;
        Some(&self.lifecycle.states[place])
    }

    /// Returns a role.
    pub fn role(&self, name: Name) -> Option<&Role> {
        self.roles.get(name)
    }

    /// Returns a rule.
    pub fn rule(&self, index: RuleIndex) -> &Rule {
        &self.rules[index.0]
    }

    /// Returns the identity attributes (and `name`) that somebody is looked up
    /// by, sorted: the store keeps an index of their values.
    pub fn lookup_attributes(&self) -> Vec<Name> {
        let mut names = vec![Name::new("name")];
        let manager = self.manager.iter();
        names.extend(manager.filter_map(|manager| manager.identity_attribute));
        for application in &self.applications {
            let steps = application.correlation.iter();
            names.extend(steps.filter_map(|step| match step {
                CorrelationStep::Match(matched) => Some(matched.identity_attribute),
                CorrelationStep::Rule(_) => None,
            }));
        }
        names.extend(self.rules.iter().flat_map(|rule| &rule.grant.lookups));
        names.sort();
        names.dedup();
        names
    }

    /// Returns a fingerprint of how an application's accounts find their
    /// identity. A rule counts with what it is and may do, not with its place.
    pub fn correlation_digest(&self, application: &Application) -> u64 {
        let steps = application.correlation.iter();
        let steps: Vec<_> = steps
            .map(|step| match step {
                CorrelationStep::Match(matched) => (Some(matched), None),
                CorrelationStep::Rule(rule) => (None, Some(self.rule(*rule))),
            })
            .collect();
        digest(&steps)
    }

    /// Returns a fingerprint of everything that can change what is planned for
    /// anybody, apart from roles, owners and triggers, which have their own.
    pub fn common_digest(&self) -> u64 {
        let common = digest(&(
            (
                &self.zone,
                (self.end_of_day, self.history.kept),
                &self.applications,
                &self.attributes,
            ),
            (
                &self.manager,
                (&self.before_refresh, &self.after_refresh),
                &self.lifecycle,
                &self.populations,
                (&self.rules, self.provisioning),
            ),
        ));
        match &self.work_item_fallback {
            None => common,
            Some(fallback) => digest(&(common, fallback)),
        }
    }
}

impl Application {
    /// Says whether roles and synchronisation call for changes of its accounts.
    pub fn is_provisioned(&self) -> bool {
        self.provisioning.is_on
    }

    /// Returns the attributes whose values are entitlements, sorted.
    pub fn entitlements(&self) -> impl Iterator<Item = Name> {
        let entitlements = self.schema.iter().filter(|known| known.entitlement);
        entitlements.map(|known| known.name)
    }

    /// Returns an attribute of the application's accounts.
    pub fn attribute(&self, name: Name) -> Option<&AccountAttribute> {
        let index = self
            .schema
            .binary_search_by(|known| known.name.cmp(&name))
            .ok()?;
        Some(&self.schema[index])
    }
}

/// Returns a fingerprint of a definition: equal definitions have equal ones,
/// on every machine. It may change with a new version of the program, which
/// then makes due whom the definition concerns.
pub fn digest(definition: &impl Debug) -> u64 {
    xxhash_rust::xxh3::xxh3_64(format!("{definition:?}").as_bytes())
}
