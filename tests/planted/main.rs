//! Bugs planted in planning and refreshing must be found by the laws that say
//! an incremental refresh equals a full one, and that what is called for comes about.
//!
//! Built with the feature `planted-bugs` only, and a process of its own: a
//! planted bug is in everything that the process does.

#[path = "../refresh/again.rs"]
mod again;
#[path = "../refresh/consequences.rs"]
mod consequences;
#[path = "../refresh/convergence.rs"]
mod convergence;
#[path = "../refresh/governance.rs"]
mod governance;
#[allow(dead_code, reason = "dry runs are compared in the other binary")]
#[path = "../refresh/histories.rs"]
mod histories;
#[path = "../refresh/provisioned.rs"]
mod provisioned;
#[path = "../refresh/variety.rs"]
mod variety;
#[path = "../refresh/world.rs"]
mod world;

use std::sync::Arc;

use convergence::{comes_about, comes_about_exactly};
use histories::{History, compare, leaves_nothing_undone};
use idr::store::Store;
use idr::store::memory::MemoryStore;
use idr_core::planted::{Bug, plant};
use world::Tenants;

const SEEDS: u64 = 2_000;

#[test]
fn every_planted_bug_is_found_and_none_without() {
    let memory = || Arc::new(MemoryStore::default()) as Arc<dyn Store>;
    // Each keeps every tenant that it was used for: a new one for each history.
    let scripts = || Arc::new(Tenants::default());
    let found = |seed: u64| {
        let mut histories = [History::plain(seed), History::random(seed)].into_iter();
        histories.any(|history| {
            compare(&history, &scripts(), memory).is_err()
                || leaves_nothing_undone(&history, &scripts(), memory()).is_err()
        })
    };
    let comes_about = |seed: u64| {
        let history = History::random(seed);
        comes_about(&history).and_then(|()| comes_about_exactly(&history))
    };
    assert_eq!(
        (1..=20).find(|seed| found(*seed) || comes_about(*seed).is_err()),
        None,
        "the laws hold without a bug"
    );
    let components = Arc::new(Tenants::with_components());
    let history = History::random(1);
    assert_eq!(
        compare(&history, &components, memory),
        Ok(()),
        "nor with components"
    );
    let fails = |bug: Bug, seed: u64| match bug {
        Bug::ForgetWhatWasGiven | Bug::CountNoChanges => comes_about(seed).is_err(),
        _ => found(seed),
    };
    for bug in Bug::ALL {
        plant(Some(bug));
        let seed = (1..=SEEDS).find(|seed| fails(bug, *seed));
        plant(None);
        println!("{bug:?}: found with seed {seed:?}");
        let seed = seed.unwrap_or_else(|| panic!("{bug:?} was not found in {SEEDS} histories"));
        assert!(!fails(bug, seed), "seed {seed} fails without {bug:?}, too");
    }
}
