//! `role`: what people decide about the roles of an identity.

use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::definitions::RoleType;
use idr_core::model::{Name, RoleDecision, RoleVerdict, UnixMillis};
use idr_core::text::nearest;
use serde::Serialize;

use super::open::{command_for, instant_or_now, open, record_named};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::store::Store;
use crate::tenant::OpenTenant;

/// Assign a role by hand, deny one, or take back what was decided
///
/// Takes effect with the next refresh.
#[derive(Args, Debug)]
pub(super) struct RoleArgs {
    #[command(subcommand)]
    command: RoleCommand,
}

#[derive(Debug, Subcommand)]
enum RoleCommand {
    /// Assign a business role, whatever its selector says
    Assign(DecideArgs),
    /// Let no selector give the role (a negative assignment); whoever is
    /// assigned it by hand keeps it
    Deny(DecideArgs),
    /// Take back what was decided about a role: its selector decides again
    Revoke(RevokeArgs),
}

#[derive(Args, Debug)]
struct DecideArgs {
    /// The identity's name
    name: String,

    /// The role
    role: String,

    /// From this instant on, instead of at once
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,

    /// Until this instant, instead of for ever
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,

    #[command(flatten)]
    person: PersonArgs,
}

#[derive(Args, Debug)]
struct RevokeArgs {
    /// The identity's name
    name: String,

    /// The role
    role: String,

    #[command(flatten)]
    person: PersonArgs,
}

/// What was decided.
#[derive(Serialize)]
struct Decided {
    name: String,
    role: String,
    /// `assigned`, `denied` or `revoked`.
    verdict: &'static str,
    from: Option<String>,
    until: Option<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &RoleArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    let _lock = tenant.lock()?;
    let decided = match &args.command {
        RoleCommand::Assign(args) => decide(args, RoleVerdict::Assigned, &tenant)?,
        RoleCommand::Deny(args) => decide(args, RoleVerdict::Denied, &tenant)?,
        RoleCommand::Revoke(args) => revoke(args, &tenant)?,
    };
    if options.json {
        write_json(out, &decided)?;
    } else if !options.quiet {
        writeln!(
            out,
            "role `{}` of `{}` is {} from the next refresh on: {} refresh --identity {}",
            decided.role,
            decided.name,
            decided.verdict,
            command_for(options),
            decided.name
        )?;
    }
    Ok(Outcome::Done)
}

fn decide(
    args: &DecideArgs,
    verdict: RoleVerdict,
    tenant: &OpenTenant,
) -> Result<Decided, CommandError> {
    let role = business_role(&args.role, tenant)?;
    let at = tenant.now()?;
    let instant = |text: &Option<String>| -> Result<Option<UnixMillis>, CommandError> {
        let instant = text
            .as_deref()
            .map(|text| instant_or_now(tenant, Some(text)));
        instant.transpose()
    };
    let (from, until) = (instant(&args.from)?, instant(&args.until)?);
    if until.is_some_and(|until| until <= from.unwrap_or(at)) {
        let message = "`--until` is not after its beginning";
        return Err(CommandError::usage(message));
    }
    let identity = record_named(tenant, &args.name)?.identity;
    let mut by_hand = identity.by_hand;
    by_hand
        .roles
        .retain(|known| (known.role, known.verdict) != (role, verdict));
    by_hand.roles.push(RoleDecision {
        role,
        verdict,
        from,
        until,
        actor: args.person.actor(),
        reason: args.person.reason.clone(),
        at,
    });
    by_hand
        .roles
        .sort_by_key(|known| (known.role, known.verdict));
    let action = match verdict {
        RoleVerdict::Assigned => "assign-role",
        RoleVerdict::Denied => "deny-role",
    };
    let subject = format!("{} {role}", identity.name);
    let audit = args.person.audit(at, action, subject);
    tenant.store.edit_identity(identity.uid, &by_hand, &audit)?;
    Ok(Decided {
        name: identity.name,
        role: role.to_string(),
        verdict: verdict.as_str(),
        from: from.map(|from| from.to_string()),
        until: until.map(|until| until.to_string()),
    })
}

fn revoke(args: &RevokeArgs, tenant: &OpenTenant) -> Result<Decided, CommandError> {
    let identity = record_named(tenant, &args.name)?.identity;
    let mut by_hand = identity.by_hand;
    let before = by_hand.roles.len();
    by_hand
        .roles
        .retain(|known| known.role.as_str() != args.role);
    if by_hand.roles.len() == before {
        let message = format!(
            "nobody has decided anything about role `{}` of `{}`",
            args.role, args.name
        );
        return Err(CommandError::usage(message).with_hint(format!(
            "what a selector gives goes with `idr role deny {} '{}'`",
            args.name, args.role
        )));
    }
    let subject = format!("{} {}", identity.name, args.role);
    let audit = args.person.audit(tenant.now()?, "revoke-role", subject);
    tenant.store.edit_identity(identity.uid, &by_hand, &audit)?;
    Ok(Decided {
        name: identity.name,
        role: args.role.clone(),
        verdict: "revoked",
        from: None,
        until: None,
    })
}

fn business_role(name: &str, tenant: &OpenTenant) -> Result<Name, CommandError> {
    let roles = &tenant.configuration.model.roles;
    let business = || {
        roles
            .iter()
            .filter(|role| role.role_type == RoleType::Business)
    };
    if let Some(role) = business().find(|role| role.name.as_str() == name) {
        return Ok(role.name);
    }
    let hint = if roles.iter().any(|role| role.name.as_str() == name) {
        Some("IT roles are detected; assign a business role that requires it".to_owned())
    } else {
        let names = business().map(|role| role.name.as_str());
        nearest(name, names).map(|name| format!("do you mean `{name}`?"))
    };
    Err(CommandError::usage(format!("there is no business role `{name}`")).with_hint(hint))
}
