//! `identity`: list, show, edit, explain.

use crate::small_tenant::{aggregate_file, refreshed_tenant, small_tenant};

#[test]
fn identities_are_listed_and_filtered() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["identity", "list"]), @r"
    name   type    lifecycle state  roles  findings
    alice  person  active           Sales
    bob    person  active           Sales
    carol  person  active
    [exit 0]
    ");
    insta::assert_snapshot!(
        host.run(["identity", "list", "--filter", r#"department == "Sales" && manager.displayName == "Alice Ames""#]),
        @r"
    name  type    lifecycle state  roles  findings
    bob   person  active           Sales
    [exit 0]
    "
    );
    insta::assert_snapshot!(
        host.run(["identity", "list", "--filter", r#"assignedRoles == "Sales""#, "--limit", "1", "--json"]),
        @r#"
    [
      {
        "name": "alice",
        "uid": 1,
        "type": "person",
        "lifecycle_state": "active",
        "inactive": false,
        "assigned_roles": [
          "Sales"
        ],
        "open_findings": 0,
        "state_override": null
      }
    ]
    [exit 0]
    "#
    );
    insta::assert_snapshot!(host.run(["identity", "list", "--filter", "departmnt.isNull()"]), @r"
    error: there is no identity attribute `departmnt`
    hint: write `department`
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["identity", "list", "--filter", "department = 1"]), @r"
    error: column 12: expected an operator such as `==` or a method such as `.isNull()`, found `=`
    hint: did you mean `==`?
    [exit 2]
    ");
}

#[test]
fn an_identity_is_shown_with_reasons() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["identity", "show", "alice"]), @r"
    alice (person, uid 1)
      lifecycle state  active since 2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)
      manager          none
      manages          2 identities
      wakes up         never
      attributes
        department   Sales        hr department
        displayName  Alice Ames   hr name
        salary       (sensitive)  hr salary
      accounts
        ad  cn=alice  enabled  correlated
        hr  1         enabled  created
      assigned roles
        Sales  2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)
      detected roles
        CRM user  ad cn=alice
      entitlements
        ad cn=alice  groups crm   CRM user, for Sales (assignment)
        ad cn=alice  groups wiki  additional
    [exit 0]
    ");
    let shown = host.json(["identity", "show", "alice"]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&shown).expect("JSON"), @r#"
    {
      "account_actions": [],
      "accounts": [
        {
          "application": "ad",
          "attributes": {
            "groups": [
              "crm",
              "wiki"
            ],
            "owner": "alice"
          },
          "link": "correlated",
          "missing_since": null,
          "native_identity": "cn=alice",
          "status": "enabled"
        },
        {
          "application": "hr",
          "attributes": {
            "department": "Sales",
            "name": "Alice Ames",
            "salary": 70000,
            "user": "alice"
          },
          "link": "created",
          "missing_since": null,
          "native_identity": "1",
          "status": "enabled"
        }
      ],
      "additional_entitlements": [
        {
          "application": "ad",
          "attribute": "groups",
          "native_identity": "cn=alice",
          "value": "wiki"
        }
      ],
      "assigned_roles": [
        "Sales"
      ],
      "attributes": {
        "department": "Sales",
        "displayName": "Alice Ames",
        "salary": 70000
      },
      "detected_roles": [
        "CRM user"
      ],
      "edits": [],
      "entitlement_decisions": [],
      "entitlements": [
        {
          "aggregation_state": "connected",
          "application": "ad",
          "assigned_roles": [
            {
              "reason": "assignment",
              "role": "Sales"
            }
          ],
          "attribute": "groups",
          "detected_roles": [
            "CRM user"
          ],
          "native_change": null,
          "native_change_at": null,
          "native_identity": "cn=alice",
          "status": "present",
          "undecided": false,
          "value": "crm"
        },
        {
          "aggregation_state": "connected",
          "application": "ad",
          "assigned_roles": [],
          "attribute": "groups",
          "detected_roles": [],
          "native_change": null,
          "native_change_at": null,
          "native_identity": "cn=alice",
          "status": "present",
          "undecided": false,
          "value": "wiki"
        }
      ],
      "failed_attempts": 0,
      "findings": [],
      "inactive": false,
      "inputs_changed": false,
      "lifecycle_since": "2026-03-01T08:00:00Z",
      "lifecycle_state": "active",
      "manager": null,
      "name": "alice",
      "owns": [],
      "policy_decisions": [],
      "reports": 2,
      "retry_at": null,
      "role_decisions": [],
      "role_metadata": [
        {
          "assigned": null,
          "detected": true,
          "exception": false,
          "missing": [],
          "permits": [],
          "role": "CRM user"
        },
        {
          "assigned": "rule",
          "detected": false,
          "exception": false,
          "missing": [],
          "permits": [],
          "role": "Sales"
        }
      ],
      "scorecard": null,
      "state_override": null,
      "type": "person",
      "uid": 1,
      "violations": [],
      "wake_at": null,
      "work_items": []
    }
    "#);
    assert!(
        host.run(["identity", "show", "bob", "--show-sensitive"])
            .contains("60000")
    );
    insta::assert_snapshot!(host.run(["identity", "show", "nobody"]), @r"
    error: there is no identity `nobody`
    hint: see `idr identity list`
    [exit 2]
    ");
}

#[test]
fn edits_stay_as_long_as_their_mode_says() {
    let host = refreshed_tenant();
    let person = ["--reason", "on loan", "--actor", "mia"];
    let edit = |arguments: &[&'static str]| {
        host.run(
            ["identity", "edit"]
                .into_iter()
                .chain(arguments.iter().copied())
                .chain(person),
        )
    };
    let department = || {
        let refreshed = host.json(["refresh"]);
        assert_eq!(refreshed["status"], "done");
        host.json(["identity", "show", "bob"])["attributes"]["department"].clone()
    };
    insta::assert_snapshot!(edit(&["bob", "department", "Engineering"]), @r"
    `department` of `bob` is `Engineering` from the next refresh on: idr refresh --identity bob
    [exit 0]
    ");
    assert_eq!(department(), "Engineering");
    insta::assert_snapshot!(host.run(["identity", "show", "bob"]), @r"
    bob (person, uid 2)
      lifecycle state  active since 2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)
      manager          alice
      wakes up         never
      attributes
        department   Engineering  edited by hand
        displayName  Bob Beck     hr name
        salary       (sensitive)  hr salary
      by hand
        department edited  by mia at 2026-03-01T08:00:00Z  on loan
      accounts
        ad  cn=bob  enabled  correlated
        hr  2       enabled  created
      entitlements
        ad cn=bob  groups wiki  additional
      latest events
        2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)  mover  bob
            department: Sales -> Engineering
            role Sales: lost
    [exit 0]
    ");
    insta::assert_snapshot!(edit(&["bob", "department", "Research"]), @r"
    `department` of `bob` is `Research` from the next refresh on: idr refresh --identity bob
    [exit 0]
    ");
    assert_eq!(department(), "Research");

    let feed = host.read("feeds/hr.csv");
    host.write(
        "feeds/hr.csv",
        feed.replace("Bob Beck,Sales", "Bob Beck,Support"),
    );
    aggregate_file(&host, "hr", "2026-03-03T08:00:00Z");
    assert_eq!(department(), "Support");

    assert_eq!(edit(&["bob", "department", "--clear"]).lines().count(), 2);
    assert_eq!(department(), serde_json::Value::Null);
    assert_eq!(
        edit(&["bob", "department", "--take-back"]).lines().count(),
        2
    );
    assert_eq!(department(), "Support");
    insta::assert_snapshot!(edit(&["bob", "department", "--take-back"]), @r"
    error: `department` of `bob` is not edited
    [exit 2]
    ");
    insta::assert_snapshot!(edit(&["bob", "nicknames", "Bobby", "Rob"]), @r"
    `nicknames` of `bob` is `Bobby, Rob` from the next refresh on: idr refresh --identity bob
    [exit 0]
    ");
    insta::assert_snapshot!(edit(&["bob", "displayName", "Bobby"]), @r"
    error: `displayName` is read-only
    hint: set its `edit_mode` in identity.toml to `permanent` or `until-feed-changes`
    [exit 2]
    ");
    insta::assert_snapshot!(edit(&["bob", "departmnt", "Sales"]), @r"
    error: there is no identity attribute `departmnt`
    hint: do you mean `department`?
    [exit 2]
    ");
    insta::assert_snapshot!(edit(&["bob", "department", "Sales", "Support"]), @r"
    error: `department` has one text as its value
    [exit 2]
    ");
}

#[test]
fn everything_that_was_read_is_explained() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["identity", "explain", "bob"]), @r"
    bob at 2026-03-01T08:00:00Z
      reads
        hr department        Sales
        hr name              Bob Beck
        hr salary            (sensitive)
        hr supervisor        alice
        whose name is alice  1 found
        department           Sales
      a refresh would change nothing
    [exit 0]
    ");
}

#[test]
fn without_a_store_there_is_a_hint() {
    let host = small_tenant();
    insta::assert_snapshot!(host.run(["identity", "list"]), @r"
    error: there is no store at `./state/idr.db`
    hint: `idr aggregate` makes it; or give the tenant's folder with `--tenant DIR`
    [exit 3]
    ");
}
