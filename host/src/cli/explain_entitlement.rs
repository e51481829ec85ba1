//! Why somebody holds an entitlement, should, or doesn't: everything that has a say
//! in it, as steps of an explanation.

use idr_core::definitions::{Model, Profile, Role};
use idr_core::model::{
    AccountAction, AccountKey, AccountOperation, AssignmentSource, EffectKind, Entitlement,
    IdentityRecord, LedgerEntry, Name, RoleAssignment, RoleDecision, RoleVerdict, SentOutcome,
    UnixMillis, ValueChange,
};
use idr_core::view::{TraceEntry, Traced};

use crate::refresh::entitlement_told;
use crate::report::{MASK, is_sensitive_of, reason_words};
use crate::store::{EffectQuery, EffectStatus, Store, StoreError};

/// What explanations of entitlements are made from.
pub(super) struct Reasons<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) model: &'a Model,
    pub(super) at: UnixMillis,
    /// The identity as a refresh now would leave it.
    pub(super) refreshed: &'a IdentityRecord,
}

impl Reasons<'_> {
    /// Returns what has a say in how an entitlement stands on its account; `depth` is
    /// that of the steps.
    pub(super) fn steps(
        &self,
        entry: &LedgerEntry,
        depth: usize,
    ) -> Result<Vec<TraceEntry>, StoreError> {
        let mut steps = Vec::new();
        for role in &entry.detected_roles {
            steps.push(step(depth, format!("detected role {role}"), "contains it"));
        }
        for (role, source) in &entry.assigned_roles {
            let way = format!("calls for it; it is assigned by {}", source.as_str());
            steps.push(step(depth, format!("assigned role {role}"), way));
            steps.extend(self.assigned_by(*role, *source, depth + 1));
        }
        steps.extend(self.held_back(&entry.entitlement, &entry.assigned_roles, depth));
        steps.extend(self.origin(entry, depth));
        steps.extend(self.native(entry, depth));
        steps.extend(self.account(&entry.entitlement.account, depth));
        steps.extend(self.on_its_way(&entry.entitlement, depth)?);
        Ok(steps)
    }

    /// Returns why an entitlement that is neither there nor called for isn't, for
    /// each role that asks for such a value; nothing where none does.
    pub(super) fn why_not(&self, value: &str) -> Result<Vec<TraceEntry>, StoreError> {
        let mut steps = Vec::new();
        for role in self.model.roles.iter() {
            let profiles = role.profiles().chain(&role.parts);
            let mut asking = profiles.filter_map(|profile| Some((profile, lists(profile, value)?)));
            let Some((profile, attribute)) = asking.next() else {
                continue;
            };
            let application = profile.application;
            let what = format!("role {}", role.name);
            let asks = format!("asks for it as one of `{attribute}` in `{application}`");
            steps.push(step(0, what, asks));
            steps.extend(self.not_called_for(role, profile, (attribute, value))?);
        }
        Ok(steps)
    }

    /// Returns what the audit tells that makes an entitlement stand otherwise: of it, and
    /// of the roles that ask for it. `meant` is how it stands on accounts.
    pub(super) fn told_of(&self, value: &str, meant: &[&LedgerEntry]) -> Vec<String> {
        let mut places: Vec<(Name, Name)> = meant
            .iter()
            .map(|entry| {
                let entitlement = &entry.entitlement;
                (entitlement.account.application, entitlement.attribute)
            })
            .collect();
        let mut told = Vec::new();
        for role in self.model.roles.iter() {
            let profiles = role.profiles().chain(&role.parts);
            let before = places.len();
            places.extend(profiles.filter_map(|profile| {
                lists(profile, value).map(|attribute| (profile.application, attribute))
            }));
            if places.len() == before {
                continue;
            }
            let named = |name: Name| [format!("role {name}"), format!("detected role {name}")];
            told.extend(named(role.name));
            let roles = self.model.roles.iter();
            let asking = roles.filter(|known| {
                known.requires.contains(&role.name) || known.permits.contains(&role.name)
            });
            told.extend(asking.flat_map(|known| named(known.name)));
        }
        told.extend(places.into_iter().map(|(application, attribute)| {
            entitlement_told(self.model, application, attribute, value)
        }));
        told
    }

    /// Returns who or what gives an assigned role, where that isn't its selector.
    fn assigned_by(&self, role: Name, source: AssignmentSource, depth: usize) -> Vec<TraceEntry> {
        let identity = &self.refreshed.identity;
        let mut steps = Vec::new();
        if let (AssignmentSource::State, Some(state)) = (source, identity.lifecycle_state) {
            let what = format!("lifecycle state {state}");
            steps.push(step(depth, what, format!("gives role {role}")));
        }
        let decisions = identity.by_hand.roles.iter();
        let decisions = decisions.filter(|known| {
            known.verdict == RoleVerdict::Assigned
                && (known.role == role || known.within == Some(role))
        });
        steps.extend(decisions.map(|known| self.decision(known, depth)));
        steps
    }

    fn decision(&self, known: &RoleDecision, depth: usize) -> TraceEntry {
        let verdict = known.verdict.as_str();
        let mut way = format!("by {} at {}", known.actor, known.at);
        if let Some(from) = known.from.filter(|from| *from > self.at) {
            way += &format!(", from {from}");
        }
        if let Some(until) = known.until {
            let over = if until <= self.at {
                ", which is over"
            } else {
                ""
            };
            way += &format!(", until {until}{over}");
        }
        if !known.reason.is_empty() {
            way += &format!(": {}", known.reason);
        }
        step(depth, format!("role {} {verdict}", known.role), way)
    }

    /// Returns the policies that keep an entitlement out, or a role that calls for it.
    fn held_back(
        &self,
        entitlement: &Entitlement,
        roles: &[(Name, AssignmentSource)],
        depth: usize,
    ) -> Vec<TraceEntry> {
        let text = self.spoken(entitlement);
        let violations = self.refreshed.identity.violations.iter();
        let violations = violations.filter(|known| known.ended.is_none());
        let steps = violations.filter_map(|violation| {
            let mut held = violation.held.iter();
            let held = held.find(|held| {
                **held == text || roles.iter().any(|(role, _)| role.as_str() == held.as_str())
            })?;
            let status = violation.status.as_str();
            let way = format!("keeps `{held}` out since {}: {status}", violation.since);
            Some(step(depth, format!("policy {}", violation.policy), way))
        });
        steps.collect()
    }

    /// Returns an entitlement as violations name it.
    fn spoken(&self, entitlement: &Entitlement) -> String {
        let (application, attribute) = (entitlement.account.application, entitlement.attribute);
        let value = match is_sensitive_of(self.model, application, attribute) {
            true => MASK,
            false => entitlement.value.as_str(),
        };
        format!("{application} {attribute} {value}")
    }

    /// Returns whether idr gave it, and what that means.
    fn origin(&self, entry: &LedgerEntry, depth: usize) -> Option<TraceEntry> {
        let application = self
            .model
            .application(entry.entitlement.account.application)?;
        if !application.is_provisioned() || !(entry.held || entry.given) {
            return None;
        }
        if !entry.given {
            let way = "not by idr: it stays when no role calls for it any more";
            return Some(step(depth, "given".to_owned(), way));
        }
        let given = self.refreshed.identity.provisioning.given.iter();
        let mut given = given.filter(|known| known.entitlement == entry.entitlement);
        let roles = given.next().map_or(&[][..], |known| &known.roles);
        let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        let goes = match self.model.provisioning.remove {
            true => "it goes with the last role that calls for it",
            false => "nothing is taken away (`provisioning.remove`)",
        };
        let adopt = match application.provisioning.adopt {
            true => "by idr, or taken over (`adopt`)",
            false => "by idr",
        };
        let way = format!("{adopt}, for {}: {goes}", roles.join(", "));
        Some(step(depth, "given".to_owned(), way))
    }

    /// Returns what became of it natively, and what was decided about that.
    fn native(&self, entry: &LedgerEntry, depth: usize) -> Vec<TraceEntry> {
        let Some((change, at)) = entry.native else {
            return Vec::new();
        };
        let waits = match entry.undecided {
            true => ", which somebody is to decide about",
            false => "",
        };
        let what = format!("{} natively", change.as_str());
        let mut steps = vec![step(depth, what, format!("at {at}{waits}"))];
        let decisions = self.refreshed.identity.by_hand.entitlements.iter();
        let decisions = decisions.filter(|known| {
            known.account == entry.entitlement.account
                && known.about.attribute == entry.entitlement.attribute
                && known.about.value == entry.entitlement.value
        });
        steps.extend(decisions.map(|known| {
            let way = format!("by {} at {}: {}", known.actor, known.at, known.reason);
            step(depth + 1, known.verdict.as_str().to_owned(), way)
        }));
        steps
    }

    /// Returns what is called for with its account as a whole.
    fn account(&self, account: &AccountKey, depth: usize) -> Vec<TraceEntry> {
        let actions = self.refreshed.identity.account_actions.iter();
        let actions = actions.filter(|action| {
            action.account == *account && action.operation != AccountOperation::Modify
        });
        let steps = actions.map(|action| {
            let what = format!("account {}", account.native_identity);
            step(depth, what, called_for(action))
        });
        steps.collect()
    }

    /// Returns what is called for and sent that gives it or takes it away, and how
    /// far that has come.
    fn on_its_way(
        &self,
        entitlement: &Entitlement,
        depth: usize,
    ) -> Result<Vec<TraceEntry>, StoreError> {
        let identity = &self.refreshed.identity;
        let mut steps = Vec::new();
        for action in &identity.account_actions {
            if let Some(word) = changes(action, entitlement) {
                steps.push(step(depth, word.to_owned(), called_for(action)));
            }
        }
        for sent in &identity.provisioning.sent {
            let Some(word) = changes(&sent.action, entitlement) else {
                continue;
            };
            let outcome = match &sent.outcome {
                SentOutcome::Sent => "the account hasn't shown it yet".to_owned(),
                SentOutcome::Confirmed => "the account has shown it".to_owned(),
                SentOutcome::Failed(why) => format!("it failed: {why}"),
            };
            let way = format!("at {}: {outcome}", sent.at);
            steps.push(step(depth, format!("{word}, sent"), way));
        }
        let query = EffectQuery {
            uid: Some(identity.uid),
            ..EffectQuery::default()
        };
        for stored in self.store.effects(&query, usize::MAX)? {
            let EffectKind::Account(action) = &stored.effect.what else {
                continue;
            };
            let progress = &stored.progress;
            let is_open = progress.status.is_open() || progress.status == EffectStatus::Dead;
            let Some(word) = changes(action, entitlement).filter(|_| is_open) else {
                continue;
            };
            let mut way = format!(
                "{}, tried {} times",
                progress.status.as_str(),
                progress.attempts
            );
            if let Some(next) = progress.next_attempt {
                way += &format!(", again at {next}");
            }
            if let Some(message) = &progress.message {
                way += &format!(": {message}");
            }
            steps.push(step(
                depth,
                format!("{word}, in the outbox as {}", stored.id),
                way,
            ));
        }
        Ok(steps)
    }

    /// Returns why a role that asks for a value doesn't call for it on any account.
    fn not_called_for(
        &self,
        role: &Role,
        profile: &Profile,
        (attribute, value): (Name, &str),
    ) -> Result<Vec<TraceEntry>, StoreError> {
        let identity = &self.refreshed.identity;
        let application = profile.application;
        let mut steps = Vec::new();
        let denied = identity.by_hand.roles.iter();
        let denied =
            denied.filter(|known| known.role == role.name && known.verdict == RoleVerdict::Denied);
        steps.extend(denied.map(|known| self.decision(known, 1)));
        let asks = |known: &&RoleAssignment| {
            let requires = self.model.role(known.role);
            let requires = requires.is_some_and(|found| found.requires.contains(&role.name));
            known.role == role.name || requires || known.permits.contains(&role.name)
        };
        let by: Vec<(Name, AssignmentSource)> = identity
            .assigned
            .iter()
            .filter(asks)
            .map(|known| (known.role, known.source))
            .collect();
        if by.is_empty() {
            let name = &identity.name;
            let way = format!(
                "nor a role that requires it; see idr explain {name} role {}",
                role.name
            );
            steps.push(step(1, "it isn't assigned".to_owned(), way));
            return Ok(steps);
        }
        if !role.is_in_use(self.at) {
            steps.push(step(1, "the role".to_owned(), "isn't in use"));
        }
        for (role, source) in &by {
            let way = format!("calls for it; it is assigned by {}", source.as_str());
            steps.push(step(1, format!("assigned role {role}"), way));
            steps.extend(self.assigned_by(*role, *source, 2));
        }
        // An account that isn't there has no name that policies could say.
        let nowhere = Entitlement {
            account: AccountKey {
                application,
                native_identity: String::new(),
            },
            attribute,
            value: value.to_owned(),
        };
        let mut roles = by;
        roles.push((role.name, AssignmentSource::Rule));
        steps.extend(self.held_back(&nowhere, &roles, 1));
        let accounts = self.refreshed.accounts.iter();
        let accounts = accounts
            .filter(|known| known.key.application == application && known.missing_since.is_none());
        let created = identity.account_actions.iter().find(|action| {
            action.operation == AccountOperation::Create
                && action.account.application == application
        });
        match (created, accounts.count()) {
            (Some(action), _) => {
                let created = Entitlement {
                    account: action.account.clone(),
                    ..nowhere
                };
                let what = format!("account {}", action.account.native_identity);
                steps.push(step(1, what, called_for(action)));
                steps.extend(self.on_its_way(&created, 1)?);
            }
            (None, 0) => {
                let what = format!("an account in {application}");
                steps.push(step(1, what, self.no_account(application)));
            }
            (None, 1) => {
                let what = format!("the account in {application}");
                let way = "isn't as the role wants it, or its profile is one of several";
                steps.push(step(1, what, way));
            }
            (None, count) => {
                let what = format!("{count} accounts in {application}");
                let way = "none of them was chosen for it: idr role assign --account";
                steps.push(step(1, what, way));
            }
        }
        Ok(steps)
    }

    /// Says why nobody gets an account.
    fn no_account(&self, application: Name) -> String {
        let known = self.model.application(application);
        let state = self.refreshed.identity.lifecycle_state;
        let definition = state.and_then(|state| self.model.state(state));
        let closes = definition.is_some_and(|state| {
            let mut actions = state.accounts.iter();
            actions.any(|action| {
                action.application == application
                    && matches!(
                        action.operation,
                        AccountOperation::Disable | AccountOperation::Delete
                    )
            })
        });
        let why = match known {
            Some(known) if !known.is_provisioned() => "it isn't provisioned (`provisioning`)",
            _ if closes => "the lifecycle state disables or deletes accounts there",
            Some(known) if known.provisioning.template.is_none() => "none is made (`[account]`)",
            _ => "none can be made now: see idr finding list",
        };
        format!("isn't there: {why}")
    }
}

/// Returns the attribute as one of which a profile asks for a value.
fn lists(profile: &Profile, value: &str) -> Option<Name> {
    let mut entitlements = profile.entitlements.iter();
    let found = entitlements.find(|(_, values)| values.iter().any(|known| known == value));
    found.map(|(attribute, _)| *attribute)
}

/// Returns the word for what an action does about an entitlement, if anything.
fn changes(action: &AccountAction, entitlement: &Entitlement) -> Option<&'static str> {
    if action.account != entitlement.account {
        return None;
    }
    action.changes.iter().find_map(|change| {
        let (word, values) = match &change.change {
            ValueChange::Add(values) => ("add", values),
            ValueChange::Remove(values) => ("remove", values),
            ValueChange::Set(_) => return None,
        };
        let is_it =
            change.attribute == entitlement.attribute && values.contains(&entitlement.value);
        is_it.then_some(word)
    })
}

fn called_for(action: &AccountAction) -> String {
    let reasons: Vec<String> = action.reasons.iter().map(reason_words).collect();
    let operation = action.operation.as_str();
    format!(
        "{operation}, called for since {}: {}",
        action.since,
        reasons.join(", ")
    )
}

fn step(depth: usize, what: String, way: impl Into<String>) -> TraceEntry {
    TraceEntry {
        about: None,
        kind: Traced::Step(depth),
        what,
        answer: way.into(),
    }
}
