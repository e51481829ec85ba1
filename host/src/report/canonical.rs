//! The canonical export: a tenant's state as lines of JSON that are equal when
//! the state is.
//!
//! Natural keys, sorted, without uids, run numbers and row versions. Two stores
//! that went through the same inputs at the same instants export the same
//! lines, whichever refreshes brought them there; tests rest on that.

use std::io::{self, Write};

use idr_core::definitions::Model;
use idr_core::model::{
    Account, AccountAction, AccountKey, AttributeChange, Baseline, ChangeMemory, Claim, EffectKind,
    EntitlementDecision, Event, Finding, Holder, Identity, IdentityRecord, Lag, LedgerEntry,
    LogicalAccount, ManualEdit, Name, NativeChange, NativeEntitlement, PolicyDecision, Proposals,
    Provenance, Provisioning, RoleDecision, Score, Scorecard, SentOutcome, StateOverride,
    TriggerMemory, Uid, Value, Violation, WorkItem,
};
use idr_core::phases::entitlements::ledger;
use idr_core::view::Snapshot;
use serde_json::{Map, Value as Json, json};
use thiserror::Error;

use super::action::{change_parts, reason_words};
use super::effect::handler_text;
use super::history::as_json;
use crate::store::{
    ClaimQuery, EffectQuery, EventQuery, Store, StoreError, StoredClaim, StoredEffect,
    each_identity,
};

/// The export could not be made.
#[derive(Debug, Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A snapshot of the store failed.
    #[error(transparent)]
    Snapshot(#[from] idr_core::view::SnapshotError),
    /// The output could not be written.
    #[error("the export can't be written")]
    Write(#[from] io::Error),
}

const CHUNK: usize = 1_000;

/// Writes the state: a line per identity and per image in its history, in order of name, then per account
/// without identity, then per such account of which something is remembered, then per unique value that is taken, then per event and effect
/// in order of instant, name and sequence.
/// The ledger is that of the model, at the last instant that was refreshed or aggregated for.
///
/// # Errors
///
/// [`ExportError`] when the store can't be read or `out` can't be written.
pub fn export(store: &dyn Store, model: &Model, out: &mut dyn Write) -> Result<(), ExportError> {
    let snapshot = store.snapshot()?;
    let at = store.tenant()?.last_as_of.unwrap_or_default();
    let mut lines = Vec::new();
    each_identity(store, |record| {
        let ledger = ledger(&record, model, at);
        lines.push(identity(&record, &ledger, snapshot.as_ref())?.to_string());
        if model.history.kept {
            let name = &record.identity.name;
            for line in history(store, record.identity.uid, name, snapshot.as_ref())? {
                lines.push(line.to_string());
            }
        }
        Ok::<_, ExportError>(())
    })?;
    lines.sort();
    let mut after: Option<AccountKey> = None;
    loop {
        let accounts = store.list_accounts(None, after.as_ref(), CHUNK)?;
        let Some(last) = accounts.last() else { break };
        after = Some(last.key.clone());
        for known in accounts.iter().filter(|known| known.owner.is_none()) {
            lines.push(json!({ "account": account(known) }).to_string());
        }
    }
    for (account, kept) in store.account_memory()? {
        lines.push(account_memory(&account, &kept).to_string());
    }
    let mut claimed: Option<Claim> = None;
    loop {
        let claims = store.claims(&ClaimQuery::default(), claimed.as_ref(), CHUNK)?;
        let Some(last) = claims.last() else { break };
        claimed = Some(last.claim.clone());
        lines.extend(claims.iter().map(|stored| claim(stored).to_string()));
    }
    let mut events = Vec::new();
    for stored in store.events(&EventQuery::default(), usize::MAX)? {
        events.push(
            event(
                &stored.event,
                &name_of(snapshot.as_ref(), stored.event.uid)?,
            )
            .to_string(),
        );
    }
    for stored in store.effects(&EffectQuery::default(), usize::MAX)? {
        events.push(effect(&stored).to_string());
    }
    events.sort();
    for line in lines.iter().chain(&events) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn history(
    store: &dyn Store,
    uid: Uid,
    name: &str,
    snapshot: &dyn Snapshot,
) -> Result<Vec<Json>, ExportError> {
    let mut lines = Vec::new();
    for stored in store.history(uid, None, usize::MAX)? {
        let manager = match stored.image.manager {
            Some(uid) => name_of(snapshot, uid)?,
            None => String::new(),
        };
        let image = as_json(&stored.image, &|_| manager.clone());
        lines.push(json!({ "history": {
            "identity": name,
            "at": stored.at.to_string(),
            "image": image,
        }}));
    }
    Ok(lines)
}

fn account_memory(account: &AccountKey, kept: &Identity) -> Json {
    let decisions = kept.by_hand.entitlements.iter();
    json!({ "accountMemory": {
        "account": key(account),
        "provisioning": provisioning(&kept.provisioning),
        "entitlementDecisions": decisions.map(entitlement_decision).collect::<Vec<_>>(),
    }})
}

fn claim(stored: &StoredClaim) -> Json {
    let Claim { namespace, value } = &stored.claim;
    let identity = match stored.holder {
        Holder::Identity(_) => Some(&stored.name),
        Holder::Reserved => None,
    };
    json!({ "claim": {
        "namespace": namespace.as_str(),
        "value": value,
        "identity": identity,
    }})
}

fn name_of(snapshot: &dyn Snapshot, uid: Uid) -> Result<String, ExportError> {
    let name = snapshot.attribute_of(uid, Name::new("name"))?;
    Ok(name.map_or_else(|| format!("uid {uid}"), |name| name.to_string()))
}

fn identity(
    record: &IdentityRecord,
    ledger: &[LedgerEntry],
    snapshot: &dyn Snapshot,
) -> Result<Json, ExportError> {
    let identity = &record.identity;
    let mut attributes = Map::new();
    for (name, state) in &identity.attributes {
        let provenance = match state.provenance {
            Provenance::Source(index) => json!(index),
            Provenance::Kept(since) => json!(format!("kept since {since}")),
            Provenance::Manual => json!("manual"),
            Provenance::Proposed(rule) => json!(format!("proposed by {rule}")),
        };
        let value = state.value.as_ref().map(plain);
        attributes.insert(
            name.to_string(),
            json!({ "value": value, "from": provenance }),
        );
    }
    let manager = match identity.manager {
        Some(uid) => Some(name_of(snapshot, uid)?),
        None => None,
    };
    let assigned: Vec<_> = identity
        .assigned
        .iter()
        .map(|known| {
            json!({
                "role": known.role.as_str(),
                "since": known.since.to_string(),
                "source": known.source.as_str(),
                "account": known.account.as_ref().map(key),
                "permits": known.permits.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
            })
        })
        .collect();
    let detected: Vec<_> = identity
        .detected
        .iter()
        .map(|known| {
            let accounts: Vec<_> = known.accounts.iter().map(key).collect();
            json!({ "role": known.role.as_str(), "accounts": accounts })
        })
        .collect();
    let triggers: Result<Vec<_>, _> = identity
        .triggers
        .iter()
        .map(|memory| trigger(memory, snapshot))
        .collect();
    Ok(json!({ "identity": {
        "name": identity.name,
        "type": identity.identity_type.as_str(),
        "edits": identity.by_hand.edits.iter().map(edit).collect::<Vec<_>>(),
        "roleDecisions": identity.by_hand.roles.iter().map(role_decision).collect::<Vec<_>>(),
        "stateOverride": identity.by_hand.state.as_ref().map(state_override),
        "entitlementDecisions": identity.by_hand.entitlements.iter().map(entitlement_decision).collect::<Vec<_>>(),
        "nativeChanges": identity.native_changes.iter().map(native_change).collect::<Vec<_>>(),
        "attributes": attributes,
        "manager": manager,
        "lifecycleState": identity.lifecycle_state.map(Name::as_str),
        "lifecycleSince": identity.lifecycle_since.map(|since| since.to_string()),
        "inactive": identity.inactive,
        "assigned": assigned,
        "detected": detected,
        "accountActions": identity.account_actions.iter().map(account_action).collect::<Vec<_>>(),
        "provisioning": provisioning(&identity.provisioning),
        "workItems": identity.work_items.iter().map(work_item).collect::<Vec<_>>(),
        "policyDecisions": identity.by_hand.policies.iter().map(policy_decision).collect::<Vec<_>>(),
        "violations": identity.violations.iter().map(violation).collect::<Vec<_>>(),
        "scorecard": identity.scorecard.as_ref().map(scorecard),
        "entitlements": ledger.iter().map(entry).collect::<Vec<_>>(),
        "proposals": proposals(&identity.proposals),
        "valueChanges": identity.value_changes.iter().map(value_change).collect::<Vec<_>>(),
        "baseline": baseline(&identity.baseline, snapshot)?,
        "triggers": triggers?,
        "events": identity.events.0,
        "wakePhases": identity.wake.phases.map(|wake| wake.to_string()),
        "wakeEvents": identity.wake.events.map(|wake| wake.to_string()),
        "findings": identity.findings.iter().map(finding).collect::<Vec<_>>(),
        "accounts": record.accounts.iter().map(account).collect::<Vec<_>>(),
        "logicalAccounts": identity.logical_accounts.iter().map(logical_account).collect::<Vec<_>>(),
    }}))
}

/// Returns a value as plain JSON: text, number, boolean, ISO date or list.
pub fn plain(value: &Value) -> Json {
    match value {
        Value::Integer(integer) => json!(integer),
        Value::Boolean(boolean) => json!(boolean),
        Value::Many(texts) => json!(texts),
        Value::Decimal(decimal) => decimal
            .to_string()
            .parse::<serde_json::Number>()
            .map_or_else(|_| json!(decimal.to_string()), Json::Number),
        other => json!(other.to_string()),
    }
}

fn key(key: &AccountKey) -> Json {
    json!(format!("{} {}", key.application, key.native_identity))
}

fn account(account: &Account) -> Json {
    let attributes: Map<_, _> = account
        .attributes
        .iter()
        .map(|(name, value)| (name.to_string(), plain(value)))
        .collect();
    json!({
        "key": key(&account.key),
        "status": account.status.as_str(),
        "missingSince": account.missing_since.map(|since| since.to_string()),
        "takenAway": account.taken_away,
        "link": account.link.as_str(),
        "attributes": attributes,
        "nativeEntitlements": account.native_entitlements.iter().map(native_entitlement).collect::<Vec<_>>(),
    })
}

/// Returns what a logical account is made of; itself it is among the accounts.
fn logical_account(logical: &LogicalAccount) -> Json {
    let parts = logical.parts.iter().map(key);
    json!([key(&logical.account.key), parts.collect::<Vec<_>>()])
}

fn native_entitlement(note: &NativeEntitlement) -> Json {
    json!([
        note.attribute.as_str(),
        note.value,
        note.change.as_str(),
        note.was_there,
        note.detected_at.to_string(),
    ])
}

fn entitlement_decision(decision: &EntitlementDecision) -> Json {
    json!({
        "account": key(&decision.account),
        "about": native_entitlement(&decision.about),
        "verdict": decision.verdict.as_str(),
        "actor": decision.actor,
    })
}

fn entry(entry: &LedgerEntry) -> Json {
    let entitlement = &entry.entitlement;
    let roles = entry.assigned_roles.iter();
    json!({
        "account": key(&entitlement.account),
        "attribute": entitlement.attribute.as_str(),
        "value": entitlement.value,
        "status": entry.status.as_str(),
        "connected": entry.connected,
        "native": entry.native.map(|(change, at)| json!([change.as_str(), at.to_string()])),
        "undecided": entry.undecided,
        "detectedRoles": entry.detected_roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        "assignedRoles": roles.map(|(role, source)| json!([role.as_str(), source.as_str()])).collect::<Vec<_>>(),
    })
}

fn edit(edit: &ManualEdit) -> Json {
    json!({
        "attribute": edit.attribute.as_str(),
        "value": edit.value.as_ref().map(plain),
        "feedValue": edit.feed_value.as_ref().map(plain),
        "actor": edit.actor,
    })
}

fn role_decision(decision: &RoleDecision) -> Json {
    json!({
        "role": decision.role.as_str(),
        "verdict": decision.verdict.as_str(),
        "within": decision.within.map(Name::as_str),
        "account": decision.account.as_ref().map(key),
        "from": decision.from.map(|from| from.to_string()),
        "until": decision.until.map(|until| until.to_string()),
        "actor": decision.actor,
    })
}

fn state_override(set: &StateOverride) -> Json {
    json!({
        "state": set.state.as_str(),
        "until": set.until.map(|until| until.to_string()),
        "before": set.before.map(Name::as_str),
        "actor": set.actor,
    })
}

fn native_change(change: &NativeChange) -> Json {
    json!({
        "account": key(&change.account),
        "operation": change.operation.as_str(),
        "attributes": change.attributes.iter().map(|name| name.as_str()).collect::<Vec<_>>(),
    })
}

fn proposals(proposals: &Proposals) -> Json {
    let attributes: Vec<_> = proposals
        .attributes
        .iter()
        .map(|(name, value)| json!({ "attribute": name.as_str(), "value": value.as_ref().map(plain) }))
        .collect();
    json!({ "attributes": attributes, "rounds": proposals.rounds, "hops": proposals.hops })
}

fn value_change(memory: &ChangeMemory) -> Json {
    let answer = memory.answer.as_ref().map(|answer| {
        let proposals = answer.proposals.iter();
        let proposals: Vec<_> = proposals
            .map(|known| json!([known.attribute, known.value.as_ref().map(plain)]))
            .collect();
        json!({ "at": answer.at.to_string(), "proposals": proposals })
    });
    let unanswered = memory.unanswered.as_ref().map(
        |change| json!({ "at": change.at.to_string(), "old": change.old.as_ref().map(plain) }),
    );
    json!({
        "attribute": memory.attribute.as_str(),
        "rule": memory.rule.as_str(),
        "answer": answer,
        "unanswered": unanswered,
    })
}

fn baseline(baseline: &Baseline, snapshot: &dyn Snapshot) -> Result<Json, ExportError> {
    let manager = match baseline.manager {
        Some(Some(uid)) => json!(name_of(snapshot, uid)?),
        Some(None) => json!(false),
        None => Json::Null,
    };
    let attributes: Vec<_> = baseline
        .attributes
        .iter()
        .map(|(name, old)| json!([name.as_str(), old.as_ref().map(plain)]))
        .collect();
    let assigned: Vec<_> = baseline
        .assigned
        .iter()
        .map(|(role, held)| {
            json!([
                role.as_str(),
                held.map(|held| json!([held.since.to_string(), held.source.as_str()]))
            ])
        })
        .collect();
    Ok(json!({
        "unseen": baseline.unseen,
        "chains": baseline.chains.iter().map(|(name, count)| json!([name.as_str(), count])).collect::<Vec<_>>(),
        "name": baseline.name,
        "attributes": attributes,
        "manager": manager,
        "lifecycleState": baseline.lifecycle_state.map(|old| old.map(Name::as_str).unwrap_or("none")),
        "lifecycleSince": baseline.lifecycle_since.map(|since| since.to_string()),
        "inactive": baseline.inactive,
        "assigned": assigned,
        "accountActions": baseline.account_actions.as_ref().map(|actions| {
            actions.iter().map(account_action).collect::<Vec<_>>()
        }),
        "provisioning": baseline.provisioning.as_ref().map(provisioning),
        "workItems": baseline.work_items.as_ref().map(|items| {
            items.iter().map(work_item).collect::<Vec<_>>()
        }),
        "violations": baseline.violations.as_ref().map(|violations| {
            violations.iter().map(violation).collect::<Vec<_>>()
        }),
    }))
}

fn account_action(action: &AccountAction) -> Json {
    json!([
        key(&action.account),
        action.operation.as_str(),
        action.to,
        action.changes.iter().map(change).collect::<Vec<_>>(),
        action.reasons.iter().map(reason_words).collect::<Vec<_>>(),
        action.hops,
        action.since.to_string(),
    ])
}

fn change(change: &AttributeChange) -> Json {
    let (word, value) = change_parts(&change.change);
    json!([change.attribute.as_str(), word, value])
}

fn provisioning(known: &Provisioning) -> Json {
    let given = known.given.iter().map(|given| {
        let entitlement = &given.entitlement;
        json!([
            key(&entitlement.account),
            entitlement.attribute.as_str(),
            entitlement.value,
            given
                .roles
                .iter()
                .map(|role| role.as_str())
                .collect::<Vec<_>>(),
        ])
    });
    let targets = known.targets.iter();
    let targets = targets.map(|target| json!([target.role.as_str(), key(&target.account)]));
    let sent = known.sent.iter().map(|sent| {
        let outcome = match &sent.outcome {
            SentOutcome::Sent => Json::Null,
            SentOutcome::Confirmed => Json::Bool(true),
            SentOutcome::Failed(message) => Json::from(message.as_str()),
        };
        json!([account_action(&sent.action), sent.at.to_string(), outcome])
    });
    json!({
        "given": given.collect::<Vec<_>>(),
        "targets": targets.collect::<Vec<_>>(),
        "sent": sent.collect::<Vec<_>>(),
    })
}

fn work_item(item: &WorkItem) -> Json {
    json!([item.owner, item.description, item.since.to_string()])
}

fn violation(violation: &Violation) -> Json {
    json!({
        "policy": violation.policy.as_str(),
        "since": violation.since.to_string(),
        "basis": violation.basis.as_str(),
        "left": violation.left,
        "right": violation.right,
        "status": violation.status.as_str(),
        "held": violation.held,
        "ended": violation.ended.map(|ended| ended.to_string()),
    })
}

fn policy_decision(decision: &PolicyDecision) -> Json {
    json!({
        "policy": decision.policy.as_str(),
        "verdict": decision.verdict.as_str(),
        "until": decision.until.map(|until| until.to_string()),
        "actor": decision.actor,
    })
}

fn scorecard(card: &Scorecard) -> Json {
    let score = |score: Score| json!([score.raw, score.compensated]);
    json!({
        "composite": card.composite,
        "roles": score(card.roles),
        "entitlements": score(card.entitlements),
        "policies": score(card.policies),
        "certification": card.certification,
    })
}

fn effect(stored: &StoredEffect) -> Json {
    let what = match &stored.effect.what {
        EffectKind::Account(action) => account_action(action),
        EffectKind::WorkItem(item) => work_item(item),
        EffectKind::Handler {
            trigger,
            sequence,
            place,
            handler,
            hops,
        } => json!([
            trigger.as_str(),
            sequence,
            place,
            handler_text(handler),
            hops
        ]),
    };
    json!({ "effect": {
        "at": stored.effect.effective_at.to_string(),
        "name": stored.name,
        "what": what,
        "status": stored.progress.status.as_str(),
    }})
}

fn trigger(memory: &TriggerMemory, snapshot: &dyn Snapshot) -> Result<Json, ExportError> {
    let lag = match &memory.lag {
        Some(Lag {
            baseline: old,
            native_changes,
        }) => json!({
            "baseline": baseline(old, snapshot)?,
            "nativeChanges": native_changes.iter().map(native_change).collect::<Vec<_>>(),
        }),
        None => Json::Null,
    };
    Ok(json!({
        "trigger": memory.trigger.as_str(),
        "level": memory.level,
        "lag": lag,
        "circles": memory.circles,
    }))
}

fn finding(finding: &Finding) -> Json {
    json!([
        finding.severity.as_str(),
        finding.phase,
        finding.subject,
        finding.cause.as_str(),
        finding.message,
    ])
}

fn event(event: &Event, name: &str) -> Json {
    let changes: Vec<_> = event
        .changes
        .iter()
        .map(|change| {
            json!([
                change.what,
                change.old.as_ref().map(plain),
                change.new.as_ref().map(plain)
            ])
        })
        .collect();
    json!({ "event": {
        "at": event.effective_at.to_string(),
        "name": name,
        "sequence": event.sequence,
        "trigger": event.trigger.as_str(),
        "changes": changes,
    }})
}
