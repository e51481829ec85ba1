//! Triggers: whom they include, what managers must be like, and when they are off.

use idr::config::sha256;

use crate::common::{TestHost, repository};
use crate::small_tenant::{aggregate_all, dated_tenant, small_tenant};

/// The small tenant with these triggers, in which carol's manager and bob's
/// department have changed; returns it with the events of that.
fn events(triggers: &str) -> Vec<String> {
    let host = small_tenant();
    events_in(&host, triggers);
    listed(&host)
}

fn events_in(host: &TestHost, triggers: &str) {
    host.write("triggers.toml", triggers);
    host.write(
        "populations.toml",
        "[populations.sellers]\nfilter = 'department == \"Sales\"'\n",
    );
    aggregate_all(host, "2026-03-01T08:00:00Z");
    let first = host.json(["refresh"]);
    assert_eq!(first["refreshed"], 3);
    host.write(
        "feeds/hr.csv",
        "id,user,name,department,salary,supervisor\n\
         1,alice,Alice Ames,Support,70000,\n\
         2,bob,Bob Beck,Sales,60000,carol\n\
         3,carol,Carol Cole,Sales,80000,\n",
    );
    aggregate_all(host, "2026-03-02T08:00:00Z");
    let second = host.json(["refresh", "--as-of", "2026-03-02T08:00:00Z"]);
    assert_eq!(second["status"], "done");
}

fn listed(host: &TestHost) -> Vec<String> {
    let events = host.json(["event", "list"]);
    let events = events.as_array().expect("a list").iter();
    let mut names: Vec<String> = events
        .map(|event| event["name"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

fn trigger(condition: &str, more: &str) -> String {
    format!("[[trigger]]\nname = \"watch\"\non = [{{ {condition} }}]\n{more}\n")
}

#[test]
fn only_the_members_of_a_population_may_be_included() {
    let moved = "type = \"attribute-change\", attribute = \"department\"";
    assert_eq!(events(&trigger(moved, "")), ["alice", "carol"]);
    let sellers = "included_population = \"sellers\"";
    assert_eq!(events(&trigger(moved, sellers)), ["carol"]);
}

/// Alice goes from Sales to Support, Carol from Engineering to Sales.
#[test]
fn whom_a_trigger_includes_is_asked_of_them_as_they_are_and_as_they_were() {
    let moved = "type = \"attribute-change\", attribute = \"department\"";
    assert_eq!(events(&trigger(moved, "")), ["alice", "carol"]);
    let now = "included = 'department == \"Sales\"'";
    assert_eq!(events(&trigger(moved, now)), ["carol"]);
    let now = "included = 'assignedRoles.name == \"Sales\"'";
    assert_eq!(events(&trigger(moved, now)), ["carol"]);
    let before = "included_before = 'department == \"Sales\"'";
    assert_eq!(events(&trigger(moved, before)), ["alice"]);
    let both =
        "included = 'department == \"Support\"'\nincluded_before = 'department == \"Sales\"'";
    assert_eq!(events(&trigger(moved, both)), ["alice"]);
}

#[test]
fn whom_a_trigger_includes_may_be_said_as_a_match_list() {
    let moved = "type = \"attribute-change\", attribute = \"department\"";
    let matching = |list: &str| events(&trigger(moved, &format!("included_match = {{ {list} }}")));
    assert_eq!(matching("inactive = false"), ["alice", "carol"]);
    assert_eq!(matching("department = \"Sales\""), ["carol"]);
    let either = "department = [\"Sales\", \"Support\", 'a \"b\\c']";
    assert_eq!(matching(either), ["alice", "carol"]);
    assert_eq!(matching("department = \"Sales\", salary = 70000"), [""; 0]);
    assert_eq!(
        matching("department = \"Support\", salary = 70000"),
        ["alice"]
    );
    assert_eq!(matching("department = \"sales\""), [""; 0]);
}

/// The rule reads in the candidate's name, here the trigger's, for whom it is.
#[test]
fn a_rule_may_say_whom_a_trigger_is_about() {
    let watched = |name: &str| {
        let host = small_tenant();
        let path = "rules-examples/rust/role-assignment/role-assignment.wasm";
        let component = std::fs::read(repository().join(path)).expect("the example is there");
        host.write("rules/about.wasm", &component);
        host.write(
            "rules/rules.toml",
            format!(
                "[rules.about]\ncomponent = \"about.wasm\"\nsha256 = \"{}\"\n\
                 [rules.about.reads]\nattributes = [\"department\"]\n",
                sha256(&component)
            ),
        );
        let triggers = format!(
            "[[trigger]]\nname = \"{name}\"\n\
             on = [{{ type = \"attribute-change\", attribute = \"department\" }}]\n\
             included_rule = \"about\"\n"
        );
        events_in(&host, &triggers);
        (listed(&host), host.json(["finding", "list"]))
    };
    let (events, findings) = watched("Department: Sales");
    assert_eq!(events, ["carol"]);
    assert_eq!(findings, serde_json::json!([]));
    let (events, findings) = watched("Department: Support");
    assert_eq!(events, ["alice"]);
    assert_eq!(findings, serde_json::json!([]));
    let (events, findings) = watched("Everybody");
    assert_eq!(events, [""; 0]);
    let of = &findings[0];
    assert_eq!(of["cause"], "cannot-tell");
    assert_eq!(of["message"], "`Everybody` is no condition");
}

#[test]
fn a_manager_transfer_may_be_told_by_the_managers() {
    let transfer = |more: &str| trigger(&format!("type = \"manager-transfer\"{more}"), "");
    assert_eq!(events(&transfer("")), ["bob", "carol"]);
    assert_eq!(events(&transfer(", new = 'value.notNull()'")), ["bob"]);
    assert_eq!(
        events(&transfer(", old = 'value == \"alice\"'")),
        ["bob", "carol"]
    );
    assert_eq!(events(&transfer(", old = 'value == \"bob\"'")), [""; 0]);
}

#[test]
fn a_disabled_trigger_never_fires_and_starts_from_the_present() {
    let moved = "type = \"attribute-change\", attribute = \"department\"";
    assert_eq!(events(&trigger(moved, "disabled = true")), [""; 0]);
}

/// What changed while it was disabled is never an event.
#[test]
fn a_trigger_that_is_enabled_again_starts_from_the_present() {
    let moved = "type = \"attribute-change\", attribute = \"department\"";
    let host = small_tenant();
    events_in(&host, &trigger(moved, "disabled = true"));
    host.write("triggers.toml", trigger(moved, "disabled = false"));
    let run = host.json(["refresh", "--all", "--as-of", "2026-03-03T08:00:00Z"]);
    assert_eq!(run["events"], serde_json::json!({}));
    let feed = host.read("feeds/hr.csv");
    host.write("feeds/hr.csv", feed.replace("Beck,Sales", "Beck,Research"));
    aggregate_all(&host, "2026-03-04T08:00:00Z");
    let run = host.json(["refresh", "--as-of", "2026-03-04T08:00:00Z"]);
    assert_eq!(run["events"]["watch"], 1);
    assert_eq!(listed(&host), ["bob"]);
}

#[test]
fn a_native_change_is_an_event_where_it_is_recorded() {
    let watched = |application: &str, recorded: &str| {
        let host = small_tenant();
        for (name, recorded) in [("hr", recorded), ("ad", "")] {
            let file = format!("applications/{name}.toml");
            let text = host.read(&file);
            host.write(&file, format!("{text}[native_changes]\n{recorded}\n"));
        }
        let condition = format!("type = \"native-change\"{application}");
        events_in(&host, &trigger(&condition, ""));
        listed(&host)
    };
    // The file has another department or supervisor for each of them.
    assert_eq!(watched("", ""), ["alice", "bob", "carol"]);
    let hr = ", application = \"hr\"";
    assert_eq!(watched(hr, ""), ["alice", "bob", "carol"]);
    assert_eq!(watched(", application = \"ad\"", ""), [""; 0]);
    let department = "attributes = [\"department\"]";
    assert_eq!(watched(hr, department), ["alice", "carol"]);
    assert_eq!(watched(hr, "operations = [\"delete\"]"), [""; 0]);
}

/// Puts the example of a trigger rule into the tenant, as `watcher`.
fn with_rule(host: &TestHost, reads: &str, parameters: &str) {
    let path = "rules-examples/rust/identity-trigger/identity-trigger.wasm";
    let component = std::fs::read(repository().join(path)).expect("the example is there");
    host.write("rules/watcher.wasm", &component);
    let known = match host.path("rules/rules.toml").exists() {
        true => host.read("rules/rules.toml"),
        false => String::new(),
    };
    host.write(
        "rules/rules.toml",
        format!(
            "{known}[rules.watcher]\ncomponent = \"watcher.wasm\"\nsha256 = \"{}\"\n\
             reads = {{ attributes = [\"{reads}\"] }}\nparameters = {{ {parameters} }}\n",
            sha256(&component)
        ),
    );
}

#[test]
fn a_rule_may_say_when_a_trigger_fires() {
    let fired = |role: &str| {
        let host = small_tenant();
        with_rule(&host, "department", &format!("role = \"{role}\""));
        events_in(
            &host,
            "[[trigger]]\nname = \"department-moved-with-role\"\n\
             on = [{ type = \"rule\", rule = \"watcher\" }]\n",
        );
        assert_eq!(host.json(["finding", "list"]), serde_json::json!([]));
        listed(&host)
    };
    // Of the two that have moved, Alice had the role.
    assert_eq!(fired("Sales"), ["alice"]);
    assert_eq!(fired("CRM user"), [""; 0]);
}

/// It fires once, at the moment at which its answer changes.
#[test]
fn a_rule_that_asks_for_a_moment_fires_when_it_has_come() {
    let host = dated_tenant();
    with_rule(&host, "endDate", "days = 14");
    host.write(
        "triggers.toml",
        "[[trigger]]\nname = \"ends-soon\"\non = [{ type = \"rule\", rule = \"watcher\" }]\n",
    );
    let at = |as_of: &str| {
        let run = host.json(["refresh", "--as-of", as_of]);
        assert_eq!(run["status"], "done");
        listed(&host)
    };
    assert_eq!(at("2026-03-02T08:00:00Z"), [""; 0]);
    assert_eq!(at("2026-03-16T22:59:59Z"), [""; 0]);
    assert_eq!(at("2026-03-16T23:00:00Z"), ["alice"]);
    assert_eq!(at("2026-03-20T08:00:00Z"), ["alice", "bob"]);
    assert_eq!(at("2026-03-25T08:00:00Z"), ["alice", "bob"]);
}

#[test]
fn what_handlers_are_to_do_is_recorded_with_the_event() {
    let moved = "type = \"attribute-change\", attribute = \"department\"";
    let effects = |handlers: &str| {
        let host = small_tenant();
        let step = "{ type = \"work-item\", owner = \"manager\", description = \"Look\" }";
        let workflow = format!("[[workflow]]\nname = \"Mover\"\nsteps = [{step}]\n");
        host.write("workflows.toml", workflow);
        events_in(&host, &trigger(moved, handlers));
        let effects = host.json(["outbox", "list", "--identity", "alice"]);
        let effects = effects.as_array().expect("a list").clone();
        let mut effects: Vec<String> = effects
            .iter()
            .map(|effect| {
                assert_eq!(effect["kind"], "handler");
                assert_eq!(
                    (&effect["trigger"], &effect["sequence"]),
                    (&"watch".into(), &1.into())
                );
                assert_eq!(effect["status"], "waiting");
                assert_eq!(effect["effective_at"], "2026-03-02T08:00:00Z");
                effect["handler"].as_str().expect("a text").to_owned()
            })
            .collect();
        effects.sort();
        effects
    };
    assert_eq!(effects(""), [""; 0]);
    let handlers = "handlers = [\n\
        { type = \"webhook\", url = \"https://hooks.example/moved\" },\n\
        { type = \"work-item\", owner = \"identity\", description = \"Hand over\" },\n\
        { type = \"work-item\", owner = \"dora\", description = \"Move the desk\" },\n\
        { type = \"workflow\", name = \"Mover\" },\n]";
    assert_eq!(
        effects(handlers),
        [
            "webhook https://hooks.example/moved",
            "work item for dora: Move the desk",
            "work item for identity: Hand over",
            "workflow Mover",
        ]
    );
}

#[test]
fn who_is_included_is_said_once() {
    let host = small_tenant();
    let both = "included = 'inactive == false'\nincluded_population = \"seller\"\n\
                included_match = { inactive = false }";
    host.write("triggers.toml", trigger("type = \"create\"", both));
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 3 problems
    triggers.toml:5: trigger[watch].included_population: `included` says who is included already
        hint: leave one of them out
    triggers.toml:5: trigger[watch].included_population: there is no population `seller`
        hint: define it in populations.toml
    triggers.toml:6: trigger[watch].included_match: `included` says who is included already
        hint: leave one of them out
    [exit 2]
    ");
}
