//! What every store promises, method by method.

use std::collections::BTreeMap;

use idr::store::{
    AccountMark, AccountWrite, Adoption, AggregateBatch, Aggregation, AggregationStatus,
    ApplyChunk, AuditEntry, AuditQuery, Awaited, ClaimEdit, ClaimQuery, EffectQuery, EffectStatus,
    EventQuery, Files, IdentityWrite, LastTimes, Managed, Population, Prune, Raise, Run,
    RunProgress, RunStatus, Selection, SpooledPlan, StagedChange, Store, StoreError, TenantState,
    account_fingerprint, event_id,
};
use idr_core::filter::{Filter, Superset};
use idr_core::model::{
    Account, AccountAction, AccountOperation, ByHand, Claim, ClaimOrigin, Effect, EffectKind,
    Entitlement, EntitlementChange, EntitlementDecision, EntitlementVerdict, Event,
    GivenEntitlement, Holder, IdentityType, Image, Link, ManualEdit, Name, NativeChange,
    NativeEntitlement, NativeOperation, NewClaim, Provisioning, ReadKey, Retries, Retry,
    RoleAssignment, Severity, TargetAccount, Uid, UnixMillis, Value, Versions, Wake,
};
use idr_core::plan::Changes;
use idr_core::view::Snapshot;

use super::samples::{
    a_finding, account, begin, begin_for, change, chunk, create, creation, key, names, read,
    selected, set, write, write_accounts,
};

/// Makes a test of each function, for every store.
macro_rules! store_contract {
    ($($test:ident),+ $(,)?) => {
        mod memory {
            $(#[test] fn $test() { super::$test(&crate::samples::memory().store); })+
        }
        mod sqlite {
            $(#[test] fn $test() { super::$test(&crate::samples::sqlite().store); })+
        }
    };
}

store_contract!(
    a_new_store_is_empty,
    uids_are_given_in_input_order,
    a_name_that_is_taken_refuses_the_whole_batch,
    a_new_identity_raises_who_looked_for_its_name,
    chunks_come_in_the_order_asked_for,
    versions_tell_who_has_moved_on,
    a_stale_write_leaves_the_identity_alone,
    writing_versions_only_leaves_the_identity_as_it_is,
    a_name_that_is_taken_refuses_the_whole_chunk,
    who_is_due,
    workgroups_are_never_selected,
    a_wake_up_selects_who_wakes_exactly_then,
    those_chosen_for_a_run_wake_by_themselves,
    a_selection_replaces_the_last_one_and_drops_the_spool,
    readers_are_selected_once,
    readers_follow_what_was_last_read,
    whether_anything_is_awaited,
    a_wave_that_is_done_was_refreshed,
    whom_a_run_gives_up_stays_due,
    what_other_processes_see_and_ask_of_a_run,
    what_isnt_a_refresh_modifies,
    a_snapshot_stays_as_it_was,
    look_ups_find_folded_values_of_the_chosen_attributes,
    the_look_up_index_follows_the_adopted_attributes,
    lists_leave_out_nobody_whom_a_filter_means,
    an_account_moves_between_owners_and_raises_both,
    decisions_about_entitlements_move_with_their_account,
    what_idr_remembers_of_an_account_moves_with_it,
    accounts_are_listed_in_order_of_key,
    accounts_wait_for_values_that_appear,
    native_changes_are_noted_and_raise_their_identity,
    aggregations_and_their_stages,
    edits_replace_edits_and_raise_their_identity,
    an_event_is_recorded_once,
    an_effect_waits_is_withdrawn_and_waits_again,
    a_unique_value_is_one_identitys_for_good,
    people_reserve_and_release_unique_values,
    findings_are_opened_changed_and_closed,
    a_muted_finding_does_not_count_until_its_time_is_over,
    findings_of_applications_stand_beside_those_of_identities,
    runs_are_kept_and_what_they_leave_behind_is_not,
    spooled_plans_come_in_order_of_uid,
    a_configuration_is_stored_once_and_adopted,
    what_is_unique_from_now_on_is_the_first_holders,
    the_last_instant_only_grows,
    what_percentages_are_taken_of,
    audit_entries_come_the_latest_first,
    what_identities_were_is_kept_until_it_is_pruned,
    pruned_identities_are_gone_for_good,
);

fn a_new_store_is_empty(store: &dyn Store) {
    assert_eq!(store.tenant().expect("readable"), TenantState::default());
    assert_eq!(store.list(&Superset::All, None, 9).expect("readable"), []);
    assert_eq!(store.next_wake(None).expect("readable"), None);
    assert_eq!(store.population().expect("readable"), Population::default());
    assert_eq!(store.named("ana").expect("readable"), None);
    assert_eq!(
        store
            .run(begin(store).id)
            .expect("readable")
            .map(|run| run.id.0),
        Some(1)
    );
    assert_eq!(store.configuration("none").expect("readable"), None);
    assert_eq!(
        store.events(&EventQuery::default(), 9).expect("readable"),
        []
    );
    assert_eq!(store.findings(true, 9).expect("readable"), []);
    assert_eq!(store.open_findings(UnixMillis(0)).expect("readable"), 0);
}

fn uids_are_given_in_input_order(store: &dyn Store) {
    assert_eq!(create(store, ["zoe", "ana"]), [Uid(1), Uid(2)]);
    assert_eq!(create(store, ["bo"]), [Uid(3)]);
    assert_eq!(store.named("ana").expect("readable"), Some(Uid(2)));
    assert_eq!(store.named("ANA").expect("readable"), None);
    let record = read(store, Uid(1));
    assert!(record.identity.baseline.unseen);
    let new = Versions {
        input: 1,
        ..Versions::default()
    };
    assert_eq!(record.versions, new);
    assert_eq!(store.events_pending(None, 9).expect("readable"), []);
}

fn a_name_that_is_taken_refuses_the_whole_batch(store: &dyn Store) {
    create(store, ["ana"]);
    for taken in ["ana", "bo"] {
        let batch = AggregateBatch {
            creations: ["bo", taken]
                .map(|name| creation(name, IdentityType::Person))
                .to_vec(),
            accounts: vec![AccountWrite {
                account: account(key("hr", "1"), Some(Uid(1))),
                created_owner: None,
                lookups: Vec::new(),
            }],
            instant: Some(UnixMillis(1)),
            ..AggregateBatch::default()
        };
        let error = store.aggregate(&batch).expect_err("the name is taken");
        assert_eq!(
            error.to_string(),
            format!("there is an identity `{taken}` already")
        );
        assert!(matches!(error, StoreError::Conflict(_)));
        assert!(!error.is_retryable());
        assert_eq!(store.named("bo").expect("readable"), None);
        assert_eq!(store.list_accounts(None, None, 9).expect("readable"), []);
        assert_eq!(store.tenant().expect("readable").last_as_of, None);
    }
    assert_eq!(create(store, ["bo"]), [Uid(2)]);
}

fn a_new_identity_raises_who_looked_for_its_name(store: &dyn Store) {
    adopt_look_ups(store, ["name"]);
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    let looks_for = |name: &str| vec![ReadKey::Lookup(Name::new("name"), name.to_owned())];
    change(store, ana, |ana| ana.reads = looks_for("dee"));
    change(store, bo, |bo| bo.event_reads = looks_for("dee"));
    change(store, cyd, |cyd| cyd.reads = looks_for("eve"));
    let due = || store.due(UnixMillis(0), None, 9).expect("readable");
    assert_eq!(due(), []);
    create(store, ["DEE"]);
    let raised: Vec<Uid> = due().into_iter().map(|due| due.uid).collect();
    assert_eq!(raised, [ana, bo, Uid(4)]);
}

fn chunks_come_in_the_order_asked_for(store: &dyn Store) {
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    let far = Uid(1_000_000);
    write_accounts(
        store,
        [
            account(key("hr", "2"), Some(ana)),
            account(key("hr", "1"), Some(ana)),
            account(key("crm", "9"), Some(ana)),
            account(key("hr", "3"), Some(cyd)),
            account(key("hr", "4"), None),
        ],
    );
    let seen = |uids: &[Uid]| {
        let records = store.read_chunk(uids).expect("readable");
        let seen = records.into_iter().map(|record| {
            let keys = record
                .accounts
                .into_iter()
                .map(|account| account.key.native_identity);
            (record.identity.uid, keys.collect::<Vec<_>>().join(" "))
        });
        seen.collect::<Vec<_>>()
    };
    let [one, two, three] = [
        (ana, "9 1 2".to_owned()),
        (bo, String::new()),
        (cyd, "3".to_owned()),
    ];
    assert_eq!(
        seen(&[Uid(0), ana, bo, cyd, Uid(4), far]),
        [one.clone(), two.clone(), three.clone()]
    );
    assert_eq!(seen(&[ana, cyd]), [one.clone(), three.clone()]);
    assert_eq!(seen(&[cyd, far, bo, ana]), [three, two, one]);
    assert_eq!(seen(&[]), []);
}

fn versions_tell_who_has_moved_on(store: &dyn Store) {
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    let versions = |uids: &[Uid]| store.versions(uids).expect("readable");
    let known = |uid| Some(read(store, uid).versions);
    let before = versions(&[ana, bo, cyd]);
    assert_eq!(before, [ana, bo, cyd].map(known));

    write_accounts(store, [account(key("hr", "1"), Some(ana))]);
    change(store, cyd, |cyd| set(cyd, "department", "Sales"));

    let after = versions(&[ana, bo, cyd]);
    assert_eq!(after, [ana, bo, cyd].map(known));
    let moved_on = before.iter().zip(&after).map(|(one, other)| one != other);
    assert_eq!(moved_on.collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(
        versions(&[cyd, Uid(40), ana, Uid(0)]),
        [known(cyd), None, known(ana), None]
    );
    assert_eq!(versions(&[]), []);
}

fn a_stale_write_leaves_the_identity_alone(store: &dyn Store) {
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    let event = |uid| Event {
        uid,
        sequence: 1,
        trigger: Name::new("joiner"),
        effective_at: UnixMillis(1),
        detected_at: UnixMillis(1),
        changes: Vec::new(),
    };
    let mut chunk = chunk([ana, bo, cyd, Uid(9)].map(|uid| {
        let known = if uid == Uid(9) { ana } else { uid };
        let mut write = write(store, known, |identity| {
            set(identity, "department", "Sales");
            identity.findings = vec![a_finding(Severity::Error, "x", "y")];
        });
        write.uid = uid;
        write
    }));
    chunk.events = [ana, bo, cyd].map(event).to_vec();
    // Somebody writes to two of them between planning and applying.
    write_accounts(store, [account(key("hr", "1"), Some(ana))]);
    chunk.writes[2].expected.state -= 1;
    let before = [ana, cyd].map(|uid| read(store, uid));

    assert_eq!(store.apply(&chunk).expect("accepted"), [ana, cyd]);

    assert_eq!([ana, cyd].map(|uid| read(store, uid)), before);
    assert_eq!(read(store, bo).identity.attributes.len(), 1);
    let events = store.events(&EventQuery::default(), 9).expect("readable");
    assert_eq!(
        events
            .into_iter()
            .map(|event| event.event.uid)
            .collect::<Vec<_>>(),
        [bo]
    );
    assert_eq!(store.open_findings(UnixMillis(0)).expect("readable"), 1);
    assert_eq!(
        store.list(&Superset::All, None, 9).expect("readable").len(),
        3
    );
}

fn writing_versions_only_leaves_the_identity_as_it_is(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    change(store, ana, |ana| {
        set(ana, "department", "Sales");
        ana.wake.phases = Some(UnixMillis(5));
    });
    write_accounts(store, [account(key("hr", "1"), Some(ana))]);
    let before = read(store, ana);
    assert!(before.versions.inputs_changed());
    let mut write = write(store, ana, |_| {});
    write.identity = None;
    assert_eq!(store.apply(&chunk([write.clone()])).expect("accepted"), []);
    let after = read(store, ana);
    assert_eq!(after.identity, before.identity);
    assert_eq!(after.versions, write.versions);
    assert_eq!(
        store.next_wake(None).expect("readable"),
        Some(UnixMillis(5))
    );
}

fn a_name_that_is_taken_refuses_the_whole_chunk(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let rename = |uid, name: &str| write(store, uid, |identity| identity.name = name.to_owned());
    let refused = chunk([rename(ana, "anna"), rename(bo, "anna")]);
    let error = store.apply(&refused).expect_err("the name is taken");
    assert_eq!(error.to_string(), "there is an identity `anna` already");
    assert_eq!(store.named("ana").expect("readable"), Some(ana));
    let accepted = chunk([rename(ana, "anna"), rename(bo, "ana")]);
    assert_eq!(store.apply(&accepted).expect("accepted"), []);
    assert_eq!(store.named("ana").expect("readable"), Some(bo));
    assert_eq!(store.named("anna").expect("readable"), Some(ana));
    assert_eq!(store.named("bo").expect("readable"), None);
}

fn who_is_due(store: &dyn Store) {
    let [ana, bo, cyd, dee] = create(store, ["ana", "bo", "cyd", "dee"]);
    let due = |as_of, after, limit| -> Vec<Uid> {
        let due = store
            .due(UnixMillis(as_of), after, limit)
            .expect("readable");
        due.into_iter().map(|due| due.uid).collect()
    };
    assert_eq!(due(0, None, 9), [ana, bo, cyd, dee]);
    for (uid, phases, events) in [
        (ana, None, None),
        (bo, Some(20), Some(30)),
        (cyd, None, Some(10)),
    ] {
        change(store, uid, |identity| {
            identity.wake = Wake {
                phases: phases.map(UnixMillis),
                events: events.map(UnixMillis),
            };
        });
    }
    assert_eq!(due(9, None, 9), [dee]);
    assert_eq!(due(10, None, 9), [cyd, dee]);
    assert_eq!(due(20, None, 9), [bo, cyd, dee]);
    assert_eq!(due(20, None, 2), [bo, cyd]);
    assert_eq!(due(20, Some(bo), 1), [cyd]);
    assert_eq!(
        store.next_wake(None).expect("readable"),
        Some(UnixMillis(10))
    );
    let bo_due = store
        .due(UnixMillis(20), None, 1)
        .expect("readable")
        .remove(0);
    assert_eq!((bo_due.name.as_str(), bo_due.inputs_changed), ("bo", false));
    assert_eq!(bo_due.wake_at, Some(UnixMillis(20)));
    assert_eq!(bo_due.retry_at, None);

    // A retry makes due, and wakes nobody.
    let retry = |attempts, at| {
        let at = UnixMillis(at);
        Some(Retry { attempts, at })
    };
    change(store, ana, |identity| {
        identity.retries.phases = retry(2, 9);
        identity.retries.events = retry(1, 8);
    });
    assert_eq!(due(7, None, 9), [dee]);
    assert_eq!(due(8, None, 9), [ana, dee]);
    assert_eq!(due(8, Some(ana), 9), [dee]);
    let ana_due = store
        .due(UnixMillis(8), None, 1)
        .expect("readable")
        .remove(0);
    assert_eq!(ana_due.retry_at, Some(UnixMillis(8)));
    assert_eq!(
        store.next_wake(None).expect("readable"),
        Some(UnixMillis(10))
    );
    let run = begin(store);
    let selected = |selection: &Selection| {
        store.select(&run, selection).expect("accepted");
        store.selected(run.id, None, 9).expect("readable")
    };
    assert_eq!(selected(&Selection::Due(UnixMillis(7))), [dee]);
    assert_eq!(selected(&Selection::Due(UnixMillis(8))), [ana, dee]);
    assert_eq!(selected(&Selection::Wake(UnixMillis(8))), []);
    change(store, ana, |identity| identity.retries = Retries::default());
    assert_eq!(due(9, None, 9), [dee]);

    // One group that has not read the input is enough.
    let mut half = write(store, dee, |_| {});
    half.versions.access_read -= 1;
    store.apply(&chunk([half])).expect("accepted");
    assert_eq!(due(0, None, 9), [dee]);
    assert_eq!(
        store.events_pending(None, 9).expect("readable"),
        [ana, bo, cyd, dee]
    );
    assert_eq!(store.events_pending(Some(bo), 1).expect("readable"), [cyd]);
    let mut seen = write(store, cyd, |_| {});
    seen.versions.events_read = seen.versions.state;
    store.apply(&chunk([seen])).expect("accepted");
    assert_eq!(
        store.events_pending(None, 9).expect("readable"),
        [ana, bo, dee]
    );
}

fn workgroups_are_never_selected(store: &dyn Store) {
    let batch = AggregateBatch {
        creations: vec![
            creation("board", IdentityType::Workgroup),
            creation("robot", IdentityType::Bot),
        ],
        ..AggregateBatch::default()
    };
    let created = store.aggregate(&batch).expect("the names are free");
    for uid in &created {
        change(store, *uid, |identity| {
            identity.wake.phases = Some(UnixMillis(5));
        });
        write_accounts(store, [account(key("hr", &uid.to_string()), Some(*uid))]);
    }
    let run = begin_for(store, &created);
    for selection in [
        Selection::All,
        Selection::Due(UnixMillis(9)),
        Selection::Wake(UnixMillis(5)),
        Selection::Chosen,
        Selection::ChosenWake(UnixMillis(5)),
    ] {
        assert_eq!(
            store.select(&run, &selection).expect("accepted"),
            1,
            "{selection:?}"
        );
        assert_eq!(selected(store, run.id), created[1..]);
    }
    assert_eq!(
        store.due(UnixMillis(9), None, 9).expect("readable").len(),
        1
    );
    assert_eq!(
        store.events_pending(None, 9).expect("readable"),
        created[1..]
    );
    assert_eq!(store.population().expect("readable").identities, 1);
    assert_eq!(
        store.list(&Superset::All, None, 9).expect("readable"),
        created
    );
}

fn a_wake_up_selects_who_wakes_exactly_then(store: &dyn Store) {
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    for (uid, at) in [(ana, 10), (bo, 20), (cyd, 10)] {
        change(store, uid, |identity| {
            identity.wake.events = Some(UnixMillis(at));
        });
    }
    let run = begin(store);
    assert_eq!(
        store
            .select(&run, &Selection::Wake(UnixMillis(10)))
            .expect("accepted"),
        2
    );
    assert_eq!(selected(store, run.id), [ana, cyd]);
    assert_eq!(
        store.selected(run.id, Some(ana), 9).expect("readable"),
        [cyd]
    );
    assert_eq!(store.selected(run.id, None, 1).expect("readable"), [ana]);
    assert_eq!(
        store
            .select(&run, &Selection::Wake(UnixMillis(15)))
            .expect("accepted"),
        0
    );
}

fn those_chosen_for_a_run_wake_by_themselves(store: &dyn Store) {
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    for (uid, at) in [(ana, 10), (bo, 20), (cyd, 20)] {
        change(store, uid, |identity| {
            identity.wake.phases = Some(UnixMillis(at));
        });
    }
    let wakes = |run: &Run| store.next_wake(Some(run.id)).expect("readable");
    let (one, nobody) = (begin_for(store, &[bo]), begin(store));
    assert_eq!(
        store.next_wake(None).expect("readable"),
        Some(UnixMillis(10))
    );
    assert_eq!(wakes(&one), Some(UnixMillis(20)));
    assert_eq!(wakes(&nobody), None);
    let wake = Selection::ChosenWake(UnixMillis(20));
    assert_eq!(store.select(&one, &wake).expect("accepted"), 1);
    assert_eq!(selected(store, one.id), [bo]);
    let over = Run {
        status: RunStatus::Done,
        ..one
    };
    store.update_run(&over).expect("accepted");
    begin(store);
    assert_eq!(wakes(&over), None, "what is over is forgotten");
}

fn a_selection_replaces_the_last_one_and_drops_the_spool(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let (mut run, other) = (begin_for(store, &[bo, Uid(77), bo]), begin(store));
    for run in [&run, &other] {
        store.select(run, &Selection::All).expect("accepted");
        store.spool(run.id, &[plan(ana)]).expect("accepted");
    }
    run.step.wave = 2;
    assert_eq!(store.select(&run, &Selection::Chosen).expect("accepted"), 1);
    assert_eq!(selected(store, run.id), [bo]);
    assert_eq!(store.spooled(run.id, None, 9).expect("readable"), []);
    assert_eq!(store.run(run.id).expect("readable"), Some(run));
    assert_eq!(selected(store, other.id), [ana, bo]);
    assert_eq!(store.spooled(other.id, None, 9).expect("readable").len(), 1);
}

const READERS: Selection = Selection::Readers { refreshed_at: None };

fn times(refreshed: Option<i64>, modified: Option<i64>) -> LastTimes {
    LastTimes {
        refreshed: refreshed.map(UnixMillis),
        modified: modified.map(UnixMillis),
    }
}

fn a_wave_that_is_done_was_refreshed(store: &dyn Store) {
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    let run = begin_for(store, &[ana, cyd]);
    let done = |refreshed_at: Option<i64>| {
        let refreshed_at = refreshed_at.map(UnixMillis);
        let selection = Selection::Readers { refreshed_at };
        store.select(&run, &selection).expect("accepted");
        store.last_times(&[cyd, Uid(9), bo, ana]).expect("readable")
    };
    store.select(&run, &Selection::Chosen).expect("accepted");
    assert_eq!(done(None), [LastTimes::default(); 4]);
    store.select(&run, &Selection::Chosen).expect("accepted");
    let never = times(None, None);
    let at = |instant| times(Some(instant), None);
    assert_eq!(done(Some(3)), [at(3), never, never, at(3)]);
    // Nobody is selected any more.
    assert_eq!(done(Some(4)), [at(3), never, never, at(3)]);
    store.select(&run, &Selection::All).expect("accepted");
    assert_eq!(done(Some(5)), [at(5), never, at(5), at(5)]);
    store.select(&run, &Selection::All).expect("accepted");
    store
        .select(&run, &Selection::Nobody { stay_due: false })
        .expect("accepted");
    assert_eq!(done(Some(6)), [at(5), never, at(5), at(5)]);
}

fn whom_a_run_gives_up_stays_due(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let run = begin_for(store, &[bo]);
    for (stay_due, inputs) in [(false, [1, 1]), (true, [1, 2])] {
        store.select(&run, &Selection::Chosen).expect("accepted");
        let nobody = Selection::Nobody { stay_due };
        assert_eq!(store.select(&run, &nobody).expect("accepted"), 0);
        let input = |uid| read(store, uid).versions.input;
        assert_eq!([input(ana), input(bo)], inputs);
        assert_eq!(selected(store, run.id), []);
    }
}

fn what_other_processes_see_and_ask_of_a_run(store: &dyn Store) {
    let run = begin(store);
    assert_eq!(store.progress(run.id).expect("readable"), None);
    for done in [1, 2] {
        let progress = RunProgress {
            done,
            of: 9,
            step_ms: 3,
            elapsed_ms: 4,
        };
        store.note_progress(run.id, &progress).expect("accepted");
        assert_eq!(store.progress(run.id).expect("readable"), Some(progress));
    }
    let asked = || store.is_asked_to_stop(run.id).expect("readable");
    assert!(!asked());
    let entry = entry("run 1", "cancel");
    store.ask_to_stop(run.id, &entry).expect("accepted");
    store.ask_to_stop(run.id, &entry).expect("accepted");
    assert!(asked());
    assert_eq!(
        store
            .audit_entries(&AuditQuery::default(), 9)
            .expect("readable"),
        [entry.clone(), entry]
    );
    let over = Run {
        status: RunStatus::Cancelled,
        ..run.clone()
    };
    store.update_run(&over).expect("accepted");
    begin(store);
    assert!(
        !asked(),
        "dropped with what runs that are over leave behind"
    );
    assert_eq!(store.progress(run.id).expect("readable"), None);
}

fn what_isnt_a_refresh_modifies(store: &dyn Store) {
    let batch = |instant: i64| AggregateBatch {
        instant: Some(UnixMillis(instant)),
        ..AggregateBatch::default()
    };
    let aggregate = |batch: AggregateBatch| store.aggregate(&batch).expect("accepted");
    let created = aggregate(AggregateBatch {
        creations: ["ana", "bo", "cyd"]
            .map(|name| creation(name, IdentityType::Person))
            .to_vec(),
        ..batch(1)
    });
    let modified = || {
        let times = store.last_times(&created).expect("readable");
        let modified = times.into_iter().map(|times| times.modified);
        modified
            .map(|at| at.map_or(0, |at| at.0))
            .collect::<Vec<_>>()
    };
    assert_eq!(modified(), [1, 1, 1]);
    let owned = |owner: Uid| AccountWrite {
        account: account(key("hr", "1"), Some(owner)),
        created_owner: None,
        lookups: Vec::new(),
    };
    aggregate(AggregateBatch {
        accounts: vec![owned(created[0])],
        ..batch(2)
    });
    assert_eq!(modified(), [2, 1, 1]);
    aggregate(AggregateBatch {
        accounts: vec![owned(created[1])],
        ..batch(3)
    });
    assert_eq!(modified(), [3, 3, 1]);
    // A refresh that correlates.
    aggregate(AggregateBatch {
        accounts: vec![owned(created[2])],
        ..AggregateBatch::default()
    });
    assert_eq!(modified(), [3, 3, 1]);
    let entry = AuditEntry {
        at: UnixMillis(4),
        ..entry("cyd", "edit")
    };
    store
        .edit_identity(created[2], &ByHand::default(), &entry)
        .expect("accepted");
    assert_eq!(modified(), [3, 3, 4]);
    change(store, created[0], |ana| set(ana, "department", "Sales"));
    let raised = Adoption {
        raise: Raise::Everybody,
        ..Adoption::default()
    };
    store.adopt(&raised).expect("accepted");
    assert_eq!(modified(), [3, 3, 4]);
}

fn readers_are_selected_once(store: &dyn Store) {
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    let department = ReadKey::Attribute(cyd, Name::new("department"));
    let name = ReadKey::Lookup(Name::new("name"), "zoe".to_owned());
    change(store, ana, |ana| ana.reads = vec![department.clone()]);
    change(store, bo, |bo| bo.event_reads = vec![name.clone()]);
    let readers = |keys: Vec<ReadKey>| {
        for changed_keys in keys.chunks(1) {
            let chunk = ApplyChunk {
                changed_keys: changed_keys.to_vec(),
                ..ApplyChunk::default()
            };
            store.apply(&chunk).expect("accepted");
        }
        // Also those that an earlier run has left behind.
        let run = begin(store);
        let count = store.select(&run, &READERS).expect("accepted");
        let selected = selected(store, run.id);
        assert_eq!(count, selected.len() as u64);
        selected
    };
    assert_eq!(
        readers(vec![department.clone(), name, department.clone()]),
        [ana, bo]
    );
    assert_eq!(readers(vec![]), []);
    assert_eq!(
        readers(vec![ReadKey::Attribute(cyd, Name::new("email"))]),
        []
    );
    assert_eq!(readers(vec![department]), [ana]);
}

fn readers_follow_what_was_last_read(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let [old, both, new] = ["a", "b", "c"].map(|name| ReadKey::Attribute(bo, Name::new(name)));
    change(store, ana, |ana| {
        ana.reads = vec![old.clone(), both.clone()];
    });
    change(store, ana, |ana| {
        ana.reads = vec![both.clone()];
        ana.event_reads = vec![both.clone(), new.clone()];
    });
    for (key, is_read) in [(old, false), (both, true), (new, true)] {
        let chunk = ApplyChunk {
            changed_keys: vec![key],
            ..ApplyChunk::default()
        };
        store.apply(&chunk).expect("accepted");
        let selected = store.select(&begin(store), &READERS);
        assert_eq!(selected.expect("accepted"), u64::from(is_read));
    }
}

fn whether_anything_is_awaited(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let awaited = || store.awaited().expect("readable");
    assert_eq!(awaited(), Awaited::default());
    let [read, event, other] = ["a", "b", "c"].map(|name| ReadKey::Attribute(bo, Name::new(name)));
    let has_readers = |keys: &[&ReadKey]| {
        let hashes: Vec<i64> = keys.iter().map(|key| key.hash64()).collect();
        store.has_readers(&hashes).expect("readable")
    };
    assert!(!has_readers(&[&read, &event, &other]));

    change(store, bo, |bo| bo.event_reads = vec![event.clone()]);
    assert!(awaited().by_readers);
    change(store, bo, |bo| bo.event_reads.clear());
    assert!(!awaited().by_readers);
    change(store, ana, |ana| {
        ana.reads = vec![read.clone()];
        ana.event_reads = vec![event.clone()];
    });
    assert!(awaited().by_readers);
    assert!(has_readers(&[&other, &read]) && has_readers(&[&event]));
    assert!(!has_readers(&[&other]) && !has_readers(&[]));

    // Readers of what is noted already are selected with whatever is said next.
    let chunk = ApplyChunk {
        changed_keys: vec![other.clone()],
        ..ApplyChunk::default()
    };
    store.apply(&chunk).expect("accepted");
    assert!(has_readers(&[]));
    store.select(&begin(store), &READERS).expect("accepted");
    assert!(!has_readers(&[&other]));
}

fn a_snapshot_stays_as_it_was(store: &dyn Store) {
    adopt_look_ups(store, ["department", "name"]);
    let [ana] = create(store, ["ana"]);
    change(store, ana, |ana| set(ana, "department", "Sales"));
    let before = store.snapshot().expect("readable");
    change(store, ana, |ana| {
        set(ana, "department", "HR");
        ana.name = "anna".to_owned();
        ana.lifecycle_state = Some(Name::new("active"));
    });
    create(store, ["bo"]);
    let after = store.snapshot().expect("readable");

    let seen = |snapshot: &dyn Snapshot| {
        let attribute = |uid, name| {
            let value = snapshot
                .attribute_of(uid, Name::new(name))
                .expect("readable");
            value.map_or_else(|| "-".to_owned(), |value| value.to_string())
        };
        let found = |name, folded| {
            let uids = snapshot.find(Name::new(name), folded).expect("readable");
            uids.iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(",")
        };
        [
            attribute(ana, "department"),
            attribute(ana, "name"),
            attribute(ana, "lifecycleState"),
            attribute(Uid(2), "name"),
            found("department", "sales"),
            found("department", "hr"),
            found("name", "ana"),
            found("name", "bo"),
        ]
        .join(" ")
    };
    assert_eq!(seen(&*before), "Sales ana - - 1  1 ");
    assert_eq!(seen(&*after), "HR anna active bo  1  2");
    assert_eq!(after.attribute_of(ana, Name::new("wage")), Ok(None));
}

fn look_ups_find_folded_values_of_the_chosen_attributes(store: &dyn Store) {
    adopt_look_ups(store, ["email", "projects"]);
    let [ana, bo] = create(store, ["ana", "bo"]);
    change(store, ana, |ana| {
        set(ana, "email", "ANA@Example.org");
        set(ana, "projects", "-");
        ana.attributes[1].1.value = Some(Value::many(["Übung", "übung", "b"]));
        set(ana, "wage", "1");
    });
    change(store, bo, |bo| set(bo, "email", "ana@example.ORG"));
    let find = |attribute, folded| {
        let snapshot = store.snapshot().expect("readable");
        snapshot
            .find(Name::new(attribute), folded)
            .expect("readable")
    };
    assert_eq!(find("email", "ana@example.org"), [ana, bo]);
    assert_eq!(find("email", "ANA@example.org"), []);
    assert_eq!(find("projects", "übung"), [ana]);
    assert_eq!(find("projects", "b"), [ana]);
    assert_eq!(find("wage", "1"), []);
    change(store, ana, |ana| {
        set(ana, "email", "a@example.org");
        ana.attributes.remove(1);
    });
    assert_eq!(find("email", "ana@example.org"), [bo]);
    assert_eq!(find("email", "a@example.org"), [ana]);
    assert_eq!(find("projects", "b"), []);
}

fn the_look_up_index_follows_the_adopted_attributes(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    change(store, ana, |ana| set(ana, "email", "a"));
    let find = |attribute: &str, folded| {
        let snapshot = store.snapshot().expect("readable");
        let found = snapshot
            .find(Name::new(attribute), folded)
            .expect("readable");
        !found.is_empty()
    };
    assert!(!find("email", "a"));
    adopt_look_ups(store, ["email"]);
    assert!(find("email", "a") && !find("name", "ana"));
    adopt_look_ups(store, ["name"]);
    assert!(!find("email", "a") && find("name", "ana"));
    let state = TenantState {
        lookup_attributes: names(["email", "name"]),
        ..store.tenant().expect("readable")
    };
    store.set_tenant(&state).expect("accepted");
    assert!(find("email", "a") && find("name", "ana"));
}

fn lists_leave_out_nobody_whom_a_filter_means(store: &dyn Store) {
    let uids = create(store, ["ana", "bo", "cyd", "dee"]);
    let [ana, bo, cyd, _] = uids;
    change(store, ana, |ana| set(ana, "department", "Sales"));
    change(store, bo, |bo| {
        set(bo, "department", "sales");
        bo.lifecycle_state = Some(Name::new("active"));
    });
    change(store, cyd, |cyd| {
        set(cyd, "department", "-");
        cyd.attributes[0].1.value = Some(Value::many(["HR", "Sales"]));
        cyd.inactive = true;
    });
    let list = |filter: &str| {
        let superset = Filter::parse(filter).expect("a filter").superset();
        store.list(&superset, None, 9).expect("readable")
    };
    for (filter, meant) in [
        (r#"department == "Sales""#, vec![ana, cyd]),
        (r#"department i== "sales""#, vec![ana, bo, cyd]),
        (r#"name == "bo""#, vec![bo]),
        (r#"lifecycleState == "active""#, vec![bo]),
        ("inactive == false", vec![ana, bo, Uid(4)]),
        ("inactive == true", vec![cyd]),
        ("uid == 3", vec![cyd]),
        ("department.isNull()", vec![Uid(4)]),
    ] {
        let listed = list(filter);
        assert!(
            meant.iter().all(|uid| listed.contains(uid)),
            "{filter}: {listed:?}"
        );
    }
    let all = |after, limit| store.list(&Superset::All, after, limit).expect("readable");
    assert_eq!(all(None, 9), uids);
    assert_eq!(all(Some(bo), 1), [cyd]);
    assert_eq!(all(Some(Uid(4)), 1), []);
}

fn an_account_moves_between_owners_and_raises_both(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let inputs = || [ana, bo].map(|uid| read(store, uid).versions.input);
    let accounts = |uid| read(store, uid).accounts;
    let first = account(key("hr", "1"), Some(ana));
    write_accounts(store, [first.clone()]);
    assert_eq!(inputs(), [2, 1]);
    assert_eq!(accounts(ana), std::slice::from_ref(&first));
    let second = Account {
        owner: Some(bo),
        link: Link::Manual,
        ..first.clone()
    };
    write_accounts(store, [second.clone()]);
    assert_eq!(inputs(), [3, 2]);
    assert_eq!((accounts(ana), accounts(bo)), (vec![], vec![second]));
    let third = Account {
        owner: None,
        link: Link::Uncorrelated,
        missing_since: Some(UnixMillis(7)),
        ..first
    };
    write_accounts(store, [third.clone()]);
    assert_eq!(inputs(), [3, 3]);
    assert_eq!(accounts(bo), []);
    assert_eq!(
        store.accounts(&[key("hr", "1")]).expect("readable"),
        std::slice::from_ref(&third)
    );
    let marks = store.account_marks(Name::new("hr"), None, 9);
    let mark = AccountMark {
        native_identity: "1".to_owned(),
        fingerprint: account_fingerprint(&third),
        present: false,
        owned: false,
    };
    assert_eq!(marks.expect("readable"), [mark]);

    let batch = AggregateBatch {
        creations: ["cyd", "dee"]
            .map(|name| creation(name, IdentityType::Person))
            .to_vec(),
        accounts: vec![AccountWrite {
            account: third,
            created_owner: Some(1),
            lookups: Vec::new(),
        }],
        ..AggregateBatch::default()
    };
    let created = store.aggregate(&batch).expect("accepted");
    assert_eq!(accounts(created[0]), []);
    assert_eq!(accounts(created[1])[0].owner, Some(created[1]));
    let error = store.aggregate(&AggregateBatch {
        creations: Vec::new(),
        ..batch
    });
    assert_eq!(
        error.expect_err("nobody").to_string(),
        "the batch creates no identity 1"
    );
}

fn decisions_about_entitlements_move_with_their_account(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let decision = |native_identity: &str, value: &str| EntitlementDecision {
        account: key("ad", native_identity),
        about: NativeEntitlement {
            attribute: Name::new("groups"),
            value: value.to_owned(),
            change: EntitlementChange::Gained,
            was_there: false,
            detected_at: UnixMillis(1),
        },
        verdict: EntitlementVerdict::Accepted,
        actor: "cyd".to_owned(),
        reason: String::new(),
        at: UnixMillis(2),
    };
    let owned = |native_identity: &str, owner| account(key("ad", native_identity), Some(owner));
    write_accounts(store, [owned("1", ana), owned("2", ana), owned("3", bo)]);
    for (uid, decisions) in [
        (
            ana,
            vec![decision("1", "a"), decision("1", "b"), decision("2", "a")],
        ),
        (bo, vec![decision("0", "a"), decision("3", "a")]),
    ] {
        let by_hand = ByHand {
            entitlements: decisions,
            ..ByHand::default()
        };
        let edited = store.edit_identity(uid, &by_hand, &entry("ana", "decide"));
        edited.expect("accepted");
    }
    let decided = |uid| {
        let decisions = read(store, uid).identity.by_hand.entitlements.into_iter();
        let shown = decisions
            .map(|known| format!("{}{}", known.account.native_identity, known.about.value));
        shown.collect::<Vec<_>>().join(" ")
    };
    write_accounts(store, [owned("1", bo), owned("2", ana)]);
    assert_eq!([decided(ana), decided(bo)], ["2a", "0a 1a 1b 3a"]);
    // Without an owner they wait for the next.
    for _ in 0..2 {
        write_accounts(store, [account(key("ad", "3"), None)]);
        assert_eq!([decided(ana), decided(bo)], ["2a", "0a 1a 1b"]);
    }
    write_accounts(store, [owned("3", bo)]);
    assert_eq!([decided(ana), decided(bo)], ["2a", "0a 1a 1b 3a"]);
    let batch = AggregateBatch {
        creations: vec![creation("cyd", IdentityType::Person)],
        accounts: vec![AccountWrite {
            account: owned("1", bo),
            created_owner: Some(0),
            lookups: Vec::new(),
        }],
        ..AggregateBatch::default()
    };
    let created = store.aggregate(&batch).expect("accepted");
    assert_eq!([decided(bo), decided(created[0])], ["0a 3a", "1a 1b"]);
}

fn what_idr_remembers_of_an_account_moves_with_it(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let owned = |native_identity: &str, owner| account(key("ad", native_identity), Some(owner));
    write_accounts(store, [owned("1", ana), owned("2", ana), owned("3", bo)]);
    let remembered = |accounts: &[&str]| {
        let mut remembered = Provisioning::default();
        for native_identity in accounts {
            remembered.given.push(GivenEntitlement {
                entitlement: Entitlement {
                    account: key("ad", native_identity),
                    attribute: Name::new("groups"),
                    value: "g".to_owned(),
                },
                roles: vec![Name::new("clerk")],
            });
            remembered.targets.push(TargetAccount {
                role: Name::new("clerk"),
                account: key("ad", native_identity),
            });
        }
        remembered
    };
    change(store, ana, |identity| {
        identity.provisioning = remembered(&["1", "2"]);
        // What it was when events were last processed.
        identity.baseline.provisioning = Some(remembered(&["1"]));
    });
    change(store, bo, |identity| {
        identity.provisioning = remembered(&["3"]);
    });
    let given = |uid| {
        let identity = read(store, uid).identity;
        let shown = |provisioning: &Provisioning| {
            let given = provisioning.given.iter();
            let given = given.map(|known| known.entitlement.account.native_identity.clone());
            let targets = provisioning.targets.iter();
            let targets = targets.map(|known| known.account.native_identity.clone());
            let all: Vec<String> = given.chain(targets).collect();
            all.join(" ")
        };
        let settled = identity.baseline.provisioning.as_ref();
        (shown(&identity.provisioning), settled.map(shown))
    };
    let texts = |now: &str, settled: Option<&str>| (now.to_owned(), settled.map(str::to_owned));
    assert_eq!(given(ana), texts("1 2 1 2", Some("1 1")));
    // Its role has an account of its own, which stays.
    write_accounts(store, [owned("1", bo)]);
    assert_eq!(given(ana), texts("2 2", Some("")));
    assert_eq!(given(bo), texts("1 3 3", None));
    let batch = AggregateBatch {
        creations: vec![creation("cyd", IdentityType::Person)],
        accounts: vec![AccountWrite {
            account: owned("2", ana),
            created_owner: Some(0),
            lookups: Vec::new(),
        }],
        ..AggregateBatch::default()
    };
    let created = store.aggregate(&batch).expect("accepted");
    assert_eq!(given(ana), texts("", Some("")));
    assert_eq!(given(created[0]), texts("2 2", None));
    let kept = || -> Vec<String> {
        let kept = store.account_memory().expect("readable").into_iter();
        let told = kept.map(|(key, kept)| {
            let given = kept.provisioning.given.len();
            format!("{} {}: {given} given", key.application, key.native_identity)
        });
        told.collect()
    };
    assert_eq!(kept(), [""; 0]);
    // Without an owner it waits for the next.
    for _ in 0..2 {
        write_accounts(store, [account(key("ad", "2"), None)]);
        assert_eq!(given(created[0]), texts("", None));
        assert_eq!(kept(), ["ad 2: 1 given"]);
    }
    write_accounts(store, [owned("2", ana), owned("4", ana)]);
    assert_eq!(given(ana), texts("2 2", Some("2 2")));
    write_accounts(store, [account(key("ad", "2"), None)]);
    write_accounts(store, [owned("2", bo)]);
    assert_eq!(given(ana), texts("", Some("")));
    assert_eq!(given(bo), texts("1 2 3 3", None));
    assert_eq!(kept(), [""; 0]);
}

fn accounts_are_listed_in_order_of_key(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let keys = [
        key("crm", "2"),
        key("crm", "b"),
        key("hr", "1"),
        key("hr", "ü"),
    ];
    for key in [3, 0, 2, 1].map(|place: usize| keys[place].clone()) {
        let owner = (key.native_identity == "1").then_some(ana);
        write_accounts(store, [account(key, owner)]);
    }
    let list = |application: Option<&str>, after, limit| {
        let listed = store.list_accounts(application.map(Name::new), after, limit);
        let listed = listed.expect("readable").into_iter();
        listed.map(|account| account.key).collect::<Vec<_>>()
    };
    assert_eq!(list(None, None, 9), keys);
    assert_eq!(list(None, Some(&keys[1]), 1), keys[2..3]);
    assert_eq!(list(Some("hr"), None, 9), keys[2..]);
    assert_eq!(list(Some("crm"), Some(&keys[0]), 9), keys[1..2]);
    assert_eq!(list(Some("crm"), Some(&keys[2]), 9), []);
    assert_eq!(list(Some("erp"), None, 9), []);
    let wanted = [keys[3].clone(), key("hr", "2"), keys[0].clone()];
    let found = store.accounts(&wanted).expect("readable").into_iter();
    let found: Vec<_> = found.map(|account| account.key).collect();
    assert_eq!(found, [keys[3].clone(), keys[0].clone()]);
    let marks = |after, limit| {
        let marks = store.account_marks(Name::new("hr"), after, limit);
        let marks = marks.expect("readable").into_iter();
        marks
            .map(|mark| (mark.native_identity, mark.present, mark.owned))
            .collect::<Vec<_>>()
    };
    let (one, umlaut) = (("1".to_owned(), true, true), ("ü".to_owned(), true, false));
    assert_eq!(marks(None, 9), [one.clone(), umlaut.clone()]);
    assert_eq!(marks(None, 1), [one]);
    assert_eq!(marks(Some("1"), 9), [umlaut]);
    assert_eq!(marks(Some("ü"), 9), []);
}

fn accounts_wait_for_values_that_appear(store: &dyn Store) {
    adopt_look_ups(store, ["email"]);
    let [ana] = create(store, ["ana"]);
    let waits = |native_identity: &str, link, owner, values: &[&str]| AccountWrite {
        account: Account {
            link,
            owner,
            ..account(key("hr", native_identity), None)
        },
        created_owner: None,
        lookups: values
            .iter()
            .map(|value| ReadKey::Lookup(Name::new("email"), (*value).to_owned()))
            .collect(),
    };
    let aggregate = |accounts| {
        let batch = AggregateBatch {
            accounts,
            ..AggregateBatch::default()
        };
        store.aggregate(&batch).expect("accepted");
    };
    let sought = || {
        let sought = store.awaited().expect("readable").by_accounts;
        sought.iter().map(|name| name.as_str()).collect::<Vec<_>>()
    };
    let correlatable = || {
        let keys = store.correlatable().expect("readable").into_iter();
        keys.map(|key| key.native_identity)
            .collect::<Vec<_>>()
            .join(" ")
    };
    aggregate(vec![
        waits("4", Link::Uncorrelated, None, &["x", "a"]),
        waits("1", Link::Ambiguous, None, &["a", "A"]),
        waits("2", Link::Manual, None, &["a"]),
        waits("3", Link::Correlated, Some(ana), &["a"]),
        waits("5", Link::Uncorrelated, None, &["b"]),
    ]);
    assert_eq!((correlatable().as_str(), sought()), ("", vec!["email"]));
    change(store, ana, |ana| set(ana, "email", "A"));
    assert_eq!(correlatable(), "1 4");
    aggregate(vec![
        waits("4", Link::Uncorrelated, None, &["x"]),
        waits("1", Link::Correlated, Some(ana), &["a"]),
        waits("3", Link::Uncorrelated, None, &["a"]),
    ]);
    assert_eq!(correlatable(), "3");
    adopt_look_ups(store, ["name"]);
    assert_eq!(correlatable(), "");
    aggregate(vec![
        waits("3", Link::Correlated, Some(ana), &["a"]),
        waits("4", Link::Manual, None, &["x"]),
        waits("5", Link::Correlated, Some(ana), &["b"]),
    ]);
    assert_eq!(sought(), [""; 0]);
}

fn native_changes_are_noted_and_raise_their_identity(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let change = |detected_at| NativeChange {
        account: key("crm", "1"),
        operation: NativeOperation::Modify,
        attributes: names(["groups"]),
        detected_at: UnixMillis(detected_at),
    };
    let batch = AggregateBatch {
        native_changes: vec![(ana, change(1)), (Uid(9), change(2)), (ana, change(3))],
        audit: Some(entry("ana", "link")),
        instant: Some(UnixMillis(3)),
        ..AggregateBatch::default()
    };
    assert_eq!(store.aggregate(&batch).expect("accepted"), []);
    let record = read(store, ana);
    assert_eq!(record.identity.native_changes, [change(1), change(3)]);
    assert_eq!((record.versions.input, record.versions.state), (3, 0));
    assert_eq!(
        store
            .audit_entries(&AuditQuery::default(), 9)
            .expect("readable"),
        [entry("ana", "link")]
    );
    assert_eq!(
        store.tenant().expect("readable").last_as_of,
        Some(UnixMillis(3))
    );
}

fn aggregations_and_their_stages(store: &dyn Store) {
    let hr = Aggregation {
        application: "hr".to_owned(),
        file: "hr.csv".to_owned(),
        ..Aggregation::default()
    };
    let begin = || store.begin_aggregation(&hr).expect("accepted");
    assert_eq!([begin(), begin()], [1, 2]);
    let listed = StagedChange::Listed(account(key("hr", "1"), None));
    let missing = StagedChange::Missing(key("hr", "2"));
    store
        .stage(1, &[listed.clone(), missing.clone()])
        .expect("accepted");
    store
        .stage(2, std::slice::from_ref(&listed))
        .expect("accepted");
    store
        .stage(1, std::slice::from_ref(&listed))
        .expect("accepted");
    let staged = |id, after, limit| store.staged(id, after, limit).expect("readable");
    let all = [(1, listed.clone()), (2, missing), (3, listed)];
    assert_eq!(staged(1, 0, 9), all);
    assert_eq!(staged(1, 1, 1), all[1..2]);
    let held = Aggregation {
        id: 1,
        status: AggregationStatus::Held,
        held: vec!["too many".to_owned()],
        ..hr.clone()
    };
    store.update_aggregation(&held).expect("accepted");
    assert_eq!(store.aggregation(1).expect("readable"), Some(held.clone()));
    assert_eq!(store.aggregation(3).expect("readable"), None);
    let applying = Aggregation {
        cursor: 3,
        status: AggregationStatus::Applying,
        ..held
    };
    let batch = AggregateBatch {
        aggregation: Some(applying.clone()),
        ..AggregateBatch::default()
    };
    store.aggregate(&batch).expect("accepted");
    let latest = store.aggregations(9).expect("readable");
    assert_eq!(latest, [Aggregation { id: 2, ..hr }, applying]);
    assert_eq!(store.aggregations(1).expect("readable"), latest[..1]);
    store.clear_stage(1).expect("accepted");
    assert_eq!(staged(1, 0, 9), []);
    assert_eq!(staged(2, 0, 9).len(), 1);
}

fn edits_replace_edits_and_raise_their_identity(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let edit = |attribute| ManualEdit {
        attribute: Name::new(attribute),
        value: None,
        feed_value: Some(Value::Integer(1)),
        actor: "bo".to_owned(),
        reason: "wrong in the feed".to_owned(),
        at: UnixMillis(2),
    };
    let entry = entry("ana", "edit");
    let edits = |edits| ByHand {
        edits,
        ..ByHand::default()
    };
    store
        .edit_identity(ana, &edits(vec![edit("a"), edit("b")]), &entry)
        .expect("accepted");
    store
        .edit_identity(ana, &edits(vec![edit("c")]), &entry)
        .expect("accepted");
    let record = read(store, ana);
    assert_eq!(record.identity.by_hand, edits(vec![edit("c")]));
    assert_eq!(record.versions.input, 3);
    let error = store
        .edit_identity(Uid(9), &ByHand::default(), &entry)
        .expect_err("nobody");
    assert_eq!(error.to_string(), "there is no identity 9");
    assert_eq!(
        store
            .audit_entries(&AuditQuery::default(), 9)
            .expect("readable"),
        [entry.clone(), entry]
    );
}

fn an_event_is_recorded_once(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let event = |uid, sequence, trigger| Event {
        uid,
        sequence,
        trigger: Name::new(trigger),
        effective_at: UnixMillis(1),
        detected_at: UnixMillis(2),
        changes: Vec::new(),
    };
    let [first, second, third] = [
        event(ana, 1, "joiner"),
        event(bo, 1, "joiner"),
        event(ana, 1, "mover"),
    ];
    let record = |events: &[&Event]| {
        let chunk = ApplyChunk {
            events: events.iter().copied().cloned().collect(),
            ..ApplyChunk::default()
        };
        store.apply(&chunk).expect("accepted");
    };
    record(&[&first, &second]);
    record(&[&first, &third, &second]);
    change(store, ana, |ana| ana.name = "anna".to_owned());
    let events = |uid, trigger: Option<&str>, limit| {
        let query = EventQuery {
            uid,
            trigger: trigger.map(Name::new),
        };
        let stored = store.events(&query, limit).expect("readable");
        let name_of = |uid| if uid == ana { "anna" } else { "bo" };
        for stored in &stored {
            assert_eq!(stored.id, event_id(&stored.event));
            assert_eq!(stored.name, name_of(stored.event.uid));
        }
        stored
            .into_iter()
            .map(|stored| stored.event)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        events(None, None, 9),
        [third.clone(), second.clone(), first.clone()]
    );
    assert_eq!(events(None, None, 1), std::slice::from_ref(&third));
    assert_eq!(events(Some(ana), None, 9), [third.clone(), first.clone()]);
    assert_eq!(events(None, Some("joiner"), 9), [second, first]);
    assert_eq!(events(Some(ana), Some("mover"), 9), [third]);
    assert_eq!(events(Some(bo), Some("mover"), 9), []);
}

fn a_muted_finding_does_not_count_until_its_time_is_over(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let [first, second] = ["a", "b"].map(|subject| a_finding(Severity::Error, subject, "in words"));
    change(store, ana, |ana| {
        ana.findings = vec![first.clone(), second.clone()];
    });
    let numbers = || {
        let findings = store.findings(false, 9).expect("readable").into_iter();
        findings
            .map(|stored| (stored.number, stored.muted_until.map(|until| until.0)))
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(), [(1, None), (2, None)]);
    let entry = entry("findings 1", "mute");
    let mute = |numbers: &[i64], until: Option<i64>| {
        let muted = store.mute_findings(numbers, until.map(UnixMillis), &entry);
        muted.expect("accepted")
    };
    assert_eq!(mute(&[1, 7], Some(5)), 1);
    assert_eq!(numbers(), [(1, Some(5)), (2, None)]);
    let open = |at| store.open_findings(UnixMillis(at)).expect("readable");
    assert_eq!([open(4), open(5)], [1, 2]);
    // It stays so while it is the same trouble.
    let worse = a_finding(Severity::AccessAtRisk, "a", "in other words");
    change(store, ana, |ana| {
        ana.findings = vec![worse.clone(), second.clone()];
    });
    assert_eq!(numbers(), [(1, Some(5)), (2, None)]);
    change(store, ana, |ana| ana.findings = vec![second.clone()]);
    assert_eq!(mute(&[1], None), 0, "it is closed");
    change(store, ana, |ana| {
        ana.findings = vec![worse.clone(), second.clone()];
    });
    assert_eq!(numbers(), [(3, None), (2, None)]);
    assert_eq!(mute(&[2, 3], Some(9)), 2);
    assert_eq!(mute(&[2], None), 1);
    assert_eq!(open(1), 1);
    assert_eq!(
        store
            .audit_entries(&AuditQuery::default(), 9)
            .expect("readable")
            .len(),
        4
    );
}

fn claim(value: &str) -> Claim {
    Claim::on(Name::new("login"), value)
}

fn claiming(store: &dyn Store, uid: Uid, values: &[&str]) -> IdentityWrite {
    let claims = values.iter().map(|value| NewClaim {
        claim: claim(value),
        origin: ClaimOrigin::Generated,
    });
    IdentityWrite {
        claims: claims.collect(),
        ..write(store, uid, |identity| set(identity, "login", values[0]))
    }
}

/// Returns who has taken what, in order.
fn claims(store: &dyn Store) -> Vec<String> {
    let claims = store.claims(&ClaimQuery::default(), None, 99);
    let claims = claims.expect("readable").into_iter();
    claims
        .map(|stored| format!("{} {}", stored.claim.value, stored.name))
        .collect()
}

fn a_unique_value_is_one_identitys_for_good(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let writes = [
        claiming(store, ana, &["Lee", "lee2"]),
        claiming(store, bo, &["lee1", "LEE"]),
    ];
    let before = store.snapshot().expect("readable");
    let stale = store.apply(&chunk(writes)).expect("accepted");
    assert_eq!(stale, [bo], "one comes after the other in the same chunk");
    assert_eq!(read(store, bo).identity.attributes, []);
    assert_eq!(claims(store), ["lee ana", "lee2 ana"]);
    let now = store.snapshot().expect("readable");
    let lee = claim("LEE");
    assert_eq!(now.holder(&lee), Ok(Some(Holder::Identity(ana))));
    assert_eq!(before.holder(&lee), Ok(None), "it is as it was");

    // Ana has another name meanwhile, and takes her old one again.
    let again = chunk([
        claiming(store, bo, &["lee3"]),
        claiming(store, ana, &["lee"]),
    ]);
    assert_eq!(store.apply(&again).expect("accepted"), []);
    assert_eq!(claims(store), ["lee ana", "lee2 ana", "lee3 bo"]);
    let of_ana = ClaimQuery {
        uid: Some(ana),
        ..ClaimQuery::default()
    };
    let second = store.claims(&of_ana, Some(&lee), 9).expect("readable");
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].claim, claim("lee2"));
}

fn people_reserve_and_release_unique_values(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    change(store, bo, |bo| {
        bo.reads = vec![ReadKey::Claim(claim("lee"))];
    });
    let applied = store.apply(&chunk([claiming(store, ana, &["lee"])]));
    assert_eq!(applied.expect("accepted"), []);
    let edit = |edit: ClaimEdit| store.edit_claims(&edit, &entry("cyd", "claims"));
    let conflict = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Conflict(_)));
    let due = || {
        let due = store.due(UnixMillis(0), None, 9).expect("readable");
        due.into_iter().map(|due| due.uid).collect::<Vec<_>>()
    };
    assert!(conflict(edit(ClaimEdit::Reserve(vec![
        claim("root"),
        claim("lee")
    ]))));
    assert_eq!(claims(store), ["lee ana"], "all or nothing");
    edit(ClaimEdit::Reserve(vec![claim("root")])).expect("it is free");
    assert_eq!(claims(store), ["lee ana", "root "]);
    let stale = store.apply(&chunk([claiming(store, bo, &["root"])]));
    assert_eq!(stale.expect("accepted"), [bo]);
    assert_eq!(due(), [bo], "until it is planned again");
    change(store, bo, |_| {});

    let give = |only: Option<Vec<Claim>>| ClaimEdit::Give {
        from: ana,
        to: bo,
        only,
    };
    edit(give(Some(vec![claim("leo"), claim("root")]))).expect("accepted");
    assert_eq!(claims(store), ["lee ana", "root "], "none of these is hers");
    edit(give(None)).expect("accepted");
    assert_eq!(claims(store), ["lee bo", "root "]);
    assert_eq!(due(), []);
    assert!(conflict(edit(ClaimEdit::Release(vec![
        claim("lee"),
        claim("leo")
    ]))));
    assert_eq!(due(), []);
    edit(ClaimEdit::Release(vec![claim("lee"), claim("root")])).expect("they are taken");
    assert_eq!(claims(store), [""; 0]);
    assert_eq!(due(), [bo], "who wanted it is due");
    let entries = store
        .audit_entries(&AuditQuery::default(), 9)
        .expect("readable");
    assert_eq!(entries.len(), 4);
}

fn findings_are_opened_changed_and_closed(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let set_findings = |uid, at, findings: &[(Severity, &str, &str)]| {
        let mut chunk = chunk([write(store, uid, |identity| {
            let findings = findings.iter();
            let findings =
                findings.map(|(severity, subject, message)| a_finding(*severity, subject, message));
            identity.findings = findings.collect();
        })]);
        chunk.run.step.instant = UnixMillis(at);
        store.apply(&chunk).expect("accepted");
    };
    let shown = |closed| {
        let findings = store.findings(closed, 99).expect("readable").into_iter();
        let shown = findings.map(|stored| {
            let closed = stored
                .closed_at
                .map_or(String::new(), |at| format!("-{}", at.0));
            let finding = stored.finding;
            format!(
                "{} {} {} {}{closed}",
                stored.name, finding.subject, finding.message, stored.first_seen.0
            )
        });
        shown.collect::<Vec<_>>().join(", ")
    };
    set_findings(bo, 1, &[(Severity::AccessAtRisk, "x", "one")]);
    set_findings(
        ana,
        2,
        &[
            (Severity::Error, "x", "two"),
            (Severity::AccessAtRisk, "y", "three"),
        ],
    );
    assert_eq!(shown(false), "ana y three 2, bo x one 1, ana x two 2");
    assert_eq!(store.open_findings(UnixMillis(0)).expect("readable"), 3);
    set_findings(
        ana,
        3,
        &[
            (Severity::Warning, "y", "four"),
            (Severity::Warning, "z", "five"),
        ],
    );
    assert_eq!(shown(false), "bo x one 1, ana y four 2, ana z five 3");
    set_findings(ana, 4, &[(Severity::Error, "x", "two")]);
    assert_eq!(shown(false), "bo x one 1, ana x two 4");
    assert_eq!(
        shown(true),
        "bo x one 1, ana x two 2-3, ana x two 4, ana y four 2-4, ana z five 3-4"
    );
    assert_eq!(store.open_findings(UnixMillis(0)).expect("readable"), 2);
    assert_eq!(store.findings(true, 2).expect("readable").len(), 2);

    // What isn't said to have changed isn't compared.
    let mut unchanged = write(store, bo, |bo| bo.findings.clear());
    unchanged.findings_changed = false;
    store.apply(&chunk([unchanged])).expect("accepted");
    assert_eq!(store.open_findings(UnixMillis(0)).expect("readable"), 2);
}

fn findings_of_applications_stand_beside_those_of_identities(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    change(store, ana, |ana| {
        ana.findings = vec![a_finding(Severity::Error, "x", "one")];
    });
    let set_findings = |application, at, subjects: &[&str]| {
        let findings = subjects
            .iter()
            .map(|subject| a_finding(Severity::Error, subject, "two"));
        let findings: Vec<_> = findings.collect();
        let application = Name::new(application);
        let set = store.set_application_findings(application, &findings, UnixMillis(at));
        set.expect("accepted");
    };
    let open = || {
        let findings = store.findings(false, 9).expect("readable").into_iter();
        let open = findings.map(|stored| format!("{} {}", stored.name, stored.finding.subject));
        open.collect::<Vec<_>>().join(", ")
    };
    set_findings("hr", 1, &["x", "line 3"]);
    set_findings("crm", 1, &["x"]);
    // By severity, then what is about no identity, then by subject.
    assert_eq!(open(), "hr line 3, hr x, crm x, ana x");
    set_findings("hr", 2, &["x"]);
    assert_eq!(open(), "hr x, crm x, ana x");
    set_findings("hr", 3, &[]);
    assert_eq!(open(), "crm x, ana x");
    change(store, ana, |ana| ana.findings.clear());
    assert_eq!(open(), "crm x");
}

fn runs_are_kept_and_what_they_leave_behind_is_not(store: &dyn Store) {
    let [ana] = create(store, ["ana"]);
    let over = [
        RunStatus::Done,
        RunStatus::Failed,
        RunStatus::Rejected,
        RunStatus::Superseded,
    ];
    let going_on = [RunStatus::Running, RunStatus::Held];
    let mut runs = Vec::new();
    for status in over.into_iter().chain(going_on) {
        let mut run = begin(store);
        store.select(&run, &Selection::All).expect("accepted");
        store.spool(run.id, &[plan(ana)]).expect("accepted");
        run.status = status;
        run.counters.events.insert("joiner".to_owned(), 2);
        store.update_run(&run).expect("accepted");
        assert_eq!(selected(store, run.id), [ana]);
        runs.push(run);
    }
    let last = begin(store);
    for run in &runs {
        let kept = usize::from(!run.status.is_over());
        assert_eq!(selected(store, run.id).len(), kept, "{:?}", run.status);
        assert_eq!(
            store.spooled(run.id, None, 9).expect("readable").len(),
            kept
        );
    }
    let absent = Run {
        id: idr::store::RunId(99),
        ..last.clone()
    };
    store.update_run(&absent).expect("accepted");
    assert_eq!(store.run(absent.id).expect("readable"), None);
    assert_eq!(
        store.run(runs[0].id).expect("readable").as_ref(),
        Some(&runs[0])
    );
    assert_eq!(store.runs(2).expect("readable"), [last, runs.remove(5)]);
    assert_eq!(store.runs(99).expect("readable").len(), 7);
}

fn spooled_plans_come_in_order_of_uid(store: &dyn Store) {
    let run = begin(store);
    let plans = [1, 2, 5, 9].map(|uid| plan(Uid(uid)));
    store.spool(run.id, &plans[..2]).expect("accepted");
    store.spool(run.id, &plans[2..]).expect("accepted");
    let spooled = |after, limit| store.spooled(run.id, after, limit).expect("readable");
    assert_eq!(spooled(None, 9), plans);
    assert_eq!(spooled(Some(Uid(2)), 1), plans[2..3]);
    assert_eq!(spooled(Some(Uid(9)), 1), []);
}

fn a_configuration_is_stored_once_and_adopted(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let files = |text: &str| -> Files {
        [
            ("idr.toml".to_owned(), text.as_bytes().to_vec()),
            ("rules/a.wasm".to_owned(), vec![0, 159, 255]),
            ("roles/empty.toml".to_owned(), Vec::new()),
        ]
        .into()
    };
    let state = TenantState {
        baselines_set: true,
        isolated_rules: vec!["facade".to_owned()],
        last_as_of: Some(UnixMillis(5)),
        ..TenantState::default()
    };
    store.set_tenant(&state).expect("accepted");
    let adopt = |digest: &str, text: &str, raise| {
        let adoption = Adoption {
            configuration: digest.to_owned(),
            files: files(text),
            definitions: [(format!("role {digest}"), u64::MAX)].into(),
            lookup_attributes: names(["email"]),
            claims: Vec::new(),
            raise,
        };
        store.adopt(&adoption).expect("accepted");
    };
    adopt("one", "version = 1", Raise::Nobody);
    adopt(
        "two",
        "version = 1 # two",
        Raise::Identities(vec![bo, Uid(9)]),
    );
    adopt("one", "something else", Raise::Everybody);
    let stored = |digest| store.configuration(digest).expect("readable");
    assert_eq!(stored("one"), Some(files("version = 1")));
    assert_eq!(stored("two"), Some(files("version = 1 # two")));
    assert_eq!(stored("three"), None);
    assert_eq!([ana, bo].map(|uid| read(store, uid).versions.input), [2, 3]);
    let expected = TenantState {
        configuration: Some("one".to_owned()),
        definitions: BTreeMap::from([("role one".to_owned(), u64::MAX)]),
        lookup_attributes: names(["email"]),
        ..state
    };
    assert_eq!(store.tenant().expect("readable"), expected);
}

fn the_last_instant_only_grows(store: &dyn Store) {
    let last = || {
        store
            .tenant()
            .expect("readable")
            .last_as_of
            .map(|instant| instant.0)
    };
    let apply = |instant: Option<i64>| {
        let chunk = ApplyChunk {
            instant: instant.map(UnixMillis),
            ..ApplyChunk::default()
        };
        store.apply(&chunk).expect("accepted");
        last()
    };
    assert_eq!(apply(None), None);
    assert_eq!(apply(Some(-5)), Some(-5));
    assert_eq!(apply(Some(7)), Some(7));
    assert_eq!(apply(Some(6)), Some(7));
    assert_eq!(apply(None), Some(7));
    let batch = AggregateBatch {
        instant: Some(UnixMillis(8)),
        ..AggregateBatch::default()
    };
    store.aggregate(&batch).expect("accepted");
    assert_eq!(last(), Some(8));
}

fn an_effect_waits_is_withdrawn_and_waits_again(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let effect = |uid, operation, at| Effect {
        uid,
        what: EffectKind::Account(AccountAction {
            account: key("ad", "cn=1"),
            operation,
            to: None,
            changes: Vec::new(),
            reasons: Vec::new(),
            hops: 0,
            since: UnixMillis(at),
        }),
        effective_at: UnixMillis(at),
        detected_at: UnixMillis(at),
    };
    let disable = effect(ana, AccountOperation::Disable, 1);
    let delete = effect(ana, AccountOperation::Delete, 2);
    let others = effect(bo, AccountOperation::Disable, 1);
    let apply = |effects: &[&Effect], withdrawn: &[&Effect]| {
        let owned = |effects: &[&Effect]| effects.iter().copied().cloned().collect();
        let chunk = ApplyChunk {
            effects: owned(effects),
            withdrawn: owned(withdrawn),
            ..ApplyChunk::default()
        };
        store.apply(&chunk).expect("accepted");
    };
    let known = |uid, waiting| {
        let query = EffectQuery {
            uid,
            waiting,
            ..EffectQuery::default()
        };
        let stored = store.effects(&query, 9).expect("readable");
        let shown = stored.into_iter().map(|stored| {
            let waits = stored.progress.status == EffectStatus::Waiting;
            (stored.name, stored.effect, waits)
        });
        shown.collect::<Vec<_>>()
    };
    assert_eq!(known(None, false), []);
    apply(&[&disable, &others], &[]);
    apply(&[&disable, &delete], &[]);
    let named = |name: &str, effect: &Effect, waits| (name.to_owned(), effect.clone(), waits);
    assert_eq!(
        known(None, false),
        [
            named("ana", &delete, true),
            named("bo", &others, true),
            named("ana", &disable, true),
        ]
    );
    // What was never recorded can't be withdrawn.
    apply(&[], &[&disable, &effect(ana, AccountOperation::Enable, 1)]);
    assert_eq!(
        known(Some(ana), false),
        [named("ana", &delete, true), named("ana", &disable, false)]
    );
    assert_eq!(known(Some(ana), true), [named("ana", &delete, true)]);
    apply(&[&disable], &[]);
    assert_eq!(known(Some(ana), true).len(), 2);
    // Nothing is done about whoever has moved on.
    let mut stale = write(store, bo, |_| {});
    stale.expected.input += 1;
    let mut chunk = chunk([stale]);
    chunk.withdrawn = vec![others.clone()];
    chunk.effects = vec![effect(bo, AccountOperation::Delete, 3)];
    assert_eq!(store.apply(&chunk).expect("accepted"), [bo]);
    assert_eq!(known(Some(bo), false), [named("bo", &others, true)]);
}

fn what_percentages_are_taken_of(store: &dyn Store) {
    let [ana, bo, cyd] = create(store, ["ana", "bo", "cyd"]);
    change(store, ana, |ana| {
        ana.inactive = true;
        ana.manager = Some(cyd);
    });
    change(store, bo, |bo| {
        bo.manager = Some(ana);
        bo.assigned = vec![RoleAssignment::by_rule(Name::new("Clerk"), UnixMillis(1))];
    });
    let population = Population {
        identities: 3,
        active: 2,
        with_roles: 1,
    };
    assert_eq!(store.population().expect("readable"), population);
    let managed = || {
        let managed = store.managers().expect("readable").into_iter();
        let shown = |known: Managed| {
            let managed = (known.uid, known.inactive);
            (managed, known.manager, known.manager_inactive)
        };
        managed.map(shown).collect::<Vec<_>>()
    };
    assert_eq!(
        managed(),
        [((ana, true), cyd, false), ((bo, false), ana, true)]
    );
    change(store, ana, |ana| ana.manager = None);
    assert_eq!(managed(), [((bo, false), ana, true)]);
}

fn audit_entries_come_the_latest_first(store: &dyn Store) {
    let [one, two] = ["approve", "reject"].map(|action| entry("run 1", action));
    store.audit(&one).expect("accepted");
    store.audit(&two).expect("accepted");
    assert_eq!(
        store
            .audit_entries(&AuditQuery::default(), 9)
            .expect("readable"),
        [two.clone(), one]
    );
    assert_eq!(
        store
            .audit_entries(&AuditQuery::default(), 1)
            .expect("readable"),
        [two]
    );
}

fn what_is_unique_from_now_on_is_the_first_holders(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let reserve = ClaimEdit::Reserve(vec![claim("root")]);
    store
        .edit_claims(&reserve, &entry("root", "reserve"))
        .expect("it is free");
    let adoption = Adoption {
        claims: vec![(claim("lee"), ana), (claim("Lee"), bo), (claim("root"), bo)],
        ..Adoption::default()
    };
    store.adopt(&adoption).expect("accepted");
    assert_eq!(claims(store), ["lee ana", "root "]);
}

fn what_identities_were_is_kept_until_it_is_pruned(store: &dyn Store) {
    let [ana, bo] = create(store, ["ana", "bo"]);
    let keep = |uid: Uid, at: i64, name: &str| {
        let image = Image {
            name: name.to_owned(),
            ..Image::default()
        };
        let mut chunk = ApplyChunk {
            writes: vec![write(store, uid, |_| {})],
            history: vec![(uid, image)],
            ..ApplyChunk::default()
        };
        chunk.run.step.instant = UnixMillis(at);
        assert_eq!(store.apply(&chunk).expect("accepted"), []);
    };
    let kept = |uid, until: Option<i64>, limit| -> Vec<String> {
        let images = store.history(uid, until.map(UnixMillis), limit);
        let images = images.expect("readable").into_iter();
        let shown = images.map(|stored| format!("{} {}", stored.at.0, stored.image.name));
        shown.collect()
    };
    for (at, name) in [(10, "a"), (20, "b"), (30, "c"), (20, "again")] {
        keep(ana, at, name);
    }
    keep(bo, 15, "bo");
    assert_eq!(kept(ana, None, 9), ["30 c", "20 again", "10 a"]);
    assert_eq!(kept(ana, None, 1), ["30 c"]);
    assert_eq!(kept(ana, Some(29), 1), ["20 again"]);
    assert_eq!(kept(ana, Some(9), 1), [""; 0]);
    // What was so at the instant is still needed.
    assert_eq!(store.prune_history(UnixMillis(19)).expect("done"), 0);
    assert_eq!(store.prune_history(UnixMillis(25)).expect("done"), 1);
    assert_eq!(kept(ana, None, 9), ["30 c", "20 again"]);
    assert_eq!(store.prune_history(UnixMillis(99)).expect("done"), 1);
    assert_eq!((kept(ana, None, 9).len(), kept(bo, None, 9).len()), (1, 1));

    // Of what isn't written nothing is kept.
    let mut stale = write(store, bo, |_| {});
    stale.expected.input += 1;
    let chunk = ApplyChunk {
        writes: vec![stale],
        history: vec![(bo, Image::default())],
        ..ApplyChunk::default()
    };
    assert_eq!(store.apply(&chunk).expect("accepted"), [bo]);
    assert_eq!(kept(bo, None, 9), ["15 bo"]);
}

fn pruned_identities_are_gone_for_good(store: &dyn Store) {
    adopt_look_ups(store, ["site"]);
    let [ana, bo, eve] = create(store, ["ana", "bo", "eve"]);
    write_accounts(
        store,
        [
            account(key("crm", "a"), Some(ana)),
            account(key("crm", "b"), Some(bo)),
        ],
    );
    let mut chunk = chunk([write(store, ana, |identity| {
        set(identity, "site", "Bern");
        identity.findings = vec![a_finding(Severity::Error, "x", "y")];
    })]);
    chunk.writes[0].claims = vec![NewClaim {
        claim: claim("ana"),
        origin: ClaimOrigin::Given,
    }];
    chunk.history = vec![(ana, Image::default())];
    assert_eq!(store.apply(&chunk).expect("accepted"), []);
    change(store, bo, |identity| {
        identity.reads = vec![ReadKey::Attribute(ana, Name::new("site"))];
    });
    let prune = |uid, expected| Prune {
        uid,
        expected,
        audit: entry("ana", "prune"),
    };
    let known = read(store, ana).versions;
    let moved_on = Versions {
        input: known.input + 1,
        ..known
    };
    let at = UnixMillis(9);
    assert_eq!(store.prune(&[prune(ana, moved_on)], at).expect("done"), 0);
    let before = read(store, bo).versions.input;
    let prunes = [prune(ana, known), prune(Uid(99), known)];
    assert_eq!(store.prune(&prunes, at).expect("done"), 1);

    assert_eq!(store.read_chunk(&[ana]).expect("readable"), []);
    assert_eq!(store.named("ana").expect("readable"), None);
    assert_eq!(store.accounts(&[key("crm", "a")]).expect("readable"), []);
    assert_eq!(
        store.list_accounts(None, None, 9).expect("readable").len(),
        1
    );
    assert_eq!(store.history(ana, None, 9).expect("readable"), []);
    assert_eq!(store.open_findings(at).expect("readable"), 0);
    assert_eq!(store.findings(true, 9).expect("readable").len(), 1);
    assert_eq!(claims(store), ["ana "]);
    let snapshot = store.snapshot().expect("readable");
    let found = snapshot.find(Name::new("site"), "bern");
    assert_eq!(found.expect("readable"), []);
    assert_eq!(read(store, bo).versions.input, before + 1);
    assert_eq!(read(store, eve).versions.input, 1);
    let audit = store.audit_entries(&AuditQuery::default(), 9);
    assert_eq!(audit.expect("readable").len(), 1);
    // Neither the number nor the place is taken over by who comes next.
    assert_eq!(create(store, ["ana"]), [Uid(4)]);
    assert_eq!(read(store, Uid(4)).identity.attributes, []);
}

fn adopt_look_ups<const N: usize>(store: &dyn Store, attributes: [&str; N]) {
    let adoption = Adoption {
        lookup_attributes: names(attributes),
        ..Adoption::default()
    };
    store.adopt(&adoption).expect("accepted");
}

fn plan(uid: Uid) -> SpooledPlan {
    SpooledPlan {
        uid,
        planned: Versions {
            input: uid.0,
            ..Versions::default()
        },
        events: true,
        changes: Changes {
            manager: Some(None),
            ..Changes::default()
        },
    }
}

fn entry(subject: &str, action: &str) -> AuditEntry {
    AuditEntry {
        at: UnixMillis(1),
        actor: "bo".to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        reason: "looked at it".to_owned(),
    }
}
