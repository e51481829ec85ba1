//! `identity merge` and `identity split`: two identities that are one person, and
//! one that is two.

use std::io::Write;

use clap::Args;
use idr_core::model::{Account, ByHand, Name, StateOverride};
use serde::Serialize;

use super::identity::only_inactive_state;
use super::open::{command_for, decidable, record_named};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::aggregate::{self, NewOwner};
use crate::report::counted;
use crate::store::{Creation, Store};
use crate::tenant::OpenTenant;

/// Give one identity the accounts of another who is the same person
///
/// What people have decided about the other's roles goes along. The other stays,
/// without accounts, in the state of those who are gone. Takes effect with the
/// next refresh.
#[derive(Args, Debug)]
pub(super) struct MergeArgs {
    /// The identity that gives its accounts away
    name: String,

    /// The identity that gets them
    into: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// Give some accounts of an identity to a new one: they are another person's
///
/// Takes effect with the next refresh.
#[derive(Args, Debug)]
pub(super) struct SplitArgs {
    /// The identity that has the accounts
    name: String,

    /// The name of the new identity
    new: String,

    /// An account that goes to the new one
    #[arg(
        long = "account",
        required = true,
        num_args = 2,
        value_names = ["APPLICATION", "NATIVE-IDENTITY"]
    )]
    accounts: Vec<String>,

    #[command(flatten)]
    person: PersonArgs,
}

/// What was given to whom.
#[derive(Serialize)]
struct Given<'a> {
    from: &'a str,
    to: &'a str,
    /// The accounts: application and native identity.
    accounts: Vec<[String; 2]>,
}

/// Runs `identity merge`.
pub(super) fn merge(
    args: &MergeArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let _lock = tenant.lock()?;
    if args.name == args.into {
        return Err(CommandError::usage(
            "an identity can't be merged into itself",
        ));
    }
    let into = decidable(tenant, &args.into)?;
    let from = record_named(tenant, &args.name)?;
    let state = only_inactive_state(tenant)?;
    let at = tenant.now()?;
    let audit = |subject: String| args.person.audit(at, "merge", subject);
    let subject = format!("{} {}", args.name, args.into);
    let accounts = from.accounts;
    let given = keys(&accounts);
    let owner = NewOwner::Known(into.uid);
    aggregate::give(&tenant.store, accounts, owner, audit(subject.clone()))?;
    let mut by_hand = into.by_hand;
    for decision in from.identity.by_hand.roles {
        let key = |known: &idr_core::model::RoleDecision| (known.role, known.verdict, known.within);
        if !by_hand
            .roles
            .iter()
            .any(|known| key(known) == key(&decision))
        {
            by_hand.roles.push(decision);
        }
    }
    by_hand
        .roles
        .sort_by_key(|known| (known.role, known.verdict, known.within));
    tenant
        .store
        .edit_identity(into.uid, &by_hand, &audit(subject.clone()))?;
    let gone = ByHand {
        state: Some(StateOverride {
            state,
            until: None,
            before: from.identity.lifecycle_state,
            actor: args.person.actor(),
            reason: args.person.reason.clone(),
            at,
        }),
        ..ByHand::default()
    };
    tenant
        .store
        .edit_identity(from.identity.uid, &gone, &audit(subject))?;
    report(&args.name, &args.into, given, options, out)
}

/// Runs `identity split`.
pub(super) fn split(
    args: &SplitArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let _lock = tenant.lock()?;
    let from = record_named(tenant, &args.name)?;
    if args.new.trim().is_empty() {
        return Err(CommandError::usage("the new identity needs a name"));
    }
    if tenant.store.named(&args.new)?.is_some() {
        let message = format!("there is an identity `{}` already", args.new);
        let hint = format!("idr account link gives `{}` single accounts", args.new);
        return Err(CommandError::usage(message).with_hint(hint));
    }
    let mut moved = Vec::new();
    for wanted in args.accounts.chunks_exact(2) {
        let [application, native_identity] = wanted else {
            continue;
        };
        let is_it = |account: &&Account| {
            let key = &account.key;
            key.application == Name::new(application) && key.native_identity == *native_identity
        };
        let Some(account) = from.accounts.iter().find(is_it) else {
            let name = &args.name;
            let message = format!("`{name}` has no account `{native_identity}` in `{application}`");
            let hint = format!("idr identity show {name} lists them");
            return Err(CommandError::usage(message).with_hint(hint));
        };
        moved.push(account.clone());
    }
    if moved.len() == from.accounts.len() {
        let message = format!("these are all accounts of `{}`", args.name);
        return Err(CommandError::usage(message).with_hint("leave it at least one".to_owned()));
    }
    let given = keys(&moved);
    let owner = NewOwner::Created(Creation {
        name: args.new.clone(),
        identity_type: from.identity.identity_type,
    });
    let subject = format!("{} {}", args.name, args.new);
    let audit = args.person.audit(tenant.now()?, "split", subject);
    aggregate::give(&tenant.store, moved, owner, audit)?;
    report(&args.name, &args.new, given, options, out)
}

fn keys(accounts: &[Account]) -> Vec<[String; 2]> {
    let keys = accounts.iter().map(|account| &account.key);
    keys.map(|key| [key.application.to_string(), key.native_identity.clone()])
        .collect()
}

fn report(
    from: &str,
    to: &str,
    accounts: Vec<[String; 2]>,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let given = Given { from, to, accounts };
    if options.json {
        write_json(out, &given)?;
    } else if !options.quiet {
        let number = counted(given.accounts.len() as u64, "account", "accounts");
        let command = command_for(options);
        writeln!(
            out,
            "`{to}` has {number} of `{from}`, from the next refresh on: {command} refresh"
        )?;
        for [application, native_identity] in &given.accounts {
            writeln!(out, "  {application} {native_identity}")?;
        }
    }
    Ok(Outcome::Done)
}
