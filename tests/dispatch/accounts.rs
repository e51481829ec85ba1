//! What dispatch makes of accounts that are there already, of people who are gone,
//! and of workflows that do something with several accounts.

use std::cell::Cell;

use idr::connect::memory::{MemoryApplications, Moment};
use idr::connect::{Capability, ConnectError, Connector, Connectors};
use idr::store::{AuditEntry, EffectQuery, EffectStatus, Prune, Store};
use idr_core::definitions::Application;
use idr_core::model::{Account, Name, Uid, Value};

use crate::passes::{DAY_0, DAY_1, DAY_2, World, account, fail, instant, key};

/// Both get an account by their role.
const JOINERS: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    [guard]
    vanished = "off"
    //- applications/crm.toml
    provisioning = true
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/crm.csv"
    native_identity = "login"
    [schema]
    owner = {}
    groups = { type = "many", entitlement = true, separator = ";" }
    [guard]
    vanished = "off"
    new = "off"
    [account]
    native_identity = { attribute = "name" }
    [account.attributes]
    owner = { attribute = "name" }
    //- roles/roles.toml
    [[role]]
    name = "Staff"
    type = "business"
    selector = { filter = 'name != "nobody"' }
    requires = ["CRM"]
    [[role]]
    name = "CRM"
    type = "it"
    profiles = [{ application = "crm", entitlements = { groups = ["sell"] } }]
    //- feeds/hr.csv
    user
    ana
    bob
    //- feeds/crm.csv
    login,owner,groups
"#;

const MINUTE_LATER: &str = "2026-03-01T08:01:00Z";

fn joiners() -> World {
    let world = World::of(JOINERS);
    assert_eq!(world.effects(), [EffectStatus::Waiting; 2]);
    world
}

/// An account of somebody else that is just as the one to be created.
fn alike() -> Account {
    let mut account = account("ana", "ana");
    let groups = (Name::new("groups"), Value::text("sell"));
    account.attributes.insert(0, groups);
    account
}

/// Returns the messages of what was given up.
fn dead(world: &World) -> Vec<String> {
    let dead = world.host.json(["outbox", "list", "--dead"]);
    let dead = dead.as_array().expect("a list").iter();
    dead.map(|effect| effect["message"].as_str().expect("it says why").to_owned())
        .collect()
}

fn is_known(world: &World, login: &str) -> bool {
    let accounts = world.tenant().store.accounts(&[key(login)]);
    !accounts.expect("readable").is_empty()
}

#[test]
fn an_account_that_is_there_already_is_not_taken_for_the_one_to_be_created() {
    let world = joiners();
    world.crm.put(alike());
    // That it can't be read for a while makes it nobody's, either.
    fail(&world, "get", Moment::Before, 1, true);
    let report = world.pass(DAY_0);
    assert_eq!((report.done, report.failed, report.dead), (0, 1, 1));
    assert_eq!(world.pass(MINUTE_LATER).done, 1);
    let message = "there is an account `ana` in `crm` already, which may be somebody else's: \
                   aggregate the application, so that the account is correlated, and then refresh";
    assert_eq!(dead(&world), [message]);
    assert!(!is_known(&world, "ana"));
    assert!(is_known(&world, "bob"));
    // That it was tried makes it nobody's.
    let effects = world.host.json(["outbox", "list", "--dead"]);
    let id = effects[0]["id"].as_str().expect("it has one");
    let again = world.host.run(["outbox", "retry", id, "--reason", "again"]);
    assert!(again.ends_with("[exit 0]"), "{again}");
    assert_eq!(world.pass("2026-03-01T08:02:00Z").dead, 1);
    assert!(!is_known(&world, "ana"));
    assert_eq!(world.crm.log(), ["create crm bob"]);
}

#[test]
fn an_account_that_was_created_without_an_answer_is_the_one_to_be_created() {
    let world = joiners();
    fail(&world, "create", Moment::After, 1, true);
    assert_eq!(world.pass(DAY_0).done, 0);
    assert_eq!(world.crm.log(), ["create crm ana"]);
    assert_eq!(world.pass(MINUTE_LATER).done, 2);
    assert_eq!(world.crm.log(), ["create crm ana", "create crm bob"]);
    assert!(is_known(&world, "ana"));
}

/// Applications that can't be opened for the first time.
struct ClosedAtFirst<'a>(&'a MemoryApplications, Cell<bool>);

impl Connectors for ClosedAtFirst<'_> {
    fn open(&self, application: &Application) -> Result<Box<dyn Connector>, ConnectError> {
        match self.1.replace(false) {
            true => Err(ConnectError::unavailable("crm", "closed")),
            false => self.0.open(application),
        }
    }

    fn can(&self, _application: Name, _capability: Capability) -> bool {
        true
    }
}

#[test]
fn an_attempt_that_never_got_there_created_nothing() {
    let world = joiners();
    let closed = ClosedAtFirst(&world.crm, Cell::new(true));
    assert_eq!(world.pass_with(&closed, DAY_0).failed, 2);
    world.crm.put(alike());
    let report = world.pass_with(&closed, MINUTE_LATER);
    assert_eq!((report.done, report.dead), (1, 1));
    assert!(!is_known(&world, "ana"));
}

#[test]
fn nothing_is_created_for_whoever_is_gone() {
    let world = joiners();
    let tenant = world.tenant();
    let uid = world.host.json(["identity", "show", "ana"])["uid"].as_i64();
    let uid = Uid(uid.expect("a number"));
    let record = tenant.store.read_chunk(&[uid]).expect("readable").remove(0);
    let prune = Prune {
        uid,
        expected: record.versions,
        audit: AuditEntry {
            at: instant(DAY_0),
            actor: "hal".to_owned(),
            action: "prune".to_owned(),
            subject: "ana".to_owned(),
            reason: "gone".to_owned(),
        },
    };
    let pruned = tenant.store.prune(&[prune], instant(DAY_0));
    assert_eq!(pruned.expect("writable"), 1);
    drop(tenant);
    let report = world.pass(DAY_0);
    assert_eq!((report.done, report.failed, report.dead), (1, 0, 1));
    assert_eq!(world.crm.log(), ["create crm bob"]);
    let messages = dead(&world);
    assert!(
        messages[0].contains("whose account `ana` in `crm` it is about, was removed"),
        "{messages:?}"
    );
    let verified = world.host.run(["store", "verify"]);
    assert!(verified.ends_with("[exit 0]"), "{verified}");
}

/// Whoever moves has their accounts switched off.
const MOVERS: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    [dispatch]
    attempts = 3
    //- applications/hr.toml
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    department = {}
    [guard]
    vanished = "off"
    //- applications/crm.toml
    owner = "helpdesk"
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/crm.csv"
    native_identity = "login"
    status = { column = "status", disabled = ["off"] }
    [schema]
    owner = {}
    [guard]
    vanished = "off"
    new = "off"
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    //- triggers.toml
    [[trigger]]
    name = "mover"
    on = [{ type = "attribute-change", attribute = "department" }]
    handlers = [{ type = "workflow", name = "Move" }]
    //- workflows.toml
    [[workflow]]
    name = "Move"
    steps = [{ type = "accounts", application = "crm", do = "disable" }]
    //- feeds/hr.csv
    user,department
    ana,Sales
    bob,Sales
    //- feeds/crm.csv
    login,owner,status
    a1,ana,on
    a2,ana,on
    a3,ana,on
    a4,ana,on
    b1,bob,on
"#;

fn movers() -> World {
    let world = World::of(MOVERS);
    for login in ["a1", "a2", "a3", "a4"] {
        world.crm.put(account(login, "ana"));
    }
    world.crm.put(account("b1", "bob"));
    let feed = "user,department\nana,IT\nbob,IT\n";
    world.host.write("feeds/hr.csv", feed);
    let _ = world.host.json(["aggregate", "hr", "--as-of", DAY_1]);
    world.refresh(DAY_1);
    assert_eq!(world.effects(), [EffectStatus::Waiting; 2]);
    world
}

#[test]
fn a_step_of_a_workflow_is_one_attempt_however_many_accounts_there_are() {
    let world = movers();
    let mut calls = 0;
    world.crm.fail(Some(Box::new(move |call, at| {
        calls += u32::from(call == "disable" && at == Moment::Before);
        let fails = call == "disable" && at == Moment::Before && calls == 4;
        fails.then(|| ConnectError::unavailable("crm", "closed"))
    })));
    let report = world.pass(DAY_1);
    assert_eq!((report.done, report.failed, report.dead), (0, 2, 0));
    // The application is left in peace for the rest of the pass.
    let done = ["disable crm a1", "disable crm a2", "disable crm a3"];
    assert_eq!(world.crm.log(), done);
    let effects = world.tenant().store.effects(&EffectQuery::default(), 9);
    let effects = effects.expect("readable").into_iter().rev();
    let attempts: Vec<u32> = effects.map(|stored| stored.progress.attempts).collect();
    assert_eq!(attempts, [1, 0]);
    assert_eq!(world.pass("2026-03-02T08:01:00Z").done, 2);
    let log = world.crm.log();
    assert_eq!(log[..3], done);
    assert_eq!(log[3..], ["disable crm a4", "disable crm b1"]);
}

#[test]
fn the_owner_of_the_application_is_asked_to_do_the_step() {
    let world = movers();
    let shown = world.host.run(["dispatch", "--once", "--as-of", DAY_1]);
    assert!(
        shown.starts_with("2 done, 5 work items opened, 0 failed"),
        "{shown}"
    );
    let items = world
        .host
        .json(["work-item", "list", "--owner", "helpdesk"]);
    assert_eq!(items.as_array().map(Vec::len), Some(5));
}

#[test]
fn a_step_of_a_workflow_waits_for_what_stands_before_it() {
    let world = World::of(&MOVERS.replace(
        "steps = [{",
        r#"steps = [{ type = "work-item", owner = "identity", description = "pack" }, {"#,
    ));
    for login in ["a1", "a2", "a3", "a4"] {
        world.crm.put(account(login, "ana"));
    }
    world.crm.put(account("b1", "bob"));
    let mut days = ["IT", "Sales"].into_iter();
    let mut moves = |at: &str| {
        let department = days.next().expect("another one");
        let feed = format!("user,department\nana,{department}\nbob,Sales\n");
        world.host.write("feeds/hr.csv", feed);
        let _ = world.host.json(["aggregate", "hr", "--as-of", at]);
        world.refresh(at);
    };
    moves(DAY_1);
    assert_eq!(world.pass(DAY_1).asked, 1);
    moves(DAY_2);
    assert_eq!(world.pass(DAY_2).asked, 1);
    let items = world.host.json(["work-item", "list"]);
    for item in items.as_array().expect("a list") {
        let id = item["id"].as_str().expect("it has one");
        let done = world
            .host
            .run(["work-item", "complete", id, "--reason", "packed"]);
        assert!(done.ends_with("[exit 0]"), "{done}");
    }
    // The first of the two can't be carried out, and the second isn't before it.
    fail(&world, "disable", Moment::Before, 1, true);
    assert_eq!(world.pass(DAY_2).failed, 1);
    let attempts = || -> Vec<u32> {
        let effects = world.tenant().store.effects(&EffectQuery::default(), 9);
        let effects = effects.expect("readable").into_iter().rev();
        effects.map(|stored| stored.progress.attempts).collect()
    };
    assert_eq!(attempts(), [1, 0]);
    assert_eq!(world.effects(), [EffectStatus::Failed, EffectStatus::Sent]);
    assert_eq!(world.pass("2026-03-03T08:01:00Z").done, 2);
    assert_eq!(world.crm.log().len(), 4);
}

#[test]
fn what_idr_gave_is_taken_away_also_where_the_account_was_nobodys_meanwhile() {
    let world = World::of(&JOINERS.replace(r#"name != "nobody""#, r#"name == "ana""#));
    assert_eq!(world.pass(DAY_0).done, 1);
    world.refresh(DAY_0);
    let changes = |arguments: &[&str]| {
        let why = ["--reason", "r", "--actor", "hal"];
        let done = world.host.run(arguments.iter().copied().chain(why));
        assert!(done.ends_with("[exit 0]"), "{done}");
        world.refresh(DAY_0);
    };
    changes(&["account", "unlink", "crm", "ana"]);
    changes(&["account", "link", "crm", "ana", "bob"]);
    let bob = world.host.json(["identity", "show", "bob"]);
    let action = &bob["account_actions"][0];
    assert_eq!(action["operation"], "modify", "{bob}");
    assert_eq!(action["changes"][0]["change"], "remove");
    assert_eq!(action["changes"][0]["value"], serde_json::json!(["sell"]));
}
