//! `due`: who is due and why; and the end date of 17:00 in somebody's zone.

use crate::refresh::run;
use crate::small_tenant::{aggregate_file, dated_tenant, refreshed_tenant};

#[test]
fn a_leaver_of_five_leaves_at_five_where_they_are() {
    let host = dated_tenant();
    let refreshed = host.json(["refresh", "--all", "--as-of", "2026-03-31T16:59:59"]);
    assert_eq!(refreshed["events"], serde_json::json!({}));
    let state = |name| host.json(["identity", "show", name])["lifecycle_state"].clone();
    assert_eq!(state("alice"), "active");
    insta::assert_snapshot!(host.run(["due"]), @r"
    0 due at 2026-03-31T14:59:59Z (16:59:59 in Europe/Berlin)
      alice  later  wakes up at 2026-03-31T15:00:00Z (17:00:00 in Europe/Berlin)
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["due", "--within", "7d"]), @r"
    0 due at 2026-03-31T14:59:59Z (16:59:59 in Europe/Berlin)
      alice  later  wakes up at 2026-03-31T15:00:00Z (17:00:00 in Europe/Berlin)
      bob    later  wakes up at 2026-03-31T21:00:00Z (23:00:00 in Europe/Berlin)
    [exit 0]
    ");
    let shown = host.json(["identity", "show", "alice"]);
    assert_eq!(shown["wake_at"], "2026-03-31T15:00:00Z");

    insta::assert_snapshot!(run(&host, &["refresh", "--as-of", "2026-03-31T17:00:00"]), @r"
    run 3: done
      as of      2026-03-31T15:00:00Z (17:00:00 in Europe/Berlin)
      selected   1 identity (who was due), 2 skipped
      refreshed  1 in […]
      changed    1 identity
        1  lifecycle state
        1  set of assigned roles
        1  leaver
        1  identity that lost a role
      events     1
        1  leaver
      findings   0 new, 0 open
    [exit 0]
    ");
    assert_eq!(state("alice"), "inactive");
    assert_eq!(state("bob"), "active");
    insta::assert_snapshot!(host.run(["event", "list"]), @r"
    2026-03-31T15:00:00Z (17:00:00 in Europe/Berlin)  leaver  alice
        lifecycleState: active -> inactive
        role Staff: lost
    [exit 0]
    ");
}

#[test]
fn wake_ups_that_have_passed_are_events_at_their_own_time() {
    let host = dated_tenant();
    insta::assert_snapshot!(run(&host, &["refresh", "--as-of", "2026-03-31T15:00:00Z"]), @r"
    run 2: done
      as of      2026-03-31T15:00:00Z (17:00:00 in Europe/Berlin)
      selected   1 identity (who was due), 2 skipped
      refreshed  1 in […]
      changed    1 identity
        1  lifecycle state
        1  set of assigned roles
        1  leaver
        1  identity that lost a role
      events     1
        1  leaver
      findings   0 new, 0 open
    [exit 0]
    ");
    insta::assert_snapshot!(run(&host, &["refresh", "--as-of", "2026-04-02"]), @r"
    run 3: done
      as of      2026-04-01T22:00:00Z (2026-04-02 00:00:00 in Europe/Berlin)
      selected   1 identity (who was due), 2 skipped
      refreshed  1 in […]
      changed    1 identity
        1  lifecycle state
        1  set of assigned roles
        1  leaver
        1  identity that lost a role
      events     1
        1  leaver
      findings   0 new, 0 open
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["event", "list"]), @r"
    2026-03-31T21:00:00Z (23:00:00 in Europe/Berlin)  leaver  bob
        detected at 2026-04-01T22:00:00Z
        lifecycleState: active -> inactive
        role Staff: lost
    2026-03-31T15:00:00Z (17:00:00 in Europe/Berlin)  leaver  alice
        lifecycleState: active -> inactive
        role Staff: lost
    [exit 0]
    ");
}

#[test]
fn whose_inputs_have_changed_is_due() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["due"]), @r"
    0 due at 2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)
    [exit 0]
    ");
    host.write(
        "feeds/ad.csv",
        "dn,owner,groups\ncn=alice,alice,crm\ncn=bob,bob,wiki\n",
    );
    aggregate_file(&host, "ad", "2026-03-02T08:00:00Z");
    insta::assert_snapshot!(host.run(["due"]), @r"
    1 due at 2026-03-02T08:00:00Z (09:00:00 in Europe/Berlin)
      alice  now  an input changed
    [exit 0]
    ");
    insta::assert_snapshot!(serde_json::to_string_pretty(&host.json(["due"])).expect("JSON"), @r#"
    [
      {
        "due": true,
        "name": "alice",
        "reasons": [
          "inputs-changed"
        ],
        "retry_at": null,
        "uid": 1,
        "wake_at": null
      }
    ]
    "#);
    insta::assert_snapshot!(host.run(["due", "--within", "soon"]), @r"
    error: `soon` is no span of time
    hint: write numbers with units (w, d, h, m, s) such as `7d` or `1h 30m`
    [exit 2]
    ");
}

#[test]
fn a_changed_configuration_is_said_to_make_people_due() {
    let host = refreshed_tenant();
    insta::assert_snapshot!(host.run(["check", "--impact"]), @r"
    no problems in tenant `acme`
      applications             2
      identity attributes      4
      lifecycle states         1
      business roles           1
      IT roles                 1
      triggers                 3
      populations              0
      rules                    0
      tasks                    0
    no definition has changed since the last refresh
    [exit 0]
    ");
    let roles = host.read("roles/roles.toml");
    host.write(
        "roles/roles.toml",
        roles.replace("Sales\"'", "Engineering\"'"),
    );
    insta::assert_snapshot!(host.run(["check", "--impact"]), @r"
    no problems in tenant `acme`
      applications             2
      identity attributes      4
      lifecycle states         1
      business roles           1
      IT roles                 1
      triggers                 3
      populations              0
      rules                    0
      tasks                    0
    changed since the last refresh
      role Sales
    this makes due: 3 identities
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["due"]), @r"
    0 due at 2026-03-01T08:00:00Z (09:00:00 in Europe/Berlin)
    the configuration has changed since the last refresh: idr check --impact
    [exit 0]
    ");
}
