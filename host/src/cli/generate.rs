//! `generate`: make a tenant of any size, ready for its first refresh.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use super::{CommandError, GlobalOptions, Outcome, write_json};
use crate::organisation::{FIRST_INSTANT, LoadError, Made, Profile, aggregate_all};
use crate::report::grouped;
use crate::store::AggregationStatus;
use crate::tenant::{Absent, OpenTenant};

/// Make a tenant with a made-up organisation of any size
///
/// Writes configuration, example rules and feeds, and aggregates the feeds; the
/// next `idr refresh` finds everybody due. The same number and seed always make
/// the same tenant. Its clock is simulated.
#[derive(clap::Args, Debug)]
pub(super) struct GenerateArgs {
    /// The folder to make: new, or empty
    directory: PathBuf,

    /// What it is like: a company (`organisation`), the tenant that figures of speed are
    /// measured with (`standard`), or a shape that midPoint publishes figures of
    #[arg(long, value_name = "PROFILE", default_value = "organisation", value_parser = profile_parser())]
    profile: Profile,

    /// How many people it has
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    identities: u64,

    /// Which of the many possible organisations
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
}

#[derive(Serialize)]
struct Report<'a> {
    directory: &'a Path,
    profile: Profile,
    identities: u64,
    accounts: Vec<Accounts>,
    seconds: f64,
}

#[derive(Serialize)]
pub(super) struct Accounts {
    application: String,
    accounts: u64,
}

/// Runs the command.
pub(super) fn run(
    args: &GenerateArgs,
    options: &GlobalOptions,
    out: &mut dyn Write,
) -> Result<Outcome, CommandError> {
    let started = Instant::now();
    let directory = &args.directory;
    make_folder(directory, false, "name a folder that is new or empty")?;
    let made = Made {
        profile: args.profile,
        identities: args.identities,
        seed: args.seed,
    };
    let accounts = make_tenant(directory, made)?;
    let report = Report {
        directory,
        profile: args.profile,
        identities: args.identities,
        accounts,
        seconds: started.elapsed().as_secs_f64(),
    };
    if options.json {
        write_json(out, &report)?;
    } else if !options.quiet {
        let people = grouped(report.identities);
        writeln!(out, "{people} identities in {}", directory.display())?;
        for known in &report.accounts {
            let count = grouped(known.accounts);
            writeln!(out, "  {:<14}{count:>12} accounts", known.application)?;
        }
        writeln!(
            out,
            "everybody is due: idr --tenant {} refresh",
            directory.display()
        )?;
    }
    Ok(Outcome::Done)
}

/// Reads the name of a profile.
pub(super) fn profile_parser() -> impl TypedValueParser<Value = Profile> {
    PossibleValuesParser::new(Profile::ALL.map(|(name, _)| name))
        .map(|name| Profile::named(&name).expect("only names of profiles are possible"))
}

/// Writes a made tenant and aggregates its feeds, where there is room for it.
pub(super) fn make_tenant(directory: &Path, made: Made) -> Result<Vec<Accounts>, CommandError> {
    let disk = fs::create_dir_all(directory).and_then(|()| Ok(rustix::fs::statvfs(directory)?));
    let disk = disk.map_err(|error| unwritable(directory, error))?;
    check_room(directory, made, disk.f_bavail.saturating_mul(disk.f_frsize))?;
    made.write(directory)
        .map_err(|error| unwritable(directory, error))?;
    let tenant = OpenTenant::open(directory, Absent::Create).map_err(LoadError::from)?;
    let _lock = tenant.lock()?;
    let reports = aggregate_all(&tenant, made.profile.applications(), FIRST_INSTANT)?;
    let mut accounts = Vec::new();
    for report in reports {
        let aggregation = report.aggregation;
        if aggregation.status != AggregationStatus::Done {
            let message = format!("the accounts of `{}` are held", aggregation.application);
            return Err(CommandError::failed(message));
        }
        accounts.push(Accounts {
            accounts: aggregation.counters.get("created").copied().unwrap_or(0),
            application: aggregation.application,
        });
    }
    Ok(accounts)
}

/// Refuses a tenant that so many free bytes aren't enough for.
fn check_room(directory: &Path, made: Made, free: u64) -> Result<(), CommandError> {
    let needed = made.profile.bytes_per_identity() * made.identities;
    if needed <= free {
        return Ok(());
    }
    let gigabytes = |bytes: u64| grouped(bytes.div_ceil(1_000_000_000));
    let message = format!(
        "{} identities of `{}` take about {} GB, and `{}` has room for {} GB",
        grouped(made.identities),
        made.profile.as_str(),
        gigabytes(needed),
        directory.display(),
        gigabytes(free),
    );
    let hint = "make fewer of them, or name a folder on a larger disk";
    Err(CommandError::usage(message).with_hint(hint.to_owned()))
}

/// Makes a folder for a tenant; one that is there must be empty, unless it
/// holds a tenant and may be replaced. `hint` says what to do otherwise.
pub(super) fn make_folder(directory: &Path, replace: bool, hint: &str) -> Result<(), CommandError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries.collect::<io::Result<Vec<_>>>(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return fs::create_dir_all(directory).map_err(|error| unwritable(directory, error));
        }
        Err(error) => return Err(unwritable(directory, error)),
    };
    let entries = entries.map_err(|error| unwritable(directory, error))?;
    if entries.is_empty() {
        return Ok(());
    }
    let is_tenant = directory.join("idr.toml").is_file();
    if replace && is_tenant {
        let names = entries.iter().map(|entry| entry.file_name());
        let mut foreign = names.filter(|name| !name.to_str().is_some_and(is_of_a_tenant));
        if let Some(name) = foreign.next() {
            let message = format!(
                "`{}` is nothing that a made tenant has, so nothing is replaced",
                directory.join(name).display()
            );
            let hint = "move it elsewhere, or name another folder";
            return Err(CommandError::usage(message).with_hint(hint.to_owned()));
        }
        let emptied = fs::remove_dir_all(directory).and_then(|()| fs::create_dir_all(directory));
        return emptied.map_err(|error| unwritable(directory, error));
    }
    let shown = directory.display();
    if replace {
        let message = format!("`{shown}` is no tenant's folder, so it isn't replaced");
        return Err(CommandError::usage(message).with_hint("name another folder".to_owned()));
    }
    let message = format!("`{shown}` exists and isn't empty");
    Err(CommandError::usage(message).with_hint(hint.to_owned()))
}

/// Says whether a made tenant's folder has something of this name.
fn is_of_a_tenant(name: &str) -> bool {
    matches!(
        name,
        "applications" | "feeds" | "roles" | "rules" | "state" | "tasks"
    ) || matches!(
        name,
        "idr.toml"
            | "identity.toml"
            | "lifecycle.toml"
            | "policies.toml"
            | "populations.toml"
            | "risk.toml"
            | "triggers.toml"
    )
}

fn unwritable(directory: &Path, source: io::Error) -> CommandError {
    CommandError::failed(Unwritable {
        directory: directory.to_owned(),
        source,
    })
}

#[derive(Debug, thiserror::Error)]
#[error("the tenant `{}` can't be written", directory.display())]
struct Unwritable {
    directory: PathBuf,
    source: io::Error,
}

impl From<LoadError> for CommandError {
    fn from(error: LoadError) -> Self {
        let hint = error.hint();
        Self::failed(error).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_that_the_disk_has_no_room_for_is_refused() {
        let made = |identities| Made {
            profile: Profile::MidpointSource,
            identities,
            seed: 1,
        };
        let room = |identities| check_room(Path::new("acme"), made(identities), 40_000_000_000);
        assert!(room(1_250_000).is_ok());
        let error = room(10_000_000).expect_err("it takes more");
        insta::assert_snapshot!(error.to_string(), @r"
        error: 10,000,000 identities of `midpoint-1s-50m` take about 320 GB, and `acme` has room for 40 GB
        hint: make fewer of them, or name a folder on a larger disk
        ");
    }
}
