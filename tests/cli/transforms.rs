//! Native transforms through the program: configured, worked out, explained, and
//! refreshed when what they read or the day changes.

use crate::common::TestHost;
use crate::small_tenant::aggregate_file;

const FILES: &str = r#"
    //- idr.toml
    version = 1
    name = "acme"
    clock = "simulated"
    zone = "Europe/Berlin"
    //- applications/hr.toml
    vanish_grace = "0"
    authoritative = { name = "user" }
    [connector]
    type = "delimited-file"
    path = "feeds/hr.csv"
    native_identity = "id"
    [schema]
    user = {}
    first = {}
    last = {}
    phone = {}
    ends = { type = "date" }
    [guard]
    vanished = "off"
    new = "off"
    rekeyed = "off"
    emptied = "off"
    //- identity.toml
    [attributes.mailbox]
    sources = [{ transform = { type = "reference", id = "plain", input = { type = "concat", attributes = { values = [
        { type = "accountAttribute", attributes = { sourceName = "hr", attributeName = "first" } },
        ".",
        { type = "accountAttribute", attributes = { sourceName = "hr", attributeName = "last" } },
    ] } } } }]
    [attributes.phone]
    sources = [{ application = "hr", attribute = "phone", transform = { type = "e164phone", defaultRegion = "DE" } }]
    [attributes.email]
    sources = [{ transform = { type = "concat", values = [{ type = "identityAttribute", name = "mailbox" }, "@acme.example"] } }]
    [attributes.ends]
    type = "date"
    sources = [{ application = "hr", attribute = "ends" }]
    [attributes.notice]
    sources = [{ transform = { type = "dateCompare", firstDate = { type = "dateMath", expression = "now+14d" }, operator = "GTE", secondDate = { type = "identityAttribute", name = "ends" }, positiveCondition = "ends soon", negativeCondition = "later" } }]
    [attributes.month]
    type = "date"
    sources = [{ transform = { type = "dateMath", expression = "now/M" } }]
    [transforms.plain]
    type = "lower"
    input = { type = "decomposeDiacriticalMarks" }
    //- lifecycle.toml
    default_state = "active"
    [states.active]
    //- feeds/hr.csv
    id,user,first,last,phone,ends
    1,zoe,Zoë,Ames,030 901820,2026-03-31
    2,bo,Bo,,reception,
"#;

/// Returns the tenant, aggregated and refreshed.
fn tenant() -> TestHost {
    let host = TestHost::with_files(FILES);
    aggregate_file(&host, "hr", "2026-03-10T08:00:00Z");
    assert_eq!(host.json(["refresh"])["refreshed"], 2);
    host
}

/// Returns an attribute of zoe's, as it is shown.
fn shown(host: &TestHost, name: &str) -> String {
    let shown = host.run(["identity", "show", "zoe"]);
    let line = shown
        .lines()
        .find_map(|line| line.trim().strip_prefix(name));
    let line = line.expect("the attribute is shown").trim();
    let (value, _) = line.split_once("  ").expect("a value and its source");
    value.to_owned()
}

#[test]
fn attributes_come_from_transforms() {
    let host = tenant();
    insta::assert_snapshot!(host.run(["identity", "show", "zoe"]), @r"
    zoe (person, uid 1)
      lifecycle state  active since 2026-03-10T08:00:00Z (09:00:00 in Europe/Berlin)
      manager          none
      wakes up         2026-03-16T23:00:00Z (2026-03-17 00:00:00 in Europe/Berlin)
      attributes
        email    zoe.ames@acme.example  transform concat
        ends     2026-03-31             hr ends
        mailbox  zoe.ames               transform lower
        month    2026-03-01             transform dateMath
        notice   later                  transform dateCompare
        phone    +4930901820            transform e164phone
      accounts
        hr  1  enabled  created
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["identity", "show", "bo"]), @r"
    bo (person, uid 2)
      lifecycle state  active since 2026-03-10T08:00:00Z (09:00:00 in Europe/Berlin)
      manager          none
      wakes up         2026-03-31T22:00:00Z (2026-04-01 00:00:00 in Europe/Berlin)
      attributes
        month  2026-03-01  transform dateMath
      accounts
        hr  2  enabled  created
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["identity", "explain", "zoe"]), @r"
    zoe at 2026-03-10T08:00:00Z
      reads
        hr first                      Zoë
        hr last                       Ames
        mailbox                       zoe.ames
        hr ends                       2026-03-31
        reached 2026-03-31T22:00:00Z  false
        ends                          2026-03-31
        reached 2026-03-16T23:00:00Z  false
        hr phone                      030 901820
      a refresh would change nothing
    [exit 0]
    ");
}

#[test]
fn a_transform_that_asks_for_now_wakes_the_identity() {
    let host = tenant();
    let notice = |as_of: &str| {
        let refreshed = host.json(["refresh", "--as-of", as_of])["refreshed"].clone();
        let [notice, month] = ["notice", "month"].map(|name| shown(&host, name));
        format!("{refreshed} refreshed: {notice}, {month}")
    };
    insta::assert_snapshot!(notice("2026-03-16T22:59:59Z"), @"0 refreshed: later, 2026-03-01");
    insta::assert_snapshot!(notice("2026-03-16T23:00:00Z"), @"1 refreshed: ends soon, 2026-03-01");
    insta::assert_snapshot!(notice("2026-03-31T21:59:59Z"), @"0 refreshed: ends soon, 2026-03-01");
    insta::assert_snapshot!(notice("2026-03-31T22:00:00Z"), @"2 refreshed: ends soon, 2026-04-01");
}

#[test]
fn a_changed_shared_transform_makes_everybody_due() {
    let host = tenant();
    let identity = host
        .read("identity.toml")
        .replace("type = \"lower\"", "type = \"upper\"");
    host.write("identity.toml", identity);
    insta::assert_snapshot!(host.run(["check", "--impact"]), @r"
    no problems in tenant `acme`
      applications             1
      identity attributes      6
      lifecycle states         1
      business roles           0
      IT roles                 0
      triggers                 0
      populations              0
      rules                    0
      tasks                    0
    changed since the last refresh
      common
    this makes due: 2 identities, everybody
    [exit 0]
    ");
    assert_eq!(host.json(["refresh"])["refreshed"], 2);
    assert_eq!(shown(&host, "mailbox"), "ZOE.AMES");
}

#[test]
fn what_a_transform_cannot_work_with_is_a_finding() {
    let host = tenant();
    let identity = host.read("identity.toml").replace(
        "type = \"e164phone\", defaultRegion = \"DE\"",
        "type = \"split\", delimiter = \" \", index = 1",
    );
    host.write("identity.toml", identity);
    let refreshed = host.run(["refresh"]);
    assert!(refreshed.ends_with("[exit 1]"), "{refreshed}");
    insta::assert_snapshot!(host.run(["finding", "list"]), @r"
    1 open
        error  bo  attribute-promotion: phone
          `split`: there is no piece 1
          hint: mend what it reads, or the transform of `phone` in identity.toml
    [exit 0]
    ");
}

/// Returns the tenant with a key that is derived from a secret in a file.
fn tenant_with_secret() -> TestHost {
    let host = TestHost::with_files(FILES);
    host.write("keys/secret", "a secret of a tenant\n");
    let settings = host.read("idr.toml") + "secret = \"file:keys/secret\"\n";
    host.write("idr.toml", settings);
    let identity = host.read("identity.toml")
        + "[attributes.key]\nsources = [{ transform = { type = \"uuid\" } }]\n";
    host.write("identity.toml", identity);
    aggregate_file(&host, "hr", "2026-03-10T08:00:00Z");
    assert_eq!(host.json(["refresh"])["refreshed"], 2);
    host
}

#[test]
fn derived_values_stay_and_the_secret_is_nowhere() {
    let host = tenant_with_secret();
    let key = shown(&host, "key");
    insta::assert_snapshot!(key, @"e339c490-d60d-865c-adf2-f42739d25c95");
    assert_eq!(host.json(["refresh", "--all"])["refreshed"], 2);
    assert_eq!(shown(&host, "key"), key);
    let store = std::fs::read(host.path("state/idr.db")).expect("the store is there");
    let secret = b"a secret of a tenant";
    assert!(!store.windows(secret.len()).any(|part| part == secret));
}

#[test]
fn another_secret_is_refused_until_somebody_says_that_it_is_meant() {
    let host = tenant_with_secret();
    let key = shown(&host, "key");
    host.write("keys/secret", "another secret of it");
    insta::assert_snapshot!(host.run(["refresh"]), @r"
    error: the tenant's secret is not the one that values were derived from
    hint: put the old one back; or raise `secret_generation` in idr.toml, and every derived value changes
    [exit 2]
    ");
    assert_eq!(shown(&host, "key"), key);
    let settings = host.read("idr.toml");
    host.write("idr.toml", settings + "secret_generation = 2\n");
    assert_eq!(host.json(["refresh"])["refreshed"], 2);
    assert_ne!(shown(&host, "key"), key);
}

#[test]
fn a_secret_that_is_missing_is_an_error_only_where_it_is_needed() {
    let host = tenant_with_secret();
    std::fs::remove_file(host.path("keys/secret")).expect("it was there");
    let refused = host.run(["refresh"]);
    assert!(
        refused.contains("`secret` in idr.toml can't be read"),
        "{refused}"
    );
    assert!(refused.ends_with("[exit 2]"), "{refused}");
    assert!(!shown(&host, "key").is_empty());
    let settings = host.read("idr.toml");
    let in_the_open = settings.replace("file:keys/secret", "a secret of a tenant");
    host.write("idr.toml", &in_the_open);
    insta::assert_snapshot!(host.run(["check"]), @r"
    error: the configuration has 1 problem
    idr.toml:5: secret: a secret is never written here
        hint: say where it is: `env:NAME` for an environment variable, or `file:PATH`
    [exit 2]
    ");
    host.write(
        "idr.toml",
        settings.replace("secret = \"file:keys/secret\"\n", ""),
    );
    insta::assert_snapshot!(host.run(["check"]), @r#"
    error: the configuration has 1 problem
    identity.toml:23: attributes.key.sources[0].transform: it is derived from a secret of the tenant, and there is none
        hint: write `secret = "env:NAME"` or `secret = "file:PATH"` in idr.toml
    [exit 2]
    "#);
    let identity = host.read("identity.toml");
    let without = identity
        .split("[attributes.key]")
        .next()
        .expect("the part before");
    host.write("identity.toml", without);
    assert_eq!(host.json(["refresh"])["refreshed"], 2);
}
