//! Small tenants for tests of commands, with a simulated clock: one without
//! rules (people from an HR file and their directory accounts, roles by filter,
//! native triggers), and one whose people leave on a day, by a rule.

use std::path::Path;

use idr::aggregate::{AggregateContext, AggregateOptions, aggregate};
use idr::config::sha256;
use idr::tenant::{Absent, OpenTenant};
use idr_core::model::{Name, UnixMillis};

use crate::common::{TestHost, repository};

const FILES: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    zone = "Europe/Berlin"
    [store]
    wait = "100ms"
    //- applications/hr.toml
    vanish_grace = "0"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "id"
    [schema]
    user = {}
    name = {}
    department = {}
    salary = { type = "integer", sensitive = true }
    supervisor = {}
    [guard]
    vanished = "off"
    new = "off"
    rekeyed = "off"
    emptied = "off"
    //- applications/ad.toml
    correlation = [{ account = "owner", identity = "name" }]
    [connector]
    type = "delimited-file"
    path = "feeds/ad.csv"
    native_identity = "dn"
    [schema]
    owner = {}
    groups = { type = "many", separator = "|", entitlement = true }
    //- identity.toml
    [attributes.displayName]
    sources = [{ application = "hr", attribute = "name" }]
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    edit_mode = "until-feed-changes"
    [attributes.salary]
    type = "integer"
    sensitive = true
    sources = [{ application = "hr", attribute = "salary" }]
    [attributes.nicknames]
    type = "many"
    edit_mode = "permanent"
    [manager]
    sources = [{ application = "hr", attribute = "supervisor" }]
    identity_attribute = "name"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- roles/roles.toml
    [[role]]
    name = "Sales"
    type = "business"
    selector = { filter = 'department == "Sales"' }
    requires = ["CRM user"]
    [[role]]
    name = "CRM user"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["crm"] } }]
    //- triggers.toml
    [[trigger]]
    name = "joiner"
    on = [{ type = "create" }]
    [[trigger]]
    name = "mover"
    on = [{ type = "attribute-change", attribute = "department" }]
    [[trigger]]
    name = "manager-transfer"
    on = [{ type = "manager-transfer" }]
    //- feeds/hr.csv
    id,user,name,department,salary,supervisor
    1,alice,Alice Ames,Sales,70000,
    2,bob,Bob Beck,Sales,60000,alice
    3,carol,Carol Cole,Engineering,80000,alice
    //- feeds/ad.csv
    dn,owner,groups
    cn=alice,alice,crm|wiki
    cn=bob,bob,wiki
"#;

const DATED_FILES: &str = r#"
    //- idr.toml
    version = 1
    name = "dated"
    clock = "simulated"
    zone = "Europe/Berlin"
    [thresholds]
    leavers = 1
    //- applications/hr.toml
    vanish_grace = "0"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "id"
    [schema]
    user = {}
    endDate = { type = "date" }
    endTime = {}
    zone = {}
    [guard]
    vanished = "off"
    new = "off"
    rekeyed = "off"
    emptied = "off"
    //- identity.toml
    [attributes.endDate]
    type = "date"
    sources = [{ application = "hr", attribute = "endDate" }]
    [attributes.endTime]
    sources = [{ application = "hr", attribute = "endTime" }]
    [attributes.startDate]
    type = "date"
    sources = [{ static = 2020-01-01 }]
    [attributes.status]
    sources = [{ static = "employed" }]
    [attributes.zone]
    sources = [{ application = "hr", attribute = "zone" }]
    //- lifecycle.toml
    rule = "state"
    [states.prehire]
    [states.active]
    [states.leave]
    [states.inactive]
    inactive = true
    automatic_roles = "remove"
    //- roles/roles.toml
    [[role]]
    name = "Staff"
    type = "business"
    selector = { filter = 'name.notNull()' }
    //- triggers.toml
    [[trigger]]
    name = "leaver"
    on = [{ type = "lifecycle-change", from = "active", to = "inactive" }]
    //- feeds/hr.csv
    id,user,endDate,endTime,zone
    1,alice,2026-03-31,17:00,
    2,bob,2026-03-31,17:00,America/New_York
    3,carol,,,
"#;

/// Returns a tenant whose lifecycle states come from a rule, aggregated and
/// refreshed once.
pub(crate) fn dated_tenant() -> TestHost {
    let host = TestHost::with_files(DATED_FILES);
    let component = repository().join("rules-examples/rust/lifecycle-state/lifecycle-state.wasm");
    let component = std::fs::read(component).expect("the example is there");
    host.write("rules/lifecycle-state.wasm", &component);
    let rules = format!(
        "[rules.state]\n\
         component = \"lifecycle-state.wasm\"\n\
         sha256 = \"{}\"\n\
         [rules.state.reads]\n\
         attributes = [\"startDate\", \"endDate\", \"endTime\", \"status\"]\n\
         accounts = {{ hr = [] }}\n",
        sha256(&component)
    );
    host.write("rules/rules.toml", rules);
    aggregate_file(&host, "hr", "2026-03-01T08:00:00Z");
    let report = host.json(["refresh"]);
    assert_eq!(report["refreshed"], 3);
    host
}

/// Returns the tenant, with nothing aggregated yet.
pub(crate) fn small_tenant() -> TestHost {
    TestHost::with_files(FILES)
}

/// Returns the tenant with its accounts aggregated, and refreshed once.
pub(crate) fn refreshed_tenant() -> TestHost {
    let host = small_tenant();
    aggregate_all(&host, "2026-03-01T08:00:00Z");
    let report = host.json(["refresh"]);
    assert_eq!(report["refreshed"], 3);
    host
}

/// Aggregates every application's file.
pub(crate) fn aggregate_all(host: &TestHost, as_of: &str) {
    aggregate_file(host, "hr", as_of);
    aggregate_file(host, "ad", as_of);
}

/// Aggregates one application's file.
pub(crate) fn aggregate_file(host: &TestHost, application: &str, as_of: &str) {
    let folder = host.path("");
    let tenant = OpenTenant::open(Path::new(&folder), Absent::Create).expect("the tenant opens");
    let configured = tenant.adopt().expect("the configuration is adopted");
    let rules = configured.rules.as_ref();
    let model = &tenant.configuration.model;
    let name = Name::new(application);
    let application = model.application(name).expect("the application is known");
    let context = AggregateContext::new(&tenant.store, model, rules, application);
    let as_of: UnixMillis = as_of.parse().expect("an instant");
    let options = AggregateOptions {
        connector: &tenant.configuration.connectors[&name],
        directory: &folder,
        file: None,
        delta: false,
        as_of: Some(as_of),
        force: false,
        now: as_of,
        simulated_clock: true,
    };
    let report = aggregate(&context, &options, &mut |_| {}).expect("the file is aggregated");
    assert_eq!(report.aggregation.held, [""; 0]);
}
