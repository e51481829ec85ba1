//! What roles' profiles ask for, and whether an account holds it.

use std::borrow::Cow;
use std::convert::Infallible;

use crate::definitions::{Profile, Role};
use crate::filter::{Filter, Path, Properties};
use crate::model::{Account, AccountKey, Entitlement, Held, Name, Value};

/// Returns an entitlement of an account that is yet to be made.
pub(super) fn in_new_account(profile: &Profile, attribute: Name, value: &str) -> Entitlement {
    Entitlement {
        account: AccountKey {
            application: profile.application,
            native_identity: String::new(),
        },
        attribute,
        value: value.to_owned(),
    }
}

/// Returns what a profile asks for of a new account and isn't held.
pub(super) fn not_held(profile: &Profile, held: &Held) -> Vec<(Name, Vec<String>)> {
    let of = |(attribute, values): &(Name, Vec<String>)| {
        let mut values = values.clone();
        values.retain(|value| {
            let Entitlement { account, .. } = in_new_account(profile, *attribute, value);
            !held.holds(&account, *attribute, value)
        });
        (*attribute, values)
    };
    profile.entitlements.iter().map(of).collect()
}

/// Returns the profiles of a role that must hold, also of the parts of logical
/// accounts.
pub(super) fn certain(role: &Role) -> impl Iterator<Item = &Profile> {
    role.certain_profiles().chain(&role.parts)
}

/// Returns all profiles of a role, also of the parts of logical accounts.
pub(super) fn asked(role: &Role) -> impl Iterator<Item = &Profile> {
    role.profiles().chain(&role.parts)
}

pub(super) fn entitlement(account: &Account, attribute: Name, value: &str) -> Entitlement {
    Entitlement {
        account: account.key.clone(),
        attribute,
        value: value.to_owned(),
    }
}

/// Says whether a profile asks for an entitlement on accounts like this one.
pub(super) fn lists(profile: &Profile, account: &AccountKey, attribute: Name, value: &str) -> bool {
    let mut entitlements = profile.entitlements.iter();
    profile.application == account.application
        && entitlements
            .any(|(known, values)| *known == attribute && values.iter().any(|known| known == value))
}

/// Says whether an account holds an entitlement.
pub(super) fn holds(account: &Account, attribute: Name, value: &str) -> bool {
    match account.attribute(attribute) {
        Some(Value::Many(values)) => values.iter().any(|known| known == value),
        Some(Value::Text(text)) => text == value,
        _ => false,
    }
}

/// An account, as the filter of a profile reads it.
pub(super) struct Filtered<'a>(&'a Account);

impl Properties<Infallible> for Filtered<'_> {
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, Infallible> {
        let text = |text: &str| Some(Cow::Owned(Value::text(text)));
        Ok(match path.name().as_str() {
            "nativeIdentity" => text(&self.0.key.native_identity),
            "status" => text(self.0.status.as_str()),
            _ => self.0.attribute(path.name()).map(Cow::Borrowed),
        })
    }

    fn any_item(
        &mut self,
        _collection: &Path,
        _holds: &mut dyn FnMut(&mut dyn Properties<Infallible>) -> Result<bool, Infallible>,
    ) -> Result<bool, Infallible> {
        Ok(false)
    }
}

pub(super) fn passes(account: &Account, filter: &Filter) -> bool {
    let Ok(passes) = filter.matches(&mut Filtered(account));
    passes
}

/// Says whether an account is one that a profile asks something of.
pub(super) fn is_for(profile: &Profile, account: &Account) -> bool {
    account.key.application == profile.application
        && profile
            .filter
            .as_ref()
            .is_none_or(|filter| passes(account, filter))
}

/// Says whether one account is and holds everything that a profile asks for.
pub(crate) fn satisfies(account: &Account, profile: &Profile) -> bool {
    is_for(profile, account)
        && profile.entitlements.iter().all(|(attribute, wanted)| {
            wanted
                .iter()
                .all(|wanted| holds(account, *attribute, wanted))
        })
}
