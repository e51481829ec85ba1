//! One instance of a rule, in a wasmtime store of its own, and one evaluation on it.

use idr_core::definitions::{RuleIndex, RuleLimits};
use idr_core::view::TrackedView;
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};

use super::bindings::idr::rules::types::RuleError as Declined;
use super::call::{CallState, Log, Stop, Trace};
use super::component::{Exports, Prepared, START_FUEL, START_TIME_MS};
use super::consequences::{
    breaches_from_rule, composed_from_rule, mapping_from_rule, need_to_rule, selection_from_rule,
    target_to_rule,
};
use super::crash;
use super::engine::{TABLE_ENTRIES, ticks};
use super::error::Trouble;
use super::kind::{Answer, Question};
use super::plain::{TEXT_CHARS, plain};
use super::values::{
    creation_from_rule, eligibilities_from_rule, lookup_from_rule, promotion_from_rule,
    proposals_from_rule, state_from_rule,
};

/// A started instance.
pub(super) struct RuleInstance {
    store: Store<CallState>,
    exports: Exports,
    calls: u32,
    /// After a trap wasmtime refuses every further call.
    poisoned: bool,
}

/// How an evaluation went, whatever it answered.
pub(super) struct Evaluation {
    pub(super) answer: Result<Answer, Trouble>,
    pub(super) fuel: u64,
    /// The memory that the instance has taken so far.
    pub(super) memory_bytes: usize,
    /// What it has exchanged with the host, apart from its answer.
    pub(super) transfer_bytes: usize,
    pub(super) log: Log,
    pub(super) trace: Option<Trace>,
}

impl RuleInstance {
    /// Starts an instance.
    pub(super) fn start(prepared: &Prepared, limits: &RuleLimits) -> Result<Self, Trouble> {
        let started = prepared.start(limits.memory_bytes);
        let (store, exports) = started.map_err(|error| {
            if error.is::<PoolConcurrencyLimitError>() {
                return Trouble::NoRoom;
            }
            at_start(trouble_of(&error, limits, &Log::default(), 0))
        })?;
        Ok(Self {
            store,
            exports,
            calls: 0,
            poisoned: false,
        })
    }

    /// Says whether it may be asked again: it hasn't crashed, has not been
    /// asked too often, and hasn't grown too far.
    pub(super) fn is_reusable(&self, most_calls: u32, limits: &RuleLimits) -> bool {
        !self.poisoned
            && self.calls < most_calls
            && self.store.data().memory.used_bytes <= limits.memory_bytes / 2
    }

    /// Asks the rule; the view is moved in for the time of the call.
    pub(super) fn ask(
        &mut self,
        rule: RuleIndex,
        question: Question<'_>,
        limits: &RuleLimits,
        view: &mut TrackedView,
        trace: Option<Trace>,
    ) -> Evaluation {
        let outcome = self.enter(rule, question, limits, view, trace);
        let fuel_left = self.store.get_fuel().unwrap_or(0);

        let state = self.store.data_mut();
        *view = std::mem::take(&mut state.view);
        let transfer_bytes = limits.transfer_bytes.saturating_sub(state.transfer_left);
        let answer = match outcome {
            Ok(answer) => answer.and_then(|answer| within_output(answer, limits)),
            Err(error) => {
                self.poisoned = true;
                Err(trouble_of(&error, limits, &state.log, transfer_bytes))
            }
        };
        Evaluation {
            answer,
            fuel: limits.fuel.saturating_sub(fuel_left),
            memory_bytes: state.memory.used_bytes,
            transfer_bytes,
            log: std::mem::take(&mut state.log),
            trace: state.trace.take(),
        }
    }

    /// Asks the rule, and returns the functions that it was in when something
    /// ended that, outermost first; none when it answered.
    pub(super) fn functions_at_the_end(
        &mut self,
        rule: RuleIndex,
        question: Question<'_>,
        limits: &RuleLimits,
        view: &mut TrackedView,
    ) -> Vec<String> {
        let outcome = self.enter(rule, question, limits, view, None);
        *view = std::mem::take(&mut self.store.data_mut().view);
        self.poisoned |= outcome.is_err();
        outcome.map_or_else(|error| crash::functions(&error), |_| Vec::new())
    }

    /// Moves the view in and asks.
    fn enter(
        &mut self,
        rule: RuleIndex,
        question: Question<'_>,
        limits: &RuleLimits,
        view: &mut TrackedView,
        trace: Option<Trace>,
    ) -> wasmtime::Result<Result<Answer, Trouble>> {
        self.calls += 1;
        let state = self.store.data_mut();
        state.begin(rule, std::mem::take(view), limits, trace);
        self.store.set_hostcall_fuel(limits.transfer_bytes);
        self.store.set_epoch_deadline(ticks(limits.time_ms));
        self.store.set_fuel(limits.fuel)?;
        let state = self.store.data_mut();
        state.pay_for(&question)?;
        if let Question::SelectAccount(need) = question {
            state.note_handles(need.application, need.candidates);
        }
        self.call(question)
    }

    /// The outer error is the host's or a trap, the inner one the rule's own.
    fn call(&mut self, question: Question<'_>) -> wasmtime::Result<Result<Answer, Trouble>> {
        let store = &mut self.store;
        Ok(match (&self.exports, question) {
            (Exports::Correlation(rule), Question::CorrelateAccount) => rule
                .call_correlate(store)?
                .map_err(declined)
                .map(|lookup| Answer::Lookup(lookup_from_rule(lookup))),
            (Exports::Creation(rule), Question::CreateIdentity) => rule
                .call_create(store)?
                .map_err(declined)
                .map(|creation| Answer::Creation(creation_from_rule(creation))),
            (Exports::Manager(rule), Question::CorrelateManager(named)) => {
                let named = store.data_mut().pass(named)?;
                rule.call_correlate(store, &named)?
                    .map_err(declined)
                    .map(|lookup| Answer::Lookup(lookup_from_rule(lookup)))
            }
            (Exports::BeforeRefresh(rule), Question::BeforeRefresh) => rule
                .call_propose(store)?
                .map_err(declined)
                .and_then(|answer| proposals_from_rule(answer).map_err(Trouble::Answer))
                .map(Answer::Proposals),
            (Exports::ValueChange(rule), Question::ValueChange(change)) => {
                let state = store.data_mut();
                let old = change.old.map(|value| state.pass(value)).transpose()?;
                let new = change.new.map(|value| state.pass(value)).transpose()?;
                rule.call_propose(store, change.attribute, old.as_ref(), new.as_ref())?
                    .map_err(declined)
                    .and_then(|answer| proposals_from_rule(answer).map_err(Trouble::Answer))
                    .map(Answer::Proposals)
            }
            (Exports::AfterRefresh(rule), Question::AfterRefresh) => rule
                .call_propose(store)?
                .map_err(declined)
                .and_then(|answer| proposals_from_rule(answer).map_err(Trouble::Answer))
                .map(Answer::Proposals),
            (Exports::Promotion(rule), Question::Promote(attribute)) => rule
                .call_promote(store, attribute)?
                .map_err(declined)
                .and_then(|answer| promotion_from_rule(answer).map_err(Trouble::Answer))
                .map(Answer::Promotion),
            (Exports::State(rule), Question::State) => rule
                .call_state(store)?
                .map_err(declined)
                .and_then(|answer| state_from_rule(answer).map_err(Trouble::Answer))
                .map(Answer::State),
            (Exports::Assignment(rule), Question::Assign(candidates)) => rule
                .call_assign(store, candidates)?
                .map_err(declined)
                .and_then(|answers| {
                    eligibilities_from_rule(answers, candidates.len()).map_err(Trouble::Answer)
                })
                .map(Answer::Eligibilities),
            (Exports::Trigger(rule), Question::Fires(trigger)) => rule
                .call_fires(store, trigger)?
                .map_err(declined)
                .map(Answer::Fires),
            (Exports::Logical(rule), Question::Compose(application)) => rule
                .call_compose(store, application)?
                .map_err(declined)
                .and_then(|answer| composed_from_rule(answer).map_err(Trouble::Answer))
                .map(Answer::Composed),
            (Exports::Policy(rule), Question::Judge(policy)) => rule
                .call_judge(store, policy)?
                .map_err(declined)
                .and_then(|answer| breaches_from_rule(answer).map_err(Trouble::Answer))
                .map(Answer::Breaches),
            (Exports::Selection(rule), Question::SelectAccount(need)) => rule
                .call_select(store, &need_to_rule(need))?
                .map_err(declined)
                .and_then(|answer| selection_from_rule(answer, need).map_err(Trouble::Answer))
                .map(Answer::Selection),
            (Exports::Mapping(rule), Question::MapTarget(target)) => rule
                .call_map_target(store, &target_to_rule(target))?
                .map_err(declined)
                .and_then(|answer| mapping_from_rule(answer).map_err(Trouble::Answer))
                .map(Answer::Mapping),
            _ => unreachable!("an instance is only asked what its kind answers"),
        })
    }
}

fn within_output(answer: Answer, limits: &RuleLimits) -> Result<Answer, Trouble> {
    let answered_bytes = answer.text_bytes();
    if answered_bytes > limits.output_bytes {
        return Err(Trouble::TooMuchAnswered {
            answered_bytes,
            limit_bytes: limits.output_bytes,
        });
    }
    Ok(answer)
}

fn declined(error: Declined) -> Trouble {
    match error {
        Declined::Declined(why) => Trouble::Declined(plain(&why, TEXT_CHARS)),
        Declined::Invalid(why) => Trouble::Invalid(plain(&why, TEXT_CHARS)),
        Declined::Failed(why) => Trouble::Failed(plain(&why, TEXT_CHARS)),
    }
}

/// Says of what ended a start that it isn't about the rule's own limits.
fn at_start(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Crashed(reason) => Trouble::CannotStart(reason),
        Trouble::OutOfFuel { .. } => {
            Trouble::CannotStart(format!("it used up the {START_FUEL} fuel for that"))
        }
        Trouble::OutOfTime { .. } => {
            Trouble::CannotStart(format!("it took longer than {START_TIME_MS} ms"))
        }
        other => other,
    }
}

/// Says what ended an evaluation from outside the rule's own judgement.
///
/// - `exchanged_bytes`: what had been exchanged with the host by then.
fn trouble_of(
    error: &wasmtime::Error,
    limits: &RuleLimits,
    log: &Log,
    exchanged_bytes: usize,
) -> Trouble {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return match stop {
            Stop::Trouble(trouble) => trouble.clone(),
            Stop::TransferExceeded { beyond_bytes } => Trouble::TooMuchTransferred {
                wanted_bytes: limits.transfer_bytes.saturating_add(*beyond_bytes),
                limit_bytes: limits.transfer_bytes,
            },
            Stop::MemoryExceeded { wanted_bytes } => Trouble::OutOfMemory {
                wanted_bytes: *wanted_bytes,
                limit_bytes: limits.memory_bytes,
                place: crash::place(error),
            },
            Stop::TableExceeded { wanted_entries } => Trouble::TableTooLarge {
                wanted_entries: *wanted_entries,
                limit_entries: TABLE_ENTRIES,
            },
        };
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => Trouble::OutOfFuel {
            limit: limits.fuel,
            place: crash::place(error),
        },
        Some(Trap::Interrupt) => Trouble::OutOfTime {
            given_ms: limits.time_ms,
            limit_ms: limits.time_ms,
        },
        Some(trap) => {
            let words = trap.to_string();
            let reason = words.strip_prefix("wasm trap: ").unwrap_or(&words);
            Trouble::Crashed(crash::spoken(reason, error, log))
        }
        None => {
            let words = format!("{:#}", error.root_cause());
            if words.contains("fuel allocated for hostcalls") {
                return Trouble::TooMuchAtOnce {
                    exchanged_bytes,
                    limit_bytes: limits.transfer_bytes,
                };
            }
            Trouble::Crashed(crash::spoken(&words, error, log))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Trouble, at_start};

    #[test]
    fn a_start_has_limits_of_its_own() {
        let spoken = |trouble| at_start(trouble).to_string();
        let out_of_fuel = Trouble::OutOfFuel {
            limit: 7,
            place: String::new(),
        };
        assert_eq!(
            spoken(out_of_fuel),
            "can't be started: it used up the 200000000 fuel for that"
        );
        let out_of_time = Trouble::OutOfTime {
            given_ms: 7,
            limit_ms: 7,
        };
        assert_eq!(
            spoken(out_of_time),
            "can't be started: it took longer than 10000 ms"
        );
        let crashed = Trouble::Crashed("call stack exhausted".to_owned());
        assert_eq!(spoken(crashed), "can't be started: call stack exhausted");
        // Memory is the rule's own limit from the beginning.
        let out_of_memory = Trouble::OutOfMemory {
            wanted_bytes: 8,
            limit_bytes: 7,
            place: String::new(),
        };
        assert_eq!(at_start(out_of_memory.clone()), out_of_memory);
    }
}
