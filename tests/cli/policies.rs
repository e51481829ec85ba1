//! Policies: who violates them, what they hold, and what people decide about it.

use serde_json::{Value, json};

use crate::common::TestHost;

const TENANT: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    //- applications/hr.toml
    vanish_grace = "0"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "user"
    [schema]
    user = {}
    department = {}
    groups = { type = "many", separator = "|", entitlement = true }
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- identity.toml
    [attributes.department]
    sources = [{ application = "hr", attribute = "department" }]
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- roles/roles.toml
    [[role]]
    name = "Buyer"
    type = "business"
    requires = ["Buying"]
    [[role]]
    name = "Payer"
    type = "business"
    [[role]]
    name = "Buying"
    type = "it"
    profiles = [{ application = "hr", entitlements = { groups = ["buy"] } }]
    //- feeds/hr.csv
    user,department,groups
    alice,Sales,wiki
    bob,Audit,pay|approve
    olga,Board,
"#;

const PAYMENTS: &str = r#"
[[policy]]
name = "payments"
owner = "olga"
action = "hold"
weight = 20
roles = { left = ["Buyer"], right = ["Payer"] }
"#;

fn tenant(policies: &str) -> TestHost {
    let host = TestHost::with_files(TENANT);
    host.write("policies.toml", policies);
    let report = host.json(["aggregate", "hr", "--as-of", "2026-03-01T08:00:00Z"]);
    assert_eq!(report["status"], "done");
    refresh(&host, &["--as-of", "2026-03-01T08:00:00Z"]);
    host
}

fn refresh(host: &TestHost, options: &[&str]) -> Value {
    let report = host.json(["refresh"].into_iter().chain(options.iter().copied()));
    assert_eq!(report["status"], "done");
    report
}

/// A person decides, and whoever is due is refreshed at this hour of that day in March.
fn decide(host: &TestHost, arguments: &[&str], at: &str) -> Value {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let decided = host.json(arguments.iter().copied().chain(why));
    assert!(decided.is_object());
    refresh(host, &["--as-of", &format!("2026-03-{at}:00:00Z")])
}

/// Alice is a buyer, and a day later a payer.
fn buyer_and_payer(host: &TestHost) -> Value {
    decide(host, &["role", "assign", "alice", "Buyer"], "02T08");
    decide(host, &["role", "assign", "alice", "Payer"], "03T08")
}

/// Policy, status, basis and what is held, of everybody's violations.
fn violations(host: &TestHost) -> Vec<String> {
    let rows = host.json(["policy", "violations"]);
    let rows = rows.as_array().expect("a list").clone();
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or("none").to_owned();
    rows.iter()
        .map(|row| {
            let held: Vec<&str> = row["held"]
                .as_array()
                .expect("a list")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            let [name, policy, status, basis] =
                ["name", "policy", "status", "basis"].map(|key| word(row, key));
            format!(
                "{name} {policy} {status} {basis} holds [{}]",
                held.join(", ")
            )
        })
        .collect()
}

/// The open findings, and what waits in the outbox, of whom.
fn asked(host: &TestHost) -> Vec<String> {
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or("nobody").to_owned();
    let list = |value: Value| value.as_array().expect("a list").clone();
    let findings = list(host.json(["finding", "list"]));
    let findings = findings
        .iter()
        .map(|known| format!("{}: {}", text(known, "severity"), text(known, "message")));
    let effects = list(host.json(["outbox", "list", "--waiting"]));
    let effects = effects.iter().filter(|known| known["owner"].is_string());
    let effects = effects.map(|known| format!("{} is asked", text(known, "owner")));
    findings.chain(effects).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn the_newer_of_two_roles_is_held_until_its_owner_allows_it_and_again_afterwards() {
    let host = tenant(PAYMENTS);
    buyer_and_payer(&host);
    assert_eq!(
        violations(&host),
        ["alice payments open both holds [Payer]"]
    );
    assert_eq!(
        asked(&host),
        ["warning: `Buyer` can't go with `Payer`", "olga is asked"]
    );
    let until = ["--until", "2026-03-05T17:00:00Z"];
    let allow = ["policy", "allow", "alice", "--policy", "payments"];
    decide(&host, &[&allow[..], &until[..]].concat(), "04T08");
    assert_eq!(
        violations(&host),
        ["alice payments mitigated both holds []"]
    );
    assert_eq!(asked(&host), NOTHING);
    // It ends by itself, at 17:00.
    refresh(&host, &["--as-of", "2026-03-05T16:59:59Z"]);
    assert_eq!(
        violations(&host),
        ["alice payments mitigated both holds []"]
    );
    refresh(&host, &["--as-of", "2026-03-05T17:00:00Z"]);
    assert_eq!(
        violations(&host),
        ["alice payments expired both holds [Payer]"]
    );
    assert_eq!(
        asked(&host),
        [
            "warning: `Buyer` can't go with `Payer`; it isn't allowed any more",
            "olga is asked"
        ]
    );
    // What is denied stays out, and nobody is asked again.
    decide(
        &host,
        &["policy", "deny", "alice", "--policy", "payments"],
        "06T08",
    );
    assert_eq!(
        violations(&host),
        ["alice payments denied both holds [Payer]"]
    );
    assert_eq!(
        asked(&host),
        ["warning: `Buyer` can't go with `Payer`; it was denied"]
    );
    decide(
        &host,
        &["policy", "revoke", "alice", "--policy", "payments"],
        "07T08",
    );
    assert_eq!(
        violations(&host),
        ["alice payments open both holds [Payer]"]
    );
    let since = &host.json(["policy", "violations"])[0]["since"];
    assert_eq!(*since, json!("2026-03-03T08:00:00Z"));
    decide(&host, &["role", "revoke", "alice", "Payer"], "08T08");
    assert_eq!(violations(&host), NOTHING);
    assert_eq!(asked(&host), NOTHING);
}

#[test]
fn what_is_called_for_violates_a_policy_before_it_is_there() {
    let host = tenant(
        r#"
        [[policy]]
        name = "groups"
        owner = "olga"
        action = "hold"
        severity = "access-at-risk"
        excluded = 'department == "Audit"'
        [policy.entitlements]
        left = [{ application = "hr", attribute = "groups", value = "buy" }]
        right = [
            { application = "hr", attribute = "groups", value = "wiki" },
            { application = "hr", attribute = "groups", value = "pay" },
        ]
        "#,
    );
    assert_eq!(violations(&host), NOTHING);
    // A buyer should have `buy`, and has `wiki`.
    decide(&host, &["role", "assign", "alice", "Buyer"], "02T08");
    decide(&host, &["role", "assign", "bob", "Buyer"], "02T09");
    assert_eq!(
        violations(&host),
        ["alice groups open desired holds [hr groups buy]"]
    );
    let finding = "access-at-risk: `hr groups buy` can't go with `hr groups wiki`, \
                   as they are called for";
    assert_eq!(asked(&host), [finding, "olga is asked"]);
    decide(
        &host,
        &["policy", "deny", "alice", "--policy", "groups"],
        "03T08",
    );
    // It is kept out, so nothing is wrong.
    assert_eq!(
        violations(&host),
        ["alice groups denied desired holds [hr groups buy]"]
    );
    assert_eq!(asked(&host), NOTHING);
    // Somebody gives it to her all the same.
    host.write(
        "feeds/hr.csv",
        "user,department,groups\nalice,Sales,wiki|buy\nbob,Audit,pay|approve\nolga,Board,\n",
    );
    let report = host.json(["aggregate", "hr", "--as-of", "2026-03-04T08:00:00Z"]);
    assert_eq!(report["status"], "done");
    refresh(&host, &["--as-of", "2026-03-04T08:00:00Z"]);
    assert_eq!(violations(&host), ["alice groups denied both holds []"]);
    assert_eq!(
        asked(&host),
        ["access-at-risk: `hr groups buy` can't go with `hr groups wiki`; it was denied"]
    );
}

#[test]
fn filters_accounts_and_scores_are_judged() {
    const POLICIES: &str = r#"
        [[policy]]
        name = "auditors"
        filter = 'department == "Audit" && links.groups == "pay"'
        [[policy]]
        name = "approvers"
        accounts = { application = "hr", filter = 'groups == "approve"' }
        [[policy]]
        name = "out of use"
        disabled = true
        filter = 'department.notNull()'
        "#;
    let host = tenant(POLICIES);
    let risky = "[[policy]]\nname = \"risky\"\nrisk = 13\n";
    host.write("policies.toml", format!("{POLICIES}{risky}"));
    // `risk.toml` is missing.
    let said = host.run(["check"]);
    assert!(said.contains("risk isn't scored"), "{said}");
    // Two of bob's entitlements are in no role: 2. Two violations of 10 each: 20; what
    // violates `risky` isn't counted. Of three components that is 22 / 3, that is 7.
    host.write("risk.toml", "");
    refresh(&host, &["--as-of", "2026-03-02T08:00:00Z"]);
    let expected = [
        "bob approvers open actual holds []",
        "bob auditors open actual holds []",
    ];
    assert_eq!(violations(&host), expected);
    // (10 × 2 + 20) / 3 is 13.
    let weight = "[entitlements]\ndefault = 10\n";
    host.write("risk.toml", weight);
    refresh(&host, &["--as-of", "2026-03-03T08:00:00Z"]);
    let risky = "bob risky open actual holds []";
    assert_eq!(violations(&host), [&expected[..], &[risky]].concat());
    let scorecard = &host.json(["identity", "show", "bob"])["scorecard"];
    assert_eq!(scorecard["composite"], 13);
}

#[test]
fn violations_that_are_over_stay_where_they_are_kept() {
    for (setting, left) in [
        ("", vec![]),
        (
            "keep_previous = true\n",
            vec!["alice payments over both holds []"],
        ),
    ] {
        let host = tenant(&format!("{setting}{PAYMENTS}"));
        buyer_and_payer(&host);
        assert_eq!(
            violations(&host),
            ["alice payments open both holds [Payer]"]
        );
        decide(&host, &["role", "revoke", "alice", "Payer"], "04T08");
        assert_eq!(violations(&host), left);
        assert_eq!(asked(&host), NOTHING);
        decide(&host, &["role", "assign", "alice", "Payer"], "05T08");
        assert_eq!(
            violations(&host),
            ["alice payments open both holds [Payer]"]
        );
        // The policy itself goes.
        host.write("policies.toml", setting);
        refresh(&host, &["--as-of", "2026-03-06T08:00:00Z"]);
        assert_eq!(violations(&host), left);
        let open = host.json(["policy", "violations", "--status", "open"]);
        assert_eq!(open, json!([]));
    }
}

#[test]
fn policies_that_are_not_judged_leave_whom_they_would_find_otherwise_due() {
    let auditors = "[[policy]]\nname = \"sales\"\nfilter = 'assignedRoles.notNull()'\n";
    let host = tenant(&format!("{PAYMENTS}{auditors}"));
    let why = ["--reason", "a ticket", "--actor", "dora"];
    for role in ["Buyer", "Payer"] {
        let assigned = host.json(["role", "assign", "alice", role].into_iter().chain(why));
        assert!(assigned.is_object());
    }
    let judged = |options: &[&str]| {
        refresh(&host, options);
        let due = host.json(["due"]);
        let due = due.as_array().or_else(|| due["due"].as_array());
        (violations(&host), due.expect("a list").len())
    };
    let none = judged(&["--no-policies", "--as-of", "2026-03-02T08:00:00Z"]);
    assert_eq!(none, (vec![], 1));
    let some = judged(&["--policies", "sales", "--as-of", "2026-03-02T09:00:00Z"]);
    let sales = "alice sales open actual holds []".to_owned();
    assert_eq!(some, (vec![sales.clone()], 1));
    // Both were assigned at one instant: of them the last by name is held.
    let payments = "alice payments open both holds [Payer]".to_owned();
    let all = judged(&["--as-of", "2026-03-02T10:00:00Z"]);
    assert_eq!(all, (vec![payments.clone(), sales.clone()], 0));
    // Whom nothing would change about isn't due because of it.
    let again = judged(&["--all", "--no-policies", "--as-of", "2026-03-02T11:00:00Z"]);
    assert_eq!(again, (vec![payments.clone(), sales.clone()], 0));
    // A task says the same.
    host.write(
        "tasks/some.toml",
        "version = 1\npolicies = [\"sales\"]\nall = true\n",
    );
    let by_task = judged(&["--task", "some", "--as-of", "2026-03-02T12:00:00Z"]);
    assert_eq!(by_task, (vec![payments, sales], 0));
    let unknown = host.run(["refresh", "--policies", "sale"]);
    insta::assert_snapshot!(unknown, @r"
    error: there is no policy `sale` in use
    hint: do you mean `sales`?
    [exit 2]
    ");
}

#[test]
fn a_task_that_judges_no_policies_finds_nothing() {
    let host = tenant("[[policy]]\nname = \"sales\"\nfilter = 'assignedRoles.notNull()'\n");
    for (task, setting) in [("none", "no_policies = true\n"), ("every", "")] {
        host.write(
            &format!("tasks/{task}.toml"),
            format!("version = 1\nall = true\n{setting}"),
        );
    }
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let assign = ["role", "assign", "alice", "Buyer"].into_iter().chain(why);
    assert!(host.json(assign).is_object());
    refresh(
        &host,
        &["--task", "none", "--as-of", "2026-03-02T08:00:00Z"],
    );
    assert_eq!(violations(&host), NOTHING);
    refresh(
        &host,
        &["--task", "every", "--as-of", "2026-03-02T09:00:00Z"],
    );
    assert_eq!(violations(&host), ["alice sales open actual holds []"]);
    // What was found before stays.
    refresh(
        &host,
        &["--task", "none", "--as-of", "2026-03-02T10:00:00Z"],
    );
    assert_eq!(violations(&host), ["alice sales open actual holds []"]);
}

#[test]
fn a_policy_leaves_out_whom_a_filter_or_a_population_means() {
    let of = |excluded: &str| {
        let host = TestHost::with_files(TENANT);
        let populations = "[populations.auditors]\nfilter = 'department == \"Audit\"'\n";
        host.write("populations.toml", populations);
        let policy = "[[policy]]\nname = \"p\"\nfilter = 'department.notNull()'\n";
        host.write("policies.toml", format!("{policy}{excluded}"));
        let _ = host.json(["aggregate", "hr", "--as-of", "2026-03-01T08:00:00Z"]);
        refresh(&host, &["--as-of", "2026-03-01T08:00:00Z"]);
        let names = violations(&host).into_iter();
        let names = names.map(|line| line.split(' ').next().unwrap_or_default().to_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    let board = "excluded = 'department == \"Board\"'\n";
    let auditors = "excluded_population = \"auditors\"\n";
    assert_eq!(of(""), "alice bob olga");
    assert_eq!(of(board), "alice bob");
    assert_eq!(of(auditors), "alice olga");
    assert_eq!(of(&format!("{board}{auditors}")), "alice");
}

#[test]
fn what_governance_does_is_counted() {
    let host = tenant(PAYMENTS);
    host.write("risk.toml", "");
    refresh(&host, &["--as-of", "2026-03-01T09:00:00Z"]);
    let report = buyer_and_payer(&host);
    let counted = |report: &Value| {
        let counters = &report["counters"];
        let of = [
            &counters["policies"],
            &counters["policyViolations"],
            &counters["policyNotifications"],
            &counters["scoresChanged"],
        ];
        of.map(|number| number.as_u64().unwrap_or_default())
    };
    assert_eq!(counted(&report), [1, 1, 1, 1], "{report}");
    // Nothing is new, and nobody is asked again.
    let report = refresh(&host, &["--all", "--as-of", "2026-03-03T09:00:00Z"]);
    assert_eq!(counted(&report), [1, 0, 0, 0]);
    let until = ["--until", "2026-03-05"];
    let allow = ["policy", "allow", "alice", "--policy", "payments"];
    let report = decide(&host, &[&allow[..], &until[..]].concat(), "04T08");
    assert_eq!(counted(&report), [1, 0, 0, 1]);
    let report = refresh(&host, &["--as-of", "2026-03-06T08:00:00Z"]);
    assert_eq!(counted(&report), [1, 0, 1, 1]);
}

#[test]
fn what_is_decided_is_checked_and_noted() {
    let host = tenant(PAYMENTS);
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let said = |arguments: &[&str]| host.run(arguments.iter().copied().chain(why));
    let allow = ["policy", "allow", "alice", "--policy", "payments"];
    let until = ["--until", "2026-03-05"];
    insta::assert_snapshot!(said(&[&allow[..], &until[..]].concat()), @r"
    error: `alice` doesn't violate policy `payments`
    hint: as of its last refresh it violates none
    [exit 2]
    ");
    buyer_and_payer(&host);
    insta::assert_snapshot!(said(&[&allow[..], &["--until", "2026-03-02"]].concat()), @r"
    error: `--until` has passed already
    [exit 2]
    ");
    insta::assert_snapshot!(said(&["policy", "revoke", "alice", "--policy", "payments"]), @r"
    error: nobody has decided anything about `alice` and policy `payments`
    hint: idr identity show alice lists decisions
    [exit 2]
    ");
    insta::assert_snapshot!(said(&[&allow[..], &until[..]].concat()), @r"
    that `alice` violates policy `payments` is allowed until 2026-03-06T00:00:00Z, once refreshed: idr refresh --identity alice
    [exit 0]
    ");
    insta::assert_snapshot!(said(&["policy", "deny", "alice", "--policy", "payments"]), @r"
    that `alice` violates policy `payments` is denied, once refreshed: idr refresh --identity alice
    this replaces: allowed by dora at 2026-03-03T08:00:00Z
    [exit 0]
    ");
    refresh(&host, &["--as-of", "2026-03-04T08:00:00Z"]);
    insta::assert_snapshot!(host.run(["policy", "list"]), @r"
    policy    kind   action  weight  open  mitigated  owner
    payments  roles  hold        20     1             olga
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["policy", "violations"]), @r"
    name   policy    status  what                        since
    alice  payments  denied  Buyer / Payer; holds Payer  2026-03-03T08:00:00Z
    [exit 0]
    ");
    let shown = host.run(["identity", "show", "alice"]);
    assert!(
        shown.contains("policy violations\n    payments  denied  Buyer / Payer"),
        "{shown}"
    );
    assert!(shown.contains("policy payments denied"), "{shown}");
    let audit = host.run(["audit", "list"]);
    assert!(audit.contains("deny-violation"), "{audit}");
}
