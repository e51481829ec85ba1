//! Provisioning: what is called for with accounts, why, and when no longer.

use crate::common::{TestHost, repository};

const TENANT: &str = r#"
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
    mail = {}
    phone = {}
    [guard]
    new = "off"
    vanished = "off"
    rekeyed = "off"
    emptied = "off"
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    [states.gone]
    inactive = true
    automatic_roles = "remove"
    accounts = [{ application = "ad", do = "delete" }]
    //- roles/roles.toml
    [[role]]
    name = "Sales"
    type = "business"
    selector = { match = { department = "Sales" } }
    requires = ["CRM user"]
    [[role]]
    name = "Project"
    type = "business"
    requires = ["CRM user", "Wiki user"]
    [[role]]
    name = "CRM user"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["crm"] } }]
    [[role]]
    name = "Wiki user"
    type = "it"
    profiles = [{ application = "ad", entitlements = { groups = ["wiki"] } }]
"#;

const SETTINGS: &str = r#"version = 1
name = "acme"
clock = "simulated"
"#;

const IDENTITY: &str = r#"
[attributes.department]
sources = [{ application = "hr", attribute = "department" }]
[attributes.email]
sources = [{ application = "hr", attribute = "mail" }]
[attributes.phone]
sources = [{ application = "hr", attribute = "phone" }]
"#;

const AD: &str = r#"
correlation = [{ account = "owner", identity = "name" }]
[connector]
type = "delimited-file"
path = "feeds/ad.csv"
native_identity = "dn"
status = { column = "status", disabled = ["off"] }
[schema]
owner = {}
mail = {}
phone = {}
groups = { type = "many", separator = "|", entitlement = true }
[guard]
new = "off"
vanished = "off"
rekeyed = "off"
emptied = "off"
"#;

/// A tenant in which accounts in the directory are provisioned, with these lines
/// more in the files.
struct Files<'a> {
    settings: &'a str,
    ad: &'a str,
    identity: &'a str,
}

const FILES: Files<'_> = Files {
    settings: "",
    ad: "provisioning = true\n",
    identity: "",
};

fn tenant(files: &Files<'_>) -> TestHost {
    let host = TestHost::with_files(TENANT);
    host.write("idr.toml", format!("{SETTINGS}{}", files.settings));
    host.write("identity.toml", format!("{IDENTITY}{}", files.identity));
    host.write("applications/ad.toml", format!("{}{AD}", files.ad));
    host
}

/// On this day of March the applications say this, and everybody who is due is
/// refreshed.
fn on(host: &TestHost, day: u32, hr: &str, ad: &str) -> serde_json::Value {
    let as_of = format!("2026-03-{day:02}T08:00:00Z");
    for (application, header, rows) in [
        ("hr", "user,department,mail,phone", hr),
        ("ad", "dn,owner,status,mail,phone,groups", ad),
    ] {
        let path = format!("feeds/{application}.csv");
        host.write(&path, format!("{header}\n{rows}\n"));
        let report = host.json(["aggregate", application, "--as-of", &as_of]);
        assert_eq!(report["status"], "done");
    }
    host.json(["refresh", "--as-of", &as_of])
}

/// What is to be done outside and waits, the oldest first.
fn waiting(host: &TestHost) -> Vec<String> {
    let listed = host.json(["outbox", "list", "--waiting"]);
    let listed = listed.as_array().expect("a list").iter().rev();
    let words = |what: &serde_json::Value| {
        let changes = what["changes"].as_array().into_iter().flatten();
        let changes: Vec<String> = changes
            .map(|change| {
                let word = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
                format!(
                    "{} {} {}",
                    word("change"),
                    word("attribute"),
                    change["value"]
                )
            })
            .collect();
        let reasons = what["reasons"].as_array().into_iter().flatten();
        let reasons: Vec<&str> = reasons.filter_map(serde_json::Value::as_str).collect();
        match what["kind"].as_str() {
            Some("account") => format!(
                "{} {}: {} ({})",
                what["operation"].as_str().unwrap_or_default(),
                what["native_identity"].as_str().unwrap_or_default(),
                changes.join(", "),
                reasons.join(", ")
            ),
            _ => what["description"].as_str().unwrap_or_default().to_owned(),
        }
    };
    listed.map(words).collect()
}

fn findings(host: &TestHost) -> Vec<String> {
    let listed = host.json(["finding", "list"]);
    let listed = listed.as_array().expect("a list").iter();
    let listed = listed.map(|finding| {
        let word = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", word("cause"), word("message"))
    });
    listed.collect()
}

fn said(host: &TestHost, arguments: &[&str]) {
    let why = ["--reason", "a ticket", "--actor", "dora"];
    assert!(host.json(arguments.iter().copied().chain(why)).is_object());
}

const ALICE: &str = "alice,Sales,a@x,1";

#[test]
fn without_provisioning_nothing_is_called_for() {
    let host = tenant(&Files { ad: "", ..FILES });
    on(&host, 1, ALICE, "cn=a,alice,on,,,");
    assert!(waiting(&host).is_empty());
    let shown = host.run(["identity", "show", "alice"]);
    assert!(shown.contains("missing, for Sales"), "{shown}");
}

#[test]
fn a_role_gives_what_it_asks_for_and_takes_it_with_it() {
    let host = tenant(&FILES);
    let report = on(&host, 1, ALICE, "cn=a,alice,on,,,wiki");
    assert_eq!(report["counters"]["provisioningRequests"], 1);
    let gives = r#"modify cn=a: add groups ["crm"] (role Sales (by rule))"#;
    assert_eq!(waiting(&host), [gives]);
    // What is planned is planned once.
    let report = on(&host, 2, "alice,Sales,b@x,1", "cn=a,alice,on,,,wiki");
    assert_eq!(
        report["counters"]["provisioningRequests"],
        serde_json::Value::Null
    );
    assert_eq!(waiting(&host), [gives]);
    // Confirmed by aggregation: nothing is called for any more.
    on(&host, 3, ALICE, "cn=a,alice,on,,,crm|wiki");
    assert!(waiting(&host).is_empty());
    // The role goes, and with it what it gave; what was there before stays.
    let report = on(&host, 4, "alice,IT,a@x,1", "cn=a,alice,on,,,crm|wiki");
    assert_eq!(report["counters"]["entitlementRemovals"], 1);
    let takes = r#"modify cn=a: remove groups ["crm"] (role Sales is gone)"#;
    assert_eq!(waiting(&host), [takes]);
    let shown = host.run(["identity", "show", "alice"]);
    assert!(shown.contains("to be removed"), "{shown}");
    // She is back before anybody has done it.
    on(&host, 5, ALICE, "cn=a,alice,on,,,crm|wiki");
    assert!(waiting(&host).is_empty());
}

#[test]
fn an_entitlement_goes_with_its_last_reason() {
    let host = tenant(&FILES);
    on(&host, 1, ALICE, "cn=a,alice,on,,,");
    said(&host, &["role", "assign", "alice", "Project"]);
    on(&host, 2, ALICE, "cn=a,alice,on,,,crm");
    let wiki = r#"modify cn=a: add groups ["wiki"] (role Project (by manual))"#;
    assert_eq!(waiting(&host), [wiki]);
    // Sales goes; the project still needs it.
    on(&host, 3, "alice,IT,a@x,1", "cn=a,alice,on,,,crm|wiki");
    assert!(waiting(&host).is_empty());
    said(&host, &["role", "revoke", "alice", "Project"]);
    on(&host, 4, "alice,IT,a@x,1", "cn=a,alice,on,,,crm|wiki");
    let takes = r#"modify cn=a: remove groups ["crm","wiki"] (role Project is gone)"#;
    assert_eq!(waiting(&host), [takes]);
}

#[test]
fn what_was_there_before_goes_only_where_it_is_adopted() {
    let takes = r#"modify cn=a: remove groups ["crm"] (role Sales is gone)"#;
    for (ad, expected) in [
        ("provisioning = true\n", vec![]),
        ("provisioning = true\nadopt = true\n", vec![takes]),
    ] {
        let host = tenant(&Files { ad, ..FILES });
        on(&host, 1, ALICE, "cn=a,alice,on,,,crm");
        on(&host, 2, "alice,IT,a@x,1", "cn=a,alice,on,,,crm");
        assert_eq!(waiting(&host), expected, "{ad}");
    }
}

#[test]
fn roles_may_be_left_out_and_entitlements_may_stay() {
    let off = |settings| {
        let host = tenant(&Files { settings, ..FILES });
        on(&host, 1, ALICE, "cn=a,alice,on,,,");
        let given = waiting(&host).len();
        on(&host, 2, ALICE, "cn=a,alice,on,,,crm");
        on(&host, 3, "alice,IT,a@x,1", "cn=a,alice,on,,,crm");
        (given, waiting(&host).len(), host)
    };
    assert_eq!(off("[provisioning]\nroles = false\n").0, 0);
    let (given, taken, host) = off("[provisioning]\nremove = false\n");
    assert_eq!((given, taken), (1, 0));
    // It is theirs from then on.
    host.write("idr.toml", SETTINGS);
    on(&host, 4, "alice,IT,a@x,1", "cn=a,alice,on,,,crm");
    assert!(waiting(&host).is_empty());
    let (given, taken, _) = off("[provisioning]\nroles = true\n");
    assert_eq!((given, taken), (1, 1));
}

const TEMPLATE: &str = r#"
[account]
native_identity = { attribute = "name" }
[account.attributes]
owner = { attribute = "name", required = true }
mail = { attribute = "email", required = true }
phone = { attribute = "phone", default = "none" }
"#;

fn with_template() -> String {
    format!("{AD}{TEMPLATE}")
}

#[test]
fn whoever_has_no_account_gets_one_by_the_template() {
    let host = tenant(&FILES);
    host.write(
        "applications/ad.toml",
        format!("provisioning = true\n{}", with_template()),
    );
    let report = on(&host, 1, "alice,Sales,a@x,\nbob,Sales,,2", "");
    assert_eq!(report["counters"]["accountCreations"], 1);
    let creates = r#"create alice: add groups ["crm"], set mail "a@x", set owner "alice", set phone "none" (role Sales (by rule))"#;
    assert_eq!(waiting(&host), [creates]);
    // Whoever lacks what an account needs gets none, and it is said.
    assert_eq!(
        findings(&host),
        ["attributes-missing: no account is made in `ad`: it needs mail"]
    );
    on(
        &host,
        2,
        "alice,Sales,a@x,\nbob,Sales,b@x,2",
        "alice,alice,on,a@x,none,crm",
    );
    let creates = r#"create bob: add groups ["crm"], set mail "b@x", set owner "bob", set phone "2" (role Sales (by rule))"#;
    assert_eq!(waiting(&host), [creates]);
    assert!(findings(&host).is_empty());
    // What the account came with goes with the role.
    on(
        &host,
        3,
        "alice,IT,a@x,\nbob,Sales,b@x,2",
        "alice,alice,on,a@x,none,crm",
    );
    let takes = r#"modify alice: remove groups ["crm"] (role Sales is gone)"#;
    assert_eq!(waiting(&host), [creates, takes]);
}

#[test]
fn nobody_gets_an_account_in_a_state_that_deletes_them() {
    let host = tenant(&FILES);
    host.write(
        "applications/ad.toml",
        format!("provisioning = true\n{}", with_template()),
    );
    with_a_role_that_a_person_gave(&host);
    assert!(waiting(&host).is_empty());
}

/// Somebody is gone, and has a role that a person gave.
fn with_a_role_that_a_person_gave(host: &TestHost) {
    on(host, 1, "alice,IT,a@x,1", "");
    said(host, &["identity", "state", "alice", "gone"]);
    said(host, &["role", "assign", "alice", "Project"]);
    on(host, 2, "alice,IT,a@x,1", "");
    let shown = host.run(["identity", "show", "alice"]);
    assert!(shown.contains("Project"), "{shown}");
}

const FOLLOWS: &str = r#"
[[attributes.email.targets]]
application = "ad"
attribute = "mail"
transform = { type = "upper" }
"#;

#[test]
fn an_account_attribute_follows_an_identity_attribute() {
    for (settings, follows) in [("", true), ("[provisioning]\nsynchronise = false\n", false)] {
        let host = tenant(&Files {
            settings,
            identity: FOLLOWS,
            ..FILES
        });
        on(&host, 1, "alice,IT,a@x,1", "cn=a,alice,on,A@X,,");
        assert!(waiting(&host).is_empty());
        on(&host, 2, "alice,IT,b@x,1", "cn=a,alice,on,A@X,,");
        let sets = r#"modify cn=a: set mail "B@X" (follows email)"#;
        let expected: &[&str] = if follows { &[sets] } else { &[] };
        assert_eq!(waiting(&host), expected);
        // A newer value takes the place of one that nobody has sent.
        on(&host, 3, "alice,IT,,1", "cn=a,alice,on,A@X,,");
        let sets = "modify cn=a: set mail null (follows email)";
        let expected: &[&str] = if follows { &[sets] } else { &[] };
        assert_eq!(waiting(&host), expected);
    }
}

#[test]
fn of_several_accounts_all_follow_or_the_chosen_one_or_none() {
    let accounts = "cn=a,alice,on,A@X,,\ncn=b,alice,on,A@X,,";
    let all = format!("{FOLLOWS}all_accounts = true\n");
    let host = tenant(&Files {
        identity: &all,
        ..FILES
    });
    on(&host, 1, "alice,IT,b@x,1", accounts);
    assert_eq!(waiting(&host).len(), 2);
    let host = tenant(&Files {
        identity: FOLLOWS,
        ..FILES
    });
    let report = on(&host, 1, "alice,IT,b@x,1", accounts);
    assert!(waiting(&host).is_empty());
    assert_eq!(report["counters"]["unansweredAccountSelections"], 1);
    // Whichever was chosen for a role there is meant here, too.
    let chosen = ["--account", "ad", "cn=b"];
    let project = ["role", "assign", "alice", "Project"];
    said(&host, &[&project[..], &chosen].concat());
    on(&host, 2, "alice,IT,b@x,1", accounts);
    let waiting = waiting(&host);
    let [action] = waiting.as_slice() else {
        panic!("{waiting:?}");
    };
    assert!(action.starts_with("modify cn=b: "), "{action}");
    assert!(action.contains(r#"set mail "B@X""#), "{action}");
}

#[test]
fn of_several_accounts_a_person_is_asked_or_nothing_is_done() {
    let accounts = "cn=a,alice,on,,,\ncn=b,alice,on,,,";
    let finding =
        "account-selection: of 2 accounts in `ad` nobody can say which role `Sales` is for";
    let host = tenant(&FILES);
    let report = on(&host, 1, ALICE, accounts);
    let counters = &report["counters"];
    assert_eq!(counters["unansweredAccountSelections"], 1);
    assert_eq!(counters["unansweredAccountSelectionsIdentities"], 1);
    assert_eq!(findings(&host), [finding]);
    assert!(waiting(&host).is_empty());
    let host = tenant(&Files {
        settings: "[provisioning]\nmanual_account_selection = true\n",
        ..FILES
    });
    on(&host, 1, ALICE, accounts);
    let asked = "choose which of the 2 accounts in `ad` role `Sales` is for";
    assert_eq!(waiting(&host), [asked]);
    said(
        &host,
        &[
            "role",
            "assign",
            "alice",
            "Sales",
            "--account",
            "ad",
            "cn=b",
        ],
    );
    on(&host, 2, ALICE, accounts);
    let gives = r#"modify cn=b: add groups ["crm"] (role Sales (by rule))"#;
    assert_eq!(waiting(&host), [gives]);
    assert!(findings(&host).is_empty());
}

/// Alice has no manager.
#[test]
fn without_a_manager_the_fallback_is_asked_which_account_is_meant() {
    let accounts = "cn=a,alice,on,,,\ncn=b,alice,on,,,";
    let manual = "[provisioning]\nmanual_account_selection = true\n";
    let fallback = format!("{manual}[work_items]\nfallback = \"helpdesk\"\n");
    for (settings, owner) in [(manual, None), (&fallback, Some("helpdesk"))] {
        let host = tenant(&Files { settings, ..FILES });
        on(&host, 1, ALICE, accounts);
        let listed = host.json(["outbox", "list", "--waiting"]);
        assert_eq!(listed[0]["kind"], "work-item");
        assert_eq!(listed[0]["owner"].as_str(), owner);
        let unasked = findings(&host)[0].ends_with("without a manager nobody is asked");
        assert_eq!(unasked, owner.is_none());
    }
}

#[test]
fn the_account_of_a_role_is_remembered() {
    let host = tenant(&FILES);
    on(&host, 1, ALICE, "cn=b,alice,on,,,");
    on(&host, 2, ALICE, "cn=a,alice,on,,,\ncn=b,alice,on,,,");
    let gives = r#"modify cn=b: add groups ["crm"] (role Sales (by rule))"#;
    assert_eq!(waiting(&host), [gives]);
    assert!(findings(&host).is_empty());
}

#[test]
fn a_native_loss_is_put_back_and_a_gain_taken_away() {
    let host = tenant(&Files {
        ad: "provisioning = true\nnative_gain = \"restore\"\n",
        ..FILES
    });
    on(&host, 1, ALICE, "cn=a,alice,on,,,crm");
    on(&host, 2, ALICE, "cn=a,alice,on,,,admins");
    let both = r#"modify cn=a: add groups ["crm"], remove groups ["admins"] (role Sales (by rule), gained natively, lost natively)"#;
    assert_eq!(waiting(&host), [both]);
}

#[test]
fn what_an_account_that_goes_is_to_have_is_not_called_for() {
    let host = tenant(&FILES);
    who_is_gone_and_has_an_account(&host);
    assert_eq!(waiting(&host), ["delete cn=a:  (state gone)"]);
}

fn who_is_gone_and_has_an_account(host: &TestHost) {
    on(host, 1, "alice,IT,a@x,1", "cn=a,alice,on,,,");
    said(host, &["identity", "state", "alice", "gone"]);
    said(host, &["role", "assign", "alice", "Project"]);
    on(host, 2, "alice,IT,a@x,1", "cn=a,alice,on,,,");
}

#[test]
fn thresholds_hold_creations_and_removals() {
    let host = tenant(&Files {
        settings: "[thresholds]\naccount_creations = 1\n",
        ..FILES
    });
    host.write(
        "applications/ad.toml",
        format!("provisioning = true\n{}", with_template()),
    );
    let report = on(&host, 1, "alice,Sales,a@x,\nbob,Sales,b@x,2", "");
    assert_eq!(report["status"], "held");
    assert!(waiting(&host).is_empty());
    let host = tenant(&Files {
        settings: "[thresholds]\nentitlement_removals = 1\n",
        ..FILES
    });
    let accounts = "cn=a,alice,on,,,crm\ncn=b,bob,on,,,crm";
    on(
        &host,
        1,
        "alice,Sales,a@x,\nbob,Sales,b@x,2",
        "cn=a,alice,on,,,\ncn=b,bob,on,,,",
    );
    on(&host, 2, "alice,Sales,a@x,\nbob,Sales,b@x,2", accounts);
    let report = on(&host, 3, "alice,IT,a@x,\nbob,IT,b@x,2", accounts);
    assert_eq!(report["status"], "held");
    assert!(waiting(&host).is_empty());
}

#[test]
fn what_a_profiles_filter_asks_to_be_listed_is_given() {
    let host = tenant(&FILES);
    let roles = host.read("roles/roles.toml");
    let filter = "filter = 'groups.containsAll({\"crm\"}) && phone == \"1\"'";
    host.write(
        "roles/roles.toml",
        roles.replace("entitlements = { groups = [\"crm\"] }", filter),
    );
    on(&host, 1, ALICE, "cn=a,alice,on,,1,\ncn=b,alice,on,,2,");
    let gives = r#"modify cn=a: add groups ["crm"] (role Sales (by rule))"#;
    assert_eq!(waiting(&host), [gives]);
    let unclear = "filter = 'groups == \"crm\" || phone == \"1\"'";
    host.write(
        "roles/roles.toml",
        roles.replace("entitlements = { groups = [\"crm\"] }", unclear),
    );
    let said = host.run(["check"]);
    assert!(said.contains("can't be given to them"), "{said}");
}

#[test]
fn what_was_sent_and_never_shown_is_counted_once() {
    let host = tenant(&FILES);
    on(&host, 1, ALICE, "cn=a,alice,on,,,");
    let sent = host.run(["dispatch", "--once", "--as-of", "2026-03-01T09:00:00Z"]);
    assert!(sent.contains("1 work item"), "{sent}");
    let report = on(&host, 3, ALICE, "cn=a,alice,on,,,");
    assert_eq!(report["counters"]["provisioningErrors"], 1, "{report}");
    let again = ["refresh", "--all", "--as-of", "2026-03-04T08:00:00Z"];
    let report = host.json(again);
    assert_eq!(
        report["counters"]["provisioningErrors"],
        serde_json::Value::Null
    );
}

#[test]
fn what_was_sent_may_take_as_long_as_it_takes() {
    let host = tenant(&Files {
        settings: "[provisioning]\nconfirm_within = \"off\"\n",
        ..FILES
    });
    on(&host, 1, ALICE, "cn=a,alice,on,,,");
    let sent = host.run(["dispatch", "--once", "--as-of", "2026-03-01T09:00:00Z"]);
    assert!(sent.contains("1 work item"), "{sent}");
    on(&host, 30, ALICE, "cn=a,alice,on,,,");
    let report = host.json(["refresh", "--all", "--as-of", "2027-03-01T08:00:00Z"]);
    assert_eq!(
        report["counters"]["provisioningErrors"],
        serde_json::Value::Null,
        "{report}"
    );
    assert_eq!(findings(&host), [""; 0]);
}

#[test]
fn what_follows_a_sensitive_attribute_is_masked() {
    let identity =
        "sensitive = true\ntargets = [{ application = \"ad\", attribute = \"phone\" }]\n";
    let host = tenant(&Files { identity, ..FILES });
    on(&host, 1, "alice,IT,a@x,12345", "cn=a,alice,on,,9,");
    let waiting = waiting(&host);
    assert_eq!(waiting.len(), 1);
    assert!(
        waiting[0].contains("set phone") && !waiting[0].contains("12345"),
        "{waiting:?}"
    );
    let shown = host.run(["identity", "show", "alice"]);
    assert!(!shown.contains("12345"), "{shown}");
}

/// What waits where `homeDirectory` in the directory follows the site, with this in its
/// target, and the login is so.
fn home(target: &str, login: &str) -> TestHost {
    let identity = format!(
        "[attributes.site]\nsources = [{{ static = \"Bern\" }}]\n\
         targets = [{{ application = \"ad\", attribute = \"homeDirectory\"{target} }}]\n\
         [attributes.login]\n{login}sources = [{{ application = \"hr\", attribute = \"user\" }}]\n"
    );
    let host = tenant(&Files {
        identity: &identity,
        ..FILES
    });
    let application = host.read("applications/ad.toml");
    host.write(
        "applications/ad.toml",
        application.replace("owner = {}", "owner = {}\nhomeDirectory = {}"),
    );
    let rules = repository().join("rules-examples/rust/target-mapping");
    let component = std::fs::read(rules.join("target-mapping.wasm")).expect("it is committed");
    host.write(
        "rules/rules.toml",
        format!(
            "version = 1\n[rules.homes]\ncomponent = \"target-mapping.wasm\"\nsha256 = \"{}\"\n\
             [rules.homes.reads]\nattributes = [\"login\", \"site\"]\n",
            idr::config::sha256(&component)
        ),
    );
    host.write("rules/target-mapping.wasm", component);
    host.write(
        "feeds/hr.csv",
        "user,department,mail,phone\nalice,IT,a@x,1\n",
    );
    let header = "dn,owner,homeDirectory,status,mail,phone,groups";
    host.write("feeds/ad.csv", format!("{header}\ncn=a,alice,,on,,,\n"));
    let at = "2026-03-01T08:00:00Z";
    for application in ["hr", "ad"] {
        let report = host.json(["aggregate", application, "--as-of", at]);
        assert_eq!(report["status"], "done");
    }
    assert_eq!(host.json(["refresh", "--as-of", at])["status"], "done");
    host
}

#[test]
fn a_rule_says_what_follows() {
    let host = home("", "");
    let plain = r#"modify cn=a: set homeDirectory "Bern" (follows site)"#;
    assert_eq!(waiting(&host), [plain]);
    let host = home(", rule = \"homes\"", "");
    let by_rule = r#"modify cn=a: set homeDirectory "\\\\fs-bern\\home\\alice" (follows site)"#;
    assert_eq!(waiting(&host), [by_rule]);
}

#[test]
fn what_a_rule_makes_of_a_sensitive_attribute_is_masked() {
    let host = home(", rule = \"homes\"", "sensitive = true\n");
    let masked = r#"modify cn=a: set homeDirectory "(sensitive)" (follows site)"#;
    assert_eq!(waiting(&host), [masked]);
    let dispatched = host.run(["dispatch", "--once"]);
    assert!(dispatched.contains("1 work item"), "{dispatched}");
    for shown in [
        &["outbox", "list"][..],
        &["work-item", "list"],
        &["identity", "show", "alice"],
        &["finding", "list"],
    ] {
        let shown = host.run(shown.iter().copied());
        assert!(!shown.contains("fs-bern"), "{shown}");
    }
}
