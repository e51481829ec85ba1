//! From joining to being rehired, with the target database as the judge: once
//! undisturbed, on every database at hand, and once with a target that can't be
//! reached a third of the time and a dispatcher that is killed now and then.

use std::process::Stdio;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::rounds::{EXPECTED, World, circle, logged};
use crate::targets::Target;

#[test]
fn joiner_mover_leaver_and_rehired_on_sqlite() {
    let mut world = World::new(Target::sqlite(), "20s");
    assert_eq!(circle(&mut world, &mut |_| false), EXPECTED);
}

#[test]
fn joiner_mover_leaver_and_rehired_on_postgres() {
    if let Some(target) = Target::postgres() {
        let mut world = World::new(target, "20s");
        assert_eq!(circle(&mut world, &mut |_| false), EXPECTED);
    }
}

/// The same is done in a target, in the same order, and nothing twice, whatever happens
/// to it and to the dispatcher on the way.
fn nothing_changes(target: impl Fn() -> Target, timeout: &str, seeds: u64) {
    let undisturbed = logged(target(), timeout, &mut |_| false);
    for seed in 1..=seeds {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut disturb = |world: &World| {
            match dice.random_range(0..3) {
                // Somebody else holds the target, for longer than is waited.
                0 => {
                    world.target.held(|| world.idr(&["dispatch", "--once"]));
                    true
                }
                1 => {
                    let mut child = world
                        .command(&["dispatch", "--once", "--quiet"])
                        .stdout(Stdio::null())
                        .stderr(Stdio::null())
                        .spawn()
                        .expect("it can be started");
                    std::thread::sleep(Duration::from_millis(dice.random_range(5..60)));
                    // It may have come to its end.
                    drop(child.kill());
                    child.wait().expect("it was started");
                    true
                }
                _ => false,
            }
        };
        let disturbed = logged(target(), timeout, &mut disturb);
        assert_eq!(disturbed, undisturbed, "seed {seed}");
    }
}

#[test]
fn a_target_that_fails_and_a_dispatcher_that_is_killed_change_nothing() {
    nothing_changes(Target::sqlite, "60ms", 3);
}

#[test]
fn a_postgres_that_fails_and_a_dispatcher_that_is_killed_change_nothing() {
    if Target::postgres().is_some() {
        let target = || Target::postgres().expect("there was one just now");
        nothing_changes(target, "200ms", 1);
    }
}

#[test]
fn the_first_password_is_drawn_read_or_none() {
    let drawn = "password = { column = \"secret\" }";
    let read = "password = { column = \"secret\", value = \"file:first.key\" }";
    for (setting, length) in [(drawn, "24"), (read, "10"), ("", "-")] {
        let mut world = World::new(Target::sqlite(), "20s");
        world.host.write("first.key", "opensesame\n");
        let application = world.host.read("applications/crm.toml");
        assert!(application.contains(drawn), "{application}");
        let application = application.replace(drawn, setting);
        world.host.write("applications/crm.toml", application);
        let said = world.day(0, "ana,Sales,ana@acme.example", &mut |_| false);
        let expected = format!("ana ana@acme.example on {length}\nana sell");
        assert_eq!(said, expected, "{setting}");
        let outbox = world.host.json(["outbox", "list"]).to_string();
        assert!(!outbox.contains("opensesame"), "{outbox}");
    }
}
