//! Removing identities that nobody needs any more.

use idr_core::model::{Uid, UnixMillis};
use rusqlite::{Connection, params};

use super::apply::{raise_reader_hash, read_hashes, replace_lookups, replace_reads};
use super::{identities, records, tenant};
use crate::store::{Prune, StoreError, keys_of, lookup_keys};

/// See `Store::prune`.
pub(super) fn prune(
    connection: &Connection,
    prunes: &[Prune],
    at: UnixMillis,
) -> Result<u64, StoreError> {
    let lookup_attributes = tenant::tenant(connection)?.lookup_attributes;
    let mut delete = connection.prepare_cached(
        "DELETE FROM identity WHERE uid = ?1 AND input_version = ?2 AND state_version = ?3",
    )?;
    let mut pruned = 0;
    for prune in prunes {
        let (uid, expected) = (prune.uid, &prune.expected);
        let Some(mut identity) = identities::identity(connection, uid)? else {
            continue;
        };
        identity.uid = uid;
        if delete.execute([uid.0, expected.input, expected.state])? == 0 {
            continue;
        }
        replace_reads(connection, uid, &read_hashes(&identity), &[])?;
        let looked_up = lookup_keys(&identity, &lookup_attributes);
        replace_lookups(connection, uid, &looked_up, &[])?;
        remove_rest(connection, uid)?;
        records::set_findings(connection, records::About::Identity(uid), &[], at)?;
        for key in keys_of(&identity) {
            raise_reader_hash(connection, key)?;
        }
        records::audit(connection, &prune.audit)?;
        pruned += 1;
    }
    Ok(pruned)
}

/// Removes what lies under the identity's number.
fn remove_rest(connection: &Connection, uid: Uid) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM account_lookup WHERE (application, native_identity) IN (
             SELECT application, native_identity FROM account_document WHERE owner = ?1)",
        "DELETE FROM account WHERE (application, native_identity) IN (
             SELECT application, native_identity FROM account_document WHERE owner = ?1)",
        "DELETE FROM account_document WHERE owner = ?1",
        // Nobody else is given what was theirs.
        "UPDATE claim SET uid = 0 WHERE uid = ?1",
        "DELETE FROM identity_history WHERE uid = ?1",
        "DELETE FROM last_refresh WHERE uid = ?1",
        "DELETE FROM identity_document WHERE uid = ?1",
    ] {
        connection.prepare_cached(sql)?.execute(params![uid.0])?;
    }
    Ok(())
}
