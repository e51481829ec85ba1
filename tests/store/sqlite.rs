//! What is special to the store in a file: rights, schema, several connections
//! and processes, full disks, backups, damage.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use idr::store::sqlite::{BackupError, SqliteOptions, SqliteStore};
use idr::store::{AggregateBatch, Aggregation, Selection, StagedChange, Store, StoreError};
use idr_core::filter::Superset;
use idr_core::model::{IdentityType, Name, Uid, UnixMillis, Value};
use rusqlite::Connection;

use super::samples::{
    account, begin, change, chunk, create, creation, folder, key, names, read, set, write,
    write_accounts,
};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, &SqliteOptions::default()).expect("the store can be opened")
}

#[test]
fn nobody_else_may_read_what_is_made() {
    let folder = folder();
    let path = folder.path().join("state/idr.db");
    let store = open(&path);
    create(&store, ["ana"]);
    let mode = |path: &Path| {
        let metadata = fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(&folder.path().join("state")), 0o700);
    for name in ["idr.db", "idr.db-wal", "idr.db-shm"] {
        assert_eq!(
            mode(&folder.path().join("state").join(name)),
            0o600,
            "{name}"
        );
    }
    let copy = folder.path().join("copy.db");
    store.backup(&copy).expect("a copy can be made");
    assert_eq!(mode(&copy), 0o600);
}

#[test]
fn what_was_written_is_there_after_reopening() {
    let folder = folder();
    let path = folder.path().join("idr.db");
    let [ana] = create(&open(&path), ["ana"]);
    let store = open(&path);
    change(&store, ana, |ana| set(ana, "department", "Sales"));
    let before = read(&store, ana);
    drop(store);
    assert_eq!(read(&open(&path), ana), before);
    assert_eq!(create(&open(&path), ["bo"]), [Uid(2)]);
}

#[test]
fn a_store_that_is_not_there_is_made_only_when_wanted() {
    let folder = folder();
    let path = folder.path().join("state/idr.db");
    let options = SqliteOptions {
        create: false,
        ..SqliteOptions::default()
    };
    let error = SqliteStore::open(&path, &options)
        .err()
        .expect("there is none");
    assert!(matches!(&error, StoreError::Missing(missing) if *missing == path));
    assert!(error.hint().is_some());
    assert!(!folder.path().join("state").exists());
}

#[test]
fn a_newer_schema_and_what_is_no_store_are_refused() {
    let folder = folder();
    let path = folder.path().join("idr.db");
    drop(open(&path));
    let raw = Connection::open(&path).expect("SQLite can open it");
    raw.pragma_update(None, "user_version", 99)
        .expect("the schema can be set");
    drop(raw);
    let refused = |path: &Path| {
        let opened = SqliteStore::open(path, &SqliteOptions::default());
        opened.err().expect("it is refused")
    };
    let error = refused(&path);
    assert!(
        matches!(error, StoreError::Newer { found: 99, .. }),
        "{error}"
    );
    let text = folder.path().join("idr.toml");
    fs::write(&text, "version = 1\n".repeat(100)).expect("a file can be written");
    let error = refused(&text);
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

#[test]
fn fingerprints_of_an_older_store_are_taken_again() {
    let folder = folder();
    let path = folder.path().join("idr.db");
    let store = open(&path);
    let [ana] = create(&store, ["ana"]);
    write_accounts(
        &store,
        [
            account(key("crm", "ü"), None),
            account(key("hr", "1"), Some(ana)),
        ],
    );
    let marks = |store: &SqliteStore| {
        let applications = ["crm", "hr"].map(Name::new).into_iter();
        let marks =
            applications.flat_map(|name| store.account_marks(name, None, 9).expect("readable"));
        marks.collect::<Vec<_>>()
    };
    let before = marks(&store);
    drop(store);
    let raw = Connection::open(&path).expect("SQLite can open it");
    raw.execute_batch(
        "CREATE TABLE older (
             application TEXT NOT NULL, native_identity TEXT NOT NULL, owner INTEGER NOT NULL,
             present INTEGER NOT NULL, fingerprint INTEGER NOT NULL,
             PRIMARY KEY (application, native_identity)
         ) STRICT, WITHOUT ROWID;
         INSERT INTO older SELECT application, native_identity, owner, present, 7 FROM account;
         DROP TABLE account;
         ALTER TABLE older RENAME TO account;
         DROP TABLE account_memory;
         DROP TABLE population;
         DROP TRIGGER population_of_deleted;
         DROP TRIGGER population_of_changed;
         PRAGMA user_version = 10;",
    )
    .expect("it can be made older");
    drop(raw);
    let store = open(&path);
    assert_eq!(marks(&store), before);
    assert_eq!(store.verify().expect("readable").problems, [""; 0]);
}

#[test]
fn a_snapshot_is_read_by_many_threads_while_others_write() {
    let folder = folder();
    let store = open(&folder.path().join("idr.db"));
    let uids = create(&store, ["ana", "bo", "cyd", "dee"]);
    let department = Name::new("department");
    let generation = |number: u32| {
        let writes = uids.map(|uid| {
            write(&store, uid, |identity| {
                set(identity, "department", &number.to_string());
            })
        });
        assert_eq!(store.apply(&chunk(writes)).expect("accepted"), []);
    };
    generation(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: [_; 2] = std::array::from_fn(|_| {
            scope.spawn(|| {
                let mut seen = 0;
                while !done.load(Ordering::Relaxed) || seen == 0 {
                    let snapshot = store.snapshot().expect("readable");
                    let read = || {
                        uids.map(|uid| snapshot.attribute_of(uid, department).expect("readable"))
                    };
                    let first = read();
                    assert!(first.iter().all(|value| *value == first[0]), "{first:?}");
                    std::thread::scope(|scope| {
                        let threads: [_; 3] = std::array::from_fn(|_| scope.spawn(read));
                        for thread in threads {
                            assert_eq!(thread.join().expect("it doesn't panic"), first);
                        }
                    });
                    let chunk = store.read_chunk(&uids).expect("readable");
                    let values: Vec<_> = chunk
                        .iter()
                        .map(|record| record.identity.value(department))
                        .collect();
                    assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
                    seen += 1;
                }
            })
        });
        (1..40).for_each(generation);
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().expect("it doesn't panic");
        }
    });
    assert_eq!(
        read(&store, uids[3]).identity.value(department),
        Some(&Value::text("39"))
    );
}

#[test]
fn a_second_writer_waits_and_then_is_told() {
    let folder = folder();
    let path = folder.path().join("idr.db");
    let patient = open(&path);
    let options = SqliteOptions {
        busy_timeout: Duration::from_millis(20),
        ..SqliteOptions::default()
    };
    let hasty = SqliteStore::open(&path, &options).expect("the store can be opened");
    create(&patient, ["ana"]);

    let holder = Connection::open(&path).expect("SQLite can open it");
    holder
        .execute_batch("BEGIN IMMEDIATE")
        .expect("nobody else writes");
    let batch = AggregateBatch {
        creations: vec![creation("bo", IdentityType::Person)],
        ..AggregateBatch::default()
    };
    let error = hasty.aggregate(&batch).expect_err("somebody else writes");
    assert!(
        matches!(error, StoreError::Busy(_)) && error.is_retryable(),
        "{error}"
    );
    assert!(matches!(hasty.snapshot().err(), Some(StoreError::Busy(_))));
    assert_eq!(
        hasty.named("ana").expect("reading doesn't wait"),
        Some(Uid(1))
    );

    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| patient.aggregate(&batch));
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished());
        holder.execute_batch("ROLLBACK").expect("it holds the lock");
        let created = waiting.join().expect("it doesn't panic").expect("accepted");
        assert_eq!(created, [Uid(2)]);
    });
    assert_eq!(hasty.named("bo").expect("readable"), Some(Uid(2)));
    assert_eq!(create(&hasty, ["cyd"]), [Uid(3)]);
}

#[test]
fn many_openers_make_one_store() {
    let folder = folder();
    let path = folder.path().join("idr.db");
    std::thread::scope(|scope| {
        let openers: [_; 4] = std::array::from_fn(|number| {
            let path = &path;
            scope.spawn(move || create(&open(path), [&*format!("person {number}")]))
        });
        for opener in openers {
            opener.join().expect("it doesn't panic");
        }
    });
    assert_eq!(
        open(&path)
            .list(&Superset::All, None, 9)
            .expect("readable")
            .len(),
        4
    );
}

#[test]
fn a_full_disk_loses_nothing_and_work_goes_on_when_there_is_room() {
    let folder = folder();
    let path = folder.path().join("idr.db");
    let full = SqliteOptions {
        max_page_count: Some(60),
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open(&path, &full).expect("the store can be made");
    let [ana] = create(&store, ["ana"]);
    let mut written = 0;
    let error = loop {
        let before = read(&store, ana);
        let long = format!("{written} {}", "x".repeat(3_000));
        let mut fill = chunk([write(&store, ana, |ana| {
            set(ana, &format!("a{written}"), &long);
        })]);
        fill.instant = Some(UnixMillis(written));
        match store.apply(&fill) {
            Ok(stale) => assert_eq!(stale, []),
            Err(error) => {
                assert_eq!(read(&store, ana), before);
                break error;
            }
        }
        written += 1;
    };
    assert!(matches!(error, StoreError::Full(_)), "{error:?}");
    assert!(error.hint().is_some());
    assert_eq!(
        store.tenant().expect("readable").last_as_of,
        Some(UnixMillis(written - 1))
    );
    drop(store);
    let store = open(&path);
    assert_eq!(
        store.verify().expect("checkable").problems,
        Vec::<String>::new()
    );
    assert_eq!(read(&store, ana).identity.attributes.len() as i64, written);
    change(&store, ana, |ana| set(ana, "b", "there is room"));
}

/// A store with something of everything.
fn furnished(path: &Path) -> SqliteStore {
    let store = open(path);
    store
        .set_tenant(&idr::store::TenantState {
            lookup_attributes: names(["department", "name"]),
            ..Default::default()
        })
        .expect("accepted");
    let [ana, bo] = create(&store, ["ana", "bo"]);
    write_accounts(
        &store,
        [
            account(key("hr", "1"), Some(ana)),
            account(key("hr", "2"), None),
        ],
    );
    change(&store, ana, |ana| {
        set(ana, "department", "Sales");
        ana.manager = Some(bo);
        ana.reads = vec![idr_core::model::ReadKey::Attribute(bo, Name::new("name"))];
        ana.wake.phases = Some(UnixMillis(5));
    });
    let run = begin(&store);
    store.select(&run, &Selection::All).expect("accepted");
    store
}

#[test]
fn a_backup_is_the_store_at_one_moment_while_it_is_written_to() {
    let folder = folder();
    let store = furnished(&folder.path().join("idr.db"));
    let department = Name::new("department");
    let done = AtomicBool::new(false);
    let uids = [Uid(1), Uid(2)];
    /// Ends the writing also when a check fails: else the test would never end.
    struct EndsWriting<'a>(&'a AtomicBool);
    impl Drop for EndsWriting<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let write_both = |number: u32| {
        let text = number.to_string();
        let writes = uids.map(|uid| write(&store, uid, |person| set(person, "department", &text)));
        store.apply(&chunk(writes)).expect("accepted");
    };
    write_both(0);
    std::thread::scope(|scope| {
        let _ends = EndsWriting(&done);
        scope.spawn(|| {
            for number in 1.. {
                write_both(number);
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for number in 0..5 {
            let file = folder.path().join(format!("backup-{number}.db"));
            let bytes = store.backup(&file).expect("a copy can be made");
            assert_eq!(bytes, fs::metadata(&file).expect("it is there").len());
            let copy = open(&file);
            assert_eq!(
                copy.verify().expect("checkable").problems,
                Vec::<String>::new()
            );
            let [ana, bo] = uids.map(|uid| read(&copy, uid).identity);
            assert_eq!(ana.value(department), bo.value(department));
        }
    });
    let taken = folder.path().join("backup-0.db");
    let before = fs::read(&taken).expect("it is there");
    assert!(matches!(store.backup(&taken), Err(BackupError::Exists(_))));
    assert_eq!(fs::read(&taken).expect("it is there"), before);
    let nowhere = store.backup(&folder.path().join("nowhere/backup.db"));
    assert!(matches!(nowhere, Err(BackupError::Write(_))));
    let left = fs::read_dir(folder.path()).expect("the folder is there");
    let left = left.filter_map(Result::ok).map(|entry| entry.file_name());
    assert!(
        !left
            .into_iter()
            .any(|name| name.to_string_lossy().starts_with(".idr"))
    );
}

#[test]
fn a_sound_store_has_no_problems() {
    let folder = folder();
    let found = furnished(&folder.path().join("idr.db"))
        .verify()
        .expect("checkable");
    assert_eq!(found.problems, Vec::<String>::new());
    assert_eq!((found.identities, found.accounts, found.runs), (2, 2, 1));
}

/// Damages a store and returns what the check says.
fn problems_after(damage: &str) -> String {
    let folder = folder();
    let path = folder.path().join("idr.db");
    let store = furnished(&path);
    let raw = Connection::open(&path).expect("SQLite can open it");
    raw.execute_batch(damage).expect("the damage can be done");
    let found = store.verify().expect("checkable");
    assert_eq!(found.problem_count, found.problems.len() as u64);
    found.problems.join("\n")
}

#[test]
fn damage_is_found_and_named() {
    insta::assert_snapshot!(problems_after(
        "UPDATE identity SET manager = NULL, wake_at = 6, retry_at = 7, inactive = 1 WHERE uid = 1;"
    ), @r"
    identity 1: column `inactive` isn't what the document says
    identity 1: column `manager` isn't what the document says
    identity 1: column `wake_at` isn't what the document says
    identity 1: column `retry_at` isn't what the document says
    ");
    insta::assert_snapshot!(problems_after(
        "UPDATE identity_document SET document = '{\"name\":' WHERE uid = 2;"
    ), @r"
    identity 2: EOF while parsing at line 1 column 8
    table identity_lookup: 1 rows that no identity calls for
    ");
    insta::assert_snapshot!(problems_after(
        "DELETE FROM identity_document WHERE uid = 2;
         INSERT INTO identity_document VALUES (7, '{}');"
    ), @r"
    identity 2: its document is gone
    table identity_lookup: 1 rows that no identity calls for
    table identity_document: 1 rows of no identity
    ");
    insta::assert_snapshot!(problems_after(
        "DELETE FROM identity_lookup WHERE attribute = 'department';
         INSERT INTO identity_lookup VALUES ('department', 'hr', 2), ('department', 'it', 2);
         UPDATE identity_read SET uid = 2;
         UPDATE population SET active = active + 1;"
    ), @r"
    identity 1: it isn't found by `department`
    identity 1: a read of others isn't noted
    table identity_lookup: 2 rows that no identity calls for
    table identity_read: 1 rows that no identity calls for
    table population: it doesn't say how many identities there are
    ");
    insta::assert_snapshot!(problems_after(
        "UPDATE account SET fingerprint = zeroblob(16), present = 0 WHERE native_identity = '1';
         DELETE FROM account_document WHERE native_identity = '2';
         INSERT INTO account_document VALUES (1, 'hr', '5', '{}');
         INSERT INTO account_lookup VALUES ('hr', '1', 'name', 'ana');
         UPDATE identity SET input_version = 0 WHERE uid = 1;"
    ), @r"
    identity 1: it was read before it was written
    account hr 1: column `present` isn't what the document says
    account hr 1: column `fingerprint` isn't what the document says
    account hr 2: its document is gone
    table account_document: 1 rows of no account
    table account_lookup: 1 rows of no account that waits
    ");
    insta::assert_snapshot!(problems_after(
        "UPDATE run SET status = 'done';
         UPDATE tenant SET document = '{\"configuration\":\"gone\"}';
         INSERT INTO event VALUES (1, 'x', 1, 1, 'joiner', 'what');"
    ), @r"
    tenant: configuration gone is gone
    table identity_lookup: 3 rows that no identity calls for
    run 1: its columns aren't what the document says
    event x: it begins with 'w', as no version of documents does
    ");
}

#[test]
fn large_staged_changes_are_read_a_few_at_a_time() {
    let folder = folder();
    let store = open(&folder.path().join("idr.db"));
    let id = store
        .begin_aggregation(&Aggregation::default())
        .expect("accepted");
    let large = |number: u32| {
        let mut account = account(key("hr", &number.to_string()), None);
        let value = Value::text("x".repeat(3_000_000));
        account.attributes = vec![(Name::new("photo"), value)];
        StagedChange::Listed(account)
    };
    let changes: Vec<StagedChange> = (1..=5).map(large).collect();
    store.stage(id, &changes).expect("accepted");
    let mut read = Vec::new();
    loop {
        let after = read.last().map_or(0, |(position, _)| *position);
        let some = store.staged(id, after, 9).expect("readable");
        if some.is_empty() {
            break;
        }
        assert!(some.len() <= 3, "{} at a time", some.len());
        read.extend(some);
    }
    assert_eq!(read, (1..).zip(changes).collect::<Vec<_>>());
}

#[test]
fn overwritten_pages_are_found() {
    let folder = folder();
    let path = folder.path().join("idr.db");
    let names: Vec<String> = (0..400).map(|number| format!("person {number}")).collect();
    let store = furnished(&path);
    let batch = AggregateBatch {
        creations: names
            .iter()
            .map(|name| creation(name, IdentityType::Person))
            .collect(),
        ..AggregateBatch::default()
    };
    store.aggregate(&batch).expect("accepted");
    drop(store);
    let length = fs::metadata(&path).expect("it is there").len();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .expect("it can be opened");
    for place in (16_384..length).step_by(8_192) {
        file.write_all_at(&[0xA5; 512], place)
            .expect("it can be written to");
    }
    // Either it can't even be opened, or the check says what is wrong.
    match SqliteStore::open(&path, &SqliteOptions::default()) {
        Err(error) => assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}"),
        Ok(store) => {
            let found = store.verify().expect("checkable");
            assert!(found.problem_count > 0);
            let error = store.read_chunk(&[Uid(1)]).expect_err("it can't be read");
            assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
        }
    }
}
