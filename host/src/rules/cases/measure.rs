//! What a case costs: the time of instances and of evaluations, and where the
//! fuel goes.

use std::time::{Duration, Instant};

use super::super::component::RuleComponent;
use super::super::error::Trouble;
use super::super::instance::RuleInstance;
use super::format::Case;
use super::run::is_the_rules_own;
use super::setting::{RULE, view_of};

/// What one case costs.
#[derive(Clone, Debug)]
pub struct Costs {
    /// What starting an instance takes.
    pub instance: Times,
    /// What the first evaluation of an instance takes, once it is started.
    pub fresh: Times,
    /// What each further evaluation takes; none when an instance can't be asked again.
    pub reused: Option<Times>,
    /// The fuel of the first evaluation.
    pub fuel: u64,
    /// The fuel of the second.
    pub fuel_again: Option<u64>,
}

/// How long something took, over all rounds.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Half of the rounds took no longer.
    pub median: Duration,
    /// 99 of 100 rounds took no longer.
    pub p99: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort();
        let last = times.len().checked_sub(1)?;
        Some(Self {
            median: times[last / 2],
            p99: times[last * 99 / 100],
        })
    }
}

/// Measures a case over some rounds, at least one; what it answers isn't looked at.
///
/// # Errors
///
/// [`Trouble`] when no instance can be started.
pub fn measure(component: &RuleComponent, case: &Case, rounds: usize) -> Result<Costs, Trouble> {
    let (mut instances, mut fresh, mut reused) = (Vec::new(), Vec::new(), Vec::new());
    let (mut fuel, mut fuel_again) = (0, None);
    for _ in 0..rounds.max(1) {
        let began = Instant::now();
        let mut instance = start(component, case)?;
        instances.push(began.elapsed());
        let asked = ask(&mut instance, case);
        fresh.push(asked.time);
        fuel = asked.fuel;
        if asked.can_go_on {
            let again = ask(&mut instance, case);
            reused.push(again.time);
            fuel_again = Some(again.fuel);
        }
    }
    let at_least_one = "there is at least one round";
    Ok(Costs {
        instance: Times::of(instances).expect(at_least_one),
        fresh: Times::of(fresh).expect(at_least_one),
        reused: Times::of(reused),
        fuel,
        fuel_again,
    })
}

struct Asked {
    time: Duration,
    fuel: u64,
    can_go_on: bool,
}

fn ask(instance: &mut RuleInstance, case: &Case) -> Asked {
    let mut view = view_of(case);
    let began = Instant::now();
    let evaluation = instance.ask(RULE, case.question(), &case.setting.limits, &mut view, None);
    Asked {
        time: began.elapsed(),
        fuel: evaluation.fuel,
        can_go_on: evaluation
            .answer
            .as_ref()
            .err()
            .is_none_or(is_the_rules_own),
    }
}

fn start(component: &RuleComponent, case: &Case) -> Result<RuleInstance, Trouble> {
    let prepared = component.prepared(case.question().kind());
    let prepared = prepared.map_err(|error| Trouble::CannotStart(error.to_string()))?;
    RuleInstance::start(prepared, &case.setting.limits)
}

/// Where a rule was when it had used so much fuel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuelSample {
    /// The fuel used by then.
    pub fuel: u64,
    /// The functions that it was in, outermost first: their names, or their
    /// numbers where the component has no names.
    pub functions: Vec<String>,
}

/// Returns where a case's first evaluation is at so many points, evenly spread
/// over its fuel.
///
/// Fresh instances use the same fuel every time, so each point is reached by
/// giving another one just that much. What is sampled is where fuel is
/// looked at: where functions begin and loops begin again.
///
/// # Errors
///
/// [`Trouble`] when no instance can be started.
pub fn sample_fuel(
    component: &RuleComponent,
    case: &Case,
    samples: u64,
) -> Result<Vec<FuelSample>, Trouble> {
    let total = ask(&mut start(component, case)?, case).fuel;
    let samples = samples.clamp(1, total.max(1));
    let mut found = Vec::new();
    for number in 0..samples {
        let mut limits = case.setting.limits;
        // No product of the two can overflow.
        let place = u128::from(total) * u128::from(2 * number + 1) / u128::from(2 * samples);
        limits.fuel = u64::try_from(place).unwrap_or(total);
        let mut instance = start(component, case)?;
        let mut view = view_of(case);
        let functions = instance.functions_at_the_end(RULE, case.question(), &limits, &mut view);
        if !functions.is_empty() {
            let fuel = limits.fuel;
            found.push(FuelSample { fuel, functions });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Times;

    #[test]
    fn the_median_and_the_99th_of_100_are_told() {
        let times: Vec<Duration> = (1..=100).rev().map(Duration::from_micros).collect();
        let times = Times::of(times).expect("there are times");
        assert_eq!(times.median, Duration::from_micros(50));
        assert_eq!(times.p99, Duration::from_micros(99));
        assert!(Times::of(Vec::new()).is_none());
    }
}
