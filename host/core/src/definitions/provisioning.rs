//! Provisioning: what is called for with accounts, and how new ones are made.

use std::sync::Arc;

use super::RuleIndex;
use crate::model::{Name, Value};
use crate::transform::Transform;

/// What of everybody's access is called for: `[provisioning]` in `idr.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvisioningSettings {
    /// What assigned roles ask for.
    pub roles: bool,
    /// That entitlements go with the last role that they were given for.
    pub remove: bool,
    /// That account attributes follow identity attributes.
    pub synchronise: bool,
    /// Whether somebody is asked which of several accounts a role is for.
    pub manual_account_selection: bool,
    /// After how many milliseconds something that was sent and isn't confirmed
    /// counts as failed; never when absent.
    pub confirm_within_ms: Option<i64>,
}

impl ProvisioningSettings {
    /// How long a confirmation may take unless it is said otherwise.
    pub const CONFIRM_WITHIN_MS: i64 = 24 * 3_600_000;
}

impl Default for ProvisioningSettings {
    fn default() -> Self {
        Self {
            roles: true,
            remove: true,
            synchronise: true,
            manual_account_selection: false,
            confirm_within_ms: Some(Self::CONFIRM_WITHIN_MS),
        }
    }
}

/// How accounts of one application are provisioned.
#[derive(Clone, Debug, Default)]
pub struct ApplicationProvisioning {
    /// Whether roles and synchronisation call for anything.
    pub is_on: bool,
    /// Whether entitlements that were there natively before a role asked for
    /// them go with the last role as well.
    pub adopt: bool,
    /// The rule that says which of several accounts a role is for, by its place
    /// in [`Model::rules`](super::Model::rules).
    pub selection: Option<RuleIndex>,
    /// How new accounts are made; nobody gets one without.
    pub template: Option<AccountTemplate>,
}

/// How a new account is made.
#[derive(Clone, Debug)]
pub struct AccountTemplate {
    /// What it is called natively.
    pub native_identity: Mapping,
    /// The namespace within which no two identities ever have the same native
    /// identity.
    pub unique: Option<Name>,
    /// Its attributes, sorted by name.
    pub attributes: Vec<TemplateAttribute>,
}

/// An attribute of a new account.
#[derive(Clone, Debug)]
pub struct TemplateAttribute {
    /// The account attribute.
    pub name: Name,
    /// Where its value comes from.
    pub mapping: Option<Mapping>,
    /// Its value when the mapping has none.
    pub default: Option<Value>,
    /// Whether no account is made without a value.
    pub required: bool,
}

/// Where a value for an account comes from.
#[derive(Clone, Debug)]
pub enum Mapping {
    /// An identity attribute, or `name`.
    Attribute(Name),
    /// Always the same.
    Fixed(Value),
    /// What a native transform comes to.
    Transform(Arc<Transform>),
    /// What a target-mapping rule says, by its place in
    /// [`Model::rules`](super::Model::rules).
    Rule(RuleIndex),
}

/// An account attribute that follows an identity attribute.
#[derive(Clone, Debug)]
pub struct AttributeTarget {
    /// The application.
    pub application: Name,
    /// The account attribute.
    pub attribute: Name,
    /// What the account gets instead of the identity attribute's value.
    pub mapping: Option<Mapping>,
    /// Whether each of several accounts follows; otherwise none does that
    /// nobody has chosen.
    pub all_accounts: bool,
    /// The logical application that was named: only accounts follow that accounts
    /// there are made of.
    pub of: Option<Name>,
}
