//! `role`: what people decide about the roles of an identity.

use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::definitions::RoleType;
use idr_core::model::{Name, RoleDecision, RoleVerdict, UnixMillis};
use idr_core::text::nearest;
use serde::Serialize;

use super::open::{command_for, decidable, instant_or_now, open};
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
    /// What became of earlier decisions, and what this one doesn't do.
    remarks: Vec<String>,
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
        let window = |word: &str, at: &Option<String>| {
            at.as_ref()
                .map_or_else(String::new, |at| format!(" {word} {at}"))
        };
        writeln!(
            out,
            "role `{}` of `{}` is {}{}{}, once refreshed: {} refresh --identity {}",
            decided.role,
            decided.name,
            decided.verdict,
            window("from", &decided.from),
            window("until", &decided.until),
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
    match (from, until) {
        (_, Some(until)) if until <= at => {
            return Err(CommandError::usage("`--until` has passed already"));
        }
        (Some(from), Some(until)) if until <= from => {
            let message = format!("`--until` {until} is not after `--from` {from}");
            return Err(CommandError::usage(message));
        }
        _ => {}
    }
    let identity = decidable(tenant, &args.name)?;
    let mut by_hand = identity.by_hand;
    let mut remarks = Vec::new();
    by_hand.roles.retain(|known| {
        let replaced = (known.role, known.verdict) == (role, verdict);
        if replaced {
            remarks.push(format!("this replaces: {}", spoken(known)));
        }
        let stays = verdict == RoleVerdict::Denied && known.verdict == RoleVerdict::Assigned;
        if stays && known.role == role {
            remarks.push(format!(
                "it stays {}: `idr role revoke` ends that",
                spoken(known)
            ));
        }
        !replaced
    });
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
        remarks,
    })
}

/// Says what was decided earlier.
fn spoken(decision: &RoleDecision) -> String {
    format!(
        "{} by {} at {}",
        decision.verdict.as_str(),
        decision.actor,
        decision.at
    )
}

fn revoke(args: &RevokeArgs, tenant: &OpenTenant) -> Result<Decided, CommandError> {
    let identity = decidable(tenant, &args.name)?;
    let mut by_hand = identity.by_hand;
    let mut remarks = Vec::new();
    by_hand.roles.retain(|known| {
        let taken_back = known.role.as_str() == args.role;
        if taken_back {
            remarks.push(format!("it is no longer {}", spoken(known)));
        }
        !taken_back
    });
    if remarks.is_empty() {
        let message = format!(
            "nobody has decided anything about role `{}` of `{}`",
            args.role, args.name
        );
        let mut held = identity.assigned.iter();
        let held = held.any(|known| known.role.as_str() == args.role);
        let hint = held.then(|| "its selector gives it; see `idr role deny --help`".to_owned());
        return Err(CommandError::usage(message).with_hint(hint));
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
        remarks,
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
