//! The kinds of rule, and what is asked of them.

use std::fmt;

use idr_core::model::Value;
use idr_core::rule::{
    AccountNeed, AccountSelection, Breach, BreachGrant, ComposedAccount, Creation, Eligibility,
    Lookup, Mapping, Promotion, Proposal, Target, ValueChange,
};

use super::error::MASKED;

/// What a rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// Whose an account is.
    AccountCorrelation,
    /// Which identity an account gives rise to.
    IdentityCreation,
    /// Which values of attributes are proposed.
    BeforeRefresh,
    /// The value of an identity attribute.
    AttributePromotion,
    /// Whom an account names as the manager.
    ManagerCorrelation,
    /// The lifecycle state.
    LifecycleState,
    /// Who is eligible for which role.
    RoleAssignment,
    /// Whether an event has happened.
    IdentityTrigger,
    /// Which values of attributes are proposed now that one has changed.
    ValueChange,
    /// Which values of attributes are proposed for the next refresh.
    AfterRefresh,
    /// Which logical accounts somebody's accounts make.
    LogicalAccount,
    /// How access breaks a policy.
    Policy,
    /// Which account is meant.
    AccountSelection,
    /// What an attribute of an account should be.
    TargetMapping,
}

/// The kinds that are about what is settled of an identity.
pub(super) const ABOUT_AN_IDENTITY: &[RuleKind] = &[
    RuleKind::BeforeRefresh,
    RuleKind::AttributePromotion,
    RuleKind::LifecycleState,
    RuleKind::RoleAssignment,
    RuleKind::IdentityTrigger,
    RuleKind::ValueChange,
    RuleKind::AfterRefresh,
    RuleKind::Policy,
    RuleKind::AccountSelection,
    RuleKind::TargetMapping,
];

/// The kinds that are about a single account.
pub(super) const ABOUT_AN_ACCOUNT: &[RuleKind] = &[
    RuleKind::AccountCorrelation,
    RuleKind::IdentityCreation,
    RuleKind::ManagerCorrelation,
];

impl RuleKind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 14] = [
        Self::AccountCorrelation,
        Self::IdentityCreation,
        Self::BeforeRefresh,
        Self::AttributePromotion,
        Self::ManagerCorrelation,
        Self::LifecycleState,
        Self::RoleAssignment,
        Self::IdentityTrigger,
        Self::ValueChange,
        Self::AfterRefresh,
        Self::LogicalAccount,
        Self::Policy,
        Self::AccountSelection,
        Self::TargetMapping,
    ];

    /// Returns the name of the interface that a rule of this kind exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountCorrelation => "account-correlation",
            Self::IdentityCreation => "identity-creation",
            Self::BeforeRefresh => "before-refresh",
            Self::AttributePromotion => "attribute-promotion",
            Self::ManagerCorrelation => "manager-correlation",
            Self::LifecycleState => "lifecycle-state",
            Self::RoleAssignment => "role-assignment",
            Self::IdentityTrigger => "identity-trigger",
            Self::ValueChange => "value-change",
            Self::AfterRefresh => "after-refresh",
            Self::LogicalAccount => "logical-account",
            Self::Policy => "policy",
            Self::AccountSelection => "account-selection",
            Self::TargetMapping => "target-mapping",
        }
    }

    /// Says whether it is about a single account, and not about an identity.
    pub(super) fn is_about_an_account(self) -> bool {
        ABOUT_AN_ACCOUNT.contains(&self)
    }

    /// Returns the kind with this interface name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for RuleKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// One question to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question<'a> {
    /// Whose is the account?
    CorrelateAccount,
    /// Which identity does the account give rise to?
    CreateIdentity,
    /// Whom does this value of the account's manager attribute mean?
    CorrelateManager(&'a Value),
    /// Which values of attributes are proposed before the refresh?
    BeforeRefresh,
    /// What is the value of this identity attribute?
    Promote(&'a str),
    /// What is the lifecycle state?
    State,
    /// Which of these roles is the identity eligible for?
    Assign(&'a [String]),
    /// Has this trigger's event happened?
    Fires(&'a str),
    /// Which values of attributes are proposed now that this has changed?
    ValueChange(ValueChange<'a>),
    /// Which values of attributes are proposed for the next refresh?
    AfterRefresh,
    /// Which accounts are there in this logical application?
    Compose(&'a str),
    /// How is this policy broken?
    Judge(&'a str),
    /// Which account is meant?
    SelectAccount(AccountNeed<'a>),
    /// What should this attribute of an account be?
    MapTarget(Target<'a>),
}

impl Question<'_> {
    /// Returns the kind of rule that answers it.
    pub fn kind(&self) -> RuleKind {
        match self {
            Self::CorrelateAccount => RuleKind::AccountCorrelation,
            Self::CreateIdentity => RuleKind::IdentityCreation,
            Self::CorrelateManager(_) => RuleKind::ManagerCorrelation,
            Self::BeforeRefresh => RuleKind::BeforeRefresh,
            Self::Promote(_) => RuleKind::AttributePromotion,
            Self::State => RuleKind::LifecycleState,
            Self::Assign(_) => RuleKind::RoleAssignment,
            Self::Fires(_) => RuleKind::IdentityTrigger,
            Self::ValueChange(_) => RuleKind::ValueChange,
            Self::AfterRefresh => RuleKind::AfterRefresh,
            Self::Compose(_) => RuleKind::LogicalAccount,
            Self::Judge(_) => RuleKind::Policy,
            Self::SelectAccount(_) => RuleKind::AccountSelection,
            Self::MapTarget(_) => RuleKind::TargetMapping,
        }
    }
}

impl Question<'_> {
    /// Returns what its texts take, in bytes; values are counted as they are passed.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Promote(name) | Self::Fires(name) | Self::Compose(name) | Self::Judge(name) => {
                name.len()
            }
            Self::SelectAccount(need) => {
                let candidates = need.candidates.iter();
                let candidates: usize = candidates
                    .map(|account| 16 + account.native_identity.len())
                    .sum();
                need.application.len() + need.role.map_or(0, str::len) + candidates
            }
            Self::MapTarget(target) => {
                let account = target.native_identity.map_or(0, str::len);
                target.application.len() + target.attribute.len() + account
            }
            Self::ValueChange(change) => change.attribute.len(),
            Self::Assign(candidates) => candidates.iter().map(|role| 16 + role.len()).sum(),
            Self::CorrelateAccount
            | Self::CreateIdentity
            | Self::CorrelateManager(_)
            | Self::BeforeRefresh
            | Self::AfterRefresh
            | Self::State => 0,
        }
    }
}

/// Says what the rule is used for, as errors name it.
impl fmt::Display for Question<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promote(attribute) => write!(formatter, "attribute-promotion of `{attribute}`"),
            Self::ValueChange(change) => {
                write!(formatter, "value-change of `{}`", change.attribute)
            }
            Self::CorrelateAccount
            | Self::CreateIdentity
            | Self::CorrelateManager(_)
            | Self::BeforeRefresh
            | Self::AfterRefresh
            | Self::State => self.kind().fmt(formatter),
            Self::Assign(roles) if roles.len() == 1 => {
                write!(formatter, "role-assignment of `{}`", roles[0])
            }
            Self::Assign(roles) => write!(formatter, "role-assignment of {} roles", roles.len()),
            Self::Fires(trigger) => write!(formatter, "identity-trigger `{trigger}`"),
            Self::Compose(application) => {
                write!(formatter, "logical-account of `{application}`")
            }
            Self::Judge(policy) => write!(formatter, "policy `{policy}`"),
            Self::SelectAccount(need) => {
                write!(formatter, "account-selection in `{}`", need.application)
            }
            Self::MapTarget(target) => write!(
                formatter,
                "target-mapping of `{}` in `{}`",
                target.attribute, target.application
            ),
        }
    }
}

/// A rule's answer, checked: everything in it is in range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To [`Question::CorrelateAccount`] and [`Question::CorrelateManager`].
    Lookup(Option<Lookup>),
    /// To [`Question::CreateIdentity`].
    Creation(Creation),
    /// To [`Question::BeforeRefresh`], [`Question::ValueChange`] and
    /// [`Question::AfterRefresh`].
    Proposals(Vec<Proposal>),
    /// To [`Question::Promote`].
    Promotion(Promotion),
    /// To [`Question::State`].
    State(String),
    /// To [`Question::Assign`]: one per role, in their order.
    Eligibilities(Vec<Eligibility>),
    /// To [`Question::Fires`].
    Fires(bool),
    /// To [`Question::Compose`].
    Composed(Vec<ComposedAccount>),
    /// To [`Question::Judge`].
    Breaches(Vec<Breach>),
    /// To [`Question::SelectAccount`].
    Selection(AccountSelection),
    /// To [`Question::MapTarget`].
    Mapping(Mapping),
}

impl Answer {
    /// Returns it without the rule's own words, for a rule that may read what
    /// nobody is to be shown.
    pub(super) fn masked(self) -> Self {
        match self {
            Self::Eligibilities(answers) => {
                let masked = answers.into_iter().map(|answer| match answer {
                    Eligibility::CannotTell(_) => Eligibility::CannotTell(MASKED.to_owned()),
                    Eligibility::Yes | Eligibility::No => answer,
                });
                Self::Eligibilities(masked.collect())
            }
            Self::Breaches(breaches) => {
                let masked = breaches.into_iter().map(|breach| Breach {
                    description: MASKED.to_owned(),
                    ..breach
                });
                Self::Breaches(masked.collect())
            }
            Self::Creation(Creation::Skip(_)) => Self::Creation(Creation::Skip(MASKED.to_owned())),
            other => other,
        }
    }

    /// Returns what its texts take, in bytes.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Lookup(lookup) => lookup
                .as_ref()
                .map_or(0, |lookup| lookup.attribute.len() + lookup.value.len()),
            Self::Creation(Creation::Create {
                name,
                identity_type,
            }) => [name, identity_type]
                .into_iter()
                .flatten()
                .map(String::len)
                .sum(),
            Self::Creation(Creation::Skip(why)) => why.len(),
            Self::Proposals(proposals) => proposals.iter().map(proposal_bytes).sum(),
            Self::Promotion(Promotion::Set(value)) => value_bytes(value),
            Self::Promotion(Promotion::Clear | Promotion::Next) | Self::Fires(_) => 0,
            Self::State(state) => state.len(),
            Self::Eligibilities(answers) => answers.iter().map(eligibility_bytes).sum(),
            Self::Composed(accounts) => accounts.iter().map(composed_bytes).sum(),
            Self::Breaches(breaches) => breaches.iter().map(breach_bytes).sum(),
            Self::Selection(AccountSelection::Existing(native_identity)) => native_identity.len(),
            Self::Selection(AccountSelection::NewAccount | AccountSelection::Ask) => 0,
            Self::Mapping(Mapping::Set(value)) => value_bytes(value),
            Self::Mapping(Mapping::Clear | Mapping::Leave) => 0,
        }
    }
}

fn proposal_bytes(proposal: &Proposal) -> usize {
    proposal.attribute.len() + proposal.value.as_ref().map_or(0, value_bytes)
}

fn composed_bytes(account: &ComposedAccount) -> usize {
    let attributes = account.attributes.iter();
    let attributes: usize = attributes
        .map(|(name, value)| name.len() + value_bytes(value))
        .sum();
    let parts = account.parts.iter();
    let parts: usize = parts.map(|(name, native)| name.len() + native.len()).sum();
    account.native_identity.len() + attributes + parts
}

fn breach_bytes(breach: &Breach) -> usize {
    let grants = breach.grants.iter().map(|grant| match grant {
        BreachGrant::Role(role) => role.len(),
        BreachGrant::Entitlement {
            application,
            attribute,
            value,
        } => application.len() + attribute.len() + value.len(),
    });
    breach.description.len() + grants.sum::<usize>()
}

fn eligibility_bytes(eligibility: &Eligibility) -> usize {
    match eligibility {
        Eligibility::CannotTell(why) => why.len(),
        Eligibility::Yes | Eligibility::No => 0,
    }
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Many(texts) => texts.iter().map(|text| text.len()).sum(),
        Value::Integer(_)
        | Value::Decimal(_)
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Instant(_) => 0,
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(None) => formatter.write_str("nobody"),
            Self::Lookup(Some(lookup)) => {
                write!(
                    formatter,
                    "whose {} is {:?}",
                    lookup.attribute, lookup.value
                )
            }
            Self::Proposals(proposals) => {
                let words: Vec<String> = proposals.iter().map(spoken_proposal).collect();
                write!(formatter, "[{}]", words.join(", "))
            }
            Self::Creation(creation) => formatter.write_str(&spoken_creation(creation)),
            Self::Promotion(Promotion::Set(value)) => {
                write!(formatter, "set {}", spoken_value(value))
            }
            Self::Promotion(Promotion::Clear) => formatter.write_str("clear"),
            Self::Promotion(Promotion::Next) => formatter.write_str("next"),
            Self::State(state) => formatter.write_str(state),
            Self::Eligibilities(answers) => {
                let words: Vec<String> = answers.iter().map(spoken_eligibility).collect();
                write!(formatter, "[{}]", words.join(", "))
            }
            Self::Fires(fires) => fires.fmt(formatter),
            Self::Composed(accounts) => {
                let words: Vec<String> = accounts.iter().map(spoken_composed).collect();
                write!(formatter, "[{}]", words.join(", "))
            }
            Self::Breaches(breaches) => {
                let words: Vec<String> = breaches.iter().map(spoken_breach).collect();
                write!(formatter, "[{}]", words.join(", "))
            }
            Self::Selection(AccountSelection::Existing(native_identity)) => {
                write!(formatter, "existing {native_identity:?}")
            }
            Self::Selection(AccountSelection::NewAccount) => formatter.write_str("new-account"),
            Self::Selection(AccountSelection::Ask) => formatter.write_str("ask"),
            Self::Mapping(Mapping::Set(value)) => {
                write!(formatter, "set {}", spoken_value(value))
            }
            Self::Mapping(Mapping::Clear) => formatter.write_str("clear"),
            Self::Mapping(Mapping::Leave) => formatter.write_str("leave"),
        }
    }
}

/// Returns a logical account in words.
pub(super) fn spoken_composed(account: &ComposedAccount) -> String {
    let attributes = account.attributes.iter();
    let attributes = attributes.map(|(name, value)| format!("{name} = {}", spoken_value(value)));
    let parts = account.parts.iter();
    let parts = parts.map(|(application, native)| format!("{application}/{native}"));
    format!(
        "{:?} {} {{{}}} of {}",
        account.native_identity,
        account.status.as_str(),
        attributes.collect::<Vec<_>>().join(", "),
        parts.collect::<Vec<_>>().join(" and ")
    )
}

/// Returns a breach of a policy in words.
pub(super) fn spoken_breach(breach: &Breach) -> String {
    let grants = breach.grants.iter().map(|grant| match grant {
        BreachGrant::Role(role) => format!("role {role}"),
        BreachGrant::Entitlement {
            application,
            attribute,
            value,
        } => format!("{application} {attribute} {value}"),
    });
    let grants: Vec<String> = grants.collect();
    format!("{:?} by {}", breach.description, grants.join(" and "))
}

fn spoken_proposal(proposal: &Proposal) -> String {
    let value = proposal.value.as_ref();
    let value = value.map_or_else(|| "none".to_owned(), spoken_value);
    format!("{} = {value}", proposal.attribute)
}

fn spoken_creation(creation: &Creation) -> String {
    let said = |text: &Option<String>| match text {
        Some(text) => format!("{text:?}"),
        None => "as configured".to_owned(),
    };
    match creation {
        Creation::Create {
            name,
            identity_type,
        } => format!("create name {} type {}", said(name), said(identity_type)),
        Creation::Skip(why) => format!("skip {why:?}"),
    }
}

/// Returns the answer about one role in words.
pub(super) fn spoken_eligibility(eligibility: &Eligibility) -> String {
    match eligibility {
        Eligibility::Yes => "yes".to_owned(),
        Eligibility::No => "no".to_owned(),
        Eligibility::CannotTell(why) => format!("cannot-tell {why:?}"),
    }
}

/// Returns a value with its type visible: texts in quotes, lists in brackets.
pub(super) fn spoken_value(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Many(texts) => format!("{texts:?}"),
        Value::Integer(_)
        | Value::Decimal(_)
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Instant(_) => value.to_string(),
    }
}
