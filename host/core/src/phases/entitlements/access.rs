//! What the ledger is worked out from: accounts, roles, and what was sent.

use super::super::flights::Flight;
use super::super::selection::Selected;
use super::profiles::{
    asked, certain, entitlement, holds, in_new_account, is_for, lists, not_held, satisfies,
};
use super::{Holdings, Unplaced};
use crate::definitions::{Application, Model, NativeResponse, Profile, Role};
use crate::model::{
    Account, AccountKey, AssignmentSource, ByHand, Entitlement, EntitlementStatus,
    EntitlementVerdict, Held, Name, NativeEntitlement, Provisioning, RoleAssignment, RoleDetection,
    TargetAccount, UnixMillis,
};

/// A role that an assigned one calls for, or an assigned one itself.
pub(super) struct Wanted<'m> {
    pub(super) role: &'m Role,
    /// The assigned role.
    pub(super) by: Name,
    pub(super) source: AssignmentSource,
    /// Since when.
    pub(super) since: UnixMillis,
    /// The account that a person has chosen for it.
    pub(super) account: Option<AccountKey>,
    /// The accounts that were chosen for the assigned role, one per application.
    pub(super) targets: Vec<AccountKey>,
}

impl Wanted<'_> {
    /// Says whether it may be for this account.
    pub(super) fn may_be_for(&self, account: &AccountKey) -> bool {
        let elsewhere = |chosen: &AccountKey| chosen.application != account.application;
        let mut chosen = self.account.iter().chain(&self.targets);
        chosen.all(|chosen| elsewhere(chosen) || chosen == account)
    }
}

/// Returns the assigned roles, those that they require, and those that were
/// assigned within them, as far as they are in use.
pub(super) fn wanted<'m>(
    assigned: &[RoleAssignment],
    (by_hand, targets): (&ByHand, &[TargetAccount]),
    model: &'m Model,
    mut is_in_use: impl FnMut(&Role) -> bool,
) -> Vec<Wanted<'m>> {
    let mut wanted = Vec::new();
    for assignment in assigned {
        let definition = model.role(assignment.role);
        let requires = definition.map_or(&[][..], |role| &role.requires);
        // Without profiles it asks for nothing itself.
        let itself = definition.filter(|role| !role.detection.is_empty());
        let itself = itself.map(|role| (role.name, None));
        let required = requires.iter().map(|name| (*name, None));
        let permitted = assignment.permits.iter().map(|name| {
            let mut requests = by_hand.roles.iter();
            let request = requests
                .find(|request| request.role == *name && request.within == Some(assignment.role));
            (*name, request)
        });
        for (name, request) in itself.into_iter().chain(required).chain(permitted) {
            let Some(role) = model.role(name).filter(|role| is_in_use(role)) else {
                continue;
            };
            let since = request.map_or(assignment.since, |request| request.at);
            let chosen = request.and_then(|request| request.account.as_ref());
            let account = chosen.or(assignment.account.as_ref()).cloned();
            // What a person says counts for more than what was chosen once.
            let remembered = targets.iter().filter(|target| {
                target.role == assignment.role
                    && account
                        .as_ref()
                        .is_none_or(|by_hand| by_hand.application != target.account.application)
            });
            wanted.push(Wanted {
                role,
                by: assignment.role,
                source: assignment.source,
                since: since.max(assignment.since),
                targets: remembered.map(|target| target.account.clone()).collect(),
                account,
            });
        }
    }
    wanted
}

/// What the ledger is worked out from.
pub(super) struct Access<'a> {
    /// The accounts that haven't vanished.
    pub(super) accounts: Vec<&'a Account>,
    pub(super) detected: &'a [RoleDetection],
    pub(super) by_hand: &'a ByHand,
    pub(super) model: &'a Model,
    pub(super) wanted: Vec<Wanted<'a>>,
    pub(super) provisioning: &'a Provisioning,
    /// What was sent and isn't confirmed.
    pub(super) flights: Vec<Flight>,
}

impl Access<'_> {
    pub(super) fn is_given(&self, entitlement: &Entitlement) -> bool {
        let mut given = self.provisioning.given.iter();
        given.any(|known| known.entitlement == *entitlement)
    }

    /// Says whether entitlements go with the last role that they were given for.
    pub(super) fn takes_away(&self, application: &Application) -> bool {
        let settings = &self.model.provisioning;
        settings.roles && settings.remove && application.is_provisioned()
    }

    pub(super) fn flight(&self, entitlement: &Entitlement) -> Option<&Flight> {
        let mut flights = self.flights.iter();
        flights.find(|flight| flight.entitlement == *entitlement)
    }

    /// Returns the accounts of applications that are provisioned that roles are
    /// certainly for, and what has none.
    /// Of that nothing is `held`.
    pub(super) fn placed(&self, held: &Held) -> (Vec<TargetAccount>, Vec<Unplaced>) {
        let (mut targets, mut unplaced) = (Vec::new(), Vec::new());
        for wanted in &self.wanted {
            for profile in certain(wanted.role) {
                let application = self.model.application(profile.application);
                if !application.is_some_and(Application::is_provisioned) {
                    continue;
                }
                let accounts = self.accounts_for(wanted, profile);
                let of_application =
                    |known: &&&Account| known.key.application == profile.application;
                match accounts.as_slice() {
                    [account] => targets.push(TargetAccount {
                        role: wanted.by,
                        account: account.key.clone(),
                    }),
                    // One that is there and isn't as the profile wants it.
                    [] if self.accounts.iter().any(|known| of_application(&known)) => {}
                    accounts if accounts.iter().any(|known| satisfies(known, profile)) => {}
                    _ if held.holds_role(wanted.role.name, wanted.by) => {}
                    accounts => unplaced.push(Unplaced {
                        application: profile.application,
                        role: wanted.by,
                        source: wanted.source,
                        entitlements: not_held(profile, held),
                        accounts: accounts.iter().map(|known| known.key.clone()).collect(),
                    }),
                }
            }
        }
        targets.sort();
        targets.dedup();
        unplaced.sort();
        unplaced.dedup();
        (targets, unplaced)
    }

    /// Returns what is done about a native change: what a person has decided, or
    /// else what the application's configuration says.
    pub(super) fn response(
        &self,
        application: &Application,
        account: &Account,
        note: &NativeEntitlement,
    ) -> NativeResponse {
        let mut decisions = self.by_hand.entitlements.iter();
        let decision =
            decisions.find(|decision| decision.account == account.key && decision.about == *note);
        match decision.map(|decision| decision.verdict) {
            Some(EntitlementVerdict::Accepted) => NativeResponse::Accept,
            Some(EntitlementVerdict::Restored) => NativeResponse::Restore,
            None => application.native_entitlements.response(note.change),
        }
    }

    /// Returns the profiles of a role that must hold, each with the account that
    /// it is for. Of alternatives nobody can say which.
    pub(super) fn determined<'s>(&'s self, wanted: &Wanted<'s>) -> Vec<(&'s Profile, &'s Account)> {
        certain(wanted.role)
            .filter_map(|profile| Some((profile, self.account_for(wanted, profile)?)))
            .collect()
    }

    /// Returns the account that a profile of a role is for, among those that its
    /// filter lets through: the one that was chosen, or the only one that the
    /// last aggregation has seen; without one the only one that is missing.
    pub(super) fn account_for(&self, wanted: &Wanted<'_>, profile: &Profile) -> Option<&Account> {
        match self.accounts_for(wanted, profile).as_slice() {
            [account] => Some(account),
            _ => None,
        }
    }

    /// Returns the accounts that a profile of a role may be for.
    pub(super) fn accounts_for(&self, wanted: &Wanted<'_>, profile: &Profile) -> Vec<&Account> {
        let mut accounts: Vec<&Account> = self
            .accounts
            .iter()
            .filter(|known| is_for(profile, known))
            .filter(|known| wanted.may_be_for(&known.key))
            .copied()
            .collect();
        if accounts.iter().any(|known| known.missing_since.is_none()) {
            accounts.retain(|known| known.missing_since.is_none());
        }
        accounts
    }

    /// Says whether a role certainly asks for an entitlement on an account.
    pub(super) fn asks_for(
        &self,
        wanted: &Wanted<'_>,
        account: &Account,
        attribute: Name,
        value: &str,
    ) -> bool {
        let mut determined = self.determined(wanted).into_iter();
        determined.any(|(profile, on)| {
            on.key == account.key && lists(profile, &account.key, attribute, value)
        })
    }

    /// Returns the detected roles that contain an entitlement on its account.
    pub(super) fn containing(&self, account: &Account, attribute: Name, value: &str) -> Vec<Name> {
        let contains = |profile: &Profile| {
            lists(profile, &account.key, attribute, value) && satisfies(account, profile)
        };
        let mut roles: Vec<Name> = self
            .detected
            .iter()
            .filter(|detection| detection.accounts.contains(&account.key))
            .filter_map(|detection| self.model.role(detection.role))
            .filter(|role| role.profiles().any(contains))
            .map(|role| role.name)
            .collect();
        roles.dedup();
        roles
    }

    /// Says whether nothing that isn't held asks for an entitlement.
    pub(super) fn is_held_back(&self, entitlement: &Entitlement, held: &Held) -> bool {
        if held.is_empty() {
            return false;
        }
        let Entitlement {
            account,
            attribute,
            value,
        } = entitlement;
        let asks = |wanted: &&Wanted<'_>| {
            let mut profiles = asked(wanted.role);
            wanted.may_be_for(account)
                && profiles.any(|profile| lists(profile, account, *attribute, value))
        };
        let mut asking = self.wanted.iter().filter(asks).peekable();
        let is_asked = asking.peek().is_some();
        held.holds(account, *attribute, value)
            || is_asked && asking.all(|wanted| held.holds_role(wanted.role.name, wanted.by))
    }

    /// Returns the entitlements that are there or called for, of those that are meant.
    pub(super) fn holdings(
        &self,
        selected: &Selected,
        is_meant: impl Fn((Name, Name), &str) -> bool,
    ) -> Holdings {
        let mut holdings = Holdings::default();
        for account in &self.accounts {
            let Some(application) = self.model.application(account.key.application) else {
                continue;
            };
            for definition in application.schema.iter().filter(|known| known.entitlement) {
                let attribute = definition.name;
                let Some(value) = account.attribute(attribute) else {
                    continue;
                };
                value.each_text(|text| {
                    if !is_meant((application.name, attribute), text) {
                        return;
                    }
                    let entitlement = entitlement(account, attribute, text);
                    let to = match self.goes(application, account, &entitlement) {
                        true => &mut holdings.removing,
                        false => &mut holdings.present,
                    };
                    to.push(entitlement);
                });
            }
        }
        for wanted in &self.wanted {
            for profile in certain(wanted.role) {
                let asked = profile.entitlements.iter();
                let asked: Vec<(Name, &String)> = asked
                    .flat_map(|(attribute, values)| values.iter().map(|value| (*attribute, value)))
                    .filter(|(attribute, value)| is_meant((profile.application, *attribute), value))
                    .collect();
                if asked.is_empty() {
                    continue;
                }
                let application = self.model.application(profile.application);
                let is_provisioned = application.is_some_and(Application::is_provisioned);
                let of_application =
                    |known: &&Account| known.key.application == profile.application;
                let accounts = self.accounts_for(wanted, profile);
                let account = match accounts.as_slice() {
                    [account] => Some(*account),
                    _ => None,
                };
                let keys: Vec<_> = accounts.iter().map(|known| known.key.clone()).collect();
                let is_yet_to_be = is_provisioned
                    && (!self.accounts.iter().any(of_application)
                        || selected.is_new(profile.application, wanted.by, &keys));
                for (attribute, value) in asked {
                    let missing = match account {
                        Some(account) if holds(account, attribute, value) => None,
                        Some(account) => {
                            let entitlement = entitlement(account, attribute, value);
                            let entry = self.missing_entry(wanted, account, entitlement);
                            entry.map(|entry| entry.entitlement)
                        }
                        None => is_yet_to_be.then(|| in_new_account(profile, attribute, value)),
                    };
                    let missing = missing.map(|entitlement| (entitlement, wanted.since));
                    holdings.missing.extend(missing);
                }
            }
        }
        holdings
    }

    /// Says whether what an account holds is to be taken away: only what was
    /// noted or given can be.
    pub(super) fn goes(
        &self,
        application: &Application,
        account: &Account,
        entitlement: &Entitlement,
    ) -> bool {
        let Entitlement {
            attribute, value, ..
        } = entitlement;
        let is_noted = account.native_entitlement(*attribute, value).is_some();
        (is_noted || self.is_given(entitlement)) && {
            let entry = self.held_entry(application, account, *attribute, value);
            let statuses = [EntitlementStatus::Removing, EntitlementStatus::Failed];
            statuses.contains(&entry.status)
        }
    }
}
