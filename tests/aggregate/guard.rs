//! The guard: damage that must wait for a person.

use crate::tenant::{Tenant, no_guard, percent};
use idr::aggregate::connector::Guard;

/// Returns rows of so many people, each with a department of three.
fn people(numbers: impl Iterator<Item = u32>) -> Vec<Vec<String>> {
    numbers
        .map(|number| {
            vec![
                format!("E{number}"),
                format!("user{number}"),
                format!("mail{number}@x"),
                format!("department{}", number % 3),
                "staff".to_owned(),
                String::new(),
            ]
        })
        .collect()
}

fn rows(people: &[Vec<String>]) -> String {
    let rows: Vec<String> = people.iter().map(|fields| fields.join(",")).collect();
    rows.join("\n")
}

fn guarded(guard: Guard) -> Tenant {
    let mut tenant = Tenant::new();
    tenant.connector.guard = guard;
    let counted = tenant.full("hr", 1, &rows(&people(1..=40)));
    assert_eq!(
        counted,
        "1 done: read=40 created=40 correlated=40 identities=40"
    );
    tenant
}

#[test]
fn many_vanished_accounts_are_held() {
    let tenant = guarded(Guard {
        vanished: percent(10),
        ..no_guard()
    });
    let before = tenant.accounts();
    insta::assert_snapshot!(tenant.full("hr", 2, &rows(&people(6..=40))), @r"
    2 held: read=35 unchanged=35 vanished=5
    5 of 40 accounts aren't listed any more, 4 may: `E1`, `E2`, `E3`, …
    ");
    assert_eq!(tenant.accounts(), before);
    insta::assert_snapshot!(tenant.findings(), @"hr guard: aggregation-held: aggregation 2 is held: 5 of 40 accounts aren't listed any more, 4 may: `E1`, `E2`, `E3`, …");
    insta::assert_snapshot!(tenant.full("hr", 3, &rows(&people(5..=40))), @"3 done: read=36 unchanged=36 vanished=4");
    assert_eq!(tenant.findings(), "");
    insta::assert_snapshot!(tenant.full("hr", 4, ""), @r"
    4 held: vanished=36
    36 of 36 accounts aren't listed any more, 3 may: `E10`, `E11`, `E12`, …
    ");
}

#[test]
fn many_new_accounts_are_held_but_not_in_a_first_load() {
    let tenant = guarded(Guard {
        new: percent(10),
        ..no_guard()
    });
    insta::assert_snapshot!(tenant.full("hr", 2, &rows(&people(1..=45))), @r"
    2 held: read=45 unchanged=40 created=5
    5 accounts are new beside 40, 4 may: `E41`, `E42`, `E43`, …
    ");
}

#[test]
fn an_emptied_column_is_held() {
    let tenant = guarded(Guard {
        emptied: percent(10),
        ..no_guard()
    });
    let mut emptied = people(1..=40);
    for fields in &mut emptied {
        fields[2].clear();
    }
    insta::assert_snapshot!(tenant.full("hr", 2, &rows(&emptied)), @r"
    2 held: read=40 modified=40
    `email` is blank now in 40 of 40 accounts that had it, 4 may: `E1`, `E2`, `E3`, …
    ");
}

#[test]
fn keys_that_slipped_by_a_row_are_held() {
    let tenant = guarded(Guard {
        rekeyed: percent(10),
        ..no_guard()
    });
    let mut shifted = people(1..=40);
    shifted.pop();
    for (fields, number) in shifted.iter_mut().zip(2..) {
        fields[0] = format!("E{number}");
    }
    insta::assert_snapshot!(tenant.full("hr", 2, &rows(&shifted)), @r"
    2 held: read=39 modified=39 vanished=1
    39 of 40 accounts seem to have got another native identity, 4 may: `E10` looks like `E9`, `E11` looks like `E10`, `E12` looks like `E11`, …
    ");
}

#[test]
fn other_keys_for_the_same_people_are_held() {
    let tenant = guarded(Guard {
        rekeyed: percent(10),
        ..no_guard()
    });
    let mut renumbered = people(1..=40);
    for fields in &mut renumbered {
        fields[0] = fields[0].replace('E', "EMP-");
    }
    insta::assert_snapshot!(tenant.full("hr", 2, &rows(&renumbered)), @r"
    2 held: read=40 created=40 vanished=40
    40 of 40 accounts seem to have got another native identity, 4 may: `EMP-10` looks like `E10`, `EMP-11` looks like `E11`, `EMP-12` looks like `E12`, …
    ");
}

#[test]
fn successors_in_a_department_are_not_taken_for_the_same_people() {
    let tenant = guarded(Guard {
        rekeyed: percent(1),
        ..no_guard()
    });
    let successors: Vec<_> = people(11..=40).into_iter().chain(people(61..=70)).collect();
    insta::assert_snapshot!(tenant.full("hr", 2, &rows(&successors)), @"2 done: read=40 unchanged=30 created=10 vanished=10 correlated=10 identities=10");
}
