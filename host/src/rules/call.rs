//! What a rule's functions do when it calls the host: the other end of the
//! contract's imports.
//!
//! Reads and time go through the tracked view, which is moved in here for the
//! time of one evaluation. An error ends the evaluation: no rule can catch it.

use idr_core::definitions::{RuleIndex, RuleLimits};
use idr_core::model::UnixMillis;
use idr_core::view::{AccountSummary, TrackedView};
use thiserror::Error;
use wasmtime::ResourceLimiter;

use super::bindings::idr::rules::{
    access, account, baseline, entitlements, log, parameters, roles, subject, tiers, time, types,
};
use super::consequences::tier_to_rule;
use super::engine::TABLE_ENTRIES;
use super::error::Trouble;
use super::kind::Question;
use super::plain::{NAME_BYTES, plain};
use super::query::{Query, Told, transfer_bytes};
use super::read::Read;
use super::values::{
    account_to_rule, date_from_rule, date_to_rule, instant_from_rule, status_to_rule,
    time_from_rule, to_rule,
};

/// The longest line of a rule's log that is kept, in characters.
const LOG_LINE_CHARS: usize = 1_000;

/// What a wasmtime store holds for the rule that runs in it.
pub(super) struct CallState {
    /// The identity that is being evaluated; detached between evaluations.
    pub(super) view: TrackedView,
    /// Which rule's parameters are passed.
    rule: RuleIndex,
    /// How many bytes this evaluation may still exchange with the host.
    pub(super) transfer_left: usize,
    /// What the rule logged in this evaluation.
    pub(super) log: Log,
    /// What the rule asked in this evaluation, when somebody wants to know.
    pub(super) trace: Option<Trace>,
    /// How much memory the store's instances may take.
    pub(super) memory: MemoryLimiter,
    /// Which account belongs to which application, for the trace.
    applications: Vec<(u32, String)>,
}

impl CallState {
    pub(super) fn new(memory_bytes: usize) -> Self {
        Self {
            view: TrackedView::default(),
            rule: RuleIndex(0),
            transfer_left: 0,
            log: Log::default(),
            trace: None,
            memory: MemoryLimiter {
                used_bytes: 0,
                limit_bytes: memory_bytes,
            },
            applications: Vec::new(),
        }
    }

    /// Makes ready for one evaluation.
    pub(super) fn begin(
        &mut self,
        rule: RuleIndex,
        view: TrackedView,
        limits: &RuleLimits,
        trace: Option<Trace>,
    ) {
        self.view = view;
        self.rule = rule;
        self.transfer_left = limits.transfer_bytes;
        self.log.limit = limits.log_lines;
        self.trace = trace;
        self.applications.clear();
    }

    fn pay(&mut self, bytes: usize) -> wasmtime::Result<()> {
        match self.transfer_left.checked_sub(bytes) {
            Some(left) => {
                self.transfer_left = left;
                Ok(())
            }
            None => Err(Stop::TransferExceeded {
                beyond_bytes: bytes - self.transfer_left,
            }
            .into()),
        }
    }

    /// Pays for the texts of a question; its values are paid for when they are passed.
    pub(super) fn pay_for(&mut self, question: &Question<'_>) -> wasmtime::Result<()> {
        self.pay(question.text_bytes())
    }

    /// Pays for a name that the rule asks for.
    fn pay_name(&mut self, name: &str) -> wasmtime::Result<()> {
        self.pay(name.len())?;
        if name.len() > NAME_BYTES {
            let nonsense = format!("a name of {} bytes, and nothing is called so", name.len());
            return Err(Stop::Trouble(Trouble::Argument(nonsense)).into());
        }
        Ok(())
    }

    /// Passes a value to the rule as an argument of its question.
    pub(super) fn pass(
        &mut self,
        value: &idr_core::model::Value,
    ) -> wasmtime::Result<types::Value> {
        self.pay(transfer_bytes(value))?;
        Ok(to_rule(value.clone()))
    }

    /// Asks the view: the one way to whatever a rule is told.
    fn ask(&mut self, query: Query) -> wasmtime::Result<Told> {
        let told = stop(query.ask(self.rule, &mut self.view))?;
        if let Some(trace) = &mut self.trace {
            trace.note(query, &told);
        }
        self.pay(told.transfer_bytes())?;
        Ok(told)
    }

    fn value(&mut self, read: Read) -> wasmtime::Result<Option<types::Value>> {
        match self.ask(Query::Read(read))? {
            Told::Value(value) => Ok(value.map(to_rule)),
            other => unreachable!("a value was asked for, and {other:?} told"),
        }
    }

    fn truth(&mut self, query: Query) -> wasmtime::Result<bool> {
        match self.ask(query)? {
            Told::Truth(truth) => Ok(truth),
            other => unreachable!("yes or no was asked for, and {other:?} told"),
        }
    }

    fn text(&mut self, read: Read) -> wasmtime::Result<String> {
        match self.ask(Query::Read(read))? {
            Told::Text(text) => Ok(text),
            other => unreachable!("a text was asked for, and {other:?} told"),
        }
    }

    fn texts(&mut self, read: Read) -> wasmtime::Result<Vec<String>> {
        match self.ask(Query::Read(read))? {
            Told::Texts(texts) => Ok(texts),
            other => unreachable!("texts were asked for, and {other:?} told"),
        }
    }

    fn day(&mut self, query: Query) -> wasmtime::Result<types::Date> {
        match self.ask(query)? {
            Told::Day(day) => Ok(date_to_rule(day)),
            other => unreachable!("a day was asked for, and {other:?} told"),
        }
    }
}

/// How many steps are taken down for people.
const MOST_SHOWN: usize = 5_000;

/// What a rule asked in one evaluation, up to a limit, and what it was told.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) steps: Vec<(Query, Told)>,
    most_steps: usize,
    /// Whether there was more.
    pub(super) is_cut: bool,
}

impl Trace {
    /// Returns one that takes down what people are shown.
    pub(super) fn for_people() -> Self {
        Self::new(MOST_SHOWN)
    }

    /// Returns one that takes down so many steps.
    pub(super) fn new(most_steps: usize) -> Self {
        Self {
            steps: Vec::new(),
            most_steps,
            is_cut: false,
        }
    }

    pub(super) fn note(&mut self, query: Query, told: &Told) {
        match self.steps.len() < self.most_steps {
            true => self.steps.push((query, told.clone())),
            false => self.is_cut = true,
        }
    }

    /// Returns it as people are shown it.
    pub(super) fn into_calls(self) -> Vec<Call> {
        let steps = self.steps.into_iter();
        let mut calls: Vec<Call> = steps.map(|(query, told)| Call::of(query, told)).collect();
        if self.is_cut {
            calls.push(Call {
                what: "(more calls)".to_owned(),
                answer: "not shown".to_owned(),
                read: None,
                value: None,
            });
        }
        calls
    }
}

/// One call of a rule to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function and its arguments, such as `attribute department`.
    pub what: String,
    /// What the host answered.
    pub answer: String,
    /// What was read; none where time or the calendar was asked about.
    pub read: Option<Read>,
    /// The value, where the answer is one.
    pub value: Option<idr_core::model::Value>,
}

impl Call {
    fn of(query: Query, told: Told) -> Self {
        Self {
            what: query.to_string(),
            answer: told.to_string(),
            read: match query {
                Query::Read(read) => Some(read),
                _ => None,
            },
            value: told.into_value(),
        }
    }
}

/// Why the host ended an evaluation from within one of its functions.
#[derive(Debug, Error)]
pub(super) enum Stop {
    #[error("{0}")]
    Trouble(Trouble),
    #[error("too much was exchanged")]
    TransferExceeded { beyond_bytes: usize },
    #[error("too much memory was wanted")]
    MemoryExceeded { wanted_bytes: usize },
    #[error("too large a table was wanted")]
    TableExceeded { wanted_entries: usize },
}

fn stop<T>(result: Result<T, idr_core::view::ReadError>) -> wasmtime::Result<T> {
    result.map_err(|error| Stop::Trouble(Trouble::Read(error)).into())
}

fn sense<T>(result: Result<T, super::values::Nonsense>) -> wasmtime::Result<T> {
    result.map_err(|nonsense| Stop::Trouble(Trouble::Argument(nonsense)).into())
}

/// Counts the linear memory of all instances in a store.
pub(super) struct MemoryLimiter {
    pub(super) used_bytes: usize,
    limit_bytes: usize,
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used_bytes = self
            .used_bytes
            .saturating_add(desired.saturating_sub(current));
        if used_bytes > self.limit_bytes {
            // Ending the evaluation right here names the limit; a refused
            // growth would only surface as some crash of the language's runtime.
            return Err(Stop::MemoryExceeded {
                wanted_bytes: used_bytes,
            }
            .into());
        }
        self.used_bytes = used_bytes;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ENTRIES {
            return Err(Stop::TableExceeded {
                wanted_entries: desired,
            }
            .into());
        }
        Ok(true)
    }
}

/// How much a line matters, in the rule's judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Worth knowing.
    Info,
    /// Should be looked at.
    Warn,
}

/// A line that a rule logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: LogLevel,
    /// The text, cut where it was too long.
    pub message: String,
}

/// What a rule logged in one evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The lines kept, in order.
    pub lines: Vec<LogLine>,
    /// How many lines were dropped because there were too many.
    pub dropped: usize,
    /// The last warning among those: a crash tells it all the same.
    pub(super) dropped_warning: Option<String>,
    pub(super) limit: usize,
}

impl Log {
    fn add(&mut self, level: LogLevel, message: &str) {
        if self.lines.len() >= self.limit {
            self.dropped += 1;
            if level == LogLevel::Warn {
                self.dropped_warning = Some(plain(message, LOG_LINE_CHARS));
            }
            return;
        }
        let message = plain(message, LOG_LINE_CHARS);
        self.lines.push(LogLine { level, message });
    }
}

impl types::Host for CallState {}

impl subject::Host for CallState {
    fn attribute(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        self.value(Read::Attribute(name))
    }

    fn attributes(&mut self, names: Vec<String>) -> wasmtime::Result<Vec<Option<types::Value>>> {
        let one = |name| subject::Host::attribute(self, name);
        names.into_iter().map(one).collect()
    }

    fn manager_attribute(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        self.value(Read::ManagerAttribute(name))
    }

    fn accounts(&mut self, application: String) -> wasmtime::Result<Vec<subject::Account>> {
        let accounts = self.list_accounts(application)?;
        Ok(accounts.into_iter().map(account_to_rule).collect())
    }

    fn first_account(&mut self, application: String) -> wasmtime::Result<Option<u32>> {
        self.pay_name(&application)?;
        let of = self.trace.is_some().then(|| application.clone());
        match self.ask(Query::Read(Read::FirstAccount(application)))? {
            Told::Account(handle) => {
                self.applications.extend(handle.zip(of));
                Ok(handle)
            }
            other => unreachable!("an account was asked for, and {other:?} told"),
        }
    }

    fn account_attribute(
        &mut self,
        handle: u32,
        name: String,
    ) -> wasmtime::Result<Option<types::Value>> {
        self.read_account(handle, name)
    }

    fn account_attributes(
        &mut self,
        handle: u32,
        names: Vec<String>,
    ) -> wasmtime::Result<Vec<Option<types::Value>>> {
        let one = |name| self.read_account(handle, name);
        names.into_iter().map(one).collect()
    }
}

impl tiers::Host for CallState {
    fn accounts(&mut self, application: String) -> wasmtime::Result<Vec<tiers::Account>> {
        let accounts = self.list_accounts(application)?;
        Ok(accounts.into_iter().map(tier_to_rule).collect())
    }

    fn attribute(&mut self, handle: u32, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.read_account(handle, name)
    }
}

impl CallState {
    /// Takes down whose the handles are that the rule is given, where somebody
    /// wants to know what it reads.
    pub(super) fn note_handles(&mut self, application: &str, accounts: &[AccountSummary]) {
        if self.trace.is_some() {
            let handles = accounts.iter().map(|account| account.handle);
            let handles = handles.map(|handle| (handle, application.to_owned()));
            self.applications.extend(handles);
        }
    }

    fn list_accounts(&mut self, application: String) -> wasmtime::Result<Vec<AccountSummary>> {
        self.pay_name(&application)?;
        let of = self.trace.is_some().then(|| application.clone());
        match self.ask(Query::Read(Read::Accounts(application)))? {
            Told::Accounts(accounts) => {
                if let Some(application) = of {
                    self.note_handles(&application, &accounts);
                }
                Ok(accounts)
            }
            other => unreachable!("accounts were asked for, and {other:?} told"),
        }
    }

    fn read_account(
        &mut self,
        handle: u32,
        name: String,
    ) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        let known = self.applications.iter().find(|(known, _)| *known == handle);
        let application = known.map_or(String::new(), |(_, application)| application.clone());
        self.value(Read::AccountAttribute {
            application,
            handle,
            name,
        })
    }
}

impl account::Host for CallState {
    fn application(&mut self) -> wasmtime::Result<String> {
        self.text(Read::Application)
    }

    fn native_identity(&mut self) -> wasmtime::Result<String> {
        self.text(Read::NativeIdentity)
    }

    fn status(&mut self) -> wasmtime::Result<types::AccountStatus> {
        match self.ask(Query::Read(Read::Status))? {
            Told::Status(status) => Ok(status_to_rule(Some(status))),
            other => unreachable!("a status was asked for, and {other:?} told"),
        }
    }

    fn attribute(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        let application = match &self.trace {
            None => String::new(),
            Some(_) => stop(self.view.account())?.key.application.to_string(),
        };
        self.value(Read::OwnAttribute { application, name })
    }
}

impl entitlements::Host for CallState {
    fn holds(
        &mut self,
        application: String,
        attribute: String,
        value: String,
    ) -> wasmtime::Result<bool> {
        self.pay_name(&application)?;
        self.pay_name(&attribute)?;
        self.pay(value.len())?;
        self.truth(Query::Read(Read::Holds {
            application,
            attribute,
            value,
        }))
    }

    fn held(&mut self, application: String, attribute: String) -> wasmtime::Result<Vec<String>> {
        self.pay_name(&application)?;
        self.pay_name(&attribute)?;
        self.texts(Read::Held {
            application,
            attribute,
        })
    }
}

impl roles::Host for CallState {
    fn has_assigned(&mut self, role: String) -> wasmtime::Result<bool> {
        self.pay_name(&role)?;
        self.truth(Query::Read(Read::HasAssigned(role)))
    }

    fn has_detected(&mut self, role: String) -> wasmtime::Result<bool> {
        self.pay_name(&role)?;
        self.truth(Query::Read(Read::HasDetected(role)))
    }
}

impl access::Host for CallState {
    fn is_desired(&mut self) -> wasmtime::Result<bool> {
        self.truth(Query::Read(Read::AccessIsDesired))
    }

    fn has_role(&mut self, role: String) -> wasmtime::Result<bool> {
        self.pay_name(&role)?;
        self.truth(Query::Read(Read::AccessHasRole(role)))
    }

    fn roles(&mut self) -> wasmtime::Result<Vec<String>> {
        self.texts(Read::AccessRoles)
    }

    fn holds(
        &mut self,
        application: String,
        attribute: String,
        value: String,
    ) -> wasmtime::Result<bool> {
        self.pay_name(&application)?;
        self.pay_name(&attribute)?;
        self.pay(value.len())?;
        self.truth(Query::Read(Read::AccessHolds {
            application,
            attribute,
            value,
        }))
    }

    fn held(&mut self, application: String, attribute: String) -> wasmtime::Result<Vec<String>> {
        self.pay_name(&application)?;
        self.pay_name(&attribute)?;
        self.texts(Read::AccessHeld {
            application,
            attribute,
        })
    }
}

impl baseline::Host for CallState {
    fn exists(&mut self) -> wasmtime::Result<bool> {
        self.truth(Query::Read(Read::BaselineExists))
    }

    fn attribute(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        self.value(Read::BaselineAttribute(name))
    }

    fn had_assigned(&mut self, role: String) -> wasmtime::Result<bool> {
        self.pay_name(&role)?;
        self.truth(Query::Read(Read::HadAssigned(role)))
    }
}

impl time::Host for CallState {
    fn reached(&mut self, moment: types::Instant) -> wasmtime::Result<bool> {
        let moment = sense(instant_from_rule(moment))?;
        self.truth(Query::Reached(moment))
    }

    fn date_reached(
        &mut self,
        day: types::Date,
        at: types::TimeOfDay,
        zone: String,
    ) -> wasmtime::Result<bool> {
        self.pay_name(&zone)?;
        let (day, at) = (sense(date_from_rule(day))?, sense(time_from_rule(at))?);
        self.truth(Query::DateReached { day, at, zone })
    }

    fn day_over(&mut self, day: types::Date, zone: String) -> wasmtime::Result<bool> {
        self.pay_name(&zone)?;
        let day = sense(date_from_rule(day))?;
        self.truth(Query::DayOver { day, zone })
    }

    fn instant_at(
        &mut self,
        day: types::Date,
        at: types::TimeOfDay,
        zone: String,
    ) -> wasmtime::Result<types::Instant> {
        self.pay_name(&zone)?;
        let (day, at) = (sense(date_from_rule(day))?, sense(time_from_rule(at))?);
        match self.ask(Query::InstantAt { day, at, zone })? {
            Told::Instant(UnixMillis(milliseconds)) => Ok(milliseconds),
            other => unreachable!("an instant was asked for, and {other:?} told"),
        }
    }

    fn plus_days(&mut self, day: types::Date, days: i32) -> wasmtime::Result<types::Date> {
        let day = sense(date_from_rule(day))?;
        self.day(Query::PlusDays { day, days })
    }

    fn today(&mut self, zone: String) -> wasmtime::Result<types::Date> {
        self.pay_name(&zone)?;
        self.day(Query::Today { zone })
    }
}

impl parameters::Host for CallState {
    fn parameter(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        self.value(Read::Parameter(name))
    }
}

impl log::Host for CallState {
    fn info(&mut self, message: String) -> wasmtime::Result<()> {
        self.pay(message.len())?;
        self.log.add(LogLevel::Info, &message);
        Ok(())
    }

    fn warn(&mut self, message: String) -> wasmtime::Result<()> {
        self.pay(message.len())?;
        self.log.add(LogLevel::Warn, &message);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{LOG_LINE_CHARS, Log, LogLevel};

    #[test]
    fn a_log_keeps_a_bounded_number_of_bounded_lines() {
        let mut log = Log {
            limit: 2,
            ..Log::default()
        };
        log.add(LogLevel::Info, &"ß".repeat(LOG_LINE_CHARS + 1));
        log.add(LogLevel::Warn, "second");
        log.add(LogLevel::Warn, "third");
        assert_eq!(log.lines.len(), 2);
        assert_eq!(log.lines[0].message.chars().count(), LOG_LINE_CHARS + 1);
        assert_eq!(log.lines[1].message, "second");
        assert_eq!(log.dropped, 1);
        assert_eq!(log.dropped_warning.as_deref(), Some("third"));
    }
}
