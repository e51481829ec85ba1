//! A process that dies at any point loses nothing and does nothing twice.
//!
//! Built with the feature `failpoints` only; `dispatch` and `webhooks` are about the
//! dispatcher. A tenant is taken through two
//! aggregations and two refreshes; the state and the events must be those of
//! the undisturbed run, wherever the process was killed on the way, once the
//! same command has been given again.

#[path = "../common/mod.rs"]
mod common;
mod dispatch;
#[allow(dead_code)]
#[path = "../dispatch/hooks.rs"]
mod hooks;
#[allow(dead_code)]
#[path = "../dispatch/rounds.rs"]
mod rounds;
#[allow(dead_code)]
#[path = "../dispatch/targets.rs"]
mod targets;
mod webhooks;

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::TestHost;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Enough people that a wave takes several chunks and a spool.
const PEOPLE: usize = 2_300;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "kill"
    clock = "simulated"
    zone = "Europe/Berlin"
    //- applications/hr.toml
    correlation = [{ account = "id", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "hr.csv"
    native_identity = "id"
    [schema]
    id = {}
    department = {}
    boss = {}
    [authoritative]
    name = "id"
    [guard]
    vanished = "off"
    //- applications/ad.toml
    correlation = [{ account = "person", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "ad.csv"
    native_identity = "id"
    [schema]
    person = {}
    groups = { type = "many", separator = "|", entitlement = true }
    [native_changes]
    operations = ["modify"]
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    [attributes.title]
    sources = [{ application = "hr", attribute = "boss" }]
    [manager]
    sources = [{ application = "hr", attribute = "boss" }]
    identity_attribute = "name"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- roles/business.toml
    [[role]]
    name = "Sales"
    type = "business"
    selector = { filter = 'department == "d1"' }
    [[role]]
    name = "Sales team"
    type = "business"
    selector = { filter = 'manager.department == "d1"' }
    //- roles/it.toml
    [[role]]
    name = "Reader"
    type = "it"
    [[role.profiles]]
    application = "ad"
    entitlements = { groups = ["read"] }
    //- triggers.toml
    [[trigger]]
    name = "joiner"
    on = [{ type = "create" }]
    [[trigger]]
    name = "mover"
    on = [{ type = "attribute-change", attribute = "department" }]
    [[trigger]]
    name = "manager"
    on = [{ type = "manager-transfer" }]
    [[trigger]]
    name = "native"
    on = [{ type = "native-change" }]
"#;

/// What is done to the tenant, in order, with the feeds that are there then.
const STEPS: [(usize, &[&str]); 6] = [
    (1, &["aggregate", "hr", "--as-of", "2026-03-01T08:00:00Z"]),
    (1, &["aggregate", "ad", "--as-of", "2026-03-01T08:00:00Z"]),
    (1, &["refresh", "--as-of", "2026-03-01T09:00:00Z"]),
    (2, &["aggregate", "hr", "--as-of", "2026-03-02T08:00:00Z"]),
    (2, &["aggregate", "ad", "--as-of", "2026-03-02T08:00:00Z"]),
    (2, &["refresh", "--as-of", "2026-03-02T09:00:00Z"]),
];

fn tenant() -> TestHost {
    TestHost::with_files(TENANT)
}

/// Writes the feeds of a day: most people change something on the second.
fn write_feeds(host: &TestHost, day: usize) {
    let (mut hr, mut ad) = (
        "id,department,boss\n".to_owned(),
        "id,person,groups\n".to_owned(),
    );
    for person in 0..PEOPLE {
        if day == 2 && person.is_multiple_of(97) {
            continue;
        }
        let department = (person * day) % 5;
        let boss = person * day / 10;
        hr += &format!("p{person},d{department},p{boss}\n");
        let groups = if (person + day).is_multiple_of(3) {
            "read|print"
        } else {
            "print"
        };
        ad += &format!("a{person},p{person},{groups}\n");
    }
    if day == 2 {
        for person in PEOPLE..PEOPLE + 50 {
            hr += &format!("p{person},d1,p1\n");
        }
    }
    host.write("hr.csv", hr);
    host.write("ad.csv", ad);
}

fn command(host: &TestHost, arguments: &[&str]) -> Command {
    let mut command = host.command();
    command.args(arguments).arg("--quiet");
    command
}

/// Runs a command to its end, which must be a good one.
fn finish(host: &TestHost, arguments: &[&str]) {
    let output = command(host, arguments)
        .output()
        .expect("the binary can be started");
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "`idr {}` failed: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn export(host: &TestHost) -> String {
    let arguments = ["state", "export", "--canonical"];
    let Output {
        stdout,
        status,
        stderr,
    } = command(host, &arguments)
        .output()
        .expect("the binary can be started");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("the export is UTF-8")
}

/// Takes a fresh tenant through all steps, each carried out by `carry_out`.
fn walk(mut carry_out: impl FnMut(&TestHost, &[&str])) -> String {
    let host = tenant();
    for (day, arguments) in STEPS {
        write_feeds(&host, day);
        carry_out(&host, arguments);
    }
    export(&host)
}

fn assert_equal(disturbed: &str, undisturbed: &str, how: &str) {
    if disturbed == undisturbed {
        return;
    }
    let missing: Vec<_> = undisturbed
        .lines()
        .filter(|line| !disturbed.lines().any(|other| other == *line))
        .take(3)
        .collect();
    let extra: Vec<_> = disturbed
        .lines()
        .filter(|line| !undisturbed.lines().any(|other| other == *line))
        .take(3)
        .collect();
    panic!("{how}: the state differs\nmissing: {missing:#?}\nextra: {extra:#?}");
}

/// Every kind of writing transaction, killed at its beginning and just before
/// its commit, the first and the third time it is reached.
#[test]
fn killed_at_every_write() {
    let undisturbed = walk(finish);
    assert!(
        undisturbed.contains("\"trigger\":\"mover\""),
        "events were fired"
    );
    let mut never_reached = Vec::new();
    for point in idr::store::sqlite::write_points() {
        for hits in [0, 2] {
            let mut deaths = 0;
            let state = walk(|host, arguments| {
                let killed = command(host, arguments)
                    .env("FAILPOINTS", format!("{point}={hits}*off->return(abort)"))
                    .output()
                    .expect("the binary can be started");
                if killed.status.code().is_none() {
                    deaths += 1;
                    finish(host, arguments);
                } else {
                    assert!(
                        matches!(killed.status.code(), Some(0 | 1)),
                        "{}",
                        String::from_utf8_lossy(&killed.stderr)
                    );
                }
            });
            assert_equal(&state, &undisturbed, &format!("{point} after {hits} hits"));
            if deaths == 0 && hits == 0 {
                never_reached.push(point.clone());
            }
        }
    }
    println!("points that no step reaches: {never_reached:?}");
    for reached in [
        "store-apply-commit",
        "store-aggregate-commit",
        "store-select-commit",
    ] {
        assert!(
            !never_reached.iter().any(|point| point == reached),
            "{reached} is not reached"
        );
    }
}

/// SIGKILL at random moments: 200 of them, over as many walks as that takes.
#[test]
fn killed_at_random() {
    let seed: u64 = std::env::var("IDR_SEED").map_or(17, |seed| seed.parse().expect("a number"));
    println!("seed {seed}");
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut durations = Vec::new();
    let undisturbed = walk(|host, arguments| {
        let begun = Instant::now();
        finish(host, arguments);
        durations.push(begun.elapsed());
    });
    let mut kills = 0;
    while kills < 200 {
        let mut step = 0;
        let state = walk(|host, arguments| {
            // Later attempts get more time, so that the walk comes to its end.
            for attempt in 1..8 {
                let most = durations[step]
                    .mul_f64(0.3 * f64::from(attempt))
                    .as_micros();
                let wait = random.random_range(0..=u64::try_from(most).expect("a short time"));
                if kill_after(host, arguments, Duration::from_micros(wait)) {
                    kills += 1;
                }
            }
            finish(host, arguments);
            step += 1;
        });
        assert_equal(
            &state,
            &undisturbed,
            &format!("after {kills} kills, seed {seed}"),
        );
    }
    println!("{kills} kills");
}

/// Starts a command and kills it; returns whether it was still alive.
fn kill_after(host: &TestHost, arguments: &[&str], wait: Duration) -> bool {
    let mut child = command(host, arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary can be started");
    std::thread::sleep(wait);
    let alive = child.try_wait().expect("the child can be asked").is_none();
    if alive {
        child.kill().expect("a living child can be killed");
    }
    child.wait().expect("the child can be waited for");
    alive
}
