//! `role`: the roles, and what people decide about those of an identity.

use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::definitions::Role;
use idr_core::model::{AccountKey, Name, RoleDecision, RoleVerdict};
use idr_core::phases::role_metadata::role_metadata;
use idr_core::text::nearest;
use serde::Serialize;

use super::open::{account_of, begins, command_for, decidable, ends, open, record_named};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::Table;
use crate::store::{Store, StoreError, each_identity};
use crate::tenant::OpenTenant;

/// List roles, assign one by hand, deny one, or take back what was decided
///
/// What is decided takes effect with the next refresh.
#[derive(Args, Debug)]
pub(super) struct RoleArgs {
    #[command(subcommand)]
    command: RoleCommand,
}

#[derive(Debug, Subcommand)]
enum RoleCommand {
    /// List roles, with how many have them
    List(ListArgs),
    /// Assign a role that people may assign, whatever its selector says
    Assign(AssignArgs),
    /// Let no selector give the role (a negative assignment); whoever is
    /// assigned it by hand keeps it
    ///
    /// Selectors give roles to identities and never to one of their accounts, so
    /// a denial is about all of them: there is no `--account`.
    Deny(DecideArgs),
    /// Take back what was decided about a role: its selector decides again
    ///
    /// Everything that was decided about it, or with `--within` and `--account`
    /// only what was assigned so.
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

    /// Until this instant, or this last day, instead of for ever
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,

    #[command(flatten)]
    person: PersonArgs,
}

#[derive(Args, Debug)]
struct AssignArgs {
    #[command(flatten)]
    decide: DecideArgs,

    /// Assign it within this role, which permits it, for as long as that one is assigned
    #[arg(long, value_name = "ROLE")]
    within: Option<String>,

    /// Assign it for this account of the identity
    #[arg(long, num_args = 2, value_names = ["APPLICATION", "NATIVE-IDENTITY"])]
    account: Option<Vec<String>>,
}

#[derive(Args, Debug)]
struct ListArgs {
    /// Only roles of this type
    #[arg(long = "type", value_name = "TYPE")]
    role_type: Option<String>,
}

#[derive(Args, Debug)]
struct RevokeArgs {
    /// The identity's name
    name: String,

    /// The role
    role: String,

    /// Only where it was assigned within this role
    #[arg(long, value_name = "ROLE")]
    within: Option<String>,

    /// Only where it was assigned for this account
    #[arg(long, num_args = 2, value_names = ["APPLICATION", "NATIVE-IDENTITY"])]
    account: Option<Vec<String>>,

    #[command(flatten)]
    person: PersonArgs,
}

impl RevokeArgs {
    /// Says whether a decision is to be taken back.
    fn means(&self, known: &RoleDecision) -> bool {
        let within = known.within.map(|role| role.as_str());
        let account = known.account.as_ref().map(|key| {
            let application = key.application.as_str();
            [application, key.native_identity.as_str()]
        });
        known.role.as_str() == self.role
            && (self.within.is_none() || self.within.as_deref() == within)
            && self
                .account
                .as_ref()
                .is_none_or(|wanted| account.is_some_and(|account| account[..] == wanted[..]))
    }

    /// Returns how the choice is narrowed, in words.
    fn narrowed(&self) -> String {
        let within = self.within.as_ref();
        let within = within.map_or_else(String::new, |role| format!(" within `{role}`"));
        let account = self.account.as_ref();
        let account = account.map_or_else(String::new, |key| format!(" for `{}`", key.join(" ")));
        within + &account
    }
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
    if let RoleCommand::List(args) = &args.command {
        return list(args, &tenant, options, out);
    }
    let _lock = tenant.lock()?;
    let decided = match &args.command {
        RoleCommand::Assign(args) => assign(args, &tenant)?,
        RoleCommand::Deny(args) => decide(args, RoleVerdict::Denied, None, None, &tenant)?,
        RoleCommand::Revoke(args) => revoke(args, &tenant)?,
        RoleCommand::List(_) => unreachable!("listed above"),
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

fn assign(args: &AssignArgs, tenant: &OpenTenant) -> Result<Decided, CommandError> {
    let within = match &args.within {
        Some(within) => Some(permitting(within, &args.decide.role, tenant)?),
        None => None,
    };
    let account = match args.account.as_deref() {
        Some([application, native_identity]) => {
            let record = record_named(tenant, &args.decide.name)?;
            let account = account_of(&record, application, native_identity)?;
            Some(account.key.clone())
        }
        _ => None,
    };
    decide(&args.decide, RoleVerdict::Assigned, within, account, tenant)
}

fn decide(
    args: &DecideArgs,
    verdict: RoleVerdict,
    within: Option<Name>,
    account: Option<AccountKey>,
    tenant: &OpenTenant,
) -> Result<Decided, CommandError> {
    let role = match within {
        Some(_) => Name::new(&args.role),
        None => assignable_role(&args.role, tenant)?,
    };
    let at = tenant.now()?;
    let identity = decidable(tenant, &args.name)?;
    let from = match &args.from {
        Some(text) => Some(begins(text, &identity, tenant)?),
        None => None,
    };
    let until = match &args.until {
        Some(text) => Some(ends(text, &identity, tenant)?),
        None => None,
    };
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
    let mut by_hand = identity.by_hand;
    let mut remarks = Vec::new();
    by_hand.roles.retain(|known| {
        let replaced = (known.role, known.verdict, known.within) == (role, verdict, within);
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
        within,
        account,
        from,
        until,
        actor: args.person.actor(),
        reason: args.person.reason.clone(),
        at,
    });
    by_hand
        .roles
        .sort_by_key(|known| (known.role, known.verdict, known.within));
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
    let within = decision.within;
    let within = within.map_or_else(String::new, |role| format!(" within `{role}`"));
    format!(
        "{}{within} by {} at {}",
        decision.verdict.as_str(),
        decision.actor,
        decision.at
    )
}

fn revoke(args: &RevokeArgs, tenant: &OpenTenant) -> Result<Decided, CommandError> {
    let identity = decidable(tenant, &args.name)?;
    let mut by_hand = identity.by_hand;
    let mut remarks = Vec::new();
    let of_role = |known: &&RoleDecision| known.role.as_str() == args.role;
    let others: Vec<String> = by_hand.roles.iter().filter(of_role).map(spoken).collect();
    by_hand.roles.retain(|known| {
        let taken_back = args.means(known);
        if taken_back {
            remarks.push(format!("it is no longer {}", spoken(known)));
        }
        !taken_back
    });
    if remarks.is_empty() {
        let message = format!(
            "nobody has decided anything about role `{}` of `{}`{}",
            args.role,
            args.name,
            args.narrowed()
        );
        let mut held = identity.assigned.iter();
        let held = held.any(|known| known.role.as_str() == args.role);
        let hint = match others.as_slice() {
            [] => held.then(|| "its selector gives it; see `idr role deny --help`".to_owned()),
            others => Some(format!("it is {}", others.join(", and "))),
        };
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

/// Returns the role that permits another.
fn permitting(within: &str, role: &str, tenant: &OpenTenant) -> Result<Name, CommandError> {
    let model = &tenant.configuration.model;
    let names = model.roles.iter().map(|role| role.name.as_str());
    let Some(found) = model
        .roles
        .iter()
        .find(|known| known.name.as_str() == within)
    else {
        let hint = nearest(within, names).map(|name| format!("do you mean `{name}`?"));
        return Err(CommandError::usage(format!("there is no role `{within}`")).with_hint(hint));
    };
    let permits: Vec<&str> = found.permits.iter().map(|name| name.as_str()).collect();
    if !permits.contains(&role) {
        let hint = match permits.as_slice() {
            [] => "it permits none; list them in its `permits`".to_owned(),
            permits => format!("it permits {}", permits.join(", ")),
        };
        let message = format!("role `{within}` doesn't permit `{role}`");
        return Err(CommandError::usage(message).with_hint(hint));
    }
    Ok(found.name)
}

fn assignable_role(name: &str, tenant: &OpenTenant) -> Result<Name, CommandError> {
    let roles = &tenant.configuration.model.roles;
    let assignable = || roles.iter().filter(|role| role.role_type.manual);
    if let Some(role) = assignable().find(|role| role.name.as_str() == name) {
        return Ok(role.name);
    }
    if let Some(role) = roles.iter().find(|role| role.name.as_str() == name) {
        let type_name = role.role_type.name;
        let message = format!("nobody assigns roles of type `{type_name}` such as `{name}`");
        let hint = "assign a role that requires it, or assign it `--within` one that permits it";
        return Err(CommandError::usage(message).with_hint(hint.to_owned()));
    }
    let names = assignable().map(|role| role.name.as_str());
    let hint = nearest(name, names).map(|name| format!("do you mean `{name}`?"));
    Err(CommandError::usage(format!("there is no role `{name}`")).with_hint(hint))
}

/// A role, and how many have it.
#[derive(Serialize)]
struct RoleRow {
    name: &'static str,
    #[serde(rename = "type")]
    role_type: &'static str,
    /// Whether it is taken out of use.
    disabled: bool,
    /// How many have it assigned.
    assigned: u64,
    /// Of how many it is detected.
    detected: u64,
    /// How many have it assigned, but not all that it calls for.
    missing: u64,
    /// Of how many it is detected although no assigned role calls for it.
    exceptions: u64,
}

fn list(
    args: &ListArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let rows = counted(args.role_type.as_deref(), tenant)?;
    if options.json {
        write_json(out, &rows)?;
        return Ok(Outcome::Done);
    }
    if rows.is_empty() {
        writeln!(out, "no roles")?;
        return Ok(Outcome::Done);
    }
    let headings = [
        "role",
        "type",
        "assigned",
        "detected",
        "missing",
        "exceptions",
        "",
    ];
    let mut table = Table::new(&headings).right(&[2, 3, 4, 5]);
    for row in &rows {
        let count = |count: u64| match count {
            0 => String::new(),
            count => count.to_string(),
        };
        let disabled = if row.disabled { "disabled" } else { "" };
        table.row([
            row.name.to_owned(),
            row.role_type.to_owned(),
            count(row.assigned),
            count(row.detected),
            count(row.missing),
            count(row.exceptions),
            disabled.to_owned(),
        ]);
    }
    table.write(out)?;
    Ok(Outcome::Done)
}

/// Counts over everybody what roles come to.
fn counted(role_type: Option<&str>, tenant: &OpenTenant) -> Result<Vec<RoleRow>, CommandError> {
    let model = &tenant.configuration.model;
    let wanted =
        |role: &&Role| role_type.is_none_or(|wanted| role.role_type.name.as_str() == wanted);
    let mut rows: Vec<RoleRow> = model
        .roles
        .iter()
        .filter(wanted)
        .map(|role| RoleRow {
            name: role.name.as_str(),
            role_type: role.role_type.name.as_str(),
            disabled: role.disabled,
            assigned: 0,
            detected: 0,
            missing: 0,
            exceptions: 0,
        })
        .collect();
    each_identity(&tenant.store, |record| {
        for metadata in role_metadata(&record.identity, model) {
            let name = metadata.role.as_str();
            let Ok(place) = rows.binary_search_by(|row| row.name.cmp(name)) else {
                continue;
            };
            let row = &mut rows[place];
            row.assigned += u64::from(metadata.assigned.is_some());
            row.detected += u64::from(metadata.detected);
            row.missing += u64::from(!metadata.missing.is_empty());
            row.exceptions += u64::from(metadata.exception);
        }
        Ok::<_, StoreError>(())
    })?;
    Ok(rows)
}
