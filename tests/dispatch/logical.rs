//! What is called for with accounts that are made of others is done with their parts.

use crate::passes::World;

/// Whoever is staff gets into the portal: with an account in the CRM that is in a group.
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
    staff = {}
    desk = {}
    [guard]
    vanished = "off"
    //- applications/crm.toml
    provisioning = true
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/crm.csv"
    native_identity = "login"
    status = { column = "status", disabled = ["off"] }
    [schema]
    owner = {}
    place = {}
    groups = { type = "many", entitlement = true, separator = ";" }
    [guard]
    vanished = "off"
    new = "off"
    [account]
    native_identity = { attribute = "name" }
    [account.attributes]
    owner = { attribute = "name" }
    //- applications/portal.toml
    [schema]
    desk = {}
    rights = { type = "many", entitlement = true }
    [logical]
    primary = "crm"
    [[logical.tiers]]
    application = "crm"
    filter = 'groups.containsAll({"portal"})'
    [logical.attributes]
    desk = { application = "crm", attribute = "place" }
    rights = { application = "crm", attribute = "groups" }
    //- identity.toml
    [attributes.staff]
    sources = [{ application = "hr", attribute = "staff" }]
    [attributes.desk]
    sources = [{ application = "hr", attribute = "desk" }]
    [[attributes.desk.targets]]
    application = "portal"
    attribute = "desk"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    accounts = [{ application = "portal", do = "enable" }]
    [states.leave]
    accounts = [{ application = "portal", do = "disable" }]
    [states.gone]
    inactive = true
    accounts = [{ application = "portal", do = "delete" }]
    //- roles/roles.toml
    [[role]]
    name = "Staff"
    type = "business"
    selector = { match = { staff = "yes" } }
    requires = ["Portal"]
    [[role]]
    name = "Portal"
    type = "it"
    profiles = [{ application = "portal", entitlements = { rights = ["sell"] } }]
    //- feeds/hr.csv
    user,staff,desk
    ana,yes,7
    bob,no,8
    //- feeds/crm.csv
    login,owner,place,groups,status
    b1,bob,,,on
"#;

/// Lets HR say something at an instant, and does what follows until nothing does;
/// returns what was done.
fn done(world: &World, minute: &mut u32, hr: &str) -> Vec<String> {
    let before = world.crm.log().len();
    world
        .host
        .write("feeds/hr.csv", format!("user,staff,desk\n{hr}\n"));
    let mut at = || {
        *minute += 1;
        assert!(*minute < 100, "it doesn't settle: {:?}", world.crm.log());
        format!("2026-03-01T{:02}:{:02}:00Z", 9 + *minute / 60, *minute % 60)
    };
    let _ = world.host.json(["aggregate", "hr", "--as-of", &at()]);
    world.refresh(&at());
    while world.pass(&at()).done > 0 {
        world.refresh(&at());
    }
    world.crm.log().split_off(before)
}

/// Returns what accounts somebody has, and how they are.
fn accounts(world: &World, name: &str) -> String {
    let shown = world.host.json(["identity", "show", name]);
    let accounts = shown["accounts"].as_array().expect("a list").iter();
    let accounts = accounts.filter(|known| known["application"] != "hr");
    let said = accounts.map(|known| {
        let text = |key: &str| known[key].as_str().unwrap_or("-").to_owned();
        let attributes = &known["attributes"];
        format!("{} {} {attributes}", text("application"), text("status"))
    });
    said.collect::<Vec<_>>().join("\n")
}

fn set(world: &World, state: &str) {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let set = ["identity", "state", "ana", state];
    assert!(world.host.json(set.into_iter().chain(why)).is_object());
}

#[test]
fn its_parts_are_made_set_switched_deleted_and_lose_what_they_were_given() {
    let world = World::of(TENANT);
    let minute = &mut 0;
    let staff = "ana,yes,7\nbob,no,8";
    // There is no account to set anything of before it is made; and bob has one in the
    // CRM that is part of nothing.
    assert_eq!(
        done(&world, minute, staff),
        ["create crm ana", "modify crm ana"]
    );
    insta::assert_snapshot!(accounts(&world, "ana"), @r#"
    crm enabled {"groups":["portal","sell"],"owner":"ana","place":"7"}
    portal enabled {"desk":"7","rights":["portal","sell"]}
    "#);
    assert_eq!(
        done(&world, minute, "ana,yes,9\nbob,no,9"),
        ["modify crm ana"]
    );
    set(&world, "leave");
    assert_eq!(
        done(&world, minute, "ana,yes,9\nbob,no,9"),
        ["disable crm ana"]
    );
    insta::assert_snapshot!(accounts(&world, "ana"), @r#"
    crm disabled {"groups":["portal","sell"],"owner":"ana","place":"9"}
    portal disabled {"desk":"9","rights":["portal","sell"]}
    "#);
    set(&world, "active");
    assert_eq!(
        done(&world, minute, "ana,yes,9\nbob,no,9"),
        ["enable crm ana"]
    );
    // What made it an account of the portal goes with the role, and the account stays.
    assert_eq!(
        done(&world, minute, "ana,no,9\nbob,no,9"),
        ["modify crm ana"]
    );
    insta::assert_snapshot!(accounts(&world, "ana"), @r#"crm enabled {"owner":"ana","place":"9"}"#);
    assert_eq!(done(&world, minute, "ana,no,4\nbob,no,9"), [""; 0]);
    assert_eq!(
        done(&world, minute, "ana,yes,4\nbob,no,9"),
        ["modify crm ana", "modify crm ana"]
    );
    set(&world, "gone");
    assert_eq!(
        done(&world, minute, "ana,yes,4\nbob,no,9"),
        ["delete crm ana"]
    );
    let verified = world.host.run(["store", "verify"]);
    assert!(verified.ends_with("[exit 0]"), "{verified}");
}
