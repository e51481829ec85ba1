//! The kinds of rule, and what is asked of them.

use std::fmt;

use idr_core::model::Value;
use idr_core::rule::{Eligibility, Promotion};

/// What a rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleKind {
    /// The value of an identity attribute.
    AttributePromotion,
    /// The lifecycle state.
    LifecycleState,
    /// Who is eligible for which role.
    RoleAssignment,
    /// Whether an event has happened.
    IdentityTrigger,
}

impl RuleKind {
    /// Every kind, in the order in which a refresh asks them.
    pub const ALL: [Self; 4] = [
        Self::AttributePromotion,
        Self::LifecycleState,
        Self::RoleAssignment,
        Self::IdentityTrigger,
    ];

    /// Returns the name of the interface that a rule of this kind exports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AttributePromotion => "attribute-promotion",
            Self::LifecycleState => "lifecycle-state",
            Self::RoleAssignment => "role-assignment",
            Self::IdentityTrigger => "identity-trigger",
        }
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
    /// What is the value of this identity attribute?
    Promote(&'a str),
    /// What is the lifecycle state?
    State,
    /// Which of these roles is the identity eligible for?
    Assign(&'a [String]),
    /// Has this trigger's event happened?
    Fires(&'a str),
}

impl Question<'_> {
    /// Returns the kind of rule that answers it.
    pub fn kind(&self) -> RuleKind {
        match self {
            Self::Promote(_) => RuleKind::AttributePromotion,
            Self::State => RuleKind::LifecycleState,
            Self::Assign(_) => RuleKind::RoleAssignment,
            Self::Fires(_) => RuleKind::IdentityTrigger,
        }
    }
}

/// Says what the rule is used for, as errors name it.
impl fmt::Display for Question<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Promote(attribute) => write!(formatter, "attribute-promotion of `{attribute}`"),
            Self::State => formatter.write_str("lifecycle-state"),
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
    /// To [`Question::Promote`].
    Promotion(Promotion),
    /// To [`Question::State`].
    State(String),
    /// To [`Question::Assign`]: one per role, in their order.
    Eligibilities(Vec<Eligibility>),
    /// To [`Question::Fires`].
    Fires(bool),
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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

fn spoken_eligibility(eligibility: &Eligibility) -> String {
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
