//! What was read before idr did something, and is taken over after it, neither takes
//! away what idr has made nor brings back what idr has deleted.

use idr::dispatch::DispatchReport;
use idr::store::{EffectStatus, Store};
use idr_core::model::{Account, Name, Value};
use serde_json::{Value as Json, json};

use crate::passes::{DAY_1, DAY_2, World, account, instant, key};

/// Ana has no account and is to get one, and bob is to lose his once he is gone.
const TENANT: &str = r#"
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
    [native_changes]
    [guard]
    vanished = "off"
    new = 0
    [account]
    native_identity = { attribute = "name" }
    [account.attributes]
    owner = { attribute = "name" }
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    [states.gone]
    inactive = true
    roles = []
    accounts = [{ application = "crm", do = "delete" }]
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
    //- triggers.toml
    [[trigger]]
    name = "native"
    on = [{ type = "native-change" }]
    //- feeds/hr.csv
    user
    ana
    bob
    zoe
    //- feeds/crm.csv
    login,owner,groups
    bob,bob,sell
    zoe,zoe,sell
"#;

/// Between what was called for first and what is done on the next day.
const BEFORE: &str = "2026-03-01T12:00:00Z";

/// Both are called for, and nothing is done yet.
fn called_for() -> World {
    let world = World::of(TENANT);
    for name in ["bob", "zoe"] {
        let mut known = account(name, name);
        let groups = (Name::new("groups"), Value::text("sell"));
        known.attributes.insert(0, groups);
        world.crm.put(known);
    }
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let gone = ["identity", "state", "bob", "gone"];
    assert!(world.host.json(gone.into_iter().chain(why)).is_object());
    world.refresh(BEFORE);
    assert_eq!(world.effects(), [EffectStatus::Waiting; 2]);
    world
}

/// Ana's account is made, and bob's deleted.
fn carry_out(world: &World) {
    assert_eq!(world.pass(DAY_1).done, 2);
    let mut log = world.crm.log();
    log.sort();
    assert_eq!(log, ["create crm ana", "delete crm bob"]);
    assert_as_idr_left_it(world);
}

/// Aggregates the list of before at an instant.
fn aggregate(world: &World, at: &str) -> Json {
    let options = ["--as-of", at, "--force"];
    let aggregated = ["aggregate", "crm"].into_iter().chain(options);
    world.host.json(aggregated)
}

fn known(world: &World, login: &str) -> Account {
    let accounts = world.tenant().store.accounts(&[key(login)]);
    accounts.expect("readable").remove(0)
}

fn native_changes(world: &World) -> usize {
    let events = world.host.json(["event", "list"]);
    events.as_array().expect("a list").len()
}

fn assert_as_idr_left_it(world: &World) {
    assert_eq!(known(world, "ana").missing_since, None);
    assert_eq!(known(world, "bob").missing_since, Some(instant(DAY_1)));
}

/// Nothing is noticed, and nothing is called for once more.
fn assert_nothing_follows(world: &World) {
    assert_as_idr_left_it(world);
    world.refresh(DAY_2);
    assert_eq!(native_changes(world), 0);
    assert_eq!(world.pass(DAY_2), DispatchReport::default());
    assert_eq!(world.crm.log().len(), 2);
    assert_eq!(world.effects(), [EffectStatus::Done; 2]);
    let groups = world.host.json(["identity", "show", "ana"])["accounts"].clone();
    let crm = groups.as_array().expect("a list").iter();
    let mut crm = crm.filter(|known| known["application"] == "crm");
    let crm = crm.next().expect("she has one");
    assert_eq!(crm["attributes"]["groups"], json!(["sell"]));
    let verified = world.host.run(["store", "verify"]);
    assert!(verified.ends_with("[exit 0]"), "{verified}");
}

#[test]
fn a_list_of_before_that_is_aggregated_late_reverts_nothing() {
    let world = called_for();
    carry_out(&world);
    assert_eq!(aggregate(&world, BEFORE)["status"], "done");
    assert_nothing_follows(&world);
}

#[test]
fn an_aggregation_of_before_that_is_accepted_late_reverts_nothing() {
    let world = called_for();
    let crm = world.host.read("feeds/crm.csv");
    world
        .host
        .write("feeds/crm.csv", format!("{crm}new,nobody,\n"));
    let held = aggregate(&world, BEFORE);
    assert_eq!(held["status"], "held");
    carry_out(&world);
    let id = held["aggregation"].to_string();
    let accept = ["aggregation", "accept", &id, "--reason", "it is new"];
    assert_eq!(world.host.json(accept)["status"], "done");
    assert_eq!(known(&world, "new").missing_since, None);
    assert_nothing_follows(&world);
}

#[test]
fn a_list_of_afterwards_that_says_the_same_counts() {
    let world = called_for();
    carry_out(&world);
    assert_eq!(aggregate(&world, DAY_2)["status"], "done");
    assert_eq!(known(&world, "ana").missing_since, Some(instant(DAY_2)));
    assert_eq!(known(&world, "bob").missing_since, None);
    world.refresh(DAY_2);
    assert_eq!(native_changes(&world), 2);
}
