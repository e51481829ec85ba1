//! `identity history`: what somebody was.

use std::io::Write;

use clap::Args;
use idr_core::model::Name;
use idr_core::view::Snapshot;

use super::open::{identity_named, instant};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::report::{HistoryReport, ImageSettings, is_sensitive, name_of};
use crate::store::Store;
use crate::tenant::OpenTenant;

/// Show what an identity was, as far as its history is kept
///
/// A refresh keeps an image of whoever has changed, if `idr.toml` has a `[history]`.
/// Lists them, the latest first, with what differs from the one before.
#[derive(Args, Debug)]
pub(super) struct HistoryArgs {
    /// The identity's name
    name: String,

    /// Show what it was at this instant instead
    #[arg(long, value_name = "INSTANT", conflicts_with_all = ["diff", "limit"])]
    at: Option<String>,

    /// Show from which values to which
    #[arg(long)]
    diff: bool,

    /// List so many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,

    /// Show the values of sensitive attributes
    #[arg(long)]
    show_sensitive: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &HistoryArgs,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let uid = identity_named(tenant, &args.name)?;
    let until = match &args.at {
        Some(text) => Some(instant(text, tenant)?),
        None => None,
    };
    let limit = match until {
        Some(_) => usize::MAX,
        None => args.limit,
    };
    // One more, to say what differs in the last of them.
    let mut images = tenant.store.history(uid, None, limit.saturating_add(1))?;
    let before = (images.len() > limit).then(|| images.pop()).flatten();
    let meant = images
        .iter()
        .position(|stored| until.is_none_or(|until| stored.at <= until));
    let kept = tenant.configuration.model.history.kept;
    let Some(meant) = meant else {
        let name = &args.name;
        let message = match &args.at {
            Some(at) => format!("nothing is kept of what `{name}` was at {at}"),
            None => format!("nothing is kept of what `{name}` was"),
        };
        let hint = match kept {
            true => "a refresh keeps the first image; see `idr identity history NAME`",
            false => "write a table [history] into idr.toml; from then on refreshes keep it",
        };
        return Err(CommandError::usage(message).with_hint(hint.to_owned()));
    };
    let snapshot = tenant.store.snapshot()?;
    let snapshot: &dyn Snapshot = snapshot.as_ref();
    let model = &tenant.configuration.model;
    let settings = ImageSettings {
        // What can't be read is said where it matters; here its number will do.
        name_of: &|uid| name_of(snapshot, uid).unwrap_or_else(|_| format!("uid {uid}")),
        is_masked: &|name: Name| !args.show_sensitive && is_sensitive(model, &name),
    };
    let reports = HistoryReport::list(&images, before.as_ref(), &settings);
    if options.json {
        match (&args.at, reports.get(meant)) {
            (Some(_), Some(report)) => write_json(out, report)?,
            _ => write_json(out, &reports)?,
        }
        return Ok(Outcome::Done);
    }
    writeln!(out, "{}", args.name)?;
    if args.at.is_some() {
        reports[meant].write_image(out)?;
        return Ok(Outcome::Done);
    }
    for report in &reports {
        report.write_changes(args.diff, out)?;
    }
    if before.is_some() {
        writeln!(out, "  and earlier ones: --limit NUMBER lists more")?;
    }
    Ok(Outcome::Done)
}
