//! What one evaluation of a rule costs: `cargo bench --bench rule`.
//!
//! The rule is `rules-examples/rust/four-reads`, through the real path: the
//! tracked view with a grant, fuel and epoch, the worker with its instances.
//! Beside it stands the same rule in native Rust, through the same view.
//! CPU time of the thread, all must answer the same.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use idr::rules::{RuleEngine, RuleHost, RuleWorker, digest_of, read};
use idr_core::definitions::{
    AttributeDefinition, EditMode, Grant, Isolation, Lifecycle, Model, Rule, RuleIndex, RuleLimits,
};
use idr_core::model::{
    AttributeState, Claim, Holder, IdentityRecord, Name, Provenance, Uid, UnixMillis, Value,
    ValueType,
};
use idr_core::rule::RuleEvaluator;
use idr_core::view::{Node, Slot, Snapshot, SnapshotError, TrackedView};
use jiff::civil::{Date, Time, date};

const RULE: RuleIndex = RuleIndex(0);
const AS_OF: UnixMillis = UnixMillis(1_775_000_000_000);
const ATTRIBUTES: [(&str, ValueType); 4] = [
    ("employeeType", ValueType::Text),
    ("endDate", ValueType::Date),
    ("startDate", ValueType::Date),
    ("status", ValueType::Text),
];
/// So few that everything stays in the processor's caches.
const PEOPLE: usize = 64;
const ROUNDS: usize = 25;
/// How often each round asks about everybody.
const REPEATS: usize = 500;

fn main() {
    let component = read(&repository().join("rules-examples/rust/four-reads/four-reads.wasm"))
        .expect("the example is there");
    let model = Arc::new(model(&component));
    let bytes: Arc<[u8]> = component.into();
    let engine = RuleEngine::new().expect("this machine runs WebAssembly");
    let host = RuleHost::load(&engine, "bench", &model, |_| Some(Arc::clone(&bytes)), None)
        .unwrap_or_else(|errors| panic!("the rule is loaded: {errors:?}"));
    let mut worker = host.worker();
    let mut views: Vec<TrackedView> = (0..PEOPLE).map(|number| view(&model, number)).collect();

    let expected: Vec<String> = views.iter_mut().map(native).collect();
    let answers = views.iter_mut().map(|view| by_component(&mut worker, view));
    assert_eq!(answers.collect::<Vec<_>>(), expected, "all answer the same");

    let native = measured(|| {
        for view in &mut views {
            black_box(native(view));
        }
    });
    let component = measured(|| {
        for view in &mut views {
            black_box(by_component(&mut worker, view));
        }
    });
    println!("one evaluation of a rule that reads four attributes, ns of CPU: least, median");
    for (name, [least, median]) in [
        ("native Rust, through the tracked view", native),
        ("component in Rust, the same", component),
    ] {
        println!("{least:>8.0} {median:>8.0}  {name}");
    }
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Returns what one evaluation takes, in nanoseconds: the least and the median
/// of all rounds.
fn measured(mut everybody: impl FnMut()) -> [f64; 2] {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = thread_cpu_ns();
            for _ in 0..REPEATS {
                everybody();
            }
            (thread_cpu_ns() - began) as f64 / (REPEATS * PEOPLE) as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    [rounds[0], rounds[ROUNDS / 2]]
}

/// Returns the CPU time of this thread so far, as Linux says.
fn thread_cpu_ns() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat");
    let schedstat = schedstat.expect("benches run on Linux");
    let first = schedstat.split(' ').next().and_then(|ns| ns.parse().ok());
    first.expect("schedstat begins with the time on the processor")
}

fn model(component: &[u8]) -> Model {
    let attribute = |(name, value_type)| AttributeDefinition {
        name: Name::new(name),
        value_type,
        sources: Vec::new(),
        proposals: false,
        unique: None,
        on_change: None,
        edit_mode: EditMode::ReadOnly,
        sensitive: false,
    };
    Model {
        attributes: ATTRIBUTES.map(attribute).to_vec(),
        lifecycle: Lifecycle {
            rule: Some(RULE),
            ..Lifecycle::default()
        },
        rules: vec![Rule {
            name: Name::new("state"),
            sha256: digest_of(component),
            grant: Grant {
                attributes: ATTRIBUTES.map(|(name, _)| Name::new(name)).to_vec(),
                ..Grant::default()
            },
            parameters: Vec::new(),
            limits: RuleLimits::default(),
            isolation: Isolation::Reuse,
        }],
        ..Model::default()
    }
}

/// Returns a view of somebody whose attributes are settled.
fn view(model: &Arc<Model>, number: usize) -> TrackedView {
    let mut record = IdentityRecord::default();
    record.identity.uid = Uid(number as i64 + 1);
    let mut view = TrackedView::new(Arc::clone(model), Arc::new(NobodyElse), AS_OF, record);
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    let values = [
        text(["employee", "contractor", "intern"][number % 3]),
        [None, Some(date(2026, 3, 1)), Some(date(2027, 1, 1))][number / 3 % 3].map(Value::Date),
        [Some(date(2020, 1, 1)), Some(date(2026, 9, 1))][number / 9 % 2].map(Value::Date),
        text(["present", "leave"][number / 18 % 2]),
    ];
    for ((name, _), value) in ATTRIBUTES.into_iter().zip(values) {
        let value = value.map(|value| AttributeState {
            value: Some(value),
            provenance: Provenance::Source(0),
        });
        view.settle(Node::Attribute(Name::new(name)), Slot::Attribute(value));
    }
    view.read_as(Some(RULE));
    view
}

struct NobodyElse;

impl Snapshot for NobodyElse {
    fn attribute_of(&self, _: Uid, _: Name) -> Result<Option<Value>, SnapshotError> {
        Ok(None)
    }

    fn find(&self, _: Name, _: &str) -> Result<Vec<Uid>, SnapshotError> {
        Ok(Vec::new())
    }

    fn holder(&self, _: &Claim) -> Result<Option<Holder>, SnapshotError> {
        Ok(None)
    }
}

fn by_component(worker: &mut RuleWorker, view: &mut TrackedView) -> String {
    let state = worker.lifecycle_state(RULE, view);
    black_box(view.take_wake());
    state.unwrap_or_else(|failure| panic!("the rule answers: {failure:?}"))
}

fn native(view: &mut TrackedView) -> String {
    let status = text(view, "status");
    let employee_type = text(view, "employeeType");
    let start = day(view, "startDate");
    let end = day(view, "endDate");
    let reached = |view: &mut TrackedView, day| view.date_reached(day, Time::midnight(), "");
    let over = |view: &mut TrackedView, day| view.day_over(day, "");
    let state = if start.is_some_and(|day| !reached(view, day).expect("a day that is there")) {
        "prehire"
    } else if end.is_some_and(|day| over(view, day).expect("a day that is there")) {
        match employee_type.as_deref() {
            Some("contractor") => "ended",
            _ => "inactive",
        }
    } else {
        match status.as_deref() {
            Some("leave") => "leave",
            _ => "active",
        }
    };
    black_box(view.take_wake());
    state.to_owned()
}

fn text(view: &mut TrackedView, name: &str) -> Option<String> {
    match view.attribute(name).expect("it is granted") {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

fn day(view: &mut TrackedView, name: &str) -> Option<Date> {
    match view.attribute(name).expect("it is granted") {
        Some(Value::Date(day)) => Some(day),
        _ => None,
    }
}
