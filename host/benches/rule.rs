//! What one evaluation of a rule costs: `cargo bench --bench rule`.
//!
//! The rule is `rules-examples/rust/four-reads`, through the real path: the
//! tracked view with a grant, fuel and epoch, the worker with its instances.
//! Beside it stands the same rule in native Rust, through the same view.
//! CPU time of the thread; all must answer the same.
//!
//! Other languages join where `IDR_PEERS` names a folder that
//! `host/benches/peers/install` has made. They get the four values and the day as
//! variables; nothing is tracked and nothing limits them, so what they take is
//! the language alone.
//!
//! After that: what it takes to load a component of each language that was
//! compiled before, from the file to the first instance. Those that aren't
//! committed are built by `idr rule build`.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use idr::rules::{
    ComponentCache, RuleComponent, RuleEngine, RuleHost, RuleWorker, digest_of, read,
};
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
/// Its day, counted from 1970.
const TODAY: i32 = 20_543;
const ATTRIBUTES: [(&str, ValueType); 4] = [
    ("employeeType", ValueType::Text),
    ("endDate", ValueType::Date),
    ("startDate", ValueType::Date),
    ("status", ValueType::Text),
];
/// So few that everything stays in the processor's caches.
const PEOPLE: usize = 64;
const ROUNDS: usize = 25;
/// How often each component is loaded.
const LOADS: usize = 15;
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
    let people: Vec<Person> = (0..PEOPLE).map(Person::numbered).collect();
    let mut views: Vec<TrackedView> = people.iter().map(|person| view(&model, person)).collect();

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
    let mut table = vec![
        ("native Rust, tracked".to_owned(), native),
        ("component in Rust, tracked, limited".to_owned(), component),
    ];
    match std::env::var_os("IDR_PEERS") {
        Some(folder) => table.extend(peers(Path::new(&folder), &people, &expected)),
        None => println!("other languages are left out: IDR_PEERS names no folder"),
    }
    println!("one evaluation of a rule that reads four attributes, in ns of CPU:");
    println!("{:>9} {:>9} {:>9}", "least", "median", "ratio");
    for (name, [least, median]) in table {
        let ratio = median / component[1];
        println!("{least:>9.0} {median:>9.0} {ratio:>9.2}  {name}");
    }
    print_loading(&engine);
}

/// Lets the programs in a folder measure the same rule in their languages.
fn peers(folder: &Path, people: &[Person], expected: &[String]) -> Vec<(String, [f64; 2])> {
    let jars = ["bsh", "groovy-all", "asm", "antlr", "rhino"];
    let jars = jars.map(|jar| folder.join(format!("usr/share/java/{jar}.jar")));
    let mut java = Command::new("java");
    java.arg("-cp")
        .arg(std::env::join_paths(jars).expect("no folder has a colon in its name"))
        .arg(repository().join("host/benches/peers/Peers.java"));
    let native = Command::new(folder.join("target/release/peers"));
    let mut table = Vec::new();
    for mut program in [native, java] {
        for line in output_of(&mut program, people).lines() {
            let parts: Vec<&str> = line.split('\t').collect();
            let [name, least, median, answers] = parts[..] else {
                panic!("a peer prints four parts, not `{line}`");
            };
            let answers: Vec<&str> = answers.split(',').collect();
            assert_eq!(answers, expected, "{name} answers the same");
            let number = |text: &str| text.parse().expect("a number");
            table.push((name.to_owned(), [number(least), number(median)]));
        }
    }
    table
}

fn output_of(program: &mut Command, people: &[Person]) -> String {
    let started = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut running = started.unwrap_or_else(|error| panic!("{program:?}: {error}"));
    let mut input = format!("{ROUNDS}\n{REPEATS}\n");
    for person in people {
        let (start, end) = (days(person.start), days(person.end));
        let (status, employee_type) = (person.status, person.employee_type);
        input += &format!("{status}\t{employee_type}\t{start}\t{end}\t{TODAY}\n");
    }
    let mut stdin = running.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("the peer reads");
    drop(stdin);
    let output = running.wait_with_output().expect("the peer ends");
    assert!(output.status.success(), "{program:?} failed");
    String::from_utf8(output.stdout).expect("the peer prints text")
}

/// Counts the days from 1970; 0 is none.
fn days(day: Option<Date>) -> i32 {
    day.map_or(0, |day| (day - date(1970, 1, 1)).get_days())
}

/// Prints how long it takes to load the example of every kind in each language
/// that has been built, from a cache of compiled components.
fn print_loading(engine: &RuleEngine) {
    println!("loading every kind of rule from the cache, in ms:");
    println!("{:>9} {:>9}", "least", "median");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let cache = ComponentCache::new(folder.path().join("compiled"));
    for language in ["rust", "c", "javascript", "python", "go"] {
        let path = format!("rules-examples/{language}/all-kinds/all-kinds.wasm");
        let path = repository().join(path);
        if !path.exists() {
            println!("{:>19}  {language}: not built", "");
            continue;
        }
        let load = || {
            let component = read(&path).expect("it is there");
            RuleComponent::load(engine, &component, Some(&cache)).expect("it fits the contract")
        };
        load();
        let mut times: Vec<f64> = (0..LOADS)
            .map(|_| {
                let began = Instant::now();
                black_box(load());
                began.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("{:>9.1} {:>9.1}  {language}", times[0], times[LOADS / 2]);
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
        targets: Vec::new(),
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

/// Somebody, with what the rule reads.
struct Person {
    status: &'static str,
    employee_type: &'static str,
    start: Option<Date>,
    end: Option<Date>,
}

impl Person {
    /// Returns one of 36 different people.
    fn numbered(number: usize) -> Self {
        Self {
            employee_type: ["employee", "contractor", "intern"][number % 3],
            end: [None, Some(date(2026, 3, 1)), Some(date(2027, 1, 1))][number / 3 % 3],
            start: [Some(date(2020, 1, 1)), Some(date(2026, 9, 1))][number / 9 % 2],
            status: ["present", "leave"][number / 18 % 2],
        }
    }
}

/// Returns a view of somebody whose attributes are settled.
fn view(model: &Arc<Model>, person: &Person) -> TrackedView {
    let mut record = IdentityRecord::default();
    record.identity.uid = Uid(1);
    let mut view = TrackedView::new(Arc::clone(model), Arc::new(NobodyElse), AS_OF, record);
    let text = |text: &str| Some(Value::text(text));
    let values = [
        text(person.employee_type),
        person.end.map(Value::Date),
        person.start.map(Value::Date),
        text(person.status),
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
        Some(Value::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}

fn day(view: &mut TrackedView, name: &str) -> Option<Date> {
    match view.attribute(name).expect("it is granted") {
        Some(Value::Date(day)) => Some(day),
        _ => None,
    }
}
