//! What is aimed at, beside what was measured: where a report of the standard tenant
//! begins.

use std::io::{self, Write};

use crate::bench::{FeedMeasurement, Measurement};
use crate::report::grouped;

/// Refreshes of one tenant.
pub(super) struct Measured<'m> {
    pub(super) identities: u64,
    pub(super) threads: usize,
    pub(super) cases: &'m [Measurement],
}

impl Measured<'_> {
    fn case(&self, name: &str) -> Option<&Measurement> {
        self.cases.iter().find(|case| case.name == name)
    }
}

/// A figure that is to be reached, or not to be passed.
struct Goal {
    what: String,
    unit: &'static str,
    aimed: Aimed,
    measured: Option<f64>,
}

#[derive(Clone, Copy)]
enum Aimed {
    AtLeast(f64),
    AtMost(f64),
}

impl Aimed {
    fn figure(self) -> f64 {
        match self {
            Self::AtLeast(figure) | Self::AtMost(figure) => figure,
        }
    }

    /// Returns by what factor it is missed: 1 and less where it is met.
    fn missed_by(self, measured: f64) -> f64 {
        match self {
            Self::AtLeast(figure) => figure / measured,
            Self::AtMost(figure) => measured / figure,
        }
    }
}

/// Writes the table, of the goals that something was measured about.
///
/// - `refreshes`: of the standard tenant
/// - `feeds`: aggregations of the standard tenant
pub(super) fn write(
    refreshes: &[Measured<'_>],
    feeds: &[FeedMeasurement],
    out: &mut dyn Write,
) -> io::Result<()> {
    let goals = goals(refreshes, feeds);
    if goals.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n### What is aimed at, with the standard tenant\n")?;
    writeln!(out, "| | aimed at | measured | |\n|---|---:|---:|---|")?;
    for goal in goals {
        let Some(measured) = goal.measured else {
            continue;
        };
        let missed_by = goal.aimed.missed_by(measured);
        let verdict = match missed_by <= 1.0 {
            true => "met".to_owned(),
            false => format!("missed, x {missed_by:.2}"),
        };
        writeln!(
            out,
            "| {} | {} {} | {} | {verdict} |",
            goal.what,
            shown(goal.aimed.figure()),
            goal.unit,
            shown(measured),
        )?;
    }
    Ok(())
}

fn shown(figure: f64) -> String {
    match figure >= 100.0 {
        true => grouped(figure as u64),
        false => format!("{figure:.2}"),
    }
}

fn goals(refreshes: &[Measured<'_>], feeds: &[FeedMeasurement]) -> Vec<Goal> {
    let mut whole: Vec<&Measured<'_>> = refreshes.iter().filter(|one| one.threads > 1).collect();
    whole.sort_by_key(|one| one.identities);
    let mut goals = Vec::new();
    let mut add = |what: String, unit, aimed, measured| {
        goals.push(Goal {
            what,
            unit,
            aimed,
            measured,
        });
    };
    for (name, aimed) in [("full-unchanged", 150_000.0), ("full-changed", 50_000.0)] {
        for one in &whole {
            let rate = one.case(name).map(|case| case.identities_per_second);
            let what = format!("{name}, {} identities", grouped(one.identities));
            add(what, "identities/s", Aimed::AtLeast(aimed), rate);
        }
    }
    if let [small, .., large] = whole.as_slice() {
        for name in ["full-first", "full-unchanged", "full-changed"] {
            let cost = |of: &Measured<'_>| of.case(name).map(|case| case.cpu_us_per_identity);
            let ratio = cost(large)
                .zip(cost(small))
                .map(|(large, small)| large / small);
            let (small, large) = (grouped(small.identities), grouped(large.identities));
            let what = format!("{name}, CPU of one from {small} to {large}");
            add(what, "times", Aimed::AtMost(1.2), ratio);
        }
    }
    if let Some(large) = whole.last() {
        let size = grouped(large.identities);
        let seconds = |name| large.case(name).map(|case| case.seconds);
        let of_a_million = large.identities >= 1_000_000;
        let incremental = seconds("incremental-1").filter(|_| of_a_million);
        let what = format!("incremental-1, {size} identities");
        add(what, "s", Aimed::AtMost(0.5), incremental);
        let what = format!("one-cold, {size} identities");
        add(what, "s", Aimed::AtMost(0.05), seconds("one-cold"));
        let peak = large.cases.iter().map(|case| case.peak_mb).reduce(f64::max);
        let what = format!("most memory of any case, {size} identities");
        add(what, "MB", Aimed::AtMost(300.0), peak);
    }
    for alone in refreshes.iter().filter(|one| one.threads == 1) {
        let Some(both) = whole.iter().find(|one| one.identities == alone.identities) else {
            continue;
        };
        for name in ["full-first", "full-unchanged", "full-changed"] {
            let rate = |of: &Measured<'_>| of.case(name).map(|case| case.identities_per_second);
            let ratio = rate(both)
                .zip(rate(alone))
                .map(|(both, alone)| both / alone);
            let what = format!("{name}, {} threads against one", both.threads);
            add(what, "times", Aimed::AtLeast(1.7), ratio);
        }
    }
    for (name, aimed) in [
        ("aggregate-unchanged", 500_000.0),
        ("aggregate-changed", 60_000.0),
    ] {
        for feed in feeds.iter().filter(|feed| feed.name == name) {
            let what = format!("{name}, {}, {} rows", feed.application, grouped(feed.rows));
            let rate = Some(feed.rows_per_second);
            add(what, "rows/s", Aimed::AtLeast(aimed), rate);
        }
    }
    goals
}

#[cfg(test)]
mod tests {
    use crate::bench::{Io, StageTimes, WallTimes};

    use super::*;

    fn case(name: &str, identities_per_second: f64, cpu_us_per_identity: f64) -> Measurement {
        Measurement {
            name: name.to_owned(),
            identities: 0,
            refreshed: 0,
            changed: 0,
            events: 0,
            identities_per_second,
            seconds: 0.06,
            cpu_us_per_identity,
            peak_mb: 150.0,
            io: Io::default(),
            stages: StageTimes::default(),
            measuring_us_per_identity: 0.0,
            wall_seconds: WallTimes::default(),
        }
    }

    #[test]
    fn goals_are_met_or_missed_by_a_factor() {
        let small = [case("full-unchanged", 200_000.0, 10.0)];
        let large = [
            case("full-unchanged", 100_000.0, 15.0),
            case("incremental-1", 1.0, 1.0),
            case("one-cold", 1.0, 1.0),
        ];
        let alone = [case("full-unchanged", 50_000.0, 10.0)];
        let measured = |identities, threads, cases| Measured {
            identities,
            threads,
            cases,
        };
        let refreshes = [
            measured(1_000_000, 2, large.as_slice()),
            measured(10_000, 2, &small),
            measured(10_000, 1, &alone),
        ];
        let feed = FeedMeasurement {
            name: "aggregate-changed".to_owned(),
            application: "hr".to_owned(),
            rows: 1_000,
            changed: 1_000,
            rows_per_second: 59_000.0,
            seconds: 1.0,
            cpu_us_per_row: 1.0,
            peak_mb: 1.0,
        };
        let mut out = Vec::new();
        write(&refreshes, &[feed], &mut out).expect("memory takes everything");
        insta::assert_snapshot!(String::from_utf8_lossy(&out), @r"
        ### What is aimed at, with the standard tenant

        | | aimed at | measured | |
        |---|---:|---:|---|
        | full-unchanged, 10,000 identities | 150,000 identities/s | 200,000 | met |
        | full-unchanged, 1,000,000 identities | 150,000 identities/s | 100,000 | missed, x 1.50 |
        | full-unchanged, CPU of one from 10,000 to 1,000,000 | 1.20 times | 1.50 | missed, x 1.25 |
        | incremental-1, 1,000,000 identities | 0.50 s | 0.06 | met |
        | one-cold, 1,000,000 identities | 0.05 s | 0.06 | missed, x 1.20 |
        | most memory of any case, 1,000,000 identities | 300 MB | 150 | met |
        | full-unchanged, 2 threads against one | 1.70 times | 4.00 | met |
        | aggregate-changed, hr, 1,000 rows | 60,000 rows/s | 59,000 | missed, x 1.02 |
        ");
    }
}
