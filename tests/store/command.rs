//! `idr store`: backups and the check, as people meet them.

use idr::store::sqlite::{SqliteOptions, SqliteStore};
use rusqlite::Connection;

use super::common::TestHost;
use super::samples::create;

fn tenant() -> TestHost {
    let host = TestHost::with_files(
        r#"
        //- idr.toml
        version = 1
        name = "acme"
        "#,
    );
    let path = host.path("state/idr.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default()).expect("a store can be made");
    create(&store, ["ana", "bo"]);
    host
}

#[test]
fn a_backup_is_made_once_and_can_be_checked() {
    let host = tenant();
    let made = host.json(["store", "backup", "copy.db"]);
    assert_eq!(made["file"], "copy.db");
    assert!(made["bytes"].as_u64() > Some(0));
    insta::assert_snapshot!(host.run(["store", "backup", "copy.db"]), @r"
    error: there is a file `copy.db` already
    hint: give a file that isn't there yet
    [exit 2]
    ");
    insta::assert_snapshot!(host.run(["store", "verify", "--store", "copy.db"]), @r"
    checked 2 identities, 0 accounts, 0 events, 0 findings, 0 runs, 0 aggregations
    [exit 0]
    ");
    insta::assert_snapshot!(host.run(["store", "verify", "--quiet"]), @"[exit 0]");
}

#[test]
fn what_is_wrong_is_listed_and_the_command_fails() {
    let host = tenant();
    let raw = Connection::open(host.path("state/idr.db")).expect("SQLite can open it");
    raw.execute_batch("UPDATE identity SET name = 'eve' WHERE uid = 1")
        .expect("the damage can be done");
    insta::assert_snapshot!(host.run(["store", "verify"]), @r"
    identity 1: column `name` isn't what the document says
    checked 2 identities, 0 accounts, 0 events, 0 findings, 0 runs, 0 aggregations
    error: the store is not in order
    hint: restore a backup, and let the feeds be aggregated again
    [exit 3]
    ");
}

#[test]
fn a_store_that_is_not_there_is_not_made() {
    let host = TestHost::new();
    insta::assert_snapshot!(host.run(["store", "verify", "--store", "none.db"]), @r"
    error: there is no store at `none.db`
    hint: `idr aggregate` makes it; or give the tenant's folder with `--tenant DIR`
    [exit 3]
    ");
    assert!(!host.path("none.db").exists());
}
