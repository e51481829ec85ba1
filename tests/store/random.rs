//! Random histories on both stores: they answer the same all the way. The store
//! in memory is the plain model; what SQLite says is compared with it after
//! every step, question by question.

use std::fmt::Debug;
use std::sync::Arc;

use idr::store::{
    AccountWrite, Adoption, AggregateBatch, Aggregation, AggregationStatus, ApplyChunk, AuditEntry,
    AuditQuery, ClaimEdit, ClaimQuery, Creation, EventQuery, IdentityWrite, Raise, Run, RunId,
    RunProgress, RunStatus, Selection, SpooledPlan, Stage, StagedChange, Step, Store, StoreError,
    TenantState,
};
use idr_core::filter::Superset;
use idr_core::model::{
    Account, AccountKey, AccountStatus, AttributeState, ByHand, Claim, ClaimOrigin, Event,
    EventChange, Finding, Identity, IdentityType, Link, ManualEdit, Name, NativeChange,
    NativeOperation, NewClaim, Provenance, ReadKey, Retries, Retry, RoleAssignment, Severity, Uid,
    UnixMillis, Value, Versions, finding,
};
use idr_core::plan::Changes;
use idr_core::view::Snapshot;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::samples;

/// One call, or a few that belong together. Uids, runs and aggregations are
/// small numbers, which may or may not exist.
#[derive(Clone, Debug)]
enum Action {
    SetTenant(TenantState),
    Adopt(Adoption),
    BeginRun(RunStatus, Vec<Uid>),
    UpdateRun(i64, RunStatus),
    Select(i64, Selection),
    Spool(i64, Vec<i64>),
    Apply(Vec<Write>, Vec<Event>, Vec<ReadKey>, Option<i64>),
    Aggregate(Box<AggregateBatch>),
    BeginAggregation,
    UpdateAggregation(i64, AggregationStatus),
    Stage(i64, Vec<StagedChange>),
    ClearStage(i64),
    Edit(i64, Option<Value>),
    ApplicationFindings(Name, Vec<Finding>),
    Audit,
    Progress(i64, u64),
    AskToStop(i64),
    Mute(Vec<i64>, Option<i64>),
    Claims(ClaimEdit),
    TakeSnapshot,
}

/// A write to an identity; what it says of the identity replaces what was there.
#[derive(Clone, Debug)]
struct Write {
    uid: i64,
    whole: bool,
    is_stale: bool,
    name: Option<String>,
    attributes: Vec<(Name, AttributeState)>,
    manager: Option<Uid>,
    state: Option<Name>,
    inactive: bool,
    role: Option<Name>,
    reads: Vec<ReadKey>,
    event_reads: Vec<ReadKey>,
    wake: (Option<UnixMillis>, Option<UnixMillis>),
    retry_at: Option<UnixMillis>,
    findings: Vec<Finding>,
    processed: (bool, bool, bool),
    claims: Vec<NewClaim>,
}

fn names() -> impl Strategy<Value = String> {
    select(vec!["ana", "bo", "Çelik", "dee", "ed", "flo"]).prop_map(str::to_owned)
}

fn attribute() -> impl Strategy<Value = Name> {
    select(vec!["department", "email", "level", "name"]).prop_map(Name::new)
}

fn plain_attribute() -> impl Strategy<Value = Name> {
    select(vec!["department", "email", "level"]).prop_map(Name::new)
}

fn application() -> impl Strategy<Value = Name> {
    select(vec!["crm", "hr"]).prop_map(Name::new)
}

fn text() -> impl Strategy<Value = String> {
    select(vec!["a", "B", "b", "Ü", "ü", "say \"hi\"\n", "0"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::text),
        1 => (-2_i64..3).prop_map(Value::Integer),
        1 => any::<bool>().prop_map(Value::Boolean),
        1 => vec(text(), 1..3).prop_map(Value::many),
        1 => Just(Value::Date("2026-01-31".parse().expect("a date"))),
        1 => (0_i64..3).prop_map(|ms| Value::Instant(UnixMillis(ms))),
        1 => Just(Value::Decimal("1.50".parse().expect("a decimal"))),
    ]
}

fn provenance() -> impl Strategy<Value = Provenance> {
    prop_oneof![
        3 => Just(Provenance::Source(0)),
        1 => Just(Provenance::Source(2)),
        1 => Just(Provenance::Manual),
        1 => Just(Provenance::Proposed(Name::new("a rule"))),
        1 => Just(Provenance::Kept(UnixMillis(7))),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<(Name, AttributeState)>> {
    let state = (option::weighted(0.8, value()), provenance());
    let state = state.prop_map(|(value, provenance)| AttributeState { value, provenance });
    vec((plain_attribute(), state), 0..4).prop_map(|mut attributes| {
        attributes.sort_by_key(|(name, _)| *name);
        attributes.dedup_by_key(|(name, _)| *name);
        attributes
    })
}

fn uid() -> impl Strategy<Value = i64> {
    1_i64..7
}

fn read_key() -> impl Strategy<Value = ReadKey> {
    prop_oneof![
        (uid(), attribute()).prop_map(|(uid, name)| ReadKey::Attribute(Uid(uid), name)),
        (attribute(), folded()).prop_map(|(name, text)| ReadKey::Lookup(name, text)),
        claim().prop_map(ReadKey::Claim),
    ]
}

fn folded() -> impl Strategy<Value = String> {
    prop_oneof![text(), names()].prop_map(|text| idr_core::text::fold(&text))
}

fn claim() -> impl Strategy<Value = Claim> {
    let namespace = select(vec!["logins", "numbers"]).prop_map(Name::new);
    let value = select(vec!["ana", "bo", "7"]);
    (namespace, value).prop_map(|(namespace, value)| Claim::on(namespace, value))
}

fn claim_edit() -> impl Strategy<Value = ClaimEdit> {
    prop_oneof![
        vec(claim(), 1..3).prop_map(ClaimEdit::Reserve),
        vec(claim(), 1..3).prop_map(ClaimEdit::Release),
        (uid(), uid(), option::of(vec(claim(), 0..3))).prop_map(|(from, to, only)| {
            ClaimEdit::Give {
                from: Uid(from),
                to: Uid(to),
                only,
            }
        }),
    ]
}

fn read_keys() -> impl Strategy<Value = Vec<ReadKey>> {
    vec(read_key(), 0..4).prop_map(|mut keys| {
        keys.sort();
        keys.dedup();
        keys
    })
}

fn one_finding() -> impl Strategy<Value = Finding> {
    let severity = select(vec![
        Severity::AccessAtRisk,
        Severity::Error,
        Severity::Warning,
    ]);
    let cause = select(vec!["rule-trapped", "manager-cycle"]).prop_map(Name::new);
    let phase = select(vec![finding::MANAGER, finding::EVENTS]);
    (severity, phase, text(), cause, text(), option::of(text())).prop_map(
        |(severity, phase, subject, cause, message, hint)| Finding {
            severity,
            phase,
            subject,
            cause,
            message,
            hint,
        },
    )
}

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    vec(one_finding(), 0..4).prop_map(|mut findings| {
        findings.sort();
        findings
    })
}

fn instant() -> impl Strategy<Value = UnixMillis> {
    (0_i64..5).prop_map(|n| UnixMillis(n * 1_000))
}

fn write() -> impl Strategy<Value = Write> {
    let first = (
        uid(),
        prop::bool::weighted(0.8),
        prop::bool::weighted(0.1),
        option::weighted(0.1, names()),
        attributes(),
        option::of(uid().prop_map(Uid)),
        option::of(select(vec!["active", "inactive"]).prop_map(Name::new)),
    );
    let second = (
        any::<bool>(),
        option::of(select(vec!["clerk", "boss"]).prop_map(Name::new)),
        read_keys(),
        read_keys(),
        (
            option::of(instant()),
            option::of(instant()),
            option::weighted(0.3, instant()),
        ),
        findings(),
        any::<(bool, bool, bool)>(),
        vec(
            claim().prop_map(|claim| NewClaim {
                claim,
                origin: ClaimOrigin::Given,
            }),
            0..2,
        ),
    );
    (first, second).prop_map(|(first, second)| {
        let (uid, whole, is_stale, name, attributes, manager, state) = first;
        let (inactive, role, reads, event_reads, wake, findings, processed, claims) = second;
        Write {
            uid,
            whole,
            is_stale,
            name,
            attributes,
            manager,
            state,
            inactive,
            role,
            reads,
            event_reads,
            wake: (wake.0, wake.1),
            retry_at: wake.2,
            findings,
            processed,
            claims,
        }
    })
}

fn event() -> impl Strategy<Value = Event> {
    let trigger = select(vec!["joiner", "leaver"]).prop_map(Name::new);
    let change = (text(), option::of(value()), option::of(value()))
        .prop_map(|(what, old, new)| EventChange { what, old, new });
    (uid(), 1_u64..3, trigger, vec(change, 0..2)).prop_map(|(uid, sequence, trigger, changes)| {
        Event {
            uid: Uid(uid),
            sequence,
            trigger,
            effective_at: UnixMillis(5),
            detected_at: UnixMillis(6),
            changes,
        }
    })
}

fn account_key() -> impl Strategy<Value = AccountKey> {
    (application(), select(vec!["1", "2", "ü"])).prop_map(|(application, native)| AccountKey {
        application,
        native_identity: native.to_owned(),
    })
}

fn account() -> impl Strategy<Value = Account> {
    let attributes = vec((plain_attribute(), value()), 0..3).prop_map(|mut attributes| {
        attributes.sort_by_key(|(name, _)| *name);
        attributes.dedup_by_key(|(name, _)| *name);
        attributes
    });
    let status = select(vec![
        AccountStatus::Enabled,
        AccountStatus::Disabled,
        AccountStatus::Locked,
    ]);
    (
        account_key(),
        status,
        (option::of(instant()), any::<bool>()),
        attributes,
        select(Link::ALL.map(|(_, link)| link).to_vec()),
        option::of(uid().prop_map(Uid)),
    )
        .prop_map(
            |(key, status, (missing_since, taken_away), attributes, link, owner)| Account {
                key,
                status,
                missing_since,
                taken_away,
                attributes,
                native_entitlements: Vec::new(),
                link,
                owner,
            },
        )
}

fn creation() -> impl Strategy<Value = Creation> {
    let identity_type = select(vec![
        IdentityType::Person,
        IdentityType::Person,
        IdentityType::Service,
        IdentityType::Workgroup,
    ]);
    (names(), identity_type).prop_map(|(name, identity_type)| Creation {
        name,
        identity_type,
    })
}

fn batch() -> impl Strategy<Value = AggregateBatch> {
    let account = (account(), option::weighted(0.3, 0_usize..2), read_keys()).prop_map(
        |(account, created_owner, lookups)| AccountWrite {
            account,
            created_owner,
            lookups,
        },
    );
    let change = (uid(), account_key(), instant()).prop_map(|(uid, account, detected_at)| {
        let change = NativeChange {
            account,
            operation: NativeOperation::Modify,
            attributes: vec![Name::new("level")],
            detected_at,
        };
        (Uid(uid), change)
    });
    (
        vec(creation(), 0..3),
        vec(account, 0..4),
        vec(change, 0..2),
        option::of(audit()),
        option::of(instant()),
    )
        .prop_map(
            |(creations, accounts, native_changes, audit, instant)| AggregateBatch {
                creations,
                accounts,
                native_changes,
                aggregation: None,
                audit,
                instant,
            },
        )
}

fn audit() -> impl Strategy<Value = AuditEntry> {
    (instant(), text()).prop_map(|(at, reason)| AuditEntry {
        at,
        actor: "ana".to_owned(),
        action: "edit".to_owned(),
        subject: "bo".to_owned(),
        reason,
    })
}

fn lookup_attributes() -> impl Strategy<Value = Vec<Name>> {
    vec(attribute(), 0..3).prop_map(|mut names| {
        names.sort();
        names.dedup();
        names
    })
}

fn step() -> impl Strategy<Value = Action> {
    let status = select(RunStatus::ALL.map(|(_, status)| status).to_vec());
    let raise = prop_oneof![
        Just(Raise::Nobody),
        Just(Raise::Everybody),
        vec(uid().prop_map(Uid), 0..3).prop_map(Raise::Identities),
    ];
    let selection = prop_oneof![
        Just(Selection::All),
        instant().prop_map(Selection::Due),
        instant().prop_map(Selection::Wake),
        any::<bool>().prop_map(|stay_due| Selection::Nobody { stay_due }),
        Just(Selection::Chosen),
        instant().prop_map(Selection::ChosenWake),
        option::of(instant()).prop_map(|refreshed_at| Selection::Readers { refreshed_at }),
    ];
    let tenant = (lookup_attributes(), option::of(instant()), any::<bool>()).prop_map(
        |(lookup_attributes, last_as_of, baselines_set)| TenantState {
            last_as_of,
            baselines_set,
            lookup_attributes,
            ..TenantState::default()
        },
    );
    let adoption = (select(vec!["one", "two"]), lookup_attributes(), raise).prop_map(
        |(configuration, lookup_attributes, raise)| Adoption {
            configuration: configuration.to_owned(),
            files: [
                ("idr.toml".to_owned(), configuration.as_bytes().to_vec()),
                ("rules/a.wasm".to_owned(), vec![0, 255]),
            ]
            .into(),
            definitions: [("common".to_owned(), u64::MAX)].into(),
            lookup_attributes,
            claims: Vec::new(),
            raise,
        },
    );
    let staged = prop_oneof![
        account().prop_map(|account| StagedChange::Listed(Account {
            owner: None,
            ..account
        })),
        account_key().prop_map(StagedChange::Missing),
    ];
    let aggregation_status = select(vec![
        AggregationStatus::Staging,
        AggregationStatus::Applying,
        AggregationStatus::Held,
        AggregationStatus::Done,
        AggregationStatus::Rejected,
    ]);
    let apply = (
        vec(write(), 1..5),
        vec(event(), 0..3),
        vec(read_key(), 0..3),
        option::of(0_i64..9),
    );
    prop_oneof![
        1 => tenant.prop_map(Action::SetTenant),
        2 => adoption.prop_map(Action::Adopt),
        2 => (status.clone(), vec(uid().prop_map(Uid), 0..3)).prop_map(|(status, chosen)| Action::BeginRun(status, chosen)),
        1 => (1_i64..4, status).prop_map(|(run, status)| Action::UpdateRun(run, status)),
        4 => (1_i64..4, selection).prop_map(|(run, selection)| Action::Select(run, selection)),
        1 => (1_i64..4, prop::collection::btree_set(uid(), 0..4))
            .prop_map(|(run, uids)| Action::Spool(run, uids.into_iter().collect())),
        8 => apply.prop_map(|(writes, events, keys, instant)| {
            Action::Apply(writes, events, keys, instant)
        }),
        5 => batch().prop_map(|batch| Action::Aggregate(Box::new(batch))),
        1 => Just(Action::BeginAggregation),
        1 => (1_i64..3, aggregation_status)
            .prop_map(|(id, status)| Action::UpdateAggregation(id, status)),
        1 => (1_i64..3, vec(staged, 0..3)).prop_map(|(id, changes)| Action::Stage(id, changes)),
        1 => (1_i64..3).prop_map(Action::ClearStage),
        1 => (uid(), option::of(value())).prop_map(|(uid, value)| Action::Edit(uid, value)),
        1 => (application(), findings())
            .prop_map(|(application, findings)| Action::ApplicationFindings(application, findings)),
        1 => Just(Action::Audit),
        1 => (1_i64..4, 0_u64..3).prop_map(|(run, done)| Action::Progress(run, done)),
        1 => (1_i64..4).prop_map(Action::AskToStop),
        3 => claim_edit().prop_map(Action::Claims),
        1 => (vec(1_i64..5, 0..3), option::of(1_i64..4))
            .prop_map(|(numbers, until)| Action::Mute(numbers, until)),
        2 => Just(Action::TakeSnapshot),
    ]
}

/// A store with what a history keeps of it.
struct Driven<'s> {
    store: &'s dyn Store,
    held: Option<Arc<dyn Snapshot>>,
    /// Spooled by each run: a uid is spooled once.
    spooled: std::collections::BTreeSet<(i64, i64)>,
}

fn run(id: i64, status: RunStatus, instant: i64) -> Run {
    Run {
        id: RunId(id),
        status,
        as_of: UnixMillis(9_000),
        configuration: "one".to_owned(),
        step: Step {
            instant: UnixMillis(instant),
            wave: 1,
            stage: Stage::Apply,
            cursor: Some(Uid(3)),
        },
        ..Run::default()
    }
}

impl Driven<'_> {
    /// Takes a step; returns what the store answers, as text.
    fn take(&mut self, step: &Action) -> String {
        let store = self.store;
        match step {
            Action::SetTenant(state) => said(store.set_tenant(state)),
            Action::Adopt(adoption) => said(store.adopt(adoption)),
            Action::BeginRun(status, chosen) => {
                self.spooled.clear();
                said(store.begin_run(&run(0, *status, 0), chosen))
            }
            Action::UpdateRun(id, status) => said(store.update_run(&run(*id, *status, 1))),
            Action::Select(id, selection) => {
                self.spooled.retain(|(run, _)| run != id);
                said(store.select(&run(*id, RunStatus::Running, 2), selection))
            }
            Action::Spool(id, uids) => {
                let last = self.spooled.iter().filter(|(run, _)| run == id).max();
                let last = last.map_or(0, |(_, uid)| *uid);
                let new: Vec<i64> = uids.iter().copied().filter(|uid| *uid > last).collect();
                self.spooled.extend(new.iter().map(|uid| (*id, *uid)));
                let plans: Vec<SpooledPlan> = new.into_iter().map(plan).collect();
                said(store.spool(RunId(*id), &plans))
            }
            Action::Apply(writes, events, keys, instant) => {
                let mut chunk = ApplyChunk {
                    run: run(1, RunStatus::Running, 3),
                    events: events.clone(),
                    changed_keys: keys.clone(),
                    instant: instant.map(UnixMillis),
                    ..ApplyChunk::default()
                };
                for write in writes {
                    let known = chunk.writes.iter().any(|known| known.uid == Uid(write.uid));
                    if !known {
                        chunk.writes.push(self.identity_write(write));
                    }
                }
                said(store.apply(&chunk))
            }
            Action::Aggregate(batch) => said(store.aggregate(batch)),
            Action::BeginAggregation => said(store.begin_aggregation(&Aggregation {
                application: "hr".to_owned(),
                ..Aggregation::default()
            })),
            Action::UpdateAggregation(id, status) => said(store.update_aggregation(&Aggregation {
                id: *id,
                status: *status,
                counters: [("read".to_owned(), 3)].into(),
                held: vec!["too many".to_owned()],
                ..Aggregation::default()
            })),
            Action::Stage(id, changes) => said(store.stage(*id, changes)),
            Action::ClearStage(id) => said(store.clear_stage(*id)),
            Action::Edit(uid, value) => {
                let edit = ManualEdit {
                    attribute: Name::new("level"),
                    value: value.clone(),
                    feed_value: None,
                    actor: "ana".to_owned(),
                    reason: String::new(),
                    at: UnixMillis(4),
                };
                let by_hand = ByHand {
                    edits: vec![edit],
                    ..ByHand::default()
                };
                said(store.edit_identity(Uid(*uid), &by_hand, &an_entry()))
            }
            Action::ApplicationFindings(application, findings) => {
                said(store.set_application_findings(*application, findings, UnixMillis(8)))
            }
            Action::Audit => said(store.audit(&an_entry())),
            Action::Progress(run, done) => {
                let progress = RunProgress {
                    done: *done,
                    of: 9,
                    step_ms: 5,
                    elapsed_ms: 7,
                };
                said(store.note_progress(RunId(*run), &progress))
            }
            Action::AskToStop(run) => said(store.ask_to_stop(RunId(*run), &an_entry())),
            Action::Mute(numbers, until) => {
                let mut numbers = numbers.clone();
                numbers.sort_unstable();
                numbers.dedup();
                said(store.mute_findings(&numbers, until.map(UnixMillis), &an_entry()))
            }
            Action::Claims(edit) => said(self.store.edit_claims(edit, &an_entry())),
            Action::TakeSnapshot => {
                self.held = store.snapshot().ok();
                String::new()
            }
        }
    }

    fn identity_write(&self, write: &Write) -> IdentityWrite {
        let uid = Uid(write.uid);
        let record = self
            .store
            .read_chunk(&[uid])
            .expect("the store can be read");
        let record = record.into_iter().next().unwrap_or_default();
        let old = record.identity;
        let mut expected = record.versions;
        expected.input -= i64::from(write.is_stale);
        let (identity, access, events) = write.processed;
        let mut versions = record.versions;
        versions.state += i64::from(write.whole);
        for (read, is_processed, version) in [
            (&mut versions.identity_read, identity, versions.input),
            (&mut versions.access_read, access, versions.input),
            (&mut versions.events_read, events, versions.state),
        ] {
            if is_processed {
                *read = version;
            }
        }
        let new = Identity {
            uid,
            name: write.name.clone().unwrap_or_else(|| old.name.clone()),
            attributes: write.attributes.clone(),
            manager: write.manager,
            lifecycle_state: write.state,
            inactive: write.inactive,
            assigned: write
                .role
                .iter()
                .map(|role| RoleAssignment::by_rule(*role, UnixMillis(1)))
                .collect(),
            reads: write.reads.clone(),
            event_reads: write.event_reads.clone(),
            wake: idr_core::model::Wake {
                phases: write.wake.0,
                events: write.wake.1,
            },
            retries: Retries {
                phases: write.retry_at.map(|at| Retry { attempts: 1, at }),
                events: None,
            },
            findings: write.findings.clone(),
            ..old.clone()
        };
        IdentityWrite {
            uid,
            expected,
            versions,
            findings_changed: new.findings != old.findings,
            reads_changed: (&new.reads, &new.event_reads) != (&old.reads, &old.event_reads),
            keys_changed: new.name != old.name || new.attributes != old.attributes,
            claims: write.claims.clone(),
            identity: write.whole.then_some(new),
        }
    }

    /// Asks everything that can be asked; one text per question.
    fn ask(&self) -> Vec<(&'static str, String)> {
        let store = self.store;
        let mut answers = Vec::new();
        let mut note = |question: &'static str, answer: String| answers.push((question, answer));
        let everybody: Vec<Uid> = (0..9).map(Uid).collect();
        let uids = [Uid(5), Uid(2), Uid(2), Uid(1), Uid(4)];
        note("tenant", said(store.tenant()));
        note("configuration", said(store.configuration("one")));
        note("list", said(store.list(&Superset::All, None, 99)));
        note(
            "list after",
            said(store.list(&Superset::All, Some(Uid(2)), 2)),
        );
        note("read_chunk", said(store.read_chunk(&everybody)));
        note("read_chunk in another order", said(store.read_chunk(&uids)));
        note("named", said(store.named("Çelik")));
        note("last_times", said(store.last_times(&uids)));
        note("versions", said(store.versions(&uids)));
        note("population", said(store.population()));
        note("managers", said(store.managers()));
        note("next_wake", said(store.next_wake(None)));
        for run in 0..3 {
            let wake = store.next_wake(Some(RunId(run)));
            note("next_wake of those chosen", said(wake));
        }
        for as_of in [-1, 0, 2_000] {
            note("due", said(store.due(UnixMillis(as_of), None, 99)));
            note(
                "due after",
                said(store.due(UnixMillis(as_of), Some(Uid(1)), 2)),
            );
        }
        note("events_pending", said(store.events_pending(None, 99)));
        note(
            "events_pending",
            said(store.events_pending(Some(Uid(2)), 1)),
        );
        note("runs", said(store.runs(2)));
        for id in 1..4 {
            let id = RunId(id);
            note("run", said(store.run(id)));
            note("progress", said(store.progress(id)));
            note("is_asked_to_stop", said(store.is_asked_to_stop(id)));
            note("selected", said(store.selected(id, None, 99)));
            note("selected after", said(store.selected(id, Some(Uid(2)), 1)));
            note("spooled", said(store.spooled(id, None, 99)));
            note("spooled after", said(store.spooled(id, Some(Uid(2)), 1)));
        }
        for application in ["crm", "hr"].map(Name::new) {
            note(
                "account_marks",
                said(store.account_marks(application, None, 99)),
            );
            note(
                "account_marks after",
                said(store.account_marks(application, Some("1"), 1)),
            );
            let key = AccountKey {
                application,
                native_identity: "1".to_owned(),
            };
            note(
                "list_accounts",
                said(store.list_accounts(Some(application), None, 2)),
            );
            note(
                "list_accounts after",
                said(store.list_accounts(Some(application), Some(&key), 9)),
            );
            note(
                "list_accounts of all",
                said(store.list_accounts(None, Some(&key), 3)),
            );
            note("accounts", said(store.accounts(&[key])));
        }
        note("correlatable", said(store.correlatable()));
        note("aggregations", said(store.aggregations(1)));
        for id in 1..3 {
            note("aggregation", said(store.aggregation(id)));
            note("staged", said(store.staged(id, 0, 99)));
            note("staged after", said(store.staged(id, 1, 1)));
        }
        let leaver = Some(Name::new("leaver"));
        for (uid, trigger) in [
            (None, None),
            (Some(Uid(2)), None),
            (Some(Uid(1)), leaver),
            (None, leaver),
        ] {
            note(
                "events",
                said(store.events(&EventQuery { uid, trigger }, 9)),
            );
        }
        let anybodys = ClaimQuery::default();
        note("claims", said(store.claims(&anybodys, None, 99)));
        let bo = Claim::on(Name::new("logins"), "bo");
        note("claims after", said(store.claims(&anybodys, Some(&bo), 1)));
        let of_one = ClaimQuery {
            namespace: Some(Name::new("numbers")),
            uid: Some(Uid(2)),
        };
        note("claims of one", said(store.claims(&of_one, None, 9)));
        note("findings", said(store.findings(false, 99)));
        note("findings, closed too", said(store.findings(true, 7)));
        note("open_findings", said(store.open_findings(UnixMillis(2))));
        note(
            "audit_entries",
            said(store.audit_entries(&AuditQuery::default(), 3)),
        );
        let now = store.snapshot().expect("a snapshot can be taken");
        note("snapshot", seen(&*now));
        if let Some(held) = &self.held {
            note("held snapshot", seen(&**held));
        }
        answers
    }
}

fn plan(uid: i64) -> SpooledPlan {
    SpooledPlan {
        uid: Uid(uid),
        planned: Versions {
            input: uid,
            ..Versions::default()
        },
        events: uid % 2 == 0,
        changes: Changes {
            manager: Some(None),
            ..Changes::default()
        },
    }
}

fn an_entry() -> AuditEntry {
    AuditEntry {
        at: UnixMillis(1),
        actor: "bo".to_owned(),
        action: "approve".to_owned(),
        subject: "run 1".to_owned(),
        reason: "looked at it".to_owned(),
    }
}

fn seen(snapshot: &dyn Snapshot) -> String {
    let attributes = [
        "department",
        "email",
        "level",
        "name",
        "lifecycleState",
        "inactive",
        "uid",
    ];
    let mut answers = Vec::new();
    for (namespace, value) in [("logins", "ana"), ("logins", "7"), ("numbers", "bo")] {
        let claim = Claim::on(Name::new(namespace), value);
        answers.push(format!("{:?}", snapshot.holder(&claim)));
    }
    for uid in (0..8).map(Uid) {
        for attribute in attributes.map(Name::new) {
            answers.push(format!("{:?}", snapshot.attribute_of(uid, attribute)));
        }
    }
    for attribute in attributes.map(Name::new) {
        for folded in [
            "a",
            "b",
            "ü",
            "ana",
            "çelik",
            "0",
            "-1",
            "true",
            "2026-01-31",
        ] {
            answers.push(format!("{:?}", snapshot.find(attribute, folded)));
        }
    }
    answers.join("\n")
}

fn said<T: Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(error) => format!("error: {error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sqlite_answers_as_the_store_in_memory(steps in vec(step(), 1..30)) {
        let (memory, sqlite) = (samples::memory(), samples::sqlite());
        let mut oracle = Driven { store: &memory.store, held: None, spooled: Default::default() };
        let mut tested = Driven { store: &sqlite.store, held: None, spooled: Default::default() };
        for step in &steps {
            prop_assert_eq!(oracle.take(step), tested.take(step), "{:?}", step);
            for (wanted, found) in oracle.ask().into_iter().zip(tested.ask()) {
                prop_assert_eq!(wanted, found, "after {:?}", step);
            }
        }
    }
}
