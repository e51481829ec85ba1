//! The tenant as a whole, and the configurations that it has adopted.

use idr_core::model::{Identity, Name, Uid, UnixMillis};
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::apply::{Raiser, replace_lookups};
use super::claims;
use super::error::undecodable;
use super::identities::decode_identity;
use crate::store::{Adoption, Files, Raise, StoreError, TenantState, codec, lookup_keys};

/// See `Store::tenant`.
pub(super) fn tenant(connection: &Connection) -> Result<TenantState, StoreError> {
    let mut statement = connection.prepare_cached("SELECT last_as_of, document FROM tenant")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else {
        return Err(StoreError::Corrupt {
            what: "tenant".to_owned(),
            message: "its row is gone".to_owned(),
        });
    };
    let state: TenantState = codec::decode(row.get_ref(1)?.as_bytes()?)
        .map_err(|error| undecodable::<TenantState>("", &error))?;
    Ok(TenantState {
        last_as_of: row.get::<_, Option<i64>>(0)?.map(UnixMillis),
        ..state
    })
}

/// See `Store::set_tenant`.
pub(super) fn set_tenant(connection: &Connection, state: &TenantState) -> Result<(), StoreError> {
    let before = tenant(connection)?.lookup_attributes;
    let document = codec::encode(&TenantState {
        last_as_of: None,
        ..state.clone()
    });
    connection.execute(
        "UPDATE tenant SET last_as_of = ?1, document = ?2",
        params![state.last_as_of.map(|instant| instant.0), document],
    )?;
    if before != state.lookup_attributes {
        rebuild_lookups(connection, &state.lookup_attributes)?;
    }
    Ok(())
}

/// Makes an instant the tenant's last if it is later.
pub(super) fn note_instant(
    connection: &Connection,
    instant: Option<UnixMillis>,
) -> Result<(), StoreError> {
    let Some(UnixMillis(instant)) = instant else {
        return Ok(());
    };
    let mut statement = connection.prepare_cached(
        "UPDATE tenant SET last_as_of = ?1 WHERE last_as_of IS NULL OR last_as_of < ?1",
    )?;
    statement.execute([instant])?;
    Ok(())
}

/// See `Store::adopt`.
pub(super) fn adopt(connection: &Connection, adoption: &Adoption) -> Result<(), StoreError> {
    store_files(connection, &adoption.configuration, &adoption.files)?;
    let state = TenantState {
        configuration: Some(adoption.configuration.clone()),
        definitions: adoption.definitions.clone(),
        lookup_attributes: adoption.lookup_attributes.clone(),
        ..tenant(connection)?
    };
    set_tenant(connection, &state)?;
    for (claim, uid) in &adoption.claims {
        claims::insert(connection, claim, uid.0)?;
    }
    match &adoption.raise {
        Raise::Nobody => {}
        Raise::Everybody => {
            connection.execute("UPDATE identity SET input_version = input_version + 1", [])?;
        }
        Raise::Identities(uids) => {
            let mut raiser = Raiser::new(connection)?;
            for uid in uids {
                raiser.raise(*uid, 1, None)?;
            }
        }
    }
    Ok(())
}

fn store_files(
    connection: &Connection,
    configuration: &str,
    files: &Files,
) -> Result<(), StoreError> {
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO configuration (digest) VALUES (?1)")?;
    if insert.execute([configuration])? == 0 {
        return Ok(());
    }
    for (path, bytes) in files {
        let digest = Sha256::digest(bytes);
        connection.execute(
            "INSERT OR IGNORE INTO content (digest, bytes) VALUES (?1, ?2)",
            params![digest.as_slice(), bytes],
        )?;
        connection.execute(
            "INSERT INTO configuration_file (configuration, path, content) VALUES (?1, ?2, ?3)",
            params![configuration, path, digest.as_slice()],
        )?;
    }
    Ok(())
}

/// See `Store::configuration`.
pub(super) fn configuration(
    connection: &Connection,
    digest: &str,
) -> Result<Option<Files>, StoreError> {
    let mut known = connection.prepare_cached("SELECT 1 FROM configuration WHERE digest = ?1")?;
    if !known.exists([digest])? {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT path, bytes
         FROM configuration_file JOIN content ON content.digest = configuration_file.content
         WHERE configuration = ?1",
    )?;
    let rows = statement.query_map([digest], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(rows.collect::<Result<_, _>>()?))
}

/// Builds the look-up index anew, for everybody.
fn rebuild_lookups(connection: &Connection, attributes: &[Name]) -> Result<(), StoreError> {
    connection.execute("DELETE FROM identity_lookup", [])?;
    if attributes.is_empty() {
        return Ok(());
    }
    let mut statement =
        connection.prepare_cached("SELECT uid, document FROM identity_document ORDER BY uid")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let uid = Uid(row.get(0)?);
        let identity: Identity = decode_identity(uid, row.get_ref(1)?.as_bytes()?)?;
        replace_lookups(connection, uid, &[], &lookup_keys(&identity, attributes))?;
    }
    Ok(())
}
