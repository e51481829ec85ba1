//! `account`: the accounts that were read, and whose they are.

use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::model::{Account, AccountKey, Link, Name};
use idr_core::view::Snapshot;
use serde::Serialize;

use super::aggregate::application;
use super::open::open;
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::aggregate;
use crate::report::{AccountReport, Table, name_of};
use crate::store::Store;
use crate::tenant::OpenTenant;

/// List accounts, and say by hand whose they are
#[derive(Args, Debug)]
pub(super) struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Debug, Subcommand)]
enum AccountCommand {
    List(ListArgs),
    Link(LinkArgs),
    Unlink(UnlinkArgs),
}

/// List accounts, in order of application and native identity
#[derive(Args, Debug)]
struct ListArgs {
    /// Only those in this application
    #[arg(long, value_name = "NAME")]
    application: Option<String>,

    /// Only those that match nobody
    #[arg(long, conflicts_with = "ambiguous")]
    uncorrelated: bool,

    /// Only those that match several identities
    #[arg(long)]
    ambiguous: bool,

    /// Only those that the last full aggregation didn't list
    #[arg(long)]
    missing: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Link an account to an identity
///
/// Correlation leaves it there from now on, whatever its values.
#[derive(Args, Debug)]
struct LinkArgs {
    /// The application
    application: String,

    /// What the application calls the account
    native_identity: String,

    /// The name of the identity
    identity: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// Take an account from its identity
///
/// It stays apart until somebody links it: correlation leaves it alone.
#[derive(Args, Debug)]
struct UnlinkArgs {
    /// The application
    application: String,

    /// What the application calls the account
    native_identity: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// An account, and whose it is.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    account: AccountReport,
    /// The name of its identity.
    identity: Option<String>,
}

impl Shown {
    fn of(account: &Account, snapshot: &dyn Snapshot) -> Result<Self, CommandError> {
        let identity = match account.owner {
            Some(owner) => Some(name_of(snapshot, owner)?),
            None => None,
        };
        Ok(Self {
            account: AccountReport::of(account),
            identity,
        })
    }
}

/// Runs the command.
pub(super) fn run(
    args: &AccountArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    match &args.command {
        AccountCommand::List(args) => list(&tenant, args, options, out),
        AccountCommand::Link(args) => {
            let _lock = tenant.lock()?;
            let key = key(&tenant, &args.application, &args.native_identity)?;
            let subject = format!(
                "{} {} to {}",
                key.application, key.native_identity, args.identity
            );
            let audit = args.person.audit(tenant.now()?, "link", subject);
            let account = aggregate::link(&tenant.store, &key, &args.identity, audit)?;
            changed(&tenant, &account, options, out)
        }
        AccountCommand::Unlink(args) => {
            let _lock = tenant.lock()?;
            let key = key(&tenant, &args.application, &args.native_identity)?;
            let subject = format!("{} {}", key.application, key.native_identity);
            let audit = args.person.audit(tenant.now()?, "unlink", subject);
            let account = aggregate::unlink(&tenant.store, &key, audit)?;
            changed(&tenant, &account, options, out)
        }
    }
}

fn key(tenant: &OpenTenant, name: &str, native_identity: &str) -> Result<AccountKey, CommandError> {
    Ok(AccountKey {
        application: application(tenant, name)?.name,
        native_identity: native_identity.to_owned(),
    })
}

fn changed(
    tenant: &OpenTenant,
    account: &Account,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let shown = Shown::of(account, tenant.store.snapshot()?.as_ref())?;
    if options.json {
        write_json(out, &shown)?;
    } else if !options.quiet {
        let AccountKey {
            application,
            native_identity,
        } = &account.key;
        match &shown.identity {
            Some(identity) => {
                writeln!(
                    out,
                    "{application} {native_identity} now belongs to {identity}"
                )?;
            }
            None => writeln!(out, "{application} {native_identity} now belongs to nobody")?,
        }
    }
    Ok(Outcome::Done)
}

fn list(
    tenant: &OpenTenant,
    args: &ListArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let wanted = match &args.application {
        Some(name) => Some(application(tenant, name)?.name),
        None => None,
    };
    let found = find(tenant, args, wanted)?;
    if options.json {
        write_json(out, &found)?;
        return Ok(Outcome::Done);
    }
    if found.is_empty() {
        writeln!(out, "no accounts")?;
        return Ok(Outcome::Done);
    }
    let headings = [
        "application",
        "account",
        "status",
        "identity",
        "link",
        "missing since",
    ];
    let mut table = Table::new(&headings);
    for shown in &found {
        let account = &shown.account;
        table.row([
            account.application,
            &account.native_identity,
            account.status,
            shown.identity.as_deref().unwrap_or("-"),
            account.link,
            account.missing_since.as_deref().unwrap_or(""),
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

fn find(
    tenant: &OpenTenant,
    args: &ListArgs,
    application: Option<Name>,
) -> Result<Vec<Shown>, CommandError> {
    let snapshot = tenant.store.snapshot()?;
    let limit = args.limit.unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut after: Option<AccountKey> = None;
    loop {
        let accounts = tenant
            .store
            .list_accounts(application, after.as_ref(), 1_000)?;
        let Some(last) = accounts.last() else { break };
        after = Some(last.key.clone());
        for account in &accounts {
            let wanted = (!args.uncorrelated || account.link == Link::Uncorrelated)
                && (!args.ambiguous || account.link == Link::Ambiguous)
                && (!args.missing || account.missing_since.is_some());
            if wanted && found.len() < limit {
                found.push(Shown::of(account, snapshot.as_ref())?);
            }
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}
