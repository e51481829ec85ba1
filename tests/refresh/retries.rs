//! What fails in a way that may pass by itself is asked again, ever more rarely.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use idr::refresh::{self, Configurator, Configured, Request, RuleHost};
use idr::store::memory::MemoryStore;
use idr::store::{Files, Run, RunSettings, Scope, Store};
use idr_core::definitions::RuleIndex;
use idr_core::model::{Name, Retry, Uid, UnixMillis, Value};
use idr_core::rule::{
    AccountNeed, AccountSelection, Breach, ComposedAccount, Creation, Eligibility, Lookup, Mapping,
    Promotion, Proposal, RuleEvaluator, RuleFailure, Target, ValueChange,
};
use idr_core::view::TrackedView;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::histories::{Happening, History, Operation, Way};
use crate::world::{AFTER, ASSIGNMENT, BEFORE, CHANGE, Read, STATE, TRIGGER, Tenant, Tenants};

/// After how long what is too slow asks to be asked again.
const FIRST_MS: i64 = 600_000;

const HOUR_MS: i64 = 3_600_000;

/// Which rule is too slow, and how often it was asked.
#[derive(Clone, Default)]
struct Load {
    rule: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

impl Load {
    const NONE: usize = usize::MAX;

    fn check(&self, rule: RuleIndex) -> Result<(), RuleFailure> {
        if self.rule.load(Ordering::Relaxed) != rule.0 {
            return Ok(());
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        Err(RuleFailure::Failed {
            cause: Name::new("host-too-slow"),
            message: "it was still running".to_owned(),
            hint: None,
            retry_after_ms: Some(FIRST_MS),
        })
    }
}

/// Rules of which one may be too slow.
struct Loaded<R> {
    rules: R,
    load: Load,
}

impl Configurator for Loaded<Arc<Tenants>> {
    fn configure(&self, files: &Files) -> Result<Configured, String> {
        let Configured { model, rules } = self.rules.configure(files)?;
        let load = self.load.clone();
        let rules = Arc::new(Loaded { rules, load });
        Ok(Configured { model, rules })
    }
}

impl RuleHost for Loaded<Arc<dyn RuleHost>> {
    fn evaluator(&self) -> Box<dyn RuleEvaluator + Send> {
        Box::new(Loaded {
            rules: self.rules.evaluator(),
            load: self.load.clone(),
        })
    }

    fn impure(&self) -> Vec<String> {
        Vec::new()
    }
}

macro_rules! unless_too_slow {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)+) => {
        impl RuleEvaluator for Loaded<Box<dyn RuleEvaluator + Send>> {
            $(fn $name(
                &mut self,
                rule: RuleIndex,
                $($argument: $type,)*
                view: &mut TrackedView,
            ) -> Result<$answer, RuleFailure> {
                self.load.check(rule)?;
                self.rules.$name(rule, $($argument,)* view)
            })+
        }
    };
}

unless_too_slow! {
    correlate_account() -> Option<Lookup>;
    create_identity() -> Creation;
    correlate_manager(named: &Value) -> Option<Lookup>;
    before_refresh() -> Vec<Proposal>;
    after_refresh() -> Vec<Proposal>;
    value_change(change: ValueChange<'_>) -> Vec<Proposal>;
    compose_accounts(application: Name) -> Vec<ComposedAccount>;
    judge(policy: Name) -> Vec<Breach>;
    select_account(need: AccountNeed<'_>) -> AccountSelection;
    map_target(target: Target<'_>) -> Mapping;
    promote(attribute: Name) -> Promotion;
    lifecycle_state() -> String;
    assign(candidates: &[Name]) -> Vec<Eligibility>;
    fires(trigger: Name) -> bool;
}

/// A tenant with one person in it.
struct Office {
    store: Arc<dyn Store>,
    happening: Happening,
    rules: Loaded<Arc<Tenants>>,
    files: Files,
    now: UnixMillis,
}

impl Office {
    fn new(tenant: Tenant) -> Self {
        let start = tenant.start;
        let history = History {
            tenant: tenant.clone(),
            start,
            operations: Vec::new(),
        };
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let tenants = Arc::new(Tenants::default());
        let mut happening = Happening::new(
            Arc::clone(&store),
            Way::Incremental,
            Arc::clone(&tenants),
            &history,
        );
        happening.happen(&Operation::Pass(0));
        let load = Load::default();
        load.rule.store(Load::NONE, Ordering::Relaxed);
        Self {
            store,
            happening,
            rules: Loaded {
                rules: tenants,
                load,
            },
            files: tenant.files(),
            now: start,
        }
    }

    fn too_slow(&self, rule: usize) {
        self.rules.load.rule.store(rule, Ordering::Relaxed);
    }

    fn hire_or_move(&mut self, department: &str) {
        self.happening.happen(&Operation::Hr {
            person: 0,
            fields: vec![("department", department.to_owned())],
        });
    }

    fn refresh_at(&mut self, scope: Scope, now: UnixMillis) -> Run {
        self.happening.happen(&Operation::Pass(now.0 - self.now.0));
        self.now = now;
        let request = Request {
            scope,
            criteria: Vec::new(),
            as_of: now,
            simulated: true,
            now,
            fire_initial: false,
            actor: "somebody".to_owned(),
            settings: RunSettings::default(),
            approved: false,
        };
        let run = refresh::run(
            self.store.as_ref(),
            &self.rules,
            &self.files,
            &request,
            &|_, _, _| {},
        );
        run.expect("the refresh goes through")
    }

    /// Refreshes who is due at an instant: the person, once.
    fn retry_at(&mut self, at: UnixMillis) {
        let run = self.refresh_at(Scope::Due, at);
        assert_eq!(run.counters.refreshed, 1, "{run:?}");
    }

    fn person(&self) -> Uid {
        let named = self.store.named("p0").expect("readable");
        named.expect("somebody was hired")
    }

    fn retry(&self) -> Option<Retry> {
        let record = self.store.read_chunk(&[self.person()]).expect("readable");
        let [record] = <[_; 1]>::try_from(record).expect("the person");
        record.identity.retries.next()
    }

    fn is_due(&self, at: UnixMillis) -> bool {
        let due = self.store.due(at, None, 9).expect("readable");
        !due.is_empty()
    }

    fn asked(&self) -> usize {
        self.rules.load.asked.load(Ordering::Relaxed)
    }
}

/// A tenant in which nobody wakes up, and where `rule` is asked.
fn tenant(rule: usize) -> Tenant {
    let quiet = (1..).map(|seed| Tenant::random(&mut ChaCha8Rng::seed_from_u64(seed)));
    let mut quiet = quiet.filter(|tenant| {
        let model = tenant.model();
        let mut roles = model.roles.iter();
        roles.all(|role| role.active_from.is_none() && role.active_until.is_none())
    });
    let tenant = quiet.next().expect("one of them has roles for good");
    Tenant {
        start: "2026-03-02T11:00:00Z".parse().expect("an instant"),
        transforms: [0, 8],
        // Whose department is v0, v2 or v7 is active.
        state_reads: vec![Read::Attribute("department")],
        proposes: rule == BEFORE,
        follows: rule == AFTER,
        listens: match rule {
            CHANGE => vec!["department"],
            _ => Vec::new(),
        },
        ..tenant
    }
}

#[test]
fn each_attempt_waits_twice_as_long_and_a_night_costs_one() {
    for rule in [0, STATE, ASSIGNMENT, TRIGGER, BEFORE, AFTER, CHANGE] {
        let mut office = Office::new(tenant(rule));
        office.hire_or_move("v0");
        let start = office.now;
        for _ in 0..3 {
            office.refresh_at(Scope::Due, start);
        }
        assert_eq!(office.retry(), None);

        office.too_slow(rule);
        office.hire_or_move("v2");
        office.retry_at(start);
        for attempts in 1..=4 {
            let at = office.now.plus_ms(FIRST_MS << (attempts - 1));
            assert_eq!(office.retry(), Some(Retry { attempts, at }), "rule {rule}");
            assert!(!office.is_due(at.plus_ms(-1)) && office.is_due(at));
            // What is asked before its time is no attempt.
            office.refresh_at(Scope::All, office.now.plus_ms(1));
            assert_eq!(office.retry(), Some(Retry { attempts, at }));
            office.retry_at(at);
        }
        assert_eq!(office.store.next_wake(None).expect("readable"), None);

        let asked = office.asked();
        office.retry_at(office.now.plus_ms(200 * HOUR_MS));
        assert_eq!(office.asked(), asked + 1, "rule {rule}");
        for _ in 0..3 {
            office.retry_at(office.now.plus_ms(24 * HOUR_MS));
        }
        // Never longer than a day: 10 minutes times 256 would be.
        let at = office.now.plus_ms(24 * HOUR_MS);
        assert_eq!(office.retry(), Some(Retry { attempts: 9, at }));
        assert!(!office.happening.export().contains("retr"));

        office.hire_or_move("v7");
        let now = office.now.plus_ms(HOUR_MS);
        office.retry_at(now);
        let at = now.plus_ms(FIRST_MS);
        assert_eq!(office.retry(), Some(Retry { attempts: 1, at }));

        office.too_slow(Load::NONE);
        office.retry_at(at);
        assert_eq!(office.retry(), None, "rule {rule}");
    }
}
