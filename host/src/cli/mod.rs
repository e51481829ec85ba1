//! The command line: one file per command, and the options that all share.
//!
//! A command reads its arguments, calls the rooms below and writes its report
//! to the output that it is handed. Only `main` prints errors. To add a command,
//! add a file here with its `Args` and its `run`, and one line to `Command`
//! and to [`Cli::run`].

mod account;
mod aggregate;
mod aggregation;
mod audit;
mod bench;
mod check;
mod claim;
mod colour;
mod demo;
mod dispatch;
mod due;
mod entitlement;
mod entitlement_decision;
mod error;
mod event;
mod explain;
mod explain_entitlement;
mod finding;
mod generate;
mod identity;
mod identity_history;
mod identity_prune;
mod merge;
mod open;
mod options;
mod outbox;
mod person;
mod phases;
mod policy;
mod progress;
mod refresh;
mod risk;
mod role;
mod rule;
mod run;
mod selection;
mod state;
mod store;
mod work_item;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Tenant;
pub use error::{CommandError, ErrorKind};

/// Refresh identities: attributes, lifecycle states, roles and events, with
/// customer rules in WebAssembly
#[derive(Debug, Parser)]
#[command(name = "idr", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    options: GlobalOptions,

    #[command(subcommand)]
    command: Command,
}

/// The options of every command.
#[derive(Args, Clone, Debug)]
pub struct GlobalOptions {
    /// The tenant's folder
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub tenant: PathBuf,

    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,

    /// Print no progress and no summary
    #[arg(long, global = true)]
    pub quiet: bool,
}

impl GlobalOptions {
    /// Reads and checks the tenant that the command is about.
    ///
    /// # Errors
    ///
    /// [`CommandError`] with every problem of its configuration.
    pub fn load_tenant(&self) -> Result<Tenant, CommandError> {
        Ok(Tenant::load(&self.tenant)?)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Aggregate(aggregate::AggregateArgs),
    Aggregation(aggregation::AggregationArgs),
    Account(account::AccountArgs),
    Refresh(refresh::RefreshArgs),
    Run(run::RunArgs),
    Identity(identity::IdentityArgs),
    Claim(claim::ClaimArgs),
    Audit(audit::AuditArgs),
    Finding(finding::FindingArgs),
    Event(event::EventArgs),
    Explain(explain::ExplainArgs),
    Outbox(outbox::OutboxArgs),
    Dispatch(dispatch::DispatchArgs),
    WorkItem(work_item::WorkItemArgs),
    Due(due::DueArgs),
    Demo(demo::DemoArgs),
    Generate(generate::GenerateArgs),
    Bench(bench::BenchArgs),
    State(state::StateArgs),
    Store(store::StoreArgs),
    Phases(phases::PhasesArgs),
    Options(options::OptionsArgs),
    Role(role::RoleArgs),
    Policy(policy::PolicyArgs),
    Risk(risk::RiskArgs),
    Entitlement(entitlement::EntitlementArgs),
    Rule(rule::RuleArgs),
}

/// How a command ended that didn't fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done, and nothing is open.
    Done,
    /// Done, but findings are open, or something is held until a person decides.
    OpenFindings,
}

impl Outcome {
    /// Returns the exit code of the program.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::OpenFindings => 1,
        }
    }
}

impl Cli {
    /// Says whether results, and what goes wrong, are wanted as JSON.
    pub fn wants_json(&self) -> bool {
        self.options.json
    }

    /// Runs the command that was asked for; its report goes to `out`.
    ///
    /// # Errors
    ///
    /// [`CommandError`], with the exit code in its kind.
    pub fn run(&self, out: &mut dyn Write) -> Result<Outcome, CommandError> {
        let options = &self.options;
        match &self.command {
            Command::Check(args) => check::run(args, options, out),
            Command::Aggregate(args) => aggregate::run(args, options, out),
            Command::Aggregation(args) => aggregation::run(args, options, out),
            Command::Account(args) => account::run(args, options, out),
            Command::Refresh(args) => refresh::run(args, options, out),
            Command::Run(args) => run::run(args, options, out),
            Command::Identity(args) => identity::run(args, options, out),
            Command::Audit(args) => audit::run(args, options, out),
            Command::Claim(args) => claim::run(args, options, out),
            Command::Finding(args) => finding::run(args, options, out),
            Command::Event(args) => event::run(args, options, out),
            Command::Explain(args) => explain::run(args, options, out),
            Command::Outbox(args) => outbox::run(args, options, out),
            Command::Dispatch(args) => dispatch::run(args, options, out),
            Command::WorkItem(args) => work_item::run(args, options, out),
            Command::Due(args) => due::run(args, options, out),
            Command::Demo(args) => demo::run(args, options, out),
            Command::Generate(args) => generate::run(args, options, out),
            Command::Bench(args) => bench::run(args, options, out),
            Command::State(args) => state::run(args, options, out),
            Command::Store(args) => store::run(args, options, out),
            Command::Phases(args) => phases::run(args, options, out),
            Command::Options(args) => options::run(args, options, out),
            Command::Entitlement(args) => entitlement::run(args, options, out),
            Command::Role(args) => role::run(args, options, out),
            Command::Policy(args) => policy::run(args, options, out),
            Command::Risk(args) => risk::run(args, options, out),
            Command::Rule(args) => rule::run(args, options, out),
        }
    }
}

/// Writes a value as JSON: pretty, with a final newline.
///
/// # Errors
///
/// [`CommandError`] when `out` can't be written to.
pub fn write_json(out: &mut dyn Write, value: &impl serde::Serialize) -> Result<(), CommandError> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}
