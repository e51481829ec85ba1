//! The verdict is the fresh instance's, however often an instance is used.

use std::collections::HashMap;
use std::sync::Arc;

use idr::rules::{ComponentCache, RuleEngine, RuleHost, RuleWorker, digest_of};
use idr_core::definitions::{
    AttributeDefinition, EditMode, Grant, Isolation, Lifecycle, Model, Rule, RuleIndex, RuleLimits,
};
use idr_core::model::{
    AttributeState, Claim, Holder, IdentityRecord, Name, Provenance, Uid, UnixMillis, Value,
    ValueType,
};
use idr_core::rule::{RuleEvaluator, RuleFailure};
use idr_core::view::{Node, ReadError, Slot, Snapshot, SnapshotError, TrackedView};

use crate::made::{ASK_WHO, ASKING, engine, lifecycle_rule};

const RULE: RuleIndex = RuleIndex(0);

/// A tenant with one lifecycle rule.
struct Tenant {
    model: Arc<Model>,
    host: Arc<RuleHost>,
}

struct NobodyElse;

impl Snapshot for NobodyElse {
    fn attribute_of(&self, _: Uid, _: Name) -> Result<Option<Value>, SnapshotError> {
        Ok(None)
    }

    fn find(&self, _: Name, _: &str) -> Result<Vec<Uid>, SnapshotError> {
        Ok(Vec::new())
    }

    fn holder(&self, _claim: &Claim) -> Result<Option<Holder>, SnapshotError> {
        Ok(None)
    }
}

impl Tenant {
    fn new(rule: Vec<u8>, limits: RuleLimits) -> Self {
        Self::with_cache(rule, limits, None)
    }

    fn with_cache(rule: Vec<u8>, limits: RuleLimits, cache: Option<&ComponentCache>) -> Self {
        Self::on(engine(), rule, limits, cache)
    }

    fn on(
        engine: &RuleEngine,
        rule: Vec<u8>,
        limits: RuleLimits,
        cache: Option<&ComponentCache>,
    ) -> Self {
        let attribute = |name: &str| AttributeDefinition {
            name: Name::new(name),
            value_type: ValueType::Date,
            sources: Vec::new(),
            proposals: false,
            unique: None,
            on_change: None,
            edit_mode: EditMode::ReadOnly,
            sensitive: false,
            targets: Vec::new(),
        };
        let model = Model {
            attributes: ["endDate", "salary", "startDate"].map(attribute).to_vec(),
            lifecycle: Lifecycle {
                rule: Some(RULE),
                ..Lifecycle::default()
            },
            rules: vec![Rule {
                name: Name::new("state"),
                sha256: digest_of(&rule),
                grant: Grant {
                    attributes: vec![
                        Name::new("endDate"),
                        Name::new("startDate"),
                        Name::new("uid"),
                    ],
                    ..Grant::default()
                },
                parameters: Vec::new(),
                limits,
                isolation: Isolation::Reuse,
            }],
            ..Model::default()
        };
        let bytes: HashMap<String, Arc<[u8]>> =
            HashMap::from([(model.rules[0].sha256.clone(), rule.into())]);
        let host = RuleHost::load(
            engine,
            "acme",
            &model,
            |sha256| bytes.get(sha256).cloned(),
            cache,
        )
        .unwrap_or_else(|errors| panic!("the rule is loaded: {errors:?}"));
        Self {
            model: Arc::new(model),
            host: Arc::new(host),
        }
    }

    /// Asks about an identity that has an end date and nothing else.
    fn ask(&self, worker: &mut RuleWorker, uid: i64) -> Asked {
        let mut record = IdentityRecord::default();
        record.identity.uid = Uid(uid);
        record.identity.name = "ana".into();
        let (model, as_of) = (Arc::clone(&self.model), UnixMillis(1_775_000_000_000));
        let mut view = TrackedView::new(model, Arc::new(NobodyElse), as_of, record);
        let end = Value::Date("2026-12-31".parse().expect("a date"));
        let end = AttributeState {
            value: Some(end),
            provenance: Provenance::Source(0),
        };
        view.settle(
            Node::Attribute(Name::new("endDate")),
            Slot::Attribute(Some(end)),
        );
        view.read_as(Some(RULE));
        let state = worker.lifecycle_state(RULE, &mut view);
        view.read_as(None);
        Asked {
            state,
            wake: view.take_wake(),
        }
    }

    fn is_isolated(&self) -> bool {
        !self.host.isolated().is_empty()
    }
}

struct Asked {
    state: Result<String, RuleFailure>,
    wake: Option<UnixMillis>,
}

fn active() -> Result<String, RuleFailure> {
    Ok("active".to_owned())
}

/// What a rule needs to count how often it was asked about whom.
fn counter() -> String {
    format!("{ASKING} (global $asked (mut i32) (i32.const 0))")
}

/// Counts that.
fn count() -> String {
    format!("{ASK_WHO} (global.set $asked (i32.add (global.get $asked) (i32.const 1)))")
}

#[test]
fn an_instance_is_used_again_and_renewed_in_time() {
    let count = count();
    // Crashes when it is asked for the 1,025th time.
    let rule = lifecycle_rule(
        &counter(),
        &format!(
            "{count} (if (i32.gt_u (global.get $asked) (i32.const 1024)) (then unreachable))
             (call $active)"
        ),
    );
    let tenant = Tenant::new(rule, RuleLimits::default());
    let mut worker = tenant.host.worker();
    for uid in 0..3_000 {
        assert_eq!(tenant.ask(&mut worker, uid).state, active());
    }
    assert!(!tenant.is_isolated(), "no used instance ever crashed");
}

#[test]
fn a_used_instance_that_crashes_costs_nothing_but_time() {
    let count = count();
    let rule = lifecycle_rule(
        &counter(),
        &format!(
            "{count} (if (i32.gt_u (global.get $asked) (i32.const 1)) (then unreachable))
             (call $active)"
        ),
    );
    let tenant = Tenant::new(rule, RuleLimits::default());
    let mut worker = tenant.host.worker();
    assert_eq!(tenant.ask(&mut worker, 1).state, active());
    assert!(!tenant.is_isolated());
    assert_eq!(tenant.ask(&mut worker, 2).state, active());
    assert!(
        tenant.is_isolated(),
        "it answers differently when it was asked before"
    );
    assert_eq!(tenant.ask(&mut worker, 3).state, active());
}

#[test]
fn a_rule_that_remembers_is_found_out_and_isolated() {
    let count = count();
    let rule = lifecycle_rule(
        &counter(),
        &format!(
            "{count} (if (result i32) (i32.gt_u (global.get $asked) (i32.const 1))
                (then (call $inactive)) (else (call $active)))"
        ),
    );
    let tenant = Tenant::new(rule.clone(), RuleLimits::default());
    let mut worker = tenant.host.worker();
    let found_at = (1..10_000).find(|uid| {
        let state = tenant.ask(&mut worker, *uid).state;
        tenant.is_isolated() && state == active()
    });
    let found_at = found_at.expect("one in 256 answers is checked");
    for uid in found_at..found_at + 100 {
        assert_eq!(tenant.ask(&mut worker, uid).state, active());
        assert_eq!(tenant.ask(&mut tenant.host.worker(), uid).state, active());
    }

    // The next run is told, and every answer is right from the first on.
    let tenant = Tenant::new(rule.clone(), RuleLimits::default());
    tenant.host.isolate(&digest_of(&rule));
    let mut worker = tenant.host.worker();
    for uid in 1..100 {
        assert_eq!(tenant.ask(&mut worker, uid).state, active());
    }
    assert_eq!(tenant.host.isolated(), [digest_of(&rule)]);
}

#[test]
fn what_an_answer_that_does_not_count_noted_is_forgotten() {
    let count = count();
    let counter = counter();
    // The second time it asks about a moment before it crashes.
    let rule = lifecycle_rule(
        &format!(
            r#"(import "idr:rules/time@0.1.0" "reached" (func $reached (param i64) (result i32)))
               {counter}"#
        ),
        &format!(
            "{count} (if (i32.gt_u (global.get $asked) (i32.const 1)) (then
                (drop (call $reached (i64.const 1800000000000))) unreachable))
             (drop (call $reached (i64.const 1900000000000)))
             (call $active)"
        ),
    );
    let tenant = Tenant::new(rule, RuleLimits::default());
    let mut worker = tenant.host.worker();
    for uid in 1..4 {
        let asked = tenant.ask(&mut worker, uid);
        assert_eq!(asked.state, active());
        assert_eq!(asked.wake, Some(UnixMillis(1_900_000_000_000)));
    }
}

#[test]
fn whoever_gets_an_answer_again_is_woken_all_the_same() {
    // It would crash if it ran a second time.
    let rule = lifecycle_rule(
        r#"(import "idr:rules/time@0.1.0" "reached" (func $reached (param i64) (result i32)))
           (global $asked (mut i32) (i32.const 0))"#,
        "(if (global.get $asked) (then unreachable))
         (global.set $asked (i32.const 1))
         (drop (call $reached (i64.const 1900000000000)))
         (call $active)",
    );
    let tenant = Tenant::new(rule, RuleLimits::default());
    let mut worker = tenant.host.worker();
    for uid in 1..4 {
        let asked = tenant.ask(&mut worker, uid);
        assert_eq!(asked.state, active());
        assert_eq!(asked.wake, Some(UnixMillis(1_900_000_000_000)));
    }
    assert!(!tenant.is_isolated(), "it ran once");
}

#[test]
fn fuel_that_runs_out_because_of_earlier_calls_does_not_count() {
    let count = count();
    let counter = counter();
    // The n-th call on an instance loops n * 1,000 times.
    let rule = lifecycle_rule(
        &format!("{counter} (global $left (mut i32) (i32.const 0))"),
        &format!(
            "{count}
             (global.set $left (i32.mul (global.get $asked) (i32.const 1000)))
             (loop $again
                (global.set $left (i32.sub (global.get $left) (i32.const 1)))
                (br_if $again (i32.gt_s (global.get $left) (i32.const 0))))
             (call $active)"
        ),
    );
    let tenant = Tenant::new(
        rule,
        RuleLimits {
            fuel: 50_000,
            ..RuleLimits::default()
        },
    );
    let mut worker = tenant.host.worker();
    for uid in 0..200 {
        assert_eq!(tenant.ask(&mut worker, uid).state, active());
    }
    assert!(
        !tenant.is_isolated(),
        "a limit says nothing about the answers"
    );
}

#[test]
fn memory_that_is_never_given_back_only_renews_the_instance() {
    let rule = lifecycle_rule(
        ASKING,
        &format!(
            "{ASK_WHO}
             (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
             (call $active)"
        ),
    );
    let limits = RuleLimits {
        memory_bytes: 20 * 65_536,
        ..RuleLimits::default()
    };
    let tenant = Tenant::new(rule, limits);
    let mut worker = tenant.host.worker();
    for uid in 0..200 {
        assert_eq!(tenant.ask(&mut worker, uid).state, active());
    }
    assert!(!tenant.is_isolated());
}

#[test]
fn time_is_no_verdict_and_asks_for_a_retry() {
    let rule = lifecycle_rule("", "(loop $again (br $again)) unreachable");
    let limits = RuleLimits {
        fuel: u64::MAX,
        time_ms: 10,
        ..RuleLimits::default()
    };
    let tenant = Tenant::new(rule, limits);
    let failure = tenant
        .ask(&mut tenant.host.worker(), 1)
        .state
        .expect_err("it never ends");
    let RuleFailure::Failed {
        cause,
        message,
        retry_after_ms,
        ..
    } = failure
    else {
        panic!("it isn't a read that failed");
    };
    assert_eq!(cause.as_str(), "host-too-slow");
    insta::assert_snapshot!(message, @"rule `state` (lifecycle-state) was still running after 100 ms, 10 times its limit of 10 ms (tenant `acme`, identity `ana`)");
    assert!(retry_after_ms.is_some());
}

#[test]
fn failures_name_rule_kind_limit_and_use() {
    let rule = lifecycle_rule("", "(loop $again (br $again)) unreachable");
    let limits = RuleLimits {
        fuel: 10_000,
        ..RuleLimits::default()
    };
    let tenant = Tenant::new(rule, limits);
    let mut worker = tenant.host.worker();
    for uid in 0..2 {
        let failure = tenant
            .ask(&mut worker, uid)
            .state
            .expect_err("it never ends");
        let RuleFailure::Failed {
            cause,
            message,
            hint,
            retry_after_ms,
        } = failure
        else {
            panic!("it isn't a read that failed");
        };
        assert_eq!(cause.as_str(), "rule-out-of-fuel");
        assert_eq!(retry_after_ms, None);
        insta::allow_duplicates! {
            insta::assert_snapshot!(format!("{message}\n{}", hint.unwrap_or_default()), @r"
            rule `state` (lifecycle-state) used up its limit of 10000 fuel (tenant `acme`, identity `ana`)
            shorten the rule, or raise `fuel` in rules/rules.toml
            ");
        }
    }
}

#[test]
fn a_rule_reads_what_it_is_granted_and_what_is_settled() {
    let reads = |name: &str| {
        let fields = format!(
            r#"(import "idr:rules/subject@0.1.0" "attribute" (func $attribute (param i32 i32 i32)))
               (data (i32.const 2000) "{name}")"#
        );
        let length = name.len();
        let rule = lifecycle_rule(
            &fields,
            &format!(
                "(call $attribute (i32.const 2000) (i32.const {length}) (i32.const 128))
                 (call $active)"
            ),
        );
        let tenant = Tenant::new(rule, RuleLimits::default());
        let mut worker = tenant.host.worker();
        let first = tenant.ask(&mut worker, 1).state;
        assert_eq!(
            tenant.ask(&mut worker, 2).state,
            first,
            "also on the next instance"
        );
        assert!(!tenant.is_isolated());
        first
    };
    assert_eq!(reads("endDate"), active());
    let start = Node::Attribute(Name::new("startDate"));
    assert_eq!(
        reads("startDate"),
        Err(RuleFailure::Read(ReadError::Unsettled(start)))
    );
    let stopped = |name: &str| match reads(name) {
        Err(RuleFailure::Read(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    insta::assert_snapshot!(stopped("salary"), @"identity attribute `salary` is not granted to the rule");
    insta::assert_snapshot!(stopped("endDat"), @"there is no identity attribute `endDat`; did you mean `endDate`?");
}

#[test]
fn compiled_components_are_kept_privately_and_made_again_when_damaged() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cache");
    let cache = ComponentCache::new(&path);
    let rule = || lifecycle_rule("", "(call $active)");
    let ask = || {
        let tenant = Tenant::with_cache(rule(), RuleLimits::default(), Some(&cache));
        tenant.ask(&mut tenant.host.worker(), 1).state
    };
    let kept = || {
        let mut entries = std::fs::read_dir(&path).expect("the cache was made");
        let file = entries
            .next()
            .expect("the component was kept")
            .expect("readable")
            .path();
        assert!(entries.next().is_none(), "there is one component");
        file
    };
    assert_eq!(ask(), active());
    let file = kept();
    let compiled = std::fs::read(&file).expect("readable");
    assert!(file.to_string_lossy().contains(&digest_of(&rule())));

    // Damaged or cut, it is made again.
    let mut damaged = compiled.clone();
    *damaged.last_mut().expect("it isn't empty") ^= 1;
    for damaged in [damaged, compiled[..compiled.len() / 2].to_vec(), Vec::new()] {
        std::fs::write(&file, damaged).expect("writable");
        assert_eq!(ask(), active());
        assert_eq!(std::fs::read(kept()).expect("readable"), compiled);
    }

    // What another component was compiled to isn't run under this one's name.
    let other = lifecycle_rule("", "(call $inactive)");
    let others = Tenant::with_cache(other.clone(), RuleLimits::default(), Some(&cache));
    drop(others);
    let other_file = std::fs::read_dir(&path)
        .expect("the cache is there")
        .map(|entry| entry.expect("readable").path())
        .find(|path| path.to_string_lossy().contains(&digest_of(&other)))
        .expect("the other was kept");
    std::fs::copy(&other_file, &file).expect("writable");
    assert_eq!(ask(), active());
    std::fs::remove_file(other_file).expect("it is there");

    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt, chown};
        let mode = |path: &std::path::Path| {
            std::fs::metadata(path).expect("there").permissions().mode() & 0o777
        };
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&file), 0o600);
        // Nor is anything read from somebody else's folder; only root can make one.
        if chown(&path, Some(4711), None).is_ok() {
            let before = std::fs::read(&file).expect("readable");
            std::fs::write(&file, "planted").expect("writable");
            assert_eq!(ask(), active());
            assert_eq!(std::fs::read(&file).expect("readable"), b"planted");
            std::fs::write(&file, before).expect("writable");
            chown(&path, Some(0), None).expect("root may");
        }
        let open_to_others = |mode| {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("own folder");
        };
        // A folder that others may write to is neither read nor written.
        std::fs::write(&file, "planted").expect("writable");
        for mode in [0o770, 0o702, 0o777] {
            open_to_others(mode);
            assert_eq!(ask(), active());
            assert_eq!(std::fs::read(&file).expect("readable"), b"planted");
        }
        // One that others may only look into, as a copied tenant's, is closed and used.
        for open in [0o755, 0o750, 0o711] {
            open_to_others(open);
            assert_eq!(ask(), active());
            assert_eq!(mode(&path), 0o700);
            assert_ne!(std::fs::read(&file).expect("readable"), b"planted");
        }
    }
}

/// Compiled code that another wasmtime, or the same one with other settings, left
/// behind is never run, even where it has the right name and checksum.
#[test]
fn what_another_engine_compiled_is_made_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("cache");
    let cache = ComponentCache::new(&path);
    let rule = || lifecycle_rule("", "(call $active)");
    let ask = || {
        let tenant = Tenant::with_cache(rule(), RuleLimits::default(), Some(&cache));
        tenant.ask(&mut tenant.host.worker(), 1).state
    };
    assert_eq!(ask(), active());
    let mut kept = std::fs::read_dir(&path).expect("the cache was made");
    let file = kept.next().expect("it was kept").expect("readable").path();
    let compiled = std::fs::read(&file).expect("readable");

    let name = file.file_name().expect("a file").as_encoded_bytes();
    let with_checksum = |compiled: &[u8]| {
        let mut hasher = xxhash_rust::xxh3::Xxh3Default::new();
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name);
        hasher.update(compiled);
        let mut file = compiled.to_vec();
        file.extend_from_slice(&hasher.digest().to_le_bytes());
        file
    };
    assert_eq!(
        with_checksum(&compiled[..compiled.len() - 8]),
        compiled,
        "as files are written"
    );

    // What it would answer shows if it were run.
    let other_rule = lifecycle_rule("", "(call $inactive)");
    let mut other_settings = wasmtime::Config::new();
    other_settings.consume_fuel(false);
    let mut other_version = wasmtime::Config::new();
    let version = wasmtime::ModuleVersionStrategy::Custom("another".to_owned());
    other_version
        .module_version(version)
        .expect("it is short enough");
    for config in [other_settings, other_version] {
        let other = wasmtime::Engine::new(&config).expect("an engine");
        let component = wasmtime::component::Component::from_binary(&other, &other_rule);
        let planted = component.expect("it is valid").serialize();
        let planted = with_checksum(&planted.expect("it can be kept"));
        std::fs::write(&file, &planted).expect("writable");
        assert_eq!(ask(), active());
        assert_eq!(std::fs::read(&file).expect("readable"), compiled);
    }
}

/// The pool has room for so many instances, and other workers may hold all of it.
#[test]
fn a_worker_that_finds_no_room_waits_and_then_says_so() {
    let engine = RuleEngine::new().expect("this machine runs WebAssembly");
    let rule = lifecycle_rule("", "(call $active)");
    let tenant = Tenant::on(&engine, rule, RuleLimits::default(), None);
    // Each worker keeps the instance that it asked.
    let mut others: Vec<RuleWorker> = Vec::new();
    let refused = loop {
        let mut worker = tenant.host.worker();
        match tenant.ask(&mut worker, 1).state {
            Ok(_) => others.push(worker),
            Err(refused) => break refused,
        }
        assert!(others.len() < 10_000, "the pool has an end");
    };
    let RuleFailure::Failed {
        cause,
        message,
        hint,
        retry_after_ms,
    } = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!(cause.as_str(), "host-too-busy");
    insta::assert_snapshot!(message, @"rule `state` (lifecycle-state) found no room for an instance (tenant `acme`, identity `ana`)");
    insta::assert_snapshot!(hint.unwrap_or_default(), @"refresh with fewer threads, or use fewer rules at a time");
    assert!(retry_after_ms.is_some(), "it is never a verdict");

    // Who has an instance is answered all the same.
    let busy = others.last_mut().expect("there are others");
    assert_eq!(tenant.ask(busy, 1).state, active());
    // Whoever waits is answered as soon as there is room.
    let mut worker = tenant.host.worker();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| tenant.ask(&mut worker, 1).state);
        std::thread::sleep(std::time::Duration::from_millis(100));
        others.pop();
        assert_eq!(waiting.join().expect("it doesn't panic"), active());
    });
    assert!(!tenant.is_isolated());
}

#[test]
fn a_rule_that_is_used_as_something_else_is_not_loaded() {
    let rule: Arc<[u8]> = lifecycle_rule("", "(call $active)").into();
    let mut model = Model::default();
    model.rules.push(Rule {
        name: Name::new("state"),
        sha256: digest_of(&rule),
        grant: Grant::default(),
        parameters: Vec::new(),
        limits: RuleLimits::default(),
        isolation: Isolation::Reuse,
    });
    let errors = |model: &Model, bytes: Option<&Arc<[u8]>>| {
        let loaded = RuleHost::load(engine(), "acme", model, |_| bytes.cloned(), None);
        let errors = loaded.err().unwrap_or_default();
        errors
            .iter()
            .map(|error| format!("{error}: {}", error.source))
            .collect::<Vec<_>>()
    };
    assert_eq!(errors(&model, Some(&rule)), [""; 0]);
    insta::assert_snapshot!(errors(&model, None)[0].replace(&digest_of(&rule), "SHA256"), @"rule `state` can't be used: there is no component with sha256 SHA256");
    model.triggers.push(idr_core::definitions::Trigger {
        name: Name::new("soon"),
        conditions: vec![idr_core::definitions::TriggerCondition::Rule(RULE)],
        included: None,
        included_rule: None,
        included_before: None,
        handlers: Vec::new(),
        threshold: None,
        digest: 0,
    });
    insta::assert_snapshot!(errors(&model, Some(&rule))[0], @"rule `state` can't be used: it is used as identity-trigger rule, but exports lifecycle-state");
}
