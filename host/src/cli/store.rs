//! `store`: back up the tenant's store, and check it.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::config::Tenant;
use crate::store::sqlite::{BackupError, SqliteOptions, SqliteStore, Verification};

/// Back up the tenant's store, and check it
#[derive(Args, Debug)]
pub(super) struct StoreArgs {
    #[command(subcommand)]
    command: StoreCommand,

    /// The store's file, such as a backup; else the one of the tenant
    #[arg(long, global = true, value_name = "STORE")]
    store: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    Backup(BackupArgs),
    Verify(VerifyArgs),
}

/// Copy the store into a new file, while it is in use
///
/// The copy is the store as it is at one moment. To restore it, put it in the
/// place of the store's file, and remove the files beside it that begin with its name.
#[derive(Args, Debug)]
struct BackupArgs {
    /// The file to make
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Check the store against itself
///
/// The file, every document in it, and that columns and indexes say what the
/// documents say. Nothing is repaired. Exit code 3 when something is wrong.
#[derive(Args, Debug)]
struct VerifyArgs {}

/// Runs the command.
pub(super) fn run(
    args: &StoreArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let path = match &args.store {
        Some(path) => path.clone(),
        None => Tenant::load(&options.tenant)?.store_path(),
    };
    let existing = SqliteOptions {
        create: false,
        ..SqliteOptions::default()
    };
    let store = SqliteStore::open(&path, &existing)?;
    match &args.command {
        StoreCommand::Backup(args) => backup(&store, args, options, out),
        StoreCommand::Verify(_) => verify(&store, options, out),
    }
}

#[derive(Serialize)]
struct Backup {
    file: PathBuf,
    bytes: u64,
}

fn backup(
    store: &SqliteStore,
    args: &BackupArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let bytes = store.backup(&args.file)?;
    if options.json {
        let file = args.file.clone();
        write_json(out, &Backup { file, bytes })?;
    } else if !options.quiet {
        writeln!(out, "{} has {bytes} bytes", args.file.display())?;
    }
    Ok(Outcome::Done)
}

fn verify(
    store: &SqliteStore,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let found = store.verify()?;
    if options.json {
        write_json(out, &found)?;
    } else {
        report(&found, options, out)?;
    }
    if found.problem_count > 0 {
        let error = "the store is not in order";
        return Err(CommandError::failed(error)
            .with_hint("restore a backup, and let the feeds be aggregated again".to_owned()));
    }
    Ok(Outcome::Done)
}

fn report(
    found: &Verification,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    for problem in &found.problems {
        writeln!(out, "{problem}")?;
    }
    let shown = found.problems.len() as u64;
    if found.problem_count > shown {
        writeln!(out, "and {} more", found.problem_count - shown)?;
    }
    if !options.quiet {
        writeln!(
            out,
            "checked {} identities, {} accounts, {} events, {} findings, {} runs, {} aggregations",
            found.identities,
            found.accounts,
            found.events,
            found.findings,
            found.runs,
            found.aggregations
        )?;
    }
    Ok(())
}

impl From<BackupError> for CommandError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Store(error) => error.into(),
            BackupError::Exists(_) => {
                Self::usage(error).with_hint("give a file that isn't there yet".to_owned())
            }
            BackupError::Write(_) => Self::failed(error),
        }
    }
}
