//! Accounts, and writing what an aggregation has read.

use std::collections::BTreeMap;

use idr_core::model::{
    Account, AccountKey, Identity, IdentityType, Link, Name, ReadKey, Uid, UnixMillis,
};
use rayon::prelude::*;
use rusqlite::types::Value as SqlValue;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params, params_from_iter};

use super::apply::{Raiser, note_changed_keys, raise_readers, replace_lookups, write_document};
use super::error::{is_taken, undecodable};
use super::identities::{self, account, account_key, owner_column, owner_from, row_limit};
use super::{aggregations, records, tenant};
use crate::store::{
    AccountMark, AccountWrite, AggregateBatch, Creation, Fingerprint, RunStatus, StoreError,
    account_fingerprint, check_created_owner, codec, hand_over, lookup_keys,
};

/// Accounts are made of documents, and documents of accounts, by one thread so many
/// at a time.
const TOGETHER: usize = 128;

/// See `Store::account_marks`.
pub(super) fn marks(
    connection: &Connection,
    application: Name,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<AccountMark>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT native_identity, fingerprint, present, owner <> 0 FROM account
         WHERE application = ?1 AND native_identity > ?2 ORDER BY native_identity LIMIT ?3",
    )?;
    // No native identity is empty.
    let after = after.unwrap_or_default();
    let mut rows = statement.query(params![application.as_str(), after, row_limit(limit)])?;
    let mut marks = Vec::new();
    while let Some(row) = rows.next()? {
        marks.push(AccountMark {
            native_identity: row.get(0)?,
            fingerprint: Fingerprint(row.get(1)?),
            present: row.get(2)?,
            owned: row.get(3)?,
        });
    }
    Ok(marks)
}

/// Returns whose an account is.
const OWNER: &str = "SELECT owner FROM account WHERE application = ?1 AND native_identity = ?2";

/// Returns the stored account, and with it what stands in columns.
const BY_KEY: &str = "SELECT owner, application, native_identity, document
     FROM account JOIN account_document USING (owner, application, native_identity)";

/// Returns the documents of the accounts with these keys that exist, in the order of
/// `keys`: by the place of the key, and with the owner.
///
/// Each table is read in its own order, so that every page is looked at once, in
/// whatever order a feed lists accounts.
pub(super) fn documents(
    connection: &Connection,
    keys: &[AccountKey],
) -> Result<Vec<(usize, Option<Uid>, String)>, StoreError> {
    // Outside a transaction every key would take and leave the file's lock.
    let transaction = connection.unchecked_transaction()?;
    let mut by_key = transaction.prepare_cached(OWNER)?;
    let mut places: Vec<usize> = (0..keys.len()).collect();
    places.sort_by(|one, other| keys[*one].cmp(&keys[*other]));
    let mut owned: Vec<(i64, usize)> = Vec::with_capacity(keys.len());
    for place in places {
        let key = &keys[place];
        let mut rows = by_key.query([key.application.as_str(), &key.native_identity])?;
        if let Some(row) = rows.next()? {
            owned.push((row.get(0)?, place));
        }
    }
    owned.sort_by_key(|(owner, _)| *owner);
    let mut by_owner = transaction.prepare_cached(
        "SELECT document FROM account_document
         WHERE owner = ?1 AND application = ?2 AND native_identity = ?3",
    )?;
    let mut found = Vec::with_capacity(owned.len());
    for (owner, place) in owned {
        let key = &keys[place];
        let values = params![owner, key.application.as_str(), key.native_identity];
        let document = by_owner.query_row(values, |row| row.get(0)).optional()?;
        found.extend(document.map(|document| (place, owner_from(owner), document)));
    }
    found.sort_unstable_by_key(|(place, ..)| *place);
    Ok(found)
}

/// Makes accounts of documents, in parallel.
pub(super) fn decode(
    keys: &[AccountKey],
    documents: &[(usize, Option<Uid>, String)],
) -> Result<Vec<Account>, StoreError> {
    let decode = |(place, owner, document): &(usize, Option<Uid>, String)| {
        identities::decode_account(keys[*place].clone(), *owner, document.as_bytes())
    };
    let documents = documents.par_iter().with_min_len(TOGETHER);
    documents.map(decode).collect()
}

/// See `Store::list_accounts`.
pub(super) fn list(
    connection: &Connection,
    application: Option<Name>,
    after: Option<&AccountKey>,
    limit: usize,
) -> Result<Vec<Account>, StoreError> {
    let mut conditions = vec!["1"];
    let mut values = vec![SqlValue::Integer(row_limit(limit))];
    let text = |text: &str| SqlValue::Text(text.to_owned());
    if let Some(application) = application {
        values.push(text(application.as_str()));
        conditions.push("application = ?2");
    }
    if let Some(after) = after {
        values.push(text(after.application.as_str()));
        values.push(text(&after.native_identity));
        conditions.push(match application {
            Some(_) => "(application, native_identity) > (?3, ?4)",
            None => "(application, native_identity) > (?2, ?3)",
        });
    }
    let conditions = conditions.join(" AND ");
    let sql = format!("{BY_KEY} WHERE {conditions} ORDER BY application, native_identity LIMIT ?1");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(account(owner_from(row.get(0)?), row)?);
    }
    Ok(found)
}

/// See `Store::correlatable`.
pub(super) fn correlatable(connection: &Connection) -> Result<Vec<AccountKey>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT 0, application, native_identity FROM account_lookup AS looking
         WHERE EXISTS (
             SELECT 1 FROM identity_lookup AS known
             WHERE known.attribute = looking.attribute AND known.value = looking.value
         )
         ORDER BY application, native_identity",
    )?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(account_key(row)?);
    }
    Ok(keys)
}

/// What is to be stored of an account: its fingerprint and its document.
pub(super) type Encoded = (Fingerprint, String);

/// Makes what is to be stored of a batch's accounts, in parallel, while nothing is
/// being written yet.
pub(super) fn encode(batch: &AggregateBatch) -> Vec<Encoded> {
    let encode = |write: &AccountWrite| {
        let account = &write.account;
        (account_fingerprint(account), codec::encode(account))
    };
    let writes = batch.accounts.par_iter().with_min_len(TOGETHER);
    writes.map(encode).collect()
}

/// See `Store::aggregate`.
///
/// - `encoded`: the batch's accounts, see [`encode`].
pub(super) fn aggregate(
    connection: &Connection,
    batch: &AggregateBatch,
    encoded: &[Encoded],
) -> Result<Vec<Uid>, StoreError> {
    let modified_at = batch.modified_at();
    let created = create_identities(connection, &batch.creations, modified_at)?;
    let mut raised: BTreeMap<Uid, i64> = BTreeMap::new();
    let owners = batch.accounts.iter().map(|write| {
        check_created_owner(write, created.len())?;
        Ok(match write.created_owner {
            None => write.account.owner,
            Some(place) => Some(created[place]),
        })
    });
    let owners: Vec<Option<Uid>> = owners.collect::<Result<_, StoreError>>()?;
    let known = write_accounts(connection, &batch.accounts, encoded, &owners)?;
    // Whether anything may be kept of accounts that are nobody's, once that was asked.
    let mut has_memory: Option<bool> = None;
    for ((write, owner), before) in batch.accounts.iter().zip(owners).zip(known) {
        let before = before.and_then(owner_from);
        for uid in [before, owner.filter(|_| owner != before)]
            .into_iter()
            .flatten()
        {
            *raised.entry(uid).or_default() += 1;
        }
        if before == owner {
            continue;
        }
        let is_known = match (before, has_memory) {
            (Some(_), _) => true,
            (None, Some(known)) => known,
            (None, None) => memory_is_kept(connection)?,
        };
        has_memory = Some(is_known);
        if is_known {
            give_to(connection, &write.account.key, before, owner)?;
        }
    }
    for (uid, change) in &batch.native_changes {
        let Some(mut identity) = identities::identity(connection, *uid)? else {
            continue;
        };
        identity.native_changes.push(change.clone());
        write_document(connection, &identity)?;
        *raised.entry(*uid).or_default() += 1;
    }
    let mut raiser = Raiser::new(connection)?;
    for (uid, by) in raised {
        raiser.raise(uid, by, modified_at)?;
    }
    if let Some(aggregation) = &batch.aggregation {
        aggregations::update(connection, aggregation)?;
    }
    if let Some(entry) = &batch.audit {
        records::audit(connection, entry)?;
    }
    tenant::note_instant(connection, batch.instant)?;
    Ok(created)
}

/// Gives another owner what was decided about entitlements of an account, and what
/// idr remembers of it. While the account is nobody's, that is kept beside it.
fn give_to(
    connection: &Connection,
    account: &AccountKey,
    from: Option<Uid>,
    to: Option<Uid>,
) -> Result<(), StoreError> {
    let identity = |uid: Option<Uid>| match uid {
        Some(uid) => identities::identity(connection, uid),
        None => take_memory(connection, account).map(Some),
    };
    let (Some(mut giver), Some(mut taker)) = (identity(from)?, identity(to)?) else {
        return Ok(());
    };
    if !hand_over(account, &mut giver, &mut taker) {
        return Ok(());
    }
    if from.is_some() {
        write_document(connection, &giver)?;
    }
    match to {
        Some(_) => write_document(connection, &taker),
        None => keep_memory(connection, account, &taker),
    }
}

fn memory_is_kept(connection: &Connection) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM account_memory LIMIT 1")?;
    Ok(statement.exists([])?)
}

/// Takes what is kept of an account that was nobody's: an identity that has nothing
/// but that.
fn take_memory(connection: &Connection, account: &AccountKey) -> Result<Identity, StoreError> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM account_memory WHERE application = ?1 AND native_identity = ?2
         RETURNING document",
    )?;
    let key = [account.application.as_str(), &account.native_identity];
    let document: Option<String> = statement.query_row(key, |row| row.get(0)).optional()?;
    let identity = document.map(|document| {
        codec::decode(document.as_bytes())
            .map_err(|error| undecodable::<Identity>(&account.native_identity, &error))
    });
    Ok(identity.transpose()?.unwrap_or_default())
}

/// See `Store::account_memory`.
pub(super) fn account_memory(
    connection: &Connection,
) -> Result<Vec<(AccountKey, Identity)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT application, native_identity, document FROM account_memory
         ORDER BY application, native_identity",
    )?;
    let mut rows = statement.query([])?;
    let mut kept = Vec::new();
    while let Some(row) = rows.next()? {
        let (application, native_identity): (String, String) = (row.get(0)?, row.get(1)?);
        let document: String = row.get(2)?;
        let identity = codec::decode(document.as_bytes())
            .map_err(|error| undecodable::<Identity>(&native_identity, &error))?;
        let key = AccountKey {
            application: Name::new(&application),
            native_identity,
        };
        kept.push((key, identity));
    }
    Ok(kept)
}

fn keep_memory(
    connection: &Connection,
    account: &AccountKey,
    memory: &Identity,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO account_memory (application, native_identity, document) VALUES (?1, ?2, ?3)",
    )?;
    statement.execute(params![
        account.application.as_str(),
        account.native_identity,
        codec::encode(memory),
    ])?;
    Ok(())
}

fn create_identities(
    connection: &Connection,
    creations: &[Creation],
    modified_at: Option<UnixMillis>,
) -> Result<Vec<Uid>, StoreError> {
    if creations.is_empty() {
        return Ok(Vec::new());
    }
    let lookup_attributes = tenant::tenant(connection)?.lookup_attributes;
    let mut insert = connection.prepare_cached(
        "INSERT INTO identity (name, type, inactive, has_roles, input_version, identity_read,
             access_read, state_version, events_read, modified_at)
         VALUES (?1, ?2, 0, 0, 1, 0, 0, 0, 0, ?3)",
    )?;
    let mut insert_document = connection
        .prepare_cached("INSERT INTO identity_document (uid, document) VALUES (?1, ?2)")?;
    // Whom a run under way, or one that is held, has planned but not yet written
    // has looked for the names as well.
    let mut missed = Vec::new();
    let mut running = connection.prepare_cached("SELECT 1 FROM run WHERE status IN (?1, ?2)")?;
    let [under_way, held] = [RunStatus::Running, RunStatus::Held].map(RunStatus::as_str);
    let running = running.exists([under_way, held])?;
    let mut created = Vec::with_capacity(creations.len());
    for creation in creations {
        let mut identity = Identity {
            name: creation.name.clone(),
            identity_type: creation.identity_type,
            ..Identity::default()
        };
        identity.baseline.unseen = true;
        let identity_type = identity.identity_type.as_str();
        let modified_at = modified_at.map(|at| at.0);
        match insert.execute(params![identity.name, identity_type, modified_at]) {
            Err(error) if is_taken(&error) => {
                return Err(StoreError::name_taken(&identity.name));
            }
            result => result?,
        };
        identity.uid = Uid(connection.last_insert_rowid());
        insert_document.execute(params![identity.uid.0, codec::encode(&identity)])?;
        let keys = lookup_keys(&identity, &lookup_attributes);
        for (attribute, value) in &keys {
            let key = ReadKey::Lookup(*attribute, value.clone());
            raise_readers(connection, &key)?;
            if running {
                missed.push(key);
            }
        }
        replace_lookups(connection, identity.uid, &[], &keys)?;
        created.push(identity.uid);
    }
    note_changed_keys(connection, &missed)?;
    let is_counted = |creation: &&Creation| creation.identity_type != IdentityType::Workgroup;
    let counted = creations.iter().filter(is_counted).count();
    let mut count = connection.prepare_cached(
        "UPDATE population SET identities = identities + ?1, active = active + ?1",
    )?;
    count.execute([i64::try_from(counted).unwrap_or(i64::MAX)])?;
    Ok(created)
}

/// Writes accounts that now have these owners: each table in its own order, so that
/// every page is written once, in whatever order a feed lists accounts. Returns the
/// column of the owner that each had; none where there was no such account.
fn write_accounts(
    connection: &Connection,
    writes: &[AccountWrite],
    encoded: &[Encoded],
    owners: &[Option<Uid>],
) -> Result<Vec<Option<i64>>, StoreError> {
    let mut writer = AccountWriter::new(connection)?;
    let mut known = vec![None; writes.len()];
    let mut places: Vec<usize> = (0..writes.len()).collect();
    let key = |place: usize| &writes[place].account.key;
    places.sort_by(|one, other| key(*one).cmp(key(*other)));
    for &place in &places {
        let (fingerprint, _) = &encoded[place];
        known[place] = writer.write_row(&writes[place], *fingerprint, owners[place])?;
    }
    // Of an account that is written twice the last counts, whosever it is.
    if places.windows(2).all(|two| key(two[0]) != key(two[1])) {
        places.sort_by_key(|place| owners[*place]);
    }
    for place in places {
        let (_, document) = &encoded[place];
        writer.write_document(&writes[place], document, owners[place], known[place])?;
    }
    Ok(known)
}

/// The statements that write an account, prepared once per batch.
struct AccountWriter<'c> {
    connection: &'c Connection,
    keep_owner: CachedStatement<'c>,
    owner: CachedStatement<'c>,
    update: CachedStatement<'c>,
    update_document: CachedStatement<'c>,
    insert: CachedStatement<'c>,
    insert_document: CachedStatement<'c>,
    drop_document: CachedStatement<'c>,
}

impl<'c> AccountWriter<'c> {
    fn new(connection: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self {
            connection,
            keep_owner: connection.prepare_cached(
                "UPDATE account SET present = ?4, fingerprint = ?5
                 WHERE application = ?1 AND native_identity = ?2 AND owner = ?3",
            )?,
            owner: connection.prepare_cached(OWNER)?,
            update: connection.prepare_cached(
                "UPDATE account SET owner = ?3, present = ?4, fingerprint = ?5
                 WHERE application = ?1 AND native_identity = ?2",
            )?,
            update_document: connection.prepare_cached(
                "UPDATE account_document SET document = ?4
                 WHERE owner = ?1 AND application = ?2 AND native_identity = ?3",
            )?,
            insert: connection.prepare_cached(
                "INSERT INTO account (application, native_identity, owner, present, fingerprint)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?,
            insert_document: connection.prepare_cached(
                "INSERT INTO account_document (owner, application, native_identity, document)
                 VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO UPDATE SET document = ?4",
            )?,
            drop_document: connection.prepare_cached(
                "DELETE FROM account_document
                 WHERE owner = ?1 AND application = ?2 AND native_identity = ?3",
            )?,
        })
    }

    /// Writes what stands in columns; returns the column of the owner that the
    /// account had, if it was there.
    fn write_row(
        &mut self,
        write: &AccountWrite,
        fingerprint: Fingerprint,
        owner: Option<Uid>,
    ) -> Result<Option<i64>, StoreError> {
        let key = &write.account.key;
        let (application, native_identity) = (key.application.as_str(), &key.native_identity);
        let columns = params![
            application,
            native_identity,
            owner_column(owner),
            write.account.missing_since.is_none(),
            fingerprint.0,
        ];
        // Most keep their owner; whoever is created now has had none.
        if write.created_owner.is_none() && self.keep_owner.execute(columns)? > 0 {
            return Ok(Some(owner_column(owner)));
        }
        let known = self
            .owner
            .query_row([application, native_identity], |row| row.get(0))
            .optional()?;
        let rest = match known {
            Some(_) => &mut self.update,
            None => &mut self.insert,
        };
        rest.execute(columns)?;
        Ok(known)
    }

    /// Writes the document under its owner, and what the account looks for.
    ///
    /// - `known`: what [`AccountWriter::write_row`] has returned.
    fn write_document(
        &mut self,
        write: &AccountWrite,
        document: &str,
        owner: Option<Uid>,
        known: Option<i64>,
    ) -> Result<(), StoreError> {
        let account = &write.account;
        let application = account.key.application.as_str();
        let native_identity = &account.key.native_identity;
        let is_in_place = known == Some(owner_column(owner));
        if let Some(known) = known.filter(|_| !is_in_place) {
            let place = params![known, application, native_identity];
            self.drop_document.execute(place)?;
        }
        let values = params![owner_column(owner), application, native_identity, document];
        if !is_in_place || self.update_document.execute(values)? == 0 {
            self.insert_document.execute(values)?;
        }
        if known.is_some_and(|known| owner_from(known).is_none()) {
            self.drop_lookups(&account.key)?;
        }
        if owner.is_none() && account.link != Link::Manual {
            self.note_lookups(&account.key, &write.lookups)?;
        }
        Ok(())
    }

    fn drop_lookups(&self, key: &AccountKey) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "DELETE FROM account_lookup WHERE application = ?1 AND native_identity = ?2",
        )?;
        statement.execute([key.application.as_str(), &key.native_identity])?;
        Ok(())
    }

    /// Notes what the account looks for. Only look-ups by value are met by an
    /// identity that gets the value.
    fn note_lookups(&self, key: &AccountKey, lookups: &[ReadKey]) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT OR IGNORE INTO account_lookup (application, native_identity, attribute, value)
             VALUES (?1, ?2, ?3, ?4)",
        )?;
        for lookup in lookups {
            if let ReadKey::Lookup(attribute, value) = lookup {
                let application = key.application.as_str();
                let native_identity = key.native_identity.as_str();
                statement.execute([application, native_identity, attribute.as_str(), value])?;
            }
        }
        Ok(())
    }
}
