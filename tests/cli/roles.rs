//! Roles of all types: what they inherit, require and permit, when they are in
//! use, what is detected, and what comes of it.

use crate::common::TestHost;
use crate::small_tenant::{aggregate_all, refreshed_tenant, small_tenant};

/// The small tenant with other roles, aggregated and refreshed.
fn with_roles(roles: &str) -> TestHost {
    let host = small_tenant();
    host.write("roles/roles.toml", roles);
    aggregate_all(&host, "2026-03-01T08:00:00Z");
    let _ = host.json(["refresh"]);
    host
}

fn shown(host: &TestHost, name: &str, list: &str) -> Vec<String> {
    let shown = host.json(["identity", "show", name]);
    let roles = shown[list].as_array().expect("a list");
    let names = roles.iter().filter_map(|role| role.as_str());
    names.map(str::to_owned).collect()
}

const CRM: &str = r#"
    [[role]]
    name = "CRM user"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["crm"] } }]
"#;

#[test]
fn a_profile_may_ask_for_more_than_entitlements() {
    let detected = |profile: &str| {
        let host = with_roles(&format!(
            "[[role]]\nname = \"Reader\"\ntype = \"it\"\n\
             profiles = [{{ application = \"ad\", {profile} }}]\n"
        ));
        let people = ["alice", "bob", "carol"].into_iter();
        let holding = people.filter(|name| !shown(&host, name, "detected_roles").is_empty());
        holding.collect::<Vec<_>>()
    };
    let wiki = "entitlements = { groups = [\"wiki\"] }";
    assert_eq!(detected(wiki), ["alice", "bob"]);
    let of_bob = format!("{wiki}, filter = 'owner == \"bob\"'");
    assert_eq!(detected(&of_bob), ["bob"]);
    let named = |name: &str| format!("filter = 'nativeIdentity {name} && status == \"enabled\"'");
    assert_eq!(detected(&named("i== \"CN=ALICE\"")), ["alice"]);
    assert_eq!(detected(&named("== \"CN=ALICE\"")), [""; 0]);
    let host = small_tenant();
    host.write(
        "roles/roles.toml",
        "[[role]]\nname = \"Reader\"\ntype = \"it\"\n\
         profiles = [{ application = \"ad\", filter = 'ownr.notNull()' }]\n",
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    roles/roles.toml:4: role[Reader].profiles[0].filter: column 1: accounts in `ad` have no attribute `ownr`
        hint: write `owner`
    [exit 2]
    ");
}

#[test]
fn a_role_has_what_it_inherits() {
    let host = with_roles(&format!(
        r#"
        {CRM}
        [[role]]
        name = "Everybody at a desk"
        type = "organizational"
        inherits = ["Base"]
        [[role]]
        name = "Base"
        type = "business"
        requires = ["CRM user"]
        [[role]]
        name = "Sales"
        type = "business"
        inherits = ["Everybody at a desk"]
        selector = {{ match = {{ department = "Sales" }} }}
        "#
    ));
    // Bob has no CRM account, which Sales has from Base.
    insta::assert_snapshot!(host.run(["role", "list"]), @r"
    role                 type            assigned  detected  missing  exceptions
    Base                 business
    CRM user             it                               1
    Everybody at a desk  organizational
    Sales                business               2                  1
    [exit 0]
    ");
    assert_eq!(shown(&host, "bob", "assigned_roles"), ["Sales"]);
}

#[test]
fn a_permitted_role_is_assigned_within_the_one_that_permits_it() {
    let host = with_roles(&format!(
        r#"
        {CRM}
        [[role]]
        name = "Sales"
        type = "business"
        permits = ["CRM user"]
        selector = {{ match = {{ department = "Sales" }} }}
        [[role]]
        name = "Engineer"
        type = "business"
        "#
    ));
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let assign = |name: &'static str, more: &[&'static str]| {
        let command = ["role", "assign", name, "CRM user"];
        host.run(command.into_iter().chain(more.iter().copied()).chain(why))
    };
    insta::assert_snapshot!(assign("bob", &[]), @r"
    error: nobody assigns roles of type `it` such as `CRM user`
    hint: assign a role that requires it, or assign it `--within` one that permits it
    [exit 2]
    ");
    insta::assert_snapshot!(assign("bob", &["--within", "Engineer"]), @r"
    error: role `Engineer` doesn't permit `CRM user`
    hint: it permits none; list them in its `permits`
    [exit 2]
    ");
    let account = ["--account", "ad", "cn=alice"];
    insta::assert_snapshot!(assign("bob", &[&["--within", "Sales"][..], &account].concat()), @r"
    error: `bob` has no account `cn=alice` in `ad`
    hint: idr identity show bob lists them
    [exit 2]
    ");
    let account = ["--account", "ad", "cn=bob"];
    insta::assert_snapshot!(assign("bob", &[&["--within", "Sales"][..], &account].concat()), @r"
    role `CRM user` of `bob` is assigned, once refreshed: idr refresh --identity bob
    [exit 0]
    ");
    let _ = host.json(["refresh"]);
    let bob = host.json(["identity", "show", "bob"]);
    insta::assert_snapshot!(bob["role_metadata"], @r#"[{"assigned":"rule","detected":false,"exception":false,"missing":["CRM user"],"permits":["CRM user"],"role":"Sales"}]"#);
    // Whoever isn't in sales any more has nothing that it permits.
    host.write(
        "feeds/hr.csv",
        "id,user,name,department,salary,supervisor\n2,bob,Bob Beck,Support,1,\n",
    );
    let _ = host.json(["aggregate", "hr", "--as-of", "2026-03-02T08:00:00Z"]);
    let _ = host.json(["refresh"]);
    let bob = host.json(["identity", "show", "bob"]);
    assert_eq!(bob["role_metadata"], serde_json::json!([]));
}

/// The role was assigned by itself, and within another one for an account.
#[test]
fn some_of_what_was_decided_about_a_role_may_be_taken_back() {
    let decided = || {
        let host = with_roles(
            r#"
            [types.own]
            manual = true
            permitted = true
            [[role]]
            name = "Badge"
            type = "own"
            [[role]]
            name = "Sales"
            type = "business"
            permits = ["Badge"]
            selector = { match = { department = "Sales" } }
            "#,
        );
        let within = ["--within", "Sales", "--account", "ad", "cn=bob"];
        for more in [&[][..], &within] {
            let command = [
                "role", "assign", "bob", "Badge", "--reason", "a ticket", "--actor", "dora",
            ];
            let said = host.run(command.into_iter().chain(more.iter().copied()));
            assert!(said.ends_with("[exit 0]"), "{said}");
        }
        let deny = [
            "role", "deny", "bob", "Badge", "--reason", "a ticket", "--actor", "dora",
        ];
        assert!(host.run(deny).ends_with("[exit 0]"));
        host
    };
    let revoke = |host: &TestHost, more: &[&str]| {
        let command = [
            "role", "revoke", "bob", "Badge", "--reason", "a ticket", "--actor", "dora",
        ];
        host.run(command.into_iter().chain(more.iter().copied()))
    };
    let left = |host: &TestHost| {
        let shown = host.json(["identity", "show", "bob"]);
        let decisions = shown["role_decisions"].as_array().expect("a list").clone();
        let spoken = decisions
            .iter()
            .map(|known| format!("{} {}", known["verdict"], known["within"]).replace('"', ""));
        spoken.collect::<Vec<_>>()
    };
    let host = decided();
    assert_eq!(
        left(&host),
        ["assigned null", "assigned Sales", "denied null"]
    );
    let all = revoke(&host, &[]);
    assert!(all.ends_with("[exit 0]"), "{all}");
    assert_eq!(left(&host), [""; 0]);
    let host = decided();
    insta::assert_snapshot!(revoke(&host, &["--within", "Engineer"]), @r"
    error: nobody has decided anything about role `Badge` of `bob` within `Engineer`
    hint: it is assigned by dora at 2026-03-01T08:00:00Z, and assigned within `Sales` by dora at 2026-03-01T08:00:00Z, and denied by dora at 2026-03-01T08:00:00Z
    [exit 2]
    ");
    insta::assert_snapshot!(revoke(&host, &["--account", "ad", "cn=alice"]), @r"
    error: nobody has decided anything about role `Badge` of `bob` for `ad cn=alice`
    hint: it is assigned by dora at 2026-03-01T08:00:00Z, and assigned within `Sales` by dora at 2026-03-01T08:00:00Z, and denied by dora at 2026-03-01T08:00:00Z
    [exit 2]
    ");
    assert_eq!(left(&host).len(), 3);
    insta::assert_snapshot!(revoke(&host, &["--within", "Sales"]), @r"
    role `Badge` of `bob` is revoked, once refreshed: idr refresh --identity bob
    it is no longer assigned within `Sales` by dora at 2026-03-01T08:00:00Z
    [exit 0]
    ");
    assert_eq!(left(&host), ["assigned null", "denied null"]);
    let host = decided();
    let said = revoke(&host, &["--account", "ad", "cn=bob"]);
    assert!(said.ends_with("[exit 0]"), "{said}");
    assert_eq!(left(&host), ["assigned null", "denied null"]);
    let help = host.run(["role", "deny", "--help"]);
    assert!(help.contains("there is no `--account`"), "{help}");
}

#[test]
fn a_type_of_ones_own_says_what_may_be_done_with_its_roles() {
    let types = r#"
        [types.birthright]
        selector = true
        requirements = true
    "#;
    let roles = |role: &str| {
        format!("{types}{CRM}[[role]]\nname = \"Badge\"\ntype = \"birthright\"\n{role}")
    };
    let host = with_roles(&roles(
        "requires = [\"CRM user\"]\nselector = { filter = 'name.notNull()' }\n",
    ));
    assert_eq!(shown(&host, "carol", "assigned_roles"), ["Badge"]);
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let assign = host.run(["role", "assign", "carol", "Badge"].into_iter().chain(why));
    insta::assert_snapshot!(assign, @r"
    error: nobody assigns roles of type `birthright` such as `Badge`
    hint: assign a role that requires it, or assign it `--within` one that permits it
    [exit 2]
    ");
    let profiles = "profiles = [{ application = \"ad\", entitlements = { groups = [\"x\"] } }]\n";
    host.write(
        "roles/roles.toml",
        roles(&format!("permits = [\"CRM user\"]\n{profiles}")),
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 2 problems
    roles/roles.toml:13: role[Badge].permits: a role of type `birthright` has no `permits`
        hint: let a business role permit each of them
    roles/roles.toml:14: role[Badge].profiles: a role of type `birthright` has no `profiles`
        hint: move them to an IT role, and let this one require it
    [exit 2]
    ");
    host.write(
        "roles/roles.toml",
        "[types.business]\n[types.odd]\ndetection = \"allways\"\n[[role]]\nname = \"a\"\ntype = \"od\"\n",
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 3 problems
    roles/roles.toml:1: types.business: the type `business` is built in
        hint: give yours another name
    roles/roles.toml:3: types.odd.detection: `allways` is not known here
        hint: write `always`
    roles/roles.toml:6: role[a].type: there is no type of role `od`
        hint: write `odd`
    [exit 2]
    ");
}

#[test]
fn detection_may_be_left_to_roles_that_are_called_for() {
    let with = |detection: &str, requires: &str| {
        let host = with_roles(&format!(
            r#"
            [types.application]
            profiles = true
            required = true
            detection = "{detection}"
            [[role]]
            name = "CRM user"
            type = "application"
            profiles = [{{ application = "ad", entitlements = {{ groups = ["crm"] }} }}]
            [[role]]
            name = "Sales"
            type = "business"
            requires = [{requires}]
            selector = {{ match = {{ department = "Sales" }} }}
            "#
        ));
        shown(&host, "alice", "detected_roles")
    };
    assert_eq!(with("always", ""), ["CRM user"]);
    assert_eq!(with("if-assigned", ""), [""; 0]);
    assert_eq!(with("if-assigned", "\"CRM user\""), ["CRM user"]);
    assert_eq!(with("never", "\"CRM user\""), [""; 0]);
}

/// Each flag of a type, with and without.
#[test]
fn what_a_type_of_ones_own_allows_is_allowed() {
    let roles = |flags: &str| {
        format!(
            r#"
            [types.own]
            {flags}
            [[role]]
            name = "Badge"
            type = "own"
            [[role]]
            name = "Sales"
            type = "business"
            selector = {{ match = {{ department = "Sales" }} }}
            "#
        )
    };
    let assign = |flags: &str, more: &[&'static str]| {
        let host = with_roles(&(roles(flags) + "permits = [\"Badge\"]\n"));
        let command = ["role", "assign", "bob", "Badge", "--reason", "a ticket"];
        let said = host.run(command.into_iter().chain(more.iter().copied()));
        assert!(said.ends_with("[exit 0]"), "{said}");
        let _ = host.json(["refresh"]);
        (
            shown(&host, "bob", "assigned_roles"),
            host.json(["identity", "show", "bob"])["role_metadata"][0]["permits"].clone(),
        )
    };
    let (assigned, _) = assign("manual = true\npermitted = true", &[]);
    assert_eq!(assigned, ["Badge", "Sales"]);
    let (assigned, permits) = assign("permitted = true", &["--within", "Sales"]);
    assert_eq!(assigned, ["Sales"]);
    assert_eq!(permits, serde_json::json!(["Badge"]));
    let host = with_roles(&roles("permitted = true"));
    insta::assert_snapshot!(host.run(["role", "assign", "bob", "Badge", "--reason", "a ticket"]), @r"
    error: nobody assigns roles of type `own` such as `Badge`
    hint: assign a role that requires it, or assign it `--within` one that permits it
    [exit 2]
    ");
    let check = |flags: &str, relation: &str| {
        let host = small_tenant();
        host.write("roles/roles.toml", roles(flags) + relation);
        host.run(["check"])
    };
    for (flag, relation) in [
        ("permitted = true", "permits = [\"Badge\"]\n"),
        ("required = true", "requires = [\"Badge\"]\n"),
    ] {
        let said = check(flag, relation);
        assert!(said.ends_with("[exit 0]"), "{said}");
    }
    insta::assert_snapshot!(check("", "permits = [\"Badge\"]\n"), @r"
    error: the configuration has 1 problem
    roles/roles.toml:11: role[Sales].permits[0]: `Badge` is of type `own`, which can't be permitted
        hint: name an IT role; inherit from this one to have what it has
    [exit 2]
    ");
    insta::assert_snapshot!(check("required = false", "requires = [\"Badge\"]\n"), @r"
    error: the configuration has 1 problem
    roles/roles.toml:11: role[Sales].requires[0]: `Badge` is of type `own`, which can't be required
        hint: name an IT role; inherit from this one to have what it has
    [exit 2]
    ");
}

/// Whoever is in the state has the role and what it requires, denied or not.
#[test]
fn a_lifecycle_state_gives_roles() {
    let with = |state: &str| {
        let host = small_tenant();
        let base = "[[role]]\nname = \"Base\"\ntype = \"business\"\nrequires = [\"CRM user\"]\n";
        host.write("roles/roles.toml", format!("{CRM}{base}"));
        let lifecycle = host.read("lifecycle.toml");
        host.write("lifecycle.toml", lifecycle + state);
        aggregate_all(&host, "2026-03-01T08:00:00Z");
        let deny = ["role", "deny", "alice", "Base", "--reason", "a ticket"];
        assert!(host.run(deny).ends_with("[exit 0]"));
        let _ = host.json(["refresh"]);
        let text = host.run(["identity", "show", "alice"]);
        let ledger = text.split_once("  entitlements\n").expect("a ledger").1;
        let line = ledger.lines().find(|line| line.contains("crm"));
        let line = line.expect("the entitlement is there").trim().to_owned();
        let alice = host.json(["identity", "show", "alice"]);
        (shown(&host, "bob", "assigned_roles"), line, alice)
    };
    let (roles, line, alice) = with("roles = [\"Base\"]\n");
    assert_eq!(roles, ["Base"]);
    insta::assert_snapshot!(line, @"ad cn=alice  groups crm   CRM user, for Base (state)");
    assert_eq!(alice["role_metadata"][0]["assigned"], "state");
    insta::assert_snapshot!(alice["entitlements"][0], @r#"{"aggregation_state":"connected","application":"ad","assigned_roles":[{"reason":"state","role":"Base"}],"attribute":"groups","detected_roles":["CRM user"],"native_change":null,"native_change_at":null,"native_identity":"cn=alice","status":"present","undecided":false,"value":"crm"}"#);
    let (roles, line, _) = with("");
    assert_eq!(roles, [""; 0]);
    insta::assert_snapshot!(line, @"ad cn=alice  groups crm   CRM user (native)");
}

#[test]
fn a_role_is_in_use_between_its_dates() {
    let roles = |more: &str| {
        format!(
            "[[role]]\nname = \"Sales\"\ntype = \"business\"\n\
             selector = {{ match = {{ department = \"Sales\" }} }}\n{more}"
        )
    };
    let host = with_roles(&roles(
        "active_from = 2026-03-05T00:00:00+01:00\nactive_until = 2026-04-01T00:00:00+02:00\n",
    ));
    let at = |instant: &str| {
        let _ = host.json(["refresh", "--as-of", instant]);
        shown(&host, "bob", "assigned_roles")
    };
    assert_eq!(at("2026-03-04T22:59:59Z"), [""; 0]);
    assert_eq!(at("2026-03-04T23:00:00Z"), ["Sales"]);
    assert_eq!(at("2026-03-31T21:59:59Z"), ["Sales"]);
    assert_eq!(at("2026-03-31T22:00:00Z"), [""; 0]);
    host.write("roles/roles.toml", roles(""));
    assert_eq!(at("2026-03-31T22:00:00Z"), ["Sales"]);
    host.write("roles/roles.toml", roles("disabled = true\n"));
    assert_eq!(at("2026-03-31T22:00:00Z"), [""; 0]);
}

#[test]
fn circles_and_selectors_that_ask_for_what_only_the_role_gives_are_reported() {
    let host = small_tenant();
    host.write(
        "roles/roles.toml",
        format!(
            r#"
            {CRM}
            [[role]]
            name = "Sales"
            type = "business"
            requires = ["CRM user"]
            selector = {{ filter = 'department == "Sales" && links.groups == "crm"' }}
            "#
        ),
    );
    let said = host.run(["check"]);
    let remark = said.split_once("remark: ").map(|(_, remark)| remark);
    insta::assert_snapshot!(remark.expect("there is a remark"), @r"
    roles/roles.toml:12: role[Sales].selector: it asks for `groups` `crm`, which only this role calls for
        hint: nobody gets the role by it, and whoever has it keeps it: ask for something else
    [exit 0]
    ");
    host.write(
        "roles/roles.toml",
        r#"
        [[role]]
        name = "a"
        type = "organizational"
        inherits = ["b"]
        [[role]]
        name = "b"
        type = "organizational"
        inherits = ["a"]
        "#,
    );
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    roles/roles.toml:5: role[a].inherits: roles inherit from each other: `a` → `b` → `a`
    [exit 2]
    ");
}

/// Of two entitlements of one profile on two accounts nothing is detected; of
/// two profiles it is.
#[test]
fn a_profile_is_satisfied_by_one_account() {
    let roles = |profiles: &str| format!("[[role]]\nname = \"Both\"\ntype = \"it\"\n{profiles}");
    let profile = |groups: &str| {
        format!(
            "[[role.profiles]]\napplication = \"ad\"\nentitlements = {{ groups = [{groups}] }}\n"
        )
    };
    let detected = |profiles: String| {
        let host = small_tenant();
        host.write("roles/roles.toml", roles(&profiles));
        host.write(
            "feeds/ad.csv",
            "dn,owner,groups\ncn=alice,alice,crm\ncn=alice-admin,alice,wiki\n",
        );
        aggregate_all(&host, "2026-03-01T08:00:00Z");
        let _ = host.json(["refresh"]);
        shown(&host, "alice", "detected_roles")
    };
    assert_eq!(detected(profile("\"crm\", \"wiki\"")), [""; 0]);
    assert_eq!(
        detected(profile("\"crm\"") + &profile("\"wiki\"")),
        ["Both"]
    );
}

/// What a detected role contains is not an additional entitlement; the rest is.
#[test]
fn the_sieve_leaves_additional_entitlements() {
    let host = refreshed_tenant();
    let alice = host.json(["identity", "show", "alice"]);
    insta::assert_snapshot!(alice["additional_entitlements"], @r#"[{"application":"ad","attribute":"groups","native_identity":"cn=alice","value":"wiki"}]"#);
    let text = host.run(["identity", "show", "alice"]);
    let ledger = text
        .split_once("  entitlements\n")
        .map(|(_, ledger)| ledger);
    insta::assert_snapshot!(ledger.expect("there is a ledger"), @r"
        ad cn=alice  groups crm   CRM user, for Sales (assignment)
        ad cn=alice  groups wiki  additional
    [exit 0]
    ");
}

/// An entitlement that two assigned roles call for stays while one of them does.
#[test]
fn a_shared_entitlement_has_a_reason_for_each_role() {
    let host = with_roles(&format!(
        r#"
        {CRM}
        [[role]]
        name = "Sales"
        type = "business"
        requires = ["CRM user"]
        selector = {{ match = {{ department = "Sales" }} }}
        [[role]]
        name = "Project"
        type = "business"
        requires = ["CRM user"]
        "#
    ));
    let why = ["--reason", "a ticket", "--actor", "dora"];
    let _ = host.json(
        ["role", "assign", "alice", "Project"]
            .into_iter()
            .chain(why),
    );
    let _ = host.json(["refresh"]);
    let ledger = |host: &TestHost| {
        let text = host.run(["identity", "show", "alice"]);
        let ledger = text.split_once("  entitlements\n").expect("a ledger").1;
        let line = ledger.lines().find(|line| line.contains("crm"));
        line.expect("the entitlement is there").trim().to_owned()
    };
    insta::assert_snapshot!(ledger(&host), @"ad cn=alice  groups crm   CRM user, for Project (request), Sales (assignment)");
    let _ = host.json(["role", "deny", "alice", "Sales"].into_iter().chain(why));
    let _ = host.json(["refresh"]);
    insta::assert_snapshot!(ledger(&host), @"ad cn=alice  groups crm   CRM user, for Project (request)");
    let _ = host.json(
        ["role", "revoke", "alice", "Project"]
            .into_iter()
            .chain(why),
    );
    let _ = host.json(["refresh"]);
    insta::assert_snapshot!(ledger(&host), @"ad cn=alice  groups crm   CRM user (native)");
}

#[test]
fn the_catalogue_lists_what_is_held_and_what_roles_contain() {
    let host = with_roles(&format!(
        r#"
        {CRM}
        [[role]]
        name = "Admin"
        type = "it"
        profiles = [{{ application = "ad", entitlements = {{ groups = ["admin"] }} }}]
        [[role]]
        name = "Sales"
        type = "business"
        requires = ["CRM user"]
        selector = {{ match = {{ department = "Sales" }} }}
        "#
    ));
    insta::assert_snapshot!(host.run(["entitlement", "list"]), @r"
    application  attribute  value  name  owner  held  natively  disconnected  missing  removing  roles
    ad           groups     admin                  0         0                                   Admin
    ad           groups     crm                    1         0                      1            CRM user
    ad           groups     wiki                   2         2
    3 entitlements
    [exit 0]
    ");
    let without = host.json([
        "entitlement",
        "list",
        "--without-role",
        "--application",
        "ad",
    ]);
    insta::assert_snapshot!(without, @r#"[{"application":"ad","assignment":0,"attribute":"groups","connected":2,"description":null,"disconnected":0,"display_name":null,"held":2,"missing":0,"native":2,"owner":null,"removing":0,"request":0,"roles":[],"state":0,"value":"wiki"}]"#);
    insta::assert_snapshot!(host.run(["entitlement", "list", "--application", "add"]), @r"
    error: there is no application `add`
    hint: did you mean `ad`?
    [exit 2]
    ");
}
