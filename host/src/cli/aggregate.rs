//! `aggregate`: read an application's accounts.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use idr_core::definitions::Application;
use idr_core::model::Name;
use idr_core::text::nearest;
use indicatif::{ProgressBar, ProgressStyle};

use super::open::{command_for, instant_or_now, open_or_create};
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::aggregate::{
    AggregateContext, AggregateOptions, AggregationReport, Progress, aggregate,
};
use crate::refresh::Configured;
use crate::report::ShownAggregation;
use crate::tenant::OpenTenant;

/// Read an application's accounts from its file
///
/// The file is compared with what is known; only what differs is written.
/// Broken records are findings and don't stop it. When the file would do too
/// much damage it is held until a person decides. Exit code 1 when it is held
/// or findings about the application are open.
#[derive(Args, Debug)]
pub(super) struct AggregateArgs {
    /// The application
    application: String,

    /// Read this file instead of the configured one
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,

    /// The file lists changes only: accounts that it doesn't list stay
    #[arg(long)]
    delta: bool,

    /// The instant that the file speaks of, instead of now
    #[arg(long, value_name = "INSTANT")]
    as_of: Option<String>,

    /// Aggregate although that instant lies before the last one
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &AggregateArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let tenant = open_or_create(options)?;
    let application = application(&tenant, &args.application)?;
    if let Some(logical) = &application.logical {
        let message = format!(
            "`{}` is a logical application: its accounts are made of those of others",
            application.name
        );
        let hint = format!("idr aggregate {}, then idr refresh", logical.primary);
        return Err(CommandError::usage(message).with_hint(hint));
    }
    let _lock = tenant.lock()?;
    let configured = tenant.adopt()?;
    let as_of = match &args.as_of {
        Some(text) => Some(instant_or_now(&tenant, Some(text))?),
        None => None,
    };
    let aggregate_options = AggregateOptions {
        connector: &tenant.configuration.connectors[&application.name],
        directory: &tenant.configuration.directory,
        file: args.file.clone(),
        delta: args.delta,
        as_of,
        force: args.force,
        now: tenant.now()?,
        simulated_clock: tenant.is_simulated(),
    };
    let progress = AggregationProgress::new(options);
    let started = Instant::now();
    let report = aggregate(
        &context(&tenant, &configured, application),
        &aggregate_options,
        &mut |made| progress.show(made),
    )?;
    progress.finish();
    print(&report, started, options, out)
}

/// Returns what aggregations of an application go by.
pub(super) fn context<'a>(
    tenant: &'a OpenTenant,
    configured: &'a Configured,
    application: &'a Application,
) -> AggregateContext<'a> {
    let Configured { model, rules } = configured;
    AggregateContext::new(&tenant.store, model, rules.as_ref(), application)
}

/// Returns the application with this name.
pub(super) fn application<'a>(
    tenant: &'a OpenTenant,
    name: &str,
) -> Result<&'a Application, CommandError> {
    let model = &tenant.configuration.model;
    let known = Name::known(name).and_then(|name| model.application(name));
    known.ok_or_else(|| {
        let names = || model.applications.iter().map(|known| known.name.as_str());
        let hint = match nearest(name, names()) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => format!("there are: {}", names().collect::<Vec<_>>().join(", ")),
        };
        CommandError::usage(format!("there is no application `{name}`")).with_hint(hint)
    })
}

/// Prints the report on an aggregation that has just ended, or was held.
pub(super) fn print(
    report: &AggregationReport,
    started: Instant,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let shown = ShownAggregation::of_ended(report, started.elapsed());
    if options.json {
        write_json(out, &shown)?;
    } else if !options.quiet {
        shown.write(&command_for(options), out)?;
    }
    Ok(if shown.wants_attention() {
        Outcome::OpenFindings
    } else {
        Outcome::Done
    })
}

/// Shows on standard error how far an aggregation has come: on a terminal only.
pub(super) struct AggregationProgress {
    bar: ProgressBar,
}

impl AggregationProgress {
    /// Returns a bar, which stays hidden where nobody could or wants to see it.
    pub(super) fn new(options: &GlobalOptions) -> Self {
        let wanted = !options.quiet && !options.json && io::stderr().is_terminal();
        let bar = if wanted {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{msg}  [{bar:30}] {percent} %  {eta} left");
        let style = style.expect("the template is right");
        bar.set_style(style.progress_chars("=> "));
        Self { bar }
    }

    /// Shows how far it has come.
    pub(super) fn show(&self, made: Progress) {
        let (message, done, of) = match made {
            Progress::Read(done, of) => ("reading", done, of),
            Progress::Applied(done, of) => ("applying", done, of),
        };
        self.bar.set_message(message);
        self.bar.set_length(of);
        self.bar.set_position(done);
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Drop for AggregationProgress {
    fn drop(&mut self) {
        self.finish();
    }
}
