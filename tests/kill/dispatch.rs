//! A dispatcher that dies at any point of carrying something out: nothing is lost,
//! and nothing is done again that was confirmed.

use std::cell::Cell;

use crate::rounds::{World, logged};
use crate::targets::Target;

/// The points at which what is done in an application may be cut off, and the writes
/// between them.
const POINTS: [&str; 7] = [
    "dispatch-begun",
    "dispatch-performed",
    "dispatch-read-back",
    "store-settle-begin",
    "store-settle-commit",
    "store-aggregate-begin",
    "store-aggregate-commit",
];

#[test]
fn killed_at_every_point_of_a_pass() {
    let undisturbed = logged(Target::sqlite(), "20s", &mut |_| false);
    assert!(undisturbed.contains("create ana"), "{undisturbed}");
    for point in POINTS {
        for hits in [0, 1] {
            let (calls, deaths) = (Cell::new(0), Cell::new(0));
            // Every other pass dies; those between bring it on.
            let mut disturb = |world: &World| {
                calls.set(calls.get() + 1);
                if calls.get() % 2 == 0 {
                    return false;
                }
                let killed = world
                    .command(&["dispatch", "--once", "--quiet"])
                    .env("FAILPOINTS", format!("{point}={hits}*off->return(abort)"))
                    .output()
                    .expect("it can be started");
                deaths.set(deaths.get() + u32::from(killed.status.code().is_none()));
                true
            };
            let done = logged(Target::sqlite(), "20s", &mut disturb);
            assert_eq!(done, undisturbed, "{point} after {hits} hits");
            assert!(hits > 0 || deaths.get() > 2, "{point} is not reached");
        }
    }
}
