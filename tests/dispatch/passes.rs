//! Passes through the outbox, with applications that fail.

use idr::connect::memory::{MemoryApplications, Moment};
use idr::connect::{ConnectError, Connectors};
use idr::dispatch::{Courier, Delivery, DispatchContext, DispatchReport, dispatch};
use idr::store::{EffectQuery, EffectStatus, Store};
use idr::tenant::{Absent, OpenTenant};
use idr_core::model::{Account, AccountKey, AccountStatus, Link, Name, UnixMillis, Value};

use crate::common::TestHost;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    [dispatch]
    attempts = 3
    //- applications/hr.toml
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "id"
    [schema]
    user = {}
    [authoritative]
    name = "user"
    [guard]
    vanished = "off"
    //- applications/crm.toml
    correlation = [{ account = "owner", identity = "name" }]
    owner = "helpdesk"
    [connector]
    type = "delimited-file"
    path = "feeds/crm.csv"
    native_identity = "login"
    status = { column = "status", disabled = ["off"] }
    [schema]
    owner = {}
    [native_changes]
    operations = ["modify", "delete"]
    [guard]
    vanished = "off"
    //- identity.toml
    [attributes.employed]
    sources = [{ application = "hr", attribute = "user" }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    [states.gone]
    inactive = true
    accounts = [
        { application = "crm", do = "disable" },
        { application = "crm", do = "delete", after = "90d" },
    ]
    //- triggers.toml
    [[trigger]]
    name = "native"
    on = [{ type = "native-change" }]
    //- feeds/hr.csv
    id,user
    1,ana
    2,bob
    //- feeds/crm.csv
    login,owner,status
    a1,ana,on
    b1,bob,on
"#;

pub(crate) const DAY_0: &str = "2026-03-01T08:00:00Z";
pub(crate) const DAY_1: &str = "2026-03-02T08:00:00Z";
pub(crate) const DAY_2: &str = "2026-03-03T08:00:00Z";

/// A tenant, and the application whose accounts its feed lists.
pub(crate) struct World {
    pub(crate) host: TestHost,
    pub(crate) crm: MemoryApplications,
}

/// Nobody is sent anything here.
struct NoCourier;

impl Courier for NoCourier {
    fn post(&self, delivery: &Delivery<'_>) -> Result<u16, String> {
        panic!("nothing is to be sent to {}", delivery.url)
    }
}

impl World {
    /// Both have an account, and both have left.
    fn new() -> Self {
        let world = Self::of(TENANT);
        for (login, owner) in [("a1", "ana"), ("b1", "bob")] {
            world.crm.put(account(login, owner));
        }
        world.leave("ana");
        world.leave("bob");
        world.refresh(DAY_1);
        world
    }

    /// A tenant that is aggregated and refreshed; there are no accounts in the
    /// application yet.
    pub(crate) fn of(files: &str) -> Self {
        let host = TestHost::with_files(files);
        for application in ["hr", "crm"] {
            let _ = host.json(["aggregate", application, "--as-of", DAY_0]);
        }
        let _ = host.json(["refresh", "--as-of", DAY_0]);
        let crm = MemoryApplications::default();
        Self { host, crm }
    }

    fn leave(&self, name: &str) {
        let state = self
            .host
            .run(["identity", "state", name, "gone", "--reason", "left"]);
        assert!(state.ends_with("[exit 0]"), "{state}");
    }

    pub(crate) fn refresh(&self, as_of: &str) {
        let run = self.host.json(["refresh", "--as-of", as_of]);
        assert_eq!(run["status"], "done");
    }

    pub(crate) fn tenant(&self) -> OpenTenant {
        OpenTenant::open(&self.host.path(""), Absent::Refuse).expect("it is in order")
    }

    /// Makes a pass at an instant.
    pub(crate) fn pass(&self, at: &str) -> DispatchReport {
        self.pass_with(&self.crm, at)
    }

    /// The same with other applications.
    pub(crate) fn pass_with(&self, connectors: &dyn Connectors, at: &str) -> DispatchReport {
        let tenant = self.tenant();
        let configured = tenant.adopt().expect("it is in order");
        let report = dispatch(&DispatchContext {
            store: &tenant.store,
            tenant: "acme",
            model: &configured.model,
            rules: configured.rules.as_ref(),
            connectors,
            courier: &NoCourier,
            workflows: &tenant.configuration.workflows,
            settings: tenant.configuration.dispatch,
            now: instant(at),
        });
        report.expect("the store is in order")
    }

    /// Returns how effects stand, in the order in which they were recorded.
    pub(crate) fn effects(&self) -> Vec<EffectStatus> {
        let effects = self.tenant().store.effects(&EffectQuery::default(), 99);
        let effects = effects.expect("readable").into_iter().rev();
        effects.map(|stored| stored.progress.status).collect()
    }

    /// Returns what the store knows of an account.
    fn known(&self, login: &str) -> Account {
        let accounts = self.tenant().store.accounts(&[key(login)]);
        accounts.expect("readable").remove(0)
    }

    fn events(&self) -> usize {
        let events = self.host.json(["event", "list"]);
        events.as_array().map_or(0, Vec::len)
    }
}

pub(crate) fn instant(text: &str) -> UnixMillis {
    text.parse().expect("an instant")
}

pub(crate) fn key(login: &str) -> AccountKey {
    AccountKey {
        application: Name::new("crm"),
        native_identity: login.to_owned(),
    }
}

pub(crate) fn account(login: &str, owner: &str) -> Account {
    Account {
        key: key(login),
        status: AccountStatus::Enabled,
        missing_since: None,
        taken_away: false,
        attributes: vec![(Name::new("owner"), Value::text(owner))],
        native_entitlements: Vec::new(),
        link: Link::default(),
        owner: None,
    }
}

/// Makes calls of a name fail so often, at a moment.
pub(crate) fn fail(
    world: &World,
    name: &'static str,
    moment: Moment,
    mut times: u32,
    passing: bool,
) {
    world.crm.fail(Some(Box::new(move |call, at| {
        if call != name || at != moment || times == 0 {
            return None;
        }
        times -= 1;
        Some(match passing {
            true => ConnectError::unavailable("crm", "closed"),
            false => ConnectError::refused("crm", "not this one"),
        })
    })));
}

#[test]
fn what_is_carried_out_is_read_back_and_not_called_for_any_more() {
    let world = World::new();
    assert_eq!(world.effects(), [EffectStatus::Waiting; 2]);
    let report = world.pass(DAY_1);
    assert_eq!((report.done, report.failed, report.dead), (2, 0, 0));
    assert_eq!(world.crm.log(), ["disable crm a1", "disable crm b1"]);
    assert_eq!(world.effects(), [EffectStatus::Done; 2]);
    assert_eq!(world.known("a1").status, AccountStatus::Disabled);
    // The next refresh sees that it is so, and the next pass has nothing to do.
    world.refresh(DAY_1);
    let identity = world.host.json(["identity", "show", "ana"]);
    assert_eq!(identity["account_actions"], serde_json::json!([]));
    assert_eq!(world.pass(DAY_1), DispatchReport::default());
    assert_eq!(world.effects(), [EffectStatus::Done; 2]);
    assert_eq!(world.crm.log().len(), 2);
}

#[test]
fn what_idr_has_done_itself_is_no_native_change() {
    let world = World::new();
    let before = world.events();
    world.pass(DAY_1);
    world.refresh(DAY_1);
    // The application's own list says the same.
    world.host.write(
        "feeds/crm.csv",
        "login,owner,status\na1,ana,off\nb1,bob,off\n",
    );
    let _ = world.host.json(["aggregate", "crm", "--as-of", DAY_1]);
    world.refresh(DAY_1);
    assert_eq!(world.events(), before);
    // But what somebody else does is.
    world.host.write(
        "feeds/crm.csv",
        "login,owner,status\na1,ana,on\nb1,bob,off\n",
    );
    let _ = world
        .host
        .json(["aggregate", "crm", "--as-of", "2026-03-03T08:00:00Z"]);
    world.refresh("2026-03-03T08:00:00Z");
    assert_eq!(world.events(), before + 1);
}

#[test]
fn what_somebody_undoes_before_idr_has_looked_again_is_a_native_change() {
    for at in [DAY_1, DAY_2] {
        let world = World::new();
        let before = world.events();
        assert_eq!(world.pass(DAY_1).done, 2);
        world.crm.put(account("a1", "ana"));
        world.host.write(
            "feeds/crm.csv",
            "login,owner,status\na1,ana,on\nb1,bob,off\n",
        );
        let _ = world.host.json(["aggregate", "crm", "--as-of", at]);
        world.refresh(at);
        assert_eq!(world.events(), before + 1);
        // What idr had done is over: it is called for anew, and done again.
        let [done, waiting] = [EffectStatus::Done, EffectStatus::Waiting];
        assert_eq!(world.effects(), [done, done, waiting]);
        assert_eq!(world.pass(at).done, 1);
        world.refresh("2026-03-05T08:00:00Z");
        assert_eq!(world.effects(), [done; 3]);
        assert_eq!(
            world.crm.log(),
            ["disable crm a1", "disable crm b1", "disable crm a1"]
        );
        let findings = world.host.json(["finding", "list"]);
        assert_eq!(findings, serde_json::json!([]));
    }
}

#[test]
fn an_account_that_idr_deletes_is_not_deleted_natively() {
    let world = World::new();
    let late = "2026-05-31T08:00:00Z";
    world.pass(DAY_1);
    let before = world.events();
    world.refresh(late);
    assert_eq!(world.pass(late).done, 2);
    assert!(world.crm.accounts().is_empty());
    assert_eq!(world.known("a1").missing_since, Some(instant(late)));
    world.host.write("feeds/crm.csv", "login,owner,status\n");
    for day in ["2026-06-01T08:00:00Z", "2026-06-02T08:00:00Z"] {
        let _ = world.host.json(["aggregate", "crm", "--as-of", day]);
        world.refresh(day);
    }
    assert_eq!(world.events(), before);
    assert_eq!(
        world.pass("2026-06-02T08:00:00Z"),
        DispatchReport::default()
    );
}

#[test]
fn what_was_read_before_a_change_does_not_undo_it() {
    let world = World::new();
    world.pass(DAY_1);
    // A file of the day before, which is aggregated late.
    let aggregated = world
        .host
        .json(["aggregate", "crm", "--as-of", DAY_0, "--force"]);
    assert_eq!(aggregated["status"], "done");
    assert_eq!(world.known("a1").status, AccountStatus::Disabled);
    world.refresh(DAY_1);
    assert_eq!(world.pass(DAY_1), DispatchReport::default());
    assert_eq!(world.crm.log().len(), 2);
}

#[test]
fn what_fails_is_tried_again_after_a_while() {
    let world = World::new();
    fail(&world, "disable", Moment::Before, 1, true);
    let report = world.pass(DAY_1);
    // The application isn't asked again in this pass.
    assert_eq!((report.done, report.failed), (0, 2));
    assert_eq!(world.crm.log(), [""; 0]);
    assert_eq!(world.effects(), [EffectStatus::Failed; 2]);
    let effects = world.host.json(["outbox", "list", "--identity", "ana"]);
    assert_eq!(effects[0]["attempts"], 1);
    assert_eq!(effects[0]["next_attempt"], "2026-03-02T08:01:00Z");
    let message = effects[0]["message"].as_str().expect("it says why");
    assert_eq!(message, "application `crm` can't be reached: closed");
    assert_eq!(
        world.pass("2026-03-02T08:00:59Z"),
        DispatchReport::default()
    );
    assert_eq!(world.pass("2026-03-02T08:01:00Z").done, 2);
    assert_eq!(world.crm.log().len(), 2);
}

#[test]
fn what_was_done_without_an_answer_is_not_done_again() {
    let world = World::new();
    fail(&world, "disable", Moment::After, 1, true);
    assert_eq!(world.pass(DAY_1).failed, 2);
    assert_eq!(world.crm.log(), ["disable crm a1"]);
    assert_eq!(world.pass("2026-03-02T08:01:00Z").done, 2);
    assert_eq!(world.crm.log(), ["disable crm a1", "disable crm b1"]);
    assert_eq!(world.effects(), [EffectStatus::Done; 2]);
}

#[test]
fn what_is_refused_is_given_up_and_holds_nothing_up_until_a_person_says_again() {
    let world = World::new();
    fail(&world, "disable", Moment::Before, 1, false);
    let report = world.pass(DAY_1);
    assert_eq!((report.done, report.failed, report.dead), (1, 0, 1));
    assert_eq!(world.crm.log(), ["disable crm b1"]);
    let dead = world.host.json(["outbox", "list", "--dead"]);
    assert_eq!(dead.as_array().map(Vec::len), Some(1));
    let id = dead[0]["id"].as_str().expect("it has one");
    assert_eq!(world.pass(DAY_1), DispatchReport::default());
    let shown = world
        .host
        .run(["outbox", "retry", id, "--reason", "it is mended"]);
    assert_eq!(shown, "1 to be tried again\n[exit 0]");
    assert_eq!(world.pass(DAY_1).done, 1);
    assert_eq!(world.crm.log(), ["disable crm b1", "disable crm a1"]);
    let again = world.host.run(["outbox", "retry", id, "--reason", "again"]);
    assert!(again.contains("is done"), "{again}");
}

#[test]
fn after_so_many_attempts_it_is_given_up() {
    let world = World::new();
    fail(&world, "disable", Moment::Before, u32::MAX, true);
    for (at, status) in [
        ("2026-03-02T08:00:00Z", EffectStatus::Failed),
        ("2026-03-02T08:01:00Z", EffectStatus::Failed),
        ("2026-03-02T08:02:59Z", EffectStatus::Failed),
        ("2026-03-02T08:03:00Z", EffectStatus::Dead),
    ] {
        world.pass(at);
        assert_eq!(world.effects()[0], status, "{at}");
    }
}

#[test]
fn what_is_no_longer_called_for_is_not_carried_out() {
    let world = World::new();
    fail(&world, "disable", Moment::Before, 1, true);
    world.pass(DAY_1);
    let state = world.host.run([
        "identity",
        "state",
        "ana",
        "--take-back",
        "--reason",
        "stays after all",
    ]);
    assert!(state.ends_with("[exit 0]"), "{state}");
    world.refresh(DAY_1);
    assert_eq!(world.pass("2026-03-03T08:00:00Z").done, 1);
    assert_eq!(world.crm.log(), ["disable crm b1"]);
}

#[test]
fn a_pass_that_dies_anywhere_is_made_good_by_the_next() {
    for point in ["disable before", "disable after", "get before", "get after"] {
        let world = World::new();
        let (call, moment) = point.split_once(' ').expect("two words");
        let name = if call == "get" { "get" } else { "disable" };
        let moment = match moment {
            "before" => Moment::Before,
            _ => Moment::After,
        };
        // The process dies there: nothing is noted any more.
        let crm = world.crm.clone();
        crm.fail(Some(Box::new(move |call, at| {
            assert!(call != name || at != moment, "killed");
            None
        })));
        let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.pass(DAY_1)));
        assert!(killed.is_err(), "{point}");
        assert_eq!(world.effects()[0], EffectStatus::Sent, "{point}");
        world.crm.fail(None);
        assert_eq!(world.pass(DAY_1).done, 2, "{point}");
        let log = world.crm.log();
        assert_eq!(log, ["disable crm a1", "disable crm b1"], "{point}");
        assert_eq!(world.effects(), [EffectStatus::Done; 2]);
    }
}

#[test]
fn where_no_connector_can_people_do_it() {
    let world = World::new();
    let shown = world.host.run(["dispatch", "--once"]);
    assert_eq!(
        shown,
        "0 done, 2 work items opened, 0 failed, 0 given up\n[exit 0]"
    );
    let items = world
        .host
        .json(["work-item", "list", "--owner", "helpdesk"]);
    let items = items.as_array().expect("a list").clone();
    assert_eq!(items.len(), 2);
    assert_eq!(items[1]["description"], "disable account `a1` in `crm`");
    assert_eq!(items[1]["name"], "ana");
    // Asked once.
    let shown = world.host.run(["dispatch", "--once"]);
    assert_eq!(shown, "nothing is to be done\n[exit 0]");
    let id = items[1]["id"].as_str().expect("it has one");
    let done = world.host.run([
        "work-item",
        "complete",
        id,
        "--reason",
        "switched off",
        "--actor",
        "hal",
    ]);
    assert!(done.contains("by hal"), "{done}");
    assert_eq!(world.effects(), [EffectStatus::Done, EffectStatus::Sent]);
    let again = world
        .host
        .run(["work-item", "complete", id, "--reason", "x"]);
    assert!(
        again.contains(&format!("work item `{id}` is done")),
        "{again}"
    );
    // The other comes back, and nobody is asked any more.
    let state = world.host.run([
        "identity",
        "state",
        "bob",
        "--take-back",
        "--reason",
        "back",
    ]);
    assert!(state.ends_with("[exit 0]"), "{state}");
    world.refresh(DAY_1);
    let items = world.host.json(["work-item", "list"]);
    assert_eq!(items, serde_json::json!([]));
    assert_eq!(
        world.effects(),
        [EffectStatus::Done, EffectStatus::Withdrawn]
    );
    let audit = world.host.json(["audit", "list", "--action", "complete"]);
    assert_eq!(audit[0]["reason"], "switched off");
}

#[test]
fn a_restored_backup_carries_nothing_out_until_a_person_says_so() {
    let world = World::new();
    let backup = world.host.path("backup.db");
    let backup = backup.to_str().expect("a path");
    let made = world.host.run(["store", "backup", backup]);
    assert!(made.ends_with("[exit 0]"), "{made}");
    world.pass(DAY_1);
    for name in ["idr.db", "idr.db-wal", "idr.db-shm"] {
        let file = world.host.path("state").join(name);
        if file.exists() {
            std::fs::remove_file(file).expect("removable");
        }
    }
    std::fs::copy(backup, world.host.path("state/idr.db")).expect("it can be restored");
    let paused = world.host.run(["dispatch", "--once"]);
    assert!(
        paused.contains("error: dispatch is paused") && paused.ends_with("[exit 2]"),
        "{paused}"
    );
    assert_eq!(world.effects(), [EffectStatus::Waiting; 2]);
    let resumed = world
        .host
        .run(["dispatch", "--resume", "--reason", "looked at"]);
    assert_eq!(resumed, "dispatch is resumed\n[exit 0]");
    // What was done after the backup isn't done again where it is so already.
    world.pass(DAY_1);
    assert_eq!(world.effects(), [EffectStatus::Done; 2]);
    assert_eq!(world.crm.log(), ["disable crm a1", "disable crm b1"]);
    let paused = world.host.run(["dispatch", "--pause", "--reason", "stop"]);
    assert_eq!(paused, "dispatch is paused\n[exit 0]");
}
