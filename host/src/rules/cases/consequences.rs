//! What cases of the kinds of 0.1.1 ask and expect, as TOML.
//!
//! - `logical = APPLICATION`: `expect` is a list of logical accounts.
//! - `policy = NAME`, with `access` for what is judged: `expect` is a list of
//!   violations.
//! - `need = { application, role, candidates, may_create }`: `expect` is
//!   `{ existing = NATIVE_IDENTITY }`, `"new-account"` or `"ask"`.
//! - `target = { application, attribute, native_identity }`: `expect` is
//!   `{ set = VALUE }`, `"clear"` or `"leave"`.

use idr_core::model::{AccountStatus, Value};
use idr_core::rule::{AccountSelection, Breach, BreachGrant, ComposedAccount, Mapping};
use idr_core::view::AccountSummary;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::format::{AccountSetting, RawValues, value, values};
use super::write::{raw_value, raw_values, table};

/// A need for an account, as a case has it.
#[derive(Clone, Debug)]
pub(super) struct OwnedNeed {
    pub(super) application: String,
    pub(super) role: Option<String>,
    pub(super) candidates: Vec<AccountSummary>,
    pub(super) may_create: bool,
}

/// An attribute of an account, as a case has it.
#[derive(Clone, Debug)]
pub(super) struct OwnedTarget {
    pub(super) application: String,
    pub(super) attribute: String,
    pub(super) native_identity: Option<String>,
}

/// The access that a policy judges, as a case has it.
#[derive(Clone, Debug, Default)]
pub(super) struct AccessSetting {
    pub(super) desired: bool,
    pub(super) roles: Vec<String>,
    /// Application, attribute and value.
    pub(super) entitlements: Vec<(String, String, String)>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNeed {
    application: String,
    role: Option<String>,
    /// Native identities of accounts of the case; all of the application's that
    /// haven't vanished when absent.
    candidates: Option<Vec<String>>,
    #[serde(default)]
    may_create: bool,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    application: String,
    attribute: String,
    native_identity: Option<String>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccess {
    #[serde(default)]
    desired: bool,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    entitlements: Vec<RawEntitlement>,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawEntitlement {
    application: String,
    attribute: String,
    value: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawComposed {
    native_identity: String,
    status: Option<String>,
    #[serde(default)]
    attributes: RawValues,
    parts: Vec<RawPart>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    application: String,
    native_identity: String,
}

impl RawNeed {
    /// Returns the need; the candidates are among the case's accounts, which
    /// stand in the order of their handles.
    pub(super) fn check(self, accounts: &[AccountSetting]) -> Result<OwnedNeed, String> {
        let mut candidates = Vec::new();
        for (handle, account) in (0..).zip(accounts) {
            let is_candidate = match &self.candidates {
                Some(named) => named.contains(&account.native_identity),
                None => account.status.is_some(),
            };
            if account.application == self.application && is_candidate {
                candidates.push(AccountSummary {
                    handle,
                    native_identity: account.native_identity.clone(),
                    status: account.status,
                });
            }
        }
        for named in self.candidates.iter().flatten() {
            let mut found = candidates.iter();
            if !found.any(|account| account.native_identity == *named) {
                return Err(format!(
                    "candidate `{named}` is none of the case's `accounts` in `{}`",
                    self.application
                ));
            }
        }
        Ok(OwnedNeed {
            application: self.application,
            role: self.role,
            candidates,
            may_create: self.may_create,
        })
    }

    pub(super) fn of(need: &OwnedNeed) -> Self {
        let candidates = need.candidates.iter();
        let candidates = candidates.map(|account| account.native_identity.clone());
        Self {
            application: need.application.clone(),
            role: need.role.clone(),
            candidates: Some(candidates.collect()),
            may_create: need.may_create,
        }
    }
}

impl RawTarget {
    pub(super) fn check(self) -> OwnedTarget {
        OwnedTarget {
            application: self.application,
            attribute: self.attribute,
            native_identity: self.native_identity,
        }
    }

    pub(super) fn of(target: &OwnedTarget) -> Self {
        Self {
            application: target.application.clone(),
            attribute: target.attribute.clone(),
            native_identity: target.native_identity.clone(),
        }
    }
}

impl RawAccess {
    pub(super) fn check(self) -> AccessSetting {
        let entitlements = self.entitlements.into_iter();
        let entitlements = entitlements.map(|raw| (raw.application, raw.attribute, raw.value));
        AccessSetting {
            desired: self.desired,
            roles: self.roles,
            entitlements: entitlements.collect(),
        }
    }

    pub(super) fn of(access: &AccessSetting) -> Self {
        let entitlements = access.entitlements.iter().cloned();
        let raw = entitlements.map(|(application, attribute, value)| RawEntitlement {
            application,
            attribute,
            value,
        });
        Self {
            desired: access.desired,
            roles: access.roles.clone(),
            entitlements: raw.collect(),
        }
    }
}

pub(super) fn expected_selection(raw: &toml::Value) -> Option<AccountSelection> {
    match raw {
        toml::Value::String(word) if word == "new-account" => Some(AccountSelection::NewAccount),
        toml::Value::String(word) if word == "ask" => Some(AccountSelection::Ask),
        toml::Value::Table(table) if table.len() == 1 => {
            let native_identity = table.get("existing")?.as_str()?;
            Some(AccountSelection::Existing(native_identity.to_owned()))
        }
        _ => None,
    }
}

pub(super) fn raw_selection(selection: &AccountSelection) -> toml::Value {
    match selection {
        AccountSelection::Existing(native_identity) => {
            table([("existing", native_identity.clone().into())])
        }
        AccountSelection::NewAccount => "new-account".into(),
        AccountSelection::Ask => "ask".into(),
    }
}

pub(super) fn expected_mapping(raw: &toml::Value) -> Result<Option<Mapping>, String> {
    match raw {
        toml::Value::String(word) if word == "clear" => Ok(Some(Mapping::Clear)),
        toml::Value::String(word) if word == "leave" => Ok(Some(Mapping::Leave)),
        toml::Value::Table(table) if table.len() == 1 => match table.get("set") {
            Some(raw) => {
                let value = value(raw)?.normalised();
                Ok(Some(value.map_or(Mapping::Clear, Mapping::Set)))
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

pub(super) fn raw_mapping(mapping: &Mapping) -> toml::Value {
    match mapping {
        Mapping::Set(value) => match raw_value(value) {
            Some(value) => table([("set", value)]),
            None => "clear".into(),
        },
        Mapping::Clear => "clear".into(),
        Mapping::Leave => "leave".into(),
    }
}

pub(super) fn expected_breaches(raw: &toml::Value) -> Option<Vec<Breach>> {
    let breaches = raw.as_array()?.iter().map(|raw| {
        let table = raw.as_table().filter(|table| table.len() == 2)?;
        let grants = table.get("grants")?.as_array()?;
        Some(Breach {
            description: table.get("description")?.as_str()?.to_owned(),
            grants: grants.iter().map(expected_grant).collect::<Option<_>>()?,
        })
    });
    breaches.collect()
}

fn expected_grant(raw: &toml::Value) -> Option<BreachGrant> {
    let table = raw.as_table()?;
    let text = |key: &str| Some(table.get(key)?.as_str()?.to_owned());
    match table.len() {
        1 => Some(BreachGrant::Role(text("role")?)),
        3 => Some(BreachGrant::Entitlement {
            application: text("application")?,
            attribute: text("attribute")?,
            value: text("value")?,
        }),
        _ => None,
    }
}

pub(super) fn raw_breach(breach: &Breach) -> toml::Value {
    let grants = breach.grants.iter().map(|grant| match grant {
        BreachGrant::Role(role) => table([("role", role.clone().into())]),
        BreachGrant::Entitlement {
            application,
            attribute,
            value,
        } => table([
            ("application", application.clone().into()),
            ("attribute", attribute.clone().into()),
            ("value", value.clone().into()),
        ]),
    });
    table([
        ("description", breach.description.clone().into()),
        ("grants", grants.collect::<Vec<_>>().into()),
    ])
}

pub(super) fn expected_composed(raw: &toml::Value) -> Result<Option<Vec<ComposedAccount>>, String> {
    let Some(accounts) = raw.as_array() else {
        return Ok(None);
    };
    let mut composed = Vec::new();
    for raw in accounts {
        let Ok(raw) = raw.clone().try_into::<RawComposed>() else {
            return Ok(None);
        };
        let status = match raw.status.as_deref() {
            None | Some("enabled") => AccountStatus::Enabled,
            Some("disabled") => AccountStatus::Disabled,
            Some("locked") => AccountStatus::Locked,
            Some(_) => return Ok(None),
        };
        let parts = raw.parts.into_iter();
        composed.push(ComposedAccount {
            native_identity: raw.native_identity,
            status,
            attributes: values(raw.attributes)?.into_iter().collect(),
            parts: parts
                .map(|part| (part.application, part.native_identity))
                .collect(),
        });
    }
    Ok(Some(composed))
}

pub(super) fn raw_composed(account: &ComposedAccount) -> toml::Value {
    let attributes = account.attributes.iter().cloned();
    let attributes: std::collections::BTreeMap<String, Value> = attributes.collect();
    let parts = account.parts.iter().map(|(application, native)| {
        table([
            ("application", application.clone().into()),
            ("native_identity", native.clone().into()),
        ])
    });
    table([
        ("native_identity", account.native_identity.clone().into()),
        ("status", account.status.as_str().into()),
        (
            "attributes",
            toml::Value::Table(Table::from_iter(raw_values(&attributes))),
        ),
        ("parts", parts.collect::<Vec<_>>().into()),
    ])
}

/// Sorts a case's accounts as an identity's are, so that places are handles.
pub(super) fn in_order(accounts: &mut [AccountSetting]) {
    accounts.sort_by(|one, other| {
        let key = |account: &AccountSetting| {
            (
                idr_core::model::Name::new(&account.application),
                account.native_identity.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
}
