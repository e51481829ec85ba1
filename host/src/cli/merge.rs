//! `identity merge` and `identity split`: two identities that are one person, and
//! one that is two.

use std::io::Write;

use clap::Args;
use idr_core::definitions::Model;
use idr_core::model::{Account, ByHand, Claim, ManualEdit, RoleDecision};
use serde::Serialize;

use super::identity::{inactive_state, set_by_hand};
use super::open::{account_of, command_for, decidable, decidable_record, record_named};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::aggregate::{self, NewOwner};
use crate::report::counted;
use crate::store::{ClaimEdit, Creation, Store};
use crate::tenant::OpenTenant;

/// Give one identity the accounts of another who is the same person
///
/// What people have decided about the other's roles and about entitlements of its
/// accounts goes along, and its unique values do; edits of its attributes don't.
/// The other stays, without accounts, in the state of those who are gone. Takes
/// effect with the next refresh.
#[derive(Args, Debug)]
pub(super) struct MergeArgs {
    /// The identity that gives its accounts away
    name: String,

    /// The identity that gets them
    into: String,

    /// The lifecycle state of the one that gives; the inactive one, where there is one only
    #[arg(long, value_name = "STATE")]
    state: Option<String>,

    #[command(flatten)]
    person: PersonArgs,
}

/// Give some accounts of an identity to a new one: they are another person's
///
/// Unique values that the accounts have go along. Takes effect with the next
/// refresh.
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
    /// What was decided and isn't taken over.
    remarks: Vec<String>,
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
    let mut from = decidable_record(tenant, &args.name)?;
    from.hide_logical_accounts();
    let state = inactive_state(args.state.as_deref(), tenant)?;
    let at = tenant.now()?;
    let subject = format!("{} {}", args.name, args.into);
    let audit = || args.person.audit(at, "merge", subject.clone());
    // The accounts last, and then what was unique of the one: whoever is still
    // without them is not yet merged, and merging again does the rest.
    let mut gone = from.identity.by_hand;
    let edits = gone.edits.iter().map(|edit| left_behind(edit, &args.name));
    let edits: Vec<String> = edits.collect();
    let (by_hand, mut remarks) = joined(into.by_hand, std::mem::take(&mut gone.roles));
    remarks.extend(edits);
    tenant.store.edit_identity(into.uid, &by_hand, &audit())?;
    let present = from.identity.lifecycle_state;
    set_by_hand(&mut gone, present, (state, None), &args.person, at);
    tenant
        .store
        .edit_identity(from.identity.uid, &gone, &audit())?;
    let given = keys(&from.accounts);
    let owner = NewOwner::Known(into.uid);
    aggregate::give(&tenant.store, from.accounts, owner, audit())?;
    let claims = ClaimEdit::Give {
        from: from.identity.uid,
        to: into.uid,
        only: None,
    };
    tenant.store.edit_claims(&claims, &audit())?;
    report(&args.name, &args.into, given, remarks, options, out)
}

/// Returns what was decided about one identity with what was decided about the
/// roles of another, and what isn't taken over.
fn joined(mut by_hand: ByHand, more: Vec<RoleDecision>) -> (ByHand, Vec<String>) {
    let key = |known: &RoleDecision| (known.role, known.verdict, known.within);
    let mut remarks = Vec::new();
    for decision in more {
        if by_hand
            .roles
            .iter()
            .any(|known| key(known) == key(&decision))
        {
            remarks.push(format!(
                "role `{}` was {} for both: what was decided about the one that gets the accounts holds",
                decision.role,
                decision.verdict.as_str()
            ));
        } else {
            by_hand.roles.push(decision);
        }
    }
    by_hand.roles.sort_by_key(key);
    (by_hand, remarks)
}

/// Says that an edit isn't taken over.
fn left_behind(edit: &ManualEdit, name: &str) -> String {
    format!(
        "`{}` of `{name}` was edited by {} at {}: that isn't taken over",
        edit.attribute, edit.actor, edit.at
    )
}

/// Runs `identity split`.
pub(super) fn split(
    args: &SplitArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let _lock = tenant.lock()?;
    let mut from = record_named(tenant, &args.name)?;
    from.hide_logical_accounts();
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
        let account = account_of(&from, application, native_identity)?;
        if !moved.contains(account) {
            moved.push(account.clone());
        }
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
    let claims = claimed_by(&moved, &tenant.configuration.model);
    aggregate::give(&tenant.store, moved, owner, audit.clone())?;
    if let Some(to) = tenant.store.named(&args.new)? {
        let from = from.identity.uid;
        let only = Some(claims);
        let claims = ClaimEdit::Give { from, to, only };
        tenant.store.edit_claims(&claims, &audit)?;
    }
    report(&args.name, &args.new, given, Vec::new(), options, out)
}

/// Returns the unique values that accounts have: they go where the accounts go.
fn claimed_by(accounts: &[Account], model: &Model) -> Vec<Claim> {
    let namespaces = model.namespaces();
    let mut claims = Vec::new();
    for (_, value) in accounts.iter().flat_map(|account| &account.attributes) {
        value.each_text(|text| {
            claims.extend(namespaces.iter().map(|name| Claim::on(*name, text)));
        });
    }
    claims.sort();
    claims.dedup();
    claims
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
    remarks: Vec<String>,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let given = Given {
        from,
        to,
        accounts,
        remarks,
    };
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
        for remark in &given.remarks {
            writeln!(out, "{remark}")?;
        }
    }
    Ok(Outcome::Done)
}
