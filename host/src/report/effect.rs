//! Effects: what is to be done outside, and how it stands.

use idr_core::definitions::Model;
use idr_core::model::{EffectKind, Handler};
use idr_core::time::Zone;
use serde::Serialize;

use super::action::{AttributeChangeReport, details, reason_words};
use super::address::shown_address;
use super::text::local;
use crate::store::StoredEffect;

/// An effect, as reports show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EffectReport {
    /// Its id, which is the same whichever run finds it.
    pub id: String,
    /// `waiting`, `sent`, `failed`, `done`, `dead` or `withdrawn`.
    pub status: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried again.
    pub next_attempt: Option<String>,
    /// What went wrong last.
    pub message: Option<String>,
    /// The name of the identity now.
    pub name: String,
    /// The identity's number.
    pub uid: i64,
    /// What is to be done.
    #[serde(flatten)]
    pub what: EffectWhat,
    /// When what calls for it took effect.
    pub effective_at: String,
    /// When the run that found it was started.
    pub detected_at: String,
    #[serde(skip)]
    shown_at: String,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum EffectWhat {
    /// What is called for with an account.
    Account {
        /// The application.
        application: String,
        /// The account there.
        native_identity: String,
        /// `create`, `modify`, `enable`, `disable`, `move` or `delete`.
        operation: &'static str,
        /// Where to move it.
        to: Option<String>,
        /// The attributes that it is created with, or what changes of them.
        changes: Vec<AttributeChangeReport>,
        /// Why, in words.
        reasons: Vec<String>,
        /// How many changes of idr's own have led to it.
        hops: u32,
    },
    /// What somebody is to do.
    WorkItem {
        /// The name of whoever is to do it; null for nobody.
        owner: Option<String>,
        /// What to do.
        description: String,
    },
    /// What a trigger's handler is to do.
    Handler {
        /// The trigger.
        trigger: String,
        /// Which of the identity's events it is.
        sequence: u64,
        /// What the handler does, in words.
        handler: String,
        /// How many changes of idr's own have led to the event.
        hops: u32,
    },
}

impl EffectReport {
    /// Returns the report on an effect; values of sensitive attributes are masked.
    pub fn of(stored: StoredEffect, model: &Model, zone: &Zone) -> Self {
        let effect = stored.effect;
        Self {
            id: stored.id,
            status: stored.progress.status.as_str(),
            attempts: stored.progress.attempts,
            next_attempt: stored.progress.next_attempt.map(|at| at.to_string()),
            message: stored.progress.message,
            name: stored.name,
            uid: effect.uid.0,
            what: match effect.what {
                EffectKind::Account(action) => EffectWhat::Account {
                    changes: AttributeChangeReport::of(&action, model),
                    reasons: action.reasons.iter().map(reason_words).collect(),
                    hops: action.hops,
                    application: action.account.application.to_string(),
                    native_identity: action.account.native_identity,
                    operation: action.operation.as_str(),
                    to: action.to,
                },
                EffectKind::WorkItem(item) => EffectWhat::WorkItem {
                    owner: item.owner,
                    description: item.description,
                },
                EffectKind::Handler {
                    trigger,
                    sequence,
                    place: _,
                    handler,
                    hops,
                } => EffectWhat::Handler {
                    trigger: trigger.to_string(),
                    sequence,
                    handler: handler_text(&handler),
                    hops,
                },
            },
            effective_at: effect.effective_at.to_string(),
            detected_at: effect.detected_at.to_string(),
            shown_at: local(effect.effective_at, zone),
        }
    }

    /// Returns the row for people: when, who, what, and how it stands.
    pub fn row(&self) -> [String; 4] {
        let what = match &self.what {
            EffectWhat::Account {
                application,
                native_identity,
                operation,
                to,
                changes,
                reasons: _,
                hops: _,
            } => {
                let details = details(to.as_deref(), changes);
                format!("{operation} {application} {native_identity}{details}")
            }
            EffectWhat::WorkItem { owner, description } => work_item(owner.as_deref(), description),
            EffectWhat::Handler {
                trigger, handler, ..
            } => format!("{trigger}: {handler}"),
        };
        let status = match &self.message {
            Some(message) => format!("{}: {message}", self.status),
            None => self.status.to_owned(),
        };
        [self.shown_at.clone(), self.name.clone(), what, status]
    }
}

/// Returns what a handler does, in words.
pub(super) fn handler_text(handler: &Handler) -> String {
    match handler {
        Handler::WorkItem { owner, description } => work_item(Some(owner), description),
        Handler::Workflow { name } => format!("workflow {name}"),
        Handler::Webhook { url } => format!("webhook {}", shown_address(url)),
    }
}

fn work_item(owner: Option<&str>, description: &str) -> String {
    format!("work item for {}: {description}", owner.unwrap_or("nobody"))
}
