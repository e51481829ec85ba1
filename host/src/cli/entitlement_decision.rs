//! `entitlement accept` and `restore`: what a person decides about an
//! entitlement that an account gained or lost natively.

use std::io::Write;

use clap::Args;
use idr_core::definitions::Application;
use idr_core::model::{
    Account, EntitlementDecision, EntitlementVerdict, IdentityRecord, Name, NativeEntitlement,
};
use idr_core::text::nearest;
use serde::Serialize;

use super::aggregate::application;
use super::open::{command_for, decidable_record, open};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::store::Store;
use crate::tenant::OpenTenant;

#[derive(Args, Debug)]
pub(super) struct DecideArgs {
    /// The identity's name
    name: String,

    /// The application
    application: String,

    /// The account attribute that lists the entitlement
    attribute: String,

    /// The entitlement
    value: String,

    /// The account, by its native identity, if several have gained or lost it
    #[arg(long, value_name = "NATIVE-IDENTITY")]
    account: Option<String>,

    #[command(flatten)]
    person: PersonArgs,
}

/// What was decided.
#[derive(Serialize)]
struct Decided {
    name: String,
    application: &'static str,
    native_identity: String,
    attribute: &'static str,
    value: String,
    /// `gained` or `lost`.
    native_change: &'static str,
    /// `accepted` or `restored`.
    verdict: &'static str,
    /// What became of an earlier decision.
    remarks: Vec<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &DecideArgs,
    verdict: EntitlementVerdict,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    let _lock = tenant.lock()?;
    let decided = decide(args, verdict, &tenant)?;
    if options.json {
        write_json(out, &decided)?;
    } else if !options.quiet {
        writeln!(
            out,
            "`{}` of `{}`, {} natively on `{}`, is {}, once refreshed: {} refresh --identity {}",
            decided.value,
            decided.attribute,
            decided.native_change,
            decided.native_identity,
            decided.verdict,
            command_for(options),
            decided.name
        )?;
        for remark in &decided.remarks {
            writeln!(out, "{remark}")?;
        }
    }
    Ok(Outcome::Done)
}

fn decide(
    args: &DecideArgs,
    verdict: EntitlementVerdict,
    tenant: &OpenTenant,
) -> Result<Decided, CommandError> {
    let application = application(tenant, &args.application)?;
    let record = decidable_record(tenant, &args.name)?;
    let (account, about) = noted(args, application, &record)?;
    let at = tenant.now()?;
    let decision = EntitlementDecision {
        account: account.key.clone(),
        about: about.clone(),
        verdict,
        actor: args.person.actor(),
        reason: args.person.reason.clone(),
        at,
    };
    let mut by_hand = record.identity.by_hand.clone();
    let mut remarks = Vec::new();
    by_hand.entitlements.retain(|known| {
        let replaced = known.account == decision.account && known.about == decision.about;
        if replaced {
            let (verdict, actor) = (known.verdict.as_str(), &known.actor);
            remarks.push(format!(
                "this replaces: {verdict} by {actor} at {}",
                known.at
            ));
        }
        !replaced
    });
    by_hand.entitlements.push(decision);
    by_hand
        .entitlements
        .sort_by(|one, other| (&one.account, &one.about).cmp(&(&other.account, &other.about)));
    let action = match verdict {
        EntitlementVerdict::Accepted => "accept-entitlement",
        EntitlementVerdict::Restored => "restore-entitlement",
    };
    let native_identity = &account.key.native_identity;
    let mut subject = format!(
        "{} {} {native_identity} {}",
        record.identity.name, application.name, about.attribute
    );
    if !is_sensitive(application, about.attribute) {
        subject = format!("{subject} {}", about.value);
    }
    let audit = args.person.audit(at, action, subject);
    tenant
        .store
        .edit_identity(record.identity.uid, &by_hand, &audit)?;
    Ok(Decided {
        name: record.identity.name.clone(),
        application: application.name.as_str(),
        native_identity: native_identity.clone(),
        attribute: about.attribute.as_str(),
        value: shown(application, about.attribute, &about.value).to_owned(),
        native_change: about.change.as_str(),
        verdict: verdict.as_str(),
        remarks,
    })
}

fn is_sensitive(application: &Application, attribute: Name) -> bool {
    let definition = application.attribute(attribute);
    definition.is_some_and(|definition| definition.sensitive)
}

/// Returns a value as it may be printed.
fn shown<'v>(application: &Application, attribute: Name, value: &'v str) -> &'v str {
    match is_sensitive(application, attribute) {
        true => "(sensitive)",
        false => value,
    }
}

/// Returns the account that has gained or lost the entitlement, and its note.
fn noted<'r>(
    args: &DecideArgs,
    application: &Application,
    record: &'r IdentityRecord,
) -> Result<(&'r Account, &'r NativeEntitlement), CommandError> {
    let names = || application.entitlements().map(|name| name.as_str());
    let Some(attribute) = application
        .entitlements()
        .find(|name| name.as_str() == args.attribute)
    else {
        let message = format!(
            "`{}` is no entitlement of `{}`",
            args.attribute, application.name
        );
        let hint = nearest(&args.attribute, names()).map(|name| format!("do you mean `{name}`?"));
        return Err(CommandError::usage(message).with_hint(hint));
    };
    let value = shown(application, attribute, &args.value);
    let wanted = |account: &&Account| {
        let native_identity = &account.key.native_identity;
        account.key.application == application.name
            && args
                .account
                .as_ref()
                .is_none_or(|key| key == native_identity)
    };
    let accounts = record.accounts.iter().filter(wanted);
    let found: Vec<_> = accounts
        .filter_map(|account| Some((account, account.native_entitlement(attribute, &args.value)?)))
        .collect();
    match found.as_slice() {
        [found] => Ok(*found),
        [] => {
            let message = format!(
                "no account of `{}` in `{}` has gained or lost `{value}` of `{attribute}` natively",
                args.name, application.name
            );
            let hint = format!("idr identity show {} says what was", args.name);
            Err(CommandError::usage(message).with_hint(hint))
        }
        several => {
            let accounts = several
                .iter()
                .map(|(account, _)| &account.key.native_identity);
            let accounts: Vec<String> = accounts.map(|key| format!("`{key}`")).collect();
            let message = format!("several accounts have gained or lost `{value}`");
            let hint = format!("say which with --account: {}", accounts.join(", "));
            Err(CommandError::usage(message).with_hint(hint))
        }
    }
}
