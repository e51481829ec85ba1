//! The `idr` binary: parses, starts logging, runs, and turns the result into
//! text and an exit code.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;
use idr::cli::{Cli, CommandError, ErrorKind, Outcome};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Tests name points in FAILPOINTS at which the process shall die.
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    let started = start_logging();
    take_small_pages();
    match started.and_then(|()| run(&cli)) {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) => {
            if error.kind != ErrorKind::BrokenPipe {
                // Nobody can be told when even that can't be written.
                let _ = match cli.wants_json() {
                    true => writeln!(io::stderr(), "{}", error.to_json()),
                    false => writeln!(io::stderr(), "{error}"),
                };
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// Has memory handed out in small pages. The allocator asks for huge ones, each of which
/// the kernel clears as a whole for the little of it that is used before it is given back
/// (docs/adr/0034).
fn take_small_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::debug!(%error, "memory comes in huge pages");
    }
}

fn run(cli: &Cli) -> Result<Outcome, CommandError> {
    let mut out = BufWriter::new(io::stdout().lock());
    let result = cli.run(&mut out);
    // What was reported before a failure comes out before the failure.
    let flushed = out.flush();
    let outcome = result?;
    flushed?;
    Ok(outcome)
}

/// Logs to standard error what `IDR_LOG` asks for (`info`, `idr::refresh=debug`),
/// else warnings.
fn start_logging() -> Result<(), CommandError> {
    let wanted = std::env::var("IDR_LOG").unwrap_or_else(|_| "warn".to_owned());
    let filter = EnvFilter::try_new(&wanted).map_err(|error| {
        CommandError::usage(error).with_hint(format!(
            "IDR_LOG is `{wanted}`: write a level such as `info`, or `idr::refresh=debug`"
        ))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
    Ok(())
}
