//! `identity prune`: remove identities that nobody needs any more.

use std::io::Write;

use clap::Args;
use idr_core::model::UnixMillis;
use serde::Serialize;

use super::open::{command_for, instant_or_now};
use super::person::actor;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::refresh::prune::{PruneSettings, Pruning, accountless, prune};
use crate::report::{Table, counted};
use crate::tenant::OpenTenant;

/// So many are named for people.
const SHOWN: usize = 20;

/// Remove identities that have had no account for so long, as idr.toml says
///
/// Those that somebody needs stay, and it is said why: managers, owners, whoever a
/// work item waits for, services and bots, and those to which a person has linked an
/// account. Removing can't be taken back.
#[derive(Args, Debug)]
pub(super) struct PruneArgs {
    /// Only say who would be removed, and why others stay
    #[arg(long)]
    dry_run: bool,

    /// As of this instant instead of now
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,

    /// Who asks for it, for the audit, if not the user of the operating system
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

/// Who was removed, and who was kept.
#[derive(Serialize)]
struct Report {
    dry_run: bool,
    /// How many were removed.
    pruned: u64,
    /// Why none was, where they are too many.
    held: Option<String>,
    /// Who was removed, or would be.
    removed: Vec<Row>,
    /// Who has had no account for long enough, and stays.
    kept: Vec<Row>,
}

#[derive(Clone, Serialize)]
struct Row {
    name: String,
    uid: i64,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &PruneArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let settings = settings(tenant)?;
    let as_of = instant_or_now(tenant, args.as_of.as_deref())?;
    let model = &tenant.configuration.model;
    let pruning = if args.dry_run {
        accountless(&tenant.store, model, settings, as_of)?
    } else {
        let _lock = tenant.lock()?;
        check_instant(as_of, tenant)?;
        let actor = actor(args.actor.as_deref());
        prune(&tenant.store, model, settings, as_of, &actor)?
    };
    let report = Report::of(pruning, args.dry_run);
    if options.json {
        write_json(out, &report)?;
    } else if !options.quiet {
        report.write(&command_for(options), out)?;
    }
    Ok(match report.held {
        Some(_) => Outcome::OpenFindings,
        None => Outcome::Done,
    })
}

/// Returns which identities a tenant prunes.
pub(super) fn settings(tenant: &OpenTenant) -> Result<&PruneSettings, CommandError> {
    tenant.configuration.prune.as_ref().ok_or_else(|| {
        let hint = "write a table [prune] with `without_accounts = \"90d\"` into idr.toml";
        CommandError::usage("it isn't said which identities to prune").with_hint(hint.to_owned())
    })
}

/// Refuses to remove somebody as if it were later already.
fn check_instant(as_of: UnixMillis, tenant: &OpenTenant) -> Result<(), CommandError> {
    if as_of > tenant.now()? && !tenant.is_simulated() {
        let message = format!("{as_of} is in the future");
        let hint = "`--dry-run` says who would be removed then";
        return Err(CommandError::usage(message).with_hint(hint.to_owned()));
    }
    Ok(())
}

impl Report {
    fn of(pruning: Pruning, dry_run: bool) -> Self {
        let (mut removed, mut kept) = (Vec::new(), Vec::new());
        for known in pruning.accountless {
            let list = match known.kept {
                None => &mut removed,
                Some(_) => &mut kept,
            };
            list.push(Row {
                name: known.name,
                uid: known.uid.0,
                since: known.since.to_string(),
                why: known.kept,
            });
        }
        Self {
            dry_run,
            pruned: pruning.pruned,
            held: pruning.held,
            removed,
            kept,
        }
    }

    fn write(&self, command: &str, out: &mut dyn Write) -> Result<(), CommandError> {
        let what = match (&self.held, self.dry_run) {
            (Some(_), _) => "nobody is removed; to prune",
            (None, true) => "would be removed",
            (None, false) => "removed",
        };
        let number = self.removed.len() as u64;
        writeln!(out, "{what}: {}", counted(number, "identity", "identities"))?;
        rows(&self.removed, out)?;
        if !self.kept.is_empty() {
            let number = self.kept.len() as u64;
            let counted = counted(number, "identity", "identities");
            writeln!(out, "kept without an account: {counted}")?;
            rows(&self.kept, out)?;
        }
        if let Some(held) = &self.held {
            writeln!(out, "held: {held}")?;
            writeln!(
                out,
                "  raise `most` under [prune] in idr.toml, or find out why"
            )?;
        } else if !self.dry_run && self.pruned < number {
            writeln!(
                out,
                "the others have changed meanwhile: {command} identity prune"
            )?;
        }
        Ok(())
    }
}

fn rows(rows: &[Row], out: &mut dyn Write) -> Result<(), CommandError> {
    let mut table = Table::plain(2);
    for row in rows.iter().take(SHOWN) {
        let since = format!("without an account since {}", row.since);
        let why = row.why.clone().unwrap_or_default();
        table.row([row.name.clone(), since, why]);
    }
    table.write(out)?;
    if let Some(more @ 1..) = rows.len().checked_sub(SHOWN) {
        writeln!(out, "  and {more} more (all with --json)")?;
    }
    Ok(())
}
