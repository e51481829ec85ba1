//! Triggers: whom they include, what managers must be like, and when they are off.

use idr::config::sha256;

use crate::common::{TestHost, repository};
use crate::small_tenant::{aggregate_all, small_tenant};

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

#[test]
fn who_is_included_is_said_once() {
    let host = small_tenant();
    let both = "included = 'inactive == false'\nincluded_population = \"seller\"";
    host.write("triggers.toml", trigger("type = \"create\"", both));
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 2 problems
    triggers.toml:5: trigger[watch].included_population: `included` says who is included already
        hint: leave one of them out
    triggers.toml:5: trigger[watch].included_population: there is no population `seller`
        hint: define it in populations.toml
    [exit 2]
    ");
}
