//! The hot parts of a refresh and of an aggregation, each alone: `cargo bench --bench hot`.
//!
//! On the standard tenant, refreshed, of somebody with an account in each application.
//! What a whole refresh takes is measured by `idr bench refresh`; this is for whoever works
//! on one part.

use std::hint::black_box;
use std::sync::{Arc, LazyLock};

use divan::Bencher;
use divan::counter::ItemsCount;
use idr::bench::settle;
use idr::organisation::{FIRST_INSTANT, Made, Profile, aggregate_all};
use idr::refresh::Configured;
use idr::store::{Store, decode_record, encode_record};
use idr::tenant::{Absent, OpenTenant};
use idr_core::definitions::{Model, Policies, Roles};
use idr_core::model::{IdentityRecord, Uid};
use idr_core::phases::roles::may_concern;
use idr_core::plan::{PlanContext, Planner};
use idr_core::rule::RuleEvaluator;
use idr_core::view::TrackedView;
use tempfile::TempDir;

const IDENTITIES: u64 = 2_000;
const SOMEBODY: Uid = Uid(7);

fn main() {
    divan::main();
}

/// The tenant, as its first refresh found it and as it is after that.
struct World {
    tenant: OpenTenant,
    configured: Configured,
    first: IdentityRecord,
    record: IdentityRecord,
    _folder: TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let directory = folder.path().join("tenant");
    let made = Made {
        profile: Profile::Standard,
        identities: IDENTITIES,
        seed: 1,
    };
    made.write(&directory).expect("it can be written to");
    let tenant = OpenTenant::open(&directory, Absent::Create).expect("it can be opened");
    aggregate_all(&tenant, made.profile.applications(), FIRST_INSTANT).expect("feeds can be read");
    let read = |tenant: &OpenTenant| {
        let read = tenant.store.read_chunk(&[SOMEBODY]);
        read.expect("it can be read").remove(0)
    };
    let first = read(&tenant);
    settle(&directory).expect("it can be refreshed");
    World {
        configured: tenant.adopt().expect("the configuration is fine"),
        record: read(&tenant),
        first,
        tenant,
        _folder: folder,
    }
});

impl World {
    fn context(&self, model: Model) -> PlanContext {
        PlanContext {
            model: Arc::new(model),
            snapshot: self.tenant.store.snapshot().expect("it can be read"),
            as_of: FIRST_INSTANT,
        }
    }

    fn model(&self) -> Model {
        self.configured.model.as_ref().clone()
    }

    fn evaluator(&self) -> Box<dyn RuleEvaluator + Send> {
        self.configured.rules.evaluator()
    }
}

#[divan::bench]
fn decode_an_identity_with_accounts(bencher: Bencher) {
    let documents = encode_record(&WORLD.record);
    bencher.bench_local(|| decode_record(black_box(&documents)).expect("it was encoded"));
}

#[divan::bench]
fn encode_an_identity_with_accounts(bencher: Bencher) {
    bencher.bench_local(|| encode_record(black_box(&WORLD.record)));
}

/// As if nobody had a role: then every filter is asked.
#[divan::bench]
fn filters_of_100_roles(bencher: Bencher) {
    let context = WORLD.context(WORLD.model());
    let mut record = WORLD.record.clone();
    record.identity.assigned.clear();
    let (model, snapshot) = (Arc::clone(&context.model), context.snapshot);
    let mut view = TrackedView::new(Arc::clone(&model), snapshot, context.as_of, record);
    view.settle_from_record();
    bencher.bench_local(|| {
        let roles = model.roles.iter();
        let concern = |role| may_concern(&mut view, &model, role).expect("it can be read");
        roles.map(concern).filter(|concerns| *concerns).count()
    });
}

fn plan(bencher: Bencher, context: &PlanContext, record: &IdentityRecord) {
    let mut evaluator = WORLD.evaluator();
    let mut planner = Planner::new(evaluator.as_mut());
    bencher
        .with_inputs(|| record.clone())
        .bench_local_values(|record| planner.plan(context, record, false).expect("it is planned"));
}

#[divan::bench]
fn plan_nothing_changes(bencher: Bencher) {
    plan(bencher, &WORLD.context(WORLD.model()), &WORLD.record);
}

#[divan::bench]
fn plan_the_first_time(bencher: Bencher) {
    plan(bencher, &WORLD.context(WORLD.model()), &WORLD.first);
}

/// What policies and risk take is what this is less.
#[divan::bench]
fn plan_without_policies(bencher: Bencher) {
    let (model, record) = without_policies();
    plan(bencher, &WORLD.context(model), &record);
}

/// What roles take is what this is less once more.
#[divan::bench]
fn plan_without_policies_and_roles(bencher: Bencher) {
    let (mut model, mut record) = without_policies();
    model.roles = Roles::default();
    record.identity.assigned.clear();
    record.identity.detected.clear();
    plan(bencher, &WORLD.context(model), &record);
}

fn without_policies() -> (Model, IdentityRecord) {
    let (mut model, mut record) = (WORLD.model(), WORLD.record.clone());
    model.policies = Policies::default();
    model.risk = None;
    record.identity.violations.clear();
    record.identity.scorecard = None;
    (model, record)
}

#[divan::bench]
fn apply_the_first_plan(bencher: Bencher) {
    let context = WORLD.context(WORLD.model());
    let mut evaluator = WORLD.evaluator();
    let planned = Planner::new(evaluator.as_mut()).plan(&context, WORLD.first.clone(), false);
    let planned = planned.expect("it is planned");
    bencher
        .with_inputs(|| (planned.record.identity.clone(), planned.changes.clone()))
        .bench_local_values(|(mut identity, changes)| {
            identity.apply(changes);
            identity
        });
}

/// With all that an aggregation does besides.
#[divan::bench(sample_count = 20)]
fn aggregate_unchanged_lines(bencher: Bencher) {
    LazyLock::force(&WORLD);
    bencher
        .counter(ItemsCount::new(IDENTITIES))
        .bench_local(|| {
            aggregate_all(&WORLD.tenant, &["directory"], FIRST_INSTANT)
                .expect("the feed can be read")
        });
}
