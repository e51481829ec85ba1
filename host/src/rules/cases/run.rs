//! Runs cases: each on a fresh instance, and twice on another one.

use std::collections::BTreeSet;

use idr_core::model::UnixMillis;

use super::super::call::{Call, Log};
use super::super::component::RuleComponent;
use super::super::error::Trouble;
use super::super::instance::RuleInstance;
use super::super::kind::Answer;
use super::format::{Case, Wakes};
use super::setting::{RULE, view_of};

/// How one case went.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The case's name.
    pub name: String,
    /// What was asked.
    pub question: String,
    /// What the fresh instance answered.
    pub outcome: Result<Answer, Trouble>,
    /// What it called, in order.
    pub calls: Vec<Call>,
    /// When its answer would change with time.
    pub wakes_at: Option<UnixMillis>,
    /// The fuel that the fresh instance used.
    pub fuel: u64,
    /// The fuel that an instance used when it was asked for the second time;
    /// none when it couldn't be asked again.
    pub fuel_again: Option<u64>,
    /// What it logged.
    pub log: Log,
    /// In what way this isn't what the case expects; empty when it passed.
    pub problems: Vec<String>,
}

impl CaseReport {
    /// Says whether everything is as the case expects.
    pub fn has_passed(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns what was read, each once, in order of the text.
    pub fn reads(&self) -> Vec<String> {
        let reads = self.calls.iter().filter(|call| call.is_read);
        let unique: BTreeSet<&str> = reads.map(|call| call.what.as_str()).collect();
        unique.into_iter().map(str::to_owned).collect()
    }
}

/// One evaluation, with what it noted.
struct Attempt {
    outcome: Result<Answer, Trouble>,
    calls: Vec<Call>,
    wakes_at: Option<UnixMillis>,
    fuel: u64,
    log: Log,
}

/// Runs a case on a component.
pub fn run(component: &RuleComponent, case: &Case) -> CaseReport {
    let mut instance = start(component, case);
    let fresh = attempt(&mut instance, case);
    let mut report = CaseReport {
        name: case.name.clone(),
        question: case.question().to_string(),
        outcome: fresh.outcome,
        calls: fresh.calls,
        wakes_at: fresh.wakes_at,
        fuel: fresh.fuel,
        fuel_again: None,
        log: fresh.log,
        problems: Vec::new(),
    };
    compare_with_expectation(&mut report, case);
    compare_attempts(&mut report, component, case);
    report
}

fn start(component: &RuleComponent, case: &Case) -> Result<RuleInstance, Trouble> {
    let prepared = component.prepared(case.question().kind());
    let prepared = prepared.map_err(|error| Trouble::CannotStart(error.to_string()))?;
    RuleInstance::start(prepared, &case.setting.limits)
}

fn attempt(instance: &mut Result<RuleInstance, Trouble>, case: &Case) -> Attempt {
    let instance = match instance {
        Ok(instance) => instance,
        Err(trouble) => {
            return Attempt {
                outcome: Err(trouble.clone()),
                calls: Vec::new(),
                wakes_at: None,
                fuel: 0,
                log: Log::default(),
            };
        }
    };
    let mut view = view_of(case);
    let evaluation = instance.ask(RULE, case.question(), &case.setting.limits, &mut view, true);
    Attempt {
        outcome: evaluation.answer,
        calls: evaluation.trace.unwrap_or_default(),
        wakes_at: view.take_wake(),
        fuel: evaluation.fuel,
        log: evaluation.log,
    }
}

fn compare_with_expectation(report: &mut CaseReport, case: &Case) {
    let expected = &case.expectation;
    let mut problems = Vec::new();
    match (&expected.outcome, &report.outcome) {
        (Ok(wanted), Ok(answer)) if wanted == answer => {}
        (Ok(wanted), Ok(answer)) => problems.push(format!("expected {wanted}, got {answer}")),
        (Ok(wanted), Err(trouble)) => {
            problems.push(format!("expected {wanted}, but the rule {trouble}"));
        }
        (Err(wanted), Err(trouble)) if trouble.to_string().contains(wanted) => {}
        (Err(wanted), Err(trouble)) => {
            problems.push(format!(
                "expected the error {wanted:?}, but the rule {trouble}"
            ));
        }
        (Err(wanted), Ok(answer)) => {
            problems.push(format!("expected the error {wanted:?}, got {answer}"));
        }
    }
    let wakes = report.wakes_at.map_or(Wakes::Never, Wakes::At);
    match expected.wakes {
        Some(wanted) if wanted != wakes => problems.push(format!(
            "expected to wake {}, but it is {}",
            spoken_wakes(wanted),
            spoken_wakes(wakes)
        )),
        _ => {}
    }
    if let Some(wanted) = &expected.reads {
        let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        let reads = report.reads();
        let found: BTreeSet<&str> = reads.iter().map(String::as_str).collect();
        problems.extend(
            found
                .difference(&wanted)
                .map(|read| format!("read `{read}`, unexpected")),
        );
        problems.extend(
            wanted
                .difference(&found)
                .map(|read| format!("didn't read `{read}`")),
        );
    }
    if let Some(most) = expected.fuel.filter(|most| report.fuel > *most) {
        problems.push(format!("used {} fuel, more than {most}", report.fuel));
    }
    report.problems.extend(problems);
}

fn spoken_wakes(wakes: Wakes) -> String {
    match wakes {
        Wakes::Never => "never".to_owned(),
        Wakes::At(moment) => format!("at {moment}"),
    }
}

/// A rule's answer is a function of what it reads: every instance gives the
/// same, and a used instance gives it again.
fn compare_attempts(report: &mut CaseReport, component: &RuleComponent, case: &Case) {
    let mut instance = start(component, case);
    let first = attempt(&mut instance, case);
    if !agree(report, &first) {
        let answered = spoken_outcome(&first.outcome);
        report
            .problems
            .push(format!("another fresh instance {answered}"));
        return;
    }
    // After an error from outside the rule the instance can't be asked again,
    // and a limit may well depend on what ran before.
    if first
        .outcome
        .as_ref()
        .is_err_and(|trouble| !is_the_rules_own(trouble))
    {
        return;
    }
    let second = attempt(&mut instance, case);
    report.fuel_again = Some(second.fuel);
    if !agree(report, &second) && !second.outcome.as_ref().is_err_and(Trouble::is_a_limit) {
        let answered = spoken_outcome(&second.outcome);
        report
            .problems
            .push(format!("the same instance, asked again, {answered}"));
    }
}

fn agree(report: &CaseReport, attempt: &Attempt) -> bool {
    report.outcome == attempt.outcome && report.wakes_at == attempt.wakes_at
}

fn is_the_rules_own(trouble: &Trouble) -> bool {
    matches!(
        trouble,
        Trouble::Declined(_) | Trouble::Invalid(_) | Trouble::Failed(_) | Trouble::Answer(_)
    )
}

fn spoken_outcome(outcome: &Result<Answer, Trouble>) -> String {
    match outcome {
        Ok(answer) => format!("answered {answer}"),
        Err(trouble) => trouble.to_string(),
    }
}
