//! `bench refresh`: how fast refreshes are.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use idr_core::meter::Stage;
use serde::Serialize;
use tempfile::TempDir;

use super::apart::Side;
use super::compare::{Earlier, Ratio, of_pairs, write_ratios};
use super::{
    CommandError, GlobalOptions, Outcome, no_such_case, profile_parser, temporary, unusable,
};
use crate::bench::{self, Case, Measurement, Needs};
use crate::cli::write_json;
use crate::organisation::{Made, Profile, write_more_roles};
use crate::report::{Table, counted, grouped};
use crate::tenant::{Absent, OpenTenant};

/// The seed of made tenants.
pub(super) const SEED: u64 = 1;

/// Without `--repeat`, two programs are measured so often in turns.
const REPEAT_AGAINST: u32 = 3;

/// Measure refreshes: full for the first time, with nothing and with everybody
/// changing, of who is due, and of one identity from a cold process
///
/// Works on a tenant that it makes, or on a copy of one (`--copy`), in a
/// temporary folder that is removed afterwards; how much of the disk that takes is
/// said first. Rates are of all identities of the tenant; each case runs in a process
/// of its own.
///
/// Cases: full-first (everybody, for the first time), full-unchanged,
/// incremental-0, one-cold, incremental-0.1, incremental-1, incremental-10 (so many
/// percent have changed), full-changed.
#[derive(Args, Debug)]
pub(super) struct RefreshArgs {
    /// What the made tenant is like, as in `idr generate`
    #[arg(long, value_name = "PROFILE", default_value = "standard", conflicts_with = "copy", value_parser = profile_parser())]
    profile: Profile,

    /// How many identities it has
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    identities: u64,

    /// How many roles it has besides its own, found by codes and by populations; of the
    /// profile `organisation`
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with_all = ["copy", "against"], value_parser = clap::value_parser!(u64).range(0..=1_000_000))]
    roles: u64,

    /// Measure only this case; may be given several times
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,

    /// Measure each case so often; what is told is the run with the median time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    repeat: Option<u32>,

    /// Compare with what an earlier `--json` printed into this file
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,

    /// Measure another `idr` as well, in turns with this one
    #[arg(long, value_name = "PROGRAM", conflicts_with = "copy")]
    against: Option<PathBuf>,

    /// Don't measure where the time goes, which takes a little time of its own
    #[arg(long)]
    without_stages: bool,

    /// Measure on a copy of the tenant that `--tenant` names: the cases in
    /// which nothing changes
    #[arg(long, conflicts_with = "identities")]
    copy: bool,

    /// Where to make the temporary folder
    #[arg(long, value_name = "DIR")]
    within: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    /// `generated`, or `copy of DIR`.
    tenant: String,
    profile: Option<Profile>,
    identities: u64,
    /// What the tenant took of the disk at the end.
    disk_mb: f64,
    threads: usize,
    /// How often each case was measured.
    repeat: u32,
    cases: Vec<Measured>,
    /// In relation to the file given.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<Vec<Ratio>>,
    /// In relation to the other program.
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Vec<Ratio>>,
}

/// The run of a case with the median time.
#[derive(Serialize)]
struct Measured {
    #[serde(flatten)]
    median: Measurement,
    /// The wall times of all runs, in order.
    runs: Vec<f64>,
}

/// Runs the command.
pub(super) fn run(
    args: &RefreshArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let cases = args.cases()?;
    let earlier = args.compare.as_deref().map(Earlier::read).transpose()?;
    let within = args.within.clone().unwrap_or_else(std::env::temp_dir);
    let folder = temporary(Some(&within))?;
    let repeat = args.repeat.unwrap_or(match args.against {
        Some(_) => REPEAT_AGAINST,
        None => 1,
    });
    let note = Notes::new(options);
    let mut sides = args.sides(&folder, &within, repeat, options, &note)?;
    let mut measured = Vec::new();
    let mut against = Vec::new();
    for case in cases {
        note.say(&format!("measuring {}", case.as_str()));
        let mut runs = Vec::new();
        let mut pairs = Vec::new();
        for _ in 0..repeat {
            for side in &mut sides {
                side.prepare(case)?;
            }
            let this = sides[0].measure(case, !args.without_stages)?;
            if let Some(other) = sides.get_mut(1) {
                pairs.push((this.clone(), other.measure(case, !args.without_stages)?));
            }
            runs.push(this);
        }
        against.extend(of_pairs(&pairs));
        measured.extend(Measured::of(runs));
    }
    let identities = measured.first().map_or(0, |first| first.median.identities);
    let only: Vec<Measurement> = measured.iter().map(|case| case.median.clone()).collect();
    let profile = (!args.copy).then_some(args.profile);
    if let Some(differs) = earlier
        .as_ref()
        .and_then(|earlier| earlier.differs(profile.map(Profile::as_str), identities))
    {
        note.say(&differs);
    }
    let report = Report {
        tenant: match args.copy {
            true => format!("copy of {}", options.tenant.display()),
            false => "generated".to_owned(),
        },
        profile,
        identities,
        disk_mb: disk_bytes(folder.path()).map_err(|error| unusable(&within, error))? as f64 / 1e6,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        repeat,
        cases: measured,
        compared: earlier.map(|earlier| earlier.ratios(&only)),
        against: args.against.is_some().then_some(against),
    };
    if options.json {
        write_json(out, &report)?;
    } else {
        write_report(&report, out)?;
    }
    Ok(Outcome::Done)
}

impl RefreshArgs {
    /// Returns the cases to measure, in order.
    fn cases(&self) -> Result<Vec<Case>, CommandError> {
        if self.roles > 0 && self.profile != Profile::Organisation {
            let message = "`--roles` is for the profile `organisation`";
            return Err(CommandError::usage(message));
        }
        let mut wanted = Vec::new();
        for name in &self.cases {
            wanted.push(Case::named(name).ok_or_else(|| no_such_case(name))?);
        }
        if let Some(case) = wanted
            .iter()
            .find(|case| self.copy && case.needs() != Needs::Settled)
        {
            let message = format!("`{}` can't be measured on a copy", case.as_str());
            let hint = "nothing of a tenant that isn't made can be changed; leave out `--copy`";
            return Err(CommandError::usage(message).with_hint(hint.to_owned()));
        }
        let all = Case::ALL.iter().map(|(_, case)| *case);
        Ok(all
            .filter(|case| wanted.is_empty() || wanted.contains(case))
            .filter(|case| !self.copy || case.needs() == Needs::Settled)
            .collect())
    }

    /// Makes the tenants to measure on.
    fn sides(
        &self,
        folder: &TempDir,
        within: &Path,
        repeat: u32,
        options: &GlobalOptions,
        note: &Notes,
    ) -> Result<Vec<Side>, CommandError> {
        let this = std::env::current_exe().map_err(CommandError::failed)?;
        if self.copy {
            note.say(&format!("copying {}", options.tenant.display()));
            let tenant = folder.path().join("tenant");
            copy_tenant(&options.tenant, &tenant)?;
            bench::settle(&tenant)?;
            return Ok(vec![Side::copy(this, tenant)]);
        }
        let programs: Vec<PathBuf> = [Some(this), self.against.clone()]
            .into_iter()
            .flatten()
            .collect();
        let made = Made {
            profile: self.profile,
            identities: self.identities,
            seed: SEED,
        };
        let stores = programs.len() as u64 * if repeat > 1 { 2 } else { 1 };
        let need_mb = self.identities * made.profile.bytes_per_identity() * stores / 1_000_000 + 1;
        note.say(&format!(
            "making {} identities in {}: about {} MB",
            grouped(self.identities),
            within.display(),
            grouped(need_mb)
        ));
        let mut sides = Vec::new();
        for (number, program) in programs.into_iter().enumerate() {
            let place = folder.path().join(number.to_string());
            sides.push(Side::make(program, place.clone(), made, repeat > 1)?);
            if self.roles > 0 {
                let tenant = place.join("tenant");
                write_more_roles(&tenant, self.roles).map_err(|error| unusable(&tenant, error))?;
            }
        }
        Ok(sides)
    }
}

impl Measured {
    /// Returns the run with the median time; the slower one of two.
    fn of(runs: Vec<Measurement>) -> Option<Self> {
        let seconds = runs.iter().map(|run| run.seconds).collect();
        let mut runs = runs;
        runs.sort_by(|left, right| left.seconds.total_cmp(&right.seconds));
        let middle = runs.len() / 2;
        let median = runs.into_iter().nth(middle)?;
        Some(Self {
            median,
            runs: seconds,
        })
    }
}

/// Tells that something is going on, where that is wanted.
struct Notes {
    are_wanted: bool,
}

impl Notes {
    fn new(options: &GlobalOptions) -> Self {
        Self {
            are_wanted: !options.quiet && !options.json,
        }
    }

    fn say(&self, text: &str) {
        if self.are_wanted {
            // Whoever can't be told needn't know.
            let _ = writeln!(io::stderr(), "{text}");
        }
    }
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
    let failed = |error| unusable(target, error);
    for (path, content) in tenant.configuration.files.iter() {
        write(&target.join(path), Some(content)).map_err(failed)?;
    }
    let store = target.join(store);
    write(&store, None).map_err(failed)?;
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
    let profile = report.profile.map(Profile::as_str);
    writeln!(
        out,
        "{}{}, {} identities, {} MB on disk, {}",
        profile.map(|name| format!("{name}, ")).unwrap_or_default(),
        report.tenant,
        grouped(report.identities),
        grouped(report.disk_mb.ceil() as u64),
        counted(report.threads as u64, "thread", "threads"),
    )?;
    let headings = [
        "case",
        "identities/s",
        "seconds",
        "CPU us/identity",
        "peak MB",
        "refreshed",
        "changed",
        "plan s",
        "apply s",
        "events s",
        "other s",
    ];
    let mut table = Table::new(&headings).right(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for Measured { median: case, .. } in &report.cases {
        let wall = case.wall_seconds;
        table.row([
            case.name.clone(),
            grouped(case.identities_per_second as u64),
            format!("{:.3}", case.seconds),
            format!("{:.1}", case.cpu_us_per_identity),
            format!("{:.0}", case.peak_mb),
            grouped(case.refreshed),
            grouped(case.changed),
            format!("{:.2}", wall.plan),
            format!("{:.2}", wall.apply),
            format!("{:.2}", wall.events),
            format!("{:.2}", wall.other),
        ]);
    }
    table.write(out)?;
    write_stages(report, out)?;
    for (ratios, with) in [
        (&report.compared, "before"),
        (&report.against, "the other program"),
    ] {
        if let Some(ratios) = ratios {
            writeln!(out, "\nin relation to {with}:")?;
            write_ratios(ratios, out)?;
        }
    }
    Ok(())
}

/// Prints where the CPU time went: a row for each stage, a column for each case.
fn write_stages(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let cases: Vec<&Measurement> = report
        .cases
        .iter()
        .map(|case| &case.median)
        .filter(|case| !case.stages.is_empty())
        .collect();
    if cases.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nCPU us/identity by stage:")?;
    let mut headings = vec!["stage"];
    headings.extend(cases.iter().map(|case| case.name.as_str()));
    let columns: Vec<usize> = (1..headings.len()).collect();
    let mut table = Table::new(&headings).right(&columns);
    let names = Stage::ALL.iter().map(|(name, _)| *name).chain(["other"]);
    for name in names {
        let of = |case: &&Measurement| case.stages.get(name).copied().unwrap_or(0.0);
        let row = cases.iter().map(|case| format!("{:.2}", of(case)));
        table.row([name.to_owned()].into_iter().chain(row));
    }
    let row = cases
        .iter()
        .map(|case| format!("{:.2}", case.measuring_us_per_identity));
    table.row(["of this, measuring".to_owned()].into_iter().chain(row));
    table.write(out)
}
