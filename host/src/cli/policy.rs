//! `policy`: what policies there are, who violates them, and what is decided
//! about it.

use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::definitions::Policy;
use idr_core::model::{Identity, Name, PolicyDecision, PolicyVerdict, Violation};
use idr_core::text::nearest;
use serde::Serialize;

use super::open::{command_for, decidable, ends, open};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{Table, ViolationReport};
use crate::store::{Store, StoreError, each_identity};
use crate::tenant::OpenTenant;

/// Show policies and who violates them, and decide about violations
#[derive(Args, Debug)]
pub(super) struct PolicyArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// List the policies that are in use, with how many violate them
    List,
    /// List violations, by identity
    Violations(ViolationsArgs),
    /// Allow somebody to violate a policy until a moment (a mitigation): nothing is
    /// held because of it, and the violation stays to be seen
    Allow(AllowArgs),
    /// Don't allow it: what a policy holds stays out, and its owner isn't asked again
    Deny(DecideArgs),
    /// Take back what was decided: the owner is asked again
    Revoke(DecideArgs),
}

#[derive(Args, Debug)]
struct ViolationsArgs {
    /// Only of this policy
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,

    /// Only of this identity
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// Only those that stand so: open, mitigated, expired, denied or over
    #[arg(long, value_name = "STATUS", value_parser = ["open", "mitigated", "expired", "denied", "over"])]
    status: Option<String>,
}

#[derive(Args, Debug)]
struct DecideArgs {
    /// The identity's name
    name: String,

    /// The policy
    #[arg(long, value_name = "POLICY")]
    policy: String,

    #[command(flatten)]
    person: PersonArgs,
}

#[derive(Args, Debug)]
struct AllowArgs {
    #[command(flatten)]
    decide: DecideArgs,

    /// Until this instant, or this last day
    #[arg(long, value_name = "INSTANT")]
    until: String,
}

/// What was decided.
#[derive(Serialize)]
struct Decided {
    name: String,
    policy: String,
    /// `allowed`, `denied` or `revoked`.
    verdict: &'static str,
    until: Option<String>,
    /// What became of an earlier decision.
    remarks: Vec<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &PolicyArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    let decided = match &args.command {
        PolicyCommand::List => return list(&tenant, options, out),
        PolicyCommand::Violations(args) => return violations(args, &tenant, options, out),
        PolicyCommand::Allow(args) => allow(args, &tenant)?,
        PolicyCommand::Deny(args) => deny(args, &tenant)?,
        PolicyCommand::Revoke(args) => revoke(args, &tenant)?,
    };
    if options.json {
        write_json(out, &decided)?;
    } else if !options.quiet {
        let until = decided.until.as_ref();
        let until = until.map_or_else(String::new, |until| format!(" until {until}"));
        writeln!(
            out,
            "that `{}` violates policy `{}` is {}{until}, once refreshed: {} refresh --identity {}",
            decided.name,
            decided.policy,
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

/// Returns the policy in use that is meant.
pub(super) fn policy_named(name: &str, tenant: &OpenTenant) -> Result<Name, CommandError> {
    let policies = &tenant.configuration.model.policies;
    if let Some(policy) = policies.iter().find(|known| known.name.as_str() == name) {
        return Ok(policy.name);
    }
    let names = policies.iter().map(|known| known.name.as_str());
    let hint = nearest(name, names).map(|name| format!("do you mean `{name}`?"));
    let hint = hint.or_else(|| Some("see `idr policy list`".to_owned()));
    let message = format!("there is no policy `{name}` in use");
    Err(CommandError::usage(message).with_hint(hint))
}

fn allow(args: &AllowArgs, tenant: &OpenTenant) -> Result<Decided, CommandError> {
    let _lock = tenant.lock()?;
    let (identity, policy) = violated(&args.decide, tenant)?;
    let at = tenant.now()?;
    let until = ends(&args.until, &identity, tenant)?;
    if until <= at {
        return Err(CommandError::usage("`--until` has passed already"));
    }
    let decision = PolicyDecision {
        policy,
        verdict: PolicyVerdict::Allowed,
        until: Some(until),
        actor: args.decide.person.actor(),
        reason: args.decide.person.reason.clone(),
        at,
    };
    decide(&args.decide, identity, Some(decision), tenant)
}

fn deny(args: &DecideArgs, tenant: &OpenTenant) -> Result<Decided, CommandError> {
    let _lock = tenant.lock()?;
    let (identity, policy) = violated(args, tenant)?;
    let decision = PolicyDecision {
        policy,
        verdict: PolicyVerdict::Denied,
        until: None,
        actor: args.person.actor(),
        reason: args.person.reason.clone(),
        at: tenant.now()?,
    };
    decide(args, identity, Some(decision), tenant)
}

/// Takes a decision back, also about a policy that is no longer in use.
fn revoke(args: &DecideArgs, tenant: &OpenTenant) -> Result<Decided, CommandError> {
    let _lock = tenant.lock()?;
    let identity = decidable(tenant, &args.name)?;
    let mut decisions = identity.by_hand.policies.iter();
    if !decisions.any(|known| known.policy.as_str() == args.policy) {
        let message = format!(
            "nobody has decided anything about `{}` and policy `{}`",
            args.name, args.policy
        );
        let hint = format!("idr identity show {} lists decisions", args.name);
        return Err(CommandError::usage(message).with_hint(hint));
    }
    decide(args, identity, None, tenant)
}

/// Returns the identity, which violates the policy.
fn violated(args: &DecideArgs, tenant: &OpenTenant) -> Result<(Identity, Name), CommandError> {
    let policy = policy_named(&args.policy, tenant)?;
    let identity = decidable(tenant, &args.name)?;
    let is_violated = |known: &&Violation| known.ended.is_none();
    let mut violations = identity.violations.iter().filter(is_violated);
    if violations.clone().any(|known| known.policy == policy) {
        return Ok((identity, policy));
    }
    let message = format!("`{}` doesn't violate policy `{policy}`", args.name);
    let names: Vec<&str> = violations
        .by_ref()
        .map(|known| known.policy.as_str())
        .collect();
    let hint = match names.as_slice() {
        [] => "as of its last refresh it violates none".to_owned(),
        names => format!("as of its last refresh it violates {}", names.join(", ")),
    };
    Err(CommandError::usage(message).with_hint(hint))
}

fn decide(
    args: &DecideArgs,
    identity: Identity,
    decision: Option<PolicyDecision>,
    tenant: &OpenTenant,
) -> Result<Decided, CommandError> {
    let mut by_hand = identity.by_hand;
    let mut remarks = Vec::new();
    by_hand.policies.retain(|known| {
        let is_it = known.policy.as_str() == args.policy;
        if is_it {
            remarks.push(format!(
                "this replaces: {} by {} at {}",
                known.verdict.as_str(),
                known.actor,
                known.at
            ));
        }
        !is_it
    });
    let (action, verdict) = match decision.as_ref().map(|decision| decision.verdict) {
        Some(PolicyVerdict::Allowed) => ("allow-violation", "allowed"),
        Some(PolicyVerdict::Denied) => ("deny-violation", "denied"),
        None => ("revoke-policy-decision", "undecided again"),
    };
    let until = decision.as_ref().and_then(|decision| decision.until);
    by_hand.policies.extend(decision);
    by_hand.policies.sort_by_key(|known| known.policy);
    let subject = format!("{} {}", identity.name, args.policy);
    let audit = args.person.audit(tenant.now()?, action, subject);
    tenant.store.edit_identity(identity.uid, &by_hand, &audit)?;
    Ok(Decided {
        name: identity.name,
        policy: args.policy.clone(),
        verdict,
        until: until.map(|until| until.to_string()),
        remarks,
    })
}

/// A policy, and how many violate it.
#[derive(Serialize)]
struct PolicyRow {
    name: &'static str,
    /// What it forbids: `roles`, `entitlements`, `filter`, `accounts` or `risk`.
    kind: &'static str,
    /// `report` or `hold`.
    action: &'static str,
    weight: u32,
    owner: Option<String>,
    description: Option<String>,
    /// How many violate it and nobody allows it.
    open: u64,
    /// How many are allowed to violate it.
    mitigated: u64,
}

impl PolicyRow {
    fn of(policy: &Policy) -> Self {
        Self {
            name: policy.name.as_str(),
            kind: policy.kind.as_str(),
            action: policy.action.as_str(),
            weight: policy.weight,
            owner: policy.owner.clone(),
            description: policy.description.clone(),
            open: 0,
            mitigated: 0,
        }
    }
}

fn list(
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let policies = &tenant.configuration.model.policies;
    let mut rows: Vec<PolicyRow> = policies.iter().map(PolicyRow::of).collect();
    each_identity(&tenant.store, |record| {
        for violation in &record.identity.violations {
            let name = violation.policy.as_str();
            let Ok(place) = rows.binary_search_by(|row| row.name.cmp(name)) else {
                continue;
            };
            match ViolationReport::of(violation).status {
                "over" => {}
                "mitigated" => rows[place].mitigated += 1,
                _ => rows[place].open += 1,
            }
        }
        Ok::<_, StoreError>(())
    })?;
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        writeln!(out, "no policies")?;
        return Ok(Outcome::Done);
    }
    let headings = [
        "policy",
        "kind",
        "action",
        "weight",
        "open",
        "mitigated",
        "owner",
    ];
    let mut table = Table::new(&headings).right(&[3, 4, 5]);
    for row in &rows {
        let count = |count: u64| match count {
            0 => String::new(),
            count => count.to_string(),
        };
        table.row([
            row.name.to_owned(),
            row.kind.to_owned(),
            row.action.to_owned(),
            row.weight.to_string(),
            count(row.open),
            count(row.mitigated),
            row.owner.clone().unwrap_or_default(),
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

/// A violation, and whose it is.
#[derive(Serialize)]
struct ViolationRow {
    name: String,
    #[serde(flatten)]
    violation: ViolationReport,
}

fn violations(
    args: &ViolationsArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let is =
        |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
    let mut rows: Vec<ViolationRow> = Vec::new();
    each_identity(&tenant.store, |record| {
        let identity = &record.identity;
        if !is(&args.name, &identity.name) {
            return Ok(());
        }
        let violations = identity.violations.iter().map(ViolationReport::of);
        let wanted = violations
            .filter(|known| is(&args.policy, known.policy) && is(&args.status, known.status));
        rows.extend(wanted.map(|violation| ViolationRow {
            name: identity.name.clone(),
            violation,
        }));
        Ok::<_, StoreError>(())
    })?;
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        writeln!(out, "no violations")?;
        return Ok(Outcome::Done);
    }
    let mut table = Table::new(&["name", "policy", "status", "what", "since"]);
    for row in &rows {
        let [policy, status, what, since] = row.violation.row();
        let since = since.trim_start_matches("since ").to_owned();
        table.row([row.name.clone(), policy, status, what, since]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}
