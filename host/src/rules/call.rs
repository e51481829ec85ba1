//! What a rule's functions do when it calls the host: the other end of the
//! contract's imports.
//!
//! Reads and time go through the tracked view, which is moved in here for the
//! time of one evaluation. An error ends the evaluation: no rule can catch it.

use std::cmp::Ordering;

use idr_core::definitions::{RuleIndex, RuleLimits};
use idr_core::model::{AccountStatus, UnixMillis};
use idr_core::view::{AccountSummary, TrackedView};
use thiserror::Error;
use wasmtime::ResourceLimiter;

use super::bindings::idr::rules::{
    access, account, baseline, entitlements, log, parameters, roles, subject, tiers, time, types,
};
use super::consequences::tier_to_rule;
use super::engine::TABLE_ENTRIES;
use super::error::Trouble;
use super::kind::{Question, spoken_value};
use super::plain::{NAME_BYTES, plain};
use super::read::Read;
use super::values::{
    account_to_rule, date_from_rule, date_to_rule, instant_from_rule, status_to_rule,
    time_from_rule, to_rule, transfer_bytes,
};

/// The longest line of a rule's log that is kept, in characters.
const LOG_LINE_CHARS: usize = 1_000;

/// How many calls of an evaluation are traced.
const MOST_TRACED: usize = 5_000;

/// What a wasmtime store holds for the rule that runs in it.
pub(super) struct CallState {
    /// The identity that is being evaluated; detached between evaluations.
    pub(super) view: TrackedView,
    /// Which rule's parameters are passed.
    rule: RuleIndex,
    /// How many bytes this evaluation may still exchange with the host.
    transfer_left: usize,
    /// What the rule logged in this evaluation.
    pub(super) log: Log,
    /// What the rule asked in this evaluation, when somebody wants to know.
    pub(super) trace: Option<Vec<Call>>,
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
        trace: bool,
    ) {
        self.view = view;
        self.rule = rule;
        self.transfer_left = limits.transfer_bytes;
        self.log.limit = limits.log_lines;
        self.trace = trace.then(Vec::new);
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

    /// Takes down a call, where somebody wants to know; the last one says that
    /// there were more.
    fn note(&mut self, call: impl FnOnce() -> Call) {
        let Some(trace) = &mut self.trace else {
            return;
        };
        match trace.len().cmp(&MOST_TRACED) {
            Ordering::Less => trace.push(call()),
            Ordering::Equal => trace.push(Call::of_question(
                "(more calls)".to_owned(),
                "not shown".to_owned(),
            )),
            Ordering::Greater => {}
        }
    }

    /// Notes a question about time or the calendar.
    fn note_question(&mut self, what: impl FnOnce() -> String, answer: impl FnOnce() -> String) {
        self.note(|| Call::of_question(what(), answer()));
    }

    /// Notes a read that is answered with something else than a value.
    fn note_read(&mut self, read: impl FnOnce() -> Read, answer: impl FnOnce() -> String) {
        self.note(|| Call::of_read(read(), answer(), None));
    }

    /// Notes a read that is answered with texts.
    fn note_list(&mut self, read: impl FnOnce() -> Read, texts: &[String]) {
        let value = || Some(idr_core::model::Value::Many(texts.to_vec()));
        self.note(|| Call::of_read(read(), format!("{texts:?}"), value()));
    }

    /// Passes a value to the rule as an argument of its question.
    pub(super) fn pass(
        &mut self,
        value: &idr_core::model::Value,
    ) -> wasmtime::Result<types::Value> {
        let value = to_rule(value.clone());
        self.pay(transfer_bytes(&value))?;
        Ok(value)
    }

    /// Passes a value to the rule as an answer.
    fn give(
        &mut self,
        read: impl FnOnce() -> Read,
        value: Option<idr_core::model::Value>,
    ) -> wasmtime::Result<Option<types::Value>> {
        self.note(|| {
            let answer = value.as_ref().map_or("none".to_owned(), spoken_value);
            Call::of_read(read(), answer, value.clone())
        });
        match value {
            None => Ok(None),
            Some(value) => {
                let value = to_rule(value);
                self.pay(transfer_bytes(&value))?;
                Ok(Some(value))
            }
        }
    }
}

fn spoken_accounts(accounts: &[AccountSummary]) -> String {
    let spoken = accounts.iter().map(|account| {
        let status = account.status.map_or("vanished", AccountStatus::as_str);
        format!("{} ({status})", account.native_identity)
    });
    if accounts.is_empty() {
        "none".to_owned()
    } else {
        spoken.collect::<Vec<_>>().join(", ")
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
    fn of_question(what: String, answer: String) -> Self {
        Self {
            what,
            answer,
            read: None,
            value: None,
        }
    }

    fn of_read(read: Read, answer: String, value: Option<idr_core::model::Value>) -> Self {
        Self {
            what: read.to_string(),
            answer,
            read: Some(read),
            value,
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
    pub(super) limit: usize,
}

impl Log {
    fn add(&mut self, level: LogLevel, message: &str) {
        if self.lines.len() >= self.limit {
            self.dropped += 1;
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
        let value = stop(self.view.attribute(&name))?;
        self.give(|| Read::Attribute(name), value)
    }

    fn manager_attribute(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        let value = stop(self.view.manager_attribute(&name))?;
        self.give(|| Read::ManagerAttribute(name), value)
    }

    fn accounts(&mut self, application: String) -> wasmtime::Result<Vec<subject::Account>> {
        let accounts = self.list_accounts(application)?;
        Ok(accounts.into_iter().map(account_to_rule).collect())
    }

    fn account_attribute(
        &mut self,
        handle: u32,
        name: String,
    ) -> wasmtime::Result<Option<types::Value>> {
        self.read_account(handle, name)
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
        let accounts = stop(self.view.accounts(&application))?;
        self.note_handles(&application, &accounts);
        self.note_read(
            || Read::Accounts(application),
            || spoken_accounts(&accounts),
        );
        self.pay(
            accounts
                .iter()
                .map(|account| 16 + account.native_identity.len())
                .sum(),
        )?;
        Ok(accounts)
    }

    fn read_account(
        &mut self,
        handle: u32,
        name: String,
    ) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        let value = stop(self.view.account_attribute(handle, &name))?;
        let application = match &self.trace {
            None => String::new(),
            Some(_) => {
                let known = self.applications.iter().find(|(known, _)| *known == handle);
                known
                    .map(|(_, application)| application.clone())
                    .unwrap_or_default()
            }
        };
        self.give(
            || Read::AccountAttribute {
                application,
                handle,
                name,
            },
            value,
        )
    }
}

impl account::Host for CallState {
    fn application(&mut self) -> wasmtime::Result<String> {
        let application = stop(self.view.shown_application())?.to_string();
        self.note_read(|| Read::Application, || application.clone());
        self.pay(application.len())?;
        Ok(application)
    }

    fn native_identity(&mut self) -> wasmtime::Result<String> {
        let native_identity = stop(self.view.shown_native_identity())?;
        self.note_read(|| Read::NativeIdentity, || native_identity.clone());
        self.pay(native_identity.len())?;
        Ok(native_identity)
    }

    fn status(&mut self) -> wasmtime::Result<types::AccountStatus> {
        let status = stop(self.view.shown_status())?;
        self.note_read(|| Read::Status, || status.as_str().to_owned());
        Ok(status_to_rule(Some(status)))
    }

    fn attribute(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        let value = stop(self.view.shown_attribute(&name))?;
        let application = match &self.trace {
            None => String::new(),
            Some(_) => stop(self.view.account())?.key.application.to_string(),
        };
        self.give(|| Read::OwnAttribute { application, name }, value)
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
        let holds = stop(self.view.holds(&application, &attribute, &value))?;
        self.note_read(
            || Read::Holds {
                application,
                attribute,
                value,
            },
            || holds.to_string(),
        );
        Ok(holds)
    }

    fn held(&mut self, application: String, attribute: String) -> wasmtime::Result<Vec<String>> {
        self.pay_name(&application)?;
        self.pay_name(&attribute)?;
        let held = stop(self.view.held(&application, &attribute))?;
        self.note_read(
            || Read::Held {
                application,
                attribute,
            },
            || format!("{held:?}"),
        );
        self.pay(held.iter().map(|value| 16 + value.len()).sum())?;
        Ok(held)
    }
}

impl roles::Host for CallState {
    fn has_assigned(&mut self, role: String) -> wasmtime::Result<bool> {
        self.pay_name(&role)?;
        let has = stop(self.view.has_assigned(&role))?;
        self.note_read(|| Read::HasAssigned(role), || has.to_string());
        Ok(has)
    }

    fn has_detected(&mut self, role: String) -> wasmtime::Result<bool> {
        self.pay_name(&role)?;
        let has = stop(self.view.has_detected(&role))?;
        self.note_read(|| Read::HasDetected(role), || has.to_string());
        Ok(has)
    }
}

impl access::Host for CallState {
    fn is_desired(&mut self) -> wasmtime::Result<bool> {
        let desired = stop(self.view.access_is_desired())?;
        self.note_read(|| Read::AccessIsDesired, || desired.to_string());
        Ok(desired)
    }

    fn has_role(&mut self, role: String) -> wasmtime::Result<bool> {
        self.pay_name(&role)?;
        let has = stop(self.view.access_has_role(&role))?;
        self.note_read(|| Read::AccessHasRole(role), || has.to_string());
        Ok(has)
    }

    fn roles(&mut self) -> wasmtime::Result<Vec<String>> {
        let roles = stop(self.view.access_roles())?;
        let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
        self.note_list(|| Read::AccessRoles, &roles);
        self.pay(roles.iter().map(|role| 16 + role.len()).sum())?;
        Ok(roles)
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
        let holds = stop(self.view.access_holds(&application, &attribute, &value))?;
        self.note_read(
            || Read::AccessHolds {
                application,
                attribute,
                value,
            },
            || holds.to_string(),
        );
        Ok(holds)
    }

    fn held(&mut self, application: String, attribute: String) -> wasmtime::Result<Vec<String>> {
        self.pay_name(&application)?;
        self.pay_name(&attribute)?;
        let held = stop(self.view.access_held(&application, &attribute))?;
        self.note_list(
            || Read::AccessHeld {
                application,
                attribute,
            },
            &held,
        );
        self.pay(held.iter().map(|value| 16 + value.len()).sum())?;
        Ok(held)
    }
}

impl baseline::Host for CallState {
    fn exists(&mut self) -> wasmtime::Result<bool> {
        let exists = stop(self.view.baseline_exists())?;
        self.note_read(|| Read::BaselineExists, || exists.to_string());
        Ok(exists)
    }

    fn attribute(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        let value = stop(self.view.baseline_attribute(&name))?;
        self.give(|| Read::BaselineAttribute(name), value)
    }

    fn had_assigned(&mut self, role: String) -> wasmtime::Result<bool> {
        self.pay_name(&role)?;
        let had = stop(self.view.had_assigned(&role))?;
        self.note_read(|| Read::HadAssigned(role), || had.to_string());
        Ok(had)
    }
}

impl time::Host for CallState {
    fn reached(&mut self, moment: types::Instant) -> wasmtime::Result<bool> {
        let moment = sense(instant_from_rule(moment))?;
        let reached = self.view.reached(moment);
        self.note_question(|| format!("reached {moment}"), || reached.to_string());
        Ok(reached)
    }

    fn date_reached(
        &mut self,
        day: types::Date,
        at: types::TimeOfDay,
        zone: String,
    ) -> wasmtime::Result<bool> {
        self.pay_name(&zone)?;
        let (day, at) = (sense(date_from_rule(day))?, sense(time_from_rule(at))?);
        let reached = stop(self.view.date_reached(day, at, &zone))?;
        self.note_question(
            || format!("date-reached {day} {at} {zone:?}"),
            || reached.to_string(),
        );
        Ok(reached)
    }

    fn day_over(&mut self, day: types::Date, zone: String) -> wasmtime::Result<bool> {
        self.pay_name(&zone)?;
        let day = sense(date_from_rule(day))?;
        let over = stop(self.view.day_over(day, &zone))?;
        self.note_question(|| format!("day-over {day} {zone:?}"), || over.to_string());
        Ok(over)
    }

    fn instant_at(
        &mut self,
        day: types::Date,
        at: types::TimeOfDay,
        zone: String,
    ) -> wasmtime::Result<types::Instant> {
        self.pay_name(&zone)?;
        let (day, at) = (sense(date_from_rule(day))?, sense(time_from_rule(at))?);
        let UnixMillis(instant) = stop(self.view.instant_at(day, at, &zone))?;
        self.note_question(
            || format!("instant-at {day} {at} {zone:?}"),
            || instant.to_string(),
        );
        Ok(instant)
    }

    fn plus_days(&mut self, day: types::Date, days: i32) -> wasmtime::Result<types::Date> {
        let day = sense(date_from_rule(day))?;
        let sum = stop(self.view.plus_days(day, days))?;
        self.note_question(|| format!("plus-days {day} {days}"), || sum.to_string());
        Ok(date_to_rule(sum))
    }

    fn today(&mut self, zone: String) -> wasmtime::Result<types::Date> {
        self.pay_name(&zone)?;
        let today = stop(self.view.today(&zone))?;
        self.note_question(|| format!("today {zone:?}"), || today.to_string());
        Ok(date_to_rule(today))
    }
}

impl parameters::Host for CallState {
    fn parameter(&mut self, name: String) -> wasmtime::Result<Option<types::Value>> {
        self.pay_name(&name)?;
        let parameters = &self.view.model().rule(self.rule).parameters;
        let place = parameters.binary_search_by(|(known, _)| known.as_str().cmp(&name));
        let value = place.ok().map(|place| parameters[place].1.clone());
        self.give(|| Read::Parameter(name), value)
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
    }
}
