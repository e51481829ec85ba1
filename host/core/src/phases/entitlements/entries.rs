//! The entries of the ledger: what accounts hold, what they lack, and what is on
//! its way.

use super::IsMeant;
use super::access::{Access, Wanted};
use super::profiles::{asked, entitlement, holds, lists};
use crate::definitions::{Application, NativeResponse};
use crate::model::{Account, Entitlement, EntitlementChange, EntitlementStatus, LedgerEntry, Name};

impl Access<'_> {
    /// Returns the ledger, of what accounts hold as far as it is meant.
    pub(super) fn entries(&self, is_meant: IsMeant<'_>) -> Vec<LedgerEntry> {
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

    pub(super) fn held_entry(
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
    pub(super) fn missing_entry(
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
}
