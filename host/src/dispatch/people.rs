//! Work items: what people are asked to do.

use idr_core::definitions::Model;
use idr_core::model::{AccountAction, AccountOperation, Name, SentAction, Uid, Value, ValueChange};

use super::{DispatchError, Outcome, Pass};
use crate::report::MASK;
use crate::store::{EffectProgress, EffectStatus, NewWorkItem, Settlement, StoredEffect};

impl Pass<'_> {
    /// Gives somebody something to do, if that isn't so yet.
    pub(super) fn ask(
        &mut self,
        stored: &StoredEffect,
        owner: Option<&str>,
        description: &str,
    ) -> Result<Outcome, DispatchError> {
        if stored.progress.status == EffectStatus::Sent {
            return Ok(Outcome::WithPeople);
        }
        self.open_item(stored, owner.map(str::to_owned), description, None)
    }

    /// Opens the work item that an effect consists of.
    pub(super) fn open_item(
        &mut self,
        stored: &StoredEffect,
        owner: Option<String>,
        description: &str,
        sent: Option<(Uid, SentAction)>,
    ) -> Result<Outcome, DispatchError> {
        let mut stored = stored.clone();
        let progress = EffectProgress {
            status: EffectStatus::Sent,
            attempts: stored.progress.attempts + 1,
            next_attempt: None,
            message: None,
            ..stored.progress.clone()
        };
        let item = self.work_item(&stored, stored.id.clone(), owner, description);
        let settlement = Settlement {
            work_items: vec![item],
            sent,
            ..Settlement::default()
        };
        if self.settle(&mut stored, progress, settlement)? {
            self.report.asked += 1;
        }
        Ok(Outcome::WithPeople)
    }

    /// Returns a work item for an effect.
    pub(super) fn work_item(
        &self,
        stored: &StoredEffect,
        id: String,
        owner: Option<String>,
        description: &str,
    ) -> NewWorkItem {
        NewWorkItem {
            id,
            effect: stored.id.clone(),
            uid: stored.effect.uid,
            owner,
            description: description.to_owned(),
            opened_at: self.context.now,
        }
    }

    /// Returns the name of whoever is meant: `manager`, `identity`, or a name.
    pub(super) fn owner(&self, uid: Uid, meant: &str) -> Result<Option<String>, DispatchError> {
        if meant != "manager" && meant != "identity" {
            return Ok(Some(meant.to_owned()));
        }
        let name_of = |uid: Uid| -> Result<Option<String>, DispatchError> {
            let record = self.context.store.read_chunk(&[uid])?.pop();
            Ok(record.map(|record| record.identity.name))
        };
        if meant == "identity" {
            return name_of(uid);
        }
        let record = self.context.store.read_chunk(&[uid])?.pop();
        match record.and_then(|record| record.identity.manager) {
            Some(manager) => name_of(manager),
            None => Ok(self.context.model.work_item_fallback.clone()),
        }
    }
}

/// Returns what is to be done with an account, for people. Sensitive values are
/// masked: who carries it out looks them up.
pub(super) fn in_words(action: &AccountAction, model: &Model) -> String {
    let key = &action.account;
    let application = key.application;
    let account = format!("account `{}` in `{application}`", key.native_identity);
    let changes: Vec<String> = action
        .changes
        .iter()
        .map(|change| {
            let name = change.attribute;
            let sensitive = is_sensitive(model, application, name);
            let shown = |text: String| if sensitive { MASK.to_owned() } else { text };
            match &change.change {
                ValueChange::Set(Some(value)) => format!("set {name} to {}", shown(text(value))),
                ValueChange::Set(None) => format!("empty {name}"),
                ValueChange::Add(texts) => format!("add {} to {name}", shown(texts.join(", "))),
                ValueChange::Remove(texts) => {
                    format!("remove {} from {name}", shown(texts.join(", ")))
                }
            }
        })
        .collect();
    let changes = changes.join("; ");
    match action.operation {
        AccountOperation::Create if changes.is_empty() => format!("create {account}"),
        AccountOperation::Create => format!("create {account}: {changes}"),
        AccountOperation::Modify => format!("change {account}: {changes}"),
        AccountOperation::Enable => format!("enable {account}"),
        AccountOperation::Disable => format!("disable {account}"),
        AccountOperation::Delete => format!("delete {account}"),
        AccountOperation::Move => {
            let to = action.to.as_deref().unwrap_or_default();
            format!("move {account} to `{to}`")
        }
    }
}

fn text(value: &Value) -> String {
    value.to_string()
}

fn is_sensitive(model: &Model, application: Name, attribute: Name) -> bool {
    let application = model.application(application);
    let known = application.and_then(|application| application.attribute(attribute));
    known.is_some_and(|attribute| attribute.sensitive)
}
