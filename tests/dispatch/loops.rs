//! Changes of idr's own that lead to each other come to an end, whichever way they go.

use idr_core::model::{Name, Value};

use crate::passes::{World, account};

/// How often the dispatcher had something to do, with a refresh after each pass.
fn rounds(world: &World) -> u32 {
    let mut passes = 0;
    for minute in 0..30 {
        let at = format!("2026-03-01T09:{minute:02}:00Z");
        passes += u32::from(world.pass(&at).done > 0);
        world.refresh(&at);
    }
    passes
}

/// Returns the causes of the open findings.
fn causes(world: &World) -> Vec<String> {
    let found = world.host.json(["finding", "list"]);
    let causes = found.as_array().expect("a list").iter();
    let causes = causes.filter_map(|known| known["cause"].as_str());
    causes.map(str::to_owned).collect()
}

/// What ana's account says is made of what bob's does, and the other way round.
const FOLLOWERS: &str = r#"
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
    boss = {}
    //- applications/crm.toml
    provisioning = true
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/crm.csv"
    native_identity = "login"
    [schema]
    owner = {}
    note = {}
    //- identity.toml
    [manager]
    sources = [{ application = "hr", attribute = "boss" }]
    identity_attribute = "name"
    [attributes.noted]
    sources = [{ application = "crm", attribute = "note" }]
    [attributes.made]
    sources = [{ transform = { type = "concat", attributes = { values = [
        { type = "getReferenceIdentityAttribute", attributes = { uid = "manager", attributeName = "noted" } }, "x",
    ] } } }]
    targets = [{ application = "crm", attribute = "note" }]
    //- feeds/hr.csv
    user,boss
    ana,bob
    bob,ana
    //- feeds/crm.csv
    login,owner,note
    a1,ana,a
    b1,bob,
"#;

#[test]
fn changes_that_lead_to_each_other_through_others_are_sent_eight_times() {
    let world = World::of(FOLLOWERS);
    for (login, owner, note) in [("a1", "ana", Some("a")), ("b1", "bob", None)] {
        let mut account = account(login, owner);
        let note = note.map(|note| (Name::new("note"), Value::text(note)));
        account.attributes.splice(0..0, note);
        world.crm.put(account);
    }
    let passes = rounds(&world);
    assert!(causes(&world).contains(&"provisioning-loop".to_owned()));
    assert_eq!(passes, 9, "the first, and eight that it has led to");
}

/// Whoever gets an account has it deleted by a workflow, and gets another.
const UNDOING: &str = r#"
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
    room = {}
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
    //- identity.toml
    [attributes.room]
    sources = [{ application = "hr", attribute = "room" }]
    [attributes.crmOwner]
    sources = [{ application = "crm", attribute = "owner", on_no_account = "clear" }]
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
    name = "has-account"
    on = [
        { type = "attribute-change", attribute = "crmOwner", new = 'value == "ana"' },
        { type = "attribute-change", attribute = "room" },
    ]
    handlers = [{ type = "workflow", name = "Undo" }]
    //- workflows.toml
    [[workflow]]
    name = "Undo"
    steps = [{ type = "accounts", application = "crm", do = "delete" }]
    //- feeds/hr.csv
    user,room
    ana,1
    //- feeds/crm.csv
    login,owner,groups
"#;

#[test]
fn a_workflow_that_undoes_what_launched_it_is_launched_until_eight_changes_have_led_to_it() {
    let world = World::of(UNDOING);
    assert_eq!(rounds(&world), 9);
    let log = world.crm.log();
    let turns = ["create crm ana", "delete crm ana"];
    assert_eq!(log, turns.into_iter().cycle().take(9).collect::<Vec<_>>());
    assert_eq!(causes(&world), ["event-loop"]);
    // What was done, and because of what, is in the outbox.
    let outbox = world.host.json(["outbox", "list"]);
    let effects = outbox.as_array().expect("a list").iter();
    let hops: Vec<u64> = effects
        .filter_map(|effect| effect["hops"].as_u64())
        .collect();
    let mut sorted = hops.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..=8).collect::<Vec<_>>(), "{outbox}");
    // It stays found, whoever is refreshed, until the trigger fires for another reason.
    let at = "2026-03-01T10:00:00Z";
    let run = world.host.json(["refresh", "--all", "--as-of", at]);
    assert_eq!(run["status"], "done");
    assert_eq!(causes(&world), ["event-loop"]);
    world.host.write("feeds/hr.csv", "user,room\nana,2\n");
    let at = "2026-03-01T11:00:00Z";
    let _ = world.host.json(["aggregate", "hr", "--as-of", at]);
    world.refresh(at);
    assert!(causes(&world).is_empty());
    assert_eq!(world.pass(at).done, 1);
    assert_eq!(world.crm.log().len(), 10);
}
