//! `dispatch`: carry out what refreshes have put into the outbox.

use std::io::Write;
use std::thread;
use std::time::Duration;

use clap::Args;
use idr_core::model::UnixMillis;

use super::open::{command_for, instant_or_now, open};
use super::person::actor;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::connect::TenantConnectors;
use crate::dispatch::{DispatchContext, DispatchReport, HttpCourier, dispatch};
use crate::refresh::Configured;
use crate::report::counted;
use crate::store::{AuditEntry, EffectQuery, Store};
use crate::tenant::OpenTenant;

/// How long it waits between passes.
const BETWEEN_PASSES: Duration = Duration::from_secs(1);

/// Carry out what is to be done outside: accounts, work items, webhooks, workflows
///
/// Goes on until it is stopped; `--once` is one pass. What fails is tried again
/// later, and given up after a number of attempts (`[dispatch]` in idr.toml). It
/// may be killed at any time: what was under way is looked at first by the next
/// one. Exit code 1 when effects have been given up.
#[derive(Args, Debug)]
pub(super) struct DispatchArgs {
    /// One pass, and no more
    #[arg(long)]
    once: bool,

    /// The instant of the pass, instead of now; only where the clock is simulated
    #[arg(long, value_name = "INSTANT", requires = "once")]
    as_of: Option<String>,

    /// Carry nothing out from now on, until somebody resumes it
    #[arg(long, conflicts_with_all = ["once", "resume"], requires = "reason")]
    pause: bool,

    /// Let it go on that is paused: a store that was restored from a backup begins so
    #[arg(long, requires = "reason")]
    resume: bool,

    /// Why it is paused or resumed, for the audit
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: Option<String>,

    /// Who pauses or resumes it, if not the user of the operating system
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
}

/// Runs the command.
pub(super) fn run(
    args: &DispatchArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open(options)?;
    if args.pause || args.resume {
        pause(&tenant, args)?;
        if !args.once {
            if !options.quiet && !options.json {
                let what = if args.pause { "paused" } else { "resumed" };
                writeln!(out, "dispatch is {what}")?;
            }
            return Ok(Outcome::Done);
        }
    }
    let configured = {
        let _lock = tenant.lock()?;
        tenant.adopt()?
    };
    let timeout = tenant.configuration.dispatch.webhook_timeout_ms;
    let secret = webhook_secret(&tenant)?;
    let timeout = Duration::from_millis(timeout.unsigned_abs());
    let courier = HttpCourier::new(timeout, secret, &tenant.configuration.directory);
    loop {
        let now = instant_or_now(&tenant, args.as_of.as_deref())?;
        check_instant(&tenant, args, now)?;
        let report = pass(&tenant, &configured, &courier, now)?;
        if args.once {
            return print(&report, &tenant, options, out);
        }
        if report != DispatchReport::default() && !options.quiet {
            write(&report, options, out)?;
        }
        thread::sleep(BETWEEN_PASSES);
    }
}

/// Reads the secret that events are signed with, where the tenant has one.
fn webhook_secret(tenant: &OpenTenant) -> Result<Option<Vec<u8>>, CommandError> {
    let configuration = &tenant.configuration;
    let Some(reference) = &configuration.webhook_secret else {
        return Ok(None);
    };
    let secret = reference.bytes(&configuration.directory);
    let secret = secret.map_err(|error| {
        let error = anyhow::Error::new(error);
        CommandError::usage(format!("`dispatch.webhook_secret` in idr.toml: {error:#}"))
    })?;
    match secret.is_empty() {
        true => Err(CommandError::usage(
            "`dispatch.webhook_secret` in idr.toml refers to nothing",
        )),
        false => Ok(Some(secret)),
    }
}

fn pass(
    tenant: &OpenTenant,
    configured: &Configured,
    courier: &HttpCourier,
    now: UnixMillis,
) -> Result<DispatchReport, CommandError> {
    let _lock = tenant.lock()?;
    let configuration = &tenant.configuration;
    let connectors = TenantConnectors::new(&configuration.connectors, &configuration.directory);
    Ok(dispatch(&DispatchContext {
        store: &tenant.store,
        tenant: &configuration.name,
        model: &configured.model,
        rules: configured.rules.as_ref(),
        connectors: &connectors,
        courier,
        workflows: &configuration.workflows,
        settings: configuration.dispatch,
        now,
    })?)
}

/// Refuses an instant that only a simulated clock could show.
fn check_instant(
    tenant: &OpenTenant,
    args: &DispatchArgs,
    now: UnixMillis,
) -> Result<(), CommandError> {
    if args.as_of.is_none() {
        return Ok(());
    }
    if !tenant.is_simulated() {
        let message = "only a tenant with `clock = \"simulated\"` can be told the time";
        return Err(CommandError::usage(message));
    }
    match tenant.store.tenant()?.last_as_of {
        Some(last) if now < last => {
            let message =
                format!("{now} lies before {last}, for which the tenant was changed last");
            Err(CommandError::usage(message))
        }
        _ => Ok(()),
    }
}

fn pause(tenant: &OpenTenant, args: &DispatchArgs) -> Result<(), CommandError> {
    let _lock = tenant.lock()?;
    let action = if args.pause { "pause" } else { "resume" };
    tenant.store.pause_dispatch(
        args.pause,
        &AuditEntry {
            at: tenant.now()?,
            actor: actor(args.actor.as_deref()),
            action: action.to_owned(),
            subject: "dispatch".to_owned(),
            reason: args.reason.clone().unwrap_or_default(),
        },
    )?;
    Ok(())
}

fn print(
    report: &DispatchReport,
    tenant: &OpenTenant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    if options.json {
        write_json(out, report)?;
    } else if !options.quiet {
        write(report, options, out)?;
    }
    let dead = EffectQuery {
        dead: true,
        ..EffectQuery::default()
    };
    Ok(match tenant.store.effects(&dead, 1)?.is_empty() {
        true => Outcome::Done,
        false => Outcome::OpenFindings,
    })
}

fn write(
    report: &DispatchReport,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let DispatchReport {
        done,
        asked,
        failed,
        dead,
        failures,
    } = report;
    if *report == DispatchReport::default() {
        writeln!(out, "nothing is to be done")?;
        return Ok(());
    }
    let items = counted(*asked, "work item", "work items");
    writeln!(
        out,
        "{done} done, {items} opened, {failed} failed, {dead} given up"
    )?;
    for (why, count) in failures {
        writeln!(out, "  {count} x {why}")?;
    }
    if *dead > 0 {
        let command = command_for(options);
        writeln!(out, "see `{command} outbox list --dead`")?;
    }
    Ok(())
}
