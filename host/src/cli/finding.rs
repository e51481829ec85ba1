//! `finding`: what is wrong now.

use std::io::Write;

use clap::{Args, Subcommand};
use idr_core::model::UnixMillis;

use super::open::{command_for, instant, open};
use super::person::PersonArgs;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{FindingReport, counted, grouped, write_findings};
use crate::store::Store;
use crate::tenant::OpenTenant;

/// Show what is wrong, and mute what is known
#[derive(Args, Debug)]
pub(super) struct FindingArgs {
    #[command(subcommand)]
    command: FindingCommand,
}

#[derive(Debug, Subcommand)]
enum FindingCommand {
    List(ListArgs),
    /// Mute open findings for a while: they don't count as open
    ///
    /// One that is closed and opened again isn't muted any more.
    Mute(MuteArgs),
    /// Let muted findings speak again
    Unmute(UnmuteArgs),
}

/// Which open findings are meant: those with one of the numbers, if any are
/// given, of which everything else holds that is given.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
struct MeantArgs {
    /// Their numbers, as `idr finding list --json` says them
    number: Vec<i64>,

    /// The identity or application that they are about
    #[arg(long)]
    name: Option<String>,

    /// The phase that found them
    #[arg(long)]
    phase: Option<String>,

    /// What they are about: an attribute, role, trigger, rule or line
    #[arg(long)]
    subject: Option<String>,

    /// What kind of trouble they are, such as `manager-not-found`
    #[arg(long)]
    cause: Option<String>,
}

impl MeantArgs {
    fn mean(&self, finding: &FindingReport) -> bool {
        let is = |wanted: &Option<String>, text: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == text)
        };
        (self.number.is_empty() || self.number.contains(&finding.number))
            && is(&self.name, &finding.name)
            && is(&self.phase, finding.phase)
            && is(&self.subject, &finding.subject)
            && is(&self.cause, &finding.cause)
    }
}

#[derive(Args, Debug)]
struct MuteArgs {
    #[command(flatten)]
    meant: MeantArgs,

    /// When they count again
    #[arg(long, value_name = "INSTANT")]
    until: String,

    #[command(flatten)]
    person: PersonArgs,
}

#[derive(Args, Debug)]
struct UnmuteArgs {
    #[command(flatten)]
    meant: MeantArgs,

    #[command(flatten)]
    person: PersonArgs,
}

/// List open findings, the most severe first
///
/// Findings of one kind are shown together, with the first message and hint.
/// With --json each is listed.
#[derive(Args, Debug)]
struct ListArgs {
    /// List closed ones as well
    #[arg(long)]
    closed: bool,

    /// List muted ones instead of those that count
    #[arg(long)]
    muted: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER")]
    limit: Option<usize>,
}

/// Runs the command.
pub(super) fn run(
    args: &FindingArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    match &args.command {
        FindingCommand::List(args) => list(args, &tenant, options, out),
        FindingCommand::Mute(args) => {
            let until = instant(&args.until, &tenant)?;
            mute(
                &args.meant,
                Some(until),
                &args.person,
                &tenant,
                options,
                out,
            )
        }
        FindingCommand::Unmute(args) => {
            mute(&args.meant, None, &args.person, &tenant, options, out)
        }
    }
}

/// Mutes findings, or lets them speak again, and says how many.
fn mute(
    meant: &MeantArgs,
    until: Option<UnixMillis>,
    person: &PersonArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let mut findings = FindingReport::open(&tenant.store)?;
    findings.retain(|finding| meant.mean(finding));
    if findings.is_empty() {
        return Err(CommandError::usage("no open finding is like this")
            .with_hint("see `idr finding list --json`".to_owned()));
    }
    let numbers: Vec<i64> = findings.iter().map(|finding| finding.number).collect();
    let (action, done) = match until {
        Some(until) => ("mute", format!("muted until {until}")),
        None => ("unmute", "no longer muted".to_owned()),
    };
    let subject: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let subject = format!("findings {}", subject.join(" "));
    let entry = person.audit(tenant.now()?, action, subject);
    let number = tenant.store.mute_findings(&numbers, until, &entry)?;
    if options.json {
        let muted = FindingReport::open(&tenant.store)?;
        let muted: Vec<_> = muted
            .into_iter()
            .filter(|finding| numbers.contains(&finding.number))
            .collect();
        write_json(out, &muted)?;
    } else if !options.quiet {
        writeln!(out, "{} {done}", counted(number, "finding", "findings"))?;
    }
    Ok(Outcome::Done)
}

fn list(
    args: &ListArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let now = tenant.now()?;
    let mut findings = FindingReport::list(&tenant.store, args.closed, usize::MAX)?;
    findings.retain(|finding| finding.closed_at.is_some() || finding.is_muted(now) == args.muted);
    let total = findings.iter().filter(|known| known.closed_at.is_none());
    let total = total.count();
    findings.truncate(args.limit.unwrap_or(usize::MAX));
    if options.json {
        write_json(out, &findings)?;
        return Ok(Outcome::Done);
    }
    let (closed, open): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| finding.closed_at.is_some());
    let command = command_for(options);
    let word = if args.muted { "muted" } else { "open" };
    if total == 0 {
        writeln!(out, "no {word} findings")?;
    } else if total > open.len() {
        let (shown, total) = (grouped(open.len() as u64), grouped(total as u64));
        writeln!(out, "{shown} of {total} {word}")?;
    } else {
        writeln!(out, "{} {word}", grouped(total as u64))?;
    }
    write_findings(&open, None, &command, out)?;
    if !closed.is_empty() {
        writeln!(out, "{} closed", closed.len())?;
        write_findings(&closed, None, &command, out)?;
    }
    Ok(Outcome::Done)
}
