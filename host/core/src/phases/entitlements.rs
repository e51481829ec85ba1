//! The entitlement ledger: every entitlement that is there or called for, how
//! it stands, and why.
//!
//! Worked out from the accounts and the roles that a refresh has settled;
//! reports and exports show it. Entitlements that no detected role contains
//! are the additional entitlements. What of it somebody is to decide becomes
//! findings and work items (`work_items`).

use std::borrow::Cow;
use std::convert::Infallible;

use rustc_hash::FxHashSet;

use super::flights::{Flight, flights};
use super::remembered::remembered;
use super::roles::{self, SettledRoles};
use super::selection::Selected;
use crate::definitions::{Application, Model, NativeResponse, Profile, Role};
use crate::filter::{Filter, Path, Properties};
use crate::model::{
    Account, AccountKey, AssignmentSource, ByHand, Entitlement, EntitlementChange,
    EntitlementDecision, EntitlementStatus, EntitlementVerdict, Held, IdentityRecord, LedgerEntry,
    Name, NativeEntitlement, Provisioning, RoleAssignment, RoleDetection, TargetAccount,
    UnixMillis, Value,
};
use crate::plan::Changes;
use crate::view::TrackedView;

/// Returns every entitlement that the identity's accounts hold or that its
/// assigned roles call for, sorted. Accounts that have vanished by `as_of` hold
/// nothing, and nothing is called for on them.
pub fn ledger(record: &IdentityRecord, model: &Model, as_of: UnixMillis) -> Vec<LedgerEntry> {
    let identity = &record.identity;
    let settled = (identity.assigned.as_slice(), identity.detected.as_slice());
    ledger_of(
        record,
        settled,
        &identity.by_hand,
        model,
        as_of,
        &|_, _, _| true,
    )
}

/// Returns the ledger as it is before and as it is once a plan has been carried
/// out, both without entitlements that the plan can't make differ.
///
/// Accounts and what was sent are the same before and after, so that leaves what
/// some role asks for that is had before or after; and everything where
/// decisions are over.
pub fn ledgers_around(
    record: &IdentityRecord,
    changes: &Changes,
    model: &Model,
    as_of: UnixMillis,
) -> (Vec<LedgerEntry>, Vec<LedgerEntry>) {
    let identity = &record.identity;
    let before = (identity.assigned.as_slice(), identity.detected.as_slice());
    let after = (
        changes.assigned.as_deref().unwrap_or(before.0),
        changes.detected.as_deref().unwrap_or(before.1),
    );
    let mut by_hand = Cow::Borrowed(&identity.by_hand);
    if let Some(decisions) = &changes.entitlement_decisions {
        by_hand.to_mut().entitlements.clone_from(decisions);
    }
    let mut asked_for: FxHashSet<(Name, Name, &str)> = FxHashSet::default();
    for (assigned, detected) in [before, after] {
        let assigned = assigned.iter().flat_map(|known| {
            let requires = model.role(known.role).map(|role| &role.requires);
            let called_for = requires.into_iter().flatten().chain(&known.permits);
            called_for.chain([&known.role])
        });
        let roles = assigned.chain(detected.iter().map(|known| &known.role));
        let roles = roles.filter_map(|role| model.role(*role));
        for profile in roles.flat_map(asked) {
            for (attribute, values) in &profile.entitlements {
                let values = values.iter().map(String::as_str);
                asked_for.extend(values.map(|value| (profile.application, *attribute, value)));
            }
        }
    }
    let decides = changes.entitlement_decisions.is_some();
    let is_meant = |application, attribute, value: &str| {
        decides || asked_for.contains(&(application, attribute, value))
    };
    (
        ledger_of(record, before, &identity.by_hand, model, as_of, &is_meant),
        ledger_of(record, after, &by_hand, model, as_of, &is_meant),
    )
}

/// Says of an application, an attribute and a value whether it is meant.
type IsMeant<'a> = &'a dyn Fn(Name, Name, &str) -> bool;

/// Returns the ledger that follows from these assigned and detected roles, of
/// what accounts hold as far as it is meant.
fn ledger_of(
    record: &IdentityRecord,
    (assigned, detected): (&[RoleAssignment], &[RoleDetection]),
    by_hand: &ByHand,
    model: &Model,
    as_of: UnixMillis,
    is_meant: IsMeant<'_>,
) -> Vec<LedgerEntry> {
    let there = |account: &&Account| {
        let application = model.application(account.key.application);
        let grace_ms = application.map_or(0, |application| application.vanish_grace_ms);
        let vanishes = account.vanishes_at(grace_ms);
        vanishes.is_none_or(|at| at > as_of)
    };
    let provisioning = remembered(record);
    let provisioning = provisioning.as_ref();
    let targets = &provisioning.targets;
    let wanted = wanted(assigned, (by_hand, targets), model, |role| {
        role.is_in_use(as_of)
    });
    let access = Access {
        provisioning,
        flights: flights(provisioning, model, |at| at <= as_of),
        accounts: record.accounts.iter().filter(there).collect(),
        detected,
        by_hand,
        model,
        wanted,
    };
    access.entries(is_meant)
}

/// Returns the entries of the ledger that wait for somebody to decide, as the
/// plan has settled the roles.
pub(crate) fn undecided(
    view: &mut TrackedView,
    settled: &SettledRoles,
    selected: &Selected,
) -> Vec<LedgerEntry> {
    let model = view.model().clone();
    let raises = |account: &Account| {
        let application = model.application(account.key.application);
        let raises = |application: &Application| {
            let mut notes = account.native_entitlements.iter();
            notes.any(|note| {
                let response = application.native_entitlements.response(note.change);
                response == NativeResponse::Raise
            })
        };
        application.is_some_and(raises)
    };
    if !view.record().accounts.iter().any(raises) {
        return Vec::new();
    }
    let chosen = selected.chosen();
    let mut entries = with_access(view, settled, chosen, |access| {
        access.entries(&|_, _, _| true)
    });
    entries.retain(|entry| entry.undecided);
    entries
}

/// What the roles that a plan has settled call for.
#[derive(Debug)]
pub(crate) struct CalledFor {
    /// The ledger.
    pub(crate) entries: Vec<LedgerEntry>,
    /// The accounts that roles are certainly for, one per role and application,
    /// sorted.
    pub(crate) targets: Vec<TargetAccount>,
    /// What is asked for and has no account that it is certainly for.
    pub(crate) unplaced: Vec<Unplaced>,
}

/// What a role asks for of an application and has no account that it is
/// certainly for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unplaced {
    /// The application.
    pub(crate) application: Name,
    /// The assigned role.
    pub(crate) role: Name,
    /// What gives that role.
    pub(crate) source: AssignmentSource,
    /// The entitlements, by attribute.
    pub(crate) entitlements: Vec<(Name, Vec<String>)>,
    /// The accounts that it may be for; none where there is no account at all.
    pub(crate) accounts: Vec<AccountKey>,
}

/// Returns what the settled roles ask for and has no account that it is certainly
/// for.
pub(crate) fn unplaced(view: &mut TrackedView, settled: &SettledRoles) -> Vec<Unplaced> {
    with_access(view, settled, &[], |access| {
        access.placed(&Held::default()).1
    })
}

/// Returns what the settled roles call for in applications that are
/// provisioned, given what was `selected`. What is `held` waits for somebody to
/// decide, as far as it isn't there.
pub(crate) fn called_for(
    view: &mut TrackedView,
    settled: &SettledRoles,
    selected: &Selected,
    held: &Held,
) -> CalledFor {
    with_access(view, settled, selected.chosen(), |access| {
        let (_, unplaced) = access.placed(held);
        let targets = only_ones(&access.placed(&Held::default()).0);
        let mut entries = access.entries(&|_, _, _| true);
        for entry in entries.iter_mut().filter(|entry| !entry.held) {
            entry.undecided |= access.is_held_back(&entry.entitlement, held);
        }
        CalledFor {
            entries,
            targets,
            unplaced,
        }
    })
}

/// A role that is called for: an assigned one, or one with profiles that an
/// assigned one requires, or that was assigned within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CalledRole {
    pub(crate) role: Name,
    /// The assigned role.
    pub(crate) by: Name,
    /// Since when.
    pub(crate) since: UnixMillis,
}

/// Returns the roles that are called for.
pub(crate) fn called_roles(view: &mut TrackedView, settled: &SettledRoles) -> Vec<CalledRole> {
    let model = view.model().clone();
    let by_hand = view.record().identity.by_hand.clone();
    let wanted = wanted(&settled.assigned, (&by_hand, &[]), &model, |role| {
        !role.detection.is_empty() && roles::is_in_use(view, role)
    });
    let assigned = settled.assigned.iter().map(|known| CalledRole {
        role: known.role,
        by: known.role,
        since: known.since,
    });
    let called = wanted.iter().filter(|wanted| wanted.role.name != wanted.by);
    let called = called.map(|wanted| CalledRole {
        role: wanted.role.name,
        by: wanted.by,
        since: wanted.since,
    });
    assigned.chain(called).collect()
}

/// What the ledger comes to, as far as policies look at it.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    /// What is there and stays.
    pub(crate) present: Vec<Entitlement>,
    /// What is there and is to go.
    pub(crate) removing: Vec<Entitlement>,
    /// What is called for and isn't there, with since when. In an account that is
    /// yet to be made it has no native identity.
    pub(crate) missing: Vec<(Entitlement, UnixMillis)>,
}

/// Returns the entitlements that are there or called for, of those that
/// `is_meant` means by application, attribute and value.
pub(crate) fn holdings(
    view: &mut TrackedView,
    settled: &SettledRoles,
    selected: &Selected,
    is_meant: impl Fn((Name, Name), &str) -> bool,
) -> Holdings {
    with_access(view, settled, selected.chosen(), |access| {
        access.holdings(selected, is_meant)
    })
}

/// What is in no detected role: values of an entitlement attribute of an account.
pub(crate) struct Additional<'r> {
    pub(crate) account: &'r Account,
    pub(crate) attribute: Name,
    pub(crate) values: Vec<Cow<'r, str>>,
}

/// Returns the entitlements that are in no detected role, of the accounts at these
/// places.
pub(crate) fn additional<'r>(
    model: &Model,
    record: &'r IdentityRecord,
    present: &[usize],
    detected: &[RoleDetection],
) -> Vec<Additional<'r>> {
    let mut found = Vec::new();
    for account in present.iter().map(|&index| &record.accounts[index]) {
        let on_it = detected.iter();
        let on_it = on_it.filter(|detection| detection.accounts.contains(&account.key));
        let roles = on_it.filter_map(|detection| model.role(detection.role));
        let profiles = roles.flat_map(Role::profiles);
        let satisfied: Vec<&Profile> = profiles
            .filter(|profile| satisfies(account, profile))
            .collect();
        let application = model.application(account.key.application);
        for attribute in application.into_iter().flat_map(Application::entitlements) {
            let Some(value) = account.attribute(attribute) else {
                continue;
            };
            let mut values = value.texts();
            values.retain(|text| {
                let mut profiles = satisfied.iter();
                !profiles.any(|profile| lists(profile, &account.key, attribute, text))
            });
            found.push(Additional {
                account,
                attribute,
                values,
            });
        }
    }
    found
}

/// Works something out of the access that a plan has settled.
fn with_access<T>(
    view: &mut TrackedView,
    settled: &SettledRoles,
    chosen: &[TargetAccount],
    work_out: impl FnOnce(&Access<'_>) -> T,
) -> T {
    let model = view.model().clone();
    let by_hand = view.record().identity.by_hand.clone();
    let provisioning = remembered(view.record());
    let provisioning = provisioning.into_owned();
    let mut targets = provisioning.targets.clone();
    targets.extend_from_slice(chosen);
    let flights = flights(&provisioning, &model, |at| view.reached(at));
    let there = view.present_accounts();
    // What one profile of a role says counts for its others, and what none says
    // any more is forgotten: in this plan as in the next, which remembers it.
    let mut rounds = match model.provisions() {
        true => 3,
        false => 0,
    };
    loop {
        let wanted = wanted(&settled.assigned, (&by_hand, &targets), &model, |role| {
            roles::is_in_use(view, role)
        });
        let accounts = &view.record().accounts;
        let access = Access {
            accounts: there.iter().map(|&index| &accounts[index]).collect(),
            detected: &settled.detected,
            by_hand: &by_hand,
            model: &model,
            wanted,
            provisioning: &provisioning,
            flights: flights.clone(),
        };
        let found = match rounds {
            0 => targets.clone(),
            _ => only_ones(&access.placed(&Held::default()).0),
        };
        if rounds == 0 || found == targets {
            return work_out(&access);
        }
        targets = found;
        rounds -= 1;
    }
}

/// Returns the accounts to remember: those that are one per role and application.
fn only_ones(targets: &[TargetAccount]) -> Vec<TargetAccount> {
    let is_only = |target: &&TargetAccount| {
        let mut others = targets.iter();
        !others.any(|other| {
            other.role == target.role
                && other.account.application == target.account.application
                && other.account != target.account
        })
    };
    targets.iter().filter(is_only).cloned().collect()
}

/// Returns the decisions that aren't over, if one is: what it was about is no
/// longer noted on the account.
pub(crate) fn remaining_decisions(record: &IdentityRecord) -> Option<Vec<EntitlementDecision>> {
    let holds = |decision: &&EntitlementDecision| {
        let mut accounts = record.accounts.iter();
        let account = accounts.find(|account| account.key == decision.account);
        account.is_some_and(|account| account.native_entitlements.contains(&decision.about))
    };
    let decisions = &record.identity.by_hand.entitlements;
    let remaining: Vec<_> = decisions.iter().filter(holds).cloned().collect();
    (remaining.len() < decisions.len()).then_some(remaining)
}

/// A role that an assigned one calls for, or an assigned one itself.
struct Wanted<'m> {
    role: &'m Role,
    /// The assigned role.
    by: Name,
    source: AssignmentSource,
    /// Since when.
    since: UnixMillis,
    /// The account that a person has chosen for it.
    account: Option<AccountKey>,
    /// The accounts that were chosen for the assigned role, one per application.
    targets: Vec<AccountKey>,
}

impl Wanted<'_> {
    /// Says whether it may be for this account.
    fn may_be_for(&self, account: &AccountKey) -> bool {
        let elsewhere = |chosen: &AccountKey| chosen.application != account.application;
        let mut chosen = self.account.iter().chain(&self.targets);
        chosen.all(|chosen| elsewhere(chosen) || chosen == account)
    }
}

/// Returns the assigned roles, those that they require, and those that were
/// assigned within them, as far as they are in use.
fn wanted<'m>(
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
struct Access<'a> {
    /// The accounts that haven't vanished.
    accounts: Vec<&'a Account>,
    detected: &'a [RoleDetection],
    by_hand: &'a ByHand,
    model: &'a Model,
    wanted: Vec<Wanted<'a>>,
    provisioning: &'a Provisioning,
    /// What was sent and isn't confirmed.
    flights: Vec<Flight>,
}

impl Access<'_> {
    /// Returns the ledger, of what accounts hold as far as it is meant.
    fn entries(&self, is_meant: IsMeant<'_>) -> Vec<LedgerEntry> {
        let mut entries = self.held(is_meant);
        entries.extend(self.missing());
        let unwanted = self.on_their_way(&entries);
        entries.extend(unwanted);
        entries.sort();
        entries.dedup();
        entries
    }

    /// Returns what accounts hold, as far as it is meant.
    fn held(&self, is_meant: IsMeant<'_>) -> Vec<LedgerEntry> {
        let mut entries = Vec::new();
        for account in &self.accounts {
            let Some(application) = self.model.application(account.key.application) else {
                continue;
            };
            for definition in application.schema.iter().filter(|known| known.entitlement) {
                let Some(value) = account.attribute(definition.name) else {
                    continue;
                };
                value.each_text(|text| {
                    if is_meant(application.name, definition.name, text) {
                        entries.push(self.held_entry(application, account, definition.name, text));
                    }
                });
            }
        }
        entries
    }

    fn held_entry(
        &self,
        application: &Application,
        account: &Account,
        attribute: Name,
        value: &str,
    ) -> LedgerEntry {
        let detected_roles = self.containing(account, attribute, value);
        // Those that list it: nothing is taken away that they may ask for.
        let mut wanted: Vec<&Wanted<'_>> = self.wanted.iter().collect();
        wanted.retain(|wanted| {
            let mut profiles = asked(wanted.role);
            wanted.may_be_for(&account.key)
                && profiles.any(|profile| lists(profile, &account.key, attribute, value))
        });
        let is_called_for = !wanted.is_empty();
        wanted.retain(|wanted| {
            detected_roles.contains(&wanted.role.name)
                || self.asks_for(wanted, account, attribute, value)
        });
        let assigned = wanted.iter().map(|wanted| (wanted.by, wanted.source));
        let mut assigned_roles: Vec<_> = assigned.collect();
        assigned_roles.sort();
        assigned_roles.dedup();
        let note = account.native_entitlement(attribute, value);
        let note = note.filter(|note| note.change == EntitlementChange::Gained);
        let response = note
            .filter(|_| !is_called_for)
            .map(|note| self.response(application, account, note));
        let entitlement = entitlement(account, attribute, value);
        let given = self.is_given(&entitlement);
        let is_over = given && !is_called_for && self.takes_away(application);
        let flight = self.flight(&entitlement);
        let status = match (response == Some(NativeResponse::Restore) || is_over, flight) {
            (true, Some(flight)) if flight.failed && !flight.adds => EntitlementStatus::Failed,
            (true, _) => EntitlementStatus::Removing,
            // It is on its way out, and called for again.
            (false, Some(flight))
                if !flight.failed && !flight.adds && !assigned_roles.is_empty() =>
            {
                EntitlementStatus::Missing
            }
            (false, _) => EntitlementStatus::Present,
        };
        LedgerEntry {
            entitlement,
            status,
            held: true,
            called_for: is_called_for,
            given,
            connected: account.missing_since.is_none(),
            native: note.map(|note| (note.change, note.detected_at)),
            undecided: response == Some(NativeResponse::Raise),
            detected_roles,
            assigned_roles,
        }
    }

    /// Returns what assigned roles call for and accounts don't hold.
    fn missing(&self) -> Vec<LedgerEntry> {
        let mut entries: Vec<LedgerEntry> = Vec::new();
        for wanted in &self.wanted {
            for (profile, account) in self.determined(wanted) {
                for (attribute, values) in &profile.entitlements {
                    for value in values {
                        if holds(account, *attribute, value) {
                            continue;
                        }
                        let entitlement = entitlement(account, *attribute, value);
                        let Some(entry) = self.missing_entry(wanted, account, entitlement) else {
                            continue;
                        };
                        let known = entries
                            .iter_mut()
                            .find(|known| known.entitlement == entry.entitlement);
                        match known {
                            Some(known) => known.assigned_roles.extend(entry.assigned_roles),
                            None => entries.push(entry),
                        }
                    }
                }
            }
        }
        for entry in &mut entries {
            entry.assigned_roles.sort();
            entry.assigned_roles.dedup();
        }
        entries
    }

    /// Returns the entry of something that a role asks for and that isn't there,
    /// unless its loss is accepted: then it is called for again by a role that is
    /// assigned later.
    fn missing_entry(
        &self,
        wanted: &Wanted<'_>,
        account: &Account,
        entitlement: Entitlement,
    ) -> Option<LedgerEntry> {
        let note = account.native_entitlement(entitlement.attribute, &entitlement.value);
        let note = note.filter(|note| note.change == EntitlementChange::Lost);
        let application = self.model.application(account.key.application)?;
        let response = note.map(|note| self.response(application, account, note));
        let is_older = note.is_some_and(|note| wanted.since <= note.detected_at);
        if response == Some(NativeResponse::Accept) && is_older {
            return None;
        }
        let status = match self.flight(&entitlement) {
            Some(flight) if flight.adds && flight.failed => EntitlementStatus::Failed,
            Some(flight) if flight.adds => EntitlementStatus::Pending,
            _ => EntitlementStatus::Missing,
        };
        Some(LedgerEntry {
            given: self.is_given(&entitlement),
            entitlement,
            status,
            held: false,
            called_for: true,
            connected: false,
            native: note.map(|note| (note.change, note.detected_at)),
            undecided: response == Some(NativeResponse::Raise),
            detected_roles: Vec::new(),
            assigned_roles: vec![(wanted.by, wanted.source)],
        })
    }

    /// Returns what was sent to be given, isn't there yet, and isn't called for
    /// any more: it is taken away before anybody has seen it.
    fn on_their_way(&self, known: &[LedgerEntry]) -> Vec<LedgerEntry> {
        let mut entries = Vec::new();
        for flight in self
            .flights
            .iter()
            .filter(|flight| flight.adds && !flight.failed)
        {
            let entitlement = &flight.entitlement;
            let is_known = known.iter().any(|entry| entry.entitlement == *entitlement);
            let application = self.model.application(entitlement.account.application);
            let Some(application) = application.filter(|_| !is_known) else {
                continue;
            };
            let may_ask = self.wanted.iter().any(|wanted| {
                let mut profiles = asked(wanted.role);
                wanted.may_be_for(&entitlement.account)
                    && profiles.any(|profile| {
                        let Entitlement {
                            account,
                            attribute,
                            value,
                        } = entitlement;
                        lists(profile, account, *attribute, value)
                    })
            });
            entries.push(LedgerEntry {
                entitlement: entitlement.clone(),
                status: match !may_ask && self.takes_away(application) {
                    true => EntitlementStatus::Removing,
                    false => EntitlementStatus::Pending,
                },
                held: false,
                called_for: may_ask,
                given: self.is_given(entitlement),
                connected: false,
                native: None,
                undecided: false,
                detected_roles: Vec::new(),
                assigned_roles: Vec::new(),
            });
        }
        entries
    }

    fn is_given(&self, entitlement: &Entitlement) -> bool {
        let mut given = self.provisioning.given.iter();
        given.any(|known| known.entitlement == *entitlement)
    }

    /// Says whether entitlements go with the last role that they were given for.
    fn takes_away(&self, application: &Application) -> bool {
        let settings = &self.model.provisioning;
        settings.roles && settings.remove && application.is_provisioned()
    }

    fn flight(&self, entitlement: &Entitlement) -> Option<&Flight> {
        let mut flights = self.flights.iter();
        flights.find(|flight| flight.entitlement == *entitlement)
    }

    /// Returns the accounts of applications that are provisioned that roles are
    /// certainly for, and what has none.
    /// Of that nothing is `held`.
    fn placed(&self, held: &Held) -> (Vec<TargetAccount>, Vec<Unplaced>) {
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
    fn response(
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
    fn determined<'s>(&'s self, wanted: &Wanted<'s>) -> Vec<(&'s Profile, &'s Account)> {
        certain(wanted.role)
            .filter_map(|profile| Some((profile, self.account_for(wanted, profile)?)))
            .collect()
    }

    /// Returns the account that a profile of a role is for, among those that its
    /// filter lets through: the one that was chosen, or the only one that the
    /// last aggregation has seen; without one the only one that is missing.
    fn account_for(&self, wanted: &Wanted<'_>, profile: &Profile) -> Option<&Account> {
        match self.accounts_for(wanted, profile).as_slice() {
            [account] => Some(account),
            _ => None,
        }
    }

    /// Returns the accounts that a profile of a role may be for.
    fn accounts_for(&self, wanted: &Wanted<'_>, profile: &Profile) -> Vec<&Account> {
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
    fn asks_for(
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
    fn containing(&self, account: &Account, attribute: Name, value: &str) -> Vec<Name> {
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
    fn is_held_back(&self, entitlement: &Entitlement, held: &Held) -> bool {
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
    fn holdings(
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
    fn goes(
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

/// Returns an entitlement of an account that is yet to be made.
fn in_new_account(profile: &Profile, attribute: Name, value: &str) -> Entitlement {
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
fn not_held(profile: &Profile, held: &Held) -> Vec<(Name, Vec<String>)> {
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
fn certain(role: &Role) -> impl Iterator<Item = &Profile> {
    role.certain_profiles().chain(&role.parts)
}

/// Returns all profiles of a role, also of the parts of logical accounts.
fn asked(role: &Role) -> impl Iterator<Item = &Profile> {
    role.profiles().chain(&role.parts)
}

fn entitlement(account: &Account, attribute: Name, value: &str) -> Entitlement {
    Entitlement {
        account: account.key.clone(),
        attribute,
        value: value.to_owned(),
    }
}

/// Says whether a profile asks for an entitlement on accounts like this one.
fn lists(profile: &Profile, account: &AccountKey, attribute: Name, value: &str) -> bool {
    let mut entitlements = profile.entitlements.iter();
    profile.application == account.application
        && entitlements
            .any(|(known, values)| *known == attribute && values.iter().any(|known| known == value))
}

/// Says whether an account holds an entitlement.
fn holds(account: &Account, attribute: Name, value: &str) -> bool {
    match account.attribute(attribute) {
        Some(Value::Many(values)) => values.iter().any(|known| known == value),
        Some(Value::Text(text)) => text == value,
        _ => false,
    }
}

/// An account, as the filter of a profile reads it.
struct Filtered<'a>(&'a Account);

impl Properties<Infallible> for Filtered<'_> {
    fn property(&mut self, path: &Path) -> Result<Option<Cow<'_, Value>>, Infallible> {
        let text = |text: &str| Some(Cow::Owned(Value::Text(text.to_owned())));
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

fn passes(account: &Account, filter: &Filter) -> bool {
    let Ok(passes) = filter.matches(&mut Filtered(account));
    passes
}

/// Says whether an account is one that a profile asks something of.
fn is_for(profile: &Profile, account: &Account) -> bool {
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
