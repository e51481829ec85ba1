//! What is called for with accounts: changes and reasons in words.

use idr_core::definitions::Model;
use idr_core::model::{AccountAction, ActionReason, AttributeChange, ValueChange};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::canonical::plain;
use super::event::MASK;

/// A change of an attribute of an account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttributeChangeReport {
    /// The account attribute.
    pub attribute: &'static str,
    /// `set`, `add` or `remove`.
    pub change: &'static str,
    /// What it is set to, or the values that are added or taken away.
    pub value: Json,
}

impl AttributeChangeReport {
    /// Returns the reports on an action's changes; values of sensitive attributes
    /// are masked.
    pub fn of(action: &AccountAction, model: &Model) -> Vec<Self> {
        let changes = action.changes.iter();
        changes
            .map(|change| Self::one(action, change, model))
            .collect()
    }

    fn one(action: &AccountAction, change: &AttributeChange, model: &Model) -> Self {
        let application = model.application(action.account.application);
        let attribute = application.and_then(|known| known.attribute(change.attribute));
        let is_sensitive = attribute.is_some_and(|known| known.sensitive);
        let (word, value) = change_parts(&change.change);
        Self {
            attribute: change.attribute.as_str(),
            change: word,
            value: match is_sensitive && !value.is_null() {
                true => json!(MASK),
                false => value,
            },
        }
    }

    /// Returns the change in words.
    pub fn words(&self) -> String {
        let text = |value: &Json| match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        let value = match &self.value {
            Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
            other => text(other),
        };
        match (self.change, &self.value) {
            (_, Json::Null) => format!("empty {}", self.attribute),
            ("set", _) => format!("{} = {value}", self.attribute),
            ("add", _) => format!("add {} {value}", self.attribute),
            _ => format!("remove {} {value}", self.attribute),
        }
    }
}

/// Returns the word for a change, and its value as JSON.
pub(super) fn change_parts(change: &ValueChange) -> (&'static str, Json) {
    match change {
        ValueChange::Set(value) => ("set", value.as_ref().map_or(Json::Null, plain)),
        ValueChange::Add(values) => ("add", json!(values)),
        ValueChange::Remove(values) => ("remove", json!(values)),
    }
}

/// Returns a reason in words.
pub fn reason_words(reason: &ActionReason) -> String {
    match reason {
        ActionReason::Role { role, source } => format!("role {role} (by {})", source.as_str()),
        ActionReason::RoleGone { role } => format!("role {role} is gone"),
        ActionReason::State { state } => format!("state {state}"),
        ActionReason::Synchronisation { attribute } => format!("follows {attribute}"),
        ActionReason::NativeChange { change } => format!("{} natively", change.as_str()),
        ActionReason::Workflow { workflow, trigger } => {
            format!("workflow {workflow} (by trigger {trigger})")
        }
    }
}

/// Returns everything that an action does beyond its operation, in words: where
/// to, and what changes.
pub(super) fn details(to: Option<&str>, changes: &[AttributeChangeReport]) -> String {
    let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
    let changes: Vec<_> = changes.iter().map(AttributeChangeReport::words).collect();
    match changes.is_empty() {
        true => to,
        false => format!("{to}: {}", changes.join("; ")),
    }
}
