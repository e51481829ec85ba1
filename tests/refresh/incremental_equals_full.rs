//! After any sequence of changes, refreshing who is due leaves exactly what
//! refreshing everybody would, events included.
//!
//! `IDR_SEEDS=1..10000` takes other seeds, `IDR_SEED=17` one. A seed that once
//! failed is kept in `regressions.txt`.

use std::sync::Arc;

use idr::store::memory::MemoryStore;
use idr::store::sqlite::{SqliteOptions, SqliteStore};
use idr::store::{AuditQuery, Run, Scope, Store};

use crate::convergence::{comes_about, comes_about_exactly};
use crate::histories::{
    Happening, History, Operation, Way, compare, is_foretold, leaves_nothing_undone,
};
use crate::world::Tenants;

fn seeds() -> Vec<u64> {
    let number = |text: &str| text.parse::<u64>().expect("a seed is a number");
    if let Ok(seed) = std::env::var("IDR_SEED") {
        return vec![number(&seed)];
    }
    let kept = include_str!("regressions.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let range = std::env::var("IDR_SEEDS").unwrap_or_else(|_| "1..64".to_owned());
    let (first, last) = range.split_once("..").expect("IDR_SEEDS is FIRST..LAST");
    kept.map(number)
        .chain(number(first)..=number(last))
        .collect()
}

fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::default())
}

fn scripts() -> Arc<Tenants> {
    Arc::new(Tenants::default())
}

#[test]
fn two_stores_that_are_refreshed_differently_stay_equal() {
    check(|history| compare(history, &scripts(), memory));
}

#[test]
fn when_nobody_is_due_a_full_refresh_finds_nothing_to_do() {
    check(|history| leaves_nothing_undone(history, &scripts(), memory()));
}

#[test]
fn a_dry_run_tells_what_the_run_then_does() {
    check(|history| is_foretold(history, &scripts(), memory()));
}

#[test]
fn what_is_called_for_comes_about() {
    check(comes_about);
}

#[test]
fn what_is_called_for_comes_about_exactly() {
    check(comes_about_exactly);
}

/// The engine and components are slower, so they get a few of the histories.
#[test]
fn the_embedded_store_and_components_obey_as_well() {
    let components = Arc::new(Tenants::with_components());
    for seed in seeds().into_iter().take(8) {
        let history = History::random(seed);
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let number = std::cell::Cell::new(0);
        let sqlite = || {
            number.set(number.get() + 1);
            let path = folder.path().join(format!("{}.db", number.get()));
            let store = SqliteStore::open(&path, &SqliteOptions::default());
            Arc::new(store.expect("a new store can be made")) as Arc<dyn Store>
        };
        let equal = compare(&history, &components, sqlite);
        let done = equal.and_then(|()| leaves_nothing_undone(&history, &components, sqlite()));
        let done = done.and_then(|()| is_foretold(&history, &components, sqlite()));
        if let Err((place, difference)) = done {
            panic!("seed {seed}: after operation {place} the states differ\n{difference}");
        }
    }
}

#[test]
fn components_answer_as_the_same_programs_do_natively() {
    for seed in seeds().into_iter().take(8) {
        let history = History::random(seed);
        let leaves = |tenants| {
            let mut happening = Happening::new(memory(), Way::Incremental, tenants, &history);
            for operation in &history.operations {
                happening.happen(operation);
            }
            happening.export()
        };
        let native = leaves(scripts());
        assert!(
            native == leaves(Arc::new(Tenants::with_components())),
            "seed {seed}"
        );
    }
}

/// What is hard to get into is got into all the same, or the law would say
/// nothing about it.
#[test]
fn histories_come_to_answers_and_to_changes_that_wait_for_one() {
    let mut missing = vec![
        "\"unanswered\":{",
        "\"answer\":{",
        "proposed by rule-10",
        "rule `rule-11`",
    ];
    for seed in 1..64 {
        let history = History::random(seed);
        let mut happening = Happening::new(memory(), Way::Incremental, scripts(), &history);
        for operation in &history.operations {
            let state = happening.happen(operation).unwrap_or_default();
            missing.retain(|wanted| !state.contains(wanted));
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// What half of the histories have besides happens in them, or the law would say
/// nothing about it.
#[test]
fn histories_come_to_what_thresholds_hold_and_people_give_to_others() {
    let mut missing = vec![
        "\"link\":\"manual\"",
        "\"status\":\"locked\"",
        "\"role\":\"population-0\"",
        "\"role\":\"listed\"",
        "a kind was left out",
        "a kind was approved",
        "a run was approved",
        "some were refreshed",
        "a split",
        "a merge",
        "{\"history\":{",
        "an image was dropped",
    ];
    for seed in 1..64 {
        let history = History::random(seed);
        let mut happening = Happening::new(memory(), Way::Incremental, scripts(), &history);
        for operation in &history.operations {
            let state = happening.happen(operation).unwrap_or_default();
            let lately = lately(happening.store.as_ref());
            missing.retain(|wanted| !state.contains(wanted) && !lately.contains(wanted));
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Policies are violated, decided about and hold in them, and risk is scored.
#[test]
fn histories_come_to_violations_that_people_decide_about() {
    let wanted = [
        "\"status\":\"mitigated\"",
        "\"status\":\"expired\"",
        "\"status\":\"denied\"",
        "\"basis\":\"desired\"",
        "\"basis\":\"both\"",
        "\"held\":[\"",
        "\"ended\":\"",
        "\"policy\":\"access\"",
        "\"policy\":\"accounts\"",
        "\"policy\":\"groups\"",
        "\"policy\":\"people\"",
        "\"policy\":\"risk\"",
        "\"policy\":\"roles\"",
        "decide whether `p",
        "\"certification\":50",
    ];
    let mut missing = wanted.to_vec();
    for seed in 1..64 {
        let history = History::random(seed);
        let mut happening = Happening::new(memory(), Way::Incremental, scripts(), &history);
        for operation in &history.operations {
            let state = happening.happen(operation).unwrap_or_default();
            missing.retain(|wanted| !state.contains(wanted));
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Accounts are made of others, a rule judges, changes are sent and never shown, and
/// identities are pruned.
#[test]
fn histories_come_to_what_follows_from_who_somebody_is() {
    let mut missing = vec![
        "\"link\":\"logical\"",
        "[\"crm v",
        "\"seat\":{",
        "\"role\":\"crm it\"",
        "\"role\":\"composed\"",
        "\"policy\":\"scripted\",\"right",
        "\"unconfirmed\"",
        "\"provisioning-failed\"",
        "rule `rule-13`",
        "rule `rule-14`",
        "somebody was pruned",
        "a creation was held",
        "a deletion was held",
        "a removal was held",
    ];
    for seed in 1..64 {
        let history = History::random(seed);
        let mut happening = Happening::new(memory(), Way::Incremental, scripts(), &history);
        for operation in &history.operations {
            let state = happening.happen(operation).unwrap_or_default();
            let lately = lately(happening.store.as_ref());
            missing.retain(|wanted| !state.contains(wanted) && !lately.contains(wanted));
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Applications that are asked again say something else by then.
#[test]
fn histories_come_to_accounts_that_are_others_when_asked_again() {
    let mut missing = vec!["hr is another", "hr is gone", "ad is another", "ad is gone"];
    for seed in 1..64 {
        let history = History::random(seed);
        let mut happening = Happening::new(memory(), Way::Incremental, scripts(), &history);
        for operation in &history.operations {
            let before = happening.export();
            happening.happen(operation);
            if let Operation::AskAgain { account, changed } = operation
                && happening.export() != before
            {
                let what = if changed.is_some() { "another" } else { "gone" };
                missing.retain(|wanted| *wanted != format!("{} is {what}", account.0));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Says what is so of the last run, and what the last thing was that a person did.
fn lately(store: &dyn Store) -> Vec<&'static str> {
    let runs = store.runs(1).expect("the store can be read");
    let is = |holds: fn(&Run) -> bool| runs.first().is_some_and(holds);
    let last = store.audit_entries(&AuditQuery::default(), 1);
    let last = last.expect("the store can be read").pop();
    let did = |action: &str| last.as_ref().is_some_and(|entry| entry.action == action);
    [
        (is(|run| !run.held_kinds.is_empty()), "a kind was left out"),
        (
            is(|run| !run.approved_kinds.is_empty()),
            "a kind was approved",
        ),
        (is(|run| run.approved), "a run was approved"),
        (
            is(|run| run.scope == Scope::Chosen && run.counters.changed > 0),
            "some were refreshed",
        ),
        (did("split"), "a split"),
        (did("merge"), "a merge"),
        (did("prune"), "somebody was pruned"),
        (
            is(|run| run.held_kinds.contains_key("account_creations")),
            "a creation was held",
        ),
        (
            is(|run| run.held_kinds.contains_key("account_deletions")),
            "a deletion was held",
        ),
        (
            is(|run| run.held_kinds.contains_key("entitlement_removals")),
            "a removal was held",
        ),
        (
            is(|run| run.counters.changes.contains_key("snapshotsDropped")),
            "an image was dropped",
        ),
    ]
    .into_iter()
    .filter_map(|(holds, what)| holds.then_some(what))
    .collect()
}

fn check(law: impl Fn(&History) -> Result<(), (usize, String)>) {
    let seeds = seeds();
    println!(
        "{} seeds from {:?} to {:?}",
        seeds.len(),
        seeds.first(),
        seeds.last()
    );
    for seed in seeds {
        let history = History::random(seed);
        if law(&history).is_err() {
            let small = shrink(&history, |history| law(history).is_err());
            let (place, difference) = law(&small).expect_err("it failed before");
            panic!(
                "seed {seed}: after operation {place} the states differ\n{difference}\n\
                 the history, made short:\n{small:?}"
            );
        }
    }
}

/// Drops operations from a failing history for as long as it still fails.
fn shrink(history: &History, fails: impl Fn(&History) -> bool) -> History {
    let mut small = history.clone();
    let mut place = small.operations.len();
    while place > 0 {
        place -= 1;
        let mut shorter = small.clone();
        shorter.operations.remove(place);
        if fails(&shorter) {
            small = shorter;
        }
    }
    small
}
