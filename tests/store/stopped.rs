//! Writes that are stopped half-way, at each of the store's named points:
//! nothing of them has happened, and the next one goes through.
//!
//! A test binary of its own, because the points are the whole process's.

use std::path::Path;

use idr::store::sqlite::{SqliteOptions, SqliteStore};
use idr::store::{
    Adoption, AggregateBatch, Aggregation, ApplyChunk, AuditEntry, AuditQuery, ClaimEdit, Creation,
    EffectProgress, EffectQuery, EffectStatus, IdentityWrite, NewWorkItem, Prune, Run, RunId,
    RunProgress, Selection, Settlement, SpooledPlan, StagedChange, Step, Store, StoreError,
    TenantState, WorkItemQuery, effect_id,
};
use idr_core::filter::Superset;
use idr_core::model::{
    AccountKey, ByHand, Claim, Effect, EffectKind, Event, Finding, Handler, Identity, IdentityType,
    Image, Name, ReadKey, Severity, Uid, UnixMillis, Versions, WorkItem, finding,
};
use idr_core::plan::Changes;

type Write = fn(&dyn Store) -> Result<(), StoreError>;

/// Every kind of write, by the name of its points.
const WRITES: [(&str, Write); 22] = [
    ("tenant", |store| {
        store.set_tenant(&TenantState {
            baselines_set: true,
            ..TenantState::default()
        })
    }),
    ("adopt", |store| {
        store.adopt(&Adoption {
            configuration: "one".to_owned(),
            files: [("idr.toml".to_owned(), b"version = 1".to_vec())].into(),
            lookup_attributes: vec![Name::new("name")],
            raise: idr::store::Raise::Everybody,
            ..Adoption::default()
        })
    }),
    ("run", |store| {
        store.begin_run(&Run::default(), &[]).map(drop)
    }),
    ("progress", |store| {
        store.note_progress(RunId(1), &RunProgress::default())
    }),
    ("stop", |store| store.ask_to_stop(RunId(1), &entry())),
    ("select", |store| {
        let run = Run {
            id: RunId(1),
            silent: true,
            ..Run::default()
        };
        store.select(&run, &Selection::All).map(drop)
    }),
    ("spool", |store| {
        let plan = SpooledPlan {
            uid: Uid(1),
            planned: Versions::default(),
            events: true,
            changes: Changes::default(),
        };
        store.spool(RunId(1), &[plan])
    }),
    ("apply", |store| store.apply(&chunk()).map(drop)),
    ("aggregate", |store| {
        let creation = Creation {
            name: "bo".to_owned(),
            identity_type: IdentityType::Person,
        };
        let batch = AggregateBatch {
            creations: vec![creation],
            audit: Some(entry()),
            instant: Some(UnixMillis(9)),
            ..AggregateBatch::default()
        };
        store.aggregate(&batch).map(drop)
    }),
    ("aggregation", |store| {
        store.begin_aggregation(&Aggregation::default()).map(drop)
    }),
    ("stage", |store| {
        let key = AccountKey {
            application: Name::new("hr"),
            native_identity: "1".to_owned(),
        };
        store.stage(1, &[StagedChange::Missing(key)])
    }),
    ("stage-clear", |store| store.clear_stage(7)),
    ("edit", |store| {
        store.edit_identity(Uid(1), &ByHand::default(), &entry())
    }),
    ("claims", |store| {
        let claim = Claim::on(Name::new("login"), "root");
        store.edit_claims(&ClaimEdit::Reserve(vec![claim]), &entry())
    }),
    ("findings", |store| {
        store.set_application_findings(Name::new("hr"), &[a_finding()], UnixMillis(1))
    }),
    ("mute", |store| {
        store.mute_findings(&[1], None, &entry()).map(drop)
    }),
    ("audit", |store| store.audit(&entry())),
    ("history", |store| {
        store.prune_history(UnixMillis(9)).map(drop)
    }),
    ("prune", |store| {
        let uids = [Uid(1)];
        let known = store.read_chunk(&uids)?;
        let expected = known.first().map(|record| record.versions);
        let prune = Prune {
            uid: Uid(1),
            expected: expected.unwrap_or_default(),
            audit: entry(),
        };
        store.prune(&[prune], UnixMillis(9)).map(drop)
    }),
    ("settle", |store| {
        let settled = store.settle(&Settlement {
            number: 1,
            expected: EffectStatus::Sent,
            audit: Some(entry()),
            ..Settlement::default()
        })?;
        assert!(settled, "it stands as expected");
        Ok(())
    }),
    ("work-item", |store| {
        store.complete_work_item("look", &entry())
    }),
    ("pause", |store| store.pause_dispatch(true, &entry())),
];

/// What the identity was at two instants.
fn remembered(store: &dyn Store) {
    for (at, name) in [(1, "an"), (2, "ana")] {
        let image = Image {
            name: name.to_owned(),
            ..Image::default()
        };
        let chunk = ApplyChunk {
            run: Run {
                id: RunId(1),
                step: Step {
                    instant: UnixMillis(at),
                    ..Step::default()
                },
                ..Run::default()
            },
            history: vec![(Uid(1), image)],
            ..ApplyChunk::default()
        };
        store.apply(&chunk).expect("accepted");
    }
}

/// An effect that somebody was asked to carry out.
fn asked(store: &dyn Store) {
    let what = EffectKind::WorkItem(WorkItem {
        owner: None,
        description: "look".to_owned(),
        since: UnixMillis(1),
    });
    let effect = Effect {
        uid: Uid(1),
        what,
        effective_at: UnixMillis(1),
        detected_at: UnixMillis(1),
    };
    let item = NewWorkItem {
        id: "look".to_owned(),
        effect: effect_id(&effect),
        uid: Uid(1),
        owner: None,
        description: "look".to_owned(),
        opened_at: UnixMillis(1),
    };
    let chunk = ApplyChunk {
        run: Run {
            id: RunId(1),
            ..Run::default()
        },
        effects: vec![effect],
        ..ApplyChunk::default()
    };
    store.apply(&chunk).expect("accepted");
    let settled = store.settle(&Settlement {
        number: 1,
        progress: EffectProgress {
            status: EffectStatus::Sent,
            ..EffectProgress::default()
        },
        work_items: vec![item],
        ..Settlement::default()
    });
    assert!(settled.expect("accepted"));
}

fn chunk() -> ApplyChunk {
    let identity = Identity {
        uid: Uid(1),
        name: "anna".to_owned(),
        reads: vec![ReadKey::Attribute(Uid(2), Name::new("email"))],
        findings: vec![a_finding()],
        ..Identity::default()
    };
    let expected = Versions {
        input: 1,
        ..Versions::default()
    };
    let write = IdentityWrite {
        uid: identity.uid,
        identity: Some(identity),
        expected,
        versions: Versions {
            identity_read: 1,
            access_read: 1,
            state: 1,
            ..expected
        },
        findings_changed: true,
        reads_changed: true,
        keys_changed: true,
        claims: Vec::new(),
    };
    let event = Event {
        uid: Uid(1),
        sequence: 1,
        trigger: Name::new("joiner"),
        effective_at: UnixMillis(1),
        detected_at: UnixMillis(1),
        changes: Vec::new(),
    };
    let effect = Effect {
        uid: Uid(1),
        what: EffectKind::Handler {
            trigger: Name::new("joiner"),
            sequence: 1,
            place: 0,
            handler: Handler::Workflow {
                name: "welcome".to_owned(),
            },
            hops: 0,
        },
        effective_at: UnixMillis(1),
        detected_at: UnixMillis(1),
    };
    ApplyChunk {
        run: Run {
            id: RunId(1),
            silent: true,
            ..Run::default()
        },
        writes: vec![write],
        events: vec![event],
        effects: vec![effect],
        audit: vec![(Uid(1), entry())],
        changed_keys: vec![ReadKey::Attribute(Uid(1), Name::new("name"))],
        instant: Some(UnixMillis(5)),
        history: vec![(Uid(1), Image::default())],
        ..ApplyChunk::default()
    }
}

fn a_finding() -> Finding {
    Finding {
        severity: Severity::Error,
        phase: finding::ROLES,
        subject: "a".to_owned(),
        cause: Name::new("rule-trapped"),
        message: "b".to_owned(),
        hint: None,
    }
}

fn entry() -> AuditEntry {
    AuditEntry {
        at: UnixMillis(1),
        actor: "bo".to_owned(),
        action: "edit".to_owned(),
        subject: "ana".to_owned(),
        reason: "why not".to_owned(),
    }
}

/// Returns a store with one identity and one run.
fn store_in(folder: &Path) -> SqliteStore {
    let path = folder.join("idr.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).expect("a store can be made");
    let creation = Creation {
        name: "ana".to_owned(),
        identity_type: IdentityType::Person,
    };
    let batch = AggregateBatch {
        creations: vec![creation],
        ..AggregateBatch::default()
    };
    store.aggregate(&batch).expect("accepted");
    store.begin_run(&Run::default(), &[]).expect("accepted");
    remembered(&store);
    asked(&store);
    store
}

/// Returns all that the writes above could have changed, as text.
fn state(store: &SqliteStore) -> String {
    let uids = store.list(&Superset::All, None, 9).expect("readable");
    [
        format!("{:?}", store.read_chunk(&uids)),
        format!("{:?}", store.tenant()),
        format!("{:?}", store.configuration("one")),
        format!("{:?}", store.runs(9)),
        format!("{:?}", store.progress(RunId(1))),
        format!("{:?}", store.is_asked_to_stop(RunId(1))),
        format!("{:?}", store.selected(RunId(1), None, 9)),
        format!("{:?}", store.spooled(RunId(1), None, 9)),
        format!("{:?}", store.aggregations(9)),
        format!("{:?}", store.staged(1, 0, 9)),
        format!("{:?}", store.events(&Default::default(), 9)),
        format!("{:?}", store.effects(&EffectQuery::default(), 9)),
        format!("{:?}", store.work_items(&WorkItemQuery::default(), 9)),
        format!("{:?}", store.is_dispatch_paused()),
        format!("{:?}", store.history(Uid(1), None, 9)),
        format!("{:?}", store.findings(true, 9)),
        format!("{:?}", store.audit_entries(&AuditQuery::default(), 9)),
    ]
    .join("\n")
}

#[test]
fn a_write_that_is_stopped_has_not_happened_and_can_be_repeated() {
    let scenario = fail::FailScenario::setup();
    for (name, write) in WRITES {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = store_in(folder.path());
        let before = state(&store);
        for point in ["begin", "commit"].map(|end| format!("store-{name}-{end}")) {
            fail::cfg(&point, "return").expect("the point can be set");
            let error = write(&store).expect_err("the write is stopped");
            assert!(
                matches!(error, StoreError::Unavailable(_)),
                "{point}: {error}"
            );
            assert_eq!(state(&store), before, "{point}");
            fail::remove(&point);
        }
        let found = store.verify().expect("checkable");
        assert_eq!(found.problems, Vec::<String>::new(), "{name}");
        write(&store).expect("nothing stops it");
        if name != "stage-clear" {
            assert_ne!(state(&store), before, "{name}");
        }
        let found = store.verify().expect("checkable");
        assert_eq!(found.problems, Vec::<String>::new(), "{name}");
    }
    scenario.teardown();
}
