//! Walks through the months. After each month everybody is as the oracle says,
//! the events are those that it says, and a second refresh does nothing.

use std::collections::BTreeMap;

use idr::store::Scope;
use idr_core::model::UnixMillis;
use tempfile::TempDir;

use crate::data::{self, Month};
use crate::edits::{self, Tally};
use crate::oracle::{Oracle, count};
use crate::tenant::{CertTenant, assert_idle, compare, compare_events};

/// Returns the instant of the step at this place: the walks go forwards in
/// time, whichever way they go through the months.
pub(crate) fn instant(step: usize) -> UnixMillis {
    let start: UnixMillis = "2010-01-01T00:00:00Z".parse().expect("an instant");
    start.plus_ms(30 * 86_400_000 * i64::try_from(step).expect("few steps"))
}

/// Walks through months in one tenant and returns how many events of each
/// trigger there were.
fn walk(months: &[&Month]) -> BTreeMap<String, u64> {
    let mut tenant = CertTenant::new();
    let mut oracle = Oracle::default();
    let mut totals = BTreeMap::new();
    for (step, month) in months.iter().enumerate() {
        let as_of = instant(step);
        let what = format!("step {step}, {}", month.name);
        tenant.aggregate(month, as_of);
        let run = tenant.refresh(as_of, Scope::Due);
        let expected = oracle.next(&month.rows);
        compare(&what, &tenant.people(), &oracle.people);
        compare_events(&what, &tenant.new_events(as_of), &expected);
        assert_eq!(run.counters.events, count(&expected), "{what}");
        for (trigger, number) in count(&expected) {
            *totals.entry(trigger).or_default() += number;
        }
        let before = tenant.export();
        let again = tenant.refresh(as_of, Scope::Due);
        assert_idle(&what, &again.counters);
        let everybody = tenant.refresh(as_of, Scope::All);
        assert_eq!(everybody.counters.refreshed, oracle.people.len() as u64);
        assert_eq!(everybody.counters.changed, 0, "{what}");
        assert_eq!(everybody.counters.findings_opened, 0, "{what}");
        assert!(
            tenant.export() == before,
            "{what}: a second refresh changed something"
        );
    }
    totals
}

fn totals<const N: usize>(pairs: [(&str, u64); N]) -> BTreeMap<String, u64> {
    pairs
        .map(|(trigger, number)| (trigger.to_owned(), number))
        .into()
}

#[test]
fn forwards_people_leave() {
    let Some(months) = data::months("forwards_people_leave") else {
        return;
    };
    let seen = walk(&months.iter().collect::<Vec<_>>());
    let expected = [("leaver", 163), ("manager-transfer", 2), ("mover", 1666)];
    assert_eq!(seen, totals(expected));
}

#[test]
fn backwards_people_join() {
    let Some(months) = data::months("backwards_people_join") else {
        return;
    };
    let seen = walk(&months.iter().rev().collect::<Vec<_>>());
    let expected = [("joiner", 163), ("manager-transfer", 2), ("mover", 1666)];
    assert_eq!(seen, totals(expected));
}

#[test]
fn forwards_and_backwards_people_come_back() {
    let Some(months) = data::months("forwards_and_backwards_people_come_back") else {
        return;
    };
    let there_and_back: Vec<&Month> = months.iter().chain(months.iter().rev().skip(1)).collect();
    let seen = walk(&there_and_back);
    let expected = [
        ("joiner", 163),
        ("leaver", 163),
        ("manager-transfer", 4),
        ("mover", 2 * 1666),
    ];
    assert_eq!(seen, totals(expected));
}

/// Walks through edited months.
fn walk_edited(test: &str, seed: u64) {
    let Some(months) = data::months(test) else {
        return;
    };
    let (months, tally) = edits::edited(&months, seed);
    let expected = Tally {
        manager_changes: 50,
        renames: 20,
        emails: 20,
    };
    assert_eq!(tally, expected);
    let folder = TempDir::with_prefix("idr-test-").expect("a temporary folder can be made");
    let months = data::write(&months, folder.path());
    let seen = walk(&months.iter().collect::<Vec<_>>());
    assert_eq!((seen["leaver"], seen["mover"]), (163, 1666));
    // Every report of a supervisor who gets another name counts as well.
    assert!(seen["manager-transfer"] > 50, "{seen:?}");
}

#[test]
fn edited_months_have_chains_circles_new_names_and_reused_emails() {
    walk_edited(
        "edited_months_have_chains_circles_new_names_and_reused_emails",
        1,
    );
}

#[test]
fn other_edits_come_out_right_as_well() {
    walk_edited("other_edits_come_out_right_as_well", 2);
}

#[test]
fn refreshing_who_is_due_leaves_what_refreshing_everybody_would() {
    let test = "refreshing_who_is_due_leaves_what_refreshing_everybody_would";
    let Some(months) = data::months(test) else {
        return;
    };
    let (months, _) = edits::edited(&months, 3);
    let folder = TempDir::with_prefix("idr-test-").expect("a temporary folder can be made");
    let months = data::write(&months, folder.path());
    let (incremental, full) = (CertTenant::new(), CertTenant::new());
    for (step, month) in months.iter().enumerate() {
        let as_of = instant(step);
        for (tenant, scope) in [(&incremental, Scope::Due), (&full, Scope::All)] {
            tenant.aggregate(month, as_of);
            tenant.refresh(as_of, scope);
        }
        let (left, right) = (incremental.export(), full.export());
        let differing = left
            .lines()
            .zip(right.lines())
            .find(|(left, right)| left != right);
        assert!(left == right, "{}: {differing:?}", month.name);
    }
}

/// In one month somebody gets another supervisor, whose name two people get in
/// the same month: whose report it is can't be told, so the manager stays.
#[test]
fn a_manager_stays_when_two_get_the_new_name_at_once() {
    let test = "a_manager_stays_when_two_get_the_new_name_at_once";
    let Some(mut months) = data::months(test) else {
        return;
    };
    months.truncate(3);
    let user = |place: usize| months[2].rows[place].field("user_id").to_owned();
    let (report, twins) = (user(10), [user(11), user(12)]);
    for row in months[1..].iter_mut().flat_map(|month| &mut month.rows) {
        if row.field("user_id") == report {
            row.set("supervisor", "Two People");
        } else if twins.iter().any(|twin| row.field("user_id") == twin) {
            row.set("employee_name", "Two People");
        }
    }
    let folder = TempDir::with_prefix("idr-test-").expect("a temporary folder can be made");
    walk(
        &data::write(&months, folder.path())
            .iter()
            .collect::<Vec<_>>(),
    );
}
