//! What every store promises of carrying effects out.

use idr::store::{
    ApplyChunk, AuditEntry, AuditQuery, EffectProgress, EffectQuery, EffectStatus, NewWorkItem,
    OwnChange, Settlement, Store, StoredEffect, WorkItemQuery, WorkItemStatus, effect_id,
};
use idr_core::model::{
    AccountAction, AccountOperation, Effect, EffectKind, SentAction, SentOutcome, Uid, UnixMillis,
    WorkItem,
};

use super::samples::{create, key, read};

/// Makes a test of each function, for every store.
macro_rules! delivery_contract {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $test() { super::$test(&crate::samples::memory().store); })+
        }
        mod sqlite {
            $(#[test] fn $test() { super::$test(&crate::samples::sqlite().store); })+
        }
    };
}

delivery_contract!(
    effects_are_open_until_they_are_settled,
    what_no_longer_stands_as_expected_is_left_alone,
    what_was_sent_is_an_input_of_the_identity,
    what_idr_does_itself_is_known_by_account,
    a_work_item_that_is_done_ends_its_effect,
    a_step_that_is_done_leaves_its_effect,
    withdrawing_takes_work_items_along,
    what_is_under_way_elsewhere_is_not_withdrawn,
    what_is_withdrawn_is_not_sent_any_more,
    a_pause_lasts_until_it_is_lifted,
);

fn action(operation: AccountOperation, since: i64) -> AccountAction {
    AccountAction {
        account: key("crm", "a1"),
        operation,
        to: None,
        changes: Vec::new(),
        reasons: Vec::new(),
        hops: 0,
        since: UnixMillis(since),
    }
}

fn effect(uid: Uid, what: EffectKind) -> Effect {
    Effect {
        uid,
        what,
        effective_at: UnixMillis(1),
        detected_at: UnixMillis(1),
    }
}

fn disable(uid: Uid) -> Effect {
    effect(
        uid,
        EffectKind::Account(action(AccountOperation::Disable, 1)),
    )
}

fn item(uid: Uid) -> Effect {
    let item = WorkItem {
        owner: Some("bo".to_owned()),
        description: "look".to_owned(),
        since: UnixMillis(1),
    };
    effect(uid, EffectKind::WorkItem(item))
}

fn record(store: &dyn Store, effects: &[Effect]) {
    let chunk = ApplyChunk {
        effects: effects.to_vec(),
        ..ApplyChunk::default()
    };
    store.apply(&chunk).expect("accepted");
}

fn withdraw(store: &dyn Store, effects: &[Effect]) {
    let chunk = ApplyChunk {
        withdrawn: effects.to_vec(),
        ..ApplyChunk::default()
    };
    store.apply(&chunk).expect("accepted");
}

fn open(store: &dyn Store) -> Vec<StoredEffect> {
    store.open_effects(0, 99).expect("readable")
}

fn all(store: &dyn Store) -> Vec<EffectStatus> {
    let effects = store.effects(&EffectQuery::default(), 99);
    let effects = effects.expect("readable").into_iter();
    effects.map(|stored| stored.progress.status).collect()
}

fn progress(status: EffectStatus) -> EffectProgress {
    EffectProgress {
        status,
        attempts: 2,
        next_attempt: Some(UnixMillis(9)),
        step: 3,
        message: Some("no".to_owned()),
        at: Some(UnixMillis(5)),
    }
}

fn settle(store: &dyn Store, stored: &StoredEffect, status: EffectStatus) -> bool {
    store
        .settle(&Settlement {
            number: stored.number,
            expected: stored.progress.status,
            progress: progress(status),
            ..Settlement::default()
        })
        .expect("accepted")
}

fn audit(action: &str) -> AuditEntry {
    AuditEntry {
        at: UnixMillis(7),
        actor: "eve".to_owned(),
        action: action.to_owned(),
        subject: "x".to_owned(),
        reason: "because".to_owned(),
    }
}

fn work_item(effect: &Effect, id: &str) -> NewWorkItem {
    NewWorkItem {
        id: id.to_owned(),
        effect: effect_id(effect),
        uid: effect.uid,
        owner: Some("bo".to_owned()),
        description: "look".to_owned(),
        opened_at: UnixMillis(4),
    }
}

/// Asks somebody to do what an effect consists of.
fn ask(store: &dyn Store, effect: &Effect, id: &str) {
    let stored = open(store).pop().expect("one is open");
    let asked = Settlement {
        number: stored.number,
        expected: stored.progress.status,
        progress: progress(EffectStatus::Sent),
        work_items: vec![work_item(effect, id)],
        ..Settlement::default()
    };
    assert!(store.settle(&asked).expect("accepted"));
}

fn items(store: &dyn Store) -> Vec<(String, WorkItemStatus)> {
    let items = store.work_items(&WorkItemQuery::default(), 99);
    let items = items.expect("readable").into_iter();
    items
        .map(|stored| (stored.item.id, stored.status))
        .collect()
}

fn effects_are_open_until_they_are_settled(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    record(store, &[disable(ana), item(ana), disable(bo)]);
    let stored = open(store);
    assert_eq!(
        stored.iter().map(|known| known.number).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(stored[0].progress, EffectProgress::default());
    assert_eq!(
        store.open_effects(1, 1).expect("readable"),
        [stored[1].clone()]
    );
    for (stored, status) in
        stored
            .iter()
            .zip([EffectStatus::Failed, EffectStatus::Dead, EffectStatus::Done])
    {
        assert!(settle(store, stored, status));
    }
    let left = open(store);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].progress, progress(EffectStatus::Failed));
    let dead = EffectQuery {
        dead: true,
        ..EffectQuery::default()
    };
    let dead = store.effects(&dead, 9).expect("readable");
    assert_eq!((dead.len(), dead[0].number), (1, 2));
    let by_id = EffectQuery {
        id: Some(stored[2].id.clone()),
        ..EffectQuery::default()
    };
    assert_eq!(store.effects(&by_id, 9).expect("readable")[0].number, 3);
}

fn what_no_longer_stands_as_expected_is_left_alone(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    record(store, &[disable(ana)]);
    let stored = open(store).remove(0);
    withdraw(store, &[disable(ana)]);
    let settlement = Settlement {
        number: stored.number,
        expected: EffectStatus::Waiting,
        progress: progress(EffectStatus::Sent),
        work_items: vec![work_item(&disable(ana), "w")],
        audit: Some(audit("retry")),
        ..Settlement::default()
    };
    assert!(!store.settle(&settlement).expect("readable"));
    assert_eq!(all(store), [EffectStatus::Withdrawn]);
    assert_eq!(items(store), []);
    let entries = store.audit_entries(&AuditQuery::default(), 9);
    assert!(entries.expect("readable").is_empty());
    // Called for again, it begins anew.
    record(store, &[disable(ana)]);
    let again = open(store).remove(0);
    assert_eq!(again.progress.attempts, 0);
    let unknown = Settlement {
        number: 77,
        ..settlement
    };
    assert!(!store.settle(&unknown).expect("readable"));
}

fn what_was_sent_is_an_input_of_the_identity(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    record(store, &[disable(ana)]);
    let before = read(store, ana).versions.input;
    let sent = |outcome| SentAction {
        action: action(AccountOperation::Disable, 1),
        at: UnixMillis(5),
        outcome,
    };
    let stored = open(store).remove(0);
    let failed = || SentOutcome::Failed("no".to_owned());
    for (expected, outcome) in [
        (EffectStatus::Waiting, SentOutcome::Sent),
        (EffectStatus::Sent, failed()),
    ] {
        let settlement = Settlement {
            number: stored.number,
            expected,
            progress: progress(EffectStatus::Sent),
            sent: Some((ana, sent(outcome))),
            ..Settlement::default()
        };
        assert!(store.settle(&settlement).expect("accepted"));
    }
    let record = read(store, ana);
    assert_eq!(record.versions.input, before + 2);
    assert_eq!(record.identity.provisioning.sent, [sent(failed())]);
}

fn what_idr_does_itself_is_known_by_account(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    record(store, &[disable(ana)]);
    let own = |under_way, confirmed_at| OwnChange {
        account: key("crm", "a1"),
        owner: Some(ana),
        under_way,
        confirmed_at,
        gone: false,
    };
    let begun = own(Some(action(AccountOperation::Disable, 1)), None);
    let confirmed = own(None, Some(UnixMillis(5)));
    let keys = [key("crm", "a0"), key("crm", "a1")];
    assert_eq!(store.own_changes(&keys).expect("readable"), []);
    let stored = open(store).remove(0);
    for (expected, status, own) in [
        (EffectStatus::Waiting, EffectStatus::Sent, begun),
        (EffectStatus::Sent, EffectStatus::Done, confirmed),
    ] {
        let settlement = Settlement {
            number: stored.number,
            expected,
            progress: progress(status),
            own: vec![own.clone()],
            ..Settlement::default()
        };
        assert!(store.settle(&settlement).expect("accepted"));
        assert_eq!(store.own_changes(&keys).expect("readable"), [own]);
    }
}

fn a_work_item_that_is_done_ends_its_effect(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let effect = item(ana);
    let id = effect_id(&effect);
    record(store, std::slice::from_ref(&effect));
    ask(store, &effect, &id);
    let query = WorkItemQuery {
        owner: Some("bo".to_owned()),
        uid: Some(ana),
        open: true,
        ..WorkItemQuery::default()
    };
    let known = store.work_items(&query, 9).expect("readable").remove(0);
    assert_eq!(known.item, work_item(&effect, &id));
    assert_eq!(known.name, "ana");
    store
        .complete_work_item(&id, &audit("complete"))
        .expect("it is open");
    assert_eq!(all(store), [EffectStatus::Done]);
    assert_eq!(store.work_items(&query, 9).expect("readable"), []);
    let query = WorkItemQuery {
        id: Some(id.clone()),
        ..WorkItemQuery::default()
    };
    let known = store.work_items(&query, 9).expect("readable").remove(0);
    assert_eq!(known.status, WorkItemStatus::Done);
    assert_eq!(known.closed_at, Some(UnixMillis(7)));
    assert_eq!(known.closed_by.as_deref(), Some("eve"));
    assert_eq!(known.comment.as_deref(), Some("because"));
    let entries = store.audit_entries(&AuditQuery::default(), 9);
    assert_eq!(entries.expect("readable"), [audit("complete")]);
    let again = store.complete_work_item(&id, &audit("complete"));
    assert!(again.is_err());
}

fn a_step_that_is_done_leaves_its_effect(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let effect = item(ana);
    record(store, std::slice::from_ref(&effect));
    ask(store, &effect, "step-1");
    store
        .complete_work_item("step-1", &audit("complete"))
        .expect("it is open");
    assert_eq!(all(store), [EffectStatus::Sent]);
    assert_eq!(items(store), [("step-1".to_owned(), WorkItemStatus::Done)]);
}

fn withdrawing_takes_work_items_along(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let effect = item(ana);
    let id = effect_id(&effect);
    record(store, std::slice::from_ref(&effect));
    ask(store, &effect, &id);
    withdraw(store, std::slice::from_ref(&effect));
    assert_eq!(all(store), [EffectStatus::Withdrawn]);
    assert_eq!(items(store), [(id.clone(), WorkItemStatus::Withdrawn)]);
    record(store, std::slice::from_ref(&effect));
    ask(store, &effect, &id);
    assert_eq!(items(store), [(id.clone(), WorkItemStatus::Open)]);
    store
        .complete_work_item(&id, &audit("complete"))
        .expect("it is open");
    // What is done isn't withdrawn any more.
    withdraw(store, std::slice::from_ref(&effect));
    assert_eq!(all(store), [EffectStatus::Done]);
    assert_eq!(items(store), [(id, WorkItemStatus::Done)]);
}

fn what_is_under_way_elsewhere_is_not_withdrawn(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    record(store, &[disable(ana)]);
    for (status, after) in [
        (EffectStatus::Sent, EffectStatus::Sent),
        (EffectStatus::Failed, EffectStatus::Withdrawn),
    ] {
        let stored = open(store).remove(0);
        assert!(settle(store, &stored, status));
        withdraw(store, &[disable(ana)]);
        assert_eq!(all(store), [after]);
    }
    record(store, &[disable(ana)]);
    let stored = open(store).remove(0);
    assert!(settle(store, &stored, EffectStatus::Dead));
    withdraw(store, &[disable(ana)]);
    assert_eq!(all(store), [EffectStatus::Withdrawn]);
}

fn what_is_withdrawn_is_not_sent_any_more(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let sent = SentAction {
        action: action(AccountOperation::Disable, 1),
        at: UnixMillis(5),
        outcome: SentOutcome::Sent,
    };
    let effect = disable(ana);
    let id = effect_id(&effect);
    // People were asked, twice in vain; or it was tried and is to be tried again.
    for (status, asked, left) in [
        (EffectStatus::Sent, true, 0),
        (EffectStatus::Sent, false, 1),
        (EffectStatus::Failed, false, 1),
    ] {
        record(store, std::slice::from_ref(&effect));
        let stored = open(store).remove(0);
        let settlement = Settlement {
            number: stored.number,
            expected: stored.progress.status,
            progress: progress(status),
            sent: Some((ana, sent.clone())),
            work_items: match asked {
                true => vec![work_item(&effect, &id)],
                false => Vec::new(),
            },
            ..Settlement::default()
        };
        assert!(store.settle(&settlement).expect("accepted"));
        let before = read(store, ana).versions.input;
        withdraw(store, std::slice::from_ref(&effect));
        let after = read(store, ana);
        assert_eq!(after.identity.provisioning.sent.len(), left);
        let is_failed = matches!(
            after.identity.provisioning.sent.first(),
            Some(known) if known.outcome != SentOutcome::Sent
        );
        assert_eq!(is_failed, status == EffectStatus::Failed);
        let is_withdrawn = all(store) == [EffectStatus::Withdrawn];
        assert_eq!(after.versions.input - before, i64::from(is_withdrawn));
    }
}

fn a_pause_lasts_until_it_is_lifted(store: &dyn Store) {
    let is_paused = || store.is_dispatch_paused().expect("readable");
    assert!(!is_paused());
    for paused in [true, false] {
        store
            .pause_dispatch(paused, &audit("pause"))
            .expect("accepted");
        assert_eq!(is_paused(), paused);
    }
    let entries = store.audit_entries(&AuditQuery::default(), 9);
    assert_eq!(entries.expect("readable").len(), 2);
}
