//! The trace: what a plan read and how it came to what it did, for explanations.
//!
//! Only kept when it was asked for. Phases say what they are about
//! ([`TrackedView::explain`]) and which way they went ([`TrackedView::step`]);
//! reads note themselves. What steps say holds no values of attributes: those
//! stand in the reads, where they can be masked.

use std::fmt;

use super::{Node, TrackedView};
use crate::model::{AccountKey, Name, UnixMillis};

/// What a part of a plan is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// An attribute, the manager, the lifecycle state or proposals.
    Node(Node),
    /// Roles: which are assigned and detected.
    Roles,
    /// One role, where that is asked for.
    Role(Name),
    /// A trigger.
    Trigger(Name),
}

/// What kind of thing was noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Traced {
    /// Something was read: of an account, where one is given.
    Read(Option<AccountKey>),
    /// It was asked whether a moment has come.
    Time(UnixMillis),
    /// A way was taken. Its depth is that of a part within a whole, from 0.
    Step(usize),
}

/// Something that a plan noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEntry {
    /// What that was about; none for what is worked out from all of it.
    pub about: Option<Topic>,
    /// What kind of thing it is.
    pub kind: Traced,
    /// What was read or asked, such as `department` or `source 1: hr department`.
    pub what: String,
    /// What came back, in words.
    pub answer: String,
}

impl TrackedView {
    /// Starts to note every read and step, for an explanation.
    pub fn start_trace(&mut self) {
        self.state_mut().trace = Some(Vec::new());
    }

    /// Says whether reads and steps are noted.
    pub(crate) fn is_traced(&self) -> bool {
        self.state().trace.is_some()
    }

    /// Takes what was noted so far.
    pub fn take_trace(&mut self) -> Vec<TraceEntry> {
        self.state_mut()
            .trace
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Says what the next reads and steps are about.
    pub(crate) fn explain(&mut self, topic: Option<Topic>) {
        self.state_mut().topic = topic;
    }

    /// Forgets what was noted about something: that is worked out again.
    pub(crate) fn explain_again(&mut self, topic: Topic) {
        if let Some(trace) = &mut self.state_mut().trace {
            trace.retain(|entry| entry.about != Some(topic));
        }
    }

    /// Notes which way was taken.
    pub(crate) fn step(&mut self, what: impl FnOnce() -> String, answer: impl fmt::Display) {
        self.note_as(Traced::Step(0), what, || answer.to_string());
    }

    /// Notes something that was read.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String, answer: impl FnOnce() -> String) {
        self.note_as(Traced::Read(None), what, answer);
    }

    pub(crate) fn note_as(
        &mut self,
        kind: Traced,
        what: impl FnOnce() -> String,
        answer: impl FnOnce() -> String,
    ) {
        let state = self.state_mut();
        let about = state.topic;
        if let Some(trace) = &mut state.trace {
            let entry = TraceEntry {
                about,
                kind,
                what: what(),
                answer: answer(),
            };
            // Asked again at once, it says nothing new.
            if trace.last() != Some(&entry) {
                trace.push(entry);
            }
        }
    }

    /// Notes something that was read of an account, by its place in the record.
    pub(crate) fn note_of(
        &mut self,
        account: usize,
        what: impl FnOnce() -> String,
        answer: impl FnOnce() -> String,
    ) {
        if self.is_traced() {
            let key = self.state().record.accounts.get(account);
            let key = key.map(|account| account.key.clone());
            self.note_as(Traced::Read(key), what, answer);
        }
    }
}
