//! `bench`: measure on this machine.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, Subcommand};
use serde::Serialize;
use tempfile::TempDir;

use super::generate::make_tenant;
use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::bench::{self, BenchError, Case, Measurement};
use crate::organisation::{Organisation, write_more_roles};
use crate::report::{Table, grouped};
use crate::tenant::{Absent, OpenTenant};

/// A tenant takes about so much of the disk for each identity, refreshed.
const BYTES_PER_IDENTITY: u64 = 6_000;

/// Measure on this machine
#[derive(Args, Debug)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    command: BenchCommand,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    Refresh(RefreshArgs),
    #[command(hide = true)]
    Case(CaseArgs),
}

/// Measure refreshes: full for the first time, full with nothing changing, and
/// of who is due with nobody and one in a hundred due
///
/// Works on a tenant that it makes, or on a copy of one (`--copy`), in a
/// temporary folder that is removed afterwards. Rates are of all identities of
/// the tenant; each case runs in a process of its own.
#[derive(Args, Debug)]
struct RefreshArgs {
    /// How many identities the made tenant has
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    identities: u64,

    /// How many roles it has besides its own, found by codes and by populations
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "copy", value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    roles: u64,

    /// Measure on a copy of the tenant that `--tenant` names: the cases in
    /// which nothing changes
    #[arg(long, conflicts_with = "identities")]
    copy: bool,

    /// Where to make the temporary folder
    #[arg(long, value_name = "DIR")]
    within: Option<PathBuf>,
}

/// Measure one case on the tenant, in this process
#[derive(Args, Debug)]
struct CaseArgs {
    name: String,
}

#[derive(Serialize)]
struct Report {
    /// `generated`, or `copy of DIR`.
    tenant: String,
    identities: u64,
    /// What the tenant took of the disk at the end.
    disk_mb: f64,
    threads: usize,
    cases: Vec<Measurement>,
}

/// Runs the command.
pub(super) fn run(
    args: &BenchArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    match &args.command {
        BenchCommand::Refresh(args) => refresh(args, options, out),
        BenchCommand::Case(args) => case(args, options, out),
    }
}

fn refresh(
    args: &RefreshArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let within = args.within.clone().unwrap_or_else(std::env::temp_dir);
    let folder = TempDir::with_prefix_in("idr-bench-", &within)
        .map_err(|error| unwritable(&within, error))?;
    let directory = folder.path().join("tenant");
    let note = |text: &str| {
        if !options.quiet && !options.json {
            // It only tells that something is going on.
            let _ = writeln!(io::stderr(), "{text}");
        }
    };
    let (tenant, cases) = if args.copy {
        note(&format!("copying {}", options.tenant.display()));
        copy_tenant(&options.tenant, &directory)?;
        bench::settle(&directory)?;
        let tenant = format!("copy of {}", options.tenant.display());
        (tenant, vec![Case::FullUnchanged, Case::Incremental0])
    } else {
        let size = grouped(args.identities);
        let need_mb = grouped(args.identities * BYTES_PER_IDENTITY / 1_000_000 + 1);
        let place = within.display();
        note(&format!(
            "making {size} identities in {place}: about {need_mb} MB"
        ));
        make_tenant(&directory, Organisation::new(args.identities, SEED))?;
        if args.roles > 0 {
            let written = write_more_roles(&directory, args.roles);
            written.map_err(|error| unwritable(&directory, error))?;
        }
        (
            "generated".to_owned(),
            Case::ALL.map(|(_, case)| case).to_vec(),
        )
    };
    let mut measured = Vec::new();
    for case in cases {
        if case == Case::Incremental1 {
            note("changing one in a hundred");
            bench::change_some(&directory, Organisation::new(args.identities, SEED))?;
        }
        note(&format!("measuring {}", case.as_str()));
        measured.push(measure_apart(&directory, case)?);
    }
    let report = Report {
        tenant,
        identities: measured.first().map_or(0, |first| first.identities),
        disk_mb: disk_bytes(folder.path()).map_err(|error| unwritable(&within, error))? as f64
            / 1e6,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        cases: measured,
    };
    if options.json {
        write_json(out, &report)?;
    } else {
        write_report(&report, out)?;
    }
    Ok(Outcome::Done)
}

/// The seed of made tenants.
const SEED: u64 = 1;

/// Has a case measured by a process of its own.
fn measure_apart(directory: &Path, case: Case) -> Result<Measurement, CommandError> {
    let program = std::env::current_exe().map_err(CommandError::failed)?;
    let output = Command::new(program)
        .args(["bench", "case", case.as_str(), "--json", "--tenant"])
        .arg(directory)
        .stderr(Stdio::inherit())
        .output()
        .map_err(CommandError::failed)?;
    if !output.status.success() {
        let message = format!("`{}` couldn't be measured", case.as_str());
        return Err(CommandError::failed(message));
    }
    serde_json::from_slice(&output.stdout).map_err(CommandError::failed)
}

fn case(
    args: &CaseArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let Some(case) = Case::named(&args.name) else {
        let message = format!("there is no case `{}`", args.name);
        return Err(CommandError::usage(message));
    };
    let measurement = bench::measure(&options.tenant, case)?;
    write_json(out, &measurement)?;
    Ok(Outcome::Done)
}

/// Copies a tenant's configuration and store.
fn copy_tenant(source: &Path, target: &Path) -> Result<(), CommandError> {
    let tenant = OpenTenant::open(source, Absent::Refuse)?;
    let store = &tenant.configuration.store.path;
    if store.is_absolute() {
        let message = "the path of the tenant's store is absolute, so a copy would use the same";
        return Err(CommandError::usage(message));
    }
    let write = |path: &Path, content: Option<&[u8]>| -> io::Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        content.map_or(Ok(()), |content| fs::write(path, content))
    };
    let unusable = |error| unwritable(target, error);
    for (path, content) in tenant.configuration.files.iter() {
        write(&target.join(path), Some(content)).map_err(unusable)?;
    }
    let store = target.join(store);
    write(&store, None).map_err(unusable)?;
    tenant.store.backup(&store)?;
    Ok(())
}

fn disk_bytes(folder: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        total += match metadata.is_dir() {
            true => disk_bytes(&entry.path())?,
            false => metadata.len(),
        };
    }
    Ok(total)
}

fn write_report(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}, {} identities, {} MB on disk, {} threads",
        report.tenant,
        grouped(report.identities),
        grouped(report.disk_mb.ceil() as u64),
        report.threads
    )?;
    let headings = [
        "case",
        "identities/s",
        "seconds",
        "CPU us/identity",
        "peak MB",
        "refreshed",
        "plan s",
        "apply s",
        "events s",
        "other s",
    ];
    let mut table = Table::new(&headings).right(&[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for case in &report.cases {
        let stages = case.stages;
        table.row([
            case.name.clone(),
            grouped(case.identities_per_second as u64),
            format!("{:.2}", case.seconds),
            format!("{:.1}", case.cpu_us_per_identity),
            format!("{:.0}", case.peak_mb),
            grouped(case.refreshed),
            format!("{:.2}", stages.plan),
            format!("{:.2}", stages.apply),
            format!("{:.2}", stages.events),
            format!("{:.2}", stages.other),
        ]);
    }
    table.write(out)
}

fn unwritable(folder: &Path, source: io::Error) -> CommandError {
    #[derive(Debug, thiserror::Error)]
    #[error("the folder `{folder}` can't be used")]
    struct Unusable {
        folder: String,
        source: io::Error,
    }
    let folder = folder.display().to_string();
    CommandError::failed(Unusable { folder, source })
}

impl From<BenchError> for CommandError {
    fn from(error: BenchError) -> Self {
        Self::failed(error)
    }
}
