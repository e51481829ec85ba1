//! Once everything that is open has been dispatched and read back, an application
//! holds exactly what roles call for, beside what was there natively.
//!
//! Dispatch itself carries out what is called for, in a simulated directory: now and
//! then in the middle of a history, with calls that fail, and at the end until
//! nothing is left. Who brought about what is written down here, apart from what
//! idr remembers of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use idr::config::DispatchSettings;
use idr::connect::ConnectError;
use idr::connect::memory::{MemoryApplications, Moment};
use idr::dispatch::{self, Courier, Delivery, DispatchContext};
use idr::store::memory::MemoryStore;
use idr::store::{
    EffectProgress, EffectQuery, EffectStatus, Settlement, Store, StoreError, StoredEffect,
    each_identity,
};
use idr_core::definitions::{Model, NativeResponse, Role};
use idr_core::model::finding::PROVISIONING;
use idr_core::model::{
    Account, AccountKey, AccountOperation, EffectKind, IdentityRecord, Name, RoleVerdict,
    UnixMillis, Value, ValueChange,
};

use crate::histories::{Happening, History, Operation, PEOPLE, Way};
use crate::provisioned::Provisioned;
use crate::world::{Tenant, Tenants};

/// An entitlement of an account in the directory.
type Held = (AccountKey, String);

/// The roles that somebody may have.
const ROLES: [&str; 10] = [
    "business-0",
    "business-1",
    "business-2",
    "by hand",
    "by-rule-1",
    "by-rule-2",
    "composed",
    "crm it",
    "granted",
    "it",
];

/// How often something is approved after a refresh, at most.
const MOST_APPROVALS: usize = 4;

/// So often everything is dispatched and everybody refreshed until it is quiet.
const MOST_ROUNDS: usize = 40;

struct NoCourier;

impl Courier for NoCourier {
    fn post(&self, delivery: &Delivery<'_>) -> Result<u16, String> {
        Err(format!("nobody is at {}", delivery.url))
    }
}

/// A directory that dispatch works in, beside the store that a history happens to.
struct World {
    happening: Happening,
    directory: MemoryApplications,
    /// What idr gave and what has been there since.
    given: BTreeSet<Held>,
    /// What idr has ever called for.
    called: BTreeSet<Held>,
    /// Whether what idr gives always goes with its role.
    takes_away: bool,
    /// Whether idr may take what was there before: it takes it over, or what is
    /// gained natively may be taken back.
    takes_over: bool,
}

impl World {
    fn new(history: &History) -> Self {
        let store = Arc::new(MemoryStore::default()) as Arc<dyn Store>;
        let tenants = Arc::new(Tenants::default());
        let mut world = Self {
            happening: Happening::new(store, Way::Incremental, tenants, history),
            directory: MemoryApplications::default(),
            given: BTreeSet::new(),
            called: BTreeSet::new(),
            takes_away: true,
            takes_over: false,
        };
        world.note_settings();
        world
    }

    fn store(&self) -> &dyn Store {
        self.happening.store.as_ref()
    }

    fn model(&self) -> &Model {
        &self.happening.configured().model
    }

    /// Notes what is set of taking away and taking over.
    fn note_settings(&mut self) {
        let model = self.model();
        let directory = model.application(Name::new("ad")).expect("there is one");
        let settings = model.provisioning;
        let takes_away = directory.is_provisioned() && settings.roles && settings.remove;
        let restores = directory.native_entitlements.gain != NativeResponse::Accept;
        let takes_over = directory.provisioning.adopt || restores;
        self.takes_away &= takes_away;
        self.takes_over |= takes_over;
    }

    fn happen(&mut self, operation: &Operation) -> Result<(), String> {
        match operation {
            Operation::Deliver { first } => self.dispatch(*first)?,
            operation => {
                self.happening.happen(operation);
            }
        }
        match operation {
            Operation::Configure(_) => self.note_settings(),
            // Somebody may want back what was gained natively.
            Operation::DecideEntitlement { .. } => self.takes_over = true,
            _ => {}
        }
        // What is done twice is done at two instants.
        self.happening.happen(&Operation::Pass(1_000));
        self.observe();
        Ok(())
    }

    /// Lets the directory be as the store knows it, and notes what is called for.
    fn observe(&mut self) {
        let mut now: BTreeMap<AccountKey, Account> = BTreeMap::new();
        for account in self.accounts() {
            now.insert(account.key.clone(), account);
        }
        for account in self.directory.accounts() {
            if !now.contains_key(&account.key) {
                self.directory.take(&account.key);
            }
        }
        let held: BTreeSet<Held> = now.values().flat_map(held).collect();
        self.given.retain(|known| held.contains(known));
        for account in now.into_values() {
            self.directory.put(account);
        }
        for record in self.records() {
            for action in &record.identity.account_actions {
                for change in &action.changes {
                    if let ValueChange::Add(values) = &change.change {
                        let of = |value: &String| (action.account.clone(), value.clone());
                        self.called.extend(values.iter().map(of));
                    }
                }
            }
        }
    }

    fn records(&self) -> Vec<IdentityRecord> {
        let mut records = Vec::new();
        let visited = each_identity(self.store(), |record| {
            records.push(record);
            Ok::<_, StoreError>(())
        });
        visited.expect("the store can be read");
        records
    }

    /// Returns the accounts that the store says the directory has.
    fn accounts(&self) -> Vec<Account> {
        let mut keys: Vec<AccountKey> = (0..4)
            .map(|number| AccountKey {
                application: Name::new("ad"),
                native_identity: format!("a{number}"),
            })
            .collect();
        let records = self.records();
        let owned = records.iter().flat_map(|record| &record.accounts);
        keys.extend(owned.map(|account| account.key.clone()));
        keys.extend(self.directory.accounts().into_iter().map(|known| known.key));
        keys.retain(|key| key.application.as_str() == "ad");
        keys.sort();
        keys.dedup();
        let accounts = self.store().accounts(&keys).expect("the store can be read");
        let present = accounts.into_iter();
        present
            .filter(|known| known.missing_since.is_none())
            .collect()
    }

    /// Carries out what is open. Unless all goes well, which is number 0, some calls
    /// fail: before or after they are done, or for good.
    fn dispatch(&mut self, number: usize) -> Result<(), String> {
        self.happening.adopt();
        self.observe();
        let mut calls = 0;
        self.directory.fail(Some(Box::new(move |call, moment| {
            calls += usize::from(moment == Moment::Before);
            let name = Name::new("ad");
            let fails = number > 0 && calls % 4 == number && call != "get";
            match (number, moment) {
                (1, Moment::Before) | (2, Moment::After) if fails => {
                    Some(ConnectError::unavailable(&name, "it doesn't answer"))
                }
                (3, Moment::Before) if fails => Some(ConnectError::refused(&name, "never")),
                _ => None,
            }
        })));
        let before: BTreeSet<Held> = self.directory.accounts().iter().flat_map(held).collect();
        let configured = self.happening.configured();
        let context = DispatchContext {
            store: self.store(),
            tenant: "acme",
            model: &configured.model,
            rules: configured.rules.as_ref(),
            connectors: &self.directory,
            courier: &NoCourier,
            workflows: &[],
            settings: DispatchSettings::default(),
            now: self.happening.now(),
        };
        dispatch::dispatch(&context).map_err(|error| format!("dispatch: {error}"))?;
        self.directory.fail(None);
        let accounts = self.directory.accounts();
        let after: BTreeSet<Held> = accounts.iter().flat_map(held).collect();
        for taken in before.difference(&after) {
            let is_gone = !accounts.iter().any(|known| known.key == taken.0);
            if !is_gone && !self.called.contains(taken) && !self.takes_over {
                return Err(format!("what was there natively was taken away: {taken:?}"));
            }
        }
        self.given.retain(|known| after.contains(known));
        let added = after.difference(&before);
        self.given.extend(added.cloned());
        Ok(())
    }

    /// Dispatches and refreshes until nothing is open and nothing is done any more;
    /// says whether it comes to that.
    fn settle(&mut self) -> Result<bool, String> {
        let mut done = usize::MAX;
        for _ in 0..MOST_ROUNDS {
            self.revive();
            self.dispatch(0)?;
            let refresh = Operation::Refresh { meanwhile: None };
            self.happen(&Operation::Pass(3_600_000))?;
            self.happen(&refresh)?;
            // What a run that was held leaves out, and what that is held for then.
            for _ in 0..MOST_APPROVALS {
                self.happen(&Operation::Approve)?;
            }
            let log = self.directory.log();
            if self.open().is_empty() && log.len() == done {
                return Ok(true);
            }
            done = log.len();
        }
        // Values that never settle: what they lead to goes to and fro for ever.
        let due = self.store().due(self.happening.now(), None, 1);
        match due.expect("the store can be read").is_empty() {
            true => Err(format!("it is never quiet: {:?}", self.open())),
            false => Ok(false),
        }
    }

    /// Says what isn't as it should be once it is quiet.
    fn judge(&self) -> Result<(), String> {
        let model = self.model();
        for record in self.records() {
            let identity = &record.identity;
            let directory = record.accounts.iter();
            let directory: Vec<&Account> = directory
                .filter(|known| known.key.application.as_str() == "ad")
                .filter(|known| known.missing_since.is_none())
                .collect();
            let about = |what: String| {
                let query = EffectQuery {
                    uid: Some(identity.uid),
                    ..EffectQuery::default()
                };
                let effects = self.store().effects(&query, usize::MAX);
                let effects = effects.expect("the store can be read").into_iter();
                let effects: Vec<String> = effects
                    .filter(is_account)
                    .map(|known| format!("{:?} {:?}", known.effect.what, known.progress))
                    .collect();
                Err(format!(
                    "{}: {what}\n{}\n{:?}\n{:?}\n{:?}",
                    identity.name,
                    effects.join("\n"),
                    identity.provisioning,
                    self.accounts(),
                    self.directory.log()
                ))
            };
            let is_explained = self.is_given_up(&record)
                || identity.findings.iter().any(|known| {
                    let causes = ["provisioning-loop", "unconfirmed", "provisioning-failed"];
                    causes.contains(&known.cause.as_str())
                });
            if !identity.account_actions.is_empty() && !is_explained {
                return about(format!("{:?} is left", identity.account_actions));
            }
            let wanted = wanted(&record, model, self.happening.now());
            let asked = |value: &str| {
                let mut profiles = wanted
                    .iter()
                    .flat_map(|role| role.profiles().chain(&role.parts));
                profiles.any(|profile| {
                    let mut values = profile.entitlements.iter().flat_map(|(_, values)| values);
                    values.any(|known| known == value)
                })
            };
            for (key, value) in directory.iter().flat_map(|known| held(known)) {
                let known = (key, value);
                if self.takes_away
                    && self.given.contains(&known)
                    && !asked(&known.1)
                    && !is_explained
                {
                    return about(format!("{known:?} was left to them"));
                }
            }
            self.missing(&record, &directory, &wanted)
                .or_else(|what| match is_explained {
                    true => Ok(()),
                    false => about(what),
                })?;
        }
        Ok(())
    }

    /// Says what somebody lacks that a role certainly asks for.
    fn missing(
        &self,
        record: &IdentityRecord,
        directory: &[&Account],
        wanted: &[&Role],
    ) -> Result<(), String> {
        let model = self.model();
        let identity = &record.identity;
        let application = model.application(Name::new("ad")).expect("there is one");
        let is_held = identity
            .violations
            .iter()
            .any(|known| !known.held.is_empty());
        if !application.is_provisioned() || !model.provisioning.roles || is_held {
            return Ok(());
        }
        let profiles: Vec<_> = wanted
            .iter()
            .flat_map(|role| role.certain_profiles().chain(&role.parts))
            .collect();
        match directory {
            [] => {
                let state = identity.lifecycle_state;
                let mut states = model.lifecycle.states.iter();
                let is_closed = states.any(|known| {
                    Some(known.name) == state
                        && known.accounts.iter().any(|action| {
                            matches!(
                                action.operation,
                                AccountOperation::Delete | AccountOperation::Disable
                            )
                        })
                });
                let is_found = identity
                    .findings
                    .iter()
                    .any(|known| known.phase == PROVISIONING);
                let vanished = record.accounts.iter();
                let mut vanished = vanished.filter(|known| known.key.application.as_str() == "ad");
                let is_vanishing = vanished.any(|known| !self.directory_deleted(&known.key));
                match profiles.is_empty() || is_closed || is_found || is_vanishing {
                    true => Ok(()),
                    false => Err("they have no account, and nobody says why".to_owned()),
                }
            }
            [account] if account.native_entitlements.is_empty() => {
                let title = account.attribute(Name::new("title"));
                for profile in profiles {
                    let is_for = profile.filter.is_none() || title != Some(&Value::text("v0"));
                    let values = profile.entitlements.iter().flat_map(|(_, values)| values);
                    let has = held(account);
                    let mut lacks =
                        values.filter(|value| !has.iter().any(|(_, known)| known == *value));
                    if let Some(value) = lacks.next().filter(|_| is_for) {
                        return Err(format!("{value} of {:?} is missing", account.key));
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Says whether dispatch has deleted an account.
    fn directory_deleted(&self, key: &AccountKey) -> bool {
        let log = self.directory.log();
        log.contains(&format!("delete ad {}", key.native_identity))
    }

    /// Says whether something that is to be done for somebody was given up.
    fn is_given_up(&self, record: &IdentityRecord) -> bool {
        let query = EffectQuery {
            uid: Some(record.identity.uid),
            dead: true,
            ..EffectQuery::default()
        };
        let dead = self.store().effects(&query, usize::MAX);
        dead.expect("the store can be read").iter().any(is_account)
    }

    /// What is open in the outbox and is done with accounts.
    fn open(&self) -> Vec<String> {
        let effects = self.store().open_effects(0, usize::MAX);
        let effects = effects.expect("the store can be read").into_iter();
        let accounts = effects.filter(is_account);
        accounts.map(|known| format!("{known:?}")).collect()
    }

    /// Lets everything that was given up be tried again.
    fn revive(&self) {
        let effects = self.store().effects(&EffectQuery::default(), usize::MAX);
        for effect in effects.expect("the store can be read") {
            if effect.progress.status == EffectStatus::Dead && is_account(&effect) {
                let again = Settlement {
                    number: effect.number,
                    expected: EffectStatus::Dead,
                    progress: EffectProgress {
                        status: EffectStatus::Failed,
                        attempts: 1,
                        ..EffectProgress::default()
                    },
                    ..Settlement::default()
                };
                let settled = self.store().settle(&again);
                assert!(settled.expect("the store can be written"));
            }
        }
    }
}

/// Returns the entitlements of an account.
fn held(account: &Account) -> Vec<Held> {
    let mut held = Vec::new();
    if let Some(groups) = account.attribute(Name::new("groups")) {
        groups.each_text(|text| held.push((account.key.clone(), text.to_owned())));
    }
    held
}

fn is_account(effect: &StoredEffect) -> bool {
    matches!(effect.effect.what, EffectKind::Account(_))
}

/// Returns the roles that somebody's assigned ones call for.
fn wanted<'m>(record: &IdentityRecord, model: &'m Model, now: UnixMillis) -> Vec<&'m Role> {
    let mut names = BTreeSet::new();
    for assigned in &record.identity.assigned {
        names.insert(assigned.role);
        names.extend(assigned.permits.iter().copied());
        let role = model.role(assigned.role);
        names.extend(role.iter().flat_map(|role| role.requires.iter().copied()));
    }
    let roles = names.into_iter().filter_map(|name| model.role(name));
    roles.filter(|role| role.is_in_use(now)).collect()
}

/// Carries out a history and lets everything come about; says what doesn't.
pub fn comes_about(history: &History) -> Result<(), (usize, String)> {
    if history.tenant.provisioned.is_none() {
        return Ok(());
    }
    let mut world = World::new(history);
    for (place, operation) in history.operations.iter().enumerate() {
        world.happen(operation).map_err(|what| (place, what))?;
    }
    let end = history.operations.len();
    let mut then = |operations: Vec<Operation>| {
        for operation in operations {
            world.happen(&operation)?;
        }
        match world.settle()? {
            true => world.judge().map(|()| true),
            false => Ok(false),
        }
    };
    // Then accounts get other owners, two become one person, and all roles go.
    let link = |number: usize| Operation::Link {
        account: ("ad", format!("a{number}")),
        person: Some((number + 1) % PEOPLE),
    };
    let moved = (0..4)
        .map(link)
        .chain([Operation::Merge { from: 1, into: 2 }]);
    let denied = (0..PEOPLE).flat_map(|person| {
        ROLES.map(|role| Operation::Decide {
            person,
            role,
            within: None,
            decision: Some((RoleVerdict::Denied, None, None)),
        })
    });
    for operations in [Vec::new(), moved.collect(), denied.collect()] {
        match then(operations) {
            Ok(true) => {}
            Ok(false) => break,
            Err(what) => return Err((end, what)),
        }
    }
    Ok(())
}

/// The same where what idr gives always goes with its role, and nothing is taken
/// over: more can be said of that.
pub fn comes_about_exactly(history: &History) -> Result<(), (usize, String)> {
    let mut history = history.clone();
    let exact = |tenant: &mut Tenant| {
        tenant.provisioned = tenant.provisioned.map(Provisioned::exact);
        tenant.native.entitlements.gain = NativeResponse::Accept;
    };
    exact(&mut history.tenant);
    for operation in &mut history.operations {
        if let Operation::Configure(tenant) = operation {
            exact(tenant);
        }
    }
    let is_asked = |operation: &Operation| matches!(operation, Operation::DecideEntitlement { .. });
    history.operations.retain(|known| !is_asked(known));
    comes_about(&history)
}
