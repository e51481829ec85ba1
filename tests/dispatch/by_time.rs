//! From joining to being rehired where a database says who works until when, and time
//! does the rest: nobody sets a state, and nothing is read on the days that matter.

use idr::config::sha256;

use crate::common::repository;
use crate::rounds::World;
use crate::targets::{POSTGRES, Target};

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "circle"
    clock = "simulated"
    //- applications/hr.toml
    authoritative = { name = "login" }
    [connector]
    type = "sql"
    url = "$URL"
    table = "$TABLE"
    native_identity = "login"
    [schema]
    login = {}
    department = {}
    mail = {}
    begins = { type = "date", column = "first_day" }
    ends = { type = "date", column = "last_day" }
    hour = { column = "last_hour" }
    standing = {}
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    [attributes.email]
    sources = [{ application = "hr", attribute = "mail" }]
    [attributes.endDate]
    type = "date"
    sources = [{ application = "hr", attribute = "ends", on_empty = "clear" }]
    [attributes.endTime]
    sources = [{ application = "hr", attribute = "hour" }]
    [attributes.startDate]
    type = "date"
    sources = [{ application = "hr", attribute = "begins" }]
    [attributes.status]
    sources = [{ application = "hr", attribute = "standing" }]
    [attributes.longGone]
    [[attributes.longGone.sources]]
    on_empty = "clear"
    [attributes.longGone.sources.transform]
    type = "dateCompare"
    firstDate = { type = "identityAttribute", name = "endDate" }
    operator = "LT"
    secondDate = { type = "dateMath", expression = "now-31d" }   # 30 days after its end
    positiveCondition = "yes"
    negativeCondition = "no"
    //- lifecycle.toml
    rule = "lifecycle"
    [states.prehire]
    [states.active]
    accounts = [{ application = "crm", do = "enable" }]
    [states.leave]
    [states.inactive]
    inactive = true
    accounts = [
        { application = "crm", do = "disable" },
        { application = "crm", do = "delete", after = "90d" },
    ]
    //- roles/roles.toml
    [[role]]
    name = "Seller"
    type = "business"
    selector = { filter = 'department == "Sales" && !(longGone == "yes")' }
    requires = ["CRM seller"]
    [[role]]
    name = "Buyer"
    type = "business"
    selector = { filter = 'department == "Purchase" && !(longGone == "yes")' }
    requires = ["CRM buyer"]
    [[role]]
    name = "CRM seller"
    type = "it"
    profiles = [{ application = "crm", entitlements = { groups = ["sell"] } }]
    [[role]]
    name = "CRM buyer"
    type = "it"
    profiles = [{ application = "crm", entitlements = { groups = ["buy"] } }]
"#;

/// A tenant whose personnel department keeps its people in the database as well.
fn world(target: Target) -> World {
    target.execute(
        "CREATE TABLE person (login TEXT PRIMARY KEY, department TEXT, mail TEXT, first_day TEXT,
             last_day TEXT, last_hour TEXT, standing TEXT);
         INSERT INTO person VALUES ('ana', 'Sales', 'ana@acme.example', '2026-01-01', NULL, NULL,
             NULL)",
    );
    let url = match target.is_postgres() {
        true => format!("env:{POSTGRES}"),
        false => format!("sqlite:{}", target.path().display()),
    };
    let tenant = TENANT
        .replace("$URL", &url)
        .replace("$TABLE", &target.table("person"));
    let world = World::of(&tenant, target, "20s");
    let path = "rules-examples/rust/lifecycle-state/lifecycle-state.wasm";
    let component = std::fs::read(repository().join(path)).expect("the example is committed");
    let rules = format!(
        "[rules.lifecycle]\ncomponent = \"lifecycle-state.wasm\"\nsha256 = \"{}\"\n\
         reads = {{ attributes = [\"endDate\", \"endTime\", \"startDate\", \"status\"], accounts = {{ hr = [] }} }}\n",
        sha256(&component)
    );
    world.host.write("rules/lifecycle-state.wasm", component);
    world.host.write("rules/rules.toml", rules);
    world
}

fn circle(mut world: World) -> Vec<String> {
    let mut said = vec![world.day_of(0, true)];
    let department = "UPDATE person SET department = 'Purchase'";
    world.target.execute(department);
    said.push(world.day_of(10, true));
    // It is known beforehand which day is the last.
    world
        .target
        .execute("UPDATE person SET last_day = '2026-01-20'");
    said.push(world.day_of(12, true));
    // From here on nobody says anything: 0, 30 and 90 days after that one.
    said.extend([19, 20, 49, 50, 109, 110].map(|day| world.day_of(day, false)));
    world
        .target
        .execute("UPDATE person SET last_day = NULL, department = 'Sales'");
    said.push(world.day_of(115, true));
    said
}

const EXPECTED: [&str; 10] = [
    "ana ana@acme.example on 24\nana sell",
    "ana ana@acme.example on 24\nana buy",
    "ana ana@acme.example on 24\nana buy",
    // The last day is the 20th of January, counted from 0 the 19th.
    "ana ana@acme.example on 24\nana buy",
    "ana ana@acme.example off 24\nana buy",
    "ana ana@acme.example off 24\nana buy",
    "ana ana@acme.example off 24",
    "ana ana@acme.example off 24",
    "",
    "ana ana@acme.example on 24\nana sell",
];

#[test]
fn time_alone_takes_somebody_from_the_last_day_to_the_end_on_sqlite() {
    assert_eq!(circle(world(Target::sqlite())), EXPECTED);
}

#[test]
fn time_alone_takes_somebody_from_the_last_day_to_the_end_on_postgres() {
    if let Some(target) = Target::postgres() {
        assert_eq!(circle(world(target)), EXPECTED);
    }
}
