//! `bench report`: tables of what was measured, for a document.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use idr_core::meter::Stage;
use serde::Deserialize;

use super::{CommandError, Outcome, goals};
use crate::bench::{FeedMeasurement, Measurement, Roofline};
use crate::organisation::Profile;
use crate::report::{counted, grouped};

/// Print tables in Markdown of what `--json` of other measurements has printed into files
#[derive(Args, Debug)]
pub(super) struct ReportArgs {
    /// Files with what `idr bench refresh`, `aggregate` or `roofline` printed
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What is in a file: of a refresh, of aggregations, or a roofline.
#[derive(Deserialize)]
#[serde(untagged)]
enum Measured {
    Refresh {
        profile: Option<Profile>,
        identities: u64,
        threads: usize,
        cases: Vec<Measurement>,
    },
    Aggregate {
        profile: Profile,
        identities: u64,
        feeds: Vec<FeedMeasurement>,
    },
    Roofline {
        profile: Profile,
        roofline: Roofline,
    },
}

/// Runs the command.
pub(super) fn run(args: &ReportArgs, out: &mut dyn Write) -> Result<Outcome, CommandError> {
    let measured: Vec<Measured> = args
        .files
        .iter()
        .map(|file| read(file))
        .collect::<Result<_, _>>()?;
    writeln!(out, "{}", machine())?;
    write_goals(&measured, out)?;
    for each in &measured {
        match each {
            Measured::Refresh {
                profile,
                identities,
                threads,
                cases,
            } => {
                let name = profile.map_or("a tenant", Profile::as_str);
                let size = grouped(*identities);
                let threads = counted(*threads as u64, "thread", "threads");
                writeln!(
                    out,
                    "\n### Refreshes: {name}, {size} identities, {threads}\n"
                )?;
                refreshes(cases, out)?;
                stages(cases, out)?;
            }
            Measured::Aggregate {
                profile,
                identities,
                feeds,
            } => {
                let (name, size) = (profile.as_str(), grouped(*identities));
                writeln!(out, "\n### Aggregations: {name}, {size} identities\n")?;
                aggregations(feeds, out)?;
            }
            Measured::Roofline { profile, roofline } => {
                let (name, size) = (profile.as_str(), grouped(roofline.identities));
                writeln!(out, "\n### Roofline: {name}, {size} identities\n")?;
                write_roofline(roofline, cases_of(&measured, *profile, roofline), out)?;
            }
        }
    }
    Ok(Outcome::Done)
}

/// Writes what was measured of the standard tenant beside what is aimed at.
fn write_goals(measured: &[Measured], out: &mut dyn Write) -> std::io::Result<()> {
    let (mut refreshes, mut of_feeds) = (Vec::new(), Vec::new());
    for each in measured {
        match each {
            Measured::Refresh {
                profile: Some(Profile::Standard),
                identities,
                threads,
                cases,
            } => refreshes.push(goals::Measured {
                identities: *identities,
                threads: *threads,
                cases,
            }),
            Measured::Aggregate {
                profile: Profile::Standard,
                feeds,
                ..
            } => of_feeds.extend_from_slice(feeds),
            _ => {}
        }
    }
    goals::write(&refreshes, &of_feeds, out)
}

fn read(file: &Path) -> Result<Measured, CommandError> {
    let shown = file.display();
    let text = fs::read(file)
        .map_err(|error| CommandError::usage(format!("`{shown}` can't be read: {error}")))?;
    serde_json::from_slice(&text).map_err(|_| {
        let message = format!("`{shown}` isn't what a measurement printed");
        let hint =
            "write into it what `idr bench refresh --json` prints, or `aggregate`, `roofline`";
        CommandError::usage(message).with_hint(hint.to_owned())
    })
}

/// Says what this machine is.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, model)| model);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib: u64 = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.parse().ok())
        .unwrap_or(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "Measured with idr {} on {model}, {threads} threads, {} GB of memory.",
        env!("CARGO_PKG_VERSION"),
        kib / 1_000_000
    )
}

fn refreshes(cases: &[Measurement], out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "| case | identities/s | seconds | CPU us/identity | peak MB | refreshed | changed | events | read MB | written MB |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for case in cases {
        writeln!(
            out,
            "| {} | {} | {:.3} | {:.1} | {:.0} | {} | {} | {} | {:.0} | {:.0} |",
            case.name,
            grouped(case.identities_per_second as u64),
            case.seconds,
            case.cpu_us_per_identity,
            case.peak_mb,
            grouped(case.refreshed),
            grouped(case.changed),
            grouped(case.events),
            case.io.read_mb,
            case.io.written_mb,
        )?;
    }
    Ok(())
}

/// Where the CPU time went, in microseconds for each identity of the tenant.
fn stages(cases: &[Measurement], out: &mut dyn Write) -> std::io::Result<()> {
    let cases: Vec<&Measurement> = cases
        .iter()
        .filter(|case| !case.stages.is_empty() && case.refreshed > 0)
        .collect();
    if cases.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    writeln!(out, "\n| CPU us/identity | {} |", names.join(" | "))?;
    writeln!(out, "|---|{}", "---:|".repeat(cases.len()))?;
    let stages = Stage::ALL.iter().map(|(name, _)| *name);
    for stage in stages.chain(["other"]) {
        write!(out, "| {stage} |")?;
        for case in &cases {
            write!(
                out,
                " {:.2} |",
                case.stages.get(stage).copied().unwrap_or(0.0)
            )?;
        }
        writeln!(out)?;
    }
    write!(out, "| of all this, measuring |")?;
    for case in &cases {
        write!(out, " {:.2} |", case.measuring_us_per_identity)?;
    }
    writeln!(out)
}

fn aggregations(feeds: &[FeedMeasurement], out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "| case | application | rows/s | seconds | CPU us/row | peak MB | rows | changed |"
    )?;
    writeln!(out, "|---|---|---:|---:|---:|---:|---:|---:|")?;
    for feed in feeds {
        writeln!(
            out,
            "| {} | {} | {} | {:.2} | {:.1} | {:.0} | {} | {} |",
            feed.name,
            feed.application,
            grouped(feed.rows_per_second as u64),
            feed.seconds,
            feed.cpu_us_per_row,
            feed.peak_mb,
            grouped(feed.rows),
            grouped(feed.changed),
        )?;
    }
    Ok(())
}

/// Returns the refreshes of the tenant that a roofline is of.
fn cases_of<'m>(
    measured: &'m [Measured],
    of: Profile,
    roofline: &Roofline,
) -> Option<&'m [Measurement]> {
    measured.iter().find_map(|each| match each {
        Measured::Refresh {
            profile: Some(profile),
            identities,
            cases,
            ..
        } if *profile == of && *identities == roofline.identities => Some(cases.as_slice()),
        _ => None,
    })
}

fn write_roofline(
    roofline: &Roofline,
    cases: Option<&[Measurement]>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(
        out,
        "{:.1} documents and {:.0} bytes for each identity, one thread.\n",
        roofline.documents_per_identity, roofline.bytes_per_identity
    )?;
    writeln!(
        out,
        "| alone | us/identity | our CPU us in full-unchanged | | in full-changed | |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|")?;
    let case = |name: &str| cases?.iter().find(|case| case.name == name);
    let compared = ["full-unchanged", "full-changed"].map(case);
    for (what, alone, ours) in parts(roofline) {
        write!(out, "| {what} | {alone:.3} |")?;
        for case in compared {
            match case.and_then(|case| ours.of(case)) {
                Some(us) => write!(out, " {us:.2} | x {:.1} |", us / alone)?,
                None => write!(out, " | |")?,
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Where to find what we take for something.
enum Ours {
    /// In these stages.
    Stages(&'static [Stage]),
    /// It was measured apart.
    Apart(f64),
    /// In all that there is.
    All,
}

impl Ours {
    /// Returns the microseconds of CPU time for each identity; none where it wasn't done.
    fn of(&self, case: &Measurement) -> Option<f64> {
        let us = match self {
            Self::Apart(us) => *us,
            Self::All => case.cpu_us_per_identity,
            Self::Stages(stages) => {
                let named = |stage: &Stage| {
                    let found = Stage::ALL.iter().find(|(_, known)| known == stage);
                    found.and_then(|(name, _)| case.stages.get(*name))
                };
                stages.iter().filter_map(named).sum()
            }
        };
        (us >= 0.1 || matches!(self, Self::Apart(_))).then_some(us)
    }
}

/// Returns what is done alone, how long it takes, and what ours is.
fn parts(roofline: &Roofline) -> Vec<(&'static str, f64, Ours)> {
    let Roofline {
        read_us,
        decode_us,
        native_rule_us,
        rule_us,
        write_us,
        ..
    } = *roofline;
    let mut parts = vec![
        ("reading rows", read_us, Ours::Stages(&[Stage::Read])),
        ("decoding them", decode_us, Ours::Stages(&[Stage::Decode])),
    ];
    if let (Some(native), Some(ours)) = (native_rule_us, rule_us) {
        parts.push((
            "the lifecycle rule in native code; ours: one evaluation",
            native,
            Ours::Apart(ours),
        ));
    }
    let writing = Ours::Stages(&[Stage::Encode, Stage::Apply, Stage::Commit]);
    parts.push(("writing the identity's document", write_us, writing));
    let all = read_us + decode_us + native_rule_us.unwrap_or(0.0);
    parts.push(("all of it, but writing", all, Ours::All));
    parts.push(("all of it", all + write_us, Ours::All));
    parts
}
