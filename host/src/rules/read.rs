//! What a rule can read, as data: for cases that are recorded and for advice
//! about grants.

use std::fmt;

/// One read of a rule, without what came back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// An attribute of the identity.
    Attribute(String),
    /// An attribute of its manager.
    ManagerAttribute(String),
    /// Its accounts in an application.
    Accounts(String),
    /// Which of its accounts in an application is the first.
    FirstAccount(String),
    /// An attribute of one of them.
    AccountAttribute {
        /// The application.
        application: String,
        /// Names the account in this evaluation.
        handle: u32,
        /// The attribute.
        name: String,
    },
    /// Whether one of its accounts in an application holds an entitlement.
    Holds {
        /// The application.
        application: String,
        /// The attribute with the entitlements.
        attribute: String,
        /// The entitlement.
        value: String,
    },
    /// The entitlements that its accounts in an application hold.
    Held {
        /// The application.
        application: String,
        /// The attribute with the entitlements.
        attribute: String,
    },
    /// Whether it has a role assigned.
    HasAssigned(String),
    /// Whether it has a role detected.
    HasDetected(String),
    /// Whether there is a baseline.
    BaselineExists,
    /// An attribute as it was.
    BaselineAttribute(String),
    /// Whether it had a role assigned.
    HadAssigned(String),
    /// The application of the account that the rule is asked about.
    Application,
    /// The native identity of that account.
    NativeIdentity,
    /// The status of that account.
    Status,
    /// An attribute of that account.
    OwnAttribute {
        /// Its application.
        application: String,
        /// The attribute.
        name: String,
    },
    /// Whether what is called for is judged as well.
    AccessIsDesired,
    /// Whether a role is part of the access that is judged.
    AccessHasRole(String),
    /// The roles that are judged.
    AccessRoles,
    /// Whether an entitlement is part of the access that is judged.
    AccessHolds {
        /// The application.
        application: String,
        /// The attribute with the entitlements.
        attribute: String,
        /// The entitlement.
        value: String,
    },
    /// The entitlements of an attribute that are judged.
    AccessHeld {
        /// The application.
        application: String,
        /// The attribute with the entitlements.
        attribute: String,
    },
    /// A parameter.
    Parameter(String),
}

/// As cases name it in `reads`.
impl fmt::Display for Read {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) | Self::OwnAttribute { name, .. } => {
                write!(formatter, "attribute {name}")
            }
            Self::ManagerAttribute(name) => write!(formatter, "manager-attribute {name}"),
            Self::Accounts(application) => write!(formatter, "accounts {application}"),
            Self::FirstAccount(application) => write!(formatter, "first-account {application}"),
            Self::AccountAttribute {
                application, name, ..
            } => write!(formatter, "account-attribute {application} {name}"),
            Self::Holds {
                application,
                attribute,
                value,
            } => write!(formatter, "holds {application} {attribute} {value}"),
            Self::Held {
                application,
                attribute,
            } => write!(formatter, "held {application} {attribute}"),
            Self::HasAssigned(role) => write!(formatter, "has-assigned {role}"),
            Self::HasDetected(role) => write!(formatter, "has-detected {role}"),
            Self::BaselineExists => formatter.write_str("baseline exists"),
            Self::BaselineAttribute(name) => write!(formatter, "baseline attribute {name}"),
            Self::HadAssigned(role) => write!(formatter, "had-assigned {role}"),
            Self::Application => formatter.write_str("application"),
            Self::NativeIdentity => formatter.write_str("native-identity"),
            Self::Status => formatter.write_str("status"),
            Self::AccessIsDesired => formatter.write_str("access is-desired"),
            Self::AccessHasRole(role) => write!(formatter, "access has-role {role}"),
            Self::AccessRoles => formatter.write_str("access roles"),
            Self::AccessHolds {
                application,
                attribute,
                value,
            } => write!(formatter, "access holds {application} {attribute} {value}"),
            Self::AccessHeld {
                application,
                attribute,
            } => write!(formatter, "access held {application} {attribute}"),
            Self::Parameter(name) => write!(formatter, "parameter {name}"),
        }
    }
}
