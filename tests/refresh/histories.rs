//! Random histories, carried out on two stores that refresh differently.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use idr::aggregate::{self, NewOwner};
use idr::refresh::prune::{PruneSettings, prune};
use idr::refresh::selection::{Criterion, choose};
use idr::refresh::{self, Configurator, Configured, RefreshError, Request};
use idr::report::canonical;
use idr::store::{
    AccountWrite, AggregateBatch, AuditEntry, AuditQuery, ClaimEdit, Creation, EffectProgress,
    EffectQuery, EffectStatus, EventQuery, Raise, Rehearse, Run, RunSettings, RunStatus, Scope,
    Settlement, Store, StoreError, each_identity,
};
use idr_core::definitions;
use idr_core::filter::Filter;
use idr_core::model::{
    Account, AccountKey, AccountOperation, AccountStatus, ByHand, Claim, EffectKind,
    EntitlementDecision, EntitlementVerdict, Holder, IdentityRecord, Link, ManualEdit, Name,
    NativeChange, NativeOperation, PolicyDecision, PolicyVerdict, ReadKey, RoleDecision,
    RoleVerdict, SentAction, SentOutcome, StateOverride, UnixMillis, Value, ValueType,
};
use idr_core::phases::correlation::correlate;
use idr_core::plan::{PlanContext, Planner};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::again::{self, ask_again};
use crate::consequences::follow;
use crate::governance::govern;
use crate::provisioned::{carried_out, provision};
use crate::variety::{WHOM, vary};
use crate::world::{LOGINS, Native, Tenant, Tenants};

/// One thing that happens to a tenant.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A person's row in the HR feed.
    Hr {
        person: usize,
        fields: Vec<(&'static str, String)>,
    },
    /// A person's row is no longer in the HR feed, or is back.
    HrListed { person: usize, listed: bool },
    /// An account in the directory.
    Ad {
        account: usize,
        fields: Vec<(&'static str, String)>,
        groups: Vec<String>,
    },
    /// An account is no longer in the directory's feed, or is back.
    AdListed { account: usize, listed: bool },
    /// A person edits an attribute by hand, or takes the edit back.
    Edit {
        person: usize,
        value: Option<String>,
    },
    /// A person decides about a role, or takes the decision back.
    Decide {
        person: usize,
        role: &'static str,
        /// The role that permits it.
        within: Option<&'static str>,
        /// The verdict, and from and until when, in hours from the start.
        decision: Option<(RoleVerdict, Option<i64>, Option<i64>)>,
    },
    /// A person sets the lifecycle state until so many hours from the start,
    /// or lets the rule decide again.
    SetState {
        person: usize,
        state: Option<(&'static str, Option<i64>)>,
    },
    /// A person keeps a unique name from being given, or lets it be given again
    /// if nobody has it any more.
    Claim { name: String, reserve: bool },
    /// A person decides about what accounts have gained or lost natively: about
    /// one of so many, from this on.
    DecideEntitlement {
        person: usize,
        first: usize,
        verdict: EntitlementVerdict,
    },
    /// Somebody edits a definition.
    Configure(Box<Tenant>),
    /// Time passes, in milliseconds.
    Pass(i64),
    /// A refresh; in the middle of it an HR row may change.
    Refresh { meanwhile: Option<Box<Operation>> },
    /// A refresh after which those who were due stay due.
    RefreshKeepingDue,
    /// A refresh that is cancelled when it has told its progress so often.
    RefreshCancelled { after: usize },
    /// An account is enabled, disabled or locked.
    Status {
        account: (&'static str, String),
        status: AccountStatus,
    },
    /// A person links an account to somebody, or takes it from its identity.
    Link {
        account: (&'static str, String),
        person: Option<usize>,
    },
    /// Two identities are one person.
    Merge { from: usize, into: usize },
    /// An account is another person's, with a new identity.
    Split {
        person: usize,
        account: (&'static str, String),
        new: usize,
    },
    /// A refresh of some only, in one of so many ways to choose them.
    RefreshChosen { whom: usize },
    /// A person decides about a policy violation, or takes the decision back.
    DecidePolicy {
        person: usize,
        policy: &'static str,
        /// The verdict, and until when an allowance holds, in hours from the start.
        decision: Option<(PolicyVerdict, i64)>,
    },
    /// A refresh that judges these policies only.
    RefreshJudging { judged: Vec<&'static str> },
    /// A person approves what the last run was held for or has left out.
    Approve,
    /// Some of what is called for in the directory is done there, from this on.
    Deliver { first: usize },
    /// Some of what is called for with accounts counts as sent, or as given up, from
    /// this on; accounts stay as they are.
    Send { first: usize, in_vain: bool },
    /// An application is asked for all its accounts again: of one an attribute is another
    /// by now, or it isn't there any more.
    AskAgain {
        account: (&'static str, String),
        changed: Option<(&'static str, Value)>,
    },
    /// Everything but what is done with accounts is done, and whoever has had no
    /// account for so many hours is pruned.
    Prune { hours: i64 },
}

/// A tenant and what happens to it.
#[derive(Clone, Debug)]
pub struct History {
    pub tenant: Tenant,
    pub start: UnixMillis,
    pub operations: Vec<Operation>,
}

pub const PEOPLE: usize = 6;
const SOMEBODY: &str = "somebody";

impl History {
    pub fn random(seed: u64) -> Self {
        let mut history = Self::begun(seed);
        let (tenant, operations) = (&mut history.tenant, &mut history.operations);
        // Half of the histories stay as they are without each of these.
        let mut apart = ChaCha8Rng::seed_from_u64(seed.rotate_left(32));
        if apart.random_range(0..2) == 0 {
            tenant.native = Native::random(&mut apart);
            natively(tenant, operations, &mut apart);
        }
        let mut apart = ChaCha8Rng::seed_from_u64(seed ^ 0x006e_616d_6573);
        if apart.random_range(0..2) == 0 {
            *tenant = tenant.clone().with_logins(&mut apart);
            naming(tenant, operations, &mut apart);
        }
        let mut apart = ChaCha8Rng::seed_from_u64(seed ^ 0x7661_7269_6574_7900);
        if apart.random_range(0..2) == 0 {
            vary(tenant, operations, &mut apart);
        }
        let mut apart = ChaCha8Rng::seed_from_u64(seed ^ 0x6769_7665_0000);
        if apart.random_range(0..2) == 0 {
            provision(tenant, operations, &mut apart);
        }
        let mut apart = ChaCha8Rng::seed_from_u64(seed ^ 0x676f_7665_726e);
        if apart.random_range(0..2) == 0 {
            govern(tenant, operations, &mut apart);
        }
        let mut apart = ChaCha8Rng::seed_from_u64(seed ^ 0x696d_6167_6573);
        if apart.random_range(0..2) == 0 {
            keeping(tenant, operations, &mut apart);
        }
        let mut apart = ChaCha8Rng::seed_from_u64(seed ^ 0x0066_6f6c_6c6f_7773);
        if apart.random_range(0..2) == 0 {
            follow(tenant, operations, &mut apart);
            if tenant.provisioned.is_none() {
                provision(tenant, operations, &mut apart);
            }
        }
        let mut apart = ChaCha8Rng::seed_from_u64(seed ^ 0x6167_6169_6e00);
        if apart.random_range(0..2) == 0 {
            ask_again(&mut history.operations, &mut apart);
        }
        history.ended()
    }

    /// The same without any of that: mostly edits that concern few.
    #[allow(dead_code, reason = "only bugs are looked for with these")]
    pub fn plain(seed: u64) -> Self {
        Self::begun(seed).ended()
    }

    fn begun(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let tenant = Tenant::random(&mut random);
        // A few days around a change of the clocks in Berlin.
        let start = [
            "2026-03-27T11:00:00Z",
            "2026-10-23T22:30:00Z",
            "2026-07-01T00:00:00Z",
        ][random.random_range(0..3)];
        let start: UnixMillis = start.parse().expect("an instant");
        let tenant = Tenant { start, ..tenant };
        let mut edited = tenant.clone();
        let mut operations = Vec::new();
        for _ in 0..random.random_range(10..40) {
            let operation = match random.random_range(0..14) {
                0..4 => hr(&mut random, start),
                4 => Operation::HrListed {
                    person: random.random_range(0..PEOPLE),
                    listed: random.random_range(0..2) == 0,
                },
                5 | 6 => ad(&mut random),
                7 => Operation::Edit {
                    person: random.random_range(0..PEOPLE),
                    value: (random.random_range(0..3) > 0).then(|| few(&mut random)),
                },
                8 => {
                    edited.edit(&mut random);
                    Operation::Configure(Box::new(edited.clone()))
                }
                9 => Operation::Pass(random.random_range(0..40) * 3_600_000),
                10 => Operation::Pass(random.random_range(0..60_000_000)),
                _ => {
                    let meanwhile =
                        (random.random_range(0..4) == 0).then(|| Box::new(hr(&mut random, start)));
                    Operation::Refresh { meanwhile }
                }
            };
            operations.push(operation);
        }
        // Drawn apart, so that what a seed meant before stays what it is.
        let mut more = ChaCha8Rng::seed_from_u64(!seed);
        for _ in 0..more.random_range(0..8) {
            let place = more.random_range(0..=operations.len());
            operations.insert(place, by_hand(&mut more));
        }
        for _ in 0..more.random_range(0..2) {
            let place = more.random_range(0..=operations.len());
            operations.insert(place, Operation::RefreshKeepingDue);
        }
        let tenant = tenant.more(&mut more);
        for operation in &mut operations {
            if let Operation::Configure(edited) = operation {
                let edit = Tenant::clone(edited);
                // Mostly the same, or every edit would concern everybody.
                **edited = match more.random_range(0..4) {
                    0 => edit.more(&mut more),
                    _ => edit.with_what_came_later(&tenant),
                };
            }
        }
        for _ in 0..more.random_range(0..3) {
            let place = more.random_range(0..=operations.len());
            let after = more.random_range(0..6);
            operations.insert(place, Operation::RefreshCancelled { after });
        }
        Self {
            tenant,
            start,
            operations,
        }
    }

    /// Lets everything settle at the end.
    fn ended(mut self) -> Self {
        self.operations.extend([
            Operation::Refresh { meanwhile: None },
            Operation::Pass(100 * 3_600_000),
            Operation::Refresh { meanwhile: None },
            Operation::Refresh { meanwhile: None },
        ]);
        self
    }
}

/// Lets unique names be given, reserved and released.
fn naming(tenant: &Tenant, operations: &mut Vec<Operation>, random: &mut ChaCha8Rng) {
    for operation in operations.iter_mut() {
        if let Operation::Configure(edited) = operation {
            edited.logins = tenant.logins;
            if random.random_range(0..16) == 0 {
                **edited = Tenant::clone(edited).with_logins(random);
            }
        }
    }
    for _ in 0..random.random_range(0..5) {
        let place = random.random_range(0..=operations.len());
        let (name, more) = (few(random), few(random));
        let names = [name.clone(), format!("{name}1"), format!("{name}{more}")];
        let claim = Operation::Claim {
            name: names[random.random_range(0..3)].clone(),
            reserve: random.random_range(0..2) == 0,
        };
        operations.insert(place, claim);
    }
}

/// Lets images be kept of what people were, for ever or for some time, and
/// sometimes no longer.
fn keeping(tenant: &mut Tenant, operations: &mut [Operation], random: &mut ChaCha8Rng) {
    let mut kept = |most_of_the_time: bool| definitions::History {
        kept: most_of_the_time || random.random_range(0..3) > 0,
        keep_ms: [None, Some(30 * 3_600_000)][random.random_range(0..2)],
    };
    tenant.history = kept(true);
    for operation in operations {
        if let Operation::Configure(edited) = operation {
            edited.history = kept(false);
        }
    }
}

/// Lets entitlements come and go in the directory, people decide about them, and
/// owners change.
fn natively(tenant: &Tenant, operations: &mut Vec<Operation>, random: &mut ChaCha8Rng) {
    for operation in operations.iter_mut() {
        if let Operation::Configure(edited) = operation {
            edited.native = match random.random_range(0..6) {
                0 => Native::random(random),
                _ => tenant.native,
            };
        }
    }
    for _ in 0..random.random_range(0..4) {
        let place = random.random_range(0..=operations.len());
        let before = operations[..place].iter().rev();
        let edited = before.clone().find_map(|operation| match operation {
            Operation::Configure(edited) => Some(edited.as_ref()),
            _ => None,
        });
        let mut edited = edited.unwrap_or(tenant).clone();
        // Nothing but owners, so that nobody else is concerned.
        edited.native.owners[random.random_range(0..2)] = random.random_range(0..=PEOPLE);
        operations.insert(place, Operation::Configure(Box::new(edited)));
    }
    for _ in 0..random.random_range(0..6) {
        // Where an account changes somebody may have something to decide.
        let place = random.random_range(0..=operations.len());
        let person = random.random_range(0..PEOPLE);
        let (first, verdict) = (random.random_range(0..3), random.random_range(0..2));
        let verdict = EntitlementVerdict::ALL[verdict].1;
        let decision = Operation::DecideEntitlement {
            person,
            first,
            verdict,
        };
        operations.insert(place, decision);
        let place = random.random_range(0..=place);
        let (account, listed) = (random.random_range(0..4), random.random_range(0..3) == 0);
        let change = match random.random_range(0..3) {
            0 => Operation::AdListed { account, listed },
            _ => ad(random),
        };
        operations.insert(place, change);
    }
}

pub fn few(random: &mut ChaCha8Rng) -> String {
    format!("v{}", random.random_range(0..4))
}

fn hr(random: &mut ChaCha8Rng, start: UnixMillis) -> Operation {
    let mut fields = Vec::new();
    let zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata"];
    let day = |random: &mut ChaCha8Rng| {
        let day = start.plus_ms(random.random_range(-2..5) * 86_400_000);
        day.to_string()[..10].to_owned()
    };
    for name in ["department", "location", "boss"] {
        if random.random_range(0..4) > 0 {
            fields.push((name, few(random)));
        }
    }
    if random.random_range(0..3) == 0 {
        fields.push(("zone", zones[random.random_range(0..3)].to_owned()));
    }
    for name in ["start", "end"] {
        if random.random_range(0..2) == 0 {
            fields.push((name, day(random)));
        }
    }
    Operation::Hr {
        person: random.random_range(0..PEOPLE),
        fields,
    }
}

fn by_hand(random: &mut ChaCha8Rng) -> Operation {
    let person = random.random_range(0..PEOPLE);
    let hours = |random: &mut ChaCha8Rng| {
        (random.random_range(0..2) == 0).then(|| random.random_range(-20..120))
    };
    if random.random_range(0..4) == 0 {
        let states = ["active", "gone", "leave", "unheard of"];
        let state = (random.random_range(0..4) > 0)
            .then(|| (states[random.random_range(0..4)], hours(random)));
        return Operation::SetState { person, state };
    }
    let roles = [
        "business-0",
        "business-1",
        "by-rule-1",
        "by-rule-2",
        "by hand",
        "it",
        "granted",
    ];
    let verdicts = RoleVerdict::ALL.map(|(_, verdict)| verdict);
    let decision = (random.random_range(0..5) > 0).then(|| {
        let verdict = verdicts[random.random_range(0..2)];
        (verdict, hours(random), hours(random))
    });
    let role = roles[random.random_range(0..roles.len())];
    let within = match role {
        "it" => [None, Some("business-1"), Some("by hand")][random.random_range(0..3)],
        _ => None,
    };
    Operation::Decide {
        person,
        role,
        within,
        decision,
    }
}

fn ad(random: &mut ChaCha8Rng) -> Operation {
    let fields = vec![("person", few(random)), ("title", few(random))];
    let account = random.random_range(0..4);
    let groups = (0..3).filter(|_| random.random_range(0..2) == 0);
    let groups = groups.map(|number| format!("g{number}")).collect();
    Operation::Ad {
        account,
        fields,
        groups,
    }
}

/// How a store is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Who is due.
    Incremental,
    /// Everybody.
    Full,
}

/// A store that a history happens to.
pub struct Happening {
    pub store: Arc<dyn Store>,
    way: Way,
    tenants: Arc<Tenants>,
    tenant: Tenant,
    configured: Configured,
    start: UnixMillis,
    now: UnixMillis,
}

impl Happening {
    pub fn new(store: Arc<dyn Store>, way: Way, tenants: Arc<Tenants>, history: &History) -> Self {
        let configured = configured(&tenants, &history.tenant);
        Self {
            store,
            way,
            tenants,
            configured,
            tenant: history.tenant.clone(),
            start: history.start,
            now: history.start,
        }
    }

    /// The definitions and rules as they are now.
    #[allow(dead_code, reason = "one of two binaries dispatches")]
    pub fn configured(&self) -> &Configured {
        &self.configured
    }

    /// The present.
    #[allow(dead_code, reason = "one of two binaries dispatches")]
    pub fn now(&self) -> UnixMillis {
        self.now
    }

    /// Lets the store have the definitions as they are now.
    pub fn adopt(&self) {
        refresh::adopt(
            self.store.as_ref(),
            self.tenants.as_ref(),
            &self.configured,
            &self.tenant.files(),
        )
        .expect("the memory store adopts");
    }

    /// Lets one thing happen, apart from what happens in the middle of a
    /// refresh. Returns the state after a refresh, else nothing.
    pub fn happen(&mut self, operation: &Operation) -> Option<String> {
        match operation {
            Operation::Pass(milliseconds) => self.now = self.now.plus_ms(*milliseconds),
            Operation::Configure(tenant) => {
                self.configured = configured(&self.tenants, tenant);
                self.tenant = Tenant::clone(tenant);
            }
            Operation::Refresh { .. } => {
                self.refresh(self.way, None, false);
                return Some(self.export());
            }
            Operation::RefreshKeepingDue => {
                self.refresh(self.way, None, true);
                return Some(self.export());
            }
            Operation::RefreshChosen { whom } => {
                let request = Request {
                    criteria: self.whom(*whom),
                    scope: Scope::Chosen,
                    ..self.request(self.way, false)
                };
                self.refresh_as(&request, None);
                return Some(self.export());
            }
            Operation::RefreshJudging { judged } => {
                let mut request = self.request(self.way, false);
                let judged = judged.iter().map(|name| Name::new(name));
                request.settings.policies = Some(judged.collect());
                self.refresh_as(&request, None);
                return Some(self.export());
            }
            Operation::Approve => {
                self.approve();
                return Some(self.export());
            }
            // Where it stops depends on how it refreshes.
            Operation::RefreshCancelled { .. } => {}
            input => self.input(self.store.as_ref(), input),
        }
        None
    }

    fn request(&self, way: Way, keep_due: bool) -> Request {
        Request {
            criteria: Vec::new(),
            scope: match way {
                Way::Incremental => Scope::Due,
                Way::Full => Scope::All,
            },
            as_of: self.now,
            simulated: true,
            now: self.now,
            fire_initial: false,
            actor: SOMEBODY.to_owned(),
            approved: false,
            settings: RunSettings {
                keep_due,
                ..RunSettings::default()
            },
        }
    }

    /// Refreshes; after the first wave of the last instant is planned, and
    /// before it is applied, `meanwhile` happens.
    pub fn refresh(&self, way: Way, meanwhile: Option<&Operation>, keep_due: bool) {
        let mut request = self.request(way, keep_due);
        // Neither chunks nor threads change a result. What happens meanwhile happens
        // between planning and applying only where everybody is in one chunk.
        if way == Way::Incremental && meanwhile.is_none() {
            request.settings.chunk_size = 2;
            request.settings.threads = Some(1);
        }
        self.refresh_as(&request, meanwhile);
    }

    fn refresh_as(&self, request: &Request, meanwhile: Option<&Operation>) {
        let meanwhile = Mutex::new(meanwhile);
        let progress = |run: &Run, _: u64, _: u64| {
            if run.step.instant == self.now
                && let Some(operation) = meanwhile.lock().expect("not poisoned").take()
            {
                self.input(self.store.as_ref(), operation);
            }
        };
        let before = self.visible();
        let noted = self.audited();
        let run = self.run(request, &progress);
        assert_eq!(run.status, status_unless_held(&run, RunStatus::Done));
        let audited = self.audited();
        for (name, now) in self.visible() {
            // Who was created meanwhile had nothing.
            let nothing = "([], None, None, [])".to_owned();
            if *before.get(&name).unwrap_or(&nothing) != now {
                let is_noted = |entries: &[AuditEntry]| {
                    entries.iter().filter(|entry| entry.subject == name).count()
                };
                let new = is_noted(&audited) - is_noted(&noted);
                assert!(
                    new > 0,
                    "{name} has changed, and the audit doesn't say so: {now}"
                );
            }
        }
    }

    /// Returns of everybody what the audit tells changes of.
    fn visible(&self) -> BTreeMap<String, String> {
        let mut visible = BTreeMap::new();
        let visited = each_identity(self.store.as_ref(), |record| {
            let identity = record.identity;
            let values = identity.attributes.iter();
            let values: Vec<_> = values
                .filter_map(|(name, state)| Some((*name, state.value.clone()?)))
                .collect();
            let roles: Vec<_> = identity.assigned.iter().map(|known| known.role).collect();
            let state = (values, identity.manager, identity.lifecycle_state, roles);
            visible.insert(identity.name, format!("{state:?}"));
            Ok::<_, StoreError>(())
        });
        visited.expect("the store can be read");
        visible
    }

    /// Returns what refreshes have noted in the audit.
    fn audited(&self) -> Vec<AuditEntry> {
        let query = AuditQuery {
            actor: Some(SOMEBODY.to_owned()),
            action: Some("refresh".to_owned()),
            ..AuditQuery::default()
        };
        let entries = self.store.audit_entries(&query, usize::MAX);
        entries.expect("the store can be read")
    }

    /// Refreshes, and asks the run to stop once it has told its progress so often.
    fn cancelled(&self, after: usize) {
        let told = AtomicUsize::new(0);
        let progress = |run: &Run, _: u64, _: u64| {
            if told.fetch_add(1, Ordering::Relaxed) == after {
                let audit = self.audit("a run".to_owned());
                let asked = self.store.ask_to_stop(run.id, &audit);
                asked.expect("the store can be written");
            }
        };
        let run = self.run(&self.request(Way::Incremental, false), &progress);
        let stopped = told.into_inner() > after;
        let wanted = match stopped {
            true => RunStatus::Cancelled,
            false => RunStatus::Done,
        };
        assert_eq!(run.status, status_unless_held(&run, wanted));
    }

    /// Returns one of the ways to choose whom to refresh.
    fn whom(&self, number: usize) -> Vec<Criterion> {
        let filter = |text| Filter::parse(text).expect("a filter of this file");
        let model = &self.configured.model;
        let groups = vec![filter("department == \"v2\"")];
        let listed = [0, 3].map(|person| self.store.named(&format!("p{person}")));
        vec![match number % WHOM {
            0 => Criterion::Filter(filter("location == \"v1\" || manager.notNull()")),
            1 => Criterion::Populations {
                populations: model.populations.iter().take(1).cloned().collect(),
                groups: Vec::new(),
            },
            2 => Criterion::Populations {
                populations: model.populations.clone(),
                groups,
            },
            _ => {
                let listed = listed.map(|uid| uid.expect("the store can be read"));
                Criterion::Listed(listed.into_iter().flatten().collect())
            }
        }]
    }

    /// Says where criteria choose others by what a store finds than when everybody is
    /// looked at.
    fn wrongly_chosen(&self) -> Option<String> {
        let composed = Filter::parse("links.application.name == \"crm\"");
        let composed = composed.expect("a filter of this file");
        let ways = (0..WHOM).map(|number| self.whom(number));
        let mut ways = ways.chain([vec![Criterion::Filter(composed)]]);
        let (store, model) = (self.store.as_ref(), &self.configured.model);
        ways.find_map(|criteria| {
            let chosen = |explain| {
                let chosen = choose(store, model, &criteria, self.now, &Raise::Nobody, explain);
                chosen.expect("the store can be read").uids
            };
            let (found, all) = (chosen(false), chosen(true));
            (found != all).then(|| format!("{criteria:?} chooses {found:?} instead of {all:?}"))
        })
    }

    /// Says whether the last run is held.
    fn waits_for_a_person(&self) -> bool {
        let runs = self.store.runs(1).expect("the store can be read");
        runs.iter().any(|run| run.status == RunStatus::Held)
    }

    /// Approves the last run, if it was held or has left something out.
    fn approve(&self) {
        let runs = self.store.runs(1).expect("the store can be read");
        let is_held = |run: &&Run| match run.status {
            RunStatus::Held => true,
            RunStatus::Done => !run.held_kinds.is_empty(),
            _ => false,
        };
        let Some(last) = runs.first().filter(is_held) else {
            return;
        };
        let (store, tenants) = (self.store.as_ref(), self.tenants.as_ref());
        match refresh::approve(store, tenants, last.id, &|_, _, _| ()) {
            // Something else may trip a threshold of the run that does the rest.
            Ok(run) => assert_eq!(run.status, status_unless_held(&run, RunStatus::Done)),
            Err(RefreshError::Overtaken(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Tries what an operation would do that is a refresh of the present, lets
    /// it happen, and says how the two differ.
    fn foretold(&mut self, operation: &Operation) -> Option<String> {
        let request = match operation {
            Operation::Refresh { .. } => self.request(self.way, false),
            Operation::RefreshKeepingDue => self.request(self.way, true),
            Operation::RefreshChosen { whom } => Request {
                criteria: self.whom(*whom),
                scope: Scope::Chosen,
                ..self.request(self.way, false)
            },
            other => {
                self.happen(other);
                return None;
            }
        };
        let before = self.export();
        let only = OnlyCopies(Arc::clone(&self.store));
        let files = self.tenant.files();
        let preview = refresh::preview(
            &only,
            self.tenants.as_ref(),
            &files,
            &request,
            &|_, _, _| (),
        );
        let preview = preview.expect("a dry run of a random tenant goes through");
        if before != self.export() {
            return Some("a dry run has written something".to_owned());
        }
        let foretold = told(&preview.run, preview.store.as_ref());
        let would_be = self.export_of(preview.store.as_ref());
        self.refresh_as(&request, None);
        let run = self.store.runs(1).expect("the store can be read").remove(0);
        let done = told(&run, self.store.as_ref());
        if foretold != done {
            return Some(format!("foretold: {foretold}\ndone: {done}"));
        }
        let is = self.export();
        (would_be != is).then(|| difference(&would_be, &is))
    }

    fn run(&self, request: &Request, progress: refresh::Progress<'_>) -> Run {
        let files = self.tenant.files();
        let run = refresh::run(
            self.store.as_ref(),
            self.tenants.as_ref(),
            &files,
            request,
            progress,
        );
        run.expect("a refresh of a random tenant goes through")
    }

    /// Returns whom a plan for the present would change, and how.
    fn planned_changes(&self) -> Vec<String> {
        let context = PlanContext {
            model: Arc::clone(&self.configured.model),
            snapshot: self.store.snapshot().expect("the store can be read"),
            as_of: self.now,
        };
        let mut evaluator = self.configured.rules.evaluator();
        let mut planner = Planner::new(evaluator.as_mut());
        let mut changed = Vec::new();
        let visited = each_identity(self.store.as_ref(), |record| {
            let name = record.identity.name.clone();
            let planned = planner.plan(&context, record, false);
            let changes = planned.expect("the store can be read").changes;
            if !changes.is_empty() {
                changed.push(format!("{name}: {changes:?}"));
            }
            Ok::<_, StoreError>(())
        });
        visited.expect("the store can be read");
        changed
    }

    fn audit(&self, subject: String) -> AuditEntry {
        self.audit_of("edit", subject)
    }

    fn audit_of(&self, action: &str, subject: String) -> AuditEntry {
        AuditEntry {
            at: self.now,
            actor: SOMEBODY.to_owned(),
            action: action.to_owned(),
            subject,
            reason: "a test".to_owned(),
        }
    }

    pub fn export(&self) -> String {
        self.export_of(self.store.as_ref())
    }

    fn export_of(&self, store: &dyn Store) -> String {
        let mut text = Vec::new();
        let model = &self.configured.model;
        canonical::export(store, model, &mut text).expect("the state can be exported");
        String::from_utf8(text).expect("JSON is UTF-8")
    }

    fn input(&self, store: &dyn Store, operation: &Operation) {
        self.adopt();
        match operation {
            Operation::Hr { person, fields } => {
                let name = format!("p{person}");
                let mut attributes = typed(fields);
                attributes.push((Name::new("id"), Value::text(&name)));
                let account = account("hr", &name, attributes);
                let owner = store.named(&name).expect("the store can be read");
                let creation = Creation {
                    name,
                    identity_type: Default::default(),
                };
                self.write(
                    store,
                    account,
                    owner.is_none().then_some(creation),
                    owner,
                    Vec::new(),
                );
            }
            Operation::HrListed { person, listed } => {
                self.list(store, key("hr", &format!("p{person}")), *listed);
            }
            Operation::Deliver { first } => self.deliver(store, *first),
            Operation::AskAgain { account, changed } => {
                again::carry_out(store, &self.configured, account, changed.as_ref(), self.now);
            }
            Operation::Send { first, in_vain } => self.send(store, *first, *in_vain),
            Operation::Prune { hours } => {
                self.finish(store);
                let settings = PruneSettings {
                    without_accounts_ms: hours * 3_600_000,
                    protect: None,
                    most: None,
                };
                let model = &self.configured.model;
                let pruned = prune(store, model, &settings, self.now, SOMEBODY);
                pruned.expect("the store can be written");
            }
            Operation::AdListed { account, listed } => {
                self.list(store, key("ad", &format!("a{account}")), *listed);
            }
            Operation::Ad {
                account: number,
                fields,
                groups,
            } => {
                let name = format!("a{number}");
                let mut attributes = typed(fields);
                if let Some(groups) = Value::many(groups.clone()).normalised() {
                    attributes.push((Name::new("groups"), groups));
                }
                let known = store
                    .accounts(&[key("ad", &name)])
                    .expect("the store can be read")
                    .pop();
                let mut account = account("ad", &name, attributes);
                if let Some(known) = &known {
                    let entitlements = [Name::new("groups")];
                    let notes = known.native_entitlements_after(&account, &entitlements, self.now);
                    account.native_entitlements = notes;
                }
                let owner = known.and_then(|known| known.owner);
                let lookups = self.looks_for(store, &account);
                self.write(store, account, None, owner, lookups);
            }
            Operation::Edit { person, value } => {
                self.decide(
                    store,
                    *person,
                    |IdentityRecord { identity, .. }, by_hand| {
                        let attribute = Name::new("department");
                        let edit = |value: &String| ManualEdit {
                            attribute,
                            value: Some(Value::text(value)),
                            feed_value: identity.value(attribute).cloned(),
                            actor: SOMEBODY.to_owned(),
                            reason: String::new(),
                            at: self.now,
                        };
                        by_hand.edits = value.iter().map(edit).collect();
                    },
                );
            }
            Operation::Decide {
                person,
                role,
                within,
                decision,
            } => self.decide(store, *person, |_, by_hand| {
                let role = Name::new(role);
                by_hand.roles.retain(|known| known.role != role);
                by_hand
                    .roles
                    .extend(decision.map(|(verdict, from, until)| RoleDecision {
                        role,
                        verdict,
                        within: within.map(Name::new),
                        account: None,
                        from: from.map(|hours| self.hours(hours)),
                        until: until.map(|hours| self.hours(hours)),
                        actor: SOMEBODY.to_owned(),
                        reason: String::new(),
                        at: self.now,
                    }));
                by_hand.roles.sort_by_key(|known| known.role);
            }),
            Operation::DecidePolicy {
                person,
                policy,
                decision,
            } => self.decide(store, *person, |_, by_hand| {
                let policy = Name::new(policy);
                by_hand.policies.retain(|known| known.policy != policy);
                by_hand
                    .policies
                    .extend(decision.map(|(verdict, until)| PolicyDecision {
                        policy,
                        verdict,
                        until: (verdict == PolicyVerdict::Allowed).then(|| self.hours(until)),
                        actor: SOMEBODY.to_owned(),
                        reason: String::new(),
                        at: self.now,
                    }));
                by_hand.policies.sort_by_key(|known| known.policy);
            }),
            Operation::SetState { person, state } => {
                self.decide(
                    store,
                    *person,
                    |IdentityRecord { identity, .. }, by_hand| {
                        by_hand.state = state.map(|(state, until)| StateOverride {
                            before: identity.lifecycle_state,
                            state: Name::new(state),
                            until: until.map(|hours| self.hours(hours)),
                            actor: SOMEBODY.to_owned(),
                            reason: String::new(),
                            at: self.now,
                        });
                    },
                );
            }
            Operation::Claim { name, reserve } => self.claim(store, name, *reserve),
            Operation::DecideEntitlement {
                person,
                first,
                verdict,
            } => self.decide(store, *person, |record, by_hand| {
                let accounts = record.accounts.iter();
                let noted = accounts.flat_map(|account| {
                    let notes = account.native_entitlements.iter();
                    notes.map(move |note| (account, note))
                });
                let noted: Vec<_> = noted.collect();
                let Some((account, note)) = noted.get(first % noted.len().max(1)) else {
                    return;
                };
                let decision = EntitlementDecision {
                    account: account.key.clone(),
                    about: (*note).clone(),
                    verdict: *verdict,
                    actor: SOMEBODY.to_owned(),
                    reason: String::new(),
                    at: self.now,
                };
                by_hand.entitlements.retain(|known| {
                    (&known.account, &known.about) != (&decision.account, &decision.about)
                });
                by_hand.entitlements.push(decision);
                let key =
                    |known: &EntitlementDecision| (known.account.clone(), known.about.clone());
                by_hand.entitlements.sort_by_key(key);
            }),
            Operation::Status { account, status } => {
                if let Some(mut account) = self.known(store, account) {
                    account.status = *status;
                    let owner = account.owner;
                    let lookups = match owner {
                        Some(_) => Vec::new(),
                        None => self.looks_for(store, &account),
                    };
                    self.write(store, account, None, owner, lookups);
                }
            }
            Operation::Link { account, person } => self.link(store, account, *person),
            Operation::Merge { from, into } => self.merge(store, *from, *into),
            Operation::Split {
                person,
                account,
                new,
            } => self.split(store, *person, account, *new),
            Operation::Pass(_)
            | Operation::Configure(_)
            | Operation::Refresh { .. }
            | Operation::RefreshKeepingDue
            | Operation::RefreshChosen { .. }
            | Operation::RefreshJudging { .. }
            | Operation::Approve
            | Operation::RefreshCancelled { .. } => {
                unreachable!("not an input")
            }
        }
    }

    fn claim(&self, store: &dyn Store, name: &str, reserve: bool) {
        let claim = Claim::on(Name::new(LOGINS), name);
        let snapshot = store.snapshot().expect("the store can be read");
        let holder = snapshot.holder(&claim).expect("the store can be read");
        let edit = match (holder, reserve) {
            (None, true) => ClaimEdit::Reserve(vec![claim]),
            (Some(holder), false) if !self.is_value_of(store, holder, name) => {
                ClaimEdit::Release(vec![claim])
            }
            _ => return,
        };
        let audit = self.audit(name.to_owned());
        store.edit_claims(&edit, &audit).expect("it may be done");
    }

    fn is_value_of(&self, store: &dyn Store, holder: Holder, name: &str) -> bool {
        let Holder::Identity(uid) = holder else {
            return false;
        };
        let records = store.read_chunk(&[uid]).expect("the store can be read");
        // Whoever was pruned keeps their names.
        let Some(record) = records.first() else {
            return true;
        };
        record.identity.value(Name::new("login")) == Some(&Value::text(name))
    }

    fn known(&self, store: &dyn Store, account: &(&str, String)) -> Option<Account> {
        let known = store.accounts(&[key(account.0, &account.1)]);
        known.expect("the store can be read").pop()
    }

    fn link(&self, store: &dyn Store, account: &(&str, String), person: Option<usize>) {
        let Some(known) = self.known(store, account) else {
            return;
        };
        let audit = self.audit(known.key.native_identity.clone());
        let name = person.map(|person| format!("p{person}"));
        match &name {
            Some(name) if self.record(store, name).is_some() => {
                let linked = aggregate::link(store, &known.key, name, audit);
                linked.expect("both are there");
            }
            None if known.owner.is_some() => {
                let unlinked = aggregate::unlink(store, &known.key, audit);
                unlinked.expect("it is somebody's");
            }
            _ => {}
        }
    }

    /// Gives one identity what another has, as `idr identity merge` does.
    fn merge(&self, store: &dyn Store, from: usize, into: usize) {
        let names = [from, into].map(|person| format!("p{person}"));
        let [Some(given), Some(into)] = names.map(|name| self.record(store, &name)) else {
            return;
        };
        let (from, to) = (given.identity.uid, into.identity.uid);
        if from == to {
            return;
        }
        self.decide_about(store, &into, |_, by_hand| {
            for decision in &given.identity.by_hand.roles {
                if !by_hand
                    .roles
                    .iter()
                    .any(|known| known.role == decision.role)
                {
                    by_hand.roles.push(decision.clone());
                }
            }
            by_hand.roles.sort_by_key(|known| known.role);
        });
        self.decide_about(store, &given, |record, by_hand| {
            by_hand.roles.clear();
            by_hand.state = Some(StateOverride {
                before: record.identity.lifecycle_state,
                state: Name::new("gone"),
                until: None,
                actor: SOMEBODY.to_owned(),
                reason: String::new(),
                at: self.now,
            });
        });
        let audit = || self.audit_of("merge", given.identity.name.clone());
        let owner = NewOwner::Known(to);
        aggregate::give(store, given.accounts.clone(), owner, audit()).expect("they are there");
        let only = None;
        let claims = ClaimEdit::Give { from, to, only };
        store
            .edit_claims(&claims, &audit())
            .expect("it may be done");
    }

    /// Gives an account to a new identity, as `idr identity split` does.
    fn split(&self, store: &dyn Store, person: usize, account: &(&str, String), new: usize) {
        let new = format!("p{new}");
        let Some(known) = self.record(store, &format!("p{person}")) else {
            return;
        };
        let key = key(account.0, &account.1);
        let Some(moved) = known.accounts.iter().find(|account| account.key == key) else {
            return;
        };
        if known.accounts.len() < 2 || self.record(store, &new).is_some() {
            return;
        }
        let owner = NewOwner::Created(Creation {
            name: new.clone(),
            identity_type: Default::default(),
        });
        let audit = || self.audit_of("split", new.clone());
        aggregate::give(store, vec![moved.clone()], owner, audit()).expect("the name is free");
        let title = moved.attribute(Name::new("title"));
        let claim = |title: &Value| Claim::on(Name::new("badges"), &title.to_string());
        let claims = ClaimEdit::Give {
            from: known.identity.uid,
            to: store
                .named(&new)
                .expect("the store can be read")
                .expect("it was made"),
            only: Some(title.map(claim).into_iter().collect()),
        };
        store
            .edit_claims(&claims, &audit())
            .expect("it may be done");
    }

    fn record(&self, store: &dyn Store, name: &str) -> Option<IdentityRecord> {
        let uid = store.named(name).expect("the store can be read")?;
        store
            .read_chunk(&[uid])
            .expect("the store can be read")
            .pop()
    }

    /// Lets a feed list an account that is known, or not any more.
    /// Does in the directory what is called for there: three things, from this on.
    fn deliver(&self, store: &dyn Store, first: usize) {
        let mut called_for = Vec::new();
        let visited = each_identity(store, |record| {
            let uid = record.identity.uid;
            let actions = record.identity.account_actions.into_iter();
            let actions = actions.filter(|action| action.account.application.as_str() == "ad");
            let name = record.identity.name;
            called_for.extend(actions.map(|action| (name.clone(), uid, action)));
            Ok::<_, StoreError>(())
        });
        visited.expect("the store can be read");
        called_for.sort();
        for (_, uid, action) in called_for.into_iter().skip(first).take(3) {
            let known = store.accounts(std::slice::from_ref(&action.account));
            let known = known.expect("the store can be read").pop();
            let native_identity = &action.account.native_identity;
            if action.operation == AccountOperation::Delete {
                self.list(store, action.account.clone(), false);
                continue;
            }
            let blank = account("ad", native_identity, Vec::new());
            // What somebody else has by that name stays as it is.
            let is_others = known.as_ref().is_some_and(|known| known.owner != Some(uid));
            if !is_others {
                let account = carried_out(&action, known, blank);
                self.write(store, account, None, Some(uid), Vec::new());
            }
        }
    }

    /// Notes of everything else that it is done.
    fn finish(&self, store: &dyn Store) {
        let effects = store.open_effects(0, usize::MAX);
        for stored in effects.expect("the store can be read") {
            if matches!(stored.effect.what, EffectKind::Account(_)) {
                continue;
            }
            let settlement = Settlement {
                number: stored.number,
                expected: stored.progress.status,
                progress: EffectProgress {
                    status: EffectStatus::Done,
                    ..stored.progress
                },
                ..Settlement::default()
            };
            let settled = store.settle(&settlement).expect("the store can be written");
            assert!(settled, "nobody else settles it");
        }
    }

    /// Notes of what is called for with accounts that it was sent, or given up: of
    /// three things, from this on.
    fn send(&self, store: &dyn Store, first: usize, in_vain: bool) {
        let effects = store.open_effects(0, usize::MAX);
        let effects = effects.expect("the store can be read").into_iter();
        let mut open: Vec<_> = effects
            .filter(|stored| matches!(stored.effect.what, EffectKind::Account(_)))
            .collect();
        open.sort_by(|one, other| one.effect.cmp(&other.effect));
        for stored in open.into_iter().skip(first).take(3) {
            let EffectKind::Account(action) = &stored.effect.what else {
                continue;
            };
            let (status, outcome) = match in_vain {
                true => (EffectStatus::Dead, SentOutcome::Failed("never".to_owned())),
                false => (EffectStatus::Sent, SentOutcome::Sent),
            };
            let sent = SentAction {
                action: action.clone(),
                at: self.now,
                outcome,
            };
            let settlement = Settlement {
                number: stored.number,
                expected: stored.progress.status,
                progress: EffectProgress {
                    status,
                    attempts: stored.progress.attempts + 1,
                    ..stored.progress
                },
                sent: Some((stored.effect.uid, sent)),
                ..Settlement::default()
            };
            let settled = store.settle(&settlement).expect("the store can be written");
            assert!(settled, "nobody else settles it");
        }
    }

    fn list(&self, store: &dyn Store, key: AccountKey, listed: bool) {
        let known = store.accounts(&[key]).expect("the store can be read").pop();
        if let Some(mut account) = known {
            account.missing_since = (!listed).then_some(self.now);
            let owner = account.owner;
            let lookups = match owner {
                Some(_) => Vec::new(),
                None => self.looks_for(store, &account),
            };
            self.write(store, account, None, owner, lookups);
        }
    }

    /// Returns the values by which an account finds its identity.
    fn looks_for(&self, store: &dyn Store, account: &Account) -> Vec<ReadKey> {
        let Configured { model, rules } = &self.configured;
        let application = model.application(account.key.application);
        let snapshot = store.snapshot().expect("the store can be read");
        let mut rules = rules.evaluator();
        let correlation = correlate(
            account,
            application.expect("the application is defined"),
            model,
            snapshot.as_ref(),
            rules.as_mut(),
        );
        correlation.expect("the store can be read").lookups
    }

    fn hours(&self, hours: i64) -> UnixMillis {
        self.start.plus_ms(hours * 3_600_000)
    }

    /// Lets a person decide something about somebody who is there.
    fn decide(
        &self,
        store: &dyn Store,
        person: usize,
        change: impl FnOnce(&IdentityRecord, &mut ByHand),
    ) {
        if let Some(record) = self.record(store, &format!("p{person}")) {
            self.decide_about(store, &record, change);
        }
    }

    fn decide_about(
        &self,
        store: &dyn Store,
        record: &IdentityRecord,
        change: impl FnOnce(&IdentityRecord, &mut ByHand),
    ) {
        let identity = &record.identity;
        let mut by_hand = identity.by_hand.clone();
        change(record, &mut by_hand);
        let audit = self.audit(identity.name.clone());
        store
            .edit_identity(identity.uid, &by_hand, &audit)
            .expect("it is there");
    }

    fn write(
        &self,
        store: &dyn Store,
        mut account: Account,
        creation: Option<Creation>,
        owner: Option<idr_core::model::Uid>,
        lookups: Vec<ReadKey>,
    ) {
        let known = store.accounts(std::slice::from_ref(&account.key));
        let known = known.expect("the store can be read").pop();
        // What a person has linked or unlinked stays so.
        let by_hand = known.filter(|known| known.link == Link::Manual);
        let (creation, owner, lookups) = match &by_hand {
            Some(known) => (None, known.owner, Vec::new()),
            None => (creation, owner, lookups),
        };
        account.owner = owner;
        account.link = match (&by_hand, &creation, owner) {
            (Some(_), _, _) => Link::Manual,
            (None, Some(_), _) => Link::Created,
            (None, None, Some(_)) => Link::Correlated,
            (None, None, None) => Link::Uncorrelated,
        };
        let native_changes = owner
            .filter(|_| account.key.application.as_str() == "ad")
            .map(|uid| {
                let change = NativeChange {
                    account: account.key.clone(),
                    operation: NativeOperation::Modify,
                    attributes: Vec::new(),
                    detected_at: self.now,
                };
                (uid, change)
            })
            .into_iter()
            .collect();
        let created_owner = creation.is_some().then_some(0);
        let batch = AggregateBatch {
            creations: creation.into_iter().collect(),
            accounts: vec![AccountWrite {
                account,
                created_owner,
                lookups,
            }],
            native_changes,
            ..AggregateBatch::default()
        };
        store.aggregate(&batch).expect("the batch is sound");
    }
}

/// Returns how a run stands that isn't held for a person: like this.
fn status_unless_held(run: &Run, status: RunStatus) -> RunStatus {
    match run.held {
        Some(_) => RunStatus::Held,
        None => status,
    }
}

/// Makes definitions and rules of a tenant, which is kept from now on.
fn configured(tenants: &Tenants, tenant: &Tenant) -> Configured {
    tenants.add(tenant);
    let configured = tenants.configure(&tenant.files());
    configured.expect("the tenant is known")
}

fn key(application: &str, native_identity: &str) -> AccountKey {
    AccountKey {
        application: Name::new(application),
        native_identity: native_identity.to_owned(),
    }
}

fn account(
    application: &str,
    native_identity: &str,
    mut attributes: Vec<(Name, Value)>,
) -> Account {
    attributes.sort();
    Account {
        key: key(application, native_identity),
        status: AccountStatus::Enabled,
        missing_since: None,
        taken_away: false,
        attributes,
        native_entitlements: Vec::new(),
        link: Link::Uncorrelated,
        owner: None,
    }
}

fn typed(fields: &[(&'static str, String)]) -> Vec<(Name, Value)> {
    let value = |name: &str, text: &str| {
        let value_type = if matches!(name, "start" | "end") {
            ValueType::Date
        } else {
            ValueType::Text
        };
        value_type
            .parse(text)
            .expect("the generator writes values")
            .expect("not blank")
    };
    fields
        .iter()
        .map(|(name, text)| (Name::new(name), value(name, text)))
        .collect()
}

/// Carries out a history on two stores and compares them after every refresh.
/// Returns the place of the refresh after which they differ, and how.
pub fn compare(
    history: &History,
    tenants: &Arc<Tenants>,
    mut make: impl FnMut() -> Arc<dyn Store>,
) -> Result<(), (usize, String)> {
    let tenants = || Arc::clone(tenants);
    let mut incremental = Happening::new(make(), Way::Incremental, tenants(), history);
    let mut full = Happening::new(make(), Way::Full, tenants(), history);
    for (place, operation) in history.operations.iter().enumerate() {
        let (left, right) = (incremental.happen(operation), full.happen(operation));
        if left != right {
            return Err((
                place,
                difference(&left.unwrap_or_default(), &right.unwrap_or_default()),
            ));
        }
    }
    Ok(())
}

/// Carries out a history by refreshing who is due, with changes in the middle
/// of refreshes. When nothing is left due, planning again and refreshing
/// everybody must find nothing to do: returns how it changes the state otherwise.
pub fn leaves_nothing_undone(
    history: &History,
    tenants: &Arc<Tenants>,
    store: Arc<dyn Store>,
) -> Result<(), (usize, String)> {
    let mut happening = Happening::new(store, Way::Incremental, Arc::clone(tenants), history);
    for (place, operation) in history.operations.iter().enumerate() {
        let meanwhile = match operation {
            Operation::Refresh { meanwhile } => meanwhile,
            Operation::RefreshCancelled { after } => {
                happening.cancelled(*after);
                continue;
            }
            other => {
                happening.happen(other);
                continue;
            }
        };
        happening.refresh(Way::Incremental, meanwhile.as_deref(), false);
        happening.refresh(Way::Incremental, None, false);
        if let Some(difference) = happening.wrongly_chosen() {
            return Err((place, difference));
        }
        let due = happening
            .store
            .due(happening.now, None, 1)
            .expect("the store can be read");
        if !due.is_empty() || happening.waits_for_a_person() {
            // Values that never settle: everybody goes on with them for ever. Or
            // what there is to do is in a run that is held.
            continue;
        }
        let twice = happening.planned_changes();
        if !twice.is_empty() {
            return Err((place, format!("planning twice: {}", twice.join("\n"))));
        }
        let before = happening.export();
        happening.refresh(Way::Full, None, false);
        let after = happening.export();
        if before != after {
            return Err((place, difference(&before, &after)));
        }
    }
    Ok(())
}

/// A store that can be copied, and nothing else.
struct OnlyCopies(Arc<dyn Store>);

impl Rehearse for OnlyCopies {
    fn rehearsal(&self) -> Result<Box<dyn Store>, StoreError> {
        self.0.rehearsal()
    }
}

/// Returns what a run and its store tell, apart from how long it took.
fn told(run: &Run, store: &dyn Store) -> String {
    let mut run = run.clone();
    run.counters.elapsed_ms = 0;
    let events = store.events(&EventQuery::default(), usize::MAX);
    let effects = store.effects(&EffectQuery::default(), usize::MAX);
    let open = store.findings(false, usize::MAX);
    let audit = store.audit_entries(&AuditQuery::default(), usize::MAX);
    format!("{run:?}\n{events:?}\n{effects:?}\n{open:?}\n{audit:?}")
}

/// Carries out a history, each refresh of which is tried on a copy first. Returns
/// the place of one that comes to something else than was foretold, and how.
pub fn is_foretold(
    history: &History,
    tenants: &Arc<Tenants>,
    store: Arc<dyn Store>,
) -> Result<(), (usize, String)> {
    let mut happening = Happening::new(store, Way::Incremental, Arc::clone(tenants), history);
    for (place, operation) in history.operations.iter().enumerate() {
        if let Some(difference) = happening.foretold(operation) {
            return Err((place, difference));
        }
    }
    Ok(())
}

fn difference(incremental: &str, full: &str) -> String {
    let mut text = String::new();
    for line in incremental
        .lines()
        .filter(|line| !full.lines().any(|other| other == *line))
    {
        text += &format!("incremental: {line}\n");
    }
    for line in full
        .lines()
        .filter(|line| !incremental.lines().any(|other| other == *line))
    {
        text += &format!("full:        {line}\n");
    }
    text
}
