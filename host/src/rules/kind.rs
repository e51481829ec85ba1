//! The kinds of rule, and what is asked of them.

use std::fmt;

use idr_core::model::Value;
use idr_core::rule::{Creation, Eligibility, Lookup, Promotion, Proposal, ValueChange};

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
}

/// The kinds that are about an identity.
pub(super) const ABOUT_AN_IDENTITY: &[RuleKind] = &[
    RuleKind::BeforeRefresh,
    RuleKind::AttributePromotion,
    RuleKind::LifecycleState,
    RuleKind::RoleAssignment,
    RuleKind::IdentityTrigger,
    RuleKind::ValueChange,
    RuleKind::AfterRefresh,
];

/// The kinds that are about a single account.
pub(super) const ABOUT_AN_ACCOUNT: &[RuleKind] = &[
    RuleKind::AccountCorrelation,
    RuleKind::IdentityCreation,
    RuleKind::ManagerCorrelation,
];

impl RuleKind {
    /// Every kind, in the order in which they are asked.
    pub const ALL: [Self; 10] = [
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
        }
    }
}

impl Question<'_> {
    /// Returns what its texts take, in bytes; values are counted as they are passed.
    pub(super) fn text_bytes(&self) -> usize {
        match self {
            Self::Promote(name) | Self::Fires(name) => name.len(),
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
        }
    }
}

fn proposal_bytes(proposal: &Proposal) -> usize {
    proposal.attribute.len() + proposal.value.as_ref().map_or(0, value_bytes)
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
        Value::Many(texts) => texts.iter().map(String::len).sum(),
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
        }
    }
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
