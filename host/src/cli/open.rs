//! What commands that work on a tenant have in common.

use std::io;
use std::path::Path;

use super::{CommandError, GlobalOptions};
use crate::tenant::{Absent, OpenTenant};
use idr_core::model::{
    Account, Identity, IdentityRecord, IdentityType, Name, Uid, UnixMillis, Value,
};
use idr_core::time::Zone;

use crate::config::{parse_date, parse_instant};

use crate::store::Store;

/// Opens the tenant for reading: its store must be there.
pub(super) fn open(options: &GlobalOptions) -> Result<OpenTenant, CommandError> {
    Ok(OpenTenant::open(&options.tenant, Absent::Refuse)?)
}

/// Opens the tenant for writing: its store is made when it isn't there.
pub(super) fn open_or_create(options: &GlobalOptions) -> Result<OpenTenant, CommandError> {
    Ok(OpenTenant::open(&options.tenant, Absent::Create)?)
}

/// Returns how the program is called for this tenant, for hints.
pub(super) fn command_for(options: &GlobalOptions) -> String {
    if options.tenant.as_os_str() == "." {
        return "idr".to_owned();
    }
    format!("idr --tenant {}", options.tenant.display())
}

/// Returns the instant that `--as-of` names, or else now.
pub(super) fn instant_or_now(
    tenant: &OpenTenant,
    as_of: Option<&str>,
) -> Result<UnixMillis, CommandError> {
    match as_of {
        Some(text) => instant(text, tenant),
        None => Ok(tenant.now()?),
    }
}

/// Reads an instant.
pub(super) fn instant(text: &str, tenant: &OpenTenant) -> Result<UnixMillis, CommandError> {
    tenant.instant(text).map_err(|error| {
        let hint = error.hint();
        CommandError::usage(error).with_hint(hint)
    })
}

/// Returns when something that is decided about an identity begins. What has no
/// offset is in the identity's zone.
pub(super) fn begins(
    text: &str,
    identity: &Identity,
    tenant: &OpenTenant,
) -> Result<UnixMillis, CommandError> {
    match parse_instant(text, &zone_of(identity, tenant)) {
        Some(instant) => Ok(instant),
        // It says what is wrong with it.
        None => instant(text, tenant),
    }
}

/// Returns when something that is decided about an identity ends. A date is the
/// last day on which it holds: until the tenant's end of the day, in the
/// identity's zone.
pub(super) fn ends(
    text: &str,
    identity: &Identity,
    tenant: &OpenTenant,
) -> Result<UnixMillis, CommandError> {
    match parse_date(text) {
        Some(day) => {
            let end_of_day = tenant.configuration.model.end_of_day;
            Ok(zone_of(identity, tenant).day_over_at(day, end_of_day))
        }
        None => begins(text, identity, tenant),
    }
}

fn zone_of(identity: &Identity, tenant: &OpenTenant) -> Zone {
    let own = identity.value(Name::new("zone"));
    let own = own.and_then(Value::as_text).and_then(Zone::named);
    own.unwrap_or_else(|| tenant.configuration.model.zone.clone())
}

/// Returns the identity with this name.
pub(super) fn identity_named(tenant: &OpenTenant, name: &str) -> Result<Uid, CommandError> {
    tenant.store.named(name)?.ok_or_else(|| {
        CommandError::usage(format!("there is no identity `{name}`"))
            .with_hint("see `idr identity list`".to_owned())
    })
}

/// Returns the identity with this name, with its accounts.
pub(super) fn record_named(
    tenant: &OpenTenant,
    name: &str,
) -> Result<IdentityRecord, CommandError> {
    let uid: Uid = identity_named(tenant, name)?;
    let record = tenant.store.read_chunk(&[uid])?.pop();
    record.ok_or_else(|| CommandError::failed(format!("identity `{name}` is gone")))
}

/// Returns the identity with this name, about which people may decide something.
pub(super) fn decidable(tenant: &OpenTenant, name: &str) -> Result<Identity, CommandError> {
    Ok(decidable_record(tenant, name)?.identity)
}

/// Returns the same with its accounts.
pub(super) fn decidable_record(
    tenant: &OpenTenant,
    name: &str,
) -> Result<IdentityRecord, CommandError> {
    let record = record_named(tenant, name)?;
    if record.identity.identity_type == IdentityType::Workgroup {
        let message = format!("`{name}` is a workgroup, which is never refreshed");
        return Err(CommandError::usage(message));
    }
    Ok(record)
}

/// Returns one of an identity's accounts.
pub(super) fn account_of<'r>(
    record: &'r IdentityRecord,
    application: &str,
    native_identity: &str,
) -> Result<&'r Account, CommandError> {
    let is_it = |account: &&Account| {
        let key = &account.key;
        key.application.as_str() == application && key.native_identity == native_identity
    };
    record.accounts.iter().find(is_it).ok_or_else(|| {
        let name = &record.identity.name;
        let message = format!("`{name}` has no account `{native_identity}` in `{application}`");
        CommandError::usage(message).with_hint(format!("idr identity show {name} lists them"))
    })
}

/// Reads a list: the lines of a file or of standard input (`-`) that aren't
/// blank, with their numbers.
pub(super) fn lines_of(file: &Path) -> Result<Vec<(usize, String)>, CommandError> {
    let text = match file.as_os_str() == "-" {
        true => io::read_to_string(io::stdin()),
        false => std::fs::read_to_string(file),
    };
    let text = text.map_err(|error| {
        CommandError::usage(format!(
            "the list `{}` can't be read: {error}",
            file.display()
        ))
    })?;
    // Some editors begin a text with a mark that isn't part of it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = (1..).zip(text.lines().map(str::trim));
    let lines = lines.filter(|(_, line)| !line.is_empty());
    Ok(lines
        .map(|(number, line)| (number, line.to_owned()))
        .collect())
}
