//! Feeds as they come: broken, encoded otherwise, out of order, unchanged.

use idr::aggregate::{AggregateError, AggregateOptions};

use crate::tenant::{Tenant, day};

#[test]
fn accounts_are_read_and_identities_created_in_input_order() {
    let tenant = Tenant::new();
    let counted = tenant.full("hr", 1, "2,bela,bela@x,IT,b|a,off\n1,ana,ana@x,,,");
    insta::assert_snapshot!(counted, @"1 done: read=2 created=2 correlated=2 identities=2");
    insta::assert_snapshot!(tenant.accounts(), @r"
    hr 1 enabled email=ana@x user=ana: ana (created)
    hr 2 disabled department=IT email=bela@x groups=a, b user=bela: bela (created)
    ");
    assert!(tenant.uid("bela") < tenant.uid("ana"));
}

#[test]
fn an_unchanged_file_writes_nothing_about_anybody() {
    let tenant = Tenant::new();
    let rows = "1,ana,ana@x,IT,a|b,\n2,bela,,IT,,";
    tenant.full("hr", 1, rows);
    let before = tenant.versions();
    let again = "2,bela,,IT,,on\n1,ana,ana@x,IT,b|a|a,";
    insta::assert_snapshot!(tenant.full("hr", 2, again), @"2 done: read=2 unchanged=2");
    assert_eq!(tenant.versions(), before);
    insta::assert_snapshot!(tenant.full("hr", 3, "1,ana,ana@x,HR,a|b,\n2,bela,,IT,,"), @"3 done: read=2 unchanged=1 modified=1");
    let after = tenant.versions();
    assert_ne!(after[0].input, before[0].input);
    assert_eq!(after[1], before[1]);
}

#[test]
fn accounts_vanish_and_return() {
    let tenant = Tenant::new();
    let both = "1,ana,,IT,,\n2,bela,,IT,,";
    tenant.full("hr", 1, both);
    insta::assert_snapshot!(tenant.full("hr", 2, "1,ana,,IT,,"), @"2 done: read=1 unchanged=1 vanished=1");
    insta::assert_snapshot!(tenant.full("hr", 3, "1,ana,,IT,,"), @"3 done: read=1 unchanged=1");
    insta::assert_snapshot!(tenant.accounts(), @r"
    hr 1 enabled department=IT user=ana: ana (created)
    hr 2 enabled department=IT user=bela missing since day 2: bela (created)
    ");
    insta::assert_snapshot!(tenant.full("hr", 4, both), @"4 done: read=2 unchanged=1 returned=1");
    insta::assert_snapshot!(tenant.accounts(), @r"
    hr 1 enabled department=IT user=ana: ana (created)
    hr 2 enabled department=IT user=bela: bela (created)
    ");
}

#[test]
fn a_delta_makes_nobody_vanish() {
    let tenant = Tenant::new();
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,");
    insta::assert_snapshot!(tenant.delta("hr", 2, "3,chidi,,IT,,\n1,ana,,HR,,"), @"2 done: read=2 created=1 modified=1 correlated=1 identities=1");
    insta::assert_snapshot!(tenant.accounts(), @r"
    hr 1 enabled department=HR user=ana: ana (created)
    hr 2 enabled department=IT user=bela: bela (created)
    hr 3 enabled department=IT user=chidi: chidi (created)
    ");
}

#[test]
fn broken_records_are_findings_and_their_accounts_stay() {
    let tenant = Tenant::new();
    let rows = "1,ana,ana@x,IT,,\n2,bela,bela@x,IT,,\n3,chidi,chidi@x,IT,,\n4,dora,dora@x,IT,,\n5,eve,eve@x,IT,,";
    tenant.full("hr", 1, rows);
    let broken = "1,\"ana,ana@x,HR,,\n2,bela,bela@x,HR\n,chidi,chidi@x,IT,,\n4,dora,dora@x,HR,,\n4,dora,dora@x,IT,,";
    insta::assert_snapshot!(tenant.full("hr", 2, broken), @"2 done: read=5 modified=1 vanished=1 broken=4 kept=1");
    insta::assert_snapshot!(tenant.accounts(), @r"
    hr 1 enabled department=IT email=ana@x user=ana: ana (created)
    hr 2 enabled department=IT email=bela@x user=bela: bela (created)
    hr 3 enabled department=IT email=chidi@x user=chidi: chidi (created)
    hr 4 enabled department=HR email=dora@x user=dora: dora (created)
    hr 5 enabled department=IT email=eve@x user=eve missing since day 2: eve (created)
    ");
    insta::assert_snapshot!(tenant.findings(), @r"
    hr file: kept-accounts: 1 accounts aren't listed, but could be among the broken records; they stay: `3`
    hr line 2: broken-quote: a quoted field begins and isn't closed
    hr line 3: wrong-field-count: the record has 4 fields, and the header has 6
    hr line 4: no-native-identity: column `id` is blank
    hr line 6: repeated-native-identity: account `4` is listed again; the first line counts
    ");
    tenant.full("hr", 3, rows);
    assert_eq!(tenant.findings(), "");
}

#[test]
fn the_encoding_is_as_configured_and_damage_stays_in_its_line() {
    let mut tenant = Tenant::new();
    let feed = b"id,user,email,department,groups,status\n1,ana,,K\xFCche,,\n2,bela,,IT,,\n";
    tenant.write_bytes(feed);
    let options = AggregateOptions {
        as_of: Some(day(1)),
        ..tenant.options()
    };
    insta::assert_snapshot!(tenant.aggregated("hr", &options), @"1 done: read=2 created=1 broken=1 correlated=1 identities=1");
    insta::assert_snapshot!(tenant.findings(), @"hr line 2: invalid-bytes: characters in the record can't be read as UTF-8");
    tenant.connector.file.encoding =
        encoding_rs::Encoding::for_label(b"latin1").expect("it is known");
    let options = AggregateOptions {
        as_of: Some(day(1)),
        ..tenant.options()
    };
    insta::assert_snapshot!(tenant.aggregated("hr", &options), @"2 done: read=2 unchanged=1 created=1 correlated=1 identities=1");
    assert!(tenant.accounts().contains("department=Küche"));
    assert_eq!(tenant.findings(), "");
}

#[test]
fn a_file_that_is_cut_off_makes_nobody_vanish() {
    let tenant = Tenant::new();
    tenant.full("hr", 1, "1,ana,,IT,,\n2,bela,,IT,,\n3,chidi,,IT,,");
    tenant.write_bytes(b"id,user,email,department,groups,status\n1,ana,,HR,,\n2,bel");
    let options = AggregateOptions {
        as_of: Some(day(2)),
        ..tenant.options()
    };
    insta::assert_snapshot!(tenant.aggregated("hr", &options), @"2 done: read=2 modified=1 broken=1");
    insta::assert_snapshot!(tenant.findings(), @r"
    hr file: cut-off: the file ends within a record; accounts that it doesn't list stay
    hr line 3: wrong-field-count: the record has 2 fields, and the header has 6
    ");
}

#[test]
fn what_cannot_be_read_at_all_changes_nothing() {
    let tenant = Tenant::new();
    tenant.write_bytes(b"id,user,mail,department,groups,status\n1,ana,ana@x,IT,,\n");
    let error = tenant
        .try_aggregate(&tenant.store, "hr", &tenant.options())
        .expect_err("a column is missing");
    assert!(
        error
            .to_string()
            .ends_with("has no column `email` for attribute `email`")
    );
    assert_eq!(error.hint().as_deref(), Some("did you mean `mail`?"));
    let options = AggregateOptions {
        file: Some("nowhere.csv".into()),
        ..tenant.options()
    };
    let error = tenant.try_aggregate(&tenant.store, "hr", &options);
    assert!(matches!(error, Err(AggregateError::Unreadable { .. })));
    assert_eq!(tenant.accounts(), "");
}

#[test]
fn time_runs_forwards_unless_forced() {
    let tenant = Tenant::new();
    tenant.full("hr", 5, "1,ana,,IT,,");
    insta::assert_snapshot!(tenant.full("hr", 4, "1,ana,,IT,,"), @"error: 1970-01-05T00:00:00Z lies before 1970-01-06T00:00:00Z, for which the tenant was changed last");
    let forced = AggregateOptions {
        as_of: Some(day(4)),
        force: true,
        ..tenant.options()
    };
    insta::assert_snapshot!(tenant.aggregated("hr", &forced), @"2 done: read=1 unchanged=1");
    let real = AggregateOptions {
        as_of: Some(day(9)),
        now: day(8),
        simulated_clock: false,
        ..tenant.options()
    };
    insta::assert_snapshot!(tenant.aggregated("hr", &real), @"error: 1970-01-10T00:00:00Z lies in the future: now it is 1970-01-09T00:00:00Z");
    let without = tenant.options();
    let report = tenant
        .try_aggregate(&tenant.store, "hr", &without)
        .expect("now is the last instant");
    assert_eq!(report.aggregation.as_of, day(5));
}
