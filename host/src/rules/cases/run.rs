//! Runs cases: each on a fresh instance, and twice on another one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use idr_core::model::UnixMillis;

use super::super::call::{Call, Log, Trace};
use super::super::component::RuleComponent;
use super::super::error::Trouble;
use super::super::instance::RuleInstance;
use super::super::kind::Answer;
use super::difference::{Difference, differences, spoken};
use super::format::Case;
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
    /// The fuel that it may use: its limit, or the most that the case allows.
    pub fuel_budget: u64,
    /// The memory that the fresh instance had taken in the end.
    pub memory_bytes: usize,
    /// The memory that it may take.
    pub memory_limit_bytes: usize,
    /// What the texts of its answer take, and may take.
    pub output_bytes: usize,
    /// As above.
    pub output_limit_bytes: usize,
    /// What it exchanged with the host apart from its answer, and may exchange.
    pub transfer_bytes: usize,
    /// As above.
    pub transfer_limit_bytes: usize,
    /// The time that it took, and may take.
    pub time: Duration,
    /// As above.
    pub time_limit: Duration,
    /// What it logged.
    pub log: Log,
    /// What isn't as the case expects, field by field.
    pub differences: Vec<Difference>,
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
        let reads = self.calls.iter().filter(|call| call.read.is_some());
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
    memory_bytes: usize,
    transfer_bytes: usize,
    time: Duration,
    log: Log,
}

/// Runs a case on a component.
pub fn run(component: &RuleComponent, case: &Case) -> CaseReport {
    let mut instance = start(component, case);
    let fresh = attempt(&mut instance, case);
    let limits = &case.setting.limits;
    let mut report = CaseReport {
        name: case.name.clone(),
        question: case.question().to_string(),
        output_bytes: fresh.outcome.as_ref().map_or(0, Answer::text_bytes),
        outcome: fresh.outcome,
        calls: fresh.calls,
        wakes_at: fresh.wakes_at,
        fuel: fresh.fuel,
        fuel_again: None,
        fuel_budget: limits.fuel.min(case.expectation.fuel.unwrap_or(u64::MAX)),
        memory_bytes: fresh.memory_bytes,
        memory_limit_bytes: limits.memory_bytes,
        output_limit_bytes: limits.output_bytes,
        transfer_bytes: fresh.transfer_bytes,
        transfer_limit_bytes: limits.transfer_bytes,
        time: fresh.time,
        time_limit: Duration::from_millis(limits.time_ms),
        log: fresh.log,
        differences: Vec::new(),
        problems: Vec::new(),
    };
    report.differences = differences(&report, &case.expectation, case.question());
    report.problems = spoken(&report.differences);
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
                memory_bytes: 0,
                transfer_bytes: 0,
                time: Duration::ZERO,
                log: Log::default(),
            };
        }
    };
    let mut view = view_of(case);
    let trace = Some(Trace::for_people());
    let began = Instant::now();
    let evaluation = instance.ask(
        RULE,
        case.question(),
        &case.setting.limits,
        &mut view,
        trace,
    );
    Attempt {
        outcome: evaluation.answer,
        calls: evaluation.trace.map_or(Vec::new(), Trace::into_calls),
        wakes_at: view.take_wake(),
        fuel: evaluation.fuel,
        memory_bytes: evaluation.memory_bytes,
        transfer_bytes: evaluation.transfer_bytes,
        time: began.elapsed(),
        log: evaluation.log,
    }
}

/// A rule's answer is a function of what it reads: every instance gives the
/// same, and a used instance gives it again.
fn compare_attempts(report: &mut CaseReport, component: &RuleComponent, case: &Case) {
    let mut instance = start(component, case);
    let first = attempt(&mut instance, case);
    if !agree(report, &first) {
        differs(report, "another fresh instance", &first);
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
        differs(report, "the same instance, asked again,", &second);
    }
}

fn agree(report: &CaseReport, attempt: &Attempt) -> bool {
    report.outcome == attempt.outcome && report.wakes_at == attempt.wakes_at
}

fn differs(report: &mut CaseReport, which: &str, attempt: &Attempt) {
    let first = spoken_outcome(&report.outcome);
    let answered = spoken_outcome(&attempt.outcome);
    report.problems.push(format!("{which} {answered}"));
    let field = which.trim_end_matches(',');
    report
        .differences
        .push(Difference::new(field, first, answered));
}

/// Says whether the rule ended by itself, so that its instance can go on.
pub(super) fn is_the_rules_own(trouble: &Trouble) -> bool {
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
